"""How a line of a switching sheet is written."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from string import Formatter
from typing import Any

from gridlib.facts.messages import CATALOGUE, Message
from gridlib.facts.sheets import Step
from gridlib.facts.types import SwitchState

CONTROL_ROOM = Message("place.control_room", {})


def say(message_id: str, **facts: Any) -> Message:
    """Take what a sentence names out of the facts that are known.

    Examples
    --------
    >>> say("back.close", opening="s1", closing="t1")
    Message(id='back.close', parameters={'opening': 's1'})
    """
    named = [name for _, name, _, _ in Formatter().parse(CATALOGUE[message_id]["en"]) if name]
    return Message(message_id, {name: facts[name] for name in named})


def write_line(
    phase: str,
    verb: str,
    device: str,
    place: Message,
    text: Message,
    expected: Message,
    if_it_fails: Message,
    *,
    state_after: SwitchState | None = None,
    hold_point: bool = False,
    write_down: str = "",
    reading: tuple[float, float, str] | None = None,
) -> Step:
    """Write a step without its number.

    ``write_down`` is what it is not complete without, ``write_down.<name>`` in the catalogue; ``reading``
    from where to where that may lie, and its unit.
    """
    low, high, unit = reading or (None, None, "")
    if write_down:
        text = say("step.write_down", text=text, what=say(f"write_down.{write_down}"))
    return Step(
        step_id="",
        number=0,
        phase=phase,
        verb=verb,
        device=device,
        place=place,
        text=text,
        expected=expected,
        if_it_fails=if_it_fails,
        switching=state_after is not None,
        state_after=state_after,
        hold_point=hold_point,
        needs_reading=bool(write_down),
        reading_low=low,
        reading_high=high,
        reading_unit=unit,
    )


def numbered(steps: Iterable[Step], letter: str) -> tuple[Step, ...]:
    """Count steps from 1, with the letter of their list."""
    return tuple(
        replace(step, step_id=f"{letter}{number:02d}", number=number)
        for number, step in enumerate(steps, start=1)
    )


def place_of(switch: Mapping[Any, Any]) -> Message:
    """Say where a device is operated."""
    where = "place.remote" if bool(switch["remote"]) else "place.device"
    return say(where, from_id=str(switch["from_id"]), to_id=str(switch["to_id"]))


def load_break(switch: Mapping[Any, Any]) -> Message:
    """Write the rating down with which a device breaks load, or that it is not known."""
    rated_a = float(switch["load_break_a"])
    return say("rating.load_break", rated_a=rated_a) if rated_a > 0 else say("rating.load_break_unknown")


def fault_make(switch: Mapping[Any, Any]) -> Message:
    """Write the rating down with which a device closes onto a fault, or that it is not known."""
    rated_ka = float(switch["fault_make_ka"])
    return say("rating.fault_make", rated_ka=rated_ka) if rated_ka > 0 else say("rating.fault_make_unknown")
