"""What a candidate is worth: net risk, relief, both sides, and what switching leaves over."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta

import numpy as np

from gridlib.domain.planning.devices import Refusal
from gridlib.domain.planning.fleet import P50, Fleet, Floats
from gridlib.domain.planning.heat import upper_kva
from gridlib.domain.planning.states import Unit
from gridlib.domain.planning.switching import switching_hour
from gridlib.domain.planning.way_back import hours_over
from gridlib.domain.planning.why_not import over_kva
from gridlib.facts.messages import Message
from gridlib.facts.types import Limits, Move, Plan, PlanningRules, Proof, Side

RATINGS_KVA = (250, 400, 500, 630, 800, 1000, 1500)
"""Sizes of distribution transformers that JEPCO uses [kVA]."""

_ROUNDING = 1e-9


def sides_of(fleet: Fleet, owner: int, moves: tuple[Move, ...]) -> list[int]:
    """Positions of a plan's transformers: the one it is for first, then in the order of the moves."""
    names = [name for move in moves for name in (move.from_transformer, move.to_transformer)]
    return list(dict.fromkeys([owner, *(fleet.position(name) for name in names)]))


def refuse_on_risk(
    fleet: Fleet, owner: int, before: Mapping[int, Unit], after: Mapping[int, Unit], limits: Limits
) -> Refusal | None:
    """Refuse a transfer that does not lower the net risk.

    ``owner`` is the transformer that it is for. Above the end of the overload curve the score does not rise
    any more, so where its load is there before, relief of the overload counts instead.
    """
    if not is_scored(before, after):
        return Refusal("not_scored", Message("plan.not_scored", {}))
    risk_before, risk_after = (sum(state[unit].score for unit in after) for state in (before, after))
    top_kva = fleet.rating_kva[owner] * limits.overload_points[-1][0] / 100
    overload_kvah, remaining_kvah = (_overload_kvah(fleet, state)[0] for state in (before, after))
    beyond = (
        np.abs(before[owner].load_kva[P50]).max() > top_kva and remaining_kvah < overload_kvah - _ROUNDING
    )
    if not risk_after < risk_before - _ROUNDING and not beyond:
        return Refusal(
            "no_reduction",
            Message("plan.no_reduction", {"before": risk_before, "after": risk_after, "count": len(after)}),
        )
    return None


def is_scored(before: Mapping[int, Unit], after: Mapping[int, Unit]) -> bool:
    """Tell whether risk, hot spots and life used of all touched transformers are known."""
    units = [state[unit] for unit in after for state in (before, after)]
    return all(
        np.isfinite([u.score, u.loss_of_life_d, *u.hot_spot_c, *u.hot_spot_c_p90]).all() for u in units
    )


def make_plan(
    fleet: Fleet,
    owner: int,
    moves: tuple[Move, ...],
    proof: Proof,
    before: Mapping[int, Unit],
    after: Mapping[int, Unit],
    rules: PlanningRules,
    switch_back_by: datetime | None,
) -> Plan:
    """Write a proven transfer down; its rank and what the search knows of it are for the caller to set."""
    overload_kvah, remaining_kvah = (_overload_kvah(fleet, state) for state in (before, after))
    quantile = 0 if overload_kvah[0] > 0 else 1
    relieved_kvah = overload_kvah[quantile] - remaining_kvah[quantile]
    over = hours_over(before[owner])
    needed = fleet.times[over]
    needed_from: datetime | None = needed[0].to_pydatetime() if len(needed) else None
    off = [name for move in moves if not move.closes_first for name in move.sections]
    interrupted = [fleet.position(name) - fleet.tree.transformers for name in off]
    return Plan(
        transformer_id=str(fleet.names[owner]),
        rank=0,
        moves=moves,
        sides=tuple(_side(fleet, unit, moves, before[unit], after[unit]) for unit in after),
        proof=proof,
        relief_pct=100 * relieved_kvah / overload_kvah[quantile] if overload_kvah[quantile] > 0 else 0.0,
        relieved_kvah=relieved_kvah,
        risk_before=sum(before[unit].score for unit in after),
        risk_after=sum(after[unit].score for unit in after),
        operations=2 * len(moves),
        interrupted_customers=round(float(fleet.customers[interrupted].sum())),
        needed_from=needed_from,
        needed_until=needed[-1].to_pydatetime() if len(needed) else None,
        decide_by=needed_from - timedelta(minutes=rules.switching_lead_min) if needed_from else None,
        switch_at=fleet.times[switching_hour(fleet, moves, rules, before)].to_pydatetime(),
        switch_back_by=switch_back_by,
    )


def with_search_of(plan: Plan, earlier: Plan) -> Plan:
    """Carry over from an earlier version of a plan its rank, what it returns and what the search knew.

    A return relieves nobody and may wait: it has no hours of need and no deadline.
    """
    if earlier.returns:
        plan = replace(plan, needed_from=None, needed_until=None, decide_by=None, switch_back_by=None)
    return replace(
        plan,
        rank=earlier.rank,
        relieves=earlier.relieves,
        aim_pct=earlier.aim_pct,
        left_kvah=earlier.left_kvah,
        bound_kvah=earlier.bound_kvah,
        gap_pct=earlier.gap_pct,
        standing=earlier.standing,
        returns=earlier.returns,
    )


def best_first(plan: Plan) -> tuple[bool, float, float, int, float, tuple[str, ...]]:
    """Order plans: protection checked first, then by reduction of net risk, where there is none by relief.

    Then fewer operations, then margin.
    """
    names = tuple(name for move in plan.moves for name in (move.open_switch, move.close_switch))
    reduction = max(round(plan.risk_before - plan.risk_after, 6), 0.0)
    relief = 0.0 if reduction else round(plan.relieved_kvah, 3)
    unchecked = not plan.proof.protection
    return unchecked, -reduction, -relief, plan.operations, -(plan.proof.margin_pct or 0.0), names


