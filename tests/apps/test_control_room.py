"""The control room in a real browser: by mouse, by keyboard, in two languages, and when something dies."""

import os
import shutil
import signal
import time
from contextlib import suppress
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe

from gridlib.adapters.notebooks import share_dir
from gridlib.workflow import accounts, audit, decisions

pytestmark = [pytest.mark.browser, pytest.mark.notebooks]
PATIENCE_MS = 60_000
SCRIPT = "<img src=x onerror=\"document.title='taken over'\">"


@pytest.fixture(scope="module")
def sample(sample_copy):
    return sample_copy()


@pytest.fixture(scope="module")
def server(sample, serving):
    with serving(sample.settings.home) as (base, process):
        yield base, process


@pytest.fixture
def enter(sample, server, page, sign_in):
    """Sign in and open the control room."""
    base, _ = server
    passwords = passwords_of(sample)

    def entered(username="operator", chosen="", language="en"):
        sign_in(page, base, username, passwords[username])
        accounts.set_language(sample, username, language)
        page.goto(f"{base}/voila/render/control_room.ipynb#{chosen}")
        page.locator("[data-region=ranking] table").wait_for(timeout=PATIENCE_MS)
        return page

    return entered


def passwords_of(workbench):
    lines = workbench.first_passwords_path.read_text(encoding="utf-8").splitlines()
    return dict(line.split() for line in lines)


def says(page, text):
    page.get_by_role("status").filter(has_text=text).wait_for(timeout=PATIENCE_MS)


def serious(page):
    found = Axe().run(page).response
    assert len(found["passes"]) > 15
    return [
        (v["id"], v["nodes"][0]["html"])
        for v in found["violations"]
        if v["impact"] in ("serious", "critical")
    ]


def shot(page, sample, name):
    folder = sample.settings.reports_dir / "screenshots"
    folder.mkdir(exist_ok=True)
    page.screenshot(path=str(folder / f"{name}.png"), full_page=True)


def children_of(server):
    """Command lines of the processes of a server, by process."""
    _, process = server
    found = {}
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            parent = int((folder / "stat").read_text().rsplit(")", 1)[1].split()[1])
            if parent == process.pid:
                found[int(folder.name)] = (folder / "cmdline").read_text()
    return found


def test_a_high_alert_is_found_opened_and_acknowledged_once(sample, enter):
    page = enter()
    assert "operator" in page.locator(".who").inner_text()
    assert "Asia/Amman" in page.locator(".clock").inner_text()
    assert "Sample data" in page.locator(".notice").inner_text()
    page.locator("#tile-HIGH").click()
    page.locator("#level option[value=HIGH]:checked").wait_for(state="attached", timeout=PATIENCE_MS)
    page.locator("#unit-39-378").click()
    page.get_by_role("heading", name="39-378").wait_for(timeout=PATIENCE_MS)
    page.get_by_role("img").nth(1).wait_for(timeout=PATIENCE_MS)
    assert all(image.get_attribute("aria-label") for image in page.get_by_role("img").all())
    page.get_by_label("Note").fill(SCRIPT)
    page.get_by_role("button", name="Acknowledge").dblclick()
    says(page, "39-378 acknowledged by operator")
    page.locator("#history summary").click()
    assert SCRIPT in page.locator("#history").inner_text()
    assert page.title() != "taken over"
    events = audit.last_events(sample, 50)
    mine = events[(events["action"] == "risk.acknowledge") & (events["object"] == "39-378")]
    assert mine[["actor", "outcome"]].to_numpy().tolist() == [["operator", "done"]]
    assert page.hosts - {None} == {"127.0.0.1"}  # data and blobs of the page have no host
    assert page.complaints == []


def test_everything_is_reached_by_keyboard(enter):
    page = enter()
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the content"
    page.keyboard.press("Enter")
    reached = []
    while "unit-" not in (reached or [""])[-1]:
        page.keyboard.press("Tab")
        reached.append(page.evaluate("document.activeElement.id"))
        outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
        assert outline != "none", reached
        assert len(reached) < 30
    assert {"tile-IMMINENT", "search", "substation", "level"} <= set(reached)
    page.keyboard.press("ArrowDown")
    chosen = page.evaluate("document.activeElement.id").removeprefix("unit-")
    page.keyboard.press("Enter")
    page.get_by_role("heading", name=chosen).wait_for(timeout=PATIENCE_MS)
    page.locator("#shelving summary").focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    page.keyboard.type("seen at the station")
    page.keyboard.press("Tab")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    says(page, "shelved until")


def test_what_is_being_written_outlives_a_refresh_and_a_reload(enter):
    page = enter(chosen="unit=34-257")
    note = page.locator("#note")
    note.fill("crew at the gate")
    note.evaluate("field => field.setSelectionRange(4, 4)")
    for _ in range(2):
        page.evaluate("window.dispatchEvent(new Event('hashchange'))")
        page.wait_for_timeout(1000)
    assert page.evaluate("[document.activeElement.id, document.activeElement.selectionStart]") == ["note", 4]
    assert note.input_value() == "crew at the gate"
    page.wait_for_timeout(1500)
    page.reload()
    note.wait_for(timeout=PATIENCE_MS)
    assert note.input_value() == "crew at the gate"


