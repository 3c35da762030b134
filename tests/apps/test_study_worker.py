"""The study worker: warm, bounded, private, up to date, and gone with the server that started it."""

import json
import os
import re
import shutil
import signal
import socket
import stat
import subprocess
import sys
import time
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from gridlib.apps.study.client import StudyClient
from gridlib.apps.study.process import StudyProcess
from gridlib.apps.study.protocol import ACTING_USER_VARIABLE, MOST_REQUEST_BYTES, SOCKET_VARIABLE
from gridlib.apps.study.worker import MOST_OF_ONE
from gridlib.facts.errors import StudyError
from gridlib.facts.types import PlanState, SwitchState
from gridlib.workbench import open_workbench
from gridlib.workflow import audit, queries, switches
from gridlib.workflow.studies import study

STARTS_S, ENDS_S = 60, 15


def until(condition, seconds):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if found := condition():
            return found
        time.sleep(0.1)
    raise AssertionError(f"not within {seconds} s")


def answers(client):
    try:
        client.picture("hot_spot", transformer_id="T-01")
    except StudyError:
        return False
    return True


def gone(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"


@pytest.fixture(scope="module")
def home(sqlite_demo, tmp_path_factory):
    copy = tmp_path_factory.mktemp("study") / "home"
    shutil.copytree(sqlite_demo, copy)
    return copy


@pytest.fixture(scope="module")
def process(home):
    worker = StudyProcess(home)
    worker.start()
    until(lambda: answers(StudyClient(worker.path)), STARTS_S)
    yield worker
    worker.stop()


@pytest.fixture
def client(process):
    if process.keep_running():
        until(lambda: answers(StudyClient(process.path)), STARTS_S)
    return StudyClient(process.path)


def raw(process, data):
    with socket.socket(socket.AF_UNIX) as link:
        link.settimeout(30)
        link.connect(str(process.path))
        link.sendall(data)
        link.shutdown(socket.SHUT_WR)
        return json.loads(link.makefile("rb").readline())


def test_a_study_by_the_worker_is_the_one_of_the_workflow(client, home):
    workbench = open_workbench(home)
    rows = audit.verify(workbench).rows
    found = client.what_if("T-07", ambient_k=3.0, load_pct=5.0)
    assert found == study(workbench, "T-07", ambient_k=3.0, load_pct=5.0)
    assert audit.verify(workbench).rows == rows


@pytest.mark.parametrize("language", ["en", "ar"])
@pytest.mark.parametrize("kind", ["load_band", "hot_spot", "neighbours", "both_sides"])
def test_pictures_are_labelled_and_hold_nothing_that_runs_or_reaches_out(client, home, kind, language):
    plans = queries.get_plans(open_workbench(home), transformer_id="T-07", states=[PlanState.DRAFT])
    which = {"plan_id": plans[0].plan_id} if kind == "both_sides" else {"transformer_id": "T-07"}
    svg = client.picture(kind, language=language, **which)
    root = ET.fromstring(svg)
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    assert root.get("role") == "img"
    assert root.get("lang") == language
    assert "T-07" in root.get("aria-label")
    assert bool(re.search("[\u0600-\u06ff]", root.get("aria-label"))) == (language == "ar")
    for element in root.iter():
        assert element.tag.rpartition("}")[2] not in ("script", "foreignObject", "image", "a")
        for name, value in element.attrib.items():
            assert not name.startswith("on")
            assert "href" not in name or value.startswith("#")
    names = [element.get("id") for element in root.iter() if element.get("id")]
    assert len(names) == len(set(names))
    assert len(svg) < 400_000


def test_a_position_confirmed_now_is_in_the_next_picture(client, home):
    workbench = open_workbench(home)
    before = client.picture("neighbours", transformer_id="T-07")
    switches.confirm_switch(workbench, "LINK-08", by="operator", state=SwitchState.OPEN)
    assert client.picture("neighbours", transformer_id="T-07") != before


@pytest.mark.parametrize(
    ("ask", "said"),
    [
        (lambda c: c.what_if("T-99"), "no assessed transformer 'T-99'"),
        (lambda c: c.what_if("T-07", ambient_k=99), "no change of the air"),
        (lambda c: c.what_if("T-07", tie_out="NONE"), "no switch near"),
        (lambda c: c.picture("load_band", transformer_id="T-99"), "T-99"),
        (lambda c: c.picture("both_sides", plan_id="PLAN-9"), "PLAN-9"),
        (lambda c: c.picture("poster", transformer_id="T-07"), "cannot be asked"),
        (lambda c: c.what_if("x" * 200), "cannot be asked"),
    ],
)
def test_what_is_refused_is_said(client, ask, said):
    with pytest.raises(StudyError, match=said):
        ask(client)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\n",
        b"not json\n",
        b"[]\n",
        b'{"ask": "what_if", "transformer_id": "T-07", "and": 1}\n',
        b'{"ask": "what_if", "transformer_id": "T-07"}',
        b"x" * (MOST_REQUEST_BYTES + 10) + b"\n",
        b"\xff\xfe\n",
    ],
)
def test_nonsense_is_answered_and_does_no_harm(client, process, data):
    assert raw(process, data)["error"]["code"] == "bad_input"
    assert answers(client)


