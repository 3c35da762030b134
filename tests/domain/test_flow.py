import dataclasses

import numpy as np
import pandas as pd
import pytest

from gridlib.domain.flow import flow_grid, solve_flow
from gridlib.facts.errors import InputError


def lines(*rows, **columns):
    frame = pd.DataFrame(rows, columns=["line_id", "from_id", "to_id", "r_ohm", "x_ohm"])
    return frame.assign(**columns)


def unit(**changed):
    row = {
        "transformer_id": "T1",
        "hv_id": "high",
        "lv_id": "low",
        "rating_kva": 500.0,
        "hv_kv": 11.0,
        "lv_kv": 0.433,
        "vk_pct": 4.0,
        "vkr_pct": 1.0,
    }
    return pd.DataFrame([row | changed])


def nodes(**kv):
    return pd.DataFrame({"node_id": list(kv), "kv": list(kv.values())})


def source(*names):
    return pd.DataFrame({"node_id": list(names)})


def two_feeders(**changed):
    """Two feeders of two nodes each from one table: s1 - a - b and s2 - c - d."""
    rows = [("l1", "s1", "a", 0.3, 0.2), ("l2", "a", "b", 0.3, 0.2)]
    rows += [("l3", "s2", "c", 0.3, 0.2), ("l4", "c", "d", 0.3, 0.2)]
    table = lines(*rows, limit_a=200.0).set_index("line_id")
    for name, values in changed.items():
        table.loc[name, list(values)] = list(values.values())
    return flow_grid(
        nodes(s1=11.0, a=11.0, b=11.0, s2=11.0, c=11.0, d=11.0),
        source("s1", "s2"),
        lines=table.reset_index(),
    )


LOAD = np.array([[0.0, 300.0, 200.0, 0.0, 100.0, 400.0]])


def test_a_line_drops_what_the_quadratic_says():
    grid = flow_grid(nodes(a=0.4, b=0.4), source("a"), lines=lines(("l", "a", "b", 0.05, 0.02)))
    flow = solve_flow(grid, [[0.0, 60.0]], [[0.0, 20.0]])
    p, q, r, x, u1 = 60e3, 20e3, 0.05, 0.02, 400.0
    middle = u1**2 - 2 * (r * p + x * q)
    u2 = np.sqrt((middle + np.sqrt(middle**2 - 4 * (r**2 + x**2) * (p**2 + q**2))) / 2)
    current = np.hypot(p, q) / (np.sqrt(3) * u2)
    assert flow.u_pu[0, 1] == pytest.approx(u2 / u1, abs=1e-10)
    assert flow.line_a[0, 0] == pytest.approx(current, rel=1e-9)
    assert flow.loss_kw[0] == pytest.approx(3 * r * current**2 / 1e3, rel=1e-8)


def test_an_unloaded_433_v_winding_lifts_a_415_v_busbar():
    grid = flow_grid(nodes(high=11.0, low=0.415), source("high"), transformers=unit())
    assert solve_flow(grid, [[0.0, 0.0]], [[0.0, 0.0]]).u_pu[0, 1] == pytest.approx(433 / 415, abs=1e-9)


def test_more_turns_on_the_high_side_lower_the_low_side():
    grid = flow_grid(nodes(high=11.0, low=0.433), source("high"), transformers=unit(tap_pct=2.5))
    assert solve_flow(grid, [[0.0, 0.0]], [[0.0, 0.0]]).u_pu[0, 1] == pytest.approx(1 / 1.025, abs=1e-9)


def test_a_transformer_at_rated_current_loses_its_load_and_no_load_losses():
    grid = flow_grid(
        nodes(high=11.0, low=0.433), source("high"), transformers=unit(no_load_kw=0.8, no_load_pct=0.3)
    )
    flow = solve_flow(grid, [[0.0, 480.0]], [[0.0, 0.0]])
    load_loss = 0.01 * 500 * (flow.transformer_pct[0, 0] / 100) ** 2
    assert flow.transformer_loss_kw[0, 0] == pytest.approx(load_loss + 0.8, rel=0.01)
    assert flow.transformer_pct[0, 0] > 100 * 480 / 500


