"""Guards in the database itself that keep the audit trail append-only.

They stop mistakes and every ordinary program. The owner of the database can take them away, which is why
the chain of hashes and the signed checkpoints exist (`gridlib.adapters.chain`).
"""

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from gridlib.facts.errors import StoreError

GENESIS = "0" * 64
"""What stands in place of a previous hash in the first row of the trail."""

_SQLITE = {
    "audit_event_no_update": """
        CREATE TRIGGER audit_event_no_update BEFORE UPDATE ON audit_event
        BEGIN SELECT raise(ABORT, 'audit_event is append-only'); END""",
    "audit_event_no_delete": """
        CREATE TRIGGER audit_event_no_delete BEFORE DELETE ON audit_event
        BEGIN SELECT raise(ABORT, 'audit_event is append-only'); END""",
    # A row whose hash is already there is refused too: INSERT OR REPLACE would take the old row away.
    "audit_event_in_order": f"""
        CREATE TRIGGER audit_event_in_order BEFORE INSERT ON audit_event
        BEGIN
          SELECT raise(ABORT, 'audit_event: row does not follow the last one')
          WHERE new.seq <> coalesce((SELECT max(seq) FROM audit_event), 0) + 1
             OR new.prev_hash <> coalesce(
                  (SELECT hash FROM audit_event ORDER BY seq DESC LIMIT 1), '{GENESIS}')
             OR EXISTS (SELECT 1 FROM audit_event WHERE hash = new.hash);
        END""",
}

_POSTGRESQL_FUNCTION = f"""
    CREATE OR REPLACE FUNCTION audit_event_guard() RETURNS trigger LANGUAGE plpgsql AS $$
    DECLARE
      head record;
    BEGIN
      IF tg_op <> 'INSERT' THEN
        RAISE EXCEPTION 'audit_event is append-only' USING errcode = 'integrity_constraint_violation';
      END IF;
      SELECT seq, hash INTO head FROM audit_event ORDER BY seq DESC LIMIT 1;
      IF new.seq <> coalesce(head.seq, 0) + 1 OR new.prev_hash <> coalesce(head.hash, '{GENESIS}') THEN
        RAISE EXCEPTION 'audit_event: row does not follow the last one'
          USING errcode = 'integrity_constraint_violation';
      END IF;
      RETURN new;
    END $$"""

_POSTGRESQL = {
    "audit_event_no_update": "BEFORE UPDATE OR DELETE ON audit_event FOR EACH ROW",
    "audit_event_no_truncate": "BEFORE TRUNCATE ON audit_event FOR EACH STATEMENT",
    "audit_event_in_order": "BEFORE INSERT ON audit_event FOR EACH ROW",
}


def install_triggers(connection: Connection) -> None:
    """Put the guards of the audit trail in place, replacing what is there under their names.

    Parameters
    ----------
    connection : Connection
        A write transaction; the table ``audit_event`` exists.
    """
    if connection.dialect.name == "sqlite":
        for name, statement in _SQLITE.items():
            connection.exec_driver_sql(f"DROP TRIGGER IF EXISTS {name}")
            connection.exec_driver_sql(statement)
        return
    connection.exec_driver_sql(_POSTGRESQL_FUNCTION)
    for name, event in _POSTGRESQL.items():
        connection.exec_driver_sql(
            f"CREATE OR REPLACE TRIGGER {name} {event} EXECUTE FUNCTION audit_event_guard()"
        )
        # ALWAYS: they fire in replication sessions too, which switch ordinary triggers off.
        connection.exec_driver_sql(f"ALTER TABLE audit_event ENABLE ALWAYS TRIGGER {name}")


def check_triggers(connection: Connection) -> None:
    """Check that every guard of the audit trail is in place and switched on.

    Parameters
    ----------
    connection : Connection
        Any transaction.

    Raises
    ------
    StoreError
        A guard is missing, switched off, or not the one this version installs.
    """
    if connection.dialect.name == "sqlite":
        rows = connection.execute(sa.text("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'"))
        found = {name for name, sql in rows if sql.split() == _SQLITE.get(name, "").split()}
        expected = set(_SQLITE)
    else:
        rows = connection.execute(
            sa.text(
                "SELECT tgname FROM pg_trigger"
                " WHERE tgrelid = 'audit_event'::regclass AND NOT tgisinternal AND tgenabled = 'A'"
            )
        )
        found = {name for (name,) in rows}
        expected = set(_POSTGRESQL)
    if missing := sorted(expected - found):
        raise StoreError(
            f"the audit trail is not guarded: {', '.join(missing)} missing, altered or switched off",
            what_to_do="Find out who removed it; 'gridlib init' puts it back, then verify the trail again.",
        )
