"""JupyterLab with the accounts of the screens: for analysts, each at kernels of their own."""

import json
import subprocess
import sys
import time
import uuid
from contextlib import contextmanager
from pathlib import Path

import pytest

from gridlib.facts.types import Role
from gridlib.workbench import open_workbench
from gridlib.workflow import accounts, audit
from gridlib.workflow.setup import init_workspace

pytest.importorskip("jupyterlab", reason="JupyterLab is not installed")
pytestmark = pytest.mark.notebooks

SECRET = "a long sentence to remember"
PEOPLE = {"ana": Role.ANALYST, "abd": Role.ANALYST, "olu": Role.OPERATOR, "mia": Role.MANAGER}


@contextmanager
def serving_lab(home):
    script = (
        "import sys; from pathlib import Path; from gridlib.apps.server.lab import lab; "
        "lab(Path(sys.argv[1]), port=0)"
    )
    with subprocess.Popen(
        [sys.executable, "-P", "-c", script, str(home)], cwd=home, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            yield line[line.index("http") :].strip().rstrip("/")
        finally:
            process.terminate()
            process.wait(30)


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    home = tmp_path_factory.mktemp("home")
    workbench, _ = init_workspace(home)
    for name, role in PEOPLE.items():
        accounts.add_user(workbench, name, [role], password=SECRET)
    settings = home / "gridlib.toml"
    text = settings.read_text(encoding="utf-8")
    settings.write_text(text.replace('lab_url = ""', 'lab_url = "postgresql://reader@host/grid"'))
    return home


@pytest.fixture(scope="module")
def base(home):
    with serving_lab(home) as base:
        yield base


@pytest.fixture(scope="module")
def ana(signed_in):
    return signed_in("ana")


@pytest.fixture(scope="module")
def abd(signed_in):
    return signed_in("abd")


@pytest.fixture(scope="module")
def kernel(ana):
    body = json.dumps({"env": {"GRIDLIB_ACTING_USER": "mia", "LOOT": "1"}}).encode()
    answer = ana.ask("/api/kernels", "POST", body=body, **ana.xsrf)
    assert answer.status == 201
    return json.loads(answer.text)["id"]


def said(person, kernel, code):
    """Run code in a kernel; returns what it printed."""
    channel = person.socket(kernel)
    asked = uuid.uuid4().hex
    header = {
        "msg_id": asked,
        "msg_type": "execute_request",
        "session": "s",
        "username": "",
        "version": "5.3",
    }
    content = {"code": code, "silent": False, "store_history": False, "user_expressions": {}}
    message = {"channel": "shell", "header": header, "parent_header": {}, "metadata": {}, "content": content}
    channel.send(json.dumps(message))
    while True:
        heard = json.loads(channel.recv())
        if heard["parent_header"].get("msg_id") == asked and heard["msg_type"] == "stream":
            channel.close()
            return heard["content"]["text"]


def test_two_analysts_open_the_same_notebook_each_on_a_kernel_of_their_own(ana, abd):
    asked = {"path": "00_start_here.ipynb", "name": "", "type": "notebook", "kernel": {"name": "python3"}}

    def open_notebook(person):
        answer = person.ask("/api/sessions", "POST", body=json.dumps(asked).encode(), **person.xsrf)
        assert answer.status == 201
        return json.loads(answer.text)["kernel"]["id"]

    hers, his = open_notebook(ana), open_notebook(abd)
    assert hers != his
    assert (open_notebook(ana), open_notebook(abd)) == (hers, his)
    for person, own in ((ana, hers), (abd, his)):
        assert [one["kernel"]["id"] for one in json.loads(person.ask("/api/sessions").text)] == [own]


def test_an_analyst_finds_the_notebooks_of_the_workspace(ana, home):
    assert ana.ask("/").headers["Location"] == "/lab/tree/00_start_here.ipynb?"
    assert ana.ask("/lab").status == 200
    names = {entry["name"] for entry in json.loads(ana.ask("/api/contents").text)["content"]}
    assert {"00_start_here.ipynb", "08_audit.ipynb", "reports"} <= names
    assert "apps" not in names
    assert ana.ask("/api/contents").headers["Cache-Control"] == "no-store"
    assert ana.ask("/api/contents/..%2Fdata").status in (400, 404)
    assert (home / "notebooks" / "00_start_here.ipynb").is_file()


@pytest.mark.parametrize("username", ["olu", "mia"])
@pytest.mark.parametrize("path", ["/lab", "/api/contents", "/api/kernels", "/files/00_start_here.ipynb"])
def test_nobody_else_gets_anything(signed_in, home, username, path):
    person = signed_in(username)
    assert person.ask(path).status == 403
    assert person.ask("/api/kernels", "POST", **person.xsrf).status == 403
    refused = audit.last_events(open_workbench(home), 50)
    refused = refused[(refused["action"] == "lab.open") & (refused["actor"] == username)]
    assert set(refused["outcome"]) == {"refused:wrong_role"}


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/lab",
        "/lab/tree/00_start_here.ipynb",
        "/lab/api/settings",
        "/lab/extensions/@jupyter-widgets/jupyterlab-manager/package.json",
        "/static/lab/index.html",
        "/static/favicons/favicon.ico",
        "/static/logo/logo.png",
        "/custom/custom.css",
        "/favicon.ico",
        "/logo",
        "/files/00_start_here.ipynb",
        "/view/00_start_here.ipynb",
        "/nbconvert/html/00_start_here.ipynb",
        "/tree",
        "/api",
        "/api/me",
        "/api/contents",
        "/api/config/x",
        "/api/kernels",
        "/api/kernelspecs",
        "/kernelspecs/python3/logo-64x64.png",
        "/api/sessions",
        "/api/status",
        "/api/spec.yaml",
        "/api/events",
        "/api/terminals",
        "/metrics",
        "/nowhere",
    ],
)
def test_strangers_get_the_sign_in_page_at_most(base, visitor, path):
    stranger = visitor(base)
    for asked in (path, f"{path}?token=", f"{path}?token=x"):
        answer = stranger.ask(asked)
        assert answer.status in (301, 302, 401, 403, 404)
    for method in ("HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"):
        assert stranger.ask(path, method, **stranger.xsrf).status in (301, 302, 401, 403, 404, 405)
    foreign = stranger.ask(path, Host="evil.example")
    assert foreign.status in (403, 404) or foreign.headers["Location"].startswith("/lab/")


