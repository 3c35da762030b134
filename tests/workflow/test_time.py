"""The loop as time goes on: telemetry after a transfer, plans whose hours pass, replays of the past."""

import dataclasses
import shutil

import numpy as np
import pandas as pd
import pytest

from gridlib.adapters.notebooks import share_dir
from gridlib.adapters.records import network as network_records
from gridlib.domain.network import closed_switches, current_states, transformer_load_kva
from gridlib.facts.errors import FileError, InputError, RefusedError, StalePlanError
from gridlib.facts.types import PlanState, StepState
from gridlib.workflow import audit, clock, decisions, queries, workorders
from gridlib.workflow.ingest import ingest_paths
from gridlib.workflow.material import normal_running
from gridlib.workflow.pipeline import run_stages

WEEK = pd.Timedelta(days=7)


def reading_for(step):
    """A reading that a crew would bring: inside the range that the sheet prints."""
    if step.reading_low is None:
        return "100 A"
    return f"{(step.reading_low + step.reading_high) / 2:.0f} A"


def best_plan(workbench, transformer_id="T-07"):
    return queries.get_plans(workbench, transformer_id=transformer_id, states=[PlanState.DRAFT])[0]


def execute(workbench, plan_id):
    decisions.approve(workbench, plan_id, by="operator")
    order = workorders.issue(workbench, plan_id, by="operator2", crew="Crew 4")
    workorders.start(workbench, order.work_order_id, by="operator2")
    for step in order.steps:
        workorders.record_step(
            workbench,
            order.work_order_id,
            step.step.number,
            StepState.COMPLETED,
            by="operator2",
            reading=reading_for(step.step),
        )
    return workorders.complete(workbench, order.work_order_id, by="operator2")


def week_before():
    load = pd.read_csv(share_dir() / "data" / "demo_seed" / "load.csv")
    load["time"] = pd.to_datetime(load["time"], utc=True)
    return load.pivot(index="time", columns="transformer_id", values="load_kva")


def ingest_week(workbench, wide, path):
    """Ingest a week of readings and of the weather of the week before."""
    long = (
        wide.rename_axis("time").reset_index().melt("time", var_name="transformer_id", value_name="load_kva")
    )
    long.assign(time=long["time"].map(lambda t: t.isoformat())).to_csv(path / "later.csv", index=False)
    air = pd.read_csv(share_dir() / "data" / "demo_seed" / "weather.csv")
    for column in ("time", "issued_at"):
        air[column] = (pd.to_datetime(air[column], utc=True) + WEEK).map(lambda t: t.isoformat())
    air.to_csv(path / "weather_later.csv", index=False)
    ingest_paths(workbench, [path / "weather_later.csv", path / "later.csv"])


def test_telemetry_after_a_transfer_is_not_moved_a_second_time(demo, tmp_path):
    record = best_plan(demo)
    execute(demo, record.plan_id)
    network = queries.get_network(demo)
    normal = week_before()
    normal.index = normal.index + WEEK
    metered = transformer_load_kva(network, normal, closed_now(network))
    ingest_week(demo, metered, tmp_path)
    run_stages(demo)
    risk = queries.get_risk(demo).set_index("transformer_id")
    ratings = network.transformers.set_index("transformer_id")["rating_kva"]
    for name in ("T-07", "T-09", "T-01"):
        metered_pct = 100 * metered[name].max() / ratings[name]
        assert risk.loc[name, "peak_pct_p50"] == pytest.approx(metered_pct, rel=0.06), name


def closed_now(network):
    return closed_switches(current_states(network))


