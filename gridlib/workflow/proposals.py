"""New drafts and their switching sheets, for a run and for a person who asks for another plan."""

from collections.abc import Iterable

from gridlib.adapters.records import plans
from gridlib.adapters.records.plans import PlanRecord
from gridlib.facts.sheets import Instruction
from gridlib.facts.types import Plan
from gridlib.workbench import Workbench
from gridlib.workflow.audit import Intention
from gridlib.workflow.material import Material


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


def write_sheet(workbench: Workbench, record: PlanRecord, material: Material) -> Instruction:
    """Write the switching sheet of a plan, for the loads of a run."""
    return workbench.draft(
        record.plan,
        record.plan_id,
        material.network,
        material.forecast,
        tz=workbench.settings.site.tz,
        limits=workbench.settings.limits,
        rules=workbench.settings.planning,
        prepared_by=record.prepared_by,
        prepared_at=workbench.clock(),
    )
