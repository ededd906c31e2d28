"""What the training lines say: strings that teach shapes and no language.

A network that has seen real names and numbers completes them: it reads 0 between digits and O between letters, whatever
is printed. So most strings are plainly random, many are made of look-alikes only, and those that follow the grammar of
ICAO Doc 9303 part 3 section 4 have strangers put into their runs of fillers.
"""

import numpy as np

from gate.checks.mrz import CHARACTERS, DIGITS, FILLER, LETTERS, check_digit

LOOKALIKE_GROUPS = ("O0QD", "I1LTJ", "Z27", "S5", "B83", "G6C", "UV", "MNW", "KX<", "PRF", "EF", "A4", "Y<V", "HN")


def random_text(rng: np.random.Generator, length: int) -> str:
    """Return ``length`` MRZ characters."""
    kind = rng.random()
    if kind < 0.40:
        return _draw(rng, CHARACTERS, length)
    if kind < 0.68:
        return "".join(_draw(rng, str(rng.choice(LOOKALIKE_GROUPS)), 2) for _ in range(length))[:length]
    text = _names(rng, length) if kind < 0.84 else _numbers(rng, length)
    return _with_strangers(rng, text) if rng.random() < 0.6 else text


def _draw(rng: np.random.Generator, alphabet: str, length: int) -> str:
    return "".join(alphabet[index] for index in rng.integers(0, len(alphabet), length))


def _names(rng: np.random.Generator, length: int) -> str:
    words = [_draw(rng, LETTERS, int(rng.integers(1, 11))) for _ in range(int(rng.integers(2, 6)))]
    code = _draw(rng, LETTERS + FILLER, int(rng.integers(0, 6)))
    return (code + words[0] + FILLER * 2 + FILLER.join(words[1:]))[:length].ljust(length, FILLER)


def _numbers(rng: np.random.Generator, length: int) -> str:
    number = _draw(rng, LETTERS + DIGITS * 4, 9)
    text = number + str(check_digit(number)) + _draw(rng, LETTERS, 3)
    for between in (_draw(rng, "MF" + FILLER, 1), ""):
        text += (date := _draw(rng, DIGITS, 6)) + str(check_digit(date)) + between
    text += _draw(rng, LETTERS + DIGITS * 3, int(rng.integers(0, 12)))
    return text[: length - 2].ljust(length - 2, FILLER) + _draw(rng, DIGITS, 2)


def _with_strangers(rng: np.random.Generator, text: str) -> str:
    """Put a few other characters anywhere: a run of fillers says nothing about the next place."""
    characters = list(text)
    for place in rng.integers(0, len(text), int(rng.integers(1, 6))):
        characters[place] = _draw(rng, CHARACTERS, 1)
    return "".join(characters)
