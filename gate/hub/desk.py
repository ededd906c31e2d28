"""Where a case's rows are: loads them, folds them, writes the projection, takes verdicts, and lets releases out.

Everything runs inside a transaction of the caller, which publishes what came of it after the commit. Two releases of one case can
never both be standing: whether one is, is read in the same transaction that writes the next, and the number of a case's release is
unique in the database.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import structlog
from sqlalchemy import Connection, delete, select

from gate import __version__
from gate.core.clock import Clock
from gate.core.joint_release import JointCase, Verdict, VerdictKind, with_verdict
from gate.hub.audit.log import AuditKind, Entry, note
from gate.hub.cases import MAX_RELEASES_PER_DIGEST, CaseStatus, CaseView, fold_case
from gate.hub.commands import CommandBook, Order, Outgoing
from gate.hub.lanes import rebuild_lanes
from gate.hub.quick_json import stable_json
from gate.hub.records import StoredEvent
from gate.hub.rows import CaseRows, KnownEvents, load_cases
from gate.hub.rules import SiteRules
from gate.hub.schema import CASES, EVENTS, VERDICTS
from gate.hub.store import Among, upsert_all
from gate.hub.turns import lock_projections, wait_for_case
from gate.wire.messages import Act, CaseChanged

log = structlog.get_logger(__name__)

# Built once: building costs more than running.
_BODIES = Among(select(CASES.c.case_id, CASES.c.body), CASES.c.case_id)
_ADD_VERDICT = VERDICTS.insert()


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """What a transaction did that others must hear of once it is committed."""

    commands: tuple[Outgoing, ...] = ()
    cases: tuple[CaseChanged, ...] = ()

    def __add__(self, other: "Changes") -> "Changes":
        return Changes(commands=self.commands + other.commands, cases=self.cases + other.cases)


@dataclass(frozen=True, slots=True, kw_only=True)
class VerdictNotTaken:
    """Why: ``unknown_case``, ``closed``, ``sent_back``, ``nobody_inside``, or what the rules of verdicts and inspections say."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenCase:
    """A case that is not over, and the rows that it was folded from."""

    rows: CaseRows
    view: CaseView


