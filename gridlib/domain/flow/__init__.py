"""AC power flow and what it proves.

`flow_grid` takes tables of nodes, lines, transformers, links and sources and names what is impossible,
`solve_flow` solves all hours of all scenarios of one switch state, `prove_ac` proves a switch sequence of a
network state by state, and `least_losses` searches the radial state with least losses.
"""

from gridlib.domain.flow.build import flow_grid
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
    "least_losses",
    "prove_ac",
    "solve_flow",
]
