"""The host's half of the link, fed by hand: sessions, silence, another board, repeated and foreign frames."""

from __future__ import annotations

import itertools

import pytest

from drivers.lane_io import protocol as wire
from drivers.lane_io.codec import Decoder, Frame, encode
from drivers.lane_io.interface import (
    BoardEvent,
    BoardEventKind,
    CommandResult,
    Door,
    DoorKind,
    LaneSensors,
    LinkLost,
    LinkUp,
    SafetyDevice,
    SelfTestState,
)
from drivers.lane_io.link import Answer, HostLink, Output

MS = 1_000_000


class Bench:
    def __init__(self) -> None:
        self.sent: list[Frame] = []
        self.link = HostLink(send=self._take, link_timeout_ns=600 * MS)
        self.decoder = Decoder()

    def _take(self, data: bytes) -> None:
        self.sent += [found for found in self.decoder.feed(data) if isinstance(found, Frame)]

    def last(self) -> wire.Message:
        return self.sent[-1].message

    def board_says(self, message: wire.Message, *, sequence: int = 0, at_ms: int = 0) -> list[Output]:
        return self.link.receive(encode(Frame(sequence=sequence, message=message)), at_ms * MS)

    def session(self) -> int:
        return next(f.message.session for f in reversed(self.sent) if isinstance(f.message, wire.Hello))

    def come_up(self, *, boot_id: int = 5, at_ms: int = 0) -> list[Output]:
        self.link.tick(at_ms * MS)
        return self.board_says(hello_ack(self.session(), boot_id=boot_id), at_ms=at_ms)


def hello_ack(session: int, *, boot_id: int = 5, version: int = 1) -> wire.HelloAck:
    return wire.HelloAck(
        version=version,
        firmware_major=1,
        firmware_minor=2,
        firmware_patch=3,
        board_id=42,
        boot_id=boot_id,
        session=session,
        watchdog_ms=1000,
        entry_kind=wire.WireDoorKind.FLAP,
        exit_kind=wire.WireDoorKind.TRIPOD,
        beam_count=28,
        first_inside_beam=2,
        last_inside_beam=25,
        beam_pitch_mm=100,
    )


def sensors(
    *, boot_id: int = 5, person_count: int = 1, beams: int = 0, celsius: int = 312, failed: int = 0
) -> wire.Sensors:
    return wire.Sensors(
        uptime_ms=1,
        entry=wire.WirePosition.CLOSED,
        exit=wire.WirePosition.CLOSED,
        doors=wire.DoorFlag.ENTRY_LOCKED | wire.DoorFlag.EXIT_FORCED | wire.DoorFlag.EXIT_JAMMED,
        hazards=wire.HazardFlag(0),
        beams=beams,
        beams_changed_ms=1,
        beam_count=28,
        person_count=person_count,
        exit_token=0,
        boot_id=boot_id,
        lamp=wire.WireLamp.BLUE,
        temperature_tenths_celsius=celsius,
        self_test=wire.SelfTestState.FAILED if failed else wire.SelfTestState.PASSED,
        failed=wire.FailedFlag(failed),
    )


def test_greeting_is_repeated_in_one_session_until_answered() -> None:
    bench = Bench()
    bench.link.tick(0)
    first = bench.session()
    bench.link.tick(100 * MS)
    assert bench.session() == first
    assert len(bench.sent) == 2
    (up,) = bench.board_says(hello_ack(first))
    assert isinstance(up, LinkUp)
    assert (up.firmware_version, up.board_id) == ("1.2.3", 42)
    assert (up.entry_kind, up.exit_kind, up.beam_pitch_mm) == (DoorKind.FLAP, DoorKind.TRIPOD, 100)
    assert bench.last() == wire.Heartbeat(session=first)


def test_answer_to_another_session_is_not_an_answer() -> None:
    bench = Bench()
    bench.link.tick(0)
    assert bench.board_says(hello_ack(bench.session() ^ 1)) == []
    assert not bench.link.is_up


def test_nothing_is_known_of_the_lane_before_the_link_is_up() -> None:
    bench = Bench()
    bench.link.tick(0)
    assert bench.board_says(sensors()) == []


@pytest.mark.parametrize("version", [0, 2, 255])
def test_board_of_another_version_is_told_once(version: int) -> None:
    bench = Bench()
    bench.link.tick(0)
    (lost,) = bench.board_says(hello_ack(bench.session(), version=version))
    assert isinstance(lost, LinkLost)
    assert "version 1" in lost.reason
    assert bench.board_says(hello_ack(bench.session(), version=version)) == []
    assert not bench.link.is_up


@pytest.mark.parametrize(
    ("host", "board", "version"),
    [((1, 1), (1, 1), 1), ((1, 3), (1, 1), 1), ((1, 3), (2, 9), 3), ((2, 3), (1, 1), 0), ((3, 1), (1, 9), 0)],
)
def test_the_newest_version_in_common_is_spoken(host: tuple[int, int], board: tuple[int, int], version: int) -> None:
    assert wire.common_version(*host, spoken=range(board[0], board[1] + 1)) == version


def test_greeting_offers_all_versions_that_we_speak() -> None:
    bench = Bench()
    bench.link.tick(0)
    hello = bench.last()
    assert isinstance(hello, wire.Hello)
    assert range(hello.lowest_version, hello.highest_version + 1) == wire.SPOKEN_VERSIONS


