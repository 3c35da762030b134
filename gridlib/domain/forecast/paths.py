"""Error paths, and what they give: quantiles, chance of overload, peaks, confidence.

A path is one past day's errors over the whole horizon, so that hours keep their true correlation.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from gridlib.domain.forecast.door import Grid
from gridlib.domain.forecast.profile import FIRST_DAYS, Additive
from gridlib.facts.units import QUANTILE_LEVELS

MOST_PATHS = 90
"""Errors of so many past days are used, the newest first."""

PATH_HALF_LIFE_D = 90.0
FEWEST_REPLAYS = 20  # with fewer replays of the whole horizon, day errors are chained instead
CONFIDENCE_ORIGINS = 28
SMOOTHING = 0.15  # width of the step at the rating, in standard deviations of the paths
WINDOWS_H = ((0, 24), (24, 72), (0, 72))
"""Windows of lead hours, after the first, up to and with the last; clipped to the horizon."""

_REPLAY_WIDENING = 3.0  # over the number of replays: the coefficients have seen the days they are judged on
_CHAIN_DAYS = 28
_CHAIN_WIDENING = 1.5  # over the number of days known
_CHAIN_GROWTH = 1.1  # a day's error a day ahead, made as wide as two and three days ahead are
_LEAST_SPREAD = 0.03  # of the mean |load|: no few days of readings can promise less
_LEAVE_OUT_D = 7
_LEVELS = np.array(QUANTILE_LEVELS)
_TINY = 1e-12
_Float = NDArray[np.float64]


class Paths(NamedTuple):
    """Weighted error paths around the mean; weights sum to 1."""

    errors_kva: NDArray[Any]  # [N, J, H], in single or double precision
    weights: _Float  # [N, J]
    age_d: NDArray[np.int64]  # [N, J]: how long ago the errors were made; 0: of no single day
    pooled: bool = False  # equal weights, and an hour's quantiles also from the errors beside it


class Bands(NamedTuple):
    """What the paths give."""

    quantiles_kva: _Float  # [N, quantiles, H]
    p_overload: _Float  # [N, H]
    p_any_overload: _Float  # [N, windows]
    peak_kva: _Float  # [N, windows, 2]: p50, p90
    peaks_kva: NDArray[Any]  # [N, J, windows]: largest |load| of each path


def windows_of(horizon_h: int) -> tuple[tuple[int, int], ...]:
    """Return the windows that fit into a horizon.

    Examples
    --------
    >>> windows_of(48)
    ((0, 24), (24, 48), (0, 48))
    >>> windows_of(12)
    ((0, 12),)
    """
    clipped = [(start, min(end, horizon_h)) for start, end in WINDOWS_H if start < horizon_h]
    return tuple(dict.fromkeys(clipped))


def window_steps(horizon_h: int, step_min: int) -> tuple[slice, ...]:
    """Return the steps of each window."""
    return tuple(slice(a * 60 // step_min, b * 60 // step_min) for a, b in windows_of(horizon_h))


def error_paths(fit: Additive, load_kva: _Float, grid: Grid) -> tuple[Paths, _Float]:
    """Return the error paths of transformers with a profile, and the confidence in it.

    Parameters
    ----------
    fit : Additive
        The fitted profile with its replayed errors.
    load_kva : array [N, T]
        Readings [kVA].
    grid : Grid
        The local days.

    Returns
    -------
    paths : Paths
        `MOST_PATHS` for each transformer; some may weigh nothing.
    confidence : array [N]
        ``clip(1 - nCRPS / nCRPS of the 168 h naive, 0, 1) * (1 - |coverage90 - 0.9| / 0.9)`` over the
        last 28 origins, each judged by bands from which its week and what overlaps it were left out; NaN
        where there are fewer than `FEWEST_REPLAYS` replays or the naive makes no error.

    Notes
    -----
    Replays start at the forecast's own hour on past days and see only readings from before; the path's
    weight halves every 90 days. They are centred, because their mean is no better than the model's, and
    widened by ``1 + 3 / n`` for n replays, as the coefficients have seen the days replayed.
    With fewer than `FEWEST_REPLAYS`, the errors one day ahead of successive days are chained, wrapped
    round, mirrored, and widened by ``1 + 1.5 / n`` for the n days known and by 1.1 for the days further
    ahead, and at least to 3 % of the mean load.
    """
    n, days = fit.known_days.shape
    last = days - grid.days_ahead
    origins = np.arange(max(0, last - MOST_PATHS + 1), max(0, last + 1))
    row, column = grid.lead_row, grid.lead_column
    replayed = fit.errors_kva[:, origins][:, :, row, column]
    usable = np.isfinite(replayed).mean(axis=2) > 0.75 if len(origins) else np.zeros((n, 0), dtype=bool)
    usable &= fit.known_days[:, origins] >= FIRST_DAYS
    enough = usable.sum(axis=1) >= FEWEST_REPLAYS
    errors = np.zeros((n, MOST_PATHS, len(row)))
    weights = np.zeros((n, MOST_PATHS))
    age_d = np.zeros((n, MOST_PATHS), dtype=np.int64)
    confidence = np.full(n, np.nan)
    if enough.any():
        j = len(origins)
        weight = usable[enough] * 0.5 ** ((last - origins) / PATH_HALF_LIFE_D)
        weight = weight / weight.sum(axis=1, keepdims=True)
        centred = _filled(replayed[enough], usable[enough])
        centred = centred - (weight[..., None] * centred).sum(axis=1, keepdims=True)
        weights[enough, :j] = weight
        age_d[enough, :j] = np.where(weight > 0, days - origins, 0)
        widening = 1 + _REPLAY_WIDENING / usable[enough].sum(axis=1)[:, None, None]
        centred = centred * widening
        errors[enough, :j] = centred
        naive = _naive_errors(grid.lay_out(load_kva[enough]), origins, grid)
        confidence[enough] = _confidence(replayed[enough], naive, weight, grid.days_ahead)
    few = ~enough
    if few.any():
        chained, weight = _chained(fit.errors_kva[few, :, 0], fit.known_days[few], load_kva[few], grid)
        weights[few, : weight.shape[1]] = weight
        errors[few, : weight.shape[1]] = chained
    return Paths(errors, weights, age_d), confidence


def bands_of(
    mean_kva: _Float, paths: Paths, rating_kva: _Float | None, *, horizon_h: int, step_min: int
) -> Bands:
    """Turn paths into quantiles, chances and peaks.

    Parameters
    ----------
    mean_kva : array [N, H]
        The forecast [kVA].
    paths : Paths
        Errors around it.
    rating_kva : array [N] or None
        Nameplates [kVA]; None: no chances.
    horizon_h, step_min : int
        Horizon [h] and step [min].

    Returns
    -------
    Bands
        Quantiles never cross.

    Notes
    -----
    The chance of overload is the weighted share of paths with |load| over the rating. As paths are few,
    the step at the rating is smoothed: a path counts ``1 / (1 + exp(-(|load| - rating) / b))`` with ``b``
    = 0.15 standard deviations of the paths, so that no chance is exactly 0 or 1. For a window the largest
    |load| of each whole path is taken, which keeps the correlation between hours.
    """
    load = mean_kva[:, None] + paths.errors_kva
    if paths.pooled:
        load = load.astype(np.float32)
        quantiles = mean_kva[:, None] + pooled_quantiles(paths.errors_kva, _LEVELS)
    else:
        quantiles = weighted_quantiles(load, paths.weights, _LEVELS)
    n, _, steps = load.shape
    windows = window_steps(horizon_h, step_min)
    size = np.abs(load)
    peaks = np.stack([size[:, :, window].max(axis=2) for window in windows], 2)
    peak = weighted_quantiles(peaks.astype(np.float64), paths.weights, np.array([0.5, 0.9])).swapaxes(1, 2)
    if rating_kva is None:
        unknown = np.full((n, steps), np.nan)
        return Bands(quantiles, unknown, np.full((n, len(windows)), np.nan), peak, peaks)
    return Bands(
        quantiles,
        share_over(size, paths.weights, rating_kva),
        share_over(peaks, paths.weights, rating_kva),
        peak,
        peaks,
    )


def weighted_quantiles(values: _Float, weights: _Float, levels: _Float) -> _Float:
    """Return weighted quantiles over the second axis, [N, levels, H].

    Parameters
    ----------
    values : array [N, J, H]
        Members.
    weights : array [N, J]
        Their weights; members of weight 0 are not there.
    levels : array [levels]
        In ascending order.

    Notes
    -----
    A member stands at the middle of its weight; linear between, level beyond the outermost.

    Examples
    --------
    >>> members = np.array([1.0, 2.0, 3.0, 99.0]).reshape(1, 4, 1)
    >>> weighted_quantiles(members, np.array([[1.0, 1.0, 1.0, 0.0]]), np.array([0.5])).ravel()
    array([2.])
    """
    there = np.broadcast_to((weights > 0)[..., None], values.shape)
    order = np.argsort(np.where(there, values, np.inf), axis=1, kind="stable")
    ordered = np.take_along_axis(values, order, axis=1)
    weight = np.take_along_axis(np.broadcast_to(weights[..., None], values.shape), order, axis=1)
    total = np.maximum(weight.sum(axis=1, keepdims=True), _TINY)
    place = (np.cumsum(weight, axis=1) - 0.5 * weight) / total
    last = np.maximum((weights > 0).sum(axis=1) - 1, 0)[:, None]
    out = np.empty((values.shape[0], len(levels), values.shape[2]))
    for i, level in enumerate(levels):
        high = np.minimum((place < level).sum(axis=1), last)[:, None]
        low = np.maximum(high - 1, 0)
        x_low, x_high = (np.take_along_axis(ordered, k, axis=1)[:, 0] for k in (low, high))
        at_low, at_high = (np.take_along_axis(place, k, axis=1)[:, 0] for k in (low, high))
        way = np.clip((level - at_low) / np.maximum(at_high - at_low, _TINY), 0, 1)
        out[:, i] = x_low + (x_high - x_low) * way
    return np.maximum.accumulate(out, axis=1)


def pooled_quantiles(errors: NDArray[Any], levels: _Float) -> _Float:
    """Return quantiles of equally weighted paths, [N, levels, H], each step with those beside it.

    Parameters
    ----------
    errors : array [N, J, H]
        Error paths.
    levels : array [levels]
        In ascending order.

    Notes
    -----
    Errors of neighbouring hours are alike: three times the members make a smoother quantile. Only the
    quantiles of hours are pooled, whole paths stay as they were.
    """
    n, j, steps = errors.shape
    lead_first = np.ascontiguousarray(errors.swapaxes(1, 2), dtype=np.float32)
    beside = np.clip(np.arange(steps)[:, None] + np.arange(-1, 2), 0, steps - 1)
    members = np.sort(lead_first[:, beside].reshape(n, steps, 3 * j), axis=2)
    place = np.clip(levels * members.shape[2] - 0.5, 0, members.shape[2] - 1)
    low = np.minimum(place.astype(np.int64), members.shape[2] - 2)
    way = (place - low).astype(np.float32)
    quantiles = members[..., low] * (1 - way) + members[..., low + 1] * way
    # Rounding may turn two equal members around by a bit.
    return np.maximum.accumulate(quantiles.transpose(0, 2, 1), axis=1).astype(np.float64)


def share_over(size: _Float, weights: _Float, rating_kva: _Float) -> _Float:
    """Return the share of paths over the rating, smoothed as in `bands_of`.

    Parameters
    ----------
    size : array [N, J, X]
        |load| of the paths in some hours, or its peaks in some windows [kVA].
    weights : array [N, J]
        Sum to 1.
    rating_kva : array [N]
        Nameplates [kVA].

    Returns
    -------
    array [N, X]
        0 .. 1.
    """
    weight = weights[..., None].astype(size.dtype)
    centre = (weight * size).sum(axis=1, keepdims=True)
    spread = np.sqrt((weight * (size - centre) ** 2).sum(axis=1, keepdims=True))
    rating = rating_kva[:, None, None].astype(size.dtype)
    least = size.dtype.type(1e-6) * rating
    steepness = (size - rating) / np.maximum(size.dtype.type(SMOOTHING) * spread, least)
    share = (weight / (1 + np.exp(-np.clip(steepness, -30, 30)))).sum(axis=1)
    return np.asarray(np.clip(share, 0, 1))


def _filled(errors: _Float, usable: NDArray[np.bool_]) -> _Float:
    """Fill the holes of usable paths with the path's mean error; others become 0."""
    known = np.isfinite(errors)
    mean = np.where(known, errors, 0.0).sum(axis=2) / np.maximum(known.sum(axis=2), 1)
    return np.where(usable[..., None], np.where(known, errors, mean[..., None]), 0.0)


