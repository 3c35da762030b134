"""Who asks: accounts behind the identity interface of Jupyter Server.

A browser shows the random key of its session in a cookie, a program its token in ``Authorization: Bearer``,
and the database is asked at each request: an account that was disabled a second ago is nobody now. A proxy
that the settings name may vouch for a person when a page is opened; from then on that is a session like any
other.
"""

import asyncio
import hashlib
import logging
import re
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from ipaddress import ip_address
from typing import Any, TypeVar, cast

from jupyter_server.auth.authorizer import Authorizer
from jupyter_server.auth.identity import IdentityProvider, User
from tornado.httputil import HTTPServerRequest
from tornado.web import HTTPError, RequestHandler
from traitlets import Unicode

from gridlib.adapters.records.people import UserRecord
from gridlib.adapters.records.sessions import SessionRecord
from gridlib.facts.errors import NotFoundError, StoreError
from gridlib.facts.messages import Message
from gridlib.facts.settings import Server
from gridlib.workbench import Workbench
from gridlib.workflow import accounts, sessions

log = logging.getLogger(__name__)
Result = TypeVar("Result")

_BEARER = re.compile(r"Bearer\s+(\S+)", re.IGNORECASE)
_TOKEN_PATHS = re.compile(r"/api/(?!kernels)")
"""Programs talk to the API; pages and kernels are for people."""

SIGN_INS_WAITING = 16
"""More sign-ins than this at once are turned away: each costs a quarter of a second and 32 MiB."""

_KNOWN_D = 180
"""A browser is forgotten where nobody signs in for so long [d]."""

_REFUSAL_S = 60.0
"""The same refusal of the same person is on record once in this time [s]."""

_NEVER_FROM_OUTSIDE = ("X-Grid-User", "X-Grid-Role", "Remote-User")


@dataclass
class Person(User):
    """A signed-in person: the account with its roles of this moment, and the session, if it came by one."""

    account: UserRecord | None = None
    session: SessionRecord | None = None


def person_of(handler: RequestHandler) -> Person:
    """Return who asks; only where somebody is signed in."""
    return cast(Person, handler.current_user)


def account_of(handler: RequestHandler) -> UserRecord:
    """Return the account of who asks; only where somebody is signed in."""
    return cast(UserRecord, person_of(handler).account)


class SaidError(HTTPError):
    """A refusal with its reason as a message, to be said in the person's language."""

    def __init__(self, status: int, message_id: str, **parameters: Any) -> None:
        super().__init__(status, message_id)
        self.message = Message(message_id, parameters)


