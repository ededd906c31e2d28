"""From the board's reports to facts for the guard and events for the machine. Pure: it holds the last report and compares.

``has_entry`` is False in a walk-through lane of one door, where the people of a report are read by :mod:`gate.lane.approach`.
"""

from drivers.lane_io.interface import DoorPosition, LaneSensors
from gate.core import events as on
from gate.core.events import Event
from gate.core.guard import SensorFacts
from gate.lane.approach import COMPANY_NS, Approach, is_exit_shut


def is_entry_shut(sensors: LaneSensors) -> bool:
    """Shut *and* locked."""
    return sensors.entry is DoorPosition.CLOSED and sensors.is_entry_locked


def guard_facts(sensors: LaneSensors) -> SensorFacts:
    """What the guard believes of a report."""
    return SensorFacts(
        observed_ns=sensors.received_ns,
        is_entry_shut=is_entry_shut(sensors),
        is_exit_shut=is_exit_shut(sensors),
        person_count=sensors.person_count,
        is_fire=sensors.is_fire,
        is_estop_pressed=sensors.is_estop_pressed,
        is_board_holding=sensors.is_holding or sensors.is_watchdog_tripped or sensors.is_power_failed,
        is_evacuating=sensors.is_evacuating,
        is_entry_absent=sensors.entry is DoorPosition.ABSENT,
        exit_token=sensors.exit_token,
    )


def is_held_by_silence_only(sensors: LaneSensors) -> bool:
    """The board's watchdog has tripped, and nothing else that a person should look at is to be seen."""
    broken = (DoorPosition.JAMMED, DoorPosition.FORCED)
    is_other = sensors.is_estop_pressed or sensors.is_fire or sensors.is_power_failed or sensors.is_evacuating
    return sensors.is_watchdog_tripped and not is_other and sensors.entry not in broken and sensors.exit not in broken


def are_doorways_clear(sensors: LaneSensors) -> bool:
    """No beam outside the doors is broken, nor the first one inside at either door: nobody stands in a doorway."""
    inside = sensors.inside_mask & ((1 << sensors.beam_count) - 1)
    first = inside & -inside
    last = 1 << (inside.bit_length() - 1) if inside else 0
    return sensors.beams & (~inside | first | last) == 0


def is_empty(sensors: LaneSensors) -> bool:
    """The curtain counts nobody, and no beam between the doors is broken by anything."""
    return sensors.person_count == 0 and sensors.is_inside_clear


def lane_check(sensors: LaneSensors, *, has_entry: bool = True) -> Event:
    """The answer to ``CheckLane``."""
    if not has_entry and not is_exit_shut(sensors):
        return on.LaneFoundOccupied(person_count=None, reason="exit_not_shut")
    if is_empty(sensors):
        if not has_entry or (is_entry_shut(sensors) and is_exit_shut(sensors)):
            return on.LaneFoundEmpty()
        return on.PersonLeft()
    if sensors.person_count == 0:
        return on.LaneFoundOccupied(person_count=0, reason="left_object")
    reason = "count_unknown" if sensors.person_count is None else "person_inside"
    return on.LaneFoundOccupied(person_count=sensors.person_count, reason=reason)


