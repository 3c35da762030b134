"""Laws of moving sections: what is done can be undone, and a legal move keeps the network radial."""

from dataclasses import replace

import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from gridlib.domain.network import (
    apply_moves,
    check_network,
    closed_switches,
    current_states,
    feeding,
    feeding_tree,
    is_radial,
    parse_network,
    undo_moves,
)
from gridlib.facts.types import Move, Network


@st.composite
def radial_networks(draw: st.DrawFn) -> Network:
    """Trees of sections below two to four transformers, with ties between any two sections."""
    units = [f"T{i}" for i in range(draw(st.integers(2, 4)))]
    text, sections = [], []
    for unit in units:
        nodes = [f"{unit}(500)"]
        for i in range(draw(st.integers(1, 4))):
            name = f"{unit}s{i}"
            above = draw(st.sampled_from(nodes))
            text.append(f"{above} -{name}q- {name}")
            nodes.append(name)
            sections.append(name)
    ends = st.tuples(st.sampled_from(sections), st.sampled_from(sections)).filter(
        lambda pair: pair[0] != pair[1]
    )
    pairs = draw(st.lists(ends, min_size=1, max_size=4, unique_by=lambda pair: tuple(sorted(pair))))
    text += [f"{one} /tie{i}/ {other}" for i, (one, other) in enumerate(pairs)]
    return parse_network("; ".join(text))


def normal(network: Network) -> frozenset[str]:
    return closed_switches(current_states(network))


def legal_moves(network: Network, closed: frozenset[str]) -> list[Move]:
    """Every change-over of what hangs below a closed switch, over an open one to another transformer."""
    tree = feeding_tree(network, closed)
    place = {name: i for i, name in enumerate(tree.nodes)}
    units = list(network.transformers["transformer_id"])
    fed = {**feeding(network, closed), **dict(zip(units, units, strict=True))}
    moves = []
    for row in network.switches[~network.switches["switch_id"].isin(closed)].itertuples():
        for inside, outside in ((row.from_id, row.to_id), (row.to_id, row.from_id)):
            node = place[inside]
            while node >= tree.transformers:
                cut = str(tree.parent_switch[node])
                left = feeding(network, closed - {cut})
                gone = left.index[left.isna()]
                if fed[inside] != fed[outside] and outside not in gone:
                    moves.append(Move(cut, str(row.switch_id), tuple(gone), fed[inside], fed[outside]))
                node = int(tree.parent[node])
    return moves


@settings(max_examples=40)
@given(st.data())
def test_every_legal_move_keeps_the_network_radial_and_can_be_undone(data):
    network = data.draw(radial_networks())
    start = closed = normal(network)
    assert is_radial(network, closed)
    done: list[Move] = []
    for _ in range(3):
        moves = legal_moves(network, closed)
        if not moves:
            break
        move = data.draw(st.sampled_from(moves))
        before, after = closed, apply_moves(closed, [move])
        assert is_radial(network, after)
        assert undo_moves(after, [move]) == before
        changed = feeding(network, after) != feeding(network, before)
        assert set(changed.index[changed]) == set(move.sections)
        assert (feeding(network, after)[list(move.sections)] == move.to_transformer).all()
        done.append(move)
        closed = after
    assert undo_moves(closed, done) == start
    assert apply_moves(start, done) == closed


@settings(max_examples=40)
@given(st.data())
def test_closing_a_tie_alone_never_leaves_a_radial_network(data):
    network = data.draw(radial_networks())
    tie = data.draw(
        st.sampled_from(sorted(network.switches.loc[network.switches["kind"] == "tie", "switch_id"]))
    )
    assert not is_radial(network, normal(network) | {tie})


@settings(max_examples=40)
@given(st.data())
def test_generated_networks_are_sound_and_a_fault_stays_with_its_transformer(data):
    network = data.draw(radial_networks())
    assert set(check_network(network)["code"]) <= {"parallel_ties"}
    unit = data.draw(st.sampled_from(list(network.transformers["transformer_id"])))
    ring = network.switches[network.switches["from_id"] == unit].iloc[[0]].assign(switch_id="ring")
    faulty = replace(network, switches=pd.concat([network.switches, ring], ignore_index=True))
    before, after = feeding(network, normal(network)), feeding(faulty, normal(faulty))
    assert after[before == unit].isna().all()
    assert after[before != unit].equals(before[before != unit])
