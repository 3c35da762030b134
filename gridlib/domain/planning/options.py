"""What one task could do: the best switching for each number of operations, as moves that are proven."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from gridlib.domain.planning.devices import Refusal
from gridlib.domain.planning.fleet import Fleet
from gridlib.domain.planning.grid import Bars, planning_grid
from gridlib.domain.planning.portfolio import Task, in_order, relieved_units
from gridlib.domain.planning.prove import Trial
from gridlib.domain.planning.reserve import Reservation, keep_back
from gridlib.domain.planning.wiring import Ints, Wiring
from gridlib.domain.transfer import (
    SectionGrid,
    TransferGroup,
    TransferPlan,
    evaluate,
    single_transfers,
    solve_transfers,
)
from gridlib.facts.types import Limits, Move, PlanningRules

CHECKED = "checked"
"""Standing of a transfer that harms nobody, listed beside the best."""


@dataclass(frozen=True, eq=False)
class Option:
    """One way to relieve the transformers of a task, with the outcome of the check.

    ``left_kvah`` and ``bound_kvah`` are the expected energy above ``aim_pct`` that it leaves, and the least
    that any switching could leave that costs no more.
    """

    moves: tuple[Move, ...]
    trial: Trial
    aim_pct: float
    left_kvah: float
    bound_kvah: float
    standing: str

    @property
    def gap_pct(self) -> float:
        """Distance of what is left to its bound [%]."""
        apart = self.left_kvah - self.bound_kvah
        return 100 * apart / self.left_kvah if apart > 0 else 0.0


def find_options(
    fleet: Fleet,
    wiring: Wiring,
    task: Task,
    reserved: Reservation,
    limits: Limits,
    rules: PlanningRules,
    bars: Bars,
) -> list[Option]:
    """Find the best switching for 2, 4, 6, ... operations.

    Parameters
    ----------
    fleet : Fleet
        The fleet.
    wiring : Wiring
        Its switches.
    task : Task
        What is to be relieved, and where switches may move.
    reserved : Reservation
        What other plans need.
    limits, rules : Limits, PlanningRules
        The site's.
    bars : Bars
        What earlier proofs have refused.

    Returns
    -------
    list of Option
        Each relieves the task's first transformer. First those with the least energy above the limit, then
        those with the least above the loading where the overload severity starts; beside each the best
        single transfers, as other ways.
    """
    found: dict[frozenset[str], Option] = {}
    reserved = keep_back(fleet, reserved, bars.fits_pu, rules)
    for aim_pct in (limits.loading_limit_pct, limits.overload_points[0][0]):
        aim = dict.fromkeys(task.donors, aim_pct)
        grid = planning_grid(fleet, wiring, task.rows, aim, reserved, rules, bars)
        for plan in _plans(fleet, wiring, task, grid, rules):
            opens, closes = (
                [wiring.devices[row] for row in task.rows[change]] for change in (plan.opens, plan.closes)
            )
            key = frozenset(device.switch_id for device in (*opens, *closes))
            ordered = None if key in found else in_order(fleet, opens, closes, reserved, limits, rules)
            if ordered is None or task.donors[0] not in relieved_units(fleet, ordered[0], aim_pct):
                continue
            cost_kvah = float(grid.cost_kvah[np.concatenate([plan.opens, plan.closes])].sum())
            left_kvah = max(plan.objective_kvah - cost_kvah, 0.0)
            bound_kvah = min(max(plan.bound_kvah - cost_kvah, 0.0), left_kvah)
            found[key] = Option(*ordered, aim_pct, left_kvah, bound_kvah, plan.standing)
    return list(found.values())


def _plans(
    fleet: Fleet, wiring: Wiring, task: Task, grid: SectionGrid, rules: PlanningRules
) -> Iterator[TransferPlan]:
    """Solve, and take the plans of the group in which the task's first transformer is; then the singles."""
    units = task_units(fleet, wiring, task)
    most = 2 * rules.max_moves

    def solved(operations: Sequence[int]) -> TransferGroup | None:
        found = solve_transfers(grid, hops=None, operations=operations, time_limit_s=rules.search_limit_s)
        groups = (group for group in found.groups if task.donors[0] in units[group.units])
        return next((group for group in groups if group.base_kvah > 0), None)

    group = solved(())
    best = group.plans[-1].operations if group else 0
    # Below what is best without limit each number of operations is a question of its own.
    fewer = range(2, min(best - 1, most) + 1, 2)
    if fewer:
        group = solved(fewer)
    if group is not None:
        yield from (plan for plan in group.plans if 0 < plan.operations <= most)
        donor = int(np.searchsorted(units, task.donors[0]))
        yield from _singles(grid, group, donor, rules.plans_per_transformer)
        if task.moves:
            yield _part_of_portfolio(wiring, task, grid, group)


def _part_of_portfolio(wiring: Wiring, task: Task, grid: SectionGrid, group: TransferGroup) -> TransferPlan:
    """Write what the portfolio does for a task, so that it is never lost."""
    opens, closes = (
        np.searchsorted(task.rows, wiring.rows(names))
        for names in ([m.open_switch for m in task.moves], [m.close_switch for m in task.moves])
    )
    closed = grid.closed.copy()
    closed[opens], closed[closes] = False, True
    return TransferPlan(
        most_operations=None,
        opens=opens,
        closes=closes,
        objective_kvah=evaluate(grid, closed).objective_kvah,
        bound_kvah=group.plans[-1].bound_kvah,
        standing=CHECKED,
    )


def _singles(grid: SectionGrid, group: TransferGroup, donor: int, count: int) -> Iterator[TransferPlan]:
    """Take the best harmless single transfers: other ways, beside the bound of the best one."""
    found = single_transfers(grid, np.array([donor]))
    worth = np.where(found.element < 0, found.gain_kvah, 0.0)
    for k in np.argsort(-worth, kind="stable")[:count].tolist():
        if worth[k] > 0:
            yield TransferPlan(
                most_operations=2,
                opens=found.opens[k : k + 1],
                closes=found.closes[k : k + 1],
                objective_kvah=group.base_kvah - float(worth[k]),
                bound_kvah=group.plans[0].bound_kvah,
                standing=CHECKED,
            )


def task_units(fleet: Fleet, wiring: Wiring, task: Task) -> Ints:
    """List the transformers of a task's grid, in its order."""
    ends = np.concatenate([wiring.start[task.rows], wiring.end[task.rows]])
    n = fleet.tree.transformers
    units: Ints = np.unique(np.concatenate([ends[ends < n], fleet.tree.source[ends[ends >= n]]]))
    return units


def bars_of(fleet: Fleet, bars: Bars, refusals: Iterable[Refusal]) -> Bars:
    """Bar the transformers and switches whose limits have refused options, and the moves at fault.

    A move is barred with all that would take as much and more the same way: the next best takes less, or
    another way. A transformer on which adding up tells a little too little keeps to less of its limit.
    """
    refused = list(refusals)
    elements = {refusal.element for refusal in refused}
    units = {fleet.position(name) for name in elements}
    units = {unit for unit in units if 0 <= unit < fleet.tree.transformers}
    moves = [refusal.move for refusal in refused if refusal.move is not None]
    fits_pu = dict(bars.fits_pu)
    for refusal in refused:
        for name, share in refusal.fits_pu:
            unit = fleet.position(name)
            fits_pu[unit] = min(share, fits_pu.get(unit, 1.0))
    return Bars(
        bars.units | units,
        bars.switches | (elements & fleet.devices.keys()),
        bars.ways | {(move.close_switch, frozenset(move.sections)) for move in moves},
        fits_pu,
    )
