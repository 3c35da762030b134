"""The network around a load transfer, before and after, as a picture."""

from collections.abc import Collection, Sequence, Set
from typing import NamedTuple

import matplotlib.pyplot as plt
import networkx as nx
import numpy as np
import numpy.typing as npt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from gridlib.apps.label_places import place_labels, write_label
from gridlib.apps.network_layout import Places, coordinates, layout_whole, part_of, place_nodes
from gridlib.apps.plots import INK, LEVEL_COLOUR, picture_text
from gridlib.domain.network import feeding
from gridlib.facts.errors import InputError
from gridlib.facts.messages import Language, Message, render
from gridlib.facts.types import Limits, Move, Network

WHOLE = 60
"""Up to so many transformers the whole network is drawn; of more, what lies around the plan."""

HOPS = 2
"""Ties between the plan's transformers and the farthest that is drawn of a larger network."""

_QUIET, _SOFT, _PAPER, _OPENED, _CLOSED = "#aab2bd", "#5f6b7a", "#ffffff", "#b3261e", "#0b57a4"
_FED_BY = ("#0b57a4", "#8e24aa", "#00796b", "#6d4c41", "#455a64", "#ad1457")


_STRETCH = 4.0
"""Length of an operated switch in the picture, against 1 for others, so that its mark and name have room."""


class Band(NamedTuple):
    """A range of peak loading: its word, colour and shape."""

    word: Message
    colour: str
    shape: str


class _Scene(NamedTuple):
    """What both panels share."""

    graph: nx.Graph
    places: Places
    shown: Sequence[str]
    moves: Sequence[Move]
    limits: Limits
    colour_of: dict[str, str]
    has_unknown: bool
    language: Language

    def said(self, name: str, **values: object) -> str:
        """Write words of the picture."""
        return picture_text(name, self.language, **values)


def loading_band(loading_pct: float, limits: Limits) -> Band:
    """Name the band of a peak loading.

    Parameters
    ----------
    loading_pct : float
        Peak loading, negative for export [%]; NaN where it is not known.
    limits : Limits
        ``overload_points`` says where overload begins to count, ``loading_limit_pct`` what the limit is.

    Returns
    -------
    Band
        Each has a shape of its own, so that it is told without colour.

    Examples
    --------
    >>> [render(loading_band(value, Limits()).word) for value in (60, -85, 101, float("nan"))]
    ['below 80 %', '80 to 100 %', 'over 100 %', 'not known']
    """
    near, limit = limits.overload_points[0][0], limits.loading_limit_pct
    if np.isnan(loading_pct):
        return Band(Message("picture.band.unknown", {}), _QUIET, "D")
    if abs(loading_pct) > limit:
        return Band(Message("picture.band.over", {"from_pct": limit}), LEVEL_COLOUR["HIGH"], "^")
    if abs(loading_pct) >= near:
        between = {"from_pct": near, "to_pct": limit}
        return Band(Message("picture.band.between", between), LEVEL_COLOUR["MEDIUM"], "s")
    return Band(Message("picture.band.below", {"to_pct": min(near, limit)}), LEVEL_COLOUR["LOW"], "o")


def network_figure(
    network: Network,
    closed_before: Collection[str],
    closed_after: Collection[str],
    loading_pct_before: pd.Series,
    loading_pct_after: pd.Series,
    *,
    moves: Sequence[Move],
    limits: Limits,
    language: Language = "en",
) -> Figure:
    """Draw the network before and after load transfers.

    Parameters
    ----------
    network : Network
        The network; ``lat`` and ``lon`` of its transformers may be missing.
    closed_before, closed_after : collection of str
        Switches that are closed before and after.
    loading_pct_before, loading_pct_after : Series
        Peak loading by transformer, negative for export [%]; a transformer without one is not known.
    moves : sequence of Move
        The transfers; may be empty.
    limits : Limits
        Bands of loading.
    language : {"en", "ar"}
        Of the words.

    Returns
    -------
    Figure
        Two panels, one above the other; colour and shape of a transformer say its band, sections and lines
        have the colour of the plan's transformer that feeds them. Operated switches are marked and named in
        both. Of a network of more than `WHOLE` transformers the panels show what lies within `HOPS` ties of
        the plan (one, where those are more than `WHOLE`). Of such a network, and where coordinates are
        known, a third panel shows where the transformers stand. The other two are not to scale.

    Raises
    ------
    InputError
        A move names a switch, section or transformer that the network does not have.
    """
    graph = network_graph(network, {name for move in moves for name in (move.open_switch, move.close_switch)})
    transformers = [str(name) for name in network.transformers["transformer_id"].unique()]
    touched = list(dict.fromkeys(t for move in moves for t in (move.from_transformer, move.to_transformer)))
    _check_known(graph, moves)
    homes = [
        pd.concat([feeding(network, closed), pd.Series({name: name for name in transformers}, dtype=object)])
        for closed in (closed_before, closed_after)
    ]
    large = len(transformers) > WHOLE
    shown = _around(graph, homes[0], touched, transformers) if large else transformers
    near = [name for name, home in homes[0].items() if home in set(shown)]
    drawn = part_of(graph, near if large else graph)  # the whole has sections that nobody feeds, too
    colour_of = {name: _FED_BY[i % len(_FED_BY)] for i, name in enumerate(touched)}
    places = place_nodes(drawn, network.transformers)
    loadings = (loading_pct_before, loading_pct_after)
    has_unknown = any(bool(loading.reindex(shown).isna().any()) for loading in loadings)
    scene = _Scene(drawn, places, shown, moves, limits, colour_of, has_unknown, language)

    with_map = large or bool(coordinates(network.transformers))
    rows = "wb;wa" if with_map else "b;a"
    figure, named = plt.subplot_mosaic(
        rows, figsize=(10.5, 10), width_ratios=[0.24, 1] if with_map else [1], layout="constrained"
    )
    if with_map:
        _draw_whole(named["w"], network.transformers, scene, touched)
    panels = (
        (named["b"], closed_before, homes[0], loading_pct_before, "before"),
        (named["a"], closed_after, homes[1], loading_pct_after, "after"),
    )
    for axes, closed, home, loading_pct, word in panels:
        _draw_panel(axes, scene, frozenset(closed), home, loading_pct)
        if not shown:
            axes.text(0.5, 0.5, scene.said("no_transfer"), ha="center", transform=axes.transAxes)
        axes.set_title(scene.said(f"panel.{word}"), loc="left")
    figure.legend(handles=_legend(scene), loc="outside lower center", ncols=5, fontsize=9, frameon=False)
    place_labels(figure, [named["b"], named["a"]])
    return figure


