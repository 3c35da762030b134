"""People who may act: accounts, passwords, languages, and the tokens of their programs."""

from collections.abc import Sequence

import pandas as pd

from gridlib.adapters import passwords
from gridlib.adapters.records import people, sessions
from gridlib.adapters.records.people import UserRecord
from gridlib.adapters.records.sessions import TokenRecord
from gridlib.domain.lifecycle import NOBODY, SYSTEM
from gridlib.facts.errors import InputError, NotFoundError, RoleError
from gridlib.facts.messages import LANGUAGES
from gridlib.facts.types import Role
from gridlib.workbench import Workbench
from gridlib.workflow.audit import Intention, intention

_NAME_LENGTH = 40
_TOKEN_TOUCH = pd.Timedelta("60s")
"""The last use of a token is noted this exactly."""


def add_user(
    workbench: Workbench,
    username: str,
    roles: Sequence[Role],
    *,
    password: str | None = None,
    actor: str = SYSTEM,
) -> UserRecord:
    """Add a person.

    Parameters
    ----------
    workbench : Workbench
        The workspace.
    username : str
        The name in every record.
    roles : sequence of Role
        At least one.
    password : str, optional
        Without one, the person can be named in the shell but cannot sign in.
    actor : str
        A manager, or the shell's ``SYSTEM``.

    Returns
    -------
    UserRecord
        As it was kept.

    Raises
    ------
    InputError
        The name is taken, empty, too long or has other characters than letters, digits, ``.``, ``_``, ``-``;
        there is no role; or the password is easily guessed.
    RoleError
        The actor is no manager.
    """
    hashed = None if password is None else passwords.hash_password(password)
    with intention(workbench, actor, "user.add", username) as act:
        _check_manager(act)
        if not _is_name(username) or username in (SYSTEM, NOBODY):
            raise InputError(
                f"'{username}' cannot be a user name",
                what_to_do=f"Use up to {_NAME_LENGTH} letters, digits, '.', '_' or '-'.",
            )
        if not roles:
            raise InputError(
                "a user needs a role", what_to_do="Name one with --role analyst|operator|manager."
            )
        if people.find_user(act.connection, username) is not None:
            raise InputError(f"user '{username}' exists", what_to_do="See 'gridlib user list'.")
        if password is not None:
            passwords.check_password(username, password)
        people.save_user(act.connection, username, roles, act.at, password=hashed)
        act.facts.update(roles=list(roles), password=password is not None)
        return people.read_user(act.connection, username)


def disable_user(workbench: Workbench, username: str, *, actor: str = SYSTEM) -> None:
    """Let a person do nothing any more: sessions end, tokens are revoked, records stay.

    Raises
    ------
    NotFoundError
        No such active user.
    RoleError
        The actor is no manager.
    """
    with intention(workbench, actor, "user.disable", username) as act:
        _check_manager(act)
        people.read_user(act.connection, username)
        people.update_user(act.connection, username, active=False)
        act.facts["sessions_ended"] = sessions.delete_sessions(act.connection, username)
        act.facts["tokens_revoked"] = sessions.revoke_tokens(act.connection, username, act.at)


def enable_user(workbench: Workbench, username: str, *, actor: str = SYSTEM) -> None:
    """Let a disabled or locked person sign in again; the password stays, revoked tokens stay revoked.

    Raises
    ------
    NotFoundError
        No such user.
    RoleError
        The actor is no manager.
    """
    with intention(workbench, actor, "user.enable", username) as act:
        _check_manager(act)
        if people.find_user(act.connection, username) is None:
            raise NotFoundError("user", username, what_to_do="See 'gridlib user list'.")
        people.update_user(act.connection, username, active=True)
        sessions.delete_all_failures(act.connection, username)


def set_password(
    workbench: Workbench, username: str, password: str, *, actor: str = SYSTEM, keep: str = ""
) -> None:
    """Give a person a new password; a lock ends, and so do all sessions but one.

    Parameters
    ----------
    workbench : Workbench
        The workspace.
    username : str
        Whose password.
    password : str
        The new one.
    actor : str
        The person, a manager, or the shell's ``SYSTEM``.
    keep : str
        Hash of the key of the session in which the person does this.

    Raises
    ------
    NotFoundError
        No such active user.
    InputError
        The password is easily guessed.
    RoleError
        The actor is neither the person nor a manager.
    """
    hashed = passwords.hash_password(password)
    with intention(workbench, actor, "user.password", username) as act:
        _check_manager(act, or_self=username)
        people.read_user(act.connection, username)
        passwords.check_password(username, password)
        people.update_user(act.connection, username, password=hashed)
        sessions.delete_all_failures(act.connection, username)
        act.facts["sessions_ended"] = sessions.delete_sessions(act.connection, username, keep=keep)


