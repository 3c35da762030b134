"""The two orders of switching, and the way back of each.

Open first: the sections are off between the two steps. Close first: two transformers are in parallel between
them, which the proof must have allowed. The way back takes the inverse steps in reverse order.
"""

from collections.abc import Iterator, Sequence
from math import isfinite
from typing import Any

from gridlib.domain.instructions.lines import fault_make, load_break, place_of, say, write_line
from gridlib.domain.instructions.transfer import Transfer
from gridlib.facts.messages import Message, listed, verbatim
from gridlib.facts.sheets import Step
from gridlib.facts.types import PlanningRules, SwitchState

VOLTAGE_BAND_PCT = 10
"""Supply voltage is to stay within this of nominal, EN 50160:2010, 4.2.2 [%]."""

LARGEST_DIFFERENCE_PCT = 5
"""Largest voltage across a tie that closes onto a loop, of the phase voltage [%]. No standard gives it: half
the voltage band, our choice; crossed phases stand at 173 %."""


def largest_difference_v(rules: PlanningRules) -> float:
    """Largest voltage across an open tie, phase by phase, with which it may close onto a loop [V]."""
    return float(round(1000 * rules.lv_kv / 3**0.5 * LARGEST_DIFFERENCE_PCT / 100))


def sides_of(transfer: Transfer) -> str:
    """Name donor and receiver of a move, as the device of a step that reads both."""
    return f"{transfer.move.from_transformer}, {transfer.move.to_transformer}"


def facts_of(t: Transfer, rules: PlanningRules) -> dict[str, Any]:
    """Collect what the sentences about a move may name."""
    nominal_v = 1000 * rules.lv_kv
    span_v = nominal_v * VOLTAGE_BAND_PCT / 100
    donor, receiver = t.move.from_transformer, t.move.to_transformer
    return {
        "donor": donor,
        "receiver": receiver,
        "sides": listed([verbatim(donor), verbatim(receiver)], "list.and"),
        "opening": t.move.open_switch,
        "closing": t.move.close_switch,
        "sections": t.sections,
        "customers": t.customers,
        "critical": t.critical,
        "low_a": t.low_a,
        "high_a": t.high_a,
        "back_low_a": t.back_low_a,
        "back_high_a": t.back_high_a,
        "cold_a": t.cold_a,
        "circulating_a": t.circulating_a,
        "limit_a": t.receiver_limit_a,
        "loop_limit_a": t.loop_limit_a,
        "limit_min": rules.parallel_limit_min,
        "low_v": nominal_v - span_v,
        "high_v": nominal_v + span_v,
        "most_v": largest_difference_v(rules),
    }


def switch_over(t: Transfer, undo: Sequence[Step], rules: PlanningRules, *, returns: bool) -> Iterator[Step]:
    """Carry out one move; ``undo`` begins with its own way back, ``returns``: to the normal state."""
    facts = facts_of(t, rules)
    order = _close_first if t.move.closes_first else _open_first
    yield from order(t, undo, facts, returns=returns)
    yield write_line(
        "switch",
        "READ",
        sides_of(t),
        say("place.boards", **facts),
        say("step.after.do", **facts),
        say("step.after.expect", **facts),
        say("step.after.fails", steps=_ids(undo)),
    )


def switch_back(t: Transfer, rules: PlanningRules, *, returns: bool) -> Iterator[Step]:
    """Undo one move."""
    facts = facts_of(t, rules)
    facts["reclose"] = say("back.close" if returns else "back.untag_and_close", **facts)
    first, last = ("parallel", "part") if t.move.closes_first else ("open", "close")
    texts = {name: say(f"back.{name}.do", **facts) for name in (first, last)}
    if returns:
        texts[last] = say("back.and_tag.do", text=texts[last], **facts)
    close = (t.move.open_switch, t.opening, "CLOSE", SwitchState.CLOSED)
    reopen = (t.move.close_switch, t.closing, "OPEN", SwitchState.OPEN)
    devices = (close, reopen) if t.move.closes_first else (reopen, close)
    for name, (device, row, verb, state) in zip((first, last), devices, strict=True):
        yield write_line(
            "rollback",
            verb,
            device,
            place_of(row),
            texts[name],
            say(f"back.{name}.expect", **facts),
            say(f"back.{name}.fails", **facts),
            state_after=state,
        )


