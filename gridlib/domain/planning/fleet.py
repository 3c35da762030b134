"""The fleet as planning sees it: loads under the present switch states, trees, devices, reservations."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from gridlib.domain.network import (
    LOOPED,
    UNFED,
    FeedingTree,
    closed_switches,
    current_states,
    feeding_tree,
    transformer_load_kva,
)
from gridlib.domain.planning.switchgear import Device, read_devices
from gridlib.domain.thermal import limit_beside_heat, wide_arrays
from gridlib.domain.thermal.arrays import column_of
from gridlib.facts.types import Limits, Move, Network
from gridlib.facts.units import QUANTILE_COLUMNS, QUANTILE_LEVELS

Floats = npt.NDArray[np.float64]
P10, P50, P90 = (QUANTILE_LEVELS.index(level) for level in (0.1, 0.5, 0.9))
CHECKED = (P10, P50, P90)
"""Quantiles at which every hour is checked."""

SPREAD = (np.array(QUANTILE_LEVELS) - 0.5)[:, None] / 0.4
"""How much of a section's +- range is added at each quantile: none at p50, all of it at p90, less at p10."""


class Place(NamedTuple):
    """What several transformers share above them: kind (feeder, substation) and name."""

    kind: str
    name: str


@dataclass(frozen=True)
class Fleet:
    """Loads [kVA], trees and devices of the whole network.

    Attributes
    ----------
    network : Network
        The tables.
    states : DataFrame
        Present state of every switch.
    times : DatetimeIndex [T]
        Hours of the horizon, UTC.
    tz : str
        Zone in which reasons name the hours.
    tree : FeedingTree
        Who feeds whom now.
    normal_kva : array [Q, T, N]
        Forecast quantiles with every section at its normal transformer; NaN without a forecast.
    load_kva : array [Q, T, N]
        The same under the present switch states.
    rating_kva : array [N]
        Nameplates; NaN where none is known.
    device_kva : array [N]
        Least limit of what is in series with each transformer; NaN where none is known.
    devices : dict
        Switches by name.
    limit_kva : array [T, N]
        What each transformer may carry with its present load; the day's heat is in it once `capacity.rate`
        has seen it.
    limit_by : array of str [T, N]
        What binds.
    above_kva : dict
        What feeder heads and substations may carry, where it is known.
    """

    network: Network
    states: pd.DataFrame
    times: pd.DatetimeIndex
    tz: str
    tree: FeedingTree
    normal_kva: Floats
    load_kva: Floats
    rating_kva: Floats
    device_kva: Floats
    devices: dict[str, Device]
    limit_kva: Floats
    limit_by: npt.NDArray[np.object_]
    above_kva: dict[Place, float]

    @cached_property
    def names(self) -> npt.NDArray[np.object_]:
        """Identifiers of transformers, then sections."""
        return self.tree.nodes.to_numpy(dtype=object)

    @cached_property
    def step_h(self) -> float:
        """Length of a step [h]."""
        return float((self.times[1] - self.times[0]) / pd.Timedelta(hours=1)) if len(self.times) > 1 else 1.0

    @cached_property
    def members(self) -> dict[int, list[int]]:
        """Sections of each transformer now."""
        fed: dict[int, list[int]] = defaultdict(list)
        for section in range(self.tree.transformers, len(self.names)):
            if self.tree.source[section] >= 0:
                fed[int(self.tree.source[section])].append(section)
        return fed

    @cached_property
    def children(self) -> dict[int, list[int]]:
        """Nodes next to each node, away from the transformer."""
        below: dict[int, list[int]] = defaultdict(list)
        for node in np.flatnonzero(self.tree.parent >= 0):
            below[int(self.tree.parent[node])].append(int(node))
        return below

    @cached_property
    def open_devices(self) -> dict[int, list[Device]]:
        """Open switches at each node."""
        at: dict[int, list[Device]] = defaultdict(list)
        for device in self.devices.values():
            if not device.is_closed and device.start >= 0 and device.end >= 0:
                at[device.start].append(device)
                at[device.end].append(device)
        return at

    @cached_property
    def feeder_devices(self) -> dict[str, list[Device]]:
        """Feeder breakers by feeder."""
        feeders = set(self.network.feeders["feeder_id"])
        rows = self.network.switches.drop_duplicates("switch_id")
        rows = rows[rows["from_id"].isin(feeders)]
        heads: dict[str, list[Device]] = defaultdict(list)
        for feeder_id, switch_id in zip(rows["from_id"], rows["switch_id"], strict=True):
            heads[feeder_id].append(self.devices[switch_id])
        return heads

    @cached_property
    def units(self) -> pd.DataFrame:
        """The transformers' table in the order of the arrays."""
        rows = self.network.transformers.drop_duplicates("transformer_id").set_index("transformer_id")
        return rows.reindex(self.tree.nodes[: self.tree.transformers]).rename_axis("transformer_id")

    @cached_property
    def places(self) -> list[tuple[Place, Place]]:
        """Feeder and substation of each transformer."""
        pairs = self.units[["feeder_id", "substation_id"]].astype(str).itertuples(index=False, name=None)
        return [(Place("feeder", feeder), Place("substation", station)) for feeder, station in pairs]

    @cached_property
    def units_below(self) -> dict[Place, list[int]]:
        """Transformers of each feeder and substation."""
        found: dict[Place, list[int]] = defaultdict(list)
        for unit, places in enumerate(self.places):
            for place in places:
                found[place].append(unit)
        return found

    @cached_property
    def _sections(self) -> pd.DataFrame:
        rows = self.network.sections.drop_duplicates("section_id").set_index("section_id")
        rows = rows.reindex(self.tree.nodes[self.tree.transformers :])
        units = self.tree.nodes[: self.tree.transformers]
        return rows.assign(normal=units.get_indexer(pd.Index(rows["transformer_id"])))

    @cached_property
    def customers(self) -> Floats:
        """Customers of each section; 0 where not known."""
        customers: Floats = np.nan_to_num(self._sections["customers"].to_numpy(dtype=float))
        return customers

    @cached_property
    def _shares(self) -> tuple[npt.NDArray[np.int64], Floats, Floats]:
        rows = self._sections
        spread_pu = np.nan_to_num(rows["spread_pct"].to_numpy(dtype=float)) / 100
        return rows["normal"].to_numpy(dtype=np.int64), rows["share"].to_numpy(dtype=float), spread_pu

    @cached_property
    def _joining(self) -> tuple[pd.DataFrame, dict[int, list[tuple[int, int]]]]:
        """Switches between known nodes, and for each node their rows with the node at the other end."""
        rows = self.network.switches.drop_duplicates("switch_id")
        ends = [(self.devices[name].start, self.devices[name].end) for name in rows["switch_id"]]
        rows = rows[[start >= 0 and end >= 0 for start, end in ends]]
        at: dict[int, list[tuple[int, int]]] = defaultdict(list)
        for row, (start, end) in enumerate(pair for pair in ends if min(pair) >= 0):
            at[start].append((row, end))
            at[end].append((row, start))
        return rows, at

    @cached_property
    def displaced(self) -> dict[int, list[int]]:
        """Sections that are not fed by the transformer they normally hang on, by that transformer."""
        away: dict[int, list[int]] = defaultdict(list)
        normal = self._sections["normal"].to_numpy(dtype=np.int64)
        source = self.tree.source[self.tree.transformers :]
        for section in np.flatnonzero((normal >= 0) & (normal != source)):
            away[int(normal[section])].append(int(section) + self.tree.transformers)
        return away

    def around(self, units: Iterable[int]) -> Network:
        """Cut out transformers, those beyond their open switches, and all sections on any of them.

        Transformers that such sections normally hang on come along, because their load is shared out.
        """
        near = set(units)
        for unit in units:
            for section in self.members.get(unit, ()):
                for device in self.open_devices.get(section, ()):
                    near |= {int(self.tree.source[end]) for end in (device.start, device.end)}
        near.discard(UNFED)
        near.discard(LOOPED)
        found = {section for unit in near for section in self.members.get(unit, ())}
        found |= {section for unit in near for section in self.displaced.get(unit, ())}
        sections = sorted(found)
        rows = self._sections.iloc[np.array(sections, dtype=np.int64) - self.tree.transformers]
        near |= {int(normal) for normal in rows["normal"] if normal >= 0}
        switches, at = self._joining
        nodes = near | found
        inner = {row for node in nodes for row, other in at.get(node, ()) if other in nodes}
        return replace(
            self.network,
            transformers=self.units.iloc[sorted(near)].reset_index(),
            sections=rows.drop(columns="normal").rename_axis("section_id").reset_index(),
            switches=switches.iloc[sorted(inner)],
        )

    def position(self, name: str) -> int:
        """Position of a transformer or section; -1 where there is none."""
        return self._positions.get(name, -1)

    @cached_property
    def _positions(self) -> dict[str, int]:
        return {name: position for position, name in enumerate(self.names)}

    def section_kva(self, section: int) -> tuple[Floats, Floats]:
        """Load of a section and its +- range, each [Q, T] in kVA; NaN where its transformer has no load."""
        normal, share, spread_pu = self.share_of(section)
        if normal < 0:
            unknown = np.full(self.load_kva.shape[:2], np.nan)
            return unknown, unknown
        load = share * self.normal_kva[:, :, normal]
        return load, spread_pu * np.abs(load)

    def share_of(self, section: int) -> tuple[int, float, float]:
        """Tell which transformer a section normally hangs on (or -1), its share, and the +- range of it."""
        normal, share, spread_pu = (values[section - self.tree.transformers] for values in self._shares)
        return int(normal), float(share), float(spread_pu)

    def spread_pu(self, sections: npt.NDArray[np.int64]) -> Floats:
        """+- range of the loads of sections, share of the load."""
        spread: Floats = self._shares[2][sections - self.tree.transformers]
        return spread

    def sections_kva(
        self, sections: npt.NDArray[np.int64], quantiles: Sequence[int], sides: Sequence[int]
    ) -> Floats:
        """Load [Q, S, T] of sections at some quantiles, each at one side of the +- range: -1, 0 or 1."""
        normal, share, spread_pu = (values[sections - self.tree.transformers] for values in self._shares)
        load = np.stack([self.normal_kva[q][:, normal].T for q in quantiles]) * share[:, None]
        load = load + np.array(sides)[:, None, None] * spread_pu[:, None] * np.abs(load)
        known: Floats = np.where((normal >= 0)[:, None], load, np.nan)
        return known

    def moved_kva(self, sections: Iterable[int]) -> tuple[Floats, Floats]:
        """Load of a group of sections and its +- range, comonotonic, each [Q, T] in kVA."""
        load, spread = np.zeros((2, *self.load_kva.shape[:2]))
        for section in sections:
            kva, plus_minus = self.section_kva(section)
            load, spread = load + kva, spread + plus_minus
        return load, spread

    def below(self, node: int) -> list[int]:
        """List a node and everything it feeds."""
        found = [node]
        for reached in found:
            found += self.children.get(reached, ())
        return found

    def deltas(self, moves: Sequence[Move]) -> dict[int, Floats]:
        """Change of load [Q, T] of every touched transformer.

        The receiver takes the moved load with its +- range on top of the quantile, the donor is relieved of
        it with the range the other way round: each side gets the end that is worse for it.
        """
        changed: dict[int, Floats] = {}
        for move in moves:
            load, spread = self.moved_kva([self.position(name) for name in move.sections])
            for name, change in (
                (move.from_transformer, -load + SPREAD * spread),
                (move.to_transformer, load + SPREAD * spread),
            ):
                unit = self.position(name)
                changed[unit] = changed.get(unit, 0.0) + change
        return changed


