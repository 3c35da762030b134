"""Load transfers: proven hour by hour on every side, never harmful, never through a device in fault."""

import json
from dataclasses import replace
from functools import lru_cache

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter

from gridlib.domain.network import (
    apply_moves,
    closed_switches,
    current_states,
    feeding,
    parse_network,
    transformer_load_kva,
    undo_moves,
)
from gridlib.domain.planning import choose, make_bench, plan_transfers, prove_moves, refresh_plan
from gridlib.domain.thermal import ThermalState
from gridlib.facts.errors import InputError
from gridlib.facts.messages import render, rendered
from gridlib.facts.types import Limits, Move, Network, PlanningCase, PlanningRules, Proof
from gridlib.facts.units import QUANTILE_COLUMNS, QUANTILE_LEVELS, current_a

LIMITS = Limits()
RULES = PlanningRules(derating_pct=0)
PAIR = "T1(500) -b1- a:0.5 -s1- b:0.3 /t1/ c:1 -b2- T2(630)"
MOVE = Move("s1", "t1", ("b",), "T1", "T2")
CHECKED = ("load_kva_p10", "load_kva_p50", "load_kva_p90")
STORED = TypeAdapter(PlanningCase)


def forecast(width: float = 0.0, **kva: list[float]) -> pd.DataFrame:
    """Hourly medians for each transformer; p10 and p90 lie ``width`` kVA below and above."""
    hours = len(next(iter(kva.values())))
    times = pd.date_range("2026-08-12 12:00", periods=hours, freq="h", tz="UTC").as_unit("ns")
    frame = pd.DataFrame({"transformer_id": np.repeat(list(kva), hours), "time": np.tile(times, len(kva))})
    p50 = np.concatenate(list(kva.values())).astype(float)
    for level, column in zip(QUANTILE_LEVELS, QUANTILE_COLUMNS, strict=True):
        frame[column] = p50 + width * (level - 0.5) / 0.4
    return frame


def at_risk(**scores: float) -> pd.DataFrame:
    level = ["HIGH" if score >= 0.7 else "MEDIUM" if score >= 0.3 else "LOW" for score in scores.values()]
    frame = {"transformer_id": list(scores), "risk_score": list(scores.values()), "risk_level": level}
    return pd.DataFrame({**frame, "imminent": False})


def air(loads: pd.DataFrame, ambient_c: float = 30.0, **by_name: float) -> pd.DataFrame:
    frame = pd.DataFrame(ambient_c, index=loads["time"].unique(), columns=loads["transformer_id"].unique())
    return frame.assign(**by_name)


def plan(
    network: Network,
    loads: pd.DataFrame,
    risk: pd.DataFrame,
    ambient: pd.DataFrame | None = None,
    **kwargs,
) -> tuple[PlanningCase, ...]:
    ambient = air(loads) if ambient is None else ambient
    return plan_transfers(network, loads, risk, ambient, **{"limits": LIMITS, "rules": RULES, **kwargs})


def prove(network: Network, loads: pd.DataFrame, *moves: Move, **kwargs) -> Proof:
    return prove_moves(network, loads, moves, **{"limits": LIMITS, "rules": RULES, **kwargs})


def with_state(network: Network, switch_id: str, state: str, health: str = "OK", tags: str = "") -> Network:
    row = {"switch_id": switch_id, "time": pd.Timestamp("2026-08-01", tz="UTC"), "state": state}
    table = pd.DataFrame([{**row, "health": health, "tags": tags, "source": "manual"}])
    table["time"] = table["time"].dt.as_unit("ns")
    return replace(network, states=pd.concat([network.states, table]) if len(network.states) else table)


def with_value(network: Network, table: str, name: str, column: str, value: object) -> Network:
    frame = getattr(network, table).copy()
    frame.loc[frame.iloc[:, 0] == name, column] = value
    return replace(network, **{table: frame})


OVERLOAD = forecast(T1=[400, 560, 450], T2=[200, 300, 250])


# One case by hand: 560 kVA on 500 kVA, a section of 30 % that the neighbour can take.


