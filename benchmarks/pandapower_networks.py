"""pandapower networks as our tables, and every transfer between two transformers that one of them allows."""

import copy
import itertools
import logging
import warnings
from dataclasses import replace

import networkx as nx
import numpy as np
import pandas as pd

from gridlib.domain.flow import flow_grid

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import pandapower
    from pandapower import networks
logging.getLogger("pandapower").setLevel(logging.ERROR)


def network(name):
    """Load one of pandapower's networks."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return getattr(networks, name)()


def run_pandapower(net):
    """Solve a network by pandapower with the same model of a transformer as ours."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        pandapower.runpp(net, trafo_model="pi", tolerance_mva=1e-10, numba=False)


def from_pandapower(net):
    """Turn a network into a `FlowGrid` with loads p_kw, q_kvar [1, N]; its buses come first.

    A line open at one end stays under voltage: it ends at a node of its own there, as in pandapower. Taps are
    those of the high-voltage winding, as steps from neutral.
    """
    position = {bus: place for place, bus in enumerate(net.bus.index)}
    line = net.line
    ends = {side: [f"bus {bus}" for bus in line[f"{side}_bus"]] for side in ("from", "to")}
    kv = dict(zip((f"bus {bus}" for bus in net.bus.index), net.bus.vn_kv, strict=True))
    row = {element: place for place, element in enumerate(line.index)}
    for switch in net.switch[(net.switch.et == "l") & ~net.switch.closed].itertuples():
        side = "from" if line.from_bus[switch.element] == switch.bus else "to"
        ends[side][row[switch.element]] = open_end = f"open end of line {switch.element} at {switch.bus}"
        kv[open_end] = net.bus.vn_kv[switch.bus]
    km = line.length_km.to_numpy()
    lines = pd.DataFrame(
        {
            "line_id": [f"line {element}" for element in line.index],
            "from_id": ends["from"],
            "to_id": ends["to"],
            "r_ohm": (line.r_ohm_per_km * km / line.parallel).to_numpy(),
            "x_ohm": (line.x_ohm_per_km * km / line.parallel).to_numpy(),
            "c_uf": (line.c_nf_per_km * km * line.parallel).to_numpy() / 1e3,
            "limit_a": 1e3 * (line.max_i_ka * line.df * line.parallel).to_numpy(),
            "closed": line.in_service.to_numpy(dtype=bool),
        }
    )
    unit = net.trafo
    steps = (unit.tap_pos - unit.tap_neutral).astype(float).fillna(0.0).to_numpy()
    transformers = pd.DataFrame(
        {
            "transformer_id": [f"trafo {element}" for element in unit.index],
            "hv_id": [f"bus {bus}" for bus in unit.hv_bus],
            "lv_id": [f"bus {bus}" for bus in unit.lv_bus],
            "rating_kva": 1e3 * unit.sn_mva.to_numpy(),
            "hv_kv": unit.vn_hv_kv.to_numpy(),
            "lv_kv": unit.vn_lv_kv.to_numpy(),
            "vk_pct": unit.vk_percent.to_numpy(),
            "vkr_pct": unit.vkr_percent.to_numpy(),
            "tap_pct": steps * unit.tap_step_percent.astype(float).fillna(0.0).to_numpy(),
            "no_load_kw": unit.pfe_kw.to_numpy(),
            "no_load_pct": unit.i0_percent.to_numpy(),
        }
    )
    couplers = net.switch[net.switch.et == "b"]
    links = pd.DataFrame(
        {
            "link_id": [f"switch {element}" for element in couplers.index],
            "from_id": [f"bus {bus}" for bus in couplers.bus],
            "to_id": [f"bus {bus}" for bus in couplers.element],
            "closed": couplers.closed.to_numpy(dtype=bool),
        }
    )
    sources = pd.DataFrame(
        {"node_id": [f"bus {bus}" for bus in net.ext_grid.bus], "u_pu": net.ext_grid.vm_pu.to_numpy()}
    )
    nodes = pd.DataFrame({"node_id": list(kv), "kv": list(kv.values())})
    grid = flow_grid(nodes, sources, lines=lines, transformers=transformers, links=links)
    loads = np.zeros((2, len(nodes)))
    for table, sign in ((net.load, 1e3), (net.sgen, -1e3)):
        table = table[table.in_service.astype(bool)]
        at = [position[bus] for bus in table.bus]
        np.add.at(loads[0], at, sign * (table.p_mw * table.scaling).to_numpy())
        np.add.at(loads[1], at, sign * (table.q_mvar * table.scaling).to_numpy())
    return grid, loads[0][None], loads[1][None]


