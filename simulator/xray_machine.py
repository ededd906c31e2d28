"""An inspection machine's twin: bags as attenuation, seen at two energies, delivered as files into a folder, with faults."""

from __future__ import annotations

import io
import json
import os
import random
import ssl
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path

import cv2
import httpx
import numpy as np
from numpy.typing import NDArray

_WIDTH_PX, _HEIGHT_PX = 640, 420
_MATERIALS = {
    "cloth": (0.10, 0.12),
    "water": (0.5, 0.7),
    "plastic": (0.4, 0.5),
    "aluminium": (0.9, 1.6),
    "steel": (1.8, 4.5),
}
"""Attenuation of a full thickness at the high and the low energy: metals stand out at the low one."""


class XrayFault(StrEnum):
    """What `XrayMachine.inject` can break; all last until `heal`."""

    SILENT = "silent"
    HALF_WRITTEN = "half_written"
    GARBLE = "garble"
    NO_SIDE_CAR = "no_side_car"
    LOST_FILE = "lost_file"
    """The side-car names a file that never comes."""


class ExportFormat(StrEnum):
    PNG = "png"
    TIFF = "tif"
    DICOM = "dcm"


@dataclass(frozen=True, slots=True, kw_only=True)
class Bag:
    """What goes through the tunnel. The seed makes its contents."""

    seed: int
    tag: str | None = None
    document: str | None = None


