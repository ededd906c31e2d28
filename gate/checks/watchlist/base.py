"""A watchlist's base: files that are made once, signed for, copied to lanes and mapped from disk as they are.

``documents.*`` (see documents), ``names.*`` (see names), ``faces.*``, and ``entries.jsonl`` with ``entries_at.npy``: the entries
themselves, of which only those are read that were hit.
"""

import hashlib
import json
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from gate.checks.watchlist.births import packed
from gate.checks.watchlist.documents import DocumentIndex
from gate.checks.watchlist.entry import FACE_DIMENSIONS, EntryInvalid, WatchEntry
from gate.checks.watchlist.faces import FaceIndex
from gate.checks.watchlist.names import NameColumns, NameIndex, NameRow

FORMAT = 1
_ENTRIES, _ENTRIES_AT, _ABOUT = "entries.jsonl", "entries_at.npy", "about.json"
_DOCUMENTS = ("high", "low", "rows")
_MOST_SPELLINGS = 64


class BaseInvalid(ValueError):
    """The files are not a base that this version can read; the text says what is wrong."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One file of a base: its name without a folder, its SHA-256 (hex) and its length in bytes."""

    name: str
    sha256: str
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Indexes:
    """The three searches over one set of entries; what they find are row numbers."""

    documents: DocumentIndex
    names: NameIndex
    faces: FaceIndex

    @classmethod
    def build(cls, entries: Iterable[WatchEntry], salt: bytes) -> Self:
        listed = list(enumerate(entries))
        faces = [(row, entry.face) for row, entry in listed if entry.face is not None]
        templates = np.stack([face for _, face in faces]) if faces else np.empty((0, FACE_DIMENSIONS), np.float32)
        return cls(
            documents=DocumentIndex.build(((doc, row) for row, entry in listed for doc in entry.documents), salt),
            names=NameIndex.build(spelling for row, entry in listed for spelling in _spellings(row, entry)),
            faces=FaceIndex(templates, np.array([row for row, _ in faces], np.uint32)),
        )


def _spellings(row: int, entry: WatchEntry) -> list[NameRow]:
    births = [packed(date) for date in entry.birth_dates] or [0]
    rows = [NameRow(entry=row, name=name, birth=birth) for name in entry.names for birth in births]
    return rows[:_MOST_SPELLINGS]


def write_base(folder: Path, entries: Iterable[WatchEntry], *, face_model: str = "") -> tuple[Part, ...]:
    """Make a base in the new or empty ``folder``; the parts in the order of their names. OSError when the disk does not take it."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    listed = list(entries)
    salt = secrets.token_bytes(16)
    indexes = Indexes.build(listed, salt)
    for column in _DOCUMENTS:
        np.save(folder / f"documents.{column}.npy", getattr(indexes.documents, column))
    for field in fields(NameColumns):
        np.save(folder / f"names.{field.name}.npy", getattr(indexes.names.columns, field.name))
    np.save(folder / "faces.templates.npy", indexes.faces.templates)
    np.save(folder / "faces.rows.npy", indexes.faces.rows)
    ends = [0]
    with (folder / _ENTRIES).open("wb") as file:
        for entry in listed:
            said = entry.to_json()
            said.pop("face", None)  # it is in the gallery, which is all that needs it
            ends.append(ends[-1] + file.write(json.dumps(said, ensure_ascii=False).encode() + b"\n"))
    np.save(folder / _ENTRIES_AT, np.array(ends, np.int64))
    about = {"format": FORMAT, "salt": salt.hex(), "entries": len(listed), "face_model": face_model}
    (folder / _ABOUT).write_text(json.dumps(about), encoding="utf-8")
    return tuple(part_of(path) for path in sorted(folder.iterdir()))


def part_of(path: Path) -> Part:
    """What a file is: read whole, by the piece."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(1 << 20):
            digest.update(piece)
    return Part(name=path.name, sha256=digest.hexdigest(), size=path.stat().st_size)


def base_id(parts: Iterable[Part]) -> str:
    """The name of a base: the SHA-256 over its parts, whatever their order."""
    listed = sorted((part.name, part.sha256, part.size) for part in parts)
    return hashlib.sha256(json.dumps(listed, separators=(",", ":")).encode()).hexdigest()


class Base:
    """An opened base: mapped, not read. It stays usable while its folder is replaced, as POSIX keeps mapped files."""

    def __init__(self, folder: Path) -> None:
        """Raises BaseInvalid."""
        try:
            about = json.loads((folder / _ABOUT).read_text(encoding="utf-8"))
            if about["format"] != FORMAT:
                raise BaseInvalid(f"{folder} is of format {about['format']}, this version reads {FORMAT}")
            self.face_model: str = about["face_model"]
            self.indexes = _opened(folder, bytes.fromhex(about["salt"]))
            self._at = _array(folder / _ENTRIES_AT)
            self._entries: NDArray[np.uint8] = (
                np.memmap(folder / _ENTRIES, np.uint8, "r") if self._at[-1] else np.empty(0, np.uint8)
            )
            if len(self._entries) != int(self._at[-1]) or about["entries"] != len(self._at) - 1:
                raise BaseInvalid(f"the entries of {folder} are not whole")
        except (OSError, EOFError, ValueError, KeyError, TypeError, IndexError) as error:
            raise BaseInvalid(f"{folder} is no base of a watchlist ({error})") from None

    def __len__(self) -> int:
        return len(self._at) - 1

    def entry(self, row: int) -> WatchEntry:
        """Read one entry. Raises BaseInvalid for a row that is not there, or not whole."""
        if not 0 <= row < len(self):
            raise BaseInvalid(f"the base has no row {row}")
        return _read_entry(self._entries[int(self._at[row]) : int(self._at[row + 1])].tobytes())


def _read_entry(line: bytes) -> WatchEntry:
    try:
        said: Mapping[str, Any] = json.loads(line)
        if not said.get("documents") and not said.get("names"):
            said = {**said, "names": [{"surname": "-"}]}  # listed by a face alone, which is in the gallery
        return WatchEntry.from_json(said)
    except (ValueError, AttributeError, TypeError) as error:
        raise BaseInvalid(f"an entry of the base cannot be read ({error})") from None


def _opened(folder: Path, salt: bytes) -> Indexes:
    high, low, rows = (_array(folder / f"documents.{column}.npy") for column in _DOCUMENTS)
    columns = {field.name: _array(folder / f"names.{field.name}.npy") for field in fields(NameColumns)}
    return Indexes(
        documents=DocumentIndex(high, low, rows, salt),
        names=NameIndex(NameColumns(**columns)),
        faces=FaceIndex(_array(folder / "faces.templates.npy"), _array(folder / "faces.rows.npy")),
    )


def _array(path: Path) -> NDArray[Any]:
    return np.asarray(np.load(path, mmap_mode="r"))


__all__ = ["Base", "BaseInvalid", "EntryInvalid", "Indexes", "Part", "base_id", "part_of", "write_base"]
