"""What was known at an origin: readings that had arrived, and weather as it had been said by then."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gridlib.domain.calendar import Calendar
from gridlib.facts.errors import InputError

LEAST_HISTORY_H = 48
"""No origin lies before so many hours of readings [h]."""

MEASURED_AS_FORECAST = "weather: measured, as if perfectly forecast; with real forecasts errors are larger"
_LOCAL_HOURS = 6  # origins stand at 0, 6, 12, 18 h local in turn


def origin_places(
    times: pd.DatetimeIndex, n: int, *, horizon_h: int, calendar: Calendar, step_min: int
) -> NDArray[np.int64]:
    """Choose origins: evenly over the last quarter of the span, at 0, 6, 12, 18 h local in turn.

    Parameters
    ----------
    times : DatetimeIndex
        All steps, UTC.
    n : int
        How many; fewer where the span is too short for so many different ones.
    horizon_h : int
        Hours that must follow each [h].
    calendar : Calendar
        For local hours.
    step_min : int
        Step of ``times`` [min].

    Returns
    -------
    array
        Places in ``times`` of the first step forecast, ascending.

    Raises
    ------
    InputError
        The span is shorter than two days, the horizon and the day in which origins turn.
    """
    hour = 60 // step_min
    end = len(times) - (horizon_h + 24) * hour
    if end < LEAST_HISTORY_H * hour:
        raise InputError(
            f"readings span {len(times) / hour:.0f} h, expected at least "
            f"{LEAST_HISTORY_H + horizon_h + 24} h for a horizon of {horizon_h} h",
            what_to_do="Give more readings, or a shorter horizon with --horizon-h.",
        )
    # A short span gives up history before it gives up origins on different days.
    first = min(int(len(times) * 0.75), max(LEAST_HISTORY_H * hour, end - 24 * hour * n))
    base = np.linspace(first, end, n).astype(np.int64)
    turn = (_LOCAL_HOURS * (np.arange(n) % 4) - calendar.local_hour(times[base])) % 24
    return np.unique(base + turn * hour)


def visible_load(
    history: pd.DataFrame, arrived_ns: NDArray[np.int64] | None, start: int, origin: int
) -> pd.DataFrame:
    """Return the readings from before an origin that had arrived by then; others are NaN.

    Parameters
    ----------
    history : DataFrame
        Wide, all readings, UTC index in nanoseconds [kVA].
    arrived_ns : array [T, N] or None
        When each reading arrived [ns since 1970]; None: at once.
    start, origin : int
        First row, and the row before which to stop.

    Returns
    -------
    DataFrame
        A copy of the rows ``start`` to ``origin``.
    """
    seen = history.iloc[start:origin].copy()
    if arrived_ns is None:
        return seen
    return seen.mask(arrived_ns[start:origin] > history.index[origin].value)


@dataclass(frozen=True)
class Weather:
    """Air temperature with the time it was said, ready to be asked at any origin.

    Attributes
    ----------
    said : DataFrame
        station_id, time, issued_at, ambient_c, sorted by time and issue; measured where issued no earlier
        than its time.
    stations : Series of str
        Station of each transformer.
    measured : DataFrame or None
        Where no forecast had been issued by the last origin: time x station, which stands in for it [degC].
    """

    said: pd.DataFrame
    stations: pd.Series
    measured: pd.DataFrame | None

    def at(self, origin: pd.Timestamp, start: pd.Timestamp, end: pd.Timestamp) -> pd.Series | pd.DataFrame:
        """Return the temperature from ``start`` until before ``end`` as it was known at ``origin`` [degC]."""
        if self.measured is not None:
            wide = self.measured
            wide = wide[(wide.index >= start) & (wide.index < end)]
        else:
            said = self.said[self.said["time"].between(start, end, inclusive="left")]
            wide = _newest(said[said["issued_at"] <= origin])
        if self.stations.nunique() == 1:
            return wide.reindex(columns=[self.stations.iloc[0]]).iloc[:, 0]
        return wide.reindex(columns=self.stations.to_numpy()).set_axis(self.stations.index, axis="columns")


def open_weather(
    ambient_c: pd.DataFrame | pd.Series | None, transformers: pd.Index, last_origin: pd.Timestamp
) -> Weather | None:
    """Lay out the weather of a back-test.

    Parameters
    ----------
    ambient_c : DataFrame, Series or None
        Long: station_id, time, issued_at, ambient_c; or measured only: a Series, or wide with a column for
        each transformer.
    transformers : Index
        Columns of the load; each takes the station of its own name, else the one with most hours.
    last_origin : Timestamp
        Forecasts issued later are of no use to any origin.

    Returns
    -------
    Weather or None
        None where there is no temperature at all.

    Notes
    -----
    Where forecasts had been issued by the last origin, only they are used for the hours ahead, and hours
    without one stay empty. Else measured temperatures stand in: errors are then those of the load model
    alone.
    """
    if ambient_c is None:
        return None
    if isinstance(ambient_c, pd.Series):
        ambient_c = ambient_c.rename("site").to_frame()
    if "station_id" not in ambient_c:
        wide = ambient_c.set_axis(ambient_c.columns.astype(str), axis="columns").rename_axis(index="time")
        long = wide.reset_index().melt("time", var_name="station_id", value_name="ambient_c")
        ambient_c = long.assign(issued_at=long["time"])
    ambient_c = ambient_c.dropna(subset=["ambient_c"]).sort_values(["time", "issued_at"], kind="stable")
    forecast = ambient_c["issued_at"] < ambient_c["time"]
    as_measured = not bool((forecast & (ambient_c["issued_at"] <= last_origin)).any())
    said = ambient_c[~forecast] if as_measured else ambient_c
    if said.empty:
        return None
    fullest = str(said.groupby("station_id")["time"].nunique().idxmax())
    known = set(said["station_id"])
    stations = pd.Series({name: str(name) if str(name) in known else fullest for name in transformers})
    return Weather(said, stations, _newest(said) if as_measured else None)


def _newest(said: pd.DataFrame) -> pd.DataFrame:
    newest = said.drop_duplicates(["station_id", "time"], keep="last")
    return newest.pivot(index="time", columns="station_id", values="ambient_c")
