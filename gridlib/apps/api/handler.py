"""Answers requests: checks what came, lets an operation do it in a thread, says what went wrong."""

import logging
import re
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus
from pathlib import Path
from types import UnionType
from typing import Any, Union, cast, get_args, get_origin

from jupyter_server.base.handlers import APIHandler
from pydantic import TypeAdapter, ValidationError
from tornado.ioloop import IOLoop
from tornado.web import HTTPError, authenticated

from gridlib.apps.api import problems
from gridlib.apps.api.fields import Name, Query
from gridlib.apps.api.operation import Answer, Call, Download, Operation
from gridlib.apps.api.problems import BadRequestError, Fault, Problem
from gridlib.apps.api.runner import Runner
from gridlib.apps.server.identity import Accounts, account_of, person_of
from gridlib.apps.server.screens import read_screen
from gridlib.facts.errors import GridlibError, RoleError
from gridlib.workbench import Workbench

MOST_BYTES = 65_536
"""Largest body of a request."""

_CHUNK_BYTES = 65_536
_NAME: TypeAdapter[str] = TypeAdapter(Name)
_VERSION = re.compile(r'"(\d{1,9})"')
_log = logging.getLogger("gridlib.api")


class Resource(APIHandler):
    """One address with all its methods."""

    def initialize(
        self,
        workbench: Workbench,
        runner: Runner,
        workers: ThreadPoolExecutor,
        screens: Path,
        operations: Mapping[str, Operation],
    ) -> None:
        """Take what the route says.

        Parameters
        ----------
        workbench : Workbench
            The workspace.
        runner : Runner
            Starts requested runs.
        workers : ThreadPoolExecutor
            Where operations wait for the database and compute: the event loop must do neither.
        screens : Path
            Folder of the screens.
        operations : mapping of str to Operation
            By method.
        """
        self.workbench = workbench
        self.runner = runner
        self.workers = workers
        self.screens = screens
        self.operations = operations

    async def prepare(self) -> None:  # type: ignore[override]
        """Refuse strangers with 401, whatever method they use."""
        try:
            await super().prepare()
        except HTTPError as error:
            if error.status_code == HTTPStatus.FORBIDDEN and self.current_user is None and self.check_host():
                raise HTTPError(HTTPStatus.UNAUTHORIZED) from error
            raise

    def check_xsrf_cookie(self) -> None:
        """Ask for the XSRF header of whoever is signed in; a stranger is told to sign in instead."""
        if getattr(self, "_jupyter_current_user", None) is not None:
            super().check_xsrf_cookie()

    def set_cors_headers(self) -> None:
        """Let no page of another origin read an answer."""

    @authenticated
    async def get(self, **names: str) -> None:
        """Answer a GET."""
        await self._answer("GET", names)

    @authenticated
    async def head(self, **names: str) -> None:
        """Answer as to a GET, without the body."""
        await self._answer("GET", names)

    @authenticated
    async def post(self, **names: str) -> None:
        """Answer a POST."""
        await self._answer("POST", names)

    @authenticated
    async def patch(self, **names: str) -> None:
        """Answer a PATCH."""
        await self._answer("PATCH", names)

    @authenticated
    async def options(self, **_names: str) -> None:  # type: ignore[override]
        """Name the methods of this address."""
        self.set_status(HTTPStatus.NO_CONTENT)
        self.set_header("Allow", self._allow())
        self.finish()

    async def _answer(self, method: str, names: Mapping[str, str]) -> None:
        operation = self.operations.get(method)
        if operation is None:
            raise HTTPError(HTTPStatus.METHOD_NOT_ALLOWED)
        try:
            if operation.screen:
                await self._check_screen(operation)
            call = self._call(operation, names)
            answer = await IOLoop.current().run_in_executor(self.workers, operation.do, call)
        except BadRequestError as error:
            self._say(problems.of_request(error, self.request.path))
        except GridlibError as error:
            problem = problems.of_error(
                error, self.request.path, conditional="If-Match" in self.request.headers
            )
            if problem.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
                _log.error("%s %s: %s", method, self.request.path, error, exc_info=error)
            self._say(problem)
        else:
            if isinstance(answer, Download):
                await self._send(answer)
            else:
                self._finish(answer, operation.status)

    async def _check_screen(self, operation: Operation) -> None:
        """Refuse, on record, whoever may not open the screen that shows the same."""
        roles, person = read_screen(self.screens / f"{operation.screen}.ipynb").roles, person_of(self)
        if roles.isdisjoint(account_of(self).roles):
            provider = cast(Accounts, self.identity_provider)
            await provider.record_refusal(person, "api.get", self.request.path, code=RoleError.code)
            raise RoleError(person.username, " or ".join(sorted(roles)))

    def _call(self, operation: Operation, names: Mapping[str, str]) -> Call[Any, Any]:
        for name, value in names.items():
            try:
                _NAME.validate_python(value)
            except ValidationError:
                raise BadRequestError(
                    HTTPStatus.NOT_FOUND, f"nothing has the {name.replace('_', ' ')} '{value[:80]}'"
                ) from None
        user = self.current_user
        assert user is not None
        return Call(
            workbench=self.workbench,
            runner=self.runner,
            username=user.username,
            path=self.request.path,
            names=names,
            query=self._query(operation.query),
            body=self._body(operation.body),
            rev=self._version() if operation.versioned else None,
        )

    def _query(self, model: type[Query]) -> Query:
        try:
            sent = {
                name: [value.decode("utf-8") for value in values]
                for name, values in self.request.query_arguments.items()
            }
            return model.model_validate(
                {name: _one_or_all(model, name, values) for name, values in sent.items()}
            )
        except UnicodeDecodeError:
            raise BadRequestError(HTTPStatus.BAD_REQUEST, "a parameter is not UTF-8") from None
        except ValidationError as error:
            found = tuple(_known(fault, model) for fault in problems.faults_of(error))
            raise BadRequestError(HTTPStatus.BAD_REQUEST, _sum_up(found), found) from None

    def _body(self, model: Any) -> Any:
        sent = self.request.body
        if len(sent) > MOST_BYTES:
            raise BadRequestError(
                HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"{len(sent)} bytes, expected at most {MOST_BYTES}"
            )
        if model is None:
            if sent:
                raise BadRequestError(HTTPStatus.BAD_REQUEST, "a body, expected none")
            return None
        kind = self.request.headers.get("Content-Type", "").partition(";")[0].strip().lower()
        if sent and kind != "application/json":
            raise BadRequestError(
                HTTPStatus.UNSUPPORTED_MEDIA_TYPE, f"'{kind or 'no content type'}', expected application/json"
            )
        try:
            return TypeAdapter(model).validate_json(sent or b"{}")
        except ValidationError as error:
            found = problems.faults_of(error)
            syntax = error.errors()[0]["type"] == "json_invalid"
            status = HTTPStatus.BAD_REQUEST if syntax else HTTPStatus.UNPROCESSABLE_ENTITY
            raise BadRequestError(status, _sum_up(found), found) from None

    def _version(self) -> int | None:
        shown = self.request.headers.get("If-Match", "*").strip()
        if shown == "*":
            return None
        if match := _VERSION.fullmatch(shown):
            return int(match[1])
        raise BadRequestError(
            HTTPStatus.PRECONDITION_FAILED, f"If-Match is '{shown[:80]}', expected the ETag of an answer"
        )

    def _finish(self, answer: Answer, status: int) -> None:
        self.set_status(status)
        if answer.rev is not None:
            self.set_header("ETag", f'"{answer.rev}"')
        if answer.location:
            self.set_header("Location", answer.location)
        if answer.content is None:
            self.finish()
        else:
            self.finish(answer.content.model_dump_json())

    async def _send(self, download: Download) -> None:
        self.set_header("Content-Type", download.media_type)
        self.set_header("Content-Disposition", f'attachment; filename="{download.file.name}"')
        with download.folder, download.file.open("rb") as file:
            while chunk := file.read(_CHUNK_BYTES):
                self.write(chunk)
                await self.flush()
        self.finish(set_content_type=download.media_type)

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        """Say as a problem what the server itself refused."""
        error = kwargs.get("exc_info", (None, None))[1]
        said = error.log_message if isinstance(error, HTTPError) and error.log_message else ""
        self._say(problems.of_status(status_code, self.request.path, said))

    def _say(self, problem: Problem) -> None:
        self.set_status(problem.status)
        if problem.status == HTTPStatus.METHOD_NOT_ALLOWED:
            self.set_header("Allow", self._allow())
        if problem.status == HTTPStatus.UNAUTHORIZED:
            self.set_header("WWW-Authenticate", 'Bearer realm="gridlib"')
        if problem.status == HTTPStatus.SERVICE_UNAVAILABLE:
            self.set_header("Retry-After", "5")
        self.finish(problem.model_dump_json(exclude_none=True), set_content_type=problems.MEDIA_TYPE)

    def _allow(self) -> str:
        also = ("HEAD", "OPTIONS") if "GET" in self.operations else ("OPTIONS",)
        return ", ".join([*self.operations, *also])

    def set_default_headers(self) -> None:
        """Keep answers out of every cache: what they say is true for a moment."""
        super().set_default_headers()
        self.set_header("Cache-Control", "no-store")
        self.set_header("X-Content-Type-Options", "nosniff")
        self.set_header("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")

    def compute_etag(self) -> None:
        """Set no ETag but the version of an object."""

    def check_etag_header(self) -> bool:
        """Answer in full always: a version tells of decisions, not of every figure shown with them."""
        return False


