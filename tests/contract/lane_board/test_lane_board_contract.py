"""What every lane board must do behind the shipped driver: the twin in Python and the board in C, in memory and on a line."""

from __future__ import annotations

import asyncio

from lane_board_kit import BOUND_S, WATCHDOG_MS, LaneRig, contract, until

from drivers.lane_io import (
    BoardEvent,
    BoardEventKind,
    BuzzerPattern,
    CommandResult,
    Door,
    DoorKind,
    DoorPosition,
    LampColour,
    LaneSensors,
    LinkLost,
    LinkUp,
)
from drivers.lane_io import protocol as wire
from simulator.board_model import BoardFault


@contract
async def test_link_up_comes_first_and_says_who_the_board_is(rig: LaneRig) -> None:
    first, second = rig.reports[:2]
    assert isinstance(first, LinkUp)
    assert (first.board_id, first.watchdog_ms, first.firmware_version) == (42, WATCHDOG_MS, "1.0.0")
    assert (first.beam_count, first.beam_pitch_mm) == (28, 100)
    assert (first.entry_kind, first.exit_kind) == (DoorKind.FLAP, DoorKind.SLIDING)
    assert isinstance(second, LaneSensors)
    assert second.boot_id == first.boot_id
    assert second.is_entry_locked
    assert second.is_exit_locked
    assert second.is_inside_clear


@contract
async def test_sensors_come_without_change_as_heartbeat(rig: LaneRig) -> None:
    seen = len(rig.all(LaneSensors))
    await until(lambda: len(rig.all(LaneSensors)) >= seen + 5, "five more snapshots")
    times = [sensors.received_ns for sensors in rig.all(LaneSensors)[-4:]]
    assert times == sorted(times)


@contract
async def test_doing_it_twice_is_doing_it_once(rig: LaneRig) -> None:
    for _ in range(2):
        assert await rig.lane.move_entry(DoorPosition.OPEN) is CommandResult.DONE
    await rig.sees(lambda s: s.entry is DoorPosition.OPEN, "entry open")
    assert await rig.lane.move_entry(DoorPosition.OPEN) is CommandResult.DONE
    for _ in range(2):
        assert await rig.lane.move_entry(DoorPosition.CLOSED) is CommandResult.DONE
    await rig.sees(lambda s: s.entry is DoorPosition.CLOSED and s.is_entry_locked, "entry locked")
    assert rig.opened(Door.ENTRY) == ["command"]


@contract
async def test_lamp_and_buzzer_do_what_they_are_told(rig: LaneRig) -> None:
    for colour in LampColour:
        assert await rig.lane.set_lamp(colour) is CommandResult.DONE
        await rig.sees(lambda s, c=colour: s.lamp is c, f"lamp {colour}")
    assert await rig.lane.sound_buzzer(BuzzerPattern.ALARM) is CommandResult.DONE
    assert rig.model.outputs is not None
    assert rig.model.outputs.buzzer is wire.WireBuzzer.ALARM


@contract
async def test_person_is_counted_between_the_doors_and_passages_are_told(rig: LaneRig) -> None:
    await rig.open_entry()
    with rig.board.lock:
        walker = rig.world.add_person(-500)
        walker.walk_to(1500)
    await until(lambda: walker.is_there, "the walk in")
    await rig.lane.move_entry(DoorPosition.CLOSED)
    inside = await rig.sees(lambda s: s.is_entry_locked and s.person_count == 1, "one person, entry locked")
    assert not inside.is_inside_clear
    assert await rig.lane.open_exit(await rig.token()) is CommandResult.DONE
    with rig.board.lock:
        walker.walk_to(3200)
    await rig.sees(lambda s: s.person_count == 0 and s.beams == 0, "nobody left")
    assert await rig.lane.close_exit() is CommandResult.DONE
    await rig.sees(lambda s: s.is_exit_locked, "exit locked")
    assert [event.door for event in rig.events(BoardEventKind.PASSAGE_FORWARD)] == [Door.ENTRY, Door.EXIT]
    assert (rig.opened(Door.ENTRY), rig.opened(Door.EXIT)) == (["command"], ["token"])


