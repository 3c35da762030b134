"""Runs that people ask for."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the queue of requested runs."""
    op.create_table(
        "run_request",
        sa.Column("request_id", sa.String(length=80), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("stages", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("issued_at", sa.String(length=32), nullable=True, comment="null: after the last reading"),
        sa.Column("requested_by", sa.String(length=80), nullable=False),
        sa.Column("requested_at", sa.String(length=32), nullable=False),
        sa.Column("state", sa.String(length=32), nullable=False, comment="queued | running | done | failed"),
        sa.Column("started_at", sa.String(length=32), nullable=True),
        sa.Column("ended_at", sa.String(length=32), nullable=True),
        sa.Column("run_id", sa.String(length=80), nullable=True),
        sa.Column("stages_done", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("code", sa.String(length=32), nullable=False, comment="why it failed"),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["run.run_id"], name=op.f("fk_run_request_run_id")),
        sa.PrimaryKeyConstraint("request_id", name=op.f("pk_run_request")),
        sa.UniqueConstraint("seq", name=op.f("uq_run_request_seq")),
    )
    op.create_index(op.f("ix_run_request_state"), "run_request", ["state"], unique=False)
