"""Passenger lists of carriers, made up from a seed: interchanges as airlines send them, and travellers spoilt in a known way."""

import random
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import date, timedelta

from gate.checks.paxlst import (
    Call,
    Capacity,
    Contact,
    Interchange,
    Layout,
    ListKind,
    Marks,
    Passenger,
    PassengerList,
    Place,
    TravelDocument,
)

TODAY = date(2026, 3, 1)
_STATES = (
    "CHN",
    "USA",
    "GBR",
    "DEU",
    "FRA",
    "JPN",
    "KOR",
    "IND",
    "BRA",
    "KEN",
    "AUS",
    "CAN",
    "RUS",
    "THA",
    "EGY",
    "MEX",
)
_SURNAMES = ("WANG", "SMITH", "O'NEILL", "GARCIA LOPEZ", "MUELLER-WEISS", "TANAKA", "KIM", "DUBOIS", "IVANOVA", "ODUYA")
_GIVEN = ("ANNA", "MARIA", "WEI", "JOHN", "LI NA", "HIRO", "ELENA", "PIERRE", "AMINA", "JO-ANN")
_LATIN_SURNAMES = ("MÜLLER", "GARCÍA", "ÅKESSON", "BRÛLÉ", "NÚÑEZ")
_PORTS = ("PEK", "PVG", "CAN", "HKG", "NRT", "ICN", "SIN", "FRA", "LHR", "JFK", "SYD", "NBO", "DXB", "CDG")
_CARRIERS = ("CA", "MU", "CZ", "BA", "LH", "NH", "SQ", "QF", "KQ", "UA")
_BAG_CHARS = "0123456789"
_NUMBER_CHARS = "ABCDEFGHJKLMNPRSTUVWXYZ0123456789"


@dataclass(frozen=True, slots=True, kw_only=True)
class Flavour:
    """What a maker of lists varies: the character set, and whether names and texts hold service characters."""

    layout: Layout = field(default_factory=Layout)
    has_group: bool = True
    has_service_characters: bool = False


PLAIN = Flavour()
FLAVOURS = (
    PLAIN,
    Flavour(layout=Layout(after_segment="\r\n")),
    Flavour(layout=Layout(syntax_id="UNOB", after_segment="\n"), has_group=False),
    Flavour(layout=Layout(syntax_id="UNOC"), has_service_characters=True),
    Flavour(layout=Layout(has_una=False, marks=Marks(repetition="*")), has_service_characters=True),
    Flavour(layout=Layout(marks=Marks(element="|", component="^", terminator="~", release="\\", repetition=" "))),
)


