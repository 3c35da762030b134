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
    "firm_kva": "loading of the substation transformers is not checked",
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
    "limit_kva": "the limit of a switch, or of what is in series with a transformer, is not checked",
    "phase_rotation_confirmed_on": "no transfer can be planned",
    "pick_up_a": "protection is not checked",
    "fault_level_max_mva": "the supply is taken for infinitely strong where devices close",
    "fault_level_min_mva": "protection is not checked",
    "critical_customers": "the sheet cannot name them",
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
    rows = plain_words(_columns(table, findings, "switch_states", naive_tz))
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
    table.require(required_columns(name))
    add_missing_columns(table, findings, name)
    done = {column: parse_column(table, name, column, naive_tz) for column in _rules(name)}
    return pd.DataFrame(done, index=table.frame.index)


def required_columns(name: str) -> set[str]:
    """Name the columns without which a table cannot be read.

    Parameters
    ----------
    name : str
        Key of `NETWORK_TABLES`.

    Returns
    -------
    set of str
        Columns.
    """
    return {
        column
        for column, rule in _rules(name).items()
        if not rule.nullable and (name, column) not in _ASSUMED
    }


def add_missing_columns(table: RawTable, findings: Findings, name: str) -> None:
    """Say which optional columns are missing and what that costs, and which columns nobody reads.

    Parameters
    ----------
    table : RawTable
        The file.
    findings : Findings
        Takes them, as ``optional_column_missing`` and ``column_ignored``.
    name : str
        Key of `NETWORK_TABLES`.
    """
    for column in _rules(name):
        if column not in table.frame:
            cost = _ASSUMED.get((name, column), (None, _COST.get(column, "left empty")))[1]
            findings.add_file("optional_column_missing", f"column {column}: {cost}", len(table.frame))
    findings.add_ignored(table.frame.columns, _rules(name), len(table.frame))


def parse_column(table: RawTable, name: str, column: str, naive_tz: str) -> pd.Series:
    """Read one column of a network table.

    Parameters
    ----------
    table : RawTable
        The file; the column may be missing where the table does not require it.
    name : str
        Key of `NETWORK_TABLES`.
    column : str
        Column of that table.
    naive_tz : str
        Zone of stamps without an offset; empty refuses them.

    Returns
    -------
    Series
        With the index of the file, in the type of the table, and what is assumed where a cell is empty.

    Raises
    ------
    FileError
        The first cell that cannot be read.
    """
    rule = _rules(name)[column]
    value, _ = _ASSUMED.get((name, column), (None, ""))
    index, kind = table.frame.index, str(rule.dtype)
    if column not in table.frame:
        empty = float("nan") if kind == "float64" else None
        return pd.Series([empty if value is None else value] * len(index), index=index, dtype=_DTYPES[kind])
    if kind.startswith("datetime64"):
        return parse_times(table, column, naive_tz)
    if column in _DATES:
        return parse_dates(table, column)
    parse: dict[str, Callable[[], Any]] = {
        "str": lambda: parse_names(table, column, optional=rule.nullable or value is not None),
        "float64": lambda: parse_numbers(table, column),
        "bool": lambda: parse_flags(table, column),
    }
    cells = pd.Series(parse[kind](), index=index)
    return cells if value is None else cells.where(cells.notna(), value)


def plain_words(rows: pd.DataFrame) -> pd.DataFrame:
    """Write the words of switch states in the case of their table, tags parted by one blank.

    Parameters
    ----------
    rows : DataFrame
        With state, health, tags and source.

    Returns
    -------
    DataFrame
        A copy of it with those words.
    """
    upper = {column: rows[column].str.upper() for column in ("state", "health", "tags")}
    words = {**upper, "tags": upper["tags"].str.split().str.join(" "), "source": rows["source"].str.lower()}
    return rows.assign(**words)


def _rules(name: str) -> dict[str, Any]:
    return dict(NETWORK_TABLES[name].to_schema().columns)


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
