"""How likely and how bad an overload is: components, levels, rules above the weights, and reasons."""

from gridlib.domain.risk.cascading import cascading_component
from gridlib.domain.risk.components import overload_component, thermal_component, weighted_score
from gridlib.domain.risk.hold import hold_level
from gridlib.domain.risk.reasons import limit_message
from gridlib.domain.risk.score import score_risk
from gridlib.domain.risk.sensitivity import score_sensitivity, sensitivity_messages

__all__ = [
    "cascading_component",
    "hold_level",
    "limit_message",
    "overload_component",
    "score_risk",
    "score_sensitivity",
    "sensitivity_messages",
    "thermal_component",
    "weighted_score",
]
