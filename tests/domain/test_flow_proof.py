from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from gridlib.domain.flow import ADDITIVE, prove_ac
from gridlib.domain.network import parse_network
from gridlib.facts.errors import InputError
from gridlib.facts.messages import render, rendered

TWO = "T1(500) -b1- a -s1- b /t1/ c -b2- T2(630)"
NORMAL = {"b1", "s1", "b2"}
MOVED = [NORMAL - {"s1"}, NORMAL - {"s1"} | {"t1"}]
HOURS = pd.date_range("2026-07-01", periods=3, freq="h", tz="UTC")
OHMS = {"b1": 0.004, "s1": 0.004, "t1": 0.004, "b2": 0.004}


def network(text=TWO, ohms=OHMS, feeder=(), plate=(4.0, 1.0), limit_a=np.nan):
    """A text network with impedances: behind switches (by their names) and between substation and units."""
    net = parse_network(text)
    units = net.transformers.assign(vk_pct=plate[0], vkr_pct=plate[1], tap_pct=0.0)
    ends = net.switches.set_index("switch_id")
    rows = [(name, *ends.loc[name, ["from_id", "to_id"]], r, r / 2, limit_a) for name, r in ohms.items()]
    rows += [(name, start, end, r, r, 400.0) for name, start, end, r in feeder]
    columns = ["line_id", "from_id", "to_id", "r_ohm", "x_ohm", "limit_a"]
    return replace(
        net, transformers=units, lines=pd.DataFrame(rows, columns=columns).assign(length_km=np.nan)
    )


def loads(**kva):
    """Loads of the sections, at p10, p50 and p90, the middle hour highest."""
    shape = np.array([0.8, 1.0, 0.9])[:, None]
    middle = pd.DataFrame(shape * np.array(list(kva.values()), dtype=float), HOURS, list(kva))
    return {"p10": 0.8 * middle, "p50": middle, "p90": 1.2 * middle}


USUAL = loads(a=150.0, b=120.0, c=200.0)


def loading(proof, name, scenario="p50"):
    (found,) = [row for row in proof.loadings if (row.object_id, row.scenario) == (name, scenario)]
    return found


def test_a_transfer_relieves_the_donor_and_loads_the_receiver_by_more_than_the_sum():
    proof = prove_ac(network(), NORMAL, MOVED, USUAL, 0.95)
    assert proof.possible
    assert proof.holds
    assert proof.converged
    donor, receiver = loading(proof, "T1"), loading(proof, "T2", "p90")
    assert (donor.role, receiver.role) == ("donor", "receiver")
    assert donor.before_pct > 100 * 270 / 500 > donor.after_pct > 100 * 150 / 500
    assert 1.1 * 100 * 384 / 630 > receiver.after_pct > 100 * 384 / 630
    assert receiver.hour == 1


def test_every_prefix_is_a_state_of_its_own():
    first, last = prove_ac(network(), NORMAL, MOVED, USUAL, 0.95).states
    assert (first.unfed, first.refusals) == (("b",), ())
    assert (last.unfed, last.refusals) == ((), ())


def test_a_section_that_stays_without_supply_is_refused():
    proof = prove_ac(network(), NORMAL, MOVED[:1], USUAL, 0.95)
    assert not proof.holds
    assert "b would stay without supply" in render(proof.reasons[0])


def test_a_receiver_over_its_rating_is_refused_with_hour_and_amount():
    proof = prove_ac(network(), NORMAL, MOVED, loads(a=100.0, b=220.0, c=400.0), 0.95)
    assert not proof.holds
    (reason,) = rendered(proof.reasons)
    assert reason.startswith("step 2: T2 would reach 1")
    assert "at p90 on Wed 01 Jul 01:00" in reason
    assert "limit 100 %" in reason


def test_a_violation_that_shrinks_is_no_refusal():
    heavy = loads(a=400.0, b=150.0, c=100.0)
    assert loading(prove_ac(network(), NORMAL, MOVED, heavy, 0.95), "T1", "p90").before_pct > 100
    assert prove_ac(network(), NORMAL, MOVED, heavy, 0.95).holds


def test_a_low_voltage_at_the_far_end_is_refused():
    proof = prove_ac(network(ohms=OHMS | {"t1": 0.12}), NORMAL, MOVED, USUAL, 0.95)
    assert not proof.holds
    assert any("b would have 0." in reason and "limit 0.9 pu" in reason for reason in rendered(proof.reasons))
    assert proof.energy[2].least_at == "b"
    assert proof.energy[2].least_pu_after < 0.9 < proof.energy[2].least_pu_before


def test_a_line_over_its_limit_is_refused():
    proof = prove_ac(network(limit_a=400.0), NORMAL, MOVED, USUAL, 0.95)
    assert not proof.holds
    assert any(reason.startswith("step 2: b2 would reach 1") for reason in rendered(proof.reasons))
    assert loading(proof, "b2", "p50").after_a == pytest.approx(
        loading(proof, "b2", "p50").after_pct * 4, rel=1e-9
    )


