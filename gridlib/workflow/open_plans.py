"""What open plans speak for: headroom that nobody else may spend, and transformers they already cover."""

from collections.abc import Sequence

from gridlib.adapters.records.plans import PlanRecord
from gridlib.facts.types import Move, PlanState


def reserved_moves(records: Sequence[PlanRecord], *, but: str = "") -> tuple[Move, ...]:
    """Collect the moves whose headroom is spoken for: decided plans, of undecided ones the best each.

    ``but`` names the transformer whose own plans do not count.
    """
    return tuple(
        move
        for record in records
        if record.plan.transformer_id != but
        and (record.state is not PlanState.DRAFT or record.plan.rank == 1)
        for move in record.plan.moves
    )


def covered_by(record: PlanRecord) -> tuple[str, ...]:
    """Name the transformers that an open plan covers; an undecided alternative covers its own alone."""
    alternative = record.state is PlanState.DRAFT and record.plan.rank > 1
    return (record.plan.transformer_id, *(() if alternative else record.plan.relieves))
