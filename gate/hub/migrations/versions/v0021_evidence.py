"""How long evidence stays, which cases share it, and what was erased."""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"


def upgrade() -> None:
    op.add_column("blobs", sa.Column("due_ms", sa.BigInteger(), nullable=True))
    op.add_column("blobs", sa.Column("erased_ms", sa.BigInteger(), nullable=True))
    op.create_index("ix_blobs_erased_ms_due_ms", "blobs", ["erased_ms", "due_ms"], unique=False)
    op.create_table(
        "blob_uses",
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("case_id", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("sha256", "case_id", name="pk_blob_uses"),
    )
    op.create_index("ix_blob_uses_case_id", "blob_uses", ["case_id"], unique=False)
    op.create_table(
        "erased_cases",
        sa.Column("case_id", sa.String(length=64), nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.Column("author", sa.String(length=160), nullable=False),
        sa.PrimaryKeyConstraint("case_id", name="pk_erased_cases"),
    )


def downgrade() -> None:
    op.drop_table("erased_cases")
    op.drop_table("blob_uses")
    op.drop_index("ix_blobs_erased_ms_due_ms", "blobs")
    op.drop_column("blobs", "erased_ms")
    op.drop_column("blobs", "due_ms")
