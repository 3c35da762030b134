"""Who is signed in, who failed to, and the tokens of programs; of every secret key its hash alone."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

import pandas as pd
import sqlalchemy as sa
from sqlalchemy import Connection

from gridlib.adapters import tables as t
from gridlib.adapters.records.people import UserRecord, as_user
from gridlib.adapters.store import parse_utc, utc_text

Via = Literal["password", "proxy"]


@dataclass(frozen=True)
class SessionRecord:
    """One sign-in of an active user, from its start to sign-out or expiry.

    Attributes
    ----------
    key_sha256 : str
        Hash of the key in the person's browser.
    user : UserRecord
        Who, with the roles of this moment.
    via : {"password", "proxy"}
        How the person signed in.
    created_at, used_at : Timestamp
        When, and the last action, UTC.
    """

    key_sha256: str
    user: UserRecord
    via: Via
    created_at: pd.Timestamp
    used_at: pd.Timestamp


@dataclass(frozen=True)
class TokenRecord:
    """A token with which a program acts for a person.

    Attributes
    ----------
    username : str
        For whom.
    name : str
        What the person calls it.
    created_at, used_at, revoked_at : Timestamp or None
        UTC; None: never.
    """

    username: str
    name: str
    created_at: pd.Timestamp
    used_at: pd.Timestamp | None
    revoked_at: pd.Timestamp | None


@dataclass(frozen=True)
class FailureRecord:
    """Sign-ins that failed since ``first_at``; locked until a time, or not.

    They are counted for a name, and apart from it for each browser in which its person has signed in before.
    """

    failures: int
    first_at: pd.Timestamp
    locked_until: pd.Timestamp | None


def save_session(
    connection: Connection, key_sha256: str, username: str, *, via: Via, address: str, at: datetime
) -> None:
    """Add a session."""
    connection.execute(
        t.session.insert().values(
            key_sha256=key_sha256,
            username=username,
            via=via,
            address=address,
            created_at=utc_text(at),
            used_at=utc_text(at),
        )
    )


def read_sessions(
    connection: Connection, key_sha256s: Iterable[str], *, created_after: datetime, used_after: datetime
) -> list[SessionRecord]:
    """Read those of the named sessions that are young and used enough and whose user is active."""
    query = (
        sa.select(
            t.session.c.key_sha256,
            t.session.c.via,
            t.session.c.created_at.label("since"),
            t.session.c.used_at,
            t.user,
        )
        .join(t.user)
        .where(
            t.session.c.key_sha256.in_(list(key_sha256s)),
            t.session.c.created_at > utc_text(created_after),
            t.session.c.used_at > utc_text(used_after),
            t.user.c.active,
        )
    )
    return [
        SessionRecord(r.key_sha256, as_user(r), r.via, parse_utc(r.since), parse_utc(r.used_at))
        for r in connection.execute(query)
    ]


def touch_session(connection: Connection, key_sha256: str, at: datetime) -> None:
    """Note that the person of a session just did something."""
    connection.execute(
        t.session.update().where(t.session.c.key_sha256 == key_sha256).values(used_at=utc_text(at))
    )


def delete_session(connection: Connection, key_sha256: str) -> None:
    """End one session."""
    connection.execute(t.session.delete().where(t.session.c.key_sha256 == key_sha256))


def delete_sessions(connection: Connection, username: str, *, keep: str = "") -> int:
    """End all sessions of a user but the one with the hash ``keep``; returns how many."""
    others = (t.session.c.username == username, t.session.c.key_sha256 != keep)
    return connection.execute(t.session.delete().where(*others)).rowcount


def delete_old_sessions(connection: Connection, *, created_before: datetime, used_before: datetime) -> None:
    """Forget sessions that have expired."""
    old = sa.or_(
        t.session.c.created_at <= utc_text(created_before), t.session.c.used_at <= utc_text(used_before)
    )
    connection.execute(t.session.delete().where(old))


def read_failures(connection: Connection, username: str, device: str) -> FailureRecord | None:
    """Read the failed sign-ins of a name in a known browser, or in all others; None where there are none."""
    row = connection.execute(sa.select(t.sign_in_failure).where(_counted(username, device))).first()
    return FailureRecord(row.failures, parse_utc(row.first_at), _moment(row.locked_until)) if row else None


def save_failures(connection: Connection, username: str, device: str, record: FailureRecord) -> None:
    """Keep the failed sign-ins of a name, in a known browser or in all others, in place of those before."""
    delete_failures(connection, username, device)
    connection.execute(
        t.sign_in_failure.insert().values(
            username=_counter(username, device),
            failures=record.failures,
            first_at=utc_text(record.first_at),
            locked_until=None if record.locked_until is None else utc_text(record.locked_until),
        )
    )


def delete_failures(connection: Connection, username: str, device: str) -> None:
    """Forget the failed sign-ins of a name in a known browser, or in all others, and the lock with them."""
    connection.execute(t.sign_in_failure.delete().where(_counted(username, device)))


def delete_all_failures(connection: Connection, username: str) -> None:
    """Forget the failed sign-ins of a name in every browser, and its locks with them."""
    in_known = t.sign_in_failure.c.username.startswith(f"{username} ", autoescape=True)
    connection.execute(t.sign_in_failure.delete().where(_counted(username, "") | in_known))


def save_token(connection: Connection, token_sha256: str, username: str, name: str, at: datetime) -> None:
    """Add a token."""
    connection.execute(
        t.api_token.insert().values(
            token_sha256=token_sha256, username=username, name=name, created_at=utc_text(at)
        )
    )


def read_tokens(connection: Connection, username: str) -> list[TokenRecord]:
    """Read the tokens of a user, revoked ones too, oldest first."""
    query = sa.select(t.api_token).where(t.api_token.c.username == username)
    return [
        TokenRecord(r.username, r.name, parse_utc(r.created_at), _moment(r.used_at), _moment(r.revoked_at))
        for r in connection.execute(query.order_by(t.api_token.c.created_at, t.api_token.c.name))
    ]


def revoke_tokens(connection: Connection, username: str, at: datetime, *, name: str | None = None) -> int:
    """Revoke one token of a user, or all; returns how many were good until now."""
    good = [t.api_token.c.username == username, t.api_token.c.revoked_at.is_(None)]
    if name is not None:
        good.append(t.api_token.c.name == name)
    return connection.execute(t.api_token.update().where(*good).values(revoked_at=utc_text(at))).rowcount


def find_token(connection: Connection, token_sha256: str) -> tuple[UserRecord, pd.Timestamp | None] | None:
    """Read the active user of a good token and when it was last used; None where there is none."""
    query = sa.select(t.api_token.c.used_at, t.user).join(t.user)
    row = connection.execute(
        query.where(
            t.api_token.c.token_sha256 == token_sha256, t.api_token.c.revoked_at.is_(None), t.user.c.active
        )
    ).first()
    return (as_user(row), _moment(row.used_at)) if row else None


def touch_token(connection: Connection, token_sha256: str, at: datetime) -> None:
    """Note that a token was just used."""
    connection.execute(
        t.api_token.update().where(t.api_token.c.token_sha256 == token_sha256).values(used_at=utc_text(at))
    )


def _counted(username: str, device: str) -> sa.ColumnElement[bool]:
    return t.sign_in_failure.c.username == _counter(username, device)


def _counter(username: str, device: str) -> str:
    """Name what is counted; no user name has a space."""
    return f"{username} {device}" if device else username


def _moment(text: Any) -> pd.Timestamp | None:
    return None if text is None else parse_utc(text)
