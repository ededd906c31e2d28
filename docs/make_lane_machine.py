"""Makes docs/lane-machine.md from the lane's own tables: ``python docs/make_lane_machine.py``.

Every pair of state and event is stepped, with each count and each latch that can make a difference; what came of it is drawn.
"""

import itertools
import re
import secrets
from collections.abc import Iterator
from dataclasses import fields, replace
from pathlib import Path

from gate.core import effects as do
from gate.core import events as on
from gate.core import machine
from gate.core.clock import ManualClock
from gate.core.effects import CrossingOutcome, Effect
from gate.core.events import EVENT_KINDS, Event
from gate.core.release import VerifiedRelease
from gate.core.state import LanePolicy, LaneState, State
from gate.core.transitions import ignore
from gate.wire.messages import Act, Command
from gate.wire.signing import CommandVerifier, SigningKey, VerifiedCommand, Verifier, sign_command

PAGE = Path(__file__).with_name("lane-machine.md")
TWO_DOORS, ONE_DOOR = LanePolicy(), LanePolicy(has_entry=False)
COUNTS = (None, 0, 1, 2)
EMERGENCIES = (on.FireRaised, on.EvacuationOrdered, on.DeviceFailed, on.DoorForced)
DOOR_EFFECTS = (do.OpenEntry, do.CloseEntry, do.OpenExit, do.CloseExit, do.FreeEgress, do.EndEgress)

HEAD = """# The lane's machine

Made by `python docs/make_lane_machine.py` out of the tables in `gate/core/machine.py` and `gate/core/walk_through.py`; a test holds this
page to them. The machine asks for doors, it does not move them: each opening passes the guard (`docs/decisions/0002-guard-and-seal.md`)
and the board's own interlocks ([SAFETY](SAFETY.md)).

Before either table, in every state: **FireRaised** and **EvacuationOrdered** lead to Evacuating, **DeviceFailed** to Fault (but a way
back that is already open stays open, and an evacuation goes on), **DoorForced** to Alarm (but not in an evacuation, nor where
the limit of the stay ran out: there the alarm latches and the way back is asked for). A timer that was started for an earlier state
says nothing. These are not drawn below.
"""

TWO = """
## Two doors: the e-channel
"""

ONE = """
## One door: the walk-through

An open approach and an exit (`docs/decisions/0039-walk-through-lanes.md`). *Entry open* means here that the document allows somebody
through and the lane waits until exactly one stands in the approach; *Leaving* on the way back is a screen that says so. No entry is ever
asked for, and the limit of a stay is the limit of a crossing: it opens nothing.
"""


