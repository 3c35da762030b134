"""What an operator does in the control room; the workflow checks person, role and version."""

from datetime import timedelta

from gridlib.apps.screens.forms import whole
from gridlib.apps.screens.visit import Done, Fields, Visit
from gridlib.facts.errors import InputError
from gridlib.facts.messages import Message
from gridlib.facts.types import SwitchState
from gridlib.workflow import decisions, switches


def acknowledge(visit: Visit, fields: Fields) -> Done:
    """Write down that the alert was seen."""
    name = fields.get("unit", "")
    decisions.acknowledge(
        visit.workbench, name, by=visit.user.username, note=fields.get("note", ""), rev=whole(fields, "rev")
    )
    said = visit.say("room.said.acknowledged", unit=name, by=visit.user.username)
    return Done(said, form=f"acknowledge:{name}")


def shelve(visit: Visit, fields: Fields) -> Done:
    """Set the alert aside for some hours."""
    name = fields.get("unit", "")
    until = visit.workbench.clock() + timedelta(hours=whole(fields, "hours"))
    decisions.shelve(
        visit.workbench,
        name,
        by=visit.user.username,
        reason=fields.get("reason", ""),
        until=until,
        rev=whole(fields, "rev"),
    )
    said = visit.say("room.said.shelved", unit=name, until=visit.local(until))
    return Done(said, form=f"shelve:{name}")


def unshelve(visit: Visit, fields: Fields) -> Done:
    """Let the alert call again."""
    name = fields.get("unit", "")
    decisions.unshelve(visit.workbench, name, by=visit.user.username, rev=whole(fields, "rev"))
    return Done(visit.say("room.said.unshelved", unit=name))


def confirm(visit: Visit, fields: Fields) -> Done:
    """Write down the position of a switch as it is operated."""
    name, word = fields.get("switch", ""), fields.get("state", "")
    if word not in tuple(SwitchState):
        raise InputError(f"'{word}' is no position", what_to_do="Say OPEN or CLOSED.")
    state = SwitchState(word)
    switches.confirm_switch(visit.workbench, name, by=visit.user.username, state=state)
    return Done(visit.say("room.said.confirmed", switch=name, state=Message(f"switch.{state}", {})))
