"""The chance that a plan holds everywhere for the whole horizon, from joint error paths of the fleet."""

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from gridlib.domain.forecast.joint import SAME_DAY_SHARE
from gridlib.domain.network import LOOPED
from gridlib.domain.planning.feeding import Feeding, moves_feeding
from gridlib.domain.planning.fleet import P50, Fleet, Floats
from gridlib.domain.planning.grid import QUANTILE_WEIGHTS
from gridlib.domain.planning.hours import TOLERANCE_KVA
from gridlib.domain.planning.reserve import landing_of, waiting_moves
from gridlib.facts.forecasts import JointPaths
from gridlib.facts.types import Limits, Move, Plan, PlanningRules

ENDS = (-1, 0, 1)
"""Ends of the sections' +- range, weighed like p10, p50 and p90."""

_CERTAIN = 0.98  # sixty past days say no more
Bools = npt.NDArray[np.bool_]


class Chances(NamedTuple):
    """What a plan is likely to do: shares of the joint paths; None where the paths do not tell.

    Attributes
    ----------
    p_holds : float or None
        No limit is newly broken and no violation grows, on any touched element in any hour.
    p_clear_before, p_clear_after : float or None
        No touched element is over its limit in any hour, without and with the plan.
    as_if_independent : tuple of str
        Transformers whose errors count as independent of the others'.
    """

    p_holds: float | None = None
    p_clear_before: float | None = None
    p_clear_after: float | None = None
    as_if_independent: tuple[str, ...] = ()


class Scenarios:
    """Loads of a fleet on its joint paths: one scenario for each past day.

    Parameters
    ----------
    fleet : Fleet
        The fleet; a path is its median load and an error.
    paths : JointPaths or None
        Over the same hours; None, or over other hours: nothing is known.
    """

    def __init__(self, fleet: Fleet, paths: JointPaths | None) -> None:
        self.fleet = fleet
        self.paths = paths if paths is not None and fleet.times.equals(paths.times) else None
        names = [] if self.paths is None else self.paths.transformer_ids.tolist()
        self._row = {fleet.position(name): row for row, name in enumerate(names)}
        self.normal_kva = lru_cache(maxsize=64)(self._normal_kva)

    def _normal_kva(self, unit: int) -> Floats:
        """Load [J, T] of a transformer with every section at its normal one; NaN where not known."""
        row = self._row.get(unit)
        if self.paths is None or row is None:
            return np.full((1, len(self.fleet.times)), np.nan)
        error_kva = self.paths.error_kva(np.array([row]))[0]
        load: Floats = self.fleet.normal_kva[P50][:, unit] + error_kva
        return load

    def section_kva(self, section: int) -> tuple[Floats, Floats]:
        """Load of a section and its +- range, each [J, T]: its share of its normal transformer's path."""
        normal, share, spread_pu = self.fleet.share_of(section)
        load = share * self.normal_kva(normal)
        return load, spread_pu * np.abs(load)

    def moved_kva(self, move: Move, end: int = 0) -> Floats:
        """Load [J, T] that a move takes over, with its sections at one end of their +- range."""
        moved: Floats = np.zeros((1, len(self.fleet.times)))
        for name in move.sections:
            load, spread = self.section_kva(self.fleet.position(name))
            moved = moved + load + end * spread
        return moved

    def present_kva(self, unit: int) -> Floats:
        """Load [J, T] of a transformer under the present switch states."""
        tree, load = self.fleet.tree, self.normal_kva(unit)
        for section in self.fleet.displaced.get(unit, ()):
            if tree.source[section] != LOOPED:
                load = load - self.section_kva(section)[0]
        for section in self.fleet.members.get(unit, ()):
            if self.fleet.share_of(section)[0] != unit:
                load = load + self.section_kva(section)[0]
        return load

    def independent(self, units: Iterable[int]) -> tuple[str, ...]:
        """Name the transformers that few of the paths are of the same day as the others'."""
        if self.paths is None:
            return ()
        shares = {unit: self.paths.same_day[self._row[unit]].mean() for unit in units if unit in self._row}
        return tuple(str(self.fleet.names[unit]) for unit, share in shares.items() if share < SAME_DAY_SHARE)


