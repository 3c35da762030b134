"""The back-test: nothing is seen too early; numbers are those of the definitions and of another judge."""

import importlib.util
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gridlib.domain.backtest import METHODS, backtest_load, methods_named
from gridlib.domain.backtest.scores import p_beyond
from gridlib.domain.backtest.visible import MEASURED_AS_FORECAST, origin_places
from gridlib.domain.calendar import calendar_for
from gridlib.facts.errors import InputError
from gridlib.facts.forecasts import Forecast
from gridlib.facts.units import QUANTILE_COLUMNS

JUDGE = Path(__file__).parents[3] / "shared" / "bench" / "forecast_judge.py"
AMMAN = calendar_for("JO", "Asia/Amman")
HOUR = pd.Timedelta(hours=1)


def fleet(days=21, n=3, seed=0):
    """Evening peak and noise."""
    times = pd.date_range("2026-01-01", periods=24 * days, freq="h", tz="UTC")
    hour = times.tz_convert("Asia/Amman").hour.to_numpy()
    shape = 100 + 40 * np.exp(-(((hour - 19) / 2.0) ** 2))
    noise = np.random.default_rng(seed).normal(0, 5, (len(times), n))
    sizes = np.linspace(1, 2, n)
    columns = [f"T-{i + 1:02d}" for i in range(n)]
    return pd.DataFrame(shape[:, None] * sizes + noise, index=times, columns=columns)


def say(values, p_any=None, *, spread=0.0, horizon_h=72):
    """Build a forecast from a wide frame of values, with quantiles ``spread`` apart."""
    long = values.rename_axis(index="time", columns="transformer_id").T.stack().rename("load_kva_mean")
    frame = long.reset_index()
    for i, column in enumerate(QUANTILE_COLUMNS):
        frame[column] = frame["load_kva_mean"] + spread * (i - 5)
    windows = pd.DataFrame({"transformer_id": values.columns, "from_h": 24, "to_h": horizon_h})
    windows["p_any_overload"] = np.nan if p_any is None else p_any
    return Forecast(frame, windows, pd.DataFrame())


def oracle(truth):
    """Make a method that knows the future."""

    def method(history, *, horizon_h, **_):
        ahead = pd.date_range(history.index[-1] + HOUR, periods=horizon_h, freq="h")
        return say(truth.loc[ahead])

    return method


class Recorder:
    """A method that keeps what it was handed."""

    def __init__(self):
        self.handed = []

    def __call__(self, history, **given):
        self.handed.append((history.copy(), given))
        ahead = pd.date_range(history.index[-1] + HOUR, periods=given["horizon_h"], freq="h")
        return say(pd.DataFrame(1.0, index=ahead, columns=history.columns))


def handed(history, **given):
    """Return what a method is handed at the only origin."""
    recorder = Recorder()
    result = backtest_load(history, methods={"r": recorder}, origins=1, calendar=AMMAN, **given)
    ((seen, rest),) = recorder.handed
    return result, seen, rest


def row(frame, method="m"):
    (found,) = frame[frame["method"] == method].to_dict("records")
    return found


# --- the numbers ----------------------------------------------------------------------------------------


def test_a_perfect_forecast_makes_no_error_and_misses_nothing():
    load = fleet()
    result = backtest_load(load, methods={"m": oracle(load)}, origins=4, calendar=AMMAN)
    perfect = row(result.overall)
    assert perfect["nmae_pct"] == perfect["ncrps_pct"] == perfect["missing_pct"] == 0
    assert perfect["cover90"] == 1
    assert perfect["overloads"] > 0
    assert perfect["recall"] == perfect["precision"] == 1
    # Two quantiles cannot lie apart where all are one: P is 0 or 1 but for the rating itself.
    assert perfect["brier_skill"] > 0.99
    assert (result.by_transformer.loc[result.by_transformer["method"] == "m", "ratio_to_naive"] == 0).all()


