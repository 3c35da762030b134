"""Signing in and out, and what is refused at the door.

A password is compared outside every transaction, because that takes a quarter of a second. Failed sign-ins
are counted, and of many in a row the first and the one that locks the account get an audit row: whoever
tries passwords cannot flood the trail. A browser in which a person has signed in before keeps a signed name
and has a count of its own, so that strangers who lock an account do not lock out its person [OWASP, Slow Down
Online Guessing Attacks with Device Cookies].
"""

from collections.abc import Iterable

import pandas as pd
from sqlalchemy import Connection

from gridlib.adapters import passwords
from gridlib.adapters.records import people, sessions
from gridlib.adapters.records.sessions import FailureRecord, SessionRecord, Via
from gridlib.domain.lifecycle import NOBODY
from gridlib.facts.errors import NotFoundError, SignInError
from gridlib.workbench import Workbench
from gridlib.workflow import accounts
from gridlib.workflow.audit import SIGN_IN, intention

_TOUCH = pd.Timedelta("60s")
"""The last action of a session is noted this exactly."""


def sign_in(workbench: Workbench, username: str, password: str, *, address: str, device: str = "") -> str:
    """Begin a session of a person who knows the password.

    Parameters
    ----------
    workbench : Workbench
        The workspace.
    username, password : str
        As typed.
    address : str
        Where the request came from, for the trail.
    device : str
        What the person's browser kept of a sign-in before, see `sign_device`.

    Returns
    -------
    str
        The key of the session, for the person's browser alone; its hash is what is kept.

    Raises
    ------
    SignInError
        The name or the password is wrong, or the account is locked; never says which.
    """
    stored, known = _checked(workbench, username, password, address, device)
    return _begin(workbench, username, via="password", address=address, stored=stored, known=known)


def sign_device(workbench: Workbench, username: str) -> str:
    """Make what the browser of a person who has just given the password keeps; a new password ends it."""
    with workbench.store.read() as connection:
        stored = people.read_password(connection, username)
    return passwords.sign_device(stored) if stored else ""


def knows_device(workbench: Workbench, username: str, device: str) -> bool:
    """Tell whether a browser shows that the person has signed in there before."""
    with workbench.store.read() as connection:
        return bool(passwords.signed_device(device, people.read_password(connection, username)))


def sign_in_by_proxy(workbench: Workbench, username: str, *, address: str) -> str:
    """Begin a session of a person for whom a trusted proxy vouches; returns the key of the session.

    Raises
    ------
    NotFoundError
        No such active user.
    """
    try:
        accounts.get_user(workbench, username)
    except NotFoundError:
        _count_failure(workbench, "", address)
        raise
    return _begin(workbench, username, via="proxy", address=address)


def change_password(
    workbench: Workbench, username: str, current: str, new: str, *, key: str, address: str
) -> None:
    """Give a signed-in person another password; all other sessions of the person end.

    Parameters
    ----------
    workbench : Workbench
        The workspace.
    username : str
        Whose password.
    current, new : str
        As typed.
    key : str
        Of the session that goes on.
    address : str
        Where the request came from, for the trail.

    Raises
    ------
    SignInError
        The current password is wrong, or the account is locked.
    InputError
        The new password is easily guessed.
    """
    _checked(workbench, username, current, address, "")
    accounts.set_password(workbench, username, new, actor=username, keep=passwords.key_digest(key))


def sign_out(workbench: Workbench, key: str) -> None:
    """End a session; one that has ended is no fault."""
    session = get_session(workbench, key)
    if session is None:
        return
    with intention(workbench, session.user.username, "user.sign_out", session.user.username) as act:
        sessions.delete_session(act.connection, session.key_sha256)


def get_session(workbench: Workbench, key: str, *, acts: bool = False) -> SessionRecord | None:
    """Read a session that has not ended.

    Parameters
    ----------
    workbench : Workbench
        The workspace.
    key : str
        From the person's browser.
    acts : bool
        The person is doing something: the idle time begins anew.

    Returns
    -------
    SessionRecord or None
        None: no such session, it has expired, or its user was disabled.
    """
    found = list_sessions(workbench, [passwords.key_digest(key)])
    if not found:
        return None
    now = workbench.clock()
    if acts and now - found[0].used_at > _TOUCH:
        with workbench.store.write() as connection:
            sessions.touch_session(connection, found[0].key_sha256, now)
    return found[0]


