"""Switching sheets: every prefix is a proven state, the way back is exact, the numbers are there."""

import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from pydantic import TypeAdapter

from gridlib.domain.instructions import write_instruction
from gridlib.domain.network import (
    LOOPED,
    UNFED,
    apply_moves,
    closed_switches,
    current_states,
    feeding_tree,
    parse_network,
)
from gridlib.facts.errors import InputError
from gridlib.facts.messages import CATALOGUE, LANGUAGES, Message, render, rendered, verbatim
from gridlib.facts.messages import sheets as sheet_words
from gridlib.facts.messages import steps as step_words
from gridlib.facts.messages import switching as switching_words
from gridlib.facts.sheets import Instruction, Step
from gridlib.facts.types import Limits, Move, Network, Plan, PlanningRules, Proof, Side, SwitchState
from gridlib.facts.units import QUANTILE_COLUMNS, current_a

T0 = pd.Timestamp("2025-08-12T12:00Z")
NETWORK = parse_network(
    "T1(500) -b1- a:0.6 -s1- b:0.2 /t1/ d -b3- T2(630)\nT1 -b2- c:0.2 /t2/ e -b4- T3(400)"
)
FIRST = Move("s1", "t1", ("b",), "T1", "T2")
SECOND = Move("b2", "t2", ("c",), "T1", "T3")
RATING = {"T1": 500.0, "T2": 630.0, "T3": 400.0}


def forecast_frame() -> pd.DataFrame:
    """T1 rises from 400 kVA by 20 kVA an hour, T2 and T3 stay at 200; p10 and p90 are 20 kVA off."""
    frames = []
    for name, start, slope in (("T1", 400.0, 20.0), ("T2", 200.0, 0.0), ("T3", 200.0, 0.0)):
        median = start + slope * np.arange(12)
        frame = pd.DataFrame({"transformer_id": name, "time": pd.date_range(T0, periods=12, freq="h")})
        for column in QUANTILE_COLUMNS:
            frame[column] = median + 20 * np.sign(int(column[-2:]) - 50) * (column[-2:] in ("10", "90"))
        frames.append(frame)
    return pd.concat(frames, ignore_index=True)


def side(name: str, role: str, before: float, after: float) -> Side:
    peaks = (before, after, before + 4, after + 4)
    return Side(
        name, role, RATING[name], 100.0, *peaks, 5, 0, 110.0, 95.0, 2.0, 0.5, 0.8, 0.1, T0.to_pydatetime()
    )


def plan_of(*moves: Move) -> Plan:
    receivers = [side(move.to_transformer, "receiver", 40.0, 55.0) for move in moves]
    return Plan(
        transformer_id="T1",
        rank=1,
        moves=moves,
        sides=(side("T1", "donor", 124.0, 99.0), *receivers),
        proof=Proof(
            True,
            verbatim("additive kVA, 5 % derated"),
            (),
            (verbatim("protection"), verbatim("voltage")),
            31.0,
        ),
        relief_pct=100.0,
        relieved_kvah=100.0,
        risk_before=0.9,
        risk_after=0.2,
        operations=2 * len(moves),
        interrupted_customers=10 * len(moves),
        needed_from=(T0 + pd.Timedelta(hours=5)).to_pydatetime(),
        needed_until=(T0 + pd.Timedelta(hours=8)).to_pydatetime(),
        decide_by=(T0 + pd.Timedelta(hours=4)).to_pydatetime(),
        switch_at=(T0 + pd.Timedelta(hours=4)).to_pydatetime(),
        switch_back_by=(T0 + pd.Timedelta(hours=11)).to_pydatetime(),
    )


def sheet_of(*moves: Move, network: Network = NETWORK, plan: Plan | None = None) -> Instruction:
    return write_instruction(
        plan or plan_of(*moves),
        "PLAN-2025-0007",
        network,
        forecast_frame(),
        tz="Asia/Amman",
        limits=Limits(),
        rules=PlanningRules(),
    )


