"""Who stands in the open approach of a lane without an entry, out of the board's reports: every change of the count, and tailgating."""

from drivers.lane_io.interface import DoorPosition, LaneSensors
from gate.core import events as on
from gate.core.events import Event


def is_exit_shut(sensors: LaneSensors) -> bool:
    """Shut *and* locked."""
    return sensors.exit is DoorPosition.CLOSED and sensors.is_exit_locked


def beams_behind_exit(sensors: LaneSensors) -> int:
    """The broken ones: whoever passes the exit stands in them."""
    all_beams = (1 << sensors.beam_count) - 1
    return sensors.beams & all_beams & ~((1 << (sensors.inside_mask & all_beams).bit_length()) - 1)


class Approach:
    """Compares reports as they come. No debouncing: a count of a moment is a count, since it may have been somebody else."""

    def __init__(self) -> None:
        self._was_at_exit = False
        self._is_through = False
        self._is_doorway_free = False

    def observe(self, before: LaneSensors | None, now: LaneSensors) -> list[Event]:
        """The events of a report; ``before`` is None for the first one, and for the first after a lost link."""
        events: list[Event] = []
        is_shut = is_exit_shut(now)
        is_behind = beams_behind_exit(now) != 0
        if now.beams:
            self._was_at_exit = is_behind
        if before is None or now.person_count != before.person_count:
            is_by_exit = now.person_count == 0 and not is_shut and self._was_at_exit
            events.append(on.CountChanged(person_count=now.person_count, is_exit_shut=is_shut, is_by_exit=is_by_exit))
        if self._is_followed(now, is_shut=is_shut, is_behind=is_behind):
            events.append(on.Tailgated())
        return events

    def _is_followed(self, now: LaneSensors, *, is_shut: bool, is_behind: bool) -> bool:
        """Somebody in the doorway of the open exit, after nobody was counted any more and the doorway had been free."""
        if is_shut:
            self._is_through = self._is_doorway_free = False
            return False
        self._is_through = self._is_through or now.person_count == 0
        if not self._is_through:
            return False
        was_free, self._is_doorway_free = self._is_doorway_free, not is_behind
        return was_free and is_behind
