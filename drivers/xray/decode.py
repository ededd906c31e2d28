"""Files of inspection machines to `XrayImage`: PNG and TIFF of 8 and 16 bit, JPEG, DICOM and DICOS. Bytes in, a scan or a refusal out.

A file is a stranger's: sizes are bounded before anything is decoded, and whatever a decoder says against it is a refusal.
"""

from __future__ import annotations

import hashlib
import io
import logging
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from drivers.xray.interface import Raster, TimeSource, XrayImage, XrayRefused, XrayView

MAX_FILE_BYTES = 512 * 1024 * 1024
MAX_PIXELS = 100_000_000
"""Of a projection; a CT volume may have five times as many voxels."""
MAX_VOXELS = 500_000_000
MIN_SIDE_PX = 16
_PNG = b"\x89PNG\r\n\x1a\n"
_TIFF = (b"II*\x00", b"MM\x00*")
_JPEG = b"\xff\xd8\xff"
_JPEG_END = b"\xff\xd9"
_PNG_END = b"IEND\xaeB`\x82"
_DICOM_AT = 128
_DICOM = b"DICM"
_DEFLATED = b"1.2.840.10008.1.2.1.99"
_HEAD_BYTES = 65_536


@dataclass(frozen=True, slots=True, kw_only=True)
class ScanNote:
    """What a side-car or an upload's form says about a scan. None: not said."""

    lane: str | None = None
    bag_tag: str | None = None
    document: str | None = None
    machine: str | None = None
    taken_at: datetime | None = None


class _Refuse(Exception):
    """Ends decoding; never leaves this module. The text completes "The scan x ..."."""


def decode_scan(
    files: Mapping[str, bytes], *, received_at: datetime, note: ScanNote | None = None, name: str | None = None
) -> XrayImage | XrayRefused:
    """One scan out of its file or files. Never raises, whatever they hold.

    ``files``: name to content. One file is a whole scan. Several are views of one, and two whose names end in `_high` and `_low` are
    the energies of one view. ``received_at``: aware; the time where neither file nor note has one.
    """
    name = name or next(iter(files), "without files")
    note = note or ScanNote()
    try:
        if not files:
            raise _Refuse("has no files; deliver the picture together with its side-car")
        parts = [(part, _decode(content)) for part, content in files.items()]
        views = _views(parts)
    except _Refuse as refusal:
        return XrayRefused(name=name, sentence=f"The scan {name} {refusal}.")
    found = next((part.note for _, part in parts if part.note is not None), ScanNote())
    taken_at = note.taken_at or found.taken_at
    digest = hashlib.sha256()
    for content in files.values():
        digest.update(content)
    return XrayImage(
        image_id=digest.hexdigest(),
        views=views,
        taken_at=(taken_at or received_at).astimezone(UTC),
        time_source=TimeSource.FILE if taken_at is None else TimeSource.MACHINE,
        machine=note.machine or found.machine or "",
        lane=note.lane or found.lane,
        bag_tag=note.bag_tag or found.bag_tag,
        document=note.document or found.document,
    )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Part:
    raster: Raster
    bits: int
    colour_bgr: NDArray[np.uint8] | None = None
    energy: str | None = None
    note: ScanNote | None = None


def _views(parts: list[tuple[str, _Part]]) -> tuple[XrayView, ...]:
    """Pairs the energies. What has no partner is a view of its own."""
    lows = {_stem(name): part for name, part in parts if _energy(name, part) == "low"}
    views: list[XrayView] = []
    paired: set[str] = set()
    for name, part in parts:
        if _energy(name, part) == "low":
            continue
        low = lows.get(_stem(name)) if _energy(name, part) == "high" else None
        if low is not None:
            paired.add(_stem(name))
            if low.raster.shape != part.raster.shape or low.raster.dtype != part.raster.dtype:
                raise _Refuse(
                    f"has energies of different size ({low.raster.shape} and {part.raster.shape}); export both alike"
                )
        views.append(
            XrayView(
                high=part.raster,
                low=None if low is None else low.raster,
                colour_bgr=part.colour_bgr,
                bits=part.bits if low is None else max(part.bits, low.bits),
            )
        )
    alone = sorted(set(lows) - paired)
    if alone:
        raise _Refuse(f"has a low energy of {alone[0]} without the high one; deliver both together")
    return tuple(views)


