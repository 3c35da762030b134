"""All territories that one breaker could feed: trees of sections below it that no line limit forbids."""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from gridlib.domain.transfer.flow import Flows
from gridlib.domain.transfer.grid import TOLERANCE_KVA, Floats, SectionGrid
from gridlib.domain.transfer.reach import Reach, breaker_ends, inner_switches

MOST_TERRITORIES = 5_000
"""For one breaker; where there would be more, the largest are left out and no bound is claimed."""

Branching = list[tuple[int, int, int]]


@dataclass(frozen=True, eq=False)
class Territories:
    """What one breaker could feed.

    Attributes
    ----------
    unit : int
        Transformer of the breaker.
    sections, switches : list of tuple
        Nodes of each territory, and the switches that are closed in it, the breaker first. The first
        territory is empty where the breaker may be open.
    load_kva : array [K, Q x H]
        Load of each territory [kVA].
    present : int
        Position of the territory that is fed now.
    complete : bool
        Whether all are listed.
    """

    unit: int
    sections: list[tuple[int, ...]]
    switches: list[tuple[int, ...]]
    load_kva: Floats
    present: int
    complete: bool


def territories(grid: SectionGrid, before: Flows, around: Reach) -> dict[int, Territories]:
    """List what each breaker in reach could feed.

    Parameters
    ----------
    grid : SectionGrid
        The grid.
    before : Flows
        Its present flows.
    around : Reach
        Where switches may move.

    Returns
    -------
    dict
        By breaker.

    Notes
    -----
    A territory is a tree of closed switches that starts with the breaker. It is grown switch by switch; a
    line over its limit, or a transformer that could not carry it even with all its other breakers open,
    ends the growth. Each tree is met once: switches passed over are not taken up again further on.
    """
    n = grid.transformers
    far = inner_switches(grid, around.switches)
    must = set(around.switches[grid.fixed[around.switches]].tolist())
    units, heads = breaker_ends(grid, around.breakers)
    held_by = {
        head: breaker
        for breaker, head in zip(around.breakers.tolist(), heads.tolist(), strict=True)
        if breaker in must
    }
    room = _line_room(grid, before, around)
    loads = grid.step_load_kva
    drain = np.zeros((len(around.free), loads.shape[1]))
    exporting = np.flatnonzero((loads < 0).any(axis=1) & around.free[around.cluster])
    np.add.at(drain, around.cluster[exporting], np.minimum(loads[exporting], 0.0))
    others = np.zeros_like(around.rest_kva)
    np.add.at(others, units, drain[around.cluster[heads - n]])

    ground = _Ground(grid, loads, far, must, held_by, room)
    found: dict[int, Territories] = {}
    for breaker, unit, head in zip(around.breakers.tolist(), units.tolist(), heads.tolist(), strict=True):
        own = drain[around.cluster[head - n]]
        spare = around.most_kva[unit] - around.rest_kva[unit] - (others[unit] - own) + TOLERANCE_KVA
        found[breaker] = _Growth(ground, breaker, head, spare, own).listed(unit, before)
    return found


def _line_room(grid: SectionGrid, before: Flows, around: Reach) -> dict[int, Floats | float]:
    """Limit of each line; what it carries now where that is more."""
    room: dict[int, Floats | float] = dict(
        zip(
            around.switches.tolist(),
            (grid.line_kva[around.switches] + TOLERANCE_KVA).tolist(),
            strict=True,
        )
    )
    nodes = np.flatnonzero(around.free[around.cluster]) + grid.transformers
    carried = np.abs(before.node_kva[nodes])
    for k in np.flatnonzero(carried.max(axis=1, initial=0.0) > grid.line_kva[before.by[nodes]]):
        switch = int(before.by[nodes[k]])
        room[switch] = np.maximum(grid.line_kva[switch], carried[k]) + TOLERANCE_KVA
    return room


class _Ground(NamedTuple):
    """What all breakers share.

    The grid, section loads, switches between sections, those that must stay closed, breakers
    that must by their sections, and room of each line.
    """

    grid: SectionGrid
    loads: Floats
    far: dict[int, list[tuple[int, int]]]
    must: set[int]
    held_by: dict[int, int]
    room: dict[int, Floats | float]


class _Tree(NamedTuple):
    """A tree below a breaker.

    Nodes and switches in order of growth; flow into each node, switch and node above it; the switches over
    which it may still grow.
    """

    nodes: tuple[int, ...]
    switches: tuple[int, ...]
    flow: dict[int, Floats]
    by: dict[int, int]
    above: dict[int, int]
    ahead: Branching


