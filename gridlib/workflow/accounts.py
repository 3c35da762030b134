"""People who may act, and their roles."""

from collections.abc import Sequence

from gridlib.adapters.records import people
from gridlib.adapters.records.people import UserRecord
from gridlib.domain.lifecycle import SYSTEM
from gridlib.facts.errors import InputError
from gridlib.facts.types import Role
from gridlib.workbench import Workbench
from gridlib.workflow.audit import intention

_NAME_LENGTH = 40


def add_user(
    workbench: Workbench, username: str, roles: Sequence[Role], *, actor: str = SYSTEM
) -> UserRecord:
    """Add a person.

    Raises
    ------
    InputError
        The name is taken, empty, too long or has other characters than letters, digits, ``.``, ``_``, ``-``;
        or there is no role.
    """
    with intention(workbench, actor, "user.add", username) as act:
        plain = username.replace(".", "").replace("_", "").replace("-", "")
        if not (plain.isascii() and plain.isalnum() and len(username) <= _NAME_LENGTH) or username == SYSTEM:
            raise InputError(
                f"'{username}' cannot be a user name",
                what_to_do=f"Use up to {_NAME_LENGTH} letters, digits, '.', '_' or '-'.",
            )
        if not roles:
            raise InputError(
                "a user needs a role", what_to_do="Name one with --role analyst|operator|manager."
            )
        if username in {user.username for user in people.read_users(act.connection)}:
            raise InputError(f"user '{username}' exists", what_to_do="See 'gridlib user list'.")
        people.save_user(act.connection, username, roles, act.at)
        act.facts["roles"] = list(roles)
        return people.read_user(act.connection, username)


def list_users(workbench: Workbench) -> list[UserRecord]:
    """List all people by name."""
    with workbench.store.read() as connection:
        return people.read_users(connection)


def get_user(workbench: Workbench, username: str) -> UserRecord:
    """Read one active person; `NotFoundError` where there is none."""
    with workbench.store.read() as connection:
        return people.read_user(connection, username)
