"""Scores with hotter air and more load, and reasons that can be read in both languages from stored rows."""

import numpy as np
import pandas as pd
import pytest

from gridlib.domain.network import parse_network
from gridlib.domain.risk import hold_level, limit_message, score_risk, score_sensitivity, sensitivity_messages
from gridlib.domain.thermal import ambient_at_transformers, forecast_day_limits, forecast_thermal
from gridlib.facts.frames import RiskFrame, check_frame
from gridlib.facts.messages import from_json, render
from gridlib.facts.types import Limits
from gridlib.facts.units import QUANTILE_COLUMNS

LIMITS = Limits()
T0 = pd.Timestamp("2025-08-12T00:00Z")
NETWORK = parse_network("T1(500) -b1- a /t1/ b -b2- T2(1000); T3(400) -b3- c")
EVENING = 0.5 + 0.5 * np.exp(-((np.arange(72) % 24 - 17) ** 2) / 18)


def assessed(loads: dict[str, float], air_c: float = 38.0):
    """Everything of a run: forecast, heat, limits of the day and risk."""
    times = pd.date_range(T0, periods=72, freq="h")
    parts = [
        pd.DataFrame({"transformer_id": name, "time": times, "load_kva_mean": peak * EVENING})
        .assign(
            **{column: peak * EVENING * (1 + 0.01 * (i - 5)) for i, column in enumerate(QUANTILE_COLUMNS)}
        )
        .assign(confidence=0.8)
        for name, peak in loads.items()
    ]
    forecast = pd.concat(parts, ignore_index=True)
    windows = pd.DataFrame(
        [(name, a, b, 0.0) for name in loads for a, b in ((0, 24), (24, 72), (0, 72))],
        columns=["transformer_id", "from_h", "to_h", "p_any_overload"],
    )
    air = ambient_at_transformers(pd.Series(air_c, index=times), NETWORK.transformers, kiosk_surcharge_k=15)
    thermal, initial, _ = forecast_thermal(forecast, NETWORK.transformers, air, air.iloc[:0])
    days = forecast_day_limits(forecast, NETWORK.transformers, thermal, initial, limits=LIMITS)
    risk, _ = score_risk(forecast, windows, thermal, NETWORK, limits=LIMITS, tz="Asia/Amman", day_limits=days)
    check_frame(RiskFrame, risk)
    return forecast, thermal, initial, risk


LOADS = {"T1": 480.0, "T2": 900.0, "T3": 440.0}


def test_nothing_changed_is_the_score_of_the_run() -> None:
    forecast, thermal, initial, risk = assessed(LOADS)
    found = score_sensitivity(forecast, thermal, NETWORK, initial, limits=LIMITS).set_index("transformer_id")
    scores = risk.set_index("transformer_id")["risk_score"]
    assert found["score"].to_dict() == scores.to_dict()


def test_hotter_air_and_more_load_are_scored_as_a_run_of_their_own() -> None:
    """Hotter air from the first hour on, from a start that is as measured: no history, so steady state."""
    forecast, thermal, initial, _ = assessed(LOADS)
    found = score_sensitivity(forecast, thermal, NETWORK, initial, limits=LIMITS).set_index("transformer_id")
    _, _, _, more = assessed({name: 1.1 * load for name, load in LOADS.items()})
    # The start differs: the run of its own begins in the steady state of 110 %; its mark is gone by the peak.
    assert found["score_load"].to_dict() == pytest.approx(
        more.set_index("transformer_id")["risk_score"].to_dict(), abs=2e-3
    )
    _, _, _, hotter = assessed(LOADS, air_c=41.0)
    assert found["score_air"].to_dict() == pytest.approx(
        hotter.set_index("transformer_id")["risk_score"].to_dict(), abs=2e-3
    )
    assert (found["score_air"] > found["score"] + 0.01).any()
    assert (found["score_load"] > found["score"] + 0.1).any()
    assert (found["score_air"] >= found["score"]).all()


def test_who_has_no_temperatures_is_left_out_and_the_others_do_not_notice() -> None:
    forecast, thermal, initial, _ = assessed(LOADS)
    whole = score_sensitivity(forecast, thermal, NETWORK, initial, limits=LIMITS)
    fewer = thermal[thermal["transformer_id"] != "T2"]
    found = score_sensitivity(
        forecast,
        fewer,
        NETWORK,
        initial,
        limits=LIMITS,
        normal_kva=forecast.pivot(index="time", columns="transformer_id", values="load_kva_p50"),
    )
    assert found["transformer_id"].tolist() == ["T1", "T3"]
    kept = whole[whole["transformer_id"] != "T2"].reset_index(drop=True)
    pd.testing.assert_frame_equal(found, kept, check_exact=True)


def test_the_line_for_people() -> None:
    row = pd.Series({"score": 0.61, "score_air": 0.74, "score_load": 0.79})
    assert [render(m) for m in sensitivity_messages(row)] == [
        "+3 degC: 0.61 -> 0.74",
        "+10 % load: 0.61 -> 0.79",
    ]


def test_the_limit_of_the_day_stands_in_the_risk_with_what_binds() -> None:
    _, _, _, risk = assessed(LOADS, air_c=55.0)
    row = risk.set_index("transformer_id").loc["T1"]
    assert row["limit_kva"] == row["cyclic_rating_kva"] < row["rating_kva"] == 500
    said = render(limit_message(row))
    assert said.startswith(f"today's limit {row['limit_kva']:.0f} kVA")
    assert row["limit_by"] == "ageing"
    assert said.endswith("ageing binds, a day of life in a day")
    _, _, _, cool = assessed(LOADS, air_c=0.0)
    row = cool.set_index("transformer_id").loc["T1"]
    assert (row["limit_kva"], row["limit_by"]) == (500, "site")
    assert row["cyclic_rating_kva"] > 500


def test_without_temperatures_there_is_no_limit_of_the_day() -> None:
    forecast, thermal, _, _ = assessed(LOADS)
    windows = pd.DataFrame(
        [(name, a, b, 0.0) for name in LOADS for a, b in ((0, 24), (24, 72), (0, 72))],
        columns=["transformer_id", "from_h", "to_h", "p_any_overload"],
    )
    risk, _ = score_risk(forecast, windows, thermal, NETWORK, limits=LIMITS, tz="UTC")
    check_frame(RiskFrame, risk)
    assert risk["limit_kva"].isna().all()
    assert limit_message(risk.iloc[0]) is None


def test_stored_messages_say_the_reasons_in_english_and_in_arabic() -> None:
    _, _, _, risk = assessed(LOADS)
    calm = risk.assign(risk_score=0.0, risk_level="LOW", raised_by="")
    held = hold_level(calm, [risk.assign(risk_level="HIGH")], LIMITS)
    assert held["reasons"].map(len).min() >= 2
    for row in held.itertuples():
        messages = from_json(row.messages)
        assert [render(message) for message in messages] == row.reasons
        arabic = [render(message, "ar") for message in messages]
        assert all(any("ا" <= letter <= "ي" for letter in text) for text in arabic)
        level = {"MEDIUM": "متوسط", "HIGH": "مرتفع"}[row.risk_level]
        assert arabic[-1].startswith(f"أُبقي المستوى على {level}")