def set_language(workbench: Workbench, username: str, language: str) -> None:
    """Choose the language of a person's screens.

    Raises
    ------
    InputError
        There are no screens in this language.
    """
    with intention(workbench, username, "user.language", username) as act:
        if language not in LANGUAGES:
            raise InputError(
                f"no screens in language '{language}'", what_to_do=f"Choose one of {', '.join(LANGUAGES)}."
            )
        act.facts["language"] = language
        people.update_user(act.connection, username, language=language)


def make_token(workbench: Workbench, username: str, name: str, *, actor: str = SYSTEM) -> str:
    """Make a token with which a program acts for a person.

    Parameters
    ----------
    workbench : Workbench
        The workspace.
    username : str
        For whom.
    name : str
        What the person calls it, 1 to 40 characters; a name is used once.
    actor : str
        The person, a manager, or the shell's ``SYSTEM``.

    Returns
    -------
    str
        The token, for ``Authorization: Bearer``; it is kept nowhere and cannot be shown again.

    Raises
    ------
    NotFoundError
        No such active user.
    InputError
        The name is empty, too long or used before.
    RoleError
        The actor is neither the person nor a manager.
    """
    token = passwords.make_key()
    with intention(workbench, actor, "user.token", username) as act:
        _check_manager(act, or_self=username)
        people.read_user(act.connection, username)
        if not _is_name(name):
            raise InputError(
                f"'{name}' cannot be the name of a token",
                what_to_do=f"Use up to {_NAME_LENGTH} letters, digits, '.', '_' or '-'.",
            )
        if name in {token.name for token in sessions.read_tokens(act.connection, username)}:
            raise InputError(
                f"{username} has had a token named '{name}'",
                what_to_do="Choose another name; old names stay for the records.",
            )
        sessions.save_token(act.connection, passwords.key_digest(token), username, name, act.at)
        act.facts["token"] = name
    return token


def revoke_token(workbench: Workbench, username: str, name: str, *, actor: str = SYSTEM) -> None:
    """Make a token useless.

    Raises
    ------
    NotFoundError
        The person has no such token that is still good.
    RoleError
        The actor is neither the person nor a manager.
    """
    with intention(workbench, actor, "user.revoke_token", username) as act:
        _check_manager(act, or_self=username)
        act.facts["token"] = name
        if not sessions.revoke_tokens(act.connection, username, act.at, name=name):
            raise NotFoundError("token", name, what_to_do="See 'gridlib user token list'.")


def list_tokens(workbench: Workbench, username: str) -> list[TokenRecord]:
    """List the tokens of a person, revoked ones too."""
    with workbench.store.read() as connection:
        return sessions.read_tokens(connection, username)


def token_user(workbench: Workbench, token: str) -> UserRecord | None:
    """Read whom a program with this token acts for; None where the token is no good."""
    digest = passwords.key_digest(token)
    with workbench.store.read() as connection:
        found = sessions.find_token(connection, digest)
    if found is None:
        return None
    user, used_at = found
    now = workbench.clock()
    if used_at is None or now - used_at > _TOKEN_TOUCH:
        with workbench.store.write() as connection:
            sessions.touch_token(connection, digest, now)
    return user


def list_users(workbench: Workbench) -> list[UserRecord]:
    """List all people by name."""
    with workbench.store.read() as connection:
        return people.read_users(connection)


def get_user(workbench: Workbench, username: str) -> UserRecord:
    """Read one active person; `NotFoundError` where there is none."""
    with workbench.store.read() as connection:
        return people.read_user(connection, username)


def _is_name(name: str) -> bool:
    plain = name.replace(".", "").replace("_", "").replace("-", "")
    return plain.isascii() and plain.isalnum() and len(name) <= _NAME_LENGTH


def _check_manager(act: Intention, *, or_self: str = "") -> None:
    if act.actor in (SYSTEM, or_self):
        return
    if Role.MANAGER not in people.read_user(act.connection, act.actor).roles:
        raise RoleError(act.actor, str(Role.MANAGER))
