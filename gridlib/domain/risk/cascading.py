"""What happens to the neighbours if a transformer is lost: U, S and C."""

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
from gridlib.domain.risk.pick_up import Fleet, PickUp, best_pick_up, summed
from gridlib.domain.thermal.arrays import Floats
from gridlib.facts.messages import Message
from gridlib.facts.types import Limits, Network

WEIGHT_UNSERVED, WEIGHT_STRESS, WEIGHT_TRIPS = 0.6, 0.25, 0.15

_STRESS_SPAN_PU = 0.2
_ROUNDING_PU = 1e-9


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
        Time zone of the hours in the messages.

    Returns
    -------
    DataFrame
        Indexed by transformer_id, for each transformer with a rating and a load in every hour:
        ``cascading`` [0, 1]; ``unserved`` U, ``stress`` S and ``trips`` C, each [0, 1]; ``hour``, the worst
        hour (UTC); ``messages``, what is to be said about that hour.

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
    pick_up = best_pick_up(fleet, most_pu=limits.emergency_pct / 100)
    rating = fleet.rating_kva[:, None]
    unserved = np.clip(pick_up.unserved_kva / rating, 0, 1)
    stress = np.clip((pick_up.stress_pu - 1) / _STRESS_SPAN_PU, 0, 1)
    tripped = _tripped(fleet, limits)
    trips = 1 - 0.5**tripped

    hourly = WEIGHT_UNSERVED * unserved + WEIGHT_STRESS * stress + WEIGHT_TRIPS * trips
    worst = hourly >= hourly.max(axis=1, keepdims=True) - _ROUNDING_PU
    hour = np.where(worst, fleet.load_kva, -np.inf).argmax(axis=1)
    u, s, c = unserved.max(axis=1), stress.max(axis=1), trips.max(axis=1)
    times = pd.DatetimeIndex(load_kva.index)
    said = _messages(fleet, pick_up, tripped, limits, hour, times.tz_convert(tz))
    return pd.DataFrame(
        {
            "cascading": WEIGHT_UNSERVED * u + WEIGHT_STRESS * s + WEIGHT_TRIPS * c,
            "unserved": u,
            "stress": s,
            "trips": c,
            "hour": times[hour],
            "messages": pd.Series(said, index=fleet.ids, dtype=object),
        },
        index=pd.Index(fleet.ids, name="transformer_id"),
    )


def _fleet(network: Network, states: pd.DataFrame, load_kva: pd.DataFrame) -> Fleet:
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
    branch_kva = np.maximum(summed(section_kva.T, code, len(names)), 0)
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
    return Fleet(
        ids=ids.to_numpy(object),
        load_kva=np.ascontiguousarray(np.maximum(load.to_numpy(float)[:, known], 0).T),
        rating_kva=rating[known].to_numpy(float),
        branch_kva=branch_kva,
        branch_owner=owner,
        ties=ties,
    )


def _tripped(fleet: Fleet, limits: Limits) -> Floats:
    """Neighbours that would pass the trip limit with each branch shared equally by its neighbours, [N, T]."""
    ties = fleet.ties.sort_values(["owner", "neighbour"], kind="stable")
    owner, branch, neighbour = (ties[name].to_numpy(np.int64) for name in ("owner", "branch", "neighbour"))
    ways = np.bincount(branch)[branch] if len(branch) else branch
    new = (np.diff(owner, prepend=-1) != 0) | (np.diff(neighbour, prepend=-1) != 0)
    pair = np.cumsum(new) - 1
    added = summed(fleet.branch_kva[branch] / ways[:, None], pair, int(new.sum()))
    limit = limits.trip_pct / 100 * fleet.rating_kva[neighbour[new], None]
    over = fleet.load_kva[neighbour[new]] + added > limit
    return summed(over.astype(float), owner[new], len(fleet.ids))


def _messages(
    fleet: Fleet,
    pick_up: PickUp,
    tripped: Floats,
    limits: Limits,
    hour: NDArray[np.intp],
    local: pd.DatetimeIndex,
) -> list[tuple[Message, ...]]:
    """Say for each unit what its loss would do in its worst hour."""
    unit = np.arange(len(hour))
    load = fleet.load_kva[unit, hour]
    left = pick_up.unserved_kva[unit, hour] / np.where(load > 0, load, np.inf)
    tied = np.isin(unit, fleet.ties["owner"].to_numpy())
    rows = zip(
        fleet.ids,
        hour.tolist(),
        load.tolist(),
        (100 * np.minimum(left, 1)).tolist(),
        tied.tolist(),
        pick_up.busiest[unit, hour].tolist(),
        (100 * pick_up.reach_pu[unit, hour]).tolist(),
        tripped[unit, hour].tolist(),
        strict=True,
    )
    times = list(local.to_pydatetime())
    within = {"emergency_pct": limits.emergency_pct}
    said = []
    for name, t, load_kva, left_pct, has_tie, busiest, reach_pct, count in rows:
        parts = [Message("loss.carries", {"transformer": name, "at": times[t], "load_kva": load_kva})]
        if not has_tie:
            parts.append(Message("loss.no_tie", {"left_pct": left_pct}))
        else:
            parts.append(Message("loss.left", {"left_pct": left_pct, **within}))
            if busiest < 0:
                parts.append(Message("loss.no_room", {}))
            else:
                where = {"neighbour": fleet.ids[busiest], "reach_pct": reach_pct}
                parts.append(Message("loss.busiest", where))
        if count:
            parts.append(Message("loss.trips", {"count": count, "trip_pct": limits.trip_pct}))
        said.append(tuple(parts))
    return said
