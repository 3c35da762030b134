"""pandapower and OpenDSS grids as our tables: nobody's load lost, nobody fed by somebody else."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from gridlib.adapters.networks import Converted, Level, read_grid, to_network
from gridlib.domain.network import check_network, feeding
from gridlib.facts.errors import FileError, InputError
from gridlib.facts.frames import NETWORK_TABLES, check_frame
from gridlib.facts.types import Network

OPENDSS = Path(__file__).parent / "files" / "opendss" / "two_feeders.dss"


def normal_feeding(network: Network) -> pd.Series:
    switches = network.switches
    return feeding(network, switches.loc[switches["normal_state"] == "CLOSED", "switch_id"])


def codes(done: Converted) -> set[str]:
    return set(done.findings["code"])


def assert_fits_the_tables(network: Network) -> None:
    for name, model in NETWORK_TABLES.items():
        check_frame(model, network.states if name == "switch_states" else getattr(network, name))


# pandapower


@pytest.fixture(scope="module")
def pp():
    return pytest.importorskip("pandapower", reason="needs gridlib[pandapower]")


def converted(pp, net, tmp_path, level=None) -> Converted:
    pp.to_json(net, str(tmp_path / "grid.json"))
    done = to_network(read_grid(tmp_path / "grid.json"), level)
    assert_fits_the_tables(done.network)
    return done


def small_net(pp):
    """Two 11/0.4 kV units at one 11 kV bus, four low-voltage buses in a row, an open switch midway."""
    net = pp.create_empty_network()
    source = pp.create_bus(net, 11.0, name="SS")
    pp.create_ext_grid(net, source, name="grid")
    heads = [pp.create_bus(net, 0.4, name=f"board {i}") for i in (1, 2)]
    for i, head in enumerate(heads, 1):
        pp.create_transformer_from_parameters(
            net, source, head, sn_mva=0.5, vn_hv_kv=11.0, vn_lv_kv=0.4, vk_percent=4.0, vkr_percent=1.0,
            pfe_kw=0, i0_percent=0, name=f"U{i}", tap_side="hv", tap_neutral=0, tap_pos=2,
            tap_step_percent=2.5, tap_changer_type=None,
        )  # fmt: skip
    buses = [pp.create_bus(net, 0.4, name=name) for name in "abcd"]
    for bus, kw in zip(buses, (60, 20, 30, 10), strict=True):
        pp.create_load(net, bus, p_mw=kw / 1e3, name=f"load {net.bus.at[bus, 'name']}")
    ways = [
        (heads[0], buses[0]),
        (buses[0], buses[1]),
        (buses[1], buses[2]),
        (buses[2], buses[3]),
        (heads[1], buses[3]),
    ]
    for one, other in ways:
        pp.create_line_from_parameters(
            net, one, other, 0.1, r_ohm_per_km=0.4, x_ohm_per_km=0.08, c_nf_per_km=0, max_i_ka=0.25,
            name=f"{net.bus.at[one, 'name']}-{net.bus.at[other, 'name']}",
        )  # fmt: skip
    pp.create_switch(net, buses[0], 1, et="l", type="LBS", name="Q1")
    pp.create_switch(net, buses[1], 2, et="l", closed=False, type="LBS", name="TIE", in_ka=0.2)
    return net


def expected_feeders(pp, net) -> dict[int, list[int]]:
    """pandapower's own topology: the transformers whose lower bus each load hangs together with."""
    import networkx as nx
    from pandapower.topology import create_nxgraph

    graph = create_nxgraph(net, respect_switches=True, include_trafos=False)
    part = {bus: number for number, buses in enumerate(nx.connected_components(graph)) for bus in buses}
    return {
        int(load): [int(unit) for unit in net.trafo.index if part[net.trafo.at[unit, "lv_bus"]] == part[bus]]
        for load, bus in net.load["bus"].items()
    }


