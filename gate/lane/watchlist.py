"""The lane's copy of the watchlist: signed files on its own disk, searched without the hub, worth nothing when too old.

The hub signs what the list is and when that was true; files are fetched by their SHA-256 and come into use all at once. A list that the
hub has not spoken for within its stated age still *finds* people, but it clears nobody: its answer is stale, and the traveller goes to
an officer. So does everybody where there is no list at all.
"""

import asyncio
import json
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from hashlib import sha256
from pathlib import Path

import numpy as np
import structlog
from numpy.typing import NDArray

from gate.checks.watchlist.base import Base, BaseInvalid, base_id, part_of
from gate.checks.watchlist.base import Part as BasePart
from gate.checks.watchlist.entry import EntryInvalid, WatchEntry
from gate.checks.watchlist.search import Hit, Question, Watchlist
from gate.core.clock import Clock
from gate.core.policy import Answer, LookupFacts
from gate.lane.hub_link import HubLink
from gate.lane.lookups import Reply
from gate.lane.sightings import PrivateDocument
from gate.wire.signing import CLOCK_TOLERANCE_S, Refused, Verifier
from gate.wire.watchlist import WatchPart, WatchStatement, verify_watch_statement

_log = structlog.get_logger(__name__)
LOOKUP = "watchlist"
_STATEMENT = "statement.jws"
_MAX_CHANGES_BYTES = 256 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class _Held:
    """A list in use. ``heard_ns``: when its statement came (monotonic), None when it was found on disk at start."""

    statement: WatchStatement
    watchlist: Watchlist
    heard_ns: int | None


