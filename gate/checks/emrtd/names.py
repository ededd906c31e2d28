"""Distinguished names of certificates: compared as RFC 5280, 7.1 does, shown to a person, and their country."""

from dataclasses import dataclass, field
from typing import Any

_COUNTRY = "2.5.4.6"
_LABELS = {"2.5.4.3": "CN", "2.5.4.5": "serialNumber", "2.5.4.6": "C", "2.5.4.10": "O", "2.5.4.11": "OU"}


@dataclass(frozen=True, slots=True)
class Name:
    """``canonical`` is what two spellings of one name share (case, spaces and kinds of string do not count); ``text`` is for a person.

    ``country``: two capitals, or empty. ``der``: as it was written.
    """

    canonical: tuple[tuple[tuple[str, str], ...], ...]
    text: str = field(compare=False)
    country: str = field(compare=False)
    der: bytes = field(compare=False, repr=False)


def read_name(name: Any) -> Name:
    """Return the name that an asn1crypto Name holds. Raises what its parser raises; see :func:`faults.reading`."""
    parts = []
    shown = []
    country = ""
    for relative in name.chosen:
        attributes = []
        for attribute in relative:
            oid, value = attribute["type"].dotted, _text(attribute["value"])
            attributes.append((oid, " ".join(value.split()).casefold()))
            shown.append(f"{_LABELS.get(oid, oid)}={value}")
            if oid == _COUNTRY and not country:
                country = value.strip().upper()
        parts.append(tuple(sorted(attributes)))
    return Name(canonical=tuple(parts), text=", ".join(shown), country=country, der=name.dump())


def _text(value: Any) -> str:
    native = value.native
    return native if isinstance(native, str) else value.contents.hex()
