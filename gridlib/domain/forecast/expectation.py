"""First step: what calendar, season and air let one expect, and how far each past day was from it."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from gridlib.domain.forecast.design import AIR, SEASON, WEEK, Design

MEMORIES = ((600.0, 2.0, 0.5), (120.0, 4.0, 3.0))
"""Half-lives [d], the strength of the ridge with each, and of that for the air: what a few weeks seem to say
about it is to be trusted less. The expectation is the mean of both."""

LEFT_OUT_D = 7
"""A day's residual comes from a fit without its week: without the day alone it would be too small."""

WIDTH = 64
"""Transformers at a time, always as many: the rest are zeros, so that the matrix product of one
transformer is the same, to the last bit, whoever stands beside it."""

_MOST_LEVERAGE = 0.99  # of a left-out week; keeps the correction finite
_CENTRED = (WEEK, SEASON, AIR)
_Float = NDArray[np.float64]
_Single = NDArray[np.float32]


class Solver(NamedTuple):
    """What the transformers of a station share. S steps, R days, D of them past, P columns."""

    columns: _Single  # [S, R, P]
    slopes: _Single | None  # [S, R, P]
    moments: tuple[_Single, ...]  # [S, P, D]: coefficients = moments @ load, one for each memory
    leave_out: tuple[_Single, ...]  # [S, weeks, 7, 7]: residual left out = this @ residual
    first_day: int  # of the grid; the days before are not used
    group: NDArray[np.int64]  # [P]


class Expectation(NamedTuple):
    """Expectation of n transformers, in the unit of the load given."""

    residual: _Single  # [n, D, S], leave a week out
    ahead: _Single  # [n, A, S]
    coefficients: _Single  # [S, P, WIDTH]


def solver_of(design: Design, history_days: int, first_day: int) -> Solver:
    """Factorise the regression of one station.

    Parameters
    ----------
    design : Design
        The columns.
    history_days : int
        Days of history, D.
    first_day : int
        The days before are not used: the transformers had no readings then.

    Returns
    -------
    Solver
        For `expect`.

    Notes
    -----
    For each step of the day ``B = (F'WF + lambda P)^-1 F'W Y`` with weights ``W = 2^(-age / half-life)``.
    Leaving out the week b changes its residual to ``(I - H_bb)^-1 e_b`` with ``H = F (F'WF + lambda P)^-1
    F'W``: the same as fitting anew without that week, at no cost.

    References
    ----------
    Hastie, T., Tibshirani, R. and Friedman, J. (2009), The Elements of Statistical Learning, 2nd ed.,
    eq. 7.52 (leave one out; here a block).
    """
    columns = design.columns[:, first_day:]
    days = history_days - first_day
    pad = -days % LEFT_OUT_D
    past = columns[:, :days]
    age = np.arange(days)[::-1] + 1.0
    moments, leave_out = [], []
    for half_life_d, strength, air_strength in MEMORIES:
        weight = 0.5 ** (age / half_life_d)
        weighted = past * weight[None, :, None]
        ridge = strength * design.penalty * np.where(design.group == AIR, air_strength, 1.0)
        gram = weighted.swapaxes(1, 2) @ past + np.diag(ridge)
        inverse = np.linalg.inv(gram)
        moments.append((inverse @ weighted.swapaxes(1, 2)).astype(np.float32))
        whole = np.pad(past, ((0, 0), (pad, 0), (0, 0)))
        week = whole.reshape(len(whole), -1, LEFT_OUT_D, whole.shape[2])
        hat = week @ inverse[:, None] @ week.swapaxes(2, 3)
        hat = hat * np.pad(weight, (pad, 0)).reshape(-1, 1, LEFT_OUT_D)
        leave_out.append(np.linalg.inv(np.eye(LEFT_OUT_D) - _MOST_LEVERAGE * hat).astype(np.float32))
    slopes = None if design.slopes is None else design.slopes[:, first_day:].astype(np.float32)
    return Solver(
        np.ascontiguousarray(columns, dtype=np.float32),
        slopes,
        tuple(moments),
        tuple(leave_out),
        first_day,
        design.group,
    )


def expect(solver: Solver, load: _Single) -> Expectation:
    """Fit and forecast up to `WIDTH` transformers.

    Parameters
    ----------
    solver : Solver
        Of their station.
    load : array [n, D, S]
        Readings without gaps, best of mean 0 and standard deviation 1.

    Returns
    -------
    Expectation
        Residuals and the days ahead.
    """
    n, days, steps = load.shape
    y = np.zeros((steps, days, WIDTH), dtype=np.float32)
    y[:, :, :n] = load.transpose(2, 1, 0)
    residual = np.zeros_like(y)
    coefficients = np.zeros((steps, solver.columns.shape[2], WIDTH), dtype=np.float32)
    share = np.float32(1 / len(solver.moments))
    past = np.ascontiguousarray(solver.columns[:, :days])
    for moment, leave_out in zip(solver.moments, solver.leave_out, strict=True):
        fitted = moment @ y
        pad = -days % LEFT_OUT_D  # days put before the history to make whole weeks
        error = np.zeros((steps, pad + days, WIDTH), dtype=np.float32)
        np.subtract(y, past @ fitted, out=error[:, pad:])
        weeks = error.reshape(steps, -1, LEFT_OUT_D, WIDTH)
        residual += share * (leave_out @ weeks).reshape(error.shape)[:, pad:]
        coefficients += share * fitted
    ahead = np.ascontiguousarray(solver.columns[:, days:]) @ coefficients
    return Expectation(_fleet_first(residual, n), _fleet_first(ahead, n), coefficients)


def answer_to_air(solver: Solver, expectation: Expectation) -> _Single | None:
    """Return by how much the expectation rises with the air, [n, R, S] [unit of the load/K]; None: no air."""
    if solver.slopes is None:
        return None
    return _fleet_first(solver.slopes @ expectation.coefficients, len(expectation.ahead))


def groups_ahead(solver: Solver, expectation: Expectation, history_days: int) -> _Single:
    """Return the part of each group of columns in the days ahead, [groups, n, A, S].

    Notes
    -----
    Weekdays count from the mean of all seven, season and air from their means over the history; what
    that leaves goes to the level, so that the groups still sum to the expectation.
    """
    n = len(expectation.ahead)
    parts = []
    moved = np.zeros((solver.columns.shape[0], 1, WIDTH), dtype=np.float32)
    for group in range(int(solver.group.max()) + 1):
        mine = solver.group == group
        coefficients = expectation.coefficients[:, mine]
        part = solver.columns[:, history_days:, mine] @ coefficients
        if group in _CENTRED:
            usual = solver.columns[:, :history_days, mine].mean(axis=1, keepdims=True) @ coefficients
            part, moved = part - usual, moved + usual
        parts.append(part)
    parts[0] = parts[0] + moved
    return np.stack([_fleet_first(part, n) for part in parts])


def _fleet_first(table: _Single, n: int) -> _Single:
    return np.ascontiguousarray(table.transpose(2, 1, 0)[:n])
