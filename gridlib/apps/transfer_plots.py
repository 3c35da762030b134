"""The hours ahead on both sides of a load transfer, before and after, against their limits."""

from collections.abc import Sequence
from datetime import datetime

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.dates import DateFormatter, DayLocator, HourLocator, date2num
from matplotlib.figure import Figure

from gridlib.apps.plots import BAND, INK, LIMIT, MEDIAN
from gridlib.facts.types import Side

_BEFORE, _BEFORE_BAND, _NEEDED = "#5f6b7a", "#c9ced6", "#fff3d6"


def transfer_curves_figure(
    before: pd.DataFrame,
    after: pd.DataFrame,
    sides: Sequence[Side],
    tz: str,
    *,
    needed_from: datetime | None = None,
    needed_until: datetime | None = None,
) -> Figure:
    """Draw what each side of a plan carries over the horizon, before and after.

    Parameters
    ----------
    before, after : DataFrame
        transformer_id, time (UTC), load_kva_p10, load_kva_p50, load_kva_p90 [kVA], signed.
    sides : sequence of Side
        Whom to draw, one panel each, and their limits.
    tz : str
        Zone of the time axis.
    needed_from, needed_until : datetime, optional
        First and last hour in which the plan is needed; shaded.

    Returns
    -------
    Figure
        Load in kVA against local time: the median as a line, p10 to p90 as a band, before in grey and
        dashed, after in colour; median hours over the limit are marked, also where export is over it.
    """
    figure, grid = plt.subplots(
        len(sides), 1, figsize=(10, 2.7 * len(sides) + 0.6), sharex=True, squeeze=False, layout="constrained"
    )
    for axes, side in zip(grid[:, 0], sides, strict=True):
        loads = [frame[frame["transformer_id"] == side.transformer_id] for frame in (before, after)]
        _draw_side(axes, side, loads[0], loads[1], tz)
        if needed_from is not None and needed_until is not None:
            step = loads[0]["time"].diff().min() if len(loads[0]) > 1 else pd.Timedelta(hours=1)
            first, end = (
                _local_days(pd.Series([moment]), tz)[0] for moment in (needed_from, needed_until + step)
            )
            axes.axvspan(first, end, color=_NEEDED, linewidth=0, zorder=0, label="hours it is needed for")
    bottom = grid[-1, 0]
    bottom.xaxis.set_major_locator(DayLocator())  # type: ignore[no-untyped-call]
    bottom.xaxis.set_minor_locator(HourLocator(byhour=(6, 12, 18)))  # type: ignore[no-untyped-call]
    bottom.xaxis.set_major_formatter(DateFormatter("%a %d %b"))  # type: ignore[no-untyped-call]
    bottom.xaxis.set_minor_formatter(DateFormatter("%H"))  # type: ignore[no-untyped-call]
    bottom.tick_params(axis="x", which="minor", labelsize=8, colors=_BEFORE)
    bottom.set_xlabel(f"local time, {tz}")
    handles = {
        label: handle
        for axes in grid[:, 0]
        for handle, label in zip(*axes.get_legend_handles_labels(), strict=True)
    }
    figure.legend(
        list(handles.values()), list(handles), loc="outside lower center", ncols=4, fontsize=9, frameon=False
    )
    return figure


def _local_days(times: pd.Series, tz: str) -> np.ndarray:
    """Days of matplotlib's time axis, by the clock of the zone."""
    local = pd.DatetimeIndex(pd.to_datetime(times, utc=True)).tz_convert(tz).tz_localize(None)
    return np.asarray(date2num(local.to_pydatetime()))  # type: ignore[no-untyped-call]


def _draw_side(axes: Axes, side: Side, before: pd.DataFrame, after: pd.DataFrame, tz: str) -> None:
    limit_kva = side.rating_kva * side.limit_pct / 100
    hours = []
    for load, word, line, band, style in (
        (before, "before", _BEFORE, _BEFORE_BAND, "--"),
        (after, "after", MEDIAN, BAND, "-"),
    ):
        ahead = _local_days(load["time"], tz)
        low, median, high = (load[f"load_kva_{q}"].to_numpy(dtype=float) for q in ("p10", "p50", "p90"))
        axes.fill_between(
            ahead, low, high, color=band, alpha=0.6, linewidth=0, label=f"{word}: 80 of 100 cases"
        )
        axes.plot(ahead, median, color=line, linestyle=style, linewidth=1.6, label=f"{word}: median")
        over = np.abs(median) > limit_kva
        hours.append(f"{over.sum()} {word}")
        if over.any():
            axes.scatter(
                ahead[over],
                median[over],
                marker="x" if word == "before" else "^",
                s=24,
                color=LIMIT,
                zorder=4,
                label=f"{word}: hour over the limit",
            )
    lowest, highest = (
        float(np.nanmin(np.r_[before["load_kva_p10"], after["load_kva_p10"]])),
        float(np.nanmax(np.r_[before["load_kva_p90"], after["load_kva_p90"]])),
    )
    limits = [limit_kva] if highest >= -lowest else [-limit_kva]
    if min(-lowest, highest) > limit_kva / 2:
        limits = [limit_kva, -limit_kva]
    words = f"limit {limit_kva:,.0f} kVA, {side.limit_pct:g} % of nameplate"
    for height in limits:
        axes.axhline(height, color=LIMIT, linewidth=1.2, linestyle=(0, (1, 1)))
        axes.annotate(
            words if height > 0 else f"export: {words}",
            (0, height),
            xycoords=("axes fraction", "data"),
            xytext=(4, 3),
            textcoords="offset points",
            color=LIMIT,
            fontsize=9,
            bbox={"facecolor": "white", "edgecolor": "none", "alpha": 0.7, "pad": 0.5},
        )
    if lowest < 0:
        axes.axhline(0, color=INK, linewidth=0.8)
    axes.margins(x=0, y=0.12)
    axes.set_ylim(*((0, None) if lowest >= 0 else (None, 0) if highest <= 0 else (None, None)))
    axes.set_ylabel("kVA")
    axes.spines[["top", "right"]].set_visible(False)
    axes.set_title(f"{side.transformer_id} ({side.role})", loc="left")
    axes.set_title(f"median hours over the limit: {', '.join(hours)}", loc="right", fontsize=9)
