"""Parts of the problem that do not touch: transformers and clusters that could reach a limit together."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.sparse import coo_array, csr_array
from scipy.sparse.csgraph import connected_components

from gridlib.domain.transfer.grid import Bools, Floats, Ints, SectionGrid
from gridlib.domain.transfer.master import Master
from gridlib.domain.transfer.options import Choice, JointLimit
from gridlib.domain.transfer.reach import Reach, breaker_ends
from gridlib.domain.transfer.territory import Territories


@dataclass(frozen=True, eq=False)
class Component:
    """Transformers that are planned together.

    Attributes
    ----------
    units : array of int
        Transformers whose load may change.
    switches : array of int
        Switches that may move.
    choices : list of Choice
        What they choose from.
    joint : list of JointLimit
        Transformers whose limit joins several choices.
    complete : bool
        Whether every territory is listed, so that a bound may be claimed.
    """

    units: Ints
    switches: Ints
    choices: list[Choice]
    joint: list[JointLimit]
    complete: bool


def components(
    grid: SectionGrid,
    around: Reach,
    listed: Mapping[int, Territories],
    chosen: Sequence[Choice],
    joint: Sequence[JointLimit],
) -> list[Component]:
    """Split the problem where nothing is shared.

    Parameters
    ----------
    grid : SectionGrid
        The grid.
    around : Reach
        Where switches may move.
    listed : mapping
        Territories by breaker.
    chosen, joint : sequence
        As from `choices`.

    Returns
    -------
    list of Component
        Those with an overloaded transformer; a transformer that cannot reach its limit joins nothing.
    """
    breakers = np.array(list(listed), dtype=np.int64)
    unit, head = breaker_ends(grid, breakers)
    home = dict(zip(breakers.tolist(), around.cluster[head - grid.transformers].tolist(), strict=True))
    together = [choice.breakers for choice in chosen] + [row.breakers for row in joint]
    pairs = [(home[group[0]], home[breaker]) for group in together for breaker in group[1:]]
    rows, columns = np.array(pairs, dtype=np.int64).reshape(-1, 2).T
    count = len(around.free)
    _, part = connected_components(coo_array((np.ones(len(rows)), (rows, columns)), (count, count)))

    choices_of: dict[int, list[Choice]] = defaultdict(list)
    for choice in chosen:
        choices_of[int(part[home[choice.breakers[0]]])].append(choice)
    joint_of: dict[int, list[JointLimit]] = defaultdict(list)
    for row in joint:
        joint_of[int(part[home[row.breakers[0]]])].append(row)
    n = grid.transformers
    inner = np.where(grid.start >= n, grid.start, grid.end)[around.switches] - n
    part_of_switch = part[around.cluster[inner]]
    by_part = np.argsort(part_of_switch, kind="stable")
    ordered = part_of_switch[by_part]
    part_of_breaker = np.array([part[home[breaker]] for breaker in breakers.tolist()], dtype=np.int64)
    found = []
    for number in np.unique(part_of_breaker[around.donors[unit]]).tolist():
        first, last = np.searchsorted(ordered, (number, number + 1))
        mine = breakers[part_of_breaker == number]
        found.append(
            Component(
                units=np.unique(unit[part_of_breaker == number]),
                switches=np.sort(around.switches[by_part[first:last]]),
                choices=choices_of[number],
                joint=joint_of[number],
                complete=all(listed[breaker].complete for breaker in mine.tolist()),
            )
        )
    return found


def batches(parts: Sequence[Component], options: int) -> list[list[int]]:
    """Put small components together, so that one programme solves many.

    Parameters
    ----------
    parts : sequence of Component
        The components.
    options : int
        Most options of a batch; a component with more, or with joint limits, is alone.

    Returns
    -------
    list of list of int
        Positions of the components of each batch.
    """
    found: list[list[int]] = []
    filled = options
    for number, part in enumerate(parts):
        size = options if part.joint else sum(len(choice.over_kvah) for choice in part.choices)
        if filled + size > options:
            found.append([])
            filled = 0
        found[-1].append(number)
        filled += size
    return found


def merged(parts: Sequence[Component]) -> Component:
    """Write components as one."""
    return Component(
        units=np.concatenate([part.units for part in parts]),
        switches=np.sort(np.concatenate([part.switches for part in parts])),
        choices=[choice for part in parts for choice in part.choices],
        joint=[row for part in parts for row in part.joint],
        complete=all(part.complete for part in parts),
    )


def master_of(grid: SectionGrid, part: Component, listed: Mapping[int, Territories]) -> Master:
    """Write a component as a set partition of its sections."""
    breakers = [breaker for choice in part.choices for breaker in choice.breakers]
    sizes = [len(listed[breaker].sections) for breaker in breakers]
    first = dict(zip(breakers, np.cumsum([0, *sizes])[:-1].tolist(), strict=True))
    sections = [territory for breaker in breakers for territory in listed[breaker].sections]
    switches = [territory for breaker in breakers for territory in listed[breaker].switches]
    closing = np.where(grid.closed, -1.0, 1.0)
    covers, _ = _members(sections)
    closes, switch_of_column = _members(switches)
    was_closed = part.switches[grid.closed[part.switches]]
    joint_rows = np.cumsum([0, *[len(row.steps) for row in part.joint]])
    entries: list[tuple[Ints, Ints, Floats]] = []
    for row, begin in zip(part.joint, joint_rows[:-1].tolist(), strict=True):
        for breaker in row.breakers:
            load = listed[breaker].load_kva[:, row.steps] * row.sign
            territory, step = np.nonzero(load)
            entries.append((territory + first[breaker], step + begin, load[territory, step]))
    shape = (len(sections), int(joint_rows[-1]))
    joint = csr_array(shape)
    if entries:
        territory, step, load = (np.concatenate(column) for column in zip(*entries, strict=True))
        joint = csr_array((load, (territory, step)), shape=shape)
    return Master(
        covers=covers,
        cost_kvah=closes @ (closing * grid.cost_kvah)[switch_of_column],
        constant_kvah=float(grid.cost_kvah[was_closed].sum()),
        closings=closes @ (~grid.closed[switch_of_column]).astype(float),
        most_closings=np.inf,
        picks=[choice.picks + [first[breaker] for breaker in choice.breakers] for choice in part.choices],
        over_kvah=[choice.over_kvah for choice in part.choices],
        present=[choice.present for choice in part.choices],
        joint=joint,
        joint_room_kva=np.concatenate([np.zeros(0), *[row.room_kva for row in part.joint]]),
        joint_over_kva=np.concatenate([np.zeros(0), *[row.over_kva for row in part.joint]]),
        joint_weight=np.concatenate(
            [np.zeros(0), *[grid.step_weight_h[row.steps] * grid.weight[row.unit] for row in part.joint]]
        ),
    )


def states_of(grid: SectionGrid, part: Component, listed: Mapping[int, Territories], chosen: Ints) -> Bools:
    """Switch states of the whole grid when a component takes its chosen options."""
    closed = grid.closed.copy()
    closed[part.switches] = False
    for choice, option in zip(part.choices, chosen.tolist(), strict=True):
        for breaker, pick in zip(choice.breakers, choice.picks[option].tolist(), strict=True):
            closed[list(listed[breaker].switches[pick])] = True
    return closed


def left_kvah(grid: SectionGrid, part: Component, listed: Mapping[int, Territories], chosen: Ints) -> float:
    """Add up the risk-weighted overload of the chosen options."""
    over = 0.0
    picked: dict[int, int] = {}
    for choice, option in zip(part.choices, chosen.tolist(), strict=True):
        over += float(choice.over_kvah[option])
        picked.update(zip(choice.breakers, choice.picks[option].tolist(), strict=True))
    for row in part.joint:
        load = sum(listed[breaker].load_kva[picked[breaker], row.steps] for breaker in row.breakers)
        excess = np.maximum(row.sign * load - row.room_kva, 0.0)
        over += float(excess @ grid.step_weight_h[row.steps] * grid.weight[row.unit])
    return over


def _members(groups: Sequence[tuple[int, ...]]) -> tuple[csr_array, Ints]:
    """Membership of each group, with a column for each member that occurs."""
    length = np.array([len(group) for group in groups], dtype=np.int64)
    members = np.array([member for group in groups for member in group], dtype=np.int64)
    names, column = np.unique(members, return_inverse=True)
    row = np.repeat(np.arange(len(groups)), length)
    return csr_array((np.ones(len(members)), (row, column)), shape=(len(groups), len(names))), names
