"""The single window: one submission updates one record, what is wrong is named by line and field, receipts are signed."""

import json
from typing import Any

from api_kit import Api
from hub_kit import HUB_KEY, FakeLane
from sqlalchemy import func, select

from gate.checks.health_qr import HealthDeclaration, HealthRefusal, document_name, verify_health
from gate.checks.paxlst import Layout, write_paxlst
from gate.checks.travel_codes import load_authority_keys
from gate.core.clock import ManualClock
from gate.hub.audit.log import AuditKind
from gate.hub.schema import AUDIT
from gate.hub.window.receipts import verify_window_receipt
from gate.hub.window.schema import WINDOW_RECORDS, WINDOW_SUBMISSIONS
from gate.wire.signing import Refused, SigningKey, Verifier
from simulator.paxlst import PaxlstMaker

DOCUMENT = {"document_number": "C01X", "issuer": "UTO"}
CUSTOMS = DOCUMENT | {"is_nothing_to_declare": False, "goods": [{"description": "two cameras"}]}
HEALTH = DOCUMENT | {"has_fever": False, "had_contact": False, "symptoms": [], "countries": ["UTO"]}


def submit(api: Api, kind: str, body: Any, **headers: str) -> Any:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return api.call("POST", f"/window/{kind}", "ira", content=content, headers=headers)


def ask(api: Api, *, case_id: str = "c1", **document: str) -> dict[str, tuple[bool, str]]:
    body = {"case_id": case_id, "nationality": "UTO", "birth_date": "1990-01-01"} | DOCUMENT | document
    results = api.call("POST", "/lookups", "lane-1", json=body).json()["results"]
    return {item["name"]: (item["is_hit"], item["detail"]) for item in results}


def count(api: Api, table: Any) -> int:
    with api.hub.store.read() as connection:
        return int(connection.scalar(select(func.count()).select_from(table)) or 0)


def test_only_who_may_submit_may(api: Api) -> None:
    for who in (None, "ann", "sue", "lane-1"):
        assert api.call("POST", "/window/customs", who, json=CUSTOMS).status_code in (401, 403)
    assert count(api, WINDOW_SUBMISSIONS) == 0
    assert api.call("GET", "/lane/prefetch", "ira").status_code == 401
    assert api.call("POST", "/window/weather", "ira", json={}).status_code == 422


def test_one_submission_updates_one_record(api: Api, clock: ManualClock) -> None:
    first = submit(api, "customs", CUSTOMS)
    assert first.status_code == 201
    assert [(item["key"], item["revision"]) for item in first.json()["stored"]] == [("customs/UTO/C01X", 1)]
    clock.advance_ms(1000)
    second = submit(api, "customs", CUSTOMS | {"document_number": "c-01x <", "goods": [{"description": "a drone"}]})
    assert [(item["key"], item["revision"]) for item in second.json()["stored"]] == [("customs/UTO/C01X", 2)]
    assert count(api, WINDOW_RECORDS) == 1
    assert ask(api)["customs_declaration"] == (True, "a drone")


def test_customs_and_health_are_one_declaration_of_which_each_part_is_the_last_that_came(api: Api) -> None:
    submit(api, "customs", CUSTOMS | {"schema": "customs-1", "goods": ["two cameras"]})
    submit(api, "health", HEALTH | {"symptoms": ["cough"], "has_fever": True})
    answers = ask(api)
    assert answers["customs_declaration"] == (True, "two cameras")
    assert answers["health_declaration"] == (True, "cough, fever")
    submit(api, "customs", CUSTOMS | {"is_nothing_to_declare": True, "goods": []})
    assert ask(api)["customs_declaration"] == (False, "")
    assert ask(api)["health_declaration"] == (True, "cough, fever")


