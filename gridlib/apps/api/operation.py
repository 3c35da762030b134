"""What can be asked of the API: each operation is one record, from which routes and description are made."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Generic, TypeVar
from urllib.parse import quote, urlencode

from pydantic import BaseModel

from gridlib.apps.api.fields import Query
from gridlib.apps.api.runner import Runner
from gridlib.facts.types import Role
from gridlib.workbench import Workbench

Q = TypeVar("Q", bound=Query)
B = TypeVar("B")


@dataclass(frozen=True)
class Call(Generic[Q, B]):
    """One request, checked.

    Attributes
    ----------
    workbench : Workbench
        The workspace.
    runner : Runner
        Starts the process of requested runs.
    username : str
        Who is signed in.
    path : str
        As it was sent, without parameters.
    names : mapping
        The parts of the path in braces.
    query, body
        The operation's models.
    rev : int or None
        The version that the caller has seen (If-Match); None: any.
    """

    workbench: Workbench
    runner: Runner
    username: str
    path: str
    names: Mapping[str, str]
    query: Q
    body: B
    rev: int | None

    def next_page(self, after: str | int | None, **pinned: str) -> str | None:
        """Address of the page behind a row, with what must not change meanwhile; None behind the last one."""
        if after is None:
            return None
        asked = self.query.model_dump(mode="json", exclude_none=True, exclude_defaults=True)
        return f"{self.path}?{urlencode({**asked, **pinned, 'after': after}, doseq=True)}"


@dataclass(frozen=True)
class Answer:
    """What an operation found or did.

    Attributes
    ----------
    content : BaseModel or None
        The body; None for an empty one.
    rev : int or None
        Version of the object, sent as ETag.
    location : str
        Address of what was made.
    """

    content: BaseModel | None = None
    rev: int | None = None
    location: str = ""


@dataclass(frozen=True)
class Download:
    """A file to send; its folder is removed once it is sent."""

    folder: TemporaryDirectory[str]
    file: Path
    media_type: str


NO_QUERY = Query


@dataclass(frozen=True)
class Operation:
    """One method of one address.

    Attributes
    ----------
    method, path : str
        For example "GET" and "/api/planning/plans/{plan_id}/".
    do : callable
        Does it, in a thread of its own; the first line of its docstring is the summary.
    answer : type
        Model of the answer's content.
    query : type
        Model of the parameters.
    body : type or None
        Model, or union of models, of what the request carries.
    status : int
        Of an answer.
    role : Role or None
        Role that the workflow function asks for, for the description; None: whoever is signed in.
    screen : str
        Name of the screen whose roles it asks for; empty: none.
    versioned : bool
        Takes If-Match and answers 412 where the object has changed.
    media_types : tuple of str
        Of the answer.
    """

    method: str
    path: str
    do: Callable[[Call[Any, Any]], Answer | Download]
    answer: Any
    query: type[Query] = NO_QUERY
    body: Any = None
    status: int = 200
    role: Role | None = None
    screen: str = ""
    versioned: bool = False
    media_types: tuple[str, ...] = field(default=("application/json",))


def address(template: str, **names: str) -> str:
    """Fill the braces of a path."""
    return template.format(**{key: quote(value, safe="") for key, value in names.items()})