def test_what_was_metered_during_a_transfer_is_carried_back_to_normal(demo):
    network = queries.get_network(demo)
    with demo.store.read() as connection:
        history = network_records.read_switch_history(connection)
    moves = best_plan(demo).plan.moves
    normal = week_before()
    switched = normal.index[100] + pd.Timedelta(minutes=20)
    rows = [
        {"switch_id": m_id, "time": switched, "state": state, "health": "OK", "tags": "", "source": "manual"}
        for move in moves
        for m_id, state in ((move.open_switch, "OPEN"), (move.close_switch, "CLOSED"))
    ]
    early = history.assign(time=normal.index[0] - pd.Timedelta(days=1))
    history = pd.concat([early, pd.DataFrame(rows)], ignore_index=True)
    closed = closed_now(network)
    changed = {move.open_switch for move in moves}
    moved_on = closed - changed | {move.close_switch for move in moves}
    metered = normal.copy()
    metered.loc[metered.index > switched] = transformer_load_kva(
        network, normal.loc[normal.index > switched], frozenset(moved_on)
    )
    carried = normal_running(network, metered, history)
    touched = [moves[0].from_transformer, moves[0].to_transformer]
    mixed = carried.index == normal.index[100]
    assert carried.loc[mixed, touched].isna().all(axis=None)
    np.testing.assert_allclose(carried.loc[~mixed], normal.loc[~mixed])
    pd.testing.assert_frame_equal(carried.drop(columns=touched), normal.drop(columns=touched))


def test_plans_whose_hours_are_over_expire_and_release_their_transformer(demo, tmp_path):
    old = [r.plan_id for r in queries.get_plans(demo)]
    later = week_before()
    later.index = later.index + WEEK
    ingest_week(demo, later, tmp_path)
    run_stages(demo)
    assert {str(queries.get_plan(demo, plan_id).record.state) for plan_id in old} == {"EXPIRED"}
    for name in ("T-04", "T-07"):
        assert best_plan(demo, name).plan_id not in old


def test_an_approved_plan_whose_hours_are_over_is_not_issued(demo):
    plan_id = best_plan(demo).plan_id
    record = decisions.approve(demo, plan_id, by="operator")
    late = dataclasses.replace(
        demo,
        settings=demo.settings.model_copy(
            update={"clock": demo.settings.clock.model_copy(update={"follow": "wall"})}
        ),
        clock=lambda: pd.Timestamp(record.plan.needed_until) + pd.Timedelta(hours=2),
    )
    with pytest.raises(StalePlanError):
        workorders.issue(late, plan_id, by="operator2", crew="Crew 4")
    after = queries.get_plan(demo, plan_id).record
    assert (after.state, after.approved_by) == (PlanState.EXPIRED, "operator")


def test_a_replay_of_the_past_leaves_todays_plans_alone(demo):
    decisions.approve(demo, best_plan(demo).plan_id, by="operator")
    before = [(r.plan_id, r.state, r.rev) for r in queries.get_plans(demo)]
    today = queries.get_run(demo, stage="risk").run_id
    run_stages(demo, issued_at=pd.Timestamp("2026-08-08T00:00+03:00"))
    assert [(r.plan_id, r.state, r.rev) for r in queries.get_plans(demo)] == before
    assert queries.get_run(demo, stage="risk").run_id == today


@pytest.mark.parametrize("moment", ["2026-08-08T18:30+03:00", "2026-08-08T18:00"])
def test_a_forecast_starts_at_the_start_of_an_interval_with_a_zone(demo, moment):
    with pytest.raises(InputError):
        run_stages(demo, issued_at=pd.Timestamp(moment))


def test_an_order_aborted_midway_can_be_settled(demo):
    plan_id = best_plan(demo).plan_id
    decisions.approve(demo, plan_id, by="operator")
    order = workorders.issue(demo, plan_id, by="operator2", crew="Crew 4")
    workorders.start(demo, order.work_order_id, by="operator2")
    before = closed_now(queries.get_network(demo))
    first = next(s.step.number for s in order.steps if s.step.switching)
    for step in order.steps[:first]:
        workorders.record_step(
            demo,
            order.work_order_id,
            step.step.number,
            StepState.COMPLETED,
            by="operator2",
            reading=reading_for(step.step),
        )
    workorders.abort(demo, order.work_order_id, by="operator2", reason="called away", switched_back=False)
    workorders.settle(demo, order.work_order_id, by="operator2", reason="crew returned", switched_back=True)
    assert queries.get_plan(demo, plan_id).record.state is PlanState.ROLLED_BACK
    assert closed_now(queries.get_network(demo)) == before


def test_one_misdated_reading_does_not_move_now(demo, tmp_path):
    path = tmp_path / "future.csv"
    path.write_text(
        "transformer_id,time,load_kva\n"
        "T-01,2026-08-11T00:00:00+03:00,301.5\n"
        "T-01,2036-01-01T00:00:00+03:00,300.0\n"
    )
    (result,) = ingest_paths(demo, [path])
    assert result.rejects == 1
    assert "future_reading" in set(result.findings["code"])
    with demo.store.read() as connection:
        assert clock.next_interval(demo, connection) == pd.Timestamp("2026-08-11T01:00:00+03:00")


