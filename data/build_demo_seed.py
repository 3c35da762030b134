"""Build ``data/demo_seed``: the scenario of a published demo, ten transformers over one hot August week.

    python data/build_demo_seed.py [--out FOLDER]

Published: substation, feeders, transformers with kVA and cooling, switches, links with their limits. Added
by the rules below and a seeded generator, so that the same call gives the same bytes:

    1. Sections: 4 where a transformer has two or more links, else 3; shares by position (`SHARES`), with two
       tables of their own for T-04 and T-07. Chains as in the sample: S1-S4 and S2-S3, or S1-S3 and S2.
    2. A link is a tie between end sections; each transformer gives its end sections in turn, highest number
       first, to its links by number. Limit: the demo's kW taken as kVA, the stricter reading. A link without
       a switch is a tie named after the link with unknown capability, so never operable on load.
    3. SW-05, the main breaker of FDR-C, starts at the feeder and ends at T-08, the first unit behind it.
    4. Load = rating x peak of the transformer x day x hour shape, each hour with 1 % noise (cut at 2 %). T-07
       and T-04 peak at 118-124 % of nameplate on their hottest evening, the others at 55-80 %. The week runs
       from Tuesday to Monday, so that the days ahead (Tuesday to Thursday) were seen hot.
    5. Weather: the normals of ``amman_air`` plus `HEAT_K`, a hot week.
"""

import argparse
from pathlib import Path

import numpy as np
import pandas as pd
from amman_air import TZ, weather
from build_sample import PHASING_CONFIRMED_ON, SPREAD_PCT, chains, next_size_a, switch_row

SEED = 20260810
LAST_READING = pd.Timestamp("2026-08-10 23:00", tz=TZ)
DAYS = 7
HEAT_K = 4.0
NOISE_PU = 0.01

FEEDERS = {"FDR-A": 33.0, "FDR-B": 33.0, "FDR-C": 11.0}
# transformer: feeder, nameplate [kVA], cooling, highest evening of the week [pu of nameplate]
TRANSFORMERS = {
    "T-01": ("FDR-A", 500, "ONAN", 0.66),
    "T-02": ("FDR-A", 630, "ONAN", 0.57),
    "T-03": ("FDR-A", 500, "ONAF", 0.72),
    "T-04": ("FDR-B", 800, "ONAF", 1.20),
    "T-05": ("FDR-B", 500, "ONAN", 0.70),
    "T-06": ("FDR-B", 630, "ONAN", 0.63),
    "T-07": ("FDR-B", 500, "ONAN", 1.22),
    "T-08": ("FDR-C", 400, "ONAN", 0.74),
    "T-09": ("FDR-C", 630, "ONAF", 0.58),
    "T-10": ("FDR-C", 500, "ONAN", 0.61),
}
# link: ends, limit [kW], switch
LINKS = {
    "LINK-01": ("T-01", "T-02", 200, "SW-01"),
    "LINK-02": ("T-02", "T-04", 250, "SW-02"),
    "LINK-03": ("T-03", "T-05", 180, ""),
    "LINK-04": ("T-05", "T-06", 220, ""),
    "LINK-05": ("T-07", "T-09", 300, "SW-03"),
    "LINK-06": ("T-05", "T-08", 150, "SW-04"),
    "LINK-07": ("T-09", "T-10", 200, "SW-06"),
    "LINK-08": ("T-04", "T-07", 280, ""),
}
SHARES = {3: (0.40, 0.35, 0.25), 4: (0.30, 0.25, 0.24, 0.21)}
OWN_SHARES = {"T-04": (0.32, 0.28, 0.22, 0.18), "T-07": (0.28, 0.24, 0.21, 0.27)}
CUSTOMERS_PER_KVA = 0.25

# Hour shapes [pu of the day's peak], hour 0 to 23: working day, and Friday and Saturday (later, flatter).
WORKDAY = (
    0.62, 0.56, 0.52, 0.50, 0.49, 0.49, 0.52, 0.57, 0.62, 0.66, 0.70, 0.74,
    0.78, 0.81, 0.82, 0.82, 0.84, 0.88, 0.93, 0.985, 1.00, 0.975, 0.88, 0.74,
)  # fmt: skip
WEEKEND = (
    0.66, 0.60, 0.55, 0.52, 0.50, 0.49, 0.50, 0.52, 0.57, 0.63, 0.69, 0.75,
    0.80, 0.84, 0.84, 0.83, 0.84, 0.87, 0.92, 0.97, 1.00, 0.985, 0.91, 0.80,
)  # fmt: skip
# Tuesday to Monday, peak of the day [pu of the week's highest]; Friday and Saturday are the weekend.
DAY_PU = (0.985, 0.99, 0.985, 0.93, 0.94, 0.99, 1.00)


def load() -> pd.DataFrame:
    """Make the readings: 7 days x 24 hours x 10 transformers."""
    times = pd.date_range(end=LAST_READING, periods=24 * DAYS, freq="h")
    shape = np.concatenate([WEEKEND if day in (4, 5) else WORKDAY for day in times[::24].dayofweek])
    shape *= np.repeat(DAY_PU, 24)
    noise = np.random.default_rng(SEED).normal(0.0, NOISE_PU, (len(TRANSFORMERS), len(times)))
    frames = []
    for (name, (_, rating_kva, _, peak_pu)), own in zip(TRANSFORMERS.items(), noise, strict=True):
        factor = shape * (1 + np.clip(own, -2 * NOISE_PU, 2 * NOISE_PU))
        kva = np.round(rating_kva * peak_pu * factor / factor.max(), 1)
        stamps = [time.isoformat() for time in times]
        frames.append(pd.DataFrame({"transformer_id": name, "time": stamps, "load_kva": kva, "quality": 0}))
    return pd.concat(frames, ignore_index=True)


