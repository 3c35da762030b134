"""Ties that count for less than they seem: unknown position, or one of several side by side."""

import pandas as pd

from gridlib.domain.network import usable_ties
from gridlib.facts.types import Network, SwitchState


def tie_findings(network: Network, states: pd.DataFrame) -> list[tuple[str, str, str]]:
    """Say which switches the loss of a transformer cannot count on, and why.

    Parameters
    ----------
    network : Network
        The network.
    states : DataFrame
        Switch states, as from `gridlib.domain.network.current_states`.

    Returns
    -------
    list of (switch, code, message)
        ``unknown_state``: neither open nor closed, so it feeds nothing and helps nobody.
        ``parallel_tie``: joins the same two branches as another tie, of which the one with the larger
        limit counts alone.
    """
    known = states["state"].isin(list(SwitchState))
    rows = [
        (
            str(name),
            "unknown_state",
            f"switch {name} is reported as '{state}': it counts neither as closed nor as a usable tie",
        )
        for name, state in states.loc[~known, "state"].items()
    ]
    ties = usable_ties(network, states).sort_values("limit_kva", ascending=False, kind="stable")
    ends = pd.DataFrame(
        {
            "one": ties[["branch_id", "neighbour_branch_id"]].min(axis=1),
            "other": ties[["branch_id", "neighbour_branch_id"]].max(axis=1),
            "tie": ties["switch_id"],
        }
    ).drop_duplicates()
    counted = ends.groupby(["one", "other"], sort=False)["tie"].transform("first")
    return rows + [
        (
            str(tie),
            "parallel_tie",
            f"tie {tie} joins the same branches as {first}, which alone counts for the loss of a transformer",
        )
        for tie, first in zip(ends["tie"], counted, strict=True)
        if tie != first
    ]
