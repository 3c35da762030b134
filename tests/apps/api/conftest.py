"""A running server on the demo scenario, and people who ask it by their tokens."""

import shutil
import sqlite3
import time
from contextlib import closing

import pytest
import requests

from gridlib.workbench import open_workbench
from gridlib.workflow import accounts

PEOPLE = ("analyst", "operator", "operator2", "manager")


class Api:
    """The running server, and people who ask it by their tokens."""

    def __init__(self, base, workbench, tokens, process):
        self.base, self.workbench, self.tokens, self.process = base, workbench, tokens, process
        self._session = requests.Session()
        self._session.trust_env = False

    def ask(self, method, path, *, by="operator", **options):
        headers = {"Authorization": f"Bearer {self.tokens[by]}"} if by else {}
        headers |= options.pop("headers", {})
        return self._session.request(method, self.base + path, headers=headers, timeout=60, **options)

    def get(self, path, **options):
        answer = self.ask("GET", path, **options)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def do(self, method, path, body=None, *, status=200, **options):
        answer = self.ask(method, path, json=body, **options)
        assert answer.status_code == status, answer.text
        return answer.json()

    def operations(self):
        for path, methods in self.get("/api/openapi.json")["paths"].items():
            for method, operation in methods.items():
                yield method.upper(), path, operation

    def follow(self, path):
        """Follow a list to its end."""
        pages = []
        while path:
            pages.append(self.get(path))
            path = pages[-1]["next"]
        return pages

    def wait_for(self, request_id, states=("done", "failed")):
        """Look at a requested run until it is in one of some states."""
        limit = time.monotonic() + 120
        while time.monotonic() < limit:
            found = self.get(f"/api/runs/{request_id}/")
            if found["state"] in states:
                return found
            time.sleep(0.2)
        return pytest.fail(f"{request_id} is {found['state']} after two minutes")

    def best_plan(self, transformer_id="T-07"):
        asked = {"state": "DRAFT", "transformer_id": transformer_id}
        return self.ask("GET", "/api/planning/plans/", params=asked).json()["items"][0]["plan_id"]

    def issued(self, transformer_id="T-07"):
        """Approve the best plan of a transformer and issue its order."""
        plan_id = self.best_plan(transformer_id)
        self.do("POST", f"/api/planning/plans/{plan_id}/approve/")
        order = {"plan_id": plan_id, "crew": "Crew 4"}
        answer = self.ask("POST", "/api/ops/workorders/", by="operator2", json=order)
        assert answer.status_code == 201, answer.text
        return answer


def prepared(source, home):
    """Copy a workspace and give everybody a token."""
    shutil.copytree(source, home)
    workbench = open_workbench(home)
    return workbench, {name: accounts.make_token(workbench, name, "tests") for name in PEOPLE}


@pytest.fixture(scope="session")
def prepare():
    return prepared


@pytest.fixture(scope="session")
def ask_server():
    return Api


@pytest.fixture(scope="session")
def served(serving, sqlite_demo, tmp_path_factory):
    """One server, and how its workspace was when it started."""
    folder = tmp_path_factory.mktemp("api")
    workbench, tokens = prepared(sqlite_demo, folder / "demo")
    workbench.store.dispose()
    shutil.copytree(folder / "demo" / "data", folder / "before")
    with serving(folder / "demo") as (base, process):
        yield Api(base, workbench, tokens, process), folder / "before"


@pytest.fixture
def api(served):
    """The server, with its workspace as it was at first."""
    found, before = served
    data = found.workbench.settings.data_dir
    with (
        closing(sqlite3.connect(before / "gridlib.db")) as old,
        closing(sqlite3.connect(data / "gridlib.db")) as new,
    ):
        old.backup(new)
    shutil.copy(before / "audit_checkpoints.jsonl", data)
    return found


@pytest.fixture
def problem():
    """Check that an answer is a problem, whole and as it should be."""

    def check(answer, status, code):
        assert answer.status_code == status, answer.text
        assert answer.headers["Content-Type"] == "application/problem+json"
        said = answer.json()
        assert said["status"] == status
        assert said["code"] == code
        assert said["type"] == f"urn:gridlib:problem:{code}"
        assert said["instance"] == answer.request.path_url.partition("?")[0]
        assert said["title"]
        assert said["detail"]
        assert "what_to_do" in said
        return said

    return check
