"""Every fault of a network table, cell by cell, where taking it in would stop at the first."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from pandera.errors import SchemaErrors

from gridlib.adapters.readers.findings import Findings
from gridlib.adapters.readers.network import add_missing_columns, parse_column, plain_words, required_columns
from gridlib.adapters.readers.raw import RawTable, read_raw
from gridlib.facts.errors import FileError
from gridlib.facts.frames import NETWORK_TABLES

_STATE_COLUMNS = {"switch_id", "time", "state"}
_DATE = "a day such as 2026-01-21"
_EXPECTED = {
    "time": "a time with offset, such as 2026-01-21T19:00:00+03:00",
    "phase_rotation_confirmed_on": _DATE,
    "tags": "EARTHED, TAGGED, PERMIT, parted by blanks, or nothing",
}
_WHAT_TO_DO = {
    "float64": "Write the number alone, in the unit of the column, with a decimal point.",
    "bool": "Write True or False.",
    "range": "Check the value, its sign and its unit.",
    "unique": "Give each object a name of its own, here and where it is referred to.",
}


@dataclass(frozen=True)
class Fault:
    """One thing for which a file would be refused.

    Attributes
    ----------
    file : str
        Its path.
    row : int or None
        Line of a CSV file, or row of a Parquet one; None: the whole file.
    column : str
        Empty: the whole row or file.
    found, expected, what_to_do : str
        In words.
    """

    file: str
    row: int | None
    column: str
    found: str
    expected: str
    what_to_do: str


@dataclass(frozen=True)
class CheckedTable:
    """What could be read of a file.

    Attributes
    ----------
    table : str
        Key of `NETWORK_TABLES`.
    frame : DataFrame or None
        Its rows, indexed by line, wrong cells empty; without the rows whose names or time are wrong. None
        where the file or a whole column of it is unusable.
    faults : tuple of Fault
        All of them, by row.
    remarks : DataFrame
        A `FindingFrame`: what is missing or ignored and what that costs.
    left_out : int
        Rows that are not in ``frame``.
    """

    table: str
    frame: pd.DataFrame | None
    faults: tuple[Fault, ...]
    remarks: pd.DataFrame
    left_out: int


def check_table_file(path: Path, *, naive_tz: str = "") -> CheckedTable:
    """Read a network table and collect everything that is wrong with it.

    Parameters
    ----------
    path : Path
        CSV or Parquet, named after its table.
    naive_tz : str
        Zone of stamps without an offset; empty refuses them.

    Returns
    -------
    CheckedTable
        Not to be stored where there are faults: what is left is for looking at the network as a whole.

    Raises
    ------
    FileError
        No such file, or its name and columns tell no table.
    """
    findings = Findings(path.name)
    try:
        table = read_raw(path, path.read_bytes())
    except FileNotFoundError as error:
        raise FileError(str(path), "no such file", what_to_do="Check the name.") from error
    except FileError as error:
        name = _table_name(path, set())
        return CheckedTable(name, None, (_whole_file(error, path),), findings.frame(), 0)
    name = _table_name(path, set(table.frame.columns))
    if table.cut_rows:
        findings.add_file("half_row", "the last row is cut off and was left out", table.cut_rows)
    missing = sorted(required_columns(name) - set(table.frame.columns))
    if missing:
        there = ", ".join(map(str, table.frame.columns))
        do = "Add the column; gridlib network templates DIR writes examples of every table."
        faults = [
            Fault(str(path), None, c, f"no such column; found {there}", _expected(name, c), do)
            for c in missing
        ]
        return CheckedTable(name, None, tuple(faults), findings.frame(), len(table.frame))
    add_missing_columns(table, findings, name)
    rows, wrong = _read_cells(table, name, naive_tz)
    if name == "switch_states":
        rows = plain_words(rows)
    broken = _broken_rules(table.path, rows, name, {(fault.row, fault.column) for fault in wrong})
    faults = sorted([*wrong, *broken], key=lambda fault: fault.row or 0)
    usable = _without(rows, broken, name)
    return CheckedTable(name, usable, tuple(faults), findings.frame(), len(table.frame) - len(usable))


def _table_name(path: Path, columns: set[str]) -> str:
    stem = path.stem.lower()
    if stem in NETWORK_TABLES:
        return stem
    if columns >= _STATE_COLUMNS:
        return "switch_states"
    names = ", ".join(f"{name}.csv" for name in NETWORK_TABLES)
    raise FileError(str(path), "its name tells no network table", what_to_do=f"Name it one of {names}.")


def _whole_file(error: FileError, path: Path) -> Fault:
    found = str(error).removeprefix(f"{path}: ")
    return Fault(
        str(path), None, "", found, "a CSV or Parquet table with a header and rows", error.what_to_do
    )


def _read_cells(table: RawTable, name: str, naive_tz: str) -> tuple[pd.DataFrame, list[Fault]]:
    """Read column by column, all rows; cells that cannot be read are faults, and empty."""
    done: dict[str, pd.Series] = {}
    faults: list[Fault] = []
    for column, rule in NETWORK_TABLES[name].to_schema().columns.items():
        bad = _bad_rows(table, name, column, naive_tz)
        do = _what_to_do(str(rule.dtype), name, column)
        faults += [
            Fault(table.path, row, column, why, _expected(name, column), do) for row, why in bad.items()
        ]
        cells = parse_column(_part(table, table.frame.drop(index=list(bad))), name, column, naive_tz)
        done[column] = cells.reindex(table.frame.index) if bad else cells
    return pd.DataFrame(done), faults


def _bad_rows(table: RawTable, name: str, column: str, naive_tz: str) -> dict[int, str]:
    """Find the rows whose cell cannot be read, and why; each text is looked at once."""
    if column not in table.frame:
        return {}
    cells = table.frame[column]
    why = dict(_bad_cells(_part(table, table.frame[~cells.duplicated()]), name, column, naive_tz))
    said = {cells[row]: reason for row, reason in why.items()}
    bad = cells[cells.isin(list(said))]
    return {int(str(row)): said[cell] for row, cell in bad.items()}


def _bad_cells(table: RawTable, name: str, column: str, naive_tz: str) -> Iterator[tuple[int, str]]:
    """Find the cells of a column that cannot be read, by halving it until one cell is left."""
    try:
        parse_column(table, name, column, naive_tz)
    except FileError as error:
        half, n = len(table.frame) // 2, len(table.frame)
        if n == 1:
            row = int(table.frame.index[0])
            yield row, str(error).split(f"column {column}: ", 1)[-1]
            return
        parts = [_part(table, table.frame.iloc[part]) for part in (slice(half), slice(half, n))]
        before = [fault for part in parts for fault in _bad_cells(part, name, column, naive_tz)]
        if not before:
            # Each half is well by itself, but not beside the other: times with and without an offset.
            before = [(int(row), str(error).split(f"column {column}: ", 1)[-1]) for row in table.frame.index]
        yield from before


def _part(table: RawTable, rows: pd.DataFrame) -> RawTable:
    return RawTable(table.path, rows, table.decimal_comma, 0, table.row_word)


def _broken_rules(
    path: str, rows: pd.DataFrame, name: str, known: set[tuple[int | None, str]]
) -> list[Fault]:
    """Find the values that break the rules of the table, other than the cells that are known to be bad."""
    schema = NETWORK_TABLES[name].to_schema()
    try:
        schema.validate(rows, lazy=True)
    except SchemaErrors as error:
        cases = error.failure_cases.dropna(subset=["index", "column"])
    else:
        return []
    faults = []
    for case in cases.itertuples(index=False):
        row, column = int(str(case.index)), str(case.column)
        repeated = case.check == "field_uniqueness"
        first = int(rows.index[np.flatnonzero(rows[column] == case.failure_case)[0]]) if repeated else None
        if row == first or (row, column) in known:
            continue
        found = f"{case.failure_case!r}" + (f", which row {first} has too" if repeated else "")
        kind = str(schema.columns[column].dtype)
        do = _what_to_do("unique" if repeated else "range" if kind == "float64" else kind, name, column)
        faults.append(Fault(path, row, column, found, _expected(name, column), do))
    return faults


def _without(rows: pd.DataFrame, broken: list[Fault], name: str) -> pd.DataFrame:
    """Empty the values that break rules, and leave out the rows that then do not say what they are about."""
    usable = rows.copy()
    for fault in broken:
        if fault.column != rows.columns[0]:
            usable.loc[fault.row, fault.column] = None
    keys = [column for column in rows.columns if column.endswith("_id") or column == "time"]
    usable = usable.dropna(subset=keys)
    flags = [c for c, rule in NETWORK_TABLES[name].to_schema().columns.items() if str(rule.dtype) == "bool"]
    return usable.assign(**{column: usable[column].eq(True) for column in flags})


def _expected(name: str, column: str) -> str:
    rule = NETWORK_TABLES[name].to_schema().columns[column]
    if column in _EXPECTED:
        return _EXPECTED[column]
    words = {"str": "a name", "bool": "True or False", "float64": "a number"}[str(rule.dtype)]
    facts: dict[str, Any] = {check.name: check.statistics for check in rule.checks}
    if "isin" in facts:
        return f"one of {', '.join(facts['isin']['allowed_values'])}"
    low = facts.get("greater_than_or_equal_to", {}).get("min_value")
    high = facts.get("less_than_or_equal_to", {}).get("max_value")
    if low is not None:
        words += f" from {low:g}" + (f" to {high:g}" if high is not None else " up")
    if "greater_than" in facts:
        words += f" above {facts['greater_than']['min_value']:g}"
    return (
        words + (" that no other row has" if rule.unique else "") + (", or nothing" if rule.nullable else "")
    )


def _what_to_do(kind: str, name: str, column: str) -> str:
    if kind in _WHAT_TO_DO:
        return _WHAT_TO_DO[kind]
    nullable = NETWORK_TABLES[name].to_schema().columns[column].nullable
    return "Write what is expected there, or leave " + ("it empty." if nullable else "the row out.")
