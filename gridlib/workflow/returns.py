"""The way back of executed plans: proposed by a run once it is no longer needed, or asked for by a person."""

from collections.abc import Sequence

from gridlib.adapters.records import plans
from gridlib.adapters.records.plans import OPEN_PLAN_STATES, PlanRecord
from gridlib.domain.lifecycle import PLAN_MOVES, check_move
from gridlib.domain.planning import is_no_longer_needed, plan_return
from gridlib.facts.errors import RefusedError
from gridlib.facts.messages import rendered
from gridlib.facts.types import Plan, PlanState
from gridlib.workbench import Workbench
from gridlib.workflow import clock, queries
from gridlib.workflow.audit import Intention, intention
from gridlib.workflow.decisions import move_plan
from gridlib.workflow.material import Material
from gridlib.workflow.open_plans import reserved_moves
from gridlib.workflow.proof import bench_around, bench_of, check_age
from gridlib.workflow.proposals import save_drafts, write_sheets
from gridlib.workflow.studies import StudyBase, base_of


def ask_return(workbench: Workbench, plan_id: str, *, by: str, base: StudyBase | None = None) -> PlanRecord:
    """Make a return plan of an executed transfer, with its sheet, as a draft that somebody else approves.

    Parameters
    ----------
    workbench : Workbench
        The workspace.
    plan_id : str
        An executed transfer.
    by : str
        User name of an operator; who asks has prepared it.
    base : StudyBase, optional
        Read earlier; what has not changed since is not read again.

    Returns
    -------
    PlanRecord
        The draft of kind return.

    Raises
    ------
    TransitionError, RoleError, NotFoundError
        The rules refuse.
    RefusedError
        It has a return plan already, is a return itself, would overload somebody, or the newest forecast is
        too old; with the reasons.
    """
    with intention(workbench, by, "plan.return", plan_id) as act:
        record = plans.read_plan(act.connection, plan_id)
        check_move(plan_id, PLAN_MOVES, record.state, PlanState.RETURNED)
        if record.plan.returns:
            raise RefusedError(
                f"{plan_id} is a return itself: the network is in its normal state",
                what_to_do="Nothing to do.",
            )
        others = plans.read_plans(act.connection, states=OPEN_PLAN_STATES)
        for other in others:
            if other.plan.returns == plan_id:
                raise RefusedError(
                    f"{plan_id} has a return plan already, {other.plan_id}, {other.state}",
                    what_to_do=f"Decide on {other.plan_id}.",
                )
        base = base_of(workbench, act.connection, base)
        check_age(workbench, base.run, base.now)
        bench = bench_around(workbench, base.material, record, others, base.now)
        plan, proof = plan_return(bench, record.plan, record.plan_id, reserved_moves(others))
        if plan is None:
            why = "; ".join(rendered(proof.reasons)) or f"not known: {', '.join(rendered(proof.not_checked))}"
            raise RefusedError(
                f"{plan_id} cannot be returned: {why}",
                what_to_do="Ask again after the next run; a run proposes the return once it holds.",
            )
        (name,) = save_drafts(workbench, act, base.run.run_id, [plan], prepared_by=by)
        draft = plans.read_plan(act.connection, name)
        (sheet,) = write_sheets(workbench, [draft], base.material)
        plans.save_instruction(act.connection, base.run.run_id, sheet)
        act.facts["return"] = name
    return queries.get_plan(workbench, name).record


def propose_returns(workbench: Workbench, material: Material, kept: Sequence[PlanRecord]) -> list[Plan]:
    """Find the executed transfers that are no longer needed, and plan their returns.

    Parameters
    ----------
    workbench : Workbench
        The workspace.
    material : Material
        Network and loads of a run.
    kept : sequence of PlanRecord
        Open plans; a transfer with an open return is left alone.

    Returns
    -------
    list of Plan
        Oldest transfer first; each holds beside the open plans and the returns before it.
    """
    with workbench.store.read() as connection:
        executed = plans.read_plans(connection, states=[PlanState.EXECUTED])
        now = clock.now(workbench, connection)
    bench = bench_of(workbench, material, now)
    asked = {record.plan.returns for record in kept}
    found: list[Plan] = []
    for record in sorted(executed, key=lambda r: r.plan_id):
        if record.plan.returns or record.plan_id in asked:
            continue
        moves = (*reserved_moves(kept), *(move for plan in found for move in plan.moves))
        plan, _ = plan_return(bench, record.plan, record.plan_id, moves)
        if plan is not None and is_no_longer_needed(plan, workbench.settings.limits):
            found.append(plan)
    return found


def save_returns(
    workbench: Workbench, act: Intention, run_id: str, found: Sequence[Plan], *, prepared_by: str
) -> None:
    """Keep proposed returns as drafts, but for transfers whose return somebody has asked for meanwhile."""
    asked = {r.plan.returns for r in plans.read_plans(act.connection, states=OPEN_PLAN_STATES)}
    fresh = [plan for plan in found if plan.returns not in asked]
    save_drafts(workbench, act, run_id, fresh, prepared_by=prepared_by)


def carry_out(act: Intention, plan_id: str, reason: str) -> None:
    """Say that a plan is EXECUTED, and in the same transaction that what it takes back is RETURNED."""
    record = plans.read_plan(act.connection, plan_id)
    if record.plan.returns:
        transfer = plans.read_plan(act.connection, record.plan.returns)
        move_plan(act, transfer, PlanState.RETURNED, plan_id)
        act.facts["returned"] = transfer.plan_id
    move_plan(act, record, PlanState.EXECUTED, reason)
