"""What feeds what, which ties could help, where the load is, and what is wrong with the tables."""

from dataclasses import replace

import networkx as nx
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridlib.domain.network import (
    apply_moves,
    branches,
    check_network,
    closed_switches,
    current_states,
    feeding,
    normal_load_kva,
    parse_network,
    section_load_kva,
    transformer_load_kva,
    undo_moves,
    usable_ties,
)
from gridlib.facts.errors import InputError
from gridlib.facts.frames import NETWORK_TABLES, FindingFrame, check_frame
from gridlib.facts.types import Move, Network

PAIR = "T1(500) -b1- a:0.5 -s1- b:0.3 /t1:200/ c:1 -b2- T2(630)"
TIMES = pd.date_range("2026-08-12", periods=3, freq="h", tz="UTC")


def with_states(network: Network, *rows: tuple[str, str, str, str]) -> Network:
    """Report states: (switch_id, state, health, tags), each an hour after the one before."""
    times = pd.date_range("2026-08-01", periods=len(rows), freq="h", tz="UTC").as_unit("ns")
    table = pd.DataFrame(rows, columns=["switch_id", "state", "health", "tags"], dtype=object)
    return replace(network, states=table.assign(time=times, source="manual")[network.states.columns])


def normal(network: Network) -> frozenset[str]:
    return closed_switches(current_states(network))


def loads(network: Network, *levels: float) -> pd.DataFrame:
    ids = network.transformers["transformer_id"]
    return pd.DataFrame(np.outer([1.0, 2.0, -0.5], levels), index=TIMES, columns=ids)


def codes(network: Network) -> set[tuple[str, str]]:
    found = check_network(network)
    check_frame(FindingFrame, found)
    return set(zip(found["object_id"], found["code"], strict=True))


def test_text_networks_fit_the_tables():
    network = parse_network(PAIR)
    for name, model in NETWORK_TABLES.items():
        check_frame(model, network.states if name == "switch_states" else getattr(network, name))
    assert codes(network) == set()


@pytest.mark.parametrize("text", ["T1(500) -b1-", "T1(500) a", "-b1- a", "T1(500) =b1= a"])
def test_text_that_is_no_chain_is_refused(text):
    with pytest.raises(InputError):
        parse_network(text)


def test_switch_without_report_is_assumed_normal_and_says_so():
    states = current_states(parse_network(PAIR))
    assert list(states["source"]) == ["assumed"] * 4
    assert states.loc["t1", "state"] == "OPEN"
    assert states.loc["b1", "state"] == "CLOSED"
    assert states["time"].isna().all()


def test_newest_report_of_a_switch_counts():
    network = with_states(parse_network(PAIR), ("s1", "OPEN", "FAULT", ""), ("s1", "CLOSED", "OK", "TAGGED"))
    network = replace(network, states=network.states.iloc[::-1])
    assert current_states(network).loc["s1", ["state", "health", "tags"]].tolist() == [
        "CLOSED",
        "OK",
        "TAGGED",
    ]


def test_sections_follow_the_switches():
    network = parse_network(PAIR)
    assert feeding(network, {"b1", "s1", "b2"}).to_dict() == {"a": "T1", "b": "T1", "c": "T2"}
    assert feeding(network, {"b1", "t1", "b2"}).to_dict() == {"a": "T1", "b": "T2", "c": "T2"}
    assert feeding(network, {"b1", "b2"}).to_dict() == {"a": "T1", "b": None, "c": "T2"}


def test_two_sources_or_a_ring_leave_only_their_own_component_out():
    text = PAIR + "; T3(400) -b3- d -b4- e -b5- T3; T4(400) -b6- f"
    network = parse_network(text)
    both = feeding(network, {"b1", "s1", "t1", "b2", "b6"})
    assert both[["a", "b", "c"]].isna().all()
    assert both["f"] == "T4"
    ring = feeding(network, {"b1", "s1", "b2", "b3", "b4", "b5", "b6"})
    assert ring[["d", "e"]].isna().all()
    assert ring[["a", "c", "f"]].tolist() == ["T1", "T2", "T4"]
    assert {("T3", "loop")} == codes(network) & {(name, "loop") for name in ("T1", "T2", "T3", "T4")}


def test_feeder_breaker_feeds_no_section():
    network = parse_network(PAIR)
    head = network.switches.iloc[[0]].assign(switch_id="f1", from_id="F1", to_id="T1")
    with_head = replace(network, switches=pd.concat([network.switches, head], ignore_index=True))
    assert codes(with_head) == set()
    assert feeding(with_head, normal(with_head)).equals(feeding(network, normal(network)))
    assert "f1" in current_states(with_head).index


def test_branch_is_what_hangs_below_one_switch_at_the_transformer():
    network = parse_network("T1(500) -b1- a -s1- b -s2- c; T1 -b2- d")
    found = branches(network, normal(network)).set_index("section_id")["branch_id"]
    assert found.to_dict() == {"a": "b1", "b": "b1", "c": "b1", "d": "b2"}


