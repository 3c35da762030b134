"""Whoever decides on a plan reads how likely it holds, or that this is not known."""

import shutil
from html import unescape

import pytest

from gridlib.apps import outlook
from gridlib.apps.outcome import plan_details
from gridlib.apps.screens.decision_desk.plan import plan
from gridlib.apps.screens.visit import Visit
from gridlib.apps.study.memory import read_memory
from gridlib.domain.planning import describe_chance, describe_chances
from gridlib.facts.messages import render, rendered
from gridlib.facts.types import PlanState
from gridlib.workbench import open_workbench
from gridlib.workflow import accounts, decisions, queries
from gridlib.workflow.material import read_material
from gridlib.workflow.proof import bench_around, refresh_record


@pytest.fixture
def workbench(sqlite_demo, tmp_path):
    shutil.copytree(sqlite_demo, tmp_path / "demo")
    opened = open_workbench(tmp_path / "demo")
    yield opened
    opened.store.dispose()


def test_screen_sheet_and_report_say_the_chances(workbench):
    record, *_ = queries.get_plans(workbench, transformer_id="T-07", states=[PlanState.DRAFT])
    said = render(describe_chances(record.plan))
    assert record.plan.p_holds is not None
    assert " % without it, " in said
    file = queries.get_plan(workbench, record.plan_id)
    operator = accounts.get_user(workbench, "operator")
    screen = plan(Visit(workbench, read_memory(workbench), operator, {"plan": record.plan_id}))
    for chance in (record.plan.p_holds, record.plan.p_clear_before, record.plan.p_clear_after):
        assert render(describe_chance(chance)) in screen
    assert file.instruction is not None
    assert any(said in note for note in rendered(file.instruction.notes))
    told = plan_details(file)["instruction"]
    assert told["notes"] == list(rendered(file.instruction.notes))
    assert told["steps"][0]["place"] == render(file.instruction.steps[0].place)
    assert said in unescape(outlook.plan_sentences(outlook.read_outlook(workbench)))


def test_a_run_without_paths_leaves_the_chance_unknown_and_decisions_possible(workbench):
    record, *_ = queries.get_plans(workbench, transformer_id="T-07", states=[PlanState.DRAFT])
    run = queries.get_run(workbench, stage="risk")
    (workbench.settings.home / "data/telemetry/runs" / run.run_id / "paths.parquet").unlink()
    material = read_material(workbench, run)
    bench = bench_around(workbench, material, record, [], run.issued_at)
    refreshed, proof = refresh_record(bench, record, [])
    assert proof.holds
    assert refreshed is not None
    assert refreshed.p_holds is None
    assert "not known" in render(describe_chances(refreshed))
    assert decisions.approve(workbench, record.plan_id, by="operator").state is PlanState.APPROVED


def test_the_paths_of_a_run_come_back_as_they_were_kept(workbench):
    run = queries.get_run(workbench, stage="risk")
    material = read_material(workbench, run)
    paths = material.paths
    assert paths is not None
    assert paths.error_steps.shape == (10, 60, 72)
    assert paths.times[0] == run.issued_at
    assert set(paths.transformer_ids) == set(material.network.transformers["transformer_id"])
    digests = workbench.telemetry.read_run_frame(run.run_id, "paths")
    assert len(digests) == 10 * 60
