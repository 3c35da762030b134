"""Options of all tasks proven, scored and ranked; the plans of rank 1 hold together."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import islice

import pandas as pd

from gridlib.domain.planning.above import places_crossed
from gridlib.domain.planning.ac import AcFleet, check_ac
from gridlib.domain.planning.devices import Refusal
from gridlib.domain.planning.fleet import Fleet, Place
from gridlib.domain.planning.grid import Bars
from gridlib.domain.planning.heat import Heat
from gridlib.domain.planning.options import Option, bars_of, find_options, task_units
from gridlib.domain.planning.parallel import closing_first
from gridlib.domain.planning.portfolio import (
    Promises,
    Task,
    places_around,
    places_touched,
    relieved_units,
    touched_units,
)
from gridlib.domain.planning.protection import check_protection
from gridlib.domain.planning.prove import Trial, proof_of, try_moves
from gridlib.domain.planning.rank import best_first, make_plan, refuse_on_risk, sides_of
from gridlib.domain.planning.reserve import Reservation, reserve
from gridlib.domain.planning.score import score_scenarios
from gridlib.domain.planning.states import Unit, prefixes, unit_states
from gridlib.domain.planning.way_back import WayBack, switch_back_hours
from gridlib.domain.planning.wiring import Wiring
from gridlib.facts.errors import GridlibError
from gridlib.facts.types import Limits, Move, Plan, PlanningRules, WhyNot

ROUNDS = 3
"""How often a task is searched, each time without the limits that refused options before."""


@dataclass(frozen=True)
class Offer:
    """What a task came to: ranked plans, refused options, or why its search failed."""

    name: str
    task: Task
    plans: tuple[Plan, ...] = ()
    refused: tuple[WhyNot, ...] = ()
    failed: str = ""


@dataclass(frozen=True)
class Desk:
    """What every proof needs: fleet, heat, the site's limits and rules, and the moment."""

    ac: AcFleet
    wiring: Wiring
    heat: Heat
    limits: Limits
    rules: PlanningRules
    now: pd.Timestamp

    @property
    def fleet(self) -> Fleet:
        """The fleet."""
        return self.ac.fleet


@dataclass(frozen=True, eq=False)
class _Entry:
    """An option of a task, with what other plans need around it."""

    k: int
    task: Task
    option: Option
    promised: Reservation


def choose_plans(desk: Desk, tasks: Sequence[Task], reserved: Sequence[Move]) -> list[Offer]:
    """Find, prove and rank the plans of all tasks.

    Parameters
    ----------
    desk : Desk
        What every proof needs.
    tasks : sequence of Task
        From the portfolio, the riskiest first.
    reserved : sequence of Move
        Moves of open plans.

    Returns
    -------
    list of Offer
        One for each task; a task whose search fails says why and leaves the others as they are.

    Notes
    -----
    Voltages, lines and what lies above are not in the search, which adds loads up. They are lazy cuts: what
    AC power flow refuses is barred, with all that takes as much or more over the same tie, and the task is
    searched again, `ROUNDS` times at most. Where only transformers are loaded higher than adding up tells, no
    way is barred: they keep to less of their limit. A bound holds for what was not barred.
    """
    tasks = _fitting(desk, tasks, reserved)
    promises = Promises(desk.fleet, [*reserved, *(move for task in tasks for move in task.moves)])
    offers = [Offer(str(desk.fleet.names[task.donors[0]]), task) for task in tasks]
    bars = [Bars()] * len(tasks)
    todo = list(range(len(tasks)))
    for _ in range(ROUNDS):
        entries: list[_Entry] = []
        for k in todo:
            near = promises.near(task_units(desk.fleet, desk.wiring, tasks[k]), but=tasks[k].moves)
            try:
                entries += _search(desk, k, offers[k], reserve(desk.fleet, near), bars[k])
            except GridlibError as error:
                offers[k] = replace(offers[k], failed=str(error))
        refused: dict[int, list[Refusal]] = {}
        for entry, outcome in zip(entries, _judged(desk, entries), strict=True):
            offers[entry.k] = _with(offers[entry.k], entry, outcome)
            if isinstance(outcome, tuple):
                refused.setdefault(entry.k, []).extend(outcome)
        todo = []
        for k, refusals in refused.items():
            wider = bars_of(desk.fleet, bars[k], refusals)
            if wider != bars[k]:
                bars[k] = wider
                todo.append(k)
    ranked = [replace(offer, plans=tuple(sorted(offer.plans, key=best_first))) for offer in offers]
    return _settled(desk, ranked, reserved)


