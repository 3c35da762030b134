"""What happens to the neighbours if a transformer is lost: U, S and C."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gridlib.domain.network import (
    branches,
    closed_switches,
    section_load_kva,
    transformer_load_kva,
    usable_ties,
)
from gridlib.domain.thermal.arrays import Floats
from gridlib.facts.types import Limits, Network

WEIGHT_UNSERVED, WEIGHT_STRESS, WEIGHT_TRIPS = 0.6, 0.25, 0.15

MAX_ASSIGNMENTS = 4096
"""Ways to spread one unit's branches over its neighbours that are looked at."""

_BUNDLES = 12
"""Bundles of branches that have one and the same neighbour: 2^12 ways are `MAX_ASSIGNMENTS`."""

_STRESS_SPAN_PU = 0.2
_ROUNDING_PU = 1e-9


@dataclass(frozen=True)
class _Fleet:
    """Arrays of the fleet: load [T, N] and rating [N] of transformers, load [T, B] of branches [kVA]."""

    ids: NDArray[np.object_]
    load_kva: Floats
    rating_kva: Floats
    branch_kva: Floats
    branch_owner: NDArray[np.int64]
    ties: pd.DataFrame


@dataclass(frozen=True)
class _PickUp:
    """Outcome of the best pick-up, [T, N]: load left, largest neighbour loading, and which neighbour.

    ``stress_pu`` is the smallest possible largest loading with every tied branch picked up, infinite where
    that is impossible and 0 where there is no tie.
    """

    unserved_kva: Floats
    reach_pu: Floats
    busiest: NDArray[np.int64]
    stress_pu: Floats


def cascading_component(
    network: Network,
    states: pd.DataFrame,
    load_kva: pd.DataFrame,
    limits: Limits,
    *,
    tz: str = "UTC",
) -> pd.DataFrame:
    """Score what the loss of each transformer would do.

    Parameters
    ----------
    network : Network
        The network.
    states : DataFrame
        Switch states, as from `gridlib.domain.network.current_states`.
    load_kva : DataFrame
        Wide, time x transformer, with every section at its normal transformer [kVA]; what hangs elsewhere
        under ``states`` is carried over here. Export counts as no load to pick up.
    limits : Limits
        ``emergency_pct`` and ``trip_pct`` are used.
    tz : str
        Time zone of the hours in the sentences.

    Returns
    -------
    DataFrame
        Indexed by transformer_id, for each transformer with a rating and a load in every hour:
        ``cascading`` [0, 1]; ``unserved`` U, ``stress`` S and ``trips`` C, each [0, 1]; ``hour``, the worst
        hour (UTC); ``sentence`` about that hour.

    Notes
    -----
    ``cascading = 0.6 U + 0.25 S + 0.15 C``, each the largest over the hours, for the loss of unit i:

    - U: load that cannot be picked up, over the rating of i. What hangs on i without a branch, or on a
      branch without a tie, is lost; a branch goes over whole, to one neighbour, within the tie's limit and
      ``emergency_pct`` of the neighbour's rating. All ways to do so are compared and the least unserved
      load counts; where there are more than 4,096, the smallest neighbours are left out, but each branch
      keeps one, and more than twelve branches with one and the same neighbour go over in twelve bundles.
    - S: ``clip((loading - 1) / 0.2, 0, 1)`` of the busiest neighbour once all tied branches are picked up
      in the most even way; 1 where they cannot all be picked up.
    - C: ``1 - 2^-n`` with n the neighbours that would pass ``trip_pct`` if nobody managed it and each
      branch went over in equal parts to all its neighbours.

    The best pick-up, not one branch after the other to the neighbour with most room: with the latter U can
    fall when a load rises. A radial network does not redistribute by itself, so centrality and
    flow-redistribution measures do not apply.
    """
    fleet = _fleet(network, states, load_kva)
    pick_up = _best_pick_up(fleet, limits)
    unserved = np.clip(pick_up.unserved_kva / fleet.rating_kva, 0, 1)
    stress = np.clip((pick_up.stress_pu - 1) / _STRESS_SPAN_PU, 0, 1)
    tripped = _tripped(fleet, limits)
    trips = 1 - 0.5**tripped

    hourly = WEIGHT_UNSERVED * unserved + WEIGHT_STRESS * stress + WEIGHT_TRIPS * trips
    worst = hourly >= hourly.max(axis=0) - _ROUNDING_PU
    hour = np.where(worst, fleet.load_kva, -np.inf).argmax(axis=0)
    tied = set(fleet.ties["owner"])
    local = pd.DatetimeIndex(load_kva.index).tz_convert(tz)
    sentences = [
        _sentence(fleet, pick_up, tripped, limits, n=n, t=int(t), when=local[t], tied=n in tied)
        for n, t in enumerate(hour)
    ]
    u, s, c = unserved.max(axis=0), stress.max(axis=0), trips.max(axis=0)
    return pd.DataFrame(
        {
            "cascading": WEIGHT_UNSERVED * u + WEIGHT_STRESS * s + WEIGHT_TRIPS * c,
            "unserved": u,
            "stress": s,
            "trips": c,
            "hour": pd.DatetimeIndex(load_kva.index)[hour],
            "sentence": pd.Series(sentences, index=fleet.ids, dtype=object),
        },
        index=pd.Index(fleet.ids, name="transformer_id"),
    )


