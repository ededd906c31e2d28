"""Accounts hold for ports."""

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"


def upgrade() -> None:
    op.add_column("users", sa.Column("ports", sa.Text(), nullable=True))


def downgrade() -> None:
    op.drop_column("users", "ports")
