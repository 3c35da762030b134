"""Load transfers for a whole fleet: exact, checked greedy, and the rule of thumb, judged by the yardstick.

    python benchmarks/planning.py --n 20000 --json

The instance and the judge are ``section_grid.py`` in the folder given by ``--data``; the ratings are taken as
capacity without derating. ``cpu_s`` is processor time of planning alone, ``peak_mb`` the most memory of the
whole process up to its end, instance included. The rule of thumb moves an overloaded transformer's excess at
its peak hour to the neighbour with most headroom in that hour, as the section whose load comes nearest, and
checks nothing.
"""

import argparse
import importlib.util
import json
import resource
import sys
import time
from pathlib import Path

import numpy as np

from gridlib.domain.transfer import (
    evaluate,
    flows,
    greedy_transfers,
    section_grid,
    single_transfers,
    solve_transfers,
)

DATA = Path(__file__).resolve().parents[2] / "shared" / "bench"


def yardstick(folder):
    """Load instance maker and judge from a file."""
    path = folder / "section_grid.py"
    if not path.exists():
        sys.exit(f"{path} not found: give the folder of section_grid.py with --data")
    spec = importlib.util.spec_from_file_location("section_grid", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def rule_of_thumb(grid):
    """Return the switch states that the unchecked rule leads to, and the relief it claims [%]."""
    state = flows(grid, grid.closed)
    load = state.node_kva[: grid.transformers]
    over = np.maximum(load - grid.limit_kva, 0.0)
    donors = np.flatnonzero(over.any(axis=1))
    found = single_transfers(grid, donors[np.argsort(-(load / grid.limit_kva)[donors].max(axis=1))])
    closed, touched, claimed = grid.closed.copy(), set(), 0.0
    for donor in dict.fromkeys(found.donor.tolist()):
        ways = np.flatnonzero(found.donor == donor)
        hour = int(load[donor].argmax())
        headroom = (grid.limit_kva - load)[found.receiver[ways], hour]
        if headroom.max() <= 0:
            continue
        ways = ways[found.receiver[ways] == found.receiver[ways][headroom.argmax()]]
        wanted_kva = min(load[donor, hour] - grid.limit_kva[donor, hour], headroom.max())
        left = np.maximum(load[donor] * (1 - wanted_kva / load[donor, hour]) - grid.limit_kva[donor], 0.0)
        claimed += over[donor].sum() - left.sum()
        moved_kva = [grid.step_load_kva[found.sections[k] - grid.transformers, hour].sum() for k in ways]
        best = ways[int(np.abs(np.array(moved_kva) - wanted_kva).argmin())]
        ends = {int(grid.start[found.closes[best]]), int(grid.end[found.closes[best]])}
        involved = set(found.sections[best].tolist()) | ends
        if touched.isdisjoint(involved):
            closed[found.opens[best]], closed[found.closes[best]] = False, True
            touched |= involved
    return closed, float(100 * claimed / over.sum())


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--n", type=int, default=1000, help="transformers")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--tie-p", type=float, default=0.4, help="chance that a branch end has a tie")
    parser.add_argument("--over", type=float, default=0.05, help="share of overloaded transformers")
    parser.add_argument("--hops", type=int, default=2, help="reach around overloaded transformers")
    parser.add_argument("--cost-kvah", type=float, default=1.0, help="least gain of an operation [kVAh]")
    parser.add_argument("--time-limit-s", type=float, default=60.0, help="for each group")
    parser.add_argument("--data", type=Path, default=DATA, help="folder of section_grid.py")
    parser.add_argument("--json", action="store_true", help="one JSON object on the last line")
    args = parser.parse_args()
    bench = yardstick(args.data)
    made = bench.make(n=args.n, seed=args.seed, over=args.over, tie_p=args.tie_p)
    start = time.process_time()
    grid = section_grid(
        made["U"],
        made["V"],
        made["cap"],
        made["z0"],
        made["load"],
        made["rate"],
        cost_kvah=args.cost_kvah,
    )
    found = solve_transfers(grid, hops=args.hops, time_limit_s=args.time_limit_s)
    cpu_s = time.process_time() - start
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    judged = bench.judge(made, found.closed.astype(int))
    standings = [group.plans[-1].standing for group in found.groups]
    result = {"n": args.n, "seed": args.seed, "tie_p": args.tie_p, "over": args.over, **judged}
    result |= {
        "bound_kvah": found.bound_kvah,
        "gap": found.gap,
        "cpu_s": round(cpu_s, 3),
        "peak_mb": round(peak_mb, 1),
        "groups": len(standings),
        "standings": {standing: standings.count(standing) for standing in sorted(set(standings))},
    }
    start = time.process_time()
    greedy = greedy_transfers(grid, hops=args.hops)
    result["greedy"] = bench.judge(made, greedy.astype(int)) | {
        "cpu_s": round(time.process_time() - start, 3)
    }
    thumb, claimed_pct = rule_of_thumb(grid)
    result["rule_of_thumb"] = {"claimed_pct": claimed_pct, **bench.judge(made, thumb.astype(int))}
    assert evaluate(grid, found.closed).holds
    if args.json:
        print(json.dumps(result))
        return
    for name, value in result.items():
        print(f"{name}: {value}")


if __name__ == "__main__":
    main()
