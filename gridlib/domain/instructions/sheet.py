"""The switching sheet of a live load transfer."""

from collections.abc import Sequence
from math import isfinite

import pandas as pd

from gridlib.domain.instructions.orders import largest_difference_v, sides_of, voltage_band
from gridlib.domain.instructions.steps import changes_a, switch_back_hours, write_rollback, write_steps
from gridlib.domain.instructions.transfer import Transfer, clock, make_transfer, sheet_hour
from gridlib.domain.network import current_states
from gridlib.domain.planning import describe_chances
from gridlib.facts.errors import InputError
from gridlib.facts.messages import render, rendered
from gridlib.facts.sheets import Instruction, Step
from gridlib.facts.types import Limits, Network, Plan, PlanningRules

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
)
"""What is confirmed before the first switching step of any live transfer."""

PARALLEL_CHECK = (
    "Phase displacement at each tie that closes first is confirmed; both sides have one source above"
)
SWITCH_BACK_CHECK = "Switch-back hour is planned and known to the control room"


def write_instruction(
    plan: Plan,
    plan_id: str,
    network: Network,
    forecast: pd.DataFrame,
    *,
    tz: str,
    limits: Limits,
    rules: PlanningRules,
    prepared_by: str = "",
    prepared_at: pd.Timestamp | None = None,
) -> Instruction:
    """Write the switching sheet of a load transfer or of its return.

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
    rules : PlanningRules
        ``lv_kv``, ``cold_load_factor`` and ``parallel_limit_min`` are used.
    prepared_by : str
        Who prepared the plan.
    prepared_at : Timestamp, optional
        When the sheet was written.

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
    Where a move does not close first, its device is opened before the tie is closed (break before make): the
    network is radial after every step, and exactly the moved sections are off between the two. They come back
    at gross load, because solar stays off for some minutes, times ``cold_load_factor``; the gross load is
    taken for no more than the largest p90 of the horizon, which falls after sunset. Where a move closes first
    (proven by the plan) the two transformers are in parallel between the two steps, and nobody is off.

    Currents are those of a balanced load at ``lv_kv``, from the section's share of p10 and p90 widened by the
    +- range of the share, in the hour in which the plan is to be switched.
    """
    if not plan.moves:
        raise InputError(f"{plan_id} has no moves", what_to_do="Run planning again.")
    hour = sheet_hour(plan, forecast)
    transfers = [
        make_transfer(move, plan, network, forecast, hour=hour, tz=tz, limits=limits, rules=rules)
        for move in plan.moves
    ]
    rollback = write_rollback(plan, transfers, rules)
    steps = write_steps(plan, transfers, rollback, network, hour=hour, tz=tz, rules=rules)
    return Instruction(
        plan_id=plan_id,
        title=f"{plan_id}: {'return' if plan.returns else 'transfer'} {_moved(transfers)}",
        purpose=_purpose(plan, transfers, tz),
        steps=steps,
        checklist=_checklist(plan, transfers),
        rollback=rollback,
        abort_triggers=_abort_triggers(plan, transfers, steps, tz, rules),
        notes=_notes(plan, transfers, hour, tz, rules),
        prepared_by=prepared_by,
        prepared_at=None if prepared_at is None else prepared_at.to_pydatetime(),
        window_from=hour.to_pydatetime(),
        window_until=_window_end(hour, forecast).to_pydatetime(),
        positions=_positions(transfers, network, tz),
    )


def _window_end(hour: pd.Timestamp, forecast: pd.DataFrame) -> pd.Timestamp:
    """End of the forecast's step from which the currents of the sheet are taken."""
    times = pd.DatetimeIndex(forecast["time"].unique()).sort_values()
    return hour + (times[1] - times[0] if len(times) > 1 else pd.Timedelta(hours=1))


def _checklist(plan: Plan, transfers: Sequence[Transfer]) -> tuple[str, ...]:
    parallel = (PARALLEL_CHECK,) if any(t.move.closes_first for t in transfers) else ()
    return (*CHECKLIST, *parallel, *(() if plan.returns else (SWITCH_BACK_CHECK,)))


def _positions(transfers: Sequence[Transfer], network: Network, tz: str) -> tuple[str, ...]:
    """Write down normal and present position of the devices, with source and age."""
    states = current_states(network)
    words = []
    for t in transfers:
        for name, row in ((t.move.open_switch, t.opening), (t.move.close_switch, t.closing)):
            state = states.loc[name]
            since: str = "" if pd.isna(state["time"]) else f" at {clock(state['time'], tz)}"
            words.append(
                f"{name}: normally {row['normal_state']}, now {state['state']} ({state['source']}{since})"
            )
    return tuple(words)


