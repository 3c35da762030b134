"""The audit trail: every intention of a person or a schedule is one transaction and one row.

A refused attempt is a row too, written after its transaction was rolled back.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd
from sqlalchemy import Connection

from gridlib.adapters import chain
from gridlib.adapters.records import people
from gridlib.domain.lifecycle import NOBODY, ROLE_FOR_ACTION, SYSTEM
from gridlib.facts.errors import AuditError, GridlibError, RoleError
from gridlib.workbench import Workbench

CHECKPOINT = "audit.checkpoint"
SIGN_IN = "user.sign_in"


@dataclass
class Intention:
    """What is being done: the open transaction and the facts for its audit row.

    ``told`` is set to False where many alike are counted and only some of them get a row.
    """

    connection: Connection
    actor: str
    at: pd.Timestamp
    object: str
    facts: dict[str, Any] = field(default_factory=dict)
    outcome: str = "done"
    told: bool = True


@contextmanager
def intention(workbench: Workbench, actor: str, action: str, obj: str) -> Iterator[Intention]:
    """Do one thing in one transaction with one audit row.

    Parameters
    ----------
    workbench : Workbench
        The workspace.
    actor : str
        User name, ``SYSTEM``, or ``NOBODY`` for a sign-in that failed.
    action : str
        For example "plan.approve"; `ROLE_FOR_ACTION` says who may.
    obj : str
        What it is done to; may be replaced on the intention once its name is known.

    Yields
    ------
    Intention
        With the connection to use and ``facts`` to fill.

    Raises
    ------
    RoleError, NotFoundError, GridlibError
        What the rules refuse; the attempt is audited with its code.
    """
    act: Intention | None = None
    try:
        with workbench.store.write() as connection:
            act = Intention(connection, actor, workbench.clock(), obj)
            roles = _authorise(connection, actor, action)
            yield act
            if act.told:
                _append(act, action, roles, act.outcome)
    except GridlibError as error:
        facts = {"message": str(error), **(act.facts if act else {})}
        with workbench.store.write() as connection:
            refused = Intention(connection, actor, workbench.clock(), act.object if act else obj, facts)
            _append(refused, action, _roles(connection, actor), f"refused:{error.code}")
        raise


def _authorise(connection: Connection, actor: str, action: str) -> str:
    needed = ROLE_FOR_ACTION.get(action)
    if actor == SYSTEM:
        if needed is not None:
            raise RoleError(actor, str(needed))
        return SYSTEM
    if actor == NOBODY and action == SIGN_IN:
        return ""
    user = people.read_user(connection, actor)
    if needed is not None and needed not in user.roles:
        raise RoleError(actor, str(needed))
    return " ".join(user.roles)


def _roles(connection: Connection, actor: str) -> str:
    known = {user.username: user for user in people.read_users(connection)}
    return " ".join(known[actor].roles) if actor in known else ""


def _append(act: Intention, action: str, roles: str, outcome: str) -> None:
    chain.append_event(
        act.connection,
        time=act.at,
        actor=act.actor,
        roles=roles,
        action=action,
        object=act.object,
        outcome=outcome,
        payload=act.facts,
    )


def checkpoint(workbench: Workbench) -> None:
    """Sign the head of the chain into the checkpoint file, after a row that says so."""
    if not workbench.checkpoint_path.exists():
        with workbench.store.read() as connection:
            _refuse_missing_checkpoints(workbench, connection)
    key = chain.ensure_key(workbench.key_path)
    with intention(workbench, SYSTEM, CHECKPOINT, workbench.checkpoint_path.name) as act:
        act.facts["key"] = chain.fingerprint(key.public_key())
    with workbench.store.read() as connection:
        chain.append_checkpoint(workbench.checkpoint_path, key, connection)


@dataclass(frozen=True)
class AuditVerdict:
    """How many rows hold, and how many signed checkpoints they were held against."""

    rows: int
    checkpoints: int


def verify(workbench: Workbench) -> AuditVerdict:
    """Check every row of the trail and every signed checkpoint.

    Raises
    ------
    AuditError
        Naming the first broken row.
    """
    with workbench.store.read() as connection:
        rows = chain.verify_chain(connection)
        if not workbench.checkpoint_path.exists():
            _refuse_missing_checkpoints(workbench, connection)
            return AuditVerdict(rows, 0)
        key = chain.read_key(workbench.key_path).public_key()
        return AuditVerdict(rows, chain.verify_checkpoints(connection, workbench.checkpoint_path, key))


def _refuse_missing_checkpoints(workbench: Workbench, connection: Connection) -> None:
    events = chain.read_events(connection)
    signed = events.loc[events["action"] == CHECKPOINT, "seq"]
    if len(signed):
        raise AuditError(
            int(signed.iloc[0]),
            f"its checkpoint file {workbench.checkpoint_path} is missing; restore its copy",
        )


def last_events(workbench: Workbench, limit: int) -> pd.DataFrame:
    """Read the newest rows of the trail, newest first."""
    with workbench.store.read() as connection:
        return chain.read_events(connection, limit=limit).iloc[::-1].reset_index(drop=True)


def export(workbench: Workbench, path: Path, *, actor: str = SYSTEM) -> int:
    """Write the trail to a CSV or JSON Lines file; the export itself is audited.

    Returns
    -------
    int
        Rows written.
    """
    with intention(workbench, actor, "audit.export", path.name) as act:
        act.facts["rows"] = rows = chain.write_events(act.connection, path)
    return rows