class Accounts(IdentityProvider):
    """Knows people by their session, programs by their token.

    The application that it belongs to has the workspace as ``workbench``.
    """

    token = Unicode("")  # no shared secret opens this server

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._reading = ThreadPoolExecutor(4, thread_name_prefix="accounts")
        # Whoever floods the sign-in page from elsewhere does not keep known browsers waiting.
        self._signing_in = {
            known: ThreadPoolExecutor(2, thread_name_prefix="sign-in") for known in (False, True)
        }
        self._waiting = {False: 0, True: 0}
        self._refused_at: dict[tuple[str, str, str], float] = {}

    @property
    def workbench(self) -> Workbench:
        """The workspace whose accounts these are."""
        return cast(Workbench, cast(Any, self.parent).workbench)

    @property
    def server(self) -> Server:
        """How people sign in here."""
        return self.workbench.settings.server

    async def run(self, function: Callable[..., Result], *arguments: Any, **options: Any) -> Result:
        """Ask the database without holding up everybody else."""
        return await self._in(self._reading, function, *arguments, **options)

    async def check_password(
        self, function: Callable[..., Result], *arguments: Any, known: bool, **options: Any
    ) -> Result:
        """Do what takes a look at a password: few at a time, and no endless queue.

        ``known`` are browsers that have been signed in from before; they have a queue of their own.
        """
        if self._waiting[known] >= SIGN_INS_WAITING:
            raise SaidError(HTTPStatus.SERVICE_UNAVAILABLE, "server.busy")
        self._waiting[known] += 1
        try:
            return await self._in(self._signing_in[known], function, *arguments, **options)
        finally:
            self._waiting[known] -= 1

    async def get_user(self, handler: RequestHandler) -> Person | None:
        """Read who asks from the cookie, the token or the proxy's header."""
        self._refuse_strangers(handler.request)
        vouched = self._vouched_for(handler.request)
        shown = _BEARER.fullmatch(handler.request.headers.get("Authorization", ""))
        if shown:
            return await self._program(handler, shown.group(1))
        key = self.session_key(handler)
        session = None
        if key:
            session = await self.run(sessions.get_session, key, acts=getattr(handler, "acts", True))
        if session and session.via == "proxy" and session.user.username != vouched:
            session = None
        if session is None and vouched and getattr(handler, "opens_sessions", False):
            session = await self._begin(handler, vouched)
        return None if session is None else self.as_person(session)

    def as_person(self, session: SessionRecord) -> Person:
        """Say who is behind a session."""
        return Person(session.user.username, account=session.user, session=session)

    def identity_model(self, user: User) -> dict[str, Any]:
        """Tell a page who its person is, and nothing of the session."""
        return {"username": user.username, "name": user.name, "display_name": user.display_name}

    def is_token_authenticated(self, handler: RequestHandler) -> bool:
        """Tell whether a program asks: no browser can be tricked into sending its token."""
        return getattr(handler, "_token_authenticated", False)

    def session_key(self, handler: RequestHandler) -> str:
        """Read the key of the session that the browser shows; empty where it shows none."""
        return handler.get_cookie(self._cookie()) or ""

    def keep_session(self, handler: RequestHandler, key: str) -> None:
        """Give the browser the key of its session: no script reads it, no other site's form sends it."""
        secure = bool(self.server.public_url)
        handler.set_cookie(self._cookie(), key, path="/", httponly=True, samesite="Lax", secure=secure)

    def forget_session(self, handler: RequestHandler) -> None:
        """Take the key of its session from the browser."""
        handler.clear_cookie(self._cookie(), path="/")

    def known_device(self, handler: RequestHandler, username: str) -> str:
        """Read what the browser keeps of an earlier sign-in of a person; empty where it keeps nothing."""
        return handler.get_cookie(self._device_cookie(username)) or ""

    def keep_device(self, handler: RequestHandler, username: str, signed: str) -> None:
        """Let the browser show at the next sign-in that the person was there before."""
        handler.set_cookie(
            self._device_cookie(username),
            signed,
            path="/login",
            expires_days=_KNOWN_D,
            httponly=True,
            samesite="Strict",
            secure=bool(self.server.public_url),
        )

    def address_of(self, request: HTTPServerRequest) -> str:
        """Tell where a request came from: the proxy's word for it, where a proxy of ours handed it on."""
        handed_on = request.headers.get("X-Forwarded-For", "").rsplit(",", 1)[-1].strip()
        if not (handed_on and self._from_proxy(request)):
            return request.remote_ip or ""
        try:
            return str(ip_address(handed_on))
        except ValueError:
            return request.remote_ip or ""

    async def record_refusal(self, person: Person, action: str, obj: str, *, code: str) -> None:
        """Put on record that a person was refused something, once a minute if it is tried again and again."""
        now, what = time.monotonic(), (person.username, action, obj)
        self._refused_at = {k: at for k, at in self._refused_at.items() if now - at < _REFUSAL_S}
        if what not in self._refused_at:
            self._refused_at[what] = now
            await self.run(sessions.record_refusal, person.username, action, obj, code=code)

    async def _in(
        self, threads: ThreadPoolExecutor, function: Callable[..., Result], *arguments: Any, **options: Any
    ) -> Result:
        work = partial(function, self.workbench, *arguments, **options)
        try:
            return await asyncio.get_running_loop().run_in_executor(threads, work)
        except StoreError as error:
            log.error("%s %s", error, error.what_to_do)
            raise SaidError(HTTPStatus.SERVICE_UNAVAILABLE, "server.no_database") from error

    async def _program(self, handler: RequestHandler, token: str) -> Person | None:
        if not _TOKEN_PATHS.match(handler.request.path):
            return None
        account = await self.run(accounts.token_user, token)
        if account is None:
            return None
        handler._token_authenticated = True  # type: ignore[attr-defined]
        return Person(account.username, account=account)

    async def _begin(self, handler: RequestHandler, username: str) -> SessionRecord | None:
        address = self.address_of(handler.request)
        try:
            key = await self.run(sessions.sign_in_by_proxy, username, address=address)
        except NotFoundError:
            log.warning("the proxy vouches for %r, who has no active account", username)
            return None
        self.keep_session(handler, key)
        return await self.run(sessions.get_session, key)

    def _refuse_strangers(self, request: HTTPServerRequest) -> None:
        """Beyond loopback, nobody is answered but the proxy."""
        if not ip_address(self.server.address).is_loopback and not self._from_proxy(request):
            raise HTTPError(HTTPStatus.FORBIDDEN)

    def _from_proxy(self, request: HTTPServerRequest) -> bool:
        try:
            return ip_address(request.remote_ip or "") in self.server.proxy_addresses
        except ValueError:
            return False

    def _vouched_for(self, request: HTTPServerRequest) -> str:
        """Read whom the proxy vouches for, and drop every header that could be mistaken for its word."""
        name = self.server.proxy_user_header
        said = request.headers.get(name, "") if name and self._from_proxy(request) else ""
        for header in {name, *_NEVER_FROM_OUTSIDE} - {""}:
            if header in request.headers:
                del request.headers[header]
        return said

    def _cookie(self) -> str:
        """Name a cookie for this workspace: browsers keep cookies for a host, whatever the port."""
        return f"gridlib-{_short(str(self.workbench.settings.home))}"

    def _device_cookie(self, username: str) -> str:
        """Name a cookie for each person: colleagues share the computers of a control room."""
        return f"known-{_short(str(self.workbench.settings.home))}-{_short(username)}"


def _short(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:8]


class OwnKernels(Authorizer):
    """Lets people at kernels that were started for their own session, and at nothing else that asks it."""

    async def is_authorized(self, handler: Any, user: User, action: str, resource: str) -> bool:  # noqa: ARG002
        """Tell whether a kernel is the person's own; somebody else's is put on record."""
        if resource != "kernels":
            return False
        kernel_id = str((handler.path_kwargs or {}).get("kernel_id", ""))
        if handler.kernel_manager.is_own(kernel_id, user):
            return True
        if kernel_id in handler.kernel_manager:
            await handler.identity_provider.record_refusal(user, "kernel.attach", kernel_id, code="not_yours")
        return False
