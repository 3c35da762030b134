"""Plans are proven with what lies above: lines, feeder heads, substations, promises, ranges, closed loops."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from gridlib.domain.flow.model import ac_model
from gridlib.domain.flow.prove import phasor, prove_ac
from gridlib.domain.flow.solve import solve_flow
from gridlib.domain.network import closed_switches, current_states, feeding_tree, parse_network
from gridlib.domain.planning import plan_transfers, prove_moves
from gridlib.facts.messages import render, rendered
from gridlib.facts.types import Limits, Move, PlanningRules
from gridlib.facts.units import QUANTILE_COLUMNS, QUANTILE_LEVELS

TIMES = pd.date_range("2026-08-12 12:00", periods=6, freq="h", tz="UTC").as_unit("ns")
SHAPE = np.array([0.7, 0.8, 1.0, 0.9, 0.8, 0.7])
PAIR = "T1(500) -b1- a:0.5 -s1- b:0.3 /t1/ c:1 -b2- T2(630); T1 -b3- d:0.2"
MOVE = Move("s1", "t1", ("b",), "T1", "T2")
TWO_FEEDERS = (("m1", "S1", "T1"), ("m2", "S1", "T2"))
ONE_FEEDER = (("m1", "S1", "T1"), ("m2", "T1", "T2"))
RULES = PlanningRules(derating_pct=0)
OVERLOAD = {"T1": 560.0, "T2": 300.0}


def network(text=PAIR, medium=TWO_FEEDERS, *, low_ohm=0.004, medium_ohm=0.1, limit_a=np.nan, spread_pct=0.0):
    """A text network with impedances everywhere; ``low_ohm`` may be a mapping by switch."""
    found = parse_network(text)
    ohms = low_ohm if isinstance(low_ohm, dict) else dict.fromkeys(found.switches["switch_id"], low_ohm)
    ends = found.switches.set_index("switch_id")
    rows = [(name, *ends.loc[name, ["from_id", "to_id"]], r, r / 2, np.nan) for name, r in ohms.items()]
    rows += [(name, start, end, medium_ohm, medium_ohm, limit_a) for name, start, end in medium]
    columns = ["line_id", "from_id", "to_id", "r_ohm", "x_ohm", "limit_a"]
    return replace(
        found,
        transformers=found.transformers.assign(vk_pct=4.0, vkr_pct=1.0, tap_pct=0.0),
        sections=found.sections.assign(spread_pct=spread_pct),
        lines=pd.DataFrame(rows, columns=columns).assign(length_km=np.nan),
    )


def on_feeders(net, **feeder_of):
    """Say which feeder each transformer hangs on; the tables must agree with the lines."""
    names = sorted(set(feeder_of.values()))
    feeders = pd.DataFrame({"feeder_id": names, "substation_id": "S1", "voltage_kv": 11.0, "limit_a": np.nan})
    units = net.transformers.assign(feeder_id=net.transformers["transformer_id"].map(feeder_of))
    return replace(net, feeders=feeders, transformers=units)


def with_value(net, table, name, **values):
    frame = getattr(net, table).copy()
    for column, value in values.items():
        frame.loc[frame.iloc[:, 0] == name, column] = value
    return replace(net, **{table: frame})


def forecast(kva, width_pct=0.0):
    frame = pd.DataFrame({"transformer_id": np.repeat(list(kva), 6), "time": np.tile(TIMES, len(kva))})
    middle = np.concatenate([peak * SHAPE for peak in kva.values()])
    for level, column in zip(QUANTILE_LEVELS, QUANTILE_COLUMNS, strict=True):
        frame[column] = middle * (1 + width_pct / 100 * (level - 0.5) / 0.4)
    return frame


def prove(net, kva=None, moves=(MOVE,), *, width_pct=0.0, **more):
    return prove_moves(
        net, forecast(kva or OVERLOAD, width_pct), moves, **{"limits": Limits(), "rules": RULES, **more}
    )


def planned(net, kva, *donors, rules=RULES, limits=None):
    loads = forecast(kva)
    risk = pd.DataFrame(
        {
            "transformer_id": donors,
            "risk_score": np.linspace(0.9, 0.8, len(donors)),
            "risk_level": "HIGH",
            "imminent": False,
        }
    )
    air = pd.DataFrame(20.0, index=TIMES, columns=list(kva))
    return plan_transfers(net, loads, risk, air, limits=limits or Limits(), rules=rules)


def element(proof, role, name=""):
    (found,) = [row for row in proof.elements if row.role == role and name in ("", row.object_id)]
    return found


# What is cut out says the same as the whole network.


@pytest.mark.parametrize("seed", range(5))
def test_a_territory_flows_as_the_whole_network_does(seed):
    random = np.random.default_rng(seed)
    text = PAIR + "; T3(400) -b4- e; T4(250) -b5- f; T5(630) -b6- g"
    medium = (("m1", "S1", "J"), ("m2", "J", "T1"), ("m3", "J", "T3"), ("m4", "S1", "T4"), ("m5", "T4", "T2"))
    medium += (("m6", "T2", "T5"),)
    # Of what hangs beside the ways, the low-voltage lines are left out: a load is metered at its transformer.
    ohms = dict.fromkeys(("b1", "s1", "t1", "b2", "b3"), 0.004) | dict.fromkeys(("b4", "b5", "b6"), 1e-6)
    net = network(text, medium, medium_ohm=0.6, low_ohm=ohms)
    closed = closed_switches(current_states(net))
    moved = closed - {"s1"} | {"t1"}
    load = pd.DataFrame(random.uniform(20, 220, (6, 7)), TIMES, ["a", "b", "c", "d", "e", "f", "g"])
    proof = prove_ac(net, closed, [moved], {"p50": load}, 0.95)
    tree = feeding_tree(net, closed)
    model = ac_model(
        net, tree, {name: name in closed for name in net.switches["switch_id"]}, lv_kv=0.415, source_pu=1
    )
    total = np.zeros((6, len(model.grid.names)), dtype=complex)
    total[:, tree.nodes.get_indexer(load.columns)] = phasor(0.95) * load.to_numpy()
    for state, side in ((closed, "before"), (moved, "after")):
        whole = solve_flow(model.grid.switched(state, model.line), total.real, total.imag)
        ampere = dict(zip(model.grid.lines.names, whole.line_a.max(axis=0), strict=True))
        pct = dict(zip(model.grid.transformers.names, whole.transformer_pct.max(axis=0), strict=True))
        for row in proof.loadings:
            if row.role in ("donor", "receiver"):
                assert getattr(row, f"{side}_pct") == pytest.approx(pct[row.object_id], rel=2e-4)
            elif ampere[row.object_id] > 1e-6:
                assert getattr(row, f"{side}_a") == pytest.approx(ampere[row.object_id], rel=2e-4)
        low = whole.u_pu[:, tree.nodes.get_indexer(["T1", "T2", "a", "b", "c", "d"])]
        assert getattr(proof.energy[0], f"least_pu_{side}") == pytest.approx(low.min(), abs=2e-5)
        kwh = whole.loss_kw.sum()
        assert getattr(proof.energy[0], f"losses_kwh_{side}") == pytest.approx(kwh, rel=2e-3)


def test_proof_shows_what_lies_above():
    proof = prove(network(limit_a=100.0))
    assert proof.holds
    assert render(proof.method) == "additive kVA, 0 % derated, and AC power flow"
    heads = {row.object_id: row for row in proof.elements if row.role == "feeder head"}
    assert heads["m1"].before > heads["m1"].after
    assert heads["m2"].before < heads["m2"].after == pytest.approx(468 / (np.sqrt(3) * 11), rel=0.05)
    assert (heads["m2"].unit, heads["m2"].limit) == ("A", 100.0)
    assert heads["m2"].time == TIMES[2]
    lowest = element(proof, "lowest voltage")
    assert 0.9 < lowest.before < 1
    losses = element(proof, "losses")
    assert (losses.unit, losses.scenario) == ("kWh", "p50")
    assert losses.after != losses.before > 0
    assert element(proof, "donor").after < 100 < element(proof, "donor").before
    assert not any("feeder head" in words for words in rendered(proof.not_checked))
    assert "substation transformer of S1" in rendered(proof.not_checked)


# Limits above.


def test_a_feeder_head_past_its_limit_refuses():
    net = with_value(network(), "lines", "m2", limit_a=24.0)
    (reason,) = rendered(prove(net).reasons)
    assert reason.startswith("AC power flow: m2 would reach 10")
    assert "limit 100 %" in reason


def test_the_limit_of_a_feeder_holds_without_any_line():
    net = with_value(on_feeders(network(medium=()), T1="F1", T2="F2"), "feeders", "F2", limit_a=24.0)
    (reason,) = rendered(prove(net).reasons)
    assert reason.startswith("feeder F2 would carry 468 kVA at p10")
    assert "limit 457 kVA: 11 kVA too much" in reason
    assert prove(with_value(net, "feeders", "F2", limit_a=25.0)).holds


def test_a_substation_past_its_firm_capacity_refuses():
    medium = (("m1", "S1", "T1"), ("m2", "S2", "T2"))
    net = network(medium=medium)
    stations = pd.concat([net.substations, net.substations.assign(substation_id="S2")], ignore_index=True)
    net = with_value(replace(net, substations=stations), "transformers", "T2", substation_id="S2")
    for firm_kva, holds in ((600.0, True), (470.0, False)):
        proof = prove(with_value(net, "substations", "S2", firm_kva=firm_kva))
        assert proof.holds == holds
        if holds:
            station = element(proof, "substation", "S2")
            assert 100 * 300 / 600 < station.before < 55
            assert 100 * 468 / 600 < station.after < 82
            assert "substation transformer of S1" in rendered(proof.not_checked)
        else:
            # By sum 468 kVA fit; with what transformers and lines take, they do not.
            assert render(proof.reasons[0]).startswith("AC power flow: substation S2 would reach 10")


def test_a_transformer_beside_the_way_whose_voltage_falls_out_of_the_band_refuses():
    text = PAIR + "; T3(400) -b4- e"
    medium = (*TWO_FEEDERS, ("m3", "T2", "T3"))
    net = network(text, medium, medium_ohm=9.0)
    kva = {**OVERLOAD, "T3": 230.0}
    proof = prove(net, kva)
    assert any(
        "T3 would have 0.88" in reason and "limit 0.9 pu" in reason for reason in rendered(proof.reasons)
    )
    assert prove(network(text, medium, medium_ohm=1.0), kva).holds


def test_a_line_beside_the_way_counts():
    text = PAIR + "; T3(400) -b4- e"
    medium = (*TWO_FEEDERS, ("m3", "T2", "T3"))
    net = with_value(network(text, medium, medium_ohm=5.0), "lines", "m3", limit_a=15.05)
    assert any(
        reason.startswith("AC power flow: m3 would reach 105.6")
        for reason in rendered(prove(net, {**OVERLOAD, "T3": 280.0}).reasons)
    )


def test_where_a_load_on_the_feeder_is_not_known_that_feeder_is_not_checked_and_says_why():
    text, medium = PAIR + "; T3(400) -b4- e", (*TWO_FEEDERS, ("m3", "T2", "T3"))
    proof = prove(network(text, medium))
    assert proof.holds
    said = "feeder head and medium-voltage lines of T2 (T3: its load in every hour)"
    assert said in rendered(proof.not_checked)
    assert element(proof, "feeder head").object_id == "m1"


# As strict as the additive check.


def test_headroom_promised_to_another_plan_on_the_same_feeder_counts():
    text = PAIR + "; T3(500) -b4- e:0.6 -s2- f:0.4 /t2/ g -b5- T4(630)"
    medium = (("m1", "S1", "T1"), ("m2", "S1", "T2"), ("m3", "S1", "T3"), ("m4", "T2", "T4"))
    net = with_value(network(text, medium), "lines", "m2", limit_a=45.0)
    kva = {**OVERLOAD, "T3": 540.0, "T4": 300.0}
    other = Move("s2", "t2", ("f",), "T3", "T4")
    assert prove(net, kva).holds
    beside = prove(net, kva, reserved=(other,))
    assert any(reason.startswith("AC power flow: m2 would reach 1") for reason in rendered(beside.reasons))


def test_plans_made_together_do_not_spend_the_headroom_of_a_feeder_twice():
    text = PAIR + "; T3(500) -b4- e:0.6 -s2- f:0.4 /t2/ g -b5- T4(630)"
    medium = (("m1", "S1", "T1"), ("m2", "S1", "T2"), ("m3", "S1", "T3"), ("m4", "T2", "T4"))
    kva = {**OVERLOAD, "T3": 540.0, "T4": 300.0}
    net = on_feeders(network(text, medium), T1="F1", T2="F2", T3="F3", T4="F2")
    for limit_a, plans in ((60.0, 2), (45.0, 1)):
        cases = planned(with_value(net, "lines", "m2", limit_a=limit_a), kva, "T1", "T3")
        assert sum(bool(case.plans) for case in cases) == plans


def test_each_side_is_given_the_worse_end_of_the_range():
    # 300 + 168 kVA fit into 475 kVA; with 20 % more in the section they do not, by AC as by sum.
    net = with_value(network(spread_pct=20.0), "lines", "m2", limit_a=25.5)
    assert prove(with_value(network(), "lines", "m2", limit_a=25.5)).holds
    refused = prove(net)
    assert any(
        "m2 would reach" in reason and "sections high" in reason for reason in rendered(refused.reasons)
    )
    proof = prove(network(spread_pct=20.0))
    assert element(proof, "donor").scenario.endswith("low")
    assert element(proof, "receiver").scenario.endswith("high")


# What AC refuses leads on to the next best.


def test_a_plan_refused_for_voltage_leads_to_the_next_best_that_holds():
    text = """
        T1(500) -b1- a:0.4 -s1- b:0.2 -s2- x:0.1 /t1/ c -b2- T2(630)
        T1 -b3- d:0.2 -s3- e:0.1 /t2/ f -b4- T3(400)
    """
    medium = (("m1", "S1", "T1"), ("m2", "T1", "T2"), ("m3", "T1", "T3"))
    kva = {"T1": 560.0, "T2": 150.0, "T3": 300.0}
    near = dict.fromkeys(parse_network(text).switches["switch_id"], 0.004)
    (short,) = planned(network(text, medium, low_ohm=near), kva, "T1")
    (long,) = planned(network(text, medium, low_ohm=near | {"t1": 0.12}), kva, "T1")
    first = short.plans[0]
    assert [move.close_switch for move in first.moves] == ["t1"]
    assert first.relief_pct == 100.0
    refused = [why for why in long.why_not if why.code == "ac_power_flow"]
    assert any(why.moves == first.moves and "limit 0.9 pu" in render(why.reason) for why in refused)
    best = long.plans[0]
    assert best.moves != first.moves
    assert best.proof.holds
    # Less over the same long tie still holds: only what was refused, and more of it, is barred.
    assert (Move("s2", "t1", ("x",), "T1", "T2"),) in [plan.moves for plan in long.plans]


@pytest.mark.parametrize("kva", [266.0, 274.0])
def test_where_adding_up_tells_too_little_the_receiver_is_relieved_first(kva):
    text = "T1(400) -b1- a:0.6 -s1- x:0.3 /t1/ y:0.8 -b2- T2(400) -b4- z:0.1 /t2/ w:0.5 -b3- T3(400)"
    medium = (("m1", "S1", "T1"), ("m2", "T1", "T2"), ("m3", "T1", "T3"))
    (case,) = planned(network(text, medium), {"T1": 420.0, "T2": kva, "T3": 100.0}, "T1")
    alone = [why for why in case.why_not if why.moves == (Move("s1", "t1", ("x",), "T1", "T2"),)]
    assert any("AC power flow: T2 would reach" in render(why.reason) for why in alone)
    assert [move.close_switch for move in case.plans[0].moves] == ["t2", "t1"]
    assert case.plans[0].proof.holds


def test_an_impossible_impedance_refuses_by_name_and_the_rest_of_the_fleet_is_planned():
    text = PAIR + "; T3(500) -b4- e:0.7 -s2- f:0.3 /t2/ g -b5- T4(630)"
    kva = {**OVERLOAD, "T3": 560.0, "T4": 300.0}
    medium = (*TWO_FEEDERS, ("m3", "S1", "T3"), ("m4", "S1", "T4"))
    net = with_value(network(text, medium), "lines", "b2", r_ohm=-0.004)
    first, second = planned(net, kva, "T1", "T3")
    assert not first.plans
    assert any("b2 has an impedance of -0.004" in render(why.reason) for why in first.why_not)
    assert second.plans[0].proof.holds


def test_a_flow_without_a_solution_refuses_by_name_and_the_rest_of_the_fleet_is_planned():
    text = PAIR + "; T3(500) -b4- e:0.7 -s2- f:0.3 /t2/ g -b5- T4(630)"
    kva = {**OVERLOAD, "T3": 560.0, "T4": 300.0}
    medium = (*TWO_FEEDERS, ("m3", "S1", "T3"), ("m4", "S1", "T4"))
    net = network(text, medium)
    net = with_value(net, "lines", "m2", r_ohm=400.0, x_ohm=400.0)
    first, second = planned(net, kva, "T1", "T3")
    assert not first.plans
    assert any("has no solution" in render(why.reason) for why in first.why_not)
    assert second.plans[0].proof.holds


# Closing first.


def loop_network(**values):
    net = network(medium=ONE_FEEDER, low_ohm=0.008)
    return with_value(net, "switches", "t1", **{"may_parallel": True, **values})


def notes(net, kva=None):
    (case,) = planned(net, kva or OVERLOAD, "T1")
    plan = next(plan for plan in case.plans if plan.moves == (MOVE,))
    return plan, " ".join(rendered(plan.proof.notes))


def test_a_tie_closes_first_where_the_loop_is_proven_and_nobody_is_off():
    plan, said = notes(loop_network())
    assert plan.moves[0].closes_first
    assert said == ""
    assert plan.interrupted_customers == 0
    loop = element(plan.proof, "loop", "t1")
    assert 0 < loop.after < loop.limit == 630
    again = prove(loop_network(), moves=plan.moves)
    assert again.holds
    assert element(again, "loop", "s1").after == pytest.approx(element(plan.proof, "loop", "s1").after)


@pytest.mark.parametrize(
    ("values", "why"),
    [
        ({"may_parallel": False}, "does not allow t1 to parallel"),
        ({"fault_make_ka": 8.0}, "in parallel a fault at t1 would draw"),
    ],
)
def test_a_tie_opens_first_where_it_may_not_close_and_says_why(values, why):
    plan, said = notes(loop_network(**values))
    assert not plan.moves[0].closes_first
    assert plan.interrupted_customers == 10
    assert said.startswith("s1 opens first: ")
    assert why in said


def test_a_loop_between_two_supplies_or_with_an_unknown_tap_opens_first():
    apart = with_value(network(medium=()), "switches", "t1", may_parallel=True)
    assert "what joins them above is not modelled" in notes(apart)[1]
    stations = (("m1", "S1", "T1"), ("m2", "S2", "T2"))
    net = with_value(network(medium=stations), "switches", "t1", may_parallel=True)
    both = pd.concat([net.substations, net.substations.assign(substation_id="S2")], ignore_index=True)
    assert "S1 and S2 would be paralleled" in notes(replace(net, substations=both))[1]
    unknown = with_value(loop_network(), "transformers", "T2", tap_pct=np.nan)
    assert "the tap of T2 is not known" in notes(unknown)[1]


def test_a_loop_whose_current_no_device_may_break_opens_first():
    # Taps 12 % apart drive far more through the loop than the section takes.
    net = with_value(loop_network(load_break_a=300.0), "transformers", "T2", tap_pct=-6.0)
    net = with_value(net, "transformers", "T1", tap_pct=6.0)
    plan, said = notes(net, {"T1": 560.0, "T2": 200.0})
    assert not plan.moves[0].closes_first
    assert "would make or break" in said or "would reach" in said
    forced = prove(net, {"T1": 560.0, "T2": 200.0}, moves=(replace(MOVE, closes_first=True),))
    assert not forced.holds
    assert any(reason.startswith("t1 may not close first: ") for reason in rendered(forced.reasons))


def test_a_plan_that_closes_first_no_longer_holds_once_the_site_forbids_it():
    closing = (replace(MOVE, closes_first=True),)
    assert prove(loop_network(), moves=closing).holds
    forbidden = loop_network(may_parallel=False)
    cool = pd.DataFrame(20.0, index=TIMES, columns=["T1", "T2"])
    for given_ in ({}, {"ambient_c": cool}):
        (reason,) = rendered(prove(forbidden, moves=closing, **given_).reasons)
        assert reason.startswith("t1 may not close first: the site does not allow t1 to parallel")