def build_fleet(network: Network, forecast: pd.DataFrame, tz: str, limits: Limits) -> Fleet:
    """Bring network and forecast together.

    Parameters
    ----------
    network : Network
        The network with its reported switch states.
    forecast : DataFrame
        `ForecastFrame`, every section at its normal transformer.
    tz : str
        Zone in which reasons name the hours.
    limits : Limits
        ``loading_limit_pct`` is used.

    Returns
    -------
    Fleet
        Loads under the present switch states; limits without heat.
    """
    states = current_states(network)
    closed = closed_switches(states)
    tree = feeding_tree(network, closed)
    units = tree.nodes[: tree.transformers]
    ids, times, values = wide_arrays(forecast, QUANTILE_COLUMNS)
    known = pd.Index(ids).get_indexer(units)
    normal_kva = np.where(known >= 0, values[:, :, known], np.nan)
    flat = pd.DataFrame(normal_kva.reshape(-1, len(units)), columns=units)
    load_kva = transformer_load_kva(network, flat, closed).to_numpy().reshape(normal_kva.shape)
    table = network.transformers.drop_duplicates("transformer_id").set_index("transformer_id")
    rating = table["rating_kva"].reindex(units).to_numpy(dtype=float)
    rating = np.where((rating > 0) & np.isfinite(rating), rating, np.nan)
    device = column_of(table, "limit_kva").reindex(units).to_numpy(dtype=float)
    devices = read_devices(network, states, tree)
    limit_pu, by = limit_beside_heat(limits, device / rating, rating.shape)
    limit_kva, limit_by = (np.broadcast_to(v, load_kva.shape[1:]) for v in (limit_pu * rating, by))
    return Fleet(
        network,
        states,
        times,
        tz,
        tree,
        normal_kva,
        load_kva,
        rating,
        device,
        devices,
        limit_kva,
        limit_by,
        _above_kva(network, limits),
    )


def _above_kva(network: Network, limits: Limits) -> dict[Place, float]:
    """Tell what feeder heads and substations may carry, where it is known [kVA].

    What the site allows transformers beyond their nameplate, it does not allow cables.
    """
    feeders, stations = network.feeders, network.substations
    ampere_kv = feeders["limit_a"].astype(float) * feeders["voltage_kv"].astype(float)
    kva = {
        Place("feeder", str(name)): 3**0.5 * value
        for name, value in zip(feeders["feeder_id"], ampere_kv, strict=True)
    }
    if "firm_kva" in stations:
        firm = zip(stations["substation_id"], stations["firm_kva"].astype(float), strict=True)
        kva |= {Place("substation", str(name)): value for name, value in firm}
    return {place: float(value) * limits.line_limit_pct / 100 for place, value in kva.items() if value > 0}