def _chained(day_errors: _Float, known_days: _Float, load_kva: _Float, grid: Grid) -> tuple[_Float, _Float]:
    """Return mirrored paths [N, 2 m, H] made of errors one day ahead, and their weights."""
    recent = day_errors[:, -_CHAIN_DAYS:]
    valid = (np.isfinite(recent).mean(axis=2) > 0.5) & (known_days[:, -_CHAIN_DAYS:] >= 1)
    n, m = valid.shape
    count = valid.sum(axis=1)[:, None]
    rows = np.argsort(~valid, axis=1, kind="stable")
    # A profile of k days errs by (1 + 1 / k) of the variance: brought to what it will be from now on.
    learnt = np.maximum(known_days[:, -_CHAIN_DAYS:], 1)
    now = np.maximum(learnt[:, -1:], 1)
    filled = _filled(recent, valid) * np.sqrt((1 + 1 / now) / (1 + 1 / learnt))[..., None]
    start, row, column = np.arange(m), grid.lead_row, grid.lead_column
    which = (start[:, None] + row[None, :])[None] % np.maximum(count, 1)[..., None]
    day = np.take_along_axis(rows, which.reshape(n, -1), axis=1).reshape(which.shape)
    errors = filled[np.arange(n)[:, None, None], day, column[None, None, :]]
    errors = (
        errors
        * (1 + _CHAIN_WIDENING / np.maximum(count, 1)[..., None])
        * np.where(row > 0, _CHAIN_GROWTH, 1.0)
    )
    weight = np.where(start[None] < np.maximum(count, 1), 1.0, 0.0)
    weight = weight / weight.sum(axis=1, keepdims=True)
    known = np.isfinite(load_kva)
    size = np.where(known, np.abs(load_kva), 0.0).sum(axis=1) / np.maximum(known.sum(axis=1), 1)
    spread = np.sqrt((weight[..., None] * errors**2).sum(axis=1))
    missing = np.sqrt(np.maximum((_LEAST_SPREAD * size[:, None]) ** 2 - spread**2, 0.0))[:, None]
    return np.concatenate([errors + missing, -errors - missing], axis=1), np.tile(weight / 2, (1, 2))


