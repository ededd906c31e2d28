"""What each kind of record is about (its key), and when it holds: from a checked body to the columns of its row."""

import base64
import binascii
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta, timezone
from typing import Any

from gate.checks.paxlst import Passenger, PassengerList, Place
from gate.checks.paxlst.fields import doc9303_state
from gate.hub.intake import normal_document
from gate.hub.window.forms import FormError, Kind

_S10 = re.compile(r"[A-Z]{2}[0-9]{9}[A-Z]{2}")
_MAGIC = {"image/jpeg": b"\xff\xd8\xff", "image/png": b"\x89PNG\r\n\x1a\n"}
DAY_MS = 86_400_000
HEALTH_LIFE_MS = DAY_MS
"""A health declaration holds for 24 hours from when it was taken in."""
UNKNOWN_ARRIVAL_MS = 3 * DAY_MS
"""How long a passenger without an arrival time is expected."""
EXPECTED_AFTER_MS = DAY_MS
"""A passenger may come to the gate so long after the flight was to arrive."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A record before it is stored. ``line`` is where it came from in its submission."""

    kind: Kind
    key: str
    schema: str
    body: Mapping[str, Any]
    line: int
    issuer: str | None = None
    document_number: str | None = None
    from_ms: int | None = None
    until_ms: int | None = None
    due_ms: int | None = None
    flight: str | None = None
    picture: bytes | None = field(default=None, repr=False)
    """A picture that came with the record; the body names it by its sha256 only."""


def draft_of(kind: Kind, schema: str, body: dict[str, Any], *, line: int, now_ms: int) -> Draft | FormError:
    """The record that a body, which its form has passed, makes; or what no form can say is wrong with it."""
    document = _document(body)
    if document is not None and not all(document):
        return FormError(field="document_number", message="has neither letters nor digits")
    try:
        times = _times(kind, body, now_ms)
    except (ValueError, OverflowError):
        return FormError(field="", message="has a time that no calendar has")
    if isinstance(times, FormError):
        return times
    from_ms, until_ms, due_ms = times
    picture: bytes | None = None
    if kind is Kind.PARCEL:
        parcel = _parcel(body)
        if isinstance(parcel, FormError):
            return parcel
        body, picture = parcel
    name = _name(kind, body, document)
    return Draft(
        kind=kind,
        key=f"{kind.value}/{name}",
        schema=schema,
        body=body,
        line=line,
        issuer=document[0] if document else None,
        document_number=document[1] if document else None,
        from_ms=from_ms,
        until_ms=until_ms,
        due_ms=due_ms,
        picture=picture,
    )


def _parcel(body: dict[str, Any]) -> tuple[dict[str, Any], bytes | None] | FormError:
    """The body without the bytes of its picture, and these."""
    if not _is_s10(str(body["tracking_number"])):
        return FormError(field="tracking_number", message="has a check digit that is not its own (UPU S10)")
    sent = body.get("picture")
    if sent is None:
        return body, None
    try:
        picture = base64.b64decode(sent["base64"], validate=True)
    except binascii.Error:
        return FormError(field="picture.base64", message="is no base64")
    if not picture.startswith(_MAGIC[sent["media_type"]]):
        return FormError(field="picture", message=f"is no {sent['media_type']}")
    named = {
        "media_type": sent["media_type"],
        "sha256": hashlib.sha256(picture).hexdigest(),
        "size": len(picture),
    }
    return body | {"picture": named}, picture


def _is_s10(number: str) -> bool:
    """Whether a number is not of the form of UPU S10, or its check digit is right (S10-12, clause 6.3)."""
    if _S10.fullmatch(number) is None:
        return True
    total = sum(int(digit) * weight for digit, weight in zip(number[2:10], (8, 6, 4, 2, 3, 5, 9, 7), strict=True))
    check = 11 - total % 11
    return int(number[10]) == {10: 0, 11: 5}.get(check, check)


def _document(body: Mapping[str, Any]) -> tuple[str, str] | None:
    if "document_number" not in body:
        return None
    return document_key(str(body["document_number"]), str(body["issuer"]))


def document_key(number: str, issuer: str) -> tuple[str, str]:
    """(issuer, document number) as compared."""
    issuer, number = normal_document(number, issuer)
    return doc9303_state(issuer), number


def _name(kind: Kind, body: Mapping[str, Any], document: tuple[str, str] | None) -> str:
    if kind is Kind.RESERVATION:
        return str(body["reservation_id"])
    if kind is Kind.PARCEL:
        return str(body["tracking_number"])
    name = "/".join(document or ())
    return f"{name}/{normal_document(str(body['visa_number']), '')[1]}" if kind is Kind.VISA else name


