"""Pages that the server writes itself: no script, nothing fetched, and in the person's language."""

import json
import re
from functools import cache
from http import HTTPStatus
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlencode

import jinja2
from jupyter_server.auth.decorator import allow_unauthenticated
from jupyter_server.base.handlers import JupyterHandler
from markupsafe import Markup
from tornado.web import HTTPError, authenticated

from gridlib.adapters import passwords
from gridlib.apps.server.identity import Accounts, Person, SaidError, account_of, person_of
from gridlib.apps.server.kernels import Kernels
from gridlib.apps.server.screens import list_screens
from gridlib.facts.errors import InputError, SignInError
from gridlib.facts.messages import LANGUAGES, Language, Message, render
from gridlib.workflow import accounts, queries, sessions

_LANGUAGE_NAMES: dict[Language, str] = {"en": "English", "ar": "العربية"}
_LOCAL_PATH = re.compile(r"/(?!/)[\w./?=&%~+-]*", re.ASCII)
_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; form-action 'self'; "
    "frame-ancestors 'none'; base-uri 'none'"
)


class Page(JupyterHandler):
    """A page in the person's language; what goes wrong on it is a page too."""

    opens_sessions = True

    @property
    def accounts(self) -> Accounts:
        """Who may come in."""
        return cast(Accounts, self.identity_provider)

    def get_current_user(self) -> Person | None:  # type: ignore[override]
        """Return who asks: nobody, where that could not be found out."""
        found: Person | None = getattr(self, "_jupyter_current_user", None)
        return found

    @property
    def kernels(self) -> Kernels:
        """The kernels and whose they are."""
        return cast(Kernels, self.kernel_manager)

    @property
    def language(self) -> Language:
        """The person's language; before sign-in, what the address or the browser asks for."""
        if self.current_user:
            return account_of(self).language
        asked = self.request.arguments.get("lang", [b""])[-1].decode("ascii", errors="replace")
        wanted = self.request.headers.get("Accept-Language", "").strip()[:2].lower()
        return next((known for known in (asked, wanted) if known in LANGUAGES), "en")

    async def keep_device(self, username: str) -> None:
        """Let the browser keep that the person gave the password in it."""
        signed = await self.accounts.run(sessions.sign_device, username)
        self.accounts.keep_device(self, username, signed)

    def say(self, message_id: str, **parameters: Any) -> str:
        """Write a message in the language of the page."""
        return render(Message(message_id, parameters), self.language)

    def show(self, template: str, title: str, *, status: int = HTTPStatus.OK, **values: Any) -> None:
        """Send a page made from one of our templates."""
        language, site = self.language, self.accounts.workbench.settings.site
        other: Language = "ar" if language == "en" else "en"
        self.set_status(status)
        for name, value in (
            ("Content-Type", "text/html; charset=utf-8"),
            ("Content-Security-Policy", _POLICY),
        ):
            self.set_header(name, value)
        self.finish(
            _templates()
            .get_template(template)
            .render(
                t=self.say,
                title=title,
                language=language,
                other=other,
                other_name=_LANGUAGE_NAMES[other],
                site=site.name,
                notice=site.notice,
                base=self.base_url,
                xsrf=Markup(self.xsrf_form_html()),
                **values,
            )
        )

    def show_signed_in(self, template: str, title: str, **values: Any) -> None:
        """Send a page with the bar of a signed-in person."""
        account = account_of(self)
        roles = ", ".join(self.say(f"role.{role}") for role in account.roles)
        self.show(template, title, username=account.username, roles=roles, **values)

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        """Say what is wrong in a page of our own; the server's own reaches for other hosts."""
        error = kwargs.get("exc_info", (None, None))[1]
        said = self.say("server.cannot_be_shown", status=status_code)
        if status_code == HTTPStatus.NOT_FOUND:
            said = self.say("server.not_found")
        elif isinstance(error, SaidError):
            said = self.say(error.message.id, **error.message.parameters)
        elif status_code == HTTPStatus.FORBIDDEN and self.request.method == "POST":
            said = self.say("server.form_expired")
        self.show(
            "message.html.j2", self.accounts.workbench.settings.site.name, status=status_code, said=said
        )


class Private:
    """What is no page: who is not signed in gets a status, never another page in its place."""

    def get_login_url(self: Any) -> str:
        """Refuse where Jupyter would send a script to the sign-in page."""
        raise HTTPError(HTTPStatus.UNAUTHORIZED)

    def write_error(self: Any, status_code: int, **kwargs: Any) -> None:  # noqa: ARG002
        """Say no more than the status."""
        self.set_header("Content-Type", "application/json")
        if status_code == HTTPStatus.UNAUTHORIZED:
            self.set_header("WWW-Authenticate", "Bearer")
        self.finish(json.dumps({"status": status_code}))

    def options(self: Any, *_: str) -> None:
        """Answer no questions about other origins: there are none."""
        raise HTTPError(HTTPStatus.METHOD_NOT_ALLOWED)


