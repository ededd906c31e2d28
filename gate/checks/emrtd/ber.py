"""Indefinite lengths made definite: some issuers write their signed messages and master lists so (ITU-T X.690, 8.1.3.6).

The rules want DER (Doc 9303 part 10, 4.6.2). A message whose first length is indefinite is rewritten before it is read; what is
signed, the attributes and the certificates, has definite lengths and stays as it is.
"""

from gate.checks.emrtd.faults import ChipFault
from gate.checks.emrtd.tlv import read_element

MAX_DEPTH = 32
_CONSTRUCTED, _INDEFINITE = 0x20, 0x80
_PIECES, _OCTETS = 0x24, 0x04
_END = b"\0\0"


def definite(data: bytes) -> bytes:
    """Return ``data`` with definite lengths, ``data`` itself if its first length is one. Raises ChipFault if an end is missing."""
    if len(data) < 2 or data[1] != _INDEFINITE:
        return data
    # Each open element: its tag, and what it holds so far. The first is no element but the whole.
    open_elements: list[tuple[int, list[bytes]]] = [(0, [])]
    at = 0
    while len(open_elements) > 1 or at == 0:
        if at + 2 > len(data):
            raise ChipFault("an element of indefinite length does not end")
        tag = data[at]
        if data[at : at + 2] == _END:
            at += 2
            closed, parts = open_elements.pop()
            open_elements[-1][1].append(_close(closed, parts))
        elif data[at + 1] == _INDEFINITE:
            if not tag & _CONSTRUCTED or tag & 0x1F == 0x1F or len(open_elements) > MAX_DEPTH:
                raise ChipFault(f"element {tag:X} cannot have an indefinite length, or lies too deep")
            open_elements.append((tag, []))
            at += 2
        else:
            element = read_element(data, at)
            open_elements[-1][1].append(data[at : element.end])
            at = element.end
    return b"".join(open_elements[0][1])


def _close(tag: int, parts: list[bytes]) -> bytes:
    if tag == _PIECES:
        # An octet string in pieces is their values, one behind the other.
        pieces = [read_element(part) for part in parts]
        if any(piece.tag != _OCTETS for piece in pieces):
            raise ChipFault("an octet string in pieces holds something else")
        tag, parts = _OCTETS, [piece.value for piece in pieces]
    value = b"".join(parts)
    size = len(value)
    if size < 0x80:
        return bytes((tag, size)) + value
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 | len(length))) + length + value
