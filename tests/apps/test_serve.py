import json
import os
import signal
import socket
import time
from contextlib import suppress
from http.cookiejar import CookieJar
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import HTTPCookieProcessor, Request, build_opener

import pytest

from gridlib.facts.errors import InputError

pytestmark = pytest.mark.notebooks

DESK = """
import os
import ipywidgets as widgets

presses = []
button = widgets.Button(description="Approve")
said = widgets.Label("not decided")

def press(_):
    presses.append(1)
    said.value = f"{len(presses)} by {os.environ['GRIDLIB_ACTING_USER']}"

button.on_click(press)
mentions = ",".join(name for name, value in os.environ.items() if "mallory" in f"{name}={value}".lower())
facts = f"pid={os.getpid()} home={os.environ['GRIDLIB_HOME']} cwd={os.getcwd()} mentions={mentions}"
widgets.VBox([button, said, widgets.Label(facts)])
"""


class Server:
    """The running server, and two who ask it: a stranger, and a friend who was given the address."""

    def __init__(self, address, process, home):
        self.address, self.process, self.home = address, process, home
        self.base = address.split("/?")[0]
        self._friend = build_opener(HTTPCookieProcessor(CookieJar()))
        self._stranger = build_opener()

    def status(self, path, *, friend, **headers):
        opener = self._friend if friend else self._stranger
        try:
            with opener.open(Request(self.base + path, headers=headers)) as answer:
                return answer.status
        except HTTPError as error:
            return error.code

    def sign_in(self):
        # Any answer sets the cookie; this one starts no kernel.
        with suppress(HTTPError):
            self._friend.open(self.address.replace("/?", "/gridlib/alive/0-0-0-0-0?"))


@pytest.fixture(scope="module")
def folders(tmp_path_factory, write_screen):
    home, screens = tmp_path_factory.mktemp("home"), tmp_path_factory.mktemp("apps")
    write_screen(screens / "decision_desk.ipynb", DESK)
    write_screen(screens / "managers.ipynb", "1", gridlib={"roles": ["manager"]})
    write_screen(screens.parent / "outside.ipynb", "1")
    (screens / "plan.png").write_bytes(b"secret plan")
    # What a user may have lying about, and what must not change how the screens run.
    for name in ("voila.py", "ipywidgets.py", "ipykernel_launcher.py"):
        (home / name).write_text("raise SystemExit('taken over')")
    own = home / "jupyter"
    own.mkdir()
    for name in ("voila.json", "jupyter_config.json"):
        (own / name).write_text(
            json.dumps(
                {"Voila": {"ip": "0.0.0.0", "base_url": "/hijacked/"}, "IdentityProvider": {"token": ""}}
            )
        )
    (home / "voila.json").write_text((own / "voila.json").read_text())
    return home, screens


@pytest.fixture(scope="module")
def server(folders, serving):
    home, screens = folders
    environment = {
        "JUPYTER_CONFIG_DIR": str(home / "jupyter"),
        "JUPYTER_CONFIG_PATH": str(home / "jupyter"),
        "JUPYTER_TOKEN": "known",
        "GRIDLIB_ACTING_USER": "mallory",
        "GRIDLIB_HOME": "/nowhere",
    }
    with serving(home, screens, environment) as (address, process):
        found = Server(address, process, home)
        found.sign_in()
        yield found


@pytest.fixture
def desk(server, page):
    page.goto(server.address)
    page.get_by_role("button", name="Approve").wait_for(timeout=60_000)
    return page


def facts(page):
    text = page.get_by_text("pid=").inner_text()
    return dict(part.split("=", 1) for part in text.split(" "))


PATHS = [
    "/",
    "/voila/render/decision_desk.ipynb",
    "/gridlib/alive/0-0-0-0-0",
    "/api/kernels/0-0-0-0-0",
    "/voila/templates/lab/static/voila.js",
    "/voila/static/voila.js",
    "/voila/api/themes/x.css",
    "/voila/labextensions/@jupyter-widgets/jupyterlab-manager/package.json",
]


@pytest.mark.parametrize("path", PATHS)
def test_nothing_is_shown_without_the_token(server, path):
    assert server.status(path, friend=False) == 403
    assert server.status(f"{path}?token=known", friend=False) == 403
    assert server.status(path, friend=False, Authorization="token ") == 403


@pytest.mark.parametrize("path", PATHS)
def test_a_foreign_host_name_is_refused_even_with_the_token(server, path):
    token = server.address.partition("token=")[2]
    assert server.status(f"{path}?token={token}", friend=False, Host="evil.example") == 403


def test_the_browser_that_showed_the_token_is_let_in_by_its_cookie(server):
    assert server.status("/voila/static/voila.js", friend=True) == 200
    assert server.status("/gridlib/alive/0-0-0-0-0", friend=True) == 410


