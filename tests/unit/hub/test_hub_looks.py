"""Whoever is shown anything of a case is on record, before they see it, and sees what their role's configuration lets them see."""

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from api_kit import Api
from hub_kit import FakeLane, finding, make_hub, make_site
from sqlalchemy import select

from gate.core.clock import ManualClock
from gate.core.evidence import Attachment
from gate.hub.scans.desk import BY_OFFICER
from gate.hub.scans.schema import SCANS
from gate.hub.schema import AUDIT
from gate.hub.service import Hub

CASE = "case-1"
PNG, LATER = b"a picture", "e" * 64
PICTURE = hashlib.sha256(PNG).hexdigest()
RECORD = json.dumps({"traveller": {"surname": "MUSTERFRAU", "document_number": "C01X00T47", "issuer": "D<<"}}).encode()
PRIVATE = hashlib.sha256(RECORD).hexdigest()
# What gives each kind of knowledge away, wherever it is in an answer.
TRACES = {
    "findings": ["document.expired"],
    "temperature": ["temperature.high"],
    "watchlist": ["lookup.watchlist"],
    "pictures": [PICTURE],
    "identity": ["MUSTERFRAU", PRIVATE],
    "declaration": ["300 cigarettes"],
}
ROLES = {"customs": sorted(TRACES), **{f"only-{what}": [what] for what in TRACES}, "nothing": []}


@pytest.fixture
def hub(tmp_path: Path, clock: ManualClock) -> Iterator[Hub]:
    """A port with a role for each thing that can be shown, one that sees all and one that sees nothing."""
    roles = [
        {
            "id": role,
            "title": role,
            "title_zh": role,
            "colour": "#000000",
            "is_required": role in ("customs", "nothing"),
            "sees": seen,
        }
        for role, seen in ROLES.items()
    ]
    made = make_hub(make_site(tmp_path, role=roles), clock)
    made.store.migrate()
    yield made
    made.stop()


