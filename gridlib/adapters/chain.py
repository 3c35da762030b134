"""The audit trail: rows chained by their hashes, and signed checkpoints of the chain's head.

A chain shows an altered, missing or inserted row. It cannot show that its last rows were cut off, or that
somebody with the whole database wrote all of it anew: for that the head is signed from time to time into a
file that can live on another host. The trail is tamper-evident, not tamper-proof.
"""

import contextlib
import csv
import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import pandas as pd
import sqlalchemy as sa
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from sqlalchemy.engine import Connection, Row

from gridlib.adapters.files import replacing, sync
from gridlib.adapters.store import parse_utc, utc_text
from gridlib.adapters.tables import audit_event
from gridlib.adapters.triggers import GENESIS
from gridlib.facts.errors import AuditError, FileError

COLUMNS: Final = tuple(column.name for column in audit_event.columns)
_HASHED: Final = COLUMNS[:-1]
_FORMULA_START: Final = ("=", "+", "-", "@", "\t", "\r")


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
        Authenticated identity, and its roles separated by spaces.
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
    last = _head(connection)
    row = {
        "seq": (last.seq if last else 0) + 1,
        "time": utc_text(time),
        "actor": actor,
        "roles": roles,
        "action": action,
        "object": object,
        "outcome": outcome,
        "payload": _canonical(payload),
        "prev_hash": last.hash if last else GENESIS,
    }
    connection.execute(audit_event.insert().values(**row, hash=_digest(row)))
    return int(row["seq"])


def verify_chain(connection: Connection) -> int:
    """Check every row of the trail against its own hash and against the row before it.

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
    """
    seq, previous = 0, GENESIS
    for row in _rows(connection, sa.select(audit_event).order_by(audit_event.c.seq)):
        seq += 1
        if row.seq != seq:
            raise AuditError(seq, f"is missing; the next row found is {row.seq}")
        if row.hash != _digest(row._mapping):
            raise AuditError(seq, "its content was altered: it does not match its hash")
        if row.prev_hash != previous:
            raise AuditError(seq, f"does not follow row {seq - 1}: one of the two was replaced")
        previous = row.hash
    return seq


def read_events(
    connection: Connection,
    *,
    action: str = "",
    object: str | None = None,
    actor: str | None = None,
    since: datetime | None = None,
    limit: int | None = None,
) -> pd.DataFrame:
    """Read rows of the trail, oldest first.

    Parameters
    ----------
    connection : Connection
        Any transaction.
    action : str
        Beginning of the action: ``plan.`` finds all that was done to plans.
    object, actor : str, optional
        Only rows about this object, by this actor.
    since : datetime, optional
        Only rows at or after this moment.
    limit : int, optional
        Only the newest so many.

    Returns
    -------
    DataFrame
        The table's columns; ``time`` in UTC, ``payload`` as dictionaries.
    """
    query = sa.select(audit_event).order_by(audit_event.c.seq.desc()).limit(limit)
    if action:
        query = query.where(sa.func.substr(audit_event.c.action, 1, len(action)) == action)
    if object is not None:
        query = query.where(audit_event.c.object == object)
    if actor is not None:
        query = query.where(audit_event.c.actor == actor)
    if since is not None:
        query = query.where(audit_event.c.time >= utc_text(since))
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
        for row in _rows(connection, sa.select(audit_event).order_by(audit_event.c.seq)):
            if path.suffix == ".csv":
                table.writerow([_plain_cell(value) for value in row])
            else:
                file.write(_canonical({**row._mapping, "payload": json.loads(row.payload)}) + "\n")
            count += 1
    return count


def ensure_key(path: Path) -> Ed25519PrivateKey:
    """Read the key that signs checkpoints, or make one that only its owner can read.

    Parameters
    ----------
    path : Path
        PEM file, mode 0600.

    Returns
    -------
    Ed25519PrivateKey
        ``.public_key()`` is what a verifier needs.

    Raises
    ------
    FileError
        The file is no such key.
    """
    if not path.exists():
        pem = Ed25519PrivateKey.generate().private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_name(f"{path.name}.{os.getpid()}.tmp")
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(pem)
        sync(draft)
        # A link, not a replacement: when two processes make a key at once, the first one's is the key.
        with contextlib.suppress(FileExistsError):
            path.hardlink_to(draft)
        draft.unlink()
        sync(path.parent)
    try:
        key = serialization.load_pem_private_key(path.read_bytes(), password=None)
    except ValueError as error:
        raise _no_key(path) from error
    if not isinstance(key, Ed25519PrivateKey):
        raise _no_key(path)
    return key


