"""The files of the logical data structure: EF.COM and data groups 1, 11, 12, 14 and 15. The face is in :mod:`gate.checks.emrtd.face`.

Source: ICAO Doc 9303 part 10, 4.6 and 4.7 (8th edition).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from gate.checks.emrtd.faults import ChipFault
from gate.checks.emrtd.tlv import Element, find, read_elements, read_file
from gate.checks.mrz import Mrz, MrzRefusal, parse

COM_TAG = 0x60
GROUP_TAGS: Mapping[int, int] = MappingProxyType(
    {
        1: 0x61, 2: 0x75, 3: 0x63, 4: 0x76, 5: 0x65, 6: 0x66, 7: 0x67, 8: 0x68,
        9: 0x69, 10: 0x6A, 11: 0x6B, 12: 0x6C, 13: 0x6D, 14: 0x6E, 15: 0x6F, 16: 0x70,
    }
)  # fmt: skip
"""The tag of each data group by its number (table 38)."""
_GROUP_OF_TAG = {tag: group for group, tag in GROUP_TAGS.items()}
_MRZ_SHAPES = {90: (3, 30), 72: (2, 36), 88: (2, 44)}


@dataclass(frozen=True, slots=True, kw_only=True)
class CommonData:
    """EF.COM: what the chip says it holds. It is not signed: only what agrees with EF.SOD counts."""

    lds_version: str
    unicode_version: str
    groups: frozenset[int]
    unknown_tags: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonalDetails:
    """Data group 11, what of it an officer asks for; empty where it says nothing. ``birth_date`` is ``YYYYMMDD``."""

    full_name: str
    other_names: tuple[str, ...]
    personal_number: str
    birth_date: str
    place_of_birth: str
    address: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentDetails:
    """Data group 12: who issued the document and when (``YYYYMMDD``); empty where it says nothing."""

    authority: str
    issue_date: str
    endorsements: str


def read_com(data: bytes) -> CommonData:
    """Return EF.COM. Raises ChipFault."""
    parts = read_elements(read_file(data, COM_TAG, "EF.COM"))
    tags = find(parts, 0x5C)
    if tags is None:
        raise ChipFault("EF.COM lists no data groups; have the document read again")
    return CommonData(
        lds_version=_ascii(find(parts, 0x5F01)),
        unicode_version=_ascii(find(parts, 0x5F36)),
        groups=frozenset(_GROUP_OF_TAG[tag] for tag in tags if tag in _GROUP_OF_TAG),
        unknown_tags=tuple(tag for tag in tags if tag not in _GROUP_OF_TAG),
    )


def read_dg1(data: bytes) -> Mrz:
    """Return the machine-readable zone of data group 1. Raises ChipFault if it holds none."""
    text = find(read_elements(read_file(data, GROUP_TAGS[1], "data group 1")), 0x5F1F)
    shape = _MRZ_SHAPES.get(len(text or b""))
    if text is None or shape is None:
        raise ChipFault(f"data group 1 holds {len(text or b'')} characters, which is no machine-readable zone")
    count, length = shape
    letters = text.decode("latin-1")
    mrz = parse([letters[row * length : (row + 1) * length] for row in range(count)])
    if isinstance(mrz, MrzRefusal):
        raise ChipFault(f"data group 1 is no machine-readable zone: {mrz.detail}")
    return mrz


def read_dg11(data: bytes) -> PersonalDetails:
    """Return data group 11. Raises ChipFault."""
    parts = read_elements(read_file(data, GROUP_TAGS[11], "data group 11"))
    # Other names stand in a template of their own behind a count (4.7.11).
    others = read_elements(find(parts, 0xA0) or b"")
    birth = find(parts, 0x5F2B) or b""
    return PersonalDetails(
        full_name=_name(find(parts, 0x5F0E)),
        other_names=tuple(_name(item.value) for item in others if item.tag == 0x5F0F),
        personal_number=_text(find(parts, 0x5F10)),
        birth_date=_date(birth),
        place_of_birth=_lines(find(parts, 0x5F11)),
        address=_lines(find(parts, 0x5F42)),
    )


def read_dg12(data: bytes) -> DocumentDetails:
    """Return data group 12. Raises ChipFault."""
    parts = read_elements(read_file(data, GROUP_TAGS[12], "data group 12"))
    return DocumentDetails(
        authority=_lines(find(parts, 0x5F19)),
        issue_date=_date(find(parts, 0x5F26) or b""),
        endorsements=_lines(find(parts, 0x5F1B)),
    )


def read_dg14(data: bytes) -> tuple[Element, ...]:
    """Return the SecurityInfos of data group 14, each a SEQUENCE whose value begins with its object identifier. Raises ChipFault."""
    (outer,) = read_elements(read_file(data, GROUP_TAGS[14], "data group 14"), limit=1) or (None,)
    if outer is None or outer.tag != 0x31:
        raise ChipFault("data group 14 holds no set of security informations; have the document read again")
    infos = read_elements(outer.value)
    if any(info.tag != 0x30 for info in infos):
        raise ChipFault("data group 14 holds something else than security informations; have the document read again")
    return infos


def read_dg15(data: bytes) -> bytes:
    """Return the SubjectPublicKeyInfo (DER) of data group 15. Raises ChipFault."""
    value = read_file(data, GROUP_TAGS[15], "data group 15")
    elements = read_elements(value, limit=1)
    if not elements or elements[0].tag != 0x30:
        raise ChipFault("data group 15 holds no public key; have the document read again")
    return value


def _ascii(value: bytes | None) -> str:
    return (value or b"").decode("ascii", "replace")


def _text(value: bytes | None) -> str:
    return (value or b"").decode("utf-8", "replace").strip()


def _name(value: bytes | None) -> str:
    """Fillers of a name in this file are those of an MRZ: one between words, two between its halves."""
    return " ".join(part for part in _text(value).replace("<<", ", ").replace("<", " ").split(" ") if part)


def _lines(value: bytes | None) -> str:
    return ", ".join(part.strip() for part in _text(value).split("<") if part.strip())


def _date(value: bytes) -> str:
    """Eight digits, as text or as four octets of two digits each: both occur."""
    text = value.hex() if len(value) == 4 else _ascii(value)
    return text if len(text) == 8 and text.isdecimal() else ""
