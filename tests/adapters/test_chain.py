"""The audit trail shows what was done to it: altered, missing, cut off, or written anew."""

import csv
import json
import stat

import pandas as pd
import pytest
import sqlalchemy as sa

from gridlib.adapters import chain, triggers
from gridlib.adapters.chain import rows as chain_rows
from gridlib.adapters.tables import audit_event
from gridlib.adapters.triggers import GENESIS
from gridlib.facts.errors import AuditError, FileError, InputError, StoreError

NOON = pd.Timestamp("2026-01-21 09:00", tz="UTC")


def _append(connection, n, **changes):
    event = {
        "time": NOON + pd.Timedelta(hours=n),
        "actor": f"operator{n % 2}",
        "roles": "operator analyst",
        "action": "plan.approve" if n % 2 else "workorder.issue",
        "object": f"PLAN-{n}",
        "payload": {"n": n, "name": "محوّل ت-٠٧", "share": 0.1 + 0.2},
    }
    return chain.append_event(connection, **{**event, **changes})


@pytest.fixture
def trail(store):
    """A store with twenty rows in its trail."""
    with store.write() as connection:
        assert [_append(connection, n) for n in range(20)] == list(range(1, 21))
    return store


def _tamper(store, *statements):
    """Change the trail as the owner of the database can: without its guards."""
    names = ("audit_event_no_update", "audit_event_no_delete", "audit_event_in_order")
    with store.write() as connection:
        if store.url.drivername == "sqlite":
            for name in names:
                connection.exec_driver_sql(f"DROP TRIGGER {name}")
        else:
            connection.exec_driver_sql("ALTER TABLE audit_event DISABLE TRIGGER ALL")
        for statement in statements:
            connection.exec_driver_sql(statement)


def _cover_up(store):
    """Put the guards back as if nothing had happened."""
    with store.write() as connection:
        triggers.install_triggers(connection)


def _broken(store):
    with pytest.raises(AuditError) as caught, store.read() as connection:
        chain.verify_chain(connection)
    return caught.value


def test_an_untouched_trail_holds(trail):
    with trail.read() as connection:
        assert chain.verify_chain(connection) == 20


def test_a_trail_without_its_guards_does_not_pass(trail):
    _tamper(trail)
    with pytest.raises(StoreError, match="not guarded: audit_event_in_order"), trail.read() as connection:
        chain.verify_chain(connection)
    _cover_up(trail)
    with trail.read() as connection:
        assert chain.verify_chain(connection) == 20


def test_an_empty_trail_holds(store):
    with store.read() as connection:
        assert chain.verify_chain(connection) == 0


@pytest.mark.parametrize(
    "change",
    [
        "time = '2026-01-21T09:00:00.000001+00:00'",
        "actor = 'ghost'",
        "roles = 'manager'",
        "action = 'plan.reject'",
        "object = 'PLAN-99'",
        "outcome = 'refused:wrong_role'",
        "payload = '{}'",
    ],
)
def test_an_altered_field_is_named(trail, change):
    _tamper(trail, f"UPDATE audit_event SET {change} WHERE seq = 7", "DELETE FROM audit_event WHERE seq = 9")
    error = _broken(trail)
    assert (error.seq, error.code) == (7, "audit_broken")
    assert "altered" in str(error)


def test_a_missing_row_is_named(trail):
    _tamper(trail, "DELETE FROM audit_event WHERE seq IN (11, 12)")
    error = _broken(trail)
    assert error.seq == 11
    assert "missing" in str(error)


def test_a_missing_first_row_is_named(trail):
    _tamper(trail, "DELETE FROM audit_event WHERE seq = 1")
    assert _broken(trail).seq == 1


def _rewrite(store, first, **changes):
    """Alter one row and forge every hash after it, as an owner with time would."""
    _tamper(store)
    with store.write() as connection:
        rows = [dict(row) for row in connection.execute(sa.select(audit_event)).mappings()]
        rows.sort(key=lambda row: row["seq"])
        connection.execute(audit_event.delete())
        previous = GENESIS
        for row in rows:
            row |= changes if row["seq"] == first else {}
            row["prev_hash"] = previous
            row["hash"] = previous = chain_rows.row_digest(row)
        connection.execute(audit_event.insert(), rows)


def test_a_replaced_row_with_a_forged_hash_breaks_the_link(trail):
    with trail.read() as connection:
        row = dict(connection.execute(sa.select(audit_event).where(audit_event.c.seq == 5)).mappings().one())
    forged = chain_rows.row_digest({**row, "actor": "ghost"})
    _tamper(trail, f"UPDATE audit_event SET actor = 'ghost', hash = '{forged}' WHERE seq = 5")
    error = _broken(trail)
    assert error.seq == 6
    assert "does not follow row 5" in str(error)


def test_the_row_goes_with_its_transaction(trail):
    with pytest.raises(ValueError, match="Out of range"), trail.write() as connection:
        _append(connection, 20, payload={"load_kva": float("nan")})
    with pytest.raises(InputError), trail.write() as connection:
        _append(connection, 20, time=pd.Timestamp("2026-01-21 09:00"))
    with trail.write() as connection:
        assert _append(connection, 20) == 21


def test_reading_the_trail(trail):
    with trail.read() as connection:
        everything = chain.read_events(connection)
        assert list(everything["seq"]) == list(range(1, 21))
        assert everything["time"].iloc[0] == NOON
        assert everything["payload"].iloc[3] == {"n": 3, "name": "محوّل ت-٠٧", "share": 0.1 + 0.2}
        assert list(chain.read_events(connection, limit=2)["seq"]) == [19, 20]


