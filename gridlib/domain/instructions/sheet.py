"""The switching sheet of a live load transfer."""

from collections.abc import Sequence
from math import isfinite
from typing import Any

import pandas as pd

from gridlib.domain.instructions.lines import say
from gridlib.domain.instructions.orders import facts_of, sides_of
from gridlib.domain.instructions.steps import changes_a, switch_back_hours, write_rollback, write_steps
from gridlib.domain.instructions.transfer import Transfer, local, make_transfer, sheet_hour
from gridlib.domain.network import present_states
from gridlib.domain.planning import describe_chances
from gridlib.facts.errors import InputError
from gridlib.facts.messages import Message, listed
from gridlib.facts.sheets import Instruction, Step
from gridlib.facts.types import Limits, Network, Plan, PlanningRules

CHECKLIST = (
    "live",
    "authorised",
    "repeated",
    "identified",
    "rated",
    "clothing",
    "path",
    "rotation",
    "reclose",
    "taps",
    "critical",
)
"""What is confirmed before the first switching step of any live transfer: ``check.<name>`` says it."""


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
        title=say(
            "title.return" if plan.returns else "title.transfer", plan=plan_id, moves=_moved(transfers)
        ),
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


def _checklist(plan: Plan, transfers: Sequence[Transfer]) -> tuple[Message, ...]:
    parallel = ("parallel",) if any(t.move.closes_first for t in transfers) else ()
    names = (*CHECKLIST, *parallel, *(() if plan.returns else ("switch_back",)))
    return tuple(say(f"check.{name}") for name in names)


def _positions(transfers: Sequence[Transfer], network: Network, tz: str) -> tuple[Message, ...]:
    """Write down normal and present position of the devices, with source and age."""
    named = [name for t in transfers for name in (t.move.open_switch, t.move.close_switch)]
    switches, reported = (rows[rows["switch_id"].isin(named)] for rows in (network.switches, network.states))
    states = present_states(switches, reported)
    lines: list[Message] = []
    for t in transfers:
        for name, row in ((t.move.open_switch, t.opening), (t.move.close_switch, t.closing)):
            state = states.loc[name]
            facts = {
                "switch": name,
                "normal": say(f"switch.{row['normal_state']}"),
                "state": say(f"switch.{state['state']}"),
                "source": say(f"position.source.{state['source']}"),
            }
            moment: Any = state["time"]
            if pd.isna(moment):
                lines.append(say("position.line", **facts))
            else:
                lines.append(say("position.line_at", at=local(moment, tz), **facts))
    return tuple(lines)


def _moved(transfers: Sequence[Transfer]) -> list[Message]:
    """Say which sections go from where to where."""
    lines = []
    for donor in dict.fromkeys(t.move.from_transformer for t in transfers):
        mine = [t for t in transfers if t.move.from_transformer == donor]
        receivers = ", ".join(sorted({t.move.to_transformer for t in mine}))
        sections = ", ".join(t.sections for t in mine)
        lines.append(say("title.move", sections=sections, donor=donor, receivers=receivers))
    return lines


def _purpose(plan: Plan, transfers: Sequence[Transfer], tz: str) -> Message:
    parts = [
        say(
            "purpose.falls" if side.peak_pct_p50_after < side.peak_pct_p50_before else "purpose.rises",
            unit=side.transformer_id,
            rating_kva=side.rating_kva,
            before_pct=side.peak_pct_p50_before,
            after_pct=side.peak_pct_p50_after,
            p90_before_pct=side.peak_pct_p90_before,
            p90_after_pct=side.peak_pct_p90_after,
        )
        for side in plan.sides
    ] or [say("purpose.see_plan")]
    parts.append(say("purpose.risk", before=plan.risk_before, after=plan.risk_after))
    if plan.returns:
        sections = ", ".join(t.sections for t in transfers)
        return say("purpose.return", plan=plan.returns, sections=sections, parts=parts)
    units = ", ".join(plan.relieves) or plan.transformer_id
    if plan.needed_from is None:
        return say("purpose.relieve", units=units, parts=parts)
    return say("purpose.relieve_from", units=units, at=local(plan.needed_from, tz), parts=parts)


