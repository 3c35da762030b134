"""The store holds on both databases: versions, numbers, guards, and what it says when it cannot."""

import contextlib
import multiprocessing
import sys
import threading
import time
from datetime import UTC, datetime

import alembic.command
import pandas as pd
import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext

from gridlib.adapters import tables, triggers
from gridlib.adapters.chain import append_event, verify_chain
from gridlib.adapters.records import alerts as alert_records
from gridlib.adapters.store import Store, parse_utc, utc_text
from gridlib.facts.errors import InputError, StoreError


def test_migrated_database_is_what_the_tables_say(store):
    with store.read() as connection:
        context = MigrationContext.configure(connection, opts={"compare_server_default": True})
        assert compare_metadata(context, tables.metadata) == []


def test_migrating_twice_keeps_the_data(store):
    with store.write() as connection:
        store.next_number(connection, "work_order", 2026)
    store.migrate()
    store.check_version()
    with store.write() as connection:
        assert store.next_number(connection, "work_order", 2026) == 2


def test_migrating_from_several_processes_at_once(tmp_path):
    url = f"sqlite:///{tmp_path}/new/gridlib.db"
    fork = multiprocessing.get_context("fork")
    starters = [fork.Process(target=Store(url).migrate) for _ in range(3)]
    for process in starters:
        process.start()
    for process in starters:
        process.join(60)
    assert [process.exitcode for process in starters] == [0, 0, 0]
    Store(url).check_version()


def test_an_older_database_is_upgraded_and_keeps_what_was_acknowledged(tmp_path, monkeypatch):
    store = Store(f"sqlite:///{tmp_path}/old.db")
    with monkeypatch.context() as patch:
        patch.setattr(
            "alembic.command.upgrade", lambda config, _head, up=alembic.command.upgrade: up(config, "0001")
        )
        store.migrate()
    at = utc_text(datetime(2026, 8, 12, 12, tzinfo=UTC))
    rows = {
        "run": [("R-1", at, at, "system", "1", "0" * 64)],
        "stage_run": [("R-1", "risk", at, 1.0, "{}")],
        "risk": [
            ("R-1", name, 0.5, level, imminent, "{}")
            for name, level, imminent in (
                ("T-1", "HIGH", True),
                ("T-2", "HIGH", False),
                ("T-3", "LOW", False),
                ("T-4", "MEDIUM", False),
            )
        ],
        "acknowledgement": [
            (1, "R-1", "T-1", "HIGH", "layla", at, "seen"),
            (2, "R-1", "T-2", "MEDIUM", "layla", at, ""),
        ],
    }
    with store.write() as connection:
        for table, values in rows.items():
            marks = ", ".join("?" * len(values[0]))
            connection.exec_driver_sql(f"INSERT INTO {table} VALUES ({marks})", values)
    store.migrate()
    store.check_version()
    with store.read() as connection:
        standing = {a.transformer_id: a for a in alert_records.read_alerts(connection)}
        history = alert_records.read_alert_events(connection, "T-1")
    assert {name: alert.acknowledged_by for name, alert in standing.items()} == {
        "T-1": "layla",
        "T-2": None,
        "T-4": None,
    }
    assert standing["T-1"].imminent
    assert list(history["note"]) == ["", "seen"]


def test_a_missing_database_says_init(tmp_path):
    store = Store(f"sqlite:///{tmp_path}/none.db")
    with pytest.raises(StoreError, match="no database") as caught:
        store.check_version()
    assert "gridlib init" in caught.value.what_to_do
    assert not (tmp_path / "none.db").exists()


def test_an_empty_database_says_init(tmp_path):
    (tmp_path / "empty.db").touch()
    with pytest.raises(StoreError, match="no gridlib tables"):
        Store(f"sqlite:///{tmp_path}/empty.db").check_version()


def test_a_newer_database_is_left_alone(store):
    with store.write() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    for use in (store.check_version, store.migrate):
        with pytest.raises(StoreError, match="9999") as caught:
            use()
        assert "newer gridlib" in caught.value.what_to_do


def test_an_older_database_says_how_to_upgrade(store, monkeypatch):
    monkeypatch.setattr("alembic.script.ScriptDirectory.get_current_head", lambda self: "9999")
    with pytest.raises(StoreError, match="needs 9999") as caught:
        store.check_version()
    assert "gridlib init" in caught.value.what_to_do


def test_a_file_that_is_no_database(tmp_path):
    (tmp_path / "text.db").write_text("not a database at all, only some text\n" * 100)
    with pytest.raises(StoreError, match="not a database"):
        Store(f"sqlite:///{tmp_path}/text.db").check_version()


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://grid:s3cret@127.0.0.1:1/grid",
        "mysql://grid:s3cret@host/grid",
        "postgresql://grid:s3cret@127.0.0.1:port/grid",
        "s3cret",
    ],
)
def test_no_error_shows_the_password(url):
    with pytest.raises(StoreError) as caught:
        Store(url).check_version()
    error: BaseException | None = caught.value
    assert "s3cret" not in str(error) + error.what_to_do + repr(error.__cause__)


