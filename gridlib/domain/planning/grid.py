"""A part of the fleet as the optimiser takes it: loads in scenarios, derated limits, promises to others.

Expected values over the forecast are taken from three quantiles, 30-40-30 (Swanson's rule).
"""

from collections.abc import Mapping, Set
from dataclasses import dataclass, field, replace

import numpy as np

from gridlib.domain.planning.fleet import P10, P50, P90, Fleet, Floats
from gridlib.domain.planning.reserve import Reservation
from gridlib.domain.planning.wiring import Ints, Wiring, way_up
from gridlib.domain.transfer import SectionGrid, flows, section_grid
from gridlib.facts.types import PlanningRules

QUANTILE_WEIGHTS = {P10: 0.3, P50: 0.4, P90: 0.3}
"""Expected value from p10, p50 and p90 [D. L. Keefer and S. E. Bodily, Management Science 29(5), 1983]."""

_NOTHING_KVA = 1e-3


@dataclass(frozen=True)
class Bars:
    """What proofs have refused.

    Transformers that take nothing more, switches that stay and carry no more, ties over which a group of
    sections does not go, alone or with others, and the share of their limit that transformers keep to.
    """

    units: frozenset[int] = field(default=frozenset())
    switches: frozenset[str] = field(default=frozenset())
    ways: frozenset[tuple[str, frozenset[str]]] = field(default=frozenset())
    fits_pu: Mapping[int, float] = field(default_factory=dict)


def planning_grid(
    fleet: Fleet,
    wiring: Wiring,
    rows: Ints,
    aim_pct: Mapping[int, float],
    reserved: Reservation,
    rules: PlanningRules,
    bars: Bars,
) -> SectionGrid:
    """Write a part of the fleet for the optimiser.

    Parameters
    ----------
    fleet : Fleet
        The fleet.
    wiring : Wiring
        Its switches.
    rows : array of int
        Switches of the part; the grid has them in this order.
    aim_pct : mapping
        Transformers to relieve, and the loading above which load counts, beside their limit [%].
    reserved : Reservation
        What other plans need.
    rules : PlanningRules
        The site's.
    bars : Bars
        What proofs have refused.

    Returns
    -------
    SectionGrid
        What is not in the part hangs on its transformer as load that does not move.

    Notes
    -----
    Instead of the loads the limits are derated. Where sections have a +- range, p10 and p90 are written
    twice, with all sections at the lower and at the upper end: the receiver's worse end is in the one, the
    donor's in the other. The objective takes the donor's.
    """
    n = fleet.tree.transformers
    factor = 1 + rules.derating_pct / 100
    ends = np.unique(np.concatenate([wiring.start[rows], wiring.end[rows]]))
    sections = ends[ends >= n]
    source = fleet.tree.source[sections]
    units = np.unique(np.concatenate([ends[ends < n], source]))
    u, s = len(units), len(sections)
    home = np.searchsorted(units, source)

    quantiles, sides, weights = _scenarios(fleet, sections)
    # A section of unknown load stays where it is, see `wire`; its transformer's load is known without it.
    section_kva = np.nan_to_num(fleet.sections_kva(sections, quantiles, sides))
    rest_kva = np.stack([fleet.load_kva[quantile][:, units].T for quantile in quantiles])
    for k, unit in enumerate(units.tolist()):
        if unit in reserved.up_kva:
            rest_kva[:, k] += reserved.up_kva[unit][quantiles]
    np.subtract.at(rest_kva.transpose(1, 0, 2), home, section_kva.transpose(1, 0, 2))

    place = np.full(len(fleet.names), -1, dtype=np.int64)
    place[units], place[sections] = np.arange(u), u + np.arange(s)
    fixed, line_kva = _kept(fleet, wiring, rows, reserved, bars)
    line_kva = line_kva / factor
    break_kva = wiring.break_kva[rows] / factor
    # The tie has to break at the switch-back what it took over.
    line_kva = np.where(wiring.closed[rows], line_kva, np.fmin(line_kva, break_kva))
    takes_nothing = (wiring.takes_nothing | bars.units) - aim_pct.keys()
    aimed_pct = np.array([aim_pct.get(unit, np.inf) for unit in units.tolist()])
    limit_kva = np.minimum(fleet.limit_kva[:, units], fleet.rating_kva[units] * aimed_pct / 100).T / factor
    limit_kva[np.isin(units, list(takes_nothing))] = 0.0
    limit_kva = np.maximum(limit_kva, _NOTHING_KVA)
    rest = u + s + np.arange(u)
    grid = section_grid(
        np.concatenate([place[wiring.start[rows]], np.arange(u)]),
        np.concatenate([place[wiring.end[rows]], rest]),
        np.concatenate([line_kva, np.full(u, np.inf)]),
        np.concatenate([wiring.closed[rows], np.ones(u, dtype=bool)]),
        np.concatenate([section_kva, rest_kva], axis=1),
        limit_kva,
        fixed=np.concatenate([fixed, np.ones(u, dtype=bool)]),
        cost_kvah=np.concatenate([wiring.cost_kvah[rows], np.zeros(u)]),
        weight=np.isin(units, list(aim_pct)).astype(float),
        scenario_weight=weights,
        step_h=fleet.step_h,
        barred=_barred(fleet, wiring, rows, place, bars),
    )
    carried = np.abs(flows(grid, grid.closed).line_kva(grid)).max(axis=1)[: len(rows)]
    beyond = wiring.closed[rows] & (carried > break_kva)
    return replace(grid, fixed=grid.fixed | np.concatenate([beyond, np.zeros(u, dtype=bool)]))