def test_transfer_relieves_the_donor_and_says_by_how_much():
    (case,) = plan(parse_network(PAIR), OVERLOAD, at_risk(T1=0.8, T2=0.0))
    best = case.plans[0]
    assert best.moves == (MOVE,)
    donor, receiver = best.sides
    assert (donor.role, receiver.role) == ("donor", "receiver")
    assert donor.peak_pct_p50_before == pytest.approx(100 * 560 / 500)
    assert donor.peak_pct_p50_after == pytest.approx(100 * 0.7 * 560 / 500)
    assert receiver.peak_pct_p50_after == pytest.approx(100 * (300 + 0.3 * 560) / 630)
    assert (best.relieved_kvah, best.relief_pct) == (pytest.approx(60), pytest.approx(100))
    assert best.proof.margin_pct == pytest.approx(100 - 100 * (300 + 0.3 * 560) / 630)
    assert best.risk_after < best.risk_before
    assert best.risk_before == pytest.approx(donor.risk_before + receiver.risk_before)
    assert donor.hot_spot_c_after < donor.hot_spot_c_before
    assert receiver.hot_spot_c_after > receiver.hot_spot_c_before
    assert (best.operations, best.interrupted_customers) == (2, 10)
    assert best.needed_from == best.needed_until == pd.Timestamp("2026-08-12 13:00", tz="UTC")
    assert best.decide_by == pd.Timestamp("2026-08-12 12:00", tz="UTC")
    assert case.other_measures == ()


def test_doing_nothing_is_always_priced():
    (case,) = plan(parse_network(PAIR), OVERLOAD, at_risk(T1=0.8))
    nothing = case.do_nothing
    assert (nothing["hours_over_p50"], nothing["overload_kvah_p50"]) == (1, pytest.approx(60))
    assert nothing["peak_pct_p90"] == pytest.approx(112)
    assert nothing["hot_spot_c_max"] > 98
    assert nothing["loss_of_life_d"] > 0


def test_hot_oil_from_before_the_horizon_is_carried_over():
    ids = 2
    hot = ThermalState(np.full(ids, 110.0), np.full(ids, 23.0), np.zeros(ids))
    (cool,) = plan(parse_network(PAIR), OVERLOAD, at_risk(T1=0.8))
    (warm,) = plan(parse_network(PAIR), OVERLOAD, at_risk(T1=0.8), initial=hot)
    assert warm.do_nothing["hot_spot_c_max"] > cool.do_nothing["hot_spot_c_max"]


def test_two_moves_where_one_is_not_enough():
    text = "T2(800) -b2- c /t1/ a:0.3 -b1- T1(500) -b3- b:0.3 /t2/ d -b4- T3(800)"
    loads = forecast(T1=[860], T2=[130], T3=[130])
    (case,) = plan(parse_network(text), loads, at_risk(T1=1.0))
    assert {move.open_switch for move in case.plans[0].moves} == {"b1", "b3"}
    assert {side.transformer_id for side in case.plans[0].sides} == {"T1", "T2", "T3"}
    (case,) = plan(
        parse_network(text), loads, at_risk(T1=1.0), rules=RULES.model_copy(update={"max_moves": 1})
    )
    assert case.plans
    assert all(len(found.moves) == 1 for found in case.plans)


# What the published demo did wrong.


def test_receiver_pushed_to_108_9_percent_is_refused():
    loads = forecast(T1=[550], T2=[521])
    proof = prove(parse_network(PAIR), loads, MOVE)
    assert not proof.holds
    assert "T2 would reach 108.9 %" in render(proof.reasons[0])
    assert "limit 100 % by the site: 56 kVA too much" in render(proof.reasons[0])
    (case,) = plan(parse_network(PAIR), loads, at_risk(T1=0.8))
    assert case.plans == ()
    assert {why.code for why in case.why_not} == {"receiver_overload"}


def test_closing_a_tie_alone_is_never_a_plan():
    proof = prove(parse_network(PAIR), OVERLOAD, replace(MOVE, open_switch=""))
    assert not proof.holds
    assert "opens one switch and closes another" in render(proof.reasons[0])
    assert not prove(parse_network(PAIR), OVERLOAD).holds


def test_covered_transformer_is_not_planned_again():
    assert plan(parse_network(PAIR), OVERLOAD, at_risk(T1=0.8), covered=frozenset({"T1"})) == ()


