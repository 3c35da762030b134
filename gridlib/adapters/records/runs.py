"""Ingested files, findings, runs of the stages and the risk they found."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, NamedTuple

import pandas as pd
import sqlalchemy as sa
from sqlalchemy import Connection

from gridlib.adapters import tables as t
from gridlib.adapters.records.network import read_newest_states
from gridlib.adapters.records.pages import after_key
from gridlib.adapters.store import parse_utc, utc_text
from gridlib.facts.errors import NotFoundError
from gridlib.facts.types import RiskLevel

_RUN_ORDER: list[Any] = [t.run.c.issued_at, t.run.c.started_at, t.run.c.run_id]


@dataclass(frozen=True)
class StageRecord:
    """A finished stage: what it counted and how long it took [s]."""

    counts: Mapping[str, int]
    seconds: float


@dataclass(frozen=True)
class RunRecord:
    """One run of the stages over one state of the data."""

    run_id: str
    issued_at: pd.Timestamp
    started_at: pd.Timestamp
    started_by: str
    stages: Mapping[str, StageRecord]


def ingest_ids(connection: Connection, kind: str) -> list[str]:
    """List the committed ingests of a kind, oldest first."""
    query = (
        sa.select(t.ingest_file.c.ingest_id).where(t.ingest_file.c.kind == kind).order_by(t.ingest_file.c.seq)
    )
    return list(connection.scalars(query))


def all_ingest_ids(connection: Connection) -> list[str]:
    """List every committed ingest, oldest first."""
    return list(connection.scalars(sa.select(t.ingest_file.c.ingest_id).order_by(t.ingest_file.c.seq)))


def earlier_rejects(connection: Connection, sha256: str) -> list[int]:
    """List the rows left out by each committed ingest of one content, oldest first.

    Empty where it was never ingested; where a new reading leaves out fewer than the last one did, the same
    file holds more than is known.
    """
    query = (
        sa.select(t.ingest_file.c.rejects)
        .where(t.ingest_file.c.sha256 == sha256)
        .order_by(t.ingest_file.c.seq)
    )
    return list(connection.scalars(query))


def save_ingest(connection: Connection, row: Mapping[str, Any]) -> None:
    """Add an ingest to the ledger; from here on readers see its rows."""
    connection.execute(t.ingest_file.insert().values(dict(row)))


def read_ledger(connection: Connection) -> pd.DataFrame:
    """Read the ledger of ingested files, oldest first."""
    columns = [c for c in t.ingest_file.c if c.name != "seq"]
    query = sa.select(*columns).order_by(t.ingest_file.c.seq)
    return pd.DataFrame(connection.execute(query).all(), columns=[c.name for c in columns])


def last_reading(connection: Connection) -> pd.Timestamp | None:
    """Newest time of any ingested load reading."""
    query = sa.select(sa.func.max(t.ingest_file.c.last_time)).where(t.ingest_file.c.kind == "load")
    text = connection.scalar(query)
    return None if text is None else parse_utc(text)


def save_findings(connection: Connection, source_id: str, stage: str, findings: pd.DataFrame) -> None:
    """Keep findings (`FindingFrame`) of a run or an ingest."""
    rows = [
        {
            "source_id": source_id,
            "stage": stage,
            **{name: row[name] for name in ("object_id", "code", "message")},
            "first": None if pd.isna(row["first"]) else utc_text(row["first"]),
            "last": None if pd.isna(row["last"]) else utc_text(row["last"]),
            "count": int(row["count"]),
        }
        for row in findings.to_dict("records")
    ]
    if rows:
        connection.execute(t.finding.insert(), rows)


def read_findings(
    connection: Connection, source_ids: Iterable[str], *, after: int = 0, limit: int | None = None
) -> pd.DataFrame:
    """Read the findings of runs or ingests, with ``finding_id``, ``source_id`` and ``stage``.

    At most ``limit`` of them, behind the one numbered ``after``.
    """
    columns = list(t.finding.c)
    query = (
        sa.select(*columns)
        .where(t.finding.c.source_id.in_(list(source_ids)), t.finding.c.finding_id > after)
        .order_by(t.finding.c.finding_id)
        .limit(limit)
    )
    frame = pd.DataFrame(connection.execute(query).all(), columns=[c.name for c in columns])
    for name in ("first", "last"):
        frame[name] = pd.to_datetime(frame[name], utc=True, format="ISO8601")
    return frame


def read_run(connection: Connection, run_id: str = "", *, stage: str = "") -> RunRecord:
    """Read a run by id, or the newest one that has finished ``stage``."""
    wanted = run_id or newest_run_id(connection, stage=stage)
    row = connection.execute(sa.select(t.run).where(t.run.c.run_id == wanted)).first()
    if row is None:
        raise NotFoundError(
            "run", run_id or f"newest with stage {stage}", what_to_do="Run the stages first: 'gridlib run'."
        )
    stages = connection.execute(sa.select(t.stage_run).where(t.stage_run.c.run_id == row.run_id))
    return RunRecord(
        row.run_id,
        parse_utc(row.issued_at),
        parse_utc(row.started_at),
        row.started_by,
        {s.stage: StageRecord(s.counts, s.seconds) for s in stages},
    )


def newest_run_ids(
    connection: Connection,
    *,
    stage: str,
    limit: int,
    issued_by: pd.Timestamp | None = None,
    issued_before: pd.Timestamp | None = None,
) -> list[str]:
    """Name the newest runs that finished a stage, newest first.

    Newest is what was said last: of the latest ``issued_at``, then of the latest start. ``issued_by`` counts
    runs issued at that moment, ``issued_before`` does not.
    """
    query = (
        sa.select(t.run.c.run_id)
        .join(t.stage_run, t.stage_run.c.run_id == t.run.c.run_id)
        .where(t.stage_run.c.stage == stage)
        .order_by(*(column.desc() for column in _RUN_ORDER))
        .limit(limit)
    )
    if issued_by is not None:
        query = query.where(t.run.c.issued_at <= utc_text(issued_by))
    if issued_before is not None:
        query = query.where(t.run.c.issued_at < utc_text(issued_before))
    return list(connection.scalars(query))


def newest_run_id(connection: Connection, *, stage: str, issued_by: pd.Timestamp | None = None) -> str | None:
    """Name the newest run that finished a stage, or None."""
    return next(iter(newest_run_ids(connection, stage=stage, limit=1, issued_by=issued_by)), None)


def save_run(connection: Connection, row: Mapping[str, Any]) -> None:
    """Add a run."""
    connection.execute(t.run.insert().values(dict(row)))


def save_stage(connection: Connection, row: Mapping[str, Any]) -> None:
    """Write down that a stage of a run has finished."""
    connection.execute(t.stage_run.insert().values(dict(row)))


def data_digest(connection: Connection, network_digest: str) -> str:
    """Compute the digest of all that a run can see: ledger of ingests, network and switch states."""
    states = read_newest_states(connection).to_json(orient="values", date_format="iso", date_unit="us")
    seen = ":".join([*all_ingest_ids(connection), network_digest, states])
    return sha256(seen.encode()).hexdigest()


def read_risk_ranked(
    connection: Connection,
    run_id: str,
    *,
    levels: Iterable[RiskLevel] = (),
    transformer_id: str = "",
    after: str = "",
    limit: int | None = None,
) -> list[dict[str, Any]]:
    """Risk rows of a run, imminent ones first, then the riskiest; at most ``limit`` behind a transformer."""
    of_run = t.risk.c.run_id == run_id
    name = t.risk.c.transformer_id
    keys: list[sa.ColumnElement[Any]] = [sa.case((t.risk.c.imminent, 0), else_=1), -t.risk.c.risk_score, name]
    query = sa.select(t.risk.c.row).where(of_run).order_by(*keys).limit(limit)
    if wanted := [str(level) for level in levels]:
        query = query.where(t.risk.c.risk_level.in_(wanted))
    if transformer_id:
        query = query.where(name == transformer_id)
    if after:
        query = query.where(after_key(connection, "assessed transformer", keys, name, after, among=of_run))
    return list(connection.scalars(query))


def save_risk(connection: Connection, run_id: str, risk: pd.DataFrame) -> None:
    """Keep the risk table of a run."""
    rows = json.loads(risk.to_json(orient="records", date_format="iso", double_precision=15))
    for row, imminent in zip(rows, risk["imminent"], strict=True):
        row["imminent"] = bool(imminent)
    if rows:
        connection.execute(
            t.risk.insert(),
            [
                {
                    "run_id": run_id,
                    **{k: row[k] for k in ("transformer_id", "risk_score", "risk_level", "imminent")},
                    "row": row,
                }
                for row in rows
            ],
        )


def read_risk(connection: Connection, run_id: str, transformer_id: str = "") -> list[dict[str, Any]]:
    """Risk rows of a run as stored."""
    query = sa.select(t.risk.c.row).where(t.risk.c.run_id == run_id)
    if transformer_id:
        query = query.where(t.risk.c.transformer_id == transformer_id)
    return list(connection.scalars(query))


class StoreVersion(NamedTuple):
    """Names the newest scored run, the files taken in, the reported switch states, and the plans.

    Two moments with the same version show the same to whoever reads runs, network and open plans.
    """

    run_id: str
    files: str
    states: str
    plans: str
    decisions: str

    def same_inputs(self, other: "StoreVersion") -> bool:
        """Tell whether another has the same run, readings and network tables."""
        return (self.run_id, self.files) == (other.run_id, other.files)


def store_version(connection: Connection) -> StoreVersion:
    """Name the state of the store, cheaply."""
    counts = (
        sa.select(sa.func.max(t.ingest_file.c.seq)),
        sa.select(sa.func.max(t.switch_state.c.state_id)),
        sa.select(sa.func.count(t.plan.c.plan_id)),
        sa.select(sa.func.sum(t.plan.c.rev)),
    )
    run_id = newest_run_id(connection, stage="risk") or ""
    return StoreVersion(run_id, *(str(connection.scalar(query)) for query in counts))
