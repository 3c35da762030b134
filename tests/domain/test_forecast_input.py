"""The forecast and what comes in by its door: every bad input is refused, or becomes a finding of its own."""

from decimal import Decimal
from functools import cache

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

METHODS = ("default", "combination", "fleet", "short_profile", "fleet_shape", "persistence")
VALUES = ["load_kva_mean", *QUANTILE_COLUMNS]
LEFT_OUT = {"all_missing", "constant", "infinite", "bad_rating", "nothing_left"}
N_OLD = 10  # one of them gets the second tier; of eleven it would be two


def fleet(n=3, days=60, *, seed=0, step_min=60, end="2026-02-10"):
    """Evening peak, lighter Fridays, noise."""
    times = pd.date_range(
        end=pd.Timestamp(end, tz="UTC"), periods=days * 1440 // step_min, freq=f"{step_min}min"
    )
    local = times.tz_convert("Asia/Amman")
    rng = np.random.default_rng(seed)
    hour = local.hour.to_numpy() + local.minute.to_numpy() / 60
    day = 200 + 60 * np.sin((hour - 9) / 24 * 2 * np.pi) + 50 * np.exp(-(((hour - 20) / 1.5) ** 2))
    day = day - 40 * (local.weekday.to_numpy() == 4)
    load = day[:, None] * np.linspace(0.8, 1.3, n) + rng.normal(0, 8, (len(times), n))
    return pd.DataFrame(load, index=times, columns=[f"T-{i + 1:02d}" for i in range(n)])


