"""The MRZ part of ``gate bench vision``: whole documents read by us and by what a user would pick instead, in one run.

A peer that is not installed is named with the reason; nothing is fetched. ``fastmrz`` is AGPL and therefore not among them.
"""

from __future__ import annotations

import csv
import importlib.util
import os
import shutil
import statistics
import subprocess
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from gate.checks.mrz import DIGITS, FILLER, LETTERS, Mrz, layout_for, parse
from gate.errors import GateError
from models.document import DocumentRead, DocumentReader
from models.face import FaceDetector
from models.manifest import FACE_DETECTOR, MRZ_RECOGNISER
from models.session import ModelSession
from models.store import ModelStore

Image = NDArray[np.uint8]
Lines = tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a reader says of a page: ``lines`` None is a refusal; ``is_accepted`` says that its own checks passed."""

    lines: Lines | None
    is_accepted: bool


ReadPage = Callable[[Image], Answer]


@dataclass(frozen=True, slots=True, kw_only=True)
class Missing:
    """A peer that cannot be measured here, and why."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Sample:
    """One page with its truth."""

    image_bgr: Image
    lines: Lines


def samples(count: int) -> tuple[str, list[Sample]]:
    """Return where the pages come from, and the pages.

    The labelled pictures of ``$TONGGUAN_DATA/mrz/pages-dev`` where that is set, else ``count`` rendered and damaged documents.
    """
    folder = Path(os.environ["TONGGUAN_DATA"]) / "mrz" / "pages-dev" if "TONGGUAN_DATA" in os.environ else None
    if folder is not None and (folder / "truth.csv").is_file():
        return "pages-dev", _labelled(folder)
    from models.training.mrz_pages import render_document

    rng = np.random.default_rng(2026)
    drawn = [render_document(rng) for _ in range(count)]
    return "rendered", [Sample(image_bgr=picture.frame_bgr, lines=picture.lines) for picture in drawn]


