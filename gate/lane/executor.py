"""Carries out door, lamp and buzzer commands, one after the other; every opening passes the guard at the moment it is sent.

What the board refuses or does not answer comes back as an event. A record is on disk before the door it tells of is moved.
"""

import asyncio
import contextlib
import sqlite3
from collections.abc import Callable
from typing import assert_never

import structlog

from drivers.lane_io.interface import BuzzerPattern, CommandResult, DoorPosition, LampColour, LaneIo
from gate.core import effects as do
from gate.core import events as on
from gate.core.clock import Clock
from gate.core.events import Event
from gate.core.guard import Guard, Vetoed
from gate.core.release import VerifiedRelease

_log = structlog.get_logger(__name__)

DoorEffect = do.OpenEntry | do.CloseEntry | do.OpenExit | do.CloseExit | do.FreeEgress | do.EndEgress | do.SoundBuzzer


class Executor:
    """The only caller of the lane board's commands."""

    def __init__(
        self,
        *,
        board: LaneIo,
        guard: Guard,
        clock: Clock,
        exit_token: Callable[[], int | None],
        post: Callable[[Event], None],
        report_command: Callable[[str, str, str, str | None], None],
        report_veto: Callable[[str, str], None],
        on_entry_commanded: Callable[[int], None],
        on_exit_commanded: Callable[[int], None],
    ) -> None:
        """``report_command(door, position, purpose, release_id)`` must return only when the record is on disk."""
        self._board = board
        self._guard = guard
        self._clock = clock
        self._exit_token = exit_token
        self._post = post
        self._report_command = report_command
        self._report_veto = report_veto
        self._on_entry_commanded = on_entry_commanded
        self._on_exit_commanded = on_exit_commanded
        self._queue: asyncio.Queue[DoorEffect | LampColour] = asyncio.Queue()
        self._task: asyncio.Task[None] | None = None

    async def start(self, on_end: Callable[[asyncio.Task[None]], None]) -> None:
        """Begin carrying out what is queued. ``on_end`` is told when that ends, which only :meth:`stop` or a bug makes it do."""
        self._task = asyncio.create_task(self._run())
        self._task.add_done_callback(on_end)

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    def submit(self, effect: DoorEffect | LampColour) -> None:
        """Queue a command. Returns at once."""
        self._queue.put_nowait(effect)

    async def _run(self) -> None:
        while True:
            effect = await self._queue.get()
            try:
                await self._carry_out(effect)
            except sqlite3.Error as error:
                # What cannot be recorded is not done: the door stays as it is and the lane goes to its fault state.
                self._store_failed(type(effect).__name__, error)

    def _store_failed(self, what: str, error: sqlite3.Error) -> None:
        _log.error("store_failed", effect=what, error=str(error))
        self._post(on.DeviceFailed(device="store", reason=str(error)))

    async def _carry_out(self, effect: DoorEffect | LampColour) -> None:
        match effect:
            case LampColour():
                await self._board.set_lamp(effect)
            case do.SoundBuzzer():
                await self._board.sound_buzzer(BuzzerPattern.ALARM if effect.is_on else BuzzerPattern.OFF)
            case do.CloseEntry():
                if await self._board.move_entry(DoorPosition.CLOSED) is CommandResult.DONE:
                    self._guard.note_entry_closing()
            case do.CloseExit():
                if await self._board.close_exit() is CommandResult.DONE:
                    self._guard.note_exit_closing()
            case do.OpenEntry():
                await self._open_entry(effect.purpose)
            case do.OpenExit():
                await self._open_exit(effect.release)
            case do.FreeEgress():
                await self._free_egress()
            case do.EndEgress():
                self._guard.end_evacuation()
                await self._board.set_evacuation(False)
            case _:
                assert_never(effect)

    async def _open_entry(self, purpose: do.Purpose) -> None:
        verdict = self._guard.may_open_entry(purpose)
        if isinstance(verdict, Vetoed):
            self._refuse("entry", verdict.rule.value)
            return
        try:
            self._report_command("entry", "open", purpose.value, None)
        except sqlite3.Error as error:
            if purpose is not do.Purpose.WAY_BACK:
                raise
            self._store_failed(
                purpose.value, error
            )  # and go on: nobody stays shut in because it cannot be written down
        self._on_entry_commanded(self._clock.monotonic_ns())
        self._note("entry", await self._board.move_entry(DoorPosition.OPEN))

    async def _open_exit(self, release: VerifiedRelease) -> None:
        token = self._exit_token()
        if token is None:
            self._refuse("exit", "no_board_token")
            return
        verdict = self._guard.may_open_exit(release)
        if isinstance(verdict, Vetoed):
            self._refuse("exit", verdict.rule.value)
            return
        self._on_exit_commanded(self._clock.monotonic_ns())
        self._note("exit", await self._board.open_exit(token))

    async def _free_egress(self) -> None:
        verdict = self._guard.may_free_egress()
        if isinstance(verdict, Vetoed):
            self._refuse("exit", verdict.rule.value)
            return
        await self._board.set_evacuation(True)

    def _note(self, door: str, result: CommandResult) -> None:
        if result is not CommandResult.DONE:
            self._refuse(door, f"board_{result.value}")

    def _refuse(self, door: str, rule: str) -> None:
        _log.warning("door_refused", door=door, rule=rule)
        self._report_veto(door, rule)
        self._post(on.DoorRefused(rule=rule))
