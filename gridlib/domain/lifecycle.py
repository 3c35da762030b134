"""States of plans, work orders and steps as tables, and who may move them.

What a table does not allow is refused, with what it does allow.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType

from gridlib.facts.errors import FourEyesError, RefusedError, TransitionError
from gridlib.facts.messages import Message
from gridlib.facts.types import PlanState, Role, StepState, WorkOrderState

SYSTEM = "system"
"""Who prepares what a scheduled run makes."""

NOBODY = "nobody"
"""Who fails to sign in."""

Moves = Mapping[StrEnum, tuple[StrEnum, ...]]

PLAN_MOVES: Moves = MappingProxyType(
    {
        PlanState.DRAFT: (PlanState.APPROVED, PlanState.REJECTED, PlanState.EXPIRED),
        PlanState.APPROVED: (PlanState.ISSUED, PlanState.DRAFT, PlanState.EXPIRED),
        PlanState.ISSUED: (
            PlanState.EXECUTED,
            PlanState.DRAFT,
            PlanState.ROLLED_BACK,
            PlanState.PARTIAL,
        ),
        PlanState.EXECUTED: (PlanState.RETURNED,),
        PlanState.PARTIAL: (PlanState.ROLLED_BACK, PlanState.EXECUTED),
        PlanState.REJECTED: (),
        PlanState.EXPIRED: (),
        PlanState.ROLLED_BACK: (),
        PlanState.RETURNED: (),
    }
)
"""Moves of a plan. APPROVED -> DRAFT: it went stale; ISSUED -> DRAFT: its order was cancelled, or the proof
failed at the start; ISSUED -> ROLLED_BACK or PARTIAL: aborted and switched back, or not."""

WORK_ORDER_MOVES: Moves = MappingProxyType(
    {
        WorkOrderState.OPEN: (WorkOrderState.IN_PROGRESS, WorkOrderState.CANCELLED),
        WorkOrderState.IN_PROGRESS: (WorkOrderState.COMPLETED, WorkOrderState.ABORTED),
        WorkOrderState.COMPLETED: (),
        WorkOrderState.CANCELLED: (),
        WorkOrderState.ABORTED: (),
    }
)
"""Moves of a work order; it is never deleted."""

STEP_OUTCOMES = (StepState.COMPLETED, StepState.FAILED, StepState.SKIPPED)
"""How a person may end a step; ABORTED comes with the abort of the whole order."""

STEP_MOVES: Moves = MappingProxyType(
    {
        StepState.PENDING: (StepState.INSTRUCTED, *STEP_OUTCOMES, StepState.ABORTED),
        StepState.INSTRUCTED: (*STEP_OUTCOMES, StepState.ABORTED),
        StepState.COMPLETED: (),
        StepState.FAILED: (),
        StepState.SKIPPED: (),
        StepState.ABORTED: (),
    }
)
"""Moves of a step. PENDING -> COMPLETED or FAILED: it was instructed and ended in one."""

UNDONE_STEPS = (StepState.PENDING, StepState.INSTRUCTED)
"""States of a step that has not ended."""

ROLE_FOR_ACTION: Mapping[str, Role] = MappingProxyType(
    {
        "run.request": Role.ANALYST,
        "risk.acknowledge": Role.OPERATOR,
        "risk.shelve": Role.OPERATOR,
        "risk.unshelve": Role.OPERATOR,
        "switch.confirm": Role.OPERATOR,
        "plan.ask_again": Role.OPERATOR,
        "plan.approve": Role.OPERATOR,
        "plan.reject": Role.OPERATOR,
        "plan.return": Role.OPERATOR,
        "work_order.issue": Role.OPERATOR,
        "work_order.start": Role.OPERATOR,
        "work_order.instruct": Role.OPERATOR,
        "work_order.step": Role.OPERATOR,
        "work_order.complete": Role.OPERATOR,
        "work_order.abort": Role.OPERATOR,
        "work_order.cancel": Role.OPERATOR,
        "work_order.reopen": Role.OPERATOR,
        "work_order.settle": Role.OPERATOR,
    }
)
"""Role that an action asks for; an action that is not listed asks for none."""


_PHASE = re.compile(r"\bL[123]\b", re.IGNORECASE)
"""Names of the phases, whose digits are no reading."""

_NUMBER = re.compile(r"(?<!\d)-?\d+(?:[.,]\d+)*")
_DECIMAL = re.compile(r"-?\d+(?:\.\d+|,\d{1,2})?")
_WRITTEN = str.maketrans({"\N{ARABIC DECIMAL SEPARATOR}": ".", "\N{MINUS SIGN}": "-"})


def check_move(subject: str, table: Moves, state: StrEnum, to: StrEnum) -> None:
    """Refuse a move that the table does not have.

    Parameters
    ----------
    subject : str
        What is to be moved, for the message ("PLAN-2026-0001").
    table : mapping
        `PLAN_MOVES` or `WORK_ORDER_MOVES`.
    state, to : PlanState or WorkOrderState
        Where it is and where it should go.

    Raises
    ------
    TransitionError
        With the moves that are allowed.

    Examples
    --------
    >>> check_move("PLAN-2026-0001", PLAN_MOVES, PlanState.DRAFT, PlanState.APPROVED)
    """
    allowed = table[state]
    if to not in allowed:
        raise TransitionError(subject, state, to, allowed)


def check_instruct(
    subject: str, order_state: WorkOrderState, steps: Sequence[StepState], number: int
) -> None:
    """Refuse to instruct a step before every step before it has ended.

    Parameters
    ----------
    subject : str
        The work order, for the message.
    order_state : WorkOrderState
        Only an order that is IN_PROGRESS has steps to instruct.
    steps : sequence of StepState
        States of all steps, in the order of the sheet.
    number : int
        The step to instruct, from 1.

    Raises
    ------
    TransitionError
        The order is not in progress, or the step is instructed already or has ended.
    RefusedError
        There is no such step, or an earlier step has not ended or has failed.
    """
    _check_turn(subject, order_state, steps, number, StepState.INSTRUCTED)


def check_step(
    subject: str,
    order_state: WorkOrderState,
    steps: Sequence[StepState],
    number: int,
    outcome: StepState,
    *,
    switching: bool,
    hold_point: bool = False,
    needs_reading: bool = False,
) -> None:
    """Refuse to end a step out of order or in a way that its sheet does not allow.

    Parameters
    ----------
    subject : str
        The work order, for the message.
    order_state : WorkOrderState
        Only an order that is IN_PROGRESS has steps to end.
    steps : sequence of StepState
        States of all steps, in the order of the sheet.
    number : int
        The step to end, from 1.
    outcome : StepState
        COMPLETED, FAILED or SKIPPED.
    switching : bool
        The step changes the position of a device: it cannot be skipped.
    hold_point : bool
        The sheet stops here until somebody says go: it cannot be skipped.
    needs_reading : bool
        The step is there for its reading: it cannot be skipped.

    Raises
    ------
    TransitionError
        The order is not in progress, the step has ended, or the outcome is not one for a step.
    RefusedError
        There is no such step, an earlier step has not ended or has failed, a step that matters is to be
        skipped.
    """
    kinds = {"switching step": switching, "hold point": hold_point, "step with a reading": needs_reading}
    kind = next((name for name, applies in kinds.items() if applies), "")
    if outcome not in STEP_OUTCOMES:
        allowed = [to for to in STEP_OUTCOMES if not (kind and to is StepState.SKIPPED)]
        raise TransitionError(f"step {number} of {subject}", "not ended", outcome, allowed)
    _check_turn(subject, order_state, steps, number, outcome)
    if kind and outcome is StepState.SKIPPED:
        raise RefusedError(
            f"step {number} of {subject} is a {kind} and cannot be skipped",
            what_to_do="Carry it out, or abort the work order.",
        )


def _check_turn(
    subject: str, order_state: WorkOrderState, steps: Sequence[StepState], number: int, to: StepState
) -> None:
    """Refuse to touch a step when it is not its turn."""
    if order_state is not WorkOrderState.IN_PROGRESS:
        raise TransitionError(subject, order_state, f"step {number} {to}", WORK_ORDER_MOVES[order_state])
    if not 1 <= number <= len(steps):
        raise RefusedError(f"{subject} has no step {number}", what_to_do=f"Its steps are 1 to {len(steps)}.")
    if StepState.FAILED in steps:
        failed = list(steps).index(StepState.FAILED) + 1
        raise RefusedError(
            f"step {failed} of {subject} failed; no further step can be done",
            what_to_do="Abort the work order, and say whether the devices were switched back.",
        )
    check_move(f"step {number} of {subject}", STEP_MOVES, steps[number - 1], to)
    first = next((n for n, state in enumerate(steps, start=1) if state in UNDONE_STEPS), number)
    if first < number:
        word = "instructed" if to is StepState.INSTRUCTED else "ended"
        raise RefusedError(
            f"step {number} of {subject} cannot be {word} before step {first} has ended",
            what_to_do=f"End step {first} first.",
        )


def is_overdue(state: WorkOrderState, planned_until: datetime | None, now: datetime) -> bool:
    """Tell whether an order that has not ended is past its planned window.

    Examples
    --------
    >>> from datetime import UTC
    >>> due = datetime(2026, 8, 12, 15, tzinfo=UTC)
    >>> is_overdue(WorkOrderState.OPEN, due, datetime(2026, 8, 12, 16, tzinfo=UTC))
    True
    """
    under_way = state in (WorkOrderState.OPEN, WorkOrderState.IN_PROGRESS)
    return under_way and planned_until is not None and now > planned_until


def abort_trigger(reading: str, reading_range: tuple[float, float] | None) -> Message | None:
    """Say whether a reading calls for the abort of its order.

    Parameters
    ----------
    reading : str
        What was read, in any script's digits.
    reading_range : (float, float) or None
        Between which numbers every number of the reading should lie, ends included.

    Returns
    -------
    Message or None
        A sentence with the numbers found and expected; None where there is no range, no number, or none
        outside.

    Examples
    --------
    >>> from gridlib.facts.messages import render
    >>> render(abort_trigger("180 A, 176 A, 240 A", (168, 229)))
    'ABORT TRIGGER: read 240, expected 168-229; do not switch'
    """
    if reading_range is None:
        return None
    low, high = reading_range
    outside = [number for number in _numbers(reading) if not low <= number <= high]
    if not outside:
        return None
    found = ", ".join(f"{number:g}" for number in outside)
    return Message("board.trigger", {"found": found, "low": low, "high": high})


def has_number(reading: str) -> bool:
    """Tell whether a reading has a number, in any script's digits.

    Examples
    --------
    >>> has_number("\u0661\u0660\u0660 A"), has_number("as expected")
    (True, False)
    """
    return bool(_numbers(reading))


def _numbers(reading: str) -> list[float]:
    """Take the numbers out of a reading, in any script's digits, with decimal point or comma.

    A comma before three digits, or more than one mark, is taken for a list ("130,131,129"): read as a
    decimal it would hide a phase.
    """
    found: list[float] = []
    for written in _NUMBER.findall(_PHASE.sub(" ", reading.translate(_WRITTEN))):
        parts = [written.replace(",", ".")] if _DECIMAL.fullmatch(written) else re.split("[.,]", written)
        found += [float(part) for part in parts]
    return found


def may_complete(steps: Sequence[tuple[bool, StepState]]) -> bool:
    """Tell whether an order may be completed: all switching done, everything else ended.

    Parameters
    ----------
    steps : sequence of (bool, StepState)
        For each step: is it a switching step, and its state.

    Returns
    -------
    bool
        True when every switching step is COMPLETED and every other COMPLETED or SKIPPED.

    Examples
    --------
    >>> may_complete([(False, StepState.SKIPPED), (True, StepState.COMPLETED)])
    True
    """
    return bool(steps) and all(
        state is StepState.COMPLETED or (state is StepState.SKIPPED and not switching)
        for switching, state in steps
    )


def check_complete(subject: str, steps: Sequence[tuple[bool, StepState]]) -> None:
    """Refuse to complete an order whose steps are not all done.

    Parameters
    ----------
    subject : str
        The work order, for the message.
    steps : sequence of (bool, StepState)
        As in `may_complete`.

    Raises
    ------
    RefusedError
        With the steps that stand in the way.
    """
    if may_complete(steps):
        return
    blocking = [
        f"{number} ({state})"
        for number, (switching, state) in enumerate(steps, start=1)
        if not may_complete([(switching, state)])
    ]
    raise RefusedError(
        f"{subject} cannot be completed: step {', '.join(blocking) or 'none at all'} is not done",
        what_to_do="End the open steps in order, or abort the work order.",
    )


def check_four_eyes(
    *, prepared_by: str, approved_by: str | None, actor: str, action: str, enabled: bool = True
) -> None:
    """Refuse a decision that would leave a sheet with one pair of eyes.

    Parameters
    ----------
    prepared_by : str
        Who requested or edited the plan; `SYSTEM` for a scheduled run.
    approved_by : str or None
        Who approved it, once somebody has.
    actor : str
        Who wants to act.
    action : str
        "plan.approve" or "work_order.issue"; other actions need no second person.
    enabled : bool
        The site's setting; small rooms may switch the rule off.

    Raises
    ------
    FourEyesError
        The preparer wants to approve, or nobody but the approver would have seen the sheet.

    Notes
    -----
    Two different authorised persons for every sheet. For a person's plan these are preparer and approver;
    a scheduled run is nobody, so for its plans the second person is the issuer.
    """
    if not enabled:
        return
    if action == "plan.approve" and actor == prepared_by:
        raise FourEyesError(actor, f"'{actor}' prepared this plan and cannot approve it")
    if action == "work_order.issue" and prepared_by == SYSTEM and actor == approved_by:
        raise FourEyesError(
            actor, f"'{actor}' approved this plan of a scheduled run and cannot issue it as well"
        )
