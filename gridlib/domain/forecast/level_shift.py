"""Sections switched over: a lasting step of the load that neither calendar nor air explains."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

LENGTHS_D = (1, 2, 3, 4, 5, 7, 10, 14, 21, 28)
"""Days since the step that are looked at."""

LEAST_STEP = (0.25, 0.12)
"""Smaller steps, relative to the expected load, are left to the recent deviation; without, with weather."""

UNUSUAL = (2.0, 1.15)
"""A step is larger than the largest 0.5 % of deviations of the same length by this factor; without weather,
when every heat wave is unexpected, by more."""

_USUAL_SHARE = 0.995
_ONE_SIDED = 0.95  # share of the days that must deviate to the same side
_BEFORE_D = 7
_MADE_UP_FOR = 0.5  # of the change may be left when a neighbour's is added
_LEAST_LOAD = 0.3  # of the usual size: relative deviations of smaller loads say nothing
_Single = NDArray[np.float32]
_Float = NDArray[np.float64]


class Shifts(NamedTuple):
    """Steps found in n transformers."""

    found: NDArray[np.bool_]  # [n]
    days: NDArray[np.int64]  # [n]: days since the step; 0: none
    ratio: _Float  # [n]: new level over old
    moved: _Float  # [n, lengths]: mean deviation of the last days, for each of `LENGTHS_D`, less that before
    offset: _Float  # [n]: what the load has to be moved by so that 0 is 0 kVA

    def applied_to(self, load: _Single) -> _Single:
        """Return the load [n, D, S] with the days before each step at the new level."""
        before = np.arange(load.shape[1])[None] < load.shape[1] - self.days[:, None]
        factor = np.where(self.found[:, None] & before, self.ratio[:, None], 1.0)[..., None]
        offset = self.offset[:, None, None]
        return np.asarray(((load + offset) * factor - offset).astype(np.float32))


def find_shifts(load: _Single, residual: _Single, offset: _Float, *, with_air: bool) -> Shifts:
    """Find steps that last until now.

    Parameters
    ----------
    load, residual : array [n, D, S]
        Readings and residuals left out by weeks, in standard deviations.
    offset : array [n]
        Mean over standard deviation: the load is ``load + offset`` in units of the standard deviation.
    with_air : bool
        Whether the expectation knows the air.

    Returns
    -------
    Shifts
        The clearest step of each transformer.

    Notes
    -----
    With ``m_k`` the mean relative deviation of the last k days: a step, where ``|m_k|`` and its difference
    from the week before exceed 12 % (25 % without weather), ``|m_k|`` exceeds 1.15 times (2 times) the
    99.5 % quantile of such means over the rest of the history, and all the days deviate to the same side.
    The ratio is that of the medians of (load / expectation) after and in the week before.
    """
    n, days, _ = load.shape
    least, unusual = LEAST_STEP[with_air], UNUSUAL[with_air]
    true = load.mean(axis=2, dtype=np.float64) + offset[:, None]
    off = residual.mean(axis=2, dtype=np.float64)
    expected = true - off
    usual = np.abs(expected).mean(axis=1, keepdims=True)
    size = np.where(np.abs(expected) > _LEAST_LOAD * usual, expected, np.where(expected < 0, -usual, usual))
    relative = off / size
    summed = np.cumsum(np.pad(relative, ((0, 0), (1, 0))), axis=1)
    best, since = np.zeros(n), np.zeros(n, dtype=np.int64)
    moved = np.zeros((n, len(LENGTHS_D)))
    in_all = np.cumsum(np.pad(off, ((0, 0), (1, 0))), axis=1)
    for i, k in enumerate(LENGTHS_D):
        if days < 3 * k + 2 * _BEFORE_D:
            break
        since_then = (in_all[:, days] - in_all[:, days - k]) / k
        moved[:, i] = since_then - (in_all[:, days - k] - in_all[:, days - k - _BEFORE_D]) / _BEFORE_D
        mean = (summed[:, days] - summed[:, days - k]) / k
        other = (summed[:, k : days - k + 1] - summed[:, : days - 2 * k + 1]) / k
        away = np.sort(np.abs(other - np.mean(other, axis=1, keepdims=True)).astype(np.float32), axis=1)
        limit = away[:, min(int(_USUAL_SHARE * away.shape[1]), away.shape[1] - 1)]
        before = (summed[:, days - k] - summed[:, days - k - _BEFORE_D]) / _BEFORE_D
        same = (np.sign(relative[:, days - k :]) == np.sign(mean)[:, None]).mean(axis=1)
        step = np.abs(mean - before)
        clear = (np.abs(mean) > least) & (np.abs(mean) > unusual * limit)
        clear &= (same > _ONE_SIDED) & (step > least)
        score = np.where(clear, step / np.maximum(limit, 1e-9), 0.0)
        since = np.where(score > best, k, since)
        best = np.maximum(best, score)
    ratio = np.ones(n)
    for row in np.flatnonzero(since):
        ratio[row] = _ratio(true[row], expected[row], int(since[row]))
    found = (since > 0) & np.isfinite(ratio) & (ratio > 0)
    return Shifts(found, np.where(found, since, 0), ratio, moved, offset)


def _ratio(true: _Float, expected: _Float, since: int) -> float:
    days = len(true)
    after, before = slice(days - since, days), slice(days - since - _BEFORE_D, days - since)
    now = np.median(true[after]) / np.median(expected[after])
    return float(now / (np.median(true[before]) / np.median(expected[before])))


def counterpart(
    shifted: int, step: int, moved_kva: _Float, neighbours: NDArray[np.int64]
) -> tuple[int, float] | None:
    """Return which neighbour moved the other way at the same time, and by how much [kVA].

    Parameters
    ----------
    shifted : int
        Row of the transformer whose level changed.
    step : int
        Which of `LENGTHS_D` ago.
    moved_kva : array [N, lengths]
        As `Shifts.moved`, of the whole fleet [kVA].
    neighbours : array
        Rows of the neighbours.

    Returns
    -------
    (int, float) or None
        The neighbour whose change comes nearest to the opposite; None where none makes up for half of it.
    """
    change = moved_kva[shifted, step]
    left = np.abs(change + moved_kva[neighbours, step])
    if not len(neighbours) or left.min() > _MADE_UP_FOR * abs(change):
        return None
    best = int(neighbours[left.argmin()])
    return best, float(moved_kva[best, step])