class SignInPage(Page):
    """Name and password, or straight on for whom the proxy vouches."""

    @allow_unauthenticated
    def get(self) -> None:
        """Show the form."""
        if self.current_user:
            self.redirect(self._next())
            return
        said = self.say("server.signed_out") if self.get_query_argument("signed_out", "") else ""
        self._form(said, "")

    @allow_unauthenticated
    async def post(self) -> None:
        """Begin a session; another one in this browser ends."""
        name = self.get_body_argument("username", "")
        secret = self.get_body_argument("password", "", strip=False)
        address, device = self.accounts.address_of(self.request), self.accounts.known_device(self, name)
        known = await self.accounts.run(sessions.knows_device, name, device)
        try:
            key = await self.accounts.check_password(
                sessions.sign_in, name, secret, address=address, device=device, known=known
            )
        except SignInError:
            server = self.accounts.server
            said = self.say("server.not_signed_in", failures=server.failures, lock_min=f"{server.lock_min:g}")
            self._form(said, "refused", status=HTTPStatus.UNAUTHORIZED)
            return
        if before := self.accounts.session_key(self):
            await self.accounts.run(sessions.sign_out, before)
        self.accounts.keep_session(self, key)
        await self.keep_device(name)
        self.redirect(self._next(), status=HTTPStatus.SEE_OTHER)

    def _form(self, said: str, kind: str, *, status: int = HTTPStatus.OK) -> None:
        other = "ar" if self.language == "en" else "en"
        query = urlencode({"lang": other, "next": self._next()})
        title = self.say("server.sign_in")
        self.show(
            "login.html.j2", title, status=status, said=said, kind=kind, next=self._next(), other_query=query
        )

    def _next(self) -> str:
        """Read where to go after the sign-in: a path of this server, whatever was asked."""
        asked = self.get_argument("next", self.base_url)
        return asked if _LOCAL_PATH.fullmatch(asked) else self.base_url


class SignOutPage(Page):
    """Ends the session, its kernels, and with the proxy's help the sign-in there."""

    @authenticated
    def get(self) -> None:
        """Ask once more: following a link changes nothing."""
        self.show("sign_out.html.j2", self.say("server.sign_out"))

    @authenticated
    async def post(self) -> None:
        """End the session."""
        person = person_of(self)
        await self.accounts.run(sessions.sign_out, self.accounts.session_key(self))
        self.accounts.forget_session(self)
        await self.kernels.end_of(person)
        by_proxy = person.session and person.session.via == "proxy" and self.accounts.server.proxy_sign_out
        self.redirect(by_proxy or f"{self.base_url}login?signed_out=1", status=HTTPStatus.SEE_OTHER)


class LanguageSwitch(Page):
    """Changes the language of the person's screens."""

    @authenticated
    async def post(self) -> None:
        """Keep the choice and show the screens in it."""
        try:
            await self.accounts.run(
                accounts.set_language, self.current_user.username, self.get_body_argument("language")
            )
        except InputError as error:
            raise HTTPError(HTTPStatus.BAD_REQUEST) from error
        self.redirect(self.base_url, status=HTTPStatus.SEE_OTHER)


class PasswordPage(Page):
    """Lets people change their password; whoever else is signed in under their name is not any more."""

    @authenticated
    def get(self) -> None:
        """Show the form."""
        self._form()

    @authenticated
    async def post(self) -> None:
        """Change the password of who knows the current one."""
        person, current = person_of(self), self.get_body_argument("current", "", strip=False)
        new = self.get_body_argument("new", "", strip=False)
        if new != self.get_body_argument("again", "", strip=False):
            self._form("server.passwords_differ", "refused")
            return
        address, keep = self.accounts.address_of(self.request), self.accounts.session_key(self)
        try:
            await self.accounts.check_password(
                sessions.change_password,
                person.username,
                current,
                new,
                key=keep,
                address=address,
                known=True,
            )
        except SignInError:
            server = self.accounts.server
            self._form(
                "server.not_signed_in", "refused", failures=server.failures, lock_min=f"{server.lock_min:g}"
            )
        except InputError:
            self._form("server.password_guessable", "refused")
        else:
            await self.keep_device(person.username)
            self._form("server.password_changed")

    def _form(self, message_id: str = "", kind: str = "", **parameters: Any) -> None:
        self.show_signed_in(
            "password.html.j2",
            self.say("server.change_password"),
            said=self.say(message_id, **parameters) if message_id else "",
            kind=kind,
            length=passwords.MIN_LENGTH,
        )


class LandingPage(Page):
    """The screens that the person may open."""

    def initialize(self, screens: Path) -> None:
        """Take the folder of the screens."""
        self._screens = screens

    @authenticated
    async def get(self) -> None:
        """Show the cards, and how old the data are."""
        roles = account_of(self).roles
        fresh = await self.accounts.run(queries.get_freshness)
        cards = [
            {
                "name": screen.name,
                "title": screen.title_in(self.language),
                "about": screen.about_in(self.language),
            }
            for screen in list_screens(self._screens)
            if screen.is_for(roles)
        ]
        self.show_signed_in(
            "landing.html.j2",
            self.say("server.screens"),
            screens=cards,
            fresh=[render(message, self.language) for message in fresh.messages],
            stale=fresh.stale,
        )


class NotFoundPage(Page):
    """Answers every address that the list of routes does not have; who is not signed in learns nothing."""

    def check_xsrf_cookie(self) -> None:
        """Nothing is done here."""

    async def prepare(self) -> None:  # type: ignore[override]
        """Say that there is no such page."""
        await super().prepare()
        if not self._finished:
            raise HTTPError(HTTPStatus.NOT_FOUND)


@cache
def _templates() -> jinja2.Environment:
    folder = Path(__file__).parent / "templates"
    return jinja2.Environment(loader=jinja2.FileSystemLoader(folder), autoescape=True)
