"""Do joint error paths tell the chance that several transformers hold together? Real series, many origins.

    python benchmarks/joint_paths.py --data ../shared/data --json

At each origin the fleet is forecast for 72 h, and for groups of transformers two chances are told: that
every member stays under a limit of its own ("each"), and that their summed load, each in units of its
largest, stays under one common limit ("sum"), as of a receiver that carries parts of all. Each is told twice:
by error paths of the same past days, and by the same paths with every member's days shuffled, which leaves
each member as it is and makes them independent. ``observed`` is how often it came true; ``brier`` is the mean
squared error of the chance. A limit is what the group's, or the member's, 72 h peak stayed under in
``--share`` of the horizons.

Series: transformers of the Danish DTU networks, without weather; zones of GEFCom2012, with measured
temperature and an error as forecasts make it (0.8 K growing to 2.3 K). Copies among the zones are left out.
"""

import argparse
import json
import time
from pathlib import Path

import numpy as np
import pandas as pd

from gridlib.domain.calendar import calendar_for
from gridlib.domain.forecast import forecast_load

HORIZON_H = 72
ZONES = (1, 3, 4, 8, 11, 15, 17, 20)  # the others are copies, or scaled, of zone 3
SHUFFLES = 20


def dtu(data):
    """Return load of the distribution transformers, no air, calendar and hours of history."""
    rows = pd.read_parquet(data / "dtu_adn/dist_transformers_hourly.parquet")
    load = rows.pivot(index="ts", columns="transformer_id", values="p_load_kw").asfreq("h").astype(float)
    return load, None, calendar_for(country="DK", tz="Etc/GMT-1"), 5040


def gefcom(data):
    """Return load of the zones, mean air of all stations, calendar and hours of history."""
    rows = pd.read_parquet(data / "gefcom2012/zones_hourly.parquet")
    load = rows[rows["zone_id"].isin(ZONES)].pivot(index="ts", columns="zone_id", values="load_kw")
    air = pd.read_parquet(data / "gefcom2012/temperature_hourly.parquet").groupby("ts")["temp_c"].mean()
    air = air.astype(float)
    load = load.asfreq("h").rename(columns=str).sort_index(axis=1)
    air = air.reindex(load.index).interpolate(limit=6)
    return load, air, calendar_for(country="US", tz="Etc/GMT+5"), 8760


def forecast_air(air, origin, history_h, rng):
    """Return measured air up to an origin, and beyond it with an error as forecasts make it [degC]."""
    given = air.iloc[origin - history_h : origin + HORIZON_H].copy()
    wander = np.zeros(HORIZON_H)
    for h in range(1, HORIZON_H):
        wander[h] = 0.95 * wander[h - 1] + (1 - 0.95**2) ** 0.5 * rng.normal()
    given.iloc[-HORIZON_H:] += np.linspace(0.8, 2.3, HORIZON_H) * wander
    return given


def told_and_true(load, air, calendar, history_h, origins, rng):
    """Return paths [origins, N, J, H] and what came [origins, N, H], each in units of the largest load."""
    utc = load.tz_localize("UTC")
    told, came = [], []
    for origin in origins:
        history = utc.iloc[origin - history_h : origin]
        given = None
        if air is not None:
            given = forecast_air(air.tz_localize("UTC"), origin, history_h, rng)
        made = forecast_load(history, ambient_c=given, calendar=calendar)
        names = made.paths.transformer_ids
        if list(names) != list(load.columns):
            raise SystemExit(f"left out at {history.index[-1]}: {set(load.columns) - set(names)}")
        p50 = made.frame["load_kva_p50"].to_numpy().reshape(len(names), 1, HORIZON_H)
        paths = p50 + made.paths.error_kva(np.arange(len(names)))
        told.append(paths.astype(np.float32))
        came.append(load.iloc[origin : origin + HORIZON_H].to_numpy().T)
    most = np.nanmax(load.iloc[: origins[0]].to_numpy(), axis=0)[:, None]
    return np.stack(told) / most[:, None].astype(np.float32), np.stack(came) / most


def shuffled(paths, rng):
    """Return paths [O, k, J, H] with the days of every member in an order of its own."""
    order = rng.permuted(np.tile(np.arange(paths.shape[2]), (*paths.shape[:2], 1)), axis=2)
    return np.take_along_axis(paths, order[..., None], axis=2)


def scores(chance, held):
    """Return mean chance and Brier score."""
    return {"mean": round(float(chance.mean()), 3), "brier": round(float(((chance - held) ** 2).mean()), 4)}


def judged(told, came, groups, share, rng):
    """Return what the groups were promised and what came, for both questions."""
    kept = {question: {"joint": [], "independent": [], "held": []} for question in ("each", "sum")}
    for group in groups:
        paths, true = told[:, group], came[:, group]
        limit = np.quantile(true.max(axis=2), share, axis=0)
        common = np.quantile(true.sum(axis=1).max(axis=1), share)

        def holds(of, limit=limit):
            return (of.max(axis=3) <= limit[:, None]).all(axis=1).mean(axis=1)

        def fits(of, common=common):
            return (of.sum(axis=1).max(axis=2) <= common).mean(axis=1)

        kept["each"]["held"].append((true.max(axis=2) <= limit).all(axis=1))
        kept["sum"]["held"].append(true.sum(axis=1).max(axis=1) <= common)
        for question, chance in (("each", holds), ("sum", fits)):
            kept[question]["joint"].append(chance(paths))
            apart = [chance(shuffled(paths, rng)) for _ in range(SHUFFLES)]
            kept[question]["independent"].append(np.mean(apart, axis=0))
    result = {}
    for question, values in kept.items():
        held = np.array(values["held"])
        result[question] = {"observed": round(float(held.mean()), 3)}
        for how in ("joint", "independent"):
            result[question][how] = scores(np.array(values[how]), held)
    return result


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, default=Path("../shared/data"), help="folder of the real data")
    parser.add_argument("--origins", type=int, default=40, help="for each set of series")
    parser.add_argument("--groups", type=int, default=100, help="pairs, triples and fives, each")
    parser.add_argument("--share", type=float, default=0.7, help="of the horizons that stay under a limit")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", action="store_true", help="one JSON object on the last line")
    args = parser.parse_args()
    result = {}
    for name, read in (("dtu", dtu), ("gefcom", gefcom)):
        begun = time.process_time()
        rng = np.random.default_rng(args.seed)
        load, air, calendar, history_h = read(args.data)
        first, last = len(load) * 3 // 4, len(load) - HORIZON_H
        spread = np.linspace(first, last, args.origins).astype(int) // 6 * 6
        good = [o for o in spread if load.iloc[o : o + HORIZON_H].notna().all(axis=None)]
        told, came = told_and_true(load, air, calendar, history_h, good, rng)
        result[name] = {"series": load.shape[1], "origins": len(good)}
        for size in (2, 3, 5):
            groups = [rng.choice(load.shape[1], size, replace=False) for _ in range(args.groups)]
            result[name][f"groups of {size}"] = judged(told, came, groups, args.share, rng)
        result[name]["cpu_s"] = round(time.process_time() - begun, 1)
    print(json.dumps(result) if args.json else json.dumps(result, indent=2))


if __name__ == "__main__":
    main()
