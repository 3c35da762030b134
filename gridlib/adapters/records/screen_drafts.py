"""What people have typed on a screen and not sent."""

from collections.abc import Mapping
from typing import Any

import pandas as pd
import sqlalchemy as sa
from sqlalchemy import Connection

from gridlib.adapters import tables as t
from gridlib.adapters.store import utc_text


def save_screen_draft(
    connection: Connection, username: str, form: str, entries: Mapping[str, Any], *, at: pd.Timestamp
) -> None:
    """Keep what was typed into a form, in place of what was kept before."""
    remove_screen_drafts(connection, username, [form])
    row = {"username": username, "form": form, "entries": dict(entries), "saved_at": utc_text(at)}
    connection.execute(t.screen_draft.insert().values(row))


def read_screen_draft(connection: Connection, username: str, form: str) -> dict[str, Any]:
    """Read what was typed into a form; empty where nothing is kept."""
    drafts = t.screen_draft
    query = sa.select(drafts.c.entries).where(drafts.c.username == username, drafts.c.form == form)
    return dict(connection.scalar(query) or {})


def draft_forms(connection: Connection, username: str) -> list[str]:
    """Name the forms of a person of which something is kept, the newest first."""
    drafts = t.screen_draft
    query = sa.select(drafts.c.form).where(drafts.c.username == username)
    return list(connection.scalars(query.order_by(drafts.c.saved_at.desc(), drafts.c.form)))


def remove_screen_drafts(connection: Connection, username: str, forms: list[str]) -> None:
    """Forget what was typed into some forms."""
    drafts = t.screen_draft
    connection.execute(drafts.delete().where(drafts.c.username == username, drafts.c.form.in_(forms)))
