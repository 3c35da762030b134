"""Load transfers: searched, proven hour by hour on every side, ranked by net risk.

`fleet` brings loads, trees and devices together, `search` lists transfers, `prove` checks them, `score` and
`rank` weigh them, `plan` does it for all transformers at risk.
"""

from gridlib.domain.planning.plan import plan_transfers
from gridlib.domain.planning.prove import prove_moves

__all__ = ["plan_transfers", "prove_moves"]
