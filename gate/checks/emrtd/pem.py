"""PEM (RFC 7468): base64 between dashes, as certificates are often handed on."""

import base64
import binascii

from gate.checks.emrtd.faults import ChipFault

_BEGIN, _END, _DASHES = b"-----BEGIN ", b"-----END ", b"-----"
MAX_LABEL_OCTETS = 64


def looks_like_pem(data: bytes) -> bool:
    """Whether the octets are text with at least one block."""
    return b"-----BEGIN " in data[:65_536]


def read_pem(data: bytes) -> tuple[tuple[str, bytes], ...]:
    """Return the label and the octets of every block. Raises ChipFault for a block that is none, or if there is none at all."""
    blocks = []
    at = data.find(_BEGIN)
    while at >= 0:
        label_at = at + len(_BEGIN)
        label_end = data.find(_DASHES, label_at, label_at + MAX_LABEL_OCTETS)
        label = data[label_at:label_end] if label_end >= 0 else b""
        end = data.find(_END + label + _DASHES, label_end) if label else -1
        if end < 0:
            raise ChipFault("a PEM block does not end; copy the file again")
        blocks.append((label.decode("ascii", "replace"), _octets(data[label_end + len(_DASHES) : end])))
        at = data.find(_BEGIN, end)
    if not blocks:
        raise ChipFault("a PEM file holds no block; copy it again")
    return tuple(blocks)


def from_pem(data: bytes, label: str) -> bytes:
    """Return the octets of the first block with this label, or ``data`` itself if it is no PEM. Raises ChipFault."""
    if not looks_like_pem(data):
        return data
    for found, octets in read_pem(data):
        if found == label:
            return octets
    raise ChipFault(f"a PEM file holds no {label}; copy it again")


def write_pem(label: str, der: bytes) -> bytes:
    """One block, in lines of 64 characters."""
    body = base64.b64encode(der)
    lines = b"".join(body[at : at + 64] + b"\n" for at in range(0, len(body), 64))
    return b"-----BEGIN %b-----\n%b-----END %b-----\n" % (label.encode(), lines, label.encode())


def _octets(body: bytes) -> bytes:
    try:
        return base64.b64decode(b"".join(body.split()), validate=True)
    except binascii.Error:
        raise ChipFault("a PEM block is no base64; copy it again") from None
