"""Speed and memory of the forecast for a whole fleet; with ``--peers`` beside statsforecast.

    python benchmarks/forecast.py --n 20000 --method fleet --json

Made-up transformers (a day, a week, cooling by the air, noise), so that the run needs
no data. The readings are float32, as a telemetry store delivers them. ``cpu_s`` is processor time of the
forecast alone, ``peak_mb`` the most memory of the whole process, readings included.
"""

import argparse
import json
import resource
import time

import numpy as np
import pandas as pd

from gridlib.domain.calendar import calendar_for
from gridlib.domain.forecast import forecast_load

HORIZON_H = 72
PEER_SERIES = 4


def made_up_fleet(n, hours, step_min, seed=0):
    """Return history (wide, float32), air of history and horizon, and ratings."""
    rng = np.random.default_rng(seed)
    steps = hours * 60 // step_min
    ahead = HORIZON_H * 60 // step_min
    times = pd.date_range("2025-01-01", periods=steps + ahead, freq=f"{step_min}min", tz="UTC")
    hour = times.hour.to_numpy() + times.minute.to_numpy() / 60
    year = times.dayofyear.to_numpy() / 365
    wander = np.cumsum(rng.normal(0, 0.1, len(times))) * np.sqrt(step_min / 60)
    air = 18 - 10 * np.cos(2 * np.pi * year) + 6 * np.sin(2 * np.pi * (hour - 9) / 24) + wander
    weekend = np.isin(times.weekday, (4, 5))
    load = np.empty((steps, n), dtype=np.float32)
    for i in range(n):
        day = 50 + 10 * np.sin(2 * np.pi * (hour - rng.uniform(6, 12)) / 24) * (1 - 0.2 * weekend)
        cooling = rng.uniform(0, 1.5) * np.maximum(air - 20, 0)
        load[:, i] = (day + cooling)[:steps] + rng.normal(0, 3, steps)
    names = [f"T-{i:05d}" for i in range(n)]
    history = pd.DataFrame(load, index=times[:steps], columns=names, copy=False)
    return history, pd.Series(air, index=times), pd.Series(load.max(axis=0) * 1.02, index=names)


def peers(history, freq):
    """Return CPU seconds a series of statsforecast's MSTL on a few of the same series."""
    from statsforecast import StatsForecast
    from statsforecast.models import MSTL, AutoARIMA

    some = history.iloc[:, :PEER_SERIES]
    long = (
        some.tz_localize(None)
        .rename_axis("ds")
        .melt(ignore_index=False, var_name="unique_id", value_name="y")
    )
    day = pd.Timedelta("1D") // pd.Timedelta(freq)
    model = StatsForecast([MSTL([day, 7 * day], trend_forecaster=AutoARIMA())], freq=freq, n_jobs=1)
    start = time.process_time()
    model.forecast(df=long.reset_index(), h=HORIZON_H * day // 24, level=[90])
    return (time.process_time() - start) / PEER_SERIES


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--n", type=int, default=1000, help="transformers")
    parser.add_argument("--hours", type=int, default=8760, help="hours of history")
    parser.add_argument("--step-min", type=int, default=60, help="step [min]")
    parser.add_argument("--method", default="fleet", help="of forecast_load")
    parser.add_argument("--no-weather", action="store_true")
    parser.add_argument("--peers", action="store_true", help="run statsforecast too (to be installed by you)")
    parser.add_argument("--json", action="store_true", help="one JSON object on the last line")
    args = parser.parse_args()
    history, air, rating = made_up_fleet(args.n, args.hours, args.step_min)
    air = None if args.no_weather else air
    result = {"n": args.n, "hours": args.hours, "step_min": args.step_min, "method": args.method}
    start, wall = time.process_time(), time.perf_counter()
    forecast = forecast_load(
        history,
        ambient_c=air,
        rating_kva=rating,
        calendar=calendar_for(),
        step_min=args.step_min,
        method=args.method,
    )
    result["cpu_s"] = time.process_time() - start
    result["wall_s"] = time.perf_counter() - wall
    result["cpu_ms_per_series"] = 1000 * result["cpu_s"] / args.n
    result["peak_mb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    result["rows"] = len(forecast.frame)
    if args.peers:
        result["mstl_cpu_s_per_series"] = peers(history, f"{args.step_min}min")
        result["times_faster"] = 1000 * result["mstl_cpu_s_per_series"] / result["cpu_ms_per_series"]
    print(json.dumps(result) if args.json else "\n".join(f"{k}: {v}" for k, v in result.items()))


if __name__ == "__main__":
    main()
