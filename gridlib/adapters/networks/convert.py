"""From a grid of buses to our tables of transformers, sections and switches."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from gridlib.adapters.networks.bus_grid import BusGrid, Finding, Level
from gridlib.adapters.networks.folder import network_of
from gridlib.adapters.networks.sections import Joint, Sectioned, cut_into_sections
from gridlib.adapters.networks.upstream import Upstream, look_upstream
from gridlib.adapters.networks.wiring import Bools, Ints, Roots, Wiring, find_roots, parts, wire
from gridlib.facts.frames import FindingFrame, check_frame
from gridlib.facts.types import Network

Names = npt.NDArray[np.object_]

SPREAD_PCT = 20.0
"""Range of a section's share that comes from one snapshot of loads [%]."""


@dataclass(frozen=True)
class Converted:
    """A network made of another program's grid.

    Attributes
    ----------
    network : Network
        Without reported switch states: the file's positions are the normal ones.
    findings : DataFrame
        A `FindingFrame`: what was simplified, added or could not be carried over.
    section_of_load : Series
        load_id -> section_id, of every load that was carried.
    """

    network: Network
    findings: pd.DataFrame
    section_of_load: pd.Series


def to_network(grid: BusGrid, level: Level | None = None) -> Converted:
    """Turn a grid of buses into our tables.

    Parameters
    ----------
    grid : BusGrid
        The grid.
    level : Level, optional
        Whose transformers become ours; default is the level at which most of the load is connected.

    Returns
    -------
    Converted
        The tables, and what could not be carried over.

    Raises
    ------
    InputError
        Nothing feeds that level.
    """
    wiring = wire(grid)
    roots = find_roots(grid, wiring, level)
    upstream = look_upstream(grid, wiring, roots)
    cut = cut_into_sections(grid, wiring, roots, upstream.live)
    names = _node_names(grid, wiring, roots, cut)
    carried = np.flatnonzero((np.arange(len(names)) >= cut.roots) & (cut.home >= 0) & (names != ""))
    joints = [joint for joint in cut.joints if cut.home[list(joint.ends)].min() >= 0]
    network = network_of(
        {
            "substations": upstream.substations,
            "feeders": upstream.feeders,
            "transformers": _transformers(grid, roots, upstream, cut),
            "sections": _sections(roots, cut, names, carried),
            "switches": _switches(joints, names, cut.roots),
            "lines": _lines(grid, wiring, roots, joints),
        }
    )
    bus_piece = cut.piece_of[pd.Index(grid.buses["bus_id"]).get_indexer(pd.Index(grid.loads["bus_id"]))]
    inside = np.isin(bus_piece, carried)
    section_of_load = pd.Series(
        names[bus_piece[inside]], index=pd.Index(grid.loads["load_id"][inside]), dtype=object
    )
    findings = [*grid.findings, *cut.findings, *_losses(grid, wiring, roots, cut, inside)]
    return Converted(network, _finding_frame(findings), section_of_load)


def _node_names(grid: BusGrid, wiring: Wiring, roots: Roots, cut: Sectioned) -> Names:
    """Name our nodes: transformers, then pieces by their first bus, or by the line that they are of."""
    names = np.full(len(cut.home), "", dtype=object)
    for row, ends in reversed(list(enumerate(wiring.line_ends))):
        if (piece := cut.piece_of[ends[0]]) >= 0:
            names[piece] = str(grid.lines["line_id"].iloc[row])
    for row, ends in enumerate(wiring.unit_ends):
        for piece in cut.piece_of[ends]:
            if piece >= 0 and not names[piece]:
                names[piece] = f"{grid.units['unit_id'].iloc[row]}-terminal"
    for place, bus in reversed(list(enumerate(grid.buses["bus_id"]))):
        if (piece := cut.piece_of[place]) >= 0:
            names[piece] = str(bus)
    names[: cut.roots] = roots.ids
    return names


def _transformers(grid: BusGrid, roots: Roots, upstream: Upstream, cut: Sectioned) -> pd.DataFrame:
    facts = grid.units.set_index("unit_id").reindex(roots.ids)
    place = grid.buses.set_index("bus_id")[["lat", "lon"]].reindex(facts["hv_bus"])
    customers = np.bincount(
        cut.home[cut.home >= 0], weights=cut.customers[cut.home >= 0], minlength=cut.roots
    )
    words = {name: pd.Series([None] * len(facts), dtype=object) for name in ("cooling", "paper", "enclosure")}
    columns = ("vk_pct", "vkr_pct", "tap_pct")
    return pd.DataFrame(
        {
            "transformer_id": roots.ids,
            "substation_id": upstream.substation_id,
            "feeder_id": upstream.feeder_id,
            "rating_kva": facts["rating_kva"].to_numpy(dtype=float),
            **words,
            "customers": customers[: cut.roots],
            **{name: facts[name].to_numpy(dtype=float) for name in columns},
            "limit_kva": np.full(len(facts), np.nan),
            "lat": place["lat"].to_numpy(dtype=float),
            "lon": place["lon"].to_numpy(dtype=float),
        }
    )


def _sections(roots: Roots, cut: Sectioned, names: Names, carried: Ints) -> pd.DataFrame:
    home = cut.home[carried]
    load = np.where(cut.fed[carried], cut.load_kva[carried], 0.0)
    total = np.bincount(home, weights=load, minlength=cut.roots)[home]
    return pd.DataFrame(
        {
            "section_id": names[carried],
            "transformer_id": np.array(roots.ids, dtype=object)[home],
            "customers": cut.customers[carried],
            "share": np.divide(load, total, out=np.zeros(len(load)), where=total > 0),
            "method": "kva_share",
            "spread_pct": SPREAD_PCT,
            "critical_customers": pd.Series([None] * len(carried), dtype=object),
        }
    )


