"""What `gate doctor` asks the lane board: its greeting, its sensors, and its own test of the safety devices. It moves no door."""

from collections.abc import AsyncIterator

from config.schema import Lane
from drivers.errors import DeviceError
from drivers.lane_io.interface import (
    BoardReport,
    CommandResult,
    DoorPosition,
    LaneIo,
    LaneSensors,
    LinkLost,
    LinkUp,
    SafetyDevice,
    SelfTestState,
)
from gate.cli import checkup
from gate.cli.checkup import Finding, failed, ok, warning


async def check_board(lane: Lane) -> AsyncIterator[Finding]:
    """Greets the board and reads its sensors. The board shuts and holds when the doctor leaves; a lane's start ends that."""
    from gate.devices import open_board

    reports: list[BoardReport] = []
    try:
        board: LaneIo = open_board(lane)
        await board.start(reports.append)
    except DeviceError as error:
        yield failed("board", str(error), "see the cable, the port and whether the lane is running already")
        return
    try:
        await checkup.wait_until(lambda: any(isinstance(report, LaneSensors) for report in reports))
        tested = await _test_safety_devices(board, reports)
    finally:
        await board.stop()
    greeting = next((report for report in reports if isinstance(report, LinkUp)), None)
    sensors = next((report for report in reversed(reports) if isinstance(report, LaneSensors)), None)
    lost = next((report for report in reversed(reports) if isinstance(report, LinkLost)), None)
    if greeting is None or sensors is None:
        reason = lost.reason if lost is not None else f"nothing in {checkup.BOUND_S:.0f} s"
        yield failed(
            "board", f"no answer at {lane.board.port or lane.board.kind}: {reason}", "see power, cable and port"
        )
        return
    yield ok(
        "board",
        f"{greeting.board_id:08x}, firmware {greeting.firmware_version}, watchdog {greeting.watchdog_ms} ms",
    )
    for finding in (*judge_sensors(sensors, doors=lane.doors), *judge_safety_devices(sensors, tested)):
        yield finding


async def _test_safety_devices(board: LaneIo, reports: list[BoardReport]) -> CommandResult:
    """Asks for the board's own test, and waits for a report from after it."""
    if not any(isinstance(report, LaneSensors) for report in reports):
        return CommandResult.NO_ANSWER
    result = await board.self_test()
    seen = len(reports)
    pending = (SelfTestState.PENDING, SelfTestState.RUNNING)
    await checkup.wait_until(
        lambda: any(isinstance(item, LaneSensors) and item.self_test not in pending for item in reports[seen:])
    )
    return result


_DEVICE_REMEDIES = {
    SafetyDevice.CURTAIN: "clean, align or replace the curtain: a beam's receiver never goes dark, or its contacts contradict",
    SafetyDevice.ENTRY_LOCK: "see the entry's lock and its contacts",
    SafetyDevice.EXIT_LOCK: "see the exit's lock and its contacts",
    SafetyDevice.MEMORY: "replace the board",
    SafetyDevice.SUPPLY: "see the cabinet's power supply and battery",
    SafetyDevice.TEMPERATURE: "see the cabinet's fan, filter and heating",
}


def judge_safety_devices(sensors: LaneSensors, tested: CommandResult) -> tuple[Finding, ...]:
    """One finding for each device that failed; a lane opens with none of them. Else what was tested, or that nothing was."""
    failures = tuple(
        failed(device.value.replace("_", " "), "failed the board's test", _DEVICE_REMEDIES[device])
        for device in sorted(sensors.failed)
    )
    if failures:
        return failures
    if tested is CommandResult.DONE:
        return (ok("safety devices", f"{len(SafetyDevice)} tested by the board, none failed"),)
    if tested is CommandResult.REFUSED_STATE:
        seen = "not tested: this board cannot, or its doors are not shut and locked"
        return (warning("safety devices", seen, "shut the doors and try again; else have wiring and relays inspected"),)
    return (warning("safety devices", f"not tested ({tested.value})", "see the board's line"),)


def judge_sensors(sensors: LaneSensors, *, doors: int = 2) -> tuple[Finding, ...]:
    """Doors, curtain and inputs as the board sees them. An idle lane has every door shut and no broken beam.

    ``doors``: by the settings, 1 or 2. A lane whose board says otherwise does not open.
    """
    return _judge_doors(sensors, doors), _judge_curtain(sensors), _judge_inputs(sensors)


def _judge_doors(sensors: LaneSensors, doors: int) -> Finding:
    seen = f"entry {sensors.entry.value}, exit {sensors.exit.value}"
    is_absent = sensors.entry is DoorPosition.ABSENT
    if is_absent != (doors == 1):
        said = f"{seen}, but the settings say doors = {doors}"
        return failed("doors", said, "set doors of this lane to what is built, or the board to this lane")
    bad = (DoorPosition.JAMMED, DoorPosition.FORCED)
    if sensors.entry in bad or sensors.exit in bad:
        return failed("doors", seen, "free the door, then acknowledge at the console")
    is_shut = (is_absent or sensors.entry is DoorPosition.CLOSED) and sensors.exit is DoorPosition.CLOSED
    if is_shut and (is_absent or sensors.is_entry_locked) and sensors.is_exit_locked:
        return ok("doors", f"{seen}, {'locked' if is_absent else 'both locked'}")
    if is_shut:
        return failed("doors", f"{seen}, but not locked", "see the lock and its contact")
    return warning("doors", seen, "an idle lane has every door shut: shut them, or see why they stand open")


def _judge_curtain(sensors: LaneSensors) -> Finding:
    broken = [beam for beam in range(sensors.beam_count) if sensors.beams >> beam & 1]
    if not broken:
        return ok("light curtain", f"{sensors.beam_count} beams, none broken")
    names = ", ".join(map(str, broken))
    return warning(
        "light curtain", f"beam {names} of {sensors.beam_count} broken", "clear the lane, or clean and align it"
    )


def _judge_inputs(sensors: LaneSensors) -> Finding:
    raised = {
        "emergency stop": sensors.is_estop_pressed,
        "fire": sensors.is_fire,
        "mains lost": sensors.is_power_failed,
        "evacuating": sensors.is_evacuating,
    }
    names = [name for name, is_raised in raised.items() if is_raised]
    if names:
        return failed("safety inputs", ", ".join(names), "release them, then acknowledge at the console")
    if sensors.is_holding and not sensors.is_watchdog_tripped:
        return warning("safety inputs", "the board holds a latched fault", "see to its cause, then acknowledge")
    return ok("safety inputs", "none raised")
