"""The last hour in which a plan may be switched back: no load and no hot spot above what it may be."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from gridlib.domain.planning.fleet import P50, Fleet, Floats
from gridlib.domain.planning.heat import Heat, hot_spots, upper_kva
from gridlib.domain.planning.states import ROUNDING_K, Unit, lifted_k
from gridlib.facts.types import Limits


class WayBack(NamedTuple):
    """A plan's transformers before it and after each of its moves, and the one it is for."""

    owner: int
    states: Sequence[Mapping[int, Unit]]


def hours_over(state: Unit) -> npt.NDArray[np.bool_]:
    """Hours [T] above the limit at p50; where there is none, at p90."""
    return over_limit(state.load_kva, state.limit_kva)


def over_limit(load_kva: Floats, limit_kva: Floats) -> npt.NDArray[np.bool_]:
    """Find the hours as `hours_over`, from loads [Q, T] and limits [T]."""
    over: npt.NDArray[np.bool_] = np.abs(load_kva[P50]) > limit_kva
    if not over.any():
        over = upper_kva(load_kva) > limit_kva
    return over


def switch_back_hours(
    fleet: Fleet, plans: Sequence[WayBack], heat: Heat, limits: Limits
) -> list[datetime | None]:
    """Find for each plan the last hour of the horizon in which it may be switched back.

    Parameters
    ----------
    fleet : Fleet
        The fleet.
    plans : sequence of WayBack
        Plans that hold.
    heat : Heat
        Air and thermal state.
    limits : Limits
        ``planned_hot_spot_c`` holds at p50, ``high_hot_spot_p90_c`` at p90.

    Returns
    -------
    list
        UTC; None where there is no such hour.

    Notes
    -----
    After the hours it was made for, every side has to carry at p90 what it carried before the plan. From that
    hour on each state of the way back, also one in which it stops half-way, starts from the heat that the
    plan leaves, and no hot spot may pass its limit and what it would have been without the plan. A load that
    comes back at once can heat a winding more than the same load that grew. Where an hour is refused the one
    before it is tried, all plans at once.
    """
    left = {k: _hours_that_hold(plan).tolist() for k, plan in enumerate(plans)}
    found: list[datetime | None] = [None] * len(plans)
    while left := {k: hours for k, hours in left.items() if hours}:
        tried = [(plans[k], hours.pop()) for k, hours in left.items()]
        for k, (_, hour), cool in zip(
            list(left), tried, _stays_cool(fleet, tried, heat, limits), strict=True
        ):
            if cool:
                found[k] = fleet.times[hour].to_pydatetime()
                del left[k]
    return found


def _hours_that_hold(plan: WayBack) -> npt.NDArray[np.intp]:
    """Hours after the last overload of a plan's owner in which its sides hold as they were before."""
    before = plan.states[0]
    over = hours_over(before[plan.owner])
    holds = np.ones(len(over), dtype=bool)
    for state in before.values():
        holds &= upper_kva(state.load_kva) <= state.limit_kva
    if over.any():
        holds[: len(over) - int(over[::-1].argmax())] = False
    return np.flatnonzero(holds)


def _stays_cool(fleet: Fleet, tried: Sequence[tuple[WayBack, int]], heat: Heat, limits: Limits) -> list[bool]:
    """Tell of plans that are switched back at an hour whether every state of the way keeps its heat."""
    loads, where, without = [], [], []
    for plan, hour in tried:
        before, after = plan.states[0], plan.states[-1]
        for state in plan.states[:-1]:
            for unit, back in state.items():
                loads.append(
                    np.concatenate([after[unit].load_kva[:, :hour], back.load_kva[:, hour:]], axis=1)
                )
                where.append(unit)
                without.append(before[unit])
    hot = hot_spots(fleet, np.stack(loads, axis=-1), np.array(where, dtype=np.int64), heat)
    k, verdicts = 0, []
    for plan, hour in tried:
        cool = True
        for state in plan.states[:-1]:
            for _ in state:
                growths = lifted_k(without[k], hot.likely_c[:, k], hot.upper_c[:, k], limits)
                cool &= not any((growth_k[hour:] > ROUNDING_K).any() for _, _, growth_k in growths)
                k += 1
        verdicts.append(cool)
    return verdicts
