"""The HTTP API: who may do what, and what each answer holds."""

import hashlib
import json
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from api_kit import OFFICERS, Api
from hub_kit import HUB_KEY, LANE_KEYS, PASSWORD, FakeLane, finding, make_hub, make_site

from gate.core.clock import ManualClock
from gate.core.evidence import Attachment
from gate.hub.accounts import ATTEMPTS_ON_ACCOUNT, Session
from gate.hub.api import MAX_BODY_BYTES
from gate.hub.audit.notes import open_note, read_checkpoint
from gate.hub.audit.witness import objection_to_proof
from gate.hub.routers.access import csrf_token_of
from gate.wire.signing import make_lane_bearer

SHA = "a" * 64
CUSTOMS_GOODS = {"goods": ["two cameras"], "is_nothing_to_declare": False}


def attachment(data: bytes, kind: str, media_type: str) -> Attachment:
    return Attachment(kind=kind, sha256=hashlib.sha256(data).hexdigest(), media_type=media_type)


PRIVATE = json.dumps(
    {
        "traveller": {
            "surname": "MUSTER",
            "given_names": "ANNA",
            "document_code": "P",
            "document_number": "C01X",
            "issuer": "UTO",
            "nationality": "UTO",
            "birth_date": "1990-01-01",
            "sex": "F",
            "expiry_date": "2030-01-01",
        },
        "mrz_lines": [],
    }
).encode()


def test_every_endpoint_asks_who_is_there(api: Api) -> None:
    """Nobody, rubbish, a lane where an officer is asked and an officer where a lane is: never let in."""
    verdict = {"kind": "hold", "evidence_digest": SHA}
    officers_only: list[tuple[str, str, Any]] = [
        ("POST", "/logout", None),
        ("GET", "/me", None),
        ("GET", f"/evidence/{SHA}", None),
        ("POST", "/declarations", {"document_number": "1", "issuer": "UTO"}),
        ("PUT", "/watchlist", {"entries": []}),
        ("GET", "/cases", None),
        ("GET", "/cases/c1", None),
        ("POST", "/cases/c1/verdicts", verdict),
        ("POST", "/cases/c1/send-back", {"reason": ""}),
        ("POST", "/cases/c1/take-back", {"evidence_digest": SHA}),
        ("POST", "/cases/c1/force-open", {"evidence_digest": SHA, "reason": "r"}),
        ("POST", "/cases/c1/inspections", {"evidence_digest": SHA}),
        ("POST", f"/cases/c1/inspections/{'b' * 16}", {"evidence_digest": SHA, "act": "join"}),
        ("GET", "/cases/c1/marks", None),
        ("POST", "/cases/c1/marks", {"picture": SHA, "kind": "point", "x": 1, "y": 1}),
        ("DELETE", f"/cases/c1/marks/{'d' * 32}", None),
        ("GET", "/cases/c1/last-scan", None),
        ("GET", "/lanes", None),
        ("POST", "/lanes/lane-1/commands", {"act": "acknowledge"}),
        ("GET", "/statistics", None),
    ]
    request = {"case_id": "c", "document_number": "1", "issuer": "UTO", "nationality": "UTO", "birth_date": "x"}
    lanes_only: list[tuple[str, str, Any]] = [("PUT", f"/evidence/{SHA}", None), ("POST", "/lookups", request)]
    open_to_all = {
        ("POST", "/api/v1/login"),
        ("GET", "/api/v1/site"),
        ("GET", "/api/v1/flow/service-times"),
        ("GET", "/api/v1/oidc/login"),
        ("GET", "/api/v1/oidc/callback"),
    }
    for method, path, body in officers_only + lanes_only:
        wrong = "lane-1" if (method, path, body) in officers_only else "ann"
        extra = {"X-Case-Id": "c1", "Content-Type": "image/png"} if "evidence" in path else {}
        for headers in ({}, {"Authorization": "Bearer x"}, {"Authorization": "Basic eDp5"}, api.headers(wrong)):
            answer = api.call(method, path, json=body, headers=headers | extra)
            assert answer.status_code == 401, (method, path, headers)
            assert answer.headers["content-type"] == "application/problem+json"
            assert answer.json()["type"] == "urn:tongguan:problem:unauthenticated"
    paths = api.http.get("/api/v1/openapi.json").json()["paths"]
    known = {(method.upper(), path) for path, item in paths.items() for method in item if path.startswith("/api/v1/")}
    asked = {
        (
            method,
            "/api/v1"
            + path.replace(SHA, "{sha256}")
            .replace("b" * 16, "{inspection_id}")
            .replace("d" * 32, "{mark_id}")
            .replace("/c1", "/{case_id}")
            .replace("/lane-1", "/{lane}"),
        )
        for method, path, _ in officers_only + lanes_only
    }
    assert known >= asked | open_to_all
    for method, template in known - asked - open_to_all:
        path = re.sub(r"\{[^}]+\}", "c1", template.removeprefix("/api/v1"))
        for headers in ({}, {"Authorization": "Bearer x"}):
            assert api.call(method, path, headers=headers).status_code == 401, (method, path)


