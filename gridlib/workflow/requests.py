"""Runs that people ask for: queued here, worked off one at a time by a process of their own.

The process holds a lock as long as it lives, and the lock ends with it. So a request that is "running" while
nobody holds the lock was abandoned, and whoever looks first writes down that it failed.
"""

from collections.abc import Callable, Sequence
from pathlib import Path

import pandas as pd

from gridlib.adapters.lock import holding
from gridlib.adapters.records import run_requests
from gridlib.adapters.records.run_requests import RunRequest
from gridlib.domain.lifecycle import SYSTEM
from gridlib.facts.errors import GridlibError, RefusedError
from gridlib.facts.types import RequestState
from gridlib.workbench import Workbench
from gridlib.workflow.audit import intention
from gridlib.workflow.pipeline import StageResult, run_stages

MOST_WAITING = 20
"""So many requests may wait; more would be a fault of the program that asks."""

_WAIT_S = 2.0
"""Who only looks holds the lock for a moment; a worker waits this long before it takes it for held [s]."""

LOST = "its process ended before the run did; stages that had ended are kept, nothing is half written"


def request_run(
    workbench: Workbench, stages: Sequence[str], *, by: str, issued_at: pd.Timestamp | None = None
) -> str:
    """Ask for a run; who asks is the preparer of its plans.

    Parameters
    ----------
    workbench : Workbench
        The workspace.
    stages : sequence of str
        Stages to run; without "forecast" the newest forecast is taken up.
    by : str
        User name of an analyst.
    issued_at : Timestamp, optional
        First hour to forecast; default is the hour after the last reading.

    Returns
    -------
    str
        Name of the request, which is queued.

    Raises
    ------
    RoleError
        The user may not ask for runs.
    RefusedError
        Too many wait already.
    """
    with intention(workbench, by, "run.request", "") as act:
        waiting = run_requests.read_requests(act.connection, states=[RequestState.QUEUED])
        if len(waiting) >= MOST_WAITING:
            raise RefusedError(
                f"{len(waiting)} runs wait already",
                what_to_do=f"Wait for {waiting[0].request_id} and those behind it.",
            )
        year = act.at.tz_convert(workbench.settings.site.tz).year
        number = workbench.store.next_number(act.connection, "run_request", year)
        act.object = request_id = f"REQ-{year}-{number:04d}"
        act.facts["stages"] = list(stages)
        run_requests.save_request(act.connection, request_id, stages, issued_at=issued_at, by=by, at=act.at)
    return request_id


def get_request(workbench: Workbench, request_id: str) -> RunRequest:
    """Read one request, whose process may just have been found dead."""
    fail_lost(workbench)
    with workbench.store.read() as connection:
        return run_requests.read_request(connection, request_id)


def fail_lost(workbench: Workbench) -> None:
    """Write down that a request has failed whose process is gone."""
    if _in_state(workbench, RequestState.RUNNING):
        with holding(_lock_path(workbench)) as nobody_works:
            if nobody_works:
                _fail_running(workbench)


def needs_worker(workbench: Workbench) -> bool:
    """Tell whether requests wait and nobody works."""
    if not _in_state(workbench, RequestState.QUEUED):
        return False
    with holding(_lock_path(workbench)) as nobody_works:
        return nobody_works


def work_off(workbench: Workbench, *, before_each: Callable[[], object] = lambda: None) -> list[str]:
    """Do the waiting runs, oldest first, one at a time; at once done where another process does them.

    Parameters
    ----------
    workbench : Workbench
        The workspace.
    before_each : callable
        Called before each run, for example to set a time limit.

    Returns
    -------
    list of str
        The requests that were worked on here, done or failed.
    """
    worked: list[str] = []
    # What is queued while the last run ends is found by looking once more after the lock is given back.
    while _in_state(workbench, RequestState.QUEUED):
        with holding(_lock_path(workbench), wait_s=_WAIT_S) as alone:
            if not alone:
                break
            _fail_running(workbench)
            while request := _begin_next(workbench):
                before_each()
                _work_on(workbench, request)
                worked.append(request.request_id)
    return worked


def _begin_next(workbench: Workbench) -> RunRequest | None:
    with workbench.store.write() as connection:
        for request in run_requests.read_requests(connection, states=[RequestState.QUEUED], limit=1):
            run_requests.begin_request(connection, request.request_id, workbench.clock())
            return request
    return None


def _work_on(workbench: Workbench, request: RunRequest) -> None:
    done: list[str] = []

    def keep(result: StageResult) -> None:
        done.append(result.stage)
        with workbench.store.write() as connection:
            run_requests.save_progress(connection, request, result.run_id, done)

    try:
        run_stages(
            workbench, request.stages, issued_at=request.issued_at, by=request.requested_by, on_stage=keep
        )
    except GridlibError as error:
        reason = f"{str(error).rstrip('.')}. {error.what_to_do}".strip()
        _end(workbench, request, RequestState.FAILED, code=error.code, reason=reason)
    else:
        _end(workbench, request, RequestState.DONE)


def _fail_running(workbench: Workbench) -> None:
    """Fail what is running; only for the holder of the lock, who knows that nothing runs."""
    with workbench.store.read() as connection:
        running = run_requests.read_requests(connection, states=[RequestState.RUNNING])
    for request in running:
        _end(workbench, request, RequestState.FAILED, code="lost", reason=LOST)


def _end(
    workbench: Workbench, request: RunRequest, state: RequestState, *, code: str = "", reason: str = ""
) -> None:
    with intention(workbench, SYSTEM, "run.end", request.request_id) as act:
        run_requests.end_request(act.connection, request.request_id, state, act.at, code=code, reason=reason)
        act.facts |= {"requested_by": request.requested_by, "state": state, "reason": reason}


def _in_state(workbench: Workbench, state: RequestState) -> bool:
    with workbench.store.read() as connection:
        return bool(run_requests.read_requests(connection, states=[state], limit=1))


def _lock_path(workbench: Workbench) -> Path:
    return workbench.settings.data_dir / "requested_runs.lock"
