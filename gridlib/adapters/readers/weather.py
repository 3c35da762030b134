"""Air temperature, measured and forecast."""

import numpy as np
import pandas as pd

from gridlib.adapters.readers.cells import parse_names, parse_numbers, parse_times
from gridlib.adapters.readers.findings import Findings
from gridlib.adapters.readers.raw import RawTable
from gridlib.adapters.readers.series import drop_future, drop_unclear_times, keep_last
from gridlib.facts.frames import WeatherFrame, check_frame

_COLDEST_C, _HOTTEST_C = -60.0, 65.0


def read_weather(
    table: RawTable, findings: Findings, *, naive_tz: str, latest: pd.Timestamp | None
) -> pd.DataFrame:
    """Read weather.

    Parameters
    ----------
    table : RawTable
        Columns station_id, time, issued_at, ambient_c [degC].
    findings : Findings
        Takes what is doubtful.
    naive_tz : str
        Zone of stamps without an offset; empty refuses them.
    latest : Timestamp or None
        Rows issued after it are left out.

    Returns
    -------
    DataFrame
        A `WeatherFrame` sorted by station, time and issue, one row for each.

    Raises
    ------
    FileError
        The file cannot be used.
    """
    columns = {"station_id", "time", "issued_at", "ambient_c"}
    table.require(columns)
    findings.add_ignored(table.frame.columns, columns, len(table.frame))
    rows = pd.DataFrame(
        {
            "station_id": parse_names(table, "station_id"),
            "time": parse_times(table, "time", naive_tz),
            "issued_at": parse_times(table, "issued_at", naive_tz),
            "ambient_c": parse_numbers(table, "ambient_c"),
        }
    )
    rows = drop_unclear_times(rows, naive_tz, findings)
    rows = drop_future(rows, "station_id", "issued_at", latest, findings)
    empty = rows["ambient_c"].isna()
    findings.add_rows(rows[empty], "station_id", "no_value", "have no temperature and were left out")
    beyond = ~empty & ~rows["ambient_c"].between(_COLDEST_C, _HOTTEST_C)
    message = f"are outside {_COLDEST_C:g} to {_HOTTEST_C:g} degC and were left out"
    findings.add_rows(rows[beyond], "station_id", "impossible_temperature", message)
    keys = ["station_id", "time", "issued_at"]
    kept = rows[~empty & ~beyond]
    alike = np.zeros(len(kept), np.int8)
    return check_frame(WeatherFrame, keep_last(kept, keys, "ambient_c", alike, findings))