def _fleet(network: Network, states: pd.DataFrame, load_kva: pd.DataFrame) -> _Fleet:
    closed = closed_switches(states)
    rating = network.transformers.drop_duplicates("transformer_id").set_index("transformer_id")["rating_kva"]
    load = transformer_load_kva(network, load_kva, closed)
    rating = rating.reindex(load.columns).astype(float)
    known = (rating > 0).to_numpy() & np.isfinite(load.to_numpy(float)).all(axis=0)
    ids = pd.Index(load.columns[known])

    fed = branches(network, closed)
    fed = fed[fed["transformer_id"].isin(ids)]
    section_kva = section_load_kva(network, load_kva).reindex(columns=fed["section_id"]).to_numpy(float)
    code, names = pd.factorize(fed["branch_id"])
    branch_kva = np.maximum(_summed(section_kva, code, len(names)), 0)
    owner = np.zeros(len(names), dtype=np.int64)
    owner[code] = ids.get_indexer(pd.Index(fed["transformer_id"]))

    ties = usable_ties(network, states)
    ties = ties.assign(
        owner=ids.get_indexer(pd.Index(ties["transformer_id"])),
        neighbour=ids.get_indexer(pd.Index(ties["neighbour_id"])),
        branch=pd.Index(names).get_indexer(pd.Index(ties["branch_id"])),
    )
    ties = ties[(ties["owner"] >= 0) & (ties["neighbour"] >= 0) & (ties["branch"] >= 0)]
    ties = ties.groupby(["owner", "branch", "neighbour"], as_index=False).agg({"limit_kva": "max"})
    return _Fleet(
        ids=ids.to_numpy(object),
        load_kva=np.maximum(load.loc[:, ids].to_numpy(float), 0),
        rating_kva=rating[known].to_numpy(float),
        branch_kva=branch_kva,
        branch_owner=owner,
        ties=ties,
    )


def _summed(values: Floats, key: NDArray[np.int64], size: int) -> Floats:
    """Sum the columns of [T, K] that have the same key, [T, size]."""
    total = np.zeros((len(values), size))
    if len(key):
        order = np.argsort(key, kind="stable")
        starts = np.flatnonzero(np.diff(key[order], prepend=-1))
        total[:, key[order][starts]] = np.add.reduceat(values[:, order], starts, axis=1)
    return total


