"""What every change of a work order needs: the version that was shown, a reason, and the new state."""

from gridlib.adapters.records import work_orders
from gridlib.adapters.records.work_orders import StepRecord, WorkOrderRecord
from gridlib.facts.errors import ChangedError, InputError
from gridlib.facts.types import WorkOrderState
from gridlib.workbench import Workbench
from gridlib.workflow.audit import Intention


def shown_order(workbench: Workbench, act: Intention, rev: int | None, to: str) -> WorkOrderRecord:
    """Read the order of an intention; refuse where it is not the version that the person was shown."""
    order = work_orders.read_work_order(act.connection, act.object)
    if rev is None or rev == order.rev:
        return order
    raise ChangedError(
        order.work_order_id,
        change=order.change,
        by=order.changed_by,
        at=order.changed_at.tz_convert(workbench.settings.site.tz),
        reason=order.outcome,
        twice=order.changed_by == act.actor and order.change == to,
    )


def need_reason(reason: str) -> None:
    """Refuse a change without a reason."""
    if not reason.strip():
        raise InputError("a reason is needed", what_to_do="Say why with --reason.")


def step_of(order: WorkOrderRecord, number: int) -> StepRecord:
    """Find a step by its number; `InputError` where there is none."""
    for step in order.steps:
        if step.step.number == number:
            return step
    raise InputError(
        f"{order.work_order_id} has no step {number}", what_to_do=f"Steps are 1 to {len(order.steps)}."
    )


def set_order(act: Intention, order: WorkOrderRecord, to: WorkOrderState, outcome: str) -> None:
    """Move an order to another state inside an intention."""
    work_orders.set_work_order_state(act.connection, order, to, by=act.actor, at=act.at, outcome=outcome)
    act.facts["order"] = {"from": order.state, "to": to, "outcome": outcome}
