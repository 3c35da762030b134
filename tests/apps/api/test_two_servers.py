"""Two servers on one PostgreSQL: whoever is first decides, over real HTTP."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest

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


@pytest.mark.parametrize("demo", ["postgresql"], indirect=True)
def test_sixteen_approvals_then_issues_by_two_servers_have_one_winner_each(demo, serving, ask_server):
    tokens = {name: accounts.make_token(demo, name, "tests") for name in PEOPLE}
    with serving(demo.settings.home) as (one, first), serving(demo.settings.home) as (two, second):
        apis = [ask_server(base, demo, tokens, process) for base, process in ((one, first), (two, second))]
        plan_id = apis[0].best_plan()
        approvals = all_at_once(apis, "POST", f"/api/planning/plans/{plan_id}/approve/")
        order = {"plan_id": plan_id, "crew": "Crew 4"}
        issues = all_at_once(apis, "POST", "/api/ops/workorders/", order)
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
    assert audit.verify(demo).rows > 2 * ASKED
