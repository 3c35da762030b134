"""The switchable network: what feeds what, with which load, and what is wrong with the tables.

`topology` follows the switches, `around` cuts a part out, `reports` weighs what is said of their positions,
`loads` shares the load out, `check` finds faults in the tables, and `text` writes small networks as a line of
text.
"""

from gridlib.domain.network.around import cut_around, cut_out, nearby
from gridlib.domain.network.check import check_network
from gridlib.domain.network.loads import normal_load_kva, section_load_kva, transformer_load_kva
from gridlib.domain.network.reports import Contradiction, contradictions, is_confirmed
from gridlib.domain.network.text import parse_network
from gridlib.domain.network.topology import (
    LOOPED,
    UNFED,
    FeedingTree,
    apply_moves,
    branches,
    closed_switches,
    current_states,
    feeding,
    feeding_tree,
    is_radial,
    joined_transformers,
    neighbours,
    present_states,
    undo_moves,
    usable_ties,
)

__all__ = [
    "LOOPED",
    "UNFED",
    "Contradiction",
    "FeedingTree",
    "apply_moves",
    "branches",
    "check_network",
    "closed_switches",
    "contradictions",
    "current_states",
    "cut_around",
    "cut_out",
    "feeding",
    "feeding_tree",
    "is_confirmed",
    "is_radial",
    "joined_transformers",
    "nearby",
    "neighbours",
    "normal_load_kva",
    "parse_network",
    "present_states",
    "section_load_kva",
    "transformer_load_kva",
    "undo_moves",
    "usable_ties",
]
