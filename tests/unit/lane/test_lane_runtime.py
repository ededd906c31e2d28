"""A whole lane on a real serial line to a board with physics; only the eyes are scripted and there is no hub."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from lane_kit import (
    BEYOND_MM,
    LINE_MM,
    OUTSIDE_MM,
    QUICK,
    Rig,
    ScriptedEyes,
    document,
    quick_board,
    running_lane,
    until,
)

from drivers.lane_io.interface import Door
from gate.core import events as on
from gate.core.policy import Answer, LookupFacts
from gate.core.state import State
from gate.lane.sightings import CameraChanged, DocumentTaken, PrivateDocument, VisionFailed
from gate.wire.messages import Act
from simulator.board import BoardFault


async def walk_out(rig: Rig, walker: Any) -> None:
    await rig.reaches(State.CLEARED)
    await until(lambda: rig.board.world.exit.position >= 0.8, "the exit is open")
    rig.go(walker, BEYOND_MM)
    await until(lambda: walker.is_there, "the traveller is out")
    rig.take_away(walker)


async def go_back(rig: Rig, walker: Any) -> None:
    await until(lambda: rig.board.world.entry.position >= 0.8, "the way back is open")
    rig.go(walker, OUTSIDE_MM)
    await until(lambda: walker.is_there, "the traveller is back outside")
    rig.take_away(walker)


async def test_an_empty_lane_becomes_ready_and_touches_no_door(tmp_path: Path) -> None:
    async with running_lane(tmp_path) as rig:
        await rig.reaches(State.READY)
        await until(lambda: rig.published[-1].state == "ready", "the lane is shown as ready")
        assert rig.published[-1].entry == "closed"
        assert rig.board.openings == []


async def test_a_crossing_in_gate_mode(tmp_path: Path) -> None:
    async with running_lane(tmp_path) as rig:
        walker = await rig.walk_in()
        await walk_out(rig, walker)
        await rig.reaches(State.READY)
        (ended,) = rig.events("crossing.ended")
        assert (ended["outcome"], ended["reasons"]) == ("cleared", [])
        assert ended["document_to_entry_ms"] > 0
        assert ended["face_to_exit_ms"] > 0
        assert (rig.opened(Door.ENTRY), rig.opened(Door.EXIT)) == (["command"], ["token"])
        (spent,) = rig.events("release.spent")
        assert rig.store.is_spent(spent["release_id"])
        assert rig.casework.crossing is None
        assert rig.eyes.references[0] is not None
        assert not rig.eyes.references[0].any(), "the template is wiped"


async def test_in_joint_mode_the_lanes_own_word_opens_nothing(tmp_path: Path) -> None:
    async with running_lane(tmp_path, mode="joint") as rig:
        walker = await rig.walk_in()
        await until(lambda: bool(rig.events("crossing.decided")), "the lane's decision")
        assert rig.events("crossing.decided")[-1]["decision"] == "clear"
        await rig.reaches(State.REFERRED)  # no release came in time
        assert rig.opened(Door.EXIT) == []
        assert rig.release() is None
        await walk_out(rig, walker)
        await rig.reaches(State.READY)
        assert rig.events("crossing.ended")[-1]["outcome"] == "released_by_officer"


async def test_a_release_for_other_evidence_or_another_case_is_refused(tmp_path: Path) -> None:
    async with running_lane(tmp_path, mode="joint") as rig:
        await rig.walk_in()
        await rig.reaches(State.REFERRED)
        here = rig.casework.crossing
        assert here is not None
        claims = {
            "case_id": here.case_id,
            "occupancy_id": here.evidence.occupancy_id,
            "evidence_digest": here.evidence.digest(),
        }
        assert rig.order(Act.RELEASE, **{**claims, "evidence_digest": "0" * 64}) == "other_evidence"
        assert rig.order(Act.RELEASE, **{**claims, "case_id": "other"}) == "other_case"
        assert (
            rig.order(Act.RELEASE, **{**claims, "occupancy_id": "1-0"}) is None
        )  # the guard knows the stay, and vetoes
        await until(lambda: bool(rig.events("door.vetoed")), "the veto")
        assert rig.events("door.vetoed")[-1]["rule"] == "release_other_stay"
        assert rig.opened(Door.EXIT) == []


async def test_evidence_that_comes_after_a_release_was_taken_voids_it(tmp_path: Path) -> None:
    async with running_lane(tmp_path, mode="joint") as rig:
        await rig.walk_in()
        await rig.reaches(State.REFERRED)
        assert rig.release() is None
        rig.casework.add_reasons(("something.new",), None)  # before the lane's inbox comes to the release
        await until(lambda: bool(rig.events("door.vetoed")), "the refusal")
        assert rig.events("door.vetoed")[-1]["rule"] == "other_evidence"
        assert rig.opened(Door.EXIT) == []


async def test_a_lane_that_referred_does_not_release_by_itself_later(tmp_path: Path) -> None:
    """The comparison ends as the machine's own timer does: whichever is first, the exit needs an officer then."""
    eyes = ScriptedEyes()
    eyes.is_silent = True
    async with running_lane(tmp_path, policy=replace(QUICK, face_timeout_ms=100), eyes=eyes) as rig:
        await rig.walk_in()
        await rig.reaches(State.REFERRED)
        rig.runtime.put(on.CrossingCleared())
        rig.runtime.put(on.SentBack(by="officer"))
        await rig.reaches(State.LEAVING)
        assert rig.opened(Door.EXIT) == []
        assert rig.events("release.spent") == []


