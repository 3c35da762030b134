"""Where transformers and sections stand in a picture of the network."""

from collections.abc import Iterable

import networkx as nx
import numpy as np
import numpy.typing as npt
import pandas as pd

from gridlib.facts.messages import Message

_ASPECT = 2.2
"""Width of a panel against its height, about."""

Places = dict[str, npt.NDArray[np.float64]]
"""Position of each node, x and y."""


def place_nodes(graph: nx.Graph, transformers: pd.DataFrame) -> Places:
    """Place transformers and sections so that the switches between them can be read.

    Parameters
    ----------
    graph : Graph
        Transformers and sections, joined by switches; ``length`` of an edge is how far apart its ends should
        stand.
    transformers : DataFrame
        Table of transformers; ``lat`` and ``lon`` [deg] may be missing.

    Returns
    -------
    dict
        By the ways along the switches (Kamada and Kawai), connected parts side by side. A part whose
        transformers have coordinates starts from these and so keeps roughly to the points of the compass;
        distances are not to scale. The same for the same input.

    References
    ----------
    T. Kamada, S. Kawai, "An algorithm for drawing general undirected graphs", Information Processing
    Letters 31 (1989) 7-15.
    """
    known = coordinates(transformers)
    parts = sorted(nx.connected_components(graph), key=lambda part: (-len(part), min(part)))
    return _side_by_side([_by_ways(part_of(graph, part), known) for part in parts])


def part_of(graph: nx.Graph, names: Iterable[str]) -> nx.Graph:
    """Copy some nodes and the edges between them.

    Parameters
    ----------
    graph : Graph
        Any graph.
    names : iterable of str
        Its nodes to keep.

    Returns
    -------
    Graph
        In order of name: a view of networkx has the order of a set, which differs between two processes, and
        with it the picture.
    """
    kept = set(names)
    part = nx.Graph()
    part.add_nodes_from((name, graph.nodes[name]) for name in sorted(kept))
    edges = (sorted(edge) for edge in graph.edges if kept.issuperset(edge))
    part.add_edges_from((start, end, graph.edges[start, end]) for start, end in sorted(edges))
    return part


def layout_whole(transformers: pd.DataFrame) -> tuple[Places, Message]:
    """Place all transformers of a fleet, and say in words how.

    Parameters
    ----------
    transformers : DataFrame
        Table of transformers; ``lat`` and ``lon`` [deg] may be missing.

    Returns
    -------
    places : dict
        By coordinates where every transformer has them, else feeder by feeder in rows.
    said : Message
        How they are placed.
    """
    rows = transformers.drop_duplicates("transformer_id")
    known = coordinates(rows)
    if len(known) == len(rows):
        return known, Message("picture.placed.coordinates", {})
    ordered = rows.sort_values(["feeder_id", "transformer_id"], kind="stable")["transformer_id"]
    width = max(1, round(np.sqrt(len(ordered) / 2.2)))
    places = {str(name): np.array([i % width, -(i // width)], dtype=float) for i, name in enumerate(ordered)}
    return places, Message("picture.placed.feeder", {})


def coordinates(transformers: pd.DataFrame) -> Places:
    """Give the transformers with coordinates their places on a plane [deg of latitude].

    Parameters
    ----------
    transformers : DataFrame
        Table of transformers; ``lat`` and ``lon`` [deg] may be missing.

    Returns
    -------
    dict
        East and north, true to scale around the middle of the fleet.
    """
    if not {"lat", "lon"} <= set(transformers):
        return {}
    rows = transformers.drop_duplicates("transformer_id").dropna(subset=["lat", "lon"])
    north = rows["lat"].to_numpy(dtype=float)
    east = rows["lon"].to_numpy(dtype=float) * np.cos(np.radians(north.mean() if len(north) else 0.0))
    return {
        str(name): np.array(place) for name, *place in zip(rows["transformer_id"], east, north, strict=True)
    }


def _by_ways(part: nx.Graph, known: Places) -> Places:
    if len(part) == 1:
        return {name: np.zeros(2) for name in part}
    wide = np.sqrt(len(part))
    units = [name for name, is_unit in part.nodes(data="transformer") if is_unit]
    start = _around_units(part, {name: known[name] for name in units}) if set(units) <= set(known) else None
    placed = nx.kamada_kawai_layout(part, pos=start, weight="length", scale=wide)
    return {name: np.asarray(place, dtype=float) for name, place in placed.items()}


def _around_units(part: nx.Graph, units: Places) -> Places | None:
    """Put sections round the transformers from which they are nearest; None where these stand on one spot."""
    if len(units) < 2 or not np.ptp(np.array(list(units.values())), axis=0).any():
        return None
    at = np.array(list(units.values()))
    middle, span = at.mean(axis=0), float(np.ptp(at, axis=0).max())
    start = {name: (place - middle) / span for name, place in units.items()}
    way_to = nx.multi_source_dijkstra_path(part, sorted(units))
    for turn, name in enumerate(sorted(set(part) - set(units))):
        # The golden angle spreads points of any number evenly over the circle.
        angle = turn * np.pi * (3 - np.sqrt(5))
        start[name] = start[way_to[name][0]] + 0.05 * np.array([np.cos(angle), np.sin(angle)])
    return start


def _side_by_side(parts: list[Places]) -> Places:
    """Set connected parts into rows, so that they do not cover each other."""
    total = sum((2 * np.sqrt(len(part)) + 2) ** 2 for part in parts)
    wide = np.sqrt(total * _ASPECT)
    placed: Places = {}
    left = below = tall = 0.0
    for part in parts:
        at = np.array(list(part.values()))
        low, size = at.min(axis=0), np.ptp(at, axis=0)
        if left and left + size[0] > wide:
            left, below, tall = 0.0, below - tall - 2, 0.0
        corner = np.array([left, below - size[1]])
        placed |= {name: place - low + corner for name, place in part.items()}
        left, tall = left + size[0] + 2, max(tall, size[1])
    return placed