@pytest.mark.parametrize(
    ("method", "path", "body", "allowed"),
    [
        ("GET", f"/evidence/{SHA}", None, {"ann", "ben", "max"}),
        ("POST", "/declarations", {"document_number": "1", "issuer": "UTO"}, {"ira"}),
        ("PUT", "/watchlist", {"entries": []}, {"bo", "sue"}),
        ("GET", "/cases", None, {"ann", "ben", "bo", "sue", "max"}),
        ("GET", "/cases/none", None, {"ann", "ben", "bo", "sue", "max"}),
        ("POST", "/cases/none/verdicts", {"kind": "hold", "evidence_digest": SHA}, {"ann", "ben", "bo"}),
        ("POST", "/cases/none/send-back", {"reason": ""}, {"ann", "ben", "bo", "sue", "max"}),
        ("POST", "/cases/none/take-back", {"evidence_digest": SHA}, {"ann", "ben", "bo"}),
        ("POST", "/cases/none/force-open", {"evidence_digest": SHA, "reason": "r"}, {"ann", "ben", "bo", "sue"}),
        ("POST", "/cases/none/inspections", {"evidence_digest": SHA}, {"ann", "ben", "bo"}),
        ("GET", "/lanes", None, {"ann", "ben", "bo", "sue", "max"}),
        ("POST", "/lanes/lane-1/commands", {"act": "acknowledge"}, {"bo", "sue"}),
        ("GET", "/statistics", None, {"ann", "ben", "bo", "sue", "max"}),
    ],
)
def test_each_role_may_do_its_own_things_only(api: Api, method: str, path: str, body: Any, allowed: set[str]) -> None:
    answered = {who: api.call(method, path, who, json=body).status_code for who in OFFICERS}
    refused = {who for who, status in answered.items() if status == 403}
    if path.endswith(("verdicts", "take-back", "force-open", "inspections")):
        assert answered.pop("max") == 422  # has two roles and must say which
        refused.discard("max")
    assert refused == set(answered) - allowed


def test_a_session_ends_by_logout_by_time_and_with_its_account(api: Api, clock: ManualClock) -> None:
    assert api.call("GET", "/me", "ann").json() == {
        "user": "ann",
        "name": "Ann",
        "roles": ["customs"],
        "token": None,
        "expires_ms": clock.utc_ms() + 60 * 60_000,
        "csrf_token": csrf_token_of(api.tokens["ann"]),
    }
    assert api.call("POST", "/logout", "ann").status_code == 204
    assert api.call("GET", "/me", "ann").status_code == 401
    assert api.call("GET", "/me", "ben").status_code == 200
    clock.advance_ms(60 * 60_000)
    assert api.call("GET", "/me", "ben").status_code == 401
    assert api.call("GET", "/me", "bo").status_code == 200
    api.hub.accounts.remove("bo")
    assert api.call("GET", "/me", "bo").status_code == 401


def test_guessing_passwords_is_slowed_down(api: Api, clock: ManualClock) -> None:
    def attempt(user: str, password: str) -> Any:
        return api.http.post("/api/v1/login", json={"user": user, "password": password})

    unknown, wrong = attempt("nobody", "x"), attempt("ann", "x")
    assert (unknown.status_code, unknown.json()) == (wrong.status_code, wrong.json()) == (401, wrong.json())
    for _ in range(4):
        attempt("ann", "x")
    locked = attempt("ann", PASSWORD)
    assert locked.status_code == 429
    assert locked.headers["retry-after"] == "60"
    assert attempt("ben", PASSWORD).status_code == 200
    clock.advance_ms(60_000)
    assert attempt("ann", PASSWORD).status_code == 200


