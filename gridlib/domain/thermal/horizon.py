"""The thermal trajectory of the forecast horizon, carried over from measured load."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gridlib.domain.thermal.arrays import Floats, column_of, fill_gaps, finding_frame, step_of, wide_arrays
from gridlib.domain.thermal.model import (
    COOLINGS,
    ThermalSpec,
    ThermalState,
    ageing_rate_pu,
    thermal_response,
    thermal_spec,
)
from gridlib.domain.thermal.rating import day_limits
from gridlib.domain.thermal.sensor import DOUBTFUL_K, correct_by_sensor
from gridlib.facts.types import Limits

TAIL_H = 72
"""Measured hours run before the horizon: 24 oil time constants of a distribution unit."""

_SENSOR_WORDS = {
    "hotter": f"measured top oil lies more than {DOUBTFUL_K:g} K above the model: look at its cooling",
    "doubtful": f"measured top oil lies more than {DOUBTFUL_K:g} K below the model: the sensor is not used",
    "stuck": "measured top oil stands still while the load moves: the sensor is not used",
    "silent": "too few top-oil readings in the last day: the sensor is not used",
}

INDOOR_SURCHARGE_K = 10.0
"""Air in a ventilated room above the weather station's [K]."""


def ambient_at_transformers(
    ambient_c: pd.Series, transformers: pd.DataFrame, *, kiosk_surcharge_k: float
) -> pd.DataFrame:
    """Air around each transformer: the weather station's plus a surcharge for its enclosure.

    Parameters
    ----------
    ambient_c : Series
        Air temperature over time [degC].
    transformers : DataFrame
        ``transformer_id`` and ``enclosure``: outdoor or missing + 0 K, indoor + 10 K, kiosk as given.
    kiosk_surcharge_k : float
        Surcharge of a kiosk [K].

    Returns
    -------
    DataFrame
        Wide: time x transformer [degC].
    """
    surcharge = {"indoor": INDOOR_SURCHARGE_K, "kiosk": kiosk_surcharge_k}
    kinds = column_of(transformers, "enclosure").astype("string").str.lower()
    added = kinds.map(surcharge).astype(float).fillna(0.0).to_numpy()
    return pd.DataFrame(
        ambient_c.to_numpy(float)[:, None] + added[None, :],
        index=ambient_c.index,
        columns=transformers["transformer_id"].to_numpy(),
    )


