"""Records of the trade keep what they were given, on both databases, and tell new from old."""

from math import inf, isnan, nan

import pandas as pd

from gridlib.adapters.records import network as network_records
from gridlib.adapters.records import plans, runs
from gridlib.adapters.store import utc_text
from gridlib.facts.messages import verbatim
from gridlib.facts.types import Move, Plan, PlanningCase, Proof, Side

NOON = pd.Timestamp("2026-01-21 09:00", tz="UTC")
SECOND = pd.Timedelta(seconds=1)


def save_run(connection, run_id, issued_at=NOON, started_at=NOON, stages=("risk",)):
    row = {"run_id": run_id, "issued_at": utc_text(issued_at), "started_at": utc_text(started_at)}
    runs.save_run(connection, {**row, "started_by": "system", "code_version": "1", "data_digest": "0" * 64})
    for stage in stages:
        done = {"run_id": run_id, "stage": stage, "finished_at": utc_text(started_at)}
        runs.save_stage(connection, {**done, "seconds": 1.0, "counts": {}})


def states(*rows):
    columns = ["switch_id", "time", "state", "health", "tags", "source"]
    return pd.DataFrame(rows, columns=columns)


def test_a_case_and_a_plan_without_numbers_come_back_without_them(store):
    side = Side(
        "T-01", "donor", 500.0, 100.0, 120.0, 90.0, 130.0, 98.0, 5, 0, nan, inf, nan, 0.1, 0.9, 0.2, NOON
    )
    proof = Proof(True, verbatim("additive kVA"), (), (), 3.0)
    move = Move("B1", "X1", ("S1",), "T-01", "T-02")
    plan = Plan("T-01", 1, (move,), (side,), proof, nan, 12.5, 0.9, 0.2, 2, 40, None, NOON, None)
    case = PlanningCase("T-01", {"hours_over": 3.0, "hot_spot_c_max": nan}, (), (), ())
    with store.write() as connection:
        save_run(connection, "RUN-1")
        plans.save_case(connection, "RUN-1", case)
        plans.save_plan(connection, "P-1", "RUN-1", plan, prepared_by="system", created_at=NOON)
    with store.read() as connection:
        found_case = plans.read_case(connection, "RUN-1", "T-01")
        found = plans.read_plan(connection, "P-1").plan
    assert found_case.do_nothing["hours_over"] == 3.0
    assert isnan(found_case.do_nothing["hot_spot_c_max"])
    (found_side,) = found.sides
    unknown = (found_side.hot_spot_c_before, found_side.hot_spot_c_after, found_side.loss_of_life_d_before)
    assert all(isnan(number) for number in (*unknown, found.relief_pct))
    assert (found_side.loss_of_life_d_after, found.relieved_kvah) == (0.1, 12.5)
    assert (found.needed_from, found.decide_by) == (None, None)
    assert found.moves == (move,)


def test_a_reported_position_is_the_newest_and_keeps_fault_and_permit(store):
    future = NOON + pd.Timedelta(days=400)
    with store.write() as connection:
        rows = states(
            ("B1", NOON, "OPEN", "OK", "", "telemetered"),
            ("B1", future, "CLOSED", "FAULT", "PERMIT", "telemetered"),
        )
        network_records.add_switch_states(connection, rows, "system")
        network_records.record_switch_state(connection, "B1", "OPEN", NOON, "crew")
        network_records.record_switch_state(connection, "B1", "CLOSED", NOON, "crew")
        network_records.record_switch_state(connection, "B2", "OPEN", NOON, "crew")
    with store.read() as connection:
        newest = network_records.read_network(connection).states
        history = network_records.read_switch_history(connection)
    microsecond = pd.Timedelta(microseconds=1)
    assert newest.to_numpy().tolist() == [
        ["B1", future + 2 * microsecond, "CLOSED", "FAULT", "PERMIT", "manual"],
        ["B2", NOON, "OPEN", "OK", "", "manual"],
    ]
    assert history["time"].is_monotonic_increasing
    assert list(history["switch_id"]) == ["B1", "B2", "B1", "B1", "B1"]
    assert list(history["recorded_by"]) == ["system", "crew", "system", "crew", "crew"]


