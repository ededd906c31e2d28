"""Scans reach their case: over HTTP or a folder, matched or attached by hand, as evidence that reopens verdicts. In memory."""

import asyncio
import io
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import cv2
import httpx
import numpy as np
import pytest
from fastapi import FastAPI
from hub_kit import LANE_KEYS, PASSWORD, FakeLane, wait_for
from sqlalchemy import func, select
from sqlalchemy.exc import OperationalError

from drivers.errors import DeviceError
from drivers.xray.folder import WatchedFolder
from drivers.xray.interface import NotTaken, TimeSource, XrayImage, XrayRefused, XrayView
from drivers.xray.listener import MIN_TOKEN_CHARACTERS, load_token, scan_app
from gate.core.clock import ManualClock
from gate.core.evidence import Attachment, Evidence, Finding
from gate.hub.api import create_api
from gate.hub.scans.desk import MATCH_FOR_MS
from gate.hub.scans.intake import ScanIntake
from gate.hub.scans.pictures import pictures_of, ratio_of
from gate.hub.scans.schema import SCANS
from gate.hub.service import Hub
from gate.lane.crossing import Crossing
from gate.lane.hub_link import HubLink
from gate.lane.scan_watch import ScanWatch
from gate.wire.signing import make_lane_bearer
from simulator.xray_machine import Bag, ExportFormat, XrayMachine, attenuations, transmitted

TOKEN = "0123456789abcdef0123456789abcdef"
CASE = "7K2-0419-QXM"
TAG = "0014123456"
MAX = 2_000_000