def forecast_thermal(
    forecast: pd.DataFrame,
    transformers: pd.DataFrame,
    ambient_c: pd.DataFrame,
    history: pd.DataFrame,
    *,
    oil_c: pd.DataFrame | None = None,
) -> tuple[pd.DataFrame, ThermalState, pd.DataFrame]:
    """Run the thermal model from measured load into the forecast horizon.

    Parameters
    ----------
    forecast : DataFrame
        `ForecastFrame`.
    transformers : DataFrame
        `Transformers`; ``rating_kva``, ``cooling`` and ``paper`` are used.
    ambient_c : DataFrame
        Air at each transformer, wide: time x transformer, measured tail and horizon [degC].
    history : DataFrame
        Measured load, wide: time x transformer, before the horizon [kVA]; NaN where missing.
    oil_c : DataFrame, optional
        Measured top oil at the end of each interval, wide: time (interval start) x transformer, before the
        horizon [degC]; only the transformers that have a sensor, NaN where missing.

    Returns
    -------
    frame : DataFrame
        `ThermalFrame`, for the transformers that could be computed.
    initial : ThermalState
        State at the start of the horizon, in the order of the transformers in ``forecast``; NaN where
        there is none.
    findings : DataFrame
        `FindingFrame`: who has no trajectory, or a weaker one, and why.

    Notes
    -----
    The last 72 h of measured load run first; gaps are bridged linearly, and without any reading the
    state is the steady one of the first forecast hour. The p90 trajectory takes the larger of |p10| and
    |p90|, because export heats as well, and starts from the same state.

    Where a top-oil sensor exists, its lasting difference from the model is added to the air, so that
    everything computed from ``ambient_c`` of the frame follows it, and the horizon starts from the measured
    oil (`correct_by_sensor`).
    """
    ids, times, quantiles = wide_arrays(forecast, ("load_kva_p10", "load_kva_p50", "load_kva_p90"))
    units = transformers.drop_duplicates("transformer_id").set_index("transformer_id").reindex(ids)
    rating = column_of(units, "rating_kva").to_numpy(float)
    step = step_of(times)
    tail = pd.date_range(
        end=times[0] - step, periods=max(1, int(pd.Timedelta(hours=TAIL_H) / step)), freq=step
    )
    air, air_gaps = fill_gaps(ambient_c.reindex(index=tail.append(times), columns=ids).to_numpy(float))

    rows: list[tuple[str, str, str]] = []
    no_rating = ~(np.isfinite(rating) & (rating > 0))
    no_air = ~np.isfinite(air).all(axis=0)
    no_load = ~np.isfinite(quantiles).all(axis=(0, 1))
    for found, code, message in (
        (no_rating, "no_rating", "no rating in the network tables: no temperatures and no risk"),
        (no_air & ~no_rating, "no_ambient", "no air temperature: no temperatures"),
        (no_load & ~no_air & ~no_rating, "no_forecast", "the forecast has gaps: no temperatures"),
        (air_gaps[len(tail) :].any(axis=0) & ~no_air, "ambient_gap", "air temperature bridged over gaps"),
        (_unknown_cooling(units), "unknown_cooling", "its cooling is no known word: taken as ONAN"),
    ):
        rows += [(str(name), code, message) for name in ids[found]]
    ok = ~(no_rating | no_air | no_load)

    spec = thermal_spec(units[ok].reset_index())
    step_min = step / pd.Timedelta(minutes=1)
    measured, _ = fill_gaps(history.reindex(index=tail, columns=ids[ok]).to_numpy(float) / rating[ok])
    silent = ~np.isfinite(measured).all(axis=0)
    rows += [
        (str(name), "no_recent_load", f"no reading in the last {TAIL_H} h: steady state at the start")
        for name in ids[ok][silent]
    ]
    low, median, high = np.abs(quantiles[:, :, ok]) / rating[ok]
    air_tail, air_ahead = air[: len(tail), ok], air[len(tail) :, ok]
    before = thermal_response(
        np.where(silent, median[0], measured),
        np.where(silent, air_ahead[0], air_tail),
        spec,
        step_min=step_min,
    )
    start = before.final
    if oil_c is not None:
        read = oil_c.reindex(index=tail, columns=ids[ok]).to_numpy(float)
        oil = correct_by_sensor(read, before.top_oil_c, spec, step_min=step_min)
        air_ahead = air_ahead + oil.offset_k
        start = start._replace(top_oil_c=np.where(np.isfinite(oil.top_oil_c), oil.top_oil_c, start.top_oil_c))
        rows += [
            (str(name), f"oil_sensor_{said}", _SENSOR_WORDS[said])
            for name, said in zip(ids[ok], oil.verdict, strict=True)
            if said in _SENSOR_WORDS
        ]
    paper = column_of(units, "paper").to_numpy(object)[ok]
    frame = _frame_ahead(ids[ok], times, (low, median, high), air_ahead, spec, start, paper)
    return frame, ThermalState(*(_spread(part, ok) for part in start)), finding_frame(rows)


def continue_thermal(
    forecast: pd.DataFrame, transformers: pd.DataFrame, ambient_c: pd.DataFrame, initial: ThermalState
) -> pd.DataFrame:
    """Run the thermal model over the horizon from a known state.

    Parameters
    ----------
    forecast : DataFrame
        `ForecastFrame`.
    transformers : DataFrame
        `Transformers`.
    ambient_c : DataFrame
        Air at each transformer over the horizon, wide: time x transformer [degC].
    initial : ThermalState
        As from `forecast_thermal`, in the order of the transformers in ``forecast``.

    Returns
    -------
    DataFrame
        `ThermalFrame`, for the transformers with a rating, air, load and a state.
    """
    ids, times, loads = wide_arrays(forecast, ("load_kva_p10", "load_kva_p50", "load_kva_p90"))
    units = transformers.drop_duplicates("transformer_id").set_index("transformer_id").reindex(ids)
    rating = column_of(units, "rating_kva").to_numpy(float)
    air = ambient_c.reindex(index=times, columns=ids).to_numpy(float)
    ok = np.isfinite(rating) & (rating > 0) & np.isfinite(air).all(axis=0)
    ok &= np.isfinite(loads).all(axis=(0, 1)) & np.isfinite(np.array(initial)).all(axis=0)
    low, median, high = np.abs(loads[:, :, ok]) / rating[ok]
    return _frame_ahead(
        ids[ok],
        times,
        (low, median, high),
        air[:, ok],
        thermal_spec(units[ok].reset_index()),
        ThermalState(*(part[ok] for part in initial)),
        column_of(units, "paper").to_numpy(object)[ok],
    )


