"""Load transfers at array level: the best switching that harms nobody, with a bound on what any could do.

`section_grid` builds the grid, `evaluate` judges a switch state, `solve_transfers` finds the proven optimum,
`greedy_transfers` the answer of checked single transfers, `single_transfers` what each of them is worth and
which limit forbids it.
"""

from gridlib.domain.transfer.flow import Evaluation, Flows, evaluate, flows
from gridlib.domain.transfer.greedy import greedy_transfers
from gridlib.domain.transfer.grid import SectionGrid, section_grid
from gridlib.domain.transfer.reach import Finding
from gridlib.domain.transfer.single import SingleTransfers, single_transfers
from gridlib.domain.transfer.solve import (
    CUT_SHORT,
    GREEDY,
    PROVEN,
    TransferGroup,
    TransferPlan,
    TransferResult,
    solve_transfers,
)

__all__ = [
    "CUT_SHORT",
    "GREEDY",
    "PROVEN",
    "Evaluation",
    "Finding",
    "Flows",
    "SectionGrid",
    "SingleTransfers",
    "TransferGroup",
    "TransferPlan",
    "TransferResult",
    "evaluate",
    "flows",
    "greedy_transfers",
    "section_grid",
    "single_transfers",
    "solve_transfers",
]
