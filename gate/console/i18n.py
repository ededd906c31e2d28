"""The officers' sentences in the officer's language, from gettext catalogues.

Every ``locale/{language}/LC_MESSAGES/*.po`` is read as it is, so there is no compiled copy that could be old. A page names a sentence
by a key (``role.queue.empty``); the catalogues of all languages have the same keys, or the console does not start. Kiosks, which speak
more languages and to one traveller at a time, have their own (``texts.toml``).
"""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cache
from gettext import GNUTranslations
from importlib import resources
from io import BytesIO
from string import Formatter
from typing import Final

from babel import Locale
from babel.dates import format_date, format_skeleton
from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

from gate.console.errors import CatalogueError

LANGUAGES: Final = {"en": "English", "zh_CN": "中文"}
"""What an officer can choose, and what each language calls itself. The first is the one that is spoken when nobody has chosen."""

FALLBACK: Final = "en"


class Words:
    """The sentences of one language. Call it with a key; ``{names}`` in a sentence are filled from the keyword arguments."""

    def __init__(self, language: str, catalogue: Catalog) -> None:
        self.language = language
        self.tag = language.replace("_", "-")
        """The language as HTML names it (BCP 47)."""
        compiled = BytesIO()
        write_mo(compiled, catalogue)
        compiled.seek(0)
        self._sentences = GNUTranslations(compiled)
        self._locale = Locale.parse(language)
        self.shapes = {_key(message.id): _shape(message.string) for message in catalogue if message.id}
        """For each key, the names that its sentence takes."""

    def __call__(self, key: str, **values: object) -> str:
        """The sentence of that key. KeyError when there is none."""
        if key not in self.shapes:
            raise KeyError(f"no sentence is called {key!r}")
        return self._sentences.gettext(key).format_map(values)

    def count(self, key: str, number: int, **values: object) -> str:
        """The sentence of that key for ``number`` things, which it may show as ``{number}``."""
        if key not in self.shapes:
            raise KeyError(f"no sentence is called {key!r}")
        return self._sentences.ngettext(key, key, number).format_map({"number": number, **values})

    def get(self, key: str) -> str | None:
        """The sentence of a key that was put together from what came over a wire; None when there is none."""
        return self._sentences.gettext(key) if key in self.shapes else None

    def day(self, at_ms: int) -> str:
        """A local date as this language writes it."""
        return format_date(_local(at_ms), format="medium", locale=self._locale)

    def moment(self, at_ms: int) -> str:
        """A local day of the month and time of day, as this language writes them."""
        # One skeleton for both is not in the data of every language.
        day, time = (format_skeleton(part, _local(at_ms), locale=self._locale) for part in ("MMMd", "Hm"))
        return f"{day} {time}"


@cache
def words_of(language: str) -> Words:
    """The sentences of that language, of :data:`FALLBACK` when it is none of ours. Raises CatalogueError when one does not fit."""
    return _all().get(language) or _all()[FALLBACK]


def spoken_first(accept_language: str) -> str:
    """Our language that suits a browser's ``Accept-Language`` (RFC 9110, 12.5.4) best."""
    wanted: list[tuple[float, str]] = []
    for part in accept_language.split(",")[:20]:
        tag, _, quality = part.strip().partition(";q=")
        if tag:
            weight = float(quality) if re.fullmatch(r"[01](\.\d{0,3})?", quality) else 1.0
            wanted.append((-weight, tag.lower()))
    for _, tag in sorted(wanted, key=lambda item: item[0]):
        for language in LANGUAGES:
            if tag.split("-")[0] == language.split("_")[0]:
                return language
    return FALLBACK


@cache
def _all() -> dict[str, Words]:
    made = {language: Words(language, _catalogue(language)) for language in LANGUAGES}
    first = made[FALLBACK]
    for language, words in made.items():
        if lacking := sorted(first.shapes.keys() ^ words.shapes.keys()):
            raise CatalogueError(
                f"the sentences {', '.join(lacking[:5])} are not in all languages: complete {language}"
            )
        if strange := sorted(key for key, shape in words.shapes.items() if shape != first.shapes[key]):
            raise CatalogueError(
                f"the sentences {', '.join(strange[:5])} of {language} take other names than in {FALLBACK}"
            )
    return made


def _catalogue(language: str) -> Catalog:
    """All files of a language as one."""
    whole: Catalog | None = None
    folder = resources.files("gate.console") / "locale" / language / "LC_MESSAGES"
    for file in sorted(folder.iterdir(), key=lambda item: item.name):
        if not file.name.endswith(".po"):
            continue
        part = read_po(BytesIO(file.read_bytes()), locale=language, abort_invalid=True)
        if whole is None:
            whole = Catalog(locale=language, header_comment="", fuzzy=False)
        for message in part:
            if not message.id:
                continue
            if message.fuzzy or not all(_strings(message.string)):
                raise CatalogueError(f"{language}/{file.name} has no good sentence for {_key(message.id)}: write it")
            if whole.get(_key(message.id)) is not None:
                raise CatalogueError(f"{language}/{file.name} names {_key(message.id)} a second time: keep one")
            whole[message.id] = message
    if whole is None:
        raise CatalogueError(f"there are no sentences in {language}: the package is incomplete, install it again")
    return whole


def _key(identifier: object) -> str:
    return str(identifier[0]) if isinstance(identifier, list | tuple) else str(identifier)


def _strings(string: object) -> Iterator[str]:
    if isinstance(string, list | tuple):
        yield from (str(item) for item in string)
    else:
        yield str(string or "")


def _shape(string: object) -> frozenset[str]:
    """The names in braces; "number" counts for none, since a plural may leave it out."""
    names = {name for text in _strings(string) for _, name, _, _ in Formatter().parse(text) if name is not None}
    return frozenset(names - {"number"})


def _local(at_ms: int) -> datetime:
    return datetime.fromtimestamp(at_ms / 1000, tz=UTC).astimezone()
