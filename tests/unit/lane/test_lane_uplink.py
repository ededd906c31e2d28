"""The lane's end of MQTT on a real broker: resend until a true receipt, believe only true commands, come back by itself."""

import asyncio
import json
import sqlite3
import threading
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import paho.mqtt.client as mqtt
import pytest
import pytest_asyncio
from lane_kit import ADDRESS, LANE, PORT, BreakableStore, until

from config.schema import Broker, Site
from gate.core.clock import SystemClock
from gate.embedded import BrokerHandle, speaks_mqtt, start_embedded_broker
from gate.lane import uplink as uplink_module
from gate.lane.hub_link import Stored
from gate.lane.store import EventDraft, LaneStore, Picture
from gate.lane.uplink import Uplink
from gate.wire.messages import Act, AlarmCleared, Command, EventType, LaneState, Receipt, utc
from gate.wire.mqtt import end
from gate.wire.signing import (
    CommandVerifier,
    Refused,
    SigningKey,
    VerifiedCommand,
    Verifier,
    sign_command,
    sign_receipt,
    verify_receipt,
)
from gate.wire.topics import Channel, lane_topic
from simulator.port import free_port

HUB, STRANGER = SigningKey.generate(), SigningKey.generate()
CLOCK = SystemClock()


def make_site(port: int) -> Site:
    camera = {"kind": "folder", "source": "x"}
    return Site.model_validate(
        {
            "port": {"id": PORT, "title": "P"},
            "broker": {"port": port, "is_embedded": True},
            "policy": {"mode": "gate"},
            "lane": [{"id": LANE, "board": {"port": "x"}, "face_camera": camera, "document_camera": camera}],
        }
    )


class Harbour:
    """A broker that can be stopped and started again on the same port."""

    def __init__(self) -> None:
        self.site = make_site(free_port())
        self._handle: BrokerHandle | None = None
        self.start()

    @property
    def settings(self) -> Broker:
        return self.site.broker

    def start(self) -> None:
        self._handle = start_embedded_broker(self.site)

    def stop(self) -> None:
        if self._handle is not None:
            self._handle.stop()
            self._handle = None


@pytest.fixture(scope="module")
def harbour() -> Iterator[Harbour]:
    made = Harbour()
    yield made
    made.stop()


class HubEnd:
    """The hub's end of the wire, scripted by the test. ``is_silent``: no receipts."""

    def __init__(self, settings: Broker) -> None:
        self.is_silent = False
        self.key = HUB
        self.events: list[dict[str, Any]] = []
        self.acks: list[dict[str, Any]] = []
        self.states: list[str] = []
        self.status: list[bool] = []
        self._topics = {channel: lane_topic(PORT, LANE, channel) for channel in Channel}
        self._ready = threading.Event()
        self._client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, client_id="hub-end", protocol=mqtt.MQTTv311)
        self._client.reconnect_delay_set(1, 1)
        self._client.on_connect = lambda client, *_: client.subscribe(f"tongguan/v1/{PORT}/{LANE}/+", 1)
        self._client.on_subscribe = lambda *_: self._ready.set()
        self._client.on_message = self._heard
        self._client.connect_async(settings.host, settings.port, keepalive=10)
        self._client.loop_start()
        assert self._ready.wait(20)

    def close(self) -> None:
        end(self._client)

    def receipt(self, *event_ids: str, key: SigningKey | None = None, address: str = ADDRESS) -> None:
        signed = sign_receipt(key or self.key, Receipt(aud=address, iat=time.time(), event_ids=list(event_ids)))
        self._client.publish(self._topics[Channel.RECEIPT], signed, qos=1)

    def send(self, token: str, *, retain: bool = False) -> None:
        """Returns when the broker has it, so that whoever subscribes after that finds it retained."""
        self._client.publish(self._topics[Channel.COMMAND], token, qos=1, retain=retain).wait_for_publish(10)

    def _heard(self, _client: object, _data: object, message: mqtt.MQTTMessage) -> None:
        channel = message.topic.rsplit("/", 1)[1]
        if channel == Channel.EVENT:
            event = json.loads(message.payload)
            self.events.append(event)
            if not self.is_silent:
                self.receipt(event["id"])
        elif channel == Channel.ACK:
            self.acks.append(json.loads(message.payload))
        elif channel == Channel.STATE:
            self.states.append(json.loads(message.payload)["state"])
        elif channel == Channel.STATUS:
            self.status.append(json.loads(message.payload)["is_online"])


