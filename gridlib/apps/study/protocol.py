"""What is asked of the study worker and how it answers: one line of JSON each way, over a Unix socket."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from gridlib.facts.messages import Language

SOCKET_VARIABLE = "GRIDLIB_STUDY_SOCKET"
"""Environment variable that tells a kernel where the worker listens."""

ACTING_USER_VARIABLE = "GRIDLIB_ACTING_USER"
"""Environment variable that tells a kernel, and those whom it asks, who acts."""

MOST_REQUEST_BYTES = 65_536
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
    """Draw both sides of a plan, or the network around it, before and after."""

    ask: Literal["both_sides", "path"] = "both_sides"
    plan_id: _Name
    language: Language = "en"


_FEW = 60
"""Most fields or choices that a page may send."""

_Text = Annotated[str, Field(max_length=4000)]
_Choice = Annotated[str, Field(max_length=200)]


class ScreenQuestion(_Request):
    """Do what was pressed on a screen, and draw it.

    Attributes
    ----------
    screen : str
        Which screen it is.
    user : str
        Who acts: said by the kernel from what the server told it at its start, never by the page.
    action : str
        What to do before drawing; empty: only draw.
    fields : dict of str to str
        What stood in the form of the action.
    state : dict of str to str
        What is chosen on the page.
    later : bool
        Draw what takes a moment, and nothing else.
    """

    ask: Literal["screen"] = "screen"
    screen: _Name
    user: _Name
    action: _Choice = ""
    fields: dict[_Choice, _Text] = Field(default_factory=dict, max_length=_FEW)
    state: dict[_Choice, _Choice] = Field(default_factory=dict, max_length=_FEW)
    later: bool = False


Request = Annotated[WhatIf | UnitPicture | PlanPicture | ScreenQuestion, Field(discriminator="ask")]
