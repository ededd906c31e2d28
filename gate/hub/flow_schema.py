"""The tables of the flow: arrivals by local day, and the timetable. Nobody is named."""

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, String, Table, Text

from gate.hub.schema import METADATA

FLOW_DAYS = Table(
    "flow_days",
    METADATA,
    Column("day", String(10), primary_key=True),  # the port's, YYYY-MM-DD
    Column("source", String(8), nullable=False),  # cases: counted here; file: of the system before
    Column("arrivals", Text, nullable=False),  # JSON list of 96
)

FLOW_FLIGHTS = Table(
    "flow_flights",
    METADATA,
    Column("flight", String(16), primary_key=True),
    Column("scheduled_ms", BigInteger, primary_key=True, autoincrement=False),
    Column("estimated_ms", BigInteger),
    Column("seats", Integer, nullable=False),
    Column("is_cancelled", Boolean, nullable=False),
    Index(None, "scheduled_ms"),
)
