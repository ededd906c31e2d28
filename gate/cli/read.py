"""``gate read`` and ``gate match``: the gate's eyes on one's own pictures."""

from __future__ import annotations

import json
import time
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gate.errors import GateError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from drivers.codes import Code
    from gate.checks.mrz import Mrz
    from models.document import DocumentRead, DocumentUnreadable
    from models.face import Face

ANSWER_IS_NO = 1

_Json = Annotated[bool, typer.Option("--json", help="One JSON object a line on standard output.")]


def register(app: typer.Typer) -> None:
    """Add the commands to the tree."""
    app.command("read")(read)
    app.command("match")(match)


def read(
    images: Annotated[
        list[Path], typer.Argument(help="Pictures of passports, cards, visas or boarding passes.", metavar="IMAGE...")
    ],
    as_json: _Json = False,
) -> None:
    """Read the machine-readable zone and find the portrait; exit code 1 if any is not read or fails a check digit.

    A boarding pass in a picture is told too, and is enough where there is no zone to read.
    """
    from drivers.codes.zxing import ZxingReader
    from models.document import DocumentReader
    from models.face import FaceDetector
    from models.manifest import FACE_DETECTOR, MRZ_RECOGNISER
    from models.session import ModelSession
    from models.store import ModelStore

    store = ModelStore()
    sessions = [ModelSession(store, name) for name in (MRZ_RECOGNISER, FACE_DETECTOR)]
    for session in sessions:
        session.warm_up()
    reader = DocumentReader(sessions[0], FaceDetector(sessions[1]))
    codes = ZxingReader()
    problems: list[str] = []
    is_good = True
    for path in images:
        try:
            image = load_image(path)
        except GateError as problem:
            # The other pictures may still be read; the exit code tells.
            problems.append(str(problem))
            continue
        started = time.perf_counter()
        result = reader.read(image)
        report = _report(path, result, (time.perf_counter() - started) * 1000)
        report["boarding_pass"] = boarding_pass = _boarding_pass(codes.read(image))
        has_pass_only = report["lines"] is None and boarding_pass is not None and boarding_pass["refusal"] is None
        is_good = is_good and bool(report["check_digits_ok"] or has_pass_only)
        typer.echo(json.dumps(report, ensure_ascii=False) if as_json else _in_words(report))
    if problems:
        raise GateError("\ngate: ".join(problems))
    if not is_good:
        raise typer.Exit(ANSWER_IS_NO)


def match(
    a: Annotated[Path, typer.Argument(metavar="A", help="A picture of a face.")],
    b: Annotated[Path, typer.Argument(metavar="B", help="Another one.")],
    as_json: _Json = False,
) -> None:
    """Tell whether the largest faces of two pictures are the same person's; exit code 1 if they are not.

    Each face is looked at carefully: its landmarks averaged over several looks, and its mirror image too.
    """
    from models.face import CarefulEmbedder, FaceDetector, FaceEmbedder, cosine
    from models.manifest import FACE_DETECTOR, FACE_EMBEDDER
    from models.session import ModelSession
    from models.store import ModelStore

    pictures = [(path, load_image(path)) for path in (a, b)]
    store = ModelStore()
    sessions = [ModelSession(store, name) for name in (FACE_DETECTOR, FACE_EMBEDDER)]
    for session in sessions:
        session.warm_up()
    detector = FaceDetector(sessions[0])
    embedder = CarefulEmbedder(detector, FaceEmbedder(sessions[1]))
    started = time.perf_counter()
    templates: list[NDArray[np.float32]] = []
    refusal: str | None = None
    for path, image in pictures:
        faces: tuple[Face, ...] = detector.detect(image)
        if faces:
            templates.append(embedder.embed(image, faces[0]))
        else:
            refusal = refusal or f"no face was found in {path}"
    threshold = store.manifest.threshold(FACE_EMBEDDER, "careful")
    score = cosine(*templates) if refusal is None else None
    is_match = score is not None and score >= threshold
    report = {
        "score": None if score is None else round(score, 4),
        "threshold": threshold,
        "is_match": is_match,
        "refusal": refusal,
        "elapsed_ms": round((time.perf_counter() - started) * 1000, 2),
    }
    if as_json:
        typer.echo(json.dumps(report, ensure_ascii=False))
    elif refusal:
        typer.echo(refusal)
    else:
        verdict = "the same person" if is_match else "not the same person"
        typer.echo(f"{verdict}: similarity {score:.3f}, threshold {threshold:.3f}")
    if not is_match:
        raise typer.Exit(ANSWER_IS_NO)