def test_tie_is_listed_once_for_each_direction_with_its_limit():
    ties = usable_ties(parse_network(PAIR), current_states(parse_network(PAIR)))
    rows = ties.set_index("transformer_id")
    assert rows.loc["T1", ["branch_id", "neighbour_branch_id", "neighbour_id"]].tolist() == ["b1", "b2", "T2"]
    assert rows.loc["T2", ["branch_id", "neighbour_branch_id", "neighbour_id"]].tolist() == ["b2", "b1", "T1"]
    assert ties["limit_kva"].tolist() == [200, 200]


@pytest.mark.parametrize(
    ("health", "tags"), [("FAULT", ""), ("MAINTENANCE", ""), ("OK", "EARTHED"), ("OK", "PERMIT TAGGED")]
)
def test_tie_that_may_not_be_operated_is_not_usable(health, tags):
    network = with_states(parse_network(PAIR), ("t1", "OPEN", health, tags))
    assert usable_ties(network, current_states(network)).empty


def test_tie_within_one_transformer_is_not_usable():
    network = parse_network("T1(500) -b1- a /t1/ b -b2- T1")
    assert usable_ties(network, current_states(network)).empty


def test_load_moves_with_its_section_and_the_rest_stays():
    network = parse_network(PAIR)
    load = loads(network, 100.0, 300.0)
    assert section_load_kva(network, load).loc[TIMES[1]].to_dict() == {"a": 100, "b": 60, "c": 600}
    moved = transformer_load_kva(network, load, {"b1", "t1", "b2"})
    assert moved.loc[TIMES[1]].to_dict() == {"T1": 140, "T2": 660}
    assert transformer_load_kva(network, load, {"b1", "b2"}).loc[TIMES[1]].to_dict() == {"T1": 140, "T2": 600}


def test_load_is_bit_identical_in_the_normal_state():
    network = parse_network(PAIR)
    load = loads(network, 1 / 3, 2 / 7)
    pd.testing.assert_frame_equal(
        transformer_load_kva(network, load, normal(network)), load, check_exact=True
    )


def test_moves_are_undone_in_reverse_order():
    network = parse_network(PAIR)
    moves = (Move("s1", "t1", ("b",), "T1", "T2"), Move("t1", "s1", ("b",), "T2", "T1"))
    for done in (moves[:1], moves):
        assert undo_moves(apply_moves(normal(network), done), done) == normal(network)
    assert apply_moves(normal(network), moves[:1]) == {"b1", "t1", "b2"}


def test_each_fault_in_the_tables_is_found_and_named():
    network = parse_network(PAIR + "; T3(400) -b3- d; T4(0.1) -b4- e:0")
    switches = network.switches.set_index("switch_id", drop=False)
    switches.loc["b1", "to_id"] = "nowhere"
    switches.loc["t1", "to_id"] = switches.loc["t1", "from_id"]
    transformers = network.transformers.copy()
    transformers.loc[transformers["transformer_id"] == "T3", "rating_kva"] = np.nan
    sections = network.sections.copy()
    sections.loc[sections["section_id"] == "c", "share"] = 0.6
    extra = sections[sections["section_id"] == "c"].assign(section_id="c2")
    orphan = extra.assign(section_id="o", transformer_id="T9")
    broken = replace(
        network,
        switches=pd.concat([switches, switches.loc[["b2"]]], ignore_index=True),
        transformers=transformers,
        sections=pd.concat([sections, extra, orphan], ignore_index=True),
    )
    assert codes(broken) == {
        ("b1", "unknown_end"),
        ("t1", "self_tie"),
        ("b2", "duplicate_id"),
        ("T3", "missing_rating"),
        ("T2", "shares_not_one"),
        ("T4", "shares_not_one"),
        ("o", "unknown_transformer"),
        *((name, "island") for name in ("a", "b", "c2", "o")),
    }
    assert feeding(broken, normal(broken))[["c", "d"]].tolist() == ["T2", "T3"]


@given(st.data())
def test_feeding_agrees_with_a_plain_graph_search(data):
    n = data.draw(st.integers(1, 4))
    names = [f"T{i}" for i in range(n)] + [f"s{i}" for i in range(data.draw(st.integers(1, 8)))]
    network = parse_network("T0(100)")
    template = parse_network(PAIR).switches.iloc[[1]]
    ends = data.draw(
        st.lists(st.tuples(st.sampled_from(names), st.sampled_from(names[n:])), min_size=1, max_size=12)
    )
    network = replace(
        network,
        transformers=pd.concat([network.transformers] * n).assign(transformer_id=names[:n]),
        sections=pd.DataFrame({"section_id": names[n:], "transformer_id": names[0], "share": 0.0}),
        switches=pd.concat([template] * len(ends)).assign(
            switch_id=[f"w{i}" for i in range(len(ends))],
            from_id=[end[0] for end in ends],
            to_id=[end[1] for end in ends],
        ),
    )
    closed = data.draw(st.sets(st.sampled_from(list(network.switches["switch_id"]))))
    graph = nx.MultiGraph()
    graph.add_nodes_from(names)
    graph.add_edges_from(end for i, end in enumerate(ends) if f"w{i}" in closed and end[0] != end[1])
    expected = {}
    for part in nx.connected_components(graph):
        sources = part & set(names[:n])
        radial = len(sources) == 1 and graph.subgraph(part).number_of_edges() == len(part) - 1
        expected |= {name: min(sources) if radial else None for name in part - set(names[:n])}
    assert feeding(network, closed).to_dict() == expected


