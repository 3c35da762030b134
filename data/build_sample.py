"""Build ``data/sample``: 50 distribution transformers of three Danish 10 kV networks, set in Amman.

    python data/build_sample.py [--source FOLDER] [--out FOLDER]

Source: the PyPI wheel ``dtu-adn`` 0.0.1 (MIT), "DTU 7k-bus Active Distribution Network", Aeishwarya Baviskar,
DTU. FOLDER is its unpacked ``dtu_adn/data``; without it the installed package is found but not imported.
The same source gives the same files. Every number that is not in the source comes from a rule stated here.

Load
    1. Networks 26, 34 and 39. An LV node belongs to the transformer whose ``lv_bus`` it reaches over lines.
    2. P = sum of node rating x the category profile of its substation, less rating x generation profile;
       Q = sum of node rating x category profile. load_kva = sign(P) sqrt(P^2 + Q^2).
    3. All loads times `LOAD_FACTOR`: the source's transformers are loaded to 15-45 % of nameplate; one
       factor for all stands for nameplates one step and more smaller. Rounded to 0.1 kVA.
    4. The source's wall clock is kept as wall clock in Amman; the date moves by `DATE_SHIFT_D` days, so that
       Monday 2014-12-08 becomes Sunday 2025-12-07 and the Saturday-Sunday weekend Friday-Saturday.
       Times are then UTC. The last reading is `LAST_READING`; what follows in the source is not shipped.

Network, from the source
    5. Substation = infeed of a 10 kV network, feeder = branch that leaves it, line = 10 kV branch with
       r, x [p.u. on 100 MVA and 10 kV, base 1 ohm]. A 10 kV bus with a transformer carries its name.
    6. Transformer: nameplate and vk of the source; vkr from the branch resistance, because the source's own
       column (0.23 %) contradicts it.

Network, added (the source has no LV switches)
    7. Sections: the LV subtrees below a transformer in 2, 3 or 4 parts (fewer than 12, fewer than 20, more
       load nodes). While there are fewer subtrees than parts, the heaviest is cut where the halves are most
       even; then each subtree, heaviest first, goes to the lightest part. share = part of the mean active
       demand, spread_pct = `SPREAD_PCT`, customers = number of load nodes.
    8. Parts are numbered by weight, S1 the heaviest, and hang in chains: with 2 parts S1-S2; with 3 S1-S3 and
       S2; with 4 S1-S4 and S2-S3. A breaker feeds the first of a chain, a sectionaliser the second.
    9. Ties join end sections (the last of a chain) of different transformers of one network. Nearness is |z|
       along the 10 kV tree; pairs are taken nearest first, one tie for a pair. A transformer offers its end
       sections once each, the highest number first, and then that one once more.
    10. Ratings: closed switches break the next size of `SIZES_A` above 1.3 x their share of the nameplate
        current at 0.4 kV; ties carry `TIE_LIMIT_PU` of the smaller nameplate and break the next size above;
        fault-make `FAULT_MAKE_KA`. Ties 3, 10, 17 .. have no phase-rotation date; each 5th may be paralleled
        if both ends are on one feeder. No switch is remote.
    11. States: all normal and healthy, reported by hand at the last reading. Of the transformers with the
        highest peaks of the last 28 days, the 3rd has its first tie in FAULT, the 4th its first under PERMIT.
    12. ONAN, normal paper, outdoor: assumed for all.

Weather: see ``amman_air.py``.
"""

import argparse
from dataclasses import dataclass
from pathlib import Path

import networkx as nx
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from amman_air import weather
from dtu_source import (
    BASE_MVA,
    Source,
    find_source,
    load_kva,
    lv_trees,
    mv_tree,
    node_profiles,
    read_source,
    transformer_id,
)

NETWORKS = (26, 34, 39)
LAST_READING = pd.Timestamp("2026-09-09 23:00", tz="Asia/Amman")
LV_KV = 0.4
SPREAD_PCT = 10.0
TIE_LIMIT_PU = 0.4
SIZES_A = (160, 250, 400, 630, 1000, 1600, 2500)
FAULT_MAKE_KA = 25.0
PHASING_CONFIRMED_ON = "2026-03-15"
RECENT_H = 28 * 24


@dataclass(frozen=True)
class Part:
    """One section: its load nodes and mean demand."""

    section_id: str
    load_nodes: int
    share: float


