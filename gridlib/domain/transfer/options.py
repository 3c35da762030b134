"""What each transformer could feed as a whole: one territory for each of its breakers, with its overload."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from gridlib.domain.transfer.flow import overload_kva
from gridlib.domain.transfer.grid import TOLERANCE_KVA, Floats, Ints, SectionGrid
from gridlib.domain.transfer.reach import Reach
from gridlib.domain.transfer.territory import Territories

MOST_OPTIONS = 2_000
"""For one transformer; with more, its breakers are chosen one by one and joined by a row for each hour."""

_BLOCK = 4_000_000
"""Numbers worked on at once."""


@dataclass(frozen=True, eq=False)
class Choice:
    """A transformer, or a breaker of one, and the options of which it takes exactly one.

    Attributes
    ----------
    unit : int
        The transformer.
    breakers : tuple of int
        Its breakers.
    picks : array of int [K, breakers]
        For each option the position of each breaker's territory.
    over_kvah : array [K]
        Overload of each option by scenario and risk weight [kVAh].
    present : int
        Option of the present state.
    """

    unit: int
    breakers: tuple[int, ...]
    picks: Ints
    over_kvah: Floats
    present: int


@dataclass(frozen=True, eq=False)
class JointLimit:
    """A transformer with too many options to list: its breakers' choices share its limit hour by hour.

    Each row is a scenario hour in which the limit can be reached, towards import (sign 1) or export (-1):
    ``sign x load of the breakers - excess <= room_kva``, with ``excess <= over_kva``: nobody is harmed.
    """

    unit: int
    breakers: tuple[int, ...]
    steps: Ints
    sign: Floats
    room_kva: Floats
    over_kva: Floats


def choices(
    grid: SectionGrid, around: Reach, listed: Mapping[int, Territories]
) -> tuple[list[Choice], list[JointLimit]]:
    """List the options of every transformer.

    Parameters
    ----------
    grid : SectionGrid
        The grid.
    around : Reach
        Where switches may move.
    listed : mapping
        Territories of every breaker.

    Returns
    -------
    choices : list of Choice
        One for each transformer that could reach its limit; one for each breaker of the others, which
        therefore do not hold together.
    joint : list of JointLimit
        Transformers whose breakers are chosen one by one although their limit holds them together.
    """
    breakers_of: dict[int, list[int]] = defaultdict(list)
    for breaker, found in listed.items():
        breakers_of[found.unit].append(breaker)
    chosen: list[Choice] = []
    joint: list[JointLimit] = []
    for unit, breakers in breakers_of.items():
        breakers.sort(key=lambda breaker: len(listed[breaker].sections))
        highest = around.rest_kva[unit] + sum(listed[b].load_kva.max(axis=0) for b in breakers)
        lowest = around.rest_kva[unit] + sum(listed[b].load_kva.min(axis=0) for b in breakers)
        limit = grid.step_limit_kva[unit]
        steps = np.flatnonzero((highest > limit) | (lowest < -limit))
        picks = _products(around, listed, unit, breakers, steps) if len(steps) else None
        if picks is not None:
            chosen.append(_choice(grid, around, listed, unit, breakers, steps, picks))
            continue
        chosen += [_choice(grid, around, listed, unit, [b], steps[:0], _each(listed[b])) for b in breakers]
        if len(steps):
            joint.append(_joint(grid, around, unit, breakers, highest, lowest))
    return chosen, joint


def _joint(
    grid: SectionGrid, around: Reach, unit: int, breakers: list[int], highest: Floats, lowest: Floats
) -> JointLimit:
    limit = grid.step_limit_kva[unit]
    above, below = np.flatnonzero(highest > limit), np.flatnonzero(lowest < -limit)
    steps = np.r_[above, below]
    sign = np.r_[np.ones(len(above)), -np.ones(len(below))]
    room = limit[steps] - sign * around.rest_kva[unit, steps]
    over = around.most_kva[unit, steps] - limit[steps]
    return JointLimit(unit, tuple(breakers), steps, sign, room, over)


def _each(found: Territories) -> Ints:
    return np.arange(len(found.sections), dtype=np.int64)[:, None]


def _products(
    around: Reach, listed: Mapping[int, Territories], unit: int, breakers: list[int], steps: Ints
) -> Ints | None:
    """All combinations of territories that harm nobody; None where there are too many."""
    rest = around.rest_kva[unit, steps]
    most = around.most_kva[unit, steps] + TOLERANCE_KVA
    loads = [listed[breaker].load_kva[:, steps] for breaker in breakers]
    still_min = np.cumsum([load.min(axis=0) for load in loads[::-1]], axis=0)[::-1]
    still_max = np.cumsum([load.max(axis=0) for load in loads[::-1]], axis=0)[::-1]
    total, picks = rest[None], np.zeros((1, 0), dtype=np.int64)
    for k, load in enumerate(loads):
        ahead_min = still_min[k + 1] if k + 1 < len(loads) else 0.0
        ahead_max = still_max[k + 1] if k + 1 < len(loads) else 0.0
        totals, rows = [], []
        block = max(1, _BLOCK // load.size)
        size = 0
        for first in range(0, len(total), block):
            both = (total[first : first + block, None] + load[None]).reshape(-1, len(steps))
            held = np.flatnonzero(((both + ahead_min <= most) & (both + ahead_max >= -most)).all(axis=1))
            totals.append(both[held])
            one, other = np.divmod(held, len(load))
            rows.append(np.column_stack([picks[first + one], other]))
            size += len(held)
            if size > MOST_OPTIONS:
                return None
        total, picks = np.concatenate(totals), np.concatenate(rows)
    return picks


def _choice(
    grid: SectionGrid,
    around: Reach,
    listed: Mapping[int, Territories],
    unit: int,
    breakers: list[int],
    steps: Ints,
    picks: Ints,
) -> Choice:
    """Options with their overload."""
    over = np.zeros(len(picks))
    counted = steps[grid.step_weight_h[steps] > 0]
    if len(counted):
        load = np.broadcast_to(around.rest_kva[unit, counted], (len(picks), len(counted))).copy()
        for k, breaker in enumerate(breakers):
            load += listed[breaker].load_kva[:, counted][picks[:, k]]
        above = overload_kva(load, grid.step_limit_kva[unit, counted])
        over = above @ grid.step_weight_h[counted] * grid.weight[unit]
    now = np.array([listed[breaker].present for breaker in breakers])
    present = np.flatnonzero((picks == now).all(axis=1))
    return Choice(unit, tuple(breakers), picks, over, int(present[0]) if len(present) else -1)
