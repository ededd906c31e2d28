"""Lane Link over a serial port: puts `HostLink` on a line, repeats commands, comes back when the line does."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable
from typing import Literal

from drivers.errors import DeviceError
from drivers.lane_io import protocol as wire
from drivers.lane_io.interface import (
    BoardReport,
    BuzzerPattern,
    CommandResult,
    DoorPosition,
    LampColour,
    LaneIo,
    LinkLost,
)
from drivers.lane_io.link import Answer, HostLink, Output
from drivers.transport import OpenTransport, SerialTransport, Transport

_NS_PER_MS = 1_000_000


class LaneLinkDriver(LaneIo):
    """A Tongguan lane controller board, or anything that speaks Lane Link.

    Commands go one at a time: the next waits for the answer to the last, so that the board never sees them in
    another order than they were meant. A lost frame costs `retransmit_ms`; a command without an answer within
    `answer_timeout_ms`, or on a lost link, is NO_ANSWER. Reopening a port that vanished is tried after each of
    `reopen_ms`, the last for ever.
    """

    def __init__(
        self,
        port: str,
        *,
        baud_rate: int = 115_200,
        now_ns: Callable[[], int] = time.monotonic_ns,
        heartbeat_ms: int = 100,
        retransmit_ms: int = 40,
        answer_timeout_ms: int = 400,
        link_timeout_ms: int = 600,
        reopen_ms: tuple[int, ...] = (50, 100, 200, 500, 1000, 2000),
        open_transport: OpenTransport = SerialTransport,
    ) -> None:
        """``open_transport`` makes the line for a port, a baud rate and the two callbacks; DeviceError when it cannot."""
        self._port = port
        self._baud_rate = baud_rate
        self._now_ns = now_ns
        self._heartbeat_s = heartbeat_ms / 1000
        self._retransmit_s = retransmit_ms / 1000
        self._answer_timeout_ns = answer_timeout_ms * _NS_PER_MS
        self._reopen_ms = reopen_ms
        self._link = HostLink(send=self._write, link_timeout_ns=link_timeout_ms * _NS_PER_MS)
        self._open_transport = open_transport
        self._transport: Transport | None = None
        self._on_report: Callable[[BoardReport], None] | None = None
        self._task: asyncio.Task[None] | None = None
        self._turn = asyncio.Lock()
        self._answers: dict[int, asyncio.Future[CommandResult]] = {}
        self._repeating: asyncio.TimerHandle | None = None

    @property
    def codec_faults(self) -> int:
        """How often the line carried bytes that were no frame: a measure of its wiring."""
        return self._link.codec_faults

    async def start(self, on_report: Callable[[BoardReport], None]) -> None:
        if self._task is not None:
            raise RuntimeError("the driver is already started")
        self._open()
        self._on_report = on_report
        self._task = asyncio.create_task(self._run(), name=f"lane-link {self._port}")

    async def stop(self) -> None:
        task, self._task = self._task, None
        if task is None:
            return
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
        self._close()
        self._on_report = None

    async def move_entry(self, position: Literal[DoorPosition.OPEN, DoorPosition.CLOSED]) -> CommandResult:
        target = wire.EntryTarget.OPEN if position is DoorPosition.OPEN else wire.EntryTarget.CLOSED
        return await self._command(lambda session: wire.MoveEntry(session=session, target=target))

    async def open_exit(self, token: int) -> CommandResult:
        return await self._command(lambda session: wire.OpenExit(session=session, token=token))

    async def close_exit(self) -> CommandResult:
        return await self._command(lambda session: wire.CloseExit(session=session))

    async def set_lamp(self, colour: LampColour) -> CommandResult:
        wire_colour = wire.WireLamp[colour.name]
        return await self._command(lambda session: wire.Lamp(session=session, colour=wire_colour))

    async def sound_buzzer(self, pattern: BuzzerPattern) -> CommandResult:
        wire_pattern = wire.WireBuzzer[pattern.name]
        return await self._command(lambda session: wire.Buzzer(session=session, pattern=wire_pattern))

    async def acknowledge_fault(self) -> CommandResult:
        return await self._command(lambda session: wire.AckFault(session=session))

    async def self_test(self) -> CommandResult:
        return await self._command(lambda session: wire.SelfTest(session=session))

    async def set_evacuation(self, is_on: bool) -> CommandResult:
        kind = wire.BeginEvacuation if is_on else wire.EndEvacuation
        return await self._command(lambda session: kind(session=session))

    async def _command(self, build: Callable[[int], wire.Command]) -> CommandResult:
        async with self._turn:
            if not self._link.is_up:
                return CommandResult.NO_ANSWER
            sequence = self._link.next_sequence()
            frame = self._link.command(sequence, build)
            answer: asyncio.Future[CommandResult] = asyncio.get_running_loop().create_future()
            self._answers[sequence] = answer
            try:
                self._send_until(self._now_ns() + self._answer_timeout_ns, frame, answer)
                return await answer
            finally:
                del self._answers[sequence]
                if self._repeating is not None:
                    self._repeating.cancel()

    def _send_until(self, deadline_ns: int, frame: bytes, answer: asyncio.Future[CommandResult]) -> None:
        """Sends now and again until there is an answer; at the deadline, NO_ANSWER is the answer."""
        if answer.done():
            return
        if self._now_ns() >= deadline_ns:
            answer.set_result(CommandResult.NO_ANSWER)
            return
        self._write(frame)
        loop = asyncio.get_running_loop()
        self._repeating = loop.call_later(self._retransmit_s, self._send_until, deadline_ns, frame, answer)

    async def _run(self) -> None:
        """Beats while the port is open, reopens it while it is not."""
        attempt = 0
        while True:
            if self._transport is None:
                await asyncio.sleep(self._reopen_ms[min(attempt, len(self._reopen_ms) - 1)] / 1000)
                attempt += 1
                with contextlib.suppress(DeviceError):  # already reported as LinkLost; absent means try again
                    self._open()
                    attempt = 0
                continue
            # After a stall of ours the board's frames wait in the kernel: read them before judging its silence.
            self._transport.drain()
            self._dispatch(self._link.tick(self._now_ns()))
            await asyncio.sleep(self._heartbeat_s)

    def _open(self) -> None:
        self._transport = self._open_transport(
            self._port, self._baud_rate, on_bytes=self._on_bytes, on_lost=self._on_port_lost
        )

    def _close(self) -> None:
        if self._transport is not None:
            self._transport.close()
            self._transport = None
        self._link.end()
        self._fail_commands()

    def _write(self, data: bytes) -> None:
        if self._transport is not None:
            self._transport.write(data)

    def _on_bytes(self, data: bytes) -> None:
        self._dispatch(self._link.receive(data, self._now_ns()))

    def _on_port_lost(self, reason: str) -> None:
        self._close()
        self._dispatch([LinkLost(at_ns=self._now_ns(), reason=f"{self._port}: {reason}")])

    def _dispatch(self, outputs: list[Output]) -> None:
        for output in outputs:
            if isinstance(output, Answer):
                answer = self._answers.get(output.sequence)
                if answer is not None and not answer.done():
                    answer.set_result(output.result)
                continue
            if isinstance(output, LinkLost):
                self._fail_commands()
            if self._on_report is not None:
                self._on_report(output)

    def _fail_commands(self) -> None:
        for answer in self._answers.values():
            if not answer.done():
                answer.set_result(CommandResult.NO_ANSWER)
