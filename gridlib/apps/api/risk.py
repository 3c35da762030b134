"""Risk of the transformers, and the alerts it raises."""

from typing import Any

import pandas as pd
from pydantic import Field

from gridlib.apps.api.fields import (
    Body,
    Line,
    MaybeUtc,
    Moment,
    Name,
    Number,
    Page,
    PageQuery,
    Sentence,
    Utc,
    View,
)
from gridlib.apps.api.operation import Answer, Call, Operation
from gridlib.apps.api.pages import cut
from gridlib.domain.alerts import AlertEvent
from gridlib.facts.types import RiskLevel, Role
from gridlib.workflow import decisions, listings, queries


class AssessmentsQuery(PageQuery):
    """Which assessments."""

    run_id: Name | None = Field(default=None, description="The run; without it, the newest one.")
    as_of: Moment | None = Field(default=None, description="The newest run that was issued by then.")
    level: list[RiskLevel] = Field(default=[], description="Only these levels.")
    transformer_id: Name | None = Field(default=None, description="Only this transformer.")


class AssessmentView(View):
    """Risk of one transformer; ``risk_score = 0.6 overload + 0.2 thermal + 0.2 cascading``."""

    transformer_id: str
    risk_score: float = Field(ge=0, le=1)
    risk_level: RiskLevel
    imminent: bool = Field(description="Over its limit now or likely within 24 h.")
    raised_by: str = Field(description="Rules that raised the level above the score; may be empty.")
    overload: float
    thermal: float
    cascading: float
    rating_kva: float
    peak_pct_p50: float
    peak_pct_p90: float
    peak_time: Utc
    hours_over: int
    first_over: MaybeUtc
    p_any_1_24: float
    p_any_24_72: float
    p_any_1_72: float
    hot_spot_c_max: Number
    hot_spot_c_max_p90: Number
    loss_of_life_d: Number
    cyclic_rating_kva: Number
    limit_kva: Number
    limit_by: str
    confidence: Number
    reasons: list[str]


class AssessmentPage(Page[AssessmentView]):
    """Assessments of one run."""

    run_id: str
    issued_at: Utc


class AlertView(View):
    """A transformer at MEDIUM or HIGH risk, and what people have done about it."""

    transformer_id: str
    risk_level: RiskLevel
    imminent: bool
    since: Utc
    called_at: Utc = Field(description="Since when it calls for a person.")
    waits: bool = Field(description="Neither acknowledged nor shelved.")
    escalated: bool
    acknowledged_by: str | None
    acknowledged_at: MaybeUtc
    shelved_by: str | None
    shelved_until: MaybeUtc
    shelved_reason: str
    rev: int


class AlertEventView(View):
    """What happened to the alerts of a transformer."""

    time: Utc
    event: AlertEvent
    risk_level: RiskLevel
    imminent: bool
    by: str = Field(description="A person, or the run.")
    note: str


class AlertsQuery(PageQuery):
    """Which alerts."""

    level: list[RiskLevel] = Field(default=[], description="Only these levels.")


class Acknowledgement(Body):
    """That somebody has seen an alert."""

    note: Line = Field(default="", description="A remark.")


class Shelving(Body):
    """That an alert need not call for some hours."""

    reason: Sentence
    until: Moment = Field(description="With its offset; at most as far away as the site's settings say.")


def list_assessments(call: Call[AssessmentsQuery, None]) -> Answer:
    """List the risk of all transformers of a run: imminent ones first, then by score."""
    query, workbench = call.query, call.workbench
    if query.run_id is None and query.as_of is not None:
        run = queries.get_run_as_of(workbench, query.as_of)
    else:
        run = queries.get_run(workbench, query.run_id or "", stage="risk")
    found = listings.list_risk(
        workbench,
        run.run_id,
        levels=query.level,
        transformer_id=query.transformer_id or "",
        after=query.after or "",
        limit=query.limit + 1,
    )
    shown, after = cut(found, query.limit, lambda row: str(row["transformer_id"]))
    page = AssessmentPage(
        run_id=run.run_id,
        issued_at=run.issued_at,
        items=[AssessmentView.model_validate(row) for row in shown],
        next=call.next_page(after, run_id=run.run_id),
    )
    return Answer(page)


def list_alerts(call: Call[AlertsQuery, None]) -> Answer:
    """List the alerts that stand, by transformer."""
    query = call.query
    alerts = sorted(queries.get_alerts(call.workbench), key=lambda alert: alert.transformer_id)
    names = query.after or ""
    found = [
        a for a in alerts if a.transformer_id > names and (not query.level or a.risk_level in query.level)
    ]
    shown, after = cut(found, query.limit, lambda alert: alert.transformer_id)
    return Answer(
        Page[AlertView](items=[AlertView.model_validate(a) for a in shown], next=call.next_page(after))
    )


def list_alert_history(call: Call[Any, None]) -> Answer:
    """List what happened to the alerts of a transformer, newest first."""
    history: pd.DataFrame = queries.get_alert_history(call.workbench, call.names["transformer_id"])
    rows = [AlertEventView.model_validate(row) for row in history.to_dict("records")]
    return Answer(Page[AlertEventView](items=rows, next=None))


def acknowledge_alert(call: Call[Any, Acknowledgement]) -> Answer:
    """Say that an alert has been seen; it comes back when it gets worse."""
    name = call.names["transformer_id"]
    alert = decisions.acknowledge(call.workbench, name, by=call.username, note=call.body.note, rev=call.rev)
    return Answer(AlertView.model_validate(alert), rev=alert.rev)


def shelve_alert(call: Call[Any, Shelving]) -> Answer:
    """Set an alert aside until a given time; it comes back before if it gets worse."""
    alert = decisions.shelve(
        call.workbench,
        call.names["transformer_id"],
        by=call.username,
        reason=call.body.reason,
        until=call.body.until,
        rev=call.rev,
    )
    return Answer(AlertView.model_validate(alert), rev=alert.rev)


def unshelve_alert(call: Call[Any, None]) -> Answer:
    """Take an alert off the shelf; it calls again."""
    alert = decisions.unshelve(call.workbench, call.names["transformer_id"], by=call.username, rev=call.rev)
    return Answer(AlertView.model_validate(alert), rev=alert.rev)


_ALERT = "/api/risk/alerts/{transformer_id}/"
_SEEN: dict[str, Any] = {"answer": AlertView, "role": Role.OPERATOR, "versioned": True}

OPERATIONS = (
    Operation("GET", "/api/risk/assessments/", list_assessments, AssessmentPage, query=AssessmentsQuery),
    Operation("GET", "/api/risk/alerts/", list_alerts, Page[AlertView], query=AlertsQuery),
    Operation("GET", f"{_ALERT}history/", list_alert_history, Page[AlertEventView]),
    Operation("POST", f"{_ALERT}acknowledge/", acknowledge_alert, body=Acknowledgement, **_SEEN),
    Operation("POST", f"{_ALERT}shelve/", shelve_alert, body=Shelving, **_SEEN),
    Operation("POST", f"{_ALERT}unshelve/", unshelve_alert, **_SEEN),
)
