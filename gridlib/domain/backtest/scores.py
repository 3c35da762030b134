"""Hours: error, bands and chances of one method, as sums over any group of hours."""

from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gridlib.facts.units import QUANTILE_LEVELS

_LEVELS = np.array(QUANTILE_LEVELS)
_MEDIAN = QUANTILE_LEVELS.index(0.5)
_CROSSED_KVA = 1e-6
_TAIL_FALL = np.log(2)  # p05 to p10, and p90 to p95, halve the tail: so it goes on
_Float = NDArray[np.float64]
_Int = NDArray[np.int64]


class Sheet(NamedTuple):
    """All that one method said, NaN where it said nothing."""

    quantiles_kva: _Float  # [S, O, H, levels]
    mean_kva: _Float  # [S, O, H]
    p_any: _Float  # [S, O], of the window of alarms
    confidence: _Float  # [S, O]


class Hours(NamedTuple):
    """Every hour judged, [S, O, H]."""

    known: NDArray[np.bool_]  # a reading came
    judged: NDArray[np.bool_]  # and a forecast was there
    error_pct: _Float
    crps_pct: _Float
    inside: NDArray[np.bool_]
    crossing: _Float
    p_over: _Float
    over: NDArray[np.bool_]
    below: NDArray[np.bool_]  # [S, O, H, levels]: reading not above the quantile


def judge_hours(sheet: Sheet, load_kva: _Float, largest_kva: _Float, rating_kva: _Float) -> Hours:
    """Compare what was said with what came.

    Parameters
    ----------
    sheet : Sheet
        Forecasts of S transformers at O origins for H steps.
    load_kva : array [S, O, H]
        Readings [kVA].
    largest_kva : array [S]
        Largest load before the first origin: errors are percent of it [kVA].
    rating_kva : array [S]
        Overload is a larger load, in either direction [kVA].

    Returns
    -------
    Hours
        For `grouped`.

    Notes
    -----
    CRPS is twice the mean pinball loss over the eleven quantile levels; both are proper scores: no statement
    other than what the forecaster believes can make them smaller on average.

    References
    ----------
    Gneiting, Raftery (2007), Strictly proper scoring rules, prediction, and estimation, J. Am. Stat. Assoc.
    102, sections 4.2 and 6.1.
    """
    q = sheet.quantiles_kva
    known = np.isfinite(load_kva)
    judged = known & np.isfinite(q).all(axis=-1) & np.isfinite(sheet.mean_kva)
    q = np.where(judged[..., None], q, 0.0)
    load = np.where(judged, load_kva, 0.0)
    off = load[..., None] - q
    pinball = np.maximum(_LEVELS * off, (_LEVELS - 1) * off).mean(axis=-1)
    scale, rating = largest_kva[:, None, None] / 100, rating_kva[:, None, None]
    return Hours(
        known=known,
        judged=judged,
        error_pct=np.abs(off[..., _MEDIAN]) / scale,
        crps_pct=2 * pinball / scale,
        inside=(off[..., 0] >= 0) & (off[..., -1] <= 0),
        crossing=(np.diff(q, axis=-1) < -_CROSSED_KVA).mean(axis=-1),
        p_over=p_beyond(q, rating),
        over=np.abs(load) > rating,
        below=off <= 0,
    )


def p_beyond(quantiles_kva: _Float, rating_kva: _Float) -> _Float:
    """Return P(|load| > rating) from quantiles: linear between them, exponential beyond the outermost.

    Parameters
    ----------
    quantiles_kva : array [..., levels]
        p05 to p95 [kVA].
    rating_kva : array [...]
        Rating [kVA].

    Returns
    -------
    array [...]
        The same rule for every method, whatever chance it states itself.

    Examples
    --------
    >>> flat = np.linspace(100, 190, 11)
    >>> round(float(p_beyond(flat, np.array(flat[5]))), 6)
    0.5
    """
    q = np.sort(quantiles_kva, axis=-1)
    return np.asarray(_above(q, rating_kva) + _above(-q[..., ::-1], rating_kva))


