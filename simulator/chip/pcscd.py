"""A PC/SC daemon of our own with vsmartcard's virtual reader, for as long as a test or a measurement needs it."""

from __future__ import annotations

import shutil
import subprocess
import time
from pathlib import Path
from types import TracebackType

from drivers.errors import DeviceError

READER_NAME = "Tongguan Virtual"
_DRIVER = Path("/usr/lib/pcsc/drivers/serial/libifdvpcd.so")
_SOCKET = Path("/run/pcscd/pcscd.comm")
_START_S = 10.0
_POLL_S = 0.02


class VirtualReader:
    """Runs pcscd with one reader that connects to the chip at ``port`` of the loopback interface. A context manager."""

    def __init__(self, port: int, folder: Path) -> None:
        """``folder`` takes the configuration. Raises `DeviceError` when a part is missing or a pcscd already runs."""
        program = shutil.which("pcscd") or ("/usr/sbin/pcscd" if Path("/usr/sbin/pcscd").exists() else None)
        if program is None or not _DRIVER.exists():
            raise DeviceError("The virtual reader needs the system packages pcscd and vsmartcard-vpcd; install them.")
        if _SOCKET.exists():
            raise DeviceError(f"A PC/SC service already runs ({_SOCKET}); stop it, since there is one of it at a time.")
        self._program = program
        self._config = folder / "reader.conf.d"
        self._config.mkdir(parents=True)
        (self._config / "virtual").write_text(
            f'FRIENDLYNAME "{READER_NAME}"\nDEVICENAME   127.0.0.1:{port}\nLIBPATH      {_DRIVER}\nCHANNELID    {port}\n'
        )
        self._log = folder / "pcscd.log"
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> VirtualReader:
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
        if process is None:
            return
        process.terminate()
        try:
            process.wait(timeout=5.0)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
