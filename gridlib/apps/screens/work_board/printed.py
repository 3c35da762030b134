"""The switching sheet as it is printed and signed: A4, black on white, with columns to fill in by hand."""

from collections.abc import Sequence
from datetime import datetime

from gridlib.adapters.records.plans import PlanRecord
from gridlib.adapters.records.work_orders import StepRecord, WorkOrderRecord
from gridlib.apps.html import MISSING, Html, escape
from gridlib.apps.message_html import message_html, messages_html
from gridlib.apps.screens.frame import ltr, place
from gridlib.apps.screens.sheet import action_of, by_phase
from gridlib.apps.screens.visit import Visit
from gridlib.apps.study.pictures import draw_picture
from gridlib.facts.errors import NotFoundError, RefusedError
from gridlib.facts.messages import Message
from gridlib.facts.sheets import Instruction, Step
from gridlib.workflow import queries
from gridlib.workflow.queries import PlanFile

_SIGNED = ("prepared", "checked", "approved", "issued", "crew", "returned")


def paper(visit: Visit) -> Html:
    """Draw the sheet of the chosen order, or of the chosen plan before it has one."""
    if visit.state.get("view") != "sheet":
        return Html()
    found, file = _chosen(visit)
    if file is None:
        return Html(f'<p class="quiet">{visit.say("board.choose")}</p>')
    bar = (
        f'<p class="screen-only row"><button type="button" class="go" data-print>{visit.say("sheet.print")}'
        f'</button> <a class="button" href="{visit.address(view="")}">{visit.say("sheet.back")}</a></p>'
    )
    sheet = file.instruction
    if sheet is None:
        return Html(f'{bar}<p class="fault">{visit.say("sheet.none")}</p>')
    steps = found.steps if found is not None else ()
    language = visit.language
    return Html(
        f'{bar}<article class="print">{_head(visit, file.record, found, sheet)}'
        f"<p><strong>{message_html(sheet.title, language)}</strong> "
        f"{message_html(sheet.purpose, language)}</p>"
        f"<h3>{visit.say('sheet.positions')}</h3>{messages_html(sheet.positions, language)}"
        f"{place('path')}"
        f"<h3>{visit.say('sheet.checklist')}</h3>{_boxes(visit, sheet.checklist)}"
        f"<h3>{visit.say('sheet.steps')}</h3>{_lines(visit, sheet.steps, steps)}"
        f"<h3>{visit.say('sheet.triggers')}</h3>"
        f'<div class="triggers">{messages_html(sheet.abort_triggers, language)}</div>'
        f'<section class="back"><h3>{visit.say("sheet.rollback")}</h3>{_lines(visit, sheet.rollback, ())}'
        f"</section>{messages_html(sheet.notes, language)}{_signatures(visit)}</article>"
    )


def path(visit: Visit) -> Html:
    """Draw the network around the plan before and after."""
    _, file = _chosen(visit)
    if file is None or visit.memory is None:
        return Html()
    try:
        drawn = Html(
            draw_picture(
                visit.workbench, visit.memory, "path", plan_id=file.record.plan_id, language=visit.language
            )
        )
    except (NotFoundError, RefusedError):
        return Html(f'<p class="quiet">{visit.say("desk.no_picture")}</p>')
    return Html(f'<div class="picture" tabindex="0">{drawn}</div>')


def _chosen(visit: Visit) -> tuple[WorkOrderRecord | None, PlanFile | None]:
    number, plan_id = visit.state.get("order", ""), visit.state.get("plan", "")
    found = queries.get_work_order(visit.workbench, number) if number else None
    if found is not None:
        plan_id = found.plan_id
    return found, queries.get_plan(visit.workbench, plan_id) if plan_id else None


def _head(visit: Visit, record: PlanRecord, found: WorkOrderRecord | None, sheet: Instruction) -> Html:
    def person(name: str | None, at: object = None) -> Html:
        when = f" {visit.when(at)}" if at is not None else ""  # type: ignore[arg-type]
        return Html(f"<bdi>{escape(name or MISSING)}</bdi>{when}")

    number = found.work_order_id if found is not None else MISSING
    facts = {
        "order": ltr(number),
        "plan": ltr(f"{record.plan_id} · v{sheet.version}"),
        "reason": Html(f"{ltr(record.plan.transformer_id)} · {visit.when(record.plan.needed_from)}"),
        "prepared": person(sheet.prepared_by or record.prepared_by, sheet.prepared_at),
        "checked": Html("&nbsp;"),
        "approved": person(record.approved_by),
        "issued": person(found.issued_by, found.issued_at) if found is not None else person(None),
        "crew": person(found.crew if found is not None else None),
        "window": Html(f"{visit.when(sheet.window_from)} – {visit.when(sheet.window_until)}"),
        "drafted": Html(f"<bdi>{visit.word('sheet.drafted', sheet.drafted_by)}</bdi>"),
    }
    cells = "".join(
        f"<div><dt>{visit.say(f'sheet.fact.{name}')}</dt><dd>{value}</dd></div>"
        for name, value in facts.items()
    )
    site = visit.workbench.settings.site
    return Html(
        f'<header class="sheet-head"><h2>{visit.say("sheet.title")} {ltr(number)}</h2>'
        f"<p><bdi>{escape(site.name)}</bdi> · {visit.say('sheet.times', tz=site.tz)}</p></header>"
        f"<dl>{cells}</dl>"
    )


def _boxes(visit: Visit, lines: Sequence[Message]) -> Html:
    items = "".join(f"<li>☐ {message_html(line, visit.language)}</li>" for line in lines)
    return Html(f'<ul class="boxes">{items}</ul>')


def _lines(visit: Visit, lines: Sequence[Step], records: Sequence[StepRecord]) -> Html:
    """Draw the lines with what is known already; the rest is left blank to be written by hand."""
    done = {record.step.number: record for record in records}
    names = ("number", "what", "do", "by_hand.ordered", "by_hand.done", "reading", "by_hand.sign")
    head = "".join(f'<th scope="col">{visit.say(f"sheet.step.{name}")}</th>' for name in names)
    rows = []
    for step in lines:
        record = done.get(step.number)
        told = _clock(visit, record.instructed_at) if record else ""
        ended = _clock(visit, record.ended_at) if record else ""
        read = f"<bdi>{escape(record.reading)}</bdi>" if record else ""
        hold = f'<tr class="holds"><td colspan="7">{visit.say("sheet.hold_line")}</td></tr>'
        drawn = (
            f'<tr><td class="number">{ltr(step.number)}</td><th scope="row">{action_of(visit, step)}</th>'
            f"<td>{message_html(step.text, visit.language)} "
            f"<em>{message_html(step.expected, visit.language)}</em></td>"
            f"<td>{told}</td><td>{ended}</td><td>{read}</td><td></td></tr>{hold if step.hold_point else ''}"
        )
        rows.append((step, drawn))
    body = by_phase(visit, rows, len(names))
    return Html(f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>")


def _clock(visit: Visit, moment: datetime | None) -> Html:
    return Html() if moment is None else ltr(f"{visit.local(moment):%H:%M}")


def _signatures(visit: Visit) -> Html:
    boxes = "".join(f"<div><dt>{visit.say(f'sheet.sign.{name}')}</dt><dd></dd></div>" for name in _SIGNED)
    return Html(f'<dl class="signatures">{boxes}</dl>')
