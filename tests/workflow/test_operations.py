"""What operators do through a shift: steps, alerts, switches, and two people at once."""

import dataclasses
from types import SimpleNamespace

import pandas as pd
import pytest

from gridlib.adapters.records import network as network_records
from gridlib.facts.errors import ChangedError, InputError, NotFoundError, RefusedError, RoleError
from gridlib.facts.messages import render
from gridlib.facts.types import PlanState, RiskLevel, StepState, SwitchState, WorkOrderState
from gridlib.workflow import audit, clock, decisions, drafts, queries, switches, workorders
from gridlib.workflow.alerts import follow_risk
from gridlib.workflow.audit import intention
from gridlib.workflow.pipeline import run_stages

HOUR = pd.Timedelta(hours=1)


def best_plan(workbench, transformer_id="T-07"):
    return queries.get_plans(workbench, transformer_id=transformer_id, states=[PlanState.DRAFT])[0]


def issued(workbench):
    plan_id = best_plan(workbench).plan_id
    decisions.approve(workbench, plan_id, by="operator")
    return workorders.issue(workbench, plan_id, by="operator2", crew="Crew 4")


def started(workbench):
    return workorders.start(workbench, issued(workbench).work_order_id, by="operator2")


def end(workbench, order, number, outcome=StepState.COMPLETED, **rest):
    step = order.steps[number - 1].step
    reading = "" if step.reading_low is None else f"{(step.reading_low + step.reading_high) / 2:.0f} A"
    rest = {"by": "operator2", "reading": reading or "100 A", **rest}
    return workorders.record_step(workbench, order.work_order_id, number, outcome, **rest)


def last_event(workbench):
    return audit.last_events(workbench, 1).iloc[0]


def later(workbench, delta):
    at = workbench.clock() + delta
    return dataclasses.replace(workbench, clock=lambda: at)


def find(workbench, transformer_id="T-07"):
    return {a.transformer_id: a for a in queries.get_alerts(workbench)}.get(transformer_id)


def new_run(workbench, *, hours, **levels):
    """Let a later run find other levels; imminent where the level ends with "!"."""
    newest = queries.get_run(workbench, stage="risk")
    run = SimpleNamespace(run_id=f"RUN-{hours}", issued_at=newest.issued_at + hours * HOUR)
    names = [name.replace("_", "-") for name in levels]
    risk = pd.DataFrame(
        {
            "transformer_id": names,
            "risk_level": [level.rstrip("!") for level in levels.values()],
            "imminent": [level.endswith("!") for level in levels.values()],
        }
    )
    with intention(workbench, "system", "stage.risk", run.run_id) as act:
        follow_risk(act, run, risk)


def report(workbench, switch_id, state, source, *, hours=0.0):
    with workbench.store.write() as connection:
        time = clock.now(workbench, connection) + hours * HOUR
        row = {"switch_id": switch_id, "time": time, "state": state, "health": "OK", "tags": ""}
        network_records.add_switch_states(connection, pd.DataFrame([{**row, "source": source}]), "system")


# Steps


def test_a_step_is_instructed_to_somebody_then_completed(demo):
    order = started(demo)
    order = workorders.instruct_step(demo, order.work_order_id, 1, by="operator", to=" R. Haddad ")
    step = order.steps[0]
    assert (step.state, step.instructed_by, step.instructed_to) == (
        StepState.INSTRUCTED,
        "operator",
        "R. Haddad",
    )
    order = end(demo, order, 1)
    step = order.steps[0]
    assert (step.state, step.instructed_by, step.ended_by) == (StepState.COMPLETED, "operator", "operator2")
    assert step.instructed_at < step.ended_at


def test_the_next_step_is_not_instructed_before_the_one_above_has_ended(demo):
    order = started(demo)
    workorders.instruct_step(demo, order.work_order_id, 1, by="operator2", to="R. Haddad")
    with pytest.raises(RefusedError, match="before step 1 has ended"):
        workorders.instruct_step(demo, order.work_order_id, 2, by="operator2", to="R. Haddad")
    assert last_event(demo)["outcome"] == "refused:refused"


def test_a_step_ended_at_once_counts_as_instructed_to_the_crew(demo):
    step = end(demo, started(demo), 1).steps[0]
    assert (step.instructed_by, step.instructed_to) == ("operator2", "Crew 4")
    assert step.instructed_at == step.ended_at


def test_an_instruction_names_who_received_it(demo):
    order = started(demo)
    with pytest.raises(InputError):
        workorders.instruct_step(demo, order.work_order_id, 1, by="operator2", to="  ")


