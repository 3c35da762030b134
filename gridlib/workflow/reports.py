"""Executed notebooks and reports: strict parameters, atomic publication, one ledger row each."""

from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path

import pandas as pd

import gridlib
from gridlib.adapters.notebooks import NotebookResult, notebook_parameters, run_notebook, share_dir
from gridlib.adapters.records import notebook_runs
from gridlib.domain.lifecycle import SYSTEM
from gridlib.facts.errors import NotebookError, NotFoundError
from gridlib.workbench import Workbench
from gridlib.workflow import audit, queries
from gridlib.workflow.audit import intention
from gridlib.workflow.pipeline import start_run

STAGE_NOTEBOOKS = ("02_forecast", "03_risk", "04_planning", "05_instructions")
CLOSING_NOTEBOOKS = ("06_approval", "07_work_orders", "08_audit")
DAILY = "daily_outlook"


def run_notebooks(
    workbench: Workbench,
    *,
    issued_at: pd.Timestamp | None = None,
    on_notebook: Callable[[NotebookResult], None] | None = None,
) -> str:
    """Run all stages as notebooks, one process each, and publish them under reports/stages.

    Returns
    -------
    str
        The run's id.

    Raises
    ------
    NotebookError
        The first notebook that failed; what was published before stays.
    """
    run = start_run(workbench, issued_at=issued_at)
    for name in ("01_ingest", *STAGE_NOTEBOOKS, *CLOSING_NOTEBOOKS):
        source = share_dir() / "notebooks" / f"{name}.ipynb"
        given = {"run_id": run.run_id} if "run_id" in notebook_parameters(source) else {}
        result = _publish(workbench, source, "stages", run.run_id, run.issued_at, given)
        if on_notebook is not None:
            on_notebook(result)
    audit.checkpoint(workbench)
    return run.run_id


def run_report(workbench: Workbench, name: str = DAILY, *, as_of: datetime | None = None) -> NotebookResult:
    """Make a report of the newest run and publish it under reports/<name>/<as_of>.

    Parameters
    ----------
    workbench : Workbench
        The workspace.
    name : str
        The report: a notebook in notebooks/reports.
    as_of : datetime, optional
        Take the newest run issued no later than this; default is the newest run.

    Returns
    -------
    NotebookResult
        With the path of the HTML.

    Raises
    ------
    NotFoundError
        No such report, or no run yet.
    NotebookError
        The report failed; an older edition stays.
    """
    folder = share_dir() / "notebooks" / "reports"
    known = sorted(path.stem for path in folder.glob("*.ipynb"))
    if name not in known:
        raise NotFoundError("report", name, what_to_do=f"Reports are: {', '.join(known)}.")
    run = queries.get_run_as_of(workbench, as_of) if as_of else queries.get_run(workbench, stage="risk")
    return _publish(
        workbench, folder / f"{name}.ipynb", name, run.run_id, run.issued_at, {"run_id": run.run_id}
    )


def _publish(
    workbench: Workbench,
    source: Path,
    shelf: str,
    run_id: str,
    issued_at: pd.Timestamp,
    parameters: Mapping[str, str],
) -> NotebookResult:
    local = issued_at.tz_convert(workbench.settings.site.tz)
    target = workbench.settings.reports_dir / shelf / local.strftime("%Y-%m-%dT%H%M")
    begun = workbench.clock()
    row = {
        "notebook": source.stem,
        "run_id": run_id,
        "parameters": dict(parameters),
        "code_version": gridlib.__version__,
        "started_at": begun,
    }
    try:
        result = run_notebook(source, target, parameters, cwd=workbench.settings.home)
    except NotebookError as error:
        seconds = (workbench.clock() - begun).total_seconds()
        with intention(workbench, SYSTEM, "notebook.run", source.stem) as act:
            act.outcome = f"failed:{error.code}"
            act.facts |= {"run_id": run_id, "message": str(error)}
            notebook_runs.save_notebook_run(
                act.connection, {**row, "seconds": seconds, "outcome": "failed", "message": str(error)}
            )
        raise
    with intention(workbench, SYSTEM, "notebook.run", source.stem) as act:
        published = (result.html or result.executed).relative_to(workbench.settings.home).as_posix()
        act.facts |= {"run_id": run_id, "published": published}
        notebook_runs.save_notebook_run(
            act.connection,
            {**row, "seconds": result.seconds, "outcome": "done", "published_at": published},
        )
    return result
