"""Mail and express parcels: a case without a lane, decided by every role together; nothing of it can open a door."""

import base64
import hashlib
import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from api_kit import Api
from hub_kit import make_hub, make_site
from sqlalchemy import func, select
from test_window import EXAMPLES, submit

from gate.core.clock import ManualClock
from gate.hub.errors import HubError
from gate.hub.heard import Incoming
from gate.hub.schema import COMMANDS, EVENTS
from gate.hub.window.forms import Kind
from gate.hub.window.intake import Submission
from gate.hub.window.parcels import LANE

PARCEL = EXAMPLES["parcel"]
CASE = "parcel-EE123456785CN"


def picture() -> dict[str, str]:
    ok, data = cv2.imencode(".png", np.zeros((4, 4), np.uint8))
    assert ok
    return {"media_type": "image/png", "base64": base64.b64encode(data.tobytes()).decode()}


def case(api: Api, who: str = "max") -> dict[str, Any]:
    found: dict[str, Any] = api.call("GET", f"/cases/{CASE}", who).json()
    return found


def say(api: Api, who: str, role: str, kind: str = "released_by_officer") -> int:
    body = {"kind": kind, "role": role, "evidence_digest": case(api)["evidence_digest"], "reason": "settled"}
    status: int = api.call("POST", f"/cases/{CASE}/verdicts", who, json=body).status_code
    return status


def test_a_parcel_is_one_case_for_all_roles_and_ends_when_all_released_it(api: Api, clock: ManualClock) -> None:
    shown = picture()
    assert submit(api, "parcel", PARCEL | {"picture": shown}).json()["records"] == 1
    found = case(api)
    assert (found["lane"], found["status"], found["decision"]) == (LANE, "open", "refer")
    assert found["required_roles"] == ["customs", "quarantine"]
    assert [item["kind"] for item in found["verdicts"].values()] == ["pending", "pending"]
    details = {item["code"]: (item["measured"], item["detail"]) for item in found["findings"]}
    assert details["parcel.declared"] == ("20 USD", "books")
    assert details["parcel.origin"] == ("USA", "mail, 1.5 kg")
    kinds = {item["kind"]: item["sha256"] for item in found["attachments"]}
    data = base64.b64decode(shown["base64"])
    assert kinds["xray"] == hashlib.sha256(data).hexdigest()
    assert api.call("GET", f"/evidence/{kinds['xray']}", "ann").content == data
    assert api.call("GET", f"/evidence/{kinds['waybill']}", "ann").json()["sender"]["name"] == "A"
    assert say(api, "ann", "customs") == 200
    assert api.hub.see_to_parcels() == 0
    assert case(api)["status"] == "open"
    assert say(api, "ben", "quarantine") == 200
    clock.advance_ms(1000)
    assert api.hub.see_to_parcels() == 1
    assert (case(api)["status"], case(api)["outcome"]) == ("closed", "released_by_officer")
    assert api.hub.see_to_parcels() == 0
    with api.hub.store.read() as connection:
        assert connection.scalar(select(func.count()).select_from(COMMANDS)) == 0


def test_what_is_said_anew_of_a_parcel_reopens_every_verdict(api: Api, clock: ManualClock) -> None:
    submit(api, "parcel", PARCEL)
    say(api, "ann", "customs")
    before = case(api)
    clock.advance_ms(1000)
    submit(api, "parcel", PARCEL | {"weight_kg": 9})
    after = case(api)
    assert (before["revision"], after["revision"]) == (1, 2)
    assert after["evidence_digest"] != before["evidence_digest"]
    assert not any(item["is_current"] for item in after["verdicts"].values())
    for who, role in (("ann", "customs"), ("ben", "quarantine")):
        say(api, who, role)
    api.hub.see_to_parcels()
    assert case(api)["status"] == "closed"
    clock.advance_ms(1000)
    submit(api, "parcel", PARCEL | {"weight_kg": 10})
    assert (case(api)["status"], case(api)["revision"]) == ("closed", 2)
    assert api.hub.see_to_parcels() == 0


def test_two_refusals_send_a_parcel_back(api: Api) -> None:
    submit(api, "parcel", PARCEL)
    assert say(api, "ann", "customs", "refuse") == 200
    assert say(api, "ben", "quarantine", "refuse") == 200
    assert api.hub.see_to_parcels() == 1
    assert (case(api)["status"], case(api)["outcome"]) == ("closed", "sent_back")


def test_a_parcel_that_was_taken_in_while_nobody_saw_to_it_is_found_later(api: Api) -> None:
    data = json.dumps(PARCEL | {"tracking_number": "CARRIER0001"}).encode()
    api.hub.window.take(Submission(kind=Kind.PARCEL, data=data, source="x", channel="file"))
    assert api.call("GET", "/cases/parcel-CARRIER0001", "ann").status_code == 404
    api.hub._window_service.tick()
    assert api.call("GET", "/cases/parcel-CARRIER0001", "ann").status_code == 200


def test_a_lane_cannot_speak_for_the_parcels(api: Api) -> None:
    submit(api, "parcel", PARCEL)
    with api.hub.store.read() as connection:
        body = str(connection.scalars(select(EVENTS.c.body)).first())
    forged = Incoming(topic=f"tongguan/v1/p/{LANE}/event", payload=body.encode(), arrived_ns=0)
    with api.hub.store.read() as connection:
        before = connection.scalar(select(func.count()).select_from(EVENTS))
    api.hub.take_in([forged])
    with api.hub.store.read() as connection:
        assert connection.scalar(select(func.count()).select_from(EVENTS)) == before


def test_no_lane_may_have_the_parcels_name(tmp_path: Path, clock: ManualClock) -> None:
    site = make_site(tmp_path)
    site = site.model_copy(update={"lanes": (site.lanes[0].model_copy(update={"id": LANE}),)})
    with pytest.raises(HubError, match="give it another id"):
        make_hub(site, clock)


def test_pictures_and_numbers_that_are_none_are_named(api: Api) -> None:
    for change, field in (
        ({"tracking_number": "EE123456784CN"}, "tracking_number"),
        ({"picture": {"media_type": "image/png", "base64": "@@"}}, "picture.base64"),
        ({"picture": {"media_type": "image/png", "base64": "AAAA"}}, "picture"),
    ):
        errors = submit(api, "parcel", PARCEL | change).json()["errors"]
        assert [error["field"] for error in errors] == [field]
