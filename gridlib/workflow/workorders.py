"""From an approved plan to a closed work order: issue, start, each step, complete, abort, cancel.

``rev`` is everywhere the version, of the plan or of the work order, that the person who acts was shown;
`ChangedError` says who changed it meanwhile.
"""

from gridlib.adapters.records import plans, work_orders
from gridlib.adapters.records.plans import PlanRecord
from gridlib.adapters.records.work_orders import WorkOrderRecord
from gridlib.domain.lifecycle import (
    PLAN_MOVES,
    WORK_ORDER_MOVES,
    abort_trigger,
    check_complete,
    check_four_eyes,
    check_instruct,
    check_move,
    check_step,
    has_number,
)
from gridlib.facts.errors import InputError, RefusedError, StalePlanError, TransitionError
from gridlib.facts.messages import render, rendered
from gridlib.facts.types import PlanState, StepState, WorkOrderState
from gridlib.workbench import Workbench
from gridlib.workflow import queries
from gridlib.workflow.audit import Intention, intention
from gridlib.workflow.decisions import check_shown, move_plan
from gridlib.workflow.order_changes import need_reason, set_order, shown_order, step_of
from gridlib.workflow.proof import OVER, is_over, prove_again
from gridlib.workflow.returns import carry_out
from gridlib.workflow.studies import StudyBase
from gridlib.workflow.switches import report_switch


def issue(
    workbench: Workbench,
    plan_id: str,
    *,
    by: str,
    crew: str,
    rev: int | None = None,
    base: StudyBase | None = None,
) -> WorkOrderRecord:
    """Make a work order of an approved plan that still holds; its number is taken here.

    Parameters
    ----------
    workbench : Workbench
        The workspace.
    plan_id : str
        An approved plan.
    by : str
        User name of an operator; another one than approved it.
    crew : str
        Who goes out.
    rev : int, optional
        Version of the plan that was shown.
    base : StudyBase, optional
        Read earlier; what has not changed since is not read again for the proof.

    Returns
    -------
    WorkOrderRecord
        OPEN, with all steps PENDING.

    Raises
    ------
    TransitionError, RoleError, FourEyesError, NotFoundError, InputError, ChangedError
        The rules refuse.
    RefusedError
        A switch on the path is in a state that nobody has confirmed.
    StalePlanError
        It no longer holds and is a draft again, with the reason; or its hours are over and it has expired.
    """
    number = ""
    stale: tuple[str, ...] = ()
    with intention(workbench, by, "work_order.issue", plan_id) as act:
        if not crew.strip():
            raise InputError("a work order needs a crew", what_to_do="Name it with --crew.")
        record = plans.read_plan(act.connection, plan_id)
        check_shown(workbench, act, record, rev, PlanState.ISSUED)
        check_move(plan_id, PLAN_MOVES, record.state, PlanState.ISSUED)
        check_four_eyes(
            prepared_by=record.prepared_by,
            approved_by=record.approved_by,
            actor=by,
            action="work_order.issue",
            enabled=workbench.settings.decisions.four_eyes,
        )
        if is_over(workbench, act.connection, record):
            stale = (OVER,)
            move_plan(act, record, PlanState.EXPIRED, OVER)
        else:
            proof = prove_again(workbench, act.connection, record, base)
            stale = rendered(proof.reasons)
            if stale:
                move_plan(act, record, PlanState.DRAFT, "; ".join(stale))
            elif proof.unconfirmed:
                raise RefusedError(
                    f"nobody has confirmed the position of {', '.join(proof.unconfirmed)}",
                    what_to_do="Confirm it: 'gridlib switch confirm SWITCH open|closed', then issue again.",
                )
            else:
                number = _issue(workbench, act, record, by, crew.strip())
        act.outcome = "stale" if stale else "done"
    if stale:
        raise StalePlanError(plan_id, stale)
    return queries.get_work_order(workbench, number)


def _issue(workbench: Workbench, act: Intention, record: PlanRecord, by: str, crew: str) -> str:
    sheet = plans.read_instruction(act.connection, record.plan_id)
    if sheet is None:
        raise InputError(
            f"{record.plan_id} has no switching sheet yet", what_to_do="Run 'gridlib run instructions'."
        )
    year = act.at.tz_convert(workbench.settings.site.tz).year
    number = f"WO-{year}-{workbench.store.next_number(act.connection, 'work_order', year):04d}"
    work_orders.save_work_order(
        act.connection,
        number,
        record.plan_id,
        sheet.steps,
        crew=crew,
        issued_by=by,
        issued_at=act.at,
        planned_from=record.plan.switch_at,
        planned_until=record.plan.needed_from,
    )
    move_plan(act, record, PlanState.ISSUED, "")
    act.facts |= {"work_order": number, "crew": crew, "sheet_version": sheet.version}
    return number


