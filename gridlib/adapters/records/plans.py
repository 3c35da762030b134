"""Plans, what planning said about each transformer, and switching sheets."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, replace
from datetime import datetime
from math import isfinite, nan
from typing import Any

import pandas as pd
import sqlalchemy as sa
from pydantic import TypeAdapter
from sqlalchemy import Connection

from gridlib.adapters import tables as t
from gridlib.adapters.records.pages import after_key
from gridlib.adapters.store import parse_utc, utc_text
from gridlib.facts.errors import NotFoundError, StoreError
from gridlib.facts.messages import Message
from gridlib.facts.sheets import Instruction
from gridlib.facts.types import Plan, PlanningCase, PlanState, Proof, Side, WhyNot

_PLAN = TypeAdapter(Plan)
_INSTRUCTION = TypeAdapter(Instruction)
_WHY_NOT = TypeAdapter(tuple[WhyNot, ...])
_MESSAGES = TypeAdapter(tuple[Message, ...])
OPEN_PLAN_STATES = (PlanState.DRAFT, PlanState.APPROVED, PlanState.ISSUED, PlanState.PARTIAL)
"""States in which a plan covers its transformer; an EXECUTED one has changed the network itself."""


@dataclass(frozen=True)
class PlanRecord:
    """A plan as stored: the proven transfer and where it stands.

    ``decided_by`` and ``decided_at`` say who put it into its state and when; a new draft, who prepared it.
    """

    plan_id: str
    run_id: str
    state: PlanState
    reason: str
    rev: int
    plan: Plan
    prepared_by: str
    approved_by: str | None
    created_at: pd.Timestamp
    decided_by: str
    decided_at: pd.Timestamp


def save_case(connection: Connection, run_id: str, case: PlanningCase) -> None:
    """Keep what planning said about one transformer besides its plans; NaN is kept as no value."""
    connection.execute(
        t.planning_case.insert().values(
            run_id=run_id,
            transformer_id=case.transformer_id,
            do_nothing=_without_nan(dict(case.do_nothing)),
            why_not=_WHY_NOT.dump_python(case.why_not, mode="json"),
            other_measures=_MESSAGES.dump_python(case.other_measures, mode="json"),
        )
    )


def read_cases(connection: Connection, run_id: str, transformer_id: str = "") -> list[PlanningCase]:
    """Read plan 0, refused transfers and other measures of a run; plans are read apart."""
    query = sa.select(t.planning_case).where(t.planning_case.c.run_id == run_id)
    if transformer_id:
        query = query.where(t.planning_case.c.transformer_id == transformer_id)
    return [
        PlanningCase(
            row.transformer_id,
            {name: nan if value is None else value for name, value in row.do_nothing.items()},
            (),
            _WHY_NOT.validate_python(row.why_not),
            _MESSAGES.validate_python(row.other_measures),
        )
        for row in connection.execute(query.order_by(t.planning_case.c.transformer_id))
    ]


def read_case(connection: Connection, run_id: str, transformer_id: str) -> PlanningCase | None:
    """Read plan 0, refused transfers and other measures of one transformer."""
    return next(iter(read_cases(connection, run_id, transformer_id)), None)


def save_plan(
    connection: Connection,
    plan_id: str,
    run_id: str,
    plan: Plan,
    *,
    prepared_by: str,
    created_at: pd.Timestamp,
) -> None:
    """Keep a new plan as DRAFT; NaN is kept as no value."""
    connection.execute(
        t.plan.insert().values(
            plan_id=plan_id,
            run_id=run_id,
            kind="return" if plan.returns else "transfer",
            parent_id=plan.returns or None,
            transformer_id=plan.transformer_id,
            rank=plan.rank,
            state=str(PlanState.DRAFT),
            reason="",
            rev=0,
            body=_without_nan(_PLAN.dump_python(plan, mode="json")),
            prepared_by=prepared_by,
            created_at=utc_text(created_at),
        )
    )


def read_plans(
    connection: Connection,
    *,
    plan_id: str = "",
    transformer_id: str = "",
    states: Iterable[PlanState] = (),
    since: datetime | None = None,
    until: datetime | None = None,
    after: str = "",
    limit: int | None = None,
) -> list[PlanRecord]:
    """Plans by id, transformer, state or time of making; by transformer, then rank.

    At most ``limit`` of them, behind the plan named ``after``.
    """
    keys = [t.plan.c.transformer_id, t.plan.c.rank, t.plan.c.plan_id]
    query = sa.select(t.plan).order_by(*keys).limit(limit)
    if after:
        query = query.where(after_key(connection, "plan", keys, t.plan.c.plan_id, after))
    if since is not None:
        query = query.where(t.plan.c.created_at >= utc_text(since))
    if until is not None:
        query = query.where(t.plan.c.created_at < utc_text(until))
    if plan_id:
        query = query.where(t.plan.c.plan_id == plan_id)
    if transformer_id:
        query = query.where(t.plan.c.transformer_id == transformer_id)
    if wanted := [str(s) for s in states]:
        query = query.where(t.plan.c.state.in_(wanted))
    return [
        PlanRecord(
            r.plan_id,
            r.run_id,
            PlanState(r.state),
            r.reason,
            r.rev,
            _restored_plan(r.body),
            r.prepared_by,
            r.approved_by,
            parse_utc(r.created_at),
            r.decided_by or r.prepared_by,
            parse_utc(r.decided_at or r.created_at),
        )
        for r in connection.execute(query)
    ]


def read_plan(connection: Connection, plan_id: str) -> PlanRecord:
    """Read one plan; `NotFoundError` where there is none."""
    for record in read_plans(connection, plan_id=plan_id):
        return record
    raise NotFoundError("plan", plan_id, what_to_do="See 'gridlib queue' for the plans that wait.")


def set_plan_state(
    connection: Connection,
    record: PlanRecord,
    state: PlanState,
    *,
    reason: str,
    by: str,
    at: pd.Timestamp,
    approved_by: str | None = None,
) -> None:
    """Move a plan on, if nobody else has since it was read; `StoreError` otherwise."""
    done = connection.execute(
        t.plan.update()
        .where(t.plan.c.plan_id == record.plan_id, t.plan.c.rev == record.rev)
        .values(
            state=str(state),
            reason=reason,
            rev=record.rev + 1,
            decided_by=by,
            decided_at=utc_text(at),
            approved_by=approved_by,
        )
    )
    if done.rowcount != 1:
        raise StoreError(
            f"{record.plan_id} was changed by someone else", what_to_do="Look again and decide anew."
        )


def refresh_plan_body(connection: Connection, record: PlanRecord, plan: Plan) -> None:
    """Bring the hours and figures of an open plan up to a newer forecast; its moves and state stay.

    A plan that somebody has decided on since it was read stays as they saw it.
    """
    connection.execute(
        t.plan.update()
        .where(t.plan.c.plan_id == record.plan_id, t.plan.c.rev == record.rev)
        .values(body=_without_nan(_PLAN.dump_python(plan, mode="json")))
    )


def save_instruction(connection: Connection, run_id: str, instruction: Instruction) -> None:
    """Keep the sheet of a plan, in place of an earlier one, as its next version."""
    earlier = read_instruction(connection, instruction.plan_id)
    instruction = replace(instruction, version=earlier.version + 1 if earlier else 1)
    connection.execute(t.instruction.delete().where(t.instruction.c.plan_id == instruction.plan_id))
    body = _INSTRUCTION.dump_python(instruction, mode="json")
    connection.execute(t.instruction.insert().values(plan_id=instruction.plan_id, run_id=run_id, body=body))


def read_instruction(connection: Connection, plan_id: str) -> Instruction | None:
    """Read the sheet of a plan, where it is written."""
    body = connection.scalar(sa.select(t.instruction.c.body).where(t.instruction.c.plan_id == plan_id))
    return None if body is None else _INSTRUCTION.validate_python(body)


def _without_nan(value: Any) -> Any:
    """Put None in place of every number that JSON cannot hold."""
    if isinstance(value, float) and not isfinite(value):
        return None
    if isinstance(value, dict):
        return {name: _without_nan(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_without_nan(inner) for inner in value]
    return value


def _restored_plan(body: Mapping[str, Any]) -> Plan:
    """Read a plan back, with NaN where a number was not computed."""
    sides = [_with_nan(Side, side) for side in body["sides"]]
    proof = _with_nan(Proof, body["proof"])
    return _PLAN.validate_python({**_with_nan(Plan, body), "sides": sides, "proof": proof})


def _with_nan(record: type[Any], body: Mapping[str, Any]) -> dict[str, Any]:
    numbers = {field.name for field in fields(record) if field.type is float}
    return {name: nan if value is None and name in numbers else value for name, value in body.items()}
