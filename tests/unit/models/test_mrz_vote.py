"""Several pictures of one zone decide together; pictures of different zones do not."""

import numpy as np
import pytest

from gate.checks.mrz import CHARACTERS
from models.document import DocumentRead, DocumentReader, DocumentUnreadable
from models.document.sight import ZoneSight
from models.document.vote import blend, vote
from models.document.zone import ZoneRead, ZoneRefused, read_sight
from models.training.mrz_scene import photograph
from models.training.mrz_scene_page import print_page

TD3 = ("P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<", "L898902C36UTO7408122F1204159ZE184226B<<<<<10")
Doubts = dict[tuple[int, int], dict[str, float]]


def sight_of(lines: tuple[str, ...], doubts: Doubts) -> ZoneSight:
    seen = []
    for line, text in enumerate(lines):
        scores = np.zeros((len(text), 1 + len(CHARACTERS)), np.float32)
        for place, character in enumerate(text):
            for name, value in doubts.get((line, place), {character: 0.99}).items():
                scores[place, 1 + CHARACTERS.index(name)] = value
        scores[:, 0] = 1 - scores[:, 1:].sum(axis=1)
        seen.append(scores)
    return ZoneSight(seen=tuple(seen), classes=CHARACTERS)


def test_a_zone_is_read_by_the_grammar_of_its_fields() -> None:
    doubts: Doubts = {
        (0, 30): {"K": 0.7, "<": 0.25},
        (0, 3): {"T": 0.5, "I": 0.45},
        (1, 38): {"<": 0.55, "K": 0.44},
    }
    zone = read_sight(sight_of(TD3, doubts))
    assert isinstance(zone, ZoneRead)
    assert zone.mrz.lines == TD3


def test_a_zone_whose_check_digits_are_right_by_chance_is_refused() -> None:
    # Three fillers of a card's optional data, seen as other characters: one such reading in ten has a right digit.
    lines = ("I<UTOD231458907<<<<<<<<<<<<<<<", "7408122F1204159UTO<<<<<<<<<<<6", "ERIKSSON<<ANNA<MARIA<<<<<<<<<<")
    shaky = {"2": 0.4, "<": 0.35, "Z": 0.2}
    zone = read_sight(sight_of(lines, {(0, 16): shaky, (0, 17): shaky, (0, 19): shaky, (0, 20): shaky}))
    assert isinstance(zone, ZoneRefused) or zone.mrz.lines == lines


def test_frames_that_doubt_at_different_places_agree_on_the_zone() -> None:
    frames = [
        sight_of(TD3, {(0, 6): {"R": 0.5, "K": 0.45}}),
        sight_of(TD3, {(0, 10): {"N": 0.6, "H": 0.35}}),
        sight_of(TD3, {(0, 20): {"A": 0.55, "R": 0.4}}),
    ]
    assert all(isinstance(read_sight(frame), ZoneRefused) for frame in frames)
    together = vote(frames)
    assert together is not None
    zone = read_sight(together)
    assert isinstance(zone, ZoneRead)
    assert zone.mrz.lines == TD3


def test_what_light_hides_in_one_frame_the_other_shows() -> None:
    hidden: Doubts = {(0, place): {"X": 0.03} for place in range(5, 12)}
    frames = [sight_of(TD3, hidden), sight_of(TD3, {(0, 20): {"A": 0.3}, (0, 21): {"R": 0.3}})]
    together = vote(frames)
    assert together is not None
    zone = read_sight(together)
    assert isinstance(zone, ZoneRead)
    assert zone.mrz.lines == TD3


def test_a_letter_that_is_doubtful_in_every_frame_stays_doubtful() -> None:
    # The print is worn: no number of pictures makes an R of it.
    frames = [sight_of(TD3, {(0, 6): {"R": 0.5, "P": 0.45}}) for _ in range(3)]
    together = vote(frames)
    assert together is not None
    assert isinstance(read_sight(together), ZoneRefused)


def test_frames_of_another_document_have_no_say() -> None:
    other = ("P<UTOSMITH<<JOHN<<<<<<<<<<<<<<<<<<<<<<<<<<<<", "X123456785GBR8001014M3001013<<<<<<<<<<<<<<08")
    assert vote([sight_of(TD3, {}), sight_of(other, {})]) is None
    assert vote([sight_of(TD3, {}), sight_of(("I<UTO" + "<" * 25,) * 3, {})]) is None
    assert blend([sight_of(TD3, {}), sight_of(other, {})]) is None


def test_cuts_of_one_picture_do_not_confirm_each_other() -> None:
    cuts = [sight_of(TD3, {(0, 6): {"R": 0.8, "P": 0.15}}) for _ in range(4)]
    together = blend(cuts)
    assert together is not None
    assert together.seen[0][6, 1 + CHARACTERS.index("R")] == pytest.approx(0.8)


def test_a_reader_takes_up_what_it_saw_before(reader: DocumentReader) -> None:
    page = print_page(np.random.default_rng([40, 2]))
    frames = [photograph(np.random.default_rng([41, index]), page).frame_bgr for index in range(2)]
    reads = [reader.read(frame) for frame in frames]
    assert any(isinstance(read, DocumentRead) for read in reads)
    # A refusal without a sight changes nothing.
    foreign = reader.read(np.full((480, 640, 3), 90, np.uint8))
    assert isinstance(foreign, DocumentUnreadable)
    assert foreign.sight is None
    for frame, read in zip(frames, reads, strict=True):
        again = reader.read(frame, [foreign])
        assert type(again) is type(read)
        if isinstance(read, DocumentRead) and isinstance(again, DocumentRead):
            assert again.lines == read.lines == page.lines
