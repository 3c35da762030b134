"""Everything the calendar says of local days in a row, as arrays."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gridlib.domain.calendar.country import Days, DayType, country_days
from gridlib.domain.calendar.feasts import Feasts, feasts_of, site_feasts
from gridlib.domain.calendar.sunset import sunset_h
from gridlib.facts.errors import InputError

_FIRST_YEAR, _LAST_YEAR = 1925, 2076  # the Umm al-Qura tables of hijridate cover these years whole
_LONGEST_MOVE_D = 12  # days that a moved feast reaches before and after itself, and more
_FEAST_D = np.arange(-2, 6)
"""Days off that go with a feast: from two days before its first day to five after [d]."""
_NEAR_EID_D = 14
"""Days around a feast that are counted [d]: Dhaka's load is back to usual some ten days after it."""


class DayFeatures(NamedTuple):
    """What the calendar says of local days in a row; arrays [days]."""

    kind: NDArray[np.int64]  # numbers of `DayType`
    weekday: NDArray[np.int64]  # Monday is 0
    day_of_year: NDArray[np.int64]  # from 1
    ramadan: NDArray[np.bool_]
    eid: NDArray[np.bool_]  # the days of both feasts, with the eve of Eid al-Adha
    ramadan_day: NDArray[np.int64]  # 1 to 30, 0 outside
    days_from_eid: NDArray[np.int64]  # from the first day of the nearer feast, -14 to 14: two weeks or more
    holiday_eve: NDArray[np.bool_]  # no holiday, but tomorrow is
    bridge: NDArray[np.bool_]  # a workday alone between days off, one of them a holiday
    sunset_h: NDArray[np.float64]  # by the local clock [h]; 18.0 where the zone has no place
    utc_offset_h: NDArray[np.float64]  # local time less UTC at noon [h]: an hour more in daylight saving


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
    begins : Mapping of date to str
        Days on which, the site says, Ramadan or an Eid begins.
    place : tuple of float, optional
        Latitude and longitude for the sunset [deg].

    Examples
    --------
    >>> from gridlib.domain.calendar import calendar_for
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
    begins: Mapping[date, str] = field(default_factory=dict)
    place: tuple[float, float] | None = None

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
        return self._kinds(days)[of_day]

    def in_ramadan(self, index: pd.DatetimeIndex) -> NDArray[np.bool_]:
        """Return whether the local day of each time is in Ramadan.

        Notes
        -----
        As `holidays` has it for the country, else calculated by the Umm al-Qura calendar; the month announced
        may begin a day earlier or later, which the site's overrides then say.
        """
        days, of_day = self._local_days(index)
        return self._ramadan_days(days)[of_day] > 0

    def days(self, first: date, count: int) -> DayFeatures:
        """Return the features of ``count`` local days from ``first`` on.

        Parameters
        ----------
        first : date
            First local day.
        count : int
            Number of days.

        Returns
        -------
        DayFeatures
            Arrays [days], the same for every transformer of the site: a model of the fleet takes them once,
            and a row of hours takes the values of its day by the number of the day.

        Raises
        ------
        InputError
            Days before 1925 or after 2076.

        Notes
        -----
        The evening peak of Ramadan follows iftar: a local hour less ``sunset_h`` is the hour from iftar on.

        Examples
        --------
        >>> from gridlib.domain.calendar import calendar_for
        >>> march = calendar_for("JO", "Asia/Amman").days(date(2026, 3, 18), 3)
        >>> march.ramadan_day.tolist(), march.days_from_eid.tolist()
        ([29, 30, 0], [-2, -1, 0])
        >>> march.sunset_h.round(1).tolist()
        [18.8, 18.8, 18.8]
        """
        _check_years((first, first + timedelta(days=max(count - 1, 0))))
        days = np.datetime64(first) + np.arange(count)
        around = self._kinds(np.datetime64(first) + np.arange(-1, count + 1))
        before, kind, after = around[:-2], around[1:-1], around[2:]
        holiday_beside = (before == DayType.HOLIDAY) | (after == DayType.HOLIDAY)
        alone = (before != DayType.WORKDAY) & (kind == DayType.WORKDAY) & (after != DayType.WORKDAY)
        ramadan_day = self._ramadan_days(days)
        from_fitr, from_adha = (
            _days_from(days, starts) for starts in (self._feasts.eid_al_fitr, self._feasts.eid_al_adha)
        )
        from_eid = np.where(np.abs(from_fitr) < np.abs(from_adha), from_fitr, from_adha)
        day_of_year = (days - days.astype("datetime64[Y]").astype("datetime64[D]")).astype(np.int64) + 1
        utc_offset_h = self._utc_offset_h(days)
        return DayFeatures(
            kind=kind,
            weekday=(days.astype(np.int64) + 3) % 7,  # 1970-01-01 was a Thursday
            day_of_year=day_of_year,
            ramadan=ramadan_day > 0,
            # 1 to 4 Shawwal, and 9 (Arafat) to 13 Dhu al-Hijja
            eid=((from_fitr >= 0) & (from_fitr < 4)) | ((from_adha >= -1) & (from_adha < 4)),
            ramadan_day=ramadan_day,
            days_from_eid=np.clip(from_eid, -_NEAR_EID_D, _NEAR_EID_D),
            holiday_eve=(kind != DayType.HOLIDAY) & (after == DayType.HOLIDAY),
            bridge=alone & holiday_beside,
            sunset_h=sunset_h(day_of_year, utc_offset_h, self.place),
            utc_offset_h=utc_offset_h,
        )

    @property
    def _feasts(self) -> Feasts:
        return site_feasts(self.country, self.begins)

    def _local_days(self, index: pd.DatetimeIndex) -> tuple[Days, NDArray[np.int64]]:
        """Return days in a row that hold all times, and the place of each time's day among them."""
        local = self.local_time(index).to_numpy().astype("datetime64[D]")
        if not local.size:
            return local, np.zeros(0, np.int64)
        first, last = local.min(), local.max()
        _check_years((first.item(), last.item()))
        return np.arange(first, last + 1), (local - first).astype(np.int64)

    def _kinds(self, days: Days) -> NDArray[np.int64]:
        """Return the kinds of days in a row."""
        if not days.size:
            return np.zeros(0, np.int64)
        margin = _LONGEST_MOVE_D
        first, count = days[0] - margin, len(days) + 2 * margin
        country = country_days(self.country, first, count)
        off = country.off.copy()
        moves = [
            ((was - first).astype(int) + _FEAST_D, int((now - was).astype(int)))
            for kept, said in zip(feasts_of(self.country)[1:], self._feasts[1:], strict=True)
            for was, now in zip(kept[kept != said], said[kept != said], strict=True)
        ]
        for near, by in moves:
            inside = near[(near >= 0) & (near < count)]
            own = inside[country.movable[inside]]
            off[own] = False
            later = own + by
            off[later[(later >= 0) & (later < count)]] = True
        kind = np.where(off, int(DayType.HOLIDAY), country.rest)[margin:-margin]
        for day, own_kind in self.day_types.items():
            place = int((np.datetime64(day) - days[0]).astype(int))
            if 0 <= place < len(kind):
                kind[place] = own_kind
        return kind

    def _ramadan_days(self, days: Days) -> NDArray[np.int64]:
        """Return the day of Ramadan of days in a row; 0 outside."""
        feasts = self._feasts
        since = _days_from(days, feasts.ramadan) + 1
        year = np.clip(np.searchsorted(feasts.ramadan, days, side="right") - 1, 0, None)
        inside = (since > 0) & (days < feasts.eid_al_fitr[year])
        ramadan_day = np.where(inside, since, 0)
        for day, is_ramadan in self.ramadan.items():
            place = int((np.datetime64(day) - days[0]).astype(int)) if days.size else -1
            if 0 <= place < len(days):
                ramadan_day[place] = np.clip(since[place], 1, 30) if is_ramadan else 0
        return ramadan_day

    def _utc_offset_h(self, days: Days) -> NDArray[np.float64]:
        noon = pd.DatetimeIndex(days.astype("datetime64[ns]")) + pd.Timedelta(hours=12)
        # A zone that crossed the date line has left out a whole day.
        local = noon.tz_localize(self.tz, ambiguous=np.ones(len(days), bool), nonexistent="shift_forward")
        offset = local.tz_localize(None) - local.tz_convert("UTC").tz_localize(None)
        return offset.total_seconds().to_numpy() / 3600


def _days_from(days: Days, starts: Days) -> NDArray[np.int64]:
    """Return signed days from the nearest of the starts."""
    after = np.clip(np.searchsorted(starts, days), 1, len(starts) - 1)
    since = (days - starts[after - 1]).astype(np.int64)
    until = (days - starts[after]).astype(np.int64)
    return np.where(since <= -until, since, until)


def _check_years(days: tuple[date, date]) -> None:
    outside = [day for day in days if day is None or not _FIRST_YEAR <= day.year <= _LAST_YEAR]
    if outside:
        raise InputError(
            f"no calendar for {outside[0]}: expected a year from {_FIRST_YEAR} to {_LAST_YEAR}",
            what_to_do="Check the clock of the source that sent this time.",
        )
