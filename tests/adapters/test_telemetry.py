"""Telemetry: what was committed is read, each reading once, and nothing half written is ever seen."""

import shutil
import time

import numpy as np
import pandas as pd
import pytest

from gridlib.adapters.telemetry import Telemetry
from gridlib.facts.errors import FileError, FrameError, InputError, NotFoundError
from gridlib.facts.frames import LoadFrame, WeatherFrame, check_frame

START = pd.Timestamp("2026-01-18 21:00", tz="UTC")


def load(values, *, start=START, step="h", ids=("T-01",), quality=0):
    """A LoadFrame with the same values for each transformer."""
    times = pd.date_range(start, periods=len(values), freq=step)
    return pd.DataFrame(
        {
            "transformer_id": np.repeat(list(ids), len(values)),
            "time": times.append([times] * (len(ids) - 1)),
            "load_kva": np.tile(np.asarray(values, dtype=float), len(ids)),
            "quality": np.full(len(values) * len(ids), quality, np.uint8),
        }
    )


def test_what_was_written_is_read(telemetry):
    frame = load(np.arange(60.0) - 5, ids=("T-02", "محوّل-١"))
    telemetry.write_load("a1", frame)
    found = check_frame(LoadFrame, telemetry.read_load(["a1"]))
    pd.testing.assert_frame_equal(found, frame)


def test_days_are_utc_and_parts_carry_the_ingest(telemetry):
    telemetry.write_load("a1", load(np.arange(6.0)))
    found = sorted(str(path.relative_to(telemetry.folder)) for path in telemetry.folder.rglob("*.parquet"))
    assert found == [
        "load/date=2026-01-18/part-a1.parquet",
        "load/date=2026-01-19/part-a1.parquet",
    ]


def test_only_committed_ingests_are_seen(telemetry):
    telemetry.write_load("a1", load([1, 2]))
    telemetry.write_load("killed", load([7, 7, 7]))
    assert list(telemetry.read_load(["a1"])["load_kva"]) == [1, 2]
    assert telemetry.read_load([]).empty


def test_the_last_ingested_value_counts_and_no_value_displaces_none(telemetry):
    telemetry.write_load("a1", load([1, 2, 3, 4]))
    telemetry.write_load("b2", load([20, np.nan], start=START + pd.Timedelta(hours=1)))
    assert list(telemetry.read_load(["a1", "b2"])["load_kva"]) == [1, 20, 3, 4]
    assert list(telemetry.read_load(["b2", "a1"])["load_kva"]) == [1, 2, 3, 4]


@pytest.mark.parametrize("quality", [0x80, 0x40, 0x01])
def test_a_flagged_reading_never_displaces_a_usable_one(telemetry, quality):
    telemetry.write_load("a1", load([1, 2, 3]))
    telemetry.write_load("b2", load([9], start=START + pd.Timedelta(hours=1), quality=quality))
    for order in (["a1", "b2"], ["b2", "a1"]):
        assert list(telemetry.read_load_wide(order)["T-01"]) == [1, 2, 3]
        assert not telemetry.read_load(order)["quality"].any()
    telemetry.write_load("c3", load([np.inf, np.nan]))
    assert list(telemetry.read_load_wide(["a1", "b2", "c3"])["T-01"]) == [1, 2, 3]


def test_a_reading_that_is_only_there_flagged_stays_flagged(telemetry):
    telemetry.write_load("a1", load([1, 2], quality=0x80))
    telemetry.write_load("b2", load([np.nan, 3], quality=0x40))
    found = telemetry.read_load(["a1", "b2"])
    assert list(found["load_kva"]) == [1, 3]
    assert list(found["quality"]) == [0x80, 0x40]
    assert telemetry.read_load_wide(["a1", "b2"])["T-01"].isna().all()


