"""What is wrong with the readings: gaps, stuck meters, zero blocks, spikes, wrong units.

Readings are flagged, never silently altered: `clean_load` hands back a copy with the flagged readings
missing, and the findings that say which.
"""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gridlib.domain.quality.spikes import find_spikes, in_runs, median_of
from gridlib.facts.errors import InputError

LARGEST_KVA = 1e12
"""No load is larger: such a reading is a code or a fault of the transmission [kVA]."""

STUCK_READINGS = 6
"""So many equal readings in a row are a stuck meter, or a zero block."""

COARSE_RUNS = 10
"""With more runs than this, and than one in ten days, the meter is coarse or the load steps."""

UNTOUCHED = ("missing", "all_missing")
"""Codes of readings that are not there anyway; all other flagged readings are set aside."""

CHUNK = 64
"""Transformers at a time, to bound the memory and stay in the cache."""

FINDING_COLUMNS = ("transformer_id", "code", "first", "last", "count")
_Bool = NDArray[np.bool_]
_Float = NDArray[np.float64]


def check_load(history: pd.DataFrame) -> pd.DataFrame:
    """Find what is wrong with the readings of each transformer.

    Parameters
    ----------
    history : DataFrame
        Wide: UTC index, one row each step, one column for each transformer, load [kVA], NaN is missing.

    Returns
    -------
    DataFrame
        transformer_id, code, first and last time (UTC) and count of readings, one row for each
        transformer and code:

        - ``all_missing``: no finite reading at all;
        - ``constant``: never another value, `STUCK_READINGS` or more of them;
        - ``infinite``: readings that are not finite;
        - ``missing``: gaps after the first reading;
        - ``stuck``: `STUCK_READINGS` or more equal readings in a row, not zero;
        - ``zero_block``: the same, zero: an outage or a dead meter, which the load alone cannot tell;
        - ``spike``: up to `SPIKE_LONGEST` readings far from the same hour of the days around.

    Raises
    ------
    InputError
        Index that is naive, unsorted or has duplicates; values that are no numbers.

    Notes
    -----
    Spikes by the Hampel identifier, ``|x - median| > 6 * 1.4826 * MAD``, over the same hour of the days
    d-3..d+3, for readings that also stand out from those beside them. The MAD of seven readings is itself
    rough, so it counts at least as much as is usual for this transformer (median over time) and at least
    1 % of the median load. Where runs of equal readings are usual (`COARSE_RUNS`), the meter is coarse,
    or the load is often idle, and only runs of a whole day are flagged. A column that is ``all_missing``
    or ``constant`` gets no other code but ``infinite``.

    References
    ----------
    Davies, L. and Gather, U. (1993), The identification of multiple outliers, J. Am. Stat. Assoc. 88.

    Examples
    --------
    >>> times = pd.date_range("2026-01-01", periods=48, freq="h", tz="UTC")
    >>> load = pd.DataFrame({"T-01": np.arange(48.0)}, index=times)
    >>> load.iloc[7:9] = np.nan
    >>> check_load(load)[["transformer_id", "code", "count"]].values.tolist()
    [['T-01', 'missing', 2]]
    """
    return _check(history, keep=False)[1]


