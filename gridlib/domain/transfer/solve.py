"""The best set of load transfers, proven, for every group of transformers around an overloaded one."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from gridlib.domain.transfer.component import (
    Component,
    batches,
    components,
    left_kvah,
    master_of,
    merged,
    states_of,
)
from gridlib.domain.transfer.flow import Evaluation, Flows, evaluate, flows, overload_kva
from gridlib.domain.transfer.greedy import greedy_around
from gridlib.domain.transfer.grid import Bools, Ints, SectionGrid
from gridlib.domain.transfer.master import LISTED_AT_ONCE, Master, Solution, solve_master
from gridlib.domain.transfer.options import choices
from gridlib.domain.transfer.reach import Finding, reach
from gridlib.domain.transfer.territory import Territories, territories

PROVEN, CUT_SHORT, GREEDY = "proven", "cut_short", "greedy"
"""Standing of a plan: the optimum; the best found by the exact search in its time; greedy transfers."""


@dataclass(frozen=True, eq=False)
class TransferPlan:
    """Switching for one group of transformers.

    Attributes
    ----------
    most_operations : int or None
        Most switches that were allowed to change.
    opens, closes : array of int
        Switches that change.
    objective_kvah : float
        Risk-weighted overload that is left in the group, and the cost of the operations [kVAh].
    bound_kvah : float
        No plan within the same number of operations has a lower objective [kVAh].
    standing : str
        `PROVEN`, `CUT_SHORT` or `GREEDY`.
    """

    most_operations: int | None
    opens: Ints
    closes: Ints
    objective_kvah: float
    bound_kvah: float
    standing: str

    @property
    def operations(self) -> int:
        """Number of switches that change."""
        return len(self.opens) + len(self.closes)

    @property
    def gap(self) -> float:
        """Relative distance of the objective to its bound."""
        apart = self.objective_kvah - self.bound_kvah
        return apart / self.objective_kvah if apart > 0 else 0.0


@dataclass(frozen=True, eq=False)
class TransferGroup:
    """Transformers that are planned together.

    ``base_kvah`` is their risk-weighted overload now [kVAh]; ``plans`` has one plan for each number of
    operations that was asked for, in that order, and last the one without limit.
    """

    units: Ints
    switches: Ints
    base_kvah: float
    plans: tuple[TransferPlan, ...]


@dataclass(frozen=True, eq=False)
class TransferResult:
    """Plans of all groups, and all of them together.

    Attributes
    ----------
    closed : array of bool [E]
        Switch states of all last plans together.
    groups : tuple of TransferGroup
        One for each group with an overloaded transformer that something could be switched around.
    evaluation : Evaluation
        What these states really do, over the whole grid.
    stranded : array of int
        Overloaded transformers around which nothing can be switched.
    bound_kvah : float
        Overload below which no plan can come that costs no more operations; where all weights are 1 [kVAh].
    findings : tuple of Finding
        What was left out.
    """

    closed: Bools
    groups: tuple[TransferGroup, ...]
    evaluation: Evaluation
    stranded: Ints
    bound_kvah: float
    findings: tuple[Finding, ...]

    @property
    def gap(self) -> float:
        """Relative distance of the overload that is left to its bound."""
        over = self.evaluation.over_kvah
        return (over - self.bound_kvah) / over if over > self.bound_kvah else 0.0


def solve_transfers(
    grid: SectionGrid,
    *,
    hops: int | None = 2,
    operations: Sequence[int] = (),
    time_limit_s: float = 60.0,
    gap: float = 1e-6,
    clock: Callable[[], float] = time.process_time,
) -> TransferResult:
    """Find the switching that leaves the least overload and harms nobody.

    Parameters
    ----------
    grid : SectionGrid
        The grid.
    hops : int or None
        How many clusters of tied sections away from an overloaded transformer switches may move. Bounds hold
        within that reach; None makes them global.
    operations : sequence of int
        Numbers of operations for each of which the best plan of each group is wanted too.
    time_limit_s : float
        For the search of each plan of each group, after what can be switched is listed; 0 gives greedy
        transfers.
    gap : float
        Relative distance to the bound at which the search ends.
    clock : callable
        Seconds, for the time limit.

    Returns
    -------
    TransferResult
        Every plan keeps the grid radial and all sections fed, no line above its limit, and no transformer
        worse in any scenario and hour.

    Notes
    -----
    minimise ``sum w_q w_i max(|S_i,q,h| - C_i,h, 0) dt + sum cost_e |z_e - z0_e|`` over radial states, with
    ``|S_i,q,h| <= max(C_i,h, |S0_i,q,h|)`` for every transformer, scenario and hour and the like for lines.

    A radial state gives every breaker a tree of sections, its territory. All territories that the limits
    allow are listed; all combinations at one transformer that harm nobody are its options, whose overload is
    then exact over all hours. What is left is to choose one option for each transformer so that each section
    is fed once: a set partition. Its linear relaxation is almost always whole-numbered.

    References
    ----------
    C. Barnhart et al., "Branch-and-price: column generation for solving huge integer programs", Operations
    Research 46(3), 1998. R. Baldacci et al., "An exact algorithm for the vehicle routing problem based on the
    set partitioning formulation", Mathematical Programming 115, 2008 (options left out by reduced cost).

    Examples
    --------
    >>> from gridlib.domain.transfer.grid import section_grid
    >>> grid = section_grid(
    ...     [0, 2, 1, 3], [2, 3, 4, 4], 300.0, [True, True, True, False],
    ...     [[80.0], [50.0], [20.0]], [100.0, 100.0],
    ... )
    >>> found = solve_transfers(grid)
    >>> found.closed.tolist(), found.evaluation.over_kvah, found.groups[0].plans[-1].standing
    ([True, False, True, True], 0.0, 'proven')
    """
    before = flows(grid, grid.closed)
    around = reach(grid, before, hops)
    listed = territories(grid, before, around)
    chosen, joint = choices(grid, around, listed)
    closed = grid.closed.copy()
    groups: list[TransferGroup] = []
    parts = components(grid, around, listed, chosen, joint)
    search = _Search(grid, before, listed, time_limit_s, gap, clock)
    for part, best in zip(parts, search.best_plans(parts), strict=True):
        plans = (*search.limited_plans(part, operations), best)
        base = overload_kva(before.node_kva[part.units], grid.step_limit_kva[part.units])
        base_kvah = float(base @ grid.step_weight_h @ grid.weight[part.units])
        groups.append(TransferGroup(part.units, part.switches, base_kvah, plans))
        closed[best.opens], closed[best.closes] = False, True
    evaluation = evaluate(grid, closed, before)
    left = sum(group.plans[-1].objective_kvah - group.plans[-1].bound_kvah for group in groups)
    stranded = around.donors.copy()
    for group in groups:
        stranded[group.units] = False
    return TransferResult(
        closed=closed,
        groups=tuple(groups),
        evaluation=evaluation,
        stranded=np.flatnonzero(stranded),
        bound_kvah=max(evaluation.over_kvah - left, 0.0),
        findings=around.findings,
    )


class _Search:
    """Search for the plans of components."""

    def __init__(
        self,
        grid: SectionGrid,
        before: Flows,
        listed: Mapping[int, Territories],
        time_limit_s: float,
        gap: float,
        clock: Callable[[], float],
    ) -> None:
        self.grid, self.before, self.listed = grid, before, listed
        self.time_limit_s, self.gap, self.clock = time_limit_s, gap, clock

    def best_plans(self, parts: Sequence[Component]) -> list[TransferPlan]:
        """Plan every component without limit of operations, small ones in one programme."""
        plans: list[TransferPlan] = []
        for batch in batches(parts, LISTED_AT_ONCE):
            together = [parts[number] for number in batch]
            if len(together) == 1:
                plans.append(self._plan(together[0], self._master(together[0]), None))
                continue
            whole = merged(together)
            found = self._solved(self._master(whole), None)
            first = 0
            for part in together:
                last = first + len(part.choices)
                if found.proven and found.chosen is not None:
                    chosen = found.chosen[first:last]
                    short_kvah = found.objective_kvah - found.bound_kvah
                    plans.append(self._exact(part, None, chosen, short_kvah=short_kvah, proven=True))
                else:
                    plans.append(self._plan(part, self._master(part), None))
                first = last
        return plans

    def limited_plans(self, part: Component, operations: Sequence[int]) -> list[TransferPlan]:
        """Plan one component for each number of operations."""
        if not operations:
            return []
        master = self._master(part)
        return [self._plan(part, master, most) for most in operations]

    def _master(self, part: Component) -> Master:
        return master_of(self.grid, part, self.listed)

    def _solved(self, master: Master, most: int | None) -> Solution:
        end = self.clock() + self.time_limit_s
        return solve_master(master, most, self.gap, lambda: end - self.clock())

    def _plan(self, part: Component, master: Master, most: int | None) -> TransferPlan:
        """Best plan of one component, or the better of what there is when the time is up."""
        found = self._solved(master, most)
        short_kvah = found.objective_kvah - found.bound_kvah
        if found.proven and found.chosen is not None:
            return self._exact(part, most, found.chosen, short_kvah=short_kvah, proven=True)
        states = self.grid.closed.copy()
        greedy_kvah = greedy_around(self.grid, self.before, part.units, part.switches, states, most)
        if found.chosen is not None and found.objective_kvah <= greedy_kvah:
            return self._exact(part, most, found.chosen, short_kvah=short_kvah, proven=False)
        bound_kvah = found.bound_kvah if part.complete else 0.0
        return self._written(part, most, states, greedy_kvah, bound_kvah, GREEDY)

    def _exact(
        self, part: Component, most: int | None, chosen: Ints, *, short_kvah: float, proven: bool
    ) -> TransferPlan:
        """Plan of chosen options, whose objective is at most ``short_kvah`` above the best."""
        states = states_of(self.grid, part, self.listed, chosen)
        objective_kvah = left_kvah(self.grid, part, self.listed, chosen)
        objective_kvah += float(self.grid.cost_kvah[states != self.grid.closed].sum())
        bound_kvah = objective_kvah - short_kvah if part.complete else 0.0
        standing = PROVEN if proven and part.complete else CUT_SHORT
        return self._written(part, most, states, objective_kvah, bound_kvah, standing)

    def _written(
        self,
        part: Component,
        most: int | None,
        states: Bools,
        objective_kvah: float,
        bound_kvah: float,
        standing: str,
    ) -> TransferPlan:
        was, now = self.grid.closed[part.switches], states[part.switches]
        return TransferPlan(
            most_operations=most,
            opens=part.switches[was & ~now],
            closes=part.switches[~was & now],
            objective_kvah=objective_kvah,
            bound_kvah=min(max(bound_kvah, 0.0), objective_kvah),
            standing=standing,
        )
