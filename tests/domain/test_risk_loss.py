"""The loss of a transformer against a plain search over all ways, hour by hour and unit by unit."""

from dataclasses import replace
from itertools import product

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gridlib.domain.network import branches, closed_switches, current_states, parse_network, section_load_kva
from gridlib.domain.risk import cascading_component, score_risk
from gridlib.domain.risk.ties import tie_findings
from gridlib.facts.frames import FindingFrame, RiskFrame, check_frame
from gridlib.facts.messages import render
from gridlib.facts.types import Limits, Network
from gridlib.facts.units import QUANTILE_COLUMNS

LIMITS = Limits()
T0 = pd.Timestamp("2025-08-12T00:00Z")


def random_network(rng: np.random.Generator) -> Network:
    """Four units of two branches each, and ties between any of their branches."""
    chains = [
        f"U{u}({rng.choice([250, 400, 630])}) -b{u}{b}- s{u}{b}:{rng.uniform(0.2, 0.5):.2f}"
        for u in range(4)
        for b in range(2)
    ]
    for t in range(rng.integers(1, 8)):
        u, v = rng.choice(4, 2, replace=False)
        limit = f":{rng.integers(60, 400)}" if rng.random() < 0.5 else ""
        chains.append(f"s{u}{rng.integers(2)} /t{t}{limit}/ s{v}{rng.integers(2)}")
    return parse_network("; ".join(chains))


def plain_search(network: Network, load: pd.Series) -> pd.DataFrame:
    """U, S and C of every unit in one hour, by the words of the definition."""
    states = current_states(network)
    fed = branches(network, closed_switches(states)).set_index("section_id")
    hour = load.to_frame().T
    part = section_load_kva(network, hour).iloc[0]
    rating = network.transformers.set_index("transformer_id")["rating_kva"]
    near: dict[str, dict[str, float]] = {}
    for tie in network.switches[network.switches["kind"] == "tie"].itertuples():
        for here, there in ((tie.from_id, tie.to_id), (tie.to_id, tie.from_id)):
            limit = np.inf if np.isnan(tie.limit_kva) else tie.limit_kva
            unit = fed.loc[there, "transformer_id"]
            seen = near.setdefault(here, {})
            seen[unit] = max(limit, seen.get(unit, 0))
    rows = []
    for unit in rating.index:
        mine = [name for name in fed.index[fed["transformer_id"] == unit] if name in near]
        left, even = load[unit], np.inf if mine else 0.0
        for way in product(*([None, *near[name]] for name in mine)):
            carried = load.copy()
            saved, fits = 0.0, True
            for name, to in zip(mine, way, strict=True):
                if to is not None:
                    carried[to] += part[name]
                    saved += part[name]
                    fits &= part[name] <= near[name][to]
            used = [to for to in way if to is not None]
            reach = max([carried[to] / rating[to] for to in used], default=0.0)
            if fits and reach <= 1.2:
                left = min(left, load[unit] - saved)
                if len(used) == len(mine):
                    even = min(even, reach)
        shared = pd.Series(0.0, index=rating.index)
        for name in mine:
            for to in near[name]:
                shared[to] += part[name] / len(near[name])
        tripped = ((shared > 0) & (load + shared > 1.5 * rating)).sum()
        rows.append((min(left / rating[unit], 1), np.clip((even - 1) / 0.2, 0, 1), 1 - 0.5**tripped))
    return pd.DataFrame(rows, index=rating.index, columns=["unserved", "stress", "trips"])


@settings(max_examples=60)
@given(st.integers(0, 2**32 - 1))
def test_equal_to_a_plain_search_over_all_ways(seed: int) -> None:
    rng = np.random.default_rng(seed)
    network = random_network(rng)
    names = network.transformers["transformer_id"]
    load = pd.DataFrame(
        rng.uniform(10, 600, (2, 4)), index=pd.date_range(T0, periods=2, freq="h"), columns=names
    )
    found = cascading_component(network, current_states(network), load, LIMITS)
    expected = np.maximum(*(plain_search(network, load.iloc[t]) for t in range(2)))
    parts = ["unserved", "stress", "trips"]
    np.testing.assert_allclose(found.loc[expected.index, parts], expected, rtol=0, atol=1e-9)
    whole = expected.to_numpy() @ [0.6, 0.25, 0.15]
    np.testing.assert_allclose(found.loc[expected.index, "cascading"], whole, rtol=0, atol=1e-9)


