"""What really arrives: each file ends in a frame with counted findings, or is refused as a whole."""

import contextlib
import hashlib
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridlib.adapters.readers import read_file
from gridlib.facts.errors import FileError
from gridlib.facts.frames import NETWORK_TABLES, FindingFrame, LoadFrame, check_frame

FILES = Path(__file__).parent / "files"
RATINGS = {"T-01": 500.0, "T-02": 500.0}


def read(name, kind=None, *, naive_tz="", ratings=None, folder=FILES):
    """Read a fixture and check what holds for every reading."""
    reading = read_file(
        folder / name,
        kind,
        power_factor=0.95,
        naive_tz=naive_tz,
        unit_ratio_limit=5.0,
        ratings=RATINGS if ratings is None else ratings,
    )
    assert reading.rows == len(reading.frame) + reading.rejects
    check_frame(FindingFrame, reading.findings)
    if reading.kind == "load":
        check_frame(LoadFrame, reading.frame)
        assert reading.frame.equals(reading.frame.sort_values(["transformer_id", "time"]))
        assert not reading.frame.duplicated(["transformer_id", "time"]).any()
    return reading


def counts(reading):
    """Findings as {(object, code): count}."""
    found = reading.findings
    return {
        (row.object_id, row.code): row.count for row in found.itertuples(index=False) if row.code != "spike"
    }


@pytest.fixture(scope="module")
def good():
    return read("load_good.csv")


def test_a_good_file(good):
    assert (good.kind, good.name, good.rows, good.rejects) == ("load", "load_good.csv", 96, 0)
    assert counts(good) == {}
    assert good.sha256 == hashlib.sha256((FILES / "load_good.csv").read_bytes()).hexdigest()
    assert good.frame["time"].iloc[0] == pd.Timestamp("2026-01-17 21:00", tz="UTC")
    assert good.frame["load_kva"].iloc[0] == 157.6
    assert not good.frame["quality"].any()


@pytest.mark.parametrize(
    ("name", "naive_tz"),
    [
        ("load_good.parquet", ""),
        ("load_naive.csv", "Asia/Amman"),
        ("load_naive.parquet", "Asia/Amman"),
        ("load_mixed_zones.csv", ""),
        ("load_decimal_comma.csv", ""),
        ("load_bom_tabs.csv", ""),
    ],
)
def test_the_same_readings_in_another_dress(good, name, naive_tz):
    reading = read(name, naive_tz=naive_tz)
    pd.testing.assert_frame_equal(reading.frame, good.frame)
    assert counts(reading) == {}


@pytest.mark.parametrize(
    ("name", "kind", "found"),
    [
        ("load_naive.csv", None, "line 2, column time: '2026-01-18T00:00:00' has no offset.*naive_tz"),
        ("load_naive.parquet", None, "row 1, column time: .* has no offset"),
        ("load_mixed_naive.csv", None, "line 32, column time: .* other times in the file have one"),
        ("empty.csv", None, "is empty"),
        ("header_only.csv", None, "header and no rows"),
        ("load_text.csv", None, r"line 42, column load_kva: 'n\.a\.\?' is not a number"),
        ("load_half.parquet", None, "no whole Parquet file"),
        ("load_cut_middle.csv", None, "line 32 has 1 cells, the header 3"),
        ("load_too_many_cells.csv", None, "line 2 has 4 cells, the header 3; 96 such"),
        ("load_bidi_name.csv", None, r"line 50, column transformer_id: 'T-\\u202e20' holds invisible"),
        ("load_control_name.csv", None, r"column transformer_id: 'T-\\x0702' holds invisible"),
        ("load_1970.csv", None, "line 5, column time: '1970.*before 1990"),
        ("load_2999.csv", None, "line 5, column time: '2999"),
        ("load_us_dates.csv", None, "'01/18/2026 00:00' is no time in ISO 8601"),
        ("load_bad_quality.csv", None, "line 6, column quality: '300'"),
        ("load_no_time.csv", "load", "column time is missing; found transformer_id, load_kva"),
        ("load_no_time.csv", None, "transformer_id, load_kva are of no known kind"),
        ("unknown_columns.csv", None, "meter, reading are of no known kind"),
        ("load_good.csv", "weather", "ambient_c, issued_at, station_id is missing"),
        ("load_good.csv", "tides", "no kind of file is called 'tides'"),
        ("load_good.csv", "network", "tells no network table"),
        ("states_bad.csv", None, "1 bad value.*HALF"),
        ("none.csv", None, "no such file"),
        (".", None, "is a folder"),
        ("network_bad/transformers.csv", None, "column feeder_id is missing"),
        ("network_bad/feeders.csv", None, "bad value"),
        ("network_bad/switches.csv", None, "line 2, column remote: 'maybe' is not true or false"),
        ("network_bad/lines_2026.csv", None, "of no known kind"),
    ],
)
def test_a_file_that_is_refused(name, kind, found):
    with pytest.raises(FileError, match=found) as caught:
        read(name, kind)
    assert str(FILES / name) in str(caught.value)
    assert caught.value.what_to_do


