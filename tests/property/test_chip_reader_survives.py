"""Whatever a chip sends, a reading ends with a result, in bounded time and memory; never with an exception of ours."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime
from functools import cache

from hypothesis import given, settings
from hypothesis import strategies as st

from drivers.chip import tlv
from drivers.chip.active_auth import verify_active_authentication
from drivers.chip.answer_to_reset import has_extended_length, historical_bytes
from drivers.chip.apdu import Command, parse_command
from drivers.chip.channel import ApduChannel
from drivers.chip.errors import ChipFailed
from drivers.chip.reader import ReadLimits, read_chip
from drivers.chip.results import Authentication, ChipRead, ChipUnread
from drivers.chip.security_infos import card_security_content, parse_public_key, parse_security_infos
from simulator.chip.card import VirtualChip
from simulator.chip.channels import MemoryChannel
from simulator.chip.document import ChipDocument, Choices, make_document, make_issuer
from simulator.chip.profile import PaceOption

MOST_COMMANDS = 400
STATUS = st.sampled_from(
    [b"\x90\x00", b"\x62\x82", b"\x6a\x82", b"\x69\x82", b"\x67\x00", b"\x6c\x10", b"\x61\x20", b"\x63\x00"]
)
DER = st.recursive(
    st.binary(max_size=24).map(lambda data: tlv.wrap(0x04, data)),
    lambda inner: st.builds(
        lambda tag, parts: tlv.wrap(tag, b"".join(parts)),
        st.sampled_from([0x30, 0x31, 0x02, 0x03, 0x06, 0xA0, 0x60, 0x61, 0x75, 0x77, 0x6E, 0x6F, 0x7C, 0x7F49]),
        st.lists(inner, max_size=4),
    ),
    max_leaves=10,
)


class Talker(ApduChannel):
    """Answers from a list, over and over; counts, so that an endless conversation fails."""

    def __init__(self, answers: list[bytes]) -> None:
        self._answers = answers or [b""]
        self.commands = 0

    def connect(self, timeout_ms: int) -> bytes:
        return b"\x3b\x85\x80\x01\x80\x73\xc6\x21\xc0\xd0"

    def transmit(self, command: bytes, timeout_ms: int) -> bytes:
        self.commands += 1
        assert self.commands < 4 * MOST_COMMANDS
        return self._answers[self.commands % len(self._answers)]

    def is_present(self) -> bool:
        return True

    def close(self) -> None: ...


class Meddler(MemoryChannel):
    """A real chip, but for some bytes of some answers."""

    def __init__(self, chip: VirtualChip, changes: dict[int, tuple[int, int]]) -> None:
        super().__init__(chip)
        self._changes = changes
        self._count = 0

    def transmit(self, command: bytes, timeout_ms: int) -> bytes:
        answer = bytearray(super().transmit(command, timeout_ms))
        change = self._changes.get(self._count)
        self._count += 1
        if change is not None:
            answer[change[0] % len(answer)] ^= change[1]
        return bytes(answer)


@cache
def paper() -> ChipDocument:
    issuer, signer = make_issuer(datetime(2026, 11, 23, tzinfo=UTC))
    return make_document(issuer, signer, Choices(pace=(PaceOption(),)))


@given(
    st.lists(st.builds(lambda data, status: data + status, st.one_of(DER, st.binary(max_size=64)), STATUS), max_size=8)
)
def test_a_chip_that_talks_at_random(answers: list[bytes]) -> None:
    channel = Talker(answers)
    result = read_chip(channel, paper().profile.mrz, limits=ReadLimits(attempts=2))
    assert isinstance(result, ChipUnread | ChipRead)
    assert channel.commands < MOST_COMMANDS * 4


@settings(max_examples=60)
@given(st.dictionaries(st.integers(0, 40), st.tuples(st.integers(0, 4000), st.integers(1, 255)), max_size=3))
def test_a_chip_whose_answers_are_meddled_with(changes: dict[int, tuple[int, int]]) -> None:
    result = read_chip(Meddler(VirtualChip(paper().profile), changes), paper().profile.mrz)
    if isinstance(result, ChipRead) and result.protocol.startswith("PACE"):
        # Under secure messaging nothing that was meddled with gets through.
        assert result.files["DG2"] == paper().profile.files[0x0102]
        assert result.files["EF.SOD"] == paper().profile.files[0x011D]


@given(st.one_of(DER, st.binary(max_size=80)))
def test_parsers_raise_nothing_but_what_they_say(data: bytes) -> None:
    for parse in (parse_security_infos, card_security_content, parse_public_key, lambda raw: list(tlv.elements(raw))):
        with suppress(ChipFailed):
            parse(data)
    assert isinstance(verify_active_authentication(data, bytes(8), data, None), Authentication)
    assert isinstance(verify_active_authentication(tlv.wrap(0x6F, data), bytes(8), data, None), Authentication)
    has_extended_length(data)
    historical_bytes(data)


@given(
    st.builds(
        Command,
        cla=st.integers(0, 255),
        ins=st.integers(0, 255),
        data=st.binary(max_size=700),
        expected=st.none() | st.integers(1, 65536),
    )
)
def test_commands_come_back_as_they_were(command: Command) -> None:
    assert parse_command(command.encode()) == command
