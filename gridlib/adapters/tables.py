"""The tables of the store, for SQLite and PostgreSQL alike.

Times are ISO 8601 text in UTC with microseconds, so that both databases keep, order and compare them alike.
``rev`` columns are compare-and-set counters: an update names the revision it read.
"""

import sqlalchemy as sa

metadata = sa.MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "ix": "ix_%(table_name)s_%(column_0_name)s",
    }
)
_Id = sa.String(80)
_Time = sa.String(32)
_Word = sa.String(32)
_Json = sa.JSON(none_as_null=True)

user = sa.Table(
    "user_account",
    metadata,
    sa.Column("username", _Id, primary_key=True),
    sa.Column("roles", _Json, nullable=False),
    sa.Column("active", sa.Boolean, nullable=False),
    sa.Column("created_at", _Time, nullable=False),
    sa.Column("password", sa.Text, comment="scrypt, encoded"),
    sa.Column("language", _Word, nullable=False, server_default="en"),
)

session = sa.Table(
    "user_session",
    metadata,
    sa.Column("key_sha256", sa.String(64), primary_key=True),
    sa.Column("username", _Id, sa.ForeignKey("user_account.username"), nullable=False, index=True),
    sa.Column("via", _Word, nullable=False, comment="password | proxy"),
    sa.Column("address", sa.Text, nullable=False),
    sa.Column("created_at", _Time, nullable=False),
    sa.Column("used_at", _Time, nullable=False),
)

api_token = sa.Table(
    "api_token",
    metadata,
    sa.Column("token_sha256", sa.String(64), primary_key=True),
    sa.Column("username", _Id, sa.ForeignKey("user_account.username"), nullable=False),
    sa.Column("name", _Id, nullable=False),
    sa.Column("created_at", _Time, nullable=False),
    sa.Column("used_at", _Time),
    sa.Column("revoked_at", _Time),
    sa.UniqueConstraint("username", "name"),
)

sign_in_failure = sa.Table(
    "sign_in_failure",
    metadata,
    sa.Column("username", _Id, primary_key=True, comment="empty: all names that nobody has"),
    sa.Column("failures", sa.Integer, nullable=False),
    sa.Column("first_at", _Time, nullable=False),
    sa.Column("locked_until", _Time),
)

