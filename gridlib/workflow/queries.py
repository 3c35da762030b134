"""What screens, reports and the shell ask: reads only, no audit row."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import pandas as pd
from sqlalchemy import Connection

from gridlib.adapters.records import network as network_records
from gridlib.adapters.records import notebook_runs, plans, runs, work_orders
from gridlib.adapters.records.plans import PlanRecord
from gridlib.adapters.records.runs import RunRecord
from gridlib.adapters.records.work_orders import WorkOrderRecord
from gridlib.domain.network import closed_switches, current_states, feeding
from gridlib.domain.risk import limit_message, sensitivity_messages
from gridlib.facts.errors import InputError, NotFoundError
from gridlib.facts.messages import Message
from gridlib.facts.sheets import Instruction
from gridlib.facts.types import Network, PlanningCase, PlanState, WorkOrderState
from gridlib.workbench import Workbench


def next_interval(workbench: Workbench, connection: Connection) -> pd.Timestamp:
    """Start of the interval after the last reading, UTC.

    Raises
    ------
    InputError
        Nothing has been ingested.
    """
    last = runs.last_reading(connection)
    if last is None:
        raise InputError("no load readings yet", what_to_do="Ingest some: 'gridlib ingest PATH'.")
    return last + pd.Timedelta(minutes=workbench.settings.forecast.step_min)


def now(workbench: Workbench, connection: Connection) -> pd.Timestamp:
    """Tell what counts as now for decisions: real time, or the hour after the last reading."""
    if workbench.settings.clock.follow == "wall":
        return workbench.clock()
    return next_interval(workbench, connection)


@dataclass(frozen=True)
class PlanFile:
    """A plan with all that is needed to decide on it."""

    record: PlanRecord
    instruction: Instruction | None
    case: PlanningCase | None
    work_orders: tuple[WorkOrderRecord, ...]


@dataclass(frozen=True)
class Queue:
    """What waits for a person: plans to decide or issue, orders to work on or to settle, alerts."""

    drafts: tuple[PlanRecord, ...]
    approved: tuple[PlanRecord, ...]
    orders: tuple[WorkOrderRecord, ...]
    unsettled: tuple[WorkOrderRecord, ...]
    unacknowledged: tuple[str, ...]


def get_queue(workbench: Workbench) -> Queue:
    """List what waits for a decision or an action."""
    with workbench.store.read() as connection:
        drafts = plans.read_plans(connection, states=[PlanState.DRAFT])
        approved = plans.read_plans(connection, states=[PlanState.APPROVED])
        orders = work_orders.read_work_orders(
            connection, states=[WorkOrderState.OPEN, WorkOrderState.IN_PROGRESS]
        )
        partial = plans.read_plans(connection, states=[PlanState.PARTIAL])
        unsettled = [work_orders.read_work_orders(connection, plan_id=r.plan_id)[-1] for r in partial]
        run_id = runs.newest_run_id(connection, stage="risk")
        waiting = runs.unacknowledged(connection, run_id) if run_id else []
    return Queue(tuple(drafts), tuple(approved), tuple(orders), tuple(unsettled), tuple(waiting))


def get_plan(workbench: Workbench, plan_id: str) -> PlanFile:
    """Read a plan with its sheet, its alternatives refused, and its work orders."""
    with workbench.store.read() as connection:
        record = plans.read_plan(connection, plan_id)
        return PlanFile(
            record,
            plans.read_instruction(connection, plan_id),
            plans.read_case(connection, record.run_id, record.plan.transformer_id),
            tuple(work_orders.read_work_orders(connection, plan_id=plan_id)),
        )


def get_plans(
    workbench: Workbench, *, transformer_id: str = "", states: Sequence[PlanState] = ()
) -> list[PlanRecord]:
    """List plans of a transformer or in some states."""
    with workbench.store.read() as connection:
        return plans.read_plans(connection, transformer_id=transformer_id, states=states)


def get_cases(workbench: Workbench, run_id: str) -> list[PlanningCase]:
    """List what planning said about each transformer of a run, plans apart."""
    with workbench.store.read() as connection:
        return plans.read_cases(connection, run_id)


def get_case(workbench: Workbench, run_id: str, transformer_id: str) -> PlanningCase | None:
    """Read what planning said about one transformer of a run, plans apart."""
    with workbench.store.read() as connection:
        return plans.read_case(connection, run_id, transformer_id)


def get_work_order(workbench: Workbench, work_order_id: str) -> WorkOrderRecord:
    """Read one work order with its steps."""
    with workbench.store.read() as connection:
        return work_orders.read_work_order(connection, work_order_id)


def get_work_orders(workbench: Workbench) -> list[WorkOrderRecord]:
    """List all work orders, oldest first."""
    with workbench.store.read() as connection:
        return work_orders.read_work_orders(connection)


def get_network(workbench: Workbench) -> Network:
    """Read the network with the newest switch states."""
    with workbench.store.read() as connection:
        return network_records.read_network(connection)


def get_run(workbench: Workbench, run_id: str = "", *, stage: str = "") -> RunRecord:
    """Read a run, or the newest that finished a stage."""
    with workbench.store.read() as connection:
        return runs.read_run(connection, run_id, stage=stage)


def get_run_as_of(workbench: Workbench, moment: datetime) -> RunRecord:
    """Read the newest scored run that was issued no later than a moment."""
    if moment.tzinfo is None:
        raise InputError(f"{moment} has no time zone", what_to_do="Write it as 2026-08-13T00:00+03:00.")
    with workbench.store.read() as connection:
        run_id = runs.newest_run_id(connection, stage="risk", issued_by=pd.Timestamp(moment))
        return runs.read_run(connection, run_id or f"issued by {moment}")


def get_risk(workbench: Workbench, run_id: str = "") -> pd.DataFrame:
    """Read the risk table of a run (`RiskFrame`), riskiest first."""
    run = get_run(workbench, run_id, stage="risk")
    return workbench.telemetry.read_run_frame(run.run_id, "risk")


def get_frame(workbench: Workbench, name: str, run_id: str = "") -> pd.DataFrame:
    """Read a frame of a run: forecast, windows, thermal, risk, day_limits or sensitivity."""
    stage = {"forecast": "forecast", "windows": "forecast"}.get(name, "risk")
    run = get_run(workbench, run_id, stage=stage)
    return workbench.telemetry.read_run_frame(run.run_id, name)


def get_sensitivity(workbench: Workbench, run_id: str = "") -> pd.DataFrame:
    """Read how far the scores of a run would move; empty where an earlier version has scored it."""
    try:
        return get_frame(workbench, "sensitivity", run_id)
    except NotFoundError:
        return pd.DataFrame(columns=["transformer_id", "score", "score_air", "score_load"])


def get_limit_messages(workbench: Workbench, transformer_id: str, run_id: str = "") -> list[Message]:
    """Say what a transformer may carry today and what binds, and how far its score would move."""
    risk, moved = get_risk(workbench, run_id), get_sensitivity(workbench, run_id)
    limits = [limit_message(row) for _, row in risk[risk["transformer_id"] == transformer_id].iterrows()]
    said = [message for message in limits if message is not None]
    for _, row in moved[moved["transformer_id"] == transformer_id].iterrows():
        said += sensitivity_messages(row)
    return said


def get_findings(workbench: Workbench, run_id: str = "") -> pd.DataFrame:
    """Read the findings of a run; with an empty id those of all ingests."""
    with workbench.store.read() as connection:
        sources = [run_id] if run_id else runs.all_ingest_ids(connection)
        return runs.read_findings(connection, sources)


def get_notebook_runs(workbench: Workbench) -> pd.DataFrame:
    """Read the ledger of executed notebooks, oldest first."""
    with workbench.store.read() as connection:
        return notebook_runs.read_notebook_runs(connection)


def get_blind_spots(workbench: Workbench, run_id: str) -> dict[str, str]:
    """Name the transformers that a run could not assess and the sections without supply, with the reason."""
    found = get_findings(workbench, run_id).drop_duplicates("object_id").set_index("object_id")["message"]
    assessed = set(get_risk(workbench, run_id)["transformer_id"])
    network = get_network(workbench)
    spots = {
        name: f"not assessed: {found.get(name, 'no readings')}"
        for name in network.transformers["transformer_id"]
        if name not in assessed
    }
    fed_by = feeding(network, closed_switches(current_states(network)))
    return spots | {str(name): "without supply as reported" for name in fed_by.index[fed_by.isna()]}


def get_ingests(workbench: Workbench) -> pd.DataFrame:
    """Read the ledger of ingested files, oldest first."""
    with workbench.store.read() as connection:
        return runs.read_ledger(connection)
