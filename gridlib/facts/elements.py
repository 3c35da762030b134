"""What a proof found at one element of the network."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class ElementProof:
    """The worst hour of one element in the AC power flow, before and in the state that stays; times are UTC.

    Attributes
    ----------
    role : str
        substation, feeder head, line, low-voltage line, donor, receiver, loop, lowest voltage, highest
        voltage or losses.
    object_id : str
        The element; of a voltage its node, of losses empty.
    unit : str
        A, % (of its rating), pu or kWh.
    before, after : float
        In the same unit; of losses over the horizon at p50, of a loop in the state in which it is closed.
    limit : float or None
        In the same unit; None where none is known.
    scenario : str
        p10, p50 or p90 of the loads, with the end of the +- range of the moved sections, at the worst.
    time : datetime or None
        Hour of ``after``.
    """

    role: str
    object_id: str
    unit: str
    before: float
    after: float
    limit: float | None
    scenario: str
    time: datetime | None
