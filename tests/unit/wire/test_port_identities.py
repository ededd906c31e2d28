"""A port's authority, identities and access list on a real mosquitto; one signing key after another."""

import json
import ssl
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import paho.mqtt.client as mqtt
import pytest
import typer
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from typer.testing import CliRunner

from config.loader import dump_site
from config.schema import Broker, Site
from gate.cli import keys as key_commands
from gate.core.clock import ManualClock, SystemClock
from gate.errors import GateError
from gate.wire.authority import Authority
from gate.wire.identity import as_identity, console_identity, hub_identity
from gate.wire.keyring import Keyring
from gate.wire.messages import Receipt
from gate.wire.mosquitto import access_list, settings
from gate.wire.mqtt import end
from gate.wire.signing import Verifier, sign_receipt, verify_receipt
from gate.wire.topics import Channel, all_lanes, lane_topic
from simulator.bench_ingest import make_site
from simulator.rigs import Mosquitto, wait_until

PORT = "p"
APP = typer.Typer()
key_commands.register(APP)


class SecureMosquitto(Mosquitto):
    """With the settings that `gate keys init --tls` writes."""

    def __init__(self, folder: Path, tls: Path) -> None:
        super().__init__(folder)
        text = settings(folder=tls, listen="127.0.0.1", port=self.port, storage=folder)
        (folder / "mosquitto.conf").write_text(text + "user root\n", encoding="utf-8")


