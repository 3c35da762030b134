"""The AC model of a whole network, from which what a plan touches is cut out."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import pandas as pd

from gridlib.domain.flow.build import flow_grid
from gridlib.domain.flow.grid import Bools, FlowGrid, Ints, Lines, Transformers
from gridlib.domain.flow.medium import Medium, medium_voltage, unit_table
from gridlib.domain.network import FeedingTree
from gridlib.facts.messages import Message, verbatim
from gridlib.facts.types import Network

CONTACT_OHM = 1e-5
"""Resistance of a closed switch where none is known for it and the line behind it [ohm].

That of its contacts: without effect on voltages, so that its current is known."""

_LINE = ["line_id", "from_id", "to_id", "r_ohm", "x_ohm", "limit_a"]
_HIGH, _MEDIUM = " (high voltage)", " (medium voltage)"
"""What marks a node apart from the low-voltage busbar or the substation of the same name."""

_PLATE = ["rating_kva", "vk_pct", "vkr_pct", "voltage_kv"]


@dataclass(frozen=True, eq=False)
class AcModel:
    """A network as AC power flow sees it.

    Nodes are the low-voltage busbars of the n transformers and their sections, N together in the order of the
    feeding tree, then the upper terminals of the transformers, then substations and joints.

    Attributes
    ----------
    grid : FlowGrid
        Everything that can be modelled; its sources are the substations.
    tree : FeedingTree
        Who feeds whom before any switching.
    medium : Medium
        The lines above.
    medium_node : array of int [M]
        Node of each name in ``medium``, but for the substations.
    root : dict
        Node of the substation at which each tree of ``medium`` begins.
    line : dict
        Row of each switch, and of the line behind it, among the lines.
    bare : array of bool [lines]
        Switches without a line of known impedance.
    unit : array of int [n]
        Row of each transformer among the transformers; -1 where its plate is not known.
    lacking : dict
        What the plate of a transformer lacks, by position.
    tap_unknown : array of bool [n]
        Transformers whose tap is taken for nominal.
    station : array of object [n]
        Substation of each transformer.
    firm_kva : dict
        What the transformers of a substation may carry together, where it is known [kVA].
    """

    grid: FlowGrid
    tree: FeedingTree
    medium: Medium
    medium_node: Ints
    root: dict[int, int]
    line: dict[str, int]
    bare: Bools
    unit: Ints
    lacking: dict[int, str]
    tap_unknown: Bools
    station: np.ndarray
    firm_kva: dict[str, float]

    @cached_property
    def lines_at(self) -> dict[int, list[int]]:
        """Rows of the switches at each node."""
        found: dict[int, list[int]] = defaultdict(list)
        for row in self.line.values():
            found[int(self.grid.lines.start[row])].append(row)
            found[int(self.grid.lines.end[row])].append(row)
        return found

    @property
    def first_medium_line(self) -> int:
        """Row of the first line of ``medium`` among the lines."""
        return len(self.line)

    def tree_of(self, unit: int) -> int:
        """Tree of the medium voltage that a transformer hangs on; -1 where it cannot be modelled."""
        return self.medium.tree_of(str(self.tree.nodes[unit]))

    def high(self, unit: int) -> int:
        """Node of the upper terminals of a transformer."""
        return len(self.tree.nodes) + unit

    def part(self, nodes: Ints, lines: Ints, units: Ints, sources: Ints) -> FlowGrid:
        """Cut some nodes, lines and transformers out, in the order given."""
        place = np.full(len(self.grid.names), -1, dtype=np.int64)
        place[nodes] = np.arange(len(nodes))
        wires, plates = self.grid.lines, self.grid.transformers
        kept = {*wires.names[lines], *plates.names[units]}
        return replace(
            self.grid,
            names=self.grid.names[nodes],
            kv=self.grid.kv[nodes],
            lines=Lines(
                names=wires.names[lines],
                start=place[wires.start[lines]],
                end=place[wires.end[lines]],
                r_ohm=wires.r_ohm[lines],
                x_ohm=wires.x_ohm[lines],
                c_uf=wires.c_uf[lines],
                limit_a=wires.limit_a[lines],
                closed=wires.closed[lines],
            ),
            transformers=Transformers(
                names=plates.names[units],
                start=place[plates.start[units]],
                end=place[plates.end[units]],
                rating_kva=plates.rating_kva[units],
                hv_kv=plates.hv_kv[units],
                lv_kv=plates.lv_kv[units],
                vk_pct=plates.vk_pct[units],
                vkr_pct=plates.vkr_pct[units],
                tap_pct=plates.tap_pct[units],
                no_load_kw=plates.no_load_kw[units],
                no_load_pct=plates.no_load_pct[units],
                closed=plates.closed[units],
            ),
            source=place[sources],
            source_pu=np.full(len(sources), self.grid.source_pu[0]),
            findings=tuple(found for found in self.grid.findings if found.object_id in kept),
        )


def high_side(unit: str) -> str:
    """Name the node at the high-voltage side of a transformer; its low-voltage busbar bears its own name."""
    return f"{unit}{_HIGH}"


def node_name(node: str) -> Message:
    """Name a node in the reader's language."""
    for suffix, side in ((_HIGH, "high"), (_MEDIUM, "medium")):
        if node.endswith(suffix):
            return Message(f"flow.node.{side}", {"name": node.removesuffix(suffix)})
    return verbatim(node)


