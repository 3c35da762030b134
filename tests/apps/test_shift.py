"""A whole shift in a real browser: from the alert to the completed order, by two operators."""

import re
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe

from gridlib.facts.messages import rendered
from gridlib.facts.types import PlanState
from gridlib.workflow import accounts, audit, decisions, queries

pytestmark = [pytest.mark.browser, pytest.mark.notebooks]
PATIENCE_MS = 60_000
SHEET_PLACES = "[data-region=order], [data-region=steps], [data-region=sheet], .print"
A4_POINTS = (595, 842)
SCREENS = ("control_room", "decision_desk", "work_board", "audit_trail")


@pytest.fixture(scope="module")
def sample(sample_copy):
    return sample_copy()


@pytest.fixture(scope="module")
def base(sample, serving):
    with serving(sample.settings.home) as (address, _):
        yield address


@pytest.fixture(scope="module")
def best(sample):
    """The best plan of the riskiest transformer that has one."""
    drafts = queries.get_plans(sample, states=[PlanState.DRAFT])
    first = {record.plan.transformer_id: record for record in reversed(drafts)}
    risk = queries.get_risk(sample)
    return next(first[name] for name in risk["transformer_id"] if name in first)


def password(workbench, username):
    lines = workbench.first_passwords_path.read_text(encoding="utf-8").splitlines()
    return dict(line.split() for line in lines)[username]


def press(page, name):
    page.get_by_role("button", name=name, exact=True).click(timeout=PATIENCE_MS)


def says(page, text):
    page.get_by_role("status").filter(has_text=text).wait_for(timeout=PATIENCE_MS)


def go(page, base, screen, chosen=""):
    page.goto("about:blank")
    page.goto(f"{base}/voila/render/{screen}.ipynb#{chosen}")
    page.locator("main h1").wait_for(timeout=PATIENCE_MS)


def serious(page):
    found = Axe().run(page).response
    return [
        (v["id"], v["nodes"][0]["html"])
        for v in found["violations"]
        if v["impact"] in ("serious", "critical")
    ]


def foreign_words(page, places):
    """What stands in Latin letters in some places of a page, but for what is set apart: names, quantities."""
    text = """places => [...document.querySelectorAll(places)].map(found => {
        const copy = found.cloneNode(true);
        copy.querySelectorAll("bdi, svg").forEach(apart => apart.remove());
        return copy.textContent;
    }).join(" ")"""
    return " ".join(re.findall("[A-Za-z]+", page.evaluate(text, places)))


def shot(page, workbench, name):
    folder = Path(workbench.settings.reports_dir) / "screenshots"
    folder.mkdir(exist_ok=True)
    page.screenshot(path=str(folder / f"{name}.png"), full_page=True)


def sign_out(page, base):
    page.goto(base)
    page.get_by_role("button", name="Sign out").click()
    page.get_by_role("status").filter(has_text="signed out").wait_for()


def reading_for(step):
    if step.reading_range is None:
        return "dead" if step.needs_reading else ""
    return f"{sum(step.reading_range) / 2:.0f} {step.reading_unit}"


def test_a_shift_from_the_alert_to_the_completed_order(sample, base, best, page, sign_in):
    unit, plan_id = best.plan.transformer_id, best.plan_id
    sign_in(page, base, "operator", password(sample, "operator"))
    go(page, base, "control_room")
    page.locator(f"#unit-{unit}").click(timeout=PATIENCE_MS)
    page.get_by_role("heading", name=unit).wait_for(timeout=PATIENCE_MS)
    page.get_by_label("Air, more or less, K").fill("3")
    press(page, "Study")
    page.locator(".study .mark").wait_for(timeout=PATIENCE_MS)
    press(page, "Acknowledge")
    says(page, f"{unit} acknowledged by operator")
    page.get_by_role("link", name=plan_id).click()
    page.get_by_role("heading", name=plan_id).wait_for(timeout=PATIENCE_MS)
    page.locator("[data-region=pictures] svg").wait_for(timeout=PATIENCE_MS)
    shot(page, sample, "decision_desk")
    page.get_by_role("button", name="Approve").dblclick()
    says(page, f"{plan_id} approved by operator")
    page.get_by_role("link", name="Issue it on the work board").click()
    page.get_by_label("Crew").fill("Crew <b>7</b>")
    press(page, "Issue to the crew")
    says(page, "cannot issue")
    assert page.get_by_label("Crew").input_value() == "Crew <b>7</b>"
    sign_out(page, base)

    sign_in(page, base, "operator2", password(sample, "operator2"))
    go(page, base, "work_board", f"plan={plan_id}")
    page.get_by_label("Crew").fill("Crew <b>7</b>")
    press(page, "Issue to the crew")
    says(page, "issued to Crew <b>7</b>")
    press(page, "Start")
    says(page, "started")
    (order,) = queries.get_work_orders(sample)
    for record in order.steps:
        number = record.step.number
        press(page, "Instructed and repeated")
        says(page, f"step {number} instructed to Crew <b>7</b>")
        page.get_by_label("Reading").fill(reading_for(record.step))
        press(page, "Completed")
        says(page, f"step {number} completed")
        if number == 3:
            shot(page, sample, "work_board")
    page.get_by_label("Outcome").fill("load seen on both sides")
    press(page, "Complete")
    says(page, f"{order.work_order_id} completed")
    page.locator("#open-sheet").click()
    page.locator("[data-region=path] svg").wait_for(timeout=PATIENCE_MS)
    shot(page, sample, "sheet")
    page.emulate_media(media="print")
    shot(page, sample, "sheet_print")
    assert not page.locator(".head").is_visible()
    page.emulate_media(media="screen")
    go(page, base, "audit_trail", f"text={order.work_order_id}")
    press(page, "Verify the trail")
    says(page, "The trail holds")
    shot(page, sample, "audit_trail")
    for ending, start in (("csv", "seq,"), ("jsonl", "{")):
        with page.expect_download() as coming:
            page.locator(f"#export-{ending}").click()
        assert Path(coming.value.path()).read_text(encoding="utf-8-sig").startswith(start)
    sign_out(page, base)

    assert page.hosts - {None} == {"127.0.0.1"}
    assert page.complaints == []
    assert queries.get_plan(sample, plan_id).record.state is PlanState.EXECUTED
    events = audit.last_events(sample, 500)
    mine = events[events["object"].isin([unit, plan_id, order.work_order_id])]
    done = mine[mine["outcome"] == "done"]
    by = {action: set(actors) for action, actors in done.groupby("action")["actor"]}
    steps = {"work_order.start", "work_order.instruct", "work_order.step", "work_order.complete"}
    assert by["risk.acknowledge"] == by["plan.approve"] == {"operator"}
    assert all(by[action] == {"operator2"} for action in steps | {"work_order.issue"})
    assert len(done[done["action"] == "work_order.step"]) == len(order.steps)
    assert len(done[done["action"] == "plan.approve"]) == 1
    assert "refused:four_eyes" in set(mine["outcome"])
    assert audit.verify(sample).rows >= len(events)


