"""Chips at PC/SC readers, by pyscard (extra `chip`). pcscd runs the reader; waiting-time extensions are settled between reader and chip."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from drivers.chip.channel import ApduChannel
from drivers.chip.errors import ChipFailed, Reason
from drivers.errors import DeviceError

_GONE = {
    0x80100069: "the document left the reader",  # SCARD_W_REMOVED_CARD
    0x80100068: "the chip was reset by somebody else",  # SCARD_W_RESET_CARD
    0x8010000C: "no chip is on the reader",  # SCARD_E_NO_SMARTCARD
    0x80100016: "the chip lost the field in the middle of a command",  # SCARD_E_NOT_TRANSACTED
    0x8010002F: "the reader lost bytes of the chip",  # SCARD_E_COMM_DATA_LOST
    0x80100013: "the reader could not speak with the chip",  # SCARD_F_COMM_ERROR
    0x80100066: "the chip does not answer to its reset",  # SCARD_W_UNRESPONSIVE_CARD
    0x80100067: "the chip has no power",  # SCARD_W_UNPOWERED_CARD
    0x8010000F: "the chip speaks no protocol that the reader has",  # SCARD_E_PROTO_MISMATCH
}
_NO_SERVICE = (0x8010001D, 0x8010001E)
_NO_READERS = (0x8010002E, 0x80100017, 0x80100009)
_TIMEOUT = 0x8010000A
_SHARING = 0x8010000B
_SHARING_POLL_S = 0.02


class PcscChannel(ApduChannel):
    """The reader whose name holds ``reader``; the first one there is, if None."""

    def __init__(self, reader: str | None = None) -> None:
        self._wanted = reader
        self._api = _load()
        self._context: Any = None
        self._card: Any = None
        self._protocol = 0
        self._worker: _Worker | None = None

    def connect(self, timeout_ms: int) -> bytes:
        self._let_go()
        name = self._reader()
        self._wait_for_chip(name, timeout_ms)
        api = self._api
        until = time.monotonic() + timeout_ms / 1000
        while True:
            code, card, protocol = api.SCardConnect(
                self._context, name, api.SCARD_SHARE_EXCLUSIVE, api.SCARD_PROTOCOL_T0 | api.SCARD_PROTOCOL_T1
            )
            # It may be ourselves: a command that hung and was given up holds the reader until the chip answers it.
            if _unsigned(code) != _SHARING or time.monotonic() >= until:
                break
            time.sleep(_SHARING_POLL_S)
        if _unsigned(code) == _SHARING:
            raise DeviceError(f"The reader {name!r} is in use by another program; stop that program.")
        if code != 0:
            raise ChipFailed(Reason.NO_CHIP, _GONE.get(_unsigned(code), self._words(code)))
        self._card, self._protocol = card, protocol
        code, _name, _state, _protocol, atr = api.SCardStatus(card)
        if code != 0:
            raise ChipFailed(Reason.NO_CHIP, self._words(code))
        return bytes(atr)

    def transmit(self, command: bytes, timeout_ms: int) -> bytes:
        """PC/SC knows no time limit for a command: it is sent by a thread of its own, which is given up when it hangs."""
        card, api = self._card, self._api
        if card is None:
            raise ChipFailed(Reason.REMOVED, "the chip is not connected")
        protocol = api.SCARD_PCI_T1 if self._protocol == api.SCARD_PROTOCOL_T1 else api.SCARD_PCI_T0
        if self._worker is None:
            self._worker = _Worker()
        outcome = self._worker.run(lambda: api.SCardTransmit(card, protocol, list(command)), timeout_ms)
        if outcome is None:
            # The context is locked by the hanging call: its thread lets both go when it ends, and the next connection makes another.
            context = self._context
            self._worker.end_with(lambda: self._abandon(card, context))
            self._worker = self._card = self._context = None
            raise ChipFailed(Reason.SILENT, f"the chip did not answer within {timeout_ms} ms")
        code, answer = outcome
        if code != 0:
            raise ChipFailed(Reason.REMOVED, _GONE.get(_unsigned(code), self._words(code)))
        return bytes(byte & 0xFF for byte in answer)

    def is_present(self) -> bool:
        try:
            name = self._reader()
        except DeviceError:
            return False
        code, states = self._api.SCardGetStatusChange(self._context, 0, [(name, self._api.SCARD_STATE_UNAWARE)])
        return code == 0 and bool(states[0][1] & self._api.SCARD_STATE_PRESENT)

    def close(self) -> None:
        self._let_go()
        if self._worker is not None:
            self._worker.stop()
            self._worker = None
        context, self._context = self._context, None
        if context is not None:
            self._api.SCardReleaseContext(context)

    def _abandon(self, card: Any, context: Any) -> None:
        self._api.SCardDisconnect(card, self._api.SCARD_UNPOWER_CARD)
        self._api.SCardReleaseContext(context)

    def _let_go(self) -> None:
        card, self._card = self._card, None
        if card is not None:
            self._api.SCardDisconnect(card, self._api.SCARD_UNPOWER_CARD)

    def _reader(self) -> str:
        """The reader's whole name. Raises `DeviceError` without a service or a reader."""
        names = self._list()
        if names is None:
            # pcscd may have been started anew since: its old contexts are void.
            self._context = None
            names = self._list()
        if not names:
            raise DeviceError("No chip reader is connected; plug one in, or start pcscd if one is.")
        found = [name for name in names if self._wanted is None or self._wanted in name]
        if not found:
            raise DeviceError(f"No chip reader is called {self._wanted!r}; set one of: {', '.join(names)}.")
        return found[0]

    def _list(self) -> list[str] | None:
        """None when the context is void."""
        api = self._api
        if self._context is None:
            code, context = api.SCardEstablishContext(api.SCARD_SCOPE_SYSTEM)
            if code != 0:
                raise DeviceError("The PC/SC service does not run; start it (systemctl start pcscd).")
            self._context = context
        code, names = api.SCardListReaders(self._context, [])
        if code == 0:
            return [str(name) for name in names]
        if _unsigned(code) in _NO_READERS:
            return []
        if _unsigned(code) in _NO_SERVICE:
            raise DeviceError("The PC/SC service does not run; start it (systemctl start pcscd).")
        return None

    def _wait_for_chip(self, name: str, timeout_ms: int) -> None:
        api = self._api
        code, states = api.SCardGetStatusChange(self._context, 0, [(name, api.SCARD_STATE_UNAWARE)])
        if code == 0 and not states[0][1] & api.SCARD_STATE_PRESENT:
            code, states = api.SCardGetStatusChange(self._context, timeout_ms, [(name, states[0][1])])
        if _unsigned(code) == _TIMEOUT or (code == 0 and not states[0][1] & api.SCARD_STATE_PRESENT):
            raise ChipFailed(Reason.NO_CHIP, f"no chip answered within {timeout_ms} ms")
        if code != 0:
            raise DeviceError(f"The chip reader {name!r} cannot be used: {self._words(code)}; plug it in again.")

    def _words(self, code: int) -> str:
        return str(self._api.SCardGetErrorMessage(code)).rstrip(". ")


