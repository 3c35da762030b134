"""Pictures for screens: what the plots draw, as text that a page can hold."""

import io
import re
from typing import Any

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib import rc_context
from matplotlib.figure import Figure

from gridlib.apps.html import escape
from gridlib.apps.neighbour_plots import neighbours_figure, source_text
from gridlib.apps.network_plots import network_figure
from gridlib.apps.plan_loads import plan_loads
from gridlib.apps.plots import picture_text, plot_forecast
from gridlib.apps.risk_plots import hot_spot_figure
from gridlib.apps.study.memory import Memory
from gridlib.apps.transfer_plots import transfer_curves_figure
from gridlib.domain.network import closed_switches, current_states, cut_out, joined_transformers, nearby
from gridlib.domain.study import ground_around
from gridlib.facts.errors import NotFoundError, RefusedError
from gridlib.facts.messages import Language, Message, render
from gridlib.facts.types import PlanState
from gridlib.workbench import Workbench
from gridlib.workflow import queries
from gridlib.workflow.open_plans import reserved_moves

_STYLE: Any = {"svg.fonttype": "path", "text.parse_math": False, "font.size": 10}
_PROLOGUE = re.compile(r"\A.*?(?=<svg)", re.DOTALL)
_METADATA = re.compile(r"<metadata>.*?</metadata>", re.DOTALL)
_NAMED = re.compile(r' id="(?:figure|axes|patch|text|line2d|matplotlib\.axis|xtick|ytick|legend)_?\d*"')
_SWITCHED = (PlanState.ISSUED, PlanState.EXECUTED, PlanState.PARTIAL)


def draw_picture(
    workbench: Workbench,
    memory: Memory,
    kind: str,
    *,
    transformer_id: str = "",
    plan_id: str = "",
    language: Language = "en",
) -> str:
    """Draw a picture as an ``svg`` element with a label that says what it shows.

    Raises
    ------
    NotFoundError
        No such transformer or plan, or nothing is known of it.
    """
    with rc_context(_STYLE):
        if kind in ("both_sides", "path"):
            draw_plan = {"both_sides": _both_sides, "path": _path}[kind]
            figure, alt = draw_plan(workbench, memory, plan_id, language)
        else:
            draw = {"load_band": _load_band, "hot_spot": _hot_spot, "neighbours": _neighbours}[kind]
            figure, alt = draw(workbench, memory, transformer_id, language)
        return _as_svg(figure, alt, language)


def _as_svg(figure: Figure, alt: str, language: Language) -> str:
    text = io.StringIO()
    figure.savefig(text, format="svg", metadata={"Date": None}, transparent=False)
    plt.close(figure)
    # Several pictures stand on one page: names that nothing refers to would be there twice.
    svg = _NAMED.sub("", _METADATA.sub("", _PROLOGUE.sub("", text.getvalue())))
    return svg.replace("<svg", f'<svg role="img" lang="{language}" aria-label="{escape(alt)}"', 1).strip()


def _rows(frame: pd.DataFrame, transformer_id: str) -> pd.DataFrame:
    if transformer_id not in frame.index:
        raise NotFoundError(
            "assessed transformer", transformer_id, what_to_do="See the list of 'gridlib run'."
        )
    return frame.loc[[transformer_id]].reset_index(drop=True)


def _load_band(
    workbench: Workbench, memory: Memory, transformer_id: str, language: Language
) -> tuple[Figure, str]:
    tz = workbench.settings.site.tz
    running = memory.base.material.running
    mine = running[running["transformer_id"] == transformer_id]
    if mine.empty:
        raise NotFoundError(
            "assessed transformer", transformer_id, what_to_do="See the list of 'gridlib run'."
        )
    units = memory.base.ground.network.transformers.set_index("transformer_id")
    rating_kva = float(units["rating_kva"].astype(float)[transformer_id])
    limits = memory.day_limits
    figure = plot_forecast(
        mine,
        memory.metered.get(transformer_id, pd.Series(dtype=float, index=memory.metered.index)),
        rating_kva,
        tz,
        day_limits=_rows(limits, transformer_id) if transformer_id in limits.index else None,
        language=language,
    )
    peak = mine.iloc[int(mine["load_kva_p50"].abs().to_numpy().argmax())]
    alt = picture_text(
        "load.alt",
        language,
        transformer=transformer_id,
        peak_kva=peak["load_kva_p50"],
        at=peak["time"].tz_convert(tz),
        share_pct=100 * peak["load_kva_p50"] / rating_kva,
        low_kva=mine["load_kva_p05"].min(),
        high_kva=mine["load_kva_p95"].max(),
    )
    return figure, alt


