"""Load of every transformer for the next hours, with honest bands: fleet in, fleet out.

The floors of this package, imports pointing only down::

    ladder     forecast_load and explain_forecast: which transformer gets which rung, and the frames
    fleet      the rung for transformers with hardly any readings of their own
    paths      error paths, quantiles, chance of overload, confidence
    profile    level, day, week, calendar, temperature and what the last days did differently
    door       what the caller handed in, checked; readings laid out by local day
"""

from gridlib.domain.forecast.ladder import explain_forecast, forecast_load

__all__ = ["explain_forecast", "forecast_load"]
