"""Short-circuit currents at nodes of a network, after IEC 60909-0."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from power_grid_model import (
    ComponentType,
    FaultPhase,
    FaultType,
    PowerGridModel,
    ShortCircuitVoltageScaling,
    WindingType,
    initialize_array,
)

from gridlib.domain.flow.engine import STIFF_VA, component_table, line_table, transformer_table
from gridlib.domain.flow.grid import Bools, Floats, FlowGrid, Ints
from gridlib.domain.flow.parts import Parts, divide

LOW_KV = 1.0
"""Highest nominal voltage that is low voltage [kV]."""

C_MAX = 1.10
"""Voltage factor of the largest current, IEC 60909-0:2016, table 1: medium voltage, and low voltage that may
lie 10 % above nominal."""

C_MIN_LOW, C_MIN_MEDIUM = 0.90, 1.00
"""Voltage factors of the smallest current, same table: low voltage that may lie 10 % below nominal, and
medium voltage."""

SOURCE_RX = 0.1
"""R/X of the supply above where nothing is known, IEC 60909-0:2016, 6.2: X_Q = 0.995 Z_Q."""

RISE_PER_K = 0.004
"""Rise of the resistance of copper and aluminium from 20 degC [1/K], IEC 60909-0:2016, equation for R_L."""

CONDUCTOR_C = 90.0
"""Temperature of the conductors at the smallest current [degC]: the highest that cross-linked polyethylene
may keep in service; more heat in the fault itself is left out, because a fault that small lasts."""

LOOP_TO_LINE = 4.0
"""Zero- to positive-sequence impedance of a low-voltage line whose neutral equals its phases: Z + 3 Z."""

_SCALED = 1.1  # power-grid-model's factor of the largest current, at every voltage


class _Case(NamedTuple):
    """Kind of fault, voltage factors, temperature of the conductors [degC], and whether K_T counts."""

    kind: FaultType
    phase: FaultPhase
    c_low: float
    c_medium: float
    conductor_c: float
    corrected: bool


_LARGEST = _Case(FaultType.three_phase, FaultPhase.default_value, C_MAX, C_MAX, 20.0, corrected=True)
_SMALLEST = _Case(
    FaultType.single_phase_to_ground, FaultPhase.a, C_MIN_LOW, C_MIN_MEDIUM, CONDUCTOR_C, corrected=False
)


def largest_fault_ka(grid: FlowGrid, at: Sequence[str], source_mva: npt.ArrayLike) -> Floats:
    """Largest initial symmetrical short-circuit current: three phases, all sources at their strongest.

    Parameters
    ----------
    grid : FlowGrid
        The network in the state that counts; a closed tie puts two transformers in parallel.
    at : sequence of str
        Nodes at which the fault is.
    source_mva : array
        Three-phase fault level of each source [MVA]; where it is not known (NaN) the source is taken for
        infinitely strong, so that the current is an upper bound.

    Returns
    -------
    array
        Current at each node [kA]; NaN where no source reaches it. Lines without impedance make it an upper
        bound, too.

    Notes
    -----
    ``I = c U_n / (sqrt(3) |Z|)`` with c = 1.1. A source has ``Z_Q = c U_nQ^2 / S_kQ`` with R = 0.1 X, a
    transformer ``K_T Z_T`` with ``K_T = 0.95 c / (1 + 0.6 x_T)``; taps, loads and line charging are left out,
    resistances are those at 20 degC. Motors and inverters add nothing here.

    References
    ----------
    IEC 60909-0:2016, table 1 (voltage factor), 6.2 (network feeders), 6.3.3 (K_T).
    """
    level = np.asarray(source_mva, dtype=float)
    return _fault_ka(grid, at, np.where(np.isnan(level), STIFF_VA / 1e6, level), _LARGEST)


def smallest_fault_ka(grid: FlowGrid, at: Sequence[str], source_mva: npt.ArrayLike) -> Floats:
    """Smallest initial short-circuit current: one phase to neutral, sources weak, conductors hot.

    Parameters
    ----------
    grid : FlowGrid
        The network in the state that counts.
    at : sequence of str
        Nodes at which the fault is: the far ends.
    source_mva : array
        Smallest three-phase fault level of each source [MVA].

    Returns
    -------
    array
        Current at each node [kA]; NaN where no source reaches it or that source's level is not known (NaN).

    Notes
    -----
    ``I = sqrt(3) c U_n / |Z_1 + Z_2 + Z_0|`` with c = 0.9 at low voltage and 1.0 above it, ``Z_2 = Z_1``.
    Assumed of the zero sequence: transformers are Dyn, so that ``Z_0 = Z_1`` and none flows above them; the
    neutral of a low-voltage line is as thick as its phases, so that ``Z_0 = 4 Z_1``. Resistances of lines are
    those at 90 degC; K_T is for the largest currents.

    References
    ----------
    IEC 60909-0:2016, table 1 (voltage factor), equations for the line-to-earth short circuit.
    """
    level = np.asarray(source_mva, dtype=float)
    found = _fault_ka(grid, at, np.where(np.isnan(level), STIFF_VA / 1e6, level), _SMALLEST)
    island = divide(grid).island
    places = {str(name): place for place, name in enumerate(grid.names)}
    weak = np.isin(island[[places[name] for name in at]], island[grid.source[np.isnan(level)]])
    return np.where(weak, np.nan, found)


def _fault_ka(grid: FlowGrid, at: Sequence[str], source_mva: Floats, case: _Case) -> Floats:
    parts = divide(grid)
    places = {str(name): place for place, name in enumerate(grid.names)}
    nodes = np.array([places[name] for name in at], dtype=np.int64)
    reached = np.flatnonzero(parts.supplied[parts.island[nodes]])
    currents = np.full(len(nodes), np.nan)
    if not len(reached):
        return currents
    model, row_of, fault_id = _model(grid, parts, source_mva, case)
    faults = initialize_array("update", "fault", (len(reached), 1))
    faults["id"] = fault_id
    faults["fault_object"][:, 0] = row_of[nodes[reached]]
    solved: Any = model.calculate_short_circuit(
        update_data={"fault": faults},
        short_circuit_voltage_scaling=ShortCircuitVoltageScaling.maximum,
        output_component_types={ComponentType.fault: ["i_f"]},
    )
    factor = np.where(grid.kv[nodes[reached]] <= LOW_KV, case.c_low, case.c_medium) / _SCALED
    currents[reached] = factor * solved["fault"]["i_f"][:, 0, 0] / 1e3
    return currents


def _model(grid: FlowGrid, parts: Parts, source_mva: Floats, case: _Case) -> tuple[PowerGridModel, Ints, int]:
    """Model the parts with a source; also the row of each node and the number of the fault."""
    nodes = np.flatnonzero(parts.supplied[parts.island])
    groups, first, row = np.unique(parts.group[nodes], return_index=True, return_inverse=True)
    row_of = np.full(len(grid.names), -1, dtype=np.int64)
    row_of[nodes] = row

    def inside(start: Ints, end: Ints, closed: Bools) -> Ints:
        return np.flatnonzero(closed & (row_of[start] >= 0) & (row_of[start] != row_of[end]))

    lines = inside(grid.lines.start, grid.lines.end, grid.lines.closed)
    units = inside(grid.transformers.start, grid.transformers.end, grid.transformers.closed)
    ids = np.cumsum([0, len(groups), len(lines), len(units), len(grid.source)]).tolist()
    wires = line_table(grid, lines, row_of, ids[1])
    wires["c1"] = 0.0
    wires["r1"] *= 1 + RISE_PER_K * (case.conductor_c - 20)
    wires["r0"], wires["x0"] = LOOP_TO_LINE * wires["r1"], LOOP_TO_LINE * wires["x1"]
    wires["c0"] = wires["tan0"] = 0.0
    model = PowerGridModel(
        {
            "node": component_table("node", ids[0], len(groups), u_rated=1e3 * grid.kv[nodes[first]]),
            "line": wires,
            "transformer": _units(grid, units, row_of, ids[2], case),
            "source": component_table(
                "source",
                ids[3],
                len(grid.source),
                node=row_of[grid.source],
                status=1,
                u_ref=1.0,
                sk=1e6 * source_mva / case.c_medium,
                rx_ratio=SOURCE_RX,
                z01_ratio=1.0,
            ),
            "fault": component_table(
                "fault",
                ids[4],
                1,
                status=1,
                fault_object=0,
                fault_type=case.kind,
                fault_phase=case.phase,
                r_f=0.0,
                x_f=0.0,
            ),
        }
    )
    return model, row_of, ids[4]


def _units(grid: FlowGrid, units: Ints, row_of: Ints, first_id: int, case: _Case) -> np.ndarray[Any, Any]:
    """Lay out transformers without taps and no-load branch, as Dyn."""
    plates = grid.transformers
    table = transformer_table(grid, units, row_of, first_id)
    if case.corrected:
        x_pu = np.sqrt(plates.vk_pct[units] ** 2 - plates.vkr_pct[units] ** 2) / 100
        k_t = 0.95 * C_MAX / (1 + 0.6 * x_pu)
        table["uk"] *= k_t
        table["pk"] *= k_t
    table["u1"] = 1e3 * plates.hv_kv[units]
    table["i0"] = table["p0"] = 0.0
    table["winding_from"], table["clock"] = WindingType.delta, 11
    return table
