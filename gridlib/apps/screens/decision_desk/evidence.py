"""What a plan does to both sides, what its proof looked at, and both in a picture."""

from gridlib.apps.html import MISSING, Html, escape
from gridlib.apps.message_html import message_html, messages_html
from gridlib.apps.screens.frame import ltr, place
from gridlib.apps.screens.visit import Visit
from gridlib.apps.study.pictures import draw_picture
from gridlib.facts.errors import NotFoundError, RefusedError
from gridlib.facts.messages import listed
from gridlib.facts.types import Plan, Side
from gridlib.workflow import queries

_FULL_PCT = 150
"""Loading at the end of a bar [%]."""


def evidence(visit: Visit) -> Html:
    """Draw both sides before and after, what AC power flow found, and what was not checked."""
    plan_id = visit.state.get("plan", "")
    if not plan_id:
        return Html()
    plan = queries.get_plan(visit.workbench, plan_id).record.plan
    return Html(f"{_sides(visit, plan)}{_elements(visit, plan)}{_proof(visit, plan)}")


def sketches(visit: Visit) -> Html:
    """Leave a blank place for the picture, a new one for another plan, state or data."""
    plan_id = visit.state.get("plan", "")
    if not plan_id or visit.memory is None:
        return Html()
    rev = queries.get_plan(visit.workbench, plan_id).record.rev
    shown = " ".join((plan_id, str(rev), *visit.memory.version))
    return Html(f'<div data-of="{escape(shown)}">{place("pictures")}</div>')


def pictures(visit: Visit) -> Html:
    """Draw the load of both sides before and after."""
    plan_id = visit.state.get("plan", "")
    if not plan_id:
        return Html()
    try:
        drawn = Html(
            draw_picture(visit.workbench, visit.known, "both_sides", plan_id=plan_id, language=visit.language)
        )
    except (NotFoundError, RefusedError):
        return Html(f'<p class="quiet">{visit.say("desk.no_picture")}</p>')
    return Html(f'<div class="picture" tabindex="0">{drawn}</div>')


def _sides(visit: Visit, plan: Plan) -> Html:
    names = ("unit", "limit", "when", "loading", "peak", "hours", "hot_spot", "risk")
    head = "".join(f'<th scope="col">{visit.say(f"desk.side.{name}")}</th>' for name in names)
    rows = "".join(_side_rows(visit, side) for side in plan.sides)
    return Html(
        f'<div class="wide" tabindex="0" role="region" aria-label="{visit.text("desk.sides")}">'
        f'<table class="sides"><caption>{visit.say("desk.sides")}</caption>'
        f"<thead><tr>{head}</tr></thead>{rows}</table></div>"
    )


def _side_rows(visit: Visit, side: Side) -> str:
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
    binds = visit.word("picture.by", side.limit_by)
    rows = []
    for when, (p50, p90, hours, hot_spot, risk) in (("before", before), ("after", after)):
        first = (
            f'<th scope="rowgroup" rowspan="2">{ltr(side.transformer_id)}<br><span class="quiet">'
            f"{visit.word('desk.role', side.role)} · {ltr(f'{side.rating_kva:g} kVA')}</span></th>"
            f'<td rowspan="2">{ltr(f"{side.limit_pct:.0f} %")} {binds}</td>'
            if when == "before"
            else ""
        )
        over = " over" if p50 > side.limit_pct else ""
        rows.append(
            f'<tr class="{when}{over}">{first}<td>{visit.say(f"desk.{when}")}</td>'
            f"<td>{_bar(visit, p50, p90, side.limit_pct)}</td>"
            f'<td class="number">{ltr(f"{p50:.0f} / {p90:.0f} %")}</td><td class="number">{ltr(hours)}</td>'
            f'<td class="number">{ltr(f"{hot_spot:.0f} °C")}</td>'
            f'<td class="number">{ltr(f"{risk:.2f}")}</td></tr>'
        )
    return f"<tbody>{''.join(rows)}</tbody>"


def _bar(visit: Visit, p50: float, p90: float, limit_pct: float) -> str:
    def width(pct: float) -> float:
        return min(max(pct, 0), _FULL_PCT) / _FULL_PCT * 100

    label = visit.text("desk.bar", p50=p50, p90=p90, limit=limit_pct)
    return (
        f'<div class="bar" role="img" aria-label="{label}">'
        f'<span class="p90" style="inline-size:{width(p90):.1f}%"></span>'
        f'<span style="inline-size:{width(p50):.1f}%"></span>'
        f'<i style="inset-inline-start:{width(limit_pct):.1f}%"></i></div>'
    )


def _elements(visit: Visit, plan: Plan) -> Html:
    if not plan.proof.elements:
        return Html()
    rows = "".join(
        f"<tr><td>{visit.word('element', found.role)}</td><td>{ltr(found.object_id or MISSING)}</td>"
        f'<td class="number">{_quantity(found.before, found.unit)}</td>'
        f'<td class="number">{_quantity(found.after, found.unit)}</td>'
        f'<td class="number">{_quantity(found.limit, found.unit)}</td>'
        f"<td>{visit.word('scenario', found.scenario)}</td><td>{visit.when(found.time)}</td></tr>"
        for found in plan.proof.elements
    )
    names = ("what", "where", "before", "after", "limit", "scenario", "when")
    head = "".join(f'<th scope="col">{visit.say(f"desk.element.{name}")}</th>' for name in names)
    return Html(
        f'<details id="elements" open><summary>{visit.say("desk.elements")}</summary>'
        f'<div class="wide" tabindex="0" role="region" aria-label="{visit.text("desk.elements")}">'
        f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div></details>"
    )


def _quantity(value: float | None, unit: str) -> Html:
    if value is None:
        return escape(MISSING)
    return ltr(f"{value:.{3 if unit == 'pu' else 1 if unit == '%' else 0}f} {unit}")


def _proof(visit: Visit, plan: Plan) -> Html:
    missing = (
        f"<p><strong>{visit.say('desk.not_checked')}</strong> "
        f"{message_html(listed(plan.proof.not_checked), visit.language)}</p>"
        if plan.proof.not_checked
        else ""
    )
    return Html(
        f"{missing}<details id=proof><summary>{visit.say('desk.proof')}</summary>"
        f"{messages_html((plan.proof.method, *plan.proof.notes), visit.language)}</details>"
    )
