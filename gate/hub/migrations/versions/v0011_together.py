"""What officers do together: consents, inspections, and the press of a button that comes twice."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    op.create_table(
        "case_words",
        sa.Column("case_id", sa.String(length=64), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("topic", sa.String(length=16), nullable=False),
        sa.Column("role", sa.String(length=63), nullable=False),
        sa.Column("evidence_digest", sa.String(length=64), nullable=False),
        sa.Column("author", sa.String(length=64), nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("case_id", "number", name="pk_case_words"),
    )
    op.add_column("verdicts", sa.Column("request_id", sa.String(length=64), nullable=True))
    op.create_index("ix_verdicts_case_id_request_id", "verdicts", ["case_id", "request_id"], unique=True)
    op.add_column("commands", sa.Column("also_by", sa.String(length=64), nullable=True))


def downgrade() -> None:
    op.drop_column("commands", "also_by")
    op.drop_index("ix_verdicts_case_id_request_id", "verdicts")
    op.drop_column("verdicts", "request_id")
    op.drop_table("case_words")
