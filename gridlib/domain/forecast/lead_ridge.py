"""The second tier: one ridge regression for each lead, for the few transformers that matter most."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from gridlib.domain.calendar import DayType
from gridlib.domain.forecast.design import hinges, on_grid, running_mean
from gridlib.domain.forecast.deviation import first_origin
from gridlib.domain.forecast.door import Grid
from gridlib.domain.forecast.tiers import Prepared, Tier

HALF_LIVES_D = (10_000.0, 120.0)
STRENGTHS = (0.5, 2.0, 8.0)
AIR_PENALTIES = (0.1, 1.5)
"""Each transformer is given the memory, the strength of the ridge and the trust in the air that have erred
least on left-out days."""

JUDGED_BY_D = 120.0
"""Half-life of the errors by which they are chosen [d]."""

KNOTS_C = (5.0, 10.0, 15.0, 20.0, 25.0, 30.0)
MEAN_KNOTS_C = (10.0, 18.0, 26.0)
LAG_KNOTS_C = (10.0, 18.0)
LEFT_OUT_ROWS = 7
_DRAWN_FORECASTS = 12  # with both signs, for mean and covariance of the columns of the air
_TRIED_LEADS = 12  # the choice is made on so many leads, evenly spread
_FREE, _LAG, _CALENDAR, _FEAST, _AIR = 1e-6, 1.0, 1.0, 4.0, np.nan  # penalties; the air's is chosen
_DAYS_A_YEAR = 365.25
_MOST_LEVERAGE, _LEAST_LEFT = 0.99, 0.2
_Float = NDArray[np.float64]
_Int = NDArray[np.int64]
_Bool = NDArray[np.bool_]
_Single = NDArray[np.float32]


class LeadDesign(NamedTuple):
    """What all transformers of a station share. L leads, J past origins and now, Q columns."""

    shared: (
        _Single  # [L, J + 1, Q], J with those whose horizon is not over yet; past air as forecasts expect it
    )
    missed: _Single  # [L, J, Q]: by how much one forecast of the air would have moved the columns
    spread: _Single  # [L, Q, Q]: covariance of the columns over all such forecasts, mean of the origins
    penalty: _Float  # [Q]; NaN: of the air
    target: _Int  # [J + 1, L]: step of the history, from its first used day
    seen: _Single  # [L, J]: 1 where the target was read before now, for the newest origins not all are
    lag_days: _Int  # [L]: whole days back to a reading known at the origin
    steps_per_day: int


def lead_design(grid: Grid, air_c: _Float | None, first_day: int, air_error_k: _Single) -> LeadDesign:
    """Lay out what the calendar and the air say of each lead.

    Parameters
    ----------
    grid : Grid
        The local days.
    air_c : array [T + H] or None
        Air temperature [degC].
    first_day : int
        The days of the grid before are not used.
    air_error_k : array [J or more, L]
        Errors as temperature forecasts make them [K].

    Notes
    -----
    The ridge will meet *forecast* air. Past columns are therefore the means of the columns over temperature
    forecasts, and the covariance of the columns is added to the moments: what regression on all possible
    forecasts would give, without drawing one. Only the errors lent to the bands take one forecast each.

    References
    ----------
    Fuller, W. A. (1987), Measurement Error Models, ch. 1: regression on variables with known error.
    """
    days, steps = grid.history_days - first_day, grid.steps_per_day
    origins = np.append(first_origin(days, 1), days)
    lead = np.arange(grid.days_ahead * steps)
    target = origins[:, None] * steps + lead
    lag_days = lead // steps + 1
    lag = target - lag_days * steps
    week = target - 7 * ((lag_days - 1) // 7 + 1) * steps
    parts = [(column, _CALENDAR) for column in _calendar(grid, first_day, target, lag, week)]
    parts += [(column, _FEAST) for column in _feasts(grid, first_day, target, lag)]
    shared = np.stack([part[0].astype(np.float32) for part in parts], axis=-1).transpose(1, 0, 2)
    penalty = [part[1] for part in parts]
    missed = np.zeros((len(lead), len(origins) - 1, shared.shape[2]), dtype=np.float32)
    spread = np.zeros((len(lead), shared.shape[2], shared.shape[2]), dtype=np.float32)
    if air_c is not None:
        known = _known_air(grid, air_c, first_day, (origins, target, lag, week))
        mean, off, covariance = _forecast_air(grid, air_c, first_day, target, air_error_k)
        at = shared.shape[2] + known.shape[2]
        shared = np.concatenate([shared, known, mean], axis=2)
        missed = np.pad(missed, ((0, 0), (0, 0), (0, shared.shape[2] - missed.shape[2])))
        missed[..., at:] = off
        spread = np.zeros((len(lead), shared.shape[2], shared.shape[2]), dtype=np.float32)
        spread[:, at:, at:] = covariance
        penalty += [_AIR] * (shared.shape[2] - len(penalty))
    seen = (days * steps > target[:-1].T).astype(np.float32)
    return LeadDesign(shared, missed, spread, np.array(penalty), target, seen, lag_days, steps)


def second_tier(prepared: Prepared, design: LeadDesign) -> Tier:
    """Forecast transformers one by one.

    Parameters
    ----------
    prepared : Prepared
        Readings without gaps.
    design : LeadDesign
        Of their station, with the same first day.

    Returns
    -------
    Tier
        Forecast, and errors of the chosen origins with a week left out.

    Notes
    -----
    For each lead k: ``y(o + k) = x_k(o)' b_k``, ``x`` the last readings and their means over 6, 24 and
    168 h, the same hour of the last days and weeks, the calendar of the target hour and of the hour looked
    back to, and the air of both. Ridge, weights ``2^(-age / half-life)``.
    """
    each = zip(prepared.load, prepared.known, strict=True)
    made = [_one(load.ravel(), known, design) for load, known in each]
    ahead = np.stack([one[0] for one in made])
    errors = np.stack([one[1][chosen] for one, chosen in zip(made, prepared.chosen, strict=True)])
    return Tier(ahead, errors)


def _one(load: _Single, known: _Single, design: LeadDesign) -> tuple[_Single, _Single]:
    """Return forecast [L] and errors [J, L] of one transformer."""
    x, penalty = _columns(load, design)
    past = np.ascontiguousarray(x[:, :-1])
    target = load[np.minimum(design.target[:-1], len(load) - 1)].T
    judged = len(known)
    trust = design.seen * np.pad(known, (0, past.shape[1] - judged), constant_values=1.0)
    age = np.arange(past.shape[1], 0, -1, dtype=np.float32)
    tried = np.linspace(0, len(x) - 1, min(_TRIED_LEADS, len(x))).astype(np.int64)
    half_life_d, ridge = _best(past[tried], target[tried], penalty, trust[tried], age, _at(design, tried))
    weights = trust * np.float32(0.5) ** (age / np.float32(half_life_d))
    inverse, coefficients = _solve(past, target, weights, ridge, design)
    error = target - (past @ coefficients[..., None])[..., 0]
    left_out = _leave_out(past, inverse, weights, error) - _missed(design, coefficients)
    return (x[:, -1] * coefficients).sum(axis=1), left_out[:, :judged].T


def _best(
    past: _Single, target: _Single, penalty: _Float, trust: _Single, age_d: _Single, design: LeadDesign
) -> tuple[float, _Float]:
    """Return the half-life and penalties that have erred least, one left out."""
    air = np.isnan(penalty)
    judged = trust * np.float32(0.5) ** (age_d / np.float32(JUDGED_BY_D))
    best, chosen = np.inf, (HALF_LIVES_D[0], penalty)
    for half_life_d in HALF_LIVES_D:
        weights = trust * np.float32(0.5) ** (age_d / np.float32(half_life_d))
        for air_penalty in AIR_PENALTIES if air.any() else AIR_PENALTIES[:1]:
            relative = np.where(air, air_penalty, penalty)
            for strength in STRENGTHS:
                inverse, coefficients = _solve(past, target, weights, strength * relative, design)
                leverage = ((past @ inverse) * past).sum(axis=2) * weights
                error = target - (past @ coefficients[..., None])[..., 0]
                error = error / np.clip(1 - leverage, _LEAST_LEFT, 1) - _missed(design, coefficients)
                size = float((np.abs(error) * judged).sum())
                if size < best:
                    best, chosen = size, (half_life_d, strength * relative)
    return chosen


def _at(design: LeadDesign, leads: _Int) -> LeadDesign:
    return design._replace(missed=design.missed[leads], spread=design.spread[leads])


def _missed(design: LeadDesign, coefficients: _Single) -> _Single:
    """Return by how much one forecast of the air would have moved the past forecasts, [L, J]."""
    own = coefficients.shape[1] - design.missed.shape[2]
    return (design.missed @ coefficients[:, own:, None])[..., 0]


def _solve(
    past: _Single, target: _Single, weights: _Single, ridge: _Float, design: LeadDesign
) -> tuple[_Single, _Single]:
    weighted = np.ascontiguousarray((past * weights[..., None]).swapaxes(1, 2))
    gram = (weighted @ past).astype(np.float64) + np.diag(ridge)
    own = past.shape[2] - design.spread.shape[1]
    gram[:, own:, own:] += weights.sum(axis=1)[:, None, None] * design.spread
    inverse: _Single = np.linalg.inv(gram).astype(np.float32)
    coefficients: _Single = (inverse @ (weighted @ target[..., None]))[..., 0].astype(np.float32)
    return inverse, coefficients


def _leave_out(past: _Single, inverse: _Single, weights: _Single, error: _Single) -> _Single:
    """Return the errors [L, J] of fits without the week around."""
    leads, rows, columns = past.shape
    pad = -rows % LEFT_OUT_ROWS
    week = np.pad(past, ((0, 0), (pad, 0), (0, 0))).reshape(leads, -1, LEFT_OUT_ROWS, columns)
    hat = (week @ inverse[:, None]) @ week.swapaxes(2, 3)
    hat = hat * np.pad(weights, ((0, 0), (pad, 0))).reshape(leads, -1, 1, LEFT_OUT_ROWS)
    left = np.linalg.inv(np.eye(LEFT_OUT_ROWS, dtype=np.float32) - np.float32(_MOST_LEVERAGE) * hat)
    padded = np.pad(error, ((0, 0), (pad, 0))).reshape(leads, -1, LEFT_OUT_ROWS, 1)
    return np.asarray((left @ padded).reshape(leads, -1)[:, pad:])


def _columns(load: _Single, design: LeadDesign) -> tuple[_Single, _Float]:
    """Return all columns [L, J + 1, P] of one transformer, and their penalties."""
    steps, target = design.steps_per_day, design.target
    origin = target[:, 0]
    hour = max(1, steps // 24)
    summed = np.concatenate([[0.0], np.cumsum(load, dtype=np.float64)])
    at_origin = [
        load[origin - 1],
        load[origin - 1 - hour],
        load[origin - 1 - steps],
        *((summed[origin] - summed[origin - k]) / k for k in (6 * hour, steps, 7 * steps)),
    ]
    lag = target - design.lag_days * steps
    week = target - 7 * ((design.lag_days - 1) // 7 + 1) * steps
    looked_back = [lag, lag - steps, lag - 2 * steps, week, week - 7 * steps]
    own = np.ones((len(target[0]), len(origin), 1 + len(at_origin) + len(looked_back)), dtype=np.float32)
    for i, column in enumerate(at_origin, start=1):
        own[..., i] = column
    for i, place in enumerate(looked_back, start=1 + len(at_origin)):
        own[..., i] = load[np.maximum(place, 0)].T
    penalty = np.array([_FREE] + [_LAG] * (own.shape[2] - 1))
    return np.concatenate([own, design.shared], axis=2), np.concatenate([penalty, design.penalty])


def _calendar(grid: Grid, first_day: int, target: _Int, lag: _Int, week: _Int) -> list[_Float]:
    day = grid.calendar_day[first_day:].ravel()
    kind, weekday = grid.days.kind[day], grid.days.weekday[day]
    holiday = (kind == DayType.HOLIDAY) * 1.0
    columns = [(weekday[target] == k) * 1.0 for k in range(7)]
    columns += [(kind[lag] == k) * 1.0 for k in (DayType.FIRST_WEEKEND_DAY, DayType.SECOND_WEEKEND_DAY)]
    columns += [holiday[target], holiday[lag], holiday[np.maximum(week, 0)]]
    part_of_day = np.tile(np.arange(grid.steps_per_day) / grid.steps_per_day, len(day) // grid.steps_per_day)
    angle = 2 * np.pi * (grid.days.day_of_year[day] + part_of_day) / _DAYS_A_YEAR
    for k in (1, 2):
        columns += [np.asarray(np.sin(k * angle))[target], np.asarray(np.cos(k * angle))[target]]
    return columns


def _feasts(grid: Grid, first_day: int, target: _Int, lag: _Int) -> list[_Float]:
    day = grid.calendar_day[first_day:].ravel()
    both = (grid.days.ramadan[day] * 1.0, grid.days.eid[day] * 1.0)
    return [np.asarray(feast[at]) for feast in both for at in (target, lag)]


def _known_air(grid: Grid, air_c: _Float, first_day: int, places: tuple[_Int, _Int, _Int, _Int]) -> _Single:
    """Return the columns [L, J + 1, columns] of the air that was measured when the forecast was made."""
    origins, target, lag, week = places
    now = on_grid(grid, air_c)[first_day:].ravel()
    day = on_grid(grid, running_mean(air_c, grid.steps_per_day))[first_day:].ravel()
    columns = hinges(now[lag], LAG_KNOTS_C) + hinges(now[np.maximum(week, 0)], LAG_KNOTS_C)
    before = np.broadcast_to(day[origins * grid.steps_per_day - 1][:, None], target.shape)
    columns += hinges(before, LAG_KNOTS_C)
    return np.stack(columns, axis=-1).transpose(1, 0, 2).astype(np.float32)


def _forecast_air(
    grid: Grid, air_c: _Float, first_day: int, target: _Int, air_error_k: _Single
) -> tuple[_Single, _Single, _Single]:
    """Return the columns of the target hour's air and day: mean, one forecast less the mean, covariance."""
    steps = grid.steps_per_day
    now = on_grid(grid, air_c)[first_day:].ravel()[target]
    day = on_grid(grid, running_mean(air_c, steps))[first_day:].ravel()[target]
    summed = np.cumsum(np.pad(air_error_k, ((0, 0), (steps, 0))), axis=1)
    of_day = np.asarray((summed[:, steps:] - summed[:, :-steps]) / np.float32(steps))

    def columns(error_k: _Single, day_error_k: _Single) -> _Single:
        found = hinges(now + error_k, KNOTS_C) + hinges(day + day_error_k, MEAN_KNOTS_C)
        return np.stack(found, axis=-1).transpose(1, 0, 2).astype(np.float32)

    drawn = np.arange(-min(_DRAWN_FORECASTS, len(air_error_k)), 0)
    signed = [(sign * air_error_k[i], sign * of_day[i]) for i in drawn for sign in (1, -1)]
    mean = columns(*signed[0])
    for pair in signed[1:]:
        mean += columns(*pair)
    mean /= np.float32(len(signed))
    covariance = np.zeros((target.shape[1], mean.shape[2], mean.shape[2]), dtype=np.float32)
    for pair in signed:
        off = columns(*pair)[:, :-1] - mean[:, :-1]
        covariance += off.swapaxes(1, 2) @ off / (off.shape[1] * len(signed))
    turn = np.arange(1 - len(target), 0) % len(air_error_k)  # the newest last
    one = columns(np.pad(air_error_k[turn], ((0, 1), (0, 0))), np.pad(of_day[turn], ((0, 1), (0, 0))))
    mean[:, -1] = one[:, -1]  # the horizon's own forecast is what it is
    return mean, one[:, :-1] - mean[:, :-1], covariance
