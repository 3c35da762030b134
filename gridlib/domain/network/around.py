"""The part of a network around a transformer, cut out so that it computes as it does in the whole."""

from collections.abc import Collection, Iterable
from dataclasses import replace

import pandas as pd

from gridlib.domain.network.topology import closed_switches, current_states, feeding
from gridlib.facts.types import Move, Network

TIES_AROUND = 4
"""Transformers within so many ties can change hands in a plan, or are looked at by its proof."""


def nearby(network: Network, transformer_ids: Collection[str], *, ties: int) -> frozenset[str]:
    """Name the transformers within some ties of some, by what feeds what now.

    Parameters
    ----------
    network : Network
        The network with its reported switch states.
    transformer_ids : collection of str
        Where to start.
    ties : int
        How many open switches away.

    Returns
    -------
    frozenset of str
        With those themselves, and with those that the sections found normally hang on.
    """
    return _nearby(network, _fed_by(network), transformer_ids, ties)


def _fed_by(network: Network) -> pd.Series:
    return feeding(network, closed_switches(current_states(network)))


def _nearby(
    network: Network, fed_by: pd.Series, transformer_ids: Collection[str], ties: int
) -> frozenset[str]:
    home = network.sections.drop_duplicates("section_id").set_index("section_id")["transformer_id"]
    # What is in parallel or dead is looked for where it hangs normally.
    fed_by = fed_by.where(fed_by.notna(), home.reindex(fed_by.index))
    ends = [network.switches[end].map(fed_by) for end in ("from_id", "to_id")]
    pairs = pd.DataFrame({"a": ends[0], "b": ends[1]}).dropna().query("a != b").drop_duplicates()
    near = set(transformer_ids)
    for _ in range(ties):
        near |= {
            *pairs.loc[pairs["a"].isin(near), "b"].astype(str),
            *pairs.loc[pairs["b"].isin(near), "a"].astype(str),
        }
    hosts = fed_by.reindex(home.index)
    displaced = hosts.notna() & (hosts != home)
    for one, other in ((hosts, home), (home, hosts)):
        near |= set(other[displaced & one.isin(near)].astype(str))
    return frozenset(near)


def cut_around(network: Network, transformer_ids: Collection[str], reserved: Iterable[Move] = ()) -> Network:
    """Cut out what matters when some transformers change hands or are proved.

    Parameters
    ----------
    network : Network
        The network with its reported switch states.
    transformer_ids : collection of str
        The transformers concerned.
    reserved : iterable of Move
        Moves of open plans; where one touches the neighbourhood, both of its sides belong to it.

    Returns
    -------
    Network
        As from `cut_out`: the transformers within `TIES_AROUND` ties, and all that hang on their substations.
    """
    fed_by, rows = _fed_by(network), network.transformers
    near = _nearby(network, fed_by, transformer_ids, TIES_AROUND)
    touched = rows.loc[rows["transformer_id"].isin(near), "substation_id"].dropna()
    near |= frozenset(rows.loc[rows["substation_id"].isin(touched), "transformer_id"].astype(str))
    beside: set[str] = set()
    for move in reserved:
        ends = {move.from_transformer, move.to_transformer}
        if ends & near:
            beside |= ends
    return _cut_out(network, fed_by, near | _nearby(network, fed_by, beside, 0))


def cut_out(network: Network, transformer_ids: Collection[str]) -> Network:
    """Cut out some transformers with the sections that are theirs, normally or now.

    Returns
    -------
    Network
        Switches have both ends inside; substations, feeders and lines are those of the whole.
    """
    return _cut_out(network, _fed_by(network), transformer_ids)


def _cut_out(network: Network, fed_by: pd.Series, transformer_ids: Collection[str]) -> Network:
    kept = set(transformer_ids)
    sections = network.sections
    inside = sections["transformer_id"].isin(kept) | sections["section_id"].map(fed_by).isin(kept)
    sections = sections[inside]
    nodes = kept | set(sections["section_id"]) | set(network.feeders["feeder_id"])
    switches = network.switches
    switches = switches[switches["from_id"].isin(nodes) & switches["to_id"].isin(nodes)]
    return replace(
        network,
        transformers=network.transformers[network.transformers["transformer_id"].isin(kept)],
        sections=sections,
        switches=switches,
        states=network.states[network.states["switch_id"].isin(switches["switch_id"])],
    )
