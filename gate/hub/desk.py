"""Where a case's rows are: loads them, folds them, writes the projection, takes verdicts, and lets releases out.

Everything runs inside a transaction of the caller, which publishes what came of it after the commit. Two releases of one case can
never both be standing: whether one is, is read in the same transaction that writes the next, and the number of a case's release is
unique in the database.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import structlog
from sqlalchemy import Connection, bindparam, delete, select

from gate.core.clock import Clock
from gate.core.evidence import canonical_json
from gate.core.joint_release import JointCase, Verdict, VerdictKind, with_verdict
from gate.hub.cases import MAX_RELEASES_PER_DIGEST, CaseStatus, CaseView, fold_case
from gate.hub.commands import CommandBook, Order, Outgoing
from gate.hub.lanes import rebuild_lanes
from gate.hub.rows import CaseRows, load_cases
from gate.hub.rules import SiteRules
from gate.hub.schema import CASES, EVENTS, VERDICTS
from gate.hub.store import upsert_all
from gate.hub.turns import lock_projections
from gate.wire.messages import Act, CaseChanged

log = structlog.get_logger(__name__)

# Built once: building costs more than running.
_BODIES = select(CASES.c.case_id, CASES.c.body).where(CASES.c.case_id.in_(bindparam("wanted", expanding=True)))
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
    """Why: ``unknown_case``, ``closed``, ``unknown_role``, ``stale_evidence``, ``already_released`` or ``sent_back``."""

    reason: str


class CaseDesk:
    """All cases of a port. Not thread-safe by itself: the store's writer lock is what orders its callers."""

    def __init__(
        self, *, port: str, rules: SiteRules, book: CommandBook, clock: Clock, release_max_age_ms: int
    ) -> None:
        self._port = port
        self._rules = rules
        self._book = book
        self._clock = clock
        self._release_max_age_ms = release_max_age_ms

    def view(self, connection: Connection, case_id: str) -> CaseView | None:
        """The case as its rows say now."""
        rows = load_cases(connection, self._port, [case_id]).get(case_id)
        return self._fold(case_id, rows) if rows is not None else None

    def refresh(self, connection: Connection, case_ids: Iterable[str]) -> Changes:
        """Fold these cases again, release by rule those that may go, and write the projection."""
        found = load_cases(connection, self._port, sorted(set(case_ids)))
        views = {case_id: self._fold(case_id, rows) for case_id, rows in found.items()}
        due = [order for view in views.values() if (order := self._release(view, asking=None)) is not None]
        # Issued together: numbers are given under a lock, which must not be held while cases are folded.
        commands = self._book.issue_all(connection, due)
        for order, command in zip(due, commands, strict=True):
            if order.case_id is not None:
                found[order.case_id].commands.append(command.record)
                views[order.case_id] = self._fold(order.case_id, found[order.case_id])
        return Changes(commands=tuple(commands), cases=self._keep(connection, list(views.values())))

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
    ) -> Changes | VerdictNotTaken:
        """Add an officer's verdict, and release when it was the last that was missing."""
        rows = load_cases(connection, self._port, [case_id]).get(case_id)
        if rows is None:
            return VerdictNotTaken(reason="unknown_case")
        view = self._fold(case_id, rows)
        if view.status is CaseStatus.CLOSED:
            return VerdictNotTaken(reason="closed")
        if view.is_sent_back and kind.is_release:
            return VerdictNotTaken(reason="sent_back")
        verdict = Verdict(
            role=role,
            kind=kind,
            evidence_digest=digest,
            author=author,
            at_ms=self._clock.utc_ms(),
            number=max((item.number for item in rows.verdicts), default=0) + 1,
            reason=reason,
        )
        taken = with_verdict(view.joint, verdict)
        if not isinstance(taken, JointCase):
            return VerdictNotTaken(reason=taken.reason)
        connection.execute(
            VERDICTS.insert().values(
                case_id=case_id,
                number=verdict.number,
                role=role,
                kind=kind.value,
                evidence_digest=digest,
                author=author,
                at_ms=verdict.at_ms,
                reason=reason,
            )
        )
        rows.verdicts.append(verdict)
        return self._settle(connection, case_id, rows, asking=author if kind.is_release else None)

    def send_back(
        self, connection: Connection, *, case_id: str, author: str, reason: str
    ) -> Outgoing | VerdictNotTaken:
        """Ask the lane to let the traveller out by the way they came."""
        view = self.view(connection, case_id)
        if view is None:
            return VerdictNotTaken(reason="unknown_case")
        if view.status is CaseStatus.CLOSED:
            return VerdictNotTaken(reason="closed")
        if view.standing_release is not None:
            return VerdictNotTaken(reason="already_released")
        if view.is_sent_back:
            return VerdictNotTaken(reason="sent_back")
        return self._book.issue(
            connection,
            lane=view.lane,
            act=Act.SEND_BACK,
            author=author,
            case_id=case_id,
            occupancy_id=view.occupancy_id,
            evidence_digest=view.joint.evidence_digest,
            note=reason,
        )

    def rebuild(
        self, connection: Connection, on_progress: Callable[[int, int], None] = lambda _done, _of: None
    ) -> None:
        """Throw the projections away and make them again from events, verdicts and commands. Issues nothing."""
        lock_projections(connection)
        connection.execute(delete(CASES))
        case_ids = list(connection.scalars(select(EVENTS.c.case_id).where(EVENTS.c.case_id.is_not(None)).distinct()))
        for start in range(0, len(case_ids), 200):
            found = load_cases(connection, self._port, case_ids[start : start + 200])
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
        )

    def _settle(self, connection: Connection, case_id: str, rows: CaseRows, *, asking: str | None) -> Changes:
        """Release what may go (``asking``: the officer who wants it, None for the rule), and write the projection."""
        view = self._fold(case_id, rows)
        due = self._release(view, asking=asking)
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
        return Order(
            lane=view.lane,
            act=Act.RELEASE,
            author=asking or "rule",
            case_id=view.case_id,
            occupancy_id=view.occupancy_id,
            evidence_digest=view.joint.evidence_digest,
            release_number=len(view.releases) + 1,
        )

    def _keep(self, connection: Connection, views: Sequence[CaseView]) -> tuple[CaseChanged, ...]:
        """Write the projections; those that changed, which is what has to be announced."""
        if not views:
            return ()
        bodies = {view.case_id: canonical_json(view.to_json()).decode() for view in views}
        held = {row.case_id: row.body for row in connection.execute(_BODIES, {"wanted": list(bodies)})}
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