def fingerprint(key: Ed25519PublicKey) -> str:
    """Name a public key by the first 16 hex digits of its SHA-256.

    Parameters
    ----------
    key : Ed25519PublicKey
        The key.

    Returns
    -------
    str
        Short enough to print on a sheet.
    """
    raw = key.public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
    return hashlib.sha256(raw).hexdigest()[:16]


def append_checkpoint(path: Path, key: Ed25519PrivateKey, connection: Connection) -> int:
    """Sign the head of the trail as it is now and append it to the checkpoint file.

    Parameters
    ----------
    path : Path
        File of one JSON object a line, best kept on another host.
    key : Ed25519PrivateKey
        From `ensure_key`.
    connection : Connection
        Any transaction.

    Returns
    -------
    int
        The row that was signed; 0 and nothing written when the trail is empty.
    """
    head = _head(connection)
    if head is None:
        return 0
    body = {
        "origin": _origin(connection),
        "seq": head.seq,
        "head_hash": head.hash,
        "time": utc_text(pd.Timestamp.now("UTC")),
        "key": fingerprint(key.public_key()),
    }
    line = _canonical({**body, "signature": key.sign(_canonical(body).encode()).hex()}) + "\n"
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a", encoding="utf-8") as file:
        file.write(line)
    sync(path)
    return int(head.seq)


def verify_checkpoints(connection: Connection, path: Path, public_key: Ed25519PublicKey) -> int:
    """Hold the trail against every signed checkpoint.

    Parameters
    ----------
    connection : Connection
        Any transaction; `verify_chain` checks the rows between the checkpoints.
    path : Path
        The checkpoint file.
    public_key : Ed25519PublicKey
        Of the key that signed it.

    Returns
    -------
    int
        Number of checkpoints, all of which hold.

    Raises
    ------
    AuditError
        A signed row is gone or another one, a line was altered or signed by another key, or the file is
        missing.
    """
    if not path.is_file():
        raise AuditError(0, f"the checkpoint file {path} is missing")
    lines = path.read_text(encoding="utf-8").splitlines()
    hashes: dict[int, str] = {
        row.seq: row.hash for row in _rows(connection, sa.select(audit_event.c.seq, audit_event.c.hash))
    }
    for number, line in enumerate(lines, start=1):
        try:
            signed = json.loads(line)
            signature = bytes.fromhex(signed.pop("signature"))
            public_key.verify(signature, _canonical(signed).encode())
            seq, head_hash, origin = int(signed["seq"]), signed["head_hash"], signed["origin"]
        except (ValueError, KeyError, TypeError, AttributeError, InvalidSignature) as error:
            raise AuditError(
                0,
                f"checkpoint {number} of {path} was altered or not signed with key {fingerprint(public_key)}",
            ) from error
        if seq not in hashes:
            raise AuditError(seq, f"was signed in checkpoint {number} and is gone: the trail was cut off")
        if hashes[seq] != head_hash or hashes.get(1) != origin:
            raise AuditError(seq, f"is not the row signed in checkpoint {number}: the trail was rewritten")
    return len(lines)


def _head(connection: Connection) -> Row[Any, Any] | None:
    query = sa.select(audit_event.c.seq, audit_event.c.hash).order_by(audit_event.c.seq.desc()).limit(1)
    return connection.execute(query).first()


def _origin(connection: Connection) -> str:
    # The hash of the first row names the trail: no other has it.
    return str(connection.execute(sa.select(audit_event.c.hash).where(audit_event.c.seq == 1)).scalar())


def _rows(connection: Connection, query: sa.Select[Any]) -> Iterator[Row[Any]]:
    yield from connection.execute(query.execution_options(yield_per=1000))


def _canonical(value: Mapping[str, Any]) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def _digest(row: Mapping[Any, Any]) -> str:
    return hashlib.sha256(_canonical({name: row[name] for name in _HASHED}).encode()).hexdigest()


def _plain_cell(value: object) -> object:
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA_START) else value


def _no_key(path: Path) -> FileError:
    return FileError(
        str(path),
        "is not an Ed25519 private key",
        what_to_do="Restore it from backup: what it signed can be verified with no other.",
    )
