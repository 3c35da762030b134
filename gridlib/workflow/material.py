"""What the stages read: history, weather and network of a workspace as frames of one run."""

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from sqlalchemy import Connection

from gridlib.adapters.records import network as network_records
from gridlib.adapters.records import runs
from gridlib.adapters.records.runs import RunRecord
from gridlib.domain.network import feeding, normal_load_kva
from gridlib.domain.quality import clean_load
from gridlib.domain.risk.running import carry_to_present_states
from gridlib.domain.thermal import ThermalState
from gridlib.facts.errors import InputError, NotFoundError
from gridlib.facts.forecasts import Forecast, JointPaths
from gridlib.facts.types import Network
from gridlib.workbench import Workbench


@dataclass(frozen=True)
class Ambient:
    """Air temperature over history and horizon, and whether any of it was measured or forecast."""

    series: pd.Series
    measured: bool
    findings: pd.DataFrame


@dataclass(frozen=True)
class Loads:
    """The loads of a run as its network carries them now.

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
    paths : JointPaths or None
        Joint error paths of ``forecast``; None where the run was made without them.
    """

    network: Network
    forecast: pd.DataFrame
    running: pd.DataFrame
    windows: pd.DataFrame
    paths: JointPaths | None


@dataclass(frozen=True)
class Material(Loads):
    """What planning and proof of a run look at: its loads, and the heat they start from.

    Attributes
    ----------
    ambient_c : DataFrame
        Air at each transformer over the horizon, wide [degC].
    initial : ThermalState
        Oil at the start of the horizon, in the order of ``forecast``.
    """

    ambient_c: pd.DataFrame
    initial: ThermalState


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
    """Read the load that a forecast learns from as metered: wide, one row each step, NaN where missing.

    Parameters
    ----------
    workbench : Workbench
        The workspace.
    connection : Connection
        Any transaction.
    issued_at : Timestamp
        End, exclusive.

    Raises
    ------
    InputError
        No reading lies before ``issued_at``.
    """
    found = _read_load(workbench, connection, issued_at, 24 * workbench.settings.forecast.history_d)
    if found.empty:
        raise InputError(
            f"no load readings before {issued_at}",
            what_to_do="Ingest older readings, or choose a later --issued-at.",
        )
    return found


def read_recent(
    workbench: Workbench, connection: Connection, issued_at: pd.Timestamp, *, span_h: float
) -> pd.DataFrame:
    """Read the load of the hours before ``issued_at``, checked; empty where telemetry was silent."""
    found = _read_load(workbench, connection, issued_at, span_h)
    return found if found.empty else clean_load(found)[0]


def _read_load(
    workbench: Workbench, connection: Connection, issued_at: pd.Timestamp, span_h: float
) -> pd.DataFrame:
    step_min = workbench.settings.forecast.step_min
    wide = workbench.telemetry.read_load_wide(
        runs.ingest_ids(connection, "load"),
        start=issued_at - pd.Timedelta(hours=span_h),
        end=issued_at,
        step_min=step_min,
    )
    step = pd.Timedelta(minutes=step_min)
    reported = wide.index[wide.notna().any(axis=1)]
    first = reported[0] if len(reported) else issued_at
    return wide.reindex(pd.date_range(first, issued_at - step, freq=step, name="time"))


