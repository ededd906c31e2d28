"""A hub without a broker (messages are handed to it), and a real mosquitto where the wire itself is the subject."""

import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from api_kit import Api
from hub_kit import FakeLane, make_hub, make_site, wait_for

from gate.core.clock import ManualClock
from gate.hub.service import Hub


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def hub(tmp_path: Path, clock: ManualClock) -> Iterator[Hub]:
    """Not started: it has its tables, and takes what a test gives it."""
    made = make_hub(make_site(tmp_path), clock)
    made.store.migrate()
    yield made
    made.stop()


@pytest.fixture
def api(hub: Hub) -> Iterator[Api]:
    made = Api(hub)
    yield made
    made.http.close()


@pytest.fixture
def lane(clock: ManualClock) -> FakeLane:
    return FakeLane(clock)


class Mosquitto:
    """A broker that can be stopped and started again on the same port."""

    def __init__(self, folder: Path) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port: int = probe.getsockname()[1]
        self._config = folder / "mosquitto.conf"
        self._config.write_text(
            f"listener {self.port} 127.0.0.1\nallow_anonymous true\nset_tcp_nodelay true\n"
            "max_queued_messages 0\npersistence false\n"
        )
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        program = shutil.which("mosquitto") or "/usr/sbin/mosquitto"
        self._process = subprocess.Popen(
            [program, "-c", str(self._config)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        wait_for(self._answers, "mosquitto listens")

    def stop(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait(10)
            self._process = None

    def _answers(self) -> bool:
        try:
            socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
        except OSError:
            return False
        return True


@pytest.fixture
def mosquitto(tmp_path: Path) -> Iterator[Mosquitto]:
    if shutil.which("mosquitto") is None and not Path("/usr/sbin/mosquitto").exists():
        message = "mosquitto is not installed: apt-get install mosquitto"
        if os.environ.get("CI"):
            pytest.fail(message)
        pytest.skip(message)
    broker = Mosquitto(tmp_path)
    broker.start()
    yield broker
    broker.stop()
