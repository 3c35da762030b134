"""Short-circuit currents: by hand, and those of pandapower; what is not known bounds them or blanks them."""

import numpy as np
import pandas as pd
import pytest

from gridlib.domain.flow import flow_grid, largest_fault_ka, smallest_fault_ka

NODES = {"hv": 11.0, "bus": 0.415, "near": 0.415, "far": 0.415, "hv2": 11.0, "bus2": 0.415, "end2": 0.415}
LINES = (("l1", "bus", "near", 0.020, 0.008), ("l2", "near", "far", 0.060, 0.015))
SECOND = (("l3", "bus2", "end2", 0.030, 0.010),)


def grid_of(*, tie: bool = False, tap_pct: float = 0.0):
    """Two 11/0.415 kV transformers; a tie without impedance joins their far ends."""
    lines = pd.DataFrame([*LINES, *SECOND], columns=["line_id", "from_id", "to_id", "r_ohm", "x_ohm"])
    units = pd.DataFrame(
        {
            "transformer_id": ["T1", "T2"],
            "hv_id": ["hv", "hv2"],
            "lv_id": ["bus", "bus2"],
            "rating_kva": [500.0, 800.0],
            "hv_kv": 11.0,
            "lv_kv": 0.415,
            "vk_pct": [4.0, 6.0],
            "vkr_pct": [1.1, 1.2],
            "tap_pct": tap_pct,
        }
    )
    links = pd.DataFrame({"link_id": ["tie"], "from_id": ["far"], "to_id": ["end2"], "closed": [tie]})
    return flow_grid(
        pd.DataFrame({"node_id": list(NODES), "kv": list(NODES.values())}),
        pd.DataFrame({"node_id": ["hv", "hv2"]}),
        lines=lines,
        transformers=units,
        links=links,
    )


def pandapower_ka(*, fault: str, case: str, tie: bool, at: list[str]) -> np.ndarray:
    pp = pytest.importorskip("pandapower")
    from pandapower.shortcircuit import calc_sc

    net = pp.create_empty_network()
    buses = {name: pp.create_bus(net, kv) for name, kv in NODES.items()}
    for name, level in (("hv", (250.0, 120.0)), ("hv2", (200.0, 90.0))):
        pp.create_ext_grid(
            net, buses[name], s_sc_max_mva=level[0], s_sc_min_mva=level[1], rx_max=0.1, rx_min=0.1,
            x0x_max=1.0, r0x0_max=0.1, x0x_min=1.0, r0x0_min=0.1,
        )  # fmt: skip
    for high, low, kva, vk, vkr in (("hv", "bus", 500.0, 4.0, 1.1), ("hv2", "bus2", 800.0, 6.0, 1.2)):
        pp.create_transformer_from_parameters(
            net, buses[high], buses[low], sn_mva=kva / 1e3, vn_hv_kv=11.0, vn_lv_kv=0.415, vk_percent=vk,
            vkr_percent=vkr, pfe_kw=0.0, i0_percent=0.0, vector_group="Dyn", vk0_percent=vk,
            vkr0_percent=vkr, mag0_percent=1e6, mag0_rx=0.0, si0_hv_partial=0.9, shift_degree=-30,
        )  # fmt: skip
    for _, start, end, r, x in (*LINES, *SECOND):
        pp.create_line_from_parameters(
            net, buses[start], buses[end], length_km=1.0, r_ohm_per_km=r, x_ohm_per_km=x, c_nf_per_km=0.0,
            max_i_ka=1.0, r0_ohm_per_km=4 * r, x0_ohm_per_km=4 * x, c0_nf_per_km=0.0, endtemp_degree=90.0,
        )  # fmt: skip
    pp.create_switch(net, buses["far"], buses["end2"], et="b", closed=tie)
    calc_sc(net, fault=fault, case=case, lv_tol_percent=10)
    column = "ikss_ka"
    return net.res_bus_sc.loc[[buses[name] for name in at], column].to_numpy()


AT = ["hv", "bus", "near", "far", "bus2", "end2"]
PEER = pytest.mark.filterwarnings("ignore:.*:FutureWarning")  # pandapower fills its tables with pandas of old


@PEER
@pytest.mark.parametrize("tie", [False, True])
def test_the_largest_current_is_that_of_pandapower(tie):
    """Within 1e-6, also with two transformers in parallel at a tie."""
    ours = largest_fault_ka(grid_of(tie=tie), AT, [250.0, 200.0])
    assert ours == pytest.approx(pandapower_ka(fault="3ph", case="max", tie=tie, at=AT), rel=1e-6)


@PEER
@pytest.mark.parametrize("tie", [False, True])
def test_the_smallest_current_is_that_of_pandapower(tie):
    """Within 1e-4; low voltage only, at the high-voltage side the supply's own earthing would count."""
    ours = smallest_fault_ka(grid_of(tie=tie), AT[1:], [120.0, 90.0])
    theirs = pandapower_ka(fault="1ph", case="min", tie=tie, at=AT[1:])
    assert ours == pytest.approx(theirs, rel=1e-4)


def test_at_the_busbar_of_a_stiff_source_it_is_c_over_vk():
    (found,) = largest_fault_ka(grid_of(), ["bus"], [np.nan, np.nan])
    rated_ka = 500 / (3**0.5 * 0.415) / 1e3
    x_pu = (0.04**2 - 0.011**2) ** 0.5
    k_t = 0.95 * 1.1 / (1 + 0.6 * x_pu)
    assert found == pytest.approx(1.1 * rated_ka / (0.04 * k_t), rel=1e-6)


def test_the_smallest_current_by_hand():
    (found,) = smallest_fault_ka(grid_of(), ["far"], [120.0, 90.0])
    z_q = 1.0 * 0.415**2 / 120 * np.exp(1j * np.arctan2(1, 0.1))
    x_pu = (0.04**2 - 0.011**2) ** 0.5
    z_t = (0.011 + 1j * x_pu) * 0.415**2 / 0.5
    z_l = (0.02 + 0.06) * 1.28 + 0.023j
    whole = 2 * (z_q + z_t + z_l) + z_t + 4 * z_l
    assert found == pytest.approx(3**0.5 * 0.9 * 0.415 / abs(whole), rel=1e-6)


def test_a_source_whose_strength_is_not_known_bounds_the_largest_and_blanks_the_smallest():
    known, bound = (largest_fault_ka(grid_of(), ["near"], [mva, 200.0])[0] for mva in (250.0, np.nan))
    assert bound > known
    unknown = smallest_fault_ka(grid_of(), ["far", "end2"], [np.nan, 90.0])
    assert np.isnan(unknown[0])
    assert unknown[1] > 0


def test_parallel_transformers_make_the_fault_at_the_tie_stronger():
    apart, together = (
        largest_fault_ka(grid_of(tie=tie), ["far"], [250.0, 200.0])[0] for tie in (False, True)
    )
    assert together > apart


def test_taps_do_not_count_and_what_no_source_reaches_has_no_current():
    level = [250.0, 200.0]
    assert largest_fault_ka(grid_of(tap_pct=5.0), AT, level) == pytest.approx(
        largest_fault_ka(grid_of(), AT, level)
    )
    cut = grid_of().switched([], ["l2"])
    assert np.isnan(largest_fault_ka(cut, ["far"], level)).all()
