"""What lies above the transformers by additive kVA: feeder heads and substations against their limits."""

from collections import defaultdict
from collections.abc import Iterator, Sequence

import numpy as np

from gridlib.domain.planning.devices import Refusal
from gridlib.domain.planning.fleet import CHECKED, SPREAD, Fleet, Floats, Place
from gridlib.domain.planning.hours import over_carried, when
from gridlib.domain.planning.reserve import Reservation
from gridlib.facts.messages import Message
from gridlib.facts.types import Move, PlanningRules

_TOLERANCE_KVA = 1e-6


def places_crossed(fleet: Fleet, moves: Sequence[Move]) -> dict[Place, Floats]:
    """Change of load [Q, T] of feeders and substations; of those within which a section stays there is none.

    The +- range of the sections counts against each, as at the transformers.
    """
    changed: dict[Place, Floats] = defaultdict(lambda: np.zeros(fleet.load_kva.shape[:2]))
    for move in moves:
        donor, receiver = (fleet.position(name) for name in (move.from_transformer, move.to_transformer))
        if min(donor, receiver) < 0:
            continue
        load, spread = fleet.moved_kva([fleet.position(name) for name in move.sections])
        for left, reached in zip(fleet.places[donor], fleet.places[receiver], strict=True):
            if left != reached:
                changed[left] = changed[left] - load + SPREAD * spread
                changed[reached] = changed[reached] + load + SPREAD * spread
    return dict(changed)


def above_limits(
    fleet: Fleet, moves: Sequence[Move], reserved: Reservation, rules: PlanningRules
) -> Iterator[Refusal]:
    """Find feeder heads and substations that would be loaded past their limit, and further than now.

    Those without a limit, or with a transformer whose load is not known, are not looked at.
    """
    factor = 1 + rules.derating_pct / 100
    for place, change in places_crossed(fleet, moves).items():
        capacity_kva = fleet.above_kva.get(place, np.nan)
        units = fleet.units_below[place]
        loads = [reserved.load_kva(fleet, unit) for unit in units]
        most, least = (np.sum([pair[side] for pair in loads], axis=0) for side in (0, 1))
        if not (np.isfinite(capacity_kva) and np.isfinite(most).all() and np.isfinite(least).all()):
            continue
        before = factor * np.stack([most, -least])[:, CHECKED]
        after = before + factor * np.stack([change, -change])[:, CHECKED]
        growth = after - np.maximum(capacity_kva, before)
        if growth.max() > _TOLERANCE_KVA:
            way, quantile, hour = np.unravel_index(int(growth.argmax()), growth.shape)
            at = when(fleet, int(quantile), int(hour), rules, export=bool(way))
            name = Message(f"place.{place.kind}", {"name": place.name})
            yield Refusal(
                f"{place.kind}_limit",
                over_carried(name, after[way, quantile, hour], at, capacity_kva),
                move=moves[-1],
            )


def unchecked_above(fleet: Fleet, moves: Sequence[Move]) -> tuple[Message, ...]:
    """Name what lies above, changes its load or is not known, and has no known limit or load."""
    known = {*fleet.network.feeders["feeder_id"], *fleet.network.substations["substation_id"]}
    kinds: dict[str, bool] = {"feeder": True, "substation": True}
    for move in moves:
        donor, receiver = (fleet.position(name) for name in (move.from_transformer, move.to_transformer))
        if min(donor, receiver) < 0:
            continue
        for left, reached in zip(fleet.places[donor], fleet.places[receiver], strict=True):
            if left == reached and left.name in known:
                continue
            kinds[left.kind] &= all(
                place in fleet.above_kva and np.isfinite(fleet.load_kva[:, :, fleet.units_below[place]]).all()
                for place in (left, reached)
            )
    return tuple(Message(f"unchecked.{kind}", {}) for kind, checked in kinds.items() if not checked)
