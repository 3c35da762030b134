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
FIT_HALF_LIFE_D = 250.0  # memory of the recent-deviation coefficients
JUMP_SIGMAS = 6.0  # a day this far off is a new level (a section switched over), not a deviation
FIRST_DAYS = 14
"""The profile learns for so many days before its errors count [d]."""

_RECENT_PENALTY_D = 10.0
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


def fit_profile(load: _Float, grid: Grid) -> Additive:
    """Fit and forecast transformers that have a profile of their own.

    Parameters
    ----------
    load : array [N, D, S]
        Readings by local day, NaN is missing [kVA].
    grid : Grid
        The local days.

    Returns
    -------
    Additive
        Terms whose sum is the mean, and replayed errors.

    Notes
    -----
    ``y = level + daily[step] + offset[kind of day, step] + C[step, day ahead]' z``

    - Level, daily shape (workdays) and the offsets of other kinds of day are exponentially weighted means,
      updated once a day by that day's error; a gap updates nothing, so that gaps are in effect filled by
      the profile. A day further off than six usual daily errors, no holiday, sets the level anew: a section
      was switched over. A holiday leans on the first weekend day until it has days of its own.
    - ``z``: mean error of the last two days, yesterday's error at this step, that of the last three
      hours. ``C`` is a ridge regression on past days, for each step and day ahead; ridge draws it to 0.
      With fewer than `FIRST_DAYS` days of readings it is 0: fitted to less, it does harm.
    - Every error is of a forecast from before; only ``C`` has seen the day they forecast.
    """
    days = grid.history_days
    finite = np.isfinite(load)
    known_days = np.cumsum(finite.sum(axis=2), axis=1) / grid.steps_per_day
    known_days = np.concatenate([np.zeros((len(load), 1)), known_days], axis=1)
    burn_in = np.minimum(FIRST_DAYS, known_days[:, -1] / 2)
    learnt = known_days[:, :days] >= burn_in[:, None]
    weight = learnt * 0.5 ** (np.arange(days)[::-1] / FIT_HALF_LIFE_D)
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
            np.zeros(offset.shape),  # too little history to know what the air does
            recent[:, days][:, row, column],
        ]
    )
    return Additive(terms, errors - recent[:, :days], known_days[:, :days])


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
