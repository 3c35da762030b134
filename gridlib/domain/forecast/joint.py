"""Joint error paths: what the load of every transformer did beside its forecast on the same past days."""

from collections.abc import Sequence
from dataclasses import dataclass
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

    def keep(self, which: _Int, names: Sequence[str], paths: Paths, beside_kva: _Float) -> None:
        """Put the paths of some transformers in their places.

        Parameters
        ----------
        which : array [n]
            Their places.
        names : sequence of str
            Their names, which draw the lots.
        paths : Paths
            All their error paths, around the mean.
        beside_kva : array [n, H]
            Mean less published median [kVA].
        """
        place, self.same_day[which] = places_of(paths, self.age_d, names)
        error_kva = paths.errors_kva[np.arange(len(which))[:, None], place]
        error_kva += beside_kva[:, None].astype(error_kva.dtype)
        unit_kva = np.maximum(np.abs(error_kva).max(axis=(1, 2)) / MOST_STEPS, np.finfo(np.float32).tiny)
        error_kva /= unit_kva[:, None, None].astype(error_kva.dtype)
        np.rint(error_kva, out=error_kva)
        self.error_steps[which] = error_kva
        self.unit_kva[which] = unit_kva


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
