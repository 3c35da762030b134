"""What the calendar says of days in a row: feasts, bridge days, sunset, daylight saving, weekends of old."""

from datetime import date, timedelta
from time import perf_counter

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gridlib.domain.calendar import DayType, calendar_for
from gridlib.domain.calendar.feasts import feasts_of
from gridlib.facts.errors import InputError

WORKDAY, FIRST, SECOND, HOLIDAY = DayType
CITIES = {
    "JO": "Asia/Amman",
    "BD": "Asia/Dhaka",
    "DK": "Europe/Copenhagen",
    "CL": "America/Santiago",
    "EG": "Africa/Cairo",
    "MR": "Africa/Nouakchott",
}


def calendar(country="JO", **overrides):
    said = {key.strip("_").replace("_", "-"): words for key, words in overrides.items()}
    return calendar_for(country, CITIES[country], said)


def year(country, number, **overrides):
    """A year of days, and their features as a frame."""
    first = date(number, 1, 1)
    count = (date(number + 1, 1, 1) - first).days
    features = calendar(country, **overrides).days(first, count)
    return pd.DataFrame(features._asdict(), index=pd.date_range(first, periods=count).strftime("%m-%d"))


@pytest.mark.parametrize(
    ("country", "number", "ramadan", "last", "fitr", "adha"),
    [
        ("JO", 2024, "03-11", "04-09", "04-10", "06-16"),
        ("JO", 2025, "03-01", "03-29", "03-30", "06-06"),
        ("JO", 2026, "02-18", "03-19", "03-20", "05-27"),
        ("BD", 2023, "03-24", "04-21", "04-22", "06-29"),  # a day later than calculated
        ("DK", 2026, "02-18", "03-19", "03-20", "05-27"),  # no feasts in its holidays: as calculated
        ("EG", 2022, "04-02", "04-30", "05-01", "07-10"),  # announced, not calculated
    ],
)
def test_published_ramadans_and_feasts(country, number, ramadan, last, fitr, adha):
    days = year(country, number)
    inside = days.index[days["ramadan"]]
    assert (inside[0], inside[-1]) == (ramadan, last)
    assert days["ramadan_day"][inside].tolist() == list(range(1, len(inside) + 1))
    assert not days["ramadan_day"][~days["ramadan"]].any()
    assert days.index[days["days_from_eid"] == 0].tolist() == [fitr, adha]
    assert days["eid"][fitr]
    assert days["eid"].sum() == 4 + 5


def test_days_around_a_feast_are_counted_from_its_first_day():
    from_eid = year("JO", 2024)["days_from_eid"]
    assert from_eid["03-25":"04-26"].tolist() == [-14, -14, *range(-14, 15), 14, 14]


def test_the_fixed_holidays_of_jordan():
    kinds = year("JO", 2025)["kind"]
    assert (kinds[["01-01", "05-01", "05-25", "12-25"]] == HOLIDAY).all()


def test_an_eid_announced_a_day_later_moves_ramadan_feast_and_holidays():
    # Jordan 2025: the moon was not seen on 29 March; the feast was Monday 31 March.
    plain, said = year("JO", 2025), year("JO", 2025, _2025_03_31="eid_al_fitr")
    assert said.index[said["ramadan"]][-1] == "03-30"
    assert said["ramadan_day"]["03-30"] == 30
    assert said["days_from_eid"]["03-31"] == 0
    assert said.index[said["eid"]][:4].tolist() == ["03-31", "04-01", "04-02", "04-03"]
    assert said["kind"]["03-30":"04-03"].tolist() == [WORKDAY, HOLIDAY, HOLIDAY, HOLIDAY, WORKDAY]
    rest = ~plain.index.isin(["03-30", "03-31", "04-01", "04-02", "04-03"])
    assert (plain["kind"] == said["kind"])[rest].all()


