"""Tables of the network, and reported positions of its switches."""

from collections.abc import Callable, Set
from typing import Any

import numpy as np
import pandas as pd

from gridlib.adapters.readers.cells import parse_dates, parse_flags, parse_names, parse_numbers, parse_times
from gridlib.adapters.readers.findings import Findings
from gridlib.adapters.readers.raw import RawTable
from gridlib.adapters.readers.series import drop_future, drop_unclear_times
from gridlib.facts.errors import FrameError
from gridlib.facts.frames import NETWORK_TABLES, check_frame

_ASSUMED: dict[tuple[str, str], tuple[str | float | bool, str]] = {
    ("sections", "method"): ("kva_share", "its shares are taken for shares of installed kVA"),
    ("sections", "spread_pct"): (20.0, "a range of +-20 % is assumed for every section load"),
    ("switches", "remote"): (False, "every switch is taken for hand-operated"),
    ("switches", "may_parallel"): (False, "no make-before-break transfer is planned"),
    ("switch_states", "health"): ("OK", "every switch is taken for healthy"),
    ("switch_states", "tags"): ("", "every switch is taken for untagged"),
    ("switch_states", "source"): ("manual", "every position is taken for a manual entry"),
}
"""What stands in for a column, or a cell, that a table of data needs and a file may leave out."""

_LARGEST_SHARES = 1.02
"""Sum of the section shares of one transformer that rounding explains."""
_DATES = ("phase_rotation_confirmed_on",)
_DTYPES: dict[str, Any] = {"str": object, "float64": float, "bool": bool}
_COST = {
    "name_ar": "Arabic screens show the identifier",
    "limit_a": "its current limit is not checked",
    "rating_kva": "overload and risk cannot be computed",
    "cooling": "ONAN is assumed",
    "paper": "normal paper is assumed",
    "enclosure": "no surcharge for a kiosk is added",
    "customers": "interrupted customers are not counted",
    "vk_pct": "voltage is not checked",
    "vkr_pct": "voltage is not checked",
    "tap_pct": "voltage is not checked",
    "load_break_a": "no switch can be operated on load",
    "fault_make_ka": "no switch can be closed onto a live network",
    "limit_kva": "the limit of a tie is not checked",
    "phase_rotation_confirmed_on": "no transfer can be planned",
    "lat": "not shown on the map",
    "lon": "not shown on the map",
}


def read_network_table(table: RawTable, findings: Findings, name: str) -> pd.DataFrame:
    """Read one table of the network.

    Parameters
    ----------
    table : RawTable
        The file.
    findings : Findings
        Takes optional columns that are missing, columns that are not known, transformers without a rating
        (``missing_rating``) and transformers whose sections take more than all of its load, or nothing
        (``shares_not_one``).
    name : str
        Key of `NETWORK_TABLES`, other than ``switch_states``.

    Returns
    -------
    DataFrame
        That table, every column present.

    Raises
    ------
    FileError
        A column that must be is missing, or a value breaks the rules of the table.
    """
    rows = _checked(table, name, _columns(table, findings, name, ""))
    if name == "transformers":
        _check_ratings(rows, findings)
    if name == "sections":
        _check_shares(rows, findings)
    return rows


