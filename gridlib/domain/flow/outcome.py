"""Reading an AC flow: limits broken, worst loadings, voltages and losses, before and after."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from gridlib.domain.flow.grid import Complexes, Floats, Ints
from gridlib.domain.flow.proof import AcEnergy, AcLoading, AcWorst
from gridlib.domain.flow.solve import FlowResult
from gridlib.domain.flow.territory import Territory, Way
from gridlib.facts.messages import Message, word

TOLERANCE_PCT = 0.1
"""Changes of a loading below this do not count as harm [percentage points]: a tenth of what readings and
impedances are good for. Load that is shifted lowers the voltage of its feeder a little, and lifts every
current on it."""

TOLERANCE_PU = 5e-4
"""Changes of a voltage below this do not count as harm [pu]: half of what a class A instrument can tell
[IEC 61000-4-30]."""


class FlowLimits(NamedTuple):
    """Largest loading of transformers, of lines and substations [%], lowest and highest low voltage [pu]."""

    loading_pct: float
    line_pct: float
    least_pu: float
    most_pu: float


class FlowCases(NamedTuple):
    """Scenarios by name, the scenario before that each is held against, their hours, and the hours' zone."""

    names: tuple[str, ...]
    base: tuple[int, ...]
    hours: pd.DatetimeIndex

    def of(self, scenario: int) -> slice:
        """Cases of a scenario."""
        return slice(scenario * len(self.hours), (scenario + 1) * len(self.hours))

    @property
    def rows(self) -> Ints:
        """Case before of each case after."""
        hours = np.arange(len(self.hours))
        return np.concatenate([base * len(hours) + hours for base in self.base])

    def where(self, case: int) -> dict[str, Any]:
        """Name scenario and hour of a case, to stand in a message."""
        scenario, hour = divmod(case, len(self.hours))
        return {"scenario": word("scenario", self.names[scenario]), "at": self.hours[hour]}


@dataclass(frozen=True, eq=False)
class Before:
    """A territory before any switching: loads of its nodes and of substations besides [kVA], and the flow."""

    territory: Territory
    load_kva: Complexes
    station_kva: Complexes
    flow: FlowResult


