"""Accounts: passwords, languages, sessions, tokens and failed sign-ins."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Let people sign in; who was there before has no password until one is set."""
    op.add_column("user_account", sa.Column("password", sa.Text(), nullable=True, comment="scrypt, encoded"))
    op.add_column(
        "user_account", sa.Column("language", sa.String(length=32), nullable=False, server_default="en")
    )
    op.create_table(
        "user_session",
        sa.Column("key_sha256", sa.String(length=64), nullable=False),
        sa.Column("username", sa.String(length=80), nullable=False),
        sa.Column("via", sa.String(length=32), nullable=False, comment="password | proxy"),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("created_at", sa.String(length=32), nullable=False),
        sa.Column("used_at", sa.String(length=32), nullable=False),
        sa.ForeignKeyConstraint(
            ["username"], ["user_account.username"], name=op.f("fk_user_session_username")
        ),
        sa.PrimaryKeyConstraint("key_sha256", name=op.f("pk_user_session")),
    )
    op.create_index(op.f("ix_user_session_username"), "user_session", ["username"], unique=False)
    op.create_table(
        "api_token",
        sa.Column("token_sha256", sa.String(length=64), nullable=False),
        sa.Column("username", sa.String(length=80), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("created_at", sa.String(length=32), nullable=False),
        sa.Column("used_at", sa.String(length=32), nullable=True),
        sa.Column("revoked_at", sa.String(length=32), nullable=True),
        sa.ForeignKeyConstraint(["username"], ["user_account.username"], name=op.f("fk_api_token_username")),
        sa.PrimaryKeyConstraint("token_sha256", name=op.f("pk_api_token")),
        sa.UniqueConstraint("username", "name", name=op.f("uq_api_token_username")),
    )
    op.create_table(
        "sign_in_failure",
        sa.Column(
            "username", sa.String(length=80), nullable=False, comment="empty: all names that nobody has"
        ),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("first_at", sa.String(length=32), nullable=False),
        sa.Column("locked_until", sa.String(length=32), nullable=True),
        sa.PrimaryKeyConstraint("username", name=op.f("pk_sign_in_failure")),
    )
