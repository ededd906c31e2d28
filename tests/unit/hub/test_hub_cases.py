"""Cases: what is released by rule, what waits for officers, and what is never released."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hub_kit import FakeLane, finding, make_hub, make_site
from sqlalchemy import select

from gate.core.clock import ManualClock
from gate.core.joint_release import VerdictKind
from gate.hub.rows import case_body
from gate.hub.schema import CASES, COMMANDS, EVENTS, LANES
from gate.hub.service import Hub
from gate.wire.messages import Act, EventType
from gate.wire.signing import CommandVerifier, VerifiedCommand, Verifier

from hub_kit import HUB_KEY  # isort: skip


@pytest.fixture
def lane(clock: ManualClock) -> FakeLane:
    return FakeLane(clock)


def case(hub: Hub, case_id: str = "c1") -> dict[str, Any]:
    with hub.store.read() as connection:
        body = case_body(connection, case_id)
    assert body is not None
    return body


def releases(hub: Hub) -> list[Any]:
    with hub.store.read() as connection:
        return list(connection.execute(select(COMMANDS).where(COMMANDS.c.act == "release").order_by(COMMANDS.c.seq)))


def release_by_hand(hub: Hub, role: str, digest: str) -> str | None:
    refused = hub.give_verdict(
        case_id="c1", role=role, kind=VerdictKind.RELEASED_BY_OFFICER, digest=digest, author="ann", reason=""
    )
    return refused.reason if refused else None


def test_a_clear_case_is_released_by_rule_with_a_command_a_lane_accepts(hub: Hub, lane: FakeLane) -> None:
    hub.take_in([lane.start("c1"), lane.record(finding(is_fine=True)), lane.decide()])
    body = case(hub)
    assert body["status"] == "released"
    assert {item["kind"] for item in body["verdicts"].values()} == {"released_by_rule"}
    (row,) = releases(hub)
    verifier = CommandVerifier(
        Verifier.trusting(HUB_KEY.public()), address="p/lane-1", clock=hub.clock, last_seq=0, remember=lambda _: None
    )
    command = verifier.verify(row.token)
    assert isinstance(command, VerifiedCommand)
    assert command.release is not None
    assert command.release.evidence_digest == lane.evidence.digest() == body["evidence_digest"]
    assert command.release.occupancy_id == "stay-1"
    assert body["release"]["release_id"] == command.release.release_id


def test_nobody_is_released_before_they_are_inside(hub: Hub, lane: FakeLane) -> None:
    hub.take_in([lane.start("c1"), lane.record(finding(is_fine=True), inside=False), lane.decide()])
    assert case(hub)["status"] == "open"
    assert releases(hub) == []


def test_nobody_is_released_before_the_lane_has_decided_on_this_evidence(hub: Hub, lane: FakeLane) -> None:
    hub.take_in([lane.start("c1"), lane.record()])
    digest = lane.evidence.digest()
    assert [release_by_hand(hub, role, digest) for role in ("customs", "quarantine")] == [None, None]
    assert releases(hub) == []
    hub.take_in([lane.decide("refer", roles=("customs",))])
    assert len(releases(hub)) == 1


def test_a_finding_in_the_way_is_its_roles_to_release_even_when_the_lane_says_clear(hub: Hub, lane: FakeLane) -> None:
    hub.take_in([lane.start("c1"), lane.record(finding("declaration.goods", "customs")), lane.decide("clear")])
    body = case(hub)
    assert body["verdicts"]["customs"]["kind"] == "pending"
    assert body["verdicts"]["quarantine"]["kind"] == "released_by_rule"
    assert releases(hub) == []
    assert release_by_hand(hub, "customs", body["evidence_digest"]) is None
    assert len(releases(hub)) == 1


def test_a_referral_to_a_role_that_is_not_always_required_requires_it(hub: Hub, lane: FakeLane) -> None:
    hub.take_in([lane.start("c1"), lane.record(finding("face.no_match", "border")), lane.decide("refer")])
    assert case(hub)["required_roles"] == ["border", "customs", "quarantine"]
    assert case(hub)["verdicts"]["border"]["kind"] == "pending"
    assert releases(hub) == []


@pytest.mark.parametrize("roles", [(), ("police",)])
def test_a_referral_to_nobody_we_know_is_everybodys(hub: Hub, lane: FakeLane, roles: tuple[str, ...]) -> None:
    hub.take_in([lane.start("c1"), lane.record(), lane.decide("refer", roles=roles)])
    assert {item["kind"] for item in case(hub)["verdicts"].values()} == {"pending"}


def test_new_evidence_makes_every_verdict_a_thing_of_the_past(hub: Hub, lane: FakeLane) -> None:
    hub.take_in([lane.start("c1"), lane.record(), lane.decide("refer")])
    old = lane.evidence.digest()
    assert release_by_hand(hub, "customs", old) is None
    hub.take_in([lane.record(finding("temperature.high", "quarantine")), lane.decide("refer", roles=("quarantine",))])
    assert release_by_hand(hub, "quarantine", old) == "stale_evidence"
    assert case(hub)["verdicts"]["customs"]["kind"] == "released_by_rule"
    assert release_by_hand(hub, "quarantine", lane.evidence.digest()) is None
    assert len(releases(hub)) == 1


def test_what_an_officer_held_no_rule_lets_go(hub: Hub, lane: FakeLane) -> None:
    hub.take_in([lane.start("c1"), lane.record()])
    hold = {"case_id": "c1", "kind": VerdictKind.HOLD, "author": "ann", "reason": "look again"}
    assert hub.give_verdict(role="customs", digest=lane.evidence.digest(), **hold) is None
    hub.take_in([lane.record(finding(is_fine=True)), lane.decide("clear")])
    verdict = case(hub)["verdicts"]["customs"]
    assert (verdict["kind"], verdict["is_current"]) == ("hold", False)
    assert releases(hub) == []
    assert release_by_hand(hub, "customs", lane.evidence.digest()) is None
    assert len(releases(hub)) == 1


def test_evidence_that_does_not_have_its_digest_is_kept_but_not_believed(hub: Hub, lane: FakeLane) -> None:
    hub.take_in([lane.start("c1"), lane.record(finding(is_fine=True))])
    forged = lane.evidence.extended().to_json() | {"findings": []}
    data = {"case_id": "c1", "revision": 2, "digest": lane.evidence.extended().digest(), "evidence": forged}
    hub.take_in([lane.say(EventType.EVIDENCE_RECORDED, data), lane.decide("clear")])
    body = case(hub)
    assert body["revision"] == 1
    assert releases(hub) == []
    assert "evidence.refused" in [line["what"] for line in body["history"]]
    with hub.store.read() as connection:
        assert len(connection.execute(select(EVENTS.c.id)).all()) == 4


def test_two_truths_of_one_revision_release_nobody(hub: Hub, lane: FakeLane) -> None:
    hub.take_in([lane.start("c1")])
    before = lane.evidence
    first = lane.record(finding(is_fine=True))
    decided = lane.decide("clear")
    lane.evidence = before
    second = lane.record(finding("face.no_match", is_fine=True))
    hub.take_in([first, second, decided, lane.decide("clear")])
    assert releases(hub) == []
    assert case(hub)["status"] == "open"


def test_no_officer_releases_what_is_not_to_be_believed(hub: Hub, lane: FakeLane) -> None:
    hub.take_in([lane.start("c1"), lane.record(), lane.decide("refer")])
    later = {"case_id": "c1", "revision": 9, "digest": "0" * 64, "evidence": {}}
    hub.take_in([lane.say(EventType.EVIDENCE_RECORDED, later)])
    assert [release_by_hand(hub, role, lane.evidence.digest()) for role in ("customs", "quarantine")] == [None, None]
    assert releases(hub) == []


def test_no_officer_releases_whom_nobody_counted_in(hub: Hub, lane: FakeLane) -> None:
    hub.take_in([lane.start("c1"), lane.record(inside=False), lane.decide("refer")])
    assert [release_by_hand(hub, role, lane.evidence.digest()) for role in ("customs", "quarantine")] == [None, None]
    assert releases(hub) == []


def test_no_rule_releases_who_is_being_sent_back(hub: Hub, lane: FakeLane) -> None:
    hub.take_in([lane.start("c1"), lane.record(finding("x.y", "customs")), lane.decide("refer")])
    hub.send_back(case_id="c1", author="ann", reason="")
    hub.take_in([lane.record(finding("x.z", is_fine=True), attachments=())])
    lane.evidence = replace(lane.evidence, findings=(), revision=lane.evidence.revision + 1)
    data = {"case_id": "c1", "revision": 3, "digest": lane.evidence.digest(), "evidence": lane.evidence.to_json()}
    hub.take_in([lane.say(EventType.EVIDENCE_RECORDED, data), lane.decide("clear")])
    assert {item["kind"] for item in case(hub)["verdicts"].values()} == {"released_by_rule"}
    assert releases(hub) == []


def test_another_lane_cannot_speak_about_a_case(hub: Hub, lane: FakeLane, clock: ManualClock) -> None:
    hub.take_in([lane.start("c1"), lane.record(finding("face.no_match", "customs")), lane.decide("refer")])
    before = case(hub)
    other = FakeLane(clock, "lane-2")
    hub.take_in([other.start("c1"), other.record(finding(is_fine=True)), other.decide("clear")])
    assert case(hub) == before
    assert releases(hub) == []


def test_a_release_is_issued_once_however_often_events_come(hub: Hub, lane: FakeLane) -> None:
    messages = [lane.start("c1"), lane.record(finding(is_fine=True)), lane.decide()]
    hub.take_in(messages)
    hub.take_in(messages + messages)
    hub.take_in([lane.record(finding("gate.note", is_fine=True)), lane.decide()])
    assert len(releases(hub)) == 1
    assert release_by_hand(hub, "customs", lane.evidence.digest()) == "already_released"


def test_a_release_that_ran_out_untaken_is_given_once_more_by_hand_only(
    hub: Hub, lane: FakeLane, clock: ManualClock
) -> None:
    hub.take_in([lane.start("c1"), lane.record(finding(is_fine=True)), lane.decide()])
    digest = lane.evidence.digest()
    clock.advance_ms(14_999)  # 10 s of life and 5 s by which the lane's clock may lag
    hub.tick()
    assert release_by_hand(hub, "customs", digest) == "already_released"
    clock.advance_ms(2)
    hub.tick()
    assert case(hub)["status"] == "open"
    assert case(hub)["release"] is None
    hub.take_in([lane.decide("clear")])
    assert len(releases(hub)) == 1
    assert release_by_hand(hub, "customs", digest) is None
    first, second = releases(hub)
    assert second.seq > first.seq
    assert first.expires_ms + 5_000 <= second.issued_ms
    clock.advance_ms(15_001)
    hub.tick()
    assert release_by_hand(hub, "customs", digest) == "already_released"


def test_a_release_that_a_lane_took_is_never_given_again(hub: Hub, lane: FakeLane, clock: ManualClock) -> None:
    hub.take_in([lane.start("c1"), lane.record(finding(is_fine=True)), lane.decide()])
    hub.take_in([lane.ack(releases(hub)[0].jti)])
    clock.advance_ms(60_000)
    hub.tick()
    assert case(hub)["status"] == "released"
    assert release_by_hand(hub, "customs", lane.evidence.digest()) == "already_released"


def test_a_refused_release_may_be_given_again_by_hand(hub: Hub, lane: FakeLane) -> None:
    hub.take_in([lane.start("c1"), lane.record(finding(is_fine=True)), lane.decide()])
    hub.take_in([lane.ack(releases(hub)[0].jti, "refused", "not_ready")])
    assert case(hub)["status"] == "open"
    assert release_by_hand(hub, "customs", lane.evidence.digest()) is None
    assert len(releases(hub)) == 2


def test_a_lanes_refusal_of_a_repeated_command_says_nothing_about_the_first(hub: Hub, lane: FakeLane) -> None:
    hub.take_in([lane.start("c1"), lane.record(finding(is_fine=True)), lane.decide()])
    hub.take_in([lane.ack(releases(hub)[0].jti, "refused", "replayed")])
    assert case(hub)["status"] == "released"


def test_another_lane_cannot_refuse_a_command(hub: Hub, lane: FakeLane, clock: ManualClock) -> None:
    hub.take_in([lane.start("c1"), lane.record(finding(is_fine=True)), lane.decide()])
    hub.take_in([FakeLane(clock, "lane-2").ack(releases(hub)[0].jti, "refused", "no")])
    assert case(hub)["status"] == "released"


def test_an_old_decision_is_not_acted_upon(hub: Hub, lane: FakeLane, clock: ManualClock) -> None:
    messages = [lane.start("c1"), lane.record(finding(is_fine=True)), lane.decide()]
    clock.advance_ms(hub.site.policy.inside_limit_ms + 1)
    hub.take_in(messages)
    assert releases(hub) == []


def test_who_is_sent_back_is_not_released_and_the_other_way_round(hub: Hub, lane: FakeLane) -> None:
    hub.take_in([lane.start("c1"), lane.record(), lane.decide("refer")])
    assert isinstance(hub.send_back(case_id="c1", author="ann", reason="wrong passport"), str)
    assert release_by_hand(hub, "customs", lane.evidence.digest()) == "sent_back"
    hub.take_in([lane.start("c2"), lane.record(finding(is_fine=True)), lane.decide()])
    refused = hub.send_back(case_id="c2", author="ann", reason="")
    assert not isinstance(refused, str)
    assert refused.reason == "already_released"


def test_a_closed_case_takes_no_verdict(hub: Hub, lane: FakeLane) -> None:
    hub.take_in([lane.start("c1"), lane.record(), lane.decide("refer"), lane.end("sent_back")])
    assert (case(hub)["status"], case(hub)["outcome"]) == ("closed", "sent_back")
    assert release_by_hand(hub, "customs", lane.evidence.digest()) == "closed"


def test_projections_can_be_made_again(hub: Hub, lane: FakeLane, clock: ManualClock) -> None:
    hub.take_in([lane.say(EventType.LANE_STARTED, {"boot_id": "b", "software_version": "1"})])
    hub.take_in([lane.start("c1"), lane.record(finding(is_fine=True)), lane.decide()])
    hub.take_in([lane.spend(releases(hub)[0].jti), lane.end()])
    hub.take_in([lane.start("c2"), lane.record(finding("x.y", "customs")), lane.decide("refer")])
    hub.take_in([FakeLane(clock, "lane-2").start("c3")])
    clock.advance_ms(20_000)
    hub.tick()

    def rows() -> list[Any]:
        with hub.store.read() as connection:
            cases = connection.execute(select(CASES).order_by(CASES.c.case_id)).all()
            return [*cases, *connection.execute(select(LANES).order_by(LANES.c.lane)).all()]

    before = rows()
    assert len(before) == 5
    hub.rebuild()
    assert rows() == before
    assert len(releases(hub)) == 1


def test_in_gate_mode_the_lanes_own_word_is_enough_unless_it_refers(tmp_path: Path, clock: ManualClock) -> None:
    hub = make_hub(make_site(tmp_path / "gate", policy={"mode": "gate"}), clock)
    hub.store.migrate()
    lane = FakeLane(clock)
    hub.take_in([lane.start("c1"), lane.record(finding(is_fine=True)), lane.decide()])
    assert len(releases(hub)) == 1
    hub.take_in([lane.start("c2"), lane.record(finding("x.y", "quarantine")), lane.decide("refer")])
    assert case(hub, "c2")["required_roles"] == ["quarantine"]
    assert len(releases(hub)) == 1
    hub.stop()


def test_commands_are_numbered_upwards(hub: Hub, clock: ManualClock) -> None:
    for _ in range(3):
        hub.command_lane(lane="lane-1", act=Act.ACKNOWLEDGE, author="ann")
    clock.jump_utc_ms(-60_000)
    hub.command_lane(lane="lane-2", act=Act.ACKNOWLEDGE, author="ann")
    with hub.store.read() as connection:
        rows = connection.execute(select(COMMANDS.c.seq, COMMANDS.c.lane).order_by(COMMANDS.c.seq)).all()
    assert [row.lane for row in rows] == ["lane-1"] * 3 + ["lane-2"]
    assert len({row.seq for row in rows}) == 4


def test_a_case_holds_no_name(hub: Hub, lane: FakeLane) -> None:
    hub.take_in([lane.start("c1"), lane.record(), lane.decide()])
    assert "surname" not in json.dumps(case(hub))