def list_sessions(workbench: Workbench, key_sha256s: Iterable[str]) -> list[SessionRecord]:
    """Read those of the sessions with these hashes that have not ended."""
    created_after, used_after = _limits(workbench)
    with workbench.store.read() as connection:
        return sessions.read_sessions(
            connection, key_sha256s, created_after=created_after, used_after=used_after
        )


def record_refusal(workbench: Workbench, username: str, action: str, obj: str, *, code: str) -> None:
    """Write to the trail that the server refused a signed-in person something, for example a screen."""
    with intention(workbench, username, action, obj) as act:
        act.outcome = f"refused:{code}"


def _checked(
    workbench: Workbench, username: str, password: str, address: str, device: str
) -> tuple[str | None, str]:
    """Read the stored password, and the name of a known browser, if the typed one is right.

    Otherwise the failure is counted, for that browser or for all that are not known.
    """
    with workbench.store.read() as connection:
        stored = people.read_password(connection, username)
        known = passwords.signed_device(device, stored)
        locked = _is_locked(workbench, connection, username, known)
    if not passwords.matches(password, stored) or locked:
        _count_failure(workbench, username if stored is not None else "", address, known)
        raise _refusal(workbench)
    return stored, known


def _begin(
    workbench: Workbench,
    username: str,
    *,
    via: Via,
    address: str,
    stored: str | None = None,
    known: str = "",
) -> str:
    key = passwords.make_key()
    created_before, used_before = _limits(workbench)
    with intention(workbench, username, SIGN_IN, username) as act:
        act.facts.update(via=via, address=address)
        if via == "password":
            changed = people.read_password(act.connection, username) != stored
            if changed or _is_locked(workbench, act.connection, username, known):
                raise _refusal(workbench)
            act.facts["known_browser"] = bool(known)
            if (failed := sessions.read_failures(act.connection, username, known)) is not None:
                act.facts["failures_before"] = failed.failures
                sessions.delete_failures(act.connection, username, known)
        sessions.delete_old_sessions(act.connection, created_before=created_before, used_before=used_before)
        digest = passwords.key_digest(key)
        sessions.save_session(act.connection, digest, username, via=via, address=address, at=act.at)
    return key


def _count_failure(workbench: Workbench, username: str, address: str, known: str = "") -> None:
    """Count a failed sign-in; ``username`` is empty for all names that cannot sign in."""
    server = workbench.settings.server
    remembered = pd.Timedelta(minutes=server.lock_min)
    with intention(workbench, NOBODY, SIGN_IN, username or "unknown name") as act:
        before = sessions.read_failures(act.connection, username, known)
        if before is None or act.at >= (before.locked_until or before.first_at + remembered):
            before = FailureRecord(0, act.at, None)
        failures, locked_until = before.failures + 1, before.locked_until
        locks = bool(username) and locked_until is None and failures >= server.failures
        if locks:
            locked_until = act.at + remembered
        sessions.save_failures(
            act.connection, username, known, FailureRecord(failures, before.first_at, locked_until)
        )
        act.told = failures == 1 or locks
        act.outcome = f"refused:{SignInError.code}"
        act.facts.update(
            address=address,
            known_browser=bool(known),
            failures=failures,
            locked_min=server.lock_min if locks else 0,
        )


def _is_locked(workbench: Workbench, connection: Connection, username: str, known: str) -> bool:
    found = sessions.read_failures(connection, username, known)
    return found is not None and found.locked_until is not None and workbench.clock() < found.locked_until


def _limits(workbench: Workbench) -> tuple[pd.Timestamp, pd.Timestamp]:
    """Tell since when a session must have been begun, and used, to be good."""
    server, now = workbench.settings.server, workbench.clock()
    return now - pd.Timedelta(hours=server.session_h), now - pd.Timedelta(minutes=server.idle_min)


def _refusal(workbench: Workbench) -> SignInError:
    server = workbench.settings.server
    return SignInError(
        "the name or the password is wrong, or the account is locked",
        what_to_do=f"After {server.failures} failures an account is locked for {server.lock_min:g} minutes.",
    )
