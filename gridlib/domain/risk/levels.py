"""From score to level, and the order in which people see the transformers."""

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from gridlib.facts.types import Limits, RiskLevel

LEVELS = np.array([RiskLevel.LOW.value, RiskLevel.MEDIUM.value, RiskLevel.HIGH.value], dtype=object)
LOW, MEDIUM, HIGH = 0, 1, 2
"""Ranks of the levels, positions in `LEVELS`."""

RULE_FLOORS = {"R0": MEDIUM, "R1": MEDIUM, "R2": HIGH}
"""Least level that a rule asks for."""


def level_of(score: ArrayLike, limits: Limits) -> NDArray[np.int64]:
    """Rank the level of a score: LOW below ``medium_score``, HIGH from ``high_score``.

    Examples
    --------
    >>> level_of([0.29, 0.3, 0.7], Limits()).tolist()
    [0, 1, 2]
    """
    return np.searchsorted([limits.medium_score, limits.high_score], np.asarray(score), side="right").astype(
        np.int64
    )


def rank_of(levels: pd.Series) -> NDArray[np.int64]:
    """Turn the words of levels into their ranks."""
    return levels.map({word: rank for rank, word in enumerate(LEVELS)}).to_numpy(np.int64)


def sort_risk(risk: pd.DataFrame) -> pd.DataFrame:
    """Put imminent transformers first, then by level, score and name."""
    order = np.lexsort(
        (
            risk["transformer_id"].to_numpy(str),
            -risk["risk_score"].to_numpy(float),
            -rank_of(risk["risk_level"]),
            ~risk["imminent"].to_numpy(bool),
        )
    )
    return risk.iloc[order].reset_index(drop=True)
