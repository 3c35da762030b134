"""What a transformer may carry in a plan: by the heat of the combined load, the site, a device in series."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from gridlib.domain.network import parse_network
from gridlib.domain.planning import make_bench, plan_transfers, prove_moves, refresh_plan
from gridlib.domain.thermal import ThermalState, loss_of_life_d, thermal_response, thermal_spec
from gridlib.facts.messages import render, rendered
from gridlib.facts.types import Limits, Move, Network, PlanningCase, PlanningRules, Proof
from gridlib.facts.units import QUANTILE_COLUMNS, QUANTILE_LEVELS

LIMITS = Limits()
RULES = PlanningRules(derating_pct=0)
NETWORK = parse_network("T1(500) -b1- a:0.5 -s1- b:0.3 /t1/ c:1 -b2- T2(630)")
MOVE = Move("s1", "t1", ("b",), "T1", "T2")
START = pd.Timestamp("2026-08-12", tz="Asia/Amman").tz_convert("UTC")
HOUR = np.arange(24)
EVENING = np.exp(-((HOUR - 20) ** 2) / 12)
"""A peak of a few hours at 20:00."""
DAY = 0.6 + 0.4 * np.exp(-((HOUR - 18) ** 2) / 30)
"""A day of houses and shops: 85 % of nameplate is what it may reach in air of 50 degC, 140 % at -5."""


def forecast(width: float = 0.0, **kva: np.ndarray) -> pd.DataFrame:
    """Hourly medians from midnight; p10 and p90 lie ``width`` kVA below and above."""
    hours = len(next(iter(kva.values())))
    times = pd.date_range(START, periods=hours, freq="h").as_unit("ns")
    frame = pd.DataFrame({"transformer_id": np.repeat(list(kva), hours), "time": np.tile(times, len(kva))})
    p50 = np.concatenate([np.asarray(load, dtype=float) for load in kva.values()])
    for level, column in zip(QUANTILE_LEVELS, QUANTILE_COLUMNS, strict=True):
        frame[column] = p50 + width * (level - 0.5) / 0.4
    return frame


def air(loads: pd.DataFrame, ambient_c: float = 20.0, **by_name: object) -> pd.DataFrame:
    frame = pd.DataFrame(ambient_c, index=loads["time"].unique(), columns=loads["transformer_id"].unique())
    return frame.assign(**by_name)


def prove(loads: pd.DataFrame, ambient: pd.DataFrame, *moves: Move, **kwargs) -> Proof:
    given_ = {"limits": LIMITS, "rules": RULES, "tz": "Asia/Amman", "ambient_c": ambient, **kwargs}
    network = given_.pop("network", NETWORK)
    return prove_moves(network, loads, moves or (MOVE,), **given_)


def plan(
    loads: pd.DataFrame, ambient: pd.DataFrame, *donors: str, network: Network = NETWORK, **kwargs
) -> tuple[PlanningCase, ...]:
    risk = pd.DataFrame({"transformer_id": donors or ["T1"], "risk_score": 0.9, "risk_level": "HIGH"})
    given_ = {"limits": LIMITS, "rules": RULES, "tz": "Asia/Amman", **kwargs}
    return plan_transfers(network, loads, risk.assign(imminent=False), ambient, **given_)


def with_unit(name: str, **values: object) -> Network:
    table = NETWORK.transformers.set_index("transformer_id")
    for column, value in values.items():
        table.loc[name, column] = value
    return replace(NETWORK, transformers=table.reset_index())


def heat_of(kva: np.ndarray, ambient: np.ndarray, rating_kva: float = 630) -> tuple[float, float]:
    """Largest hot spot [degC] and life used [d] of an outdoor ONAN unit."""
    spec = thermal_spec(pd.DataFrame({"cooling": ["ONAN"], "rating_kva": [rating_kva]}))
    run = thermal_response(kva[:, None] / rating_kva, ambient, spec, step_min=60)
    return float(run.hot_spot_c.max()), float(loss_of_life_d(run.hot_spot_c, step_min=60)[0])


# The limit is the thermal cyclic rating of what the transformer would carry.


@settings(max_examples=60)
@given(st.integers(0, 10_000))
def test_a_receiver_takes_what_its_day_can_bear_and_no_more(seed: int) -> None:
    rng = np.random.default_rng(seed)
    shapes = [0.4 + 0.6 * np.exp(-((HOUR - rng.uniform(8, 22)) ** 2) / rng.uniform(3, 60)) for _ in range(2)]
    ambient = rng.uniform(20, 48) + 6 * np.sin((HOUR - 9) * np.pi / 12)
    loads = forecast(T1=rng.uniform(400, 700) * shapes[0], T2=rng.uniform(250, 480) * shapes[1])
    t1, t2 = (loads.loc[loads["transformer_id"] == name, "load_kva_p50"].to_numpy() for name in ("T1", "T2"))
    combined = t2 + 0.3 * t1
    hot_spot_c, life_d = heat_of(combined, ambient)
    assume(abs(hot_spot_c - 120) > 0.1 and abs(life_d - 1) > 0.01 and abs(combined.max() - 630) > 0.5)
    proof = prove(loads, air(loads, T2=ambient))
    assert proof.holds is bool(hot_spot_c < 120 and life_d < 1 and combined.max() < 630)
    if not proof.holds:
        assert any(
            f"by {word}" in render(proof.reasons[0]) for word in ("the hot spot", "ageing", "the site")
        )
        assert "kVA too much" in render(proof.reasons[0])


def test_derated_load_is_held_against_the_limit() -> None:
    """Scaled so that the combined day ages a tenth less than a day: 5 % more load is too much."""
    ambient = np.full(24, 45.0)
    t1, t2 = 600 * DAY, 430 * DAY
    scale = next(s for s in np.arange(1.3, 0.5, -0.001) if heat_of(s * (t2 + 0.3 * t1), ambient)[1] < 0.9)
    loads = forecast(T1=scale * t1, T2=scale * t2)
    assert prove(loads, air(loads, T2=ambient)).holds
    assert not prove(loads, air(loads, T2=ambient), rules=PlanningRules(derating_pct=5)).holds


def test_a_flat_section_lowers_the_limit_of_a_receiver_with_a_peak() -> None:
    """What comes over makes the day flatter: the same peak then ages more."""
    loads = forecast(T1=np.full(24, 520.0), T2=400 * EVENING + 20)
    ambient = np.full(24, 54.0)
    before = prove(forecast(T1=np.full(24, 1.0), T2=400 * EVENING + 20), air(loads, T2=ambient))
    room = before.margin_pct + 100 * 420 / 630
    (case,) = plan(loads, air(loads, T2=ambient))
    receiver = next(found for found in case.plans if found.moves == (MOVE,)).sides[1]
    assert receiver.limit_by == "ageing"
    assert receiver.limit_pct < room - 2


def test_a_section_with_a_peak_may_come_where_the_flat_load_alone_would_not_let_it() -> None:
    """The limit of a flat load is low; planning's last word is the limit of the load that results."""
    ambient = np.full(24, 48.0)
    loads = forecast(T1=1100 * EVENING**9 + 20, T2=np.full(24, 200.0))
    flat_pct = next(k for k in range(100, 0, -1) if heat_of(np.full(24, 6.3 * k), ambient)[1] < 1)
    assert flat_pct < (200 + 0.3 * 1120) / 6.3
    assert heat_of(200 + 0.3 * (1100 * EVENING**9 + 20), ambient)[1] < 1
    assert prove(loads, air(loads, T2=ambient)).holds
    (case,) = plan(loads, air(loads, T2=ambient))
    assert (MOVE,) not in [why.moves for why in case.why_not if why.code == "receiver_overload"]


