"""Local time and kinds of day: weekend, public holidays and Ramadan of any country, with a site's own dates.

Everything else in gridlib thinks in UTC; only here and on screens does local time appear.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from enum import IntEnum
from functools import lru_cache
from typing import NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import holidays
import numpy as np
import pandas as pd
from hijridate import Hijri
from numpy.typing import NDArray

from gridlib.facts.errors import InputError


class DayType(IntEnum):
    """Kinds of day that a load profile tells apart; in Jordan the weekend is Friday, then Saturday."""

    WORKDAY = 0
    FIRST_WEEKEND_DAY = 1
    SECOND_WEEKEND_DAY = 2
    HOLIDAY = 3


class DayFeatures(NamedTuple):
    """What the calendar says of local days in a row; arrays [days]."""

    kind: NDArray[np.int64]  # numbers of `DayType`
    weekday: NDArray[np.int64]  # Monday is 0
    day_of_year: NDArray[np.int64]  # from 1
    ramadan: NDArray[np.bool_]
    eid: NDArray[np.bool_]  # the days of both feasts, with the eve of Eid al-Adha


_WORDS = {
    "workday": DayType.WORKDAY,
    "weekend": DayType.FIRST_WEEKEND_DAY,
    "second_weekend_day": DayType.SECOND_WEEKEND_DAY,
    "holiday": DayType.HOLIDAY,
}
_RAMADAN_WORDS = {"ramadan": True, "not_ramadan": False}

# Weekends that moved: `holidays` knows only today's. Public announcements of the governments.
_EARLIER_WEEKENDS = {
    "AE": (date(2022, 1, 1), (4, 5)),  # Friday and Saturday until the end of 2021
    "SA": (date(2013, 6, 29), (3, 4)),  # Thursday and Friday until June 2013
}
_FIRST_YEAR, _LAST_YEAR = 1925, 2076  # the Umm al-Qura tables of hijridate cover these years whole


@dataclass(frozen=True)
class Calendar:
    """The kinds of day of one country in one time zone; made by `calendar_for`.

    Attributes
    ----------
    country : str
        ISO 3166-1 alpha-2 code.
    tz : str
        IANA name of the time zone.
    day_types : Mapping of date to DayType
        Days that the site has set by hand; they win.
    ramadan : Mapping of date to bool
        Days that the site has put into or out of Ramadan; they win.

    Examples
    --------
    >>> times = pd.date_range("2026-03-19T21:00Z", periods=2, freq="24h")
    >>> amman = calendar_for("JO", "Asia/Amman")
    >>> [DayType(int(kind)).name for kind in amman.day_type(times)]
    ['HOLIDAY', 'HOLIDAY']
    >>> amman.local_hour(times).tolist()
    [0, 0]
    """

    country: str
    tz: str
    day_types: Mapping[date, DayType] = field(default_factory=dict)
    ramadan: Mapping[date, bool] = field(default_factory=dict)

    def local_time(self, index: pd.DatetimeIndex) -> pd.DatetimeIndex:
        """Return what the clock on the wall shows, without a zone."""
        if index.tz is None:
            raise InputError(
                "times without a time zone: found naive stamps, expected UTC",
                what_to_do="Give the times in UTC, for example index.tz_localize('UTC').",
            )
        return index.tz_convert(self.tz).tz_localize(None)

    def local_hour(self, index: pd.DatetimeIndex) -> NDArray[np.int64]:
        """Return the local hour of the day, 0..23 [h]."""
        return self.local_time(index).hour.to_numpy().astype(np.int64)

    def day_type(self, index: pd.DatetimeIndex) -> NDArray[np.int64]:
        """Return the kind of the local day of each time, as numbers of `DayType`."""
        days, of_day = self._local_days(index)
        return np.array([self._type_of(day) for day in days], dtype=np.int64)[of_day]

    def in_ramadan(self, index: pd.DatetimeIndex) -> NDArray[np.bool_]:
        """Return whether the local day of each time is in Ramadan.

        Notes
        -----
        Calculated by the Umm al-Qura calendar; the month announced in a country may begin a day earlier
        or later, which the site's overrides then say.
        """
        days, of_day = self._local_days(index)
        return np.array([self._in_ramadan(day) for day in days], dtype=np.bool_)[of_day]

    def days(self, first: date, count: int) -> DayFeatures:
        """Return the features of ``count`` local days from ``first`` on.

        Examples
        --------
        >>> calendar_for("JO", "Asia/Amman").days(date(2026, 3, 18), 3).ramadan.tolist()
        [True, True, False]
        """
        every = [first + timedelta(days=i) for i in range(count)]
        _check_years((every[0], every[-1]))
        return DayFeatures(
            kind=np.array([self._type_of(day) for day in every], dtype=np.int64),
            weekday=np.array([day.weekday() for day in every], dtype=np.int64),
            day_of_year=np.array([day.timetuple().tm_yday for day in every], dtype=np.int64),
            ramadan=np.array([self._in_ramadan(day) for day in every], dtype=np.bool_),
            eid=np.array([any(a <= day < b for a, b in _eids_of(day.year)) for day in every], dtype=np.bool_),
        )

    def _local_days(self, index: pd.DatetimeIndex) -> tuple[list[date], NDArray[np.int64]]:
        codes, days = pd.factorize(self.local_time(index).normalize())
        found = [stamp.date() for stamp in pd.DatetimeIndex(days)]
        _check_years(found)
        return found, codes.astype(np.int64)

    def _type_of(self, day: date) -> DayType:
        if day in self.day_types:
            return self.day_types[day]
        days_off, workdays, weekend = _holidays_of(self.country, day.year)
        if day in days_off:
            return DayType.HOLIDAY
        moved_on, earlier = _EARLIER_WEEKENDS.get(self.country, (date.min, ()))
        weekend = earlier if day < moved_on else weekend
        if day.weekday() not in weekend or day in workdays:
            return DayType.WORKDAY
        is_first = day.weekday() == weekend[0]
        return DayType.FIRST_WEEKEND_DAY if is_first else DayType.SECOND_WEEKEND_DAY

    def _in_ramadan(self, day: date) -> bool:
        known = self.ramadan.get(day)
        return any(first <= day < end for first, end in _ramadans_of(day.year)) if known is None else known


def calendar_for(
    country: str = "JO", tz: str = "Asia/Amman", overrides: Mapping[date | str, str] | None = None
) -> Calendar:
    """Return the calendar of a country.

    Parameters
    ----------
    country : str
        ISO 3166-1 alpha-2 code of any country that the package `holidays` knows.
    tz : str
        IANA name of the time zone.
    overrides : Mapping of date to str, optional
        The site's own dates, which win: "workday", "weekend", "second_weekend_day" or "holiday", and
        "ramadan" or "not_ramadan"; two words may stand together ("holiday not_ramadan"). Dates may be
        given as "2026-03-19".

    Returns
    -------
    Calendar
        Frozen; `Calendar.day_type`, `Calendar.local_hour` and `Calendar.in_ramadan` take a UTC index.

    Raises
    ------
    InputError
        Unknown country or time zone, or an override that is no date or no known word.

    Notes
    -----
    Weekend and public holidays come from `holidays` (Islamic feasts there are estimated, +-1 day).

    Examples
    --------
    >>> site = calendar_for("JO", "Asia/Amman", {"2026-02-15": "holiday"})
    >>> site.day_type(pd.DatetimeIndex(["2026-02-15T09:00Z"])).tolist()
    [3]
    """
    if country not in holidays.list_supported_countries():
        raise InputError(
            f"unknown country '{country}': no holidays are known for it",
            what_to_do="Use a two-letter ISO code such as JO; for a country without one, use a neighbour "
            "with the same weekend and give the holidays as overrides.",
        )
    try:
        ZoneInfo(tz)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise InputError(
            f"unknown time zone '{tz}'", what_to_do="Use an IANA name such as Asia/Amman."
        ) from error
    day_types: dict[date, DayType] = {}
    ramadan: dict[date, bool] = {}
    for key, words in (overrides or {}).items():
        day = _date_of(key)
        for word in words.split():
            if word in _WORDS:
                day_types[day] = _WORDS[word]
            elif word in _RAMADAN_WORDS:
                ramadan[day] = _RAMADAN_WORDS[word]
            else:
                raise InputError(
                    f"calendar override of {day}: found '{word}'",
                    what_to_do=f"Use one of {', '.join([*_WORDS, *_RAMADAN_WORDS])}.",
                )
    return Calendar(country=country, tz=tz, day_types=day_types, ramadan=ramadan)


def _check_years(days: Sequence[date]) -> None:
    outside = [day for day in days if not _FIRST_YEAR <= day.year <= _LAST_YEAR]
    if outside:
        raise InputError(
            f"no calendar for {outside[0]}: expected a year from {_FIRST_YEAR} to {_LAST_YEAR}",
            what_to_do="Check the clock of the source that sent this time.",
        )


def _date_of(key: date | str) -> date:
    if isinstance(key, date):
        return key
    try:
        return date.fromisoformat(key)
    except ValueError as error:
        raise InputError(
            f"calendar override: '{key}' is not a date", what_to_do="Write dates as 2026-03-19."
        ) from error


@lru_cache(maxsize=256)
def _holidays_of(country: str, year: int) -> tuple[frozenset[date], frozenset[date], tuple[int, ...]]:
    """Return the days off, the weekend days that are worked, and the weekend (Monday is 0)."""
    known = holidays.country_holidays(country, years=year)
    return frozenset(known), frozenset(known.weekend_workdays), tuple(sorted(known.weekend))


def _ramadans_of(year: int) -> tuple[tuple[date, date], ...]:
    """Return first day and day after the last of each Ramadan that touches a Gregorian year."""
    return _hijri_spans(year, (9, 1), (10, 1))


def _eids_of(year: int) -> tuple[tuple[date, date], ...]:
    """Return the same of both feasts: 1 to 4 Shawwal, and 9 (Arafat) to 13 Dhu al-Hijja."""
    return _hijri_spans(year, (10, 1), (10, 5)) + _hijri_spans(year, (12, 9), (12, 14))


@lru_cache(maxsize=1024)
def _hijri_spans(
    year: int, first_day: tuple[int, int], end_day: tuple[int, int]
) -> tuple[tuple[date, date], ...]:
    hijri_year = int((year - 622) * 33 / 32)
    spans = []
    for candidate in range(hijri_year - 1, hijri_year + 3):
        first = date(*Hijri(candidate, *first_day).to_gregorian().datetuple())
        end = date(*Hijri(candidate, *end_day).to_gregorian().datetuple())
        if first.year <= year <= (end - timedelta(days=1)).year:
            spans.append((first, end))
    return tuple(spans)
