"""The face picture in data group 2, out of either encoding that documents carry.

Source: ICAO Doc 9303 part 10, 4.7.2 (8th edition); ISO/IEC 19794-5:2005 (facial records, until 2030) and ISO/IEC 39794-5:2019 in the
ICAO application profile (tagged, from 2026 on; structure after the published schema id-icao-iso-iec-39794-5-ed-1-v1, copyright
ISO/IEC). A picture comes out as the octets that a decoder wants; whether it decodes is for whoever decodes.
"""

from dataclasses import dataclass
from enum import StrEnum

from gate.checks.emrtd.faults import ChipFault
from gate.checks.emrtd.lds import GROUP_TAGS
from gate.checks.emrtd.tlv import Element, descend, find, read_elements, read_file, unsigned

MAX_FACES = 8
_TEMPLATE_GROUP, _TEMPLATE, _COUNT = 0x7F61, 0x7F60, 0x02
_RECORD, _TAGGED = 0x5F2E, 0x7F2E
_FACE_MAGIC = b"FAC\x00"
_HEADER_OCTETS, _INFORMATION_OCTETS, _POINT_OCTETS, _IMAGE_OCTETS = 14, 20, 8, 12


class FaceEncoding(StrEnum):
    """How the picture is wrapped."""

    ISO_19794_5 = "19794-5"
    ISO_39794_5 = "39794-5"


@dataclass(frozen=True, slots=True, kw_only=True)
class FacePicture:
    """One picture. ``width_px`` and ``height_px`` are what the record claims, None where it does not say.

    ``media_type``: ``image/jpeg``, ``image/jp2`` (boxes) or ``image/jpc`` (a bare JPEG 2000 code stream), by the picture's own octets.
    """

    data: bytes
    media_type: str
    encoding: FaceEncoding
    width_px: int | None
    height_px: int | None


def read_faces(data: bytes) -> tuple[FacePicture, ...]:
    """Return the pictures of data group 2, the newest first as the document orders them; at least one. Raises ChipFault."""
    try:
        templates = [
            item for item in _templates(read_file(data, GROUP_TAGS[2], "data group 2")) if item.tag == _TEMPLATE
        ]
        pictures = [picture for item in templates for picture in _read_template(item.value)]
    except ChipFault as fault:
        raise ChipFault(f"data group 2 cannot be read: {fault}") from None
    if not pictures:
        raise ChipFault("data group 2 holds no face picture; have the document read again")
    return tuple(pictures)


def _templates(value: bytes) -> tuple[Element, ...]:
    group = find(read_elements(value), _TEMPLATE_GROUP)
    if group is None:
        raise ChipFault("it holds no group of biometric templates")
    parts = read_elements(group, limit=MAX_FACES + 1)
    count = find(parts, _COUNT)
    found = sum(part.tag == _TEMPLATE for part in parts)
    if count is None or unsigned(count, "its number of templates") != found:
        raise ChipFault(f"it claims another number of templates than the {found} that it holds")
    return parts


def _read_template(value: bytes) -> list[FacePicture]:
    parts = read_elements(value)
    record, tagged = find(parts, _RECORD), find(parts, _TAGGED)
    if record is not None and record.startswith(_FACE_MAGIC):
        return _read_record(record)
    # The third generation is constructed (7F2E); some write it under the tag of the first.
    if tagged is not None or record is not None:
        return _read_tagged(tagged if tagged is not None else record or b"")
    raise ChipFault("a template holds no biometric data block")


def _read_record(record: bytes) -> list[FacePicture]:
    """ISO/IEC 19794-5:2005, 5.4 to 5.8: a header, then for each face a length, points of interest, and the picture behind them."""
    if len(record) < _HEADER_OCTETS:
        raise ChipFault("a facial record ends within its header")
    claimed, count = int.from_bytes(record[8:12], "big"), int.from_bytes(record[12:14], "big")
    if claimed > len(record):
        raise ChipFault(f"a facial record claims {claimed} octets where there are {len(record)}")
    if not 1 <= count <= MAX_FACES:
        raise ChipFault(f"a facial record claims {count} faces")
    pictures = []
    at = _HEADER_OCTETS
    for _ in range(count):
        block = record[at : at + int.from_bytes(record[at : at + 4], "big")]
        points = int.from_bytes(block[4:6], "big")
        image_at = _INFORMATION_OCTETS + points * _POINT_OCTETS
        picture_at = image_at + _IMAGE_OCTETS
        if len(block) <= picture_at:
            raise ChipFault(f"a face of {len(block)} octets with {points} points has no room for a picture")
        width = int.from_bytes(block[image_at + 2 : image_at + 4], "big")
        height = int.from_bytes(block[image_at + 4 : image_at + 6], "big")
        pictures.append(_picture(block[picture_at:], FaceEncoding.ISO_19794_5, width, height))
        at += len(block)
    return pictures


def _read_tagged(value: bytes) -> list[FacePicture]:
    """FaceImageDataBlock [APPLICATION 5]: version [0], representations [1], each with its 2D picture at [1] [0] [0] [0]."""
    block = descend(value, 0xA1, 0x65)
    if block is None:
        block = descend(value, 0x65)
    representations = descend(block, 0xA1) if block is not None else None
    if representations is None:
        raise ChipFault("a tagged face holds no representation")
    pictures = []
    for item in read_elements(representations, limit=MAX_FACES):
        flat = descend(item.value, 0xA1, 0xA0, 0xA0)
        image = descend(flat, 0x80) if flat is not None else None
        if flat is None or image is None:
            raise ChipFault("a representation of a face holds no picture")
        size = descend(flat, 0xA1, 0xA7)
        sides = read_elements(size) if size is not None else ()
        width, height = (unsigned(find(sides, tag) or b"\0", "the size of a face", octets=4) for tag in (0x80, 0x81))
        pictures.append(_picture(image, FaceEncoding.ISO_39794_5, width, height))
    return pictures


def _picture(data: bytes, encoding: FaceEncoding, width: int, height: int) -> FacePicture:
    return FacePicture(
        data=data, media_type=_media_type(data), encoding=encoding, width_px=width or None, height_px=height or None
    )


def _media_type(data: bytes) -> str:
    if data.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if data.startswith(b"\x00\x00\x00\x0cjP  \r\n\x87\n"):
        return "image/jp2"
    if data.startswith(b"\xff\x4f\xff\x51"):
        return "image/jpc"
    raise ChipFault("a face is neither JPEG nor JPEG 2000")
