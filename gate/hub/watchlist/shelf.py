"""The watchlist as this hub holds it: opened for its own search, written out as files, and signed for lanes.

A base is made when much has changed, and holds everything up to a change; what came after is one small file. Files are named by their
SHA-256 where lanes fetch them, and an old base stays until the one after the next, so that nobody loses what they are fetching.
"""

import json
import os
import shutil
import threading
from dataclasses import dataclass
from datetime import UTC, date, datetime
from hashlib import sha256
from pathlib import Path

import numpy as np
import structlog
from numpy.typing import NDArray
from sqlalchemy import Connection, delete, select

from gate.checks.watchlist.base import Base, BaseInvalid, Part, base_id, write_base
from gate.checks.watchlist.search import Hit, Question, Watchlist
from gate.core.clock import Clock
from gate.hub.schema import WATCH_BASES, WATCH_ENTRIES
from gate.hub.store import Store, upsert
from gate.hub.watchlist.entries import Changes, all_entries, changes_since, last_number
from gate.wire.messages import LookupRequest, LookupResult
from gate.wire.signing import SigningKey
from gate.wire.watchlist import WatchPart, WatchStatement, sign_watch_statement

_log = structlog.get_logger(__name__)
LOOKUP = "watchlist"
MANY_CHANGES = 5_000
"""So many entries after the base are put into a new one: lanes fetch the changes whole each time."""
_CHANGES_NAME = "changes.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class _State:
    number: int
    base_number: int
    watchlist: Watchlist
    base: tuple[Part, ...]
    changes: Part | None
    files: dict[str, Path]


