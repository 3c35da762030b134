"""What is wrong with the tables of a network, object by object."""

import numpy as np
import pandas as pd

from gridlib.domain.network.topology import LOOPED, UNFED, closed_switches, current_states, feeding_tree
from gridlib.facts.types import Network


def _share_findings(network: Network) -> list[tuple[str, str, str]]:
    total = network.sections.drop_duplicates("section_id").groupby("transformer_id")["share"].sum()
    wrong = total[(total > 1 + 1e-6) | (total <= 0)]
    return [
        (
            str(name),
            "shares_not_one",
            f"the sections of {name} take {share:.1%} of its load, expected up to 100 %",
        )
        for name, share in wrong.items()
    ]


def _topology_findings(network: Network) -> list[tuple[str, str, str]]:
    tree = feeding_tree(network, closed_switches(current_states(network)))
    names = tree.nodes.to_numpy(dtype=object)
    found = [
        (str(name), "unfed_section", f"section {name} is fed by no transformer in the present switch states")
        for name in names[tree.source == UNFED]
    ]
    found += [
        (
            str(name),
            "loop",
            f"{name} feeds a ring or is joined with another transformer; left out of planning",
        )
        for name in names[: tree.transformers][tree.source[: tree.transformers] == LOOPED]
    ]
    return found


def check_network(network: Network) -> pd.DataFrame:
    """Find what is wrong with a network, object by object.

    Parameters
    ----------
    network : Network
        The network.

    Returns
    -------
    DataFrame
        `FindingFrame` with the codes duplicate_id, unknown_end, self_tie, unknown_transformer,
        missing_rating, shares_not_one, unfed_section and loop; empty when all is well.
    """
    transformers, sections, switches = network.transformers, network.sections, network.switches
    found: list[tuple[str, str, str]] = []
    ids = pd.concat([transformers["transformer_id"], sections["section_id"], switches["switch_id"]])
    for name in ids[ids.duplicated()].unique():
        found.append((name, "duplicate_id", f"{name} names more than one object; the first is used"))
    known = set(transformers["transformer_id"]) | set(sections["section_id"])
    known_from = known | set(network.feeders["feeder_id"])
    unknown = switches[~switches["from_id"].isin(known_from) | ~switches["to_id"].isin(known)]
    for row in unknown.itertuples():
        ends = [str(end) for end, ok in ((row.from_id, known_from), (row.to_id, known)) if end not in ok]
        found.append(
            (str(row.switch_id), "unknown_end", f"switch {row.switch_id} ends at {' and '.join(ends)}")
        )
    for name in switches.loc[switches["from_id"] == switches["to_id"], "switch_id"]:
        found.append((name, "self_tie", f"switch {name} has the same section at both ends"))
    orphans = sections[~sections["transformer_id"].isin(transformers["transformer_id"])]
    for row in orphans.itertuples():
        message = f"section {row.section_id} hangs on {row.transformer_id}, which is not in transformers"
        found.append((str(row.section_id), "unknown_transformer", message))
    rating = transformers["rating_kva"].astype(float)
    for name in transformers.loc[~(rating > 0), "transformer_id"]:
        found.append((name, "missing_rating", f"{name} has no rating; it is not scored and not planned"))
    found += _share_findings(network) + _topology_findings(network)
    frame = pd.DataFrame(found, columns=["object_id", "code", "message"]).astype(object)
    frame["first"] = frame["last"] = pd.Series(pd.NaT, index=frame.index, dtype="datetime64[ns, UTC]")
    frame["count"] = np.ones(len(frame), dtype=np.int64)
    return frame
