"""The network as ingested, and the reported states of its switches."""

import json
from hashlib import sha256
from typing import Any

import pandas as pd
import sqlalchemy as sa
from sqlalchemy import Connection

from gridlib.adapters import tables as t
from gridlib.adapters.store import parse_utc, utc_text
from gridlib.facts.frames import NETWORK_TABLES
from gridlib.facts.types import Network


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
        for row in frame[["switch_id", "time", "state", "health", "tags", "source"]].to_dict("records")
    ]
    if rows:
        connection.execute(t.switch_state.insert(), rows)


def read_network(connection: Connection) -> Network:
    """Read the network as tables, with the newest state of each switch."""
    found: dict[str, list[dict[str, Any]]] = {name: [] for name in NETWORK_TABLES}
    query = sa.select(t.network_row).order_by(t.network_row.c.table_name, t.network_row.c.object_id)
    for r in connection.execute(query):
        found[r.table_name].append(r.row)
    frames = {name: _network_frame(name, rows) for name, rows in found.items()}
    rank = sa.func.row_number().over(
        partition_by=t.switch_state.c.switch_id,
        order_by=(t.switch_state.c.time.desc(), t.switch_state.c.state_id.desc()),
    )
    ranked = sa.select(t.switch_state, rank.label("age_rank")).subquery()
    newest = sa.select(ranked).where(ranked.c.age_rank == 1).order_by(ranked.c.switch_id)
    states = pd.DataFrame(
        [
            (r.switch_id, parse_utc(r.time), r.state, r.health, r.tags, r.source)
            for r in connection.execute(newest)
        ],
        columns=["switch_id", "time", "state", "health", "tags", "source"],
    )
    states["time"] = pd.to_datetime(states["time"], utc=True).astype("datetime64[ns, UTC]")
    return Network(
        substations=frames["substations"],
        feeders=frames["feeders"],
        transformers=frames["transformers"],
        sections=frames["sections"],
        switches=frames["switches"],
        states=states,
        lines=frames["lines"],
    )


def _network_frame(table: str, rows: list[dict[str, Any]]) -> pd.DataFrame:
    schema = NETWORK_TABLES[table].to_schema()
    columns: dict[str, Any] = {}
    for name, column in schema.columns.items():
        values = [row.get(name) for row in rows]
        kind = str(column.dtype)
        if kind.startswith("float"):
            columns[name] = pd.Series(values, dtype="float64")
        elif kind.startswith("bool"):
            columns[name] = pd.Series(values, dtype="bool")
        else:
            columns[name] = pd.Series(values, dtype="object")
    return pd.DataFrame(columns)


def network_digest(connection: Connection) -> str:
    """SHA-256 over all network rows, in order."""
    query = sa.select(t.network_row).order_by(t.network_row.c.table_name, t.network_row.c.object_id)
    digest = sha256()
    for r in connection.execute(query):
        digest.update(json.dumps([r.table_name, r.object_id, r.row], sort_keys=True).encode())
    return digest.hexdigest()