async def test_a_face_that_does_not_match_refers_and_an_officer_sends_back(tmp_path: Path) -> None:
    eyes = ScriptedEyes()
    eyes.score = 0.1
    async with running_lane(tmp_path, eyes=eyes) as rig:
        walker = await rig.walk_in()
        await rig.reaches(State.REFERRED)
        assert rig.order(Act.SEND_BACK) is None
        await go_back(rig, walker)
        await rig.reaches(State.READY)
        (ended,) = rig.events("crossing.ended")
        assert (ended["outcome"], ended["reasons"]) == ("sent_back", ["face.match"])
        assert rig.opened(Door.EXIT) == []


async def test_nobody_is_held_longer_than_the_limit_and_the_way_is_back(tmp_path: Path) -> None:
    eyes = ScriptedEyes()
    eyes.score = None
    async with running_lane(tmp_path, policy=replace(QUICK, inside_limit_ms=1_500), eyes=eyes) as rig:
        walker = await rig.walk_in()
        await rig.reaches(State.LEAVING)
        await go_back(rig, walker)
        await rig.reaches(State.READY)
        (ended,) = rig.events("crossing.ended")
        assert ended["outcome"] == "sent_back"
        assert "inside.limit" in ended["reasons"]
        assert rig.opened(Door.EXIT) == []


async def test_a_lookup_without_an_answer_keeps_the_traveller_out(tmp_path: Path) -> None:
    async def hit(_document: PrivateDocument, _case_id: str) -> tuple[LookupFacts, ...]:
        return (LookupFacts(name="watchlist", answer=Answer.HIT, role="border"),)

    async with running_lane(tmp_path, look_up=hit) as rig:
        await rig.reaches(State.READY)
        rig.eyes.place_document()
        await until(lambda: bool(rig.events("crossing.ended")), "the end")
        assert rig.events("crossing.ended")[0]["outcome"] == "denied_entry"
        assert rig.events("crossing.ended")[0]["reasons"] == ["lookup.watchlist"]
        assert rig.board.openings == []


async def test_a_page_that_cannot_be_read_keeps_door_1_shut(tmp_path: Path) -> None:
    eyes = ScriptedEyes()
    eyes.page = lambda ticket: document(ticket, facts=None, private=None, reference=None, refusal="no page: dark")
    async with running_lane(tmp_path, eyes=eyes) as rig:
        await rig.reaches(State.READY)
        rig.eyes.place_document()
        await until(lambda: bool(rig.events("crossing.ended")), "the end")
        assert rig.events("crossing.ended")[0]["reasons"] == ["document.unreadable"]
        assert rig.board.openings == []


