"""What the browser tests are made with: a site, its processes, and a lane that says over the real wires what a lane says."""

import hashlib
import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import cv2
import httpx
import numpy as np
import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from config.loader import parse_site
from config.schema import Site
from gate.core.clock import SystemClock
from gate.core.evidence import Attachment, Evidence, Finding, Outcome, Stage
from gate.wire.messages import (
    CloudEvent,
    EventType,
    HelpAsked,
    KioskStep,
    LaneState,
    LaneStatus,
    event_source,
    new_event_id,
    utc,
)
from gate.wire.mqtt import end
from gate.wire.signing import SigningKey, make_lane_bearer
from gate.wire.topics import Channel, lane_topic
from simulator.passports import Passport, render_page

PORT = "quay"
LANES = ("lane-1", "lane-2")
PASSWORD = "correct horse battery"
OFFICERS = (
    ("li", "Li Wei", ("customs",)),
    ("wang", "Wang Fang", ("customs",)),
    ("zhao", "Zhao Min", ("quarantine",)),
    ("chen", "Chen Yu", ("supervisor", "border")),
    ("sun", "Sun Jia", ("security",)),
)
ROLES = (
    ("customs", "Customs", "海关", "#3aa0ff"),
    ("quarantine", "Quarantine", "检疫", "#37c98b"),
    ("border", "Border inspection", "边检", "#f0a53a"),
)
ONLOOKER = {"id": "security", "title": "Security", "title_zh": "安检", "colour": "#b58cff", "is_required": False}
"""A role that decides nothing and sees findings only."""


def make_site(folder: Path, *, http_port: int, broker_port: int) -> Site:
    """``folder/mirror-port`` may say where the lanes' own picture of the traveller is."""
    mirror = folder / "mirror-port"
    mirror_port = int(mirror.read_text()) if mirror.exists() else None
    return parse_site(
        {
            "port": {"id": PORT, "title": "North Quay"},
            "state_dir": str(folder),
            "broker": {"port": broker_port},
            "hub": {"url": f"http://127.0.0.1:{http_port}"},
            "role": [
                {"id": role, "title": title, "title_zh": title_zh, "colour": colour}
                for role, title, title_zh, colour in ROLES
            ]
            + [{**ONLOOKER, "sees": ["findings"]}],
            "lane": [
                {
                    "id": lane,
                    "title": f"Lane {number}",
                    "board": {"port": f"/dev/none-{lane}"},
                    "face_camera": {"kind": "folder", "source": "x"},
                    "document_camera": {"kind": "folder", "source": "x"},
                    "kiosk_mirror_port": mirror_port,
                }
                for number, lane in enumerate(LANES, start=1)
            ],
        },
        origin="test",
    )


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_until(condition: Callable[[], bool], what: str, *, limit_s: float = 15.0) -> None:
    """Wait for a condition, with a bound."""
    end_s = time.monotonic() + limit_s
    while not condition():
        if time.monotonic() > end_s:
            raise AssertionError(f"not within {limit_s:.0f} s: {what}")
        time.sleep(0.02)


def is_listening(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=0.5).close()
    except OSError:
        return False
    return True


