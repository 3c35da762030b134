"""One transformer and its neighbours as a picture: loading, positions of switches, how these are known."""

from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from gridlib.apps.label_places import place_labels, write_label
from gridlib.apps.network_layout import Places, part_of, place_nodes
from gridlib.apps.network_plots import loading_band, network_graph
from gridlib.apps.plots import INK, LIMIT, MEDIAN, picture_text
from gridlib.domain.network import closed_switches, current_states, feeding
from gridlib.facts.messages import Language, Message, render
from gridlib.facts.types import Limits, Network

_QUIET, _PAPER, _DOUBT = "#aab2bd", "#ffffff", "#8a5300"
_MARKS = {
    "telemetered": ("o", MEDIAN),
    "manual": ("s", INK),
    "assumed": ("D", _DOUBT),
    "mismatch": ("X", LIMIT),
}
"""Shape and colour by how a position is known."""


def neighbours_figure(
    network: Network,
    transformer_id: str,
    shown: Sequence[str],
    loading_pct: pd.Series,
    switches: pd.DataFrame,
    *,
    limits: Limits,
    language: Language = "en",
) -> Figure:
    """Draw a transformer with its neighbours.

    Parameters
    ----------
    network : Network
        The network with its reported switch states.
    transformer_id : str
        In the middle of attention.
    shown : sequence of str
        It and its neighbours.
    loading_pct : Series
        Peak loading by transformer, negative for export [%]; a transformer without one is not known.
    switches : DataFrame
        As from `gridlib.workflow.queries.get_switches`.
    limits : Limits
        Bands of loading.
    language : {"en", "ar"}
        Of the words.

    Returns
    -------
    Figure
        Transformers by band of loading, in colour and shape; switches solid where closed and dashed where
        open, each marked by how its position is known. Open ones, those of the transformer itself and
        contradicted ones are named, with state, source and age.
    """
    fed_by = feeding(network, closed_switches(current_states(network)))
    mine = set(shown)
    graph = network_graph(network)
    graph = part_of(graph, [*mine, *fed_by.index[fed_by.isin(mine)].astype(str)])
    places = place_nodes(graph, network.transformers)
    figure, axes = plt.subplots(figsize=(10.5, 6.4), layout="constrained")
    axes.axis("off")
    axes.margins(0.08)
    _draw_switches(axes, graph, places, fed_by, transformer_id, switches.set_index("switch_id"), language)
    for name, is_unit in graph.nodes(data="transformer"):
        east, north = places[name]
        if not is_unit:
            axes.scatter(east, north, s=16, color=_QUIET, zorder=3)
            continue
        value = float(loading_pct.get(name, np.nan))
        band = loading_band(value, limits)
        own = name == transformer_id
        axes.scatter(
            east,
            north,
            s=260 if own else 120,
            marker=band.shape,
            color=band.colour,
            edgecolor=INK if own else _PAPER,
            linewidth=2.4 if own else 0.8,
            zorder=5,
            gid=name,
        )
        percent = picture_text("band.unknown", language) if np.isnan(value) else f"{value:.0f} %"
        write_label(axes, places[name], f"{name}\n{percent}", colour=INK, size=11 if own else 9, bold=own)
    axes.set_title(picture_text("around", language, transformer=transformer_id), loc="left")
    figure.legend(
        handles=_key(limits, language), loc="outside lower center", ncols=5, fontsize=9, frameon=False
    )
    place_labels(figure, [axes])
    return figure


def _draw_switches(
    axes: Axes,
    graph: object,
    places: Places,
    fed_by: pd.Series,
    transformer_id: str,
    known: pd.DataFrame,
    language: Language,
) -> None:
    for start, end, names in graph.edges(data="switches"):  # type: ignore[attr-defined]
        rows = known.loc[[name for name in names if name in known.index]]
        is_closed = bool((rows["state"] == "CLOSED").any())
        (x0, y0), (x1, y1) = places[start], places[end]
        axes.plot(
            [x0, x1],
            [y0, y1],
            color=_QUIET,
            linewidth=1.8 if is_closed else 1.2,
            linestyle="-" if is_closed else (0, (4, 3)),
            zorder=1,
        )
        own = transformer_id in (start, end, fed_by.get(start), fed_by.get(end))
        for k, (name, row) in enumerate(rows.iterrows(), start=1):
            place = places[start] + (places[end] - places[start]) * k / (len(rows) + 1)
            shape, colour = _MARKS[_known_by(row)]
            east, north = place
            axes.scatter(east, north, s=46, marker=shape, color=colour, edgecolor=_PAPER, zorder=4)
            if row["state"] == "OPEN" or own or row["mismatch"]:
                write_label(
                    axes,
                    place,
                    _label(str(name), row, language),
                    colour=colour,
                    size=8,
                    bold=bool(row["mismatch"]),
                )


def _known_by(row: pd.Series) -> str:
    if row["mismatch"]:
        return "mismatch"
    return str(row["source"]) if row["confirmed"] else "assumed"


def _label(name: str, row: pd.Series, language: Language) -> str:
    state = picture_text(f"key.{str(row['state']).lower()}", language)
    troubles = " ".join(word for word in (row["health"].replace("OK", ""), row["tags"]) if word)
    return f"{name} {state} {troubles}".rstrip() + f"\n{source_text(row, language)}"


def source_text(row: pd.Series, language: Language) -> str:
    """Say how a position is known and how long ago: "manual 3 h ago"."""
    if row["source"] == "assumed" or pd.isna(row["age_h"]):
        return picture_text("source.assumed", language)
    days = row["age_h"] >= 48
    age = Message(f"picture.age.{'d' if days else 'h'}", {"age": row["age_h"] / (24 if days else 1)})
    return picture_text(f"source.{row['source']}", language, age=age)


def _key(limits: Limits, language: Language) -> list[Line2D]:
    near, limit = limits.overload_points[0][0], limits.loading_limit_pct
    handles = []
    for value in (0.0, near, limit + 1, np.nan):
        band = loading_band(value, limits)
        word = render(band.word, language)
        handles.append(
            Line2D([], [], linestyle="", marker=band.shape, color=band.colour, markersize=9, label=word)
        )
    handles += [
        Line2D([], [], color=_QUIET, linewidth=1.8, label=picture_text("key.closed", language)),
        Line2D([], [], color=_QUIET, linestyle="--", label=picture_text("key.open", language)),
    ]
    for name, (shape, colour) in _MARKS.items():
        handles.append(
            Line2D(
                [], [], linestyle="", marker=shape, color=colour, label=picture_text(f"key.{name}", language)
            )
        )
    return handles
