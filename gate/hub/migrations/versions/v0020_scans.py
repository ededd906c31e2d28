"""Scans of inspection machines."""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0011"


def upgrade() -> None:
    op.create_table(
        "scans",
        sa.Column("image_id", sa.String(length=64), nullable=False),
        sa.Column("source", sa.String(length=63), nullable=False),
        sa.Column("machine", sa.Text(), nullable=False),
        sa.Column("lane", sa.String(length=63), nullable=True),
        sa.Column("bag_tag", sa.String(length=64), nullable=True),
        sa.Column("document", sa.String(length=64), nullable=True),
        sa.Column("taken_ms", sa.BigInteger(), nullable=False),
        sa.Column("time_source", sa.String(length=16), nullable=False),
        sa.Column("received_ms", sa.BigInteger(), nullable=False),
        sa.Column("views", sa.Text(), nullable=False),
        sa.Column("case_id", sa.String(length=64), nullable=True),
        sa.Column("matched_by", sa.String(length=16), nullable=True),
        sa.Column("matched_ms", sa.BigInteger(), nullable=True),
        sa.Column("author", sa.String(length=64), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("image_id", name="pk_scans"),
    )
    op.create_index("ix_scans_case_id", "scans", ["case_id"], unique=False)
    op.create_index("ix_scans_received_ms", "scans", ["received_ms"], unique=False)


def downgrade() -> None:
    op.drop_table("scans")
