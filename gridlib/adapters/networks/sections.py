"""Sections: what stays together whatever is switched, and the switches between them."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from scipy.sparse.csgraph import dijkstra

from gridlib.adapters.networks.bus_grid import BusGrid, Finding
from gridlib.adapters.networks.wiring import Bools, Floats, Ints, Roots, Wiring, parts, shortest_ways

_FAR = 1e6
"""Length of a way over an open switch, against 1 over a closed one: the closed ways are looked at first."""


@dataclass
class Joint:
    """A switch between two nodes of our network: roots 0 .. R-1, then pieces R .. R+P-1.

    ``rows`` are the switches of the grid that it stands for, none for a breaker that was added.
    """

    ends: tuple[int, int]
    closed: bool
    rows: list[int]
    name: str
    limit_kva: float
    load_break_a: float


@dataclass(frozen=True)
class Sectioned:
    """A grid cut at its switches.

    Attributes
    ----------
    roots : int
        Number R of transformers; they are nodes 0 .. R-1, pieces follow.
    piece_of : array of int [grid nodes]
        Our node in which a node of the grid lies; -1 outside.
    joints : list of Joint
        What joins our nodes.
    load_kva, customers : array [our nodes]
        Connected there.
    home : array of int [our nodes]
        The transformer that feeds it, or nearest over open switches; -1 where no way leads to one.
    fed : array of bool [our nodes]
        Whether a transformer feeds it over closed switches.
    findings : list of Finding
        What was simplified.
    """

    roots: int
    piece_of: Ints
    joints: list[Joint]
    load_kva: Floats
    customers: Floats
    home: Ints
    fed: Bools
    findings: list[Finding] = field(default_factory=list)


def cut_into_sections(grid: BusGrid, wiring: Wiring, roots: Roots, live: Bools) -> Sectioned:
    """Cut the part of a grid below its transformers at every switch.

    Parameters
    ----------
    grid : BusGrid
        The grid.
    wiring : Wiring
        Its nodes.
    roots : Roots
        Its transformers.
    live : array of bool [roots]
        Which of them have voltage from above in the present state.

    Returns
    -------
    Sectioned
        A piece without load between two switches is taken for part of them: one switch remains, closed where
        both are. A busbar without load behind one transformer is taken for its terminal.
    """
    n = len(roots.ids)
    inner = wiring.unit_ends[np.setdiff1d(np.arange(len(wiring.unit_ends)), roots.units)]
    piece = parts(wiring.nodes, wiring.line_ends, inner)
    used = np.unique(piece[roots.area])
    place = np.full(wiring.nodes, -1, dtype=np.int64)
    place[used] = np.arange(len(used)) + n
    piece_of = np.where(roots.area, place[piece], -1)
    joints = list(_joints(grid, wiring, piece_of))
    findings = _unused_switches(grid, piece_of, wiring, len(joints))
    joints, piece_of = _close_rings(joints, piece_of, n + len(used), findings)
    load_kva, customers = _loads(grid, piece_of, n + len(used))
    for root, name in enumerate(roots.ids):
        ends = (root, int(piece_of[roots.lower[root]]))
        joints.append(Joint(ends, bool(live[root]), [], f"{name}-B", np.nan, np.nan))
        if not live[root]:
            message = f"{name} has no voltage from above in the file's state; its breaker is taken for open"
            findings.append((name, "unit_off", message, 1))
    joints, piece_of = _merge_busbars(joints, piece_of, load_kva)
    joints = _shorten(joints, load_kva, n, findings)
    for joint in joints:
        if not joint.rows:
            where = f"below {roots.ids[joint.ends[0]]}, where the file has no switch"
            message = f"{joint.name} was added {where}; not operable on load"
            findings.append((joint.name, "breaker_added", message, 1))
    home, fed = _homes(joints, n, n + len(used))
    return Sectioned(n, piece_of, joints, load_kva, customers, home, fed, findings)


def _loads(grid: BusGrid, piece_of: Ints, size: int) -> tuple[Floats, Floats]:
    at = piece_of[pd.Index(grid.buses["bus_id"]).get_indexer(pd.Index(grid.loads["bus_id"]))]
    inside = at >= 0
    sums = [
        np.bincount(
            at[inside], weights=grid.loads[name].to_numpy(dtype=float)[inside], minlength=size
        ).astype(float)
        for name in ("kva", "customers")
    ]
    return sums[0], sums[1]


def _joints(grid: BusGrid, wiring: Wiring, piece_of: Ints) -> Iterator[Joint]:
    kv = grid.buses["kv"].to_numpy(dtype=float)
    bus_number = {bus: place for place, bus in enumerate(grid.buses["bus_id"])}
    line_limit = dict(zip(grid.lines["line_id"], grid.lines["limit_a"].astype(float), strict=True))
    for row, switch in enumerate(grid.switches.itertuples()):
        one, other = (int(end) for end in piece_of[wiring.switch_ends[row]])
        if one == other or min(one, other) < 0:
            continue
        limits = [float(str(switch.limit_a))]
        if switch.element == "line":
            limits.append(float(line_limit[str(switch.element_id)]))
        known = [limit for limit in limits if np.isfinite(limit)]
        kva = 3**0.5 * kv[bus_number[str(switch.bus_id)]] * min(known) if known else np.nan
        yield Joint(
            (one, other),
            bool(switch.closed),
            [row],
            str(switch.switch_id),
            kva,
            float(str(switch.load_break_a)),
        )


def _unused_switches(grid: BusGrid, piece_of: Ints, wiring: Wiring, used: int) -> list[Finding]:
    ends = piece_of[wiring.switch_ends].reshape(-1, 2)
    same = int(((ends[:, 0] == ends[:, 1]) & (ends[:, 0] >= 0)).sum())
    above = len(grid.switches) - same - used
    found: list[Finding] = []
    if same:
        message = f"{same} switch(es) with both ends in one section are not carried: they cut nothing"
        found.append(("switches", "switch_within_section", message, same))
    if above:
        message = f"{above} switch(es) above the transformers are not carried, nor what they could change"
        found.append(("switches", "switch_above", message, above))
    return found


def _close_rings(
    joints: list[Joint], piece_of: Ints, size: int, findings: list[Finding]
) -> tuple[list[Joint], Ints]:
    """Make one piece of a ring of closed switches: opening one of them would cut nothing off."""
    at: dict[int, list[tuple[int, Joint]]] = {}
    for joint in (joint for joint in joints if joint.closed):
        for end, other in (joint.ends, joint.ends[::-1]):
            at.setdefault(end, []).append((other, joint))
    parent: dict[int, int] = {}
    depth: dict[int, int] = {}
    in_tree: set[int] = set()
    for start in at:
        waiting = [] if start in parent else [start]
        parent.setdefault(start, start)
        depth.setdefault(start, 0)
        for piece in waiting:
            for other, joint in at[piece]:
                if other not in parent:
                    parent[other], depth[other] = piece, depth[piece] + 1
                    in_tree.add(id(joint))
                    waiting.append(other)
    joined = []
    for joint in (joint for joint in joints if joint.closed and id(joint) not in in_tree):
        one, other = joint.ends
        while one != other:
            one, other = (one, other) if depth[one] >= depth[other] else (other, one)
            joined.append((one, parent[one]))
            one = parent[one]
    if not joined:
        return joints, piece_of
    # The lowest number of a ring stands for all of it.
    group = parts(size, np.array(joined))
    first = np.full(group.max() + 1, size)
    np.minimum.at(first, group, np.arange(size))
    renamed = first[group]
    for joint in joints:
        joint.ends = (int(renamed[joint.ends[0]]), int(renamed[joint.ends[1]]))
    kept = [joint for joint in joints if joint.ends[0] != joint.ends[1]]
    count = len(joints) - len(kept)
    message = (
        f"{count} switch(es) in rings that are closed in the file are not carried: a ring is one section"
    )
    findings.append(("switches", "closed_ring", message, count))
    return kept, np.where(piece_of >= 0, renamed[piece_of], -1)


def _merge_busbars(joints: list[Joint], piece_of: Ints, load_kva: Floats) -> tuple[list[Joint], Ints]:
    """Take a loadless busbar, of one live transformer and with closed switches alone, for its terminal."""
    at: dict[int, list[Joint]] = {}
    for joint in joints:
        for end in joint.ends:
            at.setdefault(end, []).append(joint)
    kept = list(joints)
    for breaker in [joint for joint in joints if not joint.rows]:
        root, busbar = breaker.ends
        others = [joint for joint in at[busbar] if joint is not breaker]
        lone = all(joint.rows for joint in others) and bool(others)
        if not (lone and breaker.closed and load_kva[busbar] == 0 and all(joint.closed for joint in others)):
            continue
        kept.remove(breaker)
        for joint in others:
            joint.ends = (root, joint.ends[0] if joint.ends[1] == busbar else joint.ends[1])
        piece_of = np.where(piece_of == busbar, root, piece_of)
    return kept, piece_of


def _shorten(joints: list[Joint], load_kva: Floats, roots: int, findings: list[Finding]) -> list[Joint]:
    """Make one switch of two with nothing but a loadless piece between them."""
    at: dict[int, list[Joint]] = {}
    for joint in joints:
        for end in joint.ends:
            at.setdefault(end, []).append(joint)
    gone: set[int] = set()
    dropped = 0
    for piece in sorted(at):
        if piece < roots or load_kva[piece] != 0 or len(at[piece]) != 2:
            continue
        one, other = sorted(at[piece], key=lambda joint: (not joint.rows, joint.closed))
        far = [joint.ends[joint.ends[0] == piece] for joint in (one, other)]
        if far[0] == far[1] or one is other:
            continue
        one.ends = (far[0], far[1])
        one.rows += other.rows
        one.closed = one.closed and other.closed
        one.limit_kva = float(np.fmin(one.limit_kva, other.limit_kva))
        at[far[1]][at[far[1]].index(other)] = one
        gone.add(id(other))
        dropped += bool(other.rows)
    if dropped:
        message = f"{dropped} switch(es) in series with another and no load between: that one stands for both"
        findings.append(("switches", "series_switch", message, dropped))
    return [joint for joint in joints if id(joint) not in gone]


def _homes(joints: list[Joint], roots: int, size: int) -> tuple[Ints, Bools]:
    """Find the nearest transformer of each node: over closed switches, else over open ones."""
    ends = np.array([joint.ends for joint in joints], dtype=np.int64).reshape(-1, 2)
    cost = np.array([1.0 if joint.closed else _FAR for joint in joints])
    graph = shortest_ways(ends, cost, size)
    far, _, source = dijkstra(graph, indices=np.arange(roots), min_only=True, return_predecessors=True)
    home = np.where(np.isfinite(far), source, -1).astype(np.int64)
    return home, far < _FAR