def test_nobody_decides_on_an_old_forecast(demo, tmp_path):
    plan_id = best_plan(demo).plan_id
    later = week_before().iloc[:24]
    later.index = later.index + WEEK
    ingest_week(demo, later, tmp_path)
    with pytest.raises(RefusedError, match="24 h old"):
        decisions.approve(demo, plan_id, by="operator")
    run_stages(demo)
    decisions.approve(demo, best_plan(demo).plan_id, by="operator")


def test_what_a_run_could_not_assess_is_named(demo):
    with demo.store.write() as connection:
        network = network_records.read_network(connection)
        rows = network.transformers.assign(
            rating_kva=network.transformers["rating_kva"].mask(
                network.transformers["transformer_id"] == "T-05"
            )
        )
        network_records.replace_network_table(connection, "transformers", rows)
    run_id = run_stages(demo)
    spots = queries.get_blind_spots(demo, run_id)
    assert set(spots) == {"T-05"}
    assert spots["T-05"].startswith("not assessed: ")


def test_an_open_plan_follows_the_newest_forecast(demo, tmp_path):
    old = best_plan(demo)
    sheet = queries.get_plan(demo, old.plan_id).instruction
    later = week_before().iloc[:24]
    later.index = later.index + WEEK
    ingest_week(demo, later, tmp_path)
    run_stages(demo)
    new = queries.get_plan(demo, old.plan_id)
    assert new.record.plan.moves == old.plan.moves
    assert new.record.plan.decide_by == old.plan.decide_by + pd.Timedelta(days=1)
    assert new.record.plan.needed_until > old.plan.needed_until
    assert new.instruction.abort_triggers != sheet.abort_triggers


def test_a_reading_outside_its_range_is_kept_as_an_abort_trigger_and_words_are_no_reading(demo):
    plan_id = best_plan(demo).plan_id
    decisions.approve(demo, plan_id, by="operator")
    order = workorders.issue(demo, plan_id, by="operator2", crew="Crew 4")
    workorders.start(demo, order.work_order_id, by="operator2")
    with pytest.raises(InputError, match="'as expected', and no number"):
        workorders.record_step(
            demo, order.work_order_id, 1, StepState.COMPLETED, by="operator2", reading="as expected"
        )
    order = workorders.record_step(
        demo, order.work_order_id, 1, StepState.COMPLETED, by="operator2", reading="9999 A"
    )
    assert order.steps[0].remark.startswith("ABORT TRIGGER: read 9999")
    assert "ABORT TRIGGER" in audit.last_events(demo, 1).iloc[0]["payload"]["abort_trigger"]


def test_telemetry_that_was_deleted_comes_back_from_its_file(demo):
    shutil.rmtree(demo.settings.data_dir / "telemetry" / "load")
    with pytest.raises(FileError, match="gest"):
        run_stages(demo)
    (result,) = ingest_paths(demo, [share_dir() / "data" / "demo_seed" / "load.csv"])
    assert result.repeated
    run_stages(demo)


def test_an_approved_plan_that_no_longer_holds_is_a_draft_after_the_next_run(demo):
    plan_id = best_plan(demo).plan_id
    record = decisions.approve(demo, plan_id, by="operator")
    row = {
        "switch_id": record.plan.moves[0].close_switch,
        "time": pd.Timestamp.now("UTC"),
        "state": "OPEN",
        "health": "FAULT",
        "tags": "",
        "source": "manual",
    }
    with demo.store.write() as connection:
        network_records.add_switch_states(connection, pd.DataFrame([row]), "operator")
    run_stages(demo)
    after = queries.get_plan(demo, plan_id).record
    assert (after.state, after.approved_by) == (PlanState.DRAFT, None)
    assert "FAULT" in after.reason


def test_a_replay_does_not_rewrite_todays_sheets(demo):
    sheet = queries.get_plan(demo, best_plan(demo).plan_id).instruction
    run_stages(demo, issued_at=pd.Timestamp("2026-08-08T00:00+03:00"))
    assert queries.get_plan(demo, best_plan(demo).plan_id).instruction == sheet
