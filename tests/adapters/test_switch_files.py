"""Switches and their reported positions: words and dates of the trade, or the file is refused."""

from pathlib import Path

import pandas as pd
import pytest

from gridlib.adapters.readers import read_file
from gridlib.facts.errors import FileError, FrameError
from gridlib.facts.frames import NETWORK_TABLES, check_frame

FILES = Path(__file__).parent / "files" / "network"


def read(name, *, folder, latest=None, switches=None):
    return read_file(
        folder / name, power_factor=0.95, naive_tz="", unit_ratio_limit=5.0, latest=latest, switches=switches
    )


def counts(reading):
    """Findings as {(object, code): count}."""
    return {(row.object_id, row.code): row.count for row in reading.findings.itertuples(index=False)}


def states(tmp_path, *rows):
    """A file of switch states."""
    lines = ["switch_id,time,state,health,tags,source", *rows]
    (tmp_path / "states.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return tmp_path


def test_words_of_switch_states_are_read_in_any_case(tmp_path):
    folder = states(tmp_path, "B1,2026-01-18T00:00:00+03:00,Closed,ok, tagged   Permit,Manual")
    frame = read("states.csv", folder=folder).frame
    words = frame[["state", "health", "tags", "source"]].values.tolist()
    assert words == [["CLOSED", "OK", "TAGGED PERMIT", "manual"]]


@pytest.mark.parametrize(
    ("row", "found"),
    [
        ("CLOSED,OK,,guessed", "source: .*'guessed', row 3"),
        ("CLOSED,OK,DANGER,manual", "tags: .*'DANGER', row 3"),
        ("CLOSED,OK,EARTHED;TAGGED,manual", "tags: .*'EARTHED;TAGGED', row 3"),
        ("CLOSED,BROKEN,,manual", "health: .*'BROKEN', row 3"),
    ],
)
def test_a_word_that_no_switch_knows_refuses_the_file(tmp_path, row, found):
    good, time = "B1,2026-01-18T00:00:00+03:00,OPEN,OK,,manual", "2026-01-18T00:00:00+03:00"
    with pytest.raises(FileError, match=found):
        read("states.csv", folder=states(tmp_path, good, f"B1,{time},{row}"))


def test_switch_states_of_the_future_and_of_strangers(tmp_path):
    folder = states(
        tmp_path,
        "B1,2026-01-18T00:00:00+03:00,OPEN,OK,,manual",
        "B1,2027-01-18T00:00:00+03:00,CLOSED,OK,,manual",
        "B9,2026-01-18T00:00:00+03:00,CLOSED,OK,,manual",
    )
    latest = pd.Timestamp("2026-01-18T01:00:00+03:00")
    reading = read("states.csv", folder=folder, latest=latest, switches={"B1", "B2"})
    assert list(reading.frame["switch_id"]) == ["B1", "B9"]
    assert reading.rejects == 1
    assert counts(reading) == {("B1", "future_reading"): 1, ("B9", "unknown_switch"): 1}
    assert read("states.csv", folder=folder).rejects == 0


def write_switches(tmp_path, confirmed):
    header = (FILES / "switches.csv").read_text("utf-8").splitlines()
    lines = [f"{header[0]},phase_rotation_confirmed_on", f"{header[1]},", f"{header[3]},{confirmed}"]
    (tmp_path / "switches.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return read("switches.csv", folder=tmp_path).frame


def test_the_day_phase_rotation_was_confirmed(tmp_path):
    frame = write_switches(tmp_path, "2024-02-29")
    assert list(frame["phase_rotation_confirmed_on"]) == [None, "2024-02-29"]
    assert write_switches(tmp_path, "")["phase_rotation_confirmed_on"].isna().all()


@pytest.mark.parametrize(
    "text", ["yes", "no", "29/02/2024", "2025-02-29", "2024-2-9", "2024-02-29T00:00", "2024"]
)
def test_phase_rotation_confirmed_on_no_day_is_refused(tmp_path, text):
    expected = f"line 3, column phase_rotation_confirmed_on: '{text}' is no date"
    with pytest.raises(FileError, match=expected):
        write_switches(tmp_path, text)


def test_the_table_of_switches_refuses_a_confirmation_without_a_date(tmp_path):
    frame = write_switches(tmp_path, "2024-02-29")
    frame.loc[1, "phase_rotation_confirmed_on"] = "confirmed"
    with pytest.raises(FrameError, match=r"phase_rotation_confirmed_on.*'confirmed', row 1"):
        check_frame(NETWORK_TABLES["switches"], frame)