def test_an_unknown_kind_says_what_is_expected():
    with pytest.raises(FileError) as caught:
        read("unknown_columns.csv")
    for word in ("load_kva", "ambient_c", "switch_id", "transformers.csv"):
        assert word in caught.value.what_to_do


def test_binary_rubbish_is_refused(tmp_path):
    (tmp_path / "load.csv").write_bytes(b"PK\x03\x04\x00\x00\x00")
    with pytest.raises(FileError, match="neither CSV nor Parquet"):
        read("load.csv", folder=tmp_path)


def test_blank_lines_and_windows_line_ends_are_nothing(tmp_path):
    lines = (FILES / "load_good.csv").read_text("utf-8").splitlines()
    lines[10:10] = ["", "  "]
    (tmp_path / "load.csv").write_bytes("\r\n".join(["", *lines, "", ""]).encode())
    reading = read("load.csv", folder=tmp_path)
    assert (reading.rows, reading.rejects) == (96, 0)
    lines[40] = lines[40].replace(":00+03:00,", ":00+03:00,x")
    (tmp_path / "load.csv").write_text("\n".join(lines), "utf-8")
    with pytest.raises(FileError, match="line 41, column load_kva: 'x"):
        read("load.csv", folder=tmp_path)


@pytest.mark.parametrize("row", ['"T-01,2026-01-18T00:00:00+03:00,1', 'T-01,"2026-01-18T00:00:00+03:00\n",1'])
def test_quotes_that_do_not_close_are_refused(tmp_path, row):
    (tmp_path / "load.csv").write_text(f"transformer_id,time,load_kva\n{row}\nT-01,x,2\n")
    with pytest.raises(FileError):
        read("load.csv", folder=tmp_path)


def test_quoted_cells(tmp_path):
    (tmp_path / "substations.csv").write_text('substation_id,name\n"SS-1","Amman, ""West"""\n')
    assert read("substations.csv", folder=tmp_path).frame["name"].iloc[0] == 'Amman, "West"'


def test_local_times_that_do_not_exist_or_come_twice_are_counted():
    reading = read("load_daylight_saving.csv", naive_tz="Asia/Amman")
    assert counts(reading) == {("load_daylight_saving.csv", "unclear_time"): 1, ("T-01", "missing"): 2}
    assert reading.rejects == 1


def test_identical_duplicates(good):
    reading = read("load_duplicates.csv")
    pd.testing.assert_frame_equal(reading.frame, good.frame)
    assert counts(reading)["T-01", "duplicate"] == reading.rejects == 3
    assert ("T-01", "conflicting_duplicate") not in counts(reading)


def test_of_conflicting_duplicates_the_last_value_is_kept(good):
    reading = read("load_conflicts.csv")
    changed = reading.frame["load_kva"] != good.frame["load_kva"]
    assert list(reading.frame["load_kva"][changed]) == [999.0]
    found = counts(reading)
    assert found["T-01", "conflicting_duplicate"] == 1
    assert found["T-01", "duplicate"] == 1  # an empty cell never displaces a value
    assert found["T-02", "duplicate"] == 1
    assert reading.rejects == 3


def test_gaps_are_counted_and_dated():
    reading = read("load_gaps.csv")
    assert counts(reading) == {("T-01", "missing"): 4}
    gap = reading.findings[reading.findings["code"] == "missing"].iloc[0]
    assert gap["first"] == pd.Timestamp("2026-01-18T10:00+03:00")
    assert gap["last"] == pd.Timestamp("2026-01-18T13:00+03:00")


def test_rows_out_of_order_are_sorted_in(good):
    reading = read("load_out_of_order.csv")
    pd.testing.assert_frame_equal(reading.frame, good.frame)
    assert counts(reading) == {("T-01", "out_of_order"): 1}