def _fitting(desk: Desk, tasks: Sequence[Task], reserved: Sequence[Move]) -> list[Task]:
    """Take out of the portfolio what no longer fits onto a feeder beside what the riskier ones bring to it.

    The search for these transformers finds what still fits.
    """
    kept: list[Task] = []
    moves = list(reserved)
    for task in tasks:
        if places_crossed(desk.fleet, task.moves):
            near = Promises(desk.fleet, moves).near(touched_units(desk.fleet, task.moves))
            if check_ac(desk.ac, task.moves, reserve(desk.fleet, near)).refusals:
                kept.append(replace(task, moves=()))
                continue
        kept.append(task)
        moves += task.moves
    return kept


def _search(desk: Desk, k: int, offer: Offer, promised: Reservation, bars: Bars) -> list[_Entry]:
    known = {plan.moves for plan in offer.plans} | {why.moves for why in offer.refused}
    options = find_options(desk.fleet, desk.wiring, offer.task, promised, desk.limits, desk.rules, bars)
    return [_Entry(k, offer.task, option, promised) for option in options if option.moves not in known]


def _with(offer: Offer, entry: _Entry, outcome: Plan | tuple[Refusal, ...]) -> Offer:
    """Add a plan, or why it is none."""
    if isinstance(outcome, Plan):
        return replace(offer, plans=(*offer.plans, outcome))
    return replace(offer, refused=(*offer.refused, _why_not(offer, entry.option.moves, outcome)))


def _why_not(offer: Offer, moves: tuple[Move, ...], refusals: Sequence[Refusal]) -> WhyNot:
    return WhyNot(offer.name, moves, refusals[0].code, refusals[0].reason)


def _judged(desk: Desk, entries: Sequence[_Entry]) -> list[Plan | tuple[Refusal, ...]]:
    """Prove and score the options that hold so far, all at once, and write them down as plans.

    Of the others the refusals. Here every state of an option has the limits and the heat of its own load.
    """
    fleet, limits = desk.fleet, desk.limits
    judged: list[Plan | tuple[Refusal, ...]] = [entry.option.trial.refusals for entry in entries]
    chains = {
        n: prefixes(
            sides_of(fleet, entry.task.donors[0], entry.option.moves), entry.option.moves, entry.promised
        )
        for n, entry in enumerate(entries)
        if not entry.option.trial.refusals
    }
    states = iter(
        unit_states(fleet, [state for chain in chains.values() for state in chain], desk.heat, limits)
    )
    proven: dict[int, tuple[Trial, list[dict[int, Unit]]]] = {}
    for n, chain in chains.items():
        entry, own = entries[n], list(islice(states, len(chain)))
        trial = try_moves(fleet, entry.option.moves, entry.promised, limits, desk.rules, own)
        judged[n] = trial.refusals
        if not trial.refusals:
            proven[n] = trial, own
    ends = [scenario for n in proven for scenario in (chains[n][0], chains[n][-1])]
    scored = score_scenarios(
        fleet, ends, [state for _, own in proven.values() for state in (own[0], own[-1])], limits
    )
    ways = [WayBack(entries[n].task.donors[0], own) for n, (_, own) in proven.items()]
    back = switch_back_hours(fleet, ways, desk.heat, limits)
    for k, (n, (trial, _)) in enumerate(proven.items()):
        before, after = scored[2 * k : 2 * k + 2]
        refusal = refuse_on_risk(fleet, entries[n].task.donors[0], before, after, limits)
        judged[n] = (refusal,) if refusal else _plan(desk, entries[n], trial, before, after, back[k])
    return judged


def _plan(
    desk: Desk,
    entry: _Entry,
    trial: Trial,
    before: dict[int, Unit],
    after: dict[int, Unit],
    switch_back_by: datetime | None,
) -> Plan | tuple[Refusal, ...]:
    """Write an option down as a plan; what its proof refuses is none."""
    fleet, option = desk.fleet, entry.option
    checked = check_ac(desk.ac, option.moves, entry.promised)
    if checked.refusals:
        return checked.refusals
    moves, notes = closing_first(desk.ac, option.moves, entry.promised)
    if any(move.closes_first for move in moves):
        checked = check_ac(desk.ac, moves, entry.promised)
    guard = check_protection(desk.ac, moves, before)
    if guard.refusals:
        return guard.refusals
    proof = proof_of(fleet, moves, trial, checked, guard, desk.rules, desk.now, notes=notes)
    plan = make_plan(fleet, entry.task.donors[0], moves, proof, before, after, desk.rules, switch_back_by)
    relieved = relieved_units(fleet, option.moves, option.aim_pct)
    return replace(
        plan,
        relieves=tuple(str(fleet.names[unit]) for unit in entry.task.donors if unit in relieved),
        aim_pct=option.aim_pct,
        left_kvah=option.left_kvah,
        bound_kvah=option.bound_kvah,
        gap_pct=option.gap_pct,
        standing=option.standing,
    )


