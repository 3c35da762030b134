"""Small networks written as text, for tests and examples."""

import re
from collections.abc import Sequence

import numpy as np
import pandas as pd

from gridlib.domain.network.topology import feeding
from gridlib.facts.errors import InputError
from gridlib.facts.types import Network

_NODE = re.compile(r"(?P<name>\w[\w.]*)(?:\((?P<rating>[\d.]+)\))?(?::(?P<share>[\d.]+))?")
_SWITCH = re.compile(r"(?P<mark>[-/])(?P<name>\w[\w.]*)(?::(?P<limit>[\d.]+))?(?P=mark)")


def parse_network(text: str) -> Network:
    """Build a small network from one line of text, for tests and examples.

    Parameters
    ----------
    text : str
        Chains of nodes and switches parted by blanks; ``;`` or a new line starts another chain, and a name
        used again is the same node. ``T1(500)`` is a transformer of 500 kVA, ``a`` or ``a:0.6`` a section
        with its share of the load (without: equal shares), ``-s1-`` a closed switch, ``/t1/`` or
        ``/t1:200/`` an open tie, with its limit in kVA.

    Returns
    -------
    Network
        Ten customers for each section; switches that break 630 A and make 25 kA, with the phase rotation
        confirmed; no reported switch states.

    Raises
    ------
    InputError
        A word that is neither node nor switch, or two of a kind in a row.

    Examples
    --------
    >>> net = parse_network("T1(500) -b1- a -s1- b /t1:200/ c -b2- T2(630)")
    >>> net.switches["kind"].tolist()
    ['breaker', 'sectionaliser', 'tie', 'breaker']
    """
    ratings: dict[str, float] = {}
    shares: dict[str, float] = {}
    switches: list[dict[str, object]] = []
    for chain in re.split(r"[;\n]", text):
        words = chain.split()
        for position, word in enumerate(words):
            match = (_SWITCH if position % 2 else _NODE).fullmatch(word)
            if match is None or (position % 2 and position + 1 == len(words)):
                wanted = "a switch between two nodes" if position % 2 else "a node"
                raise InputError(f"'{word}' in '{chain.strip()}': expected {wanted}")
            if position % 2:
                ends = [_NODE.fullmatch(words[position + step]) for step in (-1, 1)]
                switches.append(_parsed_switch(match, [end["name"] if end else "" for end in ends]))
            elif match["rating"]:
                ratings[match["name"]] = float(match["rating"])
            elif match["share"] or match["name"] not in shares | ratings:
                shares[match["name"]] = float(match["share"] or np.nan)
    return _parsed_network(ratings, shares, switches)


def _parsed_switch(match: re.Match[str], ends: Sequence[str]) -> dict[str, object]:
    return {
        "switch_id": match["name"],
        "from_id": ends[0],
        "to_id": ends[1],
        "kind": "tie" if match["mark"] == "/" else "sectionaliser",
        "normal_state": "OPEN" if match["mark"] == "/" else "CLOSED",
        "load_break_a": 630.0,
        "fault_make_ka": 25.0,
        "remote": False,
        "limit_kva": float(match["limit"] or np.nan),
        "phase_rotation_confirmed_on": "2026-01-01",
        "may_parallel": False,
        "pick_up_a": np.nan,
    }


def _parsed_network(
    ratings: dict[str, float], shares: dict[str, float], switches: list[dict[str, object]]
) -> Network:
    for switch in switches:
        if switch["kind"] == "sectionaliser" and (switch["from_id"] in ratings or switch["to_id"] in ratings):
            switch["kind"] = "breaker"
        if switch["to_id"] in ratings:
            switch["from_id"], switch["to_id"] = switch["to_id"], switch["from_id"]
    n = len(ratings)
    transformers = pd.DataFrame(
        {
            "transformer_id": list(ratings),
            "substation_id": ["S1"] * n,
            "feeder_id": ["F1"] * n,
            "rating_kva": list(ratings.values()),
            "cooling": ["ONAN"] * n,
            "paper": ["normal"] * n,
            "enclosure": ["outdoor"] * n,
            "customers": np.full(n, np.nan),
        }
    )
    transformers[["vk_pct", "vkr_pct", "tap_pct", "limit_kva", "lat", "lon"]] = np.nan
    sections = pd.DataFrame(
        {
            "section_id": list(shares),
            "transformer_id": [""] * len(shares),
            "customers": [10.0] * len(shares),
            "share": list(shares.values()),
            "method": ["kva_share"] * len(shares),
            "spread_pct": [0.0] * len(shares),
            "critical_customers": pd.Series([None] * len(shares), dtype=object),
        }
    )
    columns = ["switch_id", "from_id", "to_id", "kind", "normal_state", "load_break_a", "fault_make_ka"]
    columns += ["remote", "limit_kva", "phase_rotation_confirmed_on", "may_parallel", "pick_up_a"]
    time = pd.Series([], dtype="datetime64[ns, UTC]")
    texts = {name: pd.Series([], dtype=object) for name in ("switch_id", "state", "health", "tags", "source")}
    lines = {name: pd.Series([], dtype=object) for name in ("line_id", "from_id", "to_id")}
    ohms = {name: pd.Series([], dtype=float) for name in ("r_ohm", "x_ohm", "length_km", "limit_a")}
    network = Network(
        substations=pd.DataFrame(
            {"substation_id": ["S1"], "name": ["S1"], "name_ar": ["S1"], "lat": [np.nan], "lon": [np.nan]}
        ),
        feeders=pd.DataFrame(
            {"feeder_id": ["F1"], "substation_id": ["S1"], "voltage_kv": [11.0], "limit_a": [400.0]}
        ).assign(pick_up_a=np.nan, fault_level_max_mva=np.nan, fault_level_min_mva=np.nan),
        transformers=transformers,
        sections=sections,
        switches=pd.DataFrame(switches, columns=columns),
        states=pd.DataFrame({"switch_id": texts["switch_id"], "time": time, **texts}),
        lines=pd.DataFrame({**lines, **ohms}),
    )
    normal = [str(switch["switch_id"]) for switch in switches if switch["normal_state"] == "CLOSED"]
    sections["transformer_id"] = (
        feeding(network, normal).fillna("").reindex(sections["section_id"]).to_numpy()
    )
    equal = 1.0 / sections.groupby("transformer_id")["section_id"].transform("size")
    sections["share"] = sections["share"].fillna(equal)
    return network