@pytest.fixture(scope="module")
def tls(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tls")
    authority = Authority(folder, port=PORT, clock=SystemClock())
    authority.create_missing()
    authority.issue("broker", hosts=["127.0.0.1", "localhost"])
    for name in (hub_identity(PORT), console_identity(PORT), "lane-1", "lane-2"):
        authority.issue(name)
    (folder / "acl").write_text(access_list(PORT), encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def broker(tls: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mosquitto]:
    with SecureMosquitto(tmp_path_factory.mktemp("broker"), tls) as program:
        yield program


class Client:
    """A connection with a certificate (or none), and what it heard."""

    def __init__(self, broker: Mosquitto, tls: Path, name: str | None, *, is_mqtt5: bool = False) -> None:
        protocol = MQTTProtocolVersion.MQTTv5 if is_mqtt5 else MQTTProtocolVersion.MQTTv311
        self.client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id=f"{name}-{id(self)}", protocol=protocol)
        settings = Broker(
            host="127.0.0.1",
            ca_file=tls / "ca.pem",
            certificate_file=tls / "{identity}.pem",
            key_file=tls / "{identity}.key",
        )
        own = as_identity(settings, name or "")
        files = (str(own.certificate_file), str(own.key_file)) if name else (None, None)
        self.client.tls_set(str(tls / "ca.pem"), *files)
        self.heard: list[str] = []
        self.answers: list[bool] = []
        self.client.on_publish = lambda _client, _data, _mid, reason, _properties: self.answers.append(
            reason.is_failure
        )
        self.granted = threading.Event()
        self.client.on_message = lambda _client, _data, message: self.heard.append(message.topic)
        self.client.on_subscribe = lambda *_: self.granted.set()
        connected = threading.Event()
        self.client.on_connect = lambda *_: connected.set()
        self.client.connect("127.0.0.1", broker.port)
        self.client.loop_start()
        assert connected.wait(10)

    def subscribe(self, topic: str) -> None:
        self.granted.clear()
        self.client.subscribe(topic, 1)
        assert self.granted.wait(10)

    def say(self, *topics: str) -> None:
        for topic in topics:
            self.client.publish(topic, b"x", qos=1).wait_for_publish(10)

    def is_allowed_to_say(self, topic: str) -> bool:
        """MQTT 5 only, where the broker says it. mosquitto 2.0.11 also ends the connection, and with it what it subscribed to."""
        self.answers.clear()
        self.client.publish(topic, b"x", qos=1)
        wait_until(lambda: bool(self.answers), "the broker's answer", 10)
        return not self.answers[0]

    def close(self) -> None:
        end(self.client)


@pytest.fixture
def connect(broker: Mosquitto, tls: Path) -> Iterator[Callable[..., Client]]:
    clients: list[Client] = []

    def make(name: str, *, is_mqtt5: bool = False) -> Client:
        clients.append(Client(broker, tls, name, is_mqtt5=is_mqtt5))
        return clients[-1]

    yield make
    for client in clients:
        client.close()


def test_a_lane_writes_below_its_own_name_only(connect: Callable[..., Client]) -> None:
    hub, lane = connect(hub_identity(PORT)), connect("lane-1", is_mqtt5=True)
    hub.subscribe(all_lanes(PORT, Channel.EVENT))
    own, foreign = (lane_topic(PORT, name, Channel.EVENT) for name in ("lane-1", "lane-2"))
    assert not lane.is_allowed_to_say(foreign)
    assert lane.is_allowed_to_say(own)
    wait_until(lambda: own in hub.heard, "the lane's own event")
    assert hub.heard == [own]


def test_a_lane_reads_its_own_commands_and_gives_none(connect: Callable[..., Client]) -> None:
    hub = connect(hub_identity(PORT))
    first, second = connect("lane-1"), connect("lane-2")
    for lane in (first, second):
        lane.subscribe(all_lanes(PORT, Channel.COMMAND))
        for name in ("lane-1", "lane-2"):
            lane.subscribe(lane_topic(PORT, name, Channel.COMMAND))
    orders = [lane_topic(PORT, name, Channel.COMMAND) for name in ("lane-1", "lane-2")]
    for name in ("lane-1", "lane-2"):
        assert not connect(name, is_mqtt5=True).is_allowed_to_say(orders[0])
    hub.say(*orders)
    wait_until(lambda: bool(first.heard) and bool(second.heard), "both commands")
    assert (first.heard, second.heard) == ([orders[0]], [orders[1]])


def test_a_console_only_reads_what_screens_show(connect: Callable[..., Client]) -> None:
    console, trespasser = connect(console_identity(PORT)), connect(console_identity(PORT), is_mqtt5=True)
    hub, lane = connect(hub_identity(PORT)), connect("lane-1")
    for channel in (Channel.EVENT, Channel.STATE, Channel.COMMAND):
        console.subscribe(all_lanes(PORT, channel))
    for channel in (Channel.EVENT, Channel.STATE):
        hub.subscribe(all_lanes(PORT, channel))
    state, event, order = (
        lane_topic(PORT, "lane-1", channel) for channel in (Channel.STATE, Channel.EVENT, Channel.COMMAND)
    )
    assert not any(trespasser.is_allowed_to_say(topic) for topic in (order, state, event))
    lane.say(event, state)
    wait_until(lambda: state in console.heard and state in hub.heard, "the state")
    assert console.heard == [state]
    assert hub.heard == [event, state]


def test_a_worker_may_share(connect: Callable[..., Client]) -> None:
    worker, lane = connect(hub_identity(PORT), is_mqtt5=True), connect("lane-1")
    worker.subscribe(f"$share/tongguan-ingest/{all_lanes(PORT, Channel.EVENT)}")
    own = lane_topic(PORT, "lane-1", Channel.EVENT)
    lane.say(own)
    wait_until(lambda: worker.heard == [own], "the worker's share")


def test_without_a_certificate_there_is_nothing(broker: Mosquitto, tls: Path, tmp_path: Path) -> None:
    with pytest.raises((ssl.SSLError, ConnectionError)):
        _connack(broker, tls, None, None)
    stranger = Authority(tmp_path, port=PORT, clock=SystemClock())
    stranger.create_missing()
    certificate, key = stranger.issue(hub_identity(PORT))
    with pytest.raises((ssl.SSLError, ConnectionError)):
        _connack(broker, tls, certificate, key)
    assert _connack(broker, tls, *Authority(tls, port=PORT, clock=SystemClock()).files("lane-1")) == b"\x20\x02"


def _connack(broker: Mosquitto, tls: Path, certificate: Path | None, key: Path | None) -> bytes:
    """The first two bytes that the broker answers to CONNECT (MQTT 3.1.1, clause 3.1); TLS 1.3 tells of a refusal only on reading."""
    import socket

    context = ssl.create_default_context(cafile=str(tls / "ca.pem"))
    if certificate is not None and key is not None:
        context.load_cert_chain(certificate, key)
    with (
        socket.create_connection(("127.0.0.1", broker.port), timeout=10) as plain,
        context.wrap_socket(plain, server_hostname="127.0.0.1") as line,
    ):
        line.sendall(b"\x10\x10\x00\x04MQTT\x04\x02\x00\x05\x00\x04hail")
        answer = line.recv(2)
        if not answer:
            raise ConnectionError("closed without an answer")
        return answer


@pytest.fixture
def site_file(tmp_path: Path) -> Path:
    site = make_site(tmp_path, broker_port=1, database=None, workers=1, lanes=2)
    dump_site(site, tmp_path / "site.toml")
    return tmp_path / "site.toml"


def run(*arguments: str) -> list[dict[str, object]]:
    result = CliRunner().invoke(APP, [*arguments, "--json"])
    if isinstance(result.exception, GateError):
        raise result.exception
    assert result.exit_code == 0, result.output
    return [json.loads(line) for line in result.stdout.splitlines()]


def test_init_makes_all_that_a_port_needs_and_keeps_what_is_there(site_file: Path) -> None:
    tls = site_file.parent / "state" / "tls"
    first = run("keys", "init", "--site", str(site_file), "--tls")
    before = {path.name: path.read_bytes() for path in tls.iterdir()}
    assert {Path(str(item["file"])).name for item in first if "tls" in str(item["file"])} == {
        "ca.pem", "broker.pem", "hub@bench.pem", "console@bench.pem", "lane-1.pem", "lane-2.pem", "acl", "mosquitto.conf",
        "nats-users.conf",
    }  # fmt: skip
    assert {path.stat().st_mode & 0o777 for path in tls.glob("*.key")} == {0o600}
    run("keys", "init", "--site", str(site_file), "--tls")
    assert {path.name: path.read_bytes() for path in tls.iterdir()} == before
    run("keys", "issue", "--site", str(site_file), "--name", "lane-1")
    assert (tls / "lane-1.pem").read_bytes() != before["lane-1.pem"]
    with pytest.raises(GateError, match="no lane 'lane-9'"):
        run("keys", "issue", "--site", str(site_file), "--name", "lane-9")


def test_a_signing_key_follows_another_without_a_gap(site_file: Path) -> None:
    site = str(site_file)
    keys = Keyring(site_file.parent / "state" / "keys")
    receipt = Receipt(aud="bench/lane-1", iat=0, event_ids=["e"])
    former = keys.hub()

    def believes(trusted: Verifier, token: str) -> bool:
        return verify_receipt(trusted, token, address="bench/lane-1") == receipt

    with pytest.raises(GateError, match="prepare"):
        run("keys", "rotate", "--site", site, "--step", "switch")
    run("keys", "rotate", "--site", site, "--step", "prepare")
    lane_of_before = Verifier.trusting(*keys.hub_publics())
    assert keys.hub().kid == former.kid
    run("keys", "rotate", "--site", site, "--step", "switch")
    run("keys", "rotate", "--site", site, "--step", "switch")  # stopped half-way and done again
    assert keys.hub().kid != former.kid
    assert keys.hub_public().kid == keys.hub().kid
    both = Verifier.trusting(*keys.hub_publics())
    for token in (sign_receipt(former, receipt), sign_receipt(keys.hub(), receipt)):
        assert believes(lane_of_before, token)
        assert believes(both, token)
    with pytest.raises(GateError, match="finish"):
        run("keys", "rotate", "--site", site, "--step", "prepare")
    run("keys", "rotate", "--site", site, "--step", "finish")
    after = Verifier.trusting(*keys.hub_publics())
    assert not believes(after, sign_receipt(former, receipt))
    assert believes(after, sign_receipt(keys.hub(), receipt))
    run("keys", "rotate", "--site", site, "--step", "prepare", "--lane", "lane-1")
    assert len(keys.lane_publics("lane-1")) == 2
    assert len(keys.lane_publics("lane-2")) == 1


def test_certificates_end_and_say_when(tmp_path: Path) -> None:
    clock = ManualClock()
    authority = Authority(tmp_path, port=PORT, clock=clock)
    assert authority.create_missing()
    assert not authority.create_missing()
    authority.issue("lane-1", days=30)
    assert round(authority.ends("lane-1").timestamp() - clock.utc_ms() / 1000) == 30 * 24 * 3600
    (tmp_path / "ca.key").unlink()
    with pytest.raises(GateError, match="init --tls"):
        authority.issue("lane-2")


def test_no_lane_can_be_called_like_the_hub(site_file: Path) -> None:
    site: Site = make_site(site_file.parent, broker_port=1, database=None, workers=1, lanes=1)
    assert site.lane(hub_identity(site.port.id)) is None
    with pytest.raises(ValueError, match="cannot be part of a topic"):
        lane_topic(PORT, hub_identity(PORT), Channel.EVENT)