class PaxlstMaker:
    """Makes the same lists of the same seed."""

    def __init__(self, seed: int, flavour: Flavour = PLAIN) -> None:
        self._random = random.Random(seed)
        self._flavour = flavour

    def interchange(self, *, lists: int = 1, passengers: int = 10) -> Interchange:
        """An interchange with ``lists`` messages of ``passengers`` travellers each."""
        pick = self._random
        reference = self._text("0123456789", 9)
        return Interchange(
            syntax_version="4",
            sender=(f"AIRLINE{pick.randrange(10)}", "ZZ"),
            recipient=("NIAC", "ZZ"),
            prepared=(f"{TODAY:%y%m%d}", f"{pick.randrange(24):02}{pick.randrange(60):02}"),
            reference=reference,
            application="APIS",
            group_reference=reference if self._flavour.has_group else None,
            lists=tuple(self.passenger_list(number, passengers) for number in range(1, lists + 1)),
        )

    def passenger_list(self, number: int, passengers: int) -> PassengerList:
        """One message about one flight."""
        pick = self._random
        flight = f"{pick.choice(_CARRIERS)}{pick.randrange(1, 9999)}"
        origin, here = pick.sample(_PORTS, 2)
        departure = TODAY + timedelta(days=pick.randrange(3))
        is_crew = pick.random() < 0.1
        travellers = tuple(self.passenger(origin, here, is_crew=is_crew) for _ in range(passengers))
        return PassengerList(
            reference=f"PAX{number:03}",
            version=("D", pick.choice(("02B", "05B", "12B"))),
            access_reference=f"{flight}/{departure:%y%m%d}/{pick.randrange(24):02}{pick.randrange(60):02}",
            part=("01", "F"),
            kind=ListKind.CREW if is_crew else ListKind.PASSENGERS,
            contact=Contact(
                name="OPERATIONS DESK",
                channels=((self._text(_BAG_CHARS, 10), "TE"), (self._text(_BAG_CHARS, 10), "FX")),
            ),
            flight=flight,
            carrier=flight[:2],
            calls=(
                Call(place=Place.LAST_PORT, port=origin, departure=f"{departure:%y%m%d}0910"),
                Call(place=Place.FIRST_PORT, port=here, arrival=f"{departure:%y%m%d}1930"),
            ),
            passengers=travellers,
        )

    def passenger(self, origin: str, here: str, *, is_crew: bool = False) -> Passenger:
        """A traveller with complete data; what is optional is there or not."""
        pick = self._random
        state = pick.choice(_STATES)
        documents = [self._document("P", state)]
        if pick.random() < 0.3:
            documents.append(self._document("V", "CHN"))
        has_bags = pick.random() < 0.7
        bags = pick.randrange(1, 4) if has_bags else 0
        return Passenger(
            surname=self._surname(),
            given_names=tuple(pick.sample(_GIVEN, pick.randrange(3))),
            capacity=Capacity.CREW
            if is_crew
            else pick.choice((Capacity.PASSENGER,) * 5 + (Capacity.TRANSIT_PASSENGER,)),
            sex=pick.choice("MFX"),
            birth_date=TODAY - timedelta(days=pick.randrange(1, 95 * 365)),
            nationality=state,
            documents=tuple(documents),
            address=self._address() if pick.random() < 0.2 else (),
            bag_count=bags if has_bags else None,
            bag_weight_kg=pick.randrange(5, 60) if has_bags and pick.random() < 0.5 else None,
            bag_tags=tuple(self._text(_BAG_CHARS, 10) for _ in range(bags)),
            clearance_port=here,
            embarkation_port=origin,
            debarkation_port=here,
            transit_port="",
            birth_place=(state, "SPRINGFIELD") if pick.random() < 0.3 else (),
            residence=pick.choice(_STATES) if pick.random() < 0.5 else "",
            booking_reference=self._text(_NUMBER_CHARS, 6),
            traveller_reference=self._text(_NUMBER_CHARS, 12),
            seat=f"{pick.randrange(1, 60)}{pick.choice('ABCDEFHJK')}" if pick.random() < 0.5 else "",
            is_verified=pick.choice((True, False, None)),
        )

    def _surname(self) -> str:
        names = _SURNAMES if self._flavour.has_service_characters else [name for name in _SURNAMES if "'" not in name]
        if self._flavour.layout.syntax_id == "UNOC":
            names = (*names, *_LATIN_SURNAMES)
        return self._random.choice(names)

    def _document(self, kind: str, issuer: str) -> TravelDocument:
        return TravelDocument(
            kind=kind,
            number=self._text(_NUMBER_CHARS, 9),
            issuer=issuer,
            expiry_date=TODAY + timedelta(days=self._random.randrange(1, 3650)),
        )

    def _address(self) -> tuple[str, ...]:
        street = "WHO+CO? 20: MAIN STREET" if self._flavour.has_service_characters else "20 MAIN STREET"
        return (street, "ANYCITY", "VA", self._text(_BAG_CHARS, 5), "USA")

    def _text(self, alphabet: str, length: int) -> str:
        return "".join(self._random.choices(alphabet, k=length))


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """A way to spoil a traveller's segments: ``old`` is a pattern of the text, ``segment`` and ``field`` what the error names."""

    segment: str
    field: str
    old: str
    new: str


FAULTS = (
    Fault(segment="DTM", field="birth_date", old=r"(DTM\+329:)\d{6}'", new=r"\g<1>991399'"),
    Fault(segment="DTM", field="birth_date", old=r"(DTM\+329:)\d{6}'", new=r"\g<1>TODAY'"),
    Fault(segment="ATT", field="sex", old=r"(ATT\+2\+\+)[MFX]'", new=r"\g<1>Q'"),
    Fault(segment="NAT", field="nationality", old=r"(NAT\+2\+)[A-Z]{3}'", new=r"\g<1>QQQ'"),
    Fault(segment="NAT", field="nationality", old=r"(NAT\+2)\+[A-Z]{3}'", new=r"\g<1>'"),
    Fault(segment="DOC", field="document_number", old=r"(DOC\+P:110:111)\+[A-Z0-9]+'", new=r"\g<1>'"),
    Fault(segment="DOC", field="document_type", old=r"DOC\+P:110:111", new="DOC+9:110:111"),
    Fault(segment="NAD", field="surname", old=r"(NAD\+[A-Z]+\+\+\+)[A-Z -]+", new=r"\g<1>4711"),
    Fault(segment="LOC", field="issuing_state", old=r"(LOC\+91\+)[A-Z]{3}'", new=r"\g<1>ZZZ'"),
    Fault(segment="LOC", field="embarkation_port", old=r"(LOC\+178\+)[A-Z]{3}'", new=r"\g<1>9'"),
)


def with_passengers(interchange: Interchange, passengers: Iterable[Passenger]) -> Interchange:
    """The same interchange with other travellers in its first list."""
    first, *others = interchange.lists
    return replace(interchange, lists=(replace(first, passengers=tuple(passengers)), *others))
