"""A real browser for the screens, and a real server to point it at."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.cookiejar import CookieJar
from pathlib import Path
from typing import Any, NamedTuple
from urllib.error import HTTPError
from urllib.parse import urlencode, urlsplit
from urllib.request import HTTPCookieProcessor, HTTPRedirectHandler, ProxyHandler, Request, build_opener

import nbformat
import pytest
import websocket

CHROMIUM = Path("/usr/bin/chromium")
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def _absent(reason: str) -> None:
    """Skip, or fail where a browser is required: a skipped test proves nothing."""
    if os.environ.get("GRIDLIB_REQUIRE_BROWSER") == "1":
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """Chromium without a window."""
    if not CHROMIUM.is_file():
        _absent(f"no {CHROMIUM}: install Debian's chromium to run the browser tests")
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        _absent("playwright is not installed")
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=str(CHROMIUM), headless=True, args=ARGUMENTS)
        yield chromium
        chromium.close()


@pytest.fixture
def page(browser: Any) -> Iterator[Any]:
    """Open a page in a fresh profile; ``hosts`` and ``complaints`` of it say what it fetched and logged."""
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    opened = context.new_page()
    opened.hosts, opened.complaints = set(), []
    opened.on("request", lambda request: opened.hosts.add(urlsplit(request.url).hostname))
    opened.on("websocket", lambda socket: opened.hosts.add(urlsplit(socket.url).hostname))
    opened.on(
        "console",
        lambda message: opened.complaints.append(message.text) if message.type == "error" else None,
    )
    opened.on("pageerror", lambda error: opened.complaints.append(str(error)))
    yield opened
    context.close()


def _write_screen(path: Path, source: str, **metadata: Any) -> None:
    cells = [nbformat.v4.new_markdown_cell("# Desk"), nbformat.v4.new_code_cell(source)]
    path.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata=metadata), path)


@pytest.fixture(scope="session")
def write_screen() -> Callable[..., None]:
    """Write a notebook of one code cell."""
    return _write_screen


class Answer(NamedTuple):
    """What a server answered; redirects are not followed."""

    status: int
    headers: Any
    text: str


class _Staying(HTTPRedirectHandler):
    def redirect_request(self, *_: Any) -> None:
        return None


class Visitor:
    """A browser without a screen: keeps cookies, follows nothing."""

    def __init__(self, base: str) -> None:
        self.base = base
        self.jar = CookieJar()
        self._opener = build_opener(HTTPCookieProcessor(self.jar), _Staying(), ProxyHandler({}))

    def ask(
        self,
        path: str,
        method: str = "GET",
        form: dict[str, str] | None = None,
        body: bytes | None = None,
        **headers: str,
    ) -> Answer:
        """Send a request."""
        data = urlencode(form).encode() if form is not None else body
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        request = Request(self.base + path, data=data, headers=named, method=method)
        try:
            with self._opener.open(request, timeout=60) as answer:
                return Answer(answer.status, answer.headers, answer.read().decode(errors="replace"))
        except HTTPError as error:
            with error:
                return Answer(error.code, error.headers, error.read().decode(errors="replace"))

    def cookie(self, start: str) -> str:
        """Read a cookie by the start of its name; empty where there is none."""
        return next((c.value or "" for c in self.jar if c.name.startswith(start)), "")

    @property
    def cookies(self) -> str:
        """All cookies, as they are sent."""
        return "; ".join(f"{cookie.name}={cookie.value}" for cookie in self.jar)

    @property
    def xsrf(self) -> dict[str, str]:
        """The header that a script of a page of the server sends."""
        return {"X_XSRFToken": self.cookie("_xsrf")}

    def socket(self, kernel: str, *, origin: str | None = None, host: str | None = None) -> Any:
        """Open the channels of a kernel."""
        return websocket.create_connection(
            f"{self.base.replace('http', 'ws')}/api/kernels/{kernel}/channels",
            cookie=self.cookies,
            timeout=60,
            suppress_origin=origin is None,
            origin=origin,
            host=host,
        )

    def refused_socket(self, kernel: str, **options: str) -> int:
        """Try to open the channels of a kernel; returns the status of the refusal."""
        with pytest.raises(websocket.WebSocketBadStatusException) as refused:
            self.socket(kernel, **options)
        return int(refused.value.status_code)

    def post(self, path: str, form: dict[str, str], **headers: str) -> Answer:
        """Send a form as a page of the server does."""
        if not self.cookie("_xsrf"):
            self.ask("/login")
        return self.ask(path, "POST", {"_xsrf": self.cookie("_xsrf"), **form}, **headers)

    def sign_in(self, username: str, password: str, **form: str) -> Answer:
        """Send the sign-in form."""
        return self.post("/login", {"username": username, "password": password, **form})


@pytest.fixture(scope="session")
def visitor() -> type[Visitor]:
    """Somebody who comes to a server without a browser."""
    return Visitor


SECRET = "a long sentence to remember"
"""Password of everybody whom `signed_in` signs in."""


@pytest.fixture(scope="module")
def signed_in(base: str, visitor: type[Visitor]) -> Callable[[str], Visitor]:
    """Sign somebody in at the module's server, whose address is its fixture ``base``."""

    def enter(username: str) -> Visitor:
        found = visitor(base)
        assert found.sign_in(username, SECRET).status == 303
        return found

    return enter


def _sign_in(page: Any, base: str, username: str, password: str) -> None:
    page.goto(f"{base}/login")
    page.get_by_label("User name").fill(username)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("heading", name="Screens").wait_for(timeout=60_000)


@pytest.fixture(scope="session")
def sign_in() -> Callable[..., None]:
    """Sign in with a browser; ends on the choice of screens."""
    return _sign_in


@pytest.fixture(scope="session")
def serving() -> Callable[..., Any]:
    """Start the server of the screens in a process of its own; yields (address, process)."""

    @contextmanager
    def start(
        home: Path, screens: Path | None = None, environment: dict[str, str] | None = None
    ) -> Iterator[Any]:
        script = (
            "import sys; from pathlib import Path; from gridlib.apps.server.app import serve; "
            "home, *screens = map(Path, sys.argv[1:]); serve(home, port=0, screens=next(iter(screens), None))"
        )
        with subprocess.Popen(
            [sys.executable, "-P", "-c", script, str(home), *([str(screens)] if screens else [])],
            cwd=home,
            env={**os.environ, **(environment or {})},
            stdout=subprocess.PIPE,
            text=True,
        ) as process:
            assert process.stdout is not None
            line = process.stdout.readline()
            try:
                yield line[line.index("http") :].strip().rstrip("/"), process
            finally:
                process.terminate()
                process.wait(30)

    return start