def load_image(path: Path) -> NDArray[np.uint8]:
    """Return a picture file as uint8 (height, width, 3) BGR, turned as its EXIF says. Raises GateError if it is none."""
    import cv2
    import numpy as np

    # OpenCV would add its own lines to our one sentence.
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
    try:
        data = np.frombuffer(path.read_bytes(), np.uint8)
    except OSError as error:
        raise GateError(f"{path} cannot be opened ({error.strerror}); give the path of a picture") from error
    image = cv2.imdecode(data, cv2.IMREAD_COLOR) if len(data) else None
    if image is None:
        raise GateError(f"{path} is not a picture that can be read; give a JPEG, PNG, TIFF or WebP file")
    return image.astype(np.uint8, copy=False)


def _report(path: Path, result: DocumentRead | DocumentUnreadable, elapsed_ms: float) -> dict[str, Any]:
    from models.document import DocumentRead

    report: dict[str, Any] = {"file": str(path)}
    if isinstance(result, DocumentRead):
        report |= {
            "format": str(result.format),
            "lines": list(result.lines),
            "fields": _fields(result.fields),
            "check_digits_ok": result.check_digits_ok,
            "refusal": None,
            "portrait_box_px": result.portrait_box_px,
            "confidence": round(result.confidence, 3),
        }
    else:
        report |= {"format": None, "lines": None, "fields": None, "check_digits_ok": None}
        report |= {"refusal": f"{result.reason}: {result.detail}", "portrait_box_px": None, "confidence": None}
    return report | {"elapsed_ms": round(elapsed_ms, 2)}


def _fields(mrz: Mrz) -> dict[str, Any]:
    today = date.today()  # noqa: DTZ011 - the century of a two-digit year does not depend on the time zone
    born, expires = mrz.born_on(today), mrz.expires_on(today)
    return {
        "document_code": mrz.document_code,
        "issuer": mrz.issuer,
        "document_number": mrz.document_number,
        "nationality": mrz.nationality,
        "primary_name": mrz.primary_name,
        "secondary_name": mrz.secondary_name,
        "birth_date": born.isoformat() if born else None,
        "sex": mrz.sex,
        "expiry_date": expires.isoformat() if expires else None,
        "optional_data": mrz.optional_data,
        "check_digits": {str(check.name): check.is_ok for check in mrz.checks},
    }


def _boarding_pass(codes: tuple[Code, ...]) -> dict[str, Any] | None:
    """The first code that is a boarding pass; else the reason why one that looks like it is none; None without either."""
    from gate.checks.bcbp import BcbpReason, BoardingPass, flight_date, parse_bcbp

    today = date.today()  # noqa: DTZ011 - a flight's date is that of its airport, which the pass does not tell
    refused: dict[str, Any] | None = None
    for code in codes:
        found = parse_bcbp(code.text)
        if isinstance(found, BoardingPass):
            legs = [
                {
                    "carrier": leg.carrier,
                    "flight_number": leg.flight_number,
                    "origin": leg.origin,
                    "destination": leg.destination,
                    "date": day.isoformat() if (day := flight_date(leg, today)) else None,
                    "seat": leg.seat,
                    "sequence": leg.sequence,
                    "record_locator": leg.pnr,
                }
                for leg in found.legs
            ]
            return {
                "symbology": str(code.symbology),
                "surname": found.surname,
                "given_names": found.given_names,
                "legs": legs,
                "bag_tags": list(found.bag_tags),
                "is_signed": found.security is not None,
                "refusal": None,
            }
        if found.reason is not BcbpReason.NOT_BCBP and refused is None:
            refused = {"symbology": str(code.symbology), "refusal": f"{found.reason}: {found.detail}"}
    return refused


def _pass_in_words(boarding_pass: dict[str, Any] | None) -> str:
    if boarding_pass is None:
        return ""
    if boarding_pass["refusal"]:
        return f"\n  boarding pass: {boarding_pass['refusal']}"
    flights = ", ".join(
        f"{leg['carrier']} {leg['flight_number']} {leg['origin']} to {leg['destination']} on {leg['date']}"
        for leg in boarding_pass["legs"]
    )
    return f"\n  boarding pass: {boarding_pass['surname']}, {boarding_pass['given_names']} · {flights}"


def _in_words(report: dict[str, Any]) -> str:
    boarding_pass = _pass_in_words(report["boarding_pass"])
    if report["refusal"]:
        return f"{report['file']}: {report['refusal']}{boarding_pass}"
    fields = report["fields"]
    wrong = [name for name, is_ok in fields["check_digits"].items() if not is_ok]
    verdict = f"WRONG CHECK DIGIT: {', '.join(wrong)}" if wrong else "all check digits right"
    lines = "\n  ".join(report["lines"])
    return (
        f"{report['file']}: {report['format']}, {verdict}\n  {lines}\n"
        f"  {fields['primary_name']}, {fields['secondary_name']} · {fields['issuer']} {fields['document_number']} · "
        f"born {fields['birth_date']} · expires {fields['expiry_date']} · {report['elapsed_ms']:.0f} ms"
        f"{boarding_pass}"
    )
