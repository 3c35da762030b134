"""Studies: what would be under other circumstances. Pure reads; nothing is stored, decided or audited."""

from dataclasses import dataclass, replace
from math import isfinite, isnan
from typing import Any

import pandas as pd
from sqlalchemy import Connection

from gridlib.adapters.records import plans, runs
from gridlib.adapters.records.plans import OPEN_PLAN_STATES, PlanRecord
from gridlib.adapters.records.runs import RunRecord, StoreVersion
from gridlib.domain.risk.running import measured_now
from gridlib.domain.study import Ground, change_ground, ground_around, plan_ground, score_ground
from gridlib.facts.errors import InputError, RefusedError
from gridlib.facts.messages import Message, to_json
from gridlib.facts.studies import Study, StudyRisk
from gridlib.facts.types import RiskLevel
from gridlib.workbench import Workbench
from gridlib.workflow import clock
from gridlib.workflow.material import Material, material_of, read_recent, with_present_states
from gridlib.workflow.open_plans import reserved_moves

MOST_K = 30.0
"""Largest shift of the air either way [K]."""

LEAST_PCT, MOST_PCT = -90.0, 200.0
"""Smallest and largest change of the loads [%]."""


@dataclass(frozen=True)
class StudyBase:
    """All that studies of one run start from; read once, used for many.

    ``version`` names the state of the store that it was read from.
    """

    version: StoreVersion
    run: RunRecord
    material: Material
    ground: Ground
    open_plans: tuple[PlanRecord, ...]
    now: pd.Timestamp


def read_base(workbench: Workbench) -> StudyBase:
    """Read what studies start from: the newest scored run and the network as it is now."""
    with workbench.store.read() as connection:
        return base_of(workbench, connection)


def base_of(workbench: Workbench, connection: Connection, before: StudyBase | None = None) -> StudyBase:
    """Read as `read_base`, in the caller's transaction; what has not changed is taken from ``before``."""
    version = runs.store_version(connection)
    if before is None or not version.same_inputs(before.version):
        run = runs.read_run(connection, stage="risk")
        material = material_of(workbench, connection, run)
        metered = read_recent(workbench, connection, run.issued_at, span_h=24)
        ground = Ground(
            material.network,
            material.forecast,
            workbench.telemetry.read_run_frame(run.run_id, "windows"),
            material.ambient_c,
            material.initial,
            material.paths,
            measured_now(metered),
        )
    else:
        run, material, ground = before.run, before.material, before.ground
        if version.states != before.version.states:
            material = with_present_states(connection, material, ground.windows)
            ground = replace(ground, network=material.network)
    found = plans.read_plans(connection, states=OPEN_PLAN_STATES)
    return StudyBase(version, run, material, ground, tuple(found), clock.now(workbench, connection))


def study(
    workbench: Workbench,
    transformer_id: str,
    *,
    ambient_k: float = 0.0,
    load_pct: float = 0.0,
    tie_out: str = "",
    base: StudyBase | None = None,
) -> Study:
    """Score and plan one transformer again under other circumstances.

    Parameters
    ----------
    workbench : Workbench
        The workspace.
    transformer_id : str
        A transformer of the newest run.
    ambient_k : float
        Added to the air of every hour [K].
    load_pct : float
        Added to every load, in percent of it [%].
    tie_out : str
        A switch near it that cannot be operated; empty for none.
    base : StudyBase, optional
        What `read_base` gave; default is to read it.

    Returns
    -------
    Study
        Before and after by the same computation; says what it assumes.

    Raises
    ------
    InputError
        A change that is no number or out of range.
    NotFoundError
        No such transformer in the newest run, no such switch near it, or no run.
    RefusedError
        Its risk cannot be scored for want of data.
    """
    if not (isfinite(ambient_k) and abs(ambient_k) <= MOST_K):
        raise InputError(
            f"{ambient_k:g} K is no change of the air", what_to_do=f"Use -{MOST_K:g} to {MOST_K:g}."
        )
    if not (isfinite(load_pct) and LEAST_PCT <= load_pct <= MOST_PCT):
        raise InputError(
            f"{load_pct:g} % is no change of the load", what_to_do=f"Use {LEAST_PCT:g} to {MOST_PCT:g}."
        )
    base = base or read_base(workbench)
    limits, rules, tz = workbench.settings.limits, workbench.settings.planning, workbench.settings.site.tz
    ground = ground_around(base.ground, transformer_id, reserved_moves(base.open_plans, but=transformer_id))
    changed = change_ground(ground, ambient_k=ambient_k, load_pct=load_pct, tie_out=tie_out)
    before, after = (
        score_ground(one, limits=limits, tz=tz, transformer_id=transformer_id) for one in (ground, changed)
    )
    if before.empty or after.empty:
        raise RefusedError(
            f"{transformer_id} cannot be scored",
            what_to_do="See the findings of the run for what is missing.",
        )
    case = plan_ground(changed, after, limits=limits, rules=rules, tz=tz, now=base.now)
    return Study(
        transformer_id=transformer_id,
        run_id=base.run.run_id,
        issued_at=base.run.issued_at.to_pydatetime(),
        ambient_k=ambient_k,
        load_pct=load_pct,
        tie_out=tie_out,
        before=_risk(before.iloc[0]),
        after=_risk(after.iloc[0]),
        plans=case.plans if case else (),
        why_not=case.why_not if case else (),
        do_nothing=dict(case.do_nothing) if case else {},
        other_measures=case.other_measures if case else (),
        messages=to_json(_assumptions(base, changed, ambient_k, load_pct, tie_out, transformer_id)),
    )


def _risk(row: pd.Series) -> StudyRisk:
    def known(value: Any) -> Any:
        return (
            None if value is None or value is pd.NaT or (isinstance(value, float) and isnan(value)) else value
        )

    def moment(value: Any) -> Any:
        return None if pd.isna(value) else pd.Timestamp(value).to_pydatetime()

    optional = ("limit_kva", "hot_spot_c_max", "hot_spot_c_max_p90", "loss_of_life_d")
    exact = (
        *("risk_score", "overload", "thermal", "cascading", "rating_kva", "peak_pct_p50", "peak_pct_p90"),
        *("p_any_1_24", "p_any_24_72", "p_any_1_72"),
    )
    return StudyRisk(
        risk_level=RiskLevel(row["risk_level"]),
        imminent=bool(row["imminent"]),
        raised_by=row["raised_by"],
        limit_by=row["limit_by"],
        peak_time=moment(row["peak_time"]),
        hours_over=int(row["hours_over"]),
        first_over=moment(row["first_over"]),
        messages=row["messages"],
        **{name: float(row[name]) for name in exact},
        **{name: known(row[name]) for name in optional},
    )


def _assumptions(
    base: StudyBase, ground: Ground, ambient_k: float, load_pct: float, tie_out: str, transformer_id: str
) -> list[Message]:
    said = [Message("study.mark", {})]
    if ambient_k:
        said.append(Message("study.air", {"shift_k": ambient_k}))
    if load_pct:
        said.append(Message("study.load", {"shift_pct": load_pct}))
    if tie_out:
        said.append(Message("study.tie_out", {"switch": tie_out}))
    kept = set(ground.reserved)
    near = [
        r.plan_id
        for r in base.open_plans
        if r.plan.transformer_id != transformer_id and kept.intersection(r.plan.moves)
    ]
    if near:
        said.append(Message("study.open_plans", {"plans": ", ".join(near)}))
    return said
