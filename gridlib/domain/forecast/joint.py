"""Joint error paths: what the load of every transformer did beside its forecast on the same past days."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from gridlib.domain.forecast.paths import Paths
from gridlib.domain.forecast.replays import PATHS

JOINT_PATHS = 60
"""Past days that are kept for the whole fleet, every second of those that lend errors: so far apart, in the
newest months, that hardly any two horizons share their hours."""

MOST_STEPS = 127
"""An error is kept in one byte, in steps of 1/127 of the transformer's largest: finer than what meters tell,
and a fleet of 20,000 takes 86 MB."""

SAME_DAY_SHARE = 0.5
"""With fewer days of its own among them, a transformer's errors say little of what others did that day."""

_Float = NDArray[np.float64]
_Int = NDArray[np.int64]


class Peaks(NamedTuple):
    """Largest |load| of each path in a window, [N, P]: as it is, and as replays ask for [kVA]."""

    window: slice
    was_kva: NDArray[Any]
    asked_kva: NDArray[Any]


@dataclass(frozen=True)
class Joint:
    """Joint paths of N transformers, filled chunk by chunk; as in `gridlib.facts.forecasts.JointPaths`."""

    age_d: _Int  # [J]
    unit_kva: _Float  # [N]
    error_steps: NDArray[np.int8]  # [N, J, H]
    same_day: NDArray[np.bool_]  # [N, J]

    @classmethod
    def empty(cls, common_d: _Int, n: int, steps: int) -> "Joint":
        """Return room for n transformers; ``common_d`` as from `gridlib.domain.forecast.replays`."""
        age_d = common_d[:: PATHS // JOINT_PATHS]
        j = len(age_d)
        return cls(age_d, np.zeros(n), np.zeros((n, j, steps), dtype=np.int8), np.zeros((n, j), dtype=bool))

    def keep(
        self,
        which: _Int,
        names: Sequence[str],
        paths: Paths,
        mean_kva: _Float,
        median_kva: _Float,
        peaks: Peaks | None = None,
    ) -> None:
        """Put the paths of some transformers in their places.

        Parameters
        ----------
        which : array [n]
            Their places.
        names : sequence of str
            Their names, which draw the lots.
        paths : Paths
            All their error paths, around the mean.
        mean_kva, median_kva : array [n, H]
            As published [kVA].
        peaks : Peaks, optional
            What the peaks of the paths are to be, so that their chances are the published ones of the window;
            default as they are.
        """
        place, self.same_day[which] = places_of(paths, self.age_d, names)
        row = np.arange(len(which))[:, None]
        error_kva = paths.errors_kva[row, place]
        error_kva += mean_kva[:, None].astype(error_kva.dtype)
        if peaks is not None:
            was_kva, asked_kva = (
                peak[row, place, None].astype(error_kva.dtype) for peak in (peaks.was_kva, peaks.asked_kva)
            )
            set_peaks(error_kva[..., peaks.window], was_kva, asked_kva)
        error_kva -= median_kva[:, None].astype(error_kva.dtype)
        unit_kva = np.maximum(np.abs(error_kva).max(axis=(1, 2)) / MOST_STEPS, np.finfo(np.float32).tiny)
        error_kva /= unit_kva[:, None, None].astype(error_kva.dtype)
        np.rint(error_kva, out=error_kva)
        self.error_steps[which] = error_kva
        self.unit_kva[which] = unit_kva


def set_peaks(load_kva: NDArray[Any], was_kva: NDArray[Any], asked_kva: NDArray[Any]) -> None:
    """Bring the peaks of paths to what is asked for, in place; hours away from the peak stay.

    Parameters
    ----------
    load_kva : array [N, J, H]
        Loads [kVA].
    was_kva, asked_kva : array [N, J, 1]
        Largest |load| as it is, and as it is to be [kVA].

    Notes
    -----
    What is above a lower peak is cut off. For a peak that is higher by d, what lies above ``was - d`` is
    drawn out to twice its height over that.
    """
    rise = np.maximum(asked_kva - was_kva, 0)
    size = np.abs(load_kva)
    size += np.maximum(size - (was_kva - rise), 0) * (rise > 0)
    np.minimum(size, asked_kva, out=size)
    np.copysign(size, load_kva, out=load_kva)


def places_of(paths: Paths, age_d: _Int, names: Sequence[str]) -> tuple[_Int, NDArray[np.bool_]]:
    """Find the paths of wanted days; where there is none, one of the others by lot.

    Parameters
    ----------
    paths : Paths
        Error paths [N, P].
    age_d : array [J]
        How old the wanted days are, at least 1 [d].
    names : sequence of str
        Of the transformers: the lots depend on them alone, not on who else is in the fleet.

    Returns
    -------
    place : array [N, J]
        Numbers into P.
    same_day : array [N, J]
        Whether the path is of the wanted day.

    Notes
    -----
    The lots are stratified: over all J they fall on each path in proportion to its weight.
    """
    is_wanted = paths.age_d[:, :, None] == age_d
    place, same_day = is_wanted.argmax(axis=1), is_wanted.any(axis=1)
    j = len(age_d)
    for n in np.flatnonzero(~same_day.all(axis=1)).tolist():
        lots = (np.random.default_rng(crc32(names[n].encode())).permutation(j) + 0.5) / j
        summed = np.cumsum(paths.weights[n])
        drawn = np.searchsorted(summed, lots * summed[-1])
        place[n] = np.where(same_day[n], place[n], np.minimum(drawn, len(summed) - 1))
    return np.asarray(place, dtype=np.int64), same_day