def _times(kind: Kind, body: Mapping[str, Any], now_ms: int) -> tuple[int | None, int | None, int | None] | FormError:
    """(from, until, due) in milliseconds, or which of the times is in the way."""
    if kind is Kind.HEALTH:
        return now_ms, now_ms + HEALTH_LIFE_MS, None
    if kind is Kind.VISA:
        first, last = _day_ms(body["valid_from"]), _day_ms(body["valid_until"]) + DAY_MS
        return (first, last, None) if first < last else FormError(field="valid_until", message="is before valid_from")
    if kind is Kind.TRUST:
        return now_ms, _day_ms(body["valid_until"]) + DAY_MS, None
    if kind is Kind.RESERVATION:
        begins, ends = _instant_ms(body["starts_at"]), _instant_ms(body["ends_at"])
        if ends <= begins:
            return FormError(field="ends_at", message="is not after starts_at")
        return begins, ends, begins
    if kind is Kind.TRANSIT:
        arrives = _instant_ms(body["arrives_at"])
        if _instant_ms(body["onward"]["departs_at"]) <= arrives:
            return FormError(field="onward.departs_at", message="is not after arrives_at")
        return arrives - EXPECTED_AFTER_MS, arrives + EXPECTED_AFTER_MS, arrives
    return now_ms, None, None


def _day_ms(text: str) -> int:
    day = date.fromisoformat(text)
    return int(datetime.combine(day, time(), UTC).timestamp() * 1000)


def _instant_ms(text: str) -> int:
    """RFC 3339, which the form has checked; a leap second is taken for the second before it."""
    plain = text.upper().replace("Z", "+00:00").replace(":60", ":59")
    return int(datetime.fromisoformat(plain).timestamp() * 1000)


def passenger_draft(passenger: Passenger, flight: PassengerList, *, now_ms: int, utc_offset_min: int) -> Draft:
    """A carrier's record of one traveller on one flight; the times of flights are local to the port."""
    travel = passenger.travel_document
    issuer, number = document_key(travel.number, travel.issuer)
    due_ms = _arrival_ms(flight, utc_offset_min)
    until_ms = (due_ms if due_ms is not None else now_ms + UNKNOWN_ARRIVAL_MS) + EXPECTED_AFTER_MS
    day = datetime.fromtimestamp((due_ms or now_ms) / 1000, tz=UTC).date()
    body = {
        "surname": passenger.surname,
        "given_names": list(passenger.given_names),
        "sex": passenger.sex,
        "birth_date": passenger.birth_date.isoformat(),
        "nationality": doc9303_state(passenger.nationality),
        "capacity": passenger.capacity.name.lower(),
        "document_kind": travel.kind,
        "expiry_date": travel.expiry_date.isoformat() if travel.expiry_date else None,
        "visas": [{"number": item.number, "issuer": item.issuer} for item in passenger.visas],
        "flight": flight.flight,
        "calls": [
            {"place": call.place.name.lower(), "port": call.port, "departure": call.departure, "arrival": call.arrival}
            for call in flight.calls
        ],
        "embarkation_port": passenger.embarkation_port,
        "debarkation_port": passenger.debarkation_port,
        "booking_reference": passenger.booking_reference,
        "bag_tags": list(passenger.bag_tags),
        "seat": passenger.seat,
    }
    return Draft(
        kind=Kind.PASSENGERS,
        key=f"{Kind.PASSENGERS.value}/{flight.flight}/{day:%Y-%m-%d}/{issuer}/{number}",
        schema="paxlst",
        body=body,
        line=passenger.line,
        issuer=issuer,
        document_number=number,
        from_ms=now_ms,
        until_ms=until_ms,
        due_ms=due_ms,
        flight=flight.flight or None,
    )


def _arrival_ms(flight: PassengerList, utc_offset_min: int) -> int | None:
    stamps = [call.arrival for call in flight.calls if call.place is Place.FIRST_PORT and call.arrival]
    if not stamps:
        return None
    text = stamps[0] if len(stamps[0]) == 12 else f"20{stamps[0]}"
    try:
        local = datetime.strptime(text, "%Y%m%d%H%M").replace(tzinfo=timezone(timedelta(minutes=utc_offset_min)))
    except ValueError:
        return None  # the 31st of a month of 30 days
    return int(local.timestamp() * 1000)