def _abort_triggers(
    plan: Plan, transfers: Sequence[Transfer], steps: Sequence[Step], tz: str, rules: PlanningRules
) -> tuple[Message, ...]:
    readings = [step for step in steps if step.verb == "READ"]
    before = {step.device: step.step_id for step in readings if step.phase == "prepare"}
    after = [step.step_id for step in readings if step.phase == "switch" and not step.reading_unit]
    triggers = []
    for t, read in zip(transfers, after, strict=True):
        facts = facts_of(t, rules)
        first = before[sides_of(t)]
        added_a, leaving_a = changes_a(transfers, t.move.to_transformer)
        crowded = say("trigger.together", step=first, **facts)
        if leaving_a:
            room_a = t.receiver_limit_a - added_a + leaving_a
            crowded = say("trigger.room", step=first, room_a=room_a, **facts)
        triggers += [
            say("trigger.current", step=before[t.move.open_switch], **facts),
            crowded,
            say("trigger.receiver", step=read, **facts),
            say("trigger.voltage", before=first, step=read, **facts),
        ]
        if t.move.closes_first:
            across = next(
                s.step_id for s in readings if s.device == t.move.close_switch and s.reading_unit == "V"
            )
            triggers += [say("trigger.across", step=across, **facts), say("trigger.parallel", **facts)]
    if plan.needed_from is not None:
        triggers.append(say("trigger.late", at=local(plan.needed_from, tz)))
    return tuple(triggers)


def _notes(
    plan: Plan, transfers: Sequence[Transfer], hour: pd.Timestamp, tz: str, rules: PlanningRules
) -> tuple[Message, ...]:
    proof = plan.proof
    notes = [
        *_order_notes(transfers, rules),
        say("note.after_abort"),
        say("note.currents", at=local(hour, tz), devices=[_by_hour(t) for t in transfers]),
    ]
    if not plan.returns:
        notes.append(_switch_back_note(plan, transfers, tz, rules))
    if proof.margin_pct is None:
        notes.append(say("note.proof", method=proof.method))
    else:
        notes.append(say("note.proof_margin", method=proof.method, margin_pct=proof.margin_pct))
    notes.append(say("note.chances", chances=describe_chances(plan)))
    if proof.fault_level:
        notes.append(say("note.fault_level", found=proof.fault_level))
    if proof.not_checked:
        notes.append(say("note.not_checked", what=listed(proof.not_checked)))
    if proof.unconfirmed:
        notes.append(say("note.unconfirmed", switches=", ".join(proof.unconfirmed)))
    if plan.decide_by is not None:
        notes.append(say("note.decide_by", at=local(plan.decide_by, tz)))
    return tuple(notes)


def _by_hour(t: Transfer) -> Message:
    return say("note.hours", opening=t.move.open_switch, hours=listed(t.by_hour))


def _switch_back_note(plan: Plan, transfers: Sequence[Transfer], tz: str, rules: PlanningRules) -> Message:
    hours = switch_back_hours(plan, tz)
    if plan.switch_back_by is None:
        return say("note.switch_back", hours=hours)
    currents = [say("note.back_current", **facts_of(t, rules)) for t in transfers]
    return say("note.switch_back_expected", hours=hours, currents=currents)


def _order_notes(transfers: Sequence[Transfer], rules: PlanningRules) -> list[Message]:
    """Say who is off and how they come back, and who is in parallel."""
    off = [facts_of(t, rules) for t in transfers if not t.move.closes_first]
    notes: list[Message] = []
    if off:
        notes += [
            say("note.break_first", parts=[say("note.off", **facts) for facts in off]),
            say(
                "note.cold",
                factor=rules.cold_load_factor,
                parts=listed([say("note.cold_section", **facts) for facts in off]),
            ),
        ]
    for t in transfers:
        if t.move.closes_first:
            known = "note.make_first" if isfinite(t.circulating_a) else "note.make_first_unknown"
            notes.append(say(known, **facts_of(t, rules)))
    return notes