async def test_a_document_that_is_taken_away_ends_it(tmp_path: Path) -> None:
    eyes = ScriptedEyes()
    eyes.page = lambda ticket: document(ticket + 1_000)  # an answer to another reading: void
    async with running_lane(tmp_path, eyes=eyes) as rig:
        await rig.reaches(State.READY)
        rig.eyes.place_document()
        await rig.reaches(State.READING_DOCUMENT)
        rig.eyes.say(DocumentTaken())
        await until(lambda: bool(rig.events("crossing.ended")), "the end")
        assert rig.events("crossing.ended")[0]["outcome"] == "abandoned"


async def test_a_document_placed_too_early_is_taken_when_the_lane_is_ready(tmp_path: Path) -> None:
    async with running_lane(tmp_path) as rig:
        await until(lambda: rig.eyes.is_started, "the eyes are open")
        rig.eyes.place_document()
        await rig.reaches(State.ENTRY_OPEN)
        assert rig.states[:3] == [State.READY, State.READING_DOCUMENT, State.ENTRY_OPEN]


async def test_a_follower_is_an_alarm_and_both_doors_stay_shut(tmp_path: Path) -> None:
    async with running_lane(tmp_path) as rig:
        await rig.walk_in()
        second = rig.walker(OUTSIDE_MM - 700)
        second.gap_mm = 60.0
        rig.go(second, LINE_MM - 700)
        await rig.reaches(State.ALARM)
        assert rig.events("alarm.raised")[0]["reason"] == "not_exactly_one"
        assert rig.opened(Door.EXIT) == []
        assert rig.published[-1].problem == "not_exactly_one"


async def test_two_people_in_the_camera_are_an_alarm_too(tmp_path: Path) -> None:
    eyes = ScriptedEyes()
    eyes.people = 2
    async with running_lane(tmp_path, eyes=eyes) as rig:
        await rig.walk_in()
        await rig.reaches(State.ALARM)
        assert rig.opened(Door.EXIT) == []


async def test_a_full_disk_is_a_fault_and_opens_no_door(tmp_path: Path) -> None:
    async with running_lane(tmp_path) as rig:
        await rig.reaches(State.READY)
        rig.store.is_full = True
        rig.eyes.place_document()
        await rig.reaches(State.FAULT)
        assert rig.runtime.state.faults == {"store"}
        assert rig.board.openings == []
        rig.store.is_full = False


async def test_a_disk_that_fills_up_while_somebody_is_inside_opens_the_way_back_and_nothing_else(
    tmp_path: Path,
) -> None:
    async with running_lane(tmp_path, mode="joint", policy=replace(QUICK, inside_limit_ms=2_500)) as rig:
        walker = await rig.walk_in()
        await until(lambda: bool(rig.events("crossing.decided")), "the lane's decision")
        release = rig.verifier.verify(rig.release_command())
        rig.store.is_full = True
        assert rig.runtime.consider(release) is None  # type: ignore[arg-type]
        await until(lambda: "store" in rig.runtime.state.faults, "the fault")
        await go_back(rig, walker)  # nobody stays shut in because it cannot be written down
        assert rig.opened(Door.EXIT) == []
        rig.store.is_full = False


async def test_a_disk_with_room_again_and_an_officer_end_the_fault(tmp_path: Path) -> None:
    async with running_lane(tmp_path) as rig:
        await rig.reaches(State.READY)
        rig.store.is_full = True
        rig.eyes.place_document()
        await rig.reaches(State.FAULT)
        rig.store.is_full = False
        rig.eyes.say(DocumentTaken())
        assert rig.order(Act.ACKNOWLEDGE) is None
        await rig.reaches(State.READY)
        rig.eyes.place_document()
        await rig.reaches(State.ENTRY_OPEN)
        numbers = [json.loads(row.body)["sequence"] for row in rig.rows]
        assert numbers == list(range(1, len(numbers) + 1))


