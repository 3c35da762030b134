"""What is wrong with the tables of a network, object by object."""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from gridlib.domain.network.topology import (
    LOOPED,
    UNFED,
    FeedingTree,
    closed_switches,
    current_states,
    feeding_tree,
    joined_nodes,
)
from gridlib.facts.types import Network, SwitchState

Found = tuple[str, str, str]
"""Object, code, message."""

VK_PCT = (1.0, 30.0)
"""Short-circuit voltages that are built [%]. IEC 60076-5:2006 table 1 recommends 4 % and more from 25 kVA on;
below 1 the value is nearly always written in per unit."""

R_OHM_PER_KM = (0.005, 20.0)
"""Resistances that conductors have [ohm/km]: IEC 60228:2004 table 1 runs from 0.0090 (2,000 mm2 copper) to
18.1 (1 mm2 copper, plain) at 20 degC; beyond it milliohm were taken for ohm, or metres for kilometres."""


def check_network(network: Network) -> pd.DataFrame:
    """Find what is wrong with a network, object by object.

    Parameters
    ----------
    network : Network
        The network.

    Returns
    -------
    DataFrame
        `FindingFrame`, empty when all is well. The tables: duplicate_id, unknown_end, self_tie,
        parallel_ties, unknown_transformer, missing_rating, shares_not_one, impossible_impedance and
        unknown_state. What the switches make of them: island (no switch could feed the section),
        unfed_section and loop in the present states, normal_loop and wrong_transformer in the normal ones.

    Notes
    -----
    Nothing here stops anything: an object with a finding is left out where it must be, all others are
    scored and planned.

    Examples
    --------
    >>> from gridlib.domain.network.text import parse_network
    >>> net = parse_network("T1(0) -b1- a /t1/ b -b2- T2(630)")
    >>> check_network(net)[["object_id", "code"]].values.tolist()
    [['T1', 'missing_rating']]
    """
    rules = (
        _repeated_ids,
        _switch_ends,
        _parallel_ties,
        _homes,
        _ratings,
        _impedances,
        _shares,
        _states,
        _topology,
    )
    found = [finding for rule in rules for finding in rule(network)]
    frame = pd.DataFrame(found, columns=["object_id", "code", "message"]).astype(object)
    frame["first"] = frame["last"] = pd.Series(pd.NaT, index=frame.index, dtype="datetime64[ns, UTC]")
    frame["count"] = np.ones(len(frame), dtype=np.int64)
    return frame


def _repeated_ids(network: Network) -> Iterator[Found]:
    lots = (
        (network.transformers["transformer_id"], network.sections["section_id"]),
        (network.switches["switch_id"],),
        (network.feeders["feeder_id"],),
        (network.substations["substation_id"],),
        (network.lines["line_id"],),
    )
    told: set[str] = set()
    for lot in lots:
        ids = pd.concat(lot)
        for name in ids[ids.duplicated()].unique():
            told.add(str(name))
            yield str(name), "duplicate_id", f"{name} names more than one object; the first is used"
    nodes = pd.concat(lots[0])
    for name in network.switches.loc[network.switches["switch_id"].isin(nodes), "switch_id"].unique():
        if name not in told:
            yield str(name), "duplicate_id", f"{name} names more than one object; the first is used"


def _switch_ends(network: Network) -> Iterator[Found]:
    switches = network.switches
    known = set(network.transformers["transformer_id"]) | set(network.sections["section_id"])
    known_from = known | set(network.feeders["feeder_id"])
    unknown = switches[~switches["from_id"].isin(known_from) | ~switches["to_id"].isin(known)]
    for row in unknown.itertuples():
        ends = [str(end) for end, ok in ((row.from_id, known_from), (row.to_id, known)) if end not in ok]
        message = f"switch {row.switch_id} ends at {' and '.join(ends)}, which is in no table; it is not used"
        yield str(row.switch_id), "unknown_end", message
    for row in switches[switches["from_id"] == switches["to_id"]].itertuples():
        message = f"switch {row.switch_id} has {row.from_id} at both ends; it joins nothing and is not used"
        yield str(row.switch_id), "self_tie", message


def _parallel_ties(network: Network) -> Iterator[Found]:
    ties = network.switches[network.switches["kind"] == "tie"].drop_duplicates("switch_id")
    ties = ties[ties["from_id"] != ties["to_id"]]
    ends = np.sort(ties[["from_id", "to_id"]].to_numpy(dtype=str), axis=1)
    names = ties["switch_id"].groupby([ends[:, 0], ends[:, 1]])
    for (one, other), group in names:
        for name in group.iloc[1:]:
            message = (
                f"tie {name} joins {one} and {other}, as {group.iloc[0]} does; closing both would make a ring"
            )
            yield str(name), "parallel_ties", message


def _homes(network: Network) -> Iterator[Found]:
    sections = network.sections
    for row in sections[
        ~sections["transformer_id"].isin(network.transformers["transformer_id"])
    ].itertuples():
        message = f"section {row.section_id} hangs on {row.transformer_id}, which is not in transformers"
        yield str(row.section_id), "unknown_transformer", message


def _ratings(network: Network) -> Iterator[Found]:
    ids, rating = network.transformers["transformer_id"], network.transformers["rating_kva"].astype(float)
    for name, kva in zip(ids, rating, strict=True):
        if np.isnan(kva):
            yield str(name), "missing_rating", f"{name} has no rating; it is not scored and not planned"
        elif not 0 < kva < np.inf:
            message = (
                f"{name} has a rating of {kva:g} kVA, expected more than 0; it is not scored and not planned"
            )
            yield str(name), "missing_rating", message


