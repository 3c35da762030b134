"""Second step: what the last days did differently, and how that carries on."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

HALF_LIFE_D = 400.0
STRENGTH = (10.0, 8.0)  # of the ridge; without, with weather: what the air leaves is less noise
MEANS_STRENGTH = 10.0
"""The ridge is so much stronger for the means of days: they repeat what the last hours say, less freshly."""

FIRST_ORIGIN_D = 17
"""Days of residuals before the first past day that is learnt from [d]."""

_RECENT_HOURS = 24
# Means over days before the origin: from so many days back up to so many days back.
_DAY_MEANS = ((2, 1), (7, 0), (14, 7))
_LEAST_LEFT = 0.2  # of 1 - leverage; keeps the leave-one-out errors finite
_Single = NDArray[np.float32]


class Deviation(NamedTuple):
    """What to add to the expectation; N transformers, J past origins, A days ahead, S steps."""

    ahead: _Single  # [N, A * S]
    errors: _Single  # [N, paths, A * S]: leave-one-out errors of some past origins


def first_origin(history_days: int, days_ahead: int) -> NDArray[np.int64]:
    """Return the days at whose start a past forecast of the whole horizon can be judged, [J]."""
    return np.arange(FIRST_ORIGIN_D, history_days - days_ahead + 1)


def fit_deviation(
    residual: _Single,
    answer: _Single | None,
    air_error_k: _Single,
    known: _Single,
    chosen: NDArray[np.int64],
    days_ahead: int,
) -> Deviation:
    """Fit, forecast and judge the deviation of some transformers.

    Parameters
    ----------
    residual : array [N, D, S]
        Load minus expectation, left out by weeks.
    answer : array [N, D + A, S] or None
        By how much the load rises with the air; None: no weather.
    air_error_k : array [J, A * S]
        Errors as temperature forecasts make them [K].
    known : array [N, J]
        Share of the horizon after each origin that was really read.
    chosen : array [N, paths]
        Origins whose errors are wanted, as numbers into J.
    days_ahead : int
        A.

    Returns
    -------
    Deviation
        Forecast and errors.

    Notes
    -----
    One small ridge a transformer with a right-hand side for each lead: ``r(o + k) = z(o)' G_k``, ``z`` the
    residuals of the last 24 hours and the means of the day before them and of the last two weeks; one row for
    each past day ``o`` at the hour of the forecast, weights ``2^(-age / 400 d)``. The errors are
    ``e / (1 - h)``, those of a fit without that day, less what a *forecast* temperature would have added: the
    answer to the air times a temperature forecast's error.
    """
    n, days, steps = residual.shape
    leads = days_ahead * steps
    origins = first_origin(days, days_ahead)
    z = _recent(residual, np.append(origins, days))
    past, now = z[:, :-1], z[:, -1:]
    target = _ahead_of(residual, origins, days_ahead)
    age = (days - origins).astype(np.float32)
    weight = known * np.float32(0.5) ** (age / np.float32(HALF_LIFE_D))
    weighted = np.ascontiguousarray((past * weight[..., None]).swapaxes(1, 2))
    ridge = np.full(z.shape[2], STRENGTH[answer is not None], dtype=np.float32)
    ridge[1 + _RECENT_HOURS :] *= MEANS_STRENGTH
    gram = weighted @ past + np.diag(ridge)
    inverse: _Single = np.linalg.inv(gram).astype(np.float32)
    coefficients = inverse @ (weighted @ target)
    row = np.arange(n)[:, None]
    past, target = past[row, chosen], target[row, chosen]
    leverage = ((past @ inverse) * past).sum(axis=2) * np.take_along_axis(weight, chosen, axis=1)
    errors = target - past @ coefficients
    errors /= np.maximum(1 - leverage, np.float32(_LEAST_LEFT))[..., None]
    if answer is not None:
        errors -= (_ahead_of(answer[:, :days], origins, days_ahead) * air_error_k)[row, chosen]
    ahead: _Single = (now @ coefficients).reshape(n, leads).astype(np.float32)
    return Deviation(ahead, errors.astype(np.float32, copy=False))


def _recent(residual: _Single, origins: NDArray[np.int64]) -> _Single:
    """Return z [N, origins, columns]."""
    n, days, steps = residual.shape
    hourly = residual.reshape(n, days, _RECENT_HOURS, steps // _RECENT_HOURS).mean(axis=3)
    by_day = hourly.mean(axis=2, dtype=np.float64)
    summed = np.concatenate([np.zeros((n, 1)), np.cumsum(by_day, axis=1)], axis=1)
    means = [(summed[:, origins - b] - summed[:, origins - a]) / (a - b) for a, b in _DAY_MEANS]
    z = np.empty((n, len(origins), 1 + _RECENT_HOURS + len(means)), dtype=np.float32)
    z[..., 0] = 1.0
    z[..., 1 : 1 + _RECENT_HOURS] = hourly[:, origins - 1]
    z[..., 1 + _RECENT_HOURS :] = np.stack(means, axis=-1)
    return z


def _ahead_of(table: _Single, origins: NDArray[np.int64], days_ahead: int) -> _Single:
    """Return the days after each origin, [N, origins, A * S]."""
    n, _, steps = table.shape
    out = np.empty((n, len(origins), days_ahead, steps), dtype=np.float32)
    for ahead in range(days_ahead):
        out[:, :, ahead] = table[:, origins[0] + ahead : origins[-1] + ahead + 1]
    return out.reshape(n, len(origins), days_ahead * steps)