def _best_pick_up(fleet: _Fleet, limits: Limits) -> _PickUp:
    """Start from nothing picked up, then improve each group of branches that compete for neighbours."""
    shape = fleet.load_kva.shape
    on_branches = _summed(fleet.branch_kva, fleet.branch_owner, shape[1])
    unserved = np.maximum(fleet.load_kva, on_branches)
    result = _PickUp(unserved, np.zeros(shape), np.full(shape, -1), np.zeros(shape))

    alike: dict[tuple[tuple[int, ...], ...], list[_Group]] = defaultdict(list)
    for group in _groups(fleet):
        alike[group.options].append(group)
    for options, groups in alike.items():
        owner = np.array([group.owner for group in groups])
        saved, reach, busiest, stress = _spread_branches(options, groups, fleet, limits)
        for g, n in enumerate(owner):
            result.unserved_kva[:, n] -= saved[:, g]
            result.stress_pu[:, n] = np.maximum(result.stress_pu[:, n], stress[:, g])
            busier = reach[:, g] > result.reach_pu[:, n]
            result.reach_pu[busier, n] = reach[busier, g]
            result.busiest[busier, n] = busiest[busier, g]
    unserved[unserved < _ROUNDING_PU * fleet.rating_kva] = 0
    return result


@dataclass(frozen=True)
class _Group:
    """Branches of one unit that share neighbours; ``options[b]`` are positions in ``neighbours``.

    An entry of ``bundles`` is one branch, or several that go over together or not at all.
    """

    owner: int
    bundles: tuple[tuple[int, ...], ...]
    neighbours: tuple[int, ...]
    options: tuple[tuple[int, ...], ...]
    limit_kva: tuple[tuple[tuple[float, ...], ...], ...]


Near = dict[int, dict[int, float]]
"""Neighbours of each branch, with the limit of the tie [kVA]."""


def _groups(fleet: _Fleet) -> Iterator[_Group]:
    for owner, ties in fleet.ties.groupby("owner", sort=True):
        near: Near = defaultdict(dict)
        for branch, neighbour, limit in zip(
            ties["branch"], ties["neighbour"], ties["limit_kva"], strict=True
        ):
            near[int(branch)][int(neighbour)] = float(limit)
        for members in _parts(near):
            for part in _parts(_narrowed(members, fleet.rating_kva)):
                yield _group(int(str(owner)), part, fleet.rating_kva)


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


def _group(owner: int, members: Near, rating_kva: Floats) -> _Group:
    """Order a group; branches with one neighbour each that are too many go over in bundles."""
    choice = {branch: sorted(near, key=lambda n: (-rating_kva[n], n)) for branch, near in members.items()}
    order = list(choice)
    # Of a fixed set of ways, chosen without a look at the load, the best never gets better when a load rises.
    bundles: list[tuple[int, ...]] = [(branch,) for branch in order]
    if np.prod([len(near) + 1.0 for near in choice.values()]) > MAX_ASSIGNMENTS:
        bundles = [tuple(order[k::_BUNDLES]) for k in range(_BUNDLES)]
    neighbours = sorted({n for near in choice.values() for n in near})
    return _Group(
        owner,
        tuple(bundles),
        tuple(neighbours),
        tuple(tuple(neighbours.index(n) for n in choice[bundle[0]]) for bundle in bundles),
        tuple(
            tuple(tuple(members[branch][n] for branch in bundle) for n in choice[bundle[0]])
            for bundle in bundles
        ),
    )


