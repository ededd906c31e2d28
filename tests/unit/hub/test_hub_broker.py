"""The hub on a real broker: receipts after commits, commands, silence, restarts."""

import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import paho.mqtt.client as mqtt
import pytest
from conftest import Mosquitto
from hub_kit import HUB_KEY, FakeLane, finding, make_hub, make_site, wait_for
from sqlalchemy import func, select

from gate.core.clock import SystemClock
from gate.hub.heard import Incoming
from gate.hub.schema import COMMANDS, EVENTS, REJECTED
from gate.hub.service import Hub
from gate.wire.mqtt import end
from gate.wire.signing import CommandVerifier, Refused, VerifiedCommand, Verifier, verify_receipt


class WireLane:
    """A lane's end of the wire, with everything it heard."""

    def __init__(self, port: int) -> None:
        self.receipted: set[str] = set()
        self.commands: list[bytes] = []
        self.cases: list[dict[str, Any]] = []
        self._verifier = Verifier.trusting(HUB_KEY.public())
        self.client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, client_id="lane-1", clean_session=False)
        self.client.reconnect_delay_set(1, 1)
        self._ready = threading.Event()
        self.client.on_connect = lambda client, *_: client.subscribe([("tongguan/v1/p/+/+", 1)])
        self.client.on_subscribe = lambda *_: self._ready.set()
        self.client.on_message = self._heard
        self.client.connect_async("127.0.0.1", port)
        self.client.loop_start()
        assert self._ready.wait(20)

    def send(self, *messages: Incoming, retain: bool = False) -> None:
        for message in messages:
            self.client.publish(message.topic, message.payload, qos=1, retain=retain)

    def close(self) -> None:
        end(self.client)

    def _heard(self, _client: object, _data: object, message: mqtt.MQTTMessage) -> None:
        if message.topic.endswith("/receipt"):
            receipt = verify_receipt(self._verifier, message.payload, address="p/lane-1")
            assert not isinstance(receipt, Refused)
            self.receipted |= set(receipt.event_ids)
        elif message.topic.endswith("/command"):
            self.commands.append(message.payload)
        elif "/case/" in message.topic:
            self.cases.append(json.loads(message.payload))


@pytest.fixture
def wire(mosquitto: Mosquitto) -> Iterator[WireLane]:
    lane = WireLane(mosquitto.port)
    yield lane
    lane.close()


@pytest.fixture
def running(tmp_path: Path, mosquitto: Mosquitto) -> Iterator[Hub]:
    hub = make_hub(make_site(tmp_path / "hub", broker_port=mosquitto.port), SystemClock())
    hub.start()
    wait_for(lambda: hub.is_settled, "the hub is ready")
    yield hub
    hub.stop()


def ids(messages: list[Incoming]) -> set[str]:
    return {json.loads(message.payload)["id"] for message in messages}


def count(hub: Hub, table: Any = EVENTS) -> int:
    with hub.store.read() as connection:
        return connection.scalar(select(func.count()).select_from(table)) or 0


def test_events_are_receipted_and_a_clear_case_gets_its_command(running: Hub, wire: WireLane) -> None:
    lane = FakeLane(SystemClock())
    said = [lane.start("c1"), lane.record(finding(is_fine=True)), lane.decide()]
    wire.send(*said)
    wait_for(lambda: wire.receipted == ids(said) and len(wire.commands) == 1, "receipts and the release")
    verifier = CommandVerifier(
        Verifier.trusting(HUB_KEY.public()),
        address="p/lane-1",
        clock=SystemClock(),
        last_seq=0,
        remember=lambda _: None,
    )
    assert isinstance(verifier.verify(wire.commands[0]), VerifiedCommand)
    wait_for(lambda: any(case["status"] == "released" for case in wire.cases), "the case change")


def test_duplicates_are_receipted_again_and_counted_once(running: Hub, wire: WireLane) -> None:
    lane = FakeLane(SystemClock())
    said = [lane.start("c1"), lane.record(finding(is_fine=True))]
    wire.send(*said)
    wait_for(lambda: wire.receipted == ids(said), "first receipts")
    wire.receipted.clear()
    wire.send(*said, *said)
    wait_for(lambda: wire.receipted == ids(said), "second receipts")
    wait_for(lambda: running.metrics.duplicates._value.get() == 4, "four duplicates")
    assert count(running) == 2


