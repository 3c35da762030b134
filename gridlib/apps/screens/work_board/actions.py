"""What an operator does with work orders; the workflow checks person, state, order of steps and version."""

from gridlib.apps.screens.forms import whole
from gridlib.apps.screens.visit import Done, Fields, Visit
from gridlib.domain.lifecycle import STEP_OUTCOMES
from gridlib.facts.errors import InputError
from gridlib.facts.messages import Message
from gridlib.facts.types import StepState
from gridlib.workflow import queries, workorders


def issue(visit: Visit, fields: Fields) -> Done:
    """Make the work order of an approved plan."""
    plan_id = fields.get("plan", "")
    order = workorders.issue(
        visit.workbench,
        plan_id,
        by=visit.user.username,
        crew=fields.get("crew", ""),
        rev=whole(fields, "rev"),
        base=visit.base,
    )
    said = visit.say("board.said.issued", order=order.work_order_id, crew=order.crew)
    return Done(said, form=f"issue:{plan_id}", state={"order": order.work_order_id, "plan": ""})


def start(visit: Visit, fields: Fields) -> Done:
    """Start an open order."""
    number = fields.get("order", "")
    workorders.start(
        visit.workbench, number, by=visit.user.username, rev=whole(fields, "rev"), base=visit.base
    )
    return Done(visit.say("board.said.started", order=number))


def instruct(visit: Visit, fields: Fields) -> Done:
    """Write down that a step was ordered, and to whom."""
    number, at, to = fields.get("order", ""), whole(fields, "step"), fields.get("to", "")
    workorders.instruct_step(
        visit.workbench, number, at, by=visit.user.username, to=to, rev=whole(fields, "rev")
    )
    return Done(visit.say("board.said.instructed", order=number, number=at, to=to))


def step(visit: Visit, fields: Fields) -> Done:
    """Write down how a step ended."""
    number, at = fields.get("order", ""), whole(fields, "step")
    word, reading = fields.get("outcome", ""), fields.get("reading", "")
    if word not in STEP_OUTCOMES:
        raise InputError(f"'{word}' is no end of a step", what_to_do="Reload the page.")
    outcome = StepState(word)
    _need_reading(visit, number, at, outcome, reading)
    workorders.record_step(
        visit.workbench,
        number,
        at,
        outcome,
        by=visit.user.username,
        reading=reading,
        remark=fields.get("remark", ""),
        rev=whole(fields, "rev"),
    )
    said = visit.say("board.said.step", order=number, number=at, state=Message(f"step.state.{outcome}", {}))
    return Done(said, form=f"step:{number}:{at}")


def _need_reading(visit: Visit, number: str, at: int, outcome: StepState, reading: str) -> None:
    steps = queries.get_work_order(visit.workbench, number).steps
    waits = 1 <= at <= len(steps) and steps[at - 1].step.needs_reading
    if waits and outcome is StepState.COMPLETED and not reading.strip():
        raise InputError(f"step {at} asks for a reading", what_to_do="Write it down first.")


def complete(visit: Visit, fields: Fields) -> Done:
    """Close an order whose steps have ended."""
    number = fields.get("order", "")
    workorders.complete(
        visit.workbench,
        number,
        by=visit.user.username,
        outcome=fields.get("outcome", ""),
        rev=whole(fields, "rev"),
    )
    return Done(visit.say("board.said.completed", order=number), form=f"order:{number}")


def abort(visit: Visit, fields: Fields) -> Done:
    """Stop an order in progress."""
    number = fields.get("order", "")
    workorders.abort(
        visit.workbench,
        number,
        by=visit.user.username,
        reason=fields.get("reason", ""),
        switched_back=_switched_back(fields),
        rev=whole(fields, "rev"),
    )
    return Done(visit.say("board.said.aborted", order=number), form=f"abort:{number}")


def settle(visit: Visit, fields: Fields) -> Done:
    """Say how an aborted order ended after all."""
    number = fields.get("order", "")
    workorders.settle(
        visit.workbench,
        number,
        by=visit.user.username,
        reason=fields.get("reason", ""),
        switched_back=_switched_back(fields),
        rev=whole(fields, "rev"),
    )
    return Done(visit.say("board.said.settled", order=number), form=f"settle:{number}")


def cancel(visit: Visit, fields: Fields) -> Done:
    """Withdraw an open order."""
    number = fields.get("order", "")
    workorders.cancel(
        visit.workbench,
        number,
        by=visit.user.username,
        reason=fields.get("reason", ""),
        rev=whole(fields, "rev"),
    )
    return Done(visit.say("board.said.cancelled", order=number), form=f"cancel:{number}")


def _switched_back(fields: Fields) -> bool:
    """Read whether the devices were switched back; a form that does not say is not sent by these screens."""
    way = fields.get("way", "")
    if way not in ("back", "not_back"):
        raise InputError(
            "it is not said whether the devices were switched back", what_to_do="Reload the page."
        )
    return way == "back"
