from itertools import combinations
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from gridlib.domain.flow import flow_grid, least_losses, solve_flow
from gridlib.facts.errors import InputError

CASES = Path(__file__).resolve().parents[3] / "shared" / "data" / "reference" / "reconfiguration"
published = pytest.mark.skipif(not CASES.exists(), reason="needs the published reconfiguration cases")


def town(seed, nodes=7, ties=3):
    """A small meshed network: a random tree and a few more lines, open."""
    random = np.random.default_rng(seed)
    ends = [(int(random.integers(node)), node) for node in range(1, nodes)]
    spare = [pair for pair in combinations(range(nodes), 2) if pair not in ends]
    ends += [spare[k] for k in random.choice(len(spare), ties, replace=False)]
    grid = flow_grid(
        pd.DataFrame({"node_id": [f"n{k}" for k in range(nodes)], "kv": 11.0}),
        pd.DataFrame({"node_id": ["n0"]}),
        lines=pd.DataFrame(
            {
                "line_id": [f"l{k}" for k in range(len(ends))],
                "from_id": [f"n{start}" for start, _ in ends],
                "to_id": [f"n{end}" for _, end in ends],
                "r_ohm": random.uniform(0.1, 1.0, len(ends)),
                "x_ohm": random.uniform(0.1, 1.0, len(ends)),
                "closed": [k < nodes - 1 for k in range(len(ends))],
            }
        ),
    )
    p = random.uniform(50, 400, (2, nodes))
    p[:, 0] = 0
    return grid, p, 0.4 * p


def least_of_all(grid, p, q):
    """Losses of the best radial state, by solving every one."""
    names, open_count = list(grid.lines.names), int((~grid.lines.closed).sum())
    best = np.inf
    for opened in combinations(names, open_count):
        flow = solve_flow(grid.switched(set(names) - set(opened), names), p, q)
        if not flow.findings:
            best = min(best, flow.loss_kw.sum())
    return best


@pytest.mark.parametrize("seed", range(6))
def test_small_networks_reach_the_best_of_all_radial_states(seed):
    grid, p, q = town(seed)
    found = least_losses(grid, p, q, rounds=20)
    assert found.loss_kw == pytest.approx(least_of_all(grid, p, q), rel=1e-9)
    assert not found.flow.findings
    assert found.loss_kw <= found.base_kw


@published
@pytest.mark.parametrize("case", ["case16ci", "case33bw", "case69"])
def test_published_cases_reach_the_published_least_losses(case):
    table = pd.read_csv(CASES / "known_optima.csv").set_index("case")
    buses = pd.read_csv(CASES / f"{case}_buses.csv", dtype={"bus": str})
    branches = pd.read_csv(CASES / f"{case}_branches.csv", dtype={"from_bus": str, "to_bus": str})
    grid = flow_grid(
        pd.DataFrame({"node_id": buses["bus"], "kv": buses["base_kv"]}),
        pd.DataFrame({"node_id": buses.loc[buses["source"], "bus"]}),
        lines=pd.DataFrame(
            {
                "line_id": branches["branch"].astype(str),
                "from_id": branches["from_bus"],
                "to_id": branches["to_bus"],
                "r_ohm": branches["r_ohm"],
                "x_ohm": branches["x_ohm"],
                "closed": ~branches["normally_open"],
            }
        ),
    )
    loads = buses[["pd_kw", "qd_kvar"]].to_numpy().T[:, None]
    found = least_losses(grid, *loads, rounds=20)
    known = table.loc[case]
    assert found.base_kw == pytest.approx(known["base_loss_kw"], abs=6e-4)
    assert np.nanmin(solve_flow(grid, *loads).u_pu) == pytest.approx(known["base_vmin_pu"], abs=6e-6)
    assert found.loss_kw == pytest.approx(known["best_loss_kw"], abs=6e-4)
    assert found.least_pu == pytest.approx(known["best_vmin_pu"], abs=6e-6)
    if case == "case33bw":
        assert set(found.open_lines) == {"7", "9", "14", "32", "37"}


def test_lines_that_may_not_be_switched_keep_their_state():
    grid, p, q = town(1)
    free = np.ones(len(grid.lines.names), dtype=bool)
    free[:4] = False
    free[-1] = False
    found = least_losses(grid, p, q, switchable=free, rounds=20)
    assert np.array_equal(found.closed[~free], grid.lines.closed[~free])
    assert found.loss_kw >= least_losses(grid, p, q, rounds=20).loss_kw


def test_the_same_seed_gives_the_same_answer():
    grid, p, q = town(2)
    first, again = (least_losses(grid, p, q, rounds=5, seed=3) for _ in range(2))
    assert np.array_equal(first.closed, again.closed)
    assert first.loss_kw == again.loss_kw


def test_fixed_lines_in_a_ring_and_missing_loads_are_refused():
    grid, p, q = town(0)
    closed = grid.switched(grid.lines.names, grid.lines.names)
    with pytest.raises(InputError, match="no radial state"):
        least_losses(closed, p, q, switchable=np.zeros(len(grid.lines.names), dtype=bool))
    with pytest.raises(InputError, match="not a number"):
        least_losses(grid, p * np.nan, q)


def test_a_part_no_source_can_reach_is_named_and_the_rest_is_solved():
    grid, p, q = town(0)
    names = [*grid.names, "island"]
    rows = grid.lines
    lines = pd.DataFrame(
        {
            "line_id": rows.names,
            "from_id": grid.names[rows.start],
            "to_id": grid.names[rows.end],
            "r_ohm": rows.r_ohm,
            "x_ohm": rows.x_ohm,
            "closed": rows.closed,
        }
    )
    wider = flow_grid(
        pd.DataFrame({"node_id": names, "kv": 11.0}), pd.DataFrame({"node_id": ["n0"]}), lines=lines
    )
    loads = [np.hstack([values, np.full((2, 1), 10.0)]) for values in (p, q)]
    found = least_losses(wider, *loads, rounds=5)
    assert [(finding.object_id, finding.code) for finding in found.flow.findings] == [
        ("island", "not_supplied")
    ]
    assert found.loss_kw == pytest.approx(least_losses(grid, p, q, rounds=5).loss_kw)
