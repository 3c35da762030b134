"""Answers what a page asks: does the action, then draws the screen. The one error boundary of all screens.

Runs in the process where pandas and matplotlib are loaded once for everybody; a page only ever gets HTML.
"""

import logging
import secrets
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from gridlib.apps.html import Html, escape
from gridlib.apps.screens import frame
from gridlib.apps.screens.audit_trail import AUDIT_TRAIL
from gridlib.apps.screens.control_room import CONTROL_ROOM
from gridlib.apps.screens.decision_desk import DECISION_DESK
from gridlib.apps.screens.refusals import refusal
from gridlib.apps.screens.visit import Done, Fields, Screen, View, Visit, offered
from gridlib.apps.screens.work_board import WORK_BOARD
from gridlib.apps.study.memory import Memory
from gridlib.apps.study.protocol import ScreenQuestion
from gridlib.facts.errors import GridlibError, InputError, NotFoundError, RoleError
from gridlib.workbench import Workbench
from gridlib.workflow import accounts, drafts

log = logging.getLogger(__name__)

SCREENS: Mapping[str, Screen] = {
    screen.name: screen for screen in (CONTROL_ROOM, DECISION_DESK, WORK_BOARD, AUDIT_TRAIL)
}


def answer(workbench: Workbench, memory: Memory | None, asked: ScreenQuestion) -> dict[str, Any]:
    """Do what a page asks and draw its screen.

    Parameters
    ----------
    workbench : Workbench
        The workspace.
    memory : Memory or None
        The newest run; None before the first.
    asked : ScreenQuestion
        What the page asks.

    Returns
    -------
    dict
        ``layout`` and ``regions`` (HTML by place), ``state``, ``language``, ``title``, ``later`` (places to
        ask for once more while they are blank), ``now`` [ms], and of the action ``said`` and ``kind`` (done,
        refused or broken). After an error, what could be drawn and what went wrong: no question is left
        without an answer.
    """
    try:
        screen, visit = _visit(workbench, memory, asked)
    except GridlibError as error:
        return {"kind": "refused", "said": escape(f"{error}. {error.what_to_do}")}
    done, kind = Done(Html()), "done"
    if asked.action:
        done, kind = _guarded(visit, partial(_act, screen, visit, asked.action, asked.fields))
        state = {name: chosen for name, chosen in {**visit.state, **done.state}.items() if chosen}
        visit = replace(visit, user=accounts.get_user(workbench, asked.user), state=state)
    drawn = _draw(screen, visit, later=asked.later) | {name: str(html) for name, html in done.regions.items()}
    return {
        "regions": drawn,
        "layout": frame.shell(visit, screen.name, screen.layout(visit)),
        "state": dict(visit.state),
        "language": visit.language,
        "title": visit.text(f"screen.{screen.name}"),
        "later": [] if asked.later else list(screen.later),
        "said": done.said,
        "now": int(workbench.clock().timestamp() * 1000),
        "kind": kind,
    }


def _visit(workbench: Workbench, memory: Memory | None, asked: ScreenQuestion) -> tuple[Screen, Visit]:
    if asked.screen not in SCREENS:
        raise NotFoundError("screen", asked.screen)
    user = accounts.get_user(workbench, asked.user)
    roles = offered()[asked.screen]
    if roles.isdisjoint(user.roles):
        raise RoleError(user.username, " or ".join(sorted(roles)))
    # No name has a NUL, and not every database can be asked for one.
    state = {name: chosen.replace("\0", "") for name, chosen in asked.state.items()}
    return SCREENS[asked.screen], Visit(workbench, memory, user, state)


def _act(screen: Screen, visit: Visit, action: str, fields: Fields) -> Done:
    actions = {**frame.ACTIONS, **screen.actions}
    if action not in actions:
        raise InputError(f"this screen has no action '{action}'", what_to_do="Reload the page.")
    if any("\0" in typed for typed in fields.values()):
        raise InputError("what was typed holds a NUL, which no record can keep", what_to_do="Type it anew.")
    done = actions[action](visit, fields)
    if done.form:
        drafts.clear_draft(visit.workbench, visit.user.username, done.form)
    return done


def _draw(screen: Screen, visit: Visit, *, later: bool) -> dict[str, str]:
    head: View = partial(frame.head, name=screen.name)
    bar: Mapping[str, View] = {frame.HEAD: head, frame.FRESHNESS: frame.freshness}
    views = screen.later if later else {**bar, **screen.regions}
    drawn = {}
    for region, view in views.items():
        shown, kind = _guarded(visit, partial(_shown, view, visit))
        drawn[region] = shown.said if kind == "done" else f'<p class="fault">{shown.said}</p>'
    return drawn


def _shown(view: View, visit: Visit) -> Done:
    return Done(view(visit))


def _guarded(visit: Visit, step: Callable[[], Done]) -> tuple[Done, str]:
    """Let no error out: what the rules refuse is said, a fault of ours is said and logged."""
    try:
        return step(), "done"
    except GridlibError as error:
        return Done(refusal(visit, error)), "refused"
    except Exception:
        reference = secrets.token_hex(3)
        log.exception("fault %s in a screen", reference)
        return Done(visit.say("screen.fault", reference=reference)), "broken"
