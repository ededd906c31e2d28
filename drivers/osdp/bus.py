"""An OSDP control panel on a serial line, by libosdp (Apache-2.0), with our own refresh loop and our own idea of who is lost.

The library's Python wrapper refreshes every 20 ms in a thread; here the line's bytes do it, in the event loop. The library needs eight
seconds to call a silent reader off-line, and then rests for up to five minutes: we listen to who answers, take a silent reader out
after `LOST_AFTER_MS`, so that it costs the others nothing, and try it again after each of `RETRY_MS`.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import osdp_sys
from osdp import Channel, LibFlag, LogLevel, PDInfo

from drivers.errors import DeviceError
from drivers.transport import SerialTransport

LOST_AFTER_MS = 700
"""Over three of the library's time-outs (200 ms), each of which the others on the line would feel."""
RETRY_MS = (500, 1_000, 2_000, 5_000)
_HANDSHAKE_MS = 2_000
"""A reader that answers but has not built the secure channel by then has another key."""
_TICK_S = 0.01
_BUSY_TICK_S = 0.001
"""While a command is under way: the library takes several refreshes to send one and to see its answer."""
_NS_PER_MS = 1_000_000
_REOPEN_MS = (50, 100, 200, 500, 1000, 2000)
_START_OF_MESSAGE = 0x53
_REPLY = 0x80

Command = dict[str, Any]


@dataclass(slots=True, kw_only=True, eq=False)
class Peripheral:
    """A reader on the line, as the panel sees it."""

    address: int
    key: bytes
    on_up: Callable[[], None]
    on_lost: Callable[[str], None]
    on_event: Callable[[dict[str, Any]], None]
    is_up: bool = False
    is_enabled: bool = True
    heard_ns: int = 0
    asked_since_ns: int = 0
    retry_ns: int = 0
    failures: int = 0
    commands: deque[asyncio.Future[bool | None]] = field(default_factory=deque)


class _Line(Channel):  # type: ignore[misc]  # the library is not typed
    """Bytes between the serial port and the library, both without waiting."""

    def __init__(self, write: Callable[[bytes], None]) -> None:
        super().__init__()
        self.received = bytearray()
        self._write = write

    def read(self, max_bytes: int) -> bytes:
        data = bytes(self.received[:max_bytes])
        del self.received[:max_bytes]
        return data

    def write(self, buf: bytes) -> int:
        self._write(bytes(buf))
        return len(buf)

    def flush(self) -> None:
        self.received.clear()


