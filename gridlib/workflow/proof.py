"""Prove a stored plan again: against the newest forecast, today's switch states and all other plans."""

from collections.abc import Sequence

import pandas as pd
from sqlalchemy import Connection

from gridlib.adapters.records import plans, runs
from gridlib.adapters.records.plans import OPEN_PLAN_STATES, PlanRecord
from gridlib.adapters.records.runs import RunRecord
from gridlib.domain.planning import refresh_plan
from gridlib.facts.errors import RefusedError
from gridlib.facts.types import Move, Plan, PlanState, Proof
from gridlib.workbench import Workbench
from gridlib.workflow import clock
from gridlib.workflow.material import Material, material_of

OVER = "the hours it was meant for are over"
"""Why a plan expires."""


def prove_again(workbench: Workbench, connection: Connection, record: PlanRecord) -> Proof:
    """Prove a plan against the newest run, today's switch states and the headroom of decided plans.

    Raises
    ------
    RefusedError
        The newest run is older than ``forecast_max_age_h``.
    """
    run = runs.read_run(connection, stage="risk")
    now = clock.now(workbench, connection)
    check_age(workbench, run, now)
    decided = [
        r for r in plans.read_plans(connection, states=OPEN_PLAN_STATES) if r.state is not PlanState.DRAFT
    ]
    return refresh_record(workbench, material_of(workbench, connection, run), record, decided, now=now)[1]


def check_age(workbench: Workbench, run: RunRecord, now: pd.Timestamp) -> None:
    """Refuse to decide on a run that is older than ``forecast_max_age_h``."""
    age_h = (now - run.issued_at) / pd.Timedelta(hours=1)
    if age_h > workbench.settings.planning.forecast_max_age_h:
        raise RefusedError(
            f"the newest forecast, {run.run_id}, is {age_h:.0f} h old", what_to_do="Run first: 'gridlib run'."
        )


def refresh_record(
    workbench: Workbench,
    material: Material,
    record: PlanRecord,
    others: Sequence[PlanRecord],
    *,
    now: pd.Timestamp,
) -> tuple[Plan | None, Proof]:
    """Prove a plan on given material and bring its figures up to it; ``others`` keep their headroom."""
    return refresh_plan(
        material.network,
        material.forecast,
        record.plan,
        material.ambient_c,
        limits=workbench.settings.limits,
        rules=workbench.settings.planning,
        initial=material.initial,
        paths=material.paths,
        reserved=reserved_moves(others, but=record.plan.transformer_id),
        tz=workbench.settings.site.tz,
        now=now,
    )


def reserved_moves(records: Sequence[PlanRecord], *, but: str = "") -> tuple[Move, ...]:
    """Collect the moves whose headroom is spoken for: decided plans, of undecided ones the best each.

    ``but`` names the transformer whose own plans do not count.
    """
    return tuple(
        move
        for record in records
        if record.plan.transformer_id != but
        and (record.state is not PlanState.DRAFT or record.plan.rank == 1)
        for move in record.plan.moves
    )


def covered_by(record: PlanRecord) -> tuple[str, ...]:
    """Name the transformers that an open plan covers; an undecided alternative covers its own alone."""
    alternative = record.state is PlanState.DRAFT and record.plan.rank > 1
    return (record.plan.transformer_id, *(() if alternative else record.plan.relieves))


def is_over(workbench: Workbench, connection: Connection, record: PlanRecord) -> bool:
    """Tell whether the hours that a plan was meant for have passed."""
    if record.plan.needed_until is None:
        return False
    step = pd.Timedelta(minutes=workbench.settings.forecast.step_min)
    return bool(pd.Timestamp(record.plan.needed_until) + step <= clock.now(workbench, connection))
