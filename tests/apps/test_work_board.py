"""What desk, board and trail answer: cries for an abort, ways to stop, who was first, searches."""

import shutil

import pytest

from gridlib.apps.screens.answer import answer
from gridlib.apps.study.memory import read_memory
from gridlib.apps.study.protocol import ScreenQuestion
from gridlib.facts.types import PlanState, StepState, WorkOrderState
from gridlib.workbench import open_workbench
from gridlib.workflow import accounts, decisions, queries, workorders


@pytest.fixture
def workbench(sqlite_demo, tmp_path):
    shutil.copytree(sqlite_demo, tmp_path / "demo")
    opened = open_workbench(tmp_path / "demo")
    yield opened
    opened.store.dispose()


@pytest.fixture
def ask(workbench):
    memory = read_memory(workbench)

    def asked(screen, user="operator2", action="", fields=None, **state):
        written = {name: str(value) for name, value in (fields or {}).items()}
        question = ScreenQuestion(screen=screen, user=user, action=action, fields=written, state=state)
        return answer(workbench, memory, question)

    return asked


@pytest.fixture
def order(workbench):
    """An order in progress."""
    plan, *_ = queries.get_plans(workbench, states=[PlanState.DRAFT])
    decisions.approve(workbench, plan.plan_id, by="operator")
    number = workorders.issue(workbench, plan.plan_id, by="operator2", crew="Crew 4").work_order_id
    return workorders.start(workbench, number, by="operator2")


def test_a_reading_outside_its_range_cries_for_an_abort(workbench, ask, order):
    step = next(s.step for s in order.steps if s.step.reading_range is not None)
    for earlier in order.steps[: step.number - 1]:
        workorders.record_step(
            workbench, order.work_order_id, earlier.step.number, StepState.COMPLETED, by="operator2"
        )
    rev = queries.get_work_order(workbench, order.work_order_id).rev
    fields = {"order": order.work_order_id, "step": step.number, "rev": rev, "outcome": "COMPLETED"}
    told = ask("work_board", action="step", fields=fields | {"reading": "9999 A"}, order=order.work_order_id)
    assert told["kind"] == "done"
    assert "ABORT TRIGGER: read 9999" in told["regions"]["order"]
    assert 'role="alert"' in told["regions"]["order"]
    assert told["regions"]["steps"].count("ABORT TRIGGER: read 9999") == 1
    accounts.set_language(workbench, "operator2", "ar")
    shown = ask("work_board", order=order.work_order_id)["regions"]
    assert all("موجب إيقاف" in shown[name] and "ABORT" not in shown[name] for name in ("order", "steps"))


def test_an_order_is_aborted_half_way_and_settled(workbench, ask, order):
    number = order.work_order_id
    switching = next(s.step.number for s in order.steps if s.step.switching)
    for step in order.steps[:switching]:
        workorders.record_step(
            workbench, number, step.step.number, StepState.COMPLETED, by="operator2", reading="100 A, seen"
        )
    rev = queries.get_work_order(workbench, number).rev
    fields = {"order": number, "rev": rev, "reason": "smoke at the tie"}
    silent = ask("work_board", action="abort", fields=fields, order=number)
    assert silent["kind"] == "refused"
    ask("work_board", action="abort", fields=fields | {"way": "not_back"}, order=number)
    aborted = queries.get_work_order(workbench, number)
    assert aborted.state is WorkOrderState.ABORTED
    shown = ask("work_board", order=number)["regions"]
    assert 'id="settle"' in shown["stop"]
    assert number in shown["board"].split("to_settle")[1].split("</section>")[0]
    fields = {"order": number, "rev": aborted.rev, "reason": "switched back by hand", "way": "back"}
    assert ask("work_board", action="settle", fields=fields, order=number)["kind"] == "done"
    assert queries.get_plan(workbench, order.plan_id).record.state is PlanState.ROLLED_BACK


def test_what_was_pressed_on_an_old_page_is_refused_with_who_was_first(workbench, ask, order):
    number, rev = order.work_order_id, order.rev
    workorders.instruct_step(workbench, number, 1, by="operator", to="R. Haddad")
    fields = {"order": number, "step": 1, "rev": rev, "to": "Crew 4"}
    told = ask("work_board", action="instruct", fields=fields, order=number)
    assert told["kind"] == "refused"
    assert "operator" in told["said"]
    assert "R. Haddad" in told["regions"]["steps"]


def test_who_may_not_decide_gets_no_forms_and_no_action(workbench, ask, order):
    shown = ask("work_board", user="manager", order=order.work_order_id)["regions"]
    assert "<form" not in shown["order"] + shown["steps"] + shown["stop"]
    fields = {"order": order.work_order_id, "rev": order.rev, "step": 1, "outcome": "COMPLETED"}
    assert ask("work_board", user="manager", action="step", fields=fields)["kind"] == "refused"


@pytest.mark.parametrize(
    ("search", "found"),
    [
        ({"actor": "operator"}, True),
        ({"actor": "analyst"}, False),
        ({"action": "plan.approve", "outcome": "done"}, True),
        ({"action": "plan.approve", "outcome": "refused"}, False),
        ({"text": "CREW 4"}, True),
        ({"text": "crew%4"}, False),
        ({"until": "2001-01-01T00:00"}, False),
    ],
)
def test_the_trail_is_searched(ask, order, search, found):
    html = ask("audit_trail", **search)["regions"]["events"]
    assert ("<tr><td" in html) is found
    assert order is not None
