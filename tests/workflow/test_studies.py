"""Studies agree with the run, move as physics says, and leave no trace; another plan is another plan."""

import dataclasses
import json
import time

import numpy as np
import pandas as pd
import pytest
from pydantic import TypeAdapter

from gridlib.adapters.records import network as network_records
from gridlib.adapters.records import plans
from gridlib.apps.study.memory import read_memory
from gridlib.apps.study.pictures import draw_picture
from gridlib.domain.thermal import ThermalState
from gridlib.facts.errors import (
    ChangedError,
    FourEyesError,
    InputError,
    NotFoundError,
    RefusedError,
    TransitionError,
)
from gridlib.facts.messages import from_json, render
from gridlib.facts.studies import Study
from gridlib.facts.types import PlanState, RiskLevel, SwitchState
from gridlib.workbench import open_workbench
from gridlib.workflow import audit, clock, decisions, queries, switches
from gridlib.workflow.pipeline import run_stages
from gridlib.workflow.proof import bench_around, bench_of, refresh_record
from gridlib.workflow.studies import read_base, study


def drafts_of(workbench, transformer_id="T-07"):
    return queries.get_plans(workbench, transformer_id=transformer_id, states=[PlanState.DRAFT])


def test_an_unchanged_study_is_what_the_run_found(demo):
    base = read_base(demo)
    risk = queries.get_risk(demo).set_index("transformer_id")
    for name, row in risk.iterrows():
        found = study(demo, name, base=base)
        assert found.before == found.after
        for field in ("risk_score", "overload", "thermal", "cascading", "peak_pct_p90", "p_any_1_72"):
            assert getattr(found.after, field) == pytest.approx(row[field], abs=1e-9), field
        assert found.after.risk_level == row["risk_level"]
        assert (found.plans == ()) == (row["risk_level"] == "LOW" or not drafts_of(demo, name))
    assert study(demo, "T-07", base=base).plans[0].moves == drafts_of(demo)[0].plan.moves


def test_hotter_air_heats_and_more_load_overloads(demo):
    base = read_base(demo)
    hot = study(demo, "T-07", ambient_k=5, base=base)
    assert hot.after.hot_spot_c_max == pytest.approx(hot.before.hot_spot_c_max + 5, abs=0.5)
    assert hot.after.overload == hot.before.overload
    assert hot.after.limit_kva < hot.before.limit_kva
    heavy = study(demo, "T-07", load_pct=10, base=base)
    assert heavy.after.peak_pct_p50 == pytest.approx(1.1 * heavy.before.peak_pct_p50)
    assert heavy.after.risk_score > heavy.before.risk_score
    light = study(demo, "T-07", load_pct=-40, base=base)
    assert light.after.p_any_1_72 < 0.05
    assert light.plans == light.why_not == ()
    assert light.after.risk_level is RiskLevel.LOW


def test_a_tie_that_is_out_is_in_no_plan_and_in_no_rescue(demo):
    tie = drafts_of(demo)[0].plan.moves[0].close_switch
    found = study(demo, "T-07", tie_out=tie)
    assert all(tie != move.close_switch for plan in found.plans for move in plan.moves)
    assert found.after.cascading >= found.before.cascading
    assert any(tie in render(why.reason) and "FAULT" in render(why.reason) for why in found.why_not)


def test_a_study_leaves_no_trace_and_says_what_it_is(demo):
    before = audit.verify(demo).rows, queries.get_plans(demo), queries.get_network(demo).states.to_json()
    found = study(demo, "T-07", ambient_k=3, load_pct=5)
    assert (audit.verify(demo).rows, queries.get_plans(demo)) == before[:2]
    assert queries.get_network(demo).states.to_json() == before[2]
    said = from_json(found.messages)
    assert [m.id for m in said][:3] == ["study.mark", "study.air", "study.load"]
    assert all(render(message, "ar") for message in said)


