"""Names, numbers and codes: the grammar speaks where the print is in doubt and is silent where it is clear."""

import numpy as np
import pytest

from gate.checks.mrz import CHARACTERS
from models.document.grammar import codes_in_context, names_in_context, padded_in_context


def scores_of(text: str, doubts: dict[int, dict[str, float]] | None = None) -> np.ndarray:
    """Evidence for clear print; ``doubts`` replace it at a place."""
    scores = np.full((len(text), len(CHARACTERS)), 1e-5, np.float32)
    for place, character in enumerate(text):
        for name, value in (doubts or {}).get(place, {character: 0.999}).items():
            scores[place, CHARACTERS.index(name)] = value
    return scores


def text_of(scores: np.ndarray) -> str:
    return "".join(CHARACTERS[index] for index in scores.argmax(axis=1))


@pytest.mark.parametrize(
    "name",
    [
        "ERIKSSON<<ANNA<MARIA<<<<<<",
        "VAN<DER<BERG<<JO<<<<<<<<<<",
        "ARKFREITH<<<<<<<<<<<<<<<<<",
        "NILAVADHANANANDA<<CHAYAPA<",
        "THEMOSTVERYLONGNAMEOFALLOF",
        # Not by the grammar, but printed clearly.
        "<ERIKSSON<<ANNA<<<K<<<<<<<",
        "SMITH<<JOHN<<<<<<KARL<<<<<",
    ],
)
def test_a_clear_name_is_read_as_it_is_printed(name: str) -> None:
    context = names_in_context(scores_of(name))
    assert text_of(context) == name
    assert context.max(axis=1).min() > 0.5
    assert np.allclose(context.sum(axis=1), 1, atol=1e-4)


def test_a_doubtful_letter_among_fillers_is_a_filler() -> None:
    name = "ERIKSSON<<ANNA<<<<<<<<"
    context = names_in_context(scores_of(name, {18: {"K": 0.8, "<": 0.15}}))
    assert text_of(context) == name
    assert context[18, CHARACTERS.index("<")] > 0.95


def test_fillers_that_light_hides_are_certain_only_between_fillers() -> None:
    name = "ERIKSSON<<ANNA<<<<<<<<"
    hidden = {"<": 0.02}
    context = names_in_context(scores_of(name, {18: hidden, 19: hidden}))
    assert context[18:20, CHARACTERS.index("<")].min() > 0.95
    # Behind a single filler another word may begin.
    context = names_in_context(scores_of("ERIKSSON<<ANNA<X<<<<<<", {15: hidden}))
    assert context[15].max() < 0.9


def test_doubt_inside_a_word_stays() -> None:
    context = names_in_context(scores_of("ERIKSSON<<ANNA<<<<<<<<", {1: {"R": 0.6, "K": 0.35}}))
    assert context[1, CHARACTERS.index("R")] == pytest.approx(0.6, abs=0.05)


def test_a_name_that_has_no_second_part_by_one_doubtful_letter_is_not_accepted() -> None:
    context = names_in_context(scores_of("POSORUJK<SE<<<<<<<<<", {7: {"K": 0.94, "<": 0.05}}))
    assert context[7].max() < 0.87


def test_numbers_are_padded_at_the_end() -> None:
    # K weighs as much as a filler in every check digit.
    context = padded_in_context(scores_of("B5216<<<<", {7: {"<": 0.6, "K": 0.4}}))
    assert context[7, CHARACTERS.index("<")] > 0.99
    # What stands inside stays as doubtful as it is; what is clear stays clear.
    assert padded_in_context(scores_of("B5216<<<<", {2: {"2": 0.6, "Z": 0.4}}))[2].max() < 0.7
    assert text_of(padded_in_context(scores_of("AB<C<<<<1"))) == "AB<C<<<<1"


def test_codes_in_use_and_equal_codes_confirm_each_other() -> None:
    issuer, nationality = codes_in_context(scores_of("UTO", {2: {"O": 0.55, "D": 0.45}}), scores_of("UTO"))
    assert text_of(issuer) == text_of(nationality) == "UTO"
    assert issuer.max(axis=1).min() > 0.99
    clear = codes_in_context(scores_of("GBR"), scores_of("GBN"))
    assert [text_of(each) for each in clear] == ["GBR", "GBN"]
    assert min(float(each.max(axis=1).min()) for each in clear) > 0.9


def test_a_clear_code_that_nobody_uses_is_read_as_it_is_printed() -> None:
    issuer, nationality = codes_in_context(scores_of("QXJ"), scores_of("QXJ"))
    assert text_of(issuer) == text_of(nationality) == "QXJ"
    issuer, nationality = codes_in_context(scores_of("QXJ"), scores_of("WQQ"))
    assert [text_of(each) for each in (issuer, nationality)] == ["QXJ", "WQQ"]
    assert issuer.max(axis=1).min() > 0.9


def test_doubt_in_a_code_that_nobody_uses_stays() -> None:
    issuer, nationality = codes_in_context(scores_of("PLR", {2: {"P": 0.68, "R": 0.31}}), scores_of("IRS"))
    assert issuer[2, CHARACTERS.index("P")] == pytest.approx(0.68, abs=0.03)
    assert text_of(nationality) == "IRS"
    # The same code printed again settles it.
    issuer, _ = codes_in_context(scores_of("PLR", {2: {"P": 0.68, "R": 0.31}}), scores_of("PLR"))
    assert issuer[2, CHARACTERS.index("R")] > 0.9