def test_the_password_is_not_in_the_repr():
    assert "s3cret" not in repr(Store("postgresql://grid:s3cret@host/grid"))


def test_without_the_driver_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(StoreError) as caught:
        Store("postgresql://host/grid")
    assert "gridlib[postgres]" in caught.value.what_to_do


def test_a_database_in_memory_is_refused():
    with pytest.raises(StoreError, match="memory"):
        Store("sqlite://")


def test_the_reader_cannot_write(store):
    with pytest.raises(StoreError), store.read() as connection:
        connection.execute(tables.counter.insert().values(name="x", year=1, last=1))


def test_a_reader_sees_one_moment(store):
    count = sa.select(sa.func.count()).select_from(tables.counter)
    with store.read() as reader:
        before = reader.execute(count).scalar()
        with store.write() as writer:
            store.next_number(writer, "work_order", 2026)
        assert reader.execute(count).scalar() == before
    with store.read() as reader:
        assert reader.execute(count).scalar() == before + 1


def test_numbers_count_per_series_and_year_and_return_on_rollback(store):
    with store.write() as connection:
        assert [store.next_number(connection, "work_order", 2026) for _ in range(3)] == [1, 2, 3]
        assert store.next_number(connection, "work_order", 2027) == 1
        assert store.next_number(connection, "ingest", 2026) == 1
    with contextlib.suppress(ZeroDivisionError), store.write() as connection:
        assert store.next_number(connection, "work_order", 2026) == 4
        raise ZeroDivisionError
    with store.write() as connection:
        assert store.next_number(connection, "work_order", 2026) == 4


def test_foreign_keys_hold(store):
    with pytest.raises(StoreError), store.write() as connection:
        connection.execute(
            tables.planning_case.insert().values(
                run_id="none", transformer_id="T1", do_nothing={}, why_not=[], other_measures=[]
            )
        )


@pytest.mark.parametrize("number", [float("nan"), float("inf"), -float("inf")])
def test_json_that_is_none_is_refused_alike(store, number):
    row = {"section_id": "S1", "share": number}
    refused = pytest.raises(StoreError, match=r"not finite, found .*share\": -?(NaN|Infinity)$")
    with refused as caught, store.write() as connection:
        connection.execute(tables.network_row.insert().values(table_name="sections", object_id="S1", row=row))
    assert "Nothing was kept" in caught.value.what_to_do
    with store.read() as connection:
        assert connection.execute(sa.select(tables.network_row)).all() == []


def test_sqlite_is_durable(sqlite_store):
    with sqlite_store.write() as connection:
        pragmas = ("journal_mode", "synchronous", "foreign_keys", "recursive_triggers", "busy_timeout")
        found = [connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in pragmas]
    assert found == ["wal", 2, 1, 1, 60_000]


def _event(connection, n=0):
    return append_event(
        connection,
        time=datetime.now(UTC),
        actor="operator",
        roles="operator",
        action="plan.approve",
        object=f"PLAN-{n}",
        payload={"n": n, "name": "محوّل ت-٠٧"},
    )


TAMPERING = [
    "UPDATE audit_event SET actor = 'x' WHERE seq = 2",
    "DELETE FROM audit_event WHERE seq = 3",
    "INSERT INTO audit_event SELECT 9, time, actor, roles, action, object, outcome, payload,"
    " (SELECT hash FROM audit_event WHERE seq = 3), 'new' FROM audit_event WHERE seq = 1",
    "INSERT INTO audit_event SELECT 4, time, actor, roles, action, object, outcome, payload, 'odd', 'new'"
    " FROM audit_event WHERE seq = 1",
]
TAMPERING_SQLITE = [
    "INSERT OR REPLACE INTO audit_event SELECT seq, time, 'x', roles, action, object, outcome, payload,"
    " prev_hash, hash FROM audit_event WHERE seq = 2",
    "INSERT OR REPLACE INTO audit_event SELECT 4, time, 'x', roles, action, object, outcome, payload,"
    " (SELECT hash FROM audit_event WHERE seq = 3), hash FROM audit_event WHERE seq = 2",
    "UPDATE OR REPLACE audit_event SET seq = 1 WHERE seq = 2",
    "INSERT INTO audit_event SELECT * FROM audit_event WHERE seq = 2 ON CONFLICT DO UPDATE SET actor = 'x'",
]
TAMPERING_POSTGRESQL = [
    "TRUNCATE audit_event",
    "SET session_replication_role = replica; DELETE FROM audit_event WHERE seq = 3",
    "INSERT INTO audit_event SELECT * FROM audit_event WHERE seq = 2"
    " ON CONFLICT (seq) DO UPDATE SET actor = 'x'",
]


