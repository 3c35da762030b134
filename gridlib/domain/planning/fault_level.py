"""Short-circuit currents around moves, and the devices that close onto them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import pandas as pd

from gridlib.domain.flow import FlowGrid, largest_fault_ka
from gridlib.domain.flow.model import high_side, model_around
from gridlib.domain.network import apply_moves, closed_switches, feeding_tree
from gridlib.domain.planning.devices import Refusal
from gridlib.domain.planning.feeding import Feeding, moves_feeding
from gridlib.domain.planning.fleet import Fleet
from gridlib.domain.planning.reserve import landing_of
from gridlib.facts.types import Move


@dataclass
class Findings:
    """What a check finds: what refuses, what holds in words, and what is not known."""

    refusals: list[Refusal] = field(default_factory=list)
    words: list[str] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)


class Stage(NamedTuple):
    """The network around one move: closed switches and trees before and after it."""

    move: Move
    closed_before: frozenset[str]
    closed_after: frozenset[str]
    before: Feeding
    after: Feeding


def stages(fleet: Fleet, moves: Sequence[Move]) -> Iterator[Stage]:
    """Walk through moves that fit the network."""
    closed, feeding = closed_switches(fleet.states), moves_feeding(fleet, moves)
    for move in moves:
        after = feeding.after(move)
        if after is None:
            return
        closed_after = apply_moves(closed, [move])
        yield Stage(move, closed, closed_after, feeding, after)
        closed, feeding = closed_after, after


@dataclass(frozen=True)
class FaultModel:
    """The touched transformers as an electrical network, each fed at its upper terminals by its feeder.

    Attributes
    ----------
    fleet : Fleet
        The fleet.
    grid : FlowGrid or None
        None where a transformer lacks its impedance.
    switches : frozenset of str
        Switches that are in it.
    missing : tuple of str
        What a transformer lacks.
    """

    fleet: Fleet
    grid: FlowGrid | None
    switches: frozenset[str]
    missing: tuple[str, ...]

    @classmethod
    def around(cls, fleet: Fleet, moves: Sequence[Move], lv_kv: float) -> "FaultModel":
        """Cut out the transformers that moves touch, with all that they feed."""
        names = sorted({name for move in moves for name in (move.from_transformer, move.to_transformer)})
        network = fleet.around({fleet.position(name) for name in names})
        tree = feeding_tree(network, closed_switches(fleet.states))
        n = tree.transformers
        fed = np.isin(tree.source[n:], tree.nodes.get_indexer(pd.Index(names)))
        sections = tree.nodes[n:][fed].tolist()
        model = model_around(network, tree, names, sections, lv_kv=lv_kv, source_pu=1.0, feeders=False)
        return cls(fleet, model.grid, model.switches, model.missing)

    def in_state(self, closed: frozenset[str]) -> FlowGrid:
        """Set the switches; only where there is a grid."""
        assert self.grid is not None
        return self.grid.switched(closed, self.switches)

    def level_mva(self, column: str) -> list[float]:
        """List the fault level of each source [MVA], in the order of the grid; NaN where it is not known."""
        assert self.grid is not None
        feeders = self.fleet.network.feeders.drop_duplicates("feeder_id").set_index("feeder_id")
        if column not in feeders:
            return [np.nan] * len(self.grid.source)
        feeder_at = {high_side(str(name)): feeder for name, feeder in self.fleet.units["feeder_id"].items()}
        feeder_ids = [feeder_at[str(name)] for name in self.grid.names[self.grid.source]]
        return [float(value) for value in feeders[column].astype(float).reindex(feeder_ids)]

    def lacking(self, feeding: Feeding, node: int, column: str) -> list[str]:
        """Name what is not known of the way from a source to a node: impedances, and the source's level."""
        assert self.grid is not None
        lines = set(self.grid.lines.names)
        bare = [name for name in feeding.way_up(node) if name not in lines]
        more = f" and of {len(bare) - 1} more on the way" if bare[1:] else ""
        found = [f"impedance of the line behind {bare[0]}{more}"] if bare else []
        unit = str(self.fleet.names[feeding.root(node)])
        source = self.grid.names[self.grid.source].tolist().index(high_side(unit))
        if np.isnan(self.level_mva(column)[source]):
            found.append(f"{column} of {self.fleet.units['feeder_id'][unit]}")
        return found


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
    landing = landing_of(fleet, move)
    opened = fleet.devices[move.open_switch]
    head = stage.before.head(opened)
    stem = opened.end if head == opened.start else opened.start
    receiver, donor = (stage.after, landing), (stage.before, stem)
    parallel = stage.closed_before | {move.close_switch}
    both = (receiver, donor)
    for name, closed, ways in (
        (move.close_switch, stage.closed_after, (receiver,)),
        (move.open_switch, stage.closed_before, (donor,)),
    ):
        device = fleet.devices[name]
        state, sides = (parallel, both) if move.closes_first else (closed, ways)
        ends = [str(fleet.names[end]) for end in (device.start, device.end)]
        currents_ka = largest_fault_ka(fault.in_state(state), ends, fault.level_mva("fault_level_max_mva"))
        here_ka = float(np.nanmax(currents_ka))
        lacking = [what for side in sides for what in fault.lacking(*side, "fault_level_max_mva")]
        what = (
            f"{name} may close onto {'at most ' if lacking else ''}{here_ka:.1f} kA, "
            f"rated {device.fault_make_ka:g} kA"
        )
        if here_ka <= device.fault_make_ka:
            found.words.append(what)
        elif lacking:
            found.unknown.append(f"{what}; not known: {', '.join(dict.fromkeys(lacking))}")
        else:
            over_ka = here_ka - device.fault_make_ka
            found.refusals.append(Refusal("fault_make", f"{what}: {over_ka:.1f} kA too much", name))
