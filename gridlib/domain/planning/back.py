"""The way back of an executed transfer: a plan of its own, proven like any other."""

from collections.abc import Sequence
from dataclasses import replace

from gridlib.domain.planning.refresh import Bench, refresh_plan
from gridlib.facts.types import Limits, Move, Plan, Proof


def return_moves(moves: Sequence[Move]) -> tuple[Move, ...]:
    """Turn moves round: the inverse switching in reverse order.

    Parameters
    ----------
    moves : sequence of Move
        In the order in which they were carried out.

    Returns
    -------
    tuple of Move
        What takes them back.

    Examples
    --------
    >>> there = Move("s1", "t1", ("b",), "T1", "T2")
    >>> return_moves([there])[0].open_switch, return_moves(return_moves([there]))[0] == there
    ('t1', True)
    """
    return tuple(
        Move(
            open_switch=move.close_switch,
            close_switch=move.open_switch,
            sections=move.sections,
            from_transformer=move.to_transformer,
            to_transformer=move.from_transformer,
            closes_first=move.closes_first,
        )
        for move in reversed(moves)
    )


def plan_return(
    bench: Bench, executed: Plan, plan_id: str, reserved: Sequence[Move] = ()
) -> tuple[Plan | None, Proof]:
    """Plan the return of an executed transfer.

    Parameters
    ----------
    bench : Bench
        The newest forecast and network.
    executed : Plan
        The transfer.
    plan_id : str
        Its number.
    reserved : sequence of Move
        Moves of all open plans.

    Returns
    -------
    plan : Plan or None
        Without hours of need and deadline; to be switched in the hour of the horizon in which the least load
        moves. None where the proof does not hold, or a transformer cannot be scored.
    proof : Proof
        Says whether the network before the transfer would hold in every hour of the horizon, and why not.

    Notes
    -----
    The states of the return are those of the transfer in the other order; what is proven is that no limit is
    newly broken, by load, heat, AC power flow, fault level and protection, once it is done. Where the tie
    closed first and the loop does not hold now, the device opens first.
    """
    moves = return_moves(executed.moves)
    orders = [moves]
    if any(move.closes_first for move in moves):
        orders.append(tuple(replace(move, closes_first=False) for move in moves))
    for order in orders:
        draft = replace(
            executed,
            rank=1,
            moves=order,
            relieves=(),
            aim_pct=None,
            left_kvah=None,
            bound_kvah=None,
            gap_pct=None,
            standing="",
            returns=plan_id,
        )
        plan, proof = refresh_plan(bench, draft, reserved)
        if proof.holds:
            break
    return plan, proof


def is_no_longer_needed(back: Plan, limits: Limits) -> bool:
    """Tell whether a return leaves nobody at risk, so that it may be proposed.

    Parameters
    ----------
    back : Plan
        A return that holds.
    limits : Limits
        ``medium_score`` is used.

    Returns
    -------
    bool
        True when every touched transformer scores below MEDIUM in the network before the transfer; otherwise
        the next run would plan the same transfer again.
    """
    return all(side.risk_after < limits.medium_score for side in back.sides)
