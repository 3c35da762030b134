"""What AC power flow proves of a switch sequence: loadings, voltages, losses, before and after every step."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from gridlib.domain.flow.feeders import Feeders
from gridlib.domain.flow.grid import Bools, Floats, FlowGrid
from gridlib.domain.flow.model import AcModel, ac_model, node_name
from gridlib.domain.flow.outcome import (
    Before,
    Figures,
    FlowCases,
    FlowLimits,
    broken,
    most,
    overloaded,
)
from gridlib.domain.flow.parts import divide
from gridlib.domain.flow.proof import AC_METHOD, AcProof, AcState, impossible
from gridlib.domain.flow.solve import FlowResult, solve_flow
from gridlib.domain.flow.territory import Territory, cut_out
from gridlib.domain.network import LOOPED, FeedingTree, feeding_tree
from gridlib.facts.errors import InputError
from gridlib.facts.messages import Message, listed, once_each
from gridlib.facts.types import Network
from gridlib.facts.units import LV_KV

VOLTAGE_BAND_PU = (0.9, 1.1)
"""Limits of the low voltage [pu]: +-10 % as in EN 50160."""

NOTHING_KVA = 1e-6
"""Loads smaller than this are rounding."""

_UNSOLVED = ("load_missing", "not_converged", "not_supplied")


class SwitchedState(NamedTuple):
    """One state of a sequence.

    ``changes`` are the switches that differ from before, ``step`` names the state in reasons where it has to
    be named, ``stays`` is true for the last, ``only_sheds`` where nothing changes but that sections are off,
    and ``carries_a`` says which switches carry current that they are to make or break, and how much they may
    [A].
    """

    changes: Mapping[str, bool]
    step: Message | None
    stays: bool
    only_sheds: bool = False
    carries_a: Mapping[str, float] = {}


def prove_ac(
    network: Network,
    before_closed: Iterable[str],
    after_closed: Sequence[Iterable[str]],
    section_load_kva: Mapping[str, pd.DataFrame],
    power_factor: float,
    *,
    loading_limit_pct: float = 100.0,
    voltage_band_pu: tuple[float, float] = VOLTAGE_BAND_PU,
    lv_kv: float = LV_KV,
    source_pu: float = 1.0,
    step_h: float = 1.0,
) -> AcProof:
    """Prove a switch sequence by AC power flow, every state, hour and scenario.

    Parameters
    ----------
    network : Network
        The whole network.
    before_closed : iterable of str
        Switches closed before.
    after_closed : sequence of iterables of str
        Switches closed after each step; the last is the state that stays.
    section_load_kva : mapping of str to DataFrame
        For each scenario (p10, p50, p90) the signed loads, wide, hours x section_id [kVA]; a column of a
        transformer is what hangs on it beside its sections.
    power_factor : float
        Of all loads, (0, 1].
    loading_limit_pct : float
        Of transformers; lines and substations keep to it, but never beyond their own limit [%].
    voltage_band_pu : tuple of float
        Lowest and highest low voltage [pu].
    lv_kv : float
        Nominal low voltage [kV].
    source_pu : float
        Voltage at the substation, or at the transformers where no line to it is modelled [pu].
    step_h : float
        Length of an hour of the horizon [h].

    Returns
    -------
    AcProof
        Where a touched transformer lacks its impedance, ``possible`` is False and ``missing`` says what.

    Raises
    ------
    InputError
        A power factor that is none, no state after, or frames of different hours.

    Notes
    -----
    A load of S kVA is ``S (cos(phi) + j sin(phi))``, export with both signs turned. A limit L is broken by x
    where ``x > max(L, x_before)`` in the same hour and scenario. A ring is solved where all of it hangs on
    one modelled substation, and refused elsewhere, because the voltage between two supplies is not known; in
    the last state every ring is refused.
    """
    _check(power_factor, after_closed, section_load_kva)
    closed = [frozenset(before_closed), *(frozenset(state) for state in after_closed)]
    trees = [feeding_tree(network, state) for state in closed]
    donors, receivers, units, sections = _touched(trees)
    if not units:
        return AcProof(True, True, AC_METHOD, (), (), True, (), (Message("flow.nothing_changes", {}),))
    tree = trees[0]
    kva, cases = _laid_out(tree, section_load_kva)
    switches = network.switches["switch_id"]
    model = ac_model(
        network, tree, {name: name in closed[0] for name in switches}, lv_kv=lv_kv, source_pu=source_pu
    )
    factor = phasor(power_factor)
    if lacking := lacking_plates(model, units):
        return impossible(lacking)
    territory = cut_out(model, Feeders(model, _totals(tree, kva), factor), units, sections)
    low = [*territory.units.tolist(), *territory.sections.tolist()]
    before = solve_before(territory, kva[:, low], {}, factor)
    states = [
        SwitchedState(
            {name: name in state for name in switches},
            Message("flow.state.step", {"number": number}),
            number == len(closed) - 1,
        )
        for number, state in enumerate(closed[1:], start=1)
    ]
    roles = {str(tree.nodes[unit]): "donor" for unit in donors}
    roles |= {str(tree.nodes[unit]): "receiver" for unit in receivers}
    limits = FlowLimits(loading_limit_pct, min(loading_limit_pct, 100.0), *voltage_band_pu)
    return prove_states(before, states, kva[:, low], cases, limits, factor, roles=roles, step_h=step_h)


def phasor(power_factor: float) -> complex:
    """Give the complex power of a load of 1 kVA."""
    return complex(power_factor, np.sqrt(1 - power_factor**2))


def lacking_plates(model: AcModel, units: Iterable[int]) -> tuple[Message, ...]:
    """Name what the plates of transformers lack."""
    return tuple(
        Message("lack.plate", {"name": str(model.tree.nodes[unit]), "columns": model.lacking[unit]})
        for unit in sorted(units)
        if unit in model.lacking
    )


def solve_before(
    territory: Territory, low_kva: Floats, promised_kva: Mapping[int, Floats], factor: complex
) -> Before:
    """Solve a territory before any switching.

    Parameters
    ----------
    territory : Territory
        What is touched.
    low_kva : array [C, U + S]
        Loads of its busbars and sections [kVA].
    promised_kva : mapping of int to array [C]
        By transformer that is not touched: what comes on top of its load [kVA].
    factor : complex
        Complex power of a load of 1 kVA.

    Returns
    -------
    Before
        Loads and flow.
    """
    load = territory.lump_kva.copy()
    load[:, : territory.low] = factor * low_kva
    for way in territory.ways:
        for place in way.beside.tolist():
            kva = promised_kva.get(int(way.flow.units[place]))
            if kva is not None:
                load[:, way.first + way.anchor[way.flow.at[place]]] += factor * kva
    station_kva = np.zeros((len(load), len(territory.stations)), dtype=complex)
    for k, station in enumerate(territory.stations):
        station_kva[:, k] = station.rest_kva
        for unit in set(station.rest.tolist()) & promised_kva.keys():
            station_kva[:, k] += factor * promised_kva[unit]
    return Before(territory, load, station_kva, solve_flow(territory.grid, load.real, load.imag))


def prove_states(
    before: Before,
    states: Sequence[SwitchedState],
    low_kva: Floats,
    cases: FlowCases,
    limits: FlowLimits,
    factor: complex,
    *,
    roles: Mapping[str, str],
    step_h: float,
) -> AcProof:
    """Solve every state of a sequence and hold it against the state before.

    Parameters
    ----------
    before : Before
        The territory before any switching.
    states : sequence of SwitchedState
        The states, in order.
    low_kva : array [C, U + S]
        Loads of the busbars and sections in the states after [kVA].
    cases : FlowCases
        The scenarios of these loads.
    limits : FlowLimits
        Limits of loading and voltage.
    factor : complex
        Complex power of a load of 1 kVA.
    roles : mapping of str to str
        donor or receiver, by transformer.
    step_h : float
        Length of an hour [h].

    Returns
    -------
    AcProof
        As from `prove_ac`.
    """
    territory = before.territory
    load = before.load_kva[cases.rows]
    load[:, : territory.low] = factor * low_kva
    reasons = _before_reasons(before)
    was = territory.feeding(territory.grid)
    found: list[AcState] = []
    flows: list[FlowResult] = []
    for state in states:
        grid = territory.in_state(state.changes)
        ring, dark = territory.feeding(grid)
        refusals = list(_bad_tree(territory, was, (ring, dark), grid, last=state.stays))
        currents, over_pu, converged = {}, {}, True
        harmless = state.only_sheds and _sheds_harmlessly(before, limits)
        if not refusals and not reasons and not harmless:
            flow = solve_flow(grid, load.real, load.imag)
            flows.append(flow)
            refusals += _unsolved(flow, set(territory.grid.names[: territory.low][dark]))
            refusals += broken(before, flow, cases, limits)
            over_pu = overloaded(before, flow, cases, limits)
            currents = {name: most(flow.line_a[:, territory.switches[name]]) for name in state.carries_a}
            refusals += _beyond(currents, state.carries_a)
            converged = not any(finding.code == "not_converged" for finding in flow.findings)
        units = len(territory.units)
        found.append(
            AcState(
                unfed=_named(territory, dark & ~was[1]),
                ring=_named(territory, (ring & ~was[0]) & (np.arange(territory.low) < units)),
                refusals=tuple(refusals),
                converged=converged,
                current_a=currents,
                over_pu=over_pu,
            )
        )
    for state, one in zip(states, found, strict=True):
        reasons += [
            Message("flow.in_state", {"state": state.step, "reason": reason}) if state.step else reason
            for reason in one.refusals
        ]
    solved = not any(finding.code == "not_converged" for finding in before.flow.findings)
    return AcProof(
        possible=True,
        holds=not reasons,
        method=AC_METHOD,
        reasons=once_each(reasons),
        states=tuple(found),
        converged=solved and all(state.converged for state in found),
        missing=territory.missing,
        not_checked=territory.not_checked,
        figures=Figures(before, flows, cases, limits, roles, step_h),
    )


def _sheds_harmlessly(before: Before, limits: FlowLimits) -> bool:
    """Tell whether taking load off can break no limit, so that the state needs no solution.

    Where nothing exports, less load lowers every current, and no voltage rises above that without any load.
    """
    grid = before.territory.grid
    no_load_pu = grid.source_pu.max() / (1 + grid.transformers.tap_pct / 100).min()
    return bool((before.load_kva.real > -NOTHING_KVA).all() and no_load_pu <= limits.most_pu)


def _beyond(currents: Mapping[str, float], limits: Mapping[str, float]) -> Iterator[Message]:
    for name, current_a in currents.items():
        if not current_a <= limits[name]:
            beyond = {"switch": name, "current_a": current_a, "limit_a": limits[name]}
            yield Message("flow.beyond", beyond)


def _before_reasons(before: Before) -> list[Message]:
    """Say why a territory cannot be held against its state before."""
    territory = before.territory
    if problems := [way.flow.problem for way in territory.ways if way.flow.problem is not None]:
        return problems
    ring, dark = territory.feeding(territory.grid)
    reasons = _unsolved(before.flow, set(territory.grid.names[: territory.low][dark]))
    reasons += [Message("flow.left_out", {"finding": found.message}) for found in territory.grid.findings]
    inside = ring & (np.arange(territory.low) >= len(territory.units))
    reasons += [Message("flow.ring_before", {"name": name}) for name in _named(territory, inside)]
    return reasons


def _named(territory: Territory, which: Bools) -> tuple[str, ...]:
    return tuple(str(name) for name in territory.grid.names[: territory.low][which])


def _check(
    power_factor: float, after_closed: Sequence[Iterable[str]], loads: Mapping[str, pd.DataFrame]
) -> None:
    if not 0 < power_factor <= 1:
        raise InputError(f"power factor is {power_factor:g}, expected more than 0 and up to 1")
    if not after_closed:
        raise InputError("no state after: expected the closed switches after each step")
    frames = list(loads.values())
    if not frames or any(not frame.index.equals(frames[0].index) for frame in frames):
        raise InputError("the scenarios have different hours, or there is none")


def _touched(trees: Sequence[FeedingTree]) -> tuple[set[int], set[int], list[int], list[int]]:
    """Find donors, receivers, all transformers touched, and all sections that these feed in any state."""
    n, before = trees[0].transformers, trees[0].source
    changed = np.zeros(len(before), dtype=bool)
    donors: set[int] = set()
    receivers: set[int] = set()
    for tree in trees[1:]:
        moved = tree.source != before
        moved[:n] &= tree.source[:n] == LOOPED
        changed |= moved
        donors |= {int(unit) for unit in before[n:][moved[n:]] if unit >= 0}
        receivers |= {int(unit) for unit in tree.source[n:][moved[n:]] if unit >= 0}
    receivers |= {int(unit) for unit in np.flatnonzero(changed[:n])} - donors
    units = donors | receivers
    below = changed.copy()
    for tree in trees:
        below |= np.isin(tree.source, list(units))
    sections = np.flatnonzero(below[n:]) + n
    return donors, receivers - donors, sorted(units), sections.tolist()


def _laid_out(tree: FeedingTree, loads: Mapping[str, pd.DataFrame]) -> tuple[Floats, FlowCases]:
    """Lay the loads out, scenarios one below the other x nodes; a transformer without a column has none."""
    frames = list(loads.values())
    kva = np.concatenate([frame.reindex(columns=tree.nodes).to_numpy(dtype=float) for frame in frames])
    own = np.arange(len(tree.nodes)) < tree.transformers
    kva[:, own & ~tree.nodes.isin(frames[0].columns)] = 0.0
    return kva, FlowCases(tuple(loads), tuple(range(len(frames))), pd.DatetimeIndex(frames[0].index))


def _totals(tree: FeedingTree, kva: Floats) -> Floats:
    """Load of each transformer with all that it feeds."""
    total = kva[:, : tree.transformers].copy()
    fed = np.flatnonzero(tree.source[tree.transformers :] >= 0) + tree.transformers
    np.add.at(total.T, tree.source[fed], kva[:, fed].T)
    return total


def _bad_tree(
    territory: Territory, was: tuple[Bools, Bools], now: tuple[Bools, Bools], grid: FlowGrid, *, last: bool
) -> Iterator[Message]:
    """Find rings that cannot be solved, and, in the last state, any ring and any section without supply."""
    ring, dark = now[0] & ~was[0], now[1] & ~was[1]
    if between := _paralleled(grid) if ring.any() else []:
        yield Message("flow.paralleled", {"sources": listed(between, "list.and")})
    elif last and ring.any():
        yield Message("flow.ring", {"name": _named(territory, ring)[0]})
    if last and dark.any():
        yield Message("flow.dark", {"names": ", ".join(_named(territory, dark))})


def _paralleled(grid: FlowGrid) -> list[Message]:
    """Name the sources that a state joins."""
    parts = divide(grid)
    supplies = np.bincount(parts.island[grid.source], minlength=len(parts.supplied))
    return [node_name(str(name)) for name in grid.names[grid.source[supplies[parts.island[grid.source]] > 1]]]


def _unsolved(flow: FlowResult, meant: set[object]) -> list[Message]:
    """Tell what could not be solved, but for the sections that are meant to be without supply."""
    return [
        finding.message
        for finding in flow.findings
        if finding.code in _UNSOLVED and not (finding.code == "not_supplied" and finding.object_id in meant)
    ]