def test_failed_devices_and_temperature_have_names_and_units() -> None:
    bench = Bench()
    bench.come_up()
    (well,) = bench.board_says(sensors())
    assert isinstance(well, LaneSensors)
    assert (well.board_celsius, well.self_test, well.failed) == (31.2, SelfTestState.PASSED, frozenset())
    (ill,) = bench.board_says(sensors(celsius=wire.UNKNOWN_TEMPERATURE, failed=0x05))
    assert isinstance(ill, LaneSensors)
    assert ill.board_celsius is None
    assert ill.failed == {SafetyDevice.CURTAIN, SafetyDevice.EXIT_LOCK}
    assert {flag.name for flag in wire.FailedFlag} == {device.name for device in SafetyDevice}


def test_failed_self_test_event_says_what_failed() -> None:
    bench = Bench()
    bench.come_up()
    failed = wire.EventCode.SELF_TEST_FAILED
    event = wire.Event(
        event_sequence=1, boot_id=5, uptime_ms=9, code=failed, door=wire.WireDoor.NONE, detail=0x4000_0005
    )
    (told,) = bench.board_says(event)
    assert isinstance(told, BoardEvent)
    assert told.detail == "exit_lock,light_curtain"


def test_port_without_a_board_is_told_once() -> None:
    bench = Bench()
    told = [output for at_ms in range(0, 3000, 100) for output in bench.link.tick(at_ms * MS)]
    (lost,) = told
    assert isinstance(lost, LinkLost)
    assert lost.at_ns == 700 * MS
    assert "no lane board answers" in lost.reason
    assert isinstance(bench.come_up(at_ms=3000)[0], LinkUp)
    assert len(bench.link.tick(4000 * MS)) == 1, "told again after it was up"


def test_silence_beyond_the_timeout_is_a_lost_link_and_a_new_session() -> None:
    bench = Bench()
    bench.come_up()
    old = bench.session()
    assert bench.link.tick(600 * MS) == []
    (lost,) = bench.link.tick(601 * MS)
    assert isinstance(lost, LinkLost)
    assert "601 ms" in lost.reason
    assert bench.session() != old


def test_sensors_keep_the_link_and_say_what_they_mean() -> None:
    bench = Bench()
    bench.come_up()
    (seen,) = bench.board_says(sensors(person_count=255, beams=1), sequence=77, at_ms=500)
    assert isinstance(seen, LaneSensors)
    assert (seen.sequence, seen.received_ns, seen.person_count, seen.exit_token) == (77, 500 * MS, None, None)
    assert (seen.entry, seen.exit) == ("closed", "forced")
    assert seen.is_entry_locked
    assert not seen.is_exit_locked
    assert seen.is_inside_clear, "beam 0 is outside"
    assert bench.link.tick(1100 * MS) == []


def test_sensors_of_another_boot_lose_the_link() -> None:
    bench = Bench()
    bench.come_up()
    (lost,) = bench.board_says(sensors(boot_id=6))
    assert isinstance(lost, LinkLost)
    assert "restarted" in lost.reason


def test_event_is_acknowledged_each_time_and_reported_once() -> None:
    bench = Bench()
    bench.come_up()
    event = wire.Event(
        event_sequence=3, boot_id=5, uptime_ms=9, code=wire.EventCode.DOOR_OPENED, door=wire.WireDoor.EXIT, detail=2
    )
    (told,) = bench.board_says(event)
    assert isinstance(told, BoardEvent)
    assert (told.kind, told.door, told.detail) == (BoardEventKind.DOOR_OPENED, Door.EXIT, "token")
    assert bench.board_says(event) == []
    assert [frame.message for frame in bench.sent].count(wire.EventAck(event_sequence=3, boot_id=5)) == 2


def test_unknown_opening_reason_is_a_number_not_a_failure() -> None:
    bench = Bench()
    bench.come_up()
    event = wire.Event(
        event_sequence=1, boot_id=5, uptime_ms=9, code=wire.EventCode.DOOR_OPENED, door=wire.WireDoor.EXIT, detail=99
    )
    (told,) = bench.board_says(event)
    assert isinstance(told, BoardEvent)
    assert told.detail == "99"


def test_acknowledgement_of_another_session_is_no_answer() -> None:
    bench = Bench()
    bench.come_up()
    assert bench.board_says(wire.Ack(session=bench.session() ^ 1, result=wire.ResultCode.DONE), sequence=4) == []
    (answer,) = bench.board_says(wire.Ack(session=bench.session(), result=wire.ResultCode.DONE), sequence=4)
    assert answer == Answer(sequence=4, result=CommandResult.DONE)


def test_board_that_forgot_the_session_is_greeted_anew() -> None:
    for result in (wire.ResultCode.NO_SESSION, wire.ResultCode.STALE_SEQUENCE):
        bench = Bench()
        bench.come_up()
        old = bench.session()
        answer, lost = bench.board_says(wire.Ack(session=old, result=result), sequence=4)
        assert answer == Answer(sequence=4, result=CommandResult.REFUSED_STATE)
        assert isinstance(lost, LinkLost)
        assert bench.session() != old


def test_command_numbers_never_reach_the_unnumbered_zero() -> None:
    link = Bench().link
    numbers = [link.next_sequence() for _ in range(70_000)]
    assert min(numbers) == 1
    assert max(numbers) == 65_535
    assert all((b - a) % 65_535 == 1 for a, b in itertools.pairwise(numbers))


def test_every_event_and_result_of_the_wire_has_a_meaning() -> None:
    assert {code.name.lower() for code in wire.EventCode} == set(BoardEventKind)
    bench = Bench()
    bench.come_up()
    for result in wire.ResultCode:
        assert bench.board_says(wire.Ack(session=bench.session(), result=result), sequence=1)
        bench.come_up()