class CaseDesk:
    """All cases of a port. Not thread-safe by itself: the store's writer lock is what orders its callers."""

    def __init__(
        self, *, port: str, rules: SiteRules, book: CommandBook, clock: Clock, release_max_age_ms: int
    ) -> None:
        self._port = port
        self.known = KnownEvents(port)
        self._rules = rules
        self._book = book
        self._clock = clock
        self._release_max_age_ms = release_max_age_ms

    def view(self, connection: Connection, case_id: str) -> CaseView | None:
        """The case as its rows say now."""
        rows = load_cases(connection, self.known, [case_id]).get(case_id)
        return self._fold(case_id, rows) if rows is not None else None

    def refresh(
        self, connection: Connection, case_ids: Iterable[str], fresh: Mapping[str, StoredEvent] | None = None
    ) -> Changes:
        """Fold these cases again, release by rule those that may go, and write the projection.

        ``fresh``: events that this transaction stored, by id, which need not be read back.
        """
        found = load_cases(connection, self.known, sorted(set(case_ids)), fresh or {})
        views = {case_id: self._fold(case_id, rows) for case_id, rows in found.items()}
        new = {case_id for case_id, rows in found.items() if fresh and any(item.id in fresh for item in rows.events)}
        due = {
            view.case_id: order for view in views.values() if (order := self._release(view, asking=None)) is not None
        }
        cases = self._keep(connection, [view for view in views.values() if view.case_id not in due], new)
        # Last and together: numbers are given under a lock, which must not be held while cases are folded and written.
        commands = self._book.issue_all(connection, list(due.values()))
        for case_id, command in zip(due, commands, strict=True):
            found[case_id].commands.append(command.record)
        released = [self._fold(case_id, found[case_id]) for case_id in due]
        return Changes(commands=tuple(commands), cases=cases + self._keep(connection, released, new))

    def open(self, connection: Connection, case_id: str) -> "OpenCase | VerdictNotTaken":
        """The case for an officer to say something about: nobody else changes it until the transaction ends."""
        wait_for_case(connection, case_id)
        rows = load_cases(connection, self.known, [case_id]).get(case_id)
        if rows is None:
            return VerdictNotTaken(reason="unknown_case")
        view = self._fold(case_id, rows)
        if view.status is CaseStatus.CLOSED:
            return VerdictNotTaken(reason="closed")
        return OpenCase(rows=rows, view=view)

    def take_verdict(
        self,
        connection: Connection,
        *,
        case_id: str,
        role: str,
        kind: VerdictKind,
        digest: str,
        author: str,
        reason: str,
        seen_number: int | None = None,
        request_id: str | None = None,
    ) -> Changes | VerdictNotTaken:
        """Add an officer's verdict; release when it was the last that was missing, send back when it is the second refusal.

        ``request_id`` names the press of the button: the same one again, after a reconnection, is taken once.
        """
        case = self.open(connection, case_id)
        if isinstance(case, VerdictNotTaken):
            return case
        if request_id is not None and _is_known(connection, case_id, request_id):
            return Changes()
        if case.view.is_sent_back and kind.is_release:
            return VerdictNotTaken(reason="sent_back")
        verdict = Verdict(
            role=role,
            kind=kind,
            evidence_digest=digest,
            author=author,
            at_ms=self._clock.utc_ms(),
            number=max((item.number for item in case.rows.verdicts), default=0) + 1,
            reason=reason,
            seen_number=seen_number,
        )
        taken = with_verdict(case.view.joint, verdict)
        if not isinstance(taken, JointCase):
            return VerdictNotTaken(reason=taken.reason)
        row = {"number": verdict.number, "role": role, "kind": kind.value, "evidence_digest": digest, "reason": reason}
        self.record(connection, AuditKind.VERDICT_GIVEN, author, case_id, row)
        kept = {"case_id": case_id, "author": author, "at_ms": verdict.at_ms, "request_id": request_id}
        connection.execute(_ADD_VERDICT, row | kept)
        case.rows.verdicts.append(verdict)
        back = self._refusal(case_id, case.rows) if kind is VerdictKind.REFUSE else None
        return self.settle(connection, case_id, case.rows, asking=author if kind.is_release else None, order=back)

    def _refusal(self, case_id: str, rows: CaseRows) -> Order | None:
        """Two officers refused: the traveller goes back, unless that is under way."""
        view = self._fold(case_id, rows)
        if view.joint.refused_by is None or view.is_sent_back or view.standing_release is not None:
            return None
        first, second = view.joint.refused_by
        return self.order(view, Act.SEND_BACK, author=second, also_by=first, note="refused")

    def send_back(
        self, connection: Connection, *, case_id: str, author: str, reason: str
    ) -> Outgoing | VerdictNotTaken:
        """Ask the lane to let the traveller out by the way they came."""
        case = self.open(connection, case_id)
        if isinstance(case, VerdictNotTaken):
            return case
        if case.view.standing_release is not None:
            return VerdictNotTaken(reason="already_released")
        if case.view.is_sent_back:
            return VerdictNotTaken(reason="sent_back")
        return self._book.issue_all(connection, [self.order(case.view, Act.SEND_BACK, author=author, note=reason)])[0]

    def order(
        self,
        view: CaseView,
        act: Act,
        *,
        author: str,
        also_by: str | None = None,
        note: str = "",
        release_number: int | None = None,
    ) -> Order:
        """An order about this case, with everything that it was decided on."""
        return Order(
            lane=view.lane,
            act=act,
            author=author,
            also_by=also_by,
            case_id=view.case_id,
            occupancy_id=view.occupancy_id,
            evidence_digest=view.joint.lane_digest,
            release_number=release_number,
            note=note,
            basis=basis_of(view, self._rules),
        )

    def record(self, connection: Connection, kind: AuditKind, who: str, case_id: str, data: dict[str, Any]) -> None:
        """Note something about a case in the audit log, now."""
        note(connection, Entry(at_ms=self._clock.utc_ms(), kind=kind, who=who, case_id=case_id, data=data))

    def rebuild(
        self, connection: Connection, on_progress: Callable[[int, int], None] = lambda _done, _of: None
    ) -> None:
        """Throw the projections away and make them again from events, verdicts and commands. Issues nothing."""
        lock_projections(connection)
        connection.execute(delete(CASES))
        case_ids = list(connection.scalars(select(EVENTS.c.case_id).where(EVENTS.c.case_id.is_not(None)).distinct()))
        for start in range(0, len(case_ids), 200):
            found = load_cases(connection, self.known, case_ids[start : start + 200])
            self._keep(connection, [self._fold(case_id, rows) for case_id, rows in found.items()])
            on_progress(min(start + 200, len(case_ids)), len(case_ids))
        rebuild_lanes(connection)

    def _fold(self, case_id: str, rows: CaseRows) -> CaseView:
        return fold_case(
            port=self._port,
            lane=rows.events[0].lane,
            case_id=case_id,
            events=rows.events,
            verdicts=rows.verdicts,
            commands=rows.commands,
            rules=self._rules,
            consents=rows.consents,
            inspections=rows.inspections,
        )

    def settle(
        self,
        connection: Connection,
        case_id: str,
        rows: CaseRows,
        *,
        asking: str | None = None,
        order: Order | None = None,
    ) -> Changes:
        """Give ``order``, or release what may go (``asking``: the officer who wants it, None: the rule); write the projection."""
        view = self._fold(case_id, rows)
        due = order or self._release(view, asking=asking)
        commands = self._book.issue_all(connection, [due] if due is not None else [])
        if commands:
            rows.commands.extend(command.record for command in commands)
            view = self._fold(case_id, rows)
        return Changes(commands=tuple(commands), cases=self._keep(connection, [view]))

    def _release(self, view: CaseView, *, asking: str | None) -> Order | None:
        """The release that is due now, if one is."""
        if not view.may_release or view.releases_of_this_evidence >= MAX_RELEASES_PER_DIGEST:
            return None
        if asking is None:
            if view.releases_of_this_evidence > 0:
                return None  # the first one came to nothing; a second is an officer's to give
            age_ms = self._clock.utc_ms() - (view.decided_ms or 0)
            if age_ms > self._release_max_age_ms:
                log.warning("release_not_issued", case_id=view.case_id, why="decision_too_old", age_ms=age_ms)
                return None
        return self.order(view, Act.RELEASE, author=asking or "rule", release_number=len(view.releases) + 1)

    def _keep(
        self, connection: Connection, views: Sequence[CaseView], new: Collection[str] = ()
    ) -> tuple[CaseChanged, ...]:
        """Write the projections; those that changed, which is what has to be announced.

        ``new``: cases with an event of this transaction, which their history shows, so that they need not be compared.
        """
        if not views:
            return ()
        bodies = {view.case_id: stable_json(view.to_json()) for view in views}
        doubtful = [case_id for case_id in bodies if case_id not in new]
        held = {row.case_id: row.body for row in _BODIES.find(connection, doubtful)} if doubtful else {}
        changed = [view for view in views if held.get(view.case_id) != bodies[view.case_id]]
        upsert_all(connection, CASES, [_row(view, bodies[view.case_id]) for view in changed])
        return tuple(
            CaseChanged(
                case_id=view.case_id,
                lane=view.lane,
                revision=view.joint.evidence_revision,
                status=view.status.value,
                verdicts=view.verdict_kinds(),
            )
            for view in changed
        )