def clean_load(history: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Set flagged readings aside.

    Parameters
    ----------
    history : DataFrame
        As for `check_load`.

    Returns
    -------
    cleaned : DataFrame
        A copy in which stuck, zero-block, spike, infinite and constant readings are NaN.
    findings : DataFrame
        As from `check_load`, of the data as they came.
    """
    return _check(history, keep=True)


def check_unit(history: pd.DataFrame, rating_kva: pd.Series, ratio_limit: float) -> pd.DataFrame:
    """Find transformers whose readings must be in another unit, such as W or VA read as kVA.

    Parameters
    ----------
    history : DataFrame
        As for `check_load`.
    rating_kva : Series
        Nameplate of each transformer [kVA]; where it is missing or not positive, nothing is said.
    ratio_limit : float
        Largest believable median of |load| / rating [pu].

    Returns
    -------
    DataFrame
        transformer_id, code (``wrong_unit``), message with what was found and expected.
    """
    values, _ = _values_and_times(history)
    rating = rating_kva.reindex(history.columns).to_numpy(dtype=float)
    median = median_of(np.where(np.isfinite(values), np.abs(values), np.nan))
    known = np.isfinite(rating) & (rating > 0) & np.isfinite(median)
    ratio = np.where(known, median / np.where(known, rating, 1.0), 0.0)
    wrong = np.flatnonzero(ratio > ratio_limit)
    messages = [
        f"median load {median[i]:.0f} kVA is {ratio[i]:.0f} times the rating of {rating[i]:.0f} kVA, "
        f"expected at most {ratio_limit:g} times: probably in another unit (W, VA or A)"
        for i in wrong
    ]
    names = [str(column) for column in history.columns]
    ids = [names[i] for i in wrong]
    return pd.DataFrame({"transformer_id": ids, "code": ["wrong_unit"] * len(ids), "message": messages})


def beyond_rating(load_kva: _Float, rating_kva: _Float, ratio_limit: float) -> _Bool:
    """Flag single readings too large to be true for their transformer.

    Parameters
    ----------
    load_kva : array
        Readings of any shape, NaN is missing [kVA].
    rating_kva : array
        Nameplate, of a shape that fits; where it is missing or not positive, nothing is flagged [kVA].
    ratio_limit : float
        Largest believable |load| / rating [pu].

    Returns
    -------
    array of bool
        True where a finite reading lies beyond the limit, in either direction.

    Examples
    --------
    >>> beyond_rating(np.array([480.0, 20_000.0, -20_000.0]), np.array(500.0), 5.0).tolist()
    [False, True, True]
    """
    known = np.isfinite(rating_kva) & (rating_kva > 0)
    limit_kva = np.where(known, ratio_limit * rating_kva, np.inf)
    flagged: _Bool = np.isfinite(load_kva) & (np.abs(load_kva) > limit_kva)
    return flagged


def utc_index(index: pd.Index, what: str = "history") -> pd.DatetimeIndex:
    """Return an index of times in UTC and nanoseconds, or say why it is none.

    Parameters
    ----------
    index : Index
        Times with a zone, in any unit.
    what : str
        Name of the table, for the message.

    Returns
    -------
    DatetimeIndex
        UTC, nanoseconds, strictly increasing.

    Raises
    ------
    InputError
        Not times, naive, unsorted or with duplicates.
    """
    if not isinstance(index, pd.DatetimeIndex):
        raise InputError(
            f"{what}: found an index of {index.dtype}, expected times in UTC",
            what_to_do="Pivot the readings so that the time is the index.",
        )
    if index.tz is None:
        raise InputError(
            f"{what}: naive times without a time zone, expected UTC",
            what_to_do="Say which zone they are in, for example index.tz_localize('UTC').",
        )
    if index.has_duplicates:
        double = index[index.duplicated()][0]
        raise InputError(
            f"{what}: duplicate time {double.isoformat()}",
            what_to_do="Keep one reading of each transformer and time.",
        )
    if not index.is_monotonic_increasing:
        raise InputError(f"{what}: times are not sorted", what_to_do="Sort the rows by time.")
    return index.tz_convert("UTC").as_unit("ns")


def readings_of(history: pd.DataFrame) -> _Float:
    """Return the readings as they lie, [T, N] in any width of float, or say why they are none.

    Parameters
    ----------
    history : DataFrame
        As for `check_load`; not copied where all columns have one type.

    Raises
    ------
    InputError
        Nothing there, two columns of one name, or values that are no numbers.
    """
    if history.empty:
        raise InputError(
            f"history: {len(history)} rows of {len(history.columns)} transformers, expected at least one",
            what_to_do="Ingest readings first.",
        )
    if history.columns.has_duplicates:
        double = history.columns[history.columns.duplicated()][0]
        raise InputError(
            f"history: transformer '{double}' has two columns", what_to_do="Keep one column of each."
        )
    values = history.to_numpy()
    if values.dtype in (np.float32, np.float64):
        return values
    try:
        if any(kind in "cmM" for kind in (dtype.kind for dtype in history.dtypes)):
            raise TypeError("times or complex numbers")
        return history.to_numpy(dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise InputError(
            f"history: readings that are no numbers ({error})", what_to_do="Convert the loads to kVA."
        ) from error


def _values_and_times(history: pd.DataFrame) -> tuple[_Float, pd.DatetimeIndex]:
    """Return readings with the transformer first, [N, T], and their times."""
    times = utc_index(history.index)
    return np.array(readings_of(history).T, dtype=np.float64, order="C"), times


def _check(history: pd.DataFrame, *, keep: bool) -> tuple[pd.DataFrame, pd.DataFrame]:
    values, times = _values_and_times(history)
    steps_per_day = _steps_per_day(times)
    names = [str(column) for column in history.columns]
    rows: list[tuple[str, str, pd.Timestamp | None, pd.Timestamp | None, int]] = []
    cleaned = values.copy() if keep else values
    for start in range(0, len(values), CHUNK):
        chunk = slice(start, start + CHUNK)
        flags = flag_readings(values[chunk], steps_per_day)
        for code, flag in flags.items():
            count = flag.sum(axis=1)
            first = flag.argmax(axis=1)
            last = flag.shape[1] - 1 - flag[:, ::-1].argmax(axis=1)
            for i in np.flatnonzero(count):
                name = names[start + i]
                rows.append((name, code, times[first[i]], times[last[i]], int(count[i])))
            if keep and code not in UNTOUCHED:
                cleaned[chunk][flag] = np.nan
    findings = pd.DataFrame(rows, columns=list(FINDING_COLUMNS)).astype(
        {"transformer_id": object, "code": object, "count": np.int64}
    )
    for column in ("first", "last"):
        findings[column] = pd.to_datetime(findings[column], utc=True).dt.as_unit("ns")
    findings = findings.sort_values(["transformer_id", "code"], ignore_index=True)
    return pd.DataFrame(cleaned.T, index=history.index, columns=history.columns), findings


def _steps_per_day(times: pd.DatetimeIndex) -> int:
    if len(times) < 2:
        return 24
    step = float(np.median(np.diff(times.asi8)))
    return max(1, round(pd.Timedelta(days=1).value / step))


def flag_readings(values: _Float, steps_per_day: int) -> dict[str, _Bool]:
    """Flag what is wrong with the readings of some transformers, each looked at alone.

    Parameters
    ----------
    values : array [N, T]
        Readings, one row for each transformer [kVA]; NaN is missing.
    steps_per_day : int
        Readings a day.

    Returns
    -------
    dict of str to array [N, T]
        Code, as in `check_load`, to the flagged readings. All but `UNTOUCHED` are set aside by
        `clean_load`.
    """
    finite = np.isfinite(values)
    absurd: _Bool = np.asarray(finite & (np.abs(values) > LARGEST_KVA))
    if absurd.any():
        flags = flag_readings(np.where(absurd, np.nan, values), steps_per_day)
        some = np.asarray(absurd.any(axis=1))
        return flags | {
            "spike": flags["spike"] | absurd,
            "missing": flags["missing"] & ~absurd,
            "all_missing": flags["all_missing"] & ~some[:, None],
        }
    n_finite = finite.sum(axis=1)
    low = np.where(finite, values, np.inf).min(axis=1, initial=np.inf)
    high = np.where(finite, values, -np.inf).max(axis=1, initial=-np.inf)
    constant = (n_finite >= STUCK_READINGS) & (low == high)
    useful = (~constant & (n_finite > 0))[:, None]
    repeated = _repeated(values, finite, steps_per_day) & useful
    whole = bool(finite.all())
    trusted = values if whole and not repeated.any() else np.where(finite & ~repeated, values, np.nan)
    seen = finite if whole else np.logical_or.accumulate(finite, axis=1)
    return {
        "all_missing": np.broadcast_to((n_finite == 0)[:, None], values.shape),
        "constant": finite & constant[:, None],
        "infinite": np.isinf(values),
        "missing": np.isnan(values) & seen & useful,
        "stuck": repeated & (values != 0),
        "zero_block": repeated & (values == 0),
        "spike": find_spikes(trusted, steps_per_day) & useful,
    }


def _repeated(values: _Float, finite: _Bool, steps_per_day: int) -> _Bool:
    """Flag runs of equal readings: of `STUCK_READINGS`, for coarse meters of a day."""
    same = np.zeros(values.shape, dtype=bool)
    same[:, 1:] = (values[:, 1:] == values[:, :-1]) & finite[:, 1:]
    short = _equal_runs(same, STUCK_READINGS)
    begins = short[:, 1:] & ~short[:, :-1]
    usual = begins.sum(axis=1) + short[:, 0]
    coarse = usual > max(COARSE_RUNS, values.shape[1] / steps_per_day / 10)
    if not coarse.any():
        return short
    return np.where(coarse[:, None], _equal_runs(same, max(STUCK_READINGS, steps_per_day)), short)


def _equal_runs(same: _Bool, length: int) -> _Bool:
    """Flag the members of runs of ``length`` equal readings; ``same``: equal to the one before."""
    members = in_runs(same, length - 1)
    members[:, :-1] |= members[:, 1:]
    return members
