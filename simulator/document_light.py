"""The twin of a document reader's lamps, at the other end of a pty. Written from docs/protocols/document-light.md."""

from __future__ import annotations

import contextlib
import os
import random
import select
import threading
import time
import tty
from enum import StrEnum
from types import TracebackType
from typing import Self

from drivers.camera.light import LightStep
from drivers.camera.light_line import MAX_LINE_BYTES, STEPS, WORDS, LightLine, parse_light_line

CURRENT_MA = {LightStep.WHITE: 180, LightStep.INFRARED: 310, LightStep.ULTRAVIOLET: 240, LightStep.OFF: 0}
RETURN_S = 1.0


class LightTwinFault(StrEnum):
    """Each lasts until `heal`."""

    SILENT = "silent"
    LATE = "late"
    """Answers so many milliseconds after the order (400)."""
    GARBLE = "garble"
    """This share of the bytes it sends is wrong (0.2)."""
    DARK = "dark"
    """The infrared and ultraviolet lamps draw no current any more, which is measured and told."""
    HOT = "hot"
    """Refuses all but white."""
    STUCK = "stuck"
    """Says that it shows the step, and goes on showing white."""
    UNPLUG = "unplug"


_DEFAULTS = {LightTwinFault.LATE: 400.0, LightTwinFault.GARBLE: 0.2}


class PtyDocumentLight:
    """Lamps that burn in a thread of their own. `step` is what the glass is really lit with now."""

    def __init__(self, *, seed: int = 1) -> None:
        self._master, self._slave = os.openpty()
        tty.setraw(self._slave)
        self.port = os.ttyname(self._slave)
        self._rng = random.Random(seed)
        self._faults: dict[LightTwinFault, float] = {}
        self._step = LightStep.WHITE
        self._until_s = 0.0
        self.shown: list[LightStep] = []
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"lamps {self.port}", daemon=True)
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def step(self) -> LightStep:
        """White again a second after the last order: a host that died leaves no ultraviolet lamp burning."""
        return self._step if time.monotonic() < self._until_s else LightStep.WHITE

    def inject(self, fault: LightTwinFault, value: float | None = None) -> None:
        self._faults[fault] = _DEFAULTS.get(fault, 1.0) if value is None else value
        if fault is LightTwinFault.UNPLUG:
            self._hang_up()

    def heal(self) -> None:
        self._faults.clear()

    def close(self) -> None:
        if self._closing.is_set():
            return
        self._closing.set()
        self._thread.join()
        self._hang_up()

    def _hang_up(self) -> None:
        for end in (self._master, self._slave):
            with contextlib.suppress(OSError):
                os.close(end)

    def _run(self) -> None:
        held = b""
        while not self._closing.is_set() and LightTwinFault.UNPLUG not in self._faults:
            try:
                if not select.select([self._master], [], [], 0.02)[0]:
                    continue
                held += os.read(self._master, 256)
            except (OSError, ValueError):
                return
            *complete, held = held.split(b"\n")
            held = held[-MAX_LINE_BYTES:]
            for one in complete:
                order = parse_light_line(one)
                if order is not None and LightTwinFault.SILENT not in self._faults:
                    self._obey(order)

    def _obey(self, order: LightLine) -> None:
        answer = self._answer(order)
        self._closing.wait(self._faults.get(LightTwinFault.LATE, 0.0) / 1000)
        share = self._faults.get(LightTwinFault.GARBLE, 0.0)
        sent = bytes(self._rng.randrange(256) if self._rng.random() < share else byte for byte in answer.encode())
        with contextlib.suppress(OSError):
            os.write(self._master, sent)

    def _answer(self, order: LightLine) -> LightLine:
        if order.verb == "HELLO":
            return LightLine(number=order.number, verb="OK", words=("TONGGUAN-LIGHT", "1", "WHITE", "IR", "UV"))
        step = STEPS.get(order.words[0]) if order.verb == "SHOW" and len(order.words) == 1 else None
        if step is None:
            return LightLine(number=order.number, verb="NO", words=("ORDER",))
        if LightTwinFault.HOT in self._faults and step is not LightStep.WHITE:
            return LightLine(number=order.number, verb="NO", words=("HOT",))
        is_dead = LightTwinFault.DARK in self._faults and step in (LightStep.INFRARED, LightStep.ULTRAVIOLET)
        is_stuck = LightTwinFault.STUCK in self._faults
        self._step = LightStep.OFF if is_dead else LightStep.WHITE if is_stuck else step
        self._until_s = time.monotonic() + RETURN_S
        self.shown.append(self._step)
        current_ma = 0 if is_dead else CURRENT_MA[step]
        return LightLine(number=order.number, verb="OK", words=(WORDS[step], str(current_ma)))
