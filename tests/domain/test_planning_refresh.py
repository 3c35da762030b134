"""A plan that is kept shows the numbers of the newest forecast."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from gridlib.domain.network import parse_network
from gridlib.domain.planning import make_bench, plan_transfers, prove_moves, refresh_plan
from gridlib.domain.thermal import ThermalState
from gridlib.facts.messages import rendered
from gridlib.facts.types import Limits, Move, Network, Plan, PlanningCase, PlanningRules, Proof
from gridlib.facts.units import QUANTILE_COLUMNS, QUANTILE_LEVELS

NETWORK = parse_network("T1(500) -b1- a:0.5 -s1- b:0.3 /t1/ c:1 -b2- T2(630)")
RING = parse_network(
    """
    T1(500) -b1- a:0.3 -s1- b:0.3 /t1/ c:0.5 -b2- T2(630) -b5- f:0.3 /t3/ g -b6- T4(400)
    T1 -b3- d:0.3 /t2/ e:0.4 -b4- T3(630)
    d /t4/ g
    T3 -b7- h:0.2 /t5/ c
    """
)
START = pd.Timestamp("2026-08-12 12:00", tz="UTC")
MOVE = Move("s1", "t1", ("b",), "T1", "T2")


def forecast(start: pd.Timestamp = START, width: float = 10.0, **kva: list[float]) -> pd.DataFrame:
    """Hourly medians for each transformer; p10 and p90 lie ``width`` kVA below and above."""
    hours = len(next(iter(kva.values())))
    times = pd.date_range(start, periods=hours, freq="h").as_unit("ns")
    frame = pd.DataFrame({"transformer_id": np.repeat(list(kva), hours), "time": np.tile(times, len(kva))})
    p50 = np.concatenate(list(kva.values())).astype(float)
    for level, column in zip(QUANTILE_LEVELS, QUANTILE_COLUMNS, strict=True):
        frame[column] = p50 + width * (level - 0.5) / 0.4
    return frame


def air(loads: pd.DataFrame, **by_name: float) -> pd.DataFrame:
    frame = pd.DataFrame(30.0, index=loads["time"].unique(), columns=loads["transformer_id"].unique())
    return frame.assign(**by_name)


def planned(network: Network, loads: pd.DataFrame, *donors: str, **kwargs) -> tuple[PlanningCase, ...]:
    scores = np.linspace(0.9, 0.7, len(donors))
    risk = pd.DataFrame(
        {"transformer_id": donors, "risk_score": scores, "risk_level": "HIGH", "imminent": False}
    )
    return plan_transfers(
        network, loads, risk, air(loads), limits=Limits(), rules=PlanningRules(), tz="Asia/Amman", **kwargs
    )


def refreshed(
    network: Network,
    loads: pd.DataFrame,
    plan: Plan,
    ambient: pd.DataFrame | None = None,
    reserved: Sequence[Move] = (),
    **kwargs,
) -> tuple[Plan | None, Proof]:
    ambient = air(loads) if ambient is None else ambient
    given = {"limits": Limits(), "rules": PlanningRules(), "tz": "Asia/Amman", **kwargs}
    return refresh_plan(make_bench(network, loads, ambient, **given), plan, reserved)


OVERLOAD = forecast(T1=[400, 560, 450], T2=[200, 300, 250])
(CASE,) = planned(NETWORK, OVERLOAD, "T1")
PLAN = CASE.plans[0]


def test_on_the_same_inputs_every_plan_is_what_it_was() -> None:
    peaks = {"T1": [405, 531, 432], "T2": [150, 200, 150], "T3": [380, 650, 500], "T4": [100, 150, 120]}
    loads = forecast(**peaks)
    hot = ThermalState(np.full(4, 70.0), np.full(4, 20.0), np.zeros(4))
    now = START + pd.Timedelta(minutes=20)
    cases = planned(RING, loads, "T1", "T3", initial=hot, now=now)
    best = {case.transformer_id: case.plans[0].moves for case in cases if case.plans}
    seen = []
    for case in cases:
        others = [move for name, moves in best.items() if name != case.transformer_id for move in moves]
        for plan in case.plans:
            again, proof = refreshed(RING, loads, plan, initial=hot, reserved=others, now=now)
            assert (again, proof) == (plan, plan.proof)
            seen.append(plan)
    assert {plan.transformer_id for plan in seen} == {"T1", "T3"}  # so that headroom was reserved
    assert {plan.rank for plan in seen} >= {1, 2}


def test_the_numbers_are_those_of_the_newest_forecast() -> None:
    later = START + pd.Timedelta(hours=2)
    loads = forecast(later, T1=[400, 450, 540, 580, 450], T2=[200, 250, 300, 280, 250])
    plan, proof = refreshed(NETWORK, loads, replace(PLAN, rank=3))
    assert plan is not None
    assert (plan.moves, plan.rank, plan.proof) == (PLAN.moves, 3, proof)
    assert proof.holds
    assert plan.sides[0].peak_pct_p50_before == pytest.approx(100 * 580 / 500)
    assert plan.needed_from == later + pd.Timedelta(hours=2)
    assert plan.needed_until == later + pd.Timedelta(hours=3)
    lead = pd.Timedelta(minutes=PlanningRules().switching_lead_min)
    assert plan.decide_by == later + pd.Timedelta(hours=2) - lead
    assert plan.relieved_kvah == pytest.approx(40 + 80)
    assert (plan.operations, plan.interrupted_customers) == (2, 10)


def test_hours_that_are_no_longer_over_the_limit_leave_no_deadline_and_no_refusal() -> None:
    loads = forecast(T1=[150, 180, 160], T2=[200, 520, 250])
    plan, proof = refreshed(NETWORK, loads, PLAN)
    assert plan is not None
    assert proof.holds
    assert plan.risk_after >= plan.risk_before
    (case,) = planned(NETWORK, loads, "T1")
    assert case.why_not[0].code == "nothing_to_relieve"
    assert (plan.needed_from, plan.needed_until, plan.decide_by) == (None, None, None)
    assert (plan.relief_pct, plan.sides[0].hours_over_before) == (0.0, 0)


@pytest.mark.parametrize("reason", ["load", "switch", "heat", "reserved"])
def test_a_proof_that_fails_leaves_no_plan_and_says_why(reason: str) -> None:
    network, loads, ambient, reserved = NETWORK, OVERLOAD, air(OVERLOAD), ()
    if reason == "load":
        loads = forecast(T1=[400, 560, 450], T2=[200, 500, 250])
    elif reason == "switch":
        switches = NETWORK.switches.assign(load_break_a=1.0)
        network = replace(NETWORK, switches=switches)
    elif reason == "heat":
        ambient = air(OVERLOAD, T2=85.0)
    else:
        reserved = (MOVE,)
    plan, proof = refreshed(network, loads, PLAN, ambient, reserved=reserved)
    assert plan is None
    assert not proof.holds
    assert proof == prove_moves(
        network,
        loads,
        PLAN.moves,
        limits=Limits(),
        rules=PlanningRules(),
        reserved=reserved,
        tz="Asia/Amman",
        ambient_c=ambient,
    )


def test_without_air_the_proof_says_so_and_no_number_is_made_up() -> None:
    plan, proof = refreshed(NETWORK, OVERLOAD, PLAN, air(OVERLOAD, T2=np.nan))
    assert plan is None
    assert proof.holds
    assert "hot spot of T2" in rendered(proof.not_checked)


def test_the_plan_given_is_left_as_it_was() -> None:
    before = replace(PLAN)
    refreshed(NETWORK, forecast(T1=[400, 520, 450], T2=[200, 300, 250]), PLAN)
    assert before == PLAN