def carried_out(closed: frozenset[str], steps: tuple[Step, ...]) -> list[frozenset[str]]:
    """Closed switches after each switching step; each step must find its device in the other position."""
    states = [closed]
    for step in steps:
        if step.switching:
            was_closed = step.device in states[-1]
            assert was_closed == (step.state_after is SwitchState.OPEN), step
            states.append(states[-1] ^ {step.device})
    return states


def said_in(step: Step) -> tuple[Message, ...]:
    return step.place, step.text, step.expected, step.if_it_fails


def all_said(sheet: Instruction) -> list[Message]:
    steps = [said for step in (*sheet.steps, *sheet.rollback) for said in said_in(step)]
    around = (*sheet.checklist, *sheet.abort_triggers, *sheet.notes, *sheet.positions)
    return [sheet.title, sheet.purpose, *steps, *around]


NORMAL = closed_switches(current_states(NETWORK))
CLOSES_FIRST = replace(FIRST, closes_first=True)
PLANS = pytest.mark.parametrize(
    "moves", [(FIRST,), (SECOND,), (FIRST, SECOND), (CLOSES_FIRST,), (CLOSES_FIRST, SECOND)]
)
OPEN_FIRST = pytest.mark.parametrize("moves", [(FIRST,), (SECOND,), (FIRST, SECOND)])


@PLANS
def test_the_sheet_does_what_the_plan_says(moves: tuple[Move, ...]) -> None:
    assert carried_out(NORMAL, sheet_of(*moves).steps)[-1] == apply_moves(NORMAL, moves)


@PLANS
def test_the_way_back_is_exact(moves: tuple[Move, ...]) -> None:
    sheet = sheet_of(*moves)
    after = carried_out(NORMAL, sheet.steps)[-1]
    assert carried_out(after, sheet.rollback)[-1] == NORMAL
    forward = [(step.device, step.state_after) for step in sheet.steps if step.switching]
    back = [(step.device, step.state_after) for step in sheet.rollback]
    assert [device for device, _ in back] == [device for device, _ in reversed(forward)]
    assert all(a[1] != b[1] for a, b in zip(back, reversed(forward), strict=True))


