"""The chance that a plan holds everywhere for the whole horizon, from joint error paths of the fleet."""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from gridlib.domain.planning.feeding import Feeding, moves_feeding
from gridlib.domain.planning.fleet import Fleet, Floats, Place
from gridlib.domain.planning.grid import QUANTILE_WEIGHTS
from gridlib.domain.planning.hours import TOLERANCE_KVA
from gridlib.domain.planning.reserve import landing_of, waiting_moves
from gridlib.domain.planning.scenarios import Scenarios
from gridlib.facts.messages import Message, verbatim
from gridlib.facts.types import Move, Plan, PlanningRules

OUTCOMES = ("p_holds", "p_clear_before", "p_clear_after")
"""What is told of every path, and as shares of them."""

ENDS = (-1, 0, 1)
"""Ends of the sections' +- range, weighed like p10, p50 and p90."""

_CERTAIN = 0.98  # sixty past days say no more
Bools = npt.NDArray[np.bool_]
LimitPair = tuple[Floats | float, Floats | float]
"""Limit of an element before and after a plan, for each hour or for all [kVA]."""


class Chances(NamedTuple):
    """What a plan is likely to do: shares of the joint paths; None where the paths do not tell.

    Attributes
    ----------
    p_holds : float or None
        No limit is newly broken and no violation grows, on any touched element in any hour.
    p_clear_before, p_clear_after : float or None
        No touched element is over its limit in any hour, without and with the plan.
    as_if_independent : tuple of str
        Transformers whose errors count as independent of the others'.
    """

    p_holds: float | None = None
    p_clear_before: float | None = None
    p_clear_after: float | None = None
    as_if_independent: tuple[str, ...] = ()


def chances_of(
    scenarios: Scenarios,
    moves: Sequence[Move],
    others: Sequence[Move],
    may_carry: Mapping[int, LimitPair],
    rules: PlanningRules,
) -> Chances:
    """Tell how likely a plan holds on every touched element for the whole horizon.

    Parameters
    ----------
    scenarios, moves, others, may_carry, rules
        As for `outcomes_of`, of whose rows these are the weighted shares.

    Returns
    -------
    Chances
        All None where a load that is touched has no paths.
    """
    outcomes = outcomes_of(scenarios, moves, others, may_carry, rules)
    if outcomes is None:
        return Chances()
    holds, before, after = (float(np.average(outcomes[k], weights=outcomes["weight"])) for k in OUTCOMES)
    fleet = scenarios.fleet
    sections = [fleet.position(name) for move in moves for name in move.sections]
    involved = dict.fromkeys([*_ends(fleet, moves), *(fleet.share_of(section)[0] for section in sections)])
    return Chances(holds, before, after, scenarios.independent(involved))