def test_nobody_else_can_open_the_socket(process):
    assert stat.S_IMODE(process.path.stat().st_mode) == 0o600
    assert stat.S_IMODE(process.path.parent.stat().st_mode) == 0o700


def test_killed_it_is_started_again(client, process):
    old = process.pid
    os.kill(old, signal.SIGKILL)
    until(lambda: process.pid is None, ENDS_S)
    with pytest.raises(StudyError, match="does not answer"):
        client.what_if("T-07")
    assert process.keep_running()
    until(lambda: answers(client), STARTS_S)
    assert process.pid != old
    assert not process.keep_running()


def test_an_answer_that_takes_too_long_is_given_up_and_the_next_is_given(home, tmp_path):
    path = tmp_path / "socket"
    code = (
        "import sys, time; from pathlib import Path; import gridlib.apps.study.worker as w; "
        "w.DEADLINE_S = 1.0; w.study = lambda *a, **k: time.sleep(60); "
        "w.serve_studies(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]))"
    )
    worker = subprocess.Popen([sys.executable, "-c", code, str(home), str(path), str(os.getpid())])
    try:
        client = StudyClient(path)
        until(path.exists, STARTS_S)
        begun = time.monotonic()
        with pytest.raises(StudyError, match="no answer within"):
            client.what_if("T-07")
        assert time.monotonic() - begun < STARTS_S
        assert worker.poll() is None
        with pytest.raises(StudyError, match="cannot be asked"):
            client.picture("poster", transformer_id="T-07")
    finally:
        worker.kill()
        worker.wait()


def test_one_person_with_many_pages_keeps_nobody_else_waiting(home, tmp_path):
    path = tmp_path / "socket"
    code = """
import sys, time
from pathlib import Path
import gridlib.apps.study.worker as w

def study(*_, **__):
    time.sleep(4)
    raise w.InputError("slow")

w.study = study
w.serve_studies(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]))
"""
    asks = """
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from gridlib.apps.study.client import StudyClient
from gridlib.facts.errors import StudyError

def ask(n):
    try:
        StudyClient(Path(sys.argv[1])).what_if(f"T-{n}")
    except StudyError as error:
        return str(error)

print(*ThreadPoolExecutor(6).map(ask, range(6)), sep=",", end="")
"""
    worker = subprocess.Popen([sys.executable, "-c", code, str(home), str(path), str(os.getpid())])
    greedy = None
    try:
        until(path.exists, STARTS_S)
        until(lambda: answers(StudyClient(path)), STARTS_S)
        environment = {**os.environ, ACTING_USER_VARIABLE: "olu"}
        greedy = subprocess.Popen(
            [sys.executable, "-c", asks, str(path)], env=environment, stdout=subprocess.PIPE, text=True
        )
        forks = Path(f"/proc/{worker.pid}/task/{worker.pid}/children")
        until(lambda: len(forks.read_text().split()) == MOST_OF_ONE, STARTS_S)
        begun = time.monotonic()
        for _ in range(3):
            with pytest.raises(StudyError, match="cannot be asked"):
                StudyClient(path).picture("poster", transformer_id="T-07")
        assert time.monotonic() - begun < 2
        assert len(forks.read_text().split()) <= MOST_OF_ONE + 1
        assert greedy.communicate(timeout=30)[0].split(",") == ["slow"] * 6  # each had its turn
    finally:
        for process in filter(None, (greedy, worker)):
            process.kill()
            process.wait()


def test_it_ends_with_the_process_that_started_it(home):
    code = (
        "import sys, time; from pathlib import Path; from gridlib.apps.study.process import StudyProcess; "
        "p = StudyProcess(Path(sys.argv[1])); p.start(); print(p.pid, flush=True); time.sleep(600)"
    )
    server = subprocess.Popen([sys.executable, "-c", code, str(home)], stdout=subprocess.PIPE, text=True)
    pid = int(server.stdout.readline())
    time.sleep(1)
    server.kill()
    server.wait()
    server.stdout.close()
    until(lambda: gone(pid), STARTS_S)


def test_a_kernel_without_a_worker_says_how_to_get_one(monkeypatch):
    monkeypatch.delenv(SOCKET_VARIABLE, raising=False)
    with pytest.raises(StudyError, match="no study worker"):
        StudyClient.from_environment()


def test_asking_needs_no_plots():
    code = "import gridlib.apps.study.client, sys; assert not {'matplotlib', 'scipy'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)
