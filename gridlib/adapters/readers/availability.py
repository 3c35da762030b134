"""When readings arrived: the column a back-test needs and nobody else reads."""

from pathlib import Path

import pandas as pd

from gridlib.adapters.readers.cells import parse_names, parse_times
from gridlib.adapters.readers.raw import read_raw


def read_availability(path: Path, naive_tz: str) -> pd.Series | None:
    """Read the column ``available_at`` of a load file.

    Parameters
    ----------
    path : Path
        A load file that `gridlib.adapters.readers.read_file` has read.
    naive_tz : str
        Zone of stamps without an offset; empty refuses them.

    Returns
    -------
    Series of datetime64[ns, UTC] or None
        By transformer and time, the latest where a reading came more than once: nothing is known too early.
        None where the file has no such column.

    Raises
    ------
    FileError
        A time that cannot be read; names row and column.
    """
    table = read_raw(path, path.read_bytes())
    if "available_at" not in table.frame:
        return None
    rows = pd.DataFrame(
        {
            "transformer_id": parse_names(table, "transformer_id"),
            "time": parse_times(table, "time", naive_tz),
            "available_at": parse_times(table, "available_at", naive_tz),
        }
    ).dropna()
    return rows.groupby(["transformer_id", "time"])["available_at"].max()
