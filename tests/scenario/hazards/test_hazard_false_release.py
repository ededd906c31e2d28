"""A release that is forged, replayed, late, or another's: refused, recorded, and the exit stays shut."""

from hazard_kit import IMPOSTOR, Scene, play_hazard

from drivers.lane_io.interface import Door
from gate.core.state import State
from gate.wire.messages import Act, EventType


async def held(scene: Scene) -> None:
    await scene.enter(IMPOSTOR)
    await scene.until_state(State.REFERRED)


async def stays_shut(scene: Scene) -> None:
    await scene.never(lambda: not scene.is_shut(Door.EXIT), "the exit opened on a false release", 3.0)
    assert scene.judge.spent == []


def test_forged() -> None:
    async def script(scene: Scene) -> None:
        await held(scene)
        here = scene.lane.casework.crossing
        assert here is not None
        scene.hub.replay(
            scene.shift.forger.release(
                case_id=here.case_id,
                occupancy_id=here.evidence.occupancy_id or "",
                digest=here.evidence.digest(),
                now_ms=scene.shift.clock.utc_ms(),
            )
        )
        await stays_shut(scene)
        assert [data["reason"] for data in scene.told(EventType.COMMAND_REFUSED)]

    play_hazard(script)


def test_of_another_stay() -> None:
    async def script(scene: Scene) -> None:
        await held(scene)
        here = scene.lane.casework.crossing
        assert here is not None
        scene.hub.command(Act.RELEASE, case_id=here.case_id, occupancy_id="boot-7-7", digest=here.evidence.digest())
        await stays_shut(scene)

    play_hazard(script)


def test_of_other_evidence() -> None:
    async def script(scene: Scene) -> None:
        await held(scene)
        scene.hub.command(
            Act.RELEASE, case_id=scene.case_id, occupancy_id=scene.lane.guard.occupancy_id, digest="d" * 64
        )
        await stays_shut(scene)

    play_hazard(script)


def test_replayed_for_the_next_traveller() -> None:
    async def script(scene: Scene) -> None:
        await scene.leave_by(Door.EXIT, await scene.enter())
        spent = len(scene.judge.spent)
        await held(scene)
        for token in scene.hub.sent:
            scene.hub.replay(token)
        await scene.never(lambda: not scene.is_shut(Door.EXIT), "a used release opened again", 3.0)
        assert len(scene.judge.spent) == spent == 1

    play_hazard(script)


def test_kept_until_it_has_expired() -> None:
    async def script(scene: Scene) -> None:
        await held(scene)
        release = scene.sign_release(is_sent=False)
        scene.shift.clock.set_ahead(60_000)
        scene.hub.replay(release)
        await stays_shut(scene)
        reasons = {data["reason"] for data in scene.told(EventType.COMMAND_REFUSED)}
        assert "expired" in reasons

    play_hazard(script)
