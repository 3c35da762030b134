"""A switching sheet: its lines, and what else is printed on it."""

from dataclasses import dataclass, field
from datetime import datetime

from gridlib.facts.messages import Message
from gridlib.facts.types import SwitchState


@dataclass(frozen=True)
class Step:
    """One line of a switching sheet.

    ``phase`` and ``verb`` are codes with words in the catalogue, ``device`` is one id or several; sentences
    are messages, so that the sheet can be read in any language.
    ``step_id`` is fixed ("S03"), ``switching`` is true where a device changes its position, ``state_after``
    is that position, ``hold_point`` where the sheet stops until the control room says go. ``needs_reading``:
    it is completed only with what was read, or with the name of who said go; ``text`` says which.
    ``reading_low`` and ``reading_high`` [``reading_unit``] are what a reading may be; None: no range.
    """

    step_id: str
    number: int
    phase: str
    verb: str
    device: str
    place: Message
    text: Message
    expected: Message
    if_it_fails: Message
    switching: bool = False
    state_after: SwitchState | None = None
    hold_point: bool = False
    needs_reading: bool = False
    reading_low: float | None = None
    reading_high: float | None = None
    reading_unit: str = ""

    @property
    def reading_range(self) -> tuple[float, float] | None:
        """What a reading may be [``reading_unit``]; None: no range."""
        if self.reading_low is None or self.reading_high is None:
            return None
        return self.reading_low, self.reading_high

    @property
    def state_before(self) -> SwitchState:
        """Position that a switching step finds its device in."""
        return SwitchState.OPEN if self.state_after == SwitchState.CLOSED else SwitchState.CLOSED


@dataclass(frozen=True)
class Instruction:
    """A switching sheet: steps, checklist and the computed way back.

    ``drafted_by`` is "template" or the model that worded it; ``abort_triggers`` carry numbers. ``version``
    counts the sheets written for the plan; ``window_from`` and ``window_until`` bound the hour whose currents
    it carries; ``positions`` are the normal and present ones of its devices. Who checked, approved and issued
    it, and the crew, are in the records of the plan and its work order.
    """

    plan_id: str
    title: Message
    purpose: Message
    steps: tuple[Step, ...]
    checklist: tuple[Message, ...]
    rollback: tuple[Step, ...]
    abort_triggers: tuple[Message, ...]
    drafted_by: str = "template"
    notes: tuple[Message, ...] = field(default=())
    version: int = 1
    prepared_by: str = ""
    prepared_at: datetime | None = None
    window_from: datetime | None = None
    window_until: datetime | None = None
    positions: tuple[Message, ...] = ()
