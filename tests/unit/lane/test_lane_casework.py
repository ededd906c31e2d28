"""The case under way: revisions, digests, what is recorded with what, and what never leaves by MQTT."""

import json
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from lane_kit import HASH, MRZ_LINE, NUMBER, SURNAME, BreakableStore, document, face, make_casework

from gate.core import events as on
from gate.core.clock import ManualClock
from gate.core.effects import CrossingOutcome
from gate.core.evidence import Evidence
from gate.core.policy import Answer, LookupFacts
from gate.lane.casework import Casework, Surroundings
from gate.lane.sightings import DocumentPictures
from gate.lane.store import OutboxRow

AROUND = Surroundings(occupancy_id="1-a-1", curtain_count=1, celsius=36.5)


@dataclass
class Desk:
    """A casework with everything that it did."""

    casework: Casework
    store: BreakableStore
    clock: ManualClock
    posted: list[on.Event]
    rows: list[OutboxRow] = field(default_factory=list)

    def bodies(self) -> list[dict[str, Any]]:
        return [json.loads(row.body) for row in self.store.waiting_events()]

    def events(self, kind: str) -> list[dict[str, Any]]:
        return [body["data"] for body in self.bodies() if body["type"] == f"tongguan.{kind}"]

    @property
    def evidence(self) -> Evidence:
        here = self.casework.crossing
        assert here is not None
        return here.evidence


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    clock = ManualClock()
    posted: list[on.Event] = []
    rows: list[OutboxRow] = []
    with BreakableStore(tmp_path / "lane.sqlite", port="p", lane="lane-1", clock=clock) as store:
        casework = make_casework(store, clock, send=rows.extend, post=posted.append)
        yield Desk(casework=casework, store=store, clock=clock, posted=posted, rows=rows)


def whole_crossing(desk: Desk) -> None:
    desk.casework.begin(placed_ns=desk.clock.monotonic_ns())
    desk.casework.judge_document(document(), ())
    desk.casework.add_pictures(DocumentPictures(ticket=1, page_jpeg=b"page", portrait_jpeg=b"portrait"))
    desk.casework.judge_face(face(), AROUND)


def test_an_honest_crossing_admits_then_clears(desk: Desk) -> None:
    whole_crossing(desk)
    assert desk.posted == [on.EntryAdmitted(), on.CrossingCleared()]
    (decided,) = desk.events("crossing.decided")
    assert (decided["decision"], decided["digest"]) == ("clear", desk.evidence.digest())


def test_every_revision_is_recorded_once_in_order_with_its_own_digest(desk: Desk) -> None:
    whole_crossing(desk)
    recorded = desk.events("evidence.recorded")
    revisions = [item["revision"] for item in recorded]
    assert revisions == sorted(set(revisions))
    assert [Evidence.from_json(item["evidence"]).digest() for item in recorded] == [item["digest"] for item in recorded]
    assert recorded[-1]["digest"] == desk.evidence.digest()


def test_what_is_recorded_is_what_is_sent(desk: Desk) -> None:
    whole_crossing(desk)
    assert desk.rows == desk.store.waiting_events()
    subjects = {body["subject"] for body in desk.bodies()}
    assert subjects == {desk.evidence.case_id}
    assert len({body["traceparent"] for body in desk.bodies()}) == 1


def test_no_name_number_or_mrz_is_in_any_event(desk: Desk) -> None:
    whole_crossing(desk)
    desk.casework.spend("r" * 32)
    desk.casework.end(CrossingOutcome.CLEARED, ())
    text = "\n".join(row.body for row in desk.store.waiting_events())
    for private in (SURNAME, NUMBER, MRZ_LINE, "ANNA", "1980-01-01", "800101"):
        assert private not in text
    assert "2040-01-01" in text, "the expiry is a finding's measure, and the words are looked for in the right place"


