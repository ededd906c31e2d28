"""Documents: read exactly or refused; a digit that is printed wrong stays wrong."""

from dataclasses import replace
from datetime import date

import cv2
import numpy as np
import pytest

from gate.checks.mrz import CHARACTERS, CheckName, MrzFormat, check_digit
from models.document import (
    DocumentPresence,
    DocumentRead,
    DocumentReader,
    DocumentUnreadable,
    Presence,
    UnreadableReason,
)
from models.document.decode import LineScores, decode_line
from models.document.zone import ZoneRead, ZoneRefused, read_zone
from models.face import FaceDetector, FaceEmbedder, cosine
from models.manifest import FACE_EMBEDDER
from models.store import ModelStore
from simulator.frames import MILD, UNREADABLE, document_frame, empty_document_frame
from simulator.passports import Passport, crop_portrait, ocr_b_file, render_page
from simulator.photos import PersonPhotos

NAMES = (
    ("Eriksson", "Anna Maria"),
    ("Ní Bhriain-Smith", "Jo"),
    ("O'Sullivan", "Owen"),
    ("Li", "Xiaoming"),
    ("Büßow", "Zoë"),
)
NUMBERS = ("L898902C3", "E01234567", "X40512256", "G12345678", "AB1234567")


def passport_of(index: int, **changes: object) -> Passport:
    passport = Passport(
        issuer="CHN" if index == 3 else "UTO",
        nationality="CHN" if index == 3 else "UTO",
        document_number=NUMBERS[index],
        primary_name=NAMES[index][0],
        secondary_name=NAMES[index][1],
        birth_date=date(1974, 8, 12),
        sex="MF<"[index % 3],
        expiry_date=date(2031, 4, 15),
        optional_data="ZE184226B" if index % 2 else "",
    )
    return replace(passport, **changes)


def page_of(passport: Passport, person: PersonPhotos) -> np.ndarray:
    return render_page(passport, crop_portrait(person.portrait.load(), person.portrait.face_px))


@pytest.mark.parametrize("index", range(5))
def test_every_traveller_is_read_exactly_through_mild_damage(
    index: int,
    reader: DocumentReader,
    people: list[PersonPhotos],
    embedder: FaceEmbedder,
    detector: FaceDetector,
    store: ModelStore,
) -> None:
    rng = np.random.default_rng(index)
    passport = passport_of(index)
    for is_upside_down in (False, True):
        frame = document_frame(
            page_of(passport, people[index]), rng=rng, damage=replace(MILD, is_upside_down=is_upside_down)
        )
        result = reader.read(frame)
        assert isinstance(result, DocumentRead), result
        assert result.lines == passport.mrz_lines()
        assert result.format is MrzFormat.TD3
        assert result.check_digits_ok
        assert result.fields.document_number == NUMBERS[index]
        assert result.portrait_bgr is not None
        assert result.portrait_face is not None
        live = people[index].live.load()
        live_template = embedder.embed(live, detector.detect(live)[0])
        score = cosine(embedder.embed(result.portrait_bgr, result.portrait_face), live_template)
        assert score > store.manifest.threshold(FACE_EMBEDDER, "printed-portrait")
        # The corners are in reading order of the document, wherever it points.
        assert bool(result.page_quad_px[0][0] > result.page_quad_px[1][0]) is is_upside_down
    assert set(result.model_hashes) == {"mrz-recogniser", "face-detector"}


@pytest.mark.parametrize("wrong", list(CheckName))
def test_a_wrong_check_digit_is_read_as_printed(
    wrong: CheckName, reader: DocumentReader, people: list[PersonPhotos]
) -> None:
    passport = passport_of(0, wrong_check=wrong)
    result = reader.read(document_frame(page_of(passport, people[0]), rng=np.random.default_rng(7), damage=MILD))
    assert isinstance(result, DocumentRead), result
    assert result.lines == passport.mrz_lines()
    assert not result.check_digits_ok
    assert wrong in {check.name for check in result.fields.checks if not check.is_ok}


@pytest.mark.parametrize(
    "damage",
    [UNREADABLE, replace(MILD, glare=1.0), replace(MILD, blur_px=6.0)],
    ids=["both", "glare", "blur"],
)
def test_what_cannot_be_read_is_refused(damage: object, reader: DocumentReader, people: list[PersonPhotos]) -> None:
    frame = document_frame(page_of(passport_of(1), people[1]), rng=np.random.default_rng(5), damage=damage)  # type: ignore[arg-type]
    assert isinstance(reader.read(frame), DocumentUnreadable)


