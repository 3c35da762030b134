"""What load and weather have in common: rows of one object at one time."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gridlib.adapters.readers.findings import Findings


def drop_future(
    rows: pd.DataFrame, key: str, said: str, latest: pd.Timestamp | None, findings: Findings
) -> pd.DataFrame:
    """Leave out rows of a time that has not come yet: one such row would move the site's clock.

    Parameters
    ----------
    rows : DataFrame
        With ``key``, ``time`` and ``said``.
    key : str
        Column that names the object.
    said : str
        Column of the time at which the row was measured or said.
    latest : Timestamp or None
        Rows said after it are left out; None checks nothing.
    findings : Findings
        Takes how many there were of each object.

    Returns
    -------
    DataFrame
        The others.
    """
    if latest is None:
        return rows
    future = rows[said] > latest
    message = f"are dated after {latest.isoformat(timespec='minutes')} and were left out: wrong clock?"
    findings.add_rows(rows[future], key, "future_reading", message)
    return rows[~future]


def drop_unclear_times(rows: pd.DataFrame, naive_tz: str, findings: Findings) -> pd.DataFrame:
    """Leave out rows whose local time does not name one moment.

    Parameters
    ----------
    rows : DataFrame
        With ``time``, NaT where the local time was skipped or came twice.
    naive_tz : str
        The zone that was assumed.
    findings : Findings
        Takes how many there were.

    Returns
    -------
    DataFrame
        The others.
    """
    unclear = rows["time"].isna()
    if unclear.any():
        message = f"local times that {naive_tz} skips or has twice (daylight saving) were left out"
        findings.add_file("unclear_time", message, int(unclear.sum()))
    return rows[~unclear]


def keep_last(
    rows: pd.DataFrame, keys: list[str], value: str, worth: NDArray[np.int8], findings: Findings
) -> pd.DataFrame:
    """Sort rows and keep one for each key: of those worth most, the last in the file.

    Parameters
    ----------
    rows : DataFrame
        In the order of the file.
    keys : list of str
        Columns that name a reading; the first of them names its object, ``time`` is among them.
    value : str
        Column of the value.
    worth : array [N]
        Grade of each row; a row never displaces one of a higher grade.
    findings : Findings
        Takes rows out of order, ``duplicate`` and ``conflicting_duplicate`` for each object.

    Returns
    -------
    DataFrame
        Sorted by ``keys``, index renewed.
    """
    late = rows.groupby(keys[0], sort=False)["time"].diff() < pd.Timedelta(0)
    findings.add_rows(rows[late], keys[0], "out_of_order", "came after a later one and were sorted in")
    in_order = rows.assign(_worth=worth).sort_values([*keys, "_worth"], kind="stable")
    in_order = in_order.drop(columns="_worth")
    surplus = in_order.duplicated(keys, keep="last")
    if surplus.any():
        kept = in_order.groupby(keys, sort=False)[value].transform("last")
        differs = in_order[value].notna() & (in_order[value] != kept)
        same = "came more than once with the same value; one was kept"
        findings.add_rows(in_order[surplus & ~differs], keys[0], "duplicate", same)
        other = "came more than once with different values; the last usable one was kept"
        findings.add_rows(in_order[surplus & differs], keys[0], "conflicting_duplicate", other)
    return in_order[~surplus].reset_index(drop=True)
