"""Ingested files, findings, runs of the stages and the risk they found."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import pandas as pd
import sqlalchemy as sa
from sqlalchemy import Connection

from gridlib.adapters import tables as t
from gridlib.adapters.store import parse_utc, utc_text
from gridlib.facts.errors import NotFoundError


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


def was_ingested(connection: Connection, ingest_id: str) -> bool:
    """Tell whether the ledger holds an ingest."""
    query = sa.select(t.ingest_file.c.seq).where(t.ingest_file.c.ingest_id == ingest_id)
    return connection.execute(query).first() is not None


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


def read_findings(connection: Connection, source_ids: Iterable[str]) -> pd.DataFrame:
    """Read the findings of runs or ingests, with ``source_id`` and ``stage``."""
    columns = [c for c in t.finding.c if c.name != "finding_id"]
    query = (
        sa.select(*columns)
        .where(t.finding.c.source_id.in_(list(source_ids)))
        .order_by(t.finding.c.finding_id)
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
    connection: Connection, *, stage: str, limit: int, issued_by: pd.Timestamp | None = None
) -> list[str]:
    """Name the newest runs that finished a stage, newest first."""
    query = (
        sa.select(t.run.c.run_id)
        .join(t.stage_run, t.stage_run.c.run_id == t.run.c.run_id)
        .where(t.stage_run.c.stage == stage)
        .order_by(t.run.c.started_at.desc(), t.run.c.run_id.desc())
        .limit(limit)
    )
    if issued_by is not None:
        query = query.where(t.run.c.issued_at <= utc_text(issued_by))
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
    """Compute the digest of all that a run can see: the ledger of ingests and the network."""
    seen = ":".join([*all_ingest_ids(connection), network_digest])
    return sha256(seen.encode()).hexdigest()


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


def save_acknowledgement(
    connection: Connection,
    run_id: str,
    row: Mapping[str, Any],
    *,
    by: str,
    at: pd.Timestamp,
    note: str,
) -> None:
    """Write down that a person has seen the risk of a transformer."""
    connection.execute(
        t.acknowledgement.insert().values(
            run_id=run_id,
            transformer_id=row["transformer_id"],
            risk_level=row["risk_level"],
            acknowledged_by=by,
            acknowledged_at=utc_text(at),
            note=note,
        )
    )


def acknowledged(connection: Connection, run_id: str) -> dict[str, str]:
    """Map the acknowledged transformers of a run to who has seen them."""
    query = sa.select(t.acknowledgement).where(t.acknowledgement.c.run_id == run_id)
    return {r.transformer_id: r.acknowledged_by for r in connection.execute(query)}


def unacknowledged(connection: Connection, run_id: str) -> list[str]:
    """List the HIGH transformers of a run that nobody has acknowledged yet."""
    seen = acknowledged(connection, run_id)
    query = (
        sa.select(t.risk.c.transformer_id)
        .where(t.risk.c.run_id == run_id, t.risk.c.risk_level == "HIGH")
        .order_by(t.risk.c.risk_score.desc())
    )
    return [name for name in connection.scalars(query) if name not in seen]