class _Worker:
    """One thread that runs one call at a time; a call that outlives its time takes the thread with it."""

    def __init__(self) -> None:
        self._calls: queue.SimpleQueue[Callable[[], Any] | None] = queue.SimpleQueue()
        self._results: queue.SimpleQueue[Any] = queue.SimpleQueue()
        threading.Thread(target=self._run, name="pcsc transmit", daemon=True).start()

    def run(self, call: Callable[[], Any], timeout_ms: int) -> Any:
        """The call's result; None when there is none in time. This worker is then not to be used again."""
        self._calls.put(call)
        with suppress(queue.Empty):
            return self._results.get(timeout=timeout_ms / 1000)
        return None

    def end_with(self, last: Callable[[], Any]) -> None:
        """One more call whose result nobody waits for."""
        self._calls.put(last)
        self._calls.put(None)

    def stop(self) -> None:
        self._calls.put(None)

    def _run(self) -> None:
        while (call := self._calls.get()) is not None:
            self._results.put(call())


def _unsigned(code: int) -> int:
    return code & 0xFFFFFFFF


def _load() -> Any:
    try:
        from smartcard import scard
    except ImportError as error:
        raise DeviceError(
            'Reading chips over PC/SC needs pyscard; install the extra: pip install "tongguan[chip]".'
        ) from error
    return scard
