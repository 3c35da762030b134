"""Which transformer is forecast by which rung, and the frames that come out."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gridlib.domain.calendar import Calendar, DayType
from gridlib.domain.forecast.door import Request, open_request
from gridlib.domain.forecast.fleet import MOST_DONORS, borrow_from_fleet, persist, unit_kva
from gridlib.domain.forecast.paths import Paths, bands_of, error_paths, windows_of
from gridlib.domain.forecast.profile import TERMS, fit_profile
from gridlib.facts.errors import InputError
from gridlib.facts.types import Forecast
from gridlib.facts.units import QUANTILE_COLUMNS

RUNGS = ("profile", "short_profile", "fleet", "persistence")
"""From the most history to the least."""

PROFILE_D = 14
SHORT_PROFILE_D = 2
TEMPERATURE_D = 28
"""Days of readings that the rungs, and the temperature term, ask for [d]."""

_CHUNK = 64  # transformers at a time, to bound the memory
_Float = NDArray[np.float64]
_Int = NDArray[np.int64]


@dataclass(frozen=True)
class _Result:
    """Everything about all transformers of a request, in its order."""

    rung: NDArray[np.str_]  # [N]
    terms_kva: _Float  # [terms, N, H]
    quantiles_kva: _Float  # [N, quantiles, H]
    p_overload: _Float  # [N, H]
    p_any_overload: _Float  # [N, windows]
    peak_kva: _Float  # [N, windows, 2]
    confidence: _Float  # [N]


def forecast_load(
    history: pd.DataFrame,
    *,
    horizon_h: int = 72,
    ambient_c: pd.Series | pd.DataFrame | None = None,
    rating_kva: pd.Series | None = None,
    calendar: Calendar | None = None,
    step_min: int = 60,
    method: str = "default",
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
        "default", or the highest rung to use: "profile", "short_profile", "fleet" or "persistence".

    Returns
    -------
    Forecast
        ``frame`` as `gridlib.facts.frames.ForecastFrame`, ``windows`` as
        `gridlib.facts.frames.WindowFrame`, ``findings`` with transformer_id, code and message. A
        transformer that cannot be forecast is left out with exactly one finding of these codes:
        all_missing, constant, infinite, bad_rating, nothing_left. Remarks on the others: set_aside
        (flagged readings taken as missing), stale, no_weather, confidence_not_measured.

    Raises
    ------
    InputError
        Where everything is spoilt: naive, unsorted or duplicate times, another step than ``step_min``,
        a horizon outside 1..336 h, fewer than two rows, an unknown method.

    Notes
    -----
    The ladder, by days of usable readings: "profile" from 14 days that hold every kind of day;
    "short_profile" from 2 days; "fleet" below, with the mean shape of the others per unit of rating at
    the transformer's own level; "persistence" where there is no fleet either. The mean is a sum of terms,
    see `explain_forecast`; the model is `gridlib.domain.forecast.profile.fit_profile`, the bands are
    `gridlib.domain.forecast.paths.error_paths`. What one transformer gets from the first two rungs does
    not depend on the others, bit for bit.

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
    result = _climb(request, method)
    n, steps = len(request.ids), len(request.times)
    ids = np.array(request.ids, dtype=object)
    columns: dict[str, object] = {
        "transformer_id": np.repeat(ids, steps),
        "time": _repeated(request.times, n),
        "load_kva_mean": result.terms_kva.sum(axis=0).ravel(),
    }
    for i, column in enumerate(QUANTILE_COLUMNS):
        columns[column] = result.quantiles_kva[:, i].ravel()
    columns["p_overload"] = result.p_overload.ravel()
    columns["confidence"] = np.repeat(result.confidence, steps)
    columns["method"] = np.repeat(result.rung.astype(object), steps)
    frame = pd.DataFrame(columns).sort_values(["transformer_id", "time"], ignore_index=True)
    findings = list(request.findings) + [
        (name, "confidence_not_measured", "too few past days to replay: no measured confidence")
        for name in ids[np.isnan(result.confidence)]
    ]
    return Forecast(
        frame=frame,
        windows=_window_frame(request, result),
        findings=pd.DataFrame(findings, columns=["transformer_id", "code", "message"], dtype=object),
    )


def explain_forecast(
    history: pd.DataFrame,
    *,
    horizon_h: int = 72,
    ambient_c: pd.Series | pd.DataFrame | None = None,
    calendar: Calendar | None = None,
    step_min: int = 60,
    method: str = "default",
) -> pd.DataFrame:
    """Take the forecast mean apart into the terms that sum to it.

    Parameters
    ----------
    history, horizon_h, ambient_c, calendar, step_min, method
        As for `forecast_load`.

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
        rating_kva=None,
        calendar=calendar,
        step_min=step_min,
    )
    terms = _climb(request, method).terms_kva
    columns: dict[str, object] = {
        "transformer_id": np.repeat(np.array(request.ids, dtype=object), len(request.times)),
        "time": _repeated(request.times, len(request.ids)),
    }
    for term, values in zip(TERMS, terms, strict=True):
        columns[f"{term}_kva"] = values.ravel()
    columns["load_kva_mean"] = terms.sum(axis=0).ravel()
    return pd.DataFrame(columns).sort_values(["transformer_id", "time"], ignore_index=True)


