"""How a line of a switching sheet is written."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from gridlib.facts.sheets import Step
from gridlib.facts.types import SwitchState


def write_line(
    phase: str,
    verb: str,
    device: str,
    place: str,
    text: str,
    expected: str,
    if_it_fails: str,
    *,
    state_after: SwitchState | None = None,
    hold_point: bool = False,
    write_down: str = "",
    reading: tuple[float, float, str] | None = None,
) -> Step:
    """Write a step without its number.

    ``write_down`` is what it is not complete without; ``reading`` from where to where that may lie, and its
    unit.
    """
    low, high, unit = reading or (None, None, "")
    return Step(
        step_id="",
        number=0,
        phase=phase,
        verb=verb,
        device=device,
        place=place,
        text=f"{text} Write down: {write_down}." if write_down else text,
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


def place_of(switch: Mapping[Any, Any]) -> str:
    """Say where a device is operated."""
    where = f"between {switch['from_id']} and {switch['to_id']}"
    return f"control room, device {where}" if bool(switch["remote"]) else f"at the device, {where}"


def rating_of(value: object, unit: str) -> str:
    """Write a rating down, or that it is not known: ``rated 630 A load break``."""
    number = float(str(value))
    return f"rated {number:g} {unit}" if number > 0 else f"{unit[unit.index(' ') + 1 :]} rating unknown"