def test_low_risk_is_not_planned():
    assert plan(parse_network(PAIR), OVERLOAD, at_risk(T1=0.2)) == ()


@pytest.mark.parametrize("switch", ["s1", "t1", "b2"])
@pytest.mark.parametrize(
    ("health", "tags", "code"),
    [("FAULT", "", "switch_fault"), ("MAINTENANCE", "", "switch_maintenance"), ("OK", "PERMIT", "tagged")],
)
def test_device_that_may_not_be_used_blocks_the_plan(switch, health, tags, code):
    state = "OPEN" if switch == "t1" else "CLOSED"
    network = with_state(parse_network(PAIR), switch, state, health, tags)
    assert not prove(network, OVERLOAD, MOVE).holds
    (case,) = plan(network, OVERLOAD, at_risk(T1=0.8))
    assert all(switch not in (m.open_switch, m.close_switch) for found in case.plans for m in found.moves)
    assert any(why.code == code and switch in render(why.reason) for why in case.why_not)


# Every limit, each with the binding number.


@pytest.mark.parametrize(
    ("table", "name", "column", "value", "code"),
    [
        ("switches", "s1", "load_break_a", np.nan, "capability_unknown"),
        ("switches", "t1", "load_break_a", np.nan, "capability_unknown"),
        ("switches", "t1", "fault_make_ka", np.nan, "capability_unknown"),
        ("switches", "t1", "phase_rotation_confirmed_on", None, "phase_rotation_unconfirmed"),
        ("switches", "t1", "limit_kva", 160.0, "tie_limit"),
        ("switches", "b2", "limit_kva", 450.0, "switch_limit"),
        ("switches", "s1", "load_break_a", 230.0, "load_break_exceeded"),
        ("sections", "b", "spread_pct", 99.0, "receiver_overload"),
        ("transformers", "T2", "rating_kva", np.nan, "rating_missing"),
    ],
)
def test_limit_refuses_the_transfer_and_is_named(table, name, column, value, code):
    network = parse_network(PAIR)
    assert prove(network, OVERLOAD, MOVE).holds
    network = with_value(network, table, name, column, value)
    assert not prove(network, OVERLOAD, MOVE).holds
    (case,) = plan(network, OVERLOAD, at_risk(T1=0.8))
    refused = [why for why in case.why_not if why.moves == (MOVE,)]
    assert [why.code for why in refused] == [code]
    assert all(found.moves != (MOVE,) for found in case.plans)


def test_tie_limit_and_breaking_current_hold_to_the_last_kva():
    moved = 0.3 * 560
    for column, value in (("limit_kva", moved), ("load_break_a", current_a(moved))):
        for factor, holds in ((1.001, True), (0.999, False)):
            network = with_value(parse_network(PAIR), "switches", "t1", column, factor * value)
            assert prove(network, OVERLOAD, MOVE).holds is holds


def test_derating_counts_on_moved_and_receiver_load():
    loads = forecast(T1=[560], T2=[630 / 1.05 - 168 - 0.1])
    derated = RULES.model_copy(update={"derating_pct": 5})
    assert prove(parse_network(PAIR), loads, MOVE, rules=derated).holds
    loads = forecast(T1=[560], T2=[630 / 1.05 - 168 + 0.1])
    assert not prove(parse_network(PAIR), loads, MOVE, rules=derated).holds
    assert render(prove(parse_network(PAIR), loads, MOVE).method) == "additive kVA, 0 % derated"
    proof = prove(parse_network(PAIR), loads, MOVE, rules=derated)
    assert render(proof.method) == "additive kVA, 5 % derated"


def test_p90_refuses_where_the_median_would_pass():
    loads = {"T1": [540.0], "T2": [460.0]}
    assert prove(parse_network(PAIR), forecast(**loads), MOVE).holds
    proof = prove(parse_network(PAIR), forecast(width=20, **loads), MOVE)
    assert not proof.holds
    assert "at p90" in render(proof.reasons[0])


def test_export_is_limited_as_import_is():
    loads = forecast(T1=[-500, 560], T2=[-520, 100])
    proof = prove(parse_network(PAIR), loads, MOVE)
    assert not proof.holds
    assert "in export" in render(proof.reasons[0])


