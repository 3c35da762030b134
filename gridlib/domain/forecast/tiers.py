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

SMOOTHERS = ((0.25, 0.5, 0.25), (0.2, 0.2, 0.2, 0.2, 0.2))
"""Weights of hours beside each other: what one hour of one weekday has of its own is mostly noise."""

_WEIGHED_STEPS = 3  # every so manieth step tells a blend's weight
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


class Share(NamedTuple):
    """How much of another tier is mixed in: of the share w that would have been best, ``slope w - doubt``."""

    slope: float
    doubt: float
    most: float


SMOOTHED = Share(1.0, 0.0, 1.0)
PROFILED = Share(2.0, 0.4, 0.5)
REPEATED = (Share(1.0, 0.05, 0.5), Share(1.5, 0.25, 0.5))
"""Of the smoothed tier, of the profile, and of a naive without and with weather: leaving weeks out makes the
answer to the air, and so the tier beside the naive, look worse than it is."""


class Tier(NamedTuple):
    """Forecast and errors of one tier, in the unit of the load prepared."""

    ahead: _Single  # [n, A * S]
    errors: _Single  # [n, paths, A * S]


def prepare(load_kva: _Float, grid: Grid, solver: Solver, common_d: _Int) -> Prepared:
    """Fill gaps by the expectation and bring the past to the present level.

    Parameters
    ----------
    load_kva : array [n, T]
        Cleaned readings, NaN is missing [kVA].
    grid : Grid
        The local days.
    solver : Solver
        Of the transformers' station.
    common_d : array [paths]
        How old the days are whose errors are wanted, where they can be had [d].

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
    whole = bool(known.all())
    count = np.full(len(table), table[0].size) if whole else known.sum(axis=(1, 2))
    held = table if whole else np.where(known, table, 0.0)
    mean = held.sum(axis=(1, 2)) / count
    centred = held - mean[:, None, None]
    if not whole:
        centred[~known] = 0.0
    sd = np.sqrt(np.square(centred).sum(axis=(1, 2)) / count)
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
    chosen = choose_origins(share, days - origins, common_d)
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
    n, days, _ = prepared.load.shape
    true = read_after(prepared, grid)
    ahead = np.arange(grid.days_ahead)
    made = []
    for back in (1, 7):
        source = ahead - back * (ahead // back + 1)
        said = _days_from(prepared, source)
        made.append(Tier(prepared.load[:, days + source].reshape(n, -1), true - said))
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
    ahead = instead.ahead.copy()
    ahead[:, grid.lead_cell] = fit.terms_kva.sum(axis=0)
    origin = prepared.origins[prepared.chosen] - (all_days - days)
    errors = fit.errors_kva[np.arange(n)[:, None], np.maximum(origin, 0)].reshape(instead.errors.shape)
    replayed = (origin >= FIRST_DAYS)[..., None] & np.isfinite(errors)
    return Tier(ahead, np.where(replayed, errors, instead.errors).astype(np.float32))


def smoothed(tier: Tier, prepared: Prepared, grid: Grid) -> Tier:
    """Smooth a tier over the hours as far as past days say that it helps."""
    said = read_after(prepared, grid) - tier.errors
    for weights in SMOOTHERS:
        kernel = np.repeat(np.array(weights, dtype=np.float32), grid.steps_per_day // 24 or 1)
        kernel /= kernel.sum()
        other = Tier(_beside(tier.ahead, kernel), tier.errors + said - _beside(said, kernel))
        mixed = blend(tier, other, SMOOTHED)
        said, tier = said + tier.errors - mixed.errors, mixed
    return tier


def blend(tier: Tier, other: Tier, share: Share) -> Tier:
    """Mix two tiers so that the errors of past days would have been least.

    Notes
    -----
    With errors e and f of every third step: ``w = sum e (e - f) / sum (e - f)^2``, of which ``slope w -
    doubt``, within 0 and the most, is taken; the blend is ``tier + w (other - tier)``, of the forecast and of
    each past day's error.

    References
    ----------
    Bates, J. and Granger, C. (1969), The combination of forecasts, Oper. Res. Q. 20.
    """
    some = tier.errors[..., ::_WEIGHED_STEPS]
    gap = some - other.errors[..., ::_WEIGHED_STEPS]
    over = np.square(gap).sum(axis=(1, 2))
    gain = (some * gap).sum(axis=(1, 2))
    best = gain / np.maximum(over, np.float32(1e-9))
    weight = np.clip(share.slope * best - share.doubt, 0, share.most).astype(np.float32)[:, None]
    if not weight.any():
        return tier
    return Tier(
        tier.ahead + weight * (other.ahead - tier.ahead),
        tier.errors - weight[..., None] * (tier.errors - other.errors),
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
    size = [np.abs(each.errors[..., ::_WEIGHED_STEPS]).mean(axis=(1, 2)) for each in (tier, *naive)]
    best = np.where(size[1] < size[2], 1, 2)
    worse = size[0] > CLEARLY_BETTER * np.minimum(size[1], size[2])
    if not worse.any():
        return tier, worse
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


def read_after(prepared: Prepared, grid: Grid, paths: _Int | slice = slice(None)) -> _Single:
    """Return what was read in the horizons after the chosen origins, or some of them, [n, paths, A * S]."""
    return _days_from(prepared, np.arange(grid.days_ahead), paths)


def _days_from(prepared: Prepared, days: _Int, paths: _Int | slice = slice(None)) -> _Single:
    """Return the readings of some days, counted from each chosen origin, [n, paths, days * S]."""
    origins = prepared.origins[prepared.chosen[:, paths]]
    row = np.arange(len(origins))[:, None, None]
    return np.asarray(prepared.load[row, origins[..., None] + days].reshape(*origins.shape, -1))


def _beside(values: _Single, kernel: _Single) -> _Single:
    """Return running weighted means over the last axis; the ends count more often."""
    reach = len(kernel) // 2
    ends = [(0, 0)] * (values.ndim - 1) + [(reach, len(kernel) - 1 - reach)]
    wide = np.pad(values, ends, mode="edge")
    out = kernel[0] * wide[..., : values.shape[-1]]
    for i in range(1, len(kernel)):
        out += kernel[i] * wide[..., i : i + values.shape[-1]]
    return np.asarray(out)


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
