"""Errors as problem details.

References
----------
RFC 9457, Problem Details for HTTP APIs, 2023; RFC 9110, HTTP Semantics, 2022, section 15 for the statuses.
"""

from collections.abc import Mapping
from http import HTTPStatus
from types import MappingProxyType
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from gridlib.facts.errors import (
    ChangedError,
    FileError,
    FourEyesError,
    FrameError,
    GridlibError,
    InputError,
    NotFoundError,
    RefusedError,
    RoleError,
    SettingsError,
    StalePlanError,
    StoreError,
    TransitionError,
)

MEDIA_TYPE = "application/problem+json"

STATUS: Mapping[type[GridlibError], HTTPStatus] = MappingProxyType(
    {
        InputError: HTTPStatus.UNPROCESSABLE_ENTITY,
        # Files, tables and settings of the site that cannot be used are not the fault of who asks.
        FileError: HTTPStatus.INTERNAL_SERVER_ERROR,
        FrameError: HTTPStatus.INTERNAL_SERVER_ERROR,
        SettingsError: HTTPStatus.INTERNAL_SERVER_ERROR,
        NotFoundError: HTTPStatus.NOT_FOUND,
        RefusedError: HTTPStatus.CONFLICT,
        RoleError: HTTPStatus.FORBIDDEN,
        FourEyesError: HTTPStatus.FORBIDDEN,
        StoreError: HTTPStatus.SERVICE_UNAVAILABLE,
        GridlibError: HTTPStatus.INTERNAL_SERVER_ERROR,
    }
)
"""Status of each kind of error; a kind that is not listed has that of the kind above it in the tree."""

_HTTP_HELP: Mapping[int, str] = MappingProxyType(
    {
        400: "See /api/openapi.json for what this address takes.",
        401: "Sign in, or send 'Authorization: Bearer TOKEN'; 'gridlib user token add USER NAME' makes one.",
        403: "Requests with a cookie carry the header X-XSRFToken; programs use a token.",
        404: "See /api/openapi.json for the addresses there are.",
        405: "The header Allow names the methods of this address.",
        413: "Send less.",
        415: "Send Content-Type: application/json.",
        500: "The log of the server says more; call support.",
    }
)


class Fault(BaseModel):
    """One thing that is wrong with a request."""

    model_config = ConfigDict(frozen=True)

    where: str = Field(description="Name of the parameter, or path of the field in the body.")
    message: str


class Problem(BaseModel):
    """Why a request was not done; nothing was changed unless the sentence says so."""

    model_config = ConfigDict(frozen=True)

    type: str = Field(description="Names the kind of problem: urn:gridlib:problem:<code>.")
    title: str
    status: int = Field(ge=400, le=599)
    detail: str = Field(description="What was found and what was expected.")
    instance: str = Field(description="Path of the request.")
    code: str = Field(description="What programs read, as in the shell's --json.")
    what_to_do: str = Field(description="The next step; may be empty.")
    allowed: list[str] | None = Field(default=None, description="wrong_state: the states it can move to.")
    needed: str | None = Field(default=None, description="wrong_role: the role that is asked for.")
    reasons: list[str] | None = Field(default=None, description="stale_plan: why it no longer holds.")
    errors: list[Fault] | None = Field(default=None, description="bad_request: everything that is wrong.")


class BadRequestError(Exception):
    """A request that cannot be taken as what its address expects.

    Parameters
    ----------
    status : HTTPStatus
        400, 412, 413, 415 or 422.
    detail : str
        What was found and what was expected.
    faults : sequence of Fault
        All of it, where there is more to say.
    """

    def __init__(self, status: HTTPStatus, detail: str, faults: tuple[Fault, ...] = ()) -> None:
        super().__init__(detail)
        self.status = status
        self.faults = faults


def of_error(error: GridlibError, instance: str, *, conditional: bool = False) -> Problem:
    """Say an error of ours; ``conditional`` where the request named the version that was shown."""
    status = next(STATUS[kind] for kind in type(error).__mro__ if kind in STATUS)
    if conditional and isinstance(error, ChangedError):
        status = HTTPStatus.PRECONDITION_FAILED
    more: dict[str, Any] = {}
    if isinstance(error, TransitionError):
        more["allowed"] = [str(state) for state in error.allowed]
    if isinstance(error, RoleError):
        more["needed"] = error.needed
    if isinstance(error, StalePlanError):
        more["reasons"] = list(error.reasons)
    return _problem(status, error.code, str(error), error.what_to_do, instance, **more)


def of_request(error: BadRequestError, instance: str) -> Problem:
    """Say what is wrong with a request."""
    what_to_do = _HTTP_HELP.get(error.status, _HTTP_HELP[400])
    return _problem(
        error.status, "bad_request", str(error), what_to_do, instance, errors=list(error.faults) or None
    )


def of_status(status_code: int, instance: str, detail: str = "") -> Problem:
    """Say what the server itself refused."""
    status = HTTPStatus(status_code)
    code = status.name.lower()
    return _problem(
        status, code, detail or f"{status.description or status.phrase}", _HTTP_HELP.get(status, ""), instance
    )


def faults_of(error: ValidationError) -> tuple[Fault, ...]:
    """Name everything that a model found wrong."""
    return tuple(
        Fault(where=".".join(str(part) for part in found["loc"]) or "body", message=found["msg"])
        for found in error.errors(include_url=False, include_context=False, include_input=False)
    )


def _problem(
    status: HTTPStatus, code: str, detail: str, what_to_do: str, instance: str, **more: Any
) -> Problem:
    return Problem(
        type=f"urn:gridlib:problem:{code}",
        title=status.phrase,
        status=status,
        detail=detail,
        instance=instance,
        code=code,
        what_to_do=what_to_do,
        **more,
    )
