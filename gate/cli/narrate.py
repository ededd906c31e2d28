"""What a lane does, in plain words, for the person at the terminal: one line a change of state."""

from datetime import datetime

from gate.core.state import LaneState, State

_WORDS: dict[State, str] = {
    State.STARTING: "starting: looks whether the lane is empty",
    State.OUT_OF_SERVICE: "out of service",
    State.READY: "ready: waits for a document",
    State.READING_DOCUMENT: "reads the document",
    State.ENTRY_OPEN: "document accepted: the entry opens",
    State.OCCUPIED: "somebody is inside: looks at the face",
    State.CLEARED: "released: the exit opens",
    State.LEAVING: "the traveller is out: the exit shuts",
    State.CHECKING: "looks whether the lane is empty",
    State.REFERRED: "waits for an officer",
    State.ALARM: "ALARM: an officer must see to it",
    State.EVACUATING: "EVACUATION: all ways out are open",
    State.FAULT: "FAULT: out of order until an officer acknowledges it",
}


def sentence(state: LaneState) -> str:
    """What ``state`` means, with how the crossing ended once that is known, and why."""
    words = _WORDS[state.name]
    if state.name is State.LEAVING and state.is_going_back:
        words = "the way back is open: the entry"
    if state.name is State.CHECKING and state.outcome is not None:
        words = f"{state.outcome.value.replace('_', ' ')}; {words}"
    reasons = tuple(dict.fromkeys((*state.reasons, *sorted(state.faults))))
    return f"{words} ({', '.join(reasons)})" if reasons else words


def line(lane: str, state: LaneState, now: datetime) -> str:
    """The line to print."""
    return f"{now:%H:%M:%S}  {lane}  {sentence(state)}"
