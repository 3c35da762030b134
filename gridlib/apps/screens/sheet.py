"""A switching sheet on the screen: steps, checklist, the way back, and what makes the crew stop."""

from collections.abc import Sequence
from itertools import groupby

from gridlib.apps.html import Html, escape
from gridlib.apps.message_html import message_html, messages_html
from gridlib.apps.screens.frame import ltr
from gridlib.apps.screens.visit import Visit
from gridlib.facts.messages import Message
from gridlib.facts.sheets import Step
from gridlib.workflow import queries


def plan_sheet(visit: Visit) -> Html:
    """Draw the sheet of the chosen plan, folded."""
    plan_id = visit.state.get("plan", "")
    if not plan_id:
        return Html()
    sheet = queries.get_plan(visit.workbench, plan_id).instruction
    if sheet is None:
        return Html(f'<p class="quiet">{visit.say("sheet.none")}</p>')
    steps = (
        f'<details id="steps"><summary>{visit.say("sheet.steps")} ({len(sheet.steps)})</summary>'
        f"<p>{message_html(sheet.purpose, visit.language)}</p>{steps_table(visit, sheet.steps)}"
        f"{messages_html(sheet.notes, visit.language)}</details>"
    )
    back = (
        f'<details id="rollback"><summary>{visit.say("sheet.rollback")} ({len(sheet.rollback)})</summary>'
        f"{steps_table(visit, sheet.rollback)}</details>"
    )
    return Html(
        f"<h3>{visit.say('sheet.head', version=sheet.version)}</h3>{steps}"
        f"{_folded(visit, 'checklist', sheet.checklist)}"
        f"{_folded(visit, 'triggers', sheet.abort_triggers)}{back}"
        f'<p><a class="button" href="work_board.ipynb#plan={escape(plan_id)}&amp;view=sheet">'
        f"{visit.say('sheet.open')}</a></p>"
    )


def _folded(visit: Visit, name: str, lines: Sequence[Message]) -> str:
    return (
        f'<details id="{name}"><summary>{visit.say(f"sheet.{name}")} ({len(lines)})</summary>'
        f"{messages_html(lines, visit.language)}</details>"
    )


def steps_table(visit: Visit, steps: Sequence[Step]) -> Html:
    """Draw the lines of a sheet, with what is expected and what to do if it fails."""
    names = ("number", "what", "do", "expect", "fails")

    def row(step: Step) -> str:
        said = (step.text, step.expected, step.if_it_fails)
        cells = "".join(f"<td>{message_html(message, visit.language)}</td>" for message in said)
        return (
            f'<tr><td class="number">{ltr(step.number)}</td><th scope="row">{action_of(visit, step)}</th>'
            f"{cells}</tr>"
        )

    rows = by_phase(visit, [(step, row(step)) for step in steps], len(names))
    head = "".join(f'<th scope="col">{visit.say(f"sheet.step.{name}")}</th>' for name in names)
    return Html(
        f'<div class="wide" tabindex="0" role="region" aria-label="{visit.text("sheet.steps")}">'
        f'<table class="steps"><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>'
    )


def action_of(visit: Visit, step: Step) -> Html:
    """Name what a step does to which device, and whether the sheet stops there."""
    hold = f' <strong class="hold">{visit.say("sheet.hold")}</strong>' if step.hold_point else ""
    verb = "" if hold and step.verb == "HOLD" else visit.word("verb", step.verb)
    device = f" {ltr(step.device)}" if step.device else ""
    return Html(f"{verb}{device}{hold}")


def by_phase(visit: Visit, rows: Sequence[tuple[Step, str]], columns: int) -> Html:
    """Put the name of each phase above the rows of its steps, where there is more than one."""
    if len({step.phase for step, _ in rows}) <= 1:
        return Html("".join(row for _, row in rows))
    groups = (
        f'<tr class="phase"><th colspan="{columns}" scope="colgroup">{visit.word("phase", phase)}</th></tr>'
        f"{''.join(row for _, row in group)}"
        for phase, group in groupby(rows, key=lambda pair: pair[0].phase)
    )
    return Html("".join(groups))