@pytest.mark.parametrize(
    ("name", "level"),
    [
        ("lv_schutterwald", Level.LOW),
        ("create_cigre_network_mv", Level.MEDIUM),
        ("mv_oberrhein", Level.MEDIUM),
    ],
)
def test_known_grids_keep_every_load_and_who_feeds_it(pp, tmp_path, name, level):
    import pandapower.networks

    net = getattr(pandapower.networks, name)()
    done = converted(pp, net, tmp_path)
    network = done.network
    assert done.section_of_load.index.is_unique
    assert len(done.section_of_load) == len(net.load)
    fed = normal_feeding(network)[done.section_of_load].to_numpy()
    units = network.transformers["transformer_id"].to_numpy()
    expected = expected_feeders(pp, net)
    assert all(len(feeders) == 1 for feeders in expected.values())
    assert fed.tolist() == [units[net.trafo.index.get_loc(feeders[0])] for feeders in expected.values()]
    # Sizes: each transformer's shares are the loads that pandapower has below it.
    np.testing.assert_allclose(network.transformers["rating_kva"], 1e3 * net.trafo["sn_mva"])
    np.testing.assert_allclose(network.transformers["vk_pct"], net.trafo["vk_percent"])
    kva = 1e3 * np.hypot(net.load["p_mw"], net.load["q_mvar"]) * net.load["scaling"]
    total = kva.groupby(fed).transform("sum")
    share = (kva / total).groupby(done.section_of_load.to_numpy()).sum()
    table = network.sections.set_index("section_id")["share"]
    np.testing.assert_allclose(table[share.index], share)
    assert table.drop(share.index).eq(0).all()
    lines = network.lines.set_index("line_id")
    np.testing.assert_allclose(
        lines["r_ohm"].iloc[: len(net.line)], net.line["r_ohm_per_km"] * net.line["length_km"]
    )
    np.testing.assert_allclose(lines["limit_a"].iloc[: len(net.line)], 1e3 * net.line["max_i_ka"])
    assert set(check_network(network)["code"]) <= {"parallel_ties"}
    assert to_network(read_grid(tmp_path / "grid.json"), level).network.switches.equals(network.switches)


def test_small_grid_word_by_word(pp, tmp_path):
    done = converted(pp, small_net(pp), tmp_path)
    sections = done.network.sections.set_index("section_id")
    # Each board is one piece with its first cable; the cable behind a switch belongs to the far bus.
    assert sections["share"].round(6).to_dict() == {"board 1": 0.75, "board 2": 1.0, "b": 0.25}
    assert sections["customers"].to_dict() == {"board 1": 1, "board 2": 2, "b": 1}
    switches = done.network.switches.set_index("switch_id")
    assert switches.loc["Q1", ["from_id", "to_id", "kind"]].tolist() == ["board 1", "b", "sectionaliser"]
    assert switches.loc["TIE", ["from_id", "to_id", "kind", "normal_state"]].tolist() == [
        "b",
        "board 2",
        "tie",
        "OPEN",
    ]
    assert switches.at["Q1", "limit_kva"] == pytest.approx(3**0.5 * 0.4 * 250)
    assert switches.at["TIE", "limit_kva"] == pytest.approx(3**0.5 * 0.4 * 200)
    assert switches.loc[["U1-B", "U2-B"], "load_break_a"].isna().all()
    assert not switches["may_parallel"].any()
    assert done.network.lines.set_index("line_id").loc["b-c", ["from_id", "to_id"]].tolist() == ["TIE", "c"]


def test_taps_count_where_pandapower_ignores_them(pp, tmp_path):
    net = small_net(pp)
    net.trafo.loc[1, ["tap_side", "tap_changer_type"]] = ["lv", "Ratio"]
    done = converted(pp, net, tmp_path)
    assert done.network.transformers["tap_pct"].tolist() == [5.0, -5.0]
    told = done.findings.loc[done.findings["code"] == "tap_type_assumed", "object_id"]
    assert told.tolist() == ["U1"]
    assert "vector_group_unknown" in codes(done)


def test_two_switches_with_nothing_between_are_one_closed_only_where_both_are(pp, tmp_path):
    net = small_net(pp)
    c = int(net.bus.index[net.bus["name"] == "c"][0])
    pp.create_switch(net, c, 2, et="l", type="LBS", name="TIE2")
    done = converted(pp, net, tmp_path)
    switches = done.network.switches.set_index("switch_id")
    assert "TIE2" not in switches.index
    assert switches.at["TIE", "normal_state"] == "OPEN"
    assert "series_switch" in codes(done)


