"""Work orders: issue, move on by the table of states, end their steps."""

from typing import Annotated, Any, Literal

from pydantic import Field

from gridlib.adapters.records.work_orders import WorkOrderRecord
from gridlib.apps.api.fields import Body, Line, MaybeUtc, Moment, Name, Page, PageQuery, Sentence, Utc, View
from gridlib.apps.api.operation import Answer, Call, Operation, address
from gridlib.apps.api.pages import cut
from gridlib.apps.api.sheets import SheetStepView
from gridlib.facts.errors import NotFoundError
from gridlib.facts.types import Role, StepState, WorkOrderState
from gridlib.workflow import listings, queries, workorders

ORDER_PATH = "/api/ops/workorders/{work_order_id}/"


class StepView(View):
    """A step of an issued sheet and what became of it."""

    step: SheetStepView
    state: StepState
    instructed_by: str | None
    instructed_to: str | None
    instructed_at: MaybeUtc
    ended_by: str | None
    ended_at: MaybeUtc
    reading: str
    remark: str


class OrderSummary(View):
    """A work order in a list."""

    work_order_id: str
    plan_id: str
    state: WorkOrderState
    rev: int = Field(description="Grows with every change; the ETag of the order.")
    crew: str
    issued_by: str
    issued_at: Utc
    started_at: MaybeUtc
    ended_at: MaybeUtc
    planned_from: MaybeUtc
    planned_until: MaybeUtc
    outcome: str
    changed_by: str
    changed_at: Utc


class OrderView(OrderSummary):
    """A work order with its steps."""

    steps: list[StepView]


class OrdersQuery(PageQuery):
    """Which work orders."""

    state: list[WorkOrderState] = Field(default=[], description="Only in these states.")
    plan_id: Name | None = Field(default=None, description="Only of this plan.")
    time_from: Moment | None = Field(default=None, description="Issued at this time or later.")
    time_to: Moment | None = Field(default=None, description="Issued before this time.")


class NewOrder(Body):
    """A work order to be issued."""

    plan_id: Name = Field(description="An approved plan.")
    crew: Sentence = Field(description="Who goes out.")


class Start(Body):
    """To start an open order; its plan is proved again."""

    state: Literal[WorkOrderState.IN_PROGRESS]


class Complete(Body):
    """To close an order whose steps have all ended."""

    state: Literal[WorkOrderState.COMPLETED]
    outcome: Line = Field(default="", description="A closing remark.")


class Cancel(Body):
    """To withdraw an open order."""

    state: Literal[WorkOrderState.CANCELLED]
    reason: Sentence


class Abort(Body):
    """To stop an order in progress."""

    state: Literal[WorkOrderState.ABORTED]
    reason: Sentence
    switched_back: bool = Field(description="Whether the rollback was carried out.")


class Reopen(Body):
    """To open an order again: the table of states has no such move, so it is refused."""

    state: Literal[WorkOrderState.OPEN]


Move = Annotated[Start | Complete | Cancel | Abort | Reopen, Field(discriminator="state")]


class Instruct(Body):
    """To order a step, which the receiver has repeated in full."""

    state: Literal[StepState.INSTRUCTED]
    to: Sentence = Field(description="Who was told.")


class StepDone(Body):
    """That a step was carried out."""

    state: Literal[StepState.COMPLETED]
    reading: Line = Field(default="", description="What was read.")
    remark: Line = ""


class StepNotDone(Body):
    """That a step failed, or was skipped, and why."""

    state: Literal[StepState.FAILED, StepState.SKIPPED]
    remark: Sentence
    reading: Line = Field(default="", description="What was read.")


StepMove = Annotated[Instruct | StepDone | StepNotDone, Field(discriminator="state")]


class Settlement(Body):
    """How an aborted order has ended after all."""

    reason: Sentence
    switched_back: bool = Field(description="True: switched back; false: carried out to its end.")