@pytest.mark.parametrize(
    "path",
    [
        "/voila/render/../outside.ipynb",
        "/voila/render/%2e%2e/outside.ipynb",
        "/voila/render/..%2Foutside.ipynb",
        "/voila/render/plan.png",
        "/voila/files/plan.png",
        "/voila/tree",
        "/voila/api/contents/decision_desk.ipynb",
        "/api/contents",
        "/api/kernels",
        "/hijacked/",
    ],
)
def test_only_screens_are_served(server, path):
    assert server.status(path, friend=True) == 404


def test_a_screen_for_other_roles_is_refused(server):
    assert server.status("/voila/render/managers.ipynb", friend=True) == 403


def test_it_listens_on_loopback_only(server):
    port = int(server.base.rsplit(":", 1)[1])
    listening = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    assert [row[1] for row in listening if row[1].endswith(f":{port:04X}") and row[3] == "0A"] == [
        f"0100007F:{port:04X}"
    ]


def test_a_port_in_use_is_said():
    from gridlib.apps.serve import serve

    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(InputError, match=f"port {port} is in use") as refused:
            serve(Path(), username="olu", roles=[], port=port)
    assert "--port" in refused.value.what_to_do


@pytest.mark.browser
def test_a_press_reaches_the_kernel_and_nothing_leaves_the_computer(server, desk):
    desk.get_by_role("button", name="Approve").click()
    desk.get_by_text("1 by olu").wait_for()
    assert desk.hosts == {"127.0.0.1"}
    assert desk.complaints == []
    assert facts(desk)["home"] == facts(desk)["cwd"] == str(server.home)


@pytest.mark.browser
def test_no_request_can_say_who_acts(server, page):
    spoofed = ["X-Grid-User", "Remote-User", "X-Forwarded-User", "GRIDLIB_ACTING_USER", "User-Agent"]
    page.set_extra_http_headers(dict.fromkeys(spoofed, "mallory"))
    page.context.add_cookies([{"name": "user", "value": "mallory", "url": server.base}])
    page.goto(server.address)
    page.goto(f"{server.base}/voila/render/decision_desk.ipynb?GRIDLIB_ACTING_USER=mallory&user=mallory")
    page.get_by_role("button", name="Approve").click(timeout=60_000)
    page.get_by_text("1 by olu").wait_for()
    assert facts(page)["mentions"] == ""


@pytest.mark.browser
def test_a_page_cannot_run_code_of_its_own(server, desk):
    loot = server.home / "loot"
    desk.evaluate(
        """async (code) => {
            const kernel = JSON.parse(document.getElementById("jupyter-config-data").textContent).kernelId;
            const socket = new WebSocket(`ws://${location.host}/api/kernels/${kernel}/channels`);
            await new Promise((opened) => { socket.onopen = opened; });
            for (const [channel, type] of [["shell", "execute_request"], ["control", "debug_request"],
                                           ["shell", "complete_request"], ["stdin", "input_reply"]]) {
                const header = {msg_id: type, msg_type: type, session: "s", username: "u", version: "5.3",
                    date: new Date().toISOString()};
                const content = {code, silent: false, store_history: false, user_expressions: {},
                    allow_stdin: false, stop_on_error: true};
                socket.send(JSON.stringify({channel, header, content, metadata: {}, parent_header: {},
                    buffers: []}));
            }
        }""",
        f"open({str(loot)!r}, 'w').write('taken')",
    )
    for press in (1, 2):
        desk.get_by_role("button", name="Approve").click()
        desk.get_by_text(f"{press} by olu").wait_for()
    assert not loot.exists()


@pytest.mark.browser
def test_a_page_says_within_ten_seconds_that_its_kernel_died(desk):
    banner = desk.get_by_role("alert")
    assert not banner.is_visible()
    died = time.monotonic()
    os.kill(int(facts(desk)["pid"]), signal.SIGKILL)
    banner.wait_for(timeout=10_000)
    assert time.monotonic() - died < 10
    assert "This screen has ended" in banner.inner_text()
    assert desk.evaluate("document.querySelector('.jupyter-button').closest('[inert]') !== null")


@pytest.mark.browser
def test_a_page_says_within_ten_seconds_that_its_server_is_gone(folders, serving, page):
    home, screens = folders
    with serving(home, screens) as (address, process):
        page.goto(address)
        page.get_by_role("button", name="Approve").wait_for(timeout=60_000)
        kernel = int(facts(page)["pid"])
        process.terminate()
        process.wait(30)
        page.get_by_role("alert").wait_for(timeout=10_000)
        assert "No connection" in page.get_by_role("alert").inner_text()
    with pytest.raises(ProcessLookupError):
        os.kill(kernel, 0)
