"""The life of an alert: it is raised, seen or shelved by a person, comes back when it gets worse, and clears.

One transformer at MEDIUM or HIGH has one alert, however many runs find it there again. A person who has
acknowledged or shelved it is called again only on escalation, or when the time on the shelf is over.

References
----------
EEMUA 191, Alarm systems: a guide to design, management and procurement, 3rd edition, 2013.
ANSI/ISA-18.2-2016, Management of alarm systems for the process industries: states of an alarm, shelving.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

import pandas as pd

from gridlib.facts.types import RiskLevel

IMMINENCE_H = 24
"""Hours that rule R0 looks ahead; imminence that was seen is forgotten once as many pass without it [h]."""

_ORDER = tuple(RiskLevel)


class AlertEvent(StrEnum):
    """What happens to an alert; the first four come from a run, the rest from people and time."""

    RAISED = "RAISED"
    ESCALATED = "ESCALATED"
    EASED = "EASED"
    CLEARED = "CLEARED"
    ACKNOWLEDGED = "ACKNOWLEDGED"
    SHELVED = "SHELVED"
    UNSHELVED = "UNSHELVED"
    SHELF_OVER = "SHELF_OVER"


@dataclass(frozen=True)
class Alert:
    """A transformer at MEDIUM or HIGH risk, and what people have done about it.

    Attributes
    ----------
    since : Timestamp
        When it was raised.
    called_at : Timestamp
        Since when it calls for a person: raised, escalated, or back from the shelf.
    escalated : bool
        It got worse since it was raised or since a person saw it, and nobody has seen that yet.
    imminent_at : Timestamp or None
        Issue of the newest run in which it was imminent, if less than `IMMINENCE_H` have passed since.
    seen_level, seen_imminent : RiskLevel or None, bool
        As what a person set it aside; no more than it was since. None: nobody has.
    rev : int
        Grows with every event.
    """

    transformer_id: str
    risk_level: RiskLevel
    imminent: bool
    since: pd.Timestamp
    called_at: pd.Timestamp
    escalated: bool = False
    imminent_at: pd.Timestamp | None = None
    seen_level: RiskLevel | None = None
    seen_imminent: bool = False
    acknowledged_by: str | None = None
    acknowledged_at: pd.Timestamp | None = None
    shelved_by: str | None = None
    shelved_until: pd.Timestamp | None = None
    shelved_reason: str = ""
    rev: int = 0

    @property
    def waits(self) -> bool:
        """Whether it calls for a person: neither acknowledged nor shelved."""
        return self.acknowledged_by is None and self.shelved_by is None


def raise_alert(
    transformer_id: str, level: RiskLevel, *, imminent: bool, issued_at: pd.Timestamp, at: pd.Timestamp
) -> Alert:
    """Make the alert of a transformer that has none."""
    return Alert(transformer_id, level, imminent, at, at, imminent_at=issued_at if imminent else None)


def follow(
    alert: Alert, level: RiskLevel, *, imminent: bool, issued_at: pd.Timestamp, at: pd.Timestamp
) -> tuple[Alert, AlertEvent | None]:
    """Carry an alert on to what a new run found.

    Parameters
    ----------
    alert : Alert
        As it stands, back from the shelf if its time is over (`off_the_shelf`).
    level : RiskLevel
        MEDIUM or HIGH.
    imminent : bool
        Rule R0 applies.
    issued_at : Timestamp
        First hour of the run's forecast.
    at : Timestamp
        Real time.

    Returns
    -------
    Alert
        As it stands now; unacknowledged and off the shelf if it escalated.
    AlertEvent or None
        ESCALATED when the level rose, or became imminent, above what it was or was seen as; EASED when the
        level fell; None otherwise.
    """
    over = alert.imminent_at is None or issued_at - alert.imminent_at >= pd.Timedelta(hours=IMMINENCE_H)
    known_imminent = (alert.seen_level is None or alert.seen_imminent) and not over
    known = alert.risk_level if alert.seen_level is None else alert.seen_level
    now = replace(
        alert,
        risk_level=level,
        imminent=imminent,
        imminent_at=issued_at if imminent else None if over else alert.imminent_at,
        seen_imminent=alert.seen_imminent and not over,
    )
    if _rank(level) > _rank(known) or (imminent and not known_imminent):
        return _calling(replace(now, escalated=True, rev=alert.rev + 1), at), AlertEvent.ESCALATED
    if alert.seen_level is not None:
        now = replace(now, seen_level=min(alert.seen_level, level, key=_rank))
    if _rank(level) < _rank(alert.risk_level):
        return replace(now, rev=alert.rev + 1), AlertEvent.EASED
    return now, None


def acknowledge(alert: Alert, by: str, at: pd.Timestamp) -> Alert:
    """Set an alert aside as seen by a person, off the shelf where it was on it."""
    return replace(_seen(_calling(alert, alert.called_at)), acknowledged_by=by, acknowledged_at=at)


def shelve(alert: Alert, by: str, until: datetime, reason: str) -> Alert:
    """Set an alert aside until a given time; then it has to be acknowledged."""
    kept = _seen(_calling(alert, alert.called_at))
    return replace(kept, shelved_by=by, shelved_until=pd.Timestamp(until), shelved_reason=reason)


def unshelve(alert: Alert, at: pd.Timestamp) -> Alert:
    """Take an alert off the shelf; it calls again."""
    return replace(_calling(alert, at), rev=alert.rev + 1)


def off_the_shelf(alert: Alert, now: datetime) -> Alert:
    """Return an alert as it is now: if its time on the shelf is over, it calls since then."""
    if alert.shelved_until is None or alert.shelved_until > now:
        return alert
    return unshelve(alert, alert.shelved_until)


def _seen(alert: Alert) -> Alert:
    return replace(
        alert,
        seen_level=alert.risk_level,
        seen_imminent=alert.imminent_at is not None,
        escalated=False,
        rev=alert.rev + 1,
    )


def _calling(alert: Alert, at: pd.Timestamp) -> Alert:
    return replace(
        alert,
        called_at=at,
        seen_level=None,
        seen_imminent=False,
        acknowledged_by=None,
        acknowledged_at=None,
        shelved_by=None,
        shelved_until=None,
        shelved_reason="",
    )


def _rank(level: RiskLevel) -> int:
    return _ORDER.index(level)
