"""Risk of the touched transformers before and after a transfer, by the same components as the risk score."""

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import pandas as pd

from gridlib.domain.network import apply_moves, closed_switches
from gridlib.domain.planning.fleet import P50, Fleet, Floats
from gridlib.domain.planning.heat import Heat, hot_spots, loads_after
from gridlib.domain.planning.reserve import Reservation
from gridlib.domain.risk import (
    cascading_component,
    overload_component,
    thermal_component,
    weighted_score,
)
from gridlib.facts.types import Limits, Move, Network


class Scenario(NamedTuple):
    """Transformers to score, by position; what is switched before; and what other plans need."""

    units: Sequence[int]
    moves: tuple[Move, ...]
    reserved: Reservation


class Unit(NamedTuple):
    """One touched transformer in one scenario: load [Q, T], hot spot [T] at p50 and at p90, and the rest."""

    load_kva: Floats
    hot_spot_c: Floats
    hot_spot_c_p90: Floats
    loss_of_life_d: float
    score: float


def score_scenarios(
    fleet: Fleet,
    scenarios: Sequence[Scenario],
    heat: Heat,
    limits: Limits,
) -> list[dict[int, Unit]]:
    """Score transformers under several scenarios at once.

    Parameters
    ----------
    fleet : Fleet
        The fleet.
    scenarios : sequence of Scenario
        What to score. Headroom promised to other plans counts as load of their receivers.
    heat : Heat
        Air and thermal state.
    limits : Limits
        The site's.

    Returns
    -------
    list of dict
        For each scenario its transformers; NaN scores where air or load is missing.
    """
    where = np.array([unit for scenario in scenarios for unit in scenario.units], dtype=np.int64)
    loads = [load for scenario in scenarios for load in loads_after(fleet, *scenario)]
    quantiles = np.stack(loads, axis=-1)
    rating = fleet.rating_kva[where]
    hot = hot_spots(fleet, quantiles, where, heat)
    cascading = _cascading(fleet, scenarios, limits)
    score = weighted_score(
        overload_component(quantiles, rating, limits),
        thermal_component(hot.likely_c, limits),
        cascading,
        limits,
    )
    scored = (
        Unit(quantiles[:, :, k], hot.likely_c[:, k], hot.upper_c[:, k], float(hot.life_d[k]), float(score[k]))
        for k in range(len(where))
    )
    return [{unit: next(scored) for unit in touched} for touched, _, _ in scenarios]


def _cascading(fleet: Fleet, scenarios: Sequence[Scenario], limits: Limits) -> Floats:
    """Cascading component of every transformer of every scenario, in one call.

    Each scenario is a copy of its neighbourhood under names of its own; the copies do not touch.
    """
    copies: list[Network] = []
    states: list[pd.DataFrame] = []
    loads: list[pd.DataFrame] = []
    wanted: list[str] = []
    for number, (units, moves, _) in enumerate(scenarios):
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
