"""What a person reads in the terminal after a run: the ranking, the best plan, where to go on."""

from collections.abc import Iterable, Sequence
from datetime import datetime

import pandas as pd
from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from gridlib.adapters.records.plans import PlanRecord
from gridlib.adapters.records.work_orders import WorkOrderRecord
from gridlib.domain.alerts import Alert
from gridlib.domain.lifecycle import UNDONE_STEPS
from gridlib.domain.planning import describe_chances
from gridlib.facts.messages import render, rendered
from gridlib.facts.types import Move, Plan, Side
from gridlib.workflow.queries import Queue

LEVEL_STYLE = {"HIGH": "bold red", "MEDIUM": "yellow", "LOW": "green"}


def print_table(
    console: Console, title: str, columns: Sequence[str], rows: Iterable[Sequence[object]]
) -> None:
    """Print a table; every cell is data and is escaped."""
    table = Table(
        title=title,
        title_justify="left",
        title_style="bold",
        box=box.SIMPLE_HEAD,
        pad_edge=False,
        padding=(0, 1, 0, 0),
    )
    for column in columns:
        table.add_column(column)
    for row in rows:
        level = next((str(cell) for cell in row if str(cell) in LEVEL_STYLE), "")
        table.add_row(*(escape(str(cell)) for cell in row), style=LEVEL_STYLE.get(level))
    console.print(table)


def _whole(value: float) -> str:
    return "-" if pd.isna(value) else f"{value:.0f}"


def local_time(moment: datetime | None, tz: str) -> str:
    """Write a UTC moment as local time, or a dash where there is none."""
    if moment is None or pd.isna(moment):
        return "-"
    return pd.Timestamp(moment).tz_convert(tz).strftime("%a %d %b %H:%M")


def print_ranking(console: Console, risk: pd.DataFrame, tz: str, *, top: int = 12) -> None:
    """Print the riskiest transformers with what a person asks first."""
    rows = [
        (
            r["transformer_id"],
            r["risk_level"],
            "IMMINENT" if r["imminent"] else "",
            f"{r['risk_score']:.2f}",
            f"{r['peak_pct_p50']:.0f}/{r['peak_pct_p90']:.0f}",
            local_time(r["first_over"], tz),
            r["hours_over"],
            f"{100 * r['p_any_1_72']:.0f}",
            _whole(r["hot_spot_c_max"]),
        )
        for r in risk.head(top).to_dict("records")
    ]
    left = len(risk) - len(rows)
    columns = ("unit", "level", "24 h", "score", "p50/p90 %", "first over", "h", "P %", "degC")
    print_table(console, "Transformers by risk in the hours ahead", columns, rows)
    if left > 0:
        console.print(f"  and {left} more")


def describe_moves(plan: Plan) -> str:
    """Say in one line what a plan moves where."""
    return "; ".join(
        f"{' '.join(switching_order(m))}: {', '.join(m.sections)} "
        f"from {m.from_transformer} to {m.to_transformer}"
        for m in plan.moves
    )


def switching_order(move: Move) -> tuple[str, str]:
    """Name the two operations of a move in the order in which they are done."""
    opening, closing = f"open {move.open_switch}", f"close {move.close_switch}"
    return (f"{closing},", opening) if move.closes_first else (f"{opening},", closing)


def element_rows(plan: Plan, tz: str) -> list[dict[str, str]]:
    """Write what AC power flow found as rows of a table; empty where there was none."""
    return [
        {
            "what": element.role,
            "where": element.object_id or "touched feeders",
            "before": _quantity(element.before, element.unit),
            "after": _quantity(element.after, element.unit),
            "limit": "-" if element.limit is None else _quantity(element.limit, element.unit),
            "at": element.scenario,
            "when": "-" if element.time is None else local_time(element.time, tz),
        }
        for element in plan.proof.elements
    ]


def _quantity(value: float, unit: str) -> str:
    return f"{value:.{3 if unit == 'pu' else 1 if unit == '%' else 0}f} {unit}"


def describe_sides(plan: Plan) -> str:
    """Say in one line how the median peak loading changes on each side."""
    return "; ".join(
        f"{s.transformer_id} from {s.peak_pct_p50_before:.0f} to {s.peak_pct_p50_after:.0f} %"
        for s in plan.sides
    )


def describe_limit(side: Side) -> str:
    """Say in a few words what one side may carry after a plan on the day of its peak, and what binds."""
    return f"{side.limit_pct:.0f} % {side.limit_by.replace('_', ' ')}"


def describe_relief(plan: Plan) -> str:
    """Say what a plan relieves, at which quantile, and what is left at p90; or what it returns."""
    if plan.returns:
        return f"takes {plan.returns} back"
    donor = plan.sides[0]
    quantile = "median" if any(side.hours_over_before for side in plan.sides) else "p90"
    text = (
        f"relieves {plan.relief_pct:.0f} % of the overload at {quantile} load ({plan.relieved_kvah:.0f} kVAh)"
    )
    if donor.peak_pct_p90_after > donor.limit_pct:
        text += f"; at p90 load {donor.transformer_id} still peaks at {donor.peak_pct_p90_after:.0f} %"
    return text


def describe_bound(plan: Plan) -> str:
    """Say how far a plan is from the best that switching could do; empty where the search did not say."""
    if plan.left_kvah is None or plan.bound_kvah is None or plan.gap_pct is None:
        return ""
    proven = {
        "proven": "proven best",
        "checked": "another way, checked",
        "cut_short": "best found in the time given",
    }
    return (
        f"leaves {plan.left_kvah:.1f} kVAh expected above {plan.aim_pct:.0f} % or the limit of the day "
        f"(derated), no switching of as many operations less than {plan.bound_kvah:.1f} "
        f"(gap {plan.gap_pct:.1f} %, {proven.get(plan.standing, 'checked single transfers')})"
    )


