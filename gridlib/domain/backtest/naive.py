"""The yardstick: as yesterday, as a week ago, with bands of the same rule's own past errors."""

import numpy as np
import pandas as pd

from gridlib.domain.forecast.paths import windows_of
from gridlib.facts.forecasts import Forecast
from gridlib.facts.units import QUANTILE_COLUMNS, QUANTILE_LEVELS

NAIVE_LAGS_H = {"naive24": 24, "naive168": 168}
"""Methods that repeat the last so many hours [h]."""

_PAST_ORIGINS = 112  # sixteen weeks, a day apart
_CHUNK = 200


def naive_forecast(
    history: pd.DataFrame,
    *,
    lag_h: int,
    horizon_h: int,
    rating_kva: pd.Series,
    step_min: int = 60,
) -> Forecast:
    """Repeat the last ``lag_h`` hours; bands are the errors of doing so at earlier origins.

    Parameters
    ----------
    history : DataFrame
        Wide, UTC index, load [kVA]; gaps repeat the last reading before them.
    lag_h : int
        What is repeated [h].
    horizon_h : int
        Hours ahead [h].
    rating_kva : Series
        Nameplate of each transformer [kVA].
    step_min : int
        Step of the history [min].

    Returns
    -------
    Forecast
        With quantiles and chances; bands without width where no earlier origin can be replayed.

    Notes
    -----
    Up to 112 earlier origins, a day apart. Errors are centred on their median at each lead, so that p50 is
    the repeated value itself; the mean moves by their mean. The chance of any overload is the share of
    whole error paths that exceed the rating. A history shorter than ``lag_h`` gives nothing.
    """
    steps, lag, day = (h * 60 // step_min for h in (horizon_h, lag_h, 24))
    ahead = np.arange(steps)
    last = len(history)
    starts = last - steps - day * np.arange(1, _PAST_ORIGINS + 1)
    starts = starts[starts >= lag]
    columns = history.columns if last >= lag else history.columns[:0]
    times = pd.DatetimeIndex(history.index[-1:] + pd.Timedelta(minutes=step_min))
    times = pd.date_range(times[0], periods=steps, freq=pd.Timedelta(minutes=step_min))
    windows = windows_of(horizon_h)
    frames, chances = [], []
    for begin in range(0, len(columns), _CHUNK):
        names = columns[begin : begin + _CHUNK]
        load = history[names].ffill().bfill().to_numpy(dtype=np.float64)
        point = load[last - lag + ahead % lag]
        target = starts[:, None] + ahead
        errors = load[target] - load[starts[:, None] - lag + ahead % lag]
        if not len(starts):
            errors = np.zeros((1, *point.shape))
        errors = errors - np.median(errors, axis=0)
        bands = point + np.quantile(errors, QUANTILE_LEVELS, axis=0)
        over = np.abs(point + errors) > rating_kva.reindex(names).to_numpy(dtype=np.float64)
        p_any = [
            over[:, a * 60 // step_min : b * 60 // step_min].any(axis=1).mean(axis=0) for a, b in windows
        ]
        values = (
            np.stack([point + errors.mean(axis=0), *bands, over.mean(axis=0)])
            .transpose(0, 2, 1)
            .reshape(len(QUANTILE_LEVELS) + 2, -1)
        )
        frame = pd.DataFrame(values.T, columns=["load_kva_mean", *QUANTILE_COLUMNS, "p_overload"])
        frame.insert(0, "transformer_id", np.repeat(names.astype(str), steps))
        frame.insert(1, "time", times.take(np.tile(ahead, len(names))))
        frames.append(frame)
        for i, (a, b) in enumerate(windows):
            chance = {"transformer_id": names.astype(str), "from_h": a, "to_h": b, "p_any_overload": p_any[i]}
            chances.append(pd.DataFrame(chance))
    empty = pd.DataFrame(columns=["transformer_id", "time", "load_kva_mean", *QUANTILE_COLUMNS])
    return Forecast(
        frame=pd.concat(frames, ignore_index=True) if frames else empty,
        windows=pd.concat(chances, ignore_index=True)
        if chances
        else pd.DataFrame(columns=["transformer_id", "from_h", "to_h", "p_any_overload"]),
        findings=pd.DataFrame(columns=["transformer_id", "code", "message"]),
    )
