"""All devices of one lane as twins behind their real wires: board on a pty, cameras over HTTP, thermometer on a pty."""

import threading
import time
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np

from config.chip import ChipReader
from config.schema import Camera, Lane, Thermometer
from simulator.board import BoardModel, PtyBoard
from simulator.cameras import MjpegServer, Source
from simulator.chip.vpicc import Card, VpiccServer
from simulator.frames import empty_document_frame, empty_face_frame
from simulator.images import encode
from simulator.thermometer import PtyThermometer
from simulator.world import LaneWorld


class Reel:
    """A few encoded pictures shown in turn, as fast as a camera asks for them."""

    def __init__(self, pictures: tuple[bytes, ...]) -> None:
        self._pictures = pictures
        self._next = 0

    def __call__(self, _now_ns: int) -> bytes:
        self._next = (self._next + 1) % len(self._pictures)
        return self._pictures[self._next]


@dataclass(frozen=True, slots=True)
class _Idle:
    face: Reel
    document: Reel


class LaneTwin:
    """The devices of lane ``name``; :meth:`settings` says where a lane finds them."""

    def __init__(self, name: str, *, server: MjpegServer, folder: Path, seed: int, has_entry: bool = True) -> None:
        self.name = name
        rng = np.random.default_rng(seed)
        world = LaneWorld(has_entry=has_entry)
        self.board = PtyBoard(BoardModel(world, now_ns=time.monotonic_ns), link_at=folder / f"{name}.board")
        self.thermometer = PtyThermometer(seed=seed, interval_s=0.04)
        self.antenna = VpiccServer(None)
        self.antenna.start()
        self._server = server
        self._lock = threading.Lock()
        self._idle = _Idle(
            face=Reel(tuple(encode(empty_face_frame(rng=rng)) for _ in range(3))),
            document=Reel(tuple(encode(empty_document_frame(rng=rng)) for _ in range(3))),
        )
        self.show_face(None)
        self.show_document(None)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        self.antenna.stop()
        self.thermometer.close()
        self.board.close()

    def show_face(self, reel: Source | None) -> None:
        """What the face camera sees from now on; None: the empty hall."""
        self._server.set_source(f"{self.name}-face", reel or self._idle.face)

    def show_document(self, reel: Reel | None, chip: Card | None = None) -> None:
        """What the document camera sees from now on, and the chip's reader feels; None: the empty glass."""
        self.antenna.chip = chip
        self._server.set_source(f"{self.name}-document", reel or self._idle.document)

    def settings(self, lane: Lane) -> Lane:
        """``lane`` with its devices replaced by these."""
        return lane.model_copy(
            update={
                "board": lane.board.model_copy(update={"kind": "lane_link", "port": self.board.port}),
                "face_camera": self._camera(lane.face_camera, "face"),
                "document_camera": self._camera(lane.document_camera, "document"),
                "thermometer": Thermometer(port=self.thermometer.port),
                "chip_reader": lane.chip_reader and ChipReader(kind="vpcd", port=self.antenna.port, connect_ms=200),
            }
        )

    def _camera(self, camera: Camera, which: str) -> Camera:
        return Camera(kind="mjpeg", source=self._server.url(f"{self.name}-{which}"), frames_per_s=camera.frames_per_s)
