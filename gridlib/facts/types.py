"""Words of the trade as types: levels, states, actions, and the records that pass between floors."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from itertools import pairwise
from typing import Self

import pandas as pd
from pydantic import BaseModel, ConfigDict, Field, model_validator

from gridlib.facts.elements import ElementProof
from gridlib.facts.messages import Message


class RiskLevel(StrEnum):
    """LOW [0, 0.3), MEDIUM [0.3, 0.7), HIGH [0.7, 1]; rules may raise it above the score."""

    LOW = "LOW"
    MEDIUM = "MEDIUM"
    HIGH = "HIGH"


class PlanState(StrEnum):
    """States of a load-transfer plan; the moves are in `gridlib.domain.lifecycle`."""

    DRAFT = "DRAFT"
    APPROVED = "APPROVED"
    ISSUED = "ISSUED"
    EXECUTED = "EXECUTED"
    RETURNED = "RETURNED"
    REJECTED = "REJECTED"
    EXPIRED = "EXPIRED"
    PARTIAL = "PARTIAL"
    ROLLED_BACK = "ROLLED_BACK"


class WorkOrderState(StrEnum):
    """States of a work order."""

    OPEN = "OPEN"
    IN_PROGRESS = "IN_PROGRESS"
    COMPLETED = "COMPLETED"
    CANCELLED = "CANCELLED"
    ABORTED = "ABORTED"


class StepState(StrEnum):
    """States of one line of a switching sheet."""

    PENDING = "PENDING"
    INSTRUCTED = "INSTRUCTED"
    COMPLETED = "COMPLETED"
    FAILED = "FAILED"
    SKIPPED = "SKIPPED"
    ABORTED = "ABORTED"


class RequestState(StrEnum):
    """States of a run that somebody asked for."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


class Role(StrEnum):
    """What a user may do: analysts run, operators decide and switch, managers read."""

    ANALYST = "analyst"
    OPERATOR = "operator"
    MANAGER = "manager"


class SwitchState(StrEnum):
    """Position of a switch."""

    OPEN = "OPEN"
    CLOSED = "CLOSED"


class Quality(int):
    """Quality bits of one reading, the vocabulary of IEC 60870-5-101/104 (7.2.6.3)."""

    OK = 0x00
    OVERFLOW = 0x01
    BLOCKED = 0x10
    SUBSTITUTED = 0x20
    NOT_TOPICAL = 0x40
    INVALID = 0x80
    MISSING = OVERFLOW | NOT_TOPICAL | INVALID
    """A reading with any of these bits is not used as a value."""


class Limits(BaseModel):
    """Risk levels and limits of the site; every default is the trade rule's.

    Loading is ``|S| / rating`` in percent; temperatures are hot-spot in degC. ``loading_limit_pct`` is the
    most that the site lets a transformer carry; on a day it may carry less where heat or a device in series
    binds. ``planned_hot_spot_c`` is what a planned transfer may reach at median load: the limit of normal
    cyclic loading in IEC 60076-7.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    medium_score: float = Field(default=0.3, gt=0, lt=1)
    high_score: float = Field(default=0.7, gt=0, le=1)
    weight_overload: float = 0.6
    weight_thermal: float = 0.2
    weight_cascading: float = 0.2
    overload_points: tuple[tuple[float, float], ...] = ((80, 0.0), (90, 0.3), (100, 0.7), (120, 1.0))
    thermal_points: tuple[tuple[float, float], ...] = ((98, 0.0), (120, 0.5), (140, 1.0))
    loading_limit_pct: float = Field(default=100, gt=0)
    p_any_limit: float = Field(default=0.3, gt=0, lt=1)
    high_loading_p50_pct: float = 110
    high_loading_p50_h: int = 2
    high_loading_p90_pct: float = 120
    high_hot_spot_p90_c: float = 140
    planned_hot_spot_c: float = Field(default=120, gt=0)
    emergency_pct: float = Field(default=120, gt=0)
    trip_pct: float = Field(default=150, gt=0)
    kiosk_surcharge_k: float = Field(default=15, ge=0)
    downgrade_margin: float = Field(default=0.05, ge=0)
    downgrade_runs: int = Field(default=2, ge=1)

    @property
    def line_limit_pct(self) -> float:
        """Largest loading of lines and substations: the site's limit, but never above their own [%]."""
        return min(self.loading_limit_pct, 100.0)

    @model_validator(mode="after")
    def _check_curves(self) -> Self:
        total = self.weight_overload + self.weight_thermal + self.weight_cascading
        if abs(total - 1) > 1e-9:
            raise ValueError(
                f"weight_overload, weight_thermal and weight_cascading sum to {total:g}, expected 1"
            )
        for name in ("overload_points", "thermal_points"):
            points = getattr(self, name)
            steps = list(pairwise(points))
            if not steps or any(not b[0] > a[0] or not b[1] >= a[1] for a, b in steps):
                raise ValueError(
                    f"{name} is {points}, expected two points or more that increase: each further right than "
                    "the one before, and none lower"
                )
            if points[0][1] < 0 or points[-1][1] > 1:
                raise ValueError(f"{name} is {points}, expected severities from 0 to 1")
        return self


