"""The whole loop on the demo scenario: from 1,680 readings to a closed work order and a verified trail."""

import dataclasses

import pandas as pd
import pytest
import sqlalchemy as sa

from gridlib.adapters import tables as t
from gridlib.adapters.records import network as network_records
from gridlib.adapters.records import plans
from gridlib.domain.network import closed_switches, current_states, feeding
from gridlib.facts.errors import (
    AuditError,
    ChangedError,
    FourEyesError,
    InputError,
    NotFoundError,
    RefusedError,
    RoleError,
    StalePlanError,
    TransitionError,
)
from gridlib.facts.types import PlanState, StepState, WorkOrderState
from gridlib.workflow import audit, decisions, queries, workorders
from gridlib.workflow.pipeline import run_stages


def reading_for(step):
    """A reading that a crew would bring: inside the range that the sheet prints."""
    if step.reading_low is None:
        return "100 A"
    return f"{(step.reading_low + step.reading_high) / 2:.0f} A"


def best_plan(workbench, transformer_id="T-07"):
    return queries.get_plans(workbench, transformer_id=transformer_id, states=[PlanState.DRAFT])[0]


def approved(workbench):
    return decisions.approve(workbench, best_plan(workbench).plan_id, by="operator")


def issued(workbench):
    return workorders.issue(workbench, approved(workbench).plan_id, by="operator2", crew="Crew 4")


def started(workbench):
    return workorders.start(workbench, issued(workbench).work_order_id, by="operator2")


def do_steps(workbench, order, *, until=None):
    for step in order.steps[:until]:
        order = workorders.record_step(
            workbench,
            order.work_order_id,
            step.step.number,
            StepState.COMPLETED,
            by="operator2",
            reading=reading_for(step.step),
        )
    return order


def report_fault(workbench, switch_id):
    now = pd.Timestamp.now("UTC")
    row = {
        "switch_id": switch_id,
        "time": now,
        "state": "OPEN",
        "health": "FAULT",
        "tags": "",
        "source": "manual",
    }
    with workbench.store.write() as connection:
        network_records.add_switch_states(connection, pd.DataFrame([row]), "operator")


def closed_now(workbench):
    return closed_switches(current_states(queries.get_network(workbench)))


def last_event(workbench):
    return audit.last_events(workbench, 1).iloc[0]


def test_demo_scenario_gives_ten_forecasts_two_high_and_plans_for_both(demo):
    run = queries.get_run(demo, stage="instructions")
    forecast = queries.get_frame(demo, "forecast")
    risk = queries.get_risk(demo).set_index("transformer_id")
    assert run.stages["forecast"].counts["readings"] == 1680
    assert forecast.groupby("transformer_id").size().eq(72).all()
    assert forecast["transformer_id"].nunique() == 10
    assert set(risk.index[risk["risk_level"] == "HIGH"]) == {"T-04", "T-07"}
    for name in ("T-04", "T-07"):
        plan = best_plan(demo, name).plan
        donor, *receivers = plan.sides
        assert donor.transformer_id == name
        assert donor.peak_pct_p50_after < donor.peak_pct_p50_before
        assert donor.hours_over_after < donor.hours_over_before
        assert all(side.peak_pct_p90_after <= side.limit_pct for side in receivers)
        assert plan.risk_after < plan.risk_before
        sheet = queries.get_plan(demo, best_plan(demo, name).plan_id).instruction
        assert sheet is not None
        assert [s.device for s in sheet.steps if s.switching] == [
            device for move in plan.moves for device in (move.open_switch, move.close_switch)
        ]


def test_every_risk_has_a_reason_and_every_case_has_plan_zero(demo):
    risk = queries.get_risk(demo)
    assert risk.loc[risk["risk_level"] != "LOW", "reasons"].map(len).gt(0).all()
    for case in queries.get_cases(demo, queries.get_run(demo, stage="planning").run_id):
        assert case.do_nothing["hours_over_p90"] >= case.do_nothing["hours_over_p50"] >= 0