def test_a_substituted_reading_is_usable(telemetry):
    telemetry.write_load("a1", load([1]))
    telemetry.write_load("b2", load([2], quality=0x20))
    assert list(telemetry.read_load_wide(["a1", "b2"])["T-01"]) == [2]


def test_late_rows_fill_the_hours_they_are_for(telemetry):
    telemetry.write_load("a1", load([5, 6], start=START + pd.Timedelta(hours=4)))
    telemetry.write_load("b2", load([1, 2, 3, 4]))
    assert list(telemetry.read_load_wide(["a1", "b2"])["T-01"]) == [1, 2, 3, 4, 5, 6]


def test_the_next_attempt_replaces_what_a_killed_one_left(telemetry):
    telemetry.write_load("a1", load(np.arange(30.0), start=START - pd.Timedelta(days=3)))
    telemetry.write_load("a1", load([5.0]))
    assert list(telemetry.read_load(["a1"])["load_kva"]) == [5.0]


def test_writing_a_committed_ingest_again_never_takes_it_away(telemetry, monkeypatch):
    telemetry.write_load("a1", load(np.arange(30.0)))

    def killed(path):
        raise KeyboardInterrupt

    monkeypatch.setattr("gridlib.adapters.telemetry.sync", killed)
    with pytest.raises(KeyboardInterrupt):
        telemetry.write_load("a1", load(np.arange(30.0)))
    assert list(telemetry.read_load(["a1"])["load_kva"]) == list(range(30))


def test_a_range_of_time(telemetry):
    telemetry.write_load("a1", load(np.arange(72.0), ids=("T-02",)))
    found = telemetry.read_load(
        ["a1"],
        start=pd.Timestamp("2026-01-20 00:00", tz="Asia/Amman"),
        end=pd.Timestamp("2026-01-20 02:00", tz="Asia/Amman"),
    )
    assert list(found["load_kva"]) == [24.0, 25.0]


def test_the_matrix_is_complete_and_blanks_what_is_not_to_be_used(telemetry):
    frame = load([1, 2, 3, 4, 5, 6, 7])
    frame["quality"] = np.array([0, 0x80, 0x40, 0x01, 0x10, 0x20, 0], np.uint8)
    frame.loc[6, "load_kva"] = np.inf
    telemetry.write_load("a1", frame.drop(index=4))
    wide = telemetry.read_load_wide(["a1"], end=START + pd.Timedelta(hours=9))
    assert wide.index.equals(pd.date_range(START, periods=9, freq="h"))
    expected = [1, np.nan, np.nan, np.nan, np.nan, 6, np.nan, np.nan, np.nan]
    np.testing.assert_equal(wide["T-01"].to_numpy(), expected)


def test_finer_readings_are_averaged_over_the_step(telemetry):
    telemetry.write_load("a1", load([1, 2, 3, 6, 10, 20, np.nan, 30], step="15min"))
    assert list(telemetry.read_load_wide(["a1"])["T-01"]) == [3, 20]
    quarters = telemetry.read_load_wide(["a1"], step_min=15)
    assert len(quarters) == 8
    assert quarters["T-01"].isna().sum() == 1


def test_an_empty_data_set(telemetry):
    assert check_frame(LoadFrame, telemetry.read_load([])).empty
    assert telemetry.read_load_wide([]).empty
    wide = telemetry.read_load_wide([], start=START, end=START + pd.Timedelta(hours=3))
    assert wide.shape == (3, 0)
    assert check_frame(WeatherFrame, telemetry.read_weather(["a1"])).empty