def read_switch_states(
    table: RawTable,
    findings: Findings,
    *,
    naive_tz: str,
    latest: pd.Timestamp | None,
    switches: Set[str] | None,
) -> pd.DataFrame:
    """Read reported positions of switches.

    Parameters
    ----------
    table : RawTable
        Columns switch_id, time, state, and perhaps health, tags, source.
    findings : Findings
        Takes what is missing or doubtful.
    naive_tz : str
        Zone of stamps without an offset; empty refuses them.
    latest : Timestamp or None
        Rows dated after it are left out: they would outrank every later report.
    switches : set of str or None
        Switches of the network; others are a finding, and their rows stay.

    Returns
    -------
    DataFrame
        A `SwitchStates` table in the order of time, its words in the case of that table.

    Raises
    ------
    FileError
        The file cannot be used.
    """
    rows = _columns(table, findings, "switch_states", naive_tz)
    for column in ("state", "health", "tags"):
        rows[column] = rows[column].str.upper()
    rows["tags"] = rows["tags"].str.split().str.join(" ")
    rows["source"] = rows["source"].str.lower()
    rows = drop_unclear_times(rows, naive_tz, findings)
    rows = drop_future(rows, "switch_id", "time", latest, findings)
    rows = _checked(table, "switch_states", rows)
    if switches is not None:
        unknown = rows[~rows["switch_id"].isin(list(switches))]
        findings.add_rows(unknown, "switch_id", "unknown_switch", "is not in the network")
    again = rows.duplicated()
    findings.add_rows(rows[again], "switch_id", "duplicate", "came more than once; one was kept")
    return rows[~again].sort_values("time", kind="stable", ignore_index=True)


def _columns(table: RawTable, findings: Findings, name: str, naive_tz: str) -> pd.DataFrame:
    rules = NETWORK_TABLES[name].to_schema().columns
    assumed = {column: value for (of, column), value in _ASSUMED.items() if of == name}
    table.require({column for column, rule in rules.items() if not rule.nullable and column not in assumed})
    done: dict[str, Any] = {}
    parse: dict[str, Callable[[str], Any]] = {
        "str": lambda column: parse_names(table, column, optional=True),
        "float64": lambda column: parse_numbers(table, column),
        "bool": lambda column: parse_flags(table, column),
    }
    for column, rule in rules.items():
        value, cost = assumed.get(column, (None, _COST.get(column, "left empty")))
        kind = str(rule.dtype)
        if column not in table.frame:
            findings.add_file("optional_column_missing", f"column {column}: {cost}", len(table.frame))
            empty = float("nan") if kind == "float64" else None
            done[column] = pd.Series(
                [empty if value is None else value] * len(table.frame),
                index=table.frame.index,
                dtype=_DTYPES[kind],
            )
        elif kind.startswith("datetime64"):
            done[column] = parse_times(table, column, naive_tz)
        elif column in _DATES:
            done[column] = parse_dates(table, column)
        elif rule.nullable or column in assumed:
            cells = pd.Series(parse[kind](column), index=table.frame.index)
            done[column] = cells if value is None else cells.where(cells.notna(), value)
        elif kind == "str":
            done[column] = parse_names(table, column)
        else:
            done[column] = parse[kind](column)
    findings.add_ignored(table.frame.columns, rules, len(table.frame))
    return pd.DataFrame(done, index=table.frame.index)


def _check_ratings(transformers: pd.DataFrame, findings: Findings) -> None:
    rating = transformers["rating_kva"].to_numpy(dtype=float)
    for place in np.flatnonzero(~(np.isfinite(rating) & (rating > 0))):
        found = "no rating" if np.isnan(rating[place]) else f"a rating of {rating[place]:g} kVA"
        message = f"has {found}, expected a positive number; it is not scored and not planned"
        findings.add(str(transformers["transformer_id"].iloc[place]), "missing_rating", message, 1)


def _check_shares(sections: pd.DataFrame, findings: Findings) -> None:
    total = sections.groupby("transformer_id")["share"].agg(["sum", "size"])
    wrong = total[(total["sum"] > _LARGEST_SHARES) | (total["sum"] <= 0)]
    for transformer_id, share, count in wrong.itertuples(name=None):
        message = f"its sections take {share:.1%} of its load, expected more than 0 and up to 100 %"
        findings.add(str(transformer_id), "shares_not_one", message, int(count))


def _checked(table: RawTable, name: str, rows: pd.DataFrame) -> pd.DataFrame:
    try:
        return check_frame(NETWORK_TABLES[name], rows).reset_index(drop=True)
    except FrameError as error:
        raise table.error(f"{error.bad_rows} bad value(s): {'; '.join(error.examples)}") from error
