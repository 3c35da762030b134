"""Is a transfer allowed? One check for planning, approval, issue and start."""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from gridlib.domain.planning.above import above_limits
from gridlib.domain.planning.ac import AcCheck, AcFleet, additive_leaves_out, check_ac
from gridlib.domain.planning.devices import Refusal, blocked, conflicts, misfits, unconfirmed
from gridlib.domain.planning.feeding import Feeding, moves_feeding
from gridlib.domain.planning.fleet import Fleet, build_fleet
from gridlib.domain.planning.heat import Heat, heat_of
from gridlib.domain.planning.hours import all_hours, load_break, switch_limits, unknown_loads
from gridlib.domain.planning.parallel import why_open_first
from gridlib.domain.planning.protection import Guard, check_protection
from gridlib.domain.planning.reserve import Reservation, reserve
from gridlib.domain.planning.states import Unit, prefixes, too_hot, unit_states
from gridlib.domain.planning.switching import cold_loads
from gridlib.domain.thermal import ThermalState
from gridlib.facts.messages import Message
from gridlib.facts.types import Limits, Move, Network, PlanningRules, Proof


class Trial(NamedTuple):
    """What refuses the moves, and the smallest distance to a limit on a receiver [%]; None: not looked at."""

    refusals: tuple[Refusal, ...]
    margin_pct: float | None


def prove_moves(
    network: Network,
    forecast: pd.DataFrame,
    moves: Sequence[Move],
    *,
    limits: Limits,
    rules: PlanningRules,
    reserved: Sequence[Move] = (),
    tz: str = "UTC",
    ambient_c: pd.DataFrame | None = None,
    initial: ThermalState | None = None,
    now: pd.Timestamp | None = None,
) -> Proof:
    """Prove load transfers against the network, the switch states and the forecast as they are now.

    Parameters
    ----------
    network : Network
        The network with its reported switch states.
    forecast : DataFrame
        `ForecastFrame`, every section at its normal transformer.
    moves : sequence of Move
        What one plan would switch.
    limits : Limits
        ``loading_limit_pct``, ``planned_hot_spot_c`` and ``high_hot_spot_p90_c`` are used.
    rules : PlanningRules
        ``derating_pct`` and ``state_max_age_h`` are used.
    reserved : sequence of Move
        Moves of other open plans, whose headroom is not spent again.
    tz : str
        Zone in which reasons name the hours.
    ambient_c : DataFrame, optional
        Air at each transformer over the horizon, wide: time x transformer [degC]; without it the heat is
        not checked, and the proof says so.
    initial : ThermalState, optional
        State before the horizon, in the order of the transformers in ``forecast``; default is the steady
        state of the first hour.
    now : Timestamp, optional
        Moment at which the age of reported switch positions counts; default is the first hour of the
        forecast.

    Returns
    -------
    Proof
        ``holds`` is True when no device refuses, everything stays radial and fed, no limit is newly broken
        and no violation grows, in any hour at p10, p50 and p90, in both directions of flow, and no hot spot
        rises above its limit in any hour at p50 and p90: after the last move, and after each before it.

    Notes
    -----
    With derating d, load S and limit L of a transformer, the violation of an hour is
    ``max((1 + d) |S| - L, 0)``; it may not grow. L is the least of the site's limit, that of devices in
    series, and the thermal cyclic rating of the day, found anew for the load of each state. Section loads
    are comonotonic with their transformer's, and each side is given the end of their +- range that is worse
    for it.
    """
    fleet = build_fleet(network, forecast, tz, limits)
    heat = None if ambient_c is None else heat_of(fleet, forecast, ambient_c, initial)
    moment = fleet.times[0] if now is None else now
    ac = AcFleet(fleet, limits, rules)
    return prove_in(ac, moves, heat, reserve(fleet, reserved), limits, rules, moment)


def prove_in(
    ac: AcFleet,
    moves: Sequence[Move],
    heat: Heat | None,
    reserved: Reservation,
    limits: Limits,
    rules: PlanningRules,
    now: pd.Timestamp,
) -> Proof:
    """Prove load transfers in a fleet, as `prove_moves`; without ``heat`` no heat is checked."""
    fleet = ac.fleet
    trial = try_moves(fleet, moves, reserved, limits, rules)
    unknown: tuple[Message, ...] = (Message("unchecked.hot_spot", {}),)
    before: Mapping[int, Unit] | None = None
    if heat is not None and trial.margin_pct is not None:
        units = list(fleet.deltas(moves))
        states = unit_states(fleet, prefixes(units, tuple(moves), reserved), heat, limits)
        before = states[0]
        trial = try_moves(fleet, moves, reserved, limits, rules, states)
        unknown = tuple(
            Message("unchecked.hot_spot_of", {"transformer": str(fleet.names[unit])})
            for unit, state in states[-1].items()
            if not state.is_warm
        )
    notes: list[Message] = []
    if not trial.refusals:
        for move, why in zip(moves, why_open_first(ac, moves, reserved), strict=True):
            if why and move.closes_first:
                reason = Message("plan.may_not_parallel", {"switch": move.close_switch, "why": why})
                trial = trial._replace(refusals=(*trial.refusals, Refusal("may_not_parallel", reason)))
            elif why:
                notes.append(Message("plan.opens_first", {"switch": move.open_switch, "why": why}))
    # What the additive check does not refuse is solved by AC power flow, where the impedances are known.
    checked = (
        AcCheck("additive", (), additive_leaves_out(fleet, moves))
        if trial.refusals
        else check_ac(ac, moves, reserved)
    )
    refused = trial.refusals or checked.refusals
    guard = Guard() if refused else check_protection(ac, moves, before)
    return proof_of(fleet, moves, trial, checked, guard, rules, now, heat_unknown=unknown, notes=tuple(notes))


