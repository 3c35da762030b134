"""Loads of sections and transformers under given switch positions."""

from collections.abc import Iterable
from dataclasses import replace

import numpy as np
import pandas as pd

from gridlib.domain.network.topology import LOOPED, UNFED, feeding_tree
from gridlib.facts.types import Network


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
    tree = feeding_tree(network, closed)
    sections = network.sections.drop_duplicates("section_id")
    source = tree.source[tree.nodes.get_indexer(pd.Index(sections["section_id"]))]
    normal = np.asarray(tree.nodes.get_indexer(pd.Index(sections["transformer_id"])), dtype=np.int64)
    moved = (normal >= 0) & (source != LOOPED) & (source != normal)
    moved_kva = section_load_kva(replace(network, sections=sections[moved]), load_kva).to_numpy()
    column_of = load_kva.columns.get_indexer(tree.nodes)
    after = load_kva.to_numpy(dtype=float).copy()
    for section, ends in enumerate(zip(normal[moved], source[moved], strict=True)):
        for node, sign in zip(ends, (-1, 1), strict=True):
            if node != UNFED and column_of[node] >= 0:
                after[:, column_of[node]] += sign * moved_kva[:, section]
    return pd.DataFrame(after, index=load_kva.index, columns=load_kva.columns)
