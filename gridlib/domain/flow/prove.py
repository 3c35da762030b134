"""What AC power flow proves of a switch sequence: loadings, voltages, losses, before and after every step."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

import numpy as np
import pandas as pd

from gridlib.domain.flow.grid import FlowGrid
from gridlib.domain.flow.model import AcModel, model_around
from gridlib.domain.flow.outcome import FlowCases, FlowLimits, Watched, broken, energies, loadings
from gridlib.domain.flow.parts import divide
from gridlib.domain.flow.proof import AC_METHOD, ADDITIVE, AcProof, AcState
from gridlib.domain.flow.solve import FlowResult, solve_flow
from gridlib.domain.network import LOOPED, UNFED, FeedingTree, feeding_tree
from gridlib.facts.errors import InputError
from gridlib.facts.types import Network
from gridlib.facts.units import LV_KV

VOLTAGE_BAND_PU = (0.9, 1.1)
"""Limits of the low voltage [pu]: +-10 % as in EN 50160."""

_UNSOLVED = ("load_missing", "not_converged", "not_supplied")


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
    feeders: bool = True,
    step_h: float = 1.0,
) -> AcProof:
    """Prove a switch sequence by AC power flow, every state, hour and scenario.

    Parameters
    ----------
    network : Network
        The network: whole, or cut out around the touched transformers with ``feeders=False``.
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
        Of transformers and lines [%].
    voltage_band_pu : tuple of float
        Lowest and highest low voltage [pu].
    lv_kv : float
        Nominal low voltage [kV].
    source_pu : float
        Voltage at the substation, or at the transformers where no line to it is modelled [pu].
    feeders : bool
        Whether to model the medium-voltage lines, with every transformer on them.
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
        return AcProof(True, True, AC_METHOD, (), (), (), (), True, (), ("nothing changes",))
    names = trees[0].nodes.to_numpy(dtype=object)
    model = model_around(
        network,
        trees[0],
        [str(names[unit]) for unit in units],
        [str(names[section]) for section in sections],
        lv_kv=lv_kv,
        source_pu=source_pu,
        feeders=feeders,
    )
    if model.grid is None:
        reason = f"AC power flow is not possible: {'; '.join(model.missing)}"
        return AcProof(False, False, ADDITIVE, (reason,), (), (), (), False, model.missing, model.not_checked)

    cases = _cases(model, model.grid, section_load_kva, power_factor)
    limits = FlowLimits(loading_limit_pct, *voltage_band_pu)
    before = solve_flow(_in_state(model, model.grid, closed[0]), cases.p_kw, cases.q_kvar)
    low = [str(names[node]) for node in (*units, *sections)]
    watched = Watched.of(model.grid, low[: len(units)], low)
    states, flows = [], []
    for number, (tree, state) in enumerate(zip(trees[1:], closed[1:], strict=True), start=1):
        grid = _in_state(model, model.grid, state)
        refusals = list(_bad_tree(trees[0], tree, grid, last=number == len(trees) - 1))
        flow = before
        if not refusals:
            flow = solve_flow(grid, cases.p_kw, cases.q_kvar)
            refusals += _unsolved(flow, tree)
            refusals += list(broken(watched, before, flow, cases, limits))
            flows.append(flow)
        states.append(_state(trees[0], tree, refusals, flow))
    reasons = _unsolved(before, trees[0])
    reasons += [f"{finding.message}; left out" for finding in model.grid.findings]
    lost = [str(names[section]) for section in sections if trees[0].source[section] == LOOPED]
    reasons += [f"{name} lies in a ring or between two transformers before" for name in lost]
    reasons += [
        f"step {number}: {reason}" for number, state in enumerate(states, 1) for reason in state.refusals
    ]
    converged = _converged(before) and all(state.converged for state in states)
    roles = {str(names[unit]): "donor" for unit in donors} | {
        str(names[unit]): "receiver" for unit in receivers
    }
    return AcProof(
        possible=True,
        holds=not reasons,
        method=AC_METHOD,
        reasons=tuple(dict.fromkeys(reasons)),
        loadings=tuple(loadings(watched, roles, model.heads, before, flows, cases)),
        energy=tuple(energies(watched, before, flows, cases, step_h)),
        states=tuple(states),
        converged=converged,
        missing=model.missing,
        not_checked=model.not_checked,
    )


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


def _cases(
    model: AcModel, grid: FlowGrid, loads: Mapping[str, pd.DataFrame], power_factor: float
) -> FlowCases:
    frames = list(loads.values())
    names = list(model.loads)
    kva = np.concatenate([frame.reindex(columns=names).to_numpy(dtype=float) for frame in frames])
    # A transformer without a column of its own has nothing beside its sections.
    units = pd.Index(names).isin(model.units) & ~pd.Index(names).isin(frames[0].columns)
    kva[:, units] = 0.0
    place = pd.Index(grid.names).get_indexer(pd.Index(list(model.loads.values())))
    total = np.zeros((len(grid.names), len(kva)))
    np.add.at(total, place, kva.T)
    sine = float(np.sqrt(1 - power_factor**2))
    return FlowCases(tuple(loads), frames[0].index, power_factor * total.T, sine * total.T)


def _in_state(model: AcModel, grid: FlowGrid, closed: frozenset[str]) -> FlowGrid:
    return grid.switched(closed, model.switches)


def _bad_tree(before: FeedingTree, tree: FeedingTree, grid: FlowGrid, *, last: bool) -> Iterator[str]:
    """Find rings that cannot be solved, and, in the last state, any ring and any section without supply."""
    names = before.nodes.to_numpy(dtype=object)
    ring = np.flatnonzero((tree.source == LOOPED) & (before.source != LOOPED))
    parts = divide(grid)
    supplies = np.bincount(parts.island[grid.source], minlength=len(parts.supplied))
    between = [str(name) for name in grid.names[grid.source[supplies[parts.island[grid.source]] > 1]]]
    if between:
        yield f"{' and '.join(between)} would be paralleled, and what joins them above is not modelled"
    elif last and len(ring):
        yield f"{names[ring[0]]} would stay in a ring"
    dark = np.flatnonzero((tree.source == UNFED) & (before.source != UNFED))
    if last and len(dark):
        yield f"{', '.join(str(names[section]) for section in dark)} would stay without supply"


def _state(before: FeedingTree, tree: FeedingTree, refusals: Sequence[str], flow: FlowResult) -> AcState:
    names, n = before.nodes.to_numpy(dtype=object), before.transformers
    dark = np.flatnonzero((tree.source == UNFED) & (before.source != UNFED))
    ring = np.flatnonzero((tree.source[:n] == LOOPED) & (before.source[:n] != LOOPED))
    return AcState(
        unfed=tuple(str(names[section]) for section in dark),
        ring=tuple(str(names[unit]) for unit in ring),
        refusals=tuple(refusals),
        converged=_converged(flow),
    )


def _unsolved(flow: FlowResult, tree: FeedingTree) -> list[str]:
    """Tell what could not be solved, but for the sections that are meant to be without supply."""
    names = tree.nodes.to_numpy(dtype=object)
    meant = {str(name) for name in names[tree.source == UNFED]}
    return [
        finding.message
        for finding in flow.findings
        if finding.code in _UNSOLVED and not (finding.code == "not_supplied" and finding.object_id in meant)
    ]


def _converged(flow: FlowResult) -> bool:
    return not any(finding.code == "not_converged" for finding in flow.findings)