def test_a_ring_closed_in_the_file_is_one_section(pp, tmp_path):
    net = small_net(pp)
    a, b = (int(net.bus.index[net.bus["name"] == name][0]) for name in "ab")
    pp.create_switch(net, a, b, et="b", name="RING")
    done = converted(pp, net, tmp_path)
    assert done.network.sections["section_id"].tolist() == ["board 1", "board 2"]
    assert "closed_ring" in codes(done)
    assert normal_feeding(done.network).to_dict() == {"board 1": "U1", "board 2": "U2"}


def test_a_unit_switched_off_above_feeds_nobody(pp, tmp_path):
    net = small_net(pp)
    pp.create_switch(net, 0, 0, et="t", closed=False, name="HV1")
    done = converted(pp, net, tmp_path)
    assert normal_feeding(done.network).to_dict() == {"board 1": None, "board 2": "U2", "b": None}
    assert {"unit_off", "unfed_section"} <= codes(done)
    assert len(done.section_of_load) == 4


def test_what_is_out_of_service_or_above_is_told(pp, tmp_path):
    net = small_net(pp)
    pp.create_load(net, 0, p_mw=0.001, name="at 11 kV")
    pp.create_sgen(net, 3, p_mw=0.01)
    net.line.loc[3, "in_service"] = False
    done = converted(pp, net, tmp_path)
    assert {"load_not_carried", "not_carried", "out_of_service"} <= codes(done)
    assert "at 11 kV" not in done.section_of_load.index


def test_names_that_come_twice_or_not_at_all(pp, tmp_path):
    net = small_net(pp)
    net.bus.loc[3:4, "name"] = ["same", "same"]
    net.trafo["name"] = None
    done = converted(pp, net, tmp_path)
    assert done.network.transformers["transformer_id"].tolist() == ["transformer 0", "transformer 1"]
    assert set(check_network(done.network)["code"]) == set()


def test_excel_gives_the_same_as_json(pp, tmp_path):
    pytest.importorskip("openpyxl")
    pytest.importorskip("xlsxwriter", reason="pandapower writes Excel files with it")
    net = small_net(pp)
    pp.to_excel(net, str(tmp_path / "grid.xlsx"))
    one = to_network(read_grid(tmp_path / "grid.xlsx")).network
    other = converted(pp, net, tmp_path).network
    for table in ("transformers", "sections", "switches", "lines"):
        pd.testing.assert_frame_equal(getattr(one, table), getattr(other, table))


def test_parallel_units_stay_a_loop_and_are_named(pp, tmp_path):
    net = small_net(pp)
    net.switch.loc[1, "closed"] = True
    done = converted(pp, net, tmp_path)
    found = check_network(done.network).set_index("object_id")["code"]
    assert found[["U1", "U2"]].tolist() == ["loop", "loop"]


@pytest.mark.parametrize("text", ["", "{}", "[1, 2]", json.dumps({"_module": "builtins", "_class": "str"})])
def test_json_that_is_no_network_is_refused(pp, tmp_path, text):
    (tmp_path / "grid.json").write_text(text, encoding="utf-8")
    with pytest.raises(FileError):
        read_grid(tmp_path / "grid.json")


def test_a_level_that_nothing_feeds(pp, tmp_path):
    net = small_net(pp)
    net.ext_grid["in_service"] = False
    with pytest.raises(InputError, match="medium voltage"):
        converted(pp, net, tmp_path, Level.MEDIUM)


# OpenDSS


@pytest.fixture(scope="module")
def dss_grid():
    pytest.importorskip("dss", reason="needs gridlib[opendss]")
    return read_grid(OPENDSS)


