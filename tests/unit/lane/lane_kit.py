"""A lane without cameras and without a hub: real store, guard, casework and runtime on a real serial line to a board's twin.

Only the eyes are scripted: :class:`ScriptedEyes` answers what the lane asks for as the vision threads would.
"""

import asyncio
import contextlib
import json
import sqlite3
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from drivers.lane_io import LaneLinkDriver
from drivers.lane_io.interface import Door
from gate.app import sign_own_release
from gate.core.clock import Clock, SystemClock
from gate.core.guard import Guard
from gate.core.policy import ClearancePolicy, DocumentFacts, LookupFacts
from gate.core.state import LanePolicy, State
from gate.lane.casework import Casework
from gate.lane.equipment import Equipment, Fittings
from gate.lane.runtime import LaneRuntime
from gate.lane.sightings import (
    DocumentIdentified,
    DocumentOutcome,
    DocumentPictures,
    DocumentSeen,
    FaceOutcome,
    FaceSeen,
    PrivateDocument,
)
from gate.lane.store import LaneStore, OutboxRow
from gate.wire.messages import Act, Command, LaneState
from gate.wire.signing import CommandVerifier, Refused, SigningKey, VerifiedCommand, Verifier, sign_command
from simulator.board import PtyBoard
from simulator.world import Walker

PORT, LANE = "p", "lane-1"
ADDRESS = f"{PORT}/{LANE}"
HASH = "ab" * 32
SURNAME, NUMBER, MRZ_LINE = "ERIKSSON", "L898902C3", "P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<"
BOUND_S = 10.0
QUICK = LanePolicy(
    document_timeout_ms=3_000,
    entry_timeout_ms=1_500,
    face_timeout_ms=2_000,
    release_wait_ms=600,
    exit_timeout_ms=2_000,
    inside_limit_ms=20_000,
    desk_notice_ms=50,
    settle_ms=50,
    retry_ms=100,
)
FAST_MM_S = 3_000.0
LINE_MM, OUTSIDE_MM, BEYOND_MM = 1500.0, -900.0, 3300.0


async def until(condition: Callable[[], bool], what: str | Callable[[], str], within_s: float = BOUND_S) -> None:
    deadline_s = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < deadline_s, f"not within {within_s} s: {what if isinstance(what, str) else what()}"
        await asyncio.sleep(0.005)


def template(seed: int = 1) -> NDArray[np.float32]:
    vector = np.random.default_rng(seed).normal(size=128).astype(np.float32)
    unit: NDArray[np.float32] = (vector / np.linalg.norm(vector)).astype(np.float32)
    return unit


def document(ticket: int = 1, **changes: Any) -> DocumentOutcome:
    """A good page."""
    facts = DocumentFacts(
        format="TD3",
        failed_check_digits=(),
        expiry_date=date(2040, 1, 1),
        birth_date=date(1980, 1, 1),
        has_portrait=True,
        confidence_ratio=0.99,
        model_hash=HASH,
    )
    private = PrivateDocument(
        surname=SURNAME,
        given_names="ANNA MARIA",
        document_code="P",
        document_number=NUMBER,
        issuer="UTO",
        nationality="UTO",
        birth_date="1980-01-01",
        sex="F",
        expiry_date="2040-01-01",
        mrz_lines=(MRZ_LINE, "L898902C36UTO8001014F4001016<<<<<<<<<<<<<<06"),
    )
    values: dict[str, Any] = {"facts": facts, "private": private, "reference": template(), "model_hash": HASH}
    return DocumentOutcome(ticket=ticket, placed_ns=time.monotonic_ns(), **(values | changes))


def face(ticket: int = 1, score: float | None = 0.9, person_count: int = 1) -> FaceOutcome:
    return FaceOutcome(
        ticket=ticket,
        score=score,
        threshold=0.4,
        hints=() if score is not None else ("too_dark",),
        model_hash=HASH,
        person_count=person_count,
        seen_ns=time.monotonic_ns(),
        live_jpeg=b"live picture" if score is not None else None,
    )