def test_the_second_operator_is_told_who_was_first(sample, enter):
    page = enter("operator2", chosen="unit=34-260")
    page.locator("#note").wait_for(timeout=PATIENCE_MS)
    decisions.acknowledge(sample, "34-260", by="operator")
    page.get_by_role("button", name="Acknowledge").click()
    says(page, "by operator on")
    assert "acknowledged by operator" in page.locator("[data-region=unit]").inner_text()


def test_a_study_is_marked_as_one(sample, enter):
    page = enter("analyst", chosen="unit=34-254")
    before = audit.last_events(sample, 1)["seq"].iloc[0]
    page.get_by_label("Air, more or less, K").fill("٥")
    page.get_by_role("button", name="Study").click()
    page.locator(".study .mark").wait_for(timeout=PATIENCE_MS)
    assert "+5 K" in page.locator(".study").inner_text()
    assert audit.last_events(sample, 1)["seq"].iloc[0] == before
    shot(page, sample, "control_room_study")


@pytest.mark.parametrize("language", ["en", "ar"])
def test_it_is_accessible_in_both_languages_and_on_a_phone(sample, enter, language):
    page = enter(chosen="unit=34-260", language=language)
    page.get_by_role("img").nth(1).wait_for(timeout=PATIENCE_MS)
    direction = page.evaluate("[document.documentElement.lang, getComputedStyle(document.body).direction]")
    assert direction == [language, "rtl" if language == "ar" else "ltr"]
    assert serious(page) == []
    shot(page, sample, f"control_room_{language}")
    page.set_viewport_size({"width": 390, "height": 844})
    page.wait_for_timeout(300)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert serious(page) == []
    shot(page, sample, f"control_room_{language}_390")
    accounts.set_language(sample, "operator", "en")
    row = page.locator("#unit-34-260")
    assert row.evaluate("element => parseFloat(getComputedStyle(element).fontSize)") >= 16
    badge = page.locator(".tile .badge").first
    assert badge.evaluate("element => parseFloat(getComputedStyle(element).fontSize)") >= 16


def test_the_language_is_switched_on_the_page(enter, sample):
    page = enter("operator2")
    page.get_by_role("button", name="العربية").click()
    page.get_by_role("heading", name="غرفة التحكم").wait_for(timeout=PATIENCE_MS)
    page.get_by_role("button", name="English").click()
    page.get_by_role("heading", name="Control room").wait_for(timeout=PATIENCE_MS)
    assert accounts.get_user(sample, "operator2").language == "en"


def test_a_dead_kernel_makes_the_page_inert_within_ten_seconds(enter, server):
    before = set(children_of(server))
    page = enter("manager")
    (kernel,) = [
        pid for pid, words in children_of(server).items() if pid not in before and "ipykernel" in words
    ]
    banner = page.get_by_role("alert").filter(has_text="This screen has ended")
    assert not banner.is_visible()
    died = time.monotonic()
    os.kill(kernel, signal.SIGKILL)
    banner.wait_for(timeout=10_000)
    assert time.monotonic() - died < 10
    assert page.evaluate("document.querySelector('.gridlib').closest('[inert]') !== null")


def test_a_page_goes_on_when_the_process_that_draws_it_is_started_again(enter, server):
    page = enter("manager")
    (drawing,) = [pid for pid, words in children_of(server).items() if "study.worker" in words]
    os.kill(drawing, signal.SIGKILL)
    page.locator("#unit-34-252").click()
    page.get_by_role("heading", name="34-252").wait_for(timeout=PATIENCE_MS)


def test_on_old_data_nothing_can_be_pressed_that_needs_fresh_ones(sample, serving, page, sign_in, tmp_path):
    home = tmp_path / "late"
    shutil.copytree(sample.settings.home, home)
    settings = home / "gridlib.toml"
    settings.write_text(settings.read_text().replace('follow = "data"', 'follow = "wall"'))
    with serving(home) as (base, _):
        sign_in(page, base, "operator2", passwords_of(sample)["operator2"])
        page.goto(f"{base}/voila/render/control_room.ipynb#unit=34-252")
        page.get_by_role("alert").filter(has_text="STALE DATA").wait_for(timeout=PATIENCE_MS)
        page.locator("#studying").wait_for(timeout=PATIENCE_MS)
        assert page.locator("#studying").evaluate("form => form.inert")
        assert not page.locator("#filters").evaluate("form => form.inert")
        page.goto("about:blank")


def test_its_notebook_has_four_cells():
    import nbformat

    cells = nbformat.read(share_dir() / "notebooks" / "apps" / "control_room.ipynb", as_version=4).cells
    assert [cell.cell_type for cell in cells] == ["markdown", "code", "code", "code"]
