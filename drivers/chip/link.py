"""Commands to a chip, one by one: secure messaging around them, the wait for each bounded, time counted by what it went into."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

from drivers.chip.apdu import EXTENDED_LE, SHORT_LE, Command, Response, parse_response
from drivers.chip.channel import ApduChannel
from drivers.chip.errors import ChipFailed, Reason
from drivers.chip.secure_messaging import SecureSession

_MORE_DATA, _WRONG_LE = 0x61, 0x6C
_MAX_PARTS = 512
_OUT_OF_TIME = "reading the chip took longer than the lane allows"


class SessionLost(ChipFailed):
    """The chip answered in the clear with an error: it has forgotten the session's keys (section 9.8.3)."""

    def __init__(self, sw: int) -> None:
        super().__init__(Reason.BROKEN, f"the chip left secure messaging with status {sw:04X}")
        self.sw = sw


@dataclass(slots=True)
class Times:
    """Nanoseconds spent so far, and commands sent."""

    apdu_ns: int = 0
    crypto_ns: int = 0
    commands: int = 0


class ChipLink:
    """A connected chip. ``now_ns`` is monotonic; no command is sent after ``deadline_ns``."""

    def __init__(
        self,
        channel: ApduChannel,
        *,
        now_ns: Callable[[], int],
        command_timeout_ms: int,
        deadline_ns: int,
        times: Times | None = None,
    ) -> None:
        self._channel = channel
        self._now_ns = now_ns
        self._command_timeout_ms = command_timeout_ms
        self._deadline_ns = deadline_ns
        self.session: SecureSession | None = None
        self.times = times or Times()

    def send(self, command: Command) -> Response:
        """The chip's answer, plain, whatever its status. `ChipFailed` when there is none, `SessionLost` when it is unprotected."""
        session = self.session
        if session is None:
            return self._gather(command)
        now_ns, times = self._now_ns, self.times
        started = now_ns()
        protected = session.protect(command)
        times.crypto_ns += now_ns() - started
        answer = self._gather(protected)
        if not answer.data:
            self.session = None
            raise SessionLost(answer.sw)
        started = now_ns()
        try:
            return session.unprotect(answer)
        finally:
            times.crypto_ns += now_ns() - started

    @contextmanager
    def crypto(self) -> Iterator[None]:
        """Counts the time inside as spent on cryptography."""
        started = self._now_ns()
        try:
            yield
        finally:
            self.times.crypto_ns += self._now_ns() - started

    def _gather(self, command: Command) -> Response:
        """One logical command: `61xx` is fetched, `6Cxx` is asked again as the chip wants it (ISO/IEC 7816-4 section 5.3.4)."""
        answer = self._transmit(command)
        if answer.sw >> 8 == _WRONG_LE and not answer.data:
            command = replace(command, expected=answer.sw & 0xFF or SHORT_LE)
            answer = self._transmit(command)
        if answer.sw >> 8 != _MORE_DATA:
            return answer
        data = answer.data
        for _ in range(_MAX_PARTS):
            if answer.sw >> 8 != _MORE_DATA:
                return replace(answer, data=data)
            answer = self._transmit(Command(ins=0xC0, expected=answer.sw & 0xFF or SHORT_LE))
            data += answer.data
            if len(data) > EXTENDED_LE:
                break
        raise ChipFailed(Reason.BROKEN, "the chip never comes to the end of an answer")

    def _transmit(self, command: Command) -> Response:
        raw = command.encode()
        started = self._now_ns()
        left_ms = (self._deadline_ns - started) // 1_000_000
        if left_ms <= 0:
            raise ChipFailed(Reason.OUT_OF_TIME, _OUT_OF_TIME)
        self.times.commands += 1
        try:
            answer = self._channel.transmit(raw, min(self._command_timeout_ms, left_ms))
        except ChipFailed as problem:
            if problem.reason is Reason.SILENT and left_ms < self._command_timeout_ms:
                raise ChipFailed(Reason.OUT_OF_TIME, _OUT_OF_TIME) from problem
            raise
        finally:
            self.times.apdu_ns += self._now_ns() - started
        return parse_response(answer)