async def test_a_disk_still_full_leaves_the_fault(tmp_path: Path) -> None:
    async with running_lane(tmp_path) as rig:
        await rig.reaches(State.READY)
        command = rig.command(Act.ACKNOWLEDGE)
        checked = rig.verifier.verify(command)
        rig.store.is_full = True
        rig.eyes.place_document()
        await rig.reaches(State.FAULT)
        seen = len(rig.states)
        assert rig.runtime.consider(checked) is None  # type: ignore[arg-type]
        await rig.is_settled()
        assert (rig.name, len(rig.states)) == (State.FAULT, seen)
        rig.store.is_full = False


async def test_a_link_lost_in_the_middle_is_a_fault_until_an_officer_says_so(tmp_path: Path) -> None:
    with_link = quick_board()
    with_link.link_at(tmp_path / "board")
    try:
        async with running_lane(tmp_path, board=with_link) as rig:
            await rig.reaches(State.READY)
            rig.eyes.place_document()
            await rig.reaches(State.ENTRY_OPEN)
            with_link.unplug()
            await rig.reaches(State.FAULT)
            assert rig.events("fault.raised")[0]["device"] == "board_link"
            assert rig.published[-1].entry == "unknown"
            with_link.replug()
            await until(lambda: not rig.runtime.state.faults - {"board"}, "the link is back")
            assert rig.name is State.FAULT, "a fault latches"
            rig.eyes.say(DocumentTaken())
            assert rig.order(Act.ACKNOWLEDGE) is None
            await rig.reaches(State.READY)
            assert rig.events("crossing.ended")[0]["outcome"] == "interrupted"
            assert rig.opened(Door.EXIT) == []
    finally:
        with_link.close()


async def test_a_silent_board_is_a_fault(tmp_path: Path) -> None:
    async with running_lane(tmp_path) as rig:
        await rig.reaches(State.READY)
        rig.board.inject(BoardFault.SILENT)
        await rig.reaches(State.FAULT)
        rig.eyes.place_document()
        rig.board.heal(BoardFault.SILENT)
        await until(lambda: not rig.runtime.state.faults - {"board"}, "the link is back")
        assert rig.board.openings == []


async def test_a_camera_that_falls_silent_is_a_fault_and_comes_back(tmp_path: Path) -> None:
    async with running_lane(tmp_path) as rig:
        await rig.reaches(State.READY)
        rig.eyes.say(CameraChanged(device="face_camera", is_ok=False, reason="no frames"))
        await rig.reaches(State.FAULT)
        assert rig.order(Act.ACKNOWLEDGE) is None
        rig.eyes.say(CameraChanged(device="face_camera", is_ok=True))
        await until(lambda: not rig.runtime.state.faults, "the camera is back")
        assert rig.order(Act.ACKNOWLEDGE) is None
        await rig.reaches(State.READY)


async def test_fire_frees_both_ways_out_and_ends_only_by_an_officer(tmp_path: Path) -> None:
    eyes = ScriptedEyes()
    eyes.score = 0.1
    async with running_lane(tmp_path, eyes=eyes) as rig:
        walker = await rig.walk_in()
        await rig.reaches(State.REFERRED)
        with rig.board.lock:
            rig.board.model.raise_fire()
        await rig.reaches(State.EVACUATING)
        await until(lambda: rig.board.world.exit.position >= 0.8, "the exit is free")
        rig.go(walker, BEYOND_MM)
        await until(lambda: walker.is_there, "the traveller is out")
        rig.take_away(walker)
        assert rig.order(Act.ACKNOWLEDGE) is None  # it still burns
        await rig.is_settled()
        assert rig.name is State.EVACUATING
        with rig.board.lock:
            rig.board.model.clear_fire()
        await until(lambda: not rig.runtime.state.is_fire, "the fire is out")
        assert rig.name is State.EVACUATING
        assert rig.order(Act.ACKNOWLEDGE) is None
        await rig.reaches(State.READY, State.FAULT)
        if rig.name is State.FAULT:
            assert rig.order(Act.ACKNOWLEDGE) is None
            await rig.reaches(State.READY)
        assert rig.events("crossing.ended")[0]["outcome"] == "interrupted"
        assert rig.events("release.spent") == []


