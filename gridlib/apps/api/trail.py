"""The audit trail: search, verify, export."""

import tempfile
from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from gridlib.apps.api.fields import Line, Moment, Name, Page, PageQuery, Query, Utc, View
from gridlib.apps.api.operation import Answer, Call, Download, Operation
from gridlib.apps.api.pages import cut
from gridlib.facts.errors import AuditError
from gridlib.workflow import audit, listings

_MEDIA = {"csv": "text/csv", "jsonl": "application/jsonl"}


class EventView(View):
    """One row of the trail."""

    seq: int
    time: Utc
    actor: str
    roles: str
    action: str
    object: str
    outcome: str = Field(description="done, or refused:<code>.")
    payload: dict[str, Any] = Field(description="The facts of the action.")
    prev_hash: str
    hash: str


class EventsQuery(PageQuery):
    """Which rows."""

    actor: Line | None = Field(default=None, description="Only by this user.")
    action: Line | None = Field(default=None, description="Only this action, for example plan.approve.")
    object: Name | None = Field(default=None, description="Only on this object.")
    time_from: Moment | None = Field(default=None, description="At this time or later.")
    time_to: Moment | None = Field(default=None, description="Before this time.")
    after: int | None = Field(
        default=None, ge=1, le=2_147_483_647, description="Number of the last row seen."
    )  # type: ignore[assignment]


class VerdictView(View):
    """Whether the trail holds."""

    holds: bool
    rows: int = Field(description="How many rows hold.")
    checkpoints: int = Field(description="Signed checkpoints they were held against.")
    message: str = Field(description="What is wrong and what to do; else empty.")


class ExportQuery(Query):
    """In which form."""

    format: Literal["csv", "jsonl"] = Field(default="csv", description="For people, or exact for programs.")


def list_events(call: Call[EventsQuery, None]) -> Answer:
    """List rows of the trail, oldest first."""
    query = call.query
    found = listings.list_events(
        call.workbench,
        actor=query.actor or "",
        action=query.action or "",
        object=query.object or "",
        since=query.time_from,
        until=query.time_to,
        after=query.after or 0,
        limit=query.limit + 1,
    )
    shown, after = cut(found, query.limit, lambda row: int(row["seq"]))
    items = [EventView.model_validate(row) for row in shown]
    return Answer(Page[EventView](items=items, next=call.next_page(after)))


def verify_trail(call: Call[Any, None]) -> Answer:
    """Check every row of the trail and every signed checkpoint."""
    try:
        found = audit.verify(call.workbench)
    except AuditError as error:
        said = f"{str(error).rstrip('.')}. {error.what_to_do}"
        return Answer(VerdictView(holds=False, rows=max(error.seq - 1, 0), checkpoints=0, message=said))
    return Answer(VerdictView(holds=True, rows=found.rows, checkpoints=found.checkpoints, message=""))


def export_trail(call: Call[ExportQuery, None]) -> Download:
    """Download the whole trail; the export is a row of it.

    In CSV a cell that a spreadsheet would take for a formula begins with an apostrophe.
    """
    ending = call.query.format
    folder = tempfile.TemporaryDirectory(prefix="gridlib-")
    file = Path(folder.name) / f"audit_trail.{ending}"
    audit.export(call.workbench, file, actor=call.username)
    return Download(folder, file, _MEDIA[ending])


_SHOWN: Any = {"screen": "audit_trail"}
"""Who may not open the screen gets no row of the trail here either."""

OPERATIONS = (
    Operation("GET", "/api/audit/events/", list_events, Page[EventView], query=EventsQuery, **_SHOWN),
    Operation("GET", "/api/audit/verify/", verify_trail, VerdictView, **_SHOWN),
    Operation(
        "GET",
        "/api/audit/export/",
        export_trail,
        None,
        query=ExportQuery,
        media_types=tuple(_MEDIA.values()),
        **_SHOWN,
    ),
)