def test_nodes_joined_by_a_closed_link_are_one_node():
    table = lines(("l", "a", "b", 0.05, 0.02))
    joined = flow_grid(
        nodes(a=0.4, b=0.4, c=0.4),
        source("a"),
        lines=table,
        links=pd.DataFrame({"link_id": ["k"], "from_id": ["b"], "to_id": ["c"]}),
    )
    at_c = solve_flow(joined, [[0.0, 20.0, 40.0]], np.zeros((1, 3)))
    alone = flow_grid(nodes(a=0.4, b=0.4), source("a"), lines=table)
    assert at_c.u_pu[0, 1] == at_c.u_pu[0, 2]
    assert at_c.u_pu[0, 2] == solve_flow(alone, [[0.0, 60.0]], [[0.0, 0.0]]).u_pu[0, 1]
    opened = solve_flow(joined.switched([], ["k"]), [[0.0, 20.0, 40.0]], np.zeros((1, 3)))
    assert [finding.object_id for finding in opened.findings] == ["c"]


def test_cases_solved_together_are_what_each_is_alone():
    grid = two_feeders()
    p = np.random.default_rng(0).uniform(0, 500, (5, 6)) * [0, 1, 1, 0, 1, 1]
    together = solve_flow(grid, p, 0.4 * p)
    for case in range(5):
        alone = solve_flow(grid, p[case : case + 1], 0.4 * p[case : case + 1])
        assert np.array_equal(together.u_pu[case], alone.u_pu[0])
        assert np.array_equal(together.line_pct[case], alone.line_pct[0])


@pytest.mark.parametrize(
    "ohms",
    [{"r_ohm": 0.0, "x_ohm": 0.0}, {"r_ohm": -0.1}, {"x_ohm": -0.1}, {"r_ohm": np.nan}, {"x_ohm": np.inf}],
)
def test_an_impossible_impedance_is_named_and_the_other_feeder_is_untouched(ohms):
    flow = solve_flow(two_feeders(l2=ohms), LOAD, 0.4 * LOAD)
    whole = solve_flow(two_feeders(), LOAD, 0.4 * LOAD)
    assert [(found.object_id, found.code) for found in flow.findings] == [
        ("l2", "bad_impedance"),
        ("b", "not_supplied"),
    ]
    assert np.isnan(flow.u_pu[0, 2])
    assert np.array_equal(flow.u_pu[0, 3:], whole.u_pu[0, 3:])


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"vk_pct": 0.0}, "bad_impedance"),
        ({"vkr_pct": 5.0}, "bad_impedance"),
        ({"vk_pct": np.nan}, "bad_impedance"),
        ({"rating_kva": 0.0}, "bad_transformer"),
        ({"tap_pct": -80.0}, "bad_transformer"),
        ({"lv_id": "nowhere"}, "unknown_end"),
    ],
)
def test_an_impossible_transformer_is_named(changed, code):
    grid = flow_grid(nodes(high=11.0, low=0.433), source("high"), transformers=unit(**changed))
    assert [(found.object_id, found.code) for found in grid.findings] == [("T1", code)]
    assert not grid.transformers.closed.any()


def test_a_line_between_two_voltages_is_named():
    grid = flow_grid(nodes(a=11.0, b=0.4), source("a"), lines=lines(("l", "a", "b", 0.1, 0.1)))
    assert [found.code for found in grid.findings] == ["bad_voltage"]