# From carried loads back to normal running

CHAIN = "T1(500) -b1- a:0.5 -s1- b:0.3 /t1/ c:0.6 -b2- T2(630) -b3- d:0.4 /t2/ e -b4- T3(400); T4(400) -b5- f"
AFTER_TWO = {"b1", "t1", "b2", "t2", "b4", "b5"}
"""b went from T1 to T2, and d from T2 to T3; T4 has nothing to do with it."""


def test_normal_load_is_what_was_carried_with_every_section_back_home():
    network = parse_network(CHAIN)
    carried = pd.DataFrame({"T1": [350.0], "T2": [390.0], "T3": [260.0], "T4": [1 / 3]}, index=TIMES[:1])
    # T1 has 350 / 0.7 = 500, so 150 are b; T2 has (390 - 150) / 0.6 = 400, so 160 are d; 100 is T3's own.
    found = normal_load_kva(network, carried, AFTER_TWO)
    assert found.loc[TIMES[0]].tolist() == pytest.approx([500, 400, 100, 1 / 3])
    assert found["T4"].equals(carried["T4"])


def test_normal_load_in_the_normal_state_is_untouched_to_the_bit():
    network = parse_network(CHAIN)
    carried = loads(network, 1 / 3, np.nan, 2 / 7, 0.1)
    pd.testing.assert_frame_equal(
        normal_load_kva(network, carried, normal(network)), carried, check_exact=True
    )


@pytest.mark.parametrize(
    ("missing", "unknown"), [("T1", ["T1", "T2", "T3"]), ("T2", ["T2", "T3"]), ("T3", ["T3"]), ("T4", ["T4"])]
)
def test_unknown_load_spreads_only_to_those_that_took_sections_over(missing, unknown):
    network = parse_network(CHAIN)
    levels = loads(network, 500.0, 400.0, 100.0, 50.0)
    carried = transformer_load_kva(network, levels, AFTER_TWO)
    carried.loc[TIMES[1], missing] = np.nan
    found = normal_load_kva(network, carried, AFTER_TWO)
    assert found.columns[found.loc[TIMES[1]].isna()].tolist() == unknown
    known = found.columns.difference(unknown)
    np.testing.assert_allclose(found.loc[TIMES[1], known], levels.loc[TIMES[1], known])
    np.testing.assert_allclose(found.drop(TIMES[1]), levels.drop(TIMES[1]))
    without = normal_load_kva(network, carried.drop(columns=missing), AFTER_TWO)
    assert without.columns[without.loc[TIMES[0]].isna()].tolist() == [n for n in unknown if n != missing]


def test_a_donor_that_gave_everything_away_cannot_be_told_nor_can_its_receiver():
    network = parse_network("T1(500) -b1- a /t1/ c -b2- T2(630); T3(400) -b3- d:0.5 /t2/ c")
    levels = loads(network, 500.0, 300.0, 200.0)
    closed = {"t1", "b2", "t2"}
    found = normal_load_kva(network, transformer_load_kva(network, levels, closed), closed)
    assert found[["T1", "T2"]].isna().all(axis=None)
    np.testing.assert_allclose(found["T3"], levels["T3"])


def test_a_section_without_supply_is_given_back_to_its_transformer():
    network = parse_network(CHAIN)
    levels = loads(network, 500.0, 400.0, 100.0, 50.0)
    dark = {"b1", "b2", "b3", "b4", "b5"}
    found = normal_load_kva(network, transformer_load_kva(network, levels, dark), dark)
    np.testing.assert_allclose(found, levels)


@given(st.data())
def test_carrying_there_and_back_is_the_identity_in_every_switch_state(data):
    network = parse_network(
        "T1(500) -b1- a:0.3 -s1- b:0.3 /t1/ c:0.4 -b2- T2(630) -b3- d:0.4 /t2/ e:0.5 -b4- T3(400); a /t3/ e"
    )
    closed = data.draw(st.sets(st.sampled_from(list(network.switches["switch_id"]))))
    levels = data.draw(st.lists(st.floats(-500, 900), min_size=3, max_size=3))
    load = loads(network, *levels)
    carried = transformer_load_kva(network, load, closed)
    np.testing.assert_allclose(normal_load_kva(network, carried, closed), load, rtol=1e-9, atol=1e-9)
