"""What may be switched around the overloaded transformers, and the room that everything there has."""

from collections import defaultdict
from dataclasses import dataclass

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from gridlib.domain.transfer.flow import LOOPED, UNFED, Flows, overload_kva
from gridlib.domain.transfer.grid import TOLERANCE_KVA, Bools, Floats, Ints, SectionGrid


@dataclass(frozen=True)
class Finding:
    """What is left out of planning, and why.

    ``node`` is a transformer or section; ``code`` is unknown_load, unknown_limit, not_radial or unfed.
    """

    node: int
    code: str


@dataclass(frozen=True, eq=False)
class Reach:
    """The part of the grid in which switches may move.

    A cluster is a set of sections joined by switches, cut at the transformers: whatever is switched in it
    changes nothing elsewhere but the loads of the transformers at its breakers.

    Attributes
    ----------
    cluster : array of int [S]
        Cluster of each section.
    free : array of bool [clusters]
        Clusters in which switches may move.
    breakers : array of int
        Switches between a transformer and a section of a free cluster that may be closed.
    switches : array of int
        All switches with an end in a free cluster that may be closed.
    most_kva : array [n, Q x H]
        Bound of no harm for each transformer, either way: its limit, or its present load where that is
        higher [kVA].
    rest_kva : array [n, Q x H]
        Load that each transformer keeps whatever is switched [kVA].
    donors : array of bool [n]
        Transformers overloaded in a scenario that counts in the objective.
    findings : tuple of Finding
        What is left out.
    """

    cluster: Ints
    free: Bools
    breakers: Ints
    switches: Ints
    most_kva: Floats
    rest_kva: Floats
    donors: Bools
    findings: tuple[Finding, ...]


def reach(grid: SectionGrid, before: Flows, hops: int | None) -> Reach:
    """Find the clusters around the overloaded transformers.

    Parameters
    ----------
    grid : SectionGrid
        The grid.
    before : Flows
        Its present flows.
    hops : int or None
        How many clusters away from an overloaded transformer switches may move; None for no limit.

    Returns
    -------
    Reach
        Clusters that hold an unknown load or limit, a ring or an unfed section stay as they are.
    """
    n = grid.transformers
    apart = grid.fixed & ~grid.closed
    inner = (grid.start >= n) & (grid.end >= n) & ~apart
    rows, columns = grid.start[inner] - n, grid.end[inner] - n
    joined = coo_array((np.ones(len(rows)), (rows, columns)), shape=(grid.sections, grid.sections))
    count, cluster = connected_components(joined, directed=False)
    at_unit = ((grid.start < n) != (grid.end < n)) & ~apart
    breakers = np.flatnonzero(at_unit)
    unit, head = breaker_ends(grid, breakers)
    home = cluster[head - n]

    ill_unit, ill_section, findings = _ill(grid, before)
    frozen = np.zeros(count, dtype=bool)
    frozen[cluster[ill_section]] = True
    frozen[home[ill_unit[unit]]] = True
    movable = ~frozen & (np.bincount(home, minlength=count) > 1)

    load, limit = before.node_kva[:n], grid.step_limit_kva
    counted = grid.step_weight_h > 0
    over = overload_kva(load[:, counted], limit[:, counted]) > TOLERANCE_KVA
    donors = over.any(axis=1) & ~ill_unit
    near, free = donors.copy(), np.zeros(count, dtype=bool)
    for _ in range(n if hops is None else hops):
        wider = movable.copy()
        wider[movable] = np.bincount(home, weights=near[unit], minlength=count)[movable] > 0
        if (wider == free).all():
            break
        free = wider
        near[unit[free[home]]] = True

    rest = load.copy()
    moving = np.flatnonzero(free[cluster])
    np.subtract.at(rest, before.source[moving + n], grid.step_load_kva[moving])
    section_end = np.where(grid.start >= n, grid.start, grid.end) - n
    in_free = np.zeros(len(grid.start), dtype=bool)
    usable = np.flatnonzero(at_unit | inner)
    in_free[usable] = free[cluster[section_end[usable]]]
    return Reach(
        cluster=cluster.astype(np.int64),
        free=free,
        breakers=breakers[free[home]],
        switches=np.flatnonzero(in_free),
        most_kva=np.maximum(limit, np.abs(load)),
        rest_kva=rest,
        donors=donors,
        findings=findings,
    )


def breaker_ends(grid: SectionGrid, breakers: Ints) -> tuple[Ints, Ints]:
    """Find transformer and section at the ends of breakers."""
    start, end = grid.start[breakers], grid.end[breakers]
    at_start = start < grid.transformers
    return np.where(at_start, start, end), np.where(at_start, end, start)


def inner_switches(grid: SectionGrid, switches: Ints) -> dict[int, list[tuple[int, int]]]:
    """Switch and far section of all switches between sections, by section."""
    n = grid.transformers
    far: dict[int, list[tuple[int, int]]] = defaultdict(list)
    for switch in switches.tolist():
        one, other = int(grid.start[switch]), int(grid.end[switch])
        if one >= n and other >= n and one != other:
            far[one].append((switch, other))
            far[other].append((switch, one))
    return far


def _ill(grid: SectionGrid, before: Flows) -> tuple[Bools, Ints, tuple[Finding, ...]]:
    """Find transformers and sections that cannot be planned with, and say why."""
    n = grid.transformers
    limit = grid.step_limit_kva
    no_limit = ~(np.isfinite(limit) & (limit > 0)).all(axis=1)
    ring = before.source[:n] == LOOPED
    no_load = ~np.isfinite(before.node_kva[:n]).all(axis=1) & ~ring
    unfed = np.flatnonzero(before.source[n:] == UNFED)
    unknown = ~np.isfinite(grid.step_load_kva).all(axis=1)
    findings = [
        Finding(int(node), code)
        for code, nodes in (
            ("unknown_limit", np.flatnonzero(no_limit)),
            ("not_radial", np.flatnonzero(ring)),
            ("unknown_load", np.flatnonzero(no_load)),
            ("unfed", unfed + n),
        )
        for node in nodes
    ]
    return no_limit | ring | no_load, np.flatnonzero((before.source[n:] < 0) | unknown), tuple(findings)
