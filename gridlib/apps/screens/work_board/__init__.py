"""The work board: work orders by state, one of them step by step, and its sheet on paper."""

from gridlib.apps.html import Html
from gridlib.apps.screens.frame import place
from gridlib.apps.screens.visit import Screen, Visit
from gridlib.apps.screens.work_board import actions, board, order, printed, steps


def _layout(visit: Visit) -> Html:
    if visit.state.get("view") == "sheet":
        return Html(f'<div class="paper">{place("paper")}</div>')
    chosen = "".join(place(name) for name in ("order", "stop", "steps"))
    return Html(
        f'{place("board")}<section id="chosen" aria-label="{visit.text("board.chosen")}">{chosen}</section>'
    )


WORK_BOARD = Screen(
    "work_board",
    _layout,
    regions={
        "board": board.board,
        "order": order.order,
        "steps": steps.steps,
        "stop": order.stop,
        "paper": printed.paper,
    },
    later={"path": printed.path},
    actions={
        "issue": actions.issue,
        "start": actions.start,
        "instruct": actions.instruct,
        "step": actions.step,
        "complete": actions.complete,
        "abort": actions.abort,
        "settle": actions.settle,
        "cancel": actions.cancel,
    },
)
