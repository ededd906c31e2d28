"""One entry of a watchlist: a document, a person, or both, with why it is there and who may know."""

import base64
import binascii
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

_DATE = re.compile(r"(\d{4})(?:-(\d{2})(?:-(\d{2}))?)?")
_COUNTRY = re.compile(r"[A-Z]{1,3}")
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/-]{0,95}")
_FILLERS = str.maketrans("", "", " <-")
MAX_TEXT = 500
FACE_DIMENSIONS = 128


class EntryInvalid(ValueError):
    """An entry that cannot be kept; the text names the field and what it should be."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedDocument:
    """A document by issuer (ICAO code, empty: whoever issued it) and number, both as :func:`normal_document` writes them."""

    issuer: str
    number: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedName:
    """A name as the list spells it, in any script that Doc 9303 part 3 can transliterate."""

    surname: str
    given_names: str = ""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class WatchEntry:
    """What a list says. ``birth_dates`` may be partial (``1974``, ``1974-08``); ``face`` float32 (128,) of length 1 or None.

    ``roles`` may know of a hit, the first of them is asked; ``reason`` is theirs to read. ``valid_until`` is the last day, ISO 8601.
    """

    id: str
    list_name: str
    reason: str
    roles: tuple[str, ...] = ("border",)
    documents: tuple[ListedDocument, ...] = ()
    names: tuple[ListedName, ...] = ()
    birth_dates: tuple[str, ...] = ()
    nationalities: tuple[str, ...] = ()
    sex: str = ""
    valid_until: str = ""
    face: NDArray[np.float32] | None = None

    @classmethod
    def from_json(cls, said: Mapping[str, Any]) -> Self:
        """Raises EntryInvalid. Unknown keys are refused too: a field that is misspelt must not be lost in silence."""
        unknown = set(said) - _KEYS
        if unknown:
            raise EntryInvalid(f"'{min(unknown)}' is no field of an entry: {', '.join(sorted(_KEYS))} are")
        entry = cls(
            id=_text(said, "id", _ID),
            list_name=_text(said, "list", _ID),
            reason=_text(said, "reason"),
            roles=tuple(_texts(said, "roles", _ID)) or ("border",),
            documents=tuple(_document(item) for item in _items(said, "documents")),
            names=tuple(_name(item) for item in _items(said, "names")),
            birth_dates=tuple(_texts(said, "birth_dates", _DATE)),
            nationalities=tuple(item.upper() for item in _texts(said, "nationalities")),
            sex=_text(said, "sex", re.compile(r"[FMX]?"), is_needed=False),
            valid_until=_text(said, "valid_until", re.compile(r"(\d{4}-\d{2}-\d{2})?"), is_needed=False),
            face=_face(said.get("face")),
        )
        if not entry.documents and not entry.names and entry.face is None:
            raise EntryInvalid("an entry needs 'documents', 'names' or a 'face': without any it can never be found")
        for country in entry.nationalities:
            if not _COUNTRY.fullmatch(country):
                raise EntryInvalid(
                    f"'nationalities' holds '{country[:20]}': a code of Doc 9303 part 3 has one to three letters"
                )
        return entry

    def to_json(self) -> dict[str, Any]:
        """What :meth:`from_json` reads; empty fields are left out."""
        face = None if self.face is None else base64.b64encode(self.face.astype("<f4").tobytes()).decode("ascii")
        said: dict[str, Any] = {
            "id": self.id,
            "list": self.list_name,
            "reason": self.reason,
            "roles": list(self.roles),
            "documents": [{"issuer": item.issuer, "number": item.number} for item in self.documents],
            "names": [{"surname": item.surname, "given_names": item.given_names} for item in self.names],
            "birth_dates": list(self.birth_dates),
            "nationalities": list(self.nationalities),
            "sex": self.sex,
            "valid_until": self.valid_until,
            "face": face,
        }
        return {key: value for key, value in said.items() if value}


_KEYS = frozenset(
    (
        "id",
        "list",
        "reason",
        "roles",
        "documents",
        "names",
        "birth_dates",
        "nationalities",
        "sex",
        "valid_until",
        "face",
    )
)


def normal_document(number: str, issuer: str) -> ListedDocument:
    """As compared: upper case, without fillers, blanks and hyphens (Doc 9303 part 3, 4.6)."""
    return ListedDocument(issuer=issuer.upper().translate(_FILLERS), number=number.upper().translate(_FILLERS))


def _text(said: Mapping[str, Any], key: str, form: re.Pattern[str] | None = None, *, is_needed: bool = True) -> str:
    value = said.get(key, "")
    if value is None:
        value = ""
    if not isinstance(value, str) or (is_needed and not value.strip()):
        raise EntryInvalid(f"'{key}' is missing or no text")
    if len(value) > MAX_TEXT:
        raise EntryInvalid(f"'{key}' is longer than {MAX_TEXT} characters")
    if form is not None and not form.fullmatch(value):
        raise EntryInvalid(f"'{key}' cannot be '{value[:40]}'")
    return value


def _items(said: Mapping[str, Any], key: str) -> Sequence[Any]:
    value = said.get(key) or ()
    if not isinstance(value, list | tuple) or len(value) > 100:
        raise EntryInvalid(f"'{key}' is a list of at most 100")
    return value


def _texts(said: Mapping[str, Any], key: str, form: re.Pattern[str] | None = None) -> list[str]:
    return [_text({key: item}, key, form) for item in _items(said, key)]


def _document(item: object) -> ListedDocument:
    if not isinstance(item, Mapping):
        raise EntryInvalid("'documents' holds something that is no {issuer, number}")
    listed = normal_document(_text(item, "number"), _text(item, "issuer", is_needed=False))
    if not re.fullmatch(r"[A-Z0-9]{1,32}", listed.number) or not re.fullmatch(r"[A-Z]{0,3}", listed.issuer):
        raise EntryInvalid("a document has a number of letters and digits, and an issuer of up to three letters")
    return listed


def _name(item: object) -> ListedName:
    if not isinstance(item, Mapping):
        raise EntryInvalid("'names' holds something that is no {surname, given_names}")
    return ListedName(surname=_text(item, "surname"), given_names=_text(item, "given_names", is_needed=False))


def _face(value: object) -> NDArray[np.float32] | None:
    if value is None or value == "":
        return None
    try:
        raw = base64.b64decode(value, validate=True) if isinstance(value, str) else b""
    except (binascii.Error, ValueError):
        raw = b""
    if len(raw) != 4 * FACE_DIMENSIONS:
        raise EntryInvalid(f"'face' is base64 of {FACE_DIMENSIONS} little-endian 32-bit floats")
    face = np.frombuffer(raw, "<f4").astype(np.float32)
    length = float(np.linalg.norm(face)) if np.isfinite(face).all() else 0.0
    if abs(length - 1.0) > 0.01:
        raise EntryInvalid("'face' is a template of length 1")
    return face / np.float32(length)
