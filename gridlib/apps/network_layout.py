"""Where transformers and sections stand in a picture of the network."""

from collections.abc import Set

import networkx as nx
import numpy as np
import numpy.typing as npt
import pandas as pd

Places = dict[str, npt.NDArray[np.float64]]
"""Position of each node, x and y."""

_SEED = 7
_ROUNDS = 60


def place_nodes(graph: nx.Graph, transformers: pd.DataFrame, shown: Set[str]) -> Places:
    """Place transformers and sections.

    Parameters
    ----------
    graph : Graph
        Transformers and sections, joined by switches.
    transformers : DataFrame
        Table of transformers; ``lat`` and ``lon`` [deg] may be missing.
    shown : set of str
        Transformers in the graph.

    Returns
    -------
    dict
        By coordinates where every transformer shown has its own, with the sections between them; else by
        the shortest ways along the switches (Kamada and Kawai). The same for the same input.

    References
    ----------
    T. Kamada, S. Kawai, "An algorithm for drawing general undirected graphs", Information Processing
    Letters 31 (1989) 7-15.
    """
    known = coordinates(transformers)
    if shown and shown <= set(known):
        return _between({name: known[name] for name in shown}, graph)
    parts = sorted(nx.connected_components(graph), key=lambda part: (-len(part), min(part)))
    return _side_by_side([_by_ways(graph.subgraph(sorted(part))) for part in parts])


def layout_whole(transformers: pd.DataFrame) -> tuple[Places, str]:
    """Place all transformers of a fleet, and say in words how.

    Parameters
    ----------
    transformers : DataFrame
        Table of transformers; ``lat`` and ``lon`` [deg] may be missing.

    Returns
    -------
    places : dict
        By coordinates where every transformer has them, else feeder by feeder in rows.
    words : str
        How they are placed.
    """
    rows = transformers.drop_duplicates("transformer_id")
    known = coordinates(rows)
    if len(known) == len(rows):
        return known, "by coordinates"
    ordered = rows.sort_values(["feeder_id", "transformer_id"], kind="stable")["transformer_id"]
    width = max(1, round(np.sqrt(len(ordered) / 2.2)))
    return {
        str(name): np.array([i % width, -(i // width)], dtype=float) for i, name in enumerate(ordered)
    }, "by feeder, not by place"


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
        str(name): np.array(place)
        for name, *place in zip(rows["transformer_id"], east, north, strict=True)
    }


def _between(fixed: Places, graph: nx.Graph) -> Places:
    """Put sections around and between transformers that stand where they are."""
    at = np.array(list(fixed.values()))
    middle, span = at.mean(axis=0), max(float(np.ptp(at, axis=0).max()), 1e-9)
    start = {name: (place - middle) / span for name, place in fixed.items()}
    nearest = nx.multi_source_dijkstra_path(graph, sorted(fixed))
    reach = 0.25 / np.sqrt(len(fixed))
    angle = {name: 2.399963 * i for i, name in enumerate(sorted(set(graph) - set(fixed)))}  # golden angle
    for name, turn in angle.items():
        ways = nearest.get(name, [name])
        origin = start.get(ways[0], np.zeros(2))
        start[name] = origin + reach * np.array([np.cos(turn), np.sin(turn)])
    settled = nx.spring_layout(
        graph,
        pos=start,
        fixed=sorted(fixed),
        k=0.45 / np.sqrt(max(len(graph), 1)),
        iterations=_ROUNDS,
        seed=_SEED,
        scale=None,
        method="force",
    )
    return {name: np.asarray(place, dtype=float) for name, place in settled.items()}


def _by_ways(part: nx.Graph) -> Places:
    if len(part) == 1:
        return {name: np.zeros(2) for name in part}
    placed = nx.kamada_kawai_layout(part, scale=np.sqrt(len(part)))
    return {name: np.asarray(place, dtype=float) for name, place in placed.items()}


def _side_by_side(parts: list[Places]) -> Places:
    """Set connected parts into rows, so that they do not cover each other."""
    total = sum((2 * np.sqrt(len(part)) + 2) ** 2 for part in parts)
    wide = np.sqrt(total) * 1.1
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
