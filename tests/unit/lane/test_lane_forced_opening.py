"""What two officers force is a release like any other to the lane: its stay, its evidence, its one use and the guard bind it."""

from pathlib import Path
from typing import Any

from lane_kit import running_lane, until

from drivers.lane_io.interface import Door
from gate.core.state import State
from gate.wire.messages import Act


def claims_of(rig: Any) -> dict[str, Any]:
    here = rig.casework.crossing
    assert here is not None
    return {
        "case_id": here.case_id,
        "occupancy_id": here.evidence.occupancy_id,
        "evidence_digest": here.evidence.digest(),
        "also_by": "ben",
    }


async def test_two_officers_open_the_exit_once(tmp_path: Path) -> None:
    async with running_lane(tmp_path, mode="joint") as rig:
        await rig.walk_in()
        await rig.reaches(State.REFERRED)
        assert rig.order(Act.FORCE_OPEN, **claims_of(rig)) is None
        await until(lambda: bool(rig.opened(Door.EXIT)), "the exit opens")
        assert rig.opened(Door.EXIT) == ["token"]
        (spent,) = rig.events("release.spent")
        assert rig.store.is_spent(spent["release_id"])


async def test_the_guard_vetoes_what_two_officers_force_for_another_stay(tmp_path: Path) -> None:
    async with running_lane(tmp_path, mode="joint") as rig:
        await rig.walk_in()
        await rig.reaches(State.REFERRED)
        assert rig.order(Act.FORCE_OPEN, **{**claims_of(rig), "also_by": "officer"}) == "malformed"
        assert rig.order(Act.FORCE_OPEN, **{**claims_of(rig), "evidence_digest": "0" * 64}) == "other_evidence"
        for _ in range(5):  # on a busy computer the sensors' report may have grown old, which vetoes first
            before = len(rig.events("door.vetoed"))
            await rig.reaches(State.REFERRED)
            assert rig.order(Act.FORCE_OPEN, **{**claims_of(rig), "occupancy_id": "1-0"}) is None
            await until(lambda seen=before: len(rig.events("door.vetoed")) > seen, "the veto")  # type: ignore[misc]
            if rig.events("door.vetoed")[-1]["rule"] != "sensors_stale":
                break
        assert rig.events("door.vetoed")[-1]["rule"] == "release_other_stay"
        assert rig.opened(Door.EXIT) == []
