"""Load transfers at array level: one case for each thing that can go wrong."""

import importlib.util
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from gridlib.domain.transfer import (
    CUT_SHORT,
    GREEDY,
    PROVEN,
    evaluate,
    greedy_transfers,
    section_grid,
    single_transfers,
    solve_transfers,
)
from gridlib.domain.transfer import territory as territory_module
from gridlib.facts.errors import InputError

YARDSTICK = Path(__file__).resolve().parents[3] / "shared" / "bench" / "section_grid.py"


def built(limits, branches, ties, *, lines=1000.0, **more):
    """Grid from branches (transformer, loads of its sections in a row) and ties (ends); one hour."""
    start, end, loads = [], [], []
    for unit, branch in branches:
        up = unit
        for load in branch:
            node = len(limits) + len(loads)
            start.append(up)
            end.append(node)
            loads.append(np.atleast_1d(load))
            up = node
    closed = [True] * len(start) + [False] * len(ties)
    start += [tie[0] for tie in ties]
    end += [tie[1] for tie in ties]
    return section_grid(start, end, lines, closed, np.array(loads, dtype=float), limits, **more)


def chain():
    """T0 is over; only T1 is tied to it, which must first give to T2."""
    return built(
        [100.0, 100.0, 100.0],
        [(0, [70.0, 40.0]), (1, [50.0]), (1, [40.0]), (2, [30.0])],
        [(4, 5), (6, 7)],
    )


def two_sites():
    """Two separate sites; in each the first transformer is 30 kVA over and its neighbour has room."""
    return built(
        [100.0] * 4,
        [(0, [80.0, 50.0]), (1, [20.0]), (2, [80.0, 50.0]), (3, [20.0])],
        [(5, 6), (8, 9)],
    )


def test_a_chain_of_transfers_is_found_that_no_single_transfer_begins():
    grid = chain()
    assert evaluate(grid, greedy_transfers(grid)).over_kvah == 10.0
    result = solve_transfers(grid)
    assert result.evaluation.over_kvah == 0.0
    assert result.evaluation.operations == 4
    assert result.evaluation.holds


def test_what_forbids_the_first_step_is_the_receivers_limit_with_what_is_missing():
    found = single_transfers(chain(), np.array([0]))
    (tail,) = np.flatnonzero(found.opens == 1)
    assert found.element[tail] == 1
    assert not found.by_line[tail]
    assert found.missing_kva[tail] == pytest.approx(30.0)
    assert (found.scenario[tail], found.hour[tail]) == (0, 0)
    assert found.sections[tail].tolist() == [4]


def test_with_two_operations_the_chain_is_out_of_reach_and_with_four_it_is_not():
    two, four, free = solve_transfers(chain(), operations=(2, 4)).groups[0].plans
    assert (two.operations, two.objective_kvah, two.bound_kvah) == (0, 10.0, 10.0)
    assert four.operations == 4
    assert four.objective_kvah == free.objective_kvah == pytest.approx(0.04)


def test_an_operation_that_costs_more_than_it_brings_is_left():
    assert solve_transfers(replace(chain(), cost_kvah=np.full(7, 3.0))).evaluation.operations == 0
    assert solve_transfers(replace(chain(), cost_kvah=np.full(7, 2.0))).evaluation.operations == 4


def test_a_line_at_its_limit_stops_the_transfer_and_is_named():
    grid = built([100.0, 200.0], [(0, [70.0, 50.0]), (1, [40.0])], [(3, 4)], lines=[200, 200, 80, 200])
    assert solve_transfers(grid).evaluation.operations == 0
    found = single_transfers(grid, np.array([0]))
    (tail,) = np.flatnonzero(found.opens == 1)
    assert found.by_line[tail]
    assert (found.element[tail], found.missing_kva[tail]) == (2, pytest.approx(10.0))


def test_a_line_over_its_limit_already_may_stay_so_but_never_grow():
    grid = built([100.0, 200.0], [(0, [70.0, 50.0]), (1, [40.0])], [(3, 4)], lines=[200, 200, 30, 200])
    assert not evaluate(grid, grid.closed).lines_over.any()
    moved = evaluate(grid, np.array([True, False, True, True]))
    assert np.flatnonzero(moved.lines_over).tolist() == [2]
    assert solve_transfers(grid).evaluation.operations == 0


def test_an_overloaded_receiver_is_never_made_worse_in_any_hour():
    loads = [(0, [[80.0, 80.0], [50.0, 50.0]]), (1, [[20.0, 120.0]])]
    grid = built([100.0, 100.0], loads, [(3, 4)])
    assert solve_transfers(grid).evaluation.operations == 0
    moved = evaluate(grid, np.array([True, False, True, True]))
    assert moved.worse.tolist() == [False, True]
    assert not moved.newly_over.any()