def outcomes_of(
    scenarios: Scenarios,
    moves: Sequence[Move],
    others: Sequence[Move],
    may_carry: Mapping[int, LimitPair],
    rules: PlanningRules,
) -> pd.DataFrame | None:
    """Look at every touched element in every hour on every joint path.

    Parameters
    ----------
    scenarios : Scenarios
        Joint paths.
    moves : sequence of Move
        What the plan switches; they fit.
    others : sequence of Move
        What other open plans would switch: the load that they bring counts, their relief does not.
    may_carry : mapping
        By position of each donor and receiver, its limits before and after the plan, [T] each [kVA].
    rules : PlanningRules
        ``derating_pct`` is used, as in the proof.

    Returns
    -------
    DataFrame or None
        ``day`` whose errors are taken, ``end`` of the moved sections' +- range (-1, 0, 1), ``weight``; and
        over donors, receivers, the switches of known limit on their trees, and the feeder heads and
        substations of known limit and load between which sections change: ``p_holds``: no limit is newly
        broken and no violation grows; ``p_clear_before``, ``p_clear_after``: nothing is over its limit. None
        where a donor, a receiver or a section has no paths.

    Notes
    -----
    The law is the proof's, on each path instead of at p10, p50 and p90: with derating d, load S and limit L
    of an element, ``(1 + d) |S_after| <= max(L, (1 + d) |S_before|)`` in every hour, in the state after all
    moves. The limits are those of the median load, not of each path. Sections follow the path of the
    transformer that they normally hang on. The +- range of the moved ones is taken at its lower end, middle
    and upper end, weighted 30-40-30 like p10, p50 and p90. Hot spots and voltages are not looked at.
    """
    fleet = scenarios.fleet
    units = list(dict.fromkeys(_ends(fleet, moves)))
    before, after = moves_feeding(fleet, moves), _feeding_after(fleet, moves)
    if scenarios.paths is None or after is None:
        return None
    limit_kva = [may_carry[unit] for unit in units]
    crossed = _limited_places(scenarios, moves)
    waiting = [
        move
        for move in waiting_moves(fleet, others)
        if move not in moves and _touches(fleet, move, {*units, *crossed})
    ]
    named = [fleet.devices[name].limit_kva for name in _limited(fleet, before, after)]
    limit_kva += [(kva, kva) for kva in (*named, *(fleet.above_kva[place] for place in crossed))]
    has_range = _has_range(scenarios, moves)
    parts = []
    for end, weight in zip(ENDS, QUANTILE_WEIGHTS.values(), strict=True) if has_range else ((0, 1.0),):
        flows = [
            *_summed_flows(scenarios, units, moves, waiting, end),
            *_switch_flows(scenarios, before, after, moves, waiting, end),
            *_summed_flows(scenarios, crossed, moves, waiting, end),
        ]
        held = _held(flows, limit_kva, 1 + rules.derating_pct / 100)
        if held is None:
            return None
        rows = {"day": scenarios.paths.days, "end": end, "weight": weight / len(scenarios.paths.days)}
        parts.append(pd.DataFrame(rows | dict(zip(OUTCOMES, held, strict=True))))
    return pd.concat(parts, ignore_index=True)


def describe_chances(plan: Plan) -> Message:
    """Say in one line how likely a plan holds, and what it does for the chance of no overload."""
    if plan.p_holds is None or plan.p_clear_before is None or plan.p_clear_after is None:
        return Message("chance.unknown", {})
    chances = {"holds": plan.p_holds, "without": plan.p_clear_before, "with": plan.p_clear_after}
    said = Message("chance.plan", {name: describe_chance(chance) for name, chance in chances.items()})
    if not plan.as_if_independent:
        return said
    return Message("chance.plan_alone", {"chances": said, "alone": ", ".join(plan.as_if_independent)})


def describe_chance(chance: float | None) -> Message:
    """Write a chance as percent, never as certain; a dash where it is not known."""
    if chance is None:
        return verbatim("–")
    if chance > _CERTAIN:
        return Message("chance.over", {"pct": 100 * _CERTAIN})
    if chance < 1 - _CERTAIN:
        return Message("chance.under", {"pct": 100 * (1 - _CERTAIN)})
    return verbatim(f"{100 * chance:.0f} %")


class _Flow(NamedTuple):
    """Load of an element towards import and export [2, J, T], before and after."""

    before_kva: Floats
    after_kva: Floats


def _held(
    flows: Sequence[_Flow], limit_kva: Sequence[LimitPair], factor: float
) -> tuple[Bools, Bools, Bools] | None:
    """Tell the paths on which all elements hold, and are clear before and after; None: not known."""
    holds, before, after = (np.ones(1, dtype=bool) for _ in OUTCOMES)
    for flow, (earlier, later) in zip(flows, limit_kva, strict=True):
        was, becomes = factor * flow.before_kva, factor * flow.after_kva
        known = np.isfinite(was).all() and np.isfinite(becomes).all()
        if not known or np.isnan(earlier).any() or np.isnan(later).any():
            return None
        holds = holds & _within(becomes, np.maximum(later, was))
        before = before & _within(was, earlier)
        after = after & _within(becomes, later)
    return holds, before, after


def _within(load_kva: Floats, limit_kva: Floats | float) -> Bools:
    """Tell the paths [J] that stay under a limit in every hour, both ways."""
    return np.asarray((load_kva <= limit_kva + TOLERANCE_KVA).all(axis=(0, 2)))


