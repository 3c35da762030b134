"""The risk of the whole fleet: components, score, rules above the weights, reasons."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gridlib.domain.network import current_states
from gridlib.domain.risk.cascading import cascading_component
from gridlib.domain.risk.components import (
    expected_severity,
    longest_run,
    thermal_component,
    weighted_score,
)
from gridlib.domain.risk.levels import LEVELS, RULE_FLOORS, level_of, sort_risk
from gridlib.domain.risk.reasons import Picture, all_reasons
from gridlib.domain.risk.running import unknown_foreign_sections
from gridlib.domain.risk.ties import tie_findings
from gridlib.domain.thermal.arrays import Floats, column_of, finding_frame, step_of, wide_arrays
from gridlib.facts.messages import render, to_json
from gridlib.facts.types import Limits, Network
from gridlib.facts.units import QUANTILE_COLUMNS

P10, P50, P90 = (QUANTILE_COLUMNS.index(f"load_kva_p{level}") for level in (10, 50, 90))


@dataclass(frozen=True)
class _Load:
    """Forecast of the transformers that can be scored; arrays [Q, T, N], [N] and [T]."""

    ids: NDArray[np.object_]
    times: pd.DatetimeIndex
    quantile_kva: Floats
    rating_kva: Floats
    confidence: Floats


def score_risk(
    forecast: pd.DataFrame,
    windows: pd.DataFrame,
    thermal: pd.DataFrame,
    network: Network,
    *,
    limits: Limits,
    tz: str,
    measured_kva: pd.Series | None = None,
    normal_kva: pd.DataFrame | None = None,
    day_limits: pd.DataFrame | None = None,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Score every transformer that has a rating and a forecast.

    Parameters
    ----------
    forecast : DataFrame
        `ForecastFrame`: what each transformer carries in the hours ahead.
    windows : DataFrame
        `WindowFrame` with the windows 0-24 h, 24 h to the end and 0 h to the end.
    thermal : DataFrame
        `ThermalFrame`.
    network : Network
        The network.
    limits : Limits
        Weights, levels and limits of the site.
    tz : str
        Time zone of the hours in the reasons.
    measured_kva : Series, optional
        Newest measured load by transformer_id, for rule R0 [kVA].
    normal_kva : DataFrame, optional
        Median load with every section at its normal transformer, wide: time x transformer [kVA], for the
        cascading component. Needed only while a switch is out of its normal state; default is the median
        of ``forecast``.
    day_limits : DataFrame, optional
        `DayLimitFrame`; the first day of each transformer is shown beside its nameplate.

    Returns
    -------
    risk : DataFrame
        `RiskFrame`: imminent first, then by level, then by score.
    findings : DataFrame
        `FindingFrame`: who was not scored, or not in full, and why.

    Notes
    -----
    ``risk_score = 0.6 overload + 0.2 thermal + 0.2 cascading``. Rules stand above the weights and raise the
    level, never the score:

    - R0: measured load over the limit now, or P(any overload in the next 24 h) at ``p_any_limit``: imminent,
      at least MEDIUM;
    - R1: P(any overload in the horizon) at ``p_any_limit``: at least MEDIUM;
    - R2: median loading at ``high_loading_p50_pct`` for ``high_loading_p50_h`` hours on end, p90 loading at
      ``high_loading_p90_pct``, or p90 hot spot at ``high_hot_spot_p90_c``: HIGH.

    Loading is |S| over nameplate: export counts, so the p90 loading is the larger of |p10| and |p90|. The
    cascading component looks at median load. A component that cannot be computed, thermal without
    temperatures or cascading where a section with unknown load hangs on the transformer, is 0; a finding
    and the reasons say so.
    """
    load, rows = _usable_load(forecast, windows, network)
    n = len(load.ids)
    step = step_of(load.times)
    step_h = step / pd.Timedelta(hours=1)
    low, median, high = np.abs(load.quantile_kva[[P10, P50, P90]]) / load.rating_kva * 100
    upper = np.maximum(low, high)
    over, over_p90 = median > limits.loading_limit_pct, upper > limits.loading_limit_pct

    severity = expected_severity(load.quantile_kva, load.rating_kva, limits)
    overload = severity.max(axis=0)
    air_c, hot_spot_c, hot_spot_c_p90, ageing_pu = _thermal_arrays(thermal, load)
    heat_known = np.isfinite(hot_spot_c).all(axis=0) & np.isfinite(hot_spot_c_p90).all(axis=0)
    heat = np.where(heat_known, thermal_component(np.where(heat_known, hot_spot_c, 0.0), limits), 0.0)
    rows += [
        (str(name), "no_thermal", "no temperatures: the thermal component is left at 0")
        for name in load.ids[~heat_known]
    ]
    if normal_kva is None:
        normal_kva = pd.DataFrame(load.quantile_kva[P50], index=load.times, columns=load.ids)
    states = current_states(network)
    loss = cascading_component(network, states, normal_kva, limits, tz=tz).reindex(load.ids)
    found = loss["cascading"].to_numpy(float)
    loss_known = np.isfinite(found)
    cascading = np.where(loss_known, found, 0.0)
    foreign = unknown_foreign_sections(network, states, normal_kva)
    unknown = [", ".join(foreign.get(str(name), ())) for name in load.ids]
    rows += _loss_findings(load.ids, loss_known, unknown) + tie_findings(network, states)
    score = weighted_score(overload, heat, cascading, limits)

    p_any = _window_chances(windows, load.ids)
    measured = np.full(n, np.nan)
    if measured_kva is not None:
        measured = measured_kva.reindex(load.ids).to_numpy(float)
    over_now = np.abs(measured) > limits.loading_limit_pct / 100 * load.rating_kva
    run_h = longest_run(median >= limits.high_loading_p50_pct).astype(float) * step_h
    hottest_p90 = np.where(heat_known, hot_spot_c_p90.max(axis=0), np.nan)
    asks = {
        "R0": over_now | (p_any[0] >= limits.p_any_limit),
        "R1": p_any[2] >= limits.p_any_limit,
        "R2": (run_h >= limits.high_loading_p50_h)
        | (upper.max(axis=0) >= limits.high_loading_p90_pct)
        | (hottest_p90 >= limits.high_hot_spot_p90_c),
    }
    by_score = level_of(score, limits)
    raises = {rule: asked & (by_score < RULE_FLOORS[rule]) for rule, asked in asks.items()}
    level = by_score.copy()
    for rule, raised in raises.items():
        level = np.where(raised, np.maximum(level, RULE_FLOORS[rule]), level)

    picture = Picture(
        ids=load.ids,
        local=list(load.times.tz_convert(tz).to_pydatetime()),
        rating_kva=load.rating_kva,
        median_kva=load.quantile_kva[P50],
        upper_pct=upper,
        worst=severity.argmax(axis=0),
        hours_over=over.sum(axis=0) * step_h,
        components=np.array([overload, heat, cascading]),
        heat_known=heat_known,
        air_c=air_c,
        hot_spot_c=hot_spot_c,
        life_d=ageing_pu.sum(axis=0) * step_h / 24,
        horizon_h=len(load.times) * step_h,
        loss_known=loss_known,
        loss=loss["messages"].to_numpy(object),
        unknown_sections=np.array(unknown, dtype=object),
        measured_kva=measured,
        over_now=over_now,
        p_any=p_any,
        run_h=run_h,
        hottest_p90=hottest_p90,
        imminent=asks["R0"],
        raises=raises,
    )
    reasons = all_reasons(picture, limits)
    today = _today(day_limits, load.ids)
    first = np.where(over.any(axis=0), over.argmax(axis=0), over_p90.argmax(axis=0))
    first_over = pd.Series(load.times[first]).where(over.any(axis=0) | over_p90.any(axis=0))
    risk = pd.DataFrame(
        {
            "transformer_id": load.ids,
            "risk_score": score,
            "risk_level": LEVELS[level],
            "imminent": asks["R0"],
            "raised_by": [" ".join(rule for rule in raises if raises[rule][i]) for i in range(n)],
            "overload": overload,
            "thermal": heat,
            "cascading": cascading,
            "rating_kva": load.rating_kva,
            "peak_pct_p50": median.max(axis=0),
            "peak_pct_p90": upper.max(axis=0),
            "peak_time": load.times[median.argmax(axis=0)],
            "hours_over": np.ceil(picture.hours_over).astype(np.int64),
            "first_over": first_over,
            "p_any_1_24": p_any[0],
            "p_any_24_72": p_any[1],
            "p_any_1_72": p_any[2],
            "hot_spot_c_max": np.where(heat_known, hot_spot_c.max(axis=0), np.nan),
            "hot_spot_c_max_p90": hottest_p90,
            "loss_of_life_d": np.where(heat_known, picture.life_d, np.nan),
            "cyclic_rating_kva": today["cyclic_rating_kva"].to_numpy(float),
            "limit_kva": today["limit_kva"].to_numpy(float),
            "limit_by": today["limit_by"].fillna("").to_numpy(object),
            "confidence": load.confidence,
            "reasons": pd.Series([[render(said) for said in found] for found in reasons], dtype=object),
            "messages": pd.Series([to_json(found) for found in reasons], dtype=object),
        }
    )
    risk["raised_by"] = risk["raised_by"].astype(object)
    return sort_risk(risk), finding_frame(rows)


