"""The hub's connection to the broker: MQTT 3.1.1 by paho, a session that outlives the process, acknowledgement only by hand.

A broker that is not there or goes silent is reported (``on_change``) and tried again with growing pauses; nothing waits for it.
"""

from collections.abc import Callable

import structlog
from paho.mqtt.client import Client, ConnectFlags, DisconnectFlags, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from config.schema import Broker
from gate.core.clock import Clock
from gate.hub.errors import HubError
from gate.hub.ingest import Incoming
from gate.wire.mqtt import acknowledge_at_once, end, send_at_once
from gate.wire.topics import Channel, all_lanes

log = structlog.get_logger(__name__)

KEEPALIVE_S = 10
_QOS = {Channel.EVENT: 1, Channel.ACK: 1, Channel.STATUS: 1, Channel.STATE: 0}


class BrokerLink:
    """Publishes for the hub and hands on what lanes say. Callbacks run on the network thread and must be quick."""

    def __init__(
        self,
        *,
        broker: Broker,
        port: str,
        client_id: str,
        clock: Clock,
        on_message: Callable[[Incoming], None],
        on_change: Callable[[bool], None],
    ) -> None:
        self._broker = broker
        self._filters = [(all_lanes(port, channel), qos) for channel, qos in _QOS.items()]
        self._clock = clock
        self._on_message = on_message
        self._on_change = on_change
        self._connection = 0
        self._is_ready = False
        self._client = Client(CallbackAPIVersion.VERSION2, client_id=client_id, clean_session=False, manual_ack=True)
        self._client.max_queued_messages_set(10_000)
        self._client.reconnect_delay_set(min_delay=1, max_delay=8)
        self._client.on_connect = self._connected
        self._client.on_disconnect = self._disconnected
        self._client.on_subscribe = self._subscribed
        self._client.on_message = self._received
        self._client.on_publish = self._published
        self._client.on_socket_open = send_at_once

    def start(self) -> None:
        """Begin to connect, in the background. HubError when the TLS files cannot be used."""
        if self._broker.ca_file is not None:
            try:
                self._client.tls_set(
                    ca_certs=str(self._broker.ca_file),
                    certfile=_text(self._broker.certificate_file),
                    keyfile=_text(self._broker.key_file),
                )
            except (OSError, ValueError) as error:
                raise HubError(
                    f"the TLS files of the broker cannot be used ({error}): check ca_file, certificate_file and key_file"
                ) from None
        self._client.connect_async(self._broker.host, self._broker.port, keepalive=KEEPALIVE_S)
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

    def acknowledge(self, message: Incoming) -> None:
        """Tell the broker that it may forget ``message``. One of an earlier connection is delivered again, and is not ours to ack."""
        if message.qos > 0 and message.connection == self._connection:
            self._client.ack(message.mid, message.qos)

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
        client.subscribe(self._filters)

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

    def _received(self, client: Client, _userdata: object, message: MQTTMessage) -> None:
        acknowledge_at_once(client)
        self._on_message(
            Incoming(
                topic=message.topic,
                payload=bytes(message.payload),
                arrived_ns=self._clock.monotonic_ns(),
                mid=message.mid,
                qos=message.qos,
                connection=self._connection,
            )
        )


def _text(path: object) -> str | None:
    return None if path is None else str(path)
