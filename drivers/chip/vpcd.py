"""A virtual chip over TCP, in the protocol of vsmartcard's vpcd: two bytes of length, then the message (big-endian).

Messages of one byte are control codes (0 power off, 1 power on, 2 reset, 4 ask for the answer to reset); all others are APDUs. This is
the end that vpcd has; the chip listens. It serves tests and demonstrations without a PC/SC daemon.
"""

from __future__ import annotations

import socket
import time
from contextlib import suppress

from drivers.chip.channel import MAX_ANSWER_BYTES, ApduChannel
from drivers.chip.errors import ChipFailed, Reason
from drivers.errors import DeviceError

POWER_OFF, POWER_ON, RESET, GET_ATR = 0, 1, 2, 4
_RETRY_S = 0.05
_LENGTH_BYTES = 2


class VpcdChannel(ApduChannel):
    """Connects to ``host:port``, where a virtual chip listens."""

    def __init__(self, host: str = "127.0.0.1", port: int = 35963) -> None:
        if not 0 < port < 65536:
            raise DeviceError(f"Port {port} of a virtual chip does not exist; set one from 1 to 65535.")
        self._address = (host, port)
        self._socket: socket.socket | None = None

    def connect(self, timeout_ms: int) -> bytes:
        """A new connection each time: an answer that came too late must not be taken for the next one.

        An answer to reset of no bytes means that nothing lies there yet.
        """
        self.close()
        until = time.monotonic() + timeout_ms / 1000
        while True:
            try:
                self._socket = socket.create_connection(self._address, timeout=max(0.01, timeout_ms / 1000))
                break
            except OSError as error:
                if time.monotonic() + _RETRY_S >= until:
                    raise ChipFailed(Reason.NO_CHIP, f"no virtual chip listens at {self._address[0]}") from error
                time.sleep(_RETRY_S)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        while True:
            self._send(bytes((POWER_ON,)))
            atr = self._exchange(bytes((GET_ATR,)), timeout_ms)
            if atr:
                return atr
            if time.monotonic() + _RETRY_S >= until:
                raise ChipFailed(Reason.NO_CHIP, f"no chip answered within {timeout_ms} ms")
            time.sleep(_RETRY_S)

    def transmit(self, command: bytes, timeout_ms: int) -> bytes:
        return self._exchange(command, timeout_ms)

    def is_present(self) -> bool:
        """Asked by connecting, since a chip that listens is there."""
        if self._socket is not None:
            return True
        try:
            socket.create_connection(self._address, timeout=0.2).close()
        except OSError:
            return False
        return True

    def close(self) -> None:
        line, self._socket = self._socket, None
        if line is not None:
            with suppress(OSError):
                line.sendall(b"\x00\x01" + bytes((POWER_OFF,)))
            line.close()

    def _send(self, message: bytes) -> None:
        if self._socket is None:
            raise ChipFailed(Reason.REMOVED, "the virtual chip is not connected")
        try:
            self._socket.sendall(len(message).to_bytes(_LENGTH_BYTES) + message)
        except OSError as error:
            raise ChipFailed(Reason.REMOVED, f"the virtual chip has gone ({error.strerror})") from error

    def _exchange(self, message: bytes, timeout_ms: int) -> bytes:
        self._send(message)
        until = time.monotonic() + timeout_ms / 1000
        size = int.from_bytes(self._receive(_LENGTH_BYTES, until, timeout_ms))
        return self._receive(min(size, MAX_ANSWER_BYTES), until, timeout_ms)

    def _receive(self, count: int, until: float, timeout_ms: int) -> bytes:
        data = b""
        while len(data) < count:
            line = self._socket
            if line is None:
                raise ChipFailed(Reason.REMOVED, "the virtual chip is not connected")
            left = until - time.monotonic()
            try:
                if left <= 0:
                    raise TimeoutError
                line.settimeout(left)
                part = line.recv(count - len(data))
            except TimeoutError as error:
                raise ChipFailed(Reason.SILENT, f"the chip did not answer within {timeout_ms} ms") from error
            except OSError as error:
                raise ChipFailed(Reason.REMOVED, f"the virtual chip has gone ({error.strerror})") from error
            if not part:
                raise ChipFailed(Reason.REMOVED, "the virtual chip has gone")
            data += part
        return data
