"""Load-transfer plans and the decisions on them."""

from dataclasses import replace
from typing import Any

from pydantic import Field

from gridlib.adapters.records.plans import PlanRecord
from gridlib.apps.api.fields import (
    Body,
    MaybeUtc,
    Moment,
    Name,
    Number,
    Page,
    PageQuery,
    Said,
    Sentence,
    Utc,
    View,
)
from gridlib.apps.api.operation import Answer, Call, Operation, address
from gridlib.apps.api.pages import cut
from gridlib.apps.api.sheets import SheetView
from gridlib.facts.types import PlanState, Role
from gridlib.workflow import decisions, listings, queries, returns

PLAN_PATH = "/api/planning/plans/{plan_id}/"


class MoveView(View):
    """A group of sections changed over from one transformer to another."""

    open_switch: str
    close_switch: str
    sections: list[str]
    from_transformer: str
    to_transformer: str
    closes_first: bool


class SideView(View):
    """One transformer of a plan, before and after, over the horizon; loading in percent of nameplate."""

    transformer_id: str
    role: str
    rating_kva: float
    limit_pct: Number
    peak_pct_p50_before: Number
    peak_pct_p50_after: Number
    peak_pct_p90_before: Number
    peak_pct_p90_after: Number
    hours_over_before: int
    hours_over_after: int
    hot_spot_c_before: Number
    hot_spot_c_after: Number
    loss_of_life_d_before: Number
    loss_of_life_d_after: Number
    risk_before: Number
    risk_after: Number
    peak_time: Utc


class ProofView(View):
    """How a plan was checked, hour by hour, and what could not be checked."""

    holds: bool
    method: Said
    reasons: list[Said]
    not_checked: list[Said]
    margin_pct: Number
    fault_level: list[Said] = Field(description="What closing devices may meet; empty: not known of all.")
    protection: list[Said] = Field(description="Reach and pick-up; empty: PROTECTION NOT CHECKED.")
    unconfirmed: list[str] = Field(description="Switches to confirm before a work order is issued.")


class WhyNotView(View):
    """A transfer that was looked at and refused."""

    code: str
    reason: Said
    moves: list[MoveView]


class PlanSummary(View):
    """A plan in a list."""

    plan_id: str
    transformer_id: str
    rank: int = Field(description="1 is best.")
    returns: str = Field(description="The executed plan that this one takes back; else empty.")
    state: PlanState
    reason: str = Field(description="Why it is in this state; may be empty.")
    rev: int = Field(description="Grows with every decision; the ETag of the plan.")
    run_id: str
    prepared_by: str
    approved_by: str | None
    created_at: Utc
    operations: int
    relief_pct: Number
    relieved_kvah: Number
    risk_before: Number
    risk_after: Number
    p_holds: Number = Field(description="Chance that it holds on every element, every hour; null: not known.")
    interrupted_customers: int
    needed_from: MaybeUtc
    needed_until: MaybeUtc
    decide_by: MaybeUtc = Field(description="Last time to decide.")


class PlanView(PlanSummary):
    """A plan with all that is needed to decide on it."""

    moves: list[MoveView]
    sides: list[SideView]
    proof: ProofView
    relieves: list[str]
    bound_kvah: Number
    left_kvah: Number
    gap_pct: Number
    standing: str
    switch_at: MaybeUtc
    switch_back_by: MaybeUtc
    p_clear_before: Number = Field(description="Chance that nothing touched is over its limit, without it.")
    p_clear_after: Number = Field(description="The same with it.")
    sheet: SheetView | None
    do_nothing: dict[str, Number] = Field(description="Plan 0: what happens without any transfer.")
    why_not: list[WhyNotView]
    other_measures: list[Said]
    work_orders: list[str]


class PlansQuery(PageQuery):
    """Which plans."""

    state: list[PlanState] = Field(default=[], description="Only in these states.")
    transformer_id: Name | None = Field(default=None, description="Only for this transformer.")
    time_from: Moment | None = Field(default=None, description="Made at this time or later.")
    time_to: Moment | None = Field(default=None, description="Made before this time.")


