"""Whole feeders before any switching: what flows into every node, so that a part can be cut out of them."""

from dataclasses import dataclass

import numpy as np

from gridlib.domain.flow.grid import Complexes, Floats, FlowGrid, Ints, Names
from gridlib.domain.flow.model import AcModel
from gridlib.domain.flow.solve import solve_flow
from gridlib.facts.messages import Message


@dataclass(frozen=True, eq=False)
class FeederFlow:
    """One feeder in all cases; arrays are cases x nodes [C, K] or cases x transformers [C, J].

    Attributes
    ----------
    nodes : array of int [K]
        Its nodes as positions in `Medium`, those next to the substation first.
    parent : array of int [K]
        Place of the next node among ``nodes``; -1 next to the substation.
    u_pu : array [C, K]
        Voltages [pu].
    draw_kva : array of complex [C, K]
        What flows into each node from above, with all losses below it [kVA].
    loss_kva : array of complex [C, K]
        Loss of the line above each node [kVA].
    line_pct : array [C, K]
        Loading of that line [%]; NaN where no limit is known.
    line_names : array of object [K]
        Its name.
    units, at : array of int [J]
        Transformers on it, and their places among ``nodes``.
    unit_names : array of object [J]
        Their names.
    unit_kva : array of complex [C, J]
        What each takes at its upper terminals [kVA].
    unit_loss_kw : array [C, J]
        Its losses [kW].
    unit_pct, unit_u_pu : array [C, J]
        Its loading [%] and low voltage [pu]; NaN where its plate is not known.
    problem : Message or None
        Why there is no solution; empty where there is one.
    """

    nodes: Ints
    parent: Ints
    u_pu: Floats
    draw_kva: Complexes
    loss_kva: Complexes
    line_pct: Floats
    line_names: Names
    units: Ints
    at: Ints
    unit_names: Names
    unit_kva: Complexes
    unit_loss_kw: Floats
    unit_pct: Floats
    unit_u_pu: Floats
    problem: Message | None


class Feeders:
    """Feeders of a network, each solved when it is first asked for, and kept."""

    def __init__(self, model: AcModel, unit_kva: Floats, factor: complex) -> None:
        """Take the loads of all transformers before any switching [C, n], and the power of 1 kVA."""
        self.model = model
        self.unit_kva: Complexes = unit_kva * np.complex128(factor)
        self._kept: dict[int, FeederFlow] = {}
        self._unit_of = {str(name): k for k, name in enumerate(model.tree.nodes[: model.tree.transformers])}

    def units(self, tree: int) -> tuple[Ints, Ints]:
        """Find the transformers on a feeder, and their places among its nodes."""
        names = self.model.medium.names[self.model.medium.members[tree]]
        found = [(self._unit_of[str(name)], k) for k, name in enumerate(names) if str(name) in self._unit_of]
        both = np.array(found, dtype=np.int64).reshape(-1, 2)
        return both[:, 0], both[:, 1]

    def unknown(self, tree: int) -> list[str]:
        """Name the transformers of a feeder whose load is not known in every case."""
        units, _ = self.units(tree)
        blank = units[~np.isfinite(self.unit_kva[:, units]).all(axis=0)]
        return [str(name) for name in self.model.tree.nodes[blank]]

    def unplated(self, tree: int) -> list[str]:
        """Name the transformers of a feeder whose load is taken without their losses."""
        units, _ = self.units(tree)
        return [str(name) for name in self.model.tree.nodes[units[self.model.unit[units] < 0]]]

    def flow(self, tree: int) -> FeederFlow:
        """Give the flow of a feeder whose loads are all known."""
        if tree not in self._kept:
            self._kept[tree] = self._solved(tree)
        return self._kept[tree]

    def _solved(self, tree: int) -> FeederFlow:
        model = self.model
        nodes = model.medium.members[tree]
        units, at = self.units(tree)
        plated = model.unit[units] >= 0
        lines = model.first_medium_line + model.medium.line[nodes]
        high = model.medium_node[nodes]
        every = np.concatenate([high, units[plated], [model.root[tree]]])
        grid = model.part(every, lines, model.unit[units[plated]], np.array([model.root[tree]]))
        load = self.unit_kva[:, units]
        total = np.zeros((len(load), len(every)), dtype=complex)
        total[:, len(nodes) + np.arange(plated.sum())] = load[:, plated]
        np.add.at(total.T, at[~plated], load[:, ~plated].T)
        flow = solve_flow(grid, total.real, total.imag)
        loss = line_loss_kva(grid, flow.line_a)
        unit_loss = np.zeros(load.shape, dtype=complex)
        unit_loss[:, plated] = transformer_loss_kva(grid, flow.transformer_pct)
        place = np.full(len(model.medium.names), -1, dtype=np.int64)
        place[nodes] = np.arange(len(nodes))
        parent = place[model.medium.parent[nodes]]
        draw = np.zeros((len(load), len(nodes)), dtype=complex)
        np.add.at(draw.T, at, (load + unit_loss).T)
        for k in range(len(nodes) - 1, -1, -1):
            if parent[k] >= 0:
                draw[:, parent[k]] += draw[:, k] + loss[:, k]
        pct, low = np.full((2, *load.shape), np.nan)
        pct[:, plated] = flow.transformer_pct
        low[:, plated] = flow.u_pu[:, len(nodes) + np.arange(plated.sum())]
        return FeederFlow(
            nodes=nodes,
            parent=parent,
            u_pu=flow.u_pu[:, : len(nodes)],
            draw_kva=draw,
            loss_kva=loss,
            line_pct=flow.line_pct,
            line_names=grid.lines.names,
            units=units,
            at=at,
            unit_names=model.tree.nodes[units].to_numpy(dtype=object),
            unit_kva=load + unit_loss,
            unit_loss_kw=unit_loss.real,
            unit_pct=pct,
            unit_u_pu=low,
            problem=next(
                (Message("flow.before", {"finding": found.message}) for found in flow.findings), None
            ),
        )


def line_loss_kva(grid: FlowGrid, line_a: Floats) -> Complexes:
    """Loss of each line [kVA] from its current: ``3 I^2 (r + jx)``; lines without charging."""
    ohm = grid.lines.r_ohm + 1j * grid.lines.x_ohm
    return np.asarray(3e-3 * line_a**2 * ohm)


def transformer_loss_kva(grid: FlowGrid, loading_pct: Floats) -> Complexes:
    """Load loss of each transformer [kVA] from its loading by current: ``(I / I_r)^2 (vkr + jvx) S_r``."""
    units = grid.transformers
    reactance = np.sqrt(np.maximum(units.vk_pct**2 - units.vkr_pct**2, 0.0))
    return np.asarray((loading_pct / 100) ** 2 * units.rating_kva * (units.vkr_pct + 1j * reactance) / 100)
