"""Whatever the hub answers, or does not, is a value."""

import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from gate.console.hub_client import Done, HubClient, LinkLost, Picture, Refusal
from gate.console.hub_models import Case, CasePage, Login, VerdictKind
from gate.wire.messages import Act

CASE: dict[str, Any] = {"case_id": "c1", "lane": "lane-1", "status": "open", "opened_ms": 5, "from_the_future": True}


class Recorder:
    """A hub made of one answer; ``requests`` is what it was asked."""

    def __init__(self, answer: Callable[[httpx.Request], httpx.Response]) -> None:
        self._answer = answer
        self.requests: list[httpx.Request] = []
        self.client = HubClient("http://hub.test/", transport=httpx.MockTransport(self._handle))

    def _handle(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        return self._answer(request)


def answering(status: int, body: Any, **more: Any) -> Recorder:
    return Recorder(lambda _: httpx.Response(status, json=body, **more))


async def test_a_case_is_read_and_unknown_keys_are_passed_over() -> None:
    hub = answering(200, CASE)
    assert await hub.client.case("t", "c1") == Case(case_id="c1", lane="lane-1", status="open", opened_ms=5)
    assert hub.requests[0].headers["authorization"] == "Bearer t"
    assert hub.requests[0].url.path == "/api/v1/cases/c1"
    await hub.client.close()


async def test_a_traveller_field_that_was_not_read_is_empty() -> None:
    hub = answering(200, CASE | {"traveller": {"surname": None, "given_names": "ANNA"}})
    case = await hub.client.case("t", "c1")
    assert isinstance(case, Case)
    assert case.traveller is not None
    assert (case.traveller.surname, case.traveller.given_names) == ("", "ANNA")
    await hub.client.close()


async def test_a_verdict_names_the_evidence_that_was_seen() -> None:
    hub = answering(200, CASE)
    await hub.client.give_verdict("t", "c1", kind=VerdictKind.RELEASE, evidence_digest="d" * 64, role="customs")
    sent = json.loads(hub.requests[0].content)
    assert len(sent.pop("request_id")) == 16
    assert sent == {
        "kind": "released_by_officer",
        "evidence_digest": "d" * 64,
        "reason": "",
        "role": "customs",
    }
    await hub.client.close()


async def test_a_verdict_names_the_colleagues_word_that_was_on_the_screen() -> None:
    hub = answering(200, CASE)
    verdict = {"kind": "hold", "number": 4, "is_current": True}
    case = Case.model_validate(CASE | {"verdicts": {"customs": verdict}})
    assert (case.word_number("customs"), case.word_number("border")) == (4, None)
    await hub.client.give_verdict(
        "t",
        "c1",
        kind=VerdictKind.RELEASE,
        evidence_digest="d" * 64,
        role="customs",
        seen_number=case.word_number("customs"),
    )
    assert json.loads(hub.requests[0].content)["seen_number"] == 4
    await hub.client.close()


async def test_a_problem_document_becomes_a_refusal_with_its_kind() -> None:
    problem = {
        "type": "urn:tongguan:problem:stale_evidence",
        "title": "Conflict",
        "status": 409,
        "detail": "it changed",
    }
    hub = answering(409, problem)
    assert await hub.client.case("t", "c1") == Refusal(status=409, kind="stale_evidence", detail="it changed")
    await hub.client.close()


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b"\xff"])
async def test_a_refusal_without_a_problem_document_is_a_refusal(body: bytes) -> None:
    hub = Recorder(lambda _: httpx.Response(401, content=body))
    answer = await hub.client.cases("t", status="open")
    assert isinstance(answer, Refusal)
    assert answer.is_session_over
    await hub.client.close()


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'{"case_id": 7}', b'{"cases": 1}'])
async def test_an_answer_that_does_not_fit_is_a_lost_link(body: bytes) -> None:
    hub = Recorder(lambda _: httpx.Response(200, content=body))
    assert isinstance(await hub.client.case("t", "c1"), LinkLost)
    assert isinstance(await hub.client.login("u", "p"), LinkLost)
    await hub.client.close()


async def test_a_hub_in_trouble_or_silent_is_a_lost_link() -> None:
    def silence(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectTimeout("no answer", request=request)

    for hub in (Recorder(silence), answering(503, {"title": "starting"})):
        assert isinstance(await hub.client.statistics("t"), LinkLost)
        assert isinstance(await hub.client.command("t", "lane-1", Act.ACKNOWLEDGE), LinkLost)
        await hub.client.close()


async def test_pages_logins_commands_and_pictures_are_read() -> None:
    hub = answering(200, {"cases": [CASE], "next": "5~c1"})
    page = await hub.client.cases("t", status="open")
    assert isinstance(page, CasePage)
    assert [case.case_id for case in page.cases] == ["c1"]
    await hub.client.close()

    hub = answering(200, {"token": "t", "user": "li", "name": "Li", "roles": ["customs"], "expires_ms": 9})
    assert isinstance(await hub.client.login("li", "p"), Login)
    await hub.client.close()

    hub = answering(202, {"command_id": "x"})
    assert await hub.client.send_back("t", "c1", reason="r") == Done()
    await hub.client.close()

    hub = Recorder(lambda _: httpx.Response(200, content=b"jpeg", headers={"content-type": "image/jpeg"}))
    assert await hub.client.picture("t", "a" * 64) == Picture(content=b"jpeg", media_type="image/jpeg")
    await hub.client.close()
