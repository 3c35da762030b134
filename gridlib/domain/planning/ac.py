"""What AC power flow says of moves, where the impedances are known."""

from collections.abc import Hashable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import NamedTuple

import numpy as np

from gridlib.domain.flow.feeders import Feeders
from gridlib.domain.flow.model import AcModel, ac_model
from gridlib.domain.flow.outcome import Before, FlowCases, FlowLimits
from gridlib.domain.flow.proof import AcProof, impossible
from gridlib.domain.flow.prove import (
    VOLTAGE_BAND_PU,
    SwitchedState,
    lacking_plates,
    phasor,
    prove_states,
    solve_before,
)
from gridlib.domain.flow.territory import Territory, cut_out
from gridlib.domain.planning.above import unchecked_above
from gridlib.domain.planning.devices import Refusal
from gridlib.domain.planning.fleet import CHECKED, P10, Fleet, Floats
from gridlib.domain.planning.reserve import Reservation
from gridlib.facts.elements import ElementProof
from gridlib.facts.messages import Message
from gridlib.facts.types import Limits, Move, PlanningRules

SOURCE_PU = 1.0
"""Voltage that the tap changers of a substation hold at its busbar [pu]."""

_CLEAR = 0.002
"""Room that is left when a limit is kept to less, so that the next proof does not fail by a hair."""

_BEFORE = ("p10", "p50", "p90")
_RANGED = (
    ("p10, sections low", 0, -1),
    ("p10, sections high", 0, 1),
    ("p50", 1, 0),
    ("p90, sections low", 2, -1),
    ("p90, sections high", 2, 1),
)
"""Scenario, the one before, and the end of the +- range of the sections that move."""


class AcCheck(NamedTuple):
    """How it was checked (additive, or ac: AC power flow, too), what is refused, left out, and found."""

    method: str
    refusals: tuple[Refusal, ...]
    not_checked: tuple[Message, ...]
    elements: tuple[ElementProof, ...] = ()


