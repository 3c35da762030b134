"""Windows: was the warning of an overload right, and did its chance mean what it said."""

from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gridlib.domain.backtest.scores import Hours, share

ALARM_P = 0.3
"""An alarm is a chance of any overload in the window of at least this, the default of
``limits.p_any_limit``."""

_TENTHS = 10
_Float = NDArray[np.float64]
_Int = NDArray[np.int64]


class Alarms(NamedTuple):
    """Every window judged, [S, O]."""

    judged: NDArray[np.bool_]
    p_any: _Float
    event: NDArray[np.bool_]
    alarm: NDArray[np.bool_]


def alarm_window(horizon_h: int) -> tuple[int, int]:
    """Return the planning window: leads after the first, up to and with the second [h].

    Examples
    --------
    >>> alarm_window(72), alarm_window(168), alarm_window(24)
    ((24, 72), (24, 72), (0, 24))
    """
    return (24, min(horizon_h, 72)) if horizon_h > 24 else (0, horizon_h)


def judge_windows(hours: Hours, p_any: _Float, inside: slice) -> Alarms:
    """Compare the chances of any overload in a window with what came.

    Parameters
    ----------
    hours : Hours
        From `gridlib.domain.backtest.scores.judge_hours`.
    p_any : array [S, O]
        Chance stated; NaN: the largest chance of an hour is taken, which is too small where hours err
        together.
    inside : slice
        Steps of the window.

    Returns
    -------
    Alarms
        Windows without one judged hour do not count.
    """
    judged = np.asarray(hours.judged[..., inside])
    largest = np.where(judged, hours.p_over[..., inside], 0.0).max(axis=-1)
    chance = np.where(np.isfinite(p_any), p_any, largest)
    event = np.asarray((hours.over[..., inside] & judged).any(axis=-1))
    return Alarms(np.asarray(judged.any(axis=-1)), chance, event, chance >= ALARM_P)


def counted(alarms: Alarms, group: _Int, n: int) -> pd.DataFrame:
    """Count over groups of windows.

    Parameters
    ----------
    alarms : Alarms
        From `judge_windows`.
    group : array
        Number of each window's group, from 0; broadcast to [S, O].
    n : int
        How many groups.

    Returns
    -------
    DataFrame
        One row for each group: windows, overloads, alarms, hits, misses, false_alarms, precision, recall,
        mean_p, observed; NaN where there was no alarm or no overload.
    """
    place = np.broadcast_to(group, alarms.judged.shape)[alarms.judged]
    event, alarm = alarms.event[alarms.judged], alarms.alarm[alarms.judged]

    def count(values: NDArray[np.bool_]) -> _Int:
        return np.bincount(place[values], minlength=n).astype(np.int64)

    windows, overloads, given = np.bincount(place, minlength=n).astype(np.int64), count(event), count(alarm)
    hits = count(event & alarm)
    sum_p = np.bincount(place, weights=alarms.p_any[alarms.judged], minlength=n).astype(np.float64)
    return pd.DataFrame(
        {
            "windows": windows,
            "overloads": overloads,
            "alarms": given,
            "hits": hits,
            "misses": overloads - hits,
            "false_alarms": given - hits,
            "precision": share(hits.astype(float), given.astype(float)),
            "recall": share(hits.astype(float), overloads.astype(float)),
            "mean_p": share(sum_p, windows.astype(float)),
            "observed": share(overloads.astype(float), windows.astype(float)),
        }
    )


def reliability_of(alarms: Alarms) -> pd.DataFrame:
    """Return by tenths of the chance stated: tenth, windows, mean_p, observed.

    References
    ----------
    Murphy, Winkler (1977), Reliability of subjective probability forecasts, Appl. Stat. 26.
    """
    # 0.3 written in binary is a little less than three tenths.
    tenth = np.minimum(np.floor(alarms.p_any * _TENTHS + 1e-9), _TENTHS - 1).astype(np.int64)
    table = counted(alarms, tenth, _TENTHS)[["windows", "mean_p", "observed"]]
    table.insert(0, "tenth", np.arange(_TENTHS))
    return table[table["windows"] > 0].reset_index(drop=True)