def _today(day_limits: pd.DataFrame | None, ids: NDArray[np.object_]) -> pd.DataFrame:
    """Take the first day of each transformer; empty where there is none."""
    columns = ["transformer_id", "cyclic_rating_kva", "limit_kva", "limit_by"]
    if day_limits is None:
        return pd.DataFrame(index=ids, columns=columns[1:], dtype=object)
    first = day_limits.sort_values("time", kind="stable").drop_duplicates("transformer_id")
    return first[columns].set_index("transformer_id").reindex(ids)


def _loss_findings(
    ids: NDArray[np.object_], loss_known: NDArray[np.bool_], unknown: list[str]
) -> list[tuple[str, str, str]]:
    """Say whose loss was not computed, and who carries sections of unknown load."""
    rows = [
        (
            str(name),
            "foreign_load_unknown",
            f"carries {sections} of another transformer, whose load is not known: its own load is too low",
        )
        for name, sections in zip(ids, unknown, strict=True)
        if sections
    ]
    return rows + [
        (str(name), "no_cascading", "its load is not known in full: the cascading component is left at 0")
        for name in ids[~loss_known]
    ]


def _usable_load(
    forecast: pd.DataFrame, windows: pd.DataFrame, network: Network
) -> tuple[_Load, list[tuple[str, str, str]]]:
    """Take the transformers with a rating, a whole forecast and all chances; say who is left out."""
    ids, times, values = wide_arrays(forecast, (*QUANTILE_COLUMNS, "confidence"))
    quantile_kva, confidence = values[:-1], values[-1, 0]
    units = network.transformers.drop_duplicates("transformer_id").set_index("transformer_id")
    rating = column_of(units, "rating_kva").reindex(ids).to_numpy(float)
    no_rating = ~(np.isfinite(rating) & (rating > 0))
    gaps = ~np.isfinite(quantile_kva).all(axis=(0, 1)) & ~no_rating
    no_chance = ~np.isfinite(_window_chances(windows, ids)).all(axis=0) & ~no_rating & ~gaps
    rows = [
        (str(name), "no_forecast", "no forecast: not scored")
        for name in units.index.difference(pd.Index(ids))
    ]
    for found, code, message in (
        (no_rating, "no_rating", "no rating in the network tables: not scored"),
        (gaps, "no_forecast", "the forecast has gaps: not scored"),
        (no_chance, "no_window", "the forecast gives no chance of overload: not scored"),
    ):
        rows += [(str(name), code, message) for name in ids[found]]
    ok = ~(no_rating | gaps | no_chance)
    return _Load(ids[ok], times, quantile_kva[:, :, ok], rating[ok], confidence[ok]), rows


