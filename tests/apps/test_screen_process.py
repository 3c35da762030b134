"""Screens drawn by the warm process, for kernels that load nothing but the way to it."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest

from gridlib.apps.study.client import StudyClient
from gridlib.apps.study.process import StudyProcess
from gridlib.facts.errors import StudyError
from gridlib.workflow.setup import init_workspace

QUESTION = {"screen": "control_room", "user": "operator"}


@pytest.fixture
def process(tmp_path):
    init_workspace(tmp_path / "home", example="demo_seed")
    found = StudyProcess(tmp_path / "home")
    found.start()
    yield found
    found.stop()


def test_a_kernel_loads_neither_tables_nor_figures_nor_database():
    script = (
        "import sys, json; import gridlib.apps.screens.browser; "
        "print(json.dumps([m for m in ('pandas', 'numpy', 'matplotlib', 'sqlalchemy') if m in sys.modules]))"
    )
    said = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert json.loads(said.stdout) == []


def test_a_screen_is_waited_for_while_the_process_starts_and_after_it_died(process):
    client = StudyClient(process.path)
    assert client.screen(QUESTION)["kind"] == "done"
    first = process.pid
    os.kill(first, signal.SIGKILL)
    while process.pid == first:
        time.sleep(0.05)
    assert process.keep_running()
    assert client.screen(QUESTION)["kind"] == "done"


def test_what_is_no_question_of_a_screen_is_refused(process):
    client = StudyClient(process.path)
    for odd in ({}, {"roles": ["manager"]}, {"state": {"unit": ["a"]}}, {"fields": {"note": "x" * 5000}}):
        with pytest.raises(StudyError):
            client.screen({**QUESTION, **odd} if odd else {})
    assert client.screen(QUESTION)["kind"] == "done"