class _Growth:
    """Growth of all territories of one breaker."""

    def __init__(self, ground: _Ground, breaker: int, head: int, spare: Floats, drain: Floats) -> None:
        self.ground, self.breaker, self.head, self.spare = ground, breaker, head, spare
        self.exports = bool((drain < 0).any())
        self.drain = drain

    def listed(self, unit: int, before: Flows) -> Territories:
        """Collect the territories."""
        sections: list[tuple[int, ...]] = []
        switches: list[tuple[int, ...]] = []
        kva: list[Floats] = []
        if self.breaker not in self.ground.must:
            sections.append(())
            switches.append(())
            kva.append(np.zeros(self.ground.loads.shape[1]))
        feeds = before.by[self.head] == self.breaker
        now = self._present(before) if feeds else frozenset[int]()
        present, complete = (-1 if now else 0), True
        for tree in self._trees():
            is_now = len(tree.switches) == len(now) and now.issuperset(tree.switches)
            if len(sections) >= MOST_TERRITORIES and not is_now:
                complete = False
                if present >= 0:
                    break
                continue
            if is_now:
                present = len(sections)
            sections.append(tree.nodes)
            switches.append(tree.switches)
            kva.append(tree.flow[self.head])
        return Territories(unit, sections, switches, np.array(kva), present, complete)

    def _present(self, before: Flows) -> frozenset[int]:
        """Find the closed switches of the tree that the breaker feeds now."""
        closed, todo = {self.breaker}, [self.head]
        while todo:
            node = todo.pop()
            for switch, other in self.ground.far[node]:
                if before.parent[other] == node and before.by[other] == switch:
                    closed.add(switch)
                    todo.append(other)
        return frozenset(closed)

    def _trees(self) -> Iterator[_Tree]:
        """Grow, the smallest trees first."""
        head = self.head
        load = self.ground.loads[head - self.ground.grid.transformers]
        if self.ground.held_by.get(head, self.breaker) != self.breaker or self._is_over(load, self.breaker):
            return
        if self._is_over(load, None):
            return
        first = _Tree(
            (head,), (self.breaker,), {head: load}, {head: self.breaker}, {}, self._beyond(head, -1)
        )
        growing = deque([first])
        while growing:
            tree = growing.popleft()
            if self.ground.grid.is_barred(tree.switches, tree.flow):
                continue
            ahead = [way for way in tree.ahead if way[2] not in tree.flow]
            if any(way[0] in self.ground.must for way in tree.ahead if way[2] in tree.flow):
                continue  # a switch that must stay closed would close a ring
            held = [k for k, way in enumerate(ahead) if way[0] in self.ground.must][:1]
            if not held and (not self.exports or self._carries(tree)):
                yield tree
            for k in held or range(len(ahead)):
                flow = self._grown(tree, *ahead[k])
                if flow is None:
                    continue
                switch, node, other = ahead[k]
                passed_over = ahead[:k] if held else []
                growing.append(
                    _Tree(
                        (*tree.nodes, other),
                        (*tree.switches, switch),
                        flow,
                        {**tree.by, other: switch},
                        {**tree.above, other: node},
                        [*passed_over, *ahead[k + 1 :], *self._beyond(other, switch)],
                    )
                )

    def _beyond(self, node: int, came_by: int) -> Branching:
        return [(switch, node, other) for switch, other in self.ground.far[node] if switch != came_by]

    def _grown(self, tree: _Tree, switch: int, node: int, other: int) -> dict[int, Floats] | None:
        """Flows with one more section, or None where a limit forbids it."""
        load = self.ground.loads[other - self.ground.grid.transformers]
        if other in self.ground.held_by or self._is_over(load, switch):
            return None
        grown = dict(tree.flow)
        grown[other] = load
        upward: int | None = node
        while upward is not None:
            more = tree.flow[upward] + load
            if self._is_over(more, tree.by[upward]):
                return None
            grown[upward] = more
            upward = tree.above.get(upward)
        return None if self._is_over(grown[self.head], None) else grown

    def _is_over(self, load: Floats, switch: int | None) -> bool:
        """Whether a load is more than a line, or without a switch the transformer, could ever carry."""
        room = self.spare if switch is None else self.ground.room[switch]
        return bool((load + self.drain > room).any()) if self.exports else bool((load > room).any())

    def _carries(self, tree: _Tree) -> bool:
        """Whether every line carries its flow, either way."""
        return all(
            (np.abs(tree.flow[node]) <= self.ground.room[switch]).all() for node, switch in tree.by.items()
        )
