"""Commands from an approved plan to a closed work order."""

from typing import Annotated, Any

import typer

from gridlib.apps.cli.base import By, Home, Json, Reason, progress, say
from gridlib.facts.types import StepState
from gridlib.workbench import open_workbench

app = typer.Typer(no_args_is_help=True, help="From an approved plan to a closed work order.")


@app.command()
def issue(
    plan_id: str,
    by: By,
    crew: Annotated[str, typer.Option(help="Who goes out.")],
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Make a work order of an approved plan.

    Example: gridlib workorder issue PLAN-2026-0001 --by operator2 --crew "Crew 4"
    """
    from gridlib.workflow import workorders

    _say_order(as_json, workorders.issue(open_workbench(home), plan_id, by=by, crew=crew))


@app.command()
def start(work_order_id: str, by: By, home: Home = None, as_json: Json = False) -> None:
    """Start an open work order; its plan is proved again first.

    Example: gridlib workorder start WO-2026-0001 --by operator2
    """
    from gridlib.workflow import workorders

    _say_order(as_json, workorders.start(open_workbench(home), work_order_id, by=by))


@app.command()
def instruct(
    work_order_id: str,
    number: int,
    by: By,
    to: Annotated[str, typer.Option(help="Who received the order and repeated it in full.")],
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Write down that a step was ordered, once everything before it has ended.

    Example: gridlib workorder instruct WO-2026-0001 1 --by operator2 --to "R. Haddad"
    """
    from gridlib.workflow import workorders

    _say_order(as_json, workorders.instruct_step(open_workbench(home), work_order_id, number, by=by, to=to))


@app.command()
def step(
    work_order_id: str,
    number: int,
    outcome: Annotated[str, typer.Argument(help="completed, failed or skipped.")],
    by: By,
    reading: Annotated[str, typer.Option(help="What was read.")] = "",
    remark: Annotated[str, typer.Option(help="Needed for failed and skipped.")] = "",
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Write down how a step ended, in order; one not instructed before counts as instructed at once.

    Example: gridlib workorder step WO-2026-0001 1 completed --by operator2 --reading "212 A"
    """
    from gridlib.workflow import workorders

    ends = {"completed": StepState.COMPLETED, "failed": StepState.FAILED, "skipped": StepState.SKIPPED}
    if outcome.lower() not in ends:
        raise typer.BadParameter(f"'{outcome}' is none of completed, failed, skipped")
    order = workorders.record_step(
        open_workbench(home),
        work_order_id,
        number,
        ends[outcome.lower()],
        by=by,
        reading=reading,
        remark=remark,
    )
    _say_order(as_json, order, warning=order.steps[number - 1].remark)


@app.command()
def complete(
    work_order_id: str,
    by: By,
    outcome: Annotated[str, typer.Option(help="A closing remark.")] = "",
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Close a work order whose steps have all ended.

    Example: gridlib workorder complete WO-2026-0001 --by operator2
    """
    from gridlib.workflow import workorders

    _say_order(as_json, workorders.complete(open_workbench(home), work_order_id, by=by, outcome=outcome))


@app.command()
def abort(
    work_order_id: str,
    by: By,
    reason: Reason,
    switched_back: Annotated[
        bool,
        typer.Option("--switched-back/--not-switched-back", help="Whether the rollback was carried out."),
    ],
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Stop a work order in progress.

    Example: gridlib workorder abort WO-2026-0001 --by operator2 --reason "stuck" --switched-back
    """
    from gridlib.workflow import workorders

    order = workorders.abort(
        open_workbench(home), work_order_id, by=by, reason=reason, switched_back=switched_back
    )
    _say_order(as_json, order)


@app.command()
def settle(
    work_order_id: str,
    by: By,
    reason: Reason,
    switched_back: Annotated[
        bool, typer.Option("--switched-back/--carried-out", help="How the aborted order ended after all.")
    ],
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Say how an aborted order that was not switched back has ended after all.

    Example: gridlib workorder settle WO-2026-0001 --by operator2 --reason "crew returned" --switched-back
    """
    from gridlib.workflow import workorders

    order = workorders.settle(
        open_workbench(home), work_order_id, by=by, reason=reason, switched_back=switched_back
    )
    _say_order(as_json, order)


@app.command()
def cancel(work_order_id: str, by: By, reason: Reason, home: Home = None, as_json: Json = False) -> None:
    """Withdraw an open work order; its plan is a draft again.

    Example: gridlib workorder cancel WO-2026-0001 --by operator2 --reason "storm"
    """
    from gridlib.workflow import workorders

    _say_order(as_json, workorders.cancel(open_workbench(home), work_order_id, by=by, reason=reason))


def _say_order(as_json: bool, order: Any, *, warning: str = "") -> None:
    from gridlib.apps.summary import next_step

    record = {
        "work_order_id": order.work_order_id,
        "plan_id": order.plan_id,
        "state": order.state,
        "crew": order.crew,
        "planned_until": order.planned_until,
        "steps": [
            {
                "number": s.step.number,
                "verb": s.step.verb,
                "device": s.step.device,
                "switching": s.step.switching,
                "reading_low": s.step.reading_low,
                "reading_high": s.step.reading_high,
                "reading_unit": s.step.reading_unit,
                "state": s.state,
                "instructed_to": s.instructed_to,
            }
            for s in order.steps
        ],
    }
    text = f"{order.work_order_id} is {order.state}"
    if order.state in ("OPEN", "IN_PROGRESS"):
        text += f", {next_step(order)}"
    if "ABORT TRIGGER" in warning:
        record["warning"] = warning
        progress(warning)
    say(as_json, record, text)