def _above(q: _Float, limit: _Float) -> _Float:
    limit = np.broadcast_to(limit, q.shape[:-1])
    count = (q < limit[..., None]).sum(axis=-1)
    low, high = np.clip(count - 1, 0, len(_LEVELS) - 1), np.clip(count, 0, len(_LEVELS) - 1)
    at_low = np.take_along_axis(q, low[..., None], -1)[..., 0]
    at_high = np.take_along_axis(q, high[..., None], -1)[..., 0]
    way = np.clip((limit - at_low) / np.maximum(at_high - at_low, 1e-12), 0, 1)
    below = _LEVELS[low] + (_LEVELS[high] - _LEVELS[low]) * way
    fall_up = np.maximum((q[..., -1] - q[..., -2]) / _TAIL_FALL, 1e-9)
    fall_down = np.maximum((q[..., 1] - q[..., 0]) / _TAIL_FALL, 1e-9)
    tail = 1 - _LEVELS[-1]
    up = 1 - tail * np.exp(-np.clip((limit - q[..., -1]) / fall_up, 0, 50))
    down = _LEVELS[0] * np.exp(-np.clip((q[..., 0] - limit) / fall_down, 0, 50))
    below = np.where(count == len(_LEVELS), up, np.where(count == 0, down, below))
    return np.asarray(1 - np.clip(below, 0, 1))


def grouped(hours: Hours, group: _Int, n: int) -> pd.DataFrame:
    """Average over groups of hours.

    Parameters
    ----------
    hours : Hours
        From `judge_hours`.
    group : array
        Number of each hour's group, from 0; broadcast to [S, O, H].
    n : int
        How many groups.

    Returns
    -------
    DataFrame
        One row for each group, NaN where nothing could be judged: hours, missing_pct, nmae_pct, ncrps_pct,
        cover90, crossing, brier_skill.

    Notes
    -----
    Brier skill is ``1 - mean (p - o)^2 / (f (1 - f))``, with ``o`` 1 in an hour over the rating, else 0, and
    ``f`` the share of such hours in the group.

    References
    ----------
    Gneiting, Raftery (2007), section 3.1 (Brier score). Murphy (1973), J. Appl. Meteorol. 12: skill against
    the frequency observed.
    """
    place = np.broadcast_to(group, hours.known.shape)
    judged = place[hours.judged]
    count = np.bincount(judged, minlength=n).astype(np.float64)
    known = np.bincount(place[hours.known], minlength=n).astype(np.float64)

    def mean(values: NDArray[np.float64] | NDArray[np.bool_]) -> _Float:
        weights = values[hours.judged].astype(np.float64)
        return share(np.bincount(judged, weights=weights, minlength=n).astype(np.float64), count)

    often = mean(hours.over)
    return pd.DataFrame(
        {
            "hours": count.astype(np.int64),
            "missing_pct": 100 * share(known - count, known),
            "nmae_pct": mean(hours.error_pct),
            "ncrps_pct": mean(hours.crps_pct),
            "cover90": mean(hours.inside),
            "crossing": mean(hours.crossing),
            "brier_skill": 1 - share(mean((hours.p_over - hours.over) ** 2), often * (1 - often)),
        }
    )


def share(part: _Float, whole: _Float) -> _Float:
    """Divide, NaN where there is nothing to divide by."""
    there = whole > 0
    return np.asarray(np.where(there, part / np.where(there, whole, 1.0), np.nan))


def coverage_of(hours: Hours) -> pd.DataFrame:
    """Return how often readings were not above each quantile: level, share_below.

    The differences of neighbouring shares are the histogram of the probability integral transform.
    """
    below = hours.below[hours.judged]
    found = below.mean(axis=0) if len(below) else np.full(len(_LEVELS), np.nan)
    return pd.DataFrame({"level": _LEVELS, "share_below": found})