def test_a_plan_goes_from_draft_to_a_completed_work_order(demo):
    before = feeding(queries.get_network(demo), closed_now(demo))
    order = started(demo)
    year = demo.clock().tz_convert("Asia/Amman").year
    assert order.work_order_id == f"WO-{year}-0001"
    order = workorders.complete(demo, do_steps(demo, order).work_order_id, by="operator2")
    record = queries.get_plan(demo, order.plan_id).record
    assert (order.state, record.state) == (WorkOrderState.COMPLETED, PlanState.EXECUTED)
    after = feeding(queries.get_network(demo), closed_now(demo))
    moved = set(after.index[after != before])
    assert moved == {section for move in record.plan.moves for section in move.sections}
    assert after.notna().all()
    assert audit.verify(demo).rows > 20


def test_an_executed_plan_relieves_the_next_run(demo):
    risk_before = queries.get_risk(demo).set_index("transformer_id").loc["T-07"]
    order = do_steps(demo, started(demo))
    workorders.complete(demo, order.work_order_id, by="operator2")
    run_stages(demo)
    risk_after = queries.get_risk(demo).set_index("transformer_id").loc["T-07"]
    assert risk_after["peak_pct_p50"] < risk_before["peak_pct_p50"] - 10
    assert risk_after["risk_score"] < 0.5
    assert risk_after["risk_level"] != "HIGH"


def test_altering_a_row_makes_verify_name_it(demo):
    rows = audit.verify(demo).rows
    with demo.store.write() as connection, pytest.raises(sa.exc.DBAPIError):
        connection.execute(t.audit_event.update().where(t.audit_event.c.seq == 7).values(actor="ghost"))
    with demo.store.write() as connection:
        if connection.dialect.name == "postgresql":
            connection.exec_driver_sql("ALTER TABLE audit_event DISABLE TRIGGER ALL")
        else:
            triggers = connection.exec_driver_sql(
                "SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'audit_event'"
            )
            for (name,) in triggers.all():
                connection.exec_driver_sql(f"DROP TRIGGER {name}")
        connection.execute(t.audit_event.update().where(t.audit_event.c.seq == 7).values(actor="ghost"))
    with pytest.raises(AuditError) as caught:
        audit.verify(demo)
    assert caught.value.seq == 7 < rows


@pytest.mark.parametrize(
    ("by", "error"),
    [("analyst", RoleError), ("manager", RoleError), ("nobody", NotFoundError), ("system", RoleError)],
)
def test_only_an_operator_approves_and_the_attempt_is_audited(demo, by, error):
    plan_id = best_plan(demo).plan_id
    with pytest.raises(error):
        decisions.approve(demo, plan_id, by=by)
    event = last_event(demo)
    assert (event["actor"], event["action"], event["object"]) == (by, "plan.approve", plan_id)
    assert event["outcome"] == f"refused:{error.code}"
    assert queries.get_plan(demo, plan_id).record.state is PlanState.DRAFT


def test_who_approved_a_scheduled_plan_cannot_issue_it(demo):
    plan_id = approved(demo).plan_id
    with pytest.raises(FourEyesError):
        workorders.issue(demo, plan_id, by="operator", crew="Crew 4")
    assert last_event(demo)["outcome"] == "refused:four_eyes"
    assert not queries.get_work_orders(demo)


def test_small_rooms_may_switch_four_eyes_off(demo):
    alone = dataclasses.replace(
        demo,
        settings=demo.settings.model_copy(
            update={"decisions": demo.settings.decisions.model_copy(update={"four_eyes": False})}
        ),
    )
    order = workorders.issue(alone, approved(alone).plan_id, by="operator", crew="Crew 4")
    assert order.issued_by == "operator"


def test_approval_expires_the_alternatives(demo):
    draft = best_plan(demo)
    second = dataclasses.replace(draft.plan, rank=2)
    with demo.store.write() as connection:
        plans.save_plan(
            connection, "PLAN-2", draft.run_id, second, prepared_by="system", created_at=demo.clock()
        )
    approved(demo)
    other = queries.get_plan(demo, "PLAN-2").record
    assert (other.state, other.reason) == (PlanState.EXPIRED, f"{draft.plan_id} was approved instead")


def test_a_rejection_needs_a_reason_and_releases_the_transformer(demo):
    drafts = queries.get_plans(demo, transformer_id="T-07", states=[PlanState.DRAFT])
    with pytest.raises(InputError):
        decisions.reject(demo, drafts[0].plan_id, by="operator", reason="  ")
    for record in drafts:
        decisions.reject(demo, record.plan_id, by="operator", reason="crew not available")
    run_stages(demo)
    again = best_plan(demo)
    assert again.plan_id not in {r.plan_id for r in drafts}
    assert again.plan.moves == drafts[0].plan.moves


