"""What the decision desk shows of a plan, as escaped HTML."""

from collections.abc import Mapping
from pathlib import Path

from gridlib.adapters.records.people import UserRecord
from gridlib.adapters.records.work_orders import WorkOrderRecord
from gridlib.apps.html import Html, badge, escape, table
from gridlib.apps.summary import (
    describe_bound,
    describe_limit,
    describe_relief,
    element_rows,
    local_time,
    switching_order,
)
from gridlib.domain.planning import describe_chances
from gridlib.facts.errors import NotFoundError
from gridlib.facts.messages import render
from gridlib.facts.sheets import Instruction, Step
from gridlib.facts.types import Plan, PlanningCase, Side
from gridlib.workbench import Workbench
from gridlib.workflow import queries
from gridlib.workflow.queries import PlanFile

STYLE = Html(f"<style>{(Path(__file__).parent / 'screen.css').read_text(encoding='utf-8')}</style>")
_FULL_PCT = 150
"""Loading at the right end of a bar [%]."""


def levels(workbench: Workbench) -> dict[str, tuple[int, str]]:
    """Rank and level word of each transformer in the newest run."""
    try:
        risk = queries.get_risk(workbench)
    except NotFoundError:
        return {}
    return {
        name: (i, str(level))
        for i, (name, level) in enumerate(zip(risk["transformer_id"], risk["risk_level"], strict=True))
    }


def header(workbench: Workbench, user: UserRecord) -> Html:
    """Say where we are, who acts, and how old the forecast is."""
    site = workbench.settings.site
    notice = f'<p class="gridlib-notice">{escape(site.notice)}</p>' if site.notice else ""
    try:
        run = queries.get_run(workbench, stage="risk")
        made = f"Forecast {escape(run.run_id)} from {local_time(run.issued_at, workbench.settings.site.tz)}"
    except NotFoundError:
        made = "No forecast yet: run the stages first"
    return Html(
        f'<div class="gridlib-head"><b>{escape(site.name)}</b> · '
        f"Acting as <b>{escape(user.username)}</b> ({escape(', '.join(user.roles))}) · {made} · times in "
        f"{escape(site.tz)}{notice}</div>"
    )


def sections(workbench: Workbench, file: PlanFile) -> list[tuple[str, Html]]:
    """Build the parts of the screen for one plan: title and HTML, the first one always open."""
    record, plan = file.record, file.record.plan
    parts = [(f"{record.plan_id} for {plan.transformer_id}", _summary(workbench, file))]
    for order in file.work_orders[-1:]:
        parts.append((f"Work order {order.work_order_id}: {order.state}", _order(workbench, order)))
    if file.instruction is not None:
        parts += _sheet(file.instruction)
    if file.case is not None:
        parts.append((f"Why not otherwise ({len(file.case.why_not)})", _why_not(file.case)))
    return parts


def sections_without_plan(workbench: Workbench, transformer_id: str) -> list[tuple[str, Html]]:
    """Build the parts of the screen for a transformer at risk that no transfer helps."""
    run = queries.get_run(workbench, stage="risk")
    case = queries.get_case(workbench, run.run_id, transformer_id)
    parts = [(f"{transformer_id}: no load transfer helps", _risk(workbench, transformer_id))]
    if case is not None:
        elsewhere = [why.reason for why in case.why_not if why.code == "relieved_elsewhere"]
        parts[0] = (next(iter(elsewhere), parts[0][0]), Html(parts[0][1] + _lines(_do_nothing(case))))
        parts.append((f"Why not ({len(case.why_not)})", _why_not(case)))
    return parts


def _risk(workbench: Workbench, transformer_id: str) -> Html:
    risk = queries.get_risk(workbench)
    parts = []
    for row in risk.loc[risk["transformer_id"] == transformer_id].to_dict("records"):
        limits = (render(message) for message in queries.get_limit_messages(workbench, transformer_id))
        said = "".join(f"<li>{escape(line)}</li>" for line in (*row["reasons"], *limits))
        soon = " " + badge("IMMINENT") if row["imminent"] else ""
        score = f"score {row['risk_score']:.2f}"
        parts.append(f"<p>{badge(row['risk_level'])}{soon} {score}</p><ul>{said}</ul>")
    return Html("".join(parts))


