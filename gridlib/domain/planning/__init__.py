"""Load transfers: searched, proven hour by hour on every side, ranked by net risk.

`fleet` brings loads, trees and devices together, `search` lists transfers, `prove` checks them, `score` and
`rank` weigh them, `plan` does it for all transformers at risk,
`refresh` again for a plan that is kept.
"""

from gridlib.domain.planning.plan import plan_transfers
from gridlib.domain.planning.prove import prove_moves
from gridlib.domain.planning.refresh import refresh_plan

__all__ = ["plan_transfers", "prove_moves", "refresh_plan"]
