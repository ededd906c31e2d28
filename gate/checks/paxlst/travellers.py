"""One traveller's group of segments (NAD to the last DOC, groups 4 and 5) as a :class:`Passenger`, or what is wrong with it."""

from collections.abc import Callable
from datetime import date
from typing import TypeVar

from gate.checks.paxlst.fields import (
    BadField,
    read_count,
    read_date,
    read_document_kind,
    read_document_number,
    read_name,
    read_port,
    read_state,
)
from gate.checks.paxlst.model import Capacity, Passenger, PaxlstError, Place, TravelDocument
from gate.checks.paxlst.syntax import Segment

Value = TypeVar("Value")
_SEXES = frozenset({"M", "F", "X", "U"})
_PORTS = {
    Place.CLEARANCE.value: "clearance_port",
    Place.EMBARKATION.value: "embarkation_port",
    Place.DEBARKATION.value: "debarkation_port",
    Place.TRANSIT.value: "transit_port",
}
_REFERENCES = {"AVF": "booking_reference", "ABO": "traveller_reference", "SEA": "seat"}
_VERIFIED = {"173": True, "174": False}
_NEEDED = (
    ("ATT", "sex", "sex"),
    ("DTM", "birth_date", "birth_date"),
    ("NAT", "nationality", "nationality"),
)


