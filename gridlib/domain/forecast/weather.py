"""The air as the caller handed it in: checked, its gaps filled, told apart by station."""

from hashlib import blake2b
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gridlib.domain.quality import utc_index
from gridlib.facts.errors import InputError

AIR_C = (-60.0, 60.0)
"""No air over a distribution grid is colder or hotter [degC]: the hottest on record is 56.7 (World
Meteorological Organization); outside, a reading is a code or in another unit."""

BRIDGED_H = 6
"""Gaps up to this long are bridged by a straight line [h], longer ones by the same hour of days beside."""

WHOLE_H = 72
"""The last hours of the history, and the horizon, must be known but for gaps that can be bridged [h]."""

LEAST_KNOWN = 0.5  # of the history
_Float = NDArray[np.float64]
_Int = NDArray[np.int64]
_Finding = tuple[str, str, str]


def stations_of(
    ambient_c: pd.Series | pd.DataFrame | None,
    columns: pd.Index,
    times: pd.DatetimeIndex,
    n_history: int,
    step_min: int,
) -> tuple[_Float, _Int, list[_Finding]]:
    """Return the different temperature series without gaps, whose is whose, and what was done to them.

    Parameters
    ----------
    ambient_c : Series, DataFrame or None
        Air temperature [degC].
    columns : Index
        The transformers, N.
    times : DatetimeIndex
        History and horizon.
    n_history : int
        Steps of the history.
    step_min : int
        Step [min].

    Returns
    -------
    air_c : array [stations, times]
        Without gaps [degC].
    station : array [N]
        Row of each transformer; -1: no temperature.
    findings : list of (transformer_id, code, message)
        no_weather, weather_filled.

    Raises
    ------
    InputError
        Not a table by time, two columns of one name, or values that are no numbers.
    """
    station = np.full(len(columns), -1, dtype=np.int64)
    if ambient_c is None:
        return np.empty((0, len(times))), station, []
    source, of_column = _columns(ambient_c, columns)
    index = utc_index(source.index, "ambient_c")
    # Thousands of columns are a few stations: told apart by a digest, before anything is copied.
    found = dict[bytes, int]()
    series: list[_Float] = []
    remarks: list[str] = []
    values = source.to_numpy()
    for column in np.unique(of_column[of_column >= 0]):
        digest = blake2b(np.ascontiguousarray(values[:, column]).tobytes()).digest()
        if digest not in found:
            air, remark = _whole(_numbers(values[:, column], index).reindex(times), n_history, step_min)
            found[digest] = -1 if air is None else len(series)
            if air is not None:
                series.append(air)
                remarks.append(remark)
        station[of_column == column] = found[digest]
    findings = [
        (str(name), "no_weather", "temperature is missing or has long gaps: forecast without it")
        for name in columns[station < 0]
    ]
    findings += [
        (str(name), "weather_filled", remarks[number])
        for name, number in zip(columns, station, strict=True)
        if number >= 0 and remarks[number]
    ]
    return np.array(series).reshape(len(series), len(times)), station, findings


def _columns(ambient_c: Any, columns: pd.Index) -> tuple[pd.DataFrame, _Int]:
    if isinstance(ambient_c, pd.Series):
        return ambient_c.to_frame(), np.zeros(len(columns), dtype=np.int64)
    if not isinstance(ambient_c, pd.DataFrame):
        raise InputError(
            f"ambient_c: found {type(ambient_c).__name__}, expected a Series or DataFrame by time",
            what_to_do="Give the temperature with its times as the index.",
        )
    if ambient_c.columns.has_duplicates:
        double = ambient_c.columns[ambient_c.columns.duplicated()][0]
        raise InputError(
            f"ambient_c: transformer '{double}' has two columns", what_to_do="Keep one column of each."
        )
    return ambient_c, ambient_c.columns.get_indexer(columns).astype(np.int64)


def _numbers(values: NDArray[Any], index: pd.DatetimeIndex) -> pd.Series:
    try:
        return pd.Series(values.astype(np.float64), index=index)
    except (TypeError, ValueError) as error:
        raise InputError(
            f"ambient_c: temperatures that are no numbers ({error})", what_to_do="Convert them to degC."
        ) from error


def _whole(air_c: pd.Series, n_history: int, step_min: int) -> tuple[_Float | None, str]:
    """Return the series without gaps, or None, and what was done to it."""
    values = air_c.to_numpy()
    possible = (values >= AIR_C[0]) & (values <= AIR_C[1])
    wrong = int((~np.isnan(values) & ~possible).sum())
    known = air_c.where(possible)
    steps = BRIDGED_H * 60 // step_min
    gap = known.notna().cumsum().where(known.isna())
    short = gap.map(gap.value_counts()).le(steps)
    bridged = known.interpolate(limit_direction="both").where(known.notna() | short)
    lost = bridged.isna().to_numpy()
    late = max(0, n_history - WHOLE_H * 60 // step_min)
    if lost[late:].any() or lost[:n_history].mean() > 1 - LEAST_KNOWN:
        return None, ""
    of_day = np.arange(len(known)) % (1440 // step_min)
    filled = bridged.groupby(of_day).transform(lambda hour: hour.interpolate(limit_direction="both"))
    remark = [f"{wrong} impossible values set aside"] if wrong else []
    remark += [f"{int(lost.sum())} steps filled by the days beside"] if lost.any() else []
    text = f"temperature: {', '.join(remark)}" if remark else ""
    return filled.to_numpy(dtype=np.float64), text
