"""The decision desk: a plan from draft to a completed work order, on one screen."""

import os
from collections.abc import Callable
from functools import partial

import ipywidgets as widgets
from IPython.display import display

from gridlib.adapters.records.plans import PlanRecord
from gridlib.adapters.records.work_orders import WorkOrderRecord
from gridlib.apps.html import Html, escape
from gridlib.apps.screens import plan_view
from gridlib.apps.screens.boundary import StatusLine, guarded, redrawn
from gridlib.domain.lifecycle import UNDONE_STEPS
from gridlib.facts.errors import InputError
from gridlib.facts.types import PlanState, StepState, WorkOrderState
from gridlib.workbench import Workbench
from gridlib.workflow import accounts, decisions, queries, workorders
from gridlib.workflow.queries import PlanFile

SHOWN_STATES = tuple(state for state in PlanState if state not in (PlanState.EXPIRED, PlanState.REJECTED))
Offer = tuple[str, str, Callable[[], str]]
"""A button: its words, its kind (go, stop or neither), and what it does."""

_WIDE = widgets.Layout(width="98%")


class DecisionDesk:
    """Widgets of the decision desk and what their buttons do.

    Every press goes to a workflow function, which checks user, role, state and proof in its own
    transaction; what is enabled here is a help for the eye, never a control.
    """

    def __init__(self, workbench: Workbench, username: str) -> None:
        self.workbench = workbench
        self.user = accounts.get_user(workbench, username)
        self.status = StatusLine()
        self.header = widgets.HTML()
        self.choice = widgets.Select(description="", rows=10, layout=_WIDE)
        self.view = widgets.VBox([])
        self.actions = widgets.HBox([], layout=widgets.Layout(flex_flow="row wrap", grid_gap="8px"))
        self.reason = _text("Reason, crew, reading or remark")
        self.choice.observe(self._chosen, names="value")
        self.refresh()

    def panel(self) -> widgets.Widget:
        """Arrange the screen."""
        left = widgets.VBox(
            [_heading("Plans"), self.choice, _heading("Your action"), self.reason, self.actions, self.status],
            layout=widgets.Layout(flex="1 1 320px"),
        )
        right = widgets.VBox([self.view], layout=widgets.Layout(flex="3 1 600px", min_width="0"))
        body = widgets.HBox(
            [left, right],
            layout=widgets.Layout(flex_flow="row wrap", align_items="flex-start", grid_gap="24px"),
        )
        return widgets.VBox([widgets.HTML(plan_view.STYLE), self.header, body])

    def refresh(self) -> None:
        """Redraw from the store; the chosen plan stays chosen."""
        chosen = self.choice.value
        records = queries.get_plans(self.workbench, states=SHOWN_STATES)
        levels = plan_view.levels(self.workbench)
        options = _options(records, levels)
        self.choice.options = options
        known = [plan_id for _, plan_id in options]
        self.choice.value = chosen if chosen in known else (known[0] if known else None)
        self.header.value = plan_view.header(self.workbench, self.user)
        self._draw()

    def _chosen(self, _: object) -> None:
        redrawn(self._draw, self.status)

    def _draw(self) -> None:
        chosen = self.choice.value
        if chosen is None:
            self.view.children = [widgets.HTML("<p>Nothing is at risk and no plan waits.</p>")]
            self.actions.children = []
        elif chosen in plan_view.levels(self.workbench):
            self._show(plan_view.sections_without_plan(self.workbench, chosen))
            self.actions.children = self._offer(self._alert_buttons(chosen))
        else:
            file = queries.get_plan(self.workbench, chosen)
            self._show(plan_view.sections(self.workbench, file))
            self.actions.children = self._offer(self._plan_buttons(file))

    def _show(self, sections: list[tuple[str, Html]]) -> None:
        title, first = sections[0]
        accordion = widgets.Accordion([widgets.HTML(body) for _, body in sections[1:]])
        accordion.titles = [name for name, _ in sections[1:]]
        self.view.children = [_heading(title), widgets.HTML(first), accordion]

    def _offer(self, offered: list[Offer]) -> list[widgets.Button]:
        buttons = [_button(label, kind) for label, kind, _ in offered]
        for button, (_, _, action) in zip(buttons, offered, strict=True):
            button.on_click(guarded(action, self.status, buttons, self.refresh))
        return buttons

    def _plan_buttons(self, file: PlanFile) -> list[Offer]:
        plan_id = file.record.plan_id
        offered: list[Offer] = []
        match file.record.state:
            case PlanState.DRAFT:
                offered = [
                    ("Approve", "go", partial(self._approve, plan_id)),
                    ("Reject (with reason)", "stop", partial(self._reject, plan_id)),
                ]
            case PlanState.APPROVED:
                offered = [("Create work order (for crew)", "go", partial(self._issue, plan_id))]
            case PlanState.ISSUED:
                offered = self._order_buttons(file.work_orders[-1])
            case PlanState.PARTIAL:
                number = file.work_orders[-1].work_order_id
                offered = [
                    ("Settle: switched back", "stop", partial(self._settle, number, switched_back=True)),
                    ("Settle: carried out", "stop", partial(self._settle, number, switched_back=False)),
                ]
        return offered + self._alert_buttons(file.record.plan.transformer_id)

    def _alert_buttons(self, transformer_id: str) -> list[Offer]:
        if transformer_id not in queries.get_queue(self.workbench).unacknowledged:
            return []
        return [(f"Acknowledge {transformer_id}", "", partial(self._acknowledge, transformer_id))]

    def _order_buttons(self, order: WorkOrderRecord) -> list[Offer]:
        number = order.work_order_id
        if order.state is WorkOrderState.OPEN:
            return [
                (f"Start {number}", "go", partial(self._start, number)),
                ("Cancel (with reason)", "stop", partial(self._cancel, number)),
            ]
        stop: list[Offer] = [
            ("Abort, switched back", "stop", partial(self._abort, number, switched_back=True)),
            ("Abort, not switched back", "stop", partial(self._abort, number, switched_back=False)),
        ]
        if any(s.state is StepState.FAILED for s in order.steps):
            return stop
        waiting = next((s.step for s in order.steps if s.state in UNDONE_STEPS), None)
        if waiting is None:
            return [(f"Complete {number}", "go", partial(self._complete, number)), *stop]
        at = waiting.number
        offered: list[Offer] = [
            (f"Step {at} completed", "go", partial(self._step, number, at, StepState.COMPLETED)),
            (f"Step {at} failed", "stop", partial(self._step, number, at, StepState.FAILED)),
        ]
        if not (waiting.switching or waiting.hold_point or waiting.needs_reading):
            offered.append((f"Skip step {at}", "", partial(self._step, number, at, StepState.SKIPPED)))
        return offered + stop

    def _words(self) -> str:
        return str(self.reason.value).strip()

    def _said(self, message: str) -> str:
        self.reason.value = ""
        return message

    def _approve(self, plan_id: str) -> str:
        decisions.approve(self.workbench, plan_id, by=self.user.username)
        return self._said(
            f"{plan_id} approved by {self.user.username}. Another operator may create the work order."
        )

    def _reject(self, plan_id: str) -> str:
        decisions.reject(self.workbench, plan_id, by=self.user.username, reason=self._words())
        return self._said(f"{plan_id} rejected by {self.user.username}.")

    def _acknowledge(self, transformer_id: str) -> str:
        decisions.acknowledge(self.workbench, transformer_id, by=self.user.username, note=self._words())
        return self._said(f"{transformer_id} acknowledged by {self.user.username}.")

    def _issue(self, plan_id: str) -> str:
        order = workorders.issue(self.workbench, plan_id, by=self.user.username, crew=self._words())
        return self._said(f"{order.work_order_id} created for {order.crew}.")

    def _start(self, number: str) -> str:
        workorders.start(self.workbench, number, by=self.user.username)
        return self._said(f"{number} started.")

    def _step(self, number: str, at: int, outcome: StepState) -> str:
        words = self._words()
        waiting = queries.get_work_order(self.workbench, number).steps[at - 1].step
        if outcome is StepState.COMPLETED and waiting.needs_reading and not words:
            raise InputError(f"step {at} asks for a reading", what_to_do="Write it down first.")
        order = workorders.record_step(
            self.workbench,
            number,
            at,
            outcome,
            by=self.user.username,
            reading=words if outcome is StepState.COMPLETED else "",
            remark=words if outcome is not StepState.COMPLETED else "",
        )
        return self._said(f"{number}: step {at} {outcome}. {order.steps[at - 1].remark}")

    def _complete(self, number: str) -> str:
        workorders.complete(self.workbench, number, by=self.user.username, outcome=self._words())
        return self._said(f"{number} completed.")

    def _cancel(self, number: str) -> str:
        workorders.cancel(self.workbench, number, by=self.user.username, reason=self._words())
        return self._said(f"{number} cancelled; its plan is a draft again.")

    def _abort(self, number: str, *, switched_back: bool) -> str:
        workorders.abort(
            self.workbench, number, by=self.user.username, reason=self._words(), switched_back=switched_back
        )
        return self._said(f"{number} aborted.")

    def _settle(self, number: str, *, switched_back: bool) -> str:
        workorders.settle(
            self.workbench, number, by=self.user.username, reason=self._words(), switched_back=switched_back
        )
        return self._said(f"{number} settled.")