def test_range_of_a_section_counts_on_the_donor_too():
    network = with_value(parse_network(PAIR), "sections", "b", "spread_pct", 110.0)
    proof = prove(network, forecast(T1=[560], T2=[200]), MOVE)
    assert [reason[:14] for reason in rendered(proof.reasons)] == ["T1 would reach"]


def test_existing_violation_of_the_receiver_may_shrink_but_not_grow():
    assert not prove(parse_network(PAIR), forecast(T1=[560, 1], T2=[100, 640]), MOVE).holds
    assert prove(parse_network(PAIR), forecast(T1=[560, -1], T2=[100, 640]), MOVE).holds


def test_tie_to_a_section_without_supply_is_not_radial():
    network = parse_network(PAIR + " ; b /t2/ d -b5- e")
    (case,) = plan(network, OVERLOAD, at_risk(T1=0.8))
    assert "not_radial" in {why.code for why in case.why_not}
    assert all(move.close_switch == "t1" for found in case.plans for move in found.moves)


def test_dead_receiver_is_no_receiver():
    network = parse_network(PAIR)
    head = network.switches.iloc[[0]].assign(switch_id="f1", from_id="F1", to_id="T2")
    network = replace(network, switches=pd.concat([network.switches, head], ignore_index=True))
    assert prove(network, OVERLOAD, MOVE).holds
    proof = prove(with_state(network, "f1", "OPEN"), OVERLOAD, MOVE)
    assert rendered(proof.reasons) == ("f1 on the path to the receiver is open",)


@pytest.mark.parametrize(
    ("state", "health", "tags"),
    [("OPEN", "OK", ""), ("CLOSED", "FAULT", ""), ("CLOSED", "OK", "EARTHED"), ("CLOSED", "OK", "PERMIT")],
)
def test_any_head_of_the_receivers_feeder_counts_for_all_its_transformers(state, health, tags):
    network = parse_network(PAIR + "; T9(400) -b9- z")
    network = with_value(network, "transformers", "T1", "feeder_id", "F2")
    feeders = pd.concat([network.feeders, network.feeders.assign(feeder_id="F2")], ignore_index=True)
    heads = [
        network.switches.iloc[[0]].assign(switch_id=name, from_id=feeder, to_id=unit)
        for name, feeder, unit in (("f1", "F1", "T9"), ("f2", "F2", "T1"))
    ]
    switches = pd.concat([network.switches, *heads], ignore_index=True)
    network = replace(network, feeders=feeders, switches=switches)
    assert prove(network, OVERLOAD, MOVE).holds
    assert not prove(with_state(network, "f1", state, health, tags), OVERLOAD, MOVE).holds
    assert prove(with_state(network, "f2", state, health, tags), OVERLOAD, MOVE).holds


def test_transfer_that_only_shifts_the_risk_is_no_plan():
    loads = forecast(T1=[450], T2=[440])
    network = with_value(parse_network(PAIR), "transformers", "T2", "rating_kva", 500.0)
    network = with_value(network, "sections", "b", "share", 0.1)
    (case,) = plan(network, loads, at_risk(T1=0.3))
    assert (MOVE,) in [why.moves for why in case.why_not if why.code == "no_reduction"]
    assert all(found.risk_after < found.risk_before for found in case.plans)


# Proved again at approval, issue and start.


def test_proof_fails_once_the_world_has_changed():
    network = parse_network(PAIR)
    assert prove(network, OVERLOAD, MOVE).holds
    assert not prove(with_state(network, "t1", "OPEN", "FAULT"), OVERLOAD, MOVE).holds
    assert not prove(network, forecast(T1=[400, 560, 450], T2=[200, 500, 250]), MOVE).holds
    for switch, state in (("s1", "OPEN"), ("t1", "CLOSED")):
        proof = prove(with_state(network, switch, state), OVERLOAD, MOVE)
        assert not proof.holds
        assert f"{switch} is {state.lower()} already" in render(proof.reasons[0])
    assert not prove(network, OVERLOAD, replace(MOVE, sections=("a", "b"))).holds
    assert not prove(network, OVERLOAD, replace(MOVE, to_transformer="T1")).holds
    assert not prove(network, OVERLOAD, MOVE, MOVE).holds


