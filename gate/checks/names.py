"""Are two spellings of a name the same name? For the visual zone and advance data against the MRZ. Pure, standard library only.

Doc 9303 part 3 section 6 lets an issuer choose (Ü may be printed UE, UXX or U), cuts long names (part 4, 4.2.3) and prints in
the MRZ what the visual zone spells with accents. So spellings are compared by what none of these choices changes.
"""

import re
import unicodedata

from gate.checks.icao import transliterate

# What section 6 A may print for a letter, and the letter all of them are compared as.
_FORMS = (("UXX", "U"), ("NXX", "N"), ("AE", "A"), ("AA", "A"), ("OE", "O"), ("UE", "U"))


def mrz_spelling(text: str) -> str:
    """Return ``text`` in capital letters, digits and single spaces, as an MRZ would spell it; what it cannot spell is a space.

    Several scripts on one line (a Chinese name with its Latin form) leave the Latin part.
    """
    words = []
    for word in re.split(r"[^\w'’.\-]+|_", unicodedata.normalize("NFC", text)):
        try:
            words.append(_spell(word))
        except ValueError:
            words.append(" ".join(_spell(part) for part in re.findall(r"[A-Za-zÀ-ɏ0-9]+", word)))
    return " ".join(" ".join(words).split())


def _spell(word: str) -> str:
    parts = re.split(r"(\d+)", word)
    return "".join(part if part.isascii() and part.isdigit() else transliterate(part) for part in parts)


def skeleton(name: str) -> str:
    """Return what all permitted spellings of a name have in common: no spaces, one letter for each of AE, OE, UE, AA, UXX, NXX."""
    letters = mrz_spelling(name).replace(" ", "")
    for form, letter in _FORMS:
        letters = letters.replace(form, letter)
    return letters


def similarity_ratio(a: str, b: str) -> float:
    """Return how alike two texts are: 1 minus their edit distance by the length of the longer; 1.0 if both are empty."""
    longest = max(len(a), len(b))
    return 1.0 if longest == 0 else 1.0 - edit_distance(a, b) / longest


def name_similarity(printed: str, mrz: str, *, is_truncated: bool = False) -> float:
    """Return 0..1, how alike a printed name and an MRZ's are as names; a cut MRZ name is compared with as much as it has."""
    whole, short = skeleton(printed), skeleton(mrz)
    if is_truncated and len(whole) > len(short):
        whole = whole[: len(short)]
    return similarity_ratio(whole, short)


def edit_distance(a: str, b: str) -> int:
    """Return the fewest insertions, deletions and exchanges that make ``a`` into ``b`` (Levenshtein)."""
    row = list(range(len(b) + 1))
    for i, left in enumerate(a, start=1):
        diagonal, row[0] = row[0], i
        for j, right in enumerate(b, start=1):
            diagonal, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, diagonal + (left != right))
    return row[-1]
