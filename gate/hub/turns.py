"""Who may go first when several processes work on one database.

PostgreSQL's advisory locks, held to the end of the transaction. SQLite needs none of this: there one writer has the whole database.
Locks are taken in one order by everybody, so that nobody waits in a circle: a case (tried, or alone), the commands' numbers, the rows of
lanes by name, the audit log's head.
"""

import hashlib
from collections.abc import Collection
from enum import IntEnum

from sqlalchemy import Connection, text

_CASES = 1
"""First half of the two-part keys of cases; whole numbers of one part, as in :class:`Turn`, are another space."""
_WAIT = text("SELECT pg_advisory_xact_lock(:turn)")
_WAIT_FOR_CASE = text("SELECT pg_advisory_xact_lock(:space, :key)")
_TRY_CASES = text(
    "SELECT key FROM unnest(CAST(:keys AS integer[])) AS key WHERE pg_try_advisory_xact_lock(:space, key)"
)

_WHOLE_TABLES = text("LOCK TABLE events, cases, lanes, commands, verdicts IN SHARE ROW EXCLUSIVE MODE")


class Turn(IntEnum):
    """What only one transaction at a time may do."""

    COMMANDS = 0x746F6E67_0001
    MIGRATION = 0x746F6E67_0002
    WATCHLIST = 0x746F6E67_0003


def take_turns(connection: Connection, turn: Turn) -> None:
    """Wait until no other transaction has this turn; it ends with the transaction."""
    if connection.dialect.name == "postgresql":
        connection.execute(_WAIT, {"turn": turn.value})


def lock_projections(connection: Connection) -> None:
    """Let nobody else store or project until the transaction ends. To be the first lock of a transaction."""
    if connection.dialect.name == "postgresql":
        connection.execute(_WHOLE_TABLES)


def wait_for_case(connection: Connection, case_id: str) -> None:
    """Wait until no other transaction works on this case. To be the first lock of a transaction."""
    if connection.dialect.name == "postgresql":
        connection.execute(_WAIT_FOR_CASE, {"space": _CASES, "key": _key(case_id)})


def try_cases(connection: Connection, case_ids: Collection[str]) -> set[str]:
    """Those of these cases on which no other transaction works; they are this one's until it ends. Waits for nobody."""
    if connection.dialect.name != "postgresql" or not case_ids:
        return set(case_ids)
    keys = {_key(case_id) for case_id in case_ids}
    rows = connection.scalars(_TRY_CASES, {"space": _CASES, "keys": sorted(keys)})
    granted = set(rows)
    return {case_id for case_id in case_ids if _key(case_id) in granted}


def _key(case_id: str) -> int:
    """Two cases may share a key, and then wait for each other without need."""
    return int.from_bytes(hashlib.sha256(case_id.encode()).digest()[:4], "big", signed=True)
