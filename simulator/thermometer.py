"""The twin of a serial line thermometer: prints measurements into a pty as the real one does into its cable."""

from __future__ import annotations

import contextlib
import os
import random
import threading
import tty
from types import TracebackType
from typing import Self

_NOISE_CELSIUS = 0.03


class PtyThermometer:
    """Measures whoever is `set` in front of it, with a little noise, ten times a second."""

    def __init__(self, *, interval_s: float = 0.1, ambient_celsius: float = 22.0, seed: int = 1) -> None:
        self._master, self._slave = os.openpty()
        tty.setraw(self._slave)
        os.set_blocking(self._master, False)
        self.port = os.ttyname(self._slave)
        self._interval_s = interval_s
        self._ambient_celsius = ambient_celsius
        self._rng = random.Random(seed)
        self._celsius: float | None = None
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"thermometer twin {self.port}", daemon=True)
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def set(self, celsius: float | None) -> None:
        """The forehead's temperature of who is there; None for nobody."""
        self._celsius = celsius

    def close(self) -> None:
        if self._closing.is_set():
            return
        self._closing.set()
        self._thread.join()
        os.close(self._master)
        os.close(self._slave)

    def _run(self) -> None:
        while not self._closing.wait(self._interval_s):
            celsius = self._celsius
            body = "--" if celsius is None else f"{self._rng.gauss(celsius, _NOISE_CELSIUS):.2f}"
            # Nobody reading is no reason to stop measuring.
            with contextlib.suppress(BlockingIOError):
                os.write(self._master, f"T={body} A={self._ambient_celsius:.1f}\r\n".encode())
