"""A file of JSON records: an array, one record a line (NDJSON), or a single one. Each record with the line on which it begins.

What cannot be read is an error with its line; the records around it are read.
"""

import json
import re
from dataclasses import dataclass
from typing import Any, Never

MAX_RECORDS = 20_000
_BLANK = " \t\r\n"
# In JSON that is written again: half of a surrogate pair, or NUL, which no database of ours keeps.
_NO_CHARACTER = re.compile(r"[\ud800-\udfff]|(?<!\\)(?:\\\\)*\\u0000")


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowError:
    """One thing that is wrong with a submission: of a record (JSON) or a segment (EDIFACT), by line from 1, and field."""

    line: int
    field: str
    message: str
    segment: str = ""
    record: int | None = None
    """Which record of the submission, from 1."""

    def to_json(self) -> dict[str, Any]:
        return {
            "segment": self.segment,
            "line": self.line,
            "field": self.field,
            "message": self.message,
            "record": self.record,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One record as it was read. ``number`` counts from 1, faulty ones too."""

    number: int
    line: int
    data: dict[str, Any]


def read_items(data: bytes) -> tuple[list[Item], list[WindowError]]:
    """The records of a file, and what cannot be read. Never raises."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        return [], [WindowError(line=line, field="", message="is not UTF-8")]
    begin = len(text) - len(text.lstrip(_BLANK))
    if text[begin : begin + 1] == "[":
        return _array(text, begin + 1)
    whole = _value(text)
    if isinstance(whole, dict):
        reader = _Reader()
        reader.take(whole, 1 + text.count("\n", 0, begin))
        return reader.items, reader.errors
    return _lines(text)


class _Reader:
    def __init__(self) -> None:
        self.items: list[Item] = []
        self.errors: list[WindowError] = []
        self._number = 0

    def take(self, value: Any, line: int) -> bool:
        """Whether more may come."""
        self._number += 1
        if self._number > MAX_RECORDS:
            self.errors.append(WindowError(line=line, field="", message=f"has more than {MAX_RECORDS} records"))
            return False
        if isinstance(value, dict) and _NO_CHARACTER.search(json.dumps(value, ensure_ascii=False)) is None:
            self.items.append(Item(number=self._number, line=line, data=value))
        else:
            message = "holds half of a surrogate pair or NUL" if isinstance(value, dict) else "is no object"
            message = value.reason if isinstance(value, _Unreadable) else message
            self.errors.append(WindowError(line=line, field="", message=message, record=self._number))
        return True


@dataclass(frozen=True, slots=True)
class _Unreadable:
    reason: str


def _no_constant(name: str) -> Never:
    raise ValueError(f"{name} is no JSON")


_DECODER = json.JSONDecoder(parse_constant=_no_constant)


def _value(text: str) -> Any:
    try:
        return json.loads(text, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        return _Unreadable(f"is no JSON ({str(error)[:100]})")


def _lines(text: str) -> tuple[list[Item], list[WindowError]]:
    reader = _Reader()
    for line, row in enumerate(text.split("\n"), start=1):
        if row.strip(_BLANK) and not reader.take(_value(row), line):
            break
    if not reader.items and not reader.errors:
        reader.errors.append(WindowError(line=1, field="", message="holds no records"))
    return reader.items, reader.errors


def _array(text: str, place: int) -> tuple[list[Item], list[WindowError]]:
    reader = _Reader()
    line, counted = 1, 0
    while True:
        while place < len(text) and text[place] in _BLANK + ",":
            place += 1
        line, counted = line + text.count("\n", counted, place), place
        if text[place : place + 1] == "]":
            break
        try:
            value, place = _DECODER.raw_decode(text, place)
        except (ValueError, RecursionError) as error:
            reader.take(_Unreadable(f"is no JSON ({str(error)[:100]}): the rest of the array was not read"), line)
            break
        if not reader.take(value, line):
            break
    if not reader.items and not reader.errors:
        reader.errors.append(WindowError(line=1, field="", message="holds no records"))
    return reader.items, reader.errors
