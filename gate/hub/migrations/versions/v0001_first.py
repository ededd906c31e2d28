"""The first tables."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    _kept_for_ever()
    _projections()
    _outgoing_and_rejected()
    _people()
    _before_the_traveller()


def downgrade() -> None:
    for table in (
        "sessions",
        "watchlist",
        "verdicts",
        "users",
        "rejected",
        "lanes",
        "events",
        "declarations",
        "commands",
        "cases",
        "blobs",
    ):
        op.drop_table(table)


def _kept_for_ever() -> None:
    op.create_table(
        "events",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("lane", sa.String(length=63), nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.Column("type", sa.String(length=64), nullable=False),
        sa.Column("time_ms", sa.BigInteger(), nullable=False),
        sa.Column("received_ms", sa.BigInteger(), nullable=False),
        sa.Column("case_id", sa.String(length=64), nullable=True),
        sa.Column("body", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_events"),
    )
    op.create_index("ix_events_case_id", "events", ["case_id"], unique=False)
    op.create_index("ix_events_lane_sequence", "events", ["lane", "sequence"], unique=False)
    op.create_table(
        "verdicts",
        sa.Column("case_id", sa.String(length=64), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("role", sa.String(length=63), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("evidence_digest", sa.String(length=64), nullable=False),
        sa.Column("author", sa.String(length=64), nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("case_id", "number", name="pk_verdicts"),
    )
    op.create_table(
        "blobs",
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("media_type", sa.String(length=64), nullable=False),
        sa.Column("lane", sa.String(length=63), nullable=False),
        sa.Column("case_id", sa.String(length=64), nullable=False),
        sa.Column("stored_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("sha256", name="pk_blobs"),
    )
    op.create_index("ix_blobs_case_id", "blobs", ["case_id"], unique=False)


def _projections() -> None:
    op.create_table(
        "cases",
        sa.Column("case_id", sa.String(length=64), nullable=False),
        sa.Column("lane", sa.String(length=63), nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("opened_ms", sa.BigInteger(), nullable=False),
        sa.Column("closed_ms", sa.BigInteger(), nullable=True),
        sa.Column("waiting_since_ms", sa.BigInteger(), nullable=True),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("evidence_digest", sa.String(length=64), nullable=True),
        sa.Column("was_referred", sa.Boolean(), nullable=False),
        sa.Column("outcome", sa.String(length=32), nullable=True),
        sa.Column("document_to_entry_ms", sa.Float(), nullable=True),
        sa.Column("face_to_exit_ms", sa.Float(), nullable=True),
        sa.Column("body", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("case_id", name="pk_cases"),
    )
    op.create_index("ix_cases_closed_ms", "cases", ["closed_ms"], unique=False)
    op.create_index("ix_cases_opened_ms", "cases", ["opened_ms"], unique=False)
    op.create_index("ix_cases_status_opened_ms", "cases", ["status", "opened_ms"], unique=False)
    op.create_table(
        "lanes",
        sa.Column("lane", sa.String(length=63), nullable=False),
        sa.Column("event_count", sa.BigInteger(), nullable=False),
        sa.Column("last_sequence", sa.BigInteger(), nullable=False),
        sa.Column("last_event_ms", sa.BigInteger(), nullable=False),
        sa.Column("started_sequence", sa.BigInteger(), nullable=False),
        sa.Column("boot_id", sa.Text(), nullable=True),
        sa.Column("software_version", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("lane", name="pk_lanes"),
    )


def _outgoing_and_rejected() -> None:
    op.create_table(
        "commands",
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("jti", sa.String(length=64), nullable=False),
        sa.Column("lane", sa.String(length=63), nullable=False),
        sa.Column("act", sa.String(length=32), nullable=False),
        sa.Column("author", sa.String(length=64), nullable=False),
        sa.Column("case_id", sa.String(length=64), nullable=True),
        sa.Column("occupancy_id", sa.Text(), nullable=True),
        sa.Column("evidence_digest", sa.String(length=64), nullable=True),
        sa.Column("issued_ms", sa.BigInteger(), nullable=False),
        sa.Column("expires_ms", sa.BigInteger(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("token", sa.Text(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("settled_ms", sa.BigInteger(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("release_key", sa.String(length=80), nullable=True),
        sa.PrimaryKeyConstraint("seq", name="pk_commands"),
        sa.UniqueConstraint("jti", name="uq_commands_jti"),
        sa.UniqueConstraint("release_key", name="uq_commands_release_key"),
    )
    op.create_index("ix_commands_case_id", "commands", ["case_id"], unique=False)
    op.create_index("ix_commands_state", "commands", ["state"], unique=False)
    op.create_table(
        "rejected",
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("topic", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("payload", sa.Text(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("first_ms", sa.BigInteger(), nullable=False),
        sa.Column("last_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("digest", name="pk_rejected"),
    )
    op.create_index("ix_rejected_last_ms", "rejected", ["last_ms"], unique=False)


def _people() -> None:
    op.create_table(
        "users",
        sa.Column("user", sa.String(length=64), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("password_hash", sa.Text(), nullable=False),
        sa.Column("roles", sa.Text(), nullable=False),
        sa.Column("created_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("user", name="pk_users"),
    )
    op.create_table(
        "sessions",
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("user", sa.String(length=64), nullable=False),
        sa.Column("expires_ms", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["user"], ["users.user"], name="fk_sessions_user", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("token_hash", name="pk_sessions"),
    )
    op.create_index("ix_sessions_user", "sessions", ["user"], unique=False)


def _before_the_traveller() -> None:
    op.create_table(
        "declarations",
        sa.Column("issuer", sa.String(length=8), nullable=False),
        sa.Column("document_number", sa.String(length=32), nullable=False),
        sa.Column("declaration_id", sa.String(length=32), nullable=False),
        sa.Column("author", sa.String(length=64), nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("issuer", "document_number", name="pk_declarations"),
        sa.UniqueConstraint("declaration_id", name="uq_declarations_declaration_id"),
    )
    op.create_table(
        "watchlist",
        sa.Column("issuer", sa.String(length=8), nullable=False),
        sa.Column("document_number", sa.String(length=32), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("issuer", "document_number", name="pk_watchlist"),
    )
