"""What a plan touches, cut out: transformers with all they feed, and their ways up to the substation."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from gridlib.domain.flow.feeders import FeederFlow, Feeders
from gridlib.domain.flow.grid import Bools, Complexes, FlowGrid, Ints
from gridlib.domain.flow.medium import way_up
from gridlib.domain.flow.model import AcModel
from gridlib.facts.messages import Message, once_each


@dataclass(frozen=True, eq=False)
class Way:
    """The part of a feeder between touched transformers and the substation.

    Attributes
    ----------
    tree : int
        The feeder.
    flow : FeederFlow
        The whole of it before.
    inside : array of int [P]
        Places of the way's nodes among those of ``flow``.
    first : int
        Node of the first of them in the cut-out network; its line is that many after the switches.
    touched : array of int
        Places of the touched transformers among those of ``flow``.
    """

    tree: int
    flow: FeederFlow
    inside: Ints
    first: int
    touched: Ints

    @cached_property
    def anchor(self) -> Ints:
        """For each node of the feeder the place among ``inside`` of the last one on its way down."""
        found = np.full(len(self.flow.nodes), -1, dtype=np.int64)
        found[self.inside] = np.arange(len(self.inside))
        for k in np.flatnonzero(found < 0).tolist():
            above = int(self.flow.parent[k])
            found[k] = found[above] if above >= 0 else -1
        return found

    @cached_property
    def beside(self) -> Ints:
        """Transformers of the feeder that are not touched."""
        kept: Ints = np.setdiff1d(np.arange(len(self.flow.units)), self.touched)
        return kept


@dataclass(frozen=True, eq=False)
class Station:
    """A substation whose firm capacity is known.

    Attributes
    ----------
    name : str
        The substation.
    firm_kva : float
        What its transformers may carry together [kVA].
    sources : array of int
        Its busbars among the sources of the cut-out network.
    rest : array of int
        Transformers that it feeds beside those in the cut-out network and on its ways.
    rest_kva : array of complex [C]
        Their load [kVA].
    """

    name: str
    firm_kva: float
    sources: Ints
    rest: Ints
    rest_kva: Complexes


@dataclass(frozen=True, eq=False)
class Territory:
    """Transformers and sections cut out of a network, with the ways above them.

    Attributes
    ----------
    grid : FlowGrid
        First the busbars of ``units`` and the ``sections``, then the nodes of the ways, then substations and
        upper terminals at which nominal voltage is taken. Lines are switches first, then the ways'.
    units, sections : array of int
        Touched transformers and what they feed in any state, as positions in the feeding tree.
    switches : dict
        Row of each switch among the lines.
    ways : tuple of Way
        Feeders that are modelled.
    lump_kva : array of complex [C, nodes]
        What hangs beside the ways, with its losses before any switching [kVA].
    stations : tuple of Station
        Substations above it whose firm capacity is known.
    missing : tuple of Message
        What is missing, element by element.
    not_checked : tuple of Message
        What is left out because of it.
    """

    grid: FlowGrid
    units: Ints
    sections: Ints
    switches: dict[str, int]
    ways: tuple[Way, ...]
    lump_kva: Complexes
    stations: tuple[Station, ...]
    missing: tuple[Message, ...]
    not_checked: tuple[Message, ...]

    @property
    def low(self) -> int:
        """Number of low-voltage nodes; they come first."""
        return len(self.units) + len(self.sections)

    def in_state(self, changes: Mapping[str, bool]) -> FlowGrid:
        """Set some switches; impossible lines stay open."""
        bad = {finding.object_id for finding in self.grid.findings}
        closed = self.grid.lines.closed.copy()
        for name, state in changes.items():
            if name in self.switches:
                closed[self.switches[name]] = state and name not in bad
        return replace(self.grid, lines=replace(self.grid.lines, closed=closed))

    def feeding(self, grid: FlowGrid) -> tuple[Bools, Bools]:
        """Tell which low-voltage nodes lie in a ring or between transformers, and which have no supply."""
        rows = np.arange(len(self.switches))
        rows = rows[grid.lines.closed[rows]]
        start, end = grid.lines.start[rows], grid.lines.end[rows]
        _, label = connected_components(
            coo_array((np.ones(len(rows)), (start, end)), shape=(self.low, self.low)), directed=False
        )
        count = int(label.max()) + 1
        units = np.bincount(label[: len(self.units)], minlength=count)
        size, lines = np.bincount(label, minlength=count), np.bincount(label[start], minlength=count)
        ring, dark = (units > 1) | (lines > size - 1), units == 0
        return ring[label], dark[label]


def cut_out(model: AcModel, feeders: Feeders, units: Sequence[int], sections: Iterable[int]) -> Territory:
    """Cut transformers out of a network, with their ways up to the substation.

    Parameters
    ----------
    model : AcModel
        The network; the plates of ``units`` must be known.
    feeders : Feeders
        The feeders before any switching.
    units, sections : sequences of int
        Touched transformers, and the sections that they feed in any of the states to be solved.

    Returns
    -------
    Territory
        Where a feeder cannot be modelled, its transformers have nominal voltage above them.

    Notes
    -----
    What hangs beside the ways is a load at the node where it branches off, with its losses as they are before
    any switching. A change of the voltage there by 1 % changes these losses by 2 %, and the load by less than
    a thousandth.
    """
    chosen, inside = np.array(sorted(units), dtype=np.int64), np.array(sorted(sections), dtype=np.int64)
    low = np.concatenate([chosen, inside])
    missing: list[Message] = []
    left_out: list[Message] = []
    by_tree: dict[int, list[int]] = {}
    alone: list[int] = []
    for unit in chosen.tolist():
        name, tree = str(model.tree.nodes[unit]), model.tree_of(unit)
        lacks = (
            model.medium.lacks(name)
            if tree < 0
            else tuple(Message("lack.load", {"name": other}) for other in feeders.unknown(tree))
        )
        if lacks:
            missing += lacks
            alone.append(unit)
        else:
            by_tree.setdefault(tree, []).append(unit)
    if alone:
        names = ", ".join(str(model.tree.nodes[unit]) for unit in alone)
        left_out.append(Message("omit.medium", {"names": names, "missing": missing[0]}))
    ways, nodes, first = [], [low], len(low)
    for tree, mine in by_tree.items():
        ways.append(_way(model, feeders, tree, mine, first))
        nodes.append(model.medium_node[ways[-1].flow.nodes[ways[-1].inside]])
        first += len(ways[-1].inside)
        if lumped := feeders.unplated(tree):
            left_out.append(Message("omit.losses", {"names": ", ".join(lumped)}))
    roots = np.unique(np.array([model.root[way.tree] for way in ways], dtype=np.int64))
    sources = np.concatenate([roots, np.array([model.high(unit) for unit in alone], dtype=np.int64)])
    switches = _switches_between(model, low)
    lines = [np.array(list(switches.values()), dtype=np.int64)]
    lines += [model.first_medium_line + model.medium.line[way.flow.nodes[way.inside]] for way in ways]
    every = np.concatenate([*nodes, sources])
    grid = model.part(every, np.concatenate(lines), model.unit[chosen], sources)
    bare = [name for name, row in switches.items() if model.bare[row]]
    missing += [Message("lack.ohm_behind", {"name": name}) for name in bare]
    if bare:
        left_out.append(Message("omit.bare", {"count": len(bare)}))
    if taps := [str(model.tree.nodes[unit]) for unit in chosen[model.tap_unknown[chosen]]]:
        left_out.append(Message("omit.taps", {"names": ", ".join(taps)}))
    unlimited = grid.lines.names[np.isnan(grid.lines.limit_a) & ~model.bare[np.concatenate(lines)]]
    if len(unlimited):
        left_out.append(Message("omit.loading", {"count": len(unlimited), "first": str(unlimited[0])}))
    stations = _stations(model, feeders, ways, roots, alone)
    known = {station.name for station in stations}
    if others := sorted({*_stations_of(model, ways), *(str(model.station[unit]) for unit in alone)} - known):
        left_out.append(Message("omit.station", {"names": ", ".join(others)}))
    return Territory(
        grid=grid,
        units=chosen,
        sections=inside,
        switches={name: k for k, name in enumerate(switches)},
        ways=tuple(ways),
        lump_kva=_lumps(ways, len(feeders.unit_kva), len(every)),
        stations=stations,
        missing=once_each(missing),
        not_checked=tuple(left_out),
    )


def _switches_between(model: AcModel, low: Ints) -> dict[str, int]:
    """Rows of the switches between low-voltage nodes, by name."""
    inside = set(low.tolist())
    wires = model.grid.lines
    rows = {
        row
        for node in inside
        for row in model.lines_at.get(node, ())
        if int(wires.start[row]) in inside and int(wires.end[row]) in inside
    }
    return {str(wires.names[row]): row for row in sorted(rows)}


def _way(model: AcModel, feeders: Feeders, tree: int, units: Sequence[int], first: int) -> Way:
    flow = feeders.flow(tree)
    place = {int(node): k for k, node in enumerate(flow.nodes)}
    medium = model.medium
    on_way = {
        place[node] for unit in units for node in way_up(medium, medium.position[str(model.tree.nodes[unit])])
    }
    touched = np.flatnonzero(np.isin(flow.units, units))
    return Way(tree, flow, np.array(sorted(on_way), dtype=np.int64), first, touched)


def _lumps(ways: Sequence[Way], cases: int, nodes: int) -> Complexes:
    """Take what flows into each node of the ways, less what goes on or into touched transformers."""
    found = np.zeros((cases, nodes), dtype=complex)
    for way in ways:
        flow, inside = way.flow, way.inside
        beside = flow.draw_kva[:, inside].copy()
        place = np.full(len(flow.nodes), -1, dtype=np.int64)
        place[inside] = np.arange(len(inside))
        for k in inside[flow.parent[inside] >= 0].tolist():
            beside[:, place[flow.parent[k]]] -= flow.draw_kva[:, k] + flow.loss_kva[:, k]
        for unit in way.touched.tolist():
            beside[:, place[flow.at[unit]]] -= flow.unit_kva[:, unit]
        found[:, way.first : way.first + len(inside)] = beside
    return found


def _stations_of(model: AcModel, ways: Sequence[Way]) -> list[str]:
    """Name the substation of each way."""
    return [str(model.medium.names[model.medium.parent[way.flow.nodes[0]]]) for way in ways]


def _stations(
    model: AcModel, feeders: Feeders, ways: Sequence[Way], roots: Ints, alone: Sequence[int]
) -> tuple[Station, ...]:
    """Find the substations whose firm capacity is known, and what they feed besides."""
    of_root = {model.root[way.tree]: name for way, name in zip(ways, _stations_of(model, ways), strict=True)}
    of_source = [*(of_root[root] for root in roots.tolist()), *(str(model.station[unit]) for unit in alone)]
    inside = np.zeros(model.tree.transformers, dtype=bool)
    inside[alone] = True
    for way in ways:
        inside[way.flow.units] = True
    found = []
    for name in sorted(set(of_source) & model.firm_kva.keys()):
        rest = np.flatnonzero((model.station == name) & ~inside)
        rest_kva = feeders.unit_kva[:, rest].sum(axis=1)
        if np.isfinite(rest_kva).all():
            sources = np.flatnonzero(np.array(of_source, dtype=object) == name)
            found.append(Station(name, model.firm_kva[name], sources, rest, rest_kva))
    return tuple(found)
