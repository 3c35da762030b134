"""What refuses a transfer before any load is looked at: positions, devices, other plans, and the tree."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import pandas as pd

from gridlib.domain.planning.feeding import Feeding, moves_feeding
from gridlib.domain.planning.fleet import Fleet
from gridlib.domain.planning.reserve import Reservation, landing_of
from gridlib.domain.planning.switchgear import Device
from gridlib.facts.messages import Message, listed, word
from gridlib.facts.types import Move


class Refusal(NamedTuple):
    """Why a transfer is not allowed: short name, what to say with the binding limit, and whose limit it is.

    ``move`` is the one at fault where the limit is not that of one transformer or switch. ``fits_pu`` names
    transformers that are loaded a little higher than adding up tells, with the share of their limit up to
    which loads may be added up.
    """

    code: str
    reason: Message
    element: str = ""
    move: Move | None = None
    fits_pu: tuple[tuple[str, float], ...] = ()


def misfits(fleet: Fleet, moves: Sequence[Move]) -> Iterator[Refusal]:
    """Find moves that do not fit what the network looks like now, or what the moves before leave."""
    if not moves:
        yield Refusal("no_moves", Message("plan.no_moves", {}))
    feeding: Feeding | None = moves_feeding(fleet, moves)
    for move in moves:
        opening, closing = fleet.devices.get(move.open_switch), fleet.devices.get(move.close_switch)
        if opening is None or closing is None:
            missing = move.open_switch if opening is None else move.close_switch
            yield Refusal(
                "unknown_switch",
                Message("plan.no_such_switch", {"switch": missing})
                if missing
                else Message("plan.switch_missing", {}),
            )
            feeding = None
            continue
        if not opening.is_closed:
            yield Refusal("state_changed", Message("plan.open_already", {"switch": move.open_switch}))
        if closing.is_closed:
            yield Refusal("state_changed", Message("plan.closed_already", {"switch": move.close_switch}))
        if feeding is None or not opening.is_closed or closing.is_closed:
            feeding = None
            continue
        donor, receiver = fleet.position(move.from_transformer), fleet.position(move.to_transformer)
        found = feeding.changed(opening, closing)
        cut = found[1] if found else []
        moved = {str(fleet.names[node]) for node in cut}
        if (
            found is None
            or moved != set(move.sections)
            or feeding.root(cut[0]) != donor
            or found[0].root(cut[0]) != receiver
            or donor == receiver
        ):
            yield Refusal(
                "topology_changed",
                Message(
                    "plan.moves_else",
                    {
                        "opened": move.open_switch,
                        "closed": move.close_switch,
                        "sections": ", ".join(move.sections),
                        "away": move.from_transformer,
                        "to": move.to_transformer,
                    },
                ),
            )
        feeding = found[0] if found else None
    for names, what in (
        ([name for move in moves for name in move.sections], "section"),
        ([name for move in moves for name in (move.open_switch, move.close_switch)], "switch"),
    ):
        for name in sorted({name for name in names if names.count(name) > 1}):
            yield Refusal("topology_changed", Message(f"plan.{what}_twice", {"name": name}))


def conflicts(fleet: Fleet, moves: Sequence[Move], reserved: Reservation) -> Iterator[Refusal]:
    """Find switches and sections that another open plan needs where they are."""
    for move in moves:
        names = {move.open_switch, move.close_switch} & reserved.switches
        names |= set(move.sections) & reserved.sections
        names |= {str(fleet.names[landing_of(fleet, move)])} & reserved.sections
        names |= {str(fleet.names[node]) for node in reserved.landing_kva} & set(move.sections)
        if names:
            yield Refusal("reserved", Message("plan.reserved", {"names": ", ".join(sorted(names))}))


def blocked(fleet: Fleet, moves: Sequence[Move]) -> Iterator[Refusal]:
    """Find devices that may not be operated, or not on load, and ties whose phases were never compared."""
    for move, device in _used(fleet, moves):
        if device.health in ("FAULT", "MAINTENANCE"):
            yield Refusal(
                f"switch_{device.health.lower()}",
                Message(
                    "plan.ill",
                    {"switch": device.switch_id, "health": word("switch.health", device.health)},
                ),
                device.switch_id,
            )
        if device.tags:
            tags = listed([word("switch.tag", tag) for tag in device.tags.split()])
            reason = Message("plan.tagged", {"switch": device.switch_id, "tags": tags})
            yield Refusal("tagged", reason, device.switch_id)
        if not device.is_closed and device.switch_id not in {m.close_switch for m in moves}:
            reason = Message("plan.path_open", {"switch": device.switch_id})
            yield Refusal("state_changed", reason, device.switch_id)
        if device.switch_id != move.close_switch:
            continue
        opening = fleet.devices[move.open_switch]
        if device.kind == "tie" and not device.phase_rotation:
            yield Refusal(
                "phase_rotation_unconfirmed",
                Message("plan.phase_rotation", {"switch": device.switch_id}),
                device.switch_id,
            )
        for used, column, value in (
            (opening, "load_break_a", opening.load_break_a),
            (opening, "fault_make_ka", opening.fault_make_ka),
            (device, "load_break_a", device.load_break_a),
            (device, "fault_make_ka", device.fault_make_ka),
        ):
            if not value > 0:
                yield Refusal(
                    "capability_unknown",
                    Message("plan.capability_unknown", {"column": column, "switch": used.switch_id}),
                    used.switch_id,
                )


def _used(fleet: Fleet, moves: Sequence[Move]) -> Iterator[tuple[Move, Device]]:
    """List the devices of each move, then those that would carry the moved load, then the feeder heads."""
    feeding = moves_feeding(fleet, moves)
    for move in moves:
        after = feeding.after(move)
        names = [move.close_switch, move.open_switch]
        if after is not None:
            names += [name for name in after.way_up(landing_of(fleet, move)) if name != move.open_switch]
            moved = [fleet.position(name) for name in move.sections]
            names += [after.parents[node][1] for node in moved if after.parents[node][1] not in names]
            feeding = after
        for name in names:
            yield move, fleet.devices[name]
        for head in _feeder_heads(fleet, move):
            yield move, head


def _path(fleet: Fleet, move: Move) -> list[Device]:
    """List closed devices that would carry the moved load: landing to breaker, and between sections."""
    names = []
    node = landing_of(fleet, move)
    while node >= fleet.tree.transformers:
        names.append(fleet.tree.parent_switch[node])
        node = int(fleet.tree.parent[node])
    moved = [fleet.position(name) for name in move.sections]
    names += [fleet.tree.parent_switch[section] for section in moved if section >= 0]
    return [fleet.devices[name] for name in names if name and name != move.open_switch]


def _feeder_heads(fleet: Fleet, move: Move) -> list[Device]:
    """List the breakers of the receiver's feeder; each of them counts for all transformers of the feeder."""
    receiver = fleet.position(move.to_transformer)
    return fleet.feeder_devices.get(str(fleet.units["feeder_id"].iloc[receiver]), [])