def test_the_matrix_equals_the_long_frame(telemetry):
    random = np.random.default_rng(7)
    frames = {}
    for ingest in ("a1", "b2", "c3"):
        frame = load(random.normal(300, 50, 200), ids=("T-01", "T-02", "T-03"))
        frames[ingest] = frame.sample(frac=0.6, random_state=3)
        telemetry.write_load(ingest, frames[ingest])
    keys = ["transformer_id", "time"]
    expected = pd.concat(frames.values()).drop_duplicates(keys, keep="last")
    expected = expected.sort_values(keys, ignore_index=True)
    pd.testing.assert_frame_equal(telemetry.read_load(list(frames)), expected)
    wide = telemetry.read_load_wide(list(frames))
    matrix = expected.pivot(index="time", columns=keys[0], values="load_kva").reindex(wide.index)
    assert len(wide) == 199
    np.testing.assert_equal(wide.to_numpy(), matrix.to_numpy())


def test_parts_are_known_to_be_there(telemetry):
    assert not telemetry.has_part("a1", "load")
    telemetry.write_load("a1", load([1, 2]))
    telemetry.write_weather("w1", weather([5.0]))
    assert [telemetry.has_part(name, "load") for name in ("a1", "a", "w1")] == [True, False, False]
    assert [telemetry.has_part(name, "weather") for name in ("a1", "w1")] == [False, True]
    shutil.rmtree(telemetry.folder)
    assert not telemetry.has_part("a1", "load")
    assert not telemetry.has_part("w1", "weather")


def test_a_committed_ingest_of_which_nothing_is_left_is_named(telemetry):
    telemetry.write_load("a1", load([1, 2]))
    telemetry.write_load("b2", load([3], start=START + pd.Timedelta(days=3)))
    for part in telemetry.folder.rglob("part-b2.parquet"):
        part.unlink()
    for read in (telemetry.read_load, telemetry.read_load_wide):
        with pytest.raises(FileError, match="ingest b2") as caught:
            read(["a1", "b2"], end=START + pd.Timedelta(days=1))
        assert "again" in caught.value.what_to_do
    telemetry.write_load("b2", load([3], start=START + pd.Timedelta(days=3)))
    assert list(telemetry.read_load(["a1", "b2"])["load_kva"]) == [1, 2, 3]


def test_an_ingest_outside_the_range_of_time_is_not_missed(telemetry):
    telemetry.write_load("a1", load([1, 2]))
    telemetry.write_load("b2", load([3], start=START + pd.Timedelta(days=3)))
    found = telemetry.read_load_wide(["a1", "b2"], end=START + pd.Timedelta(days=1))
    assert list(found["T-01"].dropna()) == [1, 2]