def network_graph(network: Network, operated: Set[str] = frozenset()) -> nx.Graph:
    """Join transformers and sections by switches; the operated ones have room."""
    graph = nx.Graph()
    graph.add_nodes_from(network.transformers["transformer_id"].astype(str), transformer=True)
    sections = [name for name in network.sections["section_id"].astype(str) if name not in graph]
    graph.add_nodes_from(sections, transformer=False)
    rows = network.switches.drop_duplicates("switch_id")
    for switch, start, end in zip(rows["switch_id"], rows["from_id"], rows["to_id"], strict=True):
        if start in graph and end in graph and start != end:
            if not graph.has_edge(start, end):
                graph.add_edge(start, end, switches=[], length=1.0)
            graph.edges[start, end]["switches"].append(switch)
            if switch in operated:
                graph.edges[start, end]["length"] = _STRETCH
    return graph


def _check_known(graph: nx.Graph, moves: Sequence[Move]) -> None:
    switches = {name for *_, names in graph.edges(data="switches") for name in names}
    for move in moves:
        nodes = (move.from_transformer, move.to_transformer, *move.sections)
        missing = [name for name in nodes if name not in graph]
        missing += [name for name in (move.open_switch, move.close_switch) if name not in switches]
        if missing:
            raise InputError(
                f"the network has no {missing[0]}, which a move names",
                what_to_do="Give the network that the plan was made on.",
            )


def _around(
    graph: nx.Graph, home: pd.Series, touched: Sequence[str], transformers: Sequence[str]
) -> list[str]:
    """Name the transformers within some ties of the plan's, in the order of the tables."""
    fed_by = home.dropna().to_dict()
    nearby = nx.Graph()
    nearby.add_nodes_from(transformers)
    nearby.add_edges_from((fed_by[a], fed_by[b]) for a, b in graph.edges if a in fed_by and b in fed_by)
    for hops in range(HOPS, -1, -1):
        reached = {
            name for unit in touched for name in nx.single_source_shortest_path_length(nearby, unit, hops)
        }
        if len(reached) <= WHOLE:
            break
    return [name for name in transformers if name in reached]


def _draw_whole(axes: Axes, transformers: pd.DataFrame, scene: _Scene, touched: Sequence[str]) -> None:
    """Dots of the whole fleet, and which of them the panels show."""
    places, placed = layout_whole(transformers)
    at = np.array(list(places.values()))
    axes.scatter(at[:, 0], at[:, 1], s=5, color="#cfd5dc", linewidth=0)
    for names, colour, size in ((scene.shown, _SOFT, 9), (touched, INK, 34)):
        if names:
            marked = np.array([places[name] for name in names])
            axes.scatter(marked[:, 0], marked[:, 1], s=size, color=colour, linewidth=0)
    axes.set_title(scene.said("whole"), loc="left")
    axes.text(
        0,
        -0.01,
        scene.said("whole.note", count=len(places), placed=placed, shown=len(scene.shown)),
        transform=axes.transAxes,
        va="top",
        fontsize=9,
    )
    axes.set_aspect("equal", adjustable="datalim")
    axes.axis("off")


