"""Parts of the power benchmark: heat of a fleet beside its peer, and the loss of each transformer."""

import time

import numpy as np
import pandas as pd

from gridlib.domain.network import current_states
from gridlib.domain.risk import cascading_component
from gridlib.domain.thermal import ageing_rate_pu, day_limit, thermal_response, thermal_spec
from gridlib.facts.types import Limits, Network

STEPS, STEP_MIN, HOURS = 288, 15, 72
RATINGS_KVA = (250.0, 400.0, 500.0, 630.0, 800.0, 1000.0, 1500.0)
TIES_EACH = 1.2
PEERS = 5
"""Transformers run through the peer, which takes them one by one."""

PEER_SPEC = {
    "load_loss": 5000,
    "no_load_loss": 1000,
    "nom_load_sec_side": 1.0,
    "amb_temp_surcharge": 0.0,
    "top_oil_temp_rise": 55.0,
    "winding_oil_gradient": 23.0,
    "hot_spot_fac": 1.0,
    "oil_exp_x": 0.8,
    "winding_exp_y": 1.6,
    "time_const_oil": 180.0,
    "time_const_windings": 4.0,
    "oil_const_k11": 1.0,
    "winding_const_k21": 1,
    "winding_const_k22": 2,
}
"""The constants of a distribution ONAN unit in the peer's words."""


def timed(call):
    """Return what a call returns and its processor time [s]."""
    start = time.process_time()
    result = call()
    return result, time.process_time() - start


