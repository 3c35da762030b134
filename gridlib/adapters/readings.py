"""Which of several readings for the same transformer and time counts."""

import numpy as np
from numpy.typing import NDArray

from gridlib.facts.types import Quality

USABLE = 2
"""Grade of a reading that may be used as a value."""


def reading_worth(load_kva: NDArray[np.float64], quality: NDArray[np.uint8]) -> NDArray[np.int8]:
    """Grade readings: of several, the last one of the best grade counts.

    Parameters
    ----------
    load_kva : array [N]
        Readings, NaN where there is none [kVA].
    quality : array [N]
        Their quality bits.

    Returns
    -------
    array [N]
        2 usable, 1 a value flagged as not to be used (`Quality.MISSING`) or infinite, 0 no value.

    Examples
    --------
    >>> reading_worth(np.array([120.0, 120.0, np.nan]), np.array([0x00, 0x80, 0x00], np.uint8)).tolist()
    [2, 1, 0]
    """
    usable = np.isfinite(load_kva) & (quality & Quality.MISSING == 0)
    return np.where(usable, USABLE, ~np.isnan(load_kva)).astype(np.int8)