def ac_model(
    network: Network, tree: FeedingTree, is_closed: Mapping[str, bool], *, lv_kv: float, source_pu: float
) -> AcModel:
    """Bring a whole network into an AC model.

    Parameters
    ----------
    network : Network
        The network.
    tree : FeedingTree
        What feeds what before any switching.
    is_closed : mapping of str to bool
        State of every switch before.
    lv_kv : float
        Nominal low voltage, also of the windings [kV].
    source_pu : float
        Voltage at the substations, held there by their tap changers; also at the upper terminals of
        transformers to which no line is modelled [pu].

    Returns
    -------
    AcModel
        With what is missing for a fuller one.

    Notes
    -----
    A line belongs to a switch when it bears its name or joins the same two ends. All other lines are medium
    voltage: they join substations, transformers and joints.
    """
    names = tree.nodes.to_numpy(dtype=object)
    n = tree.transformers
    table = unit_table(network).reindex(tree.nodes[:n])
    medium = medium_voltage(network)
    kv = table["voltage_kv"].to_numpy(dtype=float)
    above = _Above.of(medium, names, n, kv)
    switches = _switches(network, tree, is_closed)
    wires = _behind(network, switches)
    medium_lines = above.lines(medium)
    known = np.isfinite(table[_PLATE].to_numpy(dtype=float)) & (table[_PLATE].to_numpy(dtype=float) > 0)
    whole = np.flatnonzero(known.all(axis=1))
    plate = table.iloc[whole]
    grid = flow_grid(
        pd.DataFrame(
            {
                "node_id": [*names, *(high_side(str(name)) for name in names[:n]), *above.names],
                "kv": np.r_[np.full(len(names), lv_kv), kv, above.kv],
            }
        ),
        pd.DataFrame(
            {"node_id": above.stations or [high_side(str(names[0]))], "u_pu": source_pu},
        ),
        lines=pd.concat([wires, medium_lines], ignore_index=True),
        transformers=pd.DataFrame(
            {
                "transformer_id": names[whole],
                "hv_id": [high_side(str(name)) for name in names[whole]],
                "lv_id": names[whole],
                "hv_kv": kv[whole],
                "lv_kv": lv_kv,
                **{name: plate[name].to_numpy() for name in ("rating_kva", "vk_pct", "vkr_pct", "tap_pct")},
            }
        ),
    )
    unit = np.full(n, -1, dtype=np.int64)
    unit[whole] = np.arange(len(whole))
    gaps = {
        int(place): ", ".join(np.array(_PLATE)[~known[place]].tolist())
        for place in np.flatnonzero(~known.all(axis=1))
    }
    bare = np.r_[wires["bare"].to_numpy(dtype=bool), np.zeros(len(medium_lines), dtype=bool)]
    stations = network.substations.drop_duplicates("substation_id")
    firm = stations.get("firm_kva", pd.Series(np.nan, index=stations.index)).astype(float)
    units = network.transformers.drop_duplicates("transformer_id").set_index("transformer_id")
    return AcModel(
        grid=grid,
        tree=tree,
        medium=medium,
        medium_node=above.node,
        root=above.root,
        line={str(name): row for row, name in enumerate(wires["line_id"])},
        bare=bare,
        unit=unit,
        lacking=gaps,
        tap_unknown=table["tap_pct"].isna().to_numpy(dtype=bool),
        station=units["substation_id"].reindex(tree.nodes[:n]).to_numpy(dtype=object),
        firm_kva={
            str(name): float(kva)
            for name, kva in zip(stations["substation_id"], firm, strict=True)
            if kva > 0
        },
    )


