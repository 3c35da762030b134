"""People who may act."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd
import sqlalchemy as sa
from sqlalchemy import Connection, Row

from gridlib.adapters import tables as t
from gridlib.adapters.store import utc_text
from gridlib.facts.errors import NotFoundError
from gridlib.facts.messages import Language
from gridlib.facts.types import Role


@dataclass(frozen=True)
class UserRecord:
    """A person who may act, with roles.

    Attributes
    ----------
    username : str
        Who it is, in every record.
    roles : tuple of Role
        What the person may do.
    active : bool
        False: kept for the records, may do nothing.
    language : {"en", "ar"}
        Of the screens.
    has_password : bool
        False: can be named in the shell, cannot sign in with a password.
    """

    username: str
    roles: tuple[Role, ...]
    active: bool
    language: Language = "en"
    has_password: bool = False


def save_user(
    connection: Connection,
    username: str,
    roles: Sequence[Role],
    created_at: pd.Timestamp,
    *,
    password: str | None = None,
) -> None:
    """Add an active user; ``password`` is hashed already."""
    connection.execute(
        t.user.insert().values(
            username=username,
            roles=[str(r) for r in roles],
            active=True,
            created_at=utc_text(created_at),
            password=password,
        )
    )


def update_user(connection: Connection, username: str, **values: Any) -> None:
    """Change columns of a user: ``active``, ``password`` (hashed already), ``language``."""
    connection.execute(t.user.update().where(t.user.c.username == username).values(**values))


def read_users(connection: Connection) -> list[UserRecord]:
    """Read all users by name."""
    return [as_user(row) for row in connection.execute(sa.select(t.user).order_by(t.user.c.username))]


def find_user(connection: Connection, username: str) -> UserRecord | None:
    """Read one user, active or not; None where there is none."""
    row = connection.execute(sa.select(t.user).where(t.user.c.username == username)).first()
    return as_user(row) if row else None


def read_user(connection: Connection, username: str) -> UserRecord:
    """Read one active user; `NotFoundError` names the command that adds one."""
    user = find_user(connection, username)
    if user is not None and user.active:
        return user
    raise NotFoundError(
        "user",
        username,
        what_to_do="See 'gridlib user list', or add one with 'gridlib user add NAME --role ROLE'.",
    )


def read_password(connection: Connection, username: str) -> str | None:
    """Read the hashed password of an active user; None where there is no such user, or no password."""
    query = sa.select(t.user.c.password).where(t.user.c.username == username, t.user.c.active)
    found: str | None = connection.execute(query).scalar()
    return found


def as_user(row: Row[Any]) -> UserRecord:
    """Make a record of a row that has all columns of the table."""
    return UserRecord(
        row.username, tuple(Role(x) for x in row.roles), row.active, row.language, row.password is not None
    )
