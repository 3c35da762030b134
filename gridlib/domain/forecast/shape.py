"""The rung for transformers with hardly any readings: the fleet's shape at their own level."""

import numpy as np
from numpy.typing import NDArray

from gridlib.domain.forecast.door import Grid
from gridlib.domain.forecast.paths import MOST_PATHS, Paths
from gridlib.domain.forecast.profile import TERMS

MOST_DONORS = 60
"""Transformers of the fleet that lend their shape and their errors, evenly spread over it."""

_LEVEL_PRIOR_H = 6.0  # an own level from n hours counts n / (n + this)
_PERSISTENCE_SPREAD = 0.1  # of the mean |load|, where nothing better is known
_Float = NDArray[np.float64]


def unit_kva(load_kva: _Float, rating_kva: _Float | None) -> _Float:
    """Return what loads are divided by before they are pooled: the rating, else the mean |load| [kVA]."""
    if rating_kva is not None:
        return rating_kva
    known = np.isfinite(load_kva)
    return np.asarray(np.where(known, np.abs(load_kva), 0.0).sum(axis=1) / np.maximum(known.sum(axis=1), 1))


def borrow_from_fleet(
    load_kva: _Float,
    unit: _Float,
    donor_load_kva: _Float,
    donor_unit: _Float,
    donor_mean_kva: _Float,
    donor_paths: Paths,
    grid: Grid,
) -> tuple[_Float, Paths]:
    """Forecast transformers by the mean shape of the fleet per unit of rating, at their own level.

    Parameters
    ----------
    load_kva : array [N, T]
        Their few readings [kVA].
    unit : array [N]
        From `unit_kva` [kVA].
    donor_load_kva : array [M, T]
        Readings of transformers with a profile [kVA].
    donor_unit : array [M]
        From `unit_kva` [kVA].
    donor_mean_kva : array [M, H]
        Their forecasts [kVA].
    donor_paths : Paths
        Their error paths.
    grid : Grid
        The local days.

    Returns
    -------
    terms_kva : array [terms, N, H]
        Level and daily shape; the rest is 0.
    paths : Paths
        Any donor, with any of its errors, could be this transformer: forecast plus error of each donor,
        moved to the level that this transformer's own readings show beside the fleet's at the same hours.
    """
    per_unit = donor_load_kva / donor_unit[:, None]
    known = np.isfinite(per_unit)
    fleet = np.where(known, per_unit, 0.0).sum(axis=0) / np.maximum(known.sum(axis=0), 1)
    seen = np.isfinite(load_kva) & known.any(axis=0)
    safe_unit = np.where(unit > 0, unit, 1.0)[:, None]
    own = np.where(seen, load_kva / safe_unit - fleet, 0.0).sum(axis=1) / np.maximum(seen.sum(axis=1), 1)
    beside = np.where(known, per_unit - fleet, 0.0)
    pairs = seen.astype(float) @ known.astype(float).T
    donor_own = (seen.astype(float) @ beside.T) / np.maximum(pairs, 1)
    hours = seen.sum(axis=1) * 24 / grid.steps_per_day
    trust = hours / (hours + _LEVEL_PRIOR_H)

    each = -(-MOST_DONORS // len(donor_unit))
    newest = np.argsort(-donor_paths.weights, axis=1, kind="stable")[:, :each]
    errors = np.take_along_axis(donor_paths.errors_kva, newest[..., None], axis=1)
    weight = (np.take_along_axis(donor_paths.weights, newest, axis=1) > 0).astype(float)
    members = (donor_mean_kva[:, None] + errors) / donor_unit[:, None, None]
    shape = (donor_mean_kva / donor_unit[:, None]).mean(axis=0)
    level = unit * (shape.mean() + trust * own)
    terms = np.zeros((len(TERMS), len(unit), len(shape)))
    terms[TERMS.index("level")] = level[:, None]
    terms[TERMS.index("daily")] = unit[:, None] * (shape - shape.mean())
    moved = members[None] + (trust[:, None] * (own[:, None] - donor_own))[:, :, None, None]
    around = unit[:, None, None, None] * moved - terms.sum(axis=0)[:, None, None]
    around = around.reshape(len(unit), -1, len(shape))[:, :MOST_PATHS]
    share = np.tile(weight.reshape(1, -1)[:, :MOST_PATHS], (len(unit), 1))
    of_no_day = np.zeros(share.shape, dtype=np.int64)
    return terms, Paths(around, share / share.sum(axis=1, keepdims=True), of_no_day)


def persist(load_kva: _Float, grid: Grid) -> tuple[_Float, Paths]:
    """Repeat the last readings, where there is no fleet to learn from.

    Parameters
    ----------
    load_kva : array [N, T]
        Their few readings [kVA].
    grid : Grid
        The local days.

    Returns
    -------
    terms_kva : array [terms, N, H]
        Level is the mean of the readings, daily what they did at the same hour.
    paths : Paths
        Two levels above and two below the mean, as far as the readings strayed from it, at least 10 %.
    """
    known = np.isfinite(load_kva)
    count = np.maximum(known.sum(axis=1), 1)
    level = np.where(known, load_kva, 0.0).sum(axis=1) / count
    table = grid.lay_out(load_kva)
    there = np.isfinite(table)
    at_step = np.where(there, table, 0.0).sum(axis=1) / np.maximum(there.sum(axis=1), 1)
    daily = np.where(there.any(axis=1), at_step - level[:, None], 0.0)[:, grid.lead_column]
    stray = np.sqrt(np.where(known, (load_kva - level[:, None]) ** 2, 0.0).sum(axis=1) / count)
    size = np.where(known, np.abs(load_kva), 0.0).sum(axis=1) / count
    spread = np.maximum(stray, _PERSISTENCE_SPREAD * size)
    terms = np.zeros((len(TERMS), len(level), daily.shape[1]))
    terms[TERMS.index("level")] = level[:, None]
    terms[TERMS.index("daily")] = daily
    steps = np.array([-1.7, -0.5, 0.5, 1.7])  # standard deviation 1.25: few readings know little
    errors = np.repeat((spread[:, None] * steps)[..., None], daily.shape[1], axis=2)
    weights = np.full((len(level), len(steps)), 1 / len(steps))
    return terms, Paths(errors, weights, np.zeros(weights.shape, dtype=np.int64))
