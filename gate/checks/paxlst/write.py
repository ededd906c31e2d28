"""Passenger lists as bytes, in the order of the guide; :func:`gate.checks.paxlst.read.read_paxlst` reads back the same records."""

from collections.abc import Iterator
from datetime import date

from gate.checks.paxlst.model import Capacity, Interchange, Passenger, PassengerList, TravelDocument
from gate.checks.paxlst.syntax import Layout, write_segments

Raw = tuple[str, tuple[tuple[str, ...], ...]]
_CREW = frozenset({Capacity.CREW, Capacity.TRANSIT_CREW})


def write_paxlst(interchange: Interchange, layout: Layout | None = None) -> bytes:
    """An interchange with its envelope and control totals. ValueError when the character set cannot carry it."""
    layout = layout or Layout()
    return write_segments(_interchange(interchange, layout), layout)


def _raw(tag: str, *elements: str | tuple[str, ...]) -> Raw:
    whole = [element if isinstance(element, tuple) else (element,) for element in elements]
    while whole and not any(whole[-1]):
        whole.pop()
    return tag, tuple(whole)


def _interchange(interchange: Interchange, layout: Layout) -> Iterator[Raw]:
    version = (layout.syntax_id, interchange.syntax_version)
    yield _raw(
        "UNB",
        version,
        interchange.sender,
        interchange.recipient,
        interchange.prepared,
        interchange.reference,
        "",
        interchange.application,
    )
    group = interchange.group_reference
    if group is not None:
        release = interchange.lists[0].version if interchange.lists else ("D", "12B")
        yield _raw(
            "UNG", "PAXLST", interchange.sender, interchange.recipient, interchange.prepared, group, "UN", release
        )
    for item in interchange.lists:
        yield from _message(item)
    if group is not None:
        yield _raw("UNE", str(len(interchange.lists)), group)
    count = 1 if group is not None else len(interchange.lists)
    yield _raw("UNZ", str(count), interchange.reference)


def _message(item: PassengerList) -> Iterator[Raw]:
    segments = list(_body(item))
    yield _raw("UNH", item.reference, ("PAXLST", *item.version, "UN", "IATA"), item.access_reference, item.part)
    yield from segments
    yield _raw("UNT", str(len(segments) + 2), item.reference)


def _body(item: PassengerList) -> Iterator[Raw]:
    yield _raw("BGM", item.kind.value, item.change)
    if item.transaction:
        yield _raw("RFF", ("TN", item.transaction))
    if item.contact is not None:
        yield _raw("NAD", "MS", "", "", item.contact.name)
        if item.contact.channels:
            yield _raw("COM", *item.contact.channels)
    yield _raw("TDT", "20", item.flight, "", "", item.carrier)
    for call in item.calls:
        yield _raw("LOC", call.place.value, call.port)
        if call.departure:
            yield _raw("DTM", ("189", call.departure, "201"))
        if call.arrival:
            yield _raw("DTM", ("232", call.arrival, "201"))
    for passenger in item.passengers:
        yield from _passenger(passenger)
    crew = sum(passenger.capacity in _CREW for passenger in item.passengers)
    if crew:
        yield _raw("CNT", ("41", str(crew)))
    if crew < len(item.passengers) or not crew:
        yield _raw("CNT", ("42", str(len(item.passengers) - crew)))


def _passenger(item: Passenger) -> Iterator[Raw]:
    yield _raw("NAD", item.capacity.value, "", "", (item.surname, *item.given_names), *item.address)
    yield _raw("ATT", "2", "", item.sex)
    yield _raw("DTM", ("329", _day(item.birth_date)))
    if item.bag_count is not None:
        yield _raw("MEA", "CT", "", ("", str(item.bag_count)))
    if item.bag_weight_kg is not None:
        yield _raw("MEA", "WT", "", ("KGM", str(item.bag_weight_kg)))
    if item.is_verified is not None:
        yield _raw("GEI", "4", "173" if item.is_verified else "174")
    for tag in item.bag_tags:
        yield _raw("FTX", "BAG", "", "", tag)
    for place, code in (
        ("22", item.clearance_port),
        ("178", item.embarkation_port),
        ("179", item.debarkation_port),
        ("188", item.transit_port),
        ("174", item.residence),
    ):
        if code:
            yield _raw("LOC", place, code)
    if item.birth_place:
        state, *names = item.birth_place
        yield _raw("LOC", "180", (state, "", "", *names) if names else (state,))
    yield _raw("NAT", "2", item.nationality)
    for kind, text in (("AVF", item.booking_reference), ("ABO", item.traveller_reference), ("SEA", item.seat)):
        if text:
            yield _raw("RFF", (kind, text))
    for document in item.documents:
        yield from _document(document)


def _document(item: TravelDocument) -> Iterator[Raw]:
    yield _raw("DOC", (item.kind, "110", "111"), item.number)
    if item.expiry_date is not None:
        yield _raw("DTM", ("36", _day(item.expiry_date)))
    if item.issuer:
        yield _raw("LOC", "91", item.issuer)


def _day(day: date) -> str:
    return f"{day:%y%m%d}"
