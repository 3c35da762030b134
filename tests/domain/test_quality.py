"""Each code on a planted fault, and nothing on what is sound."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gridlib.domain.quality import beyond_rating, check_load, check_unit, clean_load, utc_index
from gridlib.facts.errors import InputError

DAYS = 30


def sound(columns=("T-01",), seed=1, freq="h"):
    times = pd.date_range("2026-01-01", periods=DAYS * (96 if freq == "15min" else 24), freq=freq, tz="UTC")
    rng = np.random.default_rng(seed)
    day = 200 + 80 * np.sin((times.hour.to_numpy() - 9) / 24 * 2 * np.pi)
    load = day[:, None] + rng.normal(0, 8, (len(times), len(columns)))
    return pd.DataFrame(load, index=times, columns=list(columns))


def codes(history):
    found = check_load(history)
    return {row.code: row.count for row in found.itertuples(index=False)} if len(found) else {}


def found(history):
    return [(r["transformer_id"], r["code"], r["count"]) for _, r in check_load(history).iterrows()]


def test_sound_readings_have_no_finding():
    assert found(sound([f"T-{i:02d}" for i in range(20)])) == []


def test_export_is_sound():
    assert found(-sound()) == []


def test_missing():
    history = sound()
    history.iloc[100:110] = np.nan
    history.iloc[200:203] = np.nan
    row = check_load(history).iloc[0]
    assert (row["code"], row["count"]) == ("missing", 13)
    assert (row["first"], row["last"]) == (history.index[100], history.index[202])


def test_before_the_first_reading_nothing_is_missing():
    history = sound()
    history.iloc[:500] = np.nan
    assert found(history) == []


@pytest.mark.parametrize(("length", "expected"), [(5, []), (6, [("T-01", "stuck", 6)])])
def test_stuck_from_six_equal_readings(length, expected):
    history = sound()
    history.iloc[300 : 300 + length] = history.iloc[300, 0]
    assert found(history) == expected


def test_zero_block_is_not_stuck():
    history = sound()
    history.iloc[300:310] = 0.0
    assert found(history) == [("T-01", "zero_block", 10)]


def test_stuck_at_the_very_end():
    history = sound()
    history.iloc[-8:] = 250.0
    assert found(history) == [("T-01", "stuck", 8)]


def test_a_coarse_meter_is_not_stuck_every_night():
    history = sound().mul(0.0).add(50 * (np.arange(DAYS * 24) % 24 // 7)[:, None])
    assert found(history) == []
    history.iloc[240:290] = 50.0
    assert [row[1] for row in found(history)] == ["stuck"]


@pytest.mark.parametrize("place", [0, 5, 400, -1])
@pytest.mark.parametrize("size", [5.0, -3.0])
def test_spike(place, size):
    history = sound()
    history.iloc[place] *= size
    assert found(history) == [("T-01", "spike", 1)]


def test_spike_in_quarter_hours():
    history = sound(freq="15min")
    history.iloc[1000] *= 4
    assert found(history) == [("T-01", "spike", 1)]


def test_a_change_of_load_is_no_spike():
    history = sound()
    history.iloc[500:] *= 0.6
    assert found(history) == []
    last_day = sound()
    last_day.iloc[-24:] *= 1.5
    assert found(last_day) == []


def test_an_evening_over_the_rating_is_no_spike():
    history = sound()
    evening = history.index.hour.isin([16, 17, 18])
    history.loc[evening & (history.index >= "2026-01-28")] *= 1.25
    assert found(history) == []


def test_infinite():
    history = sound()
    history.iloc[7] = np.inf
    history.iloc[9] = -np.inf
    assert found(history) == [("T-01", "infinite", 2)]


def test_all_missing_and_constant_stand_alone():
    history = sound(["T-01", "T-02", "T-03"])
    history["T-02"] = np.nan
    history["T-03"] = 17.5
    history.iloc[3, 2] = np.nan
    n = len(history)
    assert found(history) == [("T-02", "all_missing", n), ("T-03", "constant", n - 1)]


def test_wrong_unit():
    history = sound(["T-01", "T-02", "T-03"])
    history["T-02"] *= 1000
    rating = pd.Series({"T-01": 500.0, "T-02": 500.0})
    findings = check_unit(history, rating, 5.0)
    assert findings["transformer_id"].tolist() == ["T-02"]
    assert findings["code"].tolist() == ["wrong_unit"]
    assert "500 kVA" in findings["message"][0]
    assert "expected" in findings["message"][0]


def test_cleaning_sets_aside_what_was_flagged_and_alters_nothing():
    history = sound(["T-01", "T-02"])
    history.iloc[100:110, 0] = 33.0
    history.iloc[200, 0] = np.inf
    history.iloc[300, 1] *= 6
    before = history.copy()
    cleaned, findings = clean_load(history)
    pd.testing.assert_frame_equal(history, before)
    pd.testing.assert_frame_equal(findings, check_load(history))
    aside = cleaned.isna()
    assert aside["T-01"].to_numpy().nonzero()[0].tolist() == [*range(100, 110), 200]
    assert aside["T-02"].to_numpy().nonzero()[0].tolist() == [300]
    assert (cleaned == history)[~aside].stack().all()
    assert check_load(cleaned)["code"].unique().tolist() == ["missing"]


def test_one_transformer_s_faults_are_its_own():
    history = sound([f"T-{i:03d}" for i in range(300)])
    history.iloc[50:60, 270] = 0.0
    assert found(history) == [("T-270", "zero_block", 10)]


@settings(max_examples=25)
@given(scale=st.floats(1e-3, 1e6), seed=st.integers(0, 1000))
def test_codes_do_not_depend_on_the_unit(scale, seed):
    rng = np.random.default_rng(seed)
    history = sound(["T-01", "T-02"], seed)
    spikes = rng.integers(0, len(history), 5)
    history.iloc[spikes, 0] += rng.normal(0, 200, 5)
    assert found(history) == found(history * scale)


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (lambda index: index.tz_localize(None), "naive"),
        (lambda index: index[::-1], "not sorted"),
        (lambda index: index[[0, 0, *range(2, len(index))]], "duplicate"),
        (lambda index: pd.RangeIndex(len(index)), "times in UTC"),
    ],
)
def test_a_bad_index_is_refused(spoil, says):
    history = sound()
    history.index = spoil(history.index)
    with pytest.raises(InputError, match=says) as caught:
        check_load(history)
    assert caught.value.what_to_do


def test_other_refusals():
    with pytest.raises(InputError, match="two columns"):
        check_load(sound(["T-01", "T-01"]))
    with pytest.raises(InputError, match="no numbers"):
        check_load(sound().astype(object).replace({sound().iloc[3, 0]: "bad"}))
    with pytest.raises(InputError, match="expected at least one"):
        check_load(sound().iloc[:0])


def test_times_come_out_in_utc_and_nanoseconds():
    index = pd.date_range("2026-01-01", periods=3, freq="h", tz="Asia/Amman", unit="s")
    assert str(utc_index(index).dtype) == "datetime64[ns, UTC]"
    history = sound()
    history.iloc[5] = np.nan
    history.index = history.index.as_unit("us")
    assert str(check_load(history)["first"].dtype) == "datetime64[ns, UTC]"


def test_a_reading_is_beyond_belief_only_where_a_rating_is_known():
    load = np.array([[2500.0, 2500.1, -2500.1, np.nan, np.inf]]).T
    rating = np.array([500.0, np.nan, 0.0, -500.0, np.inf])
    flagged = beyond_rating(load, rating, 5.0)
    assert flagged[:, 0].tolist() == [False, True, True, False, False]
    assert not flagged[:, 1:].any()


def test_the_fast_search_for_spikes_misses_none_of_the_plain_definition():
    rng = np.random.default_rng(4)
    times = pd.date_range("2026-01-01", periods=20 * 24, freq="h", tz="UTC")
    load = pd.DataFrame(100 + rng.normal(0, 3, (len(times), 5)), index=times, columns=list("ABCDE"))
    load = load.mask(rng.random(load.shape) < 0.05)
    load = load.mask(rng.random(load.shape) < 0.01, load * 1.8)
    cleaned, _ = clean_load(load)
    for name, column in load.items():
        table = column.to_numpy().reshape(-1, 24)
        padded = np.pad(table, ((3, 3), (0, 0)), constant_values=np.nan)
        around = np.stack([padded[k : k + len(table)] for k in range(7)])
        centre = np.nanmedian(around, axis=0)
        mad = np.nanmedian(np.abs(around - centre), axis=0)
        limit = 6 * 1.4826 * np.maximum(mad, np.median(mad))
        far = (np.abs(table - centre) > 1.5 * limit).ravel()
        assert np.isnan(cleaned[name].to_numpy()[far]).all()
