"""The lines of a switching sheet, in the order in which they are instructed."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pandas as pd

from gridlib.domain.instructions.transfer import Transfer, clock
from gridlib.facts.types import Network, Plan, Step, SwitchState
from gridlib.facts.units import LV_KV

VOLTAGE_BAND_PCT = 10
"""Supply voltage is to stay within this of nominal, EN 50160:2010, 4.2.2 [%]."""


def write_steps(
    plan: Plan,
    transfers: Sequence[Transfer],
    rollback: Sequence[Step],
    network: Network,
    *,
    hour: pd.Timestamp,
    tz: str,
) -> tuple[Step, ...]:
    """Write the steps S01, S02, ...: prepare, switch move by move, confirm."""
    feeders = ", ".join(_feeders(transfers, network)) or "the affected feeders"
    steps = [*_readings_before(transfers, hour, tz), *_path_checks(transfers, network)]
    steps += _control_room_before(transfers, feeders)
    for k, transfer in enumerate(transfers):
        # The way back of the last move comes first in the rollback.
        steps += _switching(transfer, rollback[2 * (len(transfers) - 1 - k) :])
    return _numbered([*steps, *_control_room_after(plan, transfers, feeders, tz)], "S")


def write_rollback(transfers: Sequence[Transfer]) -> tuple[Step, ...]:
    """Undo the switching: inverse steps in reverse order, R01, R02, ..."""
    return _numbered((step for t in reversed(transfers) for step in _switching_back(t)), "R")


def voltage_band() -> str:
    """Voltage that each phase is to keep, line to line."""
    span = LV_KV * 1000 * VOLTAGE_BAND_PCT / 100
    return f"{LV_KV * 1000 - span:.0f}-{LV_KV * 1000 + span:.0f} V"


def sides_of(transfer: Transfer) -> str:
    """Name donor and receiver of a move as the sheet does."""
    return f"{transfer.move.from_transformer} and {transfer.move.to_transformer}"


def changes_a(transfers: Sequence[Transfer], unit: str) -> tuple[float, float]:
    """Add up the current that a transformer takes over at most, and what leaves it for sure before that."""
    takes = [k for k, t in enumerate(transfers) if t.move.to_transformer == unit]
    earlier = [t for t in transfers[: takes[0]] if t.move.from_transformer == unit]
    return sum(transfers[k].high_a for k in takes), sum(t.low_a for t in earlier)


def _readings_before(transfers: Sequence[Transfer], hour: pd.Timestamp, tz: str) -> Iterator[Step]:
    for t in transfers:
        yield _step(
            "prepare",
            "READ",
            t.move.open_switch,
            _place(t.opening),
            f"Read the current of all three phases at {t.move.open_switch}.",
            f"{t.low_a:.0f}-{t.high_a:.0f} A on each phase at {clock(hour, tz)}",
            "Outside the range: do not switch; abort, and have the plan proved again with the reading.",
            write_down="current of each phase in A",
            # Rounded as printed: the person on site sees no other bounds.
            range_a=(float(round(t.low_a)), float(round(t.high_a))),
        )
    for sides, together in _by_sides(transfers).items():
        receiver, limit_a = together[0].move.to_transformer, together[0].receiver_limit_a
        added_a, leaving_a = changes_a(transfers, receiver)
        first = f" once {leaving_a:.0f} A have left it" if leaving_a else ""
        yield _step(
            "prepare",
            "READ",
            sides,
            f"low-voltage boards of {sides}",
            f"Read load and voltage of all three phases at {sides} and write them down.",
            f"{receiver} at most {limit_a - added_a + leaving_a:.0f} A, so that {added_a:.0f} A fit within "
            f"{limit_a:.0f} A{first}; {voltage_band()} on each phase",
            "Outside: do not switch; abort, and have the plan proved again with the readings.",
        )


def _path_checks(transfers: Sequence[Transfer], network: Network) -> Iterator[Step]:
    states = network.states
    reported = set(states.loc[states["source"] != "assumed", "switch_id"])
    for t in transfers:
        for switch, row, position in (
            (t.move.open_switch, t.opening, SwitchState.CLOSED),
            (t.move.close_switch, t.closing, SwitchState.OPEN),
        ):
            yield _step(
                "prepare",
                "IDENTIFY",
                switch,
                _place(row),
                f"Identify {switch} by its label and read its indication.",
                f"Label {switch}, indication {position}"
                + ("" if switch in reported else " (assumed, never reported: confirm on site)"),
                "Label or indication differs: do not switch; report the position found and abort.",
            )
    path = ", ".join(_units(transfers))
    yield _step(
        "prepare",
        "CHECK",
        "",
        f"path between the transformers {path}",
        "Check the log for permits, crews and tags on the path and at its transformers.",
        "No open permit, no crew, no tag",
        "Anything open: do not switch; abort until it is cleared.",
    )
    for t in transfers:
        confirmed = t.closing.get("phase_rotation_confirmed_on")
        dated = isinstance(confirmed, str) and bool(confirmed)
        yield _step(
            "prepare",
            "CONFIRM",
            t.move.close_switch,
            _place(t.closing),
            f"Confirm the record of the phase rotation at {t.move.close_switch}.",
            f"Confirmed on {confirmed}" if dated else "NO DATED RECORD: measure and record it",
            "No record, or work at the tie since: measure the rotation; do not switch without it.",
            hold_point=not dated,
            write_down="" if dated else "result of the measurement and name of who says go",
        )


def _control_room_before(transfers: Sequence[Transfer], feeders: str) -> Iterator[Step]:
    off = "; ".join(f"{t.sections}: {t.customers}" for t in transfers)
    yield _step(
        "prepare",
        "NOTIFY",
        "",
        "control room",
        "Name the critical customers (hospital, pumping, life support) and tell them of the interruption "
        f"({off}).",
        "Each one named, told and ready",
        "One cannot be told or cannot be off: do not switch; abort.",
    )
    yield _step(
        "prepare",
        "BLOCK",
        feeders,
        "control room",
        f"Switch auto-reclose off and handle sensitive earth fault on {feeders}.",
        "Auto-reclose OFF indicated",
        "It stays on: do not switch; abort.",
    )
    yield _step(
        "prepare",
        "SET MANUAL",
        feeders,
        "control room",
        f"Set the tap control of the substations that feed {feeders} to manual.",
        "MANUAL indicated",
        "It stays automatic: do not switch; restore auto-reclose and abort.",
    )
    yield _step(
        "prepare",
        "HOLD",
        "",
        "control room",
        "PROTECTION NOT CHECKED: a named protection engineer confirms reach and pick-up for the new feeding.",
        "Name of the protection engineer and time of the confirmation",
        "Not confirmed: do not switch; restore auto-reclose and tap control, and abort.",
        hold_point=True,
        write_down="name of the protection engineer",
    )


def _switching(t: Transfer, undo: Sequence[Step]) -> Iterator[Step]:
    """Open, tag, close, read: the four steps of one move; ``undo`` begins with the way back of this move."""
    opening, closing = t.move.open_switch, t.move.close_switch
    donor, receiver = t.move.from_transformer, t.move.to_transformer
    back = ", ".join(step.step_id for step in undo)
    earlier = f" and switch back by {', '.join(s.step_id for s in undo[2:])}" if undo[2:] else ""
    rated = _rating(t.opening["load_break_a"], "A load break")
    weak = not (float(t.opening["load_break_a"]) >= t.high_a)
    yield _step(
        "switch",
        "OPEN",
        opening,
        _place(t.opening),
        f"Open {opening}. From here until {closing} is closed, {t.customers} on {t.sections} are off."
        + (" NOT PROVEN FOR THIS LOAD: not to be operated on load." if weak else ""),
        f"Indication OPEN, no current at {opening}, {t.sections} without voltage "
        f"({rated}; p90 {t.high_a:.0f} A)",
        f"Will not open: leave {closing} open, nothing has changed; abort{earlier}. "
        f"Opened in part: make no second attempt, report, abort{earlier}.",
        state_after=SwitchState.OPEN,
        hold_point=weak,
        write_down="name of who says go" if weak else "",
    )
    yield _step(
        "switch",
        "TAG",
        opening,
        _place(t.opening),
        f"Hang a caution tag on {opening}: new normally-open point.",
        f"Caution tag on {opening}, entered in the log",
        f"No tag at hand: a person stays at {opening} until there is one; go on, customers are off.",
    )
    yield _step(
        "switch",
        "CLOSE",
        closing,
        _place(t.closing),
        f"Close {closing}. From here {receiver} feeds {t.sections}.",
        f"Indication CLOSED, {t.low_a:.0f}-{t.high_a:.0f} A at {closing} or somewhat more at first, voltage "
        f"on {t.sections} ({_rating(t.closing['fault_make_ka'], 'kA fault make')})",
        f"Will not close: make sure that it is open, take the tag off and close {opening} again at once "
        f"({undo[1].step_id}){earlier}. Trips: no second attempt and no supply to {t.sections} before a crew "
        "has walked along it; report.",
        state_after=SwitchState.CLOSED,
    )
    yield _step(
        "switch",
        "READ",
        sides_of(t),
        f"low-voltage boards of {sides_of(t)}",
        f"Read load and voltage of all three phases at {sides_of(t)} and compare with before.",
        f"{donor} lower by {t.low_a:.0f}-{t.high_a:.0f} A, {receiver} higher and at most "
        f"{t.receiver_limit_a:.0f} A; {voltage_band()} on each phase",
        f"Outside: switch back by {back}.",
    )


def _control_room_after(plan: Plan, transfers: Sequence[Transfer], feeders: str, tz: str) -> Iterator[Step]:
    yield _step(
        "confirm",
        "RESTORE",
        feeders,
        "control room",
        f"Switch auto-reclose on and restore sensitive earth fault on {feeders}.",
        "Auto-reclose ON indicated",
        "It stays off: report it as a fault; the feeder runs without auto-reclose.",
    )
    yield _step(
        "confirm",
        "SET AUTOMATIC",
        feeders,
        "control room",
        f"Set the tap control of the substations that feed {feeders} back to automatic.",
        "AUTOMATIC indicated",
        "It stays in manual: report it as a fault and watch the voltage by hand.",
    )
    when = "the hour that the control room names"
    if plan.needed_until is not None:
        when = clock(plan.needed_until + timedelta(hours=1), tz)
    ties = ", ".join(t.move.close_switch for t in transfers)
    yield _step(
        "confirm",
        "AGREE",
        "",
        "control room",
        f"Agree the switch-back hour: {when}. The switch-back is a plan of its own, with its own order.",
        f"Hour entered in the log, tie {ties} noted as closed",
        "No hour agreed: the transfer stays, and the control room owns the question.",
    )
    yield _step(
        "confirm",
        "NOTIFY",
        "",
        "control room",
        "Tell the critical customers that the supply is back.",
        "Each one told, supply confirmed by each",
        "One has no supply: send the crew to the section before it leaves.",
    )


def _switching_back(t: Transfer) -> Iterator[Step]:
    opening, closing = t.move.open_switch, t.move.close_switch
    yield _step(
        "rollback",
        "OPEN",
        closing,
        _place(t.closing),
        f"Open {closing}. {t.customers} on {t.sections} are off until {opening} is closed.",
        f"Indication OPEN, no current at {closing}",
        f"Will not open: leave {opening} open, so that no loop is made; report.",
        state_after=SwitchState.OPEN,
    )
    yield _step(
        "rollback",
        "CLOSE",
        opening,
        _place(t.opening),
        f"Take the caution tag off {opening} and close it. {t.move.from_transformer} feeds {t.sections} "
        "again.",
        f"Indication CLOSED, voltage on {t.sections}",
        f"Will not close: close {closing} again, the transfer stands; report.",
        state_after=SwitchState.CLOSED,
    )


def _step(
    phase: str,
    verb: str,
    device: str,
    place: str,
    text: str,
    expected: str,
    if_it_fails: str,
    *,
    state_after: SwitchState | None = None,
    hold_point: bool = False,
    write_down: str = "",
    range_a: tuple[float, float] | None = None,
) -> Step:
    """Make a step without its number.

    ``write_down`` is what it is not complete without, ``range_a`` where that must lie.
    """
    low_a, high_a = range_a or (None, None)
    return Step(
        step_id="",
        number=0,
        phase=phase,
        verb=verb,
        device=device,
        place=place,
        text=f"{text} Write down: {write_down}." if write_down else text,
        expected=expected,
        if_it_fails=if_it_fails,
        switching=state_after is not None,
        state_after=state_after,
        hold_point=hold_point,
        needs_reading=bool(write_down),
        reading_low=low_a,
        reading_high=high_a,
        reading_unit="A" if range_a else "",
    )


def _numbered(steps: Iterable[Step], letter: str) -> tuple[Step, ...]:
    return tuple(
        replace(step, step_id=f"{letter}{number:02d}", number=number)
        for number, step in enumerate(steps, start=1)
    )


def _place(switch: Mapping[Any, Any]) -> str:
    where = f"between {switch['from_id']} and {switch['to_id']}"
    return f"control room, device {where}" if bool(switch["remote"]) else f"at the device, {where}"


def _by_sides(transfers: Sequence[Transfer]) -> dict[str, list[Transfer]]:
    """Transfers between the same two transformers, which share the receiver's room."""
    together: dict[str, list[Transfer]] = {}
    for t in transfers:
        together.setdefault(sides_of(t), []).append(t)
    return together


def _units(transfers: Sequence[Transfer]) -> list[str]:
    return sorted({name for t in transfers for name in (t.move.from_transformer, t.move.to_transformer)})


def _feeders(transfers: Sequence[Transfer], network: Network) -> list[str]:
    rows = network.transformers[network.transformers["transformer_id"].isin(_units(transfers))]
    return sorted({str(name) for name in rows["feeder_id"].dropna()})


def _rating(value: object, unit: str) -> str:
    number = float(str(value))
    return f"rated {number:g} {unit}" if number > 0 else f"{unit[unit.index(' ') + 1 :]} rating unknown"
