"""The chance that a plan holds: arithmetic on a few paths, and the laws of it."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gridlib.domain.network import parse_network
from gridlib.domain.planning import describe_chances, make_bench, plan_transfers, refresh_plan
from gridlib.domain.planning.chance import Chances, chances_of
from gridlib.domain.planning.fleet import Fleet, build_fleet
from gridlib.domain.planning.scenarios import Scenarios
from gridlib.facts.forecasts import JointPaths
from gridlib.facts.messages import render
from gridlib.facts.types import Limits, Move, Network, PlanningRules
from gridlib.facts.units import QUANTILE_COLUMNS, QUANTILE_LEVELS

NETWORK = parse_network(
    "T1(500) -b1- a:0.5 -s1- b:0.5 /t1/ c:1 -b2- T2(400) -b3- d:0 /t2/ e:0.5 -b4- T3(400)"
)
MOVE = Move("s1", "t1", ("b",), "T1", "T2")
START = pd.Timestamp("2026-08-12 12:00", tz="UTC")
LIMITS = Limits()
BARE = PlanningRules(derating_pct=0)
HOURS = 3


def forecast(**kva: float) -> pd.DataFrame:
    times = pd.date_range(START, periods=HOURS, freq="h")
    frame = pd.DataFrame({"transformer_id": np.repeat(list(kva), HOURS), "time": np.tile(times, len(kva))})
    for level, column in zip(QUANTILE_LEVELS, QUANTILE_COLUMNS, strict=True):
        frame[column] = np.repeat(list(kva.values()), HOURS) + 10 * (level - 0.5) / 0.4
    return frame


def paths(same_day: bool = True, **errors_kva: list[float]) -> JointPaths:
    """One constant error for each transformer and day; whole kVA, in steps of one."""
    steps = np.array(list(errors_kva.values()), dtype=np.int8)
    n, j = steps.shape
    days = pd.date_range(START - pd.Timedelta(days=j + 3), periods=j, freq="D")
    steps = np.repeat(steps[:, :, None], HOURS, axis=2)
    names = np.array(list(errors_kva), dtype=object)
    times = pd.date_range(START, periods=HOURS, freq="h")
    return JointPaths(names, times, days, np.ones(n), steps, np.full((n, j), same_day))


def chances(
    known: JointPaths | None,
    network: Network = NETWORK,
    *,
    others: tuple[Move, ...] = (),
    limits: Limits = LIMITS,
    rules: PlanningRules = BARE,
    **kva: float,
) -> Chances:
    fleet = build_fleet(network, forecast(**({"T1": 520, "T2": 100, "T3": 100} | kva)), "UTC", limits)
    return chances_of(Scenarios(fleet, known), (MOVE,), others, site_limits(fleet), rules)


def site_limits(fleet: Fleet) -> dict[int, tuple[np.ndarray, np.ndarray]]:
    """What each transformer may carry, before and after, where heat does not bind."""
    return {unit: (limit, limit) for unit, limit in enumerate(fleet.limit_kva.T)}


def with_ratings(**kva: float) -> Network:
    table = NETWORK.transformers.set_index("transformer_id")
    table.loc[list(kva), "rating_kva"] = list(kva.values())
    return replace(NETWORK, transformers=table.reset_index())


def test_errors_that_come_together_break_a_limit_that_opposite_errors_keep() -> None:
    # T2 will carry 100 + 520 / 2 = 360 of 400 kVA, and e2 + e1 / 2: 45 more than that only where both are up.
    up, down = [30, -30, 30, -30], [-30, 30, -30, 30]
    together = chances(paths(T1=up, T2=up))
    opposite = chances(paths(T1=up, T2=down))
    assert (together.p_holds, together.p_clear_after) == (0.5, 0.5)
    assert (opposite.p_holds, opposite.p_clear_after) == (1.0, 1.0)
    assert together.p_clear_before == opposite.p_clear_before == 0.5  # T1 at 550 or 490 of 500 kVA


def test_an_overload_that_shrinks_holds_but_is_not_clear() -> None:
    still_over = chances(paths(T1=[0, 120], T2=[0, 0]), T1=900, T2=-120)
    assert still_over.p_holds == 1.0
    assert still_over.p_clear_before == 0.0
    assert still_over.p_clear_after == 0.5  # 450 and 510 of 500 kVA


def test_with_endless_headroom_a_plan_surely_holds_and_with_none_it_surely_does_not() -> None:
    errors = paths(T1=[-40, 0, 40], T2=[10, -20, 30])
    assert chances(errors, with_ratings(T1=1e9, T2=1e9)) == Chances(1.0, 1.0, 1.0)
    none = chances(errors, with_ratings(T2=60))
    assert (none.p_holds, none.p_clear_after) == (0.0, 0.0)


def test_export_has_a_limit_too() -> None:
    assert chances(paths(T1=[0, 20], T2=[0, 0]), T1=-620, T2=-95).p_holds == 0.5  # -405 and -395 of 400 kVA


ERRORS = st.lists(st.tuples(st.integers(-120, 120), st.integers(-120, 120)), min_size=1, max_size=12)


@settings(max_examples=40)
@given(ERRORS, st.integers(40, 160), st.integers(0, 60), st.randoms(use_true_random=False))
def test_no_chance_rises_when_a_limit_falls_and_the_order_of_days_does_not_matter(
    errors, limit_pct, lower_by, random
) -> None:
    network = replace(NETWORK, sections=NETWORK.sections.assign(spread_pct=20.0))
    known = paths(T1=[a for a, _ in errors], T2=[b for _, b in errors])
    high = chances(known, network, limits=Limits(loading_limit_pct=limit_pct))
    low = chances(known, network, limits=Limits(loading_limit_pct=max(limit_pct - lower_by, 1)))
    assert all(0 <= p <= 1 for p in high[:3])
    assert all(a <= b + 1e-12 for a, b in zip(low[:3], high[:3], strict=True))
    random.shuffle(errors)
    mixed = paths(T1=[a for a, _ in errors], T2=[b for _, b in errors])
    again = chances(mixed, network, limits=Limits(loading_limit_pct=limit_pct))
    assert again[:3] == pytest.approx(high[:3])


def test_the_range_of_a_moved_section_counts_at_both_ends() -> None:
    # b is 260 kVA +- 20 %: T2 will carry 308, 360 or 412 of 400 kVA, and T1 is left with 312, 260 or 208.
    network = replace(NETWORK, sections=NETWORK.sections.assign(spread_pct=20.0))
    assert chances(paths(T1=[0], T2=[0]), network).p_holds == pytest.approx(0.7)


def test_limits_of_single_hours_count_before_and_after() -> None:
    """T2 will carry 360 kVA; after the plan it may carry 350 in the last hour, before it 90 of its 100."""
    fleet = build_fleet(NETWORK, forecast(T1=520, T2=100, T3=100), "UTC", LIMITS)
    may_carry = site_limits(fleet)
    known = Scenarios(fleet, paths(T1=[0], T2=[0]))
    assert chances_of(known, (MOVE,), (), may_carry, BARE)[:3] == (1.0, 0.0, 1.0)
    wide = np.full(HOURS, 600.0)
    unit = fleet.position("T2")
    may_carry |= {fleet.position("T1"): (wide, wide), unit: (wide, np.array([400.0, 400.0, 350.0]))}
    assert chances_of(known, (MOVE,), (), may_carry, BARE)[:3] == (0.0, 1.0, 0.0)
    may_carry |= {unit: (np.array([400.0, 90.0, 400.0]), wide)}
    assert chances_of(known, (MOVE,), (), may_carry, BARE)[:3] == (1.0, 0.0, 1.0)


def test_the_limit_of_a_switch_counts_too() -> None:
    limit = NETWORK.switches["switch_id"].eq("t1").map({True: 265.0, False: np.nan})
    network = replace(NETWORK, switches=NETWORK.switches.assign(limit_kva=limit))
    found = chances(paths(T1=[0, 20, -20, 4], T2=[0, 0, 0, 0]), network)  # half of 520, 540, 500, 524 kVA
    assert found.p_holds == 0.75


def test_the_head_of_a_feeder_counts_where_sections_change_between_feeders() -> None:
    feeders = pd.DataFrame(
        {"feeder_id": ["F1", "F2"], "substation_id": "S", "voltage_kv": 1.0, "limit_a": [np.nan, 270.0]}
    )
    units = NETWORK.transformers.assign(feeder_id=["F1", "F2", "F2"], substation_id="S")
    two = replace(NETWORK, feeders=feeders, transformers=units)
    # F2 carries T2 and T3, 100 + 100 kVA, and 260 more with the plan; it may carry 467.7.
    known = paths(T1=[0, 0, 0, 0], T2=[0, 5, 20, -20], T3=[0, 5, -20, 30])
    assert chances(known, two).p_holds == 0.5
    assert chances(known, replace(two, transformers=units.assign(feeder_id="F2"))).p_holds == 1.0
    # The head counts no more where a load on it is not known.
    assert chances(paths(T1=[0, 0], T2=[5, 5]), two).p_holds == 1.0


def test_headroom_promised_to_another_plan_is_not_there() -> None:
    other = Move("b4", "t2", ("e",), "T3", "T2")  # half of T3 comes to T2 as well
    known = paths(T1=[0, 0], T2=[0, 0], T3=[0, -40])
    assert chances(known).p_holds == 1.0
    assert chances(known, others=(other,)).p_holds == 0.5  # 360 + 50 or 30 of 400 kVA


def test_a_section_that_hangs_elsewhere_follows_its_own_transformer() -> None:
    rows = [("s1", START, "OPEN", "OK", "", "manual"), ("t1", START, "CLOSED", "OK", "", "manual")]
    switched = replace(NETWORK, states=pd.DataFrame(rows, columns=NETWORK.states.columns))
    back = Move("t1", "s1", ("b",), "T2", "T1")
    fleet = build_fleet(switched, forecast(T1=300, T2=200, T3=100), "UTC", Limits(loading_limit_pct=90))
    known = paths(T1=[0, 100], T2=[0, 0], T3=[0, 0])
    present = Scenarios(fleet, known).present_kva(fleet.position("T2"))
    np.testing.assert_allclose(present[:, 0], [200 + 150, 200 + 200])
    found = chances_of(Scenarios(fleet, known), (back,), (), site_limits(fleet), BARE)
    assert (found.p_clear_before, found.p_clear_after) == (0.5, 1.0)  # T2: 350 and 400 of 360 kVA


def test_what_the_paths_do_not_tell_is_not_known() -> None:
    assert chances(None) == Chances()
    assert chances(paths(T1=[0, 0])) == Chances()
    known = paths(T1=[0], T2=[0])
    assert chances(replace(known, times=known.times + pd.Timedelta(hours=1))) == Chances()
    alone = chances(paths(same_day=False, T1=[0], T2=[0]))
    assert (alone.p_holds, alone.as_if_independent) == (1.0, ("T1", "T2"))


def test_plans_carry_their_chances_and_keep_them_when_refreshed() -> None:
    loads = forecast(T1=560, T2=80, T3=100)
    air = pd.DataFrame(30.0, index=loads["time"].unique(), columns=["T1", "T2", "T3"])
    risk = pd.DataFrame(
        {"transformer_id": ["T1"], "risk_score": [0.9], "risk_level": ["HIGH"], "imminent": [False]}
    )
    # b comes back at its usual load, or T2 could not pick it up.
    given_ = {"limits": LIMITS, "rules": PlanningRules(cold_load_factor=1)}
    known = paths(T1=[-80, 0, 0, 30], T2=[0, 0, 0, 20], T3=[0, 0, 0, 0])
    (case,) = plan_transfers(NETWORK, loads, risk, air, paths=known, **given_)
    (blind,) = plan_transfers(NETWORK, loads, risk, air, **given_)
    plan = case.plans[0]
    assert plan.moves == (MOVE,)
    # Derated by 5 %: T2 carries up to 378 kVA, on the last day 415; T1 504 or more before.
    assert (plan.p_holds, plan.p_clear_before, plan.p_clear_after) == (0.75, 0.0, 0.75)
    assert "75 %" in render(describe_chances(plan))
    again, _ = refresh_plan(make_bench(NETWORK, loads, air, paths=known, **given_), plan)
    assert again == plan
    unknown = blind.plans[0]
    assert unknown == replace(plan, p_holds=None, p_clear_before=None, p_clear_after=None)
    assert "not known" in render(describe_chances(unknown))
