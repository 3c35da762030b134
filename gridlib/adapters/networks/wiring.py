"""The nodes of a grid, terminals behind switches among them, and what hangs below our units."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.sparse import coo_array, csr_array
from scipy.sparse.csgraph import connected_components

from gridlib.adapters.networks.bus_grid import BusGrid, Level
from gridlib.facts.errors import InputError

Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]

LOW_KV = 1.0
"""Highest low voltage [kV], IEC 60038:2009, 3.1."""

MEDIUM_KV = 36.0
"""Highest medium voltage [kV]: highest voltage for equipment of a 33 kV system, IEC 60038:2009, table 3."""

_STEP_DOWN = 1.05
"""A unit with less between its voltages is a regulator, part of the line it stands in."""


@dataclass(frozen=True)
class Wiring:
    """Ends of lines, units and switches as numbers of nodes: buses first, then terminals behind switches.

    Attributes
    ----------
    nodes : int
        Their number.
    line_ends, unit_ends, switch_ends : array of int [., 2]
        Of each row of the grid's tables; of a unit the upper voltage first, of a switch the bus first.
    terminal_of : dict of int to int
        Switch (row) that a terminal stands behind.
    """

    nodes: int
    line_ends: Ints
    unit_ends: Ints
    switch_ends: Ints
    terminal_of: dict[int, int]


@dataclass(frozen=True)
class Roots:
    """The transformers that become ours, and what hangs below them.

    Attributes
    ----------
    ids : list of str
        Units, or sources where a grid begins at the level itself.
    units : array of int
        Rows of the grid's units; -1 for a source.
    upper, lower : array of int
        Their nodes; the same for a source.
    area : array of bool [nodes]
        What hangs below them, whatever switches are closed.
    """

    ids: list[str]
    units: Ints
    upper: Ints
    lower: Ints
    area: Bools


def wire(grid: BusGrid) -> Wiring:
    """Give numbers to the nodes of a grid.

    Parameters
    ----------
    grid : BusGrid
        The grid.

    Returns
    -------
    Wiring
        A switch between a bus and the end of a line or unit puts a terminal of its own between them.
    """
    number = {bus: place for place, bus in enumerate(grid.buses["bus_id"])}

    def ends(pairs: npt.NDArray[np.object_]) -> Ints:
        return np.array([[number[bus] for bus in pair] for pair in pairs], dtype=np.int64).reshape(-1, 2)

    buses_of = {
        "line": ends(grid.lines[["from_bus", "to_bus"]].to_numpy(dtype=object)),
        "unit": ends(grid.units[["hv_bus", "lv_bus"]].to_numpy(dtype=object)),
    }
    row_of = {
        "line": {name: row for row, name in enumerate(grid.lines["line_id"])},
        "unit": {name: row for row, name in enumerate(grid.units["unit_id"])},
    }
    ends_of = {kind: pairs.copy() for kind, pairs in buses_of.items()}
    switch_ends = np.empty((len(grid.switches), 2), dtype=np.int64)
    terminal_of: dict[int, int] = {}
    nodes = len(number)
    for place, switch in enumerate(grid.switches.itertuples()):
        bus = number[str(switch.bus_id)]
        if switch.element == "bus":
            switch_ends[place] = bus, number[str(switch.element_id)]
            continue
        kind = str(switch.element)
        row = row_of[kind][str(switch.element_id)]
        side = int(buses_of[kind][row, 0] != bus)
        switch_ends[place] = ends_of[kind][row, side], nodes
        ends_of[kind][row, side] = nodes
        terminal_of[nodes] = place
        nodes += 1
    return Wiring(nodes, ends_of["line"], ends_of["unit"], switch_ends, terminal_of)


def parts(nodes: int, *edges: Ints) -> Ints:
    """Give the nodes of each connected part of a graph a number of their own."""
    pairs = np.concatenate(edges)
    graph = coo_array((np.ones(len(pairs)), (pairs[:, 0], pairs[:, 1])), shape=(nodes, nodes))
    return np.asarray(connected_components(graph, directed=False)[1], dtype=np.int64)


def shortest_ways(edges: Ints, cost: Floats, nodes: int) -> csr_array:
    """Make a graph of edges with their lengths, both ways; of parallel ones the shortest counts."""
    both = np.concatenate([edges, edges[:, ::-1]])
    order = np.argsort(np.tile(cost, 2), kind="stable")
    _, first = np.unique(both[order], axis=0, return_index=True)
    chosen = order[first]
    lengths = np.tile(cost, 2)[chosen]
    return csr_array(coo_array((lengths, (both[chosen, 0], both[chosen, 1])), shape=(nodes, nodes)))


def find_roots(grid: BusGrid, wiring: Wiring, level: Level | None) -> Roots:
    """Choose the transformers that become ours.

    Parameters
    ----------
    grid : BusGrid
        The grid.
    wiring : Wiring
        Its nodes.
    level : Level, optional
        Default is the level at which more of the load is connected.

    Returns
    -------
    Roots
        The units that feed that level and no further unit of it; the sources where it has no unit.

    Raises
    ------
    InputError
        Nothing feeds that level.
    """
    wanted = level or _main_level(grid)
    lv_kv = grid.units["lv_kv"].to_numpy(dtype=float)
    low = lv_kv <= LOW_KV
    steps = grid.units["hv_kv"].to_numpy(dtype=float) > _STEP_DOWN * lv_kv
    closed = wiring.switch_ends[grid.switches["closed"].to_numpy(dtype=bool)]
    ours = low & steps
    if wanted is Level.MEDIUM:
        ours = ~low & (lv_kv <= MEDIUM_KV) & steps
        part = parts(wiring.nodes, wiring.line_ends, closed, wiring.unit_ends[~steps])
        feeds_on = np.isin(part[wiring.unit_ends[:, 1]], part[wiring.unit_ends[ours, 0]])
        ours &= ~feeds_on
    rows = np.flatnonzero(ours)
    if len(rows):
        ids = [str(name) for name in grid.units["unit_id"].iloc[rows]]
        upper, lower = wiring.unit_ends[rows].T
    else:
        ids, upper = _sources_of(grid, wanted)
        rows, lower = np.full(len(ids), -1, dtype=np.int64), upper
    part = parts(wiring.nodes, wiring.line_ends, wiring.switch_ends, wiring.unit_ends[~ours])
    return Roots(ids, rows, upper, lower, np.isin(part, part[lower]))


def _main_level(grid: BusGrid) -> Level:
    kv = grid.loads["bus_id"].map(grid.buses.set_index("bus_id")["kv"])
    kva = grid.loads["kva"].abs()
    low, medium = kva[kv <= LOW_KV].sum(), kva[(kv > LOW_KV) & (kv <= MEDIUM_KV)].sum()
    return Level.LOW if low > 0 and low >= medium else Level.MEDIUM


def _sources_of(grid: BusGrid, level: Level) -> tuple[list[str], Ints]:
    kv = grid.buses.set_index("bus_id")["kv"]
    at_kv = grid.sources["bus_id"].map(kv)
    lowest, highest = (0.0, LOW_KV) if level is Level.LOW else (LOW_KV, MEDIUM_KV)
    found = grid.sources[(at_kv > lowest) & (at_kv <= highest)]
    if found.empty:
        raise InputError(
            f"no two-winding transformer and no source feeds the {level} voltage level",
            what_to_do="Name the other level; split three-winding transformers into two of two windings.",
        )
    place = pd.Index(grid.buses["bus_id"]).get_indexer(pd.Index(found["bus_id"]))
    return [str(name) for name in found["source_id"]], np.asarray(place, dtype=np.int64)