class ScriptedEyes:
    """In the place of :class:`gate.lane.vision.Vision`. ``score`` None with ``is_silent``: no answer ever comes."""

    def __init__(self) -> None:
        self.page: Callable[[int], DocumentOutcome] = document
        self.score: float | None = 0.9
        self.people = 1
        self.is_silent = False
        self.references: list[NDArray[np.float32] | None] = []
        self._post: Callable[[Any], None] = lambda _item: None
        self.is_started = False

    def start(self, post: Callable[[Any], None]) -> None:
        self._post = post
        self.is_started = True

    def stop(self) -> None: ...

    def place_document(self) -> None:
        self._post(DocumentSeen(at_ns=time.monotonic_ns()))

    def say(self, item: Any) -> None:
        self._post(item)

    def read_document(self, ticket: int) -> None:
        outcome = self.page(ticket)
        if outcome.private is not None:
            self._post(DocumentIdentified(ticket=ticket, private=outcome.private))
        self._post(outcome)
        self._post(DocumentPictures(ticket=ticket, page_jpeg=b"page picture", portrait_jpeg=b"portrait picture"))

    def capture_face(self, ticket: int, reference: NDArray[np.float32] | None) -> None:
        self.references.append(reference)
        if not self.is_silent:
            self._post(FaceSeen(ticket=ticket, person_count=self.people, hint=None))
            self._post(face(ticket, self.score, self.people))

    def expect_documents(self, is_wanted: bool) -> None: ...

    def watch_arrival(self, ticket: int) -> None: ...

    def watch_people(self, ticket: int) -> None:
        self._post(FaceSeen(ticket=ticket, person_count=self.people, hint=None))

    def stop_checks(self) -> None: ...


class BreakableStore(LaneStore):
    """A disk that is full for as long as :attr:`is_full`."""

    is_full = False

    @contextlib.contextmanager
    def _transaction(self):  # type: ignore[no-untyped-def]
        if self.is_full:
            raise sqlite3.OperationalError("database or disk is full")
        with super()._transaction():
            yield


@dataclass
class Rig:
    """A running lane and everything that it said."""

    runtime: LaneRuntime
    casework: Casework
    store: BreakableStore
    board: PtyBoard
    eyes: ScriptedEyes
    verifier: CommandVerifier
    hub_key: SigningKey
    clock: Clock
    rows: list[OutboxRow] = field(default_factory=list)
    published: list[LaneState] = field(default_factory=list)
    states: list[State] = field(default_factory=list)
    commands: int = 0
    task: "asyncio.Task[None] | None" = None

    @property
    def is_over(self) -> bool:
        return self.task is not None and self.task.done()

    @property
    def name(self) -> State:
        return self.runtime.state.name

    async def reaches(self, *states: State) -> None:
        await until(lambda: self.is_over or self.name in states, lambda: f"{states}; it went {self.states}")
        assert self.name in states, f"the lane ended by itself: {self.states}"
        await asyncio.sleep(0)  # what is to be seen of it is shown with the loop's next turn

    async def is_settled(self) -> None:
        """What was ordered so far has been dealt with."""
        await until(lambda: self.runtime._inbox.is_empty and not self.runtime._tasks, "all orders are dealt with")

    def events(self, kind: str) -> list[dict[str, Any]]:
        """The data of the events of this kind, in order."""
        bodies = [json.loads(row.body) for row in self.rows]
        return [body["data"] for body in bodies if body["type"] == f"tongguan.{kind}"]

    def opened(self, door: Door) -> list[str]:
        return [opening.reason for opening in self.board.openings if opening.door is door]

    def walker(self, x_mm: float = OUTSIDE_MM) -> Walker:
        with self.board.lock:
            return self.board.world.add_person(x_mm, speed_mm_s=FAST_MM_S)

    def go(self, walker: Walker, x_mm: float) -> None:
        with self.board.lock:
            walker.walk_to(x_mm)

    def take_away(self, walker: Walker) -> None:
        with self.board.lock:
            self.board.world.remove(walker)

    async def walk_in(self) -> Walker:
        """Place the document, walk in to the line."""
        await self.reaches(State.READY)
        self.eyes.place_document()
        await self.reaches(State.ENTRY_OPEN)
        walker = self.walker()
        self.go(walker, LINE_MM)
        return walker

    def command(self, act: Act, **claims: Any) -> str:
        """A signed command of the hub, not handed over yet."""
        self.commands += 1
        now_s = self.clock.utc_ms() / 1000
        body = {
            "iss": "hub",
            "aud": ADDRESS,
            "jti": f"{self.commands:032x}",
            "seq": self.commands,
            "iat": now_s,
            "exp": now_s + 10,
            "act": act,
            "by": "officer",
        }
        return sign_command(self.hub_key, Command.model_validate(body | claims))

    def order(self, act: Act, **claims: Any) -> str | None:
        """Hand a command over as the uplink does; why it was refused, or None."""
        checked = self.verifier.verify(self.command(act, **claims))
        if isinstance(checked, Refused):
            return checked.reason
        return self.runtime.consider(checked)

    def release_command(self) -> str:
        """The hub's release of the present case on its present evidence, signed."""
        here = self.casework.crossing
        assert here is not None
        return self.command(
            Act.RELEASE,
            case_id=here.case_id,
            occupancy_id=here.evidence.occupancy_id,
            evidence_digest=here.evidence.digest(),
        )

    def release(self) -> str | None:
        """Hand that over; why it was refused, or None."""
        checked = self.verifier.verify(self.release_command())
        return checked.reason if isinstance(checked, Refused) else self.runtime.consider(checked)


