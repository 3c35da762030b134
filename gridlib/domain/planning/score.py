"""Risk of the touched transformers before and after a transfer, by the same components as the risk score."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from gridlib.domain.network import apply_moves, closed_switches
from gridlib.domain.planning.fleet import P50, Fleet, Floats
from gridlib.domain.planning.states import Scenario, Unit
from gridlib.domain.risk import (
    cascading_component,
    overload_component,
    thermal_component,
    weighted_score,
)
from gridlib.facts.types import Limits, Network


def score_scenarios(
    fleet: Fleet,
    scenarios: Sequence[Scenario],
    states: Sequence[Mapping[int, Unit]],
    limits: Limits,
) -> list[dict[int, Unit]]:
    """Score transformers under several scenarios at once.

    Parameters
    ----------
    fleet : Fleet
        The fleet.
    scenarios : sequence of Scenario
        What to score.
    states : sequence of mapping
        Of each scenario its transformers, as from `unit_states`.
    limits : Limits
        The site's.

    Returns
    -------
    list of dict
        The states with their scores; NaN scores where air or load is missing.
    """
    units = [(unit, state) for found in states for unit, state in found.items()]
    if not units:
        return [{} for _ in scenarios]
    rating = fleet.rating_kva[[unit for unit, _ in units]]
    score = weighted_score(
        overload_component(np.stack([state.load_kva for _, state in units], axis=-1), rating, limits),
        thermal_component(np.stack([state.hot_spot_c for _, state in units], axis=-1), limits),
        _cascading(fleet, scenarios, limits),
        limits,
    )
    scores = iter(score.tolist())
    return [{unit: state._replace(score=next(scores)) for unit, state in found.items()} for found in states]


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
