"""What people decide about plans and alerts. A plan is proved again at the moment of its approval.

``rev`` is everywhere the version that the person who decides was shown; `ChangedError` says who changed it
meanwhile.
"""

from dataclasses import replace
from datetime import datetime

import pandas as pd

from gridlib.adapters.records import alerts as alert_records
from gridlib.adapters.records import plans
from gridlib.adapters.records.plans import OPEN_PLAN_STATES, PlanRecord
from gridlib.domain import alerts
from gridlib.domain.alerts import Alert, AlertEvent
from gridlib.domain.lifecycle import PLAN_MOVES, SYSTEM, check_four_eyes, check_move
from gridlib.facts.errors import ChangedError, InputError, NotFoundError, StalePlanError
from gridlib.facts.messages import rendered
from gridlib.facts.types import PlanState
from gridlib.workbench import Workbench
from gridlib.workflow import clock, queries
from gridlib.workflow.audit import Intention, intention
from gridlib.workflow.material import Material
from gridlib.workflow.proof import OVER, bench_of, is_over, prove_again, refresh_record
from gridlib.workflow.proposals import other_plans, save_drafts, write_sheets
from gridlib.workflow.studies import StudyBase, base_of


def approve(
    workbench: Workbench,
    plan_id: str,
    *,
    by: str,
    rev: int | None = None,
    base: StudyBase | None = None,
) -> PlanRecord:
    """Approve a draft plan, if it still holds against the newest data.

    The other drafts for the same transformer expire with it.

    Parameters
    ----------
    workbench : Workbench
        The workspace.
    plan_id : str
        The plan.
    by : str
        User name of an operator who did not prepare it.
    rev : int, optional
        Version of the plan that the operator was shown.
    base : StudyBase, optional
        Read earlier; what has not changed since is not read again for the proof.

    Returns
    -------
    PlanRecord
        The approved plan.

    Raises
    ------
    TransitionError, RoleError, FourEyesError, NotFoundError
        The rules refuse.
    ChangedError
        It is no longer the version that was shown; says who decided what and when.
    StalePlanError
        It no longer holds; it stays a draft with the reason, or has expired.
    """
    stale: tuple[str, ...] = ()
    with intention(workbench, by, "plan.approve", plan_id) as act:
        record = plans.read_plan(act.connection, plan_id)
        check_shown(workbench, act, record, rev, PlanState.APPROVED)
        check_move(plan_id, PLAN_MOVES, record.state, PlanState.APPROVED)
        check_four_eyes(
            prepared_by=record.prepared_by,
            approved_by=None,
            actor=by,
            action="plan.approve",
            enabled=workbench.settings.decisions.four_eyes,
        )
        if is_over(workbench, act.connection, record):
            stale = (OVER,)
            move_plan(act, record, PlanState.EXPIRED, OVER)
        elif stale := rendered(prove_again(workbench, act.connection, record, base).reasons):
            note = "; ".join(stale)
            plans.set_plan_state(act.connection, record, PlanState.DRAFT, reason=note, by=by, at=act.at)
            act.facts["reasons"] = list(stale)
        else:
            _approve(act, record, by)
        act.outcome = "stale" if stale else "done"
    if stale:
        raise StalePlanError(plan_id, stale)
    return queries.get_plan(workbench, plan_id).record


def _approve(act: Intention, record: PlanRecord, by: str) -> None:
    plans.set_plan_state(
        act.connection, record, PlanState.APPROVED, reason="", by=by, at=act.at, approved_by=by
    )
    act.facts |= {"from": record.state, "to": PlanState.APPROVED}
    others = plans.read_plans(
        act.connection, transformer_id=record.plan.transformer_id, states=[PlanState.DRAFT]
    )
    for other in others:
        note = f"{record.plan_id} was approved instead"
        plans.set_plan_state(act.connection, other, PlanState.EXPIRED, reason=note, by=by, at=act.at)
    act.facts["expired"] = [other.plan_id for other in others]


def reject(workbench: Workbench, plan_id: str, *, by: str, reason: str, rev: int | None = None) -> PlanRecord:
    """Reject a draft plan with a reason; it releases its transformer.

    To do nothing, plan 0, is to reject what is offered instead, with the reason. ``rev`` is the version that
    the operator was shown.

    Raises
    ------
    InputError
        No reason.
    TransitionError, RoleError, NotFoundError, ChangedError
        The rules refuse.
    """
    with intention(workbench, by, "plan.reject", plan_id) as act:
        if not reason.strip():
            raise InputError("a rejection needs a reason", what_to_do="Say why in a sentence.")
        record = plans.read_plan(act.connection, plan_id)
        check_shown(workbench, act, record, rev, PlanState.REJECTED)
        move_plan(act, record, PlanState.REJECTED, reason.strip())
    return queries.get_plan(workbench, plan_id).record