def _summed_flows(
    scenarios: Scenarios,
    elements: Sequence[int] | Sequence[Place],
    moves: Sequence[Move],
    waiting: Sequence[Move],
    end: int,
) -> list[_Flow]:
    """Load of transformers, or of all that hang on a feeder or substation."""
    change = _changes(scenarios, moves, end)
    flows = []
    for element in elements:
        most = least = (
            scenarios.place_kva(element) if isinstance(element, Place) else scenarios.present_kva(element)
        )
        for other in waiting:
            brought = _changes(scenarios, [other], 0).get(element, 0.0)
            most, least = most + np.maximum(brought, 0.0), least + np.minimum(brought, 0.0)
        moved = change[element]
        flows.append(_Flow(np.stack([most, -least]), np.stack([most + moved, -least - moved])))
    return flows


def _changes(scenarios: Scenarios, moves: Iterable[Move], end: int) -> dict[int | Place, Floats]:
    """Change of load [J, T] of transformers, and of feeders and substations that sections leave or reach."""
    fleet = scenarios.fleet
    changed: dict[int | Place, Floats] = {}
    for move in moves:
        moved = scenarios.moved_kva(move, end)
        donor, receiver = _ends(fleet, [move])
        pairs: list[tuple[int | Place, int | Place]] = [(donor, receiver)]
        pairs += zip(fleet.places[donor], fleet.places[receiver], strict=True)
        for left, reached in pairs:
            if left != reached:
                changed[left] = changed.get(left, 0.0) - moved
                changed[reached] = changed.get(reached, 0.0) + moved
    return changed


def _touches(fleet: Fleet, move: Move, elements: set[int | Place]) -> bool:
    donor, receiver = _ends(fleet, [move])
    return not elements.isdisjoint((donor, receiver, *fleet.places[donor], *fleet.places[receiver]))


def _limited_places(scenarios: Scenarios, moves: Sequence[Move]) -> list[Place]:
    """Name the feeders and substations of known limit and load that sections leave or reach."""
    known = scenarios.fleet.above_kva
    places = [place for place in _changes(scenarios, moves, 0) if isinstance(place, Place) and place in known]
    return [place for place in places if np.isfinite(scenarios.place_kva(place)).all()]


def _switch_flows(
    scenarios: Scenarios,
    before: Feeding,
    after: Feeding,
    moves: Sequence[Move],
    waiting: Sequence[Move],
    end: int,
) -> list[_Flow]:
    """Load through the switches of known limit, which is what hangs below each."""
    fleet = scenarios.fleet
    names = _limited(fleet, before, after)
    moved = {name for move in moves for name in move.sections}
    landing: dict[int, Floats] = {}
    for other in waiting:
        node = landing_of(fleet, other)
        landing[node] = landing.get(node, 0.0) + scenarios.moved_kva(other)
    nothing = np.zeros((1, len(fleet.times)))
    carried = []
    for feeding in (before, after):
        flow = dict.fromkeys(names, nothing)
        for section in feeding.parents if names else ():
            on_the_way = [name for name in feeding.way_up(section) if name in flow]
            if on_the_way:
                load, spread = scenarios.section_kva(section)
                load = load + (end * spread if str(fleet.names[section]) in moved else 0.0)
                for name in on_the_way:
                    flow[name] = flow[name] + load + landing.get(section, 0.0)
        carried.append(flow)
    return [_Flow(*(np.stack([flow[name], -flow[name]]) for flow in carried)) for name in names]


def _limited(fleet: Fleet, before: Feeding, after: Feeding) -> list[str]:
    """Name the switches of known limit on the trees before and after."""
    switches = dict.fromkeys(switch for tree in (before, after) for _, switch in tree.parents.values())
    return [name for name in switches if np.isfinite(fleet.devices[name].limit_kva)]


def _feeding_after(fleet: Fleet, moves: Sequence[Move]) -> Feeding | None:
    feeding: Feeding | None = moves_feeding(fleet, moves)
    for move in moves:
        feeding = None if feeding is None else feeding.after(move)
    return feeding


def _has_range(scenarios: Scenarios, moves: Sequence[Move]) -> bool:
    fleet = scenarios.fleet
    return any(fleet.share_of(fleet.position(name))[2] > 0 for move in moves for name in move.sections)


def _ends(fleet: Fleet, moves: Sequence[Move]) -> list[int]:
    return [fleet.position(name) for move in moves for name in (move.from_transformer, move.to_transformer)]
