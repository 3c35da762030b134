"""The door: the calendar of a country, with a site's own dates and place."""

from collections.abc import Mapping
from datetime import date
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from gridlib.domain.calendar.country import DayType, is_country
from gridlib.domain.calendar.days import Calendar
from gridlib.domain.calendar.feasts import FEAST_WORDS, check_first_day, site_feasts
from gridlib.domain.calendar.sunset import zone_places
from gridlib.facts.errors import InputError

_WORDS = {
    "workday": DayType.WORKDAY,
    "weekend": DayType.FIRST_WEEKEND_DAY,
    "second_weekend_day": DayType.SECOND_WEEKEND_DAY,
    "holiday": DayType.HOLIDAY,
}
_RAMADAN_WORDS = {"ramadan": True, "not_ramadan": False}


def calendar_for(
    country: str = "JO",
    tz: str = "Asia/Amman",
    overrides: Mapping[date | str, str] | None = None,
    *,
    place: tuple[float, float] | None = None,
) -> Calendar:
    """Return the calendar of a country.

    Parameters
    ----------
    country : str
        ISO 3166-1 alpha-2 code of any country that the package `holidays` knows.
    tz : str
        IANA name of the time zone.
    overrides : Mapping of date to str, optional
        The site's own dates, which win: "workday", "weekend", "second_weekend_day" or "holiday";
        "ramadan_begins", "eid_al_fitr" or "eid_al_adha" on the first day as announced, which moves the end
        of Ramadan, the days of the feast and its public holidays along; "ramadan" or "not_ramadan" for a
        single day. Words may stand together ("holiday not_ramadan"). Dates may be given as "2026-03-19".
    place : tuple of float, optional
        Latitude and longitude of the site, for the sunset [deg]; default is the principal place of the time
        zone, and sunset at 18.0 h for a zone of no place (UTC, Etc/GMT-3).

    Returns
    -------
    Calendar
        Frozen; `Calendar.day_type`, `Calendar.local_hour` and `Calendar.in_ramadan` take a UTC index.

    Raises
    ------
    InputError
        Unknown country or time zone, a place that is none, or an override that is no date, no known word, or
        a first day that cannot be.

    Notes
    -----
    Weekend and public holidays come from `holidays`; Islamic feasts not yet announced are estimated, +-1 day.

    Examples
    --------
    >>> import pandas as pd
    >>> site = calendar_for("JO", "Asia/Amman", {"2026-02-15": "holiday"})
    >>> site.day_type(pd.DatetimeIndex(["2026-02-15T09:00Z"])).tolist()
    [3]
    """
    if not is_country(country):
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
    if place is not None and not (-90 <= place[0] <= 90 and -180 <= place[1] <= 180):
        raise InputError(
            f"no such place: latitude {place[0]}, longitude {place[1]}",
            what_to_do="Give degrees: latitude -90 to 90 (north is positive), longitude -180 to 180 (east).",
        )
    day_types: dict[date, DayType] = {}
    ramadan: dict[date, bool] = {}
    begins: dict[date, str] = {}
    for key, words in (overrides or {}).items():
        day = _date_of(key)
        check_override(day, words)
        for word in words.split():
            if word in _WORDS:
                day_types[day] = _WORDS[word]
            elif word in _RAMADAN_WORDS:
                ramadan[day] = _RAMADAN_WORDS[word]
            else:
                begins[day] = word
    site_feasts(country, begins)
    return Calendar(country, tz, day_types, ramadan, begins, place or zone_places().get(tz))


def check_override(day: date, words: str) -> None:
    """Refuse what cannot be said of a day.

    Parameters
    ----------
    day : date
        The day.
    words : str
        As ``overrides`` of `calendar_for`.

    Raises
    ------
    InputError
        No known word, or a first day of Ramadan or Eid more than two days from the calculated one.
    """
    known = [*_WORDS, *FEAST_WORDS, *_RAMADAN_WORDS]
    for word in words.split() or [""]:
        if word not in known:
            raise InputError(
                f"calendar override of {day}: found '{word}'", what_to_do=f"Use one of {', '.join(known)}."
            )
        if word in FEAST_WORDS:
            check_first_day(day, word)


def _date_of(key: date | str) -> date:
    if isinstance(key, date):
        return key
    try:
        return date.fromisoformat(key)
    except ValueError as error:
        raise InputError(
            f"calendar override: '{key}' is not a date", what_to_do="Write dates as 2026-03-19."
        ) from error