class AcFleet:
    """A fleet as AC power flow sees it; what is solved is kept for the next plan that needs it."""

    def __init__(self, fleet: Fleet, limits: Limits, rules: PlanningRules) -> None:
        """Take what every proof needs; nothing is solved before it is asked for."""
        self.fleet, self.rules = fleet, rules
        self.factor = phasor(rules.power_factor)
        self.limits = FlowLimits(limits.loading_limit_pct, limits.line_limit_pct, *VOLTAGE_BAND_PU)
        self.checks: dict[Hashable, AcCheck] = {}
        self._territories: dict[tuple[int, ...], Territory] = {}
        self._before: dict[tuple[int, ...], tuple[Floats, dict[int, Floats], Before]] = {}

    @cached_property
    def model(self) -> AcModel:
        """The whole network."""
        fleet = self.fleet
        closed = {name: device.is_closed for name, device in fleet.devices.items()}
        return ac_model(fleet.network, fleet.tree, closed, lv_kv=self.rules.lv_kv, source_pu=SOURCE_PU)

    @cached_property
    def feeders(self) -> Feeders:
        """Its feeders under the present loads, at p10, p50 and p90."""
        present = np.concatenate([self.fleet.load_kva[quantile] for quantile in CHECKED])
        return Feeders(self.model, present, self.factor)

    def units(self, moves: Sequence[Move]) -> tuple[int, ...]:
        """Positions of the transformers that moves touch."""
        names = {name for move in moves for name in (move.from_transformer, move.to_transformer)}
        return tuple(sorted(self.fleet.position(name) for name in names))

    def territory(self, units: tuple[int, ...]) -> Territory:
        """Cut transformers out, with their ways to the substation."""
        if units not in self._territories:
            sections = [section for unit in units for section in self.fleet.members.get(unit, ())]
            self._territories[units] = cut_out(self.model, self.feeders, units, sections)
        return self._territories[units]

    def before(self, units: tuple[int, ...], reserved: Reservation) -> tuple[Floats, Before]:
        """Give loads of busbars and sections [3 T, U + S] and the flow before any switching."""
        low_kva, promised = self._present(units, reserved)
        kept = self._before.get(units)
        if kept is None or not _same(kept[:2], (low_kva, promised)):
            before = solve_before(self.territory(units), low_kva, promised, self.factor)
            kept = self._before[units] = (low_kva, promised, before)
        return low_kva, kept[2]

    def _present(self, units: tuple[int, ...], reserved: Reservation) -> tuple[Floats, dict[int, Floats]]:
        """Lay out loads with what other plans were promised; of those beside, only what was promised."""
        fleet, territory = self.fleet, self.territory(units)
        sections = fleet.sections_kva(territory.sections, CHECKED, [0] * len(CHECKED))
        own = fleet.load_kva[list(CHECKED)][:, :, territory.units].transpose(0, 2, 1)
        home = np.searchsorted(territory.units, fleet.tree.source[territory.sections])
        np.subtract.at(own.transpose(1, 0, 2), home, sections.transpose(1, 0, 2))
        kva = np.concatenate([own, sections], axis=1)
        place = {int(node): k for k, node in enumerate([*territory.units, *territory.sections])}
        promised = {
            unit: _promise(reserved.up_kva[unit], reserved.down_kva[unit]) for unit in reserved.up_kva
        }
        for node, landing in reserved.landing_kva.items():
            unit = int(fleet.tree.source[node])
            if node in place and unit in promised:
                arriving = _promise(np.maximum(landing, 0), np.minimum(landing, 0))
                kva[:, place[node]] += arriving
                promised[unit] = promised[unit] - arriving
        for unit in units:
            kva[:, place[unit]] += promised.pop(unit, 0.0)
        beside = {unit: extra.reshape(-1) for unit, extra in promised.items() if extra.any()}
        return kva.transpose(0, 2, 1).reshape(-1, kva.shape[1]), beside

    def prove(self, moves: Sequence[Move], states: Sequence[SwitchedState], reserved: Reservation) -> AcProof:
        """Solve states of a switch sequence, in every hour at p10, p50 and p90."""
        fleet, units = self.fleet, self.units(moves)
        if lacking := lacking_plates(self.model, units):
            return impossible(lacking)
        low_kva, before = self.before(units, reserved)
        moved = np.array([fleet.position(name) for move in moves for name in move.sections], dtype=np.int64)
        ranged = fleet.spread_pu(moved).any()
        cases = self._cases(ranged=bool(ranged))
        after = low_kva[cases.rows]
        if ranged:
            self._shift(before.territory, moves, after)
        roles = {move.to_transformer: "receiver" for move in moves}
        roles |= {move.from_transformer: "donor" for move in moves}
        return prove_states(
            before, states, after, cases, self.limits, self.factor, roles=roles, step_h=fleet.step_h
        )

    def _cases(self, *, ranged: bool) -> FlowCases:
        hours = self.fleet.times.tz_convert(self.fleet.tz)
        if not ranged:
            return FlowCases(_BEFORE, (0, 1, 2), hours)
        return FlowCases(tuple(name for name, _, _ in _RANGED), tuple(base for _, base, _ in _RANGED), hours)

    def _shift(self, territory: Territory, moves: Sequence[Move], kva: Floats) -> None:
        """Give the moved sections each end of their +- range; what they leave stays with their donor."""
        fleet = self.fleet
        place = {int(node): k for k, node in enumerate([*territory.units, *territory.sections])}
        for move in moves:
            donor = place[fleet.position(move.from_transformer)]
            for name in move.sections:
                section = fleet.position(name)
                _, spread = fleet.section_kva(section)
                shift = np.concatenate([side * spread[CHECKED[base]] for _, base, side in _RANGED])
                kva[:, place[section]] += shift
                kva[:, donor] -= shift


def check_ac(ac: AcFleet, moves: Sequence[Move], reserved: Reservation) -> AcCheck:
    """Solve every state that moves pass through, in every hour at p10, p50 and p90.

    Parameters
    ----------
    ac : AcFleet
        The fleet.
    moves : sequence of Move
        What one plan would switch.
    reserved : Reservation
        What other open plans need: it is a load here, at its receiver or on its feeder.

    Returns
    -------
    AcCheck
        Without impedances of the transformers nothing is solved, and the method is additive.

    Notes
    -----
    The transformers that the moves touch are cut out with their ways to the substation; what hangs beside
    these ways is a load, and what the change of voltage does to it is looked at too. The load of a
    transformer is known better than how its sections share it: where these have a +- range, p10 and p90 are
    solved twice, with the moved sections at the lower and at the upper end and the rest left to their donor,
    so that each side has its worse end. What was promised adds to import at p50 and p90, to export at p10.
    The switch-back passes through the same states.
    """
    key = tuple(moves), tuple(move.closes_first for move in moves), reserved.moves
    if key not in ac.checks:
        ac.checks[key] = _checked(ac, moves, reserved)
    return ac.checks[key]