def do_nothing_of(fleet: Fleet, donor: int, state: Unit) -> dict[str, float | None]:
    """Plan 0: what the horizon costs without switching; None where a number is not known."""
    rating, limit = fleet.rating_kva[donor], state.limit_kva
    likely, high = np.abs(state.load_kva[P50]), upper_kva(state.load_kva)
    numbers = {
        "limit_pct": float(100 * limit[high.argmax()] / rating),
        "hours_over_p50": float((likely > limit).sum() * fleet.step_h),
        "hours_over_p90": float((high > limit).sum() * fleet.step_h),
        "peak_pct_p50": float(100 * likely.max() / rating),
        "peak_pct_p90": float(100 * high.max() / rating),
        "overload_kvah_p50": float(over_kva(likely, limit).sum() * fleet.step_h),
        "overload_kvah_p90": float(over_kva(high, limit).sum() * fleet.step_h),
        "hot_spot_c_max": float(state.hot_spot_c.max()),
        "loss_of_life_d": state.loss_of_life_d,
    }
    return {name: number if np.isfinite(number) else None for name, number in numbers.items()}


def other_measures_of(fleet: Fleet, donor: int, before: Unit, after: Unit) -> tuple[Message, ...]:
    """Name what else could help where switching leaves overload over, with the sizes it takes.

    ``after`` is the transformer once the best plan is carried out; where there is none, as before.
    """
    rating = fleet.rating_kva[donor]
    quantile = "p50" if (np.abs(before.load_kva[P50]) > before.limit_kva).any() else "p90"
    was, left = (over_kva(_size(state.load_kva, quantile), state.limit_kva) for state in (before, after))
    if not left.any():
        return ()
    left_kvah, all_kvah = (float(over.sum() * fleet.step_h) for over in (left, was))
    largest_kva = float(left.max())
    return (
        Message(
            "other.left",
            {
                "left_pct": 100 * left_kvah / all_kvah,
                "quantile": quantile,
                "left_kvah": left_kvah,
                "all_kvah": all_kvah,
            },
        ),
        Message("other.shed", {"shed_kva": largest_kva, "hours": float((left > 0).sum() * fleet.step_h)}),
        Message("other.generator", {"size_kva": largest_kva}),
        _reinforcement(float(rating), before),
    )


def _reinforcement(rating_kva: float, before: Unit) -> Message:
    """Name what would have to be larger, from the hour that is furthest above its limit."""
    high = upper_kva(before.load_kva)
    hour = int((high - before.limit_kva).argmax())
    if before.limit_by[hour] == "device":
        return Message("other.device", {"needed_kva": high[hour], "held_kva": before.limit_kva[hour]})
    most_pu = np.divide(high, before.limit_kva, out=np.full(len(high), np.inf), where=before.limit_kva > 0)
    needed_kva = rating_kva * most_pu.max()
    larger = next((size for size in RATINGS_KVA if size > rating_kva and size >= needed_kva), None)
    if larger is None:
        return Message("other.second", {"rating_kva": rating_kva})
    return Message("other.larger", {"larger_kva": larger, "rating_kva": rating_kva})


def _size(load_kva: Floats, quantile: str) -> Floats:
    return np.abs(load_kva[P50]) if quantile == "p50" else upper_kva(load_kva)


def _overload_kvah(fleet: Fleet, states: Mapping[int, Unit]) -> tuple[float, float]:
    """Overload of the touched transformers at p50 and p90 [kVAh]."""
    total = {"p50": 0.0, "p90": 0.0}
    for state in states.values():
        for quantile in total:
            over = over_kva(_size(state.load_kva, quantile), state.limit_kva)
            total[quantile] += float(over.sum() * fleet.step_h)
    return total["p50"], total["p90"]


def _side(fleet: Fleet, unit: int, moves: tuple[Move, ...], before: Unit, after: Unit) -> Side:
    rating = float(fleet.rating_kva[unit])
    p50_before, p50_after = (100 * np.abs(state.load_kva[P50]) / rating for state in (before, after))
    p90_before, p90_after = (100 * upper_kva(state.load_kva) / rating for state in (before, after))
    hours_before, hours_after = (
        int((np.abs(state.load_kva[P50]) > state.limit_kva).sum()) for state in (before, after)
    )
    peak = int(p90_after.argmax())
    peak_time: datetime = fleet.times[peak].to_pydatetime()
    return Side(
        transformer_id=str(fleet.names[unit]),
        role="receiver" if any(move.to_transformer == fleet.names[unit] for move in moves) else "donor",
        rating_kva=rating,
        limit_pct=float(100 * after.limit_kva[peak] / rating),
        limit_by=str(after.limit_by[peak]),
        peak_pct_p50_before=float(p50_before.max()),
        peak_pct_p50_after=float(p50_after.max()),
        peak_pct_p90_before=float(p90_before.max()),
        peak_pct_p90_after=float(p90_after.max()),
        hours_over_before=hours_before,
        hours_over_after=hours_after,
        hot_spot_c_before=float(before.hot_spot_c.max()),
        hot_spot_c_after=float(after.hot_spot_c.max()),
        loss_of_life_d_before=before.loss_of_life_d,
        loss_of_life_d_after=after.loss_of_life_d,
        risk_before=before.score,
        risk_after=after.score,
        peak_time=peak_time,
    )
