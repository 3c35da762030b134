"""Alerts of the fleet, carried from run to run."""

import pandas as pd

from gridlib.adapters.records import alerts as alert_records
from gridlib.adapters.records import runs
from gridlib.adapters.records.runs import RunRecord
from gridlib.domain.alerts import Alert, AlertEvent, follow, off_the_shelf, raise_alert
from gridlib.facts.types import RiskLevel
from gridlib.workflow.audit import Intention


def follow_risk(act: Intention, run: RunRecord, risk: pd.DataFrame) -> None:
    """Carry all alerts on to the risk table of a run, inside its transaction.

    A replay, a run issued before the newest one, leaves them as they are; so does a run the alerts of
    transformers that it could not assess.
    """
    newest = runs.newest_run_id(act.connection, stage="risk")
    if newest is not None and runs.read_run(act.connection, newest).issued_at > run.issued_at:
        return
    standing = {alert.transformer_id: alert for alert in alert_records.read_alerts(act.connection)}
    kept: list[Alert] = []
    cleared: list[str] = []
    events: list[tuple[Alert, AlertEvent, str]] = []
    rows = zip(risk["transformer_id"], risk["risk_level"], risk["imminent"], strict=True)
    for name, word, imminent in rows:
        level, before = RiskLevel(word), standing.get(name)
        if before is None:
            if level is not RiskLevel.LOW:
                alert = raise_alert(name, level, imminent=bool(imminent), issued_at=run.issued_at, at=act.at)
                kept.append(alert)
                events.append((alert, AlertEvent.RAISED, ""))
            continue
        awake = off_the_shelf(before, act.at)
        if awake is not before:
            events.append((awake, AlertEvent.SHELF_OVER, ""))
        if level is RiskLevel.LOW:
            cleared.append(name)
            events.append((awake, AlertEvent.CLEARED, ""))
            continue
        alert, event = follow(awake, level, imminent=bool(imminent), issued_at=run.issued_at, at=act.at)
        if alert != before:
            kept.append(alert)
        if event is not None:
            events.append((alert, event, ""))
    alert_records.remove_alerts(act.connection, cleared)
    alert_records.save_alerts(act.connection, kept)
    alert_records.add_alert_events(act.connection, events, actor=run.run_id, at=act.at)
