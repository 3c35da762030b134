"""One work order, or the approved plan that waits for one: facts, and what moves it on or stops it."""

from gridlib.adapters.records.work_orders import WorkOrderRecord
from gridlib.apps.html import Html, escape
from gridlib.apps.message_html import message_html
from gridlib.apps.screens.frame import ltr
from gridlib.apps.screens.sheet import plan_sheet, steps_table
from gridlib.apps.screens.visit import Visit
from gridlib.domain.lifecycle import abort_trigger
from gridlib.facts.types import PlanState, Role, StepState, WorkOrderState
from gridlib.workflow import queries

CREW, TEXT = 120, 500
"""Longest name of a crew, and longest remark or reason [characters]."""


def order(visit: Visit) -> Html:
    """Draw the chosen order's facts, what cries for an abort, and start or completion."""
    number, plan_id = visit.state.get("order", ""), visit.state.get("plan", "")
    if not number:
        return (
            _to_issue(visit, plan_id)
            if plan_id
            else Html(f'<p class="quiet">{visit.say("board.choose")}</p>')
        )
    found = queries.get_work_order(visit.workbench, number)
    late = number in queries.get_overdue(visit.workbench)
    mark = f' <strong class="overdue">{visit.say("board.overdue")}</strong>' if late else ""
    figures = {
        "crew": Html(f"<bdi>{escape(found.crew)}</bdi>"),
        "plan": Html(f'<a href="decision_desk.ipynb#plan={escape(found.plan_id)}">{ltr(found.plan_id)}</a>'),
        "issued": Html(f"<bdi>{escape(found.issued_by)}</bdi> {visit.when(found.issued_at)}"),
        "window": Html(f"{visit.when(found.planned_from)} – {visit.when(found.planned_until)}"),
        "started": visit.when(found.started_at),
        "ended": visit.when(found.ended_at),
    }
    pairs = "".join(
        f"<div><dt>{visit.say(f'board.figure.{name}')}</dt><dd>{value}</dd></div>"
        for name, value in figures.items()
    )
    outcome = f"<p><bdi>{escape(found.outcome)}</bdi></p>" if found.outcome else ""
    return Html(
        f'<h2 id="order-head">{ltr(number)} '
        f"{visit.badge_of(found.state, visit.say(f'order.state.{found.state}'))}{mark}</h2>"
        f'<dl class="figures">{pairs}</dl>{outcome}{_cries(visit, found)}{_forward(visit, found)}'
        f'<p><a class="button" id="open-sheet" href="{visit.address(view="sheet")}">'
        f"{visit.say('sheet.open')}</a></p>"
    )


def _to_issue(visit: Visit, plan_id: str) -> Html:
    record = queries.get_plan(visit.workbench, plan_id).record
    head = (
        f'<h2 id="order-head">{ltr(plan_id)} <span class="quiet">{ltr(record.plan.transformer_id)}</span> '
        f"{visit.badge_of(record.state, visit.word('plan.state', record.state))}</h2>"
    )
    form = ""
    if record.state is PlanState.APPROVED and Role.OPERATOR in visit.user.roles:
        crew = visit.draft(f"issue:{plan_id}").get("crew", "")
        form = (
            f'<form id="issue" class="row" data-action="issue" data-fresh '
            f'data-draft="issue:{escape(plan_id)}">'
            f'<input type="hidden" name="plan" value="{escape(plan_id)}">'
            f'<input type="hidden" name="rev" value="{record.rev}">'
            f'<label>{visit.say("board.crew")} <input id="crew" name="crew" required maxlength="{CREW}" '
            f'value="{escape(crew)}"></label><button class="go">{visit.say("board.issue")}</button></form>'
            f'<p class="quiet">{visit.say("board.issue_note")}</p>'
        )
    reason = f'<p class="fault" dir="auto">{escape(record.reason)}</p>' if record.reason else ""
    return Html(f"{head}{reason}{form}{plan_sheet(visit)}")


