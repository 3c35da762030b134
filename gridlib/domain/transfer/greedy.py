"""Checked single transfers, one after another: the answer where the time for a proven one is too short."""

from collections.abc import Iterator

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from gridlib.domain.transfer.flow import Flows, flows, overload_kva
from gridlib.domain.transfer.grid import TOLERANCE_KVA, Bools, Ints, SectionGrid, section_grid
from gridlib.domain.transfer.reach import Reach, breaker_ends, reach
from gridlib.domain.transfer.single import no_harm, single_transfers


def greedy_transfers(grid: SectionGrid, *, hops: int | None = 2, most_operations: int | None = None) -> Bools:
    """Apply the best single transfer that harms nobody, and again, until none helps.

    Parameters
    ----------
    grid : SectionGrid
        The grid.
    hops : int or None
        How many clusters away from an overloaded transformer switches may move.
    most_operations : int, optional
        Most switches that may change around one group of transformers.

    Returns
    -------
    array of bool [E]
        Switch states.
    """
    before = flows(grid, grid.closed)
    around = reach(grid, before, hops)
    closed = grid.closed.copy()
    for units in _groups(grid, around):
        greedy_around(grid, before, units, around.switches, closed, most_operations)
    return closed


def greedy_around(
    grid: SectionGrid,
    before: Flows,
    units: Ints,
    switches: Ints,
    closed: Bools,
    most_operations: int | None,
) -> float:
    """Write the states of greedy transfers around some transformers into ``closed``; return the objective."""
    part, part_switches = _part(grid, before, units, switches)
    states = part.closed.copy()
    state = flows(part, states)
    limits = no_harm(part, state)
    counted = part.step_weight_h > 0
    while most_operations is None or (states != part.closed).sum() + 2 <= most_operations:
        over = overload_kva(state.node_kva[: part.transformers], part.step_limit_kva)[:, counted]
        donors = np.flatnonzero((over > TOLERANCE_KVA).any(axis=1))
        found = single_transfers(part, donors, now=state, closed=states, limits=limits)
        worth = np.where(found.element < 0, found.gain_kvah, 0.0)
        if not len(worth) or worth.max() <= TOLERANCE_KVA:
            break
        best = int(worth.argmax())
        states[found.opens[best]], states[found.closes[best]] = False, True
        state = flows(part, states)
    closed[part_switches] = states
    over = overload_kva(state.node_kva[: part.transformers], part.step_limit_kva)
    changed = states != part.closed
    return float(over @ part.step_weight_h @ part.weight + part.cost_kvah[changed].sum())


def _groups(grid: SectionGrid, around: Reach) -> Iterator[Ints]:
    """Yield transformers that share free clusters, where one of them is overloaded."""
    unit, head = breaker_ends(grid, around.breakers)
    home = around.cluster[head - grid.transformers] + grid.transformers
    size = grid.transformers + len(around.free)
    _, group = connected_components(coo_array((np.ones(len(unit)), (unit, home)), shape=(size, size)))
    group = group[: grid.transformers]
    members = np.unique(unit)
    by_group = members[np.argsort(group[members], kind="stable")]
    for number in np.unique(group[members[around.donors[members]]]):
        first, last = np.searchsorted(group[by_group], (number, number + 1))
        yield by_group[first:last]


def _part(grid: SectionGrid, before: Flows, units: Ints, switches: Ints) -> tuple[SectionGrid, Ints]:
    """Grid of some transformers with all they feed; only ``switches`` may move. And its switches' places."""
    n = grid.transformers
    chosen = np.zeros(n, dtype=bool)
    chosen[units] = True
    inside = (before.source >= 0) & chosen[np.maximum(before.source, 0)]
    nodes = np.flatnonzero(inside)
    place = np.full(grid.nodes, -1, dtype=np.int64)
    place[nodes] = np.arange(len(nodes))
    kept = np.flatnonzero(inside[grid.start] & inside[grid.end])
    may_move = np.zeros(len(grid.start), dtype=bool)
    may_move[switches] = True
    part = section_grid(
        place[grid.start[kept]],
        place[grid.end[kept]],
        grid.line_kva[kept],
        grid.closed[kept],
        grid.load_kva[:, nodes[nodes >= n] - n],
        grid.limit_kva[nodes[nodes < n]],
        fixed=grid.fixed[kept] | ~may_move[kept],
        cost_kvah=grid.cost_kvah[kept],
        weight=grid.weight[nodes[nodes < n]],
        scenario_weight=grid.scenario_weight.tolist(),
        step_h=grid.step_h,
        barred=[
            (int(np.searchsorted(kept, tie)), frozenset(place[list(group)].tolist()))
            for tie, group in grid.barred
            if tie in kept and (place[list(group)] >= 0).all()
        ],
    )
    return part, kept