def test_way_back_is_proven_by_the_same_check():
    moved = with_state(with_state(parse_network(PAIR), "s1", "OPEN"), "t1", "CLOSED")
    back = Move("t1", "s1", ("b",), "T2", "T1")
    assert prove(moved, forecast(T1=[480], T2=[300]), back).holds
    assert not prove(moved, OVERLOAD, back).holds


def test_what_was_not_checked_is_said():
    network = parse_network(PAIR)
    plates = "T1: vk_pct, vkr_pct; T2: vk_pct, vkr_pct"
    never = {
        f"protection ({plates})",
        f"fault level ({plates})",
        "voltage",
        "line loading",
        "limit of t1",
    }
    never |= {"AC power flow (T1: vk_pct, vkr_pct, ...)"}
    assumed = {f"state of {name} (assumed)" for name in ("s1", "t1", "b1", "b2")}
    assert set(rendered(prove(network, OVERLOAD, MOVE).not_checked)) == never | assumed | {"hot spot"}
    warm = prove(network, OVERLOAD, MOVE, ambient_c=air(OVERLOAD))
    assert set(rendered(warm.not_checked)) == never | assumed
    cold = prove(network, OVERLOAD, MOVE, ambient_c=air(OVERLOAD, T2=np.nan))
    assert set(rendered(cold.not_checked)) == never | assumed | {"hot spot of T2"}


def test_planned_proof_has_checked_the_heat():
    (case,) = plan(parse_network(PAIR), OVERLOAD, at_risk(T1=0.8))
    assert "hot spot" not in rendered(case.plans[0].proof.not_checked)
    assert case.plans[0].proof == prove(parse_network(PAIR), OVERLOAD, MOVE, ambient_c=air(OVERLOAD))


LONG = "T1(500) -b1- a:0.3 -s1- b:0.3 -s2- x:0.1 /t1/ c:0.5 -s3- d:0.1 -b2- T2(630) -b9- y:0.2"


def test_every_switch_on_the_way_is_to_be_confirmed():
    network = parse_network(LONG)
    move = Move("s1", "t1", ("b", "x"), "T1", "T2")
    assert prove(network, OVERLOAD, move).unconfirmed == ("s1", "t1", "b1", "s3", "b2", "s2")
    for switch in ("s1", "b1", "s3", "b2", "s2"):
        network = with_state(network, switch, "CLOSED")
    proof = prove(network, OVERLOAD, move, rules=PlanningRules(state_max_age_h=24 * 30))
    assert proof.unconfirmed == ("t1",)
    network = with_state(network, "t1", "OPEN")
    proof = prove(network, OVERLOAD, move, rules=PlanningRules(state_max_age_h=24 * 30))
    assert (proof.holds, proof.unconfirmed) == (True, ())
    assert not [words for words in rendered(proof.not_checked) if "state" in words]


@pytest.mark.parametrize(("now", "old"), [(None, True), ("2026-08-07", False), ("2026-08-09", True)])
def test_age_of_a_state_counts_from_now_and_a_week_is_too_old(now, old):
    network = parse_network(PAIR)
    for switch, state in (("s1", "CLOSED"), ("t1", "OPEN"), ("b1", "CLOSED"), ("b2", "CLOSED")):
        network = with_state(network, switch, state)
    moment = None if now is None else pd.Timestamp(now, tz="UTC")
    proof = prove(network, OVERLOAD, MOVE, now=moment)
    assert proof.holds
    assert proof.unconfirmed == (("s1", "t1", "b1", "b2") if old else ())
    assert ("state of s1 (last confirmed 2026-08-01)" in rendered(proof.not_checked)) is old
    (case,) = plan(network, OVERLOAD, at_risk(T1=0.8), now=moment)
    assert case.plans[0].proof.unconfirmed == proof.unconfirmed


# Heat.

HOT = forecast(T1=[560] * 6, T2=[400] * 6)


def test_donor_that_is_too_hot_before_is_still_relieved():
    proof = prove(parse_network(PAIR), HOT, MOVE, ambient_c=air(HOT, T1=60.0))
    assert proof.holds


