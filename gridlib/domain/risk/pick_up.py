"""The best way to spread a lost transformer's branches over its neighbours."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from gridlib.domain.thermal.arrays import Floats

Ints = NDArray[np.int64]

MAX_ASSIGNMENTS = 4096
"""Ways to spread one unit's branches over its neighbours that are looked at."""

_BUNDLES = 12
"""Bundles of branches that have one and the same neighbour: 2^12 ways are `MAX_ASSIGNMENTS`."""

_ROUNDING_PU = 1e-9


@dataclass(frozen=True)
class Fleet:
    """Arrays of the fleet: load [N, T] and rating [N] of transformers, load [B, T] of branches [kVA].

    ``ties`` has one row for each branch and neighbour, as positions: owner, branch, neighbour, limit_kva.
    """

    ids: NDArray[np.object_]
    load_kva: Floats
    rating_kva: Floats
    branch_kva: Floats
    branch_owner: Ints
    ties: pd.DataFrame


@dataclass(frozen=True)
class PickUp:
    """Outcome of the best pick-up, [N, T]: load left, largest neighbour loading, and which neighbour.

    ``stress_pu`` is the smallest possible largest loading with every tied branch picked up, infinite where
    that is impossible and 0 where there is no tie.
    """

    unserved_kva: Floats
    reach_pu: Floats
    busiest: Ints
    stress_pu: Floats


@dataclass(frozen=True)
class _Alike:
    """Groups of branches of one shape: each group shares neighbours, and its branches are of one unit.

    Attributes
    ----------
    options : tuple
        For each bundle the neighbours it may go to, as rows of ``near``. A bundle is one branch, or several
        that go over together or not at all.
    owner : array [G]
        The unit of each group.
    near : array [M, G]
        Neighbours.
    bundles : list of array [G, branches]
        The branches of each bundle.
    limit_kva : list of list of array [G, branches]
        For each bundle and option the limit of the ties.
    """

    options: tuple[tuple[int, ...], ...]
    owner: Ints
    near: Ints
    bundles: list[Ints]
    limit_kva: list[list[Floats]]


def summed(values: Floats, key: Ints, size: int) -> Floats:
    """Sum the rows of [K, T] that have the same key, [size, T]."""
    total = np.zeros((size, values.shape[1]))
    if len(key):
        order = np.argsort(key, kind="stable")
        starts = np.flatnonzero(np.diff(key[order], prepend=-1))
        total[key[order][starts]] = np.add.reduceat(values[order], starts, axis=0)
    return total


def best_pick_up(fleet: Fleet, *, most_pu: float) -> PickUp:
    """Start from nothing picked up, then improve each group of branches that compete for neighbours.

    Parameters
    ----------
    fleet : Fleet
        The fleet.
    most_pu : float
        What a neighbour may be loaded to [pu].

    Returns
    -------
    PickUp
        For the loss of each transformer, hour by hour.
    """
    shape = fleet.load_kva.shape
    unserved = np.maximum(fleet.load_kva, summed(fleet.branch_kva, fleet.branch_owner, shape[0]))
    reach, busiest, stress = np.zeros(shape), np.full(shape, -1), np.zeros(shape)
    for alike in _groups(fleet):
        found = _spread_branches(alike, fleet, most_pu)
        for once in _turns(alike.owner):
            unit = alike.owner[once]
            saved, loading, who, even = (part[once] for part in found)
            unserved[unit] -= saved
            stress[unit] = np.maximum(stress[unit], even)
            busier = loading > reach[unit]
            reach[unit] = np.where(busier, loading, reach[unit])
            busiest[unit] = np.where(busier, who, busiest[unit])
    unserved[unserved < _ROUNDING_PU * fleet.rating_kva[:, None]] = 0
    return PickUp(unserved, reach, busiest, stress)