def chances_of(
    scenarios: Scenarios,
    moves: Sequence[Move],
    others: Sequence[Move],
    limits: Limits,
    rules: PlanningRules,
) -> Chances:
    """Tell how likely a plan holds on every touched element for the whole horizon.

    Parameters
    ----------
    scenarios : Scenarios
        Joint paths.
    moves : sequence of Move
        What the plan switches; they fit.
    others : sequence of Move
        What other open plans would switch: the load that they bring counts, their relief does not.
    limits, rules : Limits, PlanningRules
        ``loading_limit_pct`` and ``derating_pct`` are used, as in the proof.

    Returns
    -------
    Chances
        Over donors, receivers, and the switches of known limit on their trees.

    Notes
    -----
    The law is the proof's, on each path instead of at p10, p50 and p90: with derating d, load S and limit L
    of an element, ``(1 + d) |S_after| <= max(L, (1 + d) |S_before|)`` in every hour, in the state after all
    moves. Sections follow the path of the transformer that they normally hang on. The +- range of the moved
    ones is taken at its lower end, middle and upper end, weighted 30-40-30 like p10, p50 and p90. Hot spots
    and voltages are not looked at.
    """
    fleet = scenarios.fleet
    units = list(dict.fromkeys(_ends(fleet, moves)))
    waiting = [move for move in waiting_moves(fleet, others) if move not in moves]
    before, after = moves_feeding(fleet, moves), _feeding_after(fleet, moves)
    if after is None:
        return Chances()
    ends = ENDS if _has_range(scenarios, moves) else (0,)
    weights = list(QUANTILE_WEIGHTS.values()) if len(ends) > 1 else [1.0]
    told: list[tuple[float, float, float]] = []
    for end in ends:
        flows = [
            *_unit_flows(scenarios, units, moves, waiting, end),
            *_switch_flows(scenarios, before, after, moves, waiting, end),
        ]
        limit_kva = [fleet.rating_kva[unit] * limits.loading_limit_pct / 100 for unit in units]
        limit_kva += [fleet.devices[name].limit_kva for name in _limited(fleet, before, after)]
        found = _shares(flows, limit_kva, 1 + rules.derating_pct / 100)
        if found is None:
            return Chances()
        told.append(found)
    p_holds, clear_before, clear_after = np.average(np.array(told), axis=0, weights=weights)
    involved = [*units, *(fleet.share_of(fleet.position(s))[0] for m in moves for s in m.sections)]
    return Chances(
        float(p_holds),
        float(clear_before),
        float(clear_after),
        scenarios.independent(dict.fromkeys(involved)),
    )


def describe_chances(plan: Plan) -> str:
    """Say in one line how likely a plan holds, and what it does for the chance of no overload."""
    if plan.p_holds is None or plan.p_clear_before is None or plan.p_clear_after is None:
        return "has a chance to hold that is not known, for want of joint error paths"
    text = (
        f"holds on every element in every hour with a chance of {_percent(plan.p_holds)}; nothing that it "
        f"touches goes over its limit: {_percent(plan.p_clear_before)} without it, "
        f"{_percent(plan.p_clear_after)} with it"
    )
    alone = ", ".join(plan.as_if_independent)
    return f"{text} (errors of {alone} taken as independent)" if alone else text


def _percent(chance: float) -> str:
    """Write a chance as percent, never as certain."""
    if chance > _CERTAIN:
        return f"over {100 * _CERTAIN:.0f} %"
    return f"under {100 * (1 - _CERTAIN):.0f} %" if chance < 1 - _CERTAIN else f"{100 * chance:.0f} %"


class _Flow(NamedTuple):
    """Load of an element towards import and export [2, J, T], before and after."""

    before_kva: Floats
    after_kva: Floats


