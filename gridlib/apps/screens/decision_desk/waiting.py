"""The plans on the desk, worst transformer first, with the time that is left for each decision."""

from datetime import datetime

import pandas as pd

from gridlib.adapters.records.plans import PlanRecord
from gridlib.apps.html import Html, escape
from gridlib.apps.screens.frame import ltr
from gridlib.apps.screens.visit import Visit
from gridlib.domain.lifecycle import SYSTEM
from gridlib.facts.types import PlanState
from gridlib.workflow import clock, queries

SHOWN: dict[str, tuple[PlanState, ...]] = {
    "open": (PlanState.DRAFT, PlanState.APPROVED),
    "under_way": (PlanState.ISSUED, PlanState.PARTIAL),
    "ended": (
        PlanState.EXECUTED,
        PlanState.RETURNED,
        PlanState.REJECTED,
        PlanState.EXPIRED,
        PlanState.ROLLED_BACK,
    ),
}
"""States by the name of their filter."""

_ENDED = (PlanState.REJECTED, PlanState.EXPIRED, PlanState.ROLLED_BACK)
_MOST = 200


def filters(visit: Visit) -> Html:
    """Draw the choice of what is listed."""
    chosen = _chosen_filter(visit)
    options = "".join(
        f'<option value="{name}"{" selected" if name == chosen else ""}>{visit.say(f"desk.show.{name}")}'
        "</option>"
        for name in SHOWN
    )
    return Html(
        f'<form class="row" data-state id="filters"><label>{visit.say("desk.show")} '
        f'<select id="show" name="show">{options}</select></label></form>'
    )


def waiting(visit: Visit) -> Html:
    """Draw the list: plans, and the transformers at risk that no transfer helps."""
    records = queries.get_plans(visit.workbench, states=SHOWN[_chosen_filter(visit)])
    levels = _levels(visit)
    last = len(levels)
    places = {name: at for at, name in enumerate(levels)}
    ordered = sorted(records, key=lambda r: (places.get(r.plan.transformer_id, last), r.plan.rank, r.plan_id))
    at = clock.get_now(visit.workbench)
    cards = [_card(visit, record, levels.get(record.plan.transformer_id, ""), at) for record in ordered]
    if _chosen_filter(visit) == "open":
        cards += _without_plan(visit, levels)
    if not cards:
        return Html(f"<p>{visit.say('desk.nothing')}</p>")
    return Html(f'<ul class="cards" data-rows>{"".join(cards[:_MOST])}</ul>')


def _chosen_filter(visit: Visit) -> str:
    asked = visit.state.get("show", "")
    return asked if asked in SHOWN else "open"


def _levels(visit: Visit) -> dict[str, str]:
    """Level by transformer, riskiest first; empty before the first run."""
    if visit.memory is None:
        return {}
    risk = visit.memory.risk
    return dict(zip(risk["transformer_id"], risk["risk_level"].astype(str), strict=True))


def _card(visit: Visit, record: PlanRecord, level: str, at: pd.Timestamp) -> str:
    plan = record.plan
    state = visit.word("plan.state", record.state)
    left = time_left(visit, plan.decide_by, at) if record.state is PlanState.DRAFT else Html()
    gone = " late" if record.state is PlanState.DRAFT and plan.decide_by and plan.decide_by < at else ""
    returned = f" · {visit.say('desk.return_of', plan=plan.returns)}" if plan.returns else ""
    return _linked(
        visit,
        record.plan_id,
        {"plan": record.plan_id, "unit": ""},
        f"<strong>{ltr(plan.transformer_id)}</strong> {visit.badge(level) if level else ''} "
        f'<span class="quiet">{ltr(record.plan_id)} · {visit.say("desk.rank", rank=plan.rank)}</span>'
        f"<br>{state}{returned} {left}",
        chosen=visit.state.get("plan") == record.plan_id,
        tone=level.lower() + gone,
    )


def _without_plan(visit: Visit, levels: dict[str, str]) -> list[str]:
    """List the transformers at risk that have no plan of their own."""
    open_plans = queries.get_plans(visit.workbench, states=SHOWN["open"] + SHOWN["under_way"])
    planned = {record.plan.transformer_id for record in open_plans}
    # The risk of a run that was issued before a plan was carried out does not know of it yet.
    since = [
        record
        for record in queries.get_plans(visit.workbench, states=[PlanState.EXECUTED])
        if record.run_id == visit.known.base.run.run_id
    ]
    relieved = {
        name: record.plan_id
        for record in (*open_plans, *since)
        for name in (record.plan.transformer_id, *record.plan.relieves)
    }
    ended = ended_since_run(visit)
    return [
        _linked(
            visit,
            name,
            {"unit": name, "plan": ""},
            f"<strong>{ltr(name)}</strong> {visit.badge(level)}<br>"
            + (
                visit.say("desk.relieved_by", plan=relieved[name])
                if name in relieved
                else without_plan(visit, ended.get(name, ""))
            ),
            chosen=visit.state.get("unit") == name and not visit.state.get("plan"),
            tone=level.lower(),
        )
        for name, level in levels.items()
        if level != "LOW" and name not in planned
    ]


def ended_since_run(visit: Visit, transformer_id: str = "") -> dict[str, str]:
    """Name the plans that people or the field have ended since the newest run, by transformer."""
    found = queries.get_plans(visit.workbench, transformer_id=transformer_id, states=_ENDED)
    since = visit.known.base.run.started_at
    return {
        r.plan.transformer_id: r.plan_id for r in found if r.decided_at >= since and r.decided_by != SYSTEM
    }


def without_plan(visit: Visit, ended: str) -> Html:
    """Say why a transformer at risk has no plan: its plan has ended since the run, or none helps."""
    return visit.say("desk.plan_ended", plan=ended) if ended else visit.say("desk.no_transfer")


def _linked(visit: Visit, name: str, choice: dict[str, str], words: str, *, chosen: bool, tone: str) -> str:
    current = " aria-current=true" if chosen else ""
    return (
        f'<li class="card {escape(tone)}"><a id="card-{escape(name)}" data-row '
        f'href="{visit.address(**choice)}"{current}>{words}</a></li>'
    )


def time_left(visit: Visit, decide_by: datetime | None, at: pd.Timestamp) -> Html:
    """Say how long a decision can wait, by the clock that decisions follow."""
    if decide_by is None:
        return Html()
    minutes = int((pd.Timestamp(decide_by) - at) / pd.Timedelta(minutes=1))
    if minutes < 0:
        return Html(f'<strong class="calls">{visit.say("desk.too_late", at=visit.local(decide_by))}</strong>')
    text = f"{minutes // 60}:{minutes % 60:02d}"
    return Html(f'<span class="left">{visit.say("desk.left", left=text)}</span>')
