"""The way back: an executed transfer is returned by a plan of its own, proven, approved and switched."""

import pandas as pd
import pytest
import sqlalchemy as sa

from gridlib.adapters import tables as t
from gridlib.adapters.notebooks import share_dir
from gridlib.adapters.records import network as network_records
from gridlib.domain.network import closed_switches, current_states, transformer_load_kva
from gridlib.facts.errors import FourEyesError, RefusedError, TransitionError
from gridlib.facts.messages import render
from gridlib.facts.types import PlanState, StepState
from gridlib.workflow import audit, decisions, queries, returns, workorders
from gridlib.workflow.ingest import ingest_paths
from gridlib.workflow.pipeline import run_stages

WEEK = pd.Timedelta(days=7)


def reading_for(step):
    """A reading that a crew would bring: inside the range that the sheet prints."""
    if step.reading_low is None:
        return "100 A"
    return f"{(step.reading_low + step.reading_high) / 2:.0f} {step.reading_unit}"


def switch(workbench, plan_id):
    """Issue, start, end every step, complete."""
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


def executed(workbench, transformer_id="T-07"):
    plan_id = queries.get_plans(workbench, transformer_id=transformer_id, states=[PlanState.DRAFT])[0].plan_id
    decisions.approve(workbench, plan_id, by="operator")
    switch(workbench, plan_id)
    return queries.get_plan(workbench, plan_id).record


def cooler_weeks_pass(workbench, folder, *, weeks=4, load_pu=0.5):
    """Meter weeks of less load under the switch states of now, and confirm every switch as it stands."""
    network = queries.get_network(workbench)
    load = pd.read_csv(share_dir() / "data" / "demo_seed" / "load.csv")
    load["time"] = pd.to_datetime(load["time"], utc=True)
    week = load.pivot(index="time", columns="transformer_id", values="load_kva") * load_pu
    normal = pd.concat([week.set_axis(week.index + n * WEEK) for n in range(1, weeks + 1)])
    wide = transformer_load_kva(network, normal, closed_switches(current_states(network)))
    long = (
        wide.rename_axis("time").reset_index().melt("time", var_name="transformer_id", value_name="load_kva")
    )
    long.assign(time=long["time"].map(lambda time: time.isoformat())).to_csv(
        folder / "later.csv", index=False
    )
    air = pd.read_csv(share_dir() / "data" / "demo_seed" / "weather.csv")
    for column in ("time", "issued_at"):
        air[column] = pd.to_datetime(air[column], utc=True)
    later = [
        air.assign(time=air["time"] + n * WEEK, issued_at=air["issued_at"] + n * WEEK)
        for n in range(1, weeks + 1)
    ]
    air = pd.concat(later).drop_duplicates(["station_id", "time"], keep="first")
    for column in ("time", "issued_at"):
        air[column] = air[column].map(lambda time: time.isoformat())
    air.to_csv(folder / "weather_later.csv", index=False)
    ingest_paths(workbench, [folder / "weather_later.csv", folder / "later.csv"])
    states = current_states(network).reset_index().assign(time=wide.index[-1], source="manual")
    with workbench.store.write() as connection:
        network_records.add_switch_states(connection, states, "operator")


def closed_now(workbench):
    return closed_switches(current_states(queries.get_network(workbench)))


def drafts_that_return(workbench):
    return [r for r in queries.get_plans(workbench, states=[PlanState.DRAFT]) if r.plan.returns]


