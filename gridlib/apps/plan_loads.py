"""What the sides of a plan carry before and after, hour by hour, and one hour of it added up by hand."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from gridlib.domain.network import closed_switches, current_states, section_load_kva, transformer_load_kva
from gridlib.domain.planning.fleet import CHECKED, P10, P50, P90, Fleet, Floats, build_fleet
from gridlib.domain.planning.heat import heat_of
from gridlib.domain.planning.reserve import reserve
from gridlib.domain.planning.states import Scenario, Unit, carried_limits, unit_states
from gridlib.domain.thermal import ThermalState
from gridlib.facts.types import Limits, Move, Network, Plan, Side
from gridlib.facts.units import QUANTILE_COLUMNS

SHOWN_COLUMNS = [QUANTILE_COLUMNS[quantile] for quantile in CHECKED]
"""Columns of the loads of a side: p10, p50 and p90 [kVA]."""

SHOWN_BESIDE = ("limit_kva", "limit_by", "hot_spot_c", "hot_spot_c_p90")
"""What is shown of a side beside its loads."""


@dataclass(frozen=True)
class PlanLoads:
    """Loads around a plan; what other plans were promised is in them, as in the plan's own figures.

    Attributes
    ----------
    before, after : DataFrame
        The plan's sides: transformer_id, time (UTC), `SHOWN_COLUMNS` [kVA], limit_kva and limit_by of that
        hour, hot_spot_c and hot_spot_c_p90 [degC].
    peak_pct_before, peak_pct_after : Series
        By transformer, of the whole fleet: median loading of its highest hour, negative for export [%].
    may_carry : dict
        By position of each side in the fleet: its limits before and after, [T] each [kVA].
    """

    before: pd.DataFrame
    after: pd.DataFrame
    peak_pct_before: pd.Series
    peak_pct_after: pd.Series
    may_carry: dict[int, tuple[Floats, Floats]]


def plan_loads(
    network: Network,
    forecast: pd.DataFrame,
    plan: Plan,
    ambient_c: pd.DataFrame,
    *,
    limits: Limits,
    initial: ThermalState | None = None,
    reserved: Sequence[Move] = (),
) -> PlanLoads:
    """Work out what the sides of a plan carry before and after, what they may carry, and how hot they become.

    Parameters
    ----------
    network : Network
        The network with its reported switch states.
    forecast : DataFrame
        `ForecastFrame`, every section at its normal transformer.
    plan : Plan
        A plan whose switching has not begun.
    ambient_c : DataFrame
        Air at each transformer over the horizon, wide: time x transformer [degC].
    limits : Limits
        The site's.
    initial : ThermalState, optional
        State before the horizon, in the order of the transformers in ``forecast``.
    reserved : sequence of Move
        Moves of other open plans, whose headroom is spoken for.

    Returns
    -------
    PlanLoads
        The same loads that the plan was scored on.
    """
    fleet = build_fleet(network, forecast, "UTC", limits)
    heat = heat_of(fleet, forecast, ambient_c, initial)
    promised = reserve(fleet, reserved)
    units = [fleet.position(side.transformer_id) for side in plan.sides]
    scenarios = [Scenario(units, moves, promised) for moves in ((), plan.moves)]
    states = unit_states(fleet, scenarios, heat, limits)
    before, after = (_as_frame(fleet, state) for state in states)
    peaks = []
    for state in states:
        median = fleet.load_kva[P50].copy()
        median[:, units] = np.stack([state[unit].load_kva[P50] for unit in units], axis=-1)
        peaks.append(_signed_peak_pct(fleet, median))
    return PlanLoads(before, after, peaks[0], peaks[1], carried_limits(*states))


def _as_frame(fleet: Fleet, states: Mapping[int, Unit]) -> pd.DataFrame:
    frames = []
    for unit, state in states.items():
        columns = {
            name: state.load_kva[quantile] for name, quantile in zip(SHOWN_COLUMNS, CHECKED, strict=True)
        }
        columns |= {name: getattr(state, name) for name in SHOWN_BESIDE}
        frames.append(
            pd.DataFrame({"transformer_id": str(fleet.names[unit]), "time": fleet.times, **columns})
        )
    return pd.concat(frames, ignore_index=True)


def _signed_peak_pct(fleet: Fleet, median_kva: Floats) -> pd.Series:
    hour = np.nan_to_num(np.abs(median_kva)).argmax(axis=0)
    peak_kva = median_kva[hour, np.arange(median_kva.shape[1])]
    return pd.Series(100 * peak_kva / fleet.rating_kva, index=fleet.tree.nodes[: fleet.tree.transformers])


def add_up(
    network: Network,
    forecast: pd.DataFrame,
    plan: Plan,
    side: Side,
    *,
    limits: Limits,
    reserved: Sequence[Move] = (),
) -> pd.DataFrame:
    """Add up what one side carries in its highest hour after a plan, section by section.

    Parameters
    ----------
    network, forecast, plan, limits, reserved
        As for `plan_loads`.
    side : Side
        One of the plan's sides; the hour is its ``peak_time``.

    Returns
    -------
    DataFrame
        term, load_kva [kVA] and loading_pct [%] at p90, or at p10 where its export is the larger; the last
        row is the sum.

    Notes
    -----
    Own load now, plus what other open plans may bring, plus each section that comes and less each that goes,
    plus the +- range of those: shares of the section table times the forecast, nothing of the search.
    """
    fleet = build_fleet(network, forecast, "UTC", limits)
    bring = reserve(fleet, reserved).up_kva.get(fleet.position(side.transformer_id))
    hour = fleet.times.get_loc(pd.Timestamp(side.peak_time))
    upward, downward = (
        _terms(network, forecast, plan, side, range_sign)
        + ([("other open plans", float(bring[quantile, hour]))] if bring is not None else [])
        for quantile, range_sign in ((P90, 1), (P10, -1))
    )
    terms = max(upward, downward, key=lambda rows: abs(sum(kva for _, kva in rows)))
    rows = pd.DataFrame([*terms, ("after", sum(kva for _, kva in terms))], columns=["term", "load_kva"])
    return rows.assign(loading_pct=100 * rows["load_kva"] / side.rating_kva)


def _terms(
    network: Network, forecast: pd.DataFrame, plan: Plan, side: Side, range_sign: int
) -> list[tuple[str, float]]:
    """Own load, sections and their ranges [kVA] in one hour, at p90 (range added) or p10 (taken off)."""
    column = QUANTILE_COLUMNS[P90 if range_sign > 0 else P10]
    hour = forecast[forecast["time"] == pd.Timestamp(side.peak_time)]
    normal = hour.pivot(index="time", columns="transformer_id", values=column)
    kva = section_load_kva(network, normal).iloc[0]
    spread_pct = (
        network.sections.drop_duplicates("section_id").set_index("section_id")["spread_pct"].fillna(0)
    )
    closed = closed_switches(current_states(network))
    own = transformer_load_kva(network, normal, closed).iloc[0]
    terms = [(f"{side.transformer_id} before", float(own[side.transformer_id]))]
    range_kva = 0.0
    for move in plan.moves:
        for end, sign in ((move.from_transformer, -1), (move.to_transformer, 1)):
            for section in move.sections if end == side.transformer_id else ():
                terms.append((f"{section} {'comes' if sign > 0 else 'goes'}", float(sign * kva[section])))
                range_kva += range_sign * float(spread_pct[section] / 100 * abs(kva[section]))
    return [*terms, ("range of these sections", range_kva)]