def print_plan(console: Console, record: PlanRecord) -> None:
    """Print one plan with both sides before and after."""
    plan = record.plan
    rows = [
        (
            side.transformer_id,
            side.role,
            f"{side.rating_kva:g}",
            describe_limit(side),
            f"{side.peak_pct_p50_before:.0f}>{side.peak_pct_p50_after:.0f}",
            f"{side.peak_pct_p90_before:.0f}>{side.peak_pct_p90_after:.0f}",
            f"{side.hours_over_before}>{side.hours_over_after}",
            f"{side.hot_spot_c_before:.0f}>{side.hot_spot_c_after:.0f}",
            f"{side.risk_before:.2f}>{side.risk_after:.2f}",
        )
        for side in plan.sides
    ]
    title = f"{record.plan_id} for {plan.transformer_id} ({record.state}): {describe_moves(plan)}"
    columns = ("unit", "side", "kVA", "limit", "p50 %", "p90 %", "h over", "degC", "risk")
    print_table(console, title, columns, rows)
    not_checked = ", ".join(rendered(plan.proof.not_checked)) or "nothing"
    console.print(
        f"  {describe_relief(plan)}; proof: {render(plan.proof.method)}; not checked: {not_checked}",
        markup=False,
    )
    console.print(f"  {render(describe_chances(plan))}", markup=False)
    if bound := describe_bound(plan):
        console.print(f"  {bound}", markup=False)
    for note in rendered(plan.proof.notes):
        console.print(f"  {note}", markup=False)


def print_queue(console: Console, queue: Queue, tz: str) -> None:
    """Print what waits for a decision or an action."""
    rows: list[tuple[object, ...]] = [
        ("decide", r.plan_id, r.plan.transformer_id, f"rank {r.plan.rank}", local_time(r.plan.decide_by, tz))
        for r in queue.drafts
    ]
    rows += [
        ("issue", r.plan_id, r.plan.transformer_id, f"approved by {r.approved_by}", "-")
        for r in queue.approved
    ]
    rows += [
        (
            "work",
            w.work_order_id,
            w.plan_id,
            f"{'OVERDUE, ' if w.work_order_id in queue.overdue else ''}{w.state}, {next_step(w)}",
            local_time(w.planned_until, tz),
        )
        for w in queue.orders
    ]
    rows += [
        ("settle", w.work_order_id, w.plan_id, "aborted, not switched back", "-") for w in queue.unsettled
    ]
    rows += [("acknowledge", name, "", "HIGH", "-") for name in queue.unacknowledged]
    if not rows:
        console.print("Nothing waits.")
        return
    print_table(console, "Waiting", ("to do", "what", "for", "state", "by"), rows)


def print_alerts(console: Console, alerts: Sequence[Alert], tz: str, now: datetime) -> None:
    """Print the alerts that stand, with how long each has been calling."""
    rows = [
        (
            alert.transformer_id,
            alert.risk_level,
            "IMMINENT" if alert.imminent else "",
            local_time(alert.since, tz),
            _attention(alert, tz, now),
        )
        for alert in alerts
    ]
    if not rows:
        console.print("No alerts.")
        return
    print_table(console, "Alerts", ("unit", "level", "24 h", "since", "attention"), rows)


def _attention(alert: Alert, tz: str, now: datetime) -> str:
    if alert.shelved_until is not None:
        until = local_time(alert.shelved_until, tz)
        return f"shelved by {alert.shelved_by} until {until}: {alert.shelved_reason}"
    if alert.acknowledged_by is not None:
        return f"acknowledged by {alert.acknowledged_by} {local_time(alert.acknowledged_at, tz)}"
    minutes = (pd.Timestamp(now) - alert.called_at) / pd.Timedelta(minutes=1)
    return f"{'ESCALATED, ' if alert.escalated else ''}waits for {minutes:.0f} min"


def print_history(console: Console, transformer_id: str, history: pd.DataFrame, tz: str) -> None:
    """Print all that happened to the alerts of one transformer, newest first."""
    rows = [
        (local_time(r["time"], tz), r["event"], r["risk_level"], r["by"], r["note"])
        for r in history.to_dict("records")
    ]
    print_table(console, f"Alerts of {transformer_id}", ("when", "what", "level", "by", "note"), rows)


def print_switches(console: Console, table: pd.DataFrame, tz: str) -> None:
    """Print switches, contradicted ones first, then unconfirmed ones."""
    order = table.assign(fine=table["mismatch"] == "").sort_values(["fine", "confirmed", "switch_id"])
    rows = [
        (
            r["switch_id"],
            r["kind"],
            r["state"] if r["state"] == r["normal_state"] else f"{r['state']} (normally {r['normal_state']})",
            f"{r['health']} {r['tags']}".strip(),
            r["source"] if r["confirmed"] else f"{r['source']}, NOT CONFIRMED",
            local_time(r["time"], tz),
            r["mismatch"],
        )
        for r in order.to_dict("records")
    ]
    columns = ("switch", "kind", "position", "health", "source", "reported", "contradicted by telemetry")
    print_table(console, "Switches", columns, rows)


def next_step(order: WorkOrderRecord) -> str:
    """Name the next step of a work order."""
    for step in order.steps:
        if step.state in UNDONE_STEPS:
            told = f", instructed to {step.instructed_to}" if step.instructed_to else ""
            return f"next step {step.step.number}: {step.step.verb} {step.step.device}{told}"
    return "all steps ended"
