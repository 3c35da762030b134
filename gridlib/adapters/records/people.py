"""People who may act."""

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd
import sqlalchemy as sa
from sqlalchemy import Connection

from gridlib.adapters import tables as t
from gridlib.adapters.store import utc_text
from gridlib.facts.errors import NotFoundError
from gridlib.facts.types import Role


@dataclass(frozen=True)
class UserRecord:
    """A person who may act, with roles."""

    username: str
    roles: tuple[Role, ...]
    active: bool


def save_user(connection: Connection, username: str, roles: Sequence[Role], created_at: pd.Timestamp) -> None:
    """Add an active user."""
    connection.execute(
        t.user.insert().values(
            username=username, roles=[str(r) for r in roles], active=True, created_at=utc_text(created_at)
        )
    )


def read_users(connection: Connection) -> list[UserRecord]:
    """Read all users by name."""
    rows = connection.execute(sa.select(t.user).order_by(t.user.c.username))
    return [UserRecord(r.username, tuple(Role(x) for x in r.roles), r.active) for r in rows]


def read_user(connection: Connection, username: str) -> UserRecord:
    """Read one active user; `NotFoundError` names the command that adds one."""
    for user in read_users(connection):
        if user.username == username and user.active:
            return user
    raise NotFoundError(
        "user",
        username,
        what_to_do="See 'gridlib user list', or add one with 'gridlib user add NAME --role ROLE'.",
    )
