"""What a switch state really does: trees, flows in every scenario and hour, and whether anyone is harmed."""

from dataclasses import dataclass

import numpy as np
from scipy.sparse import coo_array, csr_array
from scipy.sparse.csgraph import breadth_first_order, connected_components

from gridlib.domain.transfer.grid import TOLERANCE_KVA, Bools, Floats, Ints, SectionGrid

UNFED, LOOPED = -1, -2
"""Values of `Flows.source`: no transformer feeds the node; it lies in a ring or between two transformers."""

LINE_TOLERANCE_PU = 1e-9
"""Rounding that a line limit forgives."""


@dataclass(frozen=True, eq=False)
class Flows:
    """Trees and flows of one switch state.

    Attributes
    ----------
    source : array of int [N]
        Feeding transformer of each node, `UNFED` or `LOOPED`.
    parent, by : array of int [N]
        Next node towards the transformer and the switch in between; -1 at transformers and where not radial.
    depth : array of int [N]
        Switches between a node and its transformer.
    node_kva : array [N, Q x H]
        Load of a node with all that hangs below it [kVA]; NaN where the node is not fed radially.
    """

    source: Ints
    parent: Ints
    by: Ints
    depth: Ints
    node_kva: Floats

    def line_kva(self, grid: SectionGrid) -> Floats:
        """Flow over each switch, away from its transformer, [E, Q x H]; 0 where open."""
        flow = np.zeros((len(grid.start), self.node_kva.shape[1]))
        fed = np.flatnonzero(self.by >= 0)
        flow[self.by[fed]] = self.node_kva[fed]
        return flow


@dataclass(frozen=True, eq=False)
class Evaluation:
    """Outcome of a switch state beside the present one.

    Attributes
    ----------
    load_kva : array [Q, n, H]
        Load of each transformer [kVA]; NaN where it feeds a ring.
    base_kvah, over_kvah : float
        Energy above the limits before and after, by scenario weight, without risk weights [kVAh].
    objective_kvah : float
        Risk-weighted overload and cost of the operations [kVAh].
    worse, newly_over : array of bool [n]
        Transformers with a larger overload in any scenario and hour; overloaded now and not before.
    lines_over : array of bool [E]
        Switches that carry more than their limit and more than before.
    radial, fed : bool
        Nothing lies in a ring or between transformers that did not before; the same for sections unfed.
    operations : int
        Switches that change.
    """

    load_kva: Floats
    base_kvah: float
    over_kvah: float
    objective_kvah: float
    worse: Bools
    newly_over: Bools
    lines_over: Bools
    radial: bool
    fed: bool
    operations: int

    @property
    def holds(self) -> bool:
        """Whether nobody is harmed."""
        harmed = self.worse.any() or self.newly_over.any() or self.lines_over.any()
        return bool(self.radial and self.fed and not harmed)


def flows(grid: SectionGrid, closed: Bools) -> Flows:
    """Follow the closed switches and add up the loads.

    Parameters
    ----------
    grid : SectionGrid
        The grid.
    closed : array of bool [E]
        Switch states.

    Returns
    -------
    Flows
        Trees and flows; a component that is not radial is left out and never touches its neighbours.
    """
    n, nodes = grid.transformers, grid.nodes
    switches = np.flatnonzero(closed)
    start, end = grid.start[switches], grid.end[switches]
    graph = csr_array(coo_array((np.ones(len(start)), (start, end)), shape=(nodes, nodes)))
    count, component = connected_components(graph, directed=False)
    roots = np.bincount(component[:n], minlength=count)
    size = np.bincount(component, minlength=count)
    radial = (roots == 1) & (np.bincount(component[start], minlength=count) == size - 1)
    root = np.full(count, UNFED, dtype=np.int64)
    root[component[:n]] = np.arange(n)
    root[(roots > 0) & ~radial] = LOOPED
    source = root[component]

    # One walk over the fleet: a node in front of every radial transformer makes it a single tree.
    first = np.flatnonzero(radial[component[:n]])
    rows, columns = np.r_[start, np.full(len(first), nodes)], np.r_[end, first]
    walk = csr_array(coo_array((np.ones(len(rows)), (rows, columns)), shape=(nodes + 1, nodes + 1)))
    _, before = breadth_first_order(walk, nodes, directed=False, return_predecessors=True)
    parent = np.where((before[:nodes] < 0) | (before[:nodes] == nodes), -1, before[:nodes]).astype(np.int64)
    by = np.full(nodes, -1, dtype=np.int64)
    for child, other in ((end, start), (start, end)):
        below = parent[child] == other
        by[child[below]] = switches[below]

    depth = np.zeros(nodes, dtype=np.int64)
    above = parent
    while (above >= 0).any():
        depth += above >= 0
        above = np.where(above >= 0, parent[above], -1)
    kva = np.zeros((nodes, len(grid.step_weight_h)))
    kva[n:] = grid.step_load_kva
    deepest_first = np.argsort(-depth, kind="stable")
    level = depth[deepest_first]
    for number in range(int(depth.max(initial=0)), 0, -1):
        children = deepest_first[np.searchsorted(-level, -number) : np.searchsorted(-level, -number, "right")]
        np.add.at(kva, parent[children], kva[children])
    kva[source < 0] = np.nan
    return Flows(source, parent, by, depth, kva)


