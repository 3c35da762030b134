"""The first tables."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create every table of the first version; the audit guards are put up after each upgrade."""
    op.create_table(
        "audit_event",
        sa.Column("seq", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("time", sa.String(length=32), nullable=False),
        sa.Column("actor", sa.String(length=80), nullable=False),
        sa.Column("roles", sa.Text(), nullable=False),
        sa.Column("action", sa.String(length=80), nullable=False),
        sa.Column("object", sa.Text(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False, comment="done | refused:<code>"),
        sa.Column(
            "payload", sa.Text(), nullable=False, comment="canonical JSON: facts, digests before and after"
        ),
        sa.Column("prev_hash", sa.String(length=64), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_audit_event")),
        sa.UniqueConstraint("hash", name=op.f("uq_audit_event_hash")),
        sa.UniqueConstraint("prev_hash", name=op.f("uq_audit_event_prev_hash")),
    )
    op.create_table(
        "counter",
        sa.Column("name", sa.String(length=32), nullable=False),
        sa.Column("year", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("last", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("name", "year", name=op.f("pk_counter")),
    )
    op.create_table(
        "finding",
        sa.Column("finding_id", sa.Integer(), nullable=False),
        sa.Column("source_id", sa.String(length=80), nullable=False, comment="run_id or ingest_id"),
        sa.Column("stage", sa.String(length=32), nullable=False),
        sa.Column("object_id", sa.Text(), nullable=False),
        sa.Column("code", sa.String(length=32), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("first", sa.String(length=32), nullable=True),
        sa.Column("last", sa.String(length=32), nullable=True),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("finding_id", name=op.f("pk_finding")),
    )
    op.create_index(op.f("ix_finding_source_id"), "finding", ["source_id"], unique=False)
    op.create_table(
        "ingest_file",
        sa.Column("ingest_id", sa.String(length=80), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("rows", sa.Integer(), nullable=False),
        sa.Column("rejects", sa.Integer(), nullable=False),
        sa.Column("first_time", sa.String(length=32), nullable=True),
        sa.Column("last_time", sa.String(length=32), nullable=True),
        sa.Column("ingested_at", sa.String(length=32), nullable=False),
        sa.Column("ingested_by", sa.String(length=80), nullable=False),
        sa.PrimaryKeyConstraint("ingest_id", name=op.f("pk_ingest_file")),
        sa.UniqueConstraint("seq", name=op.f("uq_ingest_file_seq")),
    )
    op.create_index(op.f("ix_ingest_file_sha256"), "ingest_file", ["sha256"], unique=False)
    op.create_table(
        "network_row",
        sa.Column("table_name", sa.String(length=32), nullable=False),
        sa.Column("object_id", sa.Text(), nullable=False),
        sa.Column("row", sa.JSON(none_as_null=True), nullable=False),
        sa.PrimaryKeyConstraint("table_name", "object_id", name=op.f("pk_network_row")),
    )
    op.create_table(
        "notebook_run",
        sa.Column("notebook_run_id", sa.Integer(), nullable=False),
        sa.Column("notebook", sa.Text(), nullable=False),
        sa.Column("run_id", sa.String(length=80), nullable=False),
        sa.Column("parameters", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("code_version", sa.Text(), nullable=False),
        sa.Column("started_at", sa.String(length=32), nullable=False),
        sa.Column("seconds", sa.Float(), nullable=False),
        sa.Column("outcome", sa.String(length=32), nullable=False, comment="done | failed"),
        sa.Column("published_at", sa.Text(), nullable=False, comment="path below the workspace"),
        sa.Column("message", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("notebook_run_id", name=op.f("pk_notebook_run")),
    )
    op.create_table(
        "run",
        sa.Column("run_id", sa.String(length=80), nullable=False),
        sa.Column("issued_at", sa.String(length=32), nullable=False),
        sa.Column("started_at", sa.String(length=32), nullable=False),
        sa.Column("started_by", sa.String(length=80), nullable=False),
        sa.Column("code_version", sa.Text(), nullable=False),
        sa.Column("data_digest", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("run_id", name=op.f("pk_run")),
    )
    op.create_table(
        "switch_state",
        sa.Column("state_id", sa.Integer(), nullable=False),
        sa.Column("switch_id", sa.String(length=80), nullable=False),
        sa.Column("time", sa.String(length=32), nullable=False),
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.Column("health", sa.String(length=32), nullable=False),
        sa.Column("tags", sa.Text(), nullable=False),
        sa.Column("source", sa.String(length=32), nullable=False),
        sa.Column("recorded_by", sa.String(length=80), nullable=False),
        sa.PrimaryKeyConstraint("state_id", name=op.f("pk_switch_state")),
    )
    op.create_index(op.f("ix_switch_state_switch_id"), "switch_state", ["switch_id"], unique=False)
    op.create_table(
        "user_account",
        sa.Column("username", sa.String(length=80), nullable=False),
        sa.Column("roles", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.String(length=32), nullable=False),
        sa.PrimaryKeyConstraint("username", name=op.f("pk_user_account")),
    )
    op.create_table(
        "acknowledgement",
        sa.Column("acknowledgement_id", sa.Integer(), nullable=False),
        sa.Column("run_id", sa.String(length=80), nullable=False),
        sa.Column("transformer_id", sa.String(length=80), nullable=False),
        sa.Column("risk_level", sa.String(length=32), nullable=False),
        sa.Column("acknowledged_by", sa.String(length=80), nullable=False),
        sa.Column("acknowledged_at", sa.String(length=32), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["run.run_id"], name=op.f("fk_acknowledgement_run_id")),
        sa.PrimaryKeyConstraint("acknowledgement_id", name=op.f("pk_acknowledgement")),
        sa.UniqueConstraint("run_id", "transformer_id", name=op.f("uq_acknowledgement_run_id")),
    )
    op.create_table(
        "plan",
        sa.Column("plan_id", sa.String(length=80), nullable=False),
        sa.Column("run_id", sa.String(length=80), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False, comment="transfer | return"),
        sa.Column("parent_id", sa.String(length=80), nullable=True),
        sa.Column("transformer_id", sa.String(length=80), nullable=False),
        sa.Column("rank", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False, comment="why it is in this state"),
        sa.Column("rev", sa.Integer(), nullable=False),
        sa.Column("body", sa.JSON(none_as_null=True), nullable=False, comment="the Plan record"),
        sa.Column("prepared_by", sa.String(length=80), nullable=False),
        sa.Column("approved_by", sa.String(length=80), nullable=True),
        sa.Column("created_at", sa.String(length=32), nullable=False),
        sa.Column("decided_at", sa.String(length=32), nullable=True),
        sa.ForeignKeyConstraint(["parent_id"], ["plan.plan_id"], name=op.f("fk_plan_parent_id")),
        sa.ForeignKeyConstraint(["run_id"], ["run.run_id"], name=op.f("fk_plan_run_id")),
        sa.PrimaryKeyConstraint("plan_id", name=op.f("pk_plan")),
    )
    op.create_index(op.f("ix_plan_state"), "plan", ["state"], unique=False)
    op.create_index(op.f("ix_plan_transformer_id"), "plan", ["transformer_id"], unique=False)
    op.create_table(
        "planning_case",
        sa.Column("run_id", sa.String(length=80), nullable=False),
        sa.Column("transformer_id", sa.String(length=80), nullable=False),
        sa.Column("do_nothing", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("why_not", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("other_measures", sa.JSON(none_as_null=True), nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["run.run_id"], name=op.f("fk_planning_case_run_id")),
        sa.PrimaryKeyConstraint("run_id", "transformer_id", name=op.f("pk_planning_case")),
    )
    op.create_table(
        "risk",
        sa.Column("run_id", sa.String(length=80), nullable=False),
        sa.Column("transformer_id", sa.String(length=80), nullable=False),
        sa.Column("risk_score", sa.Float(), nullable=False),
        sa.Column("risk_level", sa.String(length=32), nullable=False),
        sa.Column("imminent", sa.Boolean(), nullable=False),
        sa.Column("row", sa.JSON(none_as_null=True), nullable=False, comment="the whole RiskFrame row"),
        sa.ForeignKeyConstraint(["run_id"], ["run.run_id"], name=op.f("fk_risk_run_id")),
        sa.PrimaryKeyConstraint("run_id", "transformer_id", name=op.f("pk_risk")),
    )
    op.create_table(
        "stage_run",
        sa.Column("run_id", sa.String(length=80), nullable=False),
        sa.Column("stage", sa.String(length=32), nullable=False),
        sa.Column("finished_at", sa.String(length=32), nullable=False),
        sa.Column("seconds", sa.Float(), nullable=False),
        sa.Column("counts", sa.JSON(none_as_null=True), nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["run.run_id"], name=op.f("fk_stage_run_run_id")),
        sa.PrimaryKeyConstraint("run_id", "stage", name=op.f("pk_stage_run")),
    )
    op.create_table(
        "instruction",
        sa.Column("plan_id", sa.String(length=80), nullable=False),
        sa.Column("run_id", sa.String(length=80), nullable=False),
        sa.Column("body", sa.JSON(none_as_null=True), nullable=False, comment="the Instruction record"),
        sa.ForeignKeyConstraint(["plan_id"], ["plan.plan_id"], name=op.f("fk_instruction_plan_id")),
        sa.ForeignKeyConstraint(["run_id"], ["run.run_id"], name=op.f("fk_instruction_run_id")),
        sa.PrimaryKeyConstraint("plan_id", name=op.f("pk_instruction")),
    )
    op.create_table(
        "work_order",
        sa.Column("work_order_id", sa.String(length=80), nullable=False),
        sa.Column("plan_id", sa.String(length=80), nullable=False),
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.Column("rev", sa.Integer(), nullable=False),
        sa.Column("crew", sa.Text(), nullable=False),
        sa.Column("issued_by", sa.String(length=80), nullable=False),
        sa.Column("issued_at", sa.String(length=32), nullable=False),
        sa.Column("started_at", sa.String(length=32), nullable=True),
        sa.Column("ended_at", sa.String(length=32), nullable=True),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["plan_id"], ["plan.plan_id"], name=op.f("fk_work_order_plan_id")),
        sa.PrimaryKeyConstraint("work_order_id", name=op.f("pk_work_order")),
    )
    op.create_index(op.f("ix_work_order_plan_id"), "work_order", ["plan_id"], unique=False)
    op.create_table(
        "work_order_step",
        sa.Column("work_order_id", sa.String(length=80), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("step", sa.JSON(none_as_null=True), nullable=False, comment="the Step record"),
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.Column("ended_by", sa.String(length=80), nullable=True),
        sa.Column("ended_at", sa.String(length=32), nullable=True),
        sa.Column("reading", sa.Text(), nullable=False),
        sa.Column("remark", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["work_order_id"], ["work_order.work_order_id"], name=op.f("fk_work_order_step_work_order_id")
        ),
        sa.PrimaryKeyConstraint("work_order_id", "number", name=op.f("pk_work_order_step")),
    )