def test_no_answer_repeats_a_password(api: Api) -> None:
    answer = api.http.post("/api/v1/login", json={"user": 7, "password": "hunter2hunter2", "more": "hunter2"})
    assert answer.status_code == 422
    assert "hunter2" not in answer.text


def test_evidence_is_kept_by_its_digest(api: Api) -> None:
    picture = b"\xff\xd8picture"
    assert api.put_evidence(picture, "image/jpeg", "c1").status_code == 201
    assert api.put_evidence(picture, "image/jpeg", "c1").status_code == 200
    got = api.call("GET", f"/evidence/{hashlib.sha256(picture).hexdigest()}", "ann")
    assert (got.content, got.headers["content-type"], got.headers["cache-control"]) == (
        picture,
        "image/jpeg",
        "private, no-store",
    )
    headers = {"X-Case-Id": "c1", "Content-Type": "image/jpeg"}
    wrong = api.call("PUT", f"/evidence/{SHA}", "lane-1", content=picture, headers=headers)
    assert (wrong.status_code, wrong.json()["type"]) == (422, "urn:tongguan:problem:wrong_digest")
    assert api.call("GET", f"/evidence/{SHA}", "ann").status_code == 404
    assert api.put_evidence(b"x" * (MAX_BODY_BYTES + 1), "image/jpeg", "c1").status_code == 413
    assert api.put_evidence(b"<script>", "text/html", "c1").status_code == 415

    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(9):
            yield b"x" * 1024 * 1024

    sent = api.call("PUT", f"/evidence/{SHA}", "lane-1", content=chunks(), headers=headers)
    assert sent.status_code == 413


def test_damaged_evidence_is_not_shown(api: Api) -> None:
    picture = b"picture"
    api.put_evidence(picture, "image/png", "c1")
    sha256 = hashlib.sha256(picture).hexdigest()
    (api.hub.site.state_dir / "evidence" / sha256[:2] / sha256).write_bytes(b"another")
    assert api.call("GET", f"/evidence/{sha256}", "ann").status_code == 404


def test_a_lane_cannot_add_to_another_lanes_case(api: Api, lane: FakeLane) -> None:
    api.hub.take_in([lane.start("c1")])
    assert api.put_evidence(b"x", "image/png", "c1", "lane-2").status_code == 403


def test_a_case_shows_each_role_what_it_may_see(api: Api, lane: FakeLane) -> None:
    picture = b"page"
    attachments = (attachment(picture, "page", "image/jpeg"), attachment(PRIVATE, "private", "application/json"))
    api.hub.take_in(
        [lane.start("c1"), lane.record(finding("x.y", "customs"), attachments=attachments), lane.decide("refer")]
    )
    before = api.call("GET", "/cases/c1", "ann").json()
    assert before["traveller"] is None
    assert [item["is_available"] for item in before["attachments"]] == [False, False]
    api.put_evidence(picture, "image/jpeg", "c1")
    api.put_evidence(PRIVATE, "application/json", "c1")
    body = {"document_number": "c01x<", "issuer": "UTO", "customs": CUSTOMS_GOODS, "health": None}
    assert api.call("POST", "/declarations", "ira", json=body).status_code == 201
    seen = api.call("GET", "/cases/c1", "ann").json()
    assert seen["traveller"]["surname"] == "MUSTER"
    assert seen["declaration"] == {"customs": CUSTOMS_GOODS, "health": None}
    assert [item["is_available"] for item in seen["attachments"]] == [True, True]
    assert seen["waiting_since_ms"] == api.hub.clock.utc_ms()
    border = api.call("GET", "/cases/c1", "bo").json()
    assert (border["traveller"], border["declaration"], border["attachments"]) == (None, None, [])
    assert [item["code"] for item in border["findings"]] == ["x.y"]
    private = api.call("GET", f"/evidence/{attachments[1].sha256}", "bo")
    assert private.status_code == 403
    listed = api.call("GET", "/cases", "ann").json()["cases"]
    assert "MUSTER" not in json.dumps(listed)


