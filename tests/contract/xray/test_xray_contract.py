"""Scans from a machine's twin: decoded from memory and through the watched folder, whole or refused with one sentence."""

from __future__ import annotations

import io
import os
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.errors import DeviceError
from drivers.xray import TimeSource, XrayImage, XrayRefused, XrayReport
from drivers.xray.decode import ScanNote, decode_scan
from drivers.xray.folder import WatchedFolder
from simulator.xray_machine import Bag, ExportFormat, XrayFault, XrayMachine, attenuations, dicos_file, transmitted

BOUND_S = 10.0
NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
TAG = "0014123456"


def until(condition: Callable[[], bool], what: str) -> None:
    deadline_s = time.monotonic() + BOUND_S
    while not condition():
        assert time.monotonic() < deadline_s, f"not within {BOUND_S} s: {what}"
        time.sleep(0.005)


class Rig:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.reports: list[XrayReport] = []
        self.source = WatchedFolder(folder, lane="lane-9", poll_ms=10, settle_ms=150, patience_s=0.6)
        self.source.start(self.reports.append)

    def one(self) -> XrayReport:
        until(lambda: bool(self.reports), "a report")
        assert len(self.reports) == 1
        return self.reports[0]

    def image(self) -> XrayImage:
        found = self.one()
        assert isinstance(found, XrayImage), found
        return found

    def refusal(self) -> str:
        found = self.one()
        assert isinstance(found, XrayRefused), found
        until(lambda: any((self.folder / "refused").glob("*.txt")), "the reason beside it")
        return found.sentence


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    rig = Rig(tmp_path / "scans")
    yield rig
    rig.source.stop()


@pytest.mark.parametrize("export", ExportFormat)
@pytest.mark.parametrize("bits", [8, 12, 16])
@pytest.mark.parametrize("is_dual_energy", [False, True])
def test_every_kind_of_scan_arrives_as_it_was_seen(
    rig: Rig, export: ExportFormat, bits: int, is_dual_energy: bool
) -> None:
    machine = XrayMachine(rig.folder, bits=bits, is_dual_energy=is_dual_energy, export=export)
    machine.scan(Bag(seed=3, tag=TAG, document="L898902C3"), NOON)
    image = rig.image()
    (view,) = image.views
    high, low = (transmitted(energy, bits, 3) for energy in attenuations(3))
    assert np.array_equal(view.high, high)
    assert view.high.dtype == (np.uint8 if bits == 8 else np.uint16)
    assert view.bits == bits
    assert view.is_dual_energy is is_dual_energy
    assert view.low is None or np.array_equal(view.low, low)
    assert (image.lane, image.bag_tag, image.document, image.machine) == ("lane-1", TAG, "L898902C3", "Twin XR-1")
    assert (image.taken_at, image.time_source) == (NOON, TimeSource.MACHINE)


def test_taken_files_are_moved_away_and_told_once(rig: Rig) -> None:
    XrayMachine(rig.folder).scan(Bag(seed=1), NOON)
    rig.image()
    until(lambda: len(list((rig.folder / "done").iterdir())) == 3, "all three moved")
    for _ in range(3):
        rig.source.look()
    assert len(rig.reports) == 1


def test_machine_without_side_car_is_believed_when_its_file_rests(rig: Rig) -> None:
    machine = XrayMachine(rig.folder, is_dual_energy=False)
    machine.inject(XrayFault.NO_SIDE_CAR)
    machine.scan(Bag(seed=1), NOON)
    image = rig.image()
    assert (image.lane, image.time_source, image.bag_tag) == ("lane-9", TimeSource.FILE, None)


