"""What a state looks like: the lamp over the lane and the one step that the kiosk asks for."""

from drivers.lane_io.interface import LampColour, LaneSensors
from gate.core.effects import CrossingOutcome
from gate.core.state import LaneState, State
from gate.lane.crossing import Crossing
from gate.wire import messages as wire
from gate.wire.messages import KioskStep

_LOOKS: dict[State, tuple[LampColour, KioskStep]] = {
    State.STARTING: (LampColour.AMBER, KioskStep.PLEASE_WAIT),
    State.OUT_OF_SERVICE: (LampColour.RED, KioskStep.OUT_OF_SERVICE),
    State.READY: (LampColour.GREEN, KioskStep.PLACE_DOCUMENT),
    State.READING_DOCUMENT: (LampColour.BLUE, KioskStep.READING_DOCUMENT),
    State.ENTRY_OPEN: (LampColour.GREEN, KioskStep.WALK_IN),
    State.OCCUPIED: (LampColour.BLUE, KioskStep.LOOK_AT_CAMERA),
    State.CLEARED: (LampColour.GREEN, KioskStep.WALK_OUT),
    State.LEAVING: (LampColour.GREEN, KioskStep.WALK_OUT),
    State.CHECKING: (LampColour.BLUE, KioskStep.PLEASE_WAIT),
    State.REFERRED: (LampColour.AMBER, KioskStep.WAIT_FOR_OFFICER),
    State.ALARM: (LampColour.RED, KioskStep.WAIT_FOR_OFFICER),
    State.EVACUATING: (LampColour.GREEN, KioskStep.EMERGENCY),
    State.FAULT: (LampColour.RED, KioskStep.OUT_OF_SERVICE),
}


ONE_PERSON_ONLY, COME_CLOSER, TAKE_DOCUMENT = "one_person_only", "come_closer", "take_document"
_APPROACHED = (State.READY, State.READING_DOCUMENT, State.ENTRY_OPEN)


def look(state: LaneState, *, has_entry: bool = True) -> tuple[LampColour, KioskStep]:
    """Lamp and step of ``state``. A traveller sent to the desk is told so, without the reason."""
    if state.name is State.ENTRY_OPEN and not has_entry:
        return _LOOKS[State.OCCUPIED]
    if state.name is State.CHECKING and state.outcome is CrossingOutcome.DENIED_ENTRY:
        return LampColour.RED, KioskStep.GO_TO_DESK
    if state.name is State.LEAVING and state.is_going_back:
        return LampColour.AMBER, KioskStep.WALK_BACK
    return _LOOKS[state.name]


def lane_state(
    state: LaneState,
    *,
    since_ms: int,
    hint: str | None,
    sensors: LaneSensors | None,
    crossing: Crossing | None,
    crossings: int,
    light: wire.KioskLight | None = None,
    chip_progress: float | None = None,
    has_entry: bool = True,
) -> wire.LaneState:
    """What the screens are told of a lane: no personal data, and no reason of a referral (a kiosk shows this to anybody)."""
    lamp, step = look(state, has_entry=has_entry)
    if not has_entry:
        hint = _approach_hint(state, sensors) or hint
    is_troubled = state.name in (State.ALARM, State.FAULT, State.EVACUATING)
    trouble = ", ".join(dict.fromkeys(state.reasons or sorted(state.faults)))
    return wire.LaneState(
        state=state.name.value,
        step=step,
        hint=hint,
        chip_progress=chip_progress,
        lamp=lamp.value,
        case_id=crossing.case_id if crossing else None,
        since=wire.utc(since_ms),
        entry=sensors.entry.value if sensors else "unknown",
        exit=sensors.exit.value if sensors else "unknown",
        person_count=sensors.person_count if sensors else None,
        issuer=crossing.issuer if crossing else None,
        problem=trouble if is_troubled else None,
        crossings=crossings,
        light=light,
    )


def _approach_hint(state: LaneState, sensors: LaneSensors | None) -> str | None:
    """What is said in an open approach, where nobody is let in by a door: one at a time, here, and do not forget the document."""
    if state.name is State.CLEARED:
        return TAKE_DOCUMENT
    count = sensors.person_count if sensors else None
    if state.name in _APPROACHED and (state.is_crowded or (count is not None and count > 1)):
        return ONE_PERSON_ONLY
    return COME_CLOSER if state.name is State.ENTRY_OPEN else None