def test_two_officers_release_one_case_together(api: Api, lane: FakeLane) -> None:
    api.hub.take_in([lane.start("c1"), lane.record(), lane.decide("refer")])
    verdict = {"kind": "released_by_officer", "evidence_digest": lane.evidence.digest(), "reason": "looked"}
    first = api.call("POST", "/cases/c1/verdicts", "ann", json=verdict).json()
    assert (first["status"], first["release"]) == ("open", None)
    assert first["verdicts"]["customs"]["author"] == "ann"
    assert api.call("POST", "/cases/c1/verdicts", "bo", json=verdict).status_code == 403
    wrong = api.call("POST", "/cases/c1/verdicts", "ben", json=verdict | {"evidence_digest": SHA})
    assert (wrong.status_code, wrong.json()["type"]) == (409, "urn:tongguan:problem:stale_evidence")
    second = api.call("POST", "/cases/c1/verdicts", "ben", json=verdict).json()
    assert second["status"] == "released"
    assert second["release"]["issued_ms"] == api.hub.clock.utc_ms()
    again = api.call("POST", "/cases/c1/verdicts", "ann", json=verdict)
    assert (again.status_code, again.json()["type"]) == (409, "urn:tongguan:problem:already_released")
    assert api.call("POST", "/cases/none/verdicts", "ann", json=verdict).status_code == 404
    api.hub.take_in([lane.end("released_by_officer")])
    over = api.call("POST", "/cases/c1/verdicts", "ann", json=verdict)
    assert (over.status_code, over.json()["type"]) == (409, "urn:tongguan:problem:closed")


def test_an_officer_of_two_roles_says_for_which(api: Api, lane: FakeLane) -> None:
    api.hub.take_in([lane.start("c1"), lane.record(), lane.decide("refer")])
    verdict = {"kind": "released_by_officer", "evidence_digest": lane.evidence.digest()}
    assert api.call("POST", "/cases/c1/verdicts", "max", json=verdict | {"role": "border"}).status_code == 403
    assert api.call("POST", "/cases/c1/verdicts", "max", json=verdict | {"role": "customs"}).status_code == 200
    assert api.call("POST", "/cases/c1/verdicts", "ann", json=verdict | {"kind": "pending"}).status_code == 422
    assert api.call("POST", "/cases/c1/verdicts", "ann", json=verdict | {"kind": "released_by_rule"}).status_code == 422


def test_look_ups(api: Api) -> None:
    def ask() -> dict[str, tuple[bool, str, str]]:
        body = {"case_id": "c1", "document_number": "C01X", "issuer": "UTO", "nationality": "UTO", "birth_date": "1990"}
        results = api.call("POST", "/lookups", "lane-1", json=body).json()["results"]
        return {item["name"]: (item["is_hit"], item["role"], item["detail"]) for item in results}

    assert ask() == {
        "watchlist": (False, "border", ""),
        "customs_declaration": (False, "customs", "none on file"),
        "health_declaration": (False, "quarantine", "none on file"),
    }
    api.call(
        "PUT", "/watchlist", "bo", json={"entries": [{"document_number": "c 01x", "issuer": "UTO", "reason": "r"}]}
    )
    health = {"symptoms": ["cough"], "countries": []}
    declared = {"document_number": "C01X", "issuer": "UTO", "customs": CUSTOMS_GOODS, "health": health}
    api.call("POST", "/declarations", "ira", json=declared)
    assert ask() == {
        "watchlist": (True, "border", "documents: this document: r"),
        "customs_declaration": (True, "customs", "two cameras"),
        "health_declaration": (True, "quarantine", "cough"),
    }
    nothing = {"goods": [], "is_nothing_to_declare": True}
    api.call("POST", "/declarations", "ira", json=declared | {"customs": nothing, "health": None})
    api.call("PUT", "/watchlist", "bo", json={"entries": [{"document_number": "C01X", "issuer": "XXO", "reason": "r"}]})
    assert {name: hit for name, (hit, *_) in ask().items()} == {
        "watchlist": False,
        "customs_declaration": False,
        "health_declaration": False,
    }


def test_an_expired_or_borrowed_lane_token_is_refused(api: Api, clock: ManualClock) -> None:
    body = {"case_id": "c1", "document_number": "1", "issuer": "UTO", "nationality": "UTO", "birth_date": "1990"}

    def ask(token: str) -> int:
        status: int = api.call("POST", "/lookups", json=body, headers={"Authorization": f"Bearer {token}"}).status_code
        return status

    assert ask(make_lane_bearer(LANE_KEYS["lane-1"], address="p/lane-2", clock=clock)) == 401
    assert ask(make_lane_bearer(HUB_KEY, address="p/lane-1", clock=clock)) == 401
    own = make_lane_bearer(LANE_KEYS["lane-1"], address="p/lane-1", clock=clock)
    assert ask(own) == 200
    clock.advance_ms(60_000)
    assert ask(own) == 401