def _shares(
    flows: Sequence[_Flow], limit_kva: Sequence[float], factor: float
) -> tuple[float, float, float] | None:
    """Share of the paths on which all elements hold, and are clear before and after; None: not known."""
    holds, before, after = (np.ones(1, dtype=bool) for _ in range(3))
    for flow, limit in zip(flows, limit_kva, strict=True):
        was, becomes = factor * flow.before_kva, factor * flow.after_kva
        if not (np.isfinite(was).all() and np.isfinite(becomes).all() and not np.isnan(limit)):
            return None
        holds = holds & _within(becomes, np.maximum(limit, was))
        before = before & _within(was, limit)
        after = after & _within(becomes, limit)
    return float(holds.mean()), float(before.mean()), float(after.mean())


def _within(load_kva: Floats, limit_kva: Floats | float) -> Bools:
    """Tell the paths [J] that stay under a limit in every hour, both ways."""
    return np.asarray((load_kva <= limit_kva + TOLERANCE_KVA).all(axis=(0, 2)))


def _unit_flows(
    scenarios: Scenarios, units: Sequence[int], moves: Sequence[Move], waiting: Sequence[Move], end: int
) -> list[_Flow]:
    change = _changes(scenarios, moves, end)
    flows = []
    for unit in units:
        most = least = scenarios.present_kva(unit)
        for other in waiting:
            brought = _changes(scenarios, [other], 0).get(unit, 0.0)
            most, least = most + np.maximum(brought, 0.0), least + np.minimum(brought, 0.0)
        flows.append(_Flow(np.stack([most, -least]), np.stack([most + change[unit], -least - change[unit]])))
    return flows


def _changes(scenarios: Scenarios, moves: Iterable[Move], end: int) -> Mapping[int, Floats]:
    """Change of load [J, T] of each transformer that moves touch."""
    fleet = scenarios.fleet
    changed: dict[int, Floats] = {}
    for move in moves:
        moved = scenarios.moved_kva(move, end)
        for name, kva in ((move.from_transformer, -moved), (move.to_transformer, moved)):
            unit = fleet.position(name)
            changed[unit] = changed.get(unit, 0.0) + kva
    return changed


def _switch_flows(
    scenarios: Scenarios,
    before: Feeding,
    after: Feeding,
    moves: Sequence[Move],
    waiting: Sequence[Move],
    end: int,
) -> list[_Flow]:
    """Load through the switches of known limit, which is what hangs below each."""
    fleet = scenarios.fleet
    names = _limited(fleet, before, after)
    moved = {name for move in moves for name in move.sections}
    landing: dict[int, Floats] = {}
    for other in waiting:
        node = landing_of(fleet, other)
        landing[node] = landing.get(node, 0.0) + scenarios.moved_kva(other)
    nothing = np.zeros((1, len(fleet.times)))
    carried = []
    for feeding in (before, after):
        flow = dict.fromkeys(names, nothing)
        for section in feeding.parents if names else ():
            on_the_way = [name for name in feeding.way_up(section) if name in flow]
            if on_the_way:
                load, spread = scenarios.section_kva(section)
                load = load + (end * spread if str(fleet.names[section]) in moved else 0.0)
                for name in on_the_way:
                    flow[name] = flow[name] + load + landing.get(section, 0.0)
        carried.append(flow)
    return [_Flow(*(np.stack([flow[name], -flow[name]]) for flow in carried)) for name in names]


def _limited(fleet: Fleet, before: Feeding, after: Feeding) -> list[str]:
    """Name the switches of known limit on the trees before and after."""
    switches = dict.fromkeys(switch for tree in (before, after) for _, switch in tree.parents.values())
    return [name for name in switches if np.isfinite(fleet.devices[name].limit_kva)]


def _feeding_after(fleet: Fleet, moves: Sequence[Move]) -> Feeding | None:
    feeding: Feeding | None = moves_feeding(fleet, moves)
    for move in moves:
        feeding = None if feeding is None else feeding.after(move)
    return feeding


def _has_range(scenarios: Scenarios, moves: Sequence[Move]) -> bool:
    fleet = scenarios.fleet
    return any(fleet.share_of(fleet.position(name))[2] > 0 for move in moves for name in move.sections)


def _ends(fleet: Fleet, moves: Sequence[Move]) -> list[int]:
    return [fleet.position(name) for move in moves for name in (move.from_transformer, move.to_transformer)]
