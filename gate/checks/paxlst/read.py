"""A file of passenger lists as records and errors. Pure; nothing that is read raises."""

from collections.abc import Sequence
from datetime import date

from gate.checks.paxlst.envelope import RawInterchange, RawMessage, error, read_envelope
from gate.checks.paxlst.fields import BadField, read_flight, read_port, read_stamp
from gate.checks.paxlst.model import (
    Call,
    Capacity,
    Contact,
    Interchange,
    ListKind,
    Passenger,
    PassengerList,
    PaxlstError,
    PaxlstRead,
    Place,
)
from gate.checks.paxlst.syntax import Segment, read_segments
from gate.checks.paxlst.travellers import TravellerReader

_CAPACITIES = frozenset(item.value for item in Capacity)
_CREW = frozenset({Capacity.CREW.value, Capacity.TRANSIT_CREW.value})
_KINDS = frozenset(item.value for item in ListKind)
_CALLS = frozenset({Place.FIRST_PORT, Place.NEXT_PORT, Place.LAST_PORT, Place.DESTINATION})
MAX_ERRORS = 10_000
"""Of one file that are told; a file with more is something else."""


def read_paxlst(data: bytes, *, today: date) -> PaxlstRead:
    """Read a file. ``today`` tells the century of two-digit years.

    A traveller with an error is left out and named; the others are kept, and so are lists whose totals do not agree.
    """
    read = read_segments(data)
    raw, envelope_errors = read_envelope(read.segments)
    errors = [*read.errors, *envelope_errors]
    faulty = frozenset(item.segment_number for item in read.errors if item.segment_number)
    interchanges = []
    for item in raw:
        lists = []
        for message in item.messages:
            found, wrong = read_message(message, today=today, faulty=faulty)
            errors += wrong
            if found is not None:
                lists.append(found)
        interchanges.append(_interchange(item, tuple(lists)))
    errors.sort(key=lambda item: (item.segment_number, item.line))
    return PaxlstRead(interchanges=tuple(interchanges), errors=tuple(errors[:MAX_ERRORS]))


def _interchange(raw: RawInterchange, lists: tuple[PassengerList, ...]) -> Interchange:
    header = raw.header or Segment("UNB", (), 0, 0)
    return Interchange(
        syntax_version=header.get(0, 1),
        sender=_element(header, 1),
        recipient=_element(header, 2),
        prepared=(header.get(3), header.get(3, 1)),
        reference=header.get(4),
        application=header.get(6),
        group_reference=raw.groups[0].get(4) if raw.groups else None,
        lists=lists,
    )


def _element(segment: Segment, place: int) -> tuple[str, ...]:
    return segment.elements[place] if len(segment.elements) > place else ("",)


def read_message(
    raw: RawMessage, *, today: date, faulty: frozenset[int]
) -> tuple[PassengerList | None, list[PaxlstError]]:
    """One message: its list, or None when it is another message than a passenger list."""
    kind = raw.header.get(1)
    if kind != "PAXLST":
        return None, [error(raw.header, "message_type", f"is {kind[:20]!r}, not PAXLST")]
    heading, groups, tail = _parted(raw.body)
    head = _Heading(raw.header, heading, faulty)
    head.read()
    errors = head.errors
    passengers: list[Passenger] = []
    references: list[str] = []
    for ordinal, group in enumerate(groups, start=1):
        if head.kind is ListKind.FLIGHT_STATUS:
            references += [item.get(0, 1) for item in group if item.tag == "RFF" and item.get(0) in ("ABO", "AVF")]
            continue
        capacity = group[0].get(0)
        if capacity not in _CAPACITIES:
            wrong = error(group[0], "capacity", f"{capacity[:20]!r} is none of {', '.join(sorted(_CAPACITIES))}")
            errors.append(_of(wrong, ordinal))
            continue
        reader = TravellerReader(today, faulty)
        passenger = reader.read(group, ordinal)
        errors += reader.errors
        if passenger is not None:
            passengers.append(passenger)
    if raw.header.get(3, 1) != "C" and raw.header.get(3) in ("", "01", "1"):
        errors += _totals(tail, groups)
    return head.made(tuple(passengers), tuple(references)), errors


def _of(wrong: PaxlstError, ordinal: int) -> PaxlstError:
    return PaxlstError(
        segment=wrong.segment,
        line=wrong.line,
        field=wrong.field,
        message=wrong.message,
        segment_number=wrong.segment_number,
        passenger=ordinal,
    )


def _parted(body: Sequence[Segment]) -> tuple[list[Segment], list[list[Segment]], list[Segment]]:
    """Heading, travellers' groups, control totals. A NAD behind TDT begins a traveller; before it, it names who reports."""
    heading: list[Segment] = []
    groups: list[list[Segment]] = []
    tail: list[Segment] = []
    is_flight_known = False
    for segment in body:
        tag = segment.tag
        if tag == "NAD" and (segment.get(0) in _CAPACITIES or (is_flight_known and segment.get(0) != "MS")):
            groups.append([segment])
        elif tag == "CNT":
            tail.append(segment)
        elif groups:
            groups[-1].append(segment)
        else:
            is_flight_known = is_flight_known or tag == "TDT"
            heading.append(segment)
    return heading, groups, tail


