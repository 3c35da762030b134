"""From tables to an electrical network, checked element by element."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from gridlib.domain.flow.grid import (
    Bools,
    Finding,
    Floats,
    FlowGrid,
    Ints,
    Lines,
    Links,
    Names,
    Transformers,
)
from gridlib.facts.errors import InputError
from gridlib.facts.messages import Message

LARGEST_VK_PCT = 100.0
"""A short-circuit voltage at or above this is no transformer: nominal voltage would drive less than nominal
current through a short circuit."""

_LINES = ("line_id", "from_id", "to_id", "r_ohm", "x_ohm")
_TRANSFORMERS = (
    "transformer_id",
    "hv_id",
    "lv_id",
    "rating_kva",
    "hv_kv",
    "lv_kv",
    "vk_pct",
    "vkr_pct",
)
_LINKS = ("link_id", "from_id", "to_id")


def flow_grid(
    nodes: pd.DataFrame,
    sources: pd.DataFrame,
    *,
    lines: pd.DataFrame | None = None,
    transformers: pd.DataFrame | None = None,
    links: pd.DataFrame | None = None,
) -> FlowGrid:
    """Build a network from tables.

    Parameters
    ----------
    nodes : DataFrame
        node_id, kv [kV].
    sources : DataFrame
        node_id and, optionally, u_pu [pu], 1 where missing.
    lines : DataFrame, optional
        line_id, from_id, to_id, r_ohm, x_ohm and, optionally, c_uf, limit_a, closed.
    transformers : DataFrame, optional
        transformer_id, hv_id, lv_id, rating_kva, hv_kv, lv_kv, vk_pct, vkr_pct and, optionally, tap_pct,
        no_load_kw, no_load_pct, closed.
    links : DataFrame, optional
        link_id, from_id, to_id and, optionally, closed: switches without impedance.

    Returns
    -------
    FlowGrid
        With a finding for every element whose data are impossible: ``bad_impedance`` (zero, negative or not
        a number), ``bad_transformer``, ``bad_voltage`` (ends of different nominal voltage, or none),
        ``unknown_end``. It is left out and the rest is solved.

    Raises
    ------
    InputError
        A column is missing, a node or an element is named twice, or a source is at no node.

    Examples
    --------
    >>> grid = flow_grid(
    ...     pd.DataFrame({"node_id": ["a", "b"], "kv": 11.0}),
    ...     pd.DataFrame({"node_id": ["a"]}),
    ...     lines=pd.DataFrame(
    ...         {"line_id": ["l"], "from_id": ["a"], "to_id": ["b"], "r_ohm": [0.0], "x_ohm": [0.0]}
    ...     ),
    ... )
    >>> [(finding.object_id, finding.code) for finding in grid.findings]
    [('l', 'bad_impedance')]
    """
    lines = pd.DataFrame(columns=list(_LINES)) if lines is None else lines
    transformers = pd.DataFrame(columns=list(_TRANSFORMERS)) if transformers is None else transformers
    links = pd.DataFrame(columns=list(_LINKS)) if links is None else links
    for title, frame, columns in (
        ("nodes", nodes, ("node_id", "kv")),
        ("sources", sources, ("node_id",)),
        ("lines", lines, _LINES),
        ("transformers", transformers, _TRANSFORMERS),
        ("links", links, _LINKS),
    ):
        _require(title, frame, columns)
    places = pd.Index(nodes["node_id"])
    source = np.asarray(places.get_indexer(pd.Index(sources["node_id"])), dtype=np.int64)
    if (source < 0).any():
        raise InputError(
            f"source {sources['node_id'].iloc[int(source.argmin())]} is at no node of the network"
        )
    kv = _numbers(nodes, "kv")
    wires, found_lines = _lines(lines, places, kv)
    units, found_units = _transformers(transformers, places, kv)
    joints, found_links = _links(links, places, kv)
    return FlowGrid(
        names=places.to_numpy(dtype=object),
        kv=kv,
        lines=wires,
        transformers=units,
        links=joints,
        source=source,
        source_pu=_numbers(sources, "u_pu", 1.0),
        findings=(*found_lines, *found_units, *found_links),
    )


def _require(title: str, frame: pd.DataFrame, columns: Sequence[str]) -> None:
    missing = [column for column in columns if column not in frame]
    if missing:
        raise InputError(f"{title} lack {', '.join(missing)}: expected {', '.join(columns)}")
    twice = frame[columns[0]][frame[columns[0]].duplicated()]
    if len(twice):
        raise InputError(f"{title}: {twice.iloc[0]} is named twice, expected one row for each")


def _numbers(frame: pd.DataFrame, column: str, default: float = np.nan) -> Floats:
    if column not in frame:
        return np.full(len(frame), default)
    values: Floats = frame[column].to_numpy(dtype=float, na_value=np.nan)
    return np.where(np.isnan(values), default, values)


def _states(frame: pd.DataFrame) -> Bools:
    if "closed" not in frame:
        return np.ones(len(frame), dtype=bool)
    return np.asarray(frame["closed"].to_numpy(dtype=bool))


def _ends(frame: pd.DataFrame, places: pd.Index, start: str, end: str) -> tuple[Ints, Ints, Bools]:
    ends = [
        np.asarray(places.get_indexer(pd.Index(frame[column])), dtype=np.int64) for column in (start, end)
    ]
    known = (ends[0] >= 0) & (ends[1] >= 0) & (ends[0] != ends[1])
    return np.where(known, ends[0], 0), np.where(known, ends[1], 0), known


def _findings(
    names: Names, checks: Sequence[tuple[str, Bools, str, Mapping[str, Floats]]]
) -> tuple[Bools, list[Finding]]:
    """Turn masks of bad elements into findings, the first reason of each; also which elements are good.

    A check is its code, the mask, what to say ("flow.found...."), and the numbers that stand in it.
    """
    good = np.ones(len(names), dtype=bool)
    found = []
    for code, bad, said, numbers in checks:
        for place in np.flatnonzero(bad & good).tolist():
            name = str(names[place])
            values = {number: float(each[place]) for number, each in numbers.items()}
            found.append(Finding(name, code, Message(f"flow.found.{said}", {"name": name, **values})))
        good &= ~bad
    return good, found


def _lines(frame: pd.DataFrame, places: pd.Index, kv: Floats) -> tuple[Lines, list[Finding]]:
    names = frame["line_id"].to_numpy(dtype=object)
    start, end, known = _ends(frame, places, "from_id", "to_id")
    r, x, c = _numbers(frame, "r_ohm"), _numbers(frame, "x_ohm"), _numbers(frame, "c_uf", 0.0)
    possible = np.isfinite(r) & np.isfinite(x) & (r >= 0) & (x >= 0) & (r + x > 0) & (c >= 0)
    good, found = _findings(
        names,
        (
            ("unknown_end", ~known, "unknown_end", {}),
            ("bad_voltage", ~_same_voltage(kv, start, end), "two_voltages", {}),
            ("bad_impedance", ~possible, "impedance", {"r_ohm": r, "x_ohm": x}),
        ),
    )
    closed = good & _states(frame)
    limit_a = _numbers(frame, "limit_a")
    limit_a = np.where(limit_a > 0, limit_a, np.nan)
    return Lines(names, start, end, r, x, c, limit_a, closed), found


def _transformers(frame: pd.DataFrame, places: pd.Index, kv: Floats) -> tuple[Transformers, list[Finding]]:
    names = frame["transformer_id"].to_numpy(dtype=object)
    start, end, known = _ends(frame, places, "hv_id", "lv_id")
    columns = ("rating_kva", "hv_kv", "lv_kv", "vk_pct", "vkr_pct")
    rating, hv, lv, vk, vkr = (_numbers(frame, column) for column in columns)
    tap, loss, current = (_numbers(frame, name, 0.0) for name in ("tap_pct", "no_load_kw", "no_load_pct"))
    possible = (vk > 0) & (vk < LARGEST_VK_PCT) & (vkr >= 0) & (vkr <= vk)
    sound = (rating > 0) & np.isfinite(rating) & (hv > 0) & (lv > 0) & np.isfinite(hv + lv)
    sound &= (np.abs(tap) < 50) & (loss >= 0) & (current >= 0) & (current < 100)
    plate = {"rating_kva": rating, "hv_kv": hv, "lv_kv": lv, "tap_pct": tap}
    nominal = (kv[start] > 0) & (kv[end] > 0)
    good, found = _findings(
        names,
        (
            ("unknown_end", ~known, "unknown_end", {}),
            ("bad_voltage", ~nominal, "no_voltage", {}),
            ("bad_transformer", ~sound, "plate", plate),
            ("bad_impedance", ~possible, "short_circuit", {"vk_pct": vk, "vkr_pct": vkr}),
        ),
    )
    closed = good & _states(frame)
    table = Transformers(names, start, end, rating, hv, lv, vk, vkr, tap, loss, current, closed)
    return table, found


def _links(frame: pd.DataFrame, places: pd.Index, kv: Floats) -> tuple[Links, list[Finding]]:
    names = frame["link_id"].to_numpy(dtype=object)
    start, end, known = _ends(frame, places, "from_id", "to_id")
    good, found = _findings(
        names,
        (
            ("unknown_end", ~known, "unknown_end", {}),
            ("bad_voltage", ~_same_voltage(kv, start, end), "two_voltages", {}),
        ),
    )
    return Links(names, start, end, good & _states(frame)), found


def _same_voltage(kv: Floats, start: Ints, end: Ints) -> Bools:
    if not len(start):
        return np.zeros(0, dtype=bool)
    same: Bools = (kv[start] > 0) & np.isclose(kv[start], kv[end])
    return same