def test_a_switching_step_that_was_instructed_may_have_been_carried_out(demo):
    order = started(demo)
    number = next(s.step.number for s in order.steps if s.step.switching)
    for before in range(1, number):
        order = end(demo, order, before)
    workorders.instruct_step(demo, order.work_order_id, number, by="operator2", to="R. Haddad")
    order = workorders.abort(
        demo, order.work_order_id, by="operator2", reason="radio lost", switched_back=False
    )
    assert queries.get_plan(demo, order.plan_id).record.state is PlanState.PARTIAL
    assert order.steps[number - 1].state is StepState.ABORTED


def test_an_order_has_the_window_of_its_plan_and_is_overdue_after_it(demo):
    plan = best_plan(demo).plan
    order = issued(demo)
    assert (order.planned_from, order.planned_until) == (plan.switch_at, plan.needed_from)
    assert queries.get_overdue(demo) == ()
    wall = demo.settings.model_copy(
        update={"clock": demo.settings.clock.model_copy(update={"follow": "wall"})}
    )
    late = dataclasses.replace(demo, settings=wall, clock=lambda: order.planned_until + HOUR)
    assert queries.get_overdue(late) == (order.work_order_id,)


# Two operators on one thing


def test_the_second_operator_is_told_who_decided_what_and_when(demo):
    shown = best_plan(demo)
    decisions.reject(demo, shown.plan_id, by="operator", reason="crew not available", rev=shown.rev)
    with pytest.raises(ChangedError, match=r"REJECTED by operator on .* \(crew not available\)") as caught:
        decisions.approve(demo, shown.plan_id, by="operator2", rev=shown.rev)
    assert (caught.value.by, caught.value.twice) == ("operator", False)
    assert caught.value.at.utcoffset().total_seconds() == 3 * 3600
    assert last_event(demo)["outcome"] == "refused:changed"


def test_a_double_click_is_told_so_and_does_nothing_twice(demo):
    shown = best_plan(demo)
    decisions.approve(demo, shown.plan_id, by="operator", rev=shown.rev)
    with pytest.raises(ChangedError, match="you have done this already") as caught:
        decisions.approve(demo, shown.plan_id, by="operator", rev=shown.rev)
    assert caught.value.twice
    approved = queries.get_plan(demo, shown.plan_id).record
    order = workorders.issue(demo, shown.plan_id, by="operator2", crew="Crew 4", rev=approved.rev)
    with pytest.raises(ChangedError, match="you have done this already"):
        workorders.issue(demo, shown.plan_id, by="operator2", crew="Crew 4", rev=approved.rev)
    running = workorders.start(demo, order.work_order_id, by="operator2", rev=order.rev)
    with pytest.raises(ChangedError, match="you have done this already"):
        workorders.start(demo, order.work_order_id, by="operator2", rev=order.rev)
    end(demo, running, 1, rev=running.rev)
    with pytest.raises(ChangedError, match="you have done this already"):
        end(demo, running, 1, rev=running.rev)
    assert [w.work_order_id for w in queries.get_work_orders(demo)] == [order.work_order_id]


def test_a_step_ended_by_a_colleague_is_not_ended_again(demo):
    shown = started(demo)
    end(demo, shown, 1, by="operator", rev=shown.rev)
    with pytest.raises(ChangedError, match="step 1 COMPLETED by operator"):
        end(demo, shown, 1, by="operator2", rev=shown.rev)


@pytest.mark.parametrize("act", ["instruct", "complete", "abort", "cancel", "settle"])
def test_no_action_goes_to_an_order_that_has_changed(demo, act):
    shown = started(demo)
    workorders.instruct_step(demo, shown.work_order_id, 1, by="operator", to="R. Haddad", rev=shown.rev)
    rest = {
        "instruct": {"number": 1, "to": "R. Haddad"},
        "complete": {},
        "abort": {"reason": "storm", "switched_back": True},
        "cancel": {"reason": "storm"},
        "settle": {"reason": "storm", "switched_back": True},
    }[act]
    do = workorders.instruct_step if act == "instruct" else getattr(workorders, act)
    with pytest.raises(ChangedError, match="step 1 INSTRUCTED by operator"):
        do(demo, shown.work_order_id, by="operator2", rev=shown.rev, **rest)
    assert queries.get_work_order(demo, shown.work_order_id).state is WorkOrderState.IN_PROGRESS


# Alerts


def test_every_medium_and_high_has_an_alert_and_the_high_ones_wait(demo):
    risk = queries.get_risk(demo)
    found = queries.get_alerts(demo)
    assert {a.transformer_id for a in found} == set(risk.loc[risk["risk_level"] != "LOW", "transformer_id"])
    assert all(a.waits for a in found)
    assert {a.transformer_id for a in found if a.risk_level is RiskLevel.HIGH} == {"T-04", "T-07"}