def test_a_receiver_without_headroom_in_another_scenario_is_not_used():
    likely = np.array([[80.0], [50.0], [20.0]])
    high = np.array([[80.0], [50.0], [60.0]])
    ends = [0, 2, 1, 3], [2, 3, 4, 4], 1000.0, [True, True, True, False]
    one = section_grid(*ends, likely, [100.0, 100.0])
    assert solve_transfers(one).evaluation.over_kvah == 0.0
    both = section_grid(*ends, np.stack([likely, high]), [100.0, 100.0], scenario_weight=[1.0, 0.0])
    assert solve_transfers(both).evaluation.operations == 0
    found = single_transfers(both, np.array([0]))
    assert found.scenario[found.opens == 1].tolist() == [1]


def test_the_scenario_weights_decide_what_counts():
    low = np.array([[40.0], [50.0], [20.0]])
    high = low * 2
    ends = [0, 2, 1, 3], [2, 3, 4, 4], 1000.0, [True, True, True, False]
    grid = section_grid(*ends, np.stack([low, high]), [100.0, 200.0], scenario_weight=[1.0, 0.0])
    assert solve_transfers(grid).groups == ()
    grid = section_grid(*ends, np.stack([low, high]), [100.0, 200.0], scenario_weight=[0.5, 0.5])
    assert solve_transfers(grid).evaluation.base_kvah == 40.0
    assert solve_transfers(grid).evaluation.over_kvah == 0.0


def test_risk_weights_decide_who_gets_the_only_headroom():
    branches = [(0, [80.0, 40.0]), (1, [80.0, 40.0]), (2, [50.0])]
    for weight, relieved in (([1.0, 2.0, 1.0], 1), ([2.0, 1.0, 1.0], 0)):
        grid = built([100.0, 100.0, 100.0], branches, [(4, 7), (6, 7)], weight=weight)
        load = solve_transfers(grid).evaluation.load_kva[0, :, 0]
        assert load[relieved] == 80.0
        assert load[1 - relieved] == 120.0


def test_of_two_parallel_ties_only_one_closes():
    grid = built([100.0, 100.0], [(0, [80.0, 50.0]), (1, [20.0])], [(3, 4), (3, 4), (4, 3)])
    result = solve_transfers(grid)
    assert result.closed[3:].sum() == 1
    assert result.evaluation.over_kvah == 0.0


def test_sections_without_load_or_with_export_are_never_cut_off_in_a_ring():
    branches = [(0, [110.0]), (0, [0.0, -5.0, 0.0]), (1, [10.0])]
    grid = built([100.0, 100.0], branches, [(3, 5), (4, 6), (2, 6)])
    result = solve_transfers(grid, hops=None)
    assert result.evaluation.fed
    assert result.evaluation.radial
    assert result.evaluation.holds


def test_export_above_the_limit_is_relieved_too():
    grid = built([100.0, 100.0], [(0, [-80.0, -50.0]), (1, [20.0])], [(3, 4)])
    result = solve_transfers(grid)
    assert (result.evaluation.base_kvah, result.evaluation.over_kvah) == (30.0, 0.0)


@pytest.mark.parametrize("stuck", [1, 3])
def test_a_fixed_switch_keeps_its_state(stuck):
    fixed = np.arange(4) == stuck
    grid = built([100.0, 100.0], [(0, [80.0, 50.0]), (1, [20.0])], [(3, 4)], fixed=fixed)
    assert solve_transfers(grid).evaluation.operations == 0
    assert len(single_transfers(grid, np.array([0])).donor) == (0 if stuck == 3 else 1)


@pytest.mark.parametrize(
    ("spoil", "code", "node"),
    [
        (lambda grid: grid.load_kva.__setitem__((0, 4, 0), np.nan), "unknown_load", 2),
        (lambda grid: grid.limit_kva.__setitem__((2, 0), 0.0), "unknown_limit", 2),
        (lambda grid: grid.limit_kva.__setitem__((3, 0), np.nan), "unknown_limit", 3),
        (lambda grid: grid.closed.__setitem__(7, True), "not_radial", 2),
        (lambda grid: grid.closed.__setitem__(4, False), "unfed", 8),
    ],
)
def test_an_ill_site_is_a_finding_and_the_other_is_planned_to_the_bit(spoil, code, node):
    well, ill = two_sites(), two_sites()
    ill = replace(ill, load_kva=ill.load_kva.copy(), limit_kva=ill.limit_kva.copy(), closed=ill.closed.copy())
    spoil(ill)
    found, expected = solve_transfers(ill), solve_transfers(well)
    assert (node, code) in [(finding.node, finding.code) for finding in found.findings]
    assert expected.findings == ()
    assert found.closed[[0, 1, 2, 6]].tolist() == expected.closed[[0, 1, 2, 6]].tolist()
    assert found.groups[0].plans[-1].objective_kvah == expected.groups[0].plans[-1].objective_kvah
    assert found.closed[[3, 4, 5, 7]].tolist() == ill.closed[[3, 4, 5, 7]].tolist()
    assert found.evaluation.load_kva[0, :2].tolist() == expected.evaluation.load_kva[0, :2].tolist()


