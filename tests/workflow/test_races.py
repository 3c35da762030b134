"""Many at once, in two processes: each decision is won once, numbers have no gap, the trail holds."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest
import sqlalchemy as sa

from gridlib.adapters import tables as t
from gridlib.facts.types import PlanState, WorkOrderState
from gridlib.workbench import open_workbench
from gridlib.workflow import audit, queries

PROCESSES, THREADS = 2, 8

ATTEMPTS = """
import json, sys, threading, time
from gridlib.facts.errors import GridlibError
from gridlib.workbench import open_workbench
from gridlib.workflow import decisions, workorders

home, act, plan_id, rev, threads, forever = sys.argv[1:7]
workbench = open_workbench(home)
found, start = [], threading.Barrier(int(threads) + 1)

def attempt(number):
    who = f"operator{number % 2 + 1}".replace("operator1", "operator")
    shown = None if rev == "-" else int(rev)
    start.wait()
    while True:
        try:
            if act == "approve":
                decisions.approve(workbench, plan_id, by=who, rev=shown)
            elif act == "issue":
                workorders.issue(workbench, plan_id, by=who, crew=f"Crew {number}", rev=shown)
            else:
                decisions.acknowledge(workbench, plan_id, by=who, rev=shown)
            outcome = "done"
        except GridlibError as error:
            outcome = error.code
        found.append((who, outcome))
        if forever == "no":
            return

crowd = [threading.Thread(target=attempt, args=(n,), daemon=forever == "yes") for n in range(int(threads))]
for one in crowd:
    one.start()
print("ready", flush=True)
sys.stdin.readline()
start.wait()
for one in crowd:
    one.join()
print(json.dumps(found), flush=True)
"""


def crowd(home, act, name, rev="-", *, forever=False):
    """Start the processes; they wait for a word."""
    command = [sys.executable, "-c", ATTEMPTS, str(home), act, name, str(rev), str(THREADS)]
    command.append("yes" if forever else "no")
    started = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for _ in range(PROCESSES)
    ]
    for process in started:
        assert process.stdout.readline() == "ready\n"
    return started


def release(processes):
    for process in processes:
        process.stdin.write("go\n")
        process.stdin.flush()


def all_at_once(home, act, name, rev="-"):
    processes = crowd(home, act, name, rev)
    release(processes)
    outcomes = []
    for process in processes:
        out, _ = process.communicate(timeout=240)
        assert process.returncode == 0
        outcomes += json.loads(out)
    assert len(outcomes) == PROCESSES * THREADS
    return outcomes


def best_plan(workbench, transformer_id="T-07"):
    return queries.get_plans(workbench, transformer_id=transformer_id, states=[PlanState.DRAFT])[0]


def events(workbench, action):
    trail = audit.last_events(workbench, 10_000)
    return trail[trail["action"] == action]


def counted(workbench):
    with workbench.store.read() as connection:
        query = sa.select(t.counter.c.last).where(t.counter.c.name == "work_order")
        return connection.scalar(query) or 0


def test_sixteen_approve_one_plan_and_sixteen_issue_it(demo):
    home, shown = demo.settings.home, best_plan(demo)
    approvals = all_at_once(home, "approve", shown.plan_id, shown.rev)
    winner = [who for who, outcome in approvals if outcome == "done"]
    assert len(winner) == 1
    assert {outcome for _, outcome in approvals} == {"done", "changed"}
    record = queries.get_plan(demo, shown.plan_id).record
    assert (record.state, record.approved_by) == (PlanState.APPROVED, winner[0])
    assert len(events(demo, "plan.approve")) == PROCESSES * THREADS

    issues = all_at_once(home, "issue", shown.plan_id)
    issuer = [who for who, outcome in issues if outcome == "done"]
    assert len(issuer) == 1
    assert issuer != winner
    assert {outcome for _, outcome in issues} <= {"done", "wrong_state", "four_eyes"}
    (order,) = queries.get_work_orders(demo)
    assert order.issued_by == issuer[0]
    assert order.work_order_id.endswith("-0001")
    assert counted(demo) == 1
    assert queries.get_plan(demo, shown.plan_id).record.state is PlanState.ISSUED
    assert audit.verify(demo).rows > 2 * PROCESSES * THREADS


def test_sixteen_acknowledge_one_alert(demo):
    outcomes = all_at_once(demo.settings.home, "acknowledge", "T-07")
    assert [outcome for _, outcome in outcomes].count("done") == 1
    history = queries.get_alert_history(demo, "T-07")
    assert list(history["event"]) == ["ACKNOWLEDGED", "RAISED"]
    assert audit.verify(demo).rows


@pytest.mark.parametrize("act", ["approve", "issue"])
def test_processes_killed_in_the_middle_leave_whole_decisions(demo, act):
    home, shown = demo.settings.home, best_plan(demo)
    if act == "issue":
        all_at_once(home, "approve", shown.plan_id)
    processes = crowd(home, act, shown.plan_id, forever=True)
    before = len(audit.last_events(demo, 10_000))
    release(processes)
    end = time.monotonic() + 60
    while len(audit.last_events(demo, 10_000)) < before + 2 and time.monotonic() < end:
        time.sleep(0.02)
    for process in processes:
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        process.stdin.close()
        process.stdout.close()
    after = open_workbench(home)
    done = events(after, "plan.approve" if act == "approve" else "work_order.issue")
    done = done[done["outcome"] == "done"]
    record = queries.get_plan(after, shown.plan_id).record
    orders = queries.get_work_orders(after)
    if act == "approve":
        assert (record.state is PlanState.APPROVED) == (len(done) == 1)
        assert not orders
    else:
        assert (record.state is PlanState.ISSUED) == (len(done) == 1) == (len(orders) == 1)
        assert counted(after) == len(orders)
        assert all(order.state is WorkOrderState.OPEN and order.steps for order in orders)
    assert audit.verify(after).rows >= before + 2
    after.store.dispose()
