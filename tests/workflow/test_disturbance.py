"""What goes wrong around the stages: killed processes, repeated files, one broken transformer."""

import shutil
import signal
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
import sqlalchemy as sa

from gridlib.adapters import tables as t
from gridlib.adapters.notebooks import share_dir
from gridlib.facts.errors import InputError
from gridlib.workbench import open_workbench
from gridlib.workflow import audit, clock, queries
from gridlib.workflow.ingest import ingest_paths
from gridlib.workflow.pipeline import run_stages
from gridlib.workflow.setup import init_workspace

DEMO = share_dir() / "data" / "demo_seed"

KILLED_AT = {
    "forecast frames": "gridlib.adapters.telemetry.Telemetry.write_run_frame",
    "forecast record": "gridlib.adapters.records.runs.save_stage",
    "risk record": "gridlib.adapters.records.runs.save_risk",
    "plans record": "gridlib.adapters.records.plans.save_plan",
    "sheets record": "gridlib.adapters.records.plans.save_instruction",
    "audit row": "gridlib.adapters.chain.append_event",
}
KILL = """
import importlib, os, signal, sys
home, target = sys.argv[1:]
owner, name = target.rsplit('.', 1)
try:
    place = importlib.import_module(owner)
except ModuleNotFoundError:
    module, cls = owner.rsplit('.', 1)
    place = getattr(importlib.import_module(module), cls)
setattr(place, name, lambda *a, **k: os.kill(os.getpid(), signal.SIGKILL))
from gridlib.workbench import open_workbench
from gridlib.workflow.pipeline import run_stages
run_stages(open_workbench(home))
"""


def outcome(workbench):
    risk = queries.get_risk(workbench)
    plans = [(r.plan, r.state) for r in queries.get_plans(workbench)]
    sheets = [
        [(s.step_id, s.verb, s.device) for s in queries.get_plan(workbench, r.plan_id).instruction.steps]
        for r in queries.get_plans(workbench)
    ]
    return risk, plans, sheets


@pytest.fixture(scope="module")
def ready(tmp_path_factory):
    """The demo scenario ingested, nothing run yet."""
    home = tmp_path_factory.mktemp("ready")
    workbench, _ = init_workspace(home, example="demo_seed")
    workbench.store.dispose()
    return home


@pytest.mark.parametrize("place", KILLED_AT)
def test_kill_in_any_stage_and_run_again_gives_the_undisturbed_result(ready, sqlite_demo, tmp_path, place):
    home = tmp_path / "home"
    shutil.copytree(ready, home)
    done = subprocess.run(
        [sys.executable, "-c", KILL, str(home), KILLED_AT[place]], capture_output=True, timeout=120
    )
    assert done.returncode == -signal.SIGKILL, done.stderr.decode()
    workbench = open_workbench(home)
    run_stages(workbench)
    risk, plans, sheets = outcome(workbench)
    undisturbed = outcome(open_workbench(sqlite_demo))
    pd.testing.assert_frame_equal(risk, undisturbed[0])
    assert plans == undisturbed[1]
    assert sheets == undisturbed[2]
    audit.verify(workbench)


def test_kill_while_ingesting_leaves_nothing_half_in(ready, tmp_path):
    home = tmp_path / "home"
    shutil.copytree(ready, home)
    later = pd.read_csv(DEMO / "load.csv")
    later["time"] = (pd.to_datetime(later["time"]) + pd.Timedelta(days=7)).map(lambda x: x.isoformat())
    later.to_csv(tmp_path / "later.csv", index=False)
    kill = KILL.replace(
        "run_stages(open_workbench(home))", "ingest_paths(open_workbench(home), [Path(sys.argv[3])])"
    )
    kill = kill.replace("home, target = sys.argv[1:]", "home, target = sys.argv[1:3]")
    kill = kill.replace(
        "from gridlib.workflow.pipeline import run_stages",
        "from pathlib import Path\nfrom gridlib.workflow.ingest import ingest_paths",
    )
    target = "gridlib.adapters.records.runs.save_ingest"
    done = subprocess.run(
        [sys.executable, "-c", kill, str(home), target, str(tmp_path / "later.csv")],
        capture_output=True,
        timeout=120,
    )
    assert done.returncode == -signal.SIGKILL, done.stderr.decode()
    workbench = open_workbench(home)
    with workbench.store.read() as connection:
        before = clock.next_interval(workbench, connection)
    assert (
        queries.get_ingests(workbench)["rows"].sum()
        == queries.get_ingests(open_workbench(ready))["rows"].sum()
    )
    (result,) = ingest_paths(workbench, [tmp_path / "later.csv"])
    assert (result.rows, result.repeated) == (1680, False)
    with workbench.store.read() as connection:
        assert clock.next_interval(workbench, connection) == before + pd.Timedelta(days=7)
    audit.verify(workbench)


def test_the_same_file_twice_changes_nothing(demo):
    def rows():
        with demo.store.read() as connection:
            return {
                table.name: connection.scalar(sa.select(sa.func.count()).select_from(table))
                for table in t.metadata.sorted_tables
            }

    before = rows()
    results = ingest_paths(demo, [DEMO])
    assert all(result.repeated for result in results)
    assert rows() == before


def test_a_refused_file_leaves_only_its_audit_row(demo, tmp_path):
    path = tmp_path / "load.csv"
    path.write_text("transformer_id,time,load_kva\nT-01,2026-08-12T00:00:00+03:00,lots\n")
    before = len(queries.get_ingests(demo))
    with pytest.raises(InputError, match="lots"):
        ingest_paths(demo, [path])
    assert len(queries.get_ingests(demo)) == before
    assert audit.last_events(demo, 1).iloc[0]["outcome"].startswith("refused")


def test_one_broken_transformer_leaves_the_others_untouched(sqlite_demo, tmp_path):
    shutil.copytree(DEMO, tmp_path / "drop")
    load = pd.read_csv(tmp_path / "drop" / "load.csv")
    load.loc[load["transformer_id"] == "T-03", "load_kva"] = np.nan
    load.to_csv(tmp_path / "drop" / "load.csv", index=False)
    home = tmp_path / "home"
    home.mkdir()
    shutil.copy(DEMO / "gridlib.toml", home)
    workbench, _ = init_workspace(home)
    ingest_paths(workbench, [tmp_path / "drop"])
    run_stages(workbench)
    broken = queries.get_frame(workbench, "forecast").set_index(["transformer_id", "time"])
    whole = queries.get_frame(open_workbench(sqlite_demo), "forecast").set_index(["transformer_id", "time"])
    assert set(whole.index.levels[0]) - set(broken.index.get_level_values(0)) == {"T-03"}
    pd.testing.assert_frame_equal(broken, whole.loc[broken.index], check_exact=True)
    run_id = queries.get_run(workbench, stage="forecast").run_id
    assert "T-03" in set(queries.get_findings(workbench, run_id)["object_id"])
    risk = queries.get_risk(workbench)
    assert set(risk.loc[risk["risk_level"] == "HIGH", "transformer_id"]) == {"T-04", "T-07"}
