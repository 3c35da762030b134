"""Work orders and what became of each step."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import pandas as pd
import sqlalchemy as sa
from pydantic import TypeAdapter
from sqlalchemy import Connection

from gridlib.adapters import tables as t
from gridlib.adapters.store import parse_utc, utc_text
from gridlib.facts.errors import NotFoundError, StoreError
from gridlib.facts.sheets import Step
from gridlib.facts.types import StepState, WorkOrderState

_STEP = TypeAdapter(Step)


@dataclass(frozen=True)
class StepRecord:
    """One line of an issued sheet and what became of it."""

    step: Step
    state: StepState
    ended_by: str | None
    ended_at: pd.Timestamp | None
    reading: str
    remark: str


@dataclass(frozen=True)
class WorkOrderRecord:
    """A work order with its steps."""

    work_order_id: str
    plan_id: str
    state: WorkOrderState
    rev: int
    crew: str
    issued_by: str
    issued_at: pd.Timestamp
    outcome: str
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
) -> list[WorkOrderRecord]:
    """Work orders by id, plan or state, oldest first."""
    query = sa.select(t.work_order).order_by(t.work_order.c.issued_at, t.work_order.c.work_order_id)
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
            r.outcome,
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
    at: pd.Timestamp,
    outcome: str = "",
) -> None:
    """Move a work order on, if nobody else has since it was read; `StoreError` otherwise."""
    column = "started_at" if state is WorkOrderState.IN_PROGRESS else "ended_at"
    done = connection.execute(
        t.work_order.update()
        .where(t.work_order.c.work_order_id == record.work_order_id, t.work_order.c.rev == record.rev)
        .values(state=str(state), rev=record.rev + 1, outcome=outcome, **{column: utc_text(at)})
    )
    if done.rowcount != 1:
        raise StoreError(
            f"{record.work_order_id} was changed by someone else", what_to_do="Look again and decide anew."
        )


def end_step(
    connection: Connection,
    work_order_id: str,
    number: int,
    state: StepState,
    *,
    by: str,
    at: pd.Timestamp,
    reading: str,
    remark: str,
) -> None:
    """Write down what became of one step."""
    steps = t.work_order_step
    connection.execute(
        steps.update()
        .where(steps.c.work_order_id == work_order_id, steps.c.number == number)
        .values(state=str(state), ended_by=by, ended_at=utc_text(at), reading=reading, remark=remark)
    )