def test_growing_blur_is_read_rightly_or_refused_never_misread(
    reader: DocumentReader, people: list[PersonPhotos]
) -> None:
    passport = passport_of(2)
    page = page_of(passport, people[2])
    refused = 0
    for blur_px in (2.0, 3.0, 4.0, 4.5, 5.0, 5.5, 6.5):
        frame = document_frame(page, rng=np.random.default_rng(11), damage=replace(MILD, blur_px=blur_px))
        result = reader.read(frame)
        if isinstance(result, DocumentRead):
            assert result.lines == passport.mrz_lines(), blur_px
        else:
            refused += 1
    assert refused >= 1


def test_an_empty_reader_and_a_page_without_a_zone_have_no_mrz(
    reader: DocumentReader, people: list[PersonPhotos]
) -> None:
    for frame in (empty_document_frame(rng=np.random.default_rng(1)), people[0].portrait.load()):
        result = reader.read(frame)
        assert isinstance(result, DocumentUnreadable)
        assert result.reason is UnreadableReason.NO_MRZ


TD1 = ("I<UTOD231458907<<<<<<<<<<<<<<<", "7408122F1204159UTO<<<<<<<<<<<6", "ERIKSSON<<ANNA<MARIA<<<<<<<<<<")
TD2 = ("I<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<", "D231458907UTO7408122F1204159<<<<<<<6")
MRVA = ("V<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<", "L8988901C4XXX4009078F96121096ZE184226B<<<<<<")
MRVB = ("V<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<", "L8988901C4XXX4009078F9612109<<<<<<<<")


def card(lines: tuple[str, ...], width_mm: float, height_mm: float) -> np.ndarray:
    """A bare card with nothing but its zone, at 10 px a millimetre."""
    page = np.full((round(height_mm * 10), round(width_mm * 10), 3), 225, np.uint8)
    font = cv2.FontFace(str(ocr_b_file()))
    for index, line in enumerate(lines):
        y = round((height_mm - 6.5 - 6.35 * (len(lines) - 1 - index)) * 10)
        for place, character in enumerate(line):
            cv2.putText(page, character, (round((4.5 + place * 2.54) * 10), y), (30, 30, 30), font, 33)
    return page


@pytest.mark.parametrize(
    ("format_", "lines", "size_mm"),
    [
        (MrzFormat.TD1, TD1, (85.6, 54.0)),
        (MrzFormat.TD2, TD2, (105.0, 74.0)),
        (MrzFormat.MRVA, MRVA, (120.0, 80.0)),
        (MrzFormat.MRVB, MRVB, (105.0, 74.0)),
    ],
)
def test_other_formats_are_read_too(
    format_: MrzFormat, lines: tuple[str, ...], size_mm: tuple[float, float], reader: DocumentReader
) -> None:
    result = reader.read(document_frame(card(lines, *size_mm), rng=np.random.default_rng(3)))
    assert isinstance(result, DocumentRead), result
    assert (result.format, result.lines, result.check_digits_ok) == (format_, lines, True)
    assert result.portrait_bgr is None


# What follows needs no network: hand-made scores show what the rules do with doubt.

CLASSES = CHARACTERS + "abc|"
TD3 = ("P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<", "L898902C36UTO7408122F1204159ZE184226B<<<<<10")


def scores_of(text: str, doubts: dict[int, dict[str, float]] | None = None) -> LineScores:
    """Two frames a character: itself, then a blank; ``doubts`` replace the evidence at a place."""
    probabilities = np.zeros((2 * len(text), 1 + len(CLASSES)), np.float32)
    probabilities[1::2, 0] = 1.0
    for place, character in enumerate(text):
        evidence = (doubts or {}).get(place, {character: 0.99})
        for name, value in evidence.items():
            probabilities[2 * place, 1 + CLASSES.index(name)] = value
        probabilities[2 * place, 0] = 1.0 - sum(evidence.values())
    return LineScores(probabilities=probabilities, classes=CLASSES, span_frames=(0.0, 2.0 * len(text)))


def test_look_alikes_follow_the_layout() -> None:
    first = scores_of(TD3[0].replace("O", "0"))
    second = scores_of(TD3[1].replace("0", "O"))
    zone = read_zone([first, second])
    assert isinstance(zone, ZoneRefused) or zone.mrz.lines[0] == TD3[0]
    # Dates and codes leave no doubt; only the document number does, which its check digit settles.
    assert isinstance(read_zone([first, scores_of(TD3[1][:10] + "UT07408122F12O4159" + TD3[1][28:])]), ZoneRead)


def test_a_look_alike_in_the_number_is_settled_by_the_check_digits() -> None:
    zone = read_zone([scores_of(TD3[0]), scores_of(TD3[1].replace("L898902C3", "L8989O2C3"))])
    assert isinstance(zone, ZoneRead)
    assert zone.mrz.lines == TD3


