"""Runs that people asked for, and what became of them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import pandas as pd
import sqlalchemy as sa
from sqlalchemy import Connection, Row

from gridlib.adapters import tables as t
from gridlib.adapters.records.pages import after_key
from gridlib.adapters.store import parse_utc, utc_text
from gridlib.facts.errors import NotFoundError
from gridlib.facts.types import RequestState

_REQUESTS = t.run_request.c


@dataclass(frozen=True)
class RunRequest:
    """A run that somebody asked for.

    Attributes
    ----------
    request_id : str
        Its name, "REQ-2026-0001".
    stages : tuple of str
        Asked for.
    issued_at : Timestamp or None
        First hour to forecast; None: the hour after the last reading.
    run_id : str or None
        The run, once a stage of it has ended.
    stages_done : tuple of str
        Stages that have ended, in order.
    code, reason : str
        Why it failed; empty otherwise.
    """

    request_id: str
    stages: tuple[str, ...]
    issued_at: pd.Timestamp | None
    requested_by: str
    requested_at: pd.Timestamp
    state: RequestState
    started_at: pd.Timestamp | None
    ended_at: pd.Timestamp | None
    run_id: str | None
    stages_done: tuple[str, ...]
    code: str
    reason: str


def save_request(
    connection: Connection,
    request_id: str,
    stages: Sequence[str],
    *,
    issued_at: pd.Timestamp | None,
    by: str,
    at: pd.Timestamp,
) -> None:
    """Add a request at the end of the queue."""
    last = connection.scalar(sa.select(sa.func.max(_REQUESTS.seq))) or 0
    connection.execute(
        t.run_request.insert().values(
            request_id=request_id,
            seq=last + 1,
            stages=list(stages),
            issued_at=None if issued_at is None else utc_text(issued_at),
            requested_by=by,
            requested_at=utc_text(at),
            state=str(RequestState.QUEUED),
            stages_done=[],
            code="",
            reason="",
        )
    )


def read_requests(
    connection: Connection,
    *,
    states: Iterable[RequestState] = (),
    after: str = "",
    limit: int | None = None,
) -> list[RunRequest]:
    """Read requests in the order in which they were made, at most ``limit`` behind ``after``."""
    query = sa.select(t.run_request).order_by(_REQUESTS.seq).limit(limit)
    if wanted := [str(state) for state in states]:
        query = query.where(_REQUESTS.state.in_(wanted))
    if after:
        query = query.where(
            after_key(connection, "run request", [_REQUESTS.seq], _REQUESTS.request_id, after)
        )
    return [_record(row) for row in connection.execute(query)]


def read_request(connection: Connection, request_id: str) -> RunRequest:
    """Read one request; `NotFoundError` where there is none."""
    row = connection.execute(sa.select(t.run_request).where(_REQUESTS.request_id == request_id)).first()
    if row is None:
        raise NotFoundError("run request", request_id, what_to_do="See 'GET /api/runs/' for those there are.")
    return _record(row)


def begin_request(connection: Connection, request_id: str, at: pd.Timestamp) -> None:
    """Write down that a request is being worked on."""
    _change(connection, request_id, state=str(RequestState.RUNNING), started_at=utc_text(at))


def save_progress(connection: Connection, request: RunRequest, run_id: str, stages_done: list[str]) -> None:
    """Write down which stages have ended."""
    _change(connection, request.request_id, run_id=run_id, stages_done=stages_done)


def end_request(
    connection: Connection,
    request_id: str,
    state: RequestState,
    at: pd.Timestamp,
    *,
    code: str = "",
    reason: str = "",
) -> None:
    """Write down how a request ended."""
    _change(connection, request_id, state=str(state), ended_at=utc_text(at), code=code, reason=reason)


def _change(connection: Connection, request_id: str, **values: object) -> None:
    connection.execute(t.run_request.update().where(_REQUESTS.request_id == request_id).values(**values))


def _record(row: Row[tuple[object, ...]]) -> RunRequest:
    r = row._mapping
    return RunRequest(
        r["request_id"],
        tuple(r["stages"]),
        _moment(r["issued_at"]),
        r["requested_by"],
        parse_utc(r["requested_at"]),
        RequestState(r["state"]),
        _moment(r["started_at"]),
        _moment(r["ended_at"]),
        r["run_id"],
        tuple(r["stages_done"]),
        r["code"],
        r["reason"],
    )


def _moment(text: str | None) -> pd.Timestamp | None:
    return None if text is None else parse_utc(text)
