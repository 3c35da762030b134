"""The audit trail: who did what and when; search, verify, export."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from gridlib.apps.html import Html, escape
from gridlib.apps.screens.frame import ltr, place
from gridlib.apps.screens.visit import Done, Fields, Screen, Visit
from gridlib.facts.errors import AuditError, InputError
from gridlib.workflow import audit, listings

_PAGE = 50
_OUTCOMES = ("done", "stale", "refused")
_TEXTS = ("actor", "action", "object", "text")


def _layout(_: Visit) -> Html:
    return Html(f"{place('trail_tools')}{place('verdict')}{place('search')}{place('events')}")


def tools(visit: Visit) -> Html:
    """Draw the buttons: verify, and the export as a file of the server."""
    links = "".join(
        f'<a class="button" id="export-{ending}" download href="../../api/audit/export/?format={ending}">'
        f"{visit.say(f'trail.export.{ending}')}</a> "
        for ending in ("csv", "jsonl")
    )
    return Html(
        f'<div class="row"><form data-action="verify" id="verify"><button class="go">'
        f"{visit.say('trail.verify')}</button></form>{links}</div>"
    )


def search(visit: Visit) -> Html:
    """Draw the search: who, what, on what, how it ended, when, any text."""
    state = visit.state
    texts = "".join(
        f'<label>{visit.say(f"trail.{name}")} <input id="{name}" name="{name}" type="search" '
        f'value="{escape(state.get(name, ""))}" autocomplete="off"></label>'
        for name in _TEXTS
    )
    outcomes = f'<option value="">{visit.say("room.all")}</option>' + "".join(
        f'<option value="{name}"{" selected" if state.get("outcome") == name else ""}>'
        f"{visit.say(f'trail.outcome.{name}')}</option>"
        for name in _OUTCOMES
    )
    times = "".join(
        f'<label>{visit.say(f"trail.{name}")} <input id="{name}" name="{name}" type="datetime-local" '
        f'value="{escape(state.get(name, ""))}"></label>'
        for name in ("since", "until")
    )
    return Html(
        f'<form class="row" data-state id="filters" role="search">{texts}'
        f'<label>{visit.say("trail.outcome")} <select id="outcome" name="outcome">{outcomes}</select></label>'
        f'{times}<input type="hidden" name="before" value="">'
        f"<button>{visit.say('trail.search')}</button></form>"
    )


def events(visit: Visit) -> Html:
    """Draw a page of what was found, newest first."""
    actor, action, subject, text = (visit.state.get(name, "").strip() for name in _TEXTS)
    before = visit.state.get("before", "")
    found = listings.list_events(
        visit.workbench,
        actor=actor,
        action=action,
        object=subject,
        text=text,
        outcome=visit.state.get("outcome", "") if visit.state.get("outcome") in _OUTCOMES else "",
        since=_moment(visit, "since"),
        until=_moment(visit, "until"),
        before=int(before) if before.isdecimal() and len(before) < 10 else 0,
        limit=_PAGE + 1,
    )
    if not found:
        return Html(f"<p>{visit.say('trail.nothing')}</p>")
    rows = "".join(_row(visit, event) for event in found[:_PAGE])
    names = ("seq", "time", "actor", "action", "object", "outcome", "payload")
    head = "".join(f'<th scope="col">{visit.say(f"trail.{name}")}</th>' for name in names)
    more = ""
    if len(found) > _PAGE:
        older = visit.address(before=str(found[_PAGE - 1]["seq"]))
        more = f'<a class="button" id="older" href="{older}">{visit.say("trail.older")}</a>'
    newest = (
        f'<a class="button" id="newest" href="{visit.address(before="")}">{visit.say("trail.newest")}</a> '
        if before
        else ""
    )
    return Html(
        f'<div class="wide" tabindex="0" role="region" aria-label="{visit.text("screen.audit_trail")}">'
        f'<table class="trail"><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>'
        f"<p>{newest}{more}</p>"
    )


def verify(visit: Visit, _: Fields) -> Done:
    """Check every row and every signed checkpoint, and say the first that is broken."""
    try:
        found = audit.verify(visit.workbench)
    except AuditError as error:
        said = visit.say("trail.broken", row=error.seq)
        detail = f'<span lang="en" dir="ltr">{escape(error)}. {escape(error.what_to_do)}</span>'
        return Done(
            said, regions={"verdict": Html(f'<p class="alarm" role="alert" id="verdict">{said} {detail}</p>')}
        )
    said = visit.say("trail.holds", rows=found.rows, checkpoints=found.checkpoints)
    return Done(said, regions={"verdict": Html(f'<p class="good" id="verdict">{said}</p>')})


def _row(visit: Visit, event: Mapping[str, Any]) -> str:
    outcome = str(event["outcome"])
    loud = "" if outcome == "done" else ' class="over"'
    payload = json.dumps(event["payload"], ensure_ascii=False, default=str)
    local = visit.local(event["time"])
    return (
        f'<tr><td class="number">{ltr(event["seq"])}</td><td>{ltr(f"{local:%Y-%m-%d %H:%M:%S}")}</td>'
        f"<td><bdi>{escape(event['actor'])}</bdi></td><td>{ltr(event['action'])}</td>"
        f"<td><bdi>{escape(event['object'])}</bdi></td><td{loud}>{ltr(outcome)}</td>"
        f'<td class="payload" lang="en" dir="auto">{escape(payload)}</td></tr>'
    )


def _moment(visit: Visit, name: str) -> datetime | None:
    text = visit.state.get(name, "")
    if not text:
        return None
    try:
        return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(visit.workbench.settings.site.tz))
    except ValueError as error:
        raise InputError(
            f"'{text}' is no date and hour", what_to_do="Write it as 2026-08-12T15:00."
        ) from error


AUDIT_TRAIL = Screen(
    "audit_trail",
    _layout,
    regions={"trail_tools": tools, "search": search, "events": events},
    later={},
    actions={"verify": verify},
)
