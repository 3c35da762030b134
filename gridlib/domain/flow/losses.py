"""The switch state with least losses: branch exchange with perturbation on the trees of a network."""

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from scipy.sparse import coo_array, csc_array, csr_array
from scipy.sparse.linalg import splu

from gridlib.domain.flow.grid import Bools, Floats, FlowGrid, Ints
from gridlib.domain.flow.parts import divide
from gridlib.domain.flow.solve import FlowResult, solve_flow
from gridlib.domain.flow.tree import Meshes, TreeFlow, exchange_gains, solve_tree
from gridlib.facts.errors import InputError

BASE_KVA = 1000.0
LEAST_GAIN_PU = 1e-9
"""Smallest relative gain for which an exchange is made."""

TRIED = 8
"""Exchanges of best estimate that are solved before a tree counts as a local optimum."""

MOST_SHAKES = 5
SHAKE_P = 0.4
"""Exchanges of one perturbation, at most; chance that the cheapest of a ring is taken."""

LEAST_R_PU = 1e-9
"""Resistance that a line without any is given where currents are shared out by resistance."""


@dataclass(frozen=True, eq=False)
class LeastLosses:
    """The best switch state found.

    Attributes
    ----------
    closed : array of bool [L]
        State of each line.
    open_lines : tuple of str
        Lines that are open.
    base_kw, loss_kw : float
        Weighted losses before and after, by AC power flow [kW]; with cases of one hour each and weights of 1
        this is energy [kWh].
    least_pu : float
        Lowest voltage after [pu].
    rounds : int
        Perturbations tried.
    flow : FlowResult
        The AC power flow after.
    """

    closed: Bools
    open_lines: tuple[str, ...]
    base_kw: float
    loss_kw: float
    least_pu: float
    rounds: int
    flow: FlowResult


def least_losses(
    grid: FlowGrid,
    p_kw: npt.ArrayLike,
    q_kvar: npt.ArrayLike,
    *,
    switchable: npt.ArrayLike | None = None,
    weight: npt.ArrayLike | None = None,
    rounds: int = 200,
    seed: int = 0,
) -> LeastLosses:
    """Search the radial switch state with least losses.

    Parameters
    ----------
    grid : FlowGrid
        Lines of one voltage level between nodes and sources, with their present states.
    p_kw, q_kvar : array [C, N]
        Load at each node in each case [kW, kvar].
    switchable : array of bool [L], optional
        Lines that may be switched; all by default.
    weight : array [C], optional
        How much each case counts, e.g. its hours; 1 by default.
    rounds : int
        How often the best state so far is perturbed and improved again.
    seed : int
        Of the perturbations; the same seed gives the same answer.

    Returns
    -------
    LeastLosses
        The best state found; no bound is proven.

    Raises
    ------
    InputError
        A transformer is in, a load is not a number, or the lines that may not be switched leave no radial
        state.

    Notes
    -----
    Starts are the present state, where it is radial, and the tree of largest currents of the network with
    all lines closed. From each, the exchange of an open for a closed line with the best estimate is made as
    long as the solved losses fall; then a few random exchanges and the same again. Parts that no source can
    reach are left out; the findings of the flow name them.

    References
    ----------
    Baran and Wu, "Network reconfiguration in distribution systems for loss reduction and load balancing",
    IEEE Trans. Power Delivery 4 (1989) 1401-1407.
    """
    p, q = np.asarray(p_kw, dtype=float), np.asarray(q_kvar, dtype=float)
    lines = grid.lines
    free = np.ones(len(lines.names), dtype=bool) if switchable is None else np.asarray(switchable, dtype=bool)
    weights = np.ones(len(p)) if weight is None else np.asarray(weight, dtype=float)
    if grid.transformers.closed.any():
        raise InputError("the network holds transformers: expected lines of one voltage level")
    if not (np.isfinite(p).all() and np.isfinite(q).all()):
        raise InputError(
            "a load is not a number", what_to_do="Leave out the cases in which loads are missing."
        )
    bad = {finding.object_id for finding in grid.findings}
    usable = np.array([name not in bad for name in lines.names], dtype=bool) & (free | lines.closed)
    meshes, used = _meshes(grid, usable, p, q, weights)
    free_used, now = free[used], lines.closed[used]
    best = _search(meshes, free_used, now, rounds, np.random.default_rng(seed))
    closed = lines.closed.copy()
    closed[used] = best.closed
    after = replace(grid, lines=replace(lines, closed=closed))
    flow = solve_flow(after, p, q)
    return LeastLosses(
        closed=closed,
        open_lines=tuple(str(name) for name in lines.names[usable & ~closed]),
        base_kw=float(weights @ solve_flow(grid, p, q).loss_kw),
        loss_kw=float(weights @ flow.loss_kw),
        least_pu=float(np.nanmin(flow.u_pu)),
        rounds=rounds,
        flow=flow,
    )


