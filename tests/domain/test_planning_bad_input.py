"""Bad input: each fault is named, and everybody else is planned as if it were not there."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from gridlib.domain.network import check_network, parse_network
from gridlib.domain.planning import plan_transfers
from gridlib.facts.types import Limits, Network, PlanningCase, PlanningRules
from gridlib.facts.units import QUANTILE_COLUMNS, QUANTILE_LEVELS

SOUND = "T1(500) -b1- a:0.5 -s1- b:0.3 /t1/ c:1 -b2- T2(630)"
BESIDE = "B1(500) -c1- d:0.5 -r1- e:0.3 /u1/ f:1 -c2- B2(630)"
LOADS = {"T1": [400.0, 560.0, 450.0], "T2": [200.0, 300.0, 250.0]}
BESIDE_LOADS = {"B1": [400.0, 560.0, 450.0], "B2": [200.0, 300.0, 250.0]}


def forecast(loads: dict[str, list[float]]) -> pd.DataFrame:
    times = pd.date_range("2026-08-12 12:00", periods=3, freq="h", tz="UTC").as_unit("ns")
    frame = pd.DataFrame({"transformer_id": np.repeat(list(loads), 3), "time": np.tile(times, len(loads))})
    p50 = np.concatenate(list(loads.values()))
    for level, column in zip(QUANTILE_LEVELS, QUANTILE_COLUMNS, strict=True):
        frame[column] = p50 * (1 + 0.02 * (level - 0.5) / 0.4)
    return frame


def planned(network: Network, **loads: list[float]) -> dict[str, PlanningCase]:
    """Plan for T1 and B1, both HIGH."""
    frame = forecast(LOADS | BESIDE_LOADS | loads)
    donors = [name for name in ("T1", "B1") if name in set(network.transformers["transformer_id"])]
    risk = pd.DataFrame(
        {"transformer_id": donors, "risk_score": 0.8, "risk_level": "HIGH", "imminent": False}
    )
    air = pd.DataFrame(25.0, index=frame["time"].unique(), columns=frame["transformer_id"].unique())
    cases = plan_transfers(network, frame, risk, air, limits=Limits(), rules=PlanningRules())
    return {case.transformer_id: case for case in cases}


def with_values(network: Network, table: str, name: str, **values: object) -> Network:
    frame = getattr(network, table).set_index(getattr(network, table).columns[0])
    for column, value in values.items():
        frame[column] = frame[column].astype(object) if isinstance(value, str) else frame[column]
        frame.loc[name, column] = value
    return replace(network, **{table: frame.reset_index()})


def with_switch(network: Network, **values: object) -> Network:
    row = network.switches.iloc[[-1]].assign(**values)
    return replace(network, switches=pd.concat([network.switches, row], ignore_index=True))


def with_position(network: Network, switch_id: str, state: str) -> Network:
    row = pd.DataFrame(
        {
            "switch_id": [switch_id],
            "time": pd.DatetimeIndex(["2026-08-12"], tz="UTC").as_unit("ns"),
            "state": [state],
            "health": ["OK"],
            "tags": [""],
            "source": ["telemetered"],
        }
    )
    return replace(network, states=row)


BASE = parse_network(f"{SOUND}; {BESIDE}")
ALONE = planned(parse_network(SOUND))["T1"]

FAULTS = {
    "zero rating": (
        with_values(BASE, "transformers", "B2", rating_kva=0.0),
        "missing_rating",
        "rating_missing",
    ),
    "no rating": (
        with_values(BASE, "transformers", "B2", rating_kva=np.nan),
        "missing_rating",
        "rating_missing",
    ),
    "no rating of the donor": (
        with_values(BASE, "transformers", "B1", rating_kva=np.nan),
        "missing_rating",
        "forecast_missing",
    ),
    "impossible impedance": (
        with_values(BASE, "transformers", "B2", vk_pct=0.04, vkr_pct=0.01),
        "impossible_impedance",
        None,
    ),
    "tie to itself": (
        with_switch(BASE, switch_id="u9", from_id="e", to_id="e", kind="tie"),
        "self_tie",
        None,
    ),
    "two switches with one id": (with_switch(BASE, switch_id="u1", from_id="e"), "duplicate_id", None),
    "unknown end": (with_switch(BASE, switch_id="u9", to_id="nowhere"), "unknown_end", None),
    "disconnected section": (
        parse_network(f"{SOUND}; B1(500) -c1- d:0.5 -r1- e:0.3 /u1/ f:1 -c2- B2(630); x -q1- y; e /u2/ x"),
        "unfed_section",
        "not_radial",
    ),
    "parallel ties": (parse_network(f"{SOUND}; {BESIDE}; e /u2/ f"), "parallel_ties", None),
    "a loop in the normal state": (parse_network(f"{SOUND}; {BESIDE}; B1 -c3- e"), "loop", "not_radial"),
    "a switch whose state is unknown": (with_position(BASE, "r1", "BETWEEN"), "unknown_state", None),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_found_and_named_and_the_rest_is_planned_as_without_it(fault: str) -> None:
    network, finding, refusal = FAULTS[fault]
    assert finding in set(check_network(network)["code"])
    cases = planned(network)
    if fault != "a switch whose state is unknown":  # where one is reported, the others are old as well
        assert cases["T1"] == ALONE
    assert cases["T1"].plans[0].moves == ALONE.plans[0].moves
    assert set(cases) == {"T1", "B1"}
    if refusal:
        assert refusal in {why.code for why in cases["B1"].why_not}
    else:
        assert cases["B1"].plans or cases["B1"].why_not or cases["B1"].other_measures


def test_of_two_switches_with_one_id_the_first_is_planned_with() -> None:
    network, _, _ = FAULTS["two switches with one id"]
    assert planned(network)["B1"].plans == planned(BASE)["B1"].plans


def test_closing_both_of_two_parallel_ties_is_no_plan() -> None:
    network, _, _ = FAULTS["parallel ties"]
    for found in planned(network)["B1"].plans:
        assert len({"u1", "u2"} & {move.close_switch for move in found.moves}) <= 1


def test_a_section_that_a_switch_without_position_may_have_cut_off_is_not_moved() -> None:
    network, _, _ = FAULTS["a switch whose state is unknown"]
    assert "e" in set(check_network(network).query("code == 'unfed_section'")["object_id"])
    assert not [m for found in planned(network)["B1"].plans for m in found.moves if "e" in m.sections]


def test_export_is_load_like_any_other() -> None:
    """Back-feed over the rating at noon is relieved as import is, and is no finding."""
    assert check_network(BASE).empty
    case = planned(BASE, B1=[-400.0, -560.0, -450.0], B2=[-200.0, -300.0, -250.0])["B1"]
    assert case.do_nothing["overload_kvah_p50"] == pytest.approx(60)
    assert case.plans[0].relieved_kvah == pytest.approx(60)


def test_a_forecast_with_gaps_names_its_transformer_only() -> None:
    cases = planned(BASE, B1=[400.0, np.nan, 450.0])
    assert cases["T1"] == ALONE
    assert [why.code for why in cases["B1"].why_not] == ["forecast_missing"]


def lattice(rows: int, columns: int) -> tuple[Network, dict[str, list[float]]]:
    """Transformers in a field, each with four branches that are tied to its four neighbours."""
    chains = []
    for i in range(rows):
        for j in range(columns):
            for way in "nesw":
                chains.append(f"U{i}x{j}(500) -w{i}x{j}{way}- {way}{i}x{j}")
            if j + 1 < columns:
                chains.append(f"e{i}x{j} /h{i}x{j}/ w{i}x{j + 1}")
            if i + 1 < rows:
                chains.append(f"s{i}x{j} /v{i}x{j}/ n{i + 1}x{j}")
    rng = np.random.default_rng(3)
    names = [f"U{i}x{j}" for i in range(rows) for j in range(columns)]
    peaks = dict(zip(names, rng.permutation(np.linspace(150, 620, len(names))), strict=True))
    return parse_network("\n".join(chains)), {
        name: [0.7 * kva, kva, 0.8 * kva] for name, kva in peaks.items()
    }


def test_a_component_too_large_for_the_clock_gives_its_best_checked_answer_and_the_gap() -> None:
    network, loads = lattice(6, 6)
    frame = forecast(loads)
    over = [name for name, kva in loads.items() if max(kva) > 500]
    risk = pd.DataFrame({"transformer_id": over, "risk_score": 0.8, "risk_level": "HIGH", "imminent": False})
    air = pd.DataFrame(20.0, index=frame["time"].unique(), columns=list(loads))
    given = {"limits": Limits(), "rules": PlanningRules(derating_pct=0, manual_cost_kvah=0.01)}
    searched = plan_transfers(network, frame, risk, air, **given)
    given["rules"] = given["rules"].model_copy(update={"search_limit_s": 0})
    struck = plan_transfers(network, frame, risk, air, **given)
    assert [case.transformer_id for case in struck] == [case.transformer_id for case in searched]
    plans = [found for case in struck for found in case.plans]
    assert plans
    assert any(found.standing in ("greedy", "cut_short") for found in plans)
    for found in plans:
        assert found.proof.holds
        assert found.bound_kvah <= found.left_kvah
        assert found.gap_pct == pytest.approx(
            100 * (1 - found.bound_kvah / found.left_kvah) if found.left_kvah else 0
        )
    relieved = [
        sum(case.plans[0].relieved_kvah for case in cases if case.plans) for cases in (struck, searched)
    ]
    assert 0 < relieved[0] <= relieved[1] + 1e-6
