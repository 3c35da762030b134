"""A real browser for the screens, and a real server to point it at."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import nbformat
import pytest

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


@pytest.fixture(scope="session")
def serving() -> Callable[..., Any]:
    """Start the server of the screens in a process of its own; yields (address with token, process)."""

    @contextmanager
    def start(home: Path, screens: Path, environment: dict[str, str] | None = None) -> Iterator[Any]:
        script = (
            "import sys; from pathlib import Path; from gridlib.apps.serve import serve; "
            "home, screens = map(Path, sys.argv[1:]); "
            "serve(home, username='olu', roles=['operator'], port=0, screens=screens)"
        )
        with subprocess.Popen(
            [sys.executable, "-P", "-c", script, str(home), str(screens)],
            cwd=home,
            env={**os.environ, **(environment or {})},
            stdout=subprocess.PIPE,
            text=True,
        ) as process:
            assert process.stdout is not None
            line = process.stdout.readline()
            try:
                yield line[line.index("http") :].strip(), process
            finally:
                process.terminate()
                process.wait(30)

    return start
