"""What a study comes to: one transformer as it is and under other circumstances; never stored."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from gridlib.facts.messages import Message
from gridlib.facts.types import Plan, RiskLevel, WhyNot


@dataclass(frozen=True)
class StudyRisk:
    """The risk of one transformer, as in `gridlib.facts.frames.RiskFrame`; None where not computed.

    ``messages`` are the reasons, as JSON that `gridlib.facts.messages.from_json` reads.
    """

    risk_score: float
    risk_level: RiskLevel
    imminent: bool
    raised_by: str
    overload: float
    thermal: float
    cascading: float
    rating_kva: float
    limit_kva: float | None
    limit_by: str
    peak_pct_p50: float
    peak_pct_p90: float
    peak_time: datetime
    hours_over: int
    first_over: datetime | None
    p_any_1_24: float
    p_any_24_72: float
    p_any_1_72: float
    hot_spot_c_max: float | None
    hot_spot_c_max_p90: float | None
    loss_of_life_d: float | None
    messages: str


@dataclass(frozen=True)
class Study:
    """What would be if air, load or a switch were otherwise: re-scored and re-planned, for one transformer.

    Attributes
    ----------
    transformer_id, run_id, issued_at : str, str, datetime
        Whom it looks at, and the run that it starts from.
    ambient_k, load_pct, tie_out : float, float, str
        Added to the air of every hour [K] and to every load [%]; a switch that cannot be operated, or empty.
    before, after : StudyRisk
        By the same computation, without the levels that a run holds from the runs before it.
    plans, why_not, do_nothing, other_measures
        What planning says under these circumstances, as in `gridlib.facts.types.PlanningCase`; all empty
        where the transformer is LOW.
    messages : str
        That it is a study, and what it assumes; JSON as in `StudyRisk`.
    """

    transformer_id: str
    run_id: str
    issued_at: datetime
    ambient_k: float
    load_pct: float
    tie_out: str
    before: StudyRisk
    after: StudyRisk
    plans: tuple[Plan, ...]
    why_not: tuple[WhyNot, ...]
    do_nothing: Mapping[str, float | None]
    other_measures: tuple[Message, ...]
    messages: str
