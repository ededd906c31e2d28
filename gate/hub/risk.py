"""Risk rules at the hub: what is known of a traveller becomes facts, the rules judge them, and what they said is kept.

Asked by the lane as the look-up ``risk`` together with all others, within the same deadline. It adds a reason to look; that the watchlist
and the document are checked does not depend on it.
"""

import hashlib
import json
import secrets
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

from sqlalchemy import BigInteger, Column, Connection, Float, Index, String, Table, Text, func, select

from config.schema import Site
from gate.checks.risk.facts import RiskFacts
from gate.checks.risk.rules import NO_RULES, Ask, Fired, RuleSet, load_rules
from gate.checks.risk.sampling import day_key, lot
from gate.core.clock import Clock
from gate.errors import GateError
from gate.hub.intake import declaration_of, normal_document
from gate.hub.schema import METADATA
from gate.hub.store import Store, upsert
from gate.hub.window.forms import Kind
from gate.hub.window.lookups import trust_level
from gate.hub.window.schema import WINDOW_RECORDS
from gate.wire.messages import LookupRequest, LookupResult

LOOKUP = "risk"
_MONTH_MS = 30 * 86_400_000
_DAY = timedelta(days=1)

RISK_EVALUATIONS = Table(
    "risk_evaluations",
    METADATA,
    Column("case_id", String(64), primary_key=True),
    Column("at_ms", BigInteger, nullable=False),
    Column("document", String(64), nullable=False),  # digest of issuer and number: counts crossings, names nobody
    Column("facts", Text, nullable=False),
    Column("fired", Text, nullable=False),  # JSON list of rule ids; "sample" when drawn by lot
    Column("lot", Float, nullable=False),
    Column("rate", Float, nullable=False),
    Column("rules_sha256", String(64), nullable=False),
    Index(None, "document", "at_ms"),
    Index(None, "at_ms"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """What was said of a case. ``is_sampled``: drawn by lot, at ``rate``."""

    case_id: str
    at_ms: int
    facts: RiskFacts
    fired: tuple[str, ...]
    lot: float
    rate: float
    rules_sha256: str

    @property
    def is_sampled(self) -> bool:
        return self.lot < self.rate


@dataclass(frozen=True, slots=True, kw_only=True)
class Changed:
    """A past case of which other rules say something else."""

    case_id: str
    before: tuple[str, ...]
    after: tuple[str, ...]
    explanations: tuple[str, ...]


def site_rules(site: Site, file: Path | None = None) -> RuleSet:
    """The rules of a site, or of another file for its roles. GateError when they cannot be used, or their own tests fail."""
    path = file or site.risk.rules_file
    if path is None:
        return NO_RULES
    try:
        rules, failed = load_rules(path, roles=[role.id for role in site.roles])
    except ValueError as problem:
        raise GateError(str(problem)) from None
    if failed:
        first = failed[0]
        raise GateError(
            f"{path}: test '{first.name}' fires {list(first.fired)} where it says {list(first.expected)}: "
            "mend the rule or the test ('gate rules check' shows all)"
        )
    return rules


class RiskDesk:
    """One hub's rules. The file is read when the hub starts; a bad one keeps it from starting."""

    def __init__(self, *, site: Site, store: Store, secret: bytes, clock: Clock) -> None:
        """``secret``: at least 32 bytes, from which the lots of each day are drawn."""
        self._store, self._secret, self._clock = store, secret, clock
        self._zone = timezone(timedelta(minutes=site.window.utc_offset_min))
        self.rules = site_rules(site)

    def look_up(self, request: LookupRequest) -> LookupResult:
        """Whether somebody has to look, who, and why. A case is judged once: asked again it gets the same answer."""
        now_ms = self._clock.utc_ms()
        with self._store.read() as connection:
            held = _held(connection, request.case_id)
            facts = held.facts if held is not None else self._facts(connection, request, now_ms)
        if held is None or held.rules_sha256 != self.rules.sha256:
            fired = self.rules.judge(facts)
            held = self._evaluated(request, facts, fired, now_ms)
            with self._store.write() as connection:
                _keep(connection, held, _digest(request))
        else:
            fired = self.rules.judge(facts)
        asking = [item for item in fired if item.ask is not Ask.NOTE]
        words = [item.explanation() for item in fired]
        if held.is_sampled:
            words.append(f"drawn by lot ({held.lot:.4f} below {held.rate:g} for {facts.trust})")
        role = asking[0].role if asking else (self.rules.sampling_role if held.is_sampled else "")
        return LookupResult(
            name=LOOKUP, is_hit=bool(asking) or held.is_sampled, role=role or "border", detail="; ".join(words)[:900]
        )

    def _evaluated(self, request: LookupRequest, facts: RiskFacts, fired: Sequence[Fired], now_ms: int) -> Evaluation:
        rate = self.rules.rates[facts.trust]
        drawn = lot(day_key(self._secret, self._day(now_ms)), request.case_id)
        names = [item.rule for item in fired] + (["sample"] if drawn < rate else [])
        return Evaluation(
            case_id=request.case_id,
            at_ms=now_ms,
            facts=facts,
            fired=tuple(names),
            lot=drawn,
            rate=rate,
            rules_sha256=self.rules.sha256,
        )

    def _facts(self, connection: Connection, request: LookupRequest, now_ms: int) -> RiskFacts:
        here = datetime.fromtimestamp(now_ms / 1000, self._zone)
        declared = declaration_of(connection, request.document_number, request.issuer) or {}
        customs, health = declared.get("customs"), declared.get("health")
        passenger = _passenger(connection, request, now_ms)
        return RiskFacts(
            trust=trust_level(
                connection, document_number=request.document_number, issuer=request.issuer, now_ms=now_ms
            ),
            nationality=request.nationality or None,
            issuer=request.issuer or None,
            age_years=_years(request.birth_date, here.date()),
            sex=request.sex or None,
            document_days_left=_days(request.expiry_date, here.date()),
            has_customs_declaration=customs is not None,
            declares_nothing=None if customs is None else bool(customs["is_nothing_to_declare"]),
            goods=tuple(customs["goods"]) if customs else (),
            has_health_declaration=health is not None,
            symptoms=tuple(health["symptoms"]) if health else (),
            countries=tuple(health["countries"]) if health else (),
            flight=passenger.get("flight"),
            from_airport=passenger.get("from_airport"),
            bags=passenger.get("bags"),
            crossings_30d=_crossings(connection, _digest(request), now_ms),
            hour=float(here.hour),
            weekday=float(here.weekday()),
        )

    def _day(self, at_ms: int) -> date:
        return datetime.fromtimestamp(at_ms / 1000, UTC).date()


def replay(connection: Connection, rules: RuleSet, *, since_ms: int) -> Iterator[tuple[Evaluation, Changed | None]]:
    """Each case that was judged since, and what ``rules`` would say otherwise (None: the same). Writes nothing."""
    query = select(RISK_EVALUATIONS).where(RISK_EVALUATIONS.c.at_ms >= since_ms).order_by(RISK_EVALUATIONS.c.at_ms)
    for row in connection.execute(query):
        past = _evaluation(row)
        fired = rules.judge(past.facts)
        names = [item.rule for item in fired]
        if past.lot < rules.rates[past.facts.trust]:
            names.append("sample")
        changed = None
        if set(names) != set(past.fired):
            changed = Changed(
                case_id=past.case_id,
                before=past.fired,
                after=tuple(names),
                explanations=tuple(item.explanation() for item in fired),
            )
        yield past, changed


def sampling_secret(keys_dir: Path) -> bytes:
    """The port's secret of lots, made with the first use (mode 0600). GateError when it cannot be read or made."""
    path = keys_dir / "sampling.key"
    try:
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch(mode=0o600, exist_ok=False)
            path.write_bytes(secrets.token_bytes(32))
        data = path.read_bytes()
    except OSError as problem:
        raise GateError(
            f"the secret of sampling {path} cannot be used ({problem}): check the folder's permissions"
        ) from None
    if len(data) < 32:
        raise GateError(
            f"the secret of sampling {path} is cut short: remove it, and note in the log that lots before cannot be checked"
        )
    return data


def _held(connection: Connection, case_id: str) -> Evaluation | None:
    row = connection.execute(select(RISK_EVALUATIONS).where(RISK_EVALUATIONS.c.case_id == case_id)).first()
    return _evaluation(row) if row is not None else None


def _evaluation(row: Any) -> Evaluation:
    return Evaluation(
        case_id=row.case_id,
        at_ms=row.at_ms,
        facts=RiskFacts.from_json(json.loads(row.facts)),
        fired=tuple(json.loads(row.fired)),
        lot=row.lot,
        rate=row.rate,
        rules_sha256=row.rules_sha256,
    )


def _keep(connection: Connection, evaluation: Evaluation, document: str) -> None:
    upsert(
        connection,
        RISK_EVALUATIONS,
        {
            "case_id": evaluation.case_id,
            "at_ms": evaluation.at_ms,
            "document": document,
            "facts": json.dumps(evaluation.facts.to_json(), ensure_ascii=False),
            "fired": json.dumps(evaluation.fired),
            "lot": evaluation.lot,
            "rate": evaluation.rate,
            "rules_sha256": evaluation.rules_sha256,
        },
    )


def _digest(request: LookupRequest) -> str:
    issuer, number = normal_document(request.document_number, request.issuer)
    return hashlib.sha256(f"{issuer}|{number}".encode()).hexdigest()


def _crossings(connection: Connection, document: str, now_ms: int) -> float:
    table = RISK_EVALUATIONS
    query = select(func.count()).where(table.c.document == document, table.c.at_ms >= now_ms - _MONTH_MS)
    return float(connection.scalar(query) or 0)


def _passenger(connection: Connection, request: LookupRequest, now_ms: int) -> dict[str, Any]:
    """What the newest passenger list says of the holder: flight, airport of embarkation, bags; what it leaves out is missing."""
    issuer, number = normal_document(request.document_number, request.issuer)
    row = connection.execute(
        select(WINDOW_RECORDS)
        .where(
            WINDOW_RECORDS.c.kind == Kind.PASSENGERS.value,
            WINDOW_RECORDS.c.issuer == issuer,
            WINDOW_RECORDS.c.document_number == number,
            WINDOW_RECORDS.c.until_ms > now_ms,
        )
        .order_by(WINDOW_RECORDS.c.at_ms.desc())
    ).first()
    if row is None:
        return {}
    body = json.loads(row.body)
    bags = body.get("bags")
    said = {
        "flight": row.flight,
        "from_airport": body.get("embarkation_port"),
        "bags": float(bags) if bags is not None else None,
    }
    return {key: value for key, value in said.items() if value not in (None, "")}


def _years(birth_date: str, today: date) -> float | None:
    born = _date(birth_date)
    return None if born is None else float(today.year - born.year - ((today.month, today.day) < (born.month, born.day)))


def _days(text: str | None, today: date) -> float | None:
    day = _date(text or "")
    return None if day is None else float((day - today) / _DAY)


def _date(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None