def overload_kva(load_kva: Floats, limit_kva: Floats) -> Floats:
    """Load above the limit, either way [kVA]."""
    return np.maximum(np.abs(load_kva) - limit_kva, 0.0)


def evaluate(grid: SectionGrid, closed: Bools, before: Flows | None = None) -> Evaluation:
    """Apply a switch state and judge it beside the present one, in every scenario and hour.

    Parameters
    ----------
    grid : SectionGrid
        The grid.
    closed : array of bool [E]
        Switch states to judge.
    before : Flows, optional
        Flows of the present state, where they are known already.

    Returns
    -------
    Evaluation
        Transformers whose load or limit is not known count neither as overloaded nor as worse.

    Examples
    --------
    >>> from gridlib.domain.transfer.grid import section_grid
    >>> grid = section_grid(
    ...     [0, 2, 1, 3], [2, 3, 4, 4], 300.0, [True, True, True, False],
    ...     [[80.0], [50.0], [20.0]], [100.0, 100.0],
    ... )
    >>> moved = evaluate(grid, np.array([True, False, True, True]))
    >>> moved.base_kvah, moved.over_kvah, moved.holds
    (30.0, 0.0, True)
    """
    before = flows(grid, grid.closed) if before is None else before
    after = flows(grid, closed)
    n = grid.transformers
    limit = grid.step_limit_kva
    known = np.isfinite(before.node_kva[:n]) & np.isfinite(limit)
    over_before = np.where(known, overload_kva(before.node_kva[:n], limit), 0.0)
    over_after = np.where(known, overload_kva(after.node_kva[:n], limit), 0.0)
    lost = known & np.isnan(after.node_kva[:n])
    over_after = np.where(lost, 0.0, over_after)
    was, now = over_before.max(axis=1) > TOLERANCE_KVA, over_after.max(axis=1) > 2 * TOLERANCE_KVA
    fed = np.flatnonzero(after.by >= 0)
    peak = np.maximum(after.node_kva.max(axis=1), -after.node_kva.min(axis=1))[fed]
    suspects = fed[peak > grid.line_kva[after.by[fed]] * (1 + LINE_TOLERANCE_PU) + TOLERANCE_KVA]
    lines_over = np.zeros(len(grid.start), dtype=bool)
    if len(suspects):
        was_kva = np.abs(before.line_kva(grid)[after.by[suspects]])
        room = np.maximum(grid.line_kva[after.by[suspects], None], was_kva)
        grown = np.abs(after.node_kva[suspects]) > room * (1 + LINE_TOLERANCE_PU) + TOLERANCE_KVA
        lines_over[after.by[suspects]] = grown.any(axis=1)
    changed = closed != grid.closed
    kvah = over_after @ grid.step_weight_h
    return Evaluation(
        load_kva=after.node_kva[:n].reshape(n, len(grid.scenario_weight), -1).transpose(1, 0, 2),
        base_kvah=float((over_before @ grid.step_weight_h).sum()),
        over_kvah=float(kvah.sum()),
        objective_kvah=float(kvah @ grid.weight + grid.cost_kvah[changed].sum()),
        worse=((over_after - over_before).max(axis=1) > 2 * TOLERANCE_KVA) | lost[:, 0],
        newly_over=now & ~was,
        lines_over=lines_over,
        radial=not ((after.source == LOOPED) & (before.source != LOOPED)).any(),
        fed=not ((after.source == UNFED) & (before.source != UNFED)).any(),
        operations=int(changed.sum()),
    )