class Nothing(Resource):
    """Addresses of the API that there are not."""

    def initialize(self) -> None:  # type: ignore[override]
        """Take nothing."""
        self.operations = {}

    async def _answer(self, method: str, names: Mapping[str, str]) -> None:  # noqa: ARG002 - for all alike
        raise HTTPError(HTTPStatus.NOT_FOUND)

    put = delete = Resource.get
    options: Callable[..., Any] = Resource.get


def _one_or_all(model: type[Query], name: str, values: list[str]) -> Any:
    """Take every value of a parameter that may be repeated, and one of any other."""
    field = model.model_fields.get(name)
    many = field is not None and _is_list(field.annotation)
    return values if many or len(values) > 1 else values[0]


def _is_list(annotation: Any) -> bool:
    if get_origin(annotation) in (Union, UnionType):
        return any(_is_list(part) for part in get_args(annotation))
    return get_origin(annotation) is list


def _known(fault: Fault, model: type[Query]) -> Fault:
    """Name the parameters there are beside one that there is not."""
    if fault.where.partition(".")[0] in model.model_fields:
        return fault
    known = ", ".join(model.model_fields) or "none"
    return Fault(where=fault.where, message=f"no such parameter; known: {known}")


def _sum_up(found: tuple[Fault, ...]) -> str:
    return "; ".join(f"{fault.where}: {fault.message}" for fault in found[:5])
