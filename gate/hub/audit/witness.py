"""Signs what the log is, and proves single entries of it."""

from dataclasses import dataclass
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from sqlalchemy import Connection, func, select

from gate.core.clock import Clock
from gate.hub.audit.log import AuditKind, StoredSpan, head
from gate.hub.audit.merkle import consistency_path, inclusion_path, is_included, leaf_hash
from gate.hub.audit.notes import Checkpoint, NoteRefused, open_note, read_checkpoint, sign_note
from gate.hub.schema import AUDIT, AUDIT_CHECKPOINTS, EVENTS
from gate.hub.store import insert_new
from gate.wire.signing import SigningKey

_NEAR_MS = 60_000


def origin_of(port: str, hub: str) -> str:
    """The log's name, which is also its key's name in signatures."""
    return f"tongguan/{port}/{hub}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """That an entry is in the log of which the note is a signed checkpoint."""

    number: int
    body: str
    leaf: bytes
    path: tuple[bytes, ...]
    checkpoint: Checkpoint
    note: str

    def to_json(self) -> dict[str, Any]:
        """Hashes in hex."""
        return {
            "number": self.number,
            "size": self.checkpoint.size,
            "leaf": self.leaf.hex(),
            "path": [item.hex() for item in self.path],
            "root": self.checkpoint.root.hex(),
            "note": self.note,
        }


class Witness:
    """Speaks for one hub's log."""

    def __init__(self, *, port: str, hub: str, key: SigningKey, clock: Clock) -> None:
        self.origin = origin_of(port, hub)
        self._key = key.ed25519()
        self._clock = clock

    @property
    def keys(self) -> dict[str, Ed25519PublicKey]:
        """The key by which notes of this log are believed."""
        return {self.origin: self._key.public_key()}

    def checkpoint(self, connection: Connection) -> tuple[Checkpoint, str]:
        """The log as it is now, signed; kept in the database, once a size. In a transaction that writes."""
        now = head(connection)
        held = connection.scalar(select(AUDIT_CHECKPOINTS.c.note).where(AUDIT_CHECKPOINTS.c.size == now.size))
        checkpoint = Checkpoint(origin=self.origin, size=now.size, root=now.root)
        if held is not None:
            return checkpoint, str(held)
        note = sign_note(checkpoint.text(), self.origin, self._key)
        row = {"size": now.size, "at_ms": self._clock.utc_ms(), "note": note}
        insert_new(connection, AUDIT_CHECKPOINTS, [row])
        return checkpoint, note

    def prove(self, connection: Connection, number: int) -> Proof:
        """That entry ``number`` is in the log as it is now. LookupError when there is none. In a transaction that writes."""
        row = connection.execute(select(AUDIT.c.body, AUDIT.c.leaf).where(AUDIT.c.number == number)).first()
        if row is None:
            raise LookupError(f"the log has no entry {number}")
        checkpoint, note = self.checkpoint(connection)
        path = inclusion_path(number, checkpoint.size, StoredSpan(connection))
        return Proof(
            number=number,
            body=row.body,
            leaf=bytes.fromhex(row.leaf),
            path=tuple(path),
            checkpoint=checkpoint,
            note=note,
        )

    def prove_growth(self, connection: Connection, old: int) -> list[bytes]:
        """That the log of ``old`` entries is the beginning of the present one. ValueError when it cannot be."""
        return consistency_path(old, head(connection).size, StoredSpan(connection))


def number_of_event(connection: Connection, event_id: str) -> int | None:
    """The entry that recorded this event, looked for near the time at which the event was stored."""
    received_ms = connection.scalar(select(EVENTS.c.received_ms).where(EVENTS.c.id == event_id))
    if received_ms is None:
        return None
    near = AUDIT.c.at_ms.between(received_ms - _NEAR_MS, received_ms + _NEAR_MS)
    query = select(AUDIT.c.number, AUDIT.c.body).where(near, AUDIT.c.kind == AuditKind.EVENTS_STORED.value)
    return next((row.number for row in connection.execute(query) if f'"{event_id}"' in row.body), None)


def last_erasure(connection: Connection, case_id: str) -> int:
    """The newest entry that records what was erased of a case. LookupError when there is none."""
    is_it = (AUDIT.c.case_id == case_id) & (AUDIT.c.kind == AuditKind.EVIDENCE_ERASED.value)
    number = connection.scalar(select(func.max(AUDIT.c.number)).where(is_it))
    if number is None:
        raise LookupError(f"nothing was erased of case {case_id}")
    return int(number)


def objection_to_proof(proof: dict[str, Any], keys: dict[str, Ed25519PublicKey]) -> str | None:
    """Why a proof as :meth:`Proof.to_json` gives it, with its ``body``, does not convince; None when it does."""
    try:
        checkpoint = read_checkpoint(open_note(str(proof["note"]), keys))
        leaf = leaf_hash(str(proof["body"]).encode())
        path = [bytes.fromhex(item) for item in proof["path"]]
        number = int(proof["number"])
    except NoteRefused as refused:
        return str(refused)
    except (KeyError, TypeError, ValueError):
        return "this is no proof of an entry"
    if not is_included(leaf=leaf, index=number, size=checkpoint.size, path=path, root=checkpoint.root):
        return "the path does not lead from this entry to the signed root"
    return None