def _totals(tail: Sequence[Segment], groups: Sequence[Sequence[Segment]]) -> list[PaxlstError]:
    """CNT+42 counts passengers and CNT+41 crew; both count all in a list of one kind."""
    crew = sum(group[0].get(0) in _CREW for group in groups)
    counted = {"42": {len(groups) - crew, len(groups)}, "41": {crew, len(groups)}}
    errors = []
    for segment in tail:
        kind, said = segment.get(0), segment.get(0, 1)
        if kind in counted and not (said.isdecimal() and len(said) <= 9 and int(said) in counted[kind]):
            errors.append(
                error(segment, "control_total", f"says {said[:20]!r}, but {len(groups)} travellers came ({crew} crew)")
            )
    return errors


class _Heading:
    """What stands before the first traveller: BGM, RFF, NAD+MS, COM, TDT, LOC, DTM (groups 1 to 3)."""

    def __init__(self, header: Segment, segments: Sequence[Segment], faulty: frozenset[int]) -> None:
        self._header = header
        self._segments = segments
        self._faulty = faulty
        self.errors: list[PaxlstError] = []
        self.kind = ListKind.PASSENGERS
        self._change = ""
        self._transaction = ""
        self._contact: Contact | None = None
        self._flight = ""
        self._carrier = ""
        self._calls: list[Call] = []

    def read(self) -> None:
        acts = {
            "BGM": self._bgm,
            "RFF": self._rff,
            "NAD": self._nad,
            "COM": self._com,
            "TDT": self._tdt,
            "LOC": self._loc,
            "DTM": self._dtm,
        }
        seen = set()
        for segment in self._segments:
            seen.add(segment.tag)
            act = acts.get(segment.tag)
            if act is not None and segment.number not in self._faulty:
                act(segment)
        for tag, place in (("BGM", "list_kind"), ("TDT", "flight")):
            if tag not in seen:
                wrong = Segment(tag, (), self._header.number, self._header.line)
                self.errors.append(error(wrong, place, "is missing"))

    def made(self, passengers: tuple[Passenger, ...], references: tuple[str, ...]) -> PassengerList:
        header = self._header
        return PassengerList(
            reference=header.get(0),
            version=(header.get(1, 1), header.get(1, 2)),
            access_reference=header.get(2),
            part=_element(header, 3) if header.get(3) else (),
            kind=self.kind,
            change=self._change,
            transaction=self._transaction,
            contact=self._contact,
            flight=self._flight,
            carrier=self._carrier,
            calls=tuple(self._calls),
            passengers=passengers,
            status_references=references,
            line=header.line,
        )

    def _bgm(self, segment: Segment) -> None:
        if segment.get(0) in _KINDS:
            self.kind = ListKind(segment.get(0))
        else:
            self.errors.append(error(segment, "list_kind", f"{segment.get(0)[:20]!r} is no kind of list"))
        self._change = segment.get(1)

    def _rff(self, segment: Segment) -> None:
        if segment.get(0) == "TN":
            self._transaction = segment.get(0, 1)

    def _nad(self, segment: Segment) -> None:
        self._contact = Contact(name=segment.get(3))

    def _com(self, segment: Segment) -> None:
        if self._contact is not None:
            channels = tuple((item[0], item[1] if len(item) > 1 else "") for item in segment.elements)
            self._contact = Contact(name=self._contact.name, channels=self._contact.channels + channels)

    def _tdt(self, segment: Segment) -> None:
        if segment.get(0) != "20" and self._flight:
            return  # an onward leg beside the main carriage
        try:
            self._flight = read_flight(segment.get(1))
        except BadField as wrong:
            self.errors.append(error(segment, "flight", str(wrong)))
        self._carrier = segment.get(4)

    def _loc(self, segment: Segment) -> None:
        if segment.get(0) not in _CALLS:
            return
        try:
            self._calls.append(Call(place=Place(segment.get(0)), port=read_port(segment.get(1))))
        except BadField as wrong:
            self.errors.append(error(segment, "port", str(wrong)))

    def _dtm(self, segment: Segment) -> None:
        kind = {"189": "departure", "232": "arrival"}.get(segment.get(0))
        if kind is None or not self._calls:
            return
        try:
            stamp = read_stamp(segment.get(0, 1))
        except BadField as wrong:
            self.errors.append(error(segment, kind, str(wrong)))
            return
        last = self._calls[-1]
        times = {"departure": last.departure, "arrival": last.arrival, kind: stamp}
        self._calls[-1] = Call(place=last.place, port=last.port, **times)