def _naive_errors(load: _Float, origins: NDArray[np.int64], grid: Grid) -> _Float:
    """Return the errors of "as a week ago" at the same origins, [N, J, H]."""
    row, column = grid.lead_row, grid.lead_column
    target = origins[:, None] + row[None, :]
    before = target - 7 * (row // 7 + 1)[None, :]
    naive = np.where(before >= 0, load[:, np.maximum(before, 0), column[None, :]], np.nan)
    return load[:, target, column[None, :]] - naive


def _confidence(errors: _Float, naive: _Float, weights: _Float, days_ahead: int) -> _Float:
    """Return skill over the naive times sharpness of coverage, by leaving weeks out."""
    j = errors.shape[1]
    judged = range(max(0, j - CONFIDENCE_ORIGINS), j)
    score, score_naive, inside, count = (np.zeros(len(errors)) for _ in range(4))
    both = np.isfinite(errors) & np.isfinite(naive) & (weights > 0)[..., None]
    usable_naive = (weights > 0) & (np.isfinite(naive).mean(axis=2) > 0.75)
    filled, filled_naive = _filled(errors, weights > 0), _filled(naive, usable_naive)
    for start in range(judged.start, judged.stop, _LEAVE_OUT_D):
        block = slice(start, min(start + _LEAVE_OUT_D, j))
        apart = (np.arange(j) <= block.start - days_ahead) | (np.arange(j) >= block.stop - 1 + days_ahead)
        others, others_naive = weights * apart, weights * apart * usable_naive
        centre = (others[..., None] * filled).sum(axis=1, keepdims=True)
        centre = centre / np.maximum(others.sum(axis=1), _TINY)[:, None, None]
        bands = weighted_quantiles(filled - centre, others, _LEVELS)
        known = both[:, block]
        score += _pinball(errors[:, block], bands, known)
        score_naive += _pinball(
            naive[:, block], weighted_quantiles(filled_naive, others_naive, _LEVELS), known
        )
        hit = (errors[:, block] >= bands[:, None, 0]) & (errors[:, block] <= bands[:, None, -1])
        inside += (hit & known).sum(axis=(1, 2))
        count += known.sum(axis=(1, 2))
    measured = (count > 0) & (score_naive > 0)
    skill = np.clip(1 - score / np.where(measured, score_naive, 1.0), 0, 1)
    coverage = inside / np.maximum(count, 1)
    return np.where(measured, skill * (1 - np.abs(coverage - 0.9) / 0.9), np.nan)


def _pinball(errors: _Float, bands: _Float, known: NDArray[np.bool_]) -> _Float:
    """Return the summed pinball loss over all levels, half the CRPS."""
    total = np.zeros(len(errors))
    for i, level in enumerate(_LEVELS):
        over = np.where(known, errors - bands[:, None, i], 0.0)
        total += np.maximum(level * over, (level - 1) * over).sum(axis=(1, 2))
    return total
