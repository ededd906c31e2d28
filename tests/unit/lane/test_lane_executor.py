"""Doors: what the guard vetoes never reaches the board, what cannot be recorded is not done, what the board refuses is told."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from lane_kit import ADDRESS, until

from drivers.lane_io.interface import BuzzerPattern, CommandResult, DoorPosition, LampColour
from gate.app import sign_own_release
from gate.core import effects as do
from gate.core import events as on
from gate.core.clock import SystemClock
from gate.core.guard import Guard, SensorFacts
from gate.core.release import VerifiedRelease
from gate.lane.executor import Executor
from gate.wire.signing import SigningKey

CLOCK = SystemClock()


class RecordingBoard:
    """Takes down every command and answers with :attr:`result`."""

    def __init__(self) -> None:
        self.calls: list[tuple[Any, ...]] = []
        self.result = CommandResult.DONE
        self.error: Exception | None = None

    async def _take(self, *call: Any) -> CommandResult:
        if self.error is not None:
            raise self.error
        self.calls.append(call)
        return self.result

    async def move_entry(self, position: DoorPosition) -> CommandResult:
        return await self._take("entry", position)

    async def open_exit(self, token: int) -> CommandResult:
        return await self._take("exit", token)

    async def close_exit(self) -> CommandResult:
        return await self._take("close_exit")

    async def set_lamp(self, colour: LampColour) -> CommandResult:
        return await self._take("lamp", colour)

    async def sound_buzzer(self, pattern: BuzzerPattern) -> CommandResult:
        return await self._take("buzzer", pattern)

    async def set_evacuation(self, is_on: bool) -> CommandResult:
        return await self._take("evacuation", is_on)


class Bench:
    """An executor with its guard and everything that came of it."""

    def __init__(self) -> None:
        self.board = RecordingBoard()
        self.spent: set[str] = set()
        self.is_disk_full = False
        self.token: int | None = 77
        self.posted: list[on.Event] = []
        self.log: list[tuple[Any, ...]] = []
        self.ends: list[asyncio.Task[None]] = []
        self.guard = Guard(
            lane=ADDRESS,
            boot_id="1-x",
            clock=CLOCK,
            sensor_max_age_ns=10**12,
            is_spent=self.spent.__contains__,
            spend=self._spend,
        )
        self.executor = Executor(
            board=self.board,  # type: ignore[arg-type]
            guard=self.guard,
            clock=CLOCK,
            exit_token=lambda: self.token,
            post=self.posted.append,
            report_command=self._report,
            report_veto=lambda door, rule: self.log.append(("veto", door, rule)),
            on_entry_commanded=lambda _ns: self.log.append(("entry_commanded",)),
            on_exit_commanded=lambda _ns: self.log.append(("exit_commanded",)),
        )

    def _spend(self, release_id: str) -> None:
        self._check()
        self.spent.add(release_id)

    def _report(self, *row: Any) -> None:
        self._check()
        self.log.append(("command", *row, len(self.board.calls)))

    def _check(self) -> None:
        if self.is_disk_full:
            raise sqlite3.OperationalError("database or disk is full")

    def senses(self, person_count: int | None = 0, *, is_fire: bool = False) -> None:
        facts = SensorFacts(
            observed_ns=CLOCK.monotonic_ns(),
            is_entry_shut=True,
            is_exit_shut=True,
            person_count=person_count,
            is_fire=is_fire,
            is_estop_pressed=False,
            is_board_holding=False,
        )
        self.guard.observe(facts)

    def release(self) -> VerifiedRelease:
        verified = sign_own_release(
            SigningKey.generate(),
            address=ADDRESS,
            clock=CLOCK,
            case_id="c1",
            occupancy_id=self.guard.occupancy_id or "none",
            evidence_digest="0" * 64,
        )
        assert verified is not None
        assert verified.release is not None
        return verified.release

    async def does(self, *effects: Any) -> None:
        """Carry these out, then a lamp that shows that they are done."""
        for effect in effects:
            self.executor.submit(effect)
        self.executor.submit(LampColour.OFF)
        await until(lambda: ("lamp", LampColour.OFF) in self.board.calls, "everything is carried out")
        self.board.calls.remove(("lamp", LampColour.OFF))


@pytest_asyncio.fixture
async def bench() -> AsyncIterator[Bench]:
    made = Bench()
    await made.executor.start(made.ends.append)
    yield made
    await made.executor.stop()


async def test_the_entry_opens_after_its_record(bench: Bench) -> None:
    bench.senses()
    await bench.does(do.OpenEntry(purpose=do.Purpose.ADMIT))
    assert bench.board.calls == [("entry", DoorPosition.OPEN)]
    assert bench.log[0] == ("command", "entry", "open", "admit", None, 0), "recorded while nothing had been sent"
    assert bench.posted == []


async def test_a_veto_reaches_no_door_and_is_told(bench: Bench) -> None:
    bench.senses(person_count=1)
    await bench.does(do.OpenEntry(purpose=do.Purpose.ADMIT))
    assert bench.board.calls == []
    assert bench.log == [("veto", "entry", "lane_not_empty")]
    assert bench.posted == [on.DoorRefused(rule="lane_not_empty")]


async def test_without_any_sensors_nothing_opens(bench: Bench) -> None:
    await bench.does(do.OpenEntry(purpose=do.Purpose.WAY_BACK), do.OpenExit(release=bench.release()))
    assert bench.board.calls == []
    assert [event.rule for event in bench.posted if isinstance(event, on.DoorRefused)] == ["sensors_stale"] * 2


async def test_the_exit_opens_once_with_the_boards_token(bench: Bench) -> None:
    bench.senses(person_count=1)
    bench.guard.observe_camera(1)
    release = bench.release()
    await bench.does(do.OpenExit(release=release))
    assert bench.board.calls == [("exit", 77)]
    assert bench.spent == {release.release_id}
    await bench.does(do.OpenExit(release=release))
    assert bench.board.calls == [("exit", 77)]
    assert bench.posted == [on.DoorRefused(rule="release_spent")]


async def test_without_a_token_the_release_is_not_even_spent(bench: Bench) -> None:
    bench.senses(person_count=1)
    bench.guard.observe_camera(1)
    bench.token = None
    await bench.does(do.OpenExit(release=bench.release()))
    assert (bench.board.calls, bench.spent) == ([], set())
    assert bench.posted == [on.DoorRefused(rule="no_board_token")]


@pytest.mark.parametrize("people", [0, 2, None])
async def test_the_exit_stays_shut_unless_exactly_one_is_inside(bench: Bench, people: int | None) -> None:
    bench.senses(person_count=1)
    bench.guard.observe_camera(1)
    release = bench.release()
    bench.senses(person_count=people)
    await bench.does(do.OpenExit(release=release))
    assert (bench.board.calls, bench.spent) == ([], set())


async def test_a_store_that_fails_moves_no_door(bench: Bench) -> None:
    bench.senses(person_count=1)
    bench.guard.observe_camera(1)
    bench.is_disk_full = True
    await bench.does(do.OpenExit(release=bench.release()))
    bench.senses(person_count=0)
    await bench.does(do.OpenEntry(purpose=do.Purpose.ADMIT))
    assert bench.board.calls == []
    failed = on.DeviceFailed(device="store", reason="database or disk is full")
    assert bench.posted == [failed, failed]


async def test_the_way_back_opens_even_when_it_cannot_be_recorded(bench: Bench) -> None:
    bench.senses(person_count=1)
    bench.is_disk_full = True
    await bench.does(do.OpenEntry(purpose=do.Purpose.WAY_BACK))
    assert bench.board.calls == [("entry", DoorPosition.OPEN)]
    assert bench.posted == [on.DeviceFailed(device="store", reason="database or disk is full")]


@pytest.mark.parametrize("result", [item for item in CommandResult if item is not CommandResult.DONE])
async def test_what_the_board_refuses_is_told(bench: Bench, result: CommandResult) -> None:
    bench.senses()
    bench.board.result = result
    await bench.does(do.OpenEntry(purpose=do.Purpose.ADMIT))
    assert bench.posted == [on.DoorRefused(rule=f"board_{result.value}")]


async def test_a_close_that_the_board_did_not_take_leaves_the_door_wanted_open(bench: Bench) -> None:
    """The guard must not believe in a shut entry before the board was told to shut it and reported so afterwards."""
    bench.senses()
    await bench.does(do.OpenEntry(purpose=do.Purpose.ADMIT))
    bench.board.result = CommandResult.NO_ANSWER
    await bench.does(do.CloseEntry())
    bench.senses(person_count=1)
    bench.guard.observe_camera(1)
    bench.board.result = CommandResult.DONE
    await bench.does(do.OpenExit(release=bench.release()))
    assert ("exit", 77) not in bench.board.calls
    assert bench.posted[-1] == on.DoorRefused(rule="entry_not_shut")


async def test_egress_needs_an_emergency(bench: Bench) -> None:
    bench.senses()
    await bench.does(do.FreeEgress())
    assert bench.posted == [on.DoorRefused(rule="no_emergency")]
    bench.senses(is_fire=True)
    await bench.does(do.FreeEgress(), do.EndEgress())
    assert bench.board.calls == [("evacuation", True), ("evacuation", False)]


async def test_buzzer_and_lamp(bench: Bench) -> None:
    await bench.does(do.SoundBuzzer(is_on=True), do.SoundBuzzer(is_on=False), LampColour.RED)
    assert bench.board.calls == [
        ("buzzer", BuzzerPattern.ALARM),
        ("buzzer", BuzzerPattern.OFF),
        ("lamp", LampColour.RED),
    ]


async def test_a_bug_in_it_ends_it_and_is_told() -> None:
    bench = Bench()
    await bench.executor.start(bench.ends.append)
    bench.board.error = ZeroDivisionError("a bug")
    bench.executor.submit(LampColour.RED)
    await until(lambda: bool(bench.ends), "its end is told")
    assert isinstance(bench.ends[0].exception(), ZeroDivisionError)