def test_numbers_that_leave_planning_are_finite_or_none():
    (case,) = plan(parse_network(PAIR), OVERLOAD, at_risk(T1=0.8), air(OVERLOAD, T1=np.nan))
    assert case.plans == ()
    assert [why.code for why in case.why_not if why.moves == (MOVE,)] == ["not_scored"]
    assert (case.do_nothing["hot_spot_c_max"], case.do_nothing["loss_of_life_d"]) == (None, None)
    json.dumps(STORED.dump_python(case, mode="json"), allow_nan=False)
    refused = prove(with_state(parse_network(PAIR), "t1", "CLOSED"), OVERLOAD, MOVE)
    assert refused.margin_pct is None
    (case,) = plan(parse_network(PAIR), OVERLOAD, at_risk(T1=0.8))
    assert case.plans
    json.dumps(STORED.dump_python(case, mode="json"), allow_nan=False)


def test_one_transformer_that_fails_is_named_and_the_others_are_planned(monkeypatch):
    network = parse_network(TWO_DONORS)
    loads = forecast(T1=[600], T2=[100], T3=[600])
    (sound,) = plan(network, loads, at_risk(T3=0.8))
    search = choose.find_options

    def broken(fleet, wiring, task, *rest):
        if fleet.names[task.donors[0]] == "T1":
            raise InputError("T1 has a table that makes no sense")
        return search(fleet, wiring, task, *rest)

    monkeypatch.setattr(choose, "find_options", broken)
    failed, planned = plan(network, loads, at_risk(T1=0.9, T3=0.8))
    assert (failed.plans, dict(failed.do_nothing)) == ((), {})
    assert [(why.code, render(why.reason)) for why in failed.why_not] == [
        ("failed", "T1 has a table that makes no sense")
    ]
    assert planned == sound


def test_loads_are_those_of_the_present_switch_states():
    text = PAIR + " ; T3(400) -b3- d:0.5 /t3/ c"
    network = with_state(with_state(parse_network(text), "b3", "OPEN"), "t3", "CLOSED")
    loads = forecast(T1=[560], T2=[300], T3=[320])
    assert prove(parse_network(text), loads, MOVE).holds
    proof = prove(network, forecast(T1=[560], T2=[320], T3=[320]), MOVE)
    assert f"T2 would reach {100 * (320 + 160 + 168) / 630:.1f} %" in render(proof.reasons[0])


# Plans made together.

TWO_DONORS = "T1(500) -b1- a:0.4 /t1/ c -b2- T2(630) -b3- d /t2/ e:0.4 -b4- T3(500)"


def test_two_donors_do_not_spend_the_same_headroom():
    network = parse_network(TWO_DONORS)
    loads = forecast(T1=[600], T2=[300], T3=[600])
    alone = plan(network, loads, at_risk(T3=0.8))
    assert alone[0].plans
    first, second = plan(network, loads, at_risk(T1=0.9, T3=0.8))
    assert (first.transformer_id, second.transformer_id) == ("T1", "T3")
    assert first.plans
    assert second.plans == ()
    assert {why.code for why in second.why_not} == {"receiver_overload"}


def test_open_plans_keep_their_headroom_switches_and_sections():
    network = parse_network(TWO_DONORS)
    loads = forecast(T1=[600], T2=[300], T3=[600])
    taken = Move("b1", "t1", ("a",), "T1", "T2")
    (case,) = plan(network, loads, at_risk(T3=0.8), reserved=(taken,))
    assert case.plans == ()
    assert not prove(network, loads, Move("b4", "t2", ("e",), "T3", "T2"), reserved=(taken,)).holds
    proof = prove(network, loads, taken, reserved=(taken,))
    assert "needed by another open plan" in render(proof.reasons[0])


def test_imminent_goes_first_then_high_then_score():
    network = parse_network(TWO_DONORS)
    risk = at_risk(T1=0.9, T2=0.75, T3=0.31)
    risk.loc[2, "imminent"] = True
    cases = plan(network, forecast(T1=[600], T2=[300], T3=[600]), risk)
    assert [case.transformer_id for case in cases] == ["T3", "T1", "T2"]


