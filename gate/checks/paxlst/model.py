"""What a passenger list says, in the terms of the WCO/IATA/ICAO API guidelines (appendix II: PAXLST implementation guide)."""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum


@dataclass(frozen=True, slots=True, kw_only=True)
class PaxlstError:
    """One thing that is wrong. ``line`` counts the file's lines and ``segment_number`` its segments, both from 1."""

    segment: str
    line: int
    field: str
    message: str
    segment_number: int = 0
    passenger: int | None = None
    """Which of the message's travellers, from 1; None when it is about the list as a whole."""


class ListKind(StrEnum):
    """BGM, data element 1001: what is reported."""

    CREW = "250"
    FLIGHT_STATUS = "266"
    MASTER_CREW = "336"
    GATE_PASS = "655"
    PASSENGERS = "745"


class Capacity(StrEnum):
    """NAD of group 4, data element 3035: as what somebody travels."""

    PASSENGER = "FL"
    CREW = "FM"
    TRANSIT_PASSENGER = "DDU"
    TRANSIT_CREW = "DDT"


class Place(StrEnum):
    """LOC, data element 3227, as the guide uses it."""

    FIRST_PORT = "87"
    ISSUING_STATE = "91"
    NEXT_PORT = "92"
    LAST_PORT = "125"
    DESTINATION = "130"
    CLEARANCE = "22"
    RESIDENCE = "174"
    EMBARKATION = "178"
    DEBARKATION = "179"
    BIRTH = "180"
    TRANSIT = "188"


@dataclass(frozen=True, slots=True, kw_only=True)
class TravelDocument:
    """DOC and what follows it (group 5). ``issuer`` as sent: ISO 3166-1 alpha-3 or a code of Doc 9303."""

    kind: str
    """P passport, V visa, A/AC/I identity or resident card, ... (data element 1001; Doc 9303 document codes)."""
    number: str
    issuer: str = ""
    expiry_date: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Passenger:
    """One traveller of a list (group 4). Codes are as sent; ``line`` is that of its NAD."""

    surname: str
    given_names: tuple[str, ...]
    capacity: Capacity
    sex: str
    birth_date: date
    nationality: str
    documents: tuple[TravelDocument, ...]
    """The travel document first, then the others in their order."""
    address: tuple[str, ...] = ()
    """Street, city, region, postal code, country, as far as given."""
    bag_count: int | None = None
    bag_weight_kg: int | None = None
    bag_tags: tuple[str, ...] = ()
    clearance_port: str = ""
    embarkation_port: str = ""
    debarkation_port: str = ""
    transit_port: str = ""
    birth_place: tuple[str, ...] = ()
    residence: str = ""
    booking_reference: str = ""
    traveller_reference: str = ""
    seat: str = ""
    is_verified: bool | None = None
    """GEI+4: whether the carrier has compared the data with the document (173) or not (174)."""
    line: int = 0

    @property
    def travel_document(self) -> TravelDocument:
        return self.documents[0]

    @property
    def visas(self) -> tuple[TravelDocument, ...]:
        return tuple(item for item in self.documents[1:] if item.kind.startswith("V"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A port of the flight: LOC of group 3 and its times, ``YYMMDDhhmm`` local as sent."""

    place: Place
    port: str
    departure: str = ""
    arrival: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Contact:
    """Who answers for the list (NAD+MS, COM)."""

    name: str
    channels: tuple[tuple[str, str], ...] = ()
    """Pairs of number or address and its kind (TE, FX, EM)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PassengerList:
    """One PAXLST message. ``part`` is what UNH says of its place among several: empty, or such as ``("01", "C")``."""

    reference: str
    version: tuple[str, str] = ("D", "12B")
    access_reference: str = ""
    part: tuple[str, ...] = ()
    kind: ListKind = ListKind.PASSENGERS
    change: str = ""
    """What a change or a flight's status means: ``CP``, ``CL``, ``CLNB``, ``XR``, ... (data element 1004)."""
    transaction: str = ""
    contact: Contact | None = None
    flight: str = ""
    carrier: str = ""
    calls: tuple[Call, ...] = ()
    passengers: tuple[Passenger, ...] = ()
    status_references: tuple[str, ...] = ()
    """Of a flight's status (266): the travellers that it names, who are known by their references only."""
    line: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Interchange:
    """The envelope (UNB to UNZ) with its lists. Addresses are ``(identification, qualifier, ...)`` as sent."""

    syntax_version: str
    sender: tuple[str, ...]
    recipient: tuple[str, ...]
    prepared: tuple[str, str]
    """``YYMMDD`` (or ``CCYYMMDD``) and ``hhmm``."""
    reference: str
    application: str = ""
    group_reference: str | None = None
    """Of the functional group, where the lists are in one."""
    lists: tuple[PassengerList, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PaxlstRead:
    """A file as read: every list with the travellers that are complete, and everything that is wrong, in the file's order."""

    interchanges: tuple[Interchange, ...]
    errors: tuple[PaxlstError, ...]

    @property
    def lists(self) -> tuple[PassengerList, ...]:
        return tuple(item for interchange in self.interchanges for item in interchange.lists)

    @property
    def passengers(self) -> tuple[Passenger, ...]:
        return tuple(passenger for item in self.lists for passenger in item.passengers)
