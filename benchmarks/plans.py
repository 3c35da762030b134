"""Planning of a whole fleet whose impedances are known, and what its AC proof costs.

The fleet hangs on 11 kV feeders of twenty 11/0.415 kV transformers each, four branches a feeder; every
transformer has four sections behind two breakers, and many branch ends are tied to that of another nearby.
A share ``over`` of them peaks above its rating.
"""

import resource
import time
from unittest import mock

import numpy as np
import pandas as pd

from gridlib.domain.network import parse_network
from gridlib.domain.planning import choose, plan_transfers
from gridlib.facts.types import Limits, Network, PlanningRules
from gridlib.facts.units import QUANTILE_COLUMNS, QUANTILE_LEVELS

HOURS = 72
PER_FEEDER = 20
BRANCHES = 4
TIE_P = 0.5


def network(n, random):
    """Make the tables of a fleet."""
    unit = np.arange(n)
    feeder = unit // PER_FEEDER
    names = np.array([f"T{k}" for k in unit], dtype=object)
    rating = random.choice([250.0, 400.0, 500.0, 630.0, 1000.0], n)
    transformers = pd.DataFrame(
        {
            "transformer_id": names,
            "substation_id": [f"S{k // 4}" for k in feeder],
            "feeder_id": [f"F{k}" for k in feeder],
            "rating_kva": rating,
            "cooling": "ONAN",
            "paper": "normal",
            "enclosure": "outdoor",
            "customers": 100.0,
            "vk_pct": 4.5,
            "vkr_pct": 1.2,
            "tap_pct": random.choice([-2.5, 0.0], n),
            "lat": np.nan,
            "lon": np.nan,
        }
    )
    shares = random.dirichlet(np.full(4, 4.0), n)
    sections = pd.DataFrame(
        {
            "section_id": [f"T{k}-S{s}" for k in unit for s in range(4)],
            "transformer_id": np.repeat(names, 4),
            "customers": 25.0,
            "share": shares.ravel(),
            "method": "kva_share",
            "spread_pct": 10.0,
        }
    )
    rows, free = [], set(range(2 * n))
    for k in unit:
        for branch in (0, 1):
            first, second = f"T{k}-S{2 * branch}", f"T{k}-S{2 * branch + 1}"
            rows.append((f"T{k}-B{branch}", f"T{k}", first, "breaker", "CLOSED"))
            rows.append((f"T{k}-Q{branch}", first, second, "sectionaliser", "CLOSED"))
            near = 2 * (k + int(random.integers(1, 1 + PER_FEEDER))) + int(random.integers(2))
            if random.random() < TIE_P and {2 * k + branch, near} <= free:
                rows.append((f"X{k}-{branch}", second, f"T{near // 2}-S{1 + 2 * (near % 2)}", "tie", "OPEN"))
                free -= {2 * k + branch, near}
    switches = pd.DataFrame(rows, columns=["switch_id", "from_id", "to_id", "kind", "normal_state"])
    switches = switches.assign(
        load_break_a=1600.0,
        fault_make_ka=25.0,
        remote=False,
        limit_kva=np.nan,
        phase_rotation_confirmed_on="2026-01-01",
        may_parallel=False,
    )
    before = unit % PER_FEEDER - BRANCHES
    medium = pd.DataFrame(
        {
            "line_id": [f"cable {k}" for k in unit],
            "from_id": [
                f"S{f // 4}" if b < 0 else f"T{k - BRANCHES}"
                for k, b, f in zip(unit, before, feeder, strict=True)
            ],
            "to_id": names,
            "r_ohm": random.uniform(0.05, 0.15, n),
            "x_ohm": random.uniform(0.03, 0.09, n),
            "length_km": 0.5,
            "limit_a": 400.0,
        }
    )
    low = pd.DataFrame(
        {
            "line_id": switches["switch_id"],
            "from_id": switches["from_id"],
            "to_id": switches["to_id"],
            "r_ohm": random.uniform(0.002, 0.008, len(switches)),
            "x_ohm": 0.003,
            "length_km": 0.1,
            "limit_a": 1200.0,
        }
    )
    small = parse_network("T1(500) -b1- a")
    feeders = pd.DataFrame({"feeder_id": [f"F{k}" for k in np.unique(feeder)]})
    feeders = feeders.assign(
        substation_id=[f"S{k // 4}" for k in np.unique(feeder)], voltage_kv=11.0, limit_a=np.nan
    )
    stations = pd.DataFrame({"substation_id": feeders["substation_id"].unique()})
    stations = stations.assign(name=stations["substation_id"], name_ar=None, lat=np.nan, lon=np.nan)
    return Network(
        stations,
        feeders,
        transformers,
        sections,
        switches,
        small.states,
        pd.concat([medium, low], ignore_index=True),
    )


def forecast(rating_kva, over, random):
    """Make loads and risk: evening peaks at 45-80 % of the rating, for a share ``over`` at 102-125 %."""
    n = len(rating_kva)
    times = pd.date_range("2026-08-12", periods=HOURS, freq="h", tz="UTC").as_unit("ns")
    peak = random.uniform(0.45, 0.8, n)
    risky = random.choice(n, round(over * n), replace=False)
    peak[risky] = random.uniform(1.02, 1.25, len(risky))
    day = 0.6 + 0.4 * np.exp(-0.5 * ((np.arange(HOURS) % 24 - 17) / 3.0) ** 2)
    middle = (rating_kva * peak)[:, None] * day * random.uniform(0.97, 1.03, (n, HOURS))
    frame = pd.DataFrame(
        {"transformer_id": np.repeat([f"T{k}" for k in range(n)], HOURS), "time": np.tile(times, n)}
    )
    for level, column in zip(QUANTILE_LEVELS, QUANTILE_COLUMNS, strict=True):
        frame[column] = (middle * (1 + 0.15 * (level - 0.5))).ravel()
    risk = pd.DataFrame(
        {
            "transformer_id": [f"T{k}" for k in risky],
            "risk_score": peak[risky] / 1.3,
            "risk_level": "HIGH",
            "imminent": False,
        }
    )
    air = pd.DataFrame(25.0, index=times, columns=[f"T{k}" for k in range(n)])
    return frame, risk, air


def plans(args):
    """Plan the fleet; ``ac_ms_each`` is what one AC proof takes, models and flows of feeders included."""
    random = np.random.default_rng(args.seed)
    grid = network(args.n, random)
    frame, risk, air = forecast(grid.transformers["rating_kva"].to_numpy(), args.over, random)
    spent, checks = [], []
    check_ac = choose.check_ac

    def timed(*arguments):
        start = time.process_time()
        found = check_ac(*arguments)
        spent.append(time.process_time() - start)
        checks.append(found)
        return found

    start = time.process_time()
    with mock.patch.object(choose, "check_ac", timed):
        cases = plan_transfers(grid, frame, risk, air, limits=Limits(), rules=PlanningRules())
    cpu_s = time.process_time() - start
    return {
        "n": args.n,
        "at_risk": len(risk),
        "cpu_s": round(cpu_s, 2),
        "ac_cpu_s": round(sum(spent), 2),
        "ac_proofs": len(spent),
        "ac_ms_each": round(1e3 * sum(spent) / max(len(spent), 1), 2),
        "ac_ms_median": round(1e3 * float(np.median(spent)), 2) if spent else 0.0,
        "ac_refused": sum(bool(found.refusals) for found in checks),
        "with_plan": sum(bool(case.plans) for case in cases),
        "plans": sum(len(case.plans) for case in cases),
        "peak_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1),
    }
