"""Back-tests of a file, without a workspace, and of the readings a workspace holds; nothing is recorded."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from gridlib.adapters.readers import read_file
from gridlib.adapters.readers.availability import read_availability
from gridlib.adapters.readings import USABLE, reading_worth
from gridlib.adapters.records import network as network_records
from gridlib.adapters.records import runs
from gridlib.domain.backtest import Backtest, Method, backtest_load
from gridlib.domain.calendar import Calendar, calendar_for
from gridlib.facts.errors import InputError
from gridlib.facts.settings import Ingest
from gridlib.facts.units import HORIZON_H
from gridlib.workbench import Workbench
from gridlib.workflow import queries
from gridlib.workflow.material import read_normal_history

_HOUR = pd.Timedelta(hours=1)
_LONGEST_SPAN_H = 20 * 8760
"""A file that spans more hours has a wrong date somewhere."""


@dataclass(frozen=True)
class BacktestFiles:
    """What the files of a back-test held.

    Attributes
    ----------
    history : DataFrame
        Hourly means: time x transformer [kVA].
    available_at : DataFrame or None
        When each hour was known, the same shape, UTC.
    ambient_c : DataFrame or None
        A `gridlib.facts.frames.WeatherFrame`.
    rating_kva : Series or None
        Nameplate of each transformer [kVA].
    findings : DataFrame
        A `gridlib.facts.frames.FindingFrame`: what is doubtful about the files.
    """

    history: pd.DataFrame
    available_at: pd.DataFrame | None
    ambient_c: pd.DataFrame | None
    rating_kva: pd.Series | None
    findings: pd.DataFrame


def read_backtest_files(
    load: Path, *, ambient: Path | None = None, ratings: Path | None = None, tz: str, ingest: Ingest
) -> BacktestFiles:
    """Read the files of a back-test; nothing is stored.

    Parameters
    ----------
    load : Path
        Load file; with a column ``available_at``, readings are hidden until then.
    ambient : Path, optional
        Weather file.
    ratings : Path, optional
        The network's transformers.csv.
    tz : str
        Zone of stamps without an offset.
    ingest : Ingest
        Power factor and limits of the readers.

    Returns
    -------
    BacktestFiles
        Flagged readings are left out.

    Raises
    ------
    FileError
        A file cannot be used; names row and column.
    InputError
        The readings span more than 20 years.
    """
    naive_tz = ingest.naive_tz or tz
    given = {
        "power_factor": ingest.power_factor,
        "naive_tz": naive_tz,
        "unit_ratio_limit": ingest.unit_ratio_limit,
    }
    reading = read_file(load, "load", **given)  # type: ignore[arg-type]
    findings = [reading.findings]
    rows = reading.frame
    arrived = read_availability(load, naive_tz)
    if arrived is not None:
        unread = findings[0]["message"].str.startswith("column available_at")
        findings[0] = findings[0][~unread]
        rows = rows.join(arrived, on=["transformer_id", "time"])
    rows = rows[reading_worth(rows["load_kva"].to_numpy(), rows["quality"].to_numpy()) == USABLE]
    if rows.empty:
        raise InputError(f"{load}: every reading is flagged", what_to_do="Check its column quality.")
    hours = rows.assign(time=rows["time"].dt.floor("h")).groupby(["time", "transformer_id"])
    weather = rating_kva = None
    if ambient is not None:
        found = read_file(ambient, "weather", **given)  # type: ignore[arg-type]
        weather = found.frame
        findings.append(found.findings)
    if ratings is not None:
        found = read_file(ratings, "network", **given)  # type: ignore[arg-type]
        if found.name != "transformers":
            raise InputError(f"{ratings} holds {found.name}", what_to_do="Name transformers.csv.")
        rating_kva = found.frame.set_index("transformer_id")["rating_kva"]
        findings.append(found.findings)
    return BacktestFiles(
        history=_hourly(hours["load_kva"].mean(), load),
        available_at=None if arrived is None else _hourly(hours["available_at"].max(), load),
        ambient_c=weather,
        rating_kva=rating_kva,
        findings=pd.concat(findings, ignore_index=True),
    )


def _hourly(values: pd.Series, path: Path) -> pd.DataFrame:
    wide = values.unstack("transformer_id")
    first, last = wide.index[0], wide.index[-1]
    if (last - first) // _HOUR > _LONGEST_SPAN_H:
        raise InputError(f"{path}: readings from {first} to {last}", what_to_do="Correct the wrong date.")
    return wide.reindex(pd.date_range(first, last, freq=_HOUR, name="time"))


def backtest_files(
    files: BacktestFiles,
    *,
    methods: Mapping[str, Method],
    origins: int,
    horizon_h: int,
    calendar: Calendar,
    on_progress: Callable[[int, int], None] | None = None,
) -> Backtest:
    """Run the back-test of `gridlib.domain.backtest.backtest_load` on files, with CPU time measured."""
    return backtest_load(
        files.history,
        methods=methods,
        origins=origins,
        horizon_h=horizon_h,
        ambient_c=files.ambient_c,
        available_at=files.available_at,
        rating_kva=files.rating_kva,
        calendar=calendar,
        cpu_clock=time.process_time,
        on_progress=on_progress,
    )


def backtest_readings(
    workbench: Workbench,
    run_id: str = "",
    *,
    methods: Mapping[str, Method],
    origins: int = 6,
    horizon_h: int = HORIZON_H,
    on_progress: Callable[[int, int], None] | None = None,
) -> Backtest:
    """Back-test the forecast on what a run of a workspace had read.

    Parameters
    ----------
    workbench : Workbench
        The workspace.
    run_id : str
        Readings and weather from before its first hour; default is the newest run.
    methods, origins, horizon_h, on_progress
        As for `gridlib.domain.backtest.backtest_load`.

    Returns
    -------
    Backtest
        On the load as it would have been in the normal switch state, which is what the forecast stage sees.

    Raises
    ------
    NotFoundError
        No run yet.
    InputError
        Too few readings.
    """
    run = queries.get_run(workbench, run_id)
    settings = workbench.settings
    with workbench.store.read() as connection:
        _, history = read_normal_history(workbench, connection, run.issued_at)
        weather = workbench.telemetry.read_weather(runs.ingest_ids(connection, "weather"))
        transformers = network_records.read_network(connection).transformers
    return backtest_load(
        history,
        methods=methods,
        origins=origins,
        horizon_h=horizon_h,
        ambient_c=weather[weather["issued_at"] <= run.issued_at],
        rating_kva=transformers.set_index("transformer_id")["rating_kva"],
        calendar=calendar_for(settings.site.country, settings.site.tz),
        step_min=settings.forecast.step_min,
        cpu_clock=time.process_time,
        on_progress=on_progress,
    )
