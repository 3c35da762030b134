"""The fast tier for a chunk of the fleet: fill, expect, follow the last days, judge by past days."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from gridlib.domain.forecast.design import AIR, FEAST, LEVEL, SEASON, WEEK
from gridlib.domain.forecast.deviation import Deviation, first_origin, fit_deviation
from gridlib.domain.forecast.door import Grid
from gridlib.domain.forecast.expectation import Expectation, Solver, answer_to_air, expect, groups_ahead
from gridlib.domain.forecast.level_shift import Shifts, find_shifts
from gridlib.domain.forecast.profile import FIRST_DAYS, fit_profile
from gridlib.domain.forecast.replays import choose_origins

CLEARLY_BETTER = 0.85
"""The tiers' errors must be so much smaller than a naive's: leaving a week out still lets a fit see the days
after it, which flatters it where the load wanders at random."""

FILL_PASSES = 2
PROFILE_D = 200
"""Newest days that the profile of the second tier runs through [d]."""

MOST_BLENDED, BLEND_SLOPE, BLEND_DOUBT = 0.5, 2.0, 0.4
"""A small best share is not to be trusted: of the best share w, 2 w - 0.4 is taken, at most 0.5."""
_FILL_TRUST = 0.7  # a gap follows the level of the readings beside it so far
_FILL_REACH_D = 7
_BRIDGED_SHARE = 0.005
_Float = NDArray[np.float64]
_Int = NDArray[np.int64]
_Single = NDArray[np.float32]


@dataclass(frozen=True)
class Prepared:
    """Readings of n transformers without gaps, at the present level, and what was expected of them."""

    load: _Single  # [n, D, S], mean 0, standard deviation 1
    mean_kva: _Float  # [n]
    sd_kva: _Float  # [n]
    known: _Single  # [n, J]: share of the horizon after each origin that was read
    origins: _Int  # [J]: the past days at whose start a forecast can be judged
    chosen: _Int  # [n, paths]: past origins that lend their errors
    expectation: Expectation
    shifts: Shifts

    @property
    def age_d(self) -> _Int:
        """How long ago the errors lent were made, [n, paths] [d]."""
        return np.asarray(self.load.shape[1] - self.origins[self.chosen])


class Tier(NamedTuple):
    """Forecast and errors of one tier, in the unit of the load prepared."""

    ahead: _Single  # [n, A * S]
    errors: _Single  # [n, paths, A * S]


def prepare(load_kva: _Float, grid: Grid, solver: Solver) -> Prepared:
    """Fill gaps by the expectation and bring the past to the present level.

    Parameters
    ----------
    load_kva : array [n, T]
        Cleaned readings, NaN is missing [kVA].
    grid : Grid
        The local days.
    solver : Solver
        Of the transformers' station.

    Returns
    -------
    Prepared
        For `fast_tier` and the second tier.

    Notes
    -----
    A gap takes the expectation of calendar and air, moved by 0.7 of what the seven days beside it were off;
    twice, because the first expectation still knows a rough filling. Never the readings of last week.
    """
    table = grid.lay_out(load_kva)[:, solver.first_day :]
    known = read = np.isfinite(table)
    count = known.sum(axis=(1, 2))
    held = table if known.all() else np.where(known, table, 0.0)
    mean = held.sum(axis=(1, 2)) / count
    centred = held - mean[:, None, None]
    if not known.all():
        centred[~known] = 0.0
    sd = np.sqrt(np.einsum("nds,nds->n", centred, centred) / count)
    load = (centred / sd[:, None, None]).astype(np.float32)
    load, known = _bridge(load, known)
    if not known.all():
        load = _fill(load, known, solver)
    expectation = expect(solver, load)
    shifts = find_shifts(load, expectation.residual, mean / sd, with_air=solver.slopes is not None)
    if shifts.found.any():
        load = shifts.applied_to(load)
        expectation = expect(solver, load)
    days = load.shape[1]
    origins = first_origin(days, grid.days_ahead)
    by_day = np.cumsum(np.pad(read.mean(axis=2), ((0, 0), (1, 0))), axis=1)
    share = (by_day[:, origins + grid.days_ahead] - by_day[:, origins]) / grid.days_ahead
    chosen = choose_origins(share, days - origins)
    return Prepared(load, mean, sd, share.astype(np.float32), origins, chosen, expectation, shifts)


def fast_tier(prepared: Prepared, grid: Grid, solver: Solver, air_error_k: _Single) -> Tier:
    """Forecast by expectation and recent deviation.

    Parameters
    ----------
    prepared : Prepared
        The readings.
    grid : Grid
        The local days.
    solver : Solver
        Of the transformers' station.
    air_error_k : array [J or more, A * S]
        Errors as temperature forecasts make them [K].
    """
    deviation: Deviation = fit_deviation(
        prepared.expectation.residual,
        answer_to_air(solver, prepared.expectation),
        air_error_k[-prepared.known.shape[1] :],
        prepared.known,
        prepared.chosen,
        grid.days_ahead,
    )
    n = len(prepared.load)
    return Tier(prepared.expectation.ahead.reshape(n, -1) + deviation.ahead, deviation.errors)


def naive_tiers(prepared: Prepared, grid: Grid) -> tuple[Tier, Tier]:
    """Return "as yesterday" and "as a week ago", with their errors at the same past origins."""
    load = prepared.load
    n, days, _ = load.shape
    origins = prepared.origins[prepared.chosen]
    ahead = np.arange(grid.days_ahead)
    row = np.arange(n)[:, None]
    made = []
    for back in (1, 7):
        source = ahead - back * (ahead // back + 1)
        said = load[row[..., None], origins[..., None] + source]
        true = load[row[..., None], origins[..., None] + ahead]
        errors = (true - said).reshape(n, origins.shape[1], -1)
        made.append(Tier(load[:, days + source].reshape(n, -1), errors))
    return made[0], made[1]


def mean_of(first: Tier, second: Tier) -> Tier:
    """Return the combination of two tiers: the mean of forecasts, and of errors day by day."""
    half = np.float32(0.5)
    return Tier(half * (first.ahead + second.ahead), half * (first.errors + second.errors))


def profile_tier(prepared: Prepared, grid: Grid, instead: Tier) -> Tier:
    """Forecast by the day-by-day profile, which forgets within weeks what the tiers remember for months.

    Parameters
    ----------
    prepared : Prepared
        The readings.
    grid : Grid
        The local days.
    instead : Tier
        Lends its errors of past days that are before the profile's time.
    """
    n, all_days, _ = prepared.load.shape
    days = min(all_days, PROFILE_D)
    newest = grid.newest(days)
    fit = fit_profile(prepared.load[:, all_days - days :].astype(np.float64), newest)
    lead = grid.lead_row * grid.steps_per_day + grid.lead_column
    ahead = instead.ahead.copy()
    ahead[:, lead] = fit.terms_kva.sum(axis=0)
    origin = prepared.origins[prepared.chosen] - (all_days - days)
    errors = fit.errors_kva[np.arange(n)[:, None], np.maximum(origin, 0)].reshape(instead.errors.shape)
    replayed = (origin >= FIRST_DAYS)[..., None] & np.isfinite(errors)
    return Tier(ahead, np.where(replayed, errors, instead.errors).astype(np.float32))


def blend(tier: Tier, other: Tier) -> Tier:
    """Mix two tiers so that the errors of past days would have been least.

    Notes
    -----
    With errors e and f: ``w = sum e (e - f) / sum (e - f)^2``, of which ``2 w - 0.4``, within [0, 0.5], is
    taken; the blend is ``tier + w (other - tier)``, of the forecast and of each past day's error.

    References
    ----------
    Bates, J. and Granger, C. (1969), The combination of forecasts, Oper. Res. Q. 20.
    """
    gap = tier.errors - other.errors
    over = (gap**2).sum(axis=(1, 2), dtype=np.float64)
    gain = (tier.errors * gap).sum(axis=(1, 2), dtype=np.float64)
    best = gain / np.maximum(over, 1e-9)
    weight = np.clip(BLEND_SLOPE * best - BLEND_DOUBT, 0, MOST_BLENDED).astype(np.float32)[:, None]
    return Tier(
        tier.ahead + weight * (other.ahead - tier.ahead),
        tier.errors - weight[..., None] * gap,
    )


def better_of(tier: Tier, naive: tuple[Tier, Tier]) -> tuple[Tier, NDArray[np.bool_]]:
    """Return the tier, or the better naive where the tier has been no better at the past origins.

    Returns
    -------
    Tier
        The chosen.
    array [n]
        Who was given a naive.
    """
    size = [np.abs(each.errors).mean(axis=(1, 2)) for each in (tier, *naive)]
    best = np.where(size[1] < size[2], 1, 2)
    worse = size[0] > CLEARLY_BETTER * np.minimum(size[1], size[2])
    ahead, errors = tier.ahead.copy(), tier.errors.copy()
    for i, each in enumerate(naive, start=1):
        mine = worse & (best == i)
        ahead[mine], errors[mine] = each.ahead[mine], each.errors[mine]
    return Tier(ahead, errors), worse


def terms_of(prepared: Prepared, solver: Solver, ahead: _Single) -> _Float:
    """Take a forecast apart, [terms, n, A * S] [kVA].

    Parameters
    ----------
    prepared, solver
        As above.
    ahead : array [n, A * S]
        The forecast.

    Returns
    -------
    array [terms, n, A * S]
        Level, daily, weekly, calendar (feasts and season), temperature, and recent: what is left.
    """
    groups = groups_ahead(solver, prepared.expectation, prepared.load.shape[1]).astype(np.float64)
    n = len(ahead)
    groups = groups.reshape(len(groups), n, -1) * prepared.sd_kva[:, None]
    level = groups[LEVEL].mean(axis=1, keepdims=True)
    air = groups[AIR] if len(groups) > AIR else np.zeros_like(groups[LEVEL])
    known = np.stack(
        [
            np.broadcast_to(level + prepared.mean_kva[:, None], air.shape),
            groups[LEVEL] - level,
            groups[WEEK],
            groups[FEAST] + groups[SEASON],
            air,
        ]
    )
    total = ahead * prepared.sd_kva[:, None] + prepared.mean_kva[:, None]
    return np.concatenate([known, (total - known.sum(axis=0))[None]])


def _bridge(load: _Single, known: NDArray[np.bool_]) -> tuple[_Single, NDArray[np.bool_]]:
    """Fill single lost readings, of a transformer with no other gaps, by the days before and after.

    Which saves the fleet's usual spikes the two passes of `_fill`.
    """
    if known.all():
        return load, known
    between = np.zeros(known.shape, dtype=bool)
    between[:, 1:-1] = known[:, :-2] & known[:, 2:]
    lost = ~known
    alone = (lost <= between).all(axis=(1, 2)) & (lost.mean(axis=(1, 2)) < _BRIDGED_SHARE)
    row, day, step = np.nonzero(lost & alone[:, None, None])
    filled, whole = load.copy(), known.copy()
    filled[row, day, step] = (load[row, day - 1, step] + load[row, day + 1, step]) / 2
    whole[row, day, step] = True
    return filled, whole


def _fill(load: _Single, known: NDArray[np.bool_], solver: Solver) -> _Single:
    """Fill gaps by the expectation at the level of the days beside them."""
    days = load.shape[1]
    usual = np.where(known, load, 0.0).sum(axis=1) / np.maximum(known.sum(axis=1), 1)
    filled = np.where(known, load, usual[:, None].astype(np.float32))
    for _ in range(FILL_PASSES):
        residual = expect(solver, filled).residual
        off = np.where(known, residual, 0.0).sum(axis=2, dtype=np.float64)
        summed = np.cumsum(np.pad(off, ((0, 0), (1, 0))), axis=1)
        counted = np.cumsum(np.pad(known.sum(axis=2), ((0, 0), (1, 0))), axis=1)
        start = np.maximum(np.arange(days) - _FILL_REACH_D, 0)
        end = np.minimum(np.arange(days) + 1 + _FILL_REACH_D, days)
        level = (summed[:, end] - summed[:, start]) / np.maximum(counted[:, end] - counted[:, start], 1)
        guess = filled - residual + (_FILL_TRUST * level).astype(np.float32)[..., None]
        filled = np.where(known, load, guess)
    return np.asarray(filled, dtype=np.float32)