class TravellerReader:
    """Reads one group; a new one for each traveller."""

    def __init__(self, today: date, faulty: frozenset[int]) -> None:
        """``faulty``: numbers of segments about which an error was said already."""
        self._today = today
        self._faulty = faulty
        self._values: dict[str, object] = {}
        self._documents: list[dict[str, object]] = []
        self._bag_tags: list[str] = []
        self.errors: list[PaxlstError] = []
        self._is_faulty = False

    def read(self, segments: list[Segment], ordinal: int) -> Passenger | None:
        """The traveller whose NAD is the first of ``segments``; None with at least one of :attr:`errors` or a faulty segment."""
        for segment in segments:
            if segment.number in self._faulty:
                self._is_faulty = True
                continue
            act = _ACTS.get(segment.tag)
            if act is not None:
                try:
                    act(self, segment)
                except _AtField as wrong:
                    self._say(segment, wrong.place, wrong.reason, ordinal)
        if not (self._is_faulty or self.errors):
            self._look_for_missing(segments[0], ordinal)
        if self._is_faulty or self.errors:
            return None
        return self._made(segments[0])

    def _say(self, segment: Segment, place: str, message: str, ordinal: int) -> None:
        self.errors.append(
            PaxlstError(
                segment=segment.tag,
                line=segment.line,
                field=place,
                message=message,
                segment_number=segment.number,
                passenger=ordinal,
            )
        )

    def _look_for_missing(self, first: Segment, ordinal: int) -> None:
        def say(tag: str, place: str) -> None:
            missing = Segment(tag, (), first.number, first.line)
            self._say(missing, place, "is missing", ordinal)

        for tag, key, place in _NEEDED:
            if key not in self._values:
                say(tag, place)
        if not self._documents:
            say("DOC", "document")
        elif all(str(item["kind"]).startswith("V") for item in self._documents):
            say("DOC", "travel_document")
        elif "issuer" not in self._travel_document():
            say("LOC", "issuing_state")

    def _travel_document(self) -> dict[str, object]:
        return next(item for item in self._documents if not str(item["kind"]).startswith("V"))

    def _made(self, first: Segment) -> Passenger:
        travel = self._travel_document()
        documents = [travel, *(item for item in self._documents if item is not travel)]
        return Passenger(
            **self._values,  # type: ignore[arg-type]
            documents=tuple([TravelDocument(**item) for item in documents]),  # type: ignore[arg-type]
            bag_tags=tuple(self._bag_tags),
            line=first.line,
        )

    # -- one method a segment --------------------------------------------------------------------------------------

    def nad(self, segment: Segment) -> None:
        self._values["capacity"] = Capacity(segment.get(0))
        names = segment.elements[3] if len(segment.elements) > 3 else ("",)
        self._values["surname"] = _at("surname", read_name, names[0])
        self._values["given_names"] = tuple([_at("given_names", read_name, name) for name in names[1:] if name])
        address = [element[0] for element in segment.elements[4:9]]
        if any(address):
            self._values["address"] = tuple(address)

    def att(self, segment: Segment) -> None:
        if segment.get(0) != "2":
            return
        sex = segment.get(2)
        if sex not in _SEXES:
            raise _AtField("sex", f"{sex[:20]!r} is none of M, F, X, U" if sex else "is missing")
        self._values["sex"] = sex

    def dtm(self, segment: Segment) -> None:
        kind, text, form = segment.get(0), segment.get(0, 1), segment.get(0, 2)
        if kind == "329":
            self._values["birth_date"] = self._date("birth_date", text, form, is_past=True)
        elif kind == "36" and self._documents:
            self._documents[-1]["expiry_date"] = self._date("expiry_date", text, form, is_past=False)

    def _date(self, place: str, text: str, form: str, *, is_past: bool) -> date:
        try:
            return read_date(text, form, today=self._today, is_past=is_past)
        except BadField as wrong:
            raise _AtField(place, str(wrong)) from None

    def mea(self, segment: Segment) -> None:
        element = segment.elements[2] if len(segment.elements) > 2 else ("",)
        if segment.get(0) == "CT":
            self._values["bag_count"] = _at("bag_count", read_count, element[-1])
        elif segment.get(0) == "WT":
            self._values["bag_weight_kg"] = _at("bag_weight", read_count, element[-1])

    def gei(self, segment: Segment) -> None:
        if segment.get(0) == "4":
            self._values["is_verified"] = _VERIFIED.get(segment.get(1))

    def ftx(self, segment: Segment) -> None:
        if segment.get(0) == "BAG":
            self._bag_tags += [part for part in segment.elements[3] if part] if len(segment.elements) > 3 else []

    def loc(self, segment: Segment) -> None:
        place, code = segment.get(0), segment.get(1)
        if place in _PORTS:
            self._values[_PORTS[place]] = _at(_PORTS[place], read_port, code)
        elif place == Place.RESIDENCE:
            self._values["residence"] = _at("residence", _any_state, code)
        elif place == Place.BIRTH:
            self._values["birth_place"] = tuple(part for part in segment.elements[1] if part)
        elif place == Place.ISSUING_STATE and self._documents:
            self._documents[-1]["issuer"] = _at("issuing_state", _issuer, code)

    def nat(self, segment: Segment) -> None:
        self._values["nationality"] = _at("nationality", _any_state, segment.get(1))

    def rff(self, segment: Segment) -> None:
        name = _REFERENCES.get(segment.get(0))
        if name is not None:
            self._values[name] = segment.get(0, 1)[:64]

    def doc(self, segment: Segment) -> None:
        kind, number = segment.get(0), segment.get(1)
        if self._documents and not kind and not number:
            return  # some systems send an empty second document
        # Kept before it is judged: the dates and places behind it are this document's, not the one's before.
        self._documents.append({"kind": kind, "number": number})
        _at("document_type", read_document_kind, kind)
        _at("document_number", read_document_number, number)


class _AtField(Exception):
    def __init__(self, place: str, reason: str) -> None:
        super().__init__(reason)
        self.place = place
        self.reason = reason


def _at(place: str, read: Callable[[str], Value], text: str) -> Value:
    try:
        return read(text)
    except BadField as wrong:
        raise _AtField(place, str(wrong)) from None


def _any_state(text: str) -> str:
    return read_state(text, is_issuer=False)


def _issuer(text: str) -> str:
    return read_state(text, is_issuer=True)


_ACTS: dict[str, Callable[[TravellerReader, Segment], None]] = {
    "NAD": TravellerReader.nad,
    "ATT": TravellerReader.att,
    "DTM": TravellerReader.dtm,
    "MEA": TravellerReader.mea,
    "GEI": TravellerReader.gei,
    "FTX": TravellerReader.ftx,
    "LOC": TravellerReader.loc,
    "NAT": TravellerReader.nat,
    "RFF": TravellerReader.rff,
    "DOC": TravellerReader.doc,
}