def test_file_that_still_grows_is_left_alone(tmp_path: Path) -> None:
    picture = transmitted(attenuations(1)[0], 16, 1)
    content = dicos_file(picture, bits=16, energy=None, lane="lane-2", tag=TAG, document=None, taken_at=NOON)
    now_s, reports, looks = 1000.0, [], 0
    source = WatchedFolder(tmp_path, poll_ms=1, settle_ms=1000, now_s=lambda: now_s)
    source.start(reports.append)
    try:
        for start in range(0, len(content), len(content) // 5 + 1):
            with (tmp_path / "slow.dcm").open("ab") as file:
                file.write(content[start : start + len(content) // 5 + 1])
            until(lambda size=file.name: source._seen.get("slow.dcm", (0,))[0] == os.path.getsize(size), "a look at it")
            now_s += 0.9
            looks += 1
            assert reports == []
        now_s += 1.1
        until(lambda: bool(reports), "the whole scan")
    finally:
        source.stop()
    assert (looks, reports[0].lane, reports[0].bag_tag) == (5, "lane-2", TAG)


def test_side_car_before_its_files_waits_for_them(rig: Rig) -> None:
    content = dicos_file(
        transmitted(attenuations(1)[0], 8, 1), bits=8, energy=None, lane=None, tag=None, document=None, taken_at=NOON
    )
    (rig.folder / "a.json").write_text('{"files": ["a.dcm"], "lane": "lane-3"}')
    for _ in range(3):
        rig.source.look()
    assert rig.reports == []
    part = rig.folder / ".a.part"
    part.write_bytes(content)
    os.replace(part, rig.folder / "a.dcm")
    assert rig.image().lane == "lane-3"


def test_side_car_whose_file_never_comes_is_refused(rig: Rig) -> None:
    machine = XrayMachine(rig.folder)
    machine.inject(XrayFault.LOST_FILE)
    machine.scan(Bag(seed=1), NOON)
    assert "lacks its file scan-00001_low.png; deliver files before" in rig.refusal()


@pytest.mark.parametrize("export", ExportFormat)
def test_half_a_file_is_refused(rig: Rig, export: ExportFormat) -> None:
    machine = XrayMachine(rig.folder, export=export, is_dual_energy=False)
    machine.inject(XrayFault.HALF_WRITTEN)
    machine.scan(Bag(seed=1), NOON)
    sentence = rig.refusal()
    assert sentence.startswith("The scan scan-00001.json ")
    assert sentence.endswith(".")
    assert "\n" not in sentence


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("{", "is wrong at the file"),
        ('{"files": []}', "is wrong at files"),
        ('{"files": ["../../etc/passwd"]}', "name files beside it, without folders"),
        ('{"files": ["a.png"], "taken_at": "2026-11-23T12:00:00"}', "is wrong at taken_at"),
    ],
)
def test_wrong_side_car_is_refused(rig: Rig, text: str, why: str) -> None:
    (rig.folder / "a.json").write_text(text)
    assert why in rig.refusal()


def test_share_that_goes_away_comes_back(rig: Rig) -> None:
    away = rig.folder.with_name("away")
    rig.folder.rename(away)
    rig.source.look()
    away.rename(rig.folder)
    XrayMachine(rig.folder).scan(Bag(seed=1), NOON)
    rig.image()


def test_old_scans_are_deleted(tmp_path: Path) -> None:
    now_s = time.time()
    source = WatchedFolder(tmp_path, keep_h=1, now_s=lambda: now_s)
    for name, age_s in (("old.png", 3700), ("young.png", 3500)):
        (tmp_path / "done").mkdir(exist_ok=True)
        (tmp_path / "done" / name).write_bytes(b"x")
        os.utime(tmp_path / "done" / name, (now_s - age_s, now_s - age_s))
    source.look()
    assert [path.name for path in (tmp_path / "done").iterdir()] == ["young.png"]


def test_folder_that_cannot_be_is_one_clear_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(DeviceError, match="cannot be used"):
        WatchedFolder(tmp_path / "file").start(lambda _report: None)


# -- decoding alone ------------------------------------------------------------------------------------------------------


def scan(**files: bytes) -> XrayImage | XrayRefused:
    return decode_scan({name.replace("__", "."): content for name, content in files.items()}, received_at=NOON)


def sentence(found: XrayImage | XrayRefused) -> str:
    assert isinstance(found, XrayRefused), found
    return found.sentence


def dicom(**changes: object) -> bytes:
    import pydicom

    content = dicos_file(
        transmitted(attenuations(1)[0], 12, 1), bits=12, energy="high", lane="l", tag=None, document=None, taken_at=NOON
    )
    dataset = pydicom.dcmread(io.BytesIO(content))
    for keyword, value in changes.items():
        if value is None:
            delattr(dataset, keyword)
        else:
            setattr(dataset, keyword, value)
    buffer = io.BytesIO()
    dataset.save_as(buffer)
    return buffer.getvalue()


def test_inverted_grey_is_turned() -> None:
    plain, turned = (scan(a__dcm=dicom(PhotometricInterpretation=kind)) for kind in ("MONOCHROME2", "MONOCHROME1"))
    assert isinstance(plain, XrayImage)
    assert isinstance(turned, XrayImage)
    assert np.array_equal(plain.views[0].high, 4095 - turned.views[0].high)


def test_volume_is_a_volume() -> None:
    slices = np.arange(5 * 20 * 30, dtype="<u2").reshape(5, 20, 30)
    found = scan(
        a__dcm=dicom(NumberOfFrames=5, Rows=20, Columns=30, BitsStored=16, HighBit=15, PixelData=slices.tobytes())
    )
    assert isinstance(found, XrayImage)
    assert found.views[0].is_volume
    assert np.array_equal(found.views[0].high, slices)


def test_two_views_and_their_energies() -> None:
    side, top = (transmitted(attenuations(seed)[0], 12, seed) for seed in (1, 2))
    made = {
        f"{name}_{energy}.dcm": dicos_file(
            picture, bits=12, energy=energy, lane=None, tag=None, document=None, taken_at=NOON
        )
        for name, picture in (("side", side), ("top", top))
        for energy in ("high", "low")
    }
    found = decode_scan(made, received_at=NOON)
    assert isinstance(found, XrayImage)
    assert [view.is_dual_energy for view in found.views] == [True, True]
    assert np.array_equal(found.views[1].high, top)


def test_what_the_side_car_says_counts_before_the_file() -> None:
    found = decode_scan(
        {"a.dcm": dicom()}, received_at=NOON, note=ScanNote(lane="x", taken_at=NOON + timedelta(hours=1))
    )
    assert isinstance(found, XrayImage)
    assert (found.lane, found.taken_at) == ("x", NOON + timedelta(hours=1))


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "is empty"),
        (b"GIF89a" + b"x" * 400, "is no PNG, TIFF, JPEG or DICOM file; set the machine's export"),
        (b"\x89PNG\r\n\x1a\n" + b"\0" * 8 + b"\0\1\0\0\0\1\0\0" + b"IEND\xaeB`\x82", "at most 100 million"),
        (b"\xff\xd8\xff" + b"x" * 400, "breaks off"),
        (b"II*\x00" + b"x" * 400, "cannot be decoded"),
    ],
)
def test_bad_picture_is_one_clear_sentence(content: bytes, why: str) -> None:
    assert why in sentence(scan(a__png=content))


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"PixelData": None}, "without a picture"),
        ({"Rows": 10}, "that is no scan"),
        ({"Rows": 60000, "Columns": 60000}, "at most 100 million"),
        ({"PhotometricInterpretation": "YBR_FULL"}, "no sound|pixels as"),
        ({"PixelData": b"\0\0"}, "no sound DICOM file"),
    ],
)
def test_bad_dicom_is_one_clear_sentence(changes: dict[str, object], why: str) -> None:
    import re

    assert re.search(why, sentence(scan(a__dcm=dicom(**changes))))


