"""A wired door that stuck on its seat and comes free after the jam was seen to moves as it was told last: nobody forces it."""

from test_modbus_lane_doubt import IDLE, Lane

from drivers.lane_io.interface import Door, DoorPosition

OFF_SEAT = IDLE - {0, 10}
TRAVEL_MS = 4_000


def jammed() -> Lane:
    """The entry was told to open and did not leave its seat."""
    lane = Lane()
    lane.see(IDLE, 0)
    lane.lane.want_open(lane.lane.entry, "command")
    lane.see(IDLE, 50)
    assert lane.see(IDLE, TRAVEL_MS + 50).entry is DoorPosition.JAMMED
    return lane


def test_it_needs_one_acknowledgement() -> None:
    lane = jammed()
    lane.lane.clear_faults()
    assert lane.see(OFF_SEAT, 100).entry is not DoorPosition.FORCED
    home = lane.see(IDLE, 700)
    assert (home.entry, home.is_holding) == (DoorPosition.CLOSED, False)


def test_one_that_does_not_come_home_is_jammed_again() -> None:
    lane = jammed()
    lane.lane.clear_faults()
    lane.see(OFF_SEAT, 100)
    assert lane.see(OFF_SEAT, TRAVEL_MS + 100).entry is DoorPosition.JAMMED


def test_the_time_for_it_is_over_after_a_while() -> None:
    lane = jammed()
    lane.lane.clear_faults()
    lane.see(IDLE, TRAVEL_MS)
    assert lane.see(OFF_SEAT, 50).entry is DoorPosition.FORCED


def test_a_door_that_was_not_told_to_open_is_forced_all_the_same() -> None:
    lane = Lane()
    lane.see(IDLE, 0)
    lane.lane.exit.is_jammed = True
    lane.lane.clear_faults()
    assert lane.see(IDLE - {2, 11}, 100).exit is DoorPosition.FORCED
    assert lane.lane.doors[1][0] is Door.EXIT
