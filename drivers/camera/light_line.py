"""The lamp protocol's lines, sans-IO (docs/protocols/document-light.md): `12 SHOW IR*1B` there, `12 OK IR 310*0E` back.

A line is ASCII: a number from 1 to 999 that the answer repeats, a verb, words, and after `*` the exclusive or of all bytes before it as two
hexadecimal digits (as NMEA 0183 has it). Anything else is no line.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import reduce
from operator import xor

from drivers.camera.light import LightStep

MAX_LINE_BYTES = 80
WORDS = {
    LightStep.WHITE: "WHITE",
    LightStep.INFRARED: "IR",
    LightStep.ULTRAVIOLET: "UV",
    LightStep.OFF: "OFF",
}
STEPS = {word: step for step, word in WORDS.items()}
_LINE = re.compile(
    rb"(?P<body>(?P<number>[1-9]\d{0,2}) (?P<verb>[A-Z]{2,8})(?P<words>(?: [A-Z0-9.-]{1,16}){0,6}))\*(?P<sum>[0-9A-F]{2})\r?"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class LightLine:
    """One line, either way. ``words`` follow the verb."""

    number: int
    verb: str
    words: tuple[str, ...] = ()

    def encode(self) -> bytes:
        """With its checksum and CR LF."""
        body = " ".join((str(self.number), self.verb, *self.words)).encode("ascii")
        return b"%s*%02X\r\n" % (body, _checksum(body))


def parse_light_line(line: bytes) -> LightLine | None:
    """A line without its LF; None for noise, half a line, or a wrong checksum."""
    found = _LINE.fullmatch(line)
    if found is None or int(found["sum"], 16) != _checksum(found["body"]):
        return None
    return LightLine(
        number=int(found["number"]),
        verb=found["verb"].decode("ascii"),
        words=tuple(found["words"].decode("ascii").split()),
    )


def _checksum(body: bytes) -> int:
    return reduce(xor, body, 0)