def _settled(desk: Desk, offers: Sequence[Offer], reserved: Sequence[Move]) -> list[Offer]:
    """Choose the plan of rank 1 of each task so that all hold together, and rank the others after it.

    Every plan was proven beside the portfolio. Where one task prefers another plan to its part of the
    portfolio, the others around it are proven and scored anew beside that.
    """
    fleet = desk.fleet
    promised = [offer.task.moves for offer in offers]
    changed: dict[int | Place, set[int]] = {}
    settled = list(offers)
    for k, offer in enumerate(offers):
        first = _first_holding(desk, k, offer.plans, promised, reserved, changed)
        chosen = first.moves if first else ()
        if chosen != promised[k]:
            for place in places_touched(fleet, [*chosen, *promised[k]]):
                changed.setdefault(place, set()).add(k)
            promised[k] = chosen
        if first:
            rest = [plan for plan in offer.plans if plan is not first]
            settled[k] = replace(offer, plans=(first, *rest))
    return [_final(desk, k, offer, promised, reserved, changed) for k, offer in enumerate(settled)]


def _promise(
    desk: Desk,
    k: int,
    moves: tuple[Move, ...],
    promised: Sequence[tuple[Move, ...]],
    reserved: Sequence[Move],
) -> Reservation:
    """Set aside what all tasks but one need around its moves."""
    others = [move for other, theirs in enumerate(promised) if other != k for move in theirs]
    near = Promises(desk.fleet, [*reserved, *others]).near(touched_units(desk.fleet, moves))
    return reserve(desk.fleet, near)


def _changers(desk: Desk, k: int, plan: Plan, changed: dict[int | Place, set[int]]) -> set[int]:
    """Tasks around a plan that do something else than their part of the portfolio."""
    places = places_around(desk.fleet, touched_units(desk.fleet, plan.moves))
    return {other for place in places for other in changed.get(place, ())} - {k}


def _first_holding(
    desk: Desk,
    k: int,
    plans: Sequence[Plan],
    promised: Sequence[tuple[Move, ...]],
    reserved: Sequence[Move],
    changed: dict[int | Place, set[int]],
) -> Plan | None:
    """Best plan of a task that holds beside what the others have chosen by now."""
    for plan in plans:
        if not _changers(desk, k, plan, changed):
            return plan
        promise = _promise(desk, k, plan.moves, promised, reserved)
        trial = try_moves(desk.fleet, plan.moves, promise, desk.limits, desk.rules)
        if not trial.refusals and not check_ac(desk.ac, plan.moves, promise).refusals:
            return plan
    return None


def _final(
    desk: Desk,
    k: int,
    offer: Offer,
    promised: Sequence[tuple[Move, ...]],
    reserved: Sequence[Move],
    changed: dict[int | Place, set[int]],
) -> Offer:
    """Prove and score again what others have changed around, and number the plans."""
    outcomes: list[Plan | tuple[Refusal, ...]] = list(offer.plans)
    again = [n for n, plan in enumerate(offer.plans) if _changers(desk, k, plan, changed)]
    entries = []
    for plan in (offer.plans[n] for n in again):
        promise = _promise(desk, k, plan.moves, promised, reserved)
        trial = try_moves(desk.fleet, plan.moves, promise, desk.limits, desk.rules)
        entries.append(_Entry(k, offer.task, _option_of(plan, trial), promise))
    for n, outcome in zip(again, _judged(desk, entries), strict=True):
        outcomes[n] = outcome
    kept = [outcome for outcome in outcomes if isinstance(outcome, Plan)]
    if offer.plans and (offer.plans[0].moves != promised[k] or not isinstance(outcomes[0], Plan)):
        kept = []  # none holds beside the others
    refused = [
        _why_not(offer, plan.moves, outcome)
        for plan, outcome in zip(offer.plans, outcomes, strict=True)
        if not isinstance(outcome, Plan)
    ]
    ranked = [replace(plan, rank=rank) for rank, plan in enumerate(kept, start=1)]
    return replace(
        offer,
        plans=tuple(ranked[: desk.rules.plans_per_transformer]),
        refused=(*offer.refused, *refused),
    )


def _option_of(plan: Plan, trial: Trial) -> Option:
    return Option(
        plan.moves, trial, plan.aim_pct or 0.0, plan.left_kvah or 0.0, plan.bound_kvah or 0.0, plan.standing
    )
