"""The thermal model set right by a top-oil sensor, where there is one."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gridlib.domain.thermal.arrays import Floats
from gridlib.domain.thermal.model import ThermalSpec

MEMORY_H = 24
"""Readings looked at: a whole day, so that what follows the sun evens out."""

LEAST_READINGS = 6
"""Fewer in `MEMORY_H` say too little."""

DOUBTFUL_K = 15.0
"""An oil sensor this far below the model is more likely wrong than right [K]."""

STILL_K = 0.05
MOVING_K = 5.0
"""A sensor that stays within the first while the model moves by the second is stuck [K]."""


@dataclass(frozen=True)
class OilCorrection:
    """What sensors say about the model, arrays [N].

    Attributes
    ----------
    offset_k : array
        To be added to the air; 0 where nothing is known [K].
    top_oil_c : array
        Top oil at the end of the last step, as measured and carried on; NaN where nothing is known [degC].
    verdict : array of str
        used, hotter (used, and more than `DOUBTFUL_K` above the model), doubtful, stuck or silent (has
        readings, too few of them recent), each of these three not used; empty where there is no sensor.
    """

    offset_k: Floats
    top_oil_c: Floats
    verdict: NDArray[np.object_]


def correct_by_sensor(
    measured_c: Floats, modelled_c: Floats, spec: ThermalSpec, *, step_min: float
) -> OilCorrection:
    """Find the offset between model and sensor, and the oil at the end.

    Parameters
    ----------
    measured_c : array [T, N]
        Top oil at the end of each step, NaN where not read [degC].
    modelled_c : array [T, N]
        Top oil at the end of each step by `thermal_response`, without correction [degC].
    spec : ThermalSpec
        Thermal constants; the oil time constant is used.
    step_min : float
        Length of a step [min].

    Returns
    -------
    OilCorrection
        One entry for each transformer.

    Notes
    -----
    Oil obeys a linear equation, so a constant error b of the air around the unit or of its rise shows as
    ``b (1 - exp(-t/(k11 tau_o)))`` in top oil t minutes after the model started. b is the median over the
    last 24 h of readings of (measured - modelled) over that factor. What is left between the last reading
    and the corrected model fades with exp(-t/(k11 tau_o)) until the end.

    A sensor far below the model is not believed, because believing it could overheat a unit; one far above
    is, because its unit may have lost its cooling.
    """
    steps = len(measured_c)
    recent = slice(max(0, steps - int(MEMORY_H * 60 / step_min)), None)
    seen = np.where(np.isfinite(measured_c), measured_c, np.nan)
    fade = np.exp(-step_min / (np.asarray(spec.k11, dtype=float) * spec.tau_o_min))
    grown = 1 - fade ** np.arange(1, steps + 1)[:, None]
    offset = _median((seen - modelled_c)[recent] / np.broadcast_to(grown, seen.shape)[recent])

    count = np.isfinite(seen[recent]).sum(axis=0)
    span, moved = _span(seen[recent]), _span(np.where(np.isfinite(seen), modelled_c, np.nan)[recent])
    verdict = np.full(seen.shape[1], "", dtype=object)
    verdict[np.isfinite(seen).any(axis=0)] = "silent"
    enough = count >= LEAST_READINGS
    stuck = enough & (span <= STILL_K) & (moved >= MOVING_K)
    verdict[enough] = "used"
    verdict[enough & (offset > DOUBTFUL_K)] = "hotter"
    verdict[enough & (offset < -DOUBTFUL_K)] = "doubtful"
    verdict[stuck] = "stuck"
    used = (verdict == "used") | (verdict == "hotter")

    offset = np.where(used, offset, 0.0)
    corrected = modelled_c + offset * grown
    last = np.where(np.isfinite(seen), np.arange(steps)[:, None], -1).max(axis=0)
    units = np.arange(seen.shape[1])
    left = (seen - corrected)[last, units] * fade ** (steps - 1 - last)
    return OilCorrection(offset, np.where(used, corrected[-1] + left, np.nan), verdict)


def _median(values: Floats) -> Floats:
    """Median along the first axis without the NaN, which sort to the end; NaN where there is nothing."""
    count = np.isfinite(values).sum(axis=0)
    ordered = np.sort(values, axis=0)
    units = np.arange(values.shape[1])
    low, high = np.maximum(count - 1, 0) // 2, np.minimum(count // 2, len(values) - 1)
    return np.asarray((ordered[low, units] + ordered[high, units]) / 2)


def _span(values: Floats) -> Floats:
    """Largest less smallest along the first axis, without the NaN."""
    known = np.isfinite(values)
    return np.asarray(
        np.where(known, values, -np.inf).max(axis=0) - np.where(known, values, np.inf).min(axis=0)
    )
