"""What version 1.0 adds to a board: greetings of hosts to come, events over boots, lanes of one door, tripods, wide curtains."""

from __future__ import annotations

import pytest

from drivers.lane_io import protocol as wire
from drivers.lane_io.codec import Decoder, Frame, encode
from simulator.board_io import BoardConfig
from simulator.board_model import BoardFault, BoardModel
from simulator.world import LaneWorld

DONE = wire.ResultCode.DONE
KINDS = wire.WireDoorKind


class Line:
    def __init__(self, model: BoardModel | None = None) -> None:
        self.model = model or BoardModel(watchdog_ms=500)
        self.decoder = Decoder()
        self.session = 77
        self.number = 0

    def say(self, *messages: wire.Message) -> list[wire.Message]:
        frames = []
        for message in messages:
            self.number += isinstance(message, wire.Command)
            frames.append(encode(Frame(sequence=self.number, message=message)))
        self.model.receive(b"".join(frames))
        return self.hear()

    def hear(self) -> list[wire.Message]:
        return [f.message for f in self.decoder.feed(self.model.take_output()) if isinstance(f, Frame)]

    def greet(self, lowest: int = 1, highest: int = 1, session: int = 77) -> wire.HelloAck:
        said = self.say(wire.Hello(lowest_version=lowest, highest_version=highest, session=session))
        return next(message for message in said if isinstance(message, wire.HelloAck))

    def do(self, message: wire.Command) -> wire.ResultCode:
        return next(answer.result for answer in self.say(message) if isinstance(answer, wire.Ack))

    def run(self, ms: int) -> list[wire.Message]:
        heard = []
        for _ in range(ms // 10):
            heard += self.say(wire.Heartbeat(session=self.session))
            self.model.step(10)
            heard += self.hear()
        return heard

    @property
    def sensors(self) -> wire.Sensors:
        return self.model.firmware.sensors()


@pytest.mark.parametrize(
    ("lowest", "highest", "session", "version"),
    [(1, 1, 77, 1), (1, 9, 77, 1), (0, 1, 77, 1), (2, 9, 77, 0), (0, 0, 77, 0), (9, 1, 77, 0), (1, 1, 0, 0)],
)
def test_whoever_greets_is_answered_with_the_version_to_speak(
    lowest: int, highest: int, session: int, version: int
) -> None:
    line = Line()
    assert line.greet(lowest, highest, session).version == version
    expected = DONE if version else wire.ResultCode.NO_SESSION
    assert line.do(wire.Lamp(session=session, colour=wire.WireLamp.BLUE)) is expected


def test_a_refused_greeting_leaves_the_present_session_alone() -> None:
    line = Line()
    line.greet()
    line.run(100)
    token = line.sensors.exit_token
    line.greet(lowest=2, highest=3, session=78)
    assert line.sensors.exit_token == token != 0
    assert line.do(wire.MoveEntry(session=77, target=wire.EntryTarget.OPEN)) is DONE


def test_greeting_for_ever_does_not_feed_the_watchdog() -> None:
    line = Line()
    line.greet()
    line.run(50)
    assert line.do(wire.MoveEntry(session=77, target=wire.EntryTarget.OPEN)) is DONE
    for number in range(80):
        line.greet(session=1000 + number)
        line.model.step(10)
    assert line.model.firmware.is_watchdog_tripped
    for _ in range(200):
        line.model.step(10)
    assert line.model.world.entry.is_locked


def test_greeting_and_opening_in_one_piece_leave_no_old_token() -> None:
    line = Line()
    line.greet()
    line.run(100)
    token = line.sensors.exit_token
    assert token
    line.say(
        wire.Hello(lowest_version=1, highest_version=1, session=78),
        wire.MoveEntry(session=78, target=wire.EntryTarget.OPEN),
    )
    assert line.sensors.exit_token == wire.NO_TOKEN
    assert line.do(wire.OpenExit(session=78, token=token)) is wire.ResultCode.REFUSED_TOKEN


def test_no_event_is_lost_over_a_new_session_and_a_late_answer_forgets_none() -> None:
    line = Line()
    line.greet()
    line.model.press_estop()
    first = [m for m in line.run(150) if isinstance(m, wire.Event)]
    assert {event.code for event in first} == {wire.EventCode.BOOTED}, "the oldest, until it is taken"
    late = wire.EventAck(event_sequence=first[0].event_sequence, boot_id=first[0].boot_id ^ 1)
    line.say(late)
    line.session = 78
    line.greet(session=78)
    codes = []
    for _ in range(20):
        for event in [m for m in line.run(10) if isinstance(m, wire.Event)]:
            codes.append(event.code)
            line.say(wire.EventAck(event_sequence=event.event_sequence, boot_id=event.boot_id))
    assert codes[:2] == [wire.EventCode.BOOTED, wire.EventCode.ESTOP_PRESSED]
    assert len(codes) == len(set(codes))


def test_a_boot_starts_the_count_anew_and_an_answer_from_before_is_void() -> None:
    line = Line()
    line.greet()
    before = next(m for m in line.run(50) if isinstance(m, wire.Event))
    line.model.inject(BoardFault.REBOOT)
    for _ in range(40):
        line.model.step(10)
    line.greet()
    line.say(wire.EventAck(event_sequence=1, boot_id=before.boot_id))
    after = next(m for m in line.run(100) if isinstance(m, wire.Event))
    assert (after.code, after.event_sequence) == (wire.EventCode.BOOTED, 1)
    assert after.boot_id != before.boot_id


def test_a_lane_of_one_door_opens_its_exit_without_an_entry() -> None:
    line = Line(BoardModel(LaneWorld(has_entry=False)))
    assert line.greet().entry_kind is KINDS.NONE
    line.run(100)
    assert line.sensors.entry is wire.WirePosition.ABSENT
    assert wire.DoorFlag.ENTRY_LOCKED not in line.sensors.doors
    opening = wire.MoveEntry(session=77, target=wire.EntryTarget.OPEN)
    assert line.do(opening) is wire.ResultCode.REFUSED_STATE
    assert line.do(wire.OpenExit(session=77, token=line.sensors.exit_token)) is DONE
    line.run(700)
    assert line.model.world.exit.position == 1
    line.do(wire.BeginEvacuation(session=77))
    line.run(100)
    line.do(wire.EndEvacuation(session=77))
    line.run(1000)
    assert line.model.world.exit.is_locked


@pytest.mark.parametrize("kind", [KINDS.TRIPOD, KINDS.SLIDING])
def test_a_tripod_locks_behind_one_and_a_door_waits_to_be_told(kind: wire.WireDoorKind) -> None:
    line = Line(BoardModel(config=BoardConfig(exit_kind=kind)))
    walker = line.model.world.add_person(1500)
    line.greet()
    line.run(100)
    assert line.do(wire.OpenExit(session=77, token=line.sensors.exit_token)) is DONE
    line.run(600)
    walker.walk_to(3200)
    line.run(3000)
    assert walker.is_there
    assert line.model.world.exit.is_locked is (kind is KINDS.TRIPOD)


def test_a_tripod_that_fire_freed_lets_everybody_through() -> None:
    line = Line(BoardModel(config=BoardConfig(exit_kind=KINDS.TRIPOD)))
    first, second = line.model.world.add_person(1700), line.model.world.add_person(1000)
    line.greet()
    line.model.raise_fire()
    line.run(600)
    first.walk_to(3800)
    second.walk_to(3200)
    line.run(4000)
    assert first.is_there
    assert second.is_there


def test_a_curtain_of_52_beams_counts_people_and_not_bags() -> None:
    line = Line(BoardModel(LaneWorld(pitch_mm=50.0)))
    ack = line.greet()
    assert (ack.beam_count, ack.beam_pitch_mm, ack.first_inside_beam, ack.last_inside_beam) == (52, 50, 2, 49)
    line.model.world.add_person(700)
    line.model.world.add_person(1700)
    line.model.world.add_bag(1200, length_mm=200)
    line.run(50)
    assert line.sensors.person_count == 2
    assert line.sensors.beams.bit_length() > 32


def test_a_door_that_must_move_ends_a_test_and_it_begins_anew() -> None:
    line = Line()
    line.greet()
    line.run(100)
    assert line.do(wire.SelfTest(session=77)) is DONE
    line.run(10)
    assert line.sensors.self_test is wire.SelfTestState.RUNNING
    assert line.do(wire.MoveEntry(session=77, target=wire.EntryTarget.OPEN)) is DONE
    line.run(100)
    assert line.sensors.self_test is wire.SelfTestState.PENDING
    assert line.sensors.exit_token == wire.NO_TOKEN
    assert line.do(wire.MoveEntry(session=77, target=wire.EntryTarget.CLOSED)) is DONE
    line.run(1500)
    assert line.sensors.self_test is wire.SelfTestState.PASSED
    assert line.sensors.exit_token != wire.NO_TOKEN


def test_geometry_that_leaves_a_doorway_unwatched_is_refused() -> None:
    for first, last, count in ((0, 25, 28), (2, 27, 28), (5, 4, 28), (1, 63, 65)):
        with pytest.raises(ValueError, match="curtain"):
            BoardConfig(first_inside_beam=first, last_inside_beam=last, beam_count=count)
    with pytest.raises(ValueError, match="exit"):
        BoardConfig(exit_kind=KINDS.NONE)
