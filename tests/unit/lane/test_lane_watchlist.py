"""The lane's copy of the watchlist: signed, aged, swapped whole, and worth nothing when too old. In simulated time, without a network."""

import asyncio
import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gate.checks.watchlist.base import write_base
from gate.checks.watchlist.entry import WatchEntry
from gate.core.clock import ManualClock
from gate.core.policy import Answer
from gate.lane.lookups import Lookups
from gate.lane.sightings import PrivateDocument
from gate.lane.watchlist import FaceWatch, WatchKeeper
from gate.wire.signing import SigningKey, Verifier
from gate.wire.watchlist import WatchPart, WatchStatement, sign_watch_statement

KEY = SigningKey.generate()
MAX_AGE_S = 3600
ANNA = {
    "id": "w1",
    "list": "wanted",
    "reason": "warrant",
    "names": [{"surname": "ERIKSSON", "given_names": "ANNA"}],
    "birth_dates": ["1974-08-12"],
}
DOCUMENT = PrivateDocument(
    surname="ERIKSSON",
    given_names="ANNA MARIA",
    document_code="P",
    document_number="L898902C3",
    issuer="UTO",
    nationality="UTO",
    birth_date="1974-08-12",
    sex="F",
    expiry_date="2032-04-15",
    mrz_lines=(),
)


class FakeHub:
    """Serves a list from memory; can be cut off, and can serve damaged files."""

    names = frozenset({"watchlist"})
    suffices = True

    def __init__(self, clock: ManualClock, folder: Path) -> None:
        self.clock, self.folder = clock, folder
        self.is_cut = False
        self.number = 0
        self.base: list[WatchPart] = []
        self.changes: WatchPart | None = None
        self.files: dict[str, bytes] = {}
        self.fetched: list[str] = []
        self.key = KEY

    def list_base(self, entries: Sequence[dict[str, Any]]) -> None:
        self.number += 1
        folder = self.folder / f"hub-{self.number}"
        parts = write_base(folder, [WatchEntry.from_json(entry) for entry in entries])
        self.files |= {part.sha256: (folder / part.name).read_bytes() for part in parts}
        self.base = [WatchPart(name=part.name, sha256=part.sha256, size=part.size) for part in parts]
        self.changes = None

    def change(self, *, added: Sequence[dict[str, Any]] = (), removed: Sequence[str] = ()) -> None:
        self.number += 1
        data = json.dumps({"added": list(added), "removed": list(removed)}).encode()
        digest = hashlib.sha256(data).hexdigest()
        self.files[digest] = data
        self.changes = WatchPart(name="changes.json", sha256=digest, size=len(data))

    def sign(self) -> str:
        statement = WatchStatement(
            port="tyn",
            number=self.number,
            as_of_ms=self.clock.utc_ms(),
            max_age_s=MAX_AGE_S,
            base=self.base,
            changes=self.changes,
        )
        return sign_watch_statement(self.key, statement)

    async def watch_statement(self) -> str | None:
        return None if self.is_cut else self.sign()

    async def fetch_watch_part(self, sha256: str, path: Path, *, max_bytes: int) -> bool:
        if self.is_cut:
            return False
        self.fetched.append(sha256)
        await asyncio.to_thread(path.write_bytes, self.files[sha256])
        return len(self.files[sha256]) <= max_bytes

    async def ask(self, _document: PrivateDocument, _case_id: str) -> tuple[()]:
        """The hub's own search, which is out of reach all the time here."""
        return ()


class Rig:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.clock = ManualClock()
        self.hub = FakeHub(self.clock, folder)
        self.keeper = self.started()

    def started(self) -> WatchKeeper:
        return WatchKeeper(
            self.hub,  # type: ignore[arg-type]
            folder=self.folder / "lane",
            keys=Verifier.trusting(KEY.public()),
            port="tyn",
            clock=self.clock,
            every_s=10,
        )

    def refresh(self) -> bool:
        return asyncio.run(self.keeper.refresh())

    def look_up(self) -> tuple[Answer, str]:
        lookups = Lookups(["watchlist"], [self.hub, self.keeper], deadline_ms=1500)
        (facts,) = asyncio.run(lookups(DOCUMENT, "case"))
        return facts.answer, facts.detail


@pytest.fixture
def rig(tmp_path: Path) -> Rig:
    return Rig(tmp_path)


def test_without_a_list_nobody_is_cleared(rig: Rig) -> None:
    assert rig.look_up()[0] is Answer.NO_ANSWER


