"""Switches around a transformer: their state, who says so, since when; and where telemetry disagrees."""

from collections.abc import Hashable, Mapping
from typing import Any

import pandas as pd

from gridlib.apps.html import MISSING, Html, escape
from gridlib.apps.screens.control_room.fleet import risk_of, section_switches
from gridlib.apps.screens.frame import ltr
from gridlib.apps.screens.visit import Visit
from gridlib.domain.network import closed_switches, current_states, joined_transformers
from gridlib.facts.types import Role, SwitchState
from gridlib.workflow import queries

_NAMED = 3


def alarms(visit: Visit) -> Html:
    """Draw the red banner: where telemetry contradicts what was ordered or confirmed, anywhere."""
    wrong = list(queries.get_mismatches(visit.workbench, language=visit.language).values())
    if not wrong:
        return Html()
    named = "".join(f"<li>{escape(sentence)}</li>" for sentence in wrong[:_NAMED])
    more = (
        f"<li>{visit.say('room.more_mismatches', count=len(wrong) - _NAMED)}</li>" if wrong[_NAMED:] else ""
    )
    return Html(f'<div class="alarm" role="alert">{visit.say("room.mismatch")}<ul>{named}{more}</ul></div>')


def switches(visit: Visit) -> Html:
    """Draw the switches at the chosen transformer and its sections."""
    name = visit.state.get("unit", "")
    if risk_of(visit, name) is None:
        return Html()
    near = section_switches(visit, name)
    if near.empty:
        return Html(f"<h3>{visit.say('room.switches')}</h3><p>{visit.say('room.no_switches')}</p>")
    states = queries.get_switches(visit.workbench, list(near["switch_id"]), language=visit.language)
    heads = ("switch", "kind", "state", "source", "age", "confirm")
    head = "".join(f'<th scope="col">{visit.say(f"room.switch.{word}")}</th>' for word in heads)
    rows = "".join(_row(visit, row) for row in states.to_dict("records"))
    network = visit.known.base.material.network
    others = joined_transformers(network, closed_switches(current_states(network)), name)
    parallel = (
        f'<p class="fault">{visit.say("room.parallel", unit=name, others=", ".join(others))}</p>'
        if others
        else ""
    )
    return Html(
        f"<h3>{visit.say('room.switches')}</h3>{parallel}<p class=quiet>{visit.say('room.switches_note')}</p>"
        f'<div class="wide" tabindex="0" role="region" aria-label="{visit.text("room.switches")}">'
        f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>"
    )


def _row(visit: Visit, row: Mapping[Hashable, Any]) -> str:
    name, state = str(row["switch_id"]), str(row["state"])
    away = "" if state == row["normal_state"] else f" <small>{visit.say('room.not_normal')}</small>"
    health = "" if row["health"] == "OK" else f" <strong>{ltr(row['health'])}</strong>"
    tags = f" <strong>{ltr(row['tags'])}</strong>" if row["tags"] else ""
    age = MISSING if pd.isna(row["age_h"]) else visit.say("room.age", hours=row["age_h"])
    doubt = "" if row["confirmed"] else f" <small>{visit.say('room.unconfirmed')}</small>"
    wrong = f'<div class="fault">{escape(row["mismatch"])}</div>' if row["mismatch"] else ""
    return (
        f'<tr><th scope="row">{ltr(name)}{wrong}</th>'
        f"<td>{visit.word('switch.kind', row['kind'])}</td>"
        f"<td>{visit.word('switch', state)}{away}{health}{tags}</td>"
        f"<td>{visit.word('switch.source', row['source'])}{doubt}</td><td>{age}</td>"
        f"<td>{_confirm(visit, name)}</td></tr>"
    )


def _confirm(visit: Visit, name: str) -> Html:
    if Role.OPERATOR not in visit.user.roles:
        return escape(MISSING)
    buttons = " ".join(
        f'<button name="state" value="{state}">{visit.say(f"switch.{state}")}</button>'
        for state in SwitchState
    )
    return Html(
        f'<details id="confirm-{escape(name)}"><summary>{visit.say("room.confirm")}</summary>'
        f'<form data-action="confirm" id="confirming-{escape(name)}"><p>{visit.say("room.confirm_how")}</p>'
        f'<input type="hidden" name="switch" value="{escape(name)}">{buttons}</form></details>'
    )
