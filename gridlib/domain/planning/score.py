"""Risk of the touched transformers before and after a transfer, by the same components as the risk score."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
import pandas as pd

from gridlib.domain.network import apply_moves, closed_switches
from gridlib.domain.planning.fleet import P50, Fleet, Floats
from gridlib.domain.planning.reserve import Reservation
from gridlib.domain.planning.search import upper_kva
from gridlib.domain.risk import (
    cascading_component,
    overload_component,
    thermal_component,
    weighted_score,
)
from gridlib.domain.thermal import ThermalState, loss_of_life_d, thermal_response, thermal_spec
from gridlib.facts.types import Limits, Move, Network


class Unit(NamedTuple):
    """One touched transformer in one scenario; ``hot_spot_c_p90`` is that of the p90 load."""

    load_kva: Floats
    hot_spot_c: float
    hot_spot_c_p90: float
    loss_of_life_d: float
    score: float


@dataclass(frozen=True)
class Heat:
    """What the thermal model needs: air [T, N] and the state before the horizon, by position in the fleet."""

    ambient_c: Floats
    initial: ThermalState | None


def heat_of(
    fleet: Fleet, forecast: pd.DataFrame, ambient_c: pd.DataFrame, initial: ThermalState | None
) -> Heat:
    """Bring air and thermal state into the order of the fleet.

    Parameters
    ----------
    fleet : Fleet
        The fleet.
    forecast : DataFrame
        `ForecastFrame`; ``initial`` is in the order of its transformers.
    ambient_c : DataFrame
        Air at each transformer, wide: time x transformer [degC].
    initial : ThermalState, optional
        State before the horizon; default is the steady state of the first hour.

    Returns
    -------
    Heat
        NaN where a transformer has no air or no state.
    """
    units = fleet.tree.nodes[: fleet.tree.transformers]
    air = ambient_c.reindex(index=fleet.times, columns=units).to_numpy(dtype=float)
    if initial is None:
        return Heat(air, None)
    place = pd.Index(forecast["transformer_id"].unique()).get_indexer(units)
    return Heat(air, ThermalState(*(np.where(place >= 0, part[place], np.nan) for part in initial)))


def score_scenarios(
    fleet: Fleet,
    scenarios: Sequence[tuple[Sequence[int], tuple[Move, ...]]],
    heat: Heat,
    reserved: Reservation,
    limits: Limits,
) -> list[dict[int, Unit]]:
    """Score transformers under several scenarios at once.

    Parameters
    ----------
    fleet : Fleet
        The fleet.
    scenarios : sequence of (positions, moves)
        Which transformers to score, and what is switched before.
    heat : Heat
        Air and thermal state.
    reserved : Reservation
        Headroom promised to open plans; it counts as load of their receivers.
    limits : Limits
        The site's.

    Returns
    -------
    list of dict
        For each scenario its transformers; NaN scores where air or load is missing.
    """
    where = np.array([unit for units, _ in scenarios for unit in units], dtype=np.int64)
    loads = []
    for units, moves in scenarios:
        changes = fleet.deltas(moves)
        loads += [reserved.load_kva(fleet, unit)[0] + changes.get(unit, 0.0) for unit in units]
    # The +- range of a section can turn the order of close quantiles; a distribution has them sorted.
    quantiles = np.sort(np.stack(loads, axis=-1), axis=0)
    rating = fleet.rating_kva[where]
    likely, life_d = _hot_spot_c(fleet, np.abs(quantiles[P50]) / rating, where, heat)
    upper, _ = _hot_spot_c(fleet, upper_kva(quantiles) / rating, where, heat)
    cascading = _cascading(fleet, scenarios, limits)
    score = weighted_score(
        overload_component(quantiles, rating, limits), thermal_component(likely, limits), cascading, limits
    )
    values = zip(
        np.moveaxis(quantiles, -1, 0), likely.max(axis=0), upper.max(axis=0), life_d, score, strict=True
    )
    scored = (Unit(load, *(float(number) for number in numbers)) for load, *numbers in values)
    return [{unit: next(scored) for unit in touched} for touched, _ in scenarios]


def _hot_spot_c(fleet: Fleet, load_pu: Floats, where: np.ndarray, heat: Heat) -> tuple[Floats, Floats]:
    """Hot spot [T, M] and life used [M] of the transformers at the given positions."""
    units = fleet.units.iloc[where].reset_index()
    step_min = 60 * fleet.step_h
    initial = heat.initial and ThermalState(*(part[where] for part in heat.initial))
    spec = thermal_spec(units)
    hot_spot_c = thermal_response(
        load_pu, heat.ambient_c[:, where], spec, step_min=step_min, initial=initial
    ).hot_spot_c
    paper = units["paper"].to_numpy(dtype=object) if "paper" in units else "normal"
    return hot_spot_c, loss_of_life_d(hot_spot_c, paper, step_min=step_min)


def _cascading(
    fleet: Fleet, scenarios: Sequence[tuple[Sequence[int], tuple[Move, ...]]], limits: Limits
) -> Floats:
    """Cascading component of every transformer of every scenario, in one call.

    Each scenario is a copy of its neighbourhood under names of its own; the copies do not touch.
    """
    copies: list[Network] = []
    states: list[pd.DataFrame] = []
    loads: list[pd.DataFrame] = []
    wanted: list[str] = []
    for number, (units, moves) in enumerate(scenarios):
        mark = f"#{number}"
        network = fleet.around(units)
        reported = fleet.states.loc[network.switches["switch_id"]]
        closed = apply_moves(closed_switches(reported), moves)
        reported = reported.assign(state=np.where(reported.index.isin(list(closed)), "CLOSED", "OPEN"))
        positions = [fleet.position(name) for name in network.transformers["transformer_id"]]
        names = network.transformers["transformer_id"] + mark
        loads.append(pd.DataFrame(fleet.normal_kva[P50][:, positions], index=fleet.times, columns=names))
        copies.append(_renamed(network, mark))
        states.append(reported.set_axis(reported.index + mark))
        wanted += [f"{fleet.names[unit]}{mark}" for unit in units]
    together = replace(
        fleet.network,
        transformers=pd.concat([copy.transformers for copy in copies], ignore_index=True),
        sections=pd.concat([copy.sections for copy in copies], ignore_index=True),
        switches=pd.concat([copy.switches for copy in copies], ignore_index=True),
    )
    found = cascading_component(together, pd.concat(states), pd.concat(loads, axis=1), limits)
    return found["cascading"].reindex(wanted).to_numpy(dtype=float)


def _renamed(network: Network, mark: str) -> Network:
    """Copy with a mark behind every name."""

    def marked(table: pd.DataFrame, *columns: str) -> pd.DataFrame:
        return table.assign(**{column: table[column] + mark for column in columns})

    return replace(
        network,
        transformers=marked(network.transformers, "transformer_id"),
        sections=marked(network.sections, "section_id", "transformer_id"),
        switches=marked(network.switches, "switch_id", "from_id", "to_id"),
    )
