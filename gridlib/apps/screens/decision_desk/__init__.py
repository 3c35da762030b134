"""The decision desk: which plans wait, what each does to both sides, and the decision on it."""

from gridlib.apps.html import Html
from gridlib.apps.screens.decision_desk import actions, case, evidence, plan, waiting
from gridlib.apps.screens.frame import place
from gridlib.apps.screens.sheet import plan_sheet
from gridlib.apps.screens.visit import Screen, Visit


def _layout(visit: Visit) -> Html:
    chosen = "".join(
        place(name) for name in ("plan", "decide", "why", "evidence", "sketches", "sheet", "case")
    )
    return Html(
        f'<div class="desk"><section aria-label="{visit.text("desk.list")}">'
        f"{place('filters')}{place('waiting')}</section>"
        f'<section id="chosen" aria-label="{visit.text("desk.chosen")}">{chosen}</section></div>'
    )


DECISION_DESK = Screen(
    "decision_desk",
    _layout,
    regions={
        "filters": waiting.filters,
        "waiting": waiting.waiting,
        "plan": plan.plan,
        "decide": plan.decide,
        "why": plan.why,
        "evidence": evidence.evidence,
        "sketches": evidence.sketches,
        "sheet": plan_sheet,
        "case": case.case,
    },
    later={"pictures": evidence.pictures},
    actions={
        "approve": actions.approve,
        "refuse": actions.refuse,
        "return": actions.ask_return,
    },
)
