"""The twin's elementary files: EF.COM and data groups 1, 2, 11, 12, 14 and 15, each whole with its tag.

Source: ICAO Doc 9303 part 10 (8th edition), 4.6 and 4.7; ISO/IEC 19794-5:2005 (face pictures, first generation), ISO/IEC 39794-5:2019
(third generation) in the profile of the ICAO application.
"""

import struct
from collections.abc import Iterable, Sequence
from datetime import date
from enum import StrEnum

from simulator.chip.tlv import integer, tlv

TAGS = {
    1: 0x61, 2: 0x75, 3: 0x63, 4: 0x76, 5: 0x65, 6: 0x66, 7: 0x67, 8: 0x68,
    9: 0x69, 10: 0x6A, 11: 0x6B, 12: 0x6C, 13: 0x6D, 14: 0x6E, 15: 0x6F, 16: 0x70,
}  # fmt: skip
"""Tag of each data group's file, by number (Doc 9303 part 10, table 38)."""


class FaceEncoding(StrEnum):
    """How data group 2 holds its picture."""

    ISO_19794_5 = "19794-5"
    ISO_39794_5 = "39794-5"


def make_com(groups: Iterable[int], *, lds_version: str = "0107", unicode_version: str = "040000") -> bytes:
    """EF.COM that lists these data groups."""
    return tlv(
        0x60,
        tlv(0x5F01, lds_version.encode("ascii")),
        tlv(0x5F36, unicode_version.encode("ascii")),
        tlv(0x5C, bytes(TAGS[number] for number in groups)),
    )


def make_dg1(lines: Sequence[str]) -> bytes:
    """Data group 1: the lines of the machine-readable zone."""
    return tlv(0x61, tlv(0x5F1F, "".join(lines).encode("ascii")))


def make_dg2(
    image: bytes, *, encoding: FaceEncoding = FaceEncoding.ISO_19794_5, width: int = 0, height: int = 0
) -> bytes:
    """Data group 2 with one face picture (JPEG or JPEG 2000)."""
    is_jpeg = image.startswith(b"\xff\xd8")
    if encoding is FaceEncoding.ISO_19794_5:
        block = tlv(0x5F2E, _face_2005(image, 0 if is_jpeg else 1, width, height))
    else:
        block = tlv(0x7F2E, tlv(0xA1, _face_2019(image, 0 if is_jpeg else 1, width, height)))
    format_type = 0x0008 if encoding is FaceEncoding.ISO_19794_5 else 0x0028
    header = tlv(
        0xA1,
        tlv(0x81, b"\x02"),
        tlv(0x82, b"\x00"),
        tlv(0x87, b"\x01\x01"),
        tlv(0x88, format_type.to_bytes(2, "big")),
    )
    return tlv(0x75, tlv(0x7F61, integer(1), tlv(0x7F60, header, block)))


def _face_2005(image: bytes, kind: int, width: int, height: int) -> bytes:
    """A face record: header (14 octets), facial information (20), image information (12), the picture."""
    information = struct.pack(">IHBBB3sH3s3s", 20 + 12 + len(image), 0, 0, 0, 0, bytes(3), 0, bytes(3), bytes(3))
    picture = struct.pack(">BBHHBBHH", 1, kind, width, height, 1, 2, 0, 0)
    record = information + picture + image
    return b"FAC\x00010\x00" + struct.pack(">IH", 14 + len(record), 1) + record


def _face_2019(image: bytes, kind: int, width: int, height: int) -> bytes:
    """A FaceImageDataBlock with one representation; only what the application profile asks for, and the size."""
    version = tlv(0xA0, tlv(0x80, b"\x03"), tlv(0x81, b"\x07\xe3"))
    format_code = tlv(0xA0, tlv(0x80, bytes([(2, 3)[kind]])))
    size = tlv(0xA7, tlv(0x80, b"\x00" + width.to_bytes(2, "big")), tlv(0x81, b"\x00" + height.to_bytes(2, "big")))
    picture = tlv(0xA0, tlv(0x80, image), tlv(0xA1, format_code, size if width and height else b""))
    representation = tlv(0x30, tlv(0x80, b"\x01"), tlv(0xA1, tlv(0xA0, picture)))
    return tlv(0x65, version, tlv(0xA1, representation))


def make_dg11(*, full_name: str, place_of_birth: str = "") -> bytes:
    """Data group 11, additional personal details: the name in its own script and where somebody was born (UTF-8)."""
    objects = {0x5F0E: full_name.encode()}
    if place_of_birth:
        objects[0x5F11] = place_of_birth.encode()
    return tlv(0x6B, _listed(objects))


def make_dg12(*, authority: str, issued: date | None = None) -> bytes:
    """Data group 12, additional document details: who issued it, and when."""
    objects = {0x5F19: authority.encode()}
    if issued is not None:
        objects[0x5F26] = f"{issued:%Y%m%d}".encode("ascii")
    return tlv(0x6C, _listed(objects))


def make_dg14(*security_infos: bytes) -> bytes:
    """Data group 14: SecurityInfos, each a SecurityInfo (DER)."""
    return tlv(0x6E, tlv(0x31, *sorted(security_infos)))


def make_dg15(public_key_info: bytes) -> bytes:
    """Data group 15: the key for active authentication, a SubjectPublicKeyInfo (DER)."""
    return tlv(0x6F, public_key_info)


def _listed(objects: dict[int, bytes]) -> bytes:
    tags = b"".join(tag.to_bytes(2, "big") for tag in objects)
    return tlv(0x5C, tags) + b"".join(tlv(tag, value) for tag, value in objects.items())
