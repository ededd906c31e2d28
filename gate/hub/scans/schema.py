"""The table of scans. Pictures are blobs like any evidence; here is what ties them to a case. ``case_id`` null: nobody's yet."""

from sqlalchemy import BigInteger, Column, Index, String, Table, Text

from gate.hub.schema import METADATA

SCANS = Table(
    "scans",
    METADATA,
    Column("image_id", String(64), primary_key=True),  # sha256 of the files that came: the same scan twice is one
    Column("source", String(63), nullable=False),  # the site's name of the machine
    Column("machine", Text, nullable=False),  # what it calls itself
    Column("lane", String(63)),
    Column("bag_tag", String(64)),
    Column("document", String(64)),
    Column("taken_ms", BigInteger, nullable=False),
    Column("time_source", String(16), nullable=False),
    Column("received_ms", BigInteger, nullable=False),
    Column("views", Text, nullable=False),  # JSON: kind, sha256, media_type of each picture
    Column("case_id", String(64)),
    Column("matched_by", String(16)),
    Column("matched_ms", BigInteger),
    Column("author", String(64)),  # the officer who attached it
    Column("reason", Text, nullable=False),  # why it is nobody's
    Index(None, "case_id"),
    Index(None, "received_ms"),
)
