"""What may follow what, and who may do it."""

from datetime import UTC, datetime, timedelta
from itertools import product

import pytest

from gridlib.domain.lifecycle import (
    PLAN_MOVES,
    ROLE_FOR_ACTION,
    STEP_MOVES,
    SYSTEM,
    WORK_ORDER_MOVES,
    abort_trigger,
    check_complete,
    check_four_eyes,
    check_instruct,
    check_move,
    check_step,
    is_overdue,
    may_complete,
)
from gridlib.facts.errors import FourEyesError, RefusedError, TransitionError
from gridlib.facts.messages import render
from gridlib.facts.types import PlanState, Role, StepState, WorkOrderState

PENDING, DONE, FAILED, SKIPPED = StepState.PENDING, StepState.COMPLETED, StepState.FAILED, StepState.SKIPPED
INSTRUCTED = StepState.INSTRUCTED
RUNNING = WorkOrderState.IN_PROGRESS

ALLOWED = {
    "DRAFT APPROVED",
    "DRAFT REJECTED",
    "DRAFT EXPIRED",
    "APPROVED ISSUED",
    "APPROVED DRAFT",
    "APPROVED EXPIRED",
    "ISSUED EXECUTED",
    "ISSUED DRAFT",
    "ISSUED ROLLED_BACK",
    "ISSUED PARTIAL",
    "EXECUTED RETURNED",
    "PARTIAL ROLLED_BACK",
    "PARTIAL EXECUTED",
    "OPEN IN_PROGRESS",
    "OPEN CANCELLED",
    "IN_PROGRESS COMPLETED",
    "IN_PROGRESS ABORTED",
    "PENDING INSTRUCTED",
    *(f"{state} {end}" for state in ("PENDING", "INSTRUCTED") for end in ("COMPLETED", "FAILED", "SKIPPED")),
    "PENDING ABORTED",
    "INSTRUCTED ABORTED",
}


@pytest.mark.parametrize(
    ("states", "table"),
    [(PlanState, PLAN_MOVES), (WorkOrderState, WORK_ORDER_MOVES), (StepState, STEP_MOVES)],
)
def test_every_move_that_is_not_in_the_rules_is_refused(states, table) -> None:
    for state, to in product(states, states):
        if f"{state} {to}" in ALLOWED:
            check_move("it", table, state, to)
        else:
            with pytest.raises(TransitionError):
                check_move("it", table, state, to)


def test_refusal_names_what_is_allowed() -> None:
    with pytest.raises(TransitionError, match="PLAN-1 is APPROVED and cannot become EXECUTED") as refused:
        check_move("PLAN-1", PLAN_MOVES, PlanState.APPROVED, PlanState.EXECUTED)
    assert refused.value.allowed == ("ISSUED", "DRAFT", "EXPIRED")
    with pytest.raises(TransitionError) as ended:
        check_move("WO-1", WORK_ORDER_MOVES, WorkOrderState.COMPLETED, WorkOrderState.OPEN)
    assert "it has ended" in ended.value.what_to_do


def test_an_executed_plan_cannot_be_rejected() -> None:
    with pytest.raises(TransitionError):
        check_move("PLAN-1", PLAN_MOVES, PlanState.EXECUTED, PlanState.REJECTED)


@pytest.mark.parametrize("outcome", [DONE, FAILED, SKIPPED])
def test_the_next_step_may_end_in_three_ways(outcome: StepState) -> None:
    check_step("WO-1", RUNNING, [DONE, PENDING], 2, outcome, switching=False)


def test_a_step_waits_for_the_ones_before_it() -> None:
    with pytest.raises(RefusedError, match="before step 1 has ended"):
        check_step("WO-1", RUNNING, [PENDING, PENDING], 2, DONE, switching=False)


@pytest.mark.parametrize("before", [PENDING, INSTRUCTED])
def test_a_step_is_not_instructed_before_the_one_above_has_ended(before: StepState) -> None:
    with pytest.raises(RefusedError, match="cannot be instructed before step 1 has ended"):
        check_instruct("WO-1", RUNNING, [before, PENDING], 2)
    check_instruct("WO-1", RUNNING, [DONE, PENDING], 2)