def test_an_open_plan_is_kept_and_not_planned_again(demo):
    first = [r.plan_id for r in queries.get_plans(demo)]
    run_stages(demo)
    assert [r.plan_id for r in queries.get_plans(demo)] == first


def test_a_plan_is_approved_once(demo):
    record = approved(demo)
    with pytest.raises(TransitionError) as caught:
        decisions.approve(demo, record.plan_id, by="operator2")
    assert "ISSUED" in caught.value.what_to_do


def test_two_work_orders_never_come_from_one_plan(demo):
    order = issued(demo)
    with pytest.raises(TransitionError):
        workorders.issue(demo, order.plan_id, by="operator2", crew="Crew 5")
    assert len(queries.get_work_orders(demo)) == 1


def test_a_plan_through_a_faulty_switch_is_not_approved(demo):
    record = best_plan(demo)
    report_fault(demo, record.plan.moves[0].close_switch)
    with pytest.raises(StalePlanError, match="FAULT"):
        decisions.approve(demo, record.plan_id, by="operator")
    after = queries.get_plan(demo, record.plan_id).record
    assert after.state is PlanState.DRAFT
    assert "FAULT" in after.reason
    assert last_event(demo)["outcome"] == "stale"


def test_a_plan_that_went_stale_is_not_issued_and_is_a_draft_again(demo):
    record = approved(demo)
    report_fault(demo, record.plan.moves[0].close_switch)
    with pytest.raises(StalePlanError):
        workorders.issue(demo, record.plan_id, by="operator2", crew="Crew 4")
    after = queries.get_plan(demo, record.plan_id).record
    assert (after.state, after.approved_by) == (PlanState.DRAFT, None)


def test_an_order_whose_plan_went_stale_is_not_started(demo):
    order = issued(demo)
    report_fault(demo, queries.get_plan(demo, order.plan_id).record.plan.moves[0].close_switch)
    with pytest.raises(StalePlanError):
        workorders.start(demo, order.work_order_id, by="operator2")
    assert queries.get_work_order(demo, order.work_order_id).state is WorkOrderState.CANCELLED
    assert queries.get_plan(demo, order.plan_id).record.state is PlanState.DRAFT


def test_the_next_run_expires_a_draft_that_no_longer_holds(demo):
    record = best_plan(demo)
    report_fault(demo, record.plan.moves[0].close_switch)
    run_stages(demo)
    after = queries.get_plan(demo, record.plan_id).record
    assert after.state is PlanState.EXPIRED
    assert "FAULT" in after.reason


def test_steps_end_in_order(demo):
    order = started(demo)
    with pytest.raises(RefusedError):
        workorders.record_step(demo, order.work_order_id, 2, StepState.COMPLETED, by="operator2")


def test_a_switching_step_is_not_skipped(demo):
    order = started(demo)
    number = next(s.step.number for s in order.steps if s.step.switching)
    do_steps(demo, order, until=number - 1)
    with pytest.raises(RefusedError):
        workorders.record_step(
            demo, order.work_order_id, number, StepState.SKIPPED, by="operator2", remark="no"
        )


def test_an_order_with_open_steps_is_not_completed(demo):
    order = started(demo)
    with pytest.raises(RefusedError):
        workorders.complete(demo, order.work_order_id, by="operator2")


def test_a_completed_order_stays_completed(demo):
    order = do_steps(demo, started(demo))
    workorders.complete(demo, order.work_order_id, by="operator2")
    for again in (
        lambda: workorders.start(demo, order.work_order_id, by="operator2"),
        lambda: workorders.cancel(demo, order.work_order_id, by="operator2", reason="changed my mind"),
        lambda: decisions.reject(demo, order.plan_id, by="operator", reason="too late"),
    ):
        with pytest.raises(TransitionError):
            again()


def test_a_failed_step_ends_in_abort_and_the_switches_are_reported_back(demo):
    before = closed_now(demo)
    order = started(demo)
    opening, closing = (s.step.number for s in order.steps if s.step.switching)
    do_steps(demo, order, until=closing - 1)
    assert len(before - closed_now(demo)) == 1
    workorders.record_step(
        demo, order.work_order_id, closing, StepState.FAILED, by="operator2", remark="will not close"
    )
    order = workorders.abort(
        demo, order.work_order_id, by="operator2", reason="tie will not close", switched_back=True
    )
    assert closed_now(demo) == before
    assert queries.get_plan(demo, order.plan_id).record.state is PlanState.ROLLED_BACK
    assert opening < closing


