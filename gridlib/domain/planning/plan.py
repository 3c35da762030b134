"""From transformers at risk to ranked, proven plans, and the words for what switching cannot do."""

from collections.abc import Sequence, Set
from dataclasses import replace

import numpy as np
import pandas as pd

from gridlib.domain.planning.fleet import Fleet, build_fleet
from gridlib.domain.planning.heat import Heat, heat_of
from gridlib.domain.planning.prove import proof_of
from gridlib.domain.planning.rank import (
    best_first,
    do_nothing_of,
    make_plan,
    other_measures_of,
    refuse_on_risk,
    touched_units,
)
from gridlib.domain.planning.reserve import Reservation, reserve
from gridlib.domain.planning.score import score_scenarios
from gridlib.domain.planning.search import find_candidates
from gridlib.domain.thermal import ThermalState
from gridlib.facts.errors import GridlibError
from gridlib.facts.types import Limits, Move, Network, Plan, PlanningCase, PlanningRules, RiskLevel, WhyNot


def plan_transfers(
    network: Network,
    forecast: pd.DataFrame,
    risk: pd.DataFrame,
    ambient_c: pd.DataFrame,
    *,
    limits: Limits,
    rules: PlanningRules,
    initial: ThermalState | None = None,
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
        risk reduction, fewer operations and margin, and why other transfers were refused. A transformer
        that cannot be planned has one reason, ``forecast_missing`` or ``failed``, and nothing else.

    Notes
    -----
    The best plan of a riskier transformer reserves its receivers' headroom, its switches and its sections
    before the next transformer is planned; the relief of its donor is not counted on.
    """
    at_risk = risk[risk["risk_level"].isin([RiskLevel.MEDIUM, RiskLevel.HIGH])]
    at_risk = at_risk[~at_risk["transformer_id"].isin(list(covered))]
    if at_risk.empty:
        return ()
    at_risk = at_risk.assign(high=at_risk["risk_level"] == RiskLevel.HIGH).sort_values(
        ["imminent", "high", "risk_score", "transformer_id"], ascending=[False, False, False, True]
    )
    fleet = build_fleet(network, forecast, tz)
    heat = heat_of(fleet, forecast, ambient_c, initial)
    moment = fleet.times[0] if now is None else now
    spoken_for = list(reserved)
    cases = []
    for transformer_id in at_risk["transformer_id"]:
        donor = fleet.position(transformer_id)
        if (
            donor < 0
            or not np.isfinite(fleet.load_kva[:, :, donor]).all()
            or np.isnan(fleet.rating_kva[donor])
        ):
            reason = f"{transformer_id} has no load forecast or no rating"
            cases.append(_unplanned(transformer_id, "forecast_missing", reason))
            continue
        try:
            case = _plan_one(fleet, donor, heat, reserve(fleet, spoken_for), limits, rules, moment)
        except GridlibError as error:
            cases.append(_unplanned(transformer_id, "failed", str(error)))
            continue
        if case.plans:
            spoken_for += case.plans[0].moves
        cases.append(case)
    return tuple(cases)


def _unplanned(transformer_id: str, code: str, reason: str) -> PlanningCase:
    return PlanningCase(transformer_id, {}, (), (WhyNot(transformer_id, (), code, reason),), ())


def _plan_one(
    fleet: Fleet,
    donor: int,
    heat: Heat,
    reserved: Reservation,
    limits: Limits,
    rules: PlanningRules,
    now: pd.Timestamp,
) -> PlanningCase:
    name = str(fleet.names[donor])
    candidates, refused = find_candidates(fleet, donor, reserved, limits, rules)
    if fleet.tree.source[donor] != donor:
        why = WhyNot(name, (), "not_radial", f"{name} feeds a ring or is joined with another transformer")
        refused.insert(0, why)
    touched = [touched_units(fleet, candidate.moves) for candidate in candidates]
    everyone = sorted({donor}.union(*touched))
    scenarios = [(everyone, ()), *((units, c.moves) for units, c in zip(touched, candidates, strict=True))]
    before, *outcomes = score_scenarios(fleet, scenarios, heat, reserved, limits)
    plans: list[Plan] = []
    harmless: list[WhyNot] = []
    for candidate, after in zip(candidates, outcomes, strict=True):
        if (refusal := refuse_on_risk(fleet, before, after, limits)) is not None:
            harmless.append(WhyNot(name, candidate.moves, *refusal))
        else:
            proof = proof_of(fleet, candidate.moves, candidate.trial, rules, now)
            plans.append(make_plan(fleet, candidate.moves, proof, before, after, limits, rules))
    ranked = sorted(plans, key=best_first)[: rules.plans_per_transformer]
    ranked = [replace(plan, rank=rank) for rank, plan in enumerate(ranked, start=1)]
    return PlanningCase(
        name,
        do_nothing_of(fleet, donor, before[donor], limits),
        tuple(ranked),
        tuple([*harmless, *refused][: rules.why_not_per_transformer]),
        other_measures_of(fleet, donor, ranked[0] if ranked else None, limits),
    )
