"""Prove a stored plan again: against the newest forecast, today's switch states and all other plans."""

from collections.abc import Sequence
from dataclasses import replace

import pandas as pd
from sqlalchemy import Connection

from gridlib.adapters.records.plans import PlanRecord
from gridlib.adapters.records.runs import RunRecord
from gridlib.domain.network import cut_around
from gridlib.domain.planning import Bench, make_bench, refresh_plan
from gridlib.domain.thermal import ThermalState
from gridlib.facts.errors import RefusedError
from gridlib.facts.types import Plan, PlanState, Proof
from gridlib.workbench import Workbench
from gridlib.workflow import clock
from gridlib.workflow.material import Material
from gridlib.workflow.open_plans import reserved_moves
from gridlib.workflow.studies import StudyBase, base_of

OVER = "the hours it was meant for are over"
"""Why a plan expires."""


def prove_again(
    workbench: Workbench, connection: Connection, record: PlanRecord, base: StudyBase | None = None
) -> Proof:
    """Prove a plan against the newest run, today's switch states and the headroom of decided plans.

    Only what lies around the plan is looked at. What has not changed since ``base`` is not read again.

    Raises
    ------
    RefusedError
        The newest run is older than ``forecast_max_age_h``.
    """
    base = base_of(workbench, connection, base)
    check_age(workbench, base.run, base.now)
    decided = [r for r in base.open_plans if r.state is not PlanState.DRAFT]
    bench = bench_around(workbench, base.material, record, decided, base.now)
    return refresh_record(bench, record, decided)[1]


def check_age(workbench: Workbench, run: RunRecord, now: pd.Timestamp) -> None:
    """Refuse to decide on a run that is older than ``forecast_max_age_h``."""
    age_h = (now - run.issued_at) / pd.Timedelta(hours=1)
    if age_h > workbench.settings.planning.forecast_max_age_h:
        raise RefusedError(
            f"the newest forecast, {run.run_id}, is {age_h:.0f} h old", what_to_do="Run first: 'gridlib run'."
        )


def bench_of(workbench: Workbench, material: Material, now: pd.Timestamp) -> Bench:
    """Lay out the material of a run for proofs."""
    return make_bench(
        material.network,
        material.forecast,
        material.ambient_c,
        limits=workbench.settings.limits,
        rules=workbench.settings.planning,
        initial=material.initial,
        paths=material.paths,
        tz=workbench.settings.site.tz,
        now=now,
    )


def bench_around(
    workbench: Workbench,
    material: Material,
    record: PlanRecord,
    others: Sequence[PlanRecord],
    now: pd.Timestamp,
) -> Bench:
    """Lay out what lies around one plan; its proof there is the one in the whole fleet."""
    moves = record.plan.moves
    units = {name for move in moves for name in (move.from_transformer, move.to_transformer)}
    network = cut_around(material.network, units, reserved_moves(others))
    near = set(network.transformers["transformer_id"])
    forecast = material.forecast
    kept = pd.Index(forecast["transformer_id"].unique()).isin(near)
    cut = replace(
        material,
        network=network,
        forecast=forecast[forecast["transformer_id"].isin(near)],
        initial=ThermalState(*(part[kept] for part in material.initial)),
    )
    return bench_of(workbench, cut, now)


def refresh_record(
    bench: Bench, record: PlanRecord, others: Sequence[PlanRecord]
) -> tuple[Plan | None, Proof]:
    """Prove a plan and bring its figures up to the bench; ``others`` keep their headroom."""
    return refresh_plan(bench, record.plan, reserved_moves(others, but=record.plan.transformer_id))


def is_over(workbench: Workbench, connection: Connection, record: PlanRecord) -> bool:
    """Tell whether the hours that a plan was meant for have passed."""
    if record.plan.needed_until is None:
        return False
    step = pd.Timedelta(minutes=workbench.settings.forecast.step_min)
    return bool(pd.Timestamp(record.plan.needed_until) + step <= clock.now(workbench, connection))
