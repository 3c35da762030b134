"""The forecast: laws, refusals, the ladder, and the bands."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gridlib.domain.calendar import calendar_for
from gridlib.domain.forecast import explain_forecast, forecast_load
from gridlib.facts.errors import InputError
from gridlib.facts.frames import ForecastFrame, WindowFrame, check_frame
from gridlib.facts.units import QUANTILE_COLUMNS

LEFT_OUT = {"all_missing", "constant", "infinite", "bad_rating", "nothing_left"}
QUANTILES = list(QUANTILE_COLUMNS)


def fleet(n=4, days=60, *, seed=0, noise=8.0, step_min=60, end="2026-02-10"):
    """Evening peak, lighter Fridays, a slow wander of the level."""
    freq = f"{step_min}min"
    times = pd.date_range(end=pd.Timestamp(end, tz="UTC"), periods=days * 1440 // step_min, freq=freq)
    local = times.tz_convert("Asia/Amman")
    rng = np.random.default_rng(seed)
    hour = local.hour.to_numpy() + local.minute.to_numpy() / 60
    day = 200 + 60 * np.sin((hour - 9) / 24 * 2 * np.pi) + 50 * np.exp(-(((hour - 20) / 1.5) ** 2))
    day = day - 40 * (local.weekday.to_numpy() == 4)
    sizes = np.linspace(0.8, 1.3, n)
    level = np.cumsum(rng.normal(0, 1.0, (days + 1, n)), axis=0)[np.arange(len(times)) * step_min // 1440]
    load = day[:, None] * sizes + level + rng.normal(0, noise, (len(times), n))
    return pd.DataFrame(load, index=times, columns=[f"T-{i + 1:02d}" for i in range(n)])


def rating(history, kva=300.0):
    return pd.Series(kva, index=history.columns)


def of(frame, transformer_id):
    return frame[frame["transformer_id"] == transformer_id].reset_index(drop=True)


def wide(frame, column="load_kva_mean"):
    return frame.pivot(index="time", columns="transformer_id", values=column)


# --- what comes out -------------------------------------------------------------------------------------


@pytest.mark.parametrize("days", [1, 5, 20, 60])
def test_frames_are_what_the_contract_says(days):
    history = fleet(days=days)
    history.index = history.index.as_unit("us")
    forecast = forecast_load(history, rating_kva=rating(history))
    check_frame(ForecastFrame, forecast.frame)
    check_frame(WindowFrame, forecast.windows)
    assert len(forecast.frame) == 4 * 72
    first = of(forecast.frame, "T-01")["time"]
    assert first.iloc[0] == history.index[-1] + pd.Timedelta("1h")
    assert (first.diff().dropna() == pd.Timedelta("1h")).all()
    assert set(zip(forecast.windows["from_h"], forecast.windows["to_h"], strict=True)) == {
        (0, 24),
        (24, 72),
        (0, 72),
    }
    assert list(forecast.findings.columns) == ["transformer_id", "code", "message"]


@pytest.mark.parametrize(("horizon_h", "step_min"), [(1, 60), (24, 15), (30, 30), (336, 60)])
def test_any_horizon_and_step(horizon_h, step_min):
    history = fleet(2, days=40, step_min=step_min)
    forecast = forecast_load(history, horizon_h=horizon_h, step_min=step_min, rating_kva=rating(history))
    check_frame(ForecastFrame, forecast.frame)
    check_frame(WindowFrame, forecast.windows)
    assert len(forecast.frame) == 2 * horizon_h * 60 // step_min
    assert forecast.windows["to_h"].max() == min(horizon_h, 72)


def test_without_ratings_there_is_no_chance_of_overload():
    forecast = forecast_load(fleet())
    assert forecast.frame["p_overload"].isna().all()
    assert forecast.windows["p_any_overload"].isna().all()
    assert forecast.windows["peak_kva_p90"].notna().all()


def test_arguments_are_left_as_they_were():
    history = fleet()
    history.iloc[100:120, 0] = 5.0
    ratings, before = rating(history), history.copy()
    forecast_load(history, rating_kva=ratings)
    pd.testing.assert_frame_equal(history, before)
    pd.testing.assert_series_equal(ratings, rating(history))


# --- laws -----------------------------------------------------------------------------------------------


@settings(max_examples=15)
@given(
    seed=st.integers(0, 10_000),
    days=st.sampled_from([1, 3, 9, 20, 45, 125]),
    noise=st.floats(0, 200),
    gaps=st.floats(0, 0.5),
)
def test_quantiles_are_ordered_and_chances_are_chances(seed, days, noise, gaps):
    history = fleet(3, days, seed=seed, noise=noise)
    rng = np.random.default_rng(seed)
    history = history.mask(rng.random(history.shape) < gaps)
    forecast = forecast_load(history, rating_kva=rating(history))
    bands = forecast.frame[QUANTILES].to_numpy()
    assert np.isfinite(bands).all()
    assert (np.diff(bands, axis=1) >= 0).all()
    assert forecast.frame["p_overload"].between(0, 1).all()
    w = forecast.windows.set_index(["transformer_id", "from_h", "to_h"])
    for name in set(forecast.frame["transformer_id"]):
        whole = w.loc[(name, 0, 72)]
        hourly = of(forecast.frame, name)["p_overload"]
        assert whole["p_any_overload"] <= hourly.sum() + 0.2
        assert whole["peak_kva_p50"] <= whole["peak_kva_p90"]
        assert whole["peak_kva_p90"] >= w.loc[(name, 0, 24), "peak_kva_p90"] - 1e-9


@settings(max_examples=10)
@given(scale=st.floats(1e-3, 1e4), days=st.sampled_from([1, 6, 40]))
def test_the_unit_does_not_matter(scale, days):
    history = fleet(days=days)
    once = forecast_load(history, rating_kva=rating(history))
    scaled = forecast_load(history * scale, rating_kva=rating(history) * scale)
    columns = ["load_kva_mean", *QUANTILES]
    np.testing.assert_allclose(scaled.frame[columns], once.frame[columns] * scale, rtol=1e-6)
    np.testing.assert_allclose(scaled.frame["p_overload"], once.frame["p_overload"], atol=1e-6)
    np.testing.assert_allclose(
        scaled.windows["peak_kva_p90"], once.windows["peak_kva_p90"] * scale, rtol=1e-6
    )


def test_the_unit_does_not_matter_to_the_tiers():
    history = fleet(days=150)
    once, scaled = (
        forecast_load(history * k, rating_kva=rating(history) * k, method="combination") for k in (1.0, 37.3)
    )
    # They reckon in single precision.
    columns = ["load_kva_mean", *QUANTILES]
    np.testing.assert_allclose(scaled.frame[columns], once.frame[columns] * 37.3, rtol=2e-4)
    np.testing.assert_allclose(scaled.frame["p_overload"], once.frame["p_overload"], atol=2e-3)


def test_load_times_three_with_temperature_is_forecast_times_three():
    history, air = fleet(days=60), air_for(fleet(days=60))
    once, thrice = (forecast_load(history * k, ambient_c=air) for k in (1, 3))
    np.testing.assert_allclose(thrice.frame[QUANTILES], once.frame[QUANTILES] * 3, rtol=2e-4)


@pytest.mark.parametrize("days", [6, 40, 130])
def test_export_is_treated_like_import(days):
    history = fleet(days=days)
    there = forecast_load(history, rating_kva=rating(history))
    back = forecast_load(-history, rating_kva=rating(history))
    np.testing.assert_allclose(back.frame["load_kva_mean"], -there.frame["load_kva_mean"], rtol=1e-9)
    np.testing.assert_allclose(back.frame["load_kva_p05"], -there.frame["load_kva_p95"], rtol=1e-6)
    np.testing.assert_allclose(back.frame["p_overload"], there.frame["p_overload"], atol=1e-9)
    np.testing.assert_allclose(back.windows["peak_kva_p90"], there.windows["peak_kva_p90"], rtol=1e-9)


@pytest.mark.parametrize("days", [7, 60, 130])
def test_one_transformer_does_not_change_another_by_a_bit(days):
    history = fleet(5, days)
    moved = history.copy()
    moved["T-03"] += 500.0
    with_air = {"ambient_c": air_for(history)}
    with_air["method"] = "fleet"  # who gets the second tier by default does depend on the others
    once, other = forecast_load(history, **with_air), forecast_load(moved, **with_air)
    for name in ("T-01", "T-02", "T-04", "T-05"):
        pd.testing.assert_frame_equal(of(once.frame, name), of(other.frame, name), check_exact=True)
    assert not of(once.frame, "T-03").equals(of(other.frame, "T-03"))


@pytest.mark.parametrize("days", [7, 60, 130])
@pytest.mark.parametrize("kept", [1, 2, 5])
def test_unusable_transformers_leave_the_others_bit_equal(days, kept):
    sound = fleet(kept, days)
    spoilt = sound.assign(A=np.nan, B=7.0, M=sound["T-01"], Z=np.inf)
    spoilt.loc[spoilt.index[5], "M"] = np.inf
    spoilt = spoilt[["A", "M", *sound.columns, "B", "Z"]]
    air = air_for(sound)
    alone = forecast_load(sound, ambient_c=air, rating_kva=rating(sound))
    among = forecast_load(spoilt, ambient_c=air, rating_kva=rating(spoilt))
    pd.testing.assert_frame_equal(alone.frame, among.frame, check_exact=True)
    pd.testing.assert_frame_equal(alone.windows, among.windows, check_exact=True)
    left_out = among.findings[among.findings["code"].isin(LEFT_OUT)]
    assert dict(zip(left_out["transformer_id"], left_out["code"], strict=True)) == {
        "A": "all_missing",
        "B": "constant",
        "M": "infinite",
        "Z": "all_missing",
    }


def test_the_shape_of_the_fleet_is_bit_equal_without_the_unusable():
    sound = fleet(6, 30)
    sound.iloc[:-20, 2] = np.nan
    spoilt = sound.assign(A=np.nan, B=7.0)
    alone = forecast_load(sound, rating_kva=rating(sound))
    among = forecast_load(spoilt, rating_kva=rating(spoilt))
    pd.testing.assert_frame_equal(alone.frame, among.frame, check_exact=True)


def test_the_order_of_columns_does_not_matter():
    history = fleet(5)
    once, turned = forecast_load(history), forecast_load(history[history.columns[::-1]])
    pd.testing.assert_frame_equal(once.frame, turned.frame, check_exact=True)


@pytest.mark.parametrize("days", [5, 20, 60])
def test_a_perfectly_periodic_load_is_forecast_exactly(days):
    history = fleet(3, days, noise=0.0)
    day = history.iloc[:24].to_numpy()
    periodic = pd.DataFrame(np.tile(day, (days, 1)), index=history.index, columns=history.columns)
    frame = forecast_load(periodic).frame
    expected = np.tile(day, (3, 1))
    for column in ("load_kva_mean", "load_kva_p50"):
        np.testing.assert_allclose(wide(frame, column), expected, rtol=1e-9)


@pytest.mark.parametrize("method", ["fleet", "combination"])
def test_the_tiers_forecast_a_periodic_load_closely(method):
    history = fleet(2, 200, noise=0.0)
    day = history.iloc[:24].to_numpy()
    history = pd.DataFrame(np.tile(day, (200, 1)), index=history.index, columns=history.columns)
    frame = forecast_load(history, method=method).frame
    assert np.abs(wide(frame) / np.tile(day, (3, 1)) - 1).to_numpy().max() < 0.01


def test_a_perfectly_weekly_load_is_forecast_closely():
    history = fleet(1, 7 * 30, noise=0.0, end="2026-06-15T20:00")
    week = history.iloc[:168].to_numpy()
    weekly = pd.DataFrame(np.tile(week, (30, 1)), index=history.index, columns=history.columns)
    no_holidays = {
        day: "workday"
        for day in pd.date_range("2025-11-01", "2026-06-30").date
        if day.weekday() not in (4, 5)
    }
    no_holidays |= {
        day: "weekend" for day in pd.date_range("2025-11-01", "2026-06-30").date if day.weekday() == 4
    }
    calendar = calendar_for(overrides=no_holidays)
    error = wide(forecast_load(weekly, calendar=calendar).frame).to_numpy() - week[:72]
    assert np.abs(error).max() < 0.02 * week.max()


# --- gaps, steps, holidays, weather -----------------------------------------------------------------------


def test_gaps_are_filled_by_the_profile():
    history = fleet(1, 60, noise=2.0)
    gappy = history.copy()
    gappy.iloc[-72:-24] = np.nan
    gappy.iloc[-400:-300] = np.nan
    whole, holed = (forecast_load(h).frame["load_kva_mean"] for h in (history, gappy))
    assert np.abs(whole - holed).max() < 0.06 * whole.mean()
    assert "stale" not in set(forecast_load(gappy).findings["code"])


def warm_fleet(n=4, days=200, step_c=5.0):
    """A fleet that answers to the air, and the air of history and horizon."""
    history = fleet(n, days, noise=4.0)
    air = air_for(history)
    cooling = step_c * np.maximum(air.reindex(history.index).to_numpy() - 25, 0)
    return history + cooling[:, None], air


def spoil_last_day(history):
    history.iloc[-24:] = np.nan


def spoil_stuck(history):
    history.iloc[-48:] = history.iloc[-49].to_numpy()


def spoil_holes(history):
    history[np.random.default_rng(1).random(history.shape) < 0.1] = np.nan
    history.iloc[-60 * 24 : -39 * 24] = np.nan


def spoil_spikes(history):
    hit = np.random.default_rng(1).random(history.shape) < 0.005
    history[hit] *= 6
    history.iloc[-3:-1] *= 5


@pytest.mark.parametrize("spoil", [spoil_last_day, spoil_stuck, spoil_holes, spoil_spikes])
@pytest.mark.parametrize("method", ["fleet", "combination"])
def test_faults_of_the_meter_hardly_move_the_forecast(spoil, method):
    history, air = warm_fleet()
    spoilt = history.copy()
    spoil(spoilt)
    clean, found = (wide(forecast_load(h, ambient_c=air, method=method).frame) for h in (history, spoilt))
    assert (found - clean).abs().to_numpy().mean() < 0.02 * clean.to_numpy().mean()


@pytest.mark.parametrize("days_ago", [1, 3, 7])
def test_a_section_switched_away_is_found_and_the_level_follows(days_ago):
    history, air = warm_fleet()
    moved = history.copy()
    moved.iloc[-24 * days_ago :, 1] *= 0.6
    forecast = forecast_load(moved, ambient_c=air, method="fleet")
    shifts = forecast.findings[forecast.findings["code"] == "level_shift"]
    assert shifts["transformer_id"].tolist() == ["T-02"]
    assert "-4" in shifts["message"].iloc[0] or "-3" in shifts["message"].iloc[0]
    expected = wide(forecast_load(history, ambient_c=air, method="fleet").frame)
    assert wide(forecast.frame)["T-02"].mean() == pytest.approx(0.6 * expected["T-02"].mean(), rel=0.05)


def test_a_heat_wave_is_no_level_shift_where_the_air_is_known():
    history, air = warm_fleet()
    air.iloc[-72 - 120 :] += 8
    history.iloc[-120:] += 40.0
    codes = forecast_load(history, ambient_c=air, method="fleet").findings["code"]
    assert "level_shift" not in set(codes)


def test_a_random_walk_is_forecast_no_worse_than_by_repeating():
    rng = np.random.default_rng(3)
    history = fleet(1, 200)
    walk = 1000 + np.cumsum(rng.normal(0, 8, 200 * 24)) + rng.normal(0, 1, 200 * 24)
    error, naive = [], []
    for end in range(140 * 24, 197 * 24, 5 * 24):
        past = pd.DataFrame({"T-01": walk[:end]}, index=history.index[:end])
        mean = forecast_load(past, method="fleet").frame["load_kva_mean"].to_numpy()
        error.append(np.abs(walk[end : end + 72] - mean).mean())
        naive.append(np.abs(walk[end : end + 72] - np.tile(walk[end - 24 : end], 3)).mean())
    assert np.mean(error) < 1.05 * np.mean(naive)


def test_old_readings_are_remarked_on():
    history = fleet(2, 60)
    history.iloc[-80:, 1] = np.nan
    forecast = forecast_load(history)
    assert forecast.findings.query("code == 'stale'")["transformer_id"].tolist() == ["T-02"]
    assert len(of(forecast.frame, "T-02")) == 72


def test_a_switched_section_is_followed_within_a_day():
    history = fleet(1, 60, noise=3.0)
    history.iloc[-24:] *= 0.6
    expected = 0.6 * forecast_load(fleet(1, 60, noise=3.0)).frame["load_kva_mean"]
    found = forecast_load(history).frame["load_kva_mean"]
    assert abs(found.mean() / expected.mean() - 1) < 0.1


def test_a_spike_in_the_last_hours_does_not_pull_the_forecast():
    history = fleet(1, 60)
    spiked = history.copy()
    spiked.iloc[-3] *= 8
    forecast = forecast_load(spiked)
    assert forecast.findings["code"].tolist() == ["set_aside"]
    sound = forecast_load(history).frame["load_kva_mean"]
    assert np.abs(forecast.frame["load_kva_mean"] - sound).max() < 0.05 * sound.mean()


def test_a_holiday_looks_like_a_friday_until_known_better():
    history = fleet(1, 60, noise=2.0, end="2026-02-10T20:00")  # in Amman, 11 February begins an hour later
    none_yet = {"2025-12-25": "workday", "2026-01-01": "workday", "2026-01-16": "weekend"}
    plain, feast = (
        forecast_load(history, calendar=calendar_for(overrides=none_yet | more)).frame["load_kva_mean"]
        for more in ({}, {"2026-02-11": "holiday"})
    )
    lower = (plain - feast).to_numpy()
    assert 20 < lower[:24].mean() < 40  # on Fridays it is 32 lower
    assert np.abs(lower[24:]).max() < 1e-9


def air_for(history, horizon_h=72):
    end = history.index[-1] + pd.Timedelta(hours=horizon_h)
    times = pd.date_range(history.index[0], end, freq="h")
    rng = np.random.default_rng(5)
    days = np.repeat(rng.normal(0, 4, len(times) // 24 + 1), 24)[: len(times)]
    hour = times.hour.to_numpy()
    return pd.Series(26 + 6 * np.sin((hour - 6) / 24 * 2 * np.pi) + days, index=times)


def test_a_hot_forecast_raises_the_load_that_follows_the_air():
    history = fleet(2, 90, noise=2.0)
    air = air_for(history)
    history["T-01"] += 5 * np.maximum(air.reindex(history.index) - 25, 0)
    hot = air.copy()
    hot.iloc[-72:] += 6
    usual, hotter = (wide(forecast_load(history, ambient_c=a).frame) for a in (air, hot))
    assert 15 < (hotter - usual)["T-01"].iloc[24:].mean() < 30
    assert abs((hotter - usual)["T-02"].iloc[24:].mean()) < 4


def test_temperature_by_transformer_equals_one_for_all():
    history = fleet(3, 60)
    air = air_for(history)
    columns = pd.DataFrame(dict.fromkeys(history.columns, air))
    one, each = forecast_load(history, ambient_c=air), forecast_load(history, ambient_c=columns)
    pd.testing.assert_frame_equal(one.frame, each.frame, check_exact=True)


def test_without_its_temperature_a_transformer_is_forecast_all_the_same():
    history = fleet(2, 60)
    air = pd.DataFrame({"T-01": air_for(history)})
    forecast = forecast_load(history, ambient_c=air)
    assert forecast.findings[["transformer_id", "code"]].to_numpy().tolist() == [["T-02", "no_weather"]]
    without = forecast_load(history)
    pd.testing.assert_frame_equal(of(forecast.frame, "T-02"), of(without.frame, "T-02"), check_exact=True)


def test_daylight_saving_keeps_the_local_evening():
    times = pd.date_range("2026-02-20", "2026-03-28T12:00", freq="h", tz="UTC")  # clocks change on the 29th
    local = times.tz_convert("Europe/Copenhagen")
    history = pd.DataFrame({"T-01": 100.0 + 80.0 * (local.hour == 18)}, index=times)
    frame = forecast_load(history, calendar=calendar_for("DK", "Europe/Copenhagen")).frame
    peak = frame["time"][frame["load_kva_mean"] > 150].dt.tz_convert("Europe/Copenhagen")
    assert peak.dt.hour.tolist() == [18, 18, 18]


# --- the ladder -------------------------------------------------------------------------------------------


def test_the_rung_follows_from_the_readings():
    history = fleet(4, 130)
    history.iloc[: -24 * 10, 1] = np.nan
    history.iloc[:-30, 2] = np.nan
    forecast = forecast_load(history, rating_kva=rating(history), method="fleet")
    rungs = forecast.frame.groupby("transformer_id")["method"].unique().str[0]
    assert rungs.to_dict() == {
        "T-01": "fleet",
        "T-02": "short_profile",
        "T-03": "fleet_shape",
        "T-04": "fleet",
    }
    assert wide(forecast.frame)["T-03"].corr(wide(forecast.frame)["T-04"]) > 0.95


def test_the_tiers_need_every_kind_of_day():
    history = fleet(1, 130)
    friday = history.index.tz_convert("Asia/Amman").weekday == 4
    history.loc[friday] = np.nan
    assert forecast_load(history).frame["method"].unique().tolist() == ["short_profile"]


def test_with_weather_half_the_history_will_do():
    history = fleet(1, 60)
    assert forecast_load(history, method="fleet").frame["method"].unique().tolist() == ["short_profile"]
    frame = forecast_load(history, ambient_c=air_for(history), method="fleet").frame
    assert frame["method"].unique().tolist() == ["fleet"]


def test_the_second_tier_goes_to_the_tenth_most_at_risk():
    history = fleet(12, 130)
    ratings = rating(history, 1000.0)
    ratings["T-04"], ratings["T-09"] = 250.0, 220.0
    frame = forecast_load(history, rating_kva=ratings).frame
    rungs = frame.groupby("transformer_id")["method"].first()
    assert rungs.index[rungs == "combination"].tolist() == ["T-04", "T-09"]
    assert (rungs.drop(["T-04", "T-09"]) == "fleet").all()
    whole = forecast_load(history, rating_kva=ratings, method="combination").frame
    pd.testing.assert_frame_equal(of(frame, "T-09"), of(whole, "T-09"), check_exact=True)


def test_a_new_transformer_takes_the_fleet_s_shape_at_its_own_level():
    history = fleet(6, 40, noise=3.0)
    truth = forecast_load(history, rating_kva=rating(history)).frame
    new = history.copy()
    new.iloc[:-30, 5] = np.nan
    frame = forecast_load(new, rating_kva=rating(history)).frame
    assert of(frame, "T-06")["method"].unique().tolist() == ["fleet_shape"]
    error = wide(frame)["T-06"] - wide(truth)["T-06"]
    assert error.abs().mean() < 0.1 * wide(truth)["T-06"].mean()
    others = wide(frame).drop(columns="T-06")
    pd.testing.assert_frame_equal(others, wide(truth).drop(columns="T-06"), check_exact=True)


def test_without_a_fleet_the_last_readings_persist():
    forecast = forecast_load(fleet(1, 1))
    assert forecast.frame["method"].unique().tolist() == ["persistence"]
    np.testing.assert_allclose(forecast.frame["load_kva_mean"][:24], fleet(1, 1)["T-01"], rtol=1e-9)
    assert (forecast.frame["load_kva_p95"] > forecast.frame["load_kva_p05"]).all()


def test_a_rung_can_be_asked_for():
    history = fleet(2, 130)
    for rung in ("combination", "fleet", "short_profile", "fleet_shape", "persistence"):
        assert forecast_load(history, method=rung).frame["method"].unique().tolist() == [rung]


def test_evening_peaks_of_a_week_are_not_shrunk_away():
    history = fleet(10, 7, noise=4.0)
    observed = history.groupby(history.index.floor("D")).max()
    evening = observed[observed.index.weekday < 4].iloc[:-1].mean()
    forecast = forecast_load(history)
    peaks = wide(forecast.frame, "load_kva_p50").groupby(lambda t: t.floor("D")).max()
    assert forecast.frame["method"].unique().tolist() == ["short_profile"]
    assert np.abs(peaks.iloc[:3] / evening - 1).to_numpy().max() < 0.05


# --- bands and confidence ---------------------------------------------------------------------------------


@pytest.mark.parametrize(("days", "low", "high"), [(8, 0.8, 1.0), (20, 0.8, 0.99), (60, 0.82, 0.97)])
def test_nine_of_ten_readings_fall_into_the_band(days, low, high):
    history = fleet(30, days + 3, seed=7, noise=10.0)
    frame = forecast_load(history.iloc[: days * 24]).frame
    truth = history.iloc[days * 24 :]
    inside = (truth >= wide(frame, "load_kva_p05")) & (truth <= wide(frame, "load_kva_p95"))
    assert low < inside.to_numpy().mean() < high


def test_the_chance_of_overload_grows_as_the_rating_falls_and_is_never_certain():
    history = fleet(1, 60)
    chances = [
        forecast_load(history, rating_kva=rating(history, kva))
        .windows.query("from_h == 0 and to_h == 72")["p_any_overload"]
        .iloc[0]
        for kva in (400.0, 250.0, 230.0, 210.0, 120.0)
    ]
    assert chances == sorted(chances)
    assert 0 < chances[0] < 0.01
    assert 0.99 < chances[-1] < 1


def test_confidence_is_measured_where_it_can_be():
    good = forecast_load(fleet(3, 90)).frame["confidence"]
    assert good.between(0.05, 1).all()
    short = forecast_load(fleet(3, 10))
    assert short.frame["confidence"].isna().all()
    assert short.findings["code"].tolist() == ["confidence_not_measured"] * 3


def test_confidence_in_pure_noise_is_what_theory_says():
    history = fleet(6, 120) * 0 + np.random.default_rng(1).normal(100, 30, (120 * 24, 6))
    confidence = forecast_load(history).frame.groupby("transformer_id")["confidence"].first()
    # A week ago errs by sqrt(2) sigma, the best forecast by sigma.
    best = 1 - 1 / np.sqrt(2)
    assert best - 0.12 < confidence.mean() < best + 0.02


def test_terms_sum_to_the_mean():
    history = fleet(3, 60)
    air = air_for(history)
    terms = explain_forecast(history, ambient_c=air)
    names = ["level_kva", "daily_kva", "weekly_kva", "calendar_kva", "temperature_kva", "recent_kva"]
    np.testing.assert_allclose(terms[names].sum(axis=1), terms["load_kva_mean"])
    np.testing.assert_allclose(
        terms["load_kva_mean"], forecast_load(history, ambient_c=air).frame["load_kva_mean"]
    )
    friday = terms["time"].dt.tz_convert("Asia/Amman").dt.weekday == 4
    assert terms["weekly_kva"][friday].mean() < -20
    assert terms["weekly_kva"][~friday].abs().mean() < 8
    assert terms["level_kva"].groupby(terms["transformer_id"]).nunique().eq(1).all()
    assert terms["daily_kva"].groupby(terms["transformer_id"]).mean().abs().max() < 1e-3


# --- bad input --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (lambda h: h.iloc[::-1], "not sorted"),
        (lambda h: pd.concat([h, h.iloc[-1:]]), "duplicate"),
        (lambda h: h.tz_localize(None), "naive"),
        (lambda h: h.iloc[::2], "60 min everywhere"),
        (lambda h: h.drop(h.index[50]), "60 min everywhere"),
        (lambda h: h.iloc[:0], "0 rows"),
        (lambda h: h.iloc[:1], "1 rows"),
        (lambda h: h.iloc[:, :0], "0 transformers"),
        (lambda h: h.assign(A="bad"), "no numbers"),
        (lambda h: pd.concat([h, h], axis=1), "two columns"),
    ],
)
def test_what_spoils_all_is_refused(spoil, says):
    with pytest.raises(InputError, match=says) as caught:
        forecast_load(spoil(fleet(2, 10)))
    assert caught.value.what_to_do


@pytest.mark.parametrize("horizon_h", [0, -1, 337])
def test_a_horizon_out_of_range_is_refused(horizon_h):
    with pytest.raises(InputError, match="horizon"):
        forecast_load(fleet(1, 10), horizon_h=horizon_h)


def test_other_refusals():
    with pytest.raises(InputError, match="step of 7 min"):
        forecast_load(fleet(1, 10), step_min=7)
    with pytest.raises(InputError, match="unknown forecast method 'magic'"):
        forecast_load(fleet(1, 10), method="magic")
    with pytest.raises(InputError, match="ambient_c: naive"):
        forecast_load(fleet(1, 10), ambient_c=air_for(fleet(1, 10)).tz_localize(None))


@pytest.mark.parametrize("bad", [np.nan, 0.0, -250.0, np.inf, None])
def test_a_bad_rating_leaves_only_its_transformer_out(bad):
    history = fleet(3, 20)
    ratings = rating(history)
    ratings = ratings.drop("T-02") if bad is None else ratings.replace({}).mask(ratings.index == "T-02", bad)
    forecast = forecast_load(history, rating_kva=ratings)
    assert sorted(set(forecast.frame["transformer_id"])) == ["T-01", "T-03"]
    out = forecast.findings[forecast.findings["code"].isin(LEFT_OUT)]
    assert out[["transformer_id", "code"]].to_numpy().tolist() == [["T-02", "bad_rating"]]


def test_counts_in_are_counts_out_and_findings():
    history = fleet(8, 30)
    history["T-01"] = np.nan
    history["T-02"] = 0.0
    history.iloc[3, 2] = np.inf
    history["T-04"] = np.repeat([1.0, 2.0], len(history) // 2)
    ratings = rating(history).drop("T-05")
    forecast = forecast_load(history, rating_kva=ratings)
    out = forecast.findings[forecast.findings["code"].isin(LEFT_OUT)]
    assert dict(zip(out["transformer_id"], out["code"], strict=True)) == {
        "T-01": "all_missing",
        "T-02": "constant",
        "T-03": "infinite",
        "T-04": "nothing_left",
        "T-05": "bad_rating",
    }
    assert out["transformer_id"].is_unique
    assert set(out["transformer_id"]) | set(forecast.frame["transformer_id"]) == set(history.columns)
    assert set(out["transformer_id"]).isdisjoint(forecast.frame["transformer_id"])
    assert set(forecast.windows["transformer_id"]) == set(forecast.frame["transformer_id"])


def test_when_nobody_is_left_the_frames_are_empty():
    history = fleet(2, 10) * np.nan
    forecast = forecast_load(history, rating_kva=rating(history))
    assert len(forecast.frame) == len(forecast.windows) == 0
    assert forecast.findings["code"].tolist() == ["all_missing"] * 2
    check_frame(ForecastFrame, forecast.frame)
    check_frame(WindowFrame, forecast.windows)
