"""Script in every free-text field, shown on every screen in both languages: it is read, never run."""

from dataclasses import replace

import pytest
import sqlalchemy as sa

from gridlib.adapters import tables
from gridlib.adapters.records import plans as plan_records
from gridlib.facts.messages import verbatim
from gridlib.facts.types import PlanState, StepState
from gridlib.workflow import accounts, decisions, drafts, queries, workorders
from gridlib.workflow.pipeline import run_stages
from gridlib.workflow.setup import init_workspace

pytestmark = [pytest.mark.browser, pytest.mark.notebooks]
PATIENCE_MS = 60_000


def script(field):
    """A script that names the field it stands in, breaking out of text and of attributes."""
    return f"{field}\"'><img src=x onerror=\"window.ran='{field}'\"><script>window.ran='{field}'</script>"


def said(field):
    """A sentence of a sheet with a script in it."""
    return verbatim(script(field))


@pytest.fixture(scope="module")
def planted(tmp_path_factory):
    """The sample with a script in everything that people, files and drafters write."""
    workbench, _ = init_workspace(tmp_path_factory.mktemp("planted"), example="sample")
    run_stages(workbench)
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
    first, second, *_ = {
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
        reading=script("reading"),
        remark=script("remark"),
    )
    drafts.save_draft(workbench, "operator", f"refuse:{second}", {"reason": script("draft")})
    decisions.reject(workbench, second, by="operator", reason=script("reason"))
    return workbench, alerts[0], first, second, order


def test_no_script_runs_on_any_screen(planted, serving, page, sign_in):
    workbench, unit, first, second, order = planted
    lines = workbench.first_passwords_path.read_text(encoding="utf-8").splitlines()
    word = dict(line.split() for line in lines)["operator"]
    shown = {
        "alert_note": ("control_room", f"unit={unit}"),
        "reason": ("decision_desk", f"plan={second}&show=ended"),
        "checklist": ("decision_desk", f"plan={first}&show=under_way"),
        "crew": ("work_board", f"order={order}"),
        "reading": ("work_board", f"order={order}"),
        "purpose": ("work_board", f"order={order}&view=sheet"),
        "remark": ("audit_trail", ""),
        "text": ("work_board", f"order={order}&view=sheet"),
    }
    with serving(workbench.settings.home) as (base, _):
        sign_in(page, base, "operator", word)
        for language in ("en", "ar"):
            accounts.set_language(workbench, "operator", language)
            for (screen, chosen), fields in _places(shown).items():
                page.goto("about:blank")
                page.goto(f"{base}/voila/render/{screen}.ipynb#{chosen}")
                page.locator("main h1").wait_for(timeout=PATIENCE_MS)
                page.wait_for_timeout(700)
                for field in fields:
                    assert f"{field}\"'><img" in page.locator("main").text_content().replace("\\", "")
                assert page.evaluate("window.ran ?? ''") == ""
                assert page.locator("main img").count() == 0
    assert page.hosts - {None} == {"127.0.0.1"}


def _places(shown):
    places = {}
    for field, place in shown.items():
        places.setdefault(place, []).append(field)
    return places
