"""Chances of whole windows, blends, air as forecasts expect it, and load switched over."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gridlib.domain.forecast import forecast_load
from gridlib.domain.forecast.paths import Bands
from gridlib.domain.forecast.peaks import REPLAYED, REPLAYS, replay_ranks, set_right
from gridlib.domain.forecast.tiers import SMOOTHED, Share, Tier, blend
from gridlib.domain.network import neighbours, parse_network

WINDOWS = (slice(0, 24), slice(24, 72), slice(0, 72))


def bands(n=2, paths=60, seed=0):
    peaks = np.random.default_rng(seed).normal(100, 10, (n, paths, 3))
    peaks[:, :, 2] = np.maximum(peaks[:, :, 0], peaks[:, :, 1])
    chance = (peaks > 110).mean(axis=1)
    quantiles = np.zeros((n, 11, 72))
    peak = np.quantile(peaks, (0.5, 0.9), axis=1).transpose(1, 2, 0)
    return Bands(quantiles, np.full((n, 72), 0.02), chance, peak, peaks)


def ranks_of(value):
    return np.broadcast_to(value, (3, 2, REPLAYS)).astype(float)


def test_uniform_ranks_change_nothing():
    even = ranks_of((np.arange(REPLAYS) + 0.5) / REPLAYS)
    found, given_ = set_right(bands(), even, WINDOWS), bands()
    np.testing.assert_allclose(found.p_any_overload, given_.p_any_overload, atol=0.03)
    np.testing.assert_allclose(found.peak_kva, given_.peak_kva, atol=1.5)


def test_peaks_that_came_lower_than_promised_lower_the_chance_and_the_peak():
    low = set_right(bands(), ranks_of(np.linspace(0.05, 0.5, REPLAYS)), WINDOWS)
    high = set_right(bands(), ranks_of(np.linspace(0.5, 0.95, REPLAYS)), WINDOWS)
    assert (low.p_any_overload < bands().p_any_overload).all()
    assert (high.p_any_overload > bands().p_any_overload).all()
    assert (low.peak_kva < bands().peak_kva).all()
    assert (high.peak_kva > bands().peak_kva).all()


@given(st.integers(0, 10_000), st.floats(0.2, 5))
@settings(max_examples=40)
def test_chances_stay_chances_and_agree_with_each_other(seed, power):
    ranks = np.random.default_rng(seed).random((3, 2, REPLAYS)) ** power
    found = set_right(bands(seed=seed), ranks, WINDOWS)
    assert ((found.p_any_overload >= 0) & (found.p_any_overload <= 1)).all()
    assert (found.p_any_overload[:, 2] >= found.p_any_overload[:, :2].max(axis=1)).all()
    assert (found.peak_kva[:, :, 1] >= found.peak_kva[:, :, 0]).all()
    for window, chance in zip(WINDOWS, found.p_any_overload.T, strict=True):
        assert (found.p_overload[:, window] <= chance[:, None]).all()


def test_ranks_tell_too_wide_paths_from_too_narrow_ones():
    rng = np.random.default_rng(1)
    made = rng.normal(0, 1, (3, 120, 72)).astype(np.float32)
    said = np.full((3, REPLAYS, 72), 10, dtype=np.float32)
    came = made[:, REPLAYED] + 10
    origins = np.broadcast_to(np.arange(120) * 4, (3, 120))
    exact, wide, narrow = (
        replay_ranks((k * made).astype(np.float32), said, came, origins, WINDOWS, 3) for k in (1, 3, 0.3)
    )
    assert abs(exact.mean() - 0.5) < 0.1
    assert wide.mean() < 0.1
    assert narrow.mean() > 0.9


def test_chances_of_a_noisy_fleet_are_kept():
    # Each day's peak passes the rating with a chance of 0.2, whatever the other days did: of two days, 0.36.
    rng = np.random.default_rng(5)
    times = pd.date_range("2025-01-01", periods=24 * 300, freq="h", tz="UTC")
    hour, day = times.hour.to_numpy(), np.arange(len(times)) // 24
    level = rng.normal(0, 6, (day[-1] + 1, 80))[day]
    load = 100 + 30 * np.exp(-(((hour - 19) / 3) ** 2))[:, None] + level + rng.normal(0, 5, (len(times), 80))
    whole = pd.DataFrame(load, index=times, columns=[f"T-{i:02d}" for i in range(80)])
    rating = whole.iloc[: 24 * 270].groupby(day[: 24 * 270]).max().quantile(0.8)
    promised = []
    for end in (270, 285, 300):
        windows = forecast_load(whole.iloc[: 24 * end], rating_kva=rating, method="fleet").windows
        chosen = windows[(windows["from_h"] == 24) & (windows["to_h"] == 72)]
        promised.append(chosen["p_any_overload"].to_numpy())
    assert np.mean(promised) == pytest.approx(1 - 0.8**2, abs=0.04)


@given(st.integers(0, 10_000))
@settings(max_examples=40)
def test_a_blend_of_past_days_never_errs_more(seed):
    rng = np.random.default_rng(seed)
    tiers = [
        Tier(rng.normal(size=(3, 24)).astype(np.float32), rng.normal(0, s, (3, 20, 24)).astype(np.float32))
        for s in rng.uniform(0.2, 3, 2)
    ]
    mixed = blend(*tiers, SMOOTHED)
    # Every third step weighs a blend.
    before, after = ((tier.errors[..., ::3] ** 2).sum(axis=(1, 2)) for tier in (tiers[0], mixed))
    assert (after <= before * (1 + 1e-5)).all()
    none = blend(*tiers, Share(1.0, 10.0, 0.5))
    np.testing.assert_array_equal(none.ahead, tiers[0].ahead)


def test_a_transfer_to_a_neighbour_is_named_with_both_sides():
    rng = np.random.default_rng(3)
    times = pd.date_range("2025-06-01", periods=24 * 200, freq="h", tz="UTC")
    shape = 60 + 25 * np.sin(2 * np.pi * (times.hour.to_numpy() - 10) / 24)
    load = pd.DataFrame(
        {f"T{i}": shape * (1 + i / 4) + rng.normal(0, 2, len(times)) for i in range(1, 5)}, index=times
    )
    load.loc[load.index[-72:], "T2"] -= 35
    load.loc[load.index[-72:], "T3"] += 35
    load.loc[load.index[-72:], "T4"] *= 0.4
    network = parse_network(
        "T1(300) -a1- a /t1/ b -b1- T2(300) -b2- c /t2/ d -c1- T3(300) -c2- e /t3/ f -d1- T4(300)"
    )
    pairs = neighbours(network)
    assert pairs.loc[pairs["transformer_id"] == "T2", "neighbour_id"].tolist() == ["T1", "T3"]
    findings = forecast_load(load, neighbours=pairs).findings
    said = findings[findings["code"] == "level_shift"].set_index("transformer_id")["message"]
    assert "T3 changed by +3" in said["T2"]
    assert "T2 changed by -3" in said["T3"]
    assert "no neighbour changed the other way" in said["T4"]
    assert "T1" not in said.index


def test_the_second_tier_trusts_forecast_air_less_than_measured_air():
    rng = np.random.default_rng(8)
    n = 24 * 300
    times = pd.date_range("2025-01-01", periods=n + 72, freq="h", tz="UTC")
    wander = np.zeros(n + 72)
    for i in range(1, n + 72):
        wander[i] = 0.97 * wander[i - 1] + rng.normal(0, 0.6)
    air = pd.Series(15 + wander, index=times)
    load = pd.DataFrame({"T1": 100 + 8 * wander[:n] + rng.normal(0, 1, n)}, index=times[:n])
    warmer = air.copy()
    warmer.iloc[-24:] += 4
    means = [
        forecast_load(load, ambient_c=each, method="combination").frame["load_kva_mean"].to_numpy()
        for each in (air, warmer)
    ]
    answer = (means[1] - means[0])[-12:].mean() / 4
    assert (
        3 < answer < 8 * 0.98
    )  # a forecast three days ahead errs by 2.3 K: the full 8 kVA/K would be too much


def test_peaks_do_not_depend_on_whether_ratings_are_known():
    rng = np.random.default_rng(4)
    times = pd.date_range("2025-01-01", periods=24 * 200, freq="h", tz="UTC")
    day = 100 + 30 * np.sin(2 * np.pi * (times.hour.to_numpy() - 9) / 24)
    load = pd.DataFrame({"T1": day + rng.normal(0, 8, len(times))}, index=times)
    rated = forecast_load(load, rating_kva=pd.Series({"T1": 130.0}), method="fleet").windows
    without = forecast_load(load, method="fleet").windows
    np.testing.assert_array_equal(rated["peak_kva_p90"], without["peak_kva_p90"])
    assert rated["p_any_overload"].notna().all()
    assert without["p_any_overload"].isna().all()
