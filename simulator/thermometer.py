"""The twins of the thermometers: what they see goes into a pty as the real ones send it into their cables (docs/protocols/thermal.md)."""

from __future__ import annotations

import contextlib
import os
import random
import threading
import tty
from abc import ABC, abstractmethod
from enum import StrEnum
from types import TracebackType
from typing import Self

import numpy as np

from drivers.thermal.frame import ThermalFrame, encode_frame
from drivers.thermal.interface import Box

_NOISE_CELSIUS = 0.03
_PIXEL_NOISE_CELSIUS = 0.08
_CLOTHES_CELSIUS = 29.0


class ThermalFault(StrEnum):
    """Each lasts until `heal`."""

    SILENT = "silent"
    LATE = "late"
    """Each measurement comes so many milliseconds after it was made (200)."""
    GARBLE = "garble"
    """This share of the bytes is wrong (0.2)."""
    DRIFT = "drift"
    """Everything, the black body too, is seen so many degrees too warm (1.2)."""
    BLACK_BODY_OFF = "black_body_off"
    """It has no power and takes the ambient's temperature."""
    BLACK_BODY_HIDDEN = "black_body_hidden"
    """Something stands before it."""
    UNPLUG = "unplug"


_DEFAULTS = {ThermalFault.LATE: 200.0, ThermalFault.GARBLE: 0.2, ThermalFault.DRIFT: 1.2}


class _PtyTwin(ABC):
    """Sends a measurement every ``interval_s`` from a thread of its own."""

    def __init__(
        self, *, interval_s: float, ambient_celsius: float, black_body_celsius: float | None, seed: int
    ) -> None:
        self._master, self._slave = os.openpty()
        tty.setraw(self._slave)
        os.set_blocking(self._master, False)
        self.port = os.ttyname(self._slave)
        self._interval_s = interval_s
        self.ambient_celsius = ambient_celsius
        self._black_body_celsius = black_body_celsius
        self._rng = random.Random(seed)
        self._faults: dict[ThermalFault, float] = {}
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

    def inject(self, fault: ThermalFault, value: float | None = None) -> None:
        self._faults[fault] = _DEFAULTS.get(fault, 1.0) if value is None else value

    def heal(self) -> None:
        self._faults.clear()

    def close(self) -> None:
        if self._closing.is_set():
            return
        self._closing.set()
        self._thread.join()
        os.close(self._master)
        os.close(self._slave)

    @property
    def _drift(self) -> float:
        return self._faults.get(ThermalFault.DRIFT, 0.0)

    @property
    def _black_body(self) -> float | None:
        """Its real temperature; None where there is none, or it is hidden."""
        if ThermalFault.BLACK_BODY_HIDDEN in self._faults:
            return None
        return self.ambient_celsius if ThermalFault.BLACK_BODY_OFF in self._faults else self._black_body_celsius

    @abstractmethod
    def _measurement(self, celsius: float | None) -> bytes: ...

    def _run(self) -> None:
        while not self._closing.wait(self._interval_s):
            if ThermalFault.SILENT in self._faults or ThermalFault.UNPLUG in self._faults:
                continue
            data = self._measurement(self._celsius)
            if self._closing.wait(self._faults.get(ThermalFault.LATE, 0.0) / 1000):
                return
            share = self._faults.get(ThermalFault.GARBLE, 0.0)
            if share:
                data = bytes(self._rng.randrange(256) if self._rng.random() < share else byte for byte in data)
            self._write(data)

    def _write(self, data: bytes) -> None:
        # Nobody reading is no reason to stop measuring; a cable holds what its buffer holds.
        while data and not self._closing.is_set():
            try:
                data = data[os.write(self._master, data) :]
            except BlockingIOError:
                if self._closing.wait(self._interval_s):
                    return
                if len(data) < 64:
                    return


class PtyThermometer(_PtyTwin):
    """Measures whoever is `set` in front of it at one point, with a little noise, ten times a second."""

    def __init__(
        self,
        *,
        interval_s: float = 0.1,
        ambient_celsius: float = 22.0,
        black_body_celsius: float | None = None,
        seed: int = 1,
    ) -> None:
        super().__init__(
            interval_s=interval_s, ambient_celsius=ambient_celsius, black_body_celsius=black_body_celsius, seed=seed
        )

    def _measurement(self, celsius: float | None) -> bytes:
        body = "--" if celsius is None else f"{self._rng.gauss(celsius + self._drift, _NOISE_CELSIUS):.2f}"
        black = ""
        if self._black_body_celsius is not None:
            seen = self._black_body
            black = " B=--" if seen is None else f" B={self._rng.gauss(seen + self._drift, _NOISE_CELSIUS):.2f}"
        return f"T={body} A={self.ambient_celsius:.1f}{black}\r\n".encode()

    def _write(self, data: bytes) -> None:
        with contextlib.suppress(BlockingIOError):
            os.write(self._master, data)


class PtyThermalArray(_PtyTwin):
    """A thermal camera of 24 rows and 32 columns before a wall, and a person of the temperature that is `set`, at `face_box`.

    ``black_body_box``: where the black body stands in the picture. `lamp_box` may hold a hot lamp beside the face.
    """

    ROWS, COLUMNS = 24, 32

    def __init__(
        self,
        *,
        interval_s: float = 0.125,
        ambient_celsius: float = 22.0,
        black_body_celsius: float | None = 35.0,
        black_body_box: Box = (0.0, 0.0, 0.15, 0.2),
        seed: int = 1,
    ) -> None:
        self.face_box: Box = (0.4, 0.3, 0.6, 0.6)
        self.lamp_box: Box | None = None
        self._black_body_box = black_body_box
        self._noise = np.random.default_rng(seed)
        self._sequence = 0
        super().__init__(
            interval_s=interval_s, ambient_celsius=ambient_celsius, black_body_celsius=black_body_celsius, seed=seed
        )

    def _measurement(self, celsius: float | None) -> bytes:
        self._sequence += 1
        scene = np.full((self.ROWS, self.COLUMNS), self.ambient_celsius - 1.0)
        if celsius is not None:
            left, top, right, bottom = self.face_box
            height = bottom - top
            self._paint(scene, (left - 0.15, bottom, right + 0.15, 1.0), _CLOTHES_CELSIUS)
            # Cheeks are cooler than the corners of the eyes.
            self._paint(scene, self.face_box, celsius - 1.5)
            self._paint(scene, (left, top + 0.25 * height, right, top + 0.5 * height), celsius)
        if self.lamp_box is not None:
            self._paint(scene, self.lamp_box, 42.0)
        if self._black_body_celsius is not None:
            seen = self._black_body
            self._paint(scene, self._black_body_box, seen if seen is not None else self.ambient_celsius)
            if seen is None:
                left, top, right, bottom = self._black_body_box
                self._paint(scene, (left, top, (left + right) / 2, bottom), _CLOTHES_CELSIUS)
        scene += self._drift + self._noise.normal(0, _PIXEL_NOISE_CELSIUS, scene.shape)
        return encode_frame(
            ThermalFrame(
                sequence=self._sequence, ambient_celsius=self.ambient_celsius, celsius=scene.astype(np.float32)
            )
        )

    def _paint(self, scene: np.ndarray, box: Box, celsius: float) -> None:
        left, top, right, bottom = (min(1.0, max(0.0, side)) for side in box)
        rows = slice(round(top * self.ROWS), round(bottom * self.ROWS))
        scene[rows, round(left * self.COLUMNS) : round(right * self.COLUMNS)] = celsius
