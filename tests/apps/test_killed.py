"""kill -9 of a screen's kernel and of the server: the page says so, and nothing is lost or made up."""

import os
import signal
import time
from contextlib import suppress
from pathlib import Path

import pytest

from gridlib.facts.types import PlanState
from gridlib.workflow import audit, queries

pytestmark = [pytest.mark.browser, pytest.mark.notebooks]
PATIENCE_MS = 60_000
INERT_S = 10


@pytest.fixture(scope="module")
def sample(sample_copy):
    return sample_copy()


def enter(page, sample, base, sign_in, chosen):
    lines = sample.first_passwords_path.read_text(encoding="utf-8").splitlines()
    sign_in(page, base, "operator", dict(line.split() for line in lines)["operator"])
    look_at(page, base, chosen)


def look_at(page, base, chosen):
    page.goto(f"{base}/voila/render/decision_desk.ipynb#plan={chosen}")
    page.locator("#reason").wait_for(timeout=PATIENCE_MS)


def kernel_of(server):
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            parent = int((folder / "stat").read_text().rsplit(")", 1)[1].split()[1])
            if parent == server.pid and "ipykernel" in (folder / "cmdline").read_text():
                return int(folder.name)
    raise AssertionError("the server has no kernel")


def becomes_inert(page, words):
    started = time.monotonic()
    page.get_by_role("alert").filter(has_text=words).wait_for(timeout=INERT_S * 1000)
    assert time.monotonic() - started < INERT_S
    assert page.evaluate("document.querySelector('.gridlib').closest('[inert]') !== null")


def test_what_was_decided_stays_and_what_was_written_comes_back(sample, serving, page, sign_in):
    approved, undecided, *_ = (r.plan_id for r in queries.get_plans(sample, states=[PlanState.DRAFT]))
    with serving(sample.settings.home) as (base, server):
        enter(page, sample, base, sign_in, undecided)
        page.locator("#reason").fill("tie is on loan")
        page.wait_for_timeout(2500)
        os.kill(kernel_of(server), signal.SIGKILL)
        becomes_inert(page, "This screen has ended")
        page.get_by_role("button", name="Reload").click()
        page.locator("#reason").wait_for(timeout=PATIENCE_MS)
        assert page.locator("#reason").input_value() == "tie is on loan"
        page.locator(f"#card-{approved}").click()
        page.get_by_role("heading", name=approved).wait_for(timeout=PATIENCE_MS)
        page.get_by_role("button", name="Approve").click()
        page.get_by_role("status").filter(has_text="approved by operator").wait_for(timeout=PATIENCE_MS)
        page.locator(f"#card-{undecided}").click()
        page.get_by_role("heading", name=undecided).wait_for(timeout=PATIENCE_MS)
        os.kill(server.pid, signal.SIGKILL)
        becomes_inert(page, "No connection to the server")
    assert queries.get_plan(sample, approved).record.state is PlanState.APPROVED
    assert queries.get_plan(sample, undecided).record.state is PlanState.DRAFT
    page.goto("about:blank")
    with serving(sample.settings.home) as (base, _):
        look_at(page, base, undecided)  # still signed in: the session is in the database
        assert page.locator("#reason").input_value() == "tie is on loan"
        page.goto("about:blank")
    decided = [row for row in audit.last_events(sample, 200).to_dict("records") if "plan." in row["action"]]
    assert [(row["action"], row["object"], row["outcome"]) for row in decided] == [
        ("plan.approve", approved, "done")
    ]
    assert audit.verify(sample).rows > 0
