"""Short-circuit currents around moves, and the devices that close onto them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

import numpy as np

from gridlib.domain.flow.fault import largest_fault_ka, smallest_fault_ka
from gridlib.domain.flow.model import high_side
from gridlib.domain.flow.territory import Territory
from gridlib.domain.planning.ac import AcFleet
from gridlib.domain.planning.devices import Refusal
from gridlib.domain.planning.feeding import Feeding, moves_feeding
from gridlib.domain.planning.fleet import Fleet, Floats
from gridlib.domain.planning.reserve import landing_of
from gridlib.domain.planning.switchgear import Device
from gridlib.facts.messages import Message, listed, once_each
from gridlib.facts.types import Move

LARGEST, SMALLEST = "fault_level_max_mva", "fault_level_min_mva"
"""Columns of the feeders: three-phase fault level at their head."""


@dataclass
class Findings:
    """What a check finds: what refuses, what holds in words, and what is not known."""

    refusals: list[Refusal] = field(default_factory=list)
    words: list[Message] = field(default_factory=list)
    unknown: list[Message] = field(default_factory=list)


class Stage(NamedTuple):
    """The network around one move: changes of switches and trees, before and after it."""

    move: Move
    changes_before: Mapping[str, bool]
    changes_after: Mapping[str, bool]
    before: Feeding
    after: Feeding

    @property
    def in_parallel(self) -> Mapping[str, bool]:
        """Changes of switches while the tie and the device of the move are both closed."""
        return {**self.changes_before, self.move.close_switch: True}


def stages(fleet: Fleet, moves: Sequence[Move]) -> Iterator[Stage]:
    """Walk through moves that fit the network."""
    changes: dict[str, bool] = {}
    feeding = moves_feeding(fleet, moves)
    for move in moves:
        after = feeding.after(move)
        if after is None:
            return
        changed = {**changes, move.open_switch: False, move.close_switch: True}
        yield Stage(move, changes, changed, feeding, after)
        changes, feeding = changed, after


class FaultModel:
    """Short-circuit currents around the transformers that moves touch; their plates must be known."""

    def __init__(self, ac: AcFleet, moves: Sequence[Move]) -> None:
        """Cut out what the moves touch, with its ways to the substation."""
        self.ac, self.fleet = ac, ac.fleet
        self.units = ac.units(moves)

    @cached_property
    def territory(self) -> Territory:
        """What is cut out; a closed switch without a line counts as its contacts."""
        return self.ac.territory(self.units)

    def largest_ka(self, changes: Mapping[str, bool], device: Device) -> float:
        """Largest three-phase current of a fault at a device, whichever of its sides [kA]."""
        ends = [str(self.fleet.names[end]) for end in (device.start, device.end)]
        grid = self.territory.in_state(changes)
        return float(np.nanmax(largest_fault_ka(grid, ends, self._sources_mva(LARGEST))))

    def smallest_ka(self, changes: Mapping[str, bool], sections: Sequence[str]) -> Floats:
        """Smallest current of faults at the far ends of sections, one phase to neutral [kA]."""
        return smallest_fault_ka(self.territory.in_state(changes), sections, self._sources_mva(SMALLEST))

    def lacking(self, feeding: Feeding, node: int, column: str) -> list[Message]:
        """Name what is not known of the way from the substation to a node, and of the fault level there."""
        model, unit = self.ac.model, feeding.root(node)
        bare = [name for name in feeding.way_up(node) if model.bare[model.line[name]]]
        found = []
        if bare[1:]:
            found.append(Message("guard.lines_bare", {"switch": bare[0], "count": len(bare) - 1}))
        elif bare:
            found.append(Message("guard.line_bare", {"switch": bare[0]}))
        name = str(self.fleet.names[unit])
        if self._source_of(unit) == high_side(name):
            found.append(Message("guard.medium_lines", {"transformer": name}))
        if np.isnan(self._level_mva(unit, column)):
            feeder = str(self.fleet.units["feeder_id"].iloc[unit])
            found.append(Message("guard.value", {"column": column, "name": feeder}))
        return found

    def _source_of(self, unit: int) -> str:
        """Name the source above a touched transformer: a busbar of its substation, or its own terminals."""
        model, tree = self.ac.model, self.ac.model.tree_of(unit)
        if tree in {way.tree for way in self.territory.ways}:
            return str(model.grid.names[model.root[tree]])
        return high_side(str(self.fleet.names[unit]))

    def _level_mva(self, unit: int, column: str) -> float:
        feeders = self.fleet.network.feeders.drop_duplicates("feeder_id").set_index("feeder_id")
        feeder = self.fleet.units["feeder_id"].iloc[unit]
        return float(feeders[column].get(feeder, np.nan)) if column in feeders else np.nan

    def _sources_mva(self, column: str) -> list[float]:
        """Fault level of each source [MVA]; of feeders that disagree the safe one, NaN where not known."""
        found: dict[str, list[float]] = {}
        for unit in self.units:
            found.setdefault(self._source_of(unit), []).append(self._level_mva(unit, column))
        safe = max if column == LARGEST else min
        grid = self.territory.grid
        levels = (found.get(str(name), [np.nan]) for name in grid.names[grid.source])
        return [np.nan if np.isnan(each).any() else safe(each) for each in levels]


def check_fault_make(fault: FaultModel, stage: Stage, found: Findings) -> None:
    """Compare what the devices of a move may close onto with their fault-make ratings.

    Notes
    -----
    The tie closes onto the receiver, the opened device, in the rollback, onto the donor; where the tie closes
    first both close onto the two transformers in parallel. Where a line's impedance or the feeder's fault
    level is not known the current is an upper bound: it can show that a rating suffices, not that it does
    not.
    """
    fleet, move = fault.fleet, stage.move
    opened = fleet.devices[move.open_switch]
    head = stage.before.head(opened)
    receiver = (stage.after, landing_of(fleet, move))
    donor = (stage.before, opened.end if head == opened.start else opened.start)
    for name, changes, side in (
        (move.close_switch, stage.changes_after, receiver),
        (move.open_switch, stage.changes_before, donor),
    ):
        device = fleet.devices[name]
        sides = (receiver, donor) if move.closes_first else (side,)
        here_ka = fault.largest_ka(stage.in_parallel if move.closes_first else changes, device)
        lacking = [what for where in sides for what in fault.lacking(*where, LARGEST)]
        what = Message(
            "guard.closes_onto_at_most" if lacking else "guard.closes_onto",
            {"switch": name, "fault_ka": here_ka, "rated_ka": device.fault_make_ka},
        )
        if here_ka <= device.fault_make_ka:
            found.words.append(what)
        elif lacking:
            missing = listed(once_each(lacking))
            found.unknown.append(Message("guard.not_known", {"what": what, "missing": missing}))
        else:
            over = {"what": what, "over_ka": here_ka - device.fault_make_ka}
            found.refusals.append(Refusal("fault_make", Message("guard.fault_make", over), name))
