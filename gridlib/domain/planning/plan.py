"""From transformers at risk to ranked, proven plans, and the words for what switching cannot do."""

from collections.abc import Sequence, Set
from dataclasses import replace
from itertools import islice

import numpy as np
import pandas as pd

from gridlib.domain.planning.ac import AcFleet
from gridlib.domain.planning.capacity import rate
from gridlib.domain.planning.chance import chances_of
from gridlib.domain.planning.choose import Desk, Offer, choose_plans
from gridlib.domain.planning.fleet import Fleet, build_fleet
from gridlib.domain.planning.heat import Heat, heat_of
from gridlib.domain.planning.portfolio import Promises, expected_over_kvah, find_portfolio, touched_units
from gridlib.domain.planning.rank import do_nothing_of, other_measures_of
from gridlib.domain.planning.reserve import reserve
from gridlib.domain.planning.scenarios import Scenarios
from gridlib.domain.planning.states import Scenario, carried_limits, unit_states
from gridlib.domain.planning.why_not import distinct, neighbours_of, refused_singles
from gridlib.domain.planning.wiring import ground_of, wire
from gridlib.domain.thermal import ThermalState
from gridlib.facts.forecasts import JointPaths
from gridlib.facts.messages import Message, verbatim
from gridlib.facts.types import (
    Limits,
    Move,
    Network,
    Plan,
    PlanningCase,
    PlanningRules,
    RiskLevel,
    WhyNot,
)


def plan_transfers(
    network: Network,
    forecast: pd.DataFrame,
    risk: pd.DataFrame,
    ambient_c: pd.DataFrame,
    *,
    limits: Limits,
    rules: PlanningRules,
    initial: ThermalState | None = None,
    paths: JointPaths | None = None,
    covered: Set[str] = frozenset(),
    reserved: Sequence[Move] = (),
    tz: str = "UTC",
    now: pd.Timestamp | None = None,
) -> tuple[PlanningCase, ...]:
    """Plan load transfers for every transformer at MEDIUM or HIGH risk.

    Parameters
    ----------
    network : Network
        The network with its reported switch states.
    forecast : DataFrame
        `ForecastFrame`, every section at its normal transformer: the present switch states are applied here.
    risk : DataFrame
        `RiskFrame`.
    ambient_c : DataFrame
        Air at each transformer over the horizon, wide: time x transformer [degC].
    limits : Limits
        Risk levels and limits of the site.
    rules : PlanningRules
        How transfers are searched and checked.
    initial : ThermalState, optional
        State before the horizon, in the order of the transformers in ``forecast``; default is the steady
        state of the first hour.
    paths : JointPaths, optional
        Joint error paths of the forecast; without them no plan says how likely it holds.
    covered : set of str
        Transformers that an open plan covers already; they are not planned again.
    reserved : sequence of Move
        Moves of open plans, whose headroom is not spent again.
    tz : str
        Zone in which reasons name the hours.
    now : Timestamp, optional
        Moment at which the age of reported switch positions counts; default is the first hour of the
        forecast.

    Returns
    -------
    tuple of PlanningCase
        One for each transformer at risk that is not covered, riskiest first: imminent, then HIGH, then by
        score. Each holds what doing nothing costs, up to ``plans_per_transformer`` plans ranked by net
        risk reduction, fewer operations and margin, and why other transfers were refused. A plan is listed
        with the worst transformer that it relieves. A transformer that cannot be planned has one reason,
        ``forecast_missing`` or ``failed``, and nothing else.

    Notes
    -----
    The switching that relieves all of them most together is found first (`portfolio`), and taken apart into
    plans that hold whatever becomes of the others. Around each, the best plan for 2, 4, 6, ... operations is
    found while the others keep their headroom, switches and sections (`options`); all are proven, scored
    and ranked (`choose`). The plans of rank 1 hold together. Beside the rank stands how likely a plan holds
    (`chance`).
    """
    at_risk = risk[risk["risk_level"].isin([RiskLevel.MEDIUM, RiskLevel.HIGH])]
    at_risk = at_risk[~at_risk["transformer_id"].isin(list(covered))]
    if at_risk.empty:
        return ()
    at_risk = at_risk.assign(high=at_risk["risk_level"] == RiskLevel.HIGH).sort_values(
        ["imminent", "high", "risk_score", "transformer_id"], ascending=[False, False, False, True]
    )
    fleet = build_fleet(network, forecast, tz, limits)
    heat = heat_of(fleet, forecast, ambient_c, initial)
    fleet = rate(fleet, heat, limits)
    moment = fleet.times[0] if now is None else now
    names = at_risk["transformer_id"].tolist()
    donors = [fleet.position(name) for name in names if _is_known(fleet, fleet.position(name))]
    wiring = wire(fleet, rules)
    ground = ground_of(fleet, wiring)
    radial = [unit for unit in donors if fleet.tree.source[unit] == unit]
    tasks = find_portfolio(fleet, wiring, ground, radial, reserved, limits, rules)
    ac = AcFleet(fleet, limits, rules)
    offers = choose_plans(Desk(ac, wiring, heat, limits, rules, moment), tasks, reserved)
    offers = _with_chances(offers, Scenarios(fleet, paths), heat, reserved, limits, rules)
    cases = _cases(fleet, donors, offers, heat, reserved, limits, rules)
    return tuple(
        cases[fleet.position(name)]
        if fleet.position(name) in cases
        else _unplanned(name, "forecast_missing", Message("plan.no_forecast", {"transformer": name}))
        for name in names
    )


