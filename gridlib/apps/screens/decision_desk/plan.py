"""One plan: what it does, how sure that is, and the decision on it."""

from gridlib.adapters.records.plans import PlanRecord
from gridlib.apps.html import MISSING, Html, escape
from gridlib.apps.message_html import message_html, messages_html
from gridlib.apps.screens.decision_desk.waiting import ended_since_run, time_left, without_plan
from gridlib.apps.screens.frame import ltr
from gridlib.apps.screens.visit import Visit
from gridlib.domain.planning import describe_chance
from gridlib.facts.messages import from_json
from gridlib.facts.types import Move, Plan, PlanState, Role
from gridlib.workflow import clock, queries

_MANY = 500
"""Longest reason [characters]."""


def plan(visit: Visit) -> Html:
    """Draw the chosen plan: state, transformer, moves, figures; or why a transformer has none."""
    plan_id, unit = visit.state.get("plan", ""), visit.state.get("unit", "")
    if not plan_id:
        return (
            _without_plan(visit, unit) if unit else Html(f'<p class="quiet">{visit.say("desk.choose")}</p>')
        )
    record = queries.get_plan(visit.workbench, plan_id).record
    found = record.plan
    moves = "".join(f"<li>{move_text(visit, move)}</li>" for move in found.moves)
    reason = (
        f'<p class="fault">{visit.when(record.decided_at)} · <bdi>{escape(record.decided_by)}</bdi>: '
        f"<bdi>{escape(record.reason)}</bdi></p>"
        if record.reason
        else ""
    )
    returned = f"<p>{visit.say('desk.return_of', plan=found.returns)}</p>" if found.returns else ""
    return Html(
        f'<h2 id="plan-head">{ltr(record.plan_id)} '
        f'<span class="quiet">{ltr(found.transformer_id)}</span></h2>'
        f'<p class="large">{visit.badge_of(record.state, visit.word("plan.state", record.state))} '
        f"{risk_level(visit, found.transformer_id)}</p>{_people(visit, record)}{reason}{returned}"
        f'<ol class="moves">{moves}</ol>{_figures(visit, record)}'
    )


def decide(visit: Visit) -> Html:
    """Draw the forms of the decision that the plan waits for."""
    plan_id = visit.state.get("plan", "")
    if not plan_id:
        return Html()
    record = queries.get_plan(visit.workbench, plan_id).record
    if record.state in (PlanState.APPROVED, PlanState.ISSUED, PlanState.PARTIAL):
        return _to_board(visit, record)
    if Role.OPERATOR not in visit.user.roles:
        return Html(f'<p class="quiet">{visit.say("desk.reads")}</p>')
    hidden = (
        f'<input type="hidden" name="plan" value="{escape(plan_id)}">'
        f'<input type="hidden" name="rev" value="{record.rev}">'
    )
    if record.state is PlanState.EXECUTED and not record.plan.returns:
        return Html(
            f'<form id="return" class="row" data-action="return" data-fresh>{hidden}'
            f"<button>{visit.say('desk.ask_return')}</button></form>"
        )
    if record.state is not PlanState.DRAFT:
        return Html()
    reason = visit.draft(f"refuse:{plan_id}").get("reason", "")
    return Html(
        f'<div class="decide"><form id="approve" data-action="approve" data-fresh>{hidden}'
        f'<button class="go">{visit.say("desk.approve")}</button></form>'
        f'<form id="refuse" class="row" data-action="refuse" data-fresh '
        f'data-draft="refuse:{escape(plan_id)}">{hidden}'
        f'<label>{visit.say("desk.reason")} <input id="reason" name="reason" required '
        f'maxlength="{_MANY}" value="{escape(reason)}"></label>'
        f'<button class="stop" name="way" value="reject">{visit.say("desk.reject")}</button>'
        f'<button name="way" value="again">{visit.say("desk.again")}</button></form>'
        f'<p class="quiet">{visit.say("desk.proved_again")}</p></div>'
    )


def _to_board(visit: Visit, record: PlanRecord) -> Html:
    said = visit.say("desk.to_issue" if record.state is PlanState.APPROVED else "desk.to_order")
    orders = queries.get_plan(visit.workbench, record.plan_id).work_orders
    chosen = f"order={orders[-1].work_order_id}" if orders else f"plan={record.plan_id}"
    return Html(f'<p><a class="button" href="work_board.ipynb#{escape(chosen)}">{said}</a></p>')


