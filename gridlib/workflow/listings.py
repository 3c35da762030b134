"""Long lists a page at a time: at most ``limit`` rows, behind the one named ``after``. Reads only.

Whoever follows the pages to the end sees each row once, while others are added.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import pandas as pd

from gridlib.adapters import chain
from gridlib.adapters.records import network as network_records
from gridlib.adapters.records import plans, run_requests, runs, work_orders
from gridlib.adapters.records.plans import PlanRecord
from gridlib.adapters.records.run_requests import RunRequest
from gridlib.adapters.records.work_orders import WorkOrderRecord
from gridlib.facts.types import PlanState, RequestState, RiskLevel, WorkOrderState
from gridlib.workbench import Workbench
from gridlib.workflow.requests import fail_lost


def list_plans(
    workbench: Workbench,
    *,
    limit: int,
    after: str = "",
    transformer_id: str = "",
    states: Sequence[PlanState] = (),
    since: datetime | None = None,
    until: datetime | None = None,
) -> list[PlanRecord]:
    """List plans by transformer and rank; ``since`` and ``until`` bound when they were made."""
    with workbench.store.read() as connection:
        return plans.read_plans(
            connection,
            transformer_id=transformer_id,
            states=states,
            since=since,
            until=until,
            after=after,
            limit=limit,
        )


def list_work_orders(
    workbench: Workbench,
    *,
    limit: int,
    after: str = "",
    plan_id: str = "",
    states: Sequence[WorkOrderState] = (),
    since: datetime | None = None,
    until: datetime | None = None,
) -> list[WorkOrderRecord]:
    """List work orders, oldest first; ``since`` and ``until`` bound when they were issued."""
    with workbench.store.read() as connection:
        return work_orders.read_work_orders(
            connection, plan_id=plan_id, states=states, since=since, until=until, after=after, limit=limit
        )


def list_risk(
    workbench: Workbench,
    run_id: str,
    *,
    limit: int,
    after: str = "",
    levels: Sequence[RiskLevel] = (),
    transformer_id: str = "",
) -> list[dict[str, Any]]:
    """List the risk rows of a run (`RiskFrame`, times as text), imminent ones first, then the riskiest."""
    with workbench.store.read() as connection:
        return runs.read_risk_ranked(
            connection, run_id, levels=levels, transformer_id=transformer_id, after=after, limit=limit
        )


def list_findings(workbench: Workbench, run_id: str = "", *, limit: int, after: int = 0) -> pd.DataFrame:
    """List the findings of a run, with ``finding_id``; with an empty id those of all ingests."""
    with workbench.store.read() as connection:
        sources = [run_id] if run_id else runs.all_ingest_ids(connection)
        return runs.read_findings(connection, sources, after=after, limit=limit)


def list_transformers(workbench: Workbench, *, limit: int, after: str = "") -> list[dict[str, Any]]:
    """List the transformers of the network as ingested (`Transformers`), by name."""
    with workbench.store.read() as connection:
        return network_records.read_network_page(connection, "transformers", after=after, limit=limit)


def list_requests(
    workbench: Workbench, *, limit: int, after: str = "", states: Sequence[RequestState] = ()
) -> list[RunRequest]:
    """List requested runs, oldest first."""
    fail_lost(workbench)
    with workbench.store.read() as connection:
        return run_requests.read_requests(connection, states=states, after=after, limit=limit)


def list_events(
    workbench: Workbench,
    *,
    limit: int,
    after: int = 0,
    actor: str = "",
    action: str = "",
    object: str = "",
    outcome: str = "",
    text: str = "",
    since: datetime | None = None,
    until: datetime | None = None,
    before: int | None = None,
) -> list[dict[str, Any]]:
    """List rows of the audit trail, oldest first, or newest first with ``before``.

    See `gridlib.adapters.chain.find_events`.
    """
    with workbench.store.read() as connection:
        return chain.find_events(
            connection,
            actor=actor,
            action=action,
            object=object,
            outcome=outcome,
            text=text,
            since=since,
            until=until,
            after=after,
            before=before,
            limit=limit,
        )