def proof_of(
    fleet: Fleet,
    moves: Sequence[Move],
    trial: Trial,
    checked: AcCheck,
    guard: Guard,
    rules: PlanningRules,
    now: pd.Timestamp,
    *,
    heat_unknown: tuple[Message, ...] = (),
    notes: tuple[Message, ...] = (),
) -> Proof:
    """Write the outcome of a trial, of the AC power flow, and of fault level and protection down.

    ``heat_unknown`` is what heat could not be looked at, ``notes`` say why moves open first.
    """
    oldest = now - pd.Timedelta(hours=rules.state_max_age_h)
    doubtful = dict(unconfirmed(fleet, moves, oldest))
    ties = [fleet.devices[move.close_switch] for move in moves if move.close_switch in fleet.devices]
    return Proof(
        holds=not trial.refusals and not checked.refusals and not guard.refusals,
        method=Message(f"method.{checked.method}", {"derating_pct": rules.derating_pct}),
        reasons=tuple(refusal.reason for refusal in (*trial.refusals, *checked.refusals, *guard.refusals)),
        not_checked=(
            *guard.not_checked,
            *checked.not_checked,
            *heat_unknown,
            *(Message("unchecked.state", {"switch": name, "why": why}) for name, why in doubtful.items()),
            *(
                Message("unchecked.limit", {"switch": tie.switch_id})
                for tie in ties
                if np.isnan(tie.limit_kva)
            ),
        ),
        margin_pct=trial.margin_pct,
        unconfirmed=tuple(doubtful),
        elements=checked.elements,
        notes=notes,
        fault_level=guard.fault_level,
        protection=guard.protection,
    )


def try_moves(
    fleet: Fleet,
    moves: Sequence[Move],
    reserved: Reservation,
    limits: Limits,
    rules: PlanningRules,
    states: Sequence[Mapping[int, Unit]] | None = None,
) -> Trial:
    """Check moves: first what needs no load, then the tree, then every hour.

    Parameters
    ----------
    fleet : Fleet
        The fleet.
    moves : sequence of Move
        What one plan would switch.
    reserved : Reservation
        What other open plans need.
    limits, rules : Limits, PlanningRules
        The site's.
    states : sequence of mapping, optional
        The touched transformers before the moves, and after each of them, as from `unit_states`: then limits
        are those of each state, and hot spots are checked. Without it limits are those of the present loads.

    Returns
    -------
    Trial
        All refusals of the first of these groups that has any; margin is None where no load was looked at.

    Notes
    -----
    The switch-back passes through the same states in the other order, so it is proven with them.
    """
    for group in (misfits(fleet, moves), conflicts(fleet, moves, reserved), blocked(fleet, moves)):
        if found := tuple(dict.fromkeys(group)):
            return Trial(found, None)
    if found := tuple(unknown_loads(fleet, moves)):
        return Trial(found, None)
    margin_pct = np.inf
    refusals = list(load_break(fleet, moves, rules))
    # Each state that the sheet passes through, and that an abort may leave, is looked at in every hour.
    for count, feeding in enumerate(_states(fleet, moves), start=1):
        done = moves[:count]
        now = states[count] if states else None
        overloads, left_pct = all_hours(fleet, done, reserved, rules, now)
        found = (
            *switch_limits(fleet, done, feeding, reserved, rules),
            *overloads,
            *above_limits(fleet, done, reserved, rules),
        )
        if states and now:
            found += tuple(too_hot(fleet, states[0], now, limits))
        if count < len(moves):
            found = tuple(
                refusal._replace(
                    code="step_order",
                    reason=Message(
                        "plan.after_moves", {"done": count, "all": len(moves), "reason": refusal.reason}
                    ),
                )
                for refusal in found
            )
        refusals += found
        margin_pct = min(margin_pct, left_pct)
    refusals += cold_loads(fleet, moves, limits, rules, states[0] if states else None)
    return Trial(tuple(refusals), margin_pct)


def _states(fleet: Fleet, moves: Sequence[Move]) -> Iterator[Feeding]:
    """Yield the trees after each move, of moves that fit."""
    feeding: Feeding | None = moves_feeding(fleet, moves)
    for move in moves:
        feeding = None if feeding is None else feeding.after(move)
        if feeding is not None:
            yield feeding