class OsdpBus:
    """The panel of one line. Readers come and go by `attach` and `detach`; each change builds the panel anew."""

    def __init__(self, port: str, *, baud_rate: int = 9_600, now_ns: Callable[[], int] = time.monotonic_ns) -> None:
        self.port = port
        self._baud_rate = baud_rate
        self._now_ns = now_ns
        self._peripherals: list[Peripheral] = []
        self._line = _Line(self._send)
        self._transport: SerialTransport | None = None
        self._panel: Any = None
        self._wake = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._tail = b""

    async def attach(self, peripheral: Peripheral) -> None:
        """Raises `DeviceError` if the port cannot be opened or the address is taken."""
        if any(other.address == peripheral.address for other in self._peripherals):
            raise DeviceError(f"Two readers on {self.port} have the address {peripheral.address}; give each its own.")
        if self._task is None:
            self._wake = asyncio.Event()  # of the loop that runs now
            self._open()
            self._task = asyncio.create_task(self._run(), name=f"osdp {self.port}")
        self._peripherals.append(peripheral)
        self._build()

    async def detach(self, peripheral: Peripheral) -> None:
        if peripheral not in self._peripherals:
            return
        self._peripherals.remove(peripheral)
        self._fail_commands(peripheral)
        if self._peripherals:
            self._build()
            return
        self._panel = None
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
        if self._transport is not None:
            self._transport.close()
            self._transport = None

    async def command(self, peripheral: Peripheral, command: Command) -> bool | None:
        """True when the reader has taken it, False when it refused, None when it does not answer."""
        if not peripheral.is_up or self._panel is None:
            return None
        done: asyncio.Future[bool | None] = asyncio.get_running_loop().create_future()
        if not self._panel.submit_command(self._peripherals.index(peripheral), command):
            return False
        peripheral.commands.append(done)
        self._wake.set()
        return await done

    def _open(self) -> None:
        self._transport = SerialTransport(
            self.port, self._baud_rate, on_bytes=self._on_bytes, on_lost=self._on_port_lost
        )

    def _build(self) -> None:
        osdp_sys.set_loglevel(LogLevel.Emergency)
        self._line.received.clear()
        now_ns = self._now_ns()
        infos = []
        for peripheral in self._peripherals:
            self._drop(peripheral, "the panel is built anew")
            peripheral.is_enabled, peripheral.asked_since_ns, peripheral.heard_ns = True, now_ns, 0
            info = PDInfo(peripheral.address, self._line, scbk=peripheral.key, flags=[LibFlag.EnforceSecure])
            infos.append(info.get())
        # Notifications stay off: each leaks a dictionary in libosdp 3.2.9. Status words say the same.
        self._panel = osdp_sys.ControlPanel(infos)
        self._panel.set_event_callback(self._on_event)
        self._panel.set_command_completion_callback(self._on_completion)
        self._wake.set()

    async def _run(self) -> None:
        attempt = 0
        while True:
            if self._transport is None:
                await asyncio.sleep(_REOPEN_MS[min(attempt, len(_REOPEN_MS) - 1)] / 1000)
                attempt += 1
                with contextlib.suppress(DeviceError):  # already told as lost; absent means try again
                    self._open()
                    attempt = 0
                    self._build()
                continue
            self._wake.clear()
            if self._panel is not None:
                self._panel.refresh()
                self._judge(self._now_ns())
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_TICK_S if self._is_idle else _BUSY_TICK_S):
                    await self._wake.wait()

    @property
    def _is_idle(self) -> bool:
        return not any(peripheral.commands for peripheral in self._peripherals)

    def _judge(self, now_ns: int) -> None:
        """Who is up, who is lost, who is tried again."""
        secure = self._panel.sc_status()
        for number, peripheral in enumerate(self._peripherals):
            if not peripheral.is_enabled:
                if now_ns >= peripheral.retry_ns:
                    peripheral.is_enabled = bool(self._panel.enable_pd(number))
                    peripheral.asked_since_ns, peripheral.heard_ns = now_ns, 0
                continue
            is_secure = bool(secure >> number & 1)
            last_ns = max(peripheral.heard_ns, peripheral.asked_since_ns)
            if now_ns - last_ns > LOST_AFTER_MS * _NS_PER_MS:
                self._give_up(number, peripheral, "no answer", now_ns)
            elif is_secure and not peripheral.is_up:
                peripheral.is_up, peripheral.failures = True, 0
                peripheral.on_up()
            elif not is_secure and peripheral.is_up:
                self._drop(peripheral, "the secure channel broke")
                peripheral.asked_since_ns = now_ns
            elif not is_secure and now_ns - peripheral.asked_since_ns > _HANDSHAKE_MS * _NS_PER_MS:
                self._give_up(number, peripheral, "answers, but with another key", now_ns)

    def _give_up(self, number: int, peripheral: Peripheral, reason: str, now_ns: int) -> None:
        was_told = peripheral.is_up or peripheral.failures == 0
        peripheral.retry_ns = now_ns + RETRY_MS[min(peripheral.failures, len(RETRY_MS) - 1)] * _NS_PER_MS
        peripheral.failures += 1
        self._panel.disable_pd(number)
        peripheral.is_enabled = False
        self._drop(peripheral, reason, is_told=was_told)

    def _drop(self, peripheral: Peripheral, reason: str, *, is_told: bool = False) -> None:
        was_up, peripheral.is_up = peripheral.is_up, False
        self._fail_commands(peripheral)
        if was_up or is_told:
            peripheral.on_lost(reason)

    @staticmethod
    def _fail_commands(peripheral: Peripheral) -> None:
        while peripheral.commands:
            done = peripheral.commands.popleft()
            if not done.done():
                done.set_result(None)

    def _send(self, data: bytes) -> None:
        if self._transport is not None:
            self._transport.write(data)

    def _on_bytes(self, data: bytes) -> None:
        self._line.received += data
        now_ns = self._now_ns()
        seen = self._tail + data
        for peripheral in self._peripherals:
            if bytes((_START_OF_MESSAGE, peripheral.address | _REPLY)) in seen:
                peripheral.heard_ns = now_ns
        self._tail = seen[-1:]
        self._wake.set()

    def _on_port_lost(self, reason: str) -> None:
        self._transport = None
        for peripheral in self._peripherals:
            self._drop(peripheral, f"{self.port}: {reason}")

    def _on_event(self, number: int, event: dict[str, Any]) -> int:
        peripheral = self._peripherals[number]
        if peripheral.is_up:
            peripheral.on_event(event)
        return 0

    def _on_completion(self, number: int, _command: Command, status: int) -> None:
        commands = self._peripherals[number].commands
        if commands:
            done = commands.popleft()
            if not done.done():
                done.set_result(status == 0)