def _is_known(connection: Connection, case_id: str, request_id: str) -> bool:
    query = select(VERDICTS.c.number).where(VERDICTS.c.case_id == case_id, VERDICTS.c.request_id == request_id)
    return connection.scalar(query) is not None


def basis_of(view: CaseView, rules: SiteRules) -> dict[str, Any]:
    """Who said what, by which rules, thresholds and models: what was measured is in the evidence that the digest names."""
    findings = view.evidence.findings if view.evidence else ()
    return {
        "revision": view.joint.evidence_revision,
        "evidence_digest": view.joint.evidence_digest,
        "decision": view.decision,
        "verdicts": {
            role: {"kind": item.kind.value, "author": item.author, "at_ms": item.at_ms, "number": item.number}
            for role, item in view.joint.verdicts.items()
            if item.evidence_digest == view.joint.evidence_digest
        },
        "findings": [
            {
                "code": item.code,
                "outcome": item.outcome.value,
                "threshold": item.threshold,
                "model_hash": item.model_hash,
            }
            for item in findings
        ],
        "rules_sha256": rules.version,
        "software": __version__,
    }


def _row(view: CaseView, body: str) -> dict[str, Any]:
    ended = view.ended
    return {
        "case_id": view.case_id,
        "lane": view.lane,
        "status": view.status.value,
        "opened_ms": view.opened_ms,
        "closed_ms": view.closed_ms,
        "waiting_since_ms": view.waiting_since_ms,
        "revision": view.joint.evidence_revision,
        "evidence_digest": view.joint.evidence_digest,
        "was_referred": view.was_referred,
        "outcome": ended.outcome.value if ended else None,
        "document_to_entry_ms": ended.document_to_entry_ms if ended else None,
        "face_to_exit_ms": ended.face_to_exit_ms if ended else None,
        "body": body,
    }