def test_each_day_of_the_horizon_has_its_own_limit() -> None:
    loads = forecast(T1=np.tile(300 + 260 * EVENING, 3), T2=np.tile(200 + 200 * EVENING, 3))
    for hot in range(3):
        ambient = np.full(72, 15.0)
        ambient[24 * hot : 24 * hot + 24] = 58.0
        proof = prove(loads, air(loads, T2=ambient))
        assert not proof.holds
        assert f"{12 + hot} Aug 20:00" in render(proof.reasons[0])
        assert "of this day" in render(proof.reasons[0])
    assert prove(loads, air(loads, 15.0)).holds


def test_oil_that_is_hot_already_lowers_the_limit() -> None:
    loads = forecast(T1=np.full(24, 560.0) * (HOUR < 2) + 100, T2=300 * (HOUR < 2) + 100.0)
    cool, hot = (
        ThermalState(np.array([40.0, oil]), np.array([5.0, 5.0]), np.zeros(2)) for oil in (40.0, 118.0)
    )
    assert prove(loads, air(loads, 40.0), initial=cool).holds
    proof = prove(loads, air(loads, 40.0), initial=hot)
    assert "T2 would reach" in render(proof.reasons[0])
    assert "by the hot spot of this day" in render(proof.reasons[0])


# Above nameplate, below it, and by something else than the transformer.


