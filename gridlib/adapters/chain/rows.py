"""Rows of the audit trail: append, verify, read, export."""

import csv
import hashlib
import json
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import pandas as pd
import sqlalchemy as sa
from sqlalchemy.engine import Connection, Row

from gridlib.adapters.files import replacing
from gridlib.adapters.spreadsheet import guarded
from gridlib.adapters.store import parse_utc, utc_text
from gridlib.adapters.tables import audit_event
from gridlib.adapters.triggers import GENESIS, check_triggers
from gridlib.facts.errors import AuditError, FileError

COLUMNS: Final = tuple(column.name for column in audit_event.columns)
_HASHED: Final = COLUMNS[:-1]
_ACTOR_LENGTH: Final = 80


def append_event(
    connection: Connection,
    *,
    time: datetime,
    actor: str,
    roles: str,
    action: str,
    object: str,
    outcome: str = "done",
    payload: Mapping[str, Any],
) -> int:
    """Append one row to the trail, in the transaction of the action it tells of.

    Parameters
    ----------
    connection : Connection
        The caller's write transaction; if the row cannot be written, the action fails with it.
    time : datetime
        Wall clock, with a zone.
    actor, roles : str
        Authenticated identity (its first 80 characters are kept, so that an attempt under a longer name is
        on record too), and its roles separated by spaces.
    action, object : str
        What was done, to what, for example ``plan.approve`` and ``PLAN-7``.
    outcome : str
        ``done`` or ``refused:<code>``.
    payload : mapping
        Facts that JSON can hold; numbers are finite.

    Returns
    -------
    int
        The row's number, 1 for the first.

    Raises
    ------
    TypeError, ValueError
        The payload holds something JSON cannot.
    """
    last = read_head(connection)
    row = {
        "seq": (last.seq if last else 0) + 1,
        "time": utc_text(time),
        "actor": actor[:_ACTOR_LENGTH],
        "roles": roles,
        "action": action,
        "object": object,
        "outcome": outcome,
        "payload": canonical_json(payload),
        "prev_hash": last.hash if last else GENESIS,
    }
    connection.execute(audit_event.insert().values(**row, hash=row_digest(row)))
    return int(row["seq"])


def verify_chain(connection: Connection) -> int:
    """Check every row of the trail against its own hash and the row before it, then the trail's guards.

    Parameters
    ----------
    connection : Connection
        Any transaction.

    Returns
    -------
    int
        Number of rows, all of which hold.

    Raises
    ------
    AuditError
        Naming the first row that is missing, altered, or does not follow the one before.
    StoreError
        Every row holds, but a guard that keeps the table append-only is gone or switched off.
    """
    seq, previous = 0, GENESIS
    for row in stream_rows(connection, sa.select(audit_event).order_by(audit_event.c.seq)):
        seq += 1
        if row.seq != seq:
            raise AuditError(seq, f"is missing; the next row found is {row.seq}")
        if row.hash != row_digest(row._mapping):
            raise AuditError(seq, "its content was altered: it does not match its hash")
        if row.prev_hash != previous:
            raise AuditError(seq, f"does not follow row {seq - 1}: one of the two was replaced")
        previous = row.hash
    check_triggers(connection)
    return seq


