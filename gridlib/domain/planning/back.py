"""The way back of an executed transfer: a plan of its own, proven like any other."""

from collections.abc import Sequence
from dataclasses import replace

import pandas as pd

from gridlib.domain.planning.refresh import refresh_plan
from gridlib.domain.thermal import ThermalState
from gridlib.facts.forecasts import JointPaths
from gridlib.facts.types import Limits, Move, Network, Plan, PlanningRules, Proof


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
    network: Network,
    forecast: pd.DataFrame,
    executed: Plan,
    plan_id: str,
    ambient_c: pd.DataFrame,
    *,
    limits: Limits,
    rules: PlanningRules,
    initial: ThermalState | None = None,
    paths: JointPaths | None = None,
    reserved: Sequence[Move] = (),
    tz: str = "UTC",
    now: pd.Timestamp | None = None,
) -> tuple[Plan | None, Proof]:
    """Plan the return of an executed transfer.

    Parameters
    ----------
    network : Network
        The network with its reported switch states.
    forecast : DataFrame
        The newest `ForecastFrame`, every section at its normal transformer.
    executed : Plan
        The transfer.
    plan_id : str
        Its number.
    ambient_c : DataFrame
        Air at each transformer over the horizon, wide: time x transformer [degC].
    limits : Limits
        Risk levels and limits of the site.
    rules : PlanningRules
        How transfers are checked.
    initial : ThermalState, optional
        State before the horizon, in the order of the transformers in ``forecast``.
    paths : JointPaths, optional
        Joint error paths of the forecast, for the chance that the return holds.
    reserved : sequence of Move
        Moves of all open plans.
    tz : str
        Zone in which reasons name the hours.
    now : Timestamp, optional
        Moment at which the age of reported switch positions counts.

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
        plan, proof = refresh_plan(
            network,
            forecast,
            draft,
            ambient_c,
            limits=limits,
            rules=rules,
            initial=initial,
            paths=paths,
            reserved=reserved,
            tz=tz,
            now=now,
        )
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
