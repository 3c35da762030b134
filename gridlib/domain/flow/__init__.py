"""AC power flow and what it proves.

`flow_grid` takes tables of nodes, lines, transformers, links and sources and names what is impossible,
`solve_flow` solves all hours of all scenarios of one switch state, `prove_ac` proves a switch sequence of a
network state by state, `largest_fault_ka` and `smallest_fault_ka` give short-circuit currents, and
`least_losses` searches the radial state with least losses.
"""

from gridlib.domain.flow.build import flow_grid
from gridlib.domain.flow.fault import largest_fault_ka, smallest_fault_ka
from gridlib.domain.flow.grid import Finding, FlowGrid
from gridlib.domain.flow.losses import LeastLosses, least_losses
from gridlib.domain.flow.proof import AC_METHOD, ADDITIVE, AcEnergy, AcLoading, AcProof, AcState
from gridlib.domain.flow.prove import VOLTAGE_BAND_PU, prove_ac
from gridlib.domain.flow.solve import FlowResult, solve_flow

__all__ = [
    "AC_METHOD",
    "ADDITIVE",
    "VOLTAGE_BAND_PU",
    "AcEnergy",
    "AcLoading",
    "AcProof",
    "AcState",
    "Finding",
    "FlowGrid",
    "FlowResult",
    "LeastLosses",
    "flow_grid",
    "largest_fault_ka",
    "least_losses",
    "prove_ac",
    "smallest_fault_ka",
    "solve_flow",
]
