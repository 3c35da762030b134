"""Instructed steps, planned windows, who changed what last, lasting alerts, drafts of screens."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_ID, _TIME, _WORD = sa.String(length=80), sa.String(length=32), sa.String(length=32)


def upgrade() -> None:
    """Add the columns and tables; what was acknowledged stays acknowledged."""
    op.add_column("plan", sa.Column("decided_by", _ID, comment="who put it into this state"))
    for column in (
        sa.Column("planned_from", _TIME, comment="planned window, from its plan"),
        sa.Column("planned_until", _TIME),
        sa.Column("change", _WORD, comment="its last change: state, or step and state"),
        sa.Column("changed_by", _ID),
        sa.Column("changed_at", _TIME),
    ):
        op.add_column("work_order", column)
    for column in (
        sa.Column("instructed_by", _ID),
        sa.Column("instructed_to", sa.Text()),
        sa.Column("instructed_at", _TIME),
    ):
        op.add_column("work_order_step", column)
    op.create_table(
        "screen_draft",
        sa.Column("username", _ID, nullable=False),
        sa.Column("form", _ID, nullable=False),
        sa.Column(
            "entries",
            sa.JSON(none_as_null=True),
            nullable=False,
            comment="what was typed and not sent, by field",
        ),
        sa.Column("saved_at", _TIME, nullable=False),
        sa.ForeignKeyConstraint(
            ["username"], ["user_account.username"], name=op.f("fk_screen_draft_username")
        ),
        sa.PrimaryKeyConstraint("username", "form", name=op.f("pk_screen_draft")),
    )
    alert = op.create_table(
        "alert",
        sa.Column("transformer_id", _ID, nullable=False),
        sa.Column("rev", sa.Integer(), nullable=False),
        sa.Column("risk_level", _WORD, nullable=False),
        sa.Column("imminent", sa.Boolean(), nullable=False),
        sa.Column("imminent_at", _TIME, comment="issue of the newest run in which it was imminent"),
        sa.Column("raised_at", _TIME, nullable=False),
        sa.Column("called_at", _TIME, nullable=False, comment="since when it calls for a person"),
        sa.Column("escalated", sa.Boolean(), nullable=False, comment="came back because it got worse"),
        sa.Column("seen_level", _WORD, comment="what a person has seen and set it aside at"),
        sa.Column("seen_imminent", sa.Boolean(), nullable=False),
        sa.Column("acknowledged_by", _ID),
        sa.Column("acknowledged_at", _TIME),
        sa.Column("shelved_by", _ID),
        sa.Column("shelved_until", _TIME),
        sa.Column("shelved_reason", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("transformer_id", name=op.f("pk_alert")),
    )
    event = op.create_table(
        "alert_event",
        sa.Column("alert_event_id", sa.Integer(), nullable=False),
        sa.Column("transformer_id", _ID, nullable=False),
        sa.Column("time", _TIME, nullable=False),
        sa.Column("event", _WORD, nullable=False),
        sa.Column("risk_level", _WORD, nullable=False),
        sa.Column("imminent", sa.Boolean(), nullable=False),
        sa.Column("actor", _ID, nullable=False, comment="a person, or the run that found it"),
        sa.Column("note", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("alert_event_id", name=op.f("pk_alert_event")),
    )
    op.create_index(op.f("ix_alert_event_transformer_id"), "alert_event", ["transformer_id"], unique=False)
    _carry_over(alert, event)
    op.drop_table("acknowledgement")


def _carry_over(alert: sa.Table, event: sa.Table) -> None:
    """Make alerts of the newest risk table, and history of what was acknowledged."""
    connection = op.get_bind()
    given = connection.execute(
        sa.text("SELECT * FROM acknowledgement ORDER BY acknowledged_at, acknowledgement_id")
    ).all()
    risk = connection.execute(
        sa.text(
            "SELECT k.transformer_id, k.risk_level, k.imminent, r.run_id, r.issued_at, s.finished_at "
            "FROM risk k JOIN run r ON r.run_id = k.run_id "
            "JOIN stage_run s ON s.run_id = r.run_id AND s.stage = 'risk' WHERE k.risk_level <> 'LOW' "
            "AND r.run_id = (SELECT q.run_id FROM run q JOIN stage_run u ON u.run_id = q.run_id "
            "AND u.stage = 'risk' ORDER BY q.issued_at DESC, q.started_at DESC, q.run_id DESC LIMIT 1)"
        )
    ).all()
    events: list[dict[str, Any]] = [
        {
            "transformer_id": row.transformer_id,
            "time": row.acknowledged_at,
            "event": "ACKNOWLEDGED",
            "risk_level": row.risk_level,
            "imminent": False,
            "actor": row.acknowledged_by,
            "note": row.note,
        }
        for row in given
    ]
    events += [
        {
            "transformer_id": row.transformer_id,
            "time": row.finished_at,
            "event": "RAISED",
            "risk_level": row.risk_level,
            "imminent": bool(row.imminent),
            "actor": row.run_id,
            "note": "",
        }
        for row in risk
    ]
    seen = {row.transformer_id: row for row in given}
    alerts: list[dict[str, Any]] = []
    for row in risk:
        ack = seen.get(row.transformer_id)
        holds = ack is not None and (ack.risk_level == "HIGH" or ack.risk_level == row.risk_level)
        alerts.append(
            {
                "transformer_id": row.transformer_id,
                "rev": 0,
                "risk_level": row.risk_level,
                "imminent": bool(row.imminent),
                "imminent_at": row.issued_at if row.imminent else None,
                "raised_at": row.finished_at,
                "called_at": row.finished_at,
                "escalated": False,
                "seen_level": row.risk_level if holds else None,
                "seen_imminent": bool(row.imminent) and holds,
                "acknowledged_by": ack.acknowledged_by if ack is not None and holds else None,
                "acknowledged_at": ack.acknowledged_at if ack is not None and holds else None,
                "shelved_by": None,
                "shelved_until": None,
                "shelved_reason": "",
            }
        )
    for table, rows in ((event, events), (alert, alerts)):
        if rows:
            op.bulk_insert(table, rows)