def test_a_moved_feast_leaves_fixed_holidays_beside_it_alone():
    # 2026: Independence Day on Monday 25 May, Arafat on 26 May, the feast from 27 May.
    said = year("JO", 2026, _2026_05_28="eid_al_adha")
    assert said["kind"]["05-24":"05-31"].tolist() == [WORKDAY, HOLIDAY, WORKDAY, *[HOLIDAY] * 4, WORKDAY]
    assert said["bridge"]["05-26"]


def test_ramadan_has_29_or_30_days_when_only_its_beginning_is_announced():
    # 2027 is calculated with 29 days, 8 February to 8 March; begun later, it must end later.
    said = year("JO", 2027, _2027_02_09="ramadan_begins")
    inside = said.index[said["ramadan"]]
    assert (inside[0], inside[-1], len(inside)) == ("02-09", "03-09", 29)
    assert said["days_from_eid"]["03-10"] == 0
    assert said["kind"]["03-12"] == HOLIDAY


@pytest.mark.parametrize("words", ["not_ramadan", "ramadan"])
def test_a_single_day_in_or_out_of_ramadan(words):
    day = {"not_ramadan": "03-19", "ramadan": "03-20"}[words]  # the last day, and the day after
    said = year("JO", 2026, **{f"_2026_{day.replace('-', '_')}": words})["ramadan_day"]
    assert said["03-18":"03-20"].tolist() == ([29, 0, 0] if words == "not_ramadan" else [29, 30, 30])


@pytest.mark.parametrize(
    ("overrides", "names"),
    [
        ({"2026-03-30": "eid_al_fitr"}, "calculated for 2026-03-20"),
        ({"2026-02-18": "ramadan_begins", "2026-03-21": "eid_al_fitr"}, "contradicts"),
        ({"2026-03-20": "eid_al_fitr", "2026-03-21": "eid_al_fitr"}, "contradicts"),
    ],
)
def test_a_feast_that_cannot_be_is_refused(overrides, names):
    with pytest.raises(InputError, match=names):
        calendar_for(overrides=overrides)


def test_bridge_days_and_eves():
    denmark = year("DK", 2025)  # Ascension Day is Thursday 29 May, Whit Monday 9 June
    assert denmark.index[denmark["bridge"]].tolist() == ["05-30"]
    assert denmark["holiday_eve"][["05-28", "06-07", "06-08", "12-24"]].tolist() == [True, True, False, True]
    jordan = year("JO", 2026)
    assert jordan.index[jordan["bridge"]].tolist() == ["05-24"]  # Sunday between weekend and 25 May


def test_a_day_off_given_by_hand_makes_and_ends_bridges():
    given_off = year("JO", 2026, _2026_05_24="holiday", _2026_06_17="holiday")  # New Year is 16 June
    assert given_off.index[given_off["bridge"]].tolist() == ["06-18"]  # a Thursday


@pytest.mark.parametrize(
    ("country", "day", "clock"),
    [
        ("JO", "06-21", 19 + 47 / 60),
        ("JO", "12-21", 17 + 38 / 60),
        ("DK", "06-21", 21 + 58 / 60),
        ("DK", "12-21", 15 + 38 / 60),
        ("CL", "06-21", 17 + 42 / 60),  # the south: winter
        ("CL", "12-21", 20 + 52 / 60),
        ("BD", "03-20", 18 + 9 / 60),
    ],
)
def test_sunset_is_within_five_minutes_of_almanacs(country, day, clock):
    assert year(country, 2024)["sunset_h"][day] == pytest.approx(clock, abs=5 / 60)


def test_sunset_of_a_place_of_the_site_and_of_no_place():
    aqaba = calendar_for(place=(29.53, 35.0)).days(date(2024, 6, 21), 1).sunset_h[0]
    amman = calendar_for().days(date(2024, 6, 21), 1).sunset_h[0]
    assert 2 / 60 < amman - aqaba < 5 / 60  # the south has the shorter summer day, the west the later clock
    assert calendar_for("JO", "Etc/GMT-3").days(date(2024, 1, 1), 2).sunset_h.tolist() == [18.0, 18.0]
    with pytest.raises(InputError, match="latitude 135"):
        calendar_for(place=(135.0, 30.0))


