"""Figures for notebooks, reports and screens; each has a sentence that says what it shows."""

from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.dates import DayLocator, num2date
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from gridlib.facts.messages import Language, Message, render
from gridlib.facts.types import Limits, Side

INK, BAND, MEDIAN, LIMIT = "#1b1f24", "#9ec5e8", "#0b57a4", "#b3261e"
LEVEL_COLOUR = {"HIGH": "#b3261e", "MEDIUM": "#b26a00", "LOW": "#2e7d32"}
TERM_COLOUR = {"overload": "#0b57a4", "thermal": "#b26a00", "cascading": "#5f6b7a"}


def _axes(width_in: float = 8.5, height_in: float = 3.2) -> tuple[Figure, Axes]:
    figure, axes = plt.subplots(figsize=(width_in, height_in), layout="constrained")
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(axis="y", color="#e3e6ea", linewidth=0.8)
    axes.set_axisbelow(True)
    return figure, axes


def picture_text(name: str, language: Language, **values: object) -> str:
    """Write words of a picture: template "picture.<name>" of the catalogue."""
    return render(Message(f"picture.{name}", values), language)


def limit_by_words(limit_by: pd.Series) -> list[Message]:
    """Name what binds, each once, in the order in which it comes."""
    return [Message(f"picture.by.{word}", {}) for word in dict.fromkeys(limit_by)]


def _time_axis(axes: Axes, language: Language = "en") -> None:
    axes.xaxis.set_major_locator(DayLocator())  # type: ignore[no-untyped-call]
    axes.xaxis.set_major_formatter(day_formatter(language))


def day_formatter(language: Language) -> FuncFormatter:
    """Write the days of a time axis: weekday and day of the month."""

    def written(days: float, _place: int | None) -> str:
        day = num2date(days)  # type: ignore[no-untyped-call]
        return picture_text(f"day.{day.weekday()}", language, day=day.day)

    return FuncFormatter(written)


def _local(times: pd.Series | pd.Index, tz: str) -> pd.DatetimeIndex:
    return pd.DatetimeIndex(times).tz_convert(tz).tz_localize(None)


def plot_forecast(
    forecast: pd.DataFrame,
    history: pd.Series,
    rating_kva: float,
    tz: str,
    *,
    day_limits: pd.DataFrame | None = None,
    language: Language = "en",
) -> Figure:
    """Draw the fan of one transformer's forecast after its last measured days.

    Parameters
    ----------
    forecast : DataFrame
        `ForecastFrame` rows of one transformer.
    history : Series
        Measured load [kVA] by UTC time.
    rating_kva : float
        Nameplate [kVA].
    tz : str
        Zone of the time axis.
    day_limits : DataFrame, optional
        `DayLimitFrame` rows of the transformer: what it may carry on each day.
    language : {"en", "ar"}
        Of the words.

    Returns
    -------
    Figure
        Load in kVA against local time.
    """

    def said(name: str, **values: object) -> str:
        return picture_text(name, language, **values)

    figure, axes = _axes()
    ahead = _local(forecast["time"], tz)
    axes.plot(_local(history.index, tz), history, color=INK, linewidth=1.2, label=said("measured"))
    low, high = forecast["load_kva_p05"], forecast["load_kva_p95"]
    words = said("cases", count=90)
    axes.fill_between(ahead, low, high, color=BAND, alpha=0.45, linewidth=0, label=words)
    low, high = forecast["load_kva_p20"], forecast["load_kva_p80"]
    axes.fill_between(ahead, low, high, color=BAND, linewidth=0, label=said("cases", count=60))
    axes.plot(ahead, forecast["load_kva_p50"], color=MEDIAN, linewidth=1.6, label=said("median"))
    words = said("nameplate", rating_kva=rating_kva)
    axes.axhline(rating_kva, color=LIMIT, linewidth=1.2, linestyle="--", label=words)
    if day_limits is not None:
        limit_kva = day_limits.set_index("time")["limit_kva"].reindex(forecast["time"], method="ffill")
        label = said("day_limit", by=limit_by_words(day_limits["limit_by"]))
        axes.step(ahead, limit_kva, where="post", color=INK, linewidth=1.4, linestyle=":", label=label)
    axes.set_ylabel("kVA")
    _time_axis(axes, language)
    axes.set_title(said("load", transformer=forecast["transformer_id"].iloc[0]), loc="left")
    axes.legend(ncols=3, fontsize=8, frameon=False, loc="upper center", bbox_to_anchor=(0.5, -0.1))
    return figure


