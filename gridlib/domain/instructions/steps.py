"""The lines of a switching sheet, in the order in which they are instructed."""

from collections.abc import Iterator, Sequence
from datetime import timedelta

import pandas as pd

from gridlib.domain.instructions.lines import numbered, place_of, write_line
from gridlib.domain.instructions.orders import sides_of, switch_back, switch_over, voltage_band
from gridlib.domain.instructions.transfer import Transfer, clock
from gridlib.facts.messages import rendered
from gridlib.facts.sheets import Step
from gridlib.facts.types import Network, Plan, PlanningRules, SwitchState


def write_steps(
    plan: Plan,
    transfers: Sequence[Transfer],
    rollback: Sequence[Step],
    network: Network,
    *,
    hour: pd.Timestamp,
    tz: str,
    rules: PlanningRules,
) -> tuple[Step, ...]:
    """Write the steps S01, S02, ...: prepare, switch move by move, confirm."""
    feeders = ", ".join(_feeders(transfers, network)) or "the affected feeders"
    steps = [*_readings_before(transfers, hour, tz, rules), *_path_checks(transfers, network)]
    steps += _control_room_before(plan, transfers, feeders)
    for k, transfer in enumerate(transfers):
        # The way back of the last move comes first in the rollback.
        undo = rollback[2 * (len(transfers) - 1 - k) :]
        steps += switch_over(transfer, undo, rules, returns=bool(plan.returns))
    return numbered([*steps, *_control_room_after(plan, transfers, feeders, tz)], "S")


def write_rollback(plan: Plan, transfers: Sequence[Transfer], rules: PlanningRules) -> tuple[Step, ...]:
    """Undo the switching: inverse steps in reverse order, R01, R02, ..."""
    back = (step for t in reversed(transfers) for step in switch_back(t, rules, returns=bool(plan.returns)))
    return numbered(back, "R")


def changes_a(transfers: Sequence[Transfer], unit: str) -> tuple[float, float]:
    """Add up the current that a transformer takes over at most, and what leaves it for sure before that."""
    takes = [k for k, t in enumerate(transfers) if t.move.to_transformer == unit]
    earlier = [t for t in transfers[: takes[0]] if t.move.from_transformer == unit]
    return sum(transfers[k].high_a for k in takes), sum(t.low_a for t in earlier)


