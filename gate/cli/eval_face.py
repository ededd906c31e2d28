"""``gate eval face``: how often the gate takes two faces for the same person's, on labelled pictures of one's own."""

from __future__ import annotations

import csv
import json
import re
import sys
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gate.cli.read import load_image
from gate.errors import GateError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from models.face import FaceDetector, FaceEmbedder
    from models.face.rates import ScoreCounts

FALSE_MATCH_RATES = ("1e-2", "1e-3", "1e-4", "1e-5")

_COLUMNS = ("left", "right", "is_same")

_Json = Annotated[bool, typer.Option("--json", help="One JSON object on standard output.")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """One row of the pairs: two picture files, and whether they show the same person."""

    left: str
    right: str
    is_same: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Templates:
    """What was made of the pictures: those with a face, in rows, and those without.

    ``careful`` (our way) and ``plain`` (the model on one crop) are float32 (n, 128), rows of length 1; ``elapsed_ms`` is our way's time for
    each picture, detection included, decoding not.
    """

    files: tuple[str, ...]
    careful: NDArray[np.float32]
    plain: NDArray[np.float32]
    without_face: tuple[str, ...]
    elapsed_ms: tuple[float, ...]


def add_to(group: typer.Typer) -> None:
    """Add the command to the group ``gate eval``."""
    group.command("face")(face)


def face(
    pairs: Annotated[Path, typer.Option(help="CSV with the columns left,right,is_same (1 or 0).")],
    images: Annotated[Path, typer.Option(help="The folder of the pictures.")],
    as_json: _Json = False,
    det: Annotated[
        Path | None, typer.Option("--det", help="Draw the error trade-off curve into this PNG.", show_default=False)
    ] = None,
    walk_up: Annotated[
        int, typer.Option(min=0, help="Also walk so many people with several pictures up to a simulated camera.")
    ] = 0,
) -> None:
    """Error rates on the listed pairs and on all cross pairs, with 95 % bounds, on one thread.

    All cross pairs need to know who is who: files are the same person's if their names differ only in a number at the
    end (Li_Na_0001.jpg, Li_Na_0002.jpg). If the list contradicts that, only the listed pairs are judged.
    """
    listed = read_pairs(pairs)
    files = sorted({name for pair in listed for name in (pair.left, pair.right)})
    templates = embed_files(files, images)
    people = people_of(listed, templates.files)
    if people is None:
        print("the files' names do not tell who is who, so only the listed pairs are judged", file=sys.stderr)
    report = summary(listed, templates, people)
    if walk_up:
        if people is None:
            raise GateError("walking up needs file names that tell who is who; rename the files or leave out --walk-up")
        report["walk_up"] = _walk_up(templates, people, images, walk_up)
    if det is not None:
        if people is None:
            raise GateError(f"{det} was not drawn: the curve needs file names that tell who is who")
        _draw(det, templates, people)
    typer.echo(json.dumps(report) if as_json else in_words(report))


def read_pairs(path: Path) -> list[Pair]:
    """Return the rows of a pairs file. Raises GateError naming the file and what is wrong with it."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file)
            missing = [name for name in _COLUMNS if name not in (reader.fieldnames or ())]
            if missing:
                raise GateError(f"{path} lacks the column {missing[0]}; the first line must be {','.join(_COLUMNS)}")
            pairs = [_pair(path, reader.line_num, row) for row in reader]
    except OSError as error:
        raise GateError(f"{path} cannot be opened ({error.strerror}); give the path of a CSV file") from error
    except UnicodeDecodeError as error:
        raise GateError(f"{path} is not a CSV file in UTF-8; export it as UTF-8") from error
    if not pairs:
        raise GateError(f"{path} lists no pairs; add a line for each pair of pictures")
    return pairs


def _pair(path: Path, line: int, row: dict[str, str | None]) -> Pair:
    left, right, is_same = (row[name] for name in _COLUMNS)
    if not left or not right or is_same not in {"0", "1"}:
        raise GateError(f"{path} is wrong at line {line}; it needs two file names and 1 (same person) or 0")
    return Pair(left=left, right=right, is_same=is_same == "1")


def embed_files(files: Sequence[str], images: Path) -> Templates:
    """Make the templates of the central face of each file. Raises GateError for a file that is no picture, or if none has a face."""
    import numpy as np

    from models.face import CarefulEmbedder, nearest_centre

    detector, embedder = _open_models()
    carefully = CarefulEmbedder(detector, embedder)
    found: list[str] = []
    without: list[str] = []
    careful: list[NDArray[np.float32]] = []
    plain: list[NDArray[np.float32]] = []
    elapsed_ms: list[float] = []
    for name in _with_progress(files):
        image = load_image(images / name)
        started = time.perf_counter()
        faces = detector.detect(image)
        chosen = nearest_centre(faces, image)
        if chosen is None:
            without.append(name)
            continue
        careful.append(carefully.embed(image, chosen))
        elapsed_ms.append((time.perf_counter() - started) * 1000)
        plain.append(embedder.embed(image, chosen))
        found.append(name)
    if not found:
        raise GateError(f"no face was found in any picture of {images}")
    return Templates(
        files=tuple(found),
        careful=np.stack(careful),
        plain=np.stack(plain),
        without_face=tuple(without),
        elapsed_ms=tuple(elapsed_ms),
    )


def people_of(listed: Sequence[Pair], files: Sequence[str]) -> NDArray[np.int64] | None:
    """Return int64 (n,): a number a person for each file, from the files' names; None if the listed pairs contradict them."""
    import numpy as np

    if any((person_name(pair.left) == person_name(pair.right)) != pair.is_same for pair in listed):
        return None
    numbers: dict[str, int] = {}
    return np.array([numbers.setdefault(person_name(name), len(numbers)) for name in files], np.int64)


def person_name(file: str) -> str:
    """The file's path without its ending and without a number after the last separator."""
    return re.sub(r"[-_. ]?\d+$", "", str(Path(file).with_suffix("")))


def summary(listed: Sequence[Pair], templates: Templates, people: NDArray[np.int64] | None) -> dict[str, Any]:
    """Return the report's keys. Rates 0..1; a block of rates is None where there are not both kinds of pairs."""
    import numpy as np

    from models.face.rates import cross_compare, folded_accuracy

    scores, is_same = listed_scores(listed, templates.files, templates.careful)
    accuracy = folded_accuracy(scores, is_same)
    return {
        "pairs": len(listed),
        "images": len(templates.files) + len(templates.without_face),
        "failed_to_detect": len(templates.without_face),
        "accuracy": None if accuracy is None else round(accuracy, 5),
        "listed": rates(*counted(scores, is_same)),
        "all_pairs": None if people is None else rates(*cross_compare(templates.careful, people)),
        "single_shot": None if people is None else rates(*cross_compare(templates.plain, people)),
        "ms_p50": round(float(np.median(templates.elapsed_ms)), 2),
        "without_face": list(templates.without_face),
    }


def listed_scores(
    listed: Sequence[Pair],
    files: Sequence[str],
    references: NDArray[np.float32],
    lives: NDArray[np.float32] | None = None,
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Return the cosines of the listed pairs of which both pictures have a row, and which of them are the same person's.

    With ``lives``, the same pictures embedded in another way, each pair counts twice: either picture is once the reference.
    """
    import numpy as np

    row = {name: i for i, name in enumerate(files)}
    usable = [pair for pair in listed if pair.left in row and pair.right in row]
    left, right = ([row[name] for name in side] for side in ([p.left for p in usable], [p.right for p in usable]))
    is_same = np.array([pair.is_same for pair in usable], np.bool_)
    other = references if lives is None else lives
    scores = np.einsum("ij,ij->i", references[left], other[right]).astype(np.float32)
    if lives is None:
        return scores, is_same
    turned = np.einsum("ij,ij->i", references[right], other[left]).astype(np.float32)
    return np.concatenate([scores, turned]), np.concatenate([is_same, is_same])


def counted(scores: NDArray[np.float32], is_same: NDArray[np.bool_]) -> tuple[ScoreCounts, ScoreCounts]:
    """Genuine and impostor scores apart."""
    from models.face.rates import ScoreCounts

    genuine, impostor = ScoreCounts(), ScoreCounts()
    genuine.add(scores[is_same])
    impostor.add(scores[~is_same])
    return genuine, impostor


def rates(genuine: ScoreCounts, impostor: ScoreCounts) -> dict[str, Any]:
    """One block of the report. A rate that the pairs are too few to support is marked ``is_supported`` false."""
    from models.face.rates import operating_point

    block: dict[str, Any] = {"genuine": genuine.total, "impostor": impostor.total, "fnmr_at_fmr": None}
    if genuine.total and impostor.total:
        points = {name: operating_point(genuine, impostor, float(name)) for name in FALSE_MATCH_RATES}
        block["fnmr_at_fmr"] = {
            name: {
                "fnmr": round(point.fnmr, 6),
                "low": round(point.low, 6),
                "high": round(point.high, 6),
                "threshold": round(point.threshold, 5),
                "is_supported": point.is_supported,
            }
            for name, point in points.items()
        }
    return block


def in_words(report: dict[str, Any]) -> str:
    """The report for a person to read."""
    lines = [
        f"{report['pairs']} pairs of {report['images']} pictures, {report['failed_to_detect']} without a face, "
        f"{report['ms_p50']:.1f} ms a picture"
        + ("" if report["accuracy"] is None else f"; accuracy {report['accuracy']:.2%}")
    ]
    titles = {"listed": "listed pairs", "all_pairs": "all cross pairs", "single_shot": "the same, plain model"}
    for key, title in titles.items():
        block = report[key]
        if block is None or block["fnmr_at_fmr"] is None:
            continue
        lines.append(f"{title}: {block['genuine']} of the same person, {block['impostor']} of different people")
        for fmr, point in block["fnmr_at_fmr"].items():
            remark = "" if point["is_supported"] else "  (too few pairs for this rate)"
            lines.append(
                f"  FMR {fmr}: FNMR {point['fnmr']:.2%} (95 %: {point['low']:.2%} to {point['high']:.2%}) "
                f"at {point['threshold']:.3f}{remark}"
            )
    return "\n".join([*lines, *_walk_up_in_words(report.get("walk_up"))])


def _walk_up_in_words(block: dict[str, Any] | None) -> list[str]:
    if block is None:
        return []
    lines = [f"walked up to a simulated camera: {block['pictures']} pictures of {block['people']} people"]
    for reference, by_frames in block["reference"].items():
        for kind, part in by_frames.items():
            point = part["fnmr_at_fmr"]["1e-4"] if part["fnmr_at_fmr"] else None
            if point is not None:
                lines.append(
                    f"  {reference} reference, {kind.replace('_', ' ')}: FNMR {point['fnmr']:.2%} "
                    f"(95 %: {point['low']:.2%} to {point['high']:.2%}) at FMR 1e-4"
                )
    return lines


def _walk_up(templates: Templates, people: NDArray[np.int64], images: Path, count: int) -> dict[str, Any]:
    from gate.cli import walk_up
    from models.face import nearest_centre

    rows = walk_up.choose_people(people, count)
    if not len(rows):
        raise GateError("nobody has several pictures, so nobody can walk up; leave out --walk-up")
    detector, embedder = _open_models()
    walked: list[list[NDArray[np.float32]] | None] = []
    for row, name in zip(rows, _with_progress([templates.files[i] for i in rows]), strict=True):
        image = load_image(images / name)
        face = nearest_centre(detector.detect(image), image)
        if face is None:
            raise AssertionError(f"{name} had a face before")
        walked.append(walk_up.fused_templates(walk_up.frames_of(image, face, seed=int(row)), detector, embedder))
    references = {"plain": templates.plain, "careful": templates.careful}
    return walk_up.summary(rows, people, references, walked, rates)


def _draw(path: Path, templates: Templates, people: NDArray[np.int64]) -> None:
    import cv2

    from models.face.det_curve import draw_det
    from models.face.rates import cross_compare

    counts = {
        "this gate": cross_compare(templates.careful, people),
        "plain model": cross_compare(templates.plain, people),
    }
    try:
        picture = draw_det(counts)
    except ValueError as error:
        raise GateError(f"{path} was not drawn: {error}") from error
    _, data = cv2.imencode(".png", picture)
    try:
        path.write_bytes(data.tobytes())
    except OSError as error:
        raise GateError(f"{path} cannot be written ({error.strerror}); name a file in a writable folder") from error


def _open_models() -> tuple[FaceDetector, FaceEmbedder]:
    import cv2

    from models.face import FaceDetector, FaceEmbedder
    from models.manifest import FACE_DETECTOR, FACE_EMBEDDER
    from models.session import ModelSession
    from models.store import ModelStore

    cv2.setNumThreads(1)
    store = ModelStore()
    detector, embedder = (ModelSession(store, name, threads=1) for name in (FACE_DETECTOR, FACE_EMBEDDER))
    for session in (detector, embedder):
        session.warm_up()
    return FaceDetector(detector), FaceEmbedder(embedder)


def _with_progress(files: Sequence[str]) -> Iterable[str]:
    from rich.console import Console
    from rich.progress import track

    console = Console(stderr=True)
    yield from track(files, "Comparing", console=console, disable=not console.is_terminal)