def test_the_picture_of_the_chip_is_evidence_of_its_own_kind_that_verdicts_name(desk: Desk) -> None:
    desk.casework.begin(placed_ns=desk.clock.monotonic_ns())
    desk.casework.judge_document(document(), ())
    before = desk.evidence.digest()
    desk.casework.add_pictures(
        DocumentPictures(ticket=1, page_jpeg=b"page", portrait_jpeg=b"portrait", chip_jpeg=b"from the chip")
    )
    attached = {item.kind: item for item in desk.evidence.attachments}
    assert attached.keys() == {"private", "page", "portrait", "chip"}
    assert attached["chip"].media_type == "image/jpeg"
    waiting = {item.sha256: item.data for item in desk.store.waiting_pictures(limit=10)}
    assert waiting[attached["chip"].sha256] == b"from the chip"
    assert desk.evidence.digest() != before
    assert desk.events("evidence.recorded")[-1]["digest"] == desk.evidence.digest()


def test_the_private_part_and_the_pictures_go_to_the_evidence_store_by_digest(desk: Desk) -> None:
    whole_crossing(desk)
    attached = {item.kind: item.sha256 for item in desk.evidence.attachments}
    assert attached.keys() == {"private", "page", "portrait", "live"}
    waiting = {item.sha256: item for item in desk.store.waiting_pictures(limit=10)}
    assert set(attached.values()) == waiting.keys()
    private = json.loads(waiting[attached["private"]].data)
    assert private["traveller"]["surname"] == SURNAME
    assert private["mrz_lines"][0] == MRZ_LINE
    assert {item.case_id for item in waiting.values()} == {desk.evidence.case_id}


def test_new_evidence_after_the_decision_asks_the_roles_again_but_not_the_machine(desk: Desk) -> None:
    desk.casework.begin()
    desk.casework.judge_document(document(), ())
    desk.casework.judge_face(face(), AROUND)
    desk.casework.add_pictures(DocumentPictures(ticket=1, page_jpeg=b"late page", portrait_jpeg=None))
    digests = [item["digest"] for item in desk.events("crossing.decided")]
    assert len(digests) == 2
    assert digests[-1] == desk.evidence.digest()
    assert desk.posted.count(on.CrossingCleared()) == 1


def test_a_document_and_a_face_are_judged_once(desk: Desk) -> None:
    desk.casework.begin()
    for _ in range(2):
        desk.casework.judge_document(document(), ())
    for _ in range(2):
        desk.casework.judge_face(face(), AROUND)
    assert desk.posted == [on.EntryAdmitted(), on.CrossingCleared()]


def test_what_comes_when_there_is_no_crossing_is_nothing(desk: Desk) -> None:
    desk.casework.judge_document(document(), ())
    desk.casework.judge_face(face(), AROUND)
    desk.casework.add_pictures(DocumentPictures(ticket=1, page_jpeg=b"x", portrait_jpeg=None))
    desk.casework.end(CrossingOutcome.CLEARED, ())
    assert desk.bodies() == []
    assert desk.store.waiting_pictures() == []


def test_a_lookup_that_hits_denies_and_says_why(desk: Desk) -> None:
    desk.casework.begin()
    desk.casework.judge_document(document(), (LookupFacts(name="watchlist", answer=Answer.HIT, role="border"),))
    assert desk.posted == [on.EntryDenied(reasons=("lookup.watchlist",))]
    assert desk.events("entry.decided")[0] == {
        "case_id": desk.evidence.case_id,
        "is_admitted": False,
        "reasons": ["lookup.watchlist"],
    }