def _hot_spot(
    workbench: Workbench, memory: Memory, transformer_id: str, language: Language
) -> tuple[Figure, str]:
    tz, thermal = workbench.settings.site.tz, _rows(memory.thermal, transformer_id)
    figure = hot_spot_figure(thermal, workbench.settings.limits, tz, language=language)
    peak = thermal.iloc[int(thermal["hot_spot_c"].to_numpy().argmax())]
    alt = picture_text(
        "heat.alt",
        language,
        transformer=transformer_id,
        peak_c=peak["hot_spot_c"],
        at=peak["time"].tz_convert(tz),
        upper_c=thermal["hot_spot_c_p90"].max(),
    )
    return figure, alt


def _neighbours(
    workbench: Workbench, memory: Memory, transformer_id: str, language: Language
) -> tuple[Figure, str]:
    whole = memory.base.ground.network
    if transformer_id not in set(whole.transformers["transformer_id"]):
        raise NotFoundError("transformer", transformer_id)
    beside = joined_transformers(whole, closed_switches(current_states(whole)), transformer_id)
    near = nearby(whole, [transformer_id, *beside], ties=1)
    network = cut_out(whole, near)
    switches = queries.get_switches(workbench, list(network.switches["switch_id"]), language=language)
    running = memory.base.material.running
    running = running[running["transformer_id"].isin(near)]
    units = network.transformers.set_index("transformer_id")["rating_kva"].astype(float)
    highest = running.loc[running["load_kva_p50"].abs().groupby(running["transformer_id"]).idxmax()]
    peak = highest.set_index("transformer_id")["load_kva_p50"]
    figure = neighbours_figure(
        network,
        transformer_id,
        sorted(near),
        (100 * peak / units).dropna(),
        switches,
        limits=workbench.settings.limits,
        language=language,
    )
    named = [
        Message(
            "picture.switch.alt",
            {
                "switch": row["switch_id"],
                "state": Message(f"switch.{row['state']}", {}),
                "source": source_text(row, language),
            },
        )
        for _, row in switches[switches["kind"] == "tie"].iterrows()
    ]
    alt = picture_text(
        "around.alt", language, transformer=transformer_id, count=len(near) - 1, switches=named
    )
    return figure, alt


def _path(workbench: Workbench, memory: Memory, plan_id: str, language: Language) -> tuple[Figure, str]:
    """Draw the network around a plan before and after, however far it is carried out by now."""
    plan, whole = queries.get_plan(workbench, plan_id).record.plan, memory.base.ground.network
    near = nearby(whole, [side.transformer_id for side in plan.sides], ties=1)
    network = cut_out(whole, near)
    opened = {move.open_switch for move in plan.moves}
    closed = {move.close_switch for move in plan.moves}
    now = set(closed_switches(current_states(network)))
    loads = [
        pd.Series({side.transformer_id: getattr(side, f"peak_pct_p50_{when}") for side in plan.sides})
        for when in ("before", "after")
    ]
    figure = network_figure(
        network,
        (now | opened) - closed,
        (now | closed) - opened,
        *loads,
        moves=plan.moves,
        limits=workbench.settings.limits,
        language=language,
    )
    moves = "; ".join(f"{move.open_switch}, {move.close_switch}" for move in plan.moves)
    return figure, picture_text("path.alt", language, plan=plan_id, moves=moves)


def _both_sides(workbench: Workbench, memory: Memory, plan_id: str, language: Language) -> tuple[Figure, str]:
    record = queries.get_plan(workbench, plan_id).record
    plan, base = record.plan, memory.base
    if record.state in _SWITCHED:
        raise RefusedError(
            f"{plan_id} is {record.state}: what it switches may have been switched already",
            what_to_do="Look at its transformers as they are now.",
        )
    reserved = reserved_moves(base.open_plans, but=plan.transformer_id)
    ground = ground_around(base.ground, plan.transformer_id, reserved)
    loads = plan_loads(
        ground.network,
        ground.forecast,
        plan,
        ground.ambient_c,
        limits=workbench.settings.limits,
        initial=ground.initial,
        reserved=ground.reserved,
    )
    figure = transfer_curves_figure(
        loads.before,
        loads.after,
        plan.sides,
        workbench.settings.site.tz,
        needed_from=plan.needed_from,
        needed_until=plan.needed_until,
        language=language,
    )
    sides = [
        Message(
            "picture.side.alt",
            {
                "transformer": side.transformer_id,
                "before_pct": abs(loads.peak_pct_before[side.transformer_id]),
                "after_pct": abs(loads.peak_pct_after[side.transformer_id]),
            },
        )
        for side in plan.sides
    ]
    alt = render(Message("picture.sides.alt", {"plan": plan_id, "sides": sides}), language)
    return figure, alt