def air_for(history, horizon_h=72):
    times = pd.date_range(history.index[0], history.index[-1] + pd.Timedelta(hours=horizon_h), freq="h")
    hour = times.hour.to_numpy()
    days = np.repeat(np.random.default_rng(5).normal(0, 4, len(times) // 24 + 1), 24)[: len(times)]
    return pd.Series(26 + 6 * np.sin((hour - 6) / 24 * 2 * np.pi) + days, index=times)


def rating(history, kva=300.0):
    return pd.Series(kva, index=history.columns)


def of(frame, transformer_id):
    return frame[frame["transformer_id"] == transformer_id].reset_index(drop=True)


def valid(forecast, ids=None, steps=72):
    """Every frame as the contract says, nothing that is no number, bands in order."""
    check_frame(ForecastFrame, forecast.frame)
    check_frame(WindowFrame, forecast.windows)
    assert np.isfinite(forecast.frame[VALUES].to_numpy()).all()
    assert (np.diff(forecast.frame[list(QUANTILE_COLUMNS)].to_numpy(), axis=1) >= 0).all()
    if ids is not None:
        assert forecast.frame.groupby("transformer_id").size().to_dict() == dict.fromkeys(ids, steps)
    return forecast


# --- the unusable go before anything is pooled, chunked or selected -------------------------------------


def mixed_fleet():
    """Ten old transformers and two new ones, with air and ratings: every rung is taken."""
    history = fleet(N_OLD + 2, 64)
    history.iloc[: -24 * 9, N_OLD] = np.nan
    history.iloc[:-30, N_OLD + 1] = np.nan
    history.iloc[300:420, 3] = np.nan
    history.iloc[-60:, 4] *= 0.5
    ratings = rating(history, 1000.0)
    ratings["T-02"], ratings["T-06"] = 200.0, 220.0  # most at risk: one of them gets the second tier
    return history, air_for(history), ratings


@cache
def sound_forecast(method):
    history, air, ratings = mixed_fleet()
    return valid(forecast_load(history, ambient_c=air, rating_kva=ratings, method=method), history.columns)


def stuck_twice(load):
    load[: len(load) // 2] = 100.0
    load[len(load) // 2 :] = 110.0


def nothing_but_one_infinity(load):
    load[:] = np.nan
    load[7] = -np.inf


BAD_COLUMNS = {
    "missing": (lambda load: load.fill(np.nan), 300.0, "all_missing"),
    "idle": (lambda load: load.fill(0.0), 300.0, "constant"),
    "same": (lambda load: load.fill(123.4), 300.0, "constant"),
    "infinite": (lambda load: load.__setitem__(500, np.inf), 300.0, "infinite"),
    "minus infinite at the end": (lambda load: load.__setitem__(-1, -np.inf), 300.0, "infinite"),
    "one infinity": (nothing_but_one_infinity, 300.0, "all_missing"),
    "stuck twice": (stuck_twice, 300.0, "nothing_left"),
    "no rating": (lambda load: None, np.nan, "bad_rating"),
    "rating of 0": (lambda load: None, 0.0, "bad_rating"),
    "rating below 0": (lambda load: None, -300.0, "bad_rating"),
    "rating infinite": (lambda load: None, np.inf, "bad_rating"),
}


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("bad", BAD_COLUMNS)
def test_an_unusable_transformer_is_named_and_leaves_the_others_bit_equal(bad, method):
    history, air, ratings = mixed_fleet()
    spoil, kva, code = BAD_COLUMNS[bad]
    load = history["T-01"].to_numpy().copy()
    spoil(load)
    history.insert(2, "T-00", load)
    ratings["T-00"] = kva
    forecast = forecast_load(history, ambient_c=air, rating_kva=ratings, method=method)
    alone = sound_forecast(method)
    pd.testing.assert_frame_equal(forecast.frame, alone.frame, check_exact=True)
    pd.testing.assert_frame_equal(forecast.windows, alone.windows, check_exact=True)
    mine = forecast.findings["transformer_id"] == "T-00"
    assert forecast.findings.loc[mine, "code"].tolist() == [code]
    assert "left out of the forecast" in forecast.findings.loc[mine, "message"].iloc[0]
    pd.testing.assert_frame_equal(forecast.findings[~mine].reset_index(drop=True), alone.findings)


@settings(max_examples=8)
@given(
    seed=st.integers(0, 10_000),
    n=st.sampled_from([1, 2, 20, 63, 64, 65, 70]),
    days=st.sampled_from([2, 30, 115]),
    method=st.sampled_from(["default", "fleet", "short_profile", "fleet_shape"]),
)
def test_any_number_of_unusable_anywhere_leaves_the_others_bit_equal(seed, n, days, method):
    rng = np.random.default_rng(seed)
    sound = fleet(n, days, seed=seed)
    spoilt, ratings = sound.copy(), rating(sound)
    for i, bad in enumerate(rng.choice(list(BAD_COLUMNS), 9)):
        load = sound.iloc[:, rng.integers(n)].to_numpy().copy()
        if bad == "infinite":
            load[rng.integers(len(load))] = np.inf
        else:
            BAD_COLUMNS[bad][0](load)
        name = f"T-{rng.integers(n + 2):02d}-bad{i}"
        spoilt[name], ratings[name] = load, BAD_COLUMNS[bad][1]
    spoilt = spoilt[rng.permutation(spoilt.columns)]
    # Stations of the unusable are others, so that they would make groups of their own.
    air = pd.DataFrame({name: air_for(sound) + ("bad" in name) for name in spoilt.columns})
    alone = forecast_load(sound, ambient_c=air[sound.columns], rating_kva=ratings, method=method)
    among = forecast_load(spoilt, ambient_c=air, rating_kva=ratings, method=method)
    pd.testing.assert_frame_equal(among.frame, alone.frame, check_exact=True)
    pd.testing.assert_frame_equal(among.windows, alone.windows, check_exact=True)
    assert among.findings["transformer_id"][among.findings["code"].isin(LEFT_OUT)].nunique() == 9


@pytest.mark.parametrize("method", METHODS)
def test_when_all_are_unusable_the_frames_are_empty_and_valid(method):
    history = fleet(3, 20)
    history["T-01"], history["T-02"] = np.nan, 5.0
    ratings = rating(history).drop("T-03")
    forecast = valid(forecast_load(history, rating_kva=ratings, method=method), {})
    assert forecast.findings[["transformer_id", "code"]].to_numpy().tolist() == [
        ["T-01", "all_missing"],
        ["T-02", "constant"],
        ["T-03", "bad_rating"],
    ]
    assert len(explain_forecast(history[["T-01", "T-02"]], method=method)) == 0


def test_the_arguments_come_back_as_they_were():
    history, air, ratings = mixed_fleet()
    history.iloc[50, 2] = np.inf
    before = history.copy(), air.copy(), ratings.copy()
    forecast_load(history, ambient_c=air, rating_kva=ratings)
    pd.testing.assert_frame_equal(history, before[0], check_exact=True)
    pd.testing.assert_series_equal(air, before[1], check_exact=True)
    pd.testing.assert_series_equal(ratings, before[2], check_exact=True)


# --- the table of readings ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (lambda h: h.sample(frac=1, random_state=1), "not sorted"),
        (lambda h: pd.concat([h.iloc[:5], h.iloc[4:]]), "duplicate time"),
        (lambda h: h.tz_localize(None), "without a time zone"),
        (lambda h: h.reset_index(drop=True), "expected times in UTC"),
        (lambda h: h.set_axis(h.index.astype(str)), "expected times in UTC"),
        (lambda h: h.set_axis([*h.index[:-1], pd.NaT]), "not sorted"),
        (lambda h: h.drop(h.index[7]), "expected 60 min everywhere"),
        (lambda h: h.resample("30min").interpolate(), "expected 60 min everywhere"),
        (
            lambda h: h.set_axis(h.index.where(h.index != h.index[9], h.index[9] + pd.Timedelta("1s"))),
            "60 min",
        ),
        (lambda h: h.iloc[:1], "1 rows of 2 transformers"),
        (lambda h: h.iloc[:0], "0 rows of 2 transformers"),
        (lambda h: h.iloc[:, :0], "0 transformers"),
        (lambda h: pd.DataFrame(), "0 rows of 0 transformers"),
        (lambda h: h.set_axis(["A", "A"], axis=1), "'A' has two columns"),
        (lambda h: h.assign(A="many"), "no numbers"),
    ],
)
@pytest.mark.parametrize("door", [forecast_load, explain_forecast])
def test_a_spoilt_table_is_refused_with_what_to_do(spoil, says, door):
    with pytest.raises(InputError, match=says) as caught:
        door(spoil(fleet(2, 10)))
    assert caught.value.what_to_do


@pytest.mark.parametrize("horizon_h", [0, -72, 337, 10_000])
def test_a_horizon_out_of_range_is_refused(horizon_h):
    with pytest.raises(InputError, match=f"horizon of {horizon_h} h, expected 1 to 336 h"):
        forecast_load(fleet(1, 10), horizon_h=horizon_h)


@pytest.mark.parametrize("step_min", [0, -60, 7, 45, 120])
def test_a_step_that_does_not_divide_the_hour_is_refused(step_min):
    with pytest.raises(InputError, match=f"step of {step_min} min"):
        forecast_load(fleet(1, 10), step_min=step_min)


def test_a_method_nobody_knows_is_refused():
    with pytest.raises(InputError, match="unknown forecast method 'naive'") as caught:
        forecast_load(fleet(1, 10), method="naive")
    assert "short_profile" in caught.value.what_to_do


@pytest.mark.parametrize(
    "as_other",
    [
        lambda h: h.astype(np.int64),
        lambda h: h.astype(np.float32),
        lambda h: h.astype(object),
        lambda h: h.astype("Float64"),
        lambda h: h.astype(np.int64).map(Decimal),
        lambda h: h.astype({"T-02": np.int16}),
        lambda h: h.set_axis(h.index.as_unit("s")),
        lambda h: h.set_axis(h.index.tz_convert("Asia/Tokyo")),
        lambda h: pd.DataFrame(np.asfortranarray(h.to_numpy()), index=h.index, columns=h.columns),
    ],
)
@pytest.mark.parametrize("method", ["combination", "short_profile"])
def test_numbers_are_numbers_in_any_type_zone_and_order(as_other, method):
    history = fleet(2, 115).round()
    once, other = (forecast_load(h, method=method) for h in (history, as_other(history)))
    pd.testing.assert_frame_equal(once.frame, other.frame, check_exact=True)


def test_missing_is_missing_in_any_type():
    history = fleet(2, 20).mask(lambda h: h < 150)
    with_none = history.astype(object).where(history.notna(), None)
    for other in (with_none, history.astype("Float64")):
        pd.testing.assert_frame_equal(
            forecast_load(other).frame, forecast_load(history).frame, check_exact=True
        )


def test_readings_that_are_only_on_or_off_are_forecast_in_their_range():
    history = fleet(2, 60) > 200
    bands = valid(forecast_load(history), history.columns).frame[VALUES]
    assert -1 < bands.min().min() <= bands.max().max() < 2


def test_names_that_are_numbers_become_text():
    history = fleet(3, 20).set_axis([10, 9, 8], axis=1)
    forecast = valid(forecast_load(history, rating_kva=rating(history)), ["10", "8", "9"])
    named = history.set_axis(["10", "9", "8"], axis=1)
    expected = forecast_load(named, rating_kva=rating(named))
    pd.testing.assert_frame_equal(forecast.frame, expected.frame, check_exact=True)


# --- how much history -----------------------------------------------------------------------------------


@pytest.mark.parametrize("rows", [2, 3, 5, 6, 7, 23, 24, 25, 47, 48, 49])
def test_two_readings_are_a_history(rows):
    history = fleet(3, 4).iloc[-rows:]
    forecast = forecast_load(history, ambient_c=air_for(history), rating_kva=rating(history))
    valid(forecast, history.columns)
    assert set(forecast.frame["method"]) == {"short_profile" if rows >= 48 else "persistence"}
    assert forecast.findings["code"].tolist() == ["confidence_not_measured"] * 3
    assert forecast.frame["load_kva_mean"].between(100, 500).all()


@pytest.mark.parametrize("days", [*range(14, 33, 3), *range(54, 64, 2)])
def test_no_length_of_history_falls_between_the_rungs(days):
    history = fleet(2, days)
    valid(forecast_load(history, ambient_c=air_for(history), rating_kva=rating(history)), history.columns)


def test_what_is_older_than_two_years_is_not_used():
    history = fleet(2, 760)
    other = history.copy()
    other.iloc[: 29 * 24] *= 3
    for method in ("fleet", "combination"):
        once, moved = (forecast_load(h, method=method) for h in (history, other))
        pd.testing.assert_frame_equal(once.frame, moved.frame, check_exact=True)


def test_a_transformer_of_three_days_stands_beside_those_of_a_year():
    old = fleet(3, 365)
    history = old.assign(new=old["T-02"].where(old.index >= old.index[-72]))
    air = air_for(old)
    alone, among = (forecast_load(h, ambient_c=air, method="fleet") for h in (old, history))
    others = among.frame[among.frame["transformer_id"] != "new"].reset_index(drop=True)
    pd.testing.assert_frame_equal(others, alone.frame, check_exact=True)
    assert of(among.frame, "new")["method"].unique().tolist() == ["short_profile"]
    error = of(among.frame, "new")["load_kva_mean"] - of(alone.frame, "T-02")["load_kva_mean"]
    assert error.abs().mean() < 0.12 * old["T-02"].mean()


@pytest.mark.parametrize("method", METHODS)
def test_odd_gaps_stop_nobody(method):
    history = fleet(7, 130)
    history.iloc[-60 * 24 :, 0] = np.nan  # taken out of service
    history.iloc[1::2, 1] = np.nan  # every other hour
    history.loc[history.index.hour != 3, "T-03"] = np.nan  # one hour a day
    history.iloc[:-1, 3] = np.nan  # one reading
    history.iloc[:-5, 4] = np.nan
    history.iloc[-5:, 4] = 100.0  # five equal readings
    history.iloc[24:-24, 5] = np.nan  # the first and the last day
    forecast = forecast_load(history, rating_kva=rating(history), method=method)
    valid(forecast, history.columns)
    assert forecast.findings.query("code == 'stale'")["transformer_id"].tolist() == ["T-01"]
    assert of(forecast.frame, "T-05")["load_kva_mean"].between(50, 350).all()


# --- sizes and signs ------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", METHODS[1:])
@pytest.mark.parametrize("scale", [1e-9, 1e-3, 1e3, 1e7])
def test_the_unit_does_not_matter(method, scale):
    history = fleet(2, 115)
    air, ratings = air_for(history), rating(history)
    once = forecast_load(history, ambient_c=air, rating_kva=ratings, method=method)
    scaled = forecast_load(history * scale, ambient_c=air, rating_kva=ratings * scale, method=method)
    np.testing.assert_allclose(scaled.frame[VALUES] / scale, once.frame[VALUES], rtol=1e-5)
    np.testing.assert_allclose(scaled.frame["p_overload"], once.frame["p_overload"], atol=1e-5)
    assert scaled.frame["method"].equals(once.frame["method"])


@pytest.mark.parametrize("method", METHODS[1:])
def test_export_mirrors_import(method):
    history = fleet(2, 115)
    air, ratings = air_for(history), rating(history)
    there = forecast_load(history, ambient_c=air, rating_kva=ratings, method=method)
    back = forecast_load(-history, ambient_c=air, rating_kva=ratings, method=method)
    mirrored = -back.frame[["load_kva_mean", *QUANTILE_COLUMNS[::-1]]].to_numpy()
    np.testing.assert_allclose(mirrored, there.frame[VALUES], rtol=1e-6)
    np.testing.assert_allclose(back.frame["p_overload"], there.frame["p_overload"], atol=1e-6)
    columns = ["p_any_overload", "peak_kva_p50", "peak_kva_p90"]
    np.testing.assert_allclose(back.windows[columns], there.windows[columns], rtol=1e-5)


@pytest.mark.parametrize("method", METHODS)
def test_a_load_around_zero_is_forecast_around_zero(method):
    history = fleet(2, 115)
    centred = history - history.mean()
    forecast = valid(forecast_load(centred, rating_kva=rating(centred), method=method), history.columns)
    moved = forecast_load(history, rating_kva=rating(history), method=method)
    np.testing.assert_allclose(
        (forecast.frame["load_kva_mean"] + np.repeat(history.mean().to_numpy(), 72)),
        moved.frame["load_kva_mean"],
        atol=0.1 * history.to_numpy().std(),
    )


def test_one_reading_beyond_all_measure_is_set_aside():
    history = fleet(2, 115)
    for kva in (1e6, -1e6, 1e12):
        spiked = history.copy()
        spiked.iloc[-2, 0] = kva
        forecast = forecast_load(spiked, rating_kva=rating(history), method="fleet")
        assert forecast.findings[["transformer_id", "code"]].to_numpy().tolist() == [["T-01", "set_aside"]]
        assert of(forecast.frame, "T-01")["load_kva_p95"].max() < 400


def test_a_load_that_is_mostly_zero_is_forecast_within_its_range():
    history = fleet(3, 115)
    pumping = history.where(history.index.hour.isin([5, 6, 18])[:, None].repeat(3, axis=1), 0.0)
    bands = valid(forecast_load(pumping, rating_kva=rating(history)), history.columns).frame
    at_rest = ~bands["time"].dt.hour.isin([5, 6, 18])
    assert bands.loc[at_rest, "load_kva_mean"].abs().max() < 15
    assert bands.loc[~at_rest, "load_kva_mean"].min() > 100


# --- steps, horizons, clocks ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("horizon_h", "step_min", "days"),
    [(1, 60, 115), (25, 60, 115), (336, 60, 115), (72, 15, 115), (25, 30, 115)],
)
@pytest.mark.parametrize("method", ["combination", "short_profile"])
def test_any_horizon_and_step(horizon_h, step_min, days, method):
    history = fleet(2, days, step_min=step_min, end="2026-02-10T07:00")
    air = air_for(history, horizon_h).resample(f"{step_min}min").interpolate()
    forecast = forecast_load(
        history,
        horizon_h=horizon_h,
        step_min=step_min,
        ambient_c=air,
        rating_kva=rating(history),
        method=method,
    )
    valid(forecast, history.columns, steps=horizon_h * 60 // step_min)
    assert forecast.frame["method"].unique().tolist() == [method]
    times = of(forecast.frame, "T-01")["time"]
    assert (times == history.index[-1] + pd.Timedelta(minutes=step_min) * (np.arange(len(times)) + 1)).all()
    daily = of(forecast.frame, "T-02").set_index("time")["load_kva_mean"].iloc[: 1440 // step_min]
    assert horizon_h == 1 or daily.idxmax().tz_convert("Asia/Amman").hour in (19, 20)


@pytest.mark.parametrize("change", ["2026-03-29T01:00", "2026-10-25T01:00"])
@pytest.mark.parametrize("hours", [-48, 0, 72])
@pytest.mark.parametrize("method", ["fleet", "combination", "short_profile"])
def test_the_evening_stays_the_evening_when_clocks_change(change, hours, method):
    end = pd.Timestamp(change, tz="UTC") + pd.Timedelta(hours=hours)
    times = pd.date_range(end=end, periods=24 * 180, freq="h")
    evening = times.tz_convert("Europe/Copenhagen").hour == 18
    noise = np.random.default_rng(0).normal(0, 1, len(times))
    history = pd.DataFrame({"T-01": 100 + 80.0 * evening + noise}, index=times)
    forecast = forecast_load(history, calendar=calendar_for("DK", "Europe/Copenhagen"), method=method)
    frame = valid(forecast, ["T-01"]).frame
    expected = 100 + 80 * (frame["time"].dt.tz_convert("Europe/Copenhagen").dt.hour == 18)
    assert (frame["load_kva_mean"] - expected).abs().max() < 3


def test_the_zone_alone_does_not_matter():
    history = fleet(2, 115)
    moved = history.set_axis(history.index - pd.Timedelta("1h"))
    for method in ("combination", "short_profile"):
        amman = forecast_load(history, method=method, calendar=calendar_for("JO", "Asia/Amman"))
        dubai = forecast_load(moved, method=method, calendar=calendar_for("JO", "Asia/Dubai"))
        pd.testing.assert_frame_equal(amman.frame[VALUES], dubai.frame[VALUES], check_exact=True)


@pytest.mark.parametrize("weeks", [1, 5, 53])
def test_whole_weeks_later_the_profile_says_the_same(weeks):
    days = pd.date_range("2025-09-01", "2027-12-31").date
    plain = {day: "weekend" if day.weekday() in (4, 5) else "workday" for day in days}
    history = fleet(2, 60)
    later = history.set_axis(history.index + pd.Timedelta(weeks=weeks))
    once, again = (
        forecast_load(h, method="short_profile", calendar=calendar_for(overrides=plain))
        for h in (history, later)
    )
    pd.testing.assert_frame_equal(once.frame[VALUES], again.frame[VALUES], check_exact=True)


def test_years_without_a_calendar_are_refused():
    with pytest.raises(InputError, match="no calendar for"):
        forecast_load(fleet(1, 10, end="2200-01-01"))


# --- weather --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "spoil",
    [
        lambda air: air.iloc[:-72],  # ends with the history
        lambda air: air.iloc[:-20],  # shorter than the horizon
        lambda air: air.where(np.arange(len(air)) < len(air) - 20),
        lambda air: air.iloc[-72:],
        lambda air: air.iloc[:0],
        lambda air: air * np.nan,
        lambda air: air.set_axis(air.index + pd.Timedelta("17min")),
        lambda air: pd.DataFrame({"other": air}),
        lambda air: pd.DataFrame(index=air.index),
    ],
)
@pytest.mark.parametrize("method", ["default", "fleet"])
def test_weather_that_will_not_do_is_left_out_with_a_finding(spoil, method):
    history = fleet(3, 115)
    forecast = forecast_load(history, ambient_c=spoil(air_for(history)), method=method)
    without = forecast_load(history, method=method)
    pd.testing.assert_frame_equal(forecast.frame, without.frame, check_exact=True)
    assert forecast.findings[["transformer_id", "code"]].to_numpy().tolist() == [
        [name, "no_weather"] for name in history.columns
    ]


@pytest.mark.parametrize(
    "as_other",
    [
        lambda air: air.tz_convert("Asia/Amman"),
        lambda air: air.set_axis(air.index.as_unit("s")),
        lambda air: air.astype(object),
        lambda air: air.astype("Float64"),
        lambda air: air.resample("30min").interpolate(),
        lambda air: pd.DataFrame(dict.fromkeys(["T-03", "other", "T-01", "T-02"], air)),
        lambda air: pd.concat([air.iloc[:1].shift(-9, "D"), air, air.iloc[-1:].shift(9, "D")]),
    ],
)
def test_weather_is_the_same_in_any_shape(as_other):
    history = fleet(3, 60)
    air = air_for(history)
    once, other = (forecast_load(history, ambient_c=a, method="fleet") for a in (air, as_other(air)))
    pd.testing.assert_frame_equal(once.frame, other.frame, check_exact=True)
    assert "no_weather" not in set(other.findings["code"])


def test_a_tail_of_missing_weather_of_some_hours_is_carried_on():
    history = fleet(2, 60)
    air = air_for(history)
    forecast = forecast_load(history, ambient_c=air.iloc[:-6], method="fleet")
    carried = air.where(np.arange(len(air)) < len(air) - 6).ffill()
    expected = forecast_load(history, ambient_c=carried, method="fleet")
    pd.testing.assert_frame_equal(forecast.frame, expected.frame, check_exact=True)


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (lambda air: air.iloc[::-1], "ambient_c: times are not sorted"),
        (lambda air: pd.concat([air, air.iloc[-1:]]), "ambient_c: duplicate time"),
        (lambda air: air.tz_localize(None), "ambient_c: naive"),
        (lambda air: air.reset_index(drop=True), "ambient_c: found an index"),
    ],
)
def test_weather_with_spoilt_times_is_refused(spoil, says):
    history = fleet(1, 10)
    with pytest.raises(InputError, match=says) as caught:
        forecast_load(history, ambient_c=spoil(air_for(history)))
    assert caught.value.what_to_do


