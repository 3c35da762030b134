"""Files from the field: read whole or refused whole, with every doubt counted.

What makes a file unusable raises `FileError` and nothing of it is taken. What makes rows doubtful becomes a
finding: flagged rows stay in the frame with their raw value, rows that cannot be used are counted as rejects.
"""

import hashlib
from collections.abc import Mapping, Set
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from gridlib.adapters.readers import load, network, oil, weather
from gridlib.adapters.readers.findings import Findings
from gridlib.adapters.readers.raw import RawTable, read_raw
from gridlib.facts.errors import FileError
from gridlib.facts.frames import NETWORK_TABLES

_NETWORK_NAMES = tuple(name for name in NETWORK_TABLES if name != "switch_states")
_EXPECTED = (
    "load: transformer_id, time, load_kva or load_kw [, quality]; "
    "weather: station_id, time, issued_at, ambient_c; "
    "oil: transformer_id, time, top_oil_c; "
    "switches: switch_id, time, state [, health, tags, source]; "
    f"network: a file named {', '.join(f'{name}.csv' for name in _NETWORK_NAMES)}"
)


@dataclass(frozen=True)
class Reading:
    """What one file held.

    Attributes
    ----------
    kind : str
        load, oil, weather, network or switches.
    name : str
        The network table where ``kind`` is network, else the file's name.
    frame : DataFrame
        The frame of that kind, checked.
    findings : DataFrame
        A `FindingFrame`: what is doubtful or was left out.
    rows, rejects : int
        Rows in the file, and how many of them are not in ``frame``.
    sha256 : str
        Of the file's bytes.
    complete : bool
        False where rows were left out because their transformer is not in the network: once it is, the
        same file holds more.
    """

    kind: str
    name: str
    frame: pd.DataFrame
    findings: pd.DataFrame
    rows: int
    rejects: int
    sha256: str
    complete: bool


def read_file(
    path: Path,
    kind: str | None = None,
    *,
    power_factor: float,
    naive_tz: str,
    unit_ratio_limit: float,
    ratings: Mapping[str, float] | None = None,
    latest: pd.Timestamp | None = None,
    switches: Set[str] | None = None,
) -> Reading:
    """Read one CSV or Parquet file.

    Parameters
    ----------
    path : Path
        CSV (UTF-8 or Windows-1256; comma, semicolon or tab) or Parquet.
    kind : str, optional
        load, oil, weather, network or switches; default is to recognise it by its name and columns.
    power_factor : float
        Converts ``load_kw`` into kVA.
    naive_tz : str
        Zone of stamps without an offset; empty refuses them.
    unit_ratio_limit : float
        A transformer whose median load exceeds this multiple of its rating was read in a wrong unit; a
        single reading beyond it is invalid.
    ratings : mapping, optional
        Rating [kVA] of each known transformer; without it every transformer is taken as known.
    latest : Timestamp, optional
        Load readings and switch states dated, and weather issued, after it are left out; default is not
        to check.
    switches : set of str, optional
        Switches of the network; without it every switch is taken as known.

    Returns
    -------
    Reading
        The checked frame and everything that is doubtful about it.

    Raises
    ------
    FileError
        The file cannot be used; nothing of it is taken.
    """
    content = _read_bytes(path)
    table = read_raw(path, content)
    found = kind or _recognise(path, table)
    findings = Findings(path.name)
    name = path.name
    if table.cut_rows:
        findings.add_file("half_row", "the last row is cut off and was left out", table.cut_rows)
    if found == "load":
        frame = load.read_load(
            table,
            findings,
            power_factor=power_factor,
            naive_tz=naive_tz,
            unit_ratio_limit=unit_ratio_limit,
            ratings=ratings,
            latest=latest,
        )
    elif found == "weather":
        frame = weather.read_weather(table, findings, naive_tz=naive_tz, latest=latest)
    elif found == "oil":
        frame = oil.read_oil(table, findings, naive_tz=naive_tz, ratings=ratings, latest=latest)
    elif found == "switches":
        frame = network.read_switch_states(
            table, findings, naive_tz=naive_tz, latest=latest, switches=switches
        )
    elif found == "network":
        name = _network_table(path)
        frame = network.read_network_table(table, findings, name)
    else:
        raise FileError(
            str(path), f"no kind of file is called '{found}'", what_to_do=f"Kinds are {_EXPECTED}."
        )
    rows = len(table.frame) + table.cut_rows
    if frame.empty:
        raise table.error(f"none of its {rows} rows can be used: {findings.summary()}")
    doubts = findings.frame()
    return Reading(
        kind=found,
        name=name,
        frame=frame,
        findings=doubts,
        rows=rows,
        rejects=rows - len(frame),
        sha256=hashlib.sha256(content).hexdigest(),
        complete=not (doubts["code"] == load.UNKNOWN_TRANSFORMER).any(),
    )


def _read_bytes(path: Path) -> bytes:
    if path.is_dir():
        raise FileError(str(path), "is a folder", what_to_do="Name a file in it.")
    try:
        return path.read_bytes()
    except FileNotFoundError as error:
        raise FileError(str(path), "no such file", what_to_do="Check the name.") from error
    except OSError as error:
        raise FileError(str(path), f"cannot be read: {error.strerror}") from error


def _recognise(path: Path, table: RawTable) -> str:
    if path.stem.lower() in _NETWORK_NAMES:
        return "network"
    columns = set(table.frame.columns)
    if {"switch_id", "time", "state"} <= columns:
        return "switches"
    if {"station_id", "time", "ambient_c"} <= columns:
        return "weather"
    if {"transformer_id", "time"} <= columns and columns & {"load_kva", "load_kw"}:
        return "load"
    if {"transformer_id", "time", "top_oil_c"} <= columns:
        return "oil"
    raise table.error(
        f"its columns {', '.join(map(str, table.frame.columns))} are of no known kind",
        what_to_do=f"Expected is one of {_EXPECTED}.",
    )


def _network_table(path: Path) -> str:
    name = path.stem.lower()
    if name not in _NETWORK_NAMES:
        raise FileError(
            str(path),
            "its name tells no network table",
            what_to_do=f"Name it {', '.join(f'{known}.csv' for known in _NETWORK_NAMES)}.",
        )
    return name
