"""What load and weather have in common: rows of one object at one time."""

import pandas as pd

from gridlib.adapters.readers.findings import Findings


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


def keep_last(rows: pd.DataFrame, keys: list[str], value: str, findings: Findings) -> pd.DataFrame:
    """Sort rows and keep one for each key: the last in the file that has a value.

    Parameters
    ----------
    rows : DataFrame
        In the order of the file.
    keys : list of str
        Columns that name a reading; the first of them names its object, ``time`` is among them.
    value : str
        Column of the value.
    findings : Findings
        Takes rows out of order, ``duplicate`` and ``conflicting_duplicate`` for each object.

    Returns
    -------
    DataFrame
        Sorted by ``keys``, index renewed.
    """
    late = rows.groupby(keys[0], sort=False)["time"].diff() < pd.Timedelta(0)
    findings.add_rows(rows[late], keys[0], "out_of_order", "came after a later one and were sorted in")
    in_order = rows.assign(_valued=rows[value].notna()).sort_values([*keys, "_valued"], kind="stable")
    in_order = in_order.drop(columns="_valued")
    surplus = in_order.duplicated(keys, keep="last")
    if surplus.any():
        kept = in_order.groupby(keys, sort=False)[value].transform("last")
        differs = in_order[value].notna() & (in_order[value] != kept)
        same = "came more than once with the same value; one was kept"
        findings.add_rows(in_order[surplus & ~differs], keys[0], "duplicate", same)
        other = "came more than once with different values; the last was kept"
        findings.add_rows(in_order[surplus & differs], keys[0], "conflicting_duplicate", other)
    return in_order[~surplus].reset_index(drop=True)
