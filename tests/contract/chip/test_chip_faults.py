"""What happens between a reader and a chip: documents that move, chips that say nothing, bytes that arrive wrong or late."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest
from chip_kit import Clock, document, ec_key, read

from drivers.chip.domain import standardised
from drivers.chip.errors import Reason
from drivers.chip.reader import ReadLimits, read_chip
from drivers.chip.results import AuthOutcome, ChipProgress, ChipRead, ChipUnread
from drivers.chip.trace import RecordedTrace, RecordingChannel
from drivers.errors import DeviceError
from simulator.chip import attacks
from simulator.chip.card import VirtualChip
from simulator.chip.channels import ChipFault, FaultyChannel, MemoryChannel
from simulator.chip.document import static_key
from simulator.chip.profile import PaceOption, SigningKey

PAPER = document(pace=(PaceOption(),), portrait=b"\xff\xd8\xff" + bytes(18_000))
COMMANDS = read(PAPER)[1].commands
PASSING = (ChipFault.REMOVED, ChipFault.SILENT, ChipFault.LATE, ChipFault.GARBLE)


@pytest.mark.parametrize("fault", PASSING)
def test_one_fault_at_any_command_costs_another_beginning_at_most(fault: ChipFault) -> None:
    for at in range(COMMANDS):
        result, channel, _ = read(PAPER, faults={at: fault}, limits=ReadLimits(command_ms=1000, total_ms=60_000))
        assert isinstance(result, ChipRead), (fault, at, result)
        assert result.files["DG2"] == PAPER.profile.files[0x0102], (fault, at)
        assert result.files["EF.SOD"] == PAPER.profile.files[0x011D], (fault, at)
        assert channel.connections <= 3, (fault, at)


def test_what_was_read_is_not_read_again_when_a_document_moved() -> None:
    result, channel, _ = read(PAPER, faults={COMMANDS - 1: ChipFault.REMOVED})
    assert isinstance(result, ChipRead)
    assert result.attempts == 2
    assert channel.commands < 2 * COMMANDS - 4


def test_a_document_that_is_taken_away_is_removed_not_silent() -> None:
    chip = MemoryChannel(VirtualChip(PAPER.profile))
    clock = Clock()

    def take_away(progress: ChipProgress) -> None:
        if progress.stage == "DG2":
            chip.chip = None

    result = read_chip(chip, PAPER.profile.mrz, on_progress=take_away, now_ns=clock.now_ns)
    assert isinstance(result, ChipUnread)
    assert result.reason is Reason.REMOVED
    assert result.attempts > 1


def test_no_chip_at_all() -> None:
    result = read_chip(MemoryChannel(None), PAPER.profile.mrz, now_ns=Clock().now_ns)
    assert isinstance(result, ChipUnread)
    assert result.reason is Reason.NO_CHIP
    assert result.attempts == 1


def test_a_silent_chip_is_silent_within_the_time_that_it_gets() -> None:
    faults = dict.fromkeys(range(1000), ChipFault.SILENT)
    result, channel, clock = read(PAPER, faults=faults, limits=ReadLimits(command_ms=1000, total_ms=3500, attempts=10))
    assert isinstance(result, ChipUnread)
    assert result.reason is Reason.SILENT
    assert clock.ns <= 3_600_000_000
    assert channel.commands == 4


def test_a_garbling_reader_is_broken() -> None:
    result, _, _ = read(PAPER, faults=dict.fromkeys(range(1000), ChipFault.GARBLE))
    assert isinstance(result, ChipUnread)
    assert result.reason is Reason.BROKEN


def test_a_slow_chip_is_waited_for() -> None:
    result, _, clock = read(PAPER, faults={0: ChipFault.SLOW})
    assert isinstance(result, ChipRead)
    assert result.attempts == 1
    assert clock.ns > (COMMANDS - 1) * 40_000_000


def test_more_waiting_time_is_granted_within_the_limit_of_a_command() -> None:
    result, channel, _ = read(PAPER, faults={4: ChipFault.WTX})
    assert isinstance(result, ChipRead)
    assert channel.connections == 1
    hasty, second, _ = read(PAPER, faults={4: ChipFault.WTX}, limits=ReadLimits(command_ms=1000))
    assert isinstance(hasty, ChipRead)
    assert second.connections == 2


def test_a_reading_that_runs_out_of_time_hands_out_what_is_needed_and_names_the_rest() -> None:
    paper = document(pace=(PaceOption(),))
    order = {"DG11": 0}
    clock = Clock()

    def let_time_pass(progress: ChipProgress) -> None:
        if progress.stage in order:
            clock.pass_ms(60_000)

    channel = FaultyChannel(MemoryChannel(VirtualChip(paper.profile)), {}, pass_ms=clock.pass_ms)
    result = read_chip(channel, paper.profile.mrz, on_progress=let_time_pass, now_ns=clock.now_ns)
    assert isinstance(result, ChipRead)
    assert set(result.unread) == {"DG12"}
    assert "longer than the lane allows" in result.unread["DG12"]


def test_a_reading_that_runs_out_of_time_before_that_is_none() -> None:
    clock = Clock()
    channel = FaultyChannel(MemoryChannel(VirtualChip(PAPER.profile)), {0: ChipFault.SLOW}, pass_ms=clock.pass_ms)
    result = read_chip(channel, PAPER.profile.mrz, limits=ReadLimits(total_ms=500), now_ns=clock.now_ns)
    assert isinstance(result, ChipUnread)
    assert result.reason is Reason.OUT_OF_TIME


def test_progress_is_told_in_bytes_of_each_file() -> None:
    told: list[ChipProgress] = []
    result = read_chip(
        MemoryChannel(VirtualChip(PAPER.profile)), PAPER.profile.mrz, on_progress=told.append, now_ns=Clock().now_ns
    )
    assert isinstance(result, ChipRead)
    assert [one.stage for one in told][:2] == ["connecting", "opening"]
    face = [one for one in told if one.stage == "DG2"]
    assert len(face) > 3
    assert face[-1].done_bytes == face[-1].total_bytes == len(PAPER.profile.files[0x0102])
    assert all(one.done_bytes <= two.done_bytes for one, two in itertools.pairwise(face))


def test_a_recorded_conversation_is_replayed_and_a_different_one_is_refused(tmp_path: Path) -> None:
    recorder = RecordingChannel(MemoryChannel(VirtualChip(PAPER.profile)))
    first = read_chip(recorder, PAPER.profile.mrz, random=recorder.random, now_ns=Clock().now_ns)
    recorder.save(tmp_path / "passport.trace")
    trace = RecordedTrace.load(tmp_path / "passport.trace")
    second = read_chip(trace, PAPER.profile.mrz, random=trace.random, now_ns=Clock().now_ns)
    assert isinstance(first, ChipRead)
    assert isinstance(second, ChipRead)
    assert second.files == first.files
    assert trace.is_finished
    other = read_chip(RecordedTrace.load(tmp_path / "passport.trace"), PAPER.profile.mrz, now_ns=Clock().now_ns)
    assert isinstance(other, ChipUnread)
    assert "is not the recorded one" in other.detail


@pytest.mark.parametrize("text", ["> zz\n", "> 00A4\n", "what\n"])
def test_a_malformed_trace_is_one_sentence(tmp_path: Path, text: str) -> None:
    path = tmp_path / "bad.trace"
    path.write_text(text)
    with pytest.raises(DeviceError, match="cannot be replayed"):
        RecordedTrace.load(path)


def test_a_proof_that_was_cut_off_is_made_again_with_the_chip_that_is_there_now() -> None:
    """Between two connections another chip may be put down: only the one that is there at the end may have proven itself."""
    genuine = document(signing_key=SigningKey(key=ec_key("P-256")), chip_keys=(static_key(standardised(12)),))
    copy = attacks.clone(genuine)
    channel = MemoryChannel(VirtualChip(genuine.profile))
    faulty = FaultyChannel(channel, {})

    def swap(progress: ChipProgress) -> None:
        if progress.stage == "DG2" and faulty.connections == 1:
            channel.chip = VirtualChip(copy.profile)

    result = read_chip(faulty, genuine.profile.mrz, on_progress=swap, now_ns=Clock().now_ns)
    assert isinstance(result, ChipRead)
    assert result.chip_authentication.outcome is AuthOutcome.FAIL
    assert result.active_authentication.outcome is AuthOutcome.FAIL
