"""A serial line in an event loop: bytes as they come, writes that never wait, loss told once.

Knows nothing of frames. Reading is driven by the kernel's readiness (no polling), so that a byte costs no timer.
"""

from __future__ import annotations

import asyncio
import errno
import os
from collections.abc import Callable
from typing import Protocol

import serial

from drivers.errors import DeviceError

_READ_BYTES = 4096
_MAX_UNSENT_BYTES = 4096
_MAX_EMPTY_READS = 3


def open_serial(port: str, baud_rate: int, *, timeout_s: float = 0.0) -> serial.Serial:
    """Opens a port for ourselves alone, 8N1, no flow control; reads wait up to `timeout_s`, writes never.

    Flow control stays off because a pseudo-terminal answers it with ENOTTY and three-wire boards do not have it.
    Raises `DeviceError` with what to do about a port that is missing, forbidden, busy or not serial.
    """
    try:
        return serial.Serial(port, baud_rate, timeout=timeout_s, write_timeout=0, exclusive=True)
    except (serial.SerialException, OSError, ValueError) as error:
        raise DeviceError(f"Serial port {port} {_explain(error, baud_rate)}.") from error


def _explain(error: BaseException, baud_rate: int) -> str:
    code = getattr(error, "errno", None)
    if isinstance(error, ValueError):
        return f"cannot run at {baud_rate} baud; set a rate the adapter supports"
    if code in (errno.ENOENT, errno.ENXIO, errno.ENODEV):
        return "does not exist; plug the device in or set the port it is at (see /dev/serial/by-id)"
    if code in (errno.EACCES, errno.EPERM):
        return "may not be opened by this user; add the user to the group that owns it (often dialout)"
    if code in (errno.EAGAIN, errno.EBUSY):
        return "is in use by another program; stop that program or set another port"
    return f"is not a usable serial device ({error}); set the port of the device"


class Transport(Protocol):
    """An open line, as :class:`SerialTransport` is one."""

    def write(self, data: bytes) -> None: ...

    def drain(self) -> None: ...

    def close(self) -> None: ...


class OpenTransport(Protocol):
    """Opens a line to the device at ``port``. Raises `DeviceError` if it cannot."""

    def __call__(
        self, port: str, baud_rate: int, /, *, on_bytes: Callable[[bytes], None], on_lost: Callable[[str], None]
    ) -> Transport: ...


class SerialTransport:
    """An open port whose bytes go to a callback.

    `on_bytes` and `on_lost` run in the event loop. After `on_lost(reason)` the port is closed and silent.
    """

    def __init__(
        self, port: str, baud_rate: int, *, on_bytes: Callable[[bytes], None], on_lost: Callable[[str], None]
    ) -> None:
        """Raises `DeviceError` if the port cannot be opened, RuntimeError outside an event loop."""
        self._loop = asyncio.get_running_loop()
        self._on_bytes = on_bytes
        self._on_lost = on_lost
        self._unsent = bytearray()
        self._empty_reads = 0
        self._serial: serial.Serial | None = open_serial(port, baud_rate)
        self._fd = self._serial.fileno()
        self._loop.add_reader(self._fd, self._on_readable)

    @property
    def is_open(self) -> bool:
        return self._serial is not None

    def write(self, data: bytes) -> None:
        """Queues bytes. What a line that takes nothing cannot hold is dropped: frames are repeated anyway."""
        if self._serial is None:
            return
        if self._unsent:
            if len(self._unsent) + len(data) <= _MAX_UNSENT_BYTES:
                self._unsent += data
            return
        written = self._write_now(data)
        if written is not None and written < len(data):
            self._unsent += data[written:]
            self._loop.add_writer(self._fd, self._flush)

    def drain(self) -> None:
        """Hands over what the kernel already holds, for a caller about to judge a silence."""
        data = self._read()
        if data:
            self._on_bytes(data)

    def _on_readable(self) -> None:
        data = self._read()
        if data:
            self._empty_reads = 0
            self._on_bytes(data)
        elif data is not None:
            # A terminal without data may read as empty; one that does so whenever it is "readable" has hung up.
            self._empty_reads += 1
            if self._empty_reads >= _MAX_EMPTY_READS:
                self._lose("the device has gone")

    def _read(self) -> bytes | None:
        """What is there, b"" for nothing, None when the port is closed, has no data ready or was just lost."""
        if self._serial is None:
            return None
        try:
            return os.read(self._fd, _READ_BYTES)
        except BlockingIOError:
            return None
        except OSError as error:
            self._lose(f"reading failed: {os.strerror(error.errno or 0)}")
            return None

    def close(self) -> None:
        if self._serial is None:
            return
        self._loop.remove_reader(self._fd)
        self._loop.remove_writer(self._fd)
        self._unsent.clear()
        port, self._serial = self._serial, None
        port.close()

    def _write_now(self, data: bytes) -> int | None:
        try:
            return os.write(self._fd, data)
        except BlockingIOError:
            return 0
        except OSError as error:
            self._lose(f"writing failed: {os.strerror(error.errno or 0)}")
            return None

    def _flush(self) -> None:
        written = self._write_now(bytes(self._unsent))
        if written is None:
            return
        del self._unsent[:written]
        if not self._unsent:
            self._loop.remove_writer(self._fd)

    def _lose(self, reason: str) -> None:
        self.close()
        self._on_lost(reason)