def read_normal_history(
    workbench: Workbench, connection: Connection, issued_at: pd.Timestamp
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Read the load before ``issued_at``: as metered, and as it would have been in the normal state."""
    metered = read_history(workbench, connection, issued_at)
    network = network_records.read_network(connection)
    return metered, normal_running(network, metered, network_records.read_switch_history(connection))


def normal_running(network: Network, metered_kva: pd.DataFrame, switch_history: pd.DataFrame) -> pd.DataFrame:
    """Carry what was metered while sections were changed over back to their normal transformers.

    Parameters
    ----------
    network : Network
        The network.
    metered_kva : DataFrame
        Wide: time x transformer [kVA].
    switch_history : DataFrame
        All reported switch states, oldest first.

    Returns
    -------
    DataFrame
        Load as it would have been in the normal state; where nothing was changed over, untouched. The
        interval in which a transfer took place holds a mixture and is left out (NaN) for whom it concerns.
    """
    normal = _normally_closed(network)
    known = switch_history[switch_history["switch_id"].isin(set(network.switches["switch_id"]))]
    result = metered_kva.copy()
    step = metered_kva.index[1] - metered_kva.index[0] if len(metered_kva) > 1 else pd.Timedelta(hours=1)
    closed = normal
    changes = list(known.groupby("time", sort=True))
    for i, (time, rows) in enumerate(changes):
        before = closed
        opened = set(rows.loc[rows["state"] == "OPEN", "switch_id"])
        closed = (before | set(rows.loc[rows["state"] == "CLOSED", "switch_id"])) - opened
        begin = pd.Timestamp(time)  # type: ignore[arg-type]
        end = pd.Timestamp(changes[i + 1][0]) if i + 1 < len(changes) else None  # type: ignore[arg-type]
        if closed != normal:
            inside = result.index + step > begin
            if end is not None:
                inside &= result.index < end
            result.loc[inside] = normal_load_kva(network, metered_kva.loc[inside], closed)
        if closed != before:
            mixed = (result.index <= begin) & (result.index + step > begin)
            concerned = _concerned(network, before, closed)
            result.loc[mixed, result.columns.intersection(concerned)] = float("nan")
    return result


def _normally_closed(network: Network) -> frozenset[str]:
    rows = network.switches[network.switches["normal_state"] == "CLOSED"]
    return frozenset(rows["switch_id"])


def _concerned(network: Network, before: frozenset[str], after: frozenset[str]) -> list[str]:
    was, is_now = feeding(network, before), feeding(network, after)
    moved = was.fillna("") != is_now.fillna("")
    return sorted({*was[moved].dropna(), *is_now[moved].dropna()})


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
    station = weather.groupby("station_id")["time"].nunique().idxmax()
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


def read_loads(workbench: Workbench, connection: Connection, run: RunRecord) -> Loads:
    """Read the forecast of a run and carry it to the switch states of now."""
    forecast = workbench.telemetry.read_run_frame(run.run_id, "forecast")
    windows = workbench.telemetry.read_run_frame(run.run_id, "windows")
    paths = _read_paths(workbench, run, pd.DatetimeIndex(forecast["time"].unique()))
    return _carried(network_records.read_network(connection), forecast, windows, paths)


def _carried(
    network: Network, forecast: pd.DataFrame, windows: pd.DataFrame, paths: JointPaths | None
) -> Loads:
    running, running_windows = carry_to_present_states(network, forecast, windows, paths)
    return Loads(network, forecast, running, running_windows, paths)


def forecast_frames(forecast: Forecast) -> dict[str, pd.DataFrame]:
    """Lay out a forecast as the frames that its run keeps, for `read_loads` to read."""
    frames = {"forecast": forecast.frame, "windows": forecast.windows}
    return frames if forecast.paths is None else frames | {"paths": path_frame(forecast.paths)}


def path_frame(paths: JointPaths) -> pd.DataFrame:
    """Lay out joint paths as a frame of the run: a row for each transformer and past day.

    Parameters
    ----------
    paths : JointPaths
        Of the forecast.

    Returns
    -------
    DataFrame
        transformer_id, day, same_day, unit_kva, and the error in each step of the horizon, step_000 and on.
    """
    n, j, steps = paths.error_steps.shape
    columns = [f"step_{k:03d}" for k in range(steps)]
    frame = pd.DataFrame(paths.error_steps.reshape(n * j, steps), columns=columns, copy=False)
    names = pd.CategoricalIndex(pd.Index(paths.transformer_ids), categories=paths.transformer_ids)
    frame.insert(0, "transformer_id", names.repeat(j))
    frame.insert(1, "day", paths.days[np.tile(np.arange(j), n)])
    frame.insert(2, "same_day", paths.same_day.ravel())
    frame.insert(3, "unit_kva", np.repeat(paths.unit_kva, j))
    return frame


def _read_paths(workbench: Workbench, run: RunRecord, times: pd.DatetimeIndex) -> JointPaths | None:
    try:
        frame = workbench.telemetry.read_run_frame(run.run_id, "paths")
    except NotFoundError:
        return None
    names = frame["transformer_id"].cat.categories.to_numpy(dtype=object)
    n, j = len(names), len(frame) // max(len(names), 1)
    return JointPaths(
        names,
        times,
        pd.DatetimeIndex(frame["day"].iloc[:j]),
        frame["unit_kva"].to_numpy()[:: max(j, 1)],
        frame.filter(like="step_").to_numpy().reshape(n, j, len(times)),
        frame["same_day"].to_numpy().reshape(n, j),
    )


def oil_frame(forecast: pd.DataFrame, state: ThermalState) -> pd.DataFrame:
    """Lay out the oil at the start of the horizon as a frame of the run, for `material_of` to read."""
    ids = forecast["transformer_id"].unique()
    return pd.DataFrame({"transformer_id": ids, **state._asdict()})


def material_of(workbench: Workbench, connection: Connection, run: RunRecord) -> Material:
    """Read what planning and proof of a run look at; the run has finished its risk stage."""
    loads = read_loads(workbench, connection, run)
    thermal = workbench.telemetry.read_run_frame(run.run_id, "thermal")
    oil = workbench.telemetry.read_run_frame(run.run_id, "oil")
    return Material(
        loads.network,
        loads.forecast,
        loads.running,
        loads.windows,
        loads.paths,
        thermal.pivot(index="time", columns="transformer_id", values="ambient_c"),
        ThermalState(*(oil[name].to_numpy(float) for name in ThermalState._fields)),
    )


def with_present_states(connection: Connection, material: Material, windows: pd.DataFrame) -> Material:
    """Carry material of a run to the switch states of now; all else of it is as it was.

    Parameters
    ----------
    connection : Connection
        Any transaction.
    material : Material
        Read earlier, of a run and of network tables that are still the newest.
    windows : DataFrame
        `WindowFrame` of ``material.forecast``.

    Returns
    -------
    Material
        What `material_of` would read now.
    """
    network = replace(material.network, states=network_records.read_newest_states(connection))
    loads = _carried(network, material.forecast, windows, material.paths)
    return replace(material, network=network, running=loads.running, windows=loads.windows)


def read_material(workbench: Workbench, run: RunRecord) -> Material:
    """Read as `material_of`, in a transaction of its own."""
    with workbench.store.read() as connection:
        return material_of(workbench, connection, run)
