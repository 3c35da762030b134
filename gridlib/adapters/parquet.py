"""Parquet files of the telemetry data set: columns, writing, and what damage looks like."""

import re
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq

from gridlib.facts.errors import FileError, InputError

TIME = pa.timestamp("ns", tz="UTC")
LOAD_SCHEMA = pa.schema(
    [
        ("transformer_id", pa.string()),
        ("time", TIME),
        ("load_kva", pa.float64()),
        ("quality", pa.uint8()),
    ]
)
WEATHER_SCHEMA = pa.schema(
    [("station_id", pa.string()), ("time", TIME), ("issued_at", TIME), ("ambient_c", pa.float64())]
)
WRITING = {"compression": "zstd", "write_page_checksum": True}
"""A flipped bit is found when the page is read."""
_READING = ds.ParquetFragmentScanOptions(page_checksum_verification=True)
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


def read_parts(paths: list[Path], schema: pa.Schema, wanted: ds.Expression) -> pa.Table:
    """Read parts as one table.

    Parameters
    ----------
    paths : list of Path
        One or more.
    schema : Schema
        Their columns.
    wanted : Expression
        Which rows.

    Returns
    -------
    Table
        The rows, part after part.

    Raises
    ------
    FileError
        A part is damaged; names it.
    """
    parquet = ds.ParquetFileFormat(default_fragment_scan_options=_READING)
    try:
        return ds.dataset([str(path) for path in paths], schema=schema, format=parquet).to_table(
            filter=wanted
        )
    except (pa.ArrowException, OSError) as error:
        what_to_do = "Restore it from a backup of the data folder."
        for path in paths:
            try:
                pq.read_table(path, page_checksum_verification=True)
            except (pa.ArrowException, OSError):
                raise damaged(path, what_to_do) from error
        raise damaged(paths[0].parent, what_to_do) from error


def between(start: pd.Timestamp | None, end: pd.Timestamp | None) -> ds.Expression:
    """Choose the rows of a span of time.

    Parameters
    ----------
    start, end : Timestamp, optional
        First time, and the time before which to stop; with a zone.

    Returns
    -------
    Expression
        On the column ``time``.
    """
    wanted = ds.scalar(True)
    if start is not None:
        wanted &= ds.field("time") >= pa.scalar(start.tz_convert("UTC").as_unit("ns"), TIME)
    if end is not None:
        wanted &= ds.field("time") < pa.scalar(end.tz_convert("UTC").as_unit("ns"), TIME)
    return wanted


def damaged(path: Path, what_to_do: str) -> FileError:
    """Make the error for a file that was whole once.

    Parameters
    ----------
    path : Path
        The file.
    what_to_do : str
        The next step.

    Returns
    -------
    FileError
        To be raised.
    """
    return FileError(str(path), "is damaged and cannot be read", what_to_do=what_to_do)


def checked_name(name: str) -> str:
    """Check that a name can be part of a path without leading out of its folder.

    Parameters
    ----------
    name : str
        Of an ingest, a run or a frame.

    Returns
    -------
    str
        The same name.

    Raises
    ------
    InputError
        Empty, too long, hidden, or with other characters than letters, digits and ``. _ -``.
    """
    if not _NAME.fullmatch(name):
        raise InputError(
            f"'{name}' cannot be the name of a file", what_to_do="Use letters, digits and . _ - only."
        )
    return name