def test_the_error_of_the_naive_is_what_the_hand_gets():
    times = pd.date_range("2026-01-01", periods=24 * 30, freq="h", tz="UTC")
    # One kVA more every day: yesterday's value is 1, 2, 3 too low on the three days ahead.
    load = pd.DataFrame({"T-01": 100.0 + np.arange(24 * 30) // 24}, index=times)
    result = backtest_load(load, methods=methods_named(["naive24"]), origins=3, calendar=AMMAN)
    largest = load.loc[: result.origins[0] - HOUR, "T-01"].max()
    days = result.by_lead_day[result.by_lead_day["method"] == "naive24"].set_index("lead_day")["nmae_pct"]
    assert days.to_numpy() == pytest.approx(100 * np.array([1, 2, 3]) / largest)
    assert row(result.overall, "naive24")["nmae_pct"] == pytest.approx(100 * 2 / largest)
    assert row(result.overall, "naive168")["nmae_pct"] == pytest.approx(100 * 7 / largest)


def test_alarms_are_counted_from_the_chance_of_the_window():
    load = fleet(n=4)
    rating = pd.Series([1e6, 1.0, 1e6, 1.0], index=load.columns)  # T-02 and T-04 are over in every hour

    def method(history, *, horizon_h, **_):
        ahead = pd.date_range(history.index[-1] + HOUR, periods=horizon_h, freq="h")
        return say(load.loc[ahead], p_any=[0.3, 0.3, 0.29, 0.1])

    result = backtest_load(load, methods={"m": method}, origins=5, rating_kva=rating, calendar=AMMAN)
    found = row(result.overall)
    assert (found["hits"], found["misses"], found["false_alarms"], found["windows"]) == (5, 5, 5, 20)
    assert found["recall"] == found["precision"] == 0.5
    assert found["mean_p"] == pytest.approx((0.3 + 0.3 + 0.29 + 0.1) / 4)
    assert found["observed"] == 0.5
    tenths = result.reliability[result.reliability["method"] == "m"].set_index("tenth")
    assert tenths["windows"].to_dict() == {1: 5, 2: 5, 3: 10}
    assert tenths["observed"].to_dict() == {1: 1, 2: 0, 3: 0.5}


def test_every_breakdown_adds_up_to_the_whole():
    load = fleet(days=40)
    load.iloc[-200:-150, 1] = np.nan
    result = backtest_load(load, methods=methods_named(["short_profile"]), origins=6, calendar=AMMAN)
    for method, whole in result.overall.set_index("method").iterrows():
        for frame in (result.by_lead_day, result.by_lead_hour, result.by_season, result.by_transformer):
            assert frame.loc[frame["method"] == method, "hours"].sum() == whole["hours"], method
        for frame in (result.by_season, result.by_transformer, result.reliability):
            assert frame.loc[frame["method"] == method, "windows"].sum() == whole["windows"]
    assert row(result.overall, "short_profile")["hours"] < 6 * 3 * 72  # what was not measured is not judged
    assert row(result.overall, "short_profile")["missing_pct"] == 0


def test_a_transformer_worse_than_the_naive_is_named():
    load = fleet()
    result = backtest_load(load, methods={"m": Recorder()}, origins=3, calendar=AMMAN)
    mine = result.by_transformer[result.by_transformer["method"] == "m"]
    assert mine["worse_than_naive"].all()
    assert row(result.overall)["worse_than_naive"] == 3
    naive = result.by_transformer[result.by_transformer["method"].str.startswith("naive")]
    assert naive.groupby("transformer_id")["ratio_to_naive"].min().to_numpy() == pytest.approx(1)


@settings(max_examples=30)
@given(st.floats(-500, 500), st.floats(0.5, 50), st.floats(0, 600))
def test_the_chance_from_quantiles_is_a_chance_and_falls_with_the_rating(centre, spread, rating):
    q = centre + spread * np.arange(-5, 6)
    low, high = p_beyond(q, np.array(rating)), p_beyond(q, np.array(rating + 10))
    assert 0 <= high <= low <= 1 + 1e-9


@pytest.mark.skipif(not JUDGE.is_file(), reason="the independent judge and its series are not in this clone")
@pytest.mark.parametrize("method", ["fleet", "naive24"])
def test_the_numbers_are_those_of_the_independent_judge(method):
    spec = importlib.util.spec_from_file_location("forecast_judge", JUDGE)
    judge = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(judge)
    series = judge.SETS["gefcom"](judge.DATA)
    load, temperature, country, tz, _ = series
    judge.SETS = {"gefcom": lambda _: (load.copy(), temperature.copy(), *series[2:])}
    ours = methods_named([method])[method]
    want = judge.judge(
        lambda h, **given: ours(h, step_min=60, **given), "gefcom", weather="perfect", n_origins=4
    )
    utc = load.index.tz_localize(tz).tz_convert("UTC")
    result = backtest_load(
        load.set_axis(utc).rename(columns=str),
        methods={method: ours},
        origins=4,
        ambient_c=temperature.set_axis(utc).rename(columns=str),
        calendar=calendar_for(country, tz),
    )
    got = row(result.overall, method)
    same = {"nmae_pct", "nmae_worst_pct", "ncrps_pct", "cover90", "crossing", "missing_pct"}
    pairs = {name: name for name in same} | {
        f"w24_72_{n}": n for n in ("recall", "precision", "mean_p", "observed")
    }
    for theirs, name in pairs.items():
        assert got[name] == pytest.approx(want[theirs], rel=1e-6, abs=1e-12), name
    assert got["brier_skill"] == pytest.approx(want["brier_skill"], abs=1e-5)
    days = result.by_lead_day[result.by_lead_day["method"] == method]["nmae_pct"]
    assert list(days) == pytest.approx([want[f"nmae_day{d}_pct"] for d in (1, 2, 3)], rel=1e-6)


# --- nothing is seen too early --------------------------------------------------------------------------


@settings(max_examples=15)
@given(st.integers(0, 2**32 - 1))
def test_what_comes_after_the_origin_changes_nothing_of_what_is_handed_in(seed):
    load = fleet()
    air = pd.Series(15.0, index=load.index)
    issued = pd.DataFrame(
        {"station_id": "AMM", "time": load.index, "issued_at": load.index - 30 * HOUR, "ambient_c": 15.0}
    )
    result, seen, _ = handed(load, ambient_c=issued)
    (origin,) = result.origins
    assert seen.index[-1] == origin - HOUR
    rng = np.random.default_rng(seed)
    later = load.copy()
    after = later.index >= origin
    later.loc[after] = rng.normal(0, 1e4, (after.sum(), 3))
    unknown = issued["issued_at"] > origin
    other = issued.assign(ambient_c=np.where(unknown, rng.normal(0, 50, len(issued)), issued["ambient_c"]))
    _, seen_again, given_again = handed(later, ambient_c=other)
    pd.testing.assert_frame_equal(seen, seen_again)
    known = given_again["ambient_c"]
    assert known.index.max() == origin + 30 * HOUR
    assert (known == 15.0).all()
    assert len(air.loc[: origin + 30 * HOUR]) == len(known)


def test_a_reading_that_came_late_is_invisible_until_it_came():
    load = fleet()
    result, _, _ = handed(load)
    (origin,) = result.origins
    times = pd.DataFrame(dict.fromkeys(load, load.index + HOUR), index=load.index)
    times.loc[origin - 5 * HOUR, "T-02"] = origin
    times.loc[origin - 4 * HOUR, "T-02"] = origin + pd.Timedelta(seconds=1)
    times.loc[origin - 3 * HOUR, "T-02"] = pd.NaT
    _, seen, _ = handed(load, available_at=times)
    hidden = seen.isna()
    assert hidden.to_numpy().sum() == 1
    assert hidden.loc[origin - 4 * HOUR, "T-02"]
    changed = load.copy()
    changed.loc[origin - 4 * HOUR, "T-02"] = 1e6
    again, seen_again, given_again = handed(changed, available_at=times)
    pd.testing.assert_frame_equal(seen, seen_again)
    assert given_again["rating_kva"]["T-02"] < 1e3
    assert again.by_transformer["nmae_pct"].equals(
        handed(load, available_at=times)[0].by_transformer["nmae_pct"]
    )


def test_of_several_weather_forecasts_the_newest_known_at_the_origin_counts():
    load = fleet()
    (origin,) = handed(load)[0].origins
    rows = [("AMM", t, t, 10.0) for t in load.index]  # measured
    for said, value in ((origin - 12 * HOUR, 20.0), (origin, 21.0), (origin + HOUR, 99.0)):
        rows += [("AMM", said + k * HOUR, said, value) for k in range(1, 40)]
    weather = pd.DataFrame(rows, columns=["station_id", "time", "issued_at", "ambient_c"])
    result, _, rest = handed(load, ambient_c=weather.sample(frac=1, random_state=1))
    air = rest["ambient_c"]
    assert (air.loc[: origin - HOUR] == 10.0).all()
    assert (air.loc[origin + HOUR : origin + 39 * HOUR] == 21.0).all()
    assert air.index.max() == origin + 39 * HOUR  # hours without a forecast stay empty
    assert MEASURED_AS_FORECAST not in result.notes


def test_measured_weather_stands_in_only_where_none_was_forecast_and_it_is_said():
    load = fleet()
    result, _, rest = handed(load, ambient_c=pd.Series(np.arange(float(len(load))), index=load.index))
    assert MEASURED_AS_FORECAST in result.notes
    (origin,) = result.origins
    assert rest["ambient_c"].index.max() == origin + 71 * HOUR


def test_a_transformer_takes_the_station_of_its_own_name():
    load = fleet(n=2)
    air = pd.DataFrame({"T-02": 5.0, "AMM": 30.0}, index=load.index)
    air.iloc[:10, 0] = np.nan
    _, _, rest = handed(load, ambient_c=air)
    assert rest["ambient_c"].iloc[-1].to_dict() == {"T-01": 30.0, "T-02": 5.0}


def test_a_method_that_writes_into_what_it_is_handed_harms_nobody():
    load = fleet()
    before = load.copy()

    def vandal(history, *, rating_kva, ambient_c, **given):
        history.iloc[:] = 0.0
        rating_kva.iloc[:] = 0.0
        ambient_c.iloc[:] = 0.0
        return methods_named(["naive24"])["naive24"](history, rating_kva=rating_kva, **given)

    air = pd.Series(15.0, index=load.index)
    alone = backtest_load(load, methods={}, origins=3, ambient_c=air, calendar=AMMAN)
    beside = backtest_load(load, methods={"m": vandal}, origins=3, ambient_c=air, calendar=AMMAN)
    pd.testing.assert_frame_equal(load, before)
    assert (air == 15.0).all()
    pd.testing.assert_frame_equal(
        beside.overall[beside.overall["method"] != "m"].reset_index(drop=True), alone.overall
    )


# --- faults ---------------------------------------------------------------------------------------------


def test_one_failing_origin_is_named_and_the_rest_stands():
    load = fleet()
    calls = []

    def fragile(history, **given):
        calls.append(len(history))
        if len(calls) == 2:
            raise ZeroDivisionError("no readings on Friday")
        return oracle(load)(history, **given)

    result = backtest_load(load, methods={"m": fragile}, origins=4, calendar=AMMAN)
    (fault,) = result.faults.to_dict("records")
    assert fault["method"] == "m"
    assert fault["origin"] == result.origins[1]
    assert "no readings on Friday" in fault["message"]
    assert row(result.overall)["missing_pct"] == 25
    assert row(result.overall)["nmae_pct"] == 0


def test_a_forecast_of_other_hours_counts_as_missing():
    load = fleet()

    def late(history, **given):
        said = oracle(load)(history, **given)
        return Forecast(
            said.frame.assign(time=said.frame["time"] + 24 * 400 * HOUR), said.windows, said.findings
        )

    result = backtest_load(load, methods={"m": late}, origins=2, calendar=AMMAN)
    assert row(result.overall)["missing_pct"] == 100
    assert np.isnan(row(result.overall)["nmae_pct"])


def test_transformers_that_cannot_be_judged_leave_the_others_bit_identical():
    load = fleet()
    spoilt = load.assign(dead=np.nan, idle=0.0)
    rating = pd.Series(130.0, index=load.columns)
    clean = backtest_load(
        load, methods=methods_named(["fleet"]), origins=2, rating_kva=rating, calendar=AMMAN
    )
    found = backtest_load(
        spoilt, methods=methods_named(["fleet"]), origins=2, rating_kva=rating, calendar=AMMAN
    )
    pd.testing.assert_frame_equal(found.by_transformer, clean.by_transformer)
    assert any("dead, idle" in note for note in found.notes)


def test_origins_stand_in_the_last_quarter_at_four_hours_of_the_local_day():
    times = pd.date_range("2025-01-01", periods=8760, freq="h", tz="UTC")
    places = origin_places(times, 12, horizon_h=72, calendar=AMMAN, step_min=60)
    assert len(places) == 12
    assert places[0] >= 0.75 * 8760
    assert places[-1] + 72 <= 8760
    assert AMMAN.local_hour(times[places]).tolist() == [0, 6, 12, 18] * 3


@pytest.mark.parametrize("step_min", [15, 60])
def test_steps_finer_than_an_hour_are_judged_by_the_same_hours(step_min):
    hourly = fleet(days=12, n=2)
    per_hour = 60 // step_min
    times = pd.date_range(hourly.index[0], periods=len(hourly) * per_hour, freq=f"{step_min}min")
    load = pd.DataFrame(np.repeat(hourly.to_numpy(), per_hour, axis=0), index=times, columns=hourly.columns)
    result = backtest_load(
        load, methods=methods_named(["naive24"]), origins=3, horizon_h=24, calendar=AMMAN, step_min=step_min
    )
    plain = backtest_load(hourly, methods=methods_named(["naive24"]), origins=3, horizon_h=24, calendar=AMMAN)
    assert result.window_h == (0, 24)
    assert row(result.overall, "naive24")["nmae_pct"] == pytest.approx(
        row(plain.overall, "naive24")["nmae_pct"]
    )
    assert result.by_lead_hour["lead_h"].max() == 24


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"horizon_h": 336}, "span"),
        ({"origins": 0}, "origins"),
        ({"available_at": pd.DataFrame()}, "shape"),
    ],
)
def test_what_cannot_be_done_is_refused_with_what_to_do(change, word):
    with pytest.raises(InputError, match=word) as error:
        backtest_load(fleet(days=10), methods=methods_named(["naive24"]), calendar=AMMAN, **change)
    assert error.value.what_to_do


def test_every_method_named_runs_and_progress_reaches_its_end():
    told = []
    result = backtest_load(
        fleet(),
        methods=methods_named(METHODS),
        origins=1,
        horizon_h=24,
        calendar=AMMAN,
        cpu_clock=time.process_time,
        on_progress=lambda done, total: told.append((done, total)),
    )
    assert result.faults.empty
    assert set(result.overall["method"]) == set(METHODS)
    assert (result.overall["hours"] == 3 * 24).all()
    assert (result.overall["cpu_s_per_series"] >= 0).all()
    assert told == [(i + 1, len(METHODS)) for i in range(len(METHODS))]
    with pytest.raises(InputError, match="oracle"):
        methods_named(["oracle"])