def words(name: str) -> str:
    """``shut_entry_behind`` or ``PersonLeft`` as plain words."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name).replace("_", " ").lower()


def title(state: State) -> str:
    return words(state.value).capitalize()


def a_release() -> VerifiedRelease:
    """One that was really signed and verified; there is no other way to have one."""
    key, clock = SigningKey.generate(), ManualClock()
    now_s = clock.utc_ms() / 1000
    command = Command(
        iss="hub",
        aud="port/lane",
        jti=secrets.token_hex(16),
        seq=1,
        iat=now_s,
        exp=now_s + 1,
        act=Act.RELEASE,
        by="officer",
        case_id="case",
        occupancy_id="stay",
        evidence_digest="digest",
    )
    verifier = CommandVerifier(
        Verifier.trusting(key.public()), address="port/lane", clock=clock, last_seq=0, remember=lambda _seq: None
    )
    verified = verifier.verify(sign_command(key, command))
    if not isinstance(verified, VerifiedCommand) or verified.release is None:
        raise RuntimeError(f"a release that was just signed was refused: {verified}")
    return verified.release


def events_of(kind: type[Event], release: VerifiedRelease) -> Iterator[Event]:
    """The event with every count that can matter."""
    samples: dict[str, tuple[object, ...]] = {
        "person_count": COUNTS,
        "release": (release,),
        "generation": (0,),
        "is_exit_shut": (False, True),
        "is_by_exit": (False, True),
        "reasons": (("reason",),),
        "roles": (("border",),),
    }
    names = [field.name for field in fields(kind)]
    for values in itertools.product(*(samples.get(name, ("x",)) for name in names)):
        yield kind(**dict(zip(names, values, strict=True)))  # type: ignore[arg-type]


def states_of(name: State, policy: LanePolicy) -> Iterator[LaneState]:
    """The state with every latch that can matter."""
    for back, alarm, fault, out, wanted, ending, spent in itertools.product((False, True), repeat=7):
        if spent and not policy.has_entry:
            continue
        if (back and name is not State.LEAVING) or (out and not fault) or (ending and name is not State.STARTING):
            continue
        if spent and not back:
            continue
        yield LaneState(
            name=name,
            is_going_back=back,
            is_alarm_latched=alarm,
            is_fault_latched=fault,
            faults=frozenset({"device"}) if out else frozenset(),
            is_service_wanted=wanted,
            is_egress_ending=ending,
            is_limit_spent=spent,
            was_referred=alarm and not policy.has_entry,
            is_crowded=fault and not policy.has_entry,
            looks_left=1 + wanted,
            outcome=CrossingOutcome.CLEARED if name in (State.CLEARED, State.LEAVING) else None,
        )


def phrase(effect: Effect) -> str:
    purpose = f" ({words(effect.purpose.value)})" if isinstance(effect, do.OpenEntry) else ""
    return words(type(effect).__name__) + purpose


def outcomes(
    name: State, kind: type[Event], release: VerifiedRelease, policy: LanePolicy
) -> tuple[list[State], list[str]]:
    """Where the pair can lead, in the order of the states, and which doors it asks for."""
    targets: set[State] = set()
    doors: dict[str, None] = {}
    for state, event in itertools.product(states_of(name, policy), list(events_of(kind, release))):
        after, effects = machine.step(replace(state), event, policy)
        targets.add(after.name)
        doors.update((phrase(effect), None) for effect in effects if isinstance(effect, DOOR_EFFECTS))
    return [state for state in State if state in targets], list(doors)


def page() -> str:
    """The whole page."""
    release = a_release()
    return "\n".join([HEAD, TWO, chapter(TWO_DOORS, release), ONE, chapter(ONE_DOOR, release), ""])


def chapter(policy: LanePolicy, release: VerifiedRelease) -> str:
    """The diagram and the table of lanes of this policy."""
    table = machine.table(policy)
    edges: dict[tuple[State, State], list[str]] = {}
    rows: list[str] = []
    for name in State:
        rows.append(
            f"\n#### {title(name)}\n\n| event | what follows | then | doors asked for |\n| --- | --- | --- | --- |"
        )
        ignored = []
        for kind in EVENT_KINDS:
            handler = table[name, kind]
            if kind in EMERGENCIES:
                continue
            if handler is ignore:
                ignored.append(kind.__name__)
                continue
            targets, doors = outcomes(name, kind, release, policy)
            for target in targets:
                if target is not name:
                    edges.setdefault((name, target), []).append(kind.__name__)
            then = ", ".join(title(target) for target in targets)
            rows.append(f"| {kind.__name__} | {words(handler.__name__)} | {then} | {', '.join(doors)} |")
        rows.append(f"\nIgnored: {', '.join(ignored) or 'nothing'}.")
    drawn = [f"    {a.value} --> {b.value}: {', '.join(kinds)}" for (a, b), kinds in edges.items()]
    named = [f'    state "{title(state)}" as {state.value}' for state in State]
    diagram = "\n".join(["```mermaid", "stateDiagram-v2", *named, "    [*] --> starting", *drawn, "```"])
    count = f"{len(State)} states, {len(EVENT_KINDS)} events, {len(table)} pairs, all listed."
    return "\n".join([diagram, f"\n### Every pair\n\n{count}", *rows])


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
