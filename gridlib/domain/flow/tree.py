"""Power flow of a radial network by its tree, fast enough to compare thousands of switch states."""

from dataclasses import dataclass

import numpy as np
from scipy.sparse import csc_array
from scipy.sparse.linalg import SuperLU, splu

from gridlib.domain.flow.grid import Bools, Complexes, Floats, Ints

TOLERANCE_PU = 1e-9
"""Largest change of a voltage in the last sweep [pu]."""

MOST_SWEEPS = 60
LEAST_PU = 0.1
"""Voltages below this are no solution of a network in service."""


@dataclass(frozen=True, eq=False)
class Meshes:
    """A network whose switches are all closed, for searching trees in it; per unit of one voltage.

    Attributes
    ----------
    start, end : array of int [B]
        Ends of the branches; nodes 0..N-1, and N for all sources together.
    z_pu : array of complex [B]
        Series impedances.
    source_pu : array [B, 2]
        Voltage at an end of a branch that is a source, else 0.
    s_pu : array of complex [H, N]
        Loads of each node in each case.
    weight : array [H]
        How much each case counts.
    """

    start: Ints
    end: Ints
    z_pu: Complexes
    source_pu: Floats
    s_pu: Complexes
    weight: Floats


@dataclass(frozen=True, eq=False)
class TreeFlow:
    """The flow of one tree.

    Attributes
    ----------
    closed : array of bool [B]
        The branches of the tree.
    branches : array of int [N]
        Their positions.
    factor : SuperLU
        Factors of the incidence matrix of the tree, N x N.
    current : array of complex [H, N]
        Current from start to end in each of ``branches``.
    voltage : array of complex [H, N]
        Voltages.
    loss_pu : float
        Weighted losses; infinite where the flow has no solution.
    """

    closed: Bools
    branches: Ints
    factor: SuperLU
    current: Complexes
    voltage: Complexes
    loss_pu: float


def solve_tree(meshes: Meshes, closed: Bools, start_voltage: Complexes | None = None) -> TreeFlow:
    """Solve a radial network by backward and forward sweeps, all cases at once.

    Parameters
    ----------
    meshes : Meshes
        The network.
    closed : array of bool [B]
        Branches that form a tree over all nodes.
    start_voltage : array of complex [H, N], optional
        Where to start; flat by default.

    Returns
    -------
    TreeFlow
        Currents, voltages and losses.

    Notes
    -----
    With the incidence matrix A of a tree (branch x node, +1 at the start, -1 at the end, sources left out)
    the backward sweep is ``A' j = -conj(s / u)`` and the forward sweep ``A u = z j - A_source u_source``; A
    is factored once for each tree.

    References
    ----------
    Shirmohammadi, Hong, Semlyen and Luo, "A compensation-based power flow method for weakly meshed
    distribution and transmission networks", IEEE Trans. Power Systems 3 (1988) 753-762.
    """
    branches = np.flatnonzero(closed)
    n = meshes.s_pu.shape[1]
    start, end = meshes.start[branches], meshes.end[branches]
    row = np.arange(len(branches))
    inner, outer = start < n, end < n
    values = np.r_[np.ones(inner.sum()), -np.ones(outer.sum())].astype(complex)
    matrix = csc_array(
        (values, (np.r_[row[inner], row[outer]], np.r_[start[inner], end[outer]])), shape=(n, n)
    )
    factor = splu(matrix)
    fixed = meshes.source_pu[branches, 0] - meshes.source_pu[branches, 1]
    z = meshes.z_pu[branches][:, None]
    load = meshes.s_pu.T
    voltage = np.ones_like(load) if start_voltage is None else start_voltage.T
    current = np.zeros_like(load)
    converged = False
    for _ in range(MOST_SWEEPS):
        current = factor.solve(-np.conj(load / voltage), trans="T")
        new = factor.solve(z * current - fixed[:, None])
        change = np.abs(new - voltage).max(initial=0.0)
        if not np.isfinite(change) or np.abs(new).min(initial=1.0) < LEAST_PU:
            break
        voltage = new
        if change < TOLERANCE_PU:
            converged = True
            break
    loss = float((z.real * np.abs(current) ** 2).sum(axis=0) @ meshes.weight) if converged else np.inf
    return TreeFlow(closed, branches, factor, current.T, voltage.T, loss)


def exchange_gains(meshes: Meshes, flow: TreeFlow) -> tuple[Ints, Ints, Floats]:
    """Estimate what every single exchange of an open for a closed branch would change in the losses.

    Parameters
    ----------
    meshes : Meshes
        The network.
    flow : TreeFlow
        The present tree.

    Returns
    -------
    close, open : array of int [K]
        Branch to close, branch to open.
    change_pu : array [K]
        Change of the weighted losses with the load currents held; ascending.

    Notes
    -----
    Closing branch k makes a ring with directions c (+1, -1, 0) in the branches of the tree; driving the
    current ``x = -j_b c_b`` around it brings branch b to zero, so that it can be opened. The losses change by
    ``2 Re(conj(x) sum(r c j)) + |x|^2 (sum(r c^2) + r_k)``.

    References
    ----------
    Civanlar, Grainger, Yin and Lee, "Distribution feeder reconfiguration for loss reduction", IEEE Trans.
    Power Delivery 3 (1988) 1217-1223; here for every branch of the ring at once.
    """
    n = meshes.s_pu.shape[1]
    ties = np.flatnonzero(~flow.closed)
    ends = np.zeros((n, len(ties)), dtype=complex)
    column = np.arange(len(ties))
    for side, sign in ((meshes.start, -1.0), (meshes.end, 1.0)):
        inner = side[ties] < n
        np.add.at(ends, (side[ties][inner], column[inner]), sign)
    # Unit current through a tie, from its start to its end, returns through the tree.
    ring = np.rint(flow.factor.solve(ends, trans="T").real).T
    r = meshes.z_pu.real[flow.branches]
    drive = (meshes.weight[:, None] * (flow.current * r)) @ ring.T
    resistance = np.abs(ring) @ r + meshes.z_pu.real[ties]
    squares = meshes.weight @ np.abs(flow.current) ** 2
    cross = (np.conj(flow.current).T @ drive).real.T
    change = -2 * ring * cross + squares * resistance[:, None]
    tie, branch = np.nonzero(ring)
    order = np.argsort(change[tie, branch], kind="stable")
    tie, branch = tie[order], branch[order]
    return ties[tie], flow.branches[branch], change[tie, branch]
