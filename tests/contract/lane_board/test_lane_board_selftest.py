"""A board whose safety devices do not work gives no exit token, and says which; the way back stays."""

from __future__ import annotations

from lane_board_kit import LaneRig, contract, until

from drivers.lane_io import BoardEventKind, CommandResult, DoorPosition, LaneSensors, SafetyDevice, SelfTestState
from simulator.board_model import BoardFault

FAULTS = {
    BoardFault.OVERHEATED: SafetyDevice.TEMPERATURE,
    BoardFault.LOW_SUPPLY: SafetyDevice.SUPPLY,
    BoardFault.BAD_MEMORY: SafetyDevice.MEMORY,
}


async def passed(rig: LaneRig) -> LaneSensors:
    return await rig.sees(lambda s: s.self_test is SelfTestState.PASSED, "a passed self-test")


@contract
async def test_boot_tests_and_only_then_is_there_a_token(rig: LaneRig) -> None:
    now = await passed(rig)
    assert (now.failed, now.board_celsius) == (frozenset(), 31.2)
    await rig.token()
    await until(lambda: bool(rig.events(BoardEventKind.SELF_TEST_PASSED)), "the event")


@contract
async def test_a_receiver_that_sees_light_in_the_dark_is_found(rig: LaneRig) -> None:
    await passed(rig)
    rig.inject(BoardFault.BLIND_BEAM, 9)
    assert await rig.lane.self_test() is CommandResult.DONE
    await rig.sees(lambda s: s.failed == {SafetyDevice.CURTAIN}, "a blind curtain")
    assert rig.now.exit_token is None
    await until(lambda: bool(rig.events(BoardEventKind.SELF_TEST_FAILED)), "the event")
    assert rig.events(BoardEventKind.SELF_TEST_FAILED)[0].detail == "light_curtain"
    await rig.open_entry()
    assert await rig.lane.self_test() is CommandResult.REFUSED_STATE, "not with an open door"
    assert await rig.lane.move_entry(DoorPosition.CLOSED) is CommandResult.DONE
    rig.heal(BoardFault.BLIND_BEAM)
    await rig.sees(lambda s: s.is_entry_locked, "entry shut")
    assert rig.now.exit_token is None, "repaired is not tested"
    assert await rig.lane.acknowledge_fault() is CommandResult.DONE
    await passed(rig)
    await rig.token()


@contract
async def test_somebody_inside_is_still_seen_after_a_test_in_the_dark(rig: LaneRig) -> None:
    await passed(rig)
    with rig.board.lock:
        rig.world.add_person(1200)
    before = await rig.sees(lambda s: s.person_count == 1, "somebody")
    token = await rig.token()
    seen = len(rig.all(LaneSensors))
    assert await rig.lane.self_test() is CommandResult.DONE
    await until(lambda: rig.now.exit_token not in (None, token), "another token after the test")
    during = rig.all(LaneSensors)[seen:]
    assert {(s.person_count, s.beams) for s in during} == {(1, before.beams)}, "the dark is not a crowd"


@contract
async def test_a_lock_whose_contact_contradicts_it_is_found_without_asking(rig: LaneRig) -> None:
    token = await rig.token()
    rig.inject(BoardFault.STUCK_LOCK)
    assert await rig.lane.open_exit(token) is CommandResult.DONE
    await rig.sees(lambda s: s.failed == {SafetyDevice.EXIT_LOCK}, "a contact that lies")
    assert await rig.lane.close_exit() is CommandResult.DONE
    await rig.sees(lambda s: s.is_exit_locked, "shut")
    assert rig.now.exit_token is None
    rig.heal(BoardFault.STUCK_LOCK)
    assert await rig.lane.self_test() is CommandResult.DONE
    await passed(rig)


@contract
async def test_heat_supply_and_memory_are_watched(rig: LaneRig) -> None:
    await passed(rig)
    for fault, device in FAULTS.items():
        rig.inject(fault)
        await rig.sees(lambda s, d=device: s.failed == {d}, device)
        assert rig.now.exit_token is None
        assert await rig.lane.acknowledge_fault() is CommandResult.DONE
        await rig.sees(lambda s, d=device: s.self_test is SelfTestState.FAILED and s.failed == {d}, "still so")
        rig.heal(fault)
        assert await rig.lane.acknowledge_fault() is CommandResult.DONE
        await passed(rig)


@contract
async def test_times_of_the_beams_tell_when_not_how_often(rig: LaneRig) -> None:
    await passed(rig)
    with rig.board.lock:
        rig.world.add_person(1200)
    changed = await rig.sees(lambda s: s.beams != 0, "a shadow")
    assert changed.beams_changed_ms is not None
    assert changed.board_uptime_ms - changed.beams_changed_ms < 200
    later = await rig.sees(lambda s: s.board_uptime_ms > changed.board_uptime_ms + 300, "some time")
    assert later.beams_changed_ms == changed.beams_changed_ms
