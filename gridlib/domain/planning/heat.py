"""Air and thermal state as planning sees them, and the hot spots of loads."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from gridlib.domain.planning.fleet import P10, P50, P90, Fleet, Floats
from gridlib.domain.planning.reserve import Reservation
from gridlib.domain.thermal import (
    ThermalSpec,
    ThermalState,
    loss_of_life_d,
    thermal_response,
    thermal_spec,
)
from gridlib.domain.thermal.arrays import column_of
from gridlib.facts.types import Move


@dataclass(frozen=True)
class Heat:
    """What the thermal model needs: air [T, N] and the state before the horizon, by position in the fleet."""

    ambient_c: Floats
    initial: ThermalState | None


def heat_of(
    fleet: Fleet, forecast: pd.DataFrame, ambient_c: pd.DataFrame, initial: ThermalState | None
) -> Heat:
    """Bring air and thermal state into the order of the fleet.

    Parameters
    ----------
    fleet : Fleet
        The fleet.
    forecast : DataFrame
        `ForecastFrame`; ``initial`` is in the order of its transformers.
    ambient_c : DataFrame
        Air at each transformer, wide: time x transformer [degC].
    initial : ThermalState, optional
        State before the horizon; default is the steady state of the first hour.

    Returns
    -------
    Heat
        NaN where a transformer has no air or no state.
    """
    units = fleet.tree.nodes[: fleet.tree.transformers]
    air = ambient_c.reindex(index=fleet.times, columns=units).to_numpy(dtype=float)
    if initial is None:
        return Heat(air, None)
    place = pd.Index(forecast["transformer_id"].unique()).get_indexer(units)
    return Heat(air, ThermalState(*(np.where(place >= 0, part[place], np.nan) for part in initial)))


class HotSpots(NamedTuple):
    """Hot spot [T, M] at p50 and at p90, and life used [M] at p50."""

    likely_c: Floats
    upper_c: Floats
    life_d: Floats


def loads_after(
    fleet: Fleet, units: Iterable[int], moves: Sequence[Move], reserved: Reservation
) -> list[Floats]:
    """Work out the loads [Q, T] of transformers after moves, with the headroom promised to other plans."""
    changes = fleet.deltas(moves)
    # The +- range of a section can turn the order of close quantiles; a distribution has them sorted.
    return [np.sort(reserved.load_kva(fleet, unit)[0] + changes.get(unit, 0.0), axis=0) for unit in units]


def hot_spots(fleet: Fleet, quantile_kva: Floats, where: npt.NDArray[np.int64], heat: Heat) -> HotSpots:
    """Run the thermal model for loads [Q, T, M] of the transformers at the given positions [M]."""
    rating = fleet.rating_kva[where]
    step_min = 60 * fleet.step_h
    spec, paper, initial = thermal_units(fleet, where, heat)
    likely_c, upper_c = (
        thermal_response(
            load_kva / rating, heat.ambient_c[:, where], spec, step_min=step_min, initial=initial
        ).hot_spot_c
        for load_kva in (np.abs(quantile_kva[P50]), upper_kva(quantile_kva))
    )
    return HotSpots(likely_c, upper_c, loss_of_life_d(likely_c, paper, step_min=step_min))


def thermal_units(
    fleet: Fleet, where: npt.NDArray[np.int64], heat: Heat
) -> tuple[ThermalSpec, npt.NDArray[np.object_], ThermalState | None]:
    """Look up thermal constants, paper and state before the horizon of transformers [M] by position."""
    units = fleet.units.iloc[where].reset_index()
    initial = heat.initial and ThermalState(*(part[where] for part in heat.initial))
    return thermal_spec(units), column_of(units, "paper").to_numpy(dtype=object), initial


def upper_kva(load_kva: Floats) -> Floats:
    """Size of the load [T] that is exceeded with 10 % chance, import or export, from quantiles [Q, T]."""
    upper: Floats = np.maximum(load_kva[P90], -load_kva[P10])
    return upper
