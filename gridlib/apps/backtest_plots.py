"""The pictures of a back-test: error by lead, meaning of the chances, width of the bands, who is hard."""

from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from gridlib.apps.plots import BAND, INK, LIMIT, MEDIAN
from gridlib.domain.backtest import NAIVE_LAGS_H, Backtest
from gridlib.domain.backtest.result import WORSE_THAN_NAIVE

_GREY = "#8a929c"
_OTHERS = ("#b26a00", "#2e7d32", "#7b3fa0", "#00798c", "#5f6b7a", "#c2185b")
_NAMED_BARS = 16  # more names under the bars would not be readable
_Z90 = 1.645  # 95 % quantile of the standard normal distribution
_DASHES = {"naive24": (0, (4, 2)), "naive168": (0, (1, 1.5))}


def lead_method(backtest: Backtest) -> str:
    """Name the method that a back-test is about: the default forecast, else the first one asked for."""
    methods = backtest.overall["method"].tolist()
    return "default" if "default" in methods else str(methods[0])


def backtest_figure(backtest: Backtest) -> Figure:
    """Draw a back-test on one page.

    Parameters
    ----------
    backtest : Backtest
        From `gridlib.domain.backtest.backtest_load`.

    Returns
    -------
    Figure
        Four panels: error by lead hour for each method; chance of overload against its frequency; share of
        readings below each quantile; error against the better naive for each transformer.
    """
    figure, grid = plt.subplots(2, 2, figsize=(11.5, 7.6), layout="constrained")
    _draw_leads(grid[0, 0], backtest)
    _draw_reliability(grid[0, 1], backtest)
    _draw_coverage(grid[1, 0], backtest)
    _draw_transformers(grid[1, 1], backtest)
    origins, series = len(backtest.origins), len(backtest.rating_kva)
    days = f"{backtest.origins[0]:%d %b %Y} to {backtest.origins[-1]:%d %b %Y}"
    figure.suptitle(
        f"Back-test: {series} transformers, {origins} origins, {days}", x=0.01, ha="left", fontsize=13
    )
    return figure


