"""Runs that people ask for: one at a time, in order, honest about a process that died."""

import os
import signal
import subprocess
import sys
import time
from itertools import pairwise

import pandas as pd
import pytest

from gridlib.adapters.lock import holding
from gridlib.facts.errors import FourEyesError, RefusedError, RoleError
from gridlib.facts.types import PlanState, RequestState
from gridlib.workflow import audit, decisions, listings, queries, requests
from gridlib.workflow.pipeline import STAGES

WORK_OFF = """
import sys
from gridlib.workbench import open_workbench
from gridlib.workflow import requests

def ready():
    print("working", flush=True)
    {then}

requests.work_off(open_workbench(sys.argv[1]), before_each=ready)
print("over", flush=True)
"""


def asked(workbench):
    return listings.list_requests(workbench, limit=100)


def worker(workbench, then="pass"):
    return subprocess.Popen(
        [sys.executable, "-c", WORK_OFF.format(then=then), str(workbench.settings.home)],
        stdout=subprocess.PIPE,
        text=True,
    )


def test_requests_are_worked_off_in_order_and_say_how_they_ended(demo):
    first = requests.request_run(demo, ["forecast", "risk"], by="analyst")
    second = requests.request_run(demo, ["planning", "instructions"], by="analyst")
    assert [r.state for r in asked(demo)] == [RequestState.QUEUED] * 2
    assert requests.needs_worker(demo)
    assert requests.work_off(demo) == [first, second]
    assert not requests.needs_worker(demo)
    done = requests.get_request(demo, first)
    assert (done.state, done.stages_done) == (RequestState.DONE, ("forecast", "risk"))
    assert (
        requests.get_request(demo, second).run_id == done.run_id == queries.get_run(demo, stage="risk").run_id
    )
    assert audit.verify(demo).rows > 0


def test_who_asks_is_the_preparer_and_cannot_approve(demo):
    for waiting in queries.get_plans(demo, states=[PlanState.DRAFT]):
        decisions.reject(demo, waiting.plan_id, by="operator", reason="planned anew")
    with demo.store.write() as connection:
        connection.exec_driver_sql(
            """UPDATE user_account SET roles = '["analyst", "operator"]' WHERE username = 'operator2'"""
        )
    requests.request_run(demo, STAGES, by="operator2")
    requests.work_off(demo)
    plan = queries.get_plans(demo, states=[PlanState.DRAFT])[0]
    assert plan.prepared_by == "operator2"
    with pytest.raises(FourEyesError):
        decisions.approve(demo, plan.plan_id, by="operator2")
    assert decisions.approve(demo, plan.plan_id, by="operator").state is PlanState.APPROVED


@pytest.mark.parametrize("username", ["operator", "manager"])
def test_only_analysts_ask_for_runs(demo, username):
    with pytest.raises(RoleError):
        requests.request_run(demo, ["risk"], by=username)
    assert asked(demo) == []


def test_a_run_that_fails_says_why_and_the_next_one_is_done(demo):
    early = pd.Timestamp("2001-01-01T00:00Z")
    bad = requests.request_run(demo, ["forecast"], by="analyst", issued_at=early)
    good = requests.request_run(demo, ["risk"], by="analyst")
    assert requests.work_off(demo) == [bad, good]
    failed = requests.get_request(demo, bad)
    assert (failed.state, failed.code) == (RequestState.FAILED, "bad_input")
    assert "no load readings before 2001" in failed.reason
    assert requests.get_request(demo, good).state is RequestState.DONE


def test_so_many_may_wait_and_no_more(demo, monkeypatch):
    monkeypatch.setattr(requests, "MOST_WAITING", 2)
    first = requests.request_run(demo, ["risk"], by="analyst")
    requests.request_run(demo, ["risk"], by="analyst")
    with pytest.raises(RefusedError) as refused:
        requests.request_run(demo, ["risk"], by="analyst")
    assert first in refused.value.what_to_do
    assert len(asked(demo)) == 2


def test_a_request_whose_process_was_killed_has_failed(demo):
    request_id = requests.request_run(demo, ["forecast"], by="analyst")
    with worker(demo, then="import time; time.sleep(600)") as process:
        assert process.stdout.readline() == "working\n"
        assert requests.get_request(demo, request_id).state is RequestState.RUNNING
        assert not requests.needs_worker(demo)
        os.kill(process.pid, signal.SIGKILL)
        process.wait(10)
    lost = requests.get_request(demo, request_id)
    assert (lost.state, lost.code, lost.reason) == (RequestState.FAILED, "lost", requests.LOST)
    event = audit.last_events(demo, 1).iloc[0]
    assert (event["action"], event["object"]) == ("run.end", request_id)


def test_two_workers_never_work_at_once(demo):
    names = [requests.request_run(demo, ["risk"], by="analyst") for _ in range(3)]
    processes = [worker(demo) for _ in range(2)]
    said = [process.communicate(timeout=120)[0].splitlines() for process in processes]
    assert sorted(len(lines) for lines in said) == [1, 4]
    found = asked(demo)
    assert [r.request_id for r in found] == names
    assert all(r.state is RequestState.DONE for r in found)
    assert all(a.ended_at <= b.started_at for a, b in pairwise(found))


def test_a_lock_is_waited_for_and_ends_with_its_holder(tmp_path):
    path = tmp_path / "lock"
    with holding(path) as mine, holding(path) as theirs:
        assert (mine, theirs) == (True, False)
    begun = time.monotonic()
    with holding(path), holding(path, wait_s=0.2) as waited:
        assert not waited
        assert time.monotonic() - begun >= 0.2
    with holding(path) as again:
        assert again
