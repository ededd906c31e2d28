"""A PC/SC daemon of our own with vsmartcard's virtual reader, for as long as a test or a measurement needs it."""

from __future__ import annotations

import fcntl
import shutil
import subprocess
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import IO

from drivers.errors import DeviceError
from simulator.chip.vpicc import Card, OtherCard, VpiccServer

READER_NAME = "Tongguan Virtual"
_DRIVER = Path("/usr/lib/pcsc/drivers/serial/libifdvpcd.so")
_SOCKET = Path("/run/pcscd/pcscd.comm")
_PID = Path("/run/pcscd/pcscd.pid")
_START_S = 10.0
_TURN_S = 60.0
_POLL_S = 0.02
_PORT_TRIES = 50


class VirtualReader:
    """Runs pcscd with a reader for this chip, over the loopback interface only. A context manager.

    vpcd 3.3 has two slots, at a port and the next one, and ends the whole daemon when it connects (which it does given a host) and nobody
    listens at the second, or when what listens there has no answer to reset. So a card that is no passport is in the second.
    """

    def __init__(self, chip: Card, folder: Path) -> None:
        """``folder`` takes the configuration. Raises `DeviceError` when a part is missing or a pcscd already runs."""
        program = shutil.which("pcscd") or ("/usr/sbin/pcscd" if Path("/usr/sbin/pcscd").exists() else None)
        if program is None or not _DRIVER.exists():
            raise DeviceError("The virtual reader needs the system packages pcscd and vsmartcard-vpcd; install them.")
        self._turn = _take_turn()
        if _is_running():
            self._turn.close()
            raise DeviceError("A PC/SC service already runs; stop it, since a computer has room for one.")
        _clear()
        self._program = program
        self.server, self._second = _neighbours(chip)
        port = self.server.port
        self._config = folder / "reader.conf.d"
        self._config.mkdir(parents=True)
        (self._config / "virtual").write_text(
            f'FRIENDLYNAME "{READER_NAME}"\nDEVICENAME   127.0.0.1:{port}\nLIBPATH      {_DRIVER}\nCHANNELID    {port}\n'
        )
        self._log = folder / "pcscd.log"
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> VirtualReader:
        self.server.start()
        self._second.start()
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [self._program, "--foreground", "--config", str(self._config)], stdout=log, stderr=subprocess.STDOUT
            )
        until = time.monotonic() + _START_S
        while not _SOCKET.exists():
            if self._process.poll() is not None or time.monotonic() > until:
                self._end()
                raise DeviceError(f"pcscd does not start: {self._log.read_text(errors='replace').strip()[-300:]}")
            time.sleep(_POLL_S)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end()

    def _end(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            self._end_daemon(process)
        self.server.stop()
        self._second.stop()
        self._turn.close()

    @staticmethod
    def _end_daemon(process: subprocess.Popen[bytes]) -> None:
        process.terminate()
        try:
            process.wait(timeout=5.0)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        _clear()


def _neighbours(chip: Card) -> tuple[VpiccServer, VpiccServer]:
    for _ in range(_PORT_TRIES):
        first = VpiccServer(chip)
        try:
            return first, VpiccServer(OtherCard(), port=first.port + 1)
        except (OSError, OverflowError):
            first.stop()
    raise DeviceError("No two neighbouring ports are free; stop what holds so many.")


def _take_turn() -> IO[bytes]:
    """Waits while another virtual reader of ours runs; the turn ends when the file is closed, also by a process that dies."""
    turn = Path(tempfile.gettempdir(), "tongguan-pcscd.lock").open("ab")  # noqa: SIM115 - kept open for as long as the turn lasts
    until = time.monotonic() + _TURN_S
    while True:
        try:
            fcntl.flock(turn, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > until:
                turn.close()
                raise DeviceError("Another virtual reader runs for too long; end it.") from None
            time.sleep(_POLL_S)
        else:
            return turn


def _is_running() -> bool:
    try:
        pid = int(_PID.read_text())
        return "pcscd" in Path(f"/proc/{pid}/comm").read_text()
    except (OSError, ValueError):
        return False


def _clear() -> None:
    """What a daemon that was ended in the middle of its work leaves behind."""
    _SOCKET.unlink(missing_ok=True)
    _PID.unlink(missing_ok=True)
