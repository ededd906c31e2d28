"""The disk is full when the lane starts: it starts, in its fault state; nothing opens; with room it goes on by itself."""

from hazard_kit import HONEST, Scene, play_hazard

from drivers.lane_io.interface import Door
from gate.core.state import State
from gate.wire.messages import EventType


async def start_on_a_full_disk(scene: Scene) -> None:
    scene.shift.kill()
    scene.shift.disk.is_full = True
    scene.shift.start_lane()
    await scene.until_state(State.FAULT)


def test_it_stands_in_its_fault_state_and_tells_so() -> None:
    async def script(scene: Scene) -> None:
        await start_on_a_full_disk(scene)
        openings = len(scene.board.openings)
        await scene.until(lambda: scene.hub.state.get("problem") == "fault.store", "the screens are told")
        scene.shift.sight.place(HONEST)
        await scene.never(lambda: len(scene.board.openings) > openings, "a door opened without a record", 5.0)
        assert scene.state is State.FAULT
        scene.shift.sight.take_away()
        scene.shift.disk.is_full = False

    play_hazard(script)


def test_with_room_again_it_goes_on_without_an_officer_and_tells_what_was() -> None:
    async def script(scene: Scene) -> None:
        await start_on_a_full_disk(scene)
        starts = len(scene.told(EventType.LANE_STARTED))
        scene.shift.disk.is_full = False
        await scene.until_state(State.READY)
        await scene.until(lambda: len(scene.told(EventType.LANE_STARTED)) == starts + 1, "the start is told")
        await scene.until(lambda: bool(scene.told(EventType.FAULT_CLEARED)), "the end of the fault is told")
        assert [told["device"] for told in scene.told(EventType.FAULT_RAISED)] == ["store"]
        assert [told["by"] for told in scene.told(EventType.FAULT_CLEARED)] == ["start"]
        await scene.serves_again()

    play_hazard(script)


def test_who_is_inside_at_such_a_start_goes_back_after_the_limit() -> None:
    async def script(scene: Scene) -> None:
        walker = await scene.enter(HONEST)
        await start_on_a_full_disk(scene)
        await scene.until(lambda: scene.are_both_shut, "the doors are shut on whoever is inside")
        await scene.until(lambda: scene.is_open(Door.ENTRY), "the way back opens", 20.0)
        assert scene.is_shut(Door.EXIT)
        await scene.leave_by(Door.ENTRY, walker)
        scene.shift.disk.is_full = False
        await scene.serves_again()

    play_hazard(script)


def test_what_else_failed_meanwhile_waits_for_an_officer() -> None:
    async def script(scene: Scene) -> None:
        await start_on_a_full_disk(scene)
        scene.shift.sight.go_blind("face_camera")
        await scene.until(lambda: "face_camera" in scene.lane.state.faults, "the camera's fault")
        scene.shift.sight.see_again("face_camera")
        scene.shift.disk.is_full = False
        await scene.until(lambda: not scene.lane.state.faults, "everything is back")
        await scene.never(lambda: scene.state is not State.FAULT, "it went on by itself", 3.0)
        await scene.serves_again()

    play_hazard(script)
