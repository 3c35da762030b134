"""Plans that are kept: proved again and brought up to the newest forecast."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import pandas as pd

from gridlib.domain.planning.ac import AcFleet
from gridlib.domain.planning.chance import chances_of
from gridlib.domain.planning.fleet import Fleet, build_fleet
from gridlib.domain.planning.heat import Heat, heat_of
from gridlib.domain.planning.prove import prove_in
from gridlib.domain.planning.rank import is_scored, make_plan, sides_of, with_search_of
from gridlib.domain.planning.reserve import reserve
from gridlib.domain.planning.scenarios import Scenarios
from gridlib.domain.planning.score import score_scenarios
from gridlib.domain.planning.states import carried_limits, prefixes, unit_states
from gridlib.domain.planning.way_back import WayBack, switch_back_hours
from gridlib.domain.thermal import ThermalState
from gridlib.facts.forecasts import JointPaths
from gridlib.facts.types import Limits, Move, Network, Plan, PlanningRules, Proof


@dataclass(frozen=True)
class Bench:
    """One forecast and one network on which plans are proved, one after the other.

    What they share is worked out once, or when the first of them needs it; `make_bench` makes one.
    """

    fleet: Fleet
    heat: Heat
    ac: AcFleet
    scenarios: Scenarios
    limits: Limits
    rules: PlanningRules
    now: pd.Timestamp


def make_bench(
    network: Network,
    forecast: pd.DataFrame,
    ambient_c: pd.DataFrame,
    *,
    limits: Limits,
    rules: PlanningRules,
    initial: ThermalState | None = None,
    paths: JointPaths | None = None,
    tz: str = "UTC",
    now: pd.Timestamp | None = None,
) -> Bench:
    """Lay out what plans are proved against.

    Parameters
    ----------
    network : Network
        The network with its reported switch states.
    forecast : DataFrame
        The newest `ForecastFrame`, every section at its normal transformer.
    ambient_c : DataFrame
        Air at each transformer over the horizon, wide: time x transformer [degC].
    limits : Limits
        Risk levels and limits of the site.
    rules : PlanningRules
        How transfers are checked, and ``switching_lead_min``.
    initial : ThermalState, optional
        State before the horizon, in the order of the transformers in ``forecast``; default is the steady
        state of the first hour.
    paths : JointPaths, optional
        Joint error paths of the forecast, for the chance that a plan holds.
    tz : str
        Zone in which reasons name the hours.
    now : Timestamp, optional
        Moment at which the age of reported switch positions counts; default is the first hour of the
        forecast.

    Returns
    -------
    Bench
        For `refresh_plan` and `gridlib.domain.planning.back.plan_return`.
    """
    fleet = build_fleet(network, forecast, tz, limits)
    return Bench(
        fleet,
        heat_of(fleet, forecast, ambient_c, initial),
        AcFleet(fleet, limits, rules),
        Scenarios(fleet, paths),
        limits,
        rules,
        fleet.times[0] if now is None else now,
    )


def refresh_plan(bench: Bench, plan: Plan, reserved: Sequence[Move] = ()) -> tuple[Plan | None, Proof]:
    """Prove a plan again and work out its numbers anew, with the same moves and rank.

    Parameters
    ----------
    bench : Bench
        The newest forecast and network.
    plan : Plan
        A plan whose switching has not begun.
    reserved : sequence of Move
        Moves of the other open plans, without those of ``plan``.

    Returns
    -------
    plan : Plan or None
        The plan with new sides, relief, risk, hours and deadline; no hours and no deadline where nothing is
        above the limit any more. None where the proof does not hold, and where it holds but a touched
        transformer has no air temperature or no thermal state, which ``not_checked`` then names.
    proof : Proof
        As from `prove_moves`.

    Notes
    -----
    What the search knew (``left_kvah``, ``bound_kvah``, ``gap_pct``, ``standing``) is carried over unchanged.

    A net risk that would no longer fall does not refuse a plan: whether a plan that was kept is still
    wanted is for people to decide, with the new numbers before them.
    """
    fleet, heat, limits, rules = bench.fleet, bench.heat, bench.limits, bench.rules
    promised = reserve(fleet, reserved)
    proof = prove_in(bench.ac, plan.moves, heat, promised, limits, rules, bench.now)
    if not proof.holds:
        return None, proof
    owner = fleet.position(plan.transformer_id)
    units = sides_of(fleet, owner, plan.moves)
    chain = prefixes(units, plan.moves, promised)
    states = unit_states(fleet, chain, heat, limits)
    before, after = score_scenarios(fleet, [chain[0], chain[-1]], [states[0], states[-1]], limits)
    if not is_scored(before, after):
        return None, proof
    (back,) = switch_back_hours(fleet, [WayBack(owner, states)], heat, limits)
    fresh = make_plan(fleet, owner, plan.moves, proof, before, after, rules, back)
    may_carry = carried_limits(states[0], states[-1])
    chances = chances_of(bench.scenarios, plan.moves, reserved, may_carry, rules)
    return replace(with_search_of(fresh, plan), **chances._asdict()), proof
