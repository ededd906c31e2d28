"""Marks on pictures: drawn by one, seen by all who see pictures, erased only by who drew them, on record for good."""

from typing import Any

import pytest
from api_kit import Api
from hub_kit import FakeLane, finding, make_hub
from sqlalchemy import select

from gate.core.evidence import Attachment
from gate.hub.marks import MAX_MARKS
from gate.hub.scans.schema import SCANS
from gate.hub.schema import AUDIT
from gate.hub.service import Hub

PICTURE = "a" * 64
CASE = "case-1"
POINT = {"picture": PICTURE, "kind": "point", "x": 1, "y": 1}


@pytest.fixture(autouse=True)
def case(hub: Hub, lane: FakeLane) -> None:
    """A case with a picture and a private part."""
    attachments = (
        Attachment(kind="xray_high", sha256=PICTURE, media_type="image/png"),
        Attachment(kind="private", sha256="b" * 64, media_type="application/json"),
    )
    hub.take_in([lane.start(CASE), lane.record(finding(), attachments=attachments)])


def marks_for(api: Api, who: str) -> list[dict[str, Any]]:
    marks: list[dict[str, Any]] = api.call("GET", f"/cases/{CASE}/marks", who).json()["marks"]
    return marks


def draw(api: Api, who: str, **changes: object) -> list[dict[str, Any]]:
    shape = {"picture": PICTURE, "kind": "box", "x": 10.5, "y": 20, "width": 30, "height": 40, "text": " bottle x3 "}
    answer = api.call("POST", f"/cases/{CASE}/marks", who, json={**shape, **changes})
    assert answer.status_code == 201, answer.text
    marks: list[dict[str, Any]] = answer.json()["marks"]
    return marks


def test_a_mark_is_seen_by_the_other_role_with_author_role_and_time(hub: Hub, api: Api) -> None:
    drawn = draw(api, "ann")
    wanted = {"number": 1, "picture": PICTURE, "kind": "box", "x": 10.5, "y": 20.0, "width": 30.0, "height": 40.0}
    wanted |= {"text": "bottle x3", "role": "customs", "author": "ann", "author_name": "Ann"}
    wanted |= {"at_ms": hub.clock.utc_ms(), "mark_id": drawn[0]["mark_id"]}
    assert marks_for(api, "ben") == drawn == [wanted]


def test_a_mark_survives_the_hub(hub: Hub, api: Api) -> None:
    drawn = draw(api, "ann")
    hub.stop()
    again = make_hub(hub.site, hub.clock)
    again.store.migrate()
    for officer in again.accounts.all():
        again.accounts.remove(officer.user)
    later = Api(again)
    assert marks_for(later, "ben") == drawn
    later.http.close()
    again.stop()


def test_only_who_drew_a_mark_erases_it_and_its_number_is_not_given_again(api: Api) -> None:
    mark_id = draw(api, "ann")[0]["mark_id"]
    refused = api.call("DELETE", f"/cases/{CASE}/marks/{mark_id}", "max")
    assert (refused.status_code, refused.json()["type"]) == (403, "urn:tongguan:problem:not_yours")
    for _ in range(2):
        assert api.call("DELETE", f"/cases/{CASE}/marks/{mark_id}", "ann").json() == {"marks": []}
    assert [mark["number"] for mark in draw(api, "max", role="customs")] == [2]


def test_every_mark_is_an_audit_record(hub: Hub, api: Api) -> None:
    mark_id = draw(api, "ann")[0]["mark_id"]
    api.call("DELETE", f"/cases/{CASE}/marks/{mark_id}", "ann")
    with hub.store.read() as connection:
        rows = connection.execute(select(AUDIT).where(AUDIT.c.kind.startswith("mark.")).order_by(AUDIT.c.number)).all()
    said = [(row.kind, row.who, row.case_id) for row in rows]
    assert said == [("mark.drawn", "ann", CASE), ("mark.erased", "ann", CASE)]
    assert all(mark_id in row.body for row in rows)


def test_a_role_that_sees_no_pictures_neither_sees_marks_nor_draws(api: Api) -> None:
    draw(api, "ann")
    assert api.call("GET", f"/cases/{CASE}/marks", "bo").status_code == 403
    assert api.call("POST", f"/cases/{CASE}/marks", "bo", json=POINT).status_code == 403
    assert api.call("GET", f"/cases/{CASE}/last-scan", "bo").status_code == 403


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"picture": "c" * 64}, 404),
        ({"picture": "b" * 64}, 404),
        ({"kind": "star"}, 422),
        ({"x": -1}, 422),
        ({"text": "x" * 201}, 422),
        ({"role": "quarantine"}, 403),
    ],
)
def test_what_is_no_mark_on_a_picture_of_the_case_is_refused(api: Api, changes: dict[str, object], status: int) -> None:
    assert api.call("POST", f"/cases/{CASE}/marks", "ann", json={**POINT, **changes}).status_code == status
    assert marks_for(api, "ann") == []
    assert api.call("GET", "/cases/no-such/marks", "ann").status_code == 404


def test_a_case_takes_no_more_marks_than_can_be_shown(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    assert MAX_MARKS >= 100
    monkeypatch.setattr("gate.hub.marks.MAX_MARKS", 1)
    draw(api, "ann")
    refused = api.call("POST", f"/cases/{CASE}/marks", "ann", json=POINT)
    assert refused.json()["type"] == "urn:tongguan:problem:too_many"


def test_the_last_scan_is_the_newest_before_of_the_same_bag_tag(hub: Hub, api: Api) -> None:
    def scan(number: int, case_id: str | None, tag: str | None) -> dict[str, Any]:
        view = {"kind": "xray_high", "sha256": str(number) * 64, "media_type": "image/png"}
        return {
            "image_id": f"{number}",
            "source": "x",
            "machine": "x",
            "bag_tag": tag,
            "taken_ms": number * 1000,
            "time_source": "machine",
            "received_ms": number * 1000,
            "views": f"[{view}]".replace("'", '"'),
            "case_id": case_id,
            "reason": "",
        }

    assert api.call("GET", f"/cases/{CASE}/last-scan", "ann").json() == {"taken_ms": None, "attachments": []}
    scans = [(1, "old", "T"), (2, "newer", "T"), (3, "other", "U"), (4, None, "T"), (5, CASE, "T"), (6, "later", "T")]
    with hub.store.write() as connection:
        connection.execute(SCANS.insert(), [scan(*item) for item in scans])
    found = api.call("GET", f"/cases/{CASE}/last-scan", "ann").json()
    assert found["taken_ms"] == 2000
    assert [(item["sha256"], item["is_available"]) for item in found["attachments"]] == [("2" * 64, False)]
