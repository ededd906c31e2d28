"""The hub's outgoing commands: numbered by the database, signed, kept until the lane answered or their time ran out."""

import hashlib
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, and_, func, or_, select, update

from gate.core.clock import Clock
from gate.hub.audit import log as audit
from gate.hub.bell import ring
from gate.hub.records import CommandRecord, CommandState
from gate.hub.schema import COMMANDS
from gate.hub.turns import Turn, take_turns
from gate.wire.messages import Ack, AckOutcome, Act, Command
from gate.wire.signing import CLOCK_TOLERANCE_S, SigningKey, sign_command

GRACE_MS = int(CLOCK_TOLERANCE_S * 1000)
"""A lane's clock may lag this far behind, so a command may still be taken this long after it expired here."""

REPEATED = "replayed"
"""A lane's answer to a command it has seen before: says nothing about whether it took it the first time."""


# Built once: building costs more than running.
_LAST = select(func.max(COMMANDS.c.seq))
_ADD = COMMANDS.insert()
_RELEASING = (Act.RELEASE.value, Act.FORCE_OPEN.value)


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What a lane is to be asked. ``release_number`` counts a case's releases from 1; ``note`` is why the officer gave it.

    ``also_by`` is the second officer where it takes two; ``basis`` is what it was decided on, for the audit log.
    """

    lane: str
    act: Act
    author: str
    case_id: str | None = None
    occupancy_id: str | None = None
    evidence_digest: str | None = None
    release_number: int | None = None
    note: str = ""
    also_by: str | None = None
    basis: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outgoing:
    """A signed command: to be published once it is committed."""

    lane: str
    token: str
    record: CommandRecord

    @property
    def act(self) -> Act:
        return self.record.act

    @property
    def command_id(self) -> str:
        return self.record.command_id


class CommandBook:
    """Issues commands and keeps account of them. Call it inside the transaction that decides, and publish after the commit."""

    def __init__(self, *, issuer: str, port: str, key: SigningKey, lifetime_s: float, clock: Clock) -> None:
        self._issuer = issuer
        self._port = port
        self._key = key
        self._lifetime_s = lifetime_s
        self._clock = clock

    def issue(
        self,
        connection: Connection,
        *,
        lane: str,
        act: Act,
        author: str,
        case_id: str | None = None,
        occupancy_id: str | None = None,
        evidence_digest: str | None = None,
        release_number: int | None = None,
        note: str = "",
    ) -> Outgoing:
        """Number, sign and write down one command. ``release_number`` counts a case's releases from 1."""
        order = Order(
            lane=lane,
            act=act,
            author=author,
            case_id=case_id,
            occupancy_id=occupancy_id,
            evidence_digest=evidence_digest,
            release_number=release_number,
            note=note,
        )
        return self.issue_all(connection, [order])[0]

    def issue_all(self, connection: Connection, orders: Sequence[Order]) -> list[Outgoing]:
        """Number, sign and write down these, in this order.

        Whoever numbers waits until whoever numbered before has committed: commands become visible in the order of their numbers,
        whichever process issued them, and can be published in it.
        """
        if not orders:
            return []
        take_turns(connection, Turn.COMMANDS)
        now_ms = self._clock.utc_ms()
        last = connection.scalar(_LAST) or 0
        # Lanes refuse a number they are past. Counting from the clock keeps a restored backup from falling behind them.
        first = max(last + 1, now_ms)
        issued = [self._sign(order, first + index, now_ms) for index, order in enumerate(orders)]
        connection.execute(_ADD, [row for row, _ in issued])
        for order, (row, _) in zip(orders, issued, strict=True):
            audit.note(connection, _issued(order, row))
        ring(connection)
        return [outgoing for _, outgoing in issued]

    def _sign(self, order: Order, seq: int, now_ms: int) -> tuple[dict[str, Any], Outgoing]:
        expires_ms = now_ms + int(self._lifetime_s * 1000)
        command = Command(
            iss=self._issuer,
            aud=f"{self._port}/{order.lane}",
            jti=secrets.token_hex(16),
            seq=seq,
            iat=now_ms / 1000,
            exp=expires_ms / 1000,
            act=order.act,
            by=order.author,
            also_by=order.also_by,
            case_id=order.case_id,
            occupancy_id=order.occupancy_id,
            evidence_digest=order.evidence_digest,
        )
        token = sign_command(self._key, command)
        row = {
            "seq": seq,
            "jti": command.jti,
            "lane": order.lane,
            "act": order.act.value,
            "author": order.author,
            "also_by": order.also_by,
            "case_id": order.case_id,
            "occupancy_id": order.occupancy_id,
            "evidence_digest": order.evidence_digest,
            "issued_ms": now_ms,
            "expires_ms": expires_ms,
            "note": order.note,
            "token": token,
            "state": CommandState.SENT.value,
            "settled_ms": None,
            "reason": "",
            "release_key": f"{order.case_id}#{order.release_number}" if order.release_number is not None else None,
        }
        record = CommandRecord(
            seq=seq,
            command_id=command.jti,
            act=order.act,
            author=order.author,
            evidence_digest=order.evidence_digest,
            issued_ms=now_ms,
            expires_ms=expires_ms,
            state=CommandState.SENT,
            note=order.note,
        )
        return row, Outgoing(lane=order.lane, token=token, record=record)

    def settle(self, connection: Connection, lane: str, ack: Ack) -> str | None:
        """Take a lane's answer. The case it concerns, when that changed anything."""
        if ack.command_id is None or (ack.outcome is AckOutcome.REFUSED and ack.reason == REPEATED):
            return None
        row = connection.execute(
            select(COMMANDS.c.state, COMMANDS.c.case_id).where(
                COMMANDS.c.jti == ack.command_id, COMMANDS.c.lane == lane
            )
        ).first()
        if row is None or row.state not in (CommandState.SENT.value, CommandState.EXPIRED.value):
            return None
        if ack.outcome is AckOutcome.REFUSED and row.state == CommandState.EXPIRED.value:
            return None
        state = CommandState.TAKEN if ack.outcome is AckOutcome.TAKEN else CommandState.REFUSED
        connection.execute(
            update(COMMANDS)
            .where(COMMANDS.c.jti == ack.command_id)
            .values(state=state.value, settled_ms=self._clock.utc_ms(), reason=ack.reason[:200])
        )
        entry = audit.Entry(
            at_ms=self._clock.utc_ms(),
            kind=audit.AuditKind.COMMAND_SETTLED,
            who=lane,
            case_id=row.case_id,
            data={"command_id": ack.command_id, "outcome": ack.outcome.value, "reason": ack.reason[:200]},
        )
        audit.note(connection, entry)
        return str(row.case_id) if row.case_id is not None else None

    def settle_expired(self, connection: Connection) -> set[str]:
        """Write off what can no longer be taken or used; the cases this concerns."""
        now_ms = self._clock.utc_ms()
        cases: set[str] = set()
        for before, after in (
            (CommandState.SENT, CommandState.EXPIRED),
            (CommandState.TAKEN, CommandState.LAPSED),
        ):
            rows = connection.execute(
                update(COMMANDS)
                .where(_is_overdue(before, now_ms - GRACE_MS))
                .values(state=after.value, settled_ms=now_ms)
                .returning(COMMANDS.c.case_id)
            )
            cases |= {row.case_id for row in rows if row.case_id is not None}
        return cases

    def has_expired(self, connection: Connection) -> bool:
        """Whether :meth:`settle_expired` would find anything; costs no write."""
        cutoff_ms = self._clock.utc_ms() - GRACE_MS
        overdue = or_(_is_overdue(CommandState.SENT, cutoff_ms), _is_overdue(CommandState.TAKEN, cutoff_ms))
        return connection.scalar(select(COMMANDS.c.seq).where(overdue).limit(1)) is not None

    def settle_spent(self, connection: Connection, release_ids: Sequence[str]) -> None:
        """The lane opened its exit on these releases."""
        connection.execute(
            update(COMMANDS)
            .where(COMMANDS.c.jti.in_(release_ids), COMMANDS.c.act.in_(_RELEASING))
            .values(state=CommandState.SPENT.value, settled_ms=self._clock.utc_ms())
        )

    def unanswered(self, connection: Connection, lane: str | None = None, *, after_seq: int = 0) -> list[Outgoing]:
        """What may still be taken and has not been, by number: to be published again after a restart or a reconnection."""
        query = (
            select(COMMANDS)
            .where(COMMANDS.c.state == CommandState.SENT.value, COMMANDS.c.expires_ms > self._clock.utc_ms())
            .where(COMMANDS.c.seq > after_seq)
            .order_by(COMMANDS.c.seq)
        )
        if lane is not None:
            query = query.where(COMMANDS.c.lane == lane)
        return [
            Outgoing(lane=row.lane, token=row.token, record=command_record(row)) for row in connection.execute(query)
        ]


