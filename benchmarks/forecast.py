"""Speed and memory of the forecast for a whole fleet; with ``--peers`` beside statsforecast's MSTL.

    OPENBLAS_NUM_THREADS=1 python benchmarks/forecast.py --n 20000 --json

Made-up transformers, so that the run needs no data: a day, a week, cooling by the air of one of several
stations, noise; and what meters do: some readings missing, long gaps, spikes, stuck meters, transformers
that are new or were never read. The readings are float32, as a telemetry store delivers them.

``cpu_s`` is processor time of the forecast alone, ``peak_mb`` the most memory of the whole process,
of which ``readings_mb`` and ``weather_mb`` are what was handed in. Peers run on some of the same series,
after the forecast.
"""

import argparse
import json
import resource
import sys
import time

import numpy as np
import pandas as pd

from gridlib.domain.calendar import calendar_for
from gridlib.domain.forecast import forecast_load

HORIZON_H = 72
CHUNK = 256  # transformers made at a time
GAPPY, SPIKY, STUCK, NEW, UNREAD = 0.10, 0.10, 0.01, 0.03, 0.001
"""Share of the transformers with missing readings, spikes, a stuck meter, a late start, no reading."""


def made_up_air(hours, step_min, n_stations, rng):
    """Return the times of history and horizon, and the air of each station [degC]."""
    steps = (hours + HORIZON_H) * 60 // step_min
    times = pd.date_range("2025-01-01", periods=steps, freq=f"{step_min}min", tz="UTC")
    hour = times.hour.to_numpy() + times.minute.to_numpy() / 60
    year = times.dayofyear.to_numpy() / 365
    wander = np.cumsum(rng.normal(0, 0.1, (steps, n_stations)), axis=0) * np.sqrt(step_min / 60)
    common = 18 - 10 * np.cos(2 * np.pi * year) + 6 * np.sin(2 * np.pi * (hour - 9) / 24)
    return times, (common[:, None] + wander).astype(np.float32)