class XrayMachine:
    """Scans bags into `folder`. Files come before their side-car, as they should, unless a fault says otherwise."""

    def __init__(
        self,
        folder: Path,
        *,
        lane: str | None = "lane-1",
        bits: int = 16,
        is_dual_energy: bool = True,
        export: ExportFormat = ExportFormat.PNG,
        seed: int = 1,
    ) -> None:
        self.folder = folder
        self._lane = lane
        self._bits = bits
        self._is_dual_energy = is_dual_energy
        self._export = export
        self._rng = random.Random(seed)
        self._faults: set[XrayFault] = set()
        self._count = 0

    def inject(self, fault: XrayFault) -> None:
        self._faults.add(fault)

    def heal(self, fault: XrayFault) -> None:
        self._faults.discard(fault)

    def scan(self, bag: Bag, taken_at: datetime) -> list[Path]:
        """Sends a bag through; returns what was written."""
        if XrayFault.SILENT in self._faults:
            return []
        self._count += 1
        stem = f"scan-{self._count:05d}"
        energies = attenuations(bag.seed)
        names = ("high", "low") if self._is_dual_energy else ("high",)
        written: list[Path] = []
        for name, energy in zip(names, energies, strict=False):
            suffix = f"_{name}" if self._is_dual_energy else ""
            path = self.folder / f"{stem}{suffix}.{self._export}"
            content = self._encode(transmitted(energy, self._bits, bag.seed), name, bag, taken_at)
            written.append(self._write(path, content))
        if XrayFault.NO_SIDE_CAR not in self._faults:
            written.append(self._write_side_car(stem, written, bag, taken_at))
        return written

    def finish(self, path: Path, content: bytes) -> None:
        """Writes the rest of what was half written."""
        path.write_bytes(content)

    def _write(self, path: Path, content: bytes) -> Path:
        if XrayFault.HALF_WRITTEN in self._faults:
            content = content[: len(content) // 2]
        if XrayFault.GARBLE in self._faults:
            damaged = bytearray(content)
            for _ in range(64):
                damaged[self._rng.randrange(200, len(damaged))] ^= self._rng.randrange(1, 256)
            content = bytes(damaged)
        path.write_bytes(content)
        return path

    def _write_side_car(self, stem: str, files: list[Path], bag: Bag, taken_at: datetime) -> Path:
        names = [path.name for path in files]
        if XrayFault.LOST_FILE in self._faults:
            files.pop().unlink()
        said = {
            "files": names,
            "lane": self._lane,
            "bag_tag": bag.tag,
            "document": bag.document,
            "machine": "Twin XR-1",
            "taken_at": taken_at.isoformat(),
        }
        path, part = self.folder / f"{stem}.json", self.folder / f".{stem}.json.part"
        part.write_text(json.dumps({key: value for key, value in said.items() if value is not None}), encoding="utf-8")
        os.replace(part, path)
        return path

    def _encode(self, picture: NDArray[np.uint16], energy: str, bag: Bag, taken_at: datetime) -> bytes:
        if self._export is ExportFormat.DICOM:
            return dicos_file(
                picture,
                bits=self._bits,
                energy=energy if self._is_dual_energy else None,
                lane=self._lane,
                tag=bag.tag,
                document=bag.document,
                taken_at=taken_at,
            )
        array = picture.astype(np.uint8) if self._bits == 8 else picture
        return cv2.imencode(f".{self._export}", array)[1].tobytes()


def attenuations(seed: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(height, width) of attenuation at the high and at the low energy: a case with a few things in it."""
    rng = np.random.default_rng(seed)
    high = np.zeros((_HEIGHT_PX, _WIDTH_PX))
    low = np.zeros_like(high)
    things = [("cloth", (40, 40), (_WIDTH_PX - 40, _HEIGHT_PX - 40))]
    for _ in range(int(rng.integers(4, 10))):
        x, y = int(rng.integers(60, _WIDTH_PX - 200)), int(rng.integers(60, _HEIGHT_PX - 160))
        corner = (x + int(rng.integers(20, 140)), y + int(rng.integers(20, 100)))
        things.append((str(rng.choice(list(_MATERIALS))), (x, y), corner))
    for material, start, end in things:
        mask = np.zeros(high.shape, np.uint8)
        if rng.random() < 0.5 and material != "cloth":
            centre = ((start[0] + end[0]) // 2, (start[1] + end[1]) // 2)
            axes = ((end[0] - start[0]) // 2, (end[1] - start[1]) // 2)
            cv2.ellipse(mask, centre, axes, float(rng.integers(0, 90)), 0.0, 360.0, (1,), -1)
        else:
            cv2.rectangle(mask, start, end, (1,), -1)
        thickness = float(rng.uniform(0.4, 1.0))
        at_high, at_low = _MATERIALS[material]
        high += mask * thickness * at_high
        low += mask * thickness * at_low
    return high, low


def transmitted(attenuation: NDArray[np.float64], bits: int, seed: int) -> NDArray[np.uint16]:
    """What a detector counts behind it (Beer-Lambert), with its noise; large is bright."""
    top = (1 << bits) - 1
    noise = np.random.default_rng(seed + 1).normal(0, 0.003, attenuation.shape)
    return (np.clip(np.exp(-attenuation) + noise, 0, 1) * top).astype(np.uint16)


def dicos_file(
    picture: NDArray[np.uint16],
    *,
    bits: int,
    energy: str | None,
    lane: str | None,
    tag: str | None,
    document: str | None,
    taken_at: datetime,
) -> bytes:
    """A DICOS digital X-ray image, explicit little endian, uncompressed."""
    from pydicom.dataset import FileDataset, FileMetaDataset
    from pydicom.uid import DICOSDigitalXRayImageStorageForProcessing, ExplicitVRLittleEndian, generate_uid

    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = DICOSDigitalXRayImageStorageForProcessing
    meta.MediaStorageSOPInstanceUID = generate_uid(
        entropy_srcs=[str(lane), str(tag), taken_at.isoformat(), str(energy)]
    )
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    data = FileDataset("", {}, file_meta=meta, preamble=b"\0" * 128)
    data.SOPClassUID = meta.MediaStorageSOPClassUID
    data.SOPInstanceUID = meta.MediaStorageSOPInstanceUID
    data.Modality = "DX"
    data.Manufacturer, data.ManufacturerModelName = "Twin", "XR-1"
    data.AcquisitionDateTime = taken_at.astimezone(UTC).strftime("%Y%m%d%H%M%S.%f+0000")
    data.StationName, data.AccessionNumber, data.PatientID = lane or "", tag or "", document or ""
    if energy is not None:
        data.LowEnergyDetectors = "YES" if energy == "low" else "NO"
        data.HighEnergyDetectors = "YES" if energy == "high" else "NO"
    data.SamplesPerPixel, data.PhotometricInterpretation, data.PixelRepresentation = 1, "MONOCHROME2", 0
    data.Rows, data.Columns = picture.shape
    data.BitsAllocated = 8 if bits <= 8 else 16
    data.BitsStored, data.HighBit = bits, bits - 1
    data.PixelData = (picture.astype(np.uint8) if bits <= 8 else picture.astype("<u2")).tobytes()
    buffer = io.BytesIO()
    data.save_as(buffer, enforce_file_format=True)
    return buffer.getvalue()


def send_scan(url: str, written: list[Path], *, token: str, trust: ssl.SSLContext) -> int:
    """Sends what `XrayMachine.scan` wrote to a listener instead, as a machine that speaks HTTP would; the answer's status."""
    side_car = next((path for path in written if path.suffix == ".json"), None)
    said = json.loads(side_car.read_bytes()) if side_car is not None else {}
    fields = {key: str(value) for key, value in said.items() if key != "files" and value is not None}
    files = [path for path in written if path.suffix != ".json"]
    with httpx.Client(
        base_url=url, verify=trust, trust_env=False, headers={"Authorization": f"Bearer {token}"}
    ) as client:
        if len(files) == 1:
            headers = {f"X-{key.replace('_', '-')}": value for key, value in fields.items()}
            return client.put(f"/scans/{files[0].name}", content=files[0].read_bytes(), headers=headers).status_code
        parts = [("file", (path.name, path.read_bytes())) for path in files]
        return client.post("/scans", files=parts, data=fields).status_code