def ask_again(
    workbench: Workbench,
    plan_id: str,
    *,
    by: str,
    reason: str,
    rev: int | None = None,
    base: StudyBase | None = None,
) -> list[PlanRecord]:
    """Set a draft aside and offer another plan for its transformer.

    Where other drafts wait for the transformer, these are the other plans. Otherwise it is planned at once
    in its neighbourhood, without the ties that the draft would close; the person who asks counts as the
    preparer of what is found, and cannot approve it.

    Parameters
    ----------
    workbench : Workbench
        The workspace.
    plan_id : str
        A draft.
    by : str
        User name of an operator.
    reason : str
        What is wrong with it.
    rev : int, optional
        Version of the plan that was shown.
    base : StudyBase, optional
        As for `approve`.

    Returns
    -------
    list of PlanRecord
        The drafts that wait for its transformer now, best first; the one set aside is REJECTED.

    Raises
    ------
    InputError
        No reason.
    RefusedError
        There is no other plan; says what forbids others. The draft stays.
    TransitionError, RoleError, NotFoundError, ChangedError
        The rules refuse.
    """
    with intention(workbench, by, "plan.ask_again", plan_id) as act:
        if not reason.strip():
            raise InputError("another plan is not asked for without a reason", what_to_do="Say why.")
        record = plans.read_plan(act.connection, plan_id)
        check_shown(workbench, act, record, rev, PlanState.REJECTED)
        move_plan(act, record, PlanState.REJECTED, f"another plan was asked for: {reason.strip()}")
        transformer_id = record.plan.transformer_id
        waiting = plans.read_plans(act.connection, transformer_id=transformer_id, states=[PlanState.DRAFT])
        if not waiting:
            base = base_of(workbench, act.connection, base)
            found = other_plans(workbench, base, record.plan)
            save_drafts(workbench, act, base.run.run_id, found, prepared_by=by)
            waiting = plans.read_plans(
                act.connection, transformer_id=transformer_id, states=[PlanState.DRAFT]
            )
            for sheet in write_sheets(workbench, waiting, base.material):
                plans.save_instruction(act.connection, base.run.run_id, sheet)
        act.facts["waiting"] = [other.plan_id for other in waiting]
    return waiting


def acknowledge(
    workbench: Workbench, transformer_id: str, *, by: str, note: str = "", rev: int | None = None
) -> Alert:
    """Write down that an operator has seen the alert of a transformer.

    That holds from run to run until it gets worse (`gridlib.domain.alerts`).

    Raises
    ------
    NotFoundError
        The transformer has no alert.
    ChangedError
        Somebody has acknowledged it already, or it is no longer the version that was shown.
    """
    with intention(workbench, by, "risk.acknowledge", transformer_id) as act:
        alert = _shown_alert(workbench, act, rev, AlertEvent.ACKNOWLEDGED)
        if alert.acknowledged_by is not None:
            raise _alert_changed(workbench, act, AlertEvent.ACKNOWLEDGED)
        alert = alerts.acknowledge(alert, by, act.at)
        _save_alert(act, alert, AlertEvent.ACKNOWLEDGED, note)
    return alert


def shelve(
    workbench: Workbench,
    transformer_id: str,
    *,
    by: str,
    reason: str,
    until: datetime,
    rev: int | None = None,
) -> Alert:
    """Set the alert of a transformer aside for some hours; it comes back before if it gets worse.

    Parameters
    ----------
    workbench : Workbench
        The workspace.
    transformer_id : str
        A transformer with an alert.
    by : str
        User name of an operator.
    reason : str
        Why it need not call.
    until : datetime
        With a zone; later than now in real time and at most ``shelve_max_h`` away.
    rev : int, optional
        Version of the alert that was shown.

    Raises
    ------
    InputError
        No reason, or ``until`` has passed, is too far away or has no zone.
    NotFoundError, ChangedError
        As for `acknowledge`.
    """
    with intention(workbench, by, "risk.shelve", transformer_id) as act:
        act.facts |= {"reason": reason, "until": str(until)}
        if not reason.strip():
            raise InputError("an alert is not shelved without a reason", what_to_do="Say why in a sentence.")
        if until.tzinfo is None:
            raise InputError(f"{until} has no time zone", what_to_do="Write it as 2026-08-13T06:00+03:00.")
        longest = pd.Timedelta(hours=workbench.settings.decisions.shelve_max_h)
        if not act.at < until <= act.at + longest:
            raise InputError(
                f"until {until} is not within the next {longest / pd.Timedelta(hours=1):g} h",
                what_to_do="Choose an earlier end; shelve again when it is over.",
            )
        alert = alerts.shelve(
            _shown_alert(workbench, act, rev, AlertEvent.SHELVED), by, until, reason.strip()
        )
        local = pd.Timestamp(until).tz_convert(workbench.settings.site.tz)
        _save_alert(act, alert, AlertEvent.SHELVED, f"until {local:%Y-%m-%d %H:%M %z}: {reason.strip()}")
    return alert