def test_in_winter_a_site_may_let_its_transformers_carry_more_than_nameplate() -> None:
    loads = forecast(T1=900 * DAY, T2=460 * DAY)
    winter = air(loads, -5.0)
    refused = prove(loads, winter)
    assert "limit 100 % by the site" in render(refused.reasons[0])
    site = LIMITS.model_copy(update={"loading_limit_pct": 150.0})
    (case,) = plan(loads, winter, limits=site)
    best = next(found for found in case.plans if found.moves == (MOVE,))
    receiver = best.sides[1]
    assert receiver.peak_pct_p90_after > 110
    assert 110 < receiver.limit_pct < 150
    assert receiver.limit_by in ("hot_spot", "ageing")
    assert best.proof.margin_pct == pytest.approx(receiver.limit_pct - receiver.peak_pct_p90_after, abs=0.01)
    summer = prove(loads, air(loads, 40.0), limits=site)
    assert "of this day" in render(summer.reasons[0])


def test_overload_is_load_above_the_limit_of_the_day_also_below_nameplate() -> None:
    """At 95 % of nameplate in a hot kiosk: nothing over for the site, hours over for the heat."""
    day = 475 * DAY
    loads = forecast(T1=day, T2=np.full(24, 100.0))
    (cool,) = plan(loads, air(loads, 15.0))
    (hot,) = plan(loads, air(loads, 15.0, T1=50.0))
    assert (cool.do_nothing["hours_over_p50"], cool.do_nothing["limit_pct"]) == (0, pytest.approx(100))
    limit_kva = hot.do_nothing["limit_pct"] * 5
    over = np.maximum(day - limit_kva, 0)
    assert limit_kva < 475
    assert hot.do_nothing["hours_over_p50"] == (over > 0).sum() > 0
    assert hot.do_nothing["overload_kvah_p50"] == pytest.approx(over.sum())
    best = hot.plans[0]
    assert best.relieved_kvah == pytest.approx(over.sum())
    assert best.needed_from == START + pd.Timedelta(hours=int((over > 0).argmax()))
    assert best.sides[0].hours_over_before == (over > 0).sum()
    assert best.sides[0].hours_over_after == 0
    assert hot.other_measures == ()


def test_what_heat_leaves_over_is_named_with_a_size_that_would_bear_it() -> None:
    loads = forecast(T1=475 * DAY)
    (case,) = plan(loads, air(loads, 50.0), network=parse_network("T1(500) -b1- a"))
    assert render(case.other_measures[0]).startswith("100 % of the overload at p50")
    assert render(case.other_measures[-1]) == "reinforcement: 630 kVA in place of 500 kVA"


def test_a_device_in_series_binds_where_its_limit_is_known() -> None:
    loads = forecast(T1=300 + 260 * EVENING, T2=200 + 160 * EVENING)
    assert prove(loads, air(loads)).holds
    network = with_unit("T2", limit_kva=500.0)
    proof = prove(loads, air(loads), network=network)
    assert "T2 would reach 83.8 %" in render(proof.reasons[0])
    assert "limit 79.37 % by a device in series: 28 kVA too much" in render(proof.reasons[0])
    (case,) = plan(loads, air(loads), network=network)
    assert all(found.moves != (MOVE,) for found in case.plans)
    (case,) = plan(loads, air(loads), network=with_unit("T2", limit_kva=540.0))
    receiver = case.plans[0].sides[1]
    assert (receiver.limit_pct, receiver.limit_by) == (pytest.approx(100 * 540 / 630), "device")
    (case,) = plan(loads, air(loads), network=with_unit("T1", limit_kva=400.0))
    assert case.do_nothing["limit_pct"] == pytest.approx(80)


