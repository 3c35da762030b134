"""The switching sheet of a live load transfer."""

from collections.abc import Sequence

import pandas as pd

from gridlib.domain.instructions.steps import (
    changes_a,
    sides_of,
    voltage_band,
    write_rollback,
    write_steps,
)
from gridlib.domain.instructions.transfer import Transfer, clock, make_transfer, switching_hour
from gridlib.domain.planning import describe_chances
from gridlib.facts.errors import InputError
from gridlib.facts.types import Instruction, Limits, Network, Plan, Step

CHECKLIST = (
    "Live switching only: nobody works on the path, nothing is made dead for work",
    "Switching person is authorised for live low-voltage switching and has this sheet in writing",
    "Every order is repeated in full by the receiver and confirmed by the sender",
    "Every device is identified by its label before it is touched",
    "Every device is rated for load make and break at the currents of this sheet, interlocks are in order",
    "Arc-flash clothing, face shield and insulated tools are worn; remote operation where there is any",
    "No open permit, no crew and no tag on the path",
    "Phase rotation at each tie is confirmed and dated",
    "Auto-reclose is off and sensitive earth fault is handled on the affected feeders",
    "Tap control of the feeding substations is in manual",
    "Critical customers (hospital, pumping, life support) are named and told",
    "Switch-back hour is planned and known to the control room",
)
"""What is confirmed before the first switching step of a live transfer."""


def write_instruction(
    plan: Plan, plan_id: str, network: Network, forecast: pd.DataFrame, *, tz: str, limits: Limits
) -> Instruction:
    """Write the switching sheet of a load transfer.

    Parameters
    ----------
    plan : Plan
        A proven plan.
    plan_id : str
        Its number.
    network : Network
        The network with its reported switch states.
    forecast : DataFrame
        `ForecastFrame`, every section at its normal transformer; gives the expected currents.
    tz : str
        Time zone of the hours on the sheet.
    limits : Limits
        ``loading_limit_pct`` bounds a receiver that the plan has no side for.

    Returns
    -------
    Instruction
        Steps S01, S02, ... in the phases prepare, switch and confirm; the rollback R01, R02, ...

    Raises
    ------
    InputError
        The plan has no moves, or names a switch or section that is unknown or has no forecast.

    Notes
    -----
    Each device is opened before its tie is closed (break before make). The other order parallels two
    transformers for a moment and would need the closed-loop AC flow and the fault level, which are not
    computed here. So the network is radial after every step, and exactly the moved sections are off
    between the two switching steps of their move.

    Currents are those of a balanced load at 0.415 kV, from the section's share of p10 and p90 widened by the
    +- range of the share, in the hour of switching: the last one before the transfer is needed.
    """
    if not plan.moves:
        raise InputError(f"{plan_id} has no moves", what_to_do="Run planning again.")
    hour = switching_hour(plan, forecast)
    transfers = [
        make_transfer(move, plan, network, forecast, hour=hour, tz=tz, limits=limits) for move in plan.moves
    ]
    rollback = write_rollback(transfers)
    steps = write_steps(plan, transfers, rollback, network, hour=hour, tz=tz)
    return Instruction(
        plan_id=plan_id,
        title=f"{plan_id}: transfer {_moved(transfers)}",
        purpose=_purpose(plan, tz),
        steps=steps,
        checklist=CHECKLIST,
        rollback=rollback,
        abort_triggers=_abort_triggers(plan, transfers, steps, tz),
        notes=_notes(plan, transfers, hour, tz),
    )


def _moved(transfers: Sequence[Transfer]) -> str:
    """Say which sections go from where to where."""
    donors = dict.fromkeys(t.move.from_transformer for t in transfers)
    words = []
    for donor in donors:
        mine = [t for t in transfers if t.move.from_transformer == donor]
        receivers = sorted({t.move.to_transformer for t in mine})
        words.append(f"{', '.join(t.sections for t in mine)} from {donor} to {', '.join(receivers)}")
    return "; ".join(words)


