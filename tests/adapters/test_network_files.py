"""Network tables as files: written and read back the same, and every fault of a file named at once."""

import csv
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gridlib.adapters.networks import check_table_file, network_of, write_network
from gridlib.domain.network import parse_network
from gridlib.facts.errors import FileError, FrameError
from gridlib.facts.frames import NETWORK_TABLES, check_frame
from gridlib.facts.types import Network

NAMES = st.text(
    st.characters(categories=["L", "N", "P", "S"], include_characters=" -_,;\"'"), min_size=1, max_size=12
).filter(lambda text: text == text.strip())
POSITIVE = st.floats(1e-9, 1e12)
CELLS = {
    "lat": st.floats(-90, 90),
    "lon": st.floats(-180, 180),
    "share": st.floats(0, 1),
    "kind": st.sampled_from(["breaker", "sectionaliser", "tie"]),
    "normal_state": st.sampled_from(["OPEN", "CLOSED"]),
    "state": st.sampled_from(["OPEN", "CLOSED"]),
    "health": st.sampled_from(["OK", "FAULT", "MAINTENANCE"]),
    "tags": st.sampled_from(["", "EARTHED", "TAGGED PERMIT"]),
    "source": st.sampled_from(["telemetered", "manual", "assumed"]),
    "phase_rotation_confirmed_on": st.dates(
        pd.Timestamp("1990-01-01").date(), pd.Timestamp("2099-01-01").date()
    ).map(str),
    "time": st.datetimes(pd.Timestamp("2000-01-01"), pd.Timestamp("2099-01-01")),
}
KINDS = {"str": NAMES, "float64": POSITIVE, "bool": st.booleans()}


@st.composite
def frames(draw: st.DrawFn, table: str) -> pd.DataFrame:
    """Rows that obey the rules of a table, whatever they mean."""
    rows = draw(st.integers(0, 4))
    done = {}
    for name, rule in NETWORK_TABLES[table].to_schema().columns.items():
        cells = CELLS.get(name, KINDS.get(str(rule.dtype)))
        if rule.nullable:
            cells = cells | st.none()
        drawn = draw(st.lists(cells, min_size=rows, max_size=rows, unique=rule.unique))
        kind = "object" if str(rule.dtype) == "str" else str(rule.dtype)
        values = (
            pd.to_datetime(pd.Series(drawn, dtype=object), utc=True)
            if name == "time"
            else pd.Series(drawn, dtype=kind)
        )
        done[name] = values.astype(kind)
    return pd.DataFrame(done)


@st.composite
def networks(draw: st.DrawFn) -> Network:
    return network_of({table: draw(frames(table)) for table in NETWORK_TABLES})


def read(folder: Path) -> Network:
    found = [check_table_file(path) for path in sorted(folder.glob("*.csv"))]
    assert not [fault for one in found for fault in one.faults]
    assert all(one.remarks.empty and one.left_out == 0 for one in found)
    return network_of({one.table: one.frame for one in found})


def assert_same(one: Network, other: Network) -> None:
    for table in ("substations", "feeders", "transformers", "sections", "switches", "states", "lines"):
        pd.testing.assert_frame_equal(getattr(one, table), getattr(other, table), check_exact=True)


@settings(max_examples=15)
@given(network=networks())
def test_what_is_written_is_read_back_the_same_to_the_bit(network, tmp_path_factory):
    folder = tmp_path_factory.mktemp("network")
    write_network(network, folder)
    assert_same(read(folder), network)


def test_no_name_is_a_formula_in_a_spreadsheet_and_each_is_read_back_as_it_was(tmp_path):
    network = parse_network("T1(500) -b1- a")
    names = ['=HYPERLINK("http://x")', "+K1", "-Q1", "@SUM(1)", "'=1", "''-1", "＝1"]
    eight = network.substations.iloc[[0] * 8].assign(
        substation_id=list("abcdefgh"), name=[*names, "'Abdali'"]
    )
    network = network_of({"substations": eight})
    (path,) = write_network(network, tmp_path)
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["name"] for row in rows] == [*(f"'{name}" for name in names), "'Abdali'"]
    assert_same(read(tmp_path), network)


def test_a_text_network_survives_the_files(tmp_path):
    network = parse_network("T1(500) -b1- a:0.1 -s1- b:0.2 /t1:200/ c -b2- T2(630)")
    files = write_network(network, tmp_path)
    assert [path.stem for path in files] == ["substations", "feeders", "transformers", "sections", "switches"]
    assert_same(read(tmp_path), network)


