"""Why a transformer is where it is in the list, in sentences."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gridlib.domain.risk.levels import LEVELS, RULE_FLOORS
from gridlib.domain.thermal.arrays import Floats
from gridlib.facts.types import Limits

Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class Picture:
    """What the sentences are made of; arrays [N], [T, N] where they have a time, ``local`` [T].

    ``components`` is [3, N]: overload, thermal, cascading; ``p_any`` [3, N]: first day, after it, whole
    horizon; ``worst`` is the hour of the overload component; ``unknown_sections`` are the foreign sections of
    unknown load, in words.
    """

    ids: NDArray[np.object_]
    local: pd.DatetimeIndex
    rating_kva: Floats
    median_kva: Floats
    upper_pct: Floats
    worst: NDArray[np.intp]
    hours_over: Floats
    components: Floats
    heat_known: Flags
    air_c: Floats
    hot_spot_c: Floats
    life_d: Floats
    horizon_h: float
    loss_known: Flags
    loss_sentence: NDArray[np.object_]
    unknown_sections: NDArray[np.object_]
    measured_kva: Floats
    over_now: Flags
    p_any: Floats
    run_h: Floats
    hottest_p90: Floats
    imminent: Flags
    raises: dict[str, Flags]


def all_reasons(picture: Picture, limits: Limits) -> list[list[str]]:
    """Write the reasons of every transformer: components by weight, then the rules that spoke.

    Parameters
    ----------
    picture : Picture
        What was found.
    limits : Limits
        Weights and limits.

    Returns
    -------
    list of list of str
        One list for each transformer, in the order of ``picture.ids``.
    """
    weights = np.array([[limits.weight_overload], [limits.weight_thermal], [limits.weight_cascading]])
    order = np.argsort(-weights * picture.components, axis=0, kind="stable")
    write = (_overload, _thermal, _cascading)
    return [
        [write[k](picture, limits, n) for k in order[:, n] if picture.components[k, n] > 0]
        + _rules(picture, limits, n)
        for n in range(len(picture.ids))
    ]


def _hour(moment: pd.Timestamp) -> str:
    return f"{moment:%H:%M} on {moment:%d %b}"


def _overload(picture: Picture, limits: Limits, n: int) -> str:
    t = picture.worst[n]
    median, rating = picture.median_kva[t, n], picture.rating_kva[n]
    share = 100 * abs(median) / rating
    hours = picture.hours_over[n]
    if share < limits.overload_points[0][0]:
        cause = "the spread of the forecast, not the likely load"
    else:
        cause = "back-feed" if median < 0 else "the likely load"
        cause += f", {hours:g} h over the limit" if hours else ", within the limit at the median"
    return (
        f"Overload {picture.components[0, n]:.2f}: at {_hour(picture.local[t])} the median is "
        f"{abs(median):,.0f} kVA, {share:.0f} % of {rating:,.0f} kVA (p90 {picture.upper_pct[t, n]:.0f} %), "
        f"limit {limits.loading_limit_pct:g} %; driven by {cause}"
    )


def _thermal(picture: Picture, limits: Limits, n: int) -> str:
    t = int(picture.hot_spot_c[:, n].argmax())
    share = 100 * abs(picture.median_kva[t, n]) / picture.rating_kva[n]
    return (
        f"Thermal {picture.components[1, n]:.2f}: the hot spot reaches {picture.hot_spot_c[t, n]:.0f} degC "
        f"at {_hour(picture.local[t])}, limit {limits.thermal_points[0][0]:g} degC; driven by {share:.0f} % "
        f"load in air of {picture.air_c[t, n]:.0f} degC; {picture.life_d[n]:.1f} d of life used in "
        f"{picture.horizon_h:g} h"
    )


def _cascading(picture: Picture, limits: Limits, n: int) -> str:  # noqa: ARG001
    return f"Cascading {picture.components[2, n]:.2f}: if lost, {picture.loss_sentence[n]}"


def _rules(picture: Picture, limits: Limits, n: int) -> list[str]:
    """Say which rules raised the level and on which number, and what is unknown."""
    said = []
    chance = f"(limit {100 * limits.p_any_limit:.0f} %)"
    if picture.imminent[n]:
        cause = f"{100 * picture.p_any[0, n]:.0f} % chance of an overload in the next 24 h {chance}"
        if picture.over_now[n]:
            cause = (
                f"measured load {abs(picture.measured_kva[n]):,.0f} kVA is over "
                f"{limits.loading_limit_pct:g} % of {picture.rating_kva[n]:,.0f} kVA now"
            )
        said.append(f"{_lead('R0', picture, n, 'IMMINENT by R0')}: {cause}")
    if picture.raises["R1"][n]:
        cause = f"{100 * picture.p_any[2, n]:.0f} % chance of an overload in {picture.horizon_h:g} h {chance}"
        said.append(f"{_lead('R1', picture, n)}: {cause}")
    if picture.raises["R2"][n]:
        said.append(f"{_lead('R2', picture, n)}: {'; '.join(_severe(picture, limits, n))}")
    if not picture.heat_known[n]:
        said.append("Thermal not computed: no temperatures for this transformer")
    if picture.unknown_sections[n]:
        said.append(
            f"Load too low: it carries {picture.unknown_sections[n]} of another transformer, load not known"
        )
    if not picture.loss_known[n]:
        said.append("Cascading not computed: the load of this transformer is not known in full")
    return said


def _lead(rule: str, picture: Picture, n: int, before: str = "") -> str:
    raised = f"raised to {LEVELS[RULE_FLOORS[rule]]} by {rule}" if picture.raises[rule][n] else ""
    return ", ".join(part for part in (before, raised) if part)


def _severe(picture: Picture, limits: Limits, n: int) -> list[str]:
    said = []
    if picture.run_h[n] >= limits.high_loading_p50_h:
        said.append(
            f"median loading at least {limits.high_loading_p50_pct:g} % for {picture.run_h[n]:g} hours"
        )
    if (peak := picture.upper_pct[:, n].max()) >= limits.high_loading_p90_pct:
        when = _hour(picture.local[int(picture.upper_pct[:, n].argmax())])
        said.append(f"p90 loading {peak:.0f} % at {when} (limit {limits.high_loading_p90_pct:g} %)")
    if picture.hottest_p90[n] >= limits.high_hot_spot_p90_c:
        said.append(
            f"p90 hot spot {picture.hottest_p90[n]:.0f} degC (limit {limits.high_hot_spot_p90_c:g} degC)"
        )
    return said
