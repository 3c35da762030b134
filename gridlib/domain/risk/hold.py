"""Levels that do not flutter: up at once, down only with a margin and after several runs."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gridlib.domain.risk.levels import HIGH, LEVELS, LOW, RULE_FLOORS, level_of, rank_of, sort_risk
from gridlib.facts.messages import Message, from_json, render, to_json
from gridlib.facts.types import Limits


def hold_level(scored: pd.DataFrame, previous: Sequence[pd.DataFrame], limits: Limits) -> pd.DataFrame:
    """Keep a level until it has been left clearly and long enough; a rise counts at once.

    Parameters
    ----------
    scored : DataFrame
        `RiskFrame` of this run, as scored.
    previous : sequence of DataFrame
        Risk frames of the runs before, with held levels, newest first.
    limits : Limits
        ``downgrade_margin`` and ``downgrade_runs``: a level is left when in this and the runs before it,
        ``downgrade_runs`` in all, the score was the margin below the level and no rule asked for it.

    Returns
    -------
    DataFrame
        `RiskFrame` with the held levels, each with the sentence that says so, sorted anew. Scores are
        untouched.
    """
    if not previous or scored.empty:
        return scored
    ids = scored["transformer_id"]
    recent = [scored, *previous[: limits.downgrade_runs - 1]]
    before = previous[0].set_index("transformer_id")["risk_level"].reindex(ids)
    was = np.where(before.isna(), LOW, rank_of(before.fillna(LEVELS[LOW])))
    raw = rank_of(scored["risk_level"])
    held = raw.copy()
    for rank in range(LOW + 1, HIGH + 1):
        calm = np.full(len(scored), len(recent) == limits.downgrade_runs)
        for run in recent:
            calm &= _calm(run, ids, rank, limits)
        held = np.where((was >= rank) & ~calm, np.maximum(held, rank), held)
    kept = held > raw
    reasons, messages = list(scored["reasons"]), list(scored["messages"])
    for i in np.flatnonzero(kept):
        level = Message(f"level.{LEVELS[held[i]]}", {})
        said = Message(
            "risk.held", {"level": level, "runs": limits.downgrade_runs, "margin": limits.downgrade_margin}
        )
        reasons[i] = [*reasons[i], render(said)]
        messages[i] = to_json([*from_json(messages[i]), said])
    return sort_risk(
        scored.assign(
            risk_level=LEVELS[held],
            reasons=pd.Series(reasons, index=scored.index, dtype=object),
            messages=pd.Series(messages, index=scored.index, dtype=object),
        )
    )


def _calm(run: pd.DataFrame, ids: pd.Series, rank: int, limits: Limits) -> NDArray[np.bool_]:
    """Find who was clearly below a level in one run; unknown there is not calm."""
    rows = run.set_index("transformer_id").reindex(ids)
    asked = np.array(
        [
            any(RULE_FLOORS[rule] >= rank for rule in str(rules).split())
            for rules in rows["raised_by"].fillna("")
        ]
    )
    score = rows["risk_score"].to_numpy(float)
    below = level_of(np.nan_to_num(score, nan=1.0) + limits.downgrade_margin - 1e-12, limits) < rank
    return np.asarray(below & ~asked)
