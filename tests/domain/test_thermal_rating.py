"""What a transformer may carry on a day: limits that bind, limiting cases, and a brute-force search."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gridlib.domain.thermal import (
    ThermalSpec,
    ThermalState,
    ageing_rate_pu,
    day_limit,
    forecast_day_limits,
    forecast_thermal,
    thermal_response,
)
from gridlib.facts.frames import DayLimitFrame, check_frame
from gridlib.facts.types import Limits
from gridlib.facts.units import QUANTILE_COLUMNS

UNIT = ThermalSpec(55, 23, 5, 180, 4, 0.8, 1.6, 1, 1, 2)
FREE = Limits(loading_limit_pct=200)
EVENING = 0.4 + 0.6 * np.exp(-((np.arange(24) - 20) ** 2) / 8)
T0 = pd.Timestamp("2025-08-12T00:00Z")


def limit_of(shape, air, *, limits=FREE, paper="normal", initial=None):
    load = np.asarray(shape, dtype=float)[:, None]
    return day_limit(load, air, UNIT, step_min=60, limits=limits, paper=paper, initial=initial)


@pytest.mark.parametrize(("paper", "settled_c"), [("normal", 98), ("upgraded", 110)])
@pytest.mark.parametrize("ambient_c", [10.0, 20.0, 35.0])
def test_a_flat_day_ends_where_its_paper_ages_a_day(ambient_c: float, paper: str, settled_c: float) -> None:
    found = limit_of(np.ones(24), np.full(24, ambient_c), paper=paper)
    run = thermal_response(np.full((24, 1), found.rating_pu[0]), np.full(24, ambient_c), UNIT, step_min=60)
    assert run.hot_spot_c.max() == pytest.approx(settled_c, abs=0.05)
    assert found.limit_by.tolist() == ["ageing"]


def test_a_short_evening_peak_ends_at_120_degc_and_above_nameplate() -> None:
    found = limit_of(EVENING**4, np.full(24, 30.0))
    run = thermal_response((EVENING**4 * found.rating_pu[0])[:, None], np.full(24, 30.0), UNIT, step_min=60)
    assert found.limit_by.tolist() == ["hot_spot"]
    assert run.hot_spot_c.max() == pytest.approx(120, abs=0.05)
    assert 1.1 < found.rating_pu[0] < 1.5


def test_a_cold_day_is_capped_by_the_current_and_a_site_by_its_own_limit() -> None:
    found = limit_of(EVENING**4, np.full(24, -20.0))
    assert (found.rating_pu[0], found.limit_by[0]) == (1.5, "current")
    found = limit_of(EVENING**4, np.full(24, -20.0), limits=Limits())
    assert (found.rating_pu[0], found.limit_pu[0], found.limit_by[0]) == (1.5, 1.0, "site")


def test_a_hot_kiosk_is_limited_below_its_nameplate() -> None:
    found = limit_of(EVENING, np.full(24, 58.0), limits=Limits())
    assert found.limit_by[0] in ("hot_spot", "ageing")
    assert found.limit_pu[0] == found.rating_pu[0] < 0.95


def test_a_unit_that_is_too_hot_already_may_carry_nothing() -> None:
    hot = ThermalState(np.array([220.0]), np.array([23.0]), np.array([0.0]))
    found = limit_of(EVENING, np.full(24, 30.0), initial=hot)
    assert (found.limit_pu[0], found.limit_by[0]) == (0.0, "hot_spot")


def test_a_day_without_load_is_taken_as_flat() -> None:
    idle = limit_of(np.zeros(24), np.full(24, 30.0))
    assert idle.rating_pu == limit_of(np.ones(24), np.full(24, 30.0)).rating_pu


def test_export_has_the_limit_of_import() -> None:
    there, back = (limit_of(sign * EVENING, np.full(24, 30.0)) for sign in (1, -1))
    assert there.rating_pu == back.rating_pu


@settings(max_examples=25)
@given(st.integers(0, 2**32 - 1))
def test_the_rating_holds_and_a_little_more_does_not(seed: int) -> None:
    rng = np.random.default_rng(seed)
    load, air = rng.uniform(0.1, 1, (24, 4)), rng.uniform(0, 50, (24, 4))
    found = day_limit(load, air, UNIT, step_min=60, limits=FREE)

    def holds(peak_pu):
        run = thermal_response(load / load.max(axis=0) * peak_pu, air, UNIT, step_min=60)
        cool = run.hot_spot_c.max(axis=0) <= FREE.planned_hot_spot_c
        return cool & (ageing_rate_pu(run.hot_spot_c).mean(axis=0) <= 1)

    assert holds(found.rating_pu).all()
    assert not (holds(found.rating_pu + 0.001) & (found.limit_by != "current")).any()


@settings(max_examples=20)
@given(st.integers(0, 2**32 - 1), st.floats(0.1, 15))
def test_hotter_air_never_allows_more(seed: int, warmer_k: float) -> None:
    rng = np.random.default_rng(seed)
    load, air = rng.uniform(0.1, 1, (24, 3)), rng.uniform(0, 45, (24, 3))
    cool, warm = (day_limit(load, air + k, UNIT, step_min=60, limits=FREE).rating_pu for k in (0, warmer_k))
    assert (warm <= cool).all()


def test_the_fleet_at_once_equals_one_by_one() -> None:
    rng = np.random.default_rng(1)
    load, air = rng.uniform(0, 1.2, (24, 5)), rng.uniform(10, 45, (24, 5))
    together = day_limit(load, air, UNIT, step_min=60, limits=FREE)
    for i in range(5):
        alone = day_limit(load[:, [i]], air[:, [i]], UNIT, step_min=60, limits=FREE)
        assert (alone.rating_pu[0], alone.limit_by[0]) == (together.rating_pu[i], together.limit_by[i])


def test_each_day_of_the_horizon_starts_from_the_heat_before_it() -> None:
    """An overload on the first evening leaves less for the second day than the second day has alone."""
    hours = 72
    loads = np.concatenate([np.r_[np.full(12, 100.0), np.full(12, 700.0)], np.full(48, 400.0)])
    forecast = pd.DataFrame(
        {"transformer_id": "a", "time": pd.date_range(T0, periods=hours, freq="h")}
        | dict.fromkeys(QUANTILE_COLUMNS, loads)
    )
    rows = pd.DataFrame({"transformer_id": ["a"], "rating_kva": [500.0]})
    air = pd.DataFrame(30.0, index=pd.date_range(T0, periods=hours, freq="h"), columns=["a"])
    thermal, state, _ = forecast_thermal(forecast, rows, air, air.iloc[:0])
    days = forecast_day_limits(forecast, rows, thermal, state, limits=FREE)
    check_frame(DayLimitFrame, days)
    assert days["time"].tolist() == [T0 + pd.Timedelta(days=d) for d in range(3)]
    second, third = days["cyclic_rating_kva"].iloc[1:]
    assert second < third - 5
