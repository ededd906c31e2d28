"""What goes wrong for a person who runs a gate: one clear sentence that names the thing and what to do, exit code 2, no traceback."""

import contextlib
import fcntl
import os
import shutil
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from config.loader import dump_site, parse_site
from config.schema import Site
from gate.wire.keyring import Keyring
from models.store import ModelStore, default_cache_dir
from simulator.port import free_port

TIMEOUT_S = 60

pytestmark = pytest.mark.slow


def run_gate(*arguments: object, **environment: str) -> tuple[int, str, str]:
    """(exit code, standard output, standard error) of the real command."""
    done = subprocess.run(
        [sys.executable, "-m", "gate", *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
        env=os.environ | {"OMP_NUM_THREADS": "1", **environment},
    )
    return done.returncode, done.stdout, done.stderr


def refuses(*arguments: object, names: tuple[str, ...], remedy: str, **environment: str) -> None:
    """The command ends with code 2 and one sentence in which each of ``names`` and the remedy is found."""
    code, output, errors = run_gate(*arguments, **environment)
    assert code == 2, (code, output, errors)
    lines = errors.strip().splitlines()
    assert len(lines) == 1, errors
    assert lines[0].startswith("gate: ")
    for name in (*names, remedy):
        assert name in lines[0], f"{name!r} is not in {lines[0]!r}"
    assert output == ""


class Folder:
    """A site of one lane whose board is at ``serial``, nothing embedded unless a test changes it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for name in ("face", "document"):
            (folder / name).mkdir()
            cv2.imwrite(str(folder / name / "dark.png"), np.zeros((48, 64, 3), np.uint8))

    @property
    def file(self) -> Path:
        return self.folder / "site.toml"

    def site(self, *, board: str = "/dev/none", has_keys: bool = True, **changes: Any) -> Site:
        data: dict[str, Any] = {
            "port": {"id": "p", "title": "P"},
            "state_dir": str(self.folder / "state"),
            "broker": {"port": free_port()},
            "hub": {"url": f"http://127.0.0.1:{free_port()}"},
            "policy": {"mode": "gate", "lookups": [], "is_temperature_checked": False},
            "lane": [
                {
                    "id": "lane-1",
                    "board": {"port": board},
                    "face_camera": {"kind": "folder", "source": str(self.folder / "face")},
                    "document_camera": {"kind": "folder", "source": str(self.folder / "document")},
                }
            ],
        }
        made = parse_site(data | changes, origin="test")
        dump_site(made, self.file)
        if has_keys:
            Keyring(made.keys_dir).create_missing(["lane-1"])
        return made


@pytest.fixture
def place(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


@contextlib.contextmanager
def listener(answer: bytes) -> Iterator[int]:
    """Something that listens on a port, answers every caller with ``answer`` and hangs up."""
    server = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        with contextlib.suppress(OSError):
            while True:
                line, _ = server.accept()
                with line, contextlib.suppress(OSError):
                    line.recv(1024)
                    line.sendall(answer)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield int(server.getsockname()[1])
    finally:
        server.shutdown(socket.SHUT_RDWR)
        server.close()
        thread.join(5)


def test_a_site_file_that_is_not_there(tmp_path: Path) -> None:
    missing = tmp_path / "nowhere.toml"
    refuses("run", "--site", missing, "--lane", "lane-1", names=(str(missing),), remedy="pass one with --site")


def test_a_site_file_that_is_no_toml(tmp_path: Path) -> None:
    broken = tmp_path / "broken.toml"
    broken.write_text('[port]\nid = "p\n')
    refuses("hub", "--site", broken, names=(str(broken), "line 2"), remedy="mend that line")


def test_a_site_file_that_is_no_text(tmp_path: Path) -> None:
    broken = tmp_path / "broken.toml"
    broken.write_bytes(b"\xff\xfe\x00broken")
    refuses("hub", "--site", broken, names=(str(broken),), remedy="check the path")


def test_an_unknown_key(place: Folder) -> None:
    place.site()
    place.file.write_text(place.file.read_text().replace("[policy]", "[policy]\nentry_timout_ms = 5000"))
    refuses(
        "run", "--site", place.file, "--lane", "lane-1",
        names=(str(place.file), "policy.entry_timout_ms"), remedy="check its spelling",
    )  # fmt: skip


def test_a_value_that_cannot_be(place: Folder) -> None:
    place.site()
    place.file.write_text(place.file.read_text().replace("face_timeout_ms = 8000", "face_timeout_ms = 5"))
    refuses("hub", "--site", place.file, names=("policy.face_timeout_ms",), remedy="greater than or equal to 1000")


def test_a_lane_that_the_site_does_not_have(place: Folder) -> None:
    place.site()
    refuses("run", "--site", place.file, "--lane", "lane-7", names=("'lane-7'", "lane-1"), remedy="--lane")


def test_keys_that_are_missing(place: Folder) -> None:
    place.site(has_keys=False)
    refuses("run", "--site", place.file, "--lane", "lane-1", names=("keys/lane-lane-1.pem",), remedy="gate keys init")
    refuses("hub", "--site", place.file, names=("hub.pem",), remedy="gate keys init")


def test_a_key_that_is_no_key(place: Folder) -> None:
    site = place.site()
    (site.keys_dir / "lane-lane-1.pem").write_text("not a key")
    refuses("run", "--site", place.file, "--lane", "lane-1", names=("lane-lane-1.pem",), remedy="replace it")


def test_a_serial_device_that_is_not_there(place: Folder) -> None:
    place.site(board=str(place.folder / "ttyUSB7"))
    refuses(
        "run",
        "--site",
        place.file,
        "--lane",
        "lane-1",
        names=("ttyUSB7", "does not exist"),
        remedy="plug the device in",
    )


def test_a_serial_port_that_another_program_holds(place: Folder) -> None:
    master, slave = os.openpty()
    try:
        fcntl.flock(slave, fcntl.LOCK_EX)
        place.site(board=os.ttyname(slave))
        refuses(
            "run",
            "--site",
            place.file,
            "--lane",
            "lane-1",
            names=(os.ttyname(slave), "in use"),
            remedy="stop that program",
        )
    finally:
        os.close(slave)
        os.close(master)


def test_a_camera_folder_that_is_empty(place: Folder) -> None:
    master, slave = os.openpty()
    try:
        place.site(board=os.ttyname(slave))
        (place.folder / "face" / "dark.png").unlink()
        refuses(
            "run",
            "--site",
            place.file,
            "--lane",
            "lane-1",
            names=(str(place.folder / "face"),),
            remedy="put a JPEG or PNG",
        )
    finally:
        os.close(slave)
        os.close(master)


def test_a_device_kind_that_nobody_has(place: Folder) -> None:
    site = place.site()
    text = place.file.read_text().replace('kind = "lane_link"', 'kind = "turnstile_9000"')
    assert site.lanes[0].board.kind == "lane_link"
    place.file.write_text(text)
    refuses(
        "run", "--site", place.file, "--lane", "lane-1", names=("'turnstile_9000'", "simulated"), remedy="set one of"
    )


def test_a_model_file_with_one_wrong_byte(place: Folder) -> None:
    place.site()
    cache = place.folder / "cache"
    shutil.copytree(default_cache_dir() / "models", cache / "models")
    victim = ModelStore(cache).path("face-embedder")
    data = bytearray(victim.read_bytes())
    data[len(data) // 2] ^= 1
    victim.write_bytes(data)
    refuses(
        "run", "--site", place.file, "--lane", "lane-1",
        names=("face-embedder", "corrupt", str(victim)), remedy="gate models prepare", TONGGUAN_CACHE=str(cache),
    )  # fmt: skip


def test_models_that_were_never_prepared(place: Folder) -> None:
    place.site()
    refuses(
        "run", "--site", place.file, "--lane", "lane-1",
        names=("is not prepared",), remedy="gate models prepare", TONGGUAN_CACHE=str(place.folder / "empty"),
    )  # fmt: skip


def test_a_hub_port_that_is_taken(place: Folder) -> None:
    with listener(b"") as taken:
        place.site(hub={"url": f"http://127.0.0.1:{taken}"})
        refuses("hub", "--site", place.file, names=(f"127.0.0.1:{taken}", "in use"), remedy="[hub] url")


def test_a_lane_whose_embedded_hub_would_be_somebody_else(place: Folder) -> None:
    with listener(b"HTTP/1.0 404 Not Found\r\n\r\n") as taken:
        place.site(hub={"url": f"http://127.0.0.1:{taken}", "is_embedded": True})
        refuses(
            "run", "--site", place.file, "--lane", "lane-1", names=(f"127.0.0.1:{taken}", "no hub"), remedy="[hub] url"
        )


def test_a_broker_port_that_something_else_listens_on(place: Folder) -> None:
    with listener(b"HTTP/1.0 400 Bad Request\r\n\r\n") as taken:
        place.site(broker={"port": taken, "is_embedded": True})
        refuses(
            "run",
            "--site",
            place.file,
            "--lane",
            "lane-1",
            names=(f"127.0.0.1:{taken}", "no MQTT broker"),
            remedy="[broker] port",
        )


def test_a_state_folder_that_cannot_be_written(place: Folder) -> None:
    site = place.site(has_keys=False)
    shutil.rmtree(site.state_dir, ignore_errors=True)
    Keyring(site.keys_dir).create_missing(["lane-1"])
    (site.state_dir / "lane-lane-1.sqlite").mkdir()
    refuses(
        "run",
        "--site",
        place.file,
        "--lane",
        "lane-1",
        names=("lane-lane-1.sqlite", "cannot be used"),
        remedy="check the folder",
    )


def test_a_broken_scenario(tmp_path: Path) -> None:
    file = tmp_path / "scenario.toml"
    file.write_text('title = "x"\n[[traveller]]\nid = "a"\n')
    refuses("demo", "--headless", "--scenario", file, names=(str(file), "traveller.0.title"), remedy="wrong at")


def test_a_wrong_option_is_told_and_is_code_2() -> None:
    code, output, errors = run_gate("run", "--sight", "x")
    assert (code, output) == (2, "")
    assert "--sight" in errors
    assert "Traceback" not in errors
