"""What really arrives from the field and is valid, or nearly so: kept, and said where it must be."""

import numpy as np
import pandas as pd
import pytest

from gridlib.adapters.readers import read_file

START = pd.Timestamp("2026-01-04T00:00:00+03:00")
RATINGS = {"T-01": 500.0, "T-02": 500.0}


def daily_load(days, *, seed=5):
    """Load of a feeder in Amman: low at night, a peak at 19:00, noise, in hours from START [kVA]."""
    hours = np.arange(24 * days)
    noise = np.random.default_rng(seed).normal(0, 6, len(hours))
    return (250 + 90 * np.cos((hours - 19) * 2 * np.pi / 24) + noise).round(1)


def write_load(path, series, *, start=START):
    """Write a load file; ``series`` maps each transformer to its readings, or to (first hour, readings)."""
    lines = ["transformer_id,time,load_kva"]
    for name, given in series.items():
        first, values = given if isinstance(given, tuple) else (0, given)
        for hour, value in enumerate(values, start=first):
            lines.append(f"{name},{(start + pd.Timedelta(hours=hour)).isoformat()},{value}")
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def read(path, *, ratings=RATINGS, latest=None):
    reading = read_file(
        path, power_factor=0.95, naive_tz="", unit_ratio_limit=5.0, ratings=ratings, latest=latest
    )
    assert reading.rows == len(reading.frame) + reading.rejects
    return reading


def counts(reading):
    return {(row.object_id, row.code): row.count for row in reading.findings.itertuples(index=False)}


def of(reading, transformer_id):
    return reading.frame.loc[reading.frame["transformer_id"] == transformer_id, "load_kva"].to_numpy()


@pytest.mark.parametrize("step_kva", [120.0, -120.0])
def test_a_section_switched_over_changes_nothing_in_the_readings(tmp_path, step_kva):
    values = daily_load(14)
    values[24 * 9 + 10 :] += step_kva
    reading = read(write_load(tmp_path / "load.csv", {"T-01": values}))
    np.testing.assert_allclose(of(reading, "T-01"), values)
    assert not reading.frame["quality"].any()
    assert reading.rejects == 0


def test_a_transformer_renamed_ends_and_its_new_name_is_a_stranger(tmp_path):
    values = daily_load(10)
    reading = read(write_load(tmp_path / "load.csv", {"T-01": values[:120], "T-01-NEW": (120, values[120:])}))
    assert counts(reading) == {("T-01-NEW", "unknown_transformer"): 120}
    assert reading.findings["first"].iloc[0] == START + pd.Timedelta(hours=120)
    np.testing.assert_allclose(of(reading, "T-01"), values[:120])
    assert not reading.complete
    known = read(tmp_path / "load.csv", ratings={**RATINGS, "T-01-NEW": 500.0})
    assert (known.complete, known.rejects, len(of(known, "T-01-NEW"))) == (True, 0, 120)
    assert known.sha256 == reading.sha256


def test_rooftop_solar_that_feeds_back_at_noon_is_no_finding(tmp_path):
    hours = np.arange(24 * 7)
    sun = np.clip(np.cos((hours - 12) * 2 * np.pi / 24), 0, None)
    values = (daily_load(7) - 520 * sun).round(1)
    assert values.min() < -100
    reading = read(write_load(tmp_path / "load.csv", {"T-01": values}))
    np.testing.assert_allclose(of(reading, "T-01"), values)
    assert counts(reading) == {}
    assert not reading.frame["quality"].any()


def test_three_days_of_a_new_transformer_are_kept(tmp_path):
    old, new = daily_load(28), daily_load(3, seed=6)
    reading = read(write_load(tmp_path / "load.csv", {"T-01": old, "T-02": (24 * 25, new)}))
    np.testing.assert_allclose(of(reading, "T-02"), new)
    assert {code for name, code in counts(reading) if name == "T-02"} <= {"missing"}
    assert not reading.frame["quality"].any()


def test_late_rows_are_sorted_in_and_read_with_what_was_there(tmp_path, telemetry):
    values = daily_load(4)
    newer = read(write_load(tmp_path / "newer.csv", {"T-01": (48, values[48:])}))
    older = read(write_load(tmp_path / "older.csv", {"T-01": values[:48]}))
    telemetry.write_load("a1", newer.frame)
    telemetry.write_load("b2", older.frame)
    np.testing.assert_allclose(telemetry.read_load_wide(["a1", "b2"])["T-01"], values)


def test_one_reading_of_next_year_is_left_out_and_counted(tmp_path):
    values = daily_load(3)
    path = write_load(tmp_path / "load.csv", {"T-01": values, "T-02": values})
    with path.open("a", encoding="utf-8") as file:
        file.write("T-02,2027-01-04T00:00:00+03:00,310\n")
    latest = START + pd.Timedelta(hours=72)
    reading = read(path, latest=latest)
    assert counts(reading) == {("T-02", "future_reading"): 1}
    assert reading.rejects == 1
    assert reading.complete
    assert reading.frame["time"].max() == START + pd.Timedelta(hours=71)
    assert reading.findings["first"].iloc[0].year == 2027
    at_the_limit = read(path, latest=START + pd.Timedelta(hours=71))
    assert at_the_limit.rejects == 1


def test_a_forecast_of_the_air_is_for_later_and_one_said_later_is_left_out(tmp_path):
    path = tmp_path / "weather.csv"
    lines = [
        "station_id,time,issued_at,ambient_c",
        "AMM,2026-01-04T00:00:00+03:00,2026-01-04T00:00:00+03:00,8",
        "AMM,2026-01-06T00:00:00+03:00,2026-01-04T00:00:00+03:00,9",
        "AMM,2026-01-06T00:00:00+03:00,2026-01-05T00:00:00+03:00,10",
    ]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    reading = read(path, latest=START)
    assert list(reading.frame["ambient_c"]) == [8, 9]
    assert counts(reading) == {("AMM", "future_reading"): 1}


def test_a_flagged_row_of_the_same_file_never_displaces_a_usable_one(tmp_path):
    path = tmp_path / "load.csv"
    time = START.isoformat()
    rows = [f"T-01,{time},240,0", f"T-01,{time},999,128", f"T-02,{time},7,128", f"T-02,{time},,0"]
    path.write_text("\n".join(["transformer_id,time,load_kva,quality", *rows]) + "\n", encoding="utf-8")
    reading = read(path)
    assert reading.frame[["load_kva", "quality"]].values.tolist() == [[240, 0], [7, 128]]
    assert counts(reading)["T-01", "conflicting_duplicate"] == 1
