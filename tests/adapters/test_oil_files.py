"""Files of top-oil sensors: read whole or refused, every doubt counted; and kept as they were read."""

import pandas as pd
import pytest

from gridlib.adapters.oil import oil_part, read_oil, write_oil
from gridlib.adapters.readers import read_file
from gridlib.facts.errors import FileError
from gridlib.facts.frames import OilFrame, check_frame

GOOD = [
    "T-01,2026-08-10T10:00+03:00,61.5",
    "T-01,2026-08-10T11:00+03:00,63.0",
    "T-02,2026-08-10T10:00+03:00,48.25",
]


def read(tmp_path, lines, header="transformer_id,time,top_oil_c"):
    path = tmp_path / "oil.csv"
    path.write_text("\n".join([header, *lines]) + "\n", encoding="utf-8")
    return read_file(
        path,
        power_factor=0.95,
        naive_tz="",
        unit_ratio_limit=5.0,
        ratings={"T-01": 500.0, "T-02": 500.0},
        latest=pd.Timestamp("2026-08-11T00:00Z"),
    )


def test_a_good_file_is_recognised_by_its_columns(tmp_path) -> None:
    reading = read(tmp_path, GOOD)
    assert (reading.kind, reading.rows, reading.rejects) == ("oil", 3, 0)
    assert reading.findings.empty
    assert reading.frame["top_oil_c"].tolist() == [61.5, 63.0, 48.25]
    assert reading.frame["time"].iloc[0] == pd.Timestamp("2026-08-10T07:00Z")


def test_doubtful_rows_are_left_out_and_counted(tmp_path) -> None:
    odd = [
        "T-09,2026-08-10T10:00+03:00,50",
        "T-01,2026-08-10T12:00+03:00,",
        "T-01,2026-08-10T13:00+03:00,610",
        "T-01,2026-08-12T13:00+03:00,60",
        "T-02,2026-08-10T10:00+03:00,48.25",
    ]
    reading = read(tmp_path, GOOD + odd)
    assert (len(reading.frame), reading.rejects) == (3, 5)
    found = dict(zip(reading.findings["code"], reading.findings["object_id"], strict=True))
    assert found == {
        "future_reading": "T-01",
        "unknown_transformer": "T-09",
        "no_value": "T-01",
        "impossible_temperature": "T-01",
        "duplicate": "T-02",
    }
    assert not reading.complete


def test_a_file_without_temperatures_is_refused(tmp_path) -> None:
    with pytest.raises(FileError, match="none of its 1 rows can be used"):
        read(tmp_path, ["T-01,2026-08-10T10:00+03:00,"])


def test_what_is_written_is_read_and_the_last_ingest_counts(tmp_path) -> None:
    frame = read(tmp_path, GOOD).frame
    write_oil(tmp_path, "one", frame)
    write_oil(tmp_path, "two", frame.iloc[:1].assign(top_oil_c=70.0))
    assert oil_part(tmp_path, "two").exists()
    span = {"start": pd.Timestamp("2026-08-10T07:00Z"), "end": pd.Timestamp("2026-08-10T08:00Z")}
    found = check_frame(OilFrame, read_oil(tmp_path, ["one", "two"], **span))
    assert found["top_oil_c"].tolist() == [70.0, 48.25]
    assert read_oil(tmp_path, [], **span).empty
    assert check_frame(OilFrame, read_oil(tmp_path, [], **span)).empty
