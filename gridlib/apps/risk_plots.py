"""Figures of heat: the hot spot of a transformer against its limits."""

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.dates import DayLocator, HourLocator
from matplotlib.figure import Figure

from gridlib.apps.plots import INK, LIMIT, day_formatter, picture_text
from gridlib.facts.messages import Language
from gridlib.facts.types import Limits

AIR, OIL = "#5f6b7a", "#b26a00"
_WARM, _HOT = "#fff3d6", "#fbdcd9"


def hot_spot_figure(thermal: pd.DataFrame, limits: Limits, tz: str, *, language: Language = "en") -> Figure:
    """Draw the hot spot of one transformer over the horizon, with limits and the band up to p90 load.

    Parameters
    ----------
    thermal : DataFrame
        `ThermalFrame` rows of one transformer.
    limits : Limits
        ``thermal_points`` says where heat begins to count, ``planned_hot_spot_c`` and
        ``high_hot_spot_p90_c`` are drawn.
    tz : str
        Zone of the time axis.
    language : {"en", "ar"}
        Of the words.

    Returns
    -------
    Figure
        Temperatures in degC against local time; every line and limit is named at its right end.
    """
    ages_c, planned_c, high_c = (
        limits.thermal_points[0][0],
        limits.planned_hot_spot_c,
        limits.high_hot_spot_p90_c,
    )
    figure, axes = plt.subplots(figsize=(8.5, 3.8), layout="constrained")
    axes.spines[["top", "right"]].set_visible(False)
    ahead = pd.DatetimeIndex(thermal["time"]).tz_convert(tz).tz_localize(None)
    ceiling = max(high_c, float(thermal["hot_spot_c_p90"].max())) + 8
    axes.axhspan(ages_c, planned_c, color=_WARM, linewidth=0, zorder=0)
    axes.axhspan(planned_c, ceiling, color=_HOT, linewidth=0, zorder=0)
    axes.fill_between(
        ahead, thermal["hot_spot_c"], thermal["hot_spot_c_p90"], color=LIMIT, alpha=0.25, linewidth=0
    )
    lines = (
        ("hot_spot_c", LIMIT, 1.8, "hot_spot"),
        ("top_oil_c", OIL, 1.4, "top_oil"),
        ("ambient_c", AIR, 1.0, "air"),
    )
    for column, colour, width, _ in lines:
        axes.plot(ahead, thermal[column], color=colour, linewidth=width)
    words = [
        (float(thermal[column].iloc[-1]), colour, picture_text(word, language))
        for column, colour, _, word in lines
    ]
    for at, word in ((ages_c, "ages"), (planned_c, "planned"), (high_c, "p90_limit")):
        axes.axhline(at, color=INK, linewidth=0.9, linestyle="--")
        words.append((at, INK, picture_text(word, language, at_c=at)))
    words.sort(reverse=True)
    ends = _apart([at for at, _, _ in words], ceiling / 18)
    for (_, colour, word), end in zip(words, ends, strict=True):
        axes.text(
            1.01, end, word, color=colour, fontsize=9, va="center", transform=axes.get_yaxis_transform()
        )
    hottest = int(thermal["hot_spot_c"].to_numpy().argmax())
    peak_c, upper_c = (float(thermal[name].iloc[hottest]) for name in ("hot_spot_c", "hot_spot_c_p90"))
    axes.plot(ahead[[hottest]], [peak_c], marker="o", color=INK, markersize=5)
    axes.set_title(
        picture_text("hottest", language, at=ahead[hottest].to_pydatetime(), peak_c=peak_c, upper_c=upper_c),
        loc="right",
        fontsize=9,
    )
    axes.set_ylim(top=ceiling)
    axes.margins(x=0)
    axes.set_ylabel("degC")
    axes.xaxis.set_major_locator(DayLocator())  # type: ignore[no-untyped-call]
    axes.xaxis.set_minor_locator(HourLocator(byhour=(6, 12, 18)))  # type: ignore[no-untyped-call]
    axes.xaxis.set_major_formatter(day_formatter(language))
    axes.set_title(picture_text("heat", language, transformer=thermal["transformer_id"].iloc[0]), loc="left")
    return figure


def _apart(heights: list[float], gap: float) -> list[float]:
    """Move words that fall onto each other apart; heights from top to bottom."""
    placed: list[float] = []
    for height in heights:
        placed.append(min(height, placed[-1] - gap) if placed else height)
    return placed
