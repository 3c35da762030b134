"""The load that a transformer may carry today: its thermal cyclic rating, and what binds."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gridlib.domain.thermal.arrays import Floats
from gridlib.domain.thermal.model import (
    ThermalSpec,
    ThermalState,
    loss_of_life_d,
    thermal_response,
)
from gridlib.facts.types import Limits

NORMAL_CYCLIC_MAX_PU = 1.5
"""Largest load factor of a distribution transformer in normal cyclic loading, IEC 60076-7:2005, Table 2."""

_HALVINGS = 14
"""1.5 pu / 2^14: the rating is found to 0.0001 pu."""

_DAY_MIN = 24 * 60

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
        The least of it, the site's limit and that of devices in series [pu].
    limit_by : array of str
        What binds: hot_spot, ageing, current (the 1.5 pu), site or device.
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
    device_pu: ArrayLike = np.inf,
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
    device_pu : float or array [N]
        Least limit of what is in series, bushing, board, fuse, cable, over rating [pu]; NaN where not known.

    Returns
    -------
    DayLimit
        0 where even the unloaded unit passes the limit, from the heat it starts with. Where air, load or
        state are not known, heat does not bind.

    Notes
    -----
    The largest multiplier of the load, by bisection, for which in the day ``max(hot_spot) <=
    planned_hot_spot_c`` and ``sum(V) dt <= 1 d``: a day uses at most a day of normal life. Of a longer time
    as many days of life are allowed; of a part of a day only what is known of it counts.

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
        return too_hot, loss_of_life_d(hot_spot, paper, step_min=step_min) > allowed_d

    allowed_d = max(1.0, len(load) * step_min / _DAY_MIN)

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
    limit, limit_by = limit_beside_heat(limits, device_pu, peak.shape)
    return DayLimit(rating, np.minimum(rating, limit), np.where(rating > limit, limit_by, by).astype(object))


def limit_beside_heat(
    limits: Limits, device_pu: ArrayLike, shape: tuple[int, ...]
) -> tuple[Floats, NDArray[np.object_]]:
    """Find what binds when heat does not: the site's limit, or a device in series [pu]."""
    site_pu = limits.loading_limit_pct / 100
    device = np.broadcast_to(np.asarray(device_pu, dtype=float), shape)
    return np.fmin(device, site_pu), np.where(device < site_pu, "device", "site").astype(object)


def day_limits(
    load_factor_pu: Floats,
    ambient_c: Floats,
    spec: ThermalSpec,
    *,
    step_min: float,
    limits: Limits,
    initial: ThermalState | None = None,
    paper: str | ArrayLike = "normal",
    device_pu: ArrayLike = np.inf,
) -> Iterator[tuple[slice, DayLimit]]:
    """Find the limit of each day of a horizon, as `day_limit`.

    Parameters
    ----------
    load_factor_pu, ambient_c : array [T, N]
        Load over rating [pu] and air [degC] of the horizon.
    spec, step_min, limits, initial, paper, device_pu
        As there; ``initial`` is the state before the horizon.

    Yields
    ------
    slice, DayLimit
        Steps of the day and its limit. Days are counted from the first hour, so that each holds one whole
        cycle of load and air; the last may be a part of one.

    Notes
    -----
    Each day starts from the heat that the load of the days before it leaves.
    """
    day = max(1, round(_DAY_MIN / step_min))
    state = initial
    for first in range(0, len(load_factor_pu), day):
        steps = slice(first, first + day)
        load, air = load_factor_pu[steps], ambient_c[steps]
        yield (
            steps,
            day_limit(
                load,
                air,
                spec,
                step_min=step_min,
                limits=limits,
                initial=state,
                paper=paper,
                device_pu=device_pu,
            ),
        )
        state = thermal_response(load, air, spec, step_min=step_min, initial=state).final
