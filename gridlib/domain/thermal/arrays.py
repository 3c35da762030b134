"""From long frames to arrays over time and transformer, and back."""

from collections.abc import Iterable, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gridlib.facts.errors import InputError

Floats = NDArray[np.float64]


def wide_arrays(
    frame: pd.DataFrame, columns: Sequence[str]
) -> tuple[NDArray[np.object_], pd.DatetimeIndex, Floats]:
    """Turn columns of a long frame (transformer_id, time, ...) into arrays over time and transformer.

    Parameters
    ----------
    frame : DataFrame
        One row for each transformer and hour.
    columns : sequence of str
        Columns to take.

    Returns
    -------
    ids : array [N]
        Transformers in the order they appear.
    times : DatetimeIndex [T]
        Hours, sorted.
    values : array [C, T, N]
        The columns; NaN where the frame has no row.

    Raises
    ------
    InputError
        A frame without rows.
    """
    if frame.empty:
        raise InputError("the forecast has no rows", what_to_do="Ingest readings and run the forecast again.")
    unit, ids = pd.factorize(frame["transformer_id"])
    moment, times = pd.factorize(frame["time"], sort=True)
    values = np.full((len(columns), len(times), len(ids)), np.nan)
    for c, column in enumerate(columns):
        values[c, moment, unit] = frame[column].to_numpy(float)
    return np.asarray(ids, dtype=object), pd.DatetimeIndex(times), values


def step_of(times: pd.DatetimeIndex) -> pd.Timedelta:
    """Length of one step of a horizon; one hour where there is a single step."""
    return pd.Timedelta(times[1] - times[0]) if len(times) > 1 else pd.Timedelta(hours=1)


def fill_gaps(values: Floats) -> tuple[Floats, NDArray[np.bool_]]:
    """Bridge missing values along time, linearly inside and with the nearest value at the ends.

    Parameters
    ----------
    values : array [T, N]
        NaN or infinite where missing.

    Returns
    -------
    filled : array [T, N]
        NaN only where a whole column is missing.
    missing : array [T, N]
        True where a value was missing.

    Examples
    --------
    >>> fill_gaps(np.array([[np.nan], [1.0], [np.nan], [3.0]]))[0].ravel().tolist()
    [1.0, 1.0, 2.0, 3.0]
    """
    missing = ~np.isfinite(values)
    if not missing.any():
        return values, missing
    values = np.where(missing, np.nan, values)
    steps = np.arange(len(values))[:, None]
    before = np.maximum.accumulate(np.where(missing, -1, steps), axis=0)
    after = np.minimum.accumulate(np.where(missing, len(values), steps)[::-1], axis=0)[::-1]
    left = np.where(before < 0, after, before)
    right = np.where(after == len(values), before, after)
    nobody = (left == len(values)) | (right < 0)
    left, right = np.where(nobody, 0, left), np.where(nobody, 0, right)
    span = np.maximum(right - left, 1)
    start = np.take_along_axis(values, left, axis=0)
    end = np.take_along_axis(values, right, axis=0)
    return np.where(missing, start + (end - start) * (steps - left) / span, values), missing


def finding_frame(rows: Iterable[tuple[str, str, str]]) -> pd.DataFrame:
    """Make a `FindingFrame` of (object, code, message), each seen once and without a time."""
    listed = list(rows)
    never = pd.DatetimeIndex([pd.NaT] * len(listed), tz="UTC").as_unit("ns")
    return pd.DataFrame(
        {
            "object_id": pd.Series([row[0] for row in listed], dtype=object),
            "code": pd.Series([row[1] for row in listed], dtype=object),
            "message": pd.Series([row[2] for row in listed], dtype=object),
            "first": never,
            "last": never,
            "count": pd.Series([1] * len(listed), dtype="int64"),
        }
    )


def column_of(frame: pd.DataFrame, name: str) -> pd.Series:
    """Take an optional column; missing values where the table does not have it."""
    if name in frame:
        return frame[name]
    return pd.Series(np.nan, index=frame.index, dtype=float, name=name)
