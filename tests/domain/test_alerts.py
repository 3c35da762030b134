"""An alert calls once, stays quiet once seen, and comes back only when it gets worse or its time is over."""

from datetime import timedelta

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridlib.domain.alerts import (
    AlertEvent,
    acknowledge,
    follow,
    off_the_shelf,
    raise_alert,
    shelve,
    unshelve,
)
from gridlib.facts.types import RiskLevel

MEDIUM, HIGH = RiskLevel.MEDIUM, RiskLevel.HIGH
START = pd.Timestamp("2026-08-12 12:00", tz="UTC")
HOUR = pd.Timedelta(hours=1)


def raised(level=MEDIUM, *, imminent=False):
    return raise_alert("T-07", level, imminent=imminent, issued_at=START, at=START)


def run_at(alert, hours, level, *, imminent=False):
    moment = START + hours * HOUR
    return follow(alert, level, imminent=imminent, issued_at=moment, at=moment)


def test_the_same_high_in_every_run_is_acknowledged_once():
    alert = acknowledge(raised(HIGH, imminent=True), "operator", START)
    for hours in range(1, 72):
        alert, event = run_at(alert, hours, HIGH, imminent=True)
        assert event is None
        assert not alert.waits
    assert (alert.since, alert.acknowledged_by) == (START, "operator")


@pytest.mark.parametrize("aside", [acknowledge, shelve])
def test_a_rise_calls_again_and_says_that_it_escalated(aside):
    rest = (START,) if aside is acknowledge else (START + 8 * HOUR, "crew on site")
    alert = aside(raised(MEDIUM), "operator", *rest)
    alert, event = run_at(alert, 1, HIGH)
    assert event is AlertEvent.ESCALATED
    assert alert.waits
    assert alert.escalated
    assert alert.called_at == START + HOUR
    assert alert.shelved_reason == ""


def test_becoming_imminent_is_an_escalation():
    alert = acknowledge(raised(HIGH), "operator", START)
    alert, event = run_at(alert, 1, HIGH, imminent=True)
    assert event is AlertEvent.ESCALATED
    assert alert.waits


def test_imminence_that_flickers_calls_once_and_calls_anew_after_a_day_without():
    alert = acknowledge(raised(HIGH, imminent=True), "operator", START)
    for hours in range(1, 20):
        alert, event = run_at(alert, hours, HIGH, imminent=hours % 2 == 0)
        assert event is None
    alert, _ = run_at(alert, 42, HIGH)
    alert, event = run_at(alert, 43, HIGH, imminent=True)
    assert event is AlertEvent.ESCALATED


def test_an_acknowledgement_given_in_a_pause_of_imminence_covers_it():
    alert, _ = run_at(raised(HIGH, imminent=True), 1, HIGH)
    alert = acknowledge(alert, "operator", START + HOUR)
    _, event = run_at(alert, 2, HIGH, imminent=True)
    assert event is None


def test_a_fall_is_quiet_and_the_rise_after_it_is_not():
    alert = acknowledge(raised(HIGH), "operator", START)
    alert, event = run_at(alert, 1, MEDIUM)
    assert (event, alert.waits) == (AlertEvent.EASED, False)
    alert, event = run_at(alert, 2, HIGH)
    assert (event, alert.waits) == (AlertEvent.ESCALATED, True)


def test_an_alert_nobody_has_seen_keeps_its_timer_while_it_stays_the_same():
    alert, event = run_at(raised(HIGH), 1, HIGH)
    assert event is None
    assert alert.called_at == START
    alert, _ = run_at(raised(MEDIUM), 5, HIGH)
    assert (alert.since, alert.called_at) == (START, START + 5 * HOUR)


def test_time_on_the_shelf_ends_by_itself():
    until = START + 8 * HOUR
    alert = shelve(raised(HIGH), "operator", until, "crew on site")
    assert not off_the_shelf(alert, until - timedelta(seconds=1)).waits
    back = off_the_shelf(alert, until)
    assert back.waits
    assert back.called_at == until


def test_taking_an_alert_off_the_shelf_makes_it_call():
    alert = shelve(raised(HIGH), "operator", START + 8 * HOUR, "crew on site")
    assert unshelve(alert, START + HOUR).waits


_FOUND = st.tuples(st.integers(0, 30), st.sampled_from([MEDIUM, HIGH]), st.booleans(), st.booleans())


@given(st.lists(_FOUND, max_size=25))
def test_laws_of_any_history(history):
    """A new version for every event; what calls was never left to a run that is no worse than seen."""
    alert, hours = raised(), 0
    for wait, level, imminent, seen in history:
        if seen:
            alert = acknowledge(alert, "operator", START + hours * HOUR)
        hours += wait
        before = alert
        alert, event = run_at(alert, hours, level, imminent=imminent)
        assert (alert.rev > before.rev) == (event is not None)
        assert (alert.risk_level, alert.imminent) == (level, imminent)
        if not before.waits:
            worse = before.seen_level is MEDIUM and level is HIGH
            assert alert.waits == (event is AlertEvent.ESCALATED)
            assert not alert.waits or worse or imminent
            assert alert.waits or not worse
