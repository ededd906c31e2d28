"""What a lane's runtime takes in, one item after the other."""

from dataclasses import dataclass

from drivers.lane_io.interface import BoardReport
from gate.core.events import Event
from gate.lane.sightings import Sighting
from gate.wire.signing import VerifiedCommand


@dataclass(frozen=True, slots=True, kw_only=True)
class Bug:
    """A task of ours failed: the lane stops, and a silent host makes the board shut and hold."""

    error: BaseException


@dataclass(frozen=True, slots=True, kw_only=True)
class LookAsked:
    """The machine asked how the lane is: answered when its turn comes, so that no answer is older than a report before it."""


Input = Event | BoardReport | Sighting | VerifiedCommand | Bug | LookAsked
