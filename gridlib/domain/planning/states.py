"""What touched transformers carry, may carry and how hot they become, in many scenarios at once."""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from gridlib.domain.planning.capacity import Words, capacity_of
from gridlib.domain.planning.devices import Refusal
from gridlib.domain.planning.fleet import P50, Fleet, Floats
from gridlib.domain.planning.heat import Heat, hot_spots, loads_after
from gridlib.domain.planning.reserve import Reservation
from gridlib.facts.messages import Message
from gridlib.facts.types import Limits, Move

ROUNDING_K = 1e-9


class Scenario(NamedTuple):
    """Transformers to look at, by position; what is switched before; and what other plans need."""

    units: Sequence[int]
    moves: tuple[Move, ...]
    reserved: Reservation


class Unit(NamedTuple):
    """One touched transformer in one scenario.

    Load [Q, T], what it may carry [T] and what binds, hot spot [T] at p50 and at p90, life used over the
    horizon, and its risk score where it was scored.
    """

    load_kva: Floats
    limit_kva: Floats
    limit_by: Words
    hot_spot_c: Floats
    hot_spot_c_p90: Floats
    loss_of_life_d: float
    score: float = np.nan

    @property
    def is_warm(self) -> bool:
        """Tell whether its hot spots are known in every hour."""
        return bool(np.isfinite(self.hot_spot_c).all() and np.isfinite(self.hot_spot_c_p90).all())


def unit_states(
    fleet: Fleet, scenarios: Sequence[Scenario], heat: Heat, limits: Limits
) -> list[dict[int, Unit]]:
    """Work out loads, limits and heat of all scenarios at once.

    Parameters
    ----------
    fleet : Fleet
        The fleet.
    scenarios : sequence of Scenario
        What to look at. Headroom promised to other plans counts as load of their receivers.
    heat : Heat
        Air and thermal state.
    limits : Limits
        The site's.

    Returns
    -------
    list of dict
        For each scenario its transformers; NaN hot spots where air or load is missing.
    """
    where = np.array([unit for scenario in scenarios for unit in scenario.units], dtype=np.int64)
    if not len(where):
        return [{} for _ in scenarios]
    loads = [load for scenario in scenarios for load in loads_after(fleet, *scenario)]
    quantiles = np.stack(loads, axis=-1)
    limit_kva, limit_by = capacity_of(fleet, quantiles[P50], where, heat, limits)
    hot = hot_spots(fleet, quantiles, where, heat)
    found = (
        Unit(
            quantiles[:, :, k],
            limit_kva[:, k],
            limit_by[:, k],
            hot.likely_c[:, k],
            hot.upper_c[:, k],
            float(hot.life_d[k]),
        )
        for k in range(len(where))
    )
    return [{unit: next(found) for unit in scenario.units} for scenario in scenarios]


def carried_limits(before: Mapping[int, Unit], after: Mapping[int, Unit]) -> dict[int, tuple[Floats, Floats]]:
    """Take what transformers may carry before and after, each [T] in kVA."""
    return {unit: (before[unit].limit_kva, state.limit_kva) for unit, state in after.items()}


def prefixes(units: Sequence[int], moves: tuple[Move, ...], reserved: Reservation) -> list[Scenario]:
    """List the states that moves pass through: before, and after each of them."""
    return [Scenario(units, moves[:count], reserved) for count in range(len(moves) + 1)]


def too_hot(
    fleet: Fleet, before: Mapping[int, Unit], after: Mapping[int, Unit], limits: Limits
) -> Iterator[Refusal]:
    """Find hours in which a transfer lifts a hot spot above its limit and above what it was.

    Parameters
    ----------
    fleet : Fleet
        The fleet.
    before, after : mapping
        The touched transformers by position; a hot spot that is not known refuses nothing.
    limits : Limits
        ``planned_hot_spot_c`` holds at p50, ``high_hot_spot_p90_c`` at p90.

    Yields
    ------
    Refusal
        The worst hour of each transformer at p50, and at p90.
    """
    for unit, state in after.items():
        for name, limit_c, growth_k in lifted_k(before[unit], state.hot_spot_c, state.hot_spot_c_p90, limits):
            hour = int(growth_k.argmax())
            if growth_k[hour] > ROUNDING_K:
                reached_c = (state.hot_spot_c if name == "p50" else state.hot_spot_c_p90)[hour]
                yield Refusal(
                    "hot_spot",
                    Message(
                        "plan.too_hot",
                        {
                            "transformer": str(fleet.names[unit]),
                            "reached_c": reached_c,
                            "quantile": name,
                            "at": fleet.times[hour].tz_convert(fleet.tz),
                            "limit_c": limit_c,
                            "over_k": reached_c - limit_c,
                        },
                    ),
                    str(fleet.names[unit]),
                )


def lifted_k(
    before: Unit, hot_spot_c: Floats, hot_spot_c_p90: Floats, limits: Limits
) -> Iterator[tuple[str, float, Floats]]:
    """How far hot spots [T] lie above their limit and above what they were: quantile, limit, lift [K]."""
    for name, limit_c, earlier, later in (
        ("p50", limits.planned_hot_spot_c, before.hot_spot_c, hot_spot_c),
        ("p90", limits.high_hot_spot_p90_c, before.hot_spot_c_p90, hot_spot_c_p90),
    ):
        yield name, limit_c, np.nan_to_num(later - np.maximum(earlier, limit_c), nan=-np.inf)
