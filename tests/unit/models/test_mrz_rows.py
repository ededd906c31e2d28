"""Rows and places: what was found by ink is put right by where the characters stand."""

from dataclasses import replace

import numpy as np
import pytest

from gate.checks.mrz import CHARACTERS
from models.document.cut import centred, cut_out, fitted, line_grid
from models.document.decode import LineScores, find_places, rhythm
from models.document.lines import TextLine
from models.document.sight import see_zone
from models.document.views import completed


def line_of(
    text: str, pitch: float, *, before: float = 0.0, after: float = 0.0, span: tuple[float, float]
) -> LineScores:
    """Frames of a line at a pitch, in frames; nothing is shown ``before`` and ``after`` it. ``span`` is what the row claims."""
    frames = round(before + pitch * len(text) + after)
    probabilities = np.zeros((frames, 1 + len(CHARACTERS)), np.float32)
    for frame in range(frames):
        place, within = divmod((frame + 0.5 - before) / pitch, 1)
        if 0 <= place < len(text) and abs(within - 0.5) < 0.3:
            probabilities[frame, 1 + CHARACTERS.index(text[int(place)])] = 0.98
    probabilities[:, 0] = 1 - probabilities.sum(axis=1)
    return LineScores(probabilities=probabilities, classes=CHARACTERS, span_frames=span)


ROW = TextLine(left=(100.0, 50.0), right=(540.0, 61.0), height_px=14.0, bow_px=2.0)


def test_a_row_gets_the_ends_and_the_height_of_its_places() -> None:
    # The text takes the middle three quarters of what was cut out.
    line = line_of("A" * 44, 4.0, before=29.0, after=29.0, span=(5.0, 229.0))
    places = find_places(line, 44, 4.0)
    assert np.abs(places.middles - (29 + 2 + 4 * np.arange(44))).max() < 1
    frames = len(line.probabilities)
    (row,) = fitted([ROW], [places], frames)
    assert row.width_px == pytest.approx(ROW.width_px * 0.75, rel=0.06)
    assert row.height_px == pytest.approx(0.945 * row.width_px / 44 * 1.12, rel=0.02)
    (lower,) = fitted([replace(ROW, height_px=2.0)], [places], frames)
    assert lower.height_px == pytest.approx(0.85 * 0.945 * lower.width_px / 44, rel=0.02)
    # Rows with common ends keep them, and lose no end of either.
    later = replace(places, middles=places.middles + 3)
    first, second = fitted([ROW, ROW], [places, later], frames)
    assert first.left == second.left == pytest.approx(row.left)
    assert first.right == second.right
    assert first.right[0] > row.right[0]
    # It still lies on the same bent line.
    for share in (0.0, 0.5, 1.0):
        x, y = row.at(share)
        assert y == pytest.approx(ROW.at((x - 100) / 440)[1], abs=0.3)


@pytest.mark.parametrize("pitch", [3.4, 4.0, 4.6])
def test_the_rhythm_tells_the_pitch(pitch: float) -> None:
    line = line_of("AB<<C12" * 6, pitch, before=8, after=13, span=(0, 200))
    assert rhythm(line, 4.0) == pytest.approx(pitch, rel=0.02)


@pytest.mark.parametrize("length", [36, 44])
def test_the_rhythm_tells_how_long_a_line_is(length: int) -> None:
    # A row that was found four places too long looks as if it could be either.
    pitch = 176 / (length + 4)
    text = ("P<UTO" + "ABCDEFGH<<IJKL" * 4)[:length]
    line = line_of(text, pitch, before=2 * pitch, after=2 * pitch, span=(0.0, 176.0))
    sight = see_zone([line, line])
    assert sight is not None
    assert len(sight.seen[0]) == length


def test_text_is_found_in_a_cut_that_is_wider() -> None:
    text = "P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<"
    # The row lost its first four places; the wider cut shows them, but its ends are elsewhere.
    line = line_of(text, 3.4, before=4.0, after=22.0, span=(18.0, 154.0))
    sight = see_zone([line, line], is_wider=True)
    assert sight is not None
    assert "".join(CHARACTERS[index] for index in sight.seen[0][:, 1:].argmax(axis=1)) == text