def test_a_transfer_comes_back_by_a_plan_of_its_own_once_it_is_no_longer_needed(demo, tmp_path):
    normal = closed_now(demo)
    parent = executed(demo)
    assert closed_now(demo) != normal
    run_stages(demo)
    assert not drafts_that_return(demo)  # the overload of the coming evening would be back at once
    cooler_weeks_pass(demo, tmp_path)
    run_stages(demo)
    (draft,) = drafts_that_return(demo)
    assert draft.plan.returns == parent.plan_id
    assert draft.plan.transformer_id == "T-07"
    assert draft.prepared_by == "system"
    assert draft.plan.proof.holds
    with demo.store.read() as connection:
        row = connection.execute(sa.select(t.plan).where(t.plan.c.plan_id == draft.plan_id)).one()
    assert (row.kind, row.parent_id) == ("return", parent.plan_id)
    sheet = queries.get_plan(demo, draft.plan_id).instruction
    assert sheet is not None
    assert render(sheet.title).startswith(f"{draft.plan_id}: return ")
    run_stages(demo)
    assert [r.plan_id for r in drafts_that_return(demo)] == [draft.plan_id]  # proposed once

    decisions.approve(demo, draft.plan_id, by="operator")
    with pytest.raises(FourEyesError):
        workorders.issue(demo, draft.plan_id, by="operator", crew="Crew 4")
    switch(demo, draft.plan_id)
    assert queries.get_plan(demo, draft.plan_id).record.state is PlanState.EXECUTED
    ended = queries.get_plan(demo, parent.plan_id).record
    assert (ended.state, ended.reason) == (PlanState.RETURNED, draft.plan_id)
    assert closed_now(demo) == normal
    run_stages(demo)
    assert not drafts_that_return(demo)
    assert audit.verify(demo).rows > 20


def test_a_return_that_would_overload_is_refused_with_the_reason(demo):
    parent = executed(demo)
    run_stages(demo)
    with pytest.raises(RefusedError, match="T-07 would reach") as caught:
        returns.ask_return(demo, parent.plan_id, by="operator")
    assert f"{parent.plan_id} cannot be returned" in str(caught.value)
    event = audit.last_events(demo, 1).iloc[0]
    assert (event["action"], event["outcome"]) == ("plan.return", f"refused:{caught.value.code}")
    assert not drafts_that_return(demo)


def test_an_operator_asks_for_a_return_and_somebody_else_approves_it(demo, tmp_path):
    parent = executed(demo)
    cooler_weeks_pass(demo, tmp_path)
    run_stages(demo, ["forecast", "risk"])
    back = returns.ask_return(demo, parent.plan_id, by="operator")
    assert (back.state, back.prepared_by, back.plan.returns) == (PlanState.DRAFT, "operator", parent.plan_id)
    assert queries.get_plan(demo, back.plan_id).instruction is not None
    with pytest.raises(RefusedError, match=f"has a return plan already, {back.plan_id}"):
        returns.ask_return(demo, parent.plan_id, by="operator2")
    with pytest.raises(FourEyesError):
        decisions.approve(demo, back.plan_id, by="operator")
    decisions.approve(demo, back.plan_id, by="operator2")
    order = switch(demo, back.plan_id)
    assert order.plan_id == back.plan_id
    assert queries.get_plan(demo, parent.plan_id).record.state is PlanState.RETURNED


def test_only_an_executed_transfer_is_returned(demo):
    draft = queries.get_plans(demo, transformer_id="T-07", states=[PlanState.DRAFT])[0]
    with pytest.raises(TransitionError):
        returns.ask_return(demo, draft.plan_id, by="operator")


def test_a_return_that_is_rolled_back_leaves_the_transfer_executed(demo, tmp_path):
    parent = executed(demo)
    transferred = closed_now(demo)
    cooler_weeks_pass(demo, tmp_path)
    run_stages(demo)
    (draft,) = drafts_that_return(demo)
    decisions.approve(demo, draft.plan_id, by="operator")
    order = workorders.issue(demo, draft.plan_id, by="operator2", crew="Crew 4")
    workorders.start(demo, order.work_order_id, by="operator2")
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
    workorders.abort(demo, order.work_order_id, by="operator2", reason="storm", switched_back=True)
    assert closed_now(demo) == transferred
    assert queries.get_plan(demo, draft.plan_id).record.state is PlanState.ROLLED_BACK
    assert queries.get_plan(demo, parent.plan_id).record.state is PlanState.EXECUTED
    run_stages(demo)
    assert len(drafts_that_return(demo)) == 1
