"""Power: AC flow of a fleet, agreement with pandapower, transfers of a real town, published least losses.

Heat beside transformer-thermal-model, and the loss of each transformer, are in `heat_and_loss`; planning of a
fleet with its AC proofs is in `plans`.

    python benchmarks/power.py --part ac --n 20000 --json

``cpu_s`` is processor time of one core, ``peak_mb`` the most memory of the whole process up to the end of the
fleet's flow. The fleet hangs on 11 kV feeders of 160 transformers. pandapower solves a slice of it, one
feeder, in the same run; ``ratio`` is its time over ours on that slice. The published cases are read from the
folder given by ``--data``.
"""

import argparse
import json
import resource
import time
from pathlib import Path

import numpy as np
import pandas as pd
from heat_and_loss import n1, thermal
from plans import plans

from gridlib.domain.flow import flow_grid, least_losses, solve_flow

DATA = Path(__file__).resolve().parents[2] / "shared" / "data"
HOURS = 72
SLICE_HOURS = 6
PER_FEEDER = 160
BRANCHES = 8
POWER_FACTOR = 0.92


def fleet_tables(n, seed):
    """Make 11 kV feeders with eight branches of twenty 11/0.415 kV transformers; also loads [72, n]."""
    random = np.random.default_rng(seed)
    feeders = -(-n // PER_FEEDER)
    unit = np.arange(n)
    high, low = [f"high {k}" for k in unit], [f"low {k}" for k in unit]
    before = unit - BRANCHES * feeders
    starts = [f"substation {k % feeders}" if before[k] < 0 else high[before[k]] for k in unit]
    substations = [f"substation {k}" for k in range(feeders)]
    nodes = pd.DataFrame({"node_id": substations + high + low, "kv": [11.0] * (feeders + n) + [0.415] * n})
    lines = pd.DataFrame(
        {
            "line_id": [f"cable {k}" for k in unit],
            "from_id": starts,
            "to_id": high,
            "r_ohm": random.uniform(0.02, 0.08, n),
            "x_ohm": random.uniform(0.02, 0.06, n),
            "limit_a": 400.0,
        }
    )
    rating = random.choice([250.0, 400.0, 500.0, 630.0, 1000.0], n)
    transformers = pd.DataFrame(
        {
            "transformer_id": [f"T{k}" for k in unit],
            "hv_id": high,
            "lv_id": low,
            "rating_kva": rating,
            "hv_kv": 11.0,
            "lv_kv": 0.433,
            "vk_pct": 4.5,
            "vkr_pct": 1.2,
            "tap_pct": random.choice([-2.5, 0.0, 2.5], n),
            "no_load_kw": 0.0016 * rating,
            "no_load_pct": 0.3,
        }
    )
    sources = pd.DataFrame({"node_id": substations})
    return nodes, sources, lines, transformers, rating * random.uniform(0.2, 0.8, (HOURS, n))


def fleet_flow(n, seed):
    """Solve the whole fleet."""
    nodes, sources, lines, transformers, kva = fleet_tables(n, seed)
    p = np.zeros((HOURS, len(nodes)))
    p[:, -n:] = POWER_FACTOR * kva
    q = p * np.tan(np.arccos(POWER_FACTOR))
    start = time.process_time()
    grid = flow_grid(nodes, sources, lines=lines, transformers=transformers)
    built_s = time.process_time() - start
    flow = solve_flow(grid, p, q)
    return {
        "n": n,
        "nodes": len(nodes),
        "hours": HOURS,
        "cpu_s": round(time.process_time() - start, 3),
        "build_s": round(built_s, 3),
        "peak_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1),
        "findings": len(flow.findings),
        "least_pu": float(flow.u_pu.min()),
        "most_loading_pct": float(flow.transformer_pct.max()),
    }


def slice_against_pandapower(seed):
    """Solve one feeder by both."""
    import pandapower_networks as peer

    n = PER_FEEDER
    nodes, sources, lines, transformers, kva = fleet_tables(n, seed)
    p = np.zeros((SLICE_HOURS, len(nodes)))
    p[:, -n:] = POWER_FACTOR * kva[:SLICE_HOURS]
    q = p * np.tan(np.arccos(POWER_FACTOR))
    start = time.process_time()
    flow = solve_flow(flow_grid(nodes, sources, lines=lines, transformers=transformers), p, q)
    ours_s = time.process_time() - start
    net = peer.to_pandapower(nodes, sources, lines, transformers, n)
    worst, theirs_s = 0.0, 0.0
    for hour in range(SLICE_HOURS):
        net.load["p_mw"], net.load["q_mvar"] = p[hour, -n:] / 1e3, q[hour, -n:] / 1e3
        start = time.process_time()
        peer.run_pandapower(net)
        theirs_s += time.process_time() - start
        worst = max(worst, float(np.abs(net.res_bus.vm_pu.to_numpy() - flow.u_pu[hour]).max()))
    return {
        "slice_transformers": n,
        "slice_hours": SLICE_HOURS,
        "slice_cpu_s": round(ours_s, 4),
        "pandapower_cpu_s": round(theirs_s, 4),
        "ratio": round(theirs_s / ours_s, 1),
        "slice_worst_du_pu": worst,
    }


def agreement():
    """Compare voltages and loadings with pandapower on its real networks."""
    import pandapower_networks as peer

    found = {}
    for name in ("mv_oberrhein", "lv_schutterwald", "case33bw"):
        net = peer.network(name)
        grid, p, q = peer.from_pandapower(net)
        flow = solve_flow(grid, p, q)
        peer.run_pandapower(net)
        gap = net.res_bus.vm_pu.to_numpy() - flow.u_pu[0, : len(net.bus)]
        loading = net.res_trafo.loading_percent.to_numpy() - flow.transformer_pct[0]
        found[name] = {
            "worst_du_pu": float(np.abs(gap).max()),
            "worst_loading_pp": float(np.abs(loading).max(initial=0.0)),
        }
    return found


def town_transfers(every):
    """Try one in ``every`` of the transfers of a real town; those that make a ring are refused."""
    import pandapower_networks as peer

    net = peer.network("lv_schutterwald")
    grid, p, q = peer.from_pandapower(net)
    rings_before = {finding.object_id for finding in solve_flow(grid, p, q).findings}
    tried = peer.transfers(net)[::every]
    refused, worst, compared, cpu_s = 0, 0.0, 0, 0.0
    for tie, opened, _, _ in tried:
        after, ours = peer.transferred(net, grid, tie, opened)
        start = time.process_time()
        flow = solve_flow(ours, p, q)
        cpu_s += time.process_time() - start
        if any(f.code == "ring" and f.object_id not in rings_before for f in flow.findings):
            refused += 1
            continue
        peer.run_pandapower(after)
        gap = flow.transformer_pct[0] / after.res_trafo.loading_percent.to_numpy() - 1
        worst, compared = max(worst, float(np.abs(gap).max())), compared + 1
    return {
        "tried": len(tried),
        "refused_not_radial": refused,
        "compared": compared,
        "worst_loading_gap_pct": 100 * worst,
        "cpu_s_each": round(cpu_s / len(tried), 5),
    }


def published_case(folder, name):
    """Read a reconfiguration case: grid with its normal state, loads [1, N]."""
    buses = pd.read_csv(folder / f"{name}_buses.csv", dtype={"bus": str})
    branches = pd.read_csv(folder / f"{name}_branches.csv", dtype={"from_bus": str, "to_bus": str})
    grid = flow_grid(
        pd.DataFrame({"node_id": buses["bus"], "kv": buses["base_kv"]}),
        pd.DataFrame({"node_id": buses.loc[buses["source"], "bus"]}),
        lines=pd.DataFrame(
            {
                "line_id": branches["branch"].astype(str),
                "from_id": branches["from_bus"],
                "to_id": branches["to_bus"],
                "r_ohm": branches["r_ohm"],
                "x_ohm": branches["x_ohm"],
                "closed": ~branches["normally_open"],
            }
        ),
    )
    return grid, buses["pd_kw"].to_numpy()[None], buses["qd_kvar"].to_numpy()[None]


def published_losses(data):
    """Minimise the losses of every published case."""
    folder = data / "reference" / "reconfiguration"
    if not (folder / "known_optima.csv").exists():
        return {}
    found = {}
    for row in pd.read_csv(folder / "known_optima.csv").itertuples():
        grid, p, q = published_case(folder, row.case)
        start = time.process_time()
        best = least_losses(grid, p, q)
        found[row.case] = {
            "base_kw": best.base_kw,
            "loss_kw": best.loss_kw,
            "published_kw": row.best_loss_kw,
            "gap_pct": 100 * (best.loss_kw / row.best_loss_kw - 1),
            "open": " ".join(best.open_lines),
            "cpu_s": round(time.process_time() - start, 3),
        }
    return found


def ac(args):
    """AC power flow."""
    fleet = fleet_flow(args.n, args.seed)
    return {
        **fleet,
        **slice_against_pandapower(args.seed),
        "agreement": agreement(),
        "transfers": town_transfers(args.every),
        "losses": published_losses(args.data),
    }


PARTS = {"ac": ac, "thermal": thermal, "n1": n1, "plans": plans}


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--part", choices=[*PARTS, "all"], default="all")
    parser.add_argument("--n", type=int, default=20000, help="transformers")
    parser.add_argument("--over", type=float, default=0.05, help="plans: share of overloaded transformers")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--every", type=int, default=20, help="one in so many of the town's 1,479 transfers")
    parser.add_argument("--data", type=Path, default=DATA, help="folder of reference/reconfiguration")
    parser.add_argument("--json", action="store_true", help="one JSON object on the last line")
    args = parser.parse_args()
    wanted = list(PARTS) if args.part == "all" else [args.part]
    parts = {part: PARTS[part](args) for part in wanted}
    if args.json:
        total = {
            "n": args.n,
            "cpu_s": round(sum(values["cpu_s"] for values in parts.values()), 3),
            "peak_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1),
        }
        print(json.dumps(total | parts))
        return
    for part, values in parts.items():
        for name, value in values.items():
            print(f"{part}.{name}: {value}")


if __name__ == "__main__":
    main()