@pytest.mark.parametrize("state", [INSTRUCTED, DONE, FAILED, SKIPPED, StepState.ABORTED])
def test_a_step_is_instructed_once(state: StepState) -> None:
    with pytest.raises(RefusedError):
        check_instruct("WO-1", RUNNING, [state, PENDING], 1)


def test_nothing_is_instructed_after_a_failure_or_outside_an_order_in_progress() -> None:
    with pytest.raises(RefusedError, match="failed"):
        check_instruct("WO-1", RUNNING, [FAILED, PENDING], 2)
    with pytest.raises(TransitionError):
        check_instruct("WO-1", WorkOrderState.OPEN, [PENDING], 1)


@pytest.mark.parametrize("outcome", [DONE, FAILED, SKIPPED])
def test_an_instructed_step_may_end_in_three_ways(outcome: StepState) -> None:
    check_step("WO-1", RUNNING, [DONE, INSTRUCTED], 2, outcome, switching=False)


def test_only_an_order_under_way_is_overdue() -> None:
    due = datetime(2026, 8, 12, 15, tzinfo=UTC)
    late, early = due + timedelta(minutes=1), due - timedelta(minutes=1)
    found = {state for state in WorkOrderState if is_overdue(state, due, late)}
    assert found == {WorkOrderState.OPEN, WorkOrderState.IN_PROGRESS}
    assert not is_overdue(RUNNING, due, early)
    assert not is_overdue(RUNNING, None, late)


def test_a_switching_step_cannot_be_skipped() -> None:
    with pytest.raises(RefusedError, match="cannot be skipped"):
        check_step("WO-1", RUNNING, [DONE, PENDING], 2, SKIPPED, switching=True)
    check_step("WO-1", RUNNING, [DONE, PENDING], 2, FAILED, switching=True)


@pytest.mark.parametrize("kind", ["hold_point", "needs_reading"])
def test_a_hold_point_and_a_step_with_a_reading_are_not_skipped(kind: str) -> None:
    with pytest.raises(RefusedError, match="cannot be skipped"):
        check_step("WO-1", RUNNING, [PENDING], 1, SKIPPED, switching=False, **{kind: True})
    check_step("WO-1", RUNNING, [PENDING], 1, DONE, switching=False, **{kind: True})
    check_step("WO-1", RUNNING, [PENDING], 1, FAILED, switching=False, **{kind: True})


RANGE = (95.0, 139.0)


@pytest.mark.parametrize(
    "reading",
    [
        "95",
        "139 A",
        "100,5 A",
        "100.5A",
        "L1 130, L2 131, L3 129",
        "130/131/129",
        "130,131,129",
        "130-131-129",
        "\u0661\u0663\u0660",  # 130 in Arabic-Indic digits
        "\u0661\u0663\u0660\u066b\u0665 A",  # 130.5 with the Arabic decimal mark
    ],
)
def test_a_reading_inside_its_range_is_no_abort_trigger(reading: str) -> None:
    assert abort_trigger(reading, RANGE) is None


@pytest.mark.parametrize(
    ("reading", "found"),
    [
        ("150", "150"),
        ("94.9 A", "94.9"),
        ("139,1", "139.1"),
        ("130, 131, 999", "999"),
        ("L1 130 L2 150 L3 129", "150"),
        ("130,999,129", "999"),
        ("130,999", "999"),
        ("-130", "-130"),
        ("\u2212130", "-130"),
        ("1.130", "1.13"),
        ("1,130", "1"),
        ("\u0661\u0665\u0660", "150"),
        ("\u0661\u0663\u0660 \u0661\u0663\u0661 \u0669\u0669\u0669", "999"),
        ("150 and 12", "150, 12"),
    ],
)
def test_one_number_outside_the_range_is_an_abort_trigger(reading: str, found: str) -> None:
    trigger = abort_trigger(reading, RANGE)
    assert trigger is not None
    assert f"read {found}, expected 95-139" in render(trigger)


@pytest.mark.parametrize("reading", ["", "all fine", "L1 L2 L3", "?"])
def test_a_reading_without_a_number_is_no_abort_trigger(reading: str) -> None:
    assert abort_trigger(reading, RANGE) is None


def test_a_reading_without_a_range_is_free_text() -> None:
    assert abort_trigger("9999, L. Haddad", None) is None