# --- ratings --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("ratings", [pd.Series(300.0, index=["X", "Y"]), pd.Series(dtype=float)])
def test_ratings_of_others_leave_nobody_with_one(ratings):
    history = fleet(2, 20)
    forecast = valid(forecast_load(history, rating_kva=ratings), {})
    assert forecast.findings["code"].tolist() == ["bad_rating"] * 2
    assert forecast.findings["message"].str.contains("no rating").all()


@pytest.mark.parametrize("kind", [np.int64, object, "Float64", np.float32])
def test_ratings_are_numbers_in_any_type_and_order(kind):
    history = fleet(3, 20)
    ratings = pd.Series([200.0, 250.0, 300.0], index=history.columns)
    other = pd.concat([ratings, pd.Series({"X": 100.0})]).astype(kind).iloc[::-1]
    once, again = (forecast_load(history, rating_kva=r) for r in (ratings, other))
    pd.testing.assert_frame_equal(once.frame, again.frame, check_exact=True)


# --- many -----------------------------------------------------------------------------------------------


def test_one_alone_is_as_among_hundreds():
    history = fleet(300, 3)
    among = valid(forecast_load(history, rating_kva=rating(history)), history.columns)
    alone = forecast_load(history[["T-150"]], rating_kva=rating(history))
    pd.testing.assert_frame_equal(of(among.frame, "T-150"), alone.frame, check_exact=True)


