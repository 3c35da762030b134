"""Script in every free-text field, shown on every screen in both languages: it is read, never run."""

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from gridlib.adapters import tables
from gridlib.adapters.notebooks import share_dir
from gridlib.adapters.records import plans as plan_records
from gridlib.facts.messages import verbatim
from gridlib.facts.types import PlanState, StepState
from gridlib.workflow import accounts, decisions, drafts, queries, workorders
from gridlib.workflow.ingest import ingest_file

pytestmark = [pytest.mark.browser, pytest.mark.notebooks]
PATIENCE_MS = 60_000
WEATHER = share_dir() / "data" / "sample" / "weather.csv"


def script(field):
    """A script that names the field it stands in, breaking out of text and of attributes."""
    return f"{field}\"'><img src=x onerror=\"window.ran='{field}'\"><script>window.ran='{field}'</script>"


def said(field):
    """A sentence of a sheet with a script in it."""
    return verbatim(script(field))


@pytest.fixture(scope="module")
def planted(sample_copy):
    """The sample with a script in everything that people, files and drafters write."""
    workbench = sample_copy()
    with workbench.store.write() as connection:
        rows = tables.network_row
        for row in connection.execute(sa.select(rows).where(rows.c.table_name == "substations")).all():
            named = {**row.row, "name": script("name"), "name_ar": script("name_ar")}
            own = (rows.c.table_name == "substations") & (rows.c.object_id == row.object_id)
            connection.execute(sa.update(rows).where(own).values(row=named))
        for record in plan_records.read_plans(connection, states=[PlanState.DRAFT]):
            sheet = plan_records.read_instruction(connection, record.plan_id)
            assert sheet is not None
            steps = tuple(
                replace(step, text=said("text"), expected=said("expected"), if_it_fails=said("fails"))
                for step in sheet.steps
            )
            told = replace(
                sheet,
                title=said("title"),
                purpose=said("purpose"),
                steps=steps,
                checklist=(said("checklist"),),
                abort_triggers=(said("trigger"),),
                notes=(said("note"),),
                positions=(said("position"),),
                drafted_by=script("drafter"),
            )
            plan_records.save_instruction(connection, record.run_id, told)
    alerts = [alert.transformer_id for alert in queries.get_alerts(workbench)]
    decisions.acknowledge(workbench, alerts[0], by="operator", note=script("alert_note"))
    soon = datetime.now(UTC) + timedelta(hours=2)
    decisions.shelve(workbench, alerts[1], by="operator", reason=script("shelved"), until=soon)
    first, second, third, *_ = {
        record.plan.transformer_id: record.plan_id
        for record in reversed(queries.get_plans(workbench, states=[PlanState.DRAFT]))
    }.values()
    decisions.approve(workbench, first, by="operator")
    order = workorders.issue(workbench, first, by="operator2", crew=script("crew")).work_order_id
    workorders.start(workbench, order, by="operator2")
    workorders.instruct_step(workbench, order, 1, by="operator2", to=script("to"))
    workorders.record_step(
        workbench,
        order,
        1,
        StepState.COMPLETED,
        by="operator2",
        reading=f"100 A {script('reading')}",
        remark=script("remark"),
    )
    drafts.save_draft(workbench, "operator", f"acknowledge:{alerts[2]}", {"note": script("kept")})
    decisions.reject(workbench, second, by="operator", reason=script("reason"))
    known = workbench.settings.home / f"{script('file').partition('<script')[0]}.csv"
    known.write_text("\n".join(WEATHER.read_text(encoding="utf-8").splitlines()[:2]), encoding="utf-8")
    ingest_file(workbench, known)
    return workbench, alerts, (first, second, third), order


def test_no_script_runs_on_any_screen(planted, serving, page, sign_in):
    workbench, alerts, (first, second, third), order = planted
    lines = workbench.first_passwords_path.read_text(encoding="utf-8").splitlines()
    word = dict(line.split() for line in lines)["operator"]
    shown = {
        ("control_room", f"unit={alerts[0]}"): ["alert_note"],
        ("control_room", f"unit={alerts[1]}"): ["shelved"],
        ("control_room", f"unit={alerts[2]}"): [],
        ("decision_desk", f"plan={second}&show=ended"): ["reason"],
        ("decision_desk", f"plan={first}&show=under_way"): ["checklist"],
        ("work_board", f"order={order}"): ["crew", "reading"],
        ("work_board", f"order={order}&view=sheet"): ["purpose", "text", "drafter"],
        ("audit_trail", ""): ["remark", "file"],
    }
    with serving(workbench.settings.home) as (base, _):
        sign_in(page, base, "operator", word)
        for language in ("en", "ar"):
            accounts.set_language(workbench, "operator", language)
            opened = ""
            for (screen, chosen), fields in shown.items():
                if screen != opened:
                    page.goto(f"{base}/voila/render/{screen}.ipynb#{chosen}")
                    page.locator("main h1").wait_for(timeout=PATIENCE_MS)
                    opened = screen
                page.evaluate("chosen => { location.hash = chosen }", chosen)
                for field in fields:
                    read = re.compile(field + r"""\\?"'><img""")
                    page.locator("main").filter(has_text=read).wait_for(timeout=PATIENCE_MS)
                if not fields:
                    page.locator("#note").wait_for(timeout=PATIENCE_MS)
                    assert page.locator("#note").input_value() == script("kept")
                assert page.locator("main img").count() == 0
                assert page.evaluate("window.ran ?? ''") == ""
        page.goto(f"{base}/voila/render/decision_desk.ipynb#plan={third}")
        page.locator("#reason").fill(script("typed"))
        page.wait_for_timeout(2500)
        page.reload()
        page.locator("#reason").wait_for(timeout=PATIENCE_MS)
        assert page.locator("#reason").input_value() == script("typed")
        assert page.evaluate("window.ran ?? ''") == ""
    assert page.hosts - {None} == {"127.0.0.1"}
