"""BER-TLV with definite lengths (ISO/IEC 8825-1, ISO/IEC 7816-4 section 5.2.2), bounded: what a chip sends is not to be trusted."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from drivers.chip.errors import ChipFailed, Reason

MAX_ELEMENTS = 4096


@dataclass(frozen=True, slots=True)
class Tlv:
    """``tag`` as its bytes read as one number (0x30, 0x7F49); ``raw`` is the whole element, ``value`` its content."""

    tag: int
    value: bytes
    raw: bytes

    def children(self) -> list[Tlv]:
        """The elements inside. `ChipFailed` (broken) when the content is none."""
        return list(elements(self.value))


def elements(data: bytes) -> Iterator[Tlv]:
    """One after another until the end. `ChipFailed` (broken) for anything that is not whole."""
    at = 0
    for _ in range(MAX_ELEMENTS):
        if at == len(data):
            return
        tag, begin, end = span(data, at)
        yield Tlv(tag, data[begin:end], data[at:end])
        at = end
    raise ChipFailed(Reason.BROKEN, f"a structure of the chip has more than {MAX_ELEMENTS} elements")


def span(data: bytes, at: int) -> tuple[int, int, int]:
    """Tag, begin and end of the content of the element at `at`. `ChipFailed` (broken) when it is not whole."""
    head = data[at : at + 2]
    if len(head) == 2 and head[0] & 0x1F != 0x1F and head[1] < 0x80:
        tag, begin = head[0], at + 2  # what most are, at half the cost
        end = begin + head[1]
    else:
        found = header(data[at : at + 9])
        if found is None:
            raise ChipFailed(Reason.BROKEN, "a structure of the chip ends within an element's header")
        tag, start, size = found
        begin = at + start
        end = begin + size
    if end > len(data):
        raise ChipFailed(Reason.BROKEN, f"an element {tag:X} of the chip is longer than what holds it")
    return tag, begin, end


def only(data: bytes, tag: int) -> Tlv:
    """The first element, which must have this tag; what follows it (padding of a file) is left out."""
    found, begin, end = span(data, 0)
    if found != tag:
        raise ChipFailed(Reason.BROKEN, f"the chip sent an element {found:X} where {tag:X} belongs")
    return Tlv(tag, data[begin:end], data[:end])


def find(data: bytes, tag: int) -> bytes | None:
    """The value of the first element with this tag on this level; None without one."""
    return next((one.value for one in elements(data) if one.tag == tag), None)


def wrap(tag: int, value: bytes) -> bytes:
    """An element in DER lengths."""
    size = len(value)
    if size < 0x80:
        length = bytes((size,))
    else:
        digits = size.to_bytes((size.bit_length() + 7) // 8)
        length = bytes((0x80 | len(digits),)) + digits
    return tag.to_bytes((tag.bit_length() + 7) // 8 or 1) + length + value


def header(data: bytes) -> tuple[int, int, int] | None:
    """Tag, size of the header, size of the content; None when `data` ends within the header. `ChipFailed` when it is none."""
    if not data:
        return None
    at = 1
    if data[0] & 0x1F == 0x1F:
        while at < len(data) and data[at] & 0x80:
            at += 1
        at += 1
        if at > 4:
            raise ChipFailed(Reason.BROKEN, "the chip sent a tag of more than three bytes")
    if at >= len(data):
        return None
    tag, first = int.from_bytes(data[:at]), data[at]
    at += 1
    if first < 0x80:
        return tag, at, first
    count = first & 0x7F
    if not 1 <= count <= 4:
        raise ChipFailed(Reason.BROKEN, "the chip sent an element of indefinite or absurd length")
    if at + count > len(data):
        return None
    return tag, at + count, int.from_bytes(data[at : at + count])
