"""What counts as now for decisions: real time, or the hour after the last reading."""

import pandas as pd
from sqlalchemy import Connection

from gridlib.adapters.records import runs
from gridlib.facts.errors import InputError
from gridlib.workbench import Workbench


def next_interval(workbench: Workbench, connection: Connection) -> pd.Timestamp:
    """Start of the interval after the last reading, UTC.

    Raises
    ------
    InputError
        Nothing has been ingested.
    """
    last = runs.last_reading(connection)
    if last is None:
        raise InputError("no load readings yet", what_to_do="Ingest some: 'gridlib ingest PATH'.")
    return last + pd.Timedelta(minutes=workbench.settings.forecast.step_min)


def now(workbench: Workbench, connection: Connection) -> pd.Timestamp:
    """Tell what counts as now for decisions: real time, or the hour after the last reading."""
    if workbench.settings.clock.follow == "wall":
        return workbench.clock()
    return next_interval(workbench, connection)


def get_now(workbench: Workbench) -> pd.Timestamp:
    """Tell what counts as now for decisions; real time before the first reading."""
    with workbench.store.read() as connection:
        last = runs.last_reading(connection)
        return workbench.clock() if last is None else now(workbench, connection)
