"""Headroom, sections and switches that open plans need, set aside so that nobody spends them twice."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from gridlib.domain.planning.fleet import SPREAD, Fleet, Floats
from gridlib.facts.types import Move, PlanningRules


@dataclass(frozen=True)
class Reservation:
    """Headroom promised to plans that are still open.

    ``moves`` are theirs; ``up_kva`` and ``down_kva`` [Q, T] by transformer: what they may add towards import
    and export. Relief that another plan would bring is not counted on.
    """

    moves: tuple[Move, ...]

    up_kva: dict[int, Floats]
    down_kva: dict[int, Floats]
    landing_kva: dict[int, Floats]
    sections: frozenset[str]
    switches: frozenset[str]

    def load_kva(self, fleet: Fleet, unit: int) -> tuple[Floats, Floats]:
        """Largest and smallest load [Q, T] of a transformer with what is promised."""
        load = fleet.load_kva[:, :, unit]
        return load + self.up_kva.get(unit, 0.0), load + self.down_kva.get(unit, 0.0)


def reserve(fleet: Fleet, moves: Sequence[Move]) -> Reservation:
    """Set aside what open plans need.

    Parameters
    ----------
    fleet : Fleet
        The fleet.
    moves : sequence of Move
        Moves of open plans; the load of one that is carried out already is where it belongs.

    Returns
    -------
    Reservation
        Their headroom, sections and switches.
    """
    waiting = waiting_moves(fleet, moves)
    up: dict[int, Floats] = {}
    down: dict[int, Floats] = {}
    landing: dict[int, Floats] = {}
    for move in waiting:
        for unit, change in fleet.deltas([move]).items():
            up[unit] = up.get(unit, 0.0) + np.maximum(change, 0)
            down[unit] = down.get(unit, 0.0) + np.minimum(change, 0)
        node = landing_of(fleet, move)
        load, spread = fleet.moved_kva([fleet.position(name) for name in move.sections])
        landing[node] = landing.get(node, 0.0) + load + SPREAD * spread
    return Reservation(
        tuple(moves),
        up,
        down,
        landing,
        frozenset(name for move in moves for name in move.sections),
        frozenset(name for move in moves for name in (move.open_switch, move.close_switch)),
    )


def keep_back(
    fleet: Fleet, reserved: Reservation, fits_pu: Mapping[int, float], rules: PlanningRules
) -> Reservation:
    """Set aside, on some transformers, all of their limit but a share, on top of what others need."""
    up, down = dict(reserved.up_kva), dict(reserved.down_kva)
    for unit, share in fits_pu.items():
        kept_kva = (1 - share) * fleet.limit_kva[:, unit] / (1 + rules.derating_pct / 100)
        up[unit] = up.get(unit, 0.0) + np.broadcast_to(kept_kva, fleet.load_kva.shape[:2])
        down[unit] = down.get(unit, 0.0) - np.broadcast_to(kept_kva, fleet.load_kva.shape[:2])
    return replace(reserved, up_kva=up, down_kva=down)


def waiting_moves(fleet: Fleet, moves: Sequence[Move]) -> list[Move]:
    """List the moves that can be, and have not been, carried out."""
    return [move for move in moves if _is_waiting(fleet, move)]


def landing_of(fleet: Fleet, move: Move) -> int:
    """Node of the receiver at which a move's sections arrive; -1 where the tie does not lead there."""
    tie = fleet.devices.get(move.close_switch)
    if tie is None:
        return -1
    ends = [end for end in (tie.start, tie.end) if end >= 0 and fleet.names[end] not in move.sections]
    return ends[0] if len(ends) == 1 else -1


def _is_waiting(fleet: Fleet, move: Move) -> bool:
    opening, closing = fleet.devices.get(move.open_switch), fleet.devices.get(move.close_switch)
    known = all(
        fleet.position(name) >= 0 for name in (*move.sections, move.from_transformer, move.to_transformer)
    )
    done = opening is not None and closing is not None and not opening.is_closed and closing.is_closed
    return known and not done and landing_of(fleet, move) >= 0
