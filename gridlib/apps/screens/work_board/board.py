"""All orders at a glance, in columns by what they wait for."""

from collections.abc import Iterable

from gridlib.adapters.records.plans import PlanRecord
from gridlib.adapters.records.work_orders import WorkOrderRecord
from gridlib.apps.html import Html, escape
from gridlib.apps.screens.frame import ltr
from gridlib.apps.screens.visit import Visit
from gridlib.domain.lifecycle import UNDONE_STEPS
from gridlib.facts.types import WorkOrderState
from gridlib.workflow import queries

_ENDED_SHOWN = 12


def board(visit: Visit) -> Html:
    """Draw the columns: to issue, open, in progress, to settle, ended."""
    queue = queries.get_queue(visit.workbench)
    ended = [
        order
        for order in reversed(queries.get_work_orders(visit.workbench))
        if order.ended_at is not None
        and order.work_order_id not in {unsettled.work_order_id for unsettled in queue.unsettled}
    ]
    by_state = {
        state: [order for order in queue.orders if order.state is state]
        for state in (WorkOrderState.OPEN, WorkOrderState.IN_PROGRESS)
    }
    columns = (
        ("to_issue", [_plan_card(visit, record) for record in queue.approved]),
        ("open", _cards(visit, by_state[WorkOrderState.OPEN], queue.overdue)),
        ("in_progress", _cards(visit, by_state[WorkOrderState.IN_PROGRESS], queue.overdue)),
        ("to_settle", _cards(visit, queue.unsettled, ())),
        ("ended", _cards(visit, ended[:_ENDED_SHOWN], ())),
    )
    drawn = "".join(
        f'<section class="column {name}"><h2>{visit.say(f"board.{name}")} '
        f'<span class="quiet">{ltr(len(cards))}</span></h2>'
        f'<ul class="cards" data-rows>{"".join(cards)}</ul></section>'
        for name, cards in columns
    )
    return Html(f'<div class="board">{drawn}</div>')


def _plan_card(visit: Visit, record: PlanRecord) -> str:
    plan = record.plan
    return _card(
        visit,
        record.plan_id,
        {"plan": record.plan_id, "order": ""},
        f"<strong>{ltr(record.plan_id)}</strong> {ltr(plan.transformer_id)}<br>"
        f"{visit.say('board.approved_by', by=record.approved_by or '')}<br>"
        f"{visit.say('board.switch_at')} {visit.when(plan.switch_at)}",
        chosen=visit.state.get("plan") == record.plan_id and not visit.state.get("order"),
    )


def _cards(visit: Visit, orders: Iterable[WorkOrderRecord], overdue: Iterable[str]) -> list[str]:
    late = set(overdue)
    return [
        _card(
            visit,
            order.work_order_id,
            {"order": order.work_order_id, "plan": ""},
            f"<strong>{ltr(order.work_order_id)}</strong> {_mark(visit, order.work_order_id in late)}<br>"
            f"<bdi>{escape(order.crew)}</bdi><br>{_progress(visit, order)}",
            chosen=visit.state.get("order") == order.work_order_id,
        )
        for order in orders
    ]


def _mark(visit: Visit, late: bool) -> Html:
    return Html(f'<strong class="overdue">{visit.say("board.overdue")}</strong>' if late else "")


def _progress(visit: Visit, order: WorkOrderRecord) -> Html:
    if order.ended_at is not None:
        return Html(f"{visit.say(f'order.state.{order.state}')} {visit.when(order.ended_at)}")
    done = sum(step.state not in UNDONE_STEPS for step in order.steps)
    until = f" · {visit.say('board.until')} {visit.when(order.planned_until)}" if order.planned_until else ""
    return Html(f"{visit.say('board.progress', done=done, all=len(order.steps))}{until}")


def _card(visit: Visit, name: str, choice: dict[str, str], words: str, *, chosen: bool) -> str:
    current = " aria-current=true" if chosen else ""
    return (
        f'<li class="card"><a id="card-{escape(name)}" data-row href="{visit.address(**choice)}"{current}>'
        f"{words}</a></li>"
    )
