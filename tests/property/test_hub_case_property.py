"""Whatever the order: one projection, never two releases, never a release on anything but what every role released."""

import itertools
import random
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from config.loader import parse_site
from gate.core.clock import ManualClock
from gate.core.evidence import Evidence, Finding, Outcome, Stage
from gate.core.joint_release import Verdict, VerdictKind
from gate.hub.believe import stored_event
from gate.hub.cases import fold_case
from gate.hub.heard import Incoming
from gate.hub.records import StoredEvent
from gate.hub.rules import RoleRule, SiteRules
from gate.hub.schema import CASES, COMMANDS
from gate.hub.service import Hub
from gate.wire.messages import (
    CloudEvent,
    CrossingDecided,
    CrossingEnded,
    CrossingOutcome,
    EventType,
    EvidenceRecorded,
    Message,
    new_event_id,
    utc,
)
from gate.wire.signing import SigningKey

ROLES = ("customs", "quarantine")
RULES = SiteRules(
    mode="joint", roles=tuple(RoleRule(role=role, is_required=True, releases_by_rule=True) for role in ROLES)
)
NOW_MS = 1_767_225_600_000


def evidence(case_id: str, revision: int, blamed: Sequence[str]) -> Evidence:
    findings = tuple(
        Finding(code=f"check.{role}", outcome=Outcome.REFER, stage=Stage.EXIT, role=role) for role in blamed
    )
    return Evidence(port="p", lane="l", case_id=case_id, revision=revision, occupancy_id="stay", findings=findings)


def recorded(item: Evidence) -> EvidenceRecorded:
    return EvidenceRecorded(case_id=item.case_id, revision=item.revision, digest=item.digest(), evidence=item.to_json())


def decided(item: Evidence, decision: Any, roles: Sequence[str] = ()) -> CrossingDecided:
    return CrossingDecided(case_id=item.case_id, decision=decision, reasons=[], roles=list(roles), digest=item.digest())


TYPES: dict[type[Message], EventType] = {
    EvidenceRecorded: EventType.EVIDENCE_RECORDED,
    CrossingDecided: EventType.CROSSING_DECIDED,
    CrossingEnded: EventType.CROSSING_ENDED,
}


def stored(number: int, data: Message) -> StoredEvent:
    return stored_event(
        port="p",
        lane="l",
        event_id=f"{number:032x}",
        sequence=number,
        event_type=TYPES[type(data)],
        at_ms=NOW_MS + number,
        data=data,
    )


_facts = st.lists(
    st.tuples(
        st.sampled_from(["evidence", "decided", "verdict", "ended"]),
        st.integers(0, 2),
        st.sampled_from(ROLES),
        st.sampled_from(["clear", "refer"]),
        st.sampled_from([VerdictKind.RELEASED_BY_OFFICER, VerdictKind.HOLD]),
    ),
    min_size=1,
    max_size=5,
)


@given(facts=_facts, blamed=st.lists(st.sets(st.sampled_from(ROLES)), min_size=3, max_size=3))
@settings(max_examples=40, deadline=None)
def test_every_order_of_up_to_five_facts_makes_the_same_case(facts: list[Any], blamed: list[set[str]]) -> None:
    revisions = [evidence("c", number, sorted(roles)) for number, roles in enumerate(blamed)]
    events: list[StoredEvent] = [stored(1, recorded(revisions[0]))]
    verdicts: list[Verdict] = []
    for number, (kind, revision, role, decision, verdict) in enumerate(facts, start=2):
        item = revisions[revision]
        if kind == "evidence":
            events.append(stored(number, recorded(item)))
        elif kind == "decided":
            events.append(stored(number, decided(item, decision, [role] if decision == "refer" else [])))
        elif kind == "ended":
            ended = CrossingEnded(case_id="c", outcome=CrossingOutcome.CLEARED, reasons=[], duration_ms=1)
            events.append(stored(number, ended))
        else:
            verdicts.append(
                Verdict(
                    role=role,
                    kind=verdict,
                    evidence_digest=item.digest(),
                    author="ann",
                    at_ms=NOW_MS + number,
                    number=number,
                )
            )

    def fold(some_events: Sequence[StoredEvent], some_verdicts: Sequence[Verdict]) -> tuple[Any, bool]:
        view = fold_case(
            port="p", lane="l", case_id="c", events=some_events, verdicts=some_verdicts, commands=(), rules=RULES
        )
        return view.to_json(), view.may_release

    expected = fold(events, verdicts)
    for order in itertools.permutations(range(len(events) + len(verdicts))):
        chosen = [(events + verdicts)[index] for index in order]  # type: ignore[operator]
        assert expected == fold(
            [item for item in chosen if isinstance(item, StoredEvent)],
            [item for item in chosen if isinstance(item, Verdict)],
        )


