"""The single window: records and submissions."""

import sqlalchemy as sa
from alembic import op

revision = "0041"
down_revision = "0040"


def upgrade() -> None:
    op.create_table(
        "window_records",
        sa.Column("key", sa.String(length=160), nullable=False),
        sa.Column("kind", sa.String(length=24), nullable=False),
        sa.Column("issuer", sa.String(length=8), nullable=True),
        sa.Column("document_number", sa.String(length=40), nullable=True),
        sa.Column("schema", sa.String(length=32), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.Column("from_ms", sa.BigInteger(), nullable=True),
        sa.Column("until_ms", sa.BigInteger(), nullable=True),
        sa.Column("due_ms", sa.BigInteger(), nullable=True),
        sa.Column("flight", sa.String(length=16), nullable=True),
        sa.Column("source", sa.String(length=64), nullable=False),
        sa.Column("submission_id", sa.String(length=64), nullable=False),
        sa.Column("used_case_id", sa.String(length=64), nullable=True),
        sa.Column("used_ms", sa.BigInteger(), nullable=True),
        sa.Column("body", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("key", name="pk_window_records"),
    )
    for columns in (["issuer", "document_number"], ["kind", "from_ms"], ["due_ms"], ["until_ms"]):
        op.create_index(f"ix_window_records_{'_'.join(columns)}", "window_records", columns, unique=False)
    op.create_table(
        "window_submissions",
        sa.Column("submission_id", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=24), nullable=False),
        sa.Column("channel", sa.String(length=8), nullable=False),
        sa.Column("source", sa.String(length=64), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("received_ms", sa.BigInteger(), nullable=False),
        sa.Column("accepted", sa.Integer(), nullable=False),
        sa.Column("refused", sa.Integer(), nullable=False),
        sa.Column("errors", sa.Text(), nullable=False),
        sa.Column("receipt", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("submission_id", name="pk_window_submissions"),
    )
    for columns in (["source", "received_ms"], ["received_ms"]):
        op.create_index(f"ix_window_submissions_{'_'.join(columns)}", "window_submissions", columns, unique=False)


def downgrade() -> None:
    op.drop_table("window_submissions")
    op.drop_table("window_records")
