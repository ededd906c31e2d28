"""One event of every kind, every state, and a release that was really signed."""

import secrets
from collections.abc import Mapping
from dataclasses import replace

from gate.core import events as on
from gate.core import machine
from gate.core.clock import ManualClock
from gate.core.effects import Effect
from gate.core.events import EVENT_KINDS, Event
from gate.core.release import VerifiedRelease
from gate.core.state import LanePolicy, LaneState, State
from gate.wire.messages import Act, Command
from gate.wire.signing import CommandVerifier, SigningKey, VerifiedCommand, Verifier, sign_command

LANE = "port/lane-1"
POLICY = LanePolicy()
ONE_DOOR = LanePolicy(has_entry=False)
DIGEST = "d" * 64
KEY = SigningKey.generate()


class Hub:
    """Signs commands as a hub does, and verifies them as the lane ``address`` does."""

    def __init__(self, clock: ManualClock, address: str = LANE) -> None:
        self.clock = clock
        self.address = address
        self.seq = 0
        self.remembered: list[int] = []
        self.verifier = CommandVerifier(
            Verifier.trusting(KEY.public()), address=address, clock=clock, last_seq=0, remember=self.remembered.append
        )

    def command(self, act: Act = Act.RELEASE, **changes: object) -> Command:
        self.seq += 1
        now_s = self.clock.utc_ms() / 1000
        body: dict[str, object] = {
            "iss": "hub",
            "aud": self.address,
            "jti": secrets.token_hex(16),
            "seq": self.seq,
            "iat": now_s,
            "exp": now_s + 10,
            "act": act,
            "by": "ann",
            "case_id": "case-1",
            "occupancy_id": "boot-1",
            "evidence_digest": DIGEST,
        }
        return Command.model_validate({**body, **changes})

    def verified(self, act: Act = Act.RELEASE, **changes: object) -> VerifiedCommand:
        verified = self.verifier.verify(sign_command(KEY, self.command(act, **changes)))
        assert isinstance(verified, VerifiedCommand), verified
        return verified

    def release(self, **changes: object) -> VerifiedRelease:
        release = self.verified(Act.RELEASE, **changes).release
        assert release is not None
        return release


RELEASE = Hub(ManualClock()).release()

EVENTS: Mapping[type[Event], Event] = {
    type(event): event
    for event in (
        on.LaneFoundEmpty(),
        on.LaneFoundOccupied(person_count=1, reason="person_inside"),
        on.TakenOutOfService(by="ann"),
        on.PutInService(by="ann"),
        on.DocumentPlaced(),
        on.DocumentRemoved(),
        on.EntryAdmitted(),
        on.EntryDenied(reasons=("document.expiry",)),
        on.PersonEntered(person_count=1),
        on.PersonLeft(),
        on.CompanyDetected(person_count=2),
        on.CountChanged(person_count=2, is_exit_shut=True),
        on.Tailgated(),
        on.EntryShut(person_count=1),
        on.ExitShut(person_count=0),
        on.CrossingCleared(),
        on.CrossingReferred(reasons=("face.match",), roles=("border",)),
        on.ReleaseVerified(release=RELEASE),
        on.DoorRefused(rule="sensors_stale"),
        on.SentBack(by="ann"),
        on.StateTimedOut(generation=0),
        on.InsideLimitReached(),
        on.Acknowledged(by="ann"),
        on.DeviceFailed(device="face_camera", reason="silent"),
        on.DeviceRecovered(device="face_camera"),
        on.DoorForced(door="exit"),
        on.FireRaised(),
        on.FireCleared(),
        on.EvacuationOrdered(by="ann"),
        on.EvacuationEnded(by="ann"),
    )
}
assert EVENTS.keys() == set(EVENT_KINDS)


def at(name: State, **changes: object) -> LaneState:
    """A lane in ``name``, the 7th state it entered."""
    return replace(LaneState(), name=name, generation=7, **changes)  # type: ignore[arg-type]


def step(state: LaneState, event: Event, policy: LanePolicy = POLICY) -> tuple[LaneState, tuple[Effect, ...]]:
    """One step; a timer's expiry is made current."""
    if isinstance(event, on.StateTimedOut):
        event = on.StateTimedOut(generation=state.generation)
    return machine.step(state, event, policy)


def run(state: LaneState, *events: Event, policy: LanePolicy = POLICY) -> tuple[LaneState, list[Effect]]:
    """Several steps; all effects in order."""
    effects: list[Effect] = []
    for event in events:
        state, some = step(state, event, policy)
        effects += some
    return state, effects
