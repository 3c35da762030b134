"""Figures that take a forecast apart."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from gridlib.apps.plots import BAND, INK, LIMIT, MEDIAN
from gridlib.facts.errors import InputError

TERM_WORDS = {
    "level_kva": "level",
    "daily_kva": "hour\nof the day",
    "weekly_kva": "day\nof the week",
    "calendar_kva": "feasts,\nseason",
    "temperature_kva": "air",
    "recent_kva": "last days",
}
"""The terms of `gridlib.domain.forecast.explain_forecast`, in the order they are added."""

_MORE, _LESS = "#b26a00", "#2e7d32"


def waterfall_figure(terms: pd.Series, rating_kva: float, *, load_kva_p90: float, tz: str) -> Figure:
    """Draw how the terms of one hour add up to its mean, beside the nameplate.

    Parameters
    ----------
    terms : Series
        One row of `gridlib.domain.forecast.explain_forecast`.
    rating_kva : float
        Nameplate [kVA].
    load_kva_p90 : float
        What the load exceeds in one of ten such hours [kVA].
    tz : str
        Zone of the hour in the title.

    Returns
    -------
    Figure
        Bars in kVA, each from where the one before ended; the last stands for their sum, the mean, with a
        mark at p90. Where the load is export, the nameplate is drawn below 0.

    Raises
    ------
    InputError
        The terms do not sum to the mean.
    """
    steps = terms[list(TERM_WORDS)].to_numpy(dtype=np.float64)
    mean = float(terms["load_kva_mean"])
    if not np.isclose(steps.sum(), mean, rtol=1e-6, atol=1e-9 * np.abs(steps).sum()):
        raise InputError(
            f"terms sum to {steps.sum():g} kVA, expected the mean of {mean:g} kVA",
            what_to_do="Give one row of explain_forecast as it came.",
        )
    start = np.concatenate([[0.0], np.cumsum(steps)[:-1], [0.0]])
    height = np.append(steps, mean)
    colour = [BAND, *(_MORE if step > 0 else _LESS for step in steps[1:]), MEDIAN]
    figure, axes = plt.subplots(figsize=(8.5, 3.6), layout="constrained")
    places = np.arange(len(height))
    axes.bar(places, height, bottom=start, color=colour, width=0.62)
    for place, end in enumerate(np.cumsum(steps)):  # the step down from one bar to the next
        axes.plot([place - 0.31, place + 0.69], [end, end], color=INK, linewidth=0.8)
    for place, (low, size) in enumerate(zip(start[:-1], steps, strict=True)):
        axes.annotate(
            f"{size:+.0f}" if place else f"{size:.0f}",
            (place, max(low, low + size)),
            xytext=(0, 3),
            textcoords="offset points",
            ha="center",
            fontsize=9,
            bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.6},
        )
    last = places[-1]
    axes.plot([last - 0.31, last + 0.31], [load_kva_p90] * 2, color=INK, linewidth=2.4)
    axes.annotate(
        f"p90 {load_kva_p90:.0f}",
        (last + 0.31, load_kva_p90),
        xytext=(4, 0),
        textcoords="offset points",
        va="center",
        fontsize=9,
    )
    limit = rating_kva if mean >= 0 else -rating_kva
    label = f"nameplate {rating_kva:g} kVA"
    axes.axhline(limit, color=LIMIT, linewidth=1.2, linestyle="--", label=label)
    axes.axhline(0, color=INK, linewidth=0.8)
    axes.margins(y=0.14)
    axes.set_xlim(-0.5, last + 1.1)
    axes.set_xticks(places, [*TERM_WORDS.values(), f"mean\n{mean:.0f} kVA"])
    axes.set_ylabel("kVA")
    axes.spines[["top", "right"]].set_visible(False)
    hour = pd.Timestamp(terms["time"]).tz_convert(tz)
    axes.set_title(f"{terms['transformer_id']}, {hour:%a %d %b %H:%M}: what the mean is made of", loc="left")
    axes.legend(fontsize=8, frameon=False, loc="upper left", bbox_to_anchor=(0.0, -0.14))
    return figure
