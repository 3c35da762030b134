"""The outcome of a run and the details of a plan, for programs (``--json``) and for people."""

import os
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter
from rich.console import Console
from rich.markup import escape

from gridlib.adapters.records.plans import OPEN_PLAN_STATES, PlanRecord
from gridlib.apps.summary import element_rows, print_plan, print_ranking, print_table
from gridlib.facts.messages import Message, render, rendered
from gridlib.facts.sheets import Instruction
from gridlib.facts.types import Plan, PlanningCase, PlanState
from gridlib.workbench import Workbench
from gridlib.workflow import queries
from gridlib.workflow.queries import PlanFile

_PLAN = TypeAdapter(Plan)
_INSTRUCTION = TypeAdapter(Instruction | None)
_CASE = TypeAdapter(PlanningCase | None)
_ENGLISH = {"language": "en"}
"""Programs get sentences."""


def run_outcome(workbench: Workbench, run_id: str) -> dict[str, Any]:
    """Collect the result of a run as contracted for ``gridlib run --json``."""
    run = queries.get_run(workbench, run_id)
    counts = {stage: dict(record.counts) for stage, record in run.stages.items()}
    levels: dict[str, list[str]] = {"HIGH": [], "MEDIUM": [], "LOW": []}
    if "risk" in run.stages:
        risk = queries.get_risk(workbench, run_id)
        for level in levels:
            levels[level] = risk.loc[risk["risk_level"] == level, "transformer_id"].tolist()
    open_plans = queries.get_plans(workbench, states=OPEN_PLAN_STATES) if "planning" in run.stages else []
    forecast = counts.get("forecast", {})
    return {
        "run_id": run_id,
        "issued_at": run.issued_at.isoformat(),
        "readings": forecast.get("readings", 0),
        "forecasts": forecast.get("forecasts", 0),
        "horizon_h": workbench.settings.forecast.horizon_h,
        "findings": len(queries.get_findings(workbench, run_id)),
        "levels": levels,
        "blind_spots": queries.get_blind_spots(workbench, run_id) if "risk" in run.stages else {},
        "plans": [_plan_line(record) for record in open_plans],
        "notice": workbench.settings.site.notice,
    }


def _plan_line(record: PlanRecord) -> dict[str, Any]:
    body = _PLAN.dump_python(record.plan, mode="json", context=_ENGLISH)
    kept = ["transformer_id", "rank", "moves", "relieves", "relief_pct", "risk_before", "risk_after", "proof"]
    kept += ["p_holds", "p_clear_before", "p_clear_after", "as_if_independent"]
    kept += ["sides", "aim_pct", "left_kvah", "bound_kvah", "gap_pct", "standing"]
    return {"plan_id": record.plan_id, "state": record.state, **{key: body[key] for key in kept}}


def print_outcome(console: Console, workbench: Workbench, run_id: str, report: Path | None) -> None:
    """Print the ranking, the best plan of the worst transformer, and how to go on."""
    tz, home = workbench.settings.site.tz, workbench.settings.home
    run = queries.get_run(workbench, run_id)
    if "risk" not in run.stages:
        console.print(f"{run_id}: {', '.join(run.stages)} done")
        return
    risk = queries.get_risk(workbench, run_id)
    if workbench.settings.site.notice:
        console.print(workbench.settings.site.notice, markup=False, style="italic")
    print_ranking(console, risk, tz)
    for name, why in queries.get_blind_spots(workbench, run_id).items():
        console.print(f"{name} {why}", markup=False, style="bold red")
    open_plans = queries.get_plans(workbench, states=OPEN_PLAN_STATES)
    best = {r.plan.transformer_id: r for r in reversed(open_plans)}
    worst = next((best[name] for name in risk["transformer_id"] if name in best), None)
    if worst is not None:
        console.print()
        print_plan(console, worst)
    elif "planning" in run.stages:
        console.print("\nNo load transfer helps or is needed; see 04_planning for what was refused and why.")
    if report is not None:
        console.print(f"\nReport: {report}", soft_wrap=True, markup=False)
    words = ["queue"]
    if worst is not None and worst.state is PlanState.DRAFT:
        words = ["serve", f"approve {worst.plan_id} --by operator"]
    for lead, command in zip(("Next:", "  or "), words, strict=False):
        console.print(f"{lead} {_as_typed(command, home)}", soft_wrap=True, markup=False)
    if workbench.first_passwords_path.exists():
        console.print(f"Sign in with a name and password of {workbench.first_passwords_path}", soft_wrap=True)


def _as_typed(command: str, home: Path) -> str:
    """Write a command so that it can be copied into this very shell."""
    program = "gridlib" if shutil.which("gridlib") else os.path.relpath(sys.argv[0])
    return f"{program} {command}" + ("" if home == Path.cwd() else f" --home {home}")


def plan_details(file: PlanFile) -> dict[str, Any]:
    """Collect one plan with its sheet and what was refused."""
    return {
        "plan_id": file.record.plan_id,
        "state": file.record.state,
        "reason": file.record.reason,
        "plan": _PLAN.dump_python(file.record.plan, mode="json", context=_ENGLISH),
        "instruction": _INSTRUCTION.dump_python(file.instruction, mode="json", context=_ENGLISH),
        "case": _CASE.dump_python(file.case, mode="json", context=_ENGLISH),
        "work_orders": [order.work_order_id for order in file.work_orders],
    }


def print_details(console: Console, file: PlanFile, tz: str, limits: Sequence[Message] = ()) -> None:
    """Print one plan in full; ``limits`` is what is said of the transformer it is for."""
    print_plan(console, file.record)
    if limits:
        said = "; ".join(render(message) for message in limits)
        console.print(f"  {file.record.plan.transformer_id}: {said}", markup=False)
    if found := element_rows(file.record.plan, tz):
        title = "AC power flow, worst hour in the state that stays"
        print_table(console, title, tuple(found[0]), [tuple(row.values()) for row in found])
    if file.record.reason:
        console.print(f"  {escape(file.record.reason)}")
    sheet = file.instruction
    if sheet is not None:
        rows = [
            (s.number, s.verb, s.device, render(s.text), render(s.expected), render(s.if_it_fails))
            for s in sheet.steps
        ]
        print_table(console, render(sheet.title), ("", "verb", "device", "do", "expect", "if it fails"), rows)
        back = [(s.number, s.verb, s.device, render(s.text)) for s in sheet.rollback]
        print_table(console, "Rollback", ("", "verb", "device", "do"), back)
        for line in rendered((*sheet.checklist, *sheet.abort_triggers, *sheet.notes)):
            console.print(f"  - {escape(line)}")
    if file.case is not None:
        refused = [(w.code, render(w.reason)) for w in file.case.why_not]
        print_table(console, "Why not", ("code", "reason"), refused)
        for line in rendered(file.case.other_measures):
            console.print(f"  - {escape(line)}")