def test_the_sun_that_does_not_set_is_no_fault():
    tromso = calendar_for("NO", "Europe/Oslo", place=(69.65, 18.96)).days(date(2024, 1, 1), 366).sunset_h
    assert 24 < tromso[172] < 25  # its midnight, in summer time
    assert 11.5 < tromso[355] < 12  # its noon


@pytest.mark.parametrize(
    ("country", "short", "long"),
    [
        ("DK", "2024-03-31", "2024-10-27"),
        ("JO", "2021-03-26", "2021-10-29"),
        ("CL", "2024-09-08", "2024-04-06"),
    ],
)
def test_days_of_23_and_25_hours(country, short, long):
    index = pd.date_range(f"{short[:4]}-01-02", f"{short[:4]}-12-30", freq="h", tz="UTC")
    hours = pd.Series(1, calendar(country).local_time(index)).resample("D").sum().iloc[1:-1]
    odd = hours[hours != 24]
    assert {str(day.date()): int(count) for day, count in odd.items()} == {short: 23, long: 25}


def test_the_offset_shows_daylight_saving_until_jordan_gave_it_up():
    offset = calendar().days(date(2021, 1, 1), 1200).utc_offset_h
    changes = [str(date(2021, 1, 1) + timedelta(days=int(i) + 1)) for i in np.flatnonzero(np.diff(offset))]
    assert changes == ["2021-03-26", "2021-10-29", "2022-02-25"]
    assert (offset[0], offset[-1]) == (2, 3)


def test_a_zone_that_left_out_a_day():
    samoa = calendar_for("WS", "Pacific/Apia").days(date(2011, 12, 28), 5)  # 30 December was not
    assert samoa.utc_offset_h[[0, 1, 3, 4]].tolist() == [-10, -10, 14, 14]


@pytest.mark.parametrize(
    ("country", "before", "after", "weekend", "moved"),
    [
        ("JO", "1999-12-01", "2000-02-01", [3, 4], [4, 5]),
        ("JO", "1999-09-01", "1999-11-01", [4], [3, 4]),
        ("QA", "2003-06-01", "2003-09-01", [3, 4], [4, 5]),
        ("AE", "2006-08-01", "2006-09-02", [3, 4], [4, 5]),
        ("AE", "2021-12-01", "2022-01-08", [4, 5], [5, 6]),
        ("BH", "2006-08-01", "2006-09-02", [3, 4], [4, 5]),
        ("KW", "2007-08-01", "2007-09-01", [3, 4], [4, 5]),
        ("DZ", "2009-07-15", "2009-08-15", [3, 4], [4, 5]),
        ("OM", "2013-04-01", "2013-05-01", [3, 4], [4, 5]),
        ("SA", "2013-05-15", "2013-06-29", [3, 4], [4, 5]),
        ("YE", "2013-07-01", "2013-08-17", [3, 4], [4, 5]),
        ("MR", "2014-08-15", "2014-10-01", [4, 5], [5, 6]),
        ("LY", "2010-01-15", "2026-01-15", [4, 5], [4, 5]),
    ],
)
def test_weekends_that_moved(country, before, after, weekend, moved):
    def found(first):
        days = calendar_for(country, "UTC").days(date.fromisoformat(first), 28)
        off = (days.kind == FIRST) | (days.kind == SECOND)
        assert (days.kind[days.weekday == days.weekday[off][0]] != WORKDAY).all()
        return sorted(set(days.weekday[off].tolist()))

    assert found(before) == weekend
    assert found(after) == moved


def test_the_second_weekend_day_may_come_after_a_workday():
    brunei = calendar_for("BN", "Asia/Brunei").days(date(2025, 9, 8), 7)  # a Monday
    assert brunei.kind.tolist() == [0, 0, 0, 0, FIRST, 0, SECOND]
    assert not brunei.bridge.any()  # that is every Saturday