def shares_of(name: str) -> tuple[float, ...]:
    """Give the shares of a transformer's sections."""
    n_links = sum(name in link[:2] for link in LINKS.values())
    return OWN_SHARES.get(name, SHARES[4 if n_links > 1 else 3])


def network() -> dict[str, pd.DataFrame]:
    """Make the network tables."""
    sections, switches, ends = [], [], {}
    for name, (_, rating_kva, _, _) in TRANSFORMERS.items():
        shares = shares_of(name)
        for number, share in enumerate(shares, start=1):
            sections.append(
                {
                    "section_id": f"{name}-S{number}",
                    "transformer_id": name,
                    "customers": round(CUSTOMERS_PER_KVA * rating_kva * share),
                    "share": share,
                    "method": "kva_share",
                    "spread_pct": SPREAD_PCT,
                    "critical_customers": "",
                }
            )
        for i, chain in enumerate(chains(len(shares)), start=1):
            nodes = [name, *(f"{name}-S{number}" for number in chain)]
            for at in range(len(chain)):
                kind, label = ("breaker", f"B{i}") if at == 0 else ("sectionaliser", f"Q{i}")
                carried = sum(shares[number - 1] for number in chain[at:])
                size_a = next_size_a(1.3 * carried * rating_kva)
                switches.append(switch_row(f"{name}-{label}", nodes[at], nodes[at + 1], kind, size_a))
        ends[name] = sorted((chain[-1] for chain in chains(len(shares))), reverse=True)
    main_breaker = switch_row("SW-05", "FDR-C", "T-08", "breaker", np.nan)
    switches += [main_breaker | {"fault_make_ka": np.nan, "remote": True}]
    used = dict.fromkeys(TRANSFORMERS, 0)
    for link_id, (one, two, limit_kw, switch_id) in LINKS.items():
        sides = []
        for name in (one, two):
            sides.append(f"{name}-S{ends[name][used[name] % len(ends[name])]}")
            used[name] += 1
        tie = switch_row(switch_id or link_id, *sides, "tie", next_size_a(limit_kw) if switch_id else np.nan)
        tie["limit_kva"] = float(limit_kw)
        if switch_id:
            tie["phase_rotation_confirmed_on"] = PHASING_CONFIRMED_ON
        else:
            tie["fault_make_ka"] = np.nan
        switches.append(tie)
    switch_table = pd.DataFrame(switches)
    return {
        "substations": pd.DataFrame(
            {
                "substation_id": ["SS-01"],
                "name": ["Amman West"],
                "name_ar": ["غرب عمان"],
                "firm_kva": [np.nan],
                "lat": [31.9539],
                "lon": [35.9106],
            }
        ),
        "feeders": pd.DataFrame(
            {"feeder_id": list(FEEDERS), "substation_id": "SS-01", "voltage_kv": list(FEEDERS.values())}
        ).assign(limit_a=np.nan, pick_up_a=np.nan, fault_level_max_mva=np.nan, fault_level_min_mva=np.nan),
        "transformers": pd.DataFrame(
            {
                "transformer_id": list(TRANSFORMERS),
                "substation_id": "SS-01",
                "feeder_id": [unit[0] for unit in TRANSFORMERS.values()],
                "rating_kva": [float(unit[1]) for unit in TRANSFORMERS.values()],
                "cooling": [unit[2] for unit in TRANSFORMERS.values()],
                "paper": "normal",
                "enclosure": "outdoor",
                "customers": [round(CUSTOMERS_PER_KVA * unit[1]) for unit in TRANSFORMERS.values()],
            }
        ).assign(**dict.fromkeys(("vk_pct", "vkr_pct", "tap_pct", "limit_kva", "lat", "lon"), np.nan)),
        "sections": pd.DataFrame(sections),
        "switches": switch_table,
        "switch_states": pd.DataFrame(
            {
                "switch_id": switch_table["switch_id"],
                "time": LAST_READING.isoformat(),
                "state": switch_table["normal_state"],
                "health": "OK",
                "tags": "",
                "source": "manual",
            }
        ),
    }


def build() -> dict[str, pd.DataFrame]:
    """Build every file of the demo: path below the folder, without suffix, and its table."""
    files = {
        "load": load(),
        "weather": weather(LAST_READING - pd.Timedelta(hours=24 * DAYS - 1), LAST_READING, "AMM", HEAT_K),
    }
    return files | {f"network/{name}": table for name, table in network().items()}


def csv_text(table: pd.DataFrame) -> str:
    """Give a table as the text of its CSV file."""
    return table.to_csv(index=False, lineterminator="\n")


def main() -> None:
    """Write the demo."""
    parser = argparse.ArgumentParser(description="Build data/demo_seed.")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "demo_seed")
    out = parser.parse_args().out
    for name, table in build().items():
        path = out / f"{name}.csv"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(csv_text(table), encoding="utf-8")


if __name__ == "__main__":
    main()