class PlanningRules(BaseModel):
    """How load transfers are searched and checked.

    ``search_limit_s`` is processor time for each plan; then the best found so far is taken, with its bound.
    ``remote_cost_kvah`` and ``manual_cost_kvah`` are the least overload that one operation must save.

    ``cold_load_factor`` is by how much the gross load of sections exceeds its usual size when they come back
    after some minutes without supply. No standard gives it: 1.5 is our assumption for cooling load; after
    long outages two to five times the load was seen ("Cold Load Pickup Issues", IEEE PES PSRC, 2008).
    ``parallel_limit_min`` is how long two transformers may stay in parallel while a transfer closes first.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    derating_pct: float = Field(default=5, ge=0, lt=100)
    max_moves: int = Field(default=3, ge=1, le=5)
    search_limit_s: float = Field(default=30, ge=0)
    remote_cost_kvah: float = Field(default=0.05, ge=0)
    manual_cost_kvah: float = Field(default=0.5, ge=0)
    plans_per_transformer: int = Field(default=3, ge=1)
    why_not_per_transformer: int = Field(default=10, ge=0)
    switching_lead_min: int = Field(default=60, ge=0)
    forecast_max_age_h: float = Field(default=12, gt=0)
    state_max_age_h: float = Field(default=24 * 7, gt=0)
    power_factor: float = Field(default=0.95, gt=0.3, le=1)
    lv_kv: float = Field(default=0.415, gt=0.1, le=1)
    cold_load_factor: float = Field(default=1.5, ge=1)
    parallel_limit_min: int = Field(default=5, ge=1)


@dataclass(frozen=True)
class Network:
    """The network as tables; columns are in `gridlib.facts.frames` under the same names.

    ``states`` holds the newest row of each switch. A switch without a row is assumed to be in its
    normal state, healthy and untagged, and says so (``source = "assumed"``).
    """

    substations: pd.DataFrame
    feeders: pd.DataFrame
    transformers: pd.DataFrame
    sections: pd.DataFrame
    switches: pd.DataFrame
    states: pd.DataFrame
    lines: pd.DataFrame


@dataclass(frozen=True)
class Move:
    """One section group changed over from one transformer to another.

    Attributes
    ----------
    open_switch, close_switch : str
        The closed device that is opened, and the open tie that is closed.
    sections : tuple of str
        The sections that change their transformer.
    from_transformer, to_transformer : str
        Donor and receiver.
    closes_first : bool
        The tie is closed before the device is opened, without interruption: only where the closed loop was
        proven and may be made. Otherwise the device opens first. The transfer is the same either way, so that
        moves are equal whatever their order.
    """

    open_switch: str
    close_switch: str
    sections: tuple[str, ...]
    from_transformer: str
    to_transformer: str
    closes_first: bool = field(default=False, compare=False)


@dataclass(frozen=True)
class Side:
    """One transformer of a plan, before and after, over the whole horizon.

    Loadings are percent of nameplate. ``limit_pct`` is what it may carry after the plan on the day of its
    highest hour, ``peak_time`` (UTC, at p90), and ``limit_by`` what binds: hot_spot, ageing, current, site or
    device. Hours are over where the median load is above the limit of their day, before and after each with
    its own.
    """

    transformer_id: str
    role: str
    rating_kva: float
    limit_pct: float
    peak_pct_p50_before: float
    peak_pct_p50_after: float
    peak_pct_p90_before: float
    peak_pct_p90_after: float
    hours_over_before: int
    hours_over_after: int
    hot_spot_c_before: float
    hot_spot_c_after: float
    loss_of_life_d_before: float
    loss_of_life_d_after: float
    risk_before: float
    risk_after: float
    peak_time: datetime
    limit_by: str = "site"


@dataclass(frozen=True)
class Proof:
    """The outcome of checking a plan hour by hour.

    Attributes
    ----------
    holds : bool
        True when no limit is newly broken and no existing violation grows, in any hour.
    method : Message
        How it was checked ("additive kVA, 5 % derated").
    reasons : tuple of Message
        Why it does not hold, each with the binding limit and by how much; empty when it holds.
    not_checked : tuple of Message
        What could not be checked for want of data ("protection", "voltage").
    margin_pct : float or None
        Smallest distance to a limit on any receiver, percent of its rating; None where it was refused before
        any load was looked at.
    fault_level : tuple of Message
        What the devices that close may close onto, with numbers; empty where it is not known of all.
    protection : tuple of Message
        Reach and pick-up of what protects the moved sections, with numbers; empty where any of it is not
        known: PROTECTION NOT CHECKED.
    unconfirmed : tuple of str
        Switches of the moves and of their path, donor breaker to receiver breaker, whose position is assumed
        or was reported too long ago: somebody has to confirm them before a sheet is issued.
    elements : tuple of ElementProof
        What the AC power flow found at the elements worth showing; empty where there was none.
    notes : tuple of Message
        Why moves open first and interrupt their customers.
    """

    holds: bool
    method: Message
    reasons: tuple[Message, ...]
    not_checked: tuple[Message, ...]
    margin_pct: float | None
    unconfirmed: tuple[str, ...] = ()
    fault_level: tuple[Message, ...] = ()
    protection: tuple[Message, ...] = ()
    elements: tuple[ElementProof, ...] = ()
    notes: tuple[Message, ...] = ()


@dataclass(frozen=True)
class Plan:
    """A load transfer that was proven; rank 1 is best.

    Attributes
    ----------
    transformer_id : str
        The worst transformer that it relieves.
    moves : tuple of Move
        In the order in which they are carried out; every state in between is proven too.
    relief_pct, relieved_kvah : float
        Cut of the overload of all touched transformers at p50, at p90 where there is none at p50. Overload is
        load above what a transformer may carry on its day: see `gridlib.domain.planning.capacity`.
    relieves : tuple of str
        Transformers at risk whose load above ``aim_pct`` falls, the worst first.
    aim_pct : float or None
        Loading above which load counts in the search [%]; load above the limit of the day always counts.
    left_kvah, bound_kvah : float or None
        Expected energy above ``aim_pct`` that the search leaves on what it was to relieve, and the least that
        any switching could leave that costs no more operations; derated, as of the run that searched.
    gap_pct : float or None
        Distance of the two, share of ``left_kvah``.
    standing : str
        "proven" where nothing better exists for as many operations, "cut_short" or "greedy" where the time
        was up, "checked" for another way that harms nobody; may be empty.
    switch_at : datetime or None
        Hour of the sheet: the one before the overload in which the least load is switched, once the lead time
        is over; the first hour where the overload has begun. UTC, as all times.
    switch_back_by : datetime or None
        Last hour of the horizon in which the network before the plan would hold, load and heat; None where
        there is none.
    p_holds : float or None
        Chance, 0 .. 1, that no touched element's limit is newly broken and no violation grows in any hour of
        the horizon, from joint error paths; None where these are not known.
    p_clear_before, p_clear_after : float or None
        Chance that no touched element is over its limit in any hour, without and with the plan.
    as_if_independent : tuple of str
        Transformers whose errors these chances take as independent of the others'.
    returns : str
        The executed plan that this one takes back; empty where it is a transfer of its own.
    """

    transformer_id: str
    rank: int
    moves: tuple[Move, ...]
    sides: tuple[Side, ...]
    proof: Proof
    relief_pct: float
    relieved_kvah: float
    risk_before: float
    risk_after: float
    operations: int
    interrupted_customers: int
    needed_from: datetime | None
    needed_until: datetime | None
    decide_by: datetime | None
    relieves: tuple[str, ...] = ()
    aim_pct: float | None = None
    left_kvah: float | None = None
    bound_kvah: float | None = None
    gap_pct: float | None = None
    standing: str = ""
    switch_at: datetime | None = None
    switch_back_by: datetime | None = None
    p_holds: float | None = None
    p_clear_before: float | None = None
    p_clear_after: float | None = None
    as_if_independent: tuple[str, ...] = ()
    returns: str = ""


@dataclass(frozen=True)
class WhyNot:
    """A transfer that was looked at and refused, with the limit that binds."""

    transformer_id: str
    moves: tuple[Move, ...]
    code: str
    reason: Message


@dataclass(frozen=True)
class PlanningCase:
    """Everything planning has to say about one transformer.

    ``do_nothing`` is plan 0: limit on the day of the peak, hours over limit, peak loading, peak hot-spot,
    loss of life, overload kVAh; None where a number is not known.
    ``other_measures`` names what else could help where no transfer does.
    """

    transformer_id: str
    do_nothing: Mapping[str, float | None]
    plans: tuple[Plan, ...]
    why_not: tuple[WhyNot, ...]
    other_measures: tuple[Message, ...]