def test_the_database_refuses_to_change_the_trail(store):
    with store.write() as connection:
        for n in range(3):
            _event(connection, n)
    sqlite = store.url.drivername == "sqlite"
    for statement in TAMPERING + (TAMPERING_SQLITE if sqlite else TAMPERING_POSTGRESQL):
        with pytest.raises(StoreError, match=r"append-only|does not follow"), store.write() as connection:
            connection.exec_driver_sql(statement)
    with store.read() as connection:
        assert verify_chain(connection) == 3


def test_migrating_puts_lost_guards_back(store):
    sqlite = store.url.drivername == "sqlite"
    with store.write() as connection:
        for name in ("audit_event_no_update", "audit_event_in_order"):
            drop = f"DROP TRIGGER {name}" if sqlite else f"DROP TRIGGER {name} ON audit_event"
            connection.exec_driver_sql(drop)
    lost = "audit_event_in_order, audit_event_no_update"
    with pytest.raises(StoreError, match=lost), store.read() as connection:
        triggers.check_triggers(connection)
    store.migrate()
    with store.read() as connection:
        triggers.check_triggers(connection)


def _take_numbers(url, actor, count, told):
    store = Store(url)
    with told.open("a") as file:
        for n in range(count):
            with contextlib.suppress(ZeroDivisionError):
                with store.write() as connection:
                    number = store.next_number(connection, "work_order", 2026)
                    append_event(
                        connection,
                        time=datetime.now(UTC),
                        actor=actor,
                        roles="operator",
                        action="workorder.issue",
                        object=str(number),
                        payload={"n": n},
                    )
                    if n % 10 == 9:
                        raise ZeroDivisionError
                file.write(f"{number}\n")
                file.flush()


def test_many_writers_and_a_killed_one_leave_no_gap(store, tmp_path):
    url = store.url.render_as_string(hide_password=False)
    store.dispose()
    fork = multiprocessing.get_context("fork")
    told = tmp_path / "acknowledged.txt"
    victim = fork.Process(target=_take_numbers, args=(url, "victim", 1_000_000, told))
    writers = [fork.Process(target=_take_numbers, args=(url, f"w{k}", 50, told)) for k in range(4)]
    for process in (victim, *writers):
        process.start()
    while not told.exists() or told.stat().st_size < 100:
        time.sleep(0.01)
    victim.kill()
    for process in (victim, *writers):
        process.join(60)
    assert [process.exitcode for process in writers] == [0, 0, 0, 0]

    with store.read() as connection:
        rows = connection.execute(sa.select(tables.audit_event).order_by(tables.audit_event.c.seq)).all()
        last = connection.execute(sa.select(tables.counter.c.last)).scalar()
        assert verify_chain(connection) == len(rows)
    numbers = [int(row.object) for row in rows]
    assert numbers == list(range(1, last + 1))
    assert {int(line) for line in told.read_text().splitlines()} <= set(numbers)
    assert sum(row.actor != "victim" for row in rows) == 4 * 45


def test_threads_of_one_store_share_it(store):
    def work():
        for _ in range(10):
            with store.write() as connection:
                _event(connection, store.next_number(connection, "work_order", 2026))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with store.read() as connection:
        assert verify_chain(connection) == 40


def test_a_writer_waits_for_another(store):
    order = []

    def second():
        with store.write() as connection:
            order.append("second")
            _event(connection)

    with store.write() as connection:
        thread = threading.Thread(target=second)
        thread.start()
        time.sleep(0.2)
        order.append("first")
        _event(connection)
    thread.join()
    assert order == ["first", "second"]


def test_times_sort_as_text_and_come_back():
    moments = pd.to_datetime(
        ["2026-01-21T19:00+03:00", "2026-01-21T16:00:00.000001Z", "2025-12-31T23:59:59Z"],
        format="ISO8601",
        utc=True,
    )
    texts = [utc_text(moment) for moment in moments]
    assert {len(text) for text in texts} == {32}
    assert sorted(texts) == [utc_text(moment) for moment in sorted(moments)]
    assert [parse_utc(text) for text in texts] == list(moments)
    assert parse_utc(texts[0]).unit == "ns"


@pytest.mark.parametrize("moment", [datetime(2026, 1, 1), pd.Timestamp("2026-01-01"), pd.NaT])
def test_a_time_without_a_zone_is_not_kept(moment):
    with pytest.raises(InputError):
        utc_text(moment)
