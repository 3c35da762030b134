"""The three components of the risk score, from arrays over time and transformer."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gridlib.domain.thermal.arrays import Floats
from gridlib.facts.types import Limits
from gridlib.facts.units import QUANTILE_LEVELS


def _weights() -> Floats:
    """Trapezoid weights over the quantile levels, the outer ones held to 0 and 1."""
    levels = np.array([0.0, *QUANTILE_LEVELS, 1.0])
    gaps = np.diff(levels)
    weights: Floats = (gaps[:-1] + gaps[1:]) / 2
    weights[0] += gaps[0] / 2
    weights[-1] += gaps[-1] / 2
    return weights


def expected_severity(quantile_kva: Floats, rating_kva: Floats, limits: Limits) -> Floats:
    """Compute the expected overload severity of each hour under the forecast distribution.

    Parameters
    ----------
    quantile_kva : array [Q, T, N]
        Load at the levels `gridlib.facts.units.QUANTILE_LEVELS`, signed [kVA].
    rating_kva : array [N]
        Nameplate [kVA].
    limits : Limits
        ``overload_points``: severity f, piecewise linear through (loading [%], severity).

    Returns
    -------
    array [T, N]
        In [0, 1].

    Notes
    -----
    ``E f = integral of f(|Q(u)| / rating) du`` over u in [0, 1], by trapezoids between the levels; below
    the lowest and above the highest level the quantile is held, so the far tail is not guessed at.
    """
    loading, severity = np.transpose(limits.overload_points)
    expected = np.zeros(quantile_kva.shape[1:])
    for weight, load in zip(_weights(), quantile_kva, strict=True):
        expected += weight * np.interp(100 * np.abs(load) / rating_kva, loading, severity)
    return expected


def overload_component(quantile_kva: Floats, rating_kva: Floats, limits: Limits) -> Floats:
    """Score the overload: the largest expected severity of the horizon.

    Parameters
    ----------
    quantile_kva : array [Q, T, N]
        Load at the levels `gridlib.facts.units.QUANTILE_LEVELS`, signed [kVA].
    rating_kva : array [N]
        Nameplate [kVA].
    limits : Limits
        ``overload_points`` is used.

    Returns
    -------
    array [N]
        In [0, 1].

    Examples
    --------
    >>> overload_component(np.full((11, 3, 1), 475.0), np.array([500.0]), Limits()).round(3).tolist()
    [0.5]
    """
    return np.asarray(expected_severity(quantile_kva, rating_kva, limits).max(axis=0))


def thermal_component(hot_spot_c: Floats, limits: Limits) -> Floats:
    """Score the heat: severity of the hottest hour at median load.

    Parameters
    ----------
    hot_spot_c : array [T, N]
        Hot-spot temperature [degC].
    limits : Limits
        ``thermal_points``: piecewise linear through (hot spot [degC], severity).

    Returns
    -------
    array [N]
        In [0, 1].

    Examples
    --------
    >>> thermal_component(np.array([[90.0, 120.0, 150.0]]), Limits()).tolist()
    [0.0, 0.5, 1.0]
    """
    hot_spot, severity = np.transpose(limits.thermal_points)
    return np.asarray(np.interp(hot_spot_c.max(axis=0), hot_spot, severity))


def weighted_score(overload: ArrayLike, thermal: ArrayLike, cascading: ArrayLike, limits: Limits) -> Floats:
    """Put the components together; no rule ever alters this number.

    Parameters
    ----------
    overload, thermal, cascading : array [N]
        Components in [0, 1].
    limits : Limits
        The weights, 0.6, 0.2 and 0.2 unless the site says otherwise.

    Returns
    -------
    array [N]
        ``risk_score`` in [0, 1].

    Examples
    --------
    >>> weighted_score([1.0], [0.0], [0.5], Limits()).round(3).tolist()
    [0.7]
    """
    score = (
        limits.weight_overload * np.asarray(overload, dtype=float)
        + limits.weight_thermal * np.asarray(thermal, dtype=float)
        + limits.weight_cascading * np.asarray(cascading, dtype=float)
    )
    # Rounded at the 12th digit, so that 0.6 + 0.2 + 0.2 is 1 and a score of 0.7 is not a hair below HIGH.
    return np.asarray(np.clip(score.round(12), 0, 1))


def longest_run(over: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Count the longest run of consecutive True along time.

    Parameters
    ----------
    over : array [T, N]
        True where a limit is passed.

    Returns
    -------
    array [N]
        Steps.

    Examples
    --------
    >>> longest_run(np.array([[True], [True], [False], [True]])).tolist()
    [2]
    """
    run = np.zeros(over.shape[1], dtype=np.int64)
    longest = run.copy()
    for now in over:
        run = np.where(now, run + 1, 0)
        longest = np.maximum(longest, run)
    return longest