def _cries(visit: Visit, found: WorkOrderRecord) -> Html:
    """Cry out every reading outside its range and every step that failed."""
    said = [
        f"<li>{visit.say('board.step', number=step.step.number)}: "
        f"{message_html(trigger, visit.language)}</li>"
        for step in found.steps
        if (trigger := abort_trigger(step.reading, step.step.reading_range))
    ]
    said += [
        f"<li>{visit.say('board.failed', number=step.step.number)} <bdi>{escape(step.remark)}</bdi></li>"
        for step in found.steps
        if step.state is StepState.FAILED
    ]
    if not said or found.state is not WorkOrderState.IN_PROGRESS:
        return Html()
    return Html(
        f'<div class="alarm" role="alert" id="cry">{visit.say("board.cry")}<ul>{"".join(said)}</ul></div>'
    )


def _forward(visit: Visit, found: WorkOrderRecord) -> Html:
    if Role.OPERATOR not in visit.user.roles:
        return Html(f'<p class="quiet">{visit.say("desk.reads")}</p>')
    kept = visit.draft(f"order:{found.work_order_id}")
    if found.state is WorkOrderState.OPEN:
        return Html(
            f'<form id="start" class="row" data-action="start" data-fresh>{hidden(found)}'
            f'<button class="go">{visit.say("board.start")}</button></form>'
        )
    ended = all(step.state in (StepState.COMPLETED, StepState.SKIPPED) for step in found.steps)
    if found.state is WorkOrderState.IN_PROGRESS and ended:
        return Html(
            f'<form id="complete" class="row" data-action="complete" '
            f'data-draft="order:{escape(found.work_order_id)}">{hidden(found)}'
            f'<label>{visit.say("board.outcome")} <input id="outcome" name="outcome" maxlength="{TEXT}" '
            f'value="{escape(kept.get("outcome", ""))}"></label>'
            f'<button class="go">{visit.say("board.complete")}</button></form>'
        )
    return Html()


def stop(visit: Visit) -> Html:
    """Draw what stops the chosen order or ends it after all: cancel, abort, settle."""
    number = visit.state.get("order", "")
    if not number or Role.OPERATOR not in visit.user.roles:
        return Html()
    found = queries.get_work_order(visit.workbench, number)
    file = queries.get_plan(visit.workbench, found.plan_id)
    if found.state is WorkOrderState.OPEN:
        return _stopping(visit, found, "cancel", {"": "board.cancel"})
    ways = {"back": "board.switched_back", "not_back": "board.not_switched_back"}
    back = (
        f"<h3>{visit.say('sheet.rollback')}</h3>{steps_table(visit, file.instruction.rollback)}"
        if file.instruction is not None
        else ""
    )
    if found.state is WorkOrderState.IN_PROGRESS:
        return _stopping(visit, found, "abort", ways, below=back)
    if found.state is WorkOrderState.ABORTED and file.record.state is PlanState.PARTIAL:
        ways = {"back": "board.settled_back", "not_back": "board.settled_done"}
        return _stopping(visit, found, "settle", ways, below=back)
    return Html()


def _stopping(
    visit: Visit, found: WorkOrderRecord, action: str, ways: dict[str, str], *, below: str = ""
) -> Html:
    number = escape(found.work_order_id)
    kept = visit.draft(f"{action}:{found.work_order_id}")
    buttons = "".join(
        f'<button class="stop" name="way" value="{way}">{visit.say(word)}</button>'
        for way, word in ways.items()
    )
    return Html(
        f'<details id="stopping-{action}"><summary>{visit.say(f"board.stop.{action}")}</summary>'
        f'<form id="{action}" class="row" data-action="{action}" data-draft="{action}:{number}">'
        f"{hidden(found)}"
        f'<label>{visit.say("desk.reason")} <input id="{action}-reason" name="reason" required '
        f'maxlength="{TEXT}" value="{escape(kept.get("reason", ""))}"></label>{buttons}</form>'
        f"{below}</details>"
    )


def hidden(found: WorkOrderRecord) -> Html:
    """Carry the order and the version that is shown."""
    return Html(
        f'<input type="hidden" name="order" value="{escape(found.work_order_id)}">'
        f'<input type="hidden" name="rev" value="{found.rev}">'
    )