@dataclass(frozen=True, eq=False)
class Figures:
    """Flows of a territory before and in every state after."""

    before: Before
    after: Sequence[FlowResult]
    cases: FlowCases
    limits: FlowLimits
    roles: Mapping[str, str]
    step_h: float

    def loadings(self) -> Iterator[AcLoading]:
        """List the worst hour of every transformer, line and substation, by scenario."""
        territory, rows = self.before.territory, self.cases.rows
        grid = territory.grid
        unit_pct = [self.before.flow.transformer_pct[rows], *(flow.transformer_pct for flow in self.after)]
        line_a = [self.before.flow.line_a[rows], *(flow.line_a for flow in self.after)]
        for scenario in range(len(self.cases.names)):
            for k, name in enumerate(grid.transformers.names):
                role = self.roles.get(str(name), "transformer")
                yield self._loading(str(name), role, scenario, [pct[:, k] for pct in unit_pct])
            for k, name in enumerate(grid.lines.names):
                role = "feeder head" if k in self.heads else "line"
                amperes = [a[:, k] for a in line_a]
                limit_a = float(grid.lines.limit_a[k])
                yield self._loading(str(name), role, scenario, amperes, limit_a)
            for k, station in enumerate(territory.stations):
                pct = [self._station_pct(flow, k) for flow in (self.before.flow, *self.after)]
                yield self._loading(station.name, "substation", scenario, [pct[0][rows], *pct[1:]])

    @property
    def heads(self) -> frozenset[int]:
        """Rows of the lines that leave a substation."""
        territory = self.before.territory
        first = len(territory.switches) - territory.low
        return frozenset(
            way.first + first + k
            for way in territory.ways
            for k in np.flatnonzero(way.flow.parent[way.inside] < 0).tolist()
        )

    def _loading(
        self,
        name: str,
        role: str,
        scenario: int,
        values: Sequence[Floats],
        limit_a: float | None = None,
    ) -> AcLoading:
        part = self.cases.of(scenario)
        was, now = values[0][part], np.stack([value[part] for value in (values[1:] or values)])
        worst = np.where(np.isfinite(now), now, -np.inf).max(axis=0)
        before, after = most(was), most(now)
        line = limit_a is not None
        scale = 100 / limit_a if limit_a else 1.0
        return AcLoading(
            object_id=name,
            role=role,
            scenario=self.cases.names[scenario],
            before_pct=before * scale,
            after_pct=after * scale,
            before_a=before if line else np.nan,
            after_a=after if line else np.nan,
            limit_a=limit_a if limit_a is not None else np.nan,
            hour=int(worst.argmax()),
        )

    def _station_pct(self, flow: FlowResult, k: int) -> Floats:
        rest = self.before.station_kva[:, k]
        rest = rest if len(flow.u_pu) == len(rest) else rest[self.cases.rows]
        return station_pct(self.before.territory, flow, k, rest)

    def energies(self) -> Iterator[AcEnergy]:
        """List the range of voltages and the losses, by scenario."""
        territory, rows = self.before.territory, self.cases.rows
        low = territory.low
        states = list(self.after) or [self.before.flow]
        u_before = self.before.flow.u_pu[rows, :low]
        for scenario, name in enumerate(self.cases.names):
            part = self.cases.of(scenario)
            was = u_before[part]
            now = np.stack([flow.u_pu[part, :low] for flow in states])
            known = np.where(np.isfinite(now), now, np.inf).min(axis=0)
            hour, lowest = divmod(int(known.argmin()), low)
            lost_before, lost_after = self._losses_kwh(scenario)
            yield AcEnergy(
                scenario=name,
                least_pu_before=-most(-was),
                most_pu_before=most(was),
                least_pu_after=-most(-now),
                most_pu_after=most(now),
                least_at=str(territory.grid.names[lowest]),
                hour=hour,
                losses_kwh_before=lost_before,
                losses_kwh_after=lost_after,
            )

    def _losses_kwh(self, scenario: int) -> tuple[float, float]:
        """Losses over the horizon before and in the last state."""
        part, rows = self.cases.of(scenario), self.cases.rows
        last = self.after[-1].loss_kw if self.after else self.before.flow.loss_kw[rows]
        rest = losses_beside_kw(self.before.territory)[rows]
        before, after = (
            float((kw + rest)[part].sum() * self.step_h) for kw in (self.before.flow.loss_kw[rows], last)
        )
        return before, after

    def worst(self) -> Iterator[AcWorst]:
        """List the elements worth showing, before and in the state that stays.

        Every substation and feeder head, the worst line of each voltage, the touched transformers, the lowest
        and the highest voltage, and the losses at p50.
        """
        territory, rows, was, now = self.before.territory, self.cases.rows, self.before.flow, self.after[-1]
        grid, limit_pct = territory.grid, self.limits.line_pct
        for k, station in enumerate(territory.stations):
            pct = self._station_pct(was, k)[rows], self._station_pct(now, k)
            yield self._worst("substation", station.name, "%", *pct, limit_pct)
        for role, lines in self._lines_by_role().items():
            reached = now.line_a[:, lines].max(axis=0)
            share = np.nan_to_num(reached / grid.lines.limit_a[lines])
            # Where no limit is known, the line with the highest current is shown.
            shown = lines if role == "feeder head" else lines[[int(np.lexsort((reached, share))[-1])]]
            for line in shown.tolist():
                limit_a = float(grid.lines.limit_a[line]) * limit_pct / 100
                amperes = was.line_a[rows, line], now.line_a[:, line]
                name = str(grid.lines.names[line])
                yield self._worst(role, name, "A", *amperes, limit_a if np.isfinite(limit_a) else None)
        for k, name in enumerate(grid.transformers.names):
            role = self.roles.get(str(name), "transformer")
            pct = was.transformer_pct[rows, k], now.transformer_pct[:, k]
            yield self._worst(role, str(name), "%", *pct, self.limits.loading_pct)
        yield from self._extremes(was.u_pu[rows, : territory.low], now.u_pu[:, : territory.low])
        middle = len(self.cases.names) // 2
        yield AcWorst("losses", "", "kWh", *self._losses_kwh(middle), None, self.cases.names[middle], None)

    def _lines_by_role(self) -> dict[str, Ints]:
        switches, every = len(self.before.territory.switches), len(self.before.territory.grid.lines.names)
        heads = np.array(sorted(self.heads), dtype=np.int64)
        found = {
            "feeder head": heads,
            "line": np.setdiff1d(np.arange(switches, every), heads),
            "low-voltage line": np.arange(switches),
        }
        return {role: lines for role, lines in found.items() if len(lines)}

    def _extremes(self, was_pu: Floats, now_pu: Floats) -> Iterator[AcWorst]:
        names = self.before.territory.grid.names
        for role, sign, limit in (
            ("lowest voltage", -1, self.limits.least_pu),
            ("highest voltage", 1, self.limits.most_pu),
        ):
            was, now = (np.where(np.isfinite(u), sign * u, -np.inf) for u in (was_pu, now_pu))
            node = int(now.max(axis=0).argmax())
            row = self._worst(role, str(names[node]), "pu", was.max(axis=1), now.max(axis=1), limit)
            yield row._replace(before=sign * row.before, after=sign * row.after)

    def _worst(
        self, role: str, name: str, unit: str, was: Floats, now: Floats, limit: float | None
    ) -> AcWorst:
        scenario, hour = divmod(int(np.nan_to_num(now, nan=-np.inf).argmax()), len(self.cases.hours))
        return AcWorst(role, name, unit, most(was), most(now), limit, self.cases.names[scenario], hour)


