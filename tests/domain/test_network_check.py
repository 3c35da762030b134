"""Each fault of the tables is a finding of its own, and nobody else's supply changes with it."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from gridlib.domain.network import check_network, closed_switches, current_states, feeding, parse_network
from gridlib.facts.frames import FindingFrame, check_frame
from gridlib.facts.types import Network

FLEET = "T1(500) -b1- a:0.5 -s1- b:0.5 /t1/ c -b2- T2(630); T3(400) -b3- d -s3- e"


def found(network: Network) -> dict[str, str]:
    """Findings as {object: code}; a test that expects two for one object asks for the frame."""
    frame = check_frame(FindingFrame, check_network(network))
    assert not frame["object_id"].duplicated().any()
    return dict(zip(frame["object_id"], frame["code"], strict=True))


def message(network: Network, name: str) -> str:
    frame = check_network(network).set_index("object_id")
    return str(frame.at[name, "message"])


def with_cell(network: Network, table: str, name: str, column: str, value: object) -> Network:
    frame = getattr(network, table).copy()
    frame[column] = frame[column].astype(object)
    frame.loc[frame.iloc[:, 0] == name, column] = value
    return replace(network, **{table: frame})


def with_switch(network: Network, like: str, **cells: object) -> Network:
    row = network.switches[network.switches["switch_id"] == like].assign(**cells)
    return replace(network, switches=pd.concat([network.switches, row], ignore_index=True))


def with_line(**cells: object) -> Network:
    facts = {"line_id": "L1", "from_id": "S1", "to_id": "T1", "r_ohm": 0.2, "x_ohm": 0.1, "length_km": 1.0}
    return replace(parse_network(FLEET), lines=pd.DataFrame([{**facts, "limit_a": 400.0, **cells}]))


def with_states(network: Network, *rows: tuple[str, object]) -> Network:
    times = pd.date_range("2026-08-01", periods=len(rows), freq="h", tz="UTC").as_unit("ns")
    states = pd.DataFrame(rows, columns=["switch_id", "state"], dtype=object)
    states = states.assign(time=times, health="OK", tags="", source="manual")
    return replace(network, states=states[network.states.columns])


def rest_is_fed(network: Network, *left_out: str) -> None:
    """What was not touched is fed as before."""
    sound = parse_network(FLEET)
    before = feeding(sound, closed_switches(current_states(sound))).drop(list(left_out))
    after = feeding(network, closed_switches(current_states(network)))
    assert after[before.index].equals(before)


def test_a_sound_network_has_no_finding():
    assert found(parse_network(FLEET)) == {}
    assert found(with_line()) == {}


@pytest.mark.parametrize(
    ("kva", "said"), [(np.nan, "no rating"), (0.0, "a rating of 0 kVA"), (-5.0, "-5 kVA"), (np.inf, "inf")]
)
def test_zero_or_missing_rating(kva, said):
    network = with_cell(parse_network(FLEET), "transformers", "T1", "rating_kva", kva)
    assert found(network) == {"T1": "missing_rating"}
    assert said in message(network, "T1")
    rest_is_fed(network)


@pytest.mark.parametrize(
    ("cells", "said"),
    [
        ({"vk_pct": 0.0}, "vk_pct of 0"),
        ({"vk_pct": 0.06}, "expected 1 to 30 %"),
        ({"vk_pct": -4.0}, "vk_pct of -4"),
        ({"vk_pct": 4.0, "vkr_pct": 4.5}, "vkr_pct of 4.5"),
        ({"vk_pct": 4.0, "vkr_pct": -1.0}, "vkr_pct of -1"),
    ],
)
def test_impossible_impedance_of_a_transformer(cells, said):
    network = parse_network(FLEET)
    for column, value in cells.items():
        network = with_cell(network, "transformers", "T2", column, value)
    assert found(network) == {"T2": "impossible_impedance"}
    assert said in message(network, "T2")


def test_usual_impedances_are_no_finding():
    network = with_cell(parse_network(FLEET), "transformers", "T1", "vk_pct", 4.0)
    assert found(with_cell(network, "transformers", "T1", "vkr_pct", 1.1)) == {}
    assert found(with_line(r_ohm=np.nan, x_ohm=np.nan)) == {}
    assert found(with_line(r_ohm=0.0, x_ohm=0.0, length_km=0.0)) == {}


@pytest.mark.parametrize(
    ("cells", "said"),
    [
        ({"r_ohm": -0.1}, "negative"),
        ({"x_ohm": -0.1}, "negative"),
        ({"r_ohm": 0.0, "x_ohm": 0.0, "length_km": np.nan}, "no impedance"),
        ({"r_ohm": 200.0}, "200 ohm/km"),
        ({"length_km": 800.0}, "0.00025 ohm/km"),
    ],
)
def test_impossible_impedance_of_a_line(cells, said):
    network = with_line(**cells)
    assert found(network) == {"L1": "impossible_impedance"}
    assert said in message(network, "L1")


def test_a_tie_to_itself_joins_nothing():
    network = with_cell(parse_network(FLEET), "switches", "t1", "to_id", "b")
    assert found(network) == {"t1": "self_tie"}
    rest_is_fed(network)


def test_of_two_switches_with_one_id_the_first_counts():
    network = with_switch(parse_network(FLEET), "s3", from_id="a", to_id="c")
    assert found(network) == {"s3": "duplicate_id"}
    rest_is_fed(network)


def test_one_name_for_a_switch_and_a_section():
    assert found(with_switch(parse_network(FLEET), "t1", switch_id="e", from_id="a")) == {"e": "duplicate_id"}


def test_a_section_that_no_switch_could_feed_is_an_island():
    network = parse_network(FLEET)
    lone = network.sections[network.sections["section_id"] == "e"].assign(section_id="far", share=0.0)
    network = replace(network, sections=pd.concat([network.sections, lone], ignore_index=True))
    assert found(network) == {"far": "island"}
    rest_is_fed(network)


def test_a_section_cut_off_now_is_unfed_and_no_island():
    network = with_cell(parse_network(FLEET), "switches", "s3", "normal_state", "OPEN")
    assert found(network) == {"e": "unfed_section"}
    rest_is_fed(network, "e")


def test_the_second_of_parallel_ties_is_named_whichever_way_it_runs():
    network = with_switch(parse_network(FLEET), "t1", switch_id="t2", from_id="c", to_id="b")
    assert found(network) == {"t2": "parallel_ties"}
    assert "t1" in message(network, "t2")


def test_a_loop_in_the_normal_state_names_its_transformers_alone():
    network = with_cell(parse_network(FLEET), "switches", "t1", "normal_state", "CLOSED")
    assert found(network) == {"T1": "loop", "T2": "loop"}
    rest_is_fed(network, "a", "b", "c")


def test_a_normal_loop_that_is_open_now_is_told_apart():
    network = with_cell(parse_network(FLEET), "switches", "t1", "normal_state", "CLOSED")
    states = [("t1", "OPEN"), *((name, "CLOSED") for name in ("b1", "s1", "b2", "b3", "s3"))]
    network = with_states(network, *states)
    assert found(network) == {"T1": "normal_loop", "T2": "normal_loop"}
    rest_is_fed(network)


def test_a_section_on_another_transformer_than_its_switches_say():
    network = with_cell(parse_network(FLEET), "sections", "e", "transformer_id", "T2")
    codes = check_network(network).set_index("object_id")["code"]
    assert codes["e"] == "wrong_transformer"
    assert "T3 feeds it" in message(network, "e")


def test_a_switch_never_reported_among_reported_ones_is_of_unknown_state():
    network = with_states(
        parse_network(FLEET), *((name, "CLOSED") for name in ("b1", "s1", "b2", "b3")), ("t1", "OPEN")
    )
    assert found(network) == {"s3": "unknown_state"}
    assert "CLOSED, is assumed" in message(network, "s3")
    rest_is_fed(network)


def test_a_position_that_is_none_is_taken_for_open():
    network = with_cell(parse_network(FLEET), "switches", "s3", "normal_state", "AJAR")
    assert found(network) == {"s3": "unknown_state", "e": "unfed_section"}
    assert "'AJAR'" in message(network, "s3")
    rest_is_fed(network, "e")