def start(
    workbench: Workbench,
    work_order_id: str,
    *,
    by: str,
    rev: int | None = None,
    base: StudyBase | None = None,
) -> WorkOrderRecord:
    """Start an open work order, if its plan still holds; ``base`` as for `issue`.

    Raises
    ------
    StalePlanError
        It no longer holds: the order is cancelled and the plan a draft again, with the reason.
    """
    stale: tuple[str, ...] = ()
    with intention(workbench, by, "work_order.start", work_order_id) as act:
        order = shown_order(workbench, act, rev, WorkOrderState.IN_PROGRESS)
        check_move(work_order_id, WORK_ORDER_MOVES, order.state, WorkOrderState.IN_PROGRESS)
        record = plans.read_plan(act.connection, order.plan_id)
        over = is_over(workbench, act.connection, record)
        stale = (OVER,) if over else rendered(prove_again(workbench, act.connection, record, base).reasons)
        if stale:
            set_order(act, order, WorkOrderState.CANCELLED, "; ".join(stale))
            move_plan(act, record, PlanState.DRAFT, "; ".join(stale))
            act.outcome = "stale"
        else:
            set_order(act, order, WorkOrderState.IN_PROGRESS, "")
    if stale:
        raise StalePlanError(order.plan_id, stale)
    return queries.get_work_order(workbench, work_order_id)


def instruct_step(
    workbench: Workbench, work_order_id: str, number: int, *, by: str, to: str, rev: int | None = None
) -> WorkOrderRecord:
    """Write down that a step was ordered, once everything before it has ended.

    Parameters
    ----------
    workbench : Workbench
        The workspace.
    work_order_id : str
        A work order in progress.
    number : int
        The step, from 1.
    by : str
        User name of the operator who gave the order.
    to : str
        Who received it and repeated it in full.
    rev : int, optional
        Version of the order that was shown.

    Raises
    ------
    TransitionError, RefusedError
        It is instructed already or has ended, or an earlier step has not ended.
    InputError
        Nobody is named.
    """
    with intention(workbench, by, "work_order.instruct", work_order_id) as act:
        act.facts |= {"step": number, "to_whom": to}
        order = shown_order(workbench, act, rev, f"step {number} {StepState.INSTRUCTED}")
        if not to.strip():
            raise InputError("an instruction goes to somebody", what_to_do="Say who repeats it, with --to.")
        check_instruct(work_order_id, order.state, [s.state for s in order.steps], number)
        work_orders.instruct_step(act.connection, order, number, by=by, to=to.strip(), at=act.at)
    return queries.get_work_order(workbench, work_order_id)


def record_step(
    workbench: Workbench,
    work_order_id: str,
    number: int,
    outcome: StepState,
    *,
    by: str,
    reading: str = "",
    remark: str = "",
    rev: int | None = None,
) -> WorkOrderRecord:
    """Write down how one step ended; a completed switching step becomes the switch's reported state.

    A step that was not instructed before counts as instructed and ended in one, by the same person.

    Parameters
    ----------
    workbench : Workbench
        The workspace.
    work_order_id : str
        A work order in progress.
    number : int
        The step, from 1, in order.
    outcome : StepState
        COMPLETED, FAILED or SKIPPED.
    by : str
        User name of an operator.
    reading, remark : str
        What was read or is to be said; a skipped or failed step needs a remark. A reading outside the range
        of its step is kept with the remark that it is an abort trigger: whether to go on is for people.
    rev : int, optional
        Version of the order that was shown.

    Raises
    ------
    RefusedError
        Out of order, or a switching step skipped.
    InputError
        No such step, or the remark is missing.
    """
    with intention(workbench, by, "work_order.step", work_order_id) as act:
        act.facts |= {"step": number, "to": outcome, "reading": reading, "remark": remark}
        order = shown_order(workbench, act, rev, f"step {number} {outcome}")
        step = step_of(order, number)
        check_step(
            work_order_id,
            order.state,
            [s.state for s in order.steps],
            number,
            outcome,
            switching=step.step.switching,
            hold_point=step.step.hold_point,
            needs_reading=step.step.needs_reading,
        )
        asked = step.step.needs_reading and step.step.reading_range is not None
        if outcome is StepState.COMPLETED and asked and not has_number(reading):
            raise InputError(
                f"the reading of step {number} is '{reading.strip()}', and no number",
                what_to_do=f"Write what was read, in {step.step.reading_unit}.",
            )
        if trigger := abort_trigger(reading, step.step.reading_range):
            act.facts["abort_trigger"] = render(trigger)
            remark = f"{remark} {render(trigger)}".strip()
        if outcome is not StepState.COMPLETED and not remark.strip():
            raise InputError(
                f"step {number} cannot end {outcome} without a remark", what_to_do="Say why in the remark."
            )
        work_orders.end_step(
            act.connection, order, number, outcome, by=by, at=act.at, reading=reading, remark=remark
        )
        if outcome is StepState.COMPLETED and step.step.state_after is not None:
            report_switch(workbench, act, step.step.device, step.step.state_after)
        if outcome is StepState.FAILED and step.step.switching:
            report_switch(workbench, act, step.step.device, step.step.state_before, faulty=True)
    return queries.get_work_order(workbench, work_order_id)


