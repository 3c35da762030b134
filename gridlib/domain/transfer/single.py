"""Single transfers: open one closed switch, close one open one; which hold, and what forbids the others."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from gridlib.domain.transfer.flow import Flows, flows, overload_kva
from gridlib.domain.transfer.grid import TOLERANCE_KVA, Bools, Floats, Ints, SectionGrid


@dataclass(frozen=True, eq=False)
class SingleTransfers:
    """All single transfers away from some transformers, one entry for each.

    Attributes
    ----------
    donor, receiver : array of int
        Transformers that give and take.
    opens, closes : array of int
        The switches.
    sections : list of array of int
        Nodes that go over.
    gain_kvah : array
        Cut of the risk-weighted overload, less the cost of the two operations [kVAh].
    missing_kva : array
        How far the tightest limit is passed [kVA]; 0 where the transfer harms nobody.
    by_line : array of bool
        Whether that limit is a line's and not a transformer's.
    element : array of int
        Switch or transformer whose limit it is; -1 where none is passed.
    scenario, hour : array of int
        Where it is passed furthest; -1 where it is not.
    """

    donor: Ints
    receiver: Ints
    opens: Ints
    closes: Ints
    sections: list[Ints]
    gain_kvah: Floats
    missing_kva: Floats
    by_line: Bools
    element: Ints
    scenario: Ints
    hour: Ints


class Limits(NamedTuple):
    """Bounds of no harm, either way: of transformers [n, Q x H], of lines [E] or for some hour by hour."""

    unit_kva: Floats
    line_kva: Floats
    line_steps_kva: dict[int, Floats]


class _Passed(NamedTuple):
    """How far a limit is passed, and which and when."""

    missing_kva: float
    by_line: bool
    element: int
    step: int


_NOTHING = _Passed(0.0, False, -1, -1)


def no_harm(grid: SectionGrid, before: Flows) -> Limits:
    """Give the bounds that no plan may pass: each limit, or what is carried now where that is more.

    Parameters
    ----------
    grid : SectionGrid
        The grid.
    before : Flows
        Its present flows.

    Returns
    -------
    Limits
        Bounds of transformers and lines [kVA].
    """
    load, limit = before.node_kva[: grid.transformers], grid.step_limit_kva
    fed = np.flatnonzero(before.by >= 0)
    over = fed[(np.abs(before.node_kva[fed]) > grid.line_kva[before.by[fed], None]).any(axis=1)]
    steps = {
        int(before.by[node]): np.maximum(grid.line_kva[before.by[node]], np.abs(before.node_kva[node]))
        for node in over
    }
    return Limits(np.fmax(limit, np.abs(load)), grid.line_kva, steps)


def single_transfers(
    grid: SectionGrid,
    donors: Ints,
    *,
    now: Flows | None = None,
    closed: Bools | None = None,
    limits: Limits | None = None,
) -> SingleTransfers:
    """List and check every single transfer away from some transformers, in every scenario and hour.

    Parameters
    ----------
    grid : SectionGrid
        The grid.
    donors : array of int
        Transformers to relieve.
    now, closed, limits : optional
        Flows, switch states and bounds to start from; by default the present ones.

    Returns
    -------
    SingleTransfers
        Those that hold and those that do not, each with the limit that is passed furthest.

    Examples
    --------
    >>> from gridlib.domain.transfer.grid import section_grid
    >>> grid = section_grid(
    ...     [0, 2, 1, 3], [2, 3, 4, 4], 300.0, [True, True, True, False],
    ...     [[80.0], [50.0], [20.0]], [100.0, 100.0], cost_kvah=0.0,
    ... )
    >>> found = single_transfers(grid, np.array([0]))
    >>> found.opens.tolist(), found.gain_kvah.tolist(), found.missing_kva.tolist(), found.element.tolist()
    ([1, 0], [30.0, -20.0], [0.0, 50.0], [-1, 1])
    """
    states = grid.closed if closed is None else closed
    state = flows(grid, states) if now is None else now
    bounds = no_harm(grid, state) if limits is None else limits
    search = _Search(grid, states, state, bounds)
    rows: list[tuple[int, int, int, int, float, _Passed]] = []
    sections: list[Ints] = []
    for donor in donors.tolist():
        for node, tie, near, far in search.ways(donor):
            receiver = int(state.source[far])
            rows.append(
                (
                    donor,
                    receiver,
                    int(state.by[node]),
                    tie,
                    search.gain_kvah(donor, receiver, node, tie),
                    search.passed(donor, receiver, node, tie, near, far),
                )
            )
            sections.append(search.below(node))
    passed = [row[5] for row in rows]
    steps = np.array([limit.step for limit in passed], dtype=np.int64)
    hours = grid.load_kva.shape[2]
    whole = np.array([row[:4] for row in rows], dtype=np.int64).reshape(-1, 4)
    return SingleTransfers(
        donor=whole[:, 0],
        receiver=whole[:, 1],
        opens=whole[:, 2],
        closes=whole[:, 3],
        sections=sections,
        gain_kvah=np.array([row[4] for row in rows]),
        missing_kva=np.array([limit.missing_kva for limit in passed]),
        by_line=np.array([limit.by_line for limit in passed], dtype=bool),
        element=np.array([limit.element for limit in passed], dtype=np.int64),
        scenario=np.where(steps < 0, -1, steps // hours),
        hour=np.where(steps < 0, -1, steps % hours),
    )


class _Search:
    """One switch state, and what a transfer from it would change."""

    def __init__(self, grid: SectionGrid, closed: Bools, state: Flows, limits: Limits) -> None:
        self.grid, self.closed, self.state, self.limits = grid, closed, state, limits
        self.open_at: dict[int, list[tuple[int, int, int]]] = defaultdict(list)
        for tie in np.flatnonzero(~closed & ~grid.fixed).tolist():
            one, other = int(grid.start[tie]), int(grid.end[tie])
            for near, far in ((one, other), (other, one)):
                source = int(state.source[near])
                if near >= grid.transformers and 0 <= source != state.source[far] >= 0:
                    self.open_at[source].append((tie, near, far))
        self.children: dict[int, list[int]] = defaultdict(list)
        for node in np.flatnonzero(state.parent >= 0).tolist():
            self.children[int(state.parent[node])].append(node)

    def ways(self, donor: int) -> Iterator[tuple[int, int, int, int]]:
        """Node below the switch that opens, tie that closes, and its ends, for every transfer of a donor."""
        for tie, near, far in self.open_at[donor]:
            node = near
            while node >= self.grid.transformers:
                barred = self.grid.barred and self.grid.is_barred((tie,), self.below(node).tolist())
                if not self.grid.fixed[self.state.by[node]] and not barred:
                    yield node, tie, near, far
                node = int(self.state.parent[node])

    def below(self, node: int) -> Ints:
        """Find a node and all that hangs below it."""
        found = [node]
        for reached in found:
            found.extend(self.children[reached])
        return np.array(sorted(found), dtype=np.int64)

    def gain_kvah(self, donor: int, receiver: int, node: int, tie: int) -> float:
        """Cut of the objective."""
        grid, moved = self.grid, self.state.node_kva[node]
        gain = 0.0
        for unit, change in ((donor, -moved), (receiver, moved)):
            load, limit = self.state.node_kva[unit], grid.step_limit_kva[unit]
            cut = overload_kva(load, limit) - overload_kva(load + change, limit)
            gain += float(cut @ grid.step_weight_h) * float(grid.weight[unit])
        for switch in (int(self.state.by[node]), tie):
            away = self.closed[switch] == grid.closed[switch]
            gain -= float(grid.cost_kvah[switch]) * (1 if away else -1)
        return gain

    def passed(self, donor: int, receiver: int, node: int, tie: int, near: int, far: int) -> _Passed:
        """Find the limit that a transfer passes furthest."""
        kva, parent, by = self.state.node_kva, self.state.parent, self.state.by
        moved = kva[node]
        worst = max(self._unit(donor, kva[donor] - moved), self._unit(receiver, kva[receiver] + moved))
        worst = max(worst, self._line(tie, moved))
        turned = near
        while turned != node:  # the way to the tie now feeds backwards
            worst = max(worst, self._line(int(by[turned]), moved - kva[turned]))
            turned = int(parent[turned])
        for first, change in ((far, moved), (int(parent[node]), -moved)):
            upward = first
            while parent[upward] >= 0:
                worst = max(worst, self._line(int(by[upward]), kva[upward] + change))
                upward = int(parent[upward])
        return worst

    def _unit(self, unit: int, load: Floats) -> _Passed:
        return _furthest(np.abs(load) - self.limits.unit_kva[unit], False, unit)

    def _line(self, switch: int, flow: Floats) -> _Passed:
        room = self.limits.line_steps_kva.get(switch, self.limits.line_kva[switch])
        return _furthest(np.abs(flow) - room, True, switch)


def _furthest(beyond: Floats, by_line: bool, element: int) -> _Passed:
    step = int(beyond.argmax())
    if not beyond[step] > TOLERANCE_KVA:
        return _NOTHING
    return _Passed(float(beyond[step]), by_line, element, step)
