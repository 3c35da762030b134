"""Local time and kinds of day."""

from datetime import date

import numpy as np
import pandas as pd
import pytest

from gridlib.domain.calendar import DayType, calendar_for
from gridlib.facts.errors import InputError

WORKDAY, FIRST, SECOND, HOLIDAY = DayType


def types(calendar, *days, tz="Asia/Amman"):
    index = pd.DatetimeIndex([pd.Timestamp(day, tz=tz) + pd.Timedelta("12h") for day in days])
    return calendar.day_type(index.tz_convert("UTC")).tolist()


def test_weekend_of_jordan_is_friday_and_saturday():
    week = pd.date_range("2026-01-04", periods=7).strftime("%Y-%m-%d")  # a Sunday
    assert types(calendar_for("JO"), *week) == [WORKDAY] * 5 + [FIRST, SECOND]


@pytest.mark.parametrize(
    ("country", "tz", "weekend"),
    [("DK", "Europe/Copenhagen", [5, 6]), ("BD", "Asia/Dhaka", [4, 5]), ("IR", "Asia/Tehran", [4])],
)
def test_weekend_is_the_country_s(country, tz, weekend):
    calendar = calendar_for(country, tz)
    index = pd.date_range("2025-09-01T12:00", periods=28, freq="D", tz=tz)
    kinds = calendar.day_type(index.tz_convert("UTC"))
    found = {int(day) for day, kind in zip(index.weekday, kinds, strict=True) if kind in (FIRST, SECOND)}
    assert found == set(weekend)


def test_weekend_of_the_emirates_moved_in_2022():
    calendar = calendar_for("AE", "Asia/Dubai")
    assert types(calendar, "2021-11-05", "2021-11-07", tz="Asia/Dubai") == [FIRST, WORKDAY]
    assert types(calendar, "2022-11-04", "2022-11-06", tz="Asia/Dubai") == [WORKDAY, SECOND]


def test_eid_2026_is_a_holiday():
    assert types(calendar_for("JO"), "2026-03-20", "2026-03-22", "2026-05-27") == [HOLIDAY] * 3


def test_ramadan_2026_and_2027():
    calendar = calendar_for("JO")
    days = pd.date_range("2026-01-01T09:00Z", "2027-12-31T09:00Z", freq="D")
    inside = days[calendar.in_ramadan(days)]
    of_2026, of_2027 = inside[inside.year == 2026], inside[inside.year == 2027]
    assert (of_2026[0].date(), of_2026[-1].date()) == (date(2026, 2, 18), date(2026, 3, 19))
    assert (of_2027[0].date(), of_2027[-1].date()) == (date(2027, 2, 8), date(2027, 3, 8))


def test_two_ramadans_in_2030():
    days = pd.date_range("2030-01-01T09:00Z", "2030-12-31T09:00Z", freq="D")
    inside = days[calendar_for("JO").in_ramadan(days)]
    assert set(inside.month) == {1, 2, 12}


def test_amman_has_no_daylight_saving_since_october_2022():
    calendar = calendar_for("JO")
    index = pd.date_range("2022-11-01", "2026-12-31", freq="h", tz="UTC")
    assert (calendar.local_hour(index) == (index.hour + 3) % 24).all()


def test_amman_had_daylight_saving_before():
    calendar = calendar_for("JO")
    assert calendar.local_hour(pd.DatetimeIndex(["2021-01-15T12:00Z", "2021-07-15T12:00Z"])).tolist() == [
        14,
        15,
    ]


def test_the_day_begins_at_local_midnight():
    index = pd.DatetimeIndex(["2026-01-08T20:59Z", "2026-01-08T21:00Z"])  # a Thursday
    assert calendar_for("JO").day_type(index).tolist() == [WORKDAY, FIRST]


def test_overrides_win():
    calendar = calendar_for(
        overrides={
            "2026-03-19": "holiday not_ramadan",
            date(2026, 3, 23): "workday",
            "2026-01-02": "workday",
            "2026-02-17": "ramadan",
        }
    )
    assert types(calendar, "2026-03-19", "2026-03-23", "2026-01-02") == [HOLIDAY, WORKDAY, WORKDAY]
    index = pd.DatetimeIndex(["2026-02-17T09:00Z", "2026-03-18T09:00Z", "2026-03-19T09:00Z"])
    assert calendar.in_ramadan(index).tolist() == [True, True, False]


@pytest.mark.parametrize(
    ("arguments", "names"),
    [
        ({"country": "XX"}, "XX"),
        ({"tz": "Asia/Nowhere"}, "Asia/Nowhere"),
        ({"overrides": {"2026-03-19": "feast"}}, "feast"),
        ({"overrides": {"19.3.2026": "holiday"}}, "19.3.2026"),
    ],
)
def test_what_is_unknown_is_named(arguments, names):
    with pytest.raises(InputError, match=names) as caught:
        calendar_for(**arguments)
    assert caught.value.what_to_do


def test_naive_times_are_refused():
    with pytest.raises(InputError, match="naive"):
        calendar_for().local_hour(pd.date_range("2026-01-01", periods=3, freq="h"))


def test_a_broken_clock_is_named():
    with pytest.raises(InputError, match="1900-01-01"):
        calendar_for().day_type(pd.DatetimeIndex(["1900-01-01T09:00Z"]))


def test_the_calendar_is_frozen_and_pure():
    calendar = calendar_for()
    index = pd.date_range("2026-01-01", periods=1000, freq="h", tz="UTC")
    assert np.array_equal(calendar.day_type(index), calendar.day_type(index))
    with pytest.raises(AttributeError):
        calendar.country = "DK"


def test_days_in_a_row_know_weekday_feast_and_season():
    amman = calendar_for("JO", "Asia/Amman")
    days = amman.days(date(2024, 4, 8), 5)  # Eid al-Fitr 2024: 10 April
    assert days.weekday.tolist() == [0, 1, 2, 3, 4]
    assert days.day_of_year.tolist() == [99, 100, 101, 102, 103]
    assert days.ramadan.tolist() == [True, True, False, False, False]
    assert days.eid.tolist() == [False, False, True, True, True]
