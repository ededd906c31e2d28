"""Made-up people for a watchlist, and how the same people are spelt elsewhere: by another table, mistyped, cut, in other order.

What varies is written down here and in the TOML file beside it, apart from what the search folds away: the one measures the other.
"""

import random
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import Any

_CULTURES: tuple[dict[str, Any], ...] = tuple(
    tomllib.loads(Path(__file__).with_suffix(".toml").read_text(encoding="utf-8")).values()
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """``surname`` and ``given`` are spellings separated by ``|``, one a word of the name; ``birth_date`` ISO 8601."""

    surname: str
    given: tuple[str, ...]
    nationality: str
    birth_date: str

    def names(self) -> tuple[str, str]:
        """(surname, given names) as the list has them."""
        return _first(self.surname), " ".join(_first(word) for word in self.given)


class Variation(StrEnum):
    """What happened to a name between the list and the document."""

    SAME = "same"
    ROMANISED = "romanised"
    TYPO = "typo"
    TWO_TYPOS = "two_typos"
    LEFT_OUT = "left_out"
    SWAPPED = "swapped"
    RUN_TOGETHER = "run_together"
    ROMANISED_TYPO = "romanised_typo"


def people(count: int, seed: int) -> Iterator[Person]:
    """``count`` people; half of the surnames are compounds of two, since lists name more people than there are common names."""
    chance = random.Random(seed)
    for _ in range(count):
        culture = chance.choice(_CULTURES)
        surname = chance.choice(culture["surnames"])
        is_chinese = culture["nationality"] == "CHN"
        if not is_chinese and chance.random() < 0.5:
            surname = _both(surname, chance.choice(culture["surnames"]))
        words = tuple(chance.sample(culture["given"], chance.randint(*culture["given_words"])))
        if is_chinese and len(words) == 2:
            words = (_both(*words, between=""),)
        birth = f"{chance.randint(1940, 2006)}-{chance.randint(1, 12):02d}-{chance.randint(1, 28):02d}"
        yield Person(surname=surname, given=words, nationality=culture["nationality"], birth_date=birth)


def varied(person: Person, variation: Variation, chance: random.Random) -> tuple[str, str]:
    """(surname, given names) of ``person`` as another document might spell them."""
    return _VARIATIONS[variation](person, chance)


def varied_birth(date: str, chance: random.Random) -> str:
    """Mostly the same date; sometimes the day is not known, day and month are swapped or a digit is wrong."""
    lot = chance.random()
    year, month, day = date.split("-")
    if lot < 0.90:
        return date
    if lot < 0.93:
        return year
    if lot < 0.95:
        return f"{year}-{month}"
    if lot < 0.97 and int(day) <= 12:
        return f"{year}-{day}-{month}"
    return f"{year[:3]}{chance.randint(0, 9)}-{month}-{day}"


def _first(spellings: str) -> str:
    return spellings.split("|", maxsplit=1)[0]


def _both(one: str, other: str, between: str = " ") -> str:
    """Two words as one: the n-th spelling of the one goes with the n-th of the other."""
    left, right = one.split("|"), other.split("|")
    count = max(len(left), len(right))
    return "|".join(left[min(i, len(left) - 1)] + between + right[min(i, len(right) - 1)] for i in range(count))


def _other(spellings: str, chance: random.Random) -> str:
    forms = spellings.split("|")
    return chance.choice(forms[1:] or forms)


def _romanised(person: Person, chance: random.Random) -> tuple[str, str]:
    return _other(person.surname, chance), " ".join(_other(word, chance) for word in person.given)


def _mistyped(text: str, chance: random.Random) -> str:
    at = chance.randrange(len(text))
    letter = chance.choice("ABCDEFGHIJKLMNOPQRSTUVWXYZ")
    kind = chance.randrange(4)
    if kind == 0:
        return text[:at] + letter + text[at + 1 :]
    if kind == 1:
        return text[:at] + letter + text[at:]
    if kind == 2 and len(text) > 3:
        return text[:at] + text[at + 1 :]
    at = min(at, len(text) - 2) if len(text) > 1 else 0
    return text[:at] + text[at : at + 2][::-1] + text[at + 2 :]


def _typo(names: tuple[str, str], chance: random.Random) -> tuple[str, str]:
    surname, given = names
    if chance.random() < len(surname) / len(surname + given):
        return _mistyped(surname, chance), given
    return surname, _mistyped(given, chance)


def _left_out(person: Person, _chance: random.Random) -> tuple[str, str]:
    return replace(person, given=person.given[:1]).names()


def _swapped(person: Person, _chance: random.Random) -> tuple[str, str]:
    surname, given = person.names()
    return given, surname


def _run_together(person: Person, _chance: random.Random) -> tuple[str, str]:
    surname, given = person.names()
    return surname.replace(" ", "").replace("-", ""), given.replace(" ", "").replace("-", "")


_VARIATIONS: dict[Variation, Callable[[Person, random.Random], tuple[str, str]]] = {
    Variation.SAME: lambda person, _chance: person.names(),
    Variation.ROMANISED: _romanised,
    Variation.TYPO: lambda person, chance: _typo(person.names(), chance),
    Variation.TWO_TYPOS: lambda person, chance: _typo(_typo(person.names(), chance), chance),
    Variation.LEFT_OUT: _left_out,
    Variation.SWAPPED: _swapped,
    Variation.RUN_TOGETHER: _run_together,
    Variation.ROMANISED_TYPO: lambda person, chance: _typo(_romanised(person, chance), chance),
}