def sections_of(source: Source, lv_bus: int, tree: nx.Graph) -> list[Part]:
    """Group the subtrees below a transformer into 2-4 sections, heaviest first."""
    loads = source.loads[source.loads["Node"].isin(tree)]
    mean_mw = node_profiles(source, loads, "_pu_MW", "mw").mean(axis=0)
    weight = dict(zip(loads["Node"], mean_mw, strict=True))
    wanted = 2 if len(loads) < 12 else 3 if len(loads) < 20 else 4

    def heaviness(nodes: frozenset[int]) -> tuple[float, int]:
        return sum(weight.get(node, 0.0) for node in sorted(nodes)), -min(nodes)

    below = tree.subgraph(set(tree) - {lv_bus})
    pieces = [frozenset(piece) for piece in nx.connected_components(below)]
    while len(pieces) < wanted:
        heaviest = max(pieces, key=heaviness)
        pieces.remove(heaviest)
        pieces += _halves(tree.subgraph(heaviest), weight)
    parts: list[set[int]] = [set() for _ in range(wanted)]
    for piece in sorted(pieces, key=heaviness, reverse=True):
        min(parts, key=lambda part: sum(weight.get(node, 0.0) for node in part)).update(piece)
    parts.sort(key=lambda part: heaviness(frozenset(part)), reverse=True)
    shares = [round(heaviness(frozenset(part))[0] / sum(weight.values()), 4) for part in parts]
    shares[0] = round(1 - sum(shares[1:]), 4)
    name = transformer_id(source, lv_bus)
    return [
        Part(f"{name}-S{i}", sum(node in weight for node in part), share)
        for i, (part, share) in enumerate(zip(parts, shares, strict=True), start=1)
    ]


def _halves(tree: nx.Graph, weight: dict[int, float]) -> list[frozenset[int]]:
    total = sum(weight.get(node, 0.0) for node in sorted(tree))
    cuts = []
    for edge in sorted(tuple(sorted(e)) for e in tree.edges):
        rest = nx.restricted_view(tree, [], [edge])
        one = frozenset(nx.node_connected_component(rest, edge[0]))
        cuts.append(
            (round(abs(sum(weight.get(node, 0.0) for node in sorted(one)) - total / 2), 9), edge, one)
        )
    _, _, one = min(cuts)
    return [one, frozenset(set(tree) - one)]


def mv_tables(source: Source) -> dict[str, pd.DataFrame]:
    """Make substations, feeders, transformers and lines of one network."""
    graph, names = mv_tree(source)
    heads = sorted(graph[source.number])
    feeder_of = {}
    for i, head in enumerate(heads, start=1):
        for bus in nx.node_connected_component(graph.subgraph(set(graph) - {source.number}), head):
            feeder_of[bus] = f"{source.number}-F{i}"
    ohms = source.branches.set_index(["F_BUS", "T_BUS"])["BR_R"]
    trees = lv_trees(source)
    rows = []
    for row in source.transformers.itertuples():
        ends = (row.hv_bus, row.lv_bus)
        r_pu = ohms[ends] if ends in ohms.index else ohms[ends[::-1]]
        rows.append(
            {
                "transformer_id": names[row.hv_bus],
                "substation_id": f"SS-{source.number}",
                "feeder_id": feeder_of[row.hv_bus],
                "rating_kva": 1000 * row.smva_base,
                "cooling": "ONAN",
                "paper": "normal",
                "enclosure": "outdoor",
                "customers": int(source.loads["Node"].isin(trees[row.lv_bus]).sum()),
                "vk_pct": row.vk_percent,
                "vkr_pct": round(100 * r_pu * row.smva_base / BASE_MVA, 3),
            }
        )
    lines = [
        {
            "line_id": f"{source.number}-L{min(one, two)}-{max(one, two)}",
            "from_id": names[one],
            "to_id": names[two],
            "r_ohm": round(graph[one][two]["r_ohm"], 5),
            "x_ohm": round(graph[one][two]["x_ohm"], 5),
        }
        for one, two in nx.bfs_edges(graph, source.number, sort_neighbors=sorted)
    ]
    return {
        "substations": pd.DataFrame(
            {
                "substation_id": [f"SS-{source.number}"],
                "name": [f"Sample substation {source.number}"],
                "name_ar": [f"محطة العينة {source.number}"],
                "firm_kva": np.nan,
                "lat": np.nan,
                "lon": np.nan,
            }
        ),
        "feeders": pd.DataFrame(
            {
                "feeder_id": [f"{source.number}-F{i}" for i in range(1, len(heads) + 1)],
                "substation_id": f"SS-{source.number}",
                "voltage_kv": 10.0,
                "limit_a": np.nan,
                "pick_up_a": np.nan,
                "fault_level_max_mva": np.nan,
                "fault_level_min_mva": np.nan,
            }
        ),
        "transformers": pd.DataFrame(rows).assign(tap_pct=np.nan, limit_kva=np.nan, lat=np.nan, lon=np.nan),
        "lines": pd.DataFrame(lines).assign(length_km=np.nan, limit_a=np.nan),
    }