async def no_lookups(_document: PrivateDocument, _case_id: str) -> tuple[LookupFacts, ...]:
    return ()


def make_casework(store: LaneStore, clock: Clock, **hooks: Any) -> Casework:
    policy = ClearancePolicy(face_threshold=0.4, temperature_max_celsius=None)
    defaults: dict[str, Any] = {"send": lambda _rows: None, "pictures_waiting": lambda: None, "post": lambda _e: None}
    return Casework(port=PORT, lane=LANE, policy=policy, store=store, clock=clock, **(defaults | hooks))


@contextlib.asynccontextmanager
async def running_lane(
    folder: Path,
    *,
    board: PtyBoard | None = None,
    policy: LanePolicy = QUICK,
    mode: str = "gate",
    eyes: ScriptedEyes | None = None,
    look_up: Callable[[PrivateDocument, str], Any] = no_lookups,
    fittings: Fittings | None = None,
) -> AsyncIterator[Rig]:
    """A lane that runs in this event loop until the block ends. With ``board`` the same board as before is taken over.

    ``fittings``: what it has beside board and cameras.
    """
    clock = SystemClock()
    key, hub_key = SigningKey.generate(), SigningKey.generate()
    store = BreakableStore(folder / "lane.sqlite", port=PORT, lane=LANE, clock=clock)
    boot_id = f"{store.next_boot()}-test"
    twin = board or quick_board()
    rig: Rig

    def own_release(casework: Casework) -> VerifiedCommand | None:
        here = casework.crossing
        if mode != "gate" or here is None or here.evidence.occupancy_id is None:
            return None
        return sign_own_release(
            key,
            address=ADDRESS,
            clock=clock,
            case_id=here.case_id,
            occupancy_id=here.evidence.occupancy_id,
            evidence_digest=here.evidence.digest(),
        )

    rows: list[OutboxRow] = []
    casework = make_casework(
        store,
        clock,
        send=rows.extend,
        post=lambda event: rig.runtime.put(event),  # noqa: PLW0108  bound later
        witnesses=lambda since_ns, count: equipment.findings(since_ns, count),  # noqa: PLW0108  bound later
    )

    def spend(release_id: str) -> None:
        casework.spend(release_id)
        equipment.released(release_id)

    def changed(state: Any) -> None:
        states.append(state.name)
        equipment.entered(state)

    guard = Guard(
        lane=ADDRESS,
        boot_id=boot_id,
        clock=clock,
        sensor_max_age_ns=400_000_000,
        is_spent=store.is_spent,
        spend=spend,
    )
    published: list[LaneState] = []
    states: list[State] = []
    seen = eyes or ScriptedEyes()
    runtime = LaneRuntime(
        policy=policy,
        clock=clock,
        store=store,
        board=LaneLinkDriver(twin.port),
        guard=guard,
        vision=seen,  # type: ignore[arg-type]
        casework=casework,
        look_up=look_up,
        celsius=lambda _since_ns: 36.5,
        self_release=own_release,
        publish=published.append,
        on_change=changed,
    )
    equipment = Equipment(
        fittings or Fittings(), runtime=runtime, casework=casework, store=store, clock=clock, lane=LANE
    )
    verifier = CommandVerifier(
        Verifier.trusting(hub_key.public()),
        address=ADDRESS,
        clock=clock,
        last_seq=store.last_command_seq,
        remember=store.remember_command,
    )
    rig = Rig(
        runtime=runtime,
        casework=casework,
        store=store,
        board=twin,
        eyes=seen,
        verifier=verifier,
        hub_key=hub_key,
        clock=clock,
        rows=rows,
        published=published,
        states=states,
        commands=store.last_command_seq,
    )
    await equipment.start()
    rig.task = task = asyncio.create_task(runtime.run())
    try:
        yield rig
    finally:
        task.cancel()  # a lane that ended by itself raises here what ended it
        with contextlib.suppress(asyncio.CancelledError):
            await task
        await equipment.stop()
        store.close()
        if board is None:
            twin.close()


def quick_board() -> PtyBoard:
    """A board whose doors are five times as quick as real ones."""
    board = PtyBoard()
    with board.lock:
        for leaf in board.world.leaves:
            leaf.open_ms, leaf.close_ms = 100.0, 140.0
    return board
