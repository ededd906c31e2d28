"""The document security object in EF.SOD: the digests of the data groups, signed by the issuing state.

Source: ICAO Doc 9303 part 10, 4.6.2 and appendix D (8th edition).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from gate.checks.emrtd.algorithms import DIGEST_OIDS
from gate.checks.emrtd.der import dotted
from gate.checks.emrtd.faults import ChipFault
from gate.checks.emrtd.signed_data import SignedData, read_signed_data
from gate.checks.emrtd.tlv import find, read_element, read_elements, read_file, unsigned

LDS_SECURITY_OBJECT = "2.23.136.1.1.1"
SOD_TAG = 0x77
MAX_SOD_OCTETS = 262_144
_SEQUENCE, _INTEGER, _OCTETS, _OID, _PRINTABLE = 0x30, 0x02, 0x04, 0x06, 0x13


@dataclass(frozen=True, slots=True, kw_only=True)
class SecurityObject:
    """``digests``: of each data group by its number. ``digest``: how they were made, None for an algorithm that we do not know.

    ``lds_version`` and ``unicode_version`` are of version 1 only, as printed: ``0108``, ``040000``.
    """

    version: int
    digest: str | None
    digest_oid: str
    digests: Mapping[int, bytes]
    lds_version: str | None = None
    unicode_version: str | None = None


def read_sod(data: bytes) -> SignedData:
    """Return the signed message of EF.SOD. Raises ChipFault, naming the file."""
    if len(data) > MAX_SOD_OCTETS:
        raise ChipFault(f"EF.SOD has {len(data)} octets, more than any document's; have the document read again")
    return read_signed_data(read_file(data, SOD_TAG, "EF.SOD"), "EF.SOD")


def read_security_object(content: bytes) -> SecurityObject:
    """Return the LDSSecurityObject (DER). Raises ChipFault."""
    try:
        return _read(content)
    except ChipFault as fault:
        raise ChipFault(f"the security object in EF.SOD cannot be read: {fault}") from None


def _read(content: bytes) -> SecurityObject:
    outer = read_element(content)
    if outer.tag != _SEQUENCE:
        raise ChipFault(f"it begins with tag {outer.tag:X}")
    parts = read_elements(outer.value)
    if [part.tag for part in parts[:3]] != [_INTEGER, _SEQUENCE, _SEQUENCE]:
        raise ChipFault("version, algorithm and digests are not where they belong")
    version = unsigned(parts[0].value, "its version")
    oid = dotted(find(read_elements(parts[1].value), _OID) or b"")
    digests: dict[int, bytes] = {}
    for entry in read_elements(parts[2].value):
        number, value = _entry(entry.value)
        if number in digests:
            raise ChipFault(f"data group {number} is listed twice")
        digests[number] = value
    lds_version, unicode_version = None, None
    if len(parts) > 3 and parts[3].tag == _SEQUENCE:
        texts = [
            item.value.decode("ascii", "replace") for item in read_elements(parts[3].value) if item.tag == _PRINTABLE
        ]
        lds_version, unicode_version = (*texts, None, None)[:2]
    return SecurityObject(
        version=version,
        digest=DIGEST_OIDS.get(oid),
        digest_oid=oid,
        digests=MappingProxyType(digests),
        lds_version=lds_version,
        unicode_version=unicode_version,
    )


def _entry(value: bytes) -> tuple[int, bytes]:
    parts = read_elements(value)
    if [part.tag for part in parts] != [_INTEGER, _OCTETS]:
        raise ChipFault("an entry is not a number with a digest")
    number = unsigned(parts[0].value, "the number of a data group")
    if not 1 <= number <= 16:
        raise ChipFault(f"data group {number} does not exist")
    return number, parts[1].value
