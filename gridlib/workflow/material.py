"""What the stages read: history, weather and network of a workspace as frames of one run."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from sqlalchemy import Connection

from gridlib.adapters.records import network as network_records
from gridlib.adapters.records import runs
from gridlib.adapters.records.runs import RunRecord
from gridlib.domain.risk.running import carry_to_present_states
from gridlib.domain.thermal import ambient_at_transformers
from gridlib.facts.errors import InputError
from gridlib.facts.types import Network
from gridlib.workbench import Workbench

TAIL_H = 96
"""Hours of measured load before the horizon that settle the oil temperature (about 30 time constants)."""


@dataclass(frozen=True)
class Ambient:
    """Air temperature over history and horizon, and whether any of it was measured or forecast."""

    series: pd.Series
    measured: bool
    findings: pd.DataFrame


@dataclass(frozen=True)
class Material:
    """What risk, planning and proof look at.

    Attributes
    ----------
    network : Network
        With the switch states of now.
    forecast : DataFrame
        `ForecastFrame` with every section at its normal transformer.
    running : DataFrame
        The same with every section at the transformer that feeds it now.
    windows : DataFrame
        `WindowFrame` of ``running``.
    ambient_c : DataFrame
        Air at each transformer, wide, over the measured tail and the horizon [degC].
    history : DataFrame
        Measured load, wide, before the horizon [kVA].
    """

    network: Network
    forecast: pd.DataFrame
    running: pd.DataFrame
    windows: pd.DataFrame
    ambient_c: pd.DataFrame
    history: pd.DataFrame

    @property
    def horizon_ambient_c(self) -> pd.DataFrame:
        """Air temperature of the hours ahead, wide."""
        ahead = self.ambient_c.index > self.history.index[-1]
        return pd.DataFrame(self.ambient_c[ahead])


def as_findings(found: pd.DataFrame) -> pd.DataFrame:
    """Complete a domain function's findings (transformer_id, code, message) to a `FindingFrame`."""
    frame = found.rename(columns={"transformer_id": "object_id"})
    for name in ("first", "last"):
        if name not in frame:
            frame[name] = pd.NaT
        frame[name] = pd.to_datetime(frame[name], utc=True).astype("datetime64[ns, UTC]")
    if "count" not in frame:
        frame["count"] = 1
    frame["count"] = frame["count"].astype("int64")
    columns = ["object_id", "code", "message", "first", "last", "count"]
    return pd.DataFrame(frame[columns]).reset_index(drop=True)


def read_history(workbench: Workbench, connection: Connection, issued_at: pd.Timestamp) -> pd.DataFrame:
    """Read the load before ``issued_at`` as a wide frame, one row each step, NaN where missing.

    Raises
    ------
    InputError
        No reading lies before ``issued_at``.
    """
    settings = workbench.settings.forecast
    step = pd.Timedelta(minutes=settings.step_min)
    wide = workbench.telemetry.read_load_wide(
        runs.ingest_ids(connection, "load"),
        start=issued_at - pd.Timedelta(days=settings.history_d),
        end=issued_at,
        step_min=settings.step_min,
    )
    reported = wide.index[wide.notna().any(axis=1)]
    if reported.empty:
        raise InputError(
            f"no load readings before {issued_at}",
            what_to_do="Ingest older readings, or choose a later --issued-at.",
        )
    index = pd.date_range(reported[0], issued_at - step, freq=step, name="time")
    return wide.reindex(index)


def read_ambient(
    workbench: Workbench, connection: Connection, history: pd.DatetimeIndex, issued_at: pd.Timestamp
) -> Ambient:
    """Read the air temperature as it was known at ``issued_at``, one station for the site.

    Where several stations report, the one with most hours is taken. Hours without a value take the value
    24 h before, else the assumed temperature of the site; both are findings.
    """
    settings = workbench.settings
    step = pd.Timedelta(minutes=settings.forecast.step_min)
    horizon = pd.date_range(
        issued_at, periods=settings.forecast.horizon_h * 60 // settings.forecast.step_min, freq=step
    )
    index = history.append(horizon)
    weather = workbench.telemetry.read_weather(runs.ingest_ids(connection, "weather"))
    weather = weather[(weather["issued_at"] <= issued_at) & (weather["time"] <= index[-1])]
    assumed_c = settings.site.assumed_ambient_c
    if weather.empty:
        note = f"no weather is known; {assumed_c:g} degC is assumed in every hour"
        found = [("weather", "no_weather", note, index[0], index[-1], len(index))]
        return Ambient(pd.Series(assumed_c, index=index, dtype="float64"), False, _findings(found))
    station = weather["station_id"].value_counts().sort_index().idxmax()
    newest = weather[weather["station_id"] == station].sort_values(["time", "issued_at"])
    series = newest.drop_duplicates("time", keep="last").set_index("time")["ambient_c"]
    series = series.reindex(series.index.union(index)).interpolate("time", limit=6, limit_area="inside")
    series = series.reindex(index)
    missing = series.isna()
    if not missing.any():
        return Ambient(series, True, _findings([]))
    day = 24 * 60 // settings.forecast.step_min
    values = series.to_numpy(copy=True)
    for i in np.flatnonzero(missing.to_numpy()):
        values[i] = values[i - day] if i >= day else assumed_c
    note = f"station {station} lacks hours; the day before, else {assumed_c:g} degC, stands in"
    gaps = index[missing.to_numpy()]
    found = [(str(station), "weather_gap", note, gaps[0], gaps[-1], len(gaps))]
    return Ambient(pd.Series(values, index=index), True, _findings(found))


def _findings(rows: list[tuple[str, str, str, pd.Timestamp, pd.Timestamp, int]]) -> pd.DataFrame:
    columns = ["object_id", "code", "message", "first", "last", "count"]
    return as_findings(pd.DataFrame(rows, columns=columns))


def read_material(workbench: Workbench, run: RunRecord) -> Material:
    """Read what risk, planning and proof of a run look at, under the switch states of now."""
    with workbench.store.read() as connection:
        return material_of(workbench, connection, run)


def material_of(workbench: Workbench, connection: Connection, run: RunRecord) -> Material:
    """Read as `read_material`, inside the caller's transaction."""
    network = network_records.read_network(connection)
    history = read_history(workbench, connection, run.issued_at).iloc[-TAIL_H:]
    ambient = read_ambient(workbench, connection, pd.DatetimeIndex(history.index), run.issued_at)
    forecast = workbench.telemetry.read_run_frame(run.run_id, "forecast")
    windows = workbench.telemetry.read_run_frame(run.run_id, "windows")
    running, windows = carry_to_present_states(network, forecast, windows)
    return Material(
        network,
        forecast,
        running,
        windows,
        ambient_at_transformers(
            ambient.series,
            network.transformers,
            kiosk_surcharge_k=workbench.settings.limits.kiosk_surcharge_k,
        ),
        history,
    )
