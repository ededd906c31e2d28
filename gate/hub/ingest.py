"""From messages to rows: believe or reject, store once, update cases, and say what must be published after the commit.

It knows nothing of the broker: :mod:`gate.hub.service` hands it batches and does what the result says. Nothing that a peer sends
raises here; a database that refuses raises, and the whole batch is offered again later.
"""

import gc
import hashlib
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

import structlog
from sqlalchemy import Connection, bindparam, delete, func, select, update

from gate.core.clock import Clock
from gate.hub.audit import log as audit
from gate.hub.commands import CommandBook
from gate.hub.desk import CaseDesk, Changes
from gate.hub.heard import Incoming, LaneAck, LaneEvent, LaneWord, Parsed, Rejected, parse_message
from gate.hub.lanes import keep_lanes
from gate.hub.live import LiveBoard
from gate.hub.metrics import Metrics
from gate.hub.records import StoredEvent
from gate.hub.schema import CASES, DUE_CASES, EVENTS, REJECTED
from gate.hub.store import Among, Store, insert_new
from gate.hub.turns import try_cases
from gate.wire.messages import (
    Ack,
    AckOutcome,
    CommandRefused,
    LaneState,
    ReleaseSpent,
)

log = structlog.get_logger(__name__)

MAX_REJECTED = 1000
"""How many different rejected messages are kept; the oldest go first."""
_KEPT_PAYLOAD_CHARS = 4096
_OWNERS = Among(select(CASES.c.case_id, CASES.c.lane), CASES.c.case_id)
_WAITING = select(DUE_CASES.c.case_id).distinct().limit(500)
_LEAVE = DUE_CASES.insert()
_TAKE_UP = delete(DUE_CASES).where(DUE_CASES.c.case_id.in_(bindparam("wanted", expanding=True)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """What is committed and must now be told: ids to receipt by lane, commands and case changes, lanes that came online."""

    receipts: dict[str, list[str]] = field(default_factory=dict)
    refused: dict[str, list[str]] = field(default_factory=dict)
    changes: Changes = field(default_factory=Changes)
    came_online: tuple[str, ...] = ()


@contextmanager
def _cycles_kept() -> Iterator[None]:
    """Look for no garbage in cycles until the block ends: a batch makes hardly any, and looking costs a fifth of taking it."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


class Ingest:
    """Takes batches of messages into the store."""

    def __init__(
        self,
        *,
        port: str,
        lanes: Collection[str],
        store: Store,
        desk: CaseDesk,
        book: CommandBook,
        board: LiveBoard,
        metrics: Metrics,
        clock: Clock,
    ) -> None:
        self._port = port
        self._lanes = frozenset(lanes)
        self._store = store
        self._desk = desk
        self._book = book
        self._board = board
        self._metrics = metrics
        self._clock = clock

    def take(self, batch: Sequence[Incoming]) -> Taken:
        """Commit what ``batch`` says; raises sqlalchemy.exc.DBAPIError when the database does not take it."""
        with _cycles_kept():
            return self._take(batch)

    def _take(self, batch: Sequence[Incoming]) -> Taken:
        parsed: list[Parsed] = [parse_message(item, port=self._port, lanes=self._lanes) for item in batch]
        events = [item for item in parsed if isinstance(item, LaneEvent)]
        acks = [item for item in parsed if isinstance(item, LaneAck)]
        rejected = [item for item in parsed if isinstance(item, Rejected)]
        changes = Changes()
        fresh: list[LaneEvent] = []
        if events or acks or rejected:
            with self._store.write() as connection:
                fresh = self._store_events(connection, events)
                touched = self._settle(connection, fresh, acks)
                touched |= {item.case_id for item in fresh if item.case_id is not None}
                changes = self.project(connection, touched, {item.event.id: item.stored for item in fresh})
                self._keep_rejected(connection, rejected)
                # Last: every worker writes these rows, and waits for whoever has them.
                keep_lanes(connection, [item.stored for item in fresh])
        # Only now: what was rolled back must not be taken for stored.
        self._desk.known.add({item.event.id: item.stored for item in fresh if item.case_id is not None})
        self._count(batch, events, fresh, rejected, changes)
        receipts: dict[str, list[str]] = {}
        for item in events:
            receipts.setdefault(item.lane, []).append(item.event.id)
        refused: dict[str, list[str]] = {}
        for known in rejected:
            if known.lane is not None and known.event_id is not None:
                refused.setdefault(known.lane, []).append(known.event_id)
        came_online = self._note([item for item in parsed if isinstance(item, LaneWord)])
        for lane in {item.lane for item in events} | {item.lane for item in acks}:
            self._board.heard(lane)
        return Taken(receipts=receipts, refused=refused, changes=changes, came_online=came_online)

    def catch_up(self) -> Changes:
        """Make the projections that a worker left because another was at work on the same case.

        Every worker calls this after each batch, so whoever held a case sees what was left while it did.
        """
        if not self._store.is_shared:
            return Changes()
        with self._store.read() as connection:
            waiting = set(connection.scalars(_WAITING))
        if not waiting:
            return Changes()
        with self._store.write() as connection:
            mine = try_cases(connection, waiting)
            changes = self._refresh(connection, mine)
        self._count_commands(changes)
        return changes

    def project(
        self, connection: Connection, touched: set[str], fresh: Mapping[str, StoredEvent] | None = None
    ) -> Changes:
        """Fold these cases; those on which another worker is busy are left to whoever comes next."""
        mine = try_cases(connection, touched)
        left = touched - mine
        if left:
            connection.execute(_LEAVE, [{"case_id": case_id} for case_id in sorted(left)])
        return self._refresh(connection, mine, fresh)

    def _refresh(
        self, connection: Connection, case_ids: set[str], fresh: Mapping[str, StoredEvent] | None = None
    ) -> Changes:
        if self._store.is_shared and case_ids:
            # Before the events are read: what is deleted here is of events that are committed, and will be seen.
            connection.execute(_TAKE_UP, {"wanted": sorted(case_ids)})
        return self._desk.refresh(connection, case_ids, fresh)

    def set_aside(self, message: Incoming, reason: str) -> None:
        """Keep a message that broke us, so that the others can go on and somebody can look at it."""
        with self._store.write() as connection:
            rejected = Rejected(topic=message.topic, payload=message.payload, reason=reason)
            self._keep_rejected(connection, [rejected])
        self._metrics.rejected.labels(reason=reason).inc()

    def _store_events(self, connection: Connection, events: Sequence[LaneEvent]) -> list[LaneEvent]:
        """Those that were not there before, in the order given."""
        unique = list({item.event.id: item for item in reversed(events)}.values())[::-1]
        wanted = {item.case_id for item in unique if item.case_id is not None}
        owners = {}
        if wanted:
            owners = {row.case_id: row.lane for row in _OWNERS.find(connection, wanted)}
        rows = []
        kept = {}
        now_ms = self._clock.utc_ms()
        for item in unique:
            believed = item
            if item.case_id is not None and owners.setdefault(item.case_id, item.lane) != item.lane:
                log.warning("foreign_case", lane=item.lane, case_id=item.case_id, event_id=item.event.id)
                self._metrics.rejected.labels(reason="foreign_case").inc()
                believed = replace(item, case_id=None)
            stored = item.stored
            rows.append(
                {
                    "id": stored.id,
                    "lane": item.lane,
                    "sequence": stored.sequence,
                    "type": stored.type.value,
                    "time_ms": stored.at_ms,
                    "received_ms": now_ms,
                    "case_id": believed.case_id,
                    "body": item.body,
                }
            )
            kept[stored.id] = believed
        new_ids = insert_new(connection, EVENTS, rows, returning="id")
        fresh = [item for event_id, item in kept.items() if event_id in new_ids]
        if fresh:
            audit.note(
                connection, audit.events_stored(self._clock.utc_ms(), [(item.event.id, item.body) for item in fresh])
            )
        return fresh

    def _settle(self, connection: Connection, fresh: Sequence[LaneEvent], acks: Sequence[LaneAck]) -> set[str]:
        """Answers to commands, from the ack topic and from events; the cases they concern."""
        answers = list(acks)
        for item in fresh:
            if isinstance(item.stored.data, CommandRefused) and item.stored.data.command_id is not None:
                ack = Ack(
                    command_id=item.stored.data.command_id, outcome=AckOutcome.REFUSED, reason=item.stored.data.reason
                )
                answers.append(LaneAck(lane=item.lane, ack=ack))
        touched = {self._book.settle(connection, answer.lane, answer.ack) for answer in answers}
        spent = [
            item.stored.data.release_id for item in fresh if isinstance(item.stored.data, ReleaseSpent) and item.case_id
        ]
        if spent:
            self._book.settle_spent(connection, spent)
        return {case_id for case_id in touched if case_id is not None}

    def _keep_rejected(self, connection: Connection, rejected: Sequence[Rejected]) -> None:
        if not rejected:
            return
        now_ms = self._clock.utc_ms()
        for item in rejected:
            log.warning("message_rejected", topic=item.topic[:200], reason=item.reason, size=len(item.payload))
            digest = hashlib.sha256(item.topic.encode() + b"\0" + item.payload).hexdigest()
            row = {
                "digest": digest,
                "topic": item.topic[:200],
                "reason": item.reason,
                "payload": item.payload.decode("utf-8", "replace").replace("\0", "\ufffd")[:_KEPT_PAYLOAD_CHARS],
                "count": 0,
                "first_ms": now_ms,
                "last_ms": now_ms,
            }
            insert_new(connection, REJECTED, [row])
            again = update(REJECTED).where(REJECTED.c.digest == digest)
            connection.execute(again.values(count=REJECTED.c.count + 1, last_ms=now_ms))
        surplus = (connection.scalar(select(func.count()).select_from(REJECTED)) or 0) - MAX_REJECTED
        if surplus > 0:
            oldest = select(REJECTED.c.digest).order_by(REJECTED.c.last_ms, REJECTED.c.digest).limit(surplus)
            connection.execute(delete(REJECTED).where(REJECTED.c.digest.in_(oldest)))

    def _note(self, words: Sequence[LaneWord]) -> tuple[str, ...]:
        came_online = []
        for item in words:
            if isinstance(item.word, LaneState):
                self._board.take_state(item.lane, item.word)
            elif self._board.take_status(item.lane, item.word):
                came_online.append(item.lane)
        return tuple(came_online)

    def _count(
        self,
        batch: Sequence[Incoming],
        events: Sequence[LaneEvent],
        fresh: Sequence[LaneEvent],
        rejected: Sequence[Rejected],
        changes: Changes,
    ) -> None:
        for event_type, number in Counter(item.event.type.value for item in fresh).items():
            self._metrics.events.labels(type=event_type).inc(number)
        self._metrics.duplicates.inc(len(events) - len(fresh))
        for item in rejected:
            self._metrics.rejected.labels(reason=item.reason).inc()
        self._count_commands(changes)
        now_ns = self._clock.monotonic_ns()
        # The longest wait of the batch: to observe each message costs as much as to parse it.
        self._metrics.commit_s.observe((now_ns - min(message.arrived_ns for message in batch)) / 1e9)

    def _count_commands(self, changes: Changes) -> None:
        for command in changes.commands:
            self._metrics.commands.labels(act=command.act.value).inc()
