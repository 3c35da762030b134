"""Load transfers at array level: against enumeration of all radial states, and laws of every plan."""

from itertools import combinations, pairwise

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gridlib.domain.transfer import (
    PROVEN,
    evaluate,
    greedy_transfers,
    section_grid,
    single_transfers,
    solve_transfers,
)
from gridlib.domain.transfer import master as master_module
from gridlib.domain.transfer import options as options_module

LAW = settings(
    max_examples=60,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@st.composite
def small_grids(draw, lowest_kva=5, fixed=False):
    """Two to four transformers with a few sections and ties of any kind, parallel ties included."""
    n = draw(st.integers(2, 4))
    start, end, closed, ends = [], [], [], []
    sections = 0
    for unit in range(n):
        for _ in range(draw(st.integers(1, 2))):
            up = unit
            for _ in range(draw(st.integers(1, 2))):
                if sections == 6:
                    break
                node = n + sections
                sections += 1
                start.append(up)
                end.append(node)
                closed.append(True)
                ends.append(node)
                up = node
    for _ in range(draw(st.integers(2, 4))):
        one = draw(st.sampled_from(ends))
        other = draw(st.sampled_from([*ends, *range(n)]).filter(lambda node, one=one: node != one))
        start.append(one)
        end.append(other)
        closed.append(False)
    scenarios, hours = draw(st.integers(1, 3)), draw(st.integers(1, 3))
    count = scenarios * sections * hours
    load = draw(st.lists(st.integers(lowest_kva, 60), min_size=count, max_size=count))
    limit = draw(st.lists(st.sampled_from([50, 80, 120, 200, 300]), min_size=n, max_size=n))
    lines = draw(st.lists(st.sampled_from([60, 120, 400, 400]), min_size=len(start), max_size=len(start)))
    stuck = draw(st.lists(st.booleans(), min_size=len(start), max_size=len(start))) if fixed else False
    weight = draw(st.lists(st.sampled_from([1.0, 2.0]), min_size=n, max_size=n))
    cost = draw(st.sampled_from([0.0, 0.5, 3.0]))
    return section_grid(
        start,
        end,
        np.array(lines, dtype=float),
        closed,
        np.array(load, dtype=float).reshape(scenarios, sections, hours),
        np.array(limit, dtype=float),
        fixed=stuck,
        cost_kvah=cost,
        weight=weight,
    )


def radial_states(grid):
    """All switch states that feed every section from one transformer, by union of ends."""
    free = [e for e in range(len(grid.start)) if not grid.fixed[e]]
    held = [e for e in range(len(grid.start)) if grid.fixed[e] and grid.closed[e]]
    for some in combinations(free, grid.sections - len(held)):
        closed = [*held, *some]
        leader = list(range(grid.nodes))

        def top(node, leader=leader):
            while leader[node] != node:
                node = leader[node]
            return node

        for e in closed:
            one, other = top(int(grid.start[e])), top(int(grid.end[e]))
            if one == other or (one < grid.transformers and other < grid.transformers):
                break
            leader[max(one, other)] = min(one, other)
        else:
            state = np.zeros(len(grid.start), dtype=bool)
            state[closed] = True
            yield state


def judged(grid, state):
    """Loads of transformers [n, T] and flows of switches [E, T], by following every section to its source."""
    load = np.moveaxis(grid.load_kva, 1, 0).reshape(grid.sections, -1)
    units = np.zeros((grid.transformers, load.shape[1]))
    lines = np.zeros((len(grid.start), load.shape[1]))
    above = dict.fromkeys(range(grid.transformers))
    while len(above) < grid.nodes:
        for e in np.flatnonzero(state):
            one, other = int(grid.start[e]), int(grid.end[e])
            if (one in above) != (other in above):
                child, parent = (other, one) if one in above else (one, other)
                above[child] = (parent, e)
    for section in range(grid.sections):
        node = section + grid.transformers
        while above[node] is not None:
            parent, e = above[node]
            lines[e] += load[section]
            node = parent
        units[node] += load[section]
    return units, lines


def objective_of(grid, units, state):
    limit = np.tile(grid.limit_kva, (1, len(grid.scenario_weight)))
    hours = np.repeat(grid.scenario_weight, grid.load_kva.shape[2])
    over = np.maximum(np.abs(units) - limit, 0) @ hours
    return float(over @ grid.weight + grid.cost_kvah[state != grid.closed].sum())


def best_by_enumeration(grid, most_operations=None):
    """Lowest objective among all radial states that harm nobody."""
    limit = np.tile(grid.limit_kva, (1, len(grid.scenario_weight)))
    units0, lines0 = judged(grid, grid.closed)
    over0 = np.maximum(np.abs(units0) - limit, 0)
    room = np.maximum(grid.line_kva[:, None], np.abs(lines0))
    best = np.inf
    for state in radial_states(grid):
        if most_operations is not None and (state != grid.closed).sum() > most_operations:
            continue
        units, lines = judged(grid, state)
        if (np.maximum(np.abs(units) - limit, 0) > over0 + 1e-6).any():
            continue
        if (np.abs(lines) > room + 1e-6).any():
            continue
        best = min(best, objective_of(grid, units, state))
    return best


def check_laws(grid, result):
    """Every plan: radial, all fed, no line over, nobody worse, claimed = evaluated, bound below."""
    done = result.evaluation
    assert done.radial
    assert done.fed
    assert done.holds
    assert not (result.closed != grid.closed)[grid.fixed].any()
    claimed = sum(group.plans[-1].objective_kvah for group in result.groups)
    touched = sum(group.base_kvah for group in result.groups)
    before = evaluate(grid, grid.closed).objective_kvah
    assert done.objective_kvah == pytest.approx(claimed + before - touched, rel=1e-3, abs=1e-6)
    for group in result.groups:
        for plan in group.plans:
            assert plan.bound_kvah <= plan.objective_kvah
            assert plan.objective_kvah <= group.base_kvah + 1e-6
            if plan.most_operations is not None:
                assert plan.operations <= plan.most_operations
        values = [plan.objective_kvah for plan in group.plans]
        assert all(later <= earlier + 1e-6 for earlier, later in pairwise(values))


@pytest.fixture(params=["listed", "priced", "joint"])
def way(request, monkeypatch):
    """All three ways to the optimum: everything at once, column generation, rows for each hour."""
    if request.param != "listed":
        monkeypatch.setattr(master_module, "LISTED_AT_ONCE", 1)
        monkeypatch.setattr(master_module, "PRICED_IN", 2)
    if request.param == "joint":
        monkeypatch.setattr(options_module, "MOST_OPTIONS", 0)


@LAW
@given(grid=small_grids())
def test_the_optimum_is_that_of_enumeration(way, grid):
    result = solve_transfers(grid, hops=None)
    check_laws(grid, result)
    assert result.evaluation.objective_kvah == pytest.approx(best_by_enumeration(grid), abs=1e-5)
    assert all(plan.standing == PROVEN for group in result.groups for plan in group.plans)


@LAW
@given(grid=small_grids(lowest_kva=-40, fixed=True))
def test_also_with_export_and_switches_that_must_not_move(way, grid):
    result = solve_transfers(grid, hops=None)
    check_laws(grid, result)
    assert result.evaluation.objective_kvah == pytest.approx(best_by_enumeration(grid), abs=1e-5)


@LAW
@given(grid=small_grids())
def test_each_number_of_operations_has_its_own_optimum(grid):
    result = solve_transfers(grid, hops=None, operations=(2, 4))
    check_laws(grid, result)
    if len(result.groups) == 1:
        rest = evaluate(grid, grid.closed).objective_kvah - result.groups[0].base_kvah
        for plan in result.groups[0].plans:
            best = best_by_enumeration(grid, plan.most_operations)
            assert plan.objective_kvah + rest == pytest.approx(best, abs=1e-5)


@LAW
@given(grid=small_grids(lowest_kva=-20, fixed=True))
def test_greedy_harms_nobody_and_is_never_better_than_exact(grid):
    exact = solve_transfers(grid, hops=None)
    greedy = evaluate(grid, greedy_transfers(grid, hops=None))
    assert greedy.holds
    assert exact.evaluation.objective_kvah <= greedy.objective_kvah + 1e-6


@LAW
@given(grid=small_grids(lowest_kva=-20))
def test_what_forbids_a_single_transfer_is_what_its_execution_shows(grid):
    donors = np.arange(grid.transformers)
    found = single_transfers(grid, donors)
    for k in range(len(found.donor)):
        state = grid.closed.copy()
        state[found.opens[k]], state[found.closes[k]] = False, True
        done = evaluate(grid, state)
        assert done.radial
        assert done.fed
        assert done.holds == (found.element[k] < 0)
        before = evaluate(grid, grid.closed).objective_kvah
        assert found.gain_kvah[k] == pytest.approx(before - done.objective_kvah, abs=1e-6)
        if found.element[k] >= 0 and not found.by_line[k]:
            load = done.load_kva[found.scenario[k], found.element[k], found.hour[k]]
            limit = grid.limit_kva[found.element[k], found.hour[k]]
            assert abs(load) - limit >= found.missing_kva[k] - 1e-6


# Ways that a proof has refused.


def test_a_barred_way_is_not_taken_nor_more_over_it_but_less_is():
    # T0 feeds 2-3-4; 4 is tied to T1 over switch 4. All of it, or 3 and 4, would relieve more than 4 alone.
    start, end, closed = [0, 2, 3, 1, 5], [2, 3, 4, 5, 4], [True, True, True, True, False]
    load = [[50.0], [40.0], [30.0], [10.0]]
    plain = section_grid(start, end, np.inf, closed, load, [60.0, 100.0])
    best = solve_transfers(plain, hops=None)
    assert best.closed.tolist() == [True, False, True, True, True]
    barred = section_grid(start, end, np.inf, closed, load, [60.0, 100.0], barred=[(4, frozenset({3, 4}))])
    less = solve_transfers(barred, hops=None)
    assert less.closed.tolist() == [True, True, False, True, True]
    assert less.evaluation.over_kvah == pytest.approx(30.0)
    assert [single_transfers(grid, np.array([0])).opens.tolist() for grid in (plain, barred)] == [
        [2, 1, 0],
        [2],
    ]
    none = section_grid(start, end, np.inf, closed, load, [60.0, 100.0], barred=[(4, frozenset({4}))])
    assert solve_transfers(none, hops=None).closed.tolist() == closed