def _purpose(plan: Plan, tz: str) -> str:
    words = []
    for side in plan.sides:
        change = "falls" if side.peak_pct_p50_after < side.peak_pct_p50_before else "rises"
        words.append(
            f"peak of {side.transformer_id} {change} from {side.peak_pct_p50_before:.0f} % to "
            f"{side.peak_pct_p50_after:.0f} % of {side.rating_kva:,.0f} kVA (p90 "
            f"{side.peak_pct_p90_before:.0f} % to {side.peak_pct_p90_after:.0f} %)"
        )
    need = f" from {clock(plan.needed_from, tz)}" if plan.needed_from else ""
    risk = f"; net risk {plan.risk_before:.2f} to {plan.risk_after:.2f}"
    relieved = ", ".join(plan.relieves) or plan.transformer_id
    return f"Relieve {relieved}{need}: {'; '.join(words) or 'see the plan'}{risk}"


def _abort_triggers(
    plan: Plan, transfers: Sequence[Transfer], steps: Sequence[Step], tz: str
) -> tuple[str, ...]:
    readings = [step for step in steps if step.verb == "READ"]
    before = {step.device: step.step_id for step in readings if step.phase == "prepare"}
    after = [step.step_id for step in readings if step.phase == "switch"]
    triggers = []
    for t, read in zip(transfers, after, strict=True):
        receiver, most = t.move.to_transformer, f"{t.receiver_limit_a:.0f} A"
        added_a, leaving_a = changes_a(transfers, receiver)
        crowded = f"current at {receiver} and at {t.move.open_switch} together above {most}"
        if leaving_a:
            crowded = f"current at {receiver} above {t.receiver_limit_a - added_a + leaving_a:.0f} A"
        triggers += [
            f"{before[t.move.open_switch]}: current at {t.move.open_switch} outside "
            f"{t.low_a:.0f}-{t.high_a:.0f} A",
            f"{before[sides_of(t)]}: {crowded}",
            f"{read}: {receiver} above {most} on a phase",
            f"{before[sides_of(t)]} or {read}: voltage on a phase outside {voltage_band()}",
        ]
    if plan.needed_from is not None:
        triggers.append(
            f"Switching not begun at {clock(plan.needed_from, tz)}, when the overload begins: "
            "have the plan proved again"
        )
    return tuple(triggers)


def _notes(plan: Plan, transfers: Sequence[Transfer], hour: pd.Timestamp, tz: str) -> tuple[str, ...]:
    off = "; ".join(
        f"{t.customers} on {t.sections} are off between opening {t.move.open_switch} and closing "
        f"{t.move.close_switch}"
        for t in transfers
    )
    margin_pct = plan.proof.margin_pct
    notes = [
        f"Break before make: {off}. Make before break is not offered, because the closed-loop AC flow and "
        "the fault level in parallel are not computed.",
        "Sections come back at gross load: solar behind the meter is still off, and motors start together.",
        "After an abort at any step, auto-reclose, earth-fault protection and tap control are restored.",
        f"Expected currents hold for {clock(hour, tz)}. At another hour: "
        + "; ".join(f"{t.move.open_switch}: {t.by_hour}" for t in transfers),
        f"Proof: {plan.proof.method}"
        + (f"; smallest margin of a receiver {margin_pct:.0f} %." if margin_pct is not None else "."),
    ]
    notes.append(f"The plan {describe_chances(plan)}.")
    if plan.proof.not_checked:
        notes.append(f"Not checked for want of data: {', '.join(plan.proof.not_checked)}.")
    if plan.proof.unconfirmed:
        notes.append(
            f"Positions to be confirmed before the sheet is issued: {', '.join(plan.proof.unconfirmed)}."
        )
    if plan.decide_by is not None:
        notes.append(f"Last time to decide: {clock(plan.decide_by, tz)}.")
    return tuple(notes)