def unconfirmed(fleet: Fleet, moves: Sequence[Move], oldest: pd.Timestamp) -> Iterator[tuple[str, Message]]:
    """Find switches of a transfer whose position nobody confirmed since ``oldest``: name, and why.

    The moves' own switches first, then the way from the donor's breaker to them and on to the receiver's.
    """
    known = [move for move in moves if {move.open_switch, move.close_switch} <= fleet.devices.keys()]
    found = [fleet.devices[name] for move in known for name in (move.open_switch, move.close_switch)]
    found += [device for move in known for device in (*_way_to(fleet, move), *_path(fleet, move))]
    for device in dict.fromkeys(found):
        if device.source == "assumed" or pd.isna(device.time):
            yield device.switch_id, Message("unchecked.assumed", {})
        elif device.time < oldest:
            yield device.switch_id, Message("unchecked.confirmed", {"day": f"{device.time:%Y-%m-%d}"})


def _way_to(fleet: Fleet, move: Move) -> list[Device]:
    """List closed devices between the donor and the device that is opened."""
    opening = fleet.devices[move.open_switch]
    heads = [node for node in (opening.start, opening.end) if node >= 0]
    names = []
    for node in heads:
        while node >= fleet.tree.transformers:
            names.append(fleet.tree.parent_switch[node])
            node = int(fleet.tree.parent[node])
    return [fleet.devices[name] for name in names if name]