def test_a_wrong_digit_is_not_explained_away() -> None:
    wrong = TD3[1][:9] + "7" + TD3[1][10:]
    zone = read_zone([scores_of(TD3[0]), scores_of(wrong)])
    assert isinstance(zone, ZoneRead)
    assert zone.mrz.lines[1] == wrong
    assert not zone.mrz.check_digits_ok


def test_a_doubtful_character_does_not_accuse_a_document() -> None:
    wrong = TD3[1][:9] + "7" + TD3[1][10:]
    zone = read_zone([scores_of(TD3[0]), scores_of(wrong, {9: {"7": 0.6}})])
    assert isinstance(zone, ZoneRefused)
    assert "line 2, position 10" in zone.detail


def test_a_doubtful_letter_of_a_name_refuses() -> None:
    zone = read_zone([scores_of(TD3[0], {6: {"R": 0.4, "K": 0.35}}), scores_of(TD3[1])])
    assert isinstance(zone, ZoneRefused)
    assert "line 1, position 7" in zone.detail


def test_a_visa_has_no_composite_digit_to_lean_on() -> None:
    # An O for a 0 could be the printer's or ours: without doubt in the scores it is reported as printed.
    number = "L89889010"
    body = f"{number}{check_digit(number)}XXX4009078F9612109" + "<" * 16
    zone = read_zone([scores_of(MRVA[0]), scores_of(body.replace("9010", "901O", 1))])
    assert isinstance(zone, ZoneRead)
    assert not zone.mrz.check_digits_ok
    zone = read_zone([scores_of(MRVA[0]), scores_of(body, {8: {"O": 0.5, "0": 0.4}})])
    assert isinstance(zone, ZoneRead)
    assert zone.mrz.document_number == number


def test_runs_of_fillers_are_counted_by_their_place() -> None:
    line = scores_of(TD3[0])
    # Blanks between the fillers at the end are gone: the plain reading sees a single one.
    probabilities = line.probabilities.copy()
    probabilities[51::2] = probabilities[50]
    merged = LineScores(probabilities=probabilities, classes=CLASSES, span_frames=line.span_frames)
    assert len(merged.greedy()[0]) < 30
    allowed = (CHARACTERS,) * 44
    assert decode_line(merged, allowed).text == TD3[0]


def test_text_of_another_length_is_no_zone() -> None:
    assert isinstance(read_zone([scores_of("HELLO<WORLD"), scores_of("HELLO<WORLD")]), ZoneRefused)


def test_presence_follows_a_document_in_and_out(people: list[PersonPhotos]) -> None:
    rng = np.random.default_rng(2)
    empty = [empty_document_frame(rng=rng) for _ in range(3)]
    page = page_of(passport_of(0), people[0])
    placed = document_frame(page, rng=rng)
    coming = [np.roll(placed, shift, axis=1) for shift in (600, 300)]
    watch = DocumentPresence()
    states = [watch.update(frame) for frame in (*empty, *coming, placed, placed, placed, empty[0])]
    assert states[:3] == [Presence.ABSENT] * 3
    assert states[3:6] == [Presence.MOVING] * 3
    assert states[6:] == [Presence.STEADY, Presence.STEADY, Presence.ABSENT]
    assert watch.state is Presence.ABSENT


def on_white(frame: np.ndarray) -> np.ndarray:
    """The same document on a white table: what is dark and joined to the frame's corner is not the page."""
    dark = (frame.max(axis=2) < 60).astype(np.uint8)
    mask = np.zeros((frame.shape[0] + 2, frame.shape[1] + 2), np.uint8)
    cv2.floodFill(cv2.morphologyEx(dark, cv2.MORPH_CLOSE, np.ones((5, 5), np.uint8)), mask, (2, 2), 1)
    white = frame.copy()
    white[mask[1:-1, 1:-1] > 0] = 245
    return white


@pytest.mark.parametrize(
    "how", ["quarter turn", "three quarter turn", "page alone", "page alone, upside down", "white table", "small"]
)
def test_pictures_from_scanners_and_telephones_are_read_too(
    how: str, reader: DocumentReader, people: list[PersonPhotos]
) -> None:
    passport = passport_of(1)
    page = page_of(passport, people[1])
    frame = document_frame(page, rng=np.random.default_rng(3), damage=MILD)
    picture = {
        "quarter turn": cv2.rotate(frame, cv2.ROTATE_90_CLOCKWISE),
        "three quarter turn": cv2.rotate(frame, cv2.ROTATE_90_COUNTERCLOCKWISE),
        "page alone": page,
        "page alone, upside down": cv2.rotate(page, cv2.ROTATE_180),
        "white table": on_white(frame),
        "small": cv2.resize(frame, (640, 480), interpolation=cv2.INTER_AREA),
    }[how]
    result = reader.read(picture)
    assert isinstance(result, DocumentRead), result
    assert result.lines == passport.mrz_lines()
    assert result.portrait_bgr is not None
