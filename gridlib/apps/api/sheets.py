"""Switching sheets, as shown with plans and work orders."""

from pydantic import Field

from gridlib.apps.api.fields import MaybeUtc, Number, Said, View
from gridlib.facts.types import SwitchState


class SheetStepView(View):
    """One line of a switching sheet."""

    step_id: str
    number: int
    phase: str
    verb: str
    device: str
    place: Said
    text: Said
    expected: Said
    if_it_fails: Said
    switching: bool = Field(description="A device changes its position: cannot be skipped.")
    state_after: SwitchState | None
    hold_point: bool
    needs_reading: bool
    reading_low: Number
    reading_high: Number
    reading_unit: str


class SheetView(View):
    """Steps, checklist and the computed way back."""

    title: Said
    purpose: Said
    steps: list[SheetStepView]
    checklist: list[Said]
    rollback: list[SheetStepView]
    abort_triggers: list[Said]
    drafted_by: str
    notes: list[Said]
    version: int = Field(description="Counts the sheets written for the plan.")
    prepared_by: str
    prepared_at: MaybeUtc
    window_from: MaybeUtc = Field(description="Begin of the hour whose currents it carries.")
    window_until: MaybeUtc
    positions: list[Said] = Field(description="Normal and present ones of its devices.")
