"""The medium-voltage lines between substations and transformers, as trees."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
from scipy.sparse import coo_array, csr_array
from scipy.sparse.csgraph import breadth_first_order, connected_components

from gridlib.domain.flow.grid import Bools, Ints, Names
from gridlib.facts.messages import Message, listed, verbatim
from gridlib.facts.types import Network


@dataclass(frozen=True, eq=False)
class Medium:
    """Medium-voltage lines that can be modelled: those that form a tree below one substation.

    Attributes
    ----------
    names : array of object [M]
        Substations, transformers (their upper terminals) and joints.
    substation : array of bool [M]
        Which of them are substations.
    lines : DataFrame
        line_id, from_id, to_id, r_ohm, x_ohm, limit_a of the lines of all trees; a line that leaves a
        substation has the limit of the feeders that it begins, where that is lower.
    parent, line : array of int [M]
        Next node towards the substation, and the row of the line to it; -1 where there is none.
    tree : array of int [M]
        Tree that a node is on; -1 for substations and for what cannot be modelled.
    missing : dict
        What is missing, element by element, by the name of each node that is on no tree.
    """

    names: Names
    substation: Bools
    lines: pd.DataFrame
    parent: Ints
    line: Ints
    tree: Ints
    missing: dict[str, tuple[Message, ...]]

    @cached_property
    def position(self) -> dict[str, int]:
        """Position of each node by its name."""
        return {str(name): place for place, name in enumerate(self.names)}

    @cached_property
    def members(self) -> dict[int, Ints]:
        """Nodes of each tree, those next to the substation first."""
        order = np.argsort(self._depth, kind="stable")
        found: dict[int, list[int]] = defaultdict(list)
        for node in order[self.tree[order] >= 0].tolist():
            found[int(self.tree[node])].append(node)
        return {tree: np.array(nodes, dtype=np.int64) for tree, nodes in found.items()}

    @cached_property
    def _depth(self) -> Ints:
        depth, above = np.zeros(len(self.names), dtype=np.int64), self.parent
        while (above >= 0).any():
            depth += above >= 0
            above = np.where(above >= 0, self.parent[above], -1)
        return depth

    def tree_of(self, name: str) -> int:
        """Tree that a transformer hangs on; -1 where its lines cannot be modelled."""
        return int(self.tree[self.position[name]]) if name in self.position else -1

    def lacks(self, name: str) -> tuple[Message, ...]:
        """Say what is missing for the way from a transformer to its substation."""
        return self.missing.get(name, (Message("lack.line_up", {"name": name}),))


def unit_table(network: Network) -> pd.DataFrame:
    """Give every transformer the voltage of its feeder and that feeder's limit.

    Parameters
    ----------
    network : Network
        The network.

    Returns
    -------
    DataFrame
        Indexed by transformer_id: rating_kva, vk_pct, vkr_pct, tap_pct, feeder_id, voltage_kv, limit_a.
    """
    table = network.transformers.drop_duplicates("transformer_id").set_index("transformer_id")
    feeders = network.feeders.drop_duplicates("feeder_id").set_index("feeder_id")
    feeders = feeders[["voltage_kv", "limit_a"]].astype(float)
    columns = ["rating_kva", "vk_pct", "vkr_pct", "tap_pct"]
    numbers = table.reindex(columns=columns).astype(float)
    return numbers.assign(feeder_id=table["feeder_id"]).join(feeders, on="feeder_id")


def medium_voltage(network: Network) -> Medium:
    """Follow the lines from the substations.

    Parameters
    ----------
    network : Network
        The whole network: every transformer on the lines must be in it.

    Returns
    -------
    Medium
        Lines that lack an impedance, reach no substation or form a ring, because no table says where it is
        open, take everything that is joined with them out of the model, and no other lines.
    """
    wires = medium_lines(network)
    stations = pd.Index(network.substations["substation_id"]).unique()
    ends = pd.Index(pd.unique(pd.concat([wires["from_id"], wires["to_id"]], ignore_index=True)))
    names = stations.append(ends.difference(stations, sort=False))
    station = np.arange(len(names)) < len(stations)
    start, end = _positions(names, wires["from_id"]), _positions(names, wires["to_id"])
    inner = ~(station[start] | station[end])
    part = _labels(len(names), start[inner], end[inner])
    part_of_line = part[np.where(station[start], end, start)]
    between = station[start] & station[end]
    bad = _faults(names, station, wires, start, end, part, np.where(between, -1, part_of_line))
    good = ~between & ~np.isin(part_of_line, list(bad))
    lines = wires[good]
    parent, line = _ways_up(station, start[good], end[good])
    tree = np.where(parent >= 0, part, -1)
    missing = {
        str(names[node]): bad[int(part[node])]
        for node in np.flatnonzero(~station & (tree < 0))
        if int(part[node]) in bad
    }
    table = unit_table(network)
    limited = lines.assign(limit_a=_limits(names, station, lines, start[good], end[good], part, table))
    return Medium(names.to_numpy(dtype=object), station, limited, parent, line, tree, missing)


def medium_lines(network: Network) -> pd.DataFrame:
    """Take the lines that belong to no switch: those of the medium voltage."""
    lines, switches = network.lines.drop_duplicates("line_id"), network.switches
    names = pd.Index(pd.unique(pd.concat([switches["from_id"], switches["to_id"]], ignore_index=True)))
    behind = np.isin(_pairs(names, lines), _pairs(names, switches))
    own = lines["line_id"].isin(switches["switch_id"]).to_numpy(dtype=bool)
    itself = (lines["from_id"] == lines["to_id"]).to_numpy(dtype=bool)
    medium: pd.DataFrame = lines[~(own | behind | itself)]
    return medium


def _pairs(names: pd.Index, frame: pd.DataFrame) -> Ints:
    """Give each pair of ends one number, whichever way round; -1 where an end is not known."""
    ends = np.stack([_positions(names, frame["from_id"]), _positions(names, frame["to_id"])])
    return np.where(ends.min(axis=0) < 0, -1, ends.min(axis=0) * len(names) + ends.max(axis=0))


def _possible(wires: pd.DataFrame) -> Bools:
    r, x = wires["r_ohm"].to_numpy(dtype=float), wires["x_ohm"].to_numpy(dtype=float)
    possible: Bools = np.isfinite(r) & np.isfinite(x) & (r >= 0) & (x >= 0) & (r + x > 0)
    return possible


def _positions(names: pd.Index, wanted: Sequence[str] | pd.Series | pd.Index) -> Ints:
    return np.asarray(names.get_indexer(pd.Index(wanted)), dtype=np.int64)


def _labels(nodes: int, start: Ints, end: Ints) -> Ints:
    graph = csr_array(coo_array((np.ones(len(start)), (start, end)), shape=(nodes, nodes)))
    return np.asarray(connected_components(graph, directed=False)[1], dtype=np.int64)


def _faults(
    names: pd.Index, station: Bools, wires: pd.DataFrame, start: Ints, end: Ints, part: Ints, of_line: Ints
) -> dict[int, tuple[Message, ...]]:
    """Say of each part that is no tree below one substation why it is none."""
    found: dict[int, list[Message]] = defaultdict(list)
    line_names = wires["line_id"].to_numpy(dtype=object)
    for row in np.flatnonzero(~_possible(wires) & (of_line >= 0)):
        found[int(of_line[row])].append(Message("lack.ohm", {"name": str(line_names[row])}))
    heads: dict[int, set[int]] = defaultdict(set)
    for row in np.flatnonzero((station[start] | station[end]) & (of_line >= 0)):
        heads[int(of_line[row])].add(int(start[row] if station[start[row]] else end[row]))
    nodes = np.bincount(part[~station], minlength=len(names))
    lines = np.bincount(of_line[of_line >= 0], minlength=len(names))
    for number in np.unique(part[~station]).tolist():
        stations = sorted(heads.get(number, ()))
        if not stations:
            node = int(np.flatnonzero((part == number) & ~station)[0])
            found[number].append(Message("lack.line_up", {"name": str(names[node])}))
        elif len(stations) > 1:
            both = listed([verbatim(str(names[place])) for place in stations], "list.and")
            found[number].append(Message("lack.open_between", {"names": both}))
        elif lines[number] > nodes[number]:
            first = str(line_names[int((of_line == number).argmax())])
            found[number].append(Message("lack.open_in_ring", {"name": first}))
    return {number: tuple(reasons) for number, reasons in found.items()}


def _ways_up(station: Bools, start: Ints, end: Ints) -> tuple[Ints, Ints]:
    """Find the next node towards the substation, and the line to it."""
    n = len(station)
    roots = np.flatnonzero(station)
    rows, columns = np.r_[start, np.full(len(roots), n)], np.r_[end, roots]
    walk = csr_array(coo_array((np.ones(len(rows)), (rows, columns)), shape=(n + 1, n + 1)))
    _, before = breadth_first_order(walk, n, directed=False, return_predecessors=True)
    parent = np.where((before[:n] < 0) | (before[:n] == n), -1, before[:n]).astype(np.int64)
    line = np.full(n, -1, dtype=np.int64)
    for child, other in ((end, start), (start, end)):
        below = parent[child] == other
        line[child[below]] = np.flatnonzero(below)
    return parent, line


def _limits(
    names: pd.Index,
    station: Bools,
    lines: pd.DataFrame,
    start: Ints,
    end: Ints,
    part: Ints,
    table: pd.DataFrame,
) -> np.ndarray:
    """Bound the lines that leave a substation by the limit of the feeders they begin."""
    least = lines["limit_a"].to_numpy(dtype=float).copy()
    feeder_of = table["feeder_id"].reindex(names).to_numpy(dtype=object)
    limit_of = table.drop_duplicates("feeder_id").set_index("feeder_id")["limit_a"]
    leaving = np.flatnonzero(station[start] | station[end])
    inside: dict[int, set[object]] = defaultdict(set)
    for node in np.flatnonzero(pd.notna(feeder_of) & ~station):
        inside[int(part[node])].add(feeder_of[node])
    for row in leaving:
        number = int(part[end[row] if station[start[row]] else start[row]])
        bounds = limit_of.reindex(list(inside[number])).to_numpy(dtype=float)
        least[row] = np.fmin(least[row], np.fmin.reduce(bounds) if len(bounds) else np.nan)
    return least


def way_up(medium: Medium, node: int) -> Iterator[int]:
    """List a node and those between it and its substation."""
    while medium.parent[node] >= 0:
        yield node
        node = int(medium.parent[node])