def _checked(ac: AcFleet, moves: Sequence[Move], reserved: Reservation) -> AcCheck:
    states, of_move = zip(*_states(ac, moves), strict=True)
    proof = ac.prove(moves, states, reserved)
    if not proof.possible:
        more = "_more" if len(proof.missing) > 1 else ""
        lacking = Message(f"flow.lacks{more}", {"missing": proof.missing[0]})
        return AcCheck("additive", (), (*additive_leaves_out(ac.fleet, moves), lacking))
    at_fault = next((move for move, state in zip(of_move, proof.states, strict=True) if state.refusals), None)
    fits_pu = _fits_pu(ac, moves, reserved, proof)
    refusals = tuple(
        Refusal(
            "ac_power_flow",
            Message("flow.reason", {"reason": reason}),
            move=None if fits_pu else at_fault,
            fits_pu=fits_pu,
        )
        for reason in proof.reasons
    )
    elements = () if refusals else tuple(_elements(ac, states, proof))
    return AcCheck("ac", refusals, proof.not_checked, elements)


def _fits_pu(
    ac: AcFleet, moves: Sequence[Move], reserved: Reservation, proof: AcProof
) -> tuple[tuple[str, float], ...]:
    """Tell up to which share of their limit loads may be added up on the transformers that are refused.

    Empty where anything else is refused as well: adding up cannot make up for that.
    """
    over_pu: dict[str, float] = {}
    for state in proof.states:
        if len(state.refusals) != len(state.over_pu):
            return ()
        over_pu |= {name: max(pu, over_pu.get(name, 0.0)) for name, pu in state.over_pu.items()}
    fleet, changes = ac.fleet, ac.fleet.deltas(moves)
    found = []
    for name, pu in over_pu.items():
        unit = fleet.position(name)
        most, least = reserved.load_kva(fleet, unit)
        change = changes.get(unit, 0.0)
        load_kva = np.maximum(most + change, -(least + change))[list(CHECKED)]
        added_pu = (1 + ac.rules.derating_pct / 100) * (load_kva / fleet.limit_kva[:, unit]).max()
        found.append((name, (1 - _CLEAR) * float(added_pu) / pu))
    return tuple(found)


def additive_leaves_out(fleet: Fleet, moves: Sequence[Move]) -> tuple[Message, ...]:
    """Name what the additive check alone does not look at."""
    voltage, loading = Message("unchecked.voltage", {}), Message("unchecked.line_loading", {})
    return voltage, loading, *unchecked_above(fleet, moves)


def _states(ac: AcFleet, moves: Sequence[Move]) -> Iterator[tuple[SwitchedState, Move]]:
    """List the states that moves pass through, each with its move."""
    changes: dict[str, bool] = {}
    for count, move in enumerate(moves, start=1):
        last = count == len(moves)
        if move.closes_first:
            yield loop_state(ac, changes, move), move
        else:
            off = Message("flow.state.off", {"sections": ", ".join(move.sections)})
            opened = {**changes, move.open_switch: False}
            yield SwitchedState(opened, off, stays=False, only_sheds=not changes), move
        changes = {**changes, move.open_switch: False, move.close_switch: True}
        after = None if last else Message("flow.state.after", {"done": count, "all": len(moves)})
        yield SwitchedState(changes, after, stays=last), move


def loop_state(ac: AcFleet, changes: Mapping[str, bool], move: Move) -> SwitchedState:
    """Describe the state in which both devices of a move are closed; each must break what it carries."""
    breaks_a = {name: ac.fleet.devices[name].load_break_a for name in (move.open_switch, move.close_switch)}
    step = Message("flow.state.loop", {"opened": move.open_switch, "closed": move.close_switch})
    return SwitchedState({**changes, move.close_switch: True}, step, stays=False, carries_a=breaks_a)


def _promise(up: Floats, down: Floats) -> Floats:
    """Write a promise [Q, T] for the scenarios [3, T]: towards export at p10, towards import above."""
    return np.stack([(down if quantile == P10 else up)[quantile] for quantile in CHECKED])


def _same(one: tuple[Floats, dict[int, Floats]], other: tuple[Floats, dict[int, Floats]]) -> bool:
    return (
        np.array_equal(one[0], other[0], equal_nan=True)
        and one[1].keys() == other[1].keys()
        and all(np.array_equal(values, other[1][unit]) for unit, values in one[1].items())
    )


def _elements(ac: AcFleet, states: Sequence[SwitchedState], proof: AcProof) -> Iterator[ElementProof]:
    """Choose the figures worth showing."""
    times = ac.fleet.times
    for row in proof.worst:
        time = None if row.hour is None else times[row.hour].to_pydatetime()
        yield ElementProof(
            row.role, row.object_id, row.unit, row.before, row.after, row.limit, row.scenario, time
        )
    for state, found in zip(states, proof.states, strict=True):
        for name, current_a in found.current_a.items():
            limit_a = state.carries_a[name]
            yield ElementProof("loop", name, "A", 0.0, current_a, limit_a, "any", None)
