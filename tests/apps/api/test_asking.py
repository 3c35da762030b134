"""Who may ask what, and what is said of requests that are wrong."""

import json
import re
from collections import Counter

import pytest

from gridlib.adapters.notebooks import share_dir
from gridlib.facts.types import Role
from gridlib.workflow import accounts, audit

pytestmark = pytest.mark.notebooks

PUBLISHED = {
    ("POST", "/api/forecasting/run/"),
    ("GET", "/api/forecasting/forecasts/"),
    ("POST", "/api/risk/assess/"),
    ("GET", "/api/risk/assessments/"),
    ("POST", "/api/planning/generate/"),
    ("GET", "/api/planning/plans/"),
    ("GET", "/api/planning/plans/{plan_id}/"),
    ("POST", "/api/planning/plans/{plan_id}/approve/"),
    ("POST", "/api/planning/plans/{plan_id}/reject/"),
    ("GET", "/api/ops/workorders/"),
    ("GET", "/api/ops/workorders/{work_order_id}/"),
    ("PATCH", "/api/ops/workorders/{work_order_id}/"),
    ("GET", "/api/audit/events/"),
    ("GET", "/api/audit/verify/"),
}

MOVES = {
    "OPEN": {"state": "OPEN"},
    "IN_PROGRESS": {"state": "IN_PROGRESS"},
    "COMPLETED": {"state": "COMPLETED"},
    "CANCELLED": {"state": "CANCELLED", "reason": "storm"},
    "ABORTED": {"state": "ABORTED", "reason": "stuck", "switched_back": True},
}

BODIES = {
    "approve_plan": {},
    "reject_plan": {"reason": "not now"},
    "ask_again": {"reason": "another way"},
    "ask_return": None,
    "issue_order": {"plan_id": "PLAN-1", "crew": "Crew 4"},
    "move_order": MOVES["IN_PROGRESS"],
    "move_step": {"state": "COMPLETED"},
    "settle_order": {"reason": "crew back", "switched_back": True},
    "acknowledge_alert": {},
    "shelve_alert": {"reason": "known", "until": "2030-01-01T00:00:00Z"},
    "unshelve_alert": None,
    "confirm_switch": {"state": "OPEN"},
    "run_forecast": {},
    "assess_risk": {},
    "generate_plans": {},
    "run_all": {},
}


def filled(path):
    return re.sub(r"{(\w+)}", lambda name: "1" if name[1] == "number" else "T-07", path)


def test_the_published_addresses_are_there_and_every_operation_is_described(api):
    found = list(api.operations())
    assert {(method, path) for method, path, _ in found} >= PUBLISHED
    assert all(operation["summary"] for _, _, operation in found)
    names = Counter(operation["operationId"] for _, _, operation in found)
    assert set(names.values()) == {1}
    assert {o["operationId"] for m, _, o in found if m != "GET"} == set(BODIES)


def test_strangers_are_told_to_sign_in(api, problem):
    for method, path, operation in api.operations():
        for headers in ({}, {"Authorization": "Bearer guessed"}):
            answer = api.ask(
                method, filled(path), by=None, json=BODIES.get(operation["operationId"]), headers=headers
            )
            problem(answer, 401, "unauthorized")
            assert answer.headers["WWW-Authenticate"].startswith("Bearer")


def test_each_role_may_look_at_everything(api):
    for method, path, _ in api.operations():
        for username in ("analyst", "operator", "manager"):
            if method == "GET":
                assert api.ask(method, filled(path), by=username).status_code in (200, 404), (username, path)


@pytest.mark.parametrize("role", list(Role))
@pytest.mark.parametrize(
    "path", sorted((share_dir() / "notebooks" / "apps").glob("*.ipynb")), ids=lambda p: p.stem
)
def test_every_screen_opens_for_its_roles_alone(api, visitor, path, role):
    """Asked of the server that the API has, which serves the screens that are shipped."""
    accounts.set_password(api.workbench, str(role), "correct horse battery")
    person = visitor(api.base)
    assert person.sign_in(str(role), "correct horse battery").status == 303
    roles = json.loads(path.read_text(encoding="utf-8"))["metadata"]["gridlib"]["roles"]
    answer = person.ask(f"/voila/render/{path.name}")
    last = audit.last_events(api.workbench, 1).iloc[0]
    if role in roles:
        assert answer.status == 200
        assert re.search(r'"kernelId": *"[\w-]+"', answer.text)
        assert "could not be shown" not in answer.text
    else:
        assert (answer.status, "kernelId" in answer.text) == (403, False)
        refused = [str(role), "screen.open", path.stem, "refused:wrong_role"]
        assert last[["actor", "action", "object", "outcome"]].tolist() == refused
    person.post("/logout", {})


def test_who_has_not_the_role_is_refused_on_record(api, problem):
    before = audit.verify(api.workbench).rows
    refused = 0
    for method, path, operation in api.operations():
        if method == "GET":
            assert "x-role" not in operation
            continue
        role = Role(operation["x-role"])
        for user in accounts.list_users(api.workbench):
            if role in user.roles:
                continue
            answer = api.ask(method, filled(path), by=user.username, json=BODIES[operation["operationId"]])
            assert problem(answer, 403, "wrong_role")["needed"] == role
            refused += 1
    assert audit.verify(api.workbench).rows == before + refused
    last = audit.last_events(api.workbench, refused)
    assert set(last["outcome"]) == {"refused:wrong_role"}