def show(workbench: Workbench) -> None:
    """Show the decision desk for the person who opened it.

    Raises
    ------
    InputError
        The screen was not opened by 'gridlib serve'.
    """
    username = os.environ.get("GRIDLIB_ACTING_USER", "")
    if not username:
        raise InputError("nobody acts here", what_to_do="Open the screen with 'gridlib serve'.")
    display(DecisionDesk(workbench, username).panel())  # type: ignore[no-untyped-call]


def _options(records: list[PlanRecord], levels: dict[str, tuple[int, str]]) -> list[tuple[str, str]]:
    """List plans, and transformers at risk that have none, worst transformer first, best plan first."""
    last = (len(levels), "")
    rows = [
        (levels.get(r.plan.transformer_id, last)[0], r.plan.rank, _label(r, levels), r.plan_id)
        for r in records
    ]
    planned = {record.plan.transformer_id for record in records}
    chosen = [r for r in records if r.plan.rank == 1 or r.state is not PlanState.DRAFT]
    relieved = {name: f"relieved by {r.plan_id}" for r in chosen for name in r.plan.relieves}
    rows += [
        (place, 0, f"{name} {level} · {relieved.get(name, 'no transfer helps')}", name)
        for name, (place, level) in levels.items()
        if level != "LOW" and name not in planned
    ]
    return [(label, key) for _, _, label, key in sorted(rows)]


def _label(record: PlanRecord, levels: dict[str, tuple[int, str]]) -> str:
    name = record.plan.transformer_id
    level = levels.get(name, (0, ""))[1]
    return f"{name} {level} · {record.plan_id} · rank {record.plan.rank} · {record.state}"


def _heading(text: str) -> widgets.HTML:
    return widgets.HTML(Html(f"<h2>{escape(text)}</h2>"))


def _text(placeholder: str) -> widgets.Text:
    box = widgets.Text(placeholder=placeholder, layout=_WIDE, continuous_update=True)
    box.tooltip = placeholder
    return box


def _button(label: str, kind: str) -> widgets.Button:
    button = widgets.Button(description=label, layout=widgets.Layout(width="auto"))
    button.add_class("gridlib-button")
    if kind:
        button.add_class(f"gridlib-{kind}")
    return button
