"""Signs of a copy: quiet on honest pages, loud on simulated copies; what cannot be measured is left out."""

from dataclasses import replace
from datetime import date

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from gate.checks.mrz import Mrz, parse
from models.document.cues import PHOTOCOPY, RASTER, SHEET, colourless_share, measure_cues, raster_prominence
from models.document.page import find_page, quad_size, whole_image
from models.document.reader import DocumentRead
from simulator.frames import MILD, document_frame
from simulator.page_attacks import ATTACKS
from simulator.passports import Passport, render_page

Image = NDArray[np.uint8]
PASSPORT = Passport(
    document_number="X1234567",
    primary_name="Specimen",
    secondary_name="Peter",
    birth_date=date(1964, 8, 12),
    sex="M",
    expiry_date=date(2031, 1, 31),
)
# Skin, hair and cloth in place of a person.
PORTRAIT = np.full((360, 280, 3), (205, 215, 220), np.uint8)
cv2.ellipse(PORTRAIT, (140, 170), (80, 110), 0, 0, 360, (120, 150, 205), cv2.FILLED)
cv2.ellipse(PORTRAIT, (140, 80), (85, 55), 0, 180, 360, (30, 45, 70), cv2.FILLED)
cv2.rectangle(PORTRAIT, (30, 290), (250, 360), (140, 70, 30), cv2.FILLED)


def page_and_read(seed: int, *, issuer: str = "UTO") -> tuple[Image, DocumentRead]:
    passport = replace(PASSPORT, issuer=issuer)
    page = render_page(passport, PORTRAIT)
    frame = document_frame(page, rng=np.random.default_rng(seed), damage=MILD if seed % 2 else None)
    outline = find_page(frame)
    assert outline is not None
    mrz = parse(passport.mrz_lines())
    assert isinstance(mrz, Mrz)
    read = DocumentRead(
        format=mrz.format,
        lines=mrz.lines,
        fields=mrz,
        check_digits_ok=True,
        confidence=1.0,
        portrait_bgr=None,
        portrait_face=None,
        portrait_box_px=None,
        page_quad_px=outline,
        model_hashes={},
    )
    return frame, read


def strong(frame: Image, read: DocumentRead) -> set[str]:
    return {cue.name for cue in measure_cues(frame, read) if cue.is_strong}


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("issuer", ["UTO", "CHN", "FRA"])
def test_an_honest_page_shows_no_sign_of_a_copy(seed: int, issuer: str) -> None:
    frame, read = page_and_read(seed, issuer=issuer)
    assert {cue.name for cue in measure_cues(frame, read)} == {RASTER, PHOTOCOPY, SHEET}
    assert strong(frame, read) == set()


@pytest.mark.parametrize(
    ("attack", "cue"), [("monitor", RASTER), ("office_print", RASTER), ("photocopy", PHOTOCOPY), ("sheet", SHEET)]
)
def test_a_simulated_copy_shows(attack: str, cue: str) -> None:
    rng = np.random.default_rng(11)
    caught = 0
    for seed in range(5):
        frame, read = page_and_read(seed)
        px_per_mm = quad_size(read.page_quad_px)[0] / 125
        if attack == "sheet":
            small = cv2.resize(render_page(PASSPORT, PORTRAIT), None, fx=0.7, fy=0.7, interpolation=cv2.INTER_AREA)
            copy = ATTACKS[attack](small.astype(np.uint8, copy=False), 8.4, rng)
            outline = find_page(copy)
            assert outline is not None
            read = replace(read, page_quad_px=outline)
        else:
            copy = ATTACKS[attack](frame, px_per_mm, rng)
        caught += cue in strong(copy, read)
    assert caught >= 4


def test_a_coarse_picture_and_a_bare_scan_are_not_judged() -> None:
    page = cv2.resize(render_page(PASSPORT, PORTRAIT), (640, 450), interpolation=cv2.INTER_AREA).astype(np.uint8)
    _, read = page_and_read(0)
    read = replace(read, page_quad_px=whole_image(page))
    assert {cue.name for cue in measure_cues(page, read)} == {PHOTOCOPY}


def test_a_cards_back_may_have_no_colour() -> None:
    frame, read = page_and_read(0)
    lines = ("I<UTOD231458907<<<<<<<<<<<<<<<", "7408122F1204159UTO<<<<<<<<<<<6", "ERIKSSON<<ANNA<MARIA<<<<<<<<<<")
    mrz = parse(lines)
    assert isinstance(mrz, Mrz)
    card = replace(read, format=mrz.format, lines=lines, fields=mrz)
    assert PHOTOCOPY not in {cue.name for cue in measure_cues(frame, card)}


def test_colour_is_a_share_of_the_page() -> None:
    page = np.full((400, 600, 3), 180, np.uint8)
    assert colourless_share(page, whole_image(page)) == 1.0
    page[:, :150] = (40, 60, 220)
    assert colourless_share(page, whole_image(page)) == pytest.approx(0.75, abs=0.03)


def test_a_raster_stands_out_of_noise() -> None:
    rng = np.random.default_rng(1)
    noise = np.clip(rng.normal(150, 10, (256, 256, 3)), 0, 255).astype(np.uint8)
    x = np.arange(256)[None, :, None]
    raster = np.clip(noise + 12 * np.cos(2 * np.pi * 0.31 * x), 0, 255).astype(np.uint8)
    quiet, loud = raster_prominence([noise, noise[::-1]]), raster_prominence([raster, raster])
    assert quiet is not None
    assert loud is not None
    assert loud > quiet + 1
    assert raster_prominence([]) is None