def _summary(workbench: Workbench, file: PlanFile) -> Html:
    record, plan = file.record, file.record.plan
    moves = "".join(f"<li>{escape(text)}</li>" for text in _moves(plan))
    return Html(
        f"<p>{badge(record.state)} {escape(record.reason)}</p>{_risk(workbench, plan.transformer_id)}"
        f"<p><b>What it does</b></p><ol>{moves}</ol>{_sides(plan)}"
        f"{_elements(plan, workbench.settings.site.tz)}{_facts(workbench, plan, file.case)}"
    )


def _moves(plan: Plan) -> list[str]:
    return [
        f"First {' then '.join(switching_order(m))}: {', '.join(m.sections)} goes from "
        f"{m.from_transformer} to {m.to_transformer}"
        for m in plan.moves
    ]


def _elements(plan: Plan, tz: str) -> Html:
    rows = element_rows(plan, tz)
    return table(rows, caption="AC power flow, worst hour in the state that stays") if rows else Html("")


def _sides(plan: Plan) -> Html:
    names = (
        "transformer",
        "nameplate",
        "may carry",
        "side",
        "when",
        "peak loading",
        "p50 / p90",
        "hours over",
        "hot spot",
        "risk",
    )
    head = "".join(f'<th scope="col">{name}</th>' for name in names)
    rows = "".join(_side_rows(side) for side in plan.sides)
    caption = "<caption>Before and after, both sides</caption>"
    return Html(f"<table>{caption}<thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>")


def _side_rows(side: Side) -> str:
    before = (
        side.peak_pct_p50_before,
        side.peak_pct_p90_before,
        side.hours_over_before,
        side.hot_spot_c_before,
        side.risk_before,
    )
    after = (
        side.peak_pct_p50_after,
        side.peak_pct_p90_after,
        side.hours_over_after,
        side.hot_spot_c_after,
        side.risk_after,
    )
    cells = []
    for when, (p50, p90, hours, hot_spot, risk) in (("before", before), ("after", after)):
        first = (
            f'<td>{escape(side.transformer_id)}</td><td class="number">{side.rating_kva:g} kVA</td>'
            f"<td>{escape(describe_limit(side))}</td><td>{escape(side.role)}</td>"
            if when == "before"
            else "<td></td>" * 4
        )
        cells.append(
            f"<tr>{first}<td>{when}</td><td>{_bar(p50, p90, side.limit_pct, when)}</td>"
            f'<td class="number">{p50:.0f} % / {p90:.0f} %</td><td class="number">{hours}</td>'
            f'<td class="number">{hot_spot:.0f} degC</td><td class="number">{risk:.2f}</td></tr>'
        )
    return "".join(cells)


def _bar(p50: float, p90: float, limit_pct: float, when: str) -> str:
    def width(pct: float) -> float:
        return min(max(pct, 0), _FULL_PCT) / _FULL_PCT * 100

    colour = "#7b8794" if when == "before" else "#0b57a4"
    return (
        f'<div class="bar" role="img" aria-label="{p50:.0f} percent, limit {limit_pct:.0f} percent">'
        f'<span style="width:{width(p90):.1f}%;background:{colour}55"></span>'
        f'<span style="width:{width(p50):.1f}%;background:{colour}"></span>'
        f'<i style="left:{width(limit_pct):.1f}%"></i></div>'
    )


