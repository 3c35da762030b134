"""What an operator decides at the desk; the workflow proves the plan again and checks person and version."""

from gridlib.apps.screens.forms import whole
from gridlib.apps.screens.visit import Done, Fields, Visit
from gridlib.workflow import decisions, returns


def approve(visit: Visit, fields: Fields) -> Done:
    """Approve the plan if it still holds."""
    plan_id = fields.get("plan", "")
    decisions.approve(
        visit.workbench, plan_id, by=visit.user.username, rev=whole(fields, "rev"), base=visit.base
    )
    return Done(
        visit.say("desk.said.approved", plan=plan_id, by=visit.user.username), form=f"refuse:{plan_id}"
    )


def refuse(visit: Visit, fields: Fields) -> Done:
    """Reject the plan, or set it aside and ask for another one."""
    plan_id, reason = fields.get("plan", ""), fields.get("reason", "")
    by, rev, form = visit.user.username, whole(fields, "rev"), f"refuse:{plan_id}"
    if fields.get("way") == "again":
        others = decisions.ask_again(visit.workbench, plan_id, by=by, reason=reason, rev=rev, base=visit.base)
        said = visit.say("desk.said.again", plan=plan_id, other=others[0].plan_id)
        return Done(said, form=form, state={"plan": others[0].plan_id})
    decisions.reject(visit.workbench, plan_id, by=by, reason=reason, rev=rev)
    return Done(visit.say("desk.said.rejected", plan=plan_id, by=by), form=form)


def ask_return(visit: Visit, fields: Fields) -> Done:
    """Ask for the way back of an executed plan; another person approves it."""
    plan_id = fields.get("plan", "")
    found = returns.ask_return(visit.workbench, plan_id, by=visit.user.username, base=visit.base)
    return Done(
        visit.say("desk.said.return", plan=found.plan_id, of=plan_id),
        state={"plan": found.plan_id, "show": "open"},
    )
