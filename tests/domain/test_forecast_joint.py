"""Joint error paths: the same past days for the whole fleet, and what each transformer says of itself."""

import numpy as np
import pandas as pd
import pytest

from gridlib.domain.forecast import forecast_load
from gridlib.domain.forecast.joint import set_peaks

QUIET = pd.Timestamp("2026-01-20", tz="UTC")


def fleet(days: int = 200) -> pd.DataFrame:
    """A and B share the noise of their days, C has its own, D is A turned over."""
    times = pd.date_range(end="2026-02-10", periods=days * 24, freq="h", tz="UTC", inclusive="left")
    rng = np.random.default_rng(7)
    hours = len(times)
    day = 200 + 60 * np.sin((times.hour.to_numpy() - 9) / 24 * 2 * np.pi)
    noise = rng.normal(0, 15, (2, hours // 24 + 1))[:, np.arange(hours) // 24]
    jitter = rng.normal(0, 4, (4, hours))
    shared, own = noise
    loads = {"A": day + shared, "B": 1.5 * (day + shared), "C": day + own, "D": day - shared}
    return pd.DataFrame({name: load + jitter[i] for i, (name, load) in enumerate(loads.items())}, index=times)


HISTORY = fleet()
RATING = pd.Series(285.0, index=HISTORY.columns)
MADE = forecast_load(HISTORY, rating_kva=RATING)


def loads_of(made, name):
    row = int(np.flatnonzero(made.paths.transformer_ids == name)[0])
    median = made.frame.loc[made.frame["transformer_id"] == name, "load_kva_p50"].to_numpy()
    return median + made.paths.error_kva(np.array([row]))[0]


def test_every_hour_spreads_over_its_published_quantiles() -> None:
    for name, rows in MADE.frame.groupby("transformer_id"):
        loads = loads_of(MADE, name)
        for percent in (10, 50, 90):
            below = (loads <= rows[f"load_kva_p{percent}"].to_numpy()).mean()
            assert below == pytest.approx(percent / 100, abs=0.04), (name, percent)


def test_peaks_are_as_high_as_the_published_chances_say() -> None:
    windows = MADE.windows[(MADE.windows["from_h"] == 0) & (MADE.windows["to_h"] == 72)]
    published = windows.set_index("transformer_id")["p_any_overload"]
    shares = {name: (loads_of(MADE, name).max(axis=1) > RATING[name]).mean() for name in published.index}
    assert pd.Series(shares).to_numpy() == pytest.approx(published.to_numpy(), abs=0.08)
    assert published["B"] > 0.9
    assert 0.1 < published["A"] < 0.9


def test_errors_of_the_same_day_keep_what_transformers_have_in_common() -> None:
    error = {name: MADE.paths.error_kva(np.array([i])).mean(axis=2)[0] for i, name in enumerate("ABCD")}
    together = np.corrcoef([error[name] for name in "ABCD"])
    assert MADE.paths.same_day.all()
    assert together[0, 1] > 0.9
    assert abs(together[0, 2]) < 0.35
    assert together[0, 3] < -0.9


def test_a_transformer_has_the_same_paths_alone_and_in_the_fleet() -> None:
    gappy = HISTORY.assign(A=HISTORY["A"].where((HISTORY.index < QUIET) | (HISTORY.index.day > 27)))
    whole, alone = (forecast_load(some, method="fleet") for some in (gappy, gappy[["A"]]))
    assert (whole.paths.error_steps[0] == alone.paths.error_steps[0]).all()
    assert (whole.paths.days == alone.paths.days).all()


def test_days_without_readings_are_stood_in_for_and_marked() -> None:
    lost = (HISTORY.index >= QUIET) & (HISTORY.index < QUIET + pd.Timedelta(days=8))
    made = forecast_load(HISTORY.assign(A=HISTORY["A"].mask(lost)))
    days, same = made.paths.days, made.paths.same_day
    assert same[1:].all()
    readable = (days + pd.Timedelta(days=2) < QUIET) | (days >= QUIET + pd.Timedelta(days=8))
    assert same[0][readable].all()
    assert not same[0][(days >= QUIET) & (days <= QUIET + pd.Timedelta(days=5))].any()
    assert (made.findings["code"] != "errors_independent").all()
    # What stands in is an error of its own: the spread is the usual one.
    usual = MADE.paths.error_kva(np.array([0])).std()
    assert made.paths.error_kva(np.array([0])).std() == pytest.approx(usual, rel=0.15)


@pytest.mark.parametrize(
    ("days", "code", "shared"), [(6, "confidence_not_measured", 0.0), (60, "errors_independent", 0.3)]
)
def test_a_new_transformer_counts_as_independent_and_says_so(days, code, shared) -> None:
    since = HISTORY.index[-1] - pd.Timedelta(days=days)
    made = forecast_load(HISTORY.assign(C=HISTORY["C"].where(HISTORY.index > since)))
    said = made.findings[made.findings["message"].str.contains("count as independent")]
    assert said[["transformer_id", "code"]].to_numpy().tolist() == [["C", code]]
    row = int(np.flatnonzero(made.paths.transformer_ids == "C")[0])
    assert made.paths.same_day[row].mean() == pytest.approx(shared, abs=0.1)
    assert made.paths.error_kva(np.array([row])).std() > 0


def test_short_horizons_and_histories_have_paths_too() -> None:
    for days, horizon_h in ((3, 12), (30, 48), (60, 30)):
        made = forecast_load(HISTORY.iloc[-24 * days :], horizon_h=horizon_h)
        assert made.paths.error_steps.shape == (4, 60, horizon_h)
        assert made.paths.times.equals(pd.DatetimeIndex(made.frame["time"].unique()))
        assert (np.abs(made.paths.error_steps).max(axis=(1, 2)) == 127).all()
        assert (made.paths.days < made.paths.times[0]).all()


def test_peaks_are_set_without_moving_other_hours() -> None:
    load = np.array([[[100.0, 80.0, -60.0]], [[100.0, 80.0, -60.0]], [[-100.0, 80.0, 99.0]]])
    was = np.full((3, 1, 1), 100.0)
    set_peaks(load, was, np.array([90.0, 110.0, 110.0]).reshape(3, 1, 1))
    np.testing.assert_allclose(load[:, 0], [[90, 80, -60], [110, 80, -60], [-110, 80, 108]])
