"""What the recogniser is trained on: the pictures show what the labels say, and a seed gives the same again."""

from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from gate.checks.mrz import CHARACTERS, Mrz, MrzFormat, parse
from models.document.recogniser import OCRB_LINE_HEIGHT_PX, OCRB_PLACE_WIDTH_PX
from models.training.mrz_data import BLANK, FRAME_PX, UNKNOWN, WINDOW_PX, labels, read_shard, windows, write_shard
from models.training.mrz_lines import render_lines
from models.training.mrz_pages import render_document, zone_lines
from models.training.mrz_text import random_text


def test_random_text_has_every_character_and_no_favourite() -> None:
    rng = np.random.default_rng(1)
    texts = [random_text(rng, 44) for _ in range(400)]
    assert {len(text) for text in texts} == {44}
    counts = Counter("".join(texts))
    assert set(counts) == set(CHARACTERS)
    letters_and_digits = [counts[character] for character in CHARACTERS[:-1]]
    assert max(letters_and_digits) < 4 * min(letters_and_digits)


def test_what_follows_a_filler_cannot_be_guessed() -> None:
    rng = np.random.default_rng(2)
    texts = [random_text(rng, 44) for _ in range(600)]
    after_two = Counter(text[place] for text in texts for place in range(2, 44) if text[place - 2 : place] == "<<")
    assert after_two["<"] < 0.9 * sum(after_two.values())


def test_a_line_shows_its_characters_where_it_says() -> None:
    widths = set()
    for seed in range(30):
        for line in render_lines(np.random.default_rng([3, seed]), 2):
            assert line.grey.shape[0] == OCRB_LINE_HEIGHT_PX
            widths.add(line.grey.shape[1])
            assert len(line.centres_px) == len(line.text)
            steps = np.diff(line.centres_px)
            # The pitch may change along a bent page, but characters keep their order and never overlap.
            assert steps.min() > 0.6 * np.median(steps)
            assert line.centres_px[0] > -8
            assert line.centres_px[-1] < line.grey.shape[1] + 8
    assert widths == {30 * OCRB_PLACE_WIDTH_PX, 44 * OCRB_PLACE_WIDTH_PX}


def test_ink_is_darker_at_the_places_of_fillers_than_between_them() -> None:
    darker = 0
    lines = [line for seed in range(40) for line in render_lines(np.random.default_rng([4, seed]), 1)]
    for line in lines:
        columns = line.grey.mean(axis=0)
        middles = [round(centre) for centre in line.centres_px if 4 < centre < len(columns) - 4]
        between = [middle + OCRB_PLACE_WIDTH_PX // 2 for middle in middles[:-1]]
        darker += columns[middles].mean() < columns[between].mean()
    assert darker > 0.8 * len(lines)


def test_frames_bear_the_character_at_its_middle_and_the_blank_between() -> None:
    text = "AB<<"
    centres = np.array([24.0, 40.0, 56.0, 72.0], np.float32)
    codes = labels(centres, text, 96)
    assert len(codes) == 96 // FRAME_PX
    for centre, character in zip(centres, text, strict=True):
        assert codes[int(centre // FRAME_PX)] == 1 + CHARACTERS.index(character)
    assert codes[0] == codes[-1] == BLANK
    # The two fillers stay two: between their middles there is at least one frame that is not the filler.
    assert (codes[14:18] != codes[14]).any()
    assert set(codes) <= {BLANK, UNKNOWN, *(1 + CHARACTERS.index(character) for character in text)}


def test_a_shard_is_the_same_again_and_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("models.training.mrz_data.LINES_A_SHARD", 6)
    first = write_shard(tmp_path, 7, 0)
    pixels, codes = read_shard(first)
    assert pixels.shape[1:] == (OCRB_LINE_HEIGHT_PX, WINDOW_PX)
    assert codes.shape == (len(pixels), WINDOW_PX // FRAME_PX)
    stamp = first.stat().st_mtime_ns
    assert write_shard(tmp_path, 7, 0).stat().st_mtime_ns == stamp
    (tmp_path / "again").mkdir()
    again = read_shard(write_shard(tmp_path / "again", 7, 0))
    assert np.array_equal(again[0], pixels)
    assert np.array_equal(again[1], codes)
    other = read_shard(write_shard(tmp_path, 7, 1))
    assert not np.array_equal(other[0][:4], pixels[:4])


def test_a_long_line_gives_two_windows_whose_cut_is_not_labelled() -> None:
    seeds = (line for seed in range(50) for line in render_lines(np.random.default_rng([5, seed]), 1))
    line = next(line for line in seeds if line.grey.shape[1] == 44 * OCRB_PLACE_WIDTH_PX)
    (left, left_codes), (right, right_codes) = windows(line, np.random.default_rng(1))
    assert np.array_equal(np.hstack([left, right]), line.grey)
    assert left_codes[-1] == right_codes[0] == UNKNOWN


@pytest.mark.parametrize("format_", [MrzFormat.TD1, MrzFormat.TD2, MrzFormat.TD3])
def test_measured_documents_are_valid(format_: MrzFormat) -> None:
    for seed in range(50):
        mrz = parse(zone_lines(np.random.default_rng([6, seed]), format_))
        assert isinstance(mrz, Mrz), mrz
        assert mrz.format is format_
        assert mrz.check_digits_ok


def test_a_document_is_the_same_again() -> None:
    first, again = (render_document(np.random.default_rng([8, 1])) for _ in range(2))
    assert first.lines == again.lines
    assert np.array_equal(first.frame_bgr, again.frame_bgr)