def thermal(args):
    """Run 288 steps of 15 min for the fleet, age it and find a day's limits; the peer runs a few units.

    ``ratio`` is processor time for each transformer there over here, ``difference_k`` the largest difference
    in top oil or hot spot.
    """
    random = np.random.default_rng(args.seed)
    rating = random.choice(RATINGS_KVA, args.n)
    hours = np.arange(STEPS) * STEP_MIN / 60
    shape = 0.7 + 0.4 * np.sin(2 * np.pi * (hours[:, None] - 14) / 24)
    load = np.abs(shape + random.normal(0, 0.1, (STEPS, args.n)))
    air = 30 + 8 * np.sin(2 * np.pi * (hours - 9) / 24)
    spec = thermal_spec(pd.DataFrame({"cooling": "ONAN", "rating_kva": rating}))
    run, cpu_s = timed(lambda: thermal_response(load, air, spec, step_min=STEP_MIN))
    _, ageing_s = timed(lambda: ageing_rate_pu(run.hot_spot_c))
    hourly = slice(0, 24 * 60 // STEP_MIN, 60 // STEP_MIN)
    limit, limit_s = timed(
        lambda: day_limit(load[hourly], air[hourly], spec, step_min=60, limits=Limits(), initial=run.final)
    )
    found = {
        "transformers": args.n,
        "steps": STEPS,
        "cpu_s": round(cpu_s, 3),
        "ageing_cpu_s": round(ageing_s, 3),
        "day_limit_cpu_s": round(limit_s, 3),
        "day_limit_pu_median": round(float(np.median(limit.rating_pu)), 3),
    }
    return found | peer(load[:, :PEERS], air, run, cpu_s / args.n)


def peer(load, air, run, own_s):
    """Run the first transformers through transformer-thermal-model: same constants, same start."""
    try:
        from transformer_thermal_model.cooler import CoolerType
        from transformer_thermal_model.model import Model
        from transformer_thermal_model.schemas import InputProfile, UserTransformerSpecifications
        from transformer_thermal_model.schemas.thermal_model.initial_state import InitialLoad
        from transformer_thermal_model.transformer import PowerTransformer
    except ImportError:
        return {"peer": "transformer-thermal-model is not installed"}
    worst, spent = 0.0, 0.0
    specs = UserTransformerSpecifications(**PEER_SPEC)
    times = pd.date_range("2026-01-01", periods=len(load), freq=f"{STEP_MIN}min")
    for i, mine in enumerate(load.T):
        unit = PowerTransformer(user_specs=specs, cooling_type=CoolerType.ONAN)
        profile = InputProfile.create(
            datetime_index=times, load_profile=mine, ambient_temperature_profile=air
        )
        model = Model(profile, unit, initial_condition=InitialLoad(initial_load=float(mine[0])))
        found, cpu_s = timed(model.run)
        spent += cpu_s
        for ours, theirs in (
            (run.top_oil_c, found.top_oil_temp_profile),
            (run.hot_spot_c, found.hot_spot_temp_profile),
        ):
            worst = max(worst, float(np.abs(ours[:, i] - theirs.to_numpy()).max()))
    each_s = spent / load.shape[1]
    return {
        "peer": "transformer-thermal-model",
        "peer_cpu_s_for_fleet": round(each_s * run.top_oil_c.shape[1], 1),
        "ratio": round(each_s / own_s),
        "difference_k": worst,
    }


def tied_fleet(n, seed):
    """Make a network of two to four branches of one or two sections each, with ties to units near by."""
    random = np.random.default_rng(seed)
    ids = np.array([f"T{i:05d}" for i in range(n)], dtype=object)
    owner = np.repeat(np.arange(n), random.integers(2, 5, n))
    branches = len(owner)
    longer = random.random(branches) < 0.5
    heads = np.array([f"head {k}" for k in range(branches)], dtype=object)
    tails = np.array([f"tail {k}" for k in np.flatnonzero(longer)], dtype=object)
    ends = heads.copy()
    ends[longer] = tails
    start = random.integers(0, branches, int(n * TIES_EACH))
    away = random.integers(4, 40, len(start)) * random.choice([-1, 1], len(start))
    end = np.clip(start + away, 0, branches - 1)
    apart = owner[start] != owner[end]
    start, end = start[apart], end[apart]
    kind = np.repeat(["breaker", "sectionaliser", "tie"], [branches, len(tails), len(start)]).astype(object)
    switches = pd.DataFrame(
        {
            "switch_id": [f"switch {k}" for k in range(len(kind))],
            "from_id": np.concatenate([ids[owner], heads[longer], ends[start]]),
            "to_id": np.concatenate([heads, tails, ends[end]]),
            "kind": kind,
            "normal_state": np.where(kind == "tie", "OPEN", "CLOSED").astype(object),
            "limit_kva": np.nan,
        }
    )
    unit = np.concatenate([owner, owner[longer]])
    rating = random.choice(RATINGS_KVA, n)
    network = Network(
        substations=pd.DataFrame(),
        feeders=pd.DataFrame({"feeder_id": []}),
        transformers=pd.DataFrame({"transformer_id": ids, "rating_kva": rating}),
        sections=pd.DataFrame(
            {
                "section_id": np.concatenate([heads, tails]),
                "transformer_id": ids[unit],
                "share": 1.0 / np.bincount(unit, minlength=n)[unit],
            }
        ),
        switches=switches,
        states=pd.DataFrame(columns=["switch_id", "time", "state", "health", "tags", "source"], dtype=object),
        lines=pd.DataFrame(),
    )
    shape = 0.6 + 0.3 * np.sin(2 * np.pi * (np.arange(HOURS)[:, None] - 14) / 24)
    load = rating * random.uniform(0.5, 1.2, n) * shape * random.uniform(0.9, 1.1, (HOURS, n))
    times = pd.date_range("2026-08-12", periods=HOURS, freq="h", tz="UTC")
    return network, pd.DataFrame(load, index=times, columns=ids)


def n1(args):
    """Lose each transformer in each of 72 hours, and average what it would do."""
    network, load_kva = tied_fleet(args.n, args.seed)
    states = current_states(network)
    found, cpu_s = timed(lambda: cascading_component(network, states, load_kva, Limits(), tz="Asia/Amman"))
    means = found[["cascading", "unserved", "stress", "trips"]].mean().round(4)
    return {
        "transformers": args.n,
        "hours": HOURS,
        "ties": int((network.switches["kind"] == "tie").sum()),
        "cpu_s": round(cpu_s, 3),
        **{f"mean_{name}": float(value) for name, value in means.items()},
    }
