"""LDIF (RFC 2849) as the ICAO public key directory hands it out: entries with certificates, revocation lists and master lists.

Only what such a directory uses: folded lines, base64 values; no change records, no URLs.
"""

import base64
import binascii
from collections.abc import Iterator
from dataclasses import dataclass

from gate.checks.emrtd.faults import ChipFault

_CERTIFICATES = frozenset({"usercertificate", "cacertificate"})
_LISTS = frozenset({"certificaterevocationlist", "authorityrevocationlist"})
_MASTER_LISTS = frozenset({"pkdmasterlistcontent", "cscamasterlistdata"})


@dataclass(frozen=True, slots=True, kw_only=True)
class LdifValue:
    """One value worth importing. ``entry`` is the distinguished name of its entry, ``attribute`` in lower case without options."""

    entry: str
    attribute: str
    value: bytes


def looks_like_ldif(data: bytes) -> bool:
    """Whether the octets begin as LDIF does."""
    start = data[:4096].lstrip(b"\xef\xbb\xbf\r\n \t").lower()
    return start.startswith((b"dn:", b"version:", b"#")) and b"dn:" in start


def read_ldif(data: bytes) -> Iterator[LdifValue]:
    """Yield the values that a trust store takes, in their order. Raises ChipFault for a value that is no base64."""
    entry = ""
    for line in _unfolded(data):
        name, colon, rest = line.partition(b":")
        if not colon:
            continue
        attribute = name.split(b";")[0].strip().lower().decode("ascii", "replace")
        if attribute == "dn":
            entry = _value(rest, "dn").decode("utf-8", "replace")
        elif attribute in _CERTIFICATES | _LISTS | _MASTER_LISTS:
            yield LdifValue(entry=entry, attribute=attribute, value=_value(rest, entry))


def _value(rest: bytes, entry: str) -> bytes:
    if not rest.startswith(b":"):
        return rest.strip()
    try:
        return base64.b64decode(rest[1:].strip(), validate=True)
    except binascii.Error:
        raise ChipFault(
            f"the LDIF entry {entry[:120]!r} holds a value that is no base64; fetch the file again"
        ) from None


def _unfolded(data: bytes) -> Iterator[bytes]:
    """Lines with those that begin with a space joined to the one before (RFC 2849, note 2)."""
    held: list[bytes] = []
    for line in data.splitlines():
        if line.startswith(b" ") and held:
            held.append(line[1:])
            continue
        if held:
            yield b"".join(held)
        held = [] if line.startswith(b"#") else [line]
    if held:
        yield b"".join(held)