def test_an_acknowledged_high_is_quiet_in_the_next_runs(demo):
    decisions.acknowledge(demo, "T-07", by="operator", note="seen")
    run_stages(demo)
    assert queries.get_queue(demo).unacknowledged == ("T-04",)
    assert find(demo).acknowledged_by == "operator"


def test_an_alert_that_gets_worse_comes_back_under_its_history(demo):
    new_run(demo, hours=1, T_07="MEDIUM")
    decisions.acknowledge(demo, "T-07", by="operator")
    new_run(demo, hours=2, T_07="HIGH!")
    alert = find(demo)
    assert alert.waits
    assert alert.escalated
    assert "T-07" in queries.get_queue(demo).unacknowledged
    history = queries.get_alert_history(demo, "T-07")
    assert list(history["event"]) == ["ESCALATED", "ACKNOWLEDGED", "EASED", "RAISED"]
    assert list(history["by"][:3]) == ["RUN-2", "operator", "RUN-1"]


def test_an_alert_clears_with_low_and_stays_where_a_run_could_not_look(demo):
    new_run(demo, hours=1, T_07="LOW")
    assert find(demo) is None
    assert find(demo, "T-04") is not None
    with pytest.raises(NotFoundError):
        decisions.acknowledge(demo, "T-07", by="operator")


def test_a_replay_leaves_alerts_alone(demo):
    before = queries.get_alerts(demo)
    new_run(demo, hours=-24, T_07="LOW", T_04="LOW", T_01="HIGH!")
    assert queries.get_alerts(demo) == before


def test_a_shelved_alert_does_not_call_until_its_time_is_over(demo):
    until = demo.clock() + 4 * HOUR
    decisions.shelve(demo, "T-07", by="operator", reason="mobile unit on its way", until=until)
    assert queries.get_queue(demo).unacknowledged == ("T-04",)
    after = later(demo, 5 * HOUR)
    assert set(queries.get_queue(after).unacknowledged) == {"T-04", "T-07"}
    assert find(after).called_at == until.floor("us")
    new_run(after, hours=1, T_07="HIGH")
    assert list(queries.get_alert_history(demo, "T-07")["event"])[:2] == ["SHELF_OVER", "SHELVED"]


def test_a_shelved_alert_comes_back_when_it_becomes_imminent(demo):
    new_run(demo, hours=30, T_07="HIGH")
    decisions.shelve(demo, "T-07", by="operator", reason="known", until=demo.clock() + HOUR)
    new_run(demo, hours=31, T_07="HIGH!")
    assert find(demo).waits


def test_an_alert_taken_off_the_shelf_calls_again(demo):
    decisions.shelve(demo, "T-07", by="operator", reason="known", until=demo.clock() + HOUR)
    assert decisions.unshelve(demo, "T-07", by="operator2").waits
    with pytest.raises(InputError, match="not shelved"):
        decisions.unshelve(demo, "T-07", by="operator2")


@pytest.mark.parametrize(
    ("reason", "hours"), [("", 1), ("  ", 1), ("known", 0), ("known", -1), ("known", 12.1)]
)
def test_shelving_needs_a_reason_and_has_an_end(demo, reason, hours):
    with pytest.raises(InputError):
        decisions.shelve(demo, "T-07", by="operator", reason=reason, until=demo.clock() + hours * HOUR)
    assert find(demo).waits


def test_only_operators_set_alerts_aside(demo):
    with pytest.raises(RoleError):
        decisions.shelve(demo, "T-07", by="manager", reason="known", until=demo.clock() + HOUR)


def test_two_operators_on_one_alert(demo):
    shown = find(demo)
    decisions.shelve(demo, "T-07", by="operator", reason="known", until=demo.clock() + HOUR, rev=shown.rev)
    with pytest.raises(ChangedError, match="SHELVED at HIGH by operator"):
        decisions.acknowledge(demo, "T-07", by="operator2", rev=shown.rev)
    shown = find(demo, "T-04")
    decisions.acknowledge(demo, "T-04", by="operator", rev=shown.rev)
    with pytest.raises(ChangedError, match="you have done this already"):
        decisions.acknowledge(demo, "T-04", by="operator", rev=shown.rev)


# Switches


def tie_of(workbench):
    return best_plan(workbench).plan.moves[0].close_switch


def test_a_position_confirmed_by_a_person_counts(demo):
    tie = tie_of(demo)
    switches.confirm_switch(demo, tie, by="operator", state=SwitchState.OPEN)
    row = queries.get_switches(demo, [tie]).iloc[0]
    assert (row["state"], row["source"], bool(row["confirmed"])) == ("OPEN", "manual", True)
    assert row["age_h"] == pytest.approx(0, abs=0.01)
    event = last_event(demo)
    assert (event["action"], event["actor"], event["object"]) == ("switch.confirm", "operator", tie)