def _switches(joints: list[Joint], names: Names, roots: int) -> pd.DataFrame:
    rows = []
    for joint in joints:
        start, end = sorted(joint.ends, key=lambda node: node >= roots)
        kind = "tie" if joint.rows and not joint.closed else "breaker" if start < roots else "sectionaliser"
        rows.append(
            {
                "switch_id": joint.name,
                "from_id": names[start],
                "to_id": names[end],
                "kind": kind,
                "normal_state": "CLOSED" if joint.closed else "OPEN",
                "load_break_a": joint.load_break_a,
                "limit_kva": joint.limit_kva,
            }
        )
    table = pd.DataFrame(
        rows, columns=["switch_id", "from_id", "to_id", "kind", "normal_state", "load_break_a", "limit_kva"]
    )
    table.insert(6, "fault_make_ka", np.full(len(table), np.nan))
    table.insert(7, "remote", np.zeros(len(table), dtype=bool))
    table["phase_rotation_confirmed_on"] = pd.Series([None] * len(table), dtype=object)
    table["may_parallel"] = np.zeros(len(table), dtype=bool)
    table["pick_up_a"] = np.full(len(table), np.nan)
    return table.astype({"load_break_a": float, "limit_kva": float})


def _lines(grid: BusGrid, wiring: Wiring, roots: Roots, joints: list[Joint]) -> pd.DataFrame:
    """Name the ends of lines: the bus, the transformer that is alone at it, or the switch in front of it."""
    kept = (
        grid.switches["switch_id"].isin([joint.name for joint in joints if joint.rows]).to_numpy(dtype=bool)
    )
    closed = grid.switches["closed"].to_numpy(dtype=bool)
    # A closed switch that is not in our tables is no more than a piece of wire.
    wire_ends = wiring.switch_ends[closed & ~kept]
    group = parts(wiring.nodes, wire_ends)
    names = dict(enumerate(grid.buses["bus_id"].tolist()))
    for node, row in wiring.terminal_of.items():
        names[node] = grid.switches["switch_id" if kept[row] or not closed[row] else "bus_id"].iloc[row]
    first: dict[int, str] = {}
    for node in range(wiring.nodes):
        names[node] = first.setdefault(int(group[node]), names[node])
    upper = [names[int(node)] for node in roots.upper] if (roots.units >= 0).all() else []
    alone = {bus: root for bus, root in zip(upper, roots.ids, strict=False) if upper.count(bus) == 1}
    ends = [[alone.get(name, name) for name in (names[int(a)], names[int(b)])] for a, b in wiring.line_ends]
    lines = pd.DataFrame(ends, columns=["from_id", "to_id"], dtype=object)
    lines.insert(0, "line_id", grid.lines["line_id"].to_numpy(dtype=object))
    for name in ("r_ohm", "x_ohm", "length_km", "limit_a"):
        lines[name] = grid.lines[name].to_numpy(dtype=float)
    links = [
        {
            "line_id": f"{root}-link",
            "from_id": bus,
            "to_id": root,
            "r_ohm": 0.0,
            "x_ohm": 0.0,
            "length_km": 0.0,
        }
        for bus, root in zip(upper, roots.ids, strict=False)
        if bus not in alone
    ]
    return (
        lines
        if not links
        else pd.concat([lines, pd.DataFrame(links).assign(limit_a=np.nan)], ignore_index=True)
    )


def _losses(grid: BusGrid, wiring: Wiring, roots: Roots, cut: Sectioned, inside: Bools) -> list[Finding]:
    found: list[Finding] = []
    if (lost := int((~inside).sum())) > 0:
        kva = float(grid.loads["kva"].to_numpy(dtype=float)[~inside].sum())
        message = (
            f"{lost} load(s) of {kva:,.0f} kVA are not carried, connected above the transformers or nowhere; "
            "name the other --level to have those"
        )
        found.append(("loads", "load_not_carried", message, lost))
    unfed = int(((cut.home >= 0) & ~cut.fed & (cut.load_kva > 0)).sum())
    if unfed:
        message = (
            f"{unfed} section(s) with load are fed by nothing in the file's state; their share is set to 0"
        )
        found.append(("sections", "unfed_section", message, unfed))
    others = np.setdiff1d(np.arange(len(grid.units)), roots.units)
    if len(others):
        within = int(roots.area[wiring.unit_ends[others]].all(axis=1).sum())
        if within:
            message = f"{within} transformer(s) inside sections: their ratings and impedances are not carried"
            found.append(("units", "unit_within_section", message, within))
        if within < len(others):
            message = f"{len(others) - within} transformer(s) above the feeders are not carried"
            found.append(("units", "unit_above", message, len(others) - within))
    if (roots.units < 0).any():
        message = f"{', '.join(roots.ids)}: the grid begins here without a transformer; give it a rating"
        found.append(("sources", "source_as_transformer", message, len(roots.ids)))
    total = float(grid.loads["kva"].to_numpy(dtype=float)[inside].sum())
    message = f"the load of {total:,.0f} kVA is carried as shares alone; bring readings for its size"
    found.append(("loads", "load_as_share", message, max(1, int(inside.sum()))))
    return found


def _finding_frame(findings: list[Finding]) -> pd.DataFrame:
    frame = pd.DataFrame(findings, columns=["object_id", "code", "message", "count"], dtype=object)
    nothing = pd.Series(pd.NaT, index=frame.index, dtype="datetime64[ns, UTC]")
    frame = frame.assign(first=nothing, last=nothing, count=frame["count"].astype(np.int64))
    return check_frame(FindingFrame, frame[["object_id", "code", "message", "first", "last", "count"]])
