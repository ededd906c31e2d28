"""Writing BER-TLV: what the twin's files are put together with. Its own, so that a mistake of the reader is not made here as well."""


def tlv(tag: int, *values: bytes) -> bytes:
    """One data object in DER's shortest form; ``tag`` as it is written, so 0x5F1F is two octets."""
    content = b"".join(values)
    return tag.to_bytes((tag.bit_length() + 7) // 8 or 1, "big") + length(len(content)) + content


def length(octets: int) -> bytes:
    """The length octets for so many octets of content."""
    if octets < 0x80:
        return bytes([octets])
    size = (octets.bit_length() + 7) // 8
    return bytes([0x80 | size]) + octets.to_bytes(size, "big")


def integer(value: int) -> bytes:
    """A DER INTEGER."""
    size = value.bit_length() // 8 + 1
    return tlv(0x02, value.to_bytes(size, "big", signed=True))


def oid(dotted: str) -> bytes:
    """A DER OBJECT IDENTIFIER."""
    first, second, *rest = (int(part) for part in dotted.split("."))
    octets = bytearray()
    for arc in (40 * first + second, *rest):
        septets = [arc & 0x7F]
        while arc := arc >> 7:
            septets.append(0x80 | arc & 0x7F)
        octets += bytes(reversed(septets))
    return tlv(0x06, bytes(octets))
