"""Load transfers: searched, proven hour by hour on every side, ranked by net risk.

`fleet` brings loads, trees and devices together, `capacity` says what each transformer may carry, `wiring`
and `grid` write them for the optimiser. `portfolio` finds the best switching for all transformers at risk
together and takes it apart, `options` the best for each number of operations around each of them. `feeding`
puts switches into steps, `states` works out limits and heat of each state on the way, `prove` checks them,
`way_back` finds until when one may return. `score` and `rank` weigh, `choose` decides which plans stand,
`why_not` names what forbids the rest; `ac` and `parallel` look at voltages, at what lies above and at closed
loops; `switching` finds the hour and what comes back in it, `fault_level` and `protection` say what trips and
what closes onto how much; `chance` says beside the rank how likely a plan holds, on `scenarios` of past days.
`plan` does all of it, `refresh` the numbers again for a plan that is kept, `back` its return.
"""

from gridlib.domain.planning.back import is_no_longer_needed, plan_return, return_moves
from gridlib.domain.planning.chance import describe_chance, describe_chances
from gridlib.domain.planning.plan import plan_transfers
from gridlib.domain.planning.prove import prove_moves
from gridlib.domain.planning.refresh import Bench, make_bench, refresh_plan

__all__ = [
    "Bench",
    "describe_chance",
    "describe_chances",
    "is_no_longer_needed",
    "make_bench",
    "plan_return",
    "plan_transfers",
    "prove_moves",
    "refresh_plan",
    "return_moves",
]