def _readings_before(
    transfers: Sequence[Transfer], hour: pd.Timestamp, tz: str, rules: PlanningRules
) -> Iterator[Step]:
    for t in transfers:
        yield write_line(
            "prepare",
            "READ",
            t.move.open_switch,
            place_of(t.opening),
            f"Read the current of all three phases at {t.move.open_switch}.",
            f"{t.low_a:.0f}-{t.high_a:.0f} A on each phase at {clock(hour, tz)}",
            "Outside the range: do not switch; abort, and have the plan proved again with the reading.",
            write_down="current of each phase in A",
            # Rounded as printed: the person on site sees no other bounds.
            reading=(float(round(t.low_a)), float(round(t.high_a)), "A"),
        )
    for sides, together in _by_sides(transfers).items():
        receiver, limit_a = together[0].move.to_transformer, together[0].receiver_limit_a
        added_a, leaving_a = changes_a(transfers, receiver)
        first = f" once {leaving_a:.0f} A have left it" if leaving_a else ""
        yield write_line(
            "prepare",
            "READ",
            sides,
            f"low-voltage boards of {sides}",
            f"Read load and voltage of all three phases at {sides} and write them down.",
            f"{receiver} at most {limit_a - added_a + leaving_a:.0f} A, so that {added_a:.0f} A fit within "
            f"{limit_a:.0f} A{first}; {voltage_band(rules)} on each phase",
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
            yield write_line(
                "prepare",
                "IDENTIFY",
                switch,
                place_of(row),
                f"Identify {switch} by its label and read its indication.",
                f"Label {switch}, indication {position}"
                + ("" if switch in reported else " (assumed, never reported: confirm on site)"),
                "Label or indication differs: do not switch; report the position found and abort.",
            )
    path = ", ".join(_units(transfers))
    yield write_line(
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
        yield write_line(
            "prepare",
            "CONFIRM",
            t.move.close_switch,
            place_of(t.closing),
            f"Confirm the record of the phase rotation at {t.move.close_switch}.",
            f"Confirmed on {confirmed}" if dated else "NO DATED RECORD: measure and record it",
            "No record, or work at the tie since: measure the rotation; do not switch without it.",
            hold_point=not dated,
            write_down="" if dated else "result of the measurement and name of who says go",
        )


def _control_room_before(plan: Plan, transfers: Sequence[Transfer], feeders: str) -> Iterator[Step]:
    off = "; ".join(f"{t.sections}: {t.customers}" for t in transfers if not t.move.closes_first)
    named = "; ".join(f"on {t.sections}: {t.critical or 'none on record, look them up'}" for t in transfers)
    yield write_line(
        "prepare",
        "NOTIFY",
        "",
        "control room",
        f"Name the critical customers (hospital, pumping, life support; {named}) and tell them of the "
        + (f"interruption ({off})." if off else "switching; it is planned without interruption."),
        "Each one named, told and ready",
        "One cannot be told or cannot be off: do not switch; abort.",
    )
    yield write_line(
        "prepare",
        "BLOCK",
        feeders,
        "control room",
        f"Switch auto-reclose off and handle sensitive earth fault on {feeders}.",
        "Auto-reclose OFF indicated",
        "It stays on: do not switch; abort.",
    )
    yield write_line(
        "prepare",
        "SET MANUAL",
        feeders,
        "control room",
        f"Set the tap control of the substations that feed {feeders} to manual.",
        "MANUAL indicated",
        "It stays automatic: do not switch; restore auto-reclose and abort.",
    )
    yield _protection(plan)


def _protection(plan: Plan) -> Step:
    """Stop for the protection engineer where anything of protection or fault level is not known."""
    proof = plan.proof
    unknown = [
        f"{what} NOT CHECKED"
        for what, words in (("PROTECTION", proof.protection), ("FAULT LEVEL", proof.fault_level))
        if not words
    ]
    if not unknown:
        return write_line(
            "prepare",
            "CONFIRM",
            "",
            "control room",
            "Confirm that settings and fuses are those of the proof: "
            f"{'; '.join(rendered(proof.protection))}.",
            "Settings and fuses as in the proof",
            "Any other: do not switch; restore auto-reclose and tap control, and abort.",
        )
    return write_line(
        "prepare",
        "HOLD",
        "",
        "control room",
        f"{', '.join(unknown)}: a named protection engineer confirms reach, pick-up and the fault level at "
        "the devices that close, for the new feeding.",
        "Name of the protection engineer and time of the confirmation",
        "Not confirmed: do not switch; restore auto-reclose and tap control, and abort.",
        hold_point=True,
        write_down="name of the protection engineer",
    )


def _control_room_after(plan: Plan, transfers: Sequence[Transfer], feeders: str, tz: str) -> Iterator[Step]:
    yield write_line(
        "confirm",
        "RESTORE",
        feeders,
        "control room",
        f"Switch auto-reclose on and restore sensitive earth fault on {feeders}.",
        "Auto-reclose ON indicated",
        "It stays off: report it as a fault; the feeder runs without auto-reclose.",
    )
    yield write_line(
        "confirm",
        "SET AUTOMATIC",
        feeders,
        "control room",
        f"Set the tap control of the substations that feed {feeders} back to automatic.",
        "AUTOMATIC indicated",
        "It stays in manual: report it as a fault and watch the voltage by hand.",
    )
    ties = ", ".join(t.move.close_switch for t in transfers)
    if plan.returns:
        yield write_line(
            "confirm",
            "RECORD",
            "",
            "control room",
            f"Enter in the log that {plan.returns} is taken back and that its sections are fed normally.",
            f"Entry made, {ties} noted as closed again",
            "A device stands otherwise: report its position before the crew leaves.",
        )
    else:
        yield write_line(
            "confirm",
            "AGREE",
            "",
            "control room",
            f"Agree the switch-back hour: {switch_back_hours(plan, tz)}. The switch-back is a plan of its "
            "own, with its own order.",
            f"Hour entered in the log, tie {ties} noted as closed",
            "No hour agreed: the transfer stays, and the control room owns the question.",
        )
    yield write_line(
        "confirm",
        "NOTIFY",
        "",
        "control room",
        "Tell the critical customers that the switching is done and the supply is up.",
        "Each one told, supply confirmed by each",
        "One has no supply: send the crew to the section before it leaves.",
    )


def switch_back_hours(plan: Plan, tz: str) -> str:
    """Say from when to when the switch-back is possible."""
    after = "" if plan.needed_until is None else f"from {clock(plan.needed_until + timedelta(hours=1), tz)}"
    if plan.switch_back_by is None:
        return f"{after or 'the hour that the control room names'}; none in this forecast is proven"
    return f"{after} until {clock(plan.switch_back_by, tz)}, the last of this forecast".strip()


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
