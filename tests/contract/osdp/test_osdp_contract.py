"""OSDP readers: the real driver over a pty to libosdp's own peripheral mode."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import TypeVar

import pytest
import pytest_asyncio
from osdp import CommandLEDColor

from drivers.errors import DeviceError
from drivers.osdp import (
    CardFormat,
    CardRead,
    KeysPressed,
    ReaderColour,
    ReaderEvent,
    ReaderLost,
    ReaderResult,
    ReaderSound,
    ReaderUp,
    bus,
)
from drivers.osdp.reader import OsdpReader, load_key
from simulator.osdp_readers import PtyReaders, ReaderFault, ReaderTwin

BOUND_S = 10.0
ADDRESSES = (5, 6, 7)
Kind = TypeVar("Kind", ReaderUp, ReaderLost, CardRead, KeysPressed)


async def until(condition: Callable[[], bool], what: str) -> None:
    deadline_s = time.monotonic() + BOUND_S
    while not condition():
        assert time.monotonic() < deadline_s, f"not within {BOUND_S} s: {what}"
        await asyncio.sleep(0.002)


def key_of(address: int) -> bytes:
    return bytes((address + i) & 0xFF for i in range(16))


def write_key(path: Path, key: bytes, mode: int = 0o600) -> Path:
    path.write_text(key.hex() + "\n", encoding="ascii")
    path.chmod(mode)
    return path


class Rig:
    def __init__(self, folder: Path) -> None:
        self.line = PtyReaders([ReaderTwin(address, key_of(address)) for address in ADDRESSES], link_at=folder / "bus")
        self.events: dict[int, list[ReaderEvent]] = {address: [] for address in ADDRESSES}
        self.readers = {
            address: OsdpReader(
                self.line.port,
                address=address,
                key_file=write_key(folder / f"{address}.key", key_of(address)),
                baud_rate=115_200,
            )
            for address in ADDRESSES
        }

    def all(self, address: int, kind: type[Kind]) -> list[Kind]:
        return [event for event in self.events[address] if isinstance(event, kind)]

    def twin(self, address: int) -> ReaderTwin:
        return self.line.readers[address]


@pytest.fixture(autouse=True)
def _soon_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bus, "RETRY_MS", (100, 200, 400))


@pytest_asyncio.fixture
async def rig(tmp_path: Path) -> AsyncIterator[Rig]:
    rig = Rig(tmp_path)
    try:
        for address, reader in rig.readers.items():
            await reader.start(rig.events[address].append)
        await until(lambda: all(reader.is_up for reader in rig.readers.values()), "three secure channels")
        yield rig
    finally:
        for reader in rig.readers.values():
            await reader.stop()
        rig.line.close()


async def test_card_comes_from_the_reader_that_it_was_held_to(rig: Rig) -> None:
    with rig.line.lock:
        rig.twin(6).present_card(bytes((0xA5, 0x5A, 0x12, 0x40)), bits=26)
    await until(lambda: bool(rig.all(6, CardRead)), "the card")
    (card,) = rig.all(6, CardRead)
    assert (card.address, card.format, card.bit_count, card.data) == (
        6,
        CardFormat.WIEGAND,
        26,
        bytes((0xA5, 0x5A, 0x12, 0x40)),
    )
    assert rig.all(5, CardRead) == rig.all(7, CardRead) == []


async def test_keys_arrive_in_order_and_are_not_shown(rig: Rig) -> None:
    with rig.line.lock:
        rig.twin(5).press("4711#")
    await until(lambda: bool(rig.all(5, KeysPressed)), "the keys")
    (keys,) = rig.all(5, KeysPressed)
    assert keys.keys == "4711#"
    assert "4711" not in repr(keys)


async def test_light_and_sound(rig: Rig) -> None:
    assert await rig.readers[7].show(ReaderColour.GREEN) is ReaderResult.DONE
    assert (rig.twin(7).colour, rig.twin(7).is_blinking) == (CommandLEDColor.Green, False)
    assert await rig.readers[7].show(ReaderColour.RED, is_blinking=True) is ReaderResult.DONE
    assert (rig.twin(7).colour, rig.twin(7).is_blinking) == (CommandLEDColor.Red, True)
    assert await rig.readers[7].sound(ReaderSound.DOUBLE) is ReaderResult.DONE
    assert await rig.readers[7].sound(ReaderSound.OFF) is ReaderResult.DONE
    assert rig.twin(7).beeps == 2
    assert rig.twin(5).beeps == 0


async def test_silent_reader_is_lost_and_costs_the_others_little(rig: Rig) -> None:
    rig.line.inject(5, ReaderFault.SILENT)
    await until(lambda: bool(rig.all(5, ReaderLost)), "loss")
    assert await rig.readers[5].show(ReaderColour.RED) is ReaderResult.NO_ANSWER
    took_s = []
    for i in range(20):
        started_s = time.monotonic()
        colour = ReaderColour.RED if i % 2 else ReaderColour.GREEN
        assert await rig.readers[6].show(colour) is ReaderResult.DONE
        took_s.append(time.monotonic() - started_s)
    assert sorted(took_s)[15] < 0.15, "less than one of the library's time-outs"
    assert rig.all(6, ReaderLost) == []
    rig.line.heal(5, ReaderFault.SILENT)
    await until(lambda: rig.readers[5].is_up, "its return")
    assert len(rig.all(5, ReaderLost)) == 1


async def test_command_under_way_when_the_reader_dies_is_not_answered(rig: Rig) -> None:
    rig.line.inject(6, ReaderFault.SILENT)
    assert await rig.readers[6].show(ReaderColour.RED) is ReaderResult.NO_ANSWER


async def test_power_cut_is_a_new_reader(rig: Rig) -> None:
    assert await rig.readers[6].show(ReaderColour.GREEN) is ReaderResult.DONE
    rig.line.inject(6, ReaderFault.POWER_OFF)
    await until(lambda: bool(rig.all(6, ReaderLost)), "loss")
    rig.line.heal(6, ReaderFault.POWER_OFF)
    await until(lambda: len(rig.all(6, ReaderUp)) == 2, "its return")
    assert rig.twin(6).colour == CommandLEDColor.Black
    assert await rig.readers[6].show(ReaderColour.GREEN) is ReaderResult.DONE


async def test_restart_in_between_builds_the_channel_anew(rig: Rig) -> None:
    rig.line.inject(6, ReaderFault.REBOOT)
    await until(lambda: len(rig.all(6, ReaderUp)) == 2, "its return")
    with rig.line.lock:
        rig.twin(6).press("1")
    await until(lambda: bool(rig.all(6, KeysPressed)), "a key after it")


async def test_garbage_on_the_line_is_repeated_and_never_believed(rig: Rig) -> None:
    rig.line.inject(7, ReaderFault.GARBLE, 0.01)
    with rig.line.lock:
        rig.twin(7).present_card(bytes((1, 2, 3, 4)), bits=32)
    await asyncio.wait_for(rig.readers[7].show(ReaderColour.GREEN), BOUND_S)
    rig.line.heal(7, ReaderFault.GARBLE)
    await until(lambda: rig.readers[7].is_up, "up in the end")
    assert all(card.data == bytes((1, 2, 3, 4)) for card in rig.all(7, CardRead))


async def test_cable_pulled_and_plugged_in_again(rig: Rig) -> None:
    rig.line.unplug()
    await until(lambda: all(rig.all(address, ReaderLost) for address in ADDRESSES), "loss of all")
    assert await rig.readers[5].show(ReaderColour.RED) is ReaderResult.NO_ANSWER
    rig.line.replug()
    await until(lambda: all(reader.is_up for reader in rig.readers.values()), "return of all")


async def test_reader_with_another_key_is_no_reader(tmp_path: Path) -> None:
    events: list[ReaderEvent] = []
    with PtyReaders([ReaderTwin(5, key_of(99))]) as line:
        reader = OsdpReader(line.port, address=5, key_file=write_key(tmp_path / "k", key_of(5)), baud_rate=115_200)
        await reader.start(events.append)
        try:
            await until(lambda: any(isinstance(event, ReaderLost) for event in events), "refusal")
            with line.lock:
                line.readers[5].present_card(b"\x01\x02\x03\x04")
            assert not reader.is_up
            assert not any(isinstance(event, CardRead | ReaderUp) for event in events)
        finally:
            await reader.stop()


async def test_same_address_twice_is_one_clear_sentence(rig: Rig, tmp_path: Path) -> None:
    other = OsdpReader(rig.line.port, address=5, key_file=write_key(tmp_path / "k", key_of(5)))
    with pytest.raises(DeviceError, match="the address 5; give each its own"):
        await other.start(lambda _event: None)


async def test_missing_port_is_one_clear_sentence(tmp_path: Path) -> None:
    reader = OsdpReader("/dev/nothing-here", address=5, key_file=write_key(tmp_path / "k", key_of(5)))
    with pytest.raises(DeviceError, match=r"/dev/nothing-here does not exist; plug"):
        await reader.start(lambda _event: None)


def test_keys_are_kept_to_oneself(tmp_path: Path) -> None:
    assert load_key(write_key(tmp_path / "good", key_of(1))) == key_of(1)
    with pytest.raises(DeviceError, match="may be read by others"):
        load_key(write_key(tmp_path / "open", key_of(1), 0o644))
    with pytest.raises(DeviceError, match="holds no key; write 32"):
        load_key(write_key(tmp_path / "short", key_of(1)[:15]))
    with pytest.raises(DeviceError, match=r"cannot be read \(No such file"):
        load_key(tmp_path / "missing")