def test_telemetry_that_contradicts_an_order_is_named(demo):
    tie = tie_of(demo)
    report(demo, tie, "CLOSED", "telemetered", hours=-1)
    said = switches.confirm_switch(demo, tie, by="operator", state=SwitchState.OPEN)
    assert said.startswith(f"{tie}: telemetry says CLOSED since")
    assert "operator reported OPEN" in said
    assert queries.get_mismatches(demo) == {tie: said}
    assert last_event(demo)["payload"]["mismatch"] == said
    assert "مغلق" in queries.get_mismatches(demo, language="ar")[tie]
    report(demo, tie, "OPEN", "telemetered", hours=1)
    assert queries.get_mismatches(demo) == {}


def test_a_device_that_opens_by_itself_is_named_until_a_person_confirms_it(demo):
    device = best_plan(demo).plan.moves[0].open_switch
    switches.confirm_switch(demo, device, by="operator", state=SwitchState.CLOSED)
    report(demo, device, "OPEN", "telemetered", hours=1)
    assert device in queries.get_mismatches(demo)
    assert queries.get_switches(demo, [device]).iloc[0]["state"] == "OPEN"
    switches.confirm_switch(demo, device, by="operator", state=SwitchState.OPEN)
    assert queries.get_mismatches(demo) == {}


def test_an_old_or_assumed_position_is_not_confirmed(demo):
    report(demo, "SW-03", "OPEN", "manual", hours=-24 * 8)
    table = queries.get_switches(demo).set_index("switch_id")
    assumed = table[table["source"] == "assumed"]
    assert not assumed["confirmed"].any()
    assert assumed["time"].isna().all()
    assert len(table) == len(queries.get_network(demo).switches)


@pytest.mark.parametrize(
    ("switch_id", "state", "error"),
    [("NONE", SwitchState.OPEN, NotFoundError), ("SW-03", "AJAR", InputError)],
)
def test_only_a_known_switch_takes_a_position(demo, switch_id, state, error):
    with pytest.raises(error):
        switches.confirm_switch(demo, switch_id, by="operator", state=state)


# Freshness and drafts


def test_data_grow_old_on_the_wall_clock(demo):
    fresh = queries.get_freshness(demo)
    assert (fresh.readings_age_h, fresh.forecast_age_h, fresh.stale) == (0, 0, False)
    wall = demo.settings.model_copy(
        update={"clock": demo.settings.clock.model_copy(update={"follow": "wall"})}
    )
    at = queries.get_run(demo, stage="risk").issued_at
    for hours, stale, ids in (
        (5, False, ["freshness.readings", "freshness.forecast"]),
        (7, True, ["freshness.readings_stale", "freshness.forecast"]),
        (13, True, ["freshness.readings_stale", "freshness.forecast_stale"]),
    ):
        moment = at + hours * HOUR
        found = queries.get_freshness(
            dataclasses.replace(demo, settings=wall, clock=lambda moment=moment: moment)
        )
        assert (found.stale, [m.id for m in found.messages]) == (stale, ids)
        assert found.readings_age_h == hours
        assert all(render(message, "ar") for message in found.messages)


def test_what_was_typed_is_kept_until_it_is_sent(demo):
    rows = audit.verify(demo).rows
    drafts.save_draft(demo, "operator", "desk:PLAN-1", {"reason": "crew لا يكفي", "steps": [1, 2]})
    drafts.save_draft(demo, "operator", "desk:PLAN-1", {"reason": "crew"})
    assert drafts.get_draft(demo, "operator", "desk:PLAN-1") == {"reason": "crew"}
    assert drafts.get_draft(demo, "operator2", "desk:PLAN-1") == {}
    drafts.clear_draft(demo, "operator", "desk:PLAN-1")
    assert drafts.get_draft(demo, "operator", "desk:PLAN-1") == {}
    assert audit.verify(demo).rows == rows


def test_drafts_are_bounded(demo):
    with pytest.raises(InputError, match="bytes"):
        drafts.save_draft(demo, "operator", "form", {"note": "x" * drafts.MOST_BYTES})
    with pytest.raises(InputError):
        drafts.save_draft(demo, "operator", "", {})
    with pytest.raises(NotFoundError):
        drafts.save_draft(demo, "nobody", "form", {})
    for number in range(drafts.MOST_FORMS + 5):
        drafts.save_draft(demo, "operator", f"form {number}", {"n": number})
    assert drafts.get_draft(demo, "operator", "form 4") == {}
    assert drafts.get_draft(demo, "operator", "form 5") == {"n": 5}
