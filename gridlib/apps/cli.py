"""The shell: ``gridlib``. Exit status 0 done, 1 not done, 2 wrong use."""

import json
import sys
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from gridlib.facts.errors import GridlibError, InputError
from gridlib.facts.types import Role, StepState
from gridlib.workbench import Workbench, open_workbench

app = typer.Typer(
    name="gridlib",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    help="Keep a distribution grid from overloading: forecast, risk, transfers, decisions, audit.",
    epilog="Example: [bold]gridlib init --sample --home demo && gridlib run --home demo[/bold]",
)
user_app = typer.Typer(no_args_is_help=True, help="People who may act, and their roles.")
order_app = typer.Typer(no_args_is_help=True, help="From an approved plan to a closed work order.")
audit_app = typer.Typer(no_args_is_help=True, help="The tamper-evident audit trail.")
app.add_typer(user_app, name="user")
app.add_typer(order_app, name="workorder")
app.add_typer(audit_app, name="audit")

Home = Annotated[
    Path | None,
    typer.Option(envvar="GRIDLIB_HOME", help="Workspace folder; default: the nearest with gridlib.toml."),
]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object instead of text.")]
By = Annotated[str, typer.Option("--by", help="Name of the user who acts.")]
Reason = Annotated[str, typer.Option("--reason", help="Why, in a sentence.")]

out = Console(soft_wrap=False)
err = Console(stderr=True, highlight=False)


def main() -> None:
    """Run the shell; every error a user can meet ends in one line and an exit status."""
    try:
        app()
    except GridlibError as error:
        if "--json" in sys.argv:
            fault = {"code": error.code, "message": str(error), "what_to_do": error.what_to_do}
            print(json.dumps({"error": fault}, ensure_ascii=False))
        line = " ".join(f"{error} {error.what_to_do}".split())
        print(f"gridlib: {line}", file=sys.stderr)
        sys.exit(1)


def _say(as_json: bool, record: dict[str, Any], text: str) -> None:
    if as_json:
        print(json.dumps(record, ensure_ascii=False, default=str))
    else:
        out.print(text, markup=False)


def _progress(text: str) -> None:
    err.print(text, markup=False)


@app.command()
def init(
    home: Home = None,
    sample: Annotated[bool, typer.Option("--sample", help="With the sample network and readings.")] = False,
    demo_seed: Annotated[bool, typer.Option("--demo-seed", help="With the 10-transformer demo.")] = False,
    as_json: Json = False,
) -> None:
    """Make a workspace: settings, database, and on request an example network with readings and users.

    Examples: gridlib init --sample --home demo; gridlib init --home /srv/gridlib
    """
    from gridlib.workflow.setup import init_workspace

    if sample and demo_seed:
        raise typer.BadParameter("choose --sample or --demo-seed, not both")
    folder = home or Path.cwd()
    example = "sample" if sample else "demo_seed" if demo_seed else ""
    _progress(f"Making a workspace in {folder} ...")
    workbench, results = init_workspace(folder, example=example)
    taken = [r for r in results if not r.repeated]
    rows = sum(r.rows for r in taken)
    record = {"home": str(workbench.settings.home), "files": len(taken), "rows": rows}
    _say(
        as_json,
        record,
        f"Workspace ready: {workbench.settings.home} ({len(taken)} files, {rows:,} rows taken in)",
    )
    if workbench.settings.site.notice and not as_json:
        out.print(workbench.settings.site.notice, markup=False)


