"""The single window's tables: records by what they are about, and the submissions that they came with."""

from sqlalchemy import BigInteger, Column, Index, Integer, String, Table, Text

from gate.hub.schema import METADATA

WINDOW_RECORDS = Table(
    "window_records",
    METADATA,
    # "{kind}/..." by what the record is about: another submission about the same replaces it, and counts the revision up.
    Column("key", String(160), primary_key=True),
    Column("kind", String(24), nullable=False),
    Column("issuer", String(8)),
    Column("document_number", String(40)),
    Column("schema", String(32), nullable=False),  # "{kind}-{version}" by which the body was checked
    Column("revision", Integer, nullable=False),
    Column("at_ms", BigInteger, nullable=False),
    Column("from_ms", BigInteger),  # from when until when it holds, where it says so
    Column("until_ms", BigInteger),
    Column("due_ms", BigInteger),  # when the traveller is expected
    Column("flight", String(16)),
    Column("source", String(64), nullable=False),
    Column("submission_id", String(64), nullable=False),
    Column("used_case_id", String(64)),  # the crossing that a record for one crossing was shown at
    Column("used_ms", BigInteger),
    Column("body", Text, nullable=False),
    Index(None, "issuer", "document_number"),
    Index(None, "kind", "from_ms"),
    Index(None, "due_ms"),
    Index(None, "until_ms"),
)

WINDOW_SUBMISSIONS = Table(
    "window_submissions",
    METADATA,
    Column("submission_id", String(64), primary_key=True),
    Column("kind", String(24), nullable=False),
    Column("channel", String(8), nullable=False),
    Column("source", String(64), nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("received_ms", BigInteger, nullable=False),
    Column("accepted", Integer, nullable=False),
    Column("refused", Integer, nullable=False),
    Column("errors", Text, nullable=False),  # JSON list; it may quote what was sent
    Column("receipt", Text, nullable=False),  # the signed receipt, as it was given
    Index(None, "source", "received_ms"),
    Index(None, "received_ms"),
)
