"""What a back-test found: one frame for each way of looking at it."""

from dataclasses import dataclass

import pandas as pd

WORSE_THAN_NAIVE = 1.05
"""A transformer whose error exceeds this multiple of the better naive's is named."""


@dataclass(frozen=True)
class Backtest:
    """What `gridlib.domain.backtest.backtest_load` returns.

    Errors are percent of each transformer's largest load before the first origin. Columns of hours:
    ``hours`` judged, ``missing_pct`` measured but not forecast, ``nmae_pct`` (median against reading),
    ``ncrps_pct``, ``cover90`` share inside p05..p95, ``crossing`` share of quantiles out of order,
    ``brier_skill`` of the hourly chance of overload against its own frequency. Columns of windows, one for
    each transformer and origin: ``windows``, ``overloads`` that came, ``alarms`` given, ``hits``,
    ``misses``, ``false_alarms``, ``precision``, ``recall``, ``mean_p`` and ``observed``, which are equal
    where the chance is calibrated.

    Attributes
    ----------
    overall : DataFrame
        One row for each method: both kinds of columns; here ``nmae_pct`` and ``ncrps_pct`` give every
        transformer the same weight, elsewhere every hour has it; ``nmae_worst_pct`` of the worst
        transformer; ``confidence`` stated and ``skill`` measured, means over transformers;
        ``cpu_s_per_series`` of one forecast [s].
    by_lead_day, by_season, by_transformer, by_lead_hour : DataFrame
        The same by lead day (hours only), local season of three months, transformer, and lead hour
        (``nmae_pct`` only). By transformer also ``ratio_to_naive``, the error over that of the better
        naive, ``worse_than_naive`` where it exceeds 1.05, and the ``confidence`` stated beside the
        ``skill`` measured.
    reliability : DataFrame
        By method and tenth of the chance of any overload in the window: ``windows``, ``mean_p``,
        ``observed``.
    coverage : DataFrame
        By method and quantile ``level``: ``share_below``, the share of readings not above it.
    faults : DataFrame
        method, origin, message: what failed and was left out.
    notes : tuple of str
        What was assumed, in sentences.
    origins : DatetimeIndex
        First hours forecast, UTC.
    rating_kva : Series
        What counted as overload, by transformer [kVA].
    window_h : tuple of int
        The window of alarms: leads after the first, up to and with the second [h].
    alarm_p : float
        An alarm is a chance of any overload in the window of at least this.
    """

    overall: pd.DataFrame
    by_lead_day: pd.DataFrame
    by_season: pd.DataFrame
    by_transformer: pd.DataFrame
    by_lead_hour: pd.DataFrame
    reliability: pd.DataFrame
    coverage: pd.DataFrame
    faults: pd.DataFrame
    notes: tuple[str, ...]
    origins: pd.DatetimeIndex
    rating_kva: pd.Series
    window_h: tuple[int, int]
    alarm_p: float
