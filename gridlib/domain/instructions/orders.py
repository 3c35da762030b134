"""The two orders of switching, and the way back of each.

Open first: the sections are off between the two steps. Close first: two transformers are in parallel between
them, which the proof must have allowed. The way back takes the inverse steps in reverse order.
"""

from collections.abc import Iterator, Sequence
from math import isfinite

from gridlib.domain.instructions.lines import place_of, rating_of, write_line
from gridlib.domain.instructions.transfer import Transfer
from gridlib.facts.sheets import Step
from gridlib.facts.types import PlanningRules, SwitchState

VOLTAGE_BAND_PCT = 10
"""Supply voltage is to stay within this of nominal, EN 50160:2010, 4.2.2 [%]."""

LARGEST_DIFFERENCE_PCT = 5
"""Largest voltage across a tie that closes onto a loop, of the phase voltage [%]. No standard gives it: half
the voltage band, our choice; crossed phases stand at 173 %."""


def voltage_band(rules: PlanningRules) -> str:
    """Voltage that each phase is to keep, line to line."""
    nominal_v = 1000 * rules.lv_kv
    span_v = nominal_v * VOLTAGE_BAND_PCT / 100
    return f"{nominal_v - span_v:.0f}-{nominal_v + span_v:.0f} V"


def largest_difference_v(rules: PlanningRules) -> float:
    """Largest voltage across an open tie, phase by phase, with which it may close onto a loop [V]."""
    return float(round(1000 * rules.lv_kv / 3**0.5 * LARGEST_DIFFERENCE_PCT / 100))


def sides_of(transfer: Transfer) -> str:
    """Name donor and receiver of a move as the sheet does."""
    return f"{transfer.move.from_transformer} and {transfer.move.to_transformer}"


def switch_over(t: Transfer, undo: Sequence[Step], rules: PlanningRules, *, returns: bool) -> Iterator[Step]:
    """Carry out one move; ``undo`` begins with its own way back, ``returns``: to the normal state."""
    if t.move.closes_first:
        yield from _close_first(t, undo, rules, returns=returns)
    else:
        yield from _open_first(t, undo, returns=returns)
    yield write_line(
        "switch",
        "READ",
        sides_of(t),
        f"low-voltage boards of {sides_of(t)}",
        f"Read load and voltage of all three phases at {sides_of(t)} and compare with before.",
        f"{t.move.from_transformer} lower by {t.low_a:.0f}-{t.high_a:.0f} A, {t.move.to_transformer} higher "
        f"and at most {t.receiver_limit_a:.0f} A; {voltage_band(rules)} on each phase",
        f"Outside: switch back by {', '.join(step.step_id for step in undo)}.",
    )


def switch_back(t: Transfer, rules: PlanningRules, *, returns: bool) -> Iterator[Step]:
    """Undo one move."""
    opening, closing = t.move.open_switch, t.move.close_switch
    reclose = f"Close {opening}" if returns else f"Take the caution tag off {opening} and close it"
    again = f" Hang the caution tag on {closing} again." if returns else ""
    if t.move.closes_first:
        yield write_line(
            "rollback",
            "CLOSE",
            opening,
            place_of(t.opening),
            f"{reclose}. {sides_of(t)} are in parallel for at most {rules.parallel_limit_min} min.",
            f"Indication CLOSED, at most {t.loop_limit_a:.0f} A at {closing}",
            f"Will not close: leave {closing} closed, the transfer stands; report.",
            state_after=SwitchState.CLOSED,
        )
        yield write_line(
            "rollback",
            "OPEN",
            closing,
            place_of(t.closing),
            f"Open {closing} within {rules.parallel_limit_min} min. {t.move.from_transformer} feeds "
            f"{t.sections} again.{again}",
            f"Indication OPEN, no current at {closing}, voltage on {t.sections} stays",
            f"Will not open: open {opening} again at once, so that no loop stays; report.",
            state_after=SwitchState.OPEN,
        )
        return
    yield write_line(
        "rollback",
        "OPEN",
        closing,
        place_of(t.closing),
        f"Open {closing}. {t.customers} on {t.sections} are off until {opening} is closed.",
        f"Indication OPEN, no current at {closing}",
        f"Will not open: leave {opening} open, so that no loop is made; report.",
        state_after=SwitchState.OPEN,
    )
    yield write_line(
        "rollback",
        "CLOSE",
        opening,
        place_of(t.opening),
        f"{reclose}. {t.move.from_transformer} feeds {t.sections} again.{again}",
        f"Indication CLOSED, voltage on {t.sections}, at most {t.cold_a:.0f} A at first",
        f"Will not close: close {closing} again, the transfer stands; report.",
        state_after=SwitchState.CLOSED,
    )


