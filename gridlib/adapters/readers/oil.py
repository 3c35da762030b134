"""Top-oil temperatures from sensors."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from gridlib.adapters.readers.cells import parse_names, parse_numbers, parse_times
from gridlib.adapters.readers.findings import Findings
from gridlib.adapters.readers.load import UNKNOWN_TRANSFORMER
from gridlib.adapters.readers.raw import RawTable
from gridlib.adapters.readers.series import drop_future, drop_unclear_times, keep_last
from gridlib.facts.frames import COLDEST_OIL_C, HOTTEST_OIL_C, OilFrame, check_frame


def read_oil(
    table: RawTable,
    findings: Findings,
    *,
    naive_tz: str,
    ratings: Mapping[str, float] | None,
    latest: pd.Timestamp | None,
) -> pd.DataFrame:
    """Read top-oil temperatures.

    Parameters
    ----------
    table : RawTable
        Columns transformer_id, time, top_oil_c [degC].
    findings : Findings
        Takes what is doubtful.
    naive_tz, ratings, latest
        As in `gridlib.adapters.readers.read_file`.

    Returns
    -------
    DataFrame
        An `OilFrame` sorted by transformer and time, one row for each.

    Raises
    ------
    FileError
        The file cannot be used.
    """
    columns = {"transformer_id", "time", "top_oil_c"}
    table.require(columns)
    findings.add_ignored(table.frame.columns, columns, len(table.frame))
    rows = pd.DataFrame(
        {
            "transformer_id": parse_names(table, "transformer_id"),
            "time": parse_times(table, "time", naive_tz),
            "top_oil_c": parse_numbers(table, "top_oil_c"),
        }
    )
    rows = drop_unclear_times(rows, naive_tz, findings)
    rows = drop_future(rows, "transformer_id", "time", latest, findings)
    if ratings is not None:
        stranger = ~rows["transformer_id"].isin(list(ratings))
        message = "is not in the network; its readings were left out"
        findings.add_rows(rows[stranger], "transformer_id", UNKNOWN_TRANSFORMER, message)
        rows = rows[~stranger]
    empty = rows["top_oil_c"].isna()
    findings.add_rows(rows[empty], "transformer_id", "no_value", "have no temperature and were left out")
    beyond = ~empty & ~rows["top_oil_c"].between(COLDEST_OIL_C, HOTTEST_OIL_C)
    message = f"are outside {COLDEST_OIL_C:g} to {HOTTEST_OIL_C:g} degC and were left out"
    findings.add_rows(rows[beyond], "transformer_id", "impossible_temperature", message)
    kept = rows[~empty & ~beyond]
    alike = np.zeros(len(kept), np.int8)
    return check_frame(OilFrame, keep_last(kept, ["transformer_id", "time"], "top_oil_c", alike, findings))