def _window_chances(windows: pd.DataFrame, ids: NDArray[np.object_]) -> Floats:
    """P(any overload) in the first day, after it, and in the whole horizon, [3, N]."""
    last = windows["to_h"].max()
    chances = []
    for from_h, to_h in ((0, 24), (24, last), (0, last)):
        rows = windows[(windows["from_h"] == from_h) & (windows["to_h"] == to_h)]
        chances.append(rows.set_index("transformer_id")["p_any_overload"].reindex(ids).to_numpy(float))
    return np.array(chances)


def _thermal_arrays(thermal: pd.DataFrame, load: _Load) -> Floats:
    """Air, hot spot at median and at p90, and ageing rate, [4, T, N]; NaN where there are none."""
    names = ("ambient_c", "hot_spot_c", "hot_spot_c_p90", "ageing_pu")
    found = np.full((len(names), len(load.times), len(load.ids)), np.nan)
    unit = pd.Index(load.ids).get_indexer(pd.Index(thermal["transformer_id"]))
    moment = load.times.get_indexer(pd.DatetimeIndex(thermal["time"]))
    known = (unit >= 0) & (moment >= 0)
    for k, name in enumerate(names):
        found[k, moment[known], unit[known]] = thermal[name].to_numpy(float)[known]
    return found