def test_two_rows_of_a_card_are_completed_above_and_below() -> None:
    upper = TextLine(left=(20.0, 100.0), right=(380.0, 103.0), height_px=11.0)
    lower = TextLine(left=(21.0, 130.0), right=(381.0, 133.0), height_px=11.0)
    groups = list(completed((upper, lower)))
    assert [len(group) for group in groups] == [2, 3, 3]
    assert groups[1][2].left == pytest.approx((22.0, 160.0))
    assert groups[2][0].right == pytest.approx((379.0, 73.0))
    # The rows of a passport are longer.
    far = replace(lower, right=(560.0, 134.0))
    assert len(list(completed((replace(upper, right=(559.0, 104.0)), far)))) == 1


def test_a_part_of_a_long_line_is_not_taken_for_a_short_one() -> None:
    # A dark page edge made the row a fifth too long: its length alone would speak for 36 places.
    pitch = 176 / 54
    text = "P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<"
    line = line_of(text, pitch, before=1.0, after=10 * pitch, span=(0.0, 36 * pitch))
    sight = see_zone([line, line], is_wider=True)
    assert sight is None or len(sight.seen[0]) == 44
    sight = see_zone([line, line])
    assert sight is None or len(sight.seen[0]) == 44


def test_a_row_is_moved_turned_and_bent_onto_its_text() -> None:
    # Strokes 14 px high along a bent line; dark curves cross them.
    page = np.full((120, 640, 3), 210, np.uint8)
    true = TextLine(left=(40.0, 52.0), right=(600.0, 60.0), height_px=14.0, bow_px=3.0)
    for share in np.linspace(0.01, 0.99, 88):
        x, y = true.at(float(share))
        page[round(y - 7) : round(y + 7), round(x) : round(x) + 2] = 40
    for x in range(20, 620):
        page[round(60 + 30 * np.sin(x / 40)), x] = 120
    found = TextLine(left=(40.0, 55.0), right=(600.0, 57.0), height_px=14.0, bow_px=0.0)
    size = (704, 32)
    grid, _ = line_grid(found, size, 0.95)
    row = centred(found, cut_out(page, [grid], size)[0], 0.95)
    for share in (0.0, 0.25, 0.5, 0.75, 1.0):
        assert row.at(share)[1] == pytest.approx(true.at(share)[1], abs=1.0)
    # What lies well already stays.
    grid, _ = line_grid(true, size, 0.95)
    again = centred(true, cut_out(page, [grid], size)[0], 0.95)
    for share in (0.0, 0.5, 1.0):
        assert again.at(share)[1] == pytest.approx(true.at(share)[1], abs=0.8)


def test_a_line_whose_first_letter_is_not_seen_is_not_moved_to_the_side() -> None:
    pitch = 4.0
    first = line_of("I<UTOD231458907<<<<<<<<<<<<<<<", pitch, before=4.0, after=12.0, span=(3.0, 125.0))
    second = line_of("7408122F1204159UTO<<<<<<<<<<<6", pitch, before=4.0, after=12.0, span=(3.0, 125.0))
    third = line_of("ERIKSSON<<ANNA<MARIA<<<<<<<<<<", pitch, before=4.0, after=12.0, span=(3.0, 125.0))
    # Its first letter is gone, and beside its end is a speck as wide as a letter.
    probabilities = third.probabilities.copy()
    probabilities[:8] = 0
    probabilities[:8, 0] = 1
    probabilities[125:127] = probabilities[121:123]
    worse = LineScores(probabilities=probabilities, classes=CHARACTERS, span_frames=third.span_frames)
    sight = see_zone([first, second, worse])
    assert sight is not None
    read = ["".join(CHARACTERS[index] for index in seen[:, 1:].argmax(axis=1)) for seen in sight.seen]
    assert read[2][1:] == "RIKSSON<<ANNA<MARIA<<<<<<<<<<"
    assert sight.seen[2][0, 1:].sum() < 0.2
