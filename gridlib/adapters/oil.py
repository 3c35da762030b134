"""Measured top oil as Parquet files beside load and weather.

::

    oil/part-<ingest_id>.parquet
"""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from gridlib.adapters.files import replacing
from gridlib.adapters.parquet import TIME, WRITING, between, checked_name, read_parts
from gridlib.facts.frames import OilFrame, check_frame

OIL_SCHEMA = pa.schema([("transformer_id", pa.string()), ("time", TIME), ("top_oil_c", pa.float64())])


def oil_part(folder: Path, ingest_id: str) -> Path:
    """Name the file that holds the top oil of one ingest, below the folder of the telemetry."""
    return folder / "oil" / f"part-{checked_name(ingest_id)}.parquet"


def write_oil(folder: Path, ingest_id: str, frame: pd.DataFrame) -> None:
    """Write the top oil of one ingested file.

    Parameters
    ----------
    folder : Path
        Root of the telemetry.
    ingest_id : str
        Names the file by its content.
    frame : DataFrame
        An `OilFrame`.

    Raises
    ------
    FrameError
        The frame is not one.
    """
    check_frame(OilFrame, frame)
    rows = frame.sort_values(["transformer_id", "time"], kind="stable")
    table = pa.Table.from_pandas(rows, schema=OIL_SCHEMA, preserve_index=False)
    with replacing(oil_part(folder, ingest_id)) as draft:
        pq.write_table(table, draft, **WRITING)


def read_oil(
    folder: Path, ingest_ids: Sequence[str], *, start: pd.Timestamp, end: pd.Timestamp
) -> pd.DataFrame:
    """Read the top oil of committed ingests.

    Parameters
    ----------
    folder : Path
        Root of the telemetry.
    ingest_ids : sequence of str
        In the order of the ledger.
    start, end : Timestamp
        First time, and the time before which to stop; with a zone.

    Returns
    -------
    DataFrame
        An `OilFrame`, sorted by transformer and time; the last ingested value of each counts.

    Raises
    ------
    FileError
        A part is damaged; names it.
    """
    wanted = [oil_part(folder, ingest_id) for ingest_id in ingest_ids]
    parts = [read_parts([path], OIL_SCHEMA, between(start, end)) for path in wanted if path.exists()]
    keys = ["transformer_id", "time"]
    rows: pd.DataFrame = pa.concat_tables([OIL_SCHEMA.empty_table(), *parts]).to_pandas()
    return rows.drop_duplicates(keys, keep="last").sort_values(keys, ignore_index=True)
