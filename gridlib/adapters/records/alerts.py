"""Alerts as they stand, and all that ever happened to them."""

from collections.abc import Iterable, Sequence
from dataclasses import fields
from datetime import datetime
from typing import Any

import pandas as pd
import sqlalchemy as sa
from sqlalchemy import Connection

from gridlib.adapters import tables as t
from gridlib.adapters.store import parse_utc, utc_text
from gridlib.domain.alerts import Alert, AlertEvent
from gridlib.facts.types import RiskLevel

_TIMES = ("raised_at", "called_at", "imminent_at", "acknowledged_at", "shelved_until")


def read_alerts(connection: Connection, transformer_id: str = "") -> list[Alert]:
    """Read the alerts that stand, by transformer; as last written, so the time on a shelf may be over."""
    query = sa.select(t.alert).order_by(t.alert.c.transformer_id)
    if transformer_id:
        query = query.where(t.alert.c.transformer_id == transformer_id)
    return [_as_alert(dict(row)) for row in connection.execute(query).mappings()]


def _as_alert(row: dict[str, Any]) -> Alert:
    moments = {name: row[name] and parse_utc(row[name]) for name in _TIMES}
    levels = {name: row[name] and RiskLevel(row[name]) for name in ("risk_level", "seen_level")}
    values = {**row, **moments, **levels, "since": moments["raised_at"]}
    return Alert(**{field.name: values[field.name] for field in fields(Alert)})


def save_alerts(connection: Connection, alerts: Iterable[Alert]) -> None:
    """Write alerts in place of what is known of their transformers."""
    kept = list(alerts)
    remove_alerts(connection, [alert.transformer_id for alert in kept])
    if rows := [_as_row(alert) for alert in kept]:
        connection.execute(t.alert.insert(), rows)


def _as_row(alert: Alert) -> dict[str, Any]:
    values = {field.name: getattr(alert, field.name) for field in fields(Alert)}
    values["raised_at"] = values.pop("since")
    moments = {name: None if values[name] is None else utc_text(values[name]) for name in _TIMES}
    levels = {name: values[name] and str(values[name]) for name in ("risk_level", "seen_level")}
    return {**values, **moments, **levels}


def remove_alerts(connection: Connection, transformer_ids: Sequence[str]) -> None:
    """Take alerts away; what happened to them stays."""
    if transformer_ids:
        name: sa.BindParameter[str] = sa.bindparam("name")
        rows = [{"name": transformer_id} for transformer_id in transformer_ids]
        connection.execute(t.alert.delete().where(t.alert.c.transformer_id == name), rows)


def add_alert_events(
    connection: Connection,
    events: Iterable[tuple[Alert, AlertEvent, str]],
    *,
    actor: str,
    at: datetime,
) -> None:
    """Append what happened to alerts; each with a note that may be empty."""
    rows = [
        {
            "transformer_id": alert.transformer_id,
            "time": utc_text(at),
            "event": str(event),
            "risk_level": str(alert.risk_level),
            "imminent": alert.imminent,
            "actor": actor,
            "note": note,
        }
        for alert, event, note in events
    ]
    if rows:
        connection.execute(t.alert_event.insert(), rows)


def read_alert_events(
    connection: Connection, transformer_id: str, *, limit: int | None = None
) -> pd.DataFrame:
    """Read what happened to the alerts of a transformer, newest first.

    Returns
    -------
    DataFrame
        time (UTC), event, risk_level, imminent, by, note.
    """
    events = t.alert_event
    query = (
        sa.select(events)
        .where(events.c.transformer_id == transformer_id)
        .order_by(events.c.alert_event_id.desc())
        .limit(limit)
    )
    rows = [
        (parse_utc(r.time), r.event, r.risk_level, bool(r.imminent), r.actor, r.note)
        for r in connection.execute(query)
    ]
    return pd.DataFrame(rows, columns=["time", "event", "risk_level", "imminent", "by", "note"])