def _barred(
    fleet: Fleet, wiring: Wiring, rows: Ints, place: Ints, bars: Bars
) -> list[tuple[int, frozenset[int]]]:
    """Write the barred ways by the switches and nodes of the part."""
    row_of = {wiring.devices[row].switch_id: k for k, row in enumerate(rows.tolist())}
    found = []
    for tie, sections in sorted(bars.ways, key=lambda way: (way[0], sorted(way[1]))):
        nodes = frozenset(int(place[fleet.position(name)]) for name in sections)
        if tie in row_of and min(nodes) >= 0:
            found.append((row_of[tie], nodes))
    return found


def _scenarios(fleet: Fleet, sections: Ints) -> tuple[list[int], list[int], list[float]]:
    """Quantile, end of the sections' +- range, and weight of each scenario."""
    p10, p50, p90 = QUANTILE_WEIGHTS.values()
    if not fleet.spread_pu(sections).any():
        return [P10, P50, P90], [0, 0, 0], [p10, p50, p90]
    return [P10, P10, P50, P90, P90], [-1, 1, 0, -1, 1], [0.0, p10, p50, p90, 0.0]


def _kept(
    fleet: Fleet, wiring: Wiring, rows: Ints, reserved: Reservation, bars: Bars
) -> tuple[np.ndarray, Floats]:
    """Which switches keep their state, and what the lines may carry beside what others were promised."""
    fixed, line_kva = wiring.fixed[rows].copy(), wiring.line_kva[rows].copy()
    row_of = {wiring.devices[row].switch_id: k for k, row in enumerate(rows.tolist())}
    names: Set[str] = set(reserved.switches | bars.switches)
    for name in reserved.sections:
        names |= set(way_up(fleet, fleet.position(name)))
    for node, promised_kva in reserved.landing_kva.items():
        way = [row_of[name] for name in way_up(fleet, node) if name in row_of]
        line_kva[way] = np.maximum(line_kva[way] - np.abs(promised_kva).max(), 0.0)
        names |= set(way_up(fleet, node))
    fixed[[row_of[name] for name in names if name in row_of]] = True
    line_kva[[row_of[name] for name in bars.switches if name in row_of]] = 0.0
    return fixed, line_kva
