"""What feeds what under given switch positions, and which open switches could change that.

Nodes are transformers and sections; switches join them. Breakers (transformer to section) and sectionalisers
(section to section) are normally closed, ties are normally open. A switch that starts at a feeder is a feeder
breaker: it carries health and tags but feeds no section. All functions work on the whole fleet at once; a
component that is not radial is left out by itself and never touches its neighbours.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.sparse import coo_array, csr_array
from scipy.sparse.csgraph import breadth_first_order, connected_components

from gridlib.facts.types import Move, Network, SwitchState

Ints = npt.NDArray[np.int64]
UNFED, LOOPED = -1, -2
"""Values of `FeedingTree.source`: no transformer feeds the node; it lies in a ring or between two sources."""


@dataclass(frozen=True)
class FeedingTree:
    """Who feeds whom under a set of closed switches; transformers first, then sections.

    Attributes
    ----------
    nodes : Index
        Identifiers of transformers and sections; every array below has one entry for each.
    transformers : int
        How many of the nodes are transformers.
    source : array of int
        Position of the feeding transformer, `UNFED` or `LOOPED`.
    parent : array of int
        Position of the next node towards the transformer; -1 at a transformer and where not fed radially.
    parent_switch : array of object
        The closed switch between a node and its parent; empty where there is none.
    """

    nodes: pd.Index
    transformers: int
    source: Ints
    parent: Ints
    parent_switch: npt.NDArray[np.object_]


def _lv_switches(network: Network) -> tuple[pd.Index, int, pd.DataFrame, Ints, Ints]:
    """Nodes, number of transformers, and the switches between two different known nodes with their ends."""
    transformer_ids = pd.Index(network.transformers["transformer_id"]).unique()
    section_ids = pd.Index(network.sections["section_id"]).unique()
    nodes = transformer_ids.append(section_ids.difference(transformer_ids, sort=False))
    switches = network.switches.drop_duplicates("switch_id")
    switches = switches[~switches["from_id"].isin(network.feeders["feeder_id"])]
    start = np.asarray(nodes.get_indexer(pd.Index(switches["from_id"])), dtype=np.int64)
    end = np.asarray(nodes.get_indexer(pd.Index(switches["to_id"])), dtype=np.int64)
    usable = (start >= 0) & (end >= 0) & (start != end)
    return nodes, len(transformer_ids), switches[usable], start[usable], end[usable]


def joined_nodes(network: Network) -> tuple[Ints, Ints]:
    """Give the ends of every switch that joins two known nodes, whatever its position.

    Parameters
    ----------
    network : Network
        The network.

    Returns
    -------
    start, end : array of int [E]
        Positions in `FeedingTree.nodes`.
    """
    return _lv_switches(network)[3:]


def feeding_tree(network: Network, closed: Iterable[str]) -> FeedingTree:
    """Work out what each transformer feeds.

    Parameters
    ----------
    network : Network
        The network.
    closed : iterable of str
        Switches that are closed.

    Returns
    -------
    FeedingTree
        One entry for each transformer and section.

    Notes
    -----
    A connected component is radial when it holds exactly one transformer and one switch less than nodes.
    In any other component with a transformer every node is `LOOPED`; without a transformer, `UNFED`.
    """
    nodes, n_transformers, switches, start, end = _lv_switches(network)
    is_closed = switches["switch_id"].isin(list(closed)).to_numpy()
    start, end = start[is_closed], end[is_closed]
    switch_ids = switches["switch_id"].to_numpy(dtype=object)[is_closed]
    n = len(nodes)
    graph = csr_array(coo_array((np.ones(len(start)), (start, end)), shape=(n, n)))
    n_components, component = connected_components(graph, directed=False)
    sources = np.bincount(component[:n_transformers], minlength=n_components)
    n_switches = np.bincount(component[start], minlength=n_components)
    radial = (sources == 1) & (n_switches == np.bincount(component, minlength=n_components) - 1)
    root = np.full(n_components, UNFED, dtype=np.int64)
    root[component[:n_transformers]] = np.arange(n_transformers)
    root[(sources > 0) & ~radial] = LOOPED

    # One walk over the fleet: a node added in front of every radial transformer makes it a single tree.
    roots = np.flatnonzero(radial[component[:n_transformers]])
    rows = np.concatenate([start, np.full(len(roots), n)])
    columns = np.concatenate([end, roots])
    walk = csr_array(coo_array((np.ones(len(rows)), (rows, columns)), shape=(n + 1, n + 1)))
    _, before = breadth_first_order(walk, n, directed=False, return_predecessors=True)
    parent = np.where((before[:n] < 0) | (before[:n] == n), -1, before[:n]).astype(np.int64)
    parent_switch = np.full(n, "", dtype=object)
    for child, other in ((end, start), (start, end)):
        below = parent[child] == other
        parent_switch[child[below]] = switch_ids[below]
    return FeedingTree(nodes, n_transformers, root[component], parent, parent_switch)


def joined_transformers(network: Network, closed: Iterable[str], transformer_id: str) -> tuple[str, ...]:
    """Name the transformers that run in parallel with one: closed switches join their low-voltage sides.

    Parameters
    ----------
    network, closed
        As for `feeding_tree`.
    transformer_id : str
        The transformer; it is not named itself.

    Returns
    -------
    tuple of str
        Empty where it feeds alone, as it should.

    Examples
    --------
    >>> from gridlib.domain.network.text import parse_network
    >>> net = parse_network("T1(500) -b1- a /t1/ b -b2- T2(630)")
    >>> joined_transformers(net, {"b1", "b2"}, "T1"), joined_transformers(net, {"b1", "b2", "t1"}, "T1")
    ((), ('T2',))
    """
    nodes, n_transformers, switches, start, end = _lv_switches(network)
    is_closed = switches["switch_id"].isin(list(closed)).to_numpy()
    links = (np.ones(int(is_closed.sum())), (start[is_closed], end[is_closed]))
    _, component = connected_components(csr_array(coo_array(links, shape=(len(nodes), len(nodes)))), False)
    units = pd.Index(nodes[:n_transformers])
    beside = component[:n_transformers] == component[units.get_loc(transformer_id)]
    return tuple(str(name) for name in units[beside] if name != transformer_id)


def is_radial(network: Network, closed: Iterable[str]) -> bool:
    """Tell whether every section has exactly one way to exactly one transformer.

    Parameters
    ----------
    network : Network
        The network.
    closed : iterable of str
        Switches that are closed.

    Returns
    -------
    bool
        False with any ring, any two transformers joined, or any section unfed.

    Examples
    --------
    >>> from gridlib.domain.network.text import parse_network
    >>> net = parse_network("T1(500) -b1- a -s1- b /t1/ c -b2- T2(630)")
    >>> [is_radial(net, closed) for closed in ({"b1", "b2", "t1"}, {"b1", "b2"}, {"b1", "s1", "t1", "b2"})]
    [True, False, False]
    """
    return bool((feeding_tree(network, closed).source >= 0).all())


def current_states(network: Network) -> pd.DataFrame:
    """Give every switch its newest reported state, or its normal one where nothing was reported.

    Parameters
    ----------
    network : Network
        The network.

    Returns
    -------
    DataFrame
        Indexed by switch_id: state, health, tags, time (UTC, NaT where assumed), source.
    """
    return present_states(network.switches, network.states)


def present_states(table: pd.DataFrame, reported: pd.DataFrame) -> pd.DataFrame:
    """Give the switches of a table their states, as `current_states` does for a whole network."""
    switches = table.drop_duplicates("switch_id").set_index("switch_id")
    newest = reported.sort_values("time", kind="stable").drop_duplicates("switch_id", keep="last")
    states = newest.set_index("switch_id").reindex(switches.index)
    assumed = states["state"].isna()
    return pd.DataFrame(
        {
            "state": states["state"].where(~assumed, switches["normal_state"]).astype(object),
            "health": states["health"].where(~assumed, "OK").astype(object),
            "tags": states["tags"].where(states["tags"].notna(), "").astype(object),
            "time": pd.to_datetime(states["time"], utc=True),
            "source": states["source"].where(~assumed, "assumed").astype(object),
        }
    )


def closed_switches(states: pd.DataFrame) -> frozenset[str]:
    """Name the switches that are closed.

    Parameters
    ----------
    states : DataFrame
        As from `current_states`.

    Returns
    -------
    frozenset of str
        Identifiers of closed switches.
    """
    return frozenset(states.index[states["state"] == SwitchState.CLOSED])


def feeding(network: Network, closed: Iterable[str]) -> pd.Series:
    """Name the transformer that feeds each section.

    Parameters
    ----------
    network : Network
        The network.
    closed : iterable of str
        Switches that are closed.

    Returns
    -------
    Series
        section_id -> transformer_id; None where the section is not fed, is fed by two transformers or
        lies in a ring (`check_network` says which).

    Examples
    --------
    >>> from gridlib.domain.network.text import parse_network
    >>> net = parse_network("T1(500) -b1- a -s1- b /t1/ c -b2- T2(630)")
    >>> feeding(net, {"b1", "b2", "t1"}).to_dict()
    {'a': 'T1', 'b': 'T2', 'c': 'T2'}
    """
    tree = feeding_tree(network, closed)
    section_ids = tree.nodes[tree.transformers :]
    source = tree.source[tree.transformers :]
    fed_by = np.full(len(source), None, dtype=object)
    fed_by[source >= 0] = tree.nodes.to_numpy(dtype=object)[source[source >= 0]]
    return pd.Series(fed_by, index=section_ids, name="transformer_id", dtype=object)


def branches(network: Network, closed: Iterable[str]) -> pd.DataFrame:
    """Group the fed sections by the switch at the transformer they hang below.

    Parameters
    ----------
    network : Network
        The network.
    closed : iterable of str
        Switches that are closed.

    Returns
    -------
    DataFrame
        section_id, transformer_id, branch_id (that switch); only sections that are fed radially.
    """
    tree = feeding_tree(network, closed)
    head = np.arange(len(tree.nodes))
    above = np.where(tree.parent < tree.transformers, head, tree.parent)
    while not np.array_equal(above, above[above]):
        above = above[above]
    sections = np.arange(tree.transformers, len(tree.nodes))
    sections = sections[tree.source[sections] >= 0]
    names = tree.nodes.to_numpy(dtype=object)
    return pd.DataFrame(
        {
            "section_id": names[sections],
            "transformer_id": names[tree.source[sections]],
            "branch_id": tree.parent_switch[above[sections]],
        }
    )


def usable_ties(network: Network, states: pd.DataFrame) -> pd.DataFrame:
    """List the open switches that could join two transformers' sections now.

    Parameters
    ----------
    network : Network
        The network.
    states : DataFrame
        As from `current_states`.

    Returns
    -------
    DataFrame
        switch_id, branch_id, transformer_id, neighbour_branch_id, neighbour_id, limit_kva [kVA]; one row for
        each direction. Only healthy, untagged switches with both ends fed radially by different
        transformers; ``limit_kva`` is infinite where none is given.
    """
    table = network.switches.drop_duplicates("switch_id").set_index("switch_id")
    usable = (states["state"] == SwitchState.OPEN) & (states["health"] == "OK")
    usable &= states["tags"].str.strip() == ""
    ties = table[usable.reindex(table.index, fill_value=False)].reset_index()
    fed = branches(network, closed_switches(states)).set_index("section_id")
    own = ties.join(fed, on="from_id").join(fed.add_prefix("neighbour_"), on="to_id")
    own = own.rename(columns={"neighbour_transformer_id": "neighbour_id"})
    own = own.dropna(subset=["transformer_id", "neighbour_id"])
    own = own[own["transformer_id"] != own["neighbour_id"]]
    own["limit_kva"] = own["limit_kva"].astype(float).fillna(np.inf)
    columns = ["switch_id", "branch_id", "transformer_id", "neighbour_branch_id", "neighbour_id", "limit_kva"]
    turned = own.rename(
        columns={
            "branch_id": "neighbour_branch_id",
            "neighbour_branch_id": "branch_id",
            "transformer_id": "neighbour_id",
            "neighbour_id": "transformer_id",
        }
    )
    return pd.concat([own[columns], turned[columns]], ignore_index=True)


def neighbours(network: Network) -> pd.DataFrame:
    """Return which transformers sections can be switched over between, in whatever state the ties are.

    Parameters
    ----------
    network : Network
        Its switches and sections.

    Returns
    -------
    DataFrame
        transformer_id, neighbour_id: a row for each pair with a tie between sections that normally hang on
        the one and on the other, both ways.
    """
    home = network.sections.set_index("section_id")["transformer_id"]
    ties = network.switches[network.switches["kind"] == "tie"]
    ends = [ties[end].map(home).fillna(ties[end]) for end in ("from_id", "to_id")]
    known = set(network.transformers["transformer_id"])
    pairs = {pair for a, b in zip(*ends, strict=True) for pair in ((a, b), (b, a)) if a != b}
    kept = sorted(pair for pair in pairs if set(pair) <= known)
    return pd.DataFrame(kept, columns=["transformer_id", "neighbour_id"], dtype=object)


def apply_moves(closed: Iterable[str], moves: Sequence[Move]) -> frozenset[str]:
    """Carry out load transfers on a set of closed switches.

    Parameters
    ----------
    closed : iterable of str
        Switches that are closed before.
    moves : sequence of Move
        The transfers, in order.

    Returns
    -------
    frozenset of str
        Switches that are closed after.
    """
    after = set(closed)
    for move in moves:
        after.discard(move.open_switch)
        after.add(move.close_switch)
    return frozenset(after)


def undo_moves(closed: Iterable[str], moves: Sequence[Move]) -> frozenset[str]:
    """Take load transfers back: the inverse switching in reverse order.

    Parameters
    ----------
    closed : iterable of str
        Switches that are closed after the transfers.
    moves : sequence of Move
        The transfers, in the order in which they were carried out.

    Returns
    -------
    frozenset of str
        Switches that are closed once they are undone.
    """
    before = set(closed)
    for move in reversed(moves):
        before.discard(move.close_switch)
        before.add(move.open_switch)
    return frozenset(before)