def chains(n_sections: int) -> list[tuple[int, ...]]:
    """Arrange sections 1..n in chains below a transformer; the last of a chain is an end section."""
    return {2: [(1, 2)], 3: [(1, 3), (2,)], 4: [(1, 4), (2, 3)]}[n_sections]


def next_size_a(kva: float) -> float:
    """Give the next standard switch size above a load at 0.4 kV [A]."""
    current_a = kva / (3**0.5 * LV_KV)
    return float(next(size for size in SIZES_A if size >= current_a))


def switch_row(switch_id: str, from_id: str, to_id: str, kind: str, load_break_a: float) -> dict[str, object]:
    """Make one row of switches.csv, closed and without limits."""
    return {
        "switch_id": switch_id,
        "from_id": from_id,
        "to_id": to_id,
        "kind": kind,
        "normal_state": "OPEN" if kind == "tie" else "CLOSED",
        "load_break_a": load_break_a,
        "fault_make_ka": FAULT_MAKE_KA,
        "remote": False,
        "limit_kva": np.nan,
        "phase_rotation_confirmed_on": None,
        "may_parallel": False,
        "pick_up_a": np.nan,
    }


def lv_tables(source: Source, transformers: pd.DataFrame) -> tuple[pd.DataFrame, list[dict[str, object]]]:
    """Make the sections of one network and the switches that are normally closed."""
    rating = transformers.set_index("transformer_id")["rating_kva"]
    sections, switches = [], []
    for lv_bus, tree in lv_trees(source).items():
        name = transformer_id(source, lv_bus)
        parts = sections_of(source, lv_bus, tree)
        sections += [
            {
                "section_id": part.section_id,
                "transformer_id": name,
                "customers": part.load_nodes,
                "share": part.share,
                "method": "kva_share",
                "spread_pct": SPREAD_PCT,
                "critical_customers": "",
            }
            for part in parts
        ]
        for i, chain in enumerate(chains(len(parts)), start=1):
            ends = [name, *(parts[number - 1].section_id for number in chain)]
            carried = [sum(parts[number - 1].share for number in chain[at:]) for at in range(len(chain))]
            for at, share in enumerate(carried):
                kind, label = ("breaker", f"B{i}") if at == 0 else ("sectionaliser", f"Q{i}")
                size_a = next_size_a(1.3 * share * rating[name])
                switches.append(switch_row(f"{name}-{label}", ends[at], ends[at + 1], kind, size_a))
    return pd.DataFrame(sections), switches


def tie_rows(
    source: Source, transformers: pd.DataFrame, sections: pd.DataFrame, first: int
) -> list[dict[str, object]]:
    """Join end sections of the nearest transformers; tie numbers start at ``first``."""
    graph, names = mv_tree(source)
    buses = sorted(int(bus) for bus in source.transformers["hv_bus"])
    distance = dict(nx.all_pairs_dijkstra_path_length(graph, weight="z_ohm"))
    pairs = sorted((round(distance[a][b], 6), a, b) for a in buses for b in buses if a < b)
    free = {}
    for name, own in sections.groupby("transformer_id")["section_id"]:
        ends = sorted((chain[-1] for chain in chains(len(own))), reverse=True)
        free[name] = [f"{name}-S{end}" for end in (*ends, ends[0])]
    unit = transformers.set_index("transformer_id")
    rows: list[dict[str, object]] = []
    for _, a, b in pairs:
        one, two = names[a], names[b]
        if not (free[one] and free[two]):
            continue
        number = first + len(rows)
        limit_kva = TIE_LIMIT_PU * float(min(unit["rating_kva"][one], unit["rating_kva"][two]))
        row = switch_row(
            f"TIE-{number:03d}", free[one].pop(0), free[two].pop(0), "tie", next_size_a(limit_kva)
        )
        row["limit_kva"] = limit_kva
        row["phase_rotation_confirmed_on"] = None if number % 7 == 3 else PHASING_CONFIRMED_ON
        row["may_parallel"] = number % 5 == 0 and unit["feeder_id"][one] == unit["feeder_id"][two]
        rows.append(row)
    return rows