class WatchShelf:
    """Safe to use from several threads; a search sees one state of the list, whole."""

    def __init__(
        self,
        *,
        store: Store,
        folder: Path,
        key: SigningKey,
        port: str,
        clock: Clock,
        max_age_s: int,
        face_model: str = "",
    ) -> None:
        """``folder`` is the shelf's own. ``face_model``: whose templates the list's faces are (the model's hash)."""
        self._store, self._folder, self._key = store, folder, key
        self._port, self._clock, self._max_age_s, self._face_model = port, clock, max_age_s, face_model
        self._state: _State | None = None
        self._turn = threading.Lock()

    # -- asked -----------------------------------------------------------------------------------------------------

    def find(self, question: Question) -> list[Hit]:
        """Who is meant, of everything that is committed."""
        return self._current().watchlist.find(question, self._today())

    def find_face(self, template: NDArray[np.float32], threshold: float) -> list[Hit]:
        """The same by a face: float32 (128,) of length 1, cosine at or above ``threshold``."""
        return self._current().watchlist.find_face(template, threshold, self._today())

    @property
    def size_bytes(self) -> int:
        """Of the files that lanes fetch."""
        state = self._current()
        return sum(part.size for part in state.base) + (state.changes.size if state.changes is not None else 0)

    def look_up(self, request: LookupRequest) -> LookupResult:
        """A lane's question, answered as the lane's own copy would: the first hit's role, and why."""
        hits = self.find(
            Question(
                document_number=request.document_number,
                issuer=request.issuer,
                surname=request.surname,
                given_names=request.given_names,
                birth_date=request.birth_date,
                nationality=request.nationality,
                sex=request.sex,
            )
        )
        return LookupResult(name=LOOKUP, is_hit=bool(hits), role=role_of(hits), detail=words_of(hits))

    def statement(self) -> str:
        """What the list is now, signed."""
        state = self._current()
        return sign_watch_statement(
            self._key,
            WatchStatement(
                port=self._port,
                number=state.number,
                as_of_ms=self._clock.utc_ms(),
                max_age_s=self._max_age_s,
                base=[_wire(part) for part in state.base],
                changes=_wire(state.changes) if state.changes is not None else None,
            ),
        )

    def part(self, digest: str) -> Path | None:
        """The file with this SHA-256, if it is one of the list's."""
        path = self._current().files.get(digest)
        return path if path is not None and path.exists() else None

    # -- kept ------------------------------------------------------------------------------------------------------

    def rebuild(self) -> int:
        """Make a new base of everything listed; how many entries it holds. OSError when the disk does not take it."""
        with self._turn, self._store.snapshot() as connection:
            number = last_number(connection)
            fresh = self._folder / f"new-{os.getpid()}-{threading.get_ident()}"
            shutil.rmtree(fresh, ignore_errors=True)
            parts = write_base(fresh, all_entries(connection), face_model=self._face_model)
            name = base_id(parts)
            target = self._folder / name
            if target.exists():
                shutil.rmtree(fresh)
            else:
                fresh.rename(target)
        with self._store.write() as connection:
            said = json.dumps([[part.name, part.sha256, part.size] for part in parts])
            row = {"base_id": name, "number": number, "made_ms": self._clock.utc_ms(), "parts": said}
            upsert(connection, WATCH_BASES, row)
            self._drop_older(connection)
            # What lanes were told to drop is dropped: the rows of what went by then have done their work.
            connection.execute(
                delete(WATCH_ENTRIES).where(WATCH_ENTRIES.c.number <= number, WATCH_ENTRIES.c.is_listed.is_(False))
            )
        with self._turn:
            self._state = None
        return len(self._current().watchlist)

    def tidy(self) -> None:
        """Make a new base if there are many changes since the last."""
        state = self._current()
        with self._store.read() as connection:
            changes = changes_since(connection, state.base_number)
        if len(changes.added) + len(changes.removed) > MANY_CHANGES:
            self.rebuild()

    def _drop_older(self, connection: Connection) -> None:
        kept = list(connection.scalars(select(WATCH_BASES.c.base_id).order_by(WATCH_BASES.c.made_ms.desc()).limit(2)))
        connection.execute(delete(WATCH_BASES).where(WATCH_BASES.c.base_id.not_in(kept)))
        for folder in self._folder.iterdir():
            if folder.is_dir() and folder.name not in kept:
                shutil.rmtree(folder, ignore_errors=True)

    def _current(self) -> _State:
        with self._store.read() as connection:
            number = last_number(connection)
            state = self._state
            if state is not None and state.number == number:
                return state
        with self._turn, self._store.snapshot() as connection:
            self._state = self._opened(connection)
            return self._state

    def _opened(self, connection: Connection) -> _State:
        number = last_number(connection)
        base, parts, base_number, files = self._newest_base(connection)
        changes = changes_since(connection, base_number)
        watchlist = Watchlist(base, added=changes.added, removed=changes.removed)
        written = self._write(changes)
        if written is not None:
            files[written[0].sha256] = written[1]
        return _State(
            number=number,
            base_number=base_number,
            watchlist=watchlist,
            base=parts,
            changes=written[0] if written is not None else None,
            files=files,
        )

    def _newest_base(self, connection: Connection) -> tuple[Base | None, tuple[Part, ...], int, dict[str, Path]]:
        for row in connection.execute(select(WATCH_BASES).order_by(WATCH_BASES.c.made_ms.desc())):
            folder = self._folder / row.base_id
            parts = tuple(Part(name=name, sha256=digest, size=size) for name, digest, size in json.loads(row.parts))
            try:
                base = Base(folder)
            except BaseInvalid as problem:
                _log.warning("watchlist_base_unusable", reason=str(problem))
                continue
            return base, parts, int(row.number), {part.sha256: folder / part.name for part in parts}
        return None, (), 0, {}

    def _write(self, changes: Changes) -> tuple[Part, Path] | None:
        """The file of changes; it stays in place of the one before, which lanes that are fetching it ask for again by its new name."""
        if not changes.added and not changes.removed:
            return None
        said = {"removed": list(changes.removed), "added": [entry.to_json() for entry in changes.added]}
        data = json.dumps(said, ensure_ascii=False).encode()
        digest = sha256(data).hexdigest()
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        path = self._folder / f"changes-{digest}.json"
        if not path.exists():
            fresh = path.with_suffix(f".{os.getpid()}.part")
            fresh.write_bytes(data)
            fresh.chmod(0o600)
            fresh.rename(path)
        for old in sorted(self._folder.glob("changes-*.json"), key=lambda item: item.stat().st_mtime)[:-3]:
            if old != path:
                old.unlink(missing_ok=True)
        return Part(name=_CHANGES_NAME, sha256=digest, size=len(data)), path

    def _today(self) -> date:
        return datetime.fromtimestamp(self._clock.utc_ms() / 1000, UTC).date()


def role_of(hits: list[Hit]) -> str:
    """The role that is asked about a hit; ``border`` where there is none."""
    return hits[0].entry.roles[0] if hits else "border"


def words_of(hits: list[Hit]) -> str:
    """Why, for those who may know: at most three hits, the list, how it was found, the reason."""
    return "; ".join(f"{hit.entry.list_name}: {hit.words}: {hit.entry.reason}" for hit in hits[:3])


def _wire(part: Part) -> WatchPart:
    return WatchPart(name=part.name, sha256=part.sha256, size=part.size)