@pytest.fixture
def api(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> Iterator[Api]:
    monkeypatch.setattr("api_kit.OFFICERS", {role: (role,) for role in ROLES} | {"ira": ("intake",)})
    made = Api(hub)
    yield made
    made.http.close()


@pytest.fixture(autouse=True)
def case(api: Api, lane: FakeLane) -> str:
    """A case with something of each kind, an earlier scan of the same bag, and a mark; the digest of its evidence."""
    declared = {
        "document_number": "C01X00T47",
        "issuer": "D",
        "customs": {"goods": ["300 cigarettes"], "is_nothing_to_declare": False},
    }
    assert api.call("POST", "/declarations", "ira", json=declared).status_code == 201
    pictures = (
        Attachment(kind="xray_high", sha256=PICTURE, media_type="image/png"),
        Attachment(kind="private", sha256=PRIVATE, media_type="application/json"),
    )
    found = (
        finding(role="customs"),
        finding("temperature.high", role="customs"),
        finding("lookup.watchlist", role="customs"),
    )
    reasons = tuple(item.code for item in found)
    said = [lane.start(CASE), lane.record(*found, attachments=pictures), lane.decide("refer", reasons, ("customs",))]
    api.hub.take_in(said)
    for data, media_type in ((PNG, "image/png"), (RECORD, "application/json")):
        assert api.put_evidence(data, media_type, CASE).status_code == 201
    with api.hub.store.write() as connection:
        connection.execute(
            SCANS.insert(), [scan("1", "old", "f" * 64), scan("2", CASE, PICTURE), scan("3", None, LATER)]
        )
    mark = {"picture": PICTURE, "kind": "box", "x": 1, "y": 2, "width": 3, "height": 4, "text": "bottle"}
    assert api.call("POST", f"/cases/{CASE}/marks", "customs", json=mark).status_code == 201
    return lane.evidence.digest()


def scan(number: str, case_id: str | None, picture: str) -> dict[str, Any]:
    views = json.dumps([{"kind": "xray_high", "sha256": picture, "media_type": "image/png"}])
    row = {"image_id": number * 64, "source": "x", "machine": "x", "bag_tag": "T", "time_source": "machine"}
    times = {"taken_ms": int(number) * 1000, "received_ms": int(number) * 1000}
    return row | times | {"views": views, "case_id": case_id, "reason": ""}


def audited(api: Api) -> list[tuple[str, str, str | None, dict[str, Any]]]:
    with api.hub.store.read() as connection:
        rows = connection.execute(select(AUDIT).order_by(AUDIT.c.number)).all()
    return [(row.kind, row.who, row.case_id, json.loads(row.body)["data"]) for row in rows]


LOOKS = {
    f"/cases/{CASE}": "case.seen",
    f"/cases/{CASE}/marks": "marks.seen",
    f"/cases/{CASE}/last-scan": "scans.seen",
    f"/scans?case_id={CASE}": "scans.seen",
    "/scans": "scans.seen",
    f"/evidence/{PICTURE}": "evidence.seen",
    f"/evidence/{PRIVATE}": "evidence.seen",
}


def test_every_look_is_on_record(api: Api) -> None:
    api.headers("customs")
    for path, kind in LOOKS.items():
        before = len(audited(api))
        assert api.call("GET", path, "customs").status_code == 200
        (entry,) = audited(api)[before:]
        assert entry[:3] == (kind, "customs", None if path == "/scans" else CASE)
        assert entry[3], "what was seen is named"


def test_nothing_is_shown_that_cannot_be_put_on_record(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    api.headers("customs")

    def refuse(*_: object, **__: object) -> None:
        raise RuntimeError("the disk is full")

    monkeypatch.setattr(api.hub, "record", refuse)
    for path in LOOKS:
        with pytest.raises(RuntimeError, match="the disk is full"):
            api.call("GET", path, "customs")


@pytest.mark.parametrize("role", ROLES)
def test_a_role_sees_what_its_configuration_says_and_nothing_else(api: Api, role: str) -> None:
    allowed = set(ROLES[role])
    for path in ["/cases", *LOOKS]:
        answer = api.call("GET", path, role)
        assert answer.status_code == (200 if needed(path) <= allowed else 403), path
        leaks = [trace for what in TRACES if what not in allowed for trace in TRACES[what] if trace in answer.text]
        assert leaks == [], path
    case = api.call("GET", f"/cases/{CASE}", role).text
    assert {what for what in TRACES if all(trace in case for trace in TRACES[what])} == allowed


def needed(path: str) -> set[str]:
    """What a role must be shown to be let in at all."""
    if path.endswith(PRIVATE):
        return {"identity"}
    return set() if path in ("/cases", f"/cases/{CASE}") else {"pictures"}


def test_what_colleagues_found_in_a_bag_is_a_finding(api: Api, case: str) -> None:
    roles = ["customs", "nothing"]
    opened = api.call(
        "POST",
        f"/cases/{CASE}/inspections",
        "customs",
        json={"evidence_digest": case, "role": "customs", "roles": roles},
    )
    assert opened.status_code == 201, opened.text
    way = f"/cases/{CASE}/inspections/{opened.json()['inspection_id']}"

    def act(who: str, **said: Any) -> Any:
        answer = api.call("POST", way, who, json={"evidence_digest": case, "role": who, **said})
        assert answer.status_code == 200, answer.text
        return answer.json()

    for who in roles:
        act(who, act="join")
    act("customs", act="start")
    assert act("customs", act="result", outcome="found", detail="pork")["results"]["customs"]["detail"] == "pork"
    own = act("nothing", act="result", outcome="nothing_found", detail="clean")
    assert list(own["results"]) == ["nothing"]
    assert [kind for kind, who, *_ in audited(api) if who == "nothing" and kind == "inspection.word"] == [
        "inspection.word"
    ] * 2


def test_who_attached_a_scan_is_on_record(api: Api) -> None:
    assert api.call("POST", f"/scans/{'3' * 64}/case", "customs", json={"case_id": CASE}).status_code == 200
    (entry,) = [item for item in audited(api) if item[0] == "scan.attached"]
    assert entry[1:] == ("customs", CASE, {"image_id": "3" * 64, "matched_by": BY_OFFICER, "pictures": [LATER]})
