"""The medium-voltage lines between substations and the transformers that a plan touches."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from scipy.sparse import coo_array, csr_array
from scipy.sparse.csgraph import connected_components

from gridlib.domain.flow.grid import Bools, Ints
from gridlib.facts.types import Network


@dataclass(frozen=True, eq=False)
class Feeders:
    """Medium-voltage lines that can be modelled.

    Attributes
    ----------
    lines : DataFrame
        line_id, from_id, to_id, r_ohm, x_ohm, limit_a; ends are substations, joints and transformers.
    sources : tuple of str
        Substations at which they begin.
    units : tuple of str
        Transformers on them.
    heads : dict
        Lines that leave a substation, with the feeders below each.
    missing : tuple of str
        What is missing for those that cannot be modelled, element by element.
    """

    lines: pd.DataFrame
    sources: tuple[str, ...] = ()
    units: tuple[str, ...] = ()
    heads: dict[str, tuple[str, ...]] = field(default_factory=dict)
    missing: tuple[str, ...] = ()


def unit_table(network: Network) -> pd.DataFrame:
    """Give every transformer the voltage of its feeder and that feeder's limit.

    Parameters
    ----------
    network : Network
        The network.

    Returns
    -------
    DataFrame
        Indexed by transformer_id: rating_kva, vk_pct, vkr_pct, tap_pct, feeder_id, voltage_kv, limit_a.
    """
    table = network.transformers.drop_duplicates("transformer_id").set_index("transformer_id")
    feeders = network.feeders.drop_duplicates("feeder_id").set_index("feeder_id")
    feeders = feeders[["voltage_kv", "limit_a"]].astype(float)
    columns = ["rating_kva", "vk_pct", "vkr_pct", "tap_pct"]
    numbers = table.reindex(columns=columns).astype(float)
    return numbers.assign(feeder_id=table["feeder_id"]).join(feeders, on="feeder_id")


def feeders_of(network: Network, units: Iterable[str]) -> Feeders:
    """Follow the lines from transformers to their substations.

    Parameters
    ----------
    network : Network
        The whole network: every transformer on these lines must be in it.
    units : iterable of str
        Transformers whose supply is wanted.

    Returns
    -------
    Feeders
        All lines connected with them; none where a line lacks its impedance, no substation is reached, or
        the lines form a ring, because no table says where it is open.
    """
    wires = medium_lines(network)
    empty = wires.iloc[:0]
    names = pd.Index(pd.unique(pd.concat([wires["from_id"], wires["to_id"]], ignore_index=True)))
    wanted = list(units)
    off = [name for name in wanted if name not in names]
    if off:
        return Feeders(empty, missing=tuple(f"{name}: a line to its substation" for name in off))
    start, end = _positions(names, wires["from_id"]), _positions(names, wires["to_id"])
    label = _labels(len(names), start, end)
    mine = np.isin(label, label[_positions(names, wanted)])
    wires, start, end = wires[mine[start]], start[mine[start]], end[mine[start]]
    here = names[mine]
    sources = here[here.isin(network.substations["substation_id"])]
    missing = [f"{name}: r_ohm and x_ohm" for name in wires.loc[~_possible(wires), "line_id"]]
    parts = np.unique(label[mine])
    reached = label[_positions(names, sources)]
    missing += [
        f"{name}: a line to its substation" for name in wanted if label[names.get_loc(name)] not in reached
    ]
    if not missing and len(wires) > len(here) - len(parts):
        missing.append(f"{wires['line_id'].iloc[0]} and the lines around it: where their ring is open")
    if len(sources) > len(parts):
        missing.append(f"{' and '.join(sources)}: where the lines between them are open")
    if missing:
        return Feeders(empty, missing=tuple(missing))
    table = unit_table(network)
    on_line = [str(name) for name in here if name in table.index]
    heads = _heads(names, start, end, wires, sources, table)
    return Feeders(_limited(wires, heads, table), tuple(map(str, sources)), tuple(on_line), heads)


def medium_lines(network: Network) -> pd.DataFrame:
    """Take the lines that belong to no switch: those of the medium voltage."""
    lines, switches = network.lines, network.switches
    names = pd.Index(pd.unique(pd.concat([switches["from_id"], switches["to_id"]], ignore_index=True)))
    behind = np.isin(_pairs(names, lines), _pairs(names, switches))
    own = lines["line_id"].isin(switches["switch_id"]).to_numpy(dtype=bool)
    medium: pd.DataFrame = lines[~(own | behind)]
    return medium


def _pairs(names: pd.Index, frame: pd.DataFrame) -> Ints:
    """Give each pair of ends one number, whichever way round; -1 where an end is not known."""
    ends = np.stack([_positions(names, frame["from_id"]), _positions(names, frame["to_id"])])
    return np.where(ends.min(axis=0) < 0, -1, ends.min(axis=0) * len(names) + ends.max(axis=0))


def _possible(wires: pd.DataFrame) -> Bools:
    r, x = wires["r_ohm"].to_numpy(dtype=float), wires["x_ohm"].to_numpy(dtype=float)
    possible: Bools = np.isfinite(r) & np.isfinite(x) & (r >= 0) & (x >= 0) & (r + x > 0)
    return possible


def _positions(names: pd.Index, wanted: Sequence[str] | pd.Series | pd.Index) -> Ints:
    return np.asarray(names.get_indexer(pd.Index(wanted)), dtype=np.int64)


def _labels(nodes: int, start: Ints, end: Ints) -> Ints:
    graph = csr_array(coo_array((np.ones(len(start)), (start, end)), shape=(nodes, nodes)))
    return np.asarray(connected_components(graph, directed=False)[1], dtype=np.int64)


def _heads(
    names: pd.Index, start: Ints, end: Ints, wires: pd.DataFrame, sources: pd.Index, table: pd.DataFrame
) -> dict[str, tuple[str, ...]]:
    """Name the feeders below each line that leaves a substation."""
    at_source = np.isin(start, _positions(names, sources)), np.isin(end, _positions(names, sources))
    leaves = at_source[0] | at_source[1]
    label = _labels(len(names), start[~leaves], end[~leaves])
    feeder_of = table["feeder_id"].reindex(names).to_numpy(dtype=object)
    heads = {}
    for place in np.flatnonzero(leaves):
        below = label == label[end[place] if at_source[0][place] else start[place]]
        feeders = pd.unique(pd.Series(feeder_of[below], dtype=object).dropna())
        heads[str(wires["line_id"].iloc[place])] = tuple(str(feeder) for feeder in feeders)
    return heads


def _limited(wires: pd.DataFrame, heads: dict[str, tuple[str, ...]], table: pd.DataFrame) -> pd.DataFrame:
    """Bound the lines that leave a substation by the limit of the feeders they begin."""
    limit_of = table.drop_duplicates("feeder_id").set_index("feeder_id")["limit_a"]
    least = {head: float(limit_of.reindex(list(feeders)).min()) for head, feeders in heads.items() if feeders}
    by_feeder = wires["line_id"].map(least).astype(float)
    own = wires["limit_a"].astype(float)
    return wires.assign(limit_a=np.fmin(own.to_numpy(), by_feeder.to_numpy()))