def _draw_panel(
    axes: Axes, scene: _Scene, closed: frozenset[str], home: pd.Series, loading_pct: pd.Series
) -> None:
    axes.axis("off")
    axes.margins(0.09)
    fed_by = {str(name): unit or "" for name, unit in home.items()}
    _draw_switches(axes, scene, closed, fed_by)
    moved = {name for move in scene.moves for name in move.sections}
    sections = [name for name, unit in scene.graph.nodes(data="transformer") if not unit]
    for names, shape, size in (
        ([name for name in sections if name not in moved], "o", 14),
        ([name for name in sections if name in moved], "D", 62),
    ):
        if names:
            at = np.array([scene.places[name] for name in names])
            axes.scatter(
                at[:, 0],
                at[:, 1],
                s=size,
                marker=shape,
                color=[scene.colour_of.get(fed_by.get(name, ""), _QUIET) for name in names],
                edgecolor=INK if shape == "D" else "none",
                zorder=3,
            )
    for name in scene.shown:
        value = float(loading_pct.get(name, np.nan))
        band = loading_band(value, scene.limits)
        named = name in scene.colour_of
        east, north = scene.places[name]
        axes.scatter(
            east,
            north,
            s=210 if named else 70,
            marker=band.shape,
            color=band.colour,
            edgecolor=scene.colour_of.get(name, _PAPER),
            linewidth=2.6 if named else 0.8,
            zorder=4,
            gid=name,
        )
        percent = f"{value:.0f} %"
        if np.isnan(value):
            percent = scene.said("band.unknown")
        elif value < 0:
            percent = scene.said("export", share_pct=-value)
        text = f"{name}\n{percent}" if named else name
        colour = INK if named else _SOFT
        write_label(axes, scene.places[name], text, colour=colour, size=10 if named else 7, bold=named)
    for name in sorted(moved & set(scene.graph)):
        write_label(axes, scene.places[name], name, colour=INK, size=8)


def _draw_switches(axes: Axes, scene: _Scene, closed: frozenset[str], fed_by: dict[str, str]) -> None:
    """Lines of the switches: solid where closed, dashed where open; the operated ones marked and named."""
    lines: dict[bool, list[list[npt.NDArray[np.float64]]]] = {True: [], False: []}
    colours: dict[bool, list[str]] = {True: [], False: []}
    opened = {move.open_switch for move in scene.moves}
    operated = opened | {move.close_switch for move in scene.moves}
    for start, end, names in scene.graph.edges(data="switches"):
        is_closed = bool(closed.intersection(names))
        feeder = fed_by.get(start, "")
        lines[is_closed].append([scene.places[start], scene.places[end]])
        colours[is_closed].append(scene.colour_of.get(feeder, _QUIET) if is_closed else _QUIET)
        for name in sorted(operated.intersection(names)):
            middle = (scene.places[start] + scene.places[end]) / 2
            colour, mark = (_OPENED, "x") if name in opened else (_CLOSED, "=")
            east, north = middle
            axes.scatter(east, north, s=150, color=_PAPER, edgecolor=colour, linewidth=1.6, zorder=5)
            axes.text(east, north, mark, color=colour, ha="center", va="center", weight="bold", zorder=6)
            state = scene.said("key.closed" if name in closed else "key.open")
            write_label(axes, middle, f"{mark} {name} ({state})", colour=colour, size=9, bold=True)
    for is_closed, style in ((True, "solid"), (False, (0, (4, 3)))):
        axes.add_collection(
            LineCollection(
                lines[is_closed],
                colors=colours[is_closed],
                linestyles=[style],
                linewidths=1.6 if is_closed else 1.0,
                zorder=2,
            )
        )


def _legend(scene: _Scene) -> list[Line2D]:
    limits = scene.limits
    near, limit = limits.overload_points[0][0], limits.loading_limit_pct
    shown = [0.0, near, limit + 1.0] + [np.nan] * scene.has_unknown
    bands = {
        render(band.word, scene.language): band for band in (loading_band(value, limits) for value in shown)
    }
    handles = [
        Line2D([], [], linestyle="", marker=band.shape, color=band.colour, markersize=9, label=word)
        for word, band in bands.items()
    ]
    handles += [
        Line2D([], [], color=_QUIET, linewidth=1.8, label=scene.said("key.switch_closed")),
        Line2D([], [], color=_QUIET, linewidth=1.2, linestyle="--", label=scene.said("key.switch_open")),
    ]
    if scene.moves:
        handles += [
            Line2D(
                [],
                [],
                linestyle="",
                marker="D",
                color=_QUIET,
                markeredgecolor=INK,
                label=scene.said("key.moved"),
            ),
            Line2D([], [], linestyle="", marker="x", color=_OPENED, label=scene.said("key.opened")),
            Line2D([], [], linestyle="", marker="$=$", color=_CLOSED, label=scene.said("key.closed_by")),
        ]
    handles += [
        Line2D([], [], color=colour, linewidth=3, label=scene.said("key.fed_by", transformer=name))
        for name, colour in scene.colour_of.items()
    ]
    return handles
