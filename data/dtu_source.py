"""Read the source of the sample: the ``dtu-adn`` wheel's networks, ratings and hourly profiles."""

import importlib.util
from dataclasses import dataclass
from pathlib import Path

import networkx as nx
import numpy as np
import pandas as pd
from amman_air import TZ

LOAD_FACTOR = 3.0
DATE_SHIFT_D = 4017
BASE_MVA = 100.0
BASE_OHM = 10.0**2 / BASE_MVA


@dataclass(frozen=True)
class Source:
    """One 10 kV network of the source."""

    number: int
    buses: pd.DataFrame
    branches: pd.DataFrame
    transformers: pd.DataFrame
    loads: pd.DataFrame
    generators: pd.DataFrame
    load_profiles: pd.DataFrame
    generation_profiles: pd.DataFrame


def find_source() -> Path:
    """Find the data of the installed ``dtu_adn`` without importing it."""
    spec = importlib.util.find_spec("dtu_adn")
    if spec is None or not spec.submodule_search_locations:
        raise SystemExit("dtu_adn is not installed: name its unpacked data folder with --source")
    return Path(next(iter(spec.submodule_search_locations))) / "data"


def read_source(folder: Path, number: int) -> Source:
    """Read one network with its hourly profiles."""
    net, series = folder / "network_10kV_400V", folder / "timeseries_400V"
    types = net / "load_and_gen_type"
    return Source(
        number,
        pd.read_csv(net / f"bus_{number}.csv"),
        pd.read_csv(net / f"line_{number}.csv").astype({"F_BUS": int, "T_BUS": int}),
        pd.read_csv(net / f"mvlv_substation{number}.csv").sort_values("lv_bus", ignore_index=True),
        pd.read_csv(types / f"load_{number}.csv").astype({"Node": int}),
        pd.read_csv(types / f"gen_type_{number}.csv").astype({"Node": int}),
        _profiles(series / f"load_profile_{number}.csv"),
        _profiles(series / f"gen_profile_{number}.csv"),
    )


def _profiles(path: Path) -> pd.DataFrame:
    frame = pd.read_csv(path, index_col=0)
    day_first = frame.index[0][2] == "-"
    wall = pd.to_datetime(frame.index, format="%d-%m-%y %H:%M" if day_first else "ISO8601")
    if not (np.diff(wall) == np.timedelta64(1, "h")).all():
        raise SystemExit(f"{path.name}: expected one row each hour without a gap")
    moved = (wall + pd.Timedelta(days=DATE_SHIFT_D)).tz_localize(TZ).tz_convert("UTC").as_unit("ns")
    frame.index = moved
    return frame


def lv_trees(source: Source) -> dict[int, nx.Graph]:
    """Give the low-voltage tree below each transformer, by its ``lv_bus``."""
    lines = source.branches[source.branches["TAP"] == 0]
    graph = nx.Graph(zip(lines["F_BUS"], lines["T_BUS"], strict=True))
    return {
        int(bus): graph.subgraph(nx.node_connected_component(graph, int(bus)))
        for bus in source.transformers["lv_bus"]
    }


def transformer_id(source: Source, lv_bus: int) -> str:
    """Name a transformer by its network and low-voltage bus in the source."""
    return f"{source.number}-{lv_bus}"


def node_profiles(source: Source, nodes: pd.DataFrame, suffix: str, rating: str) -> np.ndarray:
    """Give rating x profile for each node, hours x nodes [MW or Mvar]."""
    names = nodes["slp" if "slp" in nodes else "gen_type"] + suffix
    profiles = source.load_profiles if "slp" in nodes else source.generation_profiles
    return profiles.reindex(columns=names).to_numpy() * nodes[rating].to_numpy()


def load_kva(source: Source) -> pd.DataFrame:
    """Work out the signed apparent power of each transformer, hours x transformers [kVA]."""
    columns = {}
    for lv_bus, tree in lv_trees(source).items():
        loads = source.loads[source.loads["Node"].isin(tree)]
        generators = source.generators[source.generators["Node"].isin(tree)]
        p_mw = node_profiles(source, loads, "_pu_MW", "mw").sum(axis=1)
        p_mw -= node_profiles(source, generators, "_pu", "mw").sum(axis=1)
        q_mvar = node_profiles(source, loads, "_pu_MVAR", "mvar").sum(axis=1)
        columns[transformer_id(source, lv_bus)] = 1000 * LOAD_FACTOR * np.sign(p_mw) * np.hypot(p_mw, q_mvar)
    frame = pd.DataFrame(columns, index=source.load_profiles.index)
    if frame.isna().any(axis=None):
        raise SystemExit(f"network {source.number}: a load or generator has no profile")
    return frame.round(1)


def mv_tree(source: Source) -> tuple[nx.Graph, dict[int, str]]:
    """Give the 10 kV tree with |z| [ohm] and the name of each of its buses."""
    volts = dict(zip(source.buses["BUS_I"].astype(int), source.buses["BASE_kV"], strict=True))
    graph = nx.Graph()
    for row in source.branches.itertuples():
        if row.TAP == 0 and volts.get(row.F_BUS, 10.0) > 1:
            r_ohm, x_ohm = row.BR_R * BASE_OHM, row.BR_X * BASE_OHM
            graph.add_edge(
                row.F_BUS, row.T_BUS, r_ohm=r_ohm, x_ohm=x_ohm, z_ohm=float(np.hypot(r_ohm, x_ohm))
            )
    names = {bus: f"{source.number}-N{bus}" for bus in graph}
    names[source.number] = f"SS-{source.number}"
    for row in source.transformers.itertuples():
        names[int(row.hv_bus)] = transformer_id(source, int(row.lv_bus))
    return graph, names
