"""The case of the crossing under way: findings from documents, look-ups and faces; evidence revisions; decisions; records.

It decides nothing about doors: it turns what was measured into findings by :mod:`gate.core.policy`, records each revision, and
hands the machine its events.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import assert_never

from gate.core import effects as do
from gate.core import events as on
from gate.core.clock import Clock
from gate.core.effects import CrossingOutcome
from gate.core.events import Event
from gate.core.evidence import Attachment, Finding, Outcome, Stage, canonical_json
from gate.core.policy import (
    Admit,
    Clear,
    ClearancePolicy,
    FaceFacts,
    LookupFacts,
    NotTaken,
    decide_entry,
    decide_exit,
    judge_document,
    judge_face,
    judge_lookups,
    judge_people,
    judge_temperature,
    unreadable_document,
)
from gate.core.presentation import judge_presentation
from gate.core.release import VerifiedRelease
from gate.core.travel_findings import TravelPolicy, judge_boarding_pass, judge_health_code
from gate.lane import crossing as crossings
from gate.lane.crossing import Crossing
from gate.lane.sightings import CodesSeen, DocumentOutcome, DocumentPictures, FaceOutcome, PrivateDocument
from gate.lane.store import EventDraft, LaneStore, OutboxRow, Picture
from gate.wire import messages as wire
from gate.wire.messages import EventType

JPEG = "image/jpeg"


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What the stay looks like at the moment of a decision."""

    occupancy_id: str | None
    curtain_count: int | None
    celsius: float | NotTaken | None


