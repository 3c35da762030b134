"""Chances and peaks of whole windows, set right by how past forecasts of such windows fared."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from gridlib.domain.forecast.paths import SMOOTHING, Bands
from gridlib.domain.forecast.replays import PATHS

REPLAYS, NEWEST_PATHS = 16, 64
REPLAYED = np.linspace(PATHS - NEWEST_PATHS, PATHS - 1, REPLAYS).astype(np.int64)
"""Paths whose windows are forecast anew, evenly spread over the newest."""

EVERY_PATH = 2
"""A replay's own chance is told from every so manieth path: enough, and half the work."""

DOUBT = 0.3
"""Weight of the chance as the paths give it, against that which the replays ask for: they are few."""

STEP_WIDTH = 0.03  # width of each replay's step in the distribution of ranks
_MOST_STEEPNESS = 50.0
_Float = NDArray[np.float64]
_Int = NDArray[np.int64]
_Single = NDArray[np.float32]


def replay_ranks(
    errors: _Single, said: _Single, came: _Single, origin_d: _Int, windows: tuple[slice, ...], days_ahead: int
) -> _Float:
    """Return where the peaks of past windows lay among those that the paths would have promised.

    Parameters
    ----------
    errors : array [N, paths, H]
        Error paths as they are used, the newest last.
    said, came : array [N, REPLAYS, H]
        What was forecast at the origins of `REPLAYED`, and what was read then; in the unit of the errors.
    origin_d : array [N, paths]
        Days of the origins.
    windows : tuple of slice
        Steps of each window.
    days_ahead : int
        Paths that start fewer days from a replay share its days and do not judge it.

    Returns
    -------
    array [windows, N, REPLAYS]
        Share of the promised peaks of |load| below the one that came, 0 .. 1.
    """
    # Hours first: the largest over the first axis is found many times faster than over the last.
    paths = np.ascontiguousarray(errors[:, ::EVERY_PATH].transpose(2, 0, 1))
    forecast, read = said.transpose(2, 0, 1), np.abs(came.transpose(2, 0, 1))
    from_d = origin_d[:, ::EVERY_PATH]
    ranks = np.empty((len(windows), *came.shape[:2]))
    for i, replay in enumerate(REPLAYED):
        promised = np.abs(forecast[:, :, i, None] + paths)
        apart = np.abs(from_d - origin_d[:, replay, None]) >= days_ahead
        count = np.maximum(apart.sum(axis=1), 1)
        for w, window in enumerate(windows):
            peak = promised[window].max(axis=0)
            width = np.maximum(SMOOTHING * peak.std(axis=1, keepdims=True), np.float32(1e-9))
            below = _step((read[window, :, i].max(axis=0)[:, None] - peak) / width)
            ranks[w, :, i] = (below * apart).sum(axis=1) / count
    return ranks


