"""``gate bench vision``: a face in a 640x480 frame, found and embedded, and documents read, beside their peers on one thread."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import track

from models.face import FaceDetector, FaceEmbedder, FaceTracker, align, assess, cosine
from models.manifest import FACE_DETECTOR, FACE_EMBEDDER, Preparation
from models.prepare import prepare
from models.session import ModelSession
from models.store import ModelStore
from simulator.bench_mrz import run_bench_mrz
from simulator.frames import face_frame
from simulator.photos import PhotoLibrary

Image = NDArray[np.uint8]
Template = NDArray[np.float32]
Run = Callable[[Image], Template | None]

SMALLEST_EYES_PX = 18.0
"""As the lane's face camera counts people (``gate.lane.face_watch``)."""
RELATIVE_SIZE = 0.35
_FRAMES_A_WALK_UP = 10
_NEAR_ENOUGH = 0.35
"""From here on the simulated walker's eyes are 40 px apart: the lane makes templates."""
_WARM_UP_FRAMES = 3


def run_bench_vision(*, frames: int, is_json: bool, pages: int = 12) -> int:
    """Measure and print; returns the exit code. ModelError or PhotoError when models or photographs are missing.

    ``pages`` is how many rendered documents the MRZ readers get (none: their block is left out).
    """
    cv2.setNumThreads(1)
    store = ModelStore()
    pictures = walk_up(frames + _WARM_UP_FRAMES)
    with tempfile.TemporaryDirectory() as folder:
        ours = Ours(store)
        found, missing = peers(store, Path(folder))
        runs: dict[str, Run] = {"ours": ours} | found
        console = Console(stderr=True)
        is_shown = console.is_terminal and not is_json
        # Taken in turn on every frame, so that a busy moment of the machine hits all of them alike.
        times_ms: dict[str, list[float]] = {name: [] for name in runs}
        cpu_ms: dict[str, list[float]] = {name: [] for name in runs}
        overheads: list[float] = []
        for i, picture in enumerate(track(pictures, "Measuring", console=console, disable=not is_shown)):
            for name, run in runs.items():
                inference_before_ns = ours.inference_ns
                started_ns, cpu_started_ns = time.perf_counter_ns(), time.thread_time_ns()
                run(picture)
                cpu_ns, elapsed_ns = time.thread_time_ns() - cpu_started_ns, time.perf_counter_ns() - started_ns
                if i < _WARM_UP_FRAMES:
                    continue
                times_ms[name].append(elapsed_ns / 1e6)
                cpu_ms[name].append(cpu_ns / 1e6)
                if name == "ours":
                    overheads.append(elapsed_ns / max(1, ours.inference_ns - inference_before_ns))
        report = summary(times_ms, overheads) | {"cpu": summary(cpu_ms, overheads)["peers"]}
        report["ours_cpu_ms_p50"] = round(statistics.median(cpu_ms["ours"]), 2)
        report["agreement_cosine"] = agreement(ours, runs["opencv"], pictures[:: max(1, len(pictures) // 8)])
    report["peers"] = dict(_block(report["peers"])) | dict.fromkeys(missing)
    if pages:
        report["mrz"], missing_readers = run_bench_mrz(store, pages)
        missing |= missing_readers
    print(json.dumps(report) if is_json else in_words(report))
    for name, reason in missing.items():
        print(f"{name} was not measured: {reason}; `pip install tongguan[bench]` brings the peers", file=sys.stderr)
    return 0


class Ours:
    """What the lane does with a frame of which it makes a template: search, judge, align, embed."""

    def __init__(self, store: ModelStore) -> None:
        self._sessions = [ModelSession(store, name, threads=1) for name in (FACE_DETECTOR, FACE_EMBEDDER)]
        for session in self._sessions:
            session.warm_up()
        detector = FaceDetector(self._sessions[0])
        self._tracker = FaceTracker(detector, smallest_eyes_px=SMALLEST_EYES_PX, relative_size=RELATIVE_SIZE)
        self._embedder = FaceEmbedder(self._sessions[1])

    @property
    def inference_ns(self) -> int:
        """Bare time inside the models so far."""
        return sum(session.inference_ns for session in self._sessions)

    def __call__(self, image_bgr: Image) -> Template | None:
        faces = self._tracker.look(image_bgr)
        if not faces:
            return None
        crop = align(image_bgr, faces[0])
        assess(image_bgr, faces[0], faces, crop_rgb=crop)
        return self._embedder.embed_aligned(crop)


def walk_up(count: int) -> list[Image]:
    """Return ``count`` uint8 (480, 640, 3) BGR frames of people who walk up, from where they are near enough to be compared."""
    rng = np.random.default_rng(2026)
    people = PhotoLibrary().people()
    frames = []
    for i in range(count):
        person = people[i // _FRAMES_A_WALK_UP % len(people)]
        approach = _NEAR_ENOUGH + (1 - _NEAR_ENOUGH) * (i % _FRAMES_A_WALK_UP) / (_FRAMES_A_WALK_UP - 1)
        frames.append(face_frame(person.live, approach=approach, rng=rng))
    return frames


def peers(store: ModelStore, folder: Path) -> tuple[dict[str, Run], dict[str, str]]:
    """The peers that are installed, and why others are not measured. ``folder``: where their weight files may be written."""
    found: dict[str, Run] = {"opencv": _opencv(store, folder)}
    dlib = _face_recognition()
    if isinstance(dlib, str):
        return found, {"face_recognition": dlib}
    return found | {"face_recognition": dlib}, {}


def _opencv(store: ModelStore, folder: Path) -> Run:
    """OpenCV's two classes with the same weights, written as published: our rewriting would slow OpenCV down."""
    entry = store.manifest.entry(FACE_EMBEDDER)
    distribution = importlib.metadata.distribution(entry.source.package)
    source = Path(str(distribution.locate_file(entry.source.file))).read_bytes()
    published = folder / "sface.onnx"
    published.write_bytes(prepare(source, Preparation.EXPAND_QUANTISED))
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
    detector = cv2.FaceDetectorYN.create(str(store.path(FACE_DETECTOR)), "", (640, 480), 0.8)
    recogniser = cv2.FaceRecognizerSF.create(str(published), "")

    def run(image_bgr: Image) -> Template | None:
        _, faces = detector.detect(image_bgr)
        # OpenCV's type stub does not know that an empty picture gives None.
        if not isinstance(faces, np.ndarray) or not len(faces):
            return None
        largest = max(faces, key=lambda face: float(face[2] * face[3]))
        row = np.asarray(recogniser.feature(recogniser.alignCrop(image_bgr, largest))[0], np.float32)
        return np.asarray(row / np.linalg.norm(row), np.float32)

    return run


def _face_recognition() -> Run | str:
    """dlib's pipeline, or why it cannot be measured."""
    # face_recognition ends the process when its models are missing, so they are looked for first.
    for name in ("face_recognition", "face_recognition_models", "dlib"):
        if importlib.util.find_spec(name) is None:
            return f"the package {name} is not installed"
    try:
        import face_recognition  # type: ignore[import-not-found,unused-ignore]
    except (ImportError, SystemExit) as error:
        return f"face_recognition cannot be imported ({error}; it needs setuptools before 81)"

    def run(image_bgr: Image) -> Template | None:
        image_rgb = np.ascontiguousarray(image_bgr[:, :, ::-1])
        boxes = face_recognition.face_locations(image_rgb)
        rows = face_recognition.face_encodings(image_rgb, boxes[:1])
        return np.asarray(rows[0], np.float32) if rows else None

    return run


def agreement(ours: Run, theirs: Run, pictures: Sequence[Image]) -> float:
    """The least cosine between our template and a peer's of the same model: that both did the same work."""
    cosines = []
    for picture in pictures:
        a, b = ours(picture), theirs(picture)
        if a is not None and b is not None:
            cosines.append(cosine(a, b))
    return round(min(cosines, default=0.0), 4)


def summary(times_ms: dict[str, list[float]], overheads: Sequence[float]) -> dict[str, object]:
    """The report's keys: medians over the frames; a peer's ratio is the median of the ratios of the same frames."""
    ours = times_ms["ours"]
    return {
        "frames": len(ours),
        "ours_ms_p50": round(statistics.median(ours), 2),
        "overhead_ratio": round(statistics.median(overheads), 3),
        "peers": {
            name: {
                "ms_p50": round(statistics.median(times), 2),
                "ratio": round(statistics.median(their / our for their, our in zip(times, ours, strict=True)), 2),
            }
            for name, times in times_ms.items()
            if name != "ours"
        },
    }


def in_words(report: dict[str, object]) -> str:
    """The report for a person to read."""
    lines = [
        f"ours: {report['ours_ms_p50']} ms a frame, {report['overhead_ratio']} times its bare inference "
        f"({report['frames']} frames of 640x480, one thread)"
    ]
    lines += [
        f"{name}: {item['ms_p50']} ms, {item['ratio']} times ours"
        for name, item in _block(report["peers"]).items()
        if item is not None
    ]
    if "mrz" in report:
        block = _block(report["mrz"])
        lines.append(f"documents ({block['pages']}, {block['source']}):")
        lines += [
            f"  {name}: {item['exact']} exact, {item['refused']} refused, {item['misread_flagged']} misread but flagged, "
            f"{item['wrong_accepted']} wrong but accepted, {item['ms_p50']} ms a page"
            for name, item in ({"ours": block["ours"]} | _block(block["peers"])).items()
            if item is not None
        ]
    return "\n".join(lines)


def _block(value: object) -> dict[str, Any]:
    """A part of the report that is itself an object."""
    if not isinstance(value, dict):
        raise TypeError(f"the report holds {type(value).__name__} where an object belongs")
    return value