def made_up_fleet(n, hours, step_min, n_stations, seed=0):
    """Return history (wide, float32), air of history and horizon, and ratings."""
    rng = np.random.default_rng(seed)
    times, air = made_up_air(hours, step_min, n_stations, rng)
    steps = hours * 60 // step_min
    hour = (times.hour.to_numpy() + times.minute.to_numpy() / 60)[:steps, None]
    angle = (2 * np.pi * hour / 24).astype(np.float32)
    workday = (1 - 0.2 * np.isin(times.weekday, (4, 5)))[:steps, None].astype(np.float32)
    station = np.arange(n) % n_stations
    load = np.empty((steps, n), dtype=np.float32)
    for start in range(0, n, CHUNK):
        who = slice(start, min(start + CHUNK, n))
        width = who.stop - start
        phase = rng.uniform(1.5, 3.2, width).astype(np.float32)
        made = rng.standard_normal((steps, width), dtype=np.float32)
        made *= np.float32(3)
        made += 50 + 10 * workday * np.sin(angle - phase)
        cooling = rng.uniform(0, 1.5, width).astype(np.float32)
        made += cooling * np.maximum(air[:steps, station[who]] - 20, 0)
        load[:, who] = made
    rating = pd.Series(1.02 * load.max(axis=0), index=[f"T-{i:05d}" for i in range(n)])
    spoil(load, 1440 // step_min, rng)
    history = pd.DataFrame(load, index=times[:steps], columns=rating.index, copy=False)
    if n_stations == 1:
        return history, pd.Series(air[:, 0], index=times), rating
    return history, pd.DataFrame(air[:, station], index=times, columns=rating.index, copy=False), rating


def spoil(load, steps_per_day, rng):
    """Do to the readings what meters do, in place."""
    steps, n = load.shape
    for i in np.flatnonzero(rng.random(n) < GAPPY):
        load[rng.integers(0, steps, steps // 100), i] = np.nan
        gap = rng.integers(0, steps)
        load[gap : gap + rng.integers(1, 14 * steps_per_day), i] = np.nan
    for i in np.flatnonzero(rng.random(n) < SPIKY):
        load[rng.integers(0, steps, 5), i] *= 6
    for i in np.flatnonzero(rng.random(n) < STUCK):
        gap = rng.integers(0, steps)
        load[gap : gap + 2 * steps_per_day, i] = 40
    for i in np.flatnonzero(rng.random(n) < NEW):
        load[: rng.integers(steps // 10, steps), i] = np.nan
    load[:, rng.random(n) < UNREAD] = np.nan


def seconds_of_peers(history, freq):
    """Return CPU seconds of statsforecast's MSTL on these series."""
    try:
        from statsforecast import StatsForecast
        from statsforecast.models import MSTL
    except ImportError:
        sys.exit("--peers needs statsforecast, which gridlib does not: pip install statsforecast")
    long = (
        history.tz_localize(None)
        .rename_axis("ds")
        .melt(ignore_index=False, var_name="unique_id", value_name="y")
    )
    day = pd.Timedelta("1D") // pd.Timedelta(freq)
    model = StatsForecast([MSTL([day, 7 * day])], freq=freq, n_jobs=1)
    # Compiled by a first call, so that what is timed is the method.
    model.forecast(df=long[long["unique_id"] == history.columns[0]].reset_index(), h=day, level=[90])
    start = time.process_time()
    model.forecast(df=long.reset_index(), h=HORIZON_H * day // 24, level=[90])
    return time.process_time() - start


def without_gaps(history, n):
    """Return the first n series that have no gap: peers take no others."""
    some = history.iloc[:, : 20 * n]
    return some.loc[:, some.notna().all()].iloc[:, :n].astype(np.float64)


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--n", type=int, default=1000, help="transformers")
    parser.add_argument("--hours", type=int, default=8760, help="hours of history")
    parser.add_argument("--step-min", type=int, default=60, help="step [min]")
    parser.add_argument("--method", default="fleet", help="of forecast_load")
    parser.add_argument("--stations", type=int, default=10, help="weather stations; 0: no weather")
    parser.add_argument("--peers", type=int, nargs="?", const=8, default=0, help="series for MSTL")
    parser.add_argument("--json", action="store_true", help="one JSON object on the last line")
    args = parser.parse_args()
    begun = time.process_time()
    history, air, rating = made_up_fleet(args.n, args.hours, args.step_min, max(1, args.stations))
    made_s = time.process_time() - begun
    given = {
        "ambient_c": air if args.stations else None,
        "rating_kva": rating,
        "calendar": calendar_for(),
        "step_min": args.step_min,
        "method": args.method,
    }
    start, wall = time.process_time(), time.perf_counter()
    forecast = forecast_load(history, **given)
    cpu_s = time.process_time() - start
    result = {
        "n": args.n,
        "hours": args.hours,
        "step_min": args.step_min,
        "stations": args.stations,
        "method": args.method,
        "cpu_s": round(cpu_s, 3),
        "wall_s": round(time.perf_counter() - wall, 3),
        "made_s": round(made_s, 3),
        "cpu_ms_per_series": round(1000 * cpu_s / args.n, 4),
        "peak_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
        "readings_mb": round(history.to_numpy().nbytes / 1e6),
        "weather_mb": round(air.to_numpy().nbytes / 1e6) if args.stations else 0,
        "rows": len(forecast.frame),
        "findings": len(forecast.findings),
    }
    if args.peers:
        some = without_gaps(history, args.peers)
        peer_s = seconds_of_peers(some, f"{args.step_min}min")
        result["mstl_series"] = some.shape[1]
        result["mstl_cpu_s_per_series"] = round(peer_s / some.shape[1], 4)
        result["times_faster"] = round(peer_s / some.shape[1] / (cpu_s / args.n))
    print(json.dumps(result) if args.json else "\n".join(f"{k}: {v}" for k, v in result.items()))


if __name__ == "__main__":
    main()