def test_the_feeder_head_carries_every_transformer_of_the_feeder():
    text = TWO + "; T3(400) -b3- d"
    feeder = (("m1", "S1", "T1", 0.1), ("m2", "T1", "T2", 0.1), ("m3", "T2", "T3", 0.1))
    proof = prove_ac(
        network(text, feeder=feeder),
        NORMAL | {"b3"},
        [{"b3", *MOVED[1]}],
        loads(a=150, b=120, c=200, d=90),
        0.95,
    )
    head = loading(proof, "m1")
    assert head.role == "feeder head"
    amperes = 560 / (np.sqrt(3) * 11)
    assert 1.05 * amperes > head.after_a > amperes
    assert not any("feeder head" in entry for entry in rendered(proof.not_checked))
    assert "substation transformer of S1" in rendered(proof.not_checked)


def test_closing_first_is_solved_under_one_substation_and_refused_without_it():
    paralleled = [NORMAL | {"t1"}, NORMAL - {"s1"} | {"t1"}]
    feeder = (("m1", "S1", "T1", 0.1), ("m2", "T1", "T2", 0.1))
    known = prove_ac(network(feeder=feeder), NORMAL, paralleled, USUAL, 0.95)
    assert known.holds
    assert known.states[0].ring == ("T1", "T2")
    unknown = prove_ac(network(), NORMAL, paralleled, USUAL, 0.95)
    assert not unknown.holds
    assert "paralleled" in render(unknown.reasons[0])


def test_a_ring_that_stays_is_refused():
    feeder = (("m1", "S1", "T1", 0.1), ("m2", "T1", "T2", 0.1))
    proof = prove_ac(network(feeder=feeder), NORMAL, [NORMAL | {"t1"}], USUAL, 0.95)
    assert not proof.holds
    assert "would stay in a ring" in render(proof.reasons[0])


def test_without_the_impedance_of_a_transformer_ac_is_not_possible_and_says_what_is_missing():
    net = network()
    units = net.transformers.copy()
    units.loc[units["transformer_id"] == "T2", ["vk_pct", "vkr_pct"]] = np.nan
    proof = prove_ac(replace(net, transformers=units), NORMAL, MOVED, USUAL, 0.95)
    assert (proof.possible, proof.holds, proof.method) == (False, False, ADDITIVE)
    assert rendered(proof.missing) == ("T2: vk_pct, vkr_pct",)


def test_low_voltage_lines_without_impedance_are_named_and_the_transformers_are_still_proven():
    proof = prove_ac(network(ohms={"b1": 0.004}), NORMAL, MOVED, USUAL, 0.95)
    assert proof.holds
    bare = [entry.split(":")[0] for entry in rendered(proof.missing) if "line behind it" in entry]
    assert bare == ["s1", "t1", "b2"]
    assert any("3 low-voltage lines without impedance" in entry for entry in rendered(proof.not_checked))
    assert loading(proof, "T2").after_pct > 100 * 320 / 630


@pytest.mark.parametrize("ohm", [0.0, -0.004])
def test_a_line_with_an_impossible_impedance_refuses_by_its_name(ohm):
    proof = prove_ac(network(ohms=OHMS | {"b2": ohm}), NORMAL, MOVED, USUAL, 0.95)
    assert not proof.holds
    assert any(reason.startswith("b2 has an impedance of") for reason in rendered(proof.reasons))


def test_medium_voltage_lines_without_impedance_leave_the_feeder_head_unchecked_and_say_which():
    feeder = (("m1", "S1", "T1", np.nan), ("m2", "T1", "T2", 0.1))
    proof = prove_ac(network(feeder=feeder), NORMAL, MOVED, USUAL, 0.95)
    assert proof.holds
    assert rendered(proof.missing) == ("m1: r_ohm and x_ohm",)
    left_out = "feeder head and medium-voltage lines of T1, T2 (m1: r_ohm and x_ohm)"
    assert left_out in rendered(proof.not_checked)


def test_a_missing_forecast_of_one_section_is_named():
    frames = {name: frame.drop(columns="c") for name, frame in USUAL.items()}
    proof = prove_ac(network(), NORMAL, MOVED, frames, 0.95)
    assert not proof.holds
    assert "the load at c is not a number" in rendered(proof.reasons)


def test_loads_without_a_solution_are_refused_and_not_called_converged():
    proof = prove_ac(network(), NORMAL, MOVED, loads(a=150.0, b=20000.0, c=200.0), 0.95)
    assert not proof.holds
    assert not proof.converged
    assert any("has no solution" in reason for reason in rendered(proof.reasons))


def test_export_lifts_the_voltage_and_counts_as_loading():
    proof = prove_ac(network(), NORMAL, MOVED, loads(a=-300.0, b=-300.0, c=-200.0), 1.0)
    assert proof.energy[1].most_pu_before > 1
    assert loading(proof, "T1").before_pct > 100
    assert loading(proof, "T1").after_pct < 100


def test_a_sequence_that_changes_nothing_holds():
    assert prove_ac(network(), NORMAL, [NORMAL], USUAL, 0.95).holds


def test_impossible_arguments_are_refused():
    with pytest.raises(InputError, match="power factor"):
        prove_ac(network(), NORMAL, MOVED, USUAL, 0.0)
    with pytest.raises(InputError, match="no state"):
        prove_ac(network(), NORMAL, [], USUAL, 0.95)
    with pytest.raises(InputError, match="hours"):
        prove_ac(network(), NORMAL, MOVED, USUAL | {"p90": USUAL["p90"].iloc[1:]}, 0.95)
