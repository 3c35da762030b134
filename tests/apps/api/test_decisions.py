"""What people decide over the API: plans, work orders and their steps, alerts, switches."""

from datetime import datetime, timedelta

import pytest

from gridlib.adapters import tables as t
from gridlib.domain.lifecycle import WORK_ORDER_MOVES
from gridlib.facts.types import WorkOrderState
from gridlib.workflow import audit

pytestmark = pytest.mark.notebooks

MOVES = {
    "OPEN": {"state": "OPEN"},
    "IN_PROGRESS": {"state": "IN_PROGRESS"},
    "COMPLETED": {"state": "COMPLETED"},
    "CANCELLED": {"state": "CANCELLED", "reason": "storm"},
    "ABORTED": {"state": "ABORTED", "reason": "stuck", "switched_back": True},
}


def reading_for(step):
    if step["reading_low"] is None:
        return "100 A"
    return f"{(step['reading_low'] + step['reading_high']) / 2:.0f} A"


def test_from_a_draft_to_a_closed_order_with_every_name_on_record(api):
    answer = api.issued()
    order, address = answer.json(), answer.headers["Location"]
    assert address == f"/api/ops/workorders/{order['work_order_id']}/"
    assert answer.headers["ETag"] == f'"{order["rev"]}"'
    order = api.do("PATCH", address, MOVES["IN_PROGRESS"], by="operator2")
    for step in order["steps"]:
        number = step["step"]["number"]
        told = {"state": "INSTRUCTED", "to": "Crew 4, Sami"}
        api.do("PATCH", f"{address}steps/{number}/", told, by="operator2")
        done = {"state": "COMPLETED", "reading": reading_for(step["step"])}
        order = api.do("PATCH", f"{address}steps/{number}/", done, by="operator2")
        assert order["steps"][number - 1]["instructed_to"] == "Crew 4, Sami"
    order = api.do("PATCH", address, {"state": "COMPLETED", "outcome": "as planned"}, by="operator2")
    assert (order["state"], order["outcome"]) == ("COMPLETED", "as planned")
    plan = api.get(f"/api/planning/plans/{order['plan_id']}/")
    assert (plan["state"], plan["work_orders"]) == ("EXECUTED", [order["work_order_id"]])
    events = api.follow("/api/audit/events/?limit=200")
    who = {(e["action"], e["actor"]) for page in events for e in page["items"]}
    assert {("plan.approve", "operator"), ("work_order.issue", "operator2")} <= who
    assert ("work_order.complete", "operator2") in who
    assert api.get("/api/audit/verify/")["holds"] is True


@pytest.fixture
def quiet_hours(api):
    """The newest forecast with less than half of its load, as long as a test lasts."""
    telemetry, run_id = api.workbench.telemetry, api.get("/api/status/")["forecast_run"]
    forecast = telemetry.read_run_frame(run_id, "forecast")
    load = [name for name in forecast if name.startswith("load_kva")]
    telemetry.write_run_frame(
        run_id, "forecast", forecast.assign(**{name: 0.4 * forecast[name] for name in load})
    )
    yield
    telemetry.write_run_frame(run_id, "forecast", forecast)


def carried_out(api):
    answer = api.issued()
    order, address = answer.json(), answer.headers["Location"]
    api.do("PATCH", address, MOVES["IN_PROGRESS"], by="operator2")
    for step in order["steps"]:
        done = {"state": "COMPLETED", "reading": reading_for(step["step"])}
        api.do("PATCH", f"{address}steps/{step['step']['number']}/", done, by="operator2")
    return api.do("PATCH", address, MOVES["COMPLETED"], by="operator2")["plan_id"]


def test_the_way_back_is_refused_while_it_would_overload(api, problem):
    draft = f"/api/planning/plans/{api.best_plan()}/"
    problem(api.ask("POST", f"{draft}return/"), 409, "wrong_state")
    address = f"/api/planning/plans/{carried_out(api)}/"
    assert "cannot be returned" in problem(api.ask("POST", f"{address}return/"), 409, "refused")["detail"]
    assert api.get(address)["state"] == "EXECUTED"