@pytest.mark.parametrize("damage", ["half", "flipped", "empty"])
def test_a_damaged_part_is_named(telemetry, damage):
    telemetry.write_load("a1", load(np.arange(60.0)))
    path = telemetry.folder / "load" / "date=2026-01-19" / "part-a1.parquet"
    content = bytearray(path.read_bytes())
    if damage == "flipped":
        content[60] ^= 0xFF
    path.write_bytes(content if damage == "flipped" else content[: len(content) // 2 * (damage == "half")])
    for read in (telemetry.read_load, telemetry.read_load_wide):
        with pytest.raises(FileError, match="damaged") as caught:
            read(["a1"])
        assert caught.value.path == str(path)
        assert "backup" in caught.value.what_to_do


def test_a_write_that_fails_is_not_seen(telemetry, monkeypatch):
    telemetry.write_weather("a1", weather([5.0]))

    def fail(path):
        raise OSError("no space left on device")

    monkeypatch.setattr("gridlib.adapters.files.sync", fail)
    with pytest.raises(OSError, match="no space"):
        telemetry.write_weather("b2", weather([6.0]))
    assert list(telemetry.read_weather(["a1", "b2"])["ambient_c"]) == [5.0]
    assert len(list(telemetry.folder.rglob("*.*"))) == 1


def weather(values, *, issued_at=START, start=START):
    """A WeatherFrame of one station."""
    times = pd.date_range(start, periods=len(values), freq="h")
    return pd.DataFrame(
        {
            "station_id": "AMM",
            "time": times,
            "issued_at": issued_at.as_unit("ns"),
            "ambient_c": np.asarray(values, float),
        }
    )


def test_weather_keeps_every_issue_and_the_last_value_of_each(telemetry):
    telemetry.write_weather("a1", weather([5, 6, 7]))
    telemetry.write_weather("b2", weather([8, 9], issued_at=START + pd.Timedelta(hours=1)))
    telemetry.write_weather("c3", weather([6.5], start=START + pd.Timedelta(hours=1)))
    found = check_frame(WeatherFrame, telemetry.read_weather(["a1", "b2", "c3"]))
    assert list(found["ambient_c"]) == [5, 8, 6.5, 9, 7]
    later = telemetry.read_weather(["a1", "b2", "c3"], start=START + pd.Timedelta(hours=1))
    assert list(later["ambient_c"]) == [6.5, 9, 7]


def test_frames_of_a_run_come_back_as_they_were(telemetry):
    frame = pd.DataFrame(
        {
            "transformer_id": ["T-01", "T-02"],
            "reasons": [["over 120 %", "hot"], []],
            "time": pd.DatetimeIndex([START, pd.NaT]).as_unit("ns"),
            "imminent": [True, False],
        }
    )
    digest = telemetry.write_run_frame("RUN-1", "risk", frame)
    assert len(digest) == 64
    pd.testing.assert_frame_equal(telemetry.read_run_frame("RUN-1", "risk"), frame)
    wide = pd.DataFrame({"T-01": [1.0, 2.0]}, index=pd.date_range(START, periods=2, freq="h", name="time"))
    telemetry.write_run_frame("RUN-1", "history", wide)
    pd.testing.assert_frame_equal(telemetry.read_run_frame("RUN-1", "history"), wide, check_freq=False)


def test_the_digest_is_of_the_content(telemetry):
    frame = load([1, 2, 3])
    digest = telemetry.write_run_frame("RUN-1", "forecast", frame)
    assert telemetry.write_run_frame("RUN-2", "forecast", frame) == digest
    assert telemetry.write_run_frame("RUN-3", "forecast", load([1, 2, 4])) != digest


def test_a_frame_that_is_not_there(telemetry):
    with pytest.raises(NotFoundError, match="RUN-9"):
        telemetry.read_run_frame("RUN-9", "forecast")


def test_a_damaged_run_frame_is_named(telemetry):
    telemetry.write_run_frame("RUN-1", "risk", load([1, 2, 3]))
    path = telemetry.folder / "runs" / "RUN-1" / "risk.parquet"
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(FileError, match="damaged") as caught:
        telemetry.read_run_frame("RUN-1", "risk")
    assert caught.value.path == str(path)


@pytest.mark.parametrize("name", ["../x", "a/b", "", ".hidden", "a b", "x" * 200])
def test_names_stay_inside_the_folder(telemetry, name):
    for use in (
        lambda: telemetry.write_run_frame(name, "risk", load([1])),
        lambda: telemetry.write_run_frame("RUN-1", name, load([1])),
        lambda: telemetry.write_load(name, load([1])),
    ):
        with pytest.raises(InputError, match="name of a file"):
            use()


def test_a_frame_that_is_no_load_frame_is_refused(telemetry):
    with pytest.raises(FrameError):
        telemetry.write_load("a1", load([1, 2]).assign(time="yesterday"))
    with pytest.raises(FrameError):
        telemetry.write_load("a1", load([1, 2]).drop(columns="quality"))


def test_nine_months_of_a_small_fleet_are_quick(tmp_path):
    store = Telemetry(tmp_path)
    frame = load(np.arange(280 * 24.0), ids=[f"T-{n:02d}" for n in range(43)])
    begin = time.perf_counter()
    store.write_load("a1", frame)
    wide = store.read_load_wide(["a1"])
    assert wide.shape == (280 * 24, 43)
    assert time.perf_counter() - begin < 15  # 1.1 s on two cores; room for a busy machine