def test_one_feeder_without_solution_leaves_the_other_bit_identical():
    heavy = np.repeat(LOAD, 3, axis=0)
    heavy[1, 2] = 1e6
    flow = solve_flow(two_feeders(), heavy, 0.4 * heavy)
    whole = solve_flow(two_feeders(), LOAD, 0.4 * LOAD)
    (found,) = flow.findings
    assert (found.object_id, found.code, found.cases) == ("s1", "not_converged", 1)
    assert np.isnan(flow.u_pu[1, :3]).all()
    assert np.isnan(flow.line_pct[1, :2]).all()
    for case in range(3):
        assert np.array_equal(flow.u_pu[case, 3:], whole.u_pu[0, 3:])
        assert np.array_equal(flow.line_a[case, 2:], whole.line_a[0, 2:])
    assert np.array_equal(flow.u_pu[0], whole.u_pu[0])
    assert np.array_equal(flow.u_pu[2], whole.u_pu[0])


def test_a_missing_load_blanks_its_own_feeder_in_that_case_alone():
    loads = np.repeat(LOAD, 2, axis=0)
    loads[1, 1] = np.nan
    flow = solve_flow(two_feeders(), loads, 0.4 * LOAD.repeat(2, axis=0))
    (found,) = flow.findings
    assert (found.object_id, found.code, found.cases) == ("a", "load_missing", 1)
    assert np.isfinite(flow.u_pu[0]).all()
    assert np.isnan(flow.u_pu[1, :3]).all()
    assert np.isfinite(flow.u_pu[1, 3:]).all()


def test_a_ring_is_named_and_solved():
    grid = flow_grid(
        nodes(s=11.0, a=11.0, b=11.0),
        source("s"),
        lines=lines(("l1", "s", "a", 0.3, 0.2), ("l2", "a", "b", 0.3, 0.2), ("l3", "s", "b", 0.3, 0.2)),
    )
    flow = solve_flow(grid, [[0.0, 300.0, 300.0]], [[0.0, 0.0, 0.0]])
    assert [found.code for found in flow.findings] == ["ring"]
    assert flow.line_a[0, 1] == pytest.approx(0.0, abs=1e-6)
    assert flow.line_a[0, 0] == pytest.approx(flow.line_a[0, 2])


def test_generation_lifts_the_voltage():
    flow = solve_flow(two_feeders(), -LOAD, np.zeros_like(LOAD))
    assert (flow.u_pu[0, [1, 2, 4, 5]] > 1).all()


def test_solving_changes_no_argument():
    grid, loads = two_feeders(), LOAD.copy()
    kept = dataclasses.asdict(grid)
    solve_flow(grid, loads, loads)
    assert np.array_equal(loads, LOAD)
    for name, values in dataclasses.asdict(grid)["lines"].items():
        assert np.array_equal(values, kept["lines"][name])


def test_tables_that_cannot_be_a_network_are_refused():
    with pytest.raises(InputError, match="x_ohm"):
        flow_grid(nodes(a=11.0), source("a"), lines=pd.DataFrame({"line_id": []}))
    with pytest.raises(InputError, match="named twice"):
        flow_grid(pd.DataFrame({"node_id": ["a", "a"], "kv": 11.0}), source("a"))
    with pytest.raises(InputError, match="no node"):
        flow_grid(nodes(a=11.0), source("b"))
    with pytest.raises(InputError, match="6 nodes"):
        solve_flow(two_feeders(), LOAD[:, 1:], LOAD[:, 1:])


def test_transformers_without_solution_leave_the_others_bit_identical():
    pair = pd.concat([unit(), unit(transformer_id="T2", hv_id="high2", lv_id="low2")], ignore_index=True)
    grid = flow_grid(
        nodes(high=11.0, low=0.433, high2=11.0, low2=0.433), source("high", "high2"), transformers=pair
    )
    p = np.array([[0.0, 300.0, 0.0, 300.0], [0.0, 1e7, 0.0, 300.0]])
    flow = solve_flow(grid, p, 0.3 * p)
    assert [(found.object_id, found.code) for found in flow.findings] == [("T1", "not_converged")]
    assert np.isnan(flow.transformer_pct[1, 0])
    assert flow.transformer_pct[1, 1] == flow.transformer_pct[0, 1] == flow.transformer_pct[0, 0]
