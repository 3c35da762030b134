"""The network as ingested, positions of its switches, and findings."""

from typing import Any

from pydantic import Field

from gridlib.apps.api.fields import Body, MaybeUtc, Name, Number, Page, PageQuery, View
from gridlib.apps.api.operation import Answer, Call, Operation
from gridlib.apps.api.pages import behind, cut
from gridlib.facts.types import Role, SwitchState
from gridlib.workflow import listings, queries, switches


class TransformerView(View):
    """A distribution transformer; null where the tables do not say."""

    transformer_id: str
    substation_id: str
    feeder_id: str
    rating_kva: Number
    cooling: str | None
    paper: str | None
    enclosure: str | None
    customers: Number
    vk_pct: Number
    vkr_pct: Number
    tap_pct: Number
    lat: Number
    lon: Number


class SwitchView(View):
    """A switch with its present position and how far that can be trusted."""

    switch_id: str
    kind: str
    from_id: str
    to_id: str
    state: SwitchState
    normal_state: SwitchState
    health: str
    tags: str = Field(description="EARTHED TAGGED PERMIT, separated by spaces; may be empty.")
    source: str = Field(description="telemetered, manual or assumed.")
    time: MaybeUtc
    age_h: Number
    confirmed: bool
    mismatch: str = Field(description="How telemetry contradicts what was ordered or confirmed; else empty.")


class Position(Body):
    """Where a switch is known to be."""

    state: SwitchState


class FindingsQuery(PageQuery):
    """Which findings."""

    run_id: Name | None = Field(default=None, description="Of this run; without it, of all ingested files.")
    after: int | None = Field(
        default=None, ge=1, le=2_147_483_647, description="Number of the last row seen."
    )  # type: ignore[assignment]


class FindingView(View):
    """What is suspicious, or could not be computed, of which object, and why."""

    finding_id: int
    source_id: str = Field(description="The run or the ingested file.")
    stage: str
    object_id: str
    code: str
    message: str
    first: MaybeUtc
    last: MaybeUtc
    count: int


def list_transformers(call: Call[PageQuery, None]) -> Answer:
    """List the transformers of the network."""
    query = call.query
    found = listings.list_transformers(call.workbench, after=query.after or "", limit=query.limit + 1)
    shown, after = cut(found, query.limit, lambda row: str(row["transformer_id"]))
    items = [TransformerView.model_validate(_complete(row)) for row in shown]
    return Answer(Page[TransformerView](items=items, next=call.next_page(after)))


def list_switches(call: Call[PageQuery, None]) -> Answer:
    """List the switches with their present positions, and where telemetry contradicts what was ordered."""
    query = call.query
    rows = sorted(queries.get_switches(call.workbench).to_dict("records"), key=lambda row: row["switch_id"])
    found = behind(rows, query.after, "switch", lambda row: str(row["switch_id"]))
    shown, after = cut(found, query.limit, lambda row: str(row["switch_id"]))
    items = [SwitchView.model_validate(row) for row in shown]
    return Answer(Page[SwitchView](items=items, next=call.next_page(after)))


def confirm_switch(call: Call[Any, Position]) -> Answer:
    """Write down the position of a switch as operated; nothing is operated."""
    name = call.names["switch_id"]
    switches.confirm_switch(call.workbench, name, by=call.username, state=call.body.state)
    row = queries.get_switches(call.workbench, [name]).to_dict("records")[0]
    return Answer(SwitchView.model_validate(row))


def list_findings(call: Call[FindingsQuery, None]) -> Answer:
    """List findings of a run or of the ingested files, in the order in which they were made."""
    query = call.query
    if query.run_id is not None:
        queries.get_run(call.workbench, query.run_id)
    found = listings.list_findings(
        call.workbench, query.run_id or "", after=query.after or 0, limit=query.limit + 1
    ).to_dict("records")
    shown, after = cut(found, query.limit, lambda row: int(row["finding_id"]))
    items = [FindingView.model_validate(row) for row in shown]
    return Answer(Page[FindingView](items=items, next=call.next_page(after)))


def _complete(row: dict[str, Any]) -> dict[str, Any]:
    """Put null for columns that the ingested table did not have."""
    return {name: row.get(name) for name in TransformerView.model_fields}


OPERATIONS = (
    Operation("GET", "/api/network/transformers/", list_transformers, Page[TransformerView], query=PageQuery),
    Operation("GET", "/api/network/switches/", list_switches, Page[SwitchView], query=PageQuery),
    Operation(
        "POST",
        "/api/network/switches/{switch_id}/confirm/",
        confirm_switch,
        SwitchView,
        body=Position,
        role=Role.OPERATOR,
    ),
    Operation("GET", "/api/findings/", list_findings, Page[FindingView], query=FindingsQuery),
)
