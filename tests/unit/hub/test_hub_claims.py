"""Claims: two officers of one role are never at work on one case without knowing it."""

from typing import Any

import pytest
from api_kit import Api
from hub_kit import FakeLane, finding

from gate.core.clock import ManualClock
from gate.hub.claims import LIFETIME_MS, Claim, ClaimBook, Claimed
from gate.hub.service import Hub
from gate.wire.messages import CaseChanged

CASE = "case-1"


@pytest.fixture
def case(hub: Hub, lane: FakeLane) -> None:
    hub.take_in([lane.start(CASE), lane.record(finding())])


@pytest.fixture
def said(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The cases of which the hub says on the wire that something is new."""
    heard: list[str] = []

    def cases(changed: tuple[CaseChanged, ...]) -> None:
        heard.extend(item.case_id for item in changed)

    monkeypatch.setattr(hub._teller, "cases", cases)
    return heard


def claim(api: Api, who: str, **body: object) -> Any:
    return api.call("PUT", f"/cases/{CASE}/claim", who, json=body)


def listed(api: Api, who: str) -> dict[str, Any]:
    page: dict[str, Any] = api.call("GET", "/cases?status=open", who).json()
    claims: dict[str, Any] = page["cases"][0]["claims"]
    return claims


@pytest.mark.usefixtures("case")
def test_a_claim_is_seen_by_every_role_and_told_once(hub: Hub, api: Api, said: list[str]) -> None:
    assert claim(api, "ann").status_code == 200
    wanted = {"customs": {"user": "ann", "name": "Ann", "since_ms": hub.clock.utc_ms()}}
    assert claim(api, "ann").json() == {"claims": wanted, "before": None}
    assert listed(api, "ben") == wanted
    assert said == [CASE], "repeating a claim is no news"


@pytest.mark.usefixtures("case")
def test_a_colleague_takes_a_case_over_only_knowingly(api: Api, said: list[str]) -> None:
    claim(api, "ann")
    refused = claim(api, "max", role="customs")
    assert (refused.status_code, refused.json()["type"]) == (409, "urn:tongguan:problem:claimed")
    assert listed(api, "ben")["customs"]["user"] == "ann"
    taken = claim(api, "max", role="customs", is_knowing=True).json()
    assert (taken["before"], taken["claims"]["customs"]["user"]) == ("Ann", "max")
    assert claim(api, "ann").status_code == 409, "who lost it hears of it"
    assert said == [CASE, CASE]


@pytest.mark.usefixtures("case")
def test_roles_do_not_stand_in_each_others_way(api: Api) -> None:
    assert claim(api, "ann").status_code == 200
    assert claim(api, "ben").json()["claims"].keys() == {"customs", "quarantine"}


@pytest.mark.usefixtures("case")
def test_letting_go_is_for_the_one_who_has_it(api: Api, said: list[str]) -> None:
    claim(api, "ann")
    assert api.call("DELETE", f"/cases/{CASE}/claim?role=customs", "max").json()["claims"].keys() == {"customs"}
    assert api.call("DELETE", f"/cases/{CASE}/claim", "ann").json()["claims"] == {}
    assert said == [CASE, CASE]


@pytest.mark.usefixtures("case")
def test_only_a_role_of_the_case_claims_and_only_a_case_that_is_open(hub: Hub, api: Api, lane: FakeLane) -> None:
    assert claim(api, "sue").status_code == 403
    assert claim(api, "ann", role="quarantine").status_code == 403
    assert api.call("PUT", "/cases/no-such/claim", "ann", json={}).status_code == 404
    hub.take_in([lane.end()])
    assert claim(api, "ann").json()["type"] == "urn:tongguan:problem:closed"


def test_a_screen_that_fell_silent_lets_go() -> None:
    clock = ManualClock()
    book = ClaimBook(clock)
    assert isinstance(book.take(case_id="a", role="customs", user="ann"), Claimed)
    clock.advance_ms(LIFETIME_MS - 1)
    assert isinstance(book.take(case_id="a", role="customs", user="max"), Claim)
    first = book.take(case_id="a", role="customs", user="ann")
    assert isinstance(first, Claimed)
    assert not first.is_news
    assert first.claim.since_ms == clock.utc_ms() - (LIFETIME_MS - 1), "repeating it does not make it younger"
    clock.advance_ms(LIFETIME_MS)
    assert book.all() == {}
    taken = book.take(case_id="a", role="customs", user="max")
    assert isinstance(taken, Claimed)
    assert (taken.is_news, taken.before) == (True, None)