def unshelve(workbench: Workbench, transformer_id: str, *, by: str, rev: int | None = None) -> Alert:
    """Take the alert of a transformer off the shelf; it calls again.

    Raises
    ------
    InputError
        It is not shelved.
    NotFoundError, ChangedError
        As for `acknowledge`.
    """
    with intention(workbench, by, "risk.unshelve", transformer_id) as act:
        alert = _shown_alert(workbench, act, rev, AlertEvent.UNSHELVED)
        if alert.shelved_by is None:
            raise InputError(f"the alert of {transformer_id} is not shelved", what_to_do="Nothing to do.")
        alert = alerts.unshelve(alert, act.at)
        _save_alert(act, alert, AlertEvent.UNSHELVED, "")
    return alert


def expire_plans(workbench: Workbench) -> list[str]:
    """Expire undecided and approved plans whose hours are over; return their ids."""
    with workbench.store.read() as connection:
        waiting = plans.read_plans(connection, states=[PlanState.DRAFT, PlanState.APPROVED])
        late = [r for r in waiting if is_over(workbench, connection, r)]
    for record in late:
        with intention(workbench, SYSTEM, "plan.expire", record.plan_id) as act:
            move_plan(act, record, PlanState.EXPIRED, OVER)
    return [record.plan_id for record in late]


def review_open_plans(workbench: Workbench, material: Material) -> list[PlanRecord]:
    """Prove open plans again and bring them up to the newest forecast.

    Drafts that no longer hold expire, approved ones go back to draft.
    """
    with workbench.store.read() as connection:
        found = plans.read_plans(connection, states=OPEN_PLAN_STATES)
        now = clock.now(workbench, connection)
    bench = bench_of(workbench, material, now)
    kept = []
    for record in found:
        if record.state not in (PlanState.DRAFT, PlanState.APPROVED):
            kept.append(record)
            continue
        plan, proof = refresh_record(bench, record, found)
        if proof.holds:
            kept.append(record if plan is None else replace(record, plan=plan))
            continue
        to = PlanState.EXPIRED if record.state is PlanState.DRAFT else PlanState.DRAFT
        with intention(workbench, SYSTEM, "plan.review", record.plan_id) as act:
            move_plan(act, record, to, "; ".join(rendered(proof.reasons)))
        if to is PlanState.DRAFT:
            kept.append(record)
    return kept


def move_plan(act: Intention, record: PlanRecord, to: PlanState, reason: str) -> None:
    """Move a plan to another state inside an intention; back to DRAFT it loses its approval."""
    check_move(record.plan_id, PLAN_MOVES, record.state, to)
    approved_by = None if to is PlanState.DRAFT else record.approved_by
    plans.set_plan_state(
        act.connection, record, to, reason=reason, by=act.actor, at=act.at, approved_by=approved_by
    )
    act.facts["plan"] = {"plan_id": record.plan_id, "from": record.state, "to": to, "reason": reason}


def check_shown(
    workbench: Workbench, act: Intention, record: PlanRecord, rev: int | None, to: PlanState
) -> None:
    """Refuse to decide on another version of a plan than the person was shown.

    Raises
    ------
    ChangedError
        Who decided what and when; where it was the same person and the same decision, that it was not done
        twice.
    """
    if rev is None or rev == record.rev:
        return
    raise ChangedError(
        record.plan_id,
        change=str(record.state),
        by=record.decided_by,
        at=record.decided_at.tz_convert(workbench.settings.site.tz),
        reason=record.reason,
        twice=record.decided_by == act.actor and record.state is to,
    )


def _shown_alert(workbench: Workbench, act: Intention, rev: int | None, to: AlertEvent) -> Alert:
    """Read the alert of an intention; refuse where it is not the version that the person was shown."""
    found = alert_records.read_alerts(act.connection, act.object)
    if not found:
        raise NotFoundError(
            "alert",
            act.object,
            what_to_do="It is LOW or not assessed; see 'gridlib alerts' for those that are.",
        )
    alert = alerts.off_the_shelf(found[0], act.at)
    if rev is not None and rev != alert.rev:
        raise _alert_changed(workbench, act, to)
    return alert


def _alert_changed(workbench: Workbench, act: Intention, to: AlertEvent) -> ChangedError:
    last = alert_records.read_alert_events(act.connection, act.object, limit=1).iloc[0]
    return ChangedError(
        f"alert of {act.object}",
        change=f"{last['event']} at {last['risk_level']}",
        by=last["by"],
        at=last["time"].tz_convert(workbench.settings.site.tz),
        reason=last["note"],
        twice=last["by"] == act.actor and last["event"] == to,
    )


def _save_alert(act: Intention, alert: Alert, event: AlertEvent, note: str) -> None:
    alert_records.save_alerts(act.connection, [alert])
    alert_records.add_alert_events(act.connection, [(alert, event, note)], actor=act.actor, at=act.at)
    act.facts |= {"risk_level": str(alert.risk_level), "imminent": alert.imminent, "note": note}