def list_orders(call: Call[OrdersQuery, None]) -> Answer:
    """List work orders, oldest first."""
    query = call.query
    found = listings.list_work_orders(
        call.workbench,
        plan_id=query.plan_id or "",
        states=query.state,
        since=query.time_from,
        until=query.time_to,
        after=query.after or "",
        limit=query.limit + 1,
    )
    shown, after = cut(found, query.limit, lambda order: order.work_order_id)
    items = [OrderSummary.model_validate(order) for order in shown]
    return Answer(Page[OrderSummary](items=items, next=call.next_page(after)))


def issue_order(call: Call[Any, NewOrder]) -> Answer:
    """Issue a work order of an approved plan that still holds; its number is taken here."""
    order = workorders.issue(
        call.workbench, call.body.plan_id, by=call.username, crew=call.body.crew, rev=call.rev
    )
    location = address(ORDER_PATH, work_order_id=order.work_order_id)
    return Answer(OrderView.model_validate(order), rev=order.rev, location=location)


def get_order(call: Call[Any, None]) -> Answer:
    """Look at a work order with its steps."""
    return _order(queries.get_work_order(call.workbench, call.names["work_order_id"]))


def move_order(call: Call[Any, Any]) -> Answer:
    """Start, complete, cancel or abort a work order.

    Every move that the table of states does not have is refused with 409, which names those it has.
    """
    workbench, name, move = call.workbench, call.names["work_order_id"], call.body
    asked: dict[str, Any] = {"by": call.username, "rev": call.rev}
    match move:
        case Start():
            order = workorders.start(workbench, name, **asked)
        case Complete():
            order = workorders.complete(workbench, name, outcome=move.outcome, **asked)
        case Cancel():
            order = workorders.cancel(workbench, name, reason=move.reason, **asked)
        case Abort():
            order = workorders.abort(
                workbench, name, reason=move.reason, switched_back=move.switched_back, **asked
            )
        case _:
            order = workorders.reopen(workbench, name, **asked)
    return _order(order)


def settle_order(call: Call[Any, Settlement]) -> Answer:
    """Say how an aborted order that was not switched back has ended after all."""
    order = workorders.settle(
        call.workbench,
        call.names["work_order_id"],
        by=call.username,
        reason=call.body.reason,
        switched_back=call.body.switched_back,
        rev=call.rev,
    )
    return _order(order)


def list_steps(call: Call[Any, None]) -> Answer:
    """List the steps of a work order and what became of them."""
    order = queries.get_work_order(call.workbench, call.names["work_order_id"])
    steps = [StepView.model_validate(step) for step in order.steps]
    return Answer(Page[StepView](items=steps, next=None), rev=order.rev)


def move_step(call: Call[Any, Any]) -> Answer:
    """Instruct a step, or say how it ended; in the order of the sheet."""
    workbench, name, move = call.workbench, call.names["work_order_id"], call.body
    asked: dict[str, Any] = {"by": call.username, "rev": call.rev}
    number = _number(call.names["number"], name)
    if isinstance(move, Instruct):
        return _order(workorders.instruct_step(workbench, name, number, to=move.to, **asked))
    order = workorders.record_step(
        workbench, name, number, move.state, reading=move.reading, remark=move.remark, **asked
    )
    return _order(order)


def _number(text: str, order: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) <= 4):
        raise NotFoundError(f"step of {order}", text, what_to_do=f"See the steps of {order}.")
    return int(text)


def _order(order: WorkOrderRecord) -> Answer:
    return Answer(OrderView.model_validate(order), rev=order.rev)


_MOVED: dict[str, Any] = {"answer": OrderView, "role": Role.OPERATOR, "versioned": True}

OPERATIONS = (
    Operation("GET", "/api/ops/workorders/", list_orders, Page[OrderSummary], query=OrdersQuery),
    Operation("POST", "/api/ops/workorders/", issue_order, body=NewOrder, status=201, **_MOVED),
    Operation("GET", ORDER_PATH, get_order, OrderView),
    Operation("PATCH", ORDER_PATH, move_order, body=Move, **_MOVED),
    Operation("POST", f"{ORDER_PATH}settle/", settle_order, body=Settlement, **_MOVED),
    Operation("GET", f"{ORDER_PATH}steps/", list_steps, Page[StepView]),
    Operation("PATCH", f"{ORDER_PATH}steps/{{number}}/", move_step, body=StepMove, **_MOVED),
)