def test_energies_must_fit() -> None:
    small, large = dicom(), dicom(Rows=210, Columns=1280)
    assert "energies of different size" in sentence(scan(a_high__dcm=small, a_low__dcm=large))
    assert "a low energy of a without the high one" in sentence(scan(a_low__dcm=small))


GOOD = dicom()


@given(st.lists(st.tuples(st.integers(0, 2_000), st.integers(0, 255)), max_size=20), st.integers(0, len(GOOD)))
def test_damaged_file_is_a_scan_or_refused(changes: list[tuple[int, int]], end: int) -> None:
    damaged = bytearray(GOOD)
    for at, byte in changes:
        damaged[at] = byte
    found = scan(a__dcm=bytes(damaged[:end]))
    assert isinstance(found, XrayImage | XrayRefused)


def test_coloured_scans_are_read_with_their_grey(tmp_path: Path) -> None:
    """Where TONGGUAN_DATA names real scans, those as well."""
    grey = transmitted(attenuations(1)[0], 8, 1).astype(np.uint8)
    cv2.imwrite(str(tmp_path / "made.png"), cv2.applyColorMap(grey, cv2.COLORMAP_JET))
    real = Path(os.environ.get("TONGGUAN_DATA", tmp_path), "xray", "compass-xp")
    for path in [tmp_path / "made.png", *sorted(real.glob("*.png"))]:
        found = decode_scan({path.name: path.read_bytes()}, received_at=NOON)
        assert isinstance(found, XrayImage)
        (view,) = found.views
        assert view.colour_bgr is not None
        assert view.colour_bgr.shape == (*view.high.shape, 3)
