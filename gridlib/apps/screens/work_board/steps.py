"""The steps of an order in their turn: instruct, and write down how each ended."""

from gridlib.adapters.records.work_orders import StepRecord, WorkOrderRecord
from gridlib.apps.html import Html, escape
from gridlib.apps.message_html import message_html
from gridlib.apps.screens.frame import ltr
from gridlib.apps.screens.sheet import action_of, by_phase
from gridlib.apps.screens.visit import Visit
from gridlib.apps.screens.work_board.order import CREW, TEXT, hidden
from gridlib.domain.lifecycle import UNDONE_STEPS, abort_trigger
from gridlib.facts.messages import render
from gridlib.facts.types import Role, StepState, WorkOrderState
from gridlib.workflow import queries

_COLUMNS = ("number", "what", "do", "state", "instructed", "ended", "reading")


def steps(visit: Visit) -> Html:
    """Draw the steps; below the one whose turn it is stand its forms."""
    number = visit.state.get("order", "")
    if not number:
        return Html()
    found = queries.get_work_order(visit.workbench, number)
    turn = _turn(found) if Role.OPERATOR in visit.user.roles else None
    rows = by_phase(
        visit,
        [
            (step.step, _row(visit, step) + (_forms(visit, found, step) if step is turn else ""))
            for step in found.steps
        ],
        len(_COLUMNS),
    )
    head = "".join(f'<th scope="col">{visit.say(f"sheet.step.{name}")}</th>' for name in _COLUMNS)
    return Html(
        f'<div class="wide" tabindex="0" role="region" aria-label="{visit.text("sheet.steps")}">'
        f'<table class="steps"><caption>{visit.say("sheet.steps")}</caption>'
        f"<thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>"
    )


def _turn(found: WorkOrderRecord) -> StepRecord | None:
    """Find the step that can be ended now: the first undone one of an order in progress without a failure."""
    if found.state is not WorkOrderState.IN_PROGRESS:
        return None
    if any(step.state is StepState.FAILED for step in found.steps):
        return None
    return next((step for step in found.steps if step.state in UNDONE_STEPS), None)


def _row(visit: Visit, record: StepRecord) -> str:
    step = record.step
    told = (
        f"<bdi>{escape(record.instructed_to)}</bdi> {visit.when(record.instructed_at)}"
        if record.instructed_at is not None and record.instructed_to
        else ""
    )
    ended = (
        f"<bdi>{escape(record.ended_by)}</bdi> {visit.when(record.ended_at)}"
        if record.ended_at is not None
        else ""
    )
    trigger = abort_trigger(record.reading, step.reading_range)
    loud = ' class="over"' if trigger else ""
    remark = record.remark.removesuffix(render(trigger)).strip() if trigger else record.remark
    said = [Html(f"<bdi>{escape(part)}</bdi>") for part in (record.reading, remark) if part]
    if trigger:
        said.append(message_html(trigger, visit.language))
    return (
        f'<tr class="step {str(record.state).lower()}"><td class="number">{ltr(step.number)}</td>'
        f'<th scope="row">{action_of(visit, step)}</th>'
        f"<td>{message_html(step.text, visit.language)}<br>"
        f'<span class="quiet">{message_html(step.expected, visit.language)}</span></td>'
        f"<td>{visit.badge_of(record.state, visit.say(f'step.state.{record.state}'))}</td>"
        f"<td>{told}</td><td>{ended}</td><td{loud}>{'<br>'.join(said)}</td></tr>"
    )


def _forms(visit: Visit, found: WorkOrderRecord, record: StepRecord) -> str:
    step, form = record.step, f"step:{found.work_order_id}:{record.step.number}"
    kept = visit.draft(form)
    carried = f'{hidden(found)}<input type="hidden" name="step" value="{step.number}">'
    instruct = (
        f'<form id="instruct" class="row" data-action="instruct" data-fresh>{carried}'
        f'<label>{visit.say("board.to")} <input id="to" name="to" required maxlength="{CREW}" '
        f'value="{escape(found.crew)}"></label>'
        f'<button class="go">{visit.say("board.instruct")}</button></form>'
        if record.state is StepState.PENDING
        else ""
    )
    wanted = " required" if step.needs_reading else ""
    span = ""
    if step.reading_range is not None:
        low, high = step.reading_range
        span = f' <span class="quiet">{ltr(f"{low:g}–{high:g} {step.reading_unit}")}</span>'
    skip = (
        ""
        if step.switching or step.hold_point or step.needs_reading
        else f'<button name="outcome" value="SKIPPED" formnovalidate>{visit.say("board.skipped")}</button>'
    )
    return (
        f'<tr class="turn"><td></td><td colspan="{len(_COLUMNS) - 1}">{instruct}'
        f'<form id="ending" class="row" data-action="step" data-draft="{escape(form)}">{carried}'
        f'<label>{visit.say("board.reading")}{span} <input id="reading" name="reading" maxlength="{TEXT}"'
        f'{wanted} value="{escape(kept.get("reading", ""))}"></label>'
        f'<label>{visit.say("board.remark")} <input id="remark" name="remark" maxlength="{TEXT}" '
        f'value="{escape(kept.get("remark", ""))}"></label>'
        f'<button class="go" name="outcome" value="COMPLETED">{visit.say("board.completed")}</button>'
        f'<button class="stop" name="outcome" value="FAILED" formnovalidate>'
        f"{visit.say('board.failed_button')}</button>{skip}</form>"
        f'<p class="quiet">{message_html(step.if_it_fails, visit.language)}</p></td></tr>'
    )
