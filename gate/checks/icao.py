"""Transliteration of names into MRZ letters, ICAO Doc 9303 part 3 (8th edition) section 6. Pure, standard library only."""

import unicodedata
from collections.abc import Mapping

# Section 6 A: Latin letters whose transliteration is more than dropping the accent. The first recommended form of each.
_LATIN: Mapping[str, str] = {
    "Ä": "AE", "Æ": "AE", "Å": "AA", "Ö": "OE", "Ø": "OE", "Œ": "OE", "Ü": "UE", "ß": "SS", "ẞ": "SS", "Þ": "TH",
    "Ð": "D", "Đ": "D", "Ħ": "H", "ı": "I", "Ł": "L", "Ŋ": "N", "Ŧ": "T", "Ñ": "N", "Ĳ": "IJ", "ĸ": "K",
}  # fmt: skip
# Section 6 B: Cyrillic, with what some issuers do differently. Soft signs vanish.
_CYRILLIC: Mapping[str, str] = {
    "А": "A", "Б": "B", "В": "V", "Г": "G", "Д": "D", "Е": "E", "Ё": "E", "Ж": "ZH", "З": "Z", "И": "I", "І": "I", "Й": "I",
    "К": "K", "Л": "L", "М": "M", "Н": "N", "О": "O", "П": "P", "Р": "R", "С": "S", "Т": "T", "У": "U", "Ф": "F", "Х": "KH",
    "Ц": "TS", "Ч": "CH", "Ш": "SH", "Щ": "SHCH", "Ъ": "IE", "Ы": "Y", "Ь": "", "Э": "E", "Ю": "IU", "Я": "IA", "Ў": "U",
    "Ґ": "G", "Є": "IE", "Ї": "I", "Ђ": "D", "Ѓ": "G", "Ѕ": "DZ", "Ј": "J", "Ќ": "K", "Љ": "LJ", "Њ": "NJ", "Џ": "DZ",
}  # fmt: skip
_CYRILLIC_OF: Mapping[str, Mapping[str, str]] = {
    "BGR": {"Щ": "SHT"},
    "BLR": {"Г": "H", "Ё": "IO"},
    "MKD": {"Х": "H", "Ц": "C", "Ѓ": "GJ", "Ќ": "KJ", "Џ": "DJ"},
    "SRB": {"Ж": "Z", "Х": "H", "Ц": "C", "Ч": "C", "Ш": "S"},
    "UKR": {"Г": "H", "И": "Y"},
}


def transliterate(name: str, *, issuer: str = "") -> str:
    """Return a name in MRZ letters and spaces: Latin by section 6 A, Cyrillic by 6 B as ``issuer`` (a code) does it.

    Apostrophes and stops vanish, hyphens become spaces (4.6). Raises ValueError for a letter of another script, which the
    issuer transliterates by its own table.
    """
    special = _CYRILLIC_OF.get(issuer, {})
    result = []
    for character in unicodedata.normalize("NFC", name).upper():
        base = unicodedata.normalize("NFD", character)[0]
        if character in special:
            result.append(special[character])
        elif character in _LATIN:
            result.append(_LATIN[character])
        elif character in _CYRILLIC:
            result.append(_CYRILLIC[character])
        elif base.isascii() and base.isalpha():
            result.append(base)
        elif character in "-‐‑– ":
            result.append(" ")
        elif character not in "'’ʼ`.,":
            raise ValueError(f"{character!r} has no transliteration here")
    return " ".join("".join(result).split())