def complete(
    workbench: Workbench, work_order_id: str, *, by: str, outcome: str = "", rev: int | None = None
) -> WorkOrderRecord:
    """Close a work order whose steps have all ended; its plan is EXECUTED, what that takes back RETURNED."""
    with intention(workbench, by, "work_order.complete", work_order_id) as act:
        order = shown_order(workbench, act, rev, WorkOrderState.COMPLETED)
        check_move(work_order_id, WORK_ORDER_MOVES, order.state, WorkOrderState.COMPLETED)
        check_complete(work_order_id, [(s.step.switching, s.state) for s in order.steps])
        set_order(act, order, WorkOrderState.COMPLETED, outcome)
        carry_out(act, order.plan_id, "")
    return queries.get_work_order(workbench, work_order_id)


def abort(
    workbench: Workbench,
    work_order_id: str,
    *,
    by: str,
    reason: str,
    switched_back: bool,
    rev: int | None = None,
) -> WorkOrderRecord:
    """Stop a work order in progress; say whether the devices were switched back.

    Switched back, or nothing was switched yet: every device is reported in the state it had before, and the
    plan is ROLLED_BACK. Otherwise the states stay as the completed steps left them, the plan is PARTIAL, and
    the order waits to be settled. A device that failed stays in FAULT until its state is reported anew. A
    switching step that was instructed and has not ended may have been carried out: it counts as switched.
    """
    with intention(workbench, by, "work_order.abort", work_order_id) as act:
        need_reason(reason)
        order = shown_order(workbench, act, rev, WorkOrderState.ABORTED)
        check_move(work_order_id, WORK_ORDER_MOVES, order.state, WorkOrderState.ABORTED)
        work_orders.abort_steps(act.connection, order, by=by, at=act.at, remark=reason)
        for step in order.steps if switched_back else ():
            if (
                step.state in (StepState.COMPLETED, StepState.INSTRUCTED)
                and step.step.state_after is not None
            ):
                report_switch(workbench, act, step.step.device, step.step.state_before)
        set_order(act, order, WorkOrderState.ABORTED, reason)
        touched = any(s.step.switching and s.state is not StepState.PENDING for s in order.steps)
        to = PlanState.PARTIAL if touched and not switched_back else PlanState.ROLLED_BACK
        move_plan(act, plans.read_plan(act.connection, order.plan_id), to, reason)
        act.facts["switched_back"] = switched_back
    return queries.get_work_order(workbench, work_order_id)


def settle(
    workbench: Workbench,
    work_order_id: str,
    *,
    by: str,
    reason: str,
    switched_back: bool,
    rev: int | None = None,
) -> WorkOrderRecord:
    """Say how an aborted order ended after all: switched back, or carried out to its end.

    All devices of the sheet are reported in the states that go with it; the plan, PARTIAL until now, is
    ROLLED_BACK or EXECUTED.
    """
    with intention(workbench, by, "work_order.settle", work_order_id) as act:
        need_reason(reason)
        order = shown_order(workbench, act, rev, work_orders.SETTLED)
        if order.state is not WorkOrderState.ABORTED:  # the plan may have had another order before
            allowed = WORK_ORDER_MOVES[order.state]
            raise TransitionError(work_order_id, order.state, work_orders.SETTLED, allowed)
        if switched_back:
            move_plan(act, plans.read_plan(act.connection, order.plan_id), PlanState.ROLLED_BACK, reason)
        else:
            carry_out(act, order.plan_id, reason)
        for step in order.steps:
            if step.step.state_after is not None:
                state = step.step.state_before if switched_back else step.step.state_after
                report_switch(workbench, act, step.step.device, state)
        work_orders.mark_settled(act.connection, order, by=by, at=act.at)
    return queries.get_work_order(workbench, work_order_id)


def cancel(
    workbench: Workbench, work_order_id: str, *, by: str, reason: str, rev: int | None = None
) -> WorkOrderRecord:
    """Withdraw an open work order; its plan is a draft again, with the reason."""
    with intention(workbench, by, "work_order.cancel", work_order_id) as act:
        need_reason(reason)
        order = shown_order(workbench, act, rev, WorkOrderState.CANCELLED)
        check_move(work_order_id, WORK_ORDER_MOVES, order.state, WorkOrderState.CANCELLED)
        set_order(act, order, WorkOrderState.CANCELLED, reason)
        move_plan(act, plans.read_plan(act.connection, order.plan_id), PlanState.DRAFT, reason)
    return queries.get_work_order(workbench, work_order_id)


def reopen(workbench: Workbench, work_order_id: str, *, by: str, rev: int | None = None) -> WorkOrderRecord:
    """Open an order again, where the table of states has such a move: it has none, so this is refused."""
    with intention(workbench, by, "work_order.reopen", work_order_id) as act:
        order = shown_order(workbench, act, rev, WorkOrderState.OPEN)
        check_move(work_order_id, WORK_ORDER_MOVES, order.state, WorkOrderState.OPEN)
        set_order(act, order, WorkOrderState.OPEN, "")
    return queries.get_work_order(workbench, work_order_id)
