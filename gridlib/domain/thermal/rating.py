"""The load that a transformer may carry today: its thermal cyclic rating, and what binds."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gridlib.domain.thermal.arrays import Floats
from gridlib.domain.thermal.model import (
    ThermalSpec,
    ThermalState,
    ageing_rate_pu,
    thermal_response,
)
from gridlib.facts.types import Limits

NORMAL_CYCLIC_MAX_PU = 1.5
"""Largest load factor of a distribution transformer in normal cyclic loading, IEC 60076-7:2005, Table 2."""

_HALVINGS = 14
"""1.5 pu / 2^14: the rating is found to 0.0001 pu."""

_LEAST_PEAK_PU = 0.01
"""Below this the load of the day has no shape to speak of; it is taken as flat."""


@dataclass(frozen=True)
class DayLimit:
    """What transformers may carry at the peak of one day, arrays [N].

    Attributes
    ----------
    rating_pu : array
        Thermal cyclic rating of the unit on this day, over nameplate; at most 1.5 [pu].
    limit_pu : array
        The same, or the site's limit where that is lower [pu].
    limit_by : array of str
        What binds: hot_spot, ageing, current (the 1.5 pu) or site.
    """

    rating_pu: Floats
    limit_pu: Floats
    limit_by: NDArray[np.object_]


def day_limit(
    load_factor_pu: ArrayLike,
    ambient_c: ArrayLike,
    spec: ThermalSpec,
    *,
    step_min: float,
    limits: Limits,
    initial: ThermalState | None = None,
    paper: str | ArrayLike = "normal",
) -> DayLimit:
    """Find how large the peak of a day may be, with the day's shape, air and start as they are.

    Parameters
    ----------
    load_factor_pu : array [T, N]
        Load of the day over rating [pu]; only its shape matters.
    ambient_c : array [T] or [T, N]
        Air at the units [degC].
    spec : ThermalSpec
        Thermal constants.
    step_min : float
        Length of a step [min].
    limits : Limits
        ``planned_hot_spot_c`` and ``loading_limit_pct`` are used.
    initial : ThermalState, optional
        State before the day; default is the steady state of its first step.
    paper : str or array [N]
        As in `ageing_rate_pu`.

    Returns
    -------
    DayLimit
        0 where even the unloaded unit passes the limit, from the heat it starts with.

    Notes
    -----
    The largest multiplier of the load, by bisection, for which in the day ``max(hot_spot) <=
    planned_hot_spot_c`` and ``mean(V) <= 1``: a day uses at most a day of normal life. The site's limit
    stands for whatever else is in series and not in the tables: bushing, board, fuse, cable.

    References
    ----------
    IEC 60076-7:2005, 7.2 (normal cyclic loading) and Table 2 (its limits).

    Examples
    --------
    >>> unit = ThermalSpec(55, 23, 5, 180, 4, 0.8, 1.6, 1, 1, 2)
    >>> found = day_limit(np.full((24, 1), 0.8), np.full(24, 20.0), unit, step_min=60, limits=Limits())
    >>> found.rating_pu.round(3).tolist(), found.limit_by.tolist()
    ([1.0], ['ageing'])
    """
    load = np.abs(np.asarray(load_factor_pu, dtype=float))
    peak = load.max(axis=0)
    shape = np.where(peak < _LEAST_PEAK_PU, 1.0, load / np.maximum(peak, _LEAST_PEAK_PU))

    def passed(peak_pu: Floats) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        hot_spot = thermal_response(
            shape * peak_pu, ambient_c, spec, step_min=step_min, initial=initial
        ).hot_spot_c
        too_hot = hot_spot.max(axis=0) > limits.planned_hot_spot_c
        return too_hot, ageing_rate_pu(hot_spot, paper).mean(axis=0) > 1

    low, high = np.zeros(len(peak)), np.full(len(peak), NORMAL_CYCLIC_MAX_PU)
    by_heat, by_age = passed(high)
    free = ~(by_heat | by_age)
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        too_hot, too_old = passed(middle)
        over = too_hot | too_old
        by_heat = np.where(over, too_hot, by_heat)
        low, high = np.where(over, low, middle), np.where(over, middle, high)
    rating = np.where(free, NORMAL_CYCLIC_MAX_PU, low)
    by = np.where(free, "current", np.where(by_heat, "hot_spot", "ageing")).astype(object)
    site_pu = limits.loading_limit_pct / 100
    return DayLimit(
        rating, np.minimum(rating, site_pu), np.where(rating > site_pu, "site", by).astype(object)
    )