def test_what_switching_cannot_relieve_is_named_with_sizes():
    (case,) = plan(parse_network("T1(500) -b1- a"), forecast(T1=[560, 540]), at_risk(T1=0.8))
    assert case.plans == ()
    share, shed, generator, reinforcement = rendered(case.other_measures)
    assert share.startswith("100 % of the overload at p50 (100 of 100 kVAh)")
    assert "60 kVA in 2 h" in shed
    assert "60 kVA" in generator
    assert "630 kVA in place of 500 kVA" in reinforcement


def test_one_broken_transformer_leaves_the_others_bit_identical():
    network = parse_network(PAIR)
    ring = parse_network(PAIR + " ; T8(400) -b8- x -b9- y -b7- T8 ; T9(250) -b6- z")
    (sound,) = plan(network, OVERLOAD, at_risk(T1=0.8))
    loads = forecast(T1=[400, 560, 450], T2=[200, 300, 250], T8=[500, 500, 500])
    cases = plan(ring, loads, at_risk(T1=0.8, T8=0.9, T9=0.9))
    found = {case.transformer_id: case for case in cases}
    assert found["T1"] == sound
    assert [why.code for why in found["T8"].why_not] == ["not_radial"]
    assert found["T8"].do_nothing["hours_over_p50"] == 3
    assert [why.code for why in found["T9"].why_not] == ["forecast_missing"]


# Laws, on random networks.

NETWORKS = st.integers(0, 39)


@lru_cache
def random_case(seed: int) -> tuple[Network, pd.DataFrame, tuple[PlanningCase, ...]]:
    """A network of a few transformers with random branches, ties, spreads, faults and signed loads."""
    rng = np.random.default_rng(seed)
    chains, tips = [], []
    for i in range(int(rng.integers(3, 7))):
        for b in range(int(rng.integers(1, 3))):
            sections = [f"s{i}{b}{d}" for d in range(int(rng.integers(1, 4)))]
            chains.append(f"T{i}({rng.choice([250, 400, 500])}) " + " ".join(f"-w{s}- {s}" for s in sections))
            tips.append((i, str(rng.choice(sections))))
    for number in range(2 * len(tips)):
        (i, one), (j, other) = (tips[k] for k in rng.choice(len(tips), 2, replace=False))
        if i != j:
            chains.append(f"{one} /t{number}:{rng.integers(80, 300)}/ {other}")
    network = parse_network("\n".join(chains))
    network.sections["spread_pct"] = rng.choice([0.0, 20.0], len(network.sections))
    for tie in network.switches.loc[network.switches["kind"] == "tie", "switch_id"]:
        if rng.random() < 0.15:
            network = with_state(network, tie, "OPEN", str(rng.choice(["FAULT", "MAINTENANCE"])))
    rating = network.transformers.set_index("transformer_id")["rating_kva"]
    stress = rng.permutation(np.linspace(0.3, 1.3, len(rating)))
    shape = np.array([-0.3, 0.4, 0.8, 1.0, 0.9])
    kva = {
        name: list(s * r * shape * rng.uniform(0.9, 1, 5))
        for s, (name, r) in zip(stress, rating.items(), strict=True)
    }
    loads = forecast(width=15, **kva)
    scores = {name: float(np.clip(s - 0.2, 0, 1)) for s, name in zip(stress, rating.index, strict=True)}
    return network, loads, plan(network, loads, at_risk(**scores), rules=PlanningRules(derating_pct=3))


def carried(network: Network, loads: pd.DataFrame, closed: frozenset[str], column: str) -> pd.DataFrame:
    wide = loads.pivot(index="time", columns="transformer_id", values=column)
    return transformer_load_kva(network, wide, closed)


def worse(network: Network, loads: pd.DataFrame, before: frozenset[str], after: frozenset[str]) -> float:
    """Largest growth of a violation, over transformers, hours, p10, p50 and p90 [kVA]."""
    rating = network.transformers.set_index("transformer_id")["rating_kva"]
    growth = []
    for column in CHECKED:
        then, now = (carried(network, loads, closed, column) for closed in (before, after))
        limit = rating[now.columns].to_numpy()
        for sign in (1, -1):
            growth.append((sign * now.to_numpy() - np.maximum(sign * then.to_numpy(), limit)).max())
    return max(growth)


