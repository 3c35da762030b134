"""Work orders and what became of each step."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pandas as pd
import sqlalchemy as sa
from pydantic import TypeAdapter
from sqlalchemy import Connection

from gridlib.adapters import tables as t
from gridlib.adapters.records.pages import after_key
from gridlib.adapters.store import parse_utc, utc_text
from gridlib.domain.lifecycle import UNDONE_STEPS
from gridlib.facts.errors import NotFoundError, StoreError
from gridlib.facts.sheets import Step
from gridlib.facts.types import StepState, WorkOrderState

_STEP = TypeAdapter(Step)
SETTLED = "settled"
"""Change of an aborted order that was switched back, or carried out to its end, after all."""


@dataclass(frozen=True)
class StepRecord:
    """One line of an issued sheet and what became of it."""

    step: Step
    state: StepState
    instructed_by: str | None
    instructed_to: str | None
    instructed_at: pd.Timestamp | None
    ended_by: str | None
    ended_at: pd.Timestamp | None
    reading: str
    remark: str


@dataclass(frozen=True)
class WorkOrderRecord:
    """A work order with its steps.

    ``planned_from`` and ``planned_until`` are the window of its plan; ``change``, ``changed_by`` and
    ``changed_at`` its last change, by which ``rev`` grew: a state, or a step and its state.
    """

    work_order_id: str
    plan_id: str
    state: WorkOrderState
    rev: int
    crew: str
    issued_by: str
    issued_at: pd.Timestamp
    started_at: pd.Timestamp | None
    ended_at: pd.Timestamp | None
    planned_from: pd.Timestamp | None
    planned_until: pd.Timestamp | None
    outcome: str
    change: str
    changed_by: str
    changed_at: pd.Timestamp
    steps: tuple[StepRecord, ...]


def _moment(text: str | None) -> pd.Timestamp | None:
    return None if text is None else parse_utc(text)


def save_work_order(
    connection: Connection,
    work_order_id: str,
    plan_id: str,
    steps: Sequence[Step],
    *,
    crew: str,
    issued_by: str,
    issued_at: pd.Timestamp,
    planned_from: datetime | None,
    planned_until: datetime | None,
) -> None:
    """Keep a new work order as OPEN with all its steps PENDING."""
    connection.execute(
        t.work_order.insert().values(
            work_order_id=work_order_id,
            plan_id=plan_id,
            state=str(WorkOrderState.OPEN),
            rev=0,
            crew=crew,
            issued_by=issued_by,
            issued_at=utc_text(issued_at),
            outcome="",
            planned_from=None if planned_from is None else utc_text(planned_from),
            planned_until=None if planned_until is None else utc_text(planned_until),
            change=str(WorkOrderState.OPEN),
            changed_by=issued_by,
            changed_at=utc_text(issued_at),
        )
    )
    connection.execute(
        t.work_order_step.insert(),
        [
            {
                "work_order_id": work_order_id,
                "number": step.number,
                "step": _STEP.dump_python(step, mode="json"),
                "state": str(StepState.PENDING),
                "reading": "",
                "remark": "",
            }
            for step in steps
        ],
    )


def read_work_orders(
    connection: Connection,
    *,
    work_order_id: str = "",
    plan_id: str = "",
    states: Iterable[WorkOrderState] = (),
    since: datetime | None = None,
    until: datetime | None = None,
    after: str = "",
    limit: int | None = None,
) -> list[WorkOrderRecord]:
    """Work orders by id, plan, state or time of issue, oldest first.

    At most ``limit`` of them, behind the order named ``after``.
    """
    keys = [t.work_order.c.issued_at, t.work_order.c.work_order_id]
    query = sa.select(t.work_order).order_by(*keys).limit(limit)
    if after:
        query = query.where(after_key(connection, "work order", keys, keys[-1], after))
    if since is not None:
        query = query.where(t.work_order.c.issued_at >= utc_text(since))
    if until is not None:
        query = query.where(t.work_order.c.issued_at < utc_text(until))
    if work_order_id:
        query = query.where(t.work_order.c.work_order_id == work_order_id)
    if plan_id:
        query = query.where(t.work_order.c.plan_id == plan_id)
    if wanted := [str(s) for s in states]:
        query = query.where(t.work_order.c.state.in_(wanted))
    return [
        WorkOrderRecord(
            r.work_order_id,
            r.plan_id,
            WorkOrderState(r.state),
            r.rev,
            r.crew,
            r.issued_by,
            parse_utc(r.issued_at),
            _moment(r.started_at),
            _moment(r.ended_at),
            _moment(r.planned_from),
            _moment(r.planned_until),
            r.outcome,
            r.change or r.state,
            r.changed_by or r.issued_by,
            parse_utc(r.changed_at or r.issued_at),
            _read_steps(connection, r.work_order_id),
        )
        for r in connection.execute(query).all()
    ]


def _read_steps(connection: Connection, work_order_id: str) -> tuple[StepRecord, ...]:
    steps = t.work_order_step
    query = sa.select(steps).where(steps.c.work_order_id == work_order_id).order_by(steps.c.number)
    return tuple(
        StepRecord(
            _STEP.validate_python(r.step),
            StepState(r.state),
            r.instructed_by,
            r.instructed_to,
            _moment(r.instructed_at),
            r.ended_by,
            _moment(r.ended_at),
            r.reading,
            r.remark,
        )
        for r in connection.execute(query)
    )


def read_work_order(connection: Connection, work_order_id: str) -> WorkOrderRecord:
    """Read one work order; `NotFoundError` where there is none."""
    for record in read_work_orders(connection, work_order_id=work_order_id):
        return record
    raise NotFoundError("work order", work_order_id, what_to_do="See 'gridlib queue' for open work orders.")


def set_work_order_state(
    connection: Connection,
    record: WorkOrderRecord,
    state: WorkOrderState,
    *,
    by: str,
    at: pd.Timestamp,
    outcome: str = "",
) -> None:
    """Move a work order on, if nobody else has since it was read; `StoreError` otherwise."""
    column = "started_at" if state is WorkOrderState.IN_PROGRESS else "ended_at"
    values = {"state": str(state), "outcome": outcome, column: utc_text(at)}
    _change(connection, record, str(state), by, at, values)


def instruct_step(
    connection: Connection,
    record: WorkOrderRecord,
    number: int,
    *,
    by: str,
    to: str,
    at: pd.Timestamp,
) -> None:
    """Write down that a step was ordered, if nobody has changed its order since it was read."""
    _change(connection, record, f"step {number} {StepState.INSTRUCTED}", by, at, {})
    _set_step(
        connection,
        record,
        number,
        {
            "state": str(StepState.INSTRUCTED),
            "instructed_by": by,
            "instructed_to": to,
            "instructed_at": utc_text(at),
        },
    )


def end_step(
    connection: Connection,
    record: WorkOrderRecord,
    number: int,
    state: StepState,
    *,
    by: str,
    at: pd.Timestamp,
    reading: str,
    remark: str,
) -> None:
    """Write down what became of one step, if nobody has changed its order since it was read.

    A step that is carried out without an instruction of its own was instructed in the same breath, to the
    crew of the order.
    """
    _change(connection, record, f"step {number} {state}", by, at, {})
    values = {
        "state": str(state),
        "ended_by": by,
        "ended_at": utc_text(at),
        "reading": reading,
        "remark": remark,
    }
    carried_out = state in (StepState.COMPLETED, StepState.FAILED)
    if carried_out and next(s.state for s in record.steps if s.step.number == number) is StepState.PENDING:
        values |= {"instructed_by": by, "instructed_to": record.crew, "instructed_at": utc_text(at)}
    _set_step(connection, record, number, values)


def abort_steps(
    connection: Connection, record: WorkOrderRecord, *, by: str, at: pd.Timestamp, remark: str
) -> None:
    """End every step that has not ended as ABORTED."""
    for step in record.steps:
        if step.state in UNDONE_STEPS:
            _set_step(
                connection,
                record,
                step.step.number,
                {
                    "state": str(StepState.ABORTED),
                    "ended_by": by,
                    "ended_at": utc_text(at),
                    "remark": remark,
                },
            )


def mark_settled(connection: Connection, record: WorkOrderRecord, *, by: str, at: pd.Timestamp) -> None:
    """Write down that an aborted order was settled, if nobody has changed it since it was read."""
    _change(connection, record, SETTLED, by, at, {})


def _change(
    connection: Connection,
    record: WorkOrderRecord,
    change: str,
    by: str,
    at: pd.Timestamp,
    values: dict[str, Any],
) -> None:
    orders = t.work_order
    done = connection.execute(
        orders.update()
        .where(orders.c.work_order_id == record.work_order_id, orders.c.rev == record.rev)
        .values(rev=record.rev + 1, change=change, changed_by=by, changed_at=utc_text(at), **values)
    )
    if done.rowcount != 1:
        raise StoreError(
            f"{record.work_order_id} was changed by someone else", what_to_do="Look again and decide anew."
        )


def _set_step(connection: Connection, record: WorkOrderRecord, number: int, values: dict[str, Any]) -> None:
    steps = t.work_order_step
    connection.execute(
        steps.update()
        .where(steps.c.work_order_id == record.work_order_id, steps.c.number == number)
        .values(**values)
    )
