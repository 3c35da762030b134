"""One transformer: its risk in numbers and words, what is planned for it, and what an operator can do."""

import pandas as pd

from gridlib.apps.html import MISSING, Html, escape
from gridlib.apps.message_html import message_html, messages_html
from gridlib.apps.screens.control_room.fleet import alerts_by_transformer, risk_of, substation_names
from gridlib.apps.screens.control_room.ranking import alert_state
from gridlib.apps.screens.frame import ltr
from gridlib.apps.screens.visit import Visit
from gridlib.domain.alerts import Alert
from gridlib.domain.risk import limit_message
from gridlib.facts.messages import from_json
from gridlib.facts.types import Limits, PlanState, Role
from gridlib.workflow import queries

_SHELF_H = (1, 2, 4, 8, 12, 24)
_OFFERED = (PlanState.DRAFT, PlanState.APPROVED, PlanState.ISSUED, PlanState.PARTIAL)


def unit(visit: Visit) -> Html:
    """Draw the chosen transformer."""
    name = visit.state.get("unit", "")
    if not name:
        return Html(f'<p class="quiet">{visit.say("room.choose")}</p>')
    row = risk_of(visit, name)
    if row is None:
        return Html(f'<p class="fault">{visit.say("room.unknown", unit=name)}</p>')
    alert = alerts_by_transformer(visit).get(name)
    home = substation_names(visit).get(str(row["substation_id"]), "")
    soon = visit.badge("IMMINENT") + " " if row["imminent"] else ""
    reasons = from_json(str(row["messages"]))
    limit = limit_message(row)
    said = f"<h3>{visit.say('room.why')}</h3>{messages_html(reasons, visit.language)}"
    if limit:
        said += f"<p>{message_html(limit, visit.language)}</p>"
    terms = _terms(visit, row, visit.workbench.settings.limits)
    return Html(
        f'<h2 id="unit">{ltr(name)} <span class="quiet">{escape(home)}</span></h2>'
        f'<p class="large">{soon}{visit.badge(row["risk_level"])} '
        f"{visit.say('room.score', score=row['risk_score'])} · {alert_state(visit, alert)}</p>"
        f'{_forms(visit, name, alert)}{_plans(visit, name)}<div class="columns"><div>{said}</div>'
        f"<div>{terms}{_figures(visit, row)}</div></div>"
    )


def _forms(visit: Visit, name: str, alert: Alert | None) -> Html:
    if alert is None or Role.OPERATOR not in visit.user.roles:
        return Html()
    hidden = (
        f'<input type="hidden" name="unit" value="{escape(name)}">'
        f'<input type="hidden" name="rev" value="{alert.rev}">'
    )
    if alert.shelved_by is not None:
        shelved = f"<p>{visit.say('room.shelved_because', reason=alert.shelved_reason)}</p>"
        return Html(
            f'{shelved}<form id="unshelve" class="row" data-action="unshelve">{hidden}'
            f"<button>{visit.say('room.unshelve')}</button></form>"
        )
    noted = visit.draft(f"acknowledge:{name}")
    reasoned = visit.draft(f"shelve:{name}")
    longest = visit.workbench.settings.decisions.shelve_max_h
    hours = "".join(
        f'<option value="{h}"{" selected" if reasoned.get("hours") == str(h) else ""}>'
        f"{visit.say('room.shelve_hours', hours=h)}</option>"
        for h in _SHELF_H
        if h <= longest
    )
    acknowledge = (
        f'<form id="acknowledge" class="row" data-action="acknowledge" data-fresh '
        f'data-draft="acknowledge:{escape(name)}">{hidden}'
        f'<label>{visit.say("room.note")} <input id="note" name="note" maxlength="500" '
        f'value="{escape(noted.get("note", ""))}"></label>'
        f'<button class="go">{visit.say("room.acknowledge")}</button></form>'
        if alert.waits
        else ""
    )
    return Html(
        f'{acknowledge}<details id="shelving"><summary>{visit.say("room.shelve_open")}</summary>'
        f'<form id="shelve" class="row" data-action="shelve" data-fresh '
        f'data-draft="shelve:{escape(name)}">{hidden}'
        f'<label>{visit.say("room.reason")} <input id="reason" name="reason" required maxlength="500" '
        f'value="{escape(reasoned.get("reason", ""))}"></label>'
        f'<label>{visit.say("room.until")} <select id="hours" name="hours">{hours}</select></label>'
        f"<button>{visit.say('room.shelve')}</button></form></details>"
    )


def _plans(visit: Visit, name: str) -> Html:
    found = queries.get_plans(visit.workbench, transformer_id=name, states=_OFFERED)
    links = "".join(
        f'<li><a href="decision_desk.ipynb#plan={escape(record.plan_id)}">{ltr(record.plan_id)}</a> '
        f"{visit.word('plan.state', record.state)}</li>"
        for record in found
    )
    return Html(f'<div class="plans">{visit.say("room.plans")}<ul>{links}</ul></div>' if links else "")


def _terms(visit: Visit, row: pd.Series, limits: Limits) -> Html:
    weights = {
        "overload": limits.weight_overload,
        "thermal": limits.weight_thermal,
        "cascading": limits.weight_cascading,
    }
    rows = "".join(
        f'<tr><th scope="row">{visit.say(f"room.term.{term}")}</th>'
        f'<td class="number">{ltr(f"{row[term]:.2f}")}</td><td class="number">{ltr(f"× {weight:g}")}</td>'
        f'<td class="number">{ltr(f"{weight * row[term]:.2f}")}</td>'
        f'<td><div class="meter"><span style="inline-size:{100 * weight * row[term]:.0f}%"></span></div></td>'
        "</tr>"
        for term, weight in weights.items()
    )
    heads = "".join(
        f'<th scope="col">{visit.say(f"room.terms.{head}")}</th>'
        for head in ("term", "value", "weight", "adds")
    )
    return Html(
        f'<table class="terms"><caption>{visit.say("room.terms", score=row["risk_score"])}</caption>'
        f"<thead><tr>{heads}<td></td></tr></thead><tbody>{rows}</tbody></table>"
    )


def _figures(visit: Visit, row: pd.Series) -> Html:
    figures = {
        "rating": f"{row['rating_kva']:,.0f} kVA",
        "limit": _number(row["limit_kva"], ",.0f", " kVA"),
        "peak": f"{row['peak_pct_p50']:.0f} / {row['peak_pct_p90']:.0f} %",
        "hours_over": f"{row['hours_over']} h",
        "chance_24": f"{100 * row['p_any_1_24']:.0f} %",
        "chance_72": f"{100 * row['p_any_24_72']:.0f} %",
        "hot_spot": _number(row["hot_spot_c_max"], ".0f", " °C"),
        "life": _number(row["loss_of_life_d"], ".1f", " d"),
        "confidence": _number(row["confidence"], ".2f", ""),
    }
    pairs = "".join(
        f"<div><dt>{visit.say(f'room.figure.{name}')}</dt><dd>{ltr(text)}</dd></div>"
        for name, text in figures.items()
    )
    peak_at = f"<div><dt>{visit.say('room.figure.peak_at')}</dt><dd>{visit.when(row['peak_time'])}</dd></div>"
    first = f"<div><dt>{visit.say('room.head.first_over')}</dt><dd>{visit.when(row['first_over'])}</dd></div>"
    return Html(f'<dl class="figures">{pairs}{peak_at}{first}</dl>')


def _number(value: float, spec: str, unit: str) -> str:
    return MISSING if pd.isna(value) else f"{value:{spec}}{unit}"
