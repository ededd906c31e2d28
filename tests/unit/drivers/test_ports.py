"""A port that is missing, busy or no port at all is one clear sentence; the driver frees what it took."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

import pytest

from drivers.errors import DeviceError
from drivers.lane_io import LaneLinkDriver
from drivers.registry import BUILT_IN, device_kinds, load_device
from drivers.transport import open_serial
from simulator.board import PtyBoard


async def test_missing_port_names_it_and_the_remedy() -> None:
    with pytest.raises(DeviceError) as refusal:
        await LaneLinkDriver("/dev/ttyLANE7").start(lambda report: None)
    assert str(refusal.value) == (
        "Serial port /dev/ttyLANE7 does not exist; plug the device in or set the port it is at (see /dev/serial/by-id)."
    )


async def test_busy_port_names_it_and_the_remedy() -> None:
    with PtyBoard() as board:
        first, second = LaneLinkDriver(board.port), LaneLinkDriver(board.port)
        await first.start(lambda report: None)
        try:
            with pytest.raises(DeviceError, match=f"{board.port} is in use by another program; stop that program"):
                await second.start(lambda report: None)
        finally:
            await first.stop()
        await second.start(lambda report: None)
        await second.stop()


async def test_driver_is_started_once_and_stopped_as_often_as_one_likes() -> None:
    with PtyBoard() as board:
        lane = LaneLinkDriver(board.port)
        await lane.start(lambda report: None)
        with pytest.raises(RuntimeError):
            await lane.start(lambda report: None)
        await lane.stop()
        await lane.stop()


def test_file_that_is_no_port_is_one_sentence(tmp_path: Path) -> None:
    path = tmp_path / "port"
    path.write_text("")
    with pytest.raises(DeviceError, match="is not a usable serial device") as refusal:
        open_serial(str(path), 115_200)
    assert "\n" not in str(refusal.value)


def test_impossible_rate_is_one_sentence() -> None:
    with PtyBoard() as board, pytest.raises(DeviceError, match="cannot run at -1 baud"):
        open_serial(board.port, -1)


@pytest.mark.parametrize("kind", sorted(BUILT_IN))
def test_every_built_in_kind_is_where_the_registry_says_and_refuses_what_it_does_not_know(kind: str) -> None:
    module, _, name = BUILT_IN[kind].partition(":")
    assert callable(getattr(import_module(module), name))
    with pytest.raises(DeviceError, match=f"'{kind}' does not take these settings"):
        load_device(kind, no_such_setting=1)


def test_kinds_are_made_of_their_settings() -> None:
    settings = {
        "lane_link": {"port": "/dev/ttyLANE7"},
        "folder_camera": {"source": "/nowhere"},
        "opencv_camera": {"source": "0"},
        "mjpeg_camera": {"url": "http://camera/face"},
        "serial_thermometer": {"port": "/dev/ttyT"},
    }
    for kind, values in settings.items():
        assert type(load_device(kind, **values)).__name__ == BUILT_IN[kind].rpartition(":")[2]


def test_kinds_of_other_packages_are_found_and_cannot_replace_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    class Entry:
        name = "acme"

        def load(self) -> dict[str, object]:
            return {"acme_board": lambda port: ("acme", port), "lane_link": lambda port: ("thief", port)}

    monkeypatch.setattr("drivers.registry.entry_points", lambda group: [Entry()])
    assert load_device("acme_board", port="p") == ("acme", "p")
    assert isinstance(load_device("lane_link", port="p"), LaneLinkDriver)
    assert "acme_board" in device_kinds()


def test_wrong_kind_settings_and_package_are_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    class Broken:
        name = "broken"

        def load(self) -> None:
            raise ImportError("no module named broken")

    monkeypatch.setattr("drivers.registry.entry_points", lambda group: [])
    with pytest.raises(DeviceError, match=r"no device kind 'turnstyle'; set one of .*folder_camera, lane_link"):
        load_device("turnstyle")
    with pytest.raises(DeviceError, match="'lane_link' does not take these settings"):
        load_device("lane_link", prot="p")
    monkeypatch.setattr("drivers.registry.entry_points", lambda group: [Broken()])
    with pytest.raises(DeviceError, match="'broken' of an installed package do not load"):
        load_device("turnstyle")
