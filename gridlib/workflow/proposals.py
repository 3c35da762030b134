"""New drafts and their switching sheets, for a run and for a person who asks for another plan."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from gridlib.adapters.records import plans
from gridlib.adapters.records.plans import PlanRecord
from gridlib.domain.network import cut_out
from gridlib.domain.study import ground_around, plan_ground, score_ground
from gridlib.facts.errors import RefusedError
from gridlib.facts.messages import render
from gridlib.facts.sheets import Instruction
from gridlib.facts.types import Plan
from gridlib.workbench import Workbench
from gridlib.workflow.audit import Intention
from gridlib.workflow.material import Material
from gridlib.workflow.open_plans import reserved_moves
from gridlib.workflow.studies import StudyBase


def save_drafts(
    workbench: Workbench, act: Intention, run_id: str, found: Iterable[Plan], *, prepared_by: str
) -> list[str]:
    """Keep plans as drafts inside an intention, each under a new number; return their ids."""
    year = act.at.tz_convert(workbench.settings.site.tz).year
    names = []
    for plan in found:
        number = workbench.store.next_number(act.connection, "plan", year)
        names.append(f"PLAN-{year}-{number:04d}")
        plans.save_plan(act.connection, names[-1], run_id, plan, prepared_by=prepared_by, created_at=act.at)
    return names


def write_sheets(
    workbench: Workbench, records: Sequence[PlanRecord], material: Material
) -> list[Instruction]:
    """Write the switching sheets of plans, for the loads of a run; only what the plans touch is looked at."""
    moves = [move for record in records for move in record.plan.moves]
    moved = {name for move in moves for name in move.sections}
    sections = material.network.sections
    touched = {name for move in moves for name in (move.from_transformer, move.to_transformer)}
    touched |= set(sections.loc[sections["section_id"].isin(moved), "transformer_id"])
    network = cut_out(material.network, touched)
    forecast = material.forecast[material.forecast["transformer_id"].isin(touched)]
    return [
        workbench.draft(
            record.plan,
            record.plan_id,
            network,
            forecast,
            tz=workbench.settings.site.tz,
            limits=workbench.settings.limits,
            rules=workbench.settings.planning,
            prepared_by=record.prepared_by,
            prepared_at=workbench.clock(),
        )
        for record in records
    ]


def other_plans(workbench: Workbench, base: StudyBase, plan: Plan) -> tuple[Plan, ...]:
    """Plan a transformer anew without the ties that a plan would close.

    Raises
    ------
    RefusedError
        Nothing else is found; says what forbids other transfers.
    """
    name, settings = plan.transformer_id, workbench.settings
    ground = ground_around(base.ground, name, reserved_moves(base.open_plans, but=name))
    risk = score_ground(ground, limits=settings.limits, tz=settings.site.tz, transformer_id=name)
    unwanted = [move.close_switch for move in plan.moves]
    switches = ground.network.switches
    rest = replace(ground.network, switches=switches[~switches["switch_id"].isin(unwanted)])
    case = plan_ground(
        replace(ground, network=rest),
        risk,
        limits=settings.limits,
        rules=settings.planning,
        tz=settings.site.tz,
        now=base.now,
    )
    if case is not None and case.plans:
        return case.plans
    why = "; ".join(render(w.reason) for w in case.why_not[:3]) if case else f"{name} is at LOW risk now"
    raise RefusedError(
        f"there is no other plan for {name}: {why or 'no other tie can be used'}",
        what_to_do="Approve the plan that waits, or reject it.",
    )