async def test_an_evacuation_by_order_opens_and_ends(tmp_path: Path) -> None:
    async with running_lane(tmp_path) as rig:
        await rig.reaches(State.READY)
        assert rig.order(Act.EVACUATE) is None
        await rig.reaches(State.EVACUATING)
        await until(lambda: rig.board.world.exit.position >= 0.8, "the exit is free")
        assert rig.order(Act.END_EVACUATION) is None
        assert rig.order(Act.ACKNOWLEDGE) is None
        await rig.reaches(State.READY)
        assert set(rig.opened(Door.EXIT)) == {"evacuation"}


async def test_a_lane_that_restarts_with_somebody_inside_refers_them(tmp_path: Path) -> None:
    board = quick_board()
    try:
        async with running_lane(tmp_path, board=board, mode="joint") as first:
            walker = await first.walk_in()
            await first.reaches(State.REFERRED, State.OCCUPIED)
            here = first.casework.crossing
            assert here is not None
            old_case = here.case_id
        async with running_lane(tmp_path, board=board, mode="joint") as second:
            await second.reaches(State.REFERRED)
            (interrupted,) = second.events("crossing.ended")
            assert (interrupted["case_id"], interrupted["outcome"]) == (old_case, "interrupted")
            assert second.runtime.state.reasons == ("start.person_inside",)
            new = second.casework.crossing
            assert new is not None
            assert new.case_id != old_case
            assert second.opened(Door.EXIT) == []
            assert second.order(Act.SEND_BACK) is None
            await go_back(second, walker)
            await second.reaches(State.READY)
            assert [item["case_id"] for item in second.events("crossing.ended")] == [old_case, new.case_id]
            numbers = [json.loads(row.body)["sequence"] for row in first.rows + second.rows]
            assert numbers == list(range(1, len(numbers) + 1))
    finally:
        board.close()


async def test_somebody_who_walks_in_uninvited_is_an_alarm(tmp_path: Path) -> None:
    async with running_lane(tmp_path) as rig:
        await rig.reaches(State.READY)
        rig.walker(LINE_MM)
        await rig.reaches(State.ALARM)
        assert rig.events("alarm.raised")[0]["reason"] == "intrusion"


async def test_out_of_service_and_back(tmp_path: Path) -> None:
    async with running_lane(tmp_path) as rig:
        await rig.reaches(State.READY)
        assert rig.order(Act.TAKE_OUT_OF_SERVICE) is None
        await rig.reaches(State.OUT_OF_SERVICE)
        rig.eyes.place_document()
        assert rig.order(Act.PUT_IN_SERVICE) is None
        await rig.reaches(State.ENTRY_OPEN)


async def test_eyes_that_fail_by_a_bug_of_ours_stop_the_lane_and_the_board_shuts_and_holds(tmp_path: Path) -> None:
    board = quick_board()
    try:
        with pytest.raises(ZeroDivisionError):  # noqa: PT012  it comes out of the lane's task as the block ends
            async with running_lane(tmp_path, board=board) as rig:
                await rig.reaches(State.READY)
                rig.eyes.place_document()
                await rig.reaches(State.ENTRY_OPEN)
                rig.eyes.say(VisionFailed(error=ZeroDivisionError("a bug")))
                await until(lambda: rig.is_over, "the lane ended")
        await until(lambda: board.model.firmware.is_watchdog_tripped, "the board's watchdog")
        await until(lambda: board.world.entry.position == 0.0, "the entry is shut")
    finally:
        board.close()