def broken(before: Before, after: FlowResult, cases: FlowCases, limits: FlowLimits) -> Iterator[Message]:
    """Tell which limits are newly broken and which violations grow, at their worst."""
    territory, rows, was = before.territory, cases.rows, before.flow
    grid = territory.grid
    yield from _overloads(
        grid.transformers.names, was.transformer_pct[rows], after.transformer_pct, cases, limits.loading_pct
    )
    yield from _overloads(grid.lines.names, was.line_pct[rows], after.line_pct, cases, limits.line_pct)
    for k, station in enumerate(territory.stations):
        rest = before.station_kva[:, k]
        yield from _overloads(
            np.array([Message("place.substation", {"name": station.name})], dtype=object),
            station_pct(territory, was, k, rest)[rows, None],
            station_pct(territory, after, k, rest[rows])[:, None],
            cases,
            limits.line_pct,
        )
    low = slice(0, territory.low)
    yield from _voltages(grid.names[low], was.u_pu[rows, low], after.u_pu[:, low], cases, limits)
    for way in territory.ways:
        yield from _beside(way, before, after, cases, limits)


def overloaded(before: Before, after: FlowResult, cases: FlowCases, limits: FlowLimits) -> dict[str, float]:
    """Name the modelled transformers that `broken` tells of, with their largest loading over the limit."""
    names, now = before.territory.grid.transformers.names, after.transformer_pct
    was = np.nan_to_num(before.flow.transformer_pct[cases.rows])
    growth = np.nan_to_num(now - np.maximum(limits.loading_pct, was)).max(axis=0, initial=0.0)
    return {
        str(names[k]): float(np.nanmax(now[:, k]) / limits.loading_pct)
        for k in np.flatnonzero(growth > TOLERANCE_PCT)
    }