def _stem(name: str) -> str:
    return name.rpartition(".")[0].removesuffix("_high").removesuffix("_low") or name


def _energy(name: str, part: _Part) -> str | None:
    stem = name.rpartition(".")[0]
    if stem.endswith("_high") or stem.endswith("_low"):
        return "low" if stem.endswith("_low") else "high"
    return part.energy


def _decode(content: bytes) -> _Part:
    if len(content) > MAX_FILE_BYTES:
        raise _Refuse(f"has {len(content) // 2**20} MiB; at most {MAX_FILE_BYTES // 2**20} are read")
    if content[_DICOM_AT : _DICOM_AT + 4] == _DICOM:
        return _decode_dicom(content)
    if content.startswith(_PNG):
        if not content.rstrip(b"\0").endswith(_PNG_END):
            raise _Refuse("is a PNG that breaks off; deliver it anew")
        return _decode_picture(content)
    if content.startswith(_JPEG):
        if _JPEG_END not in content[-64:]:
            raise _Refuse("is a JPEG that breaks off; deliver it anew")
        return _decode_picture(content)
    if content.startswith(_TIFF):
        return _decode_picture(content)
    what = "is empty" if not content else "is no PNG, TIFF, JPEG or DICOM file"
    raise _Refuse(f"{what}; set the machine's export to one of them")


# -- pictures ------------------------------------------------------------------------------------------------------------


def _decode_picture(content: bytes) -> _Part:
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
    _check_png_size(content)
    try:
        pages = cv2.imdecodemulti(np.frombuffer(content, np.uint8), cv2.IMREAD_UNCHANGED)[1]
    except cv2.error:
        pages = ()
    if not pages:
        raise _Refuse("cannot be decoded; it is damaged or of a kind that is not supported")
    if len(pages) > 1:
        raise _Refuse(f"is a file of {len(pages)} pictures; export each view or energy as a file of its own")
    return _part_of(pages[0])


def _check_png_size(content: bytes) -> None:
    """OpenCV has its own limit for all others; a PNG says its size in its first bytes."""
    if content.startswith(_PNG) and len(content) >= 24:
        width, height = struct.unpack(">II", content[16:24])
        _check_size((height, width))


def _part_of(array: NDArray[Any]) -> _Part:
    if array.dtype not in (np.uint8, np.uint16):
        raise _Refuse(f"has pixels of type {array.dtype}; export 8 or 16 bits a pixel")
    colour: NDArray[np.uint8] | None = None
    if array.ndim == 3:
        _check_size(array.shape[:2])
        array = array[:, :, :3] if array.shape[2] in (3, 4) else array[:, :, 0]
        if array.ndim == 3 and array.dtype == np.uint8:
            colour = np.ascontiguousarray(array, dtype=np.uint8)
        if array.ndim == 3:
            array = cv2.cvtColor(array, cv2.COLOR_BGR2GRAY)
    _check_size(array.shape)
    return _Part(raster=np.ascontiguousarray(array), bits=_bits_used(array), colour_bgr=colour)


def _bits_used(array: NDArray[Any]) -> int:
    """A 16-bit file of a 12-bit detector says only by its values which it is."""
    return 8 if array.dtype == np.uint8 else max(8, int(array.max()).bit_length())


def _check_size(shape: tuple[int, ...]) -> None:
    if min(shape[-2:]) < MIN_SIDE_PX:
        raise _Refuse(f"is {shape[-1]} x {shape[-2]} pixels; that is no scan")
    if shape[-2] * shape[-1] > MAX_PIXELS or int(np.prod(shape, dtype=np.int64)) > MAX_VOXELS:
        raise _Refuse(f"is {shape[-1]} x {shape[-2]} pixels; at most {MAX_PIXELS // 1_000_000} million are read")


# -- DICOM and DICOS -----------------------------------------------------------------------------------------------------