class Rig:
    """A hub, the machine's listener before it and a lane's word, all in this process."""

    def __init__(self, hub: Hub, clock: ManualClock) -> None:
        self.hub = hub
        self.clock = clock
        self.lane = FakeLane(clock)
        self.intake = ScanIntake(hub, {})
        self.app: FastAPI = create_api(hub)
        self.listener = scan_app(
            token=TOKEN, on_report=lambda report: self.intake.take("tunnel", report), max_bytes=MAX, now=self.now
        )
        for user, role in (("ann", "customs"), ("ben", "quarantine"), ("bo", "border")):
            hub.accounts.add(user=user, name=user, password=PASSWORD, roles=[role])
        self._runner = asyncio.Runner()
        self._tokens: dict[str, str] = {}

    def now(self) -> datetime:
        return datetime.fromtimestamp(self.clock.utc_ms() / 1000, tz=UTC)

    def run(self, coroutine: Any) -> Any:
        return self._runner.run(coroutine)

    def close(self) -> None:
        self._runner.close()

    def _request(self, app: Any, method: str, path: str, **rest: Any) -> httpx.Response:
        async def send() -> httpx.Response:
            async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://x") as client:
                return await client.request(method, path, **rest)

        answer: httpx.Response = self.run(send())
        return answer

    def deliver(self, method: str, path: str, *, token: str | None = TOKEN, **rest: Any) -> httpx.Response:
        headers = {"Authorization": f"Bearer {token}"} if token is not None else {}
        return self._request(self.listener, method, path, headers=headers | rest.pop("headers", {}), **rest)

    def call(self, method: str, path: str, who: str, **rest: Any) -> httpx.Response:
        if who.startswith("lane-"):
            token = make_lane_bearer(LANE_KEYS[who], address=f"p/{who}", clock=self.clock)
        else:
            if who not in self._tokens:
                login = self._request(self.app, "POST", "/api/v1/login", json={"user": who, "password": PASSWORD})
                self._tokens[who] = login.json()["token"]
            token = self._tokens[who]
        return self._request(self.app, method, f"/api/v1{path}", headers={"Authorization": f"Bearer {token}"}, **rest)

    def say(self, *messages: Any) -> None:
        self.hub.take_in(list(messages))

    def unmatched(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.call("GET", "/scans", "ann").json()["scans"]
        return found

    def taken(self, seconds: float = 0.0) -> str:
        return (self.now() + timedelta(seconds=seconds)).isoformat()

    def watch(self, lane_case: str) -> tuple[Crossing, ScanWatch]:
        """A lane's own watch, asking this hub; what it adds is said as the lane would."""
        link = HubLink(
            url="http://x",
            address="p/lane-1",
            key=LANE_KEYS["lane-1"],
            clock=self.clock,
            transport=httpx.ASGITransport(self.app),
        )
        here = Crossing(evidence=Evidence(port="p", lane="lane-1", case_id=lane_case), started_ns=0)

        def add(findings: tuple[Finding, ...], attachments: tuple[Attachment, ...]) -> None:
            here.attach(*findings, attachments=attachments)
            self.say(self.lane.record(*findings, attachments=attachments), self.lane.decide())

        return here, ScanWatch(crossing=lambda: here, ask=link.scans_of, add=add, is_referring=False)


@pytest.fixture
def rig(hub: Hub, clock: ManualClock) -> Iterator[Rig]:
    rig = Rig(hub, clock)
    yield rig
    rig.close()


def decoded(data: bytes, flags: int = cv2.IMREAD_UNCHANGED) -> Any:
    picture = cv2.imdecode(np.frombuffer(data, np.uint8), flags)
    assert picture is not None
    return picture


def png(seed: int = 1, bits: int = 16, energy: int = 0) -> bytes:
    return cv2.imencode(".png", transmitted(attenuations(seed)[energy], bits, seed))[1].tobytes()


# -- the whole way ---------------------------------------------------------------------------------------------------------


def test_a_scan_becomes_evidence_that_reopens_what_was_released(rig: Rig) -> None:
    rig.say(rig.lane.start(CASE), rig.lane.record(), rig.lane.decide())
    before = rig.call("GET", f"/cases/{CASE}", "ann").json()
    files = [("f", ("a_high.png", png(energy=0), "image/png")), ("f", ("a_low.png", png(energy=1), "image/png"))]
    sent = rig.deliver("POST", "/scans", files=files, data={"lane": "lane-1", "taken_at": rig.taken(1)})
    assert sent.status_code == 201, sent.text
    rig.clock.advance_ms(1_500)
    rig.intake.match()
    assert rig.unmatched() == []
    here, watch = rig.watch(CASE)
    rig.run(watch.look())
    after = rig.call("GET", f"/cases/{CASE}", "ann").json()
    assert after["evidence_digest"] != before["evidence_digest"]
    kinds = [item["kind"] for item in after["attachments"]]
    assert kinds == ["xray", "xray_high", "xray_low"]
    assert all(item["is_available"] for item in after["attachments"])
    shown = rig.call("GET", f"/evidence/{after['attachments'][0]['sha256']}", "ann")
    assert shown.headers["content-type"] == "image/png"
    assert shown.content.startswith(b"\x89PNG")
    assert rig.call("GET", f"/evidence/{after['attachments'][0]['sha256']}", "bo").status_code == 403
    assert here.evidence.findings[0].code == "cargo.scan"
    stale = {"kind": "released_by_officer", "evidence_digest": before["evidence_digest"]}
    assert rig.call("POST", f"/cases/{CASE}/verdicts", "ann", json=stale).status_code == 409
    rig.run(watch.look())
    assert len(here.evidence.attachments) == 3, "a scan is evidence once"


def test_sixteen_bits_of_one_energy_come_back_as_they_were(rig: Rig) -> None:
    content = png()
    answer = rig.deliver("PUT", "/scans/bag-1.png", content=content, headers={"X-Lane": "lane-1"})
    assert answer.status_code == 201
    (scan,) = rig.unmatched()
    (full,) = [view for view in scan["views"] if view["kind"] == "xray_high"]
    data = rig.call("GET", f"/evidence/{full['sha256']}", "ann").content
    kept = decoded(data)
    assert kept.dtype == np.uint16
    assert np.array_equal(kept, decoded(content))


def test_a_dicom_file_says_itself_whose_it_is(rig: Rig, tmp_path: Path) -> None:
    machine = XrayMachine(tmp_path, lane="lane-1", export=ExportFormat.DICOM, is_dual_energy=False)
    written = machine.scan(Bag(seed=3, tag=TAG), rig.now())
    dicom = next(path for path in written if path.suffix == ".dcm")
    assert rig.deliver("PUT", f"/scans/{dicom.name}", content=dicom.read_bytes()).status_code == 201
    assert rig.unmatched()[0]["reason"] == "nobody has the tag or document that was scanned"
    tags = json.dumps({"bag_tags": [f"{TAG}001"]}).encode()
    travel = Attachment(kind="travel", sha256=_put(rig, tags), media_type="application/json")
    rig.say(rig.lane.start(CASE), rig.lane.record(attachments=(travel,)))
    rig.intake.match()
    assert rig.unmatched() == []
    (scan,) = rig.call("GET", "/scans", "ben", params={"case_id": CASE}).json()["scans"]
    assert (scan["matched_by"], scan["case_id"]) == ("tag", CASE)


def test_a_document_scanned_with_the_bag_finds_its_traveller(rig: Rig) -> None:
    record = {"traveller": {"document_number": "L898902C3"}, "mrz_lines": []}
    private = Attachment(kind="private", sha256=_put(rig, json.dumps(record).encode()), media_type="application/json")
    rig.say(rig.lane.start(CASE), rig.lane.record(attachments=(private,)))
    assert rig.deliver("PUT", "/scans/a.png", content=png(), headers={"X-Document": "l898902c3"}).status_code == 201
    assert rig.call("GET", f"/lane/cases/{CASE}/scans", "lane-1").json()["scans"][0]["matched_by"] == "document"
    assert rig.call("GET", f"/lane/cases/{CASE}/scans", "lane-2").status_code == 403


def _put(rig: Rig, data: bytes) -> str:
    import hashlib

    digest = hashlib.sha256(data).hexdigest()
    rig.hub.blobs.put(digest, data)
    return digest


# -- whose is it -----------------------------------------------------------------------------------------------------------


def test_the_neighbour_in_time_waits_until_nobody_else_can_come(rig: Rig) -> None:
    """The bag went in two seconds before its owner; the one before has just left."""
    rig.say(rig.lane.start("before"), rig.lane.record(), rig.lane.end())
    rig.clock.advance_ms(3_000)
    rig.deliver("PUT", "/scans/a.png", content=png(), headers={"X-Lane": "lane-1", "X-Taken-At": rig.taken()})
    assert len(rig.unmatched()) == 1, "not given to who has left"
    rig.clock.advance_ms(2_000)
    rig.say(rig.lane.start(CASE), rig.lane.record())
    rig.clock.advance_ms(4_000)
    rig.intake.match()
    assert rig.unmatched()[0]["reason"].startswith("2 stays"), "two may be it: an officer says which"


def test_what_is_nobodys_is_attached_by_an_officer_once(rig: Rig) -> None:
    rig.deliver("PUT", "/scans/a.png", content=png(), headers={"X-Bag-Tag": TAG})
    (scan,) = rig.unmatched()
    rig.say(rig.lane.start(CASE), rig.lane.record(), rig.lane.start("other"), rig.lane.record())
    where = f"/scans/{scan['image_id']}/case"
    assert rig.call("POST", where, "bo", json={"case_id": CASE}).status_code == 403
    assert rig.call("POST", where, "ann", json={"case_id": "none"}).status_code == 404
    assert rig.call("POST", f"/scans/{'0' * 64}/case", "ann", json={"case_id": CASE}).status_code == 404
    attached = rig.call("POST", where, "ann", json={"case_id": CASE}).json()
    assert (attached["matched_by"], attached["author"]) == ("officer", "ann")
    assert rig.call("POST", where, "ben", json={"case_id": CASE}).json()["author"] == "ann", "again is not anew"
    assert rig.call("POST", where, "ben", json={"case_id": "other"}).status_code == 409
    assert rig.call("GET", f"/lane/cases/{CASE}/scans", "lane-1").json()["scans"][0]["matched_by"] == "officer"
    assert rig.call("GET", "/scans", "ann", params={"state": "all"}).json()["scans"] == [attached]


def test_an_old_scan_is_not_offered_to_new_travellers(rig: Rig) -> None:
    rig.deliver("PUT", "/scans/a.png", content=png(), headers={"X-Document": "L898902C3"})
    rig.clock.advance_ms(MATCH_FOR_MS + 1)
    record = {"traveller": {"document_number": "L898902C3"}, "mrz_lines": []}
    private = Attachment(kind="private", sha256=_put(rig, json.dumps(record).encode()), media_type="application/json")
    rig.say(rig.lane.start(CASE), rig.lane.record(attachments=(private,)))
    rig.intake.match()
    assert len(rig.unmatched()) == 1


def test_the_same_scan_twice_is_one(rig: Rig) -> None:
    first = rig.deliver("PUT", "/scans/a.png", content=png())
    again = rig.deliver("PUT", "/scans/b.png", content=png())
    assert first.json()["image_id"] == again.json()["image_id"]
    assert len(rig.unmatched()) == 1


# -- strangers and trouble -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"token": None}, 401),
        ({"token": TOKEN[:-1]}, 401),
        ({"content": b""}, 422),
        ({"content": b"no picture"}, 422),
        ({"content": png()[:5000]}, 422),
        ({"content": b"\x89PNG" + bytes(MAX)}, 413),
        ({"headers": {"X-Taken-At": "noon"}}, 422),
        ({"headers": {"X-Taken-At": "2026-11-23T12:00:00"}}, 422),
        ({"headers": {"X-Lane": "x" * 65}}, 422),
    ],
)
def test_what_is_no_scan_is_refused_and_keeps_nothing(rig: Rig, change: dict[str, Any], status: int) -> None:
    answer = rig.deliver("PUT", "/scans/a.png", **({"content": png()} | change))
    assert answer.status_code == status, answer.text
    assert rig.unmatched() == []


