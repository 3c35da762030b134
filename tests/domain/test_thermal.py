"""The thermal model against published numbers and its limiting cases."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gridlib.domain.thermal import (
    ThermalSpec,
    ageing_rate_pu,
    ambient_at_transformers,
    forecast_day_limits,
    forecast_thermal,
    loss_of_life_d,
    thermal_response,
    thermal_spec,
)
from gridlib.facts.errors import InputError
from gridlib.facts.frames import DayLimitFrame, FindingFrame, ThermalFrame, check_frame
from gridlib.facts.types import Limits
from gridlib.facts.units import QUANTILE_COLUMNS

UNIT = ThermalSpec(55, 23, 5, 180, 4, 0.8, 1.6, 1, 1, 2)
REFERENCE = Path(__file__).parents[3] / "shared" / "data" / "reference" / "thermal"
T0 = pd.Timestamp("2025-08-12T00:00Z")

# IEC 60076-7 worked example: load K held until a minute -> top oil and hot spot at that minute [degC]
EXAMPLE = (
    (190, 1.0, 61.9, 83.8),
    (365, 0.6, 44.4, 54.0),
    (500, 1.5, 89.2, 127.0),
    (705, 0.3, 35.0, 37.54),
    (730, 2.1, 67.9, 138.6),
    (745, 0.0, 60.3, 75.3),
)


def forecast_frame(loads: dict[str, list[float]], spread: float = 0.0) -> pd.DataFrame:
    hours = len(next(iter(loads.values())))
    frame = pd.DataFrame(
        {
            "transformer_id": np.repeat(list(loads), hours),
            "time": list(pd.date_range(T0, periods=hours, freq="h")) * len(loads),
        }
    )
    median = np.concatenate([np.asarray(load, dtype=float) for load in loads.values()])
    for i, column in enumerate(QUANTILE_COLUMNS):
        frame[column] = median + spread * (i - 5)
    return frame


def fleet(**columns: list[object]) -> pd.DataFrame:
    return pd.DataFrame(columns)


def wide(value: object, ids: list[str], hours: int, start: pd.Timestamp) -> pd.DataFrame:
    return pd.DataFrame(value, index=pd.date_range(start, periods=hours, freq="h"), columns=ids, dtype=float)


@pytest.mark.parametrize(
    ("hot_spot_c", "rate"),
    zip(range(80, 141, 6), [0.125, 0.25, 0.5, 1, 2, 4, 8, 16, 32, 64, 128], strict=True),
)
def test_normal_paper_ages_twice_as_fast_every_6_k(hot_spot_c: float, rate: float) -> None:
    assert ageing_rate_pu(hot_spot_c) == rate


def test_upgraded_paper_ages_as_published() -> None:
    assert ageing_rate_pu([98, 110, 140], "upgraded") == pytest.approx([0.28174, 1.0, 17.19946], abs=5e-6)


def test_ageing_takes_the_paper_of_each_unit() -> None:
    assert ageing_rate_pu([[110.0, 110.0]], np.array(["normal", "upgraded"])).tolist() == [[4.0, 1.0]]


def test_ageing_table_of_the_reference() -> None:
    path = REFERENCE / "ageing_rate_table.csv"
    if not path.is_file():
        pytest.skip("reference tables are not in this clone")
    table = pd.read_csv(path)
    assert ageing_rate_pu(table.hot_spot_c) == pytest.approx(table.V_iec_non_upgraded_98C_base, abs=5e-6)
    upgraded = ageing_rate_pu(table.hot_spot_c, "upgraded")
    assert upgraded == pytest.approx(table.V_iec_upgraded_110C_base_arrhenius, abs=5e-6)


def test_a_day_at_98_degc_uses_a_day_of_life() -> None:
    assert loss_of_life_d(np.full((96, 2), 98.0), step_min=15).tolist() == [1.0, 1.0]


@pytest.mark.parametrize("step_min", [1, 5])
def test_worked_example_of_the_standard(step_min: int) -> None:
    spec = ThermalSpec(38.3, 20.3, 1000, 150, 7, 0.8, 1.3, 0.5, 2, 2)
    ends = [end for end, *_ in EXAMPLE]
    load = np.repeat([k for _, k, *_ in EXAMPLE], np.diff([0, *ends]) // step_min)[:, None]
    cold = thermal_response(np.zeros((1, 1)), np.array([25.6]), spec, step_min=step_min).final
    start = cold._replace(top_oil_c=np.array([38.3]))
    run = thermal_response(load, np.full(len(load), 25.6), spec, step_min=step_min, initial=start)
    at = [end // step_min - 1 for end in ends]
    assert run.top_oil_c[at, 0] == pytest.approx([row[2] for row in EXAMPLE], abs=1.5)
    assert run.hot_spot_c[at, 0] == pytest.approx([row[3] for row in EXAMPLE], abs=1.5)


def test_inline_example_is_the_reference() -> None:
    if not REFERENCE.is_dir():
        pytest.skip("reference tables are not in this clone")
    expected = pd.read_csv(REFERENCE / "iec60076_7_example_expected.csv")
    steps = pd.read_csv(REFERENCE / "iec60076_7_example_load_steps.csv")
    assert [(e, t, h) for e, _, t, h in EXAMPLE] == list(expected.itertuples(index=False, name=None))
    assert [(e, k) for e, k, *_ in EXAMPLE] == list(zip(steps.end_min, steps.load_factor_K, strict=True))
    assert json.loads((REFERENCE / "iec60076_7_example_parameters.json").read_text())["ambient_c"] == 25.6


def test_rated_load_settles_at_75_and_98_degc_from_cold() -> None:
    cold = thermal_response([[0.0]], [20.0], UNIT, step_min=60).final
    run = thermal_response(np.ones((48, 1)), np.full(48, 20.0), UNIT, step_min=60, initial=cold)
    assert run.top_oil_c[0, 0] < 60
    assert run.top_oil_c[-1, 0] == pytest.approx(75, abs=0.01)
    assert run.hot_spot_c[-1, 0] == pytest.approx(98, abs=0.01)


@pytest.mark.parametrize(
    ("ambient_c", "load"), [(20, 1.188), (30, 1.105), (40, 1.018), (45, 0.972), (50, 0.925)]
)
def test_steady_load_that_reaches_120_degc(ambient_c: float, load: float) -> None:
    run = thermal_response([[load]], [ambient_c], UNIT, step_min=60)
    assert run.hot_spot_c[0, 0] == pytest.approx(120, abs=0.1)


@pytest.mark.parametrize("step_min", [15, 60])
def test_any_step_is_stable_and_gives_the_same_hours(step_min: int) -> None:
    def hourly(step: int) -> np.ndarray:
        load = np.repeat([0.2, 1.4, 0.1, 1.4, 0.2, 0.2], 60 // step)[:, None]
        run = thermal_response(load, np.full(len(load), 35.0), UNIT, step_min=step)
        return run.hot_spot_c[60 // step - 1 :: 60 // step, 0]

    assert hourly(step_min) == pytest.approx(hourly(1), rel=1e-9)


def test_export_heats_as_import_does() -> None:
    load = np.array([[0.9], [1.1], [0.4]])
    there = thermal_response(load, [30.0] * 3, UNIT, step_min=60).hot_spot_c
    assert np.array_equal(thermal_response(-load, [30.0] * 3, UNIT, step_min=60).hot_spot_c, there)


@settings(max_examples=25)
@given(st.integers(0, 2**32 - 1), st.sampled_from([15.0, 60.0]))
def test_the_fleet_at_once_equals_one_by_one(seed: int, step_min: float) -> None:
    rng = np.random.default_rng(seed)
    load, air = rng.uniform(-0.5, 1.6, (12, 3)), rng.uniform(0, 45, (12, 3))
    rows = fleet(cooling=["ONAN", "ONAF", None], rating_kva=[500.0, 9000.0, 9000.0])
    together = thermal_response(load, air, thermal_spec(rows), step_min=step_min).hot_spot_c
    for i in range(3):
        alone = thermal_response(load[:, [i]], air[:, i], thermal_spec(rows.iloc[[i]]), step_min=step_min)
        assert np.array_equal(alone.hot_spot_c[:, 0], together[:, i])


@settings(max_examples=25)
@given(st.integers(0, 2**32 - 1), st.floats(0, 1))
def test_more_load_is_never_cooler_oil(seed: int, more: float) -> None:
    rng = np.random.default_rng(seed)
    load = rng.uniform(0, 1.5, (24, 1))
    air = rng.uniform(0, 45, 24)
    base = thermal_response(load, air, UNIT, step_min=60)
    raised = thermal_response(load + more, air, UNIT, step_min=60)
    assert (raised.top_oil_c >= base.top_oil_c).all()
    assert (raised.hot_spot_c >= base.hot_spot_c).all()


def test_constants_follow_cooling_and_size() -> None:
    spec = thermal_spec(fleet(cooling=["ONAN", None, "onaf", "ONAN"], rating_kva=[500.0, None, 500.0, 25e3]))
    assert np.asarray(spec.tau_o_min).tolist() == [180, 180, 150, 210]
    assert np.asarray(thermal_spec(fleet(rating_kva=[500.0])).d_or_k).tolist() == [55]


def test_arrays_that_do_not_fit_are_refused() -> None:
    with pytest.raises(InputError, match="expected load"):
        thermal_response([[1.0], [1.0]], [20.0], UNIT, step_min=60)


def test_enclosure_adds_its_surcharge() -> None:
    rows = fleet(transformer_id=list("abcd"), enclosure=["outdoor", "indoor", "kiosk", None])
    air = ambient_at_transformers(pd.Series([30.0], index=[T0]), rows, kiosk_surcharge_k=15)
    assert air.loc[T0].to_dict() == {"a": 30, "b": 40, "c": 45, "d": 30}


def test_the_state_is_carried_over_from_measured_load() -> None:
    forecast = forecast_frame({"hot": [100.0] * 6, "cool": [100.0] * 6})
    rows = fleet(transformer_id=["hot", "cool"], rating_kva=[500.0, 500.0])
    tail = wide([[550.0, 100.0]] * 72, ["hot", "cool"], 72, T0 - pd.Timedelta(hours=72))
    air = wide(30.0, ["hot", "cool"], 78, T0 - pd.Timedelta(hours=72))
    frame, initial, findings = forecast_thermal(forecast, rows, air, tail)
    check_frame(ThermalFrame, frame)
    check_frame(FindingFrame, findings)
    assert len(findings) == 0
    assert initial.top_oil_c[0] > initial.top_oil_c[1] + 30
    after = frame.groupby("transformer_id", sort=False).hot_spot_c
    assert after.first()["hot"] > after.first()["cool"] + 20
    assert after.last()["hot"] < after.first()["hot"] - 20


def test_p90_trajectory_is_hotter_and_sees_export() -> None:
    forecast = forecast_frame({"import": [400.0] * 3, "export": [-400.0] * 3}, spread=20)
    rows = fleet(transformer_id=["import", "export"], rating_kva=[500.0, 500.0])
    ids = ["import", "export"]
    frame, _, findings = forecast_thermal(forecast, rows, wide(30, ids, 3, T0), wide([], ids, 0, T0))
    assert (frame.hot_spot_c_p90 > frame.hot_spot_c + 1).all()
    halves = frame.groupby("transformer_id").hot_spot_c_p90
    assert np.array_equal(halves.get_group("import"), halves.get_group("export"))
    assert findings.code.tolist() == ["no_recent_load", "no_recent_load"]


def test_without_readings_the_start_is_the_steady_state_of_the_first_hour() -> None:
    forecast = forecast_frame({"a": [500.0, 500.0]})
    rows = fleet(transformer_id=["a"], rating_kva=[500.0])
    frame, initial, _ = forecast_thermal(forecast, rows, wide(20, ["a"], 2, T0), wide([], ["a"], 0, T0))
    assert initial.top_oil_c == pytest.approx([75])
    assert frame.hot_spot_c.to_numpy() == pytest.approx([98, 98])
    assert frame.ageing_pu.to_numpy() == pytest.approx([1, 1])


def test_a_bad_transformer_is_a_finding_and_the_others_do_not_notice() -> None:
    ids = ["a", "unrated", "zero", "stranger", "gappy", "airless", "b"]
    loads = {name: [100.0 + 10 * i] * 4 for i, name in enumerate(ids)}
    loads["gappy"][2] = np.nan
    rows = fleet(
        transformer_id=["b", "a", "unrated", "zero", "gappy", "airless"],
        rating_kva=[250.0, 500.0, np.nan, 0.0, 500.0, 500.0],
    )
    start = T0 - pd.Timedelta(hours=72)
    tail = wide(np.linspace(50, 300, 72)[:, None].repeat(7, axis=1), ids, 72, start)
    tail.iloc[5:9] = np.nan
    air = wide(35.0, ids, 76, start).drop(columns="airless")
    frame, initial, findings = forecast_thermal(forecast_frame(loads), rows, air, tail)
    assert frame.transformer_id.unique().tolist() == ["a", "b"]
    assert dict(zip(findings.object_id, findings.code, strict=True)) == {
        "unrated": "no_rating",
        "zero": "no_rating",
        "stranger": "no_rating",
        "gappy": "no_forecast",
        "airless": "no_ambient",
    }
    assert np.isnan(initial.top_oil_c).tolist() == [False, True, True, True, True, True, False]
    alone, *_ = forecast_thermal(forecast_frame({"a": loads["a"], "b": loads["b"]}), rows, air, tail)
    pd.testing.assert_frame_equal(frame, alone, check_exact=True)


def test_nothing_given_is_changed() -> None:
    forecast, rows = forecast_frame({"a": [500.0, 400.0]}), fleet(transformer_id=["a"], rating_kva=[500.0])
    air, tail = wide(20, ["a"], 2, T0), wide([[np.nan], [3.0]], ["a"], 2, T0 - pd.Timedelta(hours=2))
    before = [item.copy() for item in (forecast, rows, air, tail)]
    forecast_thermal(forecast, rows, air, tail)
    for was, item in zip(before, (forecast, rows, air, tail), strict=True):
        pd.testing.assert_frame_equal(was, item)


def test_cooling_that_nobody_knows_is_a_finding_and_counts_as_onan() -> None:
    ids = ["known", "odd", "blank"]
    rows = fleet(transformer_id=ids, rating_kva=[500.0] * 3, cooling=["onan", "OFWF", None])
    forecast = forecast_frame({name: [400.0] * 3 for name in ids})
    frame, _, findings = forecast_thermal(forecast, rows, wide(30, ids, 3, T0), wide([], ids, 0, T0))
    odd = findings[findings["code"] == "unknown_cooling"]
    assert odd["object_id"].tolist() == ["odd"]
    assert frame.groupby("transformer_id")["hot_spot_c"].max().nunique() == 1


def test_air_missing_for_everyone_leaves_an_empty_frame_and_a_finding_each() -> None:
    forecast, rows = forecast_frame({"a": [400.0] * 3}), fleet(transformer_id=["a"], rating_kva=[500.0])
    blank = wide(np.nan, ["a"], 3, T0)
    frame, state, findings = forecast_thermal(forecast, rows, blank, wide([], ["a"], 0, T0))
    assert frame.empty
    assert findings["code"].tolist() == ["no_ambient"]
    days = forecast_day_limits(forecast, rows, frame, state, limits=Limits())
    assert check_frame(DayLimitFrame, days).empty
