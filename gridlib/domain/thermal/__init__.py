"""Heat in transformers: the model, ageing, and the trajectory of the forecast horizon."""

from gridlib.domain.thermal.arrays import finding_frame, step_of, wide_arrays
from gridlib.domain.thermal.horizon import (
    ambient_at_transformers,
    continue_thermal,
    forecast_day_limits,
    forecast_thermal,
)
from gridlib.domain.thermal.model import (
    ThermalResponse,
    ThermalSpec,
    ThermalState,
    ageing_rate_pu,
    loss_of_life_d,
    thermal_response,
    thermal_spec,
)
from gridlib.domain.thermal.rating import DayLimit, day_limit, day_limits, limit_beside_heat
from gridlib.domain.thermal.sensor import OilCorrection, correct_by_sensor

__all__ = [
    "DayLimit",
    "OilCorrection",
    "ThermalResponse",
    "ThermalSpec",
    "ThermalState",
    "ageing_rate_pu",
    "ambient_at_transformers",
    "continue_thermal",
    "correct_by_sensor",
    "day_limit",
    "day_limits",
    "finding_frame",
    "forecast_day_limits",
    "forecast_thermal",
    "limit_beside_heat",
    "loss_of_life_d",
    "step_of",
    "thermal_response",
    "thermal_spec",
    "wide_arrays",
]