def test_a_kernel_acts_for_its_person_with_the_readers_rights_whatever_was_asked_for(ana, kernel, home):
    names = ["GRIDLIB_ACTING_USER", "LOOT", "GRIDLIB_HOME", "GRIDLIB_DATABASE_URL"]
    code = f"import os; print([os.environ.get(name) for name in {names}])"
    assert said(ana, kernel, code).strip() == str(["ana", None, str(home), "postgresql://reader@host/grid"])


def test_a_kernel_is_out_of_reach_of_another_analyst(ana, abd, kernel, home):
    assert abd.ask(f"/api/kernels/{kernel}").status == 403
    for action in ("interrupt", "restart"):
        assert abd.ask(f"/api/kernels/{kernel}/{action}", "POST", **abd.xsrf).status == 403
    assert abd.ask(f"/api/kernels/{kernel}", "DELETE", **abd.xsrf).status == 403
    assert abd.refused_socket(kernel) == 403
    assert ana.ask(f"/api/kernels/{kernel}").status == 200
    last = audit.last_events(open_workbench(home), 50)
    assert ("abd", kernel) in set(zip(last["actor"], last["object"], strict=True))


def test_the_session_of_another_analysts_notebook_is_out_of_reach_too(ana, abd, kernel):
    body = {"name": "n", "path": "00_start_here.ipynb", "type": "notebook", "kernel": {"name": "python3"}}
    made = ana.ask("/api/sessions", "POST", body=json.dumps(body).encode(), **ana.xsrf)
    session = json.loads(made.text)["id"]
    assert abd.ask(f"/api/sessions/{session}", "DELETE", **abd.xsrf).status == 403
    theirs = json.dumps({**body, "path": "01_ingest.ipynb", "kernel": {"id": kernel}}).encode()
    assert abd.ask("/api/sessions", "POST", body=theirs, **abd.xsrf).status == 403
    assert ana.ask(f"/api/sessions/{session}", "DELETE", **ana.xsrf).status == 204


def test_nobody_stops_the_server_or_opens_a_terminal(ana):
    assert ana.ask("/api/shutdown", "POST", **ana.xsrf).status == 403
    assert ana.ask("/api/terminals", "POST", **ana.xsrf).status in (403, 404)


def test_a_kernel_outlasts_a_sign_out_and_ends_with_the_account(signed_in, home):
    abd = signed_in("abd")
    kernel = json.loads(abd.ask("/api/kernels", "POST", **abd.xsrf).text)["id"]
    abd.post("/logout", {})
    assert abd.ask("/lab").status == 302
    abd.sign_in("abd", SECRET)
    assert abd.ask(f"/api/kernels/{kernel}").status == 200
    pid = int(said(abd, kernel, "import os; print(os.getpid())"))
    accounts.disable_user(open_workbench(home), "abd")
    assert abd.ask("/lab").status == 302
    assert ended(pid)
    accounts.enable_user(open_workbench(home), "abd")


def ended(pid):
    until = time.monotonic() + 15
    while time.monotonic() < until and Path(f"/proc/{pid}").exists():
        time.sleep(0.2)
    return not Path(f"/proc/{pid}").exists()
