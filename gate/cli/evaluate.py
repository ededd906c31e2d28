"""``gate eval``: how well the gate's eyes do on labelled pictures of one's own."""

from __future__ import annotations

import csv
import json
import sys
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gate.checks.names import edit_distance
from gate.cli import eval_face, eval_pad
from gate.cli.read import load_image
from gate.errors import GateError

if TYPE_CHECKING:
    from models.document import DocumentReader

_COLUMNS = ("file", "format", "line1", "line2", "line3")

_Json = Annotated[bool, typer.Option("--json", help="One JSON object on standard output.")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One row of the truth: a picture's file, its format, and its lines as printed."""

    file: str
    format: str
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PageResult:
    """What became of a page: ``outcome`` is exact, refused, misread_flagged or wrong_accepted."""

    page: Page
    outcome: str
    lines: tuple[str, ...] | None
    detail: str
    character_errors: int
    elapsed_ms: float


def register(app: typer.Typer) -> None:
    """Add the group to the tree."""
    group = typer.Typer(no_args_is_help=True, help="Measure the gate's eyes on labelled pictures.")
    group.command("mrz")(mrz)
    eval_face.add_to(group)
    eval_pad.add_to(group)
    app.add_typer(group, name="eval")


def mrz(
    truth: Annotated[Path, typer.Option(help="CSV with the columns file,format,line1,line2,line3.")],
    images: Annotated[Path, typer.Option(help="The folder of the pictures.")],
    as_json: _Json = False,
    list_pages: Annotated[bool, typer.Option("--list", help="Name every page that was not read exactly.")] = False,
    certainty: Annotated[
        float | None,
        typer.Option(min=0.0, max=1.0, help="Evidence asked of a letter that nothing confirms, instead of the usual."),
    ] = None,
) -> None:
    """Read every page and compare it with the truth, on one thread.

    A page is wrong but accepted if it is read differently from the truth, without a refusal, and all its check digits
    are right. The character error rate is that of the pages that were read; refused pages are counted apart.
    """
    pages = read_truth(truth)
    reader = _open_reader(certainty)
    results = list(_with_progress(pages, reader, images))
    report = summary(results)
    if list_pages:
        for result in results:
            if result.outcome != "exact":
                print(f"{result.page.file}: {result.outcome}: {result.detail}", file=sys.stderr)
    if as_json:
        typer.echo(json.dumps(report, ensure_ascii=False))
        return
    typer.echo(
        f"{report['pages']} pages: {report['exact']} exact, {report['refused']} refused, "
        f"{report['misread_flagged']} misread but flagged by a check digit, {report['wrong_accepted']} wrong but accepted; "
        f"character errors {report['character_error_rate']:.4%}; {report['ms_p50']:.0f} ms a page (p95 {report['ms_p95']:.0f})"
    )


def read_truth(path: Path) -> list[Page]:
    """Return the rows of a truth file. Raises GateError naming the file and what it lacks."""
    try:
        with path.open(encoding="utf-8", newline="") as file:
            reader = csv.DictReader(file)
            missing = [name for name in _COLUMNS if name not in (reader.fieldnames or ())]
            if missing:
                raise GateError(f"{path} lacks the column {missing[0]}; the first line must be {','.join(_COLUMNS)}")
            pages = [
                Page(
                    file=row["file"],
                    format=row["format"],
                    lines=tuple(line for line in (row["line1"], row["line2"], row["line3"]) if line),
                )
                for row in reader
            ]
    except OSError as error:
        raise GateError(f"{path} cannot be opened ({error.strerror}); give the path of a CSV file") from error
    except UnicodeDecodeError as error:
        raise GateError(f"{path} is not a CSV file in UTF-8; export it as UTF-8") from error
    if not pages:
        raise GateError(f"{path} lists no pages; add a line for each picture")
    return pages


def measure(page: Page, reader: DocumentReader, images: Path) -> PageResult:
    """Read one page and compare. Raises GateError if its picture cannot be opened."""
    from models.document import DocumentRead

    image = load_image(images / page.file)
    started = time.perf_counter()
    result = reader.read(image)
    elapsed_ms = (time.perf_counter() - started) * 1000
    if not isinstance(result, DocumentRead):
        return PageResult(
            page=page, outcome="refused", lines=None, detail=result.detail, character_errors=0, elapsed_ms=elapsed_ms
        )
    errors = edit_distance("\n".join(result.lines), "\n".join(page.lines))
    outcome = "exact" if errors == 0 else "wrong_accepted" if result.check_digits_ok else "misread_flagged"
    return PageResult(
        page=page,
        outcome=outcome,
        lines=result.lines,
        detail=f"read {' / '.join(result.lines)}",
        character_errors=errors,
        elapsed_ms=elapsed_ms,
    )


def summary(results: Sequence[PageResult]) -> dict[str, Any]:
    """Return the report's keys; times in milliseconds, the character error rate 0..1 over the pages that were read."""
    import numpy as np

    outcomes = Counter(result.outcome for result in results)
    read = [result for result in results if result.lines is not None]
    characters = sum(len(line) for result in read for line in result.page.lines)
    times = [result.elapsed_ms for result in results]
    return {
        "pages": len(results),
        "exact": outcomes["exact"],
        "refused": outcomes["refused"],
        "misread_flagged": outcomes["misread_flagged"],
        "wrong_accepted": outcomes["wrong_accepted"],
        "character_error_rate": sum(result.character_errors for result in read) / characters if characters else 0.0,
        "ms_p50": round(float(np.percentile(times, 50)), 2),
        "ms_p95": round(float(np.percentile(times, 95)), 2),
    }


def _open_reader(certainty: float | None) -> DocumentReader:
    import cv2

    from models.document import DocumentReader
    from models.document.zone import MIN_ALONE
    from models.face import FaceDetector
    from models.manifest import FACE_DETECTOR, MRZ_RECOGNISER
    from models.session import ModelSession
    from models.store import ModelStore

    cv2.setNumThreads(1)
    store = ModelStore()
    recogniser, detector = (ModelSession(store, name, threads=1) for name in (MRZ_RECOGNISER, FACE_DETECTOR))
    for session in (recogniser, detector):
        session.warm_up()
    min_alone = MIN_ALONE if certainty is None else certainty
    return DocumentReader(recogniser, FaceDetector(detector), min_alone=min_alone)


def _with_progress(pages: Sequence[Page], reader: DocumentReader, images: Path) -> Iterable[PageResult]:
    from rich.console import Console
    from rich.progress import track

    console = Console(stderr=True)
    shown = track(pages, "Reading", console=console, disable=not console.is_terminal)
    for page in shown:
        yield measure(page, reader, images)
