"""Weekend and public holidays of a country, year by year, from the package `holidays`."""

from datetime import date, timedelta
from enum import IntEnum
from functools import lru_cache
from typing import NamedTuple

import holidays
import numpy as np
from numpy.typing import NDArray

Days = NDArray[np.datetime64]
"""Days as datetime64[D]."""


class DayType(IntEnum):
    """Kinds of day that a load profile tells apart; in Jordan the weekend is Friday, then Saturday."""

    WORKDAY = 0
    FIRST_WEEKEND_DAY = 1
    SECOND_WEEKEND_DAY = 2
    HOLIDAY = 3


class CountryDays(NamedTuple):
    """What a country says of days in a row; arrays [days]."""

    off: NDArray[np.bool_]  # public holidays
    movable: NDArray[np.bool_]  # those of them that have no fixed date in the year
    rest: NDArray[np.int64]  # number of `DayType` if it were no holiday


_THU, _FRI, _SAT, _SUN = 3, 4, 5, 6
_WEEKENDS: dict[str, tuple[tuple[date, date, tuple[int, ...]], ...]] = {
    "AE": ((date.min, date(2006, 9, 1), (_THU, _FRI)),),
    "BH": ((date.min, date(2006, 9, 1), (_THU, _FRI)),),
    "DZ": ((date(2009, 1, 1), date(2009, 8, 14), (_THU, _FRI)),),
    "JO": ((date.min, date(1999, 10, 7), (_FRI,)),),
    "LY": ((date.min, date.max, (_FRI, _SAT)),),
    "MR": ((date(2014, 10, 1), date.max, (_SAT, _SUN)),),
}
"""Where `holidays` 0.109 does not have the weekend of a day: from, until (not included), weekend.

Public announcements of the governments; Libya as in Unicode CLDR's week data. All other moved weekends, such
as Jordan's of 2000, Saudi Arabia's of 2013 and the Emirates' of 2022, are in `holidays`.
"""


def is_country(country: str) -> bool:
    """Return whether the holidays of a country are known, by its ISO 3166-1 alpha-2 code."""
    return country in holidays.list_supported_countries()


def country_days(country: str, first: np.datetime64, count: int) -> CountryDays:
    """Return weekend and holidays of ``count`` days from ``first`` on.

    Parameters
    ----------
    country : str
        ISO 3166-1 alpha-2 code.
    first : datetime64[D]
        First day.
    count : int
        Number of days.

    Returns
    -------
    CountryDays
        Arrays [days] of the caller's own.

    Examples
    --------
    >>> country_days("JO", np.datetime64("2026-05-25"), 6).off.astype(int).tolist()
    [1, 1, 1, 1, 1, 0]
    """
    years = (first + np.array([0, max(count - 1, 0)])).astype("datetime64[Y]").astype(int) + 1970
    whole = [_year(country, year) for year in range(years[0], years[1] + 1)]
    start = int((first - first.astype("datetime64[Y]").astype("datetime64[D]")).astype(int))
    off, movable, rest = (np.concatenate(parts)[start : start + count] for parts in zip(*whole, strict=True))
    return CountryDays(off, movable, rest)


@lru_cache(maxsize=512)
def _year(country: str, year: int) -> CountryDays:
    known = holidays.country_holidays(country, years=year)
    days_off, worked = frozenset(known), frozenset(known.weekend_workdays)
    days = [date(year, 1, 1) + timedelta(days=i) for i in range(-2, 366)]
    days = [day for day in days if day.year <= year]
    rests = np.array([_is_weekend(known, day) for day in days])
    second = rests[1:-1] | rests[:-2]  # also where a workday lies between, as in Brunei
    rest = np.select(
        [~rests[2:], second], [DayType.WORKDAY, DayType.SECOND_WEEKEND_DAY], DayType.FIRST_WEEKEND_DAY
    )
    rest[[day in worked for day in days[2:]]] = DayType.WORKDAY
    off = np.array([day in days_off for day in days[2:]])
    fixed = _month_days(country, year - 1) | _month_days(country, year + 1)
    movable = off & np.array([(day.month, day.day) not in fixed for day in days[2:]])
    return CountryDays(off, movable, rest.astype(np.int64))


def _is_weekend(known: holidays.HolidayBase, day: date) -> bool:
    for begin, end, weekend in _WEEKENDS.get(known.country, ()):
        if begin <= day < end:
            return day.weekday() in weekend
    return known.is_weekend(day)


@lru_cache(maxsize=512)
def _month_days(country: str, year: int) -> frozenset[tuple[int, int]]:
    return frozenset((day.month, day.day) for day in holidays.country_holidays(country, years=year))
