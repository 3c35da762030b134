"""Two servers on one PostgreSQL: whoever is first decides, and a killed one leaves nothing half done."""

import os
import signal
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests
import sqlalchemy as sa

from gridlib.facts.types import PlanState
from gridlib.workflow import accounts, audit, queries

ASKED = 16
PEOPLE = ("operator", "operator2")


def all_at_once(apis, method, path, body=None):
    """Ask both servers, as both people in turn; return (status, who) of each."""

    def ask(k):
        answer = apis[k % 2].ask(method, path, by=PEOPLE[k // 2 % 2], json=body)
        return answer.status_code, PEOPLE[k // 2 % 2]

    with ThreadPoolExecutor(ASKED) as pool:
        return list(pool.map(ask, range(ASKED)))


def killed_in_the_middle(api, plan_id):
    """Kill a server that has changed a plan and not yet written its row of the trail, in one transaction."""
    store = api.workbench.store
    blocked = sa.text(
        "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'audit_event'::regclass"
    )
    with ThreadPoolExecutor(1) as pool, store.read() as holder, store.read() as watcher:
        holder.execute(sa.text("LOCK TABLE audit_event IN EXCLUSIVE MODE"))
        asked = pool.submit(api.ask, "POST", f"/api/planning/plans/{plan_id}/approve/")
        while not watcher.execute(blocked).scalar():
            assert not asked.done()
            time.sleep(0.05)
        os.kill(api.process.pid, signal.SIGKILL)
        with pytest.raises(requests.ConnectionError):
            asked.result()


@pytest.mark.parametrize("demo", ["postgresql"], indirect=True)
def test_decisions_by_two_servers_have_one_winner_each_and_a_killed_one_leaves_no_half(
    demo, serving, ask_server
):
    tokens = {name: accounts.make_token(demo, name, "tests") for name in PEOPLE}
    with serving(demo.settings.home) as (one, first), serving(demo.settings.home) as (two, second):
        apis = [ask_server(base, demo, tokens, process) for base, process in ((one, first), (two, second))]
        plan_id = apis[0].best_plan()
        approvals = all_at_once(apis, "POST", f"/api/planning/plans/{plan_id}/approve/")
        order = {"plan_id": plan_id, "crew": "Crew 4"}
        issues = all_at_once(apis, "POST", "/api/ops/workorders/", order)
        (left,) = queries.get_plans(demo, states=[PlanState.DRAFT])
        killed_in_the_middle(apis[0], left.plan_id)
        assert queries.get_plan(demo, left.plan_id).record.state is PlanState.DRAFT
        assert apis[1].ask("POST", f"/api/planning/plans/{left.plan_id}/approve/").status_code == 200
    assert Counter(status for status, _ in approvals) == {200: 1, 409: ASKED - 1}
    (approver,) = (who for status, who in approvals if status == 200)
    statuses = Counter(status for status, _ in issues)
    assert statuses[201] == 1
    assert set(statuses) <= {201, 403, 409}
    (issuer,) = (who for status, who in issues if status == 201)
    assert issuer != approver
    (issued,) = queries.get_work_orders(demo)
    assert issued.work_order_id.endswith("-0001")
    assert queries.get_plan(demo, plan_id).record.state is PlanState.ISSUED
    events = audit.last_events(demo, 1000)
    done = events[(events["action"] == "plan.approve") & (events["outcome"] == "done")]
    assert sorted(done["object"]) == sorted([plan_id, left.plan_id])
    assert audit.verify(demo).rows > 2 * ASKED