def set_right(bands: Bands, ranks: _Float, windows: tuple[slice, ...]) -> Bands:
    """Return the bands with chances and peaks of windows as the replays ask for.

    Parameters
    ----------
    bands : Bands
        As the paths give them; where no rating is known the chances are NaN, and stay so.
    ranks : array [windows, N, REPLAYS]
        From `replay_ranks`.
    windows : tuple of slice
        Steps of each window.

    Returns
    -------
    Bands
        A window's chance is never below that of a window inside it, and no hour's is above its windows'.

    Notes
    -----
    With G the distribution of the ranks, drawn 0.3 of the way to the uniform one: a chance of u not to be
    passed becomes G(u). Were the promised peaks right, ranks would be uniform and nothing would change; where
    the highest of many hours is promised too high, as happens to the highest of many estimates, G says so.

    References
    ----------
    Dawid, A. P. (1984), Present position and potential developments: the prequential approach, J. R. Stat.
    Soc. A 147: ranks of what came are uniform for a calibrated forecast.
    Kuleshov, V., Fenner, N. and Ermon, S. (2018), Accurate uncertainties for deep learning using calibrated
    regression, ICML: calibrating by the distribution of the ranks.
    """
    chance, peak = bands.p_any_overload.copy(), bands.peak_kva.copy()
    ordered = np.sort(bands.peaks_kva.astype(np.float64), axis=1)
    row = np.arange(len(chance))
    grid = np.linspace(0, 1, 101)
    for w in range(len(windows)):
        chance[:, w] = np.clip(1 - _distribution(1 - chance[:, w : w + 1], ranks[w])[:, 0], 0, 1)
        of_grid = _distribution(np.broadcast_to(grid, (len(chance), len(grid))), ranks[w])
        for k, wanted in enumerate((0.5, 0.9)):
            # the share of the paths that the calibrated share asks for; of_grid ascends
            place = np.clip((of_grid < wanted).sum(axis=1), 1, len(grid) - 1)
            low, high = of_grid[row, place - 1], of_grid[row, place]
            within = (wanted - low) / np.maximum(high - low, 1e-9)
            peak[:, w, k] = _at(ordered[:, :, w], grid[place - 1] + within * (grid[1] - grid[0]))
    hourly = bands.p_overload.copy()
    for w, window in enumerate(windows):
        for inner, other in enumerate(windows):
            if inner != w and other.start >= window.start and other.stop <= window.stop:
                chance[:, w] = np.maximum(chance[:, w], chance[:, inner])
                peak[:, w] = np.maximum(peak[:, w], peak[:, inner])
        hourly[:, window] = np.minimum(hourly[:, window], chance[:, w : w + 1])
    return bands._replace(p_overload=hourly, p_any_overload=chance, peak_kva=peak)


def peaks_asked_for(peaks: NDArray[Any], ranks: _Float) -> _Float:
    """Return how high the peak of each path would be, were they as the replays ask for.

    Parameters
    ----------
    peaks : array [N, J]
        Largest |load| of equally weighted paths in one window [kVA].
    ranks : array [N, REPLAYS]
        From `replay_ranks`, of that window.

    Returns
    -------
    array [N, J]
        In the same order of size as ``peaks`` [kVA]; their quantiles are the peaks of `set_right`.
    """
    n, j = peaks.shape
    order = np.argsort(peaks, axis=1, kind="stable")
    ordered = np.take_along_axis(peaks, order, axis=1).astype(np.float64)
    grid = np.linspace(0, 1, 101)
    of_grid = _distribution(np.broadcast_to(grid, (n, len(grid))), ranks)
    middle = (np.arange(j) + 0.5) / j
    share = np.stack([np.interp(middle, of_grid[i], grid) for i in range(n)])
    place = np.clip(share * j - 0.5, 0, j - 1)
    low = np.minimum(place.astype(np.int64), j - 2)
    below, above = (np.take_along_axis(ordered, at, axis=1) for at in (low, low + 1))
    asked = np.empty_like(ordered)
    np.put_along_axis(asked, order, below + (place - low) * (above - below), axis=1)
    return asked


def _distribution(share: _Float, ranks: _Float) -> _Float:
    """Return G [N, shares] at shares [N, shares], of ranks [N, REPLAYS]; from 0 to 1."""
    low = _step(-ranks / STEP_WIDTH).mean(axis=1, keepdims=True)
    high = _step((1 - ranks) / STEP_WIDTH).mean(axis=1, keepdims=True)
    found = _step((share[:, :, None] - ranks[:, None]) / STEP_WIDTH).mean(axis=2)
    return np.asarray((1 - DOUBT) * np.clip((found - low) / (high - low), 0, 1) + DOUBT * share)


def _at(ordered: _Float, share: _Float) -> _Float:
    """Return the member [N] of ordered, equally weighted ones [N, J] at a share [N] of them."""
    last = ordered.shape[1] - 1
    place = np.clip(share * (last + 1) - 0.5, 0, last)
    low = np.minimum(place.astype(np.int64), last - 1)
    row = np.arange(len(ordered))
    return np.asarray(ordered[row, low] + (place - low) * (ordered[row, low + 1] - ordered[row, low]))


def _step(x: NDArray[Any]) -> NDArray[Any]:
    return np.asarray(1 / (1 + np.exp(-np.clip(x, -_MOST_STEEPNESS, _MOST_STEEPNESS))))
