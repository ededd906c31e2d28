"""Evaluations of risk rules."""

import sqlalchemy as sa
from alembic import op

revision = "0060"
down_revision = "0050"


def upgrade() -> None:
    op.create_table(
        "risk_evaluations",
        sa.Column("case_id", sa.String(length=64), nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.Column("document", sa.String(length=64), nullable=False),
        sa.Column("facts", sa.Text(), nullable=False),
        sa.Column("fired", sa.Text(), nullable=False),
        sa.Column("lot", sa.Float(), nullable=False),
        sa.Column("rate", sa.Float(), nullable=False),
        sa.Column("rules_sha256", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("case_id", name="pk_risk_evaluations"),
    )
    op.create_index("ix_risk_evaluations_document_at_ms", "risk_evaluations", ["document", "at_ms"])
    op.create_index("ix_risk_evaluations_at_ms", "risk_evaluations", ["at_ms"])


def downgrade() -> None:
    op.drop_table("risk_evaluations")
