"""What screens, reports and the shell ask: reads only, no audit row."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import pandas as pd
from sqlalchemy import Connection

from gridlib.adapters.records import alerts as alert_records
from gridlib.adapters.records import network as network_records
from gridlib.adapters.records import notebook_runs, plans, runs, work_orders
from gridlib.adapters.records.plans import PlanRecord
from gridlib.adapters.records.runs import RunRecord
from gridlib.adapters.records.work_orders import WorkOrderRecord
from gridlib.domain.alerts import Alert, off_the_shelf
from gridlib.domain.lifecycle import is_overdue
from gridlib.domain.network import (
    closed_switches,
    contradictions,
    current_states,
    feeding,
    is_confirmed,
    present_states,
)
from gridlib.domain.risk import limit_message, sensitivity_messages
from gridlib.facts.errors import InputError, NotFoundError
from gridlib.facts.messages import Language, Message, render
from gridlib.facts.sheets import Instruction
from gridlib.facts.types import Network, PlanningCase, PlanState, RiskLevel, WorkOrderState
from gridlib.workbench import Workbench
from gridlib.workflow import clock


@dataclass(frozen=True)
class PlanFile:
    """A plan with all that is needed to decide on it."""

    record: PlanRecord
    instruction: Instruction | None
    case: PlanningCase | None
    work_orders: tuple[WorkOrderRecord, ...]


@dataclass(frozen=True)
class Queue:
    """What waits for a person: plans to decide or issue, orders to work on or to settle, HIGH alerts.

    ``overdue`` names the orders that are past their planned window.
    """

    drafts: tuple[PlanRecord, ...]
    approved: tuple[PlanRecord, ...]
    orders: tuple[WorkOrderRecord, ...]
    unsettled: tuple[WorkOrderRecord, ...]
    unacknowledged: tuple[str, ...]
    overdue: tuple[str, ...]


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
        calling = [a for a in _alerts(workbench, connection) if a.waits and a.risk_level is RiskLevel.HIGH]
        late = _overdue(workbench, connection, orders)
    return Queue(
        tuple(drafts),
        tuple(approved),
        tuple(orders),
        tuple(unsettled),
        tuple(alert.transformer_id for alert in calling),
        tuple(late),
    )


def get_alerts(workbench: Workbench) -> list[Alert]:
    """List the alerts that stand: those that call for a person first, then imminent, HIGH, the oldest."""
    with workbench.store.read() as connection:
        return _alerts(workbench, connection)


def _alerts(workbench: Workbench, connection: Connection) -> list[Alert]:
    at = workbench.clock()
    standing = [off_the_shelf(alert, at) for alert in alert_records.read_alerts(connection)]
    return sorted(
        standing,
        key=lambda a: (not a.waits, not a.imminent, a.risk_level is not RiskLevel.HIGH, a.called_at),
    )


def get_alert_history(workbench: Workbench, transformer_id: str) -> pd.DataFrame:
    """Read all that happened to the alerts of a transformer, newest first.

    Returns
    -------
    DataFrame
        time (UTC), event, risk_level, imminent, by (a person or the run), note.
    """
    with workbench.store.read() as connection:
        return alert_records.read_alert_events(connection, transformer_id)


def get_overdue(workbench: Workbench) -> tuple[str, ...]:
    """Name the work orders under way that are past their planned window."""
    return get_queue(workbench).overdue


def _overdue(workbench: Workbench, connection: Connection, orders: Sequence[WorkOrderRecord]) -> list[str]:
    if not orders:
        return []
    moment = clock.now(workbench, connection)
    return [order.work_order_id for order in orders if is_overdue(order.state, order.planned_until, moment)]


def get_switches(
    workbench: Workbench, switch_ids: Sequence[str] = (), *, language: Language = "en"
) -> pd.DataFrame:
    """Read switches with their present states and how far these can be trusted.

    Parameters
    ----------
    workbench : Workbench
        The workspace.
    switch_ids : sequence of str
        Which; default is all.
    language : {"en", "ar"}
        Of the sentences in ``mismatch``.

    Returns
    -------
    DataFrame
        switch_id, kind, from_id, to_id, state, normal_state, health, tags, source, time (UTC, NaT where
        assumed), age_h [h], ``confirmed`` (reported, and not longer ago than ``state_max_age_h``) and
        ``mismatch``: empty, or how telemetry contradicts what was last ordered or confirmed.
    """
    with workbench.store.read() as connection:
        table = network_records.read_switches(connection, switch_ids)
        reported = network_records.read_newest_states(connection, switch_ids)
        moment = workbench.clock() if table.empty else clock.now(workbench, connection)
        wrong = find_mismatches(workbench, connection, switch_ids, language=language)
    states = present_states(table, reported)
    oldest = moment - pd.Timedelta(hours=workbench.settings.planning.state_max_age_h)
    states["age_h"] = ((moment - states["time"]).dt.total_seconds() / 3600).clip(lower=0)
    states["confirmed"] = is_confirmed(states, oldest)
    states["mismatch"] = [wrong.get(name, "") for name in states.index]
    fixed = table.set_index("switch_id")[["kind", "from_id", "to_id", "normal_state"]]
    columns = ["switch_id", "kind", "from_id", "to_id", "state", "normal_state", "health", "tags", "source"]
    columns += ["time", "age_h", "confirmed", "mismatch"]
    return fixed.join(states).reset_index()[columns]


def get_mismatches(workbench: Workbench, *, language: Language = "en") -> dict[str, str]:
    """Name the switches whose telemetered position is not the one last ordered or confirmed, and how."""
    with workbench.store.read() as connection:
        return find_mismatches(workbench, connection, language=language)


def find_mismatches(
    workbench: Workbench,
    connection: Connection,
    switch_ids: Sequence[str] = (),
    *,
    language: Language = "en",
) -> dict[str, str]:
    """Find what `get_mismatches` names, in the caller's transaction."""
    tz = workbench.settings.site.tz
    reports = network_records.read_newest_reports(connection, ("telemetered", "manual"), switch_ids)
    found = contradictions(reports)
    return {
        c.switch_id: render(
            Message(
                "switch.mismatch",
                {
                    "switch": c.switch_id,
                    "telemetered": Message(f"switch.{c.telemetered}", {}),
                    "telemetered_at": c.telemetered_at.tz_convert(tz),
                    "by": c.reported_by,
                    "reported": Message(f"switch.{c.reported}", {}),
                    "reported_at": c.reported_at.tz_convert(tz),
                },
            ),
            language,
        )
        for c in found
    }


