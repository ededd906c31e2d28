"""Distinguished names of certificates: compared as RFC 5280, 7.1 does, shown to a person, and their country."""

from dataclasses import dataclass, field
from functools import lru_cache

from gate.checks.emrtd.der import OID, SEQUENCE, SET, children, dotted, take, text
from gate.checks.emrtd.faults import ChipFault
from gate.checks.emrtd.tlv import Element, read_elements

MAX_OCTETS = 2048
_COUNTRY = "2.5.4.6"
_LABELS = {"2.5.4.3": "CN", "2.5.4.5": "serialNumber", "2.5.4.6": "C", "2.5.4.10": "O", "2.5.4.11": "OU"}


@dataclass(frozen=True, slots=True)
class Name:
    """``canonical`` is what two spellings of one name share (case, spaces and kinds of string do not count); ``text`` is for a person.

    ``country``: two capitals, or empty.
    """

    canonical: tuple[tuple[tuple[str, str], ...], ...]
    text: str = field(compare=False)
    country: str = field(compare=False)


def read_name(name: Element) -> Name:
    """Return a Name (RFC 5280, 4.1.2.4). Raises ChipFault."""
    if name.tag != SEQUENCE:
        raise ChipFault(f"an element with tag {name.tag:X} stands where a name was expected")
    if len(name.value) > MAX_OCTETS:
        raise ChipFault(f"a name has {len(name.value)} octets")
    return _read(name.value)


@lru_cache(maxsize=1024)
def _read(octets: bytes) -> Name:
    """Names come again: in a signer's certificate and in what it signed, in every document of an issuer."""
    parts = []
    shown = []
    country = ""
    for relative in read_elements(octets):
        attributes = []
        for attribute in children(relative, SET):
            pair = children(attribute)
            oid = dotted(take(pair, 0, OID))
            if len(pair) < 2:
                raise ChipFault("an attribute of a name has no value")
            value = text(pair[1])
            attributes.append((oid, " ".join(value.split()).casefold()))
            shown.append(f"{_LABELS.get(oid, oid)}={value}")
            if oid == _COUNTRY and not country:
                country = value.strip().upper()
        parts.append(tuple(sorted(attributes)))
    return Name(canonical=tuple(parts), text=", ".join(shown), country=country)
