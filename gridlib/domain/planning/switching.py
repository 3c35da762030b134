"""The hour in which a plan is switched, and the load that comes back in it."""

from collections.abc import Iterator, Mapping, Sequence
from math import ceil

import numpy as np

from gridlib.domain.planning.devices import Refusal
from gridlib.domain.planning.fleet import Fleet, Floats
from gridlib.domain.planning.heat import upper_kva
from gridlib.domain.planning.hours import peak_kva
from gridlib.domain.planning.states import Unit
from gridlib.domain.planning.way_back import over_limit
from gridlib.facts.messages import Message
from gridlib.facts.types import Limits, Move, PlanningRules


def switching_hour(
    fleet: Fleet, moves: Sequence[Move], rules: PlanningRules, before: Mapping[int, Unit] | None = None
) -> int:
    """Find the hour in which the least load is switched, in time before any donor is over its limit.

    Parameters
    ----------
    fleet : Fleet
        The fleet.
    moves : sequence of Move
        What one plan would switch.
    rules : PlanningRules
        ``switching_lead_min`` is kept free for the decision, where the need leaves so much time.
    before : mapping, optional
        The touched transformers before the moves, with their limits; without it heat does not limit.

    Returns
    -------
    int
        Position in the horizon; the first hour where a donor is over its limit from the start.
    """
    over = np.zeros(len(fleet.times), dtype=bool)
    for unit in {fleet.position(move.from_transformer) for move in moves}:
        if before and unit in before:
            over |= over_limit(before[unit].load_kva, before[unit].limit_kva)
        else:
            over |= over_limit(fleet.load_kva[:, :, unit], fleet.limit_kva[:, unit])
    last = int(over.argmax()) if over.any() else len(over)
    lead = ceil(rules.switching_lead_min / 60 / fleet.step_h)
    first = lead if lead < last else 0
    moved = np.sum([_moved_kva(fleet, move) for move in moves], axis=0)
    return first + int(moved[first:last].argmin()) if last else 0


def cold_kva(fleet: Fleet, move: Move, rules: PlanningRules) -> float:
    """Load with which sections come back after an interruption [kVA].

    Parameters
    ----------
    fleet : Fleet
        The fleet.
    move : Move
        Whose sections were off.
    rules : PlanningRules
        ``cold_load_factor`` is used.

    Returns
    -------
    float
        Gross load times the cold-load factor.

    Notes
    -----
    Solar stays off for some minutes, so the gross load counts. What customers generate is not metered; the
    gross load of any hour is taken to be at most the largest p90 of the horizon, which falls after sunset.
    """
    return rules.cold_load_factor * float(_moved_kva(fleet, move).max())


def cold_loads(
    fleet: Fleet,
    moves: Sequence[Move],
    limits: Limits,
    rules: PlanningRules,
    before: Mapping[int, Unit] | None = None,
) -> Iterator[Refusal]:
    """Find receivers that the sections coming back would push above the emergency limit.

    In the hour of switching, at p90, with the moves ahead carried out; where the tie closes first nothing was
    off. ``before`` as for `switching_hour`.
    """
    hour = switching_hour(fleet, moves, rules, before)
    factor = 1 + rules.derating_pct / 100
    for count, move in enumerate(moves):
        if move.closes_first:
            continue
        unit = fleet.position(move.to_transformer)
        load = fleet.load_kva[:, :, unit] + fleet.deltas(moves[:count]).get(unit, 0.0)
        after = factor * float(upper_kva(load)[hour]) + factor * cold_kva(fleet, move, rules)
        limit = fleet.rating_kva[unit] * limits.emergency_pct / 100
        if after > limit:
            yield Refusal(
                "cold_load",
                Message(
                    "plan.cold_load",
                    {
                        "transformer": str(fleet.names[unit]),
                        "reached_pct": 100 * after / fleet.rating_kva[unit],
                        "sections": ", ".join(move.sections),
                        "at": fleet.times[hour].tz_convert(fleet.tz),
                        "factor": rules.cold_load_factor,
                        "limit_pct": limits.emergency_pct,
                        "over_kva": after - limit,
                    },
                ),
                str(fleet.names[unit]),
            )


def _moved_kva(fleet: Fleet, move: Move) -> Floats:
    """Size of the moved load [T] at p90, range of its share included."""
    return peak_kva(fleet.moved_kva([fleet.position(name) for name in move.sections]))