def test_what_is_wrong_is_named_by_line_and_field_and_the_rest_goes_in(api: Api) -> None:
    good = [json.dumps(CUSTOMS | {"document_number": f"C{number}"}) for number in range(8)]
    rows = [
        good[0],
        '{"document_number": "C9", "issuer": "UTO", "is_nothing_to_declare": "no"}',
        "",
        good[1],
        '{"document_number": "C9", "is_nothing_to_declare": true}',
        "{]",
        '{"document_number": "C9", "issuer": "UTO", "is_nothing_to_declare": true, "goods": [{"description": "x"}]}',
        '{"document_number": "C9", "issuer": "UTO", "is_nothing_to_declare": false, "goods": [{"value": 1}]}',
        '{"document_number": "C9", "issuer": "UTO", "is_nothing_to_declare": true, "schema": "health-1"}',
        "[]",
        *good[2:],
    ]
    answer = submit(api, "customs", "\n".join(rows).encode()).json()
    assert answer["records"] == 8
    assert answer["refused"] == 7
    assert [item["line"] for item in answer["stored"]] == [1, 4, 11, 12, 13, 14, 15, 16]
    assert [(error["line"], error["field"]) for error in answer["errors"]] == [
        (2, "is_nothing_to_declare"),
        (5, "issuer"),
        (6, ""),
        (7, "goods"),
        (8, "goods.0.currency"),
        (8, "goods.0.description"),
        (9, "schema"),
        (10, ""),
    ]


def test_an_array_is_read_with_lines_as_well(api: Api) -> None:
    text = json.dumps([CUSTOMS, {"issuer": "UTO"}, CUSTOMS | {"document_number": "D2"}], indent=1)
    answer = submit(api, "customs", text.encode()).json()
    assert answer["records"] == 2
    line = next(number for number, row in enumerate(text.splitlines(), start=1) if row == " {" and number > 2)
    assert {error["line"] for error in answer["errors"]} == {line}
    assert {error["record"] for error in answer["errors"]} == {2}
    broken = submit(api, "customs", text.encode()[:-20]).json()
    assert broken["records"] == 1
    assert "the rest of the array was not read" in broken["errors"][-1]["message"]


def test_what_is_no_submission_is_an_error_and_never_a_crash(api: Api) -> None:
    for body in (
        b"",
        b"\xff\xfe",
        b"null",
        b"[" * 5000,
        b'{"a":' * 5000,
        b"[NaN]",
        json.dumps(CUSTOMS | {"issuer": "\ud800"}).encode(),
        json.dumps(CUSTOMS | {"goods": [{"description": "a\0b"}]}).encode(),
    ):
        answer = submit(api, "customs", body)
        assert (answer.status_code, answer.json()["records"]) == (201, 0), body
        assert answer.json()["errors"], body


def test_texts_are_kept_as_they_came(api: Api) -> None:
    goods = [{"description": "a\\u0000b \u2028 王 😀"}]
    assert submit(api, "customs", CUSTOMS | {"goods": goods}).json()["records"] == 1
    with api.hub.store.read() as connection:
        body = connection.scalar(select(WINDOW_RECORDS.c.body))
    assert json.loads(str(body))["goods"] == goods


def test_every_kind_has_a_form_that_refuses(api: Api) -> None:
    late = {"destination": "JPN", "departs_at": "2026-01-01T00:00:00Z", "is_confirmed": True}
    faults: list[tuple[str, dict[str, Any], str]] = [
        ("visa", {"valid_until": "2020-01-01"}, "valid_until"),
        ("visa", {"valid_from": "0000-01-01"}, ""),
        ("transit", {"onward": late}, "onward.departs_at"),
        ("transit", {"arrives_at": "yesterday"}, "arrives_at"),
        ("reservation", {"ends_at": "2026-01-01T00:00:00Z"}, "ends_at"),
        ("parcel", {"contents": []}, "contents"),
        ("trust", {"level": "friend"}, "level"),
    ]
    for kind, change, field in faults:
        answer = submit(api, kind, EXAMPLES[kind] | change).json()
        assert (kind, answer["records"], [error["field"] for error in answer["errors"]]) == (kind, 0, [field])


