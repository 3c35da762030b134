"""Network tables before they are taken in: checked, or made of another program's file. Needs no workspace."""

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from gridlib.adapters.networks import (
    CheckedTable,
    Fault,
    Level,
    check_table_file,
    network_of,
    read_grid,
    to_network,
    write_network,
)
from gridlib.adapters.notebooks import share_dir
from gridlib.domain.network import check_network
from gridlib.facts.errors import FileError, InputError
from gridlib.facts.frames import NETWORK_TABLES, FindingFrame, check_frame
from gridlib.facts.types import Network
from gridlib.workflow.ingest import SUFFIXES

REMARKS = frozenset(
    {"optional_column_missing", "column_ignored", "parallel_ties", "unknown_state", "not_checked"}
)
"""Findings that leave the network fit for use; every other is a fault of it."""

_NEEDED = ("transformers", "sections", "switches")


@dataclass(frozen=True)
class NetworkCheck:
    """What is wrong with a set of network files.

    Attributes
    ----------
    rows : dict of str to int
        Usable rows of each table.
    faults : tuple of Fault
        For which a file would be refused.
    findings : DataFrame
        A `FindingFrame` with ``file``, ``row`` (None where it is not one row) and ``remark``: what the
        network as a whole makes of the rows that can be used.
    """

    rows: dict[str, int]
    faults: tuple[Fault, ...]
    findings: pd.DataFrame

    @property
    def clean(self) -> bool:
        """Whether there is nothing but remarks."""
        return not self.faults and bool(self.findings["remark"].all())


@dataclass(frozen=True)
class ImportedNetwork:
    """A network made of another program's file: where it was written, and what was not carried over."""

    files: tuple[Path, ...]
    rows: dict[str, int]
    findings: pd.DataFrame


def check_files(paths: Sequence[Path], *, naive_tz: str = "") -> NetworkCheck:
    """Find everything that is wrong with network files, by row and by object.

    Parameters
    ----------
    paths : sequence of Path
        Files, or folders whose CSV and Parquet files that are named after a table are taken.
    naive_tz : str
        Zone of stamps without an offset; empty refuses them.

    Returns
    -------
    NetworkCheck
        Faults of cells and rows, then findings on the network of the rows that can be used.

    Raises
    ------
    FileError
        A file or folder that is not there or holds no network table, or two files of one table.
    """
    checked: dict[str, CheckedTable] = {}
    files: dict[str, Path] = {}
    for path in _table_files(paths):
        one = check_table_file(path, naive_tz=naive_tz)
        if one.table in checked:
            message = f"is a second table of {one.table}, beside {files[one.table]}"
            raise FileError(str(path), message, what_to_do="Check one edition of the network at a time.")
        checked[one.table], files[one.table] = one, path
    tables = {name: one.frame for name, one in checked.items() if one.frame is not None}
    found = [one.remarks.assign(file=str(files[name]), row=None) for name, one in checked.items()]
    missing = [name for name in _NEEDED if name not in tables]
    if missing:
        found.append(_not_checked(f"needs {', '.join(missing)}: who feeds whom was not looked at"))
    else:
        findings = check_network(_network(tables))
        told = {
            str(key) for table in tables.values() for key in table.iloc[:, 0][table.iloc[:, 0].duplicated()]
        }
        told_of = (findings["code"] == "duplicate_id") & findings["object_id"].isin(told)
        found.append(_placed(findings[~told_of], tables, files))
    if "switch_states" not in checked and "switches" in tables:
        found.append(_not_checked("needs switch_states: every switch is taken to be in its normal state"))
    for name, one in checked.items():
        if one.left_out and one.frame is not None:
            found.append(
                _not_checked(f"{one.left_out} faulty row(s) of {name} were left out of the findings")
            )
    findings = pd.concat(found, ignore_index=True)
    findings["row"] = findings["row"].astype(object)
    findings["remark"] = findings["code"].isin(REMARKS)
    rows = {name: 0 if one.frame is None else len(one.frame) for name, one in checked.items()}
    return NetworkCheck(rows, tuple(fault for one in checked.values() for fault in one.faults), findings)


