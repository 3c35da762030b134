"""Lists by pages and filters, what is in answers, and the trail."""

import csv
import io
import json
import re
from collections import Counter
from datetime import datetime

import pandas as pd
import pytest
import sqlalchemy as sa

from gridlib.adapters.records import runs
from gridlib.workflow import audit

pytestmark = pytest.mark.notebooks


LISTS = [
    "/api/forecasting/forecasts/",
    "/api/risk/assessments/",
    "/api/risk/alerts/",
    "/api/planning/plans/",
    "/api/network/transformers/",
    "/api/network/switches/",
    "/api/audit/events/",
]


@pytest.mark.parametrize("path", LISTS)
@pytest.mark.parametrize("limit", [1, 3])
def test_pages_together_are_the_whole(api, path, limit):
    whole = [row for page in api.follow(f"{path}?limit=100") for row in page["items"]]
    pages = api.follow(f"{path}?limit={limit}")
    assert [row for page in pages for row in page["items"]] == whole
    assert [len(page["items"]) for page in pages[:-1]] == [limit] * (len(pages) - 1)
    assert len(whole) > 1


def test_findings_are_those_of_a_run_or_of_the_ingested_files(api):
    run_id = api.get("/api/risk/assessments/")["run_id"]
    found = pd.DataFrame(
        {
            "object_id": ["T-01", "T-02", "=1"],
            "code": "stuck",
            "message": "flat",
            "first": pd.NaT,
            "last": pd.NaT,
        }
    ).assign(count=1)
    before = api.get(f"/api/findings/?run_id={run_id}")["items"]
    with api.workbench.store.write() as connection:
        runs.save_findings(connection, run_id, "risk", found)
    pages = api.follow(f"/api/findings/?run_id={run_id}&limit=1")
    rows = [row for page in pages for row in page["items"]]
    assert rows[: len(before)] == before
    assert [row["object_id"] for row in rows[len(before) :]] == ["T-01", "T-02", "=1"]
    assert all(row["source_id"] != run_id for row in api.get("/api/findings/")["items"])


def test_pages_show_no_row_twice_while_rows_are_added(api):
    path, seen = "/api/audit/events/?limit=4", []
    while path and len(seen) < 60:
        page = api.get(path)
        seen += [row["seq"] for row in page["items"]]
        path = page["next"]
        api.ask("POST", "/api/planning/plans/PLAN-1/approve/")
    assert seen == list(range(1, len(seen) + 1))


def test_a_page_stays_with_its_run_when_a_newer_one_comes(api):
    first = api.get("/api/risk/assessments/?limit=4")
    asked = api.do("POST", "/api/runs/", {}, by="analyst", status=202)
    assert api.wait_for(asked["request_id"])["state"] == "done"
    rest = api.follow(first["next"])
    assert {page["run_id"] for page in rest} == {first["run_id"]}
    names = [row["transformer_id"] for page in [first, *rest] for row in page["items"]]
    assert len(names) == len(set(names)) == 10
    assert api.get("/api/risk/assessments/")["run_id"] != first["run_id"]


def test_lists_are_filtered(api, problem):
    levels = Counter(row["risk_level"] for row in api.get("/api/risk/assessments/")["items"])
    high = api.get("/api/risk/assessments/?level=HIGH")["items"]
    assert [row["transformer_id"] for row in high] == ["T-07", "T-04"]
    both = api.get("/api/risk/assessments/?level=HIGH&level=MEDIUM")["items"]
    assert len(both) == levels["HIGH"] + levels["MEDIUM"]
    assert len(api.get("/api/risk/assessments/?transformer_id=T-03")["items"]) == 1
    assert api.get("/api/planning/plans/?state=APPROVED")["items"] == []
    plans = api.get("/api/planning/plans/?state=DRAFT&transformer_id=T-07")["items"]
    assert {plan["transformer_id"] for plan in plans} == {"T-07"}
    made = datetime.fromisoformat(plans[0]["created_at"])
    for name, moment, found in (("from", made, True), ("to", made, False)):
        shown = api.ask("GET", "/api/planning/plans/", params={f"time_{name}": moment.isoformat()}).json()
        assert (plans[0] in shown["items"]) is found
    hours = api.get(
        "/api/forecasting/forecasts/?transformer_id=T-07&time_from=2026-08-11T00:00:00Z&time_to=2026-08-11T06:00:00Z"
    )["items"][0]["hours"]
    assert [hour["time"] for hour in hours] == [f"2026-08-11T0{hour}:00:00Z" for hour in range(6)]
    events = api.get("/api/audit/events/?action=run.start")["items"]
    assert {event["action"] for event in events} == {"run.start"}
    old = api.ask("GET", "/api/risk/assessments/?as_of=2020-01-01T00:00:00Z")
    problem(old, 404, "not_found")


def test_times_are_utc_and_numbers_are_finite(api):
    stamp = re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+(Z|[+-]\d\d:\d\d)?")

    def walk(value):
        if isinstance(value, dict):
            for inner in value.values():
                yield from walk(inner)
        elif isinstance(value, list):
            for inner in value:
                yield from walk(inner)
        else:
            yield value

    plan = api.get("/api/planning/plans/")["items"][0]["plan_id"]
    for path in [*LISTS, "/api/findings/", "/api/status/", f"/api/planning/plans/{plan}/"]:
        if path == "/api/audit/events/":
            continue  # its facts are shown as they were hashed
        answer = api.ask("GET", path)
        values = list(walk(json.loads(answer.text, parse_constant=lambda word: pytest.fail(word))))
        moments = [match for value in values if isinstance(value, str) and (match := stamp.fullmatch(value))]
        assert all(match[1] == "Z" for match in moments)


def test_answers_are_kept_nowhere_and_readable_from_no_other_page(api):
    answer = api.ask("GET", "/api/status/", headers={"Origin": "https://evil.example"})
    assert answer.headers["Cache-Control"] == "no-store"
    assert "Access-Control-Allow-Origin" not in answer.headers
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_an_export_holds_the_trail_and_no_formula(api):
    for start in ("=", "+", "-", "@"):
        api.ask("POST", f"/api/planning/plans/{start}1+cmd/approve/")
    exported = api.ask("GET", "/api/audit/export/")
    assert exported.headers["Content-Type"] == "text/csv"
    assert "attachment" in exported.headers["Content-Disposition"]
    rows = list(csv.DictReader(io.StringIO(exported.text)))
    assert [row["object"] for row in rows[-4:]] == ["'=1+cmd", "'+1+cmd", "'-1+cmd", "'@1+cmd"]
    written = audit.last_events(api.workbench, 1).iloc[0]
    assert (written["action"], written["actor"]) == ("audit.export", "operator")
    assert written["seq"] == len(rows) + 1
    cells = [cell for row in rows for cell in row.values()]
    assert not [cell for cell in cells if cell[:1] in ("=", "+", "-", "@", "\t", "\r")]
    exact = api.ask("GET", "/api/audit/export/?format=jsonl")
    lines = [json.loads(line) for line in exact.text.splitlines()]
    assert [line["seq"] for line in lines] == list(range(1, len(lines) + 1))
    assert lines[len(rows) - 1]["object"] == "@1+cmd"


def test_a_broken_trail_is_told(api):
    with api.workbench.store.write() as connection:
        connection.execute(sa.text("DROP TRIGGER audit_event_no_update"))
        connection.execute(sa.text("UPDATE audit_event SET actor = 'mallory' WHERE seq = 3"))
    verdict = api.get("/api/audit/verify/")
    assert (verdict["holds"], verdict["rows"]) == (False, 2)
    assert "row 3" in verdict["message"]
