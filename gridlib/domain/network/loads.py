"""Loads of sections and transformers under given switch positions."""

from collections.abc import Iterable, Iterator
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from gridlib.domain.network.topology import LOOPED, UNFED, Ints, feeding_tree
from gridlib.facts.types import Network

Floats = npt.NDArray[np.float64]

LEAST_OWN_PU = 0.01
"""A transformer that keeps less of its own load than this does not tell what the whole would be."""

_NOTHING = 1e-9


def section_load_kva(network: Network, load_kva: pd.DataFrame) -> pd.DataFrame:
    """Share the transformers' loads out to their sections.

    Parameters
    ----------
    network : Network
        The network.
    load_kva : DataFrame
        Wide, time x transformer, signed, with every section at its normal transformer [kVA].

    Returns
    -------
    DataFrame
        Wide, time x section: share x load of the transformer it normally hangs on [kVA]; NaN where that
        transformer has no load.
    """
    sections = network.sections.drop_duplicates("section_id")
    normal = np.asarray(load_kva.columns.get_indexer(pd.Index(sections["transformer_id"])))
    load = load_kva.to_numpy(dtype=float)
    values = np.full((len(load), len(sections)), np.nan)
    values[:, normal >= 0] = load[:, normal[normal >= 0]]
    values *= sections["share"].to_numpy(dtype=float)
    return pd.DataFrame(values, index=load_kva.index, columns=pd.Index(sections["section_id"]))


def transformer_load_kva(network: Network, load_kva: pd.DataFrame, closed: Iterable[str]) -> pd.DataFrame:
    """Work out the transformers' loads under other switch positions.

    Parameters
    ----------
    network : Network
        The network.
    load_kva : DataFrame
        Wide, time x transformer, signed, with every section at its normal transformer [kVA].
    closed : iterable of str
        Switches that are closed.

    Returns
    -------
    DataFrame
        Wide, time x transformer [kVA]: the load less the sections that now hang elsewhere plus those that
        came over. Equal to ``load_kva`` in the normal state. An unfed section is nobody's load; sections
        that are not fed radially stay where they normally hang.
    """
    nodes, sections, normal, source = _moved_sections(network, closed)
    moved_kva = section_load_kva(replace(network, sections=sections), load_kva).to_numpy()
    column_of = load_kva.columns.get_indexer(nodes)
    after = load_kva.to_numpy(dtype=float).copy()
    for section, ends in enumerate(zip(normal, source, strict=True)):
        for node, sign in zip(ends, (-1, 1), strict=True):
            if node != UNFED and column_of[node] >= 0:
                after[:, column_of[node]] += sign * moved_kva[:, section]
    return pd.DataFrame(after, index=load_kva.index, columns=load_kva.columns)


def normal_load_kva(network: Network, load_kva: pd.DataFrame, closed: Iterable[str]) -> pd.DataFrame:
    """Work out the transformers' loads of normal running from what they carry under other switch positions.

    Parameters
    ----------
    network : Network
        The network.
    load_kva : DataFrame
        Wide, time x transformer, signed, as carried while ``closed`` were closed [kVA]; NaN where unknown.
    closed : iterable of str
        Switches that were closed all the while.

    Returns
    -------
    DataFrame
        Wide, time x transformer, with every section at its normal transformer [kVA]. Untouched, to the bit,
        where no section came or went; NaN where it cannot be told.

    Notes
    -----
    The inverse of `transformer_load_kva`: with x the loads of normal running and s the share of a section
    that hangs on j and not on its normal k, ``y_j = x_j + s x_k`` and ``y_k = x_k - s x_k``. This is solved
    for each group of transformers that exchanged sections, without the rows whose y is unknown. What the
    remaining rows do not determine is NaN: so is a donor whose sections are all displaced (it keeps less
    than 1 % of its load), and with it the receiver, of which only the sum is known.

    Examples
    --------
    >>> from gridlib.domain.network.text import parse_network
    >>> net = parse_network("T1(500) -b1- a:0.5 -s1- b:0.2 /t1/ c -b2- T2(630)")
    >>> carried = pd.DataFrame({"T1": [400.0], "T2": [250.0]})
    >>> normal_load_kva(net, carried, {"b1", "t1", "b2"}).round(6).to_dict("list")
    {'T1': [500.0], 'T2': [150.0]}
    """
    nodes, sections, normal, source = _moved_sections(network, closed)
    column_of = load_kva.columns.get_indexer(nodes)
    carried = load_kva.to_numpy(dtype=float)
    before = carried.copy()
    for units, matrix in _exchanges(normal, source, sections["share"].to_numpy(dtype=float), len(nodes)):
        columns = column_of[units]
        values = np.where(columns >= 0, carried[:, columns], np.nan)
        known = np.isfinite(values)
        patterns, pattern_of = np.unique(known, axis=0, return_inverse=True)
        for number, rows in enumerate(patterns):
            hours = np.flatnonzero(pattern_of.reshape(-1) == number)
            solved = _solved(matrix[rows], values[np.ix_(hours, rows)])
            before[np.ix_(hours, columns[columns >= 0])] = solved[:, columns >= 0]
    return pd.DataFrame(before, index=load_kva.index, columns=load_kva.columns)


def _moved_sections(network: Network, closed: Iterable[str]) -> tuple[pd.Index, pd.DataFrame, Ints, Ints]:
    """Find nodes and the sections that are not where they normally are: rows, normal and present unit."""
    tree = feeding_tree(network, closed)
    sections = network.sections.drop_duplicates("section_id")
    source = tree.source[tree.nodes.get_indexer(pd.Index(sections["section_id"]))]
    normal = np.asarray(tree.nodes.get_indexer(pd.Index(sections["transformer_id"])), dtype=np.int64)
    moved = (normal >= 0) & (source != LOOPED) & (source != normal)
    return tree.nodes, sections[moved], normal[moved], source[moved]


def _exchanges(normal: Ints, source: Ints, share: Floats, nodes: int) -> Iterator[tuple[Ints, Floats]]:
    """Group transformers that exchange sections, each with the matrix from normal to carried loads."""
    received = source != UNFED
    joined = coo_array((np.ones(received.sum()), (normal[received], source[received])), shape=(nodes, nodes))
    _, group_of = connected_components(joined, directed=False)
    for group in np.unique(group_of[normal]):
        units = np.flatnonzero(group_of == group)
        mine = group_of[normal] == group
        leaves = np.searchsorted(units, normal[mine])
        matrix = np.eye(len(units))
        np.add.at(matrix, (leaves, leaves), -share[mine])
        arrives = mine & received
        np.add.at(
            matrix,
            (np.searchsorted(units, source[arrives]), np.searchsorted(units, normal[arrives])),
            share[arrives],
        )
        yield units, matrix


def _solved(matrix: Floats, values: Floats) -> Floats:
    """Solve ``matrix @ x = y`` for every row y of values [T, K]; NaN where x is not determined, [T, N]."""
    left, size, right = np.linalg.svd(matrix)
    rank = int((size >= LEAST_OWN_PU).sum())
    open_to_choice = (np.abs(right[rank:]) > _NOTHING).any(axis=0)
    solution = (values @ left[:, :rank] / size[:rank]) @ right[:rank]
    return np.where(open_to_choice, np.nan, solution)