def _facts(workbench: Workbench, plan: Plan, case: PlanningCase | None) -> Html:
    tz = workbench.settings.site.tz
    not_checked = ", ".join(plan.proof.not_checked) or "nothing"
    lines = [
        f"Net risk of all touched transformers {plan.risk_before:.2f} before, {plan.risk_after:.2f} after; "
        f"it {describe_relief(plan)}.",
        f"It {describe_chances(plan)}.",
        f"Proof: {plan.proof.method}, every hour at p10, p50 and p90; least margin left "
        f"{plan.proof.margin_pct:.0f} % of a receiver's rating. NOT CHECKED: {not_checked}.",
        f"{plan.operations} switching operations; about {plan.interrupted_customers} customers are off "
        "between opening and closing.",
        *(f"{note}." for note in plan.proof.notes),
        f"Needed from {local_time(plan.needed_from, tz)} to {local_time(plan.needed_until, tz)}; "
        f"decide by {local_time(plan.decide_by, tz)}.",
    ]
    if bound := describe_bound(plan):
        lines.insert(1, f"It {bound}.")
    if plan.relieves[1:]:
        lines.insert(1, f"It relieves {', '.join(plan.relieves)}.")
    if plan.switch_at is not None:
        lines.append(
            f"Least load to switch at {local_time(plan.switch_at, tz)}; last hour to switch back "
            f"{local_time(plan.switch_back_by, tz)}."
        )
    return _lines([*lines, *(_do_nothing(case) if case is not None else ())])


def _do_nothing(case: PlanningCase) -> list[str]:
    numbers = case.do_nothing
    if not numbers:
        return []
    return [
        f"Plan 0, do nothing: {numbers['hours_over_p50']:.0f} hours over the limit (p90: "
        f"{numbers['hours_over_p90']:.0f}), peak {numbers['peak_pct_p50']:.0f} % (p90: "
        f"{numbers['peak_pct_p90']:.0f} %)" + _heat(numbers)
    ]


def _heat(numbers: Mapping[str, float | None]) -> str:
    hot_spot_c, life_d = numbers.get("hot_spot_c_max"), numbers.get("loss_of_life_d")
    if hot_spot_c is None or life_d is None:
        return ", temperatures not known."
    return f", hot spot {hot_spot_c:.0f} degC, {life_d:.1f} days of life used."


def _lines(lines: list[str]) -> Html:
    return Html("<ul>" + "".join(f"<li>{escape(line)}</li>" for line in lines) + "</ul>")


def _order(workbench: Workbench, order: WorkOrderRecord) -> Html:
    rows = [
        {
            "no": s.step.number,
            "do": f"{s.step.verb} {s.step.device}: {s.step.text}",
            "state": str(s.state),
            "by": s.ended_by or "",
            "at": local_time(s.ended_at, workbench.settings.site.tz),
            "reading": " ".join(part for part in (s.reading, s.remark) if part),
        }
        for s in order.steps
    ]
    issued = f"issued by {order.issued_by} at {local_time(order.issued_at, workbench.settings.site.tz)}"
    return Html(f"<p>{escape(f'Crew {order.crew}; {issued}. {order.outcome}')}</p>" + table(rows))


def _sheet(sheet: Instruction) -> list[tuple[str, Html]]:
    notes = "".join(f"<li>{escape(line)}</li>" for line in (*sheet.notes, *sheet.abort_triggers))
    checks = "".join(f"<li>{escape(line)}</li>" for line in sheet.checklist)
    return [
        (
            f"Steps ({len(sheet.steps)})",
            Html(f"<p>{escape(sheet.purpose)}</p>" + _steps(sheet.steps) + f"<ul>{notes}</ul>"),
        ),
        (f"Safety checklist ({len(sheet.checklist)})", Html(f"<ul>{checks}</ul>")),
        (f"Rollback ({len(sheet.rollback)})", _steps(sheet.rollback)),
    ]


def _steps(steps: tuple[Step, ...]) -> Html:
    rows = [
        {
            "no": s.number,
            "verb": s.verb + (" (HOLD)" if s.hold_point else ""),
            "device": s.device,
            "do": s.text,
            "expect": s.expected,
            "if it fails": s.if_it_fails,
        }
        for s in steps
    ]
    return table(rows)


def _why_not(case: PlanningCase) -> Html:
    rows = [
        {
            "transfer": "; ".join(
                f"open {m.open_switch}, close {m.close_switch} to {m.to_transformer}" for m in w.moves
            ),
            "binds": w.code,
            "reason": w.reason,
        }
        for w in case.why_not
    ]
    others = "".join(f"<li>{escape(line)}</li>" for line in case.other_measures)
    return Html((table(rows) if rows else "<p>No other transfer exists.</p>") + f"<ul>{others}</ul>")
