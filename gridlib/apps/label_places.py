"""Labels of a picture, set where they cover each other and the marks least."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.collections import PathCollection
from matplotlib.figure import Figure
from matplotlib.text import Annotation, Text

_TURNS = np.arange(12) * np.pi / 6
_WAYS = np.array(
    [(reach * np.cos(turn), reach * np.sin(turn)) for reach in (14, 24, 38, 56, 80) for turn in _TURNS]
)
"""Ways to go from a mark [points], the shortest first."""

_HIDES, _OUTSIDE, _FARTHER = 150.0, 2000.0, 4.0
"""What a hidden mark, a label beyond the panel and a later way cost, against 1 for each covered pixel."""


def write_label(
    axes: Axes, at: npt.NDArray[np.float64], text: str, *, colour: str, size: int, bold: bool = False
) -> None:
    """Write a label on its mark; `place_labels` moves it beside once the panel has its size.

    Parameters
    ----------
    axes : Axes
        The panel.
    at : array of float [2]
        The mark, in data.
    text : str
        What is written.
    colour : str
        Of the letters.
    size : int
        Of the letters [points].
    bold : bool
        Whether it stands above the others.
    """
    axes.annotate(
        text,
        (float(at[0]), float(at[1])),
        xytext=(0, 0),
        textcoords="offset points",
        ha="center",
        va="center",
        color=colour,
        fontsize=size,
        weight="bold" if bold else "normal",
        zorder=8 if bold else 7,
        bbox={"facecolor": "#ffffff", "edgecolor": "none", "alpha": 0.75, "pad": 0.5},
        arrowprops={"arrowstyle": "-", "color": colour, "linewidth": 0.6, "shrinkA": 1, "shrinkB": 5}
        if bold
        else None,
    )


def place_labels(figure: Figure, panels: Sequence[Axes]) -> None:
    """Move the labels of `write_label` beside their marks, the largest first.

    Parameters
    ----------
    figure : Figure
        Laid out here; its panels keep their size from then on.
    panels : sequence of Axes
        Whose labels are placed; all their dots are marks that labels keep clear of.
    """
    figure.draw_without_rendering()
    figure.set_layout_engine("none")
    for axes in panels:
        dots = [np.ma.getdata(c.get_offsets()) for c in axes.collections if isinstance(c, PathCollection)]
        marks = axes.transData.transform(np.vstack([np.empty((0, 2)), *dots]))
        labels = [text for text in axes.texts if isinstance(text, Annotation)]
        taken = np.empty((0, 4))
        for label in sorted(labels, key=lambda text: -float(text.get_fontsize())):
            taken = np.vstack([taken, _place(axes, label, marks, taken)])


def _place(
    axes: Axes, label: Annotation, marks: npt.NDArray[np.float64], taken: npt.NDArray[np.float64]
) -> npt.NDArray[np.float64]:
    """Move one label to its best place and give its box: left, below, right, above [pixel]."""
    points_per_pixel = 72.0 / axes.figure.dpi
    box = Text.get_window_extent(label)  # of the letters alone, without the line to the mark
    half = np.array([box.width, box.height]) / 2 + 1
    # A way goes from the mark to the nearest point of the box, so a wide label starts beside its mark.
    ways = _WAYS + np.round(_WAYS / np.linalg.norm(_WAYS, axis=1)[:, None]) * half * points_per_pixel * 0.9
    centres = axes.transData.transform(label.xy) + ways / points_per_pixel
    low, high = centres[:, None] - half, centres[:, None] + half
    covered = (
        (np.minimum(high, taken[:, 2:]) - np.maximum(low, taken[:, :2])).clip(0).prod(axis=2).sum(axis=1)
    )
    hidden = ((marks > low - 8) & (marks < high + 8)).all(axis=2).sum(axis=1)
    beyond = (low[:, 0] < axes.bbox.min).any(axis=1) | (high[:, 0] > axes.bbox.max).any(axis=1)
    cost = covered + _HIDES * hidden + _OUTSIDE * beyond + _FARTHER * np.arange(len(ways))
    best = int(cost.argmin())
    label.xyann = (float(ways[best, 0]), float(ways[best, 1]))
    placed: npt.NDArray[np.float64] = np.concatenate([low[best, 0], high[best, 0]])
    return placed
