"""The board's twin on a bare line, frame by frame: what the protocol's document promises of a board."""

from __future__ import annotations

import pytest

from drivers.lane_io import protocol as wire
from drivers.lane_io.codec import Decoder, Frame, encode
from drivers.lane_io.interface import Door
from simulator.board_model import BoardFault, BoardModel

SESSION = 77
DONE = wire.ResultCode.DONE


class Line:
    def __init__(self) -> None:
        self.model = BoardModel(watchdog_ms=500)
        self.decoder = Decoder()
        self.heard: list[Frame] = []

    def say(self, *frames: tuple[int, wire.Message]) -> list[wire.Message]:
        """All in one piece, as a busy line delivers them; returns what came back."""
        before = len(self.heard)
        self.model.receive(b"".join(encode(Frame(sequence=number, message=message)) for number, message in frames))
        self.listen()
        return [frame.message for frame in self.heard[before:]]

    def results(self, *frames: tuple[int, wire.Message]) -> list[wire.ResultCode]:
        return [message.result for message in self.say(*frames) if isinstance(message, wire.Ack)]

    def listen(self) -> None:
        self.heard += [found for found in self.decoder.feed(self.model.take_output()) if isinstance(found, Frame)]

    def run(self, ms: int, *, is_beating: bool = True) -> None:
        for _ in range(ms // 10):
            if is_beating:
                self.say((0, wire.Heartbeat(session=SESSION)))
            self.model.step(10)
            self.listen()

    def greet(self, session: int = SESSION) -> list[wire.Message]:
        return self.say((0, wire.Hello(lowest_version=1, highest_version=1, session=session)))

    def all(self, kind: type[wire.Message]) -> list[wire.Message]:
        return [frame.message for frame in self.heard if isinstance(frame.message, kind)]

    @property
    def token(self) -> int:
        sensors = self.all(wire.Sensors)[-1]
        assert isinstance(sensors, wire.Sensors)
        return sensors.exit_token


@pytest.fixture
def line() -> Line:
    opened = Line()
    opened.greet()
    opened.run(50)
    return opened


def opening(session: int = SESSION) -> wire.MoveEntry:
    return wire.MoveEntry(session=session, target=wire.EntryTarget.OPEN)


def test_token_is_spent_within_one_piece_of_line(line: Line) -> None:
    use = wire.OpenExit(session=SESSION, token=line.token)
    shut = wire.CloseExit(session=SESSION)
    assert line.results((1, use), (2, shut), (3, use)) == [DONE, DONE, wire.ResultCode.REFUSED_TOKEN]
    line.run(100)
    assert line.token not in (0, use.token), "a new token follows when the exit is shut again"


def test_both_doors_in_one_piece_of_line_is_one_door(line: Line) -> None:
    use = wire.OpenExit(session=SESSION, token=line.token)
    assert line.results((1, opening()), (2, use)) == [DONE, wire.ResultCode.REFUSED_INTERLOCK]
    line.run(1000)
    assert [o.door for o in line.model.openings] == [Door.ENTRY]


def test_repeated_number_is_answered_from_memory_and_not_done_again(line: Line) -> None:
    shut = wire.MoveEntry(session=SESSION, target=wire.EntryTarget.CLOSED)
    assert line.results((1, opening()), (2, shut), (1, opening())) == [DONE, DONE, DONE]
    line.run(500)
    assert line.model.world.entry.position == 0


def test_number_older_than_the_memory_is_stale(line: Line) -> None:
    lamp = wire.Lamp(session=SESSION, colour=wire.WireLamp.BLUE)
    assert line.results(*((number, lamp) for number in range(100, 120)))[-1] is DONE
    assert line.results((100, opening())) == [wire.ResultCode.STALE_SEQUENCE]
    assert line.results((119, opening())) == [DONE], "the answer of the lamp that had this number"
    line.run(500)
    assert line.model.openings == []


def test_numbers_go_round(line: Line) -> None:
    lamp = wire.Lamp(session=SESSION, colour=wire.WireLamp.BLUE)
    assert line.results((65_535, lamp), (1, opening())) == [DONE, DONE]


def test_another_session_moves_nothing_and_feeds_nothing(line: Line) -> None:
    assert line.results((1, opening(session=SESSION + 1))) == [wire.ResultCode.NO_SESSION]
    assert line.results((0, wire.Heartbeat(session=SESSION + 1))) == [wire.ResultCode.NO_SESSION]
    for _ in range(60):
        line.say((0, wire.Heartbeat(session=SESSION + 1)))
        line.model.step(10)
    assert line.model.firmware.is_watchdog_tripped


def test_only_heartbeats_feed_the_watchdog(line: Line) -> None:
    lamp = wire.Lamp(session=SESSION, colour=wire.WireLamp.BLUE)
    for number in range(60):
        line.say((number + 1, lamp))
        line.model.step(10)
    assert line.model.firmware.is_watchdog_tripped


def test_same_greeting_again_changes_nothing_and_a_new_one_burns_the_token(line: Line) -> None:
    token = line.token
    assert any(isinstance(message, wire.HelloAck) for message in line.greet())
    assert line.token == token
    line.greet(SESSION + 1)
    assert line.token not in (0, token)


def test_host_of_another_version_gets_no_session() -> None:
    line = Line()
    (ack,) = (
        message
        for message in line.say((0, wire.Hello(lowest_version=2, highest_version=9, session=SESSION)))
        if isinstance(message, wire.HelloAck)
    )
    assert ack.version == 0
    assert line.results((1, opening())) == [wire.ResultCode.NO_SESSION]


def test_board_without_a_host_reports_but_offers_no_token() -> None:
    line = Line()
    line.run(500, is_beating=False)
    assert len(line.all(wire.Sensors)) >= 5
    assert line.token == 0
    assert not line.model.firmware.is_watchdog_tripped


def test_events_wait_in_order_and_the_lost_are_counted(line: Line) -> None:
    for _ in range(30):
        line.model.press_estop()
        line.run(10)
        line.model.release_estop()
        line.run(10)
    for _ in range(60):
        events = line.all(wire.Event)
        last = events[-1]
        assert isinstance(last, wire.Event)
        line.say((0, wire.EventAck(event_sequence=last.event_sequence, boot_id=last.boot_id)))
        line.run(20)
    numbers = [event.event_sequence for event in line.all(wire.Event) if isinstance(event, wire.Event)]
    assert numbers == sorted(numbers)
    assert set(numbers) == set(range(1, max(numbers) + 1))
    lost = [e for e in line.all(wire.Event) if isinstance(e, wire.Event) and e.code is wire.EventCode.EVENTS_LOST]
    assert lost
    assert lost[0].detail == 62 - 32, "booted, tested and sixty more into a queue of 32"


def test_fire_outranks_the_emergency_stop(line: Line) -> None:
    line.model.press_estop()
    line.run(50)
    line.model.raise_fire()
    line.run(1000)
    assert line.model.world.exit.position == 1
    assert line.model.world.entry.is_locked


def test_evacuation_outlives_a_silent_host(line: Line) -> None:
    assert line.results((1, wire.BeginEvacuation(session=SESSION))) == [DONE]
    line.run(3000, is_beating=False)
    assert line.model.firmware.is_watchdog_tripped
    assert (line.model.world.entry.position, line.model.world.exit.position) == (1, 1)


def test_opened_exit_shuts_and_does_not_open_again_after_a_fault(line: Line) -> None:
    assert line.results((1, wire.OpenExit(session=SESSION, token=line.token))) == [DONE]
    line.run(700)
    line.model.force_door(Door.ENTRY)
    line.run(300)
    line.model.let_go(Door.ENTRY)
    line.run(2000)
    assert line.model.world.exit.is_locked
    assert line.results((2, wire.AckFault(session=SESSION))) == [DONE]
    line.run(1000)
    assert [o.reason for o in line.model.openings if o.door is Door.EXIT] == ["token"]


def test_acknowledging_nothing_moves_nothing(line: Line) -> None:
    line.say((1, opening()))
    line.run(700)
    assert line.results((2, wire.AckFault(session=SESSION))) == [DONE]
    line.run(500)
    assert line.model.world.entry.position == 1


def test_dead_board_is_deaf_and_dumb() -> None:
    line = Line()
    line.model.inject(BoardFault.POWER_OFF)
    assert line.greet() == []
    line.run(1000)
    assert line.heard == []
    assert [(o.door, o.reason) for o in line.model.openings] == [(Door.EXIT, "power")]


def test_same_seed_same_run() -> None:
    lines = [Line(), Line()]
    for line in lines:
        line.model.inject(BoardFault.GARBLE, 0.01)
        line.greet()
        line.run(2000)
    assert lines[0].heard == lines[1].heard