def test_the_way_back_is_a_plan_of_its_own_that_somebody_else_approves(api, problem, quiet_hours):
    plan_id = carried_out(api)
    asked = api.ask("POST", f"/api/planning/plans/{plan_id}/return/")
    assert asked.status_code == 201, asked.text
    address = asked.headers["Location"]
    back = api.get(address)
    assert back == asked.json()
    assert (back["returns"], back["state"], back["prepared_by"]) == (plan_id, "DRAFT", "operator")
    assert back["sheet"]["steps"][0]["text"].startswith("Read the current of all three phases at ")
    assert back["sheet"]["checklist"][0].startswith("Live switching only")
    problem(api.ask("POST", f"{address}approve/"), 403, "four_eyes")


def test_an_order_is_cancelled_then_another_aborted(api):
    first = api.issued().json()
    address = f"/api/ops/workorders/{first['work_order_id']}/"
    assert api.do("PATCH", address, MOVES["CANCELLED"])["state"] == "CANCELLED"
    assert api.get(f"/api/planning/plans/{first['plan_id']}/")["state"] == "DRAFT"
    second = api.issued().json()
    address = f"/api/ops/workorders/{second['work_order_id']}/"
    api.do("PATCH", address, MOVES["IN_PROGRESS"])
    assert api.do("PATCH", address, MOVES["ABORTED"])["state"] == "ABORTED"
    assert api.get(f"/api/planning/plans/{second['plan_id']}/")["state"] == "ROLLED_BACK"
    orders = api.get("/api/ops/workorders/?limit=1")
    assert orders["items"][0]["work_order_id"] == first["work_order_id"]
    assert [o["work_order_id"] for o in api.get(orders["next"])["items"]] == [second["work_order_id"]]


def test_every_move_that_the_table_of_states_does_not_have_is_refused(api, problem):
    order = api.issued().json()
    address = f"/api/ops/workorders/{order['work_order_id']}/"
    for state in WorkOrderState:
        with api.workbench.store.write() as connection:
            connection.execute(t.work_order.update().values(state=str(state)))
        for to in WorkOrderState:
            if to in WORK_ORDER_MOVES[state]:
                continue
            said = problem(api.ask("PATCH", address, json=MOVES[to]), 409, "wrong_state")
            assert said["allowed"] == [str(allowed) for allowed in WORK_ORDER_MOVES[state]]
            assert api.get(address)["state"] == state
    refused = audit.last_events(api.workbench, 1).iloc[0]
    assert (refused["actor"], refused["outcome"]) == ("operator", "refused:wrong_state")


def test_steps_end_in_order_and_switching_ones_are_not_skipped(api, problem):
    order = api.issued().json()
    address = f"/api/ops/workorders/{order['work_order_id']}/"
    problem(api.ask("PATCH", f"{address}steps/1/", json={"state": "COMPLETED"}), 409, "wrong_state")
    api.do("PATCH", address, MOVES["IN_PROGRESS"])
    problem(api.ask("PATCH", f"{address}steps/2/", json={"state": "COMPLETED"}), 409, "refused")
    problem(api.ask("PATCH", f"{address}steps/x/", json={"state": "COMPLETED"}), 404, "not_found")
    problem(api.ask("PATCH", f"{address}steps/1/", json={"state": "FAILED"}), 422, "bad_request")
    problem(api.ask("PATCH", f"{address}steps/1/", json={"state": "ABORTED"}), 422, "bad_request")
    assert [s["state"] for s in api.get(f"{address}steps/")["items"]] == ["PENDING"] * len(order["steps"])