def test_a_study_travels_as_text(demo):
    adapter = TypeAdapter(Study)
    found = study(demo, "T-04", load_pct=5)
    text = json.dumps(adapter.dump_python(found, mode="json"))
    assert json.dumps(adapter.dump_python(adapter.validate_python(json.loads(text)), mode="json")) == text


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"ambient_k": 31}, InputError),
        ({"ambient_k": float("nan")}, InputError),
        ({"load_pct": -91}, InputError),
        ({"load_pct": float("inf")}, InputError),
        ({"tie_out": "NONE"}, NotFoundError),
    ],
)
def test_a_study_of_nonsense_is_refused(demo, change, error):
    with pytest.raises(error):
        study(demo, "T-07", **change)


def test_a_warm_study_takes_little_of_its_three_seconds(demo):
    base = read_base(demo)
    begun = time.process_time()
    study(demo, "T-07", ambient_k=3, load_pct=3, base=base)
    assert time.process_time() - begun < 1.5


def test_what_is_read_anew_after_a_change_is_what_is_read_from_the_start(demo):
    before = read_memory(demo)
    move = drafts_of(demo)[0].plan.moves[0]

    def after(change):
        nonlocal before
        change()
        kept, fresh = read_memory(demo, before), read_memory(demo)
        assert kept.version == fresh.version != before.version
        assert kept.base.open_plans == fresh.base.open_plans
        for frame in ("forecast", "running", "windows"):
            pd.testing.assert_frame_equal(
                getattr(kept.base.material, frame), getattr(fresh.base.material, frame)
            )
        for network in (kept.base.material.network, kept.base.ground.network):
            pd.testing.assert_frame_equal(network.states, fresh.base.material.network.states)
        pd.testing.assert_frame_equal(kept.metered, fresh.metered)
        saved, before = kept.base.material.forecast is before.base.material.forecast, kept
        return saved

    assert after(lambda: decisions.reject(demo, drafts_of(demo)[0].plan_id, by="operator", reason="no crew"))
    for switch, state in ((move.open_switch, "OPEN"), (move.close_switch, "CLOSED")):
        assert after(
            lambda at=switch, to=state: switches.confirm_switch(
                demo, at, by="operator", state=SwitchState(to)
            )
        )
    assert not before.base.material.running.equals(before.base.material.forecast)
    assert not after(lambda: run_stages(demo))


def test_silent_telemetry_stops_neither_studies_nor_decisions(demo):
    with demo.store.read() as connection:
        silent = clock.now(demo, connection) + pd.Timedelta(hours=80)
    run_stages(demo, issued_at=silent)
    memory = read_memory(demo)
    assert memory.metered.empty
    draft = drafts_of(demo)[0]
    assert study(demo, "T-07", ambient_k=2, base=memory.base).run_id == memory.base.run.run_id
    assert "<svg" in draw_picture(demo, memory, "load_band", transformer_id="T-07")
    approved = decisions.approve(demo, draft.plan_id, by="operator", base=memory.base)
    assert approved.state is PlanState.APPROVED


def test_a_proof_in_the_neighbourhood_is_the_proof_in_the_whole_fleet(sample_home):
    sample = open_workbench(sample_home)
    base = read_base(sample)
    whole = bench_of(sample, base.material, base.now)
    for record in base.open_plans:
        near = bench_around(sample, base.material, record, base.open_plans, base.now)
        assert len(near.fleet.rating_kva) < len(whole.fleet.rating_kva)
        found = refresh_record(near, record, base.open_plans)
        assert found == refresh_record(whole, record, base.open_plans)
        assert found[1].holds


def test_nobody_studies_a_transformer_that_is_not_there(demo):
    with pytest.raises(NotFoundError):
        study(demo, "T-99")


# Another plan


def test_the_other_plan_is_one_that_waits_already(demo):
    first = drafts_of(demo)[0]
    with demo.store.write() as connection:
        second = dataclasses.replace(first.plan, rank=2)
        plans.save_plan(
            connection, "PLAN-2", first.run_id, second, prepared_by="system", created_at=demo.clock()
        )
    left = decisions.ask_again(demo, first.plan_id, by="operator", reason="too many operations")
    assert [r.plan_id for r in left] == ["PLAN-2"]
    assert decisions.approve(demo, "PLAN-2", by="operator").state is PlanState.APPROVED


def test_where_nothing_else_is_possible_the_draft_stays_and_the_reason_is_said(demo):
    (only,) = drafts_of(demo)
    with pytest.raises(RefusedError, match="no other plan for T-07: phase rotation at LINK-08"):
        decisions.ask_again(demo, only.plan_id, by="operator", reason="tie is hard to reach")
    assert drafts_of(demo) == [only]