class Approval(Body):
    """An empty object; it may be left out."""


class Reason(Body):
    """Why."""

    reason: Sentence


def list_plans(call: Call[PlansQuery, None]) -> Answer:
    """List plans, by transformer and rank."""
    query = call.query
    found = listings.list_plans(
        call.workbench,
        transformer_id=query.transformer_id or "",
        states=query.state,
        since=query.time_from,
        until=query.time_to,
        after=query.after or "",
        limit=query.limit + 1,
    )
    shown, after = cut(found, query.limit, lambda record: record.plan_id)
    items = [PlanSummary.model_validate(_flat(record)) for record in shown]
    return Answer(Page[PlanSummary](items=items, next=call.next_page(after)))


def get_plan(call: Call[Any, None]) -> Answer:
    """Look at a plan: both sides before and after, proof, sheet, what was refused and why."""
    return _plan(call)


def approve_plan(call: Call[Any, Approval]) -> Answer:
    """Approve a draft; it is proved again at this moment.

    A plan that no longer holds stays a draft, or has expired, and the answer is 409 with the reasons. Whoever
    prepared it cannot approve it.
    """
    decisions.approve(call.workbench, call.names["plan_id"], by=call.username, rev=call.rev)
    return _plan(call)


def reject_plan(call: Call[Any, Reason]) -> Answer:
    """Reject a draft; its transformer is free to be planned again."""
    decisions.reject(
        call.workbench, call.names["plan_id"], by=call.username, reason=call.body.reason, rev=call.rev
    )
    return _plan(call)


def ask_again(call: Call[Any, Reason]) -> Answer:
    """Set a draft aside and ask for another plan."""
    decisions.ask_again(
        call.workbench, call.names["plan_id"], by=call.username, reason=call.body.reason, rev=call.rev
    )
    return _plan(call)


def ask_return(call: Call[Any, None]) -> Answer:
    """Ask for the way back of an executed transfer: a plan of its own, with its sheet.

    Who asks is its preparer: cannot approve it.
    """
    record = returns.ask_return(call.workbench, call.names["plan_id"], by=call.username)
    answer = _file(call, record.plan_id)
    return replace(answer, location=address(PLAN_PATH, plan_id=record.plan_id))


def _plan(call: Call[Any, Any]) -> Answer:
    return _file(call, call.names["plan_id"])


def _file(call: Call[Any, Any], plan_id: str) -> Answer:
    file = queries.get_plan(call.workbench, plan_id)
    view = PlanView.model_validate(
        {
            **_flat(file.record),
            "sheet": file.instruction,
            "do_nothing": {} if file.case is None else dict(file.case.do_nothing),
            "why_not": () if file.case is None else file.case.why_not,
            "other_measures": () if file.case is None else file.case.other_measures,
            "work_orders": [order.work_order_id for order in file.work_orders],
        }
    )
    return Answer(view, rev=file.record.rev)


def _flat(record: PlanRecord) -> dict[str, Any]:
    """Lay the fields of a record and of its plan side by side."""
    return {**vars(record.plan), **vars(record)}


_DECIDED: dict[str, Any] = {"answer": PlanView, "role": Role.OPERATOR, "versioned": True}

OPERATIONS = (
    Operation("GET", "/api/planning/plans/", list_plans, Page[PlanSummary], query=PlansQuery),
    Operation("GET", PLAN_PATH, get_plan, PlanView),
    Operation("POST", f"{PLAN_PATH}approve/", approve_plan, body=Approval, **_DECIDED),
    Operation("POST", f"{PLAN_PATH}reject/", reject_plan, body=Reason, **_DECIDED),
    Operation("POST", f"{PLAN_PATH}ask_again/", ask_again, body=Reason, **_DECIDED),
    Operation("POST", f"{PLAN_PATH}return/", ask_return, PlanView, status=201, role=Role.OPERATOR),
)