EXAMPLES: dict[str, dict[str, Any]] = {
    "customs": CUSTOMS,
    "health": HEALTH,
    "visa": DOCUMENT
    | {
        "visa_number": "V1",
        "category": "L",
        "valid_from": "2026-01-01",
        "valid_until": "2026-12-31",
        "entries": 1,
        "stay_days": 30,
    },
    "transit": DOCUMENT
    | {
        "origin": "USA",
        "arrives_at": "2026-03-01T09:00:00+08:00",
        "onward": {"destination": "JPN", "departs_at": "2026-03-05T09:00:00+08:00", "is_confirmed": True},
    },
    "trust": DOCUMENT | {"level": "known", "valid_until": "2027-01-01", "authority": "GACC"},
    "reservation": DOCUMENT
    | {
        "reservation_id": "R-1",
        "occasion": "night",
        "starts_at": "2026-01-02T01:00:00Z",
        "ends_at": "2026-01-02T02:00:00Z",
        "travellers": 10,
    },
    "parcel": {
        "tracking_number": "EE123456785CN",
        "channel": "mail",
        "sender": {"name": "A", "country": "USA"},
        "recipient": {"name": "B", "country": "CHN"},
        "contents": [{"description": "books", "value": 20, "currency": "USD"}],
        "weight_kg": 1.5,
    },
}


def test_every_kind_is_taken(api: Api) -> None:
    for kind, example in EXAMPLES.items():
        answer = submit(api, kind, example).json()
        assert (kind, answer["errors"], answer["records"]) == (kind, [], 1)


def test_the_same_again_changes_nothing_and_gets_the_same_receipt(api: Api) -> None:
    first = submit(api, "customs", CUSTOMS)
    again = submit(api, "customs", CUSTOMS)
    assert (first.status_code, again.status_code) == (201, 200)
    assert again.json()["receipt"] == first.json()["receipt"]
    assert again.json()["is_repeat"]
    named = {"idempotency-key": "mine-1"}
    submit(api, "customs", CUSTOMS, **named)
    assert submit(api, "customs", CUSTOMS, **named).status_code == 200
    other = submit(api, "customs", CUSTOMS | {"goods": []}, **named)
    assert (other.status_code, other.json()["type"]) == (409, "urn:tongguan:problem:id_used")
    assert submit(api, "customs", CUSTOMS, **{"idempotency-key": "a b"}).status_code == 422


def test_a_receipt_is_signed_and_says_what_was_taken(api: Api) -> None:
    answer = submit(api, "customs", [CUSTOMS, {}])
    receipt = verify_window_receipt(Verifier.trusting(HUB_KEY.public()), answer.json()["receipt"])
    assert not isinstance(receipt, Refused)
    assert (receipt.iss, receipt.kind, receipt.source, receipt.records) == ("p/hub", "customs", "ira", 1)
    assert receipt.errors == 3
    assert "C01X" not in str(receipt)
    stranger = verify_window_receipt(Verifier.trusting(SigningKey.generate().public()), answer.json()["receipt"])
    assert stranger == Refused(reason="unknown_key")
    checked = api.call("POST", "/window/receipts/verify", "ann", json={"receipt": answer.json()["receipt"]}).json()
    assert (checked["is_genuine"], checked["claims"]["records"]) == (True, 1)
    forged = api.call("POST", "/window/receipts/verify", "ann", json={"receipt": "x.y.z"}).json()
    assert not forged["is_genuine"]


def test_what_was_submitted_is_listed_to_who_submitted_and_in_the_audit_log(api: Api) -> None:
    name = submit(api, "customs", CUSTOMS).json()["submission_id"]
    assert [item["submission_id"] for item in api.call("GET", "/window/submissions", "ira").json()["submissions"]] == [
        name
    ]
    assert api.call("GET", f"/window/submissions/{name}", "sue").json()["records"] == 1
    assert api.call("GET", f"/window/submissions/{name}", "ann").status_code == 403
    assert api.call("GET", "/window/submissions/none", "ira").status_code == 404
    with api.hub.store.read() as connection:
        bodies = connection.scalars(select(AUDIT.c.body).where(AUDIT.c.kind == AuditKind.SUBMISSION_TAKEN.value)).all()
    assert len(bodies) == 1
    assert "C01X" not in bodies[0]


