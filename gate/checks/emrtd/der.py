"""The few ASN.1 types of certificates and signed messages, out of DER (ITU-T X.690). Pure, standard library only.

Why not a library: what comes off a chip is hostile, and the reading of it is in a traveller's way. This is bounded, raises nothing but
ChipFault, and takes a fourth of asn1crypto's time (decisions/0030), which writes what the simulated passports carry and reads every
certificate a second time in the tests.
"""

from datetime import UTC, datetime, timedelta
from functools import lru_cache

from gate.checks.emrtd.faults import ChipFault
from gate.checks.emrtd.tlv import Element, read_element, read_elements

BOOLEAN, INTEGER, BITS, OCTETS, NULL, OID = 0x01, 0x02, 0x03, 0x04, 0x05, 0x06
SEQUENCE, SET = 0x30, 0x31
UTC_TIME, GENERALIZED_TIME = 0x17, 0x18
MAX_NUMBER_OCTETS = 2048
"""Of an integer: a modulus of 16384 bits."""

_ENCODINGS = {
    0x0C: "utf-8",
    0x13: "ascii",
    0x16: "ascii",
    0x14: "latin-1",
    0x1A: "ascii",
    0x1E: "utf-16-be",
    0x1C: "utf-32-be",
}


def children(element: Element, tag: int = SEQUENCE) -> tuple[Element, ...]:
    """Return what a constructed element holds. Raises ChipFault if its tag is another than ``tag``."""
    if element.tag != tag:
        raise ChipFault(f"an element with tag {element.tag:X} stands where {tag:X} was expected")
    return read_elements(element.value)


def sequence(data: bytes) -> tuple[Element, ...]:
    """Return what the one SEQUENCE that ``data`` begins with holds."""
    return children(read_element(data))


def take(elements: tuple[Element, ...], place: int, tag: int) -> bytes:
    """Return the value of the element at ``place``. Raises ChipFault if it is missing or has another tag."""
    if place >= len(elements) or elements[place].tag != tag:
        found = f"{elements[place].tag:X}" if place < len(elements) else "nothing"
        raise ChipFault(f"{found} stands where an element with tag {tag:X} was expected")
    return elements[place].value


def integer(value: bytes) -> int:
    """Return a signed number. Raises ChipFault for none, or one beyond any key's size."""
    if not 1 <= len(value) <= MAX_NUMBER_OCTETS:
        raise ChipFault(f"a number has {len(value)} octets")
    return int.from_bytes(value, "big", signed=True)


def octets_of_bits(value: bytes) -> bytes:
    """Return the octets of a BIT STRING that holds whole octets."""
    if not value or value[0] != 0:
        raise ChipFault("a bit string does not hold whole octets")
    return value[1:]


def bit_places(value: bytes) -> frozenset[int]:
    """Return which bits of a BIT STRING are set, the first is 0."""
    if not 1 <= len(value) <= 9:
        raise ChipFault(f"a bit string of {len(value)} octets names no uses")
    return frozenset(
        octet * 8 + bit for octet, held in enumerate(value[1:]) for bit in range(8) if held & (0x80 >> bit)
    )


@lru_cache(maxsize=512)
def dotted(value: bytes) -> str:
    """Return an object identifier with its dots. Raises ChipFault for one that is none, or that is longer than any in use."""
    if not value or len(value) > 32 or value[-1] & 0x80:
        raise ChipFault("an object identifier is empty, too long or cut short")
    arcs: list[int] = []
    arc = 0
    for octet in value:
        arc = arc << 7 | octet & 0x7F
        if not octet & 0x80:
            arcs.append(arc)
            arc = 0
    first = min(arcs[0] // 40, 2)
    return ".".join(str(item) for item in (first, arcs[0] - 40 * first, *arcs[1:]))


def text(element: Element) -> str:
    """Return a character string; octets that are no characters of its kind are replaced, another kind comes out in hexadecimal."""
    encoding = _ENCODINGS.get(element.tag)
    return element.value.decode(encoding, "replace") if encoding else element.value.hex()


def moment(element: Element) -> datetime:
    """Return a UTCTime or GeneralizedTime, in UTC. Raises ChipFault for any other text.

    Seconds may be missing and an offset may stand for Z, as some states write it; fractions are dropped.
    """
    return read_time(element.value, is_utc_time=element.tag == UTC_TIME)


def read_time(value: bytes, *, is_utc_time: bool) -> datetime:
    """As :func:`moment`, for the octets alone: an implicit tag hides which of the two it is."""
    written = value.decode("ascii", "replace")
    try:
        digits, offset = _split_offset(written)
        if is_utc_time:
            digits = ("19" if int(digits[:2]) >= 50 else "20") + digits
        year, rest = int(digits[:4]), digits[4:].partition(".")[0]
        if len(rest) not in (8, 10) or not rest.isdecimal():
            raise ValueError
        numbers = [int(rest[at : at + 2]) for at in range(0, len(rest), 2)]
        return datetime(year, *numbers, tzinfo=UTC) - offset  # type: ignore[arg-type,misc]
    except (ValueError, OverflowError):
        raise ChipFault(f"{written[:24]!r} is no time") from None


def _split_offset(written: str) -> tuple[str, timedelta]:
    if written.endswith("Z"):
        return written[:-1], timedelta()
    for sign in "+-":
        digits, found, offset = written.partition(sign)
        if found:
            shift = timedelta(hours=int(offset[:2]), minutes=int(offset[2:4] or "0"))
            return digits, shift if sign == "+" else -shift
    raise ValueError(written)
