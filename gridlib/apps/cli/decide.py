"""Commands with which people see which plans wait, and decide on them."""

import json
from typing import Annotated

import typer

from gridlib.apps.cli.base import By, Home, Json, Reason, out, say
from gridlib.workbench import open_workbench

app = typer.Typer()
plans = typer.Typer(no_args_is_help=True, help="Plans that people ask for.")


@app.command()
def queue(home: Home = None, as_json: Json = False) -> None:
    """List what waits for a decision: drafts, approved plans, open work orders, alerts.

    Example: gridlib queue --json
    """
    from gridlib.apps.summary import print_queue
    from gridlib.workflow.queries import get_queue

    workbench = open_workbench(home)
    waiting = get_queue(workbench)
    if not as_json:
        print_queue(out, waiting, workbench.settings.site.tz)
        return
    record = {
        "drafts": [
            {
                "plan_id": r.plan_id,
                "transformer_id": r.plan.transformer_id,
                "rank": r.plan.rank,
                "decide_by": r.plan.decide_by,
            }
            for r in waiting.drafts
        ],
        "approved": [{"plan_id": r.plan_id, "approved_by": r.approved_by} for r in waiting.approved],
        "work_orders": [
            {"work_order_id": w.work_order_id, "plan_id": w.plan_id, "state": w.state} for w in waiting.orders
        ],
        "unsettled": [{"work_order_id": w.work_order_id, "plan_id": w.plan_id} for w in waiting.unsettled],
        "unacknowledged": list(waiting.unacknowledged),
        "overdue": list(waiting.overdue),
    }
    print(json.dumps(record, ensure_ascii=False, default=str))


@app.command()
def show(
    plan_id: Annotated[str, typer.Argument(help="The plan.")], home: Home = None, as_json: Json = False
) -> None:
    """Show one plan: both sides, steps, checklist, rollback and what was refused.

    Example: gridlib show PLAN-2026-0001
    """
    from gridlib.apps.outcome import plan_details, print_details
    from gridlib.workflow.queries import get_limit_messages, get_plan

    workbench = open_workbench(home)
    file = get_plan(workbench, plan_id)
    if as_json:
        print(json.dumps(plan_details(file), ensure_ascii=False, default=str))
    else:
        limits = get_limit_messages(workbench, file.record.plan.transformer_id)
        print_details(out, file, workbench.settings.site.tz, limits)


@app.command()
def approve(plan_id: str, by: By, home: Home = None, as_json: Json = False) -> None:
    """Approve a draft plan; it is proved again first.

    Example: gridlib approve PLAN-2026-0001 --by operator
    """
    from gridlib.workflow.decisions import approve as approve_

    record = approve_(open_workbench(home), plan_id, by=by)
    say(as_json, {"plan_id": plan_id, "state": record.state}, f"{plan_id} is {record.state}")


@app.command("ask-again")
def ask_again(plan_id: str, by: By, reason: Reason, home: Home = None, as_json: Json = False) -> None:
    """Set a draft aside and ask for another plan; whoever asks cannot approve what is found for it.

    Example: gridlib ask-again PLAN-2026-0001 --by operator --reason "that tie is under repair"
    """
    from gridlib.workflow.decisions import ask_again as ask_again_

    waiting = [record.plan_id for record in ask_again_(open_workbench(home), plan_id, by=by, reason=reason)]
    record = {"plan_id": plan_id, "waiting": waiting}
    say(as_json, record, f"{plan_id} is set aside; waiting now: {', '.join(waiting)}")


@app.command()
def reject(plan_id: str, by: By, reason: Reason, home: Home = None, as_json: Json = False) -> None:
    """Reject a draft plan with a reason.

    Example: gridlib reject PLAN-2026-0001 --by operator --reason "crew not available"
    """
    from gridlib.workflow.decisions import reject as reject_

    record = reject_(open_workbench(home), plan_id, by=by, reason=reason)
    say(as_json, {"plan_id": plan_id, "state": record.state}, f"{plan_id} is {record.state}")


@plans.command("return")
def ask_return(plan_id: str, by: By, home: Home = None, as_json: Json = False) -> None:
    """Ask for the return of an executed transfer: a plan of its own, which somebody else approves.

    Example: gridlib plan return PLAN-2026-0001 --by operator
    """
    from gridlib.workflow.returns import ask_return as ask_return_

    record = ask_return_(open_workbench(home), plan_id, by=by)
    say(
        as_json,
        {"plan_id": record.plan_id, "returns": plan_id, "state": record.state},
        f"{record.plan_id} takes {plan_id} back and is {record.state}",
    )
