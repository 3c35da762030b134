"""Which past days lend their errors, how they are set to what the last weeks were like, and confidence."""

import numpy as np
from numpy.typing import NDArray

from gridlib.facts.units import QUANTILE_LEVELS

PATHS = 120
"""Error paths of each transformer."""

HALF_LIFE_D = 120.0
"""A past day's error counts half as often after so many days."""

RECENT_PATHS = 48
"""The newest paths, of about two months, that the bands are set by."""

SCALES = (0.5, 2.0)
"""The least and the most that the bands are narrowed or widened."""

CONFIDENCE_ORIGINS = 28
USABLE_SHARE = 0.75  # of the horizon after an origin must have been read

_TAIL = 0.05
_PRIOR = 0.5  # weight of "as it always was" against the last weeks
_EVERY = 4  # leads that the confidence is measured at
_LEVELS = np.array(QUANTILE_LEVELS, dtype=np.float32)
_TINY = np.float32(1e-9)
_Int = NDArray[np.int64]
_Single = NDArray[np.float32]


def common_ages(age_d: _Int) -> _Int:
    """Return how old the `PATHS` past days are that everyone lends errors of who can, descending, [PATHS].

    Parameters
    ----------
    age_d : array [J]
        Days between the origins of the longest history and now, descending.

    Returns
    -------
    array [PATHS]
        Ages stand there in proportion to ``2^(-age / 120 d)``, so that all paths weigh the same, which makes
        quantiles one sort.
    """
    summed = np.cumsum(0.5 ** (age_d / HALF_LIFE_D))
    points = (np.arange(PATHS) + 0.5) / PATHS * summed[-1]
    return np.asarray(age_d[np.minimum(np.searchsorted(summed, points), len(age_d) - 1)], dtype=np.int64)


def choose_origins(known: _Single, age_d: _Int, common_d: _Int) -> _Int:
    """Return `PATHS` past origins of each transformer, newer ones more often, [N, PATHS].

    Parameters
    ----------
    known : array [N, J]
        Share of the horizon after each origin that was really read.
    age_d : array [J]
        Days between the origin and now, descending, one apart.
    common_d : array [PATHS]
        From `common_ages`.

    Returns
    -------
    array [N, PATHS]
        Numbers into J, ascending: the common days that are usable, so that errors of different transformers
        are of the same days; in place of each of the others a usable day of one's own, drawn in proportion to
        ``2^(-age / 120 d)``.
    """
    usable = known >= USABLE_SHARE
    place = age_d[0] - common_d
    inside = place >= 0
    shared = np.where(inside, place, 0)
    common = inside & usable[:, shared]
    weight = 0.5 ** (age_d / HALF_LIFE_D) * usable
    weight = np.where(weight.any(axis=1, keepdims=True), weight, 1.0)
    row = np.arange(len(weight))[:, None]
    summed = np.cumsum(weight, axis=1)
    summed = summed / summed[:, -1:] + row
    lacking = ~common
    share = (np.cumsum(lacking, axis=1) - 0.5) / np.maximum(lacking.sum(axis=1, keepdims=True), 1)
    points = np.clip(share, 0, 1) + row
    own = np.searchsorted(summed.ravel(), points.ravel()).reshape(points.shape) - row * weight.shape[1]
    own = np.clip(own, 0, weight.shape[1] - 1)
    return np.asarray(np.sort(np.where(common, shared, own), axis=1), dtype=np.int64)


def set_by_recent(errors: _Single, steps_per_day: int) -> _Single:
    """Narrow or widen error paths to what the last weeks were like.

    Parameters
    ----------
    errors : array [N, PATHS, H]
        Leave-out errors, the newest last.
    steps_per_day : int
        Steps of a lead day.

    Returns
    -------
    array [N, PATHS, H]
        Errors above the median multiplied by one factor, those below by another, for each day ahead.

    Notes
    -----
    The factor is the 95 % quantile of the newest `RECENT_PATHS` errors, in units of the distance between
    median and 95 % quantile of all paths; below the median alike. It is drawn half-way to 1, because the
    last weeks are few, and kept within `SCALES`.
    """
    out = np.empty_like(errors)
    for start in range(0, errors.shape[2], steps_per_day):
        day = errors[:, :, start : start + steps_per_day]
        ordered = np.sort(day, axis=1)
        tail, last = int(_TAIL * PATHS), PATHS - 1  # the same from either end: export is like import
        low, high = ordered[:, tail][:, None], ordered[:, last - tail][:, None]
        centre = (ordered[:, PATHS // 2] + ordered[:, last - PATHS // 2])[:, None] / 2
        away = day - centre
        recent = away[:, -RECENT_PATHS:]
        up = _factor(np.asarray(recent / np.maximum(high - centre, _TINY), dtype=np.float32))
        down = _factor(np.asarray(recent / np.minimum(low - centre, -_TINY), dtype=np.float32))
        out[:, :, start : start + steps_per_day] = centre + away * np.where(away > 0, up, down)
    return out


def confidence_of(errors: _Single, naive: _Single, age_d: _Int) -> NDArray[np.float64]:
    """Return the confidence measured over the newest origins, [N].

    Parameters
    ----------
    errors, naive : array [N, PATHS, H]
        Leave-out errors of the forecast, and those of "as a week ago".
    age_d : array [N, PATHS]
        How long ago they were made [d].

    Returns
    -------
    array [N]
        ``clip(1 - nCRPS / nCRPS of the naive, 0, 1) * (1 - |coverage90 - 0.9| / 0.9)``; NaN where the
        naive makes no error.
    """
    recent = age_d <= age_d.min(axis=1, keepdims=True) + CONFIDENCE_ORIGINS
    errors, naive = errors[:, :, ::_EVERY], naive[:, :, ::_EVERY]
    score, inside = _judged(errors, recent)
    score_naive, _ = _judged(naive, recent)
    measured = score_naive > _TINY
    skill = np.clip(1 - score / np.where(measured, score_naive, 1.0), 0, 1)
    return np.where(measured, skill * (1 - np.abs(inside - 0.9) / 0.9), np.nan)


def _factor(relative: _Single) -> _Single:
    """Return the factor that the recent relative errors ask for, [N, 1, 1]."""
    flat = relative.reshape(len(relative), -1)
    place = int((1 - _TAIL) * (flat.shape[1] - 1))
    found = np.partition(flat, place, axis=1)[:, place]
    return np.asarray(np.clip(found, *SCALES) ** np.float32(1 - _PRIOR))[:, None, None]


def _judged(errors: _Single, recent: NDArray[np.bool_]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return mean pinball loss and share inside the 90 % band of the recent errors."""
    ordered = np.sort(errors, axis=1)
    bands = ordered[:, np.round(_LEVELS * (errors.shape[1] - 1)).astype(np.int64)]
    weight = recent / np.maximum(recent.sum(axis=1, keepdims=True) * errors.shape[2], 1)
    total = np.zeros(len(errors))
    for i, level in enumerate(_LEVELS):
        over = errors - bands[:, i, None]
        total += (np.maximum(level * over, (level - 1) * over).sum(axis=2) * weight).sum(axis=1)
    hit = (errors >= bands[:, None, 0]) & (errors <= bands[:, None, -1])
    return total, (hit.sum(axis=2) * weight).sum(axis=1)