def test_search_goes_around_a_receiver_that_is_too_hot_for_its_nameplate() -> None:
    network = parse_network("T2(630) -b2- c /t1/ a:0.3 -b1- T1(500) ; a /t2/ d -b3- T3(500)")
    day = 560 * DAY
    loads = forecast(T1=day, T2=0.5 * day, T3=0.45 * day)
    one = RULES.model_copy(update={"plans_per_transformer": 1})
    (cool,) = plan(loads, air(loads), network=network, rules=one)
    (hot,) = plan(loads, air(loads, T2=63.0), network=network, rules=one)
    assert cool.plans[0].moves[0].to_transformer == "T2"
    assert hot.plans[0].moves[0].to_transformer == "T3"
    why = next(why for why in hot.why_not if why.moves and why.moves[0].to_transformer == "T2")
    assert "of this day" in render(why.reason)


def test_without_air_only_site_and_devices_bind_and_the_proof_says_so() -> None:
    loads = forecast(T1=np.full(24, 560.0), T2=np.full(24, 400.0))
    assert not prove(loads, air(loads, 45.0)).holds
    proof = prove(loads, air(loads, T2=np.nan))
    assert proof.holds
    assert "hot spot of T2" in rendered(proof.not_checked)


# Every state on the way, and the way back.

CHAIN = "T1(500) -b1- a:0.4 -s1- b:0.3 /t1/ c:0.6 -b2- T2(630) -b3- d:0.4 /t2/ e -b4- T3(800)"


def test_a_state_half_way_may_not_be_too_hot_either() -> None:
    network = parse_network(CHAIN)
    relief, room = Move("s1", "t1", ("b",), "T1", "T2"), Move("b3", "t2", ("d",), "T2", "T3")
    day = 0.5 + 0.5 * EVENING
    loads = forecast(T1=560 * day, T2=420 * day, T3=200 * day)
    hot = air(loads, T2=58.0)
    assert prove(loads, air(loads), relief, room, network=network).holds
    assert prove(loads, hot, room, relief, network=network).holds
    turned = prove(loads, hot, relief, room, network=network)
    assert not turned.holds
    assert render(turned.reasons[0]).startswith("after 1 of 2 moves T2 would reach")
    (case,) = plan(loads, hot, network=network)
    assert case.plans
    for found in case.plans:
        for count in range(1, len(found.moves) + 1):
            assert prove(loads, hot, *found.moves[:count], network=network).holds


def test_half_way_the_hot_spot_is_checked_at_its_own_limits() -> None:
    """Upgraded paper hardly ages here, so that the 140 degC at p90 are what a state half-way passes."""
    network = parse_network(CHAIN)
    network = replace(network, transformers=network.transformers.assign(paper="upgraded"))
    relief, room = Move("s1", "t1", ("b",), "T1", "T2"), Move("b3", "t2", ("d",), "T2", "T3")
    limits = LIMITS.model_copy(update={"high_hot_spot_p90_c": 100.0})
    day = 0.5 + 0.5 * EVENING
    loads = forecast(T1=560 * day, T2=420 * day, T3=200 * day)
    hot = air(loads, T2=48.0)
    assert prove(loads, hot, room, relief, network=network, limits=limits).holds
    turned = prove(loads, hot, relief, room, network=network, limits=limits)
    assert any(reason.startswith("after 1 of 2 moves hot spot of T2") for reason in rendered(turned.reasons))


@pytest.mark.parametrize(("ambient_c", "back"), [(50.0, True), (61.0, False)])
def test_the_way_back_is_not_open_while_it_would_overheat_somebody(ambient_c: float, back: bool) -> None:
    """T2 is heated by what it took, and what it took would export by now: alone it carries more."""
    network = with_unit("T2", paper="upgraded")
    loads = forecast(T1=np.r_[[560.0] * 6, -455.0], T2=np.r_[[344.0] * 6, 520.0])
    ambient = air(loads, T2=ambient_c)
    (case,) = plan(loads, ambient, network=network)
    best = next(found for found in case.plans if found.moves == (MOVE,))
    assert best.sides[1].hot_spot_c_before < 120
    assert best.switch_back_by == (START + pd.Timedelta(hours=6) if back else None)
    bench = make_bench(network, loads, ambient, limits=LIMITS, rules=RULES, tz="Asia/Amman")
    again, _ = refresh_plan(bench, best)
    assert again == best
