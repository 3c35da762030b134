"""Kinds of values that requests carry and answers show, and the models they are fields of."""

import re
from datetime import UTC, datetime
from math import isfinite
from typing import Annotated, Any, Generic, TypeVar

from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field

from gridlib.facts.messages import Message, render

Item = TypeVar("Item")

_PRINTABLE = r"^[^\u0000-\u001f\u007f-\u009f]+$"
_SENTENCE = r"^[^\u0000-\u001f\u007f-\u009f]*[^\s\u0000-\u001f\u007f-\u009f][^\u0000-\u001f\u007f-\u009f]*$"
_LINE = r"^[^\u0000-\u001f\u007f-\u009f]*$"

_DATE_TIME = re.compile(r"\d{4}-\d\d-\d\d[Tt ]")

Name = Annotated[str, Field(min_length=1, max_length=80, pattern=_PRINTABLE)]
"""Names an object: no control characters."""

Sentence = Annotated[str, Field(min_length=1, max_length=500, pattern=_SENTENCE)]
"""What a person says, in one line that is not blank."""

Line = Annotated[str, Field(max_length=500, pattern=_LINE)]
"""The same, or nothing."""

Number = Annotated[float | None, BeforeValidator(lambda value: _finite(value))]
"""A number, or null where it is not known."""

Utc = Annotated[datetime, BeforeValidator(lambda value: _moment(value))]
"""A moment, shown in UTC."""

MaybeUtc = Annotated[datetime | None, BeforeValidator(lambda value: _moment(value))]
"""The same, or null."""

Moment = Annotated[AwareDatetime, BeforeValidator(lambda value: _written(value))]
"""A moment in a request: a date and a time with its offset, never a count of seconds."""


Said = Annotated[str, BeforeValidator(lambda value: _said(value))]
"""A message, in English."""


class Body(BaseModel):
    """What a request carries: nothing is converted, nothing unknown is let through."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Query(BaseModel):
    """The parameters of a request; a name that is not one of them is refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class View(BaseModel):
    """What is answered: made of a record of ours by its attributes."""

    model_config = ConfigDict(from_attributes=True, frozen=True)


class PageQuery(Query):
    """Which part of a list is asked for."""

    limit: int = Field(default=100, ge=1, le=500, description="Rows of one page.")
    after: Name | None = Field(default=None, description="Name of the last row seen; see 'next'.")


class Page(View, Generic[Item]):
    """Part of a list; following ``next`` until it is null gives the whole, each row once."""

    items: list[Item]
    next: str | None = Field(description="Address of the next page; null: this is the last one.")


def _written(value: Any) -> Any:
    if isinstance(value, str) and _DATE_TIME.match(value):
        return datetime.fromisoformat(value.upper())
    raise ValueError("write it as 2026-08-13T00:00:00+03:00")


def _finite(value: Any) -> Any:
    return None if isinstance(value, float) and not isfinite(value) else value


def _said(value: Any) -> Any:
    return render(value) if isinstance(value, Message) else value


def _moment(value: Any) -> Any:
    """Take pandas' time stamps as moments, and its missing ones as none."""
    if not isinstance(value, datetime):
        return value
    if value != value:  # NaT, the only time that is not equal to itself
        return None
    plain = value.to_pydatetime() if hasattr(value, "to_pydatetime") else value
    return plain.astimezone(UTC)