def _impedances(network: Network) -> Iterator[Found]:
    units = network.transformers[["transformer_id", "vk_pct", "vkr_pct"]]
    for name, vk, vkr in units.astype({"vk_pct": float, "vkr_pct": float}).itertuples(index=False, name=None):
        if not (np.isnan(vk) or VK_PCT[0] <= vk <= VK_PCT[1]):
            message = f"{name} has a vk_pct of {vk:g}, expected {VK_PCT[0]:g} to {VK_PCT[1]:g} %"
            yield str(name), "impossible_impedance", message
        elif vkr < 0 or vkr > vk:
            message = f"{name} has a vkr_pct of {vkr:g}, expected 0 to its vk_pct of {vk:g} %"
            yield str(name), "impossible_impedance", message
    numbers = ["r_ohm", "x_ohm", "length_km", "limit_a"]
    lines = network.lines.astype(dict.fromkeys(numbers, float))
    r, x, km = (lines[name].to_numpy() for name in numbers[:3])
    per_km = np.divide(r, km, out=np.full(len(r), np.nan), where=(km > 0) & np.isfinite(r))
    faults = (
        ((r < 0) | (x < 0), "a negative impedance ({r:g} + j{x:g} ohm)"),
        (
            (per_km < R_OHM_PER_KM[0]) | (per_km > R_OHM_PER_KM[1]),
            "{per_km:.3g} ohm/km, expected {low:g} to {high:g}",
        ),
        ((r == 0) & (x == 0) & ~(km == 0), "no impedance (0 + j0 ohm) though its length is not 0"),
    )
    told = np.zeros(len(lines), dtype=bool)
    for bad, what in faults:
        for place in np.flatnonzero(bad & ~told):
            name = str(lines["line_id"].iloc[place])
            facts = {"r": r[place], "x": x[place], "per_km": per_km[place]}
            text = what.format(**facts, low=R_OHM_PER_KM[0], high=R_OHM_PER_KM[1])
            yield name, "impossible_impedance", f"line {name} has {text}"
        told |= bad


def _shares(network: Network) -> Iterator[Found]:
    total = network.sections.drop_duplicates("section_id").groupby("transformer_id")["share"].sum()
    for name, share in total[(total > 1 + 1e-6) | (total <= 0)].items():
        message = f"the sections of {name} take {share:.1%} of its load, expected up to 100 %"
        yield str(name), "shares_not_one", message


def _states(network: Network) -> Iterator[Found]:
    """Tell of switches without a position; where nothing at all was reported, all are assumed normal."""
    states = current_states(network)
    known = states["state"].isin([str(state) for state in SwitchState])
    for name, state in states.loc[~known, "state"].items():
        found = "no position" if pd.isna(state) else f"the position '{state}'"
        message = f"switch {name} has {found}, expected OPEN or CLOSED; it is taken for open"
        yield str(name), "unknown_state", message
    if len(network.states):
        for row in states[known & (states["source"] == "assumed")].itertuples():
            message = f"switch {row.Index} was never reported; its normal position, {row.state}, is assumed"
            yield str(row.Index), "unknown_state", message


def _topology(network: Network) -> Iterator[Found]:
    now = feeding_tree(network, closed_switches(current_states(network)))
    names = now.nodes.to_numpy(dtype=object)
    reached = _reachable(network, now)
    for place in np.flatnonzero(now.source == UNFED):
        if reached[place]:
            message = f"section {names[place]} is fed by no transformer in the present switch states"
            yield str(names[place]), "unfed_section", message
        else:
            message = f"section {names[place]} is joined with no transformer, whatever switches are closed"
            yield str(names[place]), "island", message
    looped = now.source[: now.transformers] == LOOPED
    for name in names[: now.transformers][looped]:
        message = f"{name} feeds a ring or is joined with another transformer; left out of planning"
        yield str(name), "loop", message
    switches = network.switches.drop_duplicates("switch_id")
    normal = feeding_tree(network, switches.loc[switches["normal_state"] == SwitchState.CLOSED, "switch_id"])
    for name in names[: now.transformers][(normal.source[: now.transformers] == LOOPED) & ~looped]:
        message = f"in the normal switch states {name} feeds a ring or is joined with another transformer"
        yield str(name), "normal_loop", message
    yield from _wrong_homes(network, normal)


def _wrong_homes(network: Network, normal: FeedingTree) -> Iterator[Found]:
    sections = network.sections.drop_duplicates("section_id")
    source = normal.source[normal.nodes.get_indexer(pd.Index(sections["section_id"]))]
    written = normal.nodes[: normal.transformers].get_indexer(pd.Index(sections["transformer_id"]))
    for place in np.flatnonzero((source >= 0) & (written >= 0) & (source != written)):
        section, home = sections[["section_id", "transformer_id"]].iloc[place]
        message = (
            f"section {section} hangs on {home} by its row, but in the normal switch states "
            f"{normal.nodes[source[place]]} feeds it"
        )
        yield str(section), "wrong_transformer", message


def _reachable(network: Network, tree: FeedingTree) -> npt.NDArray[np.bool_]:
    """Tell for each node whether a transformer would reach it with every switch closed."""
    start, end = joined_nodes(network)
    n = len(tree.nodes)
    count, part = connected_components(
        coo_array((np.ones(len(start)), (start, end)), shape=(n, n)), directed=False
    )
    fed = np.bincount(part[: tree.transformers], minlength=count) > 0
    return np.asarray(fed[part], dtype=bool)