def test_a_stuck_meter_is_found_and_its_rows_stay(good):
    reading = read("load_stuck.csv")
    assert counts(reading) == {("T-01", "stuck"): 12}
    assert (reading.frame["load_kva"] == 222.2).sum() == 12
    assert not reading.frame["quality"].any()


def test_a_spike_is_found_and_its_row_stays():
    reading = read("load_spike.csv")
    spikes = reading.findings[reading.findings["code"] == "spike"].set_index("object_id")
    at = reading.frame.loc[reading.frame["load_kva"] == 1900.0, "time"]
    assert spikes.loc["T-01", "first"] <= at.iloc[0] <= spikes.loc["T-01", "last"]


def test_a_wrong_unit_flags_one_transformer_and_alters_nothing(good):
    reading = read("load_wrong_unit.csv")
    assert counts(reading) == {("T-02", "wrong_unit"): 48}
    frame = reading.frame
    wrong = frame["transformer_id"] == "T-02"
    assert (frame["quality"][wrong] == 0x80).all()
    np.testing.assert_allclose(frame["load_kva"][wrong], good.frame["load_kva"][wrong] * 1000)
    pd.testing.assert_frame_equal(frame[~wrong], good.frame[~wrong])


def test_without_a_rating_no_unit_is_judged():
    reading = read("load_wrong_unit.csv", ratings={"T-01": 500.0, "T-02": float("nan")})
    assert counts(reading) == {}


def test_an_unknown_transformer_is_left_out_and_the_others_are_kept(good):
    reading = read("load_unknown_transformer.csv")
    assert counts(reading) == {("T-99", "unknown_transformer"): 24}
    assert (reading.rows, reading.rejects) == (72, 24)
    assert (reading.complete, good.complete) == (False, True)
    assert read("load_unknown_transformer.csv", ratings={**RATINGS, "T-99": 500.0}).complete
    day = good.frame["time"] < pd.Timestamp("2026-01-18T21:00Z")
    pd.testing.assert_frame_equal(reading.frame, good.frame[day].reset_index(drop=True))


def test_a_file_of_strangers_is_refused():
    with pytest.raises(FileError, match="none of its 2 transformers") as caught:
        read("load_good.csv", ratings={"X": 100.0})
    assert "network first" in caught.value.what_to_do


def test_a_half_written_last_line_is_counted(good):
    reading = read("load_cut_last_line.csv")
    assert counts(reading) == {("load_cut_last_line.csv", "half_row"): 1, ("T-02", "missing"): 1}
    assert (reading.rows, reading.rejects) == (96, 1)
    pd.testing.assert_frame_equal(reading.frame, good.frame.iloc[:-1])


def test_kilowatts_become_kilovoltamperes(good):
    reading = read("load_kw.csv")
    np.testing.assert_allclose(reading.frame["load_kva"], good.frame["load_kva"] / 0.95)
    assert counts(reading) == {("load_kw.csv", "converted_kw"): 96}
    assert "0.95" in reading.findings["message"].iloc[0]


def test_export_is_valid():
    reading = read("load_export.csv")
    assert (reading.frame["load_kva"] < 0).sum() == 24
    assert counts(reading) == {}
    assert not reading.frame["quality"].any()


def test_an_infinite_value_is_flagged_and_stays():
    reading = read("load_infinite.csv")
    infinite = np.isinf(reading.frame["load_kva"])
    assert list(reading.frame["quality"][infinite]) == [0x80, 0x80]
    assert not reading.frame["quality"][~infinite].any()
    found = counts(reading)
    assert found["T-01", "infinite"] == found["T-02", "infinite"] == 1


def test_quality_bits_come_through():
    reading = read("load_quality.csv")
    assert list(reading.frame["quality"][4:8]) == [0x80, 0x20, 0, 0]


def test_empty_cells_are_counted():
    reading = read("load_empty_cells.csv")
    assert reading.frame["load_kva"].isna().sum() == 3
    assert counts(reading) == {("T-01", "no_value"): 3}
    found = reading.findings[reading.findings["code"] == "no_value"].iloc[0]
    assert found["first"] == pd.Timestamp("2026-01-18T03:00+03:00")
    assert found["last"] == pd.Timestamp("2026-01-18T05:00+03:00")