def _spread_branches(
    options: tuple[tuple[int, ...], ...], groups: list[_Group], fleet: _Fleet, limits: Limits
) -> tuple[Floats, Floats, NDArray[np.int64], Floats]:
    """Compare all ways to spread the branches of groups of the same shape; arrays [T, G]."""
    near = np.array([group.neighbours for group in groups]).T
    kva = [
        np.stack([fleet.branch_kva[:, list(group.bundles[b])].sum(axis=1) for group in groups], axis=1)
        for b in range(len(options))
    ]
    room = [
        [
            np.stack(
                [
                    (fleet.branch_kva[:, list(group.bundles[b])] <= group.limit_kva[b][o]).all(axis=1)
                    for group in groups
                ],
                axis=1,
            )
            for o in range(len(choice))
        ]
        for b, choice in enumerate(options)
    ]
    top = limits.emergency_pct / 100
    saved = np.zeros_like(kva[0])
    reach = np.zeros_like(saved)
    busiest = np.full(saved.shape, -1)
    stress = np.full(saved.shape, np.inf)
    for ways in product(*(range(-1, len(choice)) for choice in options)):
        picked = [(b, way) for b, way in enumerate(ways) if way >= 0]
        possible = np.ones(saved.shape, dtype=bool)
        taken = np.zeros_like(saved)
        added: dict[int, Floats] = {}
        for b, way in picked:
            possible &= room[b][way]
            taken = taken + kva[b]
            place = options[b][way]
            added[place] = added.get(place, 0.0) + kva[b]
        worst, who = np.zeros_like(saved), np.full(saved.shape, -1)
        for place, more in added.items():
            loading = (fleet.load_kva[:, near[place]] + more) / fleet.rating_kva[near[place]]
            possible &= loading <= top
            busier = loading > worst
            worst = np.where(busier, loading, worst)
            who = np.where(busier, near[place], who)
        better = possible & ((taken > saved) | ((taken == saved) & (worst < reach)))
        saved = np.where(better, taken, saved)
        reach = np.where(better, worst, reach)
        busiest = np.where(better, who, busiest)
        if len(picked) == len(options):
            stress = np.where(possible, np.minimum(stress, worst), stress)
    return saved, reach, busiest, stress


def _tripped(fleet: _Fleet, limits: Limits) -> Floats:
    """Neighbours that would pass the trip limit with each branch shared equally by its neighbours, [T, N]."""
    ties = fleet.ties.sort_values(["owner", "neighbour"], kind="stable")
    ways = ties.groupby("branch")["neighbour"].transform("size").to_numpy(float)
    shared = fleet.branch_kva[:, ties["branch"].to_numpy()] / ways
    pair = np.asarray(ties.groupby(["owner", "neighbour"]).ngroup(), dtype=np.int64)
    pairs = ties[["owner", "neighbour"]].drop_duplicates()
    owner, neighbour = pairs["owner"].to_numpy(np.int64), pairs["neighbour"].to_numpy(np.int64)
    added = _summed(shared, pair, len(pairs))
    over = fleet.load_kva[:, neighbour] + added > limits.trip_pct / 100 * fleet.rating_kva[neighbour]
    return _summed(over.astype(float), owner, fleet.load_kva.shape[1])


def _sentence(
    fleet: _Fleet,
    pick_up: _PickUp,
    tripped: Floats,
    limits: Limits,
    *,
    n: int,
    t: int,
    when: pd.Timestamp,
    tied: bool,
) -> str:
    load = fleet.load_kva[t, n]
    left_pct = 100 * min(1.0, pick_up.unserved_kva[t, n] / load) if load > 0 else 0.0
    words = f"{fleet.ids[n]} at {when:%H:%M} on {when:%d %b} carries {load:,.0f} kVA; "
    if not tied:
        return words + f"{left_pct:.0f} % cannot be picked up: no usable tie to a neighbour"
    words += f"{left_pct:.0f} % cannot be picked up within {limits.emergency_pct:.0f} % of its neighbours; "
    busiest = pick_up.busiest[t, n]
    if busiest < 0:
        words += "no neighbour has room for a branch"
    else:
        words += f"busiest neighbour {fleet.ids[busiest]} would reach {100 * pick_up.reach_pu[t, n]:.0f} %"
    if tripped[t, n]:
        words += (
            f"; {tripped[t, n]:.0f} neighbour(s) would pass {limits.trip_pct:.0f} % "
            "if the load went over unmanaged"
        )
    return words