@pytest.fixture
def hub(harbour: Harbour) -> Iterator[HubEnd]:
    made = HubEnd(harbour.settings)
    yield made
    made.close()


class Evidence:
    """The hub's evidence store as the lane sees it."""

    def __init__(self) -> None:
        self.is_there = True
        self.never = ""
        self.tries = 0
        self.kept: list[str] = []

    async def store_picture(self, picture: Picture) -> Stored:
        self.tries += 1
        if picture.sha256 == self.never:
            return Stored.NEVER
        if self.is_there:
            self.kept.append(picture.sha256)
        return Stored.DONE if self.is_there else Stored.LATER


class LaneEnd:
    """An uplink with its store and what it handed on."""

    def __init__(self, folder: Path, harbour: Harbour) -> None:
        self.store = BreakableStore(folder / "lane.sqlite", port=PORT, lane=LANE, clock=CLOCK)
        self.evidence = Evidence()
        self.taken: list[VerifiedCommand] = []
        self.refused: list[str] = []
        self.failures: list[sqlite3.Error] = []
        self.ends: list[asyncio.Task[None]] = []
        self.objection: str | None = None
        self.uplink = Uplink(
            broker=harbour.settings,
            port=PORT,
            lane=LANE,
            boot_id="1-x",
            software_version="0",
            store=self.store,
            hub=self.evidence,  # type: ignore[arg-type]
            commands=CommandVerifier(
                Verifier.trusting(HUB.public()),
                address=ADDRESS,
                clock=CLOCK,
                last_seq=self.store.last_command_seq,
                remember=self.store.remember_command,
            ),
            receipts=Verifier.trusting(HUB.public()),
            on_command=self._take,
            on_refused=lambda refused: self.refused.append(refused.reason),
            on_store_failed=self.failures.append,
            clock=CLOCK,
        )

    def _take(self, command: VerifiedCommand) -> str | None:
        self.taken.append(command)
        return self.objection

    def say(self, count: int = 1) -> list[str]:
        """Record and send; the ids."""
        draft = EventDraft(type=EventType.ALARM_CLEARED, data=AlarmCleared(reason="r", by="b"))
        rows = self.store.record([draft] * count)
        self.uplink.send(rows)
        return [row.id for row in rows]

    async def connected(self) -> None:
        await until(lambda: self.uplink.is_connected, "the lane is connected", 20)


