"""A folder into which the systems of carriers and agents put files: ``{drop_dir}/{kind}/{file}``.

A file is taken when it has not changed between two looks (or at once when it was moved in and left alone so long); names that begin with a
dot or end in ``.part`` or ``.tmp`` are being written. Taken files go to ``done/{kind}``, their signed receipts and errors (JSON, one a
line) to ``receipts/{kind}``. A file that is found again after a crash is known by its name, size and time, and taken once.
"""

import hashlib
import json
import os
from collections.abc import Callable
from pathlib import Path

import structlog

from gate.checks.paxlst.syntax import MAX_BYTES
from gate.hub.window.forms import Kind
from gate.hub.window.intake import Conflict, Submission, Taken

log = structlog.get_logger(__name__)
SOURCE = "drop"
_UNFINISHED = (".part", ".tmp", ".filepart")


class DropFolder:
    """Not thread-safe: one thread looks. What cannot be read or moved now is tried again at the next look."""

    def __init__(self, folder: Path, take: Callable[[Submission], Taken | Conflict]) -> None:
        self._folder = folder
        self._take = take
        self._seen: dict[Path, tuple[int, int]] = {}
        self._problems: dict[str, str] = {}

    def look(self) -> int:
        """Take what is there; how many files went in. DBAPIError when the database refuses: the file stays."""
        count = 0
        seen: dict[Path, tuple[int, int]] = {}
        for kind in Kind:
            try:
                inbox = self._folder / kind.value
                inbox.mkdir(parents=True, exist_ok=True)
                for path in sorted(inbox.iterdir()):
                    if path.name.startswith(".") or path.name.endswith(_UNFINISHED) or not path.is_file():
                        continue
                    state = path.stat()
                    mark = (state.st_size, state.st_mtime_ns)
                    if self._seen.get(path) != mark:
                        seen[path] = mark
                        continue
                    self._take_file(kind, path, mark)
                    count += 1
            except OSError as error:
                self._complain(kind.value, str(error))
            else:
                self._problems.pop(kind.value, None)
        self._seen = seen
        return count

    def _take_file(self, kind: Kind, path: Path, mark: tuple[int, int]) -> None:
        size, changed_ns = mark
        data = path.read_bytes() if size <= MAX_BYTES else b""
        name = hashlib.sha256(f"{path.name}\0{size}\0{changed_ns}".encode("utf-8", "surrogateescape")).hexdigest()
        submission = Submission(kind=kind, data=data, source=SOURCE, channel="file", submission_id=f"file:{name[:48]}")
        taken = self._take(submission)
        if isinstance(taken, Conflict):
            log.error("drop_file_changed", kind=kind.value, why="another file of this name, size and time was taken")
        else:
            log.info("drop_file_taken", kind=kind.value, records=taken.accepted, errors=len(taken.errors))
            receipts = self._made("receipts", kind)
            _write(receipts / f"{path.name}.receipt.jwt", taken.receipt + "\n")
            lines = [json.dumps(error.to_json()) + "\n" for error in taken.errors]
            _write(receipts / f"{path.name}.errors.ndjson", "".join(lines))
        os.replace(path, self._free(self._made("done", kind) / path.name))

    def _made(self, name: str, kind: Kind) -> Path:
        folder = self._folder / name / kind.value
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def _free(self, path: Path) -> Path:
        number = 1
        free = path
        while free.exists():
            number += 1
            free = path.with_name(f"{path.name}.{number}")
        return free

    def _complain(self, place: str, why: str) -> None:
        if self._problems.get(place) != why:
            log.error("drop_folder_failed", kind=place, why=why)
        self._problems[place] = why


def _write(path: Path, text: str) -> None:
    """Whole or not at all."""
    new = path.with_name(f".{path.name}.new")
    new.write_text(text, encoding="utf-8")
    os.replace(new, path)
