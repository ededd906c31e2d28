"""What the single window knows of the holder of a document, as answers to a lane's look-ups.

A declaration for one crossing is claimed by the case that asks for it: another case finds it used as long as that one is open or when
it ended with the traveller through; a crossing that came to nothing gives it back.
"""

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone
from typing import Any

from sqlalchemy import Connection, Row, select, update

from config.window import Window
from gate.checks.eligibility import Applicant, EntryRules, Journey, Onward, Permitted, Visa, judge_entry
from gate.checks.paxlst.fields import doc9303_state
from gate.core.effects import CrossingOutcome
from gate.hub.cases import CaseStatus
from gate.hub.schema import CASES
from gate.hub.window.forms import Kind
from gate.hub.window.records import DAY_MS, document_key
from gate.hub.window.reservations import has_appointment, is_open
from gate.hub.window.schema import WINDOW_RECORDS
from gate.wire.messages import LookupRequest, LookupResult

UNHEARD_MS = 600_000
"""How long a claim by a case of which nothing was heard yet stands."""
_THROUGH = frozenset({CrossingOutcome.CLEARED.value, CrossingOutcome.RELEASED_BY_OFFICER.value})


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where the port is, for the rules of entry."""

    settings: Window
    port: str
    rules: EntryRules


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """``claims`` are keys of records that this case is to claim (:func:`claim`), if it has not yet."""

    results: tuple[LookupResult, ...]
    claims: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    request: LookupRequest
    place: Place
    now_ms: int
    issuer: str
    number: str
    records: Mapping[str, tuple[Row[Any], ...]]
    """Those that hold now, by kind, newest first."""
    expired: frozenset[str]
    """Kinds of which there are only records that do not hold any more."""
    used: frozenset[str]
    """Keys that another case has."""


def answer(
    connection: Connection, request: LookupRequest, names: Collection[str], *, place: Place, now_ms: int
) -> Answers:
    """The answers to those of ``names`` that the window knows something of; others are left to others."""
    issuer, number = document_key(request.document_number, request.issuer)
    rows = connection.execute(
        select(WINDOW_RECORDS)
        .where(WINDOW_RECORDS.c.issuer == issuer, WINDOW_RECORDS.c.document_number == number)
        .order_by(WINDOW_RECORDS.c.at_ms.desc())
    ).all()
    holding: dict[str, list[Row[Any]]] = {}
    for row in rows:
        if (row.from_ms or 0) - DAY_MS <= now_ms < (row.until_ms or now_ms + 1):
            holding.setdefault(row.kind, []).append(row)
    asked = _Asked(
        request=request,
        place=place,
        now_ms=now_ms,
        issuer=issuer,
        number=number,
        records={kind: tuple(found) for kind, found in holding.items()},
        expired=frozenset(row.kind for row in rows) - frozenset(holding),
        used=_used(connection, rows, request.case_id, now_ms),
    )
    results: list[LookupResult] = []
    claims: list[str] = []
    for name in names:
        result = _result(connection, name, asked, claims)
        if result is not None:
            results.append(result)
    return Answers(results=tuple(results), claims=tuple(claims))


def claim(connection: Connection, keys: Collection[str], case_id: str, *, now_ms: int) -> bool:
    """Claim these records for a case; False when another was quicker with one, and then nothing may be believed of the answers."""
    table = WINDOW_RECORDS
    for key in sorted(keys):
        held: Row[Any] | None = connection.execute(select(table).where(table.c.key == key)).first()
        if held is None:
            return False
        is_free = held.used_case_id in (None, case_id) or not _is_taken(connection, held, now_ms)
        if not is_free:
            return False
        if held.used_case_id != case_id:
            same = (
                table.c.used_case_id.is_(None)
                if held.used_case_id is None
                else (table.c.used_case_id == held.used_case_id)
            )
            done = connection.execute(
                update(table).where(table.c.key == key, same).values(used_case_id=case_id, used_ms=now_ms)
            )
            if done.rowcount != 1:
                return False
    return True


def trust_level(connection: Connection, *, document_number: str, issuer: str, now_ms: int) -> str:
    """``watched``, ``standard``, ``known`` or ``trusted``: what is on record for the holder of a document now."""
    state, number = document_key(document_number, issuer)
    body = connection.scalar(
        select(WINDOW_RECORDS.c.body).where(
            WINDOW_RECORDS.c.key == f"{Kind.TRUST.value}/{state}/{number}", WINDOW_RECORDS.c.until_ms > now_ms
        )
    )
    return str(json.loads(body)["level"]) if body is not None else "standard"


def _used(connection: Connection, rows: Collection[Row[Any]], case_id: str, now_ms: int) -> frozenset[str]:
    return frozenset(
        row.key for row in rows if row.used_case_id not in (None, case_id) and _is_taken(connection, row, now_ms)
    )


def _is_taken(connection: Connection, row: Row[Any], now_ms: int) -> bool:
    case = connection.execute(
        select(CASES.c.status, CASES.c.outcome).where(CASES.c.case_id == row.used_case_id)
    ).first()
    if case is None:
        return bool(now_ms - row.used_ms < UNHEARD_MS)
    return case.status != CaseStatus.CLOSED.value or case.outcome in _THROUGH


def _result(connection: Connection, name: str, asked: _Asked, claims: list[str]) -> LookupResult | None:
    match name:
        case "health_declaration":
            return _health(asked, claims)
        case "customs_declaration":
            return _customs(asked)
        case "advance_passenger":
            return _advance(asked)
        case "entry_permission":
            return _entry(asked, claims)
        case "opening_hours":
            return _opening(connection, asked)
        case "traveller_trust":
            return _trust(asked)
        case _:
            return None


def _body(row: Row[Any]) -> dict[str, Any]:
    return dict(json.loads(row.body))


def _health(asked: _Asked, claims: list[str]) -> LookupResult | None:
    def say(is_hit: bool, detail: str) -> LookupResult:
        return LookupResult(name="health_declaration", is_hit=is_hit, role="quarantine", detail=detail)

    rows = asked.records.get(Kind.HEALTH.value, ())
    is_required = "health" in asked.place.settings.required
    if not rows:
        if Kind.HEALTH.value in asked.expired:
            return say(is_required, "the declaration is older than 24 hours")
        return say(True, "none on file") if is_required else None
    row = rows[0]
    if row.key in asked.used:
        return say(True, "the declaration was used for another crossing")
    claims.append(row.key)
    body = _body(row)
    told = list(body["symptoms"]) + [
        word for word, key in (("fever", "has_fever"), ("contact", "had_contact")) if body.get(key)
    ]
    return say(bool(told), ", ".join(told) or f"declared {_hours(asked.now_ms - row.at_ms)} ago")


def _customs(asked: _Asked) -> LookupResult | None:
    """What is declared is answered by who keeps declarations; here only that none is."""
    if "customs" not in asked.place.settings.required or asked.records.get(Kind.CUSTOMS.value):
        return None
    return LookupResult(name="customs_declaration", is_hit=True, role="customs", detail="none on file")


def _advance(asked: _Asked) -> LookupResult:
    def say(is_hit: bool, detail: str) -> LookupResult:
        return LookupResult(name="advance_passenger", is_hit=is_hit, role="border", detail=detail)

    rows = asked.records.get(Kind.PASSENGERS.value, ())
    if not rows:
        return say(True, "on no list of passengers")
    row = min(rows, key=lambda item: abs((item.due_ms or item.at_ms) - asked.now_ms))
    body = _body(row)
    differing = [
        name
        for name, listed, shown in (
            ("birth date", body["birth_date"], asked.request.birth_date),
            ("nationality", body["nationality"], doc9303_state(asked.request.nationality.replace("<", ""))),
        )
        if listed != shown
    ]
    if differing:
        return say(True, f"flight {body['flight']}: another {' and '.join(differing)} than on the document")
    return say(False, f"flight {body['flight']}" if body["flight"] else "on a list of passengers")


def _entry(asked: _Asked, claims: list[str]) -> LookupResult:
    settings = asked.place.settings
    zone = timezone(timedelta(minutes=settings.utc_offset_min))
    visas = [(row, _visa(row, asked)) for row in asked.records.get(Kind.VISA.value, ())]
    journeys = [_journey(row, zone) for row in asked.records.get(Kind.TRANSIT.value, ())]
    verdict = judge_entry(
        Applicant(
            nationality=doc9303_state(asked.request.nationality.replace("<", "")),
            document_expiry=_expiry(asked),
            at=datetime.fromtimestamp(asked.now_ms / 1000, tz=zone),
            home_state=settings.home_state,
            region=settings.region,
            port=asked.place.port,
            visas=tuple(visa for _, visa in visas),
            journey=journeys[0] if journeys else None,
        ),
        asked.place.rules,
    )
    if isinstance(verdict, Permitted):
        if verdict.basis == "visa":
            claims += [row.key for row, visa in visas if visa.entries == 1 and not visa.is_used][:1]
        until = "" if verdict.until is None else f", to leave before {verdict.until:%Y-%m-%d %H:%M}"
        return LookupResult(name="entry_permission", is_hit=False, role="border", detail=f"{verdict.basis}{until}")
    detail = "; ".join(f"{rule}: {reason}" for rule, reason in verdict.reasons if reason != "not in force")
    return LookupResult(name="entry_permission", is_hit=True, role="border", detail=detail[:500])


def _visa(row: Row[Any], asked: _Asked) -> Visa:
    body = _body(row)
    return Visa(
        number=body["visa_number"],
        first_day=date.fromisoformat(body["valid_from"]),
        last_day=date.fromisoformat(body["valid_until"]),
        entries=body["entries"],
        stay_days=body["stay_days"],
        is_used=row.key in asked.used,
        is_revoked=bool(body.get("is_revoked")),
    )


def _journey(row: Row[Any], zone: timezone) -> Journey:
    body = _body(row)

    def local(text: str) -> datetime:
        return datetime.fromisoformat(text.upper().replace("Z", "+00:00")).astimezone(zone)

    return Journey(
        origin=doc9303_state(body["origin"]),
        arrives_at=local(body["arrives_at"]),
        region=body.get("region", ""),
        onward=Onward(
            destination=doc9303_state(body["onward"]["destination"]),
            departs_at=local(body["onward"]["departs_at"]),
            is_confirmed=body["onward"]["is_confirmed"],
        ),
    )


def _expiry(asked: _Asked) -> date | None:
    """As the document says, else as the carrier's list does."""
    texts = [asked.request.expiry_date]
    texts += [_body(row)["expiry_date"] for row in asked.records.get(Kind.PASSENGERS.value, ())]
    for text in texts:
        try:
            return date.fromisoformat(text or "")
        except ValueError:
            continue
    return None


def _opening(connection: Connection, asked: _Asked) -> LookupResult:
    if is_open(asked.place.settings, asked.now_ms):
        is_hit, detail = False, "open"
    elif has_appointment(connection, asked.issuer, asked.number, at_ms=asked.now_ms):
        is_hit, detail = False, "by appointment"
    else:
        is_hit, detail = True, "the port is closed, and there is no appointment"
    return LookupResult(name="opening_hours", is_hit=is_hit, role="border", detail=detail)


def _trust(asked: _Asked) -> LookupResult:
    rows = asked.records.get(Kind.TRUST.value, ())
    level = _body(rows[0])["level"] if rows else "standard"
    return LookupResult(name="traveller_trust", is_hit=level == "watched", role="border", detail=level)


def _hours(ms: int) -> str:
    return f"{ms // 3_600_000} h"
