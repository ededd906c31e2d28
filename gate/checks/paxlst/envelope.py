"""The envelope of an interchange: UNB, UNG, UNH ... UNT, UNE, UNZ, and whether its references and totals agree (ISO 9735-1).

Groups are optional. A trailer that is missing or wrong is an error that names it; the lists inside are read nevertheless.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from gate.checks.paxlst.model import PaxlstError
from gate.checks.paxlst.syntax import UNNAMED, Segment


@dataclass(slots=True)
class RawMessage:
    """UNH and what follows it, without UNT."""

    header: Segment
    body: list[Segment] = field(default_factory=list)
    group: Segment | None = None


@dataclass(slots=True)
class RawInterchange:
    """UNB (None where it is missing) and its messages."""

    header: Segment | None
    messages: list[RawMessage] = field(default_factory=list)
    groups: list[Segment] = field(default_factory=list)


SERVICE = frozenset({"UNB", "UNG", "UNH", "UNT", "UNE", "UNZ"})
"""The envelope's own segments."""


def error(segment: Segment, place: str, message: str) -> PaxlstError:
    """An error about ``segment``."""
    return PaxlstError(
        segment=segment.tag, line=segment.line, field=place, message=message, segment_number=segment.number
    )


def read_envelope(segments: Iterable[Segment]) -> tuple[list[RawInterchange], list[PaxlstError]]:
    """The messages of a file by interchange, and what is wrong with what is around them."""
    reader = _Reader()
    inside: list[Segment] | None = None
    last: Segment | None = None
    for segment in segments:
        last = segment
        if inside is not None and segment.tag not in SERVICE:
            inside.append(segment)
        else:
            reader.take(segment)
            inside = reader.body
    reader.end(last)
    return reader.interchanges, reader.errors


class _Reader:
    def __init__(self) -> None:
        self.interchanges: list[RawInterchange] = []
        self.errors: list[PaxlstError] = []
        self._interchange: RawInterchange | None = None
        self._group: Segment | None = None
        self._group_messages = 0
        self._message: RawMessage | None = None
        self._is_astray = False
        self._acts = {
            "UNB": self._unb,
            "UNG": self._ung,
            "UNH": self._unh,
            "UNT": self._unt,
            "UNE": self._une,
            "UNZ": self._unz,
        }

    @property
    def body(self) -> list[Segment] | None:
        """Of the message that is open."""
        return None if self._message is None else self._message.body

    def take(self, segment: Segment) -> None:
        """A segment of the envelope, or one outside of any message."""
        act = self._acts.get(segment.tag)
        if act is not None:
            self._is_astray = False
            act(segment)
        elif not self._is_astray and segment.tag != UNNAMED:
            self._is_astray = True  # once for all that follow
            self.errors.append(error(segment, "segment", "stands outside of any message"))

    def end(self, last: Segment | None) -> None:
        """The file is over; ``last`` was its last segment."""
        if last is None:
            self.errors.append(PaxlstError(segment="UNB", line=1, field="file", message="the file holds no segments"))
            return
        self._close_message(last)
        self._close_group(last)
        self._close_interchange(last)

    def _unb(self, segment: Segment) -> None:
        self._close_message(segment)
        self._close_group(segment)
        self._close_interchange(segment)
        self._interchange = RawInterchange(header=segment)
        self.interchanges.append(self._interchange)
        for place, name in ((1, "sender"), (2, "recipient"), (3, "date"), (4, "control_reference")):
            if not segment.get(place):
                self.errors.append(error(segment, name, "is missing"))

    def _in_interchange(self, segment: Segment) -> RawInterchange:
        if self._interchange is None:
            self.errors.append(error(segment, "segment", "comes before any interchange header (UNB)"))
            self._interchange = RawInterchange(header=None)
            self.interchanges.append(self._interchange)
        return self._interchange

    def _ung(self, segment: Segment) -> None:
        self._close_message(segment)
        self._close_group(segment)
        self._in_interchange(segment).groups.append(segment)
        self._group = segment
        self._group_messages = 0

    def _unh(self, segment: Segment) -> None:
        self._close_message(segment)
        self._message = RawMessage(header=segment, group=self._group)
        self._in_interchange(segment).messages.append(self._message)
        self._group_messages += 1

    def _unt(self, segment: Segment) -> None:
        message, self._message = self._message, None
        if message is None:
            self.errors.append(error(segment, "segment", "ends a message that has no header (UNH)"))
            return
        self._agree(segment, "segment_count", len(message.body) + 2, "segments from UNH to UNT")
        self._same(segment, "message_reference", message.header.get(0), "UNH")

    def _une(self, segment: Segment) -> None:
        self._close_message(segment)
        group, self._group = self._group, None
        if group is None:
            self.errors.append(error(segment, "segment", "ends a group that has no header (UNG)"))
            return
        self._agree(segment, "message_count", self._group_messages, "messages in the group")
        self._same(segment, "group_reference", group.get(4), "UNG")

    def _unz(self, segment: Segment) -> None:
        self._close_message(segment)
        self._close_group(segment)
        interchange, self._interchange = self._interchange, None
        if interchange is None:
            self.errors.append(error(segment, "segment", "ends an interchange that has no header (UNB)"))
            return
        has_groups = bool(interchange.groups)
        count = len(interchange.groups) if has_groups else len(interchange.messages)
        self._agree(segment, "control_count", count, "groups" if has_groups else "messages")
        if interchange.header is not None:
            self._same(segment, "control_reference", interchange.header.get(4), "UNB")

    def _agree(self, segment: Segment, place: str, counted: int, what: str) -> None:
        said = segment.get(0)
        if not (said.isdecimal() and len(said) <= 9 and int(said) == counted):
            self.errors.append(error(segment, place, f"says {said[:20]!r}, but {counted} {what} came"))

    def _same(self, segment: Segment, place: str, wanted: str, where: str) -> None:
        if segment.get(1) != wanted:
            self.errors.append(error(segment, place, f"is {segment.get(1)[:20]!r}, but {where} says {wanted[:20]!r}"))

    def _close_message(self, at: Segment) -> None:
        if self._message is not None:
            self.errors.append(error(at, "segment", "comes before the message's trailer (UNT)"))
            self._message = None

    def _close_group(self, at: Segment) -> None:
        if self._group is not None:
            self.errors.append(error(at, "segment", "comes before the group's trailer (UNE)"))
            self._group = None

    def _close_interchange(self, at: Segment) -> None:
        if self._interchange is not None:
            self.errors.append(error(at, "segment", "comes before the interchange's trailer (UNZ)"))
            self._interchange = None