@pytest.mark.parametrize("celsius", [-999.0, 9999.0, 1e6])
@pytest.mark.parametrize("hour", [500, -30])
def test_air_that_no_air_can_have_is_taken_as_missing(celsius, hour):
    history = fleet(2, 115)
    air = air_for(history)
    spoilt, holed = air.copy(), air.copy()
    spoilt.iloc[hour], holed.iloc[hour] = celsius, np.nan
    found, expected = (forecast_load(history, ambient_c=a, method="fleet") for a in (spoilt, holed))
    pd.testing.assert_frame_equal(found.frame, expected.frame, check_exact=True)


@pytest.mark.parametrize("method", ["fleet", "combination"])
def test_alone_is_as_among_others_with_a_year_of_history(method):
    history = fleet(5, 365)
    among = forecast_load(history, method=method)
    for name in history:
        alone = forecast_load(history[[name]], method=method)
        pd.testing.assert_frame_equal(of(among.frame, name), alone.frame, check_exact=True)


def test_each_remark_is_made_once():
    history = fleet(10, 130)
    history.iloc[-72:] *= 0.5
    findings = forecast_load(history).findings
    assert not findings.duplicated(["transformer_id", "code"]).any()


def test_a_long_gap_in_old_weather_does_not_take_all_weather_away():
    history = fleet(2, 365)
    air = air_for(history)
    air.iloc[500:540] = np.nan
    assert "no_weather" not in set(forecast_load(history, ambient_c=air).findings["code"])