@pytest.mark.parametrize(
    ("outcome", "around", "code"),
    [
        (face(score=0.1), AROUND, "face.match"),
        (face(score=None), AROUND, "face.match"),
        (face(person_count=2), AROUND, "occupancy.one_person"),
        (face(), Surroundings(occupancy_id="1-a-1", curtain_count=None, celsius=None), "occupancy.one_person"),
    ],
)
def test_what_is_not_known_to_be_fine_refers(desk: Desk, outcome: Any, around: Surroundings, code: str) -> None:
    desk.casework.begin()
    desk.casework.judge_document(document(), ())
    desk.casework.judge_face(outcome, around)
    assert desk.posted[-1] == on.CrossingReferred(reasons=(code,), roles=("border",))


def test_every_measure_carries_its_model_and_threshold(desk: Desk) -> None:
    whole_crossing(desk)
    (match,) = (item for item in desk.evidence.findings if item.code == "face.match")
    assert (match.measured, match.threshold, match.model_hash) == (0.9, 0.4, HASH)


def test_the_machines_reasons_become_findings_once(desk: Desk) -> None:
    whole_crossing(desk)
    desk.casework.add_reasons(("decision.late", "face.match"), "1-a-1")
    revision = desk.evidence.revision
    desk.casework.add_reasons(("decision.late",), "1-a-1")
    assert desk.evidence.revision == revision
    codes = [item.code for item in desk.evidence.findings]
    assert codes.count("lane.decision.late") == 1
    assert "lane.face.match" not in codes, "that is a finding already"
    assert desk.events("crossing.decided")[-1]["decision"] == "refer"


def test_somebody_found_at_the_start_gets_a_case_of_their_own(desk: Desk) -> None:
    desk.casework.add_reasons(("start.person_inside",), "2-b-1")
    assert desk.evidence.occupancy_id == "2-b-1"
    assert [item.code for item in desk.evidence.findings] == ["lane.start.person_inside"]
    assert desk.events("crossing.started")[0]["case_id"] == desk.evidence.case_id


def test_spending_writes_the_opening_with_it(desk: Desk) -> None:
    whole_crossing(desk)
    desk.casework.spend("r" * 32)
    spent, opened = desk.bodies()[-2:]
    assert spent["type"] == "tongguan.release.spent"
    assert (opened["data"]["door"], opened["data"]["release_id"]) == ("exit", "r" * 32)
    assert desk.store.is_spent("r" * 32)


def test_the_end_is_told_and_the_template_is_wiped(desk: Desk) -> None:
    whole_crossing(desk)
    here = desk.casework.crossing
    assert here is not None
    reference = here.reference
    assert reference is not None
    assert reference.any()
    desk.clock.advance_ms(7_500)
    desk.casework.end(CrossingOutcome.SENT_BACK, ("face.match", "face.match"))
    (ended,) = desk.events("crossing.ended")
    assert (ended["outcome"], ended["reasons"], ended["duration_ms"]) == ("sent_back", ["face.match"], 7_500)
    assert not reference.any()
    assert desk.casework.crossing is None
    assert desk.store.open_case is None


def test_a_full_disk_keeps_no_template_and_the_end_is_told_when_there_is_room(desk: Desk) -> None:
    whole_crossing(desk)
    here = desk.casework.crossing
    assert here is not None
    reference, case_id = here.reference, here.case_id
    desk.store.is_full = True
    with pytest.raises(sqlite3.OperationalError):
        desk.casework.end(CrossingOutcome.CLEARED, ())
    assert reference is not None
    assert not reference.any()
    desk.store.is_full = False
    desk.casework.begin()
    (ended,) = desk.events("crossing.ended")
    assert (ended["case_id"], ended["outcome"], ended["reasons"]) == (case_id, "interrupted", ["lane.not_recorded"])


def test_a_restart_ends_the_crossing_that_was_under_way_once(desk: Desk) -> None:
    desk.casework.begin()
    case_id = desk.evidence.case_id
    again = make_casework(desk.store, desk.clock)
    again.close_interrupted()
    again.close_interrupted()
    assert [item["case_id"] for item in desk.events("crossing.ended")] == [case_id]
    assert desk.events("crossing.ended")[0]["outcome"] == "interrupted"