counter = sa.Table(
    "counter",
    metadata,
    sa.Column("name", _Word, primary_key=True),
    sa.Column("year", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("last", sa.Integer, nullable=False),
)

ingest_file = sa.Table(
    "ingest_file",
    metadata,
    sa.Column("ingest_id", _Id, primary_key=True),
    sa.Column("seq", sa.Integer, nullable=False, unique=True),
    sa.Column("sha256", sa.String(64), nullable=False, index=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("kind", _Word, nullable=False),
    sa.Column("rows", sa.Integer, nullable=False),
    sa.Column("rejects", sa.Integer, nullable=False),
    sa.Column("first_time", _Time),
    sa.Column("last_time", _Time),
    sa.Column("ingested_at", _Time, nullable=False),
    sa.Column("ingested_by", _Id, nullable=False),
)

run = sa.Table(
    "run",
    metadata,
    sa.Column("run_id", _Id, primary_key=True),
    sa.Column("issued_at", _Time, nullable=False),
    sa.Column("started_at", _Time, nullable=False),
    sa.Column("started_by", _Id, nullable=False),
    sa.Column("code_version", sa.Text, nullable=False),
    sa.Column("data_digest", sa.String(64), nullable=False),
)

stage_run = sa.Table(
    "stage_run",
    metadata,
    sa.Column("run_id", _Id, sa.ForeignKey("run.run_id"), primary_key=True),
    sa.Column("stage", _Word, primary_key=True),
    sa.Column("finished_at", _Time, nullable=False),
    sa.Column("seconds", sa.Float, nullable=False),
    sa.Column("counts", _Json, nullable=False),
)

run_request = sa.Table(
    "run_request",
    metadata,
    sa.Column("request_id", _Id, primary_key=True),
    sa.Column("seq", sa.Integer, nullable=False, unique=True),
    sa.Column("stages", _Json, nullable=False),
    sa.Column("issued_at", _Time, comment="null: after the last reading"),
    sa.Column("requested_by", _Id, nullable=False),
    sa.Column("requested_at", _Time, nullable=False),
    sa.Column("state", _Word, nullable=False, index=True, comment="queued | running | done | failed"),
    sa.Column("started_at", _Time),
    sa.Column("ended_at", _Time),
    sa.Column("run_id", _Id, sa.ForeignKey("run.run_id")),
    sa.Column("stages_done", _Json, nullable=False),
    sa.Column("code", _Word, nullable=False, comment="why it failed"),
    sa.Column("reason", sa.Text, nullable=False),
)

finding = sa.Table(
    "finding",
    metadata,
    sa.Column("finding_id", sa.Integer, primary_key=True),
    sa.Column("source_id", _Id, nullable=False, index=True, comment="run_id or ingest_id"),
    sa.Column("stage", _Word, nullable=False),
    sa.Column("object_id", sa.Text, nullable=False),
    sa.Column("code", _Word, nullable=False),
    sa.Column("message", sa.Text, nullable=False),
    sa.Column("first", _Time),
    sa.Column("last", _Time),
    sa.Column("count", sa.Integer, nullable=False),
)

network_row = sa.Table(
    "network_row",
    metadata,
    sa.Column("table_name", _Word, primary_key=True),
    sa.Column("object_id", sa.Text, primary_key=True),
    sa.Column("row", _Json, nullable=False),
)

switch_state = sa.Table(
    "switch_state",
    metadata,
    sa.Column("state_id", sa.Integer, primary_key=True),
    sa.Column("switch_id", _Id, nullable=False, index=True),
    sa.Column("time", _Time, nullable=False),
    sa.Column("state", _Word, nullable=False),
    sa.Column("health", _Word, nullable=False),
    sa.Column("tags", sa.Text, nullable=False),
    sa.Column("source", _Word, nullable=False),
    sa.Column("recorded_by", _Id, nullable=False),
)

risk = sa.Table(
    "risk",
    metadata,
    sa.Column("run_id", _Id, sa.ForeignKey("run.run_id"), primary_key=True),
    sa.Column("transformer_id", _Id, primary_key=True),
    sa.Column("risk_score", sa.Float, nullable=False),
    sa.Column("risk_level", _Word, nullable=False),
    sa.Column("imminent", sa.Boolean, nullable=False),
    sa.Column("row", _Json, nullable=False, comment="the whole RiskFrame row"),
)

alert = sa.Table(
    "alert",
    metadata,
    sa.Column("transformer_id", _Id, primary_key=True),
    sa.Column("rev", sa.Integer, nullable=False),
    sa.Column("risk_level", _Word, nullable=False),
    sa.Column("imminent", sa.Boolean, nullable=False),
    sa.Column("imminent_at", _Time, comment="issue of the newest run in which it was imminent"),
    sa.Column("raised_at", _Time, nullable=False),
    sa.Column("called_at", _Time, nullable=False, comment="since when it calls for a person"),
    sa.Column("escalated", sa.Boolean, nullable=False, comment="came back because it got worse"),
    sa.Column("seen_level", _Word, comment="what a person has seen and set it aside at"),
    sa.Column("seen_imminent", sa.Boolean, nullable=False),
    sa.Column("acknowledged_by", _Id),
    sa.Column("acknowledged_at", _Time),
    sa.Column("shelved_by", _Id),
    sa.Column("shelved_until", _Time),
    sa.Column("shelved_reason", sa.Text, nullable=False),
)

alert_event = sa.Table(
    "alert_event",
    metadata,
    sa.Column("alert_event_id", sa.Integer, primary_key=True),
    sa.Column("transformer_id", _Id, nullable=False, index=True),
    sa.Column("time", _Time, nullable=False),
    sa.Column("event", _Word, nullable=False),
    sa.Column("risk_level", _Word, nullable=False),
    sa.Column("imminent", sa.Boolean, nullable=False),
    sa.Column("actor", _Id, nullable=False, comment="a person, or the run that found it"),
    sa.Column("note", sa.Text, nullable=False),
)

planning_case = sa.Table(
    "planning_case",
    metadata,
    sa.Column("run_id", _Id, sa.ForeignKey("run.run_id"), primary_key=True),
    sa.Column("transformer_id", _Id, primary_key=True),
    sa.Column("do_nothing", _Json, nullable=False),
    sa.Column("why_not", _Json, nullable=False),
    sa.Column("other_measures", _Json, nullable=False),
)

plan = sa.Table(
    "plan",
    metadata,
    sa.Column("plan_id", _Id, primary_key=True),
    sa.Column("run_id", _Id, sa.ForeignKey("run.run_id"), nullable=False),
    sa.Column("kind", _Word, nullable=False, comment="transfer | return"),
    sa.Column("parent_id", _Id, sa.ForeignKey("plan.plan_id")),
    sa.Column("transformer_id", _Id, nullable=False, index=True),
    sa.Column("rank", sa.Integer, nullable=False),
    sa.Column("state", _Word, nullable=False, index=True),
    sa.Column("reason", sa.Text, nullable=False, comment="why it is in this state"),
    sa.Column("rev", sa.Integer, nullable=False),
    sa.Column("body", _Json, nullable=False, comment="the Plan record"),
    sa.Column("prepared_by", _Id, nullable=False),
    sa.Column("approved_by", _Id),
    sa.Column("created_at", _Time, nullable=False),
    sa.Column("decided_by", _Id, comment="who put it into this state"),
    sa.Column("decided_at", _Time),
)

instruction = sa.Table(
    "instruction",
    metadata,
    sa.Column("plan_id", _Id, sa.ForeignKey("plan.plan_id"), primary_key=True),
    sa.Column("run_id", _Id, sa.ForeignKey("run.run_id"), nullable=False),
    sa.Column("body", _Json, nullable=False, comment="the Instruction record"),
)

work_order = sa.Table(
    "work_order",
    metadata,
    sa.Column("work_order_id", _Id, primary_key=True),
    sa.Column("plan_id", _Id, sa.ForeignKey("plan.plan_id"), nullable=False, index=True),
    sa.Column("state", _Word, nullable=False),
    sa.Column("rev", sa.Integer, nullable=False),
    sa.Column("crew", sa.Text, nullable=False),
    sa.Column("issued_by", _Id, nullable=False),
    sa.Column("issued_at", _Time, nullable=False),
    sa.Column("started_at", _Time),
    sa.Column("ended_at", _Time),
    sa.Column("outcome", sa.Text, nullable=False),
    sa.Column("planned_from", _Time, comment="planned window, from its plan"),
    sa.Column("planned_until", _Time),
    sa.Column("change", _Word, comment="its last change: state, or step and state"),
    sa.Column("changed_by", _Id),
    sa.Column("changed_at", _Time),
)

work_order_step = sa.Table(
    "work_order_step",
    metadata,
    sa.Column("work_order_id", _Id, sa.ForeignKey("work_order.work_order_id"), primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("step", _Json, nullable=False, comment="the Step record"),
    sa.Column("state", _Word, nullable=False),
    sa.Column("instructed_by", _Id),
    sa.Column("instructed_to", sa.Text),
    sa.Column("instructed_at", _Time),
    sa.Column("ended_by", _Id),
    sa.Column("ended_at", _Time),
    sa.Column("reading", sa.Text, nullable=False),
    sa.Column("remark", sa.Text, nullable=False),
)

screen_draft = sa.Table(
    "screen_draft",
    metadata,
    sa.Column("username", _Id, sa.ForeignKey("user_account.username"), primary_key=True),
    sa.Column("form", _Id, primary_key=True),
    sa.Column("entries", _Json, nullable=False, comment="what was typed and not sent, by field"),
    sa.Column("saved_at", _Time, nullable=False),
)

notebook_run = sa.Table(
    "notebook_run",
    metadata,
    sa.Column("notebook_run_id", sa.Integer, primary_key=True),
    sa.Column("notebook", sa.Text, nullable=False),
    sa.Column("run_id", _Id, nullable=False),
    sa.Column("parameters", _Json, nullable=False),
    sa.Column("code_version", sa.Text, nullable=False),
    sa.Column("started_at", _Time, nullable=False),
    sa.Column("seconds", sa.Float, nullable=False),
    sa.Column("outcome", _Word, nullable=False, comment="done | failed"),
    sa.Column("published_at", sa.Text, nullable=False, comment="path below the workspace"),
    sa.Column("message", sa.Text, nullable=False),
)

audit_event = sa.Table(
    "audit_event",
    metadata,
    sa.Column("seq", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("time", _Time, nullable=False),
    sa.Column("actor", _Id, nullable=False),
    sa.Column("roles", sa.Text, nullable=False),
    sa.Column("action", _Id, nullable=False),
    sa.Column("object", sa.Text, nullable=False),
    sa.Column("outcome", sa.Text, nullable=False, comment="done | refused:<code>"),
    sa.Column("payload", sa.Text, nullable=False, comment="canonical JSON: facts, digests before and after"),
    sa.Column("prev_hash", sa.String(64), nullable=False, unique=True),
    sa.Column("hash", sa.String(64), nullable=False, unique=True),
)
