"""The best switching for all transformers at risk together, in plans that stand on their own."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice

import numpy as np

from gridlib.domain.planning.above import places_crossed
from gridlib.domain.planning.feeding import MOST_ORDERS, orders
from gridlib.domain.planning.fleet import Fleet, Floats, Place
from gridlib.domain.planning.grid import QUANTILE_WEIGHTS, Bars, planning_grid
from gridlib.domain.planning.prove import Trial, try_moves
from gridlib.domain.planning.reserve import Reservation, reserve
from gridlib.domain.planning.switchgear import Device
from gridlib.domain.planning.wiring import Ground, Ints, Wiring
from gridlib.domain.transfer import solve_transfers
from gridlib.facts.types import Limits, Move, PlanningRules


@dataclass(frozen=True, eq=False)
class Task:
    """Transformers that one plan is to relieve, the riskiest first.

    ``rows`` are the switches that may move for it; ``moves`` is what the portfolio does for it, empty where
    it found nothing.
    """

    donors: tuple[int, ...]
    rows: Ints
    moves: tuple[Move, ...]


class Promises:
    """Moves of other plans, found by the transformers they touch and by the feeders they cross."""

    def __init__(self, fleet: Fleet, moves: Iterable[Move]) -> None:
        self.fleet = fleet
        self.moves_at: dict[int | Place, list[Move]] = defaultdict(list)
        for move in moves:
            for place in places_touched(fleet, [move]):
                self.moves_at[place].append(move)

    def near(self, units: Iterable[int], but: Sequence[Move] = ()) -> tuple[Move, ...]:
        """List the moves that touch some transformers, or bring load to their feeders and substations."""
        found = dict.fromkeys(
            move for place in places_around(self.fleet, units) for move in self.moves_at.get(place, ())
        )
        return tuple(move for move in found if move not in but)


def places_touched(fleet: Fleet, moves: Sequence[Move]) -> list[int | Place]:
    """List the transformers that moves touch, and the feeders and substations whose load they change."""
    return [*touched_units(fleet, moves), *places_crossed(fleet, moves)]


def places_around(fleet: Fleet, units: Iterable[int]) -> list[int | Place]:
    """List transformers with their feeders and substations."""
    known = list(units)
    return [*known, *dict.fromkeys(place for unit in known for place in fleet.places[unit])]


def touched_units(fleet: Fleet, moves: Sequence[Move]) -> list[int]:
    """Positions of the transformers that moves touch, in the order of the moves."""
    names = [name for move in moves for name in (move.from_transformer, move.to_transformer)]
    found = [fleet.position(name) for name in names]
    for move in moves:
        for name in (move.open_switch, move.close_switch):
            device = fleet.devices.get(name)
            ends = (device.start, device.end) if device else ()
            found += [int(fleet.tree.source[end]) for end in ends if end >= 0]
    return [unit for unit in dict.fromkeys(found) if unit >= 0]


def find_portfolio(
    fleet: Fleet,
    wiring: Wiring,
    ground: Ground,
    donors: Sequence[int],
    reserved: Sequence[Move],
    limits: Limits,
    rules: PlanningRules,
) -> list[Task]:
    """Find the switching that leaves all transformers at risk together the least expected overload.

    Parameters
    ----------
    fleet : Fleet
        The fleet.
    wiring, ground : Wiring, Ground
        Its switches.
    donors : sequence of int
        Transformers at risk, the riskiest first.
    reserved : sequence of Move
        Moves of open plans.
    limits, rules : Limits, PlanningRules
        The site's.

    Returns
    -------
    list of Task
        Every transformer at risk is in one of them; by the riskiest of each. The moves of all tasks hold
        together, and each task's alone, whichever of the others are carried out.
    """
    order = {unit: k for k, unit in enumerate(donors)}
    rows = ground.rows_around(donors)
    aim_pct = dict.fromkeys(donors, limits.loading_limit_pct)
    promised = reserve(fleet, reserved)
    grid = planning_grid(fleet, wiring, rows, aim_pct, promised, rules, Bars())
    found = solve_transfers(grid, hops=None, time_limit_s=rules.search_limit_s)
    kept = Promises(fleet, reserved)
    owned: dict[int, Task] = {}
    for group in found.groups:
        mine = rows[group.switches[group.switches < len(rows)]]
        best = group.plans[-1]
        opens, closes = (
            [wiring.devices[row] for row in rows[change]] for change in (best.opens, best.closes)
        )
        for moves in _standing_alone(fleet, opens, closes, kept, limits, rules):
            helped = sorted(set(relieved_units(fleet, moves)) & order.keys(), key=order.__getitem__)
            if not helped:
                continue
            earlier = owned.get(helped[0], Task((), mine, ()))
            if len(earlier.moves) + len(moves) <= rules.max_moves:
                donors_of = sorted({*earlier.donors, *helped}, key=order.__getitem__)
                owned[helped[0]] = Task(
                    tuple(donors_of), np.union1d(earlier.rows, mine), (*earlier.moves, *moves)
                )
    return _with_all(owned, donors, ground)


def _with_all(owned: Mapping[int, Task], donors: Sequence[int], ground: Ground) -> list[Task]:
    """Give every transformer a task: its own, or that of a riskier one that relieves it too."""
    tasks, done = [], set[int]()
    for unit in donors:
        if unit in owned:
            task = owned[unit]
            others = [other for other in task.donors[1:] if other not in owned and other not in done]
            tasks.append(replace(task, donors=(unit, *others)))
        elif unit not in done:
            tasks.append(Task((unit,), ground.rows_around([unit]), ()))
        done |= set(tasks[-1].donors)
    return tasks


def relieved_units(fleet: Fleet, moves: Sequence[Move], aim_pct: float = np.inf) -> list[int]:
    """Find the transformers whose expected load above their limit, or above a lower loading, falls."""
    found = []
    for unit, change in fleet.deltas(moves).items():
        limit_kva = np.minimum(fleet.limit_kva[:, unit], fleet.rating_kva[unit] * aim_pct / 100)
        load = fleet.load_kva[:, :, unit]
        if expected_over_kvah(fleet, load + change, limit_kva) < expected_over_kvah(fleet, load, limit_kva):
            found.append(unit)
    return found


def expected_over_kvah(fleet: Fleet, load_kva: Floats, limit_kva: Floats | float) -> float:
    """Compute the expected energy of a load [Q, T] above a limit, one for all hours or [T], in kVAh."""
    over = sum(
        weight * np.maximum(np.abs(load_kva[quantile]) - limit_kva, 0).sum()
        for quantile, weight in QUANTILE_WEIGHTS.items()
    )
    return float(over * fleet.step_h)


def in_order(
    fleet: Fleet,
    opens: Sequence[Device],
    closes: Sequence[Device],
    reserved: Reservation,
    limits: Limits,
    rules: PlanningRules,
) -> tuple[tuple[Move, ...], Trial] | None:
    """Put switches into the first order of moves that holds at every step; else one that does not.

    None where no order keeps every section fed by one way.
    """
    first: tuple[tuple[Move, ...], Trial] | None = None
    for moves in islice(orders(fleet, opens, closes), MOST_ORDERS):
        trial = try_moves(fleet, moves, reserved, limits, rules)
        if not trial.refusals:
            return moves, trial
        first = first or (moves, trial)
        if not any(refusal.code == "step_order" for refusal in trial.refusals):
            break
    return first


def _standing_alone(
    fleet: Fleet,
    opens: Sequence[Device],
    closes: Sequence[Device],
    kept: Promises,
    limits: Limits,
    rules: PlanningRules,
) -> list[tuple[Move, ...]]:
    """Take switches that change apart into plans, each of which holds whatever becomes of the others.

    Plans that need each other's relief or sections are one plan.
    """
    plans: list[tuple[Move, ...]] = []
    for opening, closing in _pieces(fleet, opens, closes):
        for moves in islice(orders(fleet, opening, closing), 1):
            plans += [(move,) for move in moves]
    dropped: list[tuple[Move, ...]] = []
    while True:
        refused = next((plan for plan in plans if not _holds(fleet, plan, plans, kept, limits, rules)), None)
        if refused is None:
            return plans
        units = set(touched_units(fleet, refused))
        partners = [p for p in plans if p is not refused and units & set(touched_units(fleet, p))]
        plans = [p for p in plans if p is not refused and p not in partners]
        if not partners or sum(map(len, partners)) + len(refused) > rules.max_moves:
            # Too long for one plan, or refused for good: left to the search for each transformer.
            dropped.append(refused)
            plans += partners
            continue
        together = _reordered(fleet, [refused, *partners], limits, rules, kept)
        plans += [together] if together else partners
    return plans


def _holds(
    fleet: Fleet,
    plan: tuple[Move, ...],
    plans: Sequence[tuple[Move, ...]],
    kept: Promises,
    limits: Limits,
    rules: PlanningRules,
) -> bool:
    others = [move for other in plans if other is not plan for move in other]
    reserved = reserve(fleet, [*kept.near(touched_units(fleet, plan)), *others])
    return not try_moves(fleet, plan, reserved, limits, rules).refusals


def _reordered(
    fleet: Fleet,
    plans: Sequence[tuple[Move, ...]],
    limits: Limits,
    rules: PlanningRules,
    kept: Promises,
) -> tuple[Move, ...]:
    """Write plans as one; empty where no order holds."""
    moves = [move for plan in plans for move in plan]
    opens = [fleet.devices[move.open_switch] for move in moves]
    closes = [fleet.devices[move.close_switch] for move in moves]
    reserved = reserve(fleet, kept.near(touched_units(fleet, moves)))
    found = in_order(fleet, opens, closes, reserved, limits, rules)
    return found[0] if found else ()


def _pieces(
    fleet: Fleet, opens: Sequence[Device], closes: Sequence[Device]
) -> Iterator[tuple[list[Device], list[Device]]]:
    """Part switches that change where they share no branch."""
    label: dict[int, int] = {}

    def branch(node: int) -> int:
        while fleet.tree.parent[node] >= fleet.tree.transformers:
            node = int(fleet.tree.parent[node])
        return node

    def find(node: int) -> int:
        while label.setdefault(node, node) != node:
            node = label[node]
        return node

    heads: dict[str, int] = {}
    for device in (*closes, *opens):
        ends = [end for end in (device.start, device.end) if end >= fleet.tree.transformers]
        roots = [find(branch(end)) for end in ends]
        for root in roots[1:]:
            label[root] = roots[0]
        heads[device.switch_id] = branch(ends[0])
    pieces: dict[int, tuple[list[Device], list[Device]]] = defaultdict(lambda: ([], []))
    for devices, side in ((opens, 0), (closes, 1)):
        for device in devices:
            pieces[find(heads[device.switch_id])][side].append(device)
    for opening, closing in pieces.values():
        if len(opening) == len(closing):
            yield opening, closing
