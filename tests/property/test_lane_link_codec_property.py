"""The decoder takes any bytes in any pieces, and never loses or invents a frame among noise."""

from __future__ import annotations

import dataclasses
from enum import IntFlag

from hypothesis import given, settings
from hypothesis import strategies as st

from drivers.lane_io import protocol as wire
from drivers.lane_io.codec import MAX_ENCODED_BYTES, Decoder, Frame, encode
from drivers.lane_io.interface import LaneSensors
from drivers.lane_io.link import HostLink

_RANGES = {"B": (0, 0xFF), "H": (0, 0xFFFF), "I": (0, 0xFFFF_FFFF), "Q": (0, (1 << 64) - 1), "h": (-0x8000, 0x7FFF)}


def _values(kind: type[wire.Message]) -> st.SearchStrategy[wire.Message]:
    letters = kind.LAYOUT.format.removeprefix("<")
    strategies: dict[str, st.SearchStrategy[object]] = {}
    for field, letter in zip(dataclasses.fields(kind), letters, strict=True):
        enum = kind.ENUMS.get(field.name)
        if enum is None:
            strategies[field.name] = st.integers(*_RANGES[letter])
        elif issubclass(enum, IntFlag):
            everything = sum(enum)
            strategies[field.name] = st.integers(0, everything).map(enum)
        else:
            strategies[field.name] = st.sampled_from(list(enum))
    return st.fixed_dictionaries(strategies).map(lambda values: kind(**values))


FRAMES = st.builds(
    lambda sequence, message: Frame(sequence=sequence, message=message),
    st.integers(0, 0xFFFF),
    st.one_of([_values(kind) for kind in wire.MESSAGES.values()]),
)


@given(FRAMES)
def test_every_message_survives_the_line(frame: Frame) -> None:
    line = encode(frame)
    assert len(line) <= MAX_ENCODED_BYTES + 2
    assert Decoder().feed(line) == [frame]


@given(st.binary(max_size=400), st.data())
def test_any_bytes_in_any_pieces_give_the_same_and_never_raise(data: bytes, draw: st.DataObject) -> None:
    whole = Decoder().feed(data)
    decoder = Decoder()
    pieces = []
    rest = data
    while rest:
        size = draw.draw(st.integers(1, len(rest)))
        pieces += decoder.feed(rest[:size])
        rest = rest[size:]
        assert len(decoder._buffer) <= MAX_ENCODED_BYTES
    assert pieces == whole


@given(st.lists(st.one_of(FRAMES, st.binary(max_size=120).map(lambda noise: noise.replace(b"\0", b"\x01")))))
@settings(max_examples=60)
def test_frames_among_noise_all_arrive_in_order(stream: list[Frame | bytes]) -> None:
    line = b"".join(piece if isinstance(piece, bytes) else encode(piece) for piece in stream)
    arrived = [found for found in Decoder().feed(line) if isinstance(found, Frame)]
    assert arrived == [piece for piece in stream if isinstance(piece, Frame)]


@given(st.lists(st.one_of(FRAMES, st.binary(max_size=90)), max_size=30), st.booleans())
def test_whatever_a_board_says_the_host_counts_it_or_reports_it(stream: list[Frame | bytes], is_greeted: bool) -> None:
    sent: list[bytes] = []
    link = HostLink(send=sent.append, link_timeout_ns=600_000_000)
    link.tick(0)
    if is_greeted:
        (greeting,) = Decoder().feed(sent[-1])
        assert isinstance(greeting, Frame)
        assert isinstance(greeting.message, wire.Hello)
        link.receive(encode(Frame(sequence=0, message=hello_ack(greeting.message.session))), 1)
        assert link.is_up
    for number, piece in enumerate(stream):
        data = piece if isinstance(piece, bytes) else encode(piece)
        for output in link.receive(data, number):
            if isinstance(output, LaneSensors):
                assert output.boot_id == 5
        assert len(link._decoder._buffer) <= MAX_ENCODED_BYTES
    link.tick(700_000_000)
    assert link.codec_faults <= sum(len(piece) for piece in stream if isinstance(piece, bytes))


def hello_ack(session: int) -> wire.HelloAck:
    return wire.HelloAck(
        version=1,
        firmware_major=1,
        firmware_minor=0,
        firmware_patch=0,
        board_id=1,
        boot_id=5,
        session=session,
        watchdog_ms=1000,
        entry_kind=wire.WireDoorKind.FLAP,
        exit_kind=wire.WireDoorKind.FLAP,
        beam_count=28,
        first_inside_beam=2,
        last_inside_beam=25,
        beam_pitch_mm=100,
    )
