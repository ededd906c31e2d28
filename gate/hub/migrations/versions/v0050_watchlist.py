"""The watchlist of entries: documents, names, faces. What the list of document numbers held is taken over."""

import json

import sqlalchemy as sa
from alembic import op

revision = "0050"
down_revision = "0041"


def upgrade() -> None:
    entries = op.create_table(
        "watch_entries",
        sa.Column("entry_id", sa.String(length=96), nullable=False),
        sa.Column("list_name", sa.String(length=96), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("is_listed", sa.Boolean(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("entry_id", name="pk_watch_entries"),
    )
    op.create_index("ix_watch_entries_number", "watch_entries", ["number"])
    op.create_index("ix_watch_entries_list_name_is_listed", "watch_entries", ["list_name", "is_listed"])
    op.create_table(
        "watch_bases",
        sa.Column("base_id", sa.String(length=64), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("made_ms", sa.BigInteger(), nullable=False),
        sa.Column("parts", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("base_id", name="pk_watch_bases"),
    )
    old = sa.table("watchlist", sa.column("issuer"), sa.column("document_number"), sa.column("reason"))
    rows = op.get_bind().execute(sa.select(old)).all()
    if rows:
        op.bulk_insert(entries, [_entry(row.issuer, row.document_number, row.reason) for row in rows])
    op.drop_table("watchlist")


def _entry(issuer: str, number: str, reason: str) -> dict[str, object]:
    entry_id = f"documents:{issuer}:{number}"
    said = {
        "id": entry_id,
        "list": "documents",
        "reason": reason or "listed",
        "roles": ["border"],
        "documents": [{"issuer": issuer, "number": number}],
    }
    body = json.dumps(said, ensure_ascii=False)
    return {"entry_id": entry_id, "list_name": "documents", "number": 1, "is_listed": True, "body": body}


def downgrade() -> None:
    op.create_table(
        "watchlist",
        sa.Column("issuer", sa.String(length=8), nullable=False),
        sa.Column("document_number", sa.String(length=32), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("issuer", "document_number", name="pk_watchlist"),
    )
    op.drop_table("watch_bases")
    op.drop_table("watch_entries")
