"""AC power flow of many cases under one switch state; what cannot be solved is named, the rest goes on."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from gridlib.domain.flow.engine import Solution, solve_cases
from gridlib.domain.flow.grid import Bools, Complexes, Finding, Floats, FlowGrid
from gridlib.domain.flow.parts import Parts, divide
from gridlib.facts.errors import InputError
from gridlib.facts.messages import Message


@dataclass(frozen=True, eq=False)
class FlowResult:
    """Voltages, loadings and losses; arrays are cases x elements, NaN where not solved.

    Attributes
    ----------
    u_pu : array [C, N]
        Voltages [pu]; NaN at nodes that no source supplies.
    line_a : array [C, L]
        Larger current of both ends [A]; 0 where open.
    line_pct : array [C, L]
        The same in percent of the limit; NaN where no limit is known.
    transformer_pct : array [C, T]
        Larger current of both windings in percent of rated current.
    line_loss_kw, transformer_loss_kw : array [C, L] and [C, T]
        Active losses [kW].
    source_kva : array of complex [C, S]
        What each source gives [kVA, active + j reactive]; of several at one node the first gives all.
    findings : tuple of Finding
        Elements left out, parts not supplied, rings, cases that do not converge.
    """

    u_pu: Floats
    line_a: Floats
    line_pct: Floats
    transformer_pct: Floats
    line_loss_kw: Floats
    transformer_loss_kw: Floats
    source_kva: Complexes
    findings: tuple[Finding, ...]

    @property
    def loss_kw(self) -> Floats:
        """Losses of everything solved in each case [kW], NaN elements left out; array [C]."""
        total: Floats = np.nansum(self.line_loss_kw, axis=1) + np.nansum(self.transformer_loss_kw, axis=1)
        return total


def solve_flow(grid: FlowGrid, p_kw: npt.ArrayLike, q_kvar: npt.ArrayLike) -> FlowResult:
    """Solve the AC power flow of every case.

    Parameters
    ----------
    grid : FlowGrid
        The network with its switch states; for several states call once for each.
    p_kw, q_kvar : array [C, N]
        Load at each node in each case, signed [kW, kvar]; negative is generation. A case is an hour of a
        scenario.

    Returns
    -------
    FlowResult
        Findings beside those of the grid: ``not_supplied`` for nodes with load that no source reaches,
        ``ring`` for parts that are not radial (they are solved all the same), ``load_missing`` where a load
        is not a number, ``not_converged`` where a part has no solution. Only that part is NaN, and only in
        those cases; all other numbers are what they would be without it.

    Raises
    ------
    InputError
        Loads that are not one for each case and node.

    Notes
    -----
    By power-grid-model on the pi model of lines and transformers, positive sequence: the iterative current
    method, and Newton-Raphson where that does not converge. Nodes joined by closed links are one node.
    Loading of a transformer is by current, the larger of both windings, because it is current that heats.

    References
    ----------
    power-grid-model, https://power-grid-model.readthedocs.io.
    """
    p, q = (np.asarray(values, dtype=float) for values in (p_kw, q_kvar))
    if p.shape != q.shape or p.ndim != 2 or p.shape[1] != len(grid.names):
        raise InputError(
            f"loads have shapes {p.shape} and {q.shape}, expected [cases, {len(grid.names)} nodes] both"
        )
    parts = divide(grid)
    findings = list(grid.findings)
    unknown = ~(np.isfinite(p) & np.isfinite(q))
    p, q = np.where(unknown, 0.0, p), np.where(unknown, 0.0, q)
    blank = np.zeros((len(p), len(parts.supplied)), dtype=bool)
    for node in np.flatnonzero(unknown.any(axis=0)):
        cases = int(unknown[:, node].sum())
        name = str(grid.names[node])
        findings.append(_finding(name, "load_missing", cases))
        blank[:, parts.island[node]] |= unknown[:, node]
    dark = ~parts.supplied[parts.island]
    for node in np.flatnonzero(dark & ((p != 0) | (q != 0)).any(axis=0)):
        name = str(grid.names[node])
        findings.append(_finding(name, "not_supplied", len(p)))
    for island in np.flatnonzero(parts.ring):
        findings.append(_finding(_name_of(grid, parts, int(island)), "ring", len(p)))
    solution = Solution.blank(grid, len(p))
    if len(p) and parts.supplied.any():
        solve_cases(grid, parts, np.flatnonzero(parts.supplied), np.arange(len(p)), p, q, solution)
    failed = solution.failed
    for island in np.unique(np.array([island for island, _ in failed], dtype=np.int64)):
        unsolved = [case for other, case in failed if other == island]
        findings.append(_finding(_name_of(grid, parts, int(island)), "not_converged", len(unsolved)))
        blank[unsolved, island] = True
    return _result(grid, parts, solution, blank, tuple(findings))


def _finding(name: str, code: str, cases: int) -> Finding:
    return Finding(name, code, Message(f"flow.found.{code}", {"name": name}), cases)


def _result(
    grid: FlowGrid, parts: Parts, solution: Solution, blank: Bools, findings: tuple[Finding, ...]
) -> FlowResult:
    """Take out what is not known, and set what is open or not supplied apart from it."""
    blank = blank | ~parts.supplied
    lines, units = grid.lines, grid.transformers
    nodes, ends = blank[:, parts.island], blank[:, parts.island[lines.start]] & lines.closed
    sides = blank[:, parts.island[units.end]] & units.closed
    line_a = np.where(ends, np.nan, solution.line_a)
    return FlowResult(
        u_pu=np.where(nodes, np.nan, solution.u_pu),
        line_a=line_a,
        line_pct=100 * line_a / lines.limit_a,
        transformer_pct=np.where(sides, np.nan, solution.transformer_pct),
        line_loss_kw=np.where(ends, np.nan, solution.line_loss_kw),
        transformer_loss_kw=np.where(sides, np.nan, solution.transformer_loss_kw),
        source_kva=np.where(nodes[:, grid.source], np.nan, solution.source_kva),
        findings=findings,
    )


def _name_of(grid: FlowGrid, parts: Parts, island: int) -> str:
    """Name a part after its first transformer, else its first source."""
    inside = np.flatnonzero(grid.transformers.closed & (parts.island[grid.transformers.end] == island))
    if len(inside):
        return str(grid.transformers.names[inside[0]])
    return str(grid.names[grid.source[parts.island[grid.source] == island][0]])