class Broker:
    """mosquitto on a loopback port; it can be killed and started again."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self._config = folder / "mosquitto.conf"
        self._config.write_text(
            f"listener {self.port} 127.0.0.1\nallow_anonymous true\nset_tcp_nodelay true\npersistence false\n"
        )
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        program = shutil.which("mosquitto") or "/usr/sbin/mosquitto"
        self._process = subprocess.Popen(
            [program, "-c", str(self._config)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        wait_until(lambda: is_listening(self.port), "mosquitto listens")

    def stop(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait(10)
            self._process = None


class PortProcess:
    """The hub with its screens; ``url`` is where they are."""

    def __init__(self, folder: Path, broker: Broker) -> None:
        self.folder = folder
        self.http_port = free_port()
        self.url = f"http://127.0.0.1:{self.http_port}"
        self.lane_keys = {lane: SigningKey.generate() for lane in LANES}
        self._broker = broker
        self._process: subprocess.Popen[bytes] | None = None
        self.mirror_port = free_port()
        (folder / "mirror-port").write_text(str(self.mirror_port))
        self.site = site = make_site(folder, http_port=self.http_port, broker_port=broker.port)
        SigningKey.generate().save(site.keys_dir / "hub.pem")
        for lane, key in self.lane_keys.items():
            key.save(site.keys_dir / f"lane-{lane}.pem")

    def start(self) -> None:
        script = Path(__file__).with_name("port_process.py")
        # NiceGUI behaves in another way when it believes to be inside pytest.
        environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST")}
        environment["PYTHONPATH"] = str(Path(__file__).parents[2])
        with (self.folder / "port.log").open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, str(script), str(self.folder), str(self.http_port), str(self._broker.port)],
                env=environment,
                cwd=self.folder,
                stdout=log,
                stderr=log,
            )
        try:
            wait_until(self._is_ready, f"the port is ready; its log is {self.folder / 'port.log'}", limit_s=60)
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        if self._process is not None:
            self._process.terminate()
            try:
                self._process.wait(8)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait(8)
            self._process = None

    @property
    def process(self) -> "subprocess.Popen[bytes] | None":
        """The process, while there is one."""
        return self._process

    def _is_ready(self) -> bool:
        assert self._process is None or self._process.poll() is None, (self.folder / "port.log").read_text()
        try:
            return httpx.get(f"{self.url}/readyz", timeout=2, trust_env=False).status_code == 200
        except httpx.HTTPError:
            return False


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """A traveller of the tests."""

    surname: str = "ERIKSSON"
    given_names: str = "ANNA MARIA"
    document_number: str = "L898902C3"
    issuer: str = "UTO"

    def private(self) -> bytes:
        return json.dumps(
            {
                "traveller": {
                    "surname": self.surname,
                    "given_names": self.given_names,
                    "document_code": "P",
                    "document_number": self.document_number,
                    "issuer": self.issuer,
                    "nationality": self.issuer,
                    "birth_date": "1974-08-12",
                    "sex": "F",
                    "expiry_date": "2032-04-15",
                },
                "mrz_lines": [],
            }
        ).encode()


class TalkingLane:
    """Says a lane's part over MQTT and HTTP."""

    def __init__(self, port: PortProcess, broker: Broker, lane: str) -> None:
        self._lane = lane
        self._clock = SystemClock()
        self._sequence = 0
        self._key = port.lane_keys[lane]
        self._http = httpx.Client(base_url=port.url, trust_env=False, timeout=10)
        self.evidence = Evidence(port=PORT, lane=lane, case_id="none")
        self.has_open_case = False
        self._mqtt = mqtt.Client(CallbackAPIVersion.VERSION2, client_id=f"talking-{lane}")
        self._mqtt.reconnect_delay_set(1, 1)
        self._mqtt.connect("127.0.0.1", broker.port)
        self._mqtt.loop_start()
        self.wait_until_connected()

    def wait_until_connected(self) -> None:
        wait_until(self._mqtt.is_connected, "the lane is connected")

    def close(self) -> None:
        end(self._mqtt)
        self._http.close()

    def status(self, *, is_online: bool = True) -> None:
        message = LaneStatus(is_online=is_online, boot_id="b1", software_version="0.1.0")
        self._publish(Channel.STATUS, message.model_dump_json(), retain=True)

    def state(self, step: KioskStep, *, state: str = "", lamp: str = "blue", **more: Any) -> None:
        case_id = self.evidence.case_id if self.evidence.case_id != "none" else None
        message = LaneState(
            state=state or step.value,
            step=step,
            lamp=lamp,
            since=utc(self._clock.utc_ms()),
            **{"case_id": case_id, "entry": "closed", "exit": "closed", "person_count": 0, **more},
        )
        self._publish(Channel.STATE, message.model_dump_json(), retain=True)

    def help(self, call: HelpAsked | None) -> None:
        """What a console says of a call at this lane's kiosk."""
        self._publish(Channel.HELP, "" if call is None else call.model_dump_json(), retain=True)

    def begin(self, case_id: str) -> None:
        self.evidence = Evidence(port=PORT, lane=self._lane, case_id=case_id)
        self.has_open_case = True
        self._say(EventType.CROSSING_STARTED, {"case_id": case_id})

    def record(self, *findings: Finding, attachments: tuple[Attachment, ...] = (), is_inside: bool = True) -> str:
        """Record more evidence; its digest."""
        self.evidence = self.evidence.extended(
            findings=findings,
            attachments=attachments,
            occupancy_id=f"stay-{self.evidence.case_id}" if is_inside else None,
        )
        data = {
            "case_id": self.evidence.case_id,
            "revision": self.evidence.revision,
            "digest": self.evidence.digest(),
            "evidence": self.evidence.to_json(),
        }
        self._say(EventType.EVIDENCE_RECORDED, data)
        return self.evidence.digest()

    def decide(self, decision: str, *, reasons: tuple[str, ...] = (), roles: tuple[str, ...] = ()) -> None:
        data = {
            "case_id": self.evidence.case_id,
            "decision": decision,
            "reasons": list(reasons),
            "roles": list(roles),
            "digest": self.evidence.digest(),
        }
        self._say(EventType.CROSSING_DECIDED, data)

    def end(self, outcome: str) -> None:
        data = {"case_id": self.evidence.case_id, "outcome": outcome, "reasons": [], "duration_ms": 9000}
        self.has_open_case = False
        self._say(EventType.CROSSING_ENDED, {**data, "document_to_entry_ms": 1350.0, "face_to_exit_ms": 910.0})

    def store(self, kind: str, content: bytes, media_type: str) -> Attachment:
        """Put bytes into the hub's evidence store."""
        sha256 = hashlib.sha256(content).hexdigest()
        bearer = make_lane_bearer(self._key, address=f"{PORT}/{self._lane}", clock=self._clock)
        headers = {"Authorization": f"Bearer {bearer}", "X-Case-Id": self.evidence.case_id, "Content-Type": media_type}
        self._http.put(f"/api/v1/evidence/{sha256}", content=content, headers=headers).raise_for_status()
        return Attachment(kind=kind, sha256=sha256, media_type=media_type)

    def _say(self, event_type: EventType, data: dict[str, Any]) -> None:
        self._sequence += 1
        event = CloudEvent(
            id=new_event_id(),
            source=event_source(PORT, self._lane),
            type=event_type,
            time=utc(self._clock.utc_ms()),
            sequence=self._sequence,
            data=data,
        )
        self._publish(Channel.EVENT, event.model_dump_json())

    def _publish(self, channel: Channel, payload: str, *, retain: bool = False) -> None:
        self._mqtt.publish(lane_topic(PORT, self._lane, channel), payload, qos=1, retain=retain)


