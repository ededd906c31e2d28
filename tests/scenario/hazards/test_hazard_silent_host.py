"""The lane's process dies: the board shuts and holds; what was released for the stay is void; somebody inside is found again."""

from hazard_kit import IMPOSTOR, Scene, play_hazard

from drivers.lane_io.interface import Door
from gate.core.state import State
from gate.wire.messages import EventType


def test_killed_with_the_entry_open_the_board_shuts_it() -> None:
    async def script(scene: Scene) -> None:
        scene.shift.sight.place(IMPOSTOR)
        await scene.until(lambda: scene.is_open(Door.ENTRY), "the entry opens")
        scene.shift.kill()
        await scene.until_without_lane(lambda: scene.are_both_shut, "the board shuts", 4.0)
        scene.shift.start_lane()
        await scene.serves_again()
        ended = [data for data in scene.told(EventType.CROSSING_ENDED) if data["outcome"] == "interrupted"]
        assert [data["reasons"] for data in ended] == [["lane.restarted"]]

    play_hazard(script)


def test_who_was_inside_is_found_and_let_out() -> None:
    async def script(scene: Scene) -> None:
        walker = await scene.enter(IMPOSTOR)
        await scene.until_state(State.REFERRED)
        release = scene.sign_release()
        scene.shift.kill()
        await scene.pause(2.0)
        assert scene.are_both_shut
        scene.shift.start_lane()
        await scene.until_state(State.REFERRED, State.FAULT, State.ALARM)
        scene.hub.replay(release)
        await scene.never(lambda: not scene.is_shut(Door.EXIT), "a release of the life before opened", 2.0)
        scene.shift.officers.are_there = True
        scene.shift.officers.will_release = False
        await scene.leave_by(Door.ENTRY, walker)
        await scene.serves_again()

    play_hazard(script)