class Port:
    """A hub on a database in memory; every example is another case of it."""

    def __init__(self, folder: Path) -> None:
        lane = {
            "id": "l",
            "board": {"port": "/dev/none"},
            "face_camera": {"kind": "folder", "source": "x"},
            "document_camera": {"kind": "folder", "source": "x"},
        }
        roles = [{"id": role, "title": role, "title_zh": role, "colour": "#000000"} for role in ROLES]
        site = parse_site(
            {
                "port": {"id": "p", "title": "P"},
                "state_dir": str(folder),
                "hub": {"database_url": "sqlite://"},
                "role": roles,
                "lane": [lane],
            },
            origin="test",
        )
        self.clock = ManualClock(utc_ms=NOW_MS)
        key = SigningKey.generate()
        self.hub = Hub(site, key, {"l": key.public()}, self.clock)
        self.hub.store.migrate()
        self.cases = 0
        self.sequence = 0

    def message(self, data: Message) -> Incoming:
        self.sequence += 1
        event = CloudEvent(
            id=new_event_id(),
            source="/p/l",
            type=TYPES[type(data)],
            time=utc(self.clock.utc_ms()),
            sequence=self.sequence,
            data=data.model_dump(mode="json"),
        )
        return Incoming(topic="tongguan/v1/p/l/event", payload=event.model_dump_json().encode(), arrived_ns=0)

    def releases(self, case_id: str) -> list[Any]:
        query = select(COMMANDS).where(COMMANDS.c.case_id == case_id, COMMANDS.c.act == "release")
        with self.hub.store.read() as connection:
            return list(connection.execute(query.order_by(COMMANDS.c.seq)))

    def rows(self) -> list[Any]:
        with self.hub.store.read() as connection:
            return list(connection.execute(select(CASES).order_by(CASES.c.case_id)))


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Port]:
    made = Port(tmp_path_factory.mktemp("port"))
    yield made
    made.hub.stop()


class Witness:
    """Notes what the hub was told and judges each release by it, without the hub's own code."""

    def __init__(self) -> None:
        self.known: dict[int, Evidence] = {}
        self.decisions: dict[str, set[str]] = {}
        self.verdicts: dict[str, tuple[str, bool]] = {}

    def may_open(self, digest: str) -> bool:
        newest = self.known[max(self.known)]
        if digest != newest.digest() or digest not in self.decisions:
            return False
        blamed = {finding.role for finding in newest.findings}
        for role in ROLES:
            spoken = self.verdicts.get(role)
            is_by_rule = role not in blamed and (self.decisions[digest] == {"clear"} or bool(blamed))
            if spoken is not None and (spoken[0] == digest or not spoken[1]):
                if not (spoken[0] == digest and spoken[1]):
                    return False
            elif not is_by_rule:
                return False
        return True


def play(port: Port, blamed: Sequence[Sequence[str]], decisions: Sequence[str], order: Sequence[int]) -> int:
    """Tell the hub these facts in this order, some twice, and check after each; how many releases there were."""
    port.cases += 1
    case_id = f"c{port.cases}"
    items = [evidence(case_id, number, roles) for number, roles in enumerate(blamed)]
    steps: list[Any] = [recorded(item) for item in items]
    steps += [decided(item, decision) for item, decision in zip(items, decisions, strict=True)]
    steps += [("customs", items[-1], True), ("quarantine", items[-1], True), ("customs", items[0], False)]
    witness = Witness()
    judged = 0
    for index in order:
        step = steps[index]
        if isinstance(step, tuple):
            role, item, is_release = step
            kind = VerdictKind.RELEASED_BY_OFFICER if is_release else VerdictKind.HOLD
            refused = port.hub.give_verdict(
                case_id=case_id, role=role, kind=kind, digest=item.digest(), author="ann", reason=""
            )
            if refused is None:
                witness.verdicts[role] = (item.digest(), is_release)
        else:
            if isinstance(step, EvidenceRecorded):
                witness.known[step.revision] = items[step.revision]
            else:
                witness.decisions.setdefault(step.digest, set()).add(step.decision)
            message = port.message(step)
            port.hub.take_in([message, message])
        found = port.releases(case_id)
        assert len(found) <= 1
        if len(found) > judged:
            assert witness.may_open(found[0].evidence_digest)
            judged = 1
    return judged


def test_every_order_of_five_facts_releases_at_most_once_and_only_what_all_released(port: Port) -> None:
    # evidence 0 and 1, a decision on 1, and both officers on 1: indices into the steps of `play`
    released = [
        play(port, [["customs"], ["quarantine"]], ["clear", "refer"], order)
        for order in itertools.permutations([0, 1, 3, 4, 5])
    ]
    assert 0 < sum(released) < len(released)


@given(
    blamed=st.lists(st.lists(st.sampled_from(ROLES), max_size=2, unique=True), min_size=2, max_size=2),
    decisions=st.lists(st.sampled_from(["clear", "refer"]), min_size=2, max_size=2),
    order=st.lists(st.integers(0, 6), min_size=1, max_size=9),
)
@settings(max_examples=60, deadline=None)
def test_no_history_releases_twice_or_on_mixed_evidence(
    port: Port, blamed: list[list[str]], decisions: list[str], order: list[int]
) -> None:
    play(port, blamed, decisions, order)


def test_the_projections_are_what_the_rows_say_in_any_order(port: Port) -> None:
    shuffled = random.Random(1)
    for _ in range(10):
        play(port, [["customs"], []], ["refer", "clear"], shuffled.sample(range(7), 7))
    before = port.rows()
    assert len(before) >= 10
    port.hub.rebuild()
    assert port.rows() == before
