"""Card readers at a lane: their lamps show what the lane does, and a card that is held to one is told to the hub.

A card opens and acknowledges nothing here: its number can be copied and nobody at the lane knows whose it is. Keys that are pressed are
dropped, not kept: they may be a PIN.
"""

import asyncio
import secrets
from collections.abc import Callable, Coroutine, Mapping

from drivers.lane_io.interface import LampColour
from drivers.osdp import AccessReader, CardRead, ReaderColour, ReaderEvent, ReaderLost, ReaderSound, ReaderUp
from gate.core.evidence import canonical_json
from gate.core.state import LaneState, State
from gate.lane.presentation import look

_COLOURS = {
    LampColour.OFF: ReaderColour.OFF,
    LampColour.BLUE: ReaderColour.BLUE,
    LampColour.GREEN: ReaderColour.GREEN,
    LampColour.AMBER: ReaderColour.AMBER,
    LampColour.RED: ReaderColour.RED,
}
_CALLING = frozenset({State.REFERRED, State.ALARM, State.FAULT})
"""States in which the lamp blinks: the lane waits for an officer."""


class Readers:
    """All readers of a lane. Lives on the lane's event loop."""

    def __init__(
        self,
        readers: Mapping[str, AccessReader],
        *,
        spawn: Callable[[Coroutine[None, None, None]], None],
        keep: Callable[[str, bytes], None],
        report: Callable[[str, str | None], None],
        has_entry: bool = True,
    ) -> None:
        """``keep(reader, record)`` stores what was read off a card; ``report(device, reason)`` a loss, or (None) its end."""
        self._readers = readers
        self._spawn = spawn
        self._keep = keep
        self._report = report
        self._has_entry = has_entry
        self._colour = ReaderColour.AMBER
        self._is_blinking = False
        self._lost: set[str] = set()
        self._turns = {name: asyncio.Lock() for name in readers}

    async def start(self) -> None:
        """DeviceError when a line or a key cannot be used."""
        for name, reader in self._readers.items():
            await reader.start(lambda event, name=name: self._receive(name, event))  # type: ignore[misc]  # bound now

    async def stop(self) -> None:
        for reader in self._readers.values():
            await reader.stop()

    def entered(self, state: LaneState) -> None:
        """The lane is in another state: the lamps follow."""
        lamp, _ = look(state, has_entry=self._has_entry)
        self._colour, self._is_blinking = _COLOURS[lamp], state.name in _CALLING
        for name in self._readers:
            self._spawn(self._light(name))

    async def _light(self, name: str) -> None:
        async with self._turns[name]:
            if self._readers[name].is_up:  # one that is not is lit when it comes up
                await self._readers[name].show(self._colour, is_blinking=self._is_blinking)

    async def _beep(self, name: str) -> None:
        async with self._turns[name]:
            await self._readers[name].sound(ReaderSound.SHORT)

    def _receive(self, name: str, event: ReaderEvent) -> None:
        match event:
            case ReaderUp():
                self._spawn(self._light(name))
                if name in self._lost:
                    self._lost.discard(name)
                    self._report(f"reader:{name}", None)
            case ReaderLost():
                if name not in self._lost:
                    self._lost.add(name)
                    self._report(f"reader:{name}", event.reason)
            case CardRead():
                self._keep(name, card_record(name, event))
                self._spawn(self._beep(name))
            case _:
                return  # keys


def card_record(reader: str, card: CardRead) -> bytes:
    """What the evidence store keeps of a card. The nonce makes its sha256, which travels openly, say nothing about a short number."""
    return canonical_json(
        {
            "reader": reader,
            "format": card.format.value,
            "bits": card.bit_count,
            "card": card.data.hex(),
            "nonce": secrets.token_hex(16),
        }
    )
