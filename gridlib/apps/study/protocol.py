"""What is asked of the study worker and how it answers: one line of JSON each way, over a Unix socket."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from gridlib.facts.messages import Language

SOCKET_VARIABLE = "GRIDLIB_STUDY_SOCKET"
"""Environment variable that tells a kernel where the worker listens."""

MOST_REQUEST_BYTES = 4096
"""Largest request [B]."""

DEADLINE_S = 20.0
"""After this an answer is given up and its process ends [s]."""

_Name = Annotated[str, Field(min_length=1, max_length=80)]


class _Request(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class WhatIf(_Request):
    """Score and plan a transformer again under other circumstances."""

    ask: Literal["what_if"] = "what_if"
    transformer_id: _Name
    ambient_k: float = 0.0
    load_pct: float = 0.0
    tie_out: Annotated[str, Field(max_length=80)] = ""


class UnitPicture(_Request):
    """Draw something about a transformer."""

    ask: Literal["load_band", "hot_spot", "neighbours"]
    transformer_id: _Name
    language: Language = "en"


class PlanPicture(_Request):
    """Draw both sides of a plan, before and after."""

    ask: Literal["both_sides"] = "both_sides"
    plan_id: _Name
    language: Language = "en"


Request = Annotated[WhatIf | UnitPicture | PlanPicture, Field(discriminator="ask")]
