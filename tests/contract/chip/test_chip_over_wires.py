"""The same chip behind real wires: vpcd's protocol over TCP, and pyscard, pcscd and vsmartcard's driver in between."""

from __future__ import annotations

import socket
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from chip_kit import document

from drivers.chip.access_key import MrzKey
from drivers.chip.errors import ChipFailed, Reason
from drivers.chip.pcsc import PcscChannel
from drivers.chip.reader import ReadLimits, read_chip
from drivers.chip.results import ChipRead, ChipUnread
from drivers.chip.vpcd import VpcdChannel
from drivers.errors import DeviceError
from simulator.chip.card import VirtualChip
from simulator.chip.pcscd import READER_NAME, VirtualReader
from simulator.chip.profile import PaceOption
from simulator.chip.vpicc import SilentCard, VpiccServer

PAPER = document(pace=(PaceOption(),), portrait=b"\xff\xd8\xff" + bytes(18_000))


@pytest.fixture
def server() -> Iterator[VpiccServer]:
    serving = VpiccServer(VirtualChip(PAPER.profile))
    serving.start()
    yield serving
    serving.stop()


def test_a_chip_over_tcp(server: VpiccServer) -> None:
    channel = VpcdChannel(port=server.port)
    for _ in range(2):
        result = read_chip(channel, PAPER.profile.mrz)
        assert isinstance(result, ChipRead)
        assert result.atr == PAPER.profile.atr
        assert result.files["DG2"] == PAPER.profile.files[0x0102]
    assert channel.is_present()
    channel.close()


def test_a_chip_that_is_silent_over_tcp_is_neither_absent_nor_false() -> None:
    serving = VpiccServer(SilentCard())
    serving.start()
    channel = VpcdChannel(port=serving.port)
    limits = ReadLimits(connect_ms=200, command_ms=100, total_ms=350)
    try:
        result = read_chip(channel, PAPER.profile.mrz, limits=limits)
    finally:
        channel.close()
        serving.stop()
    assert isinstance(result, ChipUnread)
    assert result.reason is Reason.SILENT
    assert "did not answer" in result.detail


def test_a_chip_that_goes_away_over_tcp(server: VpiccServer) -> None:
    channel = VpcdChannel(port=server.port)
    channel.connect(1000)
    server.stop()
    with pytest.raises(ChipFailed) as raised:
        channel.transmit(bytes.fromhex("00A4000C"), 1000)
    assert raised.value.reason is Reason.REMOVED
    result = read_chip(channel, PAPER.profile.mrz, limits=ReadLimits(connect_ms=50))
    assert isinstance(result, ChipUnread)
    assert result.reason is Reason.NO_CHIP
    channel.close()


def test_a_chip_that_is_silent_over_tcp() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        held: list[socket.socket] = []
        thread = threading.Thread(target=lambda: held.append(listener.accept()[0]), daemon=True)
        thread.start()
        channel = VpcdChannel(port=listener.getsockname()[1])
        with pytest.raises(ChipFailed) as raised:
            channel.connect(50)
        assert raised.value.reason is Reason.SILENT
        channel.close()
        thread.join(timeout=5)
        held[0].close()


def test_without_pyscard_the_remedy_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "smartcard", None)
    with pytest.raises(DeviceError, match=r"tongguan\[chip\]"):
        PcscChannel()


@pytest.mark.slow
def test_the_real_path_from_pyscard_through_pcscd_to_the_chip(tmp_path: Path) -> None:
    with VirtualReader(VirtualChip(PAPER.profile), tmp_path) as reader:
        channel = PcscChannel(f"{READER_NAME} 00 00")
        for _ in range(2):
            result = read_chip(channel, PAPER.profile.mrz)
            assert isinstance(result, ChipRead), result
            assert result.atr == PAPER.profile.atr
            assert result.protocol == "PACE-ECDH-GM-AES-128"
            assert result.files["DG2"] == PAPER.profile.files[0x0102]
        assert channel.is_present()

        reader.server.chip = VirtualChip(document().profile)
        other = read_chip(channel, PAPER.profile.mrz)
        assert isinstance(other, ChipRead)
        assert other.protocol == "BAC"
        channel.close()

        blank = PcscChannel(f"{READER_NAME} 00 01")
        nothing = read_chip(blank, PAPER.profile.mrz)
        assert isinstance(nothing, ChipUnread)
        assert nothing.reason is Reason.UNSUPPORTED
        blank.close()

        with pytest.raises(DeviceError, match="set one of: Tongguan Virtual"):
            PcscChannel("another reader").connect(100)
    # No service now, or that of another test, which has no such reader.
    with pytest.raises(DeviceError, match=r"start pcscd|set one of"):
        PcscChannel("a reader that nobody has").connect(100)


@pytest.mark.slow
def test_a_chip_that_hangs_behind_pcscd_is_given_up_in_time(tmp_path: Path) -> None:
    class Hanging(VirtualChip):
        def process(self, raw: bytes) -> bytes:
            if is_hanging:
                released.wait(10)
            return super().process(raw)

    released, is_hanging = threading.Event(), True
    key: MrzKey = PAPER.profile.mrz
    with VirtualReader(Hanging(PAPER.profile), tmp_path):
        channel = PcscChannel(f"{READER_NAME} 00 00")
        channel.connect(1000)
        with pytest.raises(ChipFailed) as raised:
            channel.transmit(bytes.fromhex("00A4000C023F00"), 150)
        assert raised.value.reason is Reason.SILENT
        is_hanging = False
        released.set()
        assert isinstance(read_chip(channel, key), ChipRead)
        channel.close()
