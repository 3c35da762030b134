"""The switches as planning sees them: what they are, how they stand, and what they are built for."""

from typing import NamedTuple

import numpy as np
import pandas as pd

from gridlib.domain.network import FeedingTree
from gridlib.facts.types import Network


class Device(NamedTuple):
    """One switch: its row in the tables, its present state, and its ends as positions in the tree (or -1)."""

    switch_id: str
    kind: str
    start: int
    end: int
    is_closed: bool
    health: str
    tags: str
    source: str
    time: pd.Timestamp
    load_break_a: float
    fault_make_ka: float
    limit_kva: float
    pick_up_a: float
    phase_rotation: str
    remote: bool
    may_parallel: bool


def read_devices(network: Network, states: pd.DataFrame, tree: FeedingTree) -> dict[str, Device]:
    """Read the switches by name; what the tables do not say is NaN or empty."""
    switches = network.switches.drop_duplicates("switch_id")
    optional = ("load_break_a", "fault_make_ka", "limit_kva", "pick_up_a")
    switches = switches.assign(**{name: np.nan for name in optional if name not in switches})
    rotation = switches.get("phase_rotation_confirmed_on", pd.Series("", index=switches.index))
    no = [False] * len(switches)
    columns = [
        switches["switch_id"],
        switches["kind"],
        tree.nodes.get_indexer(pd.Index(switches["from_id"])).tolist(),
        tree.nodes.get_indexer(pd.Index(switches["to_id"])).tolist(),
        (states["state"] == "CLOSED").tolist(),
        states["health"],
        states["tags"].str.strip(),
        states["source"],
        states["time"],
        *(switches[name].astype(float).tolist() for name in optional),
        rotation.where(rotation.notna(), "").astype(str).str.strip(),
        *(
            switches[name].fillna(False).astype(bool).tolist() if name in switches else no
            for name in ("remote", "may_parallel")
        ),
    ]
    return {row[0]: Device(*row) for row in zip(*columns, strict=True)}
