"""Marks on pictures."""

import sqlalchemy as sa
from alembic import op

revision = "0030"
down_revision = "0022"


def upgrade() -> None:
    op.create_table(
        "marks",
        sa.Column("mark_id", sa.String(length=32), nullable=False),
        sa.Column("case_id", sa.String(length=64), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("picture", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("x", sa.Float(), nullable=False),
        sa.Column("y", sa.Float(), nullable=False),
        sa.Column("width", sa.Float(), nullable=False),
        sa.Column("height", sa.Float(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("role", sa.String(length=63), nullable=False),
        sa.Column("author", sa.String(length=64), nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.Column("erased_ms", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("mark_id", name="pk_marks"),
    )
    op.create_index("ix_marks_case_id_number", "marks", ["case_id", "number"], unique=True)


def downgrade() -> None:
    op.drop_table("marks")
