"""The face of power-grid-model: arrays in, arrays out, a failing part isolated from the others."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from power_grid_model import (
    CalculationMethod,
    ComponentType,
    LoadGenType,
    PowerGridModel,
    WindingType,
    initialize_array,
)

from gridlib.domain.flow.grid import Bools, Complexes, Floats, FlowGrid, Ints
from gridlib.domain.flow.parts import Parts

STIFF_VA = 1e20
"""Short-circuit power of a source whose voltage does not give way [VA]."""

MOST_ITERATIONS = 30
TOLERANCE_PU = 1e-10
"""Largest change of a voltage in the last iteration [pu]."""

_METHODS = (CalculationMethod.iterative_current, CalculationMethod.newton_raphson)
"""The first factors the network once for all cases; where it fails, the second is tried."""

_BRANCH_OUTPUT = ["i_from", "i_to", "p_from", "p_to"]


@dataclass(eq=False)
class Solution:
    """What is solved so far; cases x elements, as in `FlowResult`, and the (island, case) that failed."""

    u_pu: Floats
    line_a: Floats
    transformer_pct: Floats
    line_loss_kw: Floats
    transformer_loss_kw: Floats
    source_kva: Complexes
    failed: list[tuple[int, int]] = field(default_factory=list)

    @classmethod
    def blank(cls, grid: FlowGrid, cases: int) -> "Solution":
        """Start with no flow anywhere."""
        lines, units = len(grid.lines.names), len(grid.transformers.names)
        return cls(
            u_pu=np.zeros((cases, len(grid.names))),
            line_a=np.zeros((cases, lines)),
            transformer_pct=np.zeros((cases, units)),
            line_loss_kw=np.zeros((cases, lines)),
            transformer_loss_kw=np.zeros((cases, units)),
            source_kva=np.zeros((cases, len(grid.source)), dtype=complex),
        )


@dataclass(frozen=True, eq=False)
class _Cut:
    """Some islands as a model: their nodes with the row of each, their lines and transformers, and the loads.

    ``load_row`` is the row of each load, ``load_of`` the load that each of ``nodes`` adds to, or -1;
    ``sources`` are positions among the sources of the network.
    """

    model: PowerGridModel
    nodes: Ints
    row: Ints
    lines: Ints
    units: Ints
    load_row: Ints
    load_of: Ints
    sources: Ints


def solve_cases(
    grid: FlowGrid, parts: Parts, islands: Ints, cases: Ints, p_kw: Floats, q_kvar: Floats, solution: Solution
) -> None:
    """Solve some cases of some islands into ``solution``; where a case fails, its islands are halved.

    Parameters
    ----------
    grid, parts : FlowGrid, Parts
        The network and how its switches divide it.
    islands : array of int
        Supplied islands to solve.
    cases : array of int
        Cases to solve.
    p_kw, q_kvar : array [C, N]
        Loads of all cases [kW, kvar].
    solution : Solution
        Takes what is found.
    """
    loaded = ((p_kw != 0) | (q_kvar != 0)).any(axis=0)
    cut = _cut(grid, parts, islands, loaded)
    for method in _METHODS:
        found = cut.model.calculate_power_flow(
            update_data={
                "sym_load": {
                    "p_specified": _at_loads(cut, p_kw, cases),
                    "q_specified": _at_loads(cut, q_kvar, cases),
                }
            },
            calculation_method=method,
            error_tolerance=TOLERANCE_PU,
            max_iterations=MOST_ITERATIONS,
            output_component_types={
                ComponentType.node: ["u_pu"],
                ComponentType.line: _BRANCH_OUTPUT,
                ComponentType.transformer: _BRANCH_OUTPUT,
                ComponentType.source: ["p", "q"],
            },
            continue_on_batch_error=True,
        )
        good = np.ones(len(cases), dtype=bool)
        error = cut.model.batch_error
        if error is not None:
            good[np.asarray(error.failed_scenarios, dtype=np.int64)] = False
        _take(grid, cut, found, cases, good, solution)
        if good.all():
            return
        cases = cases[~good]
    if len(islands) == 1:
        solution.failed += [(int(islands[0]), int(case)) for case in cases]
        return
    half = len(islands) // 2
    for some in (islands[:half], islands[half:]):
        solve_cases(grid, parts, some, cases, p_kw, q_kvar, solution)


def _cut(grid: FlowGrid, parts: Parts, islands: Ints, loaded: Bools) -> _Cut:
    chosen = np.zeros(len(parts.supplied), dtype=bool)
    chosen[islands] = True
    nodes = np.flatnonzero(chosen[parts.island])
    groups, first, row = np.unique(parts.group[nodes], return_index=True, return_inverse=True)
    row_of_group = np.full(int(parts.group.max()) + 1, -1, dtype=np.int64)
    row_of_group[groups] = np.arange(len(groups))
    row_of = row_of_group[parts.group]

    def inside(start: Ints, end: Ints, closed: Bools) -> Ints:
        return np.flatnonzero(closed & (row_of[start] >= 0) & (row_of[start] != row_of[end]))

    lines = inside(grid.lines.start, grid.lines.end, grid.lines.closed)
    units = inside(grid.transformers.start, grid.transformers.end, grid.transformers.closed)
    load_row = np.unique(row[loaded[nodes]]) if loaded[nodes].any() else np.zeros(1, dtype=np.int64)
    load_of_row = np.full(len(groups), -1, dtype=np.int64)
    load_of_row[load_row] = np.arange(len(load_row))
    kv = grid.kv[nodes[first]]
    sources = _sources(grid, row_of)
    ids = iter(np.cumsum([0, len(groups), len(lines), len(units), len(load_row)]).tolist())
    model = PowerGridModel(
        {
            "node": component_table("node", next(ids), len(groups), u_rated=1e3 * kv),
            "line": line_table(grid, lines, row_of, next(ids)),
            "transformer": transformer_table(grid, units, row_of, next(ids)),
            "sym_load": component_table(
                "sym_load",
                next(ids),
                len(load_row),
                node=load_row,
                status=1,
                type=LoadGenType.const_power,
                p_specified=0.0,
                q_specified=0.0,
            ),
            "source": _source_table(grid, row_of, sources, next(ids)),
        }
    )
    return _Cut(model, nodes, row, lines, units, load_row, load_of_row[row], sources)


def component_table(component: str, first_id: int, count: int, **columns: Any) -> np.ndarray[Any, Any]:
    """Lay out components of one kind for power-grid-model, numbered from ``first_id``."""
    table = initialize_array("input", component, count)
    table["id"] = np.arange(first_id, first_id + count)
    for name, values in columns.items():
        table[name] = values
    return table


def line_table(grid: FlowGrid, lines: Ints, row_of: Ints, first_id: int) -> np.ndarray[Any, Any]:
    """Lay out lines whose ends are the rows ``row_of`` their nodes."""
    wires = grid.lines
    return component_table(
        "line",
        first_id,
        len(lines),
        from_node=row_of[wires.start[lines]],
        to_node=row_of[wires.end[lines]],
        from_status=1,
        to_status=1,
        r1=wires.r_ohm[lines],
        x1=wires.x_ohm[lines],
        c1=1e-6 * wires.c_uf[lines],
        tan1=0.0,
        i_n=1.0,
    )


def transformer_table(grid: FlowGrid, units: Ints, row_of: Ints, first_id: int) -> np.ndarray[Any, Any]:
    """Lay out transformers whose sides are the rows ``row_of`` their nodes."""
    # The tap changes the rated voltage of the high-voltage winding; the impedance is that of the other side.
    table = grid.transformers
    rating_va = 1e3 * table.rating_kva[units]
    return component_table(
        "transformer",
        first_id,
        len(units),
        from_node=row_of[table.start[units]],
        to_node=row_of[table.end[units]],
        from_status=1,
        to_status=1,
        u1=1e3 * table.hv_kv[units] * (1 + table.tap_pct[units] / 100),
        u2=1e3 * table.lv_kv[units],
        sn=rating_va,
        uk=table.vk_pct[units] / 100,
        pk=table.vkr_pct[units] / 100 * rating_va,
        i0=table.no_load_pct[units] / 100,
        p0=1e3 * table.no_load_kw[units],
        winding_from=WindingType.wye_n,
        winding_to=WindingType.wye_n,
        clock=0,
        tap_side=0,
        tap_pos=0,
        tap_min=0,
        tap_max=0,
        tap_nom=0,
        tap_size=0.0,
    )


def _sources(grid: FlowGrid, row_of: Ints) -> Ints:
    """Find the sources in the model, of several at one node the first."""
    rows, first = np.unique(row_of[grid.source], return_index=True)
    inside: Ints = first[rows >= 0]
    return inside


def _source_table(grid: FlowGrid, row_of: Ints, sources: Ints, first_id: int) -> np.ndarray[Any, Any]:
    return component_table(
        "source",
        first_id,
        len(sources),
        node=row_of[grid.source[sources]],
        status=1,
        u_ref=grid.source_pu[sources],
        sk=STIFF_VA,
    )


def _at_loads(cut: _Cut, values: Floats, cases: Ints) -> Floats:
    """Sum what the nodes of each load row ask for [cases, loads], in W or var."""
    mine = cut.load_of >= 0
    total = np.zeros((len(cut.load_row), len(cases)))
    np.add.at(total, cut.load_of[mine], 1e3 * values[np.ix_(cases, cut.nodes[mine])].T)
    return np.ascontiguousarray(total.T)


def _take(grid: FlowGrid, cut: _Cut, found: Any, cases: Ints, good: Bools, solution: Solution) -> None:
    """Write the solved cases down."""
    into = cases[good]
    solution.u_pu[np.ix_(into, cut.nodes)] = found["node"]["u_pu"][good][:, cut.row]
    given = {name: values[good] for name, values in found["source"].items()}
    solution.source_kva[np.ix_(into, cut.sources)] = (given["p"] + 1j * given["q"]) / 1e3
    if len(cut.lines):
        line = {name: values[good] for name, values in found["line"].items()}
        solution.line_a[np.ix_(into, cut.lines)] = np.maximum(line["i_from"], line["i_to"])
        solution.line_loss_kw[np.ix_(into, cut.lines)] = (line["p_from"] + line["p_to"]) / 1e3
    if len(cut.units):
        unit = {name: values[good] for name, values in found["transformer"].items()}
        table = grid.transformers
        high, low = 3**0.5 * table.hv_kv[cut.units], 3**0.5 * table.lv_kv[cut.units]
        kva = np.maximum(unit["i_from"] * high, unit["i_to"] * low)
        solution.transformer_pct[np.ix_(into, cut.units)] = 100 * kva / table.rating_kva[cut.units]
        solution.transformer_loss_kw[np.ix_(into, cut.units)] = (unit["p_from"] + unit["p_to"]) / 1e3
