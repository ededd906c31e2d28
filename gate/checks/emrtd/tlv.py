"""Reading BER-TLV as chips write it (ISO/IEC 7816-4, 5.2.2; ISO/IEC 8825-1). Pure, standard library only.

Nothing here calls itself: a file of a hundred thousand nested tags costs one level. Lengths are definite and inside what holds them;
tags have at most three octets, lengths at most four.
"""

from collections.abc import Sequence
from typing import NamedTuple

from gate.checks.emrtd.faults import ChipFault

MAX_ELEMENTS = 512
"""More data objects than any file of a travel document holds side by side."""


class Element(NamedTuple):
    """One data object: the tag as it is written (0x5F1F is two octets), the value, and where it ends in what was read."""

    tag: int
    value: bytes
    end: int


def read_element(data: bytes, start: int = 0) -> Element:
    """Return the data object that begins at ``start``. Raises ChipFault if it does not lie inside ``data`` whole."""
    size = len(data)
    # Nearly all have one octet of tag and one of length.
    if start + 2 <= size and data[start] & 0x1F != 0x1F and data[start + 1] < 0x80:
        tag, length, at = data[start], data[start + 1], start + 2
    else:
        tag, at = _read_tag(data, start)
        length, at = _read_length(data, at)
    end = at + length
    if end > size:
        raise ChipFault(f"data object {tag:X} claims {length} octets where {size - at} are left")
    return Element(tag, data[at:end], end)


def read_elements(data: bytes, *, limit: int = MAX_ELEMENTS) -> tuple[Element, ...]:
    """Return the data objects that fill ``data``, side by side. Raises ChipFault if they do not, or are more than ``limit``."""
    found: list[Element] = []
    at = 0
    while at < len(data):
        if len(found) == limit:
            raise ChipFault(f"more than {limit} data objects lie side by side")
        element = read_element(data, at)
        found.append(element)
        at = element.end
    return tuple(found)


def read_file(data: bytes, tag: int, name: str) -> bytes:
    """Return the value of an elementary file that holds one data object ``tag``; what follows it is padding.

    Raises ChipFault, naming the file.
    """
    element = _named(data, name)
    if element.tag != tag:
        raise ChipFault(f"{name} begins with tag {element.tag:X} instead of {tag:X}")
    return element.value


def trim_file(data: bytes, name: str) -> bytes:
    """Return a file without padding behind its one data object: what its digest is made of. Raises ChipFault, naming the file."""
    return data[: _named(data, name).end]


def find(elements: Sequence[Element], tag: int) -> bytes | None:
    """Return the value of the first of ``elements`` with this tag, None if there is none."""
    for element in elements:
        if element.tag == tag:
            return element.value
    return None


def descend(data: bytes, *path: int) -> bytes | None:
    """Return the value at the end of a path of tags, each the first of its kind; None if the path breaks off.

    Raises ChipFault for what is no TLV on the way.
    """
    value: bytes | None = data
    for tag in path:
        value = find(read_elements(value), tag) if value is not None else None
    return value


def unsigned(value: bytes, name: str, *, octets: int = 8) -> int:
    """Return a big-endian number of 1 to ``octets`` octets. Raises ChipFault, naming it, for none or more."""
    if not 1 <= len(value) <= octets:
        raise ChipFault(f"{name} is a number of {len(value)} octets, 1 to {octets} were expected")
    return int.from_bytes(value, "big")


def _named(data: bytes, name: str) -> Element:
    try:
        return read_element(data)
    except ChipFault as fault:
        raise ChipFault(f"{name} is cut short or no TLV: {fault}") from None


def _read_tag(data: bytes, at: int) -> tuple[int, int]:
    try:
        tag = data[at]
        at += 1
        if tag & 0x1F != 0x1F:
            return tag, at
        for _ in range(2):
            octet = data[at]
            at += 1
            tag = tag << 8 | octet
            if not octet & 0x80:
                return tag, at
    except IndexError:
        raise ChipFault("the octets end within a tag") from None
    raise ChipFault(f"tag {tag:X} goes on beyond three octets")


def _read_length(data: bytes, at: int) -> tuple[int, int]:
    if at >= len(data):
        raise ChipFault("the octets end before a length")
    first = data[at]
    at += 1
    if first < 0x80:
        return first, at
    octets = first & 0x7F
    if not 1 <= octets <= 4:
        raise ChipFault(f"a length begins with {first:02X}, which is indefinite or longer than four octets")
    if at + octets > len(data):
        raise ChipFault("the octets end within a length")
    return int.from_bytes(data[at : at + octets], "big"), at + octets
