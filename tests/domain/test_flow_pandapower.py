"""Against pandapower on its real networks: voltages, loadings, and transfers of a real town."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest

from gridlib.domain.flow import least_losses, solve_flow

pytest.importorskip("pandapower")
TOOL = Path(__file__).resolve().parents[2] / "benchmarks" / "pandapower_networks.py"


@pytest.fixture(scope="module")
def peer():
    spec = importlib.util.spec_from_file_location("pandapower_networks", TOOL)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def town(peer):
    net = peer.network("lv_schutterwald")
    return net, *peer.from_pandapower(net)


@pytest.mark.parametrize("name", ["mv_oberrhein", "lv_schutterwald", "case33bw"])
def test_voltages_and_loadings_are_those_of_pandapower(peer, name):
    net = peer.network(name)
    flow = solve_flow(*peer.from_pandapower(net))
    peer.run_pandapower(net)
    voltages = flow.u_pu[0, : len(net.bus)]
    assert np.abs(voltages - net.res_bus.vm_pu.to_numpy()).max() < 1e-8
    loading = flow.transformer_pct[0] - net.res_trafo.loading_percent.to_numpy()
    assert np.abs(loading).max(initial=0.0) < 1e-6
    losses = 1e3 * (net.res_line.pl_mw.sum() + net.res_trafo.pl_mw.sum())
    assert flow.loss_kw[0] == pytest.approx(losses, rel=1e-6)


def test_transfers_of_a_real_town_load_its_transformers_as_pandapower_says(peer, town):
    net, grid, p, q = town
    for tie, opened, donor, receiver in peer.transfers(net)[7::250]:
        after, ours = peer.transferred(net, grid, tie, opened)
        flow = solve_flow(ours, p, q)
        peer.run_pandapower(after)
        theirs = after.res_trafo.loading_percent
        for unit in (donor, receiver):
            place = list(net.trafo.index).index(unit)
            assert flow.transformer_pct[0, place] == pytest.approx(theirs[unit], rel=1e-6)


def test_a_transfer_that_leaves_two_transformers_in_parallel_is_named(peer, town):
    """Opening a line of the one ring in the town parts nothing."""
    net, grid, p, q = town
    rings = {f.object_id for f in solve_flow(grid, p, q).findings if f.code == "ring"}
    assert rings == {"trafo 5"}
    joined = []
    for tie, opened, donor, receiver in peer.transfers(net):
        if 5 in (donor, receiver) and net.line.loc[opened, ["from_bus", "to_bus"]].isin([3005]).any():
            _, ours = peer.transferred(net, grid, tie, opened)
            flow = solve_flow(ours, p, q)
            joined.append(any(f.code == "ring" and f.object_id not in rings for f in flow.findings))
    assert joined.count(True) == 1


def test_least_losses_of_33_buses(peer):
    net = peer.network("case33bw")
    grid, p, q = peer.from_pandapower(net)
    base = solve_flow(grid, p, q)
    assert base.loss_kw[0] == pytest.approx(202.677, abs=5e-4)
    assert np.nanmin(base.u_pu) == pytest.approx(0.91309, abs=5e-6)
    best = least_losses(grid, p, q, rounds=20)
    assert best.loss_kw == pytest.approx(139.551, abs=5e-4)
    assert sorted(best.open_lines) == sorted(f"line {number - 1}" for number in (7, 9, 14, 32, 37))
