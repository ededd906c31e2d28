"""Rendered passports and frames: what the lanes of the demo look at."""

import hashlib
from datetime import date
from pathlib import Path

import numpy as np
import pytest

import simulator.passports as rendering
from gate.checks.mrz import CheckName, Mrz, parse
from simulator.frames import MILD, document_frame, empty_document_frame, empty_face_frame, face_frame, faces_frame
from simulator.passports import Passport, PassportError, crop_portrait, render_page
from simulator.photos import PhotoError, PhotoLibrary, _catalogue, main

PASSPORT = Passport(
    document_number="L898902C3",
    primary_name="Eriksson",
    secondary_name="Anna Maria",
    birth_date=date(1974, 8, 12),
    sex="F",
    expiry_date=date(2031, 4, 15),
)


@pytest.fixture(scope="module")
def library() -> PhotoLibrary:
    photos = PhotoLibrary()
    photos.fetch()
    return photos


@pytest.fixture(scope="module")
def portrait(library: PhotoLibrary) -> np.ndarray:
    photo = library.people()[0].portrait
    return crop_portrait(photo.load(), photo.face_px)


def test_people_have_the_photos_that_the_scenarios_need(library: PhotoLibrary) -> None:
    people = library.people()
    assert len(people) >= 5
    assert len(library.with_second_photo()) >= 3
    for person in library.with_second_photo():
        assert person.live.file != person.portrait.file
    for photo in _catalogue().photo:
        assert photo.licence
        assert photo.author


def test_cached_photos_have_the_pinned_content(library: PhotoLibrary) -> None:
    for person in library.people():
        for file in person.files:
            assert hashlib.sha256(file.read_bytes()).hexdigest() == file.stem


def test_missing_photos_name_the_remedy(tmp_path: Path) -> None:
    with pytest.raises(PhotoError, match=r"python -m simulator\.photos fetch"):
        PhotoLibrary(tmp_path).people()


def test_an_unknown_person_is_one_sentence(library: PhotoLibrary) -> None:
    with pytest.raises(PhotoError, match=r"nobody .* has the id 'nemo'; known are macron"):
        library.person("nemo")


def test_fetching_again_adds_nothing(library: PhotoLibrary, capsys: pytest.CaptureFixture[str]) -> None:
    assert library.people()
    assert main(["fetch"]) == 0
    assert "(0 fetched)" in capsys.readouterr().err
    assert main([]) == 2
    assert "usage" in capsys.readouterr().err


@pytest.mark.parametrize("wrong", [None, *CheckName])
def test_the_asked_for_check_digit_is_wrong_and_no_other(wrong: CheckName | None) -> None:
    mrz = parse(
        Passport(
            **{field: getattr(PASSPORT, field) for field in PASSPORT.__slots__} | {"wrong_check": wrong}
        ).mrz_lines()
    )
    assert isinstance(mrz, Mrz)
    failed = {check.name for check in mrz.checks if not check.is_ok} - {CheckName.COMPOSITE}
    assert failed == ({wrong} - {CheckName.COMPOSITE} if wrong else set())
    assert mrz.check_digits_ok is (wrong is None)


def test_names_are_printed_in_mrz_letters() -> None:
    first, _ = Passport(
        document_number="1",
        primary_name="Büßow-Ünal",
        secondary_name="Zoë",
        birth_date=date(2000, 1, 1),
        sex="<",
        expiry_date=date(2030, 1, 1),
    ).mrz_lines()
    assert first.startswith("P<UTOBUESSOW<UENAL<<ZOE<<<")


def test_a_page_is_drawn_to_scale(portrait: np.ndarray) -> None:
    page = render_page(PASSPORT, portrait, px_per_mm=8)
    assert page.shape == (704, 1000, 3)
    assert page.dtype == np.uint8
    # ICAO Doc 9303 part 4: the zone takes the lowest 23.2 mm, at ten characters an inch from near the left edge.
    dark = (page.max(axis=2) < 90)[round((88 - 23.2) * 8) :]
    columns = np.flatnonzero(dark.any(axis=0))
    assert columns[0] / 8 == pytest.approx(6.9, abs=1.0)
    assert (columns[-1] - columns[0]) / 8 == pytest.approx(43.8 * 2.54, abs=1.5)


def test_a_missing_font_names_the_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rendering, "_FONT_FILES", ())
    monkeypatch.setattr(rendering.shutil, "which", lambda _name: None)
    with pytest.raises(PassportError, match="install the system package fonts-ocr-b"):
        rendering.ocr_b_file()


def test_frames_repeat_with_their_seed(library: PhotoLibrary, portrait: np.ndarray) -> None:
    page = render_page(PASSPORT, portrait)
    photo = library.people()[0].live

    def frames(seed: int) -> list[np.ndarray]:
        rng = np.random.default_rng(seed)
        return [
            document_frame(page, rng=rng, damage=MILD),
            empty_document_frame(rng=rng),
            face_frame(photo, approach=0.7, rng=rng),
            faces_frame([photo, photo], approach=0.7, rng=rng),
            empty_face_frame(rng=rng),
        ]

    first, same, other = frames(1), frames(1), frames(2)
    assert [frame.shape for frame in first] == [(960, 1280, 3)] * 2 + [(480, 640, 3)] * 3
    assert all(frame.dtype == np.uint8 for frame in first)
    assert all(np.array_equal(a, b) for a, b in zip(first, same, strict=True))
    assert not any(np.array_equal(a, b) for a, b in zip(first, other, strict=True))
