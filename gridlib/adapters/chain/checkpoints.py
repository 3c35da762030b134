"""Signed checkpoints of the audit trail's head."""

import contextlib
import hashlib
import json
import os
from pathlib import Path

import pandas as pd
import sqlalchemy as sa
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from sqlalchemy.engine import Connection

from gridlib.adapters.chain.rows import canonical_json, read_head, stream_rows
from gridlib.adapters.files import draft_path, sync
from gridlib.adapters.store import utc_text
from gridlib.adapters.tables import audit_event
from gridlib.facts.errors import AuditError, FileError


def ensure_key(path: Path) -> Ed25519PrivateKey:
    """Read the key that signs checkpoints, or make one that only its owner can read: for signing alone.

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
        draft = draft_path(path)
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(pem)
        sync(draft)
        # A link, not a replacement: when two processes make a key at once, the first one's is the key.
        with contextlib.suppress(FileExistsError):
            path.hardlink_to(draft)
        draft.unlink()
        sync(path.parent)
    return read_key(path)


def read_key(path: Path) -> Ed25519PrivateKey:
    """Read the key that signed the checkpoints, for verifying them.

    Parameters
    ----------
    path : Path
        PEM file that `ensure_key` made.

    Returns
    -------
    Ed25519PrivateKey
        ``.public_key()`` is what a verifier needs.

    Raises
    ------
    AuditError
        The key is missing: no new one could verify what the old one signed.
    FileError
        The file is no such key.
    """
    if not path.is_file():
        raise AuditError(0, f"the key {path} is missing, the checkpoints cannot be verified")
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
    head = read_head(connection)
    if head is None:
        return 0
    body = {
        "origin": _origin(connection),
        "seq": head.seq,
        "head_hash": head.hash,
        "time": utc_text(pd.Timestamp.now("UTC")),
        "key": fingerprint(key.public_key()),
    }
    line = canonical_json({**body, "signature": key.sign(canonical_json(body).encode()).hex()}) + "\n"
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
        row.seq: row.hash for row in stream_rows(connection, sa.select(audit_event.c.seq, audit_event.c.hash))
    }
    for number, line in enumerate(lines, start=1):
        try:
            signed = json.loads(line)
            signature = bytes.fromhex(signed.pop("signature"))
            public_key.verify(signature, canonical_json(signed).encode())
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


def _origin(connection: Connection) -> str:
    # The hash of the first row names the trail: no other has it.
    return str(connection.execute(sa.select(audit_event.c.hash).where(audit_event.c.seq == 1)).scalar())


def _no_key(path: Path) -> FileError:
    return FileError(
        str(path),
        "is not an Ed25519 private key",
        what_to_do="Restore it from backup: what it signed can be verified with no other.",
    )
