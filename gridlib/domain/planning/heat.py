"""Hot spots of the touched transformers, and how far a transfer may raise them."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pandas as pd

from gridlib.domain.planning.devices import Refusal
from gridlib.domain.planning.fleet import P10, P50, P90, Fleet, Floats
from gridlib.domain.planning.reserve import Reservation
from gridlib.domain.thermal import ThermalState, loss_of_life_d, thermal_response, thermal_spec
from gridlib.facts.types import Limits, Move

_ROUNDING_K = 1e-9


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


def hot_spots(fleet: Fleet, quantile_kva: Floats, where: np.ndarray, heat: Heat) -> HotSpots:
    """Run the thermal model for loads [Q, T, M] of the transformers at the given positions [M]."""
    units = fleet.units.iloc[where].reset_index()
    rating = fleet.rating_kva[where]
    step_min = 60 * fleet.step_h
    initial = heat.initial and ThermalState(*(part[where] for part in heat.initial))
    spec = thermal_spec(units)
    paper = units["paper"].to_numpy(dtype=object) if "paper" in units else "normal"
    likely_c, upper_c = (
        thermal_response(
            load_kva / rating, heat.ambient_c[:, where], spec, step_min=step_min, initial=initial
        ).hot_spot_c
        for load_kva in (np.abs(quantile_kva[P50]), upper_kva(quantile_kva))
    )
    return HotSpots(likely_c, upper_c, loss_of_life_d(likely_c, paper, step_min=step_min))


def upper_kva(load_kva: Floats) -> Floats:
    """Size of the load [T] that is exceeded with 10 % chance, import or export, from quantiles [Q, T]."""
    upper: Floats = np.maximum(load_kva[P90], -load_kva[P10])
    return upper


def too_hot(
    fleet: Fleet,
    unit: int,
    before_c: tuple[Floats, Floats],
    after_c: tuple[Floats, Floats],
    limits: Limits,
) -> Iterator[Refusal]:
    """Find hours in which a transfer lifts a hot spot above its limit and above what it was.

    Parameters
    ----------
    fleet : Fleet
        The fleet.
    unit : int
        Position of the transformer.
    before_c, after_c : pair of arrays [T]
        Its hot spot at p50 and at p90 [degC]; NaN refuses nothing.
    limits : Limits
        ``planned_hot_spot_c`` holds at p50, ``high_hot_spot_p90_c`` at p90.

    Yields
    ------
    Refusal
        The worst hour at p50, and at p90.
    """
    bounds = (("p50", limits.planned_hot_spot_c), ("p90", limits.high_hot_spot_p90_c))
    for (name, limit_c), before, after in zip(bounds, before_c, after_c, strict=True):
        growth_k = np.nan_to_num(after - np.maximum(before, limit_c), nan=-np.inf)
        hour = int(growth_k.argmax())
        if growth_k[hour] > _ROUNDING_K:
            yield Refusal(
                "hot_spot",
                f"hot spot of {fleet.names[unit]} would reach {after[hour]:.1f} degC at {name} on "
                f"{fleet.times[hour].tz_convert(fleet.tz):%a %d %b %H:%M}, limit {limit_c:g} degC: "
                f"{after[hour] - limit_c:.1f} K too much",
                str(fleet.names[unit]),
            )


def heat_refusals(
    fleet: Fleet, moves: Sequence[Move], reserved: Reservation, heat: Heat, limits: Limits
) -> tuple[tuple[Refusal, ...], tuple[str, ...]]:
    """Check the hot spots of the touched transformers; also name those without air or thermal state."""
    where = np.array(list(fleet.deltas(moves)), dtype=np.int64)
    before, after = (
        hot_spots(fleet, np.stack(loads_after(fleet, where, switched, reserved), axis=-1), where, heat)
        for switched in ((), moves)
    )
    found: list[Refusal] = []
    unknown: list[str] = []
    for k, unit in enumerate(where):
        earlier, later = ((hot.likely_c[:, k], hot.upper_c[:, k]) for hot in (before, after))
        found += too_hot(fleet, int(unit), earlier, later, limits)
        if not np.isfinite(later).all():
            unknown.append(f"hot spot of {fleet.names[unit]}")
    return tuple(found), tuple(unknown)
