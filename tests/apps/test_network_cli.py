"""The shell's commands for network tables: faults in full, examples, and other programs' files."""

import json
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from gridlib.apps.cli import app
from gridlib.facts.errors import FileError, InputError

DATA = Path(__file__).parents[2] / "data"
OPENDSS = Path(__file__).parents[1] / "adapters" / "files" / "opendss" / "two_feeders.dss"


def run(*words: object) -> tuple[int, str]:
    result = CliRunner().invoke(app, ["network", *map(str, words)])
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.exit_code, result.stdout


def record(*words: object) -> tuple[int, dict]:
    code, text = run(*words, "--json")
    return code, json.loads(text)


@pytest.fixture
def tables(tmp_path):
    run("templates", tmp_path / "net")
    return tmp_path / "net"


def change(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert text.count(old) == 1
    path.write_text(text.replace(old, new), encoding="utf-8")


@pytest.mark.parametrize("folder", ["templates", "sample/network", "demo_seed/network"])
def test_what_we_ship_has_no_fault(folder):
    code, found = record("check", DATA / folder)
    assert code == 0
    assert found["clean"]
    assert found["faults"] == []


def test_templates_are_written_once_and_never_over_something(tables):
    assert len(list(tables.iterdir())) == 7
    with pytest.raises(FileError, match="is there already"):
        run("templates", tables)


def test_every_fault_is_named_with_file_row_and_column(tables):
    change(tables / "switches.csv", "T-01-Q1,T-01-S1,T-01-S2,sectionaliser", "T-01-Q1,T-01-S1,T-01-S2,fuse")
    change(tables / "switches.csv", "OPEN,400,25,False,250", "OPEN,four,25,maybe,-5")
    change(tables / "transformers.csv", "F-02,630", "F-02,0")
    change(tables / "switch_states.csv", "OPEN,OK,TAGGED", "AJAR,OK,DANGER")
    code, found = record("check", tables)
    assert code == 1
    assert not found["clean"]
    places = [(Path(f["file"]).name, f["row"], f["column"]) for f in found["faults"]]
    assert sorted(places) == [
        ("switch_states.csv", 5, "state"),
        ("switch_states.csv", 5, "tags"),
        ("switches.csv", 4, "kind"),
        ("switches.csv", 5, "limit_kva"),
        ("switches.csv", 5, "load_break_a"),
        ("switches.csv", 5, "remote"),
    ]
    assert all(fault["found"] and fault["expected"] and fault["what_to_do"] for fault in found["faults"])
    (rating,) = [f for f in found["findings"] if not f["remark"]]
    assert (rating["code"], rating["object_id"], rating["row"]) == ("missing_rating", "T-02", 3)


def test_text_says_the_same_as_json(tables):
    change(tables / "switches.csv", "T-01-S2,sectionaliser", "T-01-S2,fuse")
    code, text = run("check", tables)
    assert code == 1
    place = f"{tables / 'switches.csv'}, row 4, column kind: found 'fuse'; expected one of breaker"
    assert place in text
    assert "1 fault(s)" in text


def test_a_fault_of_the_network_alone_is_a_fault(tables):
    change(tables / "switches.csv", "tie,OPEN", "tie,CLOSED")
    (tables / "switch_states.csv").unlink()
    code, found = record("check", tables)
    assert code == 1
    assert {(f["object_id"], f["code"]) for f in found["findings"] if not f["remark"]} == {
        ("T-01", "loop"),
        ("T-02", "loop"),
    }


def test_one_table_alone_is_checked_and_what_was_not_is_said(tables):
    code, found = record("check", tables / "switches.csv")
    assert code == 0
    said = [f["message"] for f in found["findings"] if f["code"] == "not_checked"]
    assert any("needs transformers, sections" in message for message in said)


def test_two_editions_of_a_table_are_refused(tables, tmp_path):
    shutil.copy(tables / "switches.csv", tmp_path / "switches.csv")
    with pytest.raises(FileError, match="second table of switches"):
        run("check", tables, tmp_path / "switches.csv")


def test_an_imported_network_passes_the_check(tmp_path):
    pytest.importorskip("dss", reason="needs gridlib[opendss]")
    code, done = record("import", OPENDSS, "--to", tmp_path / "net", "--level", "medium")
    assert code == 0
    assert done["rows"]["transformers"] == 2
    assert {f["code"] for f in done["findings"]} >= {"load_as_share", "unit_within_section"}
    assert record("check", tmp_path / "net")[0] == 0
    with pytest.raises(FileError, match="holds substations"):
        run("import", OPENDSS, "--to", tmp_path / "net")


def test_an_unknown_level_is_refused(tmp_path):
    with pytest.raises(InputError, match="unknown level 'high'"):
        run("import", OPENDSS, "--to", tmp_path, "--level", "high")
