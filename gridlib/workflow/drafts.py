"""What a person has typed on a screen and not sent; no action, and so without an audit row."""

import json
from collections.abc import Mapping
from typing import Any

from gridlib.adapters.records import people, screen_drafts
from gridlib.facts.errors import InputError
from gridlib.workbench import Workbench

MOST_BYTES = 16 * 1024
"""Largest draft of one form, as JSON [B]."""

MOST_FORMS = 50
"""Drafts kept for one person; the oldest go."""

_NAME_LENGTH = 80


def save_draft(workbench: Workbench, username: str, form: str, values: Mapping[str, Any]) -> None:
    """Keep what a person has typed into a form, in place of what was kept before.

    Parameters
    ----------
    workbench : Workbench
        The workspace.
    username : str
        An active user.
    form : str
        The form, for example "decision_desk:PLAN-2026-0001".
    values : mapping
        What stands in its fields; anything JSON can hold, at most `MOST_BYTES` in all.

    Raises
    ------
    InputError
        It is too large or no JSON, or the form has no usable name.
    NotFoundError
        No such user.
    """
    if not 0 < len(form) <= _NAME_LENGTH:
        raise InputError(f"a form's name has {len(form)} characters", what_to_do=f"Use 1 to {_NAME_LENGTH}.")
    try:
        size = len(json.dumps(dict(values), allow_nan=False).encode())
    except (TypeError, ValueError) as error:
        raise InputError(f"the draft of {form} cannot be kept: {error}") from error
    if size > MOST_BYTES:
        raise InputError(
            f"the draft of {form} has {size:,} bytes, at most {MOST_BYTES:,} are kept",
            what_to_do="Shorten the text.",
        )
    with workbench.store.write() as connection:
        people.read_user(connection, username)
        screen_drafts.save_screen_draft(connection, username, form, values, at=workbench.clock())
        spare = screen_drafts.draft_forms(connection, username)[MOST_FORMS:]
        screen_drafts.remove_screen_drafts(connection, username, spare)


def get_draft(workbench: Workbench, username: str, form: str) -> dict[str, Any]:
    """Read what a person has typed into a form; empty where nothing is kept."""
    with workbench.store.read() as connection:
        return screen_drafts.read_screen_draft(connection, username, form)


def clear_draft(workbench: Workbench, username: str, form: str) -> None:
    """Forget what a person has typed into a form, once it is sent or given up."""
    with workbench.store.write() as connection:
        screen_drafts.remove_screen_drafts(connection, username, [form])