def _turns(owner: Ints) -> Iterator[Ints]:
    """Part positions so that no owner comes twice in a part."""
    order = np.argsort(owner, kind="stable")
    firsts = np.flatnonzero(np.diff(owner[order], prepend=-1))
    turn = np.arange(len(owner)) - np.repeat(firsts, np.diff(firsts, append=len(owner)))
    for number in range(turn.max(initial=-1) + 1):
        yield order[turn == number]


def _groups(fleet: Fleet) -> Iterator[_Alike]:
    """Find the groups and gather those of one shape; those with too many ways come one by one."""
    owner, branch, neighbour = (
        fleet.ties[name].to_numpy(np.int64) for name in ("owner", "branch", "neighbour")
    )
    limit = fleet.ties["limit_kva"].to_numpy(float)
    if not len(owner):
        return
    _, pair = np.unique(owner * len(fleet.ids) + neighbour, return_inverse=True)
    size = int(branch.max()) + 1
    joined = coo_array((np.ones(len(branch)), (branch, size + pair)), shape=(size + len(pair),) * 2)
    _, found = connected_components(joined, directed=False)
    _, group = np.unique(found[branch], return_inverse=True)

    choices = np.bincount(branch)[branch]
    first = np.unique(branch, return_index=True)[1]
    # Rounded, so that the sum of logarithms of 4,096 exactly is not a hair above.
    ways = np.bincount(group[first], weights=np.log2(choices[first] + 1.0)).round(9)
    many = (ways > np.log2(MAX_ASSIGNMENTS))[group]
    for number in np.unique(group[many]):
        mine = group == number
        near: Near = defaultdict(dict)
        for b, n, most in zip(branch[mine], neighbour[mine], limit[mine], strict=True):
            near[int(b)][int(n)] = float(most)
        for part in _parts(_narrowed(near, fleet.rating_kva)):
            yield _bundled(int(owner[mine][0]), part, fleet.rating_kva)

    order = np.lexsort((neighbour, -fleet.rating_kva[neighbour], branch, group))
    order = order[~many[order]]
    yield from _gathered(group[order], owner[order], branch[order], neighbour[order], limit[order])


def _gathered(group: Ints, owner: Ints, branch: Ints, neighbour: Ints, limit_kva: Floats) -> Iterator[_Alike]:
    """Put groups of the same shape together; rows are sorted by group, branch and preference."""
    if not len(group):
        return
    starts = np.flatnonzero(np.diff(group, prepend=-1))
    counts = np.diff(starts, append=len(group))
    rank = np.cumsum(np.diff(branch, prepend=-1) != 0)
    rank -= np.repeat(rank[starts], counts)
    by_name = np.lexsort((neighbour, group))
    new = (np.diff(group[by_name], prepend=-1) != 0) | (np.diff(neighbour[by_name], prepend=-1) != 0)
    place = np.empty(len(group), dtype=np.int64)
    place[by_name] = np.cumsum(new)
    place -= np.repeat(np.minimum.reduceat(place, starts), counts)
    for count in np.unique(counts):
        rows = starts[counts == count][:, None] + np.arange(count)
        shapes, which = np.unique(np.hstack([rank[rows], place[rows]]), axis=0, return_inverse=True)
        for number, pattern in enumerate(shapes):
            mine = rows[which.reshape(-1) == number]
            ranks, places = pattern[:count], pattern[count:]
            entries = [np.flatnonzero(ranks == r) for r in range(ranks[-1] + 1)]
            seat = [np.flatnonzero(places == p)[0] for p in range(places.max() + 1)]
            yield _Alike(
                tuple(tuple(places[entry].tolist()) for entry in entries),
                owner[mine[:, 0]],
                neighbour[mine[:, seat]].T,
                [branch[mine[:, entry[:1]]] for entry in entries],
                [[limit_kva[mine[:, [at]]] for at in entry] for entry in entries],
            )


Near = dict[int, dict[int, float]]
"""Neighbours of each branch, with the limit of the tie [kVA]."""


