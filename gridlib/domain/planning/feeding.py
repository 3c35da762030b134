"""Who feeds whom around a few transformers, switch by switch; and orders in which switches may change."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from gridlib.domain.planning.fleet import Fleet
from gridlib.domain.planning.switchgear import Device
from gridlib.facts.types import Move

MOST_ORDERS = 12
"""Orders of one plan that are looked at before it counts as not to be switched step by step."""


@dataclass(frozen=True)
class Feeding:
    """The trees of some transformers: next node towards the transformer, and the switch in between."""

    fleet: Fleet
    parents: dict[int, tuple[int, str]]

    @cached_property
    def children(self) -> dict[int, list[int]]:
        """Nodes next to each node, away from the transformer."""
        below: dict[int, list[int]] = defaultdict(list)
        for node, (parent, _) in self.parents.items():
            below[parent].append(node)
        return below

    def root(self, node: int) -> int:
        """Find the transformer that feeds a node."""
        while node in self.parents:
            node = self.parents[node][0]
        return node

    def below(self, node: int) -> list[int]:
        """List a node and everything it feeds."""
        found = [node]
        for reached in found:
            found += self.children.get(reached, ())
        return found

    def way_up(self, node: int) -> Iterator[str]:
        """Name the switches between a node and its transformer."""
        while node in self.parents:
            node, switch = self.parents[node]
            yield switch

    def head(self, opening: Device) -> int:
        """Node below a closed switch; -1 where it feeds nothing here."""
        for node in (opening.start, opening.end):
            if self.parents.get(node, (-1, ""))[1] == opening.switch_id:
                return node
        return -1

    def changed(self, opening: Device, closing: Device) -> "tuple[Feeding, list[int]] | None":
        """Open one switch and close another: the trees after it, and the nodes that were off in between.

        None where that would leave a ring or a section without supply.
        """
        head = self.head(opening)
        if head < 0:
            return None
        cut = self.below(head)
        inside = [end in cut for end in (closing.start, closing.end)]
        if inside[0] == inside[1] or closing.is_closed:
            return None
        near, far = (closing.start, closing.end) if inside[0] else (closing.end, closing.start)
        if far >= self.fleet.tree.transformers and far not in self.parents:
            return None
        parents = dict(self.parents)
        node, above = near, (far, closing.switch_id)
        while True:  # the way from the tie to the opened switch now feeds backwards
            earlier = parents[node]
            parents[node] = above
            if node == head:
                return Feeding(self.fleet, parents), cut
            above = (node, earlier[1])
            node = earlier[0]

    def after(self, move: Move) -> "Feeding | None":
        """Carry out a move; None where it would leave a ring or a section without supply."""
        found = self.changed(self.fleet.devices[move.open_switch], self.fleet.devices[move.close_switch])
        return None if found is None else found[0]


def present_feeding(fleet: Fleet, units: Iterable[int]) -> Feeding:
    """Write down the present trees of some transformers."""
    sections = [section for unit in units for section in fleet.members.get(unit, ())]
    tree = fleet.tree
    return Feeding(fleet, {s: (int(tree.parent[s]), str(tree.parent_switch[s])) for s in sections})


def moves_feeding(fleet: Fleet, moves: Sequence[Move]) -> Feeding:
    """Write down the present trees of the transformers that moves touch."""
    names = [name for move in moves for name in (move.from_transformer, move.to_transformer)]
    return present_feeding(fleet, dict.fromkeys(fleet.position(name) for name in names))


def orders(fleet: Fleet, opens: Sequence[Device], closes: Sequence[Device]) -> Iterator[tuple[Move, ...]]:
    """Put switches that change into moves one after the other, in every order that works.

    Parameters
    ----------
    fleet : Fleet
        The fleet.
    opens, closes : sequence of Device
        Closed switches that open, open switches that close; as many of the one as of the other.

    Yields
    ------
    tuple of Move
        After each move every section is fed by one way; each section changes its transformer once.
    """
    ends = {end for device in (*opens, *closes) for end in (device.start, device.end)}
    units = {int(fleet.tree.source[end]) for end in ends}
    yield from _continued(present_feeding(fleet, units), tuple(opens), tuple(closes), (), frozenset())


def _continued(
    feeding: Feeding,
    opens: tuple[Device, ...],
    closes: tuple[Device, ...],
    done: tuple[Move, ...],
    moved: frozenset[int],
) -> Iterator[tuple[Move, ...]]:
    if not opens:
        yield done
        return
    names = feeding.fleet.names
    for closing in closes:
        for opening in opens:
            found = feeding.changed(opening, closing)
            if found is None or not moved.isdisjoint(found[1]):
                continue
            after, cut = found
            donor, receiver = feeding.root(cut[0]), after.root(cut[0])
            if donor == receiver:
                continue
            move = Move(
                open_switch=opening.switch_id,
                close_switch=closing.switch_id,
                sections=tuple(str(names[node]) for node in cut),
                from_transformer=str(names[donor]),
                to_transformer=str(names[receiver]),
            )
            yield from _continued(
                after,
                tuple(device for device in opens if device is not opening),
                tuple(device for device in closes if device is not closing),
                (*done, move),
                moved | frozenset(cut),
            )