def _with_chances(
    offers: Sequence[Offer],
    scenarios: Scenarios,
    heat: Heat,
    reserved: Sequence[Move],
    limits: Limits,
    rules: PlanningRules,
) -> list[Offer]:
    """Say of every plan how likely it holds beside the best plans of the others."""
    fleet = scenarios.fleet
    best = [offer.plans[0].moves if offer.plans else () for offer in offers]
    promises = Promises(fleet, [*reserved, *(move for moves in best for move in moves)])

    beside: list[tuple[Plan, tuple[Move, ...]]] = []
    ends: list[Scenario] = []
    for offer, own in zip(offers, best, strict=True):
        for plan in offer.plans:
            beside.append((plan, promises.near(touched_units(fleet, plan.moves), but=own)))
            units, promised = list(fleet.deltas(plan.moves)), reserve(fleet, beside[-1][1])
            ends += [Scenario(units, moves, promised) for moves in ((), plan.moves)]
    states = unit_states(fleet, ends, heat, limits)
    told = []
    for k, (plan, others) in enumerate(beside):
        may_carry = carried_limits(*states[2 * k : 2 * k + 2])
        told.append(replace(plan, **chances_of(scenarios, plan.moves, others, may_carry, rules)._asdict()))
    left = iter(told)
    return [replace(offer, plans=tuple(islice(left, len(offer.plans)))) for offer in offers]


def _is_known(fleet: Fleet, unit: int) -> bool:
    known = 0 <= unit < fleet.tree.transformers and np.isfinite(fleet.load_kva[:, :, unit]).all()
    return bool(known and np.isfinite(fleet.rating_kva[unit]))


def _has_excess(fleet: Fleet, unit: int, limits: Limits) -> bool:
    """Tell whether any load lies where the overload severity starts."""
    start_kva = fleet.rating_kva[unit] * limits.overload_points[0][0] / 100
    return expected_over_kvah(fleet, fleet.load_kva[:, :, unit], start_kva) > 0


def _unplanned(transformer_id: str, code: str, reason: Message) -> PlanningCase:
    return PlanningCase(transformer_id, {}, (), (WhyNot(transformer_id, (), code, reason),), ())


def _cases(
    fleet: Fleet,
    donors: Sequence[int],
    offers: Sequence[Offer],
    heat: Heat,
    reserved: Sequence[Move],
    limits: Limits,
    rules: PlanningRules,
) -> dict[int, PlanningCase]:
    """Write down what there is to say about each transformer."""
    offer_of = {offer.task.donors[0]: offer for offer in offers}
    best = [offer.plans[0] for offer in offers if offer.plans]
    relieved_by = {name: plan for plan in reversed(best) for name in plan.relieves}
    promises = Promises(fleet, [*reserved, *(move for plan in best for move in plan.moves)])
    helpers = {
        unit: _helper_of(offer_of.get(unit), relieved_by.get(str(fleet.names[unit]))) for unit in donors
    }
    untouched = reserve(fleet, ())
    helped = [Scenario([unit], plan.moves, untouched) for unit, plan in helpers.items() if plan]
    states, *after = unit_states(fleet, [Scenario(donors, (), untouched), *helped], heat, limits)
    left = states | {unit: state for found in after for unit, state in found.items()}
    around = {
        unit: promises.near(neighbours_of(fleet, unit), but=_own_moves(offer_of.get(unit))) for unit in donors
    }
    asked = [(unit, reserve(fleet, moves)) for unit, moves in around.items()]
    singles = dict(zip(donors, refused_singles(fleet, asked, heat, limits, rules), strict=True))
    cases = {}
    for unit in donors:
        name = str(fleet.names[unit])
        offer = offer_of.get(unit)
        if offer is not None and offer.failed:
            cases[unit] = _unplanned(name, "failed", verbatim(offer.failed))
            continue
        plans = offer.plans if offer else ()
        refused = list(offer.refused) if offer else []
        if fleet.tree.source[unit] != unit:
            why = Message("plan.in_ring", {"transformer": name})
            refused.insert(0, WhyNot(name, (), "not_radial", why))
        helper = helpers[unit]
        if helper is None and not refused and not _has_excess(fleet, unit, limits):
            start_pct = limits.overload_points[0][0]
            why = Message("plan.nothing_to_relieve", {"transformer": name, "limit_pct": start_pct})
            refused.append(WhyNot(name, (), "nothing_to_relieve", why))
        if helper is not None and not plans:
            why = Message("plan.relieved", {"transformer": name, "helper": helper.transformer_id})
            refused.insert(0, WhyNot(name, helper.moves, "relieved_elsewhere", why))
        refused += singles[unit]
        cases[unit] = PlanningCase(
            name,
            do_nothing_of(fleet, unit, states[unit]),
            plans,
            tuple(distinct(refused)[: rules.why_not_per_transformer]),
            other_measures_of(fleet, unit, states[unit], left[unit]),
        )
    return cases


def _helper_of(offer: Offer | None, relieved_by: Plan | None) -> Plan | None:
    """Take the best plan of a transformer itself, else the one that relieves it beside another."""
    return offer.plans[0] if offer and offer.plans else relieved_by


def _own_moves(offer: Offer | None) -> tuple[Move, ...]:
    return offer.plans[0].moves if offer and offer.plans else ()
