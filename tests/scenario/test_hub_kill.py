"""kill -9 of the hub in the middle of a lane's events: afterwards each is in the store once, and no case was released twice."""

import contextlib
import json
import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import paho.mqtt.client as mqtt
import pytest
from sqlalchemy import create_engine, text

from config.loader import dump_site, parse_site
from config.schema import Site
from gate.core.evidence import Evidence, Finding, Outcome, Stage
from gate.wire.keyring import Keyring
from gate.wire.messages import CloudEvent, EventType, new_event_id, utc
from gate.wire.mqtt import end
from gate.wire.signing import Refused, Verifier, verify_receipt

CASES = 400
EVENTS = 3 * CASES
ROOT = Path(__file__).resolve().parents[2]

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


def wait_for(condition: Callable[[], bool], what: str, within_s: float = 180.0) -> None:
    end = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < end, f"not within {within_s} s: {what}"
        time.sleep(0.002)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        number: int = probe.getsockname()[1]
        return number


@pytest.fixture
def broker_port(tmp_path: Path) -> Iterator[int]:
    program = shutil.which("mosquitto") or "/usr/sbin/mosquitto"
    if not Path(program).exists():
        message = "mosquitto is not installed: apt-get install mosquitto"
        if os.environ.get("CI"):
            pytest.fail(message)
        pytest.skip(message)
    port = free_port()
    config = tmp_path / "mosquitto.conf"
    config.write_text(f"listener {port} 127.0.0.1\nallow_anonymous true\nmax_queued_messages 0\n")
    process = subprocess.Popen([program, "-c", str(config)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def answers() -> bool:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            return False
        return True

    wait_for(answers, "mosquitto listens")
    yield port
    process.kill()
    process.wait(10)


@pytest.fixture
def site(tmp_path: Path, broker_port: int) -> Site:
    data = {
        "port": {"id": "p", "title": "P"},
        "state_dir": str(tmp_path / "state"),
        "broker": {"port": broker_port},
        "role": [{"id": "customs", "title": "Customs", "title_zh": "海关", "colour": "#000000"}],
        "lane": [
            {
                "id": "lane-1",
                "board": {"port": "/dev/none"},
                "face_camera": {"kind": "folder", "source": "x"},
                "document_camera": {"kind": "folder", "source": "x"},
            }
        ],
    }
    made = parse_site(data, origin="test")
    Keyring(made.keys_dir).create_missing(lane.id for lane in made.lanes)
    dump_site(made, tmp_path / "site.toml")
    return made


class Outbox:
    """A lane that repeats what is not receipted."""

    def __init__(self, broker_port: int, verifier: Verifier) -> None:
        self._lock = threading.Lock()
        self._pending = make_events()
        self.receipts = 0
        self._verifier = verifier
        self._client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, client_id="lane-1", clean_session=False)
        self._client.on_connect = lambda client, *_: client.subscribe("tongguan/v1/p/lane-1/receipt", 1)
        self._client.on_message = self._receipted
        self._client.connect("127.0.0.1", broker_port)
        self._client.loop_start()

    def send(self) -> None:
        with self._lock:
            pending = list(self._pending.values())
        for payload in pending:
            self._client.publish("tongguan/v1/p/lane-1/event", payload, qos=1)

    def send_until(self, left: int, within_s: float = 180.0) -> None:
        """Send what is not receipted, and again whenever nothing has been receipted for a second."""
        end = time.monotonic() + within_s
        while self.left > left:
            assert time.monotonic() < end, f"{self.left} events were not receipted within {within_s} s"
            before = self.left
            self.send()
            again = time.monotonic() + 1.0
            while self.left > left and (self.left < before or time.monotonic() < again):
                if self.left < before:
                    before, again = self.left, time.monotonic() + 1.0
                time.sleep(0.001)

    def send_until_true(self, condition: Callable[[], bool], within_s: float = 180.0) -> None:
        """Send what is not receipted, each second again: a hub that is not up yet is told nothing by the broker."""
        end = time.monotonic() + within_s
        again = 0.0
        while not condition():
            assert time.monotonic() < end, f"not within {within_s} s"
            if time.monotonic() >= again:
                self.send()
                again = time.monotonic() + 1.0
            time.sleep(0.001)

    @property
    def left(self) -> int:
        with self._lock:
            return len(self._pending)

    def close(self) -> None:
        end(self._client)

    def _receipted(self, _client: object, _data: object, message: mqtt.MQTTMessage) -> None:
        receipt = verify_receipt(self._verifier, message.payload, address="p/lane-1")
        assert not isinstance(receipt, Refused)
        with self._lock:
            for event_id in receipt.event_ids:
                self._pending.pop(event_id, None)


def make_events() -> dict[str, str]:
    events: dict[str, str] = {}

    def say(event_type: EventType, data: dict[str, object]) -> None:
        event = CloudEvent(
            id=new_event_id(),
            source="/p/lane-1",
            type=event_type,
            time=utc(int(time.time() * 1000)),
            sequence=len(events) + 1,
            data=data,
        )
        events[event.id] = event.model_dump_json()

    fine = Finding(code="document.valid", outcome=Outcome.PASS, stage=Stage.EXIT)
    for number in range(CASES):
        case_id = f"c{number}"
        item = Evidence(port="p", lane="lane-1", case_id=case_id, occupancy_id="stay", findings=(fine,))
        say(EventType.CROSSING_STARTED, {"case_id": case_id})
        say(
            EventType.EVIDENCE_RECORDED,
            {"case_id": case_id, "revision": 0, "digest": item.digest(), "evidence": item.to_json()},
        )
        say(
            EventType.CROSSING_DECIDED,
            {"case_id": case_id, "decision": "clear", "reasons": [], "roles": [], "digest": item.digest()},
        )
    return events


def start_hub(site_file: Path) -> "subprocess.Popen[bytes]":
    script = Path(__file__).with_name("hub_process.py")
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    return subprocess.Popen(
        [sys.executable, str(script), str(site_file)],
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def stored_events(site: Site) -> int:
    """How many events are committed; 0 before the hub has made its tables."""
    with contextlib.closing(sqlite3.connect(site.state_dir / "hub.db", timeout=5)) as connection:
        try:
            return int(connection.execute("SELECT count(*) FROM events").fetchone()[0])
        except sqlite3.OperationalError:
            return 0


def test_a_hub_killed_twice_has_every_event_once(tmp_path: Path, site: Site, broker_port: int) -> None:
    outbox = Outbox(broker_port, Verifier.trusting(Keyring(site.keys_dir).hub_public()))
    hub = start_hub(tmp_path / "site.toml")
    try:
        for stored in (EVENTS // 10, EVENTS * 4 // 10):
            # Receipts are gathered for a while: what is in the store tells how far the hub is.
            outbox.send_until_true(lambda least=stored: stored_events(site) >= least)
            os.kill(hub.pid, signal.SIGKILL)
            hub.wait(10)
            assert outbox.left > 0, "the hub was too quick to be killed in the middle"
            hub = start_hub(tmp_path / "site.toml")
        outbox.send_until(0)
    finally:
        outbox.close()
        hub.terminate()
        hub.wait(20)
    assert hub.returncode == 0
    engine = create_engine(f"sqlite:///{site.state_dir / 'hub.db'}")
    with engine.connect() as connection:
        sequences = list(connection.scalars(text("SELECT sequence FROM events ORDER BY sequence")))
        releases = connection.execute(
            text("SELECT case_id, count(*) FROM commands WHERE act = 'release' GROUP BY case_id")
        ).all()
        statuses = {json.loads(body)["status"] for body in connection.scalars(text("SELECT body FROM cases"))}
    engine.dispose()
    assert sequences == list(range(1, EVENTS + 1))
    assert len(releases) == CASES
    assert {count for _, count in releases} == {1}
    assert statuses <= {"released", "open"}