def test_an_actor_longer_than_the_column_is_cut_and_on_record(store):
    with store.write() as connection:
        _append(connection, 0, actor="o" * 200)
    with store.read() as connection:
        assert chain.read_events(connection)["actor"].iloc[0] == "o" * 80
        assert chain.verify_chain(connection) == 1


def test_export_for_spreadsheets_holds_no_formula(store, tmp_path):
    starts = ['=HYPERLINK("http://x")', "+1", "-1", "@SUM(A1)", "\t=1", "\n=1", "'=1", "PLAN=7"]
    with store.write() as connection:
        for n, text in enumerate(starts):
            _append(connection, n, object=text)
        assert chain.write_events(connection, tmp_path / "audit.csv") == len(starts)
    with (tmp_path / "audit.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["object"] for row in rows] == [*(f"'{text}" for text in starts[:-1]), "PLAN=7"]
    assert "محوّل" in rows[0]["payload"]


def test_export_for_programs_is_exact(trail, tmp_path):
    with trail.read() as connection:
        assert chain.write_events(connection, tmp_path / "audit.jsonl") == 20
        stored = connection.execute(sa.select(audit_event).order_by(audit_event.c.seq)).mappings().all()
    rows = [json.loads(line) for line in (tmp_path / "audit.jsonl").read_text("utf-8").splitlines()]
    assert [{**row, "payload": chain_rows.canonical_json(row["payload"])} for row in rows] == [
        dict(r) for r in stored
    ]


def test_a_failed_export_leaves_the_old_file(trail, tmp_path, monkeypatch):
    path = tmp_path / "audit.csv"
    path.write_text("old")
    monkeypatch.setattr(chain_rows, "guarded", lambda value: 1 / 0)
    with pytest.raises(ZeroDivisionError), trail.read() as connection:
        chain.write_events(connection, path)
    assert [file.name for file in tmp_path.glob("audit*")] == ["audit.csv"]
    assert path.read_text() == "old"


def test_an_export_of_another_kind_is_refused(trail, tmp_path):
    with pytest.raises(FileError), trail.read() as connection:
        chain.write_events(connection, tmp_path / "audit.xlsx")


@pytest.fixture
def signed(trail, tmp_path):
    """The trail with checkpoints at rows 20 and 25."""
    path, key = tmp_path / "checkpoints.jsonl", chain.ensure_key(tmp_path / "key.pem")
    with trail.write() as connection:
        assert chain.append_checkpoint(path, key, connection) == 20
        for n in range(20, 25):
            _append(connection, n)
        assert chain.append_checkpoint(path, key, connection) == 25
        _append(connection, 25)
    return trail, path, key.public_key()


def _verify(signed):
    store, path, public = signed
    with store.read() as connection:
        chain.verify_chain(connection)
        return chain.verify_checkpoints(connection, path, public)


def test_checkpoints_of_an_untouched_trail_hold(signed):
    assert _verify(signed) == 2


def test_a_cut_off_tail_passes_the_chain_but_not_the_checkpoint(signed):
    _tamper(signed[0], "DELETE FROM audit_event WHERE seq > 22")
    _cover_up(signed[0])
    with pytest.raises(AuditError, match="cut off") as caught:
        _verify(signed)
    assert caught.value.seq == 25


def test_a_rewritten_history_passes_the_chain_but_not_the_checkpoint(signed):
    _rewrite(signed[0], 10, actor="ghost")
    _cover_up(signed[0])
    with pytest.raises(AuditError, match="rewritten") as caught:
        _verify(signed)
    assert caught.value.seq == 20


def test_a_changed_checkpoint_is_found(signed):
    _, path, _ = signed
    path.write_text(path.read_text().replace('"seq":20', '"seq":19'))
    with pytest.raises(AuditError, match="checkpoint 1"):
        _verify(signed)


def test_a_damaged_checkpoint_is_found(signed):
    _, path, _ = signed
    path.write_text(path.read_text()[:-40])
    with pytest.raises(AuditError, match="checkpoint 2"):
        _verify(signed)


def test_a_checkpoint_of_a_stranger_is_found(signed, tmp_path):
    store, path, _ = signed
    with store.read() as connection:
        chain.append_checkpoint(path, chain.ensure_key(tmp_path / "other.pem"), connection)
    with pytest.raises(AuditError, match="checkpoint 3"):
        _verify(signed)


def test_a_lost_checkpoint_file_is_found(signed):
    signed[1].unlink()
    with pytest.raises(AuditError, match="missing"):
        _verify(signed)


def test_nothing_is_signed_of_an_empty_trail(store, tmp_path):
    with store.read() as connection:
        key = chain.ensure_key(tmp_path / "key.pem")
        assert chain.append_checkpoint(tmp_path / "checkpoints.jsonl", key, connection) == 0
    assert not (tmp_path / "checkpoints.jsonl").exists()


def test_the_key_is_made_once_and_for_its_owner_alone(tmp_path):
    path = tmp_path / "keys" / "key.pem"
    first = chain.fingerprint(chain.ensure_key(path).public_key())
    assert chain.fingerprint(chain.ensure_key(path).public_key()) == first
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [file.name for file in path.parent.iterdir()] == ["key.pem"]


def test_verifying_never_makes_a_key(tmp_path):
    path = tmp_path / "keys" / "key.pem"
    with pytest.raises(AuditError, match=r"the key .*key\.pem is missing"):
        chain.read_key(path)
    assert not path.parent.exists()
    made = chain.fingerprint(chain.ensure_key(path).public_key())
    assert chain.fingerprint(chain.read_key(path).public_key()) == made


def test_a_file_that_is_no_key(tmp_path):
    (tmp_path / "key.pem").write_text("no key")
    with pytest.raises(FileError, match="not an Ed25519"):
        chain.ensure_key(tmp_path / "key.pem")
