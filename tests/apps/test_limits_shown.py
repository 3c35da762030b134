"""Nameplate, what a transformer may carry today and what binds: on screen, in shell and report."""

import io
import shutil
from html import unescape

import numpy as np
import pytest
from rich.console import Console

from gridlib.apps import outlook
from gridlib.apps.outcome import print_details
from gridlib.apps.screens.decision_desk import DECISION_DESK
from gridlib.apps.screens.visit import Visit
from gridlib.apps.study.memory import read_memory
from gridlib.facts.messages import render
from gridlib.facts.types import PlanState
from gridlib.workbench import open_workbench
from gridlib.workflow import accounts, queries


@pytest.fixture
def workbench(sqlite_demo, tmp_path):
    shutil.copytree(sqlite_demo, tmp_path / "demo")
    opened = open_workbench(tmp_path / "demo")
    yield opened
    opened.store.dispose()


def test_limit_and_sensitivity_of_a_run_are_kept_and_said(workbench):
    limit, air, load = (render(said) for said in queries.get_limit_messages(workbench, "T-07"))
    risk = queries.get_risk(workbench).set_index("transformer_id").loc["T-07"]
    assert limit.startswith(f"today's limit {risk['limit_kva']:.0f} kVA")
    moved = queries.get_sensitivity(workbench).set_index("transformer_id").loc["T-07"]
    assert air == f"+3 degC: {risk['risk_score']:.2f} -> {moved['score_air']:.2f}"
    assert load == f"+10 % load: {risk['risk_score']:.2f} -> {moved['score_load']:.2f}"
    assert np.isclose(moved["score"], risk["risk_score"])


def test_screen_shell_and_report_say_nameplate_limit_and_what_binds(workbench):
    record, *_ = queries.get_plans(workbench, transformer_id="T-07", states=[PlanState.DRAFT])
    said = [render(message) for message in queries.get_limit_messages(workbench, "T-07")]
    file = queries.get_plan(workbench, record.plan_id)
    visit = Visit(
        workbench,
        read_memory(workbench),
        accounts.get_user(workbench, "operator"),
        {"plan": record.plan_id},
    )
    screen = unescape("".join(draw(visit) for draw in DECISION_DESK.regions.values()))
    shell = Console(file=io.StringIO(), width=200)
    print_details(shell, file, workbench.settings.site.tz, queries.get_limit_messages(workbench, "T-07"))
    printed = shell.file.getvalue()
    for line in said:
        assert line in screen
        assert line in printed
    for side in record.plan.sides:
        assert f"{side.rating_kva:g} kVA" in screen
        assert f"{side.limit_pct:.0f} %</bdi> {side.limit_by.replace('_', ' ')}" in screen
        assert f"{side.limit_pct:.0f} % {side.limit_by}" in printed
    day = outlook.read_outlook(workbench)
    row = next(row for row in outlook.ranking(day) if row["transformer"] == "T-07")
    assert (row["nameplate [kVA]"], row["today's limit [%]"]) == (500, "100 site")
    assert row["+3 degC"] >= row["score"]
    assert f"plans relieve {record.plan.relieved_kvah:,.0f} kVAh" in unescape(
        outlook.plan_sentences(day)
    ) or (len(day.best_plans) > 1)


def test_a_run_of_an_earlier_version_has_no_sensitivity_and_is_still_shown(workbench):
    run = queries.get_run(workbench, stage="risk")
    (workbench.settings.home / "data/telemetry/runs" / run.run_id / "sensitivity.parquet").unlink()
    assert [message.id for message in queries.get_limit_messages(workbench, "T-07")] == ["limit.today"]
    day = outlook.read_outlook(workbench)
    assert {row["+3 degC"] for row in outlook.ranking(day)} == {None}
