"""The lines of a switching sheet, in the order in which they are instructed."""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Any

import pandas as pd

from gridlib.domain.instructions.lines import CONTROL_ROOM, numbered, place_of, say, write_line
from gridlib.domain.instructions.orders import facts_of, sides_of, switch_back, switch_over
from gridlib.domain.instructions.transfer import Transfer, local
from gridlib.facts.messages import Message, listed
from gridlib.facts.sheets import Step
from gridlib.facts.types import Network, Plan, PlanningRules, SwitchState


def write_steps(
    plan: Plan,
    transfers: Sequence[Transfer],
    rollback: Sequence[Step],
    network: Network,
    *,
    hour: pd.Timestamp,
    tz: str,
    rules: PlanningRules,
) -> tuple[Step, ...]:
    """Write the steps S01, S02, ...: prepare, switch move by move, confirm."""
    feeders = ", ".join(_feeders(transfers, network))
    steps = [*_readings_before(transfers, hour, tz, rules), *_path_checks(transfers, network, rules)]
    steps += _control_room_before(plan, transfers, feeders, rules)
    for k, transfer in enumerate(transfers):
        # The way back of the last move comes first in the rollback.
        undo = rollback[2 * (len(transfers) - 1 - k) :]
        steps += switch_over(transfer, undo, rules, returns=bool(plan.returns))
    return numbered([*steps, *_control_room_after(plan, transfers, feeders, tz)], "S")


def write_rollback(plan: Plan, transfers: Sequence[Transfer], rules: PlanningRules) -> tuple[Step, ...]:
    """Undo the switching: inverse steps in reverse order, R01, R02, ..."""
    back = (step for t in reversed(transfers) for step in switch_back(t, rules, returns=bool(plan.returns)))
    return numbered(back, "R")


def changes_a(transfers: Sequence[Transfer], unit: str) -> tuple[float, float]:
    """Add up the current that a transformer takes over at most, and what leaves it for sure before that."""
    takes = [k for k, t in enumerate(transfers) if t.move.to_transformer == unit]
    earlier = [t for t in transfers[: takes[0]] if t.move.from_transformer == unit]
    return sum(transfers[k].high_a for k in takes), sum(t.low_a for t in earlier)


def _readings_before(
    transfers: Sequence[Transfer], hour: pd.Timestamp, tz: str, rules: PlanningRules
) -> Iterator[Step]:
    for t in transfers:
        facts = facts_of(t, rules)
        yield write_line(
            "prepare",
            "READ",
            t.move.open_switch,
            place_of(t.opening),
            say("step.current.do", **facts),
            say("step.current.expect", at=local(hour, tz), **facts),
            say("step.current.fails"),
            write_down="current",
            # Rounded as printed: the person on site sees no other bounds.
            reading=(float(round(t.low_a)), float(round(t.high_a)), "A"),
        )
    for sides, (t, *_) in _by_sides(transfers).items():
        facts = facts_of(t, rules)
        added_a, leaving_a = changes_a(transfers, t.move.to_transformer)
        facts |= {"added_a": added_a, "leaving_a": leaving_a}
        facts["room_a"] = t.receiver_limit_a - added_a + leaving_a
        yield write_line(
            "prepare",
            "READ",
            sides,
            say("place.boards", **facts),
            say("step.loads.do", **facts),
            say("step.loads_once_left.expect" if leaving_a else "step.loads.expect", **facts),
            say("step.loads.fails"),
        )


def _path_checks(transfers: Sequence[Transfer], network: Network, rules: PlanningRules) -> Iterator[Step]:
    states = network.states
    reported = set(states.loc[states["source"] != "assumed", "switch_id"])
    for t in transfers:
        for switch, row, position in (
            (t.move.open_switch, t.opening, SwitchState.CLOSED),
            (t.move.close_switch, t.closing, SwitchState.OPEN),
        ):
            known = "step.identify.expect" if switch in reported else "step.identify_assumed.expect"
            yield write_line(
                "prepare",
                "IDENTIFY",
                switch,
                place_of(row),
                say("step.identify.do", switch=switch),
                say(known, switch=switch, position=say(f"switch.{position}")),
                say("step.identify.fails"),
            )
    yield write_line(
        "prepare",
        "CHECK",
        "",
        say("place.path", units=", ".join(_units(transfers))),
        say("step.log.do"),
        say("step.log.expect"),
        say("step.log.fails"),
    )
    for t in transfers:
        confirmed = t.closing.get("phase_rotation_confirmed_on")
        dated = isinstance(confirmed, str) and bool(confirmed)
        yield write_line(
            "prepare",
            "CONFIRM",
            t.move.close_switch,
            place_of(t.closing),
            say("step.rotation.do", **facts_of(t, rules)),
            say("step.rotation.expect", on=confirmed) if dated else say("step.rotation_unknown.expect"),
            say("step.rotation.fails"),
            hold_point=not dated,
            write_down="" if dated else "rotation",
        )