def test_another_plan_is_found_at_once_without_that_tie_and_has_a_preparer(demo):
    (first,) = drafts_of(demo)
    with demo.store.write() as connection:
        table = network_records.read_switches(connection)
        tie = table["switch_id"] == "LINK-08"
        usable = {"load_break_a": 630.0, "fault_make_ka": 25.0, "phase_rotation_confirmed_on": "2026-01-05"}
        usable |= {"from_id": "T-07-S3", "to_id": "T-09-S3", "limit_kva": 500.0}
        for column, value in usable.items():
            table.loc[tie, column] = value
        network_records.replace_network_table(connection, "switches", table)
    (fresh,) = decisions.ask_again(demo, first.plan_id, by="operator", reason="tie is hard to reach")
    assert [move.close_switch for move in fresh.plan.moves] == ["LINK-08"]
    set_aside = queries.get_plan(demo, first.plan_id).record
    assert (set_aside.state, set_aside.reason) == (
        PlanState.REJECTED,
        "another plan was asked for: tie is hard to reach",
    )
    assert queries.get_plan(demo, fresh.plan_id).instruction.plan_id == fresh.plan_id
    with pytest.raises(FourEyesError):
        decisions.approve(demo, fresh.plan_id, by="operator")
    assert decisions.approve(demo, fresh.plan_id, by="operator2").state is PlanState.APPROVED


def test_asking_again_needs_a_reason_a_draft_and_the_version_shown(demo):
    record = drafts_of(demo)[0]
    with pytest.raises(InputError):
        decisions.ask_again(demo, record.plan_id, by="operator", reason=" ")
    decisions.approve(demo, record.plan_id, by="operator")
    with pytest.raises(ChangedError, match="APPROVED by operator"):
        decisions.ask_again(demo, record.plan_id, by="operator2", reason="no crew", rev=record.rev)
    with pytest.raises(TransitionError):
        decisions.ask_again(demo, record.plan_id, by="operator2", reason="no crew")


def copies(base, count):
    """The same grid several times side by side, as one fleet."""

    def table(frame, *names):
        parts = [frame.assign(**{n: frame[n] + f"#{k}" for n in names}) for k in range(count)]
        return pd.concat(parts, ignore_index=True)

    one = base.ground
    named = {
        "substations": ("substation_id",),
        "feeders": ("feeder_id", "substation_id"),
        "transformers": ("transformer_id", "substation_id", "feeder_id"),
        "sections": ("section_id", "transformer_id"),
        "switches": ("switch_id", "from_id", "to_id"),
        "states": ("switch_id",),
        "lines": ("line_id", "from_id", "to_id"),
    }
    network = dataclasses.replace(
        one.network, **{name: table(getattr(one.network, name), *keys) for name, keys in named.items()}
    )
    ground = dataclasses.replace(
        one,
        network=network,
        forecast=table(one.forecast, "transformer_id"),
        windows=table(one.windows, "transformer_id"),
        ambient_c=pd.concat([one.ambient_c.add_suffix(f"#{k}") for k in range(count)], axis=1),
        initial=ThermalState(*(np.tile(part, count) for part in one.initial)),
        paths=None,
        measured_kva=pd.concat([one.measured_kva.add_suffix(f"#{k}") for k in range(count)]),
    )
    return dataclasses.replace(base, ground=ground, open_plans=())


def test_a_study_is_the_same_in_a_larger_fleet(demo):
    base = dataclasses.replace(read_base(demo), open_plans=())
    base = dataclasses.replace(base, ground=dataclasses.replace(base.ground, paths=None))
    alone = study(demo, "T-07", ambient_k=2, load_pct=3, base=base)
    among = study(demo, "T-07#4", ambient_k=2, load_pct=3, base=copies(base, 6))
    assert dataclasses.replace(among.after, messages="") == dataclasses.replace(alone.after, messages="")
    moved = [[m.close_switch for m in p.moves] for p in alone.plans]
    assert [[m.close_switch.removesuffix("#4") for m in p.moves] for p in among.plans] == moved