def test_a_position_reported_later_bears_its_own_time(store):
    with store.write() as connection:
        network_records.record_switch_state(connection, "B1", "OPEN", NOON, "crew")
        network_records.record_switch_state(connection, "B1", "CLOSED", NOON + SECOND, "crew")
    with store.read() as connection:
        assert list(network_records.read_switch_history(connection)["time"]) == [NOON, NOON + SECOND]


def test_no_switch_has_a_history_at_first(store):
    with store.read() as connection:
        history = network_records.read_switch_history(connection)
        assert network_records.read_network(connection).states.empty
    assert history.empty
    assert str(history["time"].dtype) == "datetime64[ns, UTC]"


def test_the_network_digest_is_the_same_on_every_database(sqlite_store, postgres_store):
    names = ["a-1", "A 2", "B1", "a1", "_x", "محوّل"]
    found = []
    for store, order in ((sqlite_store, names), (postgres_store, names[::-1])):
        with store.write() as connection:
            frame = pd.DataFrame({"substation_id": order, "name": order})
            network_records.replace_network_table(connection, "substations", frame)
            digest = network_records.network_digest(connection)
            found.append((digest, list(network_records.read_network(connection).substations["name"])))
    assert found[0] == found[1]
    assert found[0][1] == sorted(names)


def test_the_newest_run_is_the_one_issued_last(store):
    hour = pd.Timedelta(hours=1)
    with store.write() as connection:
        save_run(connection, "RUN-1", NOON, NOON)
        save_run(connection, "RUN-2", NOON + hour, NOON)
        save_run(connection, "RUN-3", NOON - hour, NOON + hour)  # an old hour, run again today
        save_run(connection, "RUN-4", NOON, NOON + SECOND)
        save_run(connection, "RUN-5", NOON + hour, NOON, stages=("forecast",))
    with store.read() as connection:

        def newest(**limits):
            return runs.newest_run_ids(connection, stage="risk", limit=9, **limits)

        assert newest() == ["RUN-2", "RUN-4", "RUN-1", "RUN-3"]
        assert newest(issued_by=NOON) == ["RUN-4", "RUN-1", "RUN-3"]
        assert newest(issued_before=NOON) == ["RUN-3"]


def test_the_digest_of_the_data_covers_the_newest_switch_states(store):
    def digest():
        with store.read() as connection:
            return runs.data_digest(connection, "network")

    found = [digest()]
    for row in (
        ("B1", NOON, "OPEN", "OK", "", "manual"),
        ("B1", NOON + SECOND, "CLOSED", "OK", "", "manual"),
        ("B1", NOON + 2 * SECOND, "CLOSED", "OK", "PERMIT", "manual"),
    ):
        with store.write() as connection:
            network_records.add_switch_states(connection, states(row), "system")
        found.append(digest())
    assert len(set(found)) == 4
    with store.write() as connection:  # a late report of an older state changes nothing that a run can see
        older = states(("B1", NOON - SECOND, "OPEN", "OK", "", "manual"))
        network_records.add_switch_states(connection, older, "system")
    assert digest() == found[-1]


def test_a_file_may_come_again_under_another_number(store):
    with store.write() as connection:
        assert runs.earlier_rejects(connection, "f" * 64) == []
        for seq, rejects in ((1, 24), (2, 0)):
            row = {"ingest_id": f"{'f' * 16}-{seq}", "seq": seq, "sha256": "f" * 64, "name": "load.csv"}
            row |= {"kind": "load", "rows": 96 - rejects, "rejects": rejects}
            runs.save_ingest(connection, {**row, "ingested_at": utc_text(NOON), "ingested_by": "system"})
    with store.read() as connection:
        assert runs.earlier_rejects(connection, "f" * 64) == [24, 0]
        assert runs.ingest_ids(connection, "load") == [f"{'f' * 16}-1", f"{'f' * 16}-2"]