def test_a_decision_on_what_has_changed_meanwhile_is_refused(api, problem):
    plan_id = api.best_plan()
    address = f"/api/planning/plans/{plan_id}/"
    shown = api.ask("GET", address).headers["ETag"]
    api.do("POST", f"{address}approve/", headers={"If-Match": shown})
    late = api.ask(
        "POST", f"{address}reject/", json={"reason": "x"}, by="operator2", headers={"If-Match": shown}
    )
    said = problem(late, 412, "changed")
    assert "APPROVED by operator" in said["detail"]
    again = problem(api.ask("POST", f"{address}approve/", headers={"If-Match": shown}), 412, "changed")
    assert "already" in again["detail"]
    assert api.get(address)["state"] == "APPROVED"
    new = api.ask("GET", address).headers["ETag"]
    assert new != shown
    body = {"plan_id": plan_id, "crew": "Crew 4"}
    problem(api.ask("POST", "/api/ops/workorders/", json=body, by="operator"), 403, "four_eyes")
    old = api.ask("POST", "/api/ops/workorders/", json=body, by="operator2", headers={"If-Match": shown})
    problem(old, 412, "changed")
    assert api.ask("POST", "/api/ops/workorders/", json=body, by="operator2", headers={"If-Match": new}).ok


def test_alerts_are_acknowledged_shelved_and_taken_back(api, problem):
    address = "/api/risk/alerts/T-07/"
    assert api.get("/api/risk/alerts/?level=HIGH")["items"][0]["waits"]
    seen = api.do("POST", f"{address}acknowledge/", {"note": "known"})
    assert (seen["acknowledged_by"], seen["waits"]) == ("operator", False)
    problem(api.ask("POST", f"{address}acknowledge/", json={}, by="operator2"), 409, "changed")
    until = (datetime.now().astimezone() + timedelta(hours=1)).isoformat()
    shelved = api.do("POST", f"{address}shelve/", {"reason": "works at T-07", "until": until}, by="operator2")
    assert (shelved["shelved_by"], shelved["shelved_reason"]) == ("operator2", "works at T-07")
    assert api.do("POST", f"{address}unshelve/")["waits"]
    late = {"reason": "x", "until": "2020-01-01T00:00:00Z"}
    problem(api.ask("POST", f"{address}shelve/", json=late), 422, "bad_input")
    events = [row["event"] for row in api.get(f"{address}history/")["items"]]
    assert events[:3] == ["UNSHELVED", "SHELVED", "ACKNOWLEDGED"]
    problem(api.ask("POST", "/api/risk/alerts/T-99/acknowledge/", json={}), 404, "not_found")


def test_a_switch_is_confirmed_and_nothing_is_operated(api):
    switch = api.get("/api/network/switches/")["items"][0]
    other = "OPEN" if switch["state"] == "CLOSED" else "CLOSED"
    path = f"/api/network/switches/{switch['switch_id']}/confirm/"
    confirmed = api.do("POST", path, {"state": other})
    assert (confirmed["state"], confirmed["source"], confirmed["confirmed"]) == (other, "manual", True)


def test_only_the_order_that_was_aborted_can_be_settled(api, problem):
    first = api.issued().json()
    address = "/api/ops/workorders/{}/"
    api.do("PATCH", address.format(first["work_order_id"]), MOVES["CANCELLED"])
    second = api.issued().json()
    here = address.format(second["work_order_id"])
    order = api.do("PATCH", here, MOVES["IN_PROGRESS"])
    for step in order["steps"]:
        number = step["step"]["number"]
        order = api.do(
            "PATCH", f"{here}steps/{number}/", {"state": "COMPLETED", "reading": reading_for(step["step"])}
        )
        if step["step"]["switching"]:
            break
    api.do("PATCH", here, {**MOVES["ABORTED"], "switched_back": False})
    plan = f"/api/planning/plans/{second['plan_id']}/"
    assert api.get(plan)["state"] == "PARTIAL"
    before = api.get("/api/network/switches/?limit=500")["items"]
    said = {"reason": "done", "switched_back": False}
    problem(
        api.ask("POST", f"{address.format(first['work_order_id'])}settle/", json=said), 409, "wrong_state"
    )
    assert api.get(plan)["state"] == "PARTIAL"
    assert api.get("/api/network/switches/?limit=500")["items"] == before
    api.do("POST", f"{here}settle/", {"reason": "switched back", "switched_back": True})
    assert api.get(plan)["state"] == "ROLLED_BACK"