def test_empty_cells_before_the_first_value_and_beside_a_gap_are_counted_once(tmp_path):
    lines = (FILES / "load_gaps.csv").read_text("utf-8").splitlines()
    for row in (1, 2, 20):
        assert lines[row].startswith("T-01,")
        lines[row] = lines[row].rsplit(",", 1)[0] + ","
    (tmp_path / "load.csv").write_text("\n".join(lines) + "\n", "utf-8")
    assert counts(read("load.csv", folder=tmp_path)) == {("T-01", "no_value"): 3, ("T-01", "missing"): 4}


def test_a_transformer_of_empty_cells_is_said_to_be_silent(good):
    reading = read("load_silent.csv")
    assert counts(reading) == {("T-02", "all_missing"): 48}
    silent = reading.frame["transformer_id"] == "T-02"
    assert reading.frame["load_kva"][silent].isna().all()
    own = good.frame["transformer_id"] == "T-01"
    pd.testing.assert_frame_equal(reading.frame[~silent], good.frame[own])


def test_a_last_value_of_forty_times_the_rating_is_never_used(good, telemetry):
    reading = read("load_implausible_last.csv")
    assert counts(reading) == {("T-01", "implausible"): 1}
    found = reading.findings[reading.findings["code"] == "implausible"].iloc[0]
    last = pd.Timestamp("2026-01-19T23:00+03:00")
    assert (found["first"], found["last"]) == (last, last)
    for part in ("20000 kVA", "2500 kVA", "5 times", "500 kVA"):
        assert part in found["message"]
    changed = reading.frame["load_kva"] != good.frame["load_kva"]
    assert reading.frame[changed][["time", "load_kva", "quality"]].values.tolist() == [[last, 20_000, 0x80]]
    assert not reading.frame["quality"][~changed].any()
    telemetry.write_load("a1", reading.frame)
    assert np.isnan(telemetry.read_load_wide(["a1"]).loc[last, "T-01"])


def test_some_values_in_va_are_never_used_and_the_others_are(good):
    reading = read("load_implausible_some.csv")
    assert counts(reading) == {("T-02", "implausible"): 4}
    wrong = reading.frame["load_kva"].to_numpy() != good.frame["load_kva"].to_numpy()
    assert set(reading.frame["transformer_id"][wrong]) == {"T-02"}
    assert list(reading.frame["quality"][wrong]) == [0x80] * 4
    np.testing.assert_allclose(reading.frame["load_kva"][wrong], good.frame["load_kva"][wrong] * 1000)
    pd.testing.assert_frame_equal(reading.frame[~wrong], good.frame[~wrong])


def test_export_beyond_belief_is_implausible_and_the_limit_itself_is_not(tmp_path):
    lines = (FILES / "load_good.csv").read_text("utf-8").splitlines()
    lines[3] = lines[3].rsplit(",", 1)[0] + ",-2500.1"
    lines[4] = lines[4].rsplit(",", 1)[0] + ",2500"
    (tmp_path / "load.csv").write_text("\n".join(lines) + "\n", "utf-8")
    assert counts(read("load.csv", folder=tmp_path)) == {("T-01", "implausible"): 1}
    nameless = read("load.csv", folder=tmp_path, ratings={"T-01": float("nan"), "T-02": 500.0})
    assert counts(nameless) == {}


def test_an_implausible_duplicate_never_displaces_a_believable_reading(good, tmp_path):
    text = (FILES / "load_good.csv").read_text("utf-8").rstrip("\n")
    double = text.splitlines()[5].rsplit(",", 1)[0] + ",20000"
    (tmp_path / "load.csv").write_text(f"{text}\n{double}\n", "utf-8")
    reading = read("load.csv", folder=tmp_path)
    pd.testing.assert_frame_equal(reading.frame, good.frame)
    assert counts(reading)["T-01", "conflicting_duplicate"] == 1


def test_windows_arabic_names_are_kept():
    reading = read("load_windows_arabic.csv", ratings={"محول 1": 500.0, "محول 2": 500.0})
    assert set(reading.frame["transformer_id"]) == {"محول 1", "محول 2"}


def test_an_extra_column_is_said_to_be_ignored():
    reading = read("load_extra_column.csv")
    assert counts(reading) == {("load_extra_column.csv", "column_ignored"): 96}


def test_one_far_reading_does_not_blow_up_the_check():
    assert counts(read("load_far_apart.csv")) == {("load_far_apart.csv", "sparse"): 97}


def test_weather():
    reading = read("weather_good.csv")
    assert (reading.kind, len(reading.frame), reading.rejects) == ("weather", 30, 0)
    assert counts(reading) == {}
    assert (reading.frame["issued_at"] < reading.frame["time"]).sum() == 5


