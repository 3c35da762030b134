"""Why not: every open tie of a transformer with every switch on the way to it, and what forbids it."""

from collections.abc import Sequence

import numpy as np

from gridlib.domain.planning.devices import Refusal
from gridlib.domain.planning.fleet import P50, Fleet, Floats
from gridlib.domain.planning.heat import Heat, upper_kva
from gridlib.domain.planning.prove import Trial, try_moves
from gridlib.domain.planning.reserve import Reservation
from gridlib.domain.planning.states import prefixes, unit_states
from gridlib.facts.messages import Message, render
from gridlib.facts.types import Limits, Move, PlanningRules, WhyNot

Merit = tuple[float, float, float]


def refused_singles(
    fleet: Fleet,
    asked: Sequence[tuple[int, Reservation]],
    heat: Heat,
    limits: Limits,
    rules: PlanningRules,
) -> list[list[WhyNot]]:
    """List single transfers away from some transformers that are refused, the most promising first.

    Parameters
    ----------
    fleet : Fleet
        The fleet.
    asked : sequence
        Positions of transformers, each with what other open plans need around it.
    heat : Heat
        Air and thermal state.
    limits, rules : Limits, PlanningRules
        The site's.

    Returns
    -------
    list of list of WhyNot
        For each transformer; each with the binding limit and by how much it would be passed; one for each
        reason.

    Notes
    -----
    A single transfer opens one closed switch between the donor and a section with an open tie, and closes
    the tie: everything below the opened switch goes over. Where the day's heat binds, the transfer is judged
    by the limits of the load it leads to, all such transfers at once.
    """
    trials: list[tuple[int, Move, Trial]] = []
    lost: list[list[Refusal]] = []
    for k, (donor, reserved) in enumerate(asked):
        moves, nowhere = single_moves(fleet, donor)
        merits = {move: merit_of(fleet, (move,), reserved, limits) for move in moves}
        moves.sort(key=merits.__getitem__, reverse=True)
        trials += [(k, move, try_moves(fleet, (move,), reserved, limits, rules)) for move in moves]
        lost.append(nowhere)
    trials = _in_their_heat(fleet, trials, asked, heat, limits, rules)
    found: list[list[WhyNot]] = [[] for _ in asked]
    for k, move, trial in trials:
        if trial.refusals:
            why = trial.refusals[0]
            found[k].append(WhyNot(str(fleet.names[asked[k][0]]), (move,), why.code, why.reason))
    for (donor, _), mine, nowhere in zip(asked, found, lost, strict=True):
        mine += [WhyNot(str(fleet.names[donor]), (), why.code, why.reason) for why in nowhere]
    return [distinct(mine) for mine in found]


def _in_their_heat(
    fleet: Fleet,
    trials: Sequence[tuple[int, Move, Trial]],
    asked: Sequence[tuple[int, Reservation]],
    heat: Heat,
    limits: Limits,
    rules: PlanningRules,
) -> list[tuple[int, Move, Trial]]:
    """Judge those transfers anew that only the day's heat under the present loads may have refused."""
    hot = ((fleet.limit_by == "hot_spot") | (fleet.limit_by == "ageing")).any(axis=0)
    again = []
    for n, (k, move, trial) in enumerate(trials):
        units = [fleet.position(name) for name in (move.from_transformer, move.to_transformer)]
        if trial.refusals and trial.margin_pct is not None and hot[units].any():
            again.append((n, prefixes(units, (move,), asked[k][1])))
    states = unit_states(fleet, [state for _, chain in again for state in chain], heat, limits)
    found = list(trials)
    for i, (n, _) in enumerate(again):
        k, move, _ = trials[n]
        own = states[2 * i : 2 * i + 2]
        found[n] = k, move, try_moves(fleet, (move,), asked[k][1], limits, rules, own)
    return found


def neighbours_of(fleet: Fleet, unit: int) -> set[int]:
    """Find a transformer and those beyond its open switches."""
    ties = [tie for section in fleet.members.get(unit, ()) for tie in fleet.open_devices.get(section, ())]
    return {unit, *(int(fleet.tree.source[end]) for tie in ties for end in (tie.start, tie.end))}


def single_moves(fleet: Fleet, donor: int) -> tuple[list[Move], list[Refusal]]:
    """List the single transfers of a transformer, and the ties that lead nowhere."""
    moves: list[Move] = []
    lost: list[Refusal] = []
    for section in fleet.members.get(donor, ()):
        for tie in fleet.open_devices.get(section, ()):
            far = tie.end if tie.start == section else tie.start
            receiver = int(fleet.tree.source[far])
            if receiver < 0:
                why = Message("plan.leads_nowhere", {"tie": tie.switch_id, "end": str(fleet.names[far])})
                lost.append(Refusal("not_radial", why))
            elif receiver != donor:
                moves += _ways_over(fleet, section, tie.switch_id, donor, receiver)
    return moves, lost


def _ways_over(fleet: Fleet, section: int, tie: str, donor: int, receiver: int) -> list[Move]:
    """One move for each closed switch between a section and its transformer."""
    found = []
    node = section
    while node >= fleet.tree.transformers:
        found.append(
            Move(
                open_switch=str(fleet.tree.parent_switch[node]),
                close_switch=tie,
                sections=tuple(str(fleet.names[below]) for below in fleet.below(node)),
                from_transformer=str(fleet.names[donor]),
                to_transformer=str(fleet.names[receiver]),
            )
        )
        node = int(fleet.tree.parent[node])
    return found


def merit_of(fleet: Fleet, moves: tuple[Move, ...], reserved: Reservation, limits: Limits) -> Merit:
    """Additive relief of moves over all touched transformers [kVAh].

    Above the limit at p50, above the limit at p90, and above the loading where the overload severity
    starts at p90: the first that is not equal decides.
    """
    start_pct = limits.overload_points[0][0]
    merit = np.zeros(3)
    for unit, change in fleet.deltas(moves).items():
        load, _ = reserved.load_kva(fleet, unit)
        limit_kva, start_kva = fleet.limit_kva[:, unit], fleet.rating_kva[unit] * start_pct / 100
        for sign, state in ((1, load), (-1, load + change)):
            likely, high = np.abs(state[P50]), upper_kva(state)
            merit += sign * np.array(
                [
                    over_kva(likely, limit_kva).sum(),
                    over_kva(high, limit_kva).sum(),
                    over_kva(high, start_kva).sum(),
                ]
            )
    merit = np.nan_to_num(merit * fleet.step_h, nan=-np.inf)
    return float(merit[0]), float(merit[1]), float(merit[2])


def over_kva(load_kva: Floats, limit_kva: Floats | float) -> Floats:
    """Load above a limit [kVA], 0 below it."""
    return np.maximum(load_kva - limit_kva, 0)


def distinct(refused: Sequence[WhyNot]) -> list[WhyNot]:
    """One entry for each reason: a tie in FAULT refuses all its transfers in the same words."""
    first: dict[tuple[str, str], WhyNot] = {}
    for why in refused:
        first.setdefault((why.code, render(why.reason)), why)
    return list(first.values())
