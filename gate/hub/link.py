"""The connection of a hub or a worker to the broker, by paho: a session that outlives the process, acknowledgement only by hand.

MQTT 3.1.1, and 5 for shared subscriptions only.
A broker that is not there or goes silent is reported (``on_change``) and tried again with growing pauses; nothing waits for it.
"""

import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Self

import structlog
from paho.mqtt.client import Client, ConnectFlags, DisconnectFlags
from paho.mqtt.enums import MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from config.schema import Broker
from gate.core.clock import Clock
from gate.hub.errors import HubError
from gate.hub.heard import Incoming
from gate.wire.mqtt import acknowledge_at_once, acknowledge_together, end, send_at_once
from gate.wire.mqtt_reader import Published, StreamClient
from gate.wire.topics import Channel, all_lanes, lane_topic

log = structlog.get_logger(__name__)

KEEPALIVE_S = 10
SESSION_S = 7 * 24 * 3600
"""How long a broker with MQTT 5 keeps the session, and the share, of a worker that does not come back."""
SHARE = "tongguan-ingest"
_WORK = (Channel.EVENT, Channel.ACK)
_WORDS = {Channel.STATUS: 1, Channel.STATE: 0}


@dataclass(frozen=True, slots=True, kw_only=True)
class Listening:
    """What a client subscribes to, (filter, QoS) each, and whether that needs MQTT 5."""

    filters: tuple[tuple[str, int], ...]
    is_shared: bool = False

    @classmethod
    def to_all(cls, port: str) -> Self:
        """A hub that takes everything itself."""
        work = tuple((all_lanes(port, channel), 1) for channel in _WORK)
        return cls(filters=work + cls.to_lanes_only(port).filters)

    @classmethod
    def to_lanes_only(cls, port: str) -> Self:
        """A hub whose workers take events and answers: only what the lanes say of themselves."""
        return cls(filters=tuple((all_lanes(port, channel), qos) for channel, qos in _WORDS.items()))

    @classmethod
    def to_a_share(cls, port: str) -> Self:
        """A worker among others, to each of which the broker gives its part (MQTT 5, clause 4.8.2)."""
        work = tuple((f"$share/{SHARE}/{all_lanes(port, channel)}", 1) for channel in _WORK)
        return cls(filters=work, is_shared=True)

    @classmethod
    def to_these(cls, port: str, lanes: Iterable[str]) -> Self:
        """A worker to which these lanes are given: for brokers without shared subscriptions."""
        return cls(filters=tuple((lane_topic(port, lane, channel), 1) for lane in lanes for channel in _WORK))