def test_after_a_failed_step_there_is_only_the_abort() -> None:
    with pytest.raises(RefusedError, match="step 1 of WO-1 failed") as refused:
        check_step("WO-1", RUNNING, [FAILED, PENDING], 2, DONE, switching=False)
    assert "Abort" in refused.value.what_to_do
    assert not may_complete([(False, FAILED), (True, DONE)])


@pytest.mark.parametrize("state", [DONE, SKIPPED, StepState.ABORTED])
def test_an_ended_step_stays_ended(state: StepState) -> None:
    with pytest.raises(TransitionError):
        check_step("WO-1", RUNNING, [state], 1, FAILED, switching=False)


@pytest.mark.parametrize("outcome", [PENDING, StepState.ABORTED])
def test_nobody_ends_a_step_as_pending_or_aborted(outcome: StepState) -> None:
    with pytest.raises(TransitionError):
        check_step("WO-1", RUNNING, [PENDING], 1, outcome, switching=False)


@pytest.mark.parametrize("state", [s for s in WorkOrderState if s is not RUNNING])
def test_steps_end_only_in_an_order_in_progress(state: WorkOrderState) -> None:
    with pytest.raises(TransitionError):
        check_step("WO-1", state, [PENDING], 1, DONE, switching=False)


@pytest.mark.parametrize("number", [0, -1, 3])
def test_there_is_no_step_outside_the_sheet(number: int) -> None:
    with pytest.raises(RefusedError, match="no step"):
        check_step("WO-1", RUNNING, [PENDING, PENDING], number, DONE, switching=False)


@pytest.mark.parametrize(
    ("steps", "may"),
    [
        ([(True, DONE), (False, DONE)], True),
        ([(True, DONE), (False, SKIPPED)], True),
        ([(True, DONE), (False, PENDING)], False),
        ([(True, SKIPPED), (False, DONE)], False),
        ([(True, FAILED), (False, DONE)], False),
        ([], False),
    ],
)
def test_an_order_completes_when_all_switching_is_done_and_all_else_has_ended(steps, may: bool) -> None:
    assert may_complete(steps) is may
    if not may:
        with pytest.raises(RefusedError, match="cannot be completed"):
            check_complete("WO-1", steps)
    else:
        check_complete("WO-1", steps)


def test_who_prepared_cannot_approve() -> None:
    with pytest.raises(FourEyesError, match="cannot approve"):
        check_four_eyes(prepared_by="rami", approved_by=None, actor="rami", action="plan.approve")
    check_four_eyes(prepared_by="rami", approved_by=None, actor="lina", action="plan.approve")


def test_who_approved_a_scheduled_plan_cannot_issue_it() -> None:
    with pytest.raises(FourEyesError, match="cannot issue"):
        check_four_eyes(prepared_by=SYSTEM, approved_by="lina", actor="lina", action="work_order.issue")
    check_four_eyes(prepared_by=SYSTEM, approved_by="lina", actor="rami", action="work_order.issue")


def test_a_persons_plan_has_two_persons_once_approved() -> None:
    for issuer in ("lina", "rami"):
        check_four_eyes(prepared_by="rami", approved_by="lina", actor=issuer, action="work_order.issue")


def test_small_rooms_may_switch_four_eyes_off() -> None:
    check_four_eyes(prepared_by="rami", approved_by=None, actor="rami", action="plan.approve", enabled=False)


def test_decisions_and_switching_need_an_operator_and_runs_an_analyst() -> None:
    assert ROLE_FOR_ACTION["run.request"] is Role.ANALYST
    decided = {action for action, role in ROLE_FOR_ACTION.items() if role is Role.OPERATOR}
    verbs = {
        "plan": ("approve", "reject", "ask_again", "return"),
        "work_order": (
            "issue",
            "start",
            "instruct",
            "step",
            "complete",
            "abort",
            "cancel",
            "settle",
            "reopen",
        ),
        "risk": ("acknowledge", "shelve", "unshelve"),
        "switch": ("confirm",),
    }
    assert decided == {f"{noun}.{verb}" for noun, known in verbs.items() for verb in known}
    assert set(ROLE_FOR_ACTION) == decided | {"run.request"}
