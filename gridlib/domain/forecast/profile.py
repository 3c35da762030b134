"""The additive model: level, day, week, calendar, temperature, and what the last days did differently.

Every array has the transformer first, so that one transformer's result cannot depend, not even in its last
bit, on who else is in the fleet.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from gridlib.domain.calendar import DayType
from gridlib.domain.forecast.door import Grid

TERMS = ("level", "daily", "weekly", "calendar", "temperature", "recent")
"""The terms that sum to the mean, in this order."""

LEVEL_HALF_LIFE_D = 3.0
DAILY_HALF_LIFE_D = 8.0
TYPE_HALF_LIFE = 8.0  # in days of that type
TYPE_PRIOR_DAYS = 1.0  # an offset learnt from n days counts n / (n + this)
FIT_HALF_LIFE_D = 250.0  # memory of the temperature and recent-deviation coefficients
KNOTS_C = (10.0, 15.0, 20.0, 25.0)  # below the first two: heating; above the last two: cooling
AIR_MEANS_H = (1, 24)  # buildings answer to the air of the hour and of the day
AIR_ERROR_K = (0.8, 2.3)
"""Standard deviation of a temperature forecast at the first and the 72nd hour [K]."""

JUMP_SIGMAS = 6.0  # a day this far off is a new level (a section switched over), not a deviation
FIRST_DAYS = 14
"""The profile learns for so many days before its errors count [d]."""

_AIR_FIT_ERROR_K2 = 1.0  # error variance of the air that the coefficients meet in use [K2]
_HOUR_PENALTY, _POOL_PENALTY, _RECENT_PENALTY_D = 0.5, 0.02, 10.0
_TINY = 1e-12
_Float = NDArray[np.float64]
_Bool = NDArray[np.bool_]


class Replay(NamedTuple):
    """The profile as it stood at the start of each day, and what it said of the days ahead.

    N transformers, D days of history, A days ahead, S steps a day.
    """

    base_kva: _Float  # [N, D + 1, A, S]
    jumped: _Bool  # [N, D]: the level was set anew by this day
    level_kva: _Float  # [N], after the last day
    daily_kva: _Float  # [N, S]
    type_kva: _Float  # [N, 4, S]


class Additive(NamedTuple):
    """A forecast, taken apart, and the errors of its own replays."""

    terms_kva: _Float  # [len(TERMS), N, H]
    errors_kva: _Float  # [N, D, A, S]: reading minus what was said at the start of day D for A days ahead
    known_days: _Float  # [N, D]: days of readings before day D
    air_error_kva: _Float  # [N, H]: effect of the error of the temperature forecast, standard deviation


def fit_profile(load_kva: _Float, grid: Grid, air_c: _Float | None, station: NDArray[np.int64]) -> Additive:
    """Fit and forecast transformers that have a profile of their own.

    Parameters
    ----------
    load_kva : array [N, T]
        Readings, NaN is missing [kVA].
    grid : Grid
        The local days.
    air_c : array [stations, T + H] or None
        Temperature of history and horizon [degC]; None: no temperature term.
    station : array [N]
        Row of ``air_c`` of each transformer.

    Returns
    -------
    Additive
        Terms whose sum is the mean, and replayed errors.

    Notes
    -----
    ``y = level + daily[step] + offset[kind of day, step] + B[step]' h(air) + C[step, day ahead]' z``

    - Level, daily shape (workdays) and the offsets of other kinds of day are exponentially weighted means,
      updated once a day by that day's error; a gap updates nothing, so that gaps are in effect filled by
      the profile. A day further off than six usual daily errors, no holiday, sets the level anew: a section
      was switched over. A holiday leans on the first weekend day until it has days of its own.
    - ``h`` are hinges at 10, 15, 20 and 25 degC of the air of the hour and of its 24 h mean. ``B`` is a
      ridge regression of the profile's errors on the errors that the same profile makes of ``h``: what
      the air does beyond what the profile has learnt already; first one ``B`` for all steps, then each
      step's difference from it. The variance of a forecast's error is added to that of ``h``, because the
      coefficients will meet forecast, not measured air.
    - ``z``: mean error of the last two days, yesterday's error at this step, that of the last three
      hours. ``C`` is a ridge regression on past days, for each step and day ahead; ridge draws it to 0.
      With fewer than `FIRST_DAYS` days of readings it is 0: fitted to less, it does harm.
    - Every error is of a forecast from before; only ``B`` and ``C`` have seen the day they forecast.
    """
    load = grid.lay_out(load_kva)
    days = grid.history_days
    finite = np.isfinite(load)
    known_days = np.cumsum(finite.sum(axis=2), axis=1) / grid.steps_per_day
    known_days = np.concatenate([np.zeros((len(load), 1)), known_days], axis=1)
    burn_in = np.minimum(FIRST_DAYS, known_days[:, -1] / 2)
    learnt = known_days[:, :days] >= burn_in[:, None]
    weight = learnt * 0.5 ** (np.arange(days)[::-1] / FIT_HALF_LIFE_D)
    temperature = np.zeros((len(load), days + grid.days_ahead, grid.steps_per_day))
    air_error = np.zeros((len(load), len(grid.lead_row)))
    if air_c is not None:
        temperature, air_error = _temperature(load, grid, air_c, station, weight)
    centre = temperature[:, :days].mean(axis=(1, 2))[:, None, None]
    temperature = temperature - centre
    load = load - temperature[:, :days]
    replay = replay_profile(load, grid)
    errors = np.full((len(load), days, grid.days_ahead, grid.steps_per_day), np.nan)
    for ahead in range(grid.days_ahead):
        errors[:, : days - ahead, ahead] = load[:, ahead:] - replay.base_kva[:, : days - ahead, ahead]
    weight = weight * (known_days[:, -1:] >= FIRST_DAYS)
    recent = _recent_deviation(errors, replay.jumped, weight, grid.steps_per_day)
    row, column = grid.lead_row, grid.lead_column
    kind = grid.day_type[days:][row, column]
    offset = replay.type_kva[:, kind, column]
    holiday = kind == DayType.HOLIDAY
    terms = np.stack(
        [
            np.broadcast_to(replay.level_kva[:, None], offset.shape),
            replay.daily_kva[:, column],
            np.where(holiday, 0.0, offset),
            np.where(holiday, offset, 0.0),
            temperature[:, days:][:, row, column],
            recent[:, days][:, row, column],
        ]
    )
    return Additive(terms, errors - recent[:, :days], known_days[:, :days], air_error)


def replay_profile(load_kva: _Float, grid: Grid, *, days_ahead: int | None = None) -> Replay:
    """Run level, daily shape and day-type offsets through the history, day by day.

    Parameters
    ----------
    load_kva : array [N, D, S]
        Readings by local day, NaN is missing [kVA]; any other quantity has a profile as well.
    grid : Grid
        The local days.
    days_ahead : int, optional
        Days ahead to say something about; default those of the grid.

    Returns
    -------
    Replay
        What was said at the start of each day, from the days before it alone.
    """
    n, days, steps = load_kva.shape
    ahead = grid.days_ahead if days_ahead is None else days_ahead
    step = np.arange(steps)
    fade_level, fade_daily, fade_type = (
        0.5 ** (1 / life) for life in (LEVEL_HALF_LIFE_D, DAILY_HALF_LIFE_D, TYPE_HALF_LIFE)
    )
    level, level_weight = np.zeros(n), np.zeros(n)
    daily, daily_weight = np.zeros((n, steps)), np.zeros((n, steps))
    offset, offset_weight = np.zeros((n, 4, steps)), np.zeros((n, 4, steps))
    spread, spread_weight = np.zeros(n), np.zeros(n)
    base = np.empty((n, days + 1, ahead, steps))
    jumped = np.zeros((n, days), dtype=bool)
    for day in range(days + 1):
        shrunk = _shrunk(offset, offset_weight)
        common = level[:, None] + daily
        for k in range(ahead):
            base[:, day, k] = common + shrunk[:, grid.day_type[day + k], step]
        if day == days:
            break
        kind = grid.day_type[day]
        error = load_kva[:, day] - base[:, day, 0]
        known = np.isfinite(error)
        error = np.where(known, error, 0.0)
        share = known.sum(axis=1) / steps
        mean = error.sum(axis=1) / np.maximum(known.sum(axis=1), 1)
        variance = spread / np.maximum(spread_weight, _TINY)
        jump = (np.abs(mean) > JUMP_SIGMAS * np.sqrt(variance)) & (spread_weight > FIRST_DAYS / 2)
        jump &= (share > 0.5) & ((kind == DayType.HOLIDAY).mean() < 0.5)
        usual = (share > 0.5) & ~jump
        spread = np.where(usual, fade_type * spread + mean**2, spread)
        spread_weight = np.where(usual, fade_type * spread_weight + 1, spread_weight)
        jumped[:, day] = jump
        level_weight = np.where(share > 0, fade_level * level_weight, level_weight) + share
        gain = np.where(jump, 1.0, share / np.maximum(level_weight, _TINY))
        level = level + gain * mean
        shape = error - mean[:, None]
        rest = error - (gain * mean)[:, None]
        # The daily shape is the workdays'; until there is one, any day will do.
        common_day = known & ((kind == DayType.WORKDAY) | (daily_weight < 1))
        daily_weight = np.where(common_day, fade_daily * daily_weight + 1, daily_weight)
        daily = daily + np.where(common_day, shape / np.maximum(daily_weight, _TINY), 0.0)
        for other in np.unique(kind[kind != DayType.WORKDAY]):
            own = known & ~common_day & (kind == other)
            weight = np.where(own, fade_type * offset_weight[:, other] + 1, offset_weight[:, other])
            change = (rest + shrunk[:, other] - offset[:, other]) / np.maximum(weight, _TINY)
            offset[:, other] += np.where(own, change, 0.0)
            offset_weight[:, other] = weight
    return Replay(base, jumped, level, daily, shrunk)


def _shrunk(offset: _Float, weight: _Float) -> _Float:
    """Return the offsets drawn to 0, and those of holidays to the first weekend day."""
    trust = weight / (weight + TYPE_PRIOR_DAYS)
    shrunk = trust * offset
    holiday, first = DayType.HOLIDAY, DayType.FIRST_WEEKEND_DAY
    shrunk[:, holiday] += (1 - trust[:, holiday]) * shrunk[:, first]
    return np.asarray(shrunk)


def _temperature(
    load: _Float, grid: Grid, air_c: _Float, station: NDArray[np.int64], weight: _Float
) -> tuple[_Float, _Float]:
    """Return the effect of the air on each cell [N, D + A, S], and its forecast error [N, H]."""
    days, steps = grid.history_days, grid.steps_per_day
    used, station = np.unique(station, return_inverse=True)
    hinges, slopes = _hinges(air_c[used], steps)
    n_stations, k, length = hinges.shape
    table = grid.lay_out(hinges.reshape(n_stations * k, length))
    usual = np.nanmean(table, axis=1, keepdims=True)
    table = np.where(np.isfinite(table), table, usual)
    past = table[:, :days]
    unusual = past - replay_profile(past, grid, days_ahead=1).base_kva[:, :days, 0]
    unusual = unusual.reshape(n_stations, k, days, steps).transpose(0, 3, 2, 1)
    error = (load - replay_profile(load, grid, days_ahead=1).base_kva[:, :days, 0]).transpose(0, 2, 1)
    known = np.isfinite(error) * weight[:, None, :]
    x = unusual[station]
    weighted = np.swapaxes(x * known[..., None], 2, 3)
    gram = weighted @ x
    moment = weighted @ np.where(np.isfinite(error), error, 0.0)[..., None]
    eye = np.eye(k)
    scale = np.diagonal(gram, axis1=2, axis2=3).sum(axis=1) / steps + 1e-9
    gram = gram + _AIR_FIT_ERROR_K2 * known.sum(axis=2)[..., None, None] * eye
    pooled = gram.sum(axis=1) + steps * _POOL_PENALTY * scale[:, :, None] * eye
    common = np.linalg.solve(pooled, moment.sum(axis=1))[:, None]
    penalty = _HOUR_PENALTY * scale[:, None, :, None] * eye
    effect = common + np.linalg.solve(gram + penalty, moment - gram @ common)
    cells = table.reshape(n_stations, k, -1, steps).transpose(0, 3, 2, 1)[station]
    temperature = (cells @ effect)[..., 0].swapaxes(1, 2)
    row, column = grid.lead_row + days, grid.lead_column
    active = cells[:, column, row] > 0
    gradient = (active * slopes * effect[..., 0][:, column]).sum(axis=2)
    lead_h = np.arange(len(row)) * 24 / steps
    air_error = np.interp(lead_h, [0, 71], AIR_ERROR_K)
    return np.asarray(temperature), np.asarray(np.abs(gradient) * air_error)


def _hinges(air_c: _Float, steps_per_day: int) -> tuple[_Float, _Float]:
    """Return hinges of the air [stations, hinges, time], and their derivatives by the air."""
    hinges, slopes = [], []
    for hours in AIR_MEANS_H:
        window = max(1, hours * steps_per_day // 24)
        start = np.repeat(air_c[:, :1], window, axis=1)
        summed = np.cumsum(np.concatenate([start, air_c], axis=1), axis=1)
        mean = (summed[:, window:] - summed[:, :-window]) / window
        for i, knot in enumerate(KNOTS_C):
            sign = -1.0 if i < len(KNOTS_C) // 2 else 1.0
            hinges.append(np.maximum(sign * (mean - knot), 0.0))
            # An error that grows slowly over the horizon reaches a 24 h mean only in part.
            slopes.append(sign if hours == 1 else 0.7 * sign)
    return np.stack(hinges, axis=1), np.array(slopes)


def _recent_deviation(errors: _Float, jumped: _Bool, weight: _Float, steps: int) -> _Float:
    """Return what to add to the profile at the start of each day, [N, D + 1, A, S]."""
    n, days = jumped.shape
    target = np.where(np.isfinite(errors), errors, 0.0)
    # The errors of days that the profile had not learnt from say nothing about later ones.
    last = np.where(weight[..., None] > 0, target[:, :, 0], 0.0)
    day_mean = last.mean(axis=2)
    shape = last - day_mean[..., None]
    day_mean = np.where(jumped, 0.0, day_mean)  # the level has followed already
    z = np.zeros((n, days + 1, steps, 4))
    z[:, 1:, :, 0] = day_mean[..., None]
    z[:, 2:, :, 1] = day_mean[:, :-1, None]
    z[:, 1:, :, 2] = shape
    z[:, 1:, :, 3] = shape[:, :, -max(1, steps // 8) :].mean(axis=2)[..., None]
    z = z.swapaxes(1, 2)
    past = z[:, :, :days]
    weighted = np.swapaxes(past * weight[:, None, :, None], 2, 3)
    gram = weighted @ past
    rows = steps * np.maximum(weight.sum(axis=1), _TINY)
    scale = np.diagonal(gram, axis1=2, axis2=3).sum(axis=1) / rows[:, None]
    # Relative to the transformer's own errors: the same in kVA and in MVA, and never singular.
    least = np.finfo(float).tiny ** 0.5 + 1e-12 * scale.max(axis=1, keepdims=True)
    gram = gram + _RECENT_PENALTY_D * (scale + least)[:, None, :, None] * np.eye(4)
    coefficients = np.linalg.solve(gram, weighted @ target.transpose(0, 3, 1, 2))
    return np.asarray((z @ coefficients).transpose(0, 2, 3, 1))
