"""Which transfers are worth looking at: every open tie of a donor, with every switch on the way to it."""

from itertools import combinations
from typing import NamedTuple

import numpy as np

from gridlib.domain.planning.devices import Refusal
from gridlib.domain.planning.fleet import P50, Fleet, Floats
from gridlib.domain.planning.heat import upper_kva
from gridlib.domain.planning.prove import Trial, try_moves
from gridlib.domain.planning.reserve import Reservation
from gridlib.facts.types import Limits, Move, PlanningRules, WhyNot

SCORED = 20
"""Most transfers of one transformer whose net risk is computed: half singles, half doubles."""

PAIRED = 12
"""Singles that are combined in pairs."""

Merit = tuple[float, float, float]


class Candidate(NamedTuple):
    """A transfer that may be made: moves, outcome of the check, and its merit by relief alone."""

    moves: tuple[Move, ...]
    trial: Trial
    merit: Merit


def find_candidates(
    fleet: Fleet, donor: int, reserved: Reservation, limits: Limits, rules: PlanningRules
) -> tuple[list[Candidate], list[WhyNot]]:
    """Search single and double transfers away from one transformer.

    Parameters
    ----------
    fleet : Fleet
        The fleet.
    donor : int
        Position of the transformer.
    reserved : Reservation
        What other open plans need.
    limits, rules : Limits, PlanningRules
        The site's.

    Returns
    -------
    candidates : list of Candidate
        Transfers that hold, best relief first, at most `SCORED`.
    refused : list of WhyNot
        The others that were looked at, the most promising first.

    Notes
    -----
    A single transfer opens one closed switch between the donor and a section with an open tie, and closes
    the tie: everything below the opened switch goes over. A double is two singles that hold, with no
    section and no switch in common.
    """
    singles, lost = single_moves(fleet, donor)
    refused = [(-np.inf, WhyNot(str(fleet.names[donor]), (), *refusal)) for refusal in lost]
    held: list[Candidate] = []

    def look_at(moves: tuple[Move, ...]) -> Candidate | None:
        trial = try_moves(fleet, moves, reserved, limits, rules)
        merit = merit_of(fleet, moves, reserved, limits)
        if not trial.refusals:
            return Candidate(moves, trial, merit)
        refused.append((merit[0] + merit[1], WhyNot(str(fleet.names[donor]), moves, *trial.refusals[0])))
        return None

    held = [found for move in singles if (found := look_at((move,)))]
    held.sort(key=_best_first)
    doubles: list[Candidate] = []
    if rules.max_moves > 1:
        pairs = [
            (*one.moves, *other.moves)
            for one, other in combinations(held[:PAIRED], 2)
            if not _shared(one.moves[0], other.moves[0])
        ]
        pairs.sort(key=lambda moves: merit_of(fleet, moves, reserved, limits), reverse=True)
        doubles = [found for moves in pairs[:SCORED] if (found := look_at(moves))]
    doubles = doubles[: max(SCORED // 2, SCORED - len(held))]
    candidates = sorted([*held[: SCORED - len(doubles)], *doubles], key=_best_first)
    refused.sort(key=lambda entry: -entry[0])
    return candidates, _distinct([why for _, why in refused])


def single_moves(fleet: Fleet, donor: int) -> tuple[list[Move], list[Refusal]]:
    """List the single transfers of a transformer, and the ties that lead nowhere."""
    moves: list[Move] = []
    lost: list[Refusal] = []
    for section in fleet.members.get(donor, ()):
        for tie in fleet.open_devices.get(section, ()):
            far = tie.end if tie.start == section else tie.start
            receiver = int(fleet.tree.source[far])
            if receiver < 0:
                lost.append(
                    Refusal("not_radial", f"{tie.switch_id} leads to {fleet.names[far]}, not fed by one way")
                )
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
        rating = fleet.rating_kva[unit] / 100
        for sign, state in ((1, load), (-1, load + change)):
            likely, high = np.abs(state[P50]), upper_kva(state)
            merit += sign * np.array(
                [
                    over_kva(likely, rating * limits.loading_limit_pct).sum(),
                    over_kva(high, rating * limits.loading_limit_pct).sum(),
                    over_kva(high, rating * start_pct).sum(),
                ]
            )
    merit = np.nan_to_num(merit * fleet.step_h, nan=-np.inf)
    return float(merit[0]), float(merit[1]), float(merit[2])


def over_kva(load_kva: Floats, limit_kva: float) -> Floats:
    """Load above a limit [kVA], 0 below it."""
    return np.maximum(load_kva - limit_kva, 0)


def _shared(one: Move, other: Move) -> bool:
    return (
        one.close_switch == other.close_switch
        or one.open_switch == other.open_switch
        or not set(one.sections).isdisjoint(other.sections)
    )


def _best_first(candidate: Candidate) -> tuple[float, float, float, int]:
    relief_p50, relief_p90, relief_severity = candidate.merit
    return -relief_p50, -relief_p90, -relief_severity, len(candidate.moves)


def _distinct(refused: list[WhyNot]) -> list[WhyNot]:
    """One entry for each reason: a tie in FAULT refuses all its transfers in the same words."""
    first: dict[tuple[str, str], WhyNot] = {}
    for why in refused:
        first.setdefault((why.code, why.reason), why)
    return list(first.values())
