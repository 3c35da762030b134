"""Single readings that stand out: Hampel's identifier, fast enough for a fleet's year."""

import numpy as np
from numpy.typing import NDArray

SPIKE_MADS = 6.0
"""A spike differs from the median of its neighbours by more than this many median absolute deviations."""

SPIKE_NEIGHBOURS_D = 3
"""The neighbours of a reading: the same hour of so many days before and after."""

SPIKE_LONGEST = 2
"""More flagged readings in a row are a change of load, not a spike."""

_BESIDE = 3  # readings before and after, to which a spike is compared as well
_MAD_TO_SIGMA = 1.4826  # of a normal distribution
_SAMPLED_DAYS = 24  # what is usual for a transformer is read off so many days
# Devillard, N. (1998), Fast median search: an ANSI C implementation: the network for seven values.
_EXCHANGES_OF_SEVEN = (
    *((0, 5), (0, 3), (1, 6), (2, 4), (0, 1), (3, 5), (2, 6)),
    *((2, 3), (3, 6), (4, 5), (1, 4), (1, 3), (3, 4)),
)
_Bool = NDArray[np.bool_]
_Float = NDArray[np.float64]


def in_runs(flags: _Bool, length: int) -> _Bool:
    """Keep the flags that stand in runs of at least ``length``."""
    members = np.zeros(flags.shape, dtype=bool)
    starts = flags.shape[1] - length + 1
    if starts > 0 and flags.any():
        begins = flags[:, :starts].copy()
        for offset in range(1, length):
            begins &= flags[:, offset : offset + starts]
        if begins.any():
            for offset in range(length):
                members[:, offset : offset + starts] |= begins
    return members


def find_spikes(values: _Float, steps_per_day: int) -> _Bool:
    """Flag readings that differ from the same hour of the days around (Hampel), and alone do so."""
    n, length = values.shape
    reach = SPIKE_NEIGHBOURS_D * steps_per_day
    padded = np.full((n, length + 2 * reach), np.nan)
    padded[:, reach : reach + length] = values
    floor = np.fmax(
        _usual_mad(padded, steps_per_day), 0.01 * median_of(np.abs(_some_days(values, steps_per_day)))
    )
    row, place = np.nonzero(_suspects(padded, floor, steps_per_day))
    far = np.zeros((n, length), dtype=bool)
    deviation, limit = _hampel(padded, row, place, floor, steps_per_day)
    is_far = np.abs(deviation) > limit
    row, place, deviation, limit = row[is_far], place[is_far], deviation[is_far], limit[is_far]
    beside = place[:, None] + np.arange(-_BESIDE, _BESIDE + 1)
    there = (beside >= 0) & (beside < length)
    common = np.full(beside.shape, np.nan)
    common[there] = _hampel(
        padded, np.broadcast_to(row[:, None], beside.shape)[there], beside[there], floor, steps_per_day
    )[0]
    alone = np.abs(deviation - median_of(common)) > limit
    far[row[alone], place[alone]] = True
    return far & ~in_runs(far, SPIKE_LONGEST + 1)


def _hampel(
    padded: _Float, row: NDArray[np.int64], place: NDArray[np.int64], floor: _Float, steps_per_day: int
) -> tuple[_Float, _Float]:
    """Return the deviation of some readings from their neighbours' median, and its limit (else NaN)."""
    days = np.arange(2 * SPIKE_NEIGHBOURS_D + 1) * steps_per_day
    around = padded[row[:, None], place[:, None] + days]
    centre = median_of(around)
    mad = median_of(np.abs(around - centre[:, None]))
    enough = np.isfinite(around).sum(axis=1) > SPIKE_NEIGHBOURS_D
    limit = SPIKE_MADS * _MAD_TO_SIGMA * np.maximum(np.where(enough, mad, np.nan), floor[row])
    return around[:, SPIKE_NEIGHBOURS_D] - centre, limit


