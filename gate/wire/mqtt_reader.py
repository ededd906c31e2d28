"""Reading MQTT by the stream and not by the packet: for a client that is sent thousands of messages a second.

paho asks the socket three times for each packet (first byte, length, rest), and makes an object with locks of each message: that costs more
than checking what the message says. :class:`PacketReader` is sans-IO and takes apart whatever one call to the socket brought;
:class:`StreamClient` is paho's client that reads so. Everything else, and every packet that is no PUBLISH, stays paho's.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from paho.mqtt.client import Client, time_func
from paho.mqtt.enums import CallbackAPIVersion, MessageType, MQTTErrorCode, MQTTProtocolVersion
from paho.mqtt.properties import MalformedPacket  # type: ignore[attr-defined]  # re-exported there

_READ_BYTES = 256 * 1024
_PUBLISH = int(MessageType.PUBLISH)
_MAX_LENGTH_BYTES = 4
_TYPE, _QOS = 0xF0, 0x06


@dataclass(frozen=True, slots=True)
class Published:
    """A PUBLISH as it came, QoS 0 or 1. ``mid`` is 0 for QoS 0."""

    topic: str
    payload: bytes
    qos: int
    mid: int


class PacketReader:
    """Takes an MQTT stream apart (3.1.1 and 5, clause 2.1: a type, a length of one to four bytes, the rest)."""

    def __init__(self) -> None:
        self._unread = b""

    def feed(self, chunk: bytes) -> Iterator[tuple[int, bytes]]:
        """(first byte, rest) of each packet that is complete with ``chunk``. MalformedPacket for a length that cannot be."""
        stream = self._unread + chunk if self._unread else chunk
        # Kept until it is consumed: should the caller stop half-way, the connection is at its end.
        self._unread = b""
        start, end = 0, len(stream)
        while (found := _number(stream, start + 1)) is not None:
            length, position = found
            if position + length > end:
                break
            yield stream[start], stream[position : position + length]
            start = position + length
        self._unread = stream[start:]


def _number(stream: bytes, position: int) -> tuple[int, int] | None:
    """(value, where it ends) of a variable byte integer (MQTT 5, clause 1.5.5); None when its end has not come yet."""
    value = 0
    for count, byte in enumerate(stream[position : position + _MAX_LENGTH_BYTES]):
        value |= (byte & 0x7F) << 7 * count
        if byte < 0x80:
            return value, position + count + 1
    if len(stream) - position >= _MAX_LENGTH_BYTES:
        raise MalformedPacket("a length of more than four bytes")
    return None


def read_publish(first: int, rest: bytes, *, is_mqtt5: bool) -> Published:
    """A PUBLISH of QoS 0 or 1 (clause 3.3). MalformedPacket when it is shorter than it says."""
    qos = (first & _QOS) >> 1
    at = 2 + int.from_bytes(rest[:2], "big")
    topic = _text(rest[2:at])
    mid = 0
    if qos:
        mid = int.from_bytes(rest[at : at + 2], "big")
        at += 2
    if is_mqtt5:
        properties = _number(rest, at)
        if properties is None:
            raise MalformedPacket("a PUBLISH that ends before its properties")
        at = sum(properties)  # none of them is asked for here
    if len(rest) < at:
        raise MalformedPacket("a PUBLISH that ends in its header")
    return Published(topic, rest[at:], qos, mid)


@lru_cache(maxsize=4096)
def _text(topic: bytes) -> str:
    """What is not UTF-8 is nobody's topic, but must not end the connection of all others."""
    return topic.decode("utf-8", "replace")


class StreamClient(Client):
    """paho's client with ``manual_ack`` that hands on, at once, all messages that one read brought, to ``on_stream``.

    It replaces ``_packet_read`` of paho-mqtt 2.2, the function that paho calls when the socket is readable. ``on_message`` is not called.
    """

    def __init__(
        self,
        client_id: str,
        *,
        on_stream: Callable[[Sequence[Published]], None],
        clean_session: bool | None = None,
        protocol: MQTTProtocolVersion = MQTTProtocolVersion.MQTTv311,
    ) -> None:
        super().__init__(
            CallbackAPIVersion.VERSION2,
            client_id=client_id,
            clean_session=clean_session,
            protocol=protocol,
            manual_ack=True,
        )
        self._on_stream = on_stream
        self._reader = PacketReader()
        self._read_from: object = None

    def reinitialise(self, *_arguments: object, **_settings: object) -> None:
        """Close its sockets, also those by which it is woken. (paho's would begin anew with other settings than these.)"""
        self._reset_sockets()

    def _packet_read(self) -> MQTTErrorCode:
        if self._read_from is not self._sock:  # another connection: half a packet of the last one is void
            self._read_from, self._reader = self._sock, PacketReader()
        try:
            chunk = self._sock_recv(_READ_BYTES)
        except BlockingIOError:
            return MQTTErrorCode.MQTT_ERR_AGAIN
        except OSError:
            return MQTTErrorCode.MQTT_ERR_CONN_LOST
        if not chunk:
            return MQTTErrorCode.MQTT_ERR_CONN_LOST
        with self._msgtime_mutex:
            self._last_bytes_received = time_func()
        try:
            return self._take(chunk)
        except MalformedPacket:
            return MQTTErrorCode.MQTT_ERR_PROTOCOL

    def _take(self, chunk: bytes) -> MQTTErrorCode:
        is_mqtt5 = self._protocol == MQTTProtocolVersion.MQTTv5
        published: list[Published] = []
        try:
            for first, rest in self._reader.feed(chunk):
                if first & _TYPE == _PUBLISH and first & _QOS <= 2:
                    published.append(read_publish(first, rest, is_mqtt5=is_mqtt5))
                    continue
                if published:  # in the order in which they came
                    self._on_stream(published)
                    published = []
                result = self._hand_to_paho(first, rest)
                if result > 0:
                    return result
        finally:
            if published:
                self._on_stream(published)
        return MQTTErrorCode.MQTT_ERR_SUCCESS

    def _hand_to_paho(self, first: int, rest: bytes) -> MQTTErrorCode:
        self._in_packet = {
            "command": first,
            "have_remaining": 1,
            "remaining_count": [],
            "remaining_mult": 1,
            "remaining_length": len(rest),
            "packet": bytearray(rest),
            "to_process": 0,
            "pos": 0,
        }
        return self._packet_handle()