def write_templates(folder: Path) -> list[Path]:
    """Write an example of every network table, ready to be filled in.

    Parameters
    ----------
    folder : Path
        Where; made if needed.

    Returns
    -------
    list of Path
        The files.

    Raises
    ------
    FileError
        One of them is there already; nothing is replaced.
    """
    sources = [share_dir() / "data" / "templates" / f"{name}.csv" for name in NETWORK_TABLES]
    targets = [folder / source.name for source in sources]
    for target in targets:
        if target.exists():
            raise FileError(str(target), "is there already", what_to_do="Choose another folder.")
    folder.mkdir(parents=True, exist_ok=True)
    for source, target in zip(sources, targets, strict=True):
        shutil.copyfile(source, target)
    return targets


def import_network(path: Path, folder: Path, *, level: Level | None = None) -> ImportedNetwork:
    """Turn a pandapower or OpenDSS file into network tables.

    Parameters
    ----------
    path : Path
        pandapower JSON or Excel, or an OpenDSS master file.
    folder : Path
        Where the tables go; made if needed.
    level : Level, optional
        Whose transformers and switches become ours; default is where most of the load is connected.

    Returns
    -------
    ImportedNetwork
        The files written, and what could not be carried over.

    Raises
    ------
    FileError
        The file cannot be read, or the folder holds network tables already.
    InputError
        The package that reads it is not installed, or the file has no transformer of that level.
    """
    converted = to_network(read_grid(path), level)
    files = write_network(converted.network, folder)
    return ImportedNetwork(
        tuple(files),
        {file.stem: _rows_of(converted.network, file.stem) for file in files},
        converted.findings,
    )


def _rows_of(network: Network, table: str) -> int:
    return len(network.states if table == "switch_states" else getattr(network, table))


def _table_files(paths: Sequence[Path]) -> list[Path]:
    found = []
    for path in paths:
        if not path.is_dir():
            found.append(path)
            continue
        inside = sorted(
            f for f in path.iterdir() if f.suffix.lower() in SUFFIXES and f.stem.lower() in NETWORK_TABLES
        )
        if not inside:
            raise FileError(str(path), "a folder without network tables", what_to_do="Name the files.")
        found += inside
    if not found:
        raise InputError("no file was named", what_to_do="Name the files, or a folder that holds them.")
    return found


def _network(tables: dict[str, pd.DataFrame]) -> Network:
    """Make the network; where the feeders are not given, those that the transformers name stand for them."""
    network = network_of(tables)
    if "feeders" in tables:
        return network
    named = network.transformers.drop_duplicates("feeder_id")
    feeders = named[["feeder_id", "substation_id"]].assign(voltage_kv=float("nan"), limit_a=float("nan"))
    return network_of({**tables, "feeders": feeders})


def _not_checked(message: str) -> pd.DataFrame:
    nothing = pd.Series([pd.NaT], dtype="datetime64[ns, UTC]")
    facts = {"object_id": ["network"], "code": ["not_checked"], "message": [message]}
    frame = pd.DataFrame({**facts, "first": nothing, "last": nothing, "count": [1]})
    return check_frame(FindingFrame, frame).assign(file="", row=None)


def _placed(findings: pd.DataFrame, tables: dict[str, pd.DataFrame], files: dict[str, Path]) -> pd.DataFrame:
    """Add to each finding the row of its object; of a repeated name, the last one."""
    places: dict[str, tuple[str, int]] = {}
    for name in (table for table in NETWORK_TABLES if table in tables and table != "switch_states"):
        ids = tables[name].iloc[:, 0]
        places |= {str(key): (str(files[name]), int(str(row))) for row, key in ids.items()}
    where = [places.get(str(name), ("", None)) for name in findings["object_id"]]
    rows = pd.Series([row for _, row in where], index=findings.index, dtype=object)
    return findings.assign(file=[file for file, _ in where], row=rows)
