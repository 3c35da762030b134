"""The ledger of executed notebooks."""

from collections.abc import Mapping
from typing import Any

import pandas as pd
import sqlalchemy as sa
from sqlalchemy import Connection

from gridlib.adapters import tables as t
from gridlib.adapters.store import utc_text


def save_notebook_run(connection: Connection, row: Mapping[str, Any]) -> None:
    """Add an executed notebook, done or failed."""
    values = {"published_at": "", "message": "", **row, "started_at": utc_text(row["started_at"])}
    connection.execute(t.notebook_run.insert().values(values))


def read_notebook_runs(connection: Connection) -> pd.DataFrame:
    """Read the ledger, oldest first."""
    columns = [c for c in t.notebook_run.c if c.name != "notebook_run_id"]
    query = sa.select(*columns).order_by(t.notebook_run.c.notebook_run_id)
    return pd.DataFrame(connection.execute(query).all(), columns=[c.name for c in columns])