def _frame_ahead(
    ids: NDArray[np.object_],
    times: pd.DatetimeIndex,
    factors: tuple[Floats, Floats, Floats],
    air_c: Floats,
    spec: ThermalSpec,
    start: ThermalState,
    paper: NDArray[np.object_],
) -> pd.DataFrame:
    """Lay out the trajectories at median and at p90 load; the sizes of p10, p50 and p90 load, per rating."""
    low, median, high = factors
    step_min = step_of(times) / pd.Timedelta(minutes=1)
    likely = thermal_response(median, air_c, spec, step_min=step_min, initial=start)
    upper = thermal_response(np.maximum(low, high), air_c, spec, step_min=step_min, initial=start)
    return pd.DataFrame(
        {
            "transformer_id": np.repeat(ids.astype(object), len(times)),
            "time": times[np.tile(np.arange(len(times)), len(ids))],
            "ambient_c": air_c.T.ravel(),
            "top_oil_c": likely.top_oil_c.T.ravel(),
            "hot_spot_c": likely.hot_spot_c.T.ravel(),
            "hot_spot_c_p90": upper.hot_spot_c.T.ravel(),
            "ageing_pu": ageing_rate_pu(likely.hot_spot_c, paper).T.ravel(),
        }
    )


def forecast_day_limits(
    forecast: pd.DataFrame,
    transformers: pd.DataFrame,
    thermal: pd.DataFrame,
    initial: ThermalState,
    *,
    limits: Limits,
) -> pd.DataFrame:
    """Find what each transformer may carry on each day of the horizon.

    Parameters
    ----------
    forecast : DataFrame
        `ForecastFrame`; the median is used.
    transformers : DataFrame
        `Transformers`.
    thermal : DataFrame
        `ThermalFrame` of the forecast; its air is used.
    initial : ThermalState
        As from `forecast_thermal`.
    limits : Limits
        The site's.

    Returns
    -------
    DataFrame
        `DayLimitFrame`: one row for each transformer of ``thermal`` and each day of `day_limits`.
    """
    everyone, times, (load,) = wide_arrays(forecast, ("load_kva_p50",))
    known = pd.Index(everyone).isin(thermal["transformer_id"].unique())
    ids = everyone[known]
    around = thermal.pivot(index="time", columns="transformer_id", values="ambient_c")
    air = around.reindex(index=times, columns=ids).to_numpy(float)
    units = transformers.drop_duplicates("transformer_id").set_index("transformer_id").reindex(ids)
    rating = units["rating_kva"].to_numpy(float)
    factor = load[:, known] / rating
    spec, paper = thermal_spec(units.reset_index()), column_of(units, "paper").to_numpy(object)
    days = day_limits(
        factor,
        air,
        spec,
        step_min=step_of(times) / pd.Timedelta(minutes=1),
        limits=limits,
        initial=ThermalState(*(part[known] for part in initial)),
        paper=paper,
        device_pu=column_of(units, "limit_kva").to_numpy(float) / rating,
    )
    parts = [
        pd.DataFrame(
            {
                "transformer_id": ids.astype(object),
                "time": times[np.full(len(ids), steps.start)],
                "rating_kva": rating,
                "cyclic_rating_kva": found.rating_pu * rating,
                "limit_kva": found.limit_pu * rating,
                "limit_by": found.limit_by,
            }
        )
        for steps, found in days
    ]
    return pd.concat(parts, ignore_index=True)


def _unknown_cooling(units: pd.DataFrame) -> NDArray[np.bool_]:
    """Find cooling that is written down and not known; a missing word is ONAN."""
    cooling = column_of(units, "cooling").astype("string").str.upper()
    return np.asarray((cooling.notna() & ~cooling.isin(COOLINGS)).to_numpy(bool))


def _spread(part: Floats, ok: NDArray[np.bool_]) -> Floats:
    whole = np.full(len(ok), np.nan)
    whole[ok] = part
    return whole
