"""Keeps evidence no longer than the site says, and takes away a case's evidence by order. What is gone is in the audit log by its digest.

First the files go, are looked for once more, and only then is it written down that they are gone: a machine that stops in between
finds nothing the next time and writes it down then.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, bindparam, delete, func, or_, select, update

from config.retention import Retention
from gate.core.clock import Clock
from gate.core.joint_release import VerdictKind
from gate.hub.audit.log import AuditKind, Entry, note
from gate.hub.blobs import BlobStore
from gate.hub.cases import CaseStatus
from gate.hub.schema import BLOB_USES, BLOBS, CASES, ERASED_CASES, VERDICTS
from gate.hub.store import Store, insert_new

AT_ONCE = 200
"""How many files one sweep takes at most: it runs between batches of lanes' events."""
HOUR_MS = 3_600_000
_BIOMETRIC = frozenset({"live", "portrait", "chip"})
_OBJECTIONS = [item.value for item in (VerdictKind.HOLD, VerdictKind.INSPECT, VerdictKind.REFUSE)]
_SET_DUE = update(BLOBS).where(BLOBS.c.sha256 == bindparam("wanted")).values(due_ms=bindparam("due"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Erased:
    """What became of a case's evidence, by digest. ``kept`` is what another case needs too: that goes with the other one."""

    case_id: str
    erased: tuple[str, ...]
    was_gone: tuple[str, ...]
    kept: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        return {
            "case_id": self.case_id,
            "erased": list(self.erased),
            "was_gone": list(self.was_gone),
            "kept": list(self.kept),
        }


class EvidenceKeeper:
    """Upkeep of the evidence store. Any process that has the database and the folder may run it, also several at once."""

    def __init__(self, store: Store, blobs: BlobStore, *, retention: Retention, clock: Clock) -> None:
        self._store = store
        self._blobs = blobs
        self._retention = retention
        self._clock = clock

    def sweep(self) -> int:
        """Find out what is due when, and erase what is due now; how many files went."""
        now_ms = self._clock.utc_ms()
        with self._store.read() as connection:
            undated = connection.execute(_undated(now_ms - self._retention.unclaimed_h * HOUR_MS)).all()
            due = connection.execute(_due(now_ms)).all()
        if undated:
            with self._store.write() as connection:
                dates = [{"wanted": row.sha256, "due": self._due_ms(connection, row)} for row in undated]
                connection.execute(_SET_DUE, dates)
            with self._store.read() as connection:
                due = connection.execute(_due(now_ms)).all()
        for case_id in dict.fromkeys(row.case_id for row in due):
            self._erase([row.sha256 for row in due if row.case_id == case_id], case_id, who="hub", why="retention")
        return len(due)

    def erase_case(self, case_id: str, *, who: str, reason: str) -> Erased:
        """Take away all evidence of a case, now and for what may still come of it."""
        with self._store.write() as connection:
            row = {"case_id": case_id, "at_ms": self._clock.utc_ms(), "author": who}
            insert_new(connection, ERASED_CASES, [row])
        with self._store.read() as connection:
            mine = or_(
                BLOBS.c.case_id == case_id,
                BLOBS.c.sha256.in_(select(BLOB_USES.c.sha256).where(BLOB_USES.c.case_id == case_id)),
            )
            digests = list(connection.scalars(select(BLOBS.c.sha256).where(mine).order_by(BLOBS.c.sha256)))
        return self._erase(digests, case_id, who=who, why="order", reason=reason)

    def _due_ms(self, connection: Connection, row: Row[Any]) -> int:
        """When this blob is to go."""
        keep = self._retention
        if row.closed_ms is None:
            return int(row.stored_ms) + keep.unclaimed_h * HOUR_MS
        objected = connection.scalar(
            select(VERDICTS.c.number)
            .where(VERDICTS.c.case_id == row.case_id, VERDICTS.c.kind.in_(_OBJECTIONS))
            .limit(1)
        )
        if objected is not None:
            return int(row.closed_ms) + keep.held_h * HOUR_MS
        kind = _kind_of(row.sha256, json.loads(row.body))
        if kind in _BIOMETRIC:
            return int(row.closed_ms) + keep.biometric_min * 60_000
        hours = {"page": keep.document_h, "private": keep.private_h}.get(kind, keep.other_h)
        return int(row.closed_ms) + hours * HOUR_MS

    def _erase(self, digests: Sequence[str], case_id: str, *, who: str, why: str, reason: str = "") -> Erased:
        with self._store.read() as connection:
            others = _other_uses(connection, digests, case_id)
        going = [sha256 for sha256 in digests if sha256 not in others]
        was_here = [sha256 for sha256 in going if self._blobs.erase(sha256)]
        now_ms = self._clock.utc_ms()
        result = Erased(
            case_id=case_id,
            erased=tuple(was_here),
            was_gone=tuple(sha256 for sha256 in going if sha256 not in was_here),
            kept=tuple(sha256 for sha256 in digests if sha256 in others),
        )
        with self._store.write() as connection:
            connection.execute(update(BLOBS).where(BLOBS.c.sha256.in_(going)).values(erased_ms=now_ms))
            for sha256, other in others.items():
                # Whoever else needs it has it from now on; when it goes is found out for them.
                owned = BLOBS.c.sha256 == sha256
                connection.execute(update(BLOBS).where(owned).values(case_id=other, due_ms=None))
            gone = BLOB_USES.c.sha256.in_(digests) & (BLOB_USES.c.case_id == case_id)
            connection.execute(delete(BLOB_USES).where(gone))
            data = result.to_json() | {"why": why, "reason": reason}
            note(connection, Entry(at_ms=now_ms, kind=AuditKind.EVIDENCE_ERASED, who=who, case_id=case_id, data=data))
        return result


def is_wanted(connection: Connection, sha256: str, case_id: str) -> bool:
    """Whether evidence that arrives for this case is still to be kept."""
    if connection.scalar(select(ERASED_CASES.c.case_id).where(ERASED_CASES.c.case_id == case_id)) is not None:
        return False
    own = (BLOBS.c.sha256 == sha256) & (BLOBS.c.case_id == case_id) & BLOBS.c.erased_ms.is_not(None)
    return connection.scalar(select(BLOBS.c.sha256).where(own)) is None


def keep_row(connection: Connection, row: Mapping[str, Any]) -> bool:
    """Write down that these bytes are here for this case; False when that was known."""
    if insert_new(connection, BLOBS, [dict(row)], returning="sha256"):
        return True
    held = connection.execute(select(BLOBS.c.case_id, BLOBS.c.erased_ms).where(BLOBS.c.sha256 == row["sha256"])).one()
    if held.erased_ms is not None:
        values = {**row, "due_ms": None, "erased_ms": None}
        connection.execute(update(BLOBS).where(BLOBS.c.sha256 == row["sha256"]).values(values))
        return True
    if held.case_id == row["case_id"]:
        return False
    use = {"sha256": row["sha256"], "case_id": row["case_id"]}
    known = (BLOB_USES.c.sha256 == use["sha256"]) & (BLOB_USES.c.case_id == use["case_id"])
    if connection.scalar(select(func.count()).select_from(BLOB_USES).where(known)):
        return False
    connection.execute(BLOB_USES.insert(), use)
    return True


def _undated(unclaimed_before_ms: int) -> Any:
    """Blobs of which nobody has said yet when they go, and now somebody can."""
    is_over = CASES.c.status == CaseStatus.CLOSED.value
    return (
        select(BLOBS.c.sha256, BLOBS.c.case_id, BLOBS.c.stored_ms, CASES.c.closed_ms, CASES.c.body)
        .select_from(BLOBS.outerjoin(CASES, CASES.c.case_id == BLOBS.c.case_id))
        .where(BLOBS.c.due_ms.is_(None), BLOBS.c.erased_ms.is_(None))
        .where(or_(is_over, BLOBS.c.stored_ms < unclaimed_before_ms))
        .limit(AT_ONCE)
    )


def _due(now_ms: int) -> Any:
    return (
        select(BLOBS.c.sha256, BLOBS.c.case_id)
        .where(BLOBS.c.due_ms <= now_ms, BLOBS.c.erased_ms.is_(None))
        .order_by(BLOBS.c.due_ms)
        .limit(AT_ONCE)
    )


def _other_uses(connection: Connection, digests: Sequence[str], case_id: str) -> dict[str, str]:
    """For each digest that another case needs too, one such case."""
    owners = select(BLOBS.c.sha256, BLOBS.c.case_id).where(BLOBS.c.sha256.in_(digests), BLOBS.c.case_id != case_id)
    users = select(BLOB_USES.c.sha256, BLOB_USES.c.case_id).where(
        BLOB_USES.c.sha256.in_(digests), BLOB_USES.c.case_id != case_id
    )
    return {row.sha256: row.case_id for query in (users, owners) for row in connection.execute(query)}


def _kind_of(sha256: str, body: Mapping[str, Any]) -> str:
    return next((item["kind"] for item in body["attachments"] if item["sha256"] == sha256), "other")
