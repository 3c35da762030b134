"""Schemathesis against the description of the running server: nothing that it makes up breaks anything."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from gridlib.adapters.lock import holding
from gridlib.facts.types import PlanState, Role
from gridlib.workbench import open_workbench
from gridlib.workflow import accounts, audit, decisions, queries, requests, workorders

pytestmark = pytest.mark.notebooks

CONFIG = """
seed = 1
base-url = "{base}"
headers = {{ Authorization = "Bearer {token}" }}
color = false

[generation]
deterministic = true
max-examples = 8

[checks.positive_data_acceptance]
# Valid by its schema and refused all the same: a name that is not there, a state or a version that has
# moved on, a time that has passed.
expected-statuses = ["2xx", 401, 403, 404, 409, 412, 422]

[parameters]
{names}
"""


def issued_order(workbench):
    plan = queries.get_plans(workbench, transformer_id="T-04", states=[PlanState.DRAFT])[0]
    decisions.approve(workbench, plan.plan_id, by="operator")
    return workorders.issue(workbench, plan.plan_id, by="operator2", crew="Crew 4")


@pytest.mark.parametrize("names", ["made up", "real"])
def test_every_operation_keeps_what_its_description_says(serving, sqlite_demo, tmp_path, names):
    pytest.importorskip("schemathesis", reason="schemathesis is not installed")
    home = tmp_path / "demo"
    shutil.copytree(sqlite_demo, home)
    workbench = open_workbench(home)
    accounts.add_user(workbench, "tester", list(Role))
    token = accounts.make_token(workbench, "tester", "schemathesis")
    real = {
        "plan_id": queries.get_plans(workbench, transformer_id="T-07")[0].plan_id,
        "work_order_id": issued_order(workbench).work_order_id,
        "number": "1",
        "transformer_id": "T-07",
        "switch_id": queries.get_network(workbench).switches["switch_id"].iloc[0],
        "request_id": requests.request_run(workbench, ["risk"], by="analyst"),
    }
    lines = [f'"path.{name}" = {json.dumps(value)}' for name, value in real.items() if names == "real"]
    # Requested runs are taken, and wait: what a run does is not the question here.
    lock = workbench.settings.data_dir / "requested_runs.lock"
    with serving(home) as (base, _), holding(lock) as held:
        assert held
        config = CONFIG.format(base=base, token=token, names="\n".join(lines))
        (tmp_path / "schemathesis.toml").write_text(config)
        found = subprocess.run(
            [str(Path(sys.executable).with_name("schemathesis")), "run", f"{base}/api/openapi.json"],
            cwd=tmp_path,
            env=os.environ | {"NO_PROXY": "127.0.0.1"},
            capture_output=True,
            text=True,
            timeout=600,
        )
    assert found.returncode == 0, found.stdout[-20_000:] + found.stderr[-2_000:]
    assert audit.verify(workbench).rows > 100