@pytest.mark.parametrize("language", ["en", "ar"])
def test_every_screen_is_accessible_in_both_languages_and_on_a_phone(
    sample, base, best, page, sign_in, language
):
    sign_in(page, base, "operator", password(sample, "operator"))
    accounts.set_language(sample, "operator", language)
    chosen = {"decision_desk": f"plan={best.plan_id}", "work_board": f"plan={best.plan_id}"}
    orders = queries.get_work_orders(sample)
    if orders:
        chosen["work_board"] = f"order={orders[0].work_order_id}"
    places = [(name, chosen.get(name, "")) for name in SCREENS[1:]]
    places.append(("work_board", f"plan={best.plan_id}&view=sheet"))
    for at, (name, choice) in enumerate(places):
        page.set_viewport_size({"width": 1280, "height": 800})
        go(page, base, name, choice)
        page.wait_for_timeout(1500)
        assert page.locator(".fault:has-text('fault')").count() == 0
        assert serious(page) == [], name
        shot(page, sample, f"{name}_{at}_{language}")
        page.set_viewport_size({"width": 390, "height": 844})
        page.wait_for_timeout(300)
        assert page.evaluate("document.documentElement.scrollWidth") <= 390, name
        shot(page, sample, f"{name}_{at}_{language}_390")
        if language == "ar" and name != "audit_trail":
            assert page.locator("main [lang=en]").all_inner_texts() == []
            assert foreign_words(page, SHEET_PLACES) == ""
    accounts.set_language(sample, "operator", "en")
    assert page.complaints == []


def test_an_arabic_sheet_prints_on_a4_with_every_step(sample, base, best, page, sign_in):
    sign_in(page, base, "operator", password(sample, "operator"))
    accounts.set_language(sample, "operator", "ar")
    go(page, base, "work_board", f"plan={best.plan_id}&view=sheet")
    page.locator("[data-region=path] svg").wait_for(timeout=PATIENCE_MS)
    page.emulate_media(media="print")
    shown = page.locator("article.print").inner_text()
    sheet = queries.get_plan(sample, best.plan_id).instruction
    said = [*sheet.checklist, *sheet.abort_triggers, *sheet.notes]
    said += [message for step in (*sheet.steps, *sheet.rollback) for message in (step.text, step.expected)]
    for text in rendered(said, "ar"):
        assert re.sub("[\u2066-\u2069]", "", text) in shown
    printed = page.pdf(prefer_css_page_size=True)
    sizes = re.findall(rb"/MediaBox ?\[0 0 ([\d.]+) ([\d.]+)\]", printed)
    assert printed.startswith(b"%PDF-")
    assert 2 <= len(sizes) <= 8
    assert {(round(float(width)), round(float(height))) for width, height in sizes} == {A4_POINTS}
    (Path(sample.settings.reports_dir) / "screenshots" / "sheet_ar.pdf").write_bytes(printed)
    accounts.set_language(sample, "operator", "en")


def test_what_is_typed_for_one_plan_is_kept_for_it_and_sent_for_no_other(sample, base, page, sign_in):
    first, second = (record.plan_id for record in queries.get_plans(sample, states=[PlanState.DRAFT])[:2])
    sign_in(page, base, "operator", password(sample, "operator"))
    go(page, base, "decision_desk", f"plan={first}")
    page.get_by_label("Reason").fill("that tie is under repair")
    for plan_id, typed in ((second, ""), (first, "that tie is under repair")):
        page.evaluate(f"location.hash = 'plan={plan_id}'")
        page.get_by_role("heading", name=plan_id).wait_for(timeout=PATIENCE_MS)
        assert page.get_by_label("Reason").input_value() == typed
        page.wait_for_timeout(1500)  # the draft is on its way


def test_the_second_operator_is_told_who_decided(sample, base, page, sign_in):
    drafts = queries.get_plans(sample, states=[PlanState.DRAFT])
    plan_id = drafts[-1].plan_id
    sign_in(page, base, "operator2", password(sample, "operator2"))
    go(page, base, "decision_desk", f"plan={plan_id}")
    page.get_by_label("Reason").fill("feeder is on loan")
    decisions.reject(sample, plan_id, by="operator", reason="tie is out of service")
    press(page, "Reject")
    says(page, "by operator")
    assert queries.get_plan(sample, plan_id).record.decided_by == "operator"