def transfers(net):
    """List every transfer between two transformers: closed tie, opened line, donor, receiver (row names).

    A tie is an open line whose ends hang on different transformers; the opened line is any on the way from
    the tie to the donor.
    """
    is_open = set(net.switch.element[(net.switch.et == "l") & ~net.switch.closed])
    graph = nx.Graph()
    for element, start, end in zip(net.line.index, net.line.from_bus, net.line.to_bus, strict=True):
        if element not in is_open:
            graph.add_edge(start, end, line=element)
    for switch in net.switch[(net.switch.et == "b") & net.switch.closed].itertuples():
        graph.add_edge(switch.bus, switch.element, line=None)
    unit_of = {
        bus: unit for unit, low in net.trafo.lv_bus.items() for bus in nx.node_connected_component(graph, low)
    }
    found = []
    for tie in sorted(is_open):
        ends = int(net.line.from_bus[tie]), int(net.line.to_bus[tie])
        for near, far in (ends, ends[::-1]):
            donor, receiver = unit_of.get(near), unit_of.get(far)
            if donor is None or receiver is None or donor == receiver:
                continue
            way = nx.shortest_path(graph, near, net.trafo.lv_bus[donor])
            lines = [graph.edges[pair]["line"] for pair in itertools.pairwise(way)]
            found += [(tie, line, donor, receiver) for line in lines if line is not None]
    return found


def transferred(net, grid, tie, opened):
    """Set both networks to the state after a transfer; returns them."""
    after = copy.deepcopy(net)
    after.switch.loc[(after.switch.et == "l") & (after.switch.element == tie), "closed"] = True
    after.line.loc[opened, "in_service"] = False
    lines = grid.lines
    start, end, closed = lines.start.copy(), lines.end.copy(), lines.closed.copy()
    place = list(lines.names).index(f"line {tie}")
    names = list(grid.names)
    start[place] = names.index(f"bus {net.line.from_bus[tie]}")
    end[place] = names.index(f"bus {net.line.to_bus[tie]}")
    closed[list(lines.names).index(f"line {opened}")] = False
    return after, replace(grid, lines=replace(lines, start=start, end=end, closed=closed))


def to_pandapower(nodes, sources, lines, transformers, n):
    """Build one feeder for pandapower from the tables of `flow_grid`, with loads at the last n nodes."""
    net = pandapower.create_empty_network()
    bus = dict(zip(nodes["node_id"], pandapower.create_buses(net, len(nodes), nodes["kv"]), strict=True))
    for name in sources["node_id"]:
        pandapower.create_ext_grid(net, bus[name])
    pandapower.create_lines_from_parameters(
        net,
        lines["from_id"].map(bus),
        lines["to_id"].map(bus),
        length_km=1.0,
        r_ohm_per_km=lines["r_ohm"].to_numpy(),
        x_ohm_per_km=lines["x_ohm"].to_numpy(),
        c_nf_per_km=0.0,
        max_i_ka=lines["limit_a"].to_numpy() / 1e3,
    )
    pandapower.create_transformers_from_parameters(
        net,
        transformers["hv_id"].map(bus),
        transformers["lv_id"].map(bus),
        sn_mva=transformers["rating_kva"].to_numpy() / 1e3,
        vn_hv_kv=transformers["hv_kv"].to_numpy(),
        vn_lv_kv=transformers["lv_kv"].to_numpy(),
        vk_percent=transformers["vk_pct"].to_numpy(),
        vkr_percent=transformers["vkr_pct"].to_numpy(),
        pfe_kw=transformers["no_load_kw"].to_numpy(),
        i0_percent=transformers["no_load_pct"].to_numpy(),
        tap_side="hv",
        tap_neutral=0,
        tap_pos=1,
        tap_step_percent=transformers["tap_pct"].to_numpy(),
        tap_changer_type="Ratio",
    )
    pandapower.create_loads(net, nodes["node_id"].iloc[-n:].map(bus), p_mw=0.0)
    return net
