"""The ranking: counts at a glance, filters, and the riskiest transformers with the reason of each."""

from collections.abc import Hashable, Mapping
from typing import Any

import pandas as pd

from gridlib.apps.html import MISSING, Html, escape
from gridlib.apps.message_html import message_html
from gridlib.apps.screens.control_room.fleet import (
    alerts_by_transformer,
    risk_table,
    substation_names,
)
from gridlib.apps.screens.frame import ltr
from gridlib.apps.screens.visit import Visit
from gridlib.domain.alerts import Alert
from gridlib.facts.messages import from_json
from gridlib.facts.types import RiskLevel

SHOWN = 25
"""Transformers shown at first, and added by each "show more"."""

_MOST_SHOWN = 500
LEVELS = ("IMMINENT", *reversed(RiskLevel))


def tiles(visit: Visit) -> Html:
    """Draw the counts that are read from across the room; each leads to those it counts."""
    risk = risk_table(visit)
    waiting = _unseen(visit)
    counts = {
        "IMMINENT": int(risk["imminent"].sum()),
        "HIGH": int((risk["risk_level"] == "HIGH").sum()),
        "MEDIUM": int((risk["risk_level"] == "MEDIUM").sum()),
    }
    drawn = [
        _tile(visit, level, visit.badge(level), str(count), tone=level.lower() if count else "calm")
        for level, count in counts.items()
    ]
    oldest = min((alert.called_at for alert in waiting), default=None)
    since = "" if oldest is None else f" <small>{_timer(visit, oldest)}</small>"
    drawn.append(
        _tile(
            visit,
            "UNSEEN",
            visit.say("room.unseen"),
            f"{len(waiting)}{since}",
            tone="unseen" if waiting else "calm",
        )
    )
    return Html(f'<ul class="tiles">{"".join(drawn)}</ul>')


def _unseen(visit: Visit) -> list[Alert]:
    return [
        alert
        for alert in alerts_by_transformer(visit).values()
        if alert.waits and alert.risk_level is RiskLevel.HIGH
    ]


def _tile(visit: Visit, level: str, name: Html, count: str, *, tone: str) -> Html:
    chosen = visit.state.get("level") == level
    address = visit.address(level="" if chosen else level, shown="")
    current = ' aria-current="true"' if chosen else ""
    return Html(
        f'<li><a id="tile-{level}" class="tile {tone}" href="{address}"{current}>'
        f'<span class="count" dir="ltr">{count}</span>{name}</a></li>'
    )


def _timer(visit: Visit, since: pd.Timestamp) -> Html:
    return Html(
        f'<span class="timer"><span dir="ltr" data-since="{since.isoformat()}"></span> '
        f"{visit.say('room.hours')}</span>"
    )


def filters(visit: Visit) -> Html:
    """Draw the filters: search, substation, level."""
    names = substation_names(visit)
    chosen_level, chosen_home = visit.state.get("level", ""), visit.state.get("substation", "")
    levels = {level: visit.say(f"level.{level}") for level in LEVELS} | {"UNSEEN": visit.say("room.unseen")}
    return Html(
        '<form class="row" data-state id="filters" role="search">'
        f'<label>{visit.say("room.search")} <input id="search" type="search" name="search" '
        f'value="{escape(visit.state.get("search", ""))}" autocomplete="off"></label>'
        f"<label>{visit.say('room.substation')} {_select('substation', names, chosen_home, visit)}</label>"
        f"<label>{visit.say('room.level')} {_select('level', levels, chosen_level, visit)}</label></form>"
    )


def _select(name: str, options: Mapping[str, str], chosen: str, visit: Visit) -> Html:
    drawn = f'<option value="">{visit.say("room.all")}</option>' + "".join(
        f'<option value="{escape(value)}"{" selected" if value == chosen else ""}>{escape(word)}</option>'
        for value, word in options.items()
    )
    return Html(f'<select id="{name}" name="{name}">{drawn}</select>')


