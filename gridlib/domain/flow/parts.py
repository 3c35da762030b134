"""What the closed switches join: groups of nodes, and islands with and without a source."""

from dataclasses import dataclass

import numpy as np
from scipy.sparse import coo_array, csr_array
from scipy.sparse.csgraph import connected_components

from gridlib.domain.flow.grid import Bools, FlowGrid, Ints


@dataclass(frozen=True, eq=False)
class Parts:
    """How the closed switches divide the network.

    Attributes
    ----------
    group : array of int [N]
        Nodes joined by closed links share a group.
    island : array of int [N]
        Connected part of each node.
    supplied, ring : array of bool [islands]
        Whether a source is in it; whether it holds a ring or lies between two sources.
    """

    group: Ints
    island: Ints
    supplied: Bools
    ring: Bools


def divide(grid: FlowGrid) -> Parts:
    """Follow the closed switches.

    Parameters
    ----------
    grid : FlowGrid
        The network.

    Returns
    -------
    Parts
        Groups and islands.

    Notes
    -----
    An island with g groups, s sources and b closed branches is radial when ``b = g - s`` and ``s = 1``.
    """
    n = len(grid.names)
    closed = [part.closed for part in (grid.lines, grid.transformers)]
    start = np.r_[grid.lines.start[closed[0]], grid.transformers.start[closed[1]]]
    end = np.r_[grid.lines.end[closed[0]], grid.transformers.end[closed[1]]]
    joined = grid.links.closed
    groups, group = _components(n, grid.links.start[joined], grid.links.end[joined])
    islands, island_of = _components(groups, group[start], group[end])
    island = island_of[group]
    sources = np.bincount(island[np.unique(grid.source)], minlength=islands)
    size = np.bincount(island_of, minlength=islands)
    branches = np.bincount(island[start], minlength=islands) if len(start) else np.zeros(islands, dtype=int)
    return Parts(group, island, sources > 0, (sources > 0) & ((branches > size - 1) | (sources > 1)))


def _components(nodes: int, start: Ints, end: Ints) -> tuple[int, Ints]:
    graph = csr_array(coo_array((np.ones(len(start)), (start, end)), shape=(nodes, nodes)))
    count, label = connected_components(graph, directed=False)
    return int(count), np.asarray(label, dtype=np.int64)