def test_the_days_agree_with_the_hours():
    site = calendar(_2026_03_21="eid_al_fitr", _2026_03_25="workday")
    hours = pd.date_range("2026-02-01", "2026-04-30", freq="h", tz="UTC")
    local = site.local_time(hours)
    days = site.days(local[0].date(), 90)
    place = (local.normalize() - local[0].normalize()).days
    assert (site.day_type(hours) == days.kind[place]).all()
    assert (site.in_ramadan(hours) == days.ramadan[place]).all()


def test_any_order_of_times_and_none_at_all():
    times = pd.DatetimeIndex(["2026-03-22T09:00Z", "2025-01-01T09:00Z", "2026-03-23T09:00Z"])
    assert calendar().day_type(times).tolist() == [HOLIDAY, HOLIDAY, WORKDAY]
    assert calendar().day_type(times[:0]).size == 0
    assert calendar().days(date(2026, 1, 1), 0).bridge.size == 0


@pytest.mark.parametrize(("first", "count"), [(date(1924, 12, 31), 2), (date(2076, 12, 31), 2)])
def test_years_out_of_range_are_named(first, count):
    with pytest.raises(InputError, match="from 1925 to 2076"):
        calendar().days(first, count)


def test_the_whole_range_of_years_is_covered():
    everything = calendar().days(date(1925, 1, 1), (date(2077, 1, 1) - date(1925, 1, 1)).days)
    begins = np.flatnonzero(everything.ramadan_day == 1)
    assert set(np.diff(begins)) <= {353, 354, 355, 356}  # a lunar year
    assert len(begins) == 1499 - 1343 + 1  # Hijri years
    assert everything.ramadan_day.max() == 30


def test_fast_enough_for_every_forecast():
    site, hours = calendar("BD"), pd.date_range("2023-01-01", periods=17_000, freq="h", tz="UTC")
    site.days(date(2023, 1, 1), 800)  # fills the caches

    def seconds(call, *arguments):
        begun = perf_counter()
        call(*arguments)
        return perf_counter() - begun

    assert min(seconds(site.days, date(2023, 1, 1), 800) for _ in range(5)) < 0.1
    assert min(seconds(site.day_type, hours) for _ in range(5)) < 0.1


WORDS = ["workday", "weekend", "second_weekend_day", "holiday", "ramadan", "not_ramadan"]


@given(
    said=st.dictionaries(
        st.dates(date(1924, 1, 1), date(2078, 1, 1)) | st.dates(date(2025, 12, 1), date(2026, 6, 30)),
        st.lists(st.sampled_from(WORDS), min_size=1, max_size=2).map(" ".join),
        max_size=12,
    ),
    feasts=st.dictionaries(st.tuples(st.sampled_from(range(3)), st.integers(70, 110)), st.integers(-2, 2)),
    first=st.dates(date(2025, 12, 1), date(2026, 6, 30)) | st.dates(date(1925, 1, 1), date(2075, 1, 1)),
    count=st.integers(1, 500),
    country=st.sampled_from(sorted(CITIES)),
)
@settings(max_examples=60)
def test_no_override_that_is_taken_makes_the_days_fail(said, feasts, first, count, country):
    names = ["ramadan_begins", "eid_al_fitr", "eid_al_adha"]
    for (which, place), by in feasts.items():
        day = (feasts_of("JO")[which][place] + by).item()
        said = said | {day: f"{said.get(day, '')} {names[which]}".strip()}
    try:
        site = calendar_for(country, CITIES[country], said)
    except InputError as error:
        assert "contradicts" in str(error)  # noqa: PT017 - whether it is refused depends on the draw
        return
    days = site.days(first, count)
    assert all(len(values) == count for values in days)
    assert set(days.kind.tolist()) <= set(DayType)
    assert ((days.ramadan_day > 0) == days.ramadan).all()
    assert days.ramadan_day.max() <= 30
    assert np.abs(days.days_from_eid).max() <= 14
    assert (days.kind[days.bridge] == WORKDAY).all()
    assert ((days.sunset_h > 12) & (days.sunset_h < 24)).all()
    for offset, kind in enumerate(days.kind):
        if words := set(said.get(first + timedelta(days=offset), "").split()) & set(WORDS[:4]):
            assert WORDS[kind] in words
