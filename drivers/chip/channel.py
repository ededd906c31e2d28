"""What carries APDUs to a chip: a PC/SC reader, a recorded trace, a twin. It knows nothing of passports."""

from __future__ import annotations

from abc import ABC, abstractmethod

MAX_ANSWER_BYTES = 65536 + 2


class ApduChannel(ABC):
    """One antenna. Not thread-safe: one reading at a time.

    After a `ChipFailed` of :meth:`transmit` the channel is no longer in step with the chip; only :meth:`connect` mends that.
    """

    @abstractmethod
    def connect(self, timeout_ms: int) -> bytes:
        """Power the chip up anew, waiting that long for one to be there; its answer to reset.

        Raises `ChipFailed` (no_chip) without one, `DeviceError` when the reader itself cannot be used.
        """

    @abstractmethod
    def transmit(self, command: bytes, timeout_ms: int) -> bytes:
        """The answer with its status word. Raises `ChipFailed`: removed, silent, broken."""

    @abstractmethod
    def is_present(self) -> bool:
        """Whether a chip is in the field now. False also when the reader is gone."""

    @abstractmethod
    def close(self) -> None:
        """Power the chip down and let the reader go. Twice does no harm."""