def find_events(
    connection: Connection,
    *,
    actor: str = "",
    action: str = "",
    object: str = "",
    outcome: str = "",
    text: str = "",
    since: datetime | None = None,
    until: datetime | None = None,
    after: int = 0,
    before: int | None = None,
    limit: int | None = None,
) -> list[dict[str, Any]]:
    """Read rows of the trail that have all that is asked for, oldest first; with ``before``, newest first.

    Parameters
    ----------
    connection : Connection
        Any transaction.
    actor, action, object : str
        Exactly so; empty: any.
    outcome : str
        How it begins ("done", "stale", "refused"); empty: any.
    text : str
        What stands in the actor, action, object, outcome or payload, in any case of letters; empty: any.
    since, until : datetime, optional
        First time, and the time before which to stop.
    after : int
        Number of the row behind which to begin.
    before : int, optional
        Number of the row before which to begin, going back; 0: the newest row.
    limit : int, optional
        At most so many.

    Returns
    -------
    list of dict
        The table's columns; ``time`` in UTC, ``payload`` as a dictionary.
    """
    columns = audit_event.c
    order = columns.seq if before is None else columns.seq.desc()
    query = sa.select(audit_event).where(columns.seq > after).order_by(order).limit(limit)
    if before:
        query = query.where(columns.seq < before)
    if outcome:
        query = query.where(columns.outcome.startswith(outcome, autoescape=True))
    if text:
        searched = (columns.actor, columns.action, columns.object, columns.outcome, columns.payload)
        query = query.where(sa.or_(*(column.icontains(text, autoescape=True) for column in searched)))
    for column, value in ((columns.actor, actor), (columns.action, action), (columns.object, object)):
        if value:
            query = query.where(column == value)
    if since is not None:
        query = query.where(columns.time >= utc_text(since))
    if until is not None:
        query = query.where(columns.time < utc_text(until))
    rows = [dict(row) for row in connection.execute(query).mappings()]
    return [{**row, "time": parse_utc(row["time"]), "payload": json.loads(row["payload"])} for row in rows]


def read_events(connection: Connection, *, limit: int | None = None) -> pd.DataFrame:
    """Read rows of the trail, oldest first.

    Parameters
    ----------
    connection : Connection
        Any transaction.
    limit : int, optional
        Only the newest so many.

    Returns
    -------
    DataFrame
        The table's columns; ``time`` in UTC, ``payload`` as dictionaries.
    """
    query = sa.select(audit_event).order_by(audit_event.c.seq.desc()).limit(limit)
    rows = [tuple(row) for row in connection.execute(query)]
    events = pd.DataFrame(rows[::-1], columns=list(COLUMNS))
    times = pd.DatetimeIndex([parse_utc(text) for text in events["time"]], dtype="datetime64[ns, UTC]")
    return events.assign(time=times, payload=[json.loads(text) for text in events["payload"]])


def write_events(connection: Connection, path: Path) -> int:
    """Export the whole trail; the file appears only when it is complete.

    Parameters
    ----------
    connection : Connection
        Any transaction.
    path : Path
        ``.csv`` for people (cells that a spreadsheet would take for a formula get a leading apostrophe)
        or ``.jsonl`` for programs (exact content, one object a line).

    Returns
    -------
    int
        Rows written.

    Raises
    ------
    FileError
        Another ending.
    """
    if path.suffix not in (".csv", ".jsonl"):
        raise FileError(
            str(path), "an export is .csv or .jsonl", what_to_do="Choose a name with one of these endings."
        )
    count = 0
    with replacing(path) as draft, draft.open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file)
        if path.suffix == ".csv":
            table.writerow(COLUMNS)
        for row in stream_rows(connection, sa.select(audit_event).order_by(audit_event.c.seq)):
            if path.suffix == ".csv":
                table.writerow([guarded(value) for value in row])
            else:
                file.write(canonical_json({**row._mapping, "payload": json.loads(row.payload)}) + "\n")
            count += 1
    return count


def read_head(connection: Connection) -> "Row[Any, Any] | None":
    """Read number and hash of the last row; None when the trail is empty."""
    query = sa.select(audit_event.c.seq, audit_event.c.hash).order_by(audit_event.c.seq.desc()).limit(1)
    return connection.execute(query).first()


def stream_rows(connection: Connection, query: sa.Select[Any]) -> Iterator[Row[Any]]:
    """Read rows of a query a thousand at a time."""
    yield from connection.execute(query.execution_options(yield_per=1000))


def canonical_json(value: Mapping[str, Any]) -> str:
    """Write a mapping in the one form that is hashed and signed."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def row_digest(row: Mapping[Any, Any]) -> str:
    """Compute the hash of a row from all its other columns."""
    return hashlib.sha256(canonical_json({name: row[name] for name in _HASHED}).encode()).hexdigest()