def _open_first(t: Transfer, undo: Sequence[Step], *, returns: bool) -> Iterator[Step]:
    opening, closing = t.move.open_switch, t.move.close_switch
    earlier = _earlier(undo)
    weak = not (float(t.opening["load_break_a"]) >= t.high_a)
    yield write_line(
        "switch",
        "OPEN",
        opening,
        place_of(t.opening),
        f"Open {opening}. From here until {closing} is closed, {t.customers} on {t.sections} are off."
        + (" NOT PROVEN FOR THIS LOAD: not to be operated on load." if weak else ""),
        f"Indication OPEN, no current at {opening}, {t.sections} without voltage "
        f"({rating_of(t.opening['load_break_a'], 'A load break')}; p90 {t.high_a:.0f} A)",
        f"Will not open: leave {closing} open, nothing has changed; abort{earlier}. "
        f"Opened in part: make no second attempt, report, abort{earlier}.",
        state_after=SwitchState.OPEN,
        hold_point=weak,
        write_down="name of who says go" if weak else "",
    )
    yield from _tag(t, returns=returns)
    yield write_line(
        "switch",
        "CLOSE",
        closing,
        place_of(t.closing),
        f"Close {closing}. From here {t.move.to_transformer} feeds {t.sections}.",
        f"Indication CLOSED, {t.low_a:.0f}-{t.high_a:.0f} A at {closing}, at first up to {t.cold_a:.0f} A, "
        f"voltage on {t.sections} ({rating_of(t.closing['fault_make_ka'], 'kA fault make')})",
        f"Will not close: make sure that it is open, {'' if returns else 'take the tag off and '}close "
        f"{opening} again at once ({undo[1].step_id}){earlier}. Trips: no second attempt and no supply to "
        f"{t.sections} before a crew has walked along it; report.",
        state_after=SwitchState.CLOSED,
    )


def _close_first(t: Transfer, undo: Sequence[Step], rules: PlanningRules, *, returns: bool) -> Iterator[Step]:
    opening, closing = t.move.open_switch, t.move.close_switch
    earlier = _earlier(undo)
    most_v = largest_difference_v(rules)
    yield write_line(
        "switch",
        "READ",
        closing,
        place_of(t.closing),
        f"Measure the voltage across the open {closing}, phase by phase.",
        f"At most {most_v:.0f} V on each phase",
        f"More: phases are displaced or the voltages differ; do not close; abort{earlier}.",
        write_down="voltage of each phase in V",
        reading=(0.0, most_v, "V"),
    )
    if returns:
        yield from _tag(t, returns=True)
    circulating = f", of which about {t.circulating_a:.0f} A circulate" if isfinite(t.circulating_a) else ""
    yield write_line(
        "switch",
        "CLOSE",
        closing,
        place_of(t.closing),
        f"Close {closing}. From here {sides_of(t)} are in parallel, for at most "
        f"{rules.parallel_limit_min} min; nobody is off.",
        f"Indication CLOSED, at most {t.loop_limit_a:.0f} A at {closing}{circulating} "
        f"({rating_of(t.closing['fault_make_ka'], 'kA fault make')})",
        f"Will not close: make sure that it is open, nothing has changed; abort{earlier}. More than "
        f"{t.loop_limit_a:.0f} A: open {closing} again at once ({undo[1].step_id}); abort{earlier}.",
        state_after=SwitchState.CLOSED,
    )
    yield write_line(
        "switch",
        "OPEN",
        opening,
        place_of(t.opening),
        f"Open {opening} within {rules.parallel_limit_min} min. From here {t.move.to_transformer} feeds "
        f"{t.sections}.",
        f"Indication OPEN, no current at {opening}, {t.low_a:.0f}-{t.high_a:.0f} A at {closing}, voltage on "
        f"{t.sections} stays ({rating_of(t.opening['load_break_a'], 'A load break')}; p90 {t.high_a:.0f} A)",
        f"Will not open, or the time is over: open {closing} again at once ({undo[1].step_id}); "
        f"abort{earlier}.",
        state_after=SwitchState.OPEN,
    )
    if not returns:
        yield from _tag(t, returns=False)


def _tag(t: Transfer, *, returns: bool) -> Iterator[Step]:
    """Mark the new normally-open point, or take the mark off the device that closes again."""
    opening, closing = t.move.open_switch, t.move.close_switch
    if returns:
        yield write_line(
            "switch",
            "UNTAG",
            closing,
            place_of(t.closing),
            f"Take the caution tag off {closing}: it is normally closed.",
            f"No tag on {closing}, entered in the log",
            f"Another tag or a permit hangs there: do not close {closing}; report and switch back.",
        )
        return
    waits = "go on, customers are off" if not t.move.closes_first else "go on"
    yield write_line(
        "switch",
        "TAG",
        opening,
        place_of(t.opening),
        f"Hang a caution tag on {opening}: new normally-open point.",
        f"Caution tag on {opening}, entered in the log",
        f"No tag at hand: a person stays at {opening} until there is one; {waits}.",
    )


def _earlier(undo: Sequence[Step]) -> str:
    return f" and switch back by {', '.join(step.step_id for step in undo[2:])}" if undo[2:] else ""