def test_what_is_not_believed_is_set_aside_and_stops_nothing(running: Hub, wire: WireLane) -> None:
    lane = FakeLane(SystemClock())
    other = FakeLane(SystemClock(), "lane-2")
    stolen = Incoming(topic="tongguan/v1/p/lane-1/event", payload=other.start("c9").payload, arrived_ns=0)
    unknown = Incoming(topic="tongguan/v1/p/lane-9/event", payload=lane.start("c8").payload, arrived_ns=0)
    bad = [lane.message("event", b"\xff\x00"), lane.message("ack", "[" * 5000), lane.message("status", "{}")]
    wire.send(stolen, unknown, *bad, *bad)
    good = lane.start("c1")
    wire.send(good)
    wait_for(lambda: wire.receipted == ids([good]), "the good one")
    assert count(running) == 1
    with running.store.read() as connection:
        rows = {row.reason: row.count for row in connection.execute(select(REJECTED)) if row.reason != "malformed"}
        repeated = connection.scalar(select(func.max(REJECTED.c.count)))
    assert rows == {"forged_source": 1, "unknown_lane": 1}
    assert repeated == 2


def test_a_broker_that_dies_is_noticed_and_found_again(running: Hub, wire: WireLane, mosquitto: Mosquitto) -> None:
    mosquitto.stop()
    wait_for(lambda: not running.is_ready, "the hub notices")
    mosquitto.start()
    wait_for(lambda: running.is_ready, "the hub is back")
    lane = FakeLane(SystemClock())
    said = lane.start("c1")
    wire.send(said)
    wait_for(lambda: wire.receipted == ids([said]), "the receipt")


def test_a_command_that_nobody_answered_is_repeated_after_a_restart(
    tmp_path: Path, mosquitto: Mosquitto, wire: WireLane
) -> None:
    site = make_site(tmp_path / "hub", broker_port=mosquitto.port, hub={"command_lifetime_s": 60})
    first = make_hub(site, SystemClock())
    first.start()
    wait_for(lambda: first.is_settled, "the hub is ready")
    lane = FakeLane(SystemClock())
    wire.send(lane.start("c1"), lane.record(finding(is_fine=True)), lane.decide())
    wait_for(lambda: len(wire.commands) == 1, "the release")
    first.stop()
    second = make_hub(site, SystemClock())
    second.start()
    wait_for(lambda: len(wire.commands) == 2, "the same release again")
    assert wire.commands[0] == wire.commands[1]
    with second.store.read() as connection:
        release_id = connection.scalar(select(COMMANDS.c.jti))
    wire.send(lane.ack(str(release_id)))
    wait_for(lambda: _state(second) == "taken", "the answer")
    second.stop()


def test_a_lane_that_comes_online_is_told_again(running: Hub, wire: WireLane) -> None:
    lane = FakeLane(SystemClock())
    status = json.dumps({"is_online": True, "boot_id": "b", "software_version": "1"})
    offline = status.replace("true", "false")
    wire.send(lane.message("status", offline), retain=True)
    wire.send(lane.start("c1"), lane.record(finding(is_fine=True)), lane.decide())
    wait_for(lambda: len(wire.commands) == 1, "the release")
    wire.send(lane.message("status", status), retain=True)
    wait_for(lambda: len(wire.commands) == 2, "the release again")
    assert wire.commands[0] == wire.commands[1]
    wire.send(lane.message("status", ""), retain=True)


def test_a_database_that_refuses_loses_nothing(running: Hub, wire: WireLane) -> None:
    lane = FakeLane(SystemClock())
    with running.store.write() as connection:
        connection.exec_driver_sql("ALTER TABLE events RENAME TO elsewhere")
    said = [lane.start("c1"), lane.record()]
    wire.send(*said)
    wait_for(lambda: running.metrics.retries._value.get() >= 1, "the refusal")
    assert wire.receipted == set()
    with running.store.write() as connection:
        connection.exec_driver_sql("ALTER TABLE elsewhere RENAME TO events")
    wait_for(lambda: wire.receipted == ids(said), "the receipts")
    assert count(running) == 2


def _state(hub: Hub) -> str | None:
    with hub.store.read() as connection:
        return connection.scalar(select(COMMANDS.c.state))