def _issued(order: Order, row: Mapping[str, Any]) -> audit.Entry:
    """The record of a command: the command itself by its digest, and what it was decided on."""
    kept = (
        "seq",
        "jti",
        "lane",
        "act",
        "also_by",
        "occupancy_id",
        "evidence_digest",
        "issued_ms",
        "expires_ms",
        "note",
    )
    data = {key: row[key] for key in kept} | {"token_sha256": hashlib.sha256(row["token"].encode()).hexdigest()}
    return audit.Entry(
        at_ms=row["issued_ms"],
        kind=audit.AuditKind.COMMAND_ISSUED,
        who=order.author,
        case_id=order.case_id,
        data=data | ({"basis": dict(order.basis)} if order.basis else {}),
    )


def _is_overdue(state: CommandState, cutoff_ms: int) -> ColumnElement[bool]:
    overdue = and_(COMMANDS.c.state == state.value, COMMANDS.c.expires_ms < cutoff_ms)
    # Other acts are done with when they are taken; only a release is taken first and used later.
    return and_(overdue, COMMANDS.c.act.in_(_RELEASING)) if state is CommandState.TAKEN else overdue


def command_record(row: Row[Any]) -> CommandRecord:
    """A row of the commands table."""
    return CommandRecord(
        seq=row.seq,
        command_id=row.jti,
        act=Act(row.act),
        author=row.author,
        evidence_digest=row.evidence_digest,
        issued_ms=row.issued_ms,
        expires_ms=row.expires_ms,
        state=CommandState(row.state),
        note=row.note,
        reason=row.reason,
        settled_ms=row.settled_ms,
    )