def test_opendss_medium_voltage_with_its_open_point(dss_grid):
    done = to_network(dss_grid, Level.MEDIUM)
    assert_fits_the_tables(done.network)
    assert normal_feeding(done.network).to_dict() == {"f1": "t1", "f2": "t2", "a3": "t1"}
    assert done.section_of_load.to_dict() == {"l1": "f1", "l2": "a3", "l2b": "a3", "l3": "f2", "m1": "f2"}
    switches = done.network.switches.set_index("switch_id")
    assert switches["kind"].to_dict() == {
        "cb1": "breaker",
        "cb2": "breaker",
        "sw1": "sectionaliser",
        "nop": "tie",
    }
    assert switches.at["nop", "limit_kva"] == pytest.approx(3**0.5 * 11 * 300, rel=1e-6)
    units = done.network.transformers.set_index("transformer_id")
    assert units["rating_kva"].tolist() == [10000, 7500]
    assert units["tap_pct"].tolist() == pytest.approx([0, -2.5])
    assert units.at["t1", "vkr_pct"] == pytest.approx(0.6)
    assert units.at["t1", "vk_pct"] == pytest.approx(np.hypot(8, 0.6))
    lines = done.network.lines.set_index("line_id")
    assert lines.loc["line a2", ["r_ohm", "x_ohm", "length_km"]].tolist() == pytest.approx(
        [0.1024, 0.084, 0.8]
    )
    shares = done.network.sections.set_index("section_id")["share"]
    l1, l2 = 300 / 0.95, np.hypot(400, 100) + 12
    assert shares["a3"] == pytest.approx(l2 / (l1 + l2))
    assert done.network.sections["customers"].tolist() == [60, 2, 83]
    assert {"out_of_service", "unit_within_section", "not_carried"} <= codes(done)
    assert check_network(done.network).empty


def test_opendss_low_voltage_hangs_on_feeders_of_both_units(dss_grid):
    done = to_network(dss_grid, Level.LOW)
    units = done.network.transformers.set_index("transformer_id")
    assert units["substation_id"].to_dict() == {"d1": "bb1", "d2": "bb1", "d3": "bb2"}
    assert done.network.feeders.set_index("feeder_id")["voltage_kv"].tolist() == pytest.approx([11, 11])
    assert len(done.section_of_load) == 4
    assert "load_not_carried" in codes(done)
    assert check_network(done.network).empty


def test_single_phase_units_of_one_bank_and_a_disabled_switch(tmp_path):
    pytest.importorskip("dss", reason="needs gridlib[opendss]")
    units = [
        f"New Transformer.P{p} phases=1 windings=2 buses=(src.{p} lv.{p}) kVs=(6.35 0.24) kVAs=(50 50) XHL=3"
        for p in (1, 2, 3)
    ]
    text = [
        "Clear", "New Circuit.c basekv=11 bus1=src", *units,
        "New Line.S1 bus1=lv bus2=far switch=yes", "New Line.S2 bus1=lv bus2=other switch=yes enabled=no",
        "New Line.T bus1=far bus2=other switch=yes", "New Load.L bus1=far kv=0.415 kW=60 pf=1",
        "New Load.M bus1=other kv=0.415 kW=30 pf=1",
    ]  # fmt: skip
    (tmp_path / "m.dss").write_text("\n".join(text) + "\n", encoding="utf-8")
    done = to_network(read_grid(tmp_path / "m.dss"))
    assert done.network.transformers["rating_kva"].tolist() == [150]
    assert normal_feeding(done.network)[["far", "other"]].tolist() == ["p1", "p1"]
    assert done.network.switches.set_index("switch_id").at["s2", "normal_state"] == "OPEN"
    assert "bank" in codes(done)


@pytest.mark.parametrize("text", ["New Nonsense.a b=c", "New Circuit.x\nRedirect nowhere.dss"])
def test_what_opendss_refuses_is_refused(tmp_path, text):
    pytest.importorskip("dss", reason="needs gridlib[opendss]")
    (tmp_path / "bad.dss").write_text(text, encoding="utf-8")
    with pytest.raises(FileError, match="OpenDSS refuses"):
        read_grid(tmp_path / "bad.dss")


def test_files_of_no_known_program(tmp_path):
    with pytest.raises(FileError, match="ends in none of"):
        read_grid(tmp_path / "grid.mat")
    with pytest.raises(FileError, match="no such file"):
        read_grid(tmp_path / "grid.json")