def test_cases_are_listed_in_pages_newest_first(api: Api, lane: FakeLane, clock: ManualClock) -> None:
    for number in range(5):
        api.hub.take_in([lane.start(f"c{number}")])
        clock.advance_ms(number % 2)  # some opened in the same millisecond
    api.hub.take_in([lane.end("abandoned")])
    seen, after = [], ""
    while True:
        page = api.call("GET", f"/cases?status=open&limit=2{after}", "ann").json()
        seen += [item["case_id"] for item in page["cases"]]
        if page["next"] is None:
            break
        after = f"&after={page['next']}"
    assert sorted(seen) == ["c0", "c1", "c2", "c3"]
    assert seen[0] == "c3"
    closed = api.call("GET", "/cases?status=closed", "ann").json()["cases"]
    assert [item["case_id"] for item in closed] == ["c4"]
    assert api.call("GET", "/cases?after=x", "ann").status_code == 422


def test_lanes_and_statistics(api: Api, lane: FakeLane, clock: ManualClock) -> None:
    status = {"is_online": True, "boot_id": "b", "software_version": "1.2"}
    state = {"state": "ready", "step": "place_document", "lamp": "green", "since": "2026-01-01T00:00:00Z"}
    api.hub.take_in([lane.message("status", json.dumps(status)), lane.message("state", json.dumps(state))])
    one, two = api.call("GET", "/lanes", "sue").json()["lanes"]
    assert (one["lane"], one["is_online"], one["software_version"], one["seen_ms"]) == (
        "lane-1",
        True,
        "1.2",
        clock.utc_ms(),
    )
    assert one["state"]["step"] == "place_document"
    assert (two["is_online"], two["state"], two["seen_ms"]) == (False, None, None)
    assert api.call("GET", "/statistics", "sue").json()["referral_ratio"] is None
    for number, decision in enumerate(["clear", "clear", "refer"]):
        api.hub.take_in([lane.start(f"c{number}"), lane.record(), lane.decide(decision), lane.end()])
    found = api.call("GET", "/statistics", "sue").json()
    assert (found["crossings"], found["by_outcome"], found["by_lane"]) == (3, {"cleared": 3}, {"lane-1": 3})
    assert found["referral_ratio"] == pytest.approx(1 / 3)
    assert found["document_to_entry_ms_p50"] == 900.0
    assert api.call("GET", f"/statistics?since_ms={clock.utc_ms() + 1}", "sue").json()["crossings"] == 0
    assert api.call("POST", "/lanes/lane-9/commands", "sue", json={"act": "acknowledge"}).status_code == 404
    assert api.call("POST", "/lanes/lane-1/commands", "sue", json={"act": "release"}).status_code == 422


def test_health_readiness_and_metrics_say_how_it_is(api: Api, lane: FakeLane) -> None:
    assert api.http.get("/healthz").status_code == 200
    ready = api.http.get("/readyz")
    assert (ready.status_code, ready.json()) == (503, {"is_ready": False, "database": True, "broker": False})
    api.hub.take_in([lane.start("c1"), lane.message("event", "{}")])
    text = api.http.get("/metrics").text
    assert 'tongguan_hub_events_total{type="tongguan.crossing.started"} 1.0' in text
    assert 'tongguan_hub_rejected_total{reason="malformed"} 1.0' in text
    assert api.call("GET", "/site").json()["lanes"] == [
        {"id": "lane-1", "title": "lane-1"},
        {"id": "lane-2", "title": "lane-2"},
    ]
    assert api.http.get("/api/v1/nothing").headers["content-type"] == "application/problem+json"


def test_a_browser_session_is_a_cookie_that_changes_nothing_without_its_csrf_token(api: Api) -> None:
    body = {"user": "ann", "password": PASSWORD, "wants_cookie": True}
    answer = api.http.post("/api/v1/login", json=body)
    assert answer.json()["token"] is None
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=lax" in cookie
    assert "secure" not in cookie  # this hub is on loopback over http
    assert api.http.get("/api/v1/me").json()["user"] == "ann"  # the client keeps the cookie, as a browser does
    assert api.http.get("/api/v1/cases").status_code == 200
    refused = api.http.post("/api/v1/logout")
    assert (refused.status_code, refused.json()["type"]) == (403, "urn:tongguan:problem:csrf")
    assert api.http.post("/api/v1/logout", headers={"X-CSRF-Token": "0" * 64}).status_code == 403
    token = api.http.get("/api/v1/me").json()["csrf_token"]
    assert api.http.post("/api/v1/logout", headers={"X-CSRF-Token": token}).status_code == 204
    assert api.http.get("/api/v1/me").status_code == 401


