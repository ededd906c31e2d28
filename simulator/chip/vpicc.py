"""A virtual chip that listens on TCP for vsmartcard's vpcd (or for `drivers.chip.vpcd`), bound to loopback.

vpcd connects to us when its device name is a host and a port, so that nothing listens on an outside address.
"""

from __future__ import annotations

import socket
import threading
import time
from contextlib import suppress
from typing import Protocol

from drivers.chip.vpcd import GET_ATR, POWER_OFF, POWER_ON, RESET

_MAX_MESSAGE_BYTES = 65536


class Card(Protocol):
    """What answers."""

    @property
    def atr(self) -> bytes: ...

    def power_on(self) -> None: ...

    def process(self, raw: bytes) -> bytes | None:
        """The answer with its status word; None: none ever comes."""
        ...


class SilentCard:
    """A chip that has power, says so and answers nothing: broken, or made to look so."""

    atr = bytes.fromhex("3B80800101")

    def power_on(self) -> None:
        """It has no state."""

    def process(self, raw: bytes) -> None:  # noqa: ARG002
        return None


class OtherCard:
    """A card that is no passport: it knows no command."""

    atr = bytes.fromhex("3B80800101")

    def power_on(self) -> None:
        """It has no state."""

    def process(self, raw: bytes) -> bytes:  # noqa: ARG002
        return bytes.fromhex("6D00")


class VpiccServer:
    """Serves one card to one connection after another; None: nothing lies there. ``busy_ns`` counts what the card itself worked."""

    def __init__(self, chip: Card | None, *, port: int = 0) -> None:
        self.chip = chip
        self.busy_ns = 0
        self._listener = socket.create_server(("127.0.0.1", port))
        self._stopping = threading.Event()
        self._line: socket.socket | None = None
        self._thread = threading.Thread(target=self._serve, name="virtual chip", daemon=True)

    @property
    def port(self) -> int:
        return int(self._listener.getsockname()[1])

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Ends the connection and the thread."""
        self._stopping.set()
        for line in (self._line, self._listener):
            if line is not None:
                with suppress(OSError):
                    line.shutdown(socket.SHUT_RDWR)
                line.close()
        if self._thread.is_alive():
            self._thread.join(timeout=5.0)

    def _serve(self) -> None:
        while not self._stopping.is_set():
            try:
                line, _ = self._listener.accept()
            except OSError:
                return
            self._line = line
            line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with line, suppress(OSError):
                self._converse(line)

    def _converse(self, line: socket.socket) -> None:
        while (message := _receive(line)) is not None:
            answer = self._answer(message)
            if answer is not None:
                line.sendall(len(answer).to_bytes(2) + answer)

    def _answer(self, message: bytes) -> bytes | None:
        chip = self.chip
        if len(message) == 1:
            if chip is not None and message[0] in (POWER_ON, RESET, POWER_OFF):
                chip.power_on()
            return (b"" if chip is None else chip.atr) if message[0] == GET_ATR else None
        if chip is None:
            return b""
        started = time.perf_counter_ns()
        answer = chip.process(message)
        self.busy_ns += time.perf_counter_ns() - started
        return answer


def _receive(line: socket.socket) -> bytes | None:
    """One message; None when the other side has gone."""
    head = _exactly(line, 2)
    return None if head is None else _exactly(line, min(int.from_bytes(head), _MAX_MESSAGE_BYTES))


def _exactly(line: socket.socket, count: int) -> bytes | None:
    data = b""
    while len(data) < count:
        # vpcd writes the length and the message apart, and its kernel waits for our acknowledgement between them: 40 ms, unless we
        # give it at once. The option holds until the next packet only.
        line.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)
        part = line.recv(count - len(data))
        if not part:
            return None
        data += part
    return data
