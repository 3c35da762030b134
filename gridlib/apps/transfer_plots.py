"""The hours ahead on both sides of a load transfer, before and after: load and heat against their limits."""

from collections.abc import Sequence
from datetime import datetime

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.dates import DateFormatter, DayLocator, HourLocator, date2num
from matplotlib.figure import Figure

from gridlib.apps.plots import BAND, INK, LIMIT, MEDIAN, day_formatter, limit_by_words, picture_text
from gridlib.facts.messages import Language, Message
from gridlib.facts.types import Limits, Side

_BEFORE, _BEFORE_BAND, _NEEDED = "#5f6b7a", "#c9ced6", "#fff3d6"
_SAME_PU = 1e-3
"""A limit closer to nameplate is drawn as one line with it."""


def transfer_curves_figure(
    before: pd.DataFrame,
    after: pd.DataFrame,
    sides: Sequence[Side],
    tz: str,
    *,
    needed_from: datetime | None = None,
    needed_until: datetime | None = None,
    language: Language = "en",
) -> Figure:
    """Draw what each side of a plan carries over the horizon, before and after.

    Parameters
    ----------
    before, after : DataFrame
        transformer_id, time (UTC), load_kva_p10, load_kva_p50, load_kva_p90 [kVA], signed, limit_kva and
        limit_by: what it may carry in that hour, and what binds.
    sides : sequence of Side
        Whom to draw, one panel each, and their nameplates.
    tz : str
        Zone of the time axis.
    needed_from, needed_until : datetime, optional
        First and last hour in which the plan is needed; shaded.
    language : {"en", "ar"}
        Of the words.

    Returns
    -------
    Figure
        Load in kVA against local time: the median as a line, p10 to p90 as a band, before in grey and
        dashed, after in colour; median hours over the limit are marked, also where export is over it. The
        limit drawn is that of each day after the plan, and the nameplate where it is another.
    """
    figure, grid = plt.subplots(
        len(sides), 1, figsize=(10, 2.7 * len(sides) + 0.6), sharex=True, squeeze=False, layout="constrained"
    )
    for axes, side in zip(grid[:, 0], sides, strict=True):
        loads = [frame[frame["transformer_id"] == side.transformer_id] for frame in (before, after)]
        _draw_side(axes, side, loads[0], loads[1], tz, language)
        if needed_from is not None and needed_until is not None:
            step = loads[0]["time"].diff().min() if len(loads[0]) > 1 else pd.Timedelta(hours=1)
            first, end = (
                _local_days(pd.Series([moment]), tz)[0] for moment in (needed_from, needed_until + step)
            )
            words = picture_text("needed", language)
            axes.axvspan(first, end, color=_NEEDED, linewidth=0, zorder=0, label=words)
    _finish(figure, grid, tz, language)
    return figure


def transfer_heat_figure(
    before: pd.DataFrame, after: pd.DataFrame, sides: Sequence[Side], limits: Limits, tz: str
) -> Figure:
    """Draw how hot each side of a plan becomes over the horizon, before and after.

    Parameters
    ----------
    before, after : DataFrame
        transformer_id, time (UTC), hot_spot_c at median load and hot_spot_c_p90 [degC].
    sides : sequence of Side
        Whom to draw, one panel each.
    limits : Limits
        ``planned_hot_spot_c`` and ``high_hot_spot_p90_c`` are drawn, and from where paper ages faster.
    tz : str
        Zone of the time axis.

    Returns
    -------
    Figure
        Hot spot in degC against local time, at median load as a line and up to p90 load as a band.
    """
    figure, grid = plt.subplots(
        len(sides), 1, figsize=(10, 2.3 * len(sides) + 0.6), sharex=True, squeeze=False, layout="constrained"
    )
    for axes, side in zip(grid[:, 0], sides, strict=True):
        peaks = []
        for heat, word, line, band, style in (
            (before, "before", _BEFORE, _BEFORE_BAND, "--"),
            (after, "after", MEDIAN, BAND, "-"),
        ):
            mine = heat[heat["transformer_id"] == side.transformer_id]
            ahead = _local_days(mine["time"], tz)
            likely, upper = (mine[name].to_numpy(dtype=float) for name in ("hot_spot_c", "hot_spot_c_p90"))
            label = f"{word}: up to p90 load"
            axes.fill_between(ahead, likely, upper, color=band, alpha=0.6, linewidth=0, label=label)
            label = f"{word}: hot spot"
            axes.plot(ahead, likely, color=line, linestyle=style, linewidth=1.6, label=label)
            peaks.append(f"{likely.max():.0f}")
        for at_c, words in (
            (limits.thermal_points[0][0], "ages faster"),
            (limits.planned_hot_spot_c, "planned limit"),
            (limits.high_hot_spot_p90_c, "limit at p90 load"),
        ):
            axes.axhline(at_c, color=LIMIT, linewidth=1.0, linestyle=(0, (1, 1)))
            axes.annotate(
                f"{at_c:g} {words}",
                (0, at_c),
                xycoords=("axes fraction", "data"),
                xytext=(4, 2),
                textcoords="offset points",
                color=LIMIT,
                fontsize=8,
            )
        axes.margins(x=0, y=0.1)
        axes.set_ylabel("degC")
        axes.spines[["top", "right"]].set_visible(False)
        axes.set_title(f"{side.transformer_id} ({side.role})", loc="left")
        axes.set_title(
            f"hottest at median load: {peaks[0]} before, {peaks[1]} after", loc="right", fontsize=9
        )
    _finish(figure, grid, tz)
    return figure


