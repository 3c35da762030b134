"""Commands that make a workspace, fill it, run the stages and show the results."""

import json
import signal
from pathlib import Path
from typing import Annotated, Any

import typer

from gridlib.apps.cli.base import Home, Json, complain, fault_of, moment_of, out, progress, say
from gridlib.facts.errors import InputError
from gridlib.workbench import Workbench, open_workbench

app = typer.Typer()

REQUESTED_RUN_LIMIT_S = 3600
"""How long a run that was asked for over the API may take [s]."""


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
    progress(f"Making a workspace in {folder} ...")
    workbench, results = init_workspace(folder, example=example)
    taken = [r for r in results if not r.repeated]
    rows = sum(r.rows for r in taken)
    record = {"home": str(workbench.settings.home), "files": len(taken), "rows": rows}
    say(
        as_json,
        record,
        f"Workspace ready: {workbench.settings.home} ({len(taken)} files, {rows:,} rows taken in)",
    )
    if workbench.settings.site.notice and not as_json:
        out.print(workbench.settings.site.notice, markup=False)
    if workbench.first_passwords_path.exists() and not as_json:
        out.print(f"Passwords of the example people: {workbench.first_passwords_path}", markup=False)


@app.command()
def ingest(
    paths: Annotated[list[Path], typer.Argument(help="Files or folders: CSV, Parquet.")],
    kind: Annotated[
        str | None, typer.Option(help="load, oil, weather, network or switches; default: recognise.")
    ] = None,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Take in readings, weather, network tables or switch states.

    One file is one transaction; the same file twice changes nothing; a file that is refused leaves the others
    alone. Examples: gridlib ingest load.csv;
    gridlib ingest drop/ --json
    """
    from gridlib.workflow.ingest import in_order, ingest_file

    workbench = open_workbench(home)
    rows, faults = [], []
    for path in in_order(paths):
        try:
            r = ingest_file(workbench, path, kind=kind)
        except InputError as error:
            faults.append(error)
            continue
        rows.append(
            {
                "name": path.name,
                "kind": r.kind,
                "rows": r.rows,
                "rejects": r.rejects,
                "repeated": r.repeated,
                "findings": json.loads(r.findings.to_json(orient="records", date_format="iso")),
            }
        )
    if as_json:
        record = {"files": rows} | ({"error": fault_of(faults[0])} if faults else {})
        print(json.dumps(record, ensure_ascii=False))
    else:
        _print_ingests(rows)
    for fault in faults:
        complain(fault)
    if faults:
        raise typer.Exit(1)


def _print_ingests(rows: list[dict[str, Any]]) -> None:
    for r in rows:
        state = "known already" if r["repeated"] else f"{r['rows']:,} rows, {r['rejects']:,} rejected"
        out.print(f"{r['kind']:9} {r['name']}: {state}, {len(r['findings'])} findings", markup=False)
        for f in r["findings"]:
            out.print(f"    {f['code']} {f['object_id']} ({f['count']}): {f['message']}", markup=False)


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
    requested: Annotated[
        bool, typer.Option("--requested", help="Do the runs that were asked for over the API, oldest first.")
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
    if requested:
        if stages or issued_at or notebooks:
            raise typer.BadParameter("--requested stands alone: each request says what to run")
        _work_off_requests(workbench, as_json)
        return
    moment = moment_of(issued_at)
    report: Path | None = None
    if notebooks:
        if stages:
            raise typer.BadParameter("--notebooks runs all stages; leave the stages out")
        run_id = reports.run_notebooks(
            workbench,
            issued_at=moment,
            on_notebook=lambda r: progress(f"  {r.notebook} ... {r.seconds:.1f} s"),
        )
        report = reports.run_report(workbench).html
    else:
        run_id = pipeline.run_stages(
            workbench,
            stages or pipeline.STAGES,
            issued_at=moment,
            on_stage=lambda r: progress(f"  {r.stage} ... {r.seconds:.1f} s {dict(r.counts)}"),
        )
    outcome = run_outcome(workbench, run_id)
    if as_json:
        print(
            json.dumps(outcome | ({"report": str(report)} if report else {}), ensure_ascii=False, default=str)
        )
    else:
        print_outcome(out, workbench, run_id, report)


def _work_off_requests(workbench: Workbench, as_json: bool) -> None:
    from gridlib.workflow import requests

    # A run that hangs would keep all later ones waiting: the system ends this process.
    worked = requests.work_off(workbench, before_each=lambda: signal.alarm(REQUESTED_RUN_LIMIT_S))
    signal.alarm(0)
    ended = [requests.get_request(workbench, request_id) for request_id in worked]
    records = [{"request_id": r.request_id, "state": r.state, "run_id": r.run_id} for r in ended]
    lines = [f"{r.request_id} is {r.state}{f': {r.reason}' if r.reason else ''}" for r in ended]
    say(as_json, {"requests": records}, "\n".join(lines) or "No requests wait here.")


@app.command()
def study(
    transformer_id: str,
    ambient_k: Annotated[float, typer.Option(help="Added to the air of every hour [K].")] = 0.0,
    load_pct: Annotated[float, typer.Option(help="Added to every load [%].")] = 0.0,
    tie_out: Annotated[str, typer.Option(help="A switch that cannot be operated.")] = "",
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Score and plan one transformer again under other circumstances; nothing is stored.

    Example: gridlib study T-07 --ambient-k 3 --load-pct 5
    """
    from gridlib.apps.study_view import print_study, study_record
    from gridlib.workflow.studies import study as study_

    workbench = open_workbench(home)
    found = study_(workbench, transformer_id, ambient_k=ambient_k, load_pct=load_pct, tie_out=tie_out)
    if as_json:
        print(json.dumps(study_record(found), ensure_ascii=False))
    else:
        print_study(out, found, workbench.settings.site.tz)


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

    result = run_report(open_workbench(home), name, as_of=moment_of(as_of))
    say(as_json, {"report": name, "path": str(result.html), "seconds": result.seconds}, str(result.html))


@app.command()
def serve(
    port: Annotated[
        int, typer.Option(help="Port on this machine; 0: any free one.", min=0, max=65535)
    ] = 8866,
    home: Home = None,
) -> None:
    """Serve the screens to everybody who has an account; stops with Ctrl-C.

    Example: gridlib serve --port 8866
    """
    from gridlib.apps.server.app import serve as serve_

    serve_(open_workbench(home).settings.home, port=port)


@app.command()
def lab(
    port: Annotated[
        int, typer.Option(help="Port on this machine; 0: any free one.", min=0, max=65535)
    ] = 8888,
    home: Home = None,
) -> None:
    """Serve JupyterLab on the notebooks of the workspace to everybody with the role analyst.

    Example: gridlib lab --port 8888
    """
    from gridlib.apps.server.lab import lab as lab_

    lab_(open_workbench(home).settings.home, port=port)
