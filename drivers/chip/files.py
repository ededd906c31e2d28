"""Elementary files of a passport: selected, read in parts, their own length believed only within limits (Doc 9303-10 section 3)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from drivers.chip import apdu, tlv
from drivers.chip.apdu import Command
from drivers.chip.errors import ChipFailed, Reason
from drivers.chip.link import ChipLink

APPLICATION = bytes.fromhex("A0000002471001")
MAX_FILE_BYTES = 512 * 1024
_SHORT_OFFSET_END = 0x8000
_FIRST_SHORT_BYTES = 223
_EXTENDED_BYTES = 4096
_HEADER_BYTES = 8
_OBJECT_HEADER_BYTES = 4
_ATR_INFO = 0x2F01
_BUFFER_SIZES = 0x7F66
_LEAST_BUFFER_BYTES = 256
_PROTECTION_BYTES = 40
"""More than secure messaging adds to an answer."""


class File(Enum):
    """A file by its short name: identifier, short identifier, tag of its content, and whether it lies in the master file."""

    CARD_ACCESS = ("EF.CardAccess", 0x011C, 0x1C, 0x31, True)
    CARD_SECURITY = ("EF.CardSecurity", 0x011D, 0x1D, 0x30, True)
    COM = ("EF.COM", 0x011E, 0x1E, 0x60, False)
    SOD = ("EF.SOD", 0x011D, 0x1D, 0x77, False)
    DG1 = ("DG1", 0x0101, 0x01, 0x61, False)
    DG2 = ("DG2", 0x0102, 0x02, 0x75, False)
    DG11 = ("DG11", 0x010B, 0x0B, 0x6B, False)
    DG12 = ("DG12", 0x010C, 0x0C, 0x6C, False)
    DG14 = ("DG14", 0x010E, 0x0E, 0x6E, False)
    DG15 = ("DG15", 0x010F, 0x0F, 0x6F, False)

    def __init__(self, label: str, identifier: int, short: int, tag: int, is_in_master: bool) -> None:
        self.label = label
        self.identifier = identifier
        self.short = short
        self.tag = tag
        self.is_in_master = is_in_master


@dataclass(slots=True)
class ReadingHabits:
    """What this chip was found to do; kept from file to file and from session to session."""

    is_extended: bool = False
    """Whether answers longer than 256 bytes may be asked for."""
    has_short_identifiers: bool = True
    chunk_bytes: int | None = None
    """A smaller part that the chip once asked for."""


class FileFault(ChipFailed):
    """What one file is or does; the session with the chip is as it was."""


OnBytes = Callable[[int, int], None]
"""Bytes of this file read so far, and its whole length."""


def select_application(link: ChipLink) -> None:
    """Raises `ChipFailed` (unsupported) when this chip holds no passport."""
    answer = link.send(Command(ins=0xA4, p1=0x04, p2=0x0C, data=APPLICATION))
    if not answer.is_ok:
        raise ChipFailed(Reason.UNSUPPORTED, f"the chip holds no passport application (status {answer.sw:04X})")


def select_master(link: ChipLink) -> None:
    """Goes up to the master file. Chips that are there already, or have nothing to select it by, refuse: that does no harm."""
    link.send(Command(ins=0xA4, p1=0x00, p2=0x0C, data=bytes.fromhex("3F00")))


def ask_buffer(link: ChipLink, habits: ReadingHabits) -> None:
    """How much an extended answer may hold, where EF.ATR/INFO says so (Doc 9303-10 section 3.11.1, ISO/IEC 7816-4 section 12.7.1).

    It is asked also where the answer to reset promises nothing: those of type B have no room for it.
    """
    if habits.chunk_bytes is not None:
        return
    if not link.send(Command(ins=0xA4, p1=0x02, p2=0x0C, data=_ATR_INFO.to_bytes(2))).is_ok:
        return
    answer = link.send(Command(ins=0xB0, expected=apdu.SHORT_LE))
    try:
        sizes = [one for one in tlv.elements(tlv.find(answer.data, _BUFFER_SIZES) or b"") if one.tag == 0x02]
    except ChipFailed:
        return  # a file that nobody needs; parts are then as long as usual
    if len(sizes) == 2:
        room = int.from_bytes(sizes[1].value)
        if room > _LEAST_BUFFER_BYTES + _PROTECTION_BYTES:
            habits.is_extended = True
            habits.chunk_bytes = min(room - _PROTECTION_BYTES, _EXTENDED_BYTES)


def read_file(
    link: ChipLink, file: File, habits: ReadingHabits, on_bytes: OnBytes = lambda _done, _all: None
) -> bytes | None:
    """The whole file as its header states it; None when there is none.

    Raises `FileFault` (broken) for one that is endless, truncated or not what it should be, (denied) where it may not be read.
    """
    first = _first_part(link, file, habits)
    if first is None:
        return None
    try:
        found = tlv.header(first)
    except ChipFailed as error:
        raise FileFault(Reason.BROKEN, f"{file.label} is none: {error.detail}") from error
    if found is None:
        raise FileFault(Reason.BROKEN, f"{file.label} ends before it begins")
    tag, start, size = found
    total = start + size
    if tag != file.tag:
        raise FileFault(Reason.BROKEN, f"{file.label} begins with {tag:X} where {file.tag:X} belongs")
    if total > MAX_FILE_BYTES:
        raise FileFault(Reason.BROKEN, f"{file.label} claims {total} bytes; no passport has so much")
    data = bytearray(first[:total])
    on_bytes(len(data), total)
    while len(data) < total:
        part = _part(link, file, habits, len(data), total - len(data))
        if not part:
            raise FileFault(Reason.BROKEN, f"{file.label} claims {total} bytes and ends after {len(data)}")
        data += part[: total - len(data)]
        on_bytes(len(data), total)
    return bytes(data)


def _first_part(link: ChipLink, file: File, habits: ReadingHabits) -> bytes | None:
    """By short identifier, which saves a command; else selected first."""
    wanted = _most(link, habits)
    if habits.has_short_identifiers:
        answer = link.send(Command(ins=0xB0, p1=0x80 | file.short, p2=0x00, expected=wanted))
        if answer.data and answer.sw in (apdu.OK, apdu.END_OF_FILE):
            return answer.data
        if answer.sw == apdu.WRONG_LENGTH:
            _ask_less(habits, wanted)
        elif answer.sw not in (apdu.NOT_FOUND, apdu.SECURITY_NOT_SATISFIED):
            habits.has_short_identifiers = False
    selected = link.send(Command(ins=0xA4, p1=0x02, p2=0x0C, data=file.identifier.to_bytes(2)))
    if selected.sw in (apdu.NOT_FOUND, 0x6A88, 0x6283):
        return None
    if selected.sw in (apdu.SECURITY_NOT_SATISFIED, 0x6985):
        raise FileFault(Reason.DENIED, f"the chip does not let {file.label} be read")
    if not selected.is_ok:
        raise FileFault(Reason.BROKEN, f"the chip does not select {file.label} (status {selected.sw:04X})")
    return _part(link, file, habits, 0, _most(link, habits))


def _part(link: ChipLink, file: File, habits: ReadingHabits, offset: int, left: int) -> bytes:
    """Some bytes from `offset` on; none at the end of the file."""
    # Beyond 32 kB the answer holds a data object: 53 and up to three bytes of length.
    extra = _OBJECT_HEADER_BYTES if offset >= _SHORT_OFFSET_END else 0
    for _ in range(3):
        wanted = min(left, _most(link, habits) - extra)
        answer = link.send(_read_binary(offset, wanted + extra))
        if answer.sw == apdu.WRONG_LENGTH and wanted > _HEADER_BYTES:
            _ask_less(habits, wanted)
            continue
        if answer.sw in (apdu.OK, apdu.END_OF_FILE):
            return _content(file, answer.data) if offset >= _SHORT_OFFSET_END else answer.data
        if answer.sw == apdu.OFFSET_OUTSIDE:
            return b""
        if answer.sw == apdu.SECURITY_NOT_SATISFIED:
            raise FileFault(Reason.DENIED, f"the chip does not let {file.label} be read")
        break
    raise FileFault(Reason.BROKEN, f"the chip does not go on with {file.label} (status {answer.sw:04X})")


def _read_binary(offset: int, wanted: int) -> Command:
    """Beyond 32 kB the offset does not fit the header: odd instruction, offset and answer in data objects (Doc 9303-10 section 3.6.3.2)."""
    if offset < _SHORT_OFFSET_END:
        return Command(ins=0xB0, p1=offset >> 8, p2=offset & 0xFF, expected=wanted)
    digits = offset.to_bytes((offset.bit_length() + 7) // 8)
    return Command(ins=0xB1, data=tlv.wrap(0x54, digits), expected=wanted)


def _content(file: File, data: bytes) -> bytes:
    try:
        return tlv.only(data, 0x53).value if data else b""
    except ChipFailed as error:
        raise FileFault(Reason.BROKEN, f"{file.label} comes in no data object: {error.detail}") from error


def _most(link: ChipLink, habits: ReadingHabits) -> int:
    """How much to ask for at once."""
    if habits.chunk_bytes is not None:
        return habits.chunk_bytes
    if habits.is_extended:
        return _EXTENDED_BYTES
    return apdu.SHORT_LE if link.session is None else _FIRST_SHORT_BYTES


def _ask_less(habits: ReadingHabits, wanted: int) -> None:
    habits.is_extended = False
    habits.chunk_bytes = _FIRST_SHORT_BYTES if wanted > _FIRST_SHORT_BYTES else max(_HEADER_BYTES, wanted // 2)