def _parts(near: Near) -> Iterator[Near]:
    """Part branches into groups that share no neighbour."""
    left = dict(near)
    while left:
        first, reached = left.popitem()
        members = {first: reached}
        around = set(reached)
        while touching := [branch for branch, others in left.items() if around & others.keys()]:
            for branch in touching:
                members[branch] = left.pop(branch)
                around |= members[branch].keys()
        yield dict(sorted(members.items()))


def _narrowed(members: Near, rating_kva: Floats) -> Near:
    """Leave out the smallest neighbours beyond `MAX_ASSIGNMENTS` ways, whatever the load; each keeps one."""
    kept = {branch: dict(near) for branch, near in members.items()}
    while np.prod([len(near) + 1.0 for near in kept.values()]) > MAX_ASSIGNMENTS:
        widest = max(kept, key=lambda branch: len(kept[branch]))
        if len(kept[widest]) == 1:
            break
        kept[widest].pop(min(kept[widest], key=lambda n: (rating_kva[n], -n)))
    return kept


def _bundled(owner: int, members: Near, rating_kva: Floats) -> _Alike:
    """Order one group; branches with one neighbour each that are too many go over in bundles."""
    choice = {branch: sorted(near, key=lambda n: (-rating_kva[n], n)) for branch, near in members.items()}
    order = list(choice)
    # Of a fixed set of ways, chosen without a look at the load, the best never gets better when a load rises.
    bundles = [[branch] for branch in order]
    if np.prod([len(near) + 1.0 for near in choice.values()]) > MAX_ASSIGNMENTS:
        bundles = [order[k::_BUNDLES] for k in range(_BUNDLES)]
    neighbours = sorted({n for near in choice.values() for n in near})
    return _Alike(
        tuple(tuple(neighbours.index(n) for n in choice[bundle[0]]) for bundle in bundles),
        np.array([owner]),
        np.array(neighbours)[:, None],
        [np.array([bundle]) for bundle in bundles],
        [
            [np.array([[members[branch][n] for branch in bundle]]) for n in choice[bundle[0]]]
            for bundle in bundles
        ],
    )


def _spread_branches(alike: _Alike, fleet: Fleet, most_pu: float) -> tuple[Floats, Floats, Ints, Floats]:
    """Compare all ways to spread the branches of groups of one shape; arrays [G, T]."""
    kva = [fleet.branch_kva[bundle].sum(axis=1) for bundle in alike.bundles]
    room = [
        [(fleet.branch_kva[bundle] <= limit[:, :, None]).all(axis=1) for limit in of_options]
        for bundle, of_options in zip(alike.bundles, alike.limit_kva, strict=True)
    ]
    carried = fleet.load_kva[alike.near]
    rating = fleet.rating_kva[alike.near][:, :, None]
    saved = np.zeros_like(kva[0])
    reach = np.zeros_like(saved)
    busiest = np.full(saved.shape, -1)
    stress = np.full(saved.shape, np.inf)
    for ways in product(*(range(-1, len(choice)) for choice in alike.options)):
        picked = [(b, way) for b, way in enumerate(ways) if way >= 0]
        if not picked:
            continue
        possible = np.ones(saved.shape, dtype=bool)
        taken = np.zeros_like(saved)
        added: dict[int, Floats] = {}
        for b, way in picked:
            possible &= room[b][way]
            taken = taken + kva[b]
            place = alike.options[b][way]
            added[place] = added[place] + kva[b] if place in added else kva[b]
        worst, who = np.zeros_like(saved), np.full(saved.shape, -1)
        for place, more in added.items():
            loading = (carried[place] + more) / rating[place]
            possible &= loading <= most_pu
            who = np.where(loading > worst, alike.near[place][:, None], who)
            worst = np.maximum(worst, loading)
        better = possible & ((taken > saved) | ((taken == saved) & (worst < reach)))
        saved = np.where(better, taken, saved)
        reach = np.where(better, worst, reach)
        busiest = np.where(better, who, busiest)
        if len(picked) == len(alike.options):
            stress = np.where(possible, np.minimum(stress, worst), stress)
    return saved, reach, busiest, stress
