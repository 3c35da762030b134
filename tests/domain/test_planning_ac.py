"""Where impedances are known, plans are proven by AC power flow, on every state and both sides."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from gridlib.domain.network import parse_network
from gridlib.domain.planning import prove_moves
from gridlib.facts.messages import render, rendered
from gridlib.facts.types import Limits, Move, PlanningRules
from gridlib.facts.units import QUANTILE_COLUMNS

MOVE = (Move("s1", "t1", ("x",), "T1", "T2"),)
TIMES = pd.date_range("2026-07-01", periods=24, freq="h", tz="UTC")


def network(vk_pct=4.0, share=0.4):
    found = parse_network(f"T1(400) -b1- a:{0.9 - share} -s1- x:{share} /t1:400/ y:0.9 -b2- T2(400)")
    plates = found.transformers.assign(vk_pct=vk_pct, vkr_pct=1.2, tap_pct=0.0)
    plates = plates.assign(feeder_id="F", voltage_kv=11.0)
    feeders = pd.DataFrame(
        {"feeder_id": ["F"], "substation_id": ["S"], "voltage_kv": [11.0], "limit_a": [np.nan]}
    )
    return replace(found, transformers=plates, feeders=feeders)


def forecast(**load_kva):
    rows = [
        pd.DataFrame({"transformer_id": name, "time": TIMES} | dict.fromkeys(QUANTILE_COLUMNS, kva))
        for name, kva in load_kva.items()
    ]
    return pd.concat(rows, ignore_index=True)


def prove(grid, load, *, derating_pct=0.0):
    rules = PlanningRules(derating_pct=derating_pct)
    return prove_moves(grid, load, MOVE, limits=Limits(), rules=rules)


def test_the_proof_names_ac_power_flow_and_what_it_left_out():
    proof = prove(network(), forecast(T1=420.0, T2=200.0), derating_pct=5)
    assert proof.holds
    assert render(proof.method) == "additive kVA, 5 % derated, and AC power flow"
    assert "line loading" not in rendered(proof.not_checked)
    assert any("low-voltage lines without impedance" in left for left in rendered(proof.not_checked))


def test_without_impedances_the_proof_says_that_it_is_additive():
    proof = prove(network(vk_pct=np.nan), forecast(T1=420.0, T2=200.0), derating_pct=5)
    assert render(proof.method) == "additive kVA, 5 % derated"
    assert any(left.startswith("AC power flow (T1: vk_pct") for left in rendered(proof.not_checked))


@pytest.mark.parametrize(("kva", "holds"), [(225.0, True), (238.0, False)])
def test_current_beyond_the_limit_refuses_what_adds_up(kva, holds):
    # 0.4 of 400 kVA comes on top: 385 and 398 kVA of 400; at a voltage below nominal the current is higher.
    proof = prove(network(), forecast(T1=400.0, T2=kva))
    assert proof.holds == holds
    assert all(reason.startswith("AC power flow: ") for reason in rendered(proof.reasons))


def test_load_beside_the_sections_counts():
    # T2 carries a tenth of its load at its own busbar: without it, 0.9 * 238 + 160 would be 374 kVA.
    assert not prove(network(), forecast(T1=400.0, T2=238.0)).holds
    assert prove(network(), forecast(T1=400.0, T2=0.9 * 238.0)).holds
