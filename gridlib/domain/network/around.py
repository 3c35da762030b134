"""The part of a network around a transformer, cut out so that it computes as it does in the whole."""

from collections.abc import Collection
from dataclasses import replace

import pandas as pd

from gridlib.domain.network.topology import closed_switches, current_states, feeding
from gridlib.facts.types import Network


def nearby(network: Network, transformer_id: str, *, ties: int) -> frozenset[str]:
    """Name the transformers within some ties of one, by what feeds what now.

    Parameters
    ----------
    network : Network
        The network with its reported switch states.
    transformer_id : str
        Where to start.
    ties : int
        How many open switches away.

    Returns
    -------
    frozenset of str
        With the transformer itself, and with those that the sections found normally hang on.
    """
    fed_by = feeding(network, closed_switches(current_states(network)))
    home = network.sections.drop_duplicates("section_id").set_index("section_id")["transformer_id"]
    ends = [network.switches[end].map(fed_by) for end in ("from_id", "to_id")]
    pairs = pd.DataFrame({"a": ends[0], "b": ends[1]}).dropna().query("a != b").drop_duplicates()
    near = {transformer_id}
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


def whole_substations(network: Network, transformer_ids: Collection[str]) -> frozenset[str]:
    """Add every transformer of the substations that some transformers hang on."""
    rows = network.transformers
    touched = rows.loc[rows["transformer_id"].isin(transformer_ids), "substation_id"].dropna()
    beside = rows.loc[rows["substation_id"].isin(touched), "transformer_id"]
    return frozenset({*transformer_ids, *beside.astype(str)})


def cut_out(network: Network, transformer_ids: Collection[str]) -> Network:
    """Cut out some transformers with the sections that are theirs, normally or now.

    Returns
    -------
    Network
        Switches have both ends inside; substations, feeders and lines are those of the whole.
    """
    kept = set(transformer_ids)
    fed_by = feeding(network, closed_switches(current_states(network)))
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