def _meshes(grid: FlowGrid, usable: Bools, p: Floats, q: Floats, weights: Floats) -> tuple[Meshes, Ints]:
    """Take what a source can reach as a network in per unit; also the positions of its lines."""
    lines = grid.lines
    whole = replace(grid, lines=replace(lines, closed=usable))
    parts = divide(whole)
    reached = parts.supplied[parts.island]
    used = np.flatnonzero(
        usable & reached[lines.start] & (parts.group[lines.start] != parts.group[lines.end])
    )
    groups = np.unique(parts.group[reached])
    inner = np.setdiff1d(groups, parts.group[grid.source])
    if not len(inner):
        raise InputError("no line leaves a source: nothing to switch")
    place = np.full(int(parts.group.max()) + 1, len(inner), dtype=np.int64)
    place[inner] = np.arange(len(inner))
    held = np.zeros(len(place))
    held[parts.group[grid.source]] = grid.source_pu
    ends = np.stack([parts.group[lines.start[used]], parts.group[lines.end[used]]])
    s_pu = np.zeros((len(inner) + 1, len(p)), dtype=complex)
    nodes = np.flatnonzero(reached)
    np.add.at(s_pu, place[parts.group[nodes]], (p + 1j * q)[:, nodes].T / BASE_KVA)
    z_ohm = (lines.r_ohm + 1j * lines.x_ohm)[used]
    z_pu = np.asarray(z_ohm * (BASE_KVA / 1e3) / grid.kv[lines.start[used]] ** 2, dtype=complex)
    return (
        Meshes(
            start=place[ends[0]],
            end=place[ends[1]],
            z_pu=z_pu,
            source_pu=held[ends].T,
            s_pu=s_pu[:-1].T.copy(),
            weight=weights,
        ),
        used,
    )


def _search(meshes: Meshes, free: Bools, now: Bools, rounds: int, random: np.random.Generator) -> TreeFlow:
    starts = [_tree(meshes, free, cost) for cost in ((~now).astype(float), -_currents(meshes))]
    best = min((_descend(meshes, free, solve_tree(meshes, tree)) for tree in starts), key=_loss)
    if not np.isfinite(best.loss_pu):
        raise InputError("no radial state was found whose power flow has a solution")
    for _ in range(rounds):
        found = _descend(meshes, free, _shaken(meshes, free, best, random))
        if found.loss_pu < best.loss_pu * (1 - LEAST_GAIN_PU):
            best = found
    return best


def _loss(flow: TreeFlow) -> float:
    return flow.loss_pu


def _tree(meshes: Meshes, free: Bools, cost: Floats) -> Bools:
    """Choose the tree of least cost that holds every line that may not be switched."""
    above = list(range(meshes.s_pu.shape[1] + 1))

    def root(node: int) -> int:
        while above[node] != node:
            above[node] = above[above[node]]
            node = above[node]
        return node

    closed = np.zeros(len(free), dtype=bool)
    for branch in np.lexsort((cost, free)):
        ends = root(int(meshes.start[branch])), root(int(meshes.end[branch]))
        if ends[0] != ends[1]:
            above[ends[0]] = ends[1]
            closed[branch] = True
        elif not free[branch]:
            raise InputError(
                "lines that may not be switched close a ring or join two sources: there is no radial state",
                what_to_do="Let at least one line of every ring be switched.",
            )
    return closed


def _currents(meshes: Meshes) -> Floats:
    """Return the size of the currents with all branches closed and losses least; array [B]."""
    n, b = meshes.s_pu.shape[1], len(meshes.start)
    branch = np.arange(b)
    signs = np.r_[np.ones(b), -np.ones(b)]
    ends = np.r_[branch, branch], np.r_[meshes.start, meshes.end]
    incidence = csr_array(coo_array((signs, ends), shape=(b, n + 1)))[:, :n]
    conductance = 1 / np.maximum(meshes.z_pu.real, LEAST_R_PU)
    laplace = csc_array(incidence.T @ (incidence * conductance[:, None]))
    drawn = np.ascontiguousarray(meshes.s_pu.T)
    potential = splu(laplace).solve(np.hstack([-drawn.real, -drawn.imag]))
    current = conductance[:, None] * (incidence @ potential)
    size: Floats = np.sqrt((current**2).sum(axis=1))
    return size


def _descend(meshes: Meshes, free: Bools, flow: TreeFlow) -> TreeFlow:
    """Exchange as long as the solved losses fall."""
    improved = np.isfinite(flow.loss_pu)
    while improved:
        improved = False
        close, open_, change = _exchanges(meshes, free, flow)
        for k in np.flatnonzero(change < 0)[:TRIED]:
            tried = solve_tree(meshes, _exchanged(flow, int(close[k]), int(open_[k])), flow.voltage)
            if tried.loss_pu < flow.loss_pu * (1 - LEAST_GAIN_PU):
                flow, improved = tried, True
                break
    return flow


def _shaken(meshes: Meshes, free: Bools, flow: TreeFlow, random: np.random.Generator) -> TreeFlow:
    """Make a few random exchanges, the cheaper the likelier."""
    for _ in range(int(random.integers(1, MOST_SHAKES + 1))):
        close, open_, _ = _exchanges(meshes, free, flow)
        ties = np.unique(close)
        if not len(ties):
            return flow
        ways = np.flatnonzero(close == random.choice(ties))
        way = ways[min(int(random.geometric(SHAKE_P)) - 1, len(ways) - 1)]
        tried = solve_tree(meshes, _exchanged(flow, int(close[way]), int(open_[way])), flow.voltage)
        if np.isfinite(tried.loss_pu):
            flow = tried
    return flow


def _exchanges(meshes: Meshes, free: Bools, flow: TreeFlow) -> tuple[Ints, Ints, Floats]:
    close, open_, change = exchange_gains(meshes, flow)
    allowed = free[close] & free[open_]
    return close[allowed], open_[allowed], change[allowed]


def _exchanged(flow: TreeFlow, close: int, open_: int) -> Bools:
    closed = flow.closed.copy()
    closed[close], closed[open_] = True, False
    return closed
