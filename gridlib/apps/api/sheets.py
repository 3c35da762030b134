"""Switching sheets, as shown with plans and work orders."""

from pydantic import Field

from gridlib.apps.api.fields import MaybeUtc, Number, View
from gridlib.facts.types import SwitchState


class SheetStepView(View):
    """One line of a switching sheet."""

    step_id: str
    number: int
    phase: str
    verb: str
    device: str
    place: str
    text: str
    expected: str
    if_it_fails: str
    switching: bool = Field(description="A device changes its position: cannot be skipped.")
    state_after: SwitchState | None
    hold_point: bool
    needs_reading: bool
    reading_low: Number
    reading_high: Number
    reading_unit: str


class SheetView(View):
    """Steps, checklist and the computed way back."""

    title: str
    purpose: str
    steps: list[SheetStepView]
    checklist: list[str]
    rollback: list[SheetStepView]
    abort_triggers: list[str]
    drafted_by: str
    notes: list[str]
    version: int = Field(description="Counts the sheets written for the plan.")
    prepared_by: str
    prepared_at: MaybeUtc
    window_from: MaybeUtc = Field(description="Begin of the hour whose currents it carries.")
    window_until: MaybeUtc
    positions: list[str] = Field(description="Normal and present ones of its devices.")
