"""Optional witnesses of a stay: radiation portal and floor mat. They open nothing; what they say, and their silence, become findings.

A portal may alarm after the decision, while the traveller still waits for a release: then it is new evidence.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from drivers.sensors import FloorMat, RadiationPortal
from gate.core import events as on
from gate.core.clock import Clock
from gate.core.events import Event
from gate.core.evidence import Finding, Outcome
from gate.core.state import State
from gate.core.witness_findings import RADIATION, MatFacts, judge_mat, judge_radiation
from gate.lane.crossing import Crossing

LOOK_S = 0.2
STANDS_NS = 1_000_000_000
"""So long the mat must be occupied in a lane that is thought to be empty."""
SILENT_NS = 2_000_000_000
"""So long a witness must be silent before its loss is reported; findings refer from the first moment."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WitnessRoles:
    """Who looks at what the witnesses say, and how heavy one person with luggage may be."""

    radiation: str = "customs"
    mat: str = "border"
    one_person_max_kg: float = 200.0


class Witnesses:
    """Asks the witnesses when the stay is judged, and watches them meanwhile. Lives on the lane's event loop."""

    def __init__(
        self,
        *,
        portal: RadiationPortal | None,
        mat: FloorMat | None,
        roles: WitnessRoles,
        clock: Clock,
        crossing: Callable[[], Crossing | None],
        add: Callable[[tuple[Finding, ...]], None],
        post: Callable[[Event], None],
        report: Callable[[str, str | None], None],
    ) -> None:
        """``add`` takes findings of the crossing under way that come late; ``report(device, reason)`` a loss, or (None) its end."""
        self._portal = portal
        self._mat = mat
        self._roles = roles
        self._clock = clock
        self._crossing = crossing
        self._add = add
        self._post = post
        self._report = report
        self._state = State.STARTING
        self._standing_since_ns: int | None = None
        self._silent_since_ns: dict[str, int] = {}
        self._lost: set[str] = set()

    async def start(self) -> None:
        """DeviceError when the line of one cannot be opened."""
        if self._portal is not None:
            await self._portal.start()
        if self._mat is not None:
            await self._mat.start()

    async def stop(self) -> None:
        if self._portal is not None:
            await self._portal.stop()
        if self._mat is not None:
            await self._mat.stop()

    def entered(self, state: State) -> None:
        """The lane is in another state."""
        self._state = state
        self._standing_since_ns = None

    def findings(self, since_ns: int, person_count: int | None) -> tuple[Finding, ...]:
        """What they say of a crossing that began at ``since_ns`` (monotonic), with the curtain's count of now."""
        found = []
        if self._portal is not None:
            found.append(self._radiation(since_ns))
        if self._mat is not None:
            reading = self._mat.read()
            facts = None if reading is None else MatFacts(is_occupied=reading.is_occupied, mass_kg=reading.mass_kg)
            limit = self._roles.one_person_max_kg
            found.append(judge_mat(facts, person_count=person_count, one_person_max_kg=limit, role=self._roles.mat))
        return tuple(found)

    async def run(self) -> None:
        """Watch until cancelled."""
        while True:
            self.look()
            await asyncio.sleep(LOOK_S)

    def look(self) -> None:
        """One look: late alarms, somebody on the mat of an empty lane, witnesses that fell silent."""
        now_ns = self._clock.monotonic_ns()
        if self._portal is not None:
            self._note("radiation_portal", self._portal.read(now_ns - int(LOOK_S * 1e9)) is not None, now_ns)
            self._late_alarm()
        if self._mat is not None:
            reading = self._mat.read()
            self._note("floor_mat", reading is not None, now_ns)
            self._watch_mat(reading is not None and reading.is_occupied, now_ns)

    def _radiation(self, since_ns: int) -> Finding:
        reading = None if self._portal is None else self._portal.read(since_ns)
        alarms = None if reading is None else frozenset(alarm.value for alarm in reading.alarms)
        return judge_radiation(alarms, role=self._roles.radiation)

    def _late_alarm(self) -> None:
        here = self._crossing()
        if here is None or not here.is_face_judged:
            return
        said = [finding for finding in here.evidence.findings if finding.code == RADIATION]
        if said and said[-1].outcome is Outcome.PASS:
            now = self._radiation(here.started_ns)
            if now.outcome is not Outcome.PASS:
                self._add((now,))

    def _watch_mat(self, is_occupied: bool, now_ns: int) -> None:
        """An empty lane whose mat is stood on is not empty: the curtain does not see who lies below its beams."""
        if not is_occupied or self._state is not State.READY:
            self._standing_since_ns = None
        elif self._standing_since_ns is None:
            self._standing_since_ns = now_ns
        elif now_ns - self._standing_since_ns >= STANDS_NS:
            self._standing_since_ns = None
            self._post(on.PersonEntered(person_count=1))

    def _note(self, device: str, is_heard: bool, now_ns: int) -> None:
        if is_heard:
            self._silent_since_ns.pop(device, None)
            if device in self._lost:
                self._lost.discard(device)
                self._report(device, None)
            return
        since_ns = self._silent_since_ns.setdefault(device, now_ns)
        if device not in self._lost and now_ns - since_ns >= SILENT_NS:
            self._lost.add(device)
            self._report(device, "silent: crossings are referred until it is back")
