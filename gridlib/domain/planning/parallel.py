"""May a tie close before its device opens? Two transformers in parallel for a moment, and nobody is off."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from gridlib.domain.flow.proof import without_state
from gridlib.domain.planning.ac import AcFleet, loop_state
from gridlib.domain.planning.fault_level import FaultModel
from gridlib.domain.planning.reserve import Reservation
from gridlib.facts.messages import Message
from gridlib.facts.types import Move


def closing_first(
    ac: AcFleet, moves: Sequence[Move], reserved: Reservation
) -> tuple[tuple[Move, ...], tuple[Message, ...]]:
    """Decide for each move whether its tie closes before its device opens.

    Parameters
    ----------
    ac : AcFleet
        The fleet.
    moves : sequence of Move
        Moves that hold when each opens first.
    reserved : Reservation
        What other open plans need.

    Returns
    -------
    moves : tuple of Move
        The same moves; those that may close first say so.
    notes : tuple of Message
        Why the others open first.
    """
    whys = why_open_first(ac, moves, reserved)
    ordered = tuple(replace(move, closes_first=not why) for move, why in zip(moves, whys, strict=True))
    notes = (
        Message("plan.opens_first", {"switch": move.open_switch, "why": why})
        for move, why in zip(moves, whys, strict=True)
        if why
    )
    return ordered, tuple(notes)


def why_open_first(ac: AcFleet, moves: Sequence[Move], reserved: Reservation) -> tuple[Message | None, ...]:
    """Say of each move what forbids its tie to close first; None where nothing does.

    Notes
    -----
    A tie closes first only where its phase rotation and its phase displacement are confirmed (the site says
    ``may_parallel``), both transformers hang on one busbar of one substation by lines that are modelled, taps
    are known, the closed loop keeps every element within its limits in every hour of the horizon (so that it
    may be done in any, there and back), both devices may break what they carry in it, and the largest fault
    current in parallel is within what they may make. Feeders whose fault level is not known are taken for
    infinitely strong.
    """
    found: list[Message | None] = []
    changes: dict[str, bool] = {}
    for move in moves:
        found.append(_why_open_first(ac, moves, changes, move, reserved))
        changes = {**changes, move.open_switch: False, move.close_switch: True}
    return tuple(found)


def _why_open_first(
    ac: AcFleet, moves: Sequence[Move], changes: Mapping[str, bool], move: Move, reserved: Reservation
) -> Message | None:
    """Say what forbids the loop; None where nothing does."""
    devices = [ac.fleet.devices[name] for name in (move.close_switch, move.open_switch)]
    # On the way back the tie is what opens.
    tie = next((device for device in devices if device.kind == "tie"), devices[0])
    if not tie.may_parallel:
        return Message("parallel.not_allowed", {"switch": tie.switch_id})
    if not tie.phase_rotation:
        return Message("plan.phase_rotation", {"switch": tie.switch_id})
    units = [ac.fleet.position(name) for name in (move.from_transformer, move.to_transformer)]
    for unit in units:
        name = str(ac.fleet.names[unit])
        if unit in ac.model.lacking:
            return Message("parallel.plate", {"columns": ac.model.lacking[unit], "transformer": name})
        if ac.model.tap_unknown[unit]:
            return Message("parallel.tap", {"transformer": name})
    state = loop_state(ac, changes, move)
    proof = ac.prove(moves, [state], reserved)
    if proof.reasons:
        return without_state(proof.reasons[0])
    return _too_much_fault(ac, moves, state.changes, move)


def _too_much_fault(
    ac: AcFleet, moves: Sequence[Move], changes: Mapping[str, bool], move: Move
) -> Message | None:
    """Hold the largest fault current in parallel against what both devices may make."""
    fault = FaultModel(ac, moves)
    for name in (move.open_switch, move.close_switch):
        device = ac.fleet.devices[name]
        fault_ka = fault.largest_ka(changes, device)
        if not fault_ka <= device.fault_make_ka:
            return Message(
                "parallel.fault", {"switch": name, "fault_ka": fault_ka, "rated_ka": device.fault_make_ka}
            )
    return None