def _repeated(times: pd.DatetimeIndex, n: int) -> pd.DatetimeIndex:
    return pd.DatetimeIndex(np.tile(times.asi8, n)).tz_localize("UTC")


def _check_method(method: str) -> None:
    if method not in ("default", *RUNGS):
        raise InputError(
            f"unknown forecast method '{method}'",
            what_to_do=f"Use one of: default, {', '.join(RUNGS)}.",
        )


def _rungs(request: Request, method: str) -> NDArray[np.str_]:
    """Return the rung of each transformer by its history; "fleet" is not yet told from "persistence"."""
    finite = np.isfinite(request.load_kva)
    grid = request.grid
    days = finite.sum(axis=1) / grid.steps_per_day
    kind = grid.day_type[grid.row, grid.column][: finite.shape[1]]
    every_kind = np.ones(len(finite), dtype=bool)
    for expected in np.unique(kind[kind != DayType.HOLIDAY]):
        every_kind &= finite[:, kind == expected].any(axis=1)
    rank = np.where(days < SHORT_PROFILE_D, 2, np.where((days < PROFILE_D) | ~every_kind, 1, 0))
    highest = 0 if method == "default" else RUNGS.index(method)
    return np.array(RUNGS)[np.maximum(rank, highest)]


def _climb(request: Request, method: str) -> _Result:
    """Forecast every transformer of a request by its rung."""
    rung = _rungs(request, method)
    n, steps = len(rung), len(request.times)
    n_windows = len(windows_of(request.horizon_h))
    days = np.isfinite(request.load_kva).sum(axis=1) / request.grid.steps_per_day
    warm = (rung == "profile") & (days >= TEMPERATURE_D) & (request.station >= 0)
    own = (rung == "profile") | (rung == "short_profile")
    result = _Result(
        rung=rung,
        terms_kva=np.zeros((len(TERMS), n, steps)),
        quantiles_kva=np.zeros((n, len(QUANTILE_COLUMNS), steps)),
        p_overload=np.zeros((n, steps)),
        p_any_overload=np.zeros((n, n_windows)),
        peak_kva=np.zeros((n, n_windows, 2)),
        confidence=np.full(n, np.nan),
    )
    for members, with_air in ((own & warm, True), (own & ~warm, False)):
        which = np.flatnonzero(members)
        for start in range(0, len(which), _CHUNK):
            chunk = which[start : start + _CHUNK]
            terms, paths, confidence = _by_profile(request, chunk, with_air=with_air)
            _keep(result, request, chunk, terms, paths)
            result.confidence[chunk] = confidence
    few = np.flatnonzero(~own)
    if not len(few):
        return result
    load = request.load_kva[few]
    donors = np.flatnonzero(np.isin(_rungs(request, "default"), RUNGS[:2]))
    if len(donors) and method != "persistence":
        spread = np.linspace(0, len(donors) - 1, min(len(donors), MOST_DONORS)).astype(np.int64)
        donors = donors[spread]
        unit = unit_kva(request.load_kva, request.rating_kva)
        lent, lent_paths, _ = _by_profile(request, donors, with_air=False)
        terms, paths = borrow_from_fleet(
            load,
            unit[few],
            request.load_kva[donors],
            unit[donors],
            lent.sum(axis=0),
            lent_paths,
            request.grid,
        )
    else:
        rung[few] = "persistence"
        terms, paths = persist(load, request.grid)
    _keep(result, request, few, terms, paths)
    return result


def _by_profile(request: Request, which: _Int, *, with_air: bool) -> tuple[_Float, Paths, _Float]:
    load = request.load_kva[which]
    air = request.ambient_c if with_air else None
    fit = fit_profile(load, request.grid, air, request.station[which])
    paths, confidence = error_paths(fit, load, request.grid)
    return fit.terms_kva, paths, confidence


def _keep(result: _Result, request: Request, which: _Int, terms: _Float, paths: Paths) -> None:
    """Write the forecast of some transformers into the arrays of the result."""
    rating = None if request.rating_kva is None else request.rating_kva[which]
    bands = bands_of(terms.sum(axis=0), paths, rating, horizon_h=request.horizon_h, step_min=request.step_min)
    result.terms_kva[:, which] = terms
    result.quantiles_kva[which] = bands.quantiles_kva
    result.p_overload[which] = bands.p_overload
    result.p_any_overload[which] = bands.p_any_overload
    result.peak_kva[which] = bands.peak_kva


def _window_frame(request: Request, result: _Result) -> pd.DataFrame:
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