def switch_states(switches: pd.DataFrame, load: pd.DataFrame, rating_kva: pd.Series) -> pd.DataFrame:
    """Report every switch, two ties of loaded transformers as not available."""
    states = pd.DataFrame(
        {
            "switch_id": switches["switch_id"],
            "time": LAST_READING.isoformat(),
            "state": switches["normal_state"],
            "health": "OK",
            "tags": "",
            "source": "manual",
        }
    )
    peak_pu = load.tail(RECENT_H).abs().max() / rating_kva
    loaded = peak_pu.sort_values(ascending=False).index
    ties = switches[switches["kind"] == "tie"]
    for name, column, value in ((loaded[2], "health", "FAULT"), (loaded[3], "tags", "PERMIT")):
        touching = ties["from_id"].str.startswith(f"{name}-") | ties["to_id"].str.startswith(f"{name}-")
        states.loc[states["switch_id"] == ties.loc[touching, "switch_id"].iloc[0], column] = value
    return states


def build(source_folder: Path) -> tuple[pd.DataFrame, dict[str, pd.DataFrame]]:
    """Build everything in memory: load wide [kVA] over UTC, and the network tables by name."""
    loads, tables, switches = [], {}, []
    ties: list[dict[str, object]] = []
    for number in NETWORKS:
        source = read_source(source_folder, number)
        own = mv_tables(source)
        own["sections"], closed = lv_tables(source, own["transformers"])
        ties += tie_rows(source, own["transformers"], own["sections"], first=len(ties) + 1)
        switches += closed
        loads.append(load_kva(source))
        for name, table in own.items():
            tables.setdefault(name, []).append(table)
    network = {name: pd.concat(parts, ignore_index=True) for name, parts in tables.items()}
    load = pd.concat(loads, axis=1).loc[: LAST_READING.tz_convert("UTC")]
    network["switches"] = pd.DataFrame(switches + ties)
    rating_kva = network["transformers"].set_index("transformer_id")["rating_kva"]
    network["switch_states"] = switch_states(network["switches"], load, rating_kva)
    return load, network


def write_load(load: pd.DataFrame, path: Path) -> None:
    """Write the readings as long Parquet, sorted by transformer and time."""
    n_hours, n_transformers = load.shape
    table = pa.table(
        {
            "transformer_id": pa.array(np.repeat(load.columns.to_numpy(dtype=object), n_hours), pa.string()),
            "time": pa.array(
                np.tile(load.index.as_unit("ns").asi8, n_transformers), pa.timestamp("ns", "UTC")
            ),
            "load_kva": pa.array(load.to_numpy().T.ravel()),
            "quality": pa.array(np.zeros(load.size, dtype=np.uint8)),
        }
    )
    pq.write_table(
        table,
        path,
        compression="zstd",
        compression_level=19,
        use_dictionary=["transformer_id", "load_kva", "quality"],
        column_encoding={"time": "DELTA_BINARY_PACKED"},
    )


def main() -> None:
    """Write the sample."""
    parser = argparse.ArgumentParser(description="Build data/sample from the dtu-adn wheel.")
    parser.add_argument("--source", type=Path, help="unpacked dtu_adn/data; default: the installed package")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "sample")
    arguments = parser.parse_args()
    load, network = build(arguments.source or find_source())
    (arguments.out / "network").mkdir(parents=True, exist_ok=True)
    write_load(load, arguments.out / "load.parquet")
    for name, table in network.items():
        table.to_csv(arguments.out / "network" / f"{name}.csv", index=False, lineterminator="\n")
    air = weather(load.index[0], LAST_READING, "AMM")
    air.to_csv(arguments.out / "weather.csv", index=False, lineterminator="\n")


if __name__ == "__main__":
    main()
