"""The network as ingested, and the reported states of its switches."""

import json
from collections.abc import Sequence
from hashlib import sha256
from sys import intern
from typing import Any

import pandas as pd
import sqlalchemy as sa
from sqlalchemy import Connection

from gridlib.adapters import tables as t
from gridlib.adapters.records.pages import after_key
from gridlib.adapters.store import parse_utc, utc_text
from gridlib.facts.frames import NETWORK_TABLES
from gridlib.facts.types import Network

_STATE_COLUMNS = ["switch_id", "time", "state", "health", "tags", "source"]


def replace_network_table(connection: Connection, table: str, frame: pd.DataFrame) -> None:
    """Replace one network table by a new edition of it."""
    connection.execute(t.network_row.delete().where(t.network_row.c.table_name == table))
    rows = _as_rows(frame)
    if rows:
        connection.execute(
            t.network_row.insert(),
            [{"table_name": table, "object_id": key, "row": row} for key, row in rows.items()],
        )


def holds_table(connection: Connection, table: str, frame: pd.DataFrame) -> bool:
    """Tell whether the stored edition of a network table is this very one."""
    query = sa.select(t.network_row.c.object_id, t.network_row.c.row).where(
        t.network_row.c.table_name == table
    )
    return {r.object_id: r.row for r in connection.execute(query)} == _as_rows(frame)


def _as_rows(frame: pd.DataFrame) -> dict[str, dict[str, Any]]:
    rows = json.loads(frame.to_json(orient="records", date_format="iso", double_precision=15))
    return {str(row[frame.columns[0]]): row for row in rows}


def add_switch_states(connection: Connection, frame: pd.DataFrame, recorded_by: str) -> None:
    """Append reported switch states; earlier rows stay."""
    rows: list[dict[str, Any]] = [
        {**{str(k): v for k, v in row.items()}, "time": utc_text(row["time"]), "recorded_by": recorded_by}
        for row in frame[_STATE_COLUMNS].to_dict("records")
    ]
    if rows:
        connection.execute(t.switch_state.insert(), rows)


def record_switch_state(
    connection: Connection,
    switch_id: str,
    state: str,
    at: pd.Timestamp,
    recorded_by: str,
    *,
    faulty: bool = False,
) -> None:
    """Append a position that a person reported, as the newest of its switch.

    Parameters
    ----------
    connection : Connection
        The caller's write transaction.
    switch_id : str
        The switch.
    state : str
        OPEN or CLOSED.
    at : Timestamp
        When it was reported; where a row of the switch bears the same or a later time, the moment after
        that one is written, so that what the crew saw counts from here on.
    recorded_by : str
        Who reported it.
    faulty : bool
        It failed to do what it was told: its health becomes FAULT, and no plan goes through it.

    Notes
    -----
    Only the position is new: a FAULT, or a tag that hangs at the device, stays until someone takes it off.
    """
    states = t.switch_state
    query = (
        sa.select(states.c.time, states.c.health, states.c.tags)
        .where(states.c.switch_id == switch_id)
        .order_by(states.c.time.desc(), states.c.state_id.desc())
        .limit(1)
    )
    last = connection.execute(query).first()
    moment = at.floor("us")
    if last is not None:
        moment = max(moment, parse_utc(last.time) + pd.Timedelta(microseconds=1))
    connection.execute(
        states.insert().values(
            switch_id=switch_id,
            time=utc_text(moment),
            state=str(state),
            health="FAULT" if faulty else "OK" if last is None else last.health,
            tags="" if last is None else last.tags,
            source="manual",
            recorded_by=recorded_by,
        )
    )


def read_switch_history(connection: Connection) -> pd.DataFrame:
    """Read every reported state of every switch, oldest first, with who recorded it."""
    query = sa.select(t.switch_state).order_by(t.switch_state.c.time, t.switch_state.c.state_id)
    return _state_frame(connection, query, [*_STATE_COLUMNS, "recorded_by"])


def read_newest_states(connection: Connection, switch_ids: Sequence[str] = ()) -> pd.DataFrame:
    """Read the newest reported state of each switch, or of some, by switch (`SwitchStates`)."""
    states = _newest(connection, [t.switch_state.c.switch_id], switch_ids, _STATE_COLUMNS)
    return states.sort_values("switch_id", ignore_index=True)