def test_a_hub_cut_off_for_the_lists_age_changes_nothing_and_one_second_more_refers_everybody(rig: Rig) -> None:
    rig.hub.list_base([ANNA | {"id": "other", "birth_dates": ["1990-01-01"]}])
    assert rig.refresh()
    rig.hub.is_cut = True
    rig.clock.advance_ms(MAX_AGE_S * 1000)
    assert not rig.refresh()
    assert rig.look_up()[0] is Answer.NOTHING
    rig.clock.advance_ms(1000)
    answer, detail = rig.look_up()
    assert answer is Answer.STALE
    assert "3601 s" in detail
    rig.hub.is_cut = False
    assert rig.refresh()
    assert rig.look_up()[0] is Answer.NOTHING


def test_a_hit_says_why_and_a_removal_takes_effect_at_once(rig: Rig) -> None:
    rig.hub.list_base([ANNA])
    assert rig.refresh()
    answer, detail = rig.look_up()
    assert answer is Answer.HIT
    assert "wanted: name alike" in detail
    assert "warrant" in detail
    fetched = len(rig.hub.fetched)
    rig.hub.change(removed=["w1"])
    assert rig.refresh()
    assert rig.look_up()[0] is Answer.NOTHING
    assert len(rig.hub.fetched) == fetched + 1, "the base is not fetched again"


def test_a_restart_knows_the_list_and_its_age(rig: Rig) -> None:
    rig.hub.list_base([ANNA])
    rig.hub.change(added=[ANNA | {"id": "w2"}])
    assert rig.refresh()
    rig.hub.is_cut = True
    rig.clock.advance_ms(MAX_AGE_S * 1000 - 1)
    rig.keeper = rig.started()
    assert rig.keeper.open()
    assert rig.look_up()[0] is Answer.HIT
    rig.clock.advance_ms(1002)
    assert rig.look_up()[0] is Answer.STALE


def test_a_clock_that_is_set_back_makes_no_list_younger(rig: Rig) -> None:
    rig.hub.list_base([ANNA])
    assert rig.refresh()
    rig.hub.is_cut = True
    rig.clock.advance_ms(MAX_AGE_S * 1000 + 1000)
    rig.clock.jump_utc_ms(-MAX_AGE_S * 1000)
    assert rig.look_up()[0] is Answer.STALE
    rig.keeper = rig.started()
    rig.clock.jump_utc_ms(-2 * MAX_AGE_S * 1000)
    assert rig.keeper.open()
    assert rig.look_up()[0] is Answer.STALE


def test_a_statement_of_the_past_or_by_another_key_is_not_taken(rig: Rig) -> None:
    rig.hub.list_base([ANNA])
    old = rig.hub.sign()
    rig.hub.change(removed=["w1"])
    assert rig.refresh()

    async def again() -> str:
        return old

    rig.hub.watch_statement = again  # type: ignore[method-assign]
    assert not rig.refresh()
    assert rig.look_up()[0] is Answer.NOTHING
    del rig.hub.watch_statement
    rig.hub.key = SigningKey.generate()
    assert not rig.refresh()


def test_files_that_are_not_what_was_signed_for_are_not_used(rig: Rig) -> None:
    rig.hub.list_base([])
    assert rig.refresh()
    rig.hub.change(added=[ANNA])
    assert rig.hub.changes is not None
    whole = rig.hub.files[rig.hub.changes.sha256]
    rig.hub.files[rig.hub.changes.sha256] = whole.replace(b"warrant", b"tnarraw")
    assert not rig.refresh()
    assert rig.look_up()[0] is Answer.NOTHING
    rig.hub.files[rig.hub.changes.sha256] = whole
    assert rig.refresh()
    assert rig.look_up()[0] is Answer.HIT


def test_a_copy_that_was_damaged_on_disk_is_no_list_and_is_fetched_anew(rig: Rig) -> None:
    rig.hub.list_base([ANNA])
    assert rig.refresh()
    (names,) = (rig.folder / "lane").glob("*/names.text.npy")
    names.write_bytes(names.read_bytes()[:-1] + b"!")
    rig.keeper = rig.started()
    assert not rig.keeper.open()
    assert rig.look_up()[0] is Answer.NO_ANSWER
    assert rig.refresh()
    assert rig.look_up()[0] is Answer.HIT


def test_a_listed_face_is_a_hit_whatever_the_document_says(rig: Rig) -> None:
    face = np.zeros(128, np.float32)
    face[0] = 1.0
    entry = WatchEntry(id="f", list_name="faces", reason="seek", face=face).to_json()
    rig.hub.list_base([entry])
    assert rig.refresh()
    lookups = Lookups(["watchlist"], [rig.hub, rig.keeper], deadline_ms=1500)
    facts = asyncio.run(lookups(DOCUMENT, "case"))
    assert facts[0].answer is Answer.NOTHING
    watch = FaceWatch(rig.keeper, 0.5)
    seen = asyncio.run(watch(facts, face))
    assert seen is not None
    assert (seen[0].answer, seen[0].detail) == (Answer.HIT, "faces: face alike 1.00: seek")
    stranger = np.roll(face, 1)
    assert asyncio.run(watch(facts, stranger)) == facts