class BrokerLink:
    """Publishes for the hub and hands on what lanes say. Callbacks run on the network thread and must be quick."""

    def __init__(
        self,
        *,
        broker: Broker,
        client_id: str,
        listening: Listening,
        clock: Clock,
        on_messages: Callable[[Sequence[Incoming]], None],
        on_change: Callable[[bool], None],
    ) -> None:
        self._broker = broker
        self._listening = listening
        self._clock = clock
        self._on_messages = on_messages
        self._on_change = on_change
        self._connection = 0
        self._is_ready = False
        self._client = _client(client_id, is_mqtt5=listening.is_shared, on_stream=self._received)
        self._client.max_queued_messages_set(10_000)
        self._client.reconnect_delay_set(min_delay=1, max_delay=8)
        self._client.on_connect = self._connected
        self._client.on_disconnect = self._disconnected
        self._client.on_subscribe = self._subscribed
        self._client.on_publish = self._published
        self._client.on_socket_open = send_at_once

    def start(self) -> None:
        """Begin to connect, in the background. HubError when the TLS files cannot be used."""
        _secure(self._client, self._broker)
        _connect(self._client, self._broker, is_mqtt5=self._listening.is_shared, session_s=SESSION_S)
        self._client.loop_start()

    def stop(self) -> None:
        """Say goodbye and end the network thread."""
        end(self._client)

    @property
    def is_ready(self) -> bool:
        """Connected, and the broker has granted the subscriptions."""
        return self._is_ready

    def publish(self, topic: str, payload: str, *, qos: int) -> None:
        """Send, or queue until the broker is back (QoS 1); QoS 0 is dropped without a broker."""
        if qos == 0 and not self._is_ready:
            return
        self._client.publish(topic, payload, qos=qos)

    def acknowledge(self, messages: Iterable[Incoming]) -> None:
        """Tell the broker that it may forget these. Those of an earlier connection are delivered again, and are not ours to ack."""
        mids = [item.mid for item in messages if item.qos > 0 and item.connection == self._connection]
        if mids:
            acknowledge_together(self._client, mids)

    def _connected(
        self,
        client: Client,
        _userdata: object,
        _flags: ConnectFlags,
        reason: ReasonCode,
        _properties: Properties | None,
    ) -> None:
        if reason.is_failure:
            log.error("broker_refused", host=self._broker.host, port=self._broker.port, reason=str(reason))
            return
        self._connection += 1
        log.info("broker_connected", host=self._broker.host, port=self._broker.port)
        client.subscribe(list(self._listening.filters))

    def _subscribed(
        self, _client: Client, _userdata: object, _mid: int, reasons: list[ReasonCode], _properties: Properties | None
    ) -> None:
        refused = [str(reason) for reason in reasons if reason.is_failure]
        if refused:
            log.error("subscription_refused", reasons=refused)
            return
        # Told first: who sees the link ready may rely on the repetition of unanswered commands being due or done.
        self._on_change(True)
        self._is_ready = True

    def _disconnected(
        self,
        _client: Client,
        _userdata: object,
        _flags: DisconnectFlags,
        reason: ReasonCode,
        _properties: Properties | None,
    ) -> None:
        self._is_ready = False
        log.warning("broker_lost", host=self._broker.host, port=self._broker.port, reason=str(reason))
        self._on_change(False)

    def _published(
        self, client: Client, _userdata: object, _mid: int, _reason: ReasonCode, _properties: Properties | None
    ) -> None:
        acknowledge_at_once(client)

    def _received(self, messages: Sequence[Published]) -> None:
        acknowledge_at_once(self._client)
        now_ns, connection = self._clock.monotonic_ns(), self._connection
        self._on_messages(
            [
                Incoming(
                    topic=item.topic,
                    payload=item.payload,
                    arrived_ns=now_ns,
                    mid=item.mid,
                    qos=item.qos,
                    connection=connection,
                )
                for item in messages
            ]
        )


def forget_session(broker: Broker, client_id: str, *, is_mqtt5: bool, within_s: float = 10.0) -> None:
    """Have the broker delete what it keeps for a client that will not come back. HubError when it cannot be told.

    Events that it held for it come again: the lanes have no receipt for them.
    """
    client = _client(client_id, is_mqtt5=is_mqtt5, keeps_session=False)
    told = threading.Event()
    refusal: list[str] = []

    def connected(_client: Client, _data: object, _flags: object, reason: ReasonCode, _properties: object) -> None:
        if reason.is_failure:
            refusal.append(str(reason))
        told.set()

    client.on_connect = connected
    _secure(client, broker)
    try:
        _connect(client, broker, is_mqtt5=is_mqtt5, session_s=0, is_clean=True)
        client.loop_start()
        if not told.wait(within_s) or refusal:
            why = refusal[0] if refusal else f"it did not answer within {within_s:.0f} s"
            raise HubError(f"the broker at {broker.host}:{broker.port} cannot be told ({why}): check that it runs")
    finally:
        end(client)


def _client(
    client_id: str,
    *,
    is_mqtt5: bool,
    keeps_session: bool = True,
    on_stream: Callable[[Sequence[Published]], None] = lambda _: None,
) -> Client:
    if is_mqtt5:  # there the session's life is said when connecting
        return StreamClient(client_id, protocol=MQTTProtocolVersion.MQTTv5, on_stream=on_stream)
    return StreamClient(client_id, clean_session=not keeps_session, on_stream=on_stream)


def _connect(client: Client, broker: Broker, *, is_mqtt5: bool, session_s: int, is_clean: bool = False) -> None:
    if not is_mqtt5:
        client.connect_async(broker.host, broker.port, keepalive=KEEPALIVE_S)
        return
    properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
    properties.SessionExpiryInterval = session_s
    client.connect_async(broker.host, broker.port, keepalive=KEEPALIVE_S, clean_start=is_clean, properties=properties)


def _secure(client: Client, broker: Broker) -> None:
    """HubError when the TLS files cannot be used."""
    if broker.ca_file is None:
        return
    try:
        client.tls_set(
            ca_certs=str(broker.ca_file), certfile=_text(broker.certificate_file), keyfile=_text(broker.key_file)
        )
    except (OSError, ValueError) as error:
        raise HubError(
            f"the TLS files of the broker cannot be used ({error}): check ca_file, certificate_file and key_file"
        ) from None


def _text(path: object) -> str | None:
    return None if path is None else str(path)
