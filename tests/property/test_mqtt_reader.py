"""An MQTT stream means the same however the network cuts it, and as paho itself reads it."""

import random
from collections.abc import Sequence

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion
from paho.mqtt.properties import MalformedPacket  # type: ignore[attr-defined]

from gate.wire.mqtt_reader import PacketReader, Published, StreamClient, read_publish

TOPICS = st.text(min_size=1, max_size=40).filter(lambda text: "\0" not in text)
MESSAGES = st.builds(
    lambda topic, payload, qos, mid: Published(topic, payload, qos, mid if qos else 0),
    TOPICS,
    st.binary(max_size=400),
    st.sampled_from([0, 1]),
    st.integers(1, 65535),
)


def length(number: int) -> bytes:
    """A variable byte integer, written as the standard writes it."""
    written = bytearray()
    while True:
        number, digit = divmod(number, 128)
        written.append(digit | (0x80 if number else 0))
        if not number:
            return bytes(written)


def packet(message: Published, properties: bytes | None = None) -> bytes:
    topic = message.topic.encode()
    head = len(topic).to_bytes(2, "big") + topic + (message.mid.to_bytes(2, "big") if message.qos else b"")
    rest = head + (b"" if properties is None else length(len(properties)) + properties) + message.payload
    return bytes([0x30 | message.qos << 1]) + length(len(rest)) + rest


class Wire:
    """A socket on which a stream arrives in the given pieces."""

    def __init__(self, pieces: Sequence[bytes]) -> None:
        self.pieces = list(pieces)

    def recv(self, size: int) -> bytes:
        if not self.pieces:
            raise BlockingIOError
        piece, rest = self.pieces[0][:size], self.pieces[0][size:]
        self.pieces[:1] = [rest] if rest else []
        return piece


def heard(pieces: Sequence[bytes], *, is_mqtt5: bool = False) -> tuple[list[Published], MQTTErrorCode]:
    """What a client hands on of these pieces, and how its reading ended."""
    messages: list[Published] = []
    protocol = MQTTProtocolVersion.MQTTv5 if is_mqtt5 else MQTTProtocolVersion.MQTTv311
    client = StreamClient("c", on_stream=messages.extend, protocol=protocol)
    client._sock = Wire(pieces)  # type: ignore[assignment]
    try:
        while (result := client._packet_read()) is MQTTErrorCode.MQTT_ERR_SUCCESS:
            pass
    finally:
        client._sock = None
        client._reset_sockets()
    return messages, result


@given(st.lists(MESSAGES, max_size=6), st.randoms(use_true_random=False))
@example([Published("t", b"x" * 16384, 1, 1), Published("u", b"", 0, 0)], random.Random(1))
def test_a_stream_means_the_same_however_it_is_cut(messages: list[Published], rng: random.Random) -> None:
    stream = b"".join(map(packet, messages))
    cuts = sorted(rng.randrange(len(stream) + 1) for _ in range(rng.randrange(12)))
    pieces = [stream[start:end] for start, end in zip([0, *cuts], [*cuts, len(stream)], strict=True) if start < end]
    assert heard(pieces) == (messages, MQTTErrorCode.MQTT_ERR_AGAIN)
    assert heard([bytes([byte]) for byte in stream[:300]])[0] == heard([stream[:300]])[0]


@given(MESSAGES)
def test_paho_reads_the_same(message: Published) -> None:
    client = Client(CallbackAPIVersion.VERSION2, client_id="c", manual_ack=True)
    seen: list[Published] = []
    client.on_message = lambda _client, _data, said: seen.append(
        Published(said.topic, bytes(said.payload), said.qos, said.mid)
    )
    client._sock = Wire([packet(message)])  # type: ignore[assignment]
    client._packet_read()
    client._sock = None
    client._reset_sockets()
    assert seen == heard([packet(message)])[0] == [message]


@given(MESSAGES, st.sampled_from([b"", b"\x01\x01", b"\x02\0\0\0\x3c", b"\x26" + b"\0\x01k" + b"\0\x81" + b"v" * 129]))
def test_properties_of_mqtt_5_are_passed_over(message: Published, properties: bytes) -> None:
    assert heard([packet(message, properties)], is_mqtt5=True)[0] == [message]


@given(st.lists(st.binary(max_size=60), max_size=8), st.booleans())
def test_no_bytes_whatever_do_more_than_end_the_connection(pieces: list[bytes], is_mqtt5: bool) -> None:
    sent = [b"\x32" + length(len(piece)) + piece for piece in pieces]
    _, result = heard(sent, is_mqtt5=is_mqtt5)
    assert result in (MQTTErrorCode.MQTT_ERR_AGAIN, MQTTErrorCode.MQTT_ERR_PROTOCOL)


@pytest.mark.parametrize("first", [0x30, 0x32])
@pytest.mark.parametrize("rest", [b"", b"\0", b"\0\x05abc", b"\0\x01a\0"])
def test_a_message_that_is_shorter_than_it_says_is_refused(first: int, rest: bytes) -> None:
    if first == 0x30 and rest == b"\0\x01a\0":
        assert read_publish(first, rest, is_mqtt5=False).payload == b"\0"
        return
    with pytest.raises(MalformedPacket):
        read_publish(first, rest, is_mqtt5=False)


def test_a_length_of_five_bytes_is_refused_as_soon_as_it_is_seen() -> None:
    reader = PacketReader()
    assert list(reader.feed(b"\x30\xff\xff\xff")) == []
    with pytest.raises(MalformedPacket):
        list(reader.feed(b"\xff"))


def test_what_paho_must_see_comes_in_its_place_and_half_a_packet_ends_with_its_connection() -> None:
    order: list[object] = []
    client = StreamClient("c", on_stream=lambda said: order.append([item.topic for item in said]))
    client.on_subscribe = lambda _client, _data, mid, _codes, _properties: order.append(mid)
    one, two = (packet(Published(topic, b"x", 0, 0)) for topic in "ab")
    client._sock = Wire([one + b"\x90\x03\0\x07\x01" + two + one[:4]])  # type: ignore[assignment]
    assert client._packet_read() is MQTTErrorCode.MQTT_ERR_SUCCESS
    assert order == [["a"], 7, ["b"]]
    client._sock = Wire([two])  # type: ignore[assignment]
    assert client._packet_read() is MQTTErrorCode.MQTT_ERR_SUCCESS
    assert order[3:] == [["b"]]
    client._sock = None
    client._reset_sockets()