def _switches(network: Network, tree: FeedingTree, is_closed: Mapping[str, bool]) -> pd.DataFrame:
    """Take the switches between two different known nodes."""
    table = network.switches.drop_duplicates("switch_id")
    start = tree.nodes.get_indexer(pd.Index(table["from_id"]))
    end = tree.nodes.get_indexer(pd.Index(table["to_id"]))
    usable = (start >= 0) & (end >= 0) & (start != end)
    rows: pd.DataFrame = table.loc[usable, ["switch_id", "from_id", "to_id"]]
    return rows.assign(closed=[bool(is_closed.get(name, False)) for name in rows["switch_id"]])


def _behind(network: Network, switches: pd.DataFrame) -> pd.DataFrame:
    """Turn switches into lines, each with the impedance of what is behind it."""
    table = network.lines
    known = table[np.isfinite(table["r_ohm"].astype(float)) & np.isfinite(table["x_ohm"].astype(float))]
    wires: dict[object, tuple[float, float, float]] = {}
    for name, start, end, r, x, limit in known[_LINE].itertuples(index=False, name=None):
        wires.setdefault(frozenset((start, end)), (r, x, limit))
        wires.setdefault(name, (r, x, limit))
    found = [
        wires.get(name, wires.get(frozenset((start, end))))
        for name, start, end in switches[["switch_id", "from_id", "to_id"]].itertuples(index=False, name=None)
    ]
    values = np.array(
        [(CONTACT_OHM, 0.0, np.nan) if wire is None else wire for wire in found], dtype=float
    ).reshape(-1, 3)
    return pd.DataFrame(
        {
            "line_id": switches["switch_id"].to_numpy(dtype=object),
            "from_id": switches["from_id"].to_numpy(dtype=object),
            "to_id": switches["to_id"].to_numpy(dtype=object),
            "r_ohm": values[:, 0],
            "x_ohm": values[:, 1],
            "limit_a": values[:, 2],
            "closed": switches["closed"].to_numpy(dtype=bool),
            "bare": [wire is None for wire in found],
        }
    )


@dataclass(frozen=True, eq=False)
class _Above:
    """Substations, one busbar for each voltage, and joints as nodes: names, voltages, places."""

    names: list[str]
    kv: list[float]
    stations: list[str]
    node: Ints
    root: dict[int, int]
    name_of: dict[tuple[int, int], str]

    @classmethod
    def of(cls, medium: Medium, low: np.ndarray, n: int, unit_kv: np.ndarray) -> "_Above":
        first = len(low) + n
        unit_of = {str(name): place for place, name in enumerate(low[:n])}
        taken = {str(name) for name in low}
        names: list[str] = []
        kv: list[float] = []
        node = np.full(len(medium.names), -1, dtype=np.int64)
        name_of: dict[tuple[int, int], str] = {}
        root: dict[int, int] = {}
        busbar: dict[tuple[int, float], int] = {}
        stations: list[str] = []

        def add(name: str, voltage: float) -> int:
            names.append(f"{name}{_MEDIUM}" if name in taken else name)
            taken.add(names[-1])
            kv.append(voltage)
            return first + len(names) - 1

        for tree, members in medium.members.items():
            known = [unit_kv[unit_of[name]] for name in map(str, medium.names[members]) if name in unit_of]
            voltage = next((value for value in known if np.isfinite(value)), np.nan)
            station = int(medium.parent[members[0]])
            if (station, voltage) not in busbar:
                busbar[station, voltage] = add(str(medium.names[station]), voltage)
                stations.append(names[-1])
            root[tree] = busbar[station, voltage]
            name_of[tree, station] = names[root[tree] - first]
            for place in members.tolist():
                name = str(medium.names[place])
                node[place] = len(low) + unit_of[name] if name in unit_of else add(name, voltage)
                name_of[tree, place] = high_side(name) if name in unit_of else names[-1]
        return cls(names, kv, stations, node, root, name_of)

    def lines(self, medium: Medium) -> pd.DataFrame:
        """Lines of the trees between the nodes as they are named here."""
        tree_of_line = np.full(len(medium.lines), -1, dtype=np.int64)
        on_tree = medium.line >= 0
        tree_of_line[medium.line[on_tree]] = medium.tree[on_tree]
        places = [[medium.position[str(name)] for name in medium.lines[end]] for end in ("from_id", "to_id")]
        ends = [
            [self.name_of[int(tree), place] for tree, place in zip(tree_of_line, side, strict=True)]
            for side in places
        ]
        numbers = {name: medium.lines[name].to_numpy(dtype=float) for name in ("r_ohm", "x_ohm", "limit_a")}
        return pd.DataFrame(
            {
                "line_id": medium.lines["line_id"].to_numpy(dtype=object),
                "from_id": ends[0],
                "to_id": ends[1],
                **numbers,
                "closed": True,
                "bare": False,
            }
        )