@app.command()
def ingest(
    paths: Annotated[list[Path], typer.Argument(help="Files or folders: CSV, Parquet.")],
    kind: Annotated[
        str | None, typer.Option(help="load, weather, network or switches; default: recognise.")
    ] = None,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Take in readings, weather, network tables or switch states.

    One file is one transaction; the same file twice changes nothing. Examples: gridlib ingest load.csv;
    gridlib ingest drop/ --json
    """
    from gridlib.workflow.ingest import ingest_paths

    results = ingest_paths(open_workbench(home), paths, kind=kind)
    if as_json:
        rows = [
            {
                "name": r.name,
                "kind": r.kind,
                "rows": r.rows,
                "rejects": r.rejects,
                "repeated": r.repeated,
                "findings": json.loads(r.findings.to_json(orient="records", date_format="iso")),
            }
            for r in results
        ]
        print(json.dumps({"files": rows}, ensure_ascii=False))
        return
    for r in results:
        state = "known already" if r.repeated else f"{r.rows:,} rows, {r.rejects:,} rejected"
        out.print(f"{r.kind:9} {r.name}: {state}, {len(r.findings)} findings", markup=False)
        for f in r.findings.itertuples(index=False):
            out.print(f"    {f.code} {f.object_id} ({f.count}): {f.message}", markup=False)


@app.command()
def run(
    stages: Annotated[
        list[str] | None, typer.Argument(help="forecast, risk, planning, instructions; default: all.")
    ] = None,
    issued_at: Annotated[
        str | None, typer.Option(help="First hour to forecast, with offset; default: after the last reading.")
    ] = None,
    notebooks: Annotated[
        bool, typer.Option("--notebooks", help="Run the stages as notebooks, and the daily report.")
    ] = False,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Forecast, score risk, plan transfers and write instructions.

    Examples: gridlib run; gridlib run risk planning; gridlib run --issued-at 2026-08-12T18:00+03:00 --json
    """
    from gridlib.apps.outcome import print_outcome, run_outcome
    from gridlib.workflow import pipeline, reports

    workbench = open_workbench(home)
    moment = _moment(issued_at)
    report: Path | None = None
    if notebooks:
        if stages:
            raise typer.BadParameter("--notebooks runs all stages; leave the stages out")
        run_id = reports.run_notebooks(
            workbench,
            issued_at=moment,
            on_notebook=lambda r: _progress(f"  {r.notebook} ... {r.seconds:.1f} s"),
        )
        report = reports.run_report(workbench).html
    else:
        run_id = pipeline.run_stages(
            workbench,
            stages or pipeline.STAGES,
            issued_at=moment,
            on_stage=lambda r: _progress(f"  {r.stage} ... {r.seconds:.1f} s {dict(r.counts)}"),
        )
    outcome = run_outcome(workbench, run_id)
    if as_json:
        print(
            json.dumps(outcome | ({"report": str(report)} if report else {}), ensure_ascii=False, default=str)
        )
    else:
        print_outcome(out, workbench, run_id, report)


def _moment(text: str | None) -> Any:
    import pandas as pd

    if text is None:
        return None
    try:
        return pd.Timestamp(datetime.fromisoformat(text))
    except ValueError as error:
        raise InputError(
            f"'{text}' is not a time", what_to_do="Write it as 2026-08-13T00:00+03:00."
        ) from error


@app.command()
def report(
    name: Annotated[str, typer.Argument(help="The report, for example daily_outlook.")],
    as_of: Annotated[
        str | None, typer.Option(help="Newest run up to this time; default: the newest.")
    ] = None,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Make a report of the newest run as HTML and print where it lies.

    Example: gridlib report daily_outlook
    """
    from gridlib.workflow.reports import run_report

    result = run_report(open_workbench(home), name, as_of=_moment(as_of))
    _say(as_json, {"report": name, "path": str(result.html), "seconds": result.seconds}, str(result.html))


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
        "unacknowledged": list(waiting.unacknowledged),
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
    from gridlib.workflow.queries import get_plan

    file = get_plan(open_workbench(home), plan_id)
    if as_json:
        print(json.dumps(plan_details(file), ensure_ascii=False, default=str))
    else:
        print_details(out, file)


@app.command()
def approve(plan_id: str, by: By, home: Home = None, as_json: Json = False) -> None:
    """Approve a draft plan; it is proved again first.

    Example: gridlib approve PLAN-2026-0001 --by operator
    """
    from gridlib.workflow.decisions import approve as approve_

    record = approve_(open_workbench(home), plan_id, by=by)
    _say(as_json, {"plan_id": plan_id, "state": record.state}, f"{plan_id} is {record.state}")


@app.command()
def reject(plan_id: str, by: By, reason: Reason, home: Home = None, as_json: Json = False) -> None:
    """Reject a draft plan with a reason.

    Example: gridlib reject PLAN-2026-0001 --by operator --reason "crew not available"
    """
    from gridlib.workflow.decisions import reject as reject_

    record = reject_(open_workbench(home), plan_id, by=by, reason=reason)
    _say(as_json, {"plan_id": plan_id, "state": record.state}, f"{plan_id} is {record.state}")


@app.command()
def acknowledge(
    transformer_id: str,
    by: By,
    note: Annotated[str, typer.Option(help="A remark.")] = "",
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Write down that the risk of a transformer has been seen.

    Example: gridlib acknowledge T-07 --by operator
    """
    from gridlib.workflow.decisions import acknowledge as acknowledge_

    acknowledge_(open_workbench(home), transformer_id, by=by, note=note)
    _say(
        as_json,
        {"transformer_id": transformer_id, "acknowledged_by": by},
        f"{transformer_id} acknowledged by {by}",
    )


@order_app.command()
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


@order_app.command()
def start(work_order_id: str, by: By, home: Home = None, as_json: Json = False) -> None:
    """Start an open work order; its plan is proved again first.

    Example: gridlib workorder start WO-2026-0001 --by operator2
    """
    from gridlib.workflow import workorders

    _say_order(as_json, workorders.start(open_workbench(home), work_order_id, by=by))


@order_app.command()
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
    """Write down how a step ended, in order.

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
    _say_order(as_json, order)


@order_app.command()
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


@order_app.command()
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


@order_app.command()
def cancel(work_order_id: str, by: By, reason: Reason, home: Home = None, as_json: Json = False) -> None:
    """Withdraw an open work order; its plan is a draft again.

    Example: gridlib workorder cancel WO-2026-0001 --by operator2 --reason "storm"
    """
    from gridlib.workflow import workorders

    _say_order(as_json, workorders.cancel(open_workbench(home), work_order_id, by=by, reason=reason))


def _say_order(as_json: bool, order: Any) -> None:
    from gridlib.apps.summary import next_step

    record = {
        "work_order_id": order.work_order_id,
        "plan_id": order.plan_id,
        "state": order.state,
        "crew": order.crew,
        "steps": [
            {
                "number": s.step.number,
                "verb": s.step.verb,
                "device": s.step.device,
                "switching": s.step.switching,
                "state": s.state,
            }
            for s in order.steps
        ],
    }
    text = f"{order.work_order_id} is {order.state}"
    if order.state in ("OPEN", "IN_PROGRESS"):
        text += f", {next_step(order)}"
    _say(as_json, record, text)


@user_app.command("add")
def user_add(
    name: str,
    role: Annotated[list[Role], typer.Option(help="analyst, operator or manager; may be repeated.")],
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Add a person with one role or several.

    Example: gridlib user add layla --role operator
    """
    from gridlib.workflow.accounts import add_user

    user = add_user(open_workbench(home), name, role)
    _say(
        as_json,
        {"username": user.username, "roles": list(user.roles)},
        f"{user.username}: {', '.join(user.roles)}",
    )


@user_app.command("list")
def user_list(home: Home = None, as_json: Json = False) -> None:
    """List people and their roles."""
    from gridlib.workflow.accounts import list_users

    users = list_users(open_workbench(home))
    record = {"users": [{"username": u.username, "roles": list(u.roles), "active": u.active} for u in users]}
    _say(as_json, record, "\n".join(f"{u.username}: {', '.join(u.roles)}" for u in users) or "no users yet")


@audit_app.command("verify")
def audit_verify(home: Home = None, as_json: Json = False) -> None:
    """Check every row of the audit trail and every signed checkpoint.

    Example: gridlib audit verify --json
    """
    from gridlib.workflow.audit import verify

    verdict = verify(open_workbench(home))
    record = {"rows": verdict.rows, "checkpoints": verdict.checkpoints, "holds": True}
    _say(as_json, record, f"{verdict.rows} rows hold, against {verdict.checkpoints} signed checkpoints")


@audit_app.command("export")
def audit_export(
    file: Annotated[Path, typer.Argument(help="A .csv or .jsonl file to write.")],
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Write the audit trail to a CSV or JSON Lines file.

    Example: gridlib audit export trail.csv
    """
    from gridlib.workflow.audit import export

    rows = export(open_workbench(home), file)
    _say(as_json, {"file": str(file), "rows": rows}, f"{rows} rows written to {file}")


@app.command()
def serve(
    as_user: Annotated[str, typer.Option("--as", help="The user who acts in the screens.")],
    port: Annotated[int, typer.Option(help="Port on this machine.")] = 8866,
    home: Home = None,
) -> None:
    """Open the decision desk in the browser, on this machine only.

    Example: gridlib serve --as operator
    """
    from gridlib.apps.serve import serve as serve_
    from gridlib.workflow.accounts import get_user

    workbench: Workbench = open_workbench(home)
    user = get_user(workbench, as_user)
    serve_(workbench.settings.home, username=user.username, roles=[str(r) for r in user.roles], port=port)