@contract
async def test_exit_opens_once_for_a_token_and_never_again(rig: LaneRig) -> None:
    token = await rig.token()
    assert await rig.lane.open_exit(token ^ 1) is CommandResult.REFUSED_TOKEN
    assert await rig.lane.open_exit(0) is CommandResult.REFUSED_TOKEN
    assert await rig.lane.open_exit(token) is CommandResult.DONE
    await rig.sees(lambda s: s.exit is DoorPosition.OPEN, "exit open")
    assert rig.now.exit_token is None
    assert await rig.lane.close_exit() is CommandResult.DONE
    await rig.sees(lambda s: s.is_exit_locked, "exit locked")
    assert await rig.lane.open_exit(token) is CommandResult.REFUSED_TOKEN
    assert await rig.token() != token
    assert rig.opened(Door.EXIT) == ["token"]


@contract
async def test_token_dies_when_the_entry_opens(rig: LaneRig) -> None:
    token = await rig.token()
    await rig.open_entry()
    assert await rig.lane.open_exit(token) is CommandResult.REFUSED_TOKEN
    await rig.lane.move_entry(DoorPosition.CLOSED)
    await rig.token()
    assert await rig.lane.open_exit(token) is CommandResult.REFUSED_TOKEN
    assert rig.opened(Door.EXIT) == []


@contract
async def test_token_dies_when_the_number_of_people_changes(rig: LaneRig) -> None:
    token = await rig.token()
    with rig.board.lock:
        rig.world.add_person(1200)
    await rig.sees(lambda s: s.person_count == 1, "one person")
    assert await rig.lane.open_exit(token) is CommandResult.REFUSED_TOKEN


@contract
async def test_entry_stays_shut_while_the_exit_is_open(rig: LaneRig) -> None:
    assert await rig.lane.open_exit(await rig.token()) is CommandResult.DONE
    assert await rig.lane.move_entry(DoorPosition.OPEN) is CommandResult.REFUSED_INTERLOCK
    await rig.sees(lambda s: s.exit is DoorPosition.OPEN, "exit open")
    assert await rig.lane.move_entry(DoorPosition.OPEN) is CommandResult.REFUSED_INTERLOCK
    assert rig.opened(Door.ENTRY) == []


@contract
async def test_silent_host_means_shut_and_hold(rig: LaneRig) -> None:
    await rig.open_entry()
    await rig.lane.stop()
    await until(lambda: rig.world.entry.is_locked, "entry shut by the board itself")
    assert rig.model.outputs is not None
    assert rig.model.outputs.lamp is wire.WireLamp.RED
    await rig.restart()
    held = await rig.sees(lambda s: s.is_watchdog_tripped, "watchdog told")
    assert (held.exit_token, held.is_holding) == (None, True)
    assert await rig.lane.move_entry(DoorPosition.OPEN) is CommandResult.REFUSED_STATE
    assert await rig.lane.acknowledge_fault() is CommandResult.DONE
    await rig.sees(lambda s: not s.is_holding, "released")
    assert rig.now.entry is DoorPosition.CLOSED
    await rig.open_entry()


@contract
async def test_board_never_shuts_a_door_on_somebody(rig: LaneRig) -> None:
    await rig.open_entry()
    with rig.board.lock:
        walker = rig.world.add_person(0)
    await rig.lane.stop()
    firmware = rig.model.firmware
    at_ms = firmware.uptime_ms
    await until(lambda: firmware.uptime_ms > at_ms + WATCHDOG_MS + 1500, "the watchdog, and time to try to shut")
    assert rig.model.outputs is not None
    assert rig.model.outputs.lamp is wire.WireLamp.RED, "the board has taken over"
    assert rig.world.entry.position > 0.3
    with rig.board.lock:
        walker.walk_to(1000)
    await until(lambda: rig.world.entry.is_locked, "shut behind them")