def _suspects(padded: _Float, floor: _Float, steps_per_day: int) -> _Bool:
    """Flag the readings that may be spikes, missing none.

    A spike is further from the median than `SPIKE_MADS` MADs, and half of its neighbours are within one
    MAD of the median: from so many neighbours it differs by almost the limit. Counting them is far faster
    than sorting them.
    """
    reach = SPIKE_NEIGHBOURS_D * steps_per_day
    length = padded.shape[1] - 2 * reach
    rough = padded.astype(np.float32)
    least = (0.999 * (SPIKE_MADS * _MAD_TO_SIGMA - 1) * floor[:, None]).astype(np.float32)
    centre = rough[:, reach : reach + length]
    differing = np.zeros((len(padded), length), dtype=np.uint8)
    for day in range(2 * SPIKE_NEIGHBOURS_D + 1):
        if day != SPIKE_NEIGHBOURS_D:
            start = day * steps_per_day
            differing += np.abs(centre - rough[:, start : start + length]) > least
    needed = np.full((len(padded), length), SPIKE_NEIGHBOURS_D + 1, dtype=np.uint8)
    needed[:, :reach] = needed[:, length - reach :] = 2
    needed[np.isnan(centre).any(axis=1)] = 2  # beside gaps there are fewer neighbours
    return np.asarray(differing >= needed)


def _some_days(values: _Float, steps_per_day: int) -> _Float:
    """Return the readings of about `_SAMPLED_DAYS` days, evenly spread."""
    days = values.shape[1] // steps_per_day
    if days <= _SAMPLED_DAYS:
        return values
    table = values[:, : days * steps_per_day].reshape(len(values), days, steps_per_day)
    return table[:, :: days // _SAMPLED_DAYS].reshape(len(values), -1)


def _usual_mad(padded: _Float, steps_per_day: int) -> _Float:
    """Return the median over time, sampled by days, of the neighbours' MAD; [N]."""
    n, width = padded.shape
    days = max(width // steps_per_day, 2 * SPIKE_NEIGHBOURS_D + 1)  # the last, begun day aside
    if days * steps_per_day > width:
        padded = np.pad(padded, ((0, 0), (0, days * steps_per_day - width)), constant_values=np.nan)
    grid = padded[:, : days * steps_per_day].reshape(n, days, steps_per_day)
    reach = SPIKE_NEIGHBOURS_D
    step = max(1, (days - 2 * reach) // _SAMPLED_DAYS)
    at = np.arange(0, days - 2 * reach, step)
    mad = np.full((n, len(at), steps_per_day), np.nan)
    around = np.stack([grid[:, at + k] for k in range(2 * reach + 1)])
    # Where a neighbour is missing, the slow way; which one a transformer takes hangs on itself alone.
    whole = np.isfinite(around).all(axis=0)
    mad[whole] = _mad_of_seven(around[:, whole])
    rest = around[:, ~whole].T
    enough = np.isfinite(rest).sum(axis=1) > reach
    mad[~whole] = np.where(enough, median_of(np.abs(rest - median_of(rest)[:, None])), np.nan)
    return median_of(mad.reshape(n, -1))


def _mad_of_seven(seven: _Float) -> _Float:
    """Return the median absolute deviation of [7, M] without NaN."""
    centre = _middle_of_seven(seven)
    return _middle_of_seven(np.abs(seven - centre))


def _middle_of_seven(seven: _Float) -> _Float:
    """Return the median of [7, M] by exchanges of whole arrays, which beats sorting short rows."""
    p = list(seven)
    for i, j in _EXCHANGES_OF_SEVEN:
        p[i], p[j] = np.minimum(p[i], p[j]), np.maximum(p[i], p[j])
    return np.asarray(p[3])


def median_of(values: _Float) -> _Float:
    """Return the median over the last axis of what is not NaN; NaN where nothing is."""
    ordered = np.sort(values, axis=-1)
    known = np.isfinite(ordered).sum(axis=-1, keepdims=True)
    low = np.take_along_axis(ordered, np.maximum(known - 1, 0) // 2, axis=-1)
    high = np.take_along_axis(ordered, known // 2, axis=-1)
    odd = known % 2 == 1
    return np.asarray(np.where(odd, low, 0.5 * (low + high))[..., 0])