def _control_room(phase: str, verb: str, device: str, kind: str, **facts: Any) -> Step:
    return write_line(
        phase,
        verb,
        device,
        CONTROL_ROOM,
        say(f"step.{kind}.do", **facts),
        say(f"step.{kind}.expect", **facts),
        say(f"step.{kind}.fails", **facts),
    )


def _control_room_before(
    plan: Plan, transfers: Sequence[Transfer], feeders: str, rules: PlanningRules
) -> Iterator[Step]:
    off = [say("customers.off", **facts_of(t, rules)) for t in transfers if not t.move.closes_first]
    named = [
        say("critical.known" if t.critical else "critical.unknown", **facts_of(t, rules)) for t in transfers
    ]
    yield write_line(
        "prepare",
        "NOTIFY",
        "",
        CONTROL_ROOM,
        say("step.tell.do" if off else "step.tell_nobody_off.do", named=named, off=off),
        say("step.tell.expect"),
        say("step.tell.fails"),
    )
    affected = feeders or say("feeders.affected")
    yield _control_room("prepare", "BLOCK", feeders, "block", feeders=affected)
    yield _control_room("prepare", "SET MANUAL", feeders, "manual", feeders=affected)
    yield _protection(plan)


def _protection(plan: Plan) -> Step:
    """Stop for the protection engineer where anything of protection or fault level is not known."""
    proof = plan.proof
    found = {"protection": proof.protection, "fault_level": proof.fault_level}
    unknown = [say(f"unknown.{name}") for name, words in found.items() if not words]
    if not unknown:
        return _control_room("prepare", "CONFIRM", "", "protection", protection=proof.protection)
    return write_line(
        "prepare",
        "HOLD",
        "",
        CONTROL_ROOM,
        say("step.engineer.do", unknown=listed(unknown)),
        say("step.engineer.expect"),
        say("step.engineer.fails"),
        hold_point=True,
        write_down="engineer",
    )


def _control_room_after(plan: Plan, transfers: Sequence[Transfer], feeders: str, tz: str) -> Iterator[Step]:
    affected = feeders or say("feeders.affected")
    yield _control_room("confirm", "RESTORE", feeders, "restore", feeders=affected)
    yield _control_room("confirm", "SET AUTOMATIC", feeders, "automatic", feeders=affected)
    ties = ", ".join(t.move.close_switch for t in transfers)
    if plan.returns:
        yield _control_room("confirm", "RECORD", "", "record", plan=plan.returns, ties=ties)
    else:
        hours = switch_back_hours(plan, tz)
        yield _control_room("confirm", "AGREE", "", "agree", hours=hours, ties=ties)
    yield _control_room("confirm", "NOTIFY", "", "done")


def switch_back_hours(plan: Plan, tz: str) -> Message:
    """Say from when to when the switch-back is possible."""
    facts: dict[str, Any] = {}
    if plan.needed_until is not None:
        facts["after"] = local(plan.needed_until + timedelta(hours=1), tz)
    if plan.switch_back_by is None:
        return say("switch_back.from" if facts else "switch_back.unknown", **facts)
    return say(
        "switch_back.from_until" if facts else "switch_back.until",
        until=local(plan.switch_back_by, tz),
        **facts,
    )


def _by_sides(transfers: Sequence[Transfer]) -> dict[str, list[Transfer]]:
    """Transfers between the same two transformers, which share the receiver's room."""
    together: dict[str, list[Transfer]] = {}
    for t in transfers:
        together.setdefault(sides_of(t), []).append(t)
    return together


def _units(transfers: Sequence[Transfer]) -> list[str]:
    return sorted({name for t in transfers for name in (t.move.from_transformer, t.move.to_transformer)})


def _feeders(transfers: Sequence[Transfer], network: Network) -> list[str]:
    rows = network.transformers[network.transformers["transformer_id"].isin(_units(transfers))]
    return sorted({str(name) for name in rows["feeder_id"].dropna()})