@pytest_asyncio.fixture
async def lane(tmp_path: Path, harbour: Harbour, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[LaneEnd]:
    monkeypatch.setattr(uplink_module, "RESEND_S", 0.3)
    monkeypatch.setattr(uplink_module, "PICTURE_RETRY_S", 0.05)
    made = LaneEnd(tmp_path, harbour)
    await made.uplink.start(made.ends.append)
    await made.connected()
    yield made
    await made.uplink.stop()
    made.store.close()
    assert all(task.cancelled() for task in made.ends), [task for task in made.ends if not task.cancelled()]


def command(seq: int, *, key: SigningKey = HUB, aud: str = ADDRESS, lifetime_s: float = 10.0) -> str:
    now_s = time.time()
    body = Command(
        iss="hub", aud=aud, jti=f"{seq:032x}", seq=seq, iat=now_s, exp=now_s + lifetime_s, act=Act.SEND_BACK, by="o"
    )
    return sign_command(key, body)


def state(name: str) -> LaneState:
    return LaneState.model_validate(
        {"state": name, "step": "please_wait", "lamp": "blue", "since": utc(CLOCK.utc_ms())}
    )


async def test_an_event_leaves_the_outbox_on_the_hubs_receipt(lane: LaneEnd, hub: HubEnd) -> None:
    ids = lane.say(3)
    await until(lambda: lane.store.waiting_count() == 0, "the outbox is empty")
    assert [event["id"] for event in hub.events] == ids
    assert [event["sequence"] for event in hub.events] == [1, 2, 3]


async def test_without_a_receipt_it_is_sent_again_and_again(lane: LaneEnd, hub: HubEnd) -> None:
    hub.is_silent = True
    (event_id,) = lane.say()
    await until(lambda: len(hub.events) >= 3, "three times")
    assert {event["id"] for event in hub.events} == {event_id}
    assert lane.store.waiting_count() == 1
    hub.receipt(event_id)
    await until(lambda: lane.store.waiting_count() == 0, "the outbox is empty")


async def test_a_forged_or_foreign_receipt_empties_nothing(lane: LaneEnd, hub: HubEnd) -> None:
    hub.is_silent = True
    (event_id,) = lane.say()
    hub.receipt(event_id, key=STRANGER)
    hub.receipt(event_id, address="p/lane-2")
    seen = len(hub.events)
    await until(lambda: len(hub.events) >= seen + 2, "it is still sent")
    assert lane.store.waiting_count() == 1


async def test_a_true_command_is_taken_and_acknowledged(lane: LaneEnd, hub: HubEnd) -> None:
    hub.send(command(1))
    await until(lambda: bool(hub.acks), "the acknowledgement")
    assert lane.taken[0].command.act is Act.SEND_BACK
    assert hub.acks == [{"command_id": f"{1:032x}", "outcome": "taken", "reason": ""}]
    assert lane.store.last_command_seq == 1


async def test_an_objection_of_the_lane_goes_back_to_the_hub(lane: LaneEnd, hub: HubEnd) -> None:
    lane.objection = "other_case"
    hub.send(command(1))
    await until(lambda: bool(hub.acks), "the acknowledgement")
    assert (hub.acks[0]["outcome"], hub.acks[0]["reason"]) == ("refused", "other_case")


async def test_what_is_forged_replayed_foreign_late_or_noise_is_refused_and_reported(
    lane: LaneEnd, hub: HubEnd
) -> None:
    good = command(5)
    hub.send(good)
    await until(lambda: len(hub.acks) == 1, "the good one")
    for token in (command(6, key=STRANGER), good, command(4), command(7, aud="p/lane-2"), "noise"):
        hub.send(token)
    hub.send(command(8, lifetime_s=-1.0))
    await until(lambda: len(hub.acks) == 7, "six refusals")
    assert lane.refused == ["unknown_key", "replayed", "replayed", "not_for_this_lane", "bad_signature", "expired"]
    assert [ack["outcome"] for ack in hub.acks[1:]] == ["refused"] * 6
    assert len(lane.taken) == 1


async def test_a_retained_command_is_no_command(
    tmp_path: Path, harbour: Harbour, hub: HubEnd, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who can retain a message on the broker could otherwise replay it to each lane that starts."""
    hub.send(command(1), retain=True)
    lane = LaneEnd(tmp_path, harbour)
    await lane.uplink.start(lane.ends.append)
    await lane.connected()
    hub.send(command(2))
    await until(lambda: bool(lane.taken), "the command that is not retained")
    assert [item.command.seq for item in lane.taken] == [2]
    hub.send("", retain=True)
    await lane.uplink.stop()
    lane.store.close()


async def test_state_and_status_are_retained_for_who_comes_later(lane: LaneEnd, harbour: Harbour) -> None:
    lane.uplink.publish_state(state("ready"))
    late = HubEnd(harbour.settings)
    try:
        await until(lambda: late.states[-1:] == ["ready"] and late.status[-1:] == [True], "the retained ones")
    finally:
        late.close()


async def test_a_goodbye_is_told_as_offline(tmp_path: Path, harbour: Harbour, hub: HubEnd) -> None:
    lane = LaneEnd(tmp_path, harbour)
    await lane.uplink.start(lane.ends.append)
    await lane.connected()
    await until(lambda: hub.status[-1:] == [True], "online")
    await lane.uplink.stop()
    lane.store.close()
    await until(lambda: hub.status[-1:] == [False], "offline")


async def test_a_broker_that_goes_and_comes_back_costs_nothing(lane: LaneEnd, hub: HubEnd, harbour: Harbour) -> None:
    lane.uplink.publish_state(state("ready"))
    harbour.stop()
    await until(lambda: not lane.uplink.is_connected, "the loss is noticed")
    ids = lane.say(2)
    lane.uplink.publish_state(state("referred"))
    assert lane.store.waiting_count() == 2
    harbour.start()
    await until(lambda: lane.store.waiting_count() == 0, "everything is receipted", 30)
    assert {event["id"] for event in hub.events} == set(ids)
    await until(lambda: hub.states[-1] == "referred", "the newest state")


async def test_more_than_one_batch_goes_out(lane: LaneEnd, hub: HubEnd) -> None:
    ids = lane.say(230)
    await until(lambda: lane.store.waiting_count() == 0, "the outbox is empty", 30)
    assert {event["id"] for event in hub.events} == set(ids)


async def test_a_picture_that_the_hub_will_never_take_stands_in_nobodys_way(lane: LaneEnd) -> None:
    pictures = [Picture(sha256=f"{n:064x}", case_id="c", media_type="image/jpeg", data=b"x") for n in range(6)]
    lane.evidence.never = pictures[0].sha256
    lane.store.record(pictures=pictures)
    lane.uplink.pictures_waiting()
    await until(lambda: lane.store.waiting_pictures() == [], "the queue is empty")
    assert set(lane.evidence.kept) == {picture.sha256 for picture in pictures[1:]}
    assert lane.store.refused_count() == 1


async def test_pictures_wait_until_the_hub_has_them(lane: LaneEnd) -> None:
    lane.evidence.is_there = False
    pictures = [Picture(sha256=f"{n:064x}", case_id="c", media_type="image/jpeg", data=b"x") for n in range(6)]
    lane.store.record(pictures=pictures)
    lane.uplink.pictures_waiting()
    await until(lambda: lane.evidence.tries >= 2, "two tries")
    assert len(lane.store.waiting_pictures(limit=10)) == 6
    lane.evidence.is_there = True
    await until(lambda: lane.store.waiting_pictures() == [], "the hub has them")
    assert set(lane.evidence.kept) == {picture.sha256 for picture in pictures}


async def test_a_disk_that_takes_no_receipt_is_told_and_the_event_stays(lane: LaneEnd, hub: HubEnd) -> None:
    hub.is_silent = True
    (event_id,) = lane.say()
    lane.store.is_full = True
    hub.receipt(event_id)
    await until(lambda: bool(lane.failures), "the failure is told")
    lane.store.is_full = False
    assert lane.store.waiting_count() == 1
    hub.is_silent = False
    await until(lambda: lane.store.waiting_count() == 0, "the next receipt is taken")


async def test_a_command_whose_number_cannot_be_kept_is_not_obeyed(lane: LaneEnd, hub: HubEnd) -> None:
    lane.uplink._commands = CommandVerifier(
        Verifier.trusting(HUB.public()), address=ADDRESS, clock=CLOCK, last_seq=0, remember=_fail
    )
    hub.send(command(1))
    await until(lambda: bool(lane.failures), "the failure is told")
    assert (lane.taken, hub.acks) == ([], [])


def _fail(_seq: int) -> None:
    raise sqlite3.OperationalError("database or disk is full")


def test_a_broker_is_told_from_other_listeners(harbour: Harbour) -> None:
    assert speaks_mqtt(harbour.settings.host, harbour.settings.port)
    assert not speaks_mqtt("127.0.0.1", free_port())


def test_a_receipt_is_believed_only_with_the_hubs_key() -> None:
    """The forged receipts above are forged in nothing but the key and the address."""
    receipt = Receipt(aud=ADDRESS, iat=time.time(), event_ids=["a"])
    verifier = Verifier.trusting(HUB.public())
    assert not isinstance(verify_receipt(verifier, sign_receipt(HUB, receipt), address=ADDRESS), Refused)
    assert isinstance(verify_receipt(verifier, sign_receipt(STRANGER, receipt), address=ADDRESS), Refused)


async def test_a_store_that_cannot_be_read_is_told_and_asked_again(
    lane: LaneEnd, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_args: object) -> None:
        raise sqlite3.OperationalError("disk I/O error")

    with monkeypatch.context() as patch:
        patch.setattr(LaneStore, "waiting_events", broken)
        patch.setattr(LaneStore, "waiting_pictures", broken)
        lane.uplink._wake.set()
        lane.uplink.pictures_waiting()
        await until(lambda: len(lane.failures) >= 2, "both failures are told")
    lane.store.record(pictures=[Picture(sha256="a" * 64, case_id="c", media_type="image/jpeg", data=b"x")])
    await until(lambda: lane.evidence.kept == ["a" * 64], "the picture goes after all")
    assert lane.ends == []