@contract
async def test_fire_frees_the_exit_and_stays_until_acknowledged(rig: LaneRig) -> None:
    rig.model.raise_fire()
    free = await rig.sees(lambda s: s.is_fire and s.exit is DoorPosition.OPEN, "egress")
    assert (free.is_exit_locked, free.exit_token, free.entry) == (False, None, DoorPosition.CLOSED)
    assert await rig.lane.close_exit() is CommandResult.REFUSED_STATE
    assert await rig.lane.acknowledge_fault() is CommandResult.REFUSED_STATE
    rig.model.clear_fire()
    await rig.sees(lambda s: not s.is_fire, "fire over")
    assert rig.now.exit is DoorPosition.OPEN
    assert await rig.lane.acknowledge_fault() is CommandResult.DONE
    await rig.sees(lambda s: s.is_exit_locked, "exit locked")
    assert rig.opened(Door.EXIT) == ["fire"]


@contract
async def test_power_loss_frees_the_exit(rig: LaneRig) -> None:
    rig.model.fail_power()
    await rig.sees(lambda s: s.is_power_failed and s.exit is DoorPosition.OPEN, "egress")
    assert rig.opened(Door.EXIT) == ["power"]


@contract
async def test_emergency_stop_stops_and_its_release_starts_nothing(rig: LaneRig) -> None:
    await rig.lane.move_entry(DoorPosition.OPEN)
    rig.model.press_estop()
    stopped = await rig.sees(lambda s: s.is_estop_pressed, "stop")
    assert stopped.exit_token is None
    position = rig.world.entry.position
    assert await rig.lane.move_entry(DoorPosition.CLOSED) is CommandResult.REFUSED_STATE
    rig.model.release_estop()
    await rig.sees(lambda s: not s.is_estop_pressed, "release")
    assert rig.now.is_holding
    assert rig.world.entry.position == position
    assert await rig.lane.acknowledge_fault() is CommandResult.DONE
    await rig.sees(lambda s: s.is_entry_locked, "entry locked")


@contract
async def test_evacuation_opens_both_doors_and_only_it(rig: LaneRig) -> None:
    assert await rig.lane.set_evacuation(True) is CommandResult.DONE
    await rig.sees(lambda s: s.entry is s.exit is DoorPosition.OPEN and s.is_evacuating, "both open")
    assert await rig.lane.set_evacuation(False) is CommandResult.DONE
    await rig.sees(lambda s: s.is_entry_locked and s.is_exit_locked, "both locked")
    assert rig.opened(Door.EXIT) == ["evacuation"]


@contract
async def test_forced_door_is_told_and_held(rig: LaneRig) -> None:
    rig.model.force_door(Door.EXIT)
    await rig.sees(lambda s: s.exit is DoorPosition.FORCED, "forced")
    await until(lambda: bool(rig.events(BoardEventKind.DOOR_FORCED)), "the event")
    assert await rig.lane.acknowledge_fault() is CommandResult.REFUSED_STATE
    rig.model.let_go(Door.EXIT)
    await rig.sees(lambda s: s.is_exit_locked, "shut again")
    assert rig.now.exit is DoorPosition.FORCED
    assert await rig.lane.acknowledge_fault() is CommandResult.DONE
    await rig.sees(lambda s: s.exit is DoorPosition.CLOSED, "closed")
    assert rig.opened(Door.EXIT) == ["forced"]


@contract
async def test_jam_is_told_and_latched(rig: LaneRig) -> None:
    rig.inject(BoardFault.JAM_ON_NEXT_MOVE)
    assert await rig.lane.move_entry(DoorPosition.OPEN) is CommandResult.DONE
    await rig.sees(lambda s: s.entry is DoorPosition.JAMMED, "jam")
    assert await rig.lane.move_entry(DoorPosition.OPEN) is CommandResult.REFUSED_STATE
    rig.heal(BoardFault.JAM_ON_NEXT_MOVE)
    assert await rig.lane.acknowledge_fault() is CommandResult.DONE
    await rig.open_entry()


@contract
async def test_cable_pulled_and_plugged_in_again(rig: LaneRig) -> None:
    rig.board.unplug()
    await until(lambda: bool(rig.all(LinkLost)), "loss")
    assert await rig.lane.move_entry(DoorPosition.OPEN) is CommandResult.NO_ANSWER
    rig.board.replug()
    await until(lambda: len(rig.all(LinkUp)) == 2, "link up again")
    await until(lambda: isinstance(rig.reports[-1], LaneSensors), "fresh sensors")
    assert len(rig.all(LinkLost)) == 1


