"""What an AC proof consists of."""

from dataclasses import dataclass

AC_METHOD = "AC power flow"
ADDITIVE = "not possible: additive"


@dataclass(frozen=True)
class AcLoading:
    """The most loaded hour of one element in one scenario.

    Attributes
    ----------
    object_id : str
        Transformer or line; a line behind a switch bears the name of the switch.
    role : str
        donor, receiver, transformer, line or feeder head.
    scenario : str
        Key of the loads.
    before_pct, after_pct : float
        Largest loading before, and in any state after [%]; NaN where no limit is known.
    after_a : float
        Largest current of a line after [A]; NaN for transformers.
    hour : int
        Position of the hour of ``after_pct``.
    """

    object_id: str
    role: str
    scenario: str
    before_pct: float
    after_pct: float
    after_a: float
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
    losses_kwh_before, losses_kwh_after : float
        Losses of everything modelled, over the horizon [kWh].
    """

    scenario: str
    least_pu_before: float
    most_pu_before: float
    least_pu_after: float
    most_pu_after: float
    least_at: str
    losses_kwh_before: float
    losses_kwh_after: float


@dataclass(frozen=True)
class AcState:
    """One state of the sequence.

    Attributes
    ----------
    unfed : tuple of str
        Sections without supply that had it before.
    ring : tuple of str
        Transformers in a ring.
    refusals : tuple of str
        What this state breaks.
    converged : bool
        Whether every hour of every scenario has a solution.
    """

    unfed: tuple[str, ...]
    ring: tuple[str, ...]
    refusals: tuple[str, ...]
    converged: bool


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
    reasons : tuple of str
        Why it does not hold.
    loadings : tuple of AcLoading
        Every touched transformer, line and feeder head in every scenario.
    energy : tuple of AcEnergy
        Voltages and losses, by scenario.
    states : tuple of AcState
        The states after, in order.
    converged : bool
        Whether every state converges, the one before included.
    missing : tuple of str
        Data that are missing, element by element.
    not_checked : tuple of str
        What is left out.
    """

    possible: bool
    holds: bool
    method: str
    reasons: tuple[str, ...]
    loadings: tuple[AcLoading, ...]
    energy: tuple[AcEnergy, ...]
    states: tuple[AcState, ...]
    converged: bool
    missing: tuple[str, ...]
    not_checked: tuple[str, ...]
