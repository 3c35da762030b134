"""What people decide: approve, reject, acknowledge. A plan is proved again at the moment of its approval."""

from gridlib.adapters.records import plans, runs
from gridlib.adapters.records.plans import PlanRecord
from gridlib.domain.lifecycle import PLAN_MOVES, SYSTEM, check_four_eyes, check_move
from gridlib.facts.errors import InputError, NotFoundError, StalePlanError
from gridlib.facts.types import PlanState
from gridlib.workbench import Workbench
from gridlib.workflow import queries
from gridlib.workflow.audit import Intention, intention
from gridlib.workflow.proof import OVER, is_over, prove_again


def approve(workbench: Workbench, plan_id: str, *, by: str) -> PlanRecord:
    """Approve a draft plan, if it still holds against the newest data.

    The other drafts for the same transformer expire with it.

    Parameters
    ----------
    workbench : Workbench
        The workspace.
    plan_id : str
        The plan.
    by : str
        User name of an operator who did not prepare it.

    Returns
    -------
    PlanRecord
        The approved plan.

    Raises
    ------
    TransitionError, RoleError, FourEyesError, NotFoundError
        The rules refuse.
    StalePlanError
        It no longer holds; it stays a draft with the reason, or has expired.
    """
    stale: tuple[str, ...] = ()
    with intention(workbench, by, "plan.approve", plan_id) as act:
        record = plans.read_plan(act.connection, plan_id)
        check_move(plan_id, PLAN_MOVES, record.state, PlanState.APPROVED)
        check_four_eyes(
            prepared_by=record.prepared_by,
            approved_by=None,
            actor=by,
            action="plan.approve",
            enabled=workbench.settings.decisions.four_eyes,
        )
        if is_over(workbench, act.connection, record):
            stale = (OVER,)
            move_plan(act, record, PlanState.EXPIRED, OVER)
        elif stale := prove_again(workbench, act.connection, record).reasons:
            plans.set_plan_state(act.connection, record, PlanState.DRAFT, reason="; ".join(stale), at=act.at)
            act.facts["reasons"] = list(stale)
        else:
            _approve(act, record, by)
        act.outcome = "stale" if stale else "done"
    if stale:
        raise StalePlanError(plan_id, stale)
    return queries.get_plan(workbench, plan_id).record


def _approve(act: Intention, record: PlanRecord, by: str) -> None:
    plans.set_plan_state(act.connection, record, PlanState.APPROVED, reason="", at=act.at, approved_by=by)
    act.facts |= {"from": record.state, "to": PlanState.APPROVED}
    others = plans.read_plans(
        act.connection, transformer_id=record.plan.transformer_id, states=[PlanState.DRAFT]
    )
    for other in others:
        note = f"{record.plan_id} was approved instead"
        plans.set_plan_state(act.connection, other, PlanState.EXPIRED, reason=note, at=act.at)
    act.facts["expired"] = [other.plan_id for other in others]


def reject(workbench: Workbench, plan_id: str, *, by: str, reason: str) -> PlanRecord:
    """Reject a draft plan with a reason; it releases its transformer.

    Raises
    ------
    InputError
        No reason.
    TransitionError, RoleError, NotFoundError
        The rules refuse.
    """
    with intention(workbench, by, "plan.reject", plan_id) as act:
        if not reason.strip():
            raise InputError("a rejection needs a reason", what_to_do="Say why in a sentence.")
        move_plan(act, plans.read_plan(act.connection, plan_id), PlanState.REJECTED, reason.strip())
    return queries.get_plan(workbench, plan_id).record


def acknowledge(workbench: Workbench, transformer_id: str, *, by: str, note: str = "") -> None:
    """Write down that an operator has seen the newest risk of a transformer ("do nothing" for now).

    Raises
    ------
    NotFoundError
        The newest run has no risk for it.
    InputError
        Somebody has acknowledged it at this level already.
    """
    with intention(workbench, by, "risk.acknowledge", transformer_id) as act:
        run_id = runs.newest_run_id(act.connection, stage="risk")
        rows = runs.read_risk(act.connection, run_id, transformer_id) if run_id else []
        if run_id is None or not rows:
            raise NotFoundError(
                "assessed transformer", transformer_id, what_to_do="See the list of 'gridlib run'."
            )
        seen = runs.acknowledged(act.connection, run_id)
        if transformer_id in seen:
            raise InputError(
                f"{transformer_id} was acknowledged by {seen[transformer_id]}", what_to_do="Nothing to do."
            )
        runs.save_acknowledgement(act.connection, run_id, rows[0], by=by, at=act.at, note=note)
        act.facts |= {"run": run_id, "risk_level": rows[0]["risk_level"], "note": note}


def expire_plans(workbench: Workbench) -> list[str]:
    """Expire undecided and approved plans whose hours are over; return their ids."""
    with workbench.store.read() as connection:
        waiting = plans.read_plans(connection, states=[PlanState.DRAFT, PlanState.APPROVED])
        late = [r for r in waiting if is_over(workbench, connection, r)]
    for record in late:
        with intention(workbench, SYSTEM, "plan.expire", record.plan_id) as act:
            move_plan(act, record, PlanState.EXPIRED, OVER)
    return [record.plan_id for record in late]


def move_plan(act: Intention, record: PlanRecord, to: PlanState, reason: str) -> None:
    """Move a plan to another state inside an intention; back to DRAFT it loses its approval."""
    check_move(record.plan_id, PLAN_MOVES, record.state, to)
    approved_by = None if to is PlanState.DRAFT else record.approved_by
    plans.set_plan_state(act.connection, record, to, reason=reason, at=act.at, approved_by=approved_by)
    act.facts["plan"] = {"plan_id": record.plan_id, "from": record.state, "to": to, "reason": reason}
