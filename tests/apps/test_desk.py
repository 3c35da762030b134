"""The decision desk in a real browser: a plan of the sample from draft to a completed work order."""

import re

import pytest

from gridlib.facts.types import PlanState
from gridlib.workbench import open_workbench
from gridlib.workflow import audit, queries
from gridlib.workflow.pipeline import run_stages
from gridlib.workflow.setup import init_workspace

pytestmark = [pytest.mark.browser, pytest.mark.notebooks]
PATIENCE_MS = 60_000


@pytest.fixture(scope="module")
def sample(tmp_path_factory):
    """The sample, run."""
    home = tmp_path_factory.mktemp("sample")
    workbench, _ = init_workspace(home, example="sample")
    run_stages(workbench)
    return workbench


def press(page, name):
    page.get_by_role("button", name=name, exact=False).first.click(timeout=PATIENCE_MS)


def says(page, text):
    page.get_by_role("status").filter(has_text=text).wait_for(timeout=PATIENCE_MS)


def choose(page, plan_id):
    select = page.locator("select")
    select.wait_for(timeout=PATIENCE_MS)
    label = select.locator("option").filter(has_text=plan_id).first.inner_text()
    select.select_option(label=label)
    page.get_by_role("heading", name=plan_id).wait_for(timeout=PATIENCE_MS)


def words(page, text):
    page.get_by_placeholder("Reason, crew, reading or remark").fill(text)
    page.keyboard.press("Tab")


def passwords(workbench):
    lines = workbench.first_passwords_path.read_text(encoding="utf-8").splitlines()
    return dict(line.split() for line in lines)


def sign_out(page, base):
    page.goto(base)
    page.get_by_role("button", name="Sign out").click()
    page.get_by_role("status").filter(has_text="signed out").wait_for()


def test_a_plan_goes_from_draft_to_a_completed_work_order(sample, page, serving, sign_in):
    home = sample.settings.home
    risk = queries.get_risk(sample)
    drafts = queries.get_plans(sample, states=[PlanState.DRAFT])
    best = {r.plan.transformer_id: r for r in reversed(drafts)}
    plan_id = next(best[name].plan_id for name in risk["transformer_id"] if name in best)
    with serving(home) as (base, _):
        sign_in(page, base, "operator", passwords(sample)["operator"])
        page.get_by_role("link", name="Decision desk").click()
        choose(page, plan_id)
        assert "Acting as operator" in page.inner_text("body")
        assert "Sample data" in page.inner_text("body")
        press(page, "Reject")
        says(page, "a rejection needs a reason")
        press(page, "Approve")
        says(page, f"{plan_id} approved by operator")
        words(page, "Crew <img src=x onerror=alert(1)>")
        press(page, "Create work order")
        says(page, "cannot issue")
        sign_out(page, base)
        sign_in(page, base, "operator2", passwords(sample)["operator2"])
        page.get_by_role("link", name="Decision desk").click()
        choose(page, plan_id)
        words(page, "Crew <img src=x onerror=alert(1)>")
        press(page, "Create work order")
        says(page, "created for Crew <img")
        press(page, "Start WO-")
        says(page, "started")
        (order,) = queries.get_work_orders(sample)
        for step in order.steps:
            low, high = step.step.reading_low, step.step.reading_high
            words(page, "done" if low is None else f"{(low + high) / 2:.0f} A")
            press(page, f"Step {step.step.number} completed")
            says(page, f"step {step.step.number} COMPLETED")
        press(page, "Complete WO-")
        says(page, f"{order.work_order_id} completed")
        page.screenshot(path=str(sample.settings.reports_dir / "decision_desk.png"), full_page=True)
        sign_out(page, base)
    assert page.hosts <= {"127.0.0.1", "localhost", None}
    assert not [text for text in page.complaints if not re.search("favicon", text)]
    assert queries.get_plan(sample, plan_id).record.state is PlanState.EXECUTED
    events = audit.last_events(sample, 100)
    mine = events[events["object"].isin([plan_id, order.work_order_id])]
    done = mine[mine["outcome"] == "done"]
    assert done.loc[done["action"] == "plan.approve", "actor"].tolist() == ["operator"]
    assert set(done.loc[done["action"].str.startswith("work_order"), "actor"]) == {"operator2"}
    assert "refused:four_eyes" in set(mine["outcome"])
    assert audit.verify(open_workbench(home)).rows >= len(events)
