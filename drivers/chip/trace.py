"""Recorded conversations with a chip: replayed where there is none, written where there is one.

A file is lines of `atr HEX`, `> HEX` (command), `< HEX` (answer) and `= HEX` (random bytes that the reader drew); `#` begins a comment. A
trace of a real document is personal data: whoever has it reads all that was read.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from pathlib import Path

from drivers.chip.channel import ApduChannel
from drivers.chip.errors import ChipFailed, Reason
from drivers.errors import DeviceError


class RecordedTrace(ApduChannel):
    """Answers as was recorded, as long as the commands are those that were recorded; any other ends it."""

    def __init__(self, exchanges: Iterable[tuple[bytes, bytes]], atr: bytes = b"", draws: Iterable[bytes] = ()) -> None:
        self._exchanges = tuple(exchanges)
        self._draws = list(draws)
        self._atr = atr
        self._at = 0

    @classmethod
    def load(cls, path: Path) -> RecordedTrace:
        """`DeviceError` when the file is missing or malformed."""
        atr, commands, answers, draws = b"", [], [], []
        try:
            for line in path.read_text(encoding="ascii").splitlines():
                kind, _, digits = line.partition("#")[0].strip().partition(" ")
                if kind == "atr":
                    atr = bytes.fromhex(digits)
                elif kind == ">":
                    commands.append(bytes.fromhex(digits))
                elif kind == "<":
                    answers.append(bytes.fromhex(digits))
                elif kind == "=":
                    draws.append(bytes.fromhex(digits))
                elif kind:
                    raise ValueError(f"a line begins with {kind!r}")
            return cls(zip(commands, answers, strict=True), atr, draws)
        except (OSError, ValueError) as error:
            raise DeviceError(f"The trace {path} cannot be replayed ({error}); record it anew.") from error

    def random(self, count: int) -> bytes:
        """The recorded random bytes in their order. `ChipFailed` (broken) when other ones are asked for."""
        if not self._draws or len(self._draws[0]) != count:
            raise ChipFailed(Reason.BROKEN, f"the trace has no {count} random bytes here")
        return self._draws.pop(0)

    @property
    def is_finished(self) -> bool:
        """Whether everything that was recorded has been asked."""
        return self._at == len(self._exchanges)

    def connect(self, timeout_ms: int) -> bytes:  # noqa: ARG002
        return self._atr

    def transmit(self, command: bytes, timeout_ms: int) -> bytes:  # noqa: ARG002
        if self.is_finished:
            raise ChipFailed(Reason.SILENT, "the trace has come to its end")
        recorded, answer = self._exchanges[self._at]
        if command != recorded:
            raise ChipFailed(Reason.BROKEN, f"command {self._at + 1} is not the recorded one: {command.hex()}")
        self._at += 1
        return answer

    def is_present(self) -> bool:
        return not self.is_finished

    def close(self) -> None:
        """Nothing to let go."""


class RecordingChannel(ApduChannel):
    """Passes everything on, and keeps it."""

    def __init__(self, channel: ApduChannel) -> None:
        self._channel = channel
        self._lines: list[str] = []

    def random(self, count: int) -> bytes:
        """`secrets.token_bytes`, kept too."""
        drawn = secrets.token_bytes(count)
        self._lines.append(f"= {drawn.hex().upper()}")
        return drawn

    def save(self, path: Path) -> None:
        path.write_text("\n".join(self._lines) + "\n", encoding="ascii")

    def connect(self, timeout_ms: int) -> bytes:
        atr = self._channel.connect(timeout_ms)
        self._lines.append(f"atr {atr.hex().upper()}")
        return atr

    def transmit(self, command: bytes, timeout_ms: int) -> bytes:
        answer = self._channel.transmit(command, timeout_ms)
        self._lines += [f"> {command.hex().upper()}", f"< {answer.hex().upper()}"]
        return answer

    def is_present(self) -> bool:
        return self._channel.is_present()

    def close(self) -> None:
        self._channel.close()