class Sensing:
    """Compares each report with the one before. After :meth:`forget` (a lost link) the next report is the first again."""

    def __init__(self, *, has_entry: bool = True) -> None:
        self._has_entry = has_entry
        self._approach = None if has_entry else Approach()
        self._last: LaneSensors | None = None
        self._faults: frozenset[str] = frozenset()
        self._signs: tuple[object, ...] = ()
        self._had_entered = self._had_left = False
        self._company_since_ns: int | None = None
        self._is_company_told = False

    @property
    def last(self) -> LaneSensors | None:
        return self._last

    def forget(self) -> None:
        self._last = None
        self._company_since_ns = None

    def observe(self, sensors: LaneSensors) -> list[Event]:
        """The events that this report makes."""
        before, self._last = self._last, sensors
        return [
            *self._hazards(before, sensors),
            *self._faults_of(sensors),
            *(self._people(before, sensors) if self._approach is None else self._approach.observe(before, sensors)),
            *self._doors(before, sensors),
        ]

    def _hazards(self, before: LaneSensors | None, now: LaneSensors) -> list[Event]:
        events: list[Event] = []
        was_fire = before is not None and before.is_fire
        if now.is_fire != was_fire:
            events.append(on.FireRaised() if now.is_fire else on.FireCleared())
        if before is None and now.is_evacuating:
            # Ordered before this process, or this link, was there: it lasts until an officer ends it.
            events.append(on.EvacuationOrdered(by="board"))
        for door, position, was in (
            ("entry", now.entry, before.entry if before else None),
            ("exit", now.exit, before.exit if before else None),
        ):
            if position is DoorPosition.FORCED and was is not DoorPosition.FORCED:
                events.append(on.DoorForced(door=door))
        return events

    def _faults_of(self, now: LaneSensors) -> list[Event]:
        """What the board says is wrong, as devices that fail and recover."""
        shown = (
            now.is_estop_pressed,
            now.is_power_failed,
            now.entry,
            now.exit,
            now.is_holding,
            now.is_fire,
            now.failed,
        )
        if shown == self._signs:
            return []  # as nearly every report, ten and more a second
        self._signs = shown
        signs = {
            "emergency_stop": now.is_estop_pressed,
            "power": now.is_power_failed,
            "entry_door": now.entry is DoorPosition.JAMMED or (now.entry is DoorPosition.ABSENT) is self._has_entry,
            "exit_door": now.exit is DoorPosition.JAMMED,
            # A board with a failed safety device does not hold, so that the way back stays: the lane must let nobody in.
            "board": (now.is_holding and not now.is_fire) or bool(now.failed),
            **{device.value: True for device in now.failed},
        }
        present = frozenset(device for device, is_wrong in signs.items() if is_wrong)
        failed = [
            on.DeviceFailed(device=device, reason=_reason(device, now)) for device in sorted(present - self._faults)
        ]
        recovered = [on.DeviceRecovered(device=device) for device in sorted(self._faults - present)]
        self._faults = present
        return [*failed, *recovered]

    def _people(self, before: LaneSensors | None, now: LaneSensors) -> list[Event]:
        events: list[Event] = []
        count = now.person_count
        if count is None or count < 2:
            self._company_since_ns = None
            self._is_company_told = False
        else:
            self._company_since_ns = self._company_since_ns or now.received_ns
            if not self._is_company_told and now.received_ns - self._company_since_ns >= COMPANY_NS:
                self._is_company_told = True
                events.append(on.CompanyDetected(person_count=count))
        is_clear = are_doorways_clear(now)
        has_entered, has_left = bool(count) and is_clear, count == 0 and is_clear
        if has_entered and (before is None or not self._had_entered):
            events.append(on.PersonEntered(person_count=count or 0))
        if has_left and before is not None and not self._had_left:
            events.append(on.PersonLeft())
        self._had_entered, self._had_left = has_entered, has_left
        return events

    def _doors(self, before: LaneSensors | None, now: LaneSensors) -> list[Event]:
        events: list[Event] = []
        if before is not None and is_entry_shut(now) and not is_entry_shut(before):
            events.append(on.EntryShut(person_count=now.person_count))
        if before is not None and is_exit_shut(now) and not is_exit_shut(before):
            events.append(on.ExitShut(person_count=now.person_count))
        return events


def _reason(device: str, now: LaneSensors) -> str:
    if device in now.failed:
        return "self_test_failed"
    if device == "entry_door" and now.entry is not DoorPosition.JAMMED:
        return "this_lane_needs_two_doors" if now.entry is DoorPosition.ABSENT else "this_lane_has_no_entry"
    return "reported_by_board"