def test_forms_are_served_as_json_schemas(api: Api) -> None:
    names = api.call("GET", "/window/forms", "ira").json()["forms"]
    assert {"customs-1", "customs-2", "health-1", "health-2", "parcel-1"} <= set(names)
    form = api.call("GET", "/window/forms/health-1", "ira").json()
    assert form["$id"] == "urn:tongguan:window:health-1"
    assert api.call("GET", "/window/forms/health-9", "ira").status_code == 404


def test_a_health_code_is_for_one_person_for_24_hours(api: Api, clock: ManualClock) -> None:
    stored = submit(api, "health", HEALTH | {"symptoms": ["cough"]}).json()["stored"][0]
    keys = _keys(api)
    now_s = clock.utc_ms() / 1000

    def read(document: str, later_s: float) -> Any:
        return verify_health(stored["code"], keys, document=document, now_s=now_s + later_s)

    mine = document_name("UTO", "C01X")
    declared = read(mine, 86_399)
    assert isinstance(declared, HealthDeclaration)
    assert (declared.symptoms, declared.is_clear) == (("cough",), False)
    assert isinstance(read(mine, 86_400), HealthRefusal)
    assert isinstance(read(document_name("UTO", "C02X"), 0), HealthRefusal)


def _keys(api: Api) -> Any:
    folder = api.hub.site.keys_dir / "authorities"
    folder.mkdir()
    (folder / "health.pem").write_bytes((api.hub.site.keys_dir / "health-authority.pub.pem").read_bytes())
    return load_authority_keys(folder)


def test_a_health_declaration_serves_one_crossing_and_comes_back_when_that_came_to_nothing(
    api: Api, clock: ManualClock
) -> None:
    submit(api, "health", HEALTH)
    assert ask(api, case_id="c1")["health_declaration"][0] is False
    assert ask(api, case_id="c1")["health_declaration"][0] is False
    assert ask(api, case_id="c2")["health_declaration"] == (True, "the declaration was used for another crossing")
    lane = FakeLane(clock)
    api.hub.take_in([lane.start("c1"), lane.end("abandoned")])
    assert ask(api, case_id="c2")["health_declaration"][0] is False
    lane = FakeLane(clock, "lane-2")
    api.hub.take_in([lane.start("c2"), lane.end("cleared")])
    assert ask(api, case_id="c3")["health_declaration"][0] is True
    clock.advance_ms(600_000)
    submit(api, "health", HEALTH)
    assert ask(api, case_id="c3")["health_declaration"][0] is False
    clock.advance_ms(86_400_000)
    assert ask(api, case_id="c4")["health_declaration"] == (False, "the declaration is older than 24 hours")


def test_a_claim_of_a_case_that_nobody_heard_of_ends(api: Api, clock: ManualClock) -> None:
    submit(api, "health", HEALTH)
    ask(api, case_id="c1")
    clock.advance_ms(599_999)
    assert ask(api, case_id="c2")["health_declaration"][0] is True
    clock.advance_ms(1)
    assert ask(api, case_id="c2")["health_declaration"][0] is False


def test_a_carriers_list_goes_in_but_for_the_faulty(api: Api) -> None:
    data = write_paxlst(PaxlstMaker(11).interchange(passengers=20), Layout(after_segment="\n"))
    spoilt = data.replace(b"ATT+2++", b"ATT+2++Q", 1)
    answer = submit(api, "passengers", spoilt).json()
    assert (answer["records"], answer["refused"]) == (19, 1)
    (error,) = answer["errors"]
    assert (error["segment"], error["field"], error["record"]) == ("ATT", "sex", 1)
    assert submit(api, "passengers", data).json()["records"] == 20
    assert count(api, WINDOW_RECORDS) == 20


def test_what_ceased_to_hold_is_forgotten_in_time(api: Api, clock: ManualClock) -> None:
    submit(api, "health", HEALTH)
    submit(api, "customs", CUSTOMS)
    clock.advance_ms(30 * 86_400_000 + 1)
    assert api.hub.window.sweep() == 1  # the health declaration held a day longer
    clock.advance_ms(86_400_000)
    assert api.hub.window.sweep() == 1
    assert count(api, WINDOW_SUBMISSIONS) == 0