def test_tables_that_are_there_are_not_replaced(tmp_path):
    network = parse_network("T1(500) -b1- a")
    write_network(network, tmp_path)
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    with pytest.raises(FileError, match=r"holds substations\.csv already"):
        write_network(parse_network("T9(100) -b9- z"), tmp_path)
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_nothing_is_written_of_a_network_that_breaks_its_rules(tmp_path):
    network = parse_network("T1(500) -b1- a")
    network.switches.loc[0, "kind"] = "fuse"
    with pytest.raises(FrameError):
        write_network(network, tmp_path / "new")
    assert not (tmp_path / "new").exists()


def test_the_empty_network_fits_the_tables():
    empty = network_of({})
    for table, model in NETWORK_TABLES.items():
        check_frame(model, empty.states if table == "switch_states" else getattr(empty, table))


# Faults of a file, all at once

HEAD = "switch_id,from_id,to_id,kind,normal_state,limit_kva,remote\n"


def faults(tmp_path: Path, name: str, text: str) -> list[tuple[int | None, str]]:
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    found = check_table_file(path)
    assert all(fault.file == str(path) and fault.what_to_do and fault.expected for fault in found.faults)
    return [(fault.row, fault.column) for fault in found.faults]


def test_every_bad_cell_is_named_by_row_and_column(tmp_path):
    text = (
        HEAD
        + "s1,a,b,tie,OPEN,,yes\ns2,a,,tie,OPEN,12,no\ns3,a,b,fuse,ajar,x,perhaps\ns4,b,c,tie,OPEN,-1,1\n"
    )
    assert sorted(faults(tmp_path, "switches.csv", text)) == [
        (3, "to_id"),
        *((4, column) for column in ("kind", "limit_kva", "normal_state", "remote")),
        (5, "limit_kva"),
    ]


def test_a_thousand_bad_cells_are_all_found(tmp_path):
    rows = [f"s{i},a,b,tie,OPEN,{'x' if i % 2 else 5},1" for i in range(2000)]
    assert len(faults(tmp_path, "switches.csv", HEAD + "\n".join(rows) + "\n")) == 1000


def test_a_repeated_name_points_at_the_row_that_had_it_first(tmp_path):
    path = tmp_path / "switches.csv"
    path.write_text(HEAD + "s1,a,b,tie,OPEN,,1\ns2,a,b,tie,OPEN,,1\ns1,b,c,tie,OPEN,,1\n", encoding="utf-8")
    (fault,) = check_table_file(path).faults
    assert (fault.row, fault.column) == (4, "switch_id")
    assert "which row 2 has too" in fault.found


def test_what_can_be_read_of_a_faulty_file_is_kept_for_the_rest_of_the_check(tmp_path):
    path = tmp_path / "switches.csv"
    path.write_text(HEAD + "s1,a,b,tie,OPEN,x,1\n,a,b,tie,OPEN,5,1\n", encoding="utf-8")
    found = check_table_file(path)
    assert found.frame["switch_id"].tolist() == ["s1"]
    assert np.isnan(found.frame["limit_kva"].iloc[0])
    assert found.left_out == 1


def test_times_with_and_without_offset_in_one_file(tmp_path):
    rows = ["s1,2026-01-21T07:00:00+03:00,OPEN", "s2,2026-01-21T07:00:00,OPEN"]
    text = "switch_id,time,state\n" + "\n".join(rows) + "\n"
    assert faults(tmp_path, "positions.csv", text) == [(3, "time")]


@pytest.mark.parametrize(
    ("text", "column"),
    [("switch_id,from_id\ns1,a\n", "kind"), ("", ""), ("switch_id,from_id\n", "")],
)
def test_a_file_without_its_columns_or_rows(tmp_path, text, column):
    found = faults(tmp_path, "switches.csv", text)
    assert (None, column) in found
    assert check_table_file(tmp_path / "switches.csv").frame is None


def test_unknown_columns_are_named_as_dropped(tmp_path):
    path = tmp_path / "switches.csv"
    path.write_text("colour," + HEAD + "red,s1,a,b,tie,OPEN,,1\n", encoding="utf-8")
    found = check_table_file(path)
    assert not found.faults
    dropped = found.remarks.loc[found.remarks["code"] == "column_ignored", "message"]
    assert dropped.str.contains("colour").sum() == 1


def test_a_file_that_is_no_table_says_how_to_name_it(tmp_path):
    (tmp_path / "cables.csv").write_text("a,b\n1,2\n", encoding="utf-8")
    with pytest.raises(FileError, match="tells no network table") as caught:
        check_table_file(tmp_path / "cables.csv")
    assert "switches.csv" in caught.value.what_to_do
    with pytest.raises(FileError, match="no such file"):
        check_table_file(tmp_path / "lines.csv")