def _beside(
    way: Way, before: Before, after: FlowResult, cases: FlowCases, limits: FlowLimits
) -> Iterator[Message]:
    """Tell what the change of voltage on the way does to what hangs beside it.

    Loads of constant power draw more current where the voltage falls.
    """
    rows, flow = cases.rows, way.flow
    inside = slice(way.first, way.first + len(way.inside))
    u_was, u_now = before.flow.u_pu[rows, inside], after.u_pu[:, inside]
    rise = u_was / u_now
    lines, units = np.setdiff1d(np.arange(len(flow.nodes)), way.inside), way.beside
    for names, anchor, pct, limit_pct in (
        (flow.line_names[lines], way.anchor[lines], flow.line_pct[:, lines], limits.line_pct),
        (flow.unit_names[units], way.anchor[flow.at[units]], flow.unit_pct[:, units], limits.loading_pct),
    ):
        near = np.nan_to_num(pct).max(axis=0, initial=0.0) * rise.max() > limit_pct
        yield from _overloads(
            names[near], pct[rows][:, near], pct[rows][:, near] * rise[:, anchor[near]], cases, limit_pct
        )
    u_pu, anchor = flow.unit_u_pu[:, units], way.anchor[flow.at[units]]
    change = u_now - u_was
    known = np.where(np.isfinite(u_pu), u_pu, 1.0)
    near = known.min(axis=0, initial=1.0) + change.min() < limits.least_pu
    near |= known.max(axis=0, initial=1.0) + change.max() > limits.most_pu
    yield from _voltages(
        flow.unit_names[units][near],
        u_pu[rows][:, near],
        u_pu[rows][:, near] + change[:, anchor[near]],
        cases,
        limits,
    )


def _overloads(
    names: np.ndarray, was: Floats, now: Floats, cases: FlowCases, limit_pct: float
) -> Iterator[Message]:
    growth = np.nan_to_num(now - np.maximum(limit_pct, np.nan_to_num(was)))
    for place in np.flatnonzero(growth.max(axis=0, initial=0.0) > TOLERANCE_PCT):
        case = int(growth[:, place].argmax())
        yield Message(
            "flow.overload",
            {
                "name": names[place],
                "reached_pct": now[case, place],
                **cases.where(case),
                "limit_pct": limit_pct,
                "over_pct": now[case, place] - limit_pct,
            },
        )


def _voltages(
    names: np.ndarray, was: Floats, now: Floats, cases: FlowCases, limits: FlowLimits
) -> Iterator[Message]:
    for limit, excess in (
        (limits.least_pu, np.fmin(limits.least_pu, was) - now),
        (limits.most_pu, now - np.fmax(limits.most_pu, was)),
    ):
        excess = np.nan_to_num(excess)
        if excess.max(initial=0.0) > TOLERANCE_PU:
            case, place = divmod(int(excess.argmax()), excess.shape[1])
            reached = {"name": names[place], "reached_pu": now[case, place], "limit_pu": limit}
            yield Message("flow.voltage", {**reached, **cases.where(case)})


def station_pct(territory: Territory, flow: FlowResult, k: int, rest_kva: Complexes) -> Floats:
    """Compute the loading of a substation [C] with what it feeds besides [%]."""
    station = territory.stations[k]
    total = flow.source_kva[:, station.sources].sum(axis=1) + rest_kva
    return np.asarray(100 * np.abs(total) / station.firm_kva)


def losses_beside_kw(territory: Territory) -> Floats:
    """Losses of the touched feeders beside the ways, as before any switching; [C0]."""
    total = np.zeros(len(territory.lump_kva))
    for way in territory.ways:
        outside = np.setdiff1d(np.arange(len(way.flow.nodes)), way.inside)
        total += way.flow.loss_kva[:, outside].real.sum(axis=1)
        total += way.flow.unit_loss_kw[:, way.beside].sum(axis=1)
    return total


def most(values: Floats) -> float:
    """Largest of the known values; NaN where none is."""
    known = values[np.isfinite(values)]
    return float(known.max()) if len(known) else float("nan")