@PLANS
@pytest.mark.parametrize("way", ["there", "back"])
def test_in_every_prefix_only_the_stated_sections_are_off_or_in_parallel(
    moves: tuple[Move, ...], way: str
) -> None:
    sheet = sheet_of(*moves)
    states = carried_out(NORMAL, sheet.steps)
    if way == "back":
        states = carried_out(states[-1], sheet.rollback)
        moves = tuple(reversed(moves))
    for k, closed in enumerate(states):
        tree = feeding_tree(NETWORK, closed)
        nodes = tree.nodes.to_numpy()
        off, looped = (set(nodes[tree.source == code]) for code in (UNFED, LOOPED))
        move = moves[k // 2] if k % 2 else None
        assert off == (set(move.sections) if move and not move.closes_first else set())
        units = {move.from_transformer, move.to_transformer} if move and move.closes_first else set()
        assert looped & set(RATING) == units


def test_the_interruption_is_stated_with_customers_before_it_happens() -> None:
    sheet = sheet_of(FIRST)
    assert "10 customers on b are off between opening s1 and closing t1" in render(sheet.notes[0])
    opening = next(step for step in sheet.steps if step.verb == "OPEN")
    assert "until t1 is closed, 10 customers on b are off" in render(opening.text)
    notify = next(step for step in sheet.steps if step.verb == "NOTIFY")
    assert notify.number < opening.number


def test_customers_that_are_not_known_are_not_called_zero() -> None:
    sections = NETWORK.sections.assign(customers=np.nan)
    sheet = sheet_of(FIRST, network=replace(NETWORK, sections=sections))
    assert "an unknown number of customers on b" in render(sheet.notes[0])


def test_step_one_reads_the_current_with_the_range_of_its_hour() -> None:
    first = sheet_of(FIRST).steps[0]
    # Needed from 20:00 local, so switched in the hour from 19:00: T1 at 460 to 500 kVA, a fifth of it on b.
    low, high = current_a(0.2 * 460), current_a(0.2 * 500)
    assert (first.step_id, first.verb, first.device) == ("S01", "READ", "s1")
    assert render(first.expected) == f"{low:.0f}-{high:.0f} A on each phase at 19:00 on 12 Aug"


def test_the_range_of_an_allocated_section_is_wider() -> None:
    sections = NETWORK.sections.assign(spread_pct=25.0)
    sheet = sheet_of(FIRST, network=replace(NETWORK, sections=sections))
    low, high = current_a(0.75 * 0.2 * 460), current_a(1.25 * 0.2 * 500)
    assert render(sheet.steps[0].expected).startswith(f"{low:.0f}-{high:.0f} A")


def test_a_reading_outside_the_range_is_an_abort_trigger_with_numbers() -> None:
    sheet = sheet_of(FIRST)
    assert render(sheet.abort_triggers[0]) == "S01: current at s1 outside 128-139 A"
    limit = f"{current_a(630):.0f} A"
    assert f"current at T2 and at s1 together above {limit}" in render(sheet.abort_triggers[1])
    assert render(sheet.abort_triggers[2]).endswith(f"T2 above {limit} on a phase")
    assert "374-456 V" in render(sheet.abort_triggers[3])
    assert "20:00 on 12 Aug" in render(sheet.abort_triggers[4])


def test_two_moves_to_one_receiver_share_its_room() -> None:
    network = parse_network("T1(500) -b1- a:0.6 -s1- b:0.2 /t1/ d -b3- T2(630)\nT1 -b2- c:0.2 /t2/ d")
    to_t2 = Move("b2", "t2", ("c",), "T1", "T2")
    steps = sheet_of(FIRST, to_t2, network=network).steps
    both = [step for step in steps if step.device == "T1, T2" and step.phase == "prepare"]
    assert len(both) == 1
    added = 2 * current_a(0.2 * 500)
    assert render(both[0].expected).startswith(
        f"T2 at most {current_a(630) - added:.0f} A, so that {added:.0f} A fit"
    )


def test_the_order_of_the_sheet() -> None:
    sheet = sheet_of(FIRST)
    assert [step.verb for step in sheet.steps] == [
        *(
            "READ",
            "READ",
            "IDENTIFY",
            "IDENTIFY",
            "CHECK",
            "CONFIRM",
            "NOTIFY",
            "BLOCK",
            "SET MANUAL",
            "HOLD",
        ),
        *("OPEN", "TAG", "CLOSE", "READ"),
        *("RESTORE", "SET AUTOMATIC", "AGREE", "NOTIFY"),
    ]
    assert [step.phase for step in sheet.steps] == ["prepare"] * 10 + ["switch"] * 4 + ["confirm"] * 4
    assert [step.step_id for step in sheet.steps] == [f"S{n:02d}" for n in range(1, 19)]
    assert [step.number for step in sheet.steps] == list(range(1, 19))
    assert [step.step_id for step in sheet.rollback] == ["R01", "R02"]
    assert all(render(said) for step in sheet.steps for said in said_in(step))


@OPEN_FIRST
def test_failure_of_a_switching_step_names_the_way_back(moves: tuple[Move, ...]) -> None:
    sheet = sheet_of(*moves)
    undo = {step.device: step.step_id for step in sheet.rollback}
    for move in moves:
        closing = next(s for s in sheet.steps if s.verb == "CLOSE" and s.device == move.close_switch)
        again = f"close {move.open_switch} again at once ({undo[move.open_switch]})"
        assert again in render(closing.if_it_fails)
    last = [step for step in sheet.steps if step.verb == "READ"][-1]
    way_back = ", ".join(step.step_id for step in sheet.rollback)
    assert render(last.if_it_fails) == f"Outside: switch back by {way_back}."


def test_protection_is_a_hold_point_before_the_first_switching() -> None:
    steps = sheet_of(FIRST).steps
    hold = next(step for step in steps if "PROTECTION NOT CHECKED" in render(step.text))
    assert hold.hold_point
    assert "named protection engineer" in render(hold.text)
    assert all(step.number > hold.number for step in steps if step.switching)


def test_an_unproven_device_or_tie_stops_the_sheet() -> None:
    switches = NETWORK.switches.assign(load_break_a=100.0, phase_rotation_confirmed_on=None)
    steps = sheet_of(FIRST, network=replace(NETWORK, switches=switches)).steps
    opening = next(step for step in steps if step.verb == "OPEN")
    assert opening.hold_point
    assert "not to be operated on load" in render(opening.text)
    rotation = next(step for step in steps if step.verb == "CONFIRM")
    assert rotation.hold_point
    assert not any(s.hold_point for s in sheet_of(FIRST).steps if s.verb in ("OPEN", "CONFIRM"))


def test_current_and_hold_points_ask_for_a_reading_and_say_which() -> None:
    switches = NETWORK.switches.assign(load_break_a=100.0, phase_rotation_confirmed_on=None)
    for network in (NETWORK, replace(NETWORK, switches=switches)):
        steps = sheet_of(FIRST, SECOND, network=network).steps
        assert steps[0].needs_reading
        assert all(step.needs_reading for step in steps if step.hold_point)
        assert all("Write down: " in render(step.text) for step in steps if step.needs_reading)
        current = [step for step in steps if step.verb == "READ" and step.device in ("s1", "b2")]
        assert [step.needs_reading for step in current] == [True, True]
    hold = next(step for step in steps if step.verb == "HOLD")
    assert render(hold.text).endswith("Write down: name of the protection engineer.")


def test_only_the_current_at_the_opening_device_has_a_range_and_it_is_the_printed_one() -> None:
    sheet = sheet_of(FIRST, SECOND)
    ranged = [step for step in sheet.steps if step.reading_unit or step.reading_low is not None]
    assert [(step.verb, step.device, step.reading_unit) for step in ranged] == [
        ("READ", "s1", "A"),
        ("READ", "b2", "A"),
    ]
    triggers = rendered((sheet.abort_triggers[0], sheet.abort_triggers[4]))
    for step, trigger in zip(ranged, triggers, strict=True):
        printed = f"{step.reading_low:g}-{step.reading_high:g} A"
        assert render(step.expected).startswith(f"{printed} on each phase")
        assert trigger.endswith(f"outside {printed}")
    assert (ranged[0].reading_low, ranged[0].reading_high) == (128.0, 139.0)


def test_unconfirmed_positions_are_a_note_on_the_sheet() -> None:
    plan = plan_of(FIRST)
    plan = replace(plan, proof=replace(plan.proof, unconfirmed=("t1", "b3")))
    notes = rendered(sheet_of(plan=plan).notes)
    assert any("to be confirmed before the sheet is issued: t1, b3" in note for note in notes)


def test_an_assumed_position_is_to_be_confirmed_on_site() -> None:
    reported = pd.DataFrame(
        {
            "switch_id": ["s1"],
            "time": [T0],
            "state": ["CLOSED"],
            "health": ["OK"],
            "tags": [""],
            "source": ["telemetered"],
        }
    )
    steps = sheet_of(FIRST, network=replace(NETWORK, states=reported)).steps
    expected = {step.device: render(step.expected) for step in steps if step.verb == "IDENTIFY"}
    assert expected["s1"] == "Label s1, indication CLOSED"
    assert expected["t1"] == "Label t1, indication OPEN (assumed, never reported: confirm on site)"


def test_live_switching_never_asks_for_dead_work() -> None:
    sheet = sheet_of(FIRST, SECOND)
    words = " ".join(
        [*rendered(sheet.checklist), *(f"{s.verb} {' '.join(rendered(said_in(s)))}" for s in sheet.steps)]
    ).lower()
    for dead in (
        "lock-out",
        "lockout",
        "lock out",
        "earthing",
        "short-circuit",
        "verify dead",
        "agreed time",
    ):
        assert dead not in words
    for live in (
        "auto-reclose",
        "tap control",
        "phase rotation",
        "permit",
        "arc-flash",
        "critical customers",
    ):
        assert live in words


def test_the_sheet_says_why_and_when_to_switch_back() -> None:
    sheet = sheet_of(FIRST)
    assert render(sheet.title) == "PLAN-2025-0007: transfer b from T1 to T2"
    assert "peak of T1 falls from 124 % to 99 % of 500 kVA" in render(sheet.purpose)
    assert "peak of T2 rises from 40 % to 55 %" in render(sheet.purpose)
    agree = next(step for step in sheet.steps if step.verb == "AGREE")
    assert "00:00 on 13 Aug" in render(agree.text)  # needed until the hour that starts at 23:00 local
    assert any("protection, voltage" in note for note in rendered(sheet.notes))


def test_export_is_a_current_as_well() -> None:
    forecast = forecast_frame()
    forecast[list(QUANTILE_COLUMNS)] -= 480.0
    sheet = write_instruction(
        plan_of(FIRST), "PLAN-1", NETWORK, forecast, tz="Asia/Amman", limits=Limits(), rules=PlanningRules()
    )
    assert render(sheet.steps[0].expected).startswith(f"0-{current_a(4):.0f} A")  # -4 to +4 kVA


@pytest.mark.parametrize(
    ("move", "found"),
    [
        (replace(FIRST, open_switch="s9"), "s9"),
        (replace(FIRST, sections=("b", "z")), "z"),
        (replace(FIRST, to_transformer="T9"), "T9"),
    ],
)
def test_what_the_network_does_not_have_is_refused(move: Move, found: str) -> None:
    plan = replace(plan_of(FIRST), moves=(move,))
    with pytest.raises(InputError, match=f"names {found}, which the network does not have"):
        sheet_of(plan=plan)


def test_a_sheet_needs_moves_and_a_forecast() -> None:
    with pytest.raises(InputError, match="no moves"):
        sheet_of(plan=replace(plan_of(FIRST), moves=()))
    forecast = forecast_frame()
    forecast.loc[forecast["transformer_id"] == "T1", "load_kva_p90"] = np.nan
    with pytest.raises(InputError, match="no load forecast for b"):
        write_instruction(
            plan_of(FIRST), "PLAN-1", NETWORK, forecast, tz="UTC", limits=Limits(), rules=PlanningRules()
        )


def back_of(plan: Plan) -> tuple[Plan, Network]:
    """The return of a plan, and the network in which it is carried out."""
    moves = tuple(
        Move(m.close_switch, m.open_switch, m.sections, m.to_transformer, m.from_transformer)
        for m in reversed(plan.moves)
    )
    after = apply_moves(NORMAL, plan.moves)
    states = pd.DataFrame(
        {
            "switch_id": NETWORK.switches["switch_id"],
            "time": T0,
            "state": ["CLOSED" if name in after else "OPEN" for name in NETWORK.switches["switch_id"]],
            "health": "OK",
            "tags": "",
            "source": "manual",
        }
    )
    back = replace(
        plan, moves=moves, returns="PLAN-2025-0007", needed_from=None, needed_until=None, decide_by=None
    )
    return back, replace(NETWORK, states=states)


def test_a_move_that_closes_first_interrupts_nobody_and_bounds_the_time_in_parallel() -> None:
    units = NETWORK.transformers.assign(vk_pct=4.0, tap_pct=[0.0, 2.5, 0.0])
    sheet = sheet_of(CLOSES_FIRST, network=replace(NETWORK, transformers=units))
    verbs = [step.verb for step in sheet.steps if step.phase == "switch"]
    assert verbs == ["READ", "CLOSE", "OPEN", "TAG", "READ"]
    words = " ".join([*rendered(sheet.notes), *(render(step.text) for step in sheet.steps)])
    assert " are off " not in words
    assert "planned without interruption" in words
    # 2.5 % of 240 V over both transformers' impedances.
    ohm = 0.04 * 0.415**2 * (1000 / 500 + 1000 / 630)
    circulating = 0.025 * 415 / 3**0.5 / ohm
    assert f"about {circulating:.0f} A circulating and at most 630 A at t1" in render(sheet.notes[0])
    across = next(step for step in sheet.steps if step.reading_unit == "V")
    assert (across.device, across.reading_low, across.reading_high) == ("t1", 0.0, 12.0)
    assert f"{across.step_id}: more than 12 V across t1" in rendered(sheet.abort_triggers)
    assert any(
        "630 A at t1, or longer than 5 min: open it again" in t for t in rendered(sheet.abort_triggers)
    )
    opening = next(step for step in sheet.steps if step.verb == "OPEN")
    assert render(opening.if_it_fails).startswith(
        "Will not open, or the time is over: open t1 again at once (R02)"
    )


def test_sections_come_back_at_the_gross_load_of_the_evening_times_the_cold_load_factor() -> None:
    evening = current_a(0.2 * (400 + 11 * 20 + 20))
    sheet = sheet_of(FIRST)
    closing = next(step for step in sheet.steps if step.verb == "CLOSE")
    assert f"at first up to {1.5 * evening:.0f} A" in render(closing.expected)
    assert f"times 1.5: b up to {1.5 * evening:.0f} A" in render(sheet.notes[1])


def test_currents_and_voltages_are_those_of_the_nominal_voltage_of_the_site() -> None:
    sheet = write_instruction(
        plan_of(FIRST),
        "PLAN-1",
        NETWORK,
        forecast_frame(),
        tz="Asia/Amman",
        limits=Limits(),
        rules=PlanningRules(lv_kv=0.4),
    )
    low, high = current_a(0.2 * 460, 0.4), current_a(0.2 * 500, 0.4)
    assert render(sheet.steps[0].expected).startswith(f"{low:.0f}-{high:.0f} A")
    assert "360-440 V" in render(sheet.steps[1].expected)


def test_the_sheet_expects_the_currents_of_the_hour_of_switching_and_of_the_switch_back() -> None:
    plan = replace(plan_of(FIRST), switch_at=(T0 + pd.Timedelta(hours=1)).to_pydatetime())
    sheet = sheet_of(plan=plan)
    low, high = current_a(0.2 * 400), current_a(0.2 * 440)
    assert render(sheet.steps[0].expected) == f"{low:.0f}-{high:.0f} A on each phase at 16:00 on 12 Aug"
    assert (sheet.window_from, sheet.window_until) == (plan.switch_at, plan.switch_at + pd.Timedelta(hours=1))
    back_low, back_high = current_a(0.2 * 600), current_a(0.2 * 640)
    assert (
        f"Switch-back: from 00:00 on 13 Aug until 02:00 on 13 Aug, the last of this forecast. Expected then: "
        f"t1: {back_low:.0f}-{back_high:.0f} A" in rendered(sheet.notes)
    )


def test_critical_customers_are_named() -> None:
    names = NETWORK.sections["section_id"].map({"b": "Al-Salt pumping station"})
    network = replace(NETWORK, sections=NETWORK.sections.assign(critical_customers=names))
    notify = next(s for s in sheet_of(FIRST, SECOND, network=network).steps if s.verb == "NOTIFY")
    assert "on b: Al-Salt pumping station; on c: none on record, look them up" in render(notify.text)


def test_checked_protection_is_confirmed_and_needs_no_hold_point() -> None:
    plan = plan_of(FIRST)
    known = replace(
        plan.proof,
        protection=(verbatim("b3 picks up at 500 A"),),
        fault_level=(verbatim("t1 may close onto 9 kA"),),
    )
    sheet = sheet_of(plan=replace(plan, proof=known))
    assert not any(step.hold_point for step in sheet.steps)
    confirm = next(step for step in sheet.steps if "settings" in render(step.text))
    assert "b3 picks up at 500 A" in render(confirm.text)
    assert "Fault level: t1 may close onto 9 kA." in rendered(sheet.notes)
    half = replace(known, fault_level=())
    hold = next(s for s in sheet_of(plan=replace(plan, proof=half)).steps if s.hold_point)
    assert render(hold.text).startswith("FAULT LEVEL NOT CHECKED: a named protection engineer")


def test_the_sheet_carries_who_prepared_it_and_how_the_devices_stand() -> None:
    sheet = write_instruction(
        plan_of(FIRST),
        "PLAN-1",
        NETWORK,
        forecast_frame(),
        tz="Asia/Amman",
        limits=Limits(),
        rules=PlanningRules(),
        prepared_by="operator",
        prepared_at=T0,
    )
    assert (sheet.prepared_by, sheet.prepared_at, sheet.version) == ("operator", T0.to_pydatetime(), 1)
    assert rendered(sheet.positions) == (
        "s1: normally CLOSED, now CLOSED (assumed)",
        "t1: normally OPEN, now OPEN (assumed)",
    )


@OPEN_FIRST
def test_a_return_ends_in_the_normal_state_and_takes_the_tags_off(moves: tuple[Move, ...]) -> None:
    plan, network = back_of(plan_of(*moves))
    sheet = sheet_of(plan=plan, network=network)
    after = apply_moves(NORMAL, moves)
    states = carried_out(after, sheet.steps)
    assert states[-1] == NORMAL
    assert carried_out(NORMAL, sheet.rollback)[-1] == after
    assert ": return " in render(sheet.title)
    assert "Take PLAN-2025-0007 back" in render(sheet.purpose)
    verbs = [step.verb for step in sheet.steps]
    assert "TAG" not in verbs
    assert "AGREE" not in verbs
    untagged = [step.device for step in sheet.steps if step.verb == "UNTAG"]
    assert untagged == [move.close_switch for move in plan.moves]
    tagged = [step.device for step in sheet.rollback if "Hang the caution tag" in render(step.text)]
    assert len(tagged) == len(moves)
    assert not any("Switch-back hour" in line for line in rendered(sheet.checklist))


@pytest.fixture(scope="module")
def every_sheet() -> list[Instruction]:
    """Sheets on which everything occurs that a sheet can say."""
    critical = NETWORK.sections["section_id"].map({"b": "Al-Salt pumping station"})
    named = NETWORK.sections.assign(critical_customers=critical, customers=np.nan)
    bare = NETWORK.switches.assign(
        load_break_a=np.nan, fault_make_ka=np.nan, phase_rotation_confirmed_on=None, remote=True
    )
    taps = NETWORK.transformers.assign(vk_pct=4.0, tap_pct=[0.0, 2.5, 0.0], feeder_id=None)
    joined = parse_network("T1(500) -b1- a:0.6 -s1- b:0.2 /t1/ d -b3- T2(630)\nT1 -b2- c:0.2 /t2/ d")
    longer = parse_network("T1(500) -b1- a:0.6 -s1- b:0.2 -s2- c:0.2 /t1/ d -b3- T2(630)")
    counted = longer.sections.assign(customers=longer.sections["customers"].mask(longer.sections.index == 1))
    reported = pd.DataFrame({"switch_id": ["s1", "t1"], "time": T0, "state": ["CLOSED", "OPEN"]})
    reported = reported.assign(health="OK", tags="", source=["telemetered", "manual"])
    plan = plan_of(FIRST, SECOND)
    endless = replace(
        plan, needed_until=None, switch_back_by=None, needed_from=None, decide_by=None, sides=()
    )
    proof = replace(plan.proof, margin_pct=None, unconfirmed=("t1", "b3"), fault_level=(verbatim("9 kA"),))
    back, after = back_of(plan_of(FIRST))
    back_closing_first = replace(back, moves=tuple(replace(move, closes_first=True) for move in back.moves))
    return [
        sheet_of(CLOSES_FIRST, network=replace(NETWORK, transformers=taps, states=reported)),
        sheet_of(SECOND, CLOSES_FIRST, network=replace(NETWORK, switches=bare, sections=named)),
        sheet_of(FIRST, Move("b2", "t2", ("c",), "T1", "T2"), network=joined),
        sheet_of(replace(FIRST, sections=("b", "c")), network=replace(longer, sections=counted)),
        sheet_of(FIRST, Move("b1", "b3", ("a",), "T2", "T1")),
        sheet_of(plan=endless),
        sheet_of(plan=replace(endless, needed_until=plan.needed_until)),
        sheet_of(plan=replace(plan, needed_until=None, proof=proof)),
        sheet_of(plan=replace(plan, proof=replace(proof, protection=(verbatim("b3 picks up"),)))),
        sheet_of(plan=back, network=after),
        sheet_of(plan=back_closing_first, network=after),
    ]


def parts_of(said: Message) -> list[Message]:
    """A message and every message inside it."""
    values = [value if isinstance(value, list | tuple) else [value] for value in said.parameters.values()]
    inside = [part for several in values for part in several if isinstance(part, Message)]
    return [said, *(deeper for part in inside for deeper in parts_of(part))]


def test_the_catalogue_has_words_for_all_of_a_sheet_and_no_others(every_sheet: list[Instruction]) -> None:
    occur = {part.id for sheet in every_sheet for said in all_said(sheet) for part in parts_of(said)}
    for step in (step for sheet in every_sheet for step in (*sheet.steps, *sheet.rollback)):
        occur |= {f"verb.{step.verb}", f"phase.{step.phase}"}
    assert {*sheet_words.TEMPLATES, *step_words.TEMPLATES, *switching_words.TEMPLATES} - occur == set()
    assert all(message_id in CATALOGUE for message_id in occur)


def test_every_sheet_reads_in_arabic_and_only_ids_and_units_stay(every_sheet: list[Instruction]) -> None:
    ids = {*NETWORK.switches["switch_id"], *NETWORK.sections["section_id"], *RATING, "s2", "F1", "2026-01-01"}
    ids |= {"PLAN-2025-0007", "Al-Salt pumping station"}
    for sheet in every_sheet:
        known = ids | {step.step_id for step in (*sheet.steps, *sheet.rollback)}
        for said in all_said(sheet):
            for part in parts_of(said):
                texts = [value for value in part.parameters.values() if isinstance(value, str)]
                names = {name for text in texts for name in text.split(", ") if part.id != "verbatim"}
                assert names <= known, part
            # What is set apart reads from the left: ids, and quantities with their units.
            shown, last = render(said, "ar"), ""
            while shown != last:
                shown, last = re.sub("[\u2066\u2068][^\u2066\u2068\u2069]*\u2069", "", shown), shown
            assert not re.search("[A-Za-z]", shown), shown


def test_a_sheet_kept_as_it_was_written_before_reads_as_it_did(every_sheet: list[Instruction]) -> None:
    adapter = TypeAdapter(Instruction)
    for sheet in every_sheet:
        kept = adapter.validate_json(adapter.dump_json(sheet))
        before = adapter.validate_json(adapter.dump_json(sheet, context={"language": "en"}))
        for language in LANGUAGES:
            assert rendered(all_said(kept), language) == rendered(all_said(sheet), language)
        assert rendered(all_said(before)) == rendered(all_said(sheet))
        assert before.steps[0].reading_range == sheet.steps[0].reading_range