def test_without_time_the_answer_is_greedy_and_the_bound_still_holds():
    grid = two_sites()
    result = solve_transfers(grid, time_limit_s=0.0)
    assert result.closed.tolist() == greedy_transfers(grid).tolist()
    assert result.evaluation.over_kvah == 0.0
    assert {group.plans[-1].standing for group in result.groups} == {GREEDY}
    assert 0.0 <= solve_transfers(chain(), time_limit_s=0.0).bound_kvah <= 10.0


@pytest.mark.parametrize("looks", range(1, 6))
def test_when_the_time_is_up_half_way_the_plan_still_harms_nobody(looks):
    class Clock:
        seconds = 0

        def __call__(self):
            self.seconds += 1
            return self.seconds

    result = solve_transfers(chain(), time_limit_s=float(looks), clock=Clock())
    assert result.evaluation.holds
    assert result.bound_kvah <= result.evaluation.over_kvah


def test_where_not_all_territories_are_listed_no_bound_is_claimed(monkeypatch):
    monkeypatch.setattr(territory_module, "MOST_TERRITORIES", 2)
    result = solve_transfers(chain())
    assert result.evaluation.holds
    (group,) = result.groups
    assert group.plans[-1].standing == CUT_SHORT
    assert group.plans[-1].bound_kvah == 0.0


def test_an_overloaded_transformer_without_ties_is_named_as_stranded():
    grid = built([100.0, 100.0, 50.0], [(0, [80.0, 50.0]), (1, [20.0]), (2, [60.0])], [(4, 5)])
    result = solve_transfers(grid)
    assert result.stranded.tolist() == [2]
    assert result.evaluation.over_kvah == 10.0
    assert result.bound_kvah == pytest.approx(10.0)


def test_a_plan_out_of_reach_by_hops_is_found_with_more_of_them():
    grid = chain()
    assert solve_transfers(grid, hops=1).evaluation.over_kvah == 10.0
    assert solve_transfers(grid, hops=2).evaluation.over_kvah == 0.0


def test_nothing_is_written_into_the_arguments():
    grid = chain()
    before = [grid.closed.copy(), grid.load_kva.copy(), grid.limit_kva.copy()]
    solve_transfers(grid)
    greedy_transfers(grid)
    after = [grid.closed, grid.load_kva, grid.limit_kva]
    assert all((one == other).all() for one, other in zip(before, after, strict=True))


def test_a_state_that_is_not_radial_or_leaves_a_section_dark_is_said_to_be_so():
    grid = two_sites()
    ring = grid.closed.copy()
    ring[6] = True
    assert not evaluate(grid, ring).radial
    dark = grid.closed.copy()
    dark[1] = False
    assert not evaluate(grid, dark).fed


@pytest.mark.parametrize(
    "shapes",
    [
        {"load_kva": [[1.0, 2.0]], "limit_kva": [[1.0, 2.0, 3.0]]},
        {"load_kva": [[1.0]], "limit_kva": [1.0], "end": [5]},
        {"load_kva": [[1.0]], "limit_kva": [1.0], "scenario_weight": [1.0, 2.0]},
        {"load_kva": [[1.0]], "limit_kva": [1.0], "weight": np.nan},
        {"load_kva": [[1.0]], "limit_kva": [1.0], "cost_kvah": -1.0},
    ],
)
def test_arrays_that_do_not_fit_are_refused(shapes):
    given = {"start": [0], "end": [1], "line_kva": 100.0, "closed": [True]} | shapes
    with pytest.raises(InputError):
        section_grid(**given)


@pytest.mark.skipif(not YARDSTICK.exists(), reason="section_grid.py of the shared yardstick is not here")
@pytest.mark.parametrize(("seed", "tie_p", "over"), [(0, 0.4, 0.05), (3, 0.75, 0.05), (5, 0.6, 0.1)])
def test_an_independent_judge_finds_no_harm_and_the_same_overload(seed, tie_p, over):
    spec = importlib.util.spec_from_file_location("section_grid", YARDSTICK)
    bench = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(bench)
    made = bench.make(n=150, seed=seed, tie_p=tie_p, over=over)
    arrays = [made[name] for name in ("U", "V", "cap", "z0", "load", "rate")]
    result = solve_transfers(section_grid(*arrays, cost_kvah=1.0), operations=(2,))
    judged = bench.judge(made, result.closed.astype(int))
    assert (judged["newly_over"], judged["worse"], judged["lines_over"]) == (0, 0, 0)
    assert judged["over_kvah"] == pytest.approx(result.evaluation.over_kvah, rel=1e-9)
    assert judged["operations"] == result.evaluation.operations
    assert {plan.standing for group in result.groups for plan in group.plans} == {PROVEN}
    greedy = bench.judge(made, greedy_transfers(section_grid(*arrays, cost_kvah=1.0)).astype(int))
    assert judged["over_kvah"] < greedy["over_kvah"]
