"""How often the infrared and ultraviolet checks err on simulated pages: ``python -m simulator.measure_lights --pages 24``.

Prints one JSON object: for each kind of page how many were read, how many were referred, and the range of each measurement. The pages are
made of ranges that materials have in general (`simulator.page_lights`): this shows that the geometry and the limits work on them, and
not how often a port's own reader errs on documents.
"""

from __future__ import annotations

import argparse
import json
import time
from datetime import date
from statistics import median
from typing import Any

import cv2

from drivers.camera.light import LightStep
from gate.core.document_lights import LightCheck
from gate.core.evidence import Outcome
from models.document.lights import LightLimits, LitPictures, check_lights
from models.document.reader import DocumentRead, DocumentReader
from models.face import FaceDetector
from models.manifest import FACE_DETECTOR, MRZ_RECOGNISER
from models.session import ModelSession
from models.store import ModelStore
from simulator.frames import MILD, DocumentDamage
from simulator.page_lights import Stock, lit_frames
from simulator.passports import Passport, crop_portrait, render_page
from simulator.photos import PhotoLibrary

_ISSUERS = ("UTO", "CHN", "D")
_DAMAGES = (
    DocumentDamage(),
    DocumentDamage(perspective_ratio=0.03, rotation_deg=4.0, blur_px=0.8, noise=5.0),
    MILD,
)


def measure(pages: int, *, seed: int = 1) -> dict[str, Any]:
    """``pages`` of each kind, seeded; three issuers, three degrees of damage, different bearers."""
    cv2.setNumThreads(1)
    store = ModelStore()
    detector = FaceDetector(ModelSession(store, FACE_DETECTOR, threads=1))
    reader = DocumentReader(ModelSession(store, MRZ_RECOGNISER, threads=1), detector)
    people = PhotoLibrary().people()
    found: dict[Stock, list[tuple[LightCheck, ...] | None]] = {stock: [] for stock in Stock}
    spent_ms: list[float] = []
    for number in range(pages):
        photo = people[number % len(people)].portrait
        page = render_page(_passport(number), crop_portrait(photo.load(), photo.face_px), px_per_mm=9)
        for stock in Stock:
            damage = _DAMAGES[number % len(_DAMAGES)]
            frames = lit_frames(page, stock, seed=seed * 100_000 + number, damage=damage)
            read = reader.read(frames[LightStep.WHITE])
            if not isinstance(read, DocumentRead):
                found[stock].append(None)
                continue
            pictures = LitPictures(
                white=frames[LightStep.WHITE],
                infrared=frames[LightStep.INFRARED],
                ultraviolet=frames[LightStep.ULTRAVIOLET],
            )
            began = time.perf_counter()
            found[stock].append(check_lights(pictures, read, LightLimits()))
            spent_ms.append(1000 * (time.perf_counter() - began))
    return {
        "pages": pages,
        "seed": seed,
        "ms_p50": round(median(spent_ms), 1),
        "kinds": {stock.value: _summary(stock, rows) for stock, rows in found.items()},
    }


def _passport(number: int) -> Passport:
    return Passport(
        issuer=_ISSUERS[number % len(_ISSUERS)],
        document_number=f"X{number:07d}1",
        primary_name="TESTER",
        secondary_name=f"ANNA {chr(65 + number % 26)}",
        birth_date=date(1980, 1, 1 + number % 28),
        sex="F",
        expiry_date=date(2031, 1, 1),
    )


def _summary(stock: Stock, rows: list[tuple[LightCheck, ...] | None]) -> dict[str, Any]:
    read = [row for row in rows if row is not None]
    stopped = sum(any(check.outcome is not Outcome.PASS and not check.is_noted for check in row) for row in read)
    summary: dict[str, Any] = {
        "is_genuine": stock.is_genuine,
        "read": len(read),
        "referred": stopped,
    }
    for index, check in enumerate(read[0] if read else ()):
        values = [row[index].measured for row in read]
        numbers = [value for value in values if value is not None]
        summary[check.name] = [round(min(numbers), 3), round(max(numbers), 3)] if numbers else None
    return summary


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--pages", type=int, default=24, help="pages of each kind")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    print(json.dumps(measure(options.pages, seed=options.seed), indent=1))


if __name__ == "__main__":
    main()
