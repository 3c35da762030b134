"""Risk: components, the weighted score, the rules above it, and what people read."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gridlib.domain.network import current_states, parse_network
from gridlib.domain.risk import (
    cascading_component,
    hold_level,
    overload_component,
    score_risk,
    thermal_component,
    weighted_score,
)
from gridlib.domain.risk.running import carry_to_present_states
from gridlib.facts.forecasts import JointPaths
from gridlib.facts.frames import FindingFrame, RiskFrame, check_frame
from gridlib.facts.messages import render
from gridlib.facts.types import Limits, Network
from gridlib.facts.units import QUANTILE_COLUMNS

LIMITS = Limits()
T0 = pd.Timestamp("2025-08-12T00:00Z")
RING = """T1(500) -b1- a:0.5 /t1/ c:1.0 -b3- T2(630)
T1 -b2- b:0.4 /t2:300/ d:0.7 -b4- T3(400)
a /t3/ d
c /t4/ d"""


def wide(**loads: object) -> pd.DataFrame:
    hours = max(np.size(load) for load in loads.values())
    index = pd.date_range(T0, periods=hours, freq="h")
    return pd.DataFrame(
        {name: np.broadcast_to(load, hours) for name, load in loads.items()}, index, dtype=float
    )


def lost(network: Network, load_kva: pd.DataFrame) -> pd.DataFrame:
    return cascading_component(network, current_states(network), load_kva, LIMITS, tz="Asia/Amman")


def sentence(row: pd.Series) -> str:
    return "; ".join(render(message) for message in row["messages"])


def forecast_frame(
    loads: dict[str, object], spread_kva: float = 0.0, hours: int = 72
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Forecast and windows with evenly spread quantiles; the chance of overload is 0."""
    times = pd.date_range(T0, periods=hours, freq="h")
    parts, rows = [], []
    for name, load in loads.items():
        median = np.broadcast_to(np.asarray(load, dtype=float), hours)
        part = pd.DataFrame({"transformer_id": name, "time": times, "load_kva_mean": median})
        for i, column in enumerate(QUANTILE_COLUMNS):
            part[column] = median + spread_kva * (i - 5)
        parts.append(part.assign(p_overload=0.0, confidence=0.8, method="test"))
        rows += [(name, a, b, 0.0, median.max(), median.max()) for a, b in ((0, 24), (24, hours), (0, hours))]
    columns = ["transformer_id", "from_h", "to_h", "p_any_overload", "peak_kva_p50", "peak_kva_p90"]
    return pd.concat(parts, ignore_index=True), pd.DataFrame(rows, columns=columns)


def thermal_frame(forecast: pd.DataFrame, hot_spot_c: float = 70.0, p90: float = 80.0) -> pd.DataFrame:
    rows = forecast[["transformer_id", "time"]]
    return rows.assign(
        ambient_c=30.0, top_oil_c=60.0, hot_spot_c=hot_spot_c, hot_spot_c_p90=p90, ageing_pu=0.5
    )


