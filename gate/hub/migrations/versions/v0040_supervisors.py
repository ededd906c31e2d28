"""Watches with their hand-over notes, and an index by which alarms of a port are found among its events."""

import sqlalchemy as sa
from alembic import op

revision = "0040"
down_revision = "0030"

_IS_ALARM = sa.text(
    "type IN ('tongguan.alarm.raised', 'tongguan.alarm.cleared', 'tongguan.fault.raised', 'tongguan.fault.cleared')"
)


def upgrade() -> None:
    op.create_table(
        "watches",
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("author", sa.String(length=64), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("began_ms", sa.BigInteger(), nullable=False),
        sa.Column("ended_ms", sa.BigInteger(), nullable=True),
        sa.Column("note", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_watches"),
    )
    op.create_index("ix_watches_ended_ms", "watches", ["ended_ms"])
    op.create_index("ix_events_alarms", "events", ["time_ms"], sqlite_where=_IS_ALARM, postgresql_where=_IS_ALARM)


def downgrade() -> None:
    op.drop_index("ix_events_alarms", table_name="events")
    op.drop_table("watches")
