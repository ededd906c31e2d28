"""Who stands in the open approach of a lane without an entry, out of the board's reports: every change of the count, and tailgating."""

from drivers.lane_io.interface import DoorPosition, LaneSensors
from gate.core import events as on
from gate.core.events import Event

COMPANY_NS = 300_000_000
"""So long the curtain must count several people at the open exit: somebody who walks away from a bag looks like two for a moment."""


def is_exit_shut(sensors: LaneSensors) -> bool:
    """Shut *and* locked."""
    return sensors.exit is DoorPosition.CLOSED and sensors.is_exit_locked


def beams_behind_exit(sensors: LaneSensors) -> int:
    """The broken ones: whoever passes the exit stands in them."""
    all_beams = (1 << sensors.beam_count) - 1
    return sensors.beams & all_beams & ~((1 << (sensors.inside_mask & all_beams).bit_length()) - 1)


class Approach:
    """Compares reports as they come. A count of a moment is a count before the exit opens: it may have been somebody else."""

    def __init__(self) -> None:
        self._was_at_exit = False
        self._opening = _Opening()

    def observe(self, before: LaneSensors | None, now: LaneSensors) -> list[Event]:
        """The events of a report; ``before`` is None for the first one, and for the first after a lost link."""
        is_shut = is_exit_shut(now)
        if now.beams:
            self._was_at_exit = beams_behind_exit(now) != 0
        if is_shut:
            self._opening = _Opening()
        events: list[Event] = [] if is_shut else self._opening.observe(now)
        if before is None or now.person_count != before.person_count:
            is_by_exit = now.person_count == 0 and not is_shut and self._was_at_exit
            events.append(on.CountChanged(person_count=now.person_count, is_exit_shut=is_shut, is_by_exit=is_by_exit))
        return events


class _Opening:
    """One time that the exit is not shut: it is for one, who passes its doorway once."""

    def __init__(self) -> None:
        self._behind = 0
        self._is_through = False
        self._company_since_ns: int | None = None
        self._is_company_told = False

    def observe(self, now: LaneSensors) -> list[Event]:
        before, self._behind = self._behind, beams_behind_exit(now)
        events: list[Event] = []
        if self._behind and not before and self._is_through:
            events.append(on.Tailgated())
        # Whoever goes on breaks the outermost beam last; who turns back in the doorway, the one next to the leaf.
        has_passed = before >> (now.beam_count - 1) & 1 and not self._behind
        if has_passed and not self._is_through:
            events.append(on.PersonLeft())
        self._is_through = self._is_through or bool(has_passed) or (now.person_count == 0 and not self._behind)
        return [*events, *self._company(now)]

    def _company(self, now: LaneSensors) -> list[Event]:
        count = now.person_count
        if count is None or count < 2:
            self._company_since_ns = None
            return []
        self._company_since_ns = self._company_since_ns or now.received_ns
        if self._is_company_told or now.received_ns - self._company_since_ns < COMPANY_NS:
            return []
        self._is_company_told = True
        return [on.CompanyDetected(person_count=count)]
