"""Arrivals by day and the timetable."""

import sqlalchemy as sa
from alembic import op

revision = "0070"
down_revision = "0060"


def upgrade() -> None:
    op.create_table(
        "flow_days",
        sa.Column("day", sa.String(length=10), nullable=False),
        sa.Column("source", sa.String(length=8), nullable=False),
        sa.Column("arrivals", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("day", name="pk_flow_days"),
    )
    op.create_table(
        "flow_flights",
        sa.Column("flight", sa.String(length=16), nullable=False),
        sa.Column("scheduled_ms", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("estimated_ms", sa.BigInteger(), nullable=True),
        sa.Column("seats", sa.Integer(), nullable=False),
        sa.Column("is_cancelled", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("flight", "scheduled_ms", name="pk_flow_flights"),
    )
    op.create_index("ix_flow_flights_scheduled_ms", "flow_flights", ["scheduled_ms"])


def downgrade() -> None:
    op.drop_table("flow_flights")
    op.drop_table("flow_days")
