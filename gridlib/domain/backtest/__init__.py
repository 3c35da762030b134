"""Rolling-origin back-test of the forecast: what it would have said, against what came.

``roll`` goes from origin to origin; ``visible`` hands out only what was known there; ``naive`` is the
yardstick; ``scores`` measures hours, ``alarms`` measures warnings; ``result`` is what comes out.
"""

from gridlib.domain.backtest.naive import NAIVE_LAGS_H, naive_forecast
from gridlib.domain.backtest.result import Backtest
from gridlib.domain.backtest.roll import METHODS, Method, backtest_load, methods_named

__all__ = [
    "METHODS",
    "NAIVE_LAGS_H",
    "Backtest",
    "Method",
    "backtest_load",
    "methods_named",
    "naive_forecast",
]
