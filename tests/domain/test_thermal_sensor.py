"""A top-oil sensor sets the model right, and a bad one does not set it wrong."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gridlib.domain.thermal import ThermalSpec, correct_by_sensor, forecast_thermal, thermal_response
from gridlib.facts.units import QUANTILE_COLUMNS

UNIT = ThermalSpec(55, 23, 5, 180, 4, 0.8, 1.6, 1, 1, 2)
T0 = pd.Timestamp("2025-08-12T00:00Z")
TAIL = pd.date_range(end=T0 - pd.Timedelta(hours=1), periods=72, freq="h")
AHEAD = pd.date_range(T0, periods=24, freq="h")
LOAD = 300 + 150 * np.sin(2 * np.pi * np.arange(96) / 24)


def run(oil_c=None, ids=("a",), extra_k=0.0):
    """Heat of alike units; ``extra_k`` is what the model does not know of."""
    forecast = pd.concat(
        [
            pd.DataFrame({"transformer_id": name, "time": AHEAD} | dict.fromkeys(QUANTILE_COLUMNS, LOAD[72:]))
            for name in ids
        ],
        ignore_index=True,
    )
    rows = pd.DataFrame({"transformer_id": list(ids), "rating_kva": 500.0})
    air = pd.DataFrame(30.0 + extra_k, index=TAIL.append(AHEAD), columns=list(ids))
    history = pd.DataFrame(dict.fromkeys(ids, LOAD[:72]), index=TAIL)
    return forecast_thermal(forecast, rows, air, history, oil_c=oil_c)


def truth(extra_k: float) -> np.ndarray:
    """Top oil of the tail as a sensor would read it in air that is hotter by ``extra_k``."""
    air = np.full(72, 30.0 + extra_k)
    return thermal_response(LOAD[:72, None] / 500, air, UNIT, step_min=60).top_oil_c[:, 0]


def sensor(values, name="a") -> pd.DataFrame:
    return pd.DataFrame({name: values}, index=TAIL)


@pytest.mark.parametrize("extra_k", [-8.0, 0.0, 6.0, 25.0])
def test_heat_that_the_model_does_not_know_of_is_found_by_the_sensor(extra_k: float) -> None:
    """In truth the air around the unit is hotter or cooler: with the sensor the forecast is the true one."""
    right, right_state, _ = run(extra_k=extra_k)
    found, state, _ = run(sensor(truth(extra_k)))
    assert found["hot_spot_c"].to_numpy() == pytest.approx(right["hot_spot_c"].to_numpy(), abs=0.01)
    assert state.top_oil_c == pytest.approx(right_state.top_oil_c, abs=0.01)
    assert found["ambient_c"].to_numpy() == pytest.approx(30 + extra_k, abs=0.01)


def test_a_disturbance_of_the_last_hours_is_carried_over_and_fades() -> None:
    plain, *_ = run()
    values = truth(0.0)
    values[-3:] += 10.0
    found, state, _ = run(sensor(values))
    assert state.top_oil_c[0] == pytest.approx(values[-1])
    hotter = (found["top_oil_c"] - plain["top_oil_c"]).to_numpy()
    assert hotter[0] == pytest.approx(10 * np.exp(-60 / 180), abs=0.01)
    assert abs(hotter[-1]) < 0.01


def test_a_gap_at_the_end_is_bridged_by_the_model() -> None:
    values = truth(0.0) + np.where(np.arange(72) == 66, 9.0, 0.0)
    values[67:] = np.nan
    _, state, _ = run(sensor(values))
    _, plain, _ = run()
    assert state.top_oil_c - plain.top_oil_c == pytest.approx([9 * np.exp(-5 * 60 / 180)], abs=0.01)


@pytest.mark.parametrize(
    ("values", "code"),
    [
        (truth(-20.0), "oil_sensor_doubtful"),
        (np.full(72, 55.0), "oil_sensor_stuck"),
        (np.where(np.arange(72) < 40, truth(5.0), np.nan), "oil_sensor_silent"),
    ],
)
def test_a_sensor_that_cannot_be_believed_changes_nothing_and_is_a_finding(values, code: str) -> None:
    plain, plain_state, _ = run()
    found, state, findings = run(sensor(values))
    assert findings["code"].tolist() == [code]
    pd.testing.assert_frame_equal(found, plain)
    assert state.top_oil_c == plain_state.top_oil_c


def test_a_unit_far_hotter_than_the_model_is_believed_and_told() -> None:
    found, _, findings = run(sensor(truth(25.0)))
    assert findings["code"].tolist() == ["oil_sensor_hotter"]
    assert found["ambient_c"].iloc[0] == pytest.approx(55, abs=0.01)


def test_units_without_a_sensor_do_not_notice() -> None:
    found, *_ = run(sensor(truth(6.0), "b"), ids=("a", "b", "c"))
    plain, *_ = run(ids=("a", "b", "c"))
    others = found["transformer_id"] != "b"
    pd.testing.assert_frame_equal(found[others], plain[others])
    assert (found.loc[~others, "hot_spot_c"] > plain.loc[~others, "hot_spot_c"] + 5).all()


@settings(max_examples=25)
@given(st.floats(-14, 40), st.lists(st.integers(48, 71), min_size=6, max_size=20, unique=True))
def test_any_six_readings_of_a_day_find_the_offset(offset_k: float, read: list[int]) -> None:
    load, air = LOAD[:72, None] / 500, np.full(72, 30.0)
    model = thermal_response(load, air, UNIT, step_min=60).top_oil_c
    # The model starts in its own steady state; an error of the air grows on it from there.
    start = thermal_response(load[:1], air[:1], UNIT, step_min=60).final
    true = thermal_response(load, air + offset_k, UNIT, step_min=60, initial=start).top_oil_c
    measured = np.full((72, 1), np.nan)
    measured[read] = true[read]
    found = correct_by_sensor(measured, model, UNIT, step_min=60)
    assert found.offset_k == pytest.approx([offset_k], abs=1e-6)
    assert found.top_oil_c == pytest.approx(true[-1], abs=1e-6)
