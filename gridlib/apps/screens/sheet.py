"""A switching sheet on the screen: steps, checklist, the way back, and what makes the crew stop."""

from collections.abc import Sequence

from gridlib.apps.html import Html, escape
from gridlib.apps.screens.frame import ltr
from gridlib.apps.screens.visit import Visit
from gridlib.facts.sheets import Step
from gridlib.workflow import queries

ENGLISH = 'lang="en" dir="auto"'
"""Sheets are written in one language, whatever the reader's."""


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
        f"<p {ENGLISH}>{escape(sheet.purpose)}</p>{steps_table(visit, sheet.steps)}"
        f"{sentences(sheet.notes)}</details>"
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


def _folded(visit: Visit, name: str, lines: Sequence[str]) -> str:
    return (
        f'<details id="{name}"><summary>{visit.say(f"sheet.{name}")} ({len(lines)})</summary>'
        f"{sentences(lines)}</details>"
    )


def sentences(lines: Sequence[str]) -> Html:
    """List sentences of a sheet."""
    return Html(f"<ul {ENGLISH}>{''.join(f'<li>{escape(line)}</li>' for line in lines)}</ul>")


def steps_table(visit: Visit, steps: Sequence[Step]) -> Html:
    """Draw the lines of a sheet, with what is expected and what to do if it fails."""
    rows = "".join(
        f'<tr><td class="number">{ltr(step.number)}</td><th scope="row">{action_of(visit, step)}</th>'
        f"<td {ENGLISH}>{escape(step.text)}</td><td {ENGLISH}>{escape(step.expected)}</td>"
        f"<td {ENGLISH}>{escape(step.if_it_fails)}</td></tr>"
        for step in steps
    )
    names = ("number", "what", "do", "expect", "fails")
    head = "".join(f'<th scope="col">{visit.say(f"sheet.step.{name}")}</th>' for name in names)
    return Html(
        f'<div class="wide" tabindex="0" role="region" aria-label="{visit.text("sheet.steps")}">'
        f'<table class="steps"><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>'
    )


def action_of(visit: Visit, step: Step) -> Html:
    """Name what a step does to which device, and whether the sheet stops there."""
    hold = f' <strong class="hold">{visit.say("sheet.hold")}</strong>' if step.hold_point else ""
    words = "" if hold and step.verb == "HOLD" else f"{step.verb} {step.device}".strip()
    return Html(f"{ltr(words)}{hold}")
