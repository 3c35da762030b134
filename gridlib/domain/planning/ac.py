"""What AC power flow says of moves, where the impedances are known."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from gridlib.domain.flow import prove_ac
from gridlib.domain.network import apply_moves, closed_switches
from gridlib.domain.planning.devices import Refusal
from gridlib.domain.planning.fleet import P10, P50, P90, Fleet
from gridlib.facts.types import Limits, Move, PlanningRules

ADDITIVE_LEAVES_OUT = ("voltage", "line loading", "feeder head")
"""What the additive check alone does not look at."""

_SCENARIOS = {"p10": P10, "p50": P50, "p90": P90}


class AcCheck(NamedTuple):
    """How far AC power flow could look, what it refuses, and what is left out."""

    method: str
    refusals: tuple[Refusal, ...]
    not_checked: tuple[str, ...]


def check_ac(fleet: Fleet, moves: Sequence[Move], limits: Limits, rules: PlanningRules) -> AcCheck:
    """Solve every state that moves pass through, in every hour at p10, p50 and p90.

    Parameters
    ----------
    fleet : Fleet
        The fleet.
    moves : sequence of Move
        What one plan would switch.
    limits : Limits
        ``loading_limit_pct`` is used.
    rules : PlanningRules
        ``power_factor`` and ``lv_kv`` are used.

    Returns
    -------
    AcCheck
        Without impedances of the transformers nothing is solved, and the method is empty.

    Notes
    -----
    The transformers that the moves touch are cut out, each at nominal voltage above: what is on the feeder is
    not looked at here. The switch-back passes through the same states.
    """
    units = sorted(
        {fleet.position(name) for move in moves for name in (move.from_transformer, move.to_transformer)}
    )
    network = fleet.around(units)
    now = closed_switches(fleet.states)
    after = [apply_moves(now, moves[: count + 1]) for count in range(len(moves))]
    loads = {name: _loads(fleet, network.sections, quantile) for name, quantile in _SCENARIOS.items()}
    proof = prove_ac(
        network,
        now,
        after,
        loads,
        rules.power_factor,
        loading_limit_pct=limits.loading_limit_pct,
        lv_kv=rules.lv_kv,
        feeders=False,
        step_h=fleet.step_h,
    )
    if not proof.possible:
        lacking = f"AC power flow ({proof.missing[0]}" + (", ...)" if len(proof.missing) > 1 else ")")
        return AcCheck("", (), (*ADDITIVE_LEAVES_OUT, lacking))
    refusals = tuple(Refusal("ac_power_flow", f"AC power flow: {reason}") for reason in proof.reasons)
    return AcCheck("AC power flow", refusals, proof.not_checked)


def _loads(fleet: Fleet, sections: pd.DataFrame, quantile: int) -> pd.DataFrame:
    """Lay out the loads of sections, and of transformers beside them, hours x node [kVA]."""
    names = sections["section_id"].tolist()
    place = np.array([fleet.position(name) for name in names], dtype=np.int64)
    values = fleet.sections_kva(place, [quantile], [0])[0].T
    own = fleet.own_kva(quantile)
    columns = [*names, *fleet.names[: fleet.tree.transformers]]
    return pd.DataFrame(np.concatenate([values, own], axis=1), index=fleet.times, columns=columns)