def _decode_dicom(content: bytes) -> _Part:
    """DICOM PS3.3, DICOS (NEMA IIC 1 v04): plain, RLE or deflated pixels; other compressions need decoders that are not installed."""
    import pydicom

    # Its warnings about odd files would be lines of their own, with pixels in them; what matters becomes a refusal.
    logging.getLogger("pydicom").setLevel(logging.CRITICAL)
    pydicom.config.settings.reading_validation_mode = pydicom.config.IGNORE
    if _DEFLATED in content[:_HEAD_BYTES]:
        # Unpacked whole while reading, before anything says how large it is.
        raise _Refuse("is a deflated DICOM file; export it uncompressed")
    try:
        dataset = pydicom.dcmread(io.BytesIO(content))
        if "PixelData" not in dataset:
            raise _Refuse("is a DICOM file without a picture; send images, not reports")
        _check_size((int(dataset.get("NumberOfFrames", 1) or 1), int(dataset.Rows), int(dataset.Columns)))
        pixels = dataset.pixel_array
        photometric = str(dataset.PhotometricInterpretation)
        bits = int(dataset.BitsStored)
        energy = _dicos_energy(dataset)
        note = _dicom_note(dataset)
    except _Refuse:
        raise
    except NotImplementedError as error:
        raise _Refuse(
            f"is compressed in a way that is not supported ({_short(error)}); export it uncompressed"
        ) from error
    except Exception as error:
        # The library raises almost anything over a stranger's bytes: all of it is the file's fault.
        hint = "export it uncompressed" if "decompress" in str(error) else "deliver it anew"
        raise _Refuse(f"is no sound DICOM file ({_short(error)}); {hint}") from error
    raster, colour = _dicom_raster(pixels, photometric, bits)
    return _Part(raster=raster, bits=max(8, bits), colour_bgr=colour, energy=energy, note=note)


def _dicom_raster(pixels: NDArray[Any], photometric: str, bits: int) -> tuple[Raster, NDArray[np.uint8] | None]:
    if photometric == "RGB" and pixels.ndim == 3 and pixels.dtype == np.uint8:
        colour = np.ascontiguousarray(pixels[:, :, ::-1])
        return cv2.cvtColor(colour, cv2.COLOR_BGR2GRAY).astype(np.uint8), colour
    if photometric not in ("MONOCHROME1", "MONOCHROME2") or pixels.ndim not in (2, 3):
        raise _Refuse(f"is a DICOM file with pixels as {photometric}; export grey or RGB")
    if pixels.dtype.kind == "i":
        # Hounsfield-like values may be negative: shifted, so that the order stays.
        pixels = (pixels.astype(np.int32) + (1 << (bits - 1))).clip(0, (1 << bits) - 1)
    if pixels.dtype.kind not in "ui" or not 1 <= bits <= 16:
        raise _Refuse(f"has {bits} bits a pixel; export 8 to 16")
    kind = np.uint8 if bits <= 8 else np.uint16
    raster = pixels.astype(kind)
    if photometric == "MONOCHROME1":
        raster = ((1 << bits) - 1 - raster).astype(kind)  # there, large is dark
    return np.ascontiguousarray(raster), None


def _dicos_energy(dataset: Any) -> str | None:
    """DICOS names the detectors that made the picture."""
    has_low, has_high = (str(dataset.get(word, "")).upper() for word in ("LowEnergyDetectors", "HighEnergyDetectors"))
    if has_low == "YES" and has_high != "YES":
        return "low"
    return "high" if has_high == "YES" and has_low != "YES" else None


def _dicom_note(dataset: Any) -> ScanNote:
    """Which element holds lane and tag differs from maker to maker; these are where DICOM puts station and order."""
    machine = " ".join(
        str(dataset.get(word, "")) for word in ("Manufacturer", "ManufacturerModelName", "DeviceSerialNumber")
    )
    return ScanNote(
        lane=_word(dataset, "StationName"),
        bag_tag=_word(dataset, "AccessionNumber"),
        document=_word(dataset, "PatientID"),
        machine=" ".join(machine.split()),
        taken_at=_dicom_time(dataset),
    )


def _word(dataset: Any, keyword: str) -> str | None:
    return str(dataset.get(keyword, "") or "").strip()[:64] or None


def _dicom_time(dataset: Any) -> datetime | None:
    """AcquisitionDateTime, else AcquisitionDate and Time, else ContentDate and Time; without an offset they are UTC."""
    from pydicom.valuerep import DT

    for words in (("AcquisitionDateTime",), ("AcquisitionDate", "AcquisitionTime"), ("ContentDate", "ContentTime")):
        text = "".join(str(dataset.get(word, "") or "") for word in words)
        if len(text) >= 14:
            moment = DT(text)
            if moment is not None:
                return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    return None


def _short(error: BaseException) -> str:
    """In ASCII: the library quotes what it found."""
    text = " ".join(str(error).split())[:80].encode("ascii", "replace").decode()
    return text or type(error).__name__
