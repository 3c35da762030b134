"""One database, SQLite or PostgreSQL, behind one small face.

Writers wait for each other from the start of their transaction (SQLite ``BEGIN IMMEDIATE``, PostgreSQL an
advisory lock), because a work-order number without gaps and the head of the audit chain can only be taken
by one at a time. Readers never wait and see one consistent moment.
"""

import json
import re
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import pandas as pd
import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import URL, Connection, Engine

from gridlib.adapters import tables, triggers
from gridlib.facts.errors import InputError, StoreError

MIGRATIONS = Path(__file__).parent / "migrations"
BUSY_TIMEOUT_S = 60
"""How long a writer waits for another before it gives up [s]."""
_WRITER_LOCK = 815_001
_MIGRATION_LOCK = 815_002


class _NotFiniteError(StoreError, sa.exc.DontWrapMixin):
    """A NaN or an infinite number for a JSON column; passes through SQLAlchemy as it is."""


class Store:
    """The operational state of a site.

    Parameters
    ----------
    url : str
        SQLAlchemy URL: ``sqlite:///path/to/gridlib.db`` or ``postgresql://user@host/database``.
        Nothing is opened before the first use.

    Raises
    ------
    StoreError
        The URL is no such URL, or the PostgreSQL driver is not installed.

    Examples
    --------
    >>> Store("mysql://user:secret@host/grid")
    Traceback (most recent call last):
    ...
    gridlib.facts.errors.StoreError: a database of kind 'mysql' cannot be used
    """

    def __init__(self, url: str) -> None:
        self.url = _parse_url(url)
        if self.url.drivername == "sqlite":
            self._writer = _sqlite_engine(self.url, "BEGIN IMMEDIATE")
            self._reader = _sqlite_engine(self.url, "BEGIN", query_only=True)
        else:
            self._writer = _postgresql_engine(self.url)
            self._reader = self._writer.execution_options(
                isolation_level="REPEATABLE READ", postgresql_readonly=True
            )

    def __repr__(self) -> str:
        return f"Store({self.url.render_as_string(hide_password=True)!r})"

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """Open one write transaction: committed at the end, rolled back by any exception.

        Yields
        ------
        Connection
            Alone among writers until the block ends.

        Raises
        ------
        StoreError
            The database is missing, cannot be reached, stays locked, or refuses a row.
        """
        self._require_file()
        with _as_store_error(), self._writer.begin() as connection:
            _lock(connection, _WRITER_LOCK)
            yield connection

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Open one read-only transaction that sees a single moment of the database.

        Yields
        ------
        Connection
            Refuses to write.

        Raises
        ------
        StoreError
            The database is missing or cannot be reached.
        """
        self._require_file()
        with _as_store_error(), self._reader.begin() as connection:
            yield connection

    def migrate(self) -> None:
        """Create the tables or bring them up to this version, and guard the audit trail.

        All in one transaction that only one process can hold; existing data stay.

        Raises
        ------
        StoreError
            The database was made by a newer gridlib, cannot be reached, or the guards are not in place.
        """
        engine = self._writer
        if self._file is not None:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            # It holds password hashes: for this account of the machine alone, and so are its journals.
            self._file.touch()
            self._file.chmod(0o600)
            # A later migration may rebuild a table, which SQLite takes for the deletion of all its rows.
            engine = _sqlite_engine(self.url, "BEGIN IMMEDIATE", foreign_keys=False)
        with _as_store_error(), engine.begin() as connection:
            _lock(connection, _MIGRATION_LOCK)
            self._refuse_newer(connection)
            config = _alembic_config()
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
            if self._file is not None and connection.exec_driver_sql("PRAGMA foreign_key_check").first():
                raise StoreError("the upgrade would leave rows that refer to nothing; nothing was changed")
            triggers.install_triggers(connection)
            triggers.check_triggers(connection)
        if engine is not self._writer:
            engine.dispose()

    def check_version(self) -> None:
        """Check that the database is there and was made for this version of gridlib.

        Raises
        ------
        StoreError
            It is missing, empty, older or newer; says what to do.
        """
        with self.read() as connection:
            found = self._refuse_newer(connection)
        head = ScriptDirectory.from_config(_alembic_config()).get_current_head()
        if found is None:
            raise StoreError(f"{self!r} holds no gridlib tables", what_to_do="Run 'gridlib init'.")
        if found != head:
            raise StoreError(
                f"{self!r} is of version {found}, this gridlib needs {head}",
                what_to_do="Back it up, then run 'gridlib init': it upgrades the tables and keeps the data.",
            )

    def next_number(self, connection: Connection, name: str, year: int) -> int:
        """Take the next number of a yearly series, 1 at first; it is given back if the transaction fails.

        Parameters
        ----------
        connection : Connection
            The caller's write transaction.
        name : str
            The series, for example ``work_order``.
        year : int
            Local year.

        Returns
        -------
        int
            Last number of the series plus one: no gap, no duplicate.
        """
        values = {"name": name, "year": year, "last": 1}
        keys = ["name", "year"]
        step = {"last": tables.counter.c.last + 1}
        statement: sa.sql.dml.ReturningInsert[Any]
        if connection.dialect.name == "postgresql":
            on_postgresql = postgresql.insert(tables.counter).values(values)
            upsert = on_postgresql.on_conflict_do_update(index_elements=keys, set_=step)
            statement = upsert.returning(tables.counter.c.last)
        else:
            on_sqlite = sqlite.insert(tables.counter).values(values)
            statement = on_sqlite.on_conflict_do_update(index_elements=keys, set_=step).returning(
                tables.counter.c.last
            )
        return int(connection.execute(statement).scalar_one())

    def dispose(self) -> None:
        """Close all connections; the store opens new ones when it is used again."""
        self._writer.dispose()
        self._reader.dispose()

    @property
    def _file(self) -> Path | None:
        return Path(self.url.database or "") if self.url.drivername == "sqlite" else None

    def _require_file(self) -> None:
        if self._file is not None and not self._file.is_file():
            raise StoreError(f"no database at {self._file}", what_to_do="Run 'gridlib init' there first.")

    def _refuse_newer(self, connection: Connection) -> str | None:
        found = MigrationContext.configure(connection).get_current_revision()
        if found is not None:
            try:
                ScriptDirectory.from_config(_alembic_config()).get_revision(found)
            except CommandError:
                raise StoreError(
                    f"{self!r} is of version {found}, which this gridlib does not know",
                    what_to_do="Install the newer gridlib that made it.",
                ) from None
        return found


def utc_text(moment: datetime) -> str:
    """Write a moment as the tables keep it: ISO 8601, UTC, microseconds; text order is time order.

    Parameters
    ----------
    moment : datetime or Timestamp
        Any zone, but not without one.

    Returns
    -------
    str
        32 characters.

    Raises
    ------
    InputError
        The moment has no time zone or is no time.

    Examples
    --------
    >>> utc_text(pd.Timestamp("2026-01-21 19:00", tz="Asia/Amman"))
    '2026-01-21T16:00:00.000000+00:00'
    """
    stamp = pd.Timestamp(moment)
    if pd.isna(stamp) or stamp.tzinfo is None:
        raise InputError(f"{moment} is not a time with a zone", what_to_do="Give the offset, e.g. +03:00.")
    return str(stamp.tz_convert("UTC").isoformat(timespec="microseconds"))


def parse_utc(text: str) -> pd.Timestamp:
    """Read a moment back from the tables.

    Parameters
    ----------
    text : str
        As `utc_text` wrote it.

    Returns
    -------
    Timestamp
        UTC, nanosecond unit like all frames.

    Examples
    --------
    >>> parse_utc("2026-01-21T16:00:00.000000+00:00")
    Timestamp('2026-01-21 16:00:00+0000', tz='UTC')
    """
    return pd.Timestamp(text).tz_convert("UTC").as_unit("ns")


def _parse_url(text: str) -> URL:
    try:
        url = sa.make_url(text)
    except (sa.exc.ArgumentError, ValueError):
        # The text may hold a password, so neither it nor the original error is shown.
        raise StoreError(
            "the database URL cannot be read",
            what_to_do="Write it as sqlite:////folder/gridlib.db or postgresql://user@host/database.",
        ) from None
    if url.drivername in ("postgresql", "postgres", "postgresql+psycopg"):
        return url.set(drivername="postgresql+psycopg")
    if url.drivername != "sqlite":
        raise StoreError(
            f"a database of kind '{url.drivername}' cannot be used",
            what_to_do="Use sqlite:////folder/gridlib.db or postgresql://user@host/database.",
        )
    if url.database in (None, "", ":memory:"):
        raise StoreError(
            "a database in memory would be another one for each connection",
            what_to_do="Name a file: sqlite:////folder/gridlib.db.",
        )
    return url


def _sqlite_engine(url: URL, begin: str, *, query_only: bool = False, foreign_keys: bool = True) -> Engine:
    engine = sa.create_engine(url, connect_args={"timeout": BUSY_TIMEOUT_S}, json_serializer=_to_json)
    pragmas = {
        "journal_mode": "WAL",
        "synchronous": "FULL",
        "foreign_keys": "ON" if foreign_keys else "OFF",
        # Without it a REPLACE deletes rows behind the back of the audit trail's delete guard.
        "recursive_triggers": "ON",
        "query_only": "ON" if query_only else "OFF",
    }

    @sa.event.listens_for(engine, "connect")
    def _prepare(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # SQLAlchemy, not the driver, says BEGIN
        with closing(connection.cursor()) as cursor:
            for name, value in pragmas.items():
                cursor.execute(f"PRAGMA {name}={value}")

    @sa.event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        connection.exec_driver_sql(begin)

    return engine


def _postgresql_engine(url: URL) -> Engine:
    try:
        return sa.create_engine(
            url, isolation_level="READ COMMITTED", pool_pre_ping=True, json_serializer=_to_json
        )
    except ImportError as error:
        raise StoreError(
            "the PostgreSQL driver is not installed", what_to_do="Run: pip install 'gridlib[postgres]'."
        ) from error


def _to_json(value: Any) -> str:
    # SQLite would keep a NaN, which is no JSON, and PostgreSQL would not: both refuse it alike.
    try:
        return json.dumps(value, allow_nan=False)
    except ValueError as error:
        near = re.search(r".{0,60}\b(NaN|Infinity)", json.dumps(value))
        raise _NotFiniteError(
            f"the database takes no number that is not finite, found ...{near.group() if near else error}",
            what_to_do="Nothing was kept. Find the reading or setting that this number was computed from.",
        ) from error


def _lock(connection: Connection, number: int) -> None:
    if connection.dialect.name == "postgresql":
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(number)))


def _alembic_config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    return config


@contextmanager
def _as_store_error() -> Iterator[None]:
    try:
        yield
    except sa.exc.DBAPIError as error:
        # Only the driver's own words: SQLAlchemy's message would show the statement and its values.
        found = str(error.orig).strip().splitlines()
        raise StoreError(
            f"the database refuses: {found[0] if found else type(error.orig).__name__}",
            what_to_do="Check that the database runs, is reachable and is not held by another program.",
        ) from error
