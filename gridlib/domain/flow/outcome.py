"""Reading an AC flow: limits broken, worst loadings, voltages and losses, before and after."""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from gridlib.domain.flow.grid import Floats, FlowGrid, Ints
from gridlib.domain.flow.proof import AcEnergy, AcLoading
from gridlib.domain.flow.solve import FlowResult

TOLERANCE_PCT = 0.01
TOLERANCE_PU = 1e-5
"""Changes below these do not count as harm: what a shift of losses elsewhere on a feeder brings."""


class FlowLimits(NamedTuple):
    """Largest loading [%], lowest and highest low voltage [pu]."""

    loading_pct: float
    least_pu: float
    most_pu: float


class FlowCases(NamedTuple):
    """Scenarios by name, their hours, and the loads of the nodes [C, N], scenario by scenario."""

    names: tuple[str, ...]
    hours: pd.Index
    p_kw: Floats
    q_kvar: Floats

    def of(self, scenario: int) -> slice:
        """Cases of a scenario."""
        return slice(scenario * len(self.hours), (scenario + 1) * len(self.hours))

    def where(self, case: int) -> str:
        """Name scenario and hour of a case."""
        scenario, hour = divmod(case, len(self.hours))
        return f"at {self.names[scenario]} in hour {self.hours[hour]}"


class Watched(NamedTuple):
    """Positions of the transformers and low-voltage nodes whose limits count; all lines do."""

    grid: FlowGrid
    units: Ints
    nodes: Ints

    @classmethod
    def of(cls, grid: FlowGrid, units: Sequence[str], low: Sequence[str]) -> "Watched":
        """Find transformers and low-voltage nodes by name."""
        unit_names, node_names = pd.Index(grid.transformers.names), pd.Index(grid.names)
        return cls(
            grid,
            np.asarray(unit_names.get_indexer(pd.Index(units)), dtype=np.int64),
            np.asarray(node_names.get_indexer(pd.Index(low)), dtype=np.int64),
        )


def broken(
    watched: Watched, before: FlowResult, after: FlowResult, cases: FlowCases, limits: FlowLimits
) -> Iterator[str]:
    """Tell which limits are newly broken and which violations grow, at their worst."""
    grid = watched.grid
    for names, was, now in (
        (
            grid.transformers.names[watched.units],
            before.transformer_pct[:, watched.units],
            after.transformer_pct[:, watched.units],
        ),
        (grid.lines.names, before.line_pct, after.line_pct),
    ):
        growth = np.nan_to_num(now - np.maximum(limits.loading_pct, np.nan_to_num(was)))
        for place in np.flatnonzero(growth.max(axis=0, initial=0.0) > TOLERANCE_PCT):
            case = int(growth[:, place].argmax())
            yield (
                f"{names[place]} would reach {now[case, place]:.1f} % {cases.where(case)}, "
                f"limit {limits.loading_pct:g} %: {now[case, place] - limits.loading_pct:.1f} too much"
            )
    was, now = before.u_pu[:, watched.nodes], after.u_pu[:, watched.nodes]
    for limit, excess in (
        (limits.least_pu, np.fmin(limits.least_pu, was) - now),
        (limits.most_pu, now - np.fmax(limits.most_pu, was)),
    ):
        excess = np.nan_to_num(excess)
        if excess.max(initial=0.0) > TOLERANCE_PU:
            case, place = divmod(int(excess.argmax()), excess.shape[1])
            yield (
                f"{grid.names[watched.nodes[place]]} would have {now[case, place]:.4f} pu "
                f"{cases.where(case)}, limit {limit:g} pu"
            )


def loadings(
    watched: Watched,
    roles: Mapping[str, str],
    heads: Sequence[str],
    before: FlowResult,
    after: Sequence[FlowResult],
    cases: FlowCases,
) -> Iterator[AcLoading]:
    """List the worst hour of every watched transformer, every line and feeder head, by scenario."""
    grid = watched.grid
    units, lines = grid.transformers.names, grid.lines.names
    for scenario, name in enumerate(cases.names):
        part = cases.of(scenario)
        for unit in watched.units:
            values = [flow.transformer_pct[part, unit] for flow in (before, *after)]
            yield _loading(str(units[unit]), roles.get(str(units[unit]), "transformer"), name, values, None)
        for line, line_name in enumerate(lines):
            pct = [flow.line_pct[part, line] for flow in (before, *after)]
            amperes = [flow.line_a[part, line] for flow in (before, *after)]
            role = "feeder head" if line_name in heads else "line"
            yield _loading(str(line_name), role, name, pct, amperes)


def _loading(
    name: str, role: str, scenario: str, pct: Sequence[Floats], amperes: Sequence[Floats] | None
) -> AcLoading:
    ranked = np.stack(pct[1:] or pct) if amperes is None else np.stack(amperes[1:] or amperes)
    worst = np.where(np.isfinite(ranked), ranked, -np.inf).max(axis=0)
    return AcLoading(
        object_id=name,
        role=role,
        scenario=scenario,
        before_pct=_most(pct[0]),
        after_pct=_most(np.stack(pct[1:] or pct)),
        after_a=np.nan if amperes is None else _most(ranked),
        hour=int(worst.argmax()),
    )


def energies(
    watched: Watched, before: FlowResult, after: Sequence[FlowResult], cases: FlowCases, step_h: float
) -> Iterator[AcEnergy]:
    """List the range of voltages and the losses, by scenario."""
    states = list(after) or [before]
    for scenario, name in enumerate(cases.names):
        part = cases.of(scenario)
        was = before.u_pu[part][:, watched.nodes]
        now = np.concatenate([flow.u_pu[part][:, watched.nodes] for flow in states])
        lowest = int(np.where(np.isfinite(now), now, np.inf).min(axis=0).argmin())
        yield AcEnergy(
            scenario=name,
            least_pu_before=-_most(-was),
            most_pu_before=_most(was),
            least_pu_after=-_most(-now),
            most_pu_after=_most(now),
            least_at=str(watched.grid.names[watched.nodes[lowest]]),
            losses_kwh_before=float(before.loss_kw[part].sum() * step_h),
            losses_kwh_after=float(states[-1].loss_kw[part].sum() * step_h),
        )


def _most(values: Floats) -> float:
    """Largest of the known values; NaN where none is."""
    known = values[np.isfinite(values)]
    return float(known.max()) if len(known) else float("nan")
