"""An OSDP reader as the `AccessReader` that a lane or a desk uses."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from weakref import WeakValueDictionary

from osdp import CardFormat as WireFormat
from osdp import Command, CommandLEDColor, Event

from drivers.errors import DeviceError
from drivers.osdp.bus import OsdpBus, Peripheral
from drivers.osdp.interface import (
    AccessReader,
    CardFormat,
    CardRead,
    KeysPressed,
    ReaderColour,
    ReaderEvent,
    ReaderLost,
    ReaderResult,
    ReaderSound,
    ReaderUp,
)

_KEY_BYTES = 16
_COLOURS = {
    ReaderColour.OFF: CommandLEDColor.Black,
    ReaderColour.RED: CommandLEDColor.Red,
    ReaderColour.GREEN: CommandLEDColor.Green,
    ReaderColour.AMBER: CommandLEDColor.Amber,
    ReaderColour.BLUE: CommandLEDColor.Blue,
}
_FORMATS = {
    WireFormat.Unspecified: CardFormat.RAW,
    WireFormat.Wiegand: CardFormat.WIEGAND,
    WireFormat.ASCII: CardFormat.ASCII,
}
_KEYS = {**{ord(digit): digit for digit in "0123456789"}, 0x7F: "*", 0x0D: "#"}
_TONE_OFF, _TONE_DEFAULT = 1, 2
_BUSES: WeakValueDictionary[str, OsdpBus] = WeakValueDictionary()


class OsdpReader(AccessReader):
    """The device kind `osdp_reader`. Readers of one process that name the same port share its line.

    `key_file` holds the reader's secure channel base key as 32 hexadecimal digits, readable by us alone. There is no plain mode: a
    reader without its key is none.
    """

    def __init__(
        self,
        port: str,
        *,
        address: int,
        key_file: str | Path,
        baud_rate: int = 9_600,
        reader_number: int = 0,
        now_ns: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        if not 0 <= address <= 126:
            raise DeviceError(f"The OSDP address {address} on {port} cannot be; set one from 0 to 126.")
        self._port = port
        self._baud_rate = baud_rate
        self._key_file = Path(key_file)
        self._reader_number = reader_number
        self._now_ns = now_ns
        self._address = address
        self._bus: OsdpBus | None = None
        self._peripheral: Peripheral | None = None
        self._on_event: Callable[[ReaderEvent], None] | None = None

    @property
    def is_up(self) -> bool:
        return self._peripheral is not None and self._peripheral.is_up

    async def start(self, on_event: Callable[[ReaderEvent], None]) -> None:
        if self._peripheral is not None:
            raise RuntimeError("the reader is already started")
        peripheral = Peripheral(
            address=self._address,
            key=load_key(self._key_file),
            on_up=lambda: self._tell(ReaderUp(at_ns=self._now_ns(), address=self._address)),
            on_lost=lambda reason: self._tell(ReaderLost(at_ns=self._now_ns(), address=self._address, reason=reason)),
            on_event=self._receive,
        )
        bus = _BUSES.get(self._port)
        if bus is None:
            bus = _BUSES[self._port] = OsdpBus(self._port, baud_rate=self._baud_rate, now_ns=self._now_ns)
        self._on_event = on_event
        await bus.attach(peripheral)
        self._bus, self._peripheral = bus, peripheral

    async def stop(self) -> None:
        bus, peripheral = self._bus, self._peripheral
        self._on_event = self._bus = self._peripheral = None
        if bus is not None and peripheral is not None:
            await bus.detach(peripheral)

    async def show(self, colour: ReaderColour, *, is_blinking: bool = False) -> ReaderResult:
        return await self._command(
            {
                "command": Command.LED,
                "reader": self._reader_number,
                "led_number": 0,
                "control_code": 1,
                "on_count": 5,  # tenths of a second
                "off_count": 5 if is_blinking else 0,
                "on_color": _COLOURS[colour],
                "off_color": CommandLEDColor.Black if is_blinking else _COLOURS[colour],
                "timer_count": 0,
                "temporary": False,
            }
        )

    async def sound(self, sound: ReaderSound) -> ReaderResult:
        return await self._command(
            {
                "command": Command.Buzzer,
                "reader": self._reader_number,
                "control_code": _TONE_OFF if sound is ReaderSound.OFF else _TONE_DEFAULT,
                "on_count": 1,
                "off_count": 1,
                "rep_count": 2 if sound is ReaderSound.DOUBLE else 1,
            }
        )

    async def _command(self, command: dict[str, Any]) -> ReaderResult:
        if self._bus is None or self._peripheral is None:
            return ReaderResult.NO_ANSWER
        is_taken = await self._bus.command(self._peripheral, command)
        if is_taken is None:
            return ReaderResult.NO_ANSWER
        return ReaderResult.DONE if is_taken else ReaderResult.REFUSED

    def _receive(self, event: dict[str, Any]) -> None:
        if event["event"] == Event.CardRead:
            data = bytes(event["data"])
            card_format = _FORMATS.get(event["format"], CardFormat.RAW)
            bits = len(data) * 8 if card_format is CardFormat.ASCII else int(event.get("length", len(data) * 8))
            self._tell(
                CardRead(at_ns=self._now_ns(), address=self._address, format=card_format, bit_count=bits, data=data)
            )
        elif event["event"] == Event.KeyPress:
            keys = "".join(_KEYS.get(code, "") for code in bytes(event["data"]))
            if keys:
                self._tell(KeysPressed(at_ns=self._now_ns(), address=self._address, keys=keys))

    def _tell(self, event: ReaderEvent) -> None:
        if self._on_event is not None:
            self._on_event(event)


def load_key(path: Path) -> bytes:
    """A secure channel base key. Raises `DeviceError` for a file that is missing, open to others, or not 32 hexadecimal digits."""
    try:
        text = path.read_text(encoding="ascii").strip()
        mode = path.stat().st_mode
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not text"
        raise DeviceError(f"The OSDP key file {path} cannot be read ({reason}); put the reader's key there.") from error
    if mode & 0o077:
        raise DeviceError(
            f"The OSDP key file {path} may be read by others; make it readable by its owner alone (chmod 600)."
        )
    try:
        key = bytes.fromhex(text)
    except ValueError:
        key = b""
    if len(key) != _KEY_BYTES:
        raise DeviceError(f"The OSDP key file {path} holds no key; write 32 hexadecimal digits.")
    return key
