"""Notebooks: the rules they keep, and that every one of them runs on the demo scenario."""

import json
import re
import shutil
from pathlib import Path

import pytest

from gridlib.adapters.notebooks import notebook_parameters, share_dir
from gridlib.facts.errors import NotebookError
from gridlib.workbench import open_workbench
from gridlib.workflow import audit, queries, reports
from gridlib.workflow.setup import init_workspace

NOTEBOOKS = sorted((share_dir() / "notebooks").rglob("*.ipynb"))
STAGES = [path for path in NOTEBOOKS if re.match(r"\d\d_", path.name)]


def cells_of(path: Path) -> list[dict]:
    return json.loads(path.read_text(encoding="utf-8"))["cells"]


def test_all_notebooks_of_the_house_are_there():
    names = {str(path.relative_to(share_dir() / "notebooks")) for path in NOTEBOOKS}
    stages = (
        "start_here",
        "ingest",
        "forecast",
        "risk",
        "planning",
        "instructions",
        "approval",
        "work_orders",
        "audit",
    )
    assert {f"{i:02d}_{name}.ipynb" for i, name in enumerate(stages)} <= names
    assert {"apps/decision_desk.ipynb", "reports/daily_outlook.ipynb"} <= names


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_keeps_the_house_rules(path):
    cells = cells_of(path)
    code = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    assert all(
        cell.get("outputs") == [] and cell["execution_count"] is None for cell in cells if "outputs" in cell
    )
    for text in code:
        assert not re.search(
            r"^\s*(class |!|%)|\bselect\b.*\bfrom\b|pip install|['\"]/(home|tmp|root)", text, re.M | re.I
        )
    assert "".join(cells[0]["source"]).startswith("# ")
    notebook_parameters(path)


@pytest.mark.parametrize("path", STAGES, ids=lambda path: path.stem)
def test_a_stage_notebook_is_a_narrated_call(path):
    cells = cells_of(path)
    assert 8 <= len(cells) <= 14
    titles = [line for cell in cells for line in "".join(cell["source"]).splitlines() if line.startswith("#")]
    assert any("Look" in title for title in titles)
    assert "## Checks" in titles
    assert "assert " in "".join(cells[-2]["source"]) + "".join(cells[-1]["source"])


@pytest.fixture(scope="module")
def executed(tmp_path_factory):
    """The demo scenario run through its notebooks, and the daily report."""
    home = tmp_path_factory.mktemp("notebooks")
    workbench, _ = init_workspace(home, example="demo_seed")
    run_id = reports.run_notebooks(workbench)
    result = reports.run_report(workbench)
    return workbench, run_id, result


@pytest.mark.notebooks
def test_a_run_through_notebooks_is_the_run(executed, sqlite_demo):
    workbench, run_id, _ = executed
    run = queries.get_run(workbench, run_id)
    assert set(run.stages) == {"forecast", "risk", "planning", "instructions"}
    direct = open_workbench(sqlite_demo)
    assert queries.get_risk(workbench).equals(queries.get_risk(direct))
    assert [r.plan for r in queries.get_plans(workbench)] == [r.plan for r in queries.get_plans(direct)]


@pytest.mark.notebooks
def test_executing_notebooks_decides_nothing_and_is_audited(executed):
    workbench, run_id, _ = executed
    assert {str(r.state) for r in queries.get_plans(workbench)} == {"DRAFT"}
    events = audit.last_events(workbench, 200)
    assert set(events["actor"]) == {"system"}
    published = events.loc[events["action"] == "notebook.run", "object"]
    assert {"02_forecast", "08_audit", "daily_outlook"} <= set(published)
    assert run_id in set(events["object"])


@pytest.mark.notebooks
def test_the_daily_report_is_offline_small_described_and_without_code(executed):
    _, _, result = executed
    html = result.html.read_text(encoding="utf-8")
    assert len(html) < 1_000_000
    assert not re.search(r"<script|https?://|import |No description has been provided", html)
    images = re.findall(r"<img[^>]*>", html)
    assert len(images) >= 4
    assert all(re.search(r'alt="[^"]{20,}"', image) for image in images)
    for word in ("HIGH", "T-07", "T-04", "PLAN-", "Demo"):
        assert word in html


@pytest.mark.notebooks
def test_start_here_runs_too(executed, tmp_path):
    from gridlib.adapters.notebooks import run_notebook

    workbench, _, _ = executed
    source = share_dir() / "notebooks" / "00_start_here.ipynb"
    result = run_notebook(source, tmp_path, {}, cwd=workbench.settings.home)
    assert result.executed.exists()


@pytest.mark.notebooks
def test_a_failing_report_keeps_the_old_edition_and_is_in_the_ledger(executed, tmp_path):
    workbench, _, result = executed
    home = tmp_path / "home"
    shutil.copytree(workbench.settings.home, home)
    broken = open_workbench(home)
    run_id = queries.get_run(broken, stage="risk").run_id
    (home / "data" / "telemetry" / "runs" / run_id / "thermal.parquet").unlink()
    old = home / result.html.relative_to(workbench.settings.home)
    before = old.read_bytes()
    with pytest.raises(NotebookError):
        reports.run_report(broken)
    assert old.read_bytes() == before
    assert audit.last_events(broken, 1).iloc[0]["outcome"] == "failed:notebook_failed"
