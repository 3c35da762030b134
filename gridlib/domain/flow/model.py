"""The AC model of a few transformers of a network: what can be modelled, and what is missing for the rest."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from gridlib.domain.flow.build import flow_grid
from gridlib.domain.flow.grid import FlowGrid, Lines
from gridlib.domain.flow.medium import Feeders, feeders_of, medium_lines, unit_table
from gridlib.domain.network import FeedingTree
from gridlib.facts.types import Network

_PLATE = ["rating_kva", "vk_pct", "vkr_pct", "voltage_kv"]


@dataclass(frozen=True, eq=False)
class AcModel:
    """Some transformers with all they feed, and the lines to their substation where those are known.

    Attributes
    ----------
    grid : FlowGrid or None
        The network to solve; None where a transformer has no impedance.
    loads : dict
        Node at which the load of each section sits.
    heads : tuple of str
        Lines that leave a substation.
    switches : frozenset of str
        Switches in the model.
    missing : tuple of str
        What is missing, element by element.
    not_checked : tuple of str
        What the model leaves out because of it.
    units : tuple of str
        Transformers whose own load, beside that of their sections, is asked for.
    """

    grid: FlowGrid | None
    loads: dict[str, str]
    heads: tuple[str, ...]
    switches: frozenset[str]
    missing: tuple[str, ...]
    not_checked: tuple[str, ...]
    units: tuple[str, ...] = ()


def high_side(unit: str) -> str:
    """Name the node at the high-voltage side of a transformer; its low-voltage busbar bears its own name."""
    return f"{unit} (high voltage)"


def model_around(
    network: Network,
    tree: FeedingTree,
    units: Iterable[str],
    sections: Iterable[str],
    *,
    lv_kv: float,
    source_pu: float,
    feeders: bool,
) -> AcModel:
    """Cut transformers out of a network and model them.

    Parameters
    ----------
    network : Network
        The network.
    tree : FeedingTree
        What feeds what before any switching; says what other transformers on the same lines carry.
    units : iterable of str
        Transformers to model with everything below them.
    sections : iterable of str
        Sections that they feed in any of the states to be solved.
    lv_kv : float
        Nominal low voltage, also of the windings [kV].
    source_pu : float
        Voltage at the substation, or at the high-voltage sides where no line to it is modelled [pu].
    feeders : bool
        Whether to model the medium-voltage lines and the other transformers on them.

    Returns
    -------
    AcModel
        The model, with what is missing for a fuller one.

    Notes
    -----
    A line belongs to a switch when it bears its name or joins the same two ends; a switch without a line
    has no impedance. All other lines are medium voltage: they join substations, transformers and joints.
    """
    chosen, inside = sorted(set(units)), sorted(set(sections))
    table = unit_table(network)
    lacking = _lacking(table, chosen)
    if lacking:
        return AcModel(None, {}, (), frozenset(), lacking, ())
    supply = feeders_of(network, chosen) if feeders else Feeders(medium_lines(network).iloc[:0])
    others = [name for name in supply.units if name not in set(chosen)]
    modelled = chosen + [name for name in others if not _lacking(table, [name])]
    loads = {name: name for name in (*inside, *chosen)} | _other_loads(tree, others, set(modelled))
    switches, lines, links = _low_voltage(network, set(chosen) | set(inside))
    kv = {high_side(name): float(table["voltage_kv"][name]) for name in modelled}
    kv |= dict.fromkeys(modelled + inside, lv_kv)
    nominal_kv = float(table["voltage_kv"][chosen[0]])
    renamed = {name: high_side(name) for name in supply.units}
    for name in (*supply.lines["from_id"], *supply.lines["to_id"]):
        kv.setdefault(renamed.get(name, name), nominal_kv)
    medium = supply.lines.replace({"from_id": renamed, "to_id": renamed})
    sources = supply.sources or tuple(high_side(name) for name in chosen)
    rows = table.loc[modelled]
    grid = flow_grid(
        pd.DataFrame({"node_id": list(kv), "kv": list(kv.values())}),
        pd.DataFrame({"node_id": list(sources), "u_pu": source_pu}),
        lines=pd.DataFrame([*lines, *medium[list(_LINE)].itertuples(index=False, name=None)], columns=_LINE),
        transformers=pd.DataFrame(
            {
                "transformer_id": modelled,
                "hv_id": [high_side(name) for name in modelled],
                "lv_id": modelled,
                "hv_kv": rows["voltage_kv"].to_numpy(),
                "lv_kv": lv_kv,
                **{name: rows[name].to_numpy() for name in ("rating_kva", "vk_pct", "vkr_pct", "tap_pct")},
            }
        ),
        links=pd.DataFrame(links, columns=["link_id", "from_id", "to_id"]),
    )
    missing = tuple(f"{name}: r_ohm and x_ohm of the line behind it" for name, _, _ in links) + supply.missing
    return AcModel(
        grid,
        loads,
        tuple(supply.heads),
        switches,
        missing,
        _left_out(table, chosen, supply, others, modelled, len(links), grid.lines),
        tuple(chosen),
    )


_LINE = ["line_id", "from_id", "to_id", "r_ohm", "x_ohm", "limit_a"]


def _lacking(table: pd.DataFrame, units: Sequence[str]) -> tuple[str, ...]:
    """Name what a transformer model lacks, by transformer."""
    found = []
    for name in units:
        row = table.loc[name, _PLATE].astype(float)
        gaps = [column for column, value in row.items() if not (np.isfinite(value) and value > 0)]
        if gaps:
            found.append(f"{name}: {', '.join(map(str, gaps))}")
    return tuple(found)


def _other_loads(tree: FeedingTree, others: Sequence[str], modelled: set[str]) -> dict[str, str]:
    """Place the sections of the other transformers on the feeders at these, in one lump each."""
    position = {str(tree.nodes[unit]): unit for unit in range(tree.transformers)}
    at = {position[name]: name if name in modelled else high_side(name) for name in others}
    names, source = tree.nodes[tree.transformers :], tree.source[tree.transformers :]
    return {str(name): at[unit] for name, unit in zip(names, source.tolist(), strict=True) if unit in at}


def _low_voltage(
    network: Network, inside: set[str]
) -> tuple[frozenset[str], list[tuple[object, ...]], list[tuple[str, str, str]]]:
    """Turn switches between the nodes into lines, where an impedance is known, or links."""
    switches = network.switches.drop_duplicates("switch_id")
    switches = switches[switches["from_id"].isin(inside) & switches["to_id"].isin(inside)]
    switches = switches[switches["from_id"] != switches["to_id"]]
    wires: dict[object, tuple[float, float, float]] = {}
    near = network.lines["from_id"].isin(inside) | network.lines["to_id"].isin(inside)
    near |= network.lines["line_id"].isin(switches["switch_id"])
    for name, start, end, r, x, limit in network.lines.loc[near, _LINE].itertuples(index=False, name=None):
        if np.isfinite(r) and np.isfinite(x):
            wires.setdefault(frozenset((start, end)), (r, x, limit))
            wires.setdefault(name, (r, x, limit))
    lines: list[tuple[object, ...]] = []
    links = []
    for name, start, end in switches[["switch_id", "from_id", "to_id"]].itertuples(index=False, name=None):
        behind = wires.get(name, wires.get(frozenset((start, end))))
        if behind is None:
            links.append((name, start, end))
        else:
            lines.append((name, start, end, *behind))
    return frozenset(switches["switch_id"]), lines, links


def _left_out(
    table: pd.DataFrame,
    chosen: Sequence[str],
    supply: Feeders,
    others: Sequence[str],
    modelled: Sequence[str],
    links: int,
    lines: Lines,
) -> tuple[str, ...]:
    """Say what the model does not hold."""
    found = []
    if links:
        found.append(f"voltage drop and losses of {links} low-voltage lines without impedance")
    if not supply.sources:
        found.append("feeder head and medium-voltage lines")
    lumped = [name for name in others if name not in set(modelled)]
    if lumped:
        found.append(f"losses of {', '.join(lumped)} on the same feeder")
    nominal = [name for name in chosen if np.isnan(table["tap_pct"][name])]
    if nominal:
        found.append(f"taps of {', '.join(nominal)}, taken for nominal")
    return (*found, *_unlimited(lines), "substation transformer")


def _unlimited(lines: Lines) -> tuple[str, ...]:
    """Name lines whose loading cannot be checked: the first, and how many."""
    names = lines.names[np.isnan(lines.limit_a)]
    return (f"loading of {len(names)} lines without a limit, {names[0]} the first",) if len(names) else ()