@contract
async def test_silent_board_is_a_lost_link_and_comes_back(rig: LaneRig) -> None:
    rig.inject(BoardFault.SILENT)
    await until(lambda: bool(rig.all(LinkLost)), "loss")
    assert await rig.lane.set_lamp(LampColour.GREEN) is CommandResult.NO_ANSWER
    rig.heal(BoardFault.SILENT)
    await until(lambda: len(rig.all(LinkUp)) == 2, "link up again")


@contract
async def test_command_on_its_way_when_the_link_dies_is_not_answered(rig: LaneRig) -> None:
    rig.inject(BoardFault.SILENT)
    loop = asyncio.get_running_loop()
    started_s = loop.time()
    assert await rig.lane.set_lamp(LampColour.GREEN) is CommandResult.NO_ANSWER
    assert loop.time() - started_s < BOUND_S


@contract
async def test_restarted_board_is_told_and_its_old_token_is_dead(rig: LaneRig) -> None:
    await until(lambda: bool(rig.events(BoardEventKind.BOOTED)), "first boot told")
    token, boot_id = await rig.token(), rig.now.boot_id
    rig.inject(BoardFault.REBOOT)
    await until(lambda: len(rig.all(LinkUp)) == 2, "link up again")
    await rig.sees(lambda s: s.boot_id != boot_id, "new boot")
    assert rig.all(LinkLost)
    assert await rig.lane.open_exit(token) is CommandResult.REFUSED_TOKEN
    await until(lambda: len(rig.events(BoardEventKind.BOOTED)) == 2, "both boots told")


@contract
async def test_dead_board_frees_the_exit_and_boots_shut(rig: LaneRig) -> None:
    rig.inject(BoardFault.POWER_OFF)
    await until(lambda: rig.world.exit.position >= 1.0, "the spring")
    await until(lambda: bool(rig.all(LinkLost)), "loss")
    rig.heal(BoardFault.POWER_OFF)
    await until(lambda: len(rig.all(LinkUp)) == 2, "link up again")
    await rig.sees(lambda s: s.is_exit_locked, "exit locked")
    assert rig.opened(Door.EXIT) == ["power"]


@contract
async def test_garbage_on_the_line_costs_time_and_nothing_else(rig: LaneRig) -> None:
    rig.inject(BoardFault.GARBLE, 0.02)
    done = 0
    for _ in range(20):
        done += await rig.lane.set_lamp(LampColour.BLUE) is CommandResult.DONE
    rig.heal(BoardFault.GARBLE)
    assert done >= 15
    await until(lambda: isinstance(rig.reports[-1], LaneSensors), "sensors")
    assert rig.model.openings == []


@contract
async def test_late_answers_make_the_driver_repeat_and_the_board_act_once(rig: LaneRig) -> None:
    token = await rig.token()
    rig.inject(BoardFault.LATE, 130)
    assert await rig.lane.open_exit(token) is CommandResult.DONE
    rig.heal(BoardFault.LATE)
    await rig.sees(lambda s: s.exit is DoorPosition.OPEN, "exit open")
    lamps = [await rig.lane.set_lamp(colour) for colour in (LampColour.BLUE, LampColour.GREEN)]
    assert lamps == [CommandResult.DONE, CommandResult.DONE], "late answers to the one are not taken for the other's"
    assert rig.opened(Door.EXIT) == ["token"]


@contract
async def test_event_is_sent_until_taken_and_reported_once(rig: LaneRig) -> None:
    rig.inject(BoardFault.SILENT)
    rig.model.press_estop()
    await until(lambda: rig.model.outputs is not None and rig.model.outputs.lamp is wire.WireLamp.RED, "pressed")
    rig.heal(BoardFault.SILENT)
    await until(lambda: bool(rig.events(BoardEventKind.ESTOP_PRESSED)), "the event")
    identities = [(event.boot_id, event.event_sequence) for event in rig.all(BoardEvent)]
    assert len(identities) == len(set(identities))


@contract
async def test_stuck_beam_is_an_unclear_lane_without_a_person(rig: LaneRig) -> None:
    rig.inject(BoardFault.STUCK_BEAM, 12)
    stuck = await rig.sees(lambda s: not s.is_inside_clear, "stuck beam")
    assert (stuck.beams, stuck.person_count) == (1 << 12, 0)