def plot_risk(risk: pd.DataFrame, limits: Limits, *, top: int = 12) -> Figure:
    """Draw the weighted terms of the riskiest transformers as stacked bars.

    Parameters
    ----------
    risk : DataFrame
        `RiskFrame`, riskiest first.
    limits : Limits
        The weights of the terms.
    top : int
        How many are drawn.

    Returns
    -------
    Figure
        Score 0 to 1, one bar for each transformer; the level stands behind the bar as a word.
    """
    shown = risk.head(top).iloc[::-1]
    figure, axes = _axes(height_in=0.9 + 0.3 * len(shown))
    left = np.zeros(len(shown))
    for term in TERM_COLOUR:
        width = getattr(limits, f"weight_{term}") * shown[term].to_numpy()
        axes.barh(shown["transformer_id"], width, left=left, color=TERM_COLOUR[term], label=term)
        left += width
    for y, (level, imminent) in enumerate(zip(shown["risk_level"], shown["imminent"], strict=True)):
        word = f"{level} IMMINENT" if imminent else level
        axes.text(left[y] + 0.01, y, word, va="center", fontsize=9, color=LEVEL_COLOUR[level])
    axes.set_xlim(0, 1)
    axes.grid(axis="y", visible=False)
    axes.set_title("Risk score and what it is made of", loc="left")
    axes.legend(ncols=3, fontsize=8, frameon=False, loc="lower right")
    return figure


def plot_sides(sides: Sequence[Side]) -> Figure:
    """Draw the peak loading of both sides of a plan, before and after.

    Parameters
    ----------
    sides : sequence of Side
        Donor and receivers.

    Returns
    -------
    Figure
        Peak loading in percent of nameplate, median bars with a mark at p90; a line for what each may carry.
    """
    figure, axes = _axes(height_in=1.2 + 0.7 * len(sides))
    for y, side in enumerate(reversed(sides)):
        pairs = (
            (y + 0.18, side.peak_pct_p50_before, side.peak_pct_p90_before, "#b8bec6", "before"),
            (y - 0.18, side.peak_pct_p50_after, side.peak_pct_p90_after, MEDIAN, "after"),
        )
        for at, median, p90, colour, label in pairs:
            axes.barh(at, median, height=0.32, color=colour, label=label if y == 0 else None)
            axes.plot([p90, p90], [at - 0.16, at + 0.16], color=INK, linewidth=2)
            box = {"facecolor": "white", "edgecolor": "none", "alpha": 0.8, "pad": 0.5}
            axes.text(
                max(median, p90) + 1, at, f"{median:.0f} %", va="center", fontsize=9, bbox=box, zorder=3
            )
        label = "limit" if y == 0 else "_limit of another"
        axes.vlines(side.limit_pct, y - 0.42, y + 0.42, color=LIMIT, linestyle="--", label=label)
        limit = f"{side.limit_pct:.0f} % {side.limit_by.replace('_', ' ')}"
        axes.text(side.limit_pct, y + 0.44, limit, ha="center", fontsize=8, color=LIMIT)
    names = [f"{side.transformer_id}\n({side.role}, {side.rating_kva:g} kVA)" for side in reversed(sides)]
    axes.set_yticks(range(len(sides)), names)
    axes.grid(axis="y", visible=False)
    axes.set_xlabel("peak loading, percent of nameplate (black mark: p90)")
    axes.legend(ncols=3, fontsize=8, frameon=False, loc="upper center", bbox_to_anchor=(0.5, -0.28))
    return figure
