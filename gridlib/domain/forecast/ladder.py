"""What comes in by the door and goes out as frames: the public face of the forecast."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gridlib.domain.calendar import Calendar
from gridlib.domain.forecast.climb import RUNGS, Result, climb
from gridlib.domain.forecast.door import Request, open_request
from gridlib.domain.forecast.paths import windows_of
from gridlib.domain.forecast.profile import TERMS
from gridlib.facts.errors import InputError
from gridlib.facts.forecasts import Forecast, JointPaths
from gridlib.facts.units import QUANTILE_COLUMNS


def forecast_load(
    history: pd.DataFrame,
    *,
    horizon_h: int = 72,
    ambient_c: pd.Series | pd.DataFrame | None = None,
    rating_kva: pd.Series | None = None,
    calendar: Calendar | None = None,
    step_min: int = 60,
    method: str = "default",
    neighbours: pd.DataFrame | None = None,
) -> Forecast:
    """Forecast the load of every transformer, with quantiles and the chance of overload.

    Parameters
    ----------
    history : DataFrame
        Wide: UTC index, one row each ``step_min``, the last one the step before the first of the horizon;
        one column for each transformer, load [kVA], NaN is missing, negative is export.
    horizon_h : int
        1 to 336 [h].
    ambient_c : Series or DataFrame, optional
        Air temperature over history and horizon, measured, then forecast [degC]; a DataFrame has one
        column for each transformer.
    rating_kva : Series, optional
        Nameplate of each transformer [kVA].
    calendar : Calendar, optional
        From `gridlib.domain.calendar.calendar_for`; default Jordan in Amman.
    step_min : int
        Step of the history and of the forecast, a divisor of 60 [min].
    method : str
        "default": the fast tier for all, the second tier too for the tenth, at most 200, that are at most
        risk; "combination": both tiers for all; or the highest rung to use: "fleet" (the fast tier),
        "short_profile", "fleet_shape" or "persistence".
    neighbours : DataFrame, optional
        transformer_id and neighbour_id, a row for each pair that sections can be switched over between, both
        ways: where the level of one changes, the others are looked at for the opposite.

    Returns
    -------
    Forecast
        ``frame`` as `gridlib.facts.frames.ForecastFrame`, ``windows`` as
        `gridlib.facts.frames.WindowFrame`, ``findings`` with transformer_id, code and message. A
        transformer that cannot be forecast is left out with exactly one finding of these codes:
        all_missing, constant, infinite, bad_rating, nothing_left. Remarks on the others: set_aside
        (flagged readings taken as missing), stale, no_weather, weather_filled, level_shift, naive_is_better,
        errors_independent, confidence_not_measured. ``paths`` are the joint error paths of those forecast.

    Raises
    ------
    InputError
        Where everything is spoilt: naive, unsorted or duplicate times, another step than ``step_min``,
        a horizon outside 1..336 h, fewer than two rows, an unknown method.

    Notes
    -----
    The ladder, by days of usable readings: "fleet" from 112 days, with weather 56, that hold every kind of
    day, and "combination" of it and the second tier; "short_profile" from 2 days; "fleet_shape" below, the
    mean shape of the others per unit of rating at the transformer's own level; "persistence" where there is
    no fleet either. Where a naive has been better over the past origins, "naive" takes the tiers' place.
    The mean is a sum of terms, see `explain_forecast`. The fast tier is
    `gridlib.domain.forecast.expectation` followed by `gridlib.domain.forecast.deviation`, the second
    `gridlib.domain.forecast.lead_ridge`; bands and chances come from the leave-out errors of past days,
    `gridlib.domain.forecast.paths.bands_of`. What one transformer gets from "fleet", "combination" and
    "short_profile" does not depend on the others, bit for bit; who gets the second tier does.

    With ratings, most at risk is who has the largest chance of any overload, then the largest median
    peak over rating; without, who has the largest past errors relative to the load.

    Examples
    --------
    >>> times = pd.date_range("2026-01-01", periods=21 * 24, freq="h", tz="UTC")
    >>> evening = 100.0 + 50.0 * (times.hour == 17)
    >>> forecast = forecast_load(pd.DataFrame({"T-01": evening}, index=times), horizon_h=24)
    >>> forecast.frame.loc[16:18, "load_kva_p50"].round(6).tolist()
    [100.0, 150.0, 100.0]
    """
    _check_method(method)
    request = open_request(
        history,
        horizon_h=horizon_h,
        ambient_c=ambient_c,
        rating_kva=rating_kva,
        calendar=calendar,
        step_min=step_min,
    )
    result = climb(request, method, _pairs(request, neighbours))
    n, steps = len(request.ids), len(request.times)
    ids = np.array(request.ids, dtype=object)
    # One block, not copied again: a fleet's frame is large.
    columns = ["load_kva_mean", *QUANTILE_COLUMNS, "p_overload", "confidence"]
    frame = pd.DataFrame(result.columns.reshape(len(columns), -1).T, columns=columns, copy=False)
    frame.insert(0, "transformer_id", np.repeat(ids, steps))
    frame.insert(1, "time", _repeated(request.times, n))
    frame["method"] = np.repeat(result.rung.astype(object), steps)
    findings = [*request.findings, *result.findings]
    return Forecast(
        frame=frame,
        windows=_window_frame(request, result),
        findings=pd.DataFrame(findings, columns=["transformer_id", "code", "message"], dtype=object),
        paths=JointPaths(
            ids,
            request.times,
            pd.DatetimeIndex(request.times[0] - pd.to_timedelta(result.joint.age_d, unit="D")),
            result.joint.unit_kva,
            result.joint.error_steps,
            result.joint.same_day,
        ),
    )


def explain_forecast(
    history: pd.DataFrame,
    *,
    horizon_h: int = 72,
    ambient_c: pd.Series | pd.DataFrame | None = None,
    calendar: Calendar | None = None,
    step_min: int = 60,
    method: str = "default",
    rating_kva: pd.Series | None = None,
) -> pd.DataFrame:
    """Take the forecast mean apart into the terms that sum to it.

    Parameters
    ----------
    history, horizon_h, ambient_c, calendar, step_min, method, rating_kva
        As for `forecast_load`, to whose mean the terms sum.

    Returns
    -------
    DataFrame
        transformer_id, time, level_kva, daily_kva, weekly_kva, calendar_kva (holidays), temperature_kva
        (beyond its mean over the history), recent_kva, and their sum load_kva_mean.
    """
    _check_method(method)
    request = open_request(
        history,
        horizon_h=horizon_h,
        ambient_c=ambient_c,
        rating_kva=rating_kva,
        calendar=calendar,
        step_min=step_min,
    )
    terms = climb(request, method, explain=True).terms_kva
    columns: dict[str, object] = {
        "transformer_id": np.repeat(np.array(request.ids, dtype=object), len(request.times)),
        "time": _repeated(request.times, len(request.ids)),
    }
    for term, values in zip(TERMS, terms, strict=True):
        columns[f"{term}_kva"] = values.ravel()
    columns["load_kva_mean"] = terms.sum(axis=0).ravel()
    return pd.DataFrame(columns)


def _repeated(times: pd.DatetimeIndex, n: int) -> pd.DatetimeIndex:
    return pd.DatetimeIndex(np.tile(times.asi8, n)).tz_localize("UTC")


def _pairs(request: Request, neighbours: pd.DataFrame | None) -> NDArray[np.int64] | None:
    if neighbours is None:
        return None
    ids = pd.Index(request.ids)
    both = [pd.Index(neighbours[name]) for name in ("transformer_id", "neighbour_id")]
    rows = np.stack([ids.get_indexer(names) for names in both], axis=1)
    return np.asarray(rows[(rows >= 0).all(axis=1)], dtype=np.int64)


def _check_method(method: str) -> None:
    if method not in ("default", *RUNGS):
        raise InputError(
            f"unknown forecast method '{method}'",
            what_to_do=f"Use one of: default, {', '.join(RUNGS)}.",
        )


def _window_frame(request: Request, result: Result) -> pd.DataFrame:
    windows = np.array(windows_of(request.horizon_h), dtype=np.int64)
    n, w = len(request.ids), len(windows)
    frame = pd.DataFrame(
        {
            "transformer_id": np.repeat(np.array(request.ids, dtype=object), w),
            "from_h": np.tile(windows[:, 0], n),
            "to_h": np.tile(windows[:, 1], n),
            "p_any_overload": result.p_any_overload.ravel(),
            "peak_kva_p50": result.peak_kva[..., 0].ravel(),
            "peak_kva_p90": result.peak_kva[..., 1].ravel(),
        }
    )
    return frame.sort_values(["transformer_id", "from_h", "to_h"], ignore_index=True)