def test_a_cookie_needs_the_xsrf_header_and_a_token_does_not(api, visitor):
    accounts.set_password(api.workbench, "operator", "correct horse battery")
    browser = visitor(api.base)
    browser.sign_in("operator", "correct horse battery")
    path = "/api/network/switches/nowhere/confirm/"
    body = b'{"state": "OPEN"}'
    sent = {"Content_Type": "application/json"}
    assert browser.ask("/api/status/").status == 200
    assert browser.ask(path, "POST", body=body, **sent).status == 403
    with_header = browser.ask(path, "POST", body=body, **sent, X_XSRFToken=browser.cookie("_xsrf"))
    assert with_header.status == 404
    assert api.ask("POST", path, data=body, headers={"Content-Type": "application/json"}).status_code == 404


def test_a_revoked_token_or_a_disabled_account_is_nobody_at_once(api, problem):
    assert api.ask("GET", "/api/status/", by="manager").status_code == 200
    accounts.revoke_token(api.workbench, "manager", "tests")
    problem(api.ask("GET", "/api/status/", by="manager"), 401, "unauthorized")
    accounts.disable_user(api.workbench, "operator2")
    problem(api.ask("GET", "/api/status/", by="operator2"), 401, "unauthorized")


@pytest.mark.parametrize(
    ("sent", "status", "code", "said"),
    [
        ({"data": "{", "headers": {"Content-Type": "application/json"}}, 400, "bad_request", "JSON"),
        ({"data": "reason=x"}, 415, "bad_request", "expected application/json"),
        ({"data": "reason=x", "headers": {"Content-Type": "text/plain"}}, 415, "bad_request", "text/plain"),
        ({"json": {}}, 422, "bad_request", "reason: Field required"),
        ({"json": {"reason": "  "}}, 422, "bad_request", "reason"),
        ({"json": {"reason": 7}}, 422, "bad_request", "reason"),
        ({"json": {"reason": "x" * 501}}, 422, "bad_request", "500"),
        ({"json": {"reason": "two\nlines"}}, 422, "bad_request", "reason"),
        ({"json": {"reason": "x", "force": True}}, 422, "bad_request", "force: Extra inputs"),
        ({"json": ["reason"]}, 422, "bad_request", "body"),
        ({"json": {"reason": "x" * 70_000}}, 413, "bad_request", "at most 65536"),
        ({"json": {"reason": "x"}, "params": {"dry_run": "1"}}, 400, "bad_request", "dry_run: no such param"),
        ({"json": {"reason": "x"}, "headers": {"If-Match": "7"}}, 412, "bad_request", "ETag"),
        ({"json": {"reason": "x"}, "headers": {"If-Match": 'W/"0"'}}, 412, "bad_request", "ETag"),
        ({"json": {"reason": "x"}}, 404, "not_found", "no plan 'PLAN-1'"),
    ],
)
def test_what_is_wrong_with_a_request_is_named(api, problem, sent, status, code, said):
    found = problem(api.ask("POST", "/api/planning/plans/PLAN-1/reject/", **sent), status, code)
    assert said in found["detail"]


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("/api/planning/plans/?limit=0", "limit"),
        ("/api/planning/plans/?limit=501", "limit"),
        ("/api/planning/plans/?limit=5&limit=6", "limit"),
        ("/api/planning/plans/?limt=5", "limt: no such parameter; known: limit, after, state"),
        ("/api/planning/plans/?state=OPEN", "state.0"),
        ("/api/planning/plans/?time_from=2026-08-11T00:00", "time_from"),
        ("/api/planning/plans/?time_from=1786400000", "time_from"),
        ("/api/planning/plans/?transformer_id=%ff", "not UTF-8"),
        ("/api/audit/events/?after=T-07", "after"),
        ("/api/risk/assessments/?level=high", "level.0"),
        ("/api/audit/export/?format=xlsx", "format"),
    ],
)
def test_a_parameter_that_cannot_be_used_is_named(api, problem, path, said):
    assert said in problem(api.ask("GET", path), 400, "bad_request")["detail"]


@pytest.mark.parametrize(
    "path",
    [
        "/api/planning/plans/PLAN-1/",
        "/api/planning/plans/PLAN-1",
        "/api/planning/",
        "/api/ops/workorders/WO-1/",
        "/api/ops/workorders/%00/",
        f"/api/ops/workorders/{'W' * 81}/",
        "/api/runs/REQ-1/",
        "/api/planning/plans/?after=PLAN-1",
        "/api/risk/assessments/?after=T-99",
        "/api/risk/assessments/?run_id=RUN-1",
        "/api/network/switches/?after=nothing",
    ],
)
def test_what_is_not_there_is_404(api, path):
    answer = api.ask("GET", path)
    assert answer.status_code == 404
    assert answer.headers["Content-Type"] == "application/problem+json"


def test_head_options_and_methods_that_are_not_there(api, problem):
    for method, path, _ in api.operations():
        address = filled(path)
        options = api.ask("OPTIONS", address)
        assert options.status_code == 204
        allowed = options.headers["Allow"].split(", ")
        assert method in allowed
        for other in {"GET", "POST", "PATCH", "PUT", "DELETE"} - set(allowed):
            answer = api.ask(other, address, json={})
            problem(answer, 405, "method_not_allowed")
            assert answer.headers["Allow"] == options.headers["Allow"]
    shown, head = (
        api.ask(method, "/api/status/", headers={"Accept-Encoding": "identity"}) for method in ("GET", "HEAD")
    )
    assert head.status_code == 200
    assert head.content == b""
    assert head.headers["Content-Length"] == shown.headers["Content-Length"]
