"""Is a transfer allowed? One check for planning, approval, issue and start."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from gridlib.domain.planning.devices import Refusal, blocked, conflicts, fed_after, misfits
from gridlib.domain.planning.fleet import Fleet, build_fleet
from gridlib.domain.planning.hours import all_hours, load_break, switch_limits, unknown_loads
from gridlib.domain.planning.reserve import Reservation, reserve
from gridlib.facts.types import Limits, Move, Network, PlanningRules, Proof

NOT_COMPUTED = ("protection", "voltage", "line loading", "feeder head")
"""What the additive check does not look at; shown with every proof."""


class Trial(NamedTuple):
    """What refuses the moves, and the smallest distance to a limit on a receiver [%]."""

    refusals: tuple[Refusal, ...]
    margin_pct: float


def prove_moves(
    network: Network,
    forecast: pd.DataFrame,
    moves: Sequence[Move],
    *,
    limits: Limits,
    rules: PlanningRules,
    reserved: Sequence[Move] = (),
    tz: str = "UTC",
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
        ``loading_limit_pct`` is used.
    rules : PlanningRules
        ``derating_pct`` and ``state_max_age_h`` are used.
    reserved : sequence of Move
        Moves of other open plans, whose headroom is not spent again.
    tz : str
        Zone in which reasons name the hours.

    Returns
    -------
    Proof
        ``holds`` is True when no device refuses, everything stays radial and fed, no limit is newly broken
        and no violation grows, in any hour at p10, p50 and p90, in both directions of flow.

    Notes
    -----
    With derating d, load S and limit L of a transformer, the violation of an hour is
    ``max((1 + d) |S| - L, 0)``; it may not grow. Section loads are comonotonic with their transformer's,
    and each side is given the end of their +- range that is worse for it.
    """
    fleet = build_fleet(network, forecast, tz)
    return proof_of(fleet, moves, try_moves(fleet, moves, reserve(fleet, reserved), limits, rules), rules)


def proof_of(fleet: Fleet, moves: Sequence[Move], trial: Trial, rules: PlanningRules) -> Proof:
    """Write the outcome of a trial down."""
    return Proof(
        holds=not trial.refusals,
        method=f"additive kVA, {rules.derating_pct:g} % derated",
        reasons=tuple(refusal.reason for refusal in trial.refusals),
        not_checked=(*NOT_COMPUTED, *_unconfirmed(fleet, moves, rules)),
        margin_pct=trial.margin_pct,
    )


def try_moves(
    fleet: Fleet, moves: Sequence[Move], reserved: Reservation, limits: Limits, rules: PlanningRules
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

    Returns
    -------
    Trial
        All refusals of the first of these groups that has any; margin is NaN where no load was looked at.
    """
    for group in (misfits(fleet, moves), conflicts(fleet, moves, reserved), blocked(fleet, moves)):
        if found := tuple(dict.fromkeys(group)):
            return Trial(found, float("nan"))
    fed = fed_after(fleet, moves)
    if fed is None:
        names = " and ".join(sorted({move.close_switch for move in moves}))
        refusal = Refusal("not_radial", f"closing {names} would leave a ring or a section without supply")
        return Trial((refusal,), float("nan"))
    if found := tuple(unknown_loads(fleet, moves)):
        return Trial(found, float("nan"))
    overloads, margin_pct = all_hours(fleet, moves, reserved, limits, rules)
    found = (
        *load_break(fleet, moves, rules),
        *switch_limits(fleet, moves, fed, reserved, rules),
        *overloads,
    )
    return Trial(found, margin_pct)


def _unconfirmed(fleet: Fleet, moves: Sequence[Move], rules: PlanningRules) -> Iterable[str]:
    """Switches whose position nobody confirmed lately, and limits that are not known."""
    oldest = fleet.times[0] - pd.Timedelta(hours=rules.state_max_age_h)
    for name in dict.fromkeys(name for move in moves for name in (move.open_switch, move.close_switch)):
        device = fleet.devices.get(name)
        if device is None:
            continue
        if device.source == "assumed":
            yield f"state of {name} (assumed)"
        elif not device.time >= oldest:
            yield f"state of {name} (last confirmed {device.time:%Y-%m-%d})"
    for move in moves:
        tie = fleet.devices.get(move.close_switch)
        if tie is not None and np.isnan(tie.limit_kva):
            yield f"limit of {tie.switch_id}"
