"""Which territory each breaker takes: a set partition of the sections, solved to a proven optimum.

Column generation over all listed options gives the bound; the options that could still matter then go to the
integer programme.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, linprog, milp
from scipy.sparse import csr_array, hstack, vstack

from gridlib.domain.transfer.grid import TOLERANCE_KVA, Floats, Ints

LISTED_AT_ONCE = 1_000
"""Options up to which all are taken into the linear programme from the start."""

PRICED_IN = 40
"""Most options of one choice that enter in one round."""

SURE_KVAH = 1e-6
"""Reduced costs above minus this count as not negative."""


@dataclass(frozen=True, eq=False)
class Master:
    """One component as a set partition.

    Attributes
    ----------
    covers : sparse array [territories, sections]
        1 where a territory holds a section.
    cost_kvah : array [territories]
        Cost of the operations of each territory, beside all its closed switches open.
    constant_kvah : float
        Cost of opening everything.
    closings : array [territories]
        Open switches that a territory closes.
    most_closings : float
        How many of them may close. A radial state has always as many closed switches as sections, so that
        twice as many operations are made.
    picks : list of array of int [K, breakers]
        Options of each choice as territories.
    over_kvah : list of array [K]
        Their overload.
    present : list of int
        The present option of each choice.
    joint : sparse array [territories, rows]
        Load of each territory in the rows of transformers whose options are not listed [kVA].
    joint_room_kva, joint_over_kva, joint_weight : array [rows]
        Limits of these rows, how far above without harm, and the weight of what is above.
    """

    covers: csr_array
    cost_kvah: Floats
    constant_kvah: float
    closings: Floats
    most_closings: float
    picks: list[Ints]
    over_kvah: list[Floats]
    present: list[int]
    joint: csr_array
    joint_room_kva: Floats
    joint_over_kva: Floats
    joint_weight: Floats


@dataclass(frozen=True, eq=False)
class Solution:
    """Chosen option of each choice (None: none found), its objective, the bound, and whether it is proven."""

    chosen: Ints | None
    objective_kvah: float
    bound_kvah: float
    proven: bool


Pool = list[Ints]


def solve_master(
    master: Master, most_operations: int | None, gap: float, time_left: Callable[[], float]
) -> Solution:
    """Find the best options.

    Parameters
    ----------
    master : Master
        The component.
    most_operations : int or None
        Most switches that may change.
    gap : float
        Relative distance to the bound at which the search ends.
    time_left : callable
        Seconds that are left.

    Returns
    -------
    Solution
        The bound holds whatever happens: it is the Lagrangian bound of the last prices.
    """
    if most_operations is None:
        return _solved(master, gap, time_left)
    most = most_operations // 2
    kept = [np.flatnonzero(master.closings[picks].sum(axis=1) <= most) for picks in master.picks]
    limited = replace(
        master,
        picks=[picks[few] for picks, few in zip(master.picks, kept, strict=True)],
        over_kvah=[costs[few] for costs, few in zip(master.over_kvah, kept, strict=True)],
        present=[int(np.searchsorted(few, now)) for few, now in zip(kept, master.present, strict=True)],
        most_closings=float(most),
    )
    found = _solved(limited, gap, time_left)
    if found.chosen is None:
        return found
    chosen = np.array([few[option] for few, option in zip(kept, found.chosen, strict=True)], dtype=np.int64)
    return replace(found, chosen=chosen)


def _solved(master: Master, gap: float, time_left: Callable[[], float]) -> Solution:
    """Generate columns, then settle what is left between zero and one."""
    pool = _first_pool(master)
    rows = master.covers.shape[1] + len(pool), len(master.joint_room_kva) + 1
    _, best_bound = _prices(master, np.zeros(rows[0]), np.zeros(rows[1]))
    while True:
        if time_left() <= 0:
            return _solution(master, None, best_bound, False)
        problem = _programme(master, pool)
        found = linprog(
            problem.cost,
            A_ub=problem.most_matrix,
            b_ub=problem.most,
            A_eq=problem.equal_matrix,
            b_eq=problem.equal,
            bounds=np.column_stack([np.zeros(len(problem.cost)), problem.upper]),
            method="highs",
            options={"time_limit": max(time_left(), 0.01)},
        )
        if found.status != 0:
            return _solution(master, None, best_bound, False)
        reduced, lagrangian = _prices(master, found.eqlin.marginals, found.ineqlin.marginals)
        best_bound = max(best_bound, lagrangian)
        entering = [_entering(costs, inside) for costs, inside in zip(reduced, pool, strict=True)]
        if not any(len(new) for new in entering):
            break
        pool = [np.union1d(inside, new) for inside, new in zip(pool, entering, strict=True)]
    size = sum(len(inside) for inside in pool)
    options = found.x[:size]
    if (np.abs(options - options.round()) < 1e-6).all():
        return _solution(master, _chosen(pool, options), best_bound, True)
    return _integer(master, pool, reduced, lagrangian, gap, time_left)


def _solution(master: Master, chosen: Ints | None, bound: float, proven: bool) -> Solution:
    """Objective of the chosen options, added up anew, and the bound, both with the constant."""
    bound += master.constant_kvah
    if chosen is None:
        return Solution(None, np.inf, bound, proven)
    territories = np.concatenate([picks[option] for picks, option in zip(master.picks, chosen, strict=True)])
    over = sum(float(costs[option]) for costs, option in zip(master.over_kvah, chosen, strict=True))
    shared = master.joint[territories].sum(axis=0) - master.joint_room_kva
    if (shared > master.joint_over_kva + 2 * TOLERANCE_KVA).any():
        return Solution(None, np.inf, bound, False)  # the solver's tolerance is wider than ours
    over += float(np.maximum(shared, 0.0) @ master.joint_weight)
    objective = over + float(master.cost_kvah[territories].sum()) + master.constant_kvah
    return Solution(chosen, objective, min(bound, objective), proven)


def _first_pool(master: Master) -> Pool:
    total = sum(len(costs) for costs in master.over_kvah)
    if total <= LISTED_AT_ONCE:
        return [np.arange(len(costs)) for costs in master.over_kvah]
    return [np.array([now]) for now in master.present]


def _entering(costs: Floats, inside: Ints) -> Ints:
    """Options with the most negative reduced costs."""
    if len(inside) == len(costs):
        return np.zeros(0, dtype=np.int64)
    low = np.flatnonzero(costs < -SURE_KVAH)
    if len(low) > PRICED_IN:
        low = low[np.argpartition(costs[low], PRICED_IN)[:PRICED_IN]]
    return np.setdiff1d(low, inside)


@dataclass(frozen=True, eq=False)
class _Programme:
    cost: Floats
    upper: Floats
    equal_matrix: csr_array
    equal: Floats
    most_matrix: csr_array | None
    most: Floats | None


def _programme(master: Master, pool: Pool) -> _Programme:
    """Cost and rows of the options in the pool, then of the overloads of joint rows."""
    picked = [picks[inside] for picks, inside in zip(master.picks, pool, strict=True)]
    size = sum(len(rows) for rows in picked)
    choice = np.repeat(np.arange(len(pool)), [len(inside) for inside in pool])
    option = np.concatenate([np.repeat(np.arange(len(rows)), rows.shape[1]) for rows in picked])
    first = np.cumsum([0, *[len(rows) for rows in picked]])[:-1]
    option += np.repeat(first, [rows.size for rows in picked])
    territory = np.concatenate([rows.ravel() for rows in picked])
    member = csr_array((np.ones(len(option)), (option, territory)), shape=(size, master.covers.shape[0]))
    over = np.concatenate([costs[inside] for costs, inside in zip(master.over_kvah, pool, strict=True)])
    taken = csr_array((np.ones(size), (choice, np.arange(size))), shape=(len(pool), size))
    equal_matrix = vstack([(member @ master.covers).T, taken]).tocsr()
    rows = len(master.joint_room_kva)
    cost = np.r_[over + member @ master.cost_kvah, master.joint_weight]
    upper = np.r_[np.ones(size), master.joint_over_kva]
    blocks, most = [], []
    if rows:
        equal_matrix = hstack([equal_matrix, csr_array((equal_matrix.shape[0], rows))]).tocsr()
        over_rows = csr_array((-np.ones(rows), (np.arange(rows), np.arange(rows))), shape=(rows, rows))
        blocks.append(hstack([(member @ master.joint).T, over_rows]))
        most.append(master.joint_room_kva)
    if np.isfinite(master.most_closings):
        counts = np.r_[member @ master.closings, np.zeros(rows)]
        blocks.append(csr_array(counts[None]))
        most.append(np.array([master.most_closings]))
    return _Programme(
        cost,
        upper,
        equal_matrix,
        np.ones(equal_matrix.shape[0]),
        vstack(blocks).tocsr() if blocks else None,
        np.concatenate(most) if most else None,
    )


def _prices(master: Master, equal: Floats, most: Floats) -> tuple[list[Floats], float]:
    """Reduced costs of all options, and the Lagrangian bound of these prices.

    Notes
    -----
    For any prices y of sections and y <= 0 of limits, ``sum y b + sum over choices of min (c - y a)`` is a
    lower bound; the price of a choice itself cancels.
    """
    sections = master.covers.shape[1]
    price, by_choice = equal[:sections], equal[sections:]
    rows = len(master.joint_room_kva)
    territory = master.cost_kvah - master.covers @ price
    bound = price.sum()
    if rows:
        limit = np.minimum(most[:rows], 0.0)
        territory = territory - master.joint @ limit
        bound += limit @ master.joint_room_kva
        bound += (np.minimum(master.joint_weight + limit, 0.0) * master.joint_over_kva).sum()
    if np.isfinite(master.most_closings):
        step = min(most[-1], 0.0)
        territory = territory - step * master.closings
        bound += step * master.most_closings
    reduced = []
    for picks, over, paid in zip(master.picks, master.over_kvah, by_choice, strict=True):
        value = over + territory[picks].sum(axis=1)
        bound += value.min()
        reduced.append(value - paid)
    return reduced, float(bound)


def _integer(
    master: Master,
    pool: Pool,
    reduced: Sequence[Floats],
    bound: float,
    gap: float,
    time_left: Callable[[], float],
) -> Solution:
    """Integer programme over the options that could be in a better solution.

    Notes
    -----
    A solution costs at least the Lagrangian bound plus what its options are above the cheapest of their
    choices; with a solution of cost U, only options less than U - bound above can be in a better one.
    """
    lowest = [costs - costs.min() for costs in reduced]
    best = _solution(master, None, bound, False)
    inside, reachable = pool, 0.0
    while True:
        inside = [np.union1d(options, [now]) for options, now in zip(inside, master.present, strict=True)]
        problem = _programme(master, inside)
        size = sum(len(options) for options in inside)
        limits = [LinearConstraint(problem.equal_matrix, problem.equal, problem.equal)]
        if problem.most_matrix is not None:
            limits.append(LinearConstraint(problem.most_matrix, -np.inf, problem.most))
        found = milp(
            problem.cost,
            integrality=np.r_[np.ones(size), np.zeros(len(problem.cost) - size)],
            bounds=Bounds(0, problem.upper),
            constraints=limits,
            options={"mip_rel_gap": gap, "time_limit": max(time_left(), 0.01)},
        )
        if found.x is None:
            return best
        left_out = any(len(options) < len(costs) for options, costs in zip(inside, lowest, strict=True))
        within = bound if found.mip_dual_bound is None else float(found.mip_dual_bound)
        proven = min(within, bound + reachable if left_out else np.inf)
        needed = float(found.fun) - bound
        settled = not left_out or needed <= reachable
        done = found.status == 0 and settled
        newest = _solution(master, _chosen(inside, found.x[:size]), max(bound, proven), done)
        if done or newest.objective_kvah < best.objective_kvah:
            best = newest
        if settled or found.status != 0 or time_left() <= 0:
            return best
        reachable = needed
        inside = [np.flatnonzero(costs <= reachable) for costs in lowest]


def _chosen(pool: Pool, options: Floats) -> Ints:
    """Option taken by each choice."""
    first = np.cumsum([0, *[len(inside) for inside in pool]])
    return np.array(
        [
            inside[int(options[begin:end].argmax())]
            for inside, begin, end in zip(pool, first[:-1], first[1:], strict=True)
        ],
        dtype=np.int64,
    )