def test_one_unit_more_does_not_touch_the_others() -> None:
    rng = np.random.default_rng(5)
    network = random_network(rng)
    names = list(network.transformers["transformer_id"])
    load = pd.DataFrame(
        rng.uniform(10, 600, (3, 4)), index=pd.date_range(T0, periods=3, freq="h"), columns=names
    )
    alone = cascading_component(network, current_states(network), load, LIMITS)
    stranger = parse_network("X1(500) -xb- x1 /xt/ x2 -xc- X2(400)")
    both = replace(
        network,
        **{
            name: pd.concat([getattr(network, name), getattr(stranger, name)], ignore_index=True)
            for name in ("transformers", "sections", "switches")
        },
    )
    together = cascading_component(both, current_states(both), load.assign(X1=300.0, X2=200.0), LIMITS)
    pd.testing.assert_frame_equal(together.loc[names], alone, check_exact=True)


def states_of(network: Network, **state: str) -> pd.DataFrame:
    states = current_states(network)
    for name, word in state.items():
        states.loc[name, "state"] = word
    return states


def test_a_switch_of_unknown_state_is_a_finding_and_no_way_out() -> None:
    network = parse_network("T1(500) -b1- a /t1/ b -b2- T2(9000)")
    load = pd.DataFrame({"T1": [300.0], "T2": [100.0]}, index=[T0])
    states = states_of(network, t1="BETWEEN")
    assert cascading_component(network, states, load, LIMITS).loc["T1", "unserved"] == pytest.approx(0.6)
    assert [row[:2] for row in tie_findings(network, states)] == [("t1", "unknown_state")]


def test_of_parallel_ties_the_larger_counts_alone() -> None:
    network = parse_network("T1(500) -b1- a /t1:100/ b -b2- T2(9000); a /t2:250/ b; a /t3:200/ b")
    states = current_states(network)
    load = pd.DataFrame({"T1": [240.0, 260.0], "T2": 0.0}, index=pd.date_range(T0, periods=2, freq="h"))
    found = cascading_component(network, states, load, LIMITS)
    assert found.loc["T1", "unserved"] == pytest.approx(260 / 500)
    told = {row[0]: row[1] for row in tie_findings(network, states)}
    assert told == {"t1": "parallel_tie", "t3": "parallel_tie"}


def test_ties_at_different_branches_are_not_parallel() -> None:
    network = parse_network("T1(500) -b1- a /t1/ b -b2- T2(900); a /t2/ c -b3- T2; T1 -b4- d /t3/ b")
    assert tie_findings(network, current_states(network)) == []


def frames(loads: dict[str, float]) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    times = pd.date_range(T0, periods=72, freq="h")
    grid = pd.MultiIndex.from_product([loads, times], names=["transformer_id", "time"]).to_frame(index=False)
    load = grid["transformer_id"].map(loads)
    forecast = grid.assign(**dict.fromkeys(("load_kva_mean", *QUANTILE_COLUMNS), load), confidence=0.8)
    windows = pd.DataFrame(
        [(name, a, b, 0.0) for name in loads for a, b in ((0, 24), (24, 72), (0, 72))],
        columns=["transformer_id", "from_h", "to_h", "p_any_overload"],
    )
    heat = grid.assign(ambient_c=30.0, top_oil_c=60.0, hot_spot_c=70.0, hot_spot_c_p90=80.0, ageing_pu=0.5)
    return forecast, windows, heat


def test_findings_about_ties_reach_the_run_and_the_rest_is_scored() -> None:
    network = parse_network("T1(500) -b1- a /t1/ b -b2- T2(9000); a /t2/ b")
    risk, findings = score_risk(*frames({"T1": 300.0, "T2": 50.0}), network, limits=LIMITS, tz="Asia/Amman")
    check_frame(RiskFrame, risk)
    check_frame(FindingFrame, findings)
    assert findings["code"].tolist() == ["parallel_tie"]
    assert len(risk) == 2


def test_the_sentence_names_its_hour_in_local_time() -> None:
    network = parse_network(
        "T-14(1080) -b1- a /t1/ b -b2- T-16(1000)".replace("-14", "14").replace("-16", "16")
    )
    load = pd.DataFrame({"T14": [1080.0], "T16": [500.0]}, index=[T0 + pd.Timedelta(hours=17)])
    row = cascading_component(network, current_states(network), load, LIMITS, tz="Asia/Amman").loc["T14"]
    assert [render(message) for message in row["messages"]] == [
        "T14 at 20:00 on 12 Aug carries 1,080 kVA",
        "100 % cannot be picked up within 120 % of its neighbours",
        "no neighbour has room for a branch",
        "1 neighbour(s) would pass 150 % if the load went over unmanaged",
    ]
