"""What officers do together over the API: take back, refuse and force by two, open a bag once."""

import json
from typing import Any

import pytest
from api_kit import Api
from hub_kit import FakeLane
from sqlalchemy import select, update

from gate.core.clock import ManualClock
from gate.core.joint_release import CONSENT_WINDOW_MS
from gate.hub.audit.check import check_log
from gate.hub.schema import AUDIT, CASE_WORDS, COMMANDS
from gate.wire.messages import Act


@pytest.fixture
def digest(api: Api, lane: FakeLane) -> str:
    """A case ``c1`` that the lane referred to everybody."""
    api.hub.take_in([lane.start("c1"), lane.record(), lane.decide("refer")])
    return lane.evidence.digest()


def say(api: Api, who: str, kind: str, digest: str, **more: Any) -> Any:
    return api.call("POST", "/cases/c1/verdicts", who, json={"kind": kind, "evidence_digest": digest, **more})


def problem(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json()["type"].rpartition(":")[2]


def commands(api: Api) -> list[Any]:
    with api.hub.store.read() as connection:
        return list(connection.execute(select(COMMANDS).order_by(COMMANDS.c.seq)))


def audited(api: Api, kind: str) -> list[dict[str, Any]]:
    with api.hub.store.read() as connection:
        query = select(AUDIT.c.body).where(AUDIT.c.kind == kind).order_by(AUDIT.c.number)
        return [json.loads(body) for body in connection.scalars(query)]


def test_a_word_is_taken_back_until_the_release_has_gone_out(api: Api, digest: str) -> None:
    say(api, "ann", "released_by_officer", digest)
    back = api.call("POST", "/cases/c1/take-back", "ann", json={"evidence_digest": digest, "reason": "one more look"})
    assert back.json()["verdicts"]["customs"]["kind"] == "pending"
    assert say(api, "ben", "released_by_officer", digest).json()["status"] == "open"
    assert say(api, "ann", "released_by_officer", digest).json()["status"] == "released"
    late = api.call("POST", "/cases/c1/take-back", "ann", json={"evidence_digest": digest})
    assert problem(late) == (409, "already_released")


def test_what_an_officer_took_back_no_rule_gives_again(api: Api, lane: FakeLane) -> None:
    api.hub.take_in([lane.start("c1"), lane.record()])
    digest = lane.evidence.digest()
    api.call("POST", "/cases/c1/take-back", "ann", json={"evidence_digest": digest})
    api.hub.take_in([lane.decide("clear")])
    seen = api.call("GET", "/cases/c1", "ann").json()
    assert (seen["status"], seen["verdicts"]["customs"]["kind"]) == ("open", "pending")
    assert seen["verdicts"]["quarantine"]["kind"] == "released_by_rule"


def test_the_same_press_that_comes_twice_counts_once(api: Api, digest: str) -> None:
    press = {"request_id": "press-0001"}
    first = say(api, "ann", "hold", digest, **press).json()
    say(api, "max", "released_by_officer", digest, role="customs")
    again = say(api, "ann", "hold", digest, **press).json()
    assert first["verdicts"]["customs"]["kind"] == "hold"
    assert again["verdicts"]["customs"] == {
        **again["verdicts"]["customs"],
        "kind": "released_by_officer",
        "author": "max",
        "number": 2,
    }


def test_nobody_overrules_a_colleague_whose_word_they_have_not_seen(api: Api, digest: str) -> None:
    say(api, "ann", "hold", digest)
    unseen = say(api, "max", "released_by_officer", digest, role="customs", seen_number=0)
    assert problem(unseen) == (409, "colleague_spoke")
    number = api.call("GET", "/cases/c1", "max").json()["verdicts"]["customs"]["number"]
    assert say(api, "max", "released_by_officer", digest, role="customs", seen_number=number).status_code == 200


def test_it_takes_two_officers_within_the_time_to_refuse(api: Api, digest: str, clock: ManualClock) -> None:
    assert say(api, "ann", "refuse", digest).json()["refused_by"] is None
    assert say(api, "ann", "refuse", digest).json()["refused_by"] is None
    clock.advance_ms(CONSENT_WINDOW_MS + 1)
    assert say(api, "ben", "refuse", digest).json()["refused_by"] is None
    assert commands(api) == []
    refused = say(api, "max", "refuse", digest, role="customs").json()
    assert refused["refused_by"] == ["ben", "max"]
    (sent,) = commands(api)
    assert (sent.act, sent.author, sent.also_by) == ("send_back", "max", "ben")
    for who in ("ann", "ben"):
        assert problem(say(api, who, "released_by_officer", digest)) in ((409, "refused"), (409, "sent_back"))


def test_new_evidence_does_not_undo_a_refusal(api: Api, lane: FakeLane, digest: str, clock: ManualClock) -> None:
    say(api, "ann", "refuse", digest)
    say(api, "ben", "refuse", digest)
    clock.advance_ms(60_000)
    api.hub.tick()  # the lane never answered: the command is written off
    api.hub.take_in([lane.record(), lane.decide("clear")])
    newer = lane.evidence.digest()
    assert problem(say(api, "ann", "released_by_officer", newer)) == (409, "refused")
    assert [row.act for row in commands(api)] == ["send_back"]
    assert api.call("POST", "/cases/c1/send-back", "ann", json={}).status_code == 200


def force(api: Api, who: str, digest: str, **more: Any) -> Any:
    body = {"evidence_digest": digest, "reason": "trapped", **more}
    return api.call("POST", "/cases/c1/force-open", who, json=body)


def test_two_different_officers_force_the_exit_and_never_a_second_time(api: Api, digest: str, lane: FakeLane) -> None:
    assert force(api, "sue", digest).json()["state"] == "waiting"
    assert force(api, "sue", digest).json()["state"] == "waiting"
    sent = force(api, "ann", digest).json()
    assert (sent["state"], sent["officers"]) == ("sent", ["sue", "ann"])
    (row,) = commands(api)
    assert (row.act, row.author, row.also_by, row.evidence_digest) == ("force_open", "ann", "sue", digest)
    assert problem(force(api, "ben", digest)) == (409, "already_released")
    assert problem(say(api, "ann", "released_by_officer", digest)) == (409, "already_released")
    api.hub.take_in([lane.ack(row.jti), lane.spend(row.jti)])
    seen = api.call("GET", "/cases/c1", "ann").json()
    assert (seen["status"], seen["release"]["release_id"]) == ("released", row.jti)
    assert [row.state for row in commands(api)] == ["spent"]
    (issued,) = audited(api, "command.issued")
    assert issued["data"]["also_by"] == "sue"
    assert issued["data"]["basis"]["rules_sha256"]


def test_a_consent_is_to_what_both_see_now(api: Api, lane: FakeLane, digest: str, clock: ManualClock) -> None:
    force(api, "sue", digest)
    clock.advance_ms(CONSENT_WINDOW_MS + 1)
    assert force(api, "ann", digest).json()["state"] == "waiting"
    api.hub.take_in([lane.record()])
    assert problem(force(api, "ben", digest)) == (409, "stale_evidence")
    assert force(api, "ben", lane.evidence.digest()).json()["state"] == "waiting"
    assert commands(api) == []
    assert problem(
        api.call("POST", "/cases/none/force-open", "ann", json={"evidence_digest": digest, "reason": "r"})
    ) == (
        404,
        "unknown_case",
    )


def test_nobody_is_forced_out_of_a_lane_where_nobody_is(api: Api, lane: FakeLane) -> None:
    api.hub.take_in([lane.start("c1"), lane.record(inside=False)])
    assert problem(force(api, "ann", lane.evidence.digest())) == (409, "nobody_inside")


class Bag:
    """One appointment over the API."""

    def __init__(self, api: Api, digest: str, who: str = "ann") -> None:
        self.api = api
        self.digest = digest
        made = api.call("POST", "/cases/c1/inspections", who, json={"evidence_digest": digest})
        assert made.status_code == 201
        self.id = made.json()["inspection_id"]

    def act(self, who: str, act: str, **more: Any) -> Any:
        body = {"act": act, "evidence_digest": self.digest, **more}
        return self.api.call("POST", f"/cases/c1/inspections/{self.id}", who, json=body)


def test_a_bag_is_opened_once_with_everybody_there_and_the_record_is_evidence(api: Api, digest: str) -> None:
    say(api, "ben", "released_by_officer", digest)
    bag = Bag(api, digest)
    assert problem(say(api, "ann", "released_by_officer", digest)) == (409, "inspection_open")
    assert problem(bag.act("ann", "start")) == (409, "not_all_present")
    assert problem(api.call("POST", "/cases/c1/inspections", "ben", json={"evidence_digest": digest})) == (
        409,
        "inspection_open",
    )
    assert bag.act("ben", "join").json()["present"] == {"customs": "ann", "quarantine": "ben"}
    assert bag.act("ann", "start").json()["state"] == "started"
    assert problem(bag.act("ann", "cancel")) == (409, "already_started")
    bag.act("ann", "result", outcome="nothing_found", detail="two cameras, receipts shown")
    over = bag.act("ben", "result", outcome="nothing_found").json()
    assert over["state"] == "finished"
    seen = api.call("GET", "/cases/c1", "ann").json()
    assert seen["evidence_digest"] != digest
    assert [item["is_current"] for item in seen["verdicts"].values()] == [False, False]
    assert problem(say(api, "ann", "released_by_officer", digest)) == (409, "stale_evidence")
    say(api, "ann", "released_by_officer", seen["evidence_digest"])
    assert say(api, "ben", "released_by_officer", seen["evidence_digest"]).json()["status"] == "released"
    (row,) = commands(api)
    assert (row.act, row.evidence_digest) == (Act.RELEASE.value, digest)  # the lane knows its own evidence only
    assert [item["data"]["act"] for item in audited(api, "inspection.word")] == [
        "propose",
        "join",
        "start",
        "result",
        "result",
    ]


def test_after_an_inspection_no_rule_speaks_for_those_who_were_there(api: Api, lane: FakeLane) -> None:
    api.hub.take_in([lane.start("c1"), lane.record()])
    digest = lane.evidence.digest()
    bag = Bag(api, digest)
    bag.act("ben", "join")
    bag.act("ben", "start")
    api.hub.take_in([lane.decide("clear")])
    assert commands(api) == []
    for who in ("ann", "ben"):
        bag.act(who, "result", outcome="found", detail="x")
    assert commands(api) == []


def test_one_person_does_not_stand_for_two_roles(api: Api, digest: str) -> None:
    made = api.call("POST", "/cases/c1/inspections", "max", json={"evidence_digest": digest, "role": "customs"})
    path = f"/cases/c1/inspections/{made.json()['inspection_id']}"
    joined = api.call("POST", path, "max", json={"act": "join", "evidence_digest": digest, "role": "quarantine"})
    assert problem(joined) == (409, "one_role_only")
    border = api.call("POST", path, "bo", json={"act": "join", "evidence_digest": digest})
    assert problem(border) == (403, "not_asked")
    other = api.call(
        "POST", f"/cases/c1/inspections/{'0' * 16}", "ben", json={"act": "join", "evidence_digest": digest}
    )
    assert problem(other) == (404, "no_inspection")


def test_an_appointment_about_older_evidence_is_no_longer_in_the_way(api: Api, lane: FakeLane, digest: str) -> None:
    bag = Bag(api, digest)
    api.hub.take_in([lane.record(), lane.decide("refer")])
    newer = lane.evidence.digest()
    assert problem(bag.act("ben", "join")) == (409, "stale_evidence")
    assert api.call("GET", "/cases/c1", "ann").json()["is_inspection_open"] is False
    Bag(api, newer, "ben")
    assert api.call("GET", "/cases/c1", "ann").json()["is_inspection_open"] is True


def test_an_appointment_can_be_left_and_called_off(api: Api, digest: str) -> None:
    bag = Bag(api, digest)
    assert bag.act("ben", "join").json()["present"]["quarantine"] == "ben"
    assert bag.act("ben", "leave").json()["present"] == {"customs": "ann"}
    assert problem(bag.act("ben", "cancel")) == (409, "not_present")
    assert bag.act("ann", "cancel").json()["state"] == "cancelled"
    assert problem(bag.act("ann", "join")) == (409, "over")
    say(api, "ann", "released_by_officer", digest)
    assert say(api, "ben", "released_by_officer", digest).json()["status"] == "released"


def test_the_projection_with_all_this_is_made_again_the_same(api: Api, digest: str) -> None:
    bag = Bag(api, digest)
    bag.act("ben", "join")
    force_refused = force(api, "sue", digest)
    assert problem(force_refused) == (409, "inspection_open")
    bag.act("ann", "cancel")
    force(api, "sue", digest)
    before = api.call("GET", "/cases/c1", "ann").json()
    api.hub.rebuild()
    assert api.call("GET", "/cases/c1", "ann").json() == before


def test_every_look_is_recorded_before_it_is_shown(api: Api, digest: str) -> None:
    api.call("GET", "/cases/c1", "bo")
    (look,) = audited(api, "case.seen")
    assert (look["who"], look["case_id"], look["data"]) == (
        "bo",
        "c1",
        {"evidence_digest": digest, "shown": ["findings"]},
    )
    api.call("GET", "/cases/none", "bo")
    assert len(audited(api, "case.seen")) == 1


def test_the_log_agrees_with_everything_that_was_done(api: Api, digest: str, lane: FakeLane) -> None:
    bag = Bag(api, digest)
    bag.act("ben", "join")
    bag.act("ann", "cancel")
    say(api, "ann", "hold", digest)
    force(api, "sue", digest)
    force(api, "ann", digest)
    (row,) = commands(api)
    api.hub.take_in([lane.ack(row.jti), lane.spend(row.jti), lane.end("released_by_officer")])

    def problems() -> list[str]:
        with api.hub.store.snapshot() as connection:
            report = check_log(connection, keys={})
        assert report.recorded == {"case_words": 5, "commands": 1, "events": 5, "verdicts": 1}
        return report.problems

    assert problems() == []
    with api.hub.store.write() as connection:
        connection.execute(update(CASE_WORDS).where(CASE_WORDS.c.number == 4).values(author="eve"))
        connection.execute(update(COMMANDS).values(also_by="eve"))
    word, command = problems()
    assert "case_words" in word
    assert row.jti in command