@dataclass(frozen=True)
class Freshness:
    """How old the data are that a screen shows.

    Attributes
    ----------
    last_reading : Timestamp or None
        Interval start of the newest load reading, UTC.
    readings_age_h : float or None
        Since its end [h].
    forecast_run : str
        The newest run with a risk table; empty where there is none.
    forecast_age_h : float or None
        Since it was issued [h].
    stale : bool
        Readings or forecast are missing or too old to be trusted without a second look.
    messages : tuple of Message
        What there is to say about both, the readings first.
    """

    last_reading: pd.Timestamp | None
    readings_age_h: float | None
    forecast_run: str
    forecast_age_h: float | None
    stale: bool
    messages: tuple[Message, ...]


def get_freshness(workbench: Workbench) -> Freshness:
    """Tell how old readings and forecast are, by the clock that decisions follow."""
    limits_h = {
        "readings": workbench.settings.decisions.readings_max_age_h,
        "forecast": workbench.settings.planning.forecast_max_age_h,
    }
    tz, hour = workbench.settings.site.tz, pd.Timedelta(hours=1)
    with workbench.store.read() as connection:
        last = runs.last_reading(connection)
        run_id = runs.newest_run_id(connection, stage="risk")
        run = None if run_id is None else runs.read_run(connection, run_id)
        moment = workbench.clock() if last is None else clock.now(workbench, connection)
    step = pd.Timedelta(minutes=workbench.settings.forecast.step_min)
    ages_h = {
        "readings": None if last is None else (moment - last - step) / hour,
        "forecast": None if run is None else (moment - run.issued_at) / hour,
    }
    moments = {"readings": last, "forecast": None if run is None else run.issued_at}
    messages, stale = [], False
    for what, age_h in ages_h.items():
        at = moments[what]
        if at is None or age_h is None:
            stale = True
            messages.append(Message(f"freshness.no_{what}", {}))
            continue
        old = age_h > limits_h[what]
        stale |= old
        values = {"at": at.tz_convert(tz), "age_h": age_h, "limit_h": limits_h[what], "run": run_id or ""}
        messages.append(Message(f"freshness.{what}{'_stale' if old else ''}", values))
    return Freshness(last, ages_h["readings"], run_id or "", ages_h["forecast"], stale, tuple(messages))


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
