"""Forecasters of other libraries, to compare ours with; installed with the extra ``peers``."""

from typing import Any

import numpy as np
import pandas as pd

from gridlib.facts.errors import InputError
from gridlib.facts.forecasts import Forecast
from gridlib.facts.units import QUANTILE_COLUMNS, QUANTILE_LEVELS

_BANDS_PCT = tuple(round(100 - 200 * level) for level in QUANTILE_LEVELS if level < 0.5)


def mstl_forecast(history: pd.DataFrame, *, horizon_h: int, step_min: int = 60, **_: Any) -> Forecast:
    """Forecast by MSTL of the library statsforecast: seasons of a day and a week, trend by AutoETS.

    Parameters
    ----------
    history : DataFrame
        Wide, UTC index, load [kVA]; gaps are bridged by straight lines.
    horizon_h : int
        Hours ahead [h].
    step_min : int
        Step of the history [min].
    **_
        Weather, ratings and calendar, which this method cannot use.

    Returns
    -------
    Forecast
        Without windows: a back-test takes the largest chance of an hour. Left out are transformers with less
        than two weeks of history.

    Raises
    ------
    InputError
        statsforecast is not installed.

    References
    ----------
    Bandara, Hyndman, Bergmeir (2021), MSTL: a seasonal-trend decomposition algorithm for time series with
    multiple seasonal patterns, arXiv:2107.13462.
    """
    require_peers()
    from statsforecast.models import MSTL

    per_hour = 60 // step_min
    steps = horizon_h * per_hour
    step = pd.Timedelta(minutes=step_min)
    times = pd.date_range(history.index[-1] + step, periods=steps, freq=step)
    filled = history.interpolate(limit_direction="both")
    frames = []
    for name in filled.columns[filled.notna().all() & (len(filled) >= 2 * 168 * per_hour)]:
        model = MSTL(season_length=[24 * per_hour, 168 * per_hour])
        said = model.forecast(filled[name].to_numpy(dtype=np.float64), steps, level=sorted(_BANDS_PCT))
        bands = [said[f"lo-{pct}"] for pct in _BANDS_PCT] + [said["mean"]]
        bands += [said[f"hi-{pct}"] for pct in reversed(_BANDS_PCT)]
        frame = pd.DataFrame(dict(zip(QUANTILE_COLUMNS, bands, strict=True)))
        frame.insert(0, "load_kva_mean", said["mean"])
        frame.insert(0, "time", times)
        frame.insert(0, "transformer_id", str(name))
        frames.append(frame)
    nothing = pd.DataFrame(columns=["transformer_id", "time", "load_kva_mean", *QUANTILE_COLUMNS])
    return Forecast(
        frame=pd.concat(frames, ignore_index=True) if frames else nothing,
        windows=pd.DataFrame(columns=["transformer_id", "from_h", "to_h", "p_any_overload"]),
        findings=pd.DataFrame(columns=["transformer_id", "code", "message"]),
    )


def require_peers() -> None:
    """Raise `InputError` where the libraries of the extra ``peers`` are not installed."""
    try:
        import statsforecast.models  # noqa: F401
    except ImportError as error:
        raise InputError(
            "the method mstl needs the library statsforecast, which is not installed",
            what_to_do="Install the extra: pip install 'gridlib[peers]'.",
        ) from error