def test_gaps_of_weather_longer_than_six_hours_are_filled_and_said():
    history = fleet(1, 60)
    air = air_for(history)
    air.iloc[500:511] = np.nan
    assert forecast_load(history, ambient_c=air).findings["code"].tolist() == ["weather_filled"]


@pytest.mark.parametrize("scale", [1e20, 1e38, 1e200])
@pytest.mark.parametrize("method", ["fleet", "combination", "short_profile"])
def test_a_column_beyond_all_measure_is_refused_as_a_finding(scale, method):
    history = fleet(3, 115)
    history["T-02"] *= scale
    forecast = forecast_load(history, rating_kva=rating(history), method=method)
    assert np.isfinite(forecast.frame["load_kva_mean"]).all()


def test_one_reading_of_1e300_warns_of_nothing():
    history = fleet(2, 115)
    history.iloc[500, 0] = 1e300
    valid(forecast_load(history), history.columns)


def test_two_names_that_become_one_text_are_refused():
    history = fleet(2, 20).set_axis([1, "1"], axis=1)
    with pytest.raises(InputError, match="two columns"):
        forecast_load(history)


@pytest.mark.parametrize(
    "given",
    [
        {"rating_kva": pd.Series([300.0, 300.0, 250.0], index=["T-01", "T-02", "T-01"])},
        {"rating_kva": pd.Series([300.0, "big"], index=["T-01", "T-02"])},
        {"horizon_h": 1.5},
        {"horizon_h": "72"},
        {"horizon_h": None},
        {"step_min": 60.0},
        {"step_min": None},
    ],
)
def test_arguments_of_the_wrong_kind_are_refused(given):
    with pytest.raises(InputError):
        forecast_load(fleet(2, 20), **given)


def test_weather_with_two_columns_of_one_name_or_words_is_refused():
    history = fleet(2, 20)
    air = air_for(history)
    for bad in (pd.concat([air.rename("T-01")] * 2, axis=1), air.astype(object).where(air < 30, "hot")):
        with pytest.raises(InputError):
            forecast_load(history, ambient_c=bad)


def test_times_and_complex_numbers_are_no_loads():
    history = fleet(2, 20)
    for bad in (history.assign(A=history.index.tz_localize(None)), history.astype(complex)):
        with pytest.raises(InputError, match="no numbers"):
            forecast_load(bad)


def test_older_history_does_not_change_the_errors_drawn_for_the_air():
    history = fleet(1, 760)
    air = air_for(history)
    long, cut = (
        forecast_load(h, ambient_c=air, method="fleet") for h in (history, history.iloc[-730 * 24 :])
    )
    np.testing.assert_allclose(long.frame["load_kva_mean"], cut.frame["load_kva_mean"], rtol=1e-3)
