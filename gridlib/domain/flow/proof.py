"""What an AC proof consists of."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple, Protocol

from gridlib.facts.messages import Message

AC_METHOD = "AC power flow"
ADDITIVE = "not possible: additive"


@dataclass(frozen=True)
class AcLoading:
    """The most loaded hour of one element in one scenario.

    Attributes
    ----------
    object_id : str
        Transformer, substation or line; a line behind a switch bears the name of the switch.
    role : str
        donor, receiver, transformer, line, feeder head or substation.
    scenario : str
        Key of the loads.
    before_pct, after_pct : float
        Largest loading before, and in any state after [%]; NaN where no limit is known.
    before_a, after_a : float
        Largest current of a line [A]; NaN for others.
    limit_a : float
        Its limit [A]; NaN where not known, and for others.
    hour : int
        Position of the hour of ``after_pct``.
    """

    object_id: str
    role: str
    scenario: str
    before_pct: float
    after_pct: float
    before_a: float
    after_a: float
    limit_a: float
    hour: int


@dataclass(frozen=True)
class AcEnergy:
    """Voltages and losses of one scenario; after is the last state for losses, any state for voltages.

    Attributes
    ----------
    scenario : str
        Key of the loads.
    least_pu_before, most_pu_before, least_pu_after, most_pu_after : float
        Range of all low-voltage nodes and hours [pu].
    least_at : str
        Node of the lowest voltage after.
    hour : int
        Position of its hour.
    losses_kwh_before, losses_kwh_after : float
        Losses of the touched feeders, transformers and low-voltage lines, over the horizon [kWh].
    """

    scenario: str
    least_pu_before: float
    most_pu_before: float
    least_pu_after: float
    most_pu_after: float
    least_at: str
    hour: int
    losses_kwh_before: float
    losses_kwh_after: float


class AcWorst(NamedTuple):
    """An element worth showing: in its unit, before and in the state that stays, its limit, and where.

    ``role`` is substation, feeder head, line, low-voltage line, donor, receiver, transformer, lowest voltage,
    highest voltage or losses; ``limit`` None where none is known, ``hour`` None where it is of all hours.
    """

    role: str
    object_id: str
    unit: str
    before: float
    after: float
    limit: float | None
    scenario: str
    hour: int | None


class AcFigures(Protocol):
    """What can be read off the flows of a proof."""

    def loadings(self) -> Iterable[AcLoading]:
        """List the worst hour of every element, by scenario."""

    def energies(self) -> Iterable[AcEnergy]:
        """List voltages and losses, by scenario."""

    def worst(self) -> Iterable[AcWorst]:
        """List the elements worth showing."""


@dataclass(frozen=True)
class AcState:
    """One state of the sequence.

    Attributes
    ----------
    unfed : tuple of str
        Sections without supply that had it before.
    ring : tuple of str
        Transformers in a ring.
    refusals : tuple of Message
        What this state breaks.
    converged : bool
        Whether every hour of every scenario has a solution.
    current_a : dict
        Largest current of each switch that was asked for [A].
    over_pu : dict
        Transformers among the refusals, and their largest loading over the limit [pu].
    """

    unfed: tuple[str, ...]
    ring: tuple[str, ...]
    refusals: tuple[Message, ...]
    converged: bool
    current_a: dict[str, float] = field(default_factory=dict)
    over_pu: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class AcProof:
    """What AC power flow says of a switch sequence.

    Attributes
    ----------
    possible : bool
        Whether the touched transformers can be modelled; if not, only additive kVA can be used.
    holds : bool
        Whether it is possible, every state converges, no limit is newly broken and no violation grows, and
        the last state is radial with everything fed.
    method : str
        `AC_METHOD` or `ADDITIVE`.
    reasons : tuple of Message
        Why it does not hold.
    states : tuple of AcState
        The states after, in order.
    converged : bool
        Whether every state converges, the one before included.
    missing : tuple of Message
        Data that are missing, element by element.
    not_checked : tuple of Message
        What is left out.
    figures : AcFigures or None
        The flows; None where there are none.
    """

    possible: bool
    holds: bool
    method: str
    reasons: tuple[Message, ...]
    states: tuple[AcState, ...]
    converged: bool
    missing: tuple[Message, ...]
    not_checked: tuple[Message, ...]
    figures: AcFigures | None = None

    @cached_property
    def loadings(self) -> tuple[AcLoading, ...]:
        """Every touched transformer, line, feeder head and substation in every scenario."""
        return () if self.figures is None else tuple(self.figures.loadings())

    @cached_property
    def energy(self) -> tuple[AcEnergy, ...]:
        """Voltages and losses, by scenario."""
        return () if self.figures is None else tuple(self.figures.energies())

    @cached_property
    def worst(self) -> tuple[AcWorst, ...]:
        """The elements worth showing."""
        return () if self.figures is None else tuple(self.figures.worst())


def impossible(lacking: tuple[Message, ...]) -> AcProof:
    """Say that only additive kVA can be used."""
    reason = Message("flow.impossible", {"missing": lacking})
    return AcProof(False, False, ADDITIVE, (reason,), (), False, lacking, ())


def without_state(reason: Message) -> Message:
    """Take the name of its state off a reason of a proof."""
    if reason.id != "flow.in_state":
        return reason
    inner: Message = reason.parameters["reason"]
    return inner