def save_backtest_figure(backtest: Backtest, path: Path) -> None:
    """Write the picture of `backtest_figure` as PNG, and release it.

    Parameters
    ----------
    backtest : Backtest
        From `gridlib.domain.backtest.backtest_load`.
    path : Path
        The file; its folder is made.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    figure = backtest_figure(backtest)
    figure.savefig(path, format="png", dpi=120)
    plt.close(figure)


def calibration_figure(backtest: Backtest) -> Figure:
    """Draw whether chances and bands mean what they say.

    Parameters
    ----------
    backtest : Backtest
        From `gridlib.domain.backtest.backtest_load`; a few origins are enough for a first look.

    Returns
    -------
    Figure
        Two panels: chance of overload against its frequency, with the number of windows; share of readings
        below each quantile. On the diagonal everything is as promised.
    """
    figure, axes = plt.subplots(1, 2, figsize=(9.5, 3.8), layout="constrained")
    _draw_reliability(axes[0], backtest)
    _draw_coverage(axes[1], backtest)
    return figure


def _tidy(axes: Axes, title: str, x: str, y: str) -> None:
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(axis="y", color="#e3e6ea", linewidth=0.8)
    axes.set_axisbelow(True)
    axes.set_title(title, loc="left", fontsize=11)
    axes.set_xlabel(x)
    axes.set_ylabel(y)


def _figure_of(backtest: Backtest, method: str, column: str) -> float:
    return float(backtest.overall.set_index("method").at[method, column])  # type: ignore[arg-type]


def _styles(backtest: Backtest) -> dict[str, dict[str, Any]]:
    """Return how each method is drawn: the one at stake thick and blue, the naives grey and dashed."""
    lead, others = lead_method(backtest), iter(_OTHERS * 3)
    styles: dict[str, dict[str, Any]] = {}
    for method in backtest.overall["method"]:
        if method == lead:
            styles[method] = {"color": MEDIAN, "linewidth": 2.2, "zorder": 3}
        elif method in NAIVE_LAGS_H:
            styles[method] = {"color": _GREY, "linewidth": 1.3, "linestyle": _DASHES[method]}
        else:
            styles[method] = {"color": next(others), "linewidth": 1.3}
    return styles


def _draw_leads(axes: Axes, backtest: Backtest) -> None:
    _tidy(axes, "Error by hours ahead", "hours ahead", "error, % of largest load")
    for method, style in _styles(backtest).items():
        rows = backtest.by_lead_hour[backtest.by_lead_hour["method"] == method]
        nmae = _figure_of(backtest, method, "nmae_pct")
        label = f"{method}: {nmae:.1f} %" if np.isfinite(nmae) else f"{method}: none"
        axes.plot(rows["lead_h"], rows["nmae_pct"], label=label, **style)
    axes.set_ylim(0, axes.get_ylim()[1] * 1.15)
    axes.set_xticks(np.arange(0, backtest.by_lead_hour["lead_h"].max() + 1, 24))
    axes.legend(fontsize=8, frameon=False, ncols=3, loc="upper left")


def _draw_reliability(axes: Axes, backtest: Backtest) -> None:
    lead = lead_method(backtest)
    rows = backtest.reliability[backtest.reliability["method"] == lead]
    start, end = backtest.window_h
    said, came = (rows[name].to_numpy(dtype=np.float64) for name in ("mean_p", "observed"))
    windows = rows["windows"].to_numpy(dtype=np.float64)
    x = f"chance stated of any overload in hours {start + 1} to {end}, %"
    _tidy(axes, f"Do the chances come true? ({lead})", x, "came true, %")
    axes.plot([0, 100], [0, 100], color=_GREY, linewidth=1, linestyle="--")
    low, high = _wilson(came, windows)
    reach = 100 * np.vstack([np.maximum(came - low, 0), np.maximum(high - came, 0)])
    axes.errorbar(100 * said, 100 * came, yerr=reach, fmt="none", ecolor=BAND, elinewidth=5, zorder=2)
    axes.scatter(100 * said, 100 * came, s=45, color=MEDIAN, zorder=3)
    for p, observed, count in zip(said, came, windows, strict=True):
        axes.annotate(
            f"{count:.0f}",
            (100 * p, 100 * observed),
            xytext=(6, 5),
            textcoords="offset points",
            fontsize=8,
            color=INK,
        )
    axes.axvline(100 * backtest.alarm_p, color=LIMIT, linewidth=1, linestyle=":")
    axes.text(100 * backtest.alarm_p + 1, 104, "alarm", color=LIMIT, fontsize=8)
    axes.set_xlim(-3, 106)
    axes.set_ylim(-16, 112)
    note = "bar: where the truth may lie (90 %); number: windows"
    axes.text(0.99, 0.02, note, transform=axes.transAxes, ha="right", fontsize=8)


def _wilson(share: NDArray[np.float64], count: NDArray[np.float64]) -> tuple[NDArray[np.float64], ...]:
    """Return the 90 % interval of a share seen ``count`` times (Wilson 1927, J. Am. Stat. Assoc. 22)."""
    z2 = _Z90**2 / np.maximum(count, 1)
    centre = (share + z2 / 2) / (1 + z2)
    half = np.sqrt(share * (1 - share) * z2 + z2**2 / 4) / (1 + z2)
    return centre - half, centre + half


def _draw_coverage(axes: Axes, backtest: Backtest) -> None:
    lead = lead_method(backtest)
    inside = 100 * _figure_of(backtest, lead, "cover90")
    title = f"{inside:.0f} % of hours inside the 90 % band ({lead})" if np.isfinite(inside) else "No bands"
    _tidy(axes, title, "quantile, %", "readings below it, %")
    axes.plot([0, 100], [0, 100], color=_GREY, linewidth=1, linestyle="--", zorder=1)
    for method, style in _styles(backtest).items():
        rows = backtest.coverage[backtest.coverage["method"] == method]
        marker = "o" if method == lead else None
        cover = 100 * _figure_of(backtest, method, "cover90")
        label = f"{method}: {cover:.0f} % in band" if np.isfinite(cover) else f"{method}: none"
        axes.plot(
            100 * rows["level"], 100 * rows["share_below"], marker=marker, markersize=4, label=label, **style
        )
    axes.set_xlim(0, 100)
    axes.set_ylim(0, 100)
    axes.legend(fontsize=8, frameon=False, loc="upper left")


def _draw_transformers(axes: Axes, backtest: Backtest) -> None:
    lead = lead_method(backtest)
    rows = backtest.by_transformer[backtest.by_transformer["method"] == lead]
    ratio: pd.Series = rows.set_index("transformer_id")["ratio_to_naive"].dropna().sort_values()
    worse = (ratio > WORSE_THAN_NAIVE).to_numpy()
    better = f"{int((ratio < 1).sum())} of {len(ratio)} transformers better than the better naive ({lead})"
    _tidy(axes, better, "transformers, easiest first", "error over that of the better naive")
    if ratio.empty:
        axes.set_axis_off()
        return
    axes.bar(np.arange(len(ratio)), ratio, color=np.where(worse, LIMIT, BAND), width=0.9)
    axes.axhline(WORSE_THAN_NAIVE, color=LIMIT, linewidth=1.2, linestyle="--")
    axes.text(-0.4, WORSE_THAN_NAIVE + 0.015, f"named above {WORSE_THAN_NAIVE:g}", color=LIMIT, fontsize=8)
    axes.set_ylim(0, max(1.25, 1.1 * ratio.max()))
    if len(ratio) <= _NAMED_BARS:
        axes.set_xticks(np.arange(len(ratio)), ratio.index, rotation=45, ha="right", fontsize=8)
        return
    axes.set_xticks([])
    for place in np.flatnonzero(worse)[-5:]:
        name = f"{ratio.index[place]} "
        axes.text(place, ratio.iloc[place], name, rotation=90, fontsize=7, va="top", ha="center")
