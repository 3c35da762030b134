"""A study is the run's own computation under other circumstances."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridlib.domain.network import (
    closed_switches,
    current_states,
    cut_around,
    cut_out,
    feeding,
    nearby,
    parse_network,
)
from gridlib.domain.study import _chance_above
from gridlib.facts.types import Move

CHAIN = "T1(500) -b1- a /t1/ b -b2- T2(500) -b3- c /t2/ d -b4- T3(500) -b5- e /t3/ f -b6- T4(500)"


def test_what_lies_within_some_ties_is_near():
    network = parse_network(CHAIN)
    assert nearby(network, ["T1"], ties=0) == {"T1"}
    assert nearby(network, ["T1"], ties=2) == {"T1", "T2", "T3"}


def test_a_part_feeds_its_sections_as_the_whole_does():
    network = parse_network(CHAIN)
    whole = feeding(network, closed_switches(current_states(network)))
    part = cut_out(network, {"T2", "T3"})
    fed = feeding(part, closed_switches(current_states(part)))
    assert fed.to_dict() == {name: whole[name] for name in ("b", "c", "d", "e")}
    assert set(part.switches["switch_id"]) == {"b2", "b3", "t2", "b4", "b5"}


def test_both_sides_of_a_reserved_move_that_touches_the_neighbourhood_belong_to_it():
    links = " ".join(f"-b{k}- s{k} /t{k}/ r{k} -c{k}- T{k + 1}(500)" for k in range(1, 8))
    network = parse_network(f"T1(500) {links}")
    units = network.transformers
    network = replace(network, transformers=units.assign(substation_id="S" + units["transformer_id"]))

    def near(*reserved):
        return set(cut_around(network, ["T1"], reserved).transformers["transformer_id"])

    assert near() == {"T1", "T2", "T3", "T4", "T5"}
    assert near(Move("c5", "t5", ("r5",), "T6", "T5")) == near() | {"T6"}
    assert near(Move("c7", "t7", ("r7",), "T8", "T7")) == near()


@given(st.floats(100, 500), st.floats(0, 200), st.floats(0, 1), st.lists(st.floats(0.2, 3.0), min_size=2))
def test_more_load_never_means_less_chance_of_an_overload(median, spread, chance, factors):
    bound = 500.0
    found = [_chance_above(bound / f, median, median + spread, bound, chance) for f in sorted(factors)]
    assert all(a <= b + 1e-12 for a, b in pairwise(found))
    assert all(0 <= p <= 1 for p in found)
    same = _chance_above(bound, median, median + spread, bound, chance)
    assert same == pytest.approx(chance, abs=1e-12)


def test_the_chance_follows_a_normal_peak():
    upper = 400 + 1.2815515655446 * 50
    found = [_chance_above(kva, 400.0, upper, 475.0, 0.0668072) for kva in (400, 450, 500)]
    np.testing.assert_allclose(found, [0.5, 0.1586553, 0.0227501], rtol=1e-4)
