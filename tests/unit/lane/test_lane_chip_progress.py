"""What a lane tells of a chip that is being read: a ring for the traveller's kiosk, and nothing once the reading is over."""

from functools import partial
from pathlib import Path

import pytest
from lane_kit import Rig, ScriptedEyes, document, running_lane, until

from drivers.chip.results import ChipProgress
from gate.core.state import State
from gate.lane.chip_watch import PROGRESS_STEP, Progress
from gate.lane.sightings import ChipProgressed, DocumentIdentified


def is_shown(rig: Rig, ratio: float) -> bool:
    return rig.published[-1].chip_progress == ratio


class SlowEyes(ScriptedEyes):
    """Reads a page and goes on with its chip until it is told to stop."""

    ticket = 0

    def read_document(self, ticket: int) -> None:
        self.ticket = ticket
        private = document(ticket).private
        assert private is not None
        self.say(DocumentIdentified(ticket=ticket, private=private))

    def finish(self) -> None:
        super().read_document(self.ticket)


async def test_a_kiosk_is_told_how_far_the_chip_is_read_and_forgets_it_with_the_reading(tmp_path: Path) -> None:
    eyes = SlowEyes()
    async with running_lane(tmp_path, eyes=eyes) as rig:
        await rig.reaches(State.READY)
        assert rig.published[-1].chip_progress is None
        eyes.place_document()
        await rig.reaches(State.READING_DOCUMENT)
        await until(lambda: eyes.ticket > 0, "the lane asks for the document")
        for ratio in (0.0, 0.4):
            eyes.say(ChipProgressed(ticket=eyes.ticket, ratio=ratio))
            await until(partial(is_shown, rig, ratio), f"{ratio} is shown")
        eyes.say(ChipProgressed(ticket=eyes.ticket - 1, ratio=0.9))
        eyes.finish()
        await rig.reaches(State.ENTRY_OPEN)
        await until(lambda: rig.published[-1].state == State.ENTRY_OPEN, "the open entry is shown")
        eyes.say(ChipProgressed(ticket=eyes.ticket, ratio=1.0))
        await rig.is_settled()
        assert {shown.chip_progress for shown in rig.published} == {None, 0.0, 0.4}
        assert rig.published[-1].chip_progress is None


def steps(*stages: tuple[str, int, int]) -> list[float]:
    told: list[float] = []
    progress = Progress(told.append)
    for stage, done, total in stages:
        progress.note(ChipProgress(stage=stage, done_bytes=done, total_bytes=total))
    return told


def test_no_chip_is_no_progress() -> None:
    assert steps(("connecting", 0, 0), ("connecting", 0, 0)) == []


def test_progress_begins_with_the_chip_and_never_goes_back() -> None:
    whole = [("DG2", done, 18_000) for done in range(0, 18_001, 200)]
    once = steps(("connecting", 0, 0), ("opening", 0, 0), ("DG1", 93, 93), *whole, ("DG12", 9, 9))
    assert once[0] == 0
    assert once == sorted(once)
    assert 0.8 < once[-1] <= 1
    assert len(once) <= 1 / PROGRESS_STEP + 1
    moved = steps(("opening", 0, 0), *whole[:60], ("connecting", 0, 0), ("opening", 0, 0), *whole)
    assert moved == steps(("opening", 0, 0), *whole)


@pytest.mark.parametrize("stage", ["DG3", "EF.Unheard"])
def test_a_file_that_no_plan_has_changes_nothing(stage: str) -> None:
    assert steps(("opening", 0, 0), (stage, 9, 9)) == [0]
