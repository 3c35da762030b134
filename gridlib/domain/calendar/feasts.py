"""Ramadan and both Eids: as calculated, as a country keeps them, and as a site says they were announced."""

from collections.abc import Mapping
from datetime import date
from functools import lru_cache
from typing import NamedTuple

import holidays
import numpy as np
from hijridate import Hijri

from gridlib.domain.calendar.country import Days
from gridlib.facts.errors import InputError

FEAST_WORDS = {"ramadan_begins": 0, "eid_al_fitr": 1, "eid_al_adha": 2}
"""Words of a site for the first day of each; their place in `Feasts`."""
_FIRST_HIJRI_YEAR, _LAST_HIJRI_YEAR = 1343, 1500  # what the tables of hijridate cover
_FARTHEST_D = 2
"""A month begins at most this many days from the calculated date [d]; mostly none or one."""


class Feasts(NamedTuple):
    """First days, one for each Hijri year; arrays [years]."""

    ramadan: Days
    eid_al_fitr: Days  # 1 Shawwal: the day after the last of Ramadan
    eid_al_adha: Days  # 10 Dhu al-Hijja


@lru_cache(maxsize=1)
def _calculated() -> Feasts:
    """Return the dates of the Umm al-Qura calendar."""
    years = range(_FIRST_HIJRI_YEAR, _LAST_HIJRI_YEAR + 1)
    return Feasts(*(_first_days(years, month, day) for month, day in ((9, 1), (10, 1), (12, 10))))


def _first_days(years: range, month: int, day: int) -> Days:
    found = [date(*Hijri(year, month, day).to_gregorian().datetuple()) for year in years]
    return np.array(found, dtype="datetime64[D]")


@lru_cache(maxsize=64)
def feasts_of(country: str) -> Feasts:
    """Return Ramadan and Eids as a country keeps them.

    Parameters
    ----------
    country : str
        ISO 3166-1 alpha-2 code.

    Returns
    -------
    Feasts
        What `holidays` has for the country: announced dates of past years, and a day later than calculated
        where that is the rule, as in Bangladesh; else the Umm al-Qura calendar.

    Examples
    --------
    >>> begun = [feasts_of(country).ramadan for country in ("JO", "BD")]
    >>> [str(days[days.searchsorted(np.datetime64("2023-01-01"))]) for days in begun]
    ['2023-03-23', '2023-03-24']
    """
    years = range(1924, 2078)
    # `holidays` has no public way to its lunar calendar; without it the calculated dates stand.
    lunar = getattr(holidays.country_holidays(country), "_islamic_calendar", None)
    names = ("ramadan_beginning_dates", "eid_al_fitr_dates", "eid_al_adha_dates")
    kept = []
    for days, name in zip(_calculated(), names, strict=True):
        dates_of = getattr(lunar, name, None)
        local = np.unique(np.array([d for y in years for d, _ in dates_of(y)] if dates_of else [], "M8[D]"))
        kept.append(_replaced(days, local, _FARTHEST_D))
    return _whole_months(Feasts(*kept))


def site_feasts(country: str, begins: Mapping[date, str]) -> Feasts:
    """Return the same with a site's own first days.

    Parameters
    ----------
    country : str
        ISO 3166-1 alpha-2 code.
    begins : Mapping of date to str
        Words of `FEAST_WORDS` for days; they win.

    Returns
    -------
    Feasts
        Ramadan has 29 or 30 days: what the site has not said moves along.

    Raises
    ------
    InputError
        First days that would make another length of Ramadan.
    """
    kept = feasts_of(country)
    if not begins:
        return kept
    said = [
        np.array([day for day, word in begins.items() if word == known], dtype="datetime64[D]")
        for known in FEAST_WORDS
    ]
    moved = Feasts(*(_replaced(days, own, 2 * _FARTHEST_D) for days, own in zip(kept, said, strict=True)))
    follows = np.isin(moved.ramadan, said[0]) & ~np.isin(moved.eid_al_fitr, said[1])
    eid = np.clip(moved.eid_al_fitr, moved.ramadan + 29, moved.ramadan + 30)
    feasts = _whole_months(moved._replace(eid_al_fitr=np.where(follows, eid, moved.eid_al_fitr)))
    for word, days, own in zip(FEAST_WORDS, feasts, said, strict=True):
        if (lost := np.setdiff1d(own, days)).size:
            raise InputError(
                f"calendar override of {lost[0]}: '{word}' contradicts another date given for the same feast",
                what_to_do="Give each feast once; from ramadan_begins to eid_al_fitr are 29 or 30 days.",
            )
    return feasts


def check_first_day(day: date, word: str) -> None:
    """Refuse a first day that is far from the calculated one.

    Parameters
    ----------
    day : date
        What the site says.
    word : str
        One of `FEAST_WORDS`.

    Raises
    ------
    InputError
        More than two days away.
    """
    days = _calculated()[FEAST_WORDS[word]]
    away = np.abs((days - np.datetime64(day)).astype(int))
    if away.min() > _FARTHEST_D:
        raise InputError(
            f"calendar override of {day}: '{word}' is calculated for {days[away.argmin()]}",
            what_to_do="Check the year and the month; a month begins within two days of that.",
        )


def _replaced(days: Days, others: Days, farthest_d: int) -> Days:
    """Return days, each replaced by the nearest of the others unless that is too far."""
    if not others.size:
        return days
    away = np.abs((others[None, :] - days[:, None]).astype(int))
    nearest = away.argmin(axis=1)
    return np.where(away.min(axis=1) <= farthest_d, others[nearest], days)


def _whole_months(feasts: Feasts) -> Feasts:
    eid = feasts.eid_al_fitr
    return feasts._replace(ramadan=np.clip(feasts.ramadan, eid - 30, eid - 29))
