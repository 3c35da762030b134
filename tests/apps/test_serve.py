import json
import os
import signal
import socket
import time
from pathlib import Path

import pytest

from gridlib.adapters.notebooks import share_dir
from gridlib.apps.server.screens import read_screen
from gridlib.facts.errors import InputError
from gridlib.facts.types import Role
from gridlib.workflow import accounts
from gridlib.workflow.setup import init_workspace

pytestmark = pytest.mark.notebooks

SECRET = "a long sentence to remember"

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


@pytest.fixture(scope="module")
def folders(tmp_path_factory, write_screen):
    home, screens = tmp_path_factory.mktemp("home"), tmp_path_factory.mktemp("apps")
    workbench, _ = init_workspace(home)
    accounts.add_user(workbench, "olu", [Role.OPERATOR], password=SECRET)
    write_screen(screens / "decision_desk.ipynb", DESK, gridlib={"roles": ["operator"]})
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
    with serving(home, screens, environment) as (base, _):
        yield base


def open_desk(page):
    page.get_by_role("link", name="Decision desk").click()
    page.get_by_role("button", name="Approve").wait_for(timeout=60_000)


@pytest.fixture
def desk(server, page, sign_in):
    sign_in(page, server, "olu", SECRET)
    open_desk(page)
    return page


def facts(page):
    text = page.get_by_text("pid=").inner_text()
    return dict(part.split("=", 1) for part in text.split(" "))


def test_a_port_in_use_is_said(folders):
    from gridlib.apps.server.app import serve

    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(InputError, match=f"port {port} is in use") as refused:
            serve(folders[0], port=port)
    assert "--port" in refused.value.what_to_do


@pytest.mark.parametrize("path", sorted((share_dir() / "notebooks" / "apps").glob("*.ipynb")), ids=str)
def test_every_shipped_screen_names_the_roles_it_is_for(path):
    roles = read_screen(path).roles
    assert roles
    assert roles <= set(Role)


def test_it_listens_on_loopback_only(server):
    port = int(server.rsplit(":", 1)[1])
    listening = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    assert [row[1] for row in listening if row[1].endswith(f":{port:04X}") and row[3] == "0A"] == [
        f"0100007F:{port:04X}"
    ]


@pytest.mark.browser
def test_a_press_reaches_the_kernel_and_nothing_leaves_the_computer(folders, desk):
    desk.get_by_role("button", name="Approve").click()
    desk.get_by_text("1 by olu").wait_for()
    assert desk.hosts == {"127.0.0.1"}
    assert desk.complaints == []
    assert facts(desk)["home"] == facts(desk)["cwd"] == str(folders[0])


@pytest.mark.browser
def test_only_a_page_on_which_something_is_done_keeps_its_person_signed_in(desk):
    asked = []
    desk.on("request", lambda request: asked.append(request.url))
    desk.wait_for_timeout(6000)
    quiet, asked[:] = [url for url in asked if "/gridlib/alive/" in url], []
    desk.keyboard.press("Tab")
    desk.wait_for_timeout(6000)
    busy = [url for url in asked if "/gridlib/alive/" in url]
    assert quiet
    assert not [url for url in quiet if "acts" in url]
    assert len([url for url in busy if url.endswith("?acts=1")]) == 1


@pytest.mark.browser
def test_a_page_goes_inert_when_its_person_signs_out_elsewhere(server, desk):
    other = desk.context.new_page()
    other.goto(server)
    other.get_by_role("button", name="Sign out").click()
    other.get_by_role("status").filter(has_text="signed out").wait_for()
    desk.get_by_role("alert").wait_for(timeout=10_000)
    assert "signed out" in desk.get_by_role("alert").inner_text()
    assert desk.evaluate("document.querySelector('.jupyter-button').closest('[inert]') !== null")


@pytest.mark.browser
def test_the_pages_of_the_server_work_in_arabic_with_the_keyboard_alone(server, page):
    page.goto(f"{server}/login?lang=ar")
    assert page.evaluate("document.documentElement.dir") == "rtl"
    page.keyboard.type("olu")
    page.keyboard.press("Tab")
    page.keyboard.type(SECRET)
    page.keyboard.press("Enter")
    page.get_by_role("link", name="Decision desk").wait_for()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.locator("html[dir=rtl]").wait_for()
    page.get_by_role("link", name="مكتب القرار").wait_for()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.locator("html[dir=ltr]").wait_for()
    assert page.complaints == []


@pytest.mark.browser
def test_no_request_can_say_who_acts(server, page, sign_in):
    spoofed = ["X-Grid-User", "Remote-User", "X-Forwarded-User", "GRIDLIB_ACTING_USER", "User-Agent"]
    page.set_extra_http_headers(dict.fromkeys(spoofed, "mallory"))
    page.context.add_cookies([{"name": "user", "value": "mallory", "url": server}])
    sign_in(page, server, "olu", SECRET)
    page.goto(f"{server}/voila/render/decision_desk.ipynb?GRIDLIB_ACTING_USER=mallory&user=mallory")
    page.get_by_role("button", name="Approve").click(timeout=60_000)
    page.get_by_text("1 by olu").wait_for()
    assert facts(page)["mentions"] == ""


@pytest.mark.browser
def test_a_page_cannot_run_code_of_its_own(folders, desk):
    loot = folders[0] / "loot"
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
def test_a_page_says_within_ten_seconds_that_its_server_is_gone(folders, serving, page, sign_in):
    home, screens = folders
    with serving(home, screens) as (base, process):
        sign_in(page, base, "olu", SECRET)
        open_desk(page)
        kernel = int(facts(page)["pid"])
        process.terminate()
        process.wait(30)
        page.get_by_role("alert").wait_for(timeout=10_000)
        assert "No connection" in page.get_by_role("alert").inner_text()
    with pytest.raises(ProcessLookupError):
        os.kill(kernel, 0)