def scored(
    loads: dict[str, object],
    network: Network,
    *,
    spread_kva: float = 0.0,
    hot_spot_c: float = 70.0,
    p90_c: float = 80.0,
    p_any: dict[tuple[str, int, int], float] | None = None,
    limits: Limits = LIMITS,
    measured_kva: pd.Series | None = None,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    forecast, windows = forecast_frame(loads, spread_kva)
    for (name, from_h, to_h), chance in (p_any or {}).items():
        at = (windows["transformer_id"] == name) & (windows["from_h"] == from_h) & (windows["to_h"] == to_h)
        windows.loc[at, "p_any_overload"] = chance
    risk, findings = score_risk(
        forecast,
        windows,
        thermal_frame(forecast, hot_spot_c, p90_c),
        network,
        limits=limits,
        tz="Asia/Amman",
        measured_kva=measured_kva,
    )
    check_frame(RiskFrame, risk)
    check_frame(FindingFrame, findings)
    return risk, findings


BIG = parse_network("T1(500) -b1- a /t1/ b -b2- BIG(90000)")
"""One unit with a neighbour that can take everything: cascading is 0."""


# Components


@pytest.mark.parametrize(
    ("loading_pct", "severity"), [(0, 0), (80, 0), (85, 0.15), (90, 0.3), (95, 0.5), (100, 0.7), (130, 1.0)]
)
def test_a_sure_loading_has_the_severity_of_the_curve(loading_pct: float, severity: float) -> None:
    quantile_kva = np.full((11, 2, 1), 5.0 * loading_pct)
    assert overload_component(quantile_kva, np.array([500.0]), LIMITS) == pytest.approx([severity])


def test_overload_has_no_jump_at_90_percent() -> None:
    around = [overload_component(np.full((11, 1, 1), x), np.array([100.0]), LIMITS)[0] for x in (89.9, 90.1)]
    assert around[1] - around[0] < 0.01


def test_overload_is_the_mean_over_the_distribution() -> None:
    levels = np.array([0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95])
    quantile_kva = (80 + 40 * levels)[:, None, None]  # uniform from 80 to 120 % of 100 kVA
    dense = 80 + 40 * np.clip(np.linspace(0, 1, 100_001), 0.05, 0.95)
    exact = np.interp(dense, [80, 90, 100, 120], [0, 0.3, 0.7, 1]).mean()
    assert overload_component(quantile_kva, np.array([100.0]), LIMITS)[0] == pytest.approx(exact, abs=0.01)


def test_overload_takes_the_worst_hour_and_counts_export() -> None:
    quantile_kva = np.zeros((11, 3, 2))
    quantile_kva[:, 1, 0], quantile_kva[:, 2, 1] = 550, -550
    component = overload_component(quantile_kva, np.array([500.0, 500.0]), LIMITS)
    assert component == pytest.approx([0.85, 0.85])


@given(st.lists(st.floats(0, 1000), min_size=11, max_size=11), st.floats(0, 500))
def test_overload_never_falls_when_load_rises(loads: list[float], more: float) -> None:
    quantile_kva = np.sort(loads)[:, None, None]
    rating = np.array([500.0])
    base = overload_component(quantile_kva, rating, LIMITS)[0]
    assert overload_component(quantile_kva + more, rating, LIMITS)[0] >= base - 1e-12


@pytest.mark.parametrize(
    ("hot_spot_c", "component"), [(60, 0), (98, 0), (109, 0.25), (120, 0.5), (130, 0.75), (150, 1)]
)
def test_thermal_follows_its_curve(hot_spot_c: float, component: float) -> None:
    assert thermal_component(np.array([[20.0], [hot_spot_c]]), LIMITS) == pytest.approx([component])


def test_score_is_60_20_20() -> None:
    assert weighted_score([1, 0, 0, 1], [0, 1, 0, 1], [0, 0, 1, 1], LIMITS).tolist() == [0.6, 0.2, 0.2, 1.0]


# Cascading


def test_a_huge_neighbour_makes_the_loss_harmless() -> None:
    row = lost(BIG, wide(T1=600.0, BIG=1000.0)).loc["T1"]
    assert (row["cascading"], row["unserved"], row["stress"], row["trips"]) == (0, 0, 0, 0)


@pytest.mark.parametrize(("load", "unserved"), [(350.0, 0.7), (700.0, 1.0), (-300.0, 0.0)])
def test_without_ties_all_load_is_lost(load: float, unserved: float) -> None:
    row = lost(parse_network("T1(500) -b1- a"), wide(T1=load)).loc["T1"]
    assert row["unserved"] == pytest.approx(unserved)
    assert (row["stress"], row["trips"]) == (0, 0)
    assert row["cascading"] == pytest.approx(0.6 * unserved)


def test_worked_example_of_one_neighbour() -> None:
    network = parse_network("T1(500) -b1- a:0.5 /t1/ c -b3- T2(500); T1 -b2- b:0.3")
    row = lost(network, wide(T1=[200.0, 400.0], T2=[250.0, 350.0])).loc["T1"]
    assert row["unserved"] == pytest.approx(200 / 500)  # b and the 20 % that hang on no branch
    assert row["stress"] == pytest.approx((550 / 500 - 1) / 0.2)
    assert row["trips"] == 0
    assert row["cascading"] == pytest.approx(0.6 * 0.4 + 0.25 * 0.5)
    assert row["hour"] == T0 + pd.Timedelta(hours=1)
    assert sentence(row) == (
        "T1 at 04:00 on 12 Aug carries 400 kVA; 50 % cannot be picked up within 120 % of its neighbours; "
        "busiest neighbour T2 would reach 110 %"
    )


def test_a_branch_that_is_refused_is_full_stress_and_may_trip_the_neighbour() -> None:
    network = parse_network("T1(1000) -b1- a /t1/ c -b2- T2(500)")
    row = lost(network, wide(T1=400.0, T2=400.0)).loc["T1"]
    assert row["unserved"] == pytest.approx(0.4)
    assert row["stress"] == 1
    assert row["trips"] == pytest.approx(0.5)  # 800 kVA on 500 kVA
    assert "no neighbour has room" in sentence(row)
    assert "1 neighbour(s) would pass 150 %" in sentence(row)


def test_a_tie_carries_no_more_than_its_limit() -> None:
    network = parse_network("T1(500) -b1- a /t1:200/ c -b2- T2(9000)")
    assert lost(network, wide(T1=200.0, T2=0.0)).loc["T1", "unserved"] == 0
    assert lost(network, wide(T1=201.0, T2=0.0)).loc["T1", "unserved"] == pytest.approx(201 / 500)


def test_a_faulty_tie_is_no_tie() -> None:
    states = current_states(BIG)
    states.loc["t1", "health"] = "FAULT"
    row = cascading_component(BIG, states, wide(T1=300.0, BIG=0.0), LIMITS).loc["T1"]
    assert row["unserved"] == pytest.approx(0.6)
    assert "no usable tie" in sentence(row)


def test_load_that_hangs_elsewhere_is_lost_with_its_new_transformer() -> None:
    network = parse_network("T1(500) -b1- a:0.5 -s1- b:0.5 /t1/ c -b2- T2(500)")
    states = current_states(network)
    states.loc[["s1", "t1"], "state"] = ["OPEN", "CLOSED"]
    table = cascading_component(network, states, wide(T1=400.0, T2=100.0), LIMITS)
    # s1 is the only tie now: T2's branch of 300 kVA fits beside the 200 kVA on T1, and the other way round.
    assert table["unserved"].tolist() == [0, 0]
    states.loc["s1", "health"] = "FAULT"
    table = cascading_component(network, states, wide(T1=400.0, T2=100.0), LIMITS)
    assert table["unserved"].tolist() == pytest.approx([200 / 500, 300 / 500])


def test_branches_are_spread_so_that_most_is_picked_up() -> None:
    """Branch by branch to the neighbour with most room would put a on T2 and leave no room for b."""
    network = parse_network(
        "T1(500) -b1- a:0.515 /t1/ c -b3- T2(100); a /t2/ d -b4- T3(100); T1 -b2- b:0.485 /t3/ c"
    )
    row = lost(network, wide(T1=165.0, T2=20.0, T3=30.0)).loc["T1"]
    assert row["unserved"] == 0
    assert row["stress"] == pytest.approx(0.5 * (30 + 0.515 * 165 - 100) / 10)


def test_a_neighbour_without_forecast_or_rating_gives_no_help() -> None:
    network = parse_network("T1(500) -b1- a /t1/ c -b2- T2(9000)")
    assert lost(network, wide(T1=300.0)).loc["T1", "unserved"] == pytest.approx(0.6)
    unrated = replace(network, transformers=network.transformers.assign(rating_kva=[500.0, np.nan]))
    table = lost(unrated, wide(T1=300.0, T2=0.0))
    assert table.index.tolist() == ["T1"]
    assert table.loc["T1", "unserved"] == pytest.approx(0.6)


@settings(max_examples=60)
@given(
    st.lists(st.floats(0, 900), min_size=3, max_size=3),
    st.integers(0, 2),
    st.floats(0, 600),
)
def test_no_part_of_cascading_falls_when_a_load_rises(loads: list[float], which: int, more: float) -> None:
    network = parse_network(RING)
    names = ["T1", "T2", "T3"]
    raised = [load + more * (i == which) for i, load in enumerate(loads)]
    before = lost(network, wide(**dict(zip(names, loads, strict=True))))
    after = lost(network, wide(**dict(zip(names, raised, strict=True))))
    for part in ("unserved", "stress", "trips", "cascading"):
        assert (after[part] >= before[part] - 1e-9).all(), part
        assert before[part].between(0, 1).all()


def test_a_star_of_many_ties_is_scored_in_bounded_time_and_stays_monotone() -> None:
    hub = "; ".join(
        f"HUB(1000) -h{i}- s{i} /t{i}/ n{i} -b{i}- N{i}(200); s{i} /u{i}/ n{(i + 1) % 9}" for i in range(9)
    )
    network = parse_network(hub)
    neighbours = {f"N{i}": 100.0 for i in range(9)}
    low, high = (lost(network, wide(HUB=load, **neighbours)).loc["HUB"] for load in (1000.0, 1300.0))
    assert low["unserved"] == 0
    assert high["unserved"] >= low["unserved"]
    assert high["stress"] >= low["stress"] > 0


def test_hours_are_independent() -> None:
    network = parse_network(RING)
    loads = {"T1": [100.0, 600.0], "T2": [500.0, 100.0], "T3": [200.0, 390.0]}
    together = lost(network, wide(**loads))
    alone = [lost(network, wide(**{name: load[h] for name, load in loads.items()})) for h in (0, 1)]
    for part in ("unserved", "stress", "trips"):
        assert np.array_equal(together[part], np.maximum(alone[0][part], alone[1][part]))


def many_ties(rating_kva: float) -> Network:
    """A unit with 14 branches, each with one tie to the same neighbour."""
    ties = "; ".join(f"HUB(1000) -h{i}- s{i} /t{i}/ n -b- N({rating_kva:g})" for i in range(14))
    return parse_network(ties)


def test_no_branch_loses_its_only_tie_where_the_ways_are_too_many() -> None:
    row = lost(many_ties(9000), wide(HUB=1000.0, N=100.0)).loc["HUB"]
    assert (row["unserved"], row["stress"], row["trips"]) == (pytest.approx(0), 0, 0)


def test_a_tied_branch_that_is_refused_is_full_stress_where_the_ways_are_too_many() -> None:
    # 13 of 14 branches of 1000 / 14 kVA would fit within 120 %: in twelve bundles 12 of them do.
    row = lost(many_ties(1000), wide(HUB=1000.0, N=1200 - 13.5 / 14 * 1000)).loc["HUB"]
    assert row["stress"] == 1
    assert 1 / 14 <= row["unserved"] <= 2 / 14 + 1e-9


def test_each_branch_keeps_a_neighbour_where_the_ways_are_too_many() -> None:
    """Seven branches with a wide choice, and seven whose only neighbour is the smallest of all."""
    wide_choice = "; ".join(
        f"HUB(1400) -h{i}- s{i} /t{i}/ n -b- N(9000); s{i} /u{i}/ m -c- M(2000)" for i in range(7)
    )
    narrow = "; ".join(f"HUB -k{i}- r{i} /v{i}/ m" for i in range(7))
    row = lost(parse_network(f"{wide_choice}; {narrow}"), wide(HUB=1400.0, N=0.0, M=0.0)).loc["HUB"]
    assert row["unserved"] == 0
    assert row["stress"] == 0


# The whole score


def test_quiet_transformer_is_low_and_says_nothing() -> None:
    risk, findings = scored({"T1": 300.0, "BIG": 100.0}, BIG)
    row = risk.set_index("transformer_id").loc["T1"]
    assert (row["risk_level"], row["risk_score"], row["reasons"]) == ("LOW", 0.0, [])
    assert row["peak_pct_p50"] == pytest.approx(60)
    assert row["loss_of_life_d"] == pytest.approx(1.5)
    assert pd.isna(row["first_over"])
    assert findings.empty


def test_rules_raise_the_level_and_never_the_score() -> None:
    """200 % of nameplate on a cool day with a free neighbour: the score alone says 0.6, the rule HIGH."""
    load = np.full(72, 300.0)
    load[17:21] = 1000.0
    risk, _ = scored({"T1": load, "BIG": 100.0}, BIG)
    row = risk.iloc[0]
    assert row["transformer_id"] == "T1"
    assert row["risk_score"] == pytest.approx(0.6)
    assert row["risk_level"] == "HIGH"
    assert row["raised_by"] == "R2"
    assert row["hours_over"] == 4
    assert row["first_over"] == row["peak_time"] == T0 + pd.Timedelta(hours=17)
    assert "Overload 1.00: at 20:00 on 12 Aug the median is 1,000 kVA, 200 % of 500 kVA" in row["reasons"][0]
    assert "driven by the likely load, 4 h over the limit" in row["reasons"][0]
    assert row["reasons"][1].startswith(
        "raised to HIGH by R2: median loading at least 110 % for 4 hours; p90 loading 200 % at 20:00"
    )


@pytest.mark.parametrize(("hours", "level"), [([17], "MEDIUM"), ([17, 19], "MEDIUM"), ([17, 18], "HIGH")])
def test_r2_asks_for_two_hours_on_end(hours: list[int], level: str) -> None:
    load = np.full(72, 300.0)
    load[hours] = 555.0
    risk, _ = scored({"T1": load, "BIG": 100.0}, BIG)
    assert risk.iloc[0]["risk_level"] == level


def test_r2_by_p90_loading_and_by_hot_spot() -> None:
    risk, _ = scored({"T1": 400.0, "BIG": 100.0}, BIG, spread_kva=50.0)
    assert risk.iloc[0]["raised_by"] == "R2"
    assert "driven by the likely load" in risk.iloc[0]["reasons"][0]
    risk, _ = scored({"T1": 300.0, "BIG": 100.0}, BIG, hot_spot_c=90, p90_c=141)
    assert set(risk["raised_by"]) == {"R2"}
    assert risk.iloc[0]["reasons"] == ["raised to HIGH by R2: p90 hot spot 141 degC (limit 140 degC)"]


def test_p90_counts_export() -> None:
    risk, _ = scored({"T1": -400.0, "BIG": 100.0}, BIG, spread_kva=50.0)
    row = risk.iloc[0]
    assert row["transformer_id"] == "T1"
    assert row["peak_pct_p90"] == pytest.approx(120)
    assert "driven by back-feed" in row["reasons"][0]


def test_r1_by_chance_in_the_horizon() -> None:
    chance = {("T1", 24, 72): 0.4, ("T1", 0, 72): 0.4}
    risk, _ = scored({"T1": 300.0, "BIG": 100.0}, BIG, p_any=chance)
    row = risk.iloc[0]
    assert (row["transformer_id"], row["risk_level"], row["raised_by"]) == ("T1", "MEDIUM", "R1")
    assert not row["imminent"]
    assert (row["p_any_1_24"], row["p_any_24_72"], row["p_any_1_72"]) == (0, 0.4, 0.4)
    assert row["reasons"] == ["raised to MEDIUM by R1: 40 % chance of an overload in 72 h (limit 30 %)"]


def test_r0_is_imminent_and_stands_above_a_higher_level() -> None:
    network = parse_network("T1(500) -b1- a /t1/ b -b2- BIG(90000); T3(500) -b3- c /t3/ b")
    chance = {("T1", 0, 24): 0.3, ("T1", 0, 72): 0.3}
    risk, _ = scored({"T1": 300.0, "BIG": 100.0, "T3": 560.0}, network, p_any=chance)
    assert risk["transformer_id"].tolist() == ["T1", "T3", "BIG"]
    assert risk["imminent"].tolist() == [True, False, False]
    assert risk["risk_level"].tolist() == ["MEDIUM", "HIGH", "LOW"]
    assert risk.iloc[0]["raised_by"] == "R0 R1"
    assert risk.iloc[0]["reasons"][0].startswith("IMMINENT by R0, raised to MEDIUM by R0: 30 % chance")


@pytest.mark.parametrize(("measured", "imminent"), [(501.0, True), (-501.0, True), (499.0, False)])
def test_r0_by_measured_load(measured: float, imminent: bool) -> None:
    risk, _ = scored({"T1": 300.0, "BIG": 100.0}, BIG, measured_kva=pd.Series({"T1": measured}))
    row = risk.set_index("transformer_id").loc["T1"]
    assert row["imminent"] == imminent
    assert (
        any("measured load 501 kVA is over 100 % of 500 kVA now" in said for said in row["reasons"])
        == imminent
    )


def test_thermal_comes_from_the_hot_spot_and_names_load_and_air() -> None:
    risk, _ = scored({"T1": 300.0, "BIG": 100.0}, BIG, hot_spot_c=120, p90_c=125)
    row = risk.set_index("transformer_id").loc["T1"]
    assert row["thermal"] == pytest.approx(0.5)
    assert row["risk_score"] == pytest.approx(0.1)
    assert row["reasons"] == [
        "Thermal 0.50: the hot spot reaches 120 degC at 03:00 on 12 Aug, limit 98 degC; driven by 60 % load "
        "in air of 30 degC; 1.5 d of life used in 72 h"
    ]


def test_reasons_name_every_component_above_zero_largest_weighted_first() -> None:
    network = parse_network("T1(500) -b1- a")
    risk, _ = scored({"T1": 450.0}, network, hot_spot_c=131, p90_c=132)
    row = risk.iloc[0]
    weighted = [0.6 * row["overload"], 0.2 * row["thermal"], 0.2 * row["cascading"]]
    assert weighted == sorted(weighted, reverse=True)
    assert [said.split()[0] for said in row["reasons"]] == ["Overload", "Thermal", "Cascading"]
    assert row["risk_score"] == pytest.approx(sum(weighted))
    assert "T1 at 03:00 on 12 Aug carries 450 kVA; 100 % cannot be picked up" in row["reasons"][2]


def test_step_of_15_minutes_counts_hours() -> None:
    forecast, windows = forecast_frame({"T1": 560.0}, hours=96)
    forecast["time"] = pd.date_range(T0, periods=96, freq="15min")
    windows["to_h"] = windows["to_h"].replace(96, 25)
    network = parse_network("T1(500) -b1- a")
    risk, _ = score_risk(forecast, windows, thermal_frame(forecast), network, limits=LIMITS, tz="UTC")
    assert risk.iloc[0]["hours_over"] == 24
    assert "for 24 hours" in " ".join(risk.iloc[0]["reasons"])


def test_a_bad_transformer_is_a_finding_and_the_others_do_not_notice() -> None:
    network = parse_network("T1(500) -b1- a; T2(500) -b2- b; T3(500) -b3- c; T4(500) -b4- d; T5(400) -b5- e")
    rating = [500.0, np.nan, 500.0, 500.0, 400.0]
    network = replace(network, transformers=network.transformers.assign(rating_kva=rating))
    loads = {"T1": 480.0, "T2": 480.0, "T3": np.full(72, 100.0), "stranger": 10.0, "T5": 390.0}
    loads["T3"][7] = np.nan
    risk, findings = scored(loads, network)
    assert risk["transformer_id"].tolist() == ["T5", "T1"]
    assert dict(zip(findings["object_id"], findings["code"], strict=True)) == {
        "T4": "no_forecast",
        "T2": "no_rating",
        "stranger": "no_rating",
        "T3": "no_forecast",
    }
    alone, _ = scored({"T1": 480.0, "T5": 390.0}, network)
    pd.testing.assert_frame_equal(risk, alone, check_exact=True)


def test_without_temperatures_the_overload_still_counts() -> None:
    forecast, windows = forecast_frame({"T1": 600.0, "BIG": 100.0})
    thermal = thermal_frame(forecast[forecast["transformer_id"] == "BIG"])
    risk, findings = score_risk(forecast, windows, thermal, BIG, limits=LIMITS, tz="UTC")
    check_frame(RiskFrame, risk)
    row = risk.iloc[0]
    assert (row["transformer_id"], row["risk_level"], row["thermal"]) == ("T1", "HIGH", 0.0)
    assert np.isnan(row["hot_spot_c_max"])
    assert "Thermal not computed" in row["reasons"][-1]
    assert findings["code"].tolist() == ["no_thermal"]


def test_cascading_takes_the_load_of_the_normal_state_where_it_is_given() -> None:
    """After a transfer the forecast already holds the moved section; it must not be moved twice."""
    network = parse_network("T1(500) -b1- a:0.5 -s1- b:0.5 /t1/ c -b2- T2(500)")
    moved = pd.DataFrame(
        {
            "switch_id": ["s1", "t1"],
            "time": [T0, T0],
            "state": ["OPEN", "CLOSED"],
            "health": ["FAULT", "OK"],
            "tags": ["", ""],
            "source": ["manual", "manual"],
        }
    )
    network = replace(network, states=moved)
    forecast, windows = forecast_frame({"T1": 200.0, "T2": 300.0})
    normal_kva = wide(T1=np.full(72, 400.0), T2=100.0)
    risk, _ = score_risk(
        forecast,
        windows,
        thermal_frame(forecast),
        network,
        limits=LIMITS,
        tz="UTC",
        normal_kva=normal_kva,
    )
    cascading = risk.set_index("transformer_id")["cascading"]
    assert cascading["T1"] == pytest.approx(0.6 * 200 / 500)
    assert cascading["T2"] == pytest.approx(0.6 * 300 / 500)


FOREIGN = "T1(500) -b1- a:0.5 -s1- b:0.5 /t1/ c -b2- T2(500); T3(500) -b3- d"


def after_transfer(network: Network) -> Network:
    """b hangs on T2."""
    rows = [("s1", T0, "OPEN", "OK", "", "manual"), ("t1", T0, "CLOSED", "OK", "", "manual")]
    columns = ["switch_id", "time", "state", "health", "tags", "source"]
    return replace(network, states=pd.DataFrame(rows, columns=columns))


def test_unknown_load_of_a_foreign_section_is_said_and_never_raises_a_level() -> None:
    network = after_transfer(parse_network(FOREIGN))
    risk, findings = scored({"T2": 100.0, "T3": 300.0}, network)
    row = risk.set_index("transformer_id").loc["T2"]
    assert (row["risk_level"], row["cascading"], row["risk_score"]) == ("LOW", 0.0, 0.0)
    assert "Cascading not computed: the load of this transformer is not known in full" in row["reasons"]
    assert any("carries b of another transformer" in said for said in row["reasons"])
    assert set(zip(findings["object_id"], findings["code"], strict=True)) == {
        ("T1", "no_forecast"),
        ("T2", "foreign_load_unknown"),
        ("T2", "no_cascading"),
    }
    alone, _ = scored({"T3": 300.0}, network)
    told = risk[risk["transformer_id"] == "T3"].reset_index(drop=True)
    pd.testing.assert_frame_equal(told, alone, check_exact=True)


def test_a_carried_load_that_is_not_a_number_is_no_cascading() -> None:
    network = after_transfer(parse_network(FOREIGN))
    forecast, windows = forecast_frame({"T1": 200.0, "T2": 300.0, "T3": 300.0})
    normal_kva = wide(T1=np.full(72, 400.0), T2=100.0, T3=300.0)
    normal_kva.loc[normal_kva.index[5], "T1"] = np.nan
    risk, findings = score_risk(
        forecast, windows, thermal_frame(forecast), network, limits=LIMITS, tz="UTC", normal_kva=normal_kva
    )
    check_frame(RiskFrame, risk)
    assert risk.set_index("transformer_id")["risk_level"].to_dict() == {"T1": "LOW", "T2": "LOW", "T3": "LOW"}
    without = findings.loc[findings["code"] == "no_cascading", "object_id"]
    assert set(without) == {"T1", "T2"}


def test_loads_are_carried_to_the_present_states_with_unknown_sections_as_nothing() -> None:
    network = after_transfer(parse_network(FOREIGN + "; b /t2/ e -b4- T4(400)"))
    forecast, windows = forecast_frame({"T1": 400.0, "T2": 100.0, "T3": 300.0})
    running, _ = carry_to_present_states(network, forecast, windows)
    assert running.groupby("transformer_id")["load_kva_p50"].max().to_dict() == {
        "T1": 200,
        "T2": 300,
        "T3": 300,
    }
    known = forecast[forecast["transformer_id"] != "T1"]
    blind, _ = carry_to_present_states(network, known, windows[windows["transformer_id"] != "T1"])
    pd.testing.assert_frame_equal(blind, known)
    # T2 gives c away and takes b over, whose load nobody knows: what it gave away is gone all the same.
    moved = parse_network("T1(500) -b1- a -s1- b /t1/ c:0.5 -b2- T2(500) -b5- f:0.5 /t5/ d -b3- T3(500)")
    rows = [
        (name, T0, state, "OK", "", "manual")
        for name, state in (("s1", "OPEN"), ("t1", "CLOSED"), ("b5", "OPEN"), ("t5", "CLOSED"))
    ]
    moved = replace(moved, states=pd.DataFrame(rows, columns=network.states.columns))
    forecast, windows = forecast_frame({"T2": 200.0, "T3": 300.0})
    running, _ = carry_to_present_states(moved, forecast, windows)
    assert running.groupby("transformer_id")["load_kva_p50"].max().to_dict() == {"T2": 100, "T3": 400}


def test_chances_of_carried_loads_come_from_errors_of_the_same_days() -> None:
    network = after_transfer(parse_network(FOREIGN))  # T2 of 500 kVA carries b, which is half of T1
    forecast, windows = forecast_frame({"T1": 400.0, "T2": 250.0, "T3": 100.0}, spread_kva=4.0)
    times = pd.DatetimeIndex(forecast["time"].unique())
    hours = np.arange(72)
    # On each of twenty days another hour is up by 100 kVA at T1 and by 50 at T2.
    up = np.array([np.where(hours == 3 * day + 5, 100, -2) for day in range(20)])
    found = {}
    for name, of_t1 in (("together", up), ("an hour apart", np.roll(up, 1, axis=1))):
        errors = np.stack([of_t1, up // 2, 0 * up]).astype(np.int8)
        paths = JointPaths(
            np.array(["T1", "T2", "T3"], dtype=object),
            times,
            pd.date_range(T0 - pd.Timedelta(days=30), periods=20),
            np.ones(3),
            errors,
            np.ones((3, 20), dtype=bool),
        )
        running, carried = carry_to_present_states(network, forecast, windows, paths)
        found[name] = carried[(carried["transformer_id"] == "T2") & (carried["to_h"] == 72)].iloc[-1]
        hourly = running.loc[running["transformer_id"] == "T2", "p_overload"]
        assert hourly.max() < 0.2
        untouched = windows["transformer_id"] == "T3"
        pd.testing.assert_frame_equal(carried[untouched], windows[untouched])
    # 250 + 200 kVA, in the highest hour 50 + 50 more, or 50 - 1.
    assert found["together"]["peak_kva_p50"] == pytest.approx(550)
    assert found["together"]["p_any_overload"] > 0.99
    assert found["an hour apart"]["peak_kva_p50"] == pytest.approx(499)
    assert found["an hour apart"]["p_any_overload"] < 0.01
    plain = carry_to_present_states(network, forecast, windows)[1]
    assert plain.loc[plain["transformer_id"] == "T2", "p_any_overload"].max() < 0.2


def test_a_network_without_sections_has_only_its_own_loads_to_lose() -> None:
    network = parse_network("T1(500) -b1- a; T2(400) -b2- b")
    bare = replace(network, sections=network.sections.iloc[:0], switches=network.switches.iloc[:0])
    risk, _ = scored({"T1": 300.0, "T2": 300.0}, bare)
    assert risk["cascading"].tolist() == pytest.approx([0.6 * 0.75, 0.6 * 0.6])


def test_limits_are_settings() -> None:
    limits = Limits(high_loading_p50_pct=90, high_loading_p50_h=3)
    risk, _ = scored({"T1": 460.0, "BIG": 100.0}, BIG, limits=limits)
    assert risk.iloc[0]["raised_by"] == "R2"
    assert "at least 90 % for 72 hours" in " ".join(risk.iloc[0]["reasons"])


def test_nothing_given_is_changed() -> None:
    forecast, windows = forecast_frame({"T1": 600.0, "BIG": 100.0})
    thermal = thermal_frame(forecast)
    before = [frame.copy() for frame in (forecast, windows, thermal, BIG.sections, BIG.transformers)]
    score_risk(forecast, windows, thermal, BIG, limits=LIMITS, tz="UTC")
    for was, now in zip(before, (forecast, windows, thermal, BIG.sections, BIG.transformers), strict=True):
        pd.testing.assert_frame_equal(was, now)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"weight_overload": 0.7}, "sum to 1.1, expected 1"),
        ({"overload_points": ((80, 0.0), (80, 0.3))}, "overload_points"),
        ({"overload_points": ((80, 0.5), (90, 0.3))}, "overload_points"),
        ({"thermal_points": ((98, 0.0),)}, "thermal_points"),
        ({"thermal_points": ((98, 0.0), (120, 1.5))}, "severities from 0 to 1"),
    ],
)
def test_limits_that_make_no_score_are_refused(settings: dict[str, object], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        Limits(**settings)


# Holding a level


def run_with(score: float, level: str, raised_by: str = "") -> pd.DataFrame:
    risk, _ = scored({"T1": 300.0}, parse_network("T1(500) -b1- a"))
    return risk.assign(risk_score=score, risk_level=level, raised_by=raised_by)


@pytest.mark.parametrize(
    ("now", "before", "level"),
    [
        ((0.75, "HIGH", ""), [(0.2, "LOW", "")], "HIGH"),  # up at once
        ((0.6, "MEDIUM", ""), [(0.75, "HIGH", "")], "HIGH"),  # first calm run
        ((0.6, "MEDIUM", ""), [(0.6, "HIGH", ""), (0.75, "HIGH", "")], "MEDIUM"),  # second calm run
        ((0.66, "MEDIUM", ""), [(0.6, "HIGH", "")], "HIGH"),  # not far enough below
        ((0.65, "MEDIUM", ""), [(0.65, "HIGH", "")], "MEDIUM"),  # just far enough
        ((0.1, "LOW", ""), [(0.1, "HIGH", "R2")], "HIGH"),  # a rule spoke one run ago
        ((0.1, "LOW", ""), [(0.5, "HIGH", "")], "MEDIUM"),  # falls as far as it may
        ((0.1, "LOW", ""), [], "LOW"),
    ],
)
def test_a_level_rises_at_once_and_falls_with_margin_after_two_runs(now, before, level: str) -> None:
    current = run_with(*now)
    held = hold_level(current, [run_with(*run) for run in before], LIMITS)
    check_frame(RiskFrame, held)
    assert held["risk_level"].tolist() == [level]
    assert held["risk_score"].tolist() == [now[0]]
    assert any(said.startswith("held at") for said in held["reasons"][0]) == (level != now[1])


def test_a_transformer_that_was_not_scored_before_holds_nothing() -> None:
    current = run_with(0.1, "LOW")
    other = run_with(0.9, "HIGH").assign(transformer_id="T9")
    pd.testing.assert_frame_equal(hold_level(current, [other, other], LIMITS), current)