def ranking(visit: Visit) -> Html:
    """Draw the riskiest transformers that pass the filters."""
    risk, alerts = risk_table(visit), alerts_by_transformer(visit)
    passed = _filtered(visit, risk)
    count = _shown(visit)
    names = substation_names(visit)
    rows = "".join(
        _rows(visit, row, alerts.get(row["transformer_id"]), names)
        for row in passed.head(count).to_dict("records")
    )
    if not rows:
        return Html(f"<p>{visit.say('room.nobody')}</p>")
    heads = ("unit", "level", "score", "first_over", "peak", "chance", "hot_spot", "alert")
    head = "".join(f'<th scope="col">{visit.say(f"room.head.{name}")}</th>' for name in heads)
    said = visit.say("room.shown", shown=min(count, len(passed)), passed=len(passed), fleet=len(risk))
    more = (
        f'<p><a class="button" id="more" href="{visit.address(shown=str(count + SHOWN))}">'
        f"{visit.say('room.more')}</a></p>"
        if count < min(len(passed), _MOST_SHOWN)
        else ""
    )
    return Html(
        f'<table class="ranking" data-rows><caption>{said}</caption><thead><tr>{head}</tr></thead>'
        f"{rows}</table>{more}"
    )


def _shown(visit: Visit) -> int:
    text = visit.state.get("shown", "")
    return min(int(text), _MOST_SHOWN) if text.isdecimal() and int(text) else SHOWN


def _filtered(visit: Visit, risk: pd.DataFrame) -> pd.DataFrame:
    level, home, search = (visit.state.get(name, "") for name in ("level", "substation", "search"))
    if level == "IMMINENT":
        risk = risk[risk["imminent"]]
    elif level == "UNSEEN":
        risk = risk[risk["transformer_id"].isin([alert.transformer_id for alert in _unseen(visit)])]
    elif level in LEVELS:
        risk = risk[risk["risk_level"] == level]
    if home:
        risk = risk[risk["substation_id"] == home]
    if search.strip():
        risk = risk[risk["transformer_id"].str.contains(search.strip(), case=False, regex=False)]
    return risk


def _rows(visit: Visit, row: Mapping[Hashable, Any], alert: Alert | None, names: dict[str, str]) -> str:
    name = str(row["transformer_id"])
    chosen = visit.state.get("unit") == name
    soon = visit.badge("IMMINENT") + " " if row["imminent"] else ""
    cells = (
        (f"{soon}{visit.badge(str(row['risk_level']))}", "level"),
        (ltr(f"{row['risk_score']:.2f}"), "number"),
        (visit.when(row["first_over"]), "when"),
        (ltr(f"{row['peak_pct_p50']:.0f} / {row['peak_pct_p90']:.0f} %"), "number"),
        (ltr(f"{100 * row['p_any_1_72']:.0f} %"), "number"),
        (_degrees(row["hot_spot_c_max"]), "number"),
        (alert_state(visit, alert), ""),
    )
    heads = ("level", "score", "first_over", "peak", "chance", "hot_spot", "alert")
    drawn = "".join(
        f'<td class="{kind}" data-head="{visit.text(f"room.head.{head}")}">{cell}</td>'
        for (cell, kind), head in zip(cells, heads, strict=True)
    )
    reasons = from_json(str(row["messages"]))
    why = message_html(reasons[0], visit.language) if reasons else ""
    home = escape(names.get(str(row["substation_id"]), ""))
    tone = ("imminent" if row["imminent"] else str(row["risk_level"]).lower()) + (" chosen" if chosen else "")
    link = (
        f'<a id="unit-{escape(name)}" data-row href="{visit.address(unit=name)}"'
        f"{' aria-current=true' if chosen else ''}>{ltr(name)}</a>"
    )
    return (
        f'<tbody class="{tone}"><tr><th scope="row">{link} <span class="quiet">{home}</span></th>{drawn}</tr>'
        + (f'<tr class="why"><td colspan="8">{why}</td></tr>' if why else "")
        + "</tbody>"
    )


def _degrees(value: float) -> Html:
    return escape(MISSING) if pd.isna(value) else ltr(f"{value:.0f} °C")


def alert_state(visit: Visit, alert: Alert | None) -> Html:
    """Say what a person has done about an alert, or for how long it has called."""
    if alert is None:
        return escape(MISSING)
    if alert.shelved_by is not None and alert.shelved_until is not None:
        return visit.say("room.shelved", by=alert.shelved_by, until=visit.local(alert.shelved_until))
    if alert.acknowledged_by is not None:
        return visit.say("room.seen", by=alert.acknowledged_by)
    word = visit.say("room.escalated" if alert.escalated else "room.calls")
    return Html(f'<strong class="calls">{word} {_timer(visit, alert.called_at)}</strong>')