def test_the_cookie_is_secure_where_the_hub_is_on_https(tmp_path: Path, clock: ManualClock) -> None:
    hub = make_hub(make_site(tmp_path, hub={"url": "https://hub.example"}), clock)
    hub.store.migrate()
    secure = Api(hub)
    answer = secure.http.post("/api/v1/login", json={"user": "ann", "password": PASSWORD, "wants_cookie": True})
    assert "; secure" in answer.headers["set-cookie"].lower()
    secure.http.close()
    hub.stop()


def test_an_account_holds_for_its_ports_only(api: Api) -> None:
    for user, ports in (("near", ["p"]), ("far", ["q"]), ("wide", ["*"])):
        api.hub.accounts.add(user=user, name=user, password=PASSWORD, roles=["customs"], ports=ports)

    def attempt(user: str) -> tuple[int, str]:
        answer = api.http.post("/api/v1/login", json={"user": user, "password": PASSWORD})
        return answer.status_code, answer.json().get("type", "").rpartition(":")[2]

    assert (attempt("near"), attempt("wide")) == ((200, ""), (200, ""))
    assert attempt("far") == (403, "other_port")


def test_guessing_one_account_from_many_addresses_is_slowed_down_too(api: Api, clock: ManualClock) -> None:
    def guess(number: int, password: str = "x") -> Any:
        return api.hub.accounts.login(user="ann", password=password, address=f"10.0.0.{number}")

    for number in range(ATTEMPTS_ON_ACCOUNT):
        assert guess(number).reason == "wrong"
    assert guess(200, PASSWORD).reason == "too_many"
    clock.advance_ms(60_000)
    assert isinstance(guess(200, PASSWORD), Session)


def test_who_came_and_who_did_not_is_recorded_without_a_password(api: Api) -> None:
    api.call("GET", "/me", "ann")
    api.http.post("/api/v1/login", json={"user": "ann", "password": "hunter2hunter2"})
    api.http.post("/api/v1/login", json={"user": "hunter2hunter2", "password": "x"})
    api.call("POST", "/logout", "ann")
    page = api.call("GET", "/audit?limit=4", "sue").json()
    bodies = [json.loads(item["body"]) for item in page["entries"]]
    assert [(item["kind"], item["who"]) for item in bodies] == [
        ("audit.seen", "sue"),
        ("login", "sue"),
        ("logout", "ann"),
        ("login.refused", "unknown"),
    ]
    older = api.call("GET", f"/audit?limit=200&after={page['next']}", "sue").json()
    assert "hunter2" not in json.dumps(older)
    kinds = [item["kind"] for item in older["entries"]]
    assert kinds[:2] == ["login.refused", "login"]
    assert set(kinds[2:]) == {"account.added"}


def test_a_supervisor_takes_checkpoints_and_proofs_of_the_log(api: Api) -> None:
    assert api.call("GET", "/audit", "ann").status_code == 403
    note = api.call("GET", "/audit/checkpoint", "sue").json()["note"]
    witness = api.hub.upkeep.witness
    size = read_checkpoint(open_note(note, witness.keys)).size
    proof = api.call("GET", f"/audit/{size - 1}/proof", "sue").json()
    (entry,) = api.call("GET", f"/audit?limit=1&after={proof['number'] + 1}", "sue").json()["entries"]
    assert objection_to_proof(proof | {"body": entry["body"]}, witness.keys) is None
    assert api.call("GET", "/audit/99999/proof", "sue").status_code == 404


def test_every_operation_of_the_document_has_a_name_and_a_model(api: Api) -> None:
    document = api.http.get("/api/v1/openapi.json").json()
    assert document["openapi"].startswith("3.1")
    operations = [item for path in document["paths"].values() for item in path.values()]
    names = [item["operationId"] for item in operations]
    assert len(set(names)) == len(names)
    assert all(re.fullmatch(r"[a-z_]+", name) for name in names), names
    for item in operations:
        assert item["responses"]["422"]["content"]["application/problem+json"]["schema"]
        for status, answer in item["responses"].items():
            schema = next(iter(answer.get("content", {}).values()), {}).get("schema")
            assert status in ("204", "302") or schema, (item["operationId"], status)
