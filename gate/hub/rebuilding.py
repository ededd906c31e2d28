"""``gate hub rebuild``: the projections made again from events, verdicts and commands, and compared with what they were."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Table, select

from config.schema import Site
from gate.core.clock import SystemClock
from gate.hub.live import LiveBoard
from gate.hub.metrics import Metrics
from gate.hub.parts import make_parts
from gate.hub.schema import CASES, LANES
from gate.hub.service import database_url
from gate.hub.store import Store
from gate.wire.keyring import Keyring


@dataclass(frozen=True, slots=True, kw_only=True)
class Rebuilt:
    """``changed``: rows that were missing, too many, or other than what the stored events make."""

    cases: int
    lanes: int
    changed: int
    elapsed_s: float


def rebuild_projections(site: Site, on_progress: Callable[[int, int], None]) -> Rebuilt:
    """Do it in one transaction: a hub that runs meanwhile waits, or is seen whole. ``on_progress`` gets (cases done, of)."""
    began_s = time.monotonic()
    store = Store(database_url(site))
    try:
        store.migrate()
        clock = SystemClock()
        key = Keyring(site.keys_dir).hub()
        parts = make_parts(site, key, store=store, board=LiveBoard((), clock), metrics=Metrics(), clock=clock)
        with store.write() as connection:
            before = {table: _digests(connection, table) for table in (CASES, LANES)}
            parts.desk.rebuild(connection, on_progress)
            after = {table: _digests(connection, table) for table in (CASES, LANES)}
    finally:
        store.close()
    changed = sum(len(before[table].items() ^ after[table].items()) for table in before)
    both = sum(
        1
        for table in before
        for key in before[table].keys() & after[table].keys()
        if before[table][key] != after[table][key]
    )
    return Rebuilt(
        cases=len(after[CASES]),
        lanes=len(after[LANES]),
        changed=changed - both,  # a row that differs is in both sets
        elapsed_s=round(time.monotonic() - began_s, 3),
    )


def _digests(connection: Connection, table: Table) -> dict[Any, int]:
    """Key to hash of the whole row: rows of millions of cases would not fit."""
    return {row[0]: hash(tuple(row)) for row in connection.execute(select(table))}