def test_doubtful_weather_is_left_out_and_counted():
    reading = read("weather_doubtful.csv")
    assert list(reading.frame["ambient_c"]) == [9.5, 8.7]
    assert counts(reading) == {
        ("AMM", "impossible_temperature"): 1,
        ("AMM", "no_value"): 1,
        ("AMM", "conflicting_duplicate"): 1,
    }


def test_switch_states():
    reading = read("states_good.csv")
    assert reading.kind == "switches"
    assert reading.frame[["switch_id", "state", "health", "tags"]].values.tolist() == [
        ["T-01-B1", "CLOSED", "OK", ""],
        ["T-01-X1", "OPEN", "OK", "TAGGED PERMIT"],
    ]
    assert counts(reading) == {("T-01-X1", "duplicate"): 1}


def test_switch_states_without_optional_columns_say_what_is_assumed():
    reading = read("states_short.csv")
    assert reading.frame[["health", "tags", "source"]].values.tolist() == [["OK", "", "manual"]]
    assert list(reading.findings["code"]) == ["optional_column_missing"] * 3
    assert "healthy" in reading.findings["message"].iloc[0]


@pytest.mark.parametrize("name", [name for name in NETWORK_TABLES if name != "switch_states"])
def test_network_tables(name):
    reading = read(f"{name}.csv", folder=FILES / "network")
    assert (reading.kind, reading.name) == ("network", name)
    check_frame(NETWORK_TABLES[name], reading.frame)


def test_network_names_in_arabic_and_flags():
    assert read("substations.csv", folder=FILES / "network").frame["name_ar"].iloc[0] == "غرب عمان"
    switches = read("switches.csv", folder=FILES / "network").frame
    assert list(switches["remote"]) == [True, False, True]
    assert list(switches["may_parallel"]) == [False, False, True]


def test_a_transformer_without_a_usable_rating_is_found(tmp_path):
    ratings = {"T-01": "500", "T-02": "", "T-03": "0", "T-04": "-630", "T-05": "inf"}
    rows = [f"{name},SS-01,F-1,{rating}" for name, rating in ratings.items()]
    header = "transformer_id,substation_id,feeder_id,rating_kva"
    (tmp_path / "transformers.csv").write_text("\n".join([header, *rows]) + "\n", "utf-8")
    found = read("transformers.csv", folder=tmp_path).findings
    missing = found[found["code"] == "missing_rating"]
    assert list(missing["object_id"]) == ["T-02", "T-03", "T-04", "T-05"]
    assert "no rating" in missing["message"].iloc[0]
    assert "-630 kVA" in missing["message"].iloc[2]


def test_section_shares_of_more_than_all_or_nothing_are_found(tmp_path):
    shares = {"T-01": [0.5, 0.52], "T-02": [0.5, 0.53], "T-03": [0, 0], "T-04": [0.3]}
    rows = [f"{name}-S{n},{name},{share}" for name, own in shares.items() for n, share in enumerate(own)]
    (tmp_path / "sections.csv").write_text(
        "\n".join(["section_id,transformer_id,share", *rows]) + "\n", "utf-8"
    )
    found = read("sections.csv", folder=tmp_path).findings
    wrong = found[found["code"] == "shares_not_one"]
    assert dict(zip(wrong["object_id"], wrong["count"], strict=True)) == {"T-02": 2, "T-03": 2}
    assert "103.0%" in wrong["message"].iloc[0]


def test_missing_optional_columns_cost_something():
    reading = read("switches.csv", folder=FILES / "network")
    said = " ".join(reading.findings["message"])
    assert set(reading.findings["code"]) == {"optional_column_missing"}
    assert "phase_rotation_confirmed_on: no transfer can be planned" in said
    assert reading.frame["phase_rotation_confirmed_on"].isna().all()
    sections = read("sections.csv", folder=FILES / "network")
    assert "+-20 % is assumed" in " ".join(sections.findings["message"])


@given(cells=st.lists(st.text(max_size=12), min_size=3, max_size=12))
def test_no_text_breaks_the_reader(cells, tmp_path_factory):
    path = tmp_path_factory.mktemp("fuzz") / "load.csv"
    lines = ["transformer_id,time,load_kva", "T-01,2026-01-18T00:00:00+03:00,1", ",".join(cells)]
    path.write_text("\n".join(lines), encoding="utf-8", errors="replace")
    with contextlib.suppress(FileError):
        read(path.name, folder=path.parent)
