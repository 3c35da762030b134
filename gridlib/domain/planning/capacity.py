"""What transformers may carry hour by hour, and what binds: the site, a device in series, the day's heat.

Overload has two meanings that are kept apart. Risk asks how loaded a transformer is: its severity, hours over
and chances are loading over nameplate. Planning asks what it may carry: overload, relief and the hours in
which a plan is needed are load above the limit found here. On a hot day planning so relieves hours that are
not over nameplate; in winter, where the site allows more than nameplate, it leaves alone hours that are. All
loadings are shown in percent of nameplate, the limit beside them.
"""

from dataclasses import replace
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from gridlib.domain.planning.fleet import P50, Fleet, Floats
from gridlib.domain.planning.heat import Heat, thermal_units
from gridlib.domain.thermal import day_limits
from gridlib.facts.types import Limits

Words = npt.NDArray[np.object_]


class Capacity(NamedTuple):
    """Limits [kVA] and what binds, arrays [T, M]."""

    limit_kva: Floats
    limit_by: Words


def capacity_of(
    fleet: Fleet, load_kva: Floats, where: npt.NDArray[np.int64], heat: Heat, limits: Limits
) -> Capacity:
    """Find what transformers may carry under given loads.

    Parameters
    ----------
    fleet : Fleet
        The fleet.
    load_kva : array [T, M]
        Median loads; the shape of each day decides, not the height.
    where : array [M]
        Positions of the transformers; one may come several times, with other loads.
    heat : Heat
        Air and thermal state.
    limits : Limits
        ``loading_limit_pct`` and ``planned_hot_spot_c`` are used.

    Returns
    -------
    Capacity
        In each hour the least of the thermal cyclic rating of its day, the site's limit and that of devices
        in series. Where air, state or load are not known, heat does not bind. NaN without a rating.

    Notes
    -----
    The cyclic rating belongs to the load it was found for: a transfer that makes a day flatter lowers it, and
    heat left from the day before counts. So each state of a plan has limits of its own.
    """
    rating = fleet.rating_kva[where]
    spec, paper, initial = thermal_units(fleet, where, heat)
    limit_kva, limit_by = np.empty(load_kva.shape), np.empty(load_kva.shape, dtype=object)
    days = day_limits(
        load_kva / rating,
        heat.ambient_c[:, where],
        spec,
        step_min=60 * fleet.step_h,
        limits=limits,
        initial=initial,
        paper=paper,
        device_pu=fleet.device_kva[where] / rating,
    )
    for hours, found in days:
        limit_kva[hours], limit_by[hours] = found.limit_pu * rating, found.limit_by
    return Capacity(limit_kva, limit_by)


def rate(fleet: Fleet, heat: Heat, limits: Limits) -> Fleet:
    """Put the day's heat under the present loads into the limits of a fleet."""
    everyone = np.arange(fleet.tree.transformers)
    found = capacity_of(fleet, fleet.load_kva[P50], everyone, heat, limits)
    return replace(fleet, limit_kva=found.limit_kva, limit_by=found.limit_by)
