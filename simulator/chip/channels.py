"""Channels to a virtual chip: in memory, and any channel with faults on the way."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum

from drivers.chip.channel import ApduChannel
from drivers.chip.errors import ChipFailed, Reason
from simulator.chip.card import VirtualChip


class ChipFault(StrEnum):
    """What may happen between a reader and a chip."""

    REMOVED = "removed"
    """The document leaves the field before this command is answered, and comes back with the next connection."""
    SILENT = "silent"
    """The command reaches the chip, the answer never comes."""
    LATE = "late"
    """The answer comes after the reader has given up, and lies in wait for the next command."""
    GARBLE = "garble"
    """One byte of the answer is another."""
    SLOW = "slow"
    """Every answer takes `SLOW_MS` longer."""
    WTX = "wtx"
    """The chip asks for more waiting time, once, as it does for long computations: `WTX_MS`."""


SLOW_MS = 40
WTX_MS = 3000


class MemoryChannel(ApduChannel):
    """A chip in the same process. ``chip`` may be None: nothing lies on the reader."""

    def __init__(self, chip: VirtualChip | None) -> None:
        self.chip = chip

    def connect(self, timeout_ms: int) -> bytes:
        if self.chip is None:
            raise ChipFailed(Reason.NO_CHIP, f"no chip answered within {timeout_ms} ms")
        self.chip.power_on()
        return self.chip.atr

    def transmit(self, command: bytes, timeout_ms: int) -> bytes:  # noqa: ARG002
        if self.chip is None:
            raise ChipFailed(Reason.REMOVED, "the document left the reader")
        return self.chip.process(command)

    def is_present(self) -> bool:
        return self.chip is not None

    def close(self) -> None:
        """Nothing to let go."""


class FaultyChannel(ApduChannel):
    """Another channel with faults, each at the commands that ``plan`` names by their number from 0, counted over all connections.

    ``pass_ms`` lets simulated time go by.
    """

    def __init__(
        self, channel: ApduChannel, plan: dict[int, ChipFault], *, pass_ms: Callable[[int], None] = lambda _ms: None
    ) -> None:
        self._channel = channel
        self._plan = plan
        self._pass_ms = pass_ms
        self._stray: bytes | None = None
        self._is_slow = False
        self.commands = 0
        self.connections = 0

    def connect(self, timeout_ms: int) -> bytes:
        self.connections += 1
        self._stray = None
        return self._channel.connect(timeout_ms)

    def transmit(self, command: bytes, timeout_ms: int) -> bytes:
        fault = self._plan.get(self.commands)
        self.commands += 1
        if self._stray is not None:
            stray, self._stray = self._stray, self._channel.transmit(command, timeout_ms)
            return stray
        if fault is ChipFault.REMOVED:
            raise ChipFailed(Reason.REMOVED, "the document left the reader")
        answer = self._channel.transmit(command, timeout_ms)
        if fault in (ChipFault.SILENT, ChipFault.LATE):
            self._pass_ms(timeout_ms)
            self._stray = answer if fault is ChipFault.LATE else None
            raise ChipFailed(Reason.SILENT, f"the chip did not answer within {timeout_ms} ms")
        if fault is ChipFault.GARBLE:
            return bytes((answer[0] ^ 0x55,)) + answer[1:]
        self._is_slow = self._is_slow or fault is ChipFault.SLOW
        self._wait(WTX_MS if fault is ChipFault.WTX else SLOW_MS if self._is_slow else 0, timeout_ms)
        return answer

    def is_present(self) -> bool:
        return self._channel.is_present()

    def close(self) -> None:
        self._channel.close()

    def _wait(self, needed_ms: int, timeout_ms: int) -> None:
        self._pass_ms(min(needed_ms, timeout_ms))
        if needed_ms > timeout_ms:
            raise ChipFailed(Reason.SILENT, f"the chip did not answer within {timeout_ms} ms")
