"""Is somebody on the list? A base, and what changed since: entries that came and entries that went, both at once in force."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from gate.checks.watchlist.base import Base, Indexes
from gate.checks.watchlist.births import Birth
from gate.checks.watchlist.entry import ListedName, WatchEntry, normal_document

_OVERLAY_SALT = bytes(16)


class How(StrEnum):
    DOCUMENT = "document"
    NAME = "name"
    FACE = "face"


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """Whom to look for. Empty fields are not asked about. ``birth_date`` ISO 8601, parts may be missing; codes of Doc 9303."""

    document_number: str = ""
    issuer: str = ""
    surname: str = ""
    given_names: str = ""
    birth_date: str = ""
    nationality: str = ""
    sex: str = ""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Hit:
    """Why an entry was found. ``likeness``: 1.0 for a document, 0..1 for a name, -1..1 for a face."""

    entry: WatchEntry
    how: How
    likeness: float
    words: str = field(default="")


class Watchlist:
    """One state of the list. Immutable: a new state is a new object, put in the place of the old one in one assignment."""

    def __init__(self, base: Base | None, *, added: Sequence[WatchEntry] = (), removed: Iterable[str] = ()) -> None:
        """``added`` replaces entries of the base with the same id; ``removed`` are ids that are no longer listed."""
        self._base = base
        self._added = tuple({entry.id: entry for entry in added}.values())
        self._overlay = Indexes.build(self._added, _OVERLAY_SALT)
        self._hidden = frozenset(removed) | {entry.id for entry in self._added}

    def __len__(self) -> int:
        """Entries of the base and those added; removed ones still count until the next base."""
        return (len(self._base) if self._base is not None else 0) + len(self._added)

    def find(self, question: Question, today: date) -> list[Hit]:
        """Hits by document and by name, documents first, then the likest names; an entry comes once."""
        hits = {hit.entry.id: hit for hit in reversed(self._raw(question)) if _counts(hit, question, today)}
        return sorted(hits.values(), key=lambda hit: (hit.how is not How.DOCUMENT, -hit.likeness, hit.entry.id))

    def find_face(self, template: NDArray[np.float32], threshold: float, today: date) -> list[Hit]:
        """Hits by face: float32 (128,) of length 1 of the gallery's model, cosine at or above ``threshold``."""
        near = self._overlay.faces.find(template, threshold)
        found = [_face_hit(self._added[row], score) for row, score in near]
        if self._base is not None:
            listed = [
                (self._base.entry(row), score) for row, score in self._base.indexes.faces.find(template, threshold)
            ]
            found += [_face_hit(entry, score) for entry, score in listed if entry.id not in self._hidden]
        return sorted((hit for hit in found if _is_valid(hit.entry, today)), key=lambda hit: -hit.likeness)

    def _raw(self, question: Question) -> list[Hit]:
        hits = [_hit(self._added[row], raw) for row, raw in _asked(self._overlay, question)]
        if self._base is not None:
            for row, raw in _asked(self._base.indexes, question):
                entry = self._base.entry(row)
                if entry.id not in self._hidden:
                    hits.append(_hit(entry, raw))
        return sorted(hits, key=lambda hit: (hit.how is not How.DOCUMENT, -hit.likeness))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Raw:
    how: How
    likeness: float
    words: str


def _asked(indexes: Indexes, question: Question) -> list[tuple[int, _Raw]]:
    found: list[tuple[int, _Raw]] = []
    if question.document_number:
        document = normal_document(question.document_number, question.issuer)
        for row in indexes.documents.find(document):
            found.append((row, _Raw(how=How.DOCUMENT, likeness=1.0, words="this document")))
    if question.surname:
        name = ListedName(surname=question.surname, given_names=question.given_names)
        for near in indexes.names.find(name, question.birth_date):
            words = f"name alike {near.likeness:.2f} ({near.spelling}), {_BIRTHS[near.birth]}"
            found.append((near.entry, _Raw(how=How.NAME, likeness=near.likeness, words=words)))
    return found


_BIRTHS = {
    Birth.SAME: "same date of birth",
    Birth.NEAR: "date of birth nearly the same",
    Birth.UNKNOWN: "date of birth not known",
    Birth.DIFFERENT: "another date of birth",
}


def _hit(entry: WatchEntry, raw: _Raw) -> Hit:
    return Hit(entry=entry, how=raw.how, likeness=raw.likeness, words=raw.words)


def _face_hit(entry: WatchEntry, score: float) -> Hit:
    return Hit(entry=entry, how=How.FACE, likeness=round(score, 3), words=f"face alike {score:.2f}")


def _counts(hit: Hit, question: Question, today: date) -> bool:
    """Whether a found entry is meant: still valid, and of a name only where neither sex nor every nationality contradicts it."""
    if not _is_valid(hit.entry, today):
        return False
    if hit.how is How.DOCUMENT:
        return True
    sexes = {hit.entry.sex, question.sex} - {"", "X", "<"}
    if len(sexes) == 2:
        return False
    listed = hit.entry.nationalities
    is_foreign = bool(question.nationality and listed and question.nationality not in listed)
    # People change nationality: another one does not clear, but then the name must be nearly the same.
    return not is_foreign or hit.likeness >= _OF_ANOTHER_NATION


_OF_ANOTHER_NATION = 0.85


def _is_valid(entry: WatchEntry, today: date) -> bool:
    return not entry.valid_until or today.isoformat() <= entry.valid_until