class WatchKeeper:
    """A source of look-ups. Lives on the lane's event loop; :meth:`run` keeps the copy fresh until cancelled."""

    names = frozenset({LOOKUP})
    suffices = False

    def __init__(self, hub: HubLink, *, folder: Path, keys: Verifier, port: str, clock: Clock, every_s: float) -> None:
        """``folder`` is the keeper's own; ``keys`` are the hub's."""
        self._hub, self._folder, self._keys, self._port, self._clock = hub, folder, keys, port, clock
        self._every_s = every_s
        self._held: _Held | None = None

    # -- asked -----------------------------------------------------------------------------------------------------

    async def ask(self, document: PrivateDocument, case_id: str) -> Sequence[Reply]:  # noqa: ARG002  the list knows no cases
        """One reply, with the age of the list; none where there is no list."""
        held = self._held
        if held is None:
            return ()
        question = Question(
            document_number=document.document_number,
            issuer=document.issuer,
            surname=document.surname,
            given_names=document.given_names,
            birth_date=document.birth_date,
            nationality=document.nationality,
            sex=document.sex,
        )
        hits = await asyncio.to_thread(held.watchlist.find, question, self._today())
        return (self._reply(held, hits),)

    async def ask_face(self, template: NDArray[np.float32], threshold: float) -> Reply | None:
        """The same of a face: float32 (128,) of length 1; None where there is no list."""
        held = self._held
        if held is None:
            return None
        hits = await asyncio.to_thread(held.watchlist.find_face, template, threshold, self._today())
        return self._reply(held, hits)

    def _reply(self, held: _Held, hits: list[Hit]) -> Reply:
        said = "; ".join(f"{hit.entry.list_name}: {hit.words}: {hit.entry.reason}" for hit in hits[:3])
        facts = LookupFacts(
            name=LOOKUP,
            answer=Answer.HIT if hits else Answer.NOTHING,
            role=hits[0].entry.roles[0] if hits else "border",
            detail=said,
        )
        return Reply(facts=facts, age_ms=self._age_ms(held), max_age_ms=held.statement.max_age_s * 1000)

    def _age_ms(self, held: _Held) -> int:
        """How long ago the list was true. Neither clock alone is believed: the wall clock may be set back, the other starts anew."""
        by_wall = self._clock.utc_ms() - held.statement.as_of_ms
        if held.heard_ns is not None:
            return max(by_wall, (self._clock.monotonic_ns() - held.heard_ns) // 1_000_000)
        if by_wall < -CLOCK_TOLERANCE_S * 1000:
            return held.statement.max_age_s * 1000 + 1  # the clock was set back over a restart: nobody knows the age
        return max(by_wall, 0)

    def _today(self) -> date:
        return datetime.fromtimestamp(self._clock.utc_ms() / 1000, UTC).date()

    # -- kept ------------------------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Open what is on disk, then ask for news again and again. A hub that does not answer is waited for."""
        await asyncio.to_thread(self.open)
        while True:
            await self.refresh()
            await asyncio.sleep(self._every_s)

    def open(self) -> bool:
        """Take the copy on disk into use, whatever its age; whether there is one that is whole and signed."""
        try:
            token = (self._folder / _STATEMENT).read_text(encoding="ascii")
        except (OSError, UnicodeDecodeError):
            return False
        statement = verify_watch_statement(self._keys, token, port=self._port)
        if isinstance(statement, Refused):
            _log.error("watchlist_on_disk_refused", reason=statement.reason)
            return False
        try:
            watchlist = self._load(statement)
        except (OSError, BaseInvalid, EntryInvalid, ValueError) as problem:
            _log.error("watchlist_on_disk_unusable", reason=str(problem))
            return False
        self._held = _Held(statement=statement, watchlist=watchlist, heard_ns=None)
        return True

    async def refresh(self) -> bool:
        """Ask the hub once; whether the list is as fresh as its answer now. The list before stays when anything goes wrong."""
        asked_ns = self._clock.monotonic_ns()
        token = await self._hub.watch_statement()
        if token is None:
            return False
        statement = verify_watch_statement(self._keys, token, port=self._port)
        if isinstance(statement, Refused):
            _log.error("watchlist_refused", reason=statement.reason)
            return False
        held = self._held
        if held is not None and _is_older(statement, held.statement):
            _log.error("watchlist_of_the_past", number=statement.number, as_of_ms=statement.as_of_ms)
            return False
        try:
            is_same = held is not None and _content(held.statement) == _content(statement)
            if held is not None and is_same:
                watchlist = held.watchlist
            else:
                await self._fetch(statement)
                watchlist = await asyncio.to_thread(self._load, statement)
                _log.info("watchlist_taken", number=statement.number, entries=len(watchlist))
            await asyncio.to_thread(self._keep, token, statement)
        except (OSError, BaseInvalid, EntryInvalid, ValueError) as problem:
            _log.error("watchlist_not_taken", reason=str(problem))
            return False
        self._held = _Held(statement=statement, watchlist=watchlist, heard_ns=asked_ns)
        return True

    async def _fetch(self, statement: WatchStatement) -> None:
        """Have every file that the statement names on disk. Raises ValueError for one that did not come whole."""
        if statement.base:
            base = self._base_folder(statement)
            fresh = base.with_suffix(".part")
            if not base.exists():
                fresh.mkdir(parents=True, exist_ok=True, mode=0o700)
                for part in statement.base:
                    await self._fetch_part(part, fresh / part.name)
                await asyncio.to_thread(fresh.rename, base)
        if statement.changes is not None:
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            await self._fetch_part(statement.changes, self._changes_file(statement.changes))

    async def _fetch_part(self, part: WatchPart, path: Path) -> None:
        """One file, through a file of another name, so that a name stands for a whole file; one that is here already is kept."""
        if await asyncio.to_thread(_is_here, part, path):
            return
        unfinished = path.with_name(path.name + ".part")
        if not await self._hub.fetch_watch_part(part.sha256, unfinished, max_bytes=part.size):
            raise ValueError(f"the part {part.name} did not come")
        if not await asyncio.to_thread(_is_here, part, unfinished):
            unfinished.unlink(missing_ok=True)
            raise ValueError(f"the part {part.name} is not what the hub signed for")
        unfinished.chmod(0o600)
        unfinished.rename(path)

    def _load(self, statement: WatchStatement) -> Watchlist:
        base = None
        if statement.base:
            folder = self._base_folder(statement)
            for part in statement.base:
                if not _is_here(part, folder / part.name):
                    shutil.rmtree(folder, ignore_errors=True)  # it is fetched anew
                    raise BaseInvalid(f"{part.name} of the watchlist was damaged on disk")
            base = Base(folder)
        changes = statement.changes
        if changes is None:
            return Watchlist(base)
        if changes.size > _MAX_CHANGES_BYTES:
            raise BaseInvalid("the changes since the watchlist's base are too long")
        data = self._changes_file(changes).read_bytes()
        if sha256(data).hexdigest() != changes.sha256:
            self._changes_file(changes).unlink(missing_ok=True)
            raise BaseInvalid("the changes since the watchlist's base were damaged on disk")
        said = json.loads(data)
        added = [WatchEntry.from_json(entry) for entry in said["added"]]
        return Watchlist(base, added=added, removed=[str(entry_id) for entry_id in said["removed"]])

    def _keep(self, token: str, statement: WatchStatement) -> None:
        """Remember the statement for the next start, and drop the files of lists before."""
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        unfinished = self._folder / f"{_STATEMENT}.part"
        unfinished.write_text(token, encoding="ascii")
        unfinished.rename(self._folder / _STATEMENT)
        kept = {_STATEMENT}
        if statement.base:
            kept.add(self._base_folder(statement).name)
        if statement.changes is not None:
            kept.add(self._changes_file(statement.changes).name)
        for old in self._folder.iterdir():
            if old.name not in kept:
                shutil.rmtree(old) if old.is_dir() else old.unlink()

    def _base_folder(self, statement: WatchStatement) -> Path:
        return self._folder / base_id(
            BasePart(name=part.name, sha256=part.sha256, size=part.size) for part in statement.base
        )

    def _changes_file(self, part: WatchPart) -> Path:
        return self._folder / f"changes-{part.sha256}.json"


class FaceWatch:
    """Looks for the document's picture among the listed faces, and makes a hit of it where the look-up found nothing."""

    def __init__(self, keeper: WatchKeeper, threshold: float) -> None:
        self._keeper, self._threshold = keeper, threshold

    async def __call__(
        self, facts: tuple[LookupFacts, ...] | None, reference: NDArray[np.float32]
    ) -> tuple[LookupFacts, ...] | None:
        """``facts`` with the watchlist's replaced if the face is on a list; ``reference`` float32 (128,) of length 1."""
        if facts is None:
            return None
        reply = await self._keeper.ask_face(reference, self._threshold)
        if reply is None or reply.facts.answer is not Answer.HIT:
            return facts
        return tuple(reply.facts if item.name == LOOKUP and item.answer is not Answer.HIT else item for item in facts)


def _is_here(part: WatchPart, path: Path) -> bool:
    return path.is_file() and path.stat().st_size == part.size and part_of(path).sha256 == part.sha256


def _is_older(statement: WatchStatement, held: WatchStatement) -> bool:
    """A statement of the past, played again: it would bring removed entries back, or hide new ones."""
    return statement.number < held.number or statement.as_of_ms < held.as_of_ms


def _content(statement: WatchStatement) -> tuple[object, ...]:
    return (statement.number, tuple(statement.base), statement.changes)
