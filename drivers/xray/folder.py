"""A folder into which an inspection machine writes: scans are taken when they are whole, and moved away when they have been told.

Two ways of saying "whole". A side-car `scan.json`, written last, names its files and may say lane, tag and time; or, for machines that know
no side-car, a picture whose size and time of change have stayed for `settle_ms`. Polled, since network shares tell of no changes.
"""

from __future__ import annotations

import contextlib
import json
import os
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from drivers.errors import DeviceError
from drivers.xray.decode import MAX_FILE_BYTES, ScanNote, decode_scan
from drivers.xray.interface import NotTaken, XrayImage, XrayRefused, XrayReport, XraySource

DONE, REFUSED = "done", "refused"
_PICTURES = frozenset({".png", ".tif", ".tiff", ".jpg", ".jpeg", ".dcm", ".dcs"})
_MAX_SIDE_CAR_BYTES = 64 * 1024
_Word = Annotated[str, Field(min_length=1, max_length=64)]


class SideCar(BaseModel):
    """`scan.json`: which files are one scan, and whose."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    files: Annotated[list[_Word], Field(min_length=1, max_length=32)]
    lane: _Word | None = None
    bag_tag: _Word | None = None
    document: _Word | None = None
    machine: _Word | None = None
    taken_at: AwareDatetime | None = None


class WatchedFolder(XraySource):
    """The device kind `xray_folder`.

    `lane`: for a machine that stands in one lane and says nothing. Told scans go to `done/` (and are deleted there after `keep_h` hours),
    refused ones to `refused/` with a text file beside them that says why. A side-car without its files is refused after `patience_s`.
    """

    def __init__(
        self,
        folder: str | Path,
        *,
        lane: str | None = None,
        poll_ms: int = 200,
        settle_ms: int = 1_000,
        patience_s: float = 60.0,
        keep_h: float = 24.0,
        now_s: Callable[[], float] = time.time,
    ) -> None:
        self._folder = Path(folder)
        self._lane = lane
        self._poll_s = poll_ms / 1000
        self._settle_s = settle_ms / 1000
        self._patience_s = patience_s
        self._keep_s = keep_h * 3600
        self._now_s = now_s
        self._seen: dict[str, tuple[int, int, float]] = {}
        self._waiting_since: dict[str, float] = {}
        self._stuck: dict[str, int] = {}
        """Told, but could not be moved away: their time of change, lest they be told for ever."""
        self._on_report: Callable[[XrayReport], None] | None = None
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self, on_report: Callable[[XrayReport], None]) -> None:
        if self._thread is not None:
            raise RuntimeError("the folder is already watched")
        try:
            for name in (DONE, REFUSED):
                (self._folder / name).mkdir(parents=True, exist_ok=True)
            is_usable = os.access(self._folder, os.R_OK | os.W_OK | os.X_OK)
        except OSError as error:
            raise DeviceError(
                f"The X-ray folder {self._folder} cannot be used ({error.strerror}); set one we may write to."
            ) from error
        if not is_usable:
            raise DeviceError(
                f"The X-ray folder {self._folder} may not be written; give this user the right to move files in it."
            )
        self._on_report = on_report
        self._stopping.clear()
        self._thread = threading.Thread(target=self._run, name=f"x-ray {self._folder}", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        thread, self._thread = self._thread, None
        if thread is not None:
            self._stopping.set()
            thread.join()
            self._on_report = None

    def _run(self) -> None:
        while not self._stopping.is_set():
            self.look()
            self._stopping.wait(self._poll_s)

    def look(self) -> None:
        """One pass. A share that is away for a while is no error: the next pass sees it again."""
        try:
            with os.scandir(self._folder) as entries:
                files = {entry.name: entry.stat() for entry in entries if entry.is_file() and entry.name[0] != "."}
        except OSError:
            return
        files = {name: stat for name, stat in files.items() if self._stuck.get(name) != stat.st_mtime_ns}
        side_cars = sorted(name for name in files if name.endswith(".json"))
        claimed: set[str] = set()
        for name in side_cars:
            claimed |= self._take_side_car(name, set(files))
        for name in sorted(set(files) - claimed - set(side_cars)):
            if Path(name).suffix.lower() in _PICTURES and self._is_settled(name, files[name]):
                self._take([name], name, ScanNote(lane=self._lane), files[name].st_mtime)
        self._seen = {name: seen for name, seen in self._seen.items() if name in files}
        self._clear_done()

    def _is_settled(self, name: str, stat: os.stat_result) -> bool:
        now_s = self._now_s()
        seen = self._seen.get(name)
        if seen is None or seen[:2] != (stat.st_size, stat.st_mtime_ns):
            self._seen[name] = (stat.st_size, stat.st_mtime_ns, now_s)
            return False
        return stat.st_size > 0 and now_s - seen[2] >= self._settle_s

    def _take_side_car(self, name: str, present: set[str]) -> set[str]:
        """The names that this side-car speaks for, taken or not."""
        try:
            text = (self._folder / name).read_bytes()[:_MAX_SIDE_CAR_BYTES]
            car = SideCar.model_validate_json(text)
        except OSError:
            return set()
        except ValidationError as error:
            if self._is_patient(name):
                return set()  # it may be half written
            where = ".".join(str(part) for part in error.errors()[0]["loc"]) or "the file"
            self._refuse(
                [name], name, f"The side-car {name} is wrong at {where}; write a JSON object that names its files."
            )
            return {name}
        strange = [file for file in car.files if Path(file).name != file or file in (DONE, REFUSED)]
        if strange:
            self._refuse(
                [name], name, f"The side-car {name} names {strange[0]!r}; name files beside it, without folders."
            )
            return {name}
        missing = sorted(set(car.files) - present)
        if missing and self._is_patient(name):
            return set(car.files)
        if missing:
            there = [file for file in car.files if file in present]
            self._refuse(
                [name, *there],
                name,
                f"The scan {name} lacks its file {missing[0]}; deliver files before their side-car.",
            )
            return {name, *car.files}
        note = ScanNote(
            lane=car.lane or self._lane,
            bag_tag=car.bag_tag,
            document=car.document,
            machine=car.machine,
            taken_at=car.taken_at,
        )
        self._take([*car.files, name], name, note, self._now_s())
        return {name, *car.files}

    def _is_patient(self, name: str) -> bool:
        return self._now_s() - self._waiting_since.setdefault(name, self._now_s()) < self._patience_s

    def _take(self, names: list[str], scan: str, note: ScanNote, received_s: float) -> None:
        files = [name for name in names if not name.endswith(".json")]
        try:
            too_big = [name for name in files if (self._folder / name).stat().st_size > MAX_FILE_BYTES]
            contents = {} if too_big else {name: (self._folder / name).read_bytes() for name in files}
        except OSError:
            return  # gone again, or not yet readable: the next pass tells
        if too_big:
            self._refuse(
                names, scan, f"The scan {scan} has a file of over {MAX_FILE_BYTES // 2**20} MiB; export smaller ones."
            )
            return
        found = decode_scan(contents, received_at=datetime.fromtimestamp(received_s, UTC), note=note, name=scan)
        if isinstance(found, XrayRefused):
            self._refuse(names, scan, found.sentence)
            return
        # First told, then moved: a crash between the two tells it again, and its digest says that it is the same.
        with contextlib.suppress(NotTaken):  # it lies where it is, and the next pass offers it again
            self._report(found)
            self._move(names, DONE)

    def _refuse(self, names: list[str], scan: str, sentence: str) -> None:
        with contextlib.suppress(NotTaken):  # nobody needs it again: what is refused has its sentence beside it
            self._report(XrayRefused(name=scan, sentence=sentence))
        self._move(names, REFUSED)
        try:
            (self._folder / REFUSED / f"{scan}.txt").write_text(sentence + "\n", encoding="utf-8")
        except OSError:
            return  # it was told; the text beside the file is a courtesy

    def _move(self, names: list[str], where: str) -> None:
        for name in names:
            self._waiting_since.pop(name, None)
            try:
                os.replace(self._folder / name, self._folder / where / name)
            except FileNotFoundError:
                continue
            except OSError:
                with contextlib.suppress(OSError):
                    self._stuck[name] = (self._folder / name).stat().st_mtime_ns

    def _clear_done(self) -> None:
        before_s = self._now_s() - self._keep_s
        try:
            with os.scandir(self._folder / DONE) as entries:
                old = [entry.path for entry in entries if entry.is_file() and entry.stat().st_mtime < before_s]
        except OSError:
            return
        for path in old:
            Path(path).unlink(missing_ok=True)

    def _report(self, report: XrayImage | XrayRefused) -> None:
        if self._on_report is not None:
            self._on_report(report)


def write_side_car(folder: Path, name: str, car: SideCar) -> None:
    """Writes a side-car whole or not at all, as a machine should."""
    part = folder / f".{name}.part"
    part.write_text(json.dumps(car.model_dump(mode="json", exclude_none=True)), encoding="utf-8")
    os.replace(part, folder / name)
