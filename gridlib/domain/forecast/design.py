"""What a load answers to: the weekday, the season, feasts and the air, as columns of a regression.

The columns of one weather station are the same for all its transformers, so that one factorisation serves
them all.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from gridlib.domain.calendar import DayType
from gridlib.domain.forecast.door import Grid

LEVEL, WEEK, FEAST, SEASON, AIR = range(5)
"""Groups of columns, which become the terms of the forecast."""

KNOTS_C = (5.0, 10.0, 15.0, 20.0, 25.0, 30.0)
"""Hinges of the air of the hour [degC]: heating ends, cooling begins, and grows steeper in great heat."""

MEAN_KNOTS_C = {3: (10.0, 18.0, 22.0), 24: (10.0, 18.0, 26.0), 72: (18.0,)}
"""Hours of the running means of the air, and their hinges [degC]: walls and people remember."""

AIR_ERROR_K = (0.8, 2.3)
"""Standard deviation of a temperature forecast at the first and the 72nd hour [K]."""

AIR_ERROR_MEMORY = 0.95
"""Correlation of a temperature forecast's error from hour to hour."""

YEAR_HARMONICS = (2, 1)
"""Of the season, without and with weather: the air says most of what the season does."""

_WEEK_PENALTY, _HOLIDAY_PENALTY, _FEAST_PENALTY, _AIR_PENALTY = 0.5, 1.0, 4.0, 0.3
_SEASON_PENALTY = (1.0, 0.2)  # without, with weather
_FREE = 1e-6  # penalty of the level: none, but the matrix stays regular
_AIR_CENTRE_C, _AIR_UNIT_K = 15.0, 10.0
_DAYS_A_YEAR = 365.25
_Float = NDArray[np.float64]


class Design(NamedTuple):
    """Columns for every step of history and horizon. S steps a day, R days, P columns."""

    columns: _Float  # [S, R, P]
    slopes: _Float | None  # [S, R, P], their derivatives by the air [1/K]; None: no weather
    penalty: _Float  # [P]
    group: NDArray[np.int64]  # [P]: LEVEL .. AIR


def design_of(grid: Grid, air_c: _Float | None) -> Design:
    """Lay out the columns.

    Parameters
    ----------
    grid : Grid
        The local days.
    air_c : array [T + H] or None
        Air temperature of history and horizon [degC].

    Returns
    -------
    Design
        Level, seven weekdays, holiday, Ramadan, Eid and Ramadan's weekends, harmonics of the year;
        with weather the air of the hour and its means over 3, 24 and 72 h, straight and with hinges,
        and the weekend's own answer to the air.

    Notes
    -----
    The feasts are penalised most: one Ramadan a year is little to learn from.
    """
    day = grid.calendar_day
    days = grid.days
    parts: list[tuple[_Float, float, int]] = [(np.ones(day.shape), _FREE, LEVEL)]
    parts += [((days.weekday[day] == k).astype(np.float64), _WEEK_PENALTY, WEEK) for k in range(7)]
    kind = days.kind[day]
    weekend = (kind == DayType.FIRST_WEEKEND_DAY) | (kind == DayType.SECOND_WEEKEND_DAY)
    ramadan = days.ramadan[day]
    parts.append(((kind == DayType.HOLIDAY).astype(np.float64), _HOLIDAY_PENALTY, FEAST))
    feasts = (ramadan, days.eid[day], ramadan & weekend)
    parts += [(feast.astype(np.float64), _FEAST_PENALTY, FEAST) for feast in feasts]
    angle = 2 * np.pi * days.day_of_year[day] / _DAYS_A_YEAR
    for k in range(1, YEAR_HARMONICS[air_c is not None] + 1):
        season = _SEASON_PENALTY[air_c is not None]
        parts += [
            (np.asarray(np.sin(k * angle)), season, SEASON),
            (np.asarray(np.cos(k * angle)), season, SEASON),
        ]
    table = np.stack([part[0] for part in parts], axis=-1)
    penalty = [part[1] for part in parts]
    group = [part[2] for part in parts]
    slopes = None
    if air_c is not None:
        air, by_air = _air_columns(grid, air_c, weekend)
        slopes = np.concatenate([np.zeros(table.shape), by_air], axis=-1).transpose(1, 0, 2)
        table = np.concatenate([table, air], axis=-1)
        penalty += [_AIR_PENALTY] * air.shape[-1]
        group += [AIR] * air.shape[-1]
    return Design(table.transpose(1, 0, 2), slopes, np.array(penalty), np.array(group))


def hinges(air_c: _Float, knots_c: tuple[float, ...]) -> list[_Float]:
    """Return the air, straight and above each knot, in tens of kelvin."""
    straight = (air_c - _AIR_CENTRE_C) / _AIR_UNIT_K
    return [straight, *(np.maximum(air_c - knot, 0.0) / _AIR_UNIT_K for knot in knots_c)]


def running_mean(air_c: _Float, steps: int) -> _Float:
    """Return the mean of the last ``steps`` values, of fewer at the start."""
    summed = np.concatenate([[0.0], np.cumsum(air_c)])
    end = np.arange(1, len(air_c) + 1)
    start = np.maximum(end - steps, 0)
    return np.asarray((summed[end] - summed[start]) / (end - start))


def on_grid(grid: Grid, series: _Float) -> _Float:
    """Lay a series over history and horizon out by local day [R, S], without holes."""
    table = grid.lay_out(series[None])[0]
    flat = table.ravel()
    known = np.isfinite(flat)
    if not known.all():  # a clock that jumped, or the ends of the first and the last day
        flat = np.interp(np.arange(len(flat)), np.flatnonzero(known), flat[known])
    return np.asarray(flat.reshape(table.shape))


def forecast_air_errors(n: int, n_leads: int, steps_per_day: int) -> _Float:
    """Return errors as temperature forecasts make them, [n, leads] [K]; the same at every call.

    Notes
    -----
    First-order autoregressive, of standard deviation `AIR_ERROR_K`. The seed is fixed: the same history
    gives the same forecast.
    """
    memory = AIR_ERROR_MEMORY ** (24 / steps_per_day)
    draws = np.random.default_rng(12345).normal(size=(n, n_leads))[::-1]  # the newest day's stay the same
    error = np.empty((n, n_leads))
    error[:, 0] = draws[:, 0]
    for lead in range(1, n_leads):
        error[:, lead] = memory * error[:, lead - 1] + np.sqrt(1 - memory**2) * draws[:, lead]
    lead_h = np.arange(n_leads) * 24 / steps_per_day
    return np.asarray(error * np.interp(lead_h, [0, 71], AIR_ERROR_K))


def _air_columns(grid: Grid, air_c: _Float, weekend: NDArray[np.bool_]) -> tuple[_Float, _Float]:
    """Return the columns of the air, and their derivatives, [R, S, columns]."""
    columns: list[_Float] = []
    slopes: list[_Float] = []
    for hours, knots in {1: KNOTS_C, **MEAN_KNOTS_C}.items():
        mean = on_grid(grid, running_mean(air_c, max(1, hours * grid.steps_per_day // 24)))
        columns += hinges(mean, knots)
        slopes += [np.full(mean.shape, 1 / _AIR_UNIT_K), *((mean > knot) / _AIR_UNIT_K for knot in knots)]
    air = on_grid(grid, air_c)
    columns += [column * weekend for column in hinges(air, (18.0,))]
    slopes += [weekend / _AIR_UNIT_K, weekend * (air > 18.0) / _AIR_UNIT_K]
    return np.stack(columns, axis=-1), np.stack(slopes, axis=-1)
