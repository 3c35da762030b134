"""Load of every transformer for the next hours, with honest bands: fleet in, fleet out.

The floors of this package, imports pointing only down::

    ladder       forecast_load and explain_forecast: arguments in, frames out
    climb        which transformer gets which rung and tier, chunk by chunk
    lead_ridge   the second tier: one ridge for each lead
    tiers        gaps filled, the fast tier, blends, the naive where it is better
    level_shift  sections switched over
    joint        error paths of the same past days across the fleet
    replays      which past days lend their errors, bands set by the last weeks, confidence
    deviation    the fast tier's second step: what the last days did differently
    expectation  its first step: calendar, season and air
    design       the columns of that regression
    shape        the rung for transformers with hardly any readings of their own
    paths        error paths, quantiles, chance of overload
    profile      the short profile: level, day, week, and the last days
    door         what the caller handed in, checked; readings laid out by local day
"""

from gridlib.domain.forecast.ladder import explain_forecast, forecast_load

__all__ = ["explain_forecast", "forecast_load"]