@settings(max_examples=40)
@given(NETWORKS)
def test_every_plan_is_radial_fed_harmless_and_can_be_undone(seed):
    network, loads, cases = random_case(seed)
    closed = closed_switches(current_states(network))
    for case in cases:
        assert case.do_nothing["peak_pct_p50"] > 0
        assert [found.rank for found in case.plans] == list(range(1, len(case.plans) + 1))
        for found in case.plans:
            after = apply_moves(closed, found.moves)
            fed = feeding(network, after)
            assert fed.notna().all()
            assert all(fed[s] == m.to_transformer for m in found.moves for s in m.sections)
            assert worse(network, loads, closed, after) < 1e-6
            assert undo_moves(after, found.moves) == closed
            beyond_the_curve = found.sides[0].peak_pct_p50_before > 120
            assert found.risk_after < found.risk_before or (beyond_the_curve and found.relieved_kvah > 0)
            assert found.operations == len(after ^ closed)


@settings(max_examples=40)
@given(NETWORKS)
def test_best_plans_of_all_transformers_hold_together(seed):
    network, loads, cases = random_case(seed)
    closed = closed_switches(current_states(network))
    best = [case.plans[0] for case in cases if case.plans]
    assume(len(best) > 1)
    together = apply_moves(closed, [move for found in best for move in found.moves])
    assert feeding(network, together).notna().all()
    assert worse(network, loads, closed, together) < 1e-6
    switches = [name for found in best for m in found.moves for name in (m.open_switch, m.close_switch)]
    assert len(switches) == len(set(switches))


@settings(max_examples=40)
@given(NETWORKS)
def test_plan_that_was_found_proves_again_on_the_same_inputs(seed):
    network, loads, cases = random_case(seed)
    rules = PlanningRules(derating_pct=3)
    best = [case.plans[0].moves for case in cases if case.plans]
    for case in cases:
        for found in case.plans:
            proof = prove(network, loads, *found.moves, rules=rules, ambient_c=air(loads))
            assert proof.holds
    for moves in best:
        others = [move for other in best if other != moves for move in other]
        assert prove(network, loads, *moves, rules=rules, reserved=others, ambient_c=air(loads)).holds


@settings(max_examples=40)
@given(NETWORKS)
def test_plan_that_is_refreshed_on_the_same_inputs_stays_what_it_is(seed):
    network, loads, cases = random_case(seed)
    rules = PlanningRules(derating_pct=3)
    best = {case.transformer_id: case.plans[0].moves for case in cases if case.plans}
    for case in cases:
        others = [move for name, moves in best.items() if name != case.transformer_id for move in moves]
        for found in case.plans:
            bench = make_bench(network, loads, air(loads), limits=LIMITS, rules=rules)
            again, proof = refresh_plan(bench, found, others)
            assert (again, proof) == (found, found.proof)


@settings(max_examples=40)
@given(NETWORKS)
def test_faulty_switches_stay_and_ties_keep_their_limit(seed):
    network, loads, cases = random_case(seed)
    faulty = set(network.states["switch_id"])
    limit = network.switches.set_index("switch_id")["limit_kva"]
    closed = closed_switches(current_states(network))
    for found in (found for case in cases for found in case.plans):
        for move in found.moves:
            assert not {move.open_switch, move.close_switch} & faulty
            for column in CHECKED:
                without = carried(network, loads, closed - {move.open_switch}, column)
                before = carried(network, loads, closed, column)
                moved = (before - without)[move.from_transformer].abs().max()
                assert moved <= limit[move.close_switch]


@settings(max_examples=40)
@given(NETWORKS)
def test_refusals_name_a_code_and_a_limit(seed):
    _, _, cases = random_case(seed)
    rules = PlanningRules()
    for case in cases:
        assert len(case.plans) <= rules.plans_per_transformer
        assert len(case.why_not) <= rules.why_not_per_transformer
        for why in case.why_not:
            assert why.code
            if why.code in ("receiver_overload", "tie_limit", "load_break_exceeded"):
                assert "limit" in render(why.reason)
                assert "too much" in render(why.reason)


def test_random_networks_do_have_plans():
    plans = [found for seed in range(40) for case in random_case(seed)[2] for found in case.plans]
    assert len(plans) > 40
    assert any(len(found.moves) == 2 for found in plans)
