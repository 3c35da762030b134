"""Runs that are asked for: queued, done by a process of their own, and looked up until they have ended."""

from typing import Any

from pydantic import Field

from gridlib.adapters.records.run_requests import RunRequest
from gridlib.apps.api.fields import Body, MaybeUtc, Moment, Page, PageQuery, Utc, View
from gridlib.apps.api.operation import Answer, Call, Operation, address
from gridlib.apps.api.pages import cut
from gridlib.facts.types import RequestState, Role
from gridlib.workflow import listings, requests
from gridlib.workflow.pipeline import STAGES

RUN_PATH = "/api/runs/{request_id}/"


class Nothing(Body):
    """An empty object; it may be left out."""


class FromWhen(Body):
    """From when to forecast."""

    issued_at: Moment | None = Field(
        default=None,
        description="First hour to forecast, with its offset; without it, the hour after the last reading.",
    )


class RunView(View):
    """A requested run.

    It goes from queued to running to done or failed. ``run_id`` names the run once a stage has ended.
    """

    request_id: str
    state: RequestState
    stages: list[str]
    stages_done: list[str]
    issued_at: MaybeUtc
    requested_by: str = Field(description="Counts as preparer of the plans: cannot approve them.")
    requested_at: Utc
    started_at: MaybeUtc
    ended_at: MaybeUtc
    run_id: str | None
    code: str = Field(description="Why it failed, for programs; else empty.")
    reason: str = Field(description="Why it failed and what to do; else empty.")


class RunsQuery(PageQuery):
    """Which requested runs."""

    state: list[RequestState] = Field(default=[], description="Only in these states.")


def run_forecast(call: Call[Any, FromWhen]) -> Answer:
    """Ask for a forecast of every transformer.

    Answers at once; look at the address in Location until the state is done or failed.
    """
    return _ask(call, ["forecast"])


def assess_risk(call: Call[Any, Nothing]) -> Answer:
    """Ask for the risk of every transformer on the newest forecast."""
    return _ask(call, ["risk"])


def generate_plans(call: Call[Any, Nothing]) -> Answer:
    """Ask for load-transfer plans and their switching sheets on the newest risk."""
    return _ask(call, ["planning", "instructions"])


def run_all(call: Call[Any, FromWhen]) -> Answer:
    """Ask for all stages: forecast, risk, plans, switching sheets."""
    return _ask(call, list(STAGES))


def list_runs(call: Call[RunsQuery, None]) -> Answer:
    """List requested runs, oldest first."""
    query = call.query
    call.runner.resume()
    found = listings.list_requests(
        call.workbench, states=query.state, after=query.after or "", limit=query.limit + 1
    )
    shown, after = cut(found, query.limit, lambda request: request.request_id)
    return Answer(Page[RunView](items=[RunView.model_validate(r) for r in shown], next=call.next_page(after)))


def get_run(call: Call[Any, None]) -> Answer:
    """Look at a requested run."""
    call.runner.resume()
    return Answer(RunView.model_validate(requests.get_request(call.workbench, call.names["request_id"])))


def _ask(call: Call[Any, Any], stages: list[str]) -> Answer:
    moment = getattr(call.body, "issued_at", None)
    request_id = requests.request_run(call.workbench, stages, by=call.username, issued_at=moment)
    call.runner.start()
    found: RunRequest = requests.get_request(call.workbench, request_id)
    return Answer(RunView.model_validate(found), location=address(RUN_PATH, request_id=request_id))


_ASKED: dict[str, Any] = {"answer": RunView, "status": 202, "role": Role.ANALYST}

OPERATIONS = (
    Operation("POST", "/api/forecasting/run/", run_forecast, body=FromWhen, **_ASKED),
    Operation("POST", "/api/risk/assess/", assess_risk, body=Nothing, **_ASKED),
    Operation("POST", "/api/planning/generate/", generate_plans, body=Nothing, **_ASKED),
    Operation("POST", "/api/runs/", run_all, body=FromWhen, **_ASKED),
    Operation("GET", "/api/runs/", list_runs, Page[RunView], query=RunsQuery),
    Operation("GET", RUN_PATH, get_run, RunView),
)