def _labelled(folder: Path) -> list[Sample]:
    """The pages of ``truth.csv`` (file,format,line1,line2,line3). GateError naming a picture that cannot be opened."""
    found = []
    with (folder / "truth.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            path = folder / "images" / row["file"]
            image = cv2.imread(str(path), cv2.IMREAD_COLOR)
            if image is None:
                raise GateError(f"{path} is not a picture that can be read; mend the folder that TONGGUAN_DATA names")
            lines = tuple(row[name] for name in ("line1", "line2", "line3") if row[name])
            found.append(Sample(image_bgr=image.astype(np.uint8, copy=False), lines=lines))
    return found


def ours(store: ModelStore) -> ReadPage:
    """Our reader, as a lane uses it, without the portrait's embedding."""
    sessions = [ModelSession(store, name, threads=1) for name in (MRZ_RECOGNISER, FACE_DETECTOR)]
    for session in sessions:
        session.warm_up()
    reader = DocumentReader(sessions[0], FaceDetector(sessions[1]))

    def run(image_bgr: Image) -> Answer:
        result = reader.read(image_bgr)
        if not isinstance(result, DocumentRead):
            return Answer(lines=None, is_accepted=False)
        return Answer(lines=result.lines, is_accepted=result.check_digits_ok)

    return run


def passporteye() -> tuple[ReadPage | Missing, str | None]:
    """PassportEye over Tesseract, and the trained data it uses: ``mrz`` if installed, else ``eng``."""
    if importlib.util.find_spec("passporteye") is None:
        return Missing(reason="the package passporteye is not installed"), None
    if shutil.which("tesseract") is None:
        return Missing(reason="Tesseract is not installed (Debian's package tesseract-ocr)"), None
    listed = subprocess.run(["tesseract", "--list-langs"], capture_output=True, text=True, check=False).stdout.split()
    data = "mrz" if "mrz" in listed else "eng"
    try:
        from passporteye import read_mrz  # type: ignore[import-not-found,unused-ignore]
    except ImportError as error:
        return Missing(reason=f"passporteye cannot be imported ({error})"), None

    def run(image_bgr: Image) -> Answer:
        with tempfile.NamedTemporaryFile(suffix=".png") as file:
            file.write(cv2.imencode(".png", image_bgr)[1].tobytes())
            file.flush()
            found = read_mrz(file.name, extra_cmdline_params=f"-l {data}")
        if found is None:
            return Answer(lines=None, is_accepted=False)
        text = str(found.aux.get("text") or found.aux.get("raw_text") or "")
        lines = tuple(line.replace(" ", "") for line in text.splitlines() if line.strip())
        return Answer(lines=lines, is_accepted=bool(found.valid))

    return run, data


def rapidocr() -> ReadPage | Missing:
    """rapidocr's whole pipeline; what it reads is put onto a layout's letter and digit positions, check digits decide."""
    if importlib.util.find_spec("rapidocr") is None:
        return Missing(reason="the package rapidocr is not installed")
    try:
        from rapidocr import RapidOCR  # type: ignore[import-not-found,import-untyped,unused-ignore]
    except ImportError as error:
        return Missing(reason=f"rapidocr cannot be imported ({error})")
    engine = RapidOCR(params={"Global.log_level": "critical", "EngineConfig.onnxruntime.intra_op_num_threads": 1})

    def run(image_bgr: Image) -> Answer:
        lines = mrz_of_rows(tuple(getattr(engine(image_bgr), "txts", None) or ()))
        mrz = parse(lines) if lines else None
        if not isinstance(mrz, Mrz):
            return Answer(lines=None, is_accepted=False)
        return Answer(lines=mrz.lines, is_accepted=mrz.check_digits_ok)

    return run


_TO_DIGIT = str.maketrans("OQDILZSGB", "000112568")
_TO_LETTER = str.maketrans("01258", "OIZSB")


def mrz_of_rows(rows: Sequence[str]) -> Lines | None:
    """Return the zone in rows of recognised text, or None: the last that are long enough, by letter and digit positions."""
    texts = ["".join(c for c in row.upper().replace("«", "<<") if c in DIGITS + LETTERS + FILLER) for row in rows]
    texts = [text for text in texts if len(text) >= 26]
    for count, lengths in ((3, (30,)), (2, (44, 36))):
        tail = texts[-count:]
        for length in lengths:
            if len(tail) == count and all(abs(len(text) - length) <= 4 for text in tail):
                return _on_layout([text.ljust(length, FILLER)[:length] for text in tail])
    return None


def _on_layout(lines: list[str]) -> Lines | None:
    layout = layout_for(lines)
    if layout is None:
        return None
    return tuple(
        "".join(_fit(character, allowed) for character, allowed in zip(line, places, strict=True))
        for line, places in zip(lines, layout.allowed, strict=True)
    )


def _fit(character: str, allowed: str) -> str:
    if character in allowed:
        return character
    return character.translate(_TO_DIGIT if allowed[0] in DIGITS else _TO_LETTER)


def measure(pages: Sequence[Sample], readers: Mapping[str, ReadPage]) -> dict[str, dict[str, Any]]:
    """Read every page by every reader in turn; return for each its counts and times (ms), ``ratio`` by page against ``ours``."""
    times: dict[str, list[float]] = {name: [] for name in readers}
    outcomes: dict[str, Counter[str]] = {name: Counter() for name in readers}
    for page in pages:
        for name, read in readers.items():
            started = time.perf_counter()
            answer = read(page.image_bgr)
            times[name].append((time.perf_counter() - started) * 1000)
            outcomes[name][_outcome(answer, page.lines)] += 1
    return {
        name: {
            "exact": outcomes[name]["exact"],
            "refused": outcomes[name]["refused"],
            "wrong_accepted": outcomes[name]["wrong_accepted"],
            "misread_flagged": outcomes[name]["misread_flagged"],
            "ms_p50": round(statistics.median(times[name]), 2),
            "ratio": round(statistics.median(b / a for a, b in zip(times["ours"], times[name], strict=True)), 2),
        }
        for name in readers
    }


def _outcome(answer: Answer, truth: Lines) -> str:
    if answer.lines is None:
        return "refused"
    if answer.lines == truth:
        return "exact"
    return "wrong_accepted" if answer.is_accepted else "misread_flagged"


def run_bench_mrz(store: ModelStore, count: int) -> tuple[dict[str, Any], dict[str, str]]:
    """Return the report's ``mrz`` block, and by name why peers are missing. Tesseract is held to one thread, as the others are."""
    os.environ.setdefault("OMP_THREAD_LIMIT", "1")
    eye, trained_data = passporteye()
    peers = {"passporteye": eye, "rapidocr": rapidocr()}
    present = {name: peer for name, peer in peers.items() if not isinstance(peer, Missing)}
    source, pages = samples(count)
    found = measure(pages, {"ours": ours(store), **present})
    block: dict[str, Any] = {"source": source, "pages": len(pages), "ours": found["ours"]}
    block["peers"] = {name: found.get(name) for name in peers}
    if found.get("passporteye") is not None:
        block["peers"]["passporteye"]["trained_data"] = trained_data
    return block, {name: peer.reason for name, peer in peers.items() if isinstance(peer, Missing)}
