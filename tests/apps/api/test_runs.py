"""Runs that are asked for over the API."""

import os
import signal
from pathlib import Path

import pytest

from gridlib.workflow import requests as requested

pytestmark = pytest.mark.notebooks


def test_a_run_is_accepted_at_once_and_looked_up_until_it_is_done(api):
    answer = api.ask("POST", "/api/forecasting/run/", by="analyst")
    assert answer.status_code == 202
    assert answer.elapsed.total_seconds() < 10
    accepted = answer.json()
    assert answer.headers["Location"] == f"/api/runs/{accepted['request_id']}/"
    assert (accepted["state"], accepted["requested_by"]) == ("queued", "analyst")
    api.do("POST", "/api/risk/assess/", {}, by="analyst", status=202)
    plans = api.do("POST", "/api/planning/generate/", {}, by="analyst", status=202)
    done = api.wait_for(plans["request_id"])
    assert (done["state"], done["stages_done"]) == ("done", ["planning", "instructions"])
    asked = api.get("/api/runs/?state=done")["items"]
    assert [run["stages_done"] for run in asked] == [["forecast"], ["risk"], ["planning", "instructions"]]
    assert {run["run_id"] for run in asked} == {done["run_id"]}
    assert api.get("/api/risk/assessments/")["run_id"] == done["run_id"]


def test_a_run_that_cannot_be_done_has_failed_with_the_reason(api):
    asked = api.do(
        "POST", "/api/forecasting/run/", {"issued_at": "2001-01-01T00:00:00Z"}, by="analyst", status=202
    )
    failed = api.wait_for(asked["request_id"])
    assert (failed["state"], failed["code"]) == ("failed", "bad_input")
    assert "no load readings before 2001-01-01" in failed["reason"]


def test_a_run_survives_the_server_and_has_failed_once_its_process_is_killed(
    serving, prepare, ask_server, sqlite_demo, tmp_path
):
    home = tmp_path / "demo"
    workbench, tokens = prepare(sqlite_demo, home)
    with serving(home) as (base, process):
        first = ask_server(base, workbench, tokens, process)
        asked = first.do("POST", "/api/runs/", {}, by="analyst", status=202)["request_id"]
        first.wait_for(asked, states=("running",))
        process.kill()
    pids = [int(folder.name) for folder in Path("/proc").glob("[0-9]*") if is_worker(folder, home)]
    assert len(pids) == 1
    assert os.getpgid(pids[0]) == pids[0]
    assert requested.get_request(workbench, asked).state == "running"
    os.killpg(pids[0], signal.SIGKILL)
    with serving(home) as (base, process):
        second = ask_server(base, workbench, tokens, process)
        failed = second.wait_for(asked)
        assert (failed["state"], failed["code"]) == ("failed", "lost")
        again = second.do("POST", "/api/runs/", {}, by="analyst", status=202)["request_id"]
        assert second.wait_for(again)["state"] == "done"


def is_worker(process, home):
    try:
        return {b"--requested", str(home).encode()} <= set((process / "cmdline").read_bytes().split(b"\0"))
    except OSError:
        return False