def finding(code: str, outcome: Outcome = Outcome.PASS, **more: Any) -> Finding:
    return Finding(code=code, outcome=outcome, **{"stage": Stage.EXIT, **more})


def referred_crossing(lane: TalkingLane, case_id: str, person: Person | None = None, *, celsius: float = 38.4) -> str:
    """A traveller with a raised temperature and goods to declare, whom customs and quarantine must look at; the digest."""
    lane.begin(case_id)
    attachments = (
        lane.store("page", page_jpeg(person or Person()), "image/jpeg"),
        lane.store("portrait", jpeg(drawn_face(warmth=0)), "image/jpeg"),
        lane.store("live", jpeg(drawn_face(warmth=18)), "image/jpeg"),
        lane.store("private", (person or Person()).private(), "application/json"),
    )
    digest = lane.record(
        finding("document.check_digits", stage=Stage.ENTRY, measured=0.994),
        finding("document.expiry", stage=Stage.ENTRY, measured="2032-04-15", threshold="2026-11-23"),
        finding("document.portrait", stage=Stage.ENTRY),
        finding("lookup.watchlist", stage=Stage.ENTRY, measured="nothing"),
        finding(
            "lookup.customs_declaration",
            Outcome.REFER,
            stage=Stage.ENTRY,
            role="customs",
            measured="hit",
            detail="meat, 2 kg",
        ),
        finding("lookup.health_declaration", stage=Stage.ENTRY, role="quarantine", measured="nothing"),
        finding("face.match", measured=0.612, threshold=0.42),
        finding("occupancy.one_person", measured="curtain 1, camera 1", threshold="1 and 1"),
        finding("health.temperature", Outcome.REFER, role="quarantine", measured=celsius, threshold=37.3),
        attachments=attachments,
    )
    lane.decide("refer", reasons=("health.temperature", "lookup.customs_declaration"), roles=("customs", "quarantine"))
    return digest


