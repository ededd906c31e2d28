"""The hub's tables. SQLite and PostgreSQL both run them; times are integer milliseconds since 1970 UTC.

``events`` and ``verdicts`` are only ever added to. ``cases`` and ``lanes`` are projections: they can be thrown away and made again
(:meth:`gate.hub.desk.CaseDesk.rebuild`). ``commands`` is the hub's outbox of signed commands and what became of each. ``audit`` is the
log of :mod:`gate.hub.audit`, which is appended in the transaction of what it records.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    text,
)

METADATA = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    }
)

IS_ALARM = text(
    "type IN ('tongguan.alarm.raised', 'tongguan.alarm.cleared', 'tongguan.fault.raised', 'tongguan.fault.cleared')"
)
"""Said in the same words by the index and by who asks: a database uses a partial index only if it can tell that it covers the question."""

EVENTS = Table(
    "events",
    METADATA,
    Column("id", String(32), primary_key=True),
    Column("lane", String(63), nullable=False),
    Column("sequence", BigInteger, nullable=False),
    Column("type", String(64), nullable=False),
    Column("time_ms", BigInteger, nullable=False),
    Column("received_ms", BigInteger, nullable=False),
    Column("case_id", String(64)),
    Column("body", Text, nullable=False),  # the CloudEvent as it came
    Index(None, "lane", "sequence"),
    Index(None, "case_id"),
    Index("ix_events_alarms", "time_ms", sqlite_where=IS_ALARM, postgresql_where=IS_ALARM),
)

CASES = Table(
    "cases",
    METADATA,
    Column("case_id", String(64), primary_key=True),
    Column("lane", String(63), nullable=False),
    Column("status", String(16), nullable=False),
    Column("opened_ms", BigInteger, nullable=False),
    Column("closed_ms", BigInteger),
    Column("waiting_since_ms", BigInteger),
    Column("revision", Integer, nullable=False),
    Column("evidence_digest", String(64)),
    Column("was_referred", Boolean, nullable=False),
    Column("outcome", String(32)),
    Column("document_to_entry_ms", Float),
    Column("face_to_exit_ms", Float),
    Column("body", Text, nullable=False),  # the case as officers see it, without its private part
    Index(None, "status", "opened_ms"),
    Index(None, "opened_ms"),
    Index(None, "closed_ms"),
)

DUE_CASES = Table(
    "due_cases",  # projections to be made anew: what a worker stored while another was at work on the same case
    METADATA,
    Column("number", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
    Column("case_id", String(64), nullable=False),
)

LANES = Table(
    "lanes",
    METADATA,
    Column("lane", String(63), primary_key=True),
    Column("event_count", BigInteger, nullable=False),
    Column("last_sequence", BigInteger, nullable=False),
    Column("last_event_ms", BigInteger, nullable=False),
    Column("started_sequence", BigInteger, nullable=False),
    Column("boot_id", Text),
    Column("software_version", Text),
)

VERDICTS = Table(
    "verdicts",
    METADATA,
    Column("case_id", String(64), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("role", String(63), nullable=False),
    Column("kind", String(32), nullable=False),
    Column("evidence_digest", String(64), nullable=False),
    Column("author", String(64), nullable=False),
    Column("at_ms", BigInteger, nullable=False),
    Column("reason", Text, nullable=False),
    Column("request_id", String(64)),  # the screen's own, so that the same press that comes twice counts once
    Index(None, "case_id", "request_id", unique=True),
)

# What officers say about a case beside verdicts: consents to a forced opening, and the words of joint inspections.
CASE_WORDS = Table(
    "case_words",
    METADATA,
    Column("case_id", String(64), primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("topic", String(16), nullable=False),
    Column("role", String(63), nullable=False),
    Column("evidence_digest", String(64), nullable=False),
    Column("author", String(64), nullable=False),
    Column("at_ms", BigInteger, nullable=False),
    Column("body", Text, nullable=False),
)

COMMANDS = Table(
    "commands",
    METADATA,
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("jti", String(64), nullable=False, unique=True),
    Column("lane", String(63), nullable=False),
    Column("act", String(32), nullable=False),
    Column("author", String(64), nullable=False),
    Column("also_by", String(64)),
    Column("case_id", String(64)),
    Column("occupancy_id", Text),
    Column("evidence_digest", String(64)),
    Column("issued_ms", BigInteger, nullable=False),
    Column("expires_ms", BigInteger, nullable=False),
    Column("note", Text, nullable=False),  # why the officer gave it
    Column("token", Text, nullable=False),
    Column("state", String(16), nullable=False),
    Column("settled_ms", BigInteger),
    Column("reason", Text, nullable=False),  # the lane's answer
    # "{case}#{n}" for the n-th release of a case: two workers that both wanted to release would collide here.
    Column("release_key", String(80), unique=True),
    Index(None, "case_id"),
    Index(None, "state"),
)

# Who watches the lanes, and what they told whoever came after them.
WATCHES = Table(
    "watches",
    METADATA,
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("author", String(64), nullable=False),
    Column("name", Text, nullable=False),
    Column("began_ms", BigInteger, nullable=False),
    Column("ended_ms", BigInteger),
    Column("note", Text, nullable=False),
    Index(None, "ended_ms"),
)

USERS = Table(
    "users",
    METADATA,
    Column("user", String(64), primary_key=True),
    Column("name", Text, nullable=False),
    Column("password_hash", Text, nullable=False),
    Column("roles", Text, nullable=False),  # JSON list
    Column("ports", Text),  # JSON list; null: of before there were ports
    Column("created_ms", BigInteger, nullable=False),
)

SESSIONS = Table(
    "sessions",
    METADATA,
    Column("token_hash", String(64), primary_key=True),
    Column("user", String(64), ForeignKey("users.user", ondelete="CASCADE"), nullable=False),
    Column("expires_ms", BigInteger, nullable=False),
    Index(None, "user"),
)

DECLARATIONS = Table(
    "declarations",
    METADATA,
    Column("issuer", String(8), primary_key=True),
    Column("document_number", String(32), primary_key=True),
    Column("declaration_id", String(32), nullable=False, unique=True),
    Column("author", String(64), nullable=False),
    Column("at_ms", BigInteger, nullable=False),
    Column("body", Text, nullable=False),
)

WATCH_ENTRIES = Table(
    "watch_entries",
    METADATA,
    Column("entry_id", String(96), primary_key=True),
    Column("list_name", String(96), nullable=False),
    Column("number", BigInteger, nullable=False),  # of its last change; counts up over all lists
    Column("is_listed", Boolean, nullable=False),  # false: was listed; the row stays so that lanes hear of it
    Column("body", Text, nullable=False),
    Index(None, "number"),
    Index(None, "list_name", "is_listed"),
)

# What the files of a snapshot's base hold: every change up to ``number``.
WATCH_BASES = Table(
    "watch_bases",
    METADATA,
    Column("base_id", String(64), primary_key=True),
    Column("number", BigInteger, nullable=False),
    Column("made_ms", BigInteger, nullable=False),
    Column("parts", Text, nullable=False),
)

BLOBS = Table(
    "blobs",
    METADATA,
    Column("sha256", String(64), primary_key=True),
    Column("size", Integer, nullable=False),
    Column("media_type", String(64), nullable=False),
    Column("lane", String(63), nullable=False),
    Column("case_id", String(64), nullable=False),
    Column("stored_ms", BigInteger, nullable=False),
    Column("due_ms", BigInteger),  # when it is to go; null as long as its case is not over
    Column("erased_ms", BigInteger),  # the row stays as the record that it was here
    Index(None, "case_id"),
    Index(None, "erased_ms", "due_ms"),
)

# Further cases that need the same bytes.
BLOB_USES = Table(
    "blob_uses",
    METADATA,
    Column("sha256", String(64), primary_key=True),
    Column("case_id", String(64), primary_key=True),
    Index(None, "case_id"),
)

# Cases whose evidence was erased by order: what still arrives of them is not kept.
ERASED_CASES = Table(
    "erased_cases",
    METADATA,
    Column("case_id", String(64), primary_key=True),
    Column("at_ms", BigInteger, nullable=False),
    Column("author", String(160), nullable=False),
)

REJECTED = Table(
    "rejected",
    METADATA,
    Column(
        "digest", String(64), primary_key=True
    ),  # sha256 of topic and payload: the same again is counted, not kept twice
    Column("topic", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("payload", Text, nullable=False),
    Column("count", Integer, nullable=False),
    Column("first_ms", BigInteger, nullable=False),
    Column("last_ms", BigInteger, nullable=False),
    Index(None, "last_ms"),
)

AUDIT = Table(
    "audit",
    METADATA,
    Column("number", BigInteger, primary_key=True, autoincrement=False),  # from 0, without a gap
    Column("at_ms", BigInteger, nullable=False),
    Column("kind", String(48), nullable=False),
    Column("who", String(160), nullable=False),
    Column("case_id", String(64)),
    Column("leaf", String(64), nullable=False),
    Column("body", Text, nullable=False),  # what the leaf is the hash of; the columns above only repeat it
    Index(None, "at_ms"),
    Index(None, "case_id"),
)

AUDIT_HEAD = Table(
    "audit_head",
    METADATA,
    Column("id", Integer, primary_key=True, autoincrement=False),  # 1: there is one row, and who appends locks it
    Column("size", BigInteger, nullable=False),
    Column("peaks", Text, nullable=False),  # JSON list of hex
)

AUDIT_NODES = Table(
    "audit_nodes",
    METADATA,
    Column("level", Integer, primary_key=True, autoincrement=False),  # complete subtrees of 256 ** level entries
    Column("position", BigInteger, primary_key=True, autoincrement=False),
    Column("hash", String(64), nullable=False),
)

AUDIT_CHECKPOINTS = Table(
    "audit_checkpoints",
    METADATA,
    Column("size", BigInteger, primary_key=True, autoincrement=False),
    Column("at_ms", BigInteger, nullable=False),
    Column("note", Text, nullable=False),
)