def read_newest_reports(
    connection: Connection, sources: Sequence[str], switch_ids: Sequence[str] = ()
) -> pd.DataFrame:
    """Read the newest state that each source reported of each switch, or of some, and who recorded it.

    Only switches of which every one of ``sources`` has reported.
    """
    state = t.switch_state.c
    by_all = [
        state.switch_id.in_(sa.select(state.switch_id).where(state.source == source)) for source in sources
    ]
    keys = [state.switch_id, state.source]
    return _newest(connection, keys, switch_ids, [*_STATE_COLUMNS, "recorded_by"], by_all)


def _newest(
    connection: Connection,
    keys: list[Any],
    switch_ids: Sequence[str],
    columns: list[str],
    conditions: Sequence[sa.ColumnElement[bool]] = (),
) -> pd.DataFrame:
    rank = sa.func.row_number().over(
        partition_by=keys, order_by=(t.switch_state.c.time.desc(), t.switch_state.c.state_id.desc())
    )
    rows = sa.select(t.switch_state, rank.label("age_rank")).where(*conditions)
    if switch_ids:
        rows = rows.where(t.switch_state.c.switch_id.in_(switch_ids))
    ranked = rows.subquery()
    return _state_frame(connection, sa.select(ranked).where(ranked.c.age_rank == 1), columns)


def has_switch(connection: Connection, switch_id: str) -> bool:
    """Tell whether the network has a switch."""
    return not read_switches(connection, [switch_id]).empty


def read_switches(connection: Connection, switch_ids: Sequence[str] = ()) -> pd.DataFrame:
    """Read the table of switches, or some rows of it (`Switches`)."""
    return _read_table(connection, "switches", switch_ids)


def _state_frame(connection: Connection, query: sa.Select[Any], columns: list[str]) -> pd.DataFrame:
    rows = [tuple(row[name] for name in columns) for row in connection.execute(query).mappings()]
    states = pd.DataFrame(rows, columns=columns)
    times = [parse_utc(text) for text in states["time"]]
    return states.assign(time=pd.DatetimeIndex(times, dtype="datetime64[ns, UTC]"))


def read_network(connection: Connection) -> Network:
    """Read the network as tables, with the newest state of each switch."""
    names = ("substations", "feeders", "transformers", "sections", "switches", "lines")
    tables = {name: _read_table(connection, name) for name in names}
    return Network(**tables, states=read_newest_states(connection))


def read_network_page(
    connection: Connection, table: str, *, after: str = "", limit: int | None = None
) -> list[dict[str, Any]]:
    """Read rows of one network table by name, at most ``limit`` behind the object named ``after``."""
    rows = t.network_row.c
    query = sa.select(rows.row).where(rows.table_name == table).order_by(rows.object_id).limit(limit)
    if after:
        of_table = rows.table_name == table
        query = query.where(
            after_key(connection, table, [rows.object_id], rows.object_id, after, among=of_table)
        )
    return list(connection.scalars(query))


def _read_table(connection: Connection, table: str, object_ids: Sequence[str] = ()) -> pd.DataFrame:
    query = sa.select(t.network_row.c.object_id, t.network_row.c.row).where(
        t.network_row.c.table_name == table
    )
    if object_ids:
        query = query.where(t.network_row.c.object_id.in_(object_ids))
    kinds = {name: str(column.dtype) for name, column in NETWORK_TABLES[table].to_schema().columns.items()}
    keys: list[str] = []
    cells: dict[str, list[Any]] = {name: [] for name in kinds}
    # Taken apart row by row, equal words kept once: as dictionaries a fleet would scatter the memory.
    for key, row in connection.execute(query):
        keys.append(key)
        for name, values in cells.items():
            value = row.get(name)
            values.append(intern(value) if isinstance(value, str) else value)
    columns = {}
    for name, values in cells.items():
        kind = kinds[name] if kinds[name].startswith(("float", "bool")) else "object"
        columns[name] = pd.Series(values, dtype=kind)
    # Sorted here, not there: each database has an order of letters of its own.
    order = sorted(range(len(keys)), key=keys.__getitem__)
    return pd.DataFrame(columns).iloc[order].reset_index(drop=True)


def network_digest(connection: Connection) -> str:
    """SHA-256 over all network rows, in order."""
    digest = sha256()
    for row in _network_rows(connection):
        digest.update(json.dumps(row, sort_keys=True).encode())
    return digest.hexdigest()


def _network_rows(connection: Connection) -> list[tuple[str, str, dict[str, Any]]]:
    # Sorted here, not there: each database has an order of letters of its own.
    rows = [(r.table_name, r.object_id, r.row) for r in connection.execute(sa.select(t.network_row))]
    return sorted(rows, key=lambda row: row[:2])