def jpeg(image: Any) -> bytes:
    return cv2.imencode(".jpg", image)[1].tobytes()


def drawn_face(*, warmth: int, height_px: int = 540) -> Any:
    """A face drawn by us, so that no test shows a real person. uint8 (height_px, height_px * 7 / 9, 3) BGR."""
    width_px = height_px * 7 // 9
    image = np.full((height_px, width_px, 3), (226 - warmth, 222, 214), dtype=np.uint8)
    middle = (width_px // 2, int(height_px * 0.47))
    scale = height_px / 540

    def at(x: float, y: float) -> tuple[int, int]:
        return middle[0] + int(x * scale), middle[1] + int(y * scale)

    def size(*lengths: float) -> tuple[int, ...]:
        return tuple(int(length * scale) for length in lengths)

    cv2.ellipse(image, at(0, 290), size(190, 150), 0, 180, 360, (122, 86, 54), -1, cv2.LINE_AA)
    cv2.rectangle(image, at(-38, 90), at(38, 190), (150, 178, 214), -1, cv2.LINE_AA)
    cv2.ellipse(image, at(0, -20), size(122, 152), 0, 0, 360, (44, 56, 74), -1, cv2.LINE_AA)
    cv2.ellipse(image, at(0, 10), size(100, 132), 0, 0, 360, (164, 192, 228 - warmth), -1, cv2.LINE_AA)
    cv2.ellipse(image, at(0, -96), size(108, 66), 0, 180, 360, (44, 56, 74), -1, cv2.LINE_AA)
    for side in (-1, 1):
        cv2.ellipse(image, at(side * 42, -14), size(15, 10), 0, 0, 360, (250, 250, 250), -1, cv2.LINE_AA)
        cv2.circle(image, at(side * 42, -14), size(8)[0], (52, 44, 38), -1, cv2.LINE_AA)
        cv2.ellipse(image, at(side * 42, -36), size(24, 8), 0, 190, 350, (44, 56, 74), size(6)[0], cv2.LINE_AA)
    cv2.ellipse(image, at(0, 30), size(12, 8), 0, 0, 180, (120, 150, 190), size(4)[0], cv2.LINE_AA)
    cv2.ellipse(image, at(0, 66), size(34, 14), 0, 10, 170, (104, 104, 178), size(6)[0], cv2.LINE_AA)
    return image


@cache
def page_jpeg(person: Person) -> bytes:
    """The data page of a passport for ``person``, with the drawn face."""
    passport = Passport(
        document_number=person.document_number,
        primary_name=person.surname,
        secondary_name=person.given_names,
        birth_date=date(1974, 8, 12),
        sex="F",
        expiry_date=date(2032, 4, 15),
        issuer=person.issuer,
        nationality=person.issuer,
    )
    return jpeg(render_page(passport, drawn_face(warmth=0), px_per_mm=8.0))