class Casework:
    """Owns the crossing under way. Every method that records returns when the rows are on disk (and hands them to ``send``)."""

    def __init__(
        self,
        *,
        port: str,
        lane: str,
        policy: ClearancePolicy,
        store: LaneStore,
        clock: Clock,
        send: Callable[[list[OutboxRow]], None],
        pictures_waiting: Callable[[], None],
        post: Callable[[Event], None],
        witnesses: Callable[[int, int | None], tuple[Finding, ...]] = lambda _since_ns, _count: (),
        travel: TravelPolicy | None = None,
    ) -> None:
        """``witnesses(since_ns, person_count)`` are the findings of a lane's optional witnesses about a crossing that began then."""
        self._port = port
        self._lane = lane
        self._policy = policy
        self._store = store
        self._clock = clock
        self._send = send
        self._pictures_waiting = pictures_waiting
        self._post = post
        self._witnesses = witnesses
        self._travel = travel or TravelPolicy()
        self.crossing: Crossing | None = None
        self.finished = 0

    # -- records ---------------------------------------------------------------------------------------------------

    def draft(self, kind: EventType, data: wire.Message) -> EventDraft:
        """An event of the crossing under way, or of the lane when there is none."""
        here = self.crossing
        return EventDraft(
            type=kind,
            data=data,
            case_id=getattr(
                data, "case_id", None
            ),  # the subject is what the data speak of, so that the hub can compare
            traceparent=here.traceparent if here else None,
        )

    def report(self, kind: EventType, data: wire.Message) -> None:
        """Record one event."""
        self._send(self._store.record([self.draft(kind, data)]))

    def keep_record(self, kind: EventType, data: wire.Message, record: Picture) -> None:
        """Record one event together with what it names in the evidence store."""
        self._send(self._store.record([self.draft(kind, data)], pictures=[record]))
        self._pictures_waiting()

    def report_command(self, door: str, position: str, purpose: str, release_id: str | None) -> None:
        """A door command goes out."""
        here = self.crossing
        body = {"door": door, "position": position, "purpose": purpose, "release_id": release_id}
        data = wire.DoorCommanded.model_validate({**body, "case_id": here.case_id if here else None})
        self.report(EventType.DOOR_COMMANDED, data)

    def note_entry_commanded(self, at_ns: int) -> None:
        """Door 1 was told to open; the first time counts."""
        here = self.crossing
        if here is not None and here.entry_commanded_ns is None:
            here.entry_commanded_ns = at_ns

    def note_exit_commanded(self, at_ns: int) -> None:
        """The exit was told to open."""
        if self.crossing is not None:
            self.crossing.exit_commanded_ns = at_ns

    def report_veto(self, door: str, rule: str) -> None:
        """The guard or the board refused a door command."""
        here = self.crossing
        data = wire.DoorVetoed.model_validate({"door": door, "rule": rule, "case_id": here.case_id if here else None})
        self.report(EventType.DOOR_VETOED, data)

    def report_trouble(self, effect: do.RaiseAlarm | do.ClearAlarm | do.ReportFault | do.ReportFaultsCleared) -> None:
        """An alarm or a fault begins or ends."""
        here = self.crossing
        match effect:
            case do.RaiseAlarm():
                alarm = wire.AlarmRaised(reason=effect.reason, case_id=here.case_id if here else None)
                self.report(EventType.ALARM_RAISED, alarm)
            case do.ClearAlarm():
                self.report(EventType.ALARM_CLEARED, wire.AlarmCleared(reason="acknowledged", by=effect.by))
            case do.ReportFault():
                self.report(EventType.FAULT_RAISED, wire.FaultRaised(device=effect.device, reason=effect.reason))
            case do.ReportFaultsCleared():
                self.report(EventType.FAULT_CLEARED, wire.FaultCleared(by=effect.by))
            case _:
                assert_never(effect)

    def spend(self, release_id: str) -> None:
        """Burn a release: on disk, together with the record of the opening, before the door moves."""
        here = self.crossing
        case_id = here.case_id if here else ""
        spent = wire.ReleaseSpent(case_id=case_id, release_id=release_id)
        opened = wire.DoorCommanded(
            door="exit", position="open", purpose="release", case_id=case_id, release_id=release_id
        )
        drafts = [self.draft(EventType.RELEASE_SPENT, spent), self.draft(EventType.DOOR_COMMANDED, opened)]
        self._send(self._store.spend(release_id, drafts))

    def close_interrupted(self, reason: str = "lane.restarted") -> None:
        """The crossing that the store still has open is over, and says so: the lane stopped, or its end could not be written."""
        case_id = self._store.open_case
        if case_id is None:
            return
        ended = wire.CrossingEnded(
            case_id=case_id, outcome=CrossingOutcome.INTERRUPTED, reasons=[reason], duration_ms=0
        )
        draft = EventDraft(type=EventType.CROSSING_ENDED, data=ended, case_id=case_id)
        self._send(self._store.record([draft], closes_case=True))

    # -- a crossing ------------------------------------------------------------------------------------------------

    def begin(self, placed_ns: int | None = None) -> Crossing:
        """Open a case. One that was still open is dropped with its biometrics, and ended in the records if its end is not in them."""
        if self.crossing is not None:
            self.crossing.wipe()
        self.close_interrupted("lane.not_recorded")
        self.crossing = crossings.begin(port=self._port, lane=self._lane, started_ns=self._clock.monotonic_ns())
        self.crossing.placed_ns = placed_ns
        case_id = self.crossing.case_id
        draft = self.draft(EventType.CROSSING_STARTED, wire.CrossingStarted(case_id=case_id))
        self._send(self._store.record([draft], open_case=case_id))
        return self.crossing

    def judge_document(self, outcome: DocumentOutcome, answers: tuple[LookupFacts, ...] | None) -> None:
        """Document and look-ups are in: decide about door 1 and hand the decision on; the pictures follow."""
        here = self.crossing
        if here is None or here.is_document_judged:
            return
        here.is_document_judged = True
        here.placed_ns = outcome.placed_ns
        here.inference_ns += outcome.inference_ns
        if outcome.facts is None:
            findings: tuple[Finding, ...] = (
                unreadable_document(outcome.refusal or "unknown", model_hash=outcome.model_hash),
            )
        else:
            today = datetime.fromtimestamp(self._clock.utc_ms() / 1000, tz=UTC).date()
            document = judge_document(outcome.facts, today=today, limits=self._policy.document)
            findings = (*document, *outcome.findings, *judge_lookups(answers or (), self._policy))
            here.reference = outcome.reference
            here.issuer = outcome.private.issuer if outcome.private else None
        decision = decide_entry(findings, self._policy)
        here.add(*findings)
        if isinstance(decision, Admit):
            self._post(on.EntryAdmitted())
        else:
            self._post(on.EntryDenied(reasons=decision.reasons))
        reasons = [] if isinstance(decision, Admit) else list(decision.reasons)
        decided = wire.EntryDecided(case_id=here.case_id, is_admitted=isinstance(decision, Admit), reasons=reasons)
        self.report(EventType.ENTRY_DECIDED, decided)
        kept = () if outcome.private is None else (self._add_private(here, outcome.private),)
        self._record_evidence(here, kept)

    def _add_private(self, here: Crossing, private: PrivateDocument) -> Picture:
        traveller = {name: getattr(private, name) for name in PrivateDocument.__slots__ if name != "mrz_lines"}
        body = canonical_json({"traveller": traveller, "mrz_lines": list(private.mrz_lines)})
        picture = crossings.picture(body, media_type="application/json", case_id=here.case_id)
        here.add(pictures=(("private", picture),))
        return picture

    def add_pictures(self, pictures: DocumentPictures) -> None:
        """The page and the portrait, encoded."""
        here = self.crossing
        if here is None:
            return
        kept = [("page", crossings.picture(pictures.page_jpeg, media_type=JPEG, case_id=here.case_id))]
        if pictures.portrait_jpeg is not None:
            kept.append(("portrait", crossings.picture(pictures.portrait_jpeg, media_type=JPEG, case_id=here.case_id)))
        if pictures.chip_jpeg is not None:
            kept.append(("chip", crossings.picture(pictures.chip_jpeg, media_type=JPEG, case_id=here.case_id)))
        here.add(pictures=tuple(kept))
        pictures_kept = tuple(picture for _, picture in kept)
        if here.is_face_judged:
            # Later than the decision: the roles must be asked about all of it.
            self._decide(here, pictures_kept, is_machines=True)
        else:
            self._record_evidence(here, pictures_kept)

    def add_codes(self, seen: CodesSeen) -> None:
        """Boarding pass and health declaration, judged; their texts go to the evidence store only."""
        here = self.crossing
        if here is None or not self._travel.is_on:
            return
        findings = (
            *judge_boarding_pass(seen.boarding_pass, self._travel.boarding_pass),
            *judge_health_code(seen.health, self._travel.health_code),
        )
        pictures: tuple[tuple[str, Picture], ...] = ()
        if seen.record is not None:
            record = crossings.picture(seen.record, media_type="application/json", case_id=here.case_id)
            pictures = (("travel", record),)
        here.add(*findings, pictures=pictures)
        kept = tuple(picture for _, picture in pictures)
        if here.is_face_judged:
            self._decide(here, kept)
        else:
            self._record_evidence(here, kept)

    def _codes_never_told(self, here: Crossing) -> tuple[Finding, ...]:
        """What the policy asks for and the document's thread never told of was not checked."""
        rules = self._travel
        expected = (
            *judge_boarding_pass(None, rules.boarding_pass),
            *judge_health_code(None, rules.health_code),
        )
        return tuple(finding for finding in expected if not here.has_finding(finding.code))

    def _evidence_draft(self, here: Crossing) -> EventDraft:
        evidence = here.evidence
        recorded = wire.EvidenceRecorded(
            case_id=here.case_id, revision=evidence.revision, digest=here.digest(), evidence=evidence.to_json()
        )
        return self.draft(EventType.EVIDENCE_RECORDED, recorded)

    def _record_evidence(self, here: Crossing, pictures: tuple[Picture, ...] = ()) -> None:
        """One transaction holds the revision and what it names."""
        self._send(self._store.record([self._evidence_draft(here)], pictures=pictures))
        if pictures:
            self._pictures_waiting()

    # -- inside ----------------------------------------------------------------------------------------------------

    def judge_face(self, outcome: FaceOutcome, around: Surroundings) -> None:
        """The stay's findings are in: a new revision, the lane's decision, and the machine's event."""
        here = self.crossing
        if here is None or here.is_face_judged:
            return
        here.is_face_judged = True
        here.face_seen_ns = outcome.seen_ns
        here.inference_ns += outcome.inference_ns
        facts = FaceFacts(score=outcome.score, model_hash=outcome.model_hash, hints=outcome.hints)
        findings = (
            judge_face(facts, self._policy),
            judge_people(around.curtain_count, outcome.person_count),
            *judge_presentation(outcome.presentation, self._policy.presentation),
            *judge_temperature(around.celsius, self._policy),
            *self._codes_never_told(here),
            *self._witnesses(here.started_ns, around.curtain_count),
        )
        pictures: tuple[tuple[str, Picture], ...] = ()
        if outcome.live_jpeg is not None:
            live = crossings.picture(outcome.live_jpeg, media_type=JPEG, case_id=here.case_id)
            pictures = (("live", live),)
        here.add(*findings, pictures=pictures, occupancy_id=around.occupancy_id)
        self._decide(here, tuple(picture for _, picture in pictures))

    def add_late(self, findings: tuple[Finding, ...], attachments: tuple[Attachment, ...] = ()) -> None:
        """What came beside the lane's own reading: a witness's alarm, a scan. It reopens verdicts, and refers where it is in the way."""
        here = self.crossing
        if here is None:
            return
        here.attach(*findings, attachments=attachments)
        if here.is_face_judged and here.exit_commanded_ns is None:
            self._decide(here, ())
        else:
            self._record_evidence(here)

    def add_reasons(self, reasons: tuple[str, ...], occupancy_id: str | None) -> None:
        """The machine referred for reasons of its own: they become findings, so that officers judge the whole of it."""
        here = self.crossing or self.begin()
        here.is_face_judged = True
        known = {finding.code for finding in here.evidence.findings}
        new = tuple(
            Finding(code=f"lane.{reason}", outcome=Outcome.REFER, stage=Stage.EXIT)
            for reason in reasons
            if reason not in known and f"lane.{reason}" not in known
        )
        if new or occupancy_id != here.evidence.occupancy_id:
            here.add(*new, occupancy_id=occupancy_id)
            self._decide(here, (), is_machines=True)

    def void_stay(self) -> None:
        """Who stands in the lane may be another than before: until the face is judged again nothing is decided."""
        if self.crossing is not None:
            self.crossing.void_stay()

    def _decide(self, here: Crossing, pictures: tuple[Picture, ...], *, is_machines: bool = False) -> None:
        """Weigh all findings; one transaction holds the evidence, the decision and the pictures."""
        decision = decide_exit(here.evidence.findings)
        here.decided_ns = self._clock.monotonic_ns()
        is_clear = isinstance(decision, Clear)
        decided = wire.CrossingDecided(
            case_id=here.case_id,
            decision="clear" if is_clear else "refer",
            reasons=[] if isinstance(decision, Clear) else list(decision.reasons),
            roles=[] if isinstance(decision, Clear) else list(decision.roles),
            digest=here.digest(),
        )
        drafts = [self._evidence_draft(here), self.draft(EventType.CROSSING_DECIDED, decided)]
        rows = self._store.record(drafts, pictures=pictures)
        self._send(rows)
        if pictures:
            self._pictures_waiting()
        if is_machines:
            return
        if isinstance(decision, Clear):
            self._post(on.CrossingCleared())
        else:
            self._post(on.CrossingReferred(reasons=decision.reasons, roles=decision.roles))

    def objection_to(self, release: VerifiedRelease) -> str | None:
        """Why this release is not for the present crossing and its present evidence; None when it is."""
        here = self.crossing
        if here is None or release.case_id != here.case_id:
            return "other_case"
        if release.evidence_digest != here.digest():
            return "other_evidence"
        here.released_ns = self._clock.monotonic_ns()
        return None

    def end(self, outcome: CrossingOutcome, reasons: tuple[str, ...]) -> None:
        """Report how it ended, then wipe and drop it."""
        here = self.crossing
        if here is None:
            return
        ended = wire.CrossingEnded(
            case_id=here.case_id,
            outcome=outcome,
            reasons=list(dict.fromkeys(reasons)),
            duration_ms=(self._clock.monotonic_ns() - here.started_ns) // 1_000_000,
            document_to_entry_ms=_span_ms(here.placed_ns, here.entry_commanded_ns),
            face_to_exit_ms=_span_ms(here.face_seen_ns, here.exit_commanded_ns),
            inference_ms=round(here.inference_ns / 1e6, 3),
            release_ms=_span_ms(here.decided_ns, here.released_ns),
        )
        draft = self.draft(EventType.CROSSING_ENDED, ended)
        here.wipe()  # before anything that can fail: a full disk is no reason to keep a template
        self.crossing = None
        self._send(self._store.record([draft], closes_case=True))
        self.finished += 1


def _span_ms(start_ns: int | None, end_ns: int | None) -> float | None:
    return None if start_ns is None or end_ns is None else round((end_ns - start_ns) / 1e6, 3)