def test_an_abort_without_switching_back_leaves_the_real_states(demo):
    before = closed_now(demo)
    order = started(demo)
    opening = next(s.step.number for s in order.steps if s.step.switching)
    do_steps(demo, order, until=opening)
    workorders.abort(
        demo, order.work_order_id, by="operator2", reason="crew called away", switched_back=False
    )
    assert queries.get_plan(demo, order.plan_id).record.state is PlanState.PARTIAL
    assert len(before - closed_now(demo)) == 1


def test_a_cancelled_order_gives_its_plan_back(demo):
    order = issued(demo)
    workorders.cancel(demo, order.work_order_id, by="operator2", reason="storm")
    record = queries.get_plan(demo, order.plan_id).record
    assert (record.state, record.reason) == (PlanState.DRAFT, "storm")
    again = decisions.approve(demo, order.plan_id, by="operator")
    second = workorders.issue(demo, again.plan_id, by="operator2", crew="Crew 4")
    assert second.work_order_id.endswith("-0002")


def test_work_order_numbers_go_on_past_9999(demo):
    year = demo.clock().tz_convert("Asia/Amman").year
    with demo.store.write() as connection:
        connection.execute(t.counter.insert().values(name="work_order", year=year, last=9999))
    assert issued(demo).work_order_id == f"WO-{year}-10000"


def test_an_alert_is_acknowledged_once(demo):
    assert set(queries.get_queue(demo).unacknowledged) == {"T-04", "T-07"}
    decisions.acknowledge(demo, "T-07", by="operator", note="seen")
    assert queries.get_queue(demo).unacknowledged == ("T-04",)
    with pytest.raises(ChangedError, match="ACKNOWLEDGED at HIGH by operator on"):
        decisions.acknowledge(demo, "T-07", by="operator2")


def test_a_plan_whose_hours_are_over_expires_on_approval(demo):
    record = best_plan(demo)
    later = dataclasses.replace(
        demo,
        settings=demo.settings.model_copy(
            update={"clock": demo.settings.clock.model_copy(update={"follow": "wall"})}
        ),
        clock=lambda: pd.Timestamp(record.plan.needed_until) + pd.Timedelta(hours=1),
    )
    with pytest.raises(StalePlanError):
        decisions.approve(later, record.plan_id, by="operator")
    assert queries.get_plan(demo, record.plan_id).record.state is PlanState.EXPIRED


def test_a_device_that_failed_is_not_planned_through_again(demo):
    order = started(demo)
    opening = next(s for s in order.steps if s.step.switching).step
    do_steps(demo, order, until=opening.number - 1)
    workorders.record_step(
        demo, order.work_order_id, opening.number, StepState.FAILED, by="operator2", remark="opened in part"
    )
    workorders.abort(demo, order.work_order_id, by="operator2", reason="failed", switched_back=True)
    states = current_states(queries.get_network(demo))
    assert states.loc[opening.device, "health"] == "FAULT"
    run_stages(demo)
    fresh = queries.get_plans(demo, transformer_id="T-07", states=[PlanState.DRAFT])
    assert all(opening.device != move.open_switch for r in fresh for move in r.plan.moves)


def test_an_abort_before_any_switching_leaves_nothing_to_settle(demo):
    order = started(demo)
    workorders.abort(demo, order.work_order_id, by="operator2", reason="storm", switched_back=False)
    assert queries.get_plan(demo, order.plan_id).record.state is PlanState.ROLLED_BACK
    assert not queries.get_queue(demo).unsettled


def test_an_order_that_was_not_switched_back_waits_to_be_settled(demo):
    order = started(demo)
    opening = next(s.step.number for s in order.steps if s.step.switching)
    do_steps(demo, order, until=opening)
    workorders.abort(demo, order.work_order_id, by="operator2", reason="called away", switched_back=False)
    (waiting,) = queries.get_queue(demo).unsettled
    assert waiting.work_order_id == order.work_order_id


def test_without_its_checkpoint_file_the_trail_neither_verifies_nor_goes_on(demo):
    demo.checkpoint_path.unlink()
    with pytest.raises(AuditError, match="missing"):
        audit.verify(demo)
    with pytest.raises(AuditError, match="missing"):
        audit.checkpoint(demo)