def _moved(transfers: Sequence[Transfer]) -> str:
    """Say which sections go from where to where."""
    donors = dict.fromkeys(t.move.from_transformer for t in transfers)
    words = []
    for donor in donors:
        mine = [t for t in transfers if t.move.from_transformer == donor]
        receivers = sorted({t.move.to_transformer for t in mine})
        words.append(f"{', '.join(t.sections for t in mine)} from {donor} to {', '.join(receivers)}")
    return "; ".join(words)


def _purpose(plan: Plan, transfers: Sequence[Transfer], tz: str) -> str:
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
    if plan.returns:
        moved = ", ".join(t.sections for t in transfers)
        return f"Take {plan.returns} back, so that {moved} hang where they belong: {'; '.join(words)}{risk}"
    relieved = ", ".join(plan.relieves) or plan.transformer_id
    return f"Relieve {relieved}{need}: {'; '.join(words) or 'see the plan'}{risk}"


def _abort_triggers(
    plan: Plan, transfers: Sequence[Transfer], steps: Sequence[Step], tz: str, rules: PlanningRules
) -> tuple[str, ...]:
    readings = [step for step in steps if step.verb == "READ"]
    before = {step.device: step.step_id for step in readings if step.phase == "prepare"}
    after = [step.step_id for step in readings if step.phase == "switch" and not step.reading_unit]
    band = voltage_band(rules)
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
            f"{before[sides_of(t)]} or {read}: voltage on a phase outside {band}",
        ]
        if t.move.closes_first:
            across = next(
                s.step_id for s in readings if s.device == t.move.close_switch and s.reading_unit == "V"
            )
            triggers += [
                f"{across}: more than {largest_difference_v(rules):.0f} V across {t.move.close_switch}",
                f"In parallel: more than {t.loop_limit_a:.0f} A at {t.move.close_switch}, or longer than "
                f"{rules.parallel_limit_min} min: open it again",
            ]
    if plan.needed_from is not None:
        triggers.append(
            f"Switching not begun at {clock(plan.needed_from, tz)}, when the overload begins: "
            "have the plan proved again"
        )
    return tuple(triggers)


def _notes(
    plan: Plan, transfers: Sequence[Transfer], hour: pd.Timestamp, tz: str, rules: PlanningRules
) -> tuple[str, ...]:
    margin_pct = plan.proof.margin_pct
    notes = [
        *_order_notes(transfers, rules),
        "After an abort at any step, auto-reclose, earth-fault protection and tap control are restored.",
        f"Expected currents hold for {clock(hour, tz)}. At another hour: "
        + "; ".join(f"{t.move.open_switch}: {t.by_hour}" for t in transfers),
    ]
    if not plan.returns:
        notes.append(f"Switch-back: {switch_back_hours(plan, tz)}.")
        if plan.switch_back_by is not None:
            notes[-1] += " Expected then: " + "; ".join(
                f"{t.move.close_switch}: {t.back_low_a:.0f}-{t.back_high_a:.0f} A" for t in transfers
            )
    notes.append(
        f"Proof: {render(plan.proof.method)}"
        + (f"; smallest margin of a receiver {margin_pct:.0f} %." if margin_pct is not None else ".")
    )
    notes.append(f"The plan {render(describe_chances(plan))}.")
    if plan.proof.fault_level:
        notes.append(f"Fault level: {'; '.join(rendered(plan.proof.fault_level))}.")
    if plan.proof.not_checked:
        notes.append(f"Not checked for want of data: {', '.join(rendered(plan.proof.not_checked))}.")
    if plan.proof.unconfirmed:
        notes.append(
            f"Positions to be confirmed before the sheet is issued: {', '.join(plan.proof.unconfirmed)}."
        )
    if plan.decide_by is not None:
        notes.append(f"Last time to decide: {clock(plan.decide_by, tz)}.")
    return tuple(notes)


def _order_notes(transfers: Sequence[Transfer], rules: PlanningRules) -> list[str]:
    """Say who is off and how they come back, and who is in parallel."""
    notes = []
    off = [t for t in transfers if not t.move.closes_first]
    if off:
        words = "; ".join(
            f"{t.customers} on {t.sections} are off between opening {t.move.open_switch} and closing "
            f"{t.move.close_switch}"
            for t in off
        )
        cold = ", ".join(f"{t.sections} up to {t.cold_a:.0f} A" for t in off)
        notes += [
            f"Break before make: {words}.",
            "Sections come back at gross load (solar behind the meter is still off, motors start together) "
            f"times {rules.cold_load_factor:g}: {cold}.",
        ]
    for t in transfers:
        if t.move.closes_first:
            known = isfinite(t.circulating_a)
            notes.append(
                f"Make before break: nobody on {t.sections} is off; {sides_of(t)} are in parallel for at "
                f"most {rules.parallel_limit_min} min, with "
                + (f"about {t.circulating_a:.0f} A" if known else "an unknown current")
                + f" circulating and at most {t.loop_limit_a:.0f} A at {t.move.close_switch}."
            )
    return notes