def move_text(visit: Visit, move: Move) -> Html:
    """Say one transfer in the order in which it is switched."""
    return visit.say(
        "desk.move.closes_first" if move.closes_first else "desk.move",
        opened=move.open_switch,
        closed=move.close_switch,
        sections=", ".join(move.sections),
        away=move.from_transformer,
        to=move.to_transformer,
    )


def risk_level(visit: Visit, transformer_id: str) -> Html:
    """Draw the level that a transformer has in the newest run; empty where it was not assessed."""
    if visit.memory is None or transformer_id not in visit.memory.risk.index:
        return Html()
    row = visit.memory.risk.loc[transformer_id]
    soon = visit.badge("IMMINENT") + " " if row["imminent"] else ""
    return Html(soon + visit.badge(str(row["risk_level"])))


def _people(visit: Visit, record: PlanRecord) -> Html:
    by = visit.say("desk.prepared", by=record.prepared_by, at=visit.local(record.created_at))
    decided = (
        f" · {visit.say('desk.approved', by=record.approved_by, at=visit.local(record.decided_at))}"
        if record.approved_by
        else ""
    )
    return Html(f'<p class="quiet">{by}{decided}</p>')


def _figures(visit: Visit, record: PlanRecord) -> Html:
    found = record.plan
    span = f"{visit.when(found.needed_from)} – {visit.when(found.needed_until)}"
    at = clock.get_now(visit.workbench)
    left = time_left(visit, found.decide_by, at) if record.state is PlanState.DRAFT else ""
    without, beside = (describe_chance(chance) for chance in (found.p_clear_before, found.p_clear_after))
    figures: dict[str, object] = {
        "decide_by": Html(f"{visit.when(found.decide_by)} {left}"),
        "holds": message_html(describe_chance(found.p_holds), visit.language),
        "clear": visit.say("desk.clear", without=without, beside=beside),
        "risk": ltr(f"{found.risk_before:.2f} → {found.risk_after:.2f}"),
        "relief": ltr(f"{found.relief_pct:.0f} % · {found.relieved_kvah:,.0f} kVAh"),
        "margin": ltr(MISSING if found.proof.margin_pct is None else f"{found.proof.margin_pct:.0f} %"),
        "operations": ltr(found.operations),
        "interrupted": ltr(found.interrupted_customers),
        "needed": Html(span),
        "switch_at": visit.when(found.switch_at),
        "switch_back_by": visit.when(found.switch_back_by),
        **_bound(found),
    }
    pairs = "".join(
        f"<div><dt>{visit.say(f'desk.figure.{name}')}</dt><dd>{text}</dd></div>"
        for name, text in figures.items()
    )
    return Html(f'<dl class="figures">{pairs}</dl>')


def _bound(found: Plan) -> dict[str, object]:
    if found.left_kvah is None or found.bound_kvah is None:
        return {}
    return {"bound": ltr(f"{found.left_kvah:.1f} / {found.bound_kvah:.1f} kVAh")}


def why(visit: Visit) -> Html:
    """Say why the transformer is at risk, what it may carry, and what binds."""
    plan_id, transformer_id = visit.state.get("plan", ""), visit.state.get("unit", "")
    if plan_id:
        transformer_id = queries.get_plan(visit.workbench, plan_id).record.plan.transformer_id
    if visit.memory is None or transformer_id not in visit.memory.risk.index:
        return Html()
    row = visit.memory.risk.loc[transformer_id]
    reasons = messages_html(from_json(str(row["messages"])), visit.language)
    limits = queries.get_limit_messages(visit.workbench, transformer_id)
    said = "".join(f"<li>{message_html(message, visit.language)}</li>" for message in limits)
    return Html(
        f'<details id="why" open><summary>{visit.say("desk.why", unit=transformer_id)}</summary>'
        f"{reasons}<ul>{said}</ul></details>"
    )


def _without_plan(visit: Visit, transformer_id: str) -> Html:
    if visit.memory is None or transformer_id not in visit.memory.risk.index:
        return Html(f'<p class="fault">{visit.say("room.unknown", unit=transformer_id)}</p>')
    return Html(
        f'<h2 id="plan-head">{ltr(transformer_id)}</h2><p class="large">{risk_level(visit, transformer_id)} '
        f"{without_plan(visit, ended_since_run(visit, transformer_id).get(transformer_id, ''))}</p>"
    )