def _open_first(t: Transfer, undo: Sequence[Step], facts: dict[str, Any], *, returns: bool) -> Iterator[Step]:
    opening, closing = t.move.open_switch, t.move.close_switch
    weak = not (float(t.opening["load_break_a"]) >= t.high_a)
    text = say("step.open.do", **facts)
    yield write_line(
        "switch",
        "OPEN",
        opening,
        place_of(t.opening),
        say("step.not_proven.do", text=text) if weak else text,
        say("step.open.expect", rating=load_break(t.opening), **facts),
        say("step.open.fails", abort=_and_back(say("step.abort"), undo), **facts),
        state_after=SwitchState.OPEN,
        hold_point=weak,
        write_down="go" if weak else "",
    )
    yield from _tag(t, facts, returns=returns)
    again = "step.close_again" if returns else "step.untag_and_close_again"
    yield write_line(
        "switch",
        "CLOSE",
        closing,
        place_of(t.closing),
        say("step.close.do", **facts),
        say("step.close.expect", rating=fault_make(t.closing), **facts),
        say("step.close.fails", again=_and_back(say(again, undo=undo[1].step_id, **facts), undo), **facts),
        state_after=SwitchState.CLOSED,
    )


def _close_first(
    t: Transfer, undo: Sequence[Step], facts: dict[str, Any], *, returns: bool
) -> Iterator[Step]:
    opening, closing = t.move.open_switch, t.move.close_switch
    stops = {"abort": _and_back(say("step.abort"), undo), "undo": undo[1].step_id}
    yield write_line(
        "switch",
        "READ",
        closing,
        place_of(t.closing),
        say("step.across.do", **facts),
        say("step.across.expect", **facts),
        say("step.across.fails", **stops),
        write_down="voltage",
        reading=(0.0, facts["most_v"], "V"),
    )
    if returns:
        yield from _tag(t, facts, returns=True)
    circulates = "parallel_circulating" if isfinite(t.circulating_a) else "parallel"
    yield write_line(
        "switch",
        "CLOSE",
        closing,
        place_of(t.closing),
        say("step.parallel.do", **facts),
        say(f"step.{circulates}.expect", rating=fault_make(t.closing), **facts),
        say("step.parallel.fails", **stops, **facts),
        state_after=SwitchState.CLOSED,
    )
    yield write_line(
        "switch",
        "OPEN",
        opening,
        place_of(t.opening),
        say("step.part.do", **facts),
        say("step.part.expect", rating=load_break(t.opening), **facts),
        say("step.part.fails", **stops, **facts),
        state_after=SwitchState.OPEN,
    )
    if not returns:
        yield from _tag(t, facts, returns=False)


def _tag(t: Transfer, facts: dict[str, Any], *, returns: bool) -> Iterator[Step]:
    """Mark the new normally-open point, or take the mark off the device that closes again."""
    if returns:
        yield write_line(
            "switch",
            "UNTAG",
            t.move.close_switch,
            place_of(t.closing),
            say("step.untag.do", **facts),
            say("step.untag.expect", **facts),
            say("step.untag.fails", **facts),
        )
        return
    waits = "step.tag.fails" if t.move.closes_first else "step.tag_customers_off.fails"
    yield write_line(
        "switch",
        "TAG",
        t.move.open_switch,
        place_of(t.opening),
        say("step.tag.do", **facts),
        say("step.tag.expect", **facts),
        say(waits, **facts),
    )


def _and_back(what: Message, undo: Sequence[Step]) -> Message:
    """Add the way back of the moves before this one, where there are any."""
    return say("step.and_back", what=what, steps=_ids(undo[2:])) if undo[2:] else what


def _ids(steps: Sequence[Step]) -> str:
    return ", ".join(step.step_id for step in steps)