def test_a_length_that_was_a_lie_is_found_out(rig: Rig) -> None:
    async def endless() -> Any:
        for _ in range(10):
            yield bytes(MAX // 4)

    assert rig.deliver("PUT", "/scans/a.png", content=endless()).status_code == 413
    assert (
        rig.deliver("POST", "/scans", content=b"--x", headers={"Content-Type": "multipart/form-data"}).status_code
        == 400
    )


def test_a_hub_that_cannot_write_says_later_and_keeps_it_then(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_args: Any) -> bool:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(rig.hub.blobs, "put", full)
        assert rig.deliver("PUT", "/scans/a.png", content=png()).status_code == 503
    with monkeypatch.context() as patch:
        patch.setattr(rig.hub.store, "write", _refusing)
        assert rig.deliver("PUT", "/scans/a.png", content=png()).status_code == 503
    assert rig.deliver("PUT", "/scans/a.png", content=png()).status_code == 201


def _refusing() -> Any:
    raise OperationalError("insert", {}, Exception("the database is locked"))


def test_a_refusal_is_logged_and_not_kept(rig: Rig) -> None:
    rig.intake.take("tunnel", XrayRefused(name="x", sentence="The scan x is no picture."))
    assert rig.unmatched() == []


def test_a_token_file_is_its_owners_alone_and_holds_a_token(tmp_path: Path) -> None:
    file = tmp_path / "token"
    with pytest.raises(DeviceError, match="cannot be read"):
        load_token(file)
    file.write_text(TOKEN + "\n")
    file.chmod(0o644)
    with pytest.raises(DeviceError, match="chmod 600"):
        load_token(file)
    file.chmod(0o600)
    assert load_token(file) == TOKEN
    file.write_text("x" * (MIN_TOKEN_CHARACTERS - 1))
    with pytest.raises(DeviceError, match="holds no token"):
        load_token(file)


def test_a_folder_that_cannot_be_used_keeps_nobody_waiting_and_is_tried_again(hub: Hub, tmp_path: Path) -> None:
    share = tmp_path / "share"
    share.write_text("not a folder yet")
    intake = ScanIntake(hub, {"tunnel": WatchedFolder(share, poll_ms=10)})
    try:
        intake.start_sources()
        share.unlink()
        intake.start_sources()
        XrayMachine(share, lane="lane-1").scan(Bag(seed=1), datetime.now(UTC))
        wait_for(lambda: _scan_count(hub) == 1, "the scan is kept")
        wait_for(lambda: len(list((share / "done").iterdir())) == 3, "its files are moved away")
    finally:
        intake.stop()


def _scan_count(hub: Hub) -> int:
    with hub.store.read() as connection:
        return connection.scalar(select(func.count()).select_from(SCANS)) or 0


# -- pictures --------------------------------------------------------------------------------------------------------------


def image(view: XrayView) -> XrayImage:
    return XrayImage(
        image_id="0" * 64, views=(view,), taken_at=datetime.now(UTC), time_source=TimeSource.FILE, machine=""
    )


@pytest.mark.parametrize(("attenuated", "hue"), [((0.5, 0.7), "orange"), ((0.9, 1.6), "green"), ((1.8, 4.5), "blue")])
def test_two_energies_are_shown_in_the_colours_of_inspection(attenuated: tuple[float, float], hue: str) -> None:
    high, low = (np.full((32, 32), np.exp(-part) * 65535, np.uint16) for part in attenuated)
    (shown, *_) = pictures_of(image(XrayView(high=high, low=low, bits=16)))
    blue, green, red = decoded(shown.data, cv2.IMREAD_COLOR)[16, 16].astype(int)
    order = {"orange": red > green > blue, "green": green > red and green > blue, "blue": blue > red and blue > green}
    assert order[hue], (blue, green, red)


def test_nothing_in_the_way_is_white_and_has_no_ratio() -> None:
    empty = np.full((16, 16), 65535, np.uint16)
    assert np.isnan(ratio_of(empty, empty, top=65535.0)).all()
    shown = pictures_of(image(XrayView(high=empty, low=empty, bits=16)))[0]
    assert decoded(shown.data, cv2.IMREAD_COLOR).min() == 255


def test_a_volume_is_seen_along_two_axes() -> None:
    volume = np.full((20, 30, 40), 200, np.uint8)
    volume[10, 5, 7] = 10
    pictures = pictures_of(image(XrayView(high=volume, bits=8)))
    shapes = [decoded(item.data).shape for item in pictures]
    assert (30, 40) in shapes
    assert (20, 40) in shapes
    assert all(item.data.startswith(b"\x89PNG") for item in pictures)
    assert io.BytesIO(pictures[0].data).read(1) == b"\x89"


def test_a_source_is_told_that_it_must_keep_what_was_not_taken(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rig.hub.store, "write", _refusing)
    with pytest.raises(NotTaken, match="send it again"):
        rig.intake.take("tunnel", image(XrayView(high=np.zeros((16, 16), np.uint8))))