def _finish(figure: Figure, grid: np.ndarray, tz: str, language: Language = "en") -> None:
    """Write the hours of the site below the last panel, and one legend for all."""
    bottom = grid[-1, 0]
    bottom.xaxis.set_major_locator(DayLocator())  # type: ignore[no-untyped-call]
    bottom.xaxis.set_minor_locator(HourLocator(byhour=(6, 12, 18)))  # type: ignore[no-untyped-call]
    bottom.xaxis.set_major_formatter(day_formatter(language))
    bottom.xaxis.set_minor_formatter(DateFormatter("%H"))  # type: ignore[no-untyped-call]
    bottom.tick_params(axis="x", which="minor", labelsize=8, colors=_BEFORE)
    bottom.set_xlabel(picture_text("local", language, tz=tz))
    handles = {
        label: handle
        for axes in grid[:, 0]
        for handle, label in zip(*axes.get_legend_handles_labels(), strict=True)
    }
    figure.legend(
        list(handles.values()), list(handles), loc="outside lower center", ncols=4, fontsize=9, frameon=False
    )


def _local_days(times: pd.Series, tz: str) -> np.ndarray:
    """Days of matplotlib's time axis, by the clock of the zone."""
    local = pd.DatetimeIndex(pd.to_datetime(times, utc=True)).tz_convert(tz).tz_localize(None)
    return np.asarray(date2num(local.to_pydatetime()))  # type: ignore[no-untyped-call]


def _draw_side(
    axes: Axes, side: Side, before: pd.DataFrame, after: pd.DataFrame, tz: str, language: Language
) -> None:
    def said(name: str, **values: object) -> str:
        return picture_text(name, language, **values)

    hours = {}
    for load, word, line, band, style in (
        (before, "before", _BEFORE, _BEFORE_BAND, "--"),
        (after, "after", MEDIAN, BAND, "-"),
    ):
        ahead = _local_days(load["time"], tz)
        low, median, high = (load[f"load_kva_{q}"].to_numpy(dtype=float) for q in ("p10", "p50", "p90"))
        axes.fill_between(
            ahead,
            low,
            high,
            color=band,
            alpha=0.6,
            linewidth=0,
            label=said("band", word=Message(f"picture.{word}", {})),
        )
        words = said("line", word=Message(f"picture.{word}", {}))
        axes.plot(ahead, median, color=line, linestyle=style, linewidth=1.6, label=words)
        over = np.abs(median) > load["limit_kva"].to_numpy(dtype=float)
        hours[word] = int(over.sum())
        if over.any():
            axes.scatter(
                ahead[over],
                median[over],
                marker="x" if word == "before" else "^",
                s=24,
                color=LIMIT,
                zorder=4,
                label=said("over", word=Message(f"picture.{word}", {})),
            )
    lowest, highest = (
        float(np.nanmin(np.r_[before["load_kva_p10"], after["load_kva_p10"]])),
        float(np.nanmax(np.r_[before["load_kva_p90"], after["load_kva_p90"]])),
    )
    limit_kva = after["limit_kva"].to_numpy(dtype=float)
    signs = [1] if highest >= -lowest else [-1]
    if min(-lowest, highest) > limit_kva.min() / 2:
        signs = [1, -1]
    for sign in signs:
        axes.plot(
            ahead,
            sign * limit_kva,
            color=LIMIT,
            linewidth=1.3,
            linestyle=(0, (1, 1)),
            drawstyle="steps-post",
            label=said("side_limit"),
        )
        if (np.abs(limit_kva / side.rating_kva - 1) > _SAME_PU).any():
            axes.axhline(sign * side.rating_kva, color=INK, linewidth=0.9, label=said("side_nameplate"))
    if lowest < 0:
        axes.axhline(0, color=INK, linewidth=0.8)
    axes.margins(x=0, y=0.12)
    axes.set_ylim(*((0, None) if lowest >= 0 else (None, 0) if highest <= 0 else (None, None)))
    axes.set_ylabel("kVA")
    axes.spines[["top", "right"]].set_visible(False)
    words = said(f"role.{side.role}", transformer=side.transformer_id, limit=_limit_message(side, after))
    axes.set_title(words, loc="left", fontsize=10)
    axes.set_title(said("hours_over", **hours), loc="right", fontsize=9)


def _limit_message(side: Side, after: pd.DataFrame) -> Message:
    """Say what a side may carry after the plan, over all days, and what binds."""
    limit_kva = after["limit_kva"].to_numpy(dtype=float)
    ends = [f"{kva:,.0f}" for kva in (limit_kva.min(), limit_kva.max())]
    shares = [f"{100 * kva / side.rating_kva:.0f}" for kva in (limit_kva.min(), limit_kva.max())]
    kva, pct = ("\N{EN DASH}".join(dict.fromkeys(pair)) for pair in (ends, shares))
    return Message("picture.limit", {"kva": kva, "pct": pct, "by": limit_by_words(after["limit_by"])})
