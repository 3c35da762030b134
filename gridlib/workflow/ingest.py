"""Take files in: one file is one transaction; the same file twice changes nothing."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
from sqlalchemy import Connection

from gridlib.adapters.oil import oil_part, write_oil
from gridlib.adapters.readers import Reading, read_file
from gridlib.adapters.records import network as network_records
from gridlib.adapters.records import runs
from gridlib.adapters.store import utc_text
from gridlib.domain.lifecycle import SYSTEM
from gridlib.facts.errors import FileError, InputError
from gridlib.workbench import Workbench
from gridlib.workflow.audit import intention

SUFFIXES = (".csv", ".parquet")
CLOCK_TOLERANCE = pd.Timedelta(hours=1)
"""A reading may be this far ahead of our clock."""

LONGEST_GAP = pd.Timedelta(days=366)
"""Where the data are the clock, a reading may be this far after the newest one known."""

_ORDER = ("substations", "feeders", "transformers", "sections", "switches", "lines", "switch_states")


@dataclass(frozen=True)
class IngestResult:
    """What became of one file; ``repeated`` where its content was known already."""

    name: str
    kind: str
    rows: int
    rejects: int
    repeated: bool
    findings: pd.DataFrame


def ingest_paths(
    workbench: Workbench, paths: Sequence[Path], *, kind: str | None = None, actor: str = SYSTEM
) -> list[IngestResult]:
    """Ingest files and folders: networks first, then weather, then load.

    Parameters
    ----------
    workbench : Workbench
        The workspace.
    paths : sequence of Path
        Files, or folders whose CSV and Parquet files are taken.
    kind : str, optional
        load, oil, weather, network or switches; default is to recognise it.
    actor : str
        Who ingests.

    Returns
    -------
    list of IngestResult
        One for each file, in the order taken.

    Raises
    ------
    FileError, FrameError
        The first file that cannot be used; files before it are in, it and later ones are not.
    """
    return [ingest_file(workbench, file, kind=kind, actor=actor) for file in in_order(paths)]


def ingest_file(
    workbench: Workbench, path: Path, *, kind: str | None = None, actor: str = SYSTEM
) -> IngestResult:
    """Ingest one file; see `ingest_paths`."""
    reading = _read(workbench, path, kind, actor)
    with workbench.store.read() as connection:
        known = _is_known(connection, reading)
        edition = len(runs.earlier_rejects(connection, reading.sha256))
    ingest_id = reading.sha256[:16] + (f"-{edition}" if edition else "")
    if known:
        _restore(workbench, reading)
        return _result(reading, repeated=True)
    if reading.kind == "load":
        workbench.telemetry.write_load(ingest_id, reading.frame)
    if reading.kind == "weather":
        workbench.telemetry.write_weather(ingest_id, reading.frame)
    if reading.kind == "oil":
        write_oil(workbench.telemetry.folder, ingest_id, reading.frame)
    with intention(workbench, actor, "file.ingest", path.name) as act:
        if _is_known(act.connection, reading):
            act.outcome = "repeated"
            return _result(reading, repeated=True)
        seq = workbench.store.next_number(act.connection, "ingest", 0)
        if reading.kind == "network":
            act.facts["before"] = network_records.network_digest(act.connection)
            network_records.replace_network_table(act.connection, reading.name, reading.frame)
            act.facts["after"] = network_records.network_digest(act.connection)
        if reading.kind == "switches":
            network_records.add_switch_states(act.connection, reading.frame, actor)
        times = reading.frame["time"] if "time" in reading.frame else pd.Series(dtype="datetime64[ns, UTC]")
        runs.save_ingest(
            act.connection,
            {
                "ingest_id": ingest_id,
                "seq": seq,
                "sha256": reading.sha256,
                "name": path.name,
                "kind": reading.kind,
                "rows": len(reading.frame),
                "rejects": reading.rejects,
                "first_time": utc_text(times.min()) if len(times) else None,
                "last_time": utc_text(times.max()) if len(times) else None,
                "ingested_at": utc_text(act.at),
                "ingested_by": actor,
            },
        )
        runs.save_findings(act.connection, ingest_id, "ingest", reading.findings)
        act.facts |= {
            "sha256": reading.sha256,
            "kind": reading.kind,
            "rows": len(reading.frame),
            "rejects": reading.rejects,
            "findings": len(reading.findings),
        }
    return _result(reading, repeated=False)


def _is_known(connection: Connection, reading: Reading) -> bool:
    """Tell whether taking a file in would change nothing.

    Readings count by their content and by how many rows had to be left out: a file whose transformers were
    unknown is taken again once the network knows them.
    """
    if reading.kind == "network":
        return network_records.holds_table(connection, reading.name, reading.frame)
    rejects = runs.earlier_rejects(connection, reading.sha256)
    return bool(rejects) and reading.rejects >= min(rejects)


def _restore(workbench: Workbench, reading: Reading) -> None:
    """Write the parts of a known file again, where somebody has deleted them."""
    ingest_id = reading.sha256[:16]
    if reading.kind == "load" and not workbench.telemetry.has_part(ingest_id, "load"):
        workbench.telemetry.write_load(ingest_id, reading.frame)
    if reading.kind == "weather" and not workbench.telemetry.has_part(ingest_id, "weather"):
        workbench.telemetry.write_weather(ingest_id, reading.frame)
    if reading.kind == "oil" and not oil_part(workbench.telemetry.folder, ingest_id).exists():
        write_oil(workbench.telemetry.folder, ingest_id, reading.frame)


def _read(workbench: Workbench, path: Path, kind: str | None, actor: str) -> Reading:
    settings = workbench.settings.ingest
    with workbench.store.read() as connection:
        network = network_records.read_network(connection)
        latest = _latest(workbench, connection)
    transformers = network.transformers
    ratings = dict(zip(transformers["transformer_id"], transformers["rating_kva"], strict=True))
    try:
        return read_file(
            path,
            kind,
            power_factor=settings.power_factor,
            naive_tz=settings.naive_tz,
            unit_ratio_limit=settings.unit_ratio_limit,
            ratings=ratings or None,
            latest=latest,
            switches=set(network.switches["switch_id"]) or None,
        )
    except InputError as error:
        with intention(workbench, actor, "file.refuse", path.name) as act:
            act.outcome = f"refused:{error.code}"
            act.facts["message"] = str(error)
        raise


def _latest(workbench: Workbench, connection: Connection) -> pd.Timestamp | None:
    """Tell which stamps are believed: one misdated reading would move "now" by years."""
    wall = workbench.clock() + CLOCK_TOLERANCE
    if workbench.settings.clock.follow == "wall":
        return wall
    known = runs.last_reading(connection)
    return None if known is None else max(wall, known + LONGEST_GAP)


def _result(reading: Reading, *, repeated: bool) -> IngestResult:
    return IngestResult(
        reading.name, reading.kind, len(reading.frame), reading.rejects, repeated, reading.findings
    )


def in_order(paths: Sequence[Path]) -> list[Path]:
    """List files, and the CSV and Parquet files of folders: networks first, then weather, then load.

    Raises
    ------
    FileError
        A folder without such files.
    """
    return sorted((file for path in paths for file in _files(path)), key=_turn)


def _files(path: Path) -> list[Path]:
    if not path.is_dir():
        return [path]
    found = sorted(f for f in path.rglob("*") if f.suffix.lower() in SUFFIXES)
    if not found:
        raise FileError(
            str(path),
            "a folder without CSV or Parquet files",
            what_to_do="Name the files, or another folder.",
        )
    return found


def _turn(path: Path) -> tuple[int, str]:
    stem = path.stem.lower()
    if stem in _ORDER:
        return _ORDER.index(stem), path.name
    return len(_ORDER) + ("weather" not in stem), path.name
