"""What lies above our transformers: substations, feeders, and which of them has voltage."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.sparse.csgraph import dijkstra

from gridlib.adapters.networks.bus_grid import BusGrid
from gridlib.adapters.networks.wiring import Bools, Ints, Roots, Wiring, shortest_ways

_FAR = 1e6
"""Length of a way over an open switch, against 1 over a line or a transformer."""


@dataclass(frozen=True)
class Upstream:
    """Substations and feeders of our transformers.

    Attributes
    ----------
    substations, feeders : DataFrame
        Our tables.
    substation_id, feeder_id : list of str
        Of each transformer.
    live : array of bool
        Whether the file's switch states give it voltage.
    """

    substations: pd.DataFrame
    feeders: pd.DataFrame
    substation_id: list[str]
    feeder_id: list[str]
    live: Bools


def look_upstream(grid: BusGrid, wiring: Wiring, roots: Roots) -> Upstream:
    """Follow the way from each transformer up to its substation.

    Parameters
    ----------
    grid : BusGrid
        The grid.
    wiring : Wiring
        Its nodes.
    roots : Roots
        Its transformers.

    Returns
    -------
    Upstream
        The substation is the bus below the last larger transformer on the way, else the source; the feeder is
        the first line after it, or the busbar where there is none.
    """
    before, live = _ways(grid, wiring, roots)
    step_of: dict[tuple[int, int], tuple[str, int]] = {}
    for kind, ends in (("unit", wiring.unit_ends), ("line", wiring.line_ends)):
        for row, (one, other) in enumerate(ends):
            step_of.setdefault((int(one), int(other)), (kind, row))
            step_of.setdefault((int(other), int(one)), (kind, row))
    facts_of = {
        str(row[0]): row[1:] for row in grid.buses[["bus_id", "kv", "lat", "lon"]].itertuples(index=False)
    }
    stations: dict[str, tuple[float, float]] = {}
    feeders: dict[str, tuple[str, float, float]] = {}
    of_root: list[tuple[str, str]] = []
    for upper in roots.upper:
        node, way = int(upper), []
        while before[node] >= 0:
            way.append((int(before[node]), node))
            node = int(before[node])
        station, line = node, None
        for start, end in reversed(way):
            kind, row = step_of.get((start, end), ("switch", -1))
            if kind == "unit":
                station, line = end, None
            elif kind == "line" and line is None:
                line = row
        bus = _bus_of(grid, wiring, station)
        _, lat, lon = facts_of[bus]
        stations.setdefault(bus, (lat, lon))
        kv = facts_of[_bus_of(grid, wiring, int(upper))][0]
        if line is None:
            feeder, limit = f"{bus}-busbar", float("nan")
        else:
            feeder, limit = str(grid.lines["line_id"].iloc[line]), float(grid.lines["limit_a"].iloc[line])
        feeders.setdefault(feeder, (bus, kv, limit))
        of_root.append((bus, feeder))
    return Upstream(
        _substations(stations),
        pd.DataFrame(
            {
                "feeder_id": list(feeders),
                "substation_id": [facts[0] for facts in feeders.values()],
                "voltage_kv": [facts[1] for facts in feeders.values()],
                "limit_a": [facts[2] for facts in feeders.values()],
                **dict.fromkeys(("pick_up_a", "fault_level_max_mva", "fault_level_min_mva"), np.nan),
            }
        ),
        [station for station, _ in of_root],
        [feeder for _, feeder in of_root],
        live,
    )


def _ways(grid: BusGrid, wiring: Wiring, roots: Roots) -> tuple[Ints, Bools]:
    """Find the node before each on the shortest way from a source, and which transformers have voltage."""
    others = np.setdiff1d(np.arange(len(wiring.unit_ends)), roots.units)
    ends = np.concatenate([wiring.line_ends, wiring.unit_ends[others], wiring.switch_ends])
    closed = grid.switches["closed"].to_numpy(dtype=bool)
    cost = np.concatenate([np.ones(len(wiring.line_ends) + len(others)), np.where(closed, 1.0, _FAR)])
    graph = shortest_ways(ends, cost, wiring.nodes)
    sources = np.flatnonzero(grid.buses["bus_id"].isin(grid.sources["bus_id"]))
    if not len(sources):
        return np.full(wiring.nodes, -1), np.zeros(len(roots.ids), dtype=bool)
    far, before, _ = dijkstra(graph, indices=sources, min_only=True, return_predecessors=True)
    return before, np.asarray(far[roots.upper] < _FAR, dtype=bool)


def _bus_of(grid: BusGrid, wiring: Wiring, node: int) -> str:
    """Name the bus of a node; of a terminal, the bus its switch joins it to."""
    switch = wiring.terminal_of.get(node)
    return str(grid.buses["bus_id"].iloc[node] if switch is None else grid.switches["bus_id"].iloc[switch])


def _substations(stations: dict[str, tuple[float, float]]) -> pd.DataFrame:
    names = pd.Series(list(stations), dtype=object)
    return pd.DataFrame(
        {
            "substation_id": names,
            "name": names,
            "name_ar": pd.Series([None] * len(names), dtype=object),
            "firm_kva": np.full(len(names), np.nan),
            "lat": [place[0] for place in stations.values()],
            "lon": [place[1] for place in stations.values()],
        }
    ).astype({"lat": float, "lon": float})
