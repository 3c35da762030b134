"""The stages: read, think, record. Each ends with its frames kept, one transaction and one audit row."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

import pandas as pd

import gridlib
from gridlib.adapters.records import network as network_records
from gridlib.adapters.records import plans, runs
from gridlib.adapters.records.plans import OPEN_PLAN_STATES
from gridlib.adapters.records.runs import RunRecord
from gridlib.adapters.store import utc_text
from gridlib.domain.forecast import forecast_load
from gridlib.domain.lifecycle import SYSTEM
from gridlib.domain.network import check_network, neighbours
from gridlib.domain.planning import plan_transfers
from gridlib.domain.risk import hold_level, score_risk, score_sensitivity
from gridlib.domain.risk.running import measured_now
from gridlib.domain.thermal.horizon import TAIL_H
from gridlib.facts.errors import InputError
from gridlib.facts.frames import ForecastFrame, RiskFrame, SensitivityFrame, WindowFrame, check_frame
from gridlib.facts.types import PlanState
from gridlib.workbench import Workbench
from gridlib.workflow import audit, clock, queries
from gridlib.workflow.alerts import follow_risk
from gridlib.workflow.audit import Intention, intention
from gridlib.workflow.decisions import expire_plans, review_open_plans
from gridlib.workflow.heat import forecast_heat
from gridlib.workflow.material import (
    as_findings,
    forecast_frames,
    oil_frame,
    read_ambient,
    read_loads,
    read_material,
    read_normal_history,
    read_recent,
)
from gridlib.workflow.open_plans import covered_by, reserved_moves
from gridlib.workflow.proposals import save_drafts, write_sheets
from gridlib.workflow.returns import propose_returns, save_returns

STAGES = ("forecast", "risk", "planning", "instructions")


@dataclass(frozen=True)
class StageResult:
    """What a stage did; ``repeated`` where the run held it already and nothing was done."""

    run_id: str
    stage: str
    issued_at: pd.Timestamp
    counts: dict[str, int]
    seconds: float
    repeated: bool = False


def start_run(workbench: Workbench, *, issued_at: pd.Timestamp | None = None, by: str = SYSTEM) -> RunRecord:
    """Open a new run over the data as they are.

    Parameters
    ----------
    workbench : Workbench
        The workspace.
    issued_at : Timestamp, optional
        First hour to forecast; default is the hour after the last reading.
    by : str
        User name of who asked for it.

    Returns
    -------
    RunRecord
        With its id.

    Raises
    ------
    InputError
        No readings yet, or ``issued_at`` without time zone or not at the start of an interval.
    """
    if issued_at is not None and issued_at.tzinfo is None:
        raise InputError(
            f"issued-at {issued_at} has no time zone", what_to_do="Write it as 2026-08-13T00:00+03:00."
        )
    with intention(workbench, by, "run.start", "") as act:
        moment = (issued_at or clock.next_interval(workbench, act.connection)).tz_convert("UTC")
        step = pd.Timedelta(minutes=workbench.settings.forecast.step_min)
        if moment != moment.floor(step):
            raise InputError(
                f"issued-at {moment} lies inside an interval of {workbench.settings.forecast.step_min} min",
                what_to_do=f"Use {moment.floor(step)} or {moment.ceil(step)}.",
            )
        year = act.at.tz_convert(workbench.settings.site.tz).year
        number = workbench.store.next_number(act.connection, "run", year)
        act.object = run_id = f"RUN-{year}-{number:04d}"
        digest = runs.data_digest(act.connection, network_records.network_digest(act.connection))
        act.facts |= {"issued_at": utc_text(moment), "data": digest, "code": gridlib.__version__}
        runs.save_run(
            act.connection,
            {
                "run_id": run_id,
                "issued_at": utc_text(moment),
                "started_at": utc_text(act.at),
                "started_by": by,
                "code_version": gridlib.__version__,
                "data_digest": digest,
            },
        )
    return queries.get_run(workbench, run_id)


def run_forecast(
    workbench: Workbench, run_id: str = "", *, issued_at: pd.Timestamp | None = None, by: str = SYSTEM
) -> StageResult:
    """Forecast every transformer; without ``run_id`` a new run is started."""
    run = queries.get_run(workbench, run_id) if run_id else start_run(workbench, issued_at=issued_at, by=by)
    if "forecast" in run.stages:
        return replace(_result(workbench, run.run_id, "forecast"), repeated=True)
    begun = time.perf_counter()
    settings = workbench.settings
    with workbench.store.read() as connection:
        network = network_records.read_network(connection)
        metered, history = read_normal_history(workbench, connection, run.issued_at)
        ambient = read_ambient(workbench, connection, pd.DatetimeIndex(history.index), run.issued_at)
    if network.transformers.empty:
        raise InputError(
            "no network yet", what_to_do="Ingest its tables first: 'gridlib ingest FOLDER --kind network'."
        )
    rating_kva = network.transformers.set_index("transformer_id")["rating_kva"]
    forecast = forecast_load(
        history,
        horizon_h=settings.forecast.horizon_h,
        ambient_c=ambient.series if ambient.measured else None,
        rating_kva=rating_kva,
        calendar=workbench.calendar(),
        step_min=settings.forecast.step_min,
        neighbours=neighbours(network),
    )
    check_frame(ForecastFrame, forecast.frame)
    check_frame(WindowFrame, forecast.windows)
    counts = {
        "readings": int(metered.notna().to_numpy().sum()),
        "forecasts": forecast.frame["transformer_id"].nunique(),
    }
    findings = pd.concat([as_findings(forecast.findings), ambient.findings], ignore_index=True)
    return _record(workbench, run, "forecast", forecast_frames(forecast), findings, counts, begun, by)


def run_risk(workbench: Workbench, run_id: str = "", *, by: str = SYSTEM) -> StageResult:
    """Score every transformer; without ``run_id`` the newest forecast is taken."""
    run = queries.get_run(workbench, run_id, stage="forecast")
    if "risk" in run.stages:
        return replace(_result(workbench, run.run_id, "risk"), repeated=True)
    begun = time.perf_counter()
    settings = workbench.settings
    limits = settings.limits
    with workbench.store.read() as connection:
        loads = read_loads(workbench, connection, run)
        metered = read_recent(workbench, connection, run.issued_at, span_h=TAIL_H)
        heat = forecast_heat(workbench, connection, loads, metered, run.issued_at)
    normal_kva = loads.forecast.pivot(index="time", columns="transformer_id", values="load_kva_p50")
    risk, risk_findings = score_risk(
        loads.running,
        loads.windows,
        heat.thermal,
        loads.network,
        limits=limits,
        tz=settings.site.tz,
        measured_kva=measured_now(metered),
        normal_kva=normal_kva,
        day_limits=heat.day_limits,
    )
    risk = hold_level(risk, _earlier_risk(workbench, run), limits)
    check_frame(RiskFrame, risk)
    sensitivity = score_sensitivity(
        loads.running, heat.thermal, loads.network, heat.initial, limits=limits, normal_kva=normal_kva
    )
    check_frame(SensitivityFrame, sensitivity)
    counts = {level: int((risk["risk_level"] == level).sum()) for level in ("HIGH", "MEDIUM", "LOW")}
    findings = pd.concat(
        [check_network(loads.network), heat.findings, as_findings(risk_findings)],
        ignore_index=True,
    )
    frames = {
        "thermal": heat.thermal,
        "risk": risk,
        "oil": oil_frame(loads.running, heat.initial),
        "day_limits": heat.day_limits,
        "sensitivity": sensitivity,
    }
    return _record(workbench, run, "risk", frames, findings, counts, begun, by)


def run_planning(workbench: Workbench, run_id: str = "", *, by: str = SYSTEM) -> StageResult:
    """Search and prove load transfers for every MEDIUM and HIGH transformer that no open plan covers.

    Open plans are proved again first: a draft that no longer holds expires, an approved one goes back to
    draft, each with the reason and an audit row of its own; a transformer is planned anew only once it is
    released. For executed transfers that are no longer needed a return is proposed. A replay, a run issued
    before the newest one, leaves plans as they are and makes none. Who asked for this stage prepares its
    plans; where nobody did, who started the run.
    """
    run = queries.get_run(workbench, run_id, stage="risk")
    if "planning" in run.stages:
        return replace(_result(workbench, run.run_id, "planning"), repeated=True)
    begun = time.perf_counter()
    material = read_material(workbench, run)
    risk = workbench.telemetry.read_run_frame(run.run_id, "risk")
    replay = _is_replay(workbench, run)
    if not replay:
        expire_plans(workbench)
    kept = [] if replay else review_open_plans(workbench, material)
    returns = [] if replay else propose_returns(workbench, material, kept)
    covered = frozenset(name for record in kept for name in covered_by(record))
    covered |= {plan.transformer_id for plan in returns}
    cases = plan_transfers(
        material.network,
        material.forecast,
        risk,
        material.ambient_c,
        limits=workbench.settings.limits,
        rules=workbench.settings.planning,
        initial=material.initial,
        paths=material.paths,
        covered=covered,
        reserved=(*reserved_moves(kept), *(move for plan in returns for move in plan.moves)),
        tz=workbench.settings.site.tz,
    )
    counts = {
        "transformers": len(cases),
        "plans": sum(len(case.plans) for case in cases),
        "kept": len(kept),
        "returns": len(returns),
        "without_plan": sum(not case.plans for case in cases),
    }
    preparer = run.started_by if by == SYSTEM else by
    with _stage(workbench, run, "planning", counts, begun, by) as act:
        taken = {r.plan.transformer_id for r in plans.read_plans(act.connection, states=OPEN_PLAN_STATES)}
        for record in kept:
            if record.state in (PlanState.DRAFT, PlanState.APPROVED):
                plans.refresh_plan_body(act.connection, record, record.plan)
        for case in cases:
            plans.save_case(act.connection, run.run_id, case)
            fresh = () if replay or case.transformer_id in taken else case.plans
            save_drafts(workbench, act, run.run_id, fresh, prepared_by=preparer)
        save_returns(workbench, act, run.run_id, returns, prepared_by=preparer)
    return _result(workbench, run.run_id, "planning")


def run_instructions(workbench: Workbench, run_id: str = "", *, by: str = SYSTEM) -> StageResult:
    """Write the sheets of all plans without a work order, anew each run, as currents and hours change."""
    run = queries.get_run(workbench, run_id, stage="planning")
    if "instructions" in run.stages:
        return replace(_result(workbench, run.run_id, "instructions"), repeated=True)
    begun = time.perf_counter()
    material = read_material(workbench, run)
    with workbench.store.read() as connection:
        waiting = plans.read_plans(connection, states=[PlanState.DRAFT, PlanState.APPROVED])
    sheets = write_sheets(workbench, [] if _is_replay(workbench, run) else waiting, material)
    with _stage(workbench, run, "instructions", {"sheets": len(sheets)}, begun, by) as act:
        for sheet in sheets:
            plans.save_instruction(act.connection, run.run_id, sheet)
    return _result(workbench, run.run_id, "instructions")


def run_stages(
    workbench: Workbench,
    stages: Sequence[str] = STAGES,
    *,
    issued_at: pd.Timestamp | None = None,
    by: str = SYSTEM,
    on_stage: Callable[[StageResult], None] | None = None,
) -> str:
    """Run stages in order and sign the audit trail; return the run's id.

    Without "forecast" among the stages the newest run is taken up.

    Raises
    ------
    InputError
        An unknown stage, or ``issued_at`` without the forecast stage.
    """
    unknown = [stage for stage in stages if stage not in STAGES]
    if unknown:
        raise InputError(f"unknown stage '{unknown[0]}'", what_to_do=f"Stages are: {', '.join(STAGES)}.")
    if issued_at is not None and "forecast" not in stages:
        raise InputError("--issued-at belongs to the forecast stage", what_to_do="Run forecast as well.")
    run_id = ""
    for stage in [s for s in STAGES if s in stages]:
        if stage == "forecast":
            result = run_forecast(workbench, issued_at=issued_at, by=by)
        else:
            result = RUN_STAGE[stage](workbench, run_id, by=by)
        run_id = result.run_id
        if on_stage is not None:
            on_stage(result)
    audit.checkpoint(workbench)
    return run_id


RUN_STAGE: dict[str, Callable[..., StageResult]] = {
    "forecast": run_forecast,
    "risk": run_risk,
    "planning": run_planning,
    "instructions": run_instructions,
}


def _is_replay(workbench: Workbench, run: RunRecord) -> bool:
    """Tell whether a run looks at the past: a newer one has been scored."""
    return queries.get_run(workbench, stage="risk").issued_at > run.issued_at


def _earlier_risk(workbench: Workbench, run: RunRecord) -> list[pd.DataFrame]:
    """Read the risk tables of the runs before this one, newest first, as many as a downgrade looks at."""
    count = max(1, workbench.settings.limits.downgrade_runs - 1)
    with workbench.store.read() as connection:
        ids = runs.newest_run_ids(connection, stage="risk", limit=count, issued_before=run.issued_at)
    return [workbench.telemetry.read_run_frame(run_id, "risk") for run_id in ids]


def _record(
    workbench: Workbench,
    run: RunRecord,
    stage: str,
    frames: Mapping[str, pd.DataFrame],
    findings: pd.DataFrame,
    counts: dict[str, int],
    begun: float,
    by: str,
) -> StageResult:
    digests = {n: workbench.telemetry.write_run_frame(run.run_id, n, f) for n, f in frames.items()}
    with _stage(workbench, run, stage, {**counts, "findings": len(findings)}, begun, by) as act:
        act.facts["digests"] = digests
        runs.save_findings(act.connection, run.run_id, stage, findings)
        if "risk" in frames:
            runs.save_risk(act.connection, run.run_id, frames["risk"])
            follow_risk(act, run, frames["risk"])
    return _result(workbench, run.run_id, stage)


@contextmanager
def _stage(
    workbench: Workbench, run: RunRecord, stage: str, counts: dict[str, int], begun: float, by: str
) -> Iterator[Intention]:
    """Record the end of a stage: its rows, its counts and its audit row in one transaction."""
    with intention(workbench, by, f"stage.{stage}", run.run_id) as act:
        yield act
        act.facts |= counts
        runs.save_stage(
            act.connection,
            {
                "run_id": run.run_id,
                "stage": stage,
                "finished_at": utc_text(workbench.clock()),
                "seconds": time.perf_counter() - begun,
                "counts": counts,
            },
        )


def _result(workbench: Workbench, run_id: str, stage: str) -> StageResult:
    run = queries.get_run(workbench, run_id)
    done = run.stages[stage]
    return StageResult(run_id, stage, run.issued_at, dict(done.counts), done.seconds)
